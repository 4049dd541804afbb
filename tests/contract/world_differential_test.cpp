// Whole scenarios on both engines: the same frames start and end at the same times, the same decisions fall, the same
// energy is drawn. SimGrid is an implementation by others, so what both agree on is not one author's mistake.
#include <cmath>

#include <catch2/catch.hpp>

#include "kernel/random.hpp"
#include "scale.hpp"
#include "support/hooked_policy.hpp"
#include "support/in_child.hpp"
#include "support/lab.hpp"

using namespace dynasoc;
using namespace dynasoc::test;

namespace {

// Draws that depend on the seed only.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : stream_(seed, "scenario") {}
  int upto(int n) { return static_cast<int>(stream_.bits(next_++) % static_cast<std::uint64_t>(n)); }  // 0 … n-1
  double real(double low, double high) { return low + (high - low) * stream_.uniform(next_++); }
  bool coin() { return upto(2) == 1; }
  template <class T>
  T one_of(std::initializer_list<T> choices) {
    return *(choices.begin() + upto(static_cast<int>(choices.size())));
  }

 private:
  Stream stream_;
  std::uint64_t next_ = 0;
};

Json arrivals(Dice& dice) {
  switch (dice.upto(6)) {
    case 0: return {{"kind", "periodic"}, {"period_ms", 5 + dice.upto(60)}};  // whole milliseconds: many at one instant
    case 1: return {{"kind", "periodic"}, {"period_ms", dice.real(5, 60)}, {"jitter_ms", dice.real(0, 5)}};
    case 2: return {{"kind", "poisson"}, {"rate_hz", dice.real(5, 60)}};
    case 3: return {{"kind", "gamma"}, {"rate_hz", dice.real(5, 60)}, {"cv", dice.real(0.3, 2)}};
    case 4:
      return {{"kind", "mmpp"}, {"low_rate_hz", 5}, {"high_rate_hz", 80}, {"mean_low_s", 0.2}, {"mean_high_s", 0.1}};
    default: return {{"kind", "closed-loop"}, {"think_ms", dice.one_of({0, 3, 20})}};
  }
}

