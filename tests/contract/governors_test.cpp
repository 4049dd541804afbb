// What governors are shown of a board, and what their clocks then do to frames.
#include <catch2/catch.hpp>

#include "support/hooked_policy.hpp"
#include "support/lab.hpp"

using namespace dynasoc;
using namespace dynasoc::test;

namespace {

// A governor that notes what it is shown and holds the clock.
struct Spied {
  manager::Ask ask;
  double at_ms, busy, running;
  int cpus;
  bool io_wake;
};
std::vector<Spied> seen_by_spy;

class Spy final : public manager::Governor {
 public:
  struct Parameters {
    double period_ms = 0;
    bool follows = false;
    static constexpr auto fields() {
      return describe(field(&Parameters::period_ms, "period_ms", non_negative(), ""),
                      field(&Parameters::follows, "follows", ""));
    }
  };
  explicit Spy(const Parameters& parameters) : p_(parameters) {}
  double period_ms() const override { return p_.period_ms; }
  bool follows_load() const override { return p_.follows; }

 protected:
  int choose(const manager::DomainSample& sample) override {
    const manager::CoreLoad& core = sample.cores[0];
    seen_by_spy.push_back({sample.ask, to_ms(sample.now), core.busy, core.running, sample.cpus, core.io_wake});
    return sample.opp;
  }

 private:
  Parameters p_;
};
const manager::Registration<manager::Governor, Spy> spy{"test-spy", "notes what it is shown", "a test"};

const char* const kOneFrame = R"({"duration_s": 1.2, "policy": "none", "governors": {"cpu": GOVERNOR},
  "applications": {"app": {"unit": "UNIT", "subnet": "L1", "arrivals": {"kind": "trace", "file": "t.csv"}}}})";

std::string one_frame(const std::string& governor, const std::string& unit = "cpu") {
  std::string out = kOneFrame;
  out.replace(out.find("GOVERNOR"), 8, governor);
  out.replace(out.find("UNIT"), 4, unit);
  return out;
}

}  // namespace

TEST_CASE("under schedutil a frame after a long gap starts at the lowest clock and climbs tick by tick") {
  Lab lab;
  lab.write_trace("t.csv", {1000});
  // At 1000 ms utilisation is 0: 500 MHz. It grows to 0.25 (1 - 2^(-t/32)) and asks for more than 500 MHz from
  // 205/1024 on: t = 32 log2(0.25 / 0.0498) = 74.5, the tick at 1076 ms. 76 of 120 ms are done; the rest takes
  // 22 ms at 1000 MHz, for the next step would come only at 1128 ms.
  CHECK(story_of(lab.run(one_frame(R"("schedutil")"))) == "1000>1000-1098 met");
  CHECK(story_of(lab.run(one_frame(R"("performance")"))) == "1000>1000-1030 met");
  // JetPack 4's second average has a half-life of 3 ms: 32 turns to 3, t = 6.98, the tick at 1008. 8 of 120 ms are
  // done. At 1000 MHz it grows from 0.2106 towards 0.5 and passes 410/1024 at 3 log2(0.2894 / 0.0996) = 4.6 ms: 1016. 8
  // of 60 ms more; the remaining 0.8 takes 24 ms at 2000 MHz.
  CHECK(story_of(lab.run(one_frame(R"({"name": "schedutil", "variant": "jetpack-4"})"))) == "1000>1000-1040 met");
}

TEST_CASE("a deferrable sampling timer waits for work, and then samples at once") {
  Lab lab;
  lab.write_trace("t.csv", {1000});
  // ondemand finds an idle window of a second at 1000 ms: 500 MHz; at 1010 ms full load: 2000 MHz. 10 of 120 ms are
  // done by then; 11/12 of 30 ms remain.
  CHECK(story_of(lab.run(one_frame(R"("ondemand")"))) == "1000>1000-1037.5 met");
}

