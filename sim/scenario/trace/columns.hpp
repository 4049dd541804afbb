// Names of a timeline's columns.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace dynasoc::trace {

/// How far outside 0 to 1 a share may be: the sums behind it are rounded.
inline constexpr double kShareSlack = 1e-6;

/// The core's number of `cpu3` + `suffix`; nothing for other names (`cpu_utilisation` is a unit's).
inline std::optional<int> core_of_column(std::string_view name, std::string_view suffix) {
  if (!name.starts_with("cpu") || !name.ends_with(suffix) || name.size() <= 3 + suffix.size()) return {};
  const std::string_view digits = name.substr(3, name.size() - 3 - suffix.size());
  int core = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), core);
  if (code != std::errc{} || end != digits.data() + digits.size() || core < 0) return {};
  return core;
}
inline bool is_core_column(std::string_view name, std::string_view suffix) {
  return core_of_column(name, suffix).has_value();
}

}  // namespace dynasoc::trace
