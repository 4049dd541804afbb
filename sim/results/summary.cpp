#include "results/summary.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <boost/math/distributions/students_t.hpp>

#include "common/text.hpp"
#include "results/metrics.hpp"
#include "results/page.hpp"
#include "results/percentile_rule.hpp"
#include "results/statistics.hpp"

namespace dynasoc {
namespace {

constexpr const char* kProvenances[] = {"measured", "digitised", "derived"};

// All replications of an application taken together.
AppRecord pooled(const std::vector<RunRecord>& records, std::size_t a) {
  AppRecord sum = records[0].apps[a];
  for (std::size_t r = 1; r < records.size(); ++r) {
    const AppRecord& other = records[r].apps[a];
    sum.jobs += other.jobs;
    sum.completed += other.completed;
    sum.missed += other.missed;
    sum.dropped += other.dropped;
    sum.rejected += other.rejected;
    sum.subnet_switches += other.subnet_switches;
    sum.mapping_changes += other.mapping_changes;
    sum.latency_sum_ms += other.latency_sum_ms;
    sum.latency_max_ms = std::max(sum.latency_max_ms, other.latency_max_ms);
    sum.accuracy_sum += other.accuracy_sum;
    sum.energy_mj += other.energy_mj;
    sum.outside_range += other.outside_range;
    sum.half_width_sum += other.half_width_sum;
    sum.latency.merge(other.latency);
    const auto add = [](SubnetRecord& to, const SubnetRecord& from) {
      to.completed += from.completed;
      to.missed += from.missed;
      to.latency_sum_ms += from.latency_sum_ms;
      to.service_sum_ms += from.service_sum_ms;
    };
    for (std::size_t s = 0; s < sum.subnets.size(); ++s) add(sum.subnets[s], other.subnets[s]);
    for (std::size_t w = 0; w < sum.windows.size(); ++w)
      for (std::size_t s = 0; s < sum.subnets.size(); ++s) add(sum.windows[w][s], other.windows[w][s]);
    for (std::size_t p = 0; p < 3; ++p) {
      sum.provenance[p] += other.provenance[p];
      sum.energy_provenance[p] += other.energy_provenance[p];
    }
    for (std::size_t i = 0; i < AppRecord::kSteps; ++i) {
      sum.strip[i].completed += other.strip[i].completed;
      sum.strip[i].latency_sum_ms += other.strip[i].latency_sum_ms;
      sum.strip[i].subnet_sum += other.strip[i].subnet_sum;
    }
  }
  return sum;
}

double over(double a, double b) { return b > 0 ? a / b : std::nan(""); }
Json number(double x) { return std::isfinite(x) ? Json(x) : Json(nullptr); }

struct Percentile {
  const char* name;
  double p;
};
constexpr Percentile kPercentiles[] = {{"p50", 0.50}, {"p90", 0.90}, {"p99", 0.99}};

double miss_rate(const AppRecord& app) {
  const auto lost = static_cast<double>(app.dropped + app.rejected);
  return over(static_cast<double>(app.missed) + lost, static_cast<double>(app.completed) + lost);
}
double mean_latency_ms(const AppRecord& app) { return over(app.latency_sum_ms, static_cast<double>(app.completed)); }
double energy_per_job_mj(const AppRecord& app) { return over(app.energy_mj, static_cast<double>(app.completed)); }
// NaN for a network that states no accuracy: its zeros are no results.
double mean_accuracy(const AppRecord& app) {
  const bool stated = std::any_of(app.accuracy.begin(), app.accuracy.end(), [](double a) { return a > 0; });
  return stated ? over(app.accuracy_sum, static_cast<double>(app.completed)) : std::nan("");
}

Json subnets_json(const std::vector<SubnetRecord>& subnets) {
  Json out = Json::object();
  for (std::size_t s = 0; s < subnets.size(); ++s) {
    const SubnetRecord& subnet = subnets[s];
    if (subnet.completed == 0) continue;
    const auto count = static_cast<double>(subnet.completed);
    out[level_name(s)] = {{"completed", subnet.completed},
                          {"missed", subnet.missed},
                          {"latency_ms_mean", subnet.latency_sum_ms / count},
                          {"service_ms_mean", subnet.service_sum_ms / count}};
  }
  return out;
}

template <class F>
std::vector<double> by_replication(const std::vector<RunRecord>& records, F value) {
  std::vector<double> out;
  for (const RunRecord& record : records) out.push_back(value(record));
  return out;
}

template <class F>
Json spread(const std::vector<RunRecord>& records, F value) {
  const Estimate of_all = estimate(by_replication(records, value));
  if (of_all.n == 0) return nullptr;
  return {{"mean", of_all.mean}, {"sd", of_all.n > 1 ? Json(of_all.sd) : Json(nullptr)}, {"n", of_all.n}};
}

constexpr std::size_t kFewestDraws = 5;  // below, an interval by the t distribution says next to nothing

// What 95 % of boards lie in, as far as these replications tell: a log-normal prediction interval for one more draw.
template <class F>
Json interval(const std::vector<RunRecord>& records, F value) {
  Json out = spread(records, value);
  if (out.is_null() || out["n"].get<int>() < 2) return nullptr;
  std::vector<double> logs = by_replication(records, value);
  for (double& x : logs) {
    if (x <= 0) return nullptr;  // nothing that draws no power is uncertain
    x = std::log(x);
  }
  const Estimate of_logs = estimate(logs);
  const auto n = static_cast<double>(of_logs.n);
  const double t = boost::math::quantile(boost::math::students_t(n - 1), 0.975);
  const double half = t * of_logs.sd * std::sqrt(1 + 1 / n);
  out["low"] = std::min(std::exp(of_logs.mean - half), out["mean"].get<double>());  // rounding, where nothing varies
  out["high"] = std::max(std::exp(of_logs.mean + half), out["mean"].get<double>());
  return out;
}

std::vector<std::string> all_warnings(const Scenario& scenario, const std::vector<RunRecord>& records) {
  std::vector<std::string> out = scenario.warnings;
  const PlatformFile& board = scenario.setup->platform.file;
  bool powered = board.static_power_w > 0;
  for (const auto& [name, unit] : board.units)
    for (const PowerPoint& point : unit.power) powered = powered || point.busy_w > 0;
  if (!powered)
    out.push_back("platform " + board.name + " states no power: the energies of this run are 0 and mean nothing");
  const Setup& setup = *scenario.setup;
  if ((setup.sample_power || setup.sample_latency) && records.size() < kFewestDraws)
    out.push_back(std::string(setup.sample_power ? setup.sample_latency ? "power and latency were" : "power was"
                                                 : "latency was") +
                  " drawn " + (records.size() == 1 ? "once" : std::to_string(records.size()) + " times") +
                  ": an interval worth reading needs replications (--replications 20 or more)");
  double modelled = 0;
  for (const RunRecord& record : records)
    for (const AppRecord& app : record.apps) modelled += app.half_width_sum;
  if (setup.sample_latency && modelled == 0)
    out.emplace_back("sample_latency drew nothing: no latency of this run rests on a model with an interval");
  for (std::size_t a = 0; a < records[0].apps.size(); ++a) {
    const AppRecord app = pooled(records, a);
    if (app.completed == 0) {
      out.push_back("application " + app.name + ": no frame was completed" + (app.jobs == 0 ? " (none arrived)" : ""));
      continue;
    }
    if (app.outside_range > 0)
      out.push_back(
          "application " + app.name + ": " +
          rounded_text(100 * over(static_cast<double>(app.outside_range), static_cast<double>(app.completed)), 3) +
          " % of its latencies are extrapolated beyond every clock its table was obtained at");
    constexpr double kWide = 0.1;
    if (const double width = over(app.half_width_sum, static_cast<double>(app.completed)); width > kWide)
      out.push_back("application " + app.name + ": the latencies of its table's model are known to within ±" +
                    rounded_text(100 * width, 2) + " % on average (95 % prediction interval, or bounds)" +
                    (scenario.setup->sample_latency ? "" : "; --sample-latency shows what that does to the results"));
    const auto undecided = app.jobs - std::min(app.jobs, app.completed + app.dropped + app.rejected);
    if (undecided > 10 && undecided * 10 > app.jobs)
      out.push_back(
          "application " + app.name + ": " + std::to_string(undecided) +
          " frames were still waiting at the end: it is overloaded, and its latencies grow with the length of the run");
  }
  return out;
}

}  // namespace

Json summary_json(const Scenario& scenario, const std::string& engine, const std::vector<RunRecord>& records) {
  const RunRecord& first = records.at(0);
  const auto replications = static_cast<double>(records.size());
  Json out = {{"scenario", scenario.file.name},
              {"engine", engine},
              {"seed", first.seed},
              {"duration_s", first.duration_s},
              {"replications", records.size()},
              {"policy", scenario.setup->policy.to_json()}};
  Json apps = Json::object();
  std::array<double, 3> provenance{}, energy_provenance{};
  double completed = 0;
  const bool drawn = (scenario.setup->sample_power || scenario.setup->sample_latency) && records.size() > 1;
  for (std::size_t a = 0; a < first.apps.size(); ++a) {
    const AppRecord app = pooled(records, a);
    const auto count = static_cast<double>(app.completed);
    completed += count;
    Json share = Json::object();
    for (std::size_t s = 0; s < app.subnets.size(); ++s)
      if (app.subnets[s].completed > 0) share[level_name(s)] = static_cast<double>(app.subnets[s].completed) / count;
    Json supported = Json::array();
    for (const auto& [name, p] : kPercentiles)
      if (percentile_is_supported(p, app.completed)) supported.push_back(name);
    Json entry = {
        {"jobs", app.jobs},
        {"completed", app.completed},
        {"dropped", app.dropped},
        {"rejected", app.rejected},
        {"missed", app.missed},
        {"miss_rate", number(miss_rate(app))},
        {"latency_ms",
         {{"mean", number(mean_latency_ms(app))},
          {"p50", number(app.latency.quantile_ms(0.50))},
          {"p90", number(app.latency.quantile_ms(0.90))},
          {"p99", number(app.latency.quantile_ms(0.99))},
          {"max", app.completed > 0 ? Json(app.latency_max_ms) : Json(nullptr)}}},
        {"latency_percentiles_supported", supported},
        {"accuracy",
         {{"mean", number(mean_accuracy(app))}, {"metric", scenario.setup->apps[a].network->file.accuracy_metric}}},
        {"energy_mj_per_job", number(energy_per_job_mj(app))},
        {"subnet_switches", app.subnet_switches},
        {"mapping_changes", app.mapping_changes},
        {"subnet_share", share},
        {"subnets", subnets_json(app.subnets)}};
    if (!app.windows.empty()) {
      Json windows = Json::object();
      for (std::size_t w = 0; w < app.windows.size(); ++w) {
        std::uint64_t frames = 0;
        double latency = 0, accuracy = 0;
        for (std::size_t s = 0; s < app.subnets.size(); ++s) {
          frames += app.windows[w][s].completed;
          latency += app.windows[w][s].latency_sum_ms;
          accuracy += static_cast<double>(app.windows[w][s].completed) * app.accuracy[s];
        }
        const auto n = static_cast<double>(frames);
        if (std::isnan(mean_accuracy(app))) accuracy = std::nan("");
        windows[scenario.setup->windows[w].name] = {{"completed", frames},
                                                    {"latency_ms", {{"mean", number(over(latency, n))}}},
                                                    {"accuracy", {{"mean", number(over(accuracy, n))}}},
                                                    {"subnets", subnets_json(app.windows[w])}};
      }
      entry["windows"] = std::move(windows);
    }
    Json shares = Json::object();
    for (std::size_t p = 0; p < 3; ++p) {
      provenance[p] += static_cast<double>(app.provenance[p]);
      energy_provenance[p] += static_cast<double>(app.energy_provenance[p]);
      shares[kProvenances[p]] = number(over(static_cast<double>(app.provenance[p]), count));
    }
    entry["provenance"] = std::move(shares);
    entry["latency_interval"] = number(over(app.half_width_sum, count));
    if (records.size() > 1)
      entry["spread"] = {
          {"latency_ms_mean", spread(records, [a](const RunRecord& r) { return mean_latency_ms(r.apps[a]); })},
          {"miss_rate", spread(records, [a](const RunRecord& r) { return miss_rate(r.apps[a]); })},
          {"accuracy_mean", spread(records, [a](const RunRecord& r) { return mean_accuracy(r.apps[a]); })},
          {"energy_mj_per_job", spread(records, [a](const RunRecord& r) { return energy_per_job_mj(r.apps[a]); })}};
    if (drawn)
      entry["interval"] = {
          {"latency_ms_mean", interval(records, [a](const RunRecord& r) { return mean_latency_ms(r.apps[a]); })},
          {"energy_mj_per_job", interval(records, [a](const RunRecord& r) { return energy_per_job_mj(r.apps[a]); })}};
    apps[app.name] = std::move(entry);
  }
  out["apps"] = std::move(apps);

  double energy_j = 0, seconds = 0, peak_c = std::nan(""), transitions = 0, error = 0, decisions = 0, asked = 0;
  double manager_s = 0, above_trip_s = 0;
  for (const RunRecord& record : records) {
    energy_j += record.energy_j();
    seconds += record.measured_s;
    peak_c = std::fmax(peak_c, record.peak_temperature_c);
    transitions += static_cast<double>(record.dvfs_transitions);
    decisions += static_cast<double>(record.decisions);
    asked += static_cast<double>(record.decisions_asked);
    manager_s += record.manager_s;
    above_trip_s += record.above_trip_s;
    error = std::max(error, record.conservation_error);
  }
  Json units = Json::object();
  double static_j = 0;
  for (const RunRecord& record : records) static_j += record.static_energy_j;
  for (std::size_t u = 0; u < first.units.size(); ++u) {
    UnitRecord sum;
    for (const RunRecord& record : records) {
      sum.busy_s += record.units[u].busy_s;
      sum.idle_energy_j += record.units[u].idle_energy_j;
      sum.job_energy_j += record.units[u].job_energy_j;
      sum.background_energy_j += record.units[u].background_energy_j;
      sum.mhz_s += record.units[u].mhz_s;
    }
    units[first.units[u].name] = {{"utilisation", sum.busy_s / seconds},
                                  {"energy_j", sum.energy_j() / replications},
                                  {"mean_mhz", sum.mhz_s / seconds},
                                  {"idle_energy_j", sum.idle_energy_j / replications},
                                  {"job_energy_j", sum.job_energy_j / replications},
                                  {"background_energy_j", sum.background_energy_j / replications}};
  }
  out["platform"] = {{"name", scenario.setup->platform.file.name},
                     {"mode", scenario.setup->modes[0].name},
                     {"energy_j", energy_j / replications},
                     {"static_energy_j", static_j / replications},
                     {"mean_power_w", energy_j / seconds},
                     {"units", units},
                     {"peak_temperature_c", number(peak_c)},
                     {"above_trip_s", number(above_trip_s / replications)},
                     {"dvfs_transitions", transitions / replications},
                     {"decisions", decisions / replications},
                     {"decisions_asked", asked / replications},
                     {"manager_ms", manager_s * 1e3 / replications},
                     {"energy_conservation_error", error}};
  // What only some scenarios have; a mean over replications.
  const auto mean_of = [&](const char* key, auto value) {
    double sum = 0;
    for (const RunRecord& record : records) sum += value(record);
    out["platform"][key] = number(sum / replications);
  };
  if (scenario.setup->thermal_budget) mean_of("above_budget_s", [](const RunRecord& r) { return r.above_budget_s; });
  if (scenario.setup->battery) {
    mean_of("battery_life_s", [](const RunRecord& r) { return r.battery_life_s; });
    mean_of("battery_left_j", [](const RunRecord& r) { return r.battery_left_j; });
  }
  if (std::any_of(records.begin(), records.end(), [](const RunRecord& r) { return r.preemptions > 0; }))
    mean_of("preemptions", [](const RunRecord& r) { return static_cast<double>(r.preemptions); });
  if (scenario.setup->sample_power) out["sample_power"] = true;
  if (scenario.setup->sample_latency) out["sample_latency"] = true;
  if (drawn) {
    Json unit_intervals = Json::object();
    for (std::size_t u = 0; u < first.units.size(); ++u)
      unit_intervals[first.units[u].name] = {
          {"energy_j", interval(records, [u](const RunRecord& r) { return r.units[u].energy_j(); })}};
    out["platform"]["interval"] = {
        {"energy_j", interval(records, [](const RunRecord& r) { return r.energy_j(); })},
        {"static_energy_j", interval(records, [](const RunRecord& r) { return r.static_energy_j; })},
        {"mean_power_w", interval(records, [](const RunRecord& r) { return r.energy_j() / r.measured_s; })},
        {"units", std::move(unit_intervals)}};
  }
  if (!first.certificate.method.empty()) {
    const manager::Certificate one = confirmed(first.certificate, measure(*scenario.setup, first));
    out["oracle"] = {{"method", one.method},       {"exact", one.exact},   {"planned_cost", number(one.planned)},
                     {"bound", number(one.bound)}, {"merged", one.merged}, {"solver_gap", number(one.milp_gap)}};
  }
  Json by = Json::object(), energy_by = Json::object();
  for (std::size_t p = 0; p < 3; ++p) {
    by[kProvenances[p]] = completed > 0 ? provenance[p] / completed : 0.0;
    energy_by[kProvenances[p]] = completed > 0 ? energy_provenance[p] / completed : 0.0;
  }
  out["provenance"] = std::move(by);
  out["energy_provenance"] = std::move(energy_by);
  out["warnings"] = all_warnings(scenario, records);
  return out;
}

// ---------------------------------------------------------------------------------------------------------------------

namespace {

std::string percent(double share) { return std::isfinite(share) ? rounded_text(100 * share, 3) + " %" : "-"; }

// The strip with so many steps taken together.
std::vector<AppRecord::Step> folded(const AppRecord& app, std::size_t fold) {
  std::vector<AppRecord::Step> out((AppRecord::kSteps + fold - 1) / fold);
  for (std::size_t i = 0; i < AppRecord::kSteps; ++i) {
    AppRecord::Step& to = out[i / fold];
    to.completed += app.strip[i].completed;
    to.latency_sum_ms += app.strip[i].latency_sum_ms;
    to.subnet_sum += app.strip[i].subnet_sum;
  }
  return out;
}

// Latency over time: one mark a step, the target as a line, the sub-network underneath.
std::string picture(const Page& page, const AppRecord& app, double target_ms, double duration_s) {
  constexpr std::size_t kAxis = 13, kFewest = 12;
  std::size_t fold = 1;  // steps a column, so that it fits
  if (page.columns() > 0) {
    const auto columns = static_cast<std::size_t>(page.columns());
    if (columns < kAxis + kFewest) return "";
    const std::size_t room = columns - kAxis;
    fold = (AppRecord::kSteps + room - 1) / room;
  }
  const std::vector<AppRecord::Step> strip = folded(app, fold);
  if (strip.size() < kFewest) return "";
  double low = 1e300, high = 0;
  for (const auto& step : strip)
    if (step.completed > 0) {
      const double ms = static_cast<double>(step.latency_sum_ms) / step.completed;
      low = std::min(low, ms);
      high = std::max(high, ms);
    }
  if (high <= 0) return "";
  if (target_ms > 0) low = std::min(low, target_ms), high = std::max(high, target_ms);
  const double margin = std::max((high - low) * 0.1, high * 0.02);
  low = std::max(0.0, low - margin);
  high += margin;

  constexpr int kRows = 9;
  static constexpr const char* kEighths[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::string out;
  const int target_row = target_ms > 0 ? kRows - 1 - static_cast<int>((target_ms - low) / (high - low) * kRows) : -1;
  for (int row = 0; row < kRows; ++row) {
    const double bottom = low + (high - low) * (kRows - 1 - row) / kRows;
    const double height = (high - low) / kRows;
    std::string label;
    if (row == target_row)
      label = rounded_text(target_ms, 3) + " ms";
    else if (row == 0)
      label = rounded_text(high, 3) + " ms";
    else if (row == kRows - 1)
      label = rounded_text(low, 3) + " ms";
    std::string line =
        "  " + std::string(static_cast<std::size_t>(std::max(0, 9 - static_cast<int>(label.size()))), ' ') + label;
    line += row == target_row ? " ┤" : " │";
    for (const auto& step : strip) {
      const double ms = step.completed > 0 ? static_cast<double>(step.latency_sum_ms) / step.completed : -1;
      if (ms >= bottom + height)
        line +=
            row == target_row ? page.paint("31", "█") : page.paint(ms > target_ms && target_ms > 0 ? "31" : "36", "█");
      else if (ms >= bottom)
        line += page.paint(ms > target_ms && target_ms > 0 ? "31" : "36",
                           kEighths[std::clamp(static_cast<int>((ms - bottom) / height * 8), 0, 7)]);
      else
        line += row == target_row ? page.dim("┄") : " ";
    }
    out += line + "\n";
  }
  std::string levels = "  sub-net   ";
  const bool moves =
      std::count_if(app.subnets.begin(), app.subnets.end(), [](const SubnetRecord& s) { return s.completed > 0; }) > 1;
  for (const auto& step : strip) {
    if (step.completed == 0)
      levels += " ";
    else {
      const int level = static_cast<int>(std::lround(step.subnet_sum / static_cast<float>(step.completed))) + 1;
      levels += level < 10 ? std::to_string(level) : "+";
    }
  }
  if (moves) out += levels + "\n";
  const std::string end = rounded_text(duration_s, 4) + " s";
  out += "            0";
  if (strip.size() > 1 + end.size()) out += std::string(strip.size() - 1 - end.size(), ' ') + end;
  out += "\n";
  return out;
}

}  // namespace

std::string summary_text(const Scenario& scenario, const std::string& engine, const std::vector<RunRecord>& records,
                         int columns, bool colour) {
  const Page page(columns, colour);
  const Json summary = summary_json(scenario, engine, records);
  const Setup& setup = *scenario.setup;
  std::string out =
      page.heading(setup.name, scenario.file.title) +
      page.dim("  " + setup.platform.file.name + (setup.modes[0].name.empty() ? "" : ", " + setup.modes[0].name) +
               "; manager " + setup.policy.name + "; " + rounded_text(records[0].duration_s) + " s" +
               (records.size() > 1 ? " x " + std::to_string(records.size()) : "") + "; seed " +
               std::to_string(records[0].seed) + "; engine " + engine) +
      "\n\n";

  std::string unsupported;
  std::vector<std::vector<std::string>> rows{{"application", "frames", "done", "lost", "missed", "mean", "p50", "p90",
                                              "p99 ms", "accuracy", "mJ/frame", "switches"}};
  for (std::size_t a = 0; a < records[0].apps.size(); ++a) {
    const AppRecord app = pooled(records, a);
    // What too few frames tell of a tail is no number for a table; `run --json` keeps it.
    const auto percentile = [&](double p) {
      return percentile_is_supported(p, app.completed) ? rounded_text(app.latency.quantile_ms(p)) : std::string("-");
    };
    if (app.completed > 0)
      for (const auto& [name, p] : kPercentiles)
        if (!percentile_is_supported(p, app.completed)) {
          unsupported += (unsupported.empty() ? "" : "; ") + std::string(name) + " of " + app.name + ": " +
                         std::to_string(app.completed) + " of " + std::to_string(fewest_samples({.percentile = p}));
          break;
        }
    rows.push_back({app.name, std::to_string(app.jobs), std::to_string(app.completed),
                    std::to_string(app.dropped + app.rejected), percent(miss_rate(app)),
                    rounded_text(mean_latency_ms(app)), percentile(0.5), percentile(0.9), percentile(0.99),
                    rounded_text(mean_accuracy(app)), rounded_text(energy_per_job_mj(app)),
                    std::to_string(app.subnet_switches)});
  }
  out += page.blocks(rows);
  if (!unsupported.empty())
    out += page.dim("  -  fewer frames than the percentile needs by MLPerf's rule (" + unsupported + ")") + "\n";
  out += "\n";

  constexpr std::size_t kPictures = 4;
  for (std::size_t a = 0; a < std::min(kPictures, records[0].apps.size()); ++a) {
    const AppRecord app = pooled(records, a);
    const auto& targets = setup.apps[a].file.targets;
    const double target_ms = targets.empty() ? 0 : targets.back().latency_ms;
    const std::string drawn = picture(page, app, target_ms, records[0].duration_s);
    if (drawn.empty()) continue;
    out += "  " + page.bold(app.name) +
           page.dim(": latency over time" + std::string(target_ms > 0 ? ", target dotted" : "")) + "\n" + drawn + "\n";
  }

  if (!setup.windows.empty()) {
    std::vector<std::vector<std::string>> lines{
        {"window", "application", "sub-network", "frames", "mean ms", "accuracy"}};
    for (std::size_t w = 0; w < setup.windows.size(); ++w)
      for (std::size_t a = 0; a < records[0].apps.size(); ++a) {
        const AppRecord app = pooled(records, a);
        for (std::size_t s = 0; s < app.subnets.size(); ++s) {
          const SubnetRecord& subnet = app.windows[w][s];
          if (subnet.completed == 0) continue;
          lines.push_back({setup.windows[w].name, app.name, level_name(s), std::to_string(subnet.completed),
                           rounded_text(subnet.latency_sum_ms / static_cast<double>(subnet.completed)),
                           rounded_text(app.accuracy[s])});
        }
      }
    out += page.blocks(lines) + "\n";
  }

  std::vector<std::vector<std::string>> units{
      {"unit", "busy", "mean MHz", "energy J", "jobs J", "idle J", "other load J"}};
  for (const auto& [name, unit] : summary["platform"]["units"].items())
    units.push_back({name, percent(unit["utilisation"]), rounded_text(unit["mean_mhz"]), rounded_text(unit["energy_j"]),
                     rounded_text(unit["job_energy_j"]), rounded_text(unit["idle_energy_j"]),
                     rounded_text(unit["background_energy_j"])});
  out += page.blocks(units);
  const Json& platform = summary["platform"];
  out +=
      "  board     " + rounded_text(platform["energy_j"]) + " J, " + rounded_text(platform["mean_power_w"]) + " W mean";
  if (platform["peak_temperature_c"].is_number())
    out += ", peak " + rounded_text(platform["peak_temperature_c"], 3) + " °C";
  const double transitions = platform["dvfs_transitions"];  // a mean over replications
  out += ", " + (transitions == std::floor(transitions) ? number_text(transitions) : rounded_text(transitions)) +
         " clock changes\n";
  if (platform.contains("battery_left_j")) {
    out += platform["battery_left_j"].get<double>() > 0
               ? "  battery   " + rounded_text(platform["battery_left_j"]) + " J left\n"
               : "  battery   empty after " + rounded_text(platform["battery_life_s"]) + " s\n";
  }
  if (platform.contains("above_budget_s"))
    out += "  thermal   " + rounded_text(platform["above_budget_s"]) + " s at or above the scenario's budget\n";
  if (platform.contains("interval")) {
    const auto range = [](const Json& one, const std::string& unit) {
      return one.is_null() ? std::string("-")
                           : rounded_text(one["low"], 3) + "-" + rounded_text(one["high"], 3) + " " + unit;
    };
    const bool latency = summary.contains("sample_latency");
    std::string line = "  95 %      board " + range(platform["interval"]["energy_j"], "J");
    for (const auto& [name, app] : summary["apps"].items())
      line += ", " + name + " " + range(app["interval"]["energy_mj_per_job"], "mJ/frame") +
              (latency ? " at " + range(app["interval"]["latency_ms_mean"], "ms") : "");
    const bool power = summary.contains("sample_power");
    out += line + " (" +
           (power && latency ? "powers and latencies"
            : power          ? "powers"
                             : "latencies") +
           " drawn from their stated uncertainty)\n";
  }
  const auto shares = [](const Json& by) {
    std::string text;
    for (const char* name : kProvenances)
      if (by[name].get<double>() > 0) text += (text.empty() ? "" : ", ") + percent(by[name]) + " " + name;
    return text.empty() ? std::string("-") : text;
  };
  if (summary.contains("oracle")) {
    const Json& one = summary["oracle"];
    out += page.dim("  oracle    by " + one["method"].get<std::string>() +
                    (one["exact"].get<bool>() ? ", exact" : ", not proved the best") + "; planned cost a frame " +
                    (one["planned_cost"].is_null() ? "-" : rounded_text(one["planned_cost"])) + ", bound from below " +
                    (one["bound"].is_null() ? "none" : rounded_text(one["bound"])) +
                    (records.size() > 1 ? " (replication 0)" : "")) +
           "\n";
  }
  out += page.dim("  rests on  latency " + shares(summary["provenance"]) + "; energy " +
                  shares(summary["energy_provenance"])) +
         "\n";
  for (const auto& warning : summary["warnings"])
    out += page.paint("33", "  note      ") + warning.get<std::string>() + "\n";
  return out;
}

}  // namespace dynasoc