TEST_CASE("a governor is told of load as it is when the instant is over, with the share of its window") {
  Lab lab;
  lab.write_trace("t.csv", {100, 100});  // two frames, back to back: 100 to 130 and 130 to 160 ms
  seen_by_spy.clear();
  lab.run(one_frame(R"({"name": "test-spy", "follows": true, "period_ms": 200})"));
  REQUIRE(seen_by_spy.size() == 8);  // the start, two changes of load, five samples
  CHECK(seen_by_spy[0].ask == manager::Ask::start);
  CHECK(seen_by_spy[1].ask == manager::Ask::load);
  CHECK(seen_by_spy[1].at_ms == 100);
  CHECK(seen_by_spy[1].running == 1);
  CHECK(seen_by_spy[1].cpus == 4);
  CHECK(seen_by_spy[2].at_ms == 160);  // nothing at 130: the second frame leaves no gap
  CHECK(seen_by_spy[2].running == 0);
  CHECK(seen_by_spy[3].ask == manager::Ask::sample);
  CHECK(seen_by_spy[3].at_ms == 200);
  CHECK(seen_by_spy[3].busy == Approx(0.3));
  CHECK(seen_by_spy[4].busy == 0);
}

TEST_CASE("a core that launches and awaits a GPU's jobs is loaded as the platform says") {
  Lab lab;
  lab.board["units"]["gpu"]["host_domain"] = "cpu";
  lab.board["units"]["gpu"]["host_load"] = 0.5;
  lab.write_trace("t.csv", {100});
  seen_by_spy.clear();
  lab.run(one_frame(R"({"name": "test-spy", "follows": true, "period_ms": 200})", "gpu"));  // 100 to 110 ms
  REQUIRE(seen_by_spy.size() > 3);
  CHECK(seen_by_spy[1].running == 0.5);
  CHECK(seen_by_spy[3].busy == Approx(0.5 * 10 / 200));
}

TEST_CASE("a frame awaited in the kernel's I/O is told as such") {
  Lab lab;
  lab.write_trace("t.csv", {100});
  for (const bool io_wait : {false, true}) {
    Json scenario = parse_json(one_frame(R"({"name": "test-spy", "follows": true})"));
    scenario["applications"]["app"]["io_wait"] = io_wait;
    seen_by_spy.clear();
    lab.run(scenario);
    REQUIRE(seen_by_spy.size() == 3);
    CHECK(seen_by_spy[1].io_wake == io_wait);
    CHECK_FALSE(seen_by_spy[2].io_wake);
  }
}

TEST_CASE("a cluster without online cores is not loaded and does not set the pace") {
  Lab lab;
  lab.board["domains"]["cpu"]["cores"] = 2;
  lab.board["domains"]["cpu2"] = lab.board["domains"]["cpu"];
  lab.board["units"]["cpu"]["domains"] = {"cpu", "cpu2"};
  lab.board["modes"]["half"] = {{"cores_online", 2}};
  lab.write_trace("t.csv", {100});
  Json scenario = parse_json(one_frame(R"("performance")"));
  scenario["governors"]["cpu2"] = "powersave";
  CHECK(story_of(lab.run(scenario)) == "100>100-220 met");  // the slower cluster holds all up
  scenario["mode"] = "half";
  CHECK(story_of(lab.run(scenario)) == "100>100-160 met");  // two of four cores at 2000 MHz
  scenario["governors"]["cpu2"] = parse_json(R"({"name": "test-spy", "follows": true})");
  seen_by_spy.clear();
  lab.run(scenario);
  CHECK(seen_by_spy.size() == 1);  // at the start only
}

