// Are the random streams what they say: uniform, normal, gamma, independent of one another, functions of their index?
#include "kernel/random.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "scale.hpp"

namespace dynasoc::test {
namespace {

// Seeds are fixed, so a test passes always or never; the bounds are those of a 1-in-10^5 accident or rarer.

// Chi-square with k - 1 degrees of freedom, as a standard normal (Wilson-Hilferty).
double chi_square_z(const std::vector<double>& counts, double expected) {
  double chi2 = 0;
  for (const double count : counts) chi2 += (count - expected) * (count - expected) / expected;
  const double k = static_cast<double>(counts.size()) - 1;
  return (std::cbrt(chi2 / k) - (1 - 2 / (9 * k))) / std::sqrt(2 / (9 * k));
}

template <class Draw, class Cdf>
double kolmogorov_smirnov(int n, Draw draw, Cdf cdf) {
  std::vector<double> x;
  for (int i = 0; i < n; ++i) x.push_back(draw(static_cast<std::uint64_t>(i)));
  std::sort(x.begin(), x.end());
  double worst = 0;
  for (int i = 0; i < n; ++i) {
    const double f = cdf(x[static_cast<std::size_t>(i)]);
    worst = std::max({worst, f - i / static_cast<double>(n), (i + 1) / static_cast<double>(n) - f});
  }
  return worst * std::sqrt(n);
}
constexpr double kKolmogorov = 2.5;  // exceeded once in 130 000

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

TEST_CASE("uniform draws fill the open unit interval evenly", "[random]") {
  constexpr int kBins = 1000;
  const int n = std::max(100'000, scaled(1'000'000));
  for (const char* name : {"camera/arrivals", "camera/execution", "x"}) {
    for (const std::uint64_t replication : {0, 1, 2}) {
      INFO(name << ", replication " << replication);
      const Stream stream(1, name, replication);
      std::vector<double> counts(kBins);
      for (int i = 0; i < n; ++i) {
        const double u = stream.uniform(static_cast<std::uint64_t>(i));
        if (!(u > 0 && u < 1)) FAIL("draw " << i << " is " << u);
        ++counts[static_cast<std::size_t>(u * kBins)];
      }
      CHECK(std::abs(chi_square_z(counts, static_cast<double>(n) / kBins)) < 4.5);
    }
  }
}

TEST_CASE("every bit of a draw is as often 1 as 0, and follows from no other", "[random]") {
  const int n = std::max(20'000, scaled(200'000));
  const Stream stream(3, "bits");
  std::vector<int> ones(64);
  std::vector<std::vector<int>> both(64, std::vector<int>(64));
  for (int i = 0; i < n; ++i) {
    const std::uint64_t bits = stream.bits(static_cast<std::uint64_t>(i));
    for (std::size_t b = 0; b < 64; ++b) {
      ones[b] += static_cast<int>(bits >> b & 1);
      for (std::size_t c = 0; c < b; ++c) both[b][c] += static_cast<int>((bits >> b ^ bits >> c) & 1);
    }
  }
  const double sigma = 0.5 * std::sqrt(n);
  double worst = 0;
  for (std::size_t b = 0; b < 64; ++b) {
    worst = std::max(worst, std::abs(ones[b] - n / 2.0) / sigma);
    for (std::size_t c = 0; c < b; ++c) worst = std::max(worst, std::abs(both[b][c] - n / 2.0) / sigma);
  }
  CHECK(worst < 5.5);  // of 2080 comparisons
}

TEST_CASE("successive draws, and draws of related streams, are independent", "[random]") {
  constexpr std::size_t kSide = 32;
  const int n = std::max(100'000, scaled(500'000));
  const auto pairs_are_even = [n](const std::string& what, auto first, auto second) {
    INFO(what);
    std::vector<double> counts(kSide * kSide);
    double covariance = 0;
    for (int i = 0; i < n; ++i) {
      const double a = first(static_cast<std::uint64_t>(i)), b = second(static_cast<std::uint64_t>(i));
      ++counts[static_cast<std::size_t>(a * kSide) * kSide + static_cast<std::size_t>(b * kSide)];
      covariance += (a - 0.5) * (b - 0.5);
    }
    CHECK(std::abs(chi_square_z(counts, static_cast<double>(n) / (kSide * kSide))) < 4.5);
    CHECK(std::abs(12 * covariance / n) < 4.5 / std::sqrt(n));
  };
  const Stream base(1, "camera/arrivals");
  const auto draw = [](const Stream& stream) { return [stream](std::uint64_t i) { return stream.uniform(i); }; };
  const auto later = [](const Stream& stream, std::uint64_t lag) {
    return [stream, lag](std::uint64_t i) { return stream.uniform(i + lag); };
  };
  pairs_are_even("lag 1", draw(base), later(base, 1));
  pairs_are_even("lag 2", draw(base), later(base, 2));
  pairs_are_even("lag 64", draw(base), later(base, 64));
  pairs_are_even("another purpose", draw(base), draw(Stream(1, "camera/execution")));
  pairs_are_even("another application", draw(base), draw(Stream(1, "camerb/arrivals")));
  pairs_are_even("another replication", draw(base), draw(Stream(1, "camera/arrivals", 1)));
  pairs_are_even("far replications", draw(Stream(1, "camera/arrivals", 7)), draw(Stream(1, "camera/arrivals", 8)));
  pairs_are_even("another seed", draw(base), draw(Stream(2, "camera/arrivals")));
  pairs_are_even("seed and replication exchanged", draw(Stream(1, "a", 2)), draw(Stream(2, "a", 1)));
  pairs_are_even("a sub-stream", draw(base), draw(base.substream(0)));
  pairs_are_even("sub-streams", draw(base.substream(4)), draw(base.substream(5)));
  pairs_are_even(
      "first draws of sub-streams", [base](std::uint64_t i) { return base.substream(i).uniform(0); },
      [base](std::uint64_t i) { return base.substream(i + 1).uniform(0); });
  pairs_are_even(
      "first draws of replications", [](std::uint64_t i) { return Stream(1, "app", i).uniform(0); },
      [](std::uint64_t i) { return Stream(1, "app", i + 1).uniform(0); });
}

TEST_CASE("a draw is a function of seed, name, replication and index", "[random]") {
  const Stream a(9, "camera/arrivals", 3), same(9, "camera/arrivals", 3);
  for (const std::uint64_t n : {5ull, 0ull, 1'000'000'000'000ull, 5ull, ~0ull}) CHECK(a.bits(n) == same.bits(n));
  CHECK(a.gamma(17, 0.5) == same.gamma(17, 0.5));
  CHECK(a.bits(0) != Stream(8, "camera/arrivals", 3).bits(0));
  CHECK(a.bits(0) != Stream(9, "camera/arrival", 3).bits(0));
  CHECK(a.bits(0) != Stream(9, "camera/arrivals", 4).bits(0));
  CHECK(a.bits(0) != a.bits(1));
}

TEST_CASE("no two of a million draws, over many streams, have the same bits", "[random]") {
  std::vector<std::uint64_t> seen;
  for (std::uint64_t replication = 0; replication < 1000; ++replication) {
    const Stream stream(1, "app", replication);
    for (std::uint64_t n = 0; n < 1000; ++n) seen.push_back(stream.bits(n));
  }
  std::sort(seen.begin(), seen.end());
  CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
}

TEST_CASE("the inverse of the normal distribution is exact to 1.2e-9 of the probability's own scale", "[random]") {
  for (double x = -8; x <= 8; x += 0.03125) {
    const double p = normal_cdf(x);
    if (p <= 0 || p >= 1 - 1e-13) continue;
    INFO("at " << x);
    // Beyond the middle 1 - p has lost digits: there, what a rounding of p moves is allowed too.
    const double rounding = 1.2e-16 * std::sqrt(2 * M_PI) * std::exp(x * x / 2);
    REQUIRE(Stream::inverse_normal_cdf(p) ==
            Approx(x).epsilon(0).margin(1.3e-9 * std::max(1.0, std::abs(x)) + 2 * rounding));
  }
}

TEST_CASE("normal draws have the moments and the distribution of a standard normal", "[random]") {
  const int n = std::max(100'000, scaled(1'000'000));
  const Stream stream(1, "normal");
  double m1 = 0, m2 = 0, m3 = 0, m4 = 0;
  for (int i = 0; i < n; ++i) {
    const double x = stream.normal(static_cast<std::uint64_t>(i));
    m1 += x, m2 += x * x, m3 += x * x * x, m4 += x * x * x * x;
  }
  const double root = std::sqrt(n);
  CHECK(std::abs(m1 / n) < 4.5 / root);
  CHECK(std::abs(m2 / n - 1) < 4.5 * std::sqrt(2) / root);
  CHECK(std::abs(m3 / n) < 4.5 * std::sqrt(15) / root);
  CHECK(std::abs(m4 / n - 3) < 4.5 * std::sqrt(96) / root);
  CHECK(kolmogorov_smirnov(
            n, [&](std::uint64_t i) { return stream.normal(i); }, normal_cdf) < kKolmogorov);
}

TEST_CASE("exponential draws have the distribution of mean 1", "[random]") {
  const int n = std::max(100'000, scaled(1'000'000));
  const Stream stream(1, "exponential");
  CHECK(kolmogorov_smirnov(
            n, [&](std::uint64_t i) { return stream.exponential(i); }, [](double x) { return 1 - std::exp(-x); }) <
        kKolmogorov);
}

TEST_CASE("gamma draws have mean 1, variance 1/shape and the right skewness", "[random]") {
  const int n = std::max(50'000, scaled(400'000));
  for (const double shape : {0.0625, 0.25, 0.5, 1.0, 2.0, 9.0, 400.0}) {
    INFO("shape " << shape);
    const Stream stream(1, "gamma " + std::to_string(shape));
    double m1 = 0, m2 = 0, m3 = 0;
    for (int i = 0; i < n; ++i) {
      const double x = stream.gamma(static_cast<std::uint64_t>(i), shape);
      if (!(x >= 0)) FAIL("draw " << i << " is " << x);
      m1 += x, m2 += (x - 1) * (x - 1), m3 += (x - 1) * (x - 1) * (x - 1);
    }
    // Central moments of Gamma(k, 1/k): mu2 = 1/k, mu3 = 2/k^2, mu4 = 3/k^2 + 6/k^3,
    // mu6 = 15/k^3 + 130/k^4 + 120/k^5.
    const double k = shape, mu2 = 1 / k, mu3 = 2 / (k * k), mu4 = 3 / (k * k) + 6 / (k * k * k);
    const double mu6 = 15 / (k * k * k) + 130 / std::pow(k, 4) + 120 / std::pow(k, 5);
    const double root = std::sqrt(n);
    CHECK(std::abs(m1 / n - 1) < 4.5 * std::sqrt(mu2) / root);
    CHECK(std::abs(m2 / n - mu2) < 4.5 * std::sqrt(mu4 - mu2 * mu2) / root);
    CHECK(std::abs(m3 / n - mu3) < 4.5 * std::sqrt(mu6 - mu3 * mu3) / root);
  }
  const Stream stream(1, "gamma 1");
  CHECK(kolmogorov_smirnov(
            n, [&](std::uint64_t i) { return stream.gamma(i, 1); }, [](double x) { return 1 - std::exp(-x); }) <
        kKolmogorov);
  const Stream half(1, "gamma 1/2");  // half a chi-square of one degree of freedom, scaled to mean 1
  CHECK(kolmogorov_smirnov(
            n, [&](std::uint64_t i) { return half.gamma(i, 0.5); },
            [](double x) { return std::erf(std::sqrt(x / 2)); }) < kKolmogorov);
}

}  // namespace
}  // namespace dynasoc::test
