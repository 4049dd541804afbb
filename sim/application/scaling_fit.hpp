// Fits the soft roofline to the cells of a table, and fills a table with the cells that a fit can tell.
//
// The fit is deterministic. For each set of terms the coefficients are the non-negative least squares solution of the
// relative residuals predicted/observed - 1. With p = 1 the problem is linear; where computing and memory time overlap,
// a coarse grid over p and their proportion gives the best starts of a projected Levenberg-Marquardt descent in the
// coefficients and log p. On CPU units whose number of cores varies, the parallel fraction a is searched over [0, 1] (a
// grid, then golden section) around all that. Cross-validation starts each descent from the solution with all points.
#pragma once

#include <array>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "application/network.hpp"
#include "application/table.hpp"

namespace dynasoc {

struct Platform;

/// Which column of a table is the clock of a unit.
enum class UnitClock : std::uint8_t {
  cpu,          ///< `f_cpu_mhz`
  accelerator,  ///< `f_gpu_mhz`
};

/// By the unit's name: anything that begins with `cpu`, `big`, `little`, `denver` or `a57` runs on the CPU's clock.
UnitClock unit_clock(std::string_view unit);
/// By the kind of the unit's first frequency domain.
UnitClock unit_clock(const Platform& platform, std::size_t unit);

/// The unit's own clock [MHz] of an operating point; NaN where it is not stated.
double own_clock_mhz(UnitClock clock, const OperatingPoint& at);

/// What a fit works on: one latency [ms] at one operating point.
struct FitSample {
  OperatingPoint at;
  double latency_ms = 0;
};

struct FitOptions {
  std::optional<double> p;     ///< held at this value instead of being fitted
  bool cross_validate = true;  ///< leave one operating point out, fit the others, predict it
};

/// What the cells say about one coefficient, in its own unit: a 95 % interval by the linear approximation at the
/// optimum (residual variance times the inverse of JᵀJ, Student's t; in log p for p). NaN where there are no more cells
/// than coefficients, or where the coefficient is at a bound (0, or 1 and 64 for p): the approximation says nothing
/// there.
struct CoefficientInterval {
  std::string term;
  double value = 0;
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
  bool at_bound = false;
};

/// A fitted soft roofline and what is known about its quality. Errors are fractions (0.01 is one percent).
struct ScalingFit {
  SoftRoofline model;
  std::vector<std::string> terms;  ///< coefficients that were fitted, in the order fixed, host, unit, memory, p, a
  std::vector<std::string> not_identifiable;  ///< one sentence each: which term, and why these cells cannot tell it
  std::vector<double> residuals;              ///< predicted/observed - 1, by sample
  double mape = 0;                            ///< mean |residual|
  double cv_mape = std::numeric_limits<double>::quiet_NaN();       ///< the same, each point predicted without itself
  int n = 0;                                                       ///< samples
  int operating_points = 0;                                        ///< different ones among them
  std::vector<CoefficientInterval> intervals;                      ///< one for each of `terms`, in their order
  double residual_std = std::numeric_limits<double>::quiet_NaN();  ///< relative; NaN without degrees of freedom
  int degrees_of_freedom = 0;                                      ///< cells less coefficients that are not at a bound

  /// Half the width of the 95 % prediction interval of one more cell, relative to its latency; NaN if not known.
  double relative_half_width(double f_unit_mhz, const OperatingPoint& at) const;

  static constexpr std::size_t kParameters = 6;  // fixed, host, unit, memory, log p, a
  std::array<std::array<double, kParameters>, kParameters> covariance{};
  double t_quantile = std::numeric_limits<double>::quiet_NaN();

  /// Whether the fit says anything about how latency follows a clock or the cores.
  bool has_shape() const {
    return operating_points >= 2 && !terms.empty() && terms != std::vector<std::string>{"fixed_ms"};
  }
};

/// Fits one group. A clock that never varies in the group contributes no term; a group with cells at n operating points
/// gets at most n coefficients, and of two sets of terms that explain the cells equally well (root mean square residual
/// within a tenth of a percentage point) the smaller is taken. Throws InputError for an empty group.
ScalingFit fit_scaling(std::span<const FitSample> samples, UnitClock clock, const FitOptions& options = {});

/// Where the time goes at the reference operating point, as shares of it. Computing and memory time overlap; each
/// counts by its part of the sum under the root.
struct RooflineReading {
  double fixed = 0, host = 0, unit = 0, memory = 0;
  std::string
      kind;  ///< `launch-bound` (fixed and host), `compute-bound`, `memory-bound`: at least half; else `balanced`
};
RooflineReading reading_of(const SoftRoofline& model);

/// A group of a table: the cells of one sub-network on one unit, by their index in the table.
struct TableGroup {
  std::string subnet;
  std::string unit;
  std::vector<int> cells;
  std::string name() const { return subnet + " " + unit; }
};
std::vector<TableGroup> groups_of(const Table& table);

/// The fit of each group of a table.
std::vector<std::pair<TableGroup, ScalingFit>> fit_table(const Table& table, const FitOptions& options = {});

/// The shape alone, for a network's `scaling`: the coefficients divided by their sum at the reference point, so that
/// the predicted latency there is 1 ms.
SoftRoofline normalised(SoftRoofline model);

}  // namespace dynasoc
