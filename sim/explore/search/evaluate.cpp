#include "explore/search/evaluate.hpp"

#include <algorithm>
#include <cmath>

#include "common/parallel.hpp"

namespace dynasoc::search {

double Problem::violation(const Point& point) const {
  double sum = 0;
  const auto above = [&sum](double x, const std::optional<double>& most) {
    if (most && x > *most) sum += (x - *most) / *most;
  };
  above(point.latency_ms, constraints.most_latency_ms);
  above(point.macs_m, constraints.most_macs_m);
  above(point.memory_mb, constraints.most_memory_mb);
  const auto below = [&sum](double x, const std::optional<double>& least) {
    if (least && x < *least) sum += (*least - x) / *least;
  };
  below(point.latency_ms, constraints.least_latency_ms);
  below(point.accuracy, constraints.least_accuracy);
  return sum;
}

Point Problem::costed(const Configuration& c) const { return {c, latency_ms(c), macs_m(c), memory_mb(c), 100}; }

double Problem::cost_violation(const Configuration& c) const { return violation(costed(c)); }

double Problem::accuracy_of(double predicted) const {
  return std::round((predicted * 100 * accuracy_slope + accuracy_intercept) * 1e4) * 1e-4;
}

Evaluator::Evaluator(const Problem& problem, int jobs)
    : problem_(problem), workspaces_(static_cast<std::size_t>(std::max(1, jobs))) {}

void Evaluator::operator()(std::span<const Configuration> configurations, std::vector<Point>& out) {
  constexpr std::size_t kSize = static_cast<std::size_t>(kBatch);
  out.resize(configurations.size());
  evaluations_ += configurations.size();
  const std::size_t batches = (configurations.size() + kSize - 1) / kSize;
  // A thread takes every n-th batch; below two each, starting it would cost more than it saves.
  const std::size_t threads = std::clamp<std::size_t>(batches / 2, 1, workspaces_.size());
  parallel_for(threads, static_cast<int>(threads), [&](std::size_t thread) {
    std::array<double, kSize> predicted;
    for (std::size_t batch = thread; batch < batches; batch += threads) {
      const std::size_t begin = batch * kSize, size = std::min(kSize, configurations.size() - begin);
      problem_.predictor.predict(configurations.subspan(begin, size), predicted, workspaces_[thread]);
      for (std::size_t i = 0; i < size; ++i) {
        Point& point = out[begin + i];
        point = problem_.costed(configurations[begin + i]);
        point.accuracy = problem_.accuracy_of(predicted[i]);
      }
    }
  });
}

bool Front::offer(const Point& point) {
  const double cost = point.cost(cost_);
  // The first that costs more; everything before it costs less or the same.
  auto at = std::upper_bound(points_.begin(), points_.end(), cost,
                             [this](double c, const Point& other) { return c < other.cost(cost_); });
  if (at != points_.begin() && std::prev(at)->accuracy >= point.accuracy) return false;
  if (at != points_.begin() && std::prev(at)->cost(cost_) == cost) --at;
  auto end = at;
  while (end != points_.end() && end->accuracy <= point.accuracy) ++end;
  if (at == end) {
    points_.insert(at, point);
  } else {
    *at = point;
    points_.erase(at + 1, end);
  }
  return true;
}

double Front::hypervolume(double reference_cost, double reference_accuracy) const {
  double sum = 0, lowest = reference_accuracy;
  for (const Point& point : points_) {
    if (point.cost(cost_) >= reference_cost || point.accuracy <= lowest) continue;
    sum += (reference_cost - point.cost(cost_)) * (point.accuracy - lowest);
    lowest = point.accuracy;
  }
  return sum;
}

double Front::accuracy_at(double cost) const {
  const auto at = std::upper_bound(points_.begin(), points_.end(), cost,
                                   [this](double c, const Point& other) { return c < other.cost(cost_); });
  return at == points_.begin() ? 0 : std::prev(at)->accuracy;
}

}  // namespace dynasoc::search
