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
  double uniform(std::uint64_t n) const {
    return (static_cast<double>(bits(n) >> 11) + 0.5) * 0x1.0p-53;
  }

  /// The n-th draw from a standard normal distribution, by inversion (one uniform each).
  double normal(std::uint64_t n) const { return inverse_normal_cdf(uniform(n)); }

  /// The n-th draw from an exponential distribution of mean 1.
  double exponential(std::uint64_t n) const;

  /// The n-th draw from a Gamma distribution of the given shape and mean 1 (rejection within a sub-stream of n).
  double gamma(std::uint64_t n, double shape) const;

  /// A stream derived from this one.
  Stream substream(std::uint64_t index) const;

  /// Acklam's rational approximation: relative error below 1.2e-9.
  static double inverse_normal_cdf(double p);

 private:
  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }

  std::uint64_t key_ = 0;
  std::uint64_t tweak_ = 0;
};

}  // namespace dynasoc
