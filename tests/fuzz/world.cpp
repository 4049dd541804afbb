// The example board, network and table with one of the three in a mutant's place, under a scenario that uses all of it:
// what is accepted also runs.
#include "common/text.hpp"
#include "device/platform.hpp"
#include "run_a_little.hpp"
#include "scenario/scenario.hpp"
#include "support/temporary_folder.hpp"
#include "target.hpp"

namespace dynasoc::fuzz {
namespace world_target {

constexpr const char* kScenario = R"({
  "platform": "board.json",
  "duration_s": 2,
  "applications": {
    "a": {"network": "net/network.json", "unit": "gpu", "arrivals": {"kind": "periodic", "period_ms": 40}, "targets": [{"latency_ms": 20}]},
    "b": {"network": "net/network.json", "unit": "cpu", "arrivals": {"kind": "closed-loop"}, "targets": [{"latency_ms": 40}]}
  },
  "background": {"load": {"unit": "gpu", "weight": 0.5}},
  "policy": {"name": "dynamic-ofa", "dvfs": true, "mapping": true}
})";

std::string board() {
  std::string text = read_file(root() / "platforms/minimal.json");
  return text.replace(text.find("\"name\": \"minimal\""), 17, "\"name\": \"board\"");
}
std::string network() {
  std::string text = read_file(root() / "models/example/network.json");
  return text.replace(text.find("\"platform\": \"minimal\""), 21, "\"platform\": \"board\"");
}
std::string table() { return read_file(root() / "models/example/minimal.csv"); }

bool run_with(const std::string& name, const std::string& text) {
  const test::TemporaryFolder folder;
  folder.write("board.json", board());
  folder.write("net/network.json", network());
  folder.write("net/minimal.csv", table());
  folder.write("scenario.json", kScenario);
  folder.write(name, text);
  Scenario scenario;
  if (!good_or_refused([&] { scenario = load_scenario(folder.path() / "scenario.json"); })) return false;
  run_a_little(*scenario.setup);
  return true;
}

const Register registered_board{{.name = "run-board",
                                 .doc = "a run on a board",
                                 .form = Form::json,
                                 .seeds = [] { return std::vector<std::string>{board()}; },
                                 .read = [](const std::string& text) { return run_with("board.json", text); },
                                 .schemas = [] { return std::vector<Json>{object_schema<PlatformFile>()}; },
                                 .mutants = 2000}};
const Register registered_network{{.name = "run-network",
                                   .doc = "a run of a network",
                                   .form = Form::json,
                                   .seeds = [] { return std::vector<std::string>{network()}; },
                                   .read = [](const std::string& text) { return run_with("net/network.json", text); },
                                   .schemas = [] { return std::vector<Json>{object_schema<NetworkFile>()}; },
                                   .mutants = 1500}};
const Register registered_table{{.name = "run-table",
                                 .doc = "a run on a table",
                                 .seeds = [] { return std::vector<std::string>{table()}; },
                                 .read = [](const std::string& text) { return run_with("net/minimal.csv", text); },
                                 .mutants = 1500}};

}  // namespace world_target
}  // namespace dynasoc::fuzz
