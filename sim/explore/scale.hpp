// How the numbers between two bounds are spaced.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "common/fields.hpp"

namespace dynasoc::explore {

enum class Scale : std::uint8_t {
  linear,  ///< equal steps
  log,     ///< equal ratios
};

}  // namespace dynasoc::explore

template <>
struct dynasoc::EnumNames<dynasoc::explore::Scale> {
  using S = dynasoc::explore::Scale;
  static constexpr std::array<std::pair<std::string_view, S>, 2> names{{{"linear", S::linear}, {"log", S::log}}};
};
