#include "explore/exploration/report.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "common/csv.hpp"
#include "common/text.hpp"
#include "results/page.hpp"

namespace dynasoc::explore {
namespace {

Json number(double x) { return std::isfinite(x) ? Json(x) : Json(nullptr); }
Json interval_json(const Interval& interval) { return {number(interval.low), number(interval.high)}; }
std::string cell(double x) { return std::isfinite(x) ? number_text(x) : ""; }

double half(const Estimate& estimate) { return (estimate.interval.high - estimate.interval.low) / 2; }

std::string with_error(const Estimate& estimate) {
  if (!std::isfinite(estimate.mean)) return "-";
  return rounded_text(estimate.mean) +
         (std::isfinite(half(estimate)) ? " ±" + (half(estimate) < 1e-12 ? "0" : rounded_text(half(estimate), 2)) : "");
}

std::string title_of(const Wish& wish) {
  const auto unit = wish.column.metric().unit;
  return wish.column.name() + (unit.empty() || unit.size() > 6 ? "" : " " + std::string(unit));
}

std::string percent(double share) { return rounded_text(100 * share, 3) + " %"; }

std::string sparkline(const std::vector<Step>& steps) {
  constexpr const char* kBars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  double low = INFINITY, high = -INFINITY;
  for (const Step& step : steps) low = std::min(low, step.hypervolume), high = std::max(high, step.hypervolume);
  std::string out;
  for (const Step& step : steps) {
    // Volumes of values as large as 1e200 are infinite, and no share of each other.
    const double share = high > low ? (step.hypervolume - low) / (high - low) : 1;
    out += kBars[static_cast<std::size_t>(std::lround(7 * (std::isfinite(share) ? share : 1)))];
  }
  return out;
}

// Variables by what they account for, the largest total effect on any objective first.
std::vector<std::size_t> by_importance(const Sensitivity& sensitivity) {
  std::vector<double> largest;
  for (const auto& indices : sensitivity.indices) {
    double most = -1;
    for (const Index& index : indices)
      if (std::isfinite(index.total)) most = std::max(most, index.total);
    largest.push_back(most);
  }
  std::vector<std::size_t> order(largest.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return largest[a] > largest[b]; });
  return order;
}

std::string sensitivity_text(const Candidates& candidates, const Exploration& exploration, const Page& page) {
  const Sensitivity& sensitivity = exploration.sensitivity;
  if (sensitivity.rows == 0) return "";
  const Space& space = candidates.space();
  std::vector<std::vector<std::string>> rows{{"what mattered"}};
  for (std::size_t k = 0; k < space.objectives(); ++k) rows[0].push_back(space.metrics()[k].column.name());
  const auto text = [](double x) {
    const double shown = std::round(std::clamp(x, 0.0, 1.0) * 100) / 100;
    return shown == 0 ? std::string("0") : rounded_text(shown, 2);
  };
  for (const std::size_t v : by_importance(sensitivity)) {
    rows.push_back({space.name(v)});
    for (const Index& index : sensitivity.indices[v])
      rows.back().push_back(std::isfinite(index.total)
                                ? text(index.first) + ", " + text(index.total) + " [" + text(index.total_interval.low) +
                                      ", " + text(index.total_interval.high) + "]"
                                : "-");
  }
  return page.table(rows) +
         page.dim("  share of variance over the whole space: alone (the noisier estimate), with interactions [95 %]; " +
                  std::to_string(sensitivity.rows) + " rows, " + std::to_string(sensitivity.configurations) +
                  " configurations, " + std::to_string(sensitivity.samples) + " simulations") +
         "\n";
}

}  // namespace

std::string front_csv(const Candidates& candidates, const Exploration& exploration) {
  const Space& space = candidates.space();
  std::string out = "configuration,knee,replications";
  for (std::size_t v = 0; v < space.variables(); ++v) out += "," + csv_cell(space.name(v));
  for (const Wish& wish : space.metrics())
    for (const char* what : {"", ".low", ".high"}) out += "," + csv_cell(wish.column.name() + what);
  for (std::size_t k = 0; k < space.objectives(); ++k)
    for (const char* what : {".to_knee", ".to_knee.low", ".to_knee.high"})
      out += "," + csv_cell(space.metrics()[k].column.name() + what);
  out += "\n";
  for (std::size_t p = 0; p < exploration.front.size(); ++p) {
    const FrontPoint& point = exploration.front[p];
    const Candidate& candidate = candidates[point.candidate];
    out += std::to_string(point.candidate) + (p == exploration.knee ? ",1," : ",0,") +
           std::to_string(candidate.replications());
    for (std::size_t v = 0; v < space.variables(); ++v)
      out += "," + csv_cell(space.told(v, candidate.configuration.values[v]));
    for (const Estimate& one : point.metrics)
      out += "," + cell(one.mean) + "," + cell(one.interval.low) + "," + cell(one.interval.high);
    for (const Estimate& one : point.to_knee)
      out += "," + cell(one.mean) + "," + cell(one.interval.low) + "," + cell(one.interval.high);
    out += "\n";
  }
  return out;
}

