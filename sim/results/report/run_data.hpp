// One replication as a report sees it, wherever it comes from: read back from a run's files, or just simulated.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "results/report/columns.hpp"
#include "results/report/decimation.hpp"
#include "world/record.hpp"
#include "world/setup.hpp"

namespace dynasoc::report {

/// How much of a run may go into the page.
struct Budget {
  std::size_t jobs = 30'000;        ///< of all applications
  std::size_t spans = 24'000;       ///< of all units
  std::size_t points = 120'000;     ///< of all series
  std::size_t decisions = 8'000;    ///< knobs written
  std::size_t candidates = 30'000;  ///< that decisions looked at
};
/// What each of so many runs may have, in a page with the `shrink`-th part of the usual.
Budget budget_of(std::size_t runs, std::size_t shrink = 1);

/// Frames, by column; a row each, in the order of the log. Times [s]; NaN where they do not apply.
struct JobColumns {
  std::vector<std::uint16_t> app, subnet;
  std::vector<std::uint8_t> unit;
  std::vector<Outcome> outcome;
  std::vector<double> arrival_s, start_s, end_s;
  std::vector<float> latency_ms, accuracy, energy_mj;
  std::size_t size() const { return arrival_s.size(); }
};

/// A knob written.
struct Write {
  double at_s = 0;
  std::uint32_t decision = 0;
  std::string policy, trigger, target, knob, from, to, reason, binding;
  double margin = std::numeric_limits<double>::quiet_NaN();
  double slack = std::numeric_limits<double>::quiet_NaN();
};

/// A choice that a decision looked at; names may be empty, numbers NaN.
struct Option {
  std::uint32_t decision = 0;
  std::string app, subnet, unit;
  double mhz = 0, latency_ms = 0, accuracy = 0, energy_mj = 0;
  bool feasible = false, chosen = false;
};

struct Series {
  std::string column;  ///< as in timeline.csv
  SeriesDecimator::Points points;
};

struct Target {
  double from_s = 0;
  double latency_ms = 0;  ///< 0 = none
};
struct AppData {
  std::string name, network;
  std::vector<Target> targets;
};

struct RunData {
  std::string label, policy;
  int replication = 0, replications = 1;
  double duration_s = 0, warmup_s = 0;
  std::vector<AppData> apps;
  Names units, subnets;  ///< that the numbers in `jobs` stand for
  JobColumns jobs;
  std::vector<Write> writes;  ///< that are kept, in order
  std::size_t writes_total = 0;
  std::vector<Option> options;  ///< of kept decisions, in order
  std::size_t options_total = 0;
  std::vector<Series> series;
};

/// What a set-up says of a run: duration, applications with their targets, units.
RunData described(const Setup& setup);

/// A run that was simulated with jobs, decisions and a timeline.
RunData run_data(const Setup& setup, const RunRecord& record, const Budget& budget);

/// What a run's summary and manifest say that its files hold, of all replications.
struct Counted {
  std::map<std::string, std::uint64_t, std::less<>> frames;  ///< by application, that arrived after the warm-up
  std::optional<std::uint64_t> writes;                       ///< of the manager, after the warm-up
  std::optional<std::uint64_t> samples;  ///< of the timeline; none known: of a board, which may be lost
  bool known = false;                    ///< false: nothing is held against frames
};

/// Reads one replication of a run's directory (jobs.csv, candidates.csv, timeline.csv in one pass each, decisions.csv
/// in two).
/// `run` says what is known already (`described`, or what the manifest tells); applications that it does not have are
/// added. Throws InputError for files that are missing, damaged or without rows that `counted` tells of. `progress`
/// gets the share done and may throw.
void read_run(const std::filesystem::path& directory, const Budget& budget, RunData& run,
              const std::function<void(double)>& progress, const Counted& counted = {});

/// What decides whether a write is kept.
struct WriteKey {
  double at_s = 0;
  std::uint32_t decision = 0;
  float margin = 0;  ///< 0 and NaN: none
  bool by_board = false, changes = false;
};
/// Which writes to keep, about `most`, as ascending indices: decisions stay whole; those with the least and the largest
/// margin of each stretch of time come first, then the board's, then those that change something.
std::vector<std::uint32_t> keep_writes(const std::vector<WriteKey>& writes, std::size_t most);

/// Keeps the candidates of every n-th decision, so that not many more than `most` of `count` are left.
class OptionFilter {
 public:
  OptionFilter(std::size_t count, std::size_t most) : every_((count + most) / (most + 1)) {}
  /// For decisions in ascending order, any number of times each.
  bool keeps(std::uint32_t decision) {
    if (!any_ || decision != last_) ++met_;
    any_ = true;
    last_ = decision;
    return (met_ - 1) % (every_ > 0 ? every_ : 1) == 0;
  }

 private:
  std::size_t every_, met_ = 0;
  std::uint32_t last_ = 0;
  bool any_ = false;
};

/// As the page gets it.
Json run_json(const RunData& run, const Budget& budget);

}  // namespace dynasoc::report
