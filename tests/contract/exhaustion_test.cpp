// Scenarios that would take for ever, or all memory, are refused; the others run in memory that does not grow.
#include <filesystem>
#include <string>

#include <catch2/catch.hpp>

#include "scale.hpp"
#include "scenario/scenario.hpp"
#include "support/lab.hpp"
#include "world/run.hpp"

namespace dynasoc::test {
namespace {

using Catch::Contains;

Scenario load(const std::string& arrivals, const std::string& more = "", double duration_s = 1e9,
              const std::string& platform = "minimal") {
  return load_scenario(
      Document::parse("{\"platform\": \"" + platform + "\", \"duration_s\": " + std::to_string(duration_s) + more +
                          ", \"applications\": {\"a\": {\"network\": \"example\", \"unit\": \"gpu\", \"arrivals\": " +
                          arrivals + "}}}",
                      "f"),
      DYNASOC_SOURCE_DIR);
}

TEST_CASE("runs that would never end are refused when they are read") {
  CHECK_THROWS_WITH(load(R"({"kind": "periodic", "period_ms": 1e-6})"), Contains("/period_ms: must be at least 0.001"));
  CHECK_THROWS_WITH(load(R"({"kind": "periodic", "period_ms": 1e-3})"),
                    Contains("/applications/a/arrivals: some 1e15 frames would arrive"));
  CHECK_THROWS_WITH(load(R"({"kind": "poisson", "rate_hz": 1e300})"), Contains("/rate_hz: must be at most 1e6"));
  CHECK_THROWS_WITH(load(R"({"kind": "server", "target_qps": 1e5})"), Contains("frames would arrive"));
  CHECK_THROWS_WITH(load(R"({"kind": "closed-loop"})"), Contains("frames would arrive"));
  CHECK_THROWS_WITH(
      load(R"({"kind": "mmpp", "low_rate_hz": 0, "high_rate_hz": 1e-9, "mean_low_s": 1, "mean_high_s": 1})"),
      Contains("less than one frame"));
  CHECK_THROWS_WITH(
      load(R"({"kind": "mmpp", "low_rate_hz": 0, "high_rate_hz": 1, "mean_low_s": 1e-300, "mean_high_s": 1})"),
      Contains("/mean_low_s: must be at least 1e-6"));
  CHECK_THROWS_WITH(load(R"({"kind": "offline", "samples": 1e9})"), Contains("/samples: must be from 1 to 1e7"));
  CHECK_THROWS_WITH(load(R"({"kind": "poisson", "rate_hz": 1})", "", 1e10),
                    Contains("/duration_s: must be at most 1e9"));
  CHECK_THROWS_WITH(load(R"({"kind": "poisson", "rate_hz": 1})", R"(, "replications": 1000000)"),
                    Contains("/replications: must be from 1 to 1e5"));
  CHECK_NOTHROW(load(R"({"kind": "periodic", "period_ms": 1000})"));
}

TEST_CASE("times that a clock cannot hold are refused, and the longest that it can do no harm") {
  CHECK_THROWS_WITH(load(R"({"kind": "closed-loop", "think_ms": 1e300})", "", 10),
                    Contains("/think_ms: must be at most 1e12"));
  // now + the longest time must not wrap around. The board is one without meters, which would be read ten billion
  // times.
  const TemporaryFolder folder;
  Json board = Document::load(std::string(DYNASOC_SOURCE_DIR) + "/platforms/minimal.json")->root();
  for (const char* key : {"thermal", "sensors", "rails"}) board.erase(key);
  for (auto& unit : board["units"]) unit.erase("thermal_node");
  folder.write("minimal.json", board.dump());
  const Scenario scenario = load(
      R"({"kind": "closed-loop", "think_ms": 1e12})",
      R"(, "background": {"b": {"unit": "cpu", "demand": {"kind": "periodic", "period_ms": 1e12, "work_ms": 1e12}}})",
      1e9, (folder.path() / "minimal.json").string());
  const RunRecord record = simulate(*scenario.setup, {}, EngineKind::native, 0);
  CHECK(record.apps[0].completed == 1);
}

TEST_CASE("an application that cannot keep up is named before it takes all memory") {
  if (scaled(10) < 10) return;  // sixteen million frames
  const Scenario scenario = load(R"({"kind": "periodic", "period_ms": 0.001})", "", 60);
  CHECK_THROWS_WITH(
      simulate(*scenario.setup, {}, EngineKind::native, 0),
      Contains("f:1:") &&
          Contains("/applications/a/arrivals: application a is so overloaded that 16 million frames wait at 16"));
}

TEST_CASE("inferences that the table and its factors make vanishingly short still take time") {
  const TemporaryFolder folder;
  folder.write("ratios.csv", "ratio\n1e-6\n");
  const auto document = Document::parse(
      R"({"platform": "minimal", "duration_s": 0.0001, "applications": {"a": {"network": "example", "unit": "gpu",
    "arrivals": {"kind": "closed-loop"}, "session": {"factor": 0.01, "source": "none"}, "execution": {"kind": "replay", "file": "ratios.csv"}}}})",
      "f");
  const Scenario scenario = load_scenario(document, folder.path());
  // 8 ms * 0.01 * 1e-6 is less than a nanosecond: without a floor the loop would turn for ever at time 0.
  const RunRecord record = simulate(*scenario.setup, {}, EngineKind::native, 0);
  CHECK(record.apps[0].completed > 50'000);
  CHECK(record.apps[0].completed <= 100'000);
}

TEST_CASE("a run can be ended from outside at any time") {
  struct Stop {};
  const Scenario scenario = load(R"({"kind": "periodic", "period_ms": 30})", "", 1e8);
  int calls = 0;
  double last = 0;
  CHECK_THROWS_AS(simulate(*scenario.setup, {}, EngineKind::native, 0,
                           [&](double share) {
                             CHECK(share > last);
                             last = share;
                             if (++calls == 5) throw Stop{};
                           }),
                  Stop);
  CHECK(last < 0.01);
}

}  // namespace
}  // namespace dynasoc::test
