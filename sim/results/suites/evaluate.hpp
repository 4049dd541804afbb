// Running suites and judging what came out.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "results/statistics.hpp"
#include "results/suites/baseline.hpp"
#include "results/suites/explain.hpp"
#include "results/suites/suite.hpp"

namespace dynasoc::suite {

enum class State : std::uint8_t {
  holds,        ///< as expected
  improved,     ///< holds, and is better than the baseline beyond chance
  moved,        ///< holds, and is no longer the stored value: within what is allowed, or within chance
  fails,        ///< not as expected
  no_baseline,  ///< cannot be judged: nothing is stored; fails
  accepted      ///< one of the two, and what came out is what is expected from now on (update.hpp)
};

/// What became of one expectation. Numbers are NaN where undefined; of a `value` and a `limit`, where any replication
/// is undefined.
struct Finding {
  std::string run;
  std::string kind;
  std::string label;  ///< the kind, and who it is compared with: stays the same from run to run
  std::string metric, unit;
  std::string application;  ///< that the metric is of; empty: of the run, or the mean over applications
  Where where;              ///< of the expectation in the suite
  std::string wanted;       ///< `12.3 ± 1 %`, `at most 0.05`, …
  std::string note;
  double ours = std::numeric_limits<double>::quiet_NaN();
  double reference = std::numeric_limits<double>::quiet_NaN();  ///< the value, limit, stored mean or other's mean
  Estimate difference;                                          ///< ours less the reference: of pairs, where there are
  Estimate relative;                                            ///< the same over the reference
  double p = std::numeric_limits<double>::quiet_NaN();          ///< of the test, alone
  double p_holm = std::numeric_limits<double>::quiet_NaN();     ///< adjusted within its family
  double p_gain = std::numeric_limits<double>::quiet_NaN();     ///< of the test for the better, of a baseline, alone
  std::size_t undefined = 0;                                    ///< replications in which ours is
  State state = State::holds;
  std::string message;  ///< what is wrong, in one line; empty where nothing is
  bool ok() const { return state != State::fails && state != State::no_baseline; }
  /// How much it moved, for finding the largest: relative; beyond everything where it was 0.
  double magnitude() const;
};

/// What a run of a suite gave.
struct Result {
  std::string name;
  std::string heading;  ///< scenario, manager, replications, seed
  std::optional<StoredRun> before;
  StoredRun now;
  std::vector<Finding> findings;  ///< in the suite's order
};

struct Checked {
  Suite suite;
  std::vector<Result> results;
  bool ok() const;
};

/// Only these runs of a suite; empty = all.
struct Wanted {
  Suite suite;
  std::vector<std::string> runs;
  bool has(const Run& run) const;
};

/// Runs everything that the suites ask for, each simulation once however many expectations and suites rest on it, and
/// judges it. The result does not depend on `jobs`. With `updating`, stored runs with another seed or number of
/// replications are taken as absent and not refused. `progress` gets the share done and may throw to end everything.
/// Throws InputError and as `simulate_each` does.
std::vector<Checked> evaluate(const std::vector<Wanted>& suites, int jobs, bool updating,
                              const std::function<void(double)>& progress = {});

/// One-sided p-value against a mean difference of at most `margin`: small where the differences are larger beyond
/// chance. Differences that are all equal are exact: 0 or 1. NaN for fewer than two.
double p_above(const std::vector<double>& differences, double margin);

/// One-sided p-values against `own` being larger (smaller) in the mean than `theirs` by at most a share of theirs and
/// `absolute`. The share is taken pair by pair: a spread that both have is no noise of their ratio. Pairs of which one
/// is undefined are left out.
double p_larger(const std::vector<double>& own, const std::vector<double>& theirs, double share, double absolute);
double p_smaller(const std::vector<double>& own, const std::vector<double>& theirs, double share, double absolute);

}  // namespace dynasoc::suite
