// Files that a command line names as outputs: what they must not replace.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/options.hpp"

namespace dynasoc::cli {

/// Throws InputError if the file exists and --force is not given.
void require_new(const Options& options, const std::filesystem::path& path);
/// The file of an option that names an output; it must be new as above.
std::filesystem::path new_file(const Options& options, const std::string& option);

/// Throws InputError where no file can be: a path that is empty, a directory, or in a folder that is not there.
void require_place(const std::string& option, const std::filesystem::path& path);

/// Files of a command line by what names them there: `--background`, or empty for an operand.
using NamedFiles = std::vector<std::pair<std::string, std::filesystem::path>>;
/// Adds the files of those `options` that are given.
void add_files(NamedFiles& files, const Options& options, const std::vector<std::string>& names);
/// Throws InputError where one of `outputs` is another of them or one of `inputs`, by whatever path.
void require_different(const NamedFiles& outputs, const NamedFiles& inputs);
/// Throws InputError where one of `outputs` stands in the `directory` of --out, all of which is the command's.
void require_outside(const NamedFiles& outputs, const std::filesystem::path& directory);

/// For outputs that are replaced without being asked, as every run of a job writes them: throws InputError if the file
/// is there, holds something and `is_one` does not hold of its first bytes. `what` it should be, as in "a JUnit
/// report".
void require_same_kind(const std::string& option, const std::filesystem::path& path,
                       bool (*is_one)(std::string_view beginning), const std::string& what);

}  // namespace dynasoc::cli
