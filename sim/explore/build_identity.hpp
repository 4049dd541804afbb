// Which program made a result: results of another one are not taken for this one's.
#pragma once

#include <string>

namespace dynasoc::explore {

/// Version and commit. A program built from changed sources, or outside of a repository, is told by its own bytes.
/// Throws InputError where those cannot be read.
const std::string& build_identity();

/// Versions of the policies that an embedding program has registered and that `json` (the text of a scenario or of what
/// makes scenarios) names. Empty where there are none.
std::string embedded_policies(const std::string& json);

}  // namespace dynasoc::explore
