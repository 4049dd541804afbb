// A scheduler chooses whose inference has a unit next; where an inference may be interrupted; frames served together.
// Worked by hand. On the `gpu` L1, L2, L3 take 10, 20, 40 ms.
#include <catch2/catch.hpp>

#include "support/hooked_policy.hpp"
#include "support/lab.hpp"

namespace dynasoc::test {
namespace {

// Applications by name, each {"at": [arrivals in ms], …members}; `policy` schedules.
RunRecord schedule(Lab& lab, Json apps, const Json& policy, Json more = Json::object()) {
  for (auto& [name, app] : apps.items()) {
    lab.write_trace(name + ".csv", app["at"].get<std::vector<double>>());
    app.erase("at");
    app["arrivals"] = {{"kind", "trace"}, {"file", name + ".csv"}};
    if (!app.contains("unit")) app["unit"] = "gpu";
    if (!app.contains("execution")) app["execution"] = {{"kind", "constant"}};
  }
  more["duration_s"] = more.value("duration_s", 0.5);
  more["applications"] = apps;
  if (!policy.is_null()) more["policy"] = policy;
  return lab.run(more);
}

// Costs nothing, so that the arithmetic stays round.
Json free_of_cost(const std::string& name) { return {{"name", name}, {"cost_us", 0}}; }

// L3 in four blocks of a quarter each, L2 in two, L1 in one; on the gpu alone.
void give_blocks(Lab& lab) {
  lab.network["blocks"] = "blocks.csv";
  std::string text = "subnet,unit,block,latency_ms,provenance,source\n";
  for (const char* row : {"L3,gpu,a,1", "L3,gpu,b,1", "L3,gpu,c,1", "L3,gpu,d,1", "L2,gpu,a,3", "L2,gpu,b,3"})
    text += std::string(row) + ",derived,made up\n";
  lab.write("net/blocks.csv", text);
}

}  // namespace

TEST_CASE("under a scheduler a fair unit serves one inference at a time", "[scheduler]") {
  Lab lab;
  const Json apps = parse_json(R"({"a": {"at": [0], "subnet": "L2"}, "b": {"at": [5], "subnet": "L1"}})");
  const RunRecord shared = schedule(lab, apps, "none");
  CHECK(story_of(shared, 0) == "0>0-30 met");  // alone for 5 ms, then half of the unit until b is done at 25
  const RunRecord queued = schedule(lab, apps, free_of_cost("fifo"));
  CHECK(story_of(queued, 0) == "0>0-20 met");
  CHECK(story_of(queued, 1) == "5>20-30 met");
  CHECK(queued.preemptions == 0);
}

TEST_CASE("frames of one instant are all there when the scheduler chooses", "[scheduler]") {
  Lab lab;
  const Json apps = parse_json(R"({"a": {"at": [10], "subnet": "L3", "targets": [{"latency_ms": 200}]},
                                   "b": {"at": [10], "subnet": "L1", "targets": [{"latency_ms": 15}]}})");
  const RunRecord record = schedule(lab, apps, free_of_cost("edf"));
  CHECK(story_of(record, 0) == "10>20-60 met");
  CHECK(story_of(record, 1) == "10>10-20 met");
}

TEST_CASE("an inference is interrupted at the end of its block, and goes on where it was", "[scheduler]") {
  Lab lab;
  give_blocks(lab);
  const Json apps = parse_json(R"({"long": {"at": [0], "subnet": "L3", "targets": [{"latency_ms": 400}]},
                                   "urgent": {"at": [13], "subnet": "L1", "targets": [{"latency_ms": 30}]}})");
  const RunRecord record = schedule(lab, apps, free_of_cost("edf"));
  // Blocks of 10 ms: at 13 it is in its second, which ends at 20.
  CHECK(story_of(record, 1) == "13>20-30 met");
  CHECK(story_of(record, 0) == "0>0-50 met");
  CHECK(record.preemptions == 1);
  // Both are charged what they drew: 10 W above idle for 40 and 10 ms.
  CHECK(jobs_of(record, 0)[0].energy_mj == Approx(400));
  CHECK(jobs_of(record, 1)[0].energy_mj == Approx(100));
}

