// One run of a scenario on a real board.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "board/board_engine.hpp"
#include "world/record.hpp"
#include "world/setup.hpp"

namespace dynasoc::board {

struct BoardRun {
  RunRecord record;               ///< as of a simulation
  std::vector<MeasuredJob> jobs;  ///< what was measured, in order of dispatch
  std::vector<std::string> warnings;
  std::string lost;            ///< why it ended before its time; the record is complete up to then
  double lateness_p99_ms = 0;  ///< of the host's timers
  double clock_error_ms = 0;   ///< between the board's clock and this machine's, at most
};

/// What a set-up asks for that no board can do: clairvoyant policies, preemption, drawn latencies, idealisations.
/// Throws InputError.
void refuse_what_is_simulated(const Setup& setup);

/// Runs the session's set-up in real time. `setup` (default: the session's) may differ from it in policy and seed.
BoardRun run_on_board(Session& session, const Setup& setup, const Recording& recording, std::uint64_t replication,
                      std::function<void(double)> progress);

}  // namespace dynasoc::board
