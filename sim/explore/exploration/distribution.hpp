// An exploration whose simulations others make: what is needed next, as lines of JSON, and their evaluation anywhere.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "explore/exploration/candidates.hpp"

namespace dynasoc::explore {

/// {"key", "replication", "assignments"} of each, a line of JSON an evaluation; at most `most` of them.
std::string pending_lines(const Candidates& candidates, const Pending& pending, std::size_t most);

/// Evaluates such a file and returns the journal's lines in its order. Throws InputError, with the file's line, for
/// what is not such a line, and for a key that is not this exploration's (another scenario, other metrics, another
/// version).
std::string evaluate_lines(const Space& space, const std::filesystem::path& path, int jobs,
                           const std::function<void(double)>& progress);

}  // namespace dynasoc::explore
