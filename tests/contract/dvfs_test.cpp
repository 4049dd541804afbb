// Clocks, power modes and cores that change while jobs run, worked by hand. L3 takes 40 ms on the `gpu` at 1000 MHz, 80
// at 500, 160 at 250; the gpu draws 10, 5 and 2 W above idle.
#include <catch2/catch.hpp>

#include "support/exactly.hpp"
#include "support/hooked_policy.hpp"
#include "support/lab.hpp"

namespace dynasoc::test {
namespace {

using manager::Knob;

struct Write {
  double at_ms;
  Knob knob;
  int target;
  int value;
};

// What a manager looking every quarter of a millisecond does.
PolicyHook script(std::vector<Write> writes) {
  return [writes](const manager::Observation& seen, manager::Decision& decision) {
    for (const Write& write : writes)
      if (seen.trigger == manager::Trigger::period && from_ms(write.at_ms) == seen.now)
        decision.set(write.knob, write.target, write.value, manager::because(""));
  };
}

constexpr int kGpu = 0, kCpu = 1;

RunRecord run(const Lab& lab, const std::vector<Write>& writes, const Json& more = Json::object()) {
  const HookPolicy hook(script(writes));
  Json scenario = parse_json(R"({"duration_s": 0.4,
      "applications": {"app": {"unit": "gpu", "subnet": "L3", "arrivals": {"kind": "offline", "samples": 1}}},
      "policy": {"name": "test-hook", "period_ms": 0.25}})");
  scenario.update(more);
  RunRecord record = lab.run(scenario);
  CHECK(record.conservation_error <= 1e-9);
  return record;
}

struct SlowClock : Lab {
  SlowClock() {
    board["domains"]["gpu"]["stall_us"] = 1000;
    board["domains"]["gpu"]["settle_ms"] = 4;
  }
};

TEST_CASE("a change of clock in mid-job keeps the work done", "[dvfs]") {
  const RunRecord record = run(Lab(), {{10, Knob::frequency, kGpu, 1}});
  CHECK(story_of(record) == "0>0-70 met");  // 30 ms' worth at half speed
  CHECK(record.apps[0].energy_mj == exactly(10 * 10 + 60 * 5));
  CHECK(record.units[0].mhz_s == exactly(0.010 * 1000 + 0.390 * 500));
  CHECK(record.dvfs_transitions == 1);
}

TEST_CASE("the unit stalls when a change is asked for, and the new clock comes when it has settled", "[dvfs]") {
  // Stalled 10-11, at 1000 MHz until 14 (13 ms done), then 27 ms' worth at half speed.
  const RunRecord record = run(SlowClock(), {{10, Knob::frequency, kGpu, 1}});
  CHECK(story_of(record) == "0>0-68 met");
  CHECK(record.apps[0].energy_mj == exactly(14 * 10 + 54 * 5));  // a stalled unit is not idle
  CHECK(record.units[0].busy_s == exactly(0.068));
}

TEST_CASE("a second request while settling starts over, and stalls again", "[dvfs]") {
  // Stalled 10-11 and 12-13, at 1000 MHz until 16 (14 ms done), then 26 ms' worth at a quarter.
  const RunRecord record = run(SlowClock(), {{10, Knob::frequency, kGpu, 1}, {12, Knob::frequency, kGpu, 0}});
  CHECK(story_of(record) == "0>0-120 met");
  CHECK(record.dvfs_transitions == 2);
}

TEST_CASE("stalls that overlap end with the last", "[dvfs]") {
  // Stalled 10-11.5; at 1000 MHz until 14.5 (13 ms done).
  const RunRecord record = run(SlowClock(), {{10, Knob::frequency, kGpu, 1}, {10.5, Knob::frequency, kGpu, 0}});
  CHECK(to_ms(jobs_of(record)[0].end) == exactly(14.5 + 27 * 4));
}

TEST_CASE("asking for what is being settled to changes nothing; going back is a change", "[dvfs]") {
  CHECK(story_of(run(SlowClock(), {{10, Knob::frequency, kGpu, 1}, {12, Knob::frequency, kGpu, 1}})) == "0>0-68 met");
  const RunRecord back = run(SlowClock(), {{10, Knob::frequency, kGpu, 1}, {12, Knob::frequency, kGpu, 2}});
  CHECK(story_of(back) == "0>0-42 met");  // two stalls, never another clock
  const RunRecord same = run(SlowClock(), {{10, Knob::frequency, kGpu, 2}});
  CHECK(story_of(same) == "0>0-40 met");
  CHECK(same.dvfs_transitions == 0);
}

TEST_CASE("what a manager sees while a clock settles: the one in effect and the one asked for", "[dvfs]") {
  std::string seen_clocks;
  const auto writes = script({{10, Knob::frequency, kGpu, 0}});
  const HookPolicy hook([&](const manager::Observation& seen, manager::Decision& decision) {
    writes(seen, decision);
    if (seen.now == 9750_us || seen.now == 10250_us || seen.now == 14_ms)
      seen_clocks += std::to_string(seen.domains[kGpu].opp) + std::to_string(seen.domains[kGpu].requested) +
                     (seen.domains[kGpu].governed ? "g " : "p ");
  });
  SlowClock().run(R"({"duration_s": 0.1,
      "applications": {"app": {"unit": "gpu", "subnet": "L3", "arrivals": {"kind": "offline", "samples": 1}}},
      "policy": {"name": "test-hook", "period_ms": 0.25}})");
  CHECK(seen_clocks == "22g 20p 00p ");
}

