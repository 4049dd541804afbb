// A quality bound: accuracy as a sum over slots, whose front with a cost that is a sum can be computed exactly.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "explore/search/evaluate.hpp"

namespace dynasoc::search {

/// Accuracy [%, corrected] as intercept by resolution plus a value for each used slot's kernel and expansion: linear
/// least squares on sub-networks drawn at random.
struct AdditiveAccuracy {
  std::array<double, kMostResolutions> base{};
  std::array<AdditiveCost::Choice, kStages * kSlots> slots{};
  double rmse = 0, largest_above = 0;  ///< of the sample: predictor minus model; how far it rises above the model
  std::size_t samples = 0;

  double operator()(const Configuration& c) const;
};
AdditiveAccuracy fit_additive(const Problem& problem, Evaluator& evaluate, std::size_t samples, std::uint64_t seed);

/// A point of the relaxed front.
struct RelaxedPoint {
  double cost = 0, accuracy = 0;
};

/// All non-dominated (cost, additive accuracy) pairs of the space, ascending: dynamic programming over slots and
/// stages, keeping what is not dominated. Exact. Of constraints it keeps the upper limit of the problem's own
/// cost and ignores the others (a relaxation again); points that cost more than the reference are left out.
std::vector<RelaxedPoint> relaxed_front(const Problem& problem, const AdditiveAccuracy& accuracy, int jobs);

/// Sub-networks on the lower convex hull of that front, at most `most` of them: for a price of cost, each slot decides
/// for itself.
std::vector<Configuration> relaxed_hull(const Problem& problem, const AdditiveAccuracy& accuracy, std::size_t most);

/// Area that points, their accuracy raised by `raised`, leave above the reference, as Front::hypervolume.
double hypervolume(const std::vector<RelaxedPoint>& front, double raised, double reference_cost,
                   double reference_accuracy);

}  // namespace dynasoc::search
