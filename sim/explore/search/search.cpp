#include "explore/search/search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/text.hpp"

namespace dynasoc::search {
namespace {

std::vector<Configuration> seeds(const Problem& problem, const AdditiveAccuracy& additive, std::size_t population) {
  auto out = relaxed_hull(problem, additive, population / 2);
  const Configuration cheapest = problem.space.extreme(problem.costs());
  if (problem.cost_violation(cheapest) == 0) out.push_back(cheapest);
  return out;
}

// Chooses and runs a method. `additive` is there if a bound or seeds want it.
std::string run_method(Run& run, const SearchFile& file, const std::optional<AdditiveAccuracy>& additive) {
  const Problem& problem = run.problem;
  Method method = Nsga2Method{};
  if (file.method)
    method = *file.method;
  else if (problem.space.count() <= static_cast<Count>(file.exhaustive_below))
    method = ExhaustiveMethod{};
  if (std::holds_alternative<ExhaustiveMethod>(method)) {
    exhaustive(run);
  } else if (const auto* genetic = std::get_if<Nsga2Method>(&method)) {
    nsga2(run, *genetic,
          genetic->seeded && additive ? seeds(problem, *additive, genetic->population) : std::vector<Configuration>{});
  } else if (const auto* evolution = std::get_if<AgedMethod>(&method)) {
    aged(run, *evolution);
  } else {
    random_search(run, std::get<RandomMethod>(method));
  }
  if (!std::holds_alternative<ExhaustiveMethod>(method) && file.polish > 0) polish(run, file.polish);
  return dynasoc::to_json(method)["kind"].get<std::string>();
}

// Each constraint dropped in turn: how near the others let one come to it.
[[noreturn]] void contradiction(const Prepared& prepared, const RunOptions& options) {
  const ConstraintsFile& wanted = prepared.file.constraints;
  SearchFile file = prepared.file;
  if (file.method && std::holds_alternative<RandomMethod>(*file.method)) file.method.reset();
  std::string text;
  const auto without = [&](const std::optional<double>& limit, const char* name, const char* unit, Objective cost,
                           std::optional<double> ConstraintsFile::*member) {
    if (!limit) return;
    Problem problem = *prepared.problem;
    problem.constraints.*member = std::nullopt;
    const bool of_accuracy = member == &ConstraintsFile::least_accuracy;
    if (!of_accuracy) problem.cost = cost;
    problem.reference_cost = 2 * problem.costs()(problem.space.extreme(problem.costs(), true));
    problem.reference_accuracy = 0;
    Evaluator evaluate(problem, options.jobs);
    Run run(problem, evaluate, options.seed);
    run.progress = options.progress;
    const AdditiveAccuracy additive = fit_additive(problem, evaluate, 4000, options.seed);
    run_method(run, file, additive);
    if (run.front.points().empty()) return;
    const Point& nearest = of_accuracy ? run.front.points().back() : run.front.points().front();
    const double value = of_accuracy ? nearest.accuracy : nearest.cost(cost);
    text += std::string(text.empty() ? "" : "; ") + "without " + name + " (" + plain_number(*limit) +
            ") the others allow " + rounded_text(value, 5) + unit;
  };
  using C = ConstraintsFile;
  without(wanted.most_latency_ms, "most_latency_ms", " ms", Objective::latency_ms, &C::most_latency_ms);
  without(wanted.least_accuracy, "least_accuracy", " %", Objective::latency_ms, &C::least_accuracy);
  without(wanted.most_macs_m, "most_macs_m", " million", Objective::macs_m, &C::most_macs_m);
  without(wanted.most_memory_mb, "most_memory_mb", " MB", Objective::memory_mb, &C::most_memory_mb);
  if (text.empty())
    text = wanted.least_latency_ms
               ? "least_latency_ms (" + plain_number(*wanted.least_latency_ms) + ") may be the one to drop"
               : std::string("and dropping one of them is not enough");
  throw(prepared.file.where / "constraints").error("no sub-network was found that keeps all of them: " + text);
}

void place(const Prepared& prepared, Evaluator& evaluate, const Front& front, Result& result) {
  const Problem& problem = *prepared.problem;
  std::vector<Configuration> configurations;
  for (const Recorded& one : prepared.compared->subnets) {
    const Json& json = one.where.document->root().at(Json::json_pointer(one.where.pointer));
    configurations.push_back(problem.supernetwork.from_json({one.where.document, &json, one.where.pointer}));
  }
  std::vector<Point> points;
  evaluate(configurations, points);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Recorded& recorded = prepared.compared->subnets[i];
    Placed placed{recorded.subnet, recorded.latency_ms, recorded.accuracy, points[i]};
    placed.front_accuracy = front.accuracy_at(points[i].cost(problem.cost));
    for (const Point& point : front.points())
      if (point.accuracy >= points[i].accuracy) {
        placed.front_cost = point.cost(problem.cost);
        break;
      }
    placed.recorded_front_accuracy = problem.cost == Objective::latency_ms ? front.accuracy_at(recorded.latency_ms) : 0;
    result.compared.push_back(std::move(placed));
  }
}

void select(const Prepared& prepared, Result& result) {
  const SearchFile& file = prepared.file;
  if (!file.select) return;
  const auto most = static_cast<std::size_t>(file.select->most);
  if (file.reference) {
    const double cost = prepared.problem ? prepared.problem->reference_cost : file.reference->latency_ms.value_or(0);
    result.by_hypervolume = select_by_hypervolume(result.candidates, most, cost, file.reference->accuracy);
  }
  if (file.select->targets) {
    result.by_regret = select_by_regret(result.candidates, most, prepared.targets, file.select->missed_accuracy);
    result.unmet = prepared.targets.share(0, result.candidates.front().cost);
  }
}

// An existing network: its non-dominated sub-networks are the front.
Result from_network(const Prepared& prepared) {
  Result result;
  result.method = "network";
  std::vector<std::size_t> order(prepared.candidates->subnets.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto& subnets = prepared.candidates->subnets;
  const auto latency = [&](std::size_t i) {
    return prepared.calibration.slope * subnets[i].latency_ms + prepared.calibration.intercept;
  };
  const ConstraintsFile& limits = prepared.file.constraints;
  std::erase_if(order, [&](std::size_t i) {
    const Recorded& one = subnets[i];
    return (limits.most_latency_ms && latency(i) > *limits.most_latency_ms) ||
           (limits.least_latency_ms && latency(i) < *limits.least_latency_ms) ||
           (limits.least_accuracy && one.accuracy < *limits.least_accuracy) ||
           (limits.most_macs_m && (one.macs_m == 0 || one.macs_m > *limits.most_macs_m)) ||
           (limits.most_memory_mb && (one.memory_mb == 0 || one.memory_mb > *limits.most_memory_mb));
  });
  if (order.empty())
    throw(prepared.file.where / "constraints")
        .error("no sub-network of " + prepared.candidates->file.name + " keeps all of them");
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return latency(a) != latency(b) ? latency(a) < latency(b) : subnets[a].accuracy > subnets[b].accuracy;
  });
  for (const std::size_t i : order) {
    if (!result.candidates.empty() && subnets[i].accuracy <= result.candidates.back().accuracy) continue;
    result.candidates.push_back({latency(i), subnets[i].accuracy});
    result.candidate_rows.push_back(i);
  }
  result.evaluations = order.size();
  if (const auto& reference = prepared.file.reference) {
    double lowest = reference->accuracy;
    for (const Candidate& one : result.candidates) {
      if (one.cost >= *reference->latency_ms || one.accuracy <= lowest) continue;
      result.hypervolume += (*reference->latency_ms - one.cost) * (one.accuracy - lowest);
      lowest = one.accuracy;
    }
  }
  select(prepared, result);
  return result;
}

}  // namespace

