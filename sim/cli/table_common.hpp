// What the subcommands of `table` have in common.
#pragma once

#include <string>
#include <vector>

#include "application/table.hpp"
#include "cli/options.hpp"
#include "common/json_reader.hpp"
#include "device/platform.hpp"

namespace dynasoc::cli {

/// To the file of --output, which must not exist yet (unless --force) and be none of `inputs`, or to the terminal.
void deliver(const std::string& content, const Options& options, Console& console,
             const std::vector<std::string>& inputs);

Json number_or_null(double x);

/// A platform by its file or its name. Throws InputError.
Platform find_platform(const std::string& name);

/// Draws the cells' latency over the units' clocks into `path` (.png or .svg), by gnuplot, else by python3 with
/// matplotlib. Throws InputError for another ending, OutsideError where neither program is there or it fails.
void plot_table(const Table& table, const std::string& title, const std::string& path);

}  // namespace dynasoc::cli
