#include "scenario/trace/csv_import.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "common/csv.hpp"
#include "common/text.hpp"
#include "scenario/trace/columns.hpp"
#include "scenario/trace/decimal.hpp"
#include "scenario/trace/line_reader.hpp"
#include "scenario/trace/timeline.hpp"

namespace dynasoc::trace {
namespace {

struct Unit {
  std::string_view name;
  char kind;      // what it measures
  double factor;  // to the kind's base
};
constexpr std::array kUnits{Unit{"ns", 't', 1e-9}, Unit{"us", 't', 1e-6}, Unit{"ms", 't', 1e-3},
                            Unit{"s", 't', 1},     Unit{"min", 't', 60},  Unit{"h", 't', 3600},
                            Unit{"hz", 'f', 1},    Unit{"khz", 'f', 1e3}, Unit{"mhz", 'f', 1e6},
                            Unit{"ghz", 'f', 1e9}, Unit{"uw", 'p', 1e-6}, Unit{"mw", 'p', 1e-3},
                            Unit{"w", 'p', 1},     Unit{"uj", 'e', 1e-6}, Unit{"mj", 'e', 1e-3},
                            Unit{"j", 'e', 1},     Unit{"share", 'u', 1}, Unit{"percent", 'u', 0.01},
                            Unit{"%", 'u', 0.01},  Unit{"mc", 'c', 1e-3}, Unit{"c", 'c', 1}};

const Unit* unit_named(std::string_view name) {
  for (const Unit& unit : kUnits)
    if (unit.name == name) return &unit;
  return nullptr;
}

// Of a column by the end of its name; null where it has none.
const Unit* unit_in_name(std::string_view name) {
  if (name.ends_with("utilisation") || name.ends_with("utilization")) return unit_named("share");
  const auto at = name.rfind('_');
  return at == std::string_view::npos ? nullptr : unit_named(name.substr(at + 1));
}

bool is_clock(std::string_view name) { return name == "arrival_s" || name == "t_s" || name == "time_s"; }

// Points in time, which move with the clock; any other `…_s` is a length.
bool is_time(std::string_view name) {
  return is_clock(name) || name == "start_s" || name == "issue_s" || name == "end_s";
}

// A line's cells; false for an open quote. common/csv.hpp refuses a file for one bad line and holds it whole; here such
// lines are counted and the rest is taken.
bool split(std::string_view line, char delimiter, std::vector<std::string>& cells) {
  cells.clear();
  for (std::size_t at = 0;;) {
    std::string cell;
    if (at < line.size() && line[at] == '"') {
      for (++at;; ++at) {
        if (at >= line.size()) return false;
        if (line[at] != '"') {
          cell += line[at];
        } else if (at + 1 < line.size() && line[at + 1] == '"') {
          cell += line[at++];
        } else {
          break;
        }
      }
      ++at;
      if (at < line.size() && line[at] != delimiter) return false;
    } else {
      const std::size_t end = std::min(line.find(delimiter, at), line.size());
      cell = line.substr(at, end - at);
      at = end;
    }
    const auto begin = cell.find_first_not_of(' ');
    cells.push_back(begin == std::string::npos ? "" : cell.substr(begin, cell.find_last_not_of(' ') - begin + 1));
    if (at >= line.size()) return true;
    ++at;
  }
}

std::optional<double> signed_number_of(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  return number_of(text);
}

struct Column {
  std::string to;
  std::size_t from = 0;
  const Unit* unit = nullptr;    // of the file
  const Unit* wanted = nullptr;  // of the result
  bool is_time = false;          // a point in time
};

constexpr Time kMostTime = 4'000'000'000'000'000'000;  // 126 years: differences fit the clock

// A point in time [ns], exactly where the unit allows.
std::optional<Time> time_of(std::string_view text, const Unit& unit) {
  const int digits = unit.name == "s" ? 9 : unit.name == "ms" ? 6 : unit.name == "us" ? 3 : unit.name == "ns" ? 0 : -1;
  if (digits >= 0)
    if (const auto exact = decimal(text, digits); exact && std::abs(*exact) < kMostTime) return exact;
  const auto x = signed_number_of(text);
  if (!x || std::abs(*x * unit.factor) > to_s(kMostTime)) return {};
  return from_s(*x * unit.factor);
}

// What no `x` in the unit of `column` can be; empty where it can.
std::string impossible(const Column& column, double x) {
  if (column.wanted == nullptr || std::isnan(x)) return "";
  constexpr double kAbsoluteZero = -273.15;
  const double base = x * column.wanted->factor;
  switch (column.wanted->kind) {
    case 'u':
      return base < -kShareSlack || base > 1 + kShareSlack ? "a share is from 0 to 1 (percent: say so, :%)" : "";
    case 'f': return base <= 0 ? "a clock is above 0" : "";
    case 'c': return base < kAbsoluteZero ? "a temperature is at least -273.15 C" : "";
    case 't': return base < 0 ? "a length of time is at least 0" : "";
    case 'e': return base < 0 ? "an energy is at least 0" : "";
    default: return base < 0 ? "a power is at least 0" : "";
  }
}

// Of a header that has none of the names asked for.
bool is_no_text(std::string_view line) {
  std::size_t odd = 0;
  const std::size_t size = line.size();
  while (!line.empty()) {
    const std::size_t length = utf8_length(line);
    if (line[0] == '\0') return true;
    odd += length == 0 || (static_cast<unsigned char>(line[0]) < 0x20 && line[0] != '\t');
    line.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return odd * 10 > size;
}

std::vector<Column> resolve(const std::vector<ColumnMapping>& mappings, const std::vector<std::string>& header,
                            const Location& where, std::string_view line) {
  std::vector<Column> out;
  for (const ColumnMapping& mapping : mappings) {
    const auto found = std::find(header.begin(), header.end(), mapping.from);
    if (found == header.end()) {
      if (is_no_text(line)) throw InputError(where, "is binary, no text: this is no CSV file");
      std::vector<std::string> known;
      for (const std::string& name : header) known.push_back(printable(name));
      throw InputError(where, "there is no column " + in_quotes(printable(mapping.from)) + hint(mapping.from, known));
    }
    Column column{mapping.to, static_cast<std::size_t>(found - header.begin())};
    column.wanted = unit_in_name(mapping.to);
    column.unit = mapping.unit.empty() ? unit_in_name(mapping.from) : unit_named(mapping.unit);
    if (column.unit == nullptr || column.wanted == nullptr || column.unit->kind != column.wanted->kind)
      column.unit = column.wanted;
    column.is_time = is_time(mapping.to);
    out.push_back(std::move(column));
  }
  return out;
}

struct Row {
  Time clock = 0;
  std::uint64_t line = 0;
  std::vector<double> values;  // [ns] from the clock on for times
};

}  // namespace

std::vector<ColumnMapping> column_mappings(const std::string& text) {
  std::vector<ColumnMapping> out;
  bool clock = false;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string one = text.substr(at, end - at);
    at = end + 1;
    const auto equals = one.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == one.size())
      throw InputError("--columns " + in_quotes(one) +
                       ": must be NAME=COLUMN or NAME=COLUMN:UNIT, for instance arrival_s=ts:ns");
    ColumnMapping mapping{one.substr(0, equals), one.substr(equals + 1), ""};
    if (printable(mapping.to, mapping.to.size()) != mapping.to)
      throw InputError("--columns " + in_quotes(printable(one)) + ": a column's name must be printable UTF-8");
    if (const auto colon = mapping.from.rfind(':'); colon != std::string::npos && colon > 0) {
      mapping.unit = mapping.from.substr(colon + 1);
      mapping.from.resize(colon);
      std::vector<std::string> known;
      for (const Unit& unit : kUnits) known.emplace_back(unit.name);
      const Unit* unit = unit_named(mapping.unit);
      if (unit == nullptr)
        throw InputError("--columns " + in_quotes(one) + ": unknown unit " + in_quotes(mapping.unit) +
                         hint(mapping.unit, known));
      const Unit* wanted = unit_in_name(mapping.to);
      if (wanted == nullptr || wanted->kind != unit->kind)
        throw InputError("--columns " + in_quotes(one) + ": " + in_quotes(mapping.to) +
                         (wanted == nullptr ? " has no unit in its name" : " is not measured in " + mapping.unit));
    }
    for (const ColumnMapping& other : out)
      if (other.to == mapping.to) throw InputError("--columns: " + in_quotes(mapping.to) + " is there twice");
    if (is_clock(mapping.to) && clock)
      throw InputError("--columns: only one of arrival_s, t_s and time_s can be the clock");
    clock = clock || is_clock(mapping.to);
    out.push_back(std::move(mapping));
  }
  if (!clock) throw InputError("--columns: which column is the time? (arrival_s=… for arrivals, t_s=… for a timeline)");
  return out;
}

