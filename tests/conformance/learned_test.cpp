// learned: the largest output of each knob's group is written, from features as a learner saw them; a network that was
// trained for something else is refused with what differs.
#include <algorithm>

#include <catch2/catch.hpp>

#include "explore/learning/environment.hpp"
#include "support/lab.hpp"

namespace dynasoc::test {
namespace {

using manager::LearningFile;

constexpr const char* kScenario = R"({"duration_s": 1, "applications": {
    "app": {"unit": "gpu", "subnet": "L3", "arrivals": {"kind": "periodic", "period_ms": 50},
            "targets": [{"latency_ms": 30}]}}})";

struct Trained {
  Trained(const Lab& lab, Json scenario) : space_of({lab.load(std::move(scenario)).setup}, LearningFile{}, 1) {
    for (const auto& head : space_of.space().heads()) outputs += head.values.size();
  }
  std::size_t feature(const std::string& name) const {
    const auto& names = space_of.space().features();
    const auto at = std::find(names.begin(), names.end(), name);
    REQUIRE(at != names.end());
    return static_cast<std::size_t>(at - names.begin());
  }
  // One layer without anything in it but what a test puts there.
  Json policy() const {
    const std::size_t inputs = space_of.space().features().size();
    const std::vector<std::vector<double>> weights(outputs, std::vector<double>(inputs));
    return {{"name", "learned"},
            {"knobs", {{"cost_us", 0}}},
            {"inputs", space_of.space().features()},
            {"layers", {{{"weights", weights}, {"bias", std::vector<double>(outputs)}}}}};
  }

  explore::Environment space_of;
  std::size_t outputs = 0;
};

std::string writes(const RunRecord& record) {
  std::string out;
  for (const DecisionRecord& one : record.decision_log)
    if (!one.by_board) out += one.target + "." + one.knob + " " + one.from + ">" + one.to + "; ";
  return out;
}

TEST_CASE("learned writes the choice with the largest output, and what is so already not at all") {
  const Lab lab;
  Json scenario = parse_json(kScenario);
  const Trained trained(lab, scenario);
  REQUIRE(trained.outputs == 3 + 3);  // L1 to L3, then 250, 500 and 1000 MHz
  Json policy = trained.policy();
  policy["layers"][0]["bias"] = {0, 2, 1, 0.5, 1, 0.25};
  scenario["policy"] = policy;
  const RunRecord record = lab.run(scenario);
  CHECK(writes(record) == "app.subnet L3>L2; gpu.frequency 1000>500; ");
  CHECK(record.decision_log[0].reason == "the network's largest output, by 1.000");
  CHECK(story_of(record).starts_with("0>0-40 missed, 50>50-90 missed"));  // L2 at 500 MHz
}

TEST_CASE("learned follows its features: down where frames were late, up where there is room") {
  const Lab lab;
  Json scenario = parse_json(kScenario);
  const Trained trained(lab, scenario);
  Json policy = trained.policy();
  // L2 wins by 0.5; late frames (missed: the share of the last eight) speak for L1, three times as loud.
  policy["layers"][0]["bias"] = {0, 0.5, 0, 0, 0, 1};
  policy["layers"][0]["weights"][0][trained.feature("app.missed")] = 3;
  scenario["policy"] = policy;
  // 20 ms at L2 meet 30 ms. At 0.3 s the target falls to 15 ms: the frame of 300 ms is late, then one of eight is, 3/8
  // < 0.5; with two, 6/8 > 0.5: L1, whose frames meet it; as they push the late ones out of the eight, L2 comes back.
  scenario["applications"]["app"]["subnet"] = "L2";
  scenario["applications"]["app"]["targets"] = parse_json(R"([{"latency_ms": 30}, {"from_s": 0.3, "latency_ms": 15}])");
  const RunRecord record = lab.run(scenario);
  CHECK(writes(record).starts_with("gpu.frequency 1000>1000; app.subnet L2>L1; app.subnet L1>L2; "));
  CHECK(to_ms(record.decision_log[1].at) == Approx(370));
}

