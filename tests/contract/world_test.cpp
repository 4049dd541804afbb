// How applications, managers and the board work together: targets, switches, cascades, compute cost, common random
// numbers, independence of threads, warm-up.
#include <algorithm>

#include <catch2/catch.hpp>

#include "scale.hpp"
#include "support/exactly.hpp"
#include "support/hooked_policy.hpp"
#include "support/lab.hpp"

namespace dynasoc::test {
namespace {

using manager::Knob;
using manager::Trigger;

// ---------------------------------------------------------------------------------------------------------------------
// Targets

TEST_CASE("targets change over time: deadlines, priorities and what a manager is told", "[world]") {
  std::string told;
  const HookPolicy hook([&](const manager::Observation& seen, manager::Decision&) {
    if (seen.trigger != Trigger::target_change) return;
    const manager::AppView& app = seen.applications[static_cast<std::size_t>(seen.subject)];
    char line[80];
    std::snprintf(line, sizeof line, "%g: %s %g %g %g %g %d; ", to_ms(seen.now), app.name.c_str(),
                  app.latency_target_ms, app.accuracy_floor, app.energy_budget_mj, app.power_budget_w, app.priority);
    told += line;
  });
  const RunRecord record = Lab().run(R"({"duration_s": 0.2, "applications": {
      "other": {"unit": "cpu", "subnet": "L1", "arrivals": {"kind": "offline", "samples": 1}},
      "app": {"unit": "gpu", "subnet": "L2", "arrivals": {"kind": "periodic", "period_ms": 40},
              "targets": [{"latency_ms": 30, "priority": 1},
                          {"from_s": 0.07, "latency_ms": 15, "accuracy_floor": 74, "energy_mj": 3, "power_w": 2.5, "priority": 4},
                          {"from_s": 0.15, "latency_ms": 0}]}},
      "policy": {"name": "test-hook", "target_change": true}})");
  CHECK(told == "70: app 15 74 3 2.5 4; 150: app 0 0 0 0 0; ");
  CHECK(story_of(record, 1) == "0>0-20 met, 40>40-60 met, 80>80-100 missed, 120>120-140 missed, 160>160-180 met");
  const auto jobs = jobs_of(record, 1);
  CHECK(jobs[0].deadline == 30_ms);
  CHECK(jobs[2].deadline == 95_ms);
  CHECK(jobs[4].deadline == kNoTime);
}

TEST_CASE("without a sub-network of its own an application starts with the most accurate that meets its target",
          "[world]") {
  const auto first = [](double target_ms, const char* unit) {
    const RunRecord record =
        Lab().run(R"({"duration_s": 0.5, "applications": {"app": {"unit": ")" + std::string(unit) +
                  R"(", "arrivals": {"kind": "offline", "samples": 1}, "targets": [{"latency_ms": )" +
                  std::to_string(target_ms) + "}]}}}");
    return jobs_of(record)[0].subnet + 1;
  };
  CHECK(first(0, "gpu") == 3);
  CHECK(first(40, "gpu") == 3);
  CHECK(first(39.9, "gpu") == 2);
  CHECK(first(20, "gpu") == 2);
  CHECK(first(19.9, "gpu") == 1);
  CHECK(first(1, "gpu") == 1);
  CHECK(first(60, "cpu") == 2);
}

TEST_CASE("an application serves between its start and its stop; what came before its stop is finished", "[world]") {
  const RunRecord record = Lab().run(R"({"duration_s": 0.3, "applications": {
      "app": {"unit": "gpu", "subnet": "L2", "start_s": 0.05, "stop_s": 0.1, "arrivals": {"kind": "periodic", "period_ms": 15}}}})");
  CHECK(story_of(record) == "50>50-70 met, 65>70-90 met, 80>90-110 met, 95>110-130 met");
  const RunRecord loop = Lab().run(R"({"duration_s": 0.3, "applications": {
      "app": {"unit": "gpu", "subnet": "L2", "start_s": 0.05, "stop_s": 0.1, "arrivals": {"kind": "closed-loop"}}}})");
  CHECK(story_of(loop) == "50>50-70 met, 70>70-90 met, 90>90-110 met");
}

// ---------------------------------------------------------------------------------------------------------------------
// Cascades

