// The framing of the protocol: lines of bounded length, in and out, with bounded memory.
#pragma once

#include <cstddef>
#include <string>

#include "refusal.hpp"

namespace dynasoc::agent {

constexpr std::size_t kLongestLine = 65536;  ///< bytes, with the newline
constexpr int kDeepestJson = 32;             ///< objects and arrays in one another

/// Cuts what was read into lines. One that is too long is told once and skipped up to its newline.
class LineReader {
 public:
  enum class Next { none, line, too_long };

  /// Reads once what is there. False: the end of input (or an error that is one).
  bool read_from(int file);
  /// The next line without its newline.
  Next next(std::string& line);
  /// Whether to read more before taking lines: memory stays below two lines' worth.
  bool full() const { return buffer_.size() - begin_ >= kLongestLine; }

 private:
  std::string buffer_;
  std::size_t begin_ = 0;    // of the line that comes next
  std::size_t scanned_ = 0;  // no newline before
  bool skipping_ = false;    // the rest of a line that was told to be too long
};

/// Lines on their way to a reader that may be slow, or not read at all.
class OutputQueue {
 public:
  void push(const std::string& line) { waiting_ += line; }
  /// Writes what the (non-blocking) file takes. False: nobody reads any more.
  bool flush(int file);
  std::size_t size() const { return waiting_.size() - begin_; }
  bool empty() const { return size() == 0; }

 private:
  std::string waiting_;
  std::size_t begin_ = 0;
};

/// The object in a line. Throws Refusal `bad_request`, in one line.
Json parse_object(const std::string& line);
/// One line, newline included; bytes that are not UTF-8 are replaced.
std::string line_of(const Json& object);

}  // namespace dynasoc::agent
