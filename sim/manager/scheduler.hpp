// The contract of a scheduler: which of several applications' inferences has a unit next.
//
// A policy that has one takes the place of every unit's own discipline for inferences: a unit serves one inference at a
// time, and the scheduler chooses which. Background load and the manager's own computing share the unit with it by
// weight, as on a fair unit. It is asked when an instant is over in which a unit became free or a frame came: about
// each unit that no inference has and that something waits for. An inference whose network has a block table gives its
// unit back at the end of each block while others wait, and is then one of the claims; others run to their end.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "manager/observation.hpp"

namespace dynasoc::manager {

/// An application's frame that wants a unit. Times are what the tables say at the present clocks, for an inference
/// alone; NaN where they say nothing.
struct Claim {
  int app = 0;              ///< index
  std::uint32_t frame = 0;  ///< its number in its application
  int subnet = 0;           ///< index, 0 is L1
  int unit = 0;             ///< that it was dispatched to
  int frames = 1;           ///< that are served together with it, itself included
  Time arrival = 0;         ///< of the frame
  Time deadline = kNever;   ///< kNever = none
  int priority = 0;         ///< its application's, larger is more important
  double isolated_ms = 0;   ///< the whole inference, on the unit that is asked about
  double remaining_ms = 0;  ///< what is left of it
  double next_ms = 0;       ///< of this, up to the next place where it may be interrupted
  double block_share = 0;   ///< share of the inference that its next block is
  Time ran = 0;             ///< when it last had a unit; its arrival if it never had
  bool started = false;     ///< it has had a unit before
  /// Time that it has had a unit so far, over what the tables say of that part at the present clocks; 1 before its
  /// first block.
  double stretch = 1;
  std::uint32_t lost = 0;      ///< frames of its application that were given up so far
  std::uint32_t children = 0;  ///< applications that its completion may trigger

  double slack_ms(Time now) const { return deadline == kNever ? HUGE_VAL : to_ms(deadline - now); }
  double idle_ms(Time now) const { return to_ms(now - ran); }
};

/// A unit that no inference has, and what may run on it.
struct Vacancy {
  int unit = 0;                        ///< index
  int opp = 0;                         ///< index of its clock's operating point now
  std::span<const Claim> claims;       ///< at least one; by arrival, then by application
  std::span<const double> free_in_ms;  ///< by unit: until what runs there is done, by the tables; 0 = it is free
  std::span<const std::uint8_t>
      may_run;  ///< by claim, then by unit: the tables cover it and it has not begun elsewhere
  bool may(std::size_t claim, std::size_t on) const { return may_run[claim * free_in_ms.size() + on] != 0; }
};

/// A scheduler of inferences. Like a policy a function of what it has been shown and of its own state.
class Scheduler {
 public:
  virtual ~Scheduler() = default;

  /// The index of the claim that gets the unit; -1 leaves the unit free until something changes. `seen` has the
  /// monitors of the policy's last decision, but the time of now.
  virtual int pick(const Observation& seen, const Vacancy& vacancy) = 0;

  /// Whether frames that have not begun may be moved to another unit: it is then shown all claims that the unit's
  /// tables cover, and one that is picked moves its application there.
  virtual bool roams() const { return false; }

  /// Claims to give up before the next is picked, by index; those that have begun are kept. Asked before each `pick`.
  virtual void give_up(const Observation& /*seen*/, const Vacancy& /*vacancy*/, std::vector<int>& /*claims*/) {}

  /// Compute time of one choice [us]: the unit stands still for it before the inference goes on.
  virtual double pick_cost_us() const { return 0; }
};

}  // namespace dynasoc::manager
