// Does the simulated world queue as queueing theory says? Means of independent replications against closed forms: the
// difference must be within what chance allows, and chance must allow little, or the test would prove nothing.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <catch2/catch.hpp>

#include "kernel/random.hpp"
#include "scale.hpp"
#include "support/lab.hpp"

namespace dynasoc::test {
namespace {

constexpr int kReplications = 24;
int replications() { return std::max(4, scaled(kReplications)); }

struct Estimate {
  double mean = 0;
  double error = 0;  // standard error of the mean
};

Estimate estimate(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  Estimate out;
  out.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double x : values) squares += (x - out.mean) * (x - out.mean);
  out.error = std::sqrt(squares / (n - 1) / n);
  return out;
}

// Within 4 standard errors (plus a declared bias), with an error of at most `resolution` of the value.
void check_mean(const char* what, const std::vector<double>& values, double theory, double resolution,
                double bias = 0) {
  const Estimate seen = estimate(values);
  INFO(what << ": theory " << theory << ", seen " << seen.mean << " +- " << seen.error);
  CHECK(std::abs(seen.mean - theory) <= 4 * seen.error + bias * theory);
  CHECK(seen.error < resolution * theory * std::sqrt(static_cast<double>(kReplications) / replications()));
}

template <class Text>
std::vector<RunRecord> replicate(const Lab& lab, const Text& scenario) {
  const Scenario loaded = lab.load(scenario);
  return simulate_all(*loaded.setup, {}, EngineKind::native, replications(), 1);
}

double mean_latency_ms(const AppRecord& app) { return app.latency_sum_ms / static_cast<double>(app.completed); }

std::vector<double> mean_latencies(const std::vector<RunRecord>& records, std::size_t app = 0) {
  std::vector<double> out;
  for (const RunRecord& record : records) out.push_back(mean_latency_ms(record.apps[app]));
  return out;
}

// Over all applications of a run.
std::vector<double> overall_latencies(const std::vector<RunRecord>& records) {
  std::vector<double> out;
  for (const RunRecord& record : records) {
    double sum = 0, jobs = 0;
    for (const AppRecord& app : record.apps) sum += app.latency_sum_ms, jobs += static_cast<double>(app.completed);
    out.push_back(sum / jobs);
  }
  return out;
}

// n draws of an exponential distribution, exact in distribution (its quantiles at (i + 0.5) / n), in random order.
std::vector<double> exponential_ratios(std::size_t n, std::uint64_t order) {
  std::vector<double> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back(-std::log((static_cast<double>(i) + 0.5) / static_cast<double>(n)));
  const double mean = std::accumulate(out.begin(), out.end(), 0.0) / static_cast<double>(n);
  for (double& x : out) x /= mean;
  const Stream stream(5, "shuffle", order);
  for (std::size_t i = n - 1; i > 0; --i)
    std::swap(out[i], out[static_cast<std::size_t>(stream.uniform(i) * static_cast<double>(i + 1))]);
  return out;
}

TEST_CASE("M/D/1: the mean wait is rho S / (2 (1 - rho))", "[queueing]") {
  Lab lab;
  lab.board["units"]["gpu"]["discipline"] = "fifo";
  for (const double rho : {0.3, 0.6, 0.8}) {
    const auto records = replicate(lab, R"({
      "duration_s": 600, "warmup_s": 20,
      "applications": {"app": {"subnet": "L1", "unit": "gpu",
        "arrivals": {"kind": "poisson", "rate_hz": )" +
                                            std::to_string(rho / 0.010) + R"(}}}
    })");
    check_mean("response [ms]", mean_latencies(records), 10 + rho * 10 / (2 * (1 - rho)), 0.01);
    std::vector<double> busy;
    for (const RunRecord& record : records) busy.push_back(record.units[0].busy_s / record.measured_s);
    check_mean("utilisation", busy, rho, 0.01);
  }
}

TEST_CASE("M/D/1 with the stream split over five applications on one fifo unit waits as long", "[queueing]") {
  Lab lab;
  lab.board["units"]["gpu"]["discipline"] = "fifo";
  Json scenario = parse_json(R"({"duration_s": 600, "warmup_s": 20})");
  for (int i = 0; i < 5; ++i)
    scenario["applications"]["app" + std::to_string(i)] =
        parse_json(R"({"subnet": "L1", "unit": "gpu", "arrivals": {"kind": "poisson", "rate_hz": 14}})");
  const auto records = replicate(lab, scenario.dump());
  check_mean("response [ms]", overall_latencies(records), 10 + 0.7 * 10 / (2 * 0.3), 0.01);
}

TEST_CASE("M/M/1: the mean response is S / (1 - rho), and its quantiles are exponential", "[queueing]") {
  Lab lab;
  lab.board["units"]["gpu"]["discipline"] = "fifo";
  for (const double rho : {0.5, 0.8}) {
    std::vector<RunRecord> records;
    for (int r = 0; r < replications(); ++r) {
      lab.write_ratios("exponential.csv", exponential_ratios(80'000, static_cast<std::uint64_t>(r)));
      records.push_back(lab.run(R"({
        "duration_s": 1000, "warmup_s": 50,
        "applications": {"app": {"subnet": "L1", "unit": "gpu",
          "execution": {"kind": "replay", "file": "exponential.csv"},
          "arrivals": {"kind": "poisson", "rate_hz": )" +
                                    std::to_string(rho / 0.010) + R"(}}}
      })",
                                {}, static_cast<std::uint64_t>(r)));
    }
    const double response_ms = 10 / (1 - rho);
    check_mean("response [ms]", mean_latencies(records), response_ms, 0.02);
    for (const double q : {0.5, 0.9, 0.99}) {
      std::vector<double> quantiles;
      for (const RunRecord& record : records) quantiles.push_back(record.apps[0].latency.quantile_ms(q));
      INFO("quantile " << q);
      check_mean("quantile [ms]", quantiles, -response_ms * std::log(1 - q), 0.03, 0.002);
    }
  }
}

TEST_CASE("M/G/1: the mean wait follows Pollaczek and Khinchine", "[queueing]") {
  Lab lab;
  lab.board["units"]["gpu"]["discipline"] = "fifo";
  for (const double cv : {0.5, 1.5}) {
    const auto records = replicate(lab, R"({
      "duration_s": 2000, "warmup_s": 20,
      "applications": {"app": {"subnet": "L1", "unit": "gpu", "arrivals": {"kind": "poisson", "rate_hz": 60},
                               "execution": {"kind": "table", "default_cv": )" +
                                            std::to_string(cv) + R"(}}}
    })");
    check_mean("response [ms]", mean_latencies(records), 10 + 0.6 * 10 * (1 + cv * cv) / (2 * 0.4), 0.02);
    std::vector<double> service;
    for (const RunRecord& record : records)
      service.push_back(record.apps[0].subnets[0].service_sum_ms / static_cast<double>(record.apps[0].completed));
    check_mean("service [ms]", service, 10, 0.01);
  }
}

TEST_CASE("M/G/1 on a fair unit: the mean response is S / (1 - rho), whatever the distribution", "[queueing]") {
  // An application serves one frame at a time, so that sharing needs many applications: with 400, a frame finds another
  // of its own application in the unit once in 400 times, which shifts the mean by less than half a per cent. First
  // come first served, the three would wait 5, 5.8 and 21 ms instead.
  constexpr int kApps = 400;
  constexpr double kRho = 0.5;
  for (const double cv : {0.0, 0.4, 1.8}) {
    INFO("coefficient of variation " << cv);
    const Lab lab;
    Json scenario = parse_json(R"({"duration_s": 400, "warmup_s": 5})");
    for (int i = 0; i < kApps; ++i)
      scenario["applications"]["app" + std::to_string(i)] = {
          {"subnet", "L1"},
          {"unit", "gpu"},
          {"execution", {{"kind", "table"}, {"default_cv", cv}}},
          {"arrivals", {{"kind", "poisson"}, {"rate_hz", kRho / 0.010 / kApps}}}};
    check_mean("response [ms]", overall_latencies(replicate(lab, scenario)), 10 / (1 - kRho), 0.03, 0.005);
  }
}

TEST_CASE("M/D/1 with non-preemptive priorities waits as Cobham says", "[queueing]") {
  Lab lab;
  lab.board["units"]["gpu"]["discipline"] = "priority";
  const auto records = replicate(lab, R"({
    "duration_s": 600, "warmup_s": 20,
    "applications": {
      "high": {"subnet": "L1", "unit": "gpu", "arrivals": {"kind": "poisson", "rate_hz": 40},
               "targets": [{"priority": 2}]},
      "low": {"subnet": "L1", "unit": "gpu", "arrivals": {"kind": "poisson", "rate_hz": 40},
              "targets": [{"priority": 1}]}
    }
  })");
  const double residual_ms = 0.8 * 10 / 2;
  check_mean("high [ms]", mean_latencies(records, 0), 10 + residual_ms / (1 - 0.4), 0.01);
  check_mean("low [ms]", mean_latencies(records, 1), 10 + residual_ms / ((1 - 0.4) * (1 - 0.8)), 0.02);
}

TEST_CASE("M/D/1 with preemptive priorities: the urgent class does not notice the other", "[queueing]") {
  Lab lab;
  lab.board["units"]["gpu"]["discipline"] = "priority";
  lab.board["units"]["gpu"]["preemptive"] = true;
  const auto records = replicate(lab, R"({
    "duration_s": 600, "warmup_s": 20,
    "applications": {
      "low": {"subnet": "L1", "unit": "gpu", "arrivals": {"kind": "poisson", "rate_hz": 40},
              "targets": [{"priority": 1}]},
      "high": {"subnet": "L1", "unit": "gpu", "arrivals": {"kind": "poisson", "rate_hz": 40},
               "targets": [{"priority": 2}]}
    }
  })");
  check_mean("high [ms]", mean_latencies(records, 1), 10 + 0.4 * 10 / (2 * 0.6), 0.01);
  // Preemptive resume: S / (1 - rho_high) + residual of both classes / ((1 - rho_high) (1 - rho)).
  check_mean("low [ms]", mean_latencies(records, 0), 10 / 0.6 + 0.8 * 10 / 2 / (0.6 * 0.2), 0.02);
}

TEST_CASE("a closed loop keeps its unit busy all the time; with thinking, for its share of the cycle", "[queueing]") {
  const Lab lab;
  const RunRecord busy = lab.run(R"({
    "duration_s": 10.01,
    "applications": {"app": {"subnet": "L1", "unit": "gpu", "arrivals": {"kind": "closed-loop"}}}
  })",
                                 {});
  CHECK(busy.apps[0].completed == 1000);
  CHECK(busy.units[0].busy_s == Approx(10.01).epsilon(1e-12));
  const RunRecord thinking = lab.run(R"({
    "duration_s": 10.01,
    "applications": {"app": {"subnet": "L1", "unit": "gpu", "arrivals": {"kind": "closed-loop", "think_ms": 15}}}
  })",
                                     {});
  CHECK(thinking.apps[0].completed == 400);  // done at 10 + 25 k; what is done at 10010, the end, no longer counts
  CHECK(thinking.units[0].busy_s == Approx(4.01).epsilon(1e-12));
}

}  // namespace
}  // namespace dynasoc::test
