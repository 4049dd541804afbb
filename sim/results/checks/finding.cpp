#include "results/checks/finding.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace dynasoc::check {
namespace {

Json number(double x) { return std::isfinite(x) ? Json(x) : Json(nullptr); }

}  // namespace

std::string_view name_of(Verdict verdict) {
  for (const auto& [text, one] : EnumNames<Verdict>::names)
    if (one == verdict) return text;
  throw InternalError("a verdict without a name");
}

double Distribution::quantile(double share) const {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double at = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
}

double Distribution::share_from(double x) const {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto first = std::lower_bound(values.begin(), values.end(), x);
  return static_cast<double>(values.end() - first) / static_cast<double>(values.size());
}

std::pair<double, double> Distribution::range() const {
  double low = values.empty() ? 0 : values.front(), high = values.empty() ? 0 : values.back();
  if (mark) low = std::min(low, *mark), high = std::max(high, *mark);
  return {low, high};
}

std::vector<std::size_t> Distribution::histogram(std::size_t bins) const {
  std::vector<std::size_t> out(bins, 0);
  const auto [low, high] = range();
  for (const double x : values) {
    const double at = high > low ? (x - low) / (high - low) * static_cast<double>(bins) : 0;
    ++out[std::min(static_cast<std::size_t>(at), bins - 1)];
  }
  return out;
}

Json Distribution::to_json() const {
  const auto [low, high] = range();
  return {{"n", values.size()},
          {"min", number(quantile(0))},
          {"q1", number(quantile(0.25))},
          {"median", number(quantile(0.5))},
          {"q3", number(quantile(0.75))},
          {"max", number(quantile(1))},
          {"share_from_published", mark ? number(share_from(*mark)) : Json(nullptr)},
          {"histogram", {{"from", low}, {"to", high}, {"counts", histogram(40)}}}};
}

Json Finding::to_json() const {
  Json out = {{"quantity", quantity},
              {"unit", unit},
              {"published", published ? Json(*published) : Json(nullptr)},
              {"up_to", up_to},
              {"ours", number(ours)}};
  out["ci95"] =
      std::isfinite(interval.low) && std::isfinite(interval.high) ? Json({interval.low, interval.high}) : Json(nullptr);
  out["standing"] = standing ? dynasoc::to_json(*standing) : Json(nullptr);
  out["verdict"] = std::string(name_of(verdict));
  out["reason"] = reason;
  if (!notes.empty()) out["notes"] = notes;
  if (of) out["distribution"] = of->to_json();
  if (!details.is_null()) out["details"] = details;
  return out;
}

Verdict overall(const std::vector<Finding>& findings) {
  std::optional<Verdict> out;
  for (const Finding& one : findings) {
    if (one.verdict == Verdict::own_result) continue;
    if (!out)
      out = one.verdict;
    else if (*out != one.verdict)
      out = Verdict::partly;
  }
  return out.value_or(Verdict::own_result);
}

std::string fixed_text(double x, int digits) {
  if (!std::isfinite(x)) return "-";
  char buffer[400];
  std::snprintf(buffer, sizeof buffer, "%.*f", digits, std::abs(x));
  const std::string text = buffer;
  const bool zero = text.find_first_not_of("0.") == std::string::npos;
  return (x < 0 && !zero ? "−" : "") + text;
}

bool agrees(double value, const Interval& interval, double published, double tolerance) {
  const bool held = std::isfinite(interval.low) && std::isfinite(interval.high) && !interval.excludes(published);
  return held || std::abs(value - published) <= tolerance * std::abs(published);
}

}  // namespace dynasoc::check