// A board and a scenario that use everything that can happen in mid-job. A policy that is asked for frequencies takes a
// clock from its governor, so that some clocks change hands.
Scenario generate(Lab& lab, std::uint64_t seed) {
  Dice dice(seed);
  for (const char* unit : {"gpu", "cpu"}) {
    Json& file = lab.board["units"][unit];
    const auto* discipline = dice.one_of({"fair", "fair", "fifo", "priority", "edf"});
    file["discipline"] = discipline;
    if (discipline[0] == 'p' || discipline[0] == 'e') file["preemptive"] = dice.coin();
    if (discipline == std::string("fair") && dice.coin()) file["slice_ms"] = 1, file["switch_us"] = dice.upto(200);
    if (dice.coin()) lab.board["domains"][unit]["stall_us"] = dice.one_of({50, 100, 1000});
    if (dice.coin()) lab.board["domains"][unit]["settle_ms"] = dice.one_of({1, 2, 5});
  }
  if (dice.coin())
    lab.board["contention"] = {{{"victim", "gpu"},
                                {"aggressor", "cpu"},
                                {"slowdown", dice.real(1, 2)},
                                {"provenance", "derived"},
                                {"source", "made up"}}};
  if (dice.coin()) {
    lab.board["thermal"] = {
        {"ambient_c", 25},
        {"poll_ms", 20},
        {"provenance", "derived"},
        {"source", "made up"},
        {"nodes", {{"die", {{"capacity_j_per_k", 0.5}, {"to_ambient_w_per_k", 0.2}}}}},
        {"trips", {{{"node", "die"}, {"temperature_c", 35}, {"hysteresis_k", 2}, {"domains", {"gpu", "cpu"}}}}}};
    for (const char* unit : {"gpu", "cpu"}) lab.board["units"][unit]["thermal_node"] = "die";
  }
  lab.network["switch_cost"]["time_ms"] = dice.one_of({0, 1, 7});
  lab.network["switch_cost"]["energy_mj"] = dice.one_of({0, 3});

  Json scenario = {{"duration_s", 1},
                   {"seed", seed},
                   {"applications", Json::object()},
                   {"background", Json::object()},
                   {"policy",
                    {{"name", "test-hook"},
                     {"period_ms", 5 + dice.upto(20)},
                     {"arrival", dice.coin()},
                     {"completion", dice.coin()},
                     {"cost_us", dice.one_of({0, 0, 500})}}}};
  const int apps = 1 + dice.upto(5);
  for (int a = 0; a < apps; ++a) {
    Json app = {{"arrivals", arrivals(dice)},
                {"unit", dice.one_of({"gpu", "cpu"})},
                {"subnet", dice.one_of({"L1", "L2", "L3"})},
                {"weight", dice.one_of({1.0, 1.0, 0.3, 4.0})}};
    if (app["arrivals"]["kind"] != "closed-loop")
      app["late"] = dice.one_of({"queue", "drop-oldest", "drop-hopeless", "replace"});
    app["targets"] = {{{"latency_ms", 10 + dice.upto(90)}, {"priority", dice.upto(3)}}};
    if (dice.coin())
      app["targets"].push_back({{"from_s", 0.5}, {"latency_ms", 10 + dice.upto(90)}, {"priority", dice.upto(3)}});
    if (dice.coin())
      app["execution"] = {{"kind", "table"}, {"default_cv", 0.2}};
    else
      app["execution"] = {{"kind", "constant"}};
    if (dice.coin()) app["start_s"] = 0.1 * dice.upto(5);
    if (dice.coin()) app["stop_s"] = 0.8;
    scenario["applications"]["app" + std::to_string(a)] = app;
  }
  const int loads = dice.upto(3);
  for (int b = 0; b < loads; ++b) {
    const auto* unit = dice.one_of({"gpu", "cpu"});
    const bool fair = lab.board["units"][unit]["discipline"] == "fair";
    Json demand = {{"kind", "periodic"}, {"period_ms", 10 + dice.upto(40)}, {"work_ms", 1 + dice.upto(8)}};
    if (fair && dice.coin()) demand = {{"kind", "continuous"}};
    if (fair && dice.coin()) demand = {{"kind", "on-off"}, {"on_ms", 20}, {"off_ms", 30}, {"exponential", dice.coin()}};
    scenario["background"]["load" + std::to_string(b)] = {{"unit", unit},
                                                          {"weight", dice.real(0.1, 3)},
                                                          {"demand", demand},
                                                          {"from_s", 0.1 * dice.upto(4)},
                                                          {"to_s", 0.5 + 0.1 * dice.upto(6)}};
  }
  if (dice.coin()) lab.board["units"]["gpu"]["host_domain"] = "cpu", lab.board["units"]["gpu"]["host_load"] = 0.5;
  scenario["governors"]["gpu"] = dice.one_of({"performance", "nvhost_podgov", "simple_ondemand"});
  scenario["governors"]["cpu"] =
      dice.one_of({"performance", "powersave", "schedutil", "ondemand", "conservative", "interactive"});
  for (auto& [name, app] : scenario["applications"].items()) app["io_wait"] = dice.coin();
  if (dice.coin()) {
    scenario["scheduler"] = dice.one_of({"fifo", "edf", "lst", "sjf", "prema", "planaria", "sdrm3", "dysta"});
    if (dice.coin()) {
      lab.network["blocks"] = "blocks.csv";
      std::string blocks = "subnet,unit,block,latency_ms,provenance,source\n";
      for (const char* row :
           {"L1,gpu,a,1", "L1,gpu,b,2", "L3,gpu,a,1", "L3,gpu,b,1", "L3,gpu,c,3", "L3,cpu,a,1", "L3,cpu,b,2"})
        blocks += std::string(row) + ",derived,made up\n";
      lab.write("net/blocks.csv", blocks);
    }
  }
  if (dice.upto(4) == 0) scenario["battery"] = {{"capacity_j", dice.real(2, 12)}};
  return lab.load(scenario);
}

// Knobs turned at random, but as a function of the time and the reason only: both engines must be asked the same.
void turn_knobs(const manager::Observation& seen, manager::Decision& decision) {
  const Stream draws(static_cast<std::uint64_t>(seen.now), "knobs", static_cast<std::uint64_t>(seen.trigger));
  if (draws.bits(0) % 3 != 0) return;
  const auto pick = [&](std::uint64_t n, int count) {
    return static_cast<int>(draws.bits(n) % static_cast<std::uint64_t>(count));
  };
  const int app = pick(1, static_cast<int>(seen.applications.size()));
  switch (pick(2, 5)) {
    case 0: decision.set(manager::Knob::subnet, app, pick(3, 3), manager::because("drawn")); break;
    case 1: decision.set(manager::Knob::mapping, app, pick(3, 2), manager::because("drawn")); break;
    case 2: decision.set(manager::Knob::cores, 1, 1 + pick(3, 4), manager::because("drawn")); break;
    case 3: decision.set(manager::Knob::highest, pick(3, 2), pick(4, 3), manager::because("drawn")); break;
    default: decision.set(manager::Knob::frequency, pick(3, 2), pick(4, 3), manager::because("drawn")); break;
  }
}

