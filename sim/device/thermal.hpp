// Temperatures of a board: an RC network driven by piecewise-constant powers, integrated exactly.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>

#include "device/platform.hpp"

namespace dynasoc {

/// Temperatures T of the nodes of a thermal network,
///   C dT/dt = -G (T - T_ambient) + P,
/// with C the diagonal heat capacities [J/K], G the conductances (links and ways to the surroundings) [W/K] and P the
/// heat put into each node [W], constant between two calls of `set_power`.
///
/// C^-1/2 G C^-1/2 is symmetric, so it has real eigenvalues and orthonormal eigenvectors: in these coordinates the
/// nodes fall apart into independent first-order lags, each of which has a closed form. Nothing is discretised, so the
/// answer does not depend on how an interval is cut. After construction nothing allocates; a model is copyable.
class ThermalModel {
 public:
  static constexpr std::size_t kMaxNodes = 8;

  /// `file` must have passed `Platform::from` (every node has a way to the surroundings); else InternalError.
  /// All nodes start at `initial_c`, without power.
  explicit ThermalModel(const ThermalFile& file);

  std::size_t nodes() const { return count_; }

  /// Heat put into a node from now on [W].
  void set_power(std::size_t node, double watts) {
    if (power_[node] == watts) return;
    power_[node] = watts;
    // Summed afresh, not by difference: rounding must not pile up over billions of changes.
    Row aim{};
    for (std::size_t n = 0; n < count_; ++n)
      for (std::size_t k = 0; k < kMaxNodes / 2; ++k) aim[k] += gain_[n][k] * power_[n];
    if (count_ > kMaxNodes / 2)
      for (std::size_t n = 0; n < count_; ++n)
        for (std::size_t k = kMaxNodes / 2; k < kMaxNodes; ++k) aim[k] += gain_[n][k] * power_[n];
    aim_ = aim;
  }
  double power_w(std::size_t node) const { return power_[node]; }

  /// Lets `dt_s` >= 0 seconds pass under the present powers: every mode covers the share 1 - e^-(rate dt) of its way.
  void advance(double dt_s) {
    if (fastest_ * dt_s <= kSeriesLimit) {  // the usual case: far more events than time constants
      for (std::size_t k = 0; k < kMaxNodes / 2; ++k) z_[k] += (aim_[k] - z_[k]) * reached_series(rate_[k] * dt_s);
      if (count_ > kMaxNodes / 2)
        for (std::size_t k = kMaxNodes / 2; k < kMaxNodes; ++k)
          z_[k] += (aim_[k] - z_[k]) * reached_series(rate_[k] * dt_s);
    } else {
      for (std::size_t k = 0; k < count_; ++k) z_[k] += (aim_[k] - z_[k]) * reached(rate_[k] * dt_s);
    }
  }

  double temperature_c(std::size_t node) const {
    double rise = 0;
    for (std::size_t k = 0; k < count_; ++k) rise += shape_[node][k] * z_[k];
    return ambient_c_ + rise;
  }

  /// Where a node would end up if the present powers lasted for ever.
  double steady_state_c(std::size_t node) const {
    double rise = 0;
    for (std::size_t k = 0; k < count_; ++k) rise += shape_[node][k] * aim_[k];
    return ambient_c_ + rise;
  }

  /// Puts every node at one temperature (powers stay).
  void reset(double temperature_c);

  /// Time constant of a mode [s], the slowest first.
  double time_constant_s(std::size_t mode) const { return 1 / rate_[mode]; }

  /// Heat stored above the surroundings' temperature [J].
  double stored_j() const;
  /// Heat flowing to the surroundings at this instant [W].
  double to_ambient_w() const;

  /// Share of the way to the steady state covered after x >= 0 time constants, 1 - e^-x.
  static double reached(double x) { return x <= kSeriesLimit ? reached_series(x) : -std::expm1(-x); }

 private:
  using Row = std::array<double, kMaxNodes>;  // unused entries are 0, so that loops may run over a fixed number

  // Up to here eight terms of the power series are exact to the last bit (the ninth is below 3e-18 of the sum).
  static constexpr double kSeriesLimit = 1.0 / 32;
  static double reached_series(double x) {  // Estrin's scheme: short chains of dependent operations
    const double x2 = x * x;
    const double low = (1.0 - x * (1.0 / 2)) + x2 * (1.0 / 6 - x * (1.0 / 24));
    const double high = (1.0 / 120 - x * (1.0 / 720)) + x2 * (1.0 / 5040 - x * (1.0 / 40320));
    return x * (low + x2 * x2 * high);
  }

  std::size_t count_ = 0;
  double ambient_c_ = 0;
  double fastest_ = 0;                  // the largest rate
  Row rate_{};                          // 1/s, by mode, ascending
  Row z_{};                             // modal coordinates of T - T_ambient, in sqrt(J K)
  Row aim_{};                           // where they tend to under the present powers
  Row power_{};                         // W, by node
  std::array<Row, kMaxNodes> gain_{};   // [node][mode]: change of aim per watt
  std::array<Row, kMaxNodes> shape_{};  // [node][mode]: kelvins at the node per unit of the mode
  Row capacity_{};                      // J/K
  Row to_ambient_{};                    // W/K
};

}  // namespace dynasoc
