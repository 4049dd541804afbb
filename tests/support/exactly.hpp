#pragma once

#include <catch2/catch.hpp>

namespace dynasoc::test {

/// Equal but for the rounding of some operations: for figures that are worked by hand.
inline Approx exactly(double x) { return Approx(x).epsilon(1e-12).margin(1e-12); }

}  // namespace dynasoc::test
