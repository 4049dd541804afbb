#include "results/checks/exploration.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include "common/parallel.hpp"
#include "common/text.hpp"
#include "results/comparison.hpp"

namespace dynasoc::check {
namespace {

struct Point {
  std::string grid;
  std::string label;
  Overrides overrides;
};

// One manager against one baseline in one set-up.
struct Outcome {
  const Point* point = nullptr;
  std::string manager, baseline;
  std::vector<Estimate> less;               // by saving: [%]
  std::vector<std::vector<double>> boards;  // by saving and replication: [%]
  std::vector<bool> holds;                  // by saving: its conditions
  std::vector<double> beside;               // by metric: relative difference [%]
};

// Each is loaded when a claim is read, so that a wrong one is known before the first is simulated.
constexpr std::size_t kMostSetups = 10'000;

std::string label_of(const Json& value) {
  if (value.is_number()) return plain_number(value.get<double>());
  if (value.is_string() && value.get<std::string>().empty()) return "default";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::vector<Point> points_of(const Exploration& exploration) {
  std::vector<Point> out;
  const auto check_count = [&](std::size_t points) {
    if (points > kMostSetups)
      throw(exploration.where / "grids").error("has more than " + std::to_string(kMostSetups) + " set-ups");
  };
  for (const auto& [name, grid] : exploration.grids) {
    std::vector<Point> points{{name, name, {}}};
    for (const auto& [path, value] : grid.set) points[0].overrides.emplace_back(path, value.value.dump());
    for (const auto& [axis_name, axis] : grid.axes) {
      if (axis.values.empty()) throw(axis.where / "values").error("is empty: there is nothing to explore");
      std::vector<Point> more;
      for (const Point& point : points)
        for (const AnyJson& value : axis.values) {
          check_count(out.size() + more.size() + 1);
          Point next = point;
          next.label += ", " + axis_name + " " + label_of(value.value);
          for (const std::string& path : axis.paths) next.overrides.emplace_back(path, value.value.dump());
          more.push_back(std::move(next));
        }
      points = std::move(more);
    }
    check_count(out.size() + points.size());
    out.insert(out.end(), points.begin(), points.end());
  }
  return out;
}

Scenario scenario_of(const Exploration& exploration, const Point& point, const Context& context, Library& library) {
  try {
    return load_scenario(DataPaths(context.folder).scenario(exploration.scenario), point.overrides, &library);
  } catch (const InputError& error) {
    if (point.overrides.empty()) throw;
    throw(exploration.where / "grids" / point.grid).error("set-up " + in_quotes(point.label) + ": " + error.what());
  }
}

std::string list_of(const Exploration& exploration) {
  std::string out;
  for (const auto* names : {&exploration.managers, &exploration.baselines})
    for (const std::string& name : *names) out += (out.empty() ? "" : ",") + name;
  return out;
}

std::string percent(double x) { return fixed_text(x, 1) + " %"; }
std::string signed_percent(double x) { return (fixed_text(x, 1).starts_with("−") ? "" : "+") + percent(x); }

double mean(const std::vector<double>& values) { return estimate(values).mean; }

bool holds(const Condition& condition, const Setup& setup, const ContenderResult& manager,
           const ContenderResult& baseline) {
  const auto ours = values_of(setup, manager, condition.metric), theirs = values_of(setup, baseline, condition.metric);
  if (const double base = mean(theirs); condition.baseline_most && !(base <= *condition.baseline_most)) return false;
  const double x = condition.relative ? relative_difference(ours, theirs).mean : mean(paired_differences(ours, theirs));
  return x >= condition.least && x <= condition.most;
}

}  // namespace

void Exploration::validate(const Context& context) const {
  if (managers.empty()) throw(where / "managers").error("is empty");
  if (baselines.empty()) throw(where / "baselines").error("is empty");
  const auto points = points_of(*this);
  if (points.empty()) throw(where / "grids").error("is empty: there is nothing to explore");
  Library library;
  for (const Point& point : points) scenario_of(*this, point, context, library);
  const Scenario loaded = scenario_of(*this, points[0], context, library);
  try {
    contenders_of(loaded, list_of(*this));
  } catch (const InputError& error) {
    throw(where / "managers").error(error.what());
  }
  const auto known = [&](const Where& place, const std::string& metric) {
    try {
      values_of(*loaded.setup, {}, metric);
    } catch (const InputError& error) {
      throw place.error(error.what());
    }
  };
  for (const Saving& saving : savings) {
    known(saving.where / "metric", saving.metric);
    for (const Condition& condition : saving.where_also) known(condition.where / "metric", condition.metric);
  }
  for (std::size_t i = 0; i < beside.size(); ++i) known(where / "beside" / i, beside[i]);
}

std::vector<Finding> Exploration::evaluate(const Context& context) const {
  const auto points = points_of(*this);
  const std::size_t pairs = managers.size() * baselines.size();
  std::vector<Outcome> outcomes(points.size() * pairs);
  Library library;
  std::mutex mutex;
  std::size_t done = 0;
  parallel_for(points.size(), context.jobs, [&](std::size_t i) {
    const Scenario loaded = scenario_of(*this, points[i], context, library);
    const Setup& setup = *loaded.setup;
    ComparisonRequest request;
    request.contenders = contenders_of(loaded, list_of(*this));
    request.replications = replications;
    request.anatomy = false;
    const Comparison compared = compare(loaded, request);
    for (std::size_t p = 0; p < pairs; ++p) {
      const ContenderResult& manager = compared.results[p / baselines.size()];
      const ContenderResult& baseline = compared.results[managers.size() + p % baselines.size()];
      Outcome& out = outcomes[i * pairs + p];
      out.point = &points[i];
      out.manager = manager.contender.label;
      out.baseline = baseline.contender.label;
      for (const Saving& saving : savings) {
        const auto ours = values_of(setup, manager, saving.metric), theirs = values_of(setup, baseline, saving.metric);
        Estimate less = relative_difference(ours, theirs);
        less.mean *= -100;
        less.interval = {-100 * less.interval.high, -100 * less.interval.low};
        out.less.push_back(less);
        out.boards.emplace_back();
        for (std::size_t r = 0; r < ours.size(); ++r) out.boards.back().push_back(100 * (1 - ours[r] / theirs[r]));
        bool all = true;
        for (const Condition& condition : saving.where_also) all = all && holds(condition, setup, manager, baseline);
        out.holds.push_back(all);
      }
      for (const std::string& metric : beside)
        out.beside.push_back(
            100 * relative_difference(values_of(setup, manager, metric), values_of(setup, baseline, metric)).mean);
    }
    const std::lock_guard lock(mutex);
    if (context.progress) context.progress(static_cast<double>(++done) / static_cast<double>(points.size()));
  });

  std::vector<Finding> out;
  for (std::size_t s = 0; s < savings.size(); ++s) {
    const Saving& saving = savings[s];
    Finding one;
    one.quantity = saving.quantity;
    one.unit = "%";
    one.digits = 1;
    one.published = saving.published_percent;
    one.up_to = saving.up_to;
    Distribution in;
    in.mark = saving.published_percent;
    double largest_anywhere = -std::numeric_limits<double>::infinity();
    std::map<std::string, std::vector<double>> groups;
    std::vector<const Outcome*> sorted;
    Json details = Json::array();
    std::size_t undefined = 0;
    for (const Outcome& outcome : outcomes) {
      const double x = outcome.less[s].mean;
      const auto json = [](double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); };
      Json beside_json = Json::object();
      for (std::size_t m = 0; m < beside.size(); ++m) beside_json[beside[m]] = json(outcome.beside[m]);
      details.push_back({{"set_up", outcome.point->label},
                         {"manager", outcome.manager},
                         {"baseline", outcome.baseline},
                         {"less_percent", json(x)},
                         {"counts", static_cast<bool>(outcome.holds[s])},
                         {"difference_percent", beside_json}});
      if (!std::isfinite(x)) {
        ++undefined;
        continue;
      }
      largest_anywhere = std::max(largest_anywhere, x);
      if (!outcome.holds[s]) continue;
      in.values.push_back(x);
      sorted.push_back(&outcome);
      groups["manager " + outcome.manager].push_back(x);
      if (baselines.size() > 1) groups["baseline " + outcome.baseline].push_back(x);
      if (grids.size() > 1) groups["grid " + outcome.point->grid].push_back(x);
    }
    std::sort(in.values.begin(), in.values.end());
    std::stable_sort(sorted.begin(), sorted.end(),
                     [&](const Outcome* a, const Outcome* b) { return a->less[s].mean < b->less[s].mean; });
    one.details = std::move(details);
    if (sorted.empty()) {
      one.verdict = Verdict::not_reproduced;
      one.reason = "no set-up of " + std::to_string(outcomes.size()) + " meets the conditions";
      if (!saving.published_percent) one.verdict = Verdict::own_result;
      out.push_back(std::move(one));
      continue;
    }

    const Outcome& shown = saving.up_to ? *sorted.back() : *sorted[(sorted.size() - 1) / 2];
    one.ours = shown.less[s].mean;
    one.interval = shown.less[s].interval;
    const std::string counted = std::to_string(in.values.size()) + " of " + std::to_string(outcomes.size());
    if (const auto published = saving.published_percent) {
      const double least = in.values.front(), most = in.values.back();
      if (saving.up_to) {
        one.verdict = most >= *published               ? Verdict::reproduced
                      : largest_anywhere >= *published ? Verdict::partly
                                                       : Verdict::not_reproduced;
        const auto reaching = in.values.end() - std::lower_bound(in.values.begin(), in.values.end(), *published);
        one.reason = one.verdict == Verdict::reproduced ? "reached by " + std::to_string(reaching) + " of " +
                                                              std::to_string(in.values.size()) + " outcomes that count"
                     : one.verdict == Verdict::partly ? "reached only where the conditions do not hold (there up to " +
                                                            percent(largest_anywhere) + ")"
                                                      : "no outcome reaches it, with or without the conditions";
      } else {
        const bool half = in.quantile(0.25) <= *published && *published <= in.quantile(0.75);
        one.verdict = half                                        ? Verdict::reproduced
                      : least <= *published && *published <= most ? Verdict::partly
                                                                  : Verdict::not_reproduced;
        one.reason = half ? "between the quartiles of the outcomes"
                     : one.verdict == Verdict::partly
                         ? std::string("within the range of the outcomes, ") +
                               (*published < in.quantile(0.25) ? "below" : "above") + " their middle half"
                         : std::string(*published < least ? "every" : "no") + " outcome that counts is as large";
      }
    }
    one.notes.push_back(counted + " outcomes count; shown: " + shown.manager + " against " + shown.baseline + ", " +
                        shown.point->label);
    std::string note;
    for (std::size_t m = 0; m < beside.size(); ++m)
      note += (m ? ", " : "  there ") + beside[m] + " " + signed_percent(shown.beside[m]);
    if (!note.empty()) one.notes.push_back(note);
    auto boards = shown.boards[s];
    std::erase_if(boards, [](double x) { return !std::isfinite(x); });
    if (const auto [low, high] = std::minmax_element(boards.begin(), boards.end());
        low != boards.end() && *low != *high)
      one.notes.push_back("  its " + std::to_string(boards.size()) + " replications: " + percent(*low) + " to " +
                          percent(*high));
    if (undefined > 0) one.notes.push_back(std::to_string(undefined) + " outcomes are undefined");
    for (auto& [name, values] : groups) {
      if (values.size() == in.values.size()) continue;
      Distribution part;
      part.mark = in.mark;
      part.values = values;
      std::sort(part.values.begin(), part.values.end());
      one.notes.push_back(name + ": " + std::to_string(values.size()) + " count, median " +
                          percent(part.quantile(0.5)) + ", " + percent(part.quantile(0)) + " to " +
                          percent(part.quantile(1)));
    }
    one.of = std::move(in);
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace dynasoc::check
