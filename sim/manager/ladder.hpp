// The ladder of an application: the configurations (sub-network, unit, clock) worth choosing from, fastest first.
//
// A configuration is on it unless another one that may be chosen is no slower, needs no more energy and is no less
// accurate, and is better in one of the three (of equals in all three, the lowest unit, then clock, then sub-network
// stays). The order is by table latency, ascending; of equal latencies the less accurate, which is then also the
// cheaper, comes first. So a step up is a step to a slower rung. With one clock it is to a more accurate one; where
// clocks may be chosen it may instead be to a cheaper one, even of a smaller sub-network.
//
// What may be chosen: OPPs within the limits in force; of the application's own unit unless `mapping`; at one clock
// (see ReferenceClocks) unless `dvfs`; only what the tables cover. Configurations below the accuracy floor or over the
// energy or power budget (both of one inference, above idle, by the tables) are left out if others remain; where they
// exclude each other, the budgets give way first, then the floor.
#pragma once

#include <span>
#include <vector>

#include "manager/clocks.hpp"

namespace dynasoc::manager {

struct Rung {
  int subnet = -1;
  int unit = -1;
  int opp = -1;
  double latency_ms = 0;
  double energy_mj = 0;  ///< infinite where the tables do not tell it
  double accuracy = 0;

  bool same_place(const Rung& other) const { return subnet == other.subnet && unit == other.unit && opp == other.opp; }
};

class Ladder {
 public:
  struct Options {
    bool dvfs = false;
    bool mapping = false;
  };

  /// Builds it anew if tables, limits, targets that bound it or (without `mapping`) the unit have changed; tells
  /// whether it did.
  bool refresh(const Observation& seen, const AppView& app, const ReferenceClocks& clocks, const Options& options);

  std::span<const Rung> rungs() const { return rungs_; }
  int size() const { return static_cast<int>(rungs_.size()); }
  const Rung& operator[](int index) const { return rungs_[static_cast<std::size_t>(index)]; }

  /// For a bump-less transfer: the rung that is this configuration; else the one whose latency is nearest in
  /// proportion (by the tables of now), of equals one with the same sub-network, then the faster. The fastest where the
  /// latency is not known. -1 on an empty ladder.
  int nearest(const Rung& like) const;

  double greatest_accuracy() const;
  double least_accuracy() const;
  double greatest_energy_mj() const;  ///< 0 where the tables tell none

 private:
  std::vector<Rung> all_, previous_, rungs_;
  double floor_ = 0, energy_mj_ = 0, power_w_ = 0;
};

/// The place of an application on its ladder.
class Climber {
 public:
  /// Refreshes the ladder. When it has changed, and when the application is found on another sub-network or unit than
  /// its rung's (as at the start), it takes the rung nearest to the configuration it was on. Tells whether it did.
  bool follow(const Observation& seen, const AppView& app, const ReferenceClocks& clocks,
              const Ladder::Options& options);
  void put(int index) {
    index_ = index;
    rung_ = ladder_[index];
  }

  const Ladder& ladder() const { return ladder_; }
  int index() const { return index_; }  ///< -1 on an empty ladder
  const Rung& rung() const { return rung_; }
  double share() const { return share_of(index_); }  ///< of the way up: 0 the fastest, 1 the slowest rung
  double share_of(int index) const { return ladder_.size() > 1 ? index / (ladder_.size() - 1.0) : 0; }

  /// Writes mapping and sub-network where they differ from the rung's, and votes for its clock if there are votes.
  void write(const Observation& seen, const AppView& app, const Why& why, Decision& decision, ClockVotes* votes) const;

 private:
  Ladder ladder_;
  int index_ = -1;
  Rung rung_;
};

}  // namespace dynasoc::manager