std::string all_csv(const Candidates& candidates, const Exploration& exploration) {
  const Space& space = candidates.space();
  std::string out = "configuration,standing,replications,dropped_at,dropped_by";
  for (std::size_t v = 0; v < space.variables(); ++v) out += "," + csv_cell(space.name(v));
  for (const Wish& wish : space.metrics()) out += "," + csv_cell(wish.column.name());
  for (std::size_t k = 0; k < space.objectives(); ++k)
    out += "," + csv_cell(space.metrics()[k].column.name() + ".placed");
  out += "\n";
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& one = candidates[i];
    out += std::to_string(i) + "," + std::string(name_of(exploration.standings[i])) + "," +
           std::to_string(one.replications()) + "," + (one.dropped_at > 0 ? std::to_string(one.dropped_at) : "") + "," +
           (one.dropped_at > 0 ? one.dropped_by < 0 ? "constraint" : std::to_string(one.dropped_by) : "");
    for (std::size_t v = 0; v < space.variables(); ++v)
      out += "," + csv_cell(space.told(v, one.configuration.values[v]));
    const auto means = means_of(one.samples, one.samples.size());
    for (std::size_t m = 0; m < space.metrics().size(); ++m) out += "," + (means.empty() ? "" : cell(means[m]));
    for (std::size_t k = 0; k < space.objectives(); ++k)
      out += "," + (means.empty() ? "" : cell(exploration.placed[i][k]));
    out += "\n";
  }
  return out;
}

std::string infeasible_text(const Candidates& candidates, const Infeasible& infeasible) {
  const Space& space = candidates.space();
  const auto limit = [&](std::size_t c) {
    const ConstraintFile& one = space.file().constraints[c];
    return one.metric.text + (one.most ? " at most " + plain_number(*one.most) : "") +
           (one.most && one.least ? "," : "") + (one.least ? " at least " + plain_number(*one.least) : "");
  };
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) accepted += candidates[i].refused.empty();
  std::string out = "no feasible configuration among " + std::to_string(accepted);
  if (accepted == 0 && candidates.size() > 0) return out + " (the scenario refuses all: " + candidates[0].refused + ")";
  for (std::size_t m = 0; m < space.metrics().size(); ++m)
    if (infeasible.undefined[m] == accepted) out += "; " + space.metrics()[m].column.name() + " is undefined in all";
  bool told = false;
  for (std::size_t c = 0; c < infeasible.broken_by.size(); ++c)
    if (infeasible.broken_by[c] == accepted) {
      out += "; all break " + limit(c) +
             (std::isfinite(infeasible.best[c]) ? " (the nearest: " + rounded_text(infeasible.best[c]) + ")" : "");
      told = true;
    }
  for (const auto& [a, b] : infeasible.contradicting) {
    out += "; none keeps both " + limit(a) + " and " + limit(b);
    told = true;
  }
  if (!told && infeasible.broken_by.size() > 2) {
    out += "; broken by";
    for (std::size_t c = 0; c < infeasible.broken_by.size(); ++c)
      out += (c > 0 ? ", " : " ") + std::to_string(infeasible.broken_by[c]) + ": " + limit(c);
  }
  if (infeasible.nearest) {
    const Candidate& near = candidates[*infeasible.nearest];
    const auto means = means_of(near.samples, near.samples.size());
    out += "; nearest: " + near.assignments.dump() + " with";
    for (std::size_t c = 0; c < infeasible.broken_by.size(); ++c)
      out += (c > 0 ? ", " : " ") + space.file().constraints[c].metric.text + " " +
             rounded_text(means[space.objectives() + c]);
  }
  return out;
}