TEST_CASE("a cluster without online cores draws nothing above idle, and its clock changes hold nobody up") {
  Lab lab;
  lab.board["domains"]["cpu"]["cores"] = 2;
  lab.board["domains"]["cpu2"] = lab.board["domains"]["cpu"];
  lab.board["domains"]["cpu2"]["stall_us"] = 5000;
  lab.board["units"]["cpu"]["domains"] = {"cpu", "cpu2"};
  lab.board["modes"]["half"] = {{"cores_online", 2}};
  lab.write_trace("t.csv", {100});
  Json scenario = parse_json(one_frame(R"("performance")"));
  scenario["mode"] = "half";
  for (const char* other : {"performance", "powersave", "interactive"}) {
    INFO(other);
    scenario["governors"]["cpu2"] = other;
    const RunRecord record = lab.run(scenario);
    CHECK(story_of(record) == "100>100-160 met");
    CHECK(record.units[1].job_energy_j == Approx(0.5 * 4 * 0.060));  // half the cores of 5 - 1 W
    CHECK(record.dvfs_transitions == 0);
  }
}

TEST_CASE("a governor that leaves the clock as it is does not call back a change under way") {
  Lab lab;
  lab.board["domains"]["gpu"]["settle_ms"] = 30;  // longer than a sampling period
  lab.write_trace("t.csv", {1000});
  Json scenario = parse_json(one_frame(R"("performance")", "gpu"));
  for (const char* governor : {"simple_ondemand", "nvhost_podgov"}) {
    INFO(governor);
    scenario["governors"]["gpu"] = governor;  // idle: down to the lowest clock, 30 ms after the sample
    CHECK(lab.run(scenario).units[0].mhz_s < 0.5 * 1.2 * 1000);
  }
  // Nor does a mode change that leaves its limits alone, in the middle of the change.
  lab.board["modes"] = {{"a", {{"max_mhz", {{"cpu", 2000}}}}}, {"b", {{"max_mhz", {{"cpu", 1000}}}}}};
  scenario["mode"] = "a";
  scenario["governors"]["gpu"] = "simple_ondemand";
  const double undisturbed = lab.run(scenario).units[0].mhz_s;
  scenario["mode_changes"] = {{{"at_s", 0.040}, {"mode", "b"}}};
  CHECK(lab.run(scenario).units[0].mhz_s == Approx(undisturbed));
}

TEST_CASE("only a frame that is dispatched as it arrives has waited for I/O") {
  Lab lab;
  lab.write_trace("t.csv", {100, 110});  // the second waits for the first, 100 to 130 ms, and not for the camera
  Json scenario = parse_json(one_frame(R"({"name": "test-spy", "follows": true})"));
  scenario["applications"]["app"]["io_wait"] = true;
  seen_by_spy.clear();
  lab.run(scenario);
  int wakes = 0;
  for (const Spied& seen : seen_by_spy) wakes += seen.io_wake;
  CHECK(wakes == 1);
  // A host core that does nothing for its guest is not woken by it.
  lab.board["units"]["gpu"]["host_domain"] = "cpu";
  lab.board["units"]["gpu"]["host_load"] = 0;
  scenario["applications"]["app"]["unit"] = "gpu";
  seen_by_spy.clear();
  lab.run(scenario);
  CHECK(seen_by_spy.size() == 1);
}

TEST_CASE("governors by unit: all its clocks, unless one is named itself") {
  Lab lab;
  lab.board["domains"]["big"] = lab.board["domains"]["cpu"];
  lab.board["units"]["cpu"]["domains"] = {"cpu", "big"};
  lab.board["units"]["complex"] = lab.board["units"]["cpu"];
  lab.write_trace("t.csv", {100});
  Json scenario = parse_json(one_frame(R"("performance")", "gpu"));
  scenario["governors"] = {{"complex", "powersave"}, {"big", "performance"}};
  const Scenario loaded = lab.load(scenario);
  CHECK(loaded.setup->governors[static_cast<std::size_t>(loaded.setup->platform.domain_index("cpu"))].name ==
        "powersave");
  CHECK(loaded.setup->governors[static_cast<std::size_t>(loaded.setup->platform.domain_index("big"))].name ==
        "performance");
  scenario["governors"] = {{"complx", "powersave"}};
  CHECK_THROWS_WITH(lab.load(scenario), Catch::Contains("did you mean \"complex\""));
}
