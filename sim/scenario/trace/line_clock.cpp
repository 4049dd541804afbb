#include "scenario/trace/line_clock.hpp"

#include <algorithm>
#include <cstdlib>

namespace dynasoc::trace {

namespace {
constexpr std::int64_t kGap = 10;                     // seconds without a line that are worth a word
constexpr std::int64_t kMostSeconds = 8'000'000'000;  // seconds that a log may span: more do not fit the clock
}  // namespace

void LineClock::line(std::int64_t second, const std::vector<double>& values, const Location& where,
                     std::string_view text) {
  if (second == kUndated && !dated_) {  // no dates so far
    if (rows_ == 0 && !asked_) report_.note("no dates: lines are taken to be 1000 ms apart (--interval-ms)");
    emit(next_, values);
    next_ += interval_;
    return;
  }
  if (!dated_) {
    dated_ = true;
    first_ = second_ = second - next_ / 1'000'000'000;
    if (!asked_)
      report_.note("dates have whole seconds: lines of one second are spread evenly over it (--interval-ms)");
  }
  if (second != kUndated) {
    second += shift_;
    if (std::abs(second - first_) > kMostSeconds) {
      report_.remark("an impossible date: placed behind the line before", where, text);
      second = second_;
    } else if (second < second_) {
      report_.remark("time goes backwards: the line is placed one second after the one before", where, text);
      shift_ += second_ + 1 - second;
      second = second_ + 1;
    } else if (second - second_ > kGap && rows_ + group_size_ > 0) {
      report_.remark("more than " + std::to_string(kGap) + " s without a line", where, text);
    }
  } else {
    second = second_;
  }
  if (asked_) {
    second_ = second;
    const Time dated = (second - first_) * 1'000'000'000;
    if (std::abs(dated - next_) > std::max<Time>(1'500'000'000, 2 * interval_)) next_ = std::max(dated, last_ + 1);
    emit(next_, values);
    next_ += interval_;
    return;
  }
  if (second != second_) {
    flush_group(false);
    second_ = second;
  }
  constexpr std::size_t kMostLines = 100'000;  // lines in a second: a clock that stands still must not fill the memory
  if (group_size_ == kMostLines) flush_group(false);
  if (group_size_ == group_.size()) group_.emplace_back();
  group_[group_size_++] = values;
}

void LineClock::flush_group(bool last) {
  if (group_size_ == 0) return;
  // The first second began before the log: its lines are placed at its end, once a neighbour tells their distance.
  if (previous_size_ == 0 && held_.empty() && !last) {
    held_.assign(group_.begin(), group_.begin() + static_cast<std::ptrdiff_t>(group_size_));
    held_second_ = second_;
    group_size_ = 0;
    return;
  }
  if (!held_.empty()) {
    spread(held_second_, held_, held_.size(), std::max(held_.size(), group_size_), true);
    previous_size_ = held_.size();
    held_.clear();
  }
  spread(second_, group_, group_size_, last ? std::max(group_size_, previous_size_) : group_size_, false);
  previous_size_ = group_size_;
  group_size_ = 0;
}

// `count` lines of a second that would hold `whole`, at its beginning or its end.
void LineClock::spread(std::int64_t second, const std::vector<std::vector<double>>& lines, std::size_t count,
                       std::size_t whole, bool at_end) {
  const Time begin = (second - first_) * 1'000'000'000;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t place = at_end ? whole - count + i : i;
    emit(std::max(last_ + 1, begin + static_cast<Time>(1'000'000'000 * place / whole)), lines[i]);
  }
}

void LineClock::emit(Time t, const std::vector<double>& values) {
  if (rows_++ == 0) origin_ = t;
  last_ = t;
  sink_.row(t - origin_, values);
}

void LineClock::finish() { flush_group(true); }

}  // namespace dynasoc::trace
