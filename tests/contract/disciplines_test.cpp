// Who runs next? Hand-worked cases for each discipline. The tables' latencies: L1 10 ms, L2 20 ms, L3 40 ms.
#include <catch2/catch.hpp>

#include "support/lab.hpp"

namespace dynasoc::test {
namespace {

// Applications with given arrivals [ms], sub-network, priority and relative deadline [ms] on the `gpu`.
struct App {
  const char* name;
  const char* subnet;
  std::vector<double> arrivals_ms;
  int priority = 0;
  double deadline_ms = 0;
};

RunRecord run(const char* discipline, bool preemptive, const std::vector<App>& apps, double duration_ms = 300) {
  Lab lab;
  lab.board["units"]["gpu"]["discipline"] = discipline;
  lab.board["units"]["gpu"]["preemptive"] = preemptive;
  Json scenario = {{"duration_s", duration_ms * 1e-3}};
  for (const App& app : apps) {
    const std::string trace = std::string(app.name) + ".csv";
    lab.write_trace(trace, app.arrivals_ms);
    scenario["applications"][app.name] = {
        {"unit", "gpu"},
        {"subnet", app.subnet},
        {"arrivals", {{"kind", "trace"}, {"file", trace}}},
        {"targets", Json::array({{{"priority", app.priority}, {"latency_ms", app.deadline_ms}}})}};
  }
  RunRecord record = lab.run(scenario);
  CHECK(record.conservation_error <= 1e-9);
  return record;
}

TEST_CASE("fifo: in order of arrival, one at a time, over all applications", "[discipline]") {
  const RunRecord record = run("fifo", false, {{"a", "L2", {0, 5, 6}}, {"b", "L1", {2, 7}}, {"c", "L1", {60}}});
  CHECK(story_of(record, 0) == "0>0-20 met, 5>30-50 met, 6>50-70 met");
  CHECK(story_of(record, 1) == "2>20-30 met, 7>70-80 met");
  CHECK(story_of(record, 2) == "60>80-90 met");
}

TEST_CASE("fifo: a frame that waits in its application's queue keeps its place among all", "[discipline]") {
  const RunRecord record = run("fifo", false, {{"a", "L1", {0, 1, 2}}, {"b", "L1", {3}}});
  CHECK(story_of(record, 0) == "0>0-10 met, 1>10-20 met, 2>20-30 met");
  CHECK(story_of(record, 1) == "3>30-40 met");
}

TEST_CASE("fair: equal shares from the moment a job comes until one leaves", "[discipline]") {
  // a alone 0-10 (10 ms done), both 10-30 (10 each): a is done at 30; b, with 10 left, at 40.
  const RunRecord record = run("fair", false, {{"a", "L2", {0}}, {"b", "L2", {10}}});
  CHECK(story_of(record, 0) == "0>0-30 met");
  CHECK(story_of(record, 1) == "10>10-40 met");
}

TEST_CASE("fair: an application serves one frame at a time", "[discipline]") {
  const RunRecord record = run("fair", false, {{"a", "L1", {0, 1, 2}}});
  CHECK(story_of(record) == "0>0-10 met, 1>10-20 met, 2>20-30 met");
}

TEST_CASE("priority: the highest first, then the earliest; the running job is not disturbed", "[discipline]") {
  const RunRecord record =
      run("priority", false, {{"low", "L3", {0, 1}, 1}, {"high", "L1", {5, 6}, 9}, {"middle", "L2", {3}, 5}});
  CHECK(story_of(record, 0) == "0>0-40 met, 1>80-120 met");
  CHECK(story_of(record, 1) == "5>40-50 met, 6>50-60 met");  // its next frame goes before the others, too
  CHECK(story_of(record, 2) == "3>60-80 met");
}

TEST_CASE("priority, preemptive: a more urgent job takes the unit at once; work done is kept", "[discipline]") {
  const RunRecord record =
      run("priority", true, {{"low", "L3", {0}, 1}, {"middle", "L2", {10}, 5}, {"high", "L1", {15, 21}, 9}});
  CHECK(story_of(record, 2) == "15>15-25 met, 21>25-35 met");
  CHECK(story_of(record, 1) == "10>10-50 met");  // 5 ms of it before 15, 15 ms after 35
  CHECK(story_of(record, 0) == "0>0-80 met");    // 10 ms of it before 10, 30 ms after 50
  CHECK(record.apps[0].energy_mj == Approx(400).epsilon(1e-12));
  CHECK(record.units[0].busy_s == Approx(0.080).epsilon(1e-12));
}

TEST_CASE("priority, preemptive: equals do not preempt one another", "[discipline]") {
  const RunRecord record = run("priority", true, {{"a", "L2", {0}, 3}, {"b", "L1", {5}, 3}});
  CHECK(story_of(record, 0) == "0>0-20 met");
  CHECK(story_of(record, 1) == "5>20-30 met");
}

TEST_CASE("edf: the earliest deadline first; no deadline comes last", "[discipline]") {
  const RunRecord record = run("edf", false,
                               {{"running", "L2", {0}, 0, 500},
                                {"late", "L1", {1}, 0, 100},
                                {"soon", "L1", {2}, 0, 50},
                                {"never", "L1", {0.5}, 9, 0}});
  CHECK(story_of(record, 0) == "0>0-20 met");
  CHECK(story_of(record, 2) == "2>20-30 met");
  CHECK(story_of(record, 1) == "1>30-40 met");
  CHECK(story_of(record, 3) == "0.5>40-50 met");
}

TEST_CASE("edf, preemptive: an earlier deadline interrupts, a later one does not", "[discipline]") {
  const RunRecord record =
      run("edf", true, {{"a", "L3", {0}, 0, 100}, {"b", "L1", {10}, 0, 20}, {"c", "L1", {12}, 0, 95}});
  CHECK(story_of(record, 1) == "10>10-20 met");
  CHECK(story_of(record, 0) == "0>0-50 met");  // due at 100, c at 107
  CHECK(story_of(record, 2) == "12>50-60 met");
}

TEST_CASE("edf, preemptive, meets every deadline up to full utilisation; fixed priorities do not", "[discipline]") {
  // Liu and Layland: periods 20, 40 and 80 ms, works 10, 10 and 20 ms: utilisation 1. (Shifted by 1 ms so that releases
  // and completions do not coincide, which would make the outcome hang on their order.)
  const auto scenario = [](const char* discipline) {
    Lab lab;
    lab.board["units"]["gpu"]["discipline"] = discipline;
    lab.board["units"]["gpu"]["preemptive"] = true;
    return lab.run(R"({"duration_s": 2.001, "applications": {
      "a": {"unit": "gpu", "subnet": "L1", "arrivals": {"kind": "periodic", "period_ms": 20}, "targets": [{"latency_ms": 20}]},
      "b": {"unit": "gpu", "subnet": "L1", "arrivals": {"kind": "periodic", "period_ms": 40}, "targets": [{"latency_ms": 40}]},
      "c": {"unit": "gpu", "subnet": "L2", "arrivals": {"kind": "periodic", "period_ms": 80}, "targets": [{"latency_ms": 80}]}
    }})");
  };
  const RunRecord edf = scenario("edf");
  for (const AppRecord& app : edf.apps) CHECK(app.missed == 0);
  CHECK(edf.apps[0].completed == 100);
  CHECK(edf.apps[2].completed == 25);
  CHECK(edf.units[0].busy_s == Approx(2.001).epsilon(1e-9));
  // First come first served misses some of a's.
  const RunRecord priority = scenario("priority");  // all of priority 0: in order of arrival
  CHECK(priority.apps[0].missed > 0);
}

