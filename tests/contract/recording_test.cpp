// What a run leaves behind: the same whether watched or not, complete, and the same after a journey as bytes.
#include <set>

#include <catch2/catch.hpp>

#include "support/hooked_policy.hpp"
#include "support/lab.hpp"

namespace dynasoc::test {
namespace {

// Something of everything.
struct FullLab : Lab {
  FullLab() {
    board["rails"] =
        parse_json(R"({"GPU": {"units": ["gpu"]}, "IN": {"units": ["gpu", "cpu"], "static_power": true}})");
    board["sensors"] =
        parse_json(R"({"meter": {"rails": ["GPU", "IN"], "period_ms": 33, "averaging_ms": 20, "resolution_mw": 7}})");
    board["domains"]["gpu"]["stall_us"] = 120;
    board["domains"]["gpu"]["settle_ms"] = 1.7;
    board["thermal"] = parse_json(R"({
      "ambient_c": 25, "initial_c": 25, "poll_ms": 100, "static_node": "die",
      "nodes": {"die": {"capacity_j_per_k": 0.2, "to_ambient_w_per_k": 0.2}},
      "trips": [{"node": "die", "temperature_c": 70, "hysteresis_k": 3, "domains": ["gpu", "cpu"]}],
      "provenance": "derived", "source": "made up"})");
    board["units"]["gpu"]["thermal_node"] = "die";
    board["units"]["cpu"]["thermal_node"] = "die";
    board["contention"] = parse_json(R"([{"victim": "gpu", "aggressor": "cpu", "slowdown": 1.2,
                                          "provenance": "derived", "source": "made up"}])");
    network["switch_cost"] =
        parse_json(R"({"time_ms": 1.5, "energy_mj": 3, "provenance": "derived", "source": "made up"})");
  }
  static Json scenario() {
    return parse_json(R"({
      "duration_s": 6, "warmup_s": 0.5, "seed": 5,
      "applications": {
        "camera": {"unit": "gpu", "arrivals": {"kind": "poisson", "rate_hz": 15}, "late": "drop-oldest",
                   "targets": [{"latency_ms": 80}, {"from_s": 2, "latency_ms": 40}, {"from_s": 4, "latency_ms": 200}],
                   "execution": {"kind": "table", "default_cv": 0.1}},
        "face": {"unit": "gpu", "subnet": "L1",
                 "arrivals": {"kind": "cascade", "after": "camera", "probability": 0.5}},
        "voice": {"unit": "cpu", "subnet": "L1", "arrivals": {"kind": "periodic", "period_ms": 90, "jitter_ms": 20}}
      },
      "background": {"load": {"unit": "gpu", "weight": 0.5, "from_s": 1, "to_s": 5,
                              "demand": {"kind": "on-off", "on_ms": 40, "off_ms": 60, "exponential": true}}},
      "policy": {"name": "dynamic-ofa", "dvfs": true, "period_ms": 40},
      "windows": {"first": {"from_s": 0, "to_s": 2}, "later": {"from_s": 2}}
    })");
  }
};

// The bytes of what does not depend on the recording.
std::string summary_of(RunRecord record) {
  record.jobs = JobLog();
  record.decision_log.clear();
  record.candidates.clear();
  record.timeline = {};
  return pack(record);
}

RunRecord run_full(const Recording& recording, std::uint64_t replication = 0) {
  return FullLab().run(FullLab::scenario(), recording, replication);
}

TEST_CASE("a run is the same whether it is watched or not", "[recording]") {
  const std::string unwatched = summary_of(run_full({}));
  const auto same = [&](const Recording& recording) { return summary_of(run_full(recording)) == unwatched; };
  CHECK(same({.jobs = true, .decisions = false, .timeline_period = 0}));
  CHECK(same({.jobs = false, .decisions = true, .timeline_period = 0}));
  CHECK(same({.jobs = false, .decisions = false, .timeline_period = 7_ms}));
  CHECK(same({.jobs = true, .decisions = true, .timeline_period = 1_ms}));
  CHECK((summary_of(run_full({}, 1)) != unwatched));
}

TEST_CASE("a record survives the journey as bytes", "[recording]") {
  const RunRecord record = run_full({.jobs = true, .decisions = true, .timeline_period = 20_ms});
  REQUIRE(record.jobs.size() > 50);
  REQUIRE(record.decision_log.size() > 5);
  const std::string bytes = pack(record);
  const RunRecord back = unpack(bytes);
  CHECK((pack(back) == bytes));
  CHECK(back.jobs.size() == record.jobs.size());
  CHECK(back.apps[0].latency.quantile_ms(0.9) == record.apps[0].latency.quantile_ms(0.9));
  CHECK(back.energy_j() == record.energy_j());
  CHECK(back.decision_log[0].reason == record.decision_log[0].reason);
  CHECK(back.timeline.rows() == record.timeline.rows());
  CHECK(back.timeline.columns == record.timeline.columns);
  CHECK_THROWS_AS(unpack(bytes.substr(0, bytes.size() / 2)), InternalError);
  CHECK_THROWS_AS(unpack(""), InternalError);
}

