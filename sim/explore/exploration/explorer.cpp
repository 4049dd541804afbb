#include "explore/exploration/explorer.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace dynasoc::explore {
namespace {

std::vector<std::size_t> feasible_of(const Candidates& candidates, const Race& race) {
  std::vector<std::size_t> out;
  for (const std::size_t i : race.alive())
    if (violation(race.wishes(), means_of(candidates[i].samples, candidates[i].samples.size())) == 0) out.push_back(i);
  return out;
}

std::vector<std::size_t> best_of(const std::vector<std::size_t>& feasible, const Race& race) {
  std::vector<std::vector<double>> objectives;
  for (const std::size_t i : feasible) objectives.push_back(objectives_of(race.wishes(), race.estimate(i)));
  std::vector<std::size_t> out;
  for (const std::size_t i : front_of(race.wishes(), objectives)) out.push_back(feasible[i]);
  return out;
}

void search(Candidates& candidates, Race& race, Exploration& out, const ExploreHooks& hooks) {
  const Space& space = candidates.space();
  const AlgorithmFile& algorithm = space.file().algorithm;
  OptimiserRequest request;
  request.box = space.box();
  request.objectives = space.objectives();
  request.algorithm = algorithm.kind;
  request.population = static_cast<std::size_t>(algorithm.population);
  request.generations = static_cast<std::size_t>(algorithm.generations);
  request.seed = static_cast<std::uint64_t>(space.file().seed);
  request.crossover = algorithm.crossover;
  request.mutation = algorithm.mutation;
  request.evaluate = [&](const std::vector<std::vector<double>>& points) {
    std::vector<Configuration> configurations;
    for (const auto& x : points) configurations.push_back(space.at(x));
    const std::size_t known = candidates.size();
    const auto ids = candidates.find(configurations);
    std::vector<std::size_t> fresh;
    for (std::size_t i = known; i < candidates.size(); ++i) fresh.push_back(i);
    race.search(fresh);
    std::vector<std::vector<double>> fitness;
    for (const std::size_t id : ids) fitness.push_back(race.fitness(id));
    return fitness;
  };
  request.on_generation = [&](std::size_t generation, const std::vector<Individual>&) {
    Step step{generation, candidates.size(), candidates.samples(), {}, 0};
    for (const std::size_t i : best_of(feasible_of(candidates, race), race))
      step.front.push_back(objectives_of(race.wishes(), race.estimate(i)));
    out.steps.push_back(std::move(step));
    if (hooks.progress)
      hooks.progress(0.85 * static_cast<double>(generation + 1) / static_cast<double>(request.generations + 1));
  };
  optimise(request);
  race.finish();
}

// Reference: as declared, else the worst of the feasible; ideal: the best of the feasible.
HypervolumeBox box_of(const Candidates& candidates, const Race& race) {
  HypervolumeBox box;
  const ExplorationFile& file = candidates.space().file();
  for (std::size_t k = 0; k < file.objectives.size(); ++k) {
    double best = INFINITY, worst = -INFINITY;
    // Those that were dropped as dominated are feasible too, by their estimate.
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const auto means = race.estimate(i);
      if (means.empty() || violation(race.wishes(), means) > 0) continue;
      best = std::min(best, race.wishes().signs[k] * means[k]);
      worst = std::max(worst, race.wishes().signs[k] * means[k]);
    }
    box.ideal.push_back(best);
    box.reference.push_back(file.objectives[k].reference ? race.wishes().signs[k] * *file.objectives[k].reference
                                                         : worst);
  }
  return box;
}

double beyond_front(const Candidates& candidates, const Race& race, const std::vector<std::size_t>& best) {
  const Wishes& wishes = race.wishes();
  if (std::any_of(wishes.resolutions.begin(), wishes.resolutions.end(), [](double r) { return r == 0; }))
    return std::nan("");
  std::vector<std::vector<double>> front;
  for (const std::size_t i : best) front.push_back(objectives_of(wishes, race.estimate(i)));
  double largest = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const auto means = race.estimate(i);
    if (means.empty() || violation(wishes, means) > 0) continue;
    const auto own = objectives_of(wishes, means);
    double nearest = INFINITY;
    for (const auto& point : front) {
      double most = 0;
      for (std::size_t k = 0; k < own.size(); ++k) most = std::max(most, (point[k] - own[k]) / wishes.resolutions[k]);
      nearest = std::min(nearest, most);
    }
    largest = std::max(largest, nearest);
  }
  return largest;
}

Estimate estimate_of(const Samples& samples, std::size_t metric) {
  std::vector<double> values;
  for (const auto& sample : samples) values.push_back(sample[metric]);
  return estimate(values);
}

