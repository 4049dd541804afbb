#include "results/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "application/scaling_fit.hpp"
#include "common/nan.hpp"
#include "results/percentile_rule.hpp"

namespace dynasoc {

std::string_view name_of(Better better) {
  switch (better) {
    case Better::lower: return "lower";
    case Better::higher: return "higher";
    case Better::neither: return "neither";
  }
  return "?";
}

namespace {
double over(double a, double b) { return b > 0 ? a / b : kNaN; }

bool states_accuracy(const Network& network) {
  return std::any_of(network.file.subnets.begin(), network.file.subnets.end(),
                     [](const Subnet& subnet) { return subnet.accuracy > 0; });
}
// Whether an accuracy is a share of right answers: a percentage is one, a BLEU score is not.
bool counts_answers(const Network& network) {
  return states_accuracy(network) && network.file.accuracy_metric.ends_with("[%]");
}
}  // namespace

// Sums over the decided frames of one application, or of all.
struct ApplicationSight {
  const Setup* setup = nullptr;
  const RunRecord* run = nullptr;
  const AppSetup* app = nullptr;      // null: all applications
  const AppRecord* record = nullptr;  // null: all applications
  double decided = 0, completed = 0, in_time = 0, lost = 0;
  double latency_sum_ms = 0;
  double energy_mj = 0;
  double accuracy_sum = kNaN;          // of completed frames, in points
  double accuracy_in_time_sum = kNaN;  // of frames in time
  double correct = kNaN;               // right answers expected of frames in time
  double shortfall_sum = 0;            // best accuracy less the delivered, of frames in time
  double worst_mj = kNaN;

  // From the job log.
  bool logged = false;
  std::vector<const JobRecord*> frames;  // decided, in the order of their numbers
  bool deadlines = false;                // any frame had one
  double slowdown_sum = 0;
  double slowdowns = 0;
  Time first_arrival = kNever, last_end = 0;

