// What a run is worth, as one number: the cost that an oracle minimises and that regret is counted in.
#pragma once

#include "common/fields.hpp"

namespace dynasoc {

/// Cost of a run per frame that arrived (lower is better):
///
///   miss · share of frames late, dropped, rejected or, at the end, waiting beyond their deadline
///   + accuracy · points below the network's best sub-network, of frames in time
///   + energy · joules of the applications' inferences and switches and of idle units
///
/// Own definition: misses and accuracy as users see them, and only the energy that a manager of these applications can
/// change. Static power and the energy of background loads and of the manager's own computing are not in it.
struct Objective {
  double miss = 1;
  double accuracy = 0.01;
  double energy = 0.1;

  static constexpr auto fields() {
    using S = Objective;
    return describe(
        field(&S::miss, "miss", non_negative(), "cost of a frame without a result by its deadline"),
        field(&S::accuracy, "accuracy", non_negative(),
              "cost of a point of accuracy below the network's best sub-network, for a frame in time"),
        field(&S::energy, "energy", non_negative(), "cost of a joule of inferences, switches and idle units"));
  }
};

}  // namespace dynasoc
