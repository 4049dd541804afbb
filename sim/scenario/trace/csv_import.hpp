// Any CSV file of arrivals, latencies or clocks, by a mapping that the user declares.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "scenario/trace/report.hpp"

namespace dynasoc::trace {

/// `arrival_s=ts:ns`: a column of the result, whose name says its unit, from a column of the file and that one's unit.
/// Without a unit it is that in the file's column name (`ts_ns`), else the result's.
struct ColumnMapping {
  std::string to, from, unit;
};

/// `TO=FROM[:UNIT],…`. Throws InputError for what is no mapping, a unit that is unknown or of another kind, no clock
/// (`arrival_s`, `t_s` or `time_s`), a name that is there twice.
std::vector<ColumnMapping> column_mappings(const std::string& text);

struct CsvImport {
  ImportReport report;
  std::string csv;
};

/// Rows in order of the clock, which begins at 0 unless `keep_times`; other points in time (`start_s`, `issue_s`,
/// `end_s`) are moved with it, lengths of time (`duration_s`) are not. Times in ns, us, ms or s are kept to the
/// nanosecond. Commas, semicolons or tabs; the first line has the names. Rows that are broken are counted. Throws
/// InputError for a column that is not there, and where no row is good.
CsvImport import_csv(const std::filesystem::path& path, const std::vector<ColumnMapping>& columns, bool keep_times);

}  // namespace dynasoc::trace
