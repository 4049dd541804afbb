// A platform file from what a board says of itself.
#pragma once

#include <string>
#include <vector>

#include "board/agent.hpp"
#include "common/json_reader.hpp"

namespace dynasoc::board {

struct ProbedPlatform {
  Json platform;                   ///< as of a platform file; loads as it is
  std::vector<std::string> notes;  ///< what was guessed, and what somebody has to fill in
};

/// Clocks, units, rails and zones of an answer to `probe` as a platform called `name`. Powers are not known yet: one
/// point of 0 W a unit, which says so. CPU policies with the same operating points are one unit; it leaves a CPU free
/// for everything that is not an inference, where there are three or more. Throws InputError for a board without any
/// clock.
ProbedPlatform platform_of(const Json& probe, const std::string& name);

/// A name for a board: its model in lower case and dashes.
std::string platform_name_of(const Json& probe);

/// One line: model, JetPack, kernel.
std::string identity_of(const Json& board);

/// For people: the board and what is missing.
std::string probe_text(const Json& probe, const ProbedPlatform& platform);

}  // namespace dynasoc::board
