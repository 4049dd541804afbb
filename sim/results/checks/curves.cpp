#include "results/checks/curves.hpp"

#include <algorithm>
#include <cmath>

#include "application/network.hpp"
#include "common/text.hpp"
#include "scenario/data_paths.hpp"

namespace dynasoc::check {
namespace {

std::vector<CurvePoint> points_of(const CurveNetwork& given, const std::string& unit, const Context& context) {
  const Network network = Network::load(DataPaths(context.folder).network(given.network));
  std::vector<std::string> known;
  for (const auto& [name, unused] : network.file.tables) known.push_back(name);
  if (std::find(known.begin(), known.end(), given.table.text) == known.end())
    throw given.table.error("network " + network.file.name + " has no table " + in_quotes(given.table.text) +
                            hint(given.table.text, known));
  std::vector<CurvePoint> out;
  for (const Cell& cell : network.table(given.table.text).cells)
    if (cell.unit == unit)
      out.push_back({cell.subnet,
                     network.file.subnets[static_cast<std::size_t>(network.subnet_index(cell.subnet))].accuracy,
                     cell.latency_ms_mean});
  std::sort(out.begin(), out.end(),
            [](const CurvePoint& a, const CurvePoint& b) { return a.latency_ms < b.latency_ms; });
  return out;
}

std::vector<CurvePoint> curve_of(const Curves& curves, const Context& context) {
  const auto out = points_of(curves.curve, curves.unit, context);
  if (out.size() < 2)
    throw curves.curve.table.error("has " + std::to_string(out.size()) + " cells of unit " + in_quotes(curves.unit) +
                                   "; a curve needs two");
  for (std::size_t i = 1; i < out.size(); ++i)
    if (out[i].accuracy <= out[i - 1].accuracy || out[i].latency_ms <= out[i - 1].latency_ms)
      throw curves.curve.table.error("is not a curve: " + out[i].subnet + " takes longer than " + out[i - 1].subnet +
                                     " and is no more accurate");
  return out;
}

std::string text_of(double x) { return rounded_text(x, 5); }

}  // namespace

std::optional<double> interpolate(const std::vector<std::pair<double, double>>& points, double x) {
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i].first == x) return points[i].second;
    if (i == 0 || !(points[i - 1].first < x && x < points[i].first)) continue;
    const auto [x0, y0] = points[i - 1];
    const auto [x1, y1] = points[i];
    return y0 + (x - x0) / (x1 - x0) * (y1 - y0);
  }
  return std::nullopt;
}

Pair pair_of(const std::vector<CurvePoint>& curve, const std::string& network, const CurvePoint& point,
             CurveMeasure measure) {
  const bool speedup = measure == CurveMeasure::speedup;
  const auto value = [&](double found) { return speedup ? point.latency_ms / found : found - point.accuracy; };
  const double at = speedup ? point.accuracy : point.latency_ms;
  Pair out{network, point, {}, {}, {}, {}, {}};
  std::vector<std::pair<double, double>> line;
  for (const CurvePoint& one : curve) {
    const double x = speedup ? one.accuracy : one.latency_ms, y = speedup ? one.latency_ms : one.accuracy;
    line.emplace_back(x, y);
    if (x <= at) {
      out.below = value(y);
      out.subnet_below = one.subnet;
    }
    if (x >= at && !out.above) {
      out.above = value(y);
      out.subnet_above = one.subnet;
    }
  }
  if (const auto found = interpolate(line, at)) out.interpolated = value(*found);
  return out;
}

void Curves::validate(const Context& context) const {
  curve_of(*this, context);
  bool any = false;
  for (const CurveNetwork& other : against) any |= !points_of(other, unit, context).empty();
  if (!any) throw curve.where.error("none of the networks in \"against\" has a cell of unit " + in_quotes(unit));
}

std::vector<Finding> Curves::evaluate(const Context& context) const {
  const auto line = curve_of(*this, context);
  std::vector<Pair> pairs;
  for (const CurveNetwork& other : against)
    for (const CurvePoint& point : points_of(other, unit, context))
      pairs.push_back(pair_of(line, other.network.text, point, measure));

  const bool speedup = measure == CurveMeasure::speedup;
  Finding out;
  out.quantity =
      speedup ? "times as fast at the same accuracy, at most" : "points more accurate at the same latency, at most";
  out.unit = speedup ? "x" : "points";
  out.digits = digits + 1;
  out.published = published;
  out.up_to = true;
  const Pair* largest = nullptr;
  const Pair* closest = nullptr;
  double closest_value = 0;
  std::string closest_how;
  out.details = Json::array();
  Distribution all;
  all.mark = published;
  for (const Pair& pair : pairs) {
    const auto json = [](const std::optional<double>& x) { return x ? Json(*x) : Json(nullptr); };
    out.details.push_back({{"network", pair.network},
                           {"subnet", pair.point.subnet},
                           {"accuracy", pair.point.accuracy},
                           {"latency_ms", pair.point.latency_ms},
                           {"interpolated", json(pair.interpolated)},
                           {"nearest_below", json(pair.below)},
                           {"nearest_above", json(pair.above)}});
    const auto consider = [&](const std::optional<double>& x, const std::string& how) {
      if (!x || (closest != nullptr && std::abs(*x - published) >= std::abs(closest_value - published))) return;
      closest = &pair;
      closest_value = *x;
      closest_how = how;
    };
    consider(pair.interpolated, "interpolated");
    if (!pair.interpolated) continue;  // beyond an end of the curve nothing is at similar accuracy, or latency
    consider(pair.below, "its nearest point below, " + pair.subnet_below);
    consider(pair.above, "its nearest point above, " + pair.subnet_above);
    all.values.push_back(*pair.interpolated);
    if (largest == nullptr || *pair.interpolated > *largest->interpolated) largest = &pair;
  }
  std::sort(all.values.begin(), all.values.end());
  const auto named = [](const Pair& pair) {
    return pair.network + " " + pair.point.subnet + " (" + text_of(pair.point.accuracy) + " %, " +
           text_of(pair.point.latency_ms) + " ms)";
  };
  if (largest == nullptr) {
    out.verdict = Verdict::not_reproduced;
    out.reason = "no point of the others is within the curve's range";
    return {out};
  }
  out.ours = *largest->interpolated;
  out.of = all;
  const auto within = [&](double x) { return std::abs(x - published) <= tolerance * published; };
  const auto nearest_points = [&](const Pair& pair) {
    std::string text;
    if (pair.below) text += "with the nearest point below, " + pair.subnet_below + ": " + text_of(*pair.below);
    if (pair.above)
      text += (text.empty() ? "with" : "; with") + std::string(" the nearest point above, ") + pair.subnet_above +
              ": " + text_of(*pair.above);
    return text;
  };
  out.reason = "against " + named(*largest) + ", interpolated; " + nearest_points(*largest);
  if (within(out.ours)) {
    out.verdict = Verdict::reproduced;
  } else if (within(closest_value)) {
    out.verdict = Verdict::partly;
    out.notes.push_back("the published number is that of another pair, not the largest: against " + named(*closest) +
                        " it is " + text_of(closest_value) + " by " + closest_how +
                        (closest->interpolated && closest_how != "interpolated"
                             ? " (" + text_of(*closest->interpolated) + " interpolated)"
                             : "; " + nearest_points(*closest)));
  } else {
    out.verdict = Verdict::not_reproduced;
    out.notes.push_back("the nearest of all pairs: " + text_of(closest_value) + ", against " + named(*closest) +
                        " by " + closest_how);
  }
  return {out};
}

}  // namespace dynasoc::check
