// What a run is judged by: one table of metrics, with name, unit, direction, meaning and source, and their values for
// one replication. `dynasoc list metrics`, comparisons and docs/metrics.md all read this table.
//
// UNDEFINED IS NaN (null in JSON), never 0: the mean latency of no frame, the deadline misses of an application without
// deadlines, what needs the job log (Recording::jobs) where none was kept.
//
// FRAMES are those that arrived after the warm-up. `Decided` frames are completed, dropped or rejected; a frame is `in
// time` if it was completed by its deadline, or completed and has none; the others of the decided ones are `missed`.
// Frames unfinished at the end are in `jobs` alone.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/document.hpp"
#include "world/record.hpp"
#include "world/setup.hpp"

namespace dynasoc {

enum class Better : std::uint8_t { lower, higher, neither };
std::string_view name_of(Better better);

struct ApplicationSight;  // of one application's frames; metrics.cpp
struct RunSight;

/// A row of the table. At most one of the two functions is given; neither for what stands in `run --json` by unit or by
/// sub-network.
struct Metric {
  std::string_view name;  ///< path in JSON; APP, UNIT and LEVEL stand for names
  std::string_view unit;  ///< empty: a number or a share
  Better better = Better::neither;
  std::string_view doc;
  std::string_view source;  ///< who defined it; empty: plain counts and means
  bool in_run = false;      ///< whether `run --json` gives it too, at this path
  double (*of_application)(const ApplicationSight&) = nullptr;
  double (*of_run)(const RunSight&) = nullptr;
};

/// All metrics, in the order in which they are shown.
std::span<const Metric> metric_table();

/// The row with this name; null if there is none.
const Metric* find_metric(std::string_view name);

/// One replication's values, by row of `metric_table()`; NaN in rows that are not of an application or of the run.
struct Metrics {
  std::vector<double> run;
  std::vector<std::vector<double>> applications;  ///< [application of the set-up][row]

  /// NaN for a name that the table does not have.
  double of_run(std::string_view name) const;
  double of_application(std::size_t application, std::string_view name) const;
};

/// The metrics of one replication. `record` must be of a run of `setup`.
Metrics measure(const Setup& setup, const RunRecord& record);

/// The same for several replications; what depends on the set-up alone is computed once.
std::vector<Metrics> measure(const Setup& setup, const std::vector<RunRecord>& records);

/// A clairvoyant's certificate held against what its run cost: a plan that came out otherwise (a throttled clock, a
/// neighbour that its model does not have) is not called exact.
manager::Certificate confirmed(const manager::Certificate& certificate, const Metrics& metrics);

/// As JSON, nested by the paths of the names: {"apps": {NAME: …}, "platform": …, "run": …}.
Json metrics_json(const Setup& setup, const Metrics& metrics);

/// Parameters of XRBench's scores.
struct XrBench {
  double k_per_ms = 15;         ///< steepness of the real-time score at the deadline
  double energy_max_mj = 1500;  ///< at which the energy score is 0
};

/// The energy above idle [mJ] of the costliest frame of an application: over units, sub-networks and clocks of its
/// unit, the other clocks at their highest and all cores of the power mode on. NaN without power figures.
double worst_energy_mj(const Setup& setup, std::size_t application);

/// What the board draws with every unit busy at its highest clock [W].
double worst_power_w(const Setup& setup);

// -- Trade-offs -------------------------------------------------------------------------------------------------------

/// A run as a point of which less is better in every direction: energy, misses, 1 - accuracy.
using TradeOff = std::array<double, 3>;

/// {mean power over `worst_power_w`, miss rate, 1 - accuracy / 100}, the accuracy being that of completed frames, mean
/// over all applications' frames. Each is 0 at best and 1 at worst, so that (1, 1, 1) is a reference that is the same
/// for all policies and seeds of a scenario. NaN where one is undefined.
TradeOff trade_off(const Setup& setup, const Metrics& metrics);
inline constexpr TradeOff kReference = {1, 1, 1};

/// The volume between points and reference that at least one of the points dominates, exactly (Zitzler, Thiele:
/// Multiobjective optimization using evolutionary algorithms, PPSN V, 1998). Points beyond the reference in any
/// direction, and undefined ones, add nothing. O(n^2).
double hypervolume(std::span<const TradeOff> points, const TradeOff& reference = kReference);

/// What each point adds that no other does: the volume, less that without it. 0 for dominated points and for
/// duplicates. O(n^3).
std::vector<double> exclusive_contributions(std::span<const TradeOff> points, const TradeOff& reference = kReference);

}  // namespace dynasoc
