// Decisions as text: what a manager changed, why, what bound it, and what it had looked at.
#pragma once

#include <string>

#include "world/record.hpp"
#include "world/setup.hpp"

namespace dynasoc {

/// The clock that a candidate speaks of [MHz]: of its unit's first domain.
double candidate_mhz(const Setup& setup, const CandidateRecord& candidate);

/// How many candidates the decisions of a log looked at, and how many of them were feasible.
class CandidateCounts {
 public:
  explicit CandidateCounts(const RunRecord& record) : record_(record) {}

  /// To be told each entry of the record's log, in its order; `candidates` and `feasible` are then of that entry.
  void next(const DecisionRecord& decision) {
    if (begun_ && decision.decision == decision_) return;
    begun_ = true;
    decision_ = decision.decision;
    candidates = feasible = 0;
    for (; at_ < record_.candidates.size() && record_.candidates[at_].decision == decision_; ++at_) {
      ++candidates;
      feasible += record_.candidates[at_].feasible;
    }
  }
  long long candidates = 0;
  long long feasible = 0;

 private:
  const RunRecord& record_;
  std::size_t at_ = 0;  // both lists are in the order of decisions
  std::uint32_t decision_ = 0;
  bool begun_ = false;
};

/// The first `most` decisions of a run that was recorded with `Recording::decisions`, oldest first, and how many more
/// there are. Slack is in the unit of its constraint.
std::string why_text(const Setup& setup, const RunRecord& record, std::size_t most, bool colour);

}  // namespace dynasoc
