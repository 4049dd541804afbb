// The line that a terminal shows of work under way: a bar, what is done, how fast, and how long it will take. Plain
// arithmetic and text: the clock and the terminal are the caller's.
#pragma once

#include <string>

namespace dynasoc::cli {

/// What work is counted in, for its rate: `amount` of `unit` in all. No rate is shown where the amount is 0.
struct WorkUnit {
  double amount = 0;
  std::string unit;  ///< plural: `runs`, `simulated s`
};

/// Speed of work, smoothed: weights fall by half with every tenth of the time so far (but 2 s at least), so that a
/// slow start is forgotten and a hiccup is not believed. What was done before the first look (work that is gone on
/// with) counts as given.
class Pace {
 public:
  /// `share` of the work is done at `now_s`, on any clock that does not go back.
  void look(double now_s, double share);
  /// Share a second; 0 before anything is known.
  double share_per_s() const { return weight_ > 0 ? speed_ / weight_ : 0; }
  /// NaN before anything is known.
  double remaining_s() const;

 private:
  double begin_s_ = -1, last_s_ = 0, share_ = 0;
  double speed_ = 0, weight_ = 0;
};

/// `8 s`, `3 min 20 s`, `2 h 05 min`.
std::string duration_text(double seconds);

/// `950 `, `1.2 k`, `3.4 M`: a number with the prefix of its unit.
std::string prefixed_text(double x);

/// At most `columns - 1` wide, so that no terminal wraps it. Narrow terminals lose first the rate, then the note, then
/// the time that remains, then the bar; nothing is left below 6 columns.
std::string progress_line(double share, const Pace& pace, const WorkUnit& work, const std::string& note, int columns);

}  // namespace dynasoc::cli
