#include "results/bench.hpp"

#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>

#include "common/child_process.hpp"
#include "kernel/random.hpp"
#include "manager/governor.hpp"
#include "results/comparison.hpp"

namespace dynasoc {
namespace fs = std::filesystem;
namespace {

constexpr const char* kStandard = "bench/standard";

fs::path standard_path() { return DataPaths().scenario({kStandard, {Document::parse("{}", kStandard), ""}}); }

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double peak_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  return std::nan("");
}

}  // namespace

fs::path bench_root() { return fs::weakly_canonical(standard_path()).parent_path().parent_path().parent_path(); }

Scenario bench_scenario(const BenchWorkload& workload) {
  const fs::path path = standard_path();
  Json root = Document::load(path)->root();
  const Json standard = root["applications"];

  const int replicas = workload.applications > 0 ? workload.applications / static_cast<int>(standard.size()) : 1;
  if (replicas < 1 || (workload.applications > 0 && workload.applications % static_cast<int>(standard.size()) != 0))
    throw InternalError("the number of applications must be a multiple of the standard's");
  double rate_hz = 0;
  for (const auto& [name, app] : standard.items()) rate_hz += 1e3 / app["arrivals"]["period_ms"].get<double>();
  root["duration_s"] = workload.inferences / rate_hz;
  if (replicas > 1) {
    root["applications"] = Json::object();
    for (int replica = 0; replica < replicas; ++replica)
      for (const auto& [name, original] : standard.items()) {
        Json app = original;
        Json& arrivals = app["arrivals"];
        const double period_ms = arrivals["period_ms"].get<double>();
        arrivals["period_ms"] = period_ms * replicas;
        arrivals["phase_ms"] = arrivals.value("phase_ms", 0.0) + period_ms * replica;
        root["applications"][name + "-" + std::to_string(replica + 1)] = std::move(app);
      }
    if (!workload.manager_as_often) root["policy"]["period_ms"] = root["policy"]["period_ms"].get<double>() * replicas;
  }
  if (workload.clocks != BenchClocks::manager) root["policy"]["dvfs"] = false;
  if (workload.clocks == BenchClocks::governors) root["governors"] = {{"cpu", "schedutil"}, {"gpu", "nvhost_podgov"}};
  if (!workload.background) root.erase("background");
  return load_scenario(Document::parse(root.dump(), path.string()), path.parent_path());
}

BenchRun bench_here(const Setup& setup, bool record_jobs, EngineKind engine) {
  Recording recording;
  recording.jobs = record_jobs;
  BenchRun run;
  const double cpu_s = cpu_seconds(), wall_s = wall_seconds();
  const RunRecord record = simulate(setup, recording, engine, 0);
  run.cpu_s = cpu_seconds() - cpu_s;
  run.wall_s = wall_seconds() - wall_s;
  run.peak_mb = peak_mb();
  for (const AppRecord& app : record.apps) run.inferences += static_cast<double>(app.completed);
  return run;
}

std::vector<BenchRun> bench_in_child(const BenchWorkload& workload, bool record_jobs, int times) {
  ChildProcess child([&] {
    const Scenario scenario = bench_scenario(workload);
    Json runs = Json::array();
    for (int i = 0; i < times; ++i)
      runs.push_back(to_json(bench_here(*scenario.setup, record_jobs, EngineKind::native)));
    return runs.dump();
  });
  std::vector<BenchRun> out;
  for (const Json& run : Json::parse(child.result())) out.push_back(bench_run_of(run));
  return out;
}

double governor_ns(const std::string& name, int calls) {
  const auto governor = manager::Registry<manager::Governor>::instance().make(name, nullptr);
  std::vector<double> opps;
  for (int i = 0; i < 25; ++i) opps.push_back(115.2 + 76.8 * i);
  const Stream draws(1, "governor bench");
  manager::CoreLoad core;
  manager::DomainSample sample;
  sample.cores = {&core, 1};
  sample.cpus = 2;
  sample.opps_mhz = opps;
  sample.highest = static_cast<int>(opps.size()) - 1;
  sample.ask = manager::Ask::start;
  sample.opp = governor->next(sample);
  std::vector<double> uniform;  // drawn before the clock starts
  for (std::uint64_t i = 0; i < 1024; ++i) uniform.push_back(draws.uniform(i));
  const double began_s = cpu_seconds();
  for (int i = 0; i < calls; ++i) {
    sample.ask = i % 2 == 0 ? manager::Ask::load : manager::Ask::sample;
    sample.now += 1'000'000 + static_cast<Time>(2e7 * uniform[static_cast<std::size_t>(i) % 1024]);
    if (sample.ask == manager::Ask::load) core.running = 1 - core.running;
    core.busy = uniform[static_cast<std::size_t>(i + 7) % 1024];
    core.busy_mhz = core.busy * sample.mhz();
    sample.opp = governor->next(sample);
    if (sample.ask == manager::Ask::sample) sample.since = sample.now;
  }
  return (cpu_seconds() - began_s) * 1e9 / calls;
}

