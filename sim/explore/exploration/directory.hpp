// The directory of an exploration: what makes it resumable, and what is refused.
//
//   explore.json      what is explored, written first
//   evaluations.tsv   every simulation made (journal.hpp), appended as they are made
//   front.csv, all.csv, front.json   the answer, written last
#pragma once

#include <filesystem>
#include <memory>

#include "explore/exploration/journal.hpp"
#include "explore/exploration/space.hpp"

namespace dynasoc::explore {

/// Creates the directory, or opens it to go on: what its journal holds is not simulated again, be the exploration the
/// same or changed in variables, algorithm, racing or replications. Refuses (InputError) a directory that holds
/// something else, one of another scenario or other metrics, one whose explore.json is not what this program writes,
/// and one that another process is at work in. `force` begins anew in a directory that holds an exploration only.
/// `command_line` is remembered, for people.
std::unique_ptr<Journal> open_directory(const std::filesystem::path& directory, const Space& space, bool force,
                                        const std::vector<std::string>& command_line = {});

/// Writes the answer's files, each complete or not at all.
struct Answer {
  std::string front_csv, all_csv, front_json;
};
void write_answer(const std::filesystem::path& directory, const Answer& answer);

}  // namespace dynasoc::explore
