#include "scenario/trace/background.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/nan.hpp"
#include "scenario/trace/columns.hpp"

namespace dynasoc::trace {
namespace {

constexpr double kIdle = 0.005;  // utilisation that is no load: recordings have whole percents

double rounded(double x) { return std::round(x * 1e6) / 1e6; }

std::string unit_of_kind(const Platform* platform, DomainKind kind, const char* otherwise) {
  if (platform != nullptr)
    for (std::size_t u = 0; u < platform->links.size(); ++u)
      if (platform->file.domains[static_cast<std::size_t>(platform->links[u].domains[0])].second.kind == kind)
        return platform->file.units[u].first;
  return otherwise;
}

}  // namespace

BackgroundLoad::BackgroundLoad(const TimelineColumns& columns, const BackgroundOptions& options,
                               const Platform* platform)
    : columns_(columns), options_(options) {
  units_.push_back({unit_of_kind(platform, DomainKind::cpu, "cpu"), true});
  units_.push_back({unit_of_kind(platform, DomainKind::gpu, "gpu"), false});
}

// NaN if it is not known: no core, or no report of a GPU, within the row.
double BackgroundLoad::utilisation(Unit& unit, const std::vector<double>& values) {
  for (; columns_known_ < columns_.size(); ++columns_known_) {
    const std::string& name = columns_.names()[columns_known_];
    if (is_core_column(name, "_utilisation")) cpu_columns_.push_back(columns_known_);
    if (name == "gpu_utilisation") has_gpu_ = true, gpu_column_ = columns_known_;
  }
  unit.recorded = unit.recorded || (unit.is_cpu ? !cpu_columns_.empty() : has_gpu_);
  if (!unit.is_cpu) {
    const double x = has_gpu_ && gpu_column_ < values.size() ? values[gpu_column_] : kNaN;
    return std::isnan(x) ? kNaN : std::clamp(x, 0.0, 1.0);
  }
  double sum = 0;
  int online = 0;
  for (const std::size_t column : cpu_columns_)
    if (column < values.size() && !std::isnan(values[column])) sum += std::clamp(values[column], 0.0, 1.0), ++online;
  return online > 0 ? sum / online : kNaN;
}

// Where the time begins that a row at `to` tells of: at the row before, unless that is much longer ago than rows are
// apart. Then the recorder was off, and the row tells of a usual distance.
Time BackgroundLoad::after_gap(Time from, Time to) {
  constexpr std::size_t kKept = 31, kLeast = 3;
  constexpr Time kTypicalGaps = 3;
  Time begin = from;
  if (gaps_.size() >= kLeast) {
    std::vector<Time> sorted = gaps_;
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    if (to - from > kTypicalGaps * *middle) begin = to - *middle;
  }
  if (gaps_.size() < kKept)
    gaps_.push_back(to - from);
  else
    gaps_[next_gap_++ % kKept] = to - from;  // a lone gap is no median, a new distance of rows soon is
  return begin;
}

// The row's utilisation is that of the time since the row before.
void BackgroundLoad::row(Time t, const std::vector<double>& values) {
  if (first_ < 0) {
    first_ = last_ = t;
    for (Unit& unit : units_) begin_at(unit, 0);
    return;
  }
  const Time before = last_ - first_, to = t - first_;
  const Time from = after_gap(before, to);
  last_ = t;
  for (Unit& unit : units_) {
    if (from > before) {
      close_window(unit);
      close_stretch(unit);
      begin_at(unit, from);
      unit.unknown_s += to_s(from - before);
    }
    const double share = utilisation(unit, values), seconds = to_s(to - from);
    if (std::isnan(share)) {
      unit.unknown_s += seconds;
    } else {
      unit.busy_s += share * seconds;
      unit.known_s += seconds;
    }
    unit.to = to;
    if (unit.to - unit.from >= from_s(options_.window_s)) close_window(unit);
  }
}

void BackgroundLoad::begin_at(Unit& unit, Time t) {
  unit.from = unit.to = t;
  unit.busy_s = unit.known_s = 0;
  unit.open = {unit.name, t, t, 0, 0};
}

void BackgroundLoad::close_window(Unit& unit) {
  if (unit.to <= unit.from) return;
  if (unit.known_s <= 0) {
    close_stretch(unit);
    return begin_at(unit, unit.to);
  }
  const double mean = unit.busy_s / unit.known_s;
  Stretch& open = unit.open;
  const bool both_idle = (mean < kIdle) == (open.to > open.from && open.mean() < kIdle);
  if (open.to > open.from && std::abs(mean - open.mean()) <= options_.tolerance && both_idle) {
    open.to = unit.to;
    open.busy_s += unit.busy_s;
    open.known_s += unit.known_s;
  } else {
    close_stretch(unit);
    open = {unit.name, unit.from, unit.to, unit.busy_s, unit.known_s};
  }
  unit.from = unit.to;
  unit.busy_s = unit.known_s = 0;
}

void BackgroundLoad::close_stretch(Unit& unit) {
  if (unit.open.to > unit.open.from && unit.open.mean() >= kIdle) stretches_.push_back(unit.open);
}

void BackgroundLoad::finish() {
  for (Unit& unit : units_) {
    close_window(unit);
    close_stretch(unit);
  }
  std::stable_sort(stretches_.begin(), stretches_.end(),
                   [](const Stretch& a, const Stretch& b) { return a.from < b.from; });
}

std::vector<std::string> BackgroundLoad::notes() const {
  std::vector<std::string> out;
  for (const Unit& unit : units_)
    if (unit.recorded && unit.unknown_s > 0)
      out.push_back("the load of " + unit.name + " is not known in " +
                    rounded_text(100 * unit.unknown_s / duration_s(), 3) +
                    " % of the time (a gap, no report): left out of the background");
  return out;
}

Json BackgroundLoad::scenario(const std::string& source) const {
  Json loads = Json::object();
  constexpr double kContinuous = 0.995;
  std::size_t number = 0;
  for (const Stretch& one : stretches_) {
    const double share = one.mean();
    Json demand{{"kind", "continuous"}};
    if (share < kContinuous)
      demand = {{"kind", "periodic"},
                {"period_ms", options_.period_ms},
                {"work_ms", std::max(1e-6, rounded(share * options_.period_ms))}};
    loads["recorded " + std::to_string(++number) + " " + one.unit] = {{"unit", one.unit},
                                                                      {"from_s", rounded(to_s(one.from))},
                                                                      {"to_s", rounded(to_s(one.to))},
                                                                      {"demand", std::move(demand)},
                                                                      {"source", source}};
  }
  return {{"background", std::move(loads)}};
}

}  // namespace dynasoc::trace