TEST_CASE("a cascade's frames come when the parent's are done", "[world]") {
  const RunRecord record = Lab().run(R"({"duration_s": 0.3, "applications": {
      "eyes": {"unit": "cpu", "subnet": "L1", "arrivals": {"kind": "cascade", "after": "face"}},
      "face": {"unit": "gpu", "subnet": "L1", "arrivals": {"kind": "cascade", "after": "camera"}},
      "camera": {"unit": "gpu", "subnet": "L2", "arrivals": {"kind": "periodic", "period_ms": 100}}}})");
  CHECK(story_of(record, 2) == "0>0-20 met, 100>100-120 met, 200>200-220 met");
  CHECK(story_of(record, 1) == "20>20-30 met, 120>120-130 met, 220>220-230 met");
  CHECK(story_of(record, 0) == "30>30-60 met, 130>130-160 met, 230>230-260 met");
}

TEST_CASE("a cascade follows its share of completions, the same ones under any manager, and only while it is active",
          "[world]") {
  const auto numbers = [](const char* policy) {
    const RunRecord record = Lab().run(R"({"duration_s": 20, "applications": {
        "camera": {"unit": "gpu", "subnet": "L1", "arrivals": {"kind": "periodic", "period_ms": 50}},
        "face": {"unit": "gpu", "start_s": 4.999, "stop_s": 15, "arrivals": {"kind": "cascade", "after": "camera", "probability": 0.3}}},
        "policy": )" + std::string(policy) +
                                       "}");
    std::vector<Time> parents;  // arrivals of the parents whose completion started a face
    const auto cameras = jobs_of(record, 0);
    for (const JobRecord& face : jobs_of(record, 1)) {
      CHECK(face.arrival >= 4999_ms);
      CHECK(face.arrival < 15_s);
      for (const JobRecord& camera : cameras)
        if (camera.end == face.arrival) parents.push_back(camera.arrival);
    }
    return parents;
  };
  const auto parents = numbers(R"({"name": "static", "level": 1})");
  CHECK(parents.size() > 40);  // of 200, 60 expected
  CHECK(parents.size() < 80);
  CHECK(numbers(R"({"name": "static", "level": 2})") == parents);
}

// ---------------------------------------------------------------------------------------------------------------------
// Switching sub-networks

struct SwitchLab : Lab {
  SwitchLab() {
    network["switch_cost"] =
        parse_json(R"({"time_ms": 7, "energy_mj": 11, "provenance": "derived", "source": "made up"})");
  }
};

PolicyHook at_completions(std::vector<std::pair<std::uint64_t, int>> switches) {
  return [switches](const manager::Observation& seen, manager::Decision& decision) {
    if (seen.trigger != Trigger::completion) return;
    for (const auto& [completed, subnet] : switches)
      if (seen.applications[0].completed == completed) decision.set(Knob::subnet, 0, subnet, manager::because(""));
  };
}

TEST_CASE("closed loop: no frame is served during a switch; the next comes when it is done", "[world]") {
  const HookPolicy hook(at_completions({{2, 0}}));
  const RunRecord record = SwitchLab().run(R"({"duration_s": 0.075, "applications": {
      "app": {"unit": "gpu", "subnet": "L2", "arrivals": {"kind": "closed-loop"}}},
      "policy": {"name": "test-hook", "completion": true}})");
  CHECK(story_of(record) == "0>0-20 met, 20>20-40 met, 47>47-57 met, 57>57-67 met, 67>67-? unfinished");
  CHECK(record.apps[0].subnet_switches == 1);
  CHECK(record.apps[0].energy_mj == exactly(200 + 200 + 11 + 100 + 100));
  CHECK(record.units[0].busy_s == exactly(0.068));  // it does not work during the switch
  CHECK(record.units[0].job_energy_j == exactly(10 * 0.068 + 0.011));
}

TEST_CASE("closed loop with thinking: the pause begins when the switch is done", "[world]") {
  const HookPolicy hook(at_completions({{1, 0}}));
  const RunRecord record = SwitchLab().run(R"({"duration_s": 0.05, "applications": {
      "app": {"unit": "gpu", "subnet": "L2", "arrivals": {"kind": "closed-loop", "think_ms": 5}}},
      "policy": {"name": "test-hook", "completion": true}})");
  CHECK(story_of(record) == "0>0-20 met, 32>32-42 met, 47>47-? unfinished");
}