TEST_CASE("without a block table it runs to its end", "[scheduler]") {
  Lab lab;
  const Json apps = parse_json(R"({"long": {"at": [0], "subnet": "L3", "targets": [{"latency_ms": 400}]},
                                   "urgent": {"at": [13], "subnet": "L1", "targets": [{"latency_ms": 30}]}})");
  const RunRecord record = schedule(lab, apps, free_of_cost("edf"));
  CHECK(story_of(record, 1) == "13>40-50 missed");
  CHECK(record.preemptions == 0);
}

TEST_CASE("a block boundary that is asked for while the clock changes is where it is in the work", "[scheduler]") {
  Lab lab;
  give_blocks(lab);
  // The whole at 500 MHz: blocks of 20 ms; at 33 it is in its second, which ends at 40.
  const Json apps = parse_json(R"({"long": {"at": [0], "subnet": "L3", "targets": [{"latency_ms": 400}]},
                                   "urgent": {"at": [33], "subnet": "L1", "targets": [{"latency_ms": 60}]}})");
  const RunRecord record =
      schedule(lab, apps, free_of_cost("edf"), Json{{"governors", {{"gpu", {{"name", "userspace"}, {"mhz", 500}}}}}});
  CHECK(story_of(record, 1) == "33>40-60 met");
  CHECK(story_of(record, 0) == "0>0-100 met");
}

TEST_CASE("the choice costs the unit its time", "[scheduler]") {
  Lab lab;
  const Json apps = parse_json(R"({"a": {"at": [0], "subnet": "L1"}, "b": {"at": [0], "subnet": "L1"}})");
  const RunRecord record = schedule(lab, apps, Json{{"name", "fifo"}, {"cost_us", 1000}});
  CHECK(story_of(record, 0) == "0>0-11 met");
  CHECK(story_of(record, 1) == "0>11-22 met");
  CHECK(record.manager_s == Approx(0.002));
}

TEST_CASE("choices between blocks cost their time once each, and end", "[scheduler]") {
  Lab lab;
  give_blocks(lab);
  const Json apps = parse_json(R"({"a": {"at": [0], "subnet": "L3"}, "b": {"at": [1], "subnet": "L1"}})");
  // fifo: at 12, 23, 34 it is chosen again, for b waits from 1 on; 1 ms each, and 1 for b.
  const RunRecord record = schedule(lab, apps, Json{{"name", "fifo"}, {"cost_us", 1000}});
  CHECK(story_of(record, 0) == "0>0-44 met");
  CHECK(story_of(record, 1) == "1>44-55 met");
  CHECK(record.manager_s == Approx(0.005));
}

TEST_CASE("background load shares the unit with the one inference that is in", "[scheduler]") {
  Lab lab;
  const Json apps = parse_json(R"({"a": {"at": [0], "subnet": "L1"}, "b": {"at": [0], "subnet": "L1"}})");
  const RunRecord record =
      schedule(lab, apps, free_of_cost("fifo"),
               parse_json(R"({"background": {"job": {"unit": "gpu", "demand": {"kind": "continuous"}}}})"));
  CHECK(story_of(record, 0) == "0>0-20 met");
  CHECK(story_of(record, 1) == "0>20-40 met");
}