bool close(double a, double b) {
  return a == b || std::abs(a - b) <= 1e-9 * std::max({std::abs(a), std::abs(b), 1e-3});
}
// 1e-9 of the time, or the nanosecond that a rounding may cost.
bool same_time(Time a, Time b) {
  if (a == b) return true;
  if (a == kNoTime || b == kNoTime) return false;
  return std::abs(static_cast<double>(a - b)) <= std::max(1.0, 1e-9 * static_cast<double>(a));
}

std::string difference(const RunRecord& a, const RunRecord& b) {
  if (a.jobs.size() != b.jobs.size())
    return "jobs: " + std::to_string(a.jobs.size()) + " and " + std::to_string(b.jobs.size());
  for (std::size_t i = 0; i < a.jobs.size(); ++i) {
    const JobRecord &x = a.jobs[i], &y = b.jobs[i];
    const bool same = x.app == y.app && x.job == y.job && x.outcome == y.outcome && x.unit == y.unit &&
                      x.subnet == y.subnet && same_time(x.arrival, y.arrival) && same_time(x.start, y.start) &&
                      same_time(x.end, y.end) && same_time(x.deadline, y.deadline) &&
                      std::abs(x.energy_mj - y.energy_mj) <= 1e-6f * std::max(1.0f, x.energy_mj);  // kept as a float
    if (!same)
      return "job record " + std::to_string(i) + ": app " + std::to_string(x.app) + " job " + std::to_string(x.job);
  }
  for (std::size_t i = 0; i < a.apps.size(); ++i)
    if (!close(a.apps[i].energy_mj, b.apps[i].energy_mj)) return "energy of " + a.apps[i].name;
  for (std::size_t i = 0; i < a.units.size(); ++i) {
    const UnitRecord &x = a.units[i], &y = b.units[i];
    if (!close(x.job_energy_j, y.job_energy_j) || !close(x.idle_energy_j, y.idle_energy_j) ||
        !close(x.background_energy_j, y.background_energy_j) || !close(x.busy_s, y.busy_s) || !close(x.mhz_s, y.mhz_s))
      return "account of unit " + x.name;
  }
  if (a.decision_log.size() != b.decision_log.size()) return "number of decisions";
  for (std::size_t i = 0; i < a.decision_log.size(); ++i) {
    const DecisionRecord &x = a.decision_log[i], &y = b.decision_log[i];
    if (!same_time(x.at, y.at) || x.target != y.target || x.knob != y.knob || x.from != y.from || x.to != y.to)
      return "decision " + std::to_string(i) + " on " + x.target;
  }
  if (a.dvfs_transitions != b.dvfs_transitions) return "clock changes";
  if (!std::isnan(a.peak_temperature_c) && !close(a.peak_temperature_c, b.peak_temperature_c))
    return "peak temperature";
  return "";
}

}  // namespace

TEST_CASE("generated scenarios run alike on both engines, frame by frame and joule by joule") {
  if (!simgrid_available()) {
    WARN("skipped: built without SimGrid, there is only one engine");
    return;
  }
  const HookPolicy hook(turn_knobs);
  const int scenarios = scaled(500);
  std::size_t jobs = 0, decisions = 0, transitions = 0;
  for (int seed = 1; seed <= scenarios; ++seed) {
    Lab lab;
    const Scenario scenario = generate(lab, static_cast<std::uint64_t>(seed));
    const ChildOutcome reference =
        in_child([&] { return pack(simulate(*scenario.setup, Lab::everything(), EngineKind::simgrid, 0)); });
    INFO("seed " << seed << "\n" << scenario.document->root().dump(1) << "\n" << lab.board.dump());
    REQUIRE(reference.failure == "");
    const RunRecord native = simulate(*scenario.setup, Lab::everything(), EngineKind::native, 0);
    REQUIRE(difference(native, unpack(reference.bytes)) == "");
    REQUIRE(native.conservation_error <= 1e-9);
    jobs += native.jobs.size();
    decisions += native.decision_log.size();
    transitions += native.dvfs_transitions;
  }
  // The family must be worth comparing.
  CHECK(jobs > 20u * static_cast<unsigned>(scenarios));
  CHECK(decisions > 5u * static_cast<unsigned>(scenarios));
  CHECK(transitions > static_cast<unsigned>(scenarios));
}
