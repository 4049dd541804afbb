#include "results/percentile_rule.hpp"

#include <boost/math/special_functions/beta.hpp>

#include "common/error.hpp"

namespace dynasoc {
namespace {

// The chance of at most `over` exceedances in within + over samples, were the share within just p - d.
bool rare(std::int64_t within, std::int64_t over, const PercentileRule& rule) {
  if (!(rule.percentile - rule.tolerance > 0 && rule.percentile < 1 && rule.tolerance >= 0 && rule.confidence > 0 &&
        rule.confidence < 1 && over >= 0))
    throw InternalError("a percentile rule outside its domain");
  if (within <= 0) return false;
  const double chance =
      boost::math::ibeta(static_cast<double>(within), static_cast<double>(over) + 1, rule.percentile - rule.tolerance);
  return chance <= 1 - rule.confidence;
}

}  // namespace

std::int64_t least_within(std::int64_t over, const PercentileRule& rule) {
  std::int64_t low = 0, high = 1;  // not rare at low
  while (!rare(high, over, rule)) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (rare(middle, over, rule) ? high : low) = middle;
  }
  return high;
}

std::int64_t fewest_samples(const PercentileRule& rule) { return least_within(1, rule) + 1; }

bool percentile_is_supported(double p, std::uint64_t samples) {
  return samples >= static_cast<std::uint64_t>(fewest_samples({.percentile = p}));
}

std::int64_t estimate_rank(std::int64_t samples, const PercentileRule& rule) {
  if (!bound_holds(samples, 1, rule)) return 0;
  std::int64_t low = 1,
               high = samples;  // holds at low; h_min(t) + t grows with t, and exceeds `samples` at t = samples
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (bound_holds(samples, middle, rule) ? low : high) = middle;
  }
  return low;
}

bool bound_holds(std::int64_t samples, std::int64_t over, const PercentileRule& rule) {
  if (over < 0 || over > samples) return false;
  return rare(samples - over, over, rule);  // h_min is the least h for which it is, and it stays so beyond
}

}  // namespace dynasoc
