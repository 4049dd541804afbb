// Clocks that policies share: where tables are read while a governor moves a clock, and what happens when several
// applications want different clocks of one domain.
#pragma once

#include <vector>

#include "manager/decision.hpp"
#include "manager/observation.hpp"

namespace dynasoc::manager {

/// OPPs that all of a unit's domains may take under the limits now in force.
struct OppRange {
  int first = 0;
  int last = 0;
};
OppRange opp_range(const Observation& seen, const UnitView& unit);

/// Where tables are read for each unit. A clock that a governor moves is not predicted: tables are read at the fastest
/// clock that governor has shown within the limits, and what it takes away is part of the measured slow-down, as
/// contention is. An upper limit takes from what it has shown: when it is lifted, faster clocks count once they are
/// seen again. A clock that a policy sets is where it was last asked to be, within the limits.
class ReferenceClocks {
 public:
  void refresh(const Observation& seen, bool own_clocks);
  int opp(int unit) const { return opps_[static_cast<std::size_t>(unit)]; }

  /// Measured service time over the table's; 0 where there is no table.
  double slowdown(const Observation& seen, const AppView& app, const Sample& sample, bool own_clocks) const;

 private:
  std::vector<int> opps_;  // by unit
};

/// A clock shared by several applications runs as fast as the most demanding of them asks.
class ClockVotes {
 public:
  void reset(const Observation& seen) { votes_.assign(seen.domains.size(), {}); }

  /// For all domains of a unit. The reason of the fastest vote is told; of equals, the first's.
  void vote(const UnitView& unit, int opp, const Why& why);

  /// Writes what differs from what was last asked for, and takes clocks from their governors.
  void write(const Observation& seen, Decision& decision) const;

 private:
  struct Vote {
    int opp = -1;
    Why why;
  };
  std::vector<Vote> votes_;  // by domain
};

/// The samples of an application that came since `learnt`, oldest first; `learnt` is then the number of all.
template <class Use>
void each_new_sample(const AppView& app, std::uint64_t& learnt, Use&& use) {
  const std::uint64_t kept = std::min<std::uint64_t>(app.completed, AppView::kRemembered);
  for (std::uint64_t n = std::max(learnt, app.completed - kept); n < app.completed; ++n) use(app.sample(n));
  learnt = app.completed;
}

}  // namespace dynasoc::manager
