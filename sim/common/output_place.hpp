// Where what is written to a path goes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace dynasoc {

/// The descriptor of this process that a path names (`/dev/stdout`, `/dev/fd/3`): what it leads to is written on, and
/// not replaced.
std::optional<int> descriptor_of(const std::string& path);

/// Where a link leads, be it there or not: what is written replaces that and not the link. Throws OutsideError.
std::filesystem::path behind_links(const std::filesystem::path& path);

}  // namespace dynasoc