Json exploration_json(const Candidates& candidates, const Exploration& exploration) {
  const Space& space = candidates.space();
  const ExplorationFile& file = space.file();
  Json out = {{"exploration", file.name},
              {"title", file.title},
              {"scenario", space.base().file.name},
              {"seed", file.seed},
              {"algorithm", to_json(file.algorithm)},
              {"racing", to_json(file.racing)},
              {"replications", file.replications},
              {"space", number(space.size())}};
  Json counts = Json::object();
  counts["configurations"] = candidates.size();
  for (const Standing s :
       {Standing::front, Standing::dominated, Standing::dropped, Standing::infeasible, Standing::refused})
    counts[std::string(name_of(s))] = exploration.count(s);
  out["configurations"] = counts;
  out["simulations"] = {{"search", exploration.samples},
                        {"full_replication", exploration.full},
                        {"share", exploration.full > 0 ? number(static_cast<double>(exploration.samples) /
                                                                static_cast<double>(exploration.full))
                                                       : Json(nullptr)},
                        {"revived", exploration.revived},
                        {"sensitivity", exploration.sensitivity.samples}};
  Json objectives = Json::array();
  for (std::size_t k = 0; k < space.objectives(); ++k) {
    const Wish& wish = space.metrics()[k];
    Json one = {{"metric", wish.column.name()},
                {"unit", wish.column.metric().unit},
                {"better", wish.sign > 0 ? "lower" : "higher"}};
    if (!exploration.front.empty()) {
      one["reference"] = number(wish.sign * exploration.box.reference[k]);
      one["reference_declared"] = file.objectives[k].reference.has_value();
      if (file.objectives[k].resolution > 0) one["resolution"] = file.objectives[k].resolution;
      one["ideal"] = number(wish.sign * exploration.box.ideal[k]);
    }
    objectives.push_back(std::move(one));
  }
  out["objectives"] = std::move(objectives);
  if (exploration.infeasible) {
    out["infeasible"] = infeasible_text(candidates, *exploration.infeasible);
    if (exploration.infeasible->nearest) out["nearest"] = candidates[*exploration.infeasible->nearest].assignments;
    return out;
  }
  out["hypervolume"] = {{"share", exploration.hypervolume.value},
                        {"ci95", interval_json(exploration.hypervolume.interval)}};
  if (std::isfinite(exploration.beyond)) out["beyond_front_resolutions"] = exploration.beyond;
  out["knee"] = exploration.front[exploration.knee].candidate;
  Json front = Json::array();
  for (const FrontPoint& point : exploration.front) {
    Json one = {{"configuration", point.candidate}, {"assignments", candidates[point.candidate].assignments}};
    for (const auto& [path, value] : space.settings(candidates[point.candidate].configuration))
      one["set"][path] = value;
    for (std::size_t m = 0; m < point.metrics.size(); ++m) {
      Json metric = {{"mean", number(point.metrics[m].mean)}, {"ci95", interval_json(point.metrics[m].interval)}};
      if (m < point.to_knee.size() && point.to_knee[m].n > 0)
        metric["to_knee"] = {{"mean", number(point.to_knee[m].mean)},
                             {"ci95", interval_json(point.to_knee[m].interval)}};
      one["metrics"][space.metrics()[m].column.name()] = std::move(metric);
    }
    front.push_back(std::move(one));
  }
  out["front"] = std::move(front);
  Json steps = Json::array();
  for (const Step& step : exploration.steps)
    steps.push_back({{"generation", step.generation},
                     {"configurations", step.configurations},
                     {"simulations", step.samples},
                     {"front", step.front.size()},
                     {"hypervolume", step.hypervolume}});
  out["generations"] = std::move(steps);
  const Sensitivity& sensitivity = exploration.sensitivity;
  if (sensitivity.rows > 0) {
    Json variables = Json::object();
    for (std::size_t v = 0; v < sensitivity.indices.size(); ++v)
      for (std::size_t k = 0; k < sensitivity.indices[v].size(); ++k) {
        const Index& index = sensitivity.indices[v][k];
        variables[space.name(v)][space.metrics()[k].column.name()] = {
            {"first", number(index.first)},
            {"first_ci95", interval_json(index.first_interval)},
            {"total", number(index.total)},
            {"total_ci95", interval_json(index.total_interval)}};
      }
    out["sensitivity"] = {{"rows", sensitivity.rows},
                          {"rows_defined", sensitivity.used},
                          {"configurations", sensitivity.configurations},
                          {"replications", sensitivity.replications},
                          {"variables", std::move(variables)}};
  }
  return out;
}

