// Load that is nobody's inference: how it comes, takes its share, and goes. L2 takes 20 ms on the `gpu`.
#include <catch2/catch.hpp>

#include "support/exactly.hpp"
#include "support/hooked_policy.hpp"
#include "support/lab.hpp"

namespace dynasoc::test {
namespace {

// One L2 frame at `arrival_ms`, and the load.
RunRecord run(const Lab& lab, double arrival_ms, const char* load, const char* policy = R"("none")") {
  lab.write_trace("arrivals.csv", {arrival_ms});
  return lab.run(R"({"duration_s": 0.2, "applications": {"app": {"unit": "gpu", "subnet": "L2",
      "arrivals": {"kind": "trace", "file": "arrivals.csv"}}},
      "background": {"load": )" +
                 std::string(load) + R"(}, "policy": )" + policy + "}");
}

TEST_CASE("continuous load shares the unit by weight while it is there", "[background]") {
  CHECK(story_of(run(Lab(), 0, R"({"unit": "gpu"})")) == "0>0-40 met");
  CHECK(story_of(run(Lab(), 0, R"({"unit": "gpu", "weight": 0.25})")) == "0>0-25 met");
  // 10 ms alone, then 10 ms of sharing, then the rest alone.
  CHECK(story_of(run(Lab(), 0, R"({"unit": "gpu", "from_s": 0.010, "to_s": 0.020})")) == "0>0-25 met");
  CHECK(story_of(run(Lab(), 0, R"({"unit": "gpu", "weight": 3, "from_s": 0.010, "to_s": 0.020})")) == "0>0-27.5 met");
  CHECK(story_of(run(Lab(), 0, R"({"unit": "cpu"})")) == "0>0-20 met");
}

TEST_CASE("continuous load draws the unit's busy power times its factor, sharing it with jobs", "[background]") {
  const RunRecord record = run(Lab(), 0, R"({"unit": "gpu", "from_s": 0.010, "to_s": 0.050, "power_factor": 0.5})");
  CHECK(story_of(record) == "0>0-30 met");
  // Half of the unit from 10 to 30, all of it from 30 to 50.
  CHECK(record.units[0].background_energy_j == exactly(0.5 * 10 * (0.010 + 0.020)));
  CHECK(record.units[0].job_energy_j == exactly(10 * 0.020));
  CHECK(record.units[0].busy_s == exactly(0.050));
}

TEST_CASE("on-off load: busy phases and pauses, from its arrival on", "[background]") {
  const char* load = R"({"unit": "gpu", "from_s": 0.005, "demand": {"kind": "on-off", "on_ms": 10, "off_ms": 5}})";
  // Done by: 5 alone; 5 in 5-15; 5 in 15-20; 5 in 20-30.
  const RunRecord record = run(Lab(), 0, load);
  CHECK(story_of(record) == "0>0-30 met");
  // On in 13 of every 15 ms' … from 5 to 200: 13 whole rounds of 10 + 5 fill 195 ms.
  CHECK(record.units[0].busy_s ==
        exactly(0.020 + 0.130 - 0.010));  // the job ran 10 ms in the load's pauses or before it
}

TEST_CASE("on-off load that leaves in a busy phase is gone at once", "[background]") {
  const RunRecord record =
      run(Lab(), 100, R"({"unit": "gpu", "to_s": 0.104, "demand": {"kind": "on-off", "on_ms": 50, "off_ms": 50}})");
  // On 0-50 and 100-104: the job does 2 ms by then, and the rest alone.
  CHECK(story_of(record) == "100>100-122 met");
  CHECK(record.units[0].busy_s == exactly(0.050 + 0.022));
}

TEST_CASE("exponential phases have the stated means and differ between replications", "[background]") {
  const Lab lab;
  const Scenario loaded = lab.load(R"({"duration_s": 500,
      "applications": {"app": {"unit": "cpu", "subnet": "L1", "arrivals": {"kind": "offline", "samples": 1}}},
      "background": {"load": {"unit": "gpu", "demand": {"kind": "on-off", "on_ms": 30, "off_ms": 70, "exponential": true}}}})");
  const auto records = simulate_all(*loaded.setup, {}, EngineKind::native, 4, 1);
  for (const RunRecord& record : records)  // 5000 rounds: a standard deviation of 1.3 % or so of 0.3
    CHECK(record.units[0].busy_s / 500 == Approx(0.3).epsilon(0.06));
  CHECK(records[0].units[0].busy_s != records[1].units[0].busy_s);
}

