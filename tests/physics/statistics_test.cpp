// Intervals, paired comparisons and stopping rules: against published examples, their own definitions, and simulation.
#include "results/statistics.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include <boost/math/distributions/students_t.hpp>
#include <catch2/catch.hpp>

#include "kernel/random.hpp"
#include "results/percentile_rule.hpp"

namespace dynasoc {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Hours of sleep gained by ten patients, one drug over the other: the example of Student's paper of 1908.
const std::vector<double> kSleep{1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4};

std::vector<double> normals(const Stream& stream, std::uint64_t trial, std::size_t n, double mean = 0) {
  std::vector<double> out(n);
  const Stream own = stream.substream(trial);
  for (std::size_t i = 0; i < n; ++i) out[i] = mean + own.normal(i);
  return out;
}

TEST_CASE("statistics: Student's own example") {
  const Estimate e = estimate(kSleep);
  CHECK(e.n == 10);
  CHECK(e.mean == Approx(1.58));
  CHECK(e.sd == Approx(1.229995).epsilon(1e-6));
  CHECK(e.interval.low == Approx(0.7001142).epsilon(1e-6));
  CHECK(e.interval.high == Approx(2.4598858).epsilon(1e-6));
  CHECK(paired_p_value(kSleep) == Approx(0.00283289).epsilon(1e-5));
}

TEST_CASE("statistics: none, one, equal and undefined values") {
  for (const auto& nothing : {std::vector<double>{}, std::vector<double>{kNaN, kInfinity}}) {
    const Estimate e = estimate(nothing);
    CHECK(e.n == 0);
    CHECK(std::isnan(e.mean));
    CHECK(std::isnan(e.interval.low));
    CHECK_FALSE(e.interval.excludes(0));
    CHECK(std::isnan(bootstrap_mean(nothing).low));
    CHECK(std::isnan(paired_p_value(nothing)));
    CHECK(std::isnan(superiority(nothing, nothing).share));
    CHECK(seeds_needed(nothing).state == SeedsNeeded::State::undecidable);
    CHECK(sequential_test(nothing).e_value == 1);
  }
  const Estimate one = estimate({3, kNaN});
  CHECK(one.n == 1);
  CHECK(one.mean == 3);
  CHECK(std::isnan(one.sd));
  CHECK(std::isnan(one.interval.high));
  CHECK(std::isnan(bootstrap_mean({3}).low));
  CHECK(sequential_test({3}).e_value == 1);
  CHECK(sequential_test({3}).interval.high == kInfinity);
  CHECK(relative_difference({3}, {2}).mean == Approx(0.5));
  CHECK(std::isnan(relative_difference({3}, {2}).interval.low));

  const std::vector<double> equal(7, 0.1);  // 0.1 x 7 / 7 is not 0.1 in binary
  CHECK(estimate(equal).sd == 0);
  CHECK(estimate(equal).interval.low == 0.1);
  CHECK(bootstrap_mean(equal).high == 0.1);
  CHECK(paired_p_value(equal) == 0);
  CHECK(paired_p_value({0, 0, 0}) == 1);
  CHECK(seeds_needed(equal).state == SeedsNeeded::State::exact);
  CHECK(seeds_needed({0, 0}).state == SeedsNeeded::State::undecidable);
  CHECK(relative_difference({0.3, 0.3, 0.3}, {0.1, 0.1, 0.1}).interval.low == Approx(2));
  CHECK(std::isnan(relative_difference({1, 2}, {0, 0}).mean));

  CHECK(paired_differences({5, kNaN, 1, 2}, {1, 2, kNaN, 4}) == std::vector<double>{4, -2});
  CHECK_THROWS(paired_differences({1}, {1, 2}));
}

TEST_CASE("statistics: t intervals hold the mean as often as they say") {
  const Stream stream(1, "coverage");
  int held = 0;
  constexpr int kTrials = 20'000;
  for (int trial = 0; trial < kTrials; ++trial) held += !estimate(normals(stream, trial, 5, 7)).interval.excludes(7);
  CHECK(held / static_cast<double>(kTrials) == Approx(0.95).margin(0.005));  // three standard errors
}

TEST_CASE("statistics: the bootstrap's interval is BCa's") {
  // Of an independent implementation, with 300,000 resamples from another generator.
  const Interval interval = bootstrap_mean(kSleep);
  CHECK(interval.low == Approx(1.06).margin(0.015));
  CHECK(interval.high == Approx(2.64).margin(0.05));
  CHECK(bootstrap_mean(kSleep).high == interval.high);  // nothing is drawn from outside

  const Stream stream(2, "bootstrap");
  SECTION("with many values it is the t interval") {
    const auto values = normals(stream, 0, 2000);
    const Estimate e = estimate(values);
    CHECK(bootstrap_mean(values).low == Approx(e.interval.low).margin(0.002));
    CHECK(bootstrap_mean(values).high == Approx(e.interval.high).margin(0.002));
  }
  SECTION("coverage, normal and skewed") {
    int normal = 0, skewed = 0;
    constexpr int kTrials = 1000;
    for (int trial = 0; trial < kTrials; ++trial) {
      auto values = normals(stream, trial, 30);
      normal += !bootstrap_mean(values, 0.95, 1000).excludes(0);
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = stream.substream(1'000'000 + trial).exponential(i);
      skewed += !bootstrap_mean(values, 0.95, 1000).excludes(1);
    }
    CHECK(normal / 1000.0 == Approx(0.945).margin(0.025));
    CHECK(skewed / 1000.0 == Approx(0.93).margin(0.03));
  }
  SECTION("10,000 resamples of 20 replications take milliseconds") {
    const auto values = normals(stream, 1, 20);
    const auto begin = std::chrono::steady_clock::now();
    bootstrap_mean(values);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(100));  // some 2 on an idle machine
  }
}

