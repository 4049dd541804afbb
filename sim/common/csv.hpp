// Comma-separated tables with a header line (RFC 4180), read with located errors.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.hpp"
#include "common/fields.hpp"

namespace dynasoc {

/// A table of strings. Line numbers are kept, because messages need them.
class Csv {
 public:
  /// Throws InputError: missing file, no header, a row with another number of cells than the header, an open quote,
  /// a column named twice. Lines that are empty or begin with `#` are skipped.
  static Csv load(const std::filesystem::path& path);
  static Csv parse(const std::string& text, std::string name);

  const std::string& name() const { return name_; }
  const std::vector<std::string>& columns() const { return columns_; }
  std::size_t size() const { return rows_.size(); }
  bool has(std::string_view column) const { return index_of(column) >= 0; }

  /// Refuses columns outside `known` (with the nearest name) and the absence of one in `needed`.
  void expect(const std::vector<std::string>& needed, const std::vector<std::string>& optional) const;

  /// A cell; empty where the column does not exist.
  std::string_view text(std::size_t row, std::string_view column) const;

  /// A number within `range`. Throws InputError for anything else, an empty cell included.
  double number(std::size_t row, std::string_view column, const Range& range = {}) const;

  /// NaN for an empty cell or an absent column.
  double number_or_nan(std::size_t row, std::string_view column, const Range& range = {}) const;

  Location location(std::size_t row, std::string_view column) const;
  InputError error(std::size_t row, std::string_view column, const std::string& message) const {
    return InputError(location(row, column), message);
  }

 private:
  struct Row {
    std::size_t line;
    std::vector<std::string> cells;
  };
  int index_of(std::string_view column) const;

  std::string name_;
  std::vector<std::string> columns_;
  std::vector<Row> rows_;
};

/// A cell quoted where it must be.
std::string csv_cell(std::string_view text);

}  // namespace dynasoc
