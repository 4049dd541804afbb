// static, none, and the governors that need no load: performance, powersave, userspace.
#include <catch2/catch.hpp>

#include "manager/governor.hpp"
#include "manager/policy.hpp"

using namespace dynasoc;
using namespace dynasoc::manager;

namespace {

int next(const std::string& name, const std::string& parameters, int opp, int lowest, int highest) {
  static const std::vector<double> kOpps{100, 200, 400, 800};
  const auto document = Document::parse(parameters, "parameters");
  const Value value(document);
  const auto governor = Registry<Governor>::instance().make(name, &value);
  CHECK(governor->period_ms() == 0);
  DomainSample sample;
  sample.opps_mhz = kOpps;
  sample.opp = opp;
  sample.lowest = lowest;
  sample.highest = highest;
  return governor->next(sample);
}

class Latencies final : public Profile {
 public:
  Entry entry(int, int subnet, int, int) const override { return {10.0 * (subnet + 1), 1}; }
};

}  // namespace

TEST_CASE("performance and jetson_clocks take the highest clock the limits allow, powersave the lowest") {
  for (int lowest = 0; lowest < 4; ++lowest)
    for (int highest = lowest; highest < 4; ++highest)
      for (int opp = 0; opp < 4; ++opp) {
        CHECK(next("performance", "{}", opp, lowest, highest) == highest);
        CHECK(next("powersave", "{}", opp, lowest, highest) == lowest);
        CHECK(next("jetson_clocks", "{}", opp, lowest, highest) == highest);
      }
}

TEST_CASE("userspace holds what it was told, the nearest OPP, or leaves the clock as it is") {
  CHECK(next("userspace", R"({"mhz": 400})", 0, 0, 3) == 2);
  CHECK(next("userspace", R"({"mhz": 290})", 0, 0, 3) == 1);
  CHECK(next("userspace", R"({"mhz": 310})", 0, 0, 3) == 2);
  CHECK(next("userspace", R"({"mhz": 5000})", 0, 0, 3) == 3);
  CHECK(next("userspace", R"({"mhz": 1})", 2, 0, 3) == 0);
  CHECK(next("userspace", "{}", 2, 0, 3) == 2);
}

TEST_CASE("static: a fixed level, or the most accurate that meets the target by the tables, else the smallest") {
  AppView app;
  app.subnets = 4;
  app.accuracy = {60, 70, 75, 80};
  UnitView unit;
  unit.domains = {0};
  DomainView domain;
  domain.opps_mhz = {1000};
  const Latencies profile;
  Observation seen;
  seen.applications = {&app, 1};
  seen.units = {&unit, 1};
  seen.domains = {&domain, 1};
  seen.profile = &profile;
  const auto chosen = [&](const char* parameters, double target_ms) {
    const auto document = Document::parse(parameters, "parameters");
    const Value value(document);
    const auto policy = Registry<Policy>::instance().make("static", &value);
    app.latency_target_ms = target_ms;
    Decision decision;
    policy->decide(seen, decision);
    REQUIRE(decision.writes.size() == 1);
    CHECK(decision.writes[0].knob == Knob::subnet);
    return decision.writes[0].value;
  };
  CHECK(chosen(R"({"level": 2})", 5) == 1);
  CHECK(chosen(R"({"level": 9})", 5) == 3);
  CHECK(chosen("{}", 0) == 3);
  CHECK(chosen("{}", 35) == 2);
  CHECK(chosen("{}", 30) == 2);
  CHECK(chosen("{}", 29.9) == 1);
  CHECK(chosen("{}", 5) == 0);
}

TEST_CASE("none does nothing") {
  const auto policy = Registry<Policy>::instance().make("none", nullptr);
  Decision decision;
  policy->decide(Observation{}, decision);
  CHECK(decision.writes.empty());
  CHECK(policy->triggers().period_ms == 0);
}