TEST_CASE("statistics: Fieller's ends are the ratios that a t test just rejects") {
  const Stream stream(3, "fieller");
  std::vector<double> a, b;
  for (std::uint64_t i = 0; i < 12; ++i) {
    b.push_back(10 + stream.normal(3 * i));
    a.push_back(1.2 * b.back() + 0.5 * stream.normal(3 * i + 1));
  }
  const Estimate ratio = relative_difference(a, b);
  CHECK(ratio.mean == Approx(estimate(a).mean / estimate(b).mean - 1));
  CHECK(ratio.interval.low < ratio.mean);
  CHECK(ratio.interval.high > ratio.mean);
  for (const double end : {ratio.interval.low, ratio.interval.high}) {
    std::vector<double> d;
    for (std::size_t i = 0; i < a.size(); ++i) d.push_back(a[i] - (1 + end) * b[i]);
    CHECK(paired_p_value(d) == Approx(0.05).epsilon(1e-6));
  }
  // Proportional values leave nothing open, and a denominator about 0 everything.
  CHECK(relative_difference({10, 11, 13}, {5, 5.5, 6.5}).interval.low == Approx(1));
  CHECK(relative_difference({10, 11, 13}, {5, 5.5, 6.5}).interval.high == Approx(1));
  CHECK(std::isnan(relative_difference({1, 2, 3}, {-1, 0.5, 1}).interval.low));

  int held = 0;
  constexpr int kTrials = 5000;
  for (int trial = 0; trial < kTrials; ++trial) {
    const Stream own = stream.substream(trial);
    for (std::size_t i = 0; i < a.size(); ++i) {
      b[i] = 5 + own.normal(2 * i);
      a[i] = 6 + 0.8 * (b[i] - 5) + own.normal(2 * i + 1);
    }
    held += !relative_difference(a, b).interval.excludes(0.2);
  }
  CHECK(held / static_cast<double>(kTrials) == Approx(0.95).margin(0.01));
}

TEST_CASE("statistics: how often one beats the other") {
  const std::vector<double> zeros(10, 0.0);
  Superiority s = superiority({1, 1, 1, 1, 1, 1, 1, -1, -1, 0}, zeros);
  CHECK(s.share == Approx(0.25));  // less is better; the tie counts half
  s = superiority({1, 1, 1, 1, 1, 1, 1, -1, -1, -1}, zeros);
  CHECK(s.interval.low == Approx(0.0926946).epsilon(1e-4));  // Beta(3.5, 7.5)
  CHECK(s.interval.high == Approx(0.6058183).epsilon(1e-4));
  s = superiority(std::vector<double>(10, -1.0), zeros);
  CHECK(s.share == 1);
  CHECK(s.interval.high == 1);
  CHECK(s.interval.low == Approx(0.7828).epsilon(1e-3));  // Beta(10.5, 0.5)
  CHECK(s.mean_is_lower == 1);
  s = superiority(zeros, kSleep);
  CHECK(s.mean_is_lower == Approx(1 - 0.00283289 / 2).epsilon(1e-6));  // one-sided p-value and posterior agree
}