std::string exploration_text(const Candidates& candidates, const Exploration& exploration, bool colour) {
  const Space& space = candidates.space();
  const ExplorationFile& file = space.file();
  const Page page(100, colour);
  std::string out = page.bold(file.name) + (file.title.empty() ? "" : " - " + file.title) + "\n";
  std::string algorithm;
  for (const auto& [text, kind] : EnumNames<Algorithm>::names)
    if (kind == file.algorithm.kind) algorithm = text;
  const double size = space.size();
  out += "  scenario " + space.base().file.name + "; " + algorithm + ", " + std::to_string(file.algorithm.population) +
         " x " + std::to_string(file.algorithm.generations + 1) + ", seed " + std::to_string(file.seed) + "\n";
  out += "  " + std::to_string(candidates.size()) + " configurations" +
         (std::isfinite(size) ? " of " + plain_number(size) : "") + ": " +
         std::to_string(exploration.count(Standing::front)) + " on the front, " +
         std::to_string(exploration.count(Standing::dominated)) + " dominated, " +
         std::to_string(exploration.count(Standing::dropped)) + " dropped, " +
         std::to_string(exploration.count(Standing::infeasible)) + " infeasible" +
         (exploration.count(Standing::refused) > 0
              ? ", " + std::to_string(exploration.count(Standing::refused)) + " refused by the scenario"
              : "") +
         "\n";
  out += "  " + std::to_string(exploration.samples) + " simulations" +
         (file.racing.race ? ", " +
                                 percent(static_cast<double>(exploration.samples) /
                                         static_cast<double>(std::max<std::size_t>(1, exploration.full))) +
                                 " of full replication (" + std::to_string(file.replications) + " each)"
                           : " (full replication, " + std::to_string(file.replications) + " each)") +
         "\n\n";
  if (exploration.infeasible) return out + "  " + infeasible_text(candidates, *exploration.infeasible) + "\n";

  std::vector<std::vector<std::string>> rows{{"front"}};
  for (const Wish& wish : space.metrics()) rows[0].push_back(title_of(wish));
  for (std::size_t v = 0; v < space.variables(); ++v) rows[0].push_back(space.name(v));
  // A long front is thinned for the page; its ends and its knee stay.
  constexpr std::size_t kShown = 24;
  const std::size_t points = exploration.front.size();
  std::set<std::size_t> shown{exploration.knee};
  for (std::size_t i = 0; i < std::min(points, kShown); ++i)
    shown.insert(points <= kShown ? i : i * (points - 1) / (kShown - 1));
  for (const std::size_t p : shown) {
    const FrontPoint& point = exploration.front[p];
    const std::string mark = "#" + std::to_string(point.candidate);
    rows.push_back({p == exploration.knee ? page.bold(mark + " knee") : mark});
    for (const Estimate& one : point.metrics) rows.back().push_back(with_error(one));
    for (std::size_t v = 0; v < space.variables(); ++v) {
      const std::string told = space.told(v, candidates[point.candidate].configuration.values[v]);
      rows.back().push_back(told.empty() ? "-" : told);
    }
  }
  out += page.table(rows);
  out += page.dim("  mean ± 95 % over replications" +
                  (shown.size() < points ? "; " + std::to_string(points - shown.size()) + " more on the front" : "")) +
         "\n\n";

  out += "  hypervolume " + rounded_text(exploration.hypervolume.value) + " [" +
         rounded_text(exploration.hypervolume.interval.low) + ", " +
         rounded_text(exploration.hypervolume.interval.high) + "] of the box from the best seen to";
  for (std::size_t k = 0; k < space.objectives(); ++k) {
    const Wish& wish = space.metrics()[k];
    out += (k > 0 ? ", " : " ") + wish.column.name() + " " + rounded_text(wish.sign * exploration.box.reference[k]);
  }
  if (exploration.hypervolume.value == 0)
    out += page.paint("33", "\n  note      ") + "no point of the front is better than the reference in every objective";
  out += "\n  by generation " + sparkline(exploration.steps) + "\n\n";
  return out + sensitivity_text(candidates, exploration, page);
}

}  // namespace dynasoc::explore
