// What comes from outside the program and may be anything: how much of it is read, and how it is shown.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/json_reader.hpp"

namespace dynasoc {

/// The largest inputs that are read: far beyond any real one, and small enough that a wrong file is refused at once
/// instead of filling the memory. docs/limits.md tells them to users.
namespace limits {
inline constexpr std::size_t kFileBytes = 512u << 20;  ///< of any file, and of what comes out of a pipe
inline constexpr std::size_t kJsonBytes = 32u << 20;   ///< of a JSON text
inline constexpr int kJsonDepth = 64;                  ///< objects and arrays in one another; well short of the stack
inline constexpr std::size_t kMembers = 10'000;        ///< of a JSON object (applications, axes)
inline constexpr std::size_t kNameBytes = 1000;        ///< of a member's name, and of a column's
inline constexpr std::size_t kColumns = 1000;          ///< of a CSV file
inline constexpr std::size_t kCellBytes = 64u << 10;   ///< of one cell
}  // namespace limits

/// `read_json` for lines of which some may be broken (journals, other programs' answers): nothing for what it refuses.
/// No reader of the libraries' bounds the nesting, which copying, writing and comparing recurse into.
std::optional<Json> read_json_line(std::string_view line);

/// Text for a message that any terminal can show: line ends, control characters and what is not UTF-8 as escapes.
std::string one_line(std::string_view text);

/// `1.5 MB`: a number of bytes for messages, rounded.
std::string bytes_text(std::size_t bytes);

}  // namespace dynasoc
