// Trained policies and the parameters of all others: what is accepted also decides.
#include "explore/learning/environment.hpp"
#include "run_a_little.hpp"
#include "scenario/scenario.hpp"
#include "target.hpp"

namespace dynasoc::fuzz {
namespace learned_target {

Json scenario_with(const Json& policy) {
  return {{"platform", "minimal"},
          {"duration_s", 1},
          {"applications",
           {{"a",
             {{"network", "example"},
              {"unit", "gpu"},
              {"arrivals", {{"kind", "periodic"}, {"period_ms", 40}}},
              {"targets", {{{"latency_ms", 20}}}}}}}},
          {"policy", policy}};
}

Scenario load(const Json& policy) {
  return load_scenario(Document::parse(scenario_with(policy).dump(), "scenario.json"), root() / "scenarios");
}

// Two layers that fit the scenario above.
std::string network() {
  const explore::Environment environment({load("none").setup}, manager::LearningFile{}, 1);
  const auto& space = environment.space();
  std::size_t outputs = 0;
  for (const auto& head : space.heads()) outputs += head.values.size();
  const std::vector<double> row(space.features().size(), 0.125);
  return Json{
      {"name", "learned"},
      {"inputs", space.features()},
      {"layers",
       {{{"weights", {row, row}}, {"bias", {0, 0.5}}, {"activation", "tanh"}},
        {{"weights", std::vector<std::vector<double>>(outputs, {1, -1})}, {"bias", std::vector<double>(outputs)}}}},
      {"trained", "by hand"}}
      .dump();
}

std::vector<std::string> seeds() {
  return {network(),
          R"({"name": "dynamic-ofa", "dvfs": true, "mapping": true})",
          R"({"name": "pid", "kp": 0.5})",
          R"({"name": "mpc"})",
          R"({"name": "alert"})",
          R"({"name": "hierarchical"})",
          R"({"name": "oracle"})",
          R"("ucb")"};
}

bool read(const std::string& text) {
  Scenario scenario;
  const bool good = good_or_refused([&] {
    manager::Choice<manager::Policy>::from_value(Value(Document::parse(text, "policy.json")));
    scenario = load(read_json(text, "policy.json"));
  });
  if (!good) return false;
  try {
    run_a_little(*scenario.setup);
    return true;
  } catch (const InputError& error) {
    // That a network does not fit the scenario turns out when it is first asked.
    if (std::string_view(error.what()).find('\n') != std::string_view::npos) throw Finding(error.what());
    return false;
  }
}

const Register registered{{.name = "learned",
                           .doc = "trained policies: what a scenario's `policy` may be",
                           .form = Form::json,
                           .seeds = seeds,
                           .read = read,
                           .schemas = [] { return std::vector<Json>{manager::Choice<manager::Policy>::schema()}; },
                           .mutants = 1500}};

}  // namespace learned_target
}  // namespace dynasoc::fuzz
