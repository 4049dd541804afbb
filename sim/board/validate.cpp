#include "board/validate.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "common/nan.hpp"
#include "common/text.hpp"
#include "results/metrics.hpp"

namespace dynasoc::board {
namespace {

constexpr double kWorthNaming = 0.02;  // relative; smaller differences are called chance

int opp_of(const Setup& setup, int unit, const std::vector<double>& domain_mhz) {
  const int d = setup.platform.links[static_cast<std::size_t>(unit)].domains[0];
  const auto& opps = setup.platform.file.domains[static_cast<std::size_t>(d)].second.opps_mhz;
  const double mhz = domain_mhz[static_cast<std::size_t>(d)];
  if (!std::isfinite(mhz)) return static_cast<int>(opps.size()) - 1;  // a clock that nobody reads stands still
  int best = 0;
  for (int i = 1; i < static_cast<int>(opps.size()); ++i)
    if (std::abs(opps[static_cast<std::size_t>(i)] - mhz) < std::abs(opps[static_cast<std::size_t>(best)] - mhz))
      best = i;
  return best;
}

double opp_mhz(const Setup& setup, int unit, int opp) {
  const int d = setup.platform.links[static_cast<std::size_t>(unit)].domains[0];
  return setup.platform.file.domains[static_cast<std::size_t>(d)].second.opps_mhz[static_cast<std::size_t>(opp)];
}

// What the tables say of an inference alone at the clocks that were in effect [ms].
double predicted_ms(const Setup& setup, const MeasuredJob& job) {
  const AppSetup& app = setup.apps[static_cast<std::size_t>(job.app)];
  const auto& model = app.models[static_cast<std::size_t>(job.unit)][static_cast<std::size_t>(job.subnet)];
  if (!model) return kNaN;
  const Platform::UnitLinks& links = setup.platform.links[static_cast<std::size_t>(job.unit)];
  const auto clock = [&](int d) { return d < 0 ? kNaN : job.domain_mhz[static_cast<std::size_t>(d)]; };
  const double mhz = opp_mhz(setup, job.unit, opp_of(setup, job.unit, job.domain_mhz));
  OperatingPoint at;
  at.f_emc_mhz = clock(links.memory_domain);
  if (unit_clock(setup.platform, static_cast<std::size_t>(job.unit)) == UnitClock::cpu) {
    at.f_cpu_mhz = mhz;
    at.cores = setup.modes[0].cores_online[static_cast<std::size_t>(job.unit)];
  } else {
    at.f_gpu_mhz = mhz;
    at.f_cpu_mhz = clock(links.host_domain);
  }
  return model->predict(mhz, at).latency_ms;
}

bool usable(const MeasuredJob& job) { return job.failure.empty() && job.clean && job.alone && !job.switched; }

// A metric of each of ten stretches of a run's job log and timeline.
std::vector<double> stretches(const RunRecord& record, const std::string& name) {
  constexpr std::size_t kStretches = 10;
  std::vector<double> sum(kStretches, 0), count(kStretches, 0);
  const double length_s = record.duration_s / kStretches;
  const auto at = [&](Time t) { return std::min(kStretches - 1, static_cast<std::size_t>(to_s(t) / length_s)); };
  const bool power = name == "platform.mean_power_w", misses = name == "run.miss_rate";
  if (power) {
    for (std::size_t row = 0; row < record.timeline.rows(); ++row) {
      sum[at(record.timeline.at(row))] += record.timeline.value(row, 0);
      ++count[at(record.timeline.at(row))];
    }
  } else {
    for (std::size_t i = 0; i < record.jobs.size(); ++i) {
      const JobRecord& job = record.jobs[i];
      const std::string prefix = "apps." + record.apps[job.app].name + ".";
      if (!misses && !name.starts_with(prefix)) continue;
      const std::string what = misses ? "" : name.substr(prefix.size());
      if (misses) {
        if (job.outcome == Outcome::unfinished) continue;
        sum[at(job.arrival)] += job.outcome != Outcome::met;
        ++count[at(job.arrival)];
      } else if (job.end != kNoTime) {
        double value = kNaN;
        if (what == "latency_ms.mean") value = to_ms(job.end - job.arrival);
        if (what == "accuracy.mean") value = record.apps[job.app].accuracy[job.subnet];
        if (what == "energy_mj_per_job") value = static_cast<double>(job.energy_mj);
        if (!std::isfinite(value)) continue;
        sum[at(job.end)] += value;
        ++count[at(job.end)];
      }
    }
  }
  std::vector<double> out;
  for (std::size_t i = 0; i < kStretches; ++i)
    if (count[i] > 0) out.push_back(sum[i] / count[i]);
  return out;
}

Estimate estimate_of(const Setup& setup, const std::vector<RunRecord>& records, const std::string& name) {
  std::vector<double> values;
  for (const RunRecord& record : records) {
    const Metrics metrics = measure(setup, record);
    double value = kNaN;
    for (std::size_t a = 0; a < setup.apps.size(); ++a) {
      const std::string prefix = "apps." + setup.apps[a].name + ".";
      if (name.starts_with(prefix)) value = metrics.of_application(a, "apps.APP." + name.substr(prefix.size()));
    }
    if (!name.starts_with("apps.")) value = metrics.of_run(name);
    values.push_back(value);
  }
  Estimate out = estimate(values);
  // Between two or three runs an interval says next to nothing; stretches of them say more.
  constexpr std::size_t kEnough = 5;
  if (values.size() >= kEnough || values.empty()) return out;
  const bool energy = name == "platform.energy_j";
  std::vector<double> parts;
  for (const RunRecord& record : records)
    for (const double part : stretches(record, energy ? "platform.mean_power_w" : name))
      parts.push_back(energy ? part * record.measured_s : part);
  out.interval = estimate(parts).interval;
  return out;
}

struct WriteSeen {
  double at_s;
  std::string to;
};
using Streams = std::map<std::pair<std::string, std::string>, std::vector<WriteSeen>>;

// Writes that changed something, by target and knob.
Streams streams_of(const RunRecord& record) {
  Streams out;
  for (const DecisionRecord& decision : record.decision_log)
    if (!decision.by_board && decision.from != decision.to)
      out[{decision.target, decision.knob}].push_back({to_s(decision.at), decision.to});
  return out;
}

double mean_mhz(const RunRecord& record, const std::string& unit, double from_s, double to) {
  for (std::size_t c = 0; c < record.timeline.columns.size(); ++c) {
    if (record.timeline.columns[c] != unit + "_mhz") continue;
    double sum = 0;
    int n = 0;
    for (std::size_t row = 0; row < record.timeline.rows(); ++row) {
      const double t = to_s(record.timeline.at(row));
      if (t < from_s || t > to) continue;
      sum += record.timeline.value(row, c);
      ++n;
    }
    return n > 0 ? sum / n : kNaN;
  }
  return kNaN;
}

// What differed between both in a stretch of time, relative.
void explain(const Setup& setup, const RunRecord& predicted, const BoardRun& measured, Parting& parting) {
  double until_s = std::fmin(parting.predicted_s, parting.measured_s);
  const double from_s = until_s - 1;
  const auto inside = [&](double t) { return t >= from_s && t <= until_s; };
  double alone = 0, beside = 0;
  int alone_n = 0, beside_n = 0;
  std::map<std::pair<int, std::uint32_t>, Time> arrivals;
  std::map<int, std::pair<double, int>> simulated_beside;  // service by sub-network
  for (std::size_t i = 0; i < predicted.jobs.size(); ++i) {
    const JobRecord& job = predicted.jobs[i];
    arrivals[{job.app, job.job}] = job.arrival;
    if (job.end != kNoTime && job.start != kNoTime && inside(to_s(job.end))) {
      auto& [sum, n] = simulated_beside[job.subnet];
      sum += to_ms(job.end - job.start);
      ++n;
    }
  }
  for (const MeasuredJob& job : measured.jobs) {
    if (!job.failure.empty() || !inside(to_s(job.end))) continue;
    if (job.alone && job.clean) {
      alone += job.latency_ms / predicted_ms(setup, job) - 1;
      ++alone_n;
    } else if (const auto it = simulated_beside.find(job.subnet); !job.alone && it != simulated_beside.end()) {
      beside += job.latency_ms / (it->second.first / it->second.second) - 1;
      ++beside_n;
    }
  }
  if (alone_n > 0) parting.evidence.emplace_back("table cell", alone / alone_n);
  if (beside_n > 0) parting.evidence.emplace_back("contention", beside / beside_n);
  for (const auto& [unit, unused] : setup.platform.file.units) {
    const double a = mean_mhz(predicted, unit, from_s, until_s), b = mean_mhz(measured.record, unit, from_s, until_s);
    if (std::isfinite(a) && std::isfinite(b)) parting.evidence.emplace_back("governor", b / a - 1);
  }
  double jitter_s = 0;
  for (std::size_t i = 0; i < measured.record.jobs.size(); ++i) {
    const JobRecord& job = measured.record.jobs[i];
    if (!inside(to_s(job.arrival))) continue;
    if (const auto it = arrivals.find({job.app, job.job}); it != arrivals.end())
      jitter_s = std::max(jitter_s, std::abs(to_s(job.arrival - it->second)));
  }
  double period_s = 1;
  for (const AppSetup& app : setup.apps)
    for (const TargetFile& target : app.file.targets)
      if (target.latency_ms > 0) period_s = std::min(period_s, target.latency_ms * 1e-3);
  parting.evidence.emplace_back("arrival jitter", jitter_s / period_s);
  if (std::isfinite(predicted.peak_temperature_c) && std::isfinite(measured.record.peak_temperature_c))
    parting.evidence.emplace_back("temperature", measured.record.peak_temperature_c / predicted.peak_temperature_c - 1);
  parting.cause = "chance";
  double largest = kWorthNaming;
  for (const auto& [what, size] : parting.evidence)
    if (std::abs(size) > largest) largest = std::abs(size), parting.cause = what;
}

std::vector<Parting> partings_of(const Setup& setup, const RunRecord& predicted, const BoardRun& measured) {
  const Streams a = streams_of(predicted), b = streams_of(measured.record);
  std::set<std::pair<std::string, std::string>> keys;
  for (const auto& [key, unused] : a) keys.insert(key);
  for (const auto& [key, unused] : b) keys.insert(key);
  std::vector<Parting> out;
  for (const auto& key : keys) {
    static const std::vector<WriteSeen> kNone;
    const auto ia = a.find(key), ib = b.find(key);
    const auto &wa = ia == a.end() ? kNone : ia->second, &wb = ib == b.end() ? kNone : ib->second;
    std::size_t i = 0;
    // The same write a little earlier or later is the same decision.
    while (i < wa.size() && i < wb.size() && wa[i].to == wb[i].to && std::abs(wa[i].at_s - wb[i].at_s) < 0.25) ++i;
    if (i == wa.size() && i == wb.size()) continue;
    Parting parting;
    parting.target = key.first, parting.knob = key.second;
    parting.common = static_cast<int>(i);
    parting.predicted_s = i < wa.size() ? wa[i].at_s : kNaN;
    parting.measured_s = i < wb.size() ? wb[i].at_s : kNaN;
    parting.predicted_to = i < wa.size() ? wa[i].to : "";
    parting.measured_to = i < wb.size() ? wb[i].to : "";
    explain(setup, predicted, measured, parting);
    out.push_back(std::move(parting));
  }
  return out;
}

Json estimate_json(const Estimate& e) {
  return {{"mean", e.mean}, {"ci95", {e.interval.low, e.interval.high}}, {"n", e.n}};
}

bool overlap(const Interval& a, const Interval& b) { return a.low <= b.high && b.low <= a.high; }

bool metric_within(const MetricPair& pair, double tolerance) {
  if (!std::isfinite(pair.predicted.mean) || !std::isfinite(pair.measured.mean)) return true;
  if (pair.name.ends_with("miss_rate"))
    return std::abs(pair.predicted.mean - pair.measured.mean) <= tolerance ||
           overlap(pair.predicted.interval, pair.measured.interval);
  return std::abs(pair.error()) <= tolerance || overlap(pair.predicted.interval, pair.measured.interval);
}

}  // namespace

std::vector<CellPair> cells_of(const Setup& setup, const std::vector<BoardRun>& runs) {
  std::map<std::tuple<int, int, int, int>, std::vector<std::pair<double, double>>> groups;
  for (const BoardRun& run : runs)
    for (const MeasuredJob& job : run.jobs)
      if (usable(job))
        groups[{job.app, job.unit, job.subnet, opp_of(setup, job.unit, job.domain_mhz)}].emplace_back(
            predicted_ms(setup, job), job.latency_ms);
  std::vector<CellPair> out;
  for (const auto& [key, values] : groups) {
    CellPair& cell = out.emplace_back();
    std::tie(cell.app, cell.unit, cell.subnet, cell.opp) = key;
    cell.n = static_cast<int>(values.size());
    for (const auto& [predicted, measured] : values) {
      cell.predicted_ms += predicted / cell.n;
      cell.measured_ms += measured / cell.n;
    }
    double squares = 0;
    for (const auto& [predicted, measured] : values)
      squares += (measured - cell.measured_ms) * (measured - cell.measured_ms);
    cell.measured_std_ms = cell.n > 1 ? std::sqrt(squares / (cell.n - 1)) : kNaN;
  }
  return out;
}

ValidatedPolicy compare_runs(const Setup& setup, const std::string& label, std::vector<RunRecord> predicted,
                             std::vector<BoardRun> measured) {
  ValidatedPolicy out;
  out.label = label;
  std::vector<std::string> names;
  for (const AppSetup& app : setup.apps)
    for (const char* what : {"latency_ms.mean", "accuracy.mean", "energy_mj_per_job"})
      names.push_back("apps." + app.name + "." + what);
  for (const char* name : {"run.miss_rate", "platform.mean_power_w", "platform.energy_j"}) names.emplace_back(name);
  std::vector<RunRecord> records;
  for (BoardRun& run : measured) records.push_back(std::move(run.record));
  for (const std::string& name : names)
    out.metrics.push_back({name, estimate_of(setup, predicted, name), estimate_of(setup, records, name)});
  for (std::size_t r = 0; r < measured.size(); ++r) measured[r].record = std::move(records[r]);
  out.cells = cells_of(setup, measured);
  if (!predicted.empty() && !measured.empty()) out.partings = partings_of(setup, predicted[0], measured[0]);
  out.predicted = std::move(predicted);
  out.measured = std::move(measured);
  return out;
}

void judge(Validation& validation) {
  validation.cells_within = validation.metrics_within = validation.order_agrees = true;
  for (const ValidatedPolicy& policy : validation.policies) {
    for (const MetricPair& pair : policy.metrics)
      validation.metrics_within = validation.metrics_within && metric_within(pair, validation.tolerance);
    for (const CellPair& cell : policy.cells)
      validation.cells_within =
          validation.cells_within && (cell.n < 5 || std::abs(cell.error()) <= validation.tolerance);
    // Nothing to compare is no agreement.
    validation.cells_within = validation.cells_within && std::any_of(policy.cells.begin(), policy.cells.end(),
                                                                     [](const CellPair& cell) { return cell.n >= 5; });
  }
  validation.order.clear();
  const auto add = [&](std::size_t m) {
    for (std::size_t i = 0; i < validation.policies.size(); ++i)
      for (std::size_t j = i + 1; j < validation.policies.size(); ++j) {
        const MetricPair &a = validation.policies[i].metrics[m], &b = validation.policies[j].metrics[m];
        OrderPair pair;
        pair.metric = a.name;
        pair.a = validation.policies[i].label, pair.b = validation.policies[j].label;
        pair.predicted = a.predicted.mean / b.predicted.mean - 1;
        pair.measured = a.measured.mean / b.measured.mean - 1;
        const bool same = (pair.predicted < 0) == (pair.measured < 0);
        const bool told_apart =
            !overlap(a.measured.interval, b.measured.interval) && !overlap(a.predicted.interval, b.predicted.interval);
        pair.state = same         ? OrderPair::State::agree
                     : told_apart ? OrderPair::State::differ
                                  : OrderPair::State::undecided;
        if (pair.state == OrderPair::State::differ) validation.order_agrees = false;
        validation.order.push_back(pair);
      }
  };
  for (std::size_t m = 0; !validation.policies.empty() && m < validation.policies[0].metrics.size(); ++m) {
    const std::string& name = validation.policies[0].metrics[m].name;
    if (name.ends_with("latency_ms.mean") || name == "platform.mean_power_w") add(m);
  }
  validation.within = (validation.cells_within || !validation.judge_cells) &&
                      (validation.metrics_within || !validation.judge_metrics) &&
                      (validation.order_agrees || !validation.judge_order);
}

double mean_error(const std::vector<CellPair>& cells) {
  double sum = 0;
  int n = 0;
  for (const CellPair& cell : cells)
    if (cell.n >= 5 && std::isfinite(cell.error())) sum += std::abs(cell.error()), ++n;
  return n > 0 ? sum / n : kNaN;
}

Table corrected_table(const Setup& setup, std::size_t app, const std::vector<CellPair>& cells, int least,
                      const std::string& source, int& changed) {
  const AppSetup& of = setup.apps[app];
  Table out;
  for (const auto& table : of.tables)
    if (table) out.cells.insert(out.cells.end(), table->cells.begin(), table->cells.end());
  changed = 0;
  for (const CellPair& pair : cells) {
    if (pair.app != static_cast<int>(app) || pair.n < least) continue;
    const double mhz = opp_mhz(setup, pair.unit, pair.opp);
    const std::string& unit = setup.platform.file.units[static_cast<std::size_t>(pair.unit)].first;
    const bool cpu = unit_clock(setup.platform, static_cast<std::size_t>(pair.unit)) == UnitClock::cpu;
    const auto matches = [&](const Cell& cell) {
      const double clock = cpu ? cell.at.f_cpu_mhz : cell.at.f_gpu_mhz;
      return cell.subnet == level_name(pair.subnet) && cell.unit == unit && std::abs(clock - mhz) < 1e-3 * mhz;
    };
    // Several rows differ in what this comparison does not look at, memory clock or cores: none of them was measured.
    if (std::count_if(out.cells.begin(), out.cells.end(), matches) != 1) continue;
    for (Cell& cell : out.cells) {
      if (!matches(cell)) continue;
      // Power is what it was; the energy of an inference follows its latency.
      if (std::isfinite(cell.energy_mj)) {
        cell.energy_mj *= pair.measured_ms / cell.latency_ms_mean;
        cell.energy_provenance = Provenance::derived;
        cell.energy_source = "power of the former cell (" + cell.energy_source + ") x corrected latency";
        cell.energy_mj_low = cell.energy_mj_high = kNaN;
      }
      cell.latency_ms_mean = pair.measured_ms;
      cell.latency_ms_std = pair.measured_std_ms;
      cell.n = pair.n;
      cell.latency_ms_p50 = cell.latency_ms_p90 = cell.latency_ms_p99 = kNaN;
      cell.latency_ms_low = cell.latency_ms_high = kNaN;
      cell.provenance = Provenance::measured;
      cell.source = source;
      ++changed;
    }
  }
  return out;
}

Json validation_json(const Setup& setup, const Validation& validation) {
  Json out = {{"tolerance", validation.tolerance},       {"within", validation.within},
              {"cells_within", validation.cells_within}, {"metrics_within", validation.metrics_within},
              {"order_agrees", validation.order_agrees}, {"policies", Json::object()}};
  for (const ValidatedPolicy& policy : validation.policies) {
    Json& to = out["policies"][policy.label];
    for (const MetricPair& pair : policy.metrics)
      to["metrics"][pair.name] = {{"predicted", estimate_json(pair.predicted)},
                                  {"measured", estimate_json(pair.measured)},
                                  {"error", pair.error()},
                                  {"within", metric_within(pair, validation.tolerance)}};
    to["cells"] = Json::array();
    for (const CellPair& cell : policy.cells)
      to["cells"].push_back({{"application", setup.apps[static_cast<std::size_t>(cell.app)].name},
                             {"unit", setup.platform.file.units[static_cast<std::size_t>(cell.unit)].first},
                             {"subnet", level_name(cell.subnet)},
                             {"mhz", opp_mhz(setup, cell.unit, cell.opp)},
                             {"n", cell.n},
                             {"predicted_ms", cell.predicted_ms},
                             {"measured_ms", cell.measured_ms},
                             {"measured_std_ms", cell.measured_std_ms},
                             {"error", cell.error()}});
    to["partings"] = Json::array();
    for (const Parting& parting : policy.partings) {
      Json evidence = Json::object();
      for (const auto& [what, size] : parting.evidence) evidence[what] = size;
      to["partings"].push_back({{"target", parting.target},
                                {"knob", parting.knob},
                                {"agreeing_writes", parting.common},
                                {"predicted_s", parting.predicted_s},
                                {"predicted_to", parting.predicted_to},
                                {"measured_s", parting.measured_s},
                                {"measured_to", parting.measured_to},
                                {"cause", parting.cause},
                                {"evidence", std::move(evidence)}});
    }
    to["runs"] = Json::array();
    for (const BoardRun& run : policy.measured)
      to["runs"].push_back(
          {{"inferences", run.jobs.size()},
           {"clean", std::count_if(run.jobs.begin(), run.jobs.end(), [](const MeasuredJob& job) { return job.clean; })},
           {"failed", std::count_if(run.jobs.begin(), run.jobs.end(),
                                    [](const MeasuredJob& job) { return !job.failure.empty(); })},
           {"host_lateness_p99_ms", run.lateness_p99_ms},
           {"clock_error_ms", run.clock_error_ms},
           {"warnings", run.warnings}});
  }
  out["order"] = Json::array();
  for (const OrderPair& pair : validation.order)
    out["order"].push_back({{"metric", pair.metric},
                            {"a", pair.a},
                            {"b", pair.b},
                            {"predicted", pair.predicted},
                            {"measured", pair.measured},
                            {"state", pair.state == OrderPair::State::agree    ? "agree"
                                      : pair.state == OrderPair::State::differ ? "differ"
                                                                               : "undecided"}});
  return out;
}

std::string validation_text(const Setup& setup, const Validation& validation, bool colour) {
  const auto marked = [&](bool good, const std::string& text) {
    return colour ? (good ? "\x1b[32m" : "\x1b[31m") + text + "\x1b[0m" : text;
  };
  const auto padded = [](std::string text, std::size_t width) {
    text.resize(std::max(width, text.size()), ' ');
    return text;
  };
  const auto range = [](const Estimate& e) {
    std::string out = rounded_text(e.mean, 4);
    if (std::isfinite(e.interval.low))
      out += " (" + rounded_text(e.interval.low, 3) + " to " + rounded_text(e.interval.high, 3) + ")";
    return out;
  };
  const auto percent = [](double x) { return (x >= 0 ? "+" : "") + rounded_text(100 * x, 3) + " %"; };
  std::string out;
  for (const ValidatedPolicy& policy : validation.policies) {
    out += "\n  " + policy.label + "\n    " + padded("metric", 38) + padded("predicted (95 %)", 32) +
           padded("measured (95 %)", 32) + "error\n";
    for (const MetricPair& pair : policy.metrics) {
      if (!std::isfinite(pair.measured.mean)) continue;
      const bool share = pair.name.ends_with("miss_rate");
      out += "    " + padded(pair.name, 38) + padded(range(pair.predicted), 32) + padded(range(pair.measured), 32) +
             marked(metric_within(pair, validation.tolerance),
                    share ? rounded_text(100 * (pair.predicted.mean - pair.measured.mean), 2) + " points"
                          : percent(pair.error())) +
             "\n";
    }
    if (!policy.cells.empty()) out += "    clean inferences alone, by sub-network and clock\n";
    for (const CellPair& cell : policy.cells)
      out += "      " +
             padded(setup.apps[static_cast<std::size_t>(cell.app)].name + " " + level_name(cell.subnet) + " at " +
                        rounded_text(opp_mhz(setup, cell.unit, cell.opp), 5) + " MHz",
                    36) +
             padded(rounded_text(cell.predicted_ms, 4) + " ms", 32) +
             padded(rounded_text(cell.measured_ms, 4) + " ms, n = " + std::to_string(cell.n), 32) +
             (cell.n < 5 ? percent(cell.error()) + " (too few)"
                         : marked(std::abs(cell.error()) <= validation.tolerance, percent(cell.error()))) +
             "\n";
    for (const Parting& parting : policy.partings) {
      const auto side = [](double at_s, const std::string& to) {
        return std::isfinite(at_s) ? to + " at " + rounded_text(at_s, 4) + " s" : std::string("no further write");
      };
      out += "    decisions on " + parting.target + " " + parting.knob + " part after " +
             std::to_string(parting.common) + ": predicted " + side(parting.predicted_s, parting.predicted_to) +
             ", measured " + side(parting.measured_s, parting.measured_to) + "; cause: " + parting.cause;
      for (const auto& [what, size] : parting.evidence)
        out += (what == parting.evidence.front().first ? " (" : ", ") + what + " " + percent(size);
      out += ")\n";
    }
    for (const BoardRun& run : policy.measured) {
      for (const std::string& warning : run.warnings) out += "    warning: " + warning + "\n";
      if (run.lateness_p99_ms > 1)
        out += "    warning: this host was late by " + rounded_text(run.lateness_p99_ms, 2) +
               " ms or more in 1 % of its events\n";
    }
  }
  if (!validation.order.empty()) {
    out += "\n  order of policies\n";
    for (const OrderPair& pair : validation.order)
      out += "    " + padded(pair.metric, 34) + padded(pair.a + " over " + pair.b, 42) + "predicted " +
             padded(percent(pair.predicted), 10) + "measured " + padded(percent(pair.measured), 10) +
             (pair.state == OrderPair::State::agree    ? marked(true, "agree")
              : pair.state == OrderPair::State::differ ? marked(false, "DIFFER")
                                                       : "differ, within the intervals") +
             "\n";
  }
  const std::string tolerance = rounded_text(100 * validation.tolerance, 3) + " %";
  out +=
      "\n  cells " + marked(validation.cells_within, (validation.cells_within ? "within " : "NOT within ") + tolerance);
  out += "; metrics " +
         marked(validation.metrics_within, (validation.metrics_within ? "within " : "NOT within ") + tolerance);
  if (!validation.order.empty())
    out += "; order of policies " + marked(validation.order_agrees, validation.order_agrees ? "agrees" : "DIFFERS");
  out += "\n";
  return out;
}

}  // namespace dynasoc::board
