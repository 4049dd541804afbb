// What a board did over time, as importers make it and the commands on recordings read it: one row an instant, one
// column a quantity. docs/traces.md has the format.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/text.hpp"
#include "kernel/time.hpp"
#include "scenario/trace/report.hpp"

namespace dynasoc {
class Csv;
}

namespace dynasoc::trace {

/// Columns in order of appearance, behind `t_s`.
class TimelineColumns {
 public:
  /// The column's number; a new name is appended.
  std::size_t index(std::string_view name) {
    const auto found = by_name_.find(name);
    if (found != by_name_.end()) return found->second;
    by_name_.emplace(name, names_.size());
    names_.emplace_back(name);
    return names_.size() - 1;
  }
  const std::vector<std::string>& names() const { return names_; }
  std::size_t size() const { return names_.size(); }

 private:
  std::vector<std::string> names_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

/// Who takes rows, in order of time. `values` has an entry for each column that
/// was known when the row was made; NaN where nothing was recorded.
class TimelineSink {
 public:
  virtual ~TimelineSink() = default;
  virtual void row(Time t, const std::vector<double>& values) = 0;
};

/// Rows as CSV. Columns that appear only after the first row would need a second header: `complete` is then false, and
/// the file has to be written again by somebody who knows them all. `commit` without a row makes an empty file.
class TimelineWriter final : public TimelineSink {
 public:
  TimelineWriter(const std::filesystem::path& path, const TimelineColumns& columns) : file_(path), columns_(columns) {}
  void row(Time t, const std::vector<double>& values) override;
  bool complete() const { return written_ == columns_.size() || rows_ == 0; }
  void commit() { file_.commit(); }

 private:
  FileWriter file_;
  const TimelineColumns& columns_;
  std::size_t written_ = 0;
  std::uint64_t rows_ = 0;
};

/// Seconds with the digits they need: 0.25.
void append_seconds(std::string& out, Time t);

/// The same for columns of a timeline, quickly.
void append_value(std::string& out, double x);

/// A timeline file, or a run's timeline.csv (its first replication), for those who need a few columns of it.
class Timeline {
 public:
  /// Throws InputError: not a CSV file (of another kind of recording the importer is named), no time column (`t_s` or
  /// `time_s`), times that do not ascend, numbers that are none.
  static Timeline load(const std::filesystem::path& path);

  const std::string& name() const { return name_; }
  const std::vector<Time>& times() const { return times_; }
  bool has(const std::string& column) const { return columns_.contains(column); }
  std::vector<std::string> column_names() const;
  /// NaN where a cell is empty.
  const std::vector<double>& column(const std::string& name) const { return columns_.at(name); }
  /// For what is wrong with the cell of a row.
  InputError error(std::size_t row, const std::string& column, const std::string& message) const;

 private:
  std::string name_;
  std::vector<Time> times_;
  std::map<std::string, std::vector<double>> columns_;
  std::shared_ptr<const Csv> csv_;  // which knows where each cell stands
  std::vector<std::size_t> csv_rows_;
};

}  // namespace dynasoc::trace