TEST_CASE("a hidden layer is what its formula says") {
  const Lab lab;
  Json scenario = parse_json(kScenario);
  const Trained trained(lab, scenario);
  const std::size_t inputs = trained.space_of.space().features().size();
  for (const char* activation : {"tanh", "relu", "none"}) {
    // One hidden unit, -2 before its activation: tanh -0.964, relu 0, none -2. Output 1 is minus it, the others 1 and
    // 0.
    Json policy = trained.policy();
    Json hidden = {{"weights", {std::vector<double>(inputs)}}, {"bias", {-2}}, {"activation", activation}};
    Json out = {{"weights", {{-1}, {0}, {0}, {0}, {0}, {0}}}, {"bias", {0, 1, 0, 0, 0, 1}}};
    policy["layers"] = {hidden, out};
    scenario["policy"] = policy;
    const std::string expected = std::string(activation) == "none" ? "app.subnet L3>L1; " : "app.subnet L3>L2; ";
    CHECK(writes(lab.run(scenario)).starts_with(expected));
  }
}

TEST_CASE("the policy decides as the environment it was trained in") {
  const Lab lab;
  Json scenario = parse_json(kScenario);
  scenario["seed"] = 3;
  scenario["applications"]["app"]["execution"] = {{"kind", "table"}, {"default_cv", 0.4}};
  const Trained trained(lab, scenario);
  const std::size_t inputs = trained.space_of.space().features().size();
  Json policy = trained.policy();
  policy["knobs"] = {{"cost_us", 300}};
  // Down where frames are late, up with a clock where they are early: it moves all the time.
  policy["layers"][0]["bias"] = {0.2, 0.5, 0, 0, 0.7, 0};
  policy["layers"][0]["weights"][0][trained.feature("app.missed")] = 3;
  policy["layers"][0]["weights"][5][trained.feature("app.latency")] = 0.8;
  scenario["policy"] = policy;
  const Recording jobs{.jobs = true};
  const RunRecord inside = lab.run(scenario, jobs);

  LearningFile file;
  file.cost_us = 300;
  const Scenario loaded = lab.load(scenario);
  explore::Environment outside({loaded.setup}, file, 1);
  std::vector<float> seen(inputs), last(inputs);
  double reward = 0;
  std::uint8_t ended = 0;
  outside.reset(std::nullopt, seen.data());
  int switches = 0;
  std::int64_t before = -1;
  while (!ended) {
    std::vector<std::int64_t> choices;
    std::size_t o = 0;
    for (const auto& head : outside.space().heads()) {
      std::vector<double> sums;
      for (std::size_t c = 0; c < head.values.size(); ++c, ++o) {
        double sum = 0;
        for (std::size_t i = 0; i < inputs; ++i) sum += policy["layers"][0]["weights"][o][i].get<double>() * seen[i];
        sum += policy["layers"][0]["bias"][o].get<double>();
        sums.push_back(sum);
      }
      choices.push_back(std::max_element(sums.begin(), sums.end()) - sums.begin());
    }
    switches += before >= 0 && choices[0] != before;
    before = choices[0];
    outside.step(choices.data(), seen.data(), &reward, &ended, last.data());
  }
  CHECK(switches > 2);
  CHECK(outside.outcomes()[0].energy_j == inside.energy_j());
  CHECK(outside.outcomes()[0].lost == inside.apps[0].missed + inside.apps[0].overdue);
}

TEST_CASE("a network for something else is refused, and what differs is said") {
  const Lab lab;
  Json scenario = parse_json(kScenario);
  const Trained trained(lab, scenario);
  const auto refused = [&](const Json& policy, const std::string& message) {
    Json with = scenario;
    with["policy"] = policy;
    CHECK_THROWS_WITH(lab.run(with), Catch::Contains(message));
  };
  refused("learned", "/policy: policy \"learned\" needs \"layers\"");
  refused({{"name", "learned"}}, "\"layers\" is missing");
  Json policy = trained.policy();
  policy["layers"] = Json::array();
  refused(policy, "/layers: is empty");
  policy = trained.policy();
  policy["layers"][0]["bias"].push_back(0);
  refused(policy, "/policy/layers/0: has 6 rows of weights and 7 biases");
  policy = trained.policy();
  policy["layers"][0]["weights"][2].push_back(0);
  refused(policy, "/policy/layers/0: a row has " + std::to_string(policy["inputs"].size() + 1) + " weights");
  policy = trained.policy();
  policy["inputs"][0] = "radar.subnet";
  refused(policy, "/policy/inputs/0: was trained with input \"radar.subnet\", but the scenario has \"app.subnet\"");
  policy = trained.policy();
  policy["outputs"] = {"app.subnet"};
  refused(policy, "was trained without output \"gpu.clock\"");
  policy = trained.policy();
  policy.erase("inputs");
  policy["layers"][0]["weights"].erase(5);
  policy["layers"][0]["bias"].erase(5);
  refused(policy, "gives 5 outputs, but the scenario's knobs have 6 choices");
}

}  // namespace
}  // namespace dynasoc::test
