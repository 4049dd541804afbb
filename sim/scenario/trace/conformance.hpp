// Governor conformance: a recorded timeline replayed through one of our governors, and how far their clocks agree.
//
// The replay is open loop. The governor sees the recorded load, and the recorded clock as the present one; what it
// chooses changes neither. A row's utilisation was measured at the clock of that row, which is right as long as both
// agree; where they do not, a higher clock of ours would have shown a lower utilisation. Within a row the load is taken
// to be even and the clock that of its beginning: governors that sample faster than the recording see no more detail
// than it has.
#pragma once

#include <array>
#include <limits>
#include <string>
#include <vector>

#include "manager/governor.hpp"
#include "scenario/trace/recording.hpp"

namespace dynasoc::trace {

struct ConformanceLimits {
  int lowest = 0, highest = 0;  ///< OPPs
};

struct Conformance {
  struct Row {
    Time t = 0;
    double load = 0;
    int recorded = 0, ours = 0;  ///< OPPs
    bool after_gap = false;      ///< what happened since the row before is not known
  };
  /// Rows in a sequence that disagree.
  struct Interval {
    Time from = 0, to = 0;
    double recorded_mhz = 0, ours_mhz = 0, load = 0;  ///< means
    double weight = 0;                                ///< OPPs x seconds
  };
  /// How much later ours moves [s]; negative: earlier. Each recorded change with one of ours in the same direction, the
  /// nearest pairs first.
  struct Reaction {
    std::size_t matched = 0, unmatched = 0;
    std::size_t ours_alone = 0;  ///< our changes that answer none of theirs
    double mean_s = std::numeric_limits<double>::quiet_NaN();
  };
  std::vector<Row> rows;
  double same = 0, within_one = 0;                          ///< shares of rows
  double mean_opps = 0, mean_mhz = 0;                       ///< mean |difference|
  std::array<std::array<std::uint64_t, 3>, 3> direction{};  ///< [recorded][ours]: down, level, up
  Reaction up, down;
  std::vector<Interval> worst;  ///< at most five
  std::uint64_t outside_limits = 0, gaps = 0;

  Json to_json(const std::vector<double>& opps_mhz) const;
  std::string text() const;
  /// `t_s,utilisation,recorded_mhz,ours_mhz,difference_opps`
  std::string csv(const std::vector<double>& opps_mhz) const;
};

/// `settle`: from a decision until the clock is in effect; a change shows in the first row after it.
Conformance replay(const Recording& recording, manager::Governor& governor, const std::vector<double>& opps_mhz,
                   const ConformanceLimits& limits, int cpus, Time settle);

}  // namespace dynasoc::trace
