// Numbers as text, and files written so that a kill leaves either the old file or the whole new one.
#pragma once

#include <concepts>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace dynasoc {

struct Location;

/// The shortest text that reads back as the same double.
std::string number_text(double x);

/// The same as a person writes it, for messages: 1e9 and not 1e+09.
std::string plain_number(double x);

/// `x` with `digits` significant digits, never in exponent form for ordinary magnitudes.
std::string rounded_text(double x, int digits = 4);

/// Appends without allocating a temporary; the shortest round-trip form.
void append_number(std::string& out, double x);
void append_number(std::string& out, float x);
void append_number(std::string& out, long long x);

/// Appends value / 10^digits, exactly and with all digits: a whole number of nanoseconds as seconds (9), say, which a
/// double could not hold after three months.
void append_decimal(std::string& out, long long value, int digits);

/// Appends `text` as a JSON string, quotes included; what is not UTF-8 becomes U+FFFD.
void append_json(std::string& out, std::string_view text);

/// Writes to a temporary file beside `path` and renames it. Throws OutsideError when the disk refuses.
void write_file(const std::filesystem::path& path, std::string_view content);

/// A large file written bit by bit into `path`.partial; `commit` renames it. Without `commit` nothing remains. What the
/// system says of opening, writing, closing and renaming is heard; nothing is forced onto the disk (fsync), so that a
/// kill leaves no half file, and a loss of power may.
class FileWriter {
 public:
  explicit FileWriter(std::filesystem::path path);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  /// Text to append to; call `flush_if_large` now and then.
  std::string& buffer() { return buffer_; }
  void flush_if_large() {
    if (buffer_.size() > kLarge) flush();
  }
  void commit();

  /// Called whenever a part has been written; may throw to end the work.
  void on_flush(std::function<void()> poll) { poll_ = std::move(poll); }

 private:
  static constexpr std::size_t kLarge = 1 << 20;
  void flush();
  std::filesystem::path path_;
  std::string buffer_;
  std::function<void()> poll_;
  int file_ = -1;
};

/// Opens for reading what has an end: a file, or a pipe (`pipe` tells), which is not waited for until somebody writes
/// to it. The descriptor is the caller's to close. Throws InputError, at `here`, for what is not there, a directory, a
/// device, what cannot be opened, and a file of more than `most_bytes`.
int open_input(const std::filesystem::path& path, const Location& here, bool& pipe,
               std::size_t most_bytes = std::numeric_limits<std::size_t>::max());

/// Reads a file, or a pipe that somebody writes to, without the byte-order mark that some editors put first. Throws
/// InputError when it is not there, no file, cannot be read, is UTF-16 or larger than limits::kFileBytes (outside.hpp).
std::string read_file(const std::filesystem::path& path);

/// Makes a directory and those above it. Throws InputError where there can be none of that name, OutsideError where the
/// disk refuses.
void make_directories(const std::filesystem::path& directory);

/// Length in bytes of the character that `text` begins with; 0 if that is not valid UTF-8 (or `text` is empty).
std::size_t utf8_length(std::string_view text);
/// Offset of the first byte that is not part of a valid character; `text.size()` if there is none.
std::size_t first_invalid_utf8(std::string_view text);

/// FNV-1a, 64 bit, as 16 hexadecimal digits: identifies an input in a manifest (not a security measure).
std::string content_hash(std::string_view content);

/// The name of a sub-network by its place in the network, from 0: "L1" is the first, the smallest.
std::string level_name(std::integral auto subnet) { return "L" + std::to_string(subnet + 1); }

}  // namespace dynasoc