TEST_CASE("a switch asked for in mid-frame waits for its end; one asked for when idle begins at once", "[world]") {
  const HookPolicy hook([](const manager::Observation& seen, manager::Decision& decision) {
    if (seen.now == 10_ms) decision.set(Knob::subnet, 0, 0, manager::because(""));
    if (seen.now == 60_ms) decision.set(Knob::subnet, 0, 2, manager::because(""));
  });
  const RunRecord record = SwitchLab().run(R"({"duration_s": 0.2, "applications": {
      "app": {"unit": "gpu", "subnet": "L2", "arrivals": {"kind": "periodic", "period_ms": 25}}},
      "policy": {"name": "test-hook", "period_ms": 10}})");
  // L2 0-20, switch 20-27; L1 27-37, 50-60, and at 60 a switch until 67; then L3.
  CHECK(story_of(record).starts_with("0>0-20 met, 25>27-37 met, 50>50-60 met, 75>75-115 met, 100>115-155 met"));
  CHECK(record.apps[0].subnet_switches == 2);
}

TEST_CASE("a mind changed during a switch costs another", "[world]") {
  const HookPolicy hook([](const manager::Observation& seen, manager::Decision& decision) {
    if (seen.now == 30_ms) decision.set(Knob::subnet, 0, 0, manager::because(""));
    if (seen.now == 35_ms) decision.set(Knob::subnet, 0, 1, manager::because(""));
    if (seen.now == 50_ms) decision.set(Knob::subnet, 0, 0, manager::because(""));
    if (seen.now == 55_ms) decision.set(Knob::subnet, 0, 0, manager::because(""));
  });
  const RunRecord record = SwitchLab().run(R"({"duration_s": 0.1, "applications": {
      "app": {"unit": "gpu", "subnet": "L2", "arrivals": {"kind": "periodic", "period_ms": 38}}},
      "policy": {"name": "test-hook", "period_ms": 5}})");
  // 30-37 to L1, 37-44 back to L2; the frame of 38 waits, runs 44-64; then 64-71 to L1; the frame of 76 runs as L1.
  CHECK(story_of(record) == "0>0-20 met, 38>44-64 met, 76>76-86 met");
  CHECK(record.apps[0].subnet_switches == 3);
}

TEST_CASE("a scenario's switch time stands for the network's", "[world]") {
  const HookPolicy hook(at_completions({{1, 0}}));
  const RunRecord record = SwitchLab().run(R"({"duration_s": 0.04, "applications": {
      "app": {"unit": "gpu", "subnet": "L2", "switch_ms": 0, "arrivals": {"kind": "closed-loop"}}},
      "policy": {"name": "test-hook", "completion": true}})");
  CHECK(story_of(record) == "0>0-20 met, 20>20-30 met, 30>30-? unfinished");
  CHECK(record.apps[0].energy_mj == exactly(200 + 11 + 100));
}

TEST_CASE("a mapping takes effect with the next frame", "[world]") {
  const HookPolicy hook([](const manager::Observation& seen, manager::Decision& decision) {
    if (seen.now == 10_ms) decision.set(Knob::mapping, 0, 1, manager::because(""));
  });
  const RunRecord record = Lab().run(R"({"duration_s": 0.2, "applications": {
      "app": {"unit": "gpu", "subnet": "L1", "arrivals": {"kind": "periodic", "period_ms": 40, "phase_ms": 5}}},
      "policy": {"name": "test-hook", "period_ms": 10}})");
  CHECK(story_of(record).starts_with("5>5-15 met, 45>45-75 met, 85>85-115 met"));
  CHECK(jobs_of(record)[0].unit == 0);
  CHECK(jobs_of(record)[1].unit == 1);
  CHECK(record.units[0].busy_s == exactly(0.010));
}

// ---------------------------------------------------------------------------------------------------------------------
// What a manager sees and what it costs

