// What happens to frames that wait, worked by hand. L2 takes 20 ms on the `gpu`, L1, the fastest, 10 ms.
#include <catch2/catch.hpp>

#include "support/hooked_policy.hpp"
#include "support/lab.hpp"

namespace dynasoc::test {
namespace {

RunRecord run(const Lab& lab, const std::vector<double>& arrivals_ms, Json app, const Json& policy = "none") {
  lab.write_trace("arrivals.csv", arrivals_ms);
  if (!app.contains("subnet")) app["subnet"] = "L2";
  app["unit"] = "gpu";
  app["arrivals"] = {{"kind", "trace"}, {"file", "arrivals.csv"}};
  RunRecord record = lab.run(Json{{"duration_s", 0.5}, {"applications", {{"app", app}}}, {"policy", policy}});
  const AppRecord& seen = record.apps[0];
  std::uint64_t unfinished = 0;
  for (const JobRecord& job : jobs_of(record)) unfinished += job.outcome == Outcome::unfinished;
  CHECK(seen.jobs == arrivals_ms.size());
  CHECK(seen.jobs == seen.completed + seen.dropped + seen.rejected + unfinished);
  return record;
}

const std::vector<double> kBurst{0, 5, 10, 15};

TEST_CASE("queue: every frame is served, however late", "[late]") {
  const RunRecord record = run(Lab(), kBurst, parse_json(R"({"late": "queue", "targets": [{"latency_ms": 45}]})"));
  CHECK(story_of(record) == "0>0-20 met, 5>20-40 met, 10>40-60 missed, 15>60-80 missed");
  CHECK(record.apps[0].missed == 2);
}

TEST_CASE("queue is the default", "[late]") {
  CHECK(story_of(run(Lab(), kBurst, Json::object())) == "0>0-20 met, 5>20-40 met, 10>40-60 met, 15>60-80 met");
}

TEST_CASE("a frame that is done exactly at its deadline has met it", "[late]") {
  const RunRecord record = run(
      Lab(), {0, 100}, parse_json(R"({"targets": [{"latency_ms": 20}, {"from_s": 0.05, "latency_ms": 19.999999}]})"));
  CHECK(story_of(record) == "0>0-20 met, 100>100-120 missed");
}

TEST_CASE("drop-oldest: the oldest waiting frame makes room", "[late]") {
  CHECK(story_of(run(Lab(), kBurst, parse_json(R"({"late": "drop-oldest", "queue_limit": 1})"))) ==
        "0>0-20 met, 5>dropped, 10>dropped, 15>20-40 met");
  CHECK(story_of(run(Lab(), kBurst, parse_json(R"({"late": "drop-oldest", "queue_limit": 2})"))) ==
        "0>0-20 met, 5>dropped, 10>20-40 met, 15>40-60 met");
  CHECK(story_of(run(Lab(), kBurst, parse_json(R"({"late": "drop-oldest", "queue_limit": 3})"))) ==
        "0>0-20 met, 5>20-40 met, 10>40-60 met, 15>60-80 met");
}

TEST_CASE("replace: only the newest frame waits", "[late]") {
  CHECK(story_of(run(Lab(), kBurst, parse_json(R"({"late": "replace"})"))) ==
        "0>0-20 met, 5>dropped, 10>dropped, 15>20-40 met");
}

TEST_CASE("drop-hopeless: a frame that even the fastest sub-network would be late with is not started", "[late]") {
  // At 40 the third could still make it (40 + 10 <= 10 + 45) and is started, though L2 is then too slow; at 60 the
  // fourth cannot (60 + 10 > 15 + 45).
  const RunRecord record =
      run(Lab(), kBurst, parse_json(R"({"late": "drop-hopeless", "targets": [{"latency_ms": 45}]})"));
  CHECK(story_of(record) == "0>0-20 met, 5>20-40 met, 10>40-60 missed, 15>dropped");
  CHECK(record.apps[0].dropped == 1);
}

TEST_CASE("drop-hopeless: a frame that the fastest would finish just in time is started", "[late]") {
  CHECK(story_of(run(Lab(), {0, 5}, parse_json(R"({"late": "drop-hopeless", "targets": [{"latency_ms": 25}]})"))) ==
        "0>0-20 met, 5>20-40 missed");  // 20 + 10 = 5 + 25
  CHECK(story_of(run(Lab(), {0, 5}, parse_json(R"({"late": "drop-hopeless", "targets": [{"latency_ms": 24.9}]})"))) ==
        "0>0-20 met, 5>dropped");
}

TEST_CASE("drop-hopeless: several hopeless frames go at once, and without a target there is no hope to lose",
          "[late]") {
  CHECK(story_of(run(Lab(), {0, 1, 2, 3, 18},
                     parse_json(R"({"late": "drop-hopeless", "subnet": "L3", "targets": [{"latency_ms": 40}]})"))) ==
        "0>0-40 met, 1>dropped, 2>dropped, 3>dropped, 18>40-80 missed");
  CHECK(story_of(run(Lab(), kBurst, parse_json(R"({"late": "drop-hopeless"})"))) ==
        "0>0-20 met, 5>20-40 met, 10>40-60 met, 15>60-80 met");
}

TEST_CASE("frames that come while a sub-network is being switched wait by the same rules", "[late]") {
  Lab lab;
  lab.network["switch_cost"]["time_ms"] = 30;
  for (const char* late : {"queue", "replace"}) {
    int completions = 0;
    const HookPolicy hook([&](const manager::Observation& seen, manager::Decision& decision) {
      if (seen.trigger == manager::Trigger::completion && ++completions == 1)
        decision.set(manager::Knob::subnet, 0, 0, manager::because(""));
    });
    const RunRecord record =
        run(lab, {0, 25, 30, 45}, Json{{"late", late}}, parse_json(R"({"name": "test-hook", "completion": true})"));
    // Switching from 20 to 50; then L1.
    if (std::string(late) == "queue")
      CHECK(story_of(record) == "0>0-20 met, 25>50-60 met, 30>60-70 met, 45>70-80 met");
    else
      CHECK(story_of(record) == "0>0-20 met, 25>dropped, 30>dropped, 45>50-60 met");
  }
}

TEST_CASE("a closed admission rejects frames; those that wait already are served", "[late]") {
  const HookPolicy hook([&](const manager::Observation& seen, manager::Decision& decision) {
    if (seen.trigger != manager::Trigger::period) return;
    decision.set(manager::Knob::admission, 0, seen.now >= 12_ms && seen.now < 30_ms ? 0 : 1, manager::because(""));
  });
  const RunRecord record =
      run(Lab(), {0, 5, 15, 25, 35}, Json::object(), parse_json(R"({"name": "test-hook", "period_ms": 4})"));
  CHECK(story_of(record) == "0>0-20 met, 5>20-40 met, 15>rejected, 25>rejected, 35>40-60 met");
  CHECK(record.apps[0].rejected == 2);
  CHECK(record.apps[0].dropped == 0);
}

TEST_CASE("what is waiting or running at the end is unfinished", "[late]") {
  const RunRecord record = run(Lab(), {480, 485, 490}, Json::object());
  CHECK(story_of(record) == "480>480-? unfinished, 485>unfinished, 490>unfinished");
  CHECK(record.apps[0].completed == 0);  // 500 is the end, not before it
}

}  // namespace
}  // namespace dynasoc::test