void fill_front(const Candidates& candidates, const Wishes& wishes, std::vector<std::size_t> best, Exploration& out) {
  const auto objectives = [&](std::size_t i) {
    const Samples& samples = candidates[i].samples;
    return objectives_of(wishes, means_of(samples, samples.size()));
  };
  std::stable_sort(best.begin(), best.end(),
                   [&](std::size_t a, std::size_t b) { return objectives(a) < objectives(b); });
  std::vector<std::vector<double>> points;
  for (const std::size_t i : best) points.push_back(objectives(i));
  out.knee = knee_of(points);
  const Samples& knee = candidates[best[out.knee]].samples;
  std::vector<const Samples*> samples;
  for (const std::size_t i : best) {
    FrontPoint point;
    point.candidate = i;
    const Samples& own = candidates[i].samples;
    samples.push_back(&own);
    for (std::size_t m = 0; m < own[0].size(); ++m) point.metrics.push_back(estimate_of(own, m));
    for (std::size_t k = 0; k < wishes.signs.size(); ++k) {
      std::vector<double> a, b;
      for (std::size_t r = 0; r < own.size(); ++r) a.push_back(own[r][k]), b.push_back(knee[r][k]);
      point.to_knee.push_back(&own == &knee ? Estimate{} : estimate(paired_differences(a, b)));
    }
    out.front.push_back(std::move(point));
  }
  out.hypervolume = hypervolume_of(out.box, wishes, samples);
}

Infeasible why_infeasible(const Candidates& candidates, const Race& race) {
  const Space& space = candidates.space();
  const auto& limits = race.wishes().limits;
  Infeasible out;
  out.broken_by.assign(limits.size(), 0);
  out.best.assign(limits.size(), std::nan(""));
  out.undefined.assign(space.metrics().size(), 0);
  std::vector<std::vector<bool>> keeps(limits.size(), std::vector<bool>(candidates.size(), false));
  double least = INFINITY;
  std::vector<double> nearest_by(limits.size(), INFINITY);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const auto means = race.estimate(i);
    if (means.empty()) continue;
    for (std::size_t m = 0; m < means.size(); ++m) out.undefined[m] += std::isnan(means[m]);
    for (std::size_t c = 0; c < limits.size(); ++c) {
      const double x = means[limits[c].metric];
      const double beyond = std::max({x - limits[c].most, limits[c].least - x, 0.0});
      keeps[c][i] = beyond == 0 && std::isfinite(x);
      out.broken_by[c] += !keeps[c][i];
      if (std::isfinite(x) && beyond < nearest_by[c]) nearest_by[c] = beyond, out.best[c] = x;
    }
    if (const double v = violation(race.wishes(), means); v < least) least = v, out.nearest = i;
  }
  const auto any = [](const std::vector<bool>& which) {
    return std::find(which.begin(), which.end(), true) != which.end();
  };
  for (std::size_t a = 0; a < limits.size(); ++a)
    for (std::size_t b = 0; b < a; ++b) {
      std::vector<bool> both(candidates.size());
      for (std::size_t i = 0; i < candidates.size(); ++i) both[i] = keeps[a][i] && keeps[b][i];
      if (any(keeps[a]) && any(keeps[b]) && !any(both)) out.contradicting.emplace_back(b, a);
    }
  return out;
}

}  // namespace

std::string_view name_of(Standing standing) {
  constexpr std::string_view kNames[] = {"front", "dominated", "dropped", "infeasible", "refused"};
  return kNames[static_cast<std::size_t>(standing)];
}

std::size_t Exploration::count(Standing standing) const {
  return static_cast<std::size_t>(std::count(standings.begin(), standings.end(), standing));
}

Exploration explore(Candidates& candidates, Candidates& design, const ExploreHooks& hooks) {
  Exploration out;
  Race race(candidates);
  search(candidates, race, out, hooks);
  const auto feasible = feasible_of(candidates, race);
  const auto best = best_of(feasible, race);
  const std::set<std::size_t> is_best(best.begin(), best.end()), is_feasible(feasible.begin(), feasible.end());
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& one = candidates[i];
    accepted += one.refused.empty();
    out.placed.push_back(race.estimate(i));
    out.standings.push_back(!one.refused.empty()                        ? Standing::refused
                            : one.dropped_at > 0 && one.dropped_by >= 0 ? Standing::dropped
                            : is_best.contains(i)                       ? Standing::front
                            : is_feasible.contains(i)                   ? Standing::dominated
                                                                        : Standing::infeasible);
  }
  out.samples = candidates.samples();
  out.full = accepted * static_cast<std::size_t>(candidates.space().file().replications);
  out.revived = race.revived();
  if (best.empty()) {
    out.infeasible = why_infeasible(candidates, race);
    return out;
  }
  out.box = box_of(candidates, race);
  out.beyond = beyond_front(candidates, race, best);
  fill_front(candidates, race.wishes(), best, out);
  for (Step& step : out.steps) step.hypervolume = out.box.share(step.front);
  if (hooks.progress) hooks.progress(0.9);
  out.sensitivity = sensitivity_of(design);
  return out;
}

}  // namespace dynasoc::explore
