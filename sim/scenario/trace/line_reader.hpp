// Lines of a large text file in flat memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "common/error.hpp"
#include "scenario/trace/source.hpp"

namespace dynasoc::trace {

class LineReader {
 public:
  static constexpr std::size_t kLongest = 1 << 20;  ///< bytes of a line that are kept

  /// Throws InputError for what is not there, a directory, a device, a pipe that nobody writes to, what cannot be
  /// opened, UTF-16. Skips a byte-order mark.
  explicit LineReader(const Source& source);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  /// The next line without its line break (LF or CR LF), valid until the next call; false at the end. Throws InputError
  /// when the file cannot be read on.
  bool next(std::string_view& line);

  std::uint64_t number() const { return number_; }  ///< of the line last given, from 1
  std::uint64_t bytes() const { return bytes_; }    ///< read so far
  bool cut() const { return cut_; }                 ///< the line last given ended with the file, without a line break
  Location here() const { return {name_, number_, 0, ""}; }
  const std::string& name() const { return name_; }

 private:
  bool fill();

  std::string name_;
  int file_ = -1;
  std::string buffer_;
  std::size_t begin_ = 0, end_ = 0;  // what of the buffer is not given yet
  std::uint64_t number_ = 0, bytes_ = 0;
  bool ended_ = false, cut_ = false, pipe_ = false;
};

/// Hands on what a pipe holds, block by block as it comes, until its end. `take` may throw to end that, and is called
/// with an empty block when a signal comes and at the end. Throws InputError when it cannot be opened or read, is a
/// device, or nothing comes out of it: a pipe that nobody writes to is not waited for.
void read_stream(const std::filesystem::path& path, const std::function<void(std::string_view)>& take);

}  // namespace dynasoc::trace
