// The oracle against every plan there is, against closed forms, and against all managers on random scenarios.
#include <cmath>
#include <map>

#include <catch2/catch.hpp>

#include "kernel/random.hpp"
#include "manager/oracle/milp.hpp"
#include "manager/oracle/plan.hpp"
#include "results/comparison.hpp"
#include "results/metrics.hpp"
#include "scale.hpp"
#include "support/hooked_policy.hpp"
#include "support/lab.hpp"

namespace dynasoc {
namespace {

using manager::Demand;
using test::HookPolicy;
using test::Lab;

// The lab with a GPU alone: three sub-networks at three clocks.
void only_gpu(Lab& lab) {
  lab.clear_table();
  const double gpu_ms[] = {10, 20, 40};
  for (int subnet = 0; subnet < 3; ++subnet)
    for (int halvings = 0; halvings < 3; ++halvings)
      lab.cell({.subnet = "L" + std::to_string(subnet + 1),
                .unit = "gpu",
                .mhz = 1000.0 / (1 << halvings),
                .latency_ms = gpu_ms[subnet] * (1 << halvings)});
}

struct Judged {
  double cost = 0;
  RunRecord record;
};
Judged judge(const Scenario& scenario, const std::string& contender, std::uint64_t replication = 0) {
  const Contender chosen = contender_of(scenario, contender);
  Setup setup = *scenario.setup;
  setup.policy = chosen.policy;
  if (!chosen.governors.empty()) setup.governors = chosen.governors;
  Judged out{0, simulate(setup, {.jobs = true}, EngineKind::native, replication)};
  out.cost = measure(setup, out.record).of_run("run.cost");
  return out;
}

TEST_CASE("work beside others takes as long as its share of the unit says", "[oracle]") {
  Demand demand;
  demand.add(100, 300, 1);
  demand.add(200, kNever, 2);
  CHECK(demand.finish(0, 100, 1) == 100);           // alone
  CHECK(demand.finish(100, 50, 1) == 200);          // half of it
  CHECK(demand.finish(0, 150, 1) == 200);           // 100 alone, then half
  CHECK(demand.finish(200, 25, 1) == 300);          // a quarter
  CHECK(demand.finish(200, 26, 1) == 303);          // then a third
  CHECK(demand.finish(100, 50, 2) == 175);          // two thirds
  CHECK(demand.done_ns(0, 300, 1) == Approx(175));  // 100 + 50 + 25
  CHECK(demand.done_ns(300, 360, 1) == Approx(20));
}

// Every plan of four frames, carried out by the simulator: 9^4 runs.
double best_of_all_plans(const Scenario& scenario) {
  double best = 1e300;
  std::array<int, 4> plan{};
  const HookPolicy hook([&](const manager::Observation& seen, manager::Decision& decision) {
    const manager::AppView& app = seen.applications[0];
    const auto next = static_cast<std::size_t>(app.arrived - app.waiting);
    if (next >= plan.size()) return;
    decision.set(manager::Knob::subnet, 0, plan[next] / 3, manager::because(""));
    decision.set(manager::Knob::frequency, 0, plan[next] % 3, manager::because(""));
  });
  Setup setup = *scenario.setup;
  setup.policy = contender_of(scenario, "test-hook(completion=true)").policy;
  for (int code = 0; code < 9 * 9 * 9 * 9; ++code) {
    for (int i = 0, rest = code; i < 4; ++i, rest /= 9) plan[static_cast<std::size_t>(i)] = rest % 9;
    const RunRecord record = simulate(setup, {}, EngineKind::native, 0);
    best = std::min(best, measure(setup, record).of_run("run.cost"));
  }
  return best;
}

TEST_CASE("no plan of four frames costs less than the oracle's", "[oracle]") {
  struct Case {
    const char* name;
    const char* scenario;
    double stall_us, settle_ms, switch_ms;
  };
  const Case cases[] = {
      {"deadlines that clocks just meet",
       R"({"duration_s": 0.4, "objective": {"miss": 1, "accuracy": 0.01, "energy": 1}, "applications": {"app":
           {"subnet": "L1", "arrivals": {"kind": "trace", "file": "t.csv"}, "targets": [{"latency_ms": 45}]}}})",
       0, 0, 0},
      {"a burst, and switches and clocks that take time",
       R"({"duration_s": 0.4, "objective": {"miss": 0.3, "accuracy": 0.02, "energy": 0.3}, "applications": {"app":
           {"subnet": "L3", "arrivals": {"kind": "trace", "file": "t.csv"}, "targets": [{"latency_ms": 30},
            {"from_s": 0.06, "latency_ms": 60}]}}})",
       500, 7, 15},
      {"a visitor on the unit, and noise",
       R"({"duration_s": 0.5, "objective": {"miss": 1, "accuracy": 0.03, "energy": 0.2}, "applications": {"app":
           {"subnet": "L2", "arrivals": {"kind": "trace", "file": "t.csv"}, "targets": [{"latency_ms": 50}],
            "execution": {"kind": "table", "default_cv": 0.3}}},
           "background": {"other": {"unit": "gpu", "weight": 0.7, "from_s": 0.03, "to_s": 0.09,
                                    "demand": {"kind": "on-off", "on_ms": 9, "off_ms": 6}}}})",
       0, 3, 5},
      {"hopeless frames are dropped",
       R"({"duration_s": 0.4, "objective": {"miss": 0.2, "accuracy": 0.02, "energy": 0.5}, "applications": {"app":
           {"subnet": "L1", "late": "drop-hopeless", "arrivals": {"kind": "trace", "file": "t.csv"},
            "targets": [{"latency_ms": 25}]}}})",
       0, 0, 4}};
  for (const Case& one : cases) {
    INFO(one.name);
    Lab lab;
    only_gpu(lab);
    lab.write_trace("t.csv", {1, 21, 41.5, 88});
    lab.board["domains"]["gpu"]["stall_us"] = one.stall_us;
    lab.board["domains"]["gpu"]["settle_ms"] = one.settle_ms;
    lab.network["switch_cost"]["time_ms"] = one.switch_ms;
    lab.network["switch_cost"]["energy_mj"] = one.switch_ms;
    const Scenario scenario = lab.load(one.scenario);
    const Judged oracle = judge(scenario, "oracle");
    CHECK(oracle.record.certificate.exact == (one.settle_ms == 0));  // else it proves nothing, good as it is
    CHECK(oracle.record.certificate.planned == Approx(oracle.cost).epsilon(1e-6));
    CHECK(oracle.cost == Approx(best_of_all_plans(scenario)).epsilon(1e-6));
  }
}

