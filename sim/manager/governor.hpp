// The contract of a frequency governor: one clock, one utilisation, one next OPP.
#pragma once

#include <span>

#include "kernel/time.hpp"
#include "manager/registry.hpp"

namespace dynasoc::manager {

/// What a governor sees of its domain.
struct DomainSample {
  Time now = 0;
  Time since = 0;   ///< start of the window that `busy` speaks of
  double busy = 0;  ///< share of the window in which a unit on this clock had work, 0 to 1
  std::span<const double> opps_mhz;
  int opp = 0;     ///< in effect
  int lowest = 0;  ///< limits now in force
  int highest = 0;
};

/// Sets one domain's clock, at the start, whenever its limits change, and every `period_ms`.
class Governor {
 public:
  static constexpr const char* what = "governor";
  virtual ~Governor() = default;

  /// Sampling period [ms]; 0 = only at the start and when limits change.
  virtual double period_ms() const { return 0; }

  /// The OPP wanted next; the board clamps it to the limits.
  virtual int next(const DomainSample& sample) = 0;
};

}  // namespace dynasoc::manager
