// What only a clairvoyant may know: the run that is about to happen. Simulators have it, boards do not.
#pragma once

#include <cstdint>
#include <vector>

#include "application/application.hpp"
#include "application/objective.hpp"
#include "kernel/time.hpp"

namespace dynasoc::manager {

/// Everything about a run that does not depend on what a manager does. Latencies are `Foresight::alone_ms`.
struct Future {
  struct Target {
    Time from = 0;
    Time deadline = kNever;  ///< relative to a frame's arrival, for frames dispatched from then on
  };
  struct App {
    ArrivalDriver driver = ArrivalDriver::clock;
    std::vector<Time> arrivals;  ///< of a clock-driven one, all before the end; frame n is its n-th
    Time start = 0;
    Time stop = kNever;  ///< no frame arrives from here on
    Time think = 0;      ///< of a closed loop: from a completion to the next frame
    int parent = -1;     ///< of a cascade
    std::vector<Target> targets;
    LatePolicy late = LatePolicy::queue;
    std::uint32_t queue_limit = 1;
    double weight = 1;
    Time switch_time = 0;
    double switch_energy_j = 0;
    double best_accuracy = 0;
  };
  /// A background load that wants a unit for a while.
  struct Load {
    int unit = 0;
    Time from = 0;
    Time to = kNever;
    double weight = 1;
  };
  struct Clock {
    Time stall = 0;   ///< a change holds the units it clocks
    Time settle = 0;  ///< and takes effect after this time
  };

  /// One power mode: the clocks that may be had at the start may be had all the time.
  bool steady = true;
  Time end = 0;
  Time warmup = 0;  ///< frames that arrive before and energy drawn before do not count
  Objective objective;
  std::vector<App> apps;
  std::vector<Load> loads;
  bool loads_exact = true;      ///< false: some load's length depends on who shares its unit; `loads` has an estimate
  std::vector<Clock> clocks;    ///< by domain
  std::vector<int> unit_clock;  ///< by unit: its first domain
  std::vector<bool> fair;       ///< by unit: its jobs share it by weight
};

class Foresight {
 public:
  virtual ~Foresight() = default;
  virtual Future future() const = 0;

  /// How long a frame of an application will take when alone on a unit at an OPP of its clock, the other clocks as they
  /// are [ms], its noise included; NaN where the tables do not cover the unit.
  virtual double alone_ms(int app, std::uint64_t frame, int subnet, int unit, int opp) const = 0;

  /// To be called now and then while planning; may throw to end it.
  virtual void poll() const = 0;

  /// Whether the parent's n-th completion triggers a frame of a cascade.
  virtual bool triggered(int app, std::uint64_t parent_frame) const = 0;
};

}  // namespace dynasoc::manager
