// What a sub-network is worth: costs by addition, accuracy by the predictor, many at a time.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "explore/search/predictor.hpp"
#include "explore/search/search_file.hpp"
#include "explore/search/space.hpp"

namespace dynasoc::search {

/// An evaluated sub-network. Accuracy [%] is corrected and rounded to 1e-4; floats say no more.
struct Point {
  Configuration configuration;
  double latency_ms = 0, macs_m = 0, memory_mb = 0, accuracy = 0;

  double cost(Objective objective) const {
    return objective == Objective::latency_ms ? latency_ms : objective == Objective::macs_m ? macs_m : memory_mb;
  }
};

/// Everything a search needs to know, resolved. Immutable while it runs.
struct Problem {
  Supernetwork supernetwork;
  Space space;
  AdditiveCost latency_ms, macs_m, memory_mb;  ///< latency on the calibration line
  Predictor predictor;
  double accuracy_slope = 1, accuracy_intercept = 0;  ///< the correction: on percent
  Objective cost = Objective::latency_ms;             ///< minimised beside accuracy
  ConstraintsFile constraints;
  double reference_cost = 0, reference_accuracy = 0;

  const AdditiveCost& costs() const {
    return cost == Objective::latency_ms ? latency_ms : cost == Objective::macs_m ? macs_m : memory_mb;
  }
  /// 0 where all constraints hold; else the sum of what each is missed by, relative to it.
  double violation(const Point& point) const;
  /// Without the accuracy, whose constraint is not looked at.
  Point costed(const Configuration& c) const;
  double cost_violation(const Configuration& c) const;
  double accuracy_of(double predicted) const;
};

/// Evaluates in whole batches on several threads; a sub-network's result depends on neither.
class Evaluator {
 public:
  Evaluator(const Problem& problem, int jobs);
  void operator()(std::span<const Configuration> configurations, std::vector<Point>& out);
  std::uint64_t evaluations() const { return evaluations_; }

 private:
  const Problem& problem_;
  std::vector<Predictor::Workspace> workspaces_;
  std::uint64_t evaluations_ = 0;
};

/// Points none of which is dominated (cost minimised, accuracy maximised), ascending in both. Of equal points the one
/// that came first stays.
class Front {
 public:
  explicit Front(Objective cost) : cost_(cost) {}
  bool offer(const Point& point);
  const std::vector<Point>& points() const { return points_; }
  /// Area [unit of cost x percentage points] between the points and the reference.
  double hypervolume(double reference_cost, double reference_accuracy) const;
  /// Highest accuracy at a cost of at most `cost`; 0 if there is none.
  double accuracy_at(double cost) const;

 private:
  Objective cost_;
  std::vector<Point> points_;
};

}  // namespace dynasoc::search
