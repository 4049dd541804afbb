// Do frames arrive as the named processes say: rates, variability, bursts, order?
#include "application/arrivals.hpp"

#include <cmath>
#include <set>
#include <vector>

#include <catch2/catch.hpp>

#include "scale.hpp"
#include "world/record.hpp"

namespace dynasoc::test {
namespace {

std::vector<Time> times_of(const ArrivalsFile& file, int n, Time start = 0, const char* name = "app/arrivals",
                           std::uint64_t replication = 0) {
  Arrivals arrivals(file, Stream(1, name, replication), start);
  std::vector<Time> out;
  for (int i = 0; i < n; ++i) {
    out.push_back(arrivals.next());
    if (out.back() == kNever) break;
  }
  return out;
}

struct Gaps {
  double mean_ms = 0, cv = 0, first_lag = 0;  // first_lag: correlation of neighbours
};

Gaps gaps_of(const std::vector<Time>& times) {
  std::vector<double> gaps;
  for (std::size_t i = 1; i < times.size(); ++i) gaps.push_back(to_ms(times[i] - times[i - 1]));
  const auto n = static_cast<double>(gaps.size());
  Gaps out;
  for (const double gap : gaps) out.mean_ms += gap / n;
  double variance = 0, lag = 0;
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    variance += (gaps[i] - out.mean_ms) * (gaps[i] - out.mean_ms) / n;
    if (i > 0) lag += (gaps[i] - out.mean_ms) * (gaps[i - 1] - out.mean_ms) / n;
  }
  out.cv = std::sqrt(variance) / out.mean_ms;
  out.first_lag = variance > 0 ? lag / variance : 0;
  return out;
}

TEST_CASE("Poisson arrivals: the rate, a coefficient of variation of 1, no memory", "[arrivals]") {
  const int n = std::max(50'000, scaled(400'000));
  const double root = std::sqrt(n);
  for (const bool server : {false, true}) {
    const ArrivalsFile file =
        server ? ArrivalsFile(ServerArrivals{.target_qps = 80}) : ArrivalsFile(PoissonArrivals{.rate_hz = 80});
    const Gaps gaps = gaps_of(times_of(file, n));
    CHECK(gaps.mean_ms == Approx(12.5).epsilon(4.5 / root));
    CHECK(gaps.cv == Approx(1).epsilon(4.5 * 1 / root));  // of an exponential: sqrt((mu4/mu2^2 - 1)/4 - …) < 1 of a cv
    CHECK(std::abs(gaps.first_lag) < 4.5 / root);
  }
}

TEST_CASE("Gamma arrivals: the rate and the stated coefficient of variation", "[arrivals]") {
  const int n = std::max(50'000, scaled(400'000));
  const double root = std::sqrt(n);
  for (const double cv : {0.1, 0.5, 1.0, 3.0}) {
    INFO("cv " << cv);
    const Gaps gaps = gaps_of(times_of(GammaArrivals{.rate_hz = 50, .cv = cv}, n));
    CHECK(gaps.mean_ms == Approx(20).epsilon(4.5 * cv / root));
    // The delta method for the cv of a Gamma: relative error sqrt((1 + cv^2) / 2 / n) or less than twice it.
    CHECK(gaps.cv == Approx(cv).epsilon(4.5 * std::sqrt((1 + cv * cv) / 2 + cv * cv) / root));
    CHECK(std::abs(gaps.first_lag) < 4.5 / root);
  }
}

