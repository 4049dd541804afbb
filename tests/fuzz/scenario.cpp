// Scenario files: what is accepted can be written with all its defaults and read again, and it runs.
#include "scenario/scenario.hpp"

#include "run_a_little.hpp"
#include "target.hpp"

namespace dynasoc::fuzz {
namespace scenario_target {

std::vector<std::string> seeds() {
  std::vector<std::string> out = files("scenarios/claims", ".json");
  std::erase_if(out, [](const std::string& text) { return text.find("\"expectation\"") != std::string::npos; });
  for (const char* folder : {"scenarios/governors", "scenarios/board", "scenarios/learning", "docs/example"})
    for (std::string& more : files(folder, ".json"))
      if (more.find("\"platform\"") != std::string::npos &&
          more.find("my-board") == std::string::npos)  // which is made first
        out.push_back(std::move(more));
  return out;
}

bool read(const std::string& text) {
  const auto folder = root() / "scenarios/claims";
  Scenario scenario;
  if (!good_or_refused([&] { scenario = load_scenario(Document::parse(text, "scenario.json"), folder); })) return false;
  const Json written = to_json(scenario.file);
  Json again;
  const bool good = good_or_refused(
      [&] { again = to_json(load_scenario(Document::parse(written.dump(), "written.json"), folder).file); });
  if (!good) throw Finding("is refused after being written: " + written.dump());
  if (again != written) throw Finding("is something else after being written: " + again.dump());
  run_a_little(*scenario.setup);
  return true;
}

std::vector<Json> schemas() { return {scenario_schema()}; }

const Register registered{{.name = "scenario",
                           .doc = "scenario files, run for 2 simulated seconds at most",
                           .form = Form::json,
                           .seeds = seeds,
                           .read = read,
                           .schemas = schemas,
                           .mutants = 2500}};

}  // namespace scenario_target
}  // namespace dynasoc::fuzz
