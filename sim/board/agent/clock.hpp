#pragma once

#include <time.h>

#include <cstdint>

namespace dynasoc::agent {

constexpr std::int64_t kNsPerMs = 1000000;

/// Of a clock of the system, ns; 0 where it cannot be read (a process that has ended).
inline std::int64_t clock_ns(clockid_t clock) {
  timespec t{};
  if (clock_gettime(clock, &t) != 0) return 0;
  return static_cast<std::int64_t>(t.tv_sec) * 1000000000 + t.tv_nsec;
}

inline std::int64_t now_ns() { return clock_ns(CLOCK_MONOTONIC); }

}  // namespace dynasoc::agent
