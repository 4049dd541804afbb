#pragma once

#include <time.h>

#include "clock.hpp"

namespace dynasoc::agent {

constexpr double kSettleMs = 50;  ///< in which a knob must show what was written

/// Asks until `shows` holds, for `most_ms`: the time that took [ms], or a negative number.
template <class Shows>
double settle(const Shows& shows, double most_ms = kSettleMs) {
  const std::int64_t start = now_ns();
  for (;;) {
    const bool so = shows();
    const double passed_ms = static_cast<double>(now_ns() - start) / kNsPerMs;
    if (so) return passed_ms;
    if (passed_ms >= most_ms) return -1;
    const timespec pause{0, 100000};
    ::nanosleep(&pause, nullptr);
  }
}

}  // namespace dynasoc::agent
