// A run as the page gets it: thinned frames, spans on units, series, decisions; distributions of all frames.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "results/percentile_rule.hpp"
#include "results/report/run_data.hpp"

namespace dynasoc::report {
namespace {

template <class T>
std::vector<T> chosen(const std::vector<T>& all, const std::vector<std::uint32_t>& which) {
  std::vector<T> out;
  out.reserve(which.size());
  for (const std::uint32_t i : which) out.push_back(all[i]);
  return out;
}

// The q-quantile of sorted values, linear between ranks as in the run's summary.
double quantile(const std::vector<float>& sorted, double q) {
  if (sorted.empty()) return std::nan("");
  const double rank = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (rank - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

double mean(const std::vector<float>& values) {
  return values.empty() ? std::nan("")
                        : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Equal bins, or equal ratios where a few slow frames would leave all others in one bin.
Json histogram_json(const std::vector<float>& sorted) {
  if (sorted.empty()) return nullptr;
  constexpr std::size_t kBins = 60;
  constexpr double kSpread = 20;
  const double low = sorted.front(), high = std::max<double>(sorted.back(), low + 1e-6);
  const bool logarithmic = low > 0 && high > kSpread * low;
  std::vector<double> edges;
  for (std::size_t i = 0; i <= kBins; ++i) {
    const double share = static_cast<double>(i) / kBins;
    edges.push_back(logarithmic ? low * std::pow(high / low, share) : low + (high - low) * share);
  }
  edges.front() = low;
  edges.back() = high;
  std::vector<std::uint32_t> counts(kBins);
  std::size_t bin = 0;
  for (const float x : sorted) {
    while (bin + 1 < kBins && x >= edges[bin + 1]) ++bin;
    ++counts[bin];
  }
  const auto percentile = [&](double p) {
    return percentile_is_supported(p, sorted.size()) ? Json(quantile(sorted, p)) : Json(nullptr);
  };
  return {{"edges_ms", f64_column(edges)}, {"logarithmic", logarithmic}, {"counts", whole_column(counts)},
          {"p50", percentile(0.5)},        {"p90", percentile(0.9)},     {"p99", percentile(0.99)},
          {"max", sorted.back()},          {"mean", mean(sorted)}};
}

// The target in force: a step at each change, until the end of the run.
Json target_json(const std::vector<Target>& targets, double duration_s) {
  std::vector<Target> steps = targets;
  std::stable_sort(steps.begin(), steps.end(), [](const Target& a, const Target& b) { return a.from_s < b.from_s; });
  std::vector<double> t_s, latency_ms;
  for (const Target& one : steps) {
    t_s.push_back(one.from_s);
    latency_ms.push_back(one.latency_ms > 0 ? one.latency_ms : std::nan(""));
  }
  if (!t_s.empty()) {
    t_s.push_back(std::max(duration_s, t_s.back()));
    latency_ms.push_back(latency_ms.back());
  }
  return {{"t_s", f64_column(t_s)}, {"latency_ms", f64_column(latency_ms)}};
}

// Frames of one application: what all of them tell, and those that are shown.
Json app_json(const RunData& run, std::size_t a, std::size_t most) {
  const JobColumns& jobs = run.jobs;
  std::vector<std::uint32_t> rows;
  std::vector<float> all;  // latencies of completed frames after the warm-up
  std::vector<std::vector<float>> by_level(run.subnets.size());
  for (std::uint32_t i = 0; i < jobs.size(); ++i) {
    if (jobs.app[i] != a) continue;
    rows.push_back(i);
    if (std::isnan(jobs.latency_ms[i]) || jobs.arrival_s[i] < run.warmup_s) continue;
    all.push_back(jobs.latency_ms[i]);
    by_level[jobs.subnet[i]].push_back(jobs.latency_ms[i]);
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [&](std::uint32_t x, std::uint32_t y) { return jobs.arrival_s[x] < jobs.arrival_s[y]; });
  std::sort(all.begin(), all.end());

  std::vector<bool> lost, changes;
  for (std::size_t k = 0; k < rows.size(); ++k) {
    const Outcome outcome = jobs.outcome[rows[k]];
    lost.push_back(outcome == Outcome::missed || outcome == Outcome::dropped || outcome == Outcome::rejected);
    changes.push_back(k > 0 && jobs.subnet[rows[k]] != jobs.subnet[rows[k - 1]]);
  }
  const std::size_t total = rows.size();
  rows = chosen(rows, keep_extremes(chosen(jobs.arrival_s, rows), chosen(jobs.latency_ms, rows), lost, changes, most));

  TextColumn outcomes;
  std::vector<std::uint32_t> subnets, units;
  for (const std::uint32_t i : rows) {
    outcomes.add(name_of(jobs.outcome[i]));
    subnets.push_back(jobs.subnet[i]);
    units.push_back(jobs.unit[i]);
  }
  Json levels = Json::array();
  std::vector<std::uint32_t> order(run.subnets.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t x, std::uint32_t y) {  // L2 before L10
    const std::string &one = run.subnets.all()[x], &other = run.subnets.all()[y];
    return std::pair(one.size(), one) < std::pair(other.size(), other);
  });
  for (const std::uint32_t s : order) {
    std::vector<float>& latencies = by_level[s];
    if (latencies.empty()) continue;
    std::sort(latencies.begin(), latencies.end());
    levels.push_back({{"subnet", run.subnets.all()[s]},
                      {"count", latencies.size()},
                      {"mean_ms", mean(latencies)},
                      {"low_ms", quantile(latencies, 0.05)},
                      {"high_ms", quantile(latencies, 0.95)}});
  }
  return {{"name", run.apps[a].name},
          {"network", run.apps[a].network},
          {"target", target_json(run.apps[a].targets, run.duration_s)},
          {"jobs",
           {{"total", total},
            {"kept", rows.size()},
            {"columns",
             {{"arrival_s", f64_column(chosen(jobs.arrival_s, rows))},
              {"start_s", f64_column(chosen(jobs.start_s, rows))},
              {"end_s", f64_column(chosen(jobs.end_s, rows))},
              {"latency_ms", f32_column(chosen(jobs.latency_ms, rows))},
              {"accuracy", f32_column(chosen(jobs.accuracy, rows))},
              {"energy_mj", f32_column(chosen(jobs.energy_mj, rows))},
              {"subnet", text_column(run.subnets.all(), subnets)},
              {"outcome", outcomes.json()},
              {"unit", text_column(run.units.all(), units)}}}}},
          {"histogram", histogram_json(all)},
          {"per_subnet", std::move(levels)}};
}

Json unit_json(const RunData& run, std::size_t unit, std::size_t most) {
  const JobColumns& jobs = run.jobs;
  std::vector<std::uint32_t> rows;
  for (std::uint32_t i = 0; i < jobs.size(); ++i)
    if (jobs.unit[i] == unit && !std::isnan(jobs.start_s[i])) rows.push_back(i);
  std::stable_sort(rows.begin(), rows.end(),
                   [&](std::uint32_t x, std::uint32_t y) { return jobs.start_s[x] < jobs.start_s[y]; });
  std::vector<float> length_s;
  std::vector<bool> lost, changes;
  const auto end_of = [&](std::uint32_t i) { return std::isnan(jobs.end_s[i]) ? run.duration_s : jobs.end_s[i]; };
  for (std::size_t k = 0; k < rows.size(); ++k) {
    length_s.push_back(static_cast<float>(end_of(rows[k]) - jobs.start_s[rows[k]]));
    lost.push_back(jobs.outcome[rows[k]] == Outcome::missed);
    changes.push_back(k > 0 && jobs.subnet[rows[k]] != jobs.subnet[rows[k - 1]]);
  }
  const std::size_t total = rows.size();
  rows = chosen(rows, keep_extremes(chosen(jobs.start_s, rows), length_s, lost, changes, most));
  std::vector<double> ends_s;
  std::vector<std::string> apps;
  for (const AppData& app : run.apps) apps.push_back(app.name);
  std::vector<std::uint32_t> of_app, of_subnet;
  for (const std::uint32_t i : rows) {
    ends_s.push_back(end_of(i));
    of_app.push_back(jobs.app[i]);
    of_subnet.push_back(jobs.subnet[i]);
  }
  return {{"name", run.units.all()[unit]},
          {"spans",
           {{"total", total},
            {"kept", rows.size()},
            {"start_s", f64_column(chosen(jobs.start_s, rows))},
            {"end_s", f64_column(ends_s)},
            {"app", text_column(apps, of_app)},
            {"subnet", text_column(run.subnets.all(), of_subnet)}}}};
}

// Columns of a timeline by how their names end.
struct Kind {
  const char *ending, *group, *unit;
  bool step;
};
constexpr std::array<Kind, 8> kKinds{{{"_mhz", "frequency", "MHz", true},
                                      {"_temperature_c", "temperature", "°C", false},
                                      {"_utilisation", "utilisation", "", true},
                                      {"_true_w", "power", "W", false},
                                      {"_reading_w", "power", "W", true},
                                      {"power_w", "power", "W", false},
                                      {"_waiting", "queue", "frames", true},
                                      {"_subnet", "level", "", true}}};

Json series_json(const Series& series) {
  for (const Kind& kind : kKinds) {
    if (!series.column.ends_with(kind.ending)) continue;
    std::string name = series.column.substr(0, series.column.size() - std::string(kind.ending).size());
    if (name.ends_with('_')) name.pop_back();
    if (series.column.ends_with("_reading_w")) name += " (reading)";
    return {{"name", name.empty() ? "board" : name},
            {"column", series.column},
            {"group", kind.group},
            {"unit", kind.unit},
            {"step", kind.step},
            {"total", series.points.total},
            {"kept", series.points.t_s.size()},
            {"t_s", f64_column(series.points.t_s)},
            {"value", f32_column(series.points.value)}};
  }
  return nullptr;
}

Json options_json(const RunData& run) {
  if (run.options.empty()) return nullptr;
  std::vector<std::uint32_t> first, count, feasible, taken;
  std::size_t at = 0;
  for (const Write& write : run.writes) {
    while (at < run.options.size() && run.options[at].decision < write.decision) ++at;
    std::size_t end = at;
    while (end < run.options.size() && run.options[end].decision == write.decision) ++end;
    first.push_back(static_cast<std::uint32_t>(at));
    count.push_back(static_cast<std::uint32_t>(end - at));
  }
  TextColumn app, subnet, unit;
  std::vector<double> mhz, latency_ms, accuracy, energy_mj;
  for (const Option& one : run.options) {
    app.add(one.app), subnet.add(one.subnet), unit.add(one.unit);
    mhz.push_back(one.mhz), latency_ms.push_back(one.latency_ms);
    accuracy.push_back(one.accuracy), energy_mj.push_back(one.energy_mj);
    feasible.push_back(one.feasible), taken.push_back(one.chosen);
  }
  return {{"total", run.options_total},
          {"kept", run.options.size()},
          {"first", whole_column(first)},
          {"count", whole_column(count)},
          {"app", app.json()},
          {"subnet", subnet.json()},
          {"unit", unit.json()},
          {"mhz", f32_column(mhz)},
          {"latency_ms", f32_column(latency_ms)},
          {"accuracy", f32_column(accuracy)},
          {"energy_mj", f32_column(energy_mj)},
          {"feasible", whole_column(feasible)},
          {"chosen", whole_column(taken)}};
}

// A policy of the user's may give a novel for a reason, eight thousand times.
std::string_view clipped(std::string_view text) {
  constexpr std::size_t kMost = 400;  // bytes
  if (text.size() <= kMost) return text;
  std::size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not within a character
  return text.substr(0, end);
}

Json decisions_json(const RunData& run) {
  std::vector<double> t_s, margin, slack;
  std::vector<std::uint32_t> decision;
  TextColumn policy, trigger, target, knob, from, to, reason, binding;
  for (const Write& one : run.writes) {
    t_s.push_back(one.at_s), margin.push_back(one.margin), slack.push_back(one.slack);
    decision.push_back(one.decision);
    policy.add(one.policy), trigger.add(one.trigger), target.add(one.target), knob.add(one.knob);
    from.add(one.from), to.add(one.to), reason.add(clipped(one.reason)), binding.add(one.binding);
  }
  return {{"total", run.writes_total},
          {"kept", run.writes.size()},
          {"t_s", f64_column(t_s)},
          {"decision", whole_column(decision)},
          {"policy", policy.json()},
          {"trigger", trigger.json()},
          {"target", target.json()},
          {"knob", knob.json()},
          {"from", from.json()},
          {"to", to.json()},
          {"reason", reason.json()},
          {"margin", f32_column(margin)},
          {"binding", binding.json()},
          {"slack", f32_column(slack)},
          {"candidates", options_json(run)}};
}

// What is left of a budget is shared by those that need more than an equal part.
std::vector<std::size_t> shares(const std::vector<std::size_t>& needs, std::size_t budget) {
  std::vector<std::size_t> out(needs.size()), order(needs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return needs[a] < needs[b]; });
  for (std::size_t k = 0; k < order.size(); ++k) {
    out[order[k]] = std::min(needs[order[k]], budget / (order.size() - k));
    budget -= out[order[k]];
  }
  return out;
}

}  // namespace

Json run_json(const RunData& run, const Budget& budget) {
  std::vector<std::size_t> of_app(run.apps.size()), of_unit(run.units.size());
  for (std::size_t i = 0; i < run.jobs.size(); ++i) {
    ++of_app[run.jobs.app[i]];
    of_unit[run.jobs.unit[i]] += !std::isnan(run.jobs.start_s[i]);
  }
  Json apps = Json::array(), units = Json::array(), series = Json::array();
  const auto app_shares = shares(of_app, budget.jobs), unit_shares = shares(of_unit, budget.spans);
  for (std::size_t a = 0; a < run.apps.size(); ++a) apps.push_back(app_json(run, a, app_shares[a]));
  for (std::size_t u = 0; u < run.units.size(); ++u) units.push_back(unit_json(run, u, unit_shares[u]));
  for (const Series& one : run.series)
    if (Json json = series_json(one); !json.is_null() && !one.points.t_s.empty()) series.push_back(std::move(json));
  return {{"label", run.label},
          {"replication", run.replication},
          {"replications_total", run.replications},
          {"duration_s", number(run.duration_s)},
          {"warmup_s", number(run.warmup_s)},
          {"policy", run.policy},
          {"apps", std::move(apps)},
          {"units", std::move(units)},
          {"series", std::move(series)},
          {"decisions", decisions_json(run)}};
}

}  // namespace dynasoc::report
