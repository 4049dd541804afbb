// The load that ondemand and conservative see: what Linux' cpufreq_governor.c makes of busy and idle time.
#pragma once

#include <vector>

#include "manager/governor.hpp"

namespace dynasoc::manager {

/// Load of the busiest core, in percent. A core that was idle for more than two periods of its window is given its
/// previous load instead, once: a task that has just woken up would otherwise be judged by the idleness before it. No
/// time passed: the previous load. Source: dbs_update of Linux 5.x, from memory; 4.4, read, looks at the length of the
/// window instead of its idle time.
class SampledLoad {
 public:
  /// `remember` = false: of kernels before 3.16, which look at the window alone.
  explicit SampledLoad(bool remember) : remember_(remember) {}

  int percent(const DomainSample& sample, Time period);

  /// Whole periods that the least idle of the cores that idled for more than two was idle in the last window; 0 if
  /// none.
  std::int64_t idle_periods() const { return idle_periods_; }

 private:
  bool remember_;
  std::vector<int> previous_;  // by core
  std::int64_t idle_periods_ = 0;
};

}  // namespace dynasoc::manager
