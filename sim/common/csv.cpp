#include "common/csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "common/json_reader.hpp"
#include "common/outside.hpp"
#include "common/text.hpp"

namespace dynasoc {

Csv Csv::load(const std::filesystem::path& path) { return parse(read_file(path), path.string()); }

Csv Csv::parse(std::string text, std::string name) {
  Csv csv;
  csv.name_ = std::move(name);
  csv.text_ = std::move(text);
  if (csv.text_.starts_with("\xEF\xBB\xBF")) csv.text_.erase(0, 3);  // a byte-order mark, as spreadsheets write
  const std::string& all = csv.text_;
  static_assert(limits::kFileBytes < ~std::uint32_t{0}, "spans hold offsets");
  if (all.size() > limits::kFileBytes)
    throw InputError({csv.name_, 0, 0, ""},
                     "is " + bytes_text(all.size()) + "; a table has at most " + bytes_text(limits::kFileBytes));
  if (const std::size_t bad = std::min(first_invalid_utf8(all), all.find('\0')); bad < all.size())
    throw InputError(csv.place(bad, "row"), "not valid UTF-8; save the file as UTF-8");
  for (std::size_t at = 0; at < all.size();) {
    if (all[at] == '#' || all[at] == '\n' || all[at] == '\r') {
      at = std::min(all.find('\n', at), all.size() - 1) + 1;
      continue;
    }
    if (!csv.columns_.empty()) {
      csv.row(at, csv.cells_);
      continue;
    }
    csv.header_at_ = at;
    csv.row(at, csv.column_spans_);
    for (const Span& span : csv.column_spans_) {
      const auto quotes = csv.with_quotes_.find(span.begin);
      std::string column = quotes != csv.with_quotes_.end() ? quotes->second : all.substr(span.begin, span.size);
      if (column.size() > limits::kNameBytes)
        throw InputError(csv.place(span.begin, "header"), "a column's name of " + bytes_text(column.size()) +
                                                              "; it may have " + bytes_text(limits::kNameBytes));
      if (csv.has(column))
        throw InputError(csv.place(span.begin, "header"), "the column " + in_quotes(column) + " appears twice");
      csv.columns_.push_back(std::move(column));
    }
    if (csv.columns_.size() == 1)
      if (const auto other = csv.columns_[0].find_first_of(";\t"); other != std::string::npos)
        throw InputError(csv.place(csv.column_spans_[0].begin + other, "header"),
                         std::string("cells are separated by ") +
                             (csv.columns_[0][other] == ';' ? "semicolons" : "tabs") + " here; commas are expected");
  }
  if (csv.columns_.empty())
    throw InputError({csv.name_, 1, 1, "header"}, "the file is empty; a line with the columns' names is expected");
  return csv;
}

// Reads the cell at `at` and leaves `at` behind it. `plain` is set to its text if that is not what stands there.
Csv::Span Csv::cell(std::size_t& at, std::string* plain) const {
  if (at == text_.size() || text_[at] != '"') {
    const std::size_t begin = at;
    at = std::min(text_.find_first_of(",\n\r", at), text_.size());
    return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at - begin)};
  }
  const std::size_t opened = at++;
  bool quotes = false;
  for (;;) {
    at = text_.find('"', at);
    if (at == std::string::npos)
      throw InputError(place(opened, "row"), "the quote that begins this cell is never closed");
    if (at + 1 == text_.size() || text_[at + 1] != '"') break;
    quotes = true;
    at += 2;
  }
  const Span span{static_cast<std::uint32_t>(opened + 1), static_cast<std::uint32_t>(at - opened - 1)};
  ++at;
  if (at < text_.size() && text_[at] != ',' && text_[at] != '\n' && text_[at] != '\r')
    throw InputError(place(at, "row"), "text follows a closing quote; a quote inside a quoted cell is written twice");
  if (quotes)
    for (std::size_t i = span.begin; i < span.begin + span.size; ++i) {
      *plain += text_[i];
      if (text_[i] == '"') ++i;
    }
  return span;
}

