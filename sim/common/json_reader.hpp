// Reads JSON and knows, at any time, where it is: so that a syntax error is reported at the character that is wrong,
// and a value that makes no sense at the place where it was written.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

namespace dynasoc {

using Json = nlohmann::ordered_json;  // keeps the file's order: applications are reported as they are listed

/// Reads a whole text as one value (RFC 8259, UTF-8, nothing more). `name` stands for the text in messages. Throws
/// InputError, with the place, for anything else, and for what JSON leaves open but no file of ours may hold: a key
/// that appears twice in an object, a number beyond a double's range, more of anything than outside.hpp says.
Json read_json(const std::string& text, const std::string& name);

/// Where in a text that `read_json` accepts the value at a JSON pointer begins, or its member's name if `key` is true.
/// Where the text has no such value, that of its nearest ancestor.
std::size_t offset_in_json(const std::string& text, std::string_view pointer, bool key);

/// Line and column of an offset, both from 1; a column is a character (not a byte).
std::pair<std::size_t, std::size_t> line_and_column(std::string_view text, std::size_t offset);

/// Escapes a key for use in a JSON pointer (RFC 6901).
std::string pointer_token(std::string_view key);

}  // namespace dynasoc
