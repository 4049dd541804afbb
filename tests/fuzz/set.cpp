// `--set path=value` and the policies of `compare --policies`: the message names the option.
#include "results/comparison.hpp"
#include "scenario/scenario.hpp"
#include "target.hpp"

namespace dynasoc::fuzz {
namespace set_target {

std::vector<std::string> seeds() {
  return {"duration_s=2",
          "applications.camera.weight=2",
          "applications.camera.targets.0.latency_ms=30",
          "policy={\"name\": \"pid\", \"reference\": 0.8}",
          "name=another",
          "thermal=false"};
}

bool read(const std::string& setting) {
  const auto equals = setting.find('=');
  if (equals == std::string::npos || equals == 0) return false;
  static const std::string minimal = files("scenarios", "minimal.json").at(0);
  try {
    load_scenario(Document::parse(minimal, "minimal.json"), root() / "scenarios",
                  {{setting.substr(0, equals), setting.substr(equals + 1)}});
    return true;
  } catch (const InputError& error) {
    const std::string_view what = error.what();
    // Too many frames are the fault of two members, of which one is in the file.
    if (what.find("--set ") == std::string_view::npos && what.find("frames would arrive") == std::string_view::npos)
      throw Finding("does not name the option: " + std::string(what));
    return false;
  }
}

const Register registered{{.name = "set", .doc = "--set path=value", .seeds = seeds, .read = read, .mutants = 2500}};

}  // namespace set_target
}  // namespace dynasoc::fuzz
