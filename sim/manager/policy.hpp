// The contract of a runtime manager: it is triggered, reads monitors, and returns knob writes.
#pragma once

#include "manager/decision.hpp"
#include "manager/observation.hpp"
#include "manager/registry.hpp"

namespace dynasoc::manager {

/// When a policy wants to be asked. It is always asked once at the start.
struct Triggers {
  double period_ms = 0;  ///< 0 = not periodic
  bool arrival = false;
  bool completion = false;
  bool target_change = false;
  bool load_change =
      false;  ///< background load arrives or leaves; a real board sees it only as a change of utilisation
  bool thermal_trip = false;
};

/// A runtime manager. One object serves one run (one replication) or one board; it keeps what it has learnt.
///
/// `decide` must be a function of what it has been shown and of its own state: no clocks, no files, no randomness but a
/// stream seeded through its parameters. It writes into `decision`, which comes cleared. It may write any knob; writes
/// beyond a limit are clamped by the board and the clamped value is what gets recorded.
class Policy {
 public:
  static constexpr const char* what = "policy";
  virtual ~Policy() = default;
  virtual Triggers triggers() const = 0;
  virtual void decide(const Observation& seen, Decision& decision) = 0;

  /// Compute time of one decision [us]. It is charged to the unit that the manager runs on (the first CPU), where it
  /// competes like any job; the writes take effect when it is done, and triggers until then are not asked about.
  virtual double compute_cost_us() const { return 0; }
};

}  // namespace dynasoc::manager
