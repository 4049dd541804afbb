// Competing managers on common random numbers: the same arrivals and the same noise for each, replication by
// replication, so that their differences are paired.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "results/metric_column.hpp"
#include "results/statistics.hpp"
#include "scenario/scenario.hpp"
#include "world/run.hpp"

namespace dynasoc {

/// What takes part: a policy, or governors without one.
struct Contender {
  std::string label;  ///< as asked for; unique in a comparison
  manager::Choice<manager::Policy> policy;
  std::vector<manager::Choice<manager::Governor>> governors;  ///< by domain
};

/// Reads one entry of `--policies`: the name of a policy, `name(parameter=value,…)`, a file (`trained.json`) that holds
/// what a scenario's `policy` would say, or the name of a governor, which means no manager: every clock that the
/// governor is made for runs under it, the others under the stock governor of a Jetson (schedutil for CPUs,
/// nvhost_podgov for GPUs). `policy+governor` runs a policy whose remaining clocks are that governor's. Without a
/// governor, clocks have the scenario's. Throws InputError.
Contender contender_of(const Scenario& scenario, const std::string& text);

/// The changes of a scenario that make its runs this contender's.
Overrides overrides_of(const Scenario& scenario, const Contender& contender);

/// Splits `a,b(x=1,y=2),c` at the commas outside of parentheses. Throws InputError for an empty or a repeated entry.
std::vector<Contender> contenders_of(const Scenario& scenario, const std::string& list);

struct ComparisonRequest {
  std::vector<Contender> contenders;
  std::size_t baseline = 0;
  int replications = 30;
  int jobs = 1;
  EngineKind engine = EngineKind::native;
  /// Metric whose difference to the baseline may end the comparison as soon as it is decided for every contender;
  /// empty = all replications.
  std::string decide_on;
  /// Split regret against the contender called `oracle`, where there is one.
  bool anatomy = true;
  std::function<void(double)> progress;
};

/// Where a contender's regret comes from: regret less that of the same manager with one imperfection removed, by
/// replication. What the parts leave is the rule itself; they need not add up, for imperfections interact.
struct Anatomy {
  std::vector<double> misprediction;
  std::vector<double> switching;
  std::vector<double> granularity;
};

struct ContenderResult {
  Contender contender;
  std::vector<Metrics> metrics;                    ///< by replication
  std::vector<manager::Certificate> certificates;  ///< by replication; of a clairvoyant policy, else empty ones
  std::vector<double> regret;                      ///< cost less the oracle's; empty where no oracle took part
  Anatomy anatomy;
};

struct Comparison {
  std::vector<ContenderResult> results;
  std::size_t baseline = 0;
  int replications = 0;  ///< made; fewer than asked for if stopped early
  bool stopped_early = false;
  std::string decide_on;  ///< as asked for
  std::uint64_t seed = 0;
  std::string engine = "native";
};

/// Runs every contender. Throws as `simulate` does.
Comparison compare(const Scenario& scenario, const ComparisonRequest& request);

/// A metric (a name as of MetricColumn) by replication. Throws InputError for an unknown name.
std::vector<double> values_of(const Setup& setup, const ContenderResult& result, const std::string& metric);

/// The JSON of `compare --json`: {"baseline", "policies": {NAME: {metric: {"mean", "ci95", "delta_vs_baseline":
/// {…}}}}}.
Json comparison_json(const Scenario& scenario, const Comparison& comparison);

/// The same for a page `columns` wide (0: unlimited), `metrics` in columns, in several blocks where they do not fit;
/// every difference with its interval and a mark where it is decided.
std::string comparison_text(const Scenario& scenario, const Comparison& comparison,
                            const std::vector<std::string>& metrics, int columns, bool colour);

/// Values by contender, replication and metric, one a row: policy,replication,metric,value.
std::string comparison_csv(const Scenario& scenario, const Comparison& comparison);

}  // namespace dynasoc
