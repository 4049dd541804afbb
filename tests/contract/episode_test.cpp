// A run whose manager is outside, and batches of them for learners.
#include "world/episode.hpp"

#include <thread>

#include <catch2/catch.hpp>

#include "explore/learning/environment.hpp"
#include "results/metrics.hpp"
#include "support/hooked_policy.hpp"
#include "support/lab.hpp"

namespace dynasoc::test {
namespace {

using manager::Knob;
using manager::LearningFile;
using manager::LearningSpace;
using manager::Trigger;

// Two applications that share the GPU, a switch that takes time, noise: enough for the order of things to matter.
constexpr const char* kBusy = R"({"duration_s": 4, "warmup_s": 0.5, "seed": 5, "applications": {
    "a": {"unit": "gpu", "subnet": "L2", "arrivals": {"kind": "poisson", "rate_hz": 12}, "targets": [{"latency_ms": 60}],
          "switch_ms": 15, "execution": {"kind": "table", "default_cv": 0.2}, "late": "replace"},
    "b": {"unit": "gpu", "subnet": "L1", "arrivals": {"kind": "periodic", "period_ms": 50}, "targets": [{"latency_ms": 40}],
          "execution": {"kind": "table", "default_cv": 0.2}}},
    "policy": {"name": "test-hook", "completion": true, "cost_us": 700}})";

// A rule without state of its own: what it writes depends on what it is shown alone.
void decide(const manager::Observation& seen, manager::Decision& out) {
  if (seen.trigger != Trigger::completion) return;
  const manager::AppView& app = seen.applications[static_cast<std::size_t>(seen.subject)];
  out.set(Knob::subnet, app.index, static_cast<int>(app.completed * 7 % 3), manager::because("made up"));
  out.set(Knob::frequency, seen.units[app.unit].domains[0], static_cast<int>(1 + app.completed / 3 % 2),
          manager::because("made up"));
}

TEST_CASE("decisions from outside give the record of a policy that makes them", "[episode]") {
  const Lab lab;
  const Scenario scenario = lab.load(kBusy);
  const Recording everything{.jobs = true, .decisions = true, .timeline_period = 100_ms};
  for (const std::uint64_t replication : {0, 3}) {
    const HookPolicy hook(decide);
    const std::string inside = pack(simulate(*scenario.setup, everything, EngineKind::native, replication));
    Episode episode(*scenario.setup, {.completion = true}, 700, everything);
    episode.begin(replication);
    int asked = 1;
    CHECK(episode.seen().trigger == Trigger::start);
    for (; episode.running(); asked += episode.resume()) decide(episode.seen(), episode.decision());
    CHECK(asked > 50);
    CHECK(pack(episode.record()) == inside);
    CHECK(to_s(episode.seen().now) <= 4);  // what was shown last can still be looked at
  }
}

TEST_CASE("an episode can be left, begun anew and used on another thread", "[episode]") {
  const Lab lab;
  const Scenario scenario = lab.load(kBusy);
  Episode episode(*scenario.setup, {.period_ms = 100});
  CHECK_FALSE(episode.running());
  CHECK_THROWS_AS(episode.resume(), InternalError);
  CHECK_THROWS_AS(episode.seen(), InternalError);
  CHECK_THROWS_AS(episode.decision(), InternalError);
  std::string first;
  for (int round = 0; round < 3; ++round) {
    episode.begin(1);
    for (int i = 0; i < 5; ++i) episode.resume();  // then it is left where it is
    CHECK(episode.seen().now == 500_ms);
    episode.begin(1);
    std::thread([&] {
      while (episode.resume()) {
      }
    }).join();
    if (round == 0) first = pack(episode.record());
    CHECK(pack(episode.record()) == first);
  }
}

TEST_CASE("what a run throws comes out of its episode, which can be begun anew", "[episode]") {
  const Lab lab;
  const Scenario scenario = lab.load(R"({"duration_s": 400, "applications": {
      "app": {"unit": "gpu", "subnet": "L3", "arrivals": {"kind": "poisson", "rate_hz": 100000}}}})");
  Episode episode(*scenario.setup, {.period_ms = 1000});
  for (int round = 0; round < 2; ++round) {
    episode.begin(0);
    CHECK_THROWS_WITH(([&] {
                        while (episode.resume()) {
                        }
                      }()),
                      Catch::Contains("so overloaded"));
    CHECK_FALSE(episode.running());
    CHECK_THROWS_AS(episode.seen(), InternalError);  // the world is gone
  }
}

