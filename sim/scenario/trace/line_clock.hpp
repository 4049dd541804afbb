// Times of lines that say little of it: whole seconds, or nothing.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "scenario/trace/report.hpp"
#include "scenario/trace/timeline.hpp"

namespace dynasoc::trace {

/// Gives each line a time from 0 and hands it on. Lines of the same second are spread evenly over it; those of the
/// first and the last second, which are rarely whole, keep the distance of their neighbours. With an interval given, or
/// no dates, lines are that interval apart, and dates only tell of gaps.
class LineClock {
 public:
  static constexpr std::int64_t kUndated = std::numeric_limits<std::int64_t>::min();

  /// `interval_ms` 0: from the dates. `report` and `sink` must outlive it.
  LineClock(double interval_ms, ImportReport& report, TimelineSink& sink)
      : asked_(interval_ms > 0),
        interval_(from_ms(interval_ms > 0 ? interval_ms : 1000)),
        report_(report),
        sink_(sink) {}

  /// A line of the second `second` (since 1970) or `kUndated`.
  void line(std::int64_t second, const std::vector<double>& values, const Location& where, std::string_view text);
  void finish();
  std::uint64_t rows() const { return rows_; }

 private:
  void emit(Time t, const std::vector<double>& values);
  void flush_group(bool last);
  void spread(std::int64_t second, const std::vector<std::vector<double>>& lines, std::size_t count, std::size_t whole,
              bool at_end);

  bool asked_;
  Time interval_;
  ImportReport& report_;
  TimelineSink& sink_;
  bool dated_ = false;
  std::int64_t first_ = 0;   // second that is time 0
  std::int64_t second_ = 0;  // of the group
  std::int64_t shift_ = 0;   // added to seconds after the clock was set back
  std::vector<std::vector<double>> group_;
  std::size_t group_size_ = 0;             // rows of `group_` in use
  std::size_t previous_size_ = 0;          // lines of the second before
  std::vector<std::vector<double>> held_;  // lines of the first second
  std::int64_t held_second_ = 0;
  Time next_ = 0;  // with an interval
  Time last_ = -1;
  Time origin_ = 0;
  std::uint64_t rows_ = 0;
};

}  // namespace dynasoc::trace
