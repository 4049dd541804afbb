#include "common/csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "common/text.hpp"

namespace dynasoc {

Csv Csv::load(const std::filesystem::path& path) { return parse(read_file(path), path.string()); }

Csv Csv::parse(const std::string& text, std::string name) {
  Csv csv;
  csv.name_ = std::move(name);
  std::size_t at = 0, line = 1;
  if (text.starts_with("\xEF\xBB\xBF")) at = 3;  // a byte-order mark, as spreadsheets write
  while (at < text.size()) {
    if (text[at] == '#' || text[at] == '\n' || text[at] == '\r') {
      while (at < text.size() && text[at] != '\n') ++at;
      if (at < text.size()) ++at;
      ++line;
      continue;
    }
    Row row{line, {}};
    bool more = true;
    while (more) {
      std::string cell;
      if (at < text.size() && text[at] == '"') {
        const std::size_t opened = line;
        for (++at;; ++at) {
          if (at >= text.size()) throw InputError({csv.name_, opened, 0, ""}, "a quoted cell is not closed");
          if (text[at] == '"' && at + 1 < text.size() && text[at + 1] == '"')
            cell += text[++at];
          else if (text[at] == '"')
            break;
          else {
            if (text[at] == '\n') ++line;
            cell += text[at];
          }
        }
        ++at;
        if (at < text.size() && text[at] != ',' && text[at] != '\n' && text[at] != '\r')
          throw InputError({csv.name_, line, 0, ""}, "text follows a closing quote");
      } else {
        while (at < text.size() && text[at] != ',' && text[at] != '\n' && text[at] != '\r') cell += text[at++];
      }
      row.cells.push_back(std::move(cell));
      more = at < text.size() && text[at] == ',';
      if (more) ++at;
    }
    while (at < text.size() && text[at] == '\r') ++at;
    if (at < text.size() && text[at] == '\n') ++at;
    ++line;
    if (csv.columns_.empty()) {
      csv.columns_ = std::move(row.cells);
      for (std::size_t i = 0; i < csv.columns_.size(); ++i)
        if (std::find(csv.columns_.begin(), csv.columns_.begin() + static_cast<long>(i), csv.columns_[i]) !=
            csv.columns_.begin() + static_cast<long>(i))
          throw InputError({csv.name_, row.line, 0, csv.columns_[i]}, "the column appears twice");
      continue;
    }
    if (row.cells.size() != csv.columns_.size())
      throw InputError({csv.name_, row.line, 0, ""}, "has " + std::to_string(row.cells.size()) + " cells, the header " +
                                                         std::to_string(csv.columns_.size()));
    csv.rows_.push_back(std::move(row));
  }
  if (csv.columns_.empty()) throw InputError({csv.name_, 1, 0, ""}, "the file is empty; a header line is expected");
  return csv;
}

void Csv::expect(const std::vector<std::string>& needed, const std::vector<std::string>& optional) const {
  std::vector<std::string> known = needed;
  known.insert(known.end(), optional.begin(), optional.end());
  for (const std::string& column : columns_)
    if (std::find(known.begin(), known.end(), column) == known.end())
      throw InputError({name_, 1, 0, column}, "unknown column \"" + column + "\"" + hint(column, known));
  for (const std::string& column : needed)
    if (!has(column)) throw InputError({name_, 1, 0, column}, "the column \"" + column + "\" is missing");
}

int Csv::index_of(std::string_view column) const {
  const auto it = std::find(columns_.begin(), columns_.end(), column);
  return it == columns_.end() ? -1 : static_cast<int>(it - columns_.begin());
}

std::string_view Csv::text(std::size_t row, std::string_view column) const {
  const int index = index_of(column);
  return index < 0 ? std::string_view{} : std::string_view(rows_[row].cells[static_cast<std::size_t>(index)]);
}

double Csv::number(std::size_t row, std::string_view column, const Range& range) const {
  std::string_view cell = text(row, column);
  while (!cell.empty() && cell.front() == ' ') cell.remove_prefix(1);
  while (!cell.empty() && cell.back() == ' ') cell.remove_suffix(1);
  double x = 0;
  const auto [end, code] = std::from_chars(cell.data(), cell.data() + cell.size(), x);
  if (cell.empty()) throw error(row, column, "a number is expected, the cell is empty");
  if (code != std::errc{} || end != cell.data() + cell.size())
    throw error(row, column, "\"" + std::string(cell) + "\" is not a number");
  if (!std::isfinite(x)) throw error(row, column, "must be a finite number, not " + std::string(cell));
  if (!range.holds(x)) throw error(row, column, "must be " + range.text() + ", not " + number_text(x));
  return x;
}

double Csv::number_or_nan(std::size_t row, std::string_view column, const Range& range) const {
  return text(row, column).empty() ? std::nan("") : number(row, column, range);
}

Location Csv::location(std::size_t row, std::string_view column) const {
  const int index = index_of(column);
  return {name_, rows_[row].line, index < 0 ? 0 : static_cast<std::size_t>(index) + 1, std::string(column)};
}

std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\n\r") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

}  // namespace dynasoc
