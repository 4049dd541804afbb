// How many samples a percentile needs: the rule by which MLPerf's LoadGen stops a run early.
//
// A run has h latencies at or below a bound and t above it. That the bound holds for a share p of all latencies (less a
// tolerance d) is accepted with confidence c if so few exceedances would be rare otherwise:
//   BinomialCDF(t; h + t, 1 - p + d) = I_{p-d}(h, t + 1) <= 1 - c.
// Source: MLCommons inference, loadgen/early_stopping.cc and results.cc (and the rules' section on early stopping),
// with c = 0.99 and d = 0. It takes samples as independent: frames that follow each other in a queue are not, so that a
// percentile needs no fewer than this. Domains: 0 < d < p < 1 or d = 0, 0 < c < 1; else InternalError.
#pragma once

#include <cstdint>

namespace dynasoc {

struct PercentileRule {
  double percentile = 0.99;  ///< p
  double confidence = 0.99;  ///< c
  double tolerance = 0;      ///< d
};

/// h_min(t): the least number of samples within a bound that make up for `over` beyond it.
std::int64_t least_within(std::int64_t over, const PercentileRule& rule);

/// Samples from which on a percentile can be estimated, h_min(1) + 1: 11 for p = 0.5, 64 for 0.9, 662 for 0.99.
std::int64_t fewest_samples(const PercentileRule& rule);

/// Whether `samples` are enough for the percentile p at c = 0.99, d = 0.
bool percentile_is_supported(double p, std::uint64_t samples);

/// The t for which the t-th largest of n samples is an upper bound of the percentile with the rule's confidence: the
/// largest with h_min(t) + t <= n. SingleStream and MultiStream report that sample. 0 where n is too small.
std::int64_t estimate_rank(std::int64_t samples, const PercentileRule& rule);

/// Whether a latency bound that `over` of `samples` exceeded holds for the percentile: samples >= h_min(over) + over.
/// The condition of the Server scenario.
bool bound_holds(std::int64_t samples, std::int64_t over, const PercentileRule& rule);

}  // namespace dynasoc