TEST_CASE("a manager sees what an application could log of itself", "[world]") {
  std::vector<manager::AppView> views;
  const HookPolicy hook([&](const manager::Observation& seen, manager::Decision&) {
    if (seen.now == 52_ms) views.push_back(seen.applications[0]);
  });
  Lab().run(R"({"duration_s": 0.1, "applications": {
      "app": {"unit": "gpu", "subnet": "L2", "arrivals": {"kind": "periodic", "period_ms": 12}, "targets": [{"latency_ms": 25}],
              "session": {"factor": 1.1, "source": "made up"}}},
      "policy": {"name": "test-hook", "period_ms": 4}})");
  REQUIRE(views.size() == 1);
  const manager::AppView& app = views[0];
  // Frames at 0, 12, 24, 36, 48; each takes 22 ms: done at 22 and 44, the third is running, two wait.
  CHECK(app.arrived == 5);
  CHECK(app.completed == 2);
  CHECK(app.missed == 1);
  CHECK(app.waiting == 2);
  CHECK(app.oldest_wait_ms == exactly(16));
  CHECK(app.active);
  const manager::Sample& last = app.sample(1);
  CHECK(last.at == 44_ms);
  CHECK(last.latency_ms == exactly(32));
  CHECK(last.service_ms == exactly(22));
  CHECK(last.profile_ms == exactly(20));  // the table knows nothing of the session
  CHECK(last.subnet == 1);
  CHECK(last.missed);
  CHECK_FALSE(app.sample(0).missed);
}

TEST_CASE("a manager sees units as busy as they have been since it last looked", "[world]") {
  std::string seen_busy;
  const HookPolicy hook([&](const manager::Observation& seen, manager::Decision&) {
    if (seen.trigger != Trigger::period) return;
    char line[40];
    std::snprintf(line, sizeof line, "%.4g ", seen.units[0].utilisation);
    seen_busy += line;
  });
  Lab().run(R"({"duration_s": 0.1, "applications": {
      "app": {"unit": "gpu", "subnet": "L2", "arrivals": {"kind": "periodic", "period_ms": 50}}},
      "policy": {"name": "test-hook", "period_ms": 16}})");
  CHECK(seen_busy == "1 0.25 0 0.875 0.375 0 ");  // busy 0-20 and 50-70
}

TEST_CASE("what the tables promise a manager: latency and energy at any clock, nothing where they are silent",
          "[world]") {
  const HookPolicy hook([](const manager::Observation& seen, manager::Decision&) {
    const manager::Profile& profile = *seen.profile;
    CHECK(profile.latency_ms(0, 1, 0, 2) == exactly(20));
    CHECK(profile.latency_ms(0, 1, 0, 0) == exactly(80));
    CHECK(profile.energy_mj(0, 1, 0, 2) == exactly(200));
    CHECK(profile.energy_mj(0, 1, 0, 0) == exactly(160));
    CHECK(profile.latency_ms(0, 0, 1, 2) == exactly(30));
    CHECK(std::isnan(profile.latency_ms(0, 1, 1, 2)));
    CHECK(std::isnan(profile.energy_mj(0, 1, 1, 2)));
    CHECK(profile.idle_w(0, 1) == 2);
  });
  Lab lab;
  for (const char* gone : {"L2,cpu", "L3,cpu"})
    for (std::size_t at; (at = lab.table.find(gone)) != std::string::npos;)
      lab.table.erase(at, lab.table.find('\n', at) - at + 1);
  lab.run(R"({"duration_s": 0.1, "applications": {
      "app": {"unit": "gpu", "subnet": "L2", "arrivals": {"kind": "offline", "samples": 1}}}, "policy": "test-hook"})");
}

TEST_CASE("deciding takes time: the writes come later, and the unit of the manager is busy meanwhile", "[world]") {
  const char* scenario = R"({"duration_s": 0.1, "applications": {
      "gpu": {"unit": "gpu", "subnet": "L3", "arrivals": {"kind": "offline", "samples": 1}},
      "cpu": {"unit": "cpu", "subnet": "L1", "start_s": 0.05, "arrivals": {"kind": "offline", "samples": 1}}},
      "policy": {"name": "test-hook", "period_ms": 10, "cost_us": 2000}, "manager_cost_us": null})";
  const PolicyHook halve_at_10 = [](const manager::Observation& seen, manager::Decision& decision) {
    if (seen.trigger == Trigger::period && seen.now == 10_ms) decision.set(Knob::frequency, 0, 1, manager::because(""));
  };
  const HookPolicy hook(halve_at_10);
  const RunRecord record = Lab().run(scenario);
  CHECK(story_of(record, 0) == "0>0-68 met");  // 12 ms at 1000 MHz, 28 ms' worth at 500
  REQUIRE(record.decision_log.size() == 1);
  CHECK(record.decision_log[0].at == 12_ms);
  // Nine decisions of 2 ms each. At 50, 60, 70 and 80 they share the cpu with the job of 30 ms, which they delay by
  // their 2 ms each: 50-88.
  CHECK(story_of(record, 1) == "50>50-88 met");
  CHECK(record.units[1].busy_s == exactly(0.030 + 9 * 0.002));
  CHECK(record.units[1].background_energy_j == exactly(9 * 0.002 * 4));

  // The scenario's figure stands for the policy's own; 0 = at once.
  Json free = parse_json(scenario);
  free["manager_cost_us"] = 0;
  const RunRecord at_once = Lab().run(free);
  CHECK(story_of(at_once, 0) == "0>0-70 met");
  CHECK(at_once.decision_log[0].at == 10_ms);
  CHECK(at_once.units[1].busy_s == exactly(0.030));
}

