// Fits the soft roofline to the cells of a table, and fills a table with the cells that a fit can tell.
//
// The fit is deterministic. For each overlap p (a grid over [1, 64], refined by golden section in log p) and, on CPU
// units whose number of cores varies, each parallel fraction a (likewise over [0, 1]), the coefficients are the
// non-negative least squares solution of the relative residuals predicted/observed - 1. With p > 1 computing and memory
// time enter as one column g = ((cos θ·x_unit)^p + (sin θ·x_memory)^p)^(1/p), and θ is searched over [0, π/2] in the
// same way.
#pragma once

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

/// A fitted soft roofline and what is known about its quality. Errors are fractions (0.01 is one percent).
struct ScalingFit {
  SoftRoofline model;
  std::vector<std::string> terms;  ///< coefficients that were fitted, in the order fixed, host, unit, memory, p, a
  std::vector<std::string> not_identifiable;  ///< one sentence each: which term, and why these cells cannot tell it
  std::vector<double> residuals;              ///< predicted/observed - 1, by sample
  double mape = 0;                            ///< mean |residual|
  double cv_mape = std::numeric_limits<double>::quiet_NaN();  ///< the same, each point predicted without itself
  int n = 0;                                                  ///< samples
  int operating_points = 0;                                   ///< different ones among them

  /// Whether the fit says anything about how latency follows a clock or the cores.
  bool has_shape() const {
    return operating_points >= 2 && !terms.empty() && terms != std::vector<std::string>{"fixed_ms"};
  }
};

/// Fits one group. A clock that never varies in the group contributes no term; a group with cells at n operating points
/// gets at most n coefficients, and of two sets of terms that explain the cells equally well (root mean square residual
/// within a tenth of a percentage point) the smaller is taken. Throws InputError for an empty group.
ScalingFit fit_scaling(std::span<const FitSample> samples, UnitClock clock, const FitOptions& options = {});

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

/// Adds the cells that a table lacks: every sub-network on every unit of the table, at every operating performance
/// point of the unit's first frequency domain. The latency is that of `LatencyModel`; energy and power come from the
/// platform's power points (power_w = idle_power_w + busy_w - idle_w of the unit at that clock; idle_power_w = static
/// power + idle_w of all units; energy_mj = power_w·latency_ms). Where cells of the group have measured power, their
/// above-idle part is scaled by (busy_w - idle_w) at the new clock over that at the cell's clock. Cells without energy
/// get it the same way; what a cell already states is left alone. All that is added is marked `derived` and says from
/// what. Throws InputError for a unit that the platform does not have, or a group whose cells state no clock.
Table fill_table(const Table& table, const Network& network, const Platform& platform);

}  // namespace dynasoc