TEST_CASE("periodic load: a burst of work every period", "[background]") {
  // The burst of 5 shares until 10; the job, 15 done at 20, shares with the next until 30.
  const RunRecord record =
      run(Lab(), 0, R"({"unit": "gpu", "demand": {"kind": "periodic", "period_ms": 20, "work_ms": 5}})");
  CHECK(story_of(record) == "0>0-30 met");
  CHECK(record.units[0].busy_s == exactly(0.020 + 10 * 0.005));
}

TEST_CASE("periodic bursts that overlap are worked off one after the other; what is owed goes with the load",
          "[background]") {
  const RunRecord record = run(
      Lab(), 150, R"({"unit": "gpu", "to_s": 0.1, "demand": {"kind": "periodic", "period_ms": 10, "work_ms": 15}})");
  CHECK(record.units[0].busy_s == exactly(0.100 + 0.020));
  const RunRecord slack = run(
      Lab(), 150,
      R"({"unit": "gpu", "from_s": 0.01, "to_s": 0.035, "demand": {"kind": "periodic", "period_ms": 20, "work_ms": 12}})");
  CHECK(slack.units[0].busy_s == exactly(0.012 + 0.005 + 0.020));  // bursts at 10 and 30, the latter cut off at 35
}

TEST_CASE("periodic load follows no clock: half the frequency does not double it", "[background]") {
  Lab lab;
  const RunRecord record = lab.run(R"({"duration_s": 0.1,
      "applications": {"app": {"unit": "cpu", "subnet": "L1", "arrivals": {"kind": "offline", "samples": 1}}},
      "background": {"load": {"unit": "gpu", "demand": {"kind": "periodic", "period_ms": 50, "work_ms": 5}}},
      "governors": {"gpu": "powersave"}})");
  CHECK(record.units[0].busy_s == exactly(0.010));
  CHECK(record.units[0].background_energy_j == exactly(0.010 * 2));  // but it draws what the clock draws
}

TEST_CASE("on a unit that serves one at a time a burst is a job like others", "[background]") {
  Lab lab;
  lab.board["units"]["gpu"]["discipline"] = "fifo";
  // The burst of 8 at 0 is running when the frame comes at 5; the frame runs 8-28 and the next burst, of 25, waits.
  CHECK(story_of(run(lab, 5, R"({"unit": "gpu", "demand": {"kind": "periodic", "period_ms": 25, "work_ms": 8}})")) ==
        "5>8-28 met");
  CHECK(story_of(run(lab, 26, R"({"unit": "gpu", "demand": {"kind": "periodic", "period_ms": 25, "work_ms": 8}})")) ==
        "26>33-53 met");
}

TEST_CASE("a load that never ends its turn is refused on a unit that serves one at a time", "[background]") {
  Lab lab;
  lab.board["units"]["gpu"]["discipline"] = "priority";
  CHECK_THROWS_AS(run(lab, 0, R"({"unit": "gpu"})"), InputError);
}

TEST_CASE("a load that waits when it leaves is forgotten", "[background]") {
  Lab lab;
  lab.board["units"]["gpu"]["discipline"] = "fifo";
  const RunRecord record = run(
      lab, 0,
      R"({"unit": "gpu", "from_s": 0.005, "to_s": 0.010, "demand": {"kind": "periodic", "period_ms": 100, "work_ms": 8}})");
  CHECK(story_of(record) == "0>0-20 met");
  CHECK(record.units[0].busy_s == exactly(0.020));
}

TEST_CASE("managers that ask for it are told when load comes and goes, and on which unit", "[background]") {
  std::string told;
  const HookPolicy hook([&](const manager::Observation& seen, manager::Decision&) {
    if (seen.trigger == manager::Trigger::load_change)
      told += std::to_string(seen.now / 1'000'000) + ":" + std::to_string(seen.subject) + " ";
  });
  run(Lab(), 0, R"({"unit": "cpu", "from_s": 0.010, "to_s": 0.050})", R"({"name": "test-hook", "load_change": true})");
  CHECK(told == "10:1 50:1 ");
}

}  // namespace
}  // namespace dynasoc::test
