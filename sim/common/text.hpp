// Numbers as text, and files written so that a kill leaves either the old file or the whole new one.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace dynasoc {

/// The shortest text that reads back as the same double.
std::string number_text(double x);

/// The same as a person writes it, for messages: 1e9 and not 1e+09.
std::string plain_number(double x);

/// `x` with `digits` significant digits, never in exponent form for ordinary magnitudes.
std::string rounded_text(double x, int digits = 4);

/// Appends without allocating a temporary; the shortest round-trip form.
void append_number(std::string& out, double x);
void append_number(std::string& out, long long x);

/// Writes to a temporary file beside `path` and renames it. Throws OutsideError when the disk refuses.
void write_file(const std::filesystem::path& path, std::string_view content);

/// A large file written bit by bit into `path`.partial; `commit` renames it. Without `commit` nothing remains.
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

 private:
  static constexpr std::size_t kLarge = 1 << 20;
  void flush();
  std::filesystem::path path_;
  std::string buffer_;
  int file_ = -1;
};

/// Reads a whole file, without the byte-order mark that some editors put first. Throws InputError when it is not there,
/// is a directory, cannot be read, is larger than 512 MB, or is UTF-16.
std::string read_file(const std::filesystem::path& path);

/// Length in bytes of the character that `text` begins with; 0 if that is not valid UTF-8 (or `text` is empty).
std::size_t utf8_length(std::string_view text);
/// Offset of the first byte that is not part of a valid character; `text.size()` if there is none.
std::size_t first_invalid_utf8(std::string_view text);

/// FNV-1a, 64 bit, as 16 hexadecimal digits: identifies an input in a manifest (not a security measure).
std::string content_hash(std::string_view content);

}  // namespace dynasoc