TEST_CASE("a cap on labels is said, and costs little", "[oracle]") {
  Lab lab;
  only_gpu(lab);
  lab.network["switch_cost"]["time_ms"] = 12;
  const Scenario scenario = lab.load(R"({"duration_s": 20, "applications": {"app": {
      "arrivals": {"kind": "poisson", "rate_hz": 40}, "targets": [{"latency_ms": 50}],
      "execution": {"kind": "table", "default_cv": 0.2}}}})");
  const Judged full = judge(scenario, "oracle(labels=20000)"), few = judge(scenario, "oracle(labels=6)");
  CHECK(full.record.certificate.exact);
  CHECK(full.record.certificate.merged == 0);
  CHECK_FALSE(few.record.certificate.exact);
  CHECK(few.record.certificate.merged > 0);
  CHECK(std::isnan(few.record.certificate.bound));
  CHECK(full.cost <= few.cost * (1 + 1e-9));
  CHECK(few.cost <= full.cost * 1.1);
}

// Random single-application scenarios on the lab's whole board, where units and clocks are chosen too.
Json random_scenario(const Stream& stream, std::uint64_t& n, int applications) {
  const auto uniform = [&](double low, double high) { return low + (high - low) * stream.uniform(n++); };
  const auto one_of = [&](std::initializer_list<const char*> names) {
    return std::string(
        names.begin()[static_cast<std::size_t>(uniform(0, static_cast<double>(names.size()) * 0.999999))]);
  };
  Json out = {{"duration_s", uniform(2, 6)},
              {"seed", static_cast<int>(uniform(0, 1e6))},
              {"objective", {{"miss", uniform(0.2, 2)}, {"accuracy", uniform(0, 0.05)}, {"energy", uniform(0, 1)}}}};
  for (int a = 0; a < applications; ++a) {
    Json app = {{"unit", one_of({"gpu", "cpu"})},
                {"targets", {{{"latency_ms", uniform(15, 150)}}}},
                {"execution", {{"kind", "table"}, {"default_cv", uniform(0, 0.4)}}},
                {"late", one_of({"queue", "queue", "drop-hopeless"})},
                {"session", {{"factor", uniform(0.8, 1.4)}, {"source", "made up"}}}};
    if (uniform(0, 1) < 0.5) app["targets"].push_back({{"from_s", uniform(0.5, 2)}, {"latency_ms", uniform(15, 150)}});
    if (uniform(0, 1) < 0.5)
      app["arrivals"] = {{"kind", "periodic"}, {"period_ms", uniform(20, 120)}, {"jitter_ms", uniform(0, 10)}};
    else
      app["arrivals"] = {{"kind", "poisson"}, {"rate_hz", uniform(5, 40)}};
    out["applications"]["app" + std::to_string(a)] = app;
  }
  if (uniform(0, 1) < 0.6)
    out["background"]["other"] = {
        {"unit", "gpu"},
        {"weight", uniform(0.1, 2)},
        {"from_s", uniform(0, 2)},
        {"to_s", uniform(2.5, 5)},
        {"demand", {{"kind", "on-off"}, {"on_ms", 80}, {"off_ms", 120}, {"exponential", true}}}};
  return out;
}