TEST_CASE("while a manager decides it is not asked again", "[world]") {
  std::string asked;
  const HookPolicy hook([&](const manager::Observation& seen, manager::Decision&) {
    asked += std::to_string(seen.now / 1'000'000) + " ";
  });
  Lab().run(R"({"duration_s": 0.06, "applications": {
      "app": {"unit": "gpu", "subnet": "L1", "arrivals": {"kind": "periodic", "period_ms": 7}}},
      "policy": {"name": "test-hook", "period_ms": 10, "arrival": true, "cost_us": 8000}})");
  // The start costs nothing. Arrivals at 0, 7, 14, …; looks at 10, 20, …
  CHECK(asked == "0 0 10 20 28 40 49 ");
}

TEST_CASE("on a unit that serves one at a time a decision waits its turn, too", "[world]") {
  Lab lab;
  lab.board["units"]["cpu"]["discipline"] = "fifo";
  const HookPolicy hook([](const manager::Observation& seen, manager::Decision& decision) {
    if (seen.trigger == Trigger::period && seen.now == 10_ms) decision.set(Knob::frequency, 0, 1, manager::because(""));
  });
  const RunRecord record = lab.run(R"({"duration_s": 0.1, "applications": {
      "gpu": {"unit": "gpu", "subnet": "L3", "arrivals": {"kind": "offline", "samples": 1}},
      "cpu": {"unit": "cpu", "subnet": "L1", "arrivals": {"kind": "offline", "samples": 1}}},
      "policy": {"name": "test-hook", "period_ms": 10, "cost_us": 2000}})");
  REQUIRE(record.decision_log.size() == 1);
  CHECK(record.decision_log[0].at == 32_ms);  // behind the job of 30 ms
  CHECK(story_of(record, 0) == "0>0-48 met");
}

TEST_CASE("every trigger comes with what it is about", "[world]") {
  std::string told;
  const HookPolicy hook([&](const manager::Observation& seen, manager::Decision&) {
    const char* names[] = {"start", "period", "arrival", "completion", "target", "load", "trip"};
    told += std::to_string(seen.now / 1'000'000) + names[static_cast<int>(seen.trigger)] +
            std::to_string(seen.subject) + " ";
  });
  Lab().run(R"({"duration_s": 0.045, "applications": {
      "a": {"unit": "gpu", "subnet": "L2", "arrivals": {"kind": "offline", "samples": 1}},
      "b": {"unit": "gpu", "subnet": "L1", "start_s": 0.005, "arrivals": {"kind": "offline", "samples": 1},
            "targets": [{"latency_ms": 5}, {"from_s": 0.03, "latency_ms": 6}]}},
      "background": {"load": {"unit": "cpu", "from_s": 0.002, "to_s": 0.003}},
      "policy": {"name": "test-hook", "period_ms": 40, "arrival": true, "completion": true, "target_change": true, "load_change": true}})");
  CHECK(told == "0start-1 0arrival0 2load1 3load1 5arrival1 25completion1 30completion0 30target1 40period-1 ");
}

// ---------------------------------------------------------------------------------------------------------------------
// Execution times

