// A recorded board's load as background load of a scenario.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "device/platform.hpp"
#include "scenario/trace/timeline.hpp"

namespace dynasoc::trace {

struct BackgroundOptions {
  double window_s = 1;      ///< utilisation is averaged over windows of this length
  double tolerance = 0.05;  ///< neighbouring windows that differ by no more become one load
  double period_ms = 20;    ///< of the bursts that make up a utilisation
};

/// Takes a timeline and tells which load its utilisations are: a `background` of a scenario, to be included. Each
/// stretch of nearly constant utilisation u becomes a burst of u x period_ms every period_ms, which occupies the unit
/// for that share of time whatever its clock. A CPU unit has the mean of its online cores. Time in which a unit's load
/// is not known (a gap in the log, no report) is left out of the means; where nothing else is there, no load is
/// written. Its memory grows with the number of stretches alone.
class BackgroundLoad final : public TimelineSink {
 public:
  /// Units are called `cpu` and `gpu`, or, with a platform, as its first unit of that kind is.
  BackgroundLoad(const TimelineColumns& columns, const BackgroundOptions& options, const Platform* platform);

  void row(Time t, const std::vector<double>& values) override;
  void finish();

  /// `{"background": {…}}`. `source` goes into every entry.
  Json scenario(const std::string& source) const;
  std::size_t loads() const { return stretches_.size(); }
  /// A sentence on each unit whose load was not known all the time.
  std::vector<std::string> notes() const;
  double duration_s() const { return to_s(last_ - std::max<Time>(first_, 0)); }

 private:
  struct Stretch {
    std::string unit;
    Time from, to;
    double busy_s, known_s;
    double mean() const { return busy_s / known_s; }
  };
  struct Unit {
    std::string name;
    bool is_cpu;
    Time from = 0, to = 0;  // window under way
    double busy_s = 0, known_s = 0;
    double unknown_s = 0;  // of all the recording
    bool recorded = false;
    Stretch open{};  // last stretch, may still grow
  };
  double utilisation(Unit& unit, const std::vector<double>& values);
  Time after_gap(Time from, Time to);
  void close_window(Unit& unit);
  void close_stretch(Unit& unit);
  void begin_at(Unit& unit, Time t);

  const TimelineColumns& columns_;
  BackgroundOptions options_;
  std::vector<Unit> units_;
  std::vector<Stretch> stretches_;
  std::vector<std::size_t> cpu_columns_;
  std::size_t columns_known_ = 0;
  std::size_t gpu_column_ = 0;
  bool has_gpu_ = false;
  Time first_ = -1, last_ = -1;
  std::vector<Time> gaps_;  // the last distances of rows
  std::size_t next_gap_ = 0;
};

}  // namespace dynasoc::trace
