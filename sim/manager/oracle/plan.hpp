// Planning with knowledge of the future: which configuration serves which frame.
//
// A plan gives every frame of an application one configuration (sub-network, unit, OPP of the unit's first domain) that
// holds while it runs. Everything is known: arrivals, each frame's noise, targets, background loads and, for one
// application among several, what the others have planned.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "manager/foresight.hpp"

namespace dynasoc::manager {

/// Who else wants a unit, as total weight over time: sorted, the first from 0 on.
struct Demand {
  struct Step {
    Time from = 0;
    double weight = 0;
  };
  std::vector<Step> steps{{0, 0}};

  void add(Time from, Time to, double weight);

  /// When work that takes `alone_ns` by itself is done, begun at `start` with `weight` beside the others.
  Time finish(Time start, double alone_ns, double weight) const;
  /// Work [ns alone] done from `start` to `end`.
  double done_ns(Time start, Time end, double weight) const;
};

/// A way to serve a frame.
struct Configuration {
  int subnet = 0;
  int unit = 0;
  int opp = 0;
  double accuracy = 0;
  double power_w = 0;   ///< above idle, while it runs alone
  double idle_w = 0;    ///< of its unit at its OPP, over the least of the unit
  bool allowed = true;  ///< false: known (a clock may still be at its OPP), but not to be chosen
};

/// One application's problem. Frames are served in order of arrival, one at a time.
struct Problem {
  const Future* future = nullptr;
  int app = 0;
  std::vector<Time> arrivals;  ///< empty for a closed loop
  std::vector<Configuration> configurations;
  /// Time alone [ns] of frame n in a configuration; infinite where it cannot.
  std::function<double(std::uint64_t frame, std::size_t configuration)> alone_ns;
  std::function<void()> poll;  ///< called now and then; may throw to end the planning. May be empty.
  /// Shortest time of any sub-network by the tables [ns], which `drop-hopeless` compares deadlines with, by
  /// configuration.
  std::vector<double> fastest_ns;
  std::vector<Demand> demand;  ///< by unit, without this application
  std::vector<int> fixed;      ///< by frame: the configuration it must have; empty = free
  /// A frame counts as late if it is in time by less: engines round differently, and plans of others shift a little.
  Time guard = 1000;
  double price_per_s =
      0;  ///< paid for time on a unit while planning, so that others get some; not part of `Plan::cost`
  std::size_t most_labels = 70;
};

struct PlannedFrame {
  int configuration = -1;  ///< -1: dropped, or never served
  Time start = kNever;
  Time finish = kNever;
};

struct Plan {
  std::vector<PlannedFrame> frames;
  std::uint64_t served = 0;  ///< frames that count and are served
  double cost = 0;           ///< sum over frames, in the objective's unit, idle power over the least of a unit included
  bool exact = true;         ///< nothing was merged or assumed: no other plan of this kind costs less
  std::size_t merged = 0;    ///< labels given up because there were more than `most_labels`
};

/// Forward dynamic programming over frames: a label is (finish, cost, configuration) after a frame; labels that another
/// one can imitate at no more cost are dropped. `Plan::exact` is false where more than `most_labels` were left at some
/// frame, where frames give way to later ones or come as earlier ones end, on several units, where idle power follows
/// the clock, and where a label was dropped or a frame was done before a clock had settled.
Plan plan_alone(const Problem& problem);

}  // namespace dynasoc::manager
