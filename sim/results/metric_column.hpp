// A metric asked for by name: `run.cost`, `apps.camera.miss_rate`; `APP` left as it stands means the mean over
// applications. What comparisons, sweeps and explorations show, and what they are steered by.
#pragma once

#include <string>
#include <vector>

#include "results/metrics.hpp"

namespace dynasoc {

class MetricColumn {
 public:
  /// Looks the name up. Throws InputError for one that `metric_names` does not list (with the nearest).
  MetricColumn(const Setup& setup, const std::string& name);

  const std::string& name() const { return name_; }
  const Metric& metric() const { return *metric_; }

  /// Of one replication of the set-up; NaN where it is undefined.
  double value(const Metrics& metrics) const;

 private:
  std::string name_;
  const Metric* metric_;
  int application_;  // -1: of the run, or the mean over applications
};

/// Every metric that a replication has a value of, with names of applications filled in, in the table's order.
std::vector<std::string> metric_names(const Setup& setup);

/// Splits `a,b,c`. Throws InputError, naming `option`, for an empty or repeated entry.
std::vector<std::string> split_names(const std::string& list, const std::string& option);

}  // namespace dynasoc
