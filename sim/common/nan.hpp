#pragma once

#include <limits>

namespace dynasoc {

/// Stands for a number that is not there.
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace dynasoc