TEST_CASE("execution times: constant, log-normal about the table's mean, or replayed in order", "[world]") {
  Lab lab;
  lab.clear_table();
  lab.cell({"L1", "gpu", 1000, 10, "2"});
  lab.cell({"L2", "gpu", 1000, 20});
  lab.cell({"L3", "gpu", 1000, 40});
  lab.write_ratios("ratios.csv", {1, 0.5, 2});
  const auto services = [&](const char* subnet, const char* execution) {
    const RunRecord record =
        lab.run(R"({"duration_s": 2000, "applications": {"app": {"unit": "gpu", "subnet": ")" + std::string(subnet) +
                R"(", "arrivals": {"kind": "closed-loop", "think_ms": 100}, "execution": )" + execution + "}}}");
    std::vector<double> out;
    for (const JobRecord& job : jobs_of(record))
      if (job.end != kNoTime) out.push_back(to_ms(job.end - job.start));
    return out;
  };
  for (const double ms : services("L1", R"({"kind": "constant"})")) REQUIRE(ms == exactly(10));
  const auto replayed = services("L1", R"({"kind": "replay", "file": "ratios.csv"})");
  for (std::size_t i = 0; i < replayed.size(); ++i)
    REQUIRE(replayed[i] == exactly(i % 3 == 0 ? 10 : i % 3 == 1 ? 5 : 20));

  const auto check_log_normal = [](const std::vector<double>& ms, double mean_ms, double cv) {
    const auto n = static_cast<double>(ms.size());
    double mean = 0, variance = 0, log_mean = 0, log_variance = 0, log_third = 0;
    for (const double x : ms) mean += x / n, log_mean += std::log(x) / n;
    for (const double x : ms)
      variance += (x - mean) * (x - mean) / n, log_variance += std::pow(std::log(x) - log_mean, 2) / n;
    for (const double x : ms) log_third += std::pow((std::log(x) - log_mean) / std::sqrt(log_variance), 3) / n;
    CHECK(mean == Approx(mean_ms).epsilon(4.5 * cv / std::sqrt(n)));
    CHECK(std::sqrt(variance) / mean == Approx(cv).epsilon(0.05));
    CHECK(log_variance == Approx(std::log1p(cv * cv)).epsilon(4.5 * std::sqrt(2 / n)));
    CHECK(std::abs(log_third) < 4.5 * std::sqrt(6 / n));
  };
  check_log_normal(services("L1", R"({"kind": "table"})"), 10, 0.2);
  check_log_normal(services("L2", R"({"kind": "table", "default_cv": 0.3})"), 20, 0.3);
  check_log_normal(services("L1", R"({"kind": "table", "default_cv": 0.3})"), 10, 0.2);  // the cell's own goes before
  for (const double ms : services("L2", R"({"kind": "table"})")) REQUIRE(ms == exactly(20));
}

TEST_CASE("a query of several samples runs them back to back", "[world]") {
  const RunRecord record = Lab().run(R"({"duration_s": 0.1, "applications": {"app": {"unit": "gpu", "subnet": "L1",
      "arrivals": {"kind": "multi-stream", "samples": 3}}}})");
  CHECK(story_of(record) == "0>0-30 met, 30>30-60 met, 60>60-90 met, 90>90-? unfinished");
}

TEST_CASE("a session factor stretches every execution", "[world]") {
  const RunRecord record = Lab().run(R"({"duration_s": 0.1, "applications": {"app": {"unit": "gpu", "subnet": "L2",
      "arrivals": {"kind": "offline", "samples": 2}, "session": {"factor": 0.75, "source": "made up"}}}})");
  CHECK(story_of(record) == "0>0-15 met, 0>15-30 met");
  CHECK(record.apps[0].energy_mj == exactly(300));
}

// ---------------------------------------------------------------------------------------------------------------------
// Common random numbers, reproducibility

const char* const kNoisy = R"({
    "duration_s": 20, "seed": 3,
    "applications": {
      "a": {"unit": "gpu", "subnet": "L1", "arrivals": {"kind": "poisson", "rate_hz": 30}, "late": "drop-oldest",
            "execution": {"kind": "table", "default_cv": 0.4}}
    }})";