TEST_CASE("a frequency write takes the domain from its governor, and `governor` gives it back", "[dvfs]") {
  // performance again from 20 on: 20 ms' worth is left after 10 + 10/2.
  const RunRecord record = run(Lab(), {{10, Knob::frequency, kGpu, 1}, {20, Knob::governor, kGpu, 0}});
  CHECK(story_of(record) == "0>0-45 met");
}

TEST_CASE("limits of a policy bind governors and requests", "[dvfs]") {
  CHECK(story_of(run(Lab(), {{10, Knob::highest, kGpu, 1}})) == "0>0-70 met");
  CHECK(story_of(run(Lab(), {{10, Knob::highest, kGpu, 1}, {20, Knob::highest, kGpu, 2}})) == "0>0-45 met");
  CHECK(story_of(run(Lab(), {{10, Knob::lowest, kGpu, 1}}, parse_json(R"({"governors": {"gpu": "powersave"}})"))) ==
        "0>0-85 met");  // 10 at a quarter, 37.5 ms' worth at half
  CHECK(story_of(run(Lab(), {{5, Knob::lowest, kGpu, 1}, {10, Knob::frequency, kGpu, 0}})) == "0>0-70 met");
}

TEST_CASE("a power mode caps clocks from its time on, and gives back what was asked for when it goes", "[dvfs]") {
  Lab lab;
  lab.board["modes"] = parse_json(R"({"full": {}, "half": {"max_mhz": {"gpu": 500}}})");
  lab.board["default_mode"] = "full";
  const Json change =
      parse_json(R"({"mode_changes": [{"at_s": 0.010, "mode": "half"}, {"at_s": 0.030, "mode": "full"}]})");
  CHECK(story_of(run(lab, {}, change)) == "0>0-50 met");  // 10 + 20/2 + 20
  CHECK(story_of(run(lab, {}, parse_json(R"({"mode": "half"})"))) == "0>0-80 met");
  // Asked for in the mode, clamped while it lasts, and in effect after it.
  const RunRecord asked = run(lab, {{5, Knob::frequency, kGpu, 0}, {20, Knob::frequency, kGpu, 2}}, change);
  // 5, then a quarter until 20 (3.75), half until 30 (5), then the rest.
  CHECK(to_ms(jobs_of(asked)[0].end) == exactly(30 + 40 - 5 - 3.75 - 5));
  REQUIRE(asked.decision_log.size() >= 3);
  bool clamped = false;
  for (const DecisionRecord& record : asked.decision_log)
    clamped = clamped || (record.at == 20_ms && record.knob == "frequency" && record.to == "500");
  CHECK(clamped);  // what is recorded is what the board made of it
}

