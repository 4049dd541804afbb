// Comparisons: who takes part, that differences are paired, that they do not depend on threads, when they stop.
#include "results/comparison.hpp"

#include <cmath>

#include <catch2/catch.hpp>

#include "support/lab.hpp"

namespace dynasoc {
namespace {

using test::Lab;

const char* const kScenario = R"({"duration_s": 3, "seed": 5, "applications": {
    "camera": {"unit": "gpu", "arrivals": {"kind": "poisson", "rate_hz": 20}, "targets": [{"latency_ms": 45}],
               "execution": {"kind": "table", "default_cv": 0.2}}},
    "governors": {"cpu": "powersave"}})";

Comparison compared(const Scenario& scenario, const std::string& list, int replications, int jobs = 1,
                    const std::string& decide_on = "") {
  ComparisonRequest request;
  request.contenders = contenders_of(scenario, list);
  request.replications = replications;
  request.jobs = jobs;
  request.decide_on = decide_on;
  return compare(scenario, request);
}

TEST_CASE("a contender is a policy, a governor, or both", "[comparison]") {
  const Lab lab;
  const Scenario scenario = lab.load(kScenario);  // domains: gpu, cpu
  const auto governors = [](const Contender& one) {
    std::string out;
    for (const auto& governor : one.governors) out += governor.name + " ";
    return out;
  };
  const auto all = contenders_of(
      scenario, "dynamic-ofa, schedutil,podgov,powersave,static(level=2),dynamic-ofa(dvfs=true,period_ms=20)+ondemand");
  REQUIRE(all.size() == 6);
  CHECK(all[0].policy.name == "dynamic-ofa");
  CHECK(all[0].governors.empty());  // the scenario's
  CHECK(all[1].policy.name == "none");
  CHECK(governors(all[1]) == "nvhost_podgov schedutil ");
  CHECK(governors(all[2]) == "podgov schedutil ");
  CHECK(governors(all[3]) == "powersave powersave ");
  CHECK(all[4].label == "static(level=2)");
  CHECK(all[5].policy.to_json()["period_ms"] == 20);
  CHECK(governors(all[5]) == "nvhost_podgov ondemand ");

  CHECK_THROWS_WITH(contenders_of(scenario, "dynamic-off"), Catch::Contains("did you mean \"dynamic-ofa\""));
  CHECK_THROWS_WITH(contenders_of(scenario, "pid,pid"), Catch::Contains("twice"));
  CHECK_THROWS_WITH(contenders_of(scenario, "pid,,alert"), Catch::Contains("empty"));
  CHECK_THROWS_WITH(contenders_of(scenario, "static(levl=2)"), Catch::Contains("did you mean \"level\""));
  CHECK_THROWS_WITH(contenders_of(scenario, "static(level=2"), Catch::Contains("parenthesis"));
  CHECK_THROWS_WITH(contenders_of(scenario, "static(level)"), Catch::Contains("parameter=value"));
  CHECK_THROWS_WITH(contenders_of(scenario, "pid+schedutl"), Catch::Contains("did you mean \"schedutil\""));
}

TEST_CASE("differences are paired: a manager differs from itself by nothing", "[comparison]") {
  const Lab lab;
  const Scenario scenario = lab.load(kScenario);
  const Comparison out = compared(scenario, "none,none+powersave,static(level=1),static(level=2)+performance", 6);
  const auto cost = [&](std::size_t c) { return values_of(*scenario.setup, out.results[c], "run.cost"); };
  CHECK(values_of(*scenario.setup, out.results[0], "apps.camera.jobs") ==
        values_of(*scenario.setup, out.results[3], "apps.camera.jobs"));  // the same arrivals
  CHECK(cost(2) != cost(3));
  // The board's default is performance, and no one works on the CPU whose clock differs.
  CHECK(cost(0) == values_of(*scenario.setup, compared(scenario, "none+performance", 6).results[0], "run.cost"));
}

