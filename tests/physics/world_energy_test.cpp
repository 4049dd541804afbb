// Do whole runs agree with closed forms: energy, sharing, temperature?
#include <cmath>

#include <catch2/catch.hpp>

#include "support/exactly.hpp"
#include "support/hooked_policy.hpp"
#include "support/lab.hpp"

namespace dynasoc::test {
namespace {

TEST_CASE("one job at one operating point: its energy is power times time", "[energy]") {
  struct Point {
    const char* mhz;
    double latency_ms, idle_w, busy_w;
  };
  const Point points[] = {{"250", 80, 2, 4}, {"500", 40, 2, 7}, {"1000", 20, 2, 12}};
  for (const Point& point : points) {
    INFO("at " << point.mhz << " MHz");
    const Lab lab;
    const RunRecord record = lab.run(R"({
      "duration_s": 0.1,
      "applications": {"app": {"subnet": "L2", "unit": "gpu", "arrivals": {"kind": "offline", "samples": 1}}},
      "governors": {"gpu": {"name": "userspace", "mhz": )" +
                                     std::string(point.mhz) + R"(}}
    })");
    const auto jobs = jobs_of(record);
    REQUIRE(jobs.size() == 1);
    CHECK(to_ms(jobs[0].end - jobs[0].start) == exactly(point.latency_ms));
    const double above_mj = (point.busy_w - point.idle_w) * point.latency_ms;
    CHECK(jobs[0].energy_mj == exactly(above_mj));
    CHECK(record.apps[0].energy_mj == exactly(above_mj));
    CHECK(record.units[0].job_energy_j == exactly(above_mj * 1e-3));
    CHECK(record.units[0].idle_energy_j == exactly(point.idle_w * 0.1));
    CHECK(record.units[0].energy_j() ==
          exactly(point.idle_w * (0.1 - point.latency_ms * 1e-3) + point.busy_w * point.latency_ms * 1e-3));
    CHECK(record.units[0].busy_s == exactly(point.latency_ms * 1e-3));
    CHECK(record.units[1].energy_j() == exactly(1 * 0.1));
    CHECK(record.static_energy_j == exactly(3 * 0.1));
    CHECK(record.energy_j() == exactly((3 + 1 + point.idle_w) * 0.1 + above_mj * 1e-3));
    CHECK(record.conservation_error <= 1e-12);
  }
}

TEST_CASE("jobs that share a unit finish when processor sharing says, each paying for its own work", "[energy]") {
  // Weights 1, 1, 2; works 10, 20, 40 ms. Until a leaves at 40 ms the shares are 1/4, 1/4, 1/2; b and c are then left
  // with 10 and 20 ms, at 1/3 and 2/3: both are done at 70 ms.
  const Lab lab;
  const RunRecord record = lab.run(R"({
    "duration_s": 0.1,
    "applications": {
      "a": {"subnet": "L1", "unit": "gpu", "weight": 1, "arrivals": {"kind": "offline", "samples": 1}},
      "b": {"subnet": "L2", "unit": "gpu", "weight": 1, "arrivals": {"kind": "offline", "samples": 1}},
      "c": {"subnet": "L3", "unit": "gpu", "weight": 2, "arrivals": {"kind": "offline", "samples": 1}}
    }
  })");
  CHECK(story_of(record, 0) == "0>0-40 met");
  CHECK(story_of(record, 1) == "0>0-70 met");
  CHECK(story_of(record, 2) == "0>0-70 met");
  CHECK(record.apps[0].energy_mj == exactly(100));
  CHECK(record.apps[1].energy_mj == exactly(200));
  CHECK(record.apps[2].energy_mj == exactly(400));
  CHECK(record.units[0].busy_s == exactly(0.070));
  CHECK(record.units[0].energy_j() == exactly(2 * 0.1 + 10 * 0.070));
}

TEST_CASE("a job's own power counts, weighted by its share, where the table states it", "[energy]") {
  // a draws 8 - 2 = 6 W above idle, b 16 - 4 = 12 W; at weights 1 and 3 the unit draws 2 + (6 + 36) / 4 W until b is
  // done at 40 * 4/3 ms, and 2 + 6 W until a is.
  Lab lab;
  lab.clear_table();
  lab.cell({"L1", "gpu", 1000, 20, "", "8", "2"});
  lab.cell({"L2", "gpu", 1000, 30, "", "16", "4"});
  lab.cell({"L3", "gpu", 1000, 40});
  const RunRecord record = lab.run(R"({
    "duration_s": 0.1,
    "applications": {
      "a": {"subnet": "L1", "unit": "gpu", "weight": 1, "arrivals": {"kind": "offline", "samples": 1}},
      "b": {"subnet": "L2", "unit": "gpu", "weight": 3, "arrivals": {"kind": "offline", "samples": 1}}
    }
  })");
  CHECK(story_of(record, 1) == "0>0-40 met");
  CHECK(story_of(record, 0) == "0>0-50 met");
  CHECK(record.apps[0].energy_mj == exactly(6 * 20));
  CHECK(record.apps[1].energy_mj == exactly(12 * 30));
  CHECK(record.units[0].energy_j() == exactly(2 * 0.1 + 0.120 + 0.360));
}

