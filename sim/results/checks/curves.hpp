// Expectation: one network's curve of accuracy over latency against those of others, from their tables.
#pragma once

#include "results/checks/finding.hpp"

namespace dynasoc::check {

/// A sub-network on a unit.
struct CurvePoint {
  std::string subnet;
  double accuracy = 0;
  double latency_ms = 0;
};

/// y at `x` on the straight lines between points (x, y), which ascend in x; nothing beyond the ends.
std::optional<double> interpolate(const std::vector<std::pair<double, double>>& points, double x);

enum class CurveMeasure : std::uint8_t { speedup, gain };

/// A curve held against one point of another network: at that point's accuracy (speedup, its latency over the curve's)
/// or at its latency (gain, the curve's accuracy less its own).
struct Pair {
  std::string network;  ///< of the point
  CurvePoint point;
  std::optional<double> interpolated;
  std::optional<double> below, above;  ///< the same with the curve's nearest point below (at most) and above (at least)
  std::string subnet_below, subnet_above;
};
/// `curve` ascends in accuracy and latency.
Pair pair_of(const std::vector<CurvePoint>& curve, const std::string& network, const CurvePoint& point,
             CurveMeasure measure);

struct CurveNetwork {
  Name network;
  Name table;
  Where where;
  static constexpr auto fields() {
    using S = CurveNetwork;
    return describe(required(&S::network, "network", "in models/"), required(&S::table, "table", "of that network"));
  }
};

struct Curves {
  static constexpr std::string_view kind = "curves";
  static constexpr std::string_view doc =
      "how much faster at the same accuracy, or more accurate at the same latency, a network is than others, from "
      "tables: by linear interpolation on its curve, at each point of each other network. **Reproduced**: the largest "
      "of these is within `tolerance` of the published number; **partly**: it is not, but that of another pair is, "
      "interpolated or with the nearest point above or below; **not reproduced**: no pair's is";
  CurveMeasure measure = CurveMeasure::speedup;
  CurveNetwork curve;
  std::vector<CurveNetwork> against;
  std::string unit;
  double published = 0;
  int digits = 1;
  double tolerance = 0.02;

  static constexpr auto fields() {
    using S = Curves;
    return describe(
        required(&S::measure, "measure",
                 "`speedup`: the other's latency over the curve's at its accuracy; `gain`: the curve's accuracy at the "
                 "other's latency less the other's"),
        required(&S::curve, "curve", "the network that is said to be better"),
        required(&S::against, "against", "the others"), required(&S::unit, "unit", "processing unit of the cells"),
        required(&S::published, "published", positive(), "times, or points"),
        field(&S::digits, "digits", range(0, 9), "written after the decimal point"),
        field(&S::tolerance, "tolerance", non_negative(), "share of the published number that ours may differ by"));
  }

  void validate(const Context& context) const;
  std::vector<Finding> evaluate(const Context& context) const;
};

}  // namespace dynasoc::check

template <>
struct dynasoc::EnumNames<dynasoc::check::CurveMeasure> {
  static constexpr std::array<std::pair<std::string_view, dynasoc::check::CurveMeasure>, 2> names{
      {{"speedup", dynasoc::check::CurveMeasure::speedup}, {"gain", dynasoc::check::CurveMeasure::gain}}};
};