TEST_CASE("a scheduler beside a policy that has none", "[scheduler]") {
  Lab lab;
  const Json apps = parse_json(R"({"a": {"at": [0], "subnet": "L3", "targets": [{"latency_ms": 200}]},
                                   "b": {"at": [0], "subnet": "L1", "targets": [{"latency_ms": 15}]}})");
  const RunRecord record = schedule(lab, apps, "none", Json{{"scheduler", free_of_cost("edf")}});
  CHECK(story_of(record, 1) == "0>0-10 met");
  CHECK(story_of(record, 0) == "0>10-50 met");
  CHECK_THROWS_WITH(schedule(lab, apps, "none", Json{{"scheduler", "pid"}}),
                    Catch::Contains("/scheduler") && Catch::Contains("schedules nothing"));
  CHECK_THROWS_WITH(schedule(lab, apps, "fifo", Json{{"scheduler", "edf"}}), Catch::Contains("schedules by itself"));
}

TEST_CASE("drop-late: what its deadline has passed by is not started, in the queue and before a unit", "[scheduler]") {
  Lab lab;
  const Json apps = parse_json(R"({"a": {"at": [0], "subnet": "L3"},
      "b": {"at": [1, 2, 30], "subnet": "L1", "late": "drop-late", "targets": [{"latency_ms": 35}]}})");
  const RunRecord record = schedule(lab, apps, free_of_cost("fifo"));
  // At 40 the deadlines of the first two, 36 and 37, have passed; the third's has not.
  CHECK(story_of(record, 1) == "1>dropped, 2>dropped, 30>40-50 met");
  const RunRecord alone = schedule(lab, parse_json(R"({"b": {"at": [0, 1, 2], "subnet": "L3", "late": "drop-late",
      "targets": [{"latency_ms": 50}]}})"),
                                   "none");
  CHECK(story_of(alone) == "0>0-40 met, 1>40-80 missed, 2>dropped");  // at 40 there was time; at 80 (2 + 50) not
}

TEST_CASE("frames served together take 1 + marginal (n - 1) times as long and share the energy", "[scheduler]") {
  Lab lab;
  const Json app = parse_json(R"({"app": {"at": [0, 1, 2, 3], "subnet": "L2", "targets": [{"latency_ms": 60}],
      "batch": {"most": 3, "marginal": 0.5, "source": "made up"}}})");
  // Nobody turns the knob: one at a time.
  CHECK(story_of(schedule(lab, app, "none")) == "0>0-20 met, 1>20-40 met, 2>40-60 met, 3>60-80 missed");
  const HookPolicy hook([](const manager::Observation& seen, manager::Decision& decision) {
    if (seen.trigger == manager::Trigger::start) decision.set(manager::Knob::batch, 0, 9, manager::because("all"));
    CHECK(seen.applications[0].most_batch == 3);
  });
  const RunRecord record = schedule(lab, app, parse_json(R"({"name": "test-hook", "period_ms": 1000})"));
  CHECK(story_of(record) == "0>0-20 met, 1>20-60 met, 2>20-60 met, 3>20-60 met");  // 20 x (1 + 0.5 x 2)
  CHECK(jobs_of(record)[0].energy_mj == Approx(200));
  for (const std::size_t job : {1, 2, 3}) CHECK(jobs_of(record)[job].energy_mj == Approx(400.0 / 3));
  CHECK(record.apps[0].provenance[static_cast<std::size_t>(Provenance::derived)] >= 3);
}

TEST_CASE("a scheduler that roams moves a frame to a unit that is free", "[scheduler]") {
  Lab lab;
  Json apps = Json::object();
  for (const char* name : {"a", "b", "c", "d", "e"}) apps[name] = parse_json(R"({"at": [0, 100], "subnet": "L1"})");
  const RunRecord record = schedule(lab, apps, free_of_cost("band-heft"));
  // Five times 10 ms on the gpu would be 50; on the cpu one takes 30.
  int on_cpu = 0;
  for (std::size_t a = 0; a < 5; ++a)
    for (const JobRecord& job : jobs_of(record, a)) {
      CHECK(job.outcome == Outcome::met);
      CHECK(job.end - job.arrival <= 40_ms);
      on_cpu += job.unit == 1;
    }
  CHECK(on_cpu == 2);
}

