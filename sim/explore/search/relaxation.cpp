#include "explore/search/relaxation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "common/parallel.hpp"

namespace dynasoc::search {
namespace {

using Points = std::vector<RelaxedPoint>;

// In place: ascending in cost and accuracy, nothing dominated.
void prune(Points& points) {
  std::sort(points.begin(), points.end(), [](const RelaxedPoint& a, const RelaxedPoint& b) {
    return a.cost != b.cost ? a.cost < b.cost : a.accuracy > b.accuracy;
  });
  std::size_t kept = 0;
  for (const RelaxedPoint& point : points)
    if (kept == 0 || point.accuracy > points[kept - 1].accuracy) points[kept++] = point;
  points.resize(kept);
}

// The front of all sums of a point of each, up to a cost. Rows of the smaller front are merged one after another, so
// that memory stays that of a front.
Points sums(const Points& a, const Points& b, double most_cost) {
  const Points& rows = a.size() < b.size() ? a : b;
  const Points& columns = a.size() < b.size() ? b : a;
  Points out, merged;
  for (const RelaxedPoint& row : rows) {
    merged.clear();
    auto left = out.begin();
    auto right = columns.begin();
    double best = -std::numeric_limits<double>::infinity();
    while (left != out.end() || right != columns.end()) {
      RelaxedPoint next;
      const RelaxedPoint sum = right == columns.end()
                                   ? RelaxedPoint{std::numeric_limits<double>::infinity(), 0}
                                   : RelaxedPoint{row.cost + right->cost, row.accuracy + right->accuracy};
      if (left != out.end() && (left->cost < sum.cost || (left->cost == sum.cost && left->accuracy >= sum.accuracy))) {
        next = *left++;
      } else {
        if (sum.cost > most_cost) {
          right = columns.end();
          continue;
        }
        next = sum;
        ++right;
      }
      if (next.accuracy > best) {
        merged.push_back(next);
        best = next.accuracy;
      }
    }
    out.swap(merged);
  }
  // Equal costs may have come in the order of less accuracy first.
  prune(out);
  return out;
}

}  // namespace

double AdditiveAccuracy::operator()(const Configuration& c) const {
  double sum = base[c.resolution];
  for (std::size_t s = 0; s < kStages; ++s)
    for (std::size_t j = 0; j < c.depth[s]; ++j) {
      const std::size_t slot = s * kSlots + j;
      sum += slots[slot][c.kernel[slot] * kChoices + c.expansion[slot]];
    }
  return sum;
}

AdditiveAccuracy fit_additive(const Problem& problem, Evaluator& evaluate, std::size_t samples, std::uint64_t seed) {
  const Stream stream(seed, "search/relaxation");
  std::vector<Configuration> drawn;
  for (std::size_t i = 0; i < samples; ++i) drawn.push_back(problem.space.draw(stream, i));
  std::vector<Point> points;
  evaluate(drawn, points);

  const auto n = static_cast<Eigen::Index>(samples);
  constexpr Eigen::Index kPairs = kChoices * kChoices;
  constexpr Eigen::Index kResolutions = kMostResolutions;
  constexpr Eigen::Index kSlotColumns = kStages * kSlots * kPairs;
  Eigen::MatrixXd a = Eigen::MatrixXd::Zero(n, kResolutions + kSlotColumns);
  Eigen::VectorXd y(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const Point& point = points[static_cast<std::size_t>(i)];
    const Configuration& c = point.configuration;
    a(i, c.resolution) = 1;
    for (std::size_t s = 0; s < kStages; ++s)
      for (std::size_t j = 0; j < c.depth[s]; ++j) {
        const std::size_t slot = s * kSlots + j;
        a(i, kResolutions + static_cast<Eigen::Index>(slot * kChoices * kChoices + c.kernel[slot] * kChoices +
                                                      c.expansion[slot])) = 1;
      }
    y(i) = point.accuracy;
  }
  // Columns of slots that are always used add up to those of the resolutions: a little ridge picks one of the
  // solutions, all of which predict the same.
  Eigen::MatrixXd normal = a.transpose() * a;
  normal.diagonal().array() += 1e-6 * static_cast<double>(n);
  const double mean = y.mean();
  const Eigen::VectorXd solution = normal.ldlt().solve(a.transpose() * (y.array() - mean).matrix());

  AdditiveAccuracy out;
  out.samples = samples;
  for (std::size_t r = 0; r < kMostResolutions; ++r) out.base[r] = mean + solution(static_cast<Eigen::Index>(r));
  for (std::size_t slot = 0; slot < kStages * kSlots; ++slot)
    for (std::size_t pair = 0; pair < kChoices * kChoices; ++pair)
      out.slots[slot][pair] = solution(kResolutions + static_cast<Eigen::Index>(slot * kChoices * kChoices + pair));
  double squares = 0;
  for (const Point& point : points) {
    const double residual = point.accuracy - out(point.configuration);
    squares += residual * residual;
    out.largest_above = std::max(out.largest_above, residual);
  }
  out.rmse = std::sqrt(squares / static_cast<double>(samples));
  return out;
}

std::vector<RelaxedPoint> relaxed_front(const Problem& problem, const AdditiveAccuracy& accuracy, int jobs) {
  const AdditiveCost& cost = problem.costs();
  const ConstraintsFile& limits = problem.constraints;
  const auto& own = problem.cost == Objective::latency_ms ? limits.most_latency_ms
                    : problem.cost == Objective::macs_m   ? limits.most_macs_m
                                                          : limits.most_memory_mb;
  const double most = std::min(problem.reference_cost, own.value_or(problem.reference_cost));
  const auto& resolutions = problem.space.resolutions();
  std::vector<Points> fronts(resolutions.size());
  parallel_for(resolutions.size(), jobs, [&](std::size_t i) {
    const std::uint8_t r = resolutions[i];
    std::vector<Points> stages;
    for (std::size_t s = 0; s < kStages; ++s) {
      const Space::Stage& options = problem.space.stage(s);
      Points so_far{{0, 0}}, stage;
      for (std::size_t j = 0; j < options.depths.back(); ++j) {
        const std::size_t slot = s * kSlots + j;
        const AdditiveCost::Stage& costs = cost.stages[r][s];
        Points choices;
        for (const auto k : options.kernels)
          for (const auto e : options.expansions) {
            const std::size_t pair = k * kChoices + e;
            choices.push_back({(j == 0 ? costs.first : costs.later)[pair], accuracy.slots[slot][pair]});
          }
        prune(choices);
        so_far = sums(so_far, choices, most);
        if (std::find(options.depths.begin(), options.depths.end(), j + 1) != options.depths.end())
          stage.insert(stage.end(), so_far.begin(), so_far.end());
      }
      prune(stage);
      stages.push_back(std::move(stage));
    }
    // Small fronts first keep the sums small for longest.
    std::sort(stages.begin(), stages.end(), [](const Points& a, const Points& b) { return a.size() < b.size(); });
    Points front{{cost.base[r], accuracy.base[r]}};
    for (const Points& stage : stages) front = sums(front, stage, most);
    fronts[i] = std::move(front);
  });
  Points out;
  for (const Points& front : fronts) out.insert(out.end(), front.begin(), front.end());
  prune(out);
  return out;
}

std::vector<Configuration> relaxed_hull(const Problem& problem, const AdditiveAccuracy& accuracy, std::size_t most) {
  const AdditiveCost& cost = problem.costs();
  const auto best_at = [&](double price) {
    Configuration best;
    double most_worth = -std::numeric_limits<double>::infinity();
    for (const std::uint8_t r : problem.space.resolutions()) {
      Configuration c;
      c.resolution = r;
      double worth = accuracy.base[r] - price * cost.base[r];
      for (std::size_t s = 0; s < kStages; ++s) {
        const Space::Stage& options = problem.space.stage(s);
        double so_far = 0, best_stage = -std::numeric_limits<double>::infinity();
        for (std::size_t j = 0; j < options.depths.back(); ++j) {
          const std::size_t slot = s * kSlots + j;
          const auto& costs = j == 0 ? cost.stages[r][s].first : cost.stages[r][s].later;
          double best_slot = -std::numeric_limits<double>::infinity();
          for (const auto k : options.kernels)
            for (const auto e : options.expansions) {
              const std::size_t pair = k * kChoices + e;
              const double x = accuracy.slots[slot][pair] - price * costs[pair];
              if (x > best_slot) best_slot = x, c.kernel[slot] = k, c.expansion[slot] = e;
            }
          so_far += best_slot;
          const bool allowed = std::find(options.depths.begin(), options.depths.end(), j + 1) != options.depths.end();
          if (allowed && so_far > best_stage) best_stage = so_far, c.depth[s] = static_cast<std::uint8_t>(j + 1);
        }
        worth += best_stage;
      }
      c.make_canonical();
      if (worth > most_worth) most_worth = worth, best = c;
    }
    return best;
  };
  // Prices [points per unit of cost] from far above to far below any slope of the front.
  const double scale = 10 / std::max(1e-9, cost(problem.space.extreme(cost, true)) - cost(problem.space.extreme(cost)));
  std::set<Configuration> seen;
  std::vector<Configuration> out;
  const std::size_t steps = 8 * most;
  for (std::size_t i = 0; i <= steps; ++i) {
    const double price = scale * std::pow(10.0, 3 - 6 * static_cast<double>(i) / static_cast<double>(steps));
    const Configuration c = best_at(price);
    if (problem.cost_violation(c) == 0 && seen.insert(c).second) out.push_back(c);
  }
  if (out.size() <= most) return out;
  std::vector<Configuration> thinned;
  for (std::size_t i = 0; i < most; ++i) thinned.push_back(out[i * out.size() / most]);
  return thinned;
}

double hypervolume(const std::vector<RelaxedPoint>& front, double raised, double reference_cost,
                   double reference_accuracy) {
  double sum = 0, lowest = reference_accuracy;
  for (const RelaxedPoint& point : front) {
    const double accuracy = std::min(100.0, point.accuracy + raised);
    if (point.cost >= reference_cost || accuracy <= lowest) continue;
    sum += (reference_cost - point.cost) * (accuracy - lowest);
    lowest = accuracy;
  }
  return sum;
}

}  // namespace dynasoc::search