void randomise(Lab& lab, const Stream& stream, std::uint64_t& n) {
  for (auto& [name, domain] : lab.board["domains"].items()) {
    domain["settle_ms"] = 5 * stream.uniform(n++);
    domain["stall_us"] = 100 * stream.uniform(n++);
  }
  lab.network["switch_cost"]["time_ms"] = stream.uniform(n++) < 0.5 ? 0 : 40 * stream.uniform(n++);
  lab.network["switch_cost"]["energy_mj"] = 20 * stream.uniform(n++);
}

// What changes its clock in the middle of a frame can do what no plan here can: this much of the cost, stated in
// docs/comparing.md.
constexpr double kTolerance = 0.01;
const char* const kRivals[] = {"none",
                               "static",
                               "static(level=1)",
                               "dynamic-ofa",
                               "dynamic-ofa(dvfs=true,mapping=true)",
                               "dynamic-ofa-demo",
                               "hierarchical",
                               "alert(dvfs=true)",
                               "pid(dvfs=true)",
                               "mpc(dvfs=true)",
                               "race-to-idle",
                               "pace",
                               "critical-speed",
                               "ucb(dvfs=true)",
                               "schedutil",
                               "ondemand",
                               "nvhost_podgov",
                               "powersave"};

TEST_CASE("no policy beats the oracle by more than its tolerance", "[oracle]") {
  const Stream stream(20, "oracle-property");
  std::uint64_t n = 0;
  double worst = 0;
  std::map<std::string, int> wins;
  const int scenarios = test::scaled(200);
  for (int i = 0; i < scenarios; ++i) {
    Lab lab;
    randomise(lab, stream, n);
    const Json json = random_scenario(stream, n, 1);
    const Scenario scenario = lab.load(json);
    const Judged oracle = judge(scenario, "oracle");
    if (!std::isfinite(oracle.cost)) continue;  // no frame arrived
    for (const char* rival : kRivals) {
      const double cost = judge(scenario, rival).cost;
      INFO("scenario " << i << ", " << rival << " " << cost << ", oracle " << oracle.cost << ", planned "
                       << oracle.record.certificate.planned << "\n"
                       << json.dump());
      CHECK(cost >= oracle.cost * (1 - kTolerance) - 1e-9);
      if (cost < oracle.cost * (1 - 1e-6)) ++wins[rival];
      worst = std::max(worst, 1 - cost / oracle.cost);
    }
  }
  std::string who;
  for (const auto& [rival, count] : wins) who += rival + " " + std::to_string(count) + "; ";
  INFO("beaten by " << worst << " at most, by " << who);
  CHECK(worst <= kTolerance);
}

TEST_CASE("no policy of several applications costs less than the oracle's bound", "[oracle]") {
  const Stream stream(21, "oracle-bound");
  std::uint64_t n = 0;
  const int scenarios = test::scaled(40);
  for (int i = 0; i < scenarios; ++i) {
    Lab lab;
    randomise(lab, stream, n);
    Json json = random_scenario(stream, n, 2);
    const bool program = i % 2 == 0 && manager::milp_available();
    if (program) json["duration_s"] = 0.4;
    json.erase("background");
    const Scenario scenario = lab.load(json);
    const Judged oracle = judge(scenario, program ? "oracle(method=milp,milp_nodes=200)" : "oracle(method=greedy)");
    const double bound = oracle.record.certificate.bound;
    if (!std::isfinite(oracle.cost) || std::isnan(bound)) continue;
    INFO("scenario " << i << ": bound " << bound << ", oracle " << oracle.cost << "\n" << json.dump());
    CHECK(bound <= oracle.cost + 1e-6);
    for (const char* rival : kRivals) {
      const double cost = judge(scenario, rival).cost;
      INFO(rival << " " << cost);
      CHECK(bound <= cost * (1 + kTolerance) + 1e-6);
    }
  }
}

