// The contract of a runtime manager: it is triggered, reads monitors, and returns knob writes.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include "manager/decision.hpp"
#include "manager/observation.hpp"
#include "manager/registry.hpp"
#include "manager/scheduler.hpp"

namespace dynasoc::manager {

/// When a policy wants to be asked. It is always asked once at the start.
struct Triggers {
  double period_ms = 0;        ///< every so often; 0 = not periodic
  bool arrival = false;        ///< when a frame arrives
  bool completion = false;     ///< when a frame is done
  bool target_change = false;  ///< when an application's targets change
  /// When background load arrives or leaves; a real board sees it only as a change of utilisation.
  bool load_change = false;
  bool thermal_trip = false;  ///< when throttling begins, changes or ends
};

/// What a clairvoyant's plan is worth, in the objective's cost per frame.
struct Certificate {
  std::string method;             ///< how it was found
  double planned = std::nan("");  ///< cost that the plan was reckoned to have
  double bound =
      std::nan("");          ///< no manager that keeps one configuration a frame can cost less; NaN where none is known
  bool exact = false;        ///< the plan is the best of its kind: nothing was merged, assumed or cut short
  std::uint64_t merged = 0;  ///< partial plans given up to save time
  double milp_gap = std::nan("");  ///< of the solver, relative; NaN where none was used

  template <class V>
  void visit(V& v) {
    v(method), v(planned), v(bound), v(exact), v(merged), v(milp_gap);
  }
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

  /// When it wants to be asked.
  virtual Triggers triggers() const = 0;

  /// One decision: knob writes for what is seen, or none.
  virtual void decide(const Observation& seen, Decision& decision) = 0;

  /// Compute time of one decision [us]. It is charged to the unit that the manager runs on (the first CPU), where it
  /// competes like any job; the writes take effect when it is done, and triggers until then are not asked about.
  virtual double compute_cost_us() const { return 0; }

  /// A clairvoyant needs `Observation::foresight`, which no board has. It is asked twice at the start: clocks that it
  /// sets the first time are in effect, and in its tables, the second time.
  virtual bool clairvoyant() const { return false; }

  /// Chooses which inference has a unit next, in place of the units' own disciplines; null leaves it to them. The same
  /// object for the policy's whole life, which it does not outlive.
  virtual Scheduler* scheduler() { return nullptr; }

  /// What it has learnt, as members of its parameters, from which another run can start; null where it learns nothing
  /// that its parameters could say.
  virtual Json learnt() const { return {}; }

  /// Of a clairvoyant; null for others.
  virtual const Certificate* certificate() const { return nullptr; }
};

}  // namespace dynasoc::manager
