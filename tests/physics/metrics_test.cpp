// Each metric on a log of six frames that can be worked by hand, and what World adds to the record for them.
#include "results/metrics.hpp"

#include <cmath>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "kernel/random.hpp"
#include "support/hooked_policy.hpp"
#include "support/lab.hpp"
#include "world/run.hpp"

namespace dynasoc {
namespace {

using test::Lab;

// Two applications on the lab's board; 10 s are measured, in which the board draws 200 J.
const char* const kScenario = R"({
  "duration_s": 10,
  "objective": {"miss": 2, "accuracy": 0.1, "energy": 0.5},
  "applications": {
    "camera": {"unit": "gpu", "arrivals": {"kind": "periodic", "period_ms": 100},
               "targets": [{"latency_ms": 50, "accuracy_floor": 75}]},
    "radar": {"unit": "gpu", "arrivals": {"kind": "periodic", "period_ms": 100}}
  }})";

void add(RunRecord& record, const Setup& setup, JobRecord job) {
  record.jobs.add(job);
  AppRecord& app = record.apps[job.app];
  ++app.jobs;
  if (job.outcome == Outcome::dropped) ++app.dropped;
  if (job.outcome == Outcome::rejected) ++app.rejected;
  if (job.end == kNoTime) return;
  const bool missed = job.outcome == Outcome::missed;
  ++app.completed;
  app.missed += missed;
  ++app.subnets[job.subnet].completed;
  app.subnets[job.subnet].missed += missed;
  app.latency_sum_ms += to_ms(job.end - job.arrival);
  app.latency_max_ms = std::max(app.latency_max_ms, to_ms(job.end - job.arrival));
  app.latency.add(job.end - job.arrival);
  app.accuracy_sum += setup.apps[job.app].network->file.subnets[job.subnet].accuracy;
  app.energy_mj += static_cast<double>(job.energy_mj);
}

RunRecord empty_record(const Setup& setup) {
  RunRecord record;
  record.duration_s = record.measured_s = 10;
  for (const AppSetup& app : setup.apps) {
    AppRecord entry;
    entry.name = app.name;
    entry.accuracy = {70, 75, 80};
    entry.subnets.resize(3);
    record.apps.push_back(entry);
  }
  record.static_energy_j = 200;
  return record;
}

JobRecord frame(std::uint16_t app, std::uint32_t job, double arrival_ms, double end_ms, int subnet, Outcome outcome,
                double isolated_ms, float energy_mj) {
  JobRecord out;
  out.app = app;
  out.job = job;
  out.arrival = from_ms(arrival_ms);
  out.end = end_ms > 0 ? from_ms(end_ms) : kNoTime;
  out.start = out.end == kNoTime ? kNoTime : out.arrival;
  out.deadline = app == 0 ? out.arrival + from_ms(50) : kNoTime;
  out.subnet = static_cast<std::uint8_t>(subnet);
  out.outcome = outcome;
  out.isolated_ms = static_cast<float>(isolated_ms);
  out.energy_mj = energy_mj;
  return out;
}

// Camera: 20 ms late? no; yes, by 1 ms; dropped; 40 ms in time; rejected; unfinished. In the order of completion, which
// is not that of arrival. Radar: one frame of 100 ms.
RunRecord six_frames(const Setup& setup) {
  RunRecord record = empty_record(setup);
  add(record, setup, frame(0, 2, 200, 0, 2, Outcome::dropped, 0, 0));
  add(record, setup, frame(0, 0, 0, 20, 1, Outcome::met, 20, 150));
  add(record, setup, frame(0, 1, 100, 151, 2, Outcome::missed, 34, 300));
  add(record, setup, frame(0, 4, 400, 0, 2, Outcome::rejected, 0, 0));
  add(record, setup, frame(0, 3, 300, 340, 0, Outcome::met, 10, 75));
  add(record, setup, frame(0, 5, 500, 0, 0, Outcome::unfinished, 0, 0));
  add(record, setup, frame(1, 0, 1000, 1100, 2, Outcome::met, 50, 375));
  return record;
}