TEST_CASE("statistics: Holm's correction") {
  const auto p = holm({0.01, 0.04, 0.03, 0.005, kNaN});
  CHECK(p[0] == Approx(0.03));
  CHECK(p[1] == Approx(0.06));
  CHECK(p[2] == Approx(0.06));
  CHECK(p[3] == Approx(0.02));
  CHECK(std::isnan(p[4]));
}

TEST_CASE("statistics: how many seeds decide") {
  CHECK(seeds_needed(kSleep).state == SeedsNeeded::State::decided);
  const std::vector<double> unclear{1, -0.5, 0.8, -0.6, 0.3};
  const SeedsNeeded needed = seeds_needed(unclear);
  REQUIRE(needed.state == SeedsNeeded::State::more);
  CHECK(needed.more == needed.total - 5);
  const Estimate e = estimate(unclear);
  const auto half = [&](double n) {
    return boost::math::quantile(boost::math::students_t(n - 1), 0.975) * e.sd / std::sqrt(n);
  };
  CHECK(half(static_cast<double>(needed.total)) < e.mean);
  CHECK(half(static_cast<double>(needed.total - 1)) >= e.mean);
  CHECK(seeds_needed({1, -1}).state == SeedsNeeded::State::undecidable);
  CHECK(seeds_needed({1.0001, -1, 1, -1}).state == SeedsNeeded::State::undecidable);  // more than the bound
  CHECK(seeds_needed({1}).state == SeedsNeeded::State::undecidable);
}

TEST_CASE("statistics: whoever looks after every seed errs in at most one of twenty comparisons") {
  const Stream stream(4, "looks");
  constexpr int kTrials = 4000;
  constexpr std::size_t kMost = 200;
  int wrong = 0, naive = 0, missed = 0, heavy_wrong = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    auto d = normals(stream, trial, kMost);
    wrong += sequential_test(d).decided;
    for (double& x : d) x = x * x * x;  // symmetric about 0, heavy tails
    heavy_wrong += sequential_test(d).decided;
  }
  CHECK(wrong / static_cast<double>(kTrials) < 0.05);
  CHECK(wrong > 0);  // it is a test, not a refusal
  CHECK(heavy_wrong / static_cast<double>(kTrials) < 0.05);

  // The confidence sequence holds the mean at all looks at once; a t interval looked at as often does not.
  constexpr int kFewer = 500;
  for (int trial = 0; trial < kFewer; ++trial) {
    const auto all = normals(stream, 1'000'000 + trial, kMost / 2, 3);
    bool left = false, fooled = false;
    for (std::size_t n = 2; n <= all.size(); ++n) {
      const std::vector<double> seen(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(n));
      left = left || sequential_test(seen).interval.excludes(3);
      fooled = fooled || estimate(seen).interval.excludes(3);
    }
    missed += left;
    naive += fooled;
  }
  CHECK(missed / static_cast<double>(kFewer) < 0.05);
  CHECK(naive / static_cast<double>(kFewer) > 0.2);
}

TEST_CASE("statistics: the sequential test finds what is there, and agrees with its interval") {
  const Stream stream(5, "power");
  double seeds = 0;
  for (int trial = 0; trial < 500; ++trial) {
    const auto d = normals(stream, trial, 200, 1);
    const Sequential s = sequential_test(d);
    REQUIRE(s.decided);
    seeds += static_cast<double>(s.decided_at);
    std::vector<double> seen(d.begin(), d.begin() + static_cast<std::ptrdiff_t>(s.decided_at));
    CHECK(sequential_test(seen).interval.excludes(0));
    CHECK(sequential_test(seen).e_value >= 20);
    seen.pop_back();
    CHECK_FALSE(sequential_test(seen).interval.excludes(0));
  }
  CHECK(seeds / 500 < 20);
  // Closed forms: nothing seen, and nothing but the same.
  CHECK(sequential_test({1, -1, 2, -2}).e_value == Approx(1 / std::sqrt(5.0)));
  CHECK(sequential_test({2, 2, 2}).e_value == Approx(4));  // (1 + n g)^((n - 1) / 2)
  CHECK(sequential_test({0, 0, 0}).e_value == Approx(0.5));
  CHECK(sequential_test({2, 2, 2, 2, 2}).decided_at == 5);
}

