// What the subcommands of `trace` have in common.
#pragma once

#include "cli/command.hpp"

namespace dynasoc::cli {

int trace_import_command(const Arguments& arguments, Console& console);       ///< `trace import`
int trace_conformance_command(const Arguments& arguments, Console& console);  ///< `trace conformance`

}  // namespace dynasoc::cli