  double missed() const { return decided - in_time; }
  double miss_rate() const { return over(missed(), decided); }
};

struct RunSight {
  ApplicationSight all;
  std::vector<ApplicationSight> apps;
};

namespace {

// Mean over the applications for which a score is defined.
template <class F>
double mean_over(const RunSight& run, F score) {
  double sum = 0, count = 0;
  for (const ApplicationSight& app : run.apps)
    if (const double x = score(app); std::isfinite(x)) sum += x, ++count;
  return over(sum, count);
}

// -- Deadlines --------------------------------------------------------------------------------------------------------

struct Runs {
  double longest = 0;
  double count = 0;
  double frames = 0;
};
Runs miss_runs(const ApplicationSight& sight) {
  Runs out;
  double length = 0;
  for (const JobRecord* job : sight.frames) {
    if (job->outcome == Outcome::met) {
      length = 0;
      continue;
    }
    out.count += length == 0;
    ++length;
    ++out.frames;
    out.longest = std::max(out.longest, length);
  }
  return out;
}
double longest_miss_run(const ApplicationSight& sight) {
  return sight.logged && sight.decided > 0 ? miss_runs(sight).longest : kNaN;
}
double mean_miss_run(const ApplicationSight& sight) {
  const Runs runs = miss_runs(sight);
  return sight.logged ? over(runs.frames, runs.count) : kNaN;
}

// -- Latency ----------------------------------------------------------------------------------------------------------

template <int kPercent>
double quantile(const ApplicationSight& sight) {
  return sight.record->latency.quantile_ms(kPercent / 100.0);
}
double jitter(const ApplicationSight& sight) { return quantile<99>(sight) - quantile<50>(sight); }

double antt(const ApplicationSight& sight) { return sight.logged ? over(sight.slowdown_sum, sight.slowdowns) : kNaN; }
double stp(const ApplicationSight& sight) {
  return sight.logged && sight.completed > 0 ? over(sight.completed, to_s(sight.last_end - sight.first_arrival)) : kNaN;
}

// -- XRBench ----------------------------------------------------------------------------------------------------------

double accuracy_target(const ApplicationSight& sight, Time arrival) {
  double floor = 0;
  for (const TargetFile& target : sight.app->file.targets)
    if (from_s(target.from_s) <= arrival) floor = target.accuracy_floor;
  if (floor > 0) return floor;
  double best = 0;
  for (const Subnet& subnet : sight.app->network->file.subnets) best = std::max(best, subnet.accuracy);
  return best;
}

double real_time_score(const JobRecord& job, const XrBench& p) {
  if (job.deadline == kNoTime) return 1;
  return 1 / (1 + std::exp(p.k_per_ms * to_ms(job.end - job.deadline)));
}

double xrbench(const ApplicationSight& sight, bool paper) {
  constexpr XrBench p;
  if (!sight.logged || !sight.deadlines || sight.decided == 0) return kNaN;
  if (paper && !states_accuracy(*sight.app->network)) return kNaN;
  double sum = 0, executed = 0;
  for (const JobRecord* job : sight.frames) {
    if (job->end == kNoTime) continue;
    ++executed;
    double score = real_time_score(*job, p) *
                   std::clamp((p.energy_max_mj - static_cast<double>(job->energy_mj)) / p.energy_max_mj, 0.0, 1.0);
    if (paper)
      score *=
          std::min(1.0, sight.app->network->file.subnets[job->subnet].accuracy / accuracy_target(sight, job->arrival));
    sum += score;
  }
  const double experience = 1 - sight.lost / sight.decided;
  if (executed == 0) return 0;  // every frame was dropped: the quality of experience is 0 whatever the scores
  return 100 * sum / (paper ? executed : sight.decided) * experience;
}
double xrbench_code(const ApplicationSight& sight) { return xrbench(sight, false); }
double xrbench_paper(const ApplicationSight& sight) { return xrbench(sight, true); }

// -- MLPerf -----------------------------------------------------------------------------------------------------------

constexpr double kMlperfSeconds = 600;
constexpr double kMlperfOfflineSamples = 24576;

std::vector<double> latencies_ms(const ApplicationSight& sight) {
  std::vector<double> out;
  for (const JobRecord* job : sight.frames)
    if (job->end != kNoTime) out.push_back(to_ms(job->end - job->arrival));
  std::sort(out.begin(), out.end());
  return out;
}
double stream_estimate_ms(const ApplicationSight& sight, double percentile) {
  if (!sight.logged) return kNaN;
  const std::vector<double> sorted = latencies_ms(sight);
  const auto n = static_cast<std::int64_t>(sorted.size());
  const std::int64_t rank = estimate_rank(n, {.percentile = percentile});
  return rank > 0 ? sorted[static_cast<std::size_t>(n - rank)] : kNaN;
}
double offline_s(const ApplicationSight& sight) {
  return sight.logged && sight.completed > 0 ? to_s(sight.last_end - sight.first_arrival) : kNaN;
}

double mlperf_result(const ApplicationSight& sight) {
  const ArrivalsFile& arrivals = sight.app->file.arrivals;
  if (std::holds_alternative<SingleStreamArrivals>(arrivals)) return stream_estimate_ms(sight, 0.90);
  if (std::holds_alternative<MultiStreamArrivals>(arrivals)) return stream_estimate_ms(sight, 0.99);
  if (std::holds_alternative<ServerArrivals>(arrivals))
    return over(static_cast<double>(sight.record->jobs), sight.run->measured_s);
  if (std::holds_alternative<OfflineArrivals>(arrivals)) return over(sight.completed, offline_s(sight));
  return kNaN;
}

double mlperf_valid(const ApplicationSight& sight) {
  const ArrivalsFile& arrivals = sight.app->file.arrivals;
  const bool long_enough = sight.run->measured_s >= kMlperfSeconds;
  const auto decided = static_cast<std::int64_t>(sight.decided);
  if (const auto* offline = std::get_if<OfflineArrivals>(&arrivals)) {
    const double seconds = offline_s(sight);
    if (std::isnan(seconds)) return sight.logged ? 0 : kNaN;
    return seconds >= kMlperfSeconds && sight.completed >= kMlperfOfflineSamples &&
           sight.completed == static_cast<double>(offline->samples);
  }
  if (std::holds_alternative<ServerArrivals>(arrivals)) {
    const auto& targets = sight.app->file.targets;
    if (std::none_of(targets.begin(), targets.end(), [](const TargetFile& t) { return t.latency_ms > 0; })) return kNaN;
    return long_enough && bound_holds(decided, static_cast<std::int64_t>(sight.missed()), {.percentile = 0.99});
  }
  const double percentile = std::holds_alternative<SingleStreamArrivals>(arrivals)  ? 0.90
                            : std::holds_alternative<MultiStreamArrivals>(arrivals) ? 0.99
                                                                                    : kNaN;
  if (std::isnan(percentile)) return kNaN;
  return long_enough && sight.lost == 0 && percentile_is_supported(percentile, static_cast<std::uint64_t>(decided));
}

// -- Scores of the run ------------------------------------------------------------------------------------------------

double uxcost(const RunSight& run) {
  double violations = 0, energy = 0;
  for (const ApplicationSight& app : run.apps) {
    if (app.decided == 0) continue;
    if (app.completed == 0) return kNaN;
    violations += std::max(app.miss_rate(), 1 / (2 * app.decided));
    energy += app.energy_mj / app.completed / app.worst_mj;
  }
  return run.all.decided > 0 ? violations * energy : kNaN;
}

// A sub-network is in memory if any unit can run it.
double memory_mb(const RunSight& run) {
  double sum = 0;
  for (const ApplicationSight& one : run.apps)
    for (std::size_t s = 0; s < one.app->network->size(); ++s) {
      const bool kept = std::any_of(one.app->models.begin(), one.app->models.end(),
                                    [&](const auto& models) { return models[s].has_value(); });
      if (!kept) continue;
      const double own_mb = one.app->network->file.subnets[s].memory_mb;
      if (own_mb == 0) return kNaN;  // not stated
      sum += own_mb;
    }
  return sum;
}

double cost(const RunSight& run) {
  const Objective& objective = run.all.setup->objective;
  double frames = 0, overdue = 0, energy_j = 0;
  for (const AppRecord& app : run.all.run->apps) {
    frames += static_cast<double>(app.jobs);
    overdue += static_cast<double>(app.overdue);
    energy_j += app.energy_mj * 1e-3;
  }
  for (const UnitRecord& unit : run.all.run->units) energy_j += unit.idle_energy_j;
  return over(objective.miss * (run.all.missed() + overdue) + objective.accuracy * run.all.shortfall_sum +
                  objective.energy * energy_j,
              frames);
}

// -- The table --------------------------------------------------------------------------------------------------------

using App = ApplicationSight;
using Run = RunSight;
using B = Better;

constexpr const char* kGonzalez =
    "Gonzalez, Horowitz: Energy dissipation in general purpose microprocessors, JSSC 1996";
constexpr const char* kXrBench = "Kwon et al.: XRBench, MLSys 2023";
constexpr const char* kMlPerf = "Reddi et al.: MLPerf Inference Benchmark, ISCA 2020; LoadGen, early_stopping.cc";
constexpr const char* kDysta = "Fan et al.: Sparse-DySta, MICRO 2023, after Eyerman, Eeckhout, IEEE Micro 2008";
constexpr const char* kDream = "Kim et al.: DREAM, ASPLOS 2023";
constexpr const char* kSimulator = "of this simulator";

constexpr Metric kTable[] = {
    {"apps.APP.jobs", "", B::neither, "frames that arrived after the warm-up", "", true,
     [](const App& a) { return static_cast<double>(a.record->jobs); }},
    {"apps.APP.completed", "", B::higher, "frames whose result came", "", true,
     [](const App& a) { return a.completed; }},
    {"apps.APP.dropped", "", B::lower, "frames given up while they waited", "", true,
     [](const App& a) { return static_cast<double>(a.record->dropped); }},
    {"apps.APP.rejected", "", B::lower, "frames that a manager did not admit", "", true,
     [](const App& a) { return static_cast<double>(a.record->rejected); }},
    {"apps.APP.missed", "", B::lower, "completed after their deadline", "", true,
     [](const App& a) { return static_cast<double>(a.record->missed); }},
    {"apps.APP.miss_rate", "", B::lower, "missed, dropped and rejected frames over those and the completed ones", "",
     true, [](const App& a) { return a.miss_rate(); }},
    {"apps.APP.miss_run.longest", "frames", B::lower, "most frames in a row without a result in time", "", false,
     longest_miss_run},
    {"apps.APP.miss_run.mean", "frames", B::lower, "mean length of such rows; null without any", "", false,
     mean_miss_run},
    {"apps.APP.latency_ms.mean", "ms", B::lower, "from arrival to result", "", true,
     [](const App& a) { return over(a.latency_sum_ms, a.completed); }},
    {"apps.APP.latency_ms.p50", "ms", B::lower, "its median", "", true, quantile<50>},
    {"apps.APP.latency_ms.p90", "ms", B::lower, "its 90th percentile", "", true, quantile<90>},
    {"apps.APP.latency_ms.p99", "ms", B::lower, "its 99th percentile", "", true, quantile<99>},
    {"apps.APP.latency_ms.max", "ms", B::lower, "the longest", "", true,
     [](const App& a) { return a.completed > 0 ? a.record->latency_max_ms : kNaN; }},
    {"apps.APP.jitter_ms", "ms", B::lower, "99th percentile of latency less its median", "", false, jitter},
    {"apps.APP.antt", "", B::lower,
     "mean of latency over what the frame would have taken alone, at the clocks of its dispatch", kDysta, false, antt},
    {"apps.APP.stp", "1/s", B::higher, "completed frames over the time from the first arrival to the last result",
     kDysta, false, stp},
    {"apps.APP.accuracy.mean", "the network's metric", B::higher,
     "over completed frames, each by the sub-network that served it", "", true,
     [](const App& a) { return over(a.accuracy_sum, a.completed); }},
    {"apps.APP.accuracy.in_time", "the network's metric", B::higher,
     "over decided frames; those late or lost deliver 0", "", false,
     [](const App& a) { return over(a.accuracy_in_time_sum, a.decided); }},
    {"apps.APP.throughput_correct_hz", "1/s", B::higher,
     "right answers in time: frames in time, each times its accuracy, over the time measured", "", false,
     [](const App& a) { return over(a.correct, a.run->measured_s); }},
    {"apps.APP.energy_mj_per_job", "mJ", B::lower, "above the idle board, switches of sub-network included", "", true,
     [](const App& a) { return over(a.energy_mj, a.completed); }},
    {"apps.APP.energy_mj_per_useful_job", "mJ", B::lower, "the same energy over the frames in time", "", false,
     [](const App& a) { return over(a.energy_mj, a.in_time); }},
    {"apps.APP.energy_j_per_correct", "J", B::lower, "the same over right answers in time", "", false,
     [](const App& a) { return over(a.energy_mj * 1e-3, a.correct); }},
    {"apps.APP.edp_js", "J s", B::lower, "energy of a frame above idle, times its mean latency", kGonzalez, false,
     [](const App& a) { return over(a.energy_mj * 1e-3, a.completed) * over(a.latency_sum_ms * 1e-3, a.completed); }},
    {"apps.APP.subnet_switches", "", B::neither, "changes of sub-network", "", true,
     [](const App& a) { return static_cast<double>(a.record->subnet_switches); }},
    {"apps.APP.mapping_changes", "", B::neither, "changes of unit", "", true,
     [](const App& a) { return static_cast<double>(a.record->mapping_changes); }},
    {"apps.APP.subnet_share.LEVEL", "", B::neither, "share of completed frames that a sub-network served", "", true},
    {"apps.APP.xrbench_code", "", B::higher,
     "XRBench's score as its code has it, 0 to 100: real-time times energy score, mean over all decided frames (a "
     "dropped "
     "one scores 0), times the share not dropped",
     kXrBench, false, xrbench_code},
    {"apps.APP.xrbench_paper", "", B::higher,
     "the same as the paper has it: times accuracy over the target (or the network's best), mean over completed frames",
     kXrBench, false, xrbench_paper},
    {"apps.APP.mlperf.result", "by scenario", B::neither,
     "single-stream, multi-stream: upper bound of the 90th, 99th percentile of latency [ms]; server: queries, offline: "
     "samples a second",
     kMlPerf, false, mlperf_result},
    {"apps.APP.mlperf.valid", "", B::higher,
     "1 if the run would count: 600 s, and enough samples within the bound for the percentile (offline: 24576 "
     "samples); else "
     "0",
     kMlPerf, false, mlperf_valid},

    {"platform.energy_j", "J", B::lower, "of the board (run: mean over replications)", "", true, nullptr,
     [](const Run& r) { return r.all.run->energy_j(); }},
    {"platform.static_energy_j", "J", B::lower, "of what is not a unit", "", true, nullptr,
     [](const Run& r) { return r.all.run->static_energy_j; }},
    {"platform.mean_power_w", "W", B::lower, "of the board", "", true, nullptr,
     [](const Run& r) { return over(r.all.run->energy_j(), r.all.run->measured_s); }},
    {"platform.units.UNIT.utilisation", "", B::neither, "share of the time in which anything ran", "", true},
    {"platform.units.UNIT.energy_j", "J", B::lower, "of the unit", "", true},
    {"platform.units.UNIT.mean_mhz", "MHz", B::neither, "its clock, over time", "", true},
    {"platform.peak_temperature_c", "°C", B::lower, "of the hottest node; null without a thermal network", "", true,
     nullptr, [](const Run& r) { return r.all.run->peak_temperature_c; }},
    {"platform.above_trip_s", "s", B::lower,
     "time at or above any trip point, by the thermal governor's polls; null without trips", "", true, nullptr,
     [](const Run& r) { return r.all.run->above_trip_s; }},
    {"platform.above_budget_s", "s", B::lower,
     "time at or above the scenario's thermal budget, by the thermal governor's polls; null without one", "", false,
     nullptr, [](const Run& r) { return r.all.run->above_budget_s; }},
    {"platform.battery_life_s", "s", B::higher, "until the battery was empty, or the run over; null without one", "",
     false, nullptr, [](const Run& r) { return r.all.run->battery_life_s; }},
    {"platform.battery_left_j", "J", B::higher, "in the battery at the end; null without one", "", false, nullptr,
     [](const Run& r) { return r.all.run->battery_left_j; }},
    {"platform.preemptions", "", B::neither,
     "times that a scheduler let an inference in while one that had begun was waiting", "", false, nullptr,
     [](const Run& r) { return static_cast<double>(r.all.run->preemptions); }},
    {"platform.dvfs_transitions", "", B::neither, "changes of clock", "", true, nullptr,
     [](const Run& r) { return static_cast<double>(r.all.run->dvfs_transitions); }},
    {"platform.decisions", "", B::neither, "knobs that the manager wrote", "", true, nullptr,
     [](const Run& r) { return static_cast<double>(r.all.run->decisions); }},
    {"platform.decisions_asked", "", B::neither, "times that the manager was asked", "", true, nullptr,
     [](const Run& r) { return static_cast<double>(r.all.run->decisions_asked); }},
    {"platform.manager_ms", "ms", B::lower, "compute time that its decisions were charged", "", true, nullptr,
     [](const Run& r) { return r.all.run->manager_s * 1e3; }},
    {"platform.manager_share", "", B::lower, "the same over the time measured", "", false, nullptr,
     [](const Run& r) { return over(r.all.run->manager_s, r.all.run->measured_s); }},
    {"run.memory_mb", "MB", B::lower,
     "weights of the sub-networks kept in memory (`subnets`), all applications', each on its own; null where a network "
     "does not state them",
     "", false, nullptr, memory_mb},
    {"provenance.measured", "", B::neither, "share of completed frames whose latency was measured", "", true},
    {"provenance.digitised", "", B::neither, "share whose latency was read off a figure", "", true},
    {"provenance.derived", "", B::neither, "share whose latency was computed by a declared model", "", true},

    {"run.cost", "", B::lower,
     "the scenario's objective a frame that arrived: misses, points of accuracy short of the best, joules of "
     "inferences, "
     "switches and idle units, each at its weight",
     kSimulator, false, nullptr, cost},
    {"run.miss_rate", "", B::lower, "of all applications' frames", "", false, nullptr,
     [](const Run& r) { return r.all.miss_rate(); }},
    {"run.accuracy", "", B::higher, "mean over all applications' completed frames; null if a network states none", "",
     false, nullptr, [](const Run& r) { return over(r.all.accuracy_sum, r.all.completed); }},
    {"run.throughput_correct_hz", "1/s", B::higher, "right answers in time, a second", "", false, nullptr,
     [](const Run& r) { return over(r.all.correct, r.all.run->measured_s); }},
    {"run.energy_mj_per_job", "mJ", B::lower, "the board's energy over completed frames", "", false, nullptr,
     [](const Run& r) { return over(r.all.run->energy_j() * 1e3, r.all.completed); }},
    {"run.energy_mj_per_useful_job", "mJ", B::lower, "the board's energy over frames in time", "", false, nullptr,
     [](const Run& r) { return over(r.all.run->energy_j() * 1e3, r.all.in_time); }},
    {"run.energy_j_per_correct", "J", B::lower, "the board's energy over right answers in time", "", false, nullptr,
     [](const Run& r) { return over(r.all.run->energy_j(), r.all.correct); }},
    {"run.edp_js", "J s", B::lower, "the board's energy a completed frame, times mean latency", kGonzalez, false,
     nullptr,
     [](const Run& r) {
       return over(r.all.run->energy_j(), r.all.completed) * over(r.all.latency_sum_ms * 1e-3, r.all.completed);
     }},
    {"run.antt", "", B::lower, "average normalised turnaround time: apps.APP.antt over all frames", kDysta, false,
     nullptr, [](const Run& r) { return antt(r.all); }},
    {"run.stp", "1/s", B::higher, "system throughput: apps.APP.stp over all frames", kDysta, false, nullptr,
     [](const Run& r) { return stp(r.all); }},
    {"run.uxcost", "", B::lower,
     "sum of the applications' miss rates (at least 1/(2 frames) each) times the sum of their energies a frame over "
     "the "
     "costliest there is",
     kDream, false, nullptr, uxcost},
    {"run.xrbench_code", "", B::higher, "mean over applications with deadlines", kXrBench, false, nullptr,
     [](const Run& r) { return mean_over(r, xrbench_code); }},
    {"run.xrbench_paper", "", B::higher, "mean over applications with deadlines", kXrBench, false, nullptr,
     [](const Run& r) { return mean_over(r, xrbench_paper); }},
};

// -- Tallies ----------------------------------------------------------------------------------------------------------

ApplicationSight look(const Setup& setup, const RunRecord& run, std::size_t a, double worst_mj) {
  ApplicationSight out;
  out.setup = &setup;
  out.run = &run;
  out.app = &setup.apps[a];
  const AppRecord& record = run.apps[a];
  out.record = &record;
  out.completed = static_cast<double>(record.completed);
  out.lost = static_cast<double>(record.dropped + record.rejected);
  out.decided = out.completed + out.lost;
  out.in_time = static_cast<double>(record.completed - record.missed);
  out.latency_sum_ms = record.latency_sum_ms;
  out.energy_mj = record.energy_mj;
  out.worst_mj = worst_mj;
  if (const Network& network = *out.app->network; states_accuracy(network)) {
    double best = 0;
    for (const Subnet& subnet : network.file.subnets) best = std::max(best, subnet.accuracy);
    out.accuracy_sum = record.accuracy_sum;
    out.accuracy_in_time_sum = 0;
    for (std::size_t s = 0; s < record.subnets.size(); ++s)
      out.accuracy_in_time_sum += static_cast<double>(record.subnets[s].completed - record.subnets[s].missed) *
                                  network.file.subnets[s].accuracy;
    out.shortfall_sum = best * out.in_time - out.accuracy_in_time_sum;
    if (counts_answers(network)) out.correct = out.accuracy_in_time_sum / 100;
  }
  return out;
}

void read_log(const Setup& setup, const RunRecord& run, std::vector<ApplicationSight>& apps) {
  bool any = run.jobs.size() > 0;
  for (const AppRecord& record : run.apps) any = any || record.jobs > 0;
  if (any && run.jobs.size() == 0) return;  // frames there were, and nobody wrote them down
  for (ApplicationSight& app : apps) {
    app.logged = true;
    app.frames.reserve(static_cast<std::size_t>(app.decided));
  }
  for (std::size_t i = 0; i < run.jobs.size(); ++i) {
    const JobRecord& job = run.jobs[i];
    if (job.arrival < setup.warmup || job.outcome == Outcome::unfinished) continue;
    ApplicationSight& app = apps[job.app];
    app.frames.push_back(&job);
    app.deadlines = app.deadlines || job.deadline != kNoTime;
    app.first_arrival = std::min(app.first_arrival, job.arrival);
    if (job.end == kNoTime) continue;
    app.last_end = std::max(app.last_end, job.end);
    if (!(job.isolated_ms > 0)) continue;
    app.slowdown_sum += to_ms(job.end - job.arrival) / static_cast<double>(job.isolated_ms);
    ++app.slowdowns;
  }
  for (ApplicationSight& app : apps)
    std::sort(app.frames.begin(), app.frames.end(),
              [](const JobRecord* a, const JobRecord* b) { return a->job < b->job; });
}

ApplicationSight together(const Setup& setup, const RunRecord& run, const std::vector<ApplicationSight>& apps) {
  ApplicationSight out;
  out.setup = &setup;
  out.run = &run;
  out.logged = !apps.empty() && apps[0].logged;
  out.accuracy_sum = out.correct = 0;
  for (const ApplicationSight& app : apps) {
    out.decided += app.decided;
    out.completed += app.completed;
    out.in_time += app.in_time;
    out.lost += app.lost;
    out.latency_sum_ms += app.latency_sum_ms;
    out.shortfall_sum += app.shortfall_sum;
    if (app.decided > 0) {
      out.accuracy_sum += app.accuracy_sum;
      out.correct += app.correct;
    }
    out.slowdown_sum += app.slowdown_sum;
    out.slowdowns += app.slowdowns;
    out.first_arrival = std::min(out.first_arrival, app.first_arrival);
    out.last_end = std::max(out.last_end, app.last_end);
  }
  return out;
}

}  // namespace

std::span<const Metric> metric_table() { return kTable; }

const Metric* find_metric(std::string_view name) {
  for (const Metric& metric : kTable)
    if (metric.name == name) return &metric;
  return nullptr;
}

double Metrics::of_run(std::string_view name) const {
  const Metric* metric = find_metric(name);
  return metric == nullptr ? kNaN : run[static_cast<std::size_t>(metric - kTable)];
}
double Metrics::of_application(std::size_t application, std::string_view name) const {
  const Metric* metric = find_metric(name);
  return metric == nullptr ? kNaN : applications[application][static_cast<std::size_t>(metric - kTable)];
}

namespace {

std::vector<double> worst_energies_mj(const Setup& setup) {
  std::vector<double> out;
  for (std::size_t a = 0; a < setup.apps.size(); ++a) out.push_back(worst_energy_mj(setup, a));
  return out;
}

Metrics measure_one(const Setup& setup, const RunRecord& record, const std::vector<double>& worst_mj) {
  RunSight sight;
  for (std::size_t a = 0; a < setup.apps.size(); ++a) sight.apps.push_back(look(setup, record, a, worst_mj[a]));
  read_log(setup, record, sight.apps);
  sight.all = together(setup, record, sight.apps);
  Metrics out;
  out.run.assign(std::size(kTable), kNaN);
  out.applications.assign(setup.apps.size(), out.run);
  for (std::size_t row = 0; row < std::size(kTable); ++row) {
    if (kTable[row].of_run != nullptr) out.run[row] = kTable[row].of_run(sight);
    if (kTable[row].of_application == nullptr) continue;
    for (std::size_t a = 0; a < setup.apps.size(); ++a) {
      double value = kTable[row].of_application(sight.apps[a]);
      if (!std::isfinite(value)) value = kNaN;
      out.applications[a][row] = value;
    }
  }
  for (double& value : out.run)
    if (!std::isfinite(value)) value = kNaN;
  return out;
}

}  // namespace

Metrics measure(const Setup& setup, const RunRecord& record) {
  return measure_one(setup, record, worst_energies_mj(setup));
}

std::vector<Metrics> measure(const Setup& setup, const std::vector<RunRecord>& records) {
  const std::vector<double> worst_mj = worst_energies_mj(setup);
  std::vector<Metrics> out;
  out.reserve(records.size());
  for (const RunRecord& record : records) out.push_back(measure_one(setup, record, worst_mj));
  return out;
}

manager::Certificate confirmed(const manager::Certificate& certificate, const Metrics& metrics) {
  manager::Certificate out = certificate;
  const double cost = metrics.of_run("run.cost");
  if (!(std::abs(cost - out.planned) <= 1e-6 * (1 + std::abs(cost)))) out.exact = false;
  return out;
}

Json metrics_json(const Setup& setup, const Metrics& metrics) {
  Json out = {{"apps", Json::object()}, {"platform", Json::object()}, {"run", Json::object()}};
  const auto put = [](Json& root, std::string_view path, double value) {
    Json* at = &root;
    for (std::size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
      at = &(*at)[std::string(path.substr(0, dot))];
      path.remove_prefix(dot + 1);
    }
    (*at)[std::string(path)] = std::isfinite(value) ? Json(value) : Json(nullptr);
  };
  constexpr std::string_view kApplication = "apps.APP.";
  for (std::size_t row = 0; row < std::size(kTable); ++row) {
    if (kTable[row].of_run != nullptr) put(out, kTable[row].name, metrics.run[row]);
    if (kTable[row].of_application == nullptr) continue;
    for (std::size_t a = 0; a < setup.apps.size(); ++a)
      put(out["apps"][setup.apps[a].name], kTable[row].name.substr(kApplication.size()), metrics.applications[a][row]);
  }
  return out;
}

double worst_energy_mj(const Setup& setup, std::size_t application) {
  const AppSetup& app = setup.apps[application];
  const Platform& platform = setup.platform;
  const auto* queries = std::get_if<MultiStreamArrivals>(&app.file.arrivals);
  const double samples = queries != nullptr ? queries->samples : 1;
  const auto highest = [&](int domain) {
    return domain < 0 ? kNaN : platform.file.domains[domain].second.opps_mhz.back();
  };
  double worst = 0;
  for (std::size_t u = 0; u < app.models.size(); ++u) {
    const Platform::UnitLinks& links = platform.links[u];
    const bool cpu = unit_clock(platform, u) == UnitClock::cpu;
    int all_cores = 0;
    for (const int d : links.domains) all_cores += platform.file.domains[d].second.cores;
    const int cores = setup.modes[0].cores_online[u];
    const auto above = [&](double mhz) { return platform.busy_w(u, mhz) - platform.idle_w(u, mhz); };
    for (const auto& model : app.models[u]) {
      if (!model) continue;
      for (const double mhz : platform.file.domains[links.domains[0]].second.opps_mhz) {
        OperatingPoint at;
        at.f_emc_mhz = highest(links.memory_domain);
        (cpu ? at.f_cpu_mhz : at.f_gpu_mhz) = mhz;
        if (cpu)
          at.cores = cores;
        else
          at.f_cpu_mhz = highest(links.host_domain);
        double above_w = model->has_power() ? model->above_idle_w(mhz, at, above) : kNaN;
        if (std::isnan(above_w)) above_w = above(mhz) * (all_cores > 0 ? static_cast<double>(cores) / all_cores : 1);
        worst = std::max(worst, samples * above_w * model->predict(mhz, at).latency_ms);
      }
    }
  }
  return worst > 0 ? worst : kNaN;
}

double worst_power_w(const Setup& setup) {
  const Platform& platform = setup.platform;
  double sum = platform.file.static_power_w;
  for (std::size_t u = 0; u < platform.file.units.size(); ++u) {
    double most = 0;
    for (const double mhz : platform.file.domains[platform.links[u].domains[0]].second.opps_mhz)
      most = std::max(most, platform.busy_w(u, mhz));
    sum += most;
  }
  return sum;
}

// -- Trade-offs -------------------------------------------------------------------------------------------------------

TradeOff trade_off(const Setup& setup, const Metrics& metrics) {
  return {over(metrics.of_run("platform.mean_power_w"), worst_power_w(setup)), metrics.of_run("run.miss_rate"),
          1 - metrics.of_run("run.accuracy") / 100};
}

double hypervolume(std::span<const TradeOff> points, const TradeOff& reference) {
  std::vector<TradeOff> sorted;
  for (const TradeOff& p : points)
    if (p[0] < reference[0] && p[1] < reference[1] && p[2] < reference[2]) sorted.push_back(p);
  std::sort(sorted.begin(), sorted.end(), [](const TradeOff& a, const TradeOff& b) { return a[2] < b[2]; });
  // Slices along the third direction: between two points' heights the section is that of all points below.
  std::vector<std::array<double, 2>> stairs;  // of the section: x ascending, y descending
  double volume = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const std::array<double, 2> step{sorted[i][0], sorted[i][1]};
    const bool dominated = std::any_of(stairs.begin(), stairs.end(),
                                       [&](const auto& other) { return other[0] <= step[0] && other[1] <= step[1]; });
    if (!dominated) {
      std::erase_if(stairs, [&](const auto& other) { return step[0] <= other[0] && step[1] <= other[1]; });
      stairs.insert(std::lower_bound(stairs.begin(), stairs.end(), step), step);
    }
    double area = 0, top = reference[1];
    for (const auto& [x, y] : stairs) {
      area += (reference[0] - x) * (top - y);
      top = y;
    }
    volume += area * ((i + 1 < sorted.size() ? sorted[i + 1][2] : reference[2]) - sorted[i][2]);
  }
  return volume;
}

std::vector<double> exclusive_contributions(std::span<const TradeOff> points, const TradeOff& reference) {
  const double all = hypervolume(points, reference);
  std::vector<double> out;
  std::vector<TradeOff> others;
  for (std::size_t i = 0; i < points.size(); ++i) {
    others.assign(points.begin(), points.end());
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    out.push_back(std::max(0.0, all - hypervolume(others, reference)));
  }
  return out;
}

}  // namespace dynasoc
