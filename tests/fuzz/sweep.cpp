// Sweeps: a scenario with lists for values.
#include "explore/sweep/sweep.hpp"

#include "target.hpp"

namespace dynasoc::fuzz {
namespace sweep_target {

std::vector<std::string> seeds() {
  std::vector<std::string> out = files("scenarios/sweeps", ".json");
  std::erase_if(out, [](const std::string& text) { return text.find("\"include\"") != std::string::npos; });
  out.push_back(
      R"({"platform": "minimal", "duration_s": [1, 2], "metrics": ["platform.energy_j", "run.miss_rate"],
          "applications": {"a": {"network": "example", "arrivals": {"kind": "periodic", "period_ms": {"from": 20, "to": 60, "count": 3}},
                                 "targets": [{"latency_ms": [20, 30]}]}}, "policy": ["none", "dynamic-ofa"]})");
  return out;
}

bool read(const std::string& text) {
  static const Beside beside("scenarios/sweeps", "fuzzed.json");
  return good_or_refused([&] { explore::Sweep::load(beside.write(text), {}, {}); });
}

const Register registered{{.name = "sweep",
                           .doc = "sweeps: axes, the scenario of the first point",
                           .form = Form::json,
                           .seeds = seeds,
                           .read = read,
                           .schemas = [] { return std::vector<Json>{explore::sweep_schema()}; },
                           .mutants = 600}};

}  // namespace sweep_target
}  // namespace dynasoc::fuzz