TEST_CASE("cores taken offline slow a CPU's jobs by Amdahl's law", "[dvfs]") {
  Lab lab;
  lab.board["modes"] = parse_json(R"({"all": {}, "one": {"cores_online": 1}})");
  lab.board["default_mode"] = "all";
  lab.board["units"]["cpu"]["parallel_fraction"] = 1;
  const Json on_cpu = parse_json(
      R"({"applications": {"app": {"unit": "cpu", "subnet": "L1", "arrivals": {"kind": "offline", "samples": 1}}}})");
  // 30 ms on four cores; 20 ms' worth on one is 80 ms.
  Json change = on_cpu;
  change["mode_changes"] = parse_json(R"([{"at_s": 0.010, "mode": "one"}])");
  CHECK(to_ms(jobs_of(run(lab, {}, change))[0].end) == Approx(90).epsilon(1e-9));
  const RunRecord knob = run(lab, {{10, Knob::cores, kCpu, 2}}, on_cpu);
  CHECK(to_ms(jobs_of(knob)[0].end) == Approx(50).epsilon(1e-9));
  CHECK(knob.apps[0].energy_mj == Approx(10 * 4 + 40 * 2).epsilon(1e-7));
  CHECK(to_ms(jobs_of(run(lab, {{10, Knob::cores, kCpu, 2}, {20, Knob::cores, kCpu, 99}}, on_cpu))[0].end) ==
        Approx(35).epsilon(1e-9));  // no more than there are
  CHECK(to_ms(jobs_of(run(lab, {{10, Knob::cores, kCpu, 0}}, on_cpu))[0].end) == Approx(90).epsilon(1e-9));  // nor none
  // A mode's limit holds against the manager.
  change["mode_changes"] = parse_json(R"([{"at_s": 0.010, "mode": "one"}])");
  CHECK(to_ms(jobs_of(run(lab, {{15, Knob::cores, kCpu, 4}}, change))[0].end) == Approx(90).epsilon(1e-9));
}

TEST_CASE("of several clocks the slowest sets the pace, and each counts for its cores' power", "[dvfs]") {
  Lab lab;
  lab.board["domains"]["cpu"]["cores"] = 3;
  lab.board["domains"]["little"] = lab.board["domains"]["cpu"];
  lab.board["domains"]["little"]["cores"] = 1;
  lab.board["units"]["cpu"]["domains"] = {"cpu", "little"};
  const Json on_cpu = parse_json(
      R"({"applications": {"app": {"unit": "cpu", "subnet": "L1", "arrivals": {"kind": "offline", "samples": 1}}}})");
  // 30 ms at 2000; the clock of the one core halves at 10: 40 ms more, at 1 + (3 * 4 + 1 * 2) / 4 W.
  const RunRecord record = run(lab, {{10, Knob::frequency, 2, 1}}, on_cpu);
  CHECK(story_of(record) == "0>0-50 met");
  CHECK(record.apps[0].energy_mj == exactly(10 * 4 + 40 * 3.5));
}

TEST_CASE("a GPU's jobs follow the clock of the CPU that launches them, where the table says so", "[dvfs]") {
  Lab lab;
  lab.board["units"]["gpu"]["host_domain"] = "cpu";
  lab.clear_table();
  for (const char* row : {"L3,gpu,,2000,1000,,40", "L3,gpu,,1000,1000,,50", "L3,gpu,,500,1000,,70",
                          "L1,gpu,,2000,1000,,10", "L2,gpu,,2000,1000,,20"})
    lab.table += std::string(row) + ",,,,derived,made up,,\n";
  // A quarter done at 10; three quarters of 50 ms.
  CHECK(story_of(run(lab, {{10, Knob::frequency, kCpu, 1}})) == "0>0-47.5 met");
}

