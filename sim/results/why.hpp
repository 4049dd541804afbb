// Decisions as text: what a manager changed, why, what bound it, and what it had looked at.
#pragma once

#include <string>

#include "world/record.hpp"
#include "world/setup.hpp"

namespace dynasoc {

/// The clock that a candidate speaks of [MHz]: of its unit's first domain.
double candidate_mhz(const Setup& setup, const CandidateRecord& candidate);

/// The first `most` decisions of a run that was recorded with `Recording::decisions`, oldest first, and how many more
/// there are. Slack is in the unit of its constraint.
std::string why_text(const Setup& setup, const RunRecord& record, std::size_t most, bool colour);

}  // namespace dynasoc
