// What a front is worth: its hypervolume with an error bar, and its knee. Objectives are minimised here.
#pragma once

#include <cstddef>
#include <vector>

#include "explore/exploration/racing.hpp"
#include "results/statistics.hpp"

namespace dynasoc::explore {

/// The point that bulges farthest beyond the hyperplane through the front's extremes (Das: On characterizing the "knee"
/// of the Pareto curve based on normal-boundary intersection, Structural Optimization 18, 1999). Objectives are scaled
/// so that the front spans 0 to 1 in each; the hyperplane is the one through the points that are worst in one of them
/// and best in the others, so that the knee is the point with the least sum. Objectives in which all points are equal
/// do not count; of equal sums the first. Must not be empty.
std::size_t knee_of(const std::vector<std::vector<double>>& front);

/// Where a hypervolume is measured: from `reference`, in units of the box between `ideal` and it.
struct HypervolumeBox {
  std::vector<double> reference, ideal;
  /// 0 to 1; 0 where an objective has no extent.
  double share(const std::vector<std::vector<double>>& points) const;
};

struct Hypervolume {
  double value = 0;
  Interval interval;  ///< 95 %, percentiles of the bootstrap over replications
};

/// Of the means of samples (all with as many replications). Replications are drawn with replacement, the same for all
/// points, as they share arrivals and noise (Efron: Bootstrap methods, Ann. Stat. 7, 1979). A front was chosen as the
/// best of these samples, so that its hypervolume is a little too large, by an amount the interval does not show.
Hypervolume hypervolume_of(const HypervolumeBox& box, const Wishes& wishes, const std::vector<const Samples*>& front,
                           std::size_t resamples = 400);

}  // namespace dynasoc::explore