TEST_CASE("metrics: six frames by hand, application") {
  const Lab lab;
  const Scenario scenario = lab.load(kScenario);
  const Metrics m = measure(*scenario.setup, six_frames(*scenario.setup));
  const auto camera = [&](const char* name) {
    INFO(name);
    REQUIRE(find_metric(name) != nullptr);
    return m.of_application(0, name);
  };
  CHECK(camera("apps.APP.jobs") == 6);
  CHECK(camera("apps.APP.completed") == 3);
  CHECK(camera("apps.APP.dropped") == 1);
  CHECK(camera("apps.APP.rejected") == 1);
  CHECK(camera("apps.APP.missed") == 1);
  CHECK(camera("apps.APP.miss_rate") == Approx(3.0 / 5));
  CHECK(camera("apps.APP.miss_run.longest") == 2);          // frames 1 and 2
  CHECK(camera("apps.APP.miss_run.mean") == Approx(1.5));   // and 4
  CHECK(camera("apps.APP.latency_ms.mean") == Approx(37));  // 20, 51, 40
  CHECK(camera("apps.APP.latency_ms.p50") == Approx(40).epsilon(0.002));
  CHECK(camera("apps.APP.latency_ms.max") == Approx(51));
  CHECK(camera("apps.APP.jitter_ms") == Approx(camera("apps.APP.latency_ms.p99") - camera("apps.APP.latency_ms.p50")));
  CHECK(camera("apps.APP.antt") == Approx((1 + 1.5 + 4) / 3));
  CHECK(camera("apps.APP.stp") == Approx(3 / 0.34));
  CHECK(camera("apps.APP.accuracy.mean") == Approx(75));  // 75, 80, 70
  CHECK(camera("apps.APP.accuracy.in_time") == Approx((75 + 70) / 5.0));
  CHECK(camera("apps.APP.throughput_correct_hz") == Approx(1.45 / 10));
  CHECK(camera("apps.APP.energy_mj_per_job") == Approx(175));
  CHECK(camera("apps.APP.energy_mj_per_useful_job") == Approx(262.5));
  CHECK(camera("apps.APP.energy_j_per_correct") == Approx(0.525 / 1.45));
  CHECK(camera("apps.APP.edp_js") == Approx(0.175 * 0.037));
  // Real time: sure 30 and 10 ms before the deadline, 1/(1 + e^15) a millisecond after. Energy: 0.9, 0.8, 0.95.
  const double late = 0.8 / (1 + std::exp(15.0));
  CHECK(camera("apps.APP.xrbench_code") == Approx(100 * (0.9 + late + 0.95) / 5 * 0.6));
  CHECK(camera("apps.APP.xrbench_paper") == Approx(100 * (0.9 + late + 0.95 * 70 / 75) / 3 * 0.6));  // the floor is 75
  CHECK(std::isnan(camera("apps.APP.mlperf.result")));
  CHECK(std::isnan(camera("apps.APP.mlperf.valid")));
  CHECK(std::isnan(m.of_application(1, "apps.APP.xrbench_code")));  // no deadline
  CHECK(m.of_application(1, "apps.APP.miss_run.longest") == 0);
  CHECK(std::isnan(m.of_application(1, "apps.APP.miss_run.mean")));
  CHECK(m.of_application(1, "apps.APP.antt") == Approx(2));
}