TEST_CASE("time slices cost a switch each while several jobs share, and nothing while one is alone", "[discipline]") {
  Lab lab;
  lab.board["units"]["gpu"]["slice_ms"] = 2;
  lab.board["units"]["gpu"]["switch_us"] = 500;
  lab.write_trace("a.csv", {0});
  lab.write_trace("b.csv", {10});
  const RunRecord record = lab.run(R"({"duration_s": 0.2, "applications": {
    "a": {"unit": "gpu", "subnet": "L2", "arrivals": {"kind": "trace", "file": "a.csv"}},
    "b": {"unit": "gpu", "subnet": "L2", "arrivals": {"kind": "trace", "file": "b.csv"}}
  }})");
  // 2 ms of work in every 2.5 ms: a's last 10 ms take 20 / 0.8 = 25 ms; b, with 10 ms left, is then alone.
  CHECK(story_of(record, 0) == "0>0-35 met");
  CHECK(story_of(record, 1) == "10>10-45 met");
  CHECK(record.units[0].busy_s == Approx(0.045).epsilon(1e-12));
}

TEST_CASE("time slicing without a switch cost is ideal sharing", "[discipline]") {
  Lab lab;
  lab.board["units"]["gpu"]["slice_ms"] = 2;
  lab.write_trace("a.csv", {0});
  lab.write_trace("b.csv", {10});
  const RunRecord record = lab.run(R"({"duration_s": 0.2, "applications": {
    "a": {"unit": "gpu", "subnet": "L2", "arrivals": {"kind": "trace", "file": "a.csv"}},
    "b": {"unit": "gpu", "subnet": "L2", "arrivals": {"kind": "trace", "file": "b.csv"}}
  }})");
  CHECK(story_of(record, 0) == "0>0-30 met");
  CHECK(story_of(record, 1) == "10>10-40 met");
}

TEST_CASE("a unit that works slows down those it contends with, and only then", "[discipline]") {
  Lab lab;
  lab.board["contention"] = parse_json(
      R"([{"victim": "gpu", "aggressor": "cpu", "slowdown": 1.5, "provenance": "derived", "source": "made up"}])");
  lab.write_trace("g.csv", {0});
  lab.write_trace("c.csv", {10});
  const RunRecord record = lab.run(R"({"duration_s": 0.2, "applications": {
    "g": {"unit": "gpu", "subnet": "L3", "arrivals": {"kind": "trace", "file": "g.csv"}},
    "c": {"unit": "cpu", "subnet": "L1", "arrivals": {"kind": "trace", "file": "c.csv"}}
  }})");
  CHECK(story_of(record, 1) == "10>10-40 met");  // 30 ms, not slowed in return
  CHECK(story_of(record, 0) == "0>0-50 met");    // 10 ms, then 20 ms' worth in the 30 ms of contention, then 10 ms
}

}  // namespace
}  // namespace dynasoc::test