TEST_CASE("rewards add up to what the run costs", "[episode]") {
  const Lab lab;
  // The last frame is done before the end: the energy of one under way counts in the reward and not in run.cost.
  const Scenario scenario = lab.load(R"({"duration_s": 3.06, "warmup_s": 0.5, "seed": 2, "applications": {
      "app": {"unit": "gpu", "subnet": "L2", "arrivals": {"kind": "periodic", "period_ms": 100, "jitter_ms": 5},
              "targets": [{"latency_ms": 30}], "execution": {"kind": "table", "default_cv": 0.3}}},
      "objective": {"miss": 2, "accuracy": 0.03, "energy": 0.5}})");
  explore::Environment boards({scenario.setup}, LearningFile{}, 3);
  const std::size_t heads = boards.space().heads().size(), features = boards.space().features().size();
  REQUIRE(heads == 2);
  std::vector<float> seen(3 * features), last(3 * features);
  std::vector<double> rewards(3), sums(3);
  std::vector<std::uint8_t> ended(3);
  boards.reset(9, seen.data());
  std::vector<std::vector<std::int64_t>> done(3);
  const Stream draws(1, "choices");
  std::uint64_t n = 0;
  for (int step = 0; step < 200; ++step) {
    std::vector<std::int64_t> choices(3 * heads);
    for (std::int64_t& choice : choices) choice = static_cast<std::int64_t>(3 * draws.uniform(n++));
    boards.step(choices.data(), seen.data(), rewards.data(), ended.data(), last.data());
    for (std::size_t b = 0; b < 3; ++b) {
      sums[b] += rewards[b];
      for (std::size_t f = 0; f < features; ++f) REQUIRE(std::abs(seen[b * features + f]) <= 4);
      if (!ended[b]) continue;
      const auto& outcome = boards.outcomes()[b];
      CHECK(sums[b] == Approx(-outcome.cost).epsilon(1e-12));
      CHECK(outcome.steps > 20);
      CHECK(outcome.frames == 26);
      sums[b] = 0;
    }
  }
  // The same by the metric, of a policy that leaves everything as it is.
  explore::Environment still({scenario.setup}, LearningFile{.cost_us = 0}, 1);
  still.reset(std::nullopt, seen.data());
  std::vector<std::int64_t> as_it_is{1, 2};
  do {
    still.step(as_it_is.data(), seen.data(), rewards.data(), ended.data(), last.data());
  } while (!ended[0]);
  const Metrics metrics = measure(*scenario.setup, simulate(*scenario.setup, {}, EngineKind::native, 0));
  CHECK(still.outcomes()[0].cost ==
        Approx(metrics.of_run("run.cost") * static_cast<double>(still.outcomes()[0].frames)).epsilon(1e-9));
}

TEST_CASE("a batch gives what its boards give alone, episode after episode", "[episode]") {
  const Lab lab;
  const Scenario scenario = lab.load(kBusy);
  constexpr std::size_t kBoards = 4;
  explore::Environment batch({scenario.setup}, LearningFile{}, kBoards);
  const std::size_t heads = batch.space().heads().size(), features = batch.space().features().size();
  std::vector<float> seen(kBoards * features), last(kBoards * features);
  std::vector<double> rewards(kBoards);
  std::vector<std::uint8_t> ended(kBoards);
  batch.reset(std::nullopt, seen.data());
  // Everything that board 2 shows in its second episode, which is replication 4 + 2.
  constexpr std::size_t kBoard = 2;
  const auto row = [&](const std::vector<float>& of) {
    return std::vector<float>(of.begin() + kBoard * features, of.begin() + (kBoard + 1) * features);
  };
  std::vector<std::vector<float>> shown;
  std::vector<double> costs;
  int episodes = 0;
  for (std::int64_t step = 0; episodes < 2; ++step) {
    if (episodes == 1) shown.push_back(row(seen));
    batch.step(std::vector<std::int64_t>(kBoards * heads, step % 3).data(), seen.data(), rewards.data(), ended.data(),
               last.data());
    if (episodes == 1) costs.push_back(-rewards[kBoard]);
    if (!ended[kBoard]) continue;
    if (++episodes == 1) step = -1;
    if (episodes == 2) shown.push_back(row(last));
  }
  const auto alone = [&](std::uint64_t replication) {
    Episode episode(*scenario.setup, triggers_of(LearningFile{}), LearningFile{}.cost_us);
    episode.begin(replication);
    const std::vector<manager::Why> why(heads);
    std::vector<std::vector<float>> out;
    double cost = 0;
    std::size_t same_costs = 0;
    for (std::int64_t step = 0;; ++step) {
      out.emplace_back(features);
      batch.space().observe(episode.seen(), out.back().data());
      if (!episode.running()) break;
      const std::vector<std::int64_t> choices(heads, step % 3);
      batch.space().write(episode.seen(), choices, why, episode.decision());
      episode.resume();
      same_costs += out.size() <= costs.size() && episode.cost() - cost == costs[out.size() - 1];
      cost = episode.cost();
    }
    return std::pair{out, same_costs};
  };
  const auto [expected, same_costs] = alone(kBoards + kBoard);
  CHECK(shown.size() > 30);
  CHECK(shown == expected);
  CHECK(same_costs == costs.size());
  CHECK(alone(kBoard).first != expected);  // replications differ
}

TEST_CASE("environments refuse what does not fit together", "[episode]") {
  const Lab lab;
  const auto one = lab.load(kBusy).setup;
  const auto other = lab.load(R"({"duration_s": 1, "applications": {
      "app": {"unit": "gpu", "arrivals": {"kind": "periodic", "period_ms": 100}}}})")
                         .setup;
  CHECK_THROWS_WITH(explore::Environment({one, other}, LearningFile{}, 2), Catch::Contains("different features"));
  CHECK_THROWS_WITH(explore::Environment({one}, LearningFile{}, 0), Catch::Contains("at least one board"));
  CHECK_THROWS_WITH(explore::Environment({one}, LearningFile{.subnets = false, .clocks = 0}, 1),
                    Catch::Contains("nothing to decide"));
  LearningFile slip;
  slip.clock_units = {Name{"gpo", {}}};
  CHECK_THROWS_WITH(explore::Environment({one}, slip, 1), Catch::Contains("did you mean \"gpu\""));
  explore::Environment boards({one}, LearningFile{}, 1);
  std::vector<float> seen(boards.space().features().size()), last(seen.size());
  double reward = 0;
  std::uint8_t ended = 0;
  std::vector<std::int64_t> choices(boards.space().heads().size());
  CHECK_THROWS_WITH(boards.step(choices.data(), seen.data(), &reward, &ended, last.data()), Catch::Contains("reset"));
  boards.reset(1, seen.data());
  choices[0] = 3;
  CHECK_THROWS_WITH(boards.step(choices.data(), seen.data(), &reward, &ended, last.data()),
                    Catch::Contains("board 0, a.subnet: there is no choice 3, but 0 to 2"));
}

}  // namespace
}  // namespace dynasoc::test
