// Manifests: the way back to a run.
#include "common/temporary_folder.hpp"
#include "common/text.hpp"
#include "results/output.hpp"
#include "scenario/scenario.hpp"
#include "target.hpp"
#include "world/run.hpp"

namespace dynasoc::fuzz {
namespace manifest_target {

// One is made by a run, and stays as long as the program.
const std::filesystem::path& folder() {
  static const TemporaryFolder made;
  static const bool once = [] {
    const Scenario scenario = load_scenario(root() / "scenarios/minimal.json");
    RunRequest request;
    request.command_line = {"scenarios/minimal.json"};
    request.inputs = hashes_of(scenario.inputs);
    std::vector<RunRecord> records;
    records.push_back(simulate(*scenario.setup, {true, true, 0}, EngineKind::native, 0));
    write_output(made.path(), scenario, request, records, Json::object());
    return true;
  }();
  static_cast<void>(once);
  return made.path();
}

std::vector<std::string> seeds() { return {read_file(folder() / "manifest.json")}; }

bool read(const std::string& text) {
  return good_or_refused([&] {
    RunRequest again;
    load_manifest(Document::parse(text, "manifest.json"), folder() / "manifest.json", {}, again);
  });
}

const Register registered{{.name = "manifest",
                           .doc = "manifests of runs",
                           .form = Form::json,
                           .seeds = seeds,
                           .read = read,
                           .schemas = [] { return std::vector<Json>{scenario_schema()}; },
                           .mutants = 2000}};

}  // namespace manifest_target
}  // namespace dynasoc::fuzz
