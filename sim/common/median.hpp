#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "common/nan.hpp"

namespace dynasoc {

/// The middle value, or the mean of the two middle ones; NaN of none.
inline double median(std::vector<double> values) {
  if (values.empty()) return kNaN;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

}  // namespace dynasoc
