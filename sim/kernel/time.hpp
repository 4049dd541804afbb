// The simulated clock: a signed 64-bit count of nanoseconds since the start of the run (292 years).
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace dynasoc {

using Time = std::int64_t;  ///< [ns]

inline constexpr Time kNever = std::numeric_limits<Time>::max();

constexpr Time operator""_ns(unsigned long long n) { return static_cast<Time>(n); }
constexpr Time operator""_us(unsigned long long n) { return static_cast<Time>(n) * 1'000; }
constexpr Time operator""_ms(unsigned long long n) { return static_cast<Time>(n) * 1'000'000; }
constexpr Time operator""_s(unsigned long long n) { return static_cast<Time>(n) * 1'000'000'000; }

/// Nearest nanosecond; anything beyond the clock's range is `kNever`.
inline Time from_ns(double ns) { return ns < 9.2e18 ? static_cast<Time>(ns < 0 ? ns - 0.5 : ns + 0.5) : kNever; }
inline Time from_s(double s) { return from_ns(s * 1e9); }
inline Time from_ms(double ms) { return from_ns(ms * 1e6); }
inline Time from_us(double us) { return from_ns(us * 1e3); }
constexpr double to_s(Time t) { return static_cast<double>(t) * 1e-9; }
constexpr double to_ms(Time t) { return static_cast<double>(t) * 1e-6; }

}  // namespace dynasoc