TEST_CASE("two managers see the same arrivals and the same noise, frame by frame", "[world]") {
  const auto jobs_at = [](int level) {
    Json scenario = parse_json(kNoisy);
    scenario["policy"] = {{"name", "static"}, {"level", level}};
    return jobs_of(Lab().run(scenario));
  };
  const auto small = jobs_at(1), large = jobs_at(3);
  CHECK(std::count_if(large.begin(), large.end(),
                      [](const JobRecord& job) { return job.outcome == Outcome::dropped; }) > 50);
  int both = 0;
  for (std::size_t i = 0; i < std::min(small.size(), large.size()); ++i) {
    REQUIRE(small[i].arrival == large[i].arrival);
    if (small[i].end == kNoTime || large[i].end == kNoTime) continue;
    ++both;
    // 10 ms against 40 ms, times the same factor; both ends are whole nanoseconds.
    REQUIRE(std::abs(4 * (small[i].end - small[i].start) - (large[i].end - large[i].start)) <= 5);
  }
  CHECK(both > 100);
}

TEST_CASE("another application changes nobody's arrivals or noise", "[world]") {
  const auto alone = jobs_of(Lab().run(kNoisy));
  Json more = parse_json(kNoisy);
  Json applications = Json::object();
  for (const char* name : {"0", "zz"})  // before it and behind it
    applications[name] = parse_json(R"({"unit": "cpu", "subnet": "L1", "arrivals": {"kind": "poisson", "rate_hz": 10},
                                        "execution": {"kind": "table", "default_cv": 0.4}})");
  Json ordered = Json::object();
  ordered["0"] = applications["0"];
  ordered["a"] = more["applications"]["a"];
  ordered["zz"] = applications["zz"];
  more["applications"] = ordered;
  more["background"] = parse_json(
      R"({"load": {"unit": "cpu", "demand": {"kind": "on-off", "on_ms": 9, "off_ms": 8, "exponential": true}}})");
  const auto among = jobs_of(Lab().run(more), 1);
  REQUIRE(among.size() == alone.size());
  for (std::size_t i = 0; i < alone.size(); ++i) {
    REQUIRE(among[i].arrival == alone[i].arrival);
    REQUIRE(among[i].start == alone[i].start);
    REQUIRE(among[i].end == alone[i].end);
  }
}

TEST_CASE("seeds and replications are different samples of the same thing", "[world]") {
  const auto arrivals = [](std::uint64_t seed, std::uint64_t replication) {
    Json scenario = parse_json(kNoisy);
    scenario["seed"] = seed;
    const RunRecord record = Lab().run(scenario, Lab::everything(), replication);
    CHECK(record.seed == seed);
    CHECK(record.replication == replication);
    std::vector<Time> out;
    for (const JobRecord& job : jobs_of(record)) out.push_back(job.arrival);
    return out;
  };
  const auto base = arrivals(1, 0);
  CHECK(arrivals(1, 0) == base);
  CHECK(arrivals(2, 0) != base);
  CHECK(arrivals(1, 1) != base);
  CHECK(arrivals(2, 0) != arrivals(1, 1));
}

// ---------------------------------------------------------------------------------------------------------------------
// Threads, progress, warm-up

const char* const kBusyScenario = R"({
    "duration_s": 8, "seed": 9,
    "applications": {
      "a": {"unit": "gpu", "arrivals": {"kind": "gamma", "rate_hz": 20, "cv": 2}, "late": "drop-hopeless",
            "targets": [{"latency_ms": 60}], "execution": {"kind": "table", "default_cv": 0.2}},
      "b": {"unit": "gpu", "subnet": "L1", "arrivals": {"kind": "cascade", "after": "a", "probability": 0.4}},
      "c": {"unit": "cpu", "subnet": "L1", "arrivals": {"kind": "mmpp", "low_rate_hz": 2, "high_rate_hz": 30, "mean_low_s": 1, "mean_high_s": 0.3}}
    },
    "background": {"load": {"unit": "gpu", "weight": 0.7, "from_s": 2, "to_s": 6, "demand": {"kind": "on-off", "on_ms": 30, "off_ms": 50, "exponential": true}}},
    "policy": {"name": "dynamic-ofa", "dvfs": true, "mapping": true, "period_ms": 30}})";

std::vector<std::string> packed(const Setup& setup, int count, int jobs,
                                const std::function<void(double)>& progress = {}) {
  std::vector<std::string> out;
  for (const RunRecord& record : simulate_all(setup, {.jobs = true, .decisions = true, .timeline_period = 50_ms},
                                              EngineKind::native, count, jobs, progress))
    out.push_back(pack(record));
  return out;
}

