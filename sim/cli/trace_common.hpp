// What the subcommands of `trace` have in common.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.hpp"
#include "cli/options.hpp"

namespace dynasoc::cli {

int trace_import_command(const Arguments& arguments, Console& console);       ///< `trace import`
int trace_conformance_command(const Arguments& arguments, Console& console);  ///< `trace conformance`

/// The file of an option that names an output; it must not exist unless --force is given. Throws InputError.
std::filesystem::path new_file(const Options& options, const std::string& option);

/// Files of a command line by what names them there: `--background`, or empty for an operand.
using NamedFiles = std::vector<std::pair<std::string, std::filesystem::path>>;
/// Adds the files of those `options` that are given.
void add_files(NamedFiles& files, const Options& options, const std::vector<std::string>& names);
/// Throws InputError where one of `outputs` is another of them or one of `inputs`, by whatever path.
void require_different(const NamedFiles& outputs, const NamedFiles& inputs);

}  // namespace dynasoc::cli
