// Student's t distribution, for intervals.
#pragma once

#include <cmath>

namespace dynasoc {

/// The 97.5 % quantile, for two-sided 95 % intervals; `degrees` of freedom, at least 1. By bisection of the integral of
/// the density (Simpson's rule), to seven digits.
inline double student_t_975(int degrees) {
  if (degrees == 1) return 12.706204736;
  if (degrees == 2) return 4.30265273;
  const double nu = degrees;
  const double norm = std::exp(std::lgamma((nu + 1) / 2) - std::lgamma(nu / 2)) / std::sqrt(nu * 3.14159265358979324);
  const auto below = [&](double t) {  // of the upper half
    constexpr int kSteps = 64;
    const auto density = [&](double x) { return std::pow(1 + x * x / nu, -(nu + 1) / 2); };
    double sum = density(0) + density(t);
    for (int i = 1; i < kSteps; ++i) sum += (i % 2 ? 4 : 2) * density(t * i / kSteps);
    return norm * sum * t / kSteps / 3;
  };
  double low = 1.9, high = 3.3;
  for (int i = 0; i < 30; ++i) {
    const double middle = (low + high) / 2;
    (below(middle) < 0.475 ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace dynasoc
