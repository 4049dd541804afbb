// The tables that a run leaves behind, column by column: declared once, for the files, `dynasoc list columns`, the
// documents and Python's Parquet files.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace dynasoc {

struct Column {
  /// In a timeline, capitals stand for the name of a unit (UNIT), thermal node (NODE), rail (RAIL) or application
  /// (APP).
  std::string_view name;
  std::string_view type;  ///< text, integer, number, boolean, or time: seconds since the start, exact to the nanosecond
  std::string_view unit;
  std::string_view doc;
};

struct LogTable {
  std::string_view name;  ///< of the file, without its ending
  std::string_view doc;   ///< what a line is
  std::span<const Column> columns;
};

/// jobs, decisions, candidates and timeline.
std::span<const LogTable> log_tables();

/// The line at the head of a table's file. Not for timelines, whose columns depend on the run.
std::string header_of(std::string_view table);

}  // namespace dynasoc
