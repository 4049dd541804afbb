// The table-driven manager of Dynamic-OFA on hand-worked choices.
#include <catch2/catch.hpp>

#include "manager/policy.hpp"

using namespace dynasoc;
using namespace dynasoc::manager;

namespace {

// Two units with one clock each (unit 0: cpu, unit 1: gpu), OPPs 500 and 1000 MHz, latency inversely proportional to
// the clock; three sub-networks. Energy: power 1 W at 500 MHz, 4 W at 1000 MHz.
class Board final : public Profile {
 public:
  Entry entry(int, int subnet, int unit, int opp) const override {
    constexpr double kGpuMs[] = {20, 40, 60};
    const double ms = (unit == 1 ? 1 : 3) * kGpuMs[subnet] * (opp == 0 ? 2 : 1);
    return {covered[unit] ? ms : std::nan(""), ms * (opp == 0 ? 1 : 4)};
  }
  std::array<bool, 2> covered{true, true};
};

class Desk {
 public:
  explicit Desk(const std::string& parameters) {
    const auto document = Document::parse(parameters, "parameters");
    const Value value(document);
    policy_ = Registry<Policy>::instance().make("dynamic-ofa", &value);
    app.subnets = 3;
    app.accuracy = {70, 75, 80};
    app.subnet = 1;
    app.unit = 1;
    app.active = true;
    for (int i = 0; i < 2; ++i) {
      units[i].index = domains[i].index = i;
      units[i].domains = {i};
      domains[i].opps_mhz = {500, 1000};
      domains[i].opp = domains[i].requested = domains[i].highest = 1;
    }
    seen.applications = {&app, 1};
    seen.units = units;
    seen.domains = domains;
    seen.profile = &board;
  }

  const Decision& decide(double now_ms, Trigger trigger = Trigger::period) {
    seen.now = from_ms(now_ms);
    seen.trigger = trigger;
    decision.clear();
    policy_->decide(seen, decision);
    return decision;
  }
  int wanted(Knob knob) const {
    for (const Write& write : decision.writes)
      if (write.knob == knob) return write.value;
    return -1;
  }
  void complete(double service_ms, double profile_ms) {
    app.samples[app.completed % AppView::kRemembered] = {seen.now,   service_ms, service_ms, profile_ms,
                                                         app.subnet, app.unit,   1,          false};
    ++app.completed;
  }

  Board board;
  AppView app;
  std::array<UnitView, 2> units;
  std::array<DomainView, 2> domains;
  Observation seen;
  Decision decision;

 private:
  std::unique_ptr<Policy> policy_;
};

constexpr const char* kPlain = R"({"name": "dynamic-ofa", "hysteresis": 0.1, "smoothing": 1, "dwell_ms": 500})";

}  // namespace

TEST_CASE("the most accurate sub-network that meets the target with the hysteresis to spare") {
  Desk desk(kPlain);
  desk.app.latency_target_ms = 67;  // 60 <= 0.9 x 67 = 60.3
  desk.decide(0, Trigger::start);
  CHECK(desk.wanted(Knob::subnet) == 2);
}

TEST_CASE("a step up that would meet the target only just is not taken") {
  Desk desk(kPlain);
  desk.app.latency_target_ms = 66;  // 60 > 0.9 x 66 = 59.4
  desk.decide(0, Trigger::start);
  CHECK(desk.decision.writes.empty());
}

TEST_CASE("the current sub-network may use the whole target") {
  Desk desk(kPlain);
  desk.app.subnet = 2;
  desk.app.latency_target_ms = 60;
  CHECK(desk.decide(0).writes.empty());
}

TEST_CASE("a violation is answered at the measured slow-down") {
  Desk desk(kPlain);
  desk.app.subnet = 2;
  desk.app.latency_target_ms = 66;
  desk.complete(90, 60);  // slow-down 1.5: 90, 60, 30 ms are predicted
  desk.decide(100);
  CHECK(desk.wanted(Knob::subnet) == 1);
}