TEST_CASE("cores taken offline take their share of the power above idle with them", "[energy]") {
  Lab lab;
  lab.board["modes"] = parse_json(R"({"one": {"id": 1, "cores_online": 1}})");
  lab.board["units"]["cpu"]["parallel_fraction"] = 0.5;
  const RunRecord record = lab.run(R"({
    "duration_s": 0.2, "mode": "one",
    "applications": {"app": {"subnet": "L1", "unit": "cpu", "arrivals": {"kind": "offline", "samples": 1}}}
  })");
  // Amdahl: (0.5 + 0.5/1) / (0.5 + 0.5/4) = 1.6 times as long, at a quarter of 4 W.
  CHECK(to_ms(jobs_of(record)[0].end) == Approx(48).epsilon(1e-9));
  CHECK(record.apps[0].energy_mj == Approx(48 * 1.0).epsilon(1e-7));
}

TEST_CASE("three accounts of a run's energy agree: parts, rails and meter readings", "[energy]") {
  Lab lab;
  lab.board["rails"] =
      parse_json(R"({"GPU": {"units": ["gpu"]}, "IN": {"units": ["gpu", "cpu"], "static_power": true}})");
  lab.board["sensors"] = parse_json(R"({"meter": {"rails": ["GPU", "IN"], "period_ms": 10, "averaging_ms": 10}})");
  lab.board["domains"]["gpu"]["stall_us"] = 300;
  lab.board["domains"]["gpu"]["settle_ms"] = 2.5;
  lab.board["contention"] = parse_json(R"([{"victim": "gpu", "aggressor": "cpu", "slowdown": 1.3,
                                            "provenance": "derived", "source": "made up"}])");
  lab.network["switch_cost"] =
      parse_json(R"({"time_ms": 2, "energy_mj": 5, "provenance": "derived", "source": "made up"})");
  Recording recording = Lab::everything();
  recording.timeline_period = 10_ms;
  int looks = 0;
  const HookPolicy hook([&](const manager::Observation& seen, manager::Decision& decision) {
    if (seen.trigger != manager::Trigger::period) return;
    constexpr int kOpps[] = {2, 0, 1, 2, 1, 0}, kSubnets[] = {0, 2, 1, 2};
    decision.set(manager::Knob::frequency, 0, kOpps[looks % 6], manager::because(""));
    decision.set(manager::Knob::subnet, 0, kSubnets[looks % 4], manager::because(""));
    ++looks;
  });
  // The last reading is at 2 s; the run ends one nanosecond later.
  const RunRecord record = lab.run(R"({
    "duration_s": 2.000000001, "seed": 11,
    "applications": {
      "a": {"unit": "gpu", "arrivals": {"kind": "poisson", "rate_hz": 20}, "targets": [{"latency_ms": 60}],
            "execution": {"kind": "table", "default_cv": 0.2}},
      "b": {"unit": "gpu", "weight": 0.4, "subnet": "L1", "arrivals": {"kind": "periodic", "period_ms": 70}},
      "c": {"unit": "cpu", "subnet": "L2", "arrivals": {"kind": "periodic", "period_ms": 100}}
    },
    "background": {"load": {"unit": "gpu", "weight": 0.5, "power_factor": 0.7, "from_s": 0.5, "to_s": 1.5,
                            "demand": {"kind": "on-off", "on_ms": 30, "off_ms": 20, "exponential": true}}},
    "policy": {"name": "test-hook", "period_ms": 37, "cost_us": 120}
  })",
                                   recording);
  CHECK(record.dvfs_transitions > 20);
  CHECK(record.apps[0].subnet_switches > 10);
  CHECK(record.conservation_error <= 1e-9);

  double gpu_j = 0, in_j = 0;
  const auto column = [&](const std::string& name) {
    for (std::size_t i = 0; i < record.timeline.columns.size(); ++i)
      if (record.timeline.columns[i] == name) return i;
    throw std::runtime_error("no column " + name);
  };
  REQUIRE(record.timeline.rows() == 200);
  for (std::size_t row = 0; row < record.timeline.rows(); ++row) {
    gpu_j += record.timeline.value(row, column("GPU_reading_w")) * 0.010;
    in_j += record.timeline.value(row, column("IN_reading_w")) * 0.010;
  }
  const double last_ns_j = 20 * 1e-9;  // at most
  CHECK(gpu_j == Approx(record.units[0].energy_j()).margin(last_ns_j).epsilon(1e-10));
  CHECK(in_j == Approx(record.energy_j()).margin(last_ns_j).epsilon(1e-10));
  CHECK(record.energy_j() == exactly(record.units[0].energy_j() + record.units[1].energy_j() + record.static_energy_j));

  // What jobs and switches drew is what the unit drew above idle, less the background load and the unfinished jobs.
  const double jobs_j = (record.apps[0].energy_mj + record.apps[1].energy_mj) * 1e-3;
  double unfinished = 0;
  for (std::size_t i = 0; i < record.jobs.size(); ++i)
    unfinished += record.jobs[i].outcome == Outcome::unfinished && record.jobs[i].start != kNoTime;
  CHECK(jobs_j <= record.units[0].job_energy_j * (1 + 1e-12));
  CHECK(jobs_j >= record.units[0].job_energy_j - unfinished * 0.400);
}