// Reads a line (more than one if a quoted cell holds line ends) and leaves `at` behind it.
void Csv::row(std::size_t& at, std::vector<Span>& into) {
  const std::size_t expected = columns_.size();
  std::size_t count = 0, surplus_at = 0;
  for (bool more = true; more; ++count) {
    if (count > 0) ++at;  // the comma
    if (count == expected) surplus_at = at;
    std::string plain;
    const Span span = cell(at, &plain);
    if (span.size > limits::kCellBytes)
      throw InputError(place(span.begin, "row"), "a cell of " + bytes_text(span.size) + "; it may have " +
                                                     bytes_text(limits::kCellBytes) +
                                                     " (a quote may be missing, or the commas)");
    if (expected == 0 && count == limits::kColumns)
      throw InputError(place(span.begin, "header"),
                       "the file has more than " + std::to_string(limits::kColumns) + " columns, which is the most");
    if (expected == 0 || count < expected) {
      if (!plain.empty()) with_quotes_[span.begin] = std::move(plain);
      into.push_back(span);
    }
    more = at < text_.size() && text_[at] == ',';
  }
  if (expected > 0 && count > expected)
    throw InputError(place(surplus_at, "row"),
                     "the row has " + std::to_string(count) + " cells, the header only " + std::to_string(expected));
  if (expected > 0 && count < expected)
    throw InputError(place(at, columns_[count]), "the row ends here, after " + std::to_string(count) + " of " +
                                                     std::to_string(expected) + " cells");
  while (at < text_.size() && text_[at] == '\r') ++at;
  if (at < text_.size() && text_[at] == '\n') ++at;
}

void Csv::expect(const std::vector<std::string>& needed, const std::vector<std::string>& optional) const {
  std::vector<std::string> known = needed;
  known.insert(known.end(), optional.begin(), optional.end());
  for (std::size_t i = 0; i < columns_.size(); ++i)
    if (std::find(known.begin(), known.end(), columns_[i]) == known.end())
      throw InputError(place(column_spans_[i].begin, "header"),
                       "unknown column " + in_quotes(columns_[i]) + hint(columns_[i], known));
  for (const std::string& column : needed)
    if (!has(column)) throw header_error("the column " + in_quotes(column) + " is missing");
}

int Csv::index_of(std::string_view column) const {
  const auto it = std::find(columns_.begin(), columns_.end(), column);
  return it == columns_.end() ? -1 : static_cast<int>(it - columns_.begin());
}

std::string_view Csv::text(std::size_t row, std::string_view column) const {
  const int index = index_of(column);
  if (index < 0) return {};
  const Span span = cells_[row * columns_.size() + static_cast<std::size_t>(index)];
  if (!with_quotes_.empty())
    if (const auto plain = with_quotes_.find(span.begin); plain != with_quotes_.end()) return plain->second;
  return std::string_view(text_).substr(span.begin, span.size);
}

double Csv::number(std::size_t row, std::string_view column, const Range& range) const {
  std::string_view cell = text(row, column);
  while (!cell.empty() && cell.front() == ' ') cell.remove_prefix(1);
  while (!cell.empty() && cell.back() == ' ') cell.remove_suffix(1);
  double x = 0;
  const auto [end, code] = std::from_chars(cell.data(), cell.data() + cell.size(), x);
  if (cell.empty()) throw error(row, column, "a number is expected, the cell is empty");
  if (code == std::errc::result_out_of_range)
    throw error(row, column, in_quotes(cell) + " is too large or too small for a number");
  if (code != std::errc{} || end != cell.data() + cell.size())
    throw error(row, column, in_quotes(cell) + " is not a number");
  if (!std::isfinite(x)) throw error(row, column, "must be a finite number, not " + std::string(cell));
  if (!range.holds(x)) throw error(row, column, "must be " + range.text(x) + ", not " + plain_number(x));
  return x;
}

double Csv::number_or_nan(std::size_t row, std::string_view column, const Range& range) const {
  return text(row, column).empty() ? std::nan("") : number(row, column, range);
}

Location Csv::place(std::size_t offset, std::string pointer) const {
  const auto [line, column] = line_and_column(text_, offset);
  return {name_, line, column, std::move(pointer)};
}

Location Csv::location(std::size_t row, std::string_view column) const {
  const int index = index_of(column);
  const Span span = cells_[row * columns_.size() + static_cast<std::size_t>(std::max(index, 0))];
  const bool in_quotes = span.begin > 0 && text_[span.begin - 1] == '"';
  return place(in_quotes ? span.begin - 1 : span.begin, column.empty() ? "row" : std::string(column));
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