TEST_CASE("a comparison does not depend on the number of threads", "[comparison]") {
  const Lab lab;
  const Scenario scenario = lab.load(kScenario);
  const std::string list = "none,pid(dvfs=true),oracle";
  const Json one = comparison_json(scenario, compared(scenario, list, 5, 1));
  const Json four = comparison_json(scenario, compared(scenario, list, 5, 4));
  CHECK(one == four);
}

TEST_CASE("regret is cost less the oracle's, and its parts are those of runs with an imperfection less",
          "[comparison]") {
  Lab lab;
  lab.network["switch_cost"]["time_ms"] = 30;
  const Scenario scenario = lab.load(kScenario);
  const Comparison out = compared(scenario, "ucb,static(level=1),oracle", 4);
  const auto cost = [&](std::size_t c) { return values_of(*scenario.setup, out.results[c], "run.cost"); };
  for (std::size_t r = 0; r < 4; ++r) {
    CHECK(out.results[0].regret[r] == Approx(cost(0)[r] - cost(2)[r]));
    CHECK(out.results[2].regret[r] == 0);
  }
  CHECK(estimate(out.results[0].anatomy.switching).mean > 0);  // it tries everything, and every try costs 30 ms
  CHECK(out.results[2].anatomy.switching.empty());
  CHECK(out.results[2].certificates[0].method == "dp");
  // One sub-network and one clock for ever: to be asked more often, or to know more, changes nothing.
  CHECK(estimate(out.results[1].anatomy.misprediction).mean == Approx(0).margin(1e-12));
  CHECK(estimate(out.results[1].anatomy.granularity).mean == Approx(0).margin(1e-12));

  const Json json = comparison_json(scenario, out);
  CHECK(json["policies"]["ucb"]["regret"]["parts"].contains("misprediction"));
  CHECK(json["policies"]["oracle"]["regret"]["certificate"]["method"][0] == "dp");
  CHECK(json["hypervolume"]["policies"].size() == 3);
}

TEST_CASE("no comparison is printed without an interval", "[comparison]") {
  const Lab lab;
  const Scenario scenario = lab.load(kScenario);
  const Json json = comparison_json(scenario, compared(scenario, "static(level=3),static(level=1),pace", 5));
  CHECK(json["baseline"] == "static(level=3)");
  for (const auto& [policy, metrics] : json["policies"].items())
    for (const auto& [metric, entry] : metrics.items()) {
      INFO(policy << " " << metric);
      CHECK(entry["ci95"].size() == 2);
      REQUIRE(entry.contains("delta_vs_baseline") == (policy != "static(level=3)"));
      if (policy == "static(level=3)") continue;
      for (const char* key : {"mean", "ci95", "ci95_bootstrap", "relative", "p_value", "p_holm", "seeds"})
        CHECK(entry["delta_vs_baseline"].contains(key));
    }
  CHECK(json["policies"]["pace"]["run.cost"]["delta_vs_baseline"].contains("better"));
  const Json alone = comparison_json(scenario, compared(scenario, "none,pace", 1));
  CHECK(alone["warnings"].dump().find("no interval") != std::string::npos);
  CHECK(alone["policies"]["pace"]["run.cost"]["ci95"][0].is_null());
}

TEST_CASE("a clear difference stops early, none does not", "[comparison]") {
  const Lab lab;
  const Scenario scenario = lab.load(kScenario);
  const Comparison clear = compared(scenario, "static(level=1),static(level=3)", 60, 2, "run.accuracy");
  CHECK(clear.stopped_early);
  CHECK(clear.replications < 60);
  CHECK(clear.replications % 5 == 0);
  const Comparison unclear = compared(scenario, "static(level=1),static(level=1)+performance", 15, 2, "run.cost");
  CHECK_FALSE(unclear.stopped_early);
  CHECK(unclear.replications == 15);
  CHECK_THROWS_WITH(values_of(*scenario.setup, clear.results[0], "run.costs"), Catch::Contains("\"run.cost\""));
  CHECK(values_of(*scenario.setup, clear.results[0], "apps.APP.miss_rate") ==
        values_of(*scenario.setup, clear.results[0], "apps.camera.miss_rate"));
}

}  // namespace
}  // namespace dynasoc