TEST_CASE("statistics: the sequential sign test needs no distribution") {
  const Stream stream(9, "signs");
  int wrong = 0, missed = 0;
  constexpr int kTrials = 4000;
  for (int trial = 0; trial < kTrials; ++trial) {
    const Stream own = stream.substream(trial);
    std::vector<double> d(200), loaded(200);
    for (std::size_t i = 0; i < d.size(); ++i) {
      d[i] = own.exponential(i) - std::log(2.0);  // skewed, median 0
      loaded[i] = own.uniform(1000 + i) < 0.3 ? -1 : 1;
    }
    wrong += sequential_sign_test(d).decided;
    missed += sequential_sign_test(loaded).interval.excludes(0.3);
  }
  CHECK(wrong / static_cast<double>(kTrials) < 0.05);
  CHECK(wrong > 0);
  CHECK(missed / static_cast<double>(kTrials) < 0.05);
  CHECK(sequential_sign_test({-1}).e_value == Approx(1));
  CHECK(sequential_sign_test({-1, 0, kNaN, -1}).e_value == Approx(1.5));  // 4 B(5/2, 1/2) / pi
  CHECK(sequential_sign_test({1, -1}).e_value == Approx(0.5));
  const Sequential won = sequential_sign_test(std::vector<double>(9, -3.0));
  CHECK(won.decided_at == 7);  // C(2n, n) / 2^n passes 20
  CHECK(won.interval.excludes(0.5));
  CHECK(won.interval.high == 1);
  CHECK_FALSE(sequential_sign_test(std::vector<double>(6, -3.0)).interval.excludes(0.5));
  CHECK(std::isnan(sequential_sign_test({0, 0}).interval.low));
}

TEST_CASE("statistics: e-values are 1 on average where there is no difference") {
  const Stream stream(6, "martingale");
  for (const std::size_t n : {2u, 3u, 4u}) {
    double sum = 0;
    constexpr int kTrials = 100'000;
    for (int trial = 0; trial < kTrials; ++trial) sum += sequential_test(normals(stream, trial, n)).e_value;
    CHECK(sum / kTrials == Approx(1).margin(0.02));
  }
}

TEST_CASE("percentile rule: LoadGen's numbers") {
  CHECK(fewest_samples({.percentile = 0.90}) == 64);
  CHECK(fewest_samples({.percentile = 0.99}) == 662);
  CHECK(fewest_samples({.percentile = 0.50}) == 11);
  CHECK(least_within(0, {.percentile = 0.90}) == 44);  // 0.9^44 < 0.01 < 0.9^43
  CHECK(percentile_is_supported(0.9, 64));
  CHECK_FALSE(percentile_is_supported(0.9, 63));
  // A published log: of 2048 queries LoadGen would discard the 172 slowest for the 90th percentile.
  CHECK(estimate_rank(2048, {.percentile = 0.90}) == 173);
  CHECK(estimate_rank(63, {.percentile = 0.90}) == 0);
  CHECK(estimate_rank(64, {.percentile = 0.90}) == 1);
  CHECK_THROWS(fewest_samples({.percentile = 1}));
}

TEST_CASE("percentile rule: it is the binomial's, and errs as rarely as it says") {
  for (const std::int64_t t : {0, 1, 2, 5, 20}) {
    const PercentileRule rule{.percentile = 0.95, .confidence = 0.9, .tolerance = 0.01};
    const std::int64_t h = least_within(t, rule);
    const auto at_most = [&](std::int64_t within) {
      double sum = 0;
      const double q = 1 - rule.percentile + rule.tolerance;
      const auto n = static_cast<double>(within + t);
      for (std::int64_t k = 0; k <= t; ++k) {
        const auto x = static_cast<double>(k);
        sum += std::exp(std::lgamma(n + 1) - std::lgamma(x + 1) - std::lgamma(n - x + 1) + x * std::log(q) +
                        (n - x) * std::log1p(-q));
      }
      return sum;
    };
    CHECK(at_most(h) <= 0.1);
    CHECK(at_most(h - 1) > 0.1);
    CHECK(bound_holds(h + t, t, rule));
    CHECK_FALSE(bound_holds(h + t - 1, t, rule));
  }
  const Stream stream(7, "percentile");
  int below = 0;
  constexpr int kTrials = 5000;
  const std::int64_t rank = estimate_rank(300, {.percentile = 0.90});
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<double> x(300);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = stream.substream(trial).uniform(i);
    std::sort(x.begin(), x.end());
    below += x[x.size() - static_cast<std::size_t>(rank)] < 0.9;
  }
  CHECK(below / static_cast<double>(kTrials) < 0.014);
}

}  // namespace
}  // namespace dynasoc
