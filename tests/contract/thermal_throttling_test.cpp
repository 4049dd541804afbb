// Step-wise throttling: a trip point caps clocks one step a poll while it is hot, holds them within the hysteresis, and
// gives them back one step a poll below it.
#include <cmath>

#include <catch2/catch.hpp>

#include "support/hooked_policy.hpp"
#include "support/lab.hpp"

namespace dynasoc::test {
namespace {

// One node of 0.5 J/K and 0.2 W/K: a time constant of 2.5 s, 5 K above the surroundings for every watt. A busy gpu
// draws 12, 7 or 4 W: 85, 60 or 45 degrees in the end, at 25 around. The load leaves at 20 s.
struct HotLab : Lab {
  HotLab(double trip_c = 58, double hysteresis_k = 6) {
    board["thermal"] = parse_json(R"({
      "ambient_c": 25, "initial_c": 25, "poll_ms": 100,
      "nodes": {"die": {"capacity_j_per_k": 0.5, "to_ambient_w_per_k": 0.2}},
      "provenance": "derived", "source": "made up"
    })");
    board["thermal"]["trips"] = Json::array(
        {{{"node", "die"}, {"temperature_c", trip_c}, {"hysteresis_k", hysteresis_k}, {"domains", {"gpu"}}}});
    board["units"]["gpu"]["thermal_node"] = "die";
  }
};

constexpr const char* kBusy = R"({"duration_s": 30,
    "applications": {"app": {"unit": "cpu", "subnet": "L1", "arrivals": {"kind": "periodic", "period_ms": 100}}},
    "background": {"load": {"unit": "gpu", "to_s": 20}}})";

std::string caps_of(const RunRecord& record) {
  std::string out;
  for (const DecisionRecord& one : record.decision_log)
    if (one.knob == "thermal cap") {
      CHECK(one.target == "gpu");
      out += std::to_string(one.at / 1'000'000) + ":" + one.from + ">" + one.to + " ";
    }
  return out;
}

// The same board once more, in a dozen lines: the temperature is exact over each poll, for the power is constant in it.
std::string expected_caps(double trip_c, double hysteresis_k, double duration_s, double* peak_c) {
  const double mhz[] = {250, 500, 1000}, watts[] = {4, 7, 12};
  double temperature = 25;
  int opp = 2;
  std::string out;
  *peak_c = temperature;
  for (int poll = 1; poll * 0.1 < duration_s - 1e-9; ++poll) {
    const double aim = 25 + 5 * (poll <= 200 ? watts[opp] : 2);
    temperature = aim + (temperature - aim) * std::exp(-0.1 / 2.5);
    *peak_c = std::max(*peak_c, temperature);
    const int before = opp;
    if (temperature >= trip_c)
      opp = std::max(0, opp - 1);
    else if (temperature < trip_c - hysteresis_k)
      opp = std::min(2, opp + 1);
    char line[64];
    std::snprintf(line, sizeof line, "%d:%g>%g ", poll * 100, mhz[before], mhz[opp]);
    if (opp != before) out += line;
  }
  return out;
}

TEST_CASE("a trip caps the clock stepwise, and hysteresis gives it back stepwise", "[throttle]") {
  for (const double hysteresis_k : {0.5, 6.0, 12.0}) {
    INFO("hysteresis " << hysteresis_k << " K");
    const HotLab lab(58, hysteresis_k);
    const RunRecord record = lab.run(kBusy);
    double peak_c = 0;
    const std::string expected = expected_caps(58, hysteresis_k, 30, &peak_c);
    CHECK(caps_of(record) == expected);
    CHECK(expected.find(">250") != std::string::npos);   // the vector has all there is to see: down twice,
    CHECK(expected.find(">1000") != std::string::npos);  // and all the way back
    CHECK(record.peak_temperature_c == Approx(peak_c).epsilon(1e-9));
    CHECK(record.conservation_error <= 1e-9);
  }
}

TEST_CASE("with temperatures switched off nothing throttles", "[throttle]") {
  Json scenario = parse_json(kBusy);
  scenario["thermal"] = false;
  const RunRecord record = HotLab().run(scenario);
  CHECK(caps_of(record).empty());
  CHECK(std::isnan(record.peak_temperature_c));
  CHECK(record.units[0].mhz_s == Approx(30 * 1000.0).epsilon(1e-12));
}

TEST_CASE("hotter surroundings throttle sooner", "[throttle]") {
  Json scenario = parse_json(kBusy);
  const RunRecord mild = HotLab().run(scenario);
  scenario["ambient_c"] = 40;
  const RunRecord hot = HotLab().run(scenario);
  REQUIRE_FALSE(mild.decision_log.empty());
  REQUIRE_FALSE(hot.decision_log.empty());
  CHECK(hot.decision_log[0].at < mild.decision_log[0].at);
  CHECK(hot.units[0].mhz_s < mild.units[0].mhz_s);
}

