#include "world/setup.hpp"

namespace dynasoc {

Setup idealised(const Setup& setup, const Ideal& ideal) {
  Setup out = setup;
  out.ideal = ideal;
  if (ideal.granularity) out.manager_cost_us = 0;
  if (!ideal.switching) return out;
  for (AppSetup& app : out.apps) app.switch_ms = app.switch_energy_mj = 0;
  for (auto& [name, domain] : out.platform.file.domains) domain.stall_us = domain.settle_ms = 0;
  return out;
}

}  // namespace dynasoc
