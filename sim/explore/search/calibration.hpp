// From sums of blocks to latencies that were measured end to end: a line, where it is from, and how far it errs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "application/network.hpp"
#include "explore/search/supernetwork.hpp"

namespace dynasoc::search {

/// A line y = slope * x + intercept and what is known of its errors [units of y]; those not known are NaN.
struct Line {
  std::string against;  ///< what it was fitted to; empty: none, y = x
  double slope = 1, intercept = 0;
  double largest_error = 0, rmse = 0, leave_one_out = 0;
  std::size_t n = 0;  ///< points, where it was fitted here
};

/// Least squares. `leave_one_out`: the largest error at a point that took no part in the fit (infinite for fewer than
/// three points). Throws InputError for fewer than two distinct x.
Line fit_line(const std::vector<double>& x, const std::vector<double>& y, const std::string& against,
              const Where& where);

/// A sub-network of a network, its recorded latency and accuracy, and its configuration where the network states one.
struct Recorded {
  std::string subnet;
  double latency_ms = 0, accuracy = 0, memory_mb = 0, macs_m = 0;
  Provenance provenance = Provenance::measured;
  std::string source;
  Json config;
  Where where;  ///< of the configuration
};

/// Sub-networks of a network with their latencies in a table (the default one where `table` is empty) on `unit` (which
/// may be empty if the table has one unit): of several operating points, the first row's. Throws InputError for unknown
/// names and for a sub-network without a row.
struct RecordedNetwork {
  NetworkFile file;
  std::string table, unit, platform;
  OperatingPoint at;
  std::vector<Recorded> subnets;
  std::vector<std::filesystem::path> inputs;
};
RecordedNetwork recorded_network(const std::filesystem::path& network_json, const Name& table, const std::string& unit,
                                 const Where& where);

}  // namespace dynasoc::search
