#include "scenario/trace/recording.hpp"

#include <algorithm>
#include <cmath>

#include "scenario/trace/clock_check.hpp"
#include "scenario/trace/columns.hpp"

namespace dynasoc::trace {

RecordingColumns columns_of_domain(const Timeline& timeline, const Platform& platform, int domain) {
  const auto& [name, file] = platform.file.domains[static_cast<std::size_t>(domain)];
  RecordingColumns out;
  const auto look = [&](const std::string& prefix) {
    if (timeline.has(prefix + "_utilisation")) out.utilisation.push_back(prefix + "_utilisation");
    if (timeline.has(prefix + "_mhz")) out.mhz.push_back(prefix + "_mhz");
  };
  const auto complete = [&] { return !out.utilisation.empty() && !out.mhz.empty(); };
  if (file.kind == DomainKind::cpu) {
    constexpr int kMostCores = 1024;
    for (int core = 0; core < kMostCores; ++core)
      if (const std::string prefix = "cpu" + std::to_string(core); domain_of(platform, prefix) == domain) look(prefix);
  }
  if (complete()) return out;
  for (std::size_t u = 0; u < platform.links.size() && !complete(); ++u) {
    const auto& domains = platform.links[u].domains;
    if (std::find(domains.begin(), domains.end(), domain) == domains.end()) continue;
    out = {};
    look(platform.file.units[u].first);
  }
  for (const std::string& other : {name, std::string(file.kind == DomainKind::gpu      ? "gpu"
                                                     : file.kind == DomainKind::memory ? "emc"
                                                                                       : "")}) {
    if (complete()) break;
    out = {};
    look(other);
  }
  return complete() ? out : RecordingColumns{};
}

Recording::Recording(const Timeline& timeline, const RecordingColumns& columns, const std::vector<double>& opps_mhz)
    : opps_mhz_(opps_mhz) {
  const auto known = timeline.column_names();
  for (const auto* list : {&columns.utilisation, &columns.mhz})
    for (const std::string& name : *list)
      if (!timeline.has(name))
        throw InputError({timeline.name(), 1, 0, name}, "there is no column " + in_quotes(name) + hint(name, known));
  load_.resize(columns.utilisation.size());
  std::vector<double> loads;
  for (const std::string& name : columns.utilisation)
    loads.push_back(is_core_column(name, "_utilisation") ? 0 : std::nan(""));
  int last = -1;
  for (std::size_t row = 0; row < timeline.times().size(); ++row) {
    double mhz = std::nan("");
    for (const std::string& name : columns.mhz)
      if (std::isnan(mhz) || mhz <= 0) mhz = timeline.column(name)[row];
    if (mhz > 0) {
      const auto nearest = std::min_element(opps_mhz.begin(), opps_mhz.end(),
                                            [&](double a, double b) { return std::abs(a - mhz) < std::abs(b - mhz); });
      last = static_cast<int>(nearest - opps_mhz.begin());
      off_opps_ += std::abs(*nearest - mhz) > ClockCheck::kSameMhz;
    }
    bool held = false;
    for (std::size_t core = 0; core < load_.size(); ++core) {
      const double x = timeline.column(columns.utilisation[core])[row];
      // Sums of floating point behind a recording must not look like changes of load.
      constexpr double kSteps = 1e9;
      if (x < -kShareSlack || x > 1 + kShareSlack)
        throw timeline.error(row, columns.utilisation[core],
                             "must be from 0 to 1, not " + plain_number(x) + (x > 1 ? " (a share, not percent)" : ""));
      if (!std::isnan(x))
        loads[core] = std::clamp(std::round(x * kSteps) / kSteps, 0.0, 1.0);
      else if (is_core_column(columns.utilisation[core], "_utilisation"))
        loads[core] = 0;
      else
        held = true;
    }
    // Nothing is known before the first clock and the first load.
    if (last < 0 || std::any_of(loads.begin(), loads.end(), [](double x) { return std::isnan(x); })) continue;
    held_loads_ += held;
    times_.push_back(timeline.times()[row]);
    opp_.push_back(last);
    for (std::size_t core = 0; core < load_.size(); ++core) load_[core].push_back(loads[core]);
  }
  if (times_.size() < 2)
    throw InputError({timeline.name(), 1, 0, columns.mhz.front()}, "fewer than two rows have a clock and a load");
  std::vector<Time> gaps;
  for (std::size_t k = 1; k < times_.size(); ++k) gaps.push_back(times_[k] - times_[k - 1]);
  const auto middle = gaps.begin() + static_cast<std::ptrdiff_t>(gaps.size() / 2);
  std::nth_element(gaps.begin(), middle, gaps.end());
  typical_gap_ = *middle;
  begin_ = times_[0] - std::min(times_[1] - times_[0], typical_gap_);
}

double Recording::load(std::size_t k) const {
  double out = 0;
  for (const auto& core : load_) out = std::max(out, core[k]);
  return out;
}

int Recording::opp_at(Time t) const {
  const auto after = std::upper_bound(times_.begin(), times_.end(), t);
  return opp_[static_cast<std::size_t>(std::max<std::ptrdiff_t>(after - times_.begin() - 1, 0))];
}

std::size_t Recording::row_after(Time t) const {
  return static_cast<std::size_t>(std::upper_bound(times_.begin(), times_.end(), t) - times_.begin());
}

Recording::Busy Recording::busy(std::size_t core, Time from, Time to) const {
  Busy out;
  if (to <= from) return out;
  for (std::size_t k = row_after(from); k < times_.size() && window_begin(k) < to; ++k) {
    const Time overlap = std::min(to, times_[k]) - std::max(from, window_begin(k));
    const double share = load_[core][k] * (to_s(overlap) / to_s(to - from));
    out.share += share;
    out.mhz += share * opps_mhz_[static_cast<std::size_t>(opp_[k == 0 ? 0 : k - 1])];
  }
  out.share = std::min(out.share, 1.0);
  return out;
}

bool Recording::after_gap(std::size_t k) const {
  constexpr Time kTypicalGaps = 3;
  return k > 0 && times_[k] - times_[k - 1] > kTypicalGaps * typical_gap_;
}

double Recording::typical_gap_s() const { return to_s(typical_gap_); }

}  // namespace dynasoc::trace