TEST_CASE("a cap binds policies and their limits, but is not their doing", "[throttle]") {
  int trips = 0;
  double hottest = 0;
  const HookPolicy hook([&](const manager::Observation& seen, manager::Decision& decision) {
    if (seen.trigger == manager::Trigger::thermal_trip) ++trips;
    hottest = std::max(hottest, seen.temperatures_c[0]);
    CHECK(seen.domains[0].highest >= 0);
    decision.set(manager::Knob::frequency, 0, 2, manager::because(""));  // insists on the highest clock
  });
  Json scenario = parse_json(kBusy);
  scenario["policy"] = parse_json(R"({"name": "test-hook", "period_ms": 50, "thermal_trip": true})");
  const RunRecord record = HotLab().run(scenario);
  double peak_c = 0;
  const std::string expected = expected_caps(58, 6, 30, &peak_c);
  CHECK(caps_of(record) == expected);
  CHECK(trips == std::count(expected.begin(), expected.end(), '>'));
  CHECK(hottest == Approx(record.peak_temperature_c).epsilon(1e-12));  // it sees the temperature of the last poll
}

TEST_CASE("where two trips share a clock, the hot one wins", "[throttle]") {
  // The cpu's node never gets near its own trip point: it must not undo what the die's asks for.
  HotLab lab;
  lab.board["thermal"]["nodes"]["case"] = parse_json(R"({"capacity_j_per_k": 100, "to_ambient_w_per_k": 5})");
  lab.board["thermal"]["trips"].push_back(
      {{"node", "case"}, {"temperature_c", 80}, {"hysteresis_k", 5}, {"domains", {"gpu"}}});
  double peak_c = 0;
  CHECK(caps_of(lab.run(kBusy)) == expected_caps(58, 6, 30, &peak_c));
  std::swap(lab.board["thermal"]["trips"][0], lab.board["thermal"]["trips"][1]);
  CHECK(caps_of(lab.run(kBusy)) == expected_caps(58, 6, 30, &peak_c));
}

TEST_CASE("a trip caps every clock it names, each from where it is", "[throttle]") {
  HotLab lab;
  lab.board["thermal"]["trips"][0]["domains"] = {"gpu", "cpu"};
  Json scenario = parse_json(kBusy);
  scenario["governors"] = parse_json(R"({"cpu": {"name": "userspace", "mhz": 1000}})");
  const RunRecord record = lab.run(scenario);
  std::string first_gpu, first_cpu;
  for (const DecisionRecord& one : record.decision_log) {
    if (one.target == "gpu" && first_gpu.empty()) first_gpu = one.to;
    if (one.target == "cpu" && first_cpu.empty()) first_cpu = one.to;
  }
  CHECK(first_gpu == "500");
  CHECK(first_cpu == "500");  // one step below the 1000 MHz it was at, not below the 2000 it might have had
}

TEST_CASE("throttling slows a job down in its middle", "[throttle]") {
  // 12 W throughout would take the die over 58 degrees at 2.5 ln(60 / 27) = 1.996 s: the poll at 2.0 s sees it. From
  // then on the job of 4 s (100 x L3 in one query) has its second half at 500 MHz; 60 degrees at 7 W, still hot: 250
  // MHz at 2.1.
  HotLab lab(58, 50);
  const RunRecord record = lab.run(R"({"duration_s": 30, "applications": {"app": {"unit": "gpu", "subnet": "L3",
      "arrivals": {"kind": "multi-stream", "samples": 100}}}})");
  CHECK(caps_of(record) == "2000:1000>500 2100:500>250 ");
  CHECK(to_ms(jobs_of(record)[0].end) == Approx(2100 + (4000 - 2000 - 50) * 4));
}

TEST_CASE("by Linux' step_wise rule a hot clock comes back as soon as the temperature falls", "[throttle]") {
  // The same board once more by that rule: a poll needs the temperature of the one before.
  HotLab lab(54, 6);
  lab.board["thermal"]["governor"] = "step_wise";
  const double mhz[] = {250, 500, 1000}, watts[] = {4, 7, 12};
  double temperature = 25, before = 25;
  int state = 0, back_while_hot = 0;
  std::string expected;
  for (int poll = 1; poll < 300; ++poll) {
    const double aim = 25 + 5 * (poll <= 200 ? watts[2 - state] : 2);
    temperature = aim + (temperature - aim) * std::exp(-0.1 / 2.5);
    const int old = state;
    if (temperature > before && temperature >= 54) state = std::min(state + 1, 2);
    if (temperature < before) state = std::max(state - 1, 0);
    if (state < old && temperature >= 54) ++back_while_hot;
    before = temperature;
    char line[64];
    std::snprintf(line, sizeof line, "%d:%g>%g ", poll * 100, mhz[2 - old], mhz[2 - state]);
    if (state != old) expected += line;
  }
  CHECK(caps_of(lab.run(kBusy)) == expected);
  CHECK(back_while_hot > 0);
  CHECK(expected.find(">250") != std::string::npos);
}

TEST_CASE("by that rule a trip that was never reached keeps no cap of another's", "[throttle]") {
  // The case creeps up all the while, far from its trip point.
  HotLab lab(54, 6);
  lab.board["thermal"]["governor"] = "step_wise";
  const std::string alone = caps_of(lab.run(kBusy));
  lab.board["thermal"]["nodes"]["case"] = parse_json(R"({"capacity_j_per_k": 1000, "to_ambient_w_per_k": 0.01})");
  lab.board["units"]["cpu"]["thermal_node"] = "case";
  lab.board["thermal"]["trips"].push_back(
      {{"node", "case"}, {"temperature_c", 140}, {"hysteresis_k", 5}, {"domains", {"gpu"}}});
  CHECK(caps_of(lab.run(kBusy)) == alone);
}

}  // namespace
}  // namespace dynasoc::test