TEST_CASE("background power follows its factor, and only while it has the unit", "[energy]") {
  const Lab lab;
  const RunRecord record = lab.run(R"({
    "duration_s": 1,
    "applications": {"app": {"unit": "cpu", "subnet": "L1", "arrivals": {"kind": "offline", "samples": 1}}},
    "background": {"load": {"unit": "gpu", "from_s": 0.25, "to_s": 0.75, "power_factor": 0.4}}
  })");
  CHECK(record.units[0].background_energy_j == exactly(0.4 * 10 * 0.5));
  CHECK(record.units[0].job_energy_j == 0);
  CHECK(record.units[0].busy_s == exactly(0.5));
}

TEST_CASE("a whole run's temperature follows the RC network's step response", "[thermal]") {
  Lab lab;
  lab.board["thermal"] = parse_json(R"({
    "ambient_c": 20, "initial_c": 30, "poll_ms": 50, "static_node": "die",
    "nodes": {"die": {"capacity_j_per_k": 4, "to_ambient_w_per_k": 0.5}},
    "provenance": "derived", "source": "made up"
  })");
  lab.board["units"]["gpu"]["thermal_node"] = "die";  // the cpu's heat goes elsewhere
  Recording recording;
  recording.timeline_period = 125_ms;
  const RunRecord record = lab.run(R"({
    "duration_s": 30,
    "applications": {"app": {"unit": "cpu", "subnet": "L1", "arrivals": {"kind": "periodic", "period_ms": 500}}},
    "background": {"load": {"unit": "gpu", "from_s": 5, "to_s": 15}}
  })",
                                   recording);

  // Time constant 8 s; 3 W static and 2 W idle, 12 W while the load is there.
  const auto relax = [](double from_c, double watts, double dt_s) {
    const double to_c = 20 + watts / 0.5;
    return to_c + (from_c - to_c) * std::exp(-dt_s / 8);
  };
  const auto expected = [&](double t_s) {
    if (t_s <= 5) return relax(30, 5, t_s);
    const double at_5 = relax(30, 5, 5);
    if (t_s <= 15) return relax(at_5, 15, t_s - 5);
    return relax(relax(at_5, 15, 10), 5, t_s - 15);
  };
  std::size_t column = 0;
  while (record.timeline.columns.at(column) != "die_temperature_c") ++column;
  REQUIRE(record.timeline.rows() > 200);
  for (std::size_t row = 0; row < record.timeline.rows(); ++row) {
    const Time at = record.timeline.at(row);
    INFO("at " << to_s(at) << " s");
    REQUIRE(record.timeline.value(row, column) == Approx(expected(to_s(at))).epsilon(1e-11));
  }
  CHECK(record.peak_temperature_c == Approx(expected(15)).epsilon(1e-11));  // a poll falls on it
}

}  // namespace
}  // namespace dynasoc::test