TEST_CASE("the same bytes on any number of threads, and each time", "[world]") {
  const Lab lab;
  const Scenario loaded = lab.load(kBusyScenario);
  const int count = std::max(4, scaled(8));
  const auto one = packed(*loaded.setup, count, 1);
  CHECK(one[0] != one[1]);
  for (const int jobs : {1, 2, 5}) CHECK((packed(*loaded.setup, count, jobs) == one));
  // A replication does not depend on how many others there are.
  CHECK((pack(simulate(*loaded.setup, {.jobs = true, .decisions = true, .timeline_period = 50_ms}, EngineKind::native,
                       2)) == one[2]));
}

TEST_CASE("being told of progress changes nothing; it only grows; and it may end everything", "[world]") {
  const Lab lab;
  Json scenario = parse_json(kBusyScenario);
  scenario["duration_s"] = 2000;  // some hundred thousand events
  scenario["applications"]["a"]["arrivals"]["rate_hz"] = 40;
  const Scenario loaded = lab.load(scenario);
  const auto silent = packed(*loaded.setup, 2, 1);
  std::vector<double> shares;
  CHECK((packed(*loaded.setup, 2, 1, [&](double share) { shares.push_back(share); }) == silent));
  CHECK(shares.size() > 4);
  CHECK(std::is_sorted(shares.begin(), shares.end()));
  CHECK(shares.back() <= 1);
  struct Stop {};
  for (const int jobs : {1, 2})
    CHECK_THROWS_AS(packed(*loaded.setup, 4, jobs,
                           [](double share) {
                             if (share > 0.1) throw Stop();
                           }),
                    Stop);
}

TEST_CASE("what happens in the warm-up is not counted", "[world]") {
  const Lab lab;
  Json scenario = parse_json(R"({"duration_s": 1, "applications": {
      "app": {"unit": "gpu", "subnet": "L2", "arrivals": {"kind": "periodic", "period_ms": 30}, "targets": [{"latency_ms": 100}]}}})");
  const RunRecord whole = lab.run(scenario);
  scenario["duration_s"] = 0.205;
  const RunRecord head = lab.run(scenario);
  scenario["duration_s"] = 1;
  scenario["warmup_s"] = 0.205;
  const RunRecord tail = lab.run(scenario);
  // Frames at 0, 30, …, 990: seven of them before 205, the last of which is still running then.
  CHECK(tail.apps[0].jobs == 27);
  CHECK(tail.apps[0].completed == 26);  // the one of 990 is done at 1010
  CHECK(tail.apps[0].energy_mj == exactly(26 * 200));
  CHECK(tail.measured_s == exactly(0.795));
  CHECK(tail.duration_s == exactly(1));
  CHECK(tail.units[0].busy_s == exactly(whole.units[0].busy_s - head.units[0].busy_s));
  CHECK(tail.units[0].energy_j() == exactly(whole.units[0].energy_j() - head.units[0].energy_j()));
  CHECK(tail.energy_j() == exactly(whole.energy_j() - head.energy_j()));
  CHECK(tail.units[0].mhz_s == exactly(795));
}

TEST_CASE("energy is conserved in scenarios of every kind", "[world]") {
  // The check is inside the run, which throws; here it is asked for over disciplines, loads and managers.
  for (const char* discipline : {"fair", "fifo", "priority", "edf"}) {
    for (const char* policy : {"none", "static", "dynamic-ofa", "dynamic-ofa-demo"}) {
      INFO(discipline << ", " << policy);
      Lab lab;
      lab.board["units"]["gpu"]["discipline"] = discipline;
      lab.board["units"]["gpu"]["preemptive"] =
          std::string(discipline) == "priority" || std::string(discipline) == "edf";
      lab.network["switch_cost"] =
          parse_json(R"({"time_ms": 3, "energy_mj": 4, "provenance": "derived", "source": "made up"})");
      Json scenario = parse_json(kBusyScenario);
      scenario["policy"] = policy;
      scenario["background"]["load"]["demand"] = parse_json(R"({"kind": "periodic", "period_ms": 70, "work_ms": 9})");
      const RunRecord record = lab.run(scenario);
      CHECK(record.conservation_error <= 1e-9);
      CHECK(record.apps[0].completed > 20);
    }
  }
}

}  // namespace
}  // namespace dynasoc::test