TEST_CASE("the summary is the sum of the job log", "[recording]") {
  const RunRecord record = run_full(Lab::everything());
  for (std::size_t a = 0; a < record.apps.size(); ++a) {
    const AppRecord& app = record.apps[a];
    INFO(app.name);
    std::uint64_t jobs = 0, completed = 0, missed = 0, dropped = 0;
    double latency_ms = 0, longest_ms = 0, energy_mj = 0, accuracy = 0;
    std::vector<std::uint64_t> by_window(2);
    std::set<std::uint32_t> numbers;
    for (const JobRecord& job : jobs_of(record, a)) {
      CHECK(numbers.insert(job.job).second);
      CHECK(job.subnet < 3);
      if (job.outcome == Outcome::met || job.outcome == Outcome::missed) {
        CHECK(job.arrival <= job.start);
        CHECK(job.start < job.end);
        CHECK((job.outcome == Outcome::missed) == (job.deadline != kNoTime && job.end > job.deadline));
      } else {
        CHECK(job.end == kNoTime);
        CHECK(job.energy_mj == 0);
      }
      if (job.arrival < 500_ms) continue;  // the warm-up
      ++jobs;
      dropped += job.outcome == Outcome::dropped;
      if (job.end == kNoTime) continue;
      ++completed;
      missed += job.outcome == Outcome::missed;
      latency_ms += to_ms(job.end - job.arrival);
      longest_ms = std::max(longest_ms, to_ms(job.end - job.arrival));
      energy_mj += job.energy_mj;
      accuracy += app.accuracy[job.subnet];
      ++by_window[job.end >= 2_s];
    }
    CHECK(numbers.size() == *numbers.rbegin() + 1);  // none is left out
    CHECK(app.jobs == jobs);
    CHECK(app.completed == completed);
    CHECK(app.missed == missed);
    CHECK(app.dropped == dropped);
    CHECK(app.latency_sum_ms == Approx(latency_ms).epsilon(1e-12));
    CHECK(app.latency_max_ms == Approx(longest_ms).epsilon(1e-12));
    CHECK(app.accuracy_sum == Approx(accuracy).epsilon(1e-12));
    // Of switches, too: 3 mJ each.
    CHECK(app.energy_mj == Approx(energy_mj + 3.0 * static_cast<double>(app.subnet_switches)).epsilon(1e-6));
    CHECK(app.latency.total() == completed);
    for (std::size_t w = 0; w < 2; ++w) {
      std::uint64_t in_window = 0;
      for (const SubnetRecord& subnet : app.windows[w]) in_window += subnet.completed;
      CHECK(in_window == by_window[w]);
    }
    CHECK(app.provenance[0] + app.provenance[1] + app.provenance[2] == completed);
  }
  CHECK(record.apps[0].subnet_switches > 0);
  CHECK(record.conservation_error <= 1e-9);
}

TEST_CASE("a timeline has a row for every period and a value for every column", "[recording]") {
  const RunRecord record = run_full({.jobs = false, .decisions = false, .timeline_period = 25_ms});
  REQUIRE(record.timeline.rows() == 239);  // 25 ms to 5975 ms
  const std::vector<std::string> expected{
      "power_w",       "gpu_utilisation",   "gpu_mhz",     "gpu_power_w",   "cpu_utilisation", "cpu_mhz",
      "cpu_power_w",   "die_temperature_c", "GPU_true_w",  "GPU_reading_w", "IN_true_w",       "IN_reading_w",
      "camera_subnet", "camera_waiting",    "face_subnet", "face_waiting",  "voice_subnet",    "voice_waiting"};
  CHECK(record.timeline.columns == expected);
  for (std::size_t i = 0; i < record.timeline.rows(); ++i) {
    const auto value = [&](std::size_t column) { return record.timeline.value(i, column); };
    REQUIRE(record.timeline.at(i) == 25_ms * static_cast<Time>(i + 1));
    REQUIRE(value(0) == Approx(3 + value(3) + value(6)).epsilon(1e-9));
    REQUIRE(value(10) == Approx(value(0)).epsilon(1e-9));
    REQUIRE(value(1) >= 0);
    REQUIRE(value(1) <= 1 + 1e-9);
  }
}