TEST_CASE("metrics: six frames by hand, the run") {
  const Lab lab;
  const Scenario scenario = lab.load(kScenario);
  RunRecord record = six_frames(*scenario.setup);
  record.manager_s = 0.5;
  record.decisions_asked = 7;
  const Metrics m = measure(*scenario.setup, record);
  CHECK(m.of_run("platform.energy_j") == 200);
  CHECK(m.of_run("platform.mean_power_w") == 20);
  CHECK(m.of_run("platform.manager_ms") == 500);
  CHECK(m.of_run("platform.manager_share") == Approx(0.05));
  CHECK(m.of_run("platform.decisions_asked") == 7);
  CHECK(std::isnan(m.of_run("platform.above_trip_s")));
  CHECK(m.of_run("run.miss_rate") == Approx(0.5));  // 3 of 6
  CHECK(m.of_run("run.accuracy") == Approx(305 / 4.0));
  CHECK(m.of_run("run.throughput_correct_hz") == Approx(0.225));
  CHECK(m.of_run("run.energy_mj_per_job") == Approx(50'000));
  CHECK(m.of_run("run.energy_mj_per_useful_job") == Approx(200'000 / 3.0));
  CHECK(m.of_run("run.energy_j_per_correct") == Approx(200 / 2.25));
  CHECK(m.of_run("run.edp_js") == Approx(50 * 0.211 / 4));
  CHECK(m.of_run("run.antt") == Approx((1 + 1.5 + 4 + 2) / 4));
  CHECK(m.of_run("run.stp") == Approx(4 / 1.1));
  CHECK(m.of_run("run.xrbench_code") == Approx(m.of_application(0, "apps.APP.xrbench_code")));
  // Three missed at 2, 5 + 10 points short of 80 at 0.1 (the missed frame's do not count), 0.9 J at 0.5 (the board's
  // static 200 J are nobody's); 7 frames came, of which one was not decided.
  CHECK(m.of_run("run.cost") == Approx((3 * 2 + 15 * 0.1 + 0.9 * 0.5) / 7));
  // The costliest frame: gpu, L3 at 1000 MHz, 10 W x 40 ms (500 MHz: 5 W x 80 ms, cpu: 4 W x 120 ms = 480 mJ).
  CHECK(worst_energy_mj(*scenario.setup, 0) == Approx(480));
  CHECK(m.of_run("run.uxcost") == Approx((0.6 + 1 / 2.0) * (175 + 375) / 480));
  CHECK(worst_power_w(*scenario.setup) == Approx(3 + 12 + 5));
  const TradeOff point = trade_off(*scenario.setup, m);
  CHECK(point[0] == Approx(1));
  CHECK(point[1] == Approx(0.5));
  CHECK(point[2] == Approx(1 - 0.7625));
}

TEST_CASE("metrics: what is undefined is NaN, and null in JSON") {
  const Lab lab;
  const Scenario scenario = lab.load(kScenario);
  const RunRecord nothing = empty_record(*scenario.setup);
  const Metrics m = measure(*scenario.setup, nothing);
  const std::set<std::string_view> counts{
      "apps.APP.jobs",   "apps.APP.completed",       "apps.APP.dropped",         "apps.APP.rejected",
      "apps.APP.missed", "apps.APP.subnet_switches", "apps.APP.mapping_changes", "apps.APP.throughput_correct_hz"};
  for (const Metric& metric : metric_table()) {
    INFO(metric.name);
    if (metric.of_application == nullptr) continue;
    const double value = m.of_application(0, metric.name);
    CHECK((counts.contains(metric.name) ? value == 0 : std::isnan(value)));
  }
  for (const char* name : {"run.cost", "run.miss_rate", "run.accuracy", "run.energy_mj_per_job", "run.edp_js",
                           "run.antt", "run.stp", "run.uxcost", "run.xrbench_code", "run.energy_j_per_correct"})
    CHECK(std::isnan(m.of_run(name)));
  CHECK(metrics_json(*scenario.setup, m)["run"]["cost"].is_null());

  std::vector<RunRecord> two(2);
  two[1] = six_frames(*scenario.setup);
  two[0] = empty_record(*scenario.setup);
  const std::vector<Metrics> both = measure(*scenario.setup, two);
  CHECK(std::isnan(both[0].of_run("run.cost")));
  CHECK(both[1].of_run("run.uxcost") == measure(*scenario.setup, two[1]).of_run("run.uxcost"));

  // Without a job log what rests on counts stays, and what needs frames is undefined.
  RunRecord unlogged = six_frames(*scenario.setup);
  unlogged.jobs = JobLog();
  const Metrics counted = measure(*scenario.setup, unlogged);
  CHECK(counted.of_run("run.cost") == Approx((7.5 + 0.45) / 7));
  CHECK(counted.of_application(0, "apps.APP.accuracy.in_time") == Approx(29));
  for (const char* name : {"apps.APP.miss_run.longest", "apps.APP.antt", "apps.APP.xrbench_code"})
    CHECK(std::isnan(counted.of_application(0, name)));
  const Json json = metrics_json(*scenario.setup, counted);
  CHECK(json["apps"]["camera"]["latency_ms"]["mean"] == Approx(37));
  CHECK(json["platform"]["energy_j"] == 200);

  // A network that states no accuracy, and one whose accuracy is no share of answers.
  Lab other;
  other.network["accuracy_metric"] = "BLEU";
  const Scenario bleu = other.load(kScenario);
  const Metrics b = measure(*bleu.setup, six_frames(*bleu.setup));
  CHECK(std::isnan(b.of_run("run.throughput_correct_hz")));
  CHECK(b.of_run("run.accuracy") == Approx(305 / 4.0));
  for (auto& subnet : other.network["subnets"]) subnet["accuracy"] = 0;
  const Scenario unstated = other.load(kScenario);
  const Metrics u = measure(*unstated.setup, six_frames(*unstated.setup));
  CHECK(std::isnan(u.of_run("run.accuracy")));
  CHECK(u.of_run("run.cost") == Approx((3 * 2 + 0.9 * 0.5) / 7));
}

TEST_CASE("metrics: the table holds together") {
  std::set<std::string_view> names;
  for (const Metric& metric : metric_table()) {
    INFO(metric.name);
    CHECK(names.insert(metric.name).second);
    CHECK_FALSE(metric.doc.empty());
    CHECK_FALSE((metric.of_application != nullptr && metric.of_run != nullptr));
    CHECK((metric.of_application != nullptr || metric.of_run != nullptr || metric.in_run));
    if (metric.of_application != nullptr) CHECK(metric.name.starts_with("apps.APP."));
  }
  CHECK(find_metric("run.costs") == nullptr);
  CHECK(std::isnan(Metrics{}.of_run("run.costs")));
}

TEST_CASE("metrics: MLPerf's scenarios") {
  const Lab lab;
  const auto run = [&](const std::string& arrivals, double seconds, const std::string& more = "") {
    const Scenario scenario =
        lab.load(R"({"duration_s": )" + std::to_string(seconds) +
                 R"(, "applications": {"a": {"unit": "gpu", "subnet": "L1", "arrivals": )" + arrivals + more + "}}}");
    const Metrics m = measure(*scenario.setup, simulate(*scenario.setup, {.jobs = true}, EngineKind::native, 0));
    return std::pair{m.of_application(0, "apps.APP.mlperf.result"), m.of_application(0, "apps.APP.mlperf.valid")};
  };
  CHECK(run(R"({"kind": "single-stream"})", 1) == std::pair{10.0, 0.0});  // too short to count
  CHECK(run(R"({"kind": "single-stream"})", 600) == std::pair{10.0, 1.0});
  CHECK(std::isnan(run(R"({"kind": "single-stream"})", 0.635).first));  // 63 queries
  CHECK(run(R"({"kind": "multi-stream", "samples": 2})", 600) == std::pair{20.0, 1.0});
  const auto offline = run(R"({"kind": "offline", "samples": 100})", 10);
  CHECK(offline.first == Approx(100));
  CHECK(offline.second == 0);
  CHECK(run(R"({"kind": "offline", "samples": 60001})", 700).second == 1);
  const auto server = run(R"({"kind": "server", "target_qps": 20})", 600, R"(, "targets": [{"latency_ms": 100}])");
  CHECK(server.first == Approx(20).epsilon(0.05));
  CHECK(server.second == 1);
  CHECK(run(R"({"kind": "server", "target_qps": 60})", 600, R"(, "targets": [{"latency_ms": 20}])").second == 0);
  CHECK(std::isnan(run(R"({"kind": "server", "target_qps": 20})", 600).second));  // no target to be judged by
}

TEST_CASE("metrics: World keeps isolated times, the manager's cost, mapping changes") {
  const Lab lab;
  // Two streams on one fair unit: each takes twice its time alone.
  const char* const pair = R"({"duration_s": 1, "applications": {
    "a": {"unit": "gpu", "subnet": "L1", "arrivals": {"kind": "closed-loop"}},
    "b": {"unit": "gpu", "subnet": "L1", "arrivals": {"kind": "closed-loop"}}}})";
  const Scenario scenario = lab.load(pair);
  const RunRecord record = simulate(*scenario.setup, {.jobs = true}, EngineKind::native, 0);
  const Metrics m = measure(*scenario.setup, record);
  for (const JobRecord& job : test::jobs_of(record))
    if (job.outcome == Outcome::met) CHECK(job.isolated_ms == Approx(10));
  CHECK(m.of_run("run.antt") == Approx(2));
  CHECK(m.of_run("run.stp") == Approx(100));
  const RunRecord copy = unpack(pack(record));
  CHECK(copy.jobs[3].isolated_ms == record.jobs[3].isolated_ms);
  CHECK(std::isnan(copy.above_trip_s));
}

TEST_CASE("metrics: World counts questions, compute time and moves, after the warm-up") {
  const Lab lab;
  int asked = 0;
  const test::HookPolicy hook([&](const manager::Observation& seen, manager::Decision& decision) {
    ++asked;
    if (seen.now >= from_ms(400)) decision.set(manager::Knob::mapping, 0, asked % 2, manager::because(""));
  });
  const RunRecord record = lab.run(R"({"duration_s": 1.05, "warmup_s": 0.5,
    "policy": {"name": "test-hook", "period_ms": 100, "cost_us": 2000},
    "applications": {"a": {"unit": "gpu", "subnet": "L1", "arrivals": {"kind": "periodic", "period_ms": 500}}}})");
  CHECK(asked == 11);                  // at 0, 0.1, ..., 1.0 s
  CHECK(record.decisions_asked == 6);  // at 0.5, ..., 1.0 s
  CHECK(record.manager_s == Approx(0.012));
  CHECK(record.apps[0].mapping_changes == 6);  // each question from 0.4 s on moves it, or leaves it at first
  const RunRecord copy = unpack(pack(record));
  CHECK(copy.manager_s == record.manager_s);
  CHECK(copy.decisions_asked == 6);
  CHECK(copy.apps[0].mapping_changes == 6);
}

