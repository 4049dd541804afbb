// Comma-separated tables with a header line (RFC 4180), read with located errors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.hpp"
#include "common/fields.hpp"

namespace dynasoc {

/// A table of strings. It keeps the text and where each cell stands in it: 8 bytes a cell, and exact places for
/// messages.
class Csv {
 public:
  /// Throws InputError: missing file, no header, a row with another number of cells than the header, an open quote,
  /// a column named twice, not UTF-8, more than outside.hpp allows. Lines that are empty or begin with `#` are skipped.
  static Csv load(const std::filesystem::path& path);
  static Csv parse(std::string text, std::string name);

  const std::string& name() const { return name_; }
  const std::vector<std::string>& columns() const { return columns_; }
  std::size_t size() const { return columns_.empty() ? 0 : cells_.size() / columns_.size(); }
  bool has(std::string_view column) const { return index_of(column) >= 0; }

  /// Refuses columns outside `needed` and `optional` (with the nearest name) and the absence of one in `needed`.
  void expect(const std::vector<std::string>& needed, const std::vector<std::string>& optional) const;

  /// A cell; empty where the column does not exist. Valid while the table is.
  std::string_view text(std::size_t row, std::string_view column) const;

  /// A number within `range`. Throws InputError for anything else, an empty cell included.
  double number(std::size_t row, std::string_view column, const Range& range = {}) const;

  /// NaN for an empty cell or an absent column.
  double number_or_nan(std::size_t row, std::string_view column, const Range& range = {}) const;

  /// Where a cell stands, with its column's name as the pointer; where the row begins if there is no such column.
  Location location(std::size_t row, std::string_view column) const;
  InputError error(std::size_t row, std::string_view column, const std::string& message) const {
    return InputError(location(row, column), message);
  }
  /// For what is wrong with the columns, or with there being no rows.
  InputError header_error(const std::string& message) const { return InputError(place(header_at_, "header"), message); }

 private:
  struct Span {
    std::uint32_t begin, size;  // inside the quotes, if any
  };
  int index_of(std::string_view column) const;
  Location place(std::size_t offset, std::string pointer) const;
  Span cell(std::size_t& at, std::string* plain) const;
  void row(std::size_t& at, std::vector<Span>& into);

  std::string name_;
  std::string text_;
  std::vector<std::string> columns_;
  std::vector<Span> column_spans_;
  std::size_t header_at_ = 0;
  std::vector<Span> cells_;                           // row by row
  std::map<std::uint32_t, std::string> with_quotes_;  // by begin: cells that hold quotes, as they read
};

/// A cell quoted where it must be.
std::string csv_cell(std::string_view text);

}  // namespace dynasoc
