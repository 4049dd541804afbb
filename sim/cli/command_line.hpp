// The whole command line as one function.
#pragma once

#include "cli/console.hpp"

namespace dynasoc::cli {

/// Runs a command line, without the program's name: `{"run", "scenarios/minimal.json", "--json"}`. Returns the exit
/// status where a command ends by itself (0, 1, or 2 of `lint` and of an empty line); throws InputError, OutsideError,
/// InternalError, and Interrupted from the console's progress.
int run_command_line(const Arguments& all, Console& console);

}  // namespace dynasoc::cli