TEST_CASE("a decision's log names its trigger, what bound it, and its candidates with the chosen one", "[recording]") {
  const HookPolicy hook([](const manager::Observation& seen, manager::Decision& decision) {
    using manager::Knob;
    if (seen.now != 50_ms && seen.now != 100_ms) return;
    for (const int subnet : {0, 1, 2})
      decision.candidates.push_back({0, subnet, 0, 2, 10.0 + subnet, 70.0 + subnet, 1.0, subnet < 2});
    if (seen.now == 50_ms) return;  // nothing was written: no decision, and its candidates are forgotten
    decision.set(
        Knob::subnet, 0, 0,
        manager::Why{
            .reason = manager::because("fits"), .binding = manager::Constraint::latency, .slack = 4.5, .margin = 0.3});
    decision.set(Knob::cores, 1, 3, manager::because("enough"));
  });
  const RunRecord record = Lab().run(R"({"duration_s": 0.15,
      "applications": {"app": {"unit": "gpu", "subnet": "L2", "arrivals": {"kind": "periodic", "period_ms": 50}}},
      "policy": {"name": "test-hook", "period_ms": 50}})");
  REQUIRE(record.decision_log.size() == 2);
  CHECK(record.decision_log[0].trigger == "period");
  CHECK(record.decision_log[0].binding == "latency");
  CHECK(record.decision_log[0].slack == 4.5);
  CHECK(record.decision_log[0].margin == 0.3);
  CHECK(record.decision_log[1].binding.empty());
  CHECK(record.decision_log[0].decision == record.decision_log[1].decision);
  REQUIRE(record.candidates.size() == 3);
  for (int subnet = 0; subnet < 3; ++subnet) {
    CHECK(record.candidates[subnet].subnet == subnet);
    CHECK(record.candidates[subnet].feasible == (subnet < 2));
    CHECK(record.candidates[subnet].chosen == (subnet == 0));
  }
}

TEST_CASE("every knob write is in the log, with what it changed, why, and at what margin", "[recording]") {
  const HookPolicy hook([](const manager::Observation& seen, manager::Decision& decision) {
    using manager::Knob;
    if (seen.now != 100_ms) return;
    CHECK(seen.explain);
    decision.set(Knob::subnet, 0, 0, manager::because("{} of {} ms", 12.3456, 60), 0.25);
    decision.set(Knob::mapping, 0, 1, manager::because("elsewhere"));
    decision.set(Knob::frequency, 0, 1, manager::because(""));
    decision.set(Knob::lowest, 1, 1, manager::because(""));
    decision.set(Knob::highest, 1, 1, manager::because(""));
    decision.set(Knob::governor, 0, 0, manager::because(""));
    decision.set(Knob::cores, 1, 3, manager::because(""));
    decision.set(Knob::admission, 0, 0, manager::because(""));
    decision.set(Knob::subnet, 0, 77, manager::because(""));  // beyond the ladder
  });
  const Lab lab;
  const RunRecord record = lab.run(R"({"duration_s": 0.15,
      "applications": {"app": {"unit": "gpu", "subnet": "L2", "arrivals": {"kind": "periodic", "period_ms": 50}}},
      "policy": {"name": "test-hook", "period_ms": 50}})");
  std::set<std::string> lines;
  for (const DecisionRecord& one : record.decision_log) {
    CHECK(one.at == 100_ms);
    CHECK_FALSE(one.by_board);
    lines.insert(one.target + " " + one.knob + " " + one.from + ">" + one.to);
    if (one.knob == "subnet" && one.to == "L1") {
      CHECK(one.reason == "12.35 of 60.00 ms");
      CHECK(one.margin == 0.25);
    }
  }
  CHECK(record.decision_log.size() == 9);
  CHECK(record.decisions == 9);
  for (const char* line : {"app subnet L2>L1", "app mapping gpu>cpu", "gpu frequency 1000>500", "cpu lowest 500>1000",
                           "cpu highest 2000>1000", "gpu governor policy>performance", "cpu cores 4>3",
                           "app admission open>closed", "app subnet L1>L3"}) {
    INFO(line);
    CHECK(lines.contains(line));
  }
}

TEST_CASE("what is counted as measured: a lone job at a cell of the table, nothing else", "[recording]") {
  Lab lab;
  for (std::size_t at; (at = lab.table.find("derived")) != std::string::npos;) lab.table.replace(at, 7, "measured");
  const auto counts = [&](const char* more, const char* other) {
    const RunRecord record =
        lab.run(R"({"duration_s": 0.5, "applications": {"app": {"unit": "gpu", "subnet": "L1")" + std::string(more) +
                R"(, "arrivals": {"kind": "periodic", "period_ms": 100}})" + other + "}}");
    const auto& n = record.apps[0].provenance;
    return std::to_string(n[0]) + " " + std::to_string(n[1]) + " " + std::to_string(n[2]);
  };
  CHECK(counts("", "") == "5 0 0");
  CHECK(counts(R"(, "session": {"factor": 0.9, "source": "made up"})", "") == "0 0 5");
  CHECK(counts("", R"(, "other": {"unit": "gpu", "subnet": "L1",
                                  "arrivals": {"kind": "periodic", "period_ms": 200}})") == "2 0 3");
}

}  // namespace
}  // namespace dynasoc::test
