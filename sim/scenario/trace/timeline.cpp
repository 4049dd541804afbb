#include "scenario/trace/timeline.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "common/csv.hpp"
#include "scenario/trace/recognise.hpp"

namespace dynasoc::trace {

void append_seconds(std::string& out, Time t) {
  if (t < 0) {
    out += '-';
    t = -t;
  }
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, t / 1'000'000'000).ptr);
  std::int64_t rest = t % 1'000'000'000;
  if (rest == 0) return;
  char decimals[10] = {'.'};
  for (int i = 9; i > 0; --i, rest /= 10) decimals[i] = static_cast<char>('0' + rest % 10);
  std::size_t length = 10;
  while (decimals[length - 1] == '0') --length;
  out.append(decimals, length);
}

void append_value(std::string& out, double x) {
  constexpr double kMost = 1e9;
  char digits[32];
  // Recordings are whole numbers and whole percents nearly always; the general conversion is ten times as slow.
  if (std::abs(x) < kMost && x == std::trunc(x)) {
    out.append(digits, std::to_chars(digits, digits + sizeof digits, static_cast<std::int64_t>(x)).ptr);
    return;
  }
  if (x > 0 && x < 1) {
    const auto percent = static_cast<int>(std::lround(x * 100));
    if (static_cast<double>(percent) / 100 == x) {
      const char text[] = {'0', '.', static_cast<char>('0' + percent / 10), static_cast<char>('0' + percent % 10)};
      out.append(text, percent % 10 == 0 ? 3 : 4);
      return;
    }
  }
  append_number(out, x);
}

void TimelineWriter::row(Time t, const std::vector<double>& values) {
  std::string& out = file_.buffer();
  if (rows_++ == 0) {
    out = "t_s";
    for (const std::string& name : columns_.names()) out += ',' + csv_cell(name);
    out += '\n';
    written_ = columns_.size();
  }
  if (written_ != columns_.size()) return;
  append_seconds(out, t);
  for (std::size_t c = 0; c < written_; ++c) {  // a row may be older than the last columns
    out += ',';
    if (c < values.size() && !std::isnan(values[c])) append_value(out, values[c]);
  }
  out += '\n';
  file_.flush_if_large();
}

namespace {

// A recording that was not imported yet is a likely slip: the importer for it is named.
Csv table_at(const std::filesystem::path& path) {
  const auto not_imported = [&path] {
    const std::string kind = recognise(path);
    return kind.empty() || kind == "csv"
               ? std::string()
               : "is " + description_of(kind) + "; `dynasoc trace import " + kind + "` makes a timeline of it";
  };
  try {
    Csv csv = Csv::load(path);
    if (csv.has("t_s") || csv.has("time_s")) return csv;
    if (const std::string message = not_imported(); !message.empty()) throw csv.header_error(message);
    throw csv.header_error("no column t_s (or time_s): this is no timeline; `dynasoc trace import` makes one");
  } catch (const InputError& error) {
    if (const std::string message = not_imported(); !message.empty())
      throw InputError({path.string(), std::max<std::size_t>(error.location().line, 1), 0, ""}, message);
    throw;
  }
}

}  // namespace

Timeline Timeline::load(const std::filesystem::path& path) {
  Timeline out;
  out.csv_ = std::make_shared<const Csv>(table_at(path));
  const Csv& csv = *out.csv_;
  out.name_ = path.string();
  const std::string clock = csv.has("t_s") ? "t_s" : "time_s";
  std::vector<std::size_t>& rows = out.csv_rows_;
  for (std::size_t row = 0; row < csv.size(); ++row) {
    if (csv.has("replication") && csv.text(row, "replication") != "0") continue;
    const Time t = from_s(csv.number(row, clock, range(-1e9, 1e9)));
    if (!out.times_.empty() && t <= out.times_.back())
      throw csv.error(
          row, clock,
          "times must ascend; " + plain_number(to_s(t)) + " follows " + plain_number(to_s(out.times_.back())));
    out.times_.push_back(t);
    rows.push_back(row);
  }
  if (rows.empty()) throw csv.header_error("no rows");
  for (const std::string& name : csv.columns()) {
    if (name == clock || name == "replication") continue;
    std::vector<double> values;
    values.reserve(rows.size());
    for (const std::size_t row : rows) values.push_back(csv.number_or_nan(row, name));
    out.columns_[name] = std::move(values);
  }
  return out;
}

InputError Timeline::error(std::size_t row, const std::string& column, const std::string& message) const {
  return csv_->error(csv_rows_[row], column, message);
}

std::vector<std::string> Timeline::column_names() const {
  std::vector<std::string> out;
  for (const auto& [name, unused] : columns_) out.push_back(name);
  return out;
}

}  // namespace dynasoc::trace
