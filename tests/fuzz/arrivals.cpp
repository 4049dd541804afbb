// Traces of arrivals and of recorded latencies, as a scenario names them.
#include "run_a_little.hpp"
#include "scenario/scenario.hpp"
#include "target.hpp"

namespace dynasoc::fuzz {
namespace arrivals_target {

constexpr const char* kArrivals = R"({
  "platform": "minimal", "duration_s": 2,
  "applications": {"a": {"network": "example",
    "arrivals": {"kind": "trace", "file": "trace.csv"}, "targets": [{"latency_ms": 20}]}}
})";
constexpr const char* kExecution = R"({
  "platform": "minimal", "duration_s": 2,
  "applications": {"a": {"network": "example", "execution": {"kind": "replay", "file": "trace.csv"},
    "arrivals": {"kind": "periodic", "period_ms": 50}, "targets": [{"latency_ms": 20}]}}
})";

std::vector<std::string> seeds() {
  return {"arrival_s\n0\n0.1\n0.2\n0.30\n1e0\n1.5\n",
          "# a comment\r\narrival_s,other\r\n0.001,x\r\n\"0.5\",\"y\"\"z\"\r\n",
          "arrival_s,ratio\n0,1\n0.01,1.2\n0.02,0.9\n",
          "subnet,latency_ms,ratio,first,source\nL1,10,1,0,x\nL1,12,1.2,0,x\n"};
}

bool read(const std::string& text) {
  static const Beside beside("scenarios/board", "trace.csv");
  const auto path = beside.write(text);
  bool any = false;
  for (const char* text_of_scenario : {kArrivals, kExecution}) {
    Scenario scenario;
    const bool good = good_or_refused(
        [&] { scenario = load_scenario(Document::parse(text_of_scenario, "scenario.json"), path.parent_path()); });
    if (good) run_a_little(*scenario.setup);
    any |= good;
  }
  return any;
}

const Register registered{{.name = "arrivals",
                           .doc = "traces of arrivals and of recorded latencies",
                           .seeds = seeds,
                           .read = read,
                           .mutants = 1500}};

}  // namespace arrivals_target
}  // namespace dynasoc::fuzz