namespace {

double now_ns() {
  return static_cast<double>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

struct Stopwatch {
  double ns = 0;
  double calls = 0;
};

class TimedPolicy final : public manager::Policy {
 public:
  TimedPolicy(std::unique_ptr<manager::Policy> policy, Stopwatch& watch) : policy_(std::move(policy)), watch_(watch) {}
  manager::Triggers triggers() const override { return policy_->triggers(); }
  double compute_cost_us() const override { return policy_->compute_cost_us(); }
  void decide(const manager::Observation& seen, manager::Decision& decision) override {
    const double began = now_ns();
    policy_->decide(seen, decision);
    const double ended = now_ns();
    if (seen.trigger == manager::Trigger::start) return;  // tables are read and lists are made
    watch_.ns += ended - began;
    ++watch_.calls;
  }

 private:
  std::unique_ptr<manager::Policy> policy_;
  Stopwatch& watch_;
};

Scenario four_applications() { return load_scenario(bench_root() / "scenarios" / "bench" / "four-applications.json"); }

}  // namespace

double policy_ns(const std::string& name) {
  Setup setup = *four_applications().setup;
  Stopwatch watch;
  setup.policy_factory = [&name, &watch] {
    return std::make_unique<TimedPolicy>(manager::Registry<manager::Policy>::instance().make(name, nullptr), watch);
  };
  simulate(setup, {}, EngineKind::native, 0);
  constexpr int kReadings = 10'000;
  double least = 1e300;
  for (int i = 0; i < kReadings; ++i) {
    const double began = now_ns();
    least = std::min(least, now_ns() - began);
  }
  return watch.calls > 0 ? std::max(0.0, watch.ns / watch.calls - least) : std::nan("");
}

TimedWork timed_comparison(int replications, int jobs) {
  const Scenario scenario = four_applications();
  ComparisonRequest request;
  request.contenders = contenders_of(scenario,
                                     "none,static,dynamic-ofa,dynamic-ofa-demo,hierarchical,alert,pid,mpc,ucb,"
                                     "critical-speed,pace,schedutil");
  request.replications = replications;
  request.jobs = jobs;
  const double began = now_ns();
  compare(scenario, request);
  return {(now_ns() - began) * 1e-9, static_cast<double>(request.contenders.size()) * replications};
}

TimedWork timed_oracle(double duration_s) {
  const Json json = {
      {"platform", "jetson-xavier-nx"},
      {"duration_s", duration_s},
      {"policy", "oracle"},
      {"applications",
       {{"camera",
         {{"network", "dynamic-ofa-gpu"},
          {"tables", {"search"}},
          {"unit", "gpu"},
          {"late", "drop-hopeless"},
          {"arrivals", {{"kind", "periodic"}, {"period_ms", 33.333}, {"jitter_ms", 5}}},
          {"targets", {{{"latency_ms", 60}}}},
          {"execution", {{"kind", "table"}, {"default_cv", 0.1}}}}}}},
      {"background",
       {{"other",
         {{"unit", "gpu"},
          {"weight", 0.3},
          {"demand", {{"kind", "on-off"}, {"on_ms", 2000}, {"off_ms", 3000}, {"exponential", true}}}}}}}};
  const Scenario scenario = load_scenario(Document::parse(json.dump(1), "oracle bench"), bench_root());
  const double began_s = cpu_seconds();
  const RunRecord record = simulate(*scenario.setup, {}, EngineKind::native, 0);
  return {cpu_seconds() - began_s, static_cast<double>(record.apps[0].jobs)};
}

Json to_json(const BenchRun& run) {
  return {{"inferences", run.inferences}, {"seconds", run.cpu_s}, {"wall_s", run.wall_s}, {"peak_mb", run.peak_mb}};
}

BenchRun bench_run_of(const Json& json) {
  return {json.at("inferences").get<double>(), json.at("seconds").get<double>(), json.at("wall_s").get<double>(),
          json.at("peak_mb").get<double>()};
}

}  // namespace dynasoc
