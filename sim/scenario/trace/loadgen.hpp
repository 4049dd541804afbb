// Logs of MLPerf LoadGen: mlperf_log_detail.txt (`:::MLLOG {…}` lines), mlperf_log_summary.txt, mlperf_log_trace.json.
//
// The detail log says what was asked for and what came out; when queries were issued and how long each took is in the
// trace alone, which LoadGen writes with `enable_trace`: an asynchronous event `Sample` a sample, from its scheduled
// time to its completion. Times there are nanoseconds in older versions and microseconds in newer ones; which it is
// follows from `complete_ns`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "scenario/trace/report.hpp"
#include "scenario/trace/timeline.hpp"

namespace dynasoc::trace {

struct LoadgenSample {
  std::int64_t query = 0, sample = 0;  ///< LoadGen's sequence numbers
  Time arrival = 0;                    ///< scheduled, from the first sample's on
  Time issue = 0;                      ///< handed to the system under test
  Time latency = 0;                    ///< from the scheduled time to completion
};

/// A figure of the summary or the detail log, beside what the samples give.
struct LoadgenFigure {
  std::string name;      ///< `p99`, `mean`, `min`, `max`; per query in MultiStream
  double logged_ms = 0;  ///< as LoadGen says
  std::optional<double> recomputed_ms = {};
};

struct LoadgenLog {
  ImportReport report;
  std::string scenario;  ///< SingleStream, MultiStream, Server or Offline; empty if no file says
  std::string validity;  ///< VALID or INVALID
  std::optional<double> target_qps, target_latency_ms, samples_per_query;
  std::vector<LoadgenSample> samples;  ///< by arrival
  std::vector<LoadgenFigure> figures;

  /// `query,sample,arrival_s,issue_s,end_s,latency_ms`, one line a sample.
  std::string arrivals_csv() const;
  Json to_json() const;
  std::string text() const;
};

/// Reads a folder of LoadGen's, or any of its files. Throws InputError where nothing was understood or the files
/// contradict each other.
LoadgenLog import_loadgen(const std::filesystem::path& path);

/// A scenario with LoadGen's own arrival process, or with `trace_file` (relative to the scenario) replayed if that is
/// not empty. Throws InputError where the log does not say enough.
Json loadgen_scenario(const LoadgenLog& log, const std::string& network, const std::string& platform,
                      const std::string& trace_file);

}  // namespace dynasoc::trace
