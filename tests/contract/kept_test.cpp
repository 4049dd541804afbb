// A board with fewer operating points, an application with fewer sub-networks in memory: managers see what is left.
#include <catch2/catch.hpp>

#include "results/metric_column.hpp"
#include "support/hooked_policy.hpp"
#include "support/lab.hpp"

namespace dynasoc::test {
namespace {

struct WeighingLab : Lab {
  WeighingLab() {
    for (int i = 0; i < 3; ++i) network["subnets"][i]["memory_mb"] = 4 << i;
  }
};

TEST_CASE("managers choose among the sub-networks and clocks that are kept", "[world]") {
  std::string told;
  const HookPolicy hook([&](const manager::Observation& seen, manager::Decision& decision) {
    if (seen.trigger != manager::Trigger::start) return;
    for (int s = 0; s < 3; ++s) {
      const double ms = seen.profile->latency_ms(0, s, seen.applications[0].unit, 1);
      told += std::isnan(ms) ? "- " : std::to_string(static_cast<int>(ms)) + " ";
    }
    for (const auto& domain : seen.domains) told += domain.name + " " + std::to_string(domain.opps_mhz.size()) + "; ";
    decision.set(manager::Knob::subnet, 0, 1, manager::because("one that is not in memory"));
  });
  const RunRecord record = WeighingLab().run(R"({"duration_s": 0.1, "opps_mhz": {"gpu": [1000, 250]}, "applications": {
      "app": {"unit": "gpu", "subnet": "L3", "subnets": ["L3", "L1"],
              "arrivals": {"kind": "periodic", "period_ms": 50}}},
      "policy": {"name": "test-hook"}})");
  CHECK(told == "10 - 40 gpu 2; cpu 3; ");
  CHECK(record.apps[0].subnets[0].completed == 2);  // a step down ends at the next that is there
  CHECK(record.apps[0].subnets[1].completed == 0);
}

TEST_CASE("memory is that of the sub-networks kept, and unknown where one is not stated", "[metrics]") {
  const auto memory_mb = [](const Lab& lab, const std::string& kept) {
    const Scenario scenario = lab.load(R"({"duration_s": 0.1, "applications": {"app": {"unit": "gpu", )" + kept +
                                       R"("arrivals": {"kind": "periodic", "period_ms": 50}}}})");
    const RunRecord record = simulate(*scenario.setup, {}, EngineKind::native, 0);
    return MetricColumn(*scenario.setup, "run.memory_mb").value(measure(*scenario.setup, record));
  };
  CHECK(memory_mb(WeighingLab(), "") == 28);
  CHECK(memory_mb(WeighingLab(), R"("subnets": ["L1", "L3"], )") == 20);
  CHECK(std::isnan(memory_mb(Lab(), "")));
}

TEST_CASE("what cannot be kept is refused", "[scenario]") {
  const auto message = [](const std::string& top, const std::string& app) {
    try {
      Lab().load(R"({"duration_s": 0.1, )" + top + R"("applications": {"app": {"unit": "gpu", )" + app +
                 R"("arrivals": {"kind": "periodic", "period_ms": 50}}}})");
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK_THAT(message("", R"("subnets": ["L1", "L4"], )"),
             Catch::Contains("/applications/app/subnets/1: network net has no sub-network \"L4\""));
  CHECK_THAT(message("", R"("subnets": ["L1", "L1"], )"), Catch::Contains("is there twice"));
  CHECK_THAT(message("", R"("subnet": "L2", "subnets": ["L1"], )"),
             Catch::Contains("no sub-network \"L2\" on unit gpu (known: L1)"));
  CHECK_THAT(message(R"("opps_mhz": {"gpu": [600]}, )", ""),
             Catch::Contains("/opps_mhz/gpu/0: 600 MHz is no operating point of gpu (the nearest is 500)"));
  CHECK_THAT(message(R"("opps_mhz": {"gpu": []}, )", ""), Catch::Contains("a clock needs an operating point"));
  CHECK_THAT(message(R"("opps_mhz": {"gqu": [500]}, )", ""), Catch::Contains("did you mean \"gpu\"?"));
}

}  // namespace
}  // namespace dynasoc::test
