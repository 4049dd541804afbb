// Does a recording fit a platform file: are its clocks operating points, are its rails known?
#pragma once

#include <map>
#include <string>
#include <vector>

#include "device/platform.hpp"
#include "scenario/trace/timeline.hpp"

namespace dynasoc::trace {

/// The domain of a platform that a column `NAME_mhz` is the clock of: core N's for `cpuN`, the kinds gpu and memory for
/// `gpu` and `emc`, else one of that name; -1 if there is none.
int domain_of(const Platform& platform, std::string_view name);

class ClockCheck final : public TimelineSink {
 public:
  /// Recorders print whole MHz: a clock within 1 MHz of an OPP is that OPP.
  static constexpr double kSameMhz = 1;

  ClockCheck(const TimelineColumns& columns, const Platform& platform) : columns_(columns), platform_(platform) {}
  void row(Time t, const std::vector<double>& values) override;

  /// `{"platform", "clocks": [{column, domain, mhz, rows, nearest_mhz}], "without_domain": […], "unknown_rails": […],
  /// "rails_not_recorded": […]}`: only what does not fit.
  Json to_json() const;
  std::string text() const;

 private:
  struct Column {
    int domain = -1;
    bool is_clock = false;
    std::map<double, std::uint64_t> odd;  // clocks that are no OPP, with their rows
  };
  const TimelineColumns& columns_;
  const Platform& platform_;
  std::vector<Column> known_;
};

}  // namespace dynasoc::trace
