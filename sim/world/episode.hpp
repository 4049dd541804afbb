// A run whose manager is outside: it stops wherever a policy would be asked, and goes on with what it is told. For
// learners, and for whoever wants to look at a board between two decisions.
#pragma once

#include <memory>

#include "world/record.hpp"
#include "world/setup.hpp"

namespace dynasoc {

/// One run at a time on the native engine, on a stack of its own, so that a decision takes effect at the very place of
/// the run where a policy's would: the same decisions give the same record as a policy that makes them.
///
/// Any thread may resume it, one at a time. An episode that is destroyed or begun anew ends the run where it is.
class Episode {
 public:
  /// `setup` must outlive it; its own policy is not used. `cost_us`: compute time of a decision, as a policy's.
  Episode(const Setup& setup, const manager::Triggers& triggers, double cost_us = 0, const Recording& recording = {});
  ~Episode();

  /// Begins run number `replication` of the set-up and goes on to the first question, which is at time 0. Throws what a
  /// run throws.
  void begin(std::uint64_t replication);

  /// Carries out `decision()` and goes on to the next question. True: there is one. False: the run is over and `record`
  /// is there. Throws what a run throws; then it is over.
  bool resume();

  bool running() const;

  /// To be called some time before `resume` where many episodes take turns: the first two calls ago (`far`), then one
  /// ago.
  void prefetch(bool far) const;

  /// What is seen where the run has stopped, at its end too; valid until it goes on or is begun anew. Throws
  /// InternalError before the first run and after one that failed.
  const manager::Observation& seen() const;
  /// What is to be done there; empty when a question comes up.
  manager::Decision& decision();

  /// The cost so far by the scenario's objective (application/objective.hpp), not divided by the frames; what happened
  /// before the end of the warm-up is not in it. Energy counts as it is drawn, that of unfinished frames too.
  double cost() const;

  /// Of a run that is over.
  const RunRecord& record() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dynasoc