TEST_CASE("metrics: time above a trip is that of the polls") {
  Lab lab;
  lab.board["thermal"] = test::parse_json(R"({
    "ambient_c": 25, "initial_c": 25, "poll_ms": 100,
    "nodes": {"die": {"capacity_j_per_k": 0.5, "to_ambient_w_per_k": 0.2}},
    "trips": [{"node": "die", "temperature_c": 50, "hysteresis_k": 1000, "domains": ["cpu"]}],
    "provenance": "derived", "source": "made up"
  })");
  lab.board["units"]["gpu"]["thermal_node"] = "die";
  // The gpu draws 12 W for 10 s: 25 + 60 (1 - e^(-t / 2.5 s)) reaches 50 at 1.3475 s; from 85 - 60 e^-4 at 10 s, with
  // 2 W, it falls towards 35 and is below 50 again 2.98 s later.
  const double hot_c = 85 - 60 * std::exp(-4.0), below_s = 10 + 2.5 * std::log((hot_c - 35) / 15);
  const auto run = [&](double warmup_s) {
    return lab
        .run(R"({"duration_s": 20.05, "warmup_s": )" + std::to_string(warmup_s) +
             R"(, "applications": {}, "background": {"load": {"unit": "gpu", "to_s": 10}}})")
        .above_trip_s;
  };
  // From the poll before the first that sees it (1.3 s) to the last that does.
  const double until_s = std::floor(below_s * 10) / 10;
  CHECK(run(0) == Approx(until_s - 1.3));
  CHECK(run(5.05) == Approx(until_s - 5.05));
  CHECK(std::isnan(Lab().run(kScenario).above_trip_s));
}

