// A recorded board run, gone on with in the simulator under another policy from some instant on.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "manager/policy.hpp"
#include "scenario/scenario.hpp"

namespace dynasoc::board {

/// One knob write of a recorded run.
struct RecordedWrite {
  Time at = 0;
  manager::Knob knob = manager::Knob::subnet;
  int target = 0;
  int value = 0;
};

struct Recorded {
  std::vector<RecordedWrite> writes;
  std::vector<std::string> notes;  ///< what could not be taken over
};

/// What a policy wrote in a run's decisions.csv (replication 0). Throws InputError for names that the set-up does not
/// have.
Recorded recorded_writes(const std::filesystem::path& decisions_csv, const Setup& setup);

/// Makes the set-up that repeats the run in `directory` (of `board run`): its arrivals, its execution times (measured
/// over predicted, inference by inference, where they were alone; else the mean), the clocks that its governors chose
/// and its decisions up to `at`. Then `policy` decides, which has seen everything from the start on. `notes` gets what
/// could not be taken over. Throws InputError.
std::shared_ptr<Setup> fork_of(const Scenario& scenario, const std::filesystem::path& directory, Time at,
                               const manager::Choice<manager::Policy>& policy, std::vector<std::string>& notes);

}  // namespace dynasoc::board
