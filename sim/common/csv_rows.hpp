// A table that may be larger than memory, row by row: what `Csv` reads, without its random access.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.hpp"

namespace dynasoc {

/// Rows of a comma-separated file with a header line (RFC 4180, without comments; every line has an end, as in what
/// this program writes), in one pass. The file's longest row and a buffer are in memory.
class CsvRows {
 public:
  /// Reads the header. Throws InputError: no such file, no header, a column named twice, names that are not UTF-8,
  /// more or longer ones than common/outside.hpp allows.
  explicit CsvRows(const std::filesystem::path& path);
  ~CsvRows();
  CsvRows(const CsvRows&) = delete;
  CsvRows& operator=(const CsvRows&) = delete;

  const std::vector<std::string>& columns() const { return columns_; }
  bool has(std::string_view column) const;
  /// Index of a column. Throws InputError, with the header's place, where there is none.
  std::size_t column(std::string_view name) const;

  /// The next row; false at the end. Throws InputError for one with another number of cells than the header, an open
  /// quote, no end, or a cell larger than limits::kCellBytes.
  bool next();

  /// A cell of the row, as it reads: any bytes. Valid until `next`.
  std::string_view text(std::size_t column) const { return cells_[column]; }
  /// A finite number. Throws InputError for anything else.
  double number(std::size_t column) const;
  /// The same; NaN for an empty cell.
  double number_or_nan(std::size_t column) const;
  /// A whole number from 0 on. Throws InputError for anything else.
  std::uint64_t whole(std::size_t column) const;

  /// For what is wrong with a cell of the row.
  InputError error(std::size_t column, const std::string& message) const;

  /// Bytes of rows that were read so far, and of the whole file.
  std::size_t position() const { return offset_ + at_; }
  std::size_t file_size() const { return size_; }

 private:
  bool read_line();
  void split();
  void split_quoted();
  bool fill();

  std::string name_;
  int file_ = -1;
  std::size_t size_ = 0;
  std::size_t offset_ = 0;  // of the buffer in the file
  std::string buffer_;
  std::size_t at_ = 0;  // where the next line begins in the buffer
  bool end_of_file_ = false;
  std::string_view line_;
  std::size_t line_number_ = 0;  // of the row's first line
  std::size_t lines_read_ = 0;
  std::vector<std::string> columns_;
  std::vector<std::string_view> cells_;
  std::vector<std::string> plain_;  // cells that hold quotes, as they read
};

}  // namespace dynasoc
