// Which program made a result: results of another one are not taken for this one's.
#pragma once

#include <string>

namespace dynasoc::explore {

/// Version and commit. A program built from changed sources, or outside of a repository, is told by its own bytes.
/// Throws InputError where those cannot be read.
std::string build_identity();

}  // namespace dynasoc::explore
