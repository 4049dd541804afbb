// Batteries and thermal budgets against closed forms. The board draws 3 W static, 2 W (gpu) and 1 W (cpu) idle; a busy
// gpu at 1000 MHz draws 10 W above idle.
#include <catch2/catch.hpp>

#include "support/hooked_policy.hpp"
#include "support/lab.hpp"

namespace dynasoc::test {
namespace {

Json camera(double period_ms) {
  return {{"unit", "gpu"},
          {"subnet", "L2"},
          {"arrivals", {{"kind", "periodic"}, {"period_ms", period_ms}}},
          {"execution", {{"kind", "constant"}}}};
}

}  // namespace

TEST_CASE("a battery lasts for its energy over the board's power", "[battery]") {
  Lab lab;
  // Idle: 6 W. 12 J last 2 s.
  Json scenario = {{"duration_s", 5}, {"battery", {{"capacity_j", 24}, {"charge", 0.5}}}};
  scenario["applications"]["late"] = camera(100);
  scenario["applications"]["late"]["start_s"] = 3;
  const RunRecord record = lab.run(scenario);
  CHECK(record.battery_life_s == Approx(2).epsilon(1e-6));
  CHECK(record.battery_left_j == Approx(0).margin(1e-4));
  CHECK(record.energy_j() == Approx(12).epsilon(1e-6));  // and nothing after that
  CHECK(record.apps[0].jobs == 20);
  CHECK(record.apps[0].rejected == 20);
}

TEST_CASE("a frame that is being served when the battery is empty has no result", "[battery]") {
  Lab lab;
  // 20 ms of 50 busy: 6 + 0.4 x 10 = 10 W. 1.03 J: 0.1 s take 1 J; then 16 W, which 0.03 J feed for 1.875 ms.
  Json scenario = {{"duration_s", 1}, {"battery", {{"capacity_j", 1.03}}}};
  scenario["applications"]["app"] = camera(50);
  const RunRecord record = lab.run(scenario);
  CHECK(record.battery_life_s == Approx(0.101875).epsilon(1e-4));
  CHECK(record.apps[0].completed == 2);
  CHECK(record.apps[0].dropped == 1);
  CHECK(record.apps[0].rejected == 17);
  CHECK(record.energy_j() == Approx(1.03).epsilon(1e-4));
}

TEST_CASE("what is left of a battery is what was not drawn, and managers see it", "[battery]") {
  Lab lab;
  std::vector<double> charges;
  double until_s = 0, capacity_j = 0;
  const HookPolicy hook([&](const manager::Observation& seen, manager::Decision&) {
    charges.push_back(seen.battery.charge_j);
    until_s = to_s(seen.battery.until);
    capacity_j = seen.battery.capacity_j;
  });
  Json scenario = {{"duration_s", 1},
                   {"battery", {{"capacity_j", 100}, {"until_s", 0.75}}},
                   {"policy", {{"name", "test-hook"}, {"period_ms", 250}}}};
  scenario["applications"]["app"] = camera(50);
  const RunRecord record = lab.run(scenario);
  CHECK(record.battery_life_s == 1);
  CHECK(record.battery_left_j == Approx(100 - record.energy_j()));
  CHECK(record.energy_j() == Approx(10));
  REQUIRE(charges.size() >= 4);
  CHECK(charges[0] == 100);
  CHECK(charges[1] == Approx(97.5));
  CHECK(charges[3] == Approx(92.5));
  CHECK(until_s == 0.75);
  CHECK(capacity_j == 100);
}

TEST_CASE("a board without power draws nothing, whatever cools", "[battery]") {
  Lab lab;
  lab.board["thermal"] = {{"ambient_c", 25},
                          {"initial_c", 60},
                          {"poll_ms", 50},
                          {"provenance", "derived"},
                          {"source", "made up"},
                          {"nodes", {{"die", {{"capacity_j_per_k", 1}, {"to_ambient_w_per_k", 0.5}}}}},
                          {"trips", {{{"node", "die"}, {"temperature_c", 45}, {"domains", {"gpu", "cpu"}}}}}};
  for (const char* unit : {"gpu", "cpu"}) lab.board["units"][unit]["thermal_node"] = "die";
  Json scenario = {{"duration_s", 20}, {"battery", {{"capacity_j", 3}}}};
  scenario["applications"]["app"] = camera(50);
  const RunRecord record = lab.run(scenario);
  CHECK(record.battery_life_s < 1);
  CHECK(record.battery_left_j == 0);
  CHECK(record.energy_j() == Approx(3).epsilon(1e-4));
  for (const DecisionRecord& one : record.decision_log) CHECK(to_s(one.at) <= record.battery_life_s);
}

TEST_CASE("without a battery nothing runs out", "[battery]") {
  Lab lab;
  Json scenario = {{"duration_s", 1}};
  scenario["applications"]["app"] = camera(50);
  const RunRecord record = lab.run(scenario);
  CHECK(std::isnan(record.battery_left_j));
  CHECK(std::isnan(record.battery_life_s));
  CHECK(manager::BatteryView{}.allowed_w(0) == HUGE_VAL);
  CHECK(manager::BatteryView{100, 50, 10_s}.allowed_w(5_s) == Approx(10));
}

TEST_CASE("time over the thermal budget is counted by polls", "[thermal]") {
  Lab lab;
  // One node, 1 J/K and 0.5 W/K: with the static 3 W the end is 25 + 6 = 31 °C, time constant 2 s. 28 °C is passed
  // after 2 ln 2 = 1.386 s; polled every 100 ms from 1.4 s on: the first stretch that counts ends there.
  lab.board["thermal"] = {{"ambient_c", 25},
                          {"poll_ms", 100},
                          {"provenance", "derived"},
                          {"source", "made up"},
                          {"nodes", {{"board", {{"capacity_j_per_k", 1}, {"to_ambient_w_per_k", 0.5}}}}},
                          {"static_node", "board"}};
  Json scenario = {{"duration_s", 3}, {"thermal_budget", {{"limit_c", 28}}}};
  scenario["applications"]["app"] = camera(100);
  const RunRecord record = lab.run(scenario);
  CHECK(record.above_budget_s == Approx(1.7));
  scenario["thermal_budget"]["node"] = "board";
  CHECK(lab.run(scenario).above_budget_s == Approx(1.7));
  scenario["thermal_budget"]["node"] = "bord";
  CHECK_THROWS_WITH(lab.run(scenario), Catch::Contains("did you mean \"board\""));
  scenario.erase("thermal_budget");
  CHECK(std::isnan(lab.run(scenario).above_budget_s));
}

}  // namespace dynasoc::test