TEST_CASE("a frame that roams takes a sub-network with it that the new unit knows", "[scheduler]") {
  Lab lab;
  lab.clear_table();
  for (const char* level : {"L1", "L2", "L3"}) lab.cell({level, "gpu", 1000, 10});
  for (const char* level : {"L1", "L2"}) lab.cell({level, "cpu", 2000, 12});
  // While a frame waits its application is told to go to L3, which the cpu's table does not have.
  const HookPolicy hook([](const manager::Observation& seen, manager::Decision& decision) {
    if (seen.trigger != manager::Trigger::period) return;
    for (const manager::AppView& app : seen.applications)
      decision.set(manager::Knob::subnet, app.index, static_cast<int>((seen.now / 3_ms) % 3),
                   manager::because("by turns"));
  });
  Json apps = Json::object();
  for (const char* name : {"a", "b", "c"}) {
    std::vector<double> at;
    for (int i = 0; i < 60; ++i) at.push_back(8.0 * i);
    apps[name] = {{"at", at}, {"late", "drop-late"}, {"targets", {{{"latency_ms", 20}}}}};
  }
  const RunRecord record = schedule(lab, apps, parse_json(R"({"name": "test-hook", "period_ms": 3})"),
                                    Json{{"scheduler", free_of_cost("band-heft")}});
  std::uint64_t served = 0;
  for (std::size_t a = 0; a < 3; ++a)
    for (const JobRecord& job : jobs_of(record, a)) {
      if (job.end == kNoTime) continue;
      ++served;
      CHECK(job.start <= job.deadline);
      CHECK((job.unit != 1 || job.subnet < 2));
      CHECK(job.end - job.start <= 13_ms);
    }
  CHECK(served > 70);
}

TEST_CASE("a frame that a scheduler gives up is dropped, and its application goes on", "[scheduler]") {
  Lab lab;
  lab.clear_table();
  lab.cell({"L3", "gpu", 1000, 40});
  const Json apps = parse_json(R"({"a": {"at": [0], "subnet": "L3", "targets": [{"latency_ms": 50}]},
                                   "b": {"at": [0, 200], "subnet": "L3", "targets": [{"latency_ms": 50}]},
                                   "c": {"at": [0], "subnet": "L3", "targets": [{"latency_ms": 50}]}})");
  Json dream = free_of_cost("dream");
  dream.update({{"tune", false}, {"switching", false}, {"drop_budget", 1}});
  const RunRecord record = schedule(lab, apps, dream);
  // At 40 two will be late by 30 ms, as many as it takes: the first of them is given up, and the other is late alone.
  CHECK(story_of(record, 0) == "0>0-40 met");
  CHECK(story_of(record, 1) == "0>dropped, 200>200-240 met");
  CHECK(story_of(record, 2) == "0>40-80 missed");
}

TEST_CASE("a block table is refused where it is wrong", "[scheduler]") {
  Lab lab;
  lab.network["blocks"] = "blocks.csv";
  const auto refused = [&](const std::string& rows, const char* why) {
    lab.write("net/blocks.csv", "subnet,unit,block,latency_ms,provenance,source\n" + rows);
    CHECK_THROWS_WITH(schedule(lab, parse_json(R"({"a": {"at": [0]}})"), "none"), Catch::Contains(why));
  };
  refused("L4,gpu,a,1,derived,x\n", "L4");
  refused("L1,gpu,a,0,derived,x\n", "blocks.csv:2");
  refused("L1,gpu,a,1,guessed,x\n", "guessed");
  refused("L1,gpu,a,1,derived,\n", "source");
  lab.network["blocks"] = "none.csv";
  CHECK_THROWS_WITH(schedule(lab, parse_json(R"({"a": {"at": [0]}})"), "none"), Catch::Contains("none.csv"));
}

}  // namespace dynasoc::test