TEST_CASE("what a manager writes before the run begins is there when it begins", "[dvfs]") {
  const HookPolicy hook([](const manager::Observation& seen, manager::Decision& decision) {
    if (seen.trigger != manager::Trigger::start) return;
    decision.set(Knob::frequency, kGpu, 1, manager::because(""));
    decision.set(Knob::subnet, 0, 1, manager::because(""));
  });
  const RunRecord record = SlowClock().run(R"({"duration_s": 0.1,
      "applications": {"app": {"unit": "gpu", "subnet": "L3", "arrivals": {"kind": "offline", "samples": 1}}},
      "policy": "test-hook"})");
  CHECK(story_of(record) == "0>0-40 met");  // L2 at 500 MHz
  CHECK(record.dvfs_transitions == 0);
  CHECK(record.apps[0].subnet_switches == 0);
}

TEST_CASE("a sub-network written at the very start does not touch a frame in service", "[dvfs]") {
  // Both frames come at 0; the second application's arrival asks for another sub-network of the first, whose frame is
  // already running.
  const HookPolicy hook([](const manager::Observation& seen, manager::Decision& decision) {
    if (seen.trigger == manager::Trigger::arrival && seen.subject == 1)
      decision.set(Knob::subnet, 0, 0, manager::because(""));
  });
  const RunRecord record = Lab().run(R"({"duration_s": 0.2, "applications": {
      "a": {"unit": "gpu", "subnet": "L3", "arrivals": {"kind": "offline", "samples": 2}},
      "b": {"unit": "cpu", "subnet": "L1", "arrivals": {"kind": "offline", "samples": 1}}},
      "policy": {"name": "test-hook", "arrival": true}})");
  CHECK(story_of(record) == "0>0-40 met, 0>40-50 met");
  CHECK(jobs_of(record)[0].subnet == 2);
  CHECK(jobs_of(record)[1].subnet == 0);
}

TEST_CASE("a mapping takes the nearest sub-network that the unit's tables cover; to a unit without any it is refused",
          "[dvfs]") {
  Lab lab;
  lab.board["units"]["dla"] = lab.board["units"]["gpu"];
  lab.clear_table();
  for (const char* subnet : {"L1", "L2", "L3"}) lab.cell({subnet, "gpu", 1000, 20});
  lab.cell({"L1", "cpu", 2000, 30});
  const auto run_mapped = [&](int unit, int subnet) {
    const HookPolicy hook([&](const manager::Observation& seen, manager::Decision& decision) {
      if (seen.trigger != manager::Trigger::start) return;
      if (subnet >= 0) decision.set(Knob::subnet, 0, subnet, manager::because(""));
      decision.set(Knob::mapping, 0, unit, manager::because(""));
    });
    const RunRecord record = lab.run(R"({"duration_s": 0.1,
        "applications": {"app": {"unit": "gpu", "subnet": "L3", "arrivals": {"kind": "offline", "samples": 1}}},
        "policy": "test-hook"})");
    const JobRecord job = jobs_of(record)[0];
    return story_of(record) + " on " + std::to_string(job.unit) + " L" + std::to_string(job.subnet + 1);
  };
  CHECK(run_mapped(1, -1) == "0>0-30 met on 1 L1");
  CHECK(run_mapped(1, 0) == "0>0-30 met on 1 L1");
  CHECK(run_mapped(1, 1) == "0>0-30 met on 1 L1");
  CHECK(run_mapped(2, -1) == "0>0-20 met on 0 L3");
  CHECK(run_mapped(0, 1) == "0>0-20 met on 0 L2");
}

}  // namespace
}  // namespace dynasoc::test
