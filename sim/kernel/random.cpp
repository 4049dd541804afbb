#include "kernel/random.hpp"

#include <cmath>

namespace dynasoc {

Stream::Stream(std::uint64_t seed, std::string_view component, std::uint64_t replication) {
  std::uint64_t hash = 1469598103934665603ull;  // FNV-1a over the name
  for (const unsigned char c : component) hash = (hash ^ c) * 1099511628211ull;
  key_ = mix(mix(seed + 0x9e3779b97f4a7c15ull) ^ hash);
  tweak_ = mix(key_ + mix(replication + 0xd1b54a32d192ed03ull));
}

Stream Stream::substream(std::uint64_t index) const {
  Stream out;
  out.key_ = bits(index ^ 0xa5a5a5a5a5a5a5a5ull);
  out.tweak_ = mix(out.key_ ^ tweak_);
  return out;
}

double Stream::exponential(std::uint64_t n) const { return -std::log(uniform(n)); }

double Stream::gamma(std::uint64_t n, double shape) const {
  // Marsaglia and Tsang, A simple method for generating gamma variables, ACM TOMS 26(3), 2000.
  const Stream draws = substream(n);
  std::uint64_t i = 0;
  const double boost = shape < 1 ? std::pow(draws.uniform(i++), 1 / shape) : 1;
  const double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = draws.normal(i++), u = draws.uniform(i++);
    const double v = std::pow(1 + c * x, 3);
    if (v > 0 && std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v * boost / shape;
  }
}

double Stream::inverse_normal_tail(double p) {
  static constexpr double c[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                                 -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
  static constexpr double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                                 3.754408661907416e+00};
  const bool lower = p <= 0.5;
  const double q = std::sqrt(-2 * std::log(lower ? p : 1 - p));
  const double x = (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
                   ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
  return lower ? x : -x;
}

}  // namespace dynasoc