TEST_CASE("the slow-down is an exponentially weighted mean that starts at the first sample") {
  Desk desk(R"({"name": "dynamic-ofa", "hysteresis": 0, "smoothing": 0.5})");
  desk.app.subnet = 2;
  desk.app.latency_target_ms = 75.1;
  desk.complete(60, 60);  // 1
  desk.complete(90, 60);  // 1 + 0.5 (1.5 - 1) = 1.25: 75 ms
  CHECK(desk.decide(100).writes.empty());
  desk.complete(90, 60);  // 1.375: 82.5 ms
  desk.decide(200);
  CHECK(desk.wanted(Knob::subnet) == 1);
}

TEST_CASE("after a change it waits for the dwell time before it steps up, but not before it steps down") {
  Desk desk(kPlain);
  desk.app.subnet = 2;
  desk.app.latency_target_ms = 70;
  desk.complete(90, 60);
  desk.decide(100);
  REQUIRE(desk.wanted(Knob::subnet) == 1);
  desk.app.subnet = 1;
  desk.complete(40, 40);  // alone again
  CHECK(desk.decide(300).writes.empty());
  CHECK(desk.decide(599).writes.empty());
  desk.decide(601);
  CHECK(desk.wanted(Knob::subnet) == 2);
}

TEST_CASE("where nothing meets the target, the fastest") {
  Desk desk(kPlain);
  desk.app.latency_target_ms = 5;
  desk.decide(0);
  CHECK(desk.wanted(Knob::subnet) == 0);
}

TEST_CASE("without a target, the most accurate") {
  Desk desk(kPlain);
  desk.decide(0, Trigger::start);
  CHECK(desk.wanted(Knob::subnet) == 2);
}

TEST_CASE("the accuracy floor and the energy budget bind") {
  Desk desk(kPlain);
  desk.app.latency_target_ms = 100;
  desk.app.energy_budget_mj = 170;  // 60 ms x 4 W = 240 mJ is too much, 40 ms x 4 W = 160 mJ is not
  CHECK(desk.decide(0, Trigger::start).writes.empty());
  desk.app.energy_budget_mj = 0;
  desk.app.accuracy_floor = 78;
  desk.decide(1000, Trigger::start);
  CHECK(desk.wanted(Knob::subnet) == 2);
}

TEST_CASE(
    "with DVFS, among equally accurate choices the one of least energy: the slower clock that still meets the target") {
  Desk desk(R"({"name": "dynamic-ofa", "hysteresis": 0.1, "smoothing": 1, "dvfs": true})");
  desk.app.subnet = 2;
  desk.app.latency_target_ms = 134;  // 120 ms at 500 MHz <= 0.9 x 134 = 120.6
  desk.decide(0, Trigger::start);
  CHECK(desk.wanted(Knob::subnet) == -1);
  REQUIRE(desk.decision.writes.size() == 1);
  CHECK(desk.decision.writes[0].knob == Knob::frequency);
  CHECK(desk.decision.writes[0].target == 1);
  CHECK(desk.decision.writes[0].value == 0);
}

TEST_CASE("with DVFS, accuracy comes before energy") {
  Desk desk(R"({"name": "dynamic-ofa", "hysteresis": 0.1, "smoothing": 1, "dvfs": true})");
  desk.app.subnet = 2;
  desk.app.latency_target_ms = 70;  // L3 only at 1000 MHz
  desk.decide(0, Trigger::start);   // the clock is right, and taken from its governor so that it stays right
  REQUIRE(desk.decision.writes.size() == 1);
  CHECK(desk.wanted(Knob::frequency) == 1);
  desk.domains[1].governed = false;
  CHECK(desk.decide(100).writes.empty());
}

TEST_CASE("with mapping, the unit on which the most accurate sub-network fits") {
  Desk desk(R"({"name": "dynamic-ofa", "hysteresis": 0.1, "smoothing": 1, "mapping": true})");
  desk.app.unit = 0;
  desk.app.subnet = 0;
  desk.app.latency_target_ms = 70;  // on the cpu 60, 120, 180 ms; on the gpu 20, 40, 60 ms
  desk.decide(0, Trigger::start);
  CHECK(desk.wanted(Knob::mapping) == 1);
  CHECK(desk.wanted(Knob::subnet) == 2);
}

