// How long a sub-network takes on a unit at any operating point: the one place where cells become predictions. The
// simulator, `table fill` and the policies' predictors all use it.
#pragma once

#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "application/scaling_fit.hpp"
#include "application/table.hpp"

namespace dynasoc {

struct Prediction {
  double latency_ms = 0;
  double std_ms = std::numeric_limits<double>::quiet_NaN();  ///< of one execution; NaN = not known
  /// Interval that a measured mean would lie in, 95 % of times; NaN for a cell that was observed.
  double low_ms = std::numeric_limits<double>::quiet_NaN();
  double high_ms = std::numeric_limits<double>::quiet_NaN();
  Provenance provenance = Provenance::derived;
  int cell = -1;                ///< index in the table of the cell that says so itself; -1 for a model's value
  bool outside_range = false;   ///< a clock (or the cores) lies beyond those of all cells of the group
  bool clock_unstated = false;  ///< the cells do not state the unit's clock: latency is taken not to depend on it
};

/// The cells of one sub-network on one unit, and the shape that joins them.
///
/// At a cell's operating point the cell is the answer. Elsewhere the level comes from the cells, the shape from a soft
/// roofline: t(x) = shape(x) · Π (t_i / shape(x_i))^{w_i}, with w_i proportional to 1/d_i² and normalised, d_i being
/// the distance in the logarithms of clocks and cores. This is continuous and passes through every cell. The shape is
/// the group's own fit where it has cells at two or more operating points; what these cells do not vary, and groups of
/// a single point, follow the network's declared `scaling`; without one, latency is taken as inversely proportional to
/// the unit's clock, which `shape_source` then says.
///
/// The interval of a predicted latency is that of the group's fit (`ScalingFit::relative_half_width`, about the
/// predicted value, in its logarithm). Groups that are too small for one, and those whose shape is declared, have
/// bounds instead: by the soft roofline, from a cell at x_i to x, latency changes by no more than the clock (or the
/// number of cores) that changes most, and not in the other direction. The bounds of all cells hold together.
class LatencyModel {
 public:
  /// `scaling` may be null. `parallel_fraction` is the platform's, used where neither cells nor scaling tell how
  /// latency follows the number of cores. Throws InputError if the table has no cell of the sub-network on the unit.
  LatencyModel(const Table& table, const SoftRoofline* scaling, std::string_view unit, std::string_view subnet,
               UnitClock clock, double parallel_fraction = 0);

  /// `f_unit_mhz` is the clock of the unit the job runs on (NaN = that of `at`); clocks of `at` that are NaN and 0
  /// cores count as those of the cells.
  Prediction predict(double f_unit_mhz, const OperatingPoint& at) const;

  /// Power above idle [W] while the sub-network runs: power_w - idle_power_w of the cells that state both, weighted as
  /// the latency is, scaled by `busy_minus_idle_w` (the unit's curve over its clock [MHz], all cores online) and by the
  /// number of cores where both state it; NaN where no cell states power.
  double above_idle_w(double f_unit_mhz, const OperatingPoint& at,
                      const std::function<double(double)>& busy_minus_idle_w) const;
  bool has_power() const { return has_power_; }

  /// Multiplies the power above idle of cells whose power is derived by `factor(clock [MHz])`. Where other cells of the
  /// group have observed power, which stays, the factor counts relative to the first of them: what was derived from it
  /// moves by the shape alone. A clock that is not stated is NaN.
  void scale_derived_power(const std::function<double(double)>& factor);

  /// Says in words where the shape comes from, for a cell's `source`.
  const std::string& shape_source() const { return shape_source_; }
  const std::vector<int>& cells() const { return index_; }

 private:
  struct Known {
    OperatingPoint at;
    double latency_ms;
    double variation;  // std / mean; NaN if unknown
    double above_idle_w;
    Provenance provenance;
    double std_ms;
    double low_ms, high_ms;
    double shape;  // of the model at this cell
    bool power_derived;
    bool anchor;  // counts for level, shape and range: observed, or all cells are derived
  };
  struct Span {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
    bool stated() const { return low <= high; }
    bool varies() const { return high > low * 1.001; }
    bool holds(double x) const { return !stated() || (x >= low * 0.999 && x <= high * 1.001); }
    void add(double x);
  };

  void add_interval(Prediction& out, const OperatingPoint& point) const;
  OperatingPoint completed(double f_unit_mhz, OperatingPoint at) const;
  double shape_at(const OperatingPoint& at) const;
  int exact(const OperatingPoint& asked) const;  ///< index in known_, or -1
  static double distance2(const OperatingPoint& a, const OperatingPoint& b);

  UnitClock clock_;
  std::vector<int> index_;
  std::vector<Known> known_;
  OperatingPoint reference_;  // of the group: its first cell
  Span cpu_, gpu_, emc_, cores_;
  SoftRoofline own_;  // what the group's cells tell
  ScalingFit own_fit_;
  bool has_own_ = false;
  SoftRoofline scaling_;  // the network's declaration
  bool has_scaling_ = false;
  double parallel_fraction_ = 0;
  bool has_power_ = false;
  std::string shape_source_;
};

}  // namespace dynasoc