TEST_CASE("MMPP arrivals: the mean rate of the two phases, and the bursts of theory", "[arrivals]") {
  const MmppArrivals file{.low_rate_hz = 10, .high_rate_hz = 200, .mean_low_s = 3, .mean_high_s = 1};
  const double rate_hz = (10 * 3 + 200 * 1) / 4.0;
  // Counts in stretches of 40 s, many phases long.
  const int stretches = std::max(2000, scaled(10'000));
  Arrivals arrivals(file, Stream(1, "app/arrivals"), 0);
  std::vector<double> counts(static_cast<std::size_t>(stretches));
  for (Time at = arrivals.next(); at < 40_s * stretches; at = arrivals.next())
    ++counts[static_cast<std::size_t>(at / 40_s)];
  double mean = 0, variance = 0, fourth = 0;
  for (const double count : counts) mean += count / stretches;
  for (const double count : counts) {
    const double square = (count - mean) * (count - mean);
    variance += square / stretches, fourth += square * square / stretches;
  }
  CHECK(mean / 40 == Approx(rate_hz).margin(4.5 * std::sqrt(variance / stretches) / 40));
  CHECK(std::sqrt(variance / stretches) / mean < 0.01);
  // Index of dispersion of a two-state MMPP's counts over t (Fischer and Meier-Hellstern 1993):
  // 1 + 2 A / (s rate) (1 - (1 - exp(-s t)) / (s t)), with s the sum of the phase rates and A = pi1 pi2 (difference)^2.
  const double s = 1 / 3.0 + 1, a = 0.75 * 0.25 * 190 * 190;
  const double dispersion = 1 + 2 * a / (s * rate_hz) * (1 - (1 - std::exp(-s * 40)) / (s * 40));
  const double error = std::sqrt((fourth - variance * variance) / stretches) / mean;
  CHECK(variance / mean == Approx(dispersion).margin(4.5 * error));
  CHECK(error < 0.05 * dispersion);
}

TEST_CASE("an MMPP that is silent between bursts is silent", "[arrivals]") {
  const MmppArrivals file{.low_rate_hz = 0, .high_rate_hz = 1000, .mean_low_s = 10, .mean_high_s = 0.1};
  const auto times = times_of(file, 5000);
  REQUIRE(times.size() == 5000);
  const Gaps gaps = gaps_of(times);
  CHECK(gaps.cv > 5);
  CHECK(times.front() > 100_ms);  // it starts between bursts
}

TEST_CASE("periodic arrivals: every period from the phase on, from the start on", "[arrivals]") {
  const auto times = times_of(PeriodicArrivals{.period_ms = 33.333333, .phase_ms = 4}, 100'000, 2_s);
  for (std::size_t i = 0; i < times.size(); ++i) {
    const double nominal_ns = 2e9 + 4e6 + static_cast<double>(i) * 33.333333e6;
    if (std::abs(static_cast<double>(times[i]) - nominal_ns) > 0.51) FAIL("frame " << i << " at " << times[i]);
  }
}

TEST_CASE("jitter is uniform, does not accumulate, and never reorders frames", "[arrivals]") {
  const int n = std::max(20'000, scaled(200'000));
  SECTION("less than a period") {
    const auto times = times_of(PeriodicArrivals{.period_ms = 10, .jitter_ms = 4}, n);
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < times.size(); ++i) {
      const double late = to_ms(times[i]) - 10.0 * static_cast<double>(i);
      if (late < -1e-6 || late > 4 + 1e-6) FAIL("frame " << i << " is " << late << " ms late");
      sum += late, squares += late * late;
    }
    const double mean = sum / n;
    CHECK(mean == Approx(2).margin(4.5 * 4 / std::sqrt(12.0 * n)));
    CHECK(squares / n - mean * mean == Approx(16 / 12.0).epsilon(4.5 * std::sqrt(0.8 / n)));
  }
  SECTION("more than a period") {
    const auto times = times_of(PeriodicArrivals{.period_ms = 10, .jitter_ms = 35}, n);
    int together = 0;
    for (std::size_t i = 0; i < times.size(); ++i) {
      const double late = to_ms(times[i]) - 10.0 * static_cast<double>(i);
      if (late < -1e-6 || late > 35 + 1e-6) FAIL("frame " << i << " is " << late << " ms late");
      if (i > 0 && times[i] < times[i - 1]) FAIL("frame " << i << " overtakes");
      together += i > 0 && times[i] == times[i - 1];
    }
    CHECK(together > n / 100);  // frames that would have overtaken come together
  }
}

TEST_CASE("no process ever goes back in time, and each starts at its start", "[arrivals]") {
  const ArrivalsFile files[] = {
      PeriodicArrivals{.period_ms = 1, .jitter_ms = 5}, PoissonArrivals{.rate_hz = 1e6},
      GammaArrivals{.rate_hz = 1e6, .cv = 20},
      MmppArrivals{.low_rate_hz = 1, .high_rate_hz = 1e6, .mean_low_s = 0.001, .mean_high_s = 0.001},
      OfflineArrivals{.samples = 1000}};
  for (const ArrivalsFile& file : files) {
    INFO("process " << file.index());
    Time last = 5_s;
    for (const Time at : times_of(file, 1000, 5_s)) {
      if (at < last) FAIL(at << " after " << last);
      last = at;
    }
  }
}

TEST_CASE("the same stream gives the same arrivals; another name or replication gives others", "[arrivals]") {
  const PoissonArrivals file{.rate_hz = 30};
  const auto times = times_of(file, 1000);
  CHECK(times == times_of(file, 1000));
  for (const auto& others : {times_of(file, 1000, 0, "other/arrivals"), times_of(file, 1000, 0, "app/arrivals", 1)}) {
    std::set<Time> common(times.begin(), times.end());
    int equal = 0;
    for (const Time at : others) equal += common.contains(at) ? 1 : 0;
    CHECK(equal < 5);
  }
}

TEST_CASE("offline: all samples at the start, then none", "[arrivals]") {
  const auto times = times_of(OfflineArrivals{.samples = 7}, 100, 3_ms);
  CHECK(times == std::vector<Time>{3_ms, 3_ms, 3_ms, 3_ms, 3_ms, 3_ms, 3_ms, kNever});
}

TEST_CASE("a trace is followed from the start on; repeated, it goes on where it ended", "[arrivals]") {
  TraceArrivals file;
  Arrivals once(file, Stream(1, "a"), 1_s, {0, 0.5, 0.5, 2});
  const Time expected[] = {1_s, 1500_ms, 1500_ms, 3_s, kNever, kNever};
  for (const Time at : expected) CHECK(once.next() == at);
  file.repeat = true;
  Arrivals repeated(file, Stream(1, "a"), 1_s, {0, 0.5, 2});
  const Time laps[] = {1_s, 1500_ms, 3_s, 3_s, 3500_ms, 5_s, 5_s, 5500_ms, 7_s};
  for (const Time at : laps) CHECK(repeated.next() == at);
}

TEST_CASE("who drives an application's frames", "[arrivals]") {
  const Stream stream(1, "a");
  const Arrivals closed(ClosedLoopArrivals{.think_ms = 2.5}, stream, 0);
  CHECK(closed.driver() == ArrivalDriver::completion);
  CHECK(closed.think() == 2500_us);
  CHECK(Arrivals(SingleStreamArrivals{}, stream, 0).driver() == ArrivalDriver::completion);
  const Arrivals multi(MultiStreamArrivals{.samples = 3}, stream, 0);
  CHECK(multi.driver() == ArrivalDriver::completion);
  CHECK(multi.samples_per_frame() == 3);
  CHECK(Arrivals(CascadeArrivals{}, stream, 0).driver() == ArrivalDriver::parent);
  CHECK(Arrivals(PoissonArrivals{.rate_hz = 1}, stream, 0).driver() == ArrivalDriver::clock);
}

TEST_CASE("a cascade follows the stated share of completions, the same ones every time", "[arrivals]") {
  const int n = 100'000;
  for (const double probability : {0.0, 0.25, 1.0}) {
    const Arrivals cascade(CascadeArrivals{.after = {}, .probability = probability}, Stream(1, "a"), 0);
    int followed = 0;
    for (int i = 0; i < n; ++i) followed += cascade.triggered_by(static_cast<std::uint64_t>(i)) ? 1 : 0;
    CHECK(std::abs(followed - n * probability) <= 4.5 * std::sqrt(n * probability * (1 - probability)));
    CHECK(cascade.triggered_by(77) == cascade.triggered_by(77));
  }
}

TEST_CASE("a histogram's quantiles are within 0.2 % of the exact ones", "[histogram]") {
  struct Samples {
    const char* name;
    double (*draw)(const Stream&, std::uint64_t);
  };
  const Samples cases[] = {
      {"uniform", [](const Stream& s, std::uint64_t i) { return 1e6 + 4e7 * s.uniform(i); }},
      {"log-normal", [](const Stream& s, std::uint64_t i) { return 2e7 * std::exp(0.3 * s.normal(i)); }},
      {"exponential", [](const Stream& s, std::uint64_t i) { return 5e6 * s.exponential(i); }},
      {"heavy tail", [](const Stream& s, std::uint64_t i) { return 1e6 * std::pow(s.uniform(i), -1.2); }},
      {"a few ns", [](const Stream& s, std::uint64_t i) { return 300 * s.uniform(i); }},
      {"nearly always the same",
       [](const Stream& s, std::uint64_t i) { return i < 5      ? 1e3 * s.uniform(i)
                                                     : i > 4994 ? 1e9
                                                                : 16777216.0; }},
      {"two values", [](const Stream& s, std::uint64_t i) { return s.uniform(i) < 0.7 ? 33554432.0 : 50331648.0 - 1; }},
      {"days", [](const Stream& s, std::uint64_t i) { return 1e14 * (1 + s.uniform(i)); }},
  };
  for (const Samples& one : cases) {
    INFO(one.name);
    const Stream stream(1, one.name);
    Histogram histogram, halves[2];
    std::vector<Time> exact;
    for (std::uint64_t i = 0; i < 5000; ++i) {
      exact.push_back(static_cast<Time>(one.draw(stream, i)));
      histogram.add(exact.back());
      halves[i % 2].add(exact.back());
    }
    halves[0].merge(halves[1]);
    std::sort(exact.begin(), exact.end());
    CHECK(histogram.total() == 5000);
    for (const double q : {0.0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1.0}) {
      INFO("quantile " << q);
      // Between two samples the exact quantile is a matter of definition: anything between them will do.
      const double rank = q * 4999;
      const double low = to_ms(exact[static_cast<std::size_t>(std::floor(rank))]);
      const double high = to_ms(exact[static_cast<std::size_t>(std::ceil(rank))]);
      const double seen = histogram.quantile_ms(q);
      CHECK(seen >= low * 0.998 - 1e-6);
      CHECK(seen <= high * 1.002 + 1e-6);
      CHECK(halves[0].quantile_ms(q) == seen);
    }
    CHECK(histogram.quantile_ms(0) >= to_ms(exact.front()));
    CHECK(histogram.quantile_ms(1) <= to_ms(exact.back()));
  }
  CHECK(std::isnan(Histogram().quantile_ms(0.5)));
}

}  // namespace
}  // namespace dynasoc::test