TEST_CASE("an overloaded application is planned no worse than any manager, however few labels are kept", "[oracle]") {
  Lab lab;
  only_gpu(lab);
  lab.network["switch_cost"]["time_ms"] = 150;
  lab.board["domains"]["gpu"]["settle_ms"] = 5;
  for (const char* late : {"queue", "replace", "drop-hopeless"}) {
    Json json = test::parse_json(R"({"duration_s": 20, "applications": {"app": {"unit": "gpu",
        "arrivals": {"kind": "periodic", "period_ms": 9}, "targets": [{"latency_ms": 14}],
        "execution": {"kind": "table", "default_cv": 0.1}}}})");
    json["applications"]["app"]["late"] = late;
    const Scenario scenario = lab.load(json);
    for (const char* oracle : {"oracle(labels=20)", "oracle"}) {
      const double cost = judge(scenario, oracle).cost;
      for (const char* rival : kRivals) {
        INFO(late << ", " << oracle << " " << cost << ", " << rival);
        CHECK(judge(scenario, rival).cost >= cost * (1 - kTolerance));
      }
    }
  }
}

TEST_CASE("where something happens that the oracle does not plan for, it promises nothing", "[oracle]") {
  const char* const kCamera = R"({"duration_s": 2, "applications": {"app": {"unit": "gpu",
      "arrivals": {"kind": "periodic", "period_ms": 100}, "targets": [{"latency_ms": 45}]}}})";
  Lab lab;
  only_gpu(lab);
  CHECK(judge(lab.load(kCamera), "oracle").record.certificate.exact);
  // A decision that is charged: a clairvoyant has thought before.
  Json charged = test::parse_json(kCamera);
  charged["manager_cost_us"] = 30000;
  const Judged free = judge(lab.load(kCamera), "oracle"), paid = judge(lab.load(charged), "oracle");
  CHECK(free.cost == paid.cost);
  // A mode that comes later may allow clocks that the first one does not.
  lab.board["modes"] = {{"low", {{"max_mhz", {{"gpu", 500}}}, {"source", "made up"}}},
                        {"high", {{"source", "made up"}}}};
  lab.board["default_mode"] = "high";
  Json changing = test::parse_json(kCamera);
  changing["mode"] = "low";
  changing["mode_changes"] = {{{"at_s", 1}, {"mode", "high"}}};
  const Judged mode = judge(lab.load(changing), "oracle");
  CHECK_FALSE(mode.record.certificate.exact);
  CHECK(std::isnan(mode.record.certificate.bound));
  // Idle power that follows the clock, of the unit itself or of one that nobody uses.
  lab.board.erase("modes");
  lab.board.erase("default_mode");
  for (const char* unit : {"gpu", "cpu"}) {
    const Json before = lab.board["units"][unit]["power"];
    lab.board["units"][unit]["power"][0]["idle_w"] = 0.5;
    const Judged idle = judge(lab.load(kCamera), "oracle");
    CHECK_FALSE(idle.record.certificate.exact);
    CHECK(std::isnan(idle.record.certificate.bound));
    lab.board["units"][unit]["power"] = before;
  }
}

TEST_CASE("a plan that came out otherwise is not called exact", "[oracle]") {
  Lab lab;
  only_gpu(lab);
  const Scenario scenario = lab.load(R"({"duration_s": 2, "applications": {"app": {"unit": "gpu",
      "arrivals": {"kind": "periodic", "period_ms": 100}, "targets": [{"latency_ms": 45}]}}})");
  const Judged oracle = judge(scenario, "oracle");
  const Metrics metrics = measure(*scenario.setup, oracle.record);
  CHECK(confirmed(oracle.record.certificate, metrics).exact);
  manager::Certificate other = oracle.record.certificate;
  other.planned *= 0.9;
  CHECK_FALSE(confirmed(other, metrics).exact);
}

TEST_CASE("the oracle says where it cannot run", "[oracle]") {
  const auto oracle = manager::Registry<manager::Policy>::instance().make("oracle", nullptr);
  manager::Observation seen;
  manager::Decision decision;
  CHECK_THROWS_WITH(oracle->decide(seen, decision), Catch::Contains("simulation only"));
}

}  // namespace
}  // namespace dynasoc
