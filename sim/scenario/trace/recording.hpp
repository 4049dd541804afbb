// One clock of a recorded timeline, with the load of the cores on it: what a governor would have seen.
#pragma once

#include <string>
#include <vector>

#include "device/platform.hpp"
#include "scenario/trace/timeline.hpp"

namespace dynasoc::trace {

struct RecordingColumns {
  std::vector<std::string> utilisation;  ///< one a core
  std::vector<std::string> mhz;          ///< tried in order for each row: cores that are offline have no clock
};

/// The columns of a timeline that tell of a domain: those of its cores (`cpu2_utilisation`), of a unit on it, of the
/// domain by its name, or of its kind (`gpu_mhz`, `emc_mhz`). Empty where there are none.
RecordingColumns columns_of_domain(const Timeline& timeline, const Platform& platform, int domain);

class Recording {
 public:
  /// Rows before the first clock and load are left out. Where no clock or load was reported the last one holds; only
  /// a core without a load is off. Throws InputError where a column is missing, a load is no share or fewer than two
  /// rows are left.
  Recording(const Timeline& timeline, const RecordingColumns& columns, const std::vector<double>& opps_mhz);

  std::size_t rows() const { return times_.size(); }
  std::size_t cores() const { return load_.size(); }
  /// End of row k's window; the first window is as long as the second, unless that is a gap.
  Time time(std::size_t k) const { return times_[k]; }
  Time begin() const { return begin_; }
  Time window_begin(std::size_t k) const { return k == 0 ? begin_ : times_[k - 1]; }
  /// Of a core within row k's window; 0 where it was offline.
  double load(std::size_t core, std::size_t k) const { return load_[core][k]; }
  /// Of the busiest core.
  double load(std::size_t k) const;
  /// The OPP nearest to the clock recorded in row k; that of the row before where none was.
  int opp(std::size_t k) const { return opp_[k]; }
  /// The same in effect at a time: that of the last row not after it.
  int opp_at(Time t) const;
  /// Row whose window holds the time just after t; rows() behind the end.
  std::size_t row_after(Time t) const;
  /// Mean load of a core, and mean of clock x load [MHz], from one time to another.
  struct Busy {
    double share = 0, mhz = 0;
  };
  Busy busy(std::size_t core, Time from, Time to) const;

  std::uint64_t off_opps() const { return off_opps_; }      ///< rows whose clock is more than 1 MHz from any OPP
  std::uint64_t held_loads() const { return held_loads_; }  ///< rows with a load of a row before
  /// Whether row k comes much later (3 typical distances) than the row before: the recorder was off.
  bool after_gap(std::size_t k) const;
  double typical_gap_s() const;  ///< median distance of rows

 private:
  std::vector<Time> times_;
  Time begin_ = 0;
  std::vector<std::vector<double>> load_;
  std::vector<int> opp_;
  std::vector<double> opps_mhz_;
  std::uint64_t off_opps_ = 0, held_loads_ = 0;
  Time typical_gap_ = 0;
};

}  // namespace dynasoc::trace
