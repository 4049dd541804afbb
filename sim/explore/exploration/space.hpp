// The space of an exploration: points of a box, the configurations that they stand for, and the scenarios these are.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "explore/build_identity.hpp"
#include "explore/exploration/file.hpp"
#include "results/metric_column.hpp"
#include "scenario/scenario.hpp"

namespace dynasoc::explore {

/// What every variable is set to; nothing for those that do not matter here (`when`). Two points of the box that differ
/// only in variables that do not matter are one configuration.
struct Configuration {
  std::vector<std::optional<Json>> values;  ///< by variable
};

/// A metric that is asked of every configuration, as wanted: `sign` is -1 where more is better.
struct Wish {
  MetricColumn column;
  double sign = 1;
};

class Space {
 public:
  /// Loads the scenario and checks that every value of every variable is accepted by it, in at least one combination
  /// with others; looks the metrics up. `folder` is the exploration file's. Throws InputError that names variable and
  /// value.
  Space(ExplorationFile file, const std::filesystem::path& folder);

  const ExplorationFile& file() const { return file_; }
  const Scenario& base() const { return base_; }
  std::size_t variables() const { return file_.variables.size(); }
  const std::string& name(std::size_t variable) const { return file_.variables[variable].first; }

  /// One continuous coordinate for a real, one whole-numbered for a choice or an integer, one 0/1 coordinate for each
  /// value of a subset; continuous ones first.
  const Box& box() const { return box_; }
  /// Coordinates of the box that belong to a variable.
  const std::vector<std::size_t>& coordinates(std::size_t variable) const { return coordinates_[variable]; }

  /// The configuration at a point of the box; subsets are repaired to their bounds.
  Configuration at(const std::vector<double>& x) const;

  /// {variable: value} of those that matter, in the file's order, and its way back. Throws InputError for a variable
  /// that the file does not have.
  Json assignments(const Configuration& configuration) const;
  Configuration from_assignments(const Value& assignments) const;

  /// Members of the scenario and what they become, in the order in which they are set: as `--set` would.
  std::vector<std::pair<std::string, Json>> settings(const Configuration& configuration) const;

  /// The scenario with this configuration in it. Throws InputError where the combination is refused. Thread-safe.
  Scenario scenario(const Configuration& configuration) const;

  /// Identifies the numbers that a configuration gives: content hash of the resolved scenario, of the files it reads,
  /// of the metrics asked for, of engine and build. What is for people only is left out. Thread-safe.
  std::string key(const Scenario& scenario) const;
  /// The same of everything that does not depend on the configuration.
  std::string base_key() const { return key(base_); }
  const std::string& build() const { return build_; }  ///< of this program; part of every key
  /// A file that scenarios read and that is no longer what it was when it was first met, if there is one.
  std::optional<std::filesystem::path> changed_input() const;

  /// Objectives first, then constraints, then further metrics.
  const std::vector<Wish>& metrics() const { return metrics_; }
  std::size_t objectives() const { return file_.objectives.size(); }
  /// All metrics of a replication, by `metrics()`, unsigned; NaN where undefined. Thread-safe.
  std::vector<double> evaluate(const Setup& setup, std::uint64_t replication) const;

  /// How many configurations there are; infinity where a real varies. What `when` makes equal is counted
  /// once.
  double size() const;

  /// A value as people write it; empty where the variable does not matter.
  std::string told(std::size_t variable, const std::optional<Json>& value) const;

 private:
  void look_up_metrics();
  void check_values();
  std::optional<InputError> check_value(std::size_t variable, const Json& value, const Where& where,
                                        const std::vector<double>& first) const;
  std::vector<Json> raw_at(const std::vector<double>& x) const;
  void make_used(std::vector<Json>& raw, std::size_t variable) const;
  Configuration activated(const std::vector<Json>& raw) const;
  double size_from(std::size_t variable, std::vector<std::optional<Json>> chosen) const;
  std::string hash_of(const std::filesystem::path& path) const;

  ExplorationFile file_;
  Scenario base_;
  Box box_;
  std::vector<std::vector<std::size_t>> coordinates_;
  std::vector<Wish> metrics_;
  std::string build_ = build_identity();
  mutable Library library_;
  mutable std::mutex mutex_;
  mutable std::map<std::filesystem::path, std::string> hashes_;
};

}  // namespace dynasoc::explore
