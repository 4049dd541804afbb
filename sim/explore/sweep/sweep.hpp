// A sweep: every combination of its axes' values is a point, and every point a scenario that is run. The results are
// one tidy table, a row for each point and replication; what is finished is never run again, whoever is killed when.
//
// A sweep's directory holds
//   sweep.json     what is swept, by which program, from which inputs (its fingerprint tells one sweep from another)
//   points/        finished points (points.hpp), the only thing that grows while it runs
//   points.old/    finished points of the sweep before it was changed: used where they fit; may be deleted
//
//   inputs.tsv     every file that a finished point has read, with its hash: a change makes another sweep
//
//   results.csv    the table, once all points are there
//
//   lock           held by whoever works on it
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "explore/sweep/axes.hpp"
#include "explore/sweep/points.hpp"
#include "results/metric_column.hpp"
#include "scenario/scenario.hpp"

namespace dynasoc::explore {

/// What is swept. Immutable once loaded, but for caches behind a lock: any number of threads run points of one.
class Sweep {
 public:
  /// Reads a sweep file, or a sweep's own sweep.json (inputs are then looked for where they were). Each value of each
  /// axis is tried, the others at their first, so that a wrong one is refused before anything runs. `metrics` replaces
  /// the file's, unless it is empty. Throws InputError.
  static std::shared_ptr<const Sweep> load(const std::filesystem::path& path, const Overrides& overrides,
                                           const std::vector<std::string>& metrics);

  const std::string& name() const { return name_; }
  const std::string& title() const { return title_; }
  const std::vector<Axis>& axes() const { return axes_; }
  const std::vector<std::string>& metrics() const { return metrics_; }
  std::uint64_t size() const { return grid_.size(); }
  const std::vector<std::filesystem::path>& inputs() const { return inputs_; }
  const std::vector<std::string>& warnings() const { return warnings_; }

  /// Values of the axes at a point, as text, in their order.
  std::vector<std::string> labels(std::uint64_t point) const;

  /// The scenario of a point. Throws InputError, which then names the values of the axes.
  Scenario scenario(std::uint64_t point) const;

  /// Files that scenarios of this sweep have read so far, and the hash of what was in them when they were first met.
  std::vector<std::pair<std::filesystem::path, std::string>> inputs_met() const;

  /// Identifies a point's outcome: a hash of its scenario, the content of its inputs, the metrics and the program.
  std::string key(const Scenario& scenario) const;

  /// Runs a point: `values` as of PointRecord.
  std::string run(const Scenario& scenario, const std::function<void()>& alive) const;

  /// What sweep.json holds, in a directory.
  Json manifest(const std::filesystem::path& directory) const;
  const std::string& fingerprint() const { return fingerprint_; }

 private:
  std::string name_, title_;
  std::shared_ptr<Document> document_;
  std::filesystem::path folder_;
  std::vector<Axis> axes_;
  Grid grid_;
  std::vector<std::string> metrics_;
  std::vector<std::filesystem::path> inputs_;
  std::vector<std::string> warnings_;
  std::vector<std::string> applications_;  // that the columns are of
  std::vector<MetricColumn> columns_;
  std::string source_;  // the document with its axes still in it
  std::string fingerprint_;
  std::string same_for_all_;  // what every key begins with

  const std::string& hash_of(const std::filesystem::path& input) const;
  mutable Library library_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::string> hashes_;  // of inputs, by path
};

/// A part of a sweep's points: [begin, end).
struct PointRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// The i-th of n parts of about equal size, i from 1.
PointRange shard(std::uint64_t points, std::uint64_t i, std::uint64_t n);

struct SweepProgress {
  std::uint64_t done = 0;    ///< points that are there
  std::uint64_t total = 0;   ///< that are wanted
  std::uint64_t found = 0;   ///< of those done, that were there before
  std::uint64_t reused = 0;  ///< of those done, taken from an older form of this sweep
};

/// What a directory lacks of a sweep.
struct SweepGaps {
  std::uint64_t missing = 0;
  std::vector<PointRange> ranges;  ///< in order, at most as many as asked for
};

/// Makes a directory ready for others to run its points: describes the sweep in it, takes what an older form of it has
/// finished, and tells what is missing. Throws as `run_sweep`.
SweepGaps prepare_sweep(const Sweep& sweep, const std::filesystem::path& directory, PointRange range, bool force,
                        std::size_t most_ranges, const std::function<void(const SweepProgress&)>& progress);

/// Brings a directory up to date: runs the points of `range` that it does not hold. `progress` may throw to end it;
/// what is finished stays. Throws InputError for a directory that holds something else, is damaged, or is in use.
SweepProgress run_sweep(const Sweep& sweep, const std::filesystem::path& directory, PointRange range, int jobs,
                        bool force, const std::function<void(const SweepProgress&)>& progress);

/// Means of each metric over all points that share a value of an axis.
struct Marginal {
  std::string value;
  std::vector<double> mean;  ///< by metric; NaN where it is undefined everywhere
};
struct SweepTable {
  std::uint64_t points = 0, rows = 0;
  std::vector<std::vector<Marginal>> marginals;  ///< by axis; empty for an axis of more than 100 values
  PointRange missing;                            ///< the first gap; empty if there is none
  std::uint64_t missing_points = 0;
};

/// Writes results.csv from the finished points, whole or not at all: only if all points of `range` are there. Also
/// folds the files of points into one. Constant memory.
SweepTable write_table(const Sweep& sweep, const std::filesystem::path& directory, PointRange range);

/// Collects the points of several directories of one sweep (shards, or a distributed engine's workers) in `into`, and
/// writes its table if all points are there. Throws InputError where they are not of one sweep.
SweepTable merge_sweeps(const std::vector<std::filesystem::path>& directories, const std::filesystem::path& into,
                        bool force);

}  // namespace dynasoc::explore