TEST_CASE("units that the tables do not cover are not considered") {
  Desk desk(R"({"name": "dynamic-ofa", "hysteresis": 0.1, "smoothing": 1, "mapping": true})");
  desk.board.covered = {true, false};
  desk.app.unit = 0;
  desk.app.subnet = 0;
  desk.app.latency_target_ms = 130;  // cpu: 120 > 117, 60 fits
  CHECK(desk.decide(0, Trigger::start).writes.empty());
}

TEST_CASE("an inactive application is left alone, and candidates are recorded only when somebody reads them") {
  Desk desk(kPlain);
  desk.app.latency_target_ms = 70;
  desk.app.active = false;
  CHECK(desk.decide(0, Trigger::start).writes.empty());
  desk.app.active = true;
  CHECK(desk.decide(1000, Trigger::start).candidates.empty());
  desk.seen.explain = true;
  CHECK(desk.decide(2000, Trigger::start).candidates.size() == 3);
}

TEST_CASE("a late frame does not lift the dwell time of a rise") {
  Desk desk(kPlain);
  desk.app.subnet = 2;
  desk.app.latency_target_ms = 70;
  desk.complete(90, 60);
  desk.decide(100);
  REQUIRE(desk.wanted(Knob::subnet) == 1);
  desk.app.subnet = 1;
  desk.app.samples[desk.app.completed % AppView::kRemembered] = {desk.seen.now, 500, 40, 40, 1, 1, 1,
                                                                 true};  // it waited
  ++desk.app.completed;
  CHECK(desk.decide(150).writes.empty());
}

TEST_CASE("what ran on one unit teaches nothing about another") {
  Desk desk(R"({"name": "dynamic-ofa", "hysteresis": 0.1, "smoothing": 1, "mapping": true, "dwell_ms": 0})");
  desk.app.unit = 0;  // moved there while a frame was still running on the gpu
  desk.app.subnet = 0;
  desk.app.latency_target_ms = 65;
  desk.app.samples[0] = {from_ms(10), 200, 200, 20, 0, 1, 1, true};
  desk.app.completed = 1;
  CHECK(desk.decide(100).writes.empty());  // 60 ms on the cpu, as the table says; the gpu is ten times slower
}

TEST_CASE("latency comes before the accuracy floor, and the reason says which target gave way") {
  Desk desk(kPlain);
  desk.app.subnet = 2;
  desk.app.latency_target_ms = 50;
  desk.app.accuracy_floor = 78;
  desk.decide(0, Trigger::start);
  CHECK(desk.wanted(Knob::subnet) == 1);
  CHECK(desk.decision.writes.at(0).why.reason.text() ==
        "predicted 40.00 ms of 50.00 ms; no accuracy of 78.00 is that fast");
}

TEST_CASE("a power budget binds") {
  Desk desk(R"({"name": "dynamic-ofa", "hysteresis": 0.1, "smoothing": 1, "dvfs": true})");
  desk.app.subnet = 2;
  desk.app.latency_target_ms = 100;
  desk.app.power_budget_w = 2;  // 4 W at 1000 MHz, 1 W at 500 MHz: L2 takes 80 ms there
  desk.decide(0, Trigger::start);
  CHECK(desk.wanted(Knob::subnet) == 1);
  CHECK(desk.wanted(Knob::frequency) == 0);
}

TEST_CASE("a clock that a governor moves is taken at its fastest; what it takes away is slow-down") {
  Desk desk(kPlain);
  for (DomainView& domain : desk.domains) domain.governed = true;
  desk.app.subnet = 2;
  desk.app.latency_target_ms = 70;
  CHECK(desk.decide(0, Trigger::start).writes.empty());  // at 1000 MHz
  desk.domains[1].opp = 0;                               // the governor rests between frames: 120 ms by the table
  CHECK(desk.decide(100).writes.empty());
  desk.complete(66, 120);  // dispatched at 500 MHz, it ran faster in its middle: 66 of 60 ms, not of 120
  CHECK(desk.decide(200).writes.empty());
  desk.complete(75, 120);  // 1.25: 75, 50, 25 ms
  desk.decide(300);
  CHECK(desk.wanted(Knob::subnet) == 1);
}
