// Finished points on disk: append-only files of one line a point, that a kill cannot spoil and that merge without
// memory.
//
//   index TAB key TAB values TAB check NEWLINE
//
// `index` is the point's number in the sweep, `key` identifies what was run (scenario, inputs, metrics, program),
// `values` has a replication's number and metrics separated by commas, replications by semicolons, `check` is a hash of
// what stands before it. A line is written at once; one that a kill cut short fails its check and is not there.
//
// Indices ascend within a file, for each worker takes points in order. So any number of files (of several workers,
// sessions and machines) are read in the order of points by a merge that keeps one line of each in memory, and opens
// each only when its turn comes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dynasoc::explore {

struct PointRecord {
  std::uint64_t index = 0;
  std::string key;
  std::string values;
};

/// A record as a line.
std::string point_line(const PointRecord& record);
/// False for what is no whole line of that form.
bool parse_point_line(std::string_view line, PointRecord& record);

/// Appends to one file, created with the first record.
class PointWriter {
 public:
  explicit PointWriter(std::filesystem::path path) : path_(std::move(path)) {}
  ~PointWriter();
  PointWriter(const PointWriter&) = delete;
  PointWriter& operator=(const PointWriter&) = delete;
  /// One write(2). Throws OutsideError where the disk refuses; what was written in part is taken back.
  void append(const PointRecord& record);

 private:
  std::filesystem::path path_;
  int file_ = -1;
};

/// The records of a folder's `*.points` files (or of several folders') in ascending order, each index once.
class PointReader {
 public:
  /// Throws InputError for a file with a line that is not a record, except the last line of a file: that was cut short
  /// by a kill, and its point is not there.
  explicit PointReader(const std::vector<std::filesystem::path>& folders);
  ~PointReader();
  PointReader(PointReader&&) noexcept;

  /// False at the end.
  bool next(PointRecord& record);
  std::size_t files() const { return count_; }

 private:
  class File;
  std::vector<std::unique_ptr<File>> waiting_;  // by descending first index: the next to open is the last
  std::vector<std::unique_ptr<File>> open_;     // a heap by index
  std::size_t count_ = 0;
  std::uint64_t last_ = 0;
  bool any_ = false;
};

}  // namespace dynasoc::explore
