#include "world/power_draw.hpp"

#include <algorithm>
#include <cmath>

#include "kernel/random.hpp"

namespace dynasoc {

bool has_power_uncertainty(const Platform& platform) {
  return platform.file.static_power_std_w > 0 ||
         std::any_of(platform.file.units.begin(), platform.file.units.end(), [](const auto& unit) {
           const auto& stated = unit.second.power_uncertainty;
           return stated && (stated->level > 0 || stated->tilt > 0);
         });
}

Setup with_drawn_power(const Setup& setup, std::uint64_t replication) {
  Setup out = setup;
  PlatformFile& board = out.platform.file;
  if (board.static_power_std_w > 0) {
    const PowerUncertainty spread{board.static_power_std_w / board.static_power_w, 0, 1, ""};
    const Stream stream(setup.seed, "power/static", replication);
    board.static_power_w *= spread.factor(1, stream.normal(0), 0);
  }
  for (std::size_t u = 0; u < board.units.size(); ++u) {
    auto& [name, unit] = board.units[u];
    if (!unit.power_uncertainty) continue;
    const PowerUncertainty& spread = *unit.power_uncertainty;
    const Stream stream(setup.seed, "power/unit/" + name, replication);
    const double level = stream.normal(0), tilt = stream.normal(1);
    const auto factor = [&](double mhz) {
      return spread.factor(std::isfinite(mhz) ? mhz : spread.pivot_mhz, level, tilt);
    };
    for (PowerPoint& point : unit.power)
      point.busy_w = point.idle_w + (point.busy_w - point.idle_w) * factor(point.mhz);
    for (AppSetup& app : out.apps)
      for (auto& model : app.models[u])
        if (model) model->scale_derived_power(factor);
  }
  return out;
}

}  // namespace dynasoc
