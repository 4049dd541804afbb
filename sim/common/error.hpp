// Errors that a user can act on, and the hint that goes with a misspelt name.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace dynasoc {

/// Where in an input something stands. `line` and `column` count from 1; 0 means "not known".
struct Location {
  std::string file;
  std::size_t line = 0;
  std::size_t column = 0;
  std::string pointer;  ///< JSON pointer, or a CSV column's name; empty for the whole file

  /// `file:line:column: /pointer`, leaving out what is not known.
  std::string text() const;
};

/// Bad input: the command line, a file, or something a file names. The program ends with status 2. The text is always
/// one line, whatever the input held.
class InputError : public std::runtime_error {
 public:
  InputError(const Location& location, const std::string& message);
  explicit InputError(const std::string& message);

  /// Empty for the command line.
  const Location& location() const { return location_; }

 private:
  Location location_;
};

/// Something outside the program (a disk, a board, another process) failed. Status 3.
class OutsideError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A broken promise inside the program: status 4. Conservation checks throw it.
class InternalError : public std::logic_error {
  using std::logic_error::logic_error;
};

/// Text as part of a message: in double quotes, and its middle left out where it is very long.
std::string in_quotes(std::string_view text);

/// The candidate closest to `name` in edit distance, if it is close enough to be a slip of the fingers.
std::optional<std::string> nearest(std::string_view name, std::span<const std::string> candidates);

/// ` (did you mean "x"?)` where a candidate is near (or several are, equally), else ` (known: a, b, …)`.
std::string hint(std::string_view name, std::span<const std::string> candidates);

}  // namespace dynasoc