TEST_CASE("metrics: hypervolumes by hand") {
  const auto volume = [](std::vector<TradeOff> points) { return hypervolume(points); };
  CHECK(volume({}) == 0);
  CHECK(volume({{0, 0, 0}}) == Approx(1));
  CHECK(volume({{0.5, 0.5, 0.5}}) == Approx(0.125));
  CHECK(volume({{0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}, {0.6, 0.7, 0.5}}) == Approx(0.125));  // duplicates, dominated
  CHECK(volume({{1, 0, 0}, {0, 2, 0}, {std::nan(""), 0, 0}}) == 0);
  // Two boxes of 0.5 x 1 x 0.5 less what they share.
  CHECK(volume({{0.5, 0, 0.5}, {0, 0.5, 0.5}}) == Approx(0.25 + 0.25 - 0.125));
  // Three boxes: 0.8 x 0.5 x 0.5 each; pairs share 0.5 x 0.5 x 0.5, all three too.
  const std::vector<TradeOff> three{{0.2, 0.5, 0.5}, {0.5, 0.2, 0.5}, {0.5, 0.5, 0.2}};
  CHECK(volume(three) == Approx(3 * 0.2 - 3 * 0.125 + 0.125));
  for (const double own : exclusive_contributions(three)) CHECK(own == Approx(0.2 - 0.125));
  CHECK(exclusive_contributions(std::vector<TradeOff>{{0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}}) == std::vector<double>{0, 0});
}

TEST_CASE("metrics: hypervolumes by Monte Carlo") {
  const Stream stream(8, "volume");
  for (std::uint64_t trial = 0; trial < 5; ++trial) {
    const Stream own = stream.substream(trial);
    std::vector<TradeOff> points;
    for (std::uint64_t i = 0; i < 12; ++i)
      points.push_back({own.uniform(3 * i), own.uniform(3 * i + 1), own.uniform(3 * i + 2)});
    constexpr std::uint64_t kDraws = 200'000;
    int inside = 0;
    std::vector<int> alone(points.size(), 0);
    for (std::uint64_t n = 0; n < kDraws; ++n) {
      int by = 0;
      std::size_t last = 0;
      for (std::size_t i = 0; i < points.size(); ++i) {
        bool above = true;
        for (std::uint64_t k = 0; k < 3; ++k) above = above && own.uniform(1000 + 3 * n + k) >= points[i][k];
        if (above) ++by, last = i;
      }
      inside += by > 0;
      if (by == 1) ++alone[last];
    }
    CHECK(hypervolume(points) == Approx(inside / static_cast<double>(kDraws)).margin(0.005));
    const auto contributions = exclusive_contributions(points);
    for (std::size_t i = 0; i < points.size(); ++i)
      CHECK(contributions[i] == Approx(alone[i] / static_cast<double>(kDraws)).margin(0.003));
  }
}

}  // namespace
}  // namespace dynasoc
