// Random samples a test draws, fewer where each costs more (sanitizer builds).
#pragma once

#include <algorithm>
#include <cstdlib>

namespace dynasoc::test {

/// `n` times the environment's DYNASOC_TEST_SCALE (1 if unset), at least 1.
inline int scaled(int n) {
  const char* scale = std::getenv("DYNASOC_TEST_SCALE");
  return scale == nullptr ? n : std::max(1, static_cast<int>(n * std::atof(scale)));
}

}  // namespace dynasoc::test