CsvImport import_csv(const std::filesystem::path& path, const std::vector<ColumnMapping>& mappings, bool keep_times) {
  CsvImport out;
  ImportReport& report = out.report;
  report.kind = "csv";
  report.files.push_back(path.string());
  LineReader reader(path);
  std::string_view line;
  std::vector<std::string> header;
  bool has_header = false;  // which is no line of the recording
  while (reader.next(line)) {
    if (has_header = !line.empty() && line[0] != '#'; has_header) break;
    ++report.read;
    report.drop("an empty line or a comment", reader.here(), line);
  }
  if (!has_header) nothing_understood(path, report);
  char delimiter = ',';
  for (const char other : {';', '\t'})
    if (std::count(line.begin(), line.end(), other) > std::count(line.begin(), line.end(), delimiter))
      delimiter = other;
  if (!split(line, delimiter, header)) header.clear();
  const std::vector<Column> columns =
      resolve(mappings, header, {path.string(), std::max<std::uint64_t>(reader.number(), 1), 0, ""}, line);
  const std::size_t clock = static_cast<std::size_t>(
      std::find_if(columns.begin(), columns.end(), [](const Column& c) { return is_clock(c.to); }) - columns.begin());

  std::vector<Row> rows;
  std::vector<std::string> cells, odd;
  while (reader.next(line)) {
    ++report.read;
    const Location here = reader.here();
    if (line.empty() || line[0] == '#') {
      report.drop("an empty line or a comment", here, line);
      continue;
    }
    if (!split(line, delimiter, cells) || cells.size() != header.size()) {
      report.drop(reader.cut() ? "the last line is cut" : "another number of cells than the header has", here, line);
      continue;
    }
    Row row;
    row.line = reader.number();
    const auto at = time_of(cells[columns[clock].from], *columns[clock].unit);
    if (!at) {
      report.drop("no time in " + in_quotes(printable(header[columns[clock].from])), here, line);
      continue;
    }
    row.clock = *at;
    bool good = true;
    odd.clear();
    for (const Column& column : columns) {
      const std::string& cell = cells[column.from];
      std::optional<double> x;
      if (cell.empty()) {
        x = std::numeric_limits<double>::quiet_NaN();
      } else if (column.is_time) {
        if (const auto t = time_of(cell, *column.unit)) x = static_cast<double>(*t - row.clock);
      } else if ((x = signed_number_of(cell)) && column.unit != nullptr) {
        // One multiplication or division by a power of ten: 12 ms are 0.012 s and not 0.012000000000000002.
        const double factor = column.unit->factor / column.wanted->factor;
        x = factor < 1 ? *x / std::round(column.wanted->factor / column.unit->factor) : *x * std::round(factor);
      }
      if (x && !column.is_time)
        if (const std::string why = impossible(column, *x); !why.empty()) {
          odd.push_back(in_quotes(printable(header[column.from])) + " has what " + column.to +
                        " cannot be, left out: " + why);
          x = std::numeric_limits<double>::quiet_NaN();
        }
      good = good && x;
      row.values.push_back(x.value_or(0));
      if (!x) {
        report.drop("no number in " + in_quotes(printable(header[column.from])), here, line);
        break;
      }
    }
    if (!good) continue;
    for (const std::string& reason : odd) report.remark(reason, here, line);
    if (reader.cut()) report.remark("the last line ends without a line break: its last number may be cut", here, line);
    if (!rows.empty() && row.clock < rows.back().clock)
      report.remark("time goes backwards: rows are sorted", here, line);
    ++report.taken;
    rows.push_back(std::move(row));
  }
  report.bytes = reader.bytes();
  if (rows.empty()) nothing_understood(path, report, report.read == 0 ? "has no line behind its header" : "");
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.clock < b.clock; });
  const bool arrivals = columns[clock].to == "arrival_s";
  const Time origin = keep_times ? 0 : rows.front().clock;

  for (const Column& column : columns) {
    report.columns.push_back(column.to);
    out.csv += (out.csv.empty() ? "" : ",") + csv_cell(column.to);
  }
  out.csv += '\n';
  Time last = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    if (i > 0 && row.clock == last) {
      const Location where{path.string(), row.line, 0, ""};
      if (!arrivals) {
        report.drop("the same time as a row before", where, "");
        --report.taken;
        continue;
      }
      report.remark("several arrivals at the same time", where, "");
    }
    last = row.clock;
    ++report.rows;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (c > 0) out.csv += ',';
      if (std::isnan(row.values[c])) continue;
      if (columns[c].is_time)
        append_seconds(out.csv, row.clock - origin + static_cast<Time>(row.values[c]));
      else
        append_number(out.csv, row.values[c]);
    }
    out.csv += '\n';
  }
  return out;
}

}  // namespace dynasoc::trace