Result search(const Prepared& prepared, const RunOptions& options) {
  if (prepared.candidates) return from_network(prepared);
  const SearchFile& file = prepared.file;
  const Problem& problem = *prepared.problem;
  Evaluator evaluate(problem, options.jobs);
  Result result;
  std::optional<AdditiveAccuracy> additive;
  if (file.relaxation_samples > 0)
    additive = fit_additive(problem, evaluate, static_cast<std::size_t>(file.relaxation_samples), options.seed);
  const std::uint64_t before = evaluate.evaluations();
  Run run(problem, evaluate, options.seed);
  run.progress = options.progress;
  run.on_generation = options.on_generation;
  result.method = run_method(run, file, additive);
  result.evaluations = evaluate.evaluations() - before;
  result.generations = std::move(run.generations);
  for (Generation& generation : result.generations) generation.evaluations -= before;
  if (run.front.points().empty() && file.constraints.least_accuracy) {
    // A method that begins far below the wanted accuracy may never see it: the way there leads over what is worse.
    Problem easier = problem;
    easier.constraints.least_accuracy = std::nullopt;
    easier.reference_accuracy = 0;
    Evaluator evaluate_easier(easier, options.jobs);
    Run ahead(easier, evaluate_easier, options.seed);
    ahead.progress = options.progress;
    run_method(ahead, file, additive);
    result.evaluations += evaluate_easier.evaluations();
    run.offer(ahead.front.points());
    if (!run.front.points().empty()) {
      run.note(0);
      result.generations.push_back(run.generations.back());
    }
  }
  if (run.front.points().empty()) contradiction(prepared, options);
  result.front = run.front.points();
  result.hypervolume = run.front.hypervolume(problem.reference_cost, problem.reference_accuracy);

  if (additive) {
    result.bounded = true;
    result.additive = *additive;
    result.largest_above = additive->largest_above;
    for (const Point& point : result.front)
      result.largest_above = std::max(result.largest_above, point.accuracy - (*additive)(point.configuration));
    const auto relaxed = relaxed_front(problem, *additive, options.jobs);
    result.relaxed_points = relaxed.size();
    result.relaxed_hypervolume = hypervolume(relaxed, 0, problem.reference_cost, problem.reference_accuracy);
    result.bound_hypervolume =
        hypervolume(relaxed, result.largest_above, problem.reference_cost, problem.reference_accuracy);
  }
  if (prepared.compared) place(prepared, evaluate, run.front, result);
  for (const Point& point : result.front) result.candidates.push_back({point.cost(problem.cost), point.accuracy});
  select(prepared, result);
  return result;
}

}  // namespace dynasoc::search
