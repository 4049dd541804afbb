// Which few of a front to ship. Both choices are exact: a front is a line, and what a selection keeps or loses is a sum
// over the gaps between neighbours, so that dynamic programming finds the best.
#pragma once

#include <cstddef>
#include <vector>

namespace dynasoc::search {

/// A front to select from: ascending in cost and accuracy.
struct Candidate {
  double cost = 0, accuracy = 0;
};

/// Latency targets: a density (uniform between two) or equally likely values.
struct TargetDistribution {
  double low = 0, high = 0;    ///< of a uniform distribution, where `values` is empty
  std::vector<double> values;  ///< sorted

  /// Mean of `f(target)` over targets in [from, to), as a share of all targets, f being constant: the share itself.
  double share(double from, double to) const;
};

struct Selection {
  std::vector<std::size_t> chosen;  ///< indices of candidates, ascending
  double value = 0;                 ///< area kept, or expected accuracy lost [percentage points]
  double share_of_all = 0;          ///< area kept over that of the whole front; 0 for regret
  double missed = 0;                ///< share of targets that the whole front meets and the selection does not
};

/// The best selections of 1 to `most` candidates by area above the reference (cost, accuracy).
std::vector<Selection> select_by_hypervolume(const std::vector<Candidate>& front, std::size_t most,
                                             double reference_cost, double reference_accuracy);

/// The best selections of 1 to `most` by expected accuracy lost against having the whole front: for each target the
/// most accurate candidate that is fast enough runs; where the selection has none and the front has, it counts as
/// `missed_accuracy`. Targets that the front cannot meet cost nothing (see `share(0, front[0].cost)`).
std::vector<Selection> select_by_regret(const std::vector<Candidate>& front, std::size_t most,
                                        const TargetDistribution& targets, double missed_accuracy);

}  // namespace dynasoc::search
