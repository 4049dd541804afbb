// What may stand in `compare --policies`: `pid(reference=0.8)+schedutil`.
#include "results/comparison.hpp"
#include "scenario/scenario.hpp"
#include "target.hpp"

namespace dynasoc::fuzz {
namespace policies_target {

std::vector<std::string> seeds() {
  return {"none,pid(kp=0.8,ki=0.2),dynamic-ofa(dvfs=true)+schedutil", "pid(reference=0.8),pid(reference=0.9)",
          "performance,powersave,ondemand(up_threshold=80)", "dynamic-ofa+performance,oracle,ucb",
          "mpc(horizon=3)+nvhost_podgov"};
}

bool read(const std::string& text) {
  static const Scenario scenario = load_scenario(root() / "scenarios/minimal.json");
  return good_or_refused([&] { contenders_of(scenario, text); }, true);
}

const Register registered{
    {.name = "policies", .doc = "lists of policies and governors", .seeds = seeds, .read = read, .mutants = 6000}};

}  // namespace policies_target
}  // namespace dynasoc::fuzz
