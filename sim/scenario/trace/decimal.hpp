// Numbers in the text of recordings. Times are read without the rounding of floating point: time stamps since 1970 need
// more digits than a double has.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace dynasoc::trace {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// All of `text` as a whole number; nothing where it is none.
inline std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t x = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), x);
  if (code != std::errc{} || end != text.data() + text.size()) return {};
  return x;
}

/// All of `text` as a finite number; nothing where it is none.
inline std::optional<double> number_of(std::string_view text) {
  double x = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), x);
  if (code != std::errc{} || end != text.data() + text.size() || !std::isfinite(x)) return {};
  return x;
}

/// The number times 10^`digits`, further digits cut off: `12.345` with 9 digits is 12'345'000'000. Nothing where the
/// text is no plain decimal number or the result does not fit.
inline std::optional<std::int64_t> decimal(std::string_view text, int digits) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 10 - 10;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::int64_t x = 0;
  bool fraction = false, any = false;
  for (const char c : text) {
    if (c == '.' && !fraction) {
      fraction = true;
      continue;
    }
    if (c < '0' || c > '9') return {};
    any = true;
    if (fraction && digits-- <= 0) continue;
    if (x > kMost) return {};
    x = 10 * x + (c - '0');
  }
  if (!any) return {};
  for (; digits > 0; --digits) {
    if (x > kMost) return {};
    x *= 10;
  }
  return negative ? -x : x;
}

}  // namespace dynasoc::trace
