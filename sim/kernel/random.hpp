// Random streams that are functions, not states: the n-th draw of a stream depends on (seed, component, replication, n)
// and on nothing else. Two policies therefore see the same n-th arrival and the same n-th execution-time noise even if
// one of them drops frames (common random numbers), and adding an application disturbs nobody.
#pragma once

#include <cstdint>
#include <string_view>

namespace dynasoc {

/// A stream of uniform draws, addressed by index. 16 bytes, trivially copyable, thread-safe.
class Stream {
 public:
  Stream() = default;

  /// `component` names who draws (`camera/arrivals`); equal arguments give equal streams.
  Stream(std::uint64_t seed, std::string_view component, std::uint64_t replication = 0);

  /// The n-th 64 random bits. The finaliser is SplitMix64's (Steele, Lea, Flood: Fast splittable pseudorandom number
  /// generators, OOPSLA 2014), keyed twice so that streams with related keys do not overlap.
  std::uint64_t bits(std::uint64_t n) const { return mix(mix(n * 0x9e3779b97f4a7c15ull + key_) ^ tweak_); }

  /// The n-th draw, uniform on the open interval (0, 1).
  double uniform(std::uint64_t n) const { return (static_cast<double>(bits(n) >> 11) + 0.5) * 0x1.0p-53; }

  /// The n-th draw from a standard normal distribution, by inversion (one uniform each).
  double normal(std::uint64_t n) const { return inverse_normal_cdf(uniform(n)); }

  /// The n-th draw from an exponential distribution of mean 1.
  double exponential(std::uint64_t n) const;

  /// The n-th draw from a Gamma distribution of the given shape and mean 1 (rejection within a sub-stream of n).
  double gamma(std::uint64_t n, double shape) const;

  /// A stream derived from this one.
  Stream substream(std::uint64_t index) const;

  /// Acklam's rational approximation: relative error below 1.2e-9. Inline where nearly all draws fall.
  static double inverse_normal_cdf(double p) {
    constexpr double kLow = 0.02425;
    if (!(p > kLow && p < 1 - kLow)) return inverse_normal_tail(p);
    // P. J. Acklam, An algorithm for computing the inverse normal cumulative distribution function (2003).
    constexpr double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                            1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
    constexpr double b[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                            6.680131188771972e+01, -1.328068155288572e+01};
    const double q = p - 0.5, r = q * q;
    return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
           (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
  }

 private:
  static double inverse_normal_tail(double p);

  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }

  std::uint64_t key_ = 0;
  std::uint64_t tweak_ = 0;
};

}  // namespace dynasoc
