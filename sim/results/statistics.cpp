#include "results/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>

#include "common/error.hpp"
#include "common/nan.hpp"
#include "kernel/random.hpp"

namespace dynasoc {
namespace {

// Two-sided.
double t_quantile(double degrees, double confidence) {
  return boost::math::quantile(boost::math::students_t(degrees), 0.5 + confidence / 2);
}

struct Moments {
  double n = 0;
  double mean = kNaN;
  double variance = kNaN;  // exactly 0 where all values are equal
};

Moments moments(const std::vector<double>& values) {
  Moments out;
  double least = 0, most = 0, sum = 0;
  for (const double x : values) {
    if (!std::isfinite(x)) continue;
    least = out.n == 0 ? x : std::min(least, x);
    most = out.n == 0 ? x : std::max(most, x);
    ++out.n;
    sum += x;
  }
  if (out.n == 0) return out;
  out.mean = least == most ? least : sum / out.n;  // rounding must not make a variance where nothing varies
  if (out.n < 2) return out;
  double squares = 0;
  for (const double x : values)
    if (std::isfinite(x)) squares += (x - out.mean) * (x - out.mean);
  out.variance = squares / (out.n - 1);
  return out;
}

std::vector<double> finite(const std::vector<double>& values) {
  std::vector<double> out;
  out.reserve(values.size());
  std::copy_if(values.begin(), values.end(), std::back_inserter(out), [](double x) { return std::isfinite(x); });
  return out;
}

// The pairs of which both values are defined.
std::pair<std::vector<double>, std::vector<double>> pairs(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) throw InternalError("paired values of different number");
  std::pair<std::vector<double>, std::vector<double>> out;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (std::isfinite(a[i]) && std::isfinite(b[i])) out.first.push_back(a[i]), out.second.push_back(b[i]);
  return out;
}

}  // namespace

Estimate estimate(const std::vector<double>& values, double confidence) {
  const Moments m = moments(values);
  Estimate out;
  out.n = static_cast<std::size_t>(m.n);
  out.mean = m.mean;
  if (out.n < 2) return out;
  out.sd = std::sqrt(m.variance);
  const double half = m.variance > 0 ? t_quantile(m.n - 1, confidence) * out.sd / std::sqrt(m.n) : 0;
  out.interval = {m.mean - half, m.mean + half};
  return out;
}

std::vector<double> paired_differences(const std::vector<double>& a, const std::vector<double>& b) {
  auto [first, second] = pairs(a, b);
  for (std::size_t i = 0; i < first.size(); ++i) first[i] -= second[i];
  return std::move(first);
}

Interval bootstrap_mean(const std::vector<double>& values, double confidence, std::size_t resamples) {
  const std::vector<double> x = finite(values);
  const Moments m = moments(x);
  if (m.n < 2 || resamples < 2) return {};
  if (m.variance == 0) return {m.mean, m.mean};

  // Two draws of 32 bits from each 64: an index is (bits x n) >> 32, uneven by less than n / 2^32.
  const Stream stream(0x626f6f74, "statistics/bootstrap");
  const std::size_t n = x.size();
  const auto width = static_cast<std::uint64_t>(n);
  std::vector<double> means(resamples);
  std::uint64_t draw = 0;
  for (double& mean : means) {
    double sum = 0;
    std::size_t i = 0;
    for (; i + 1 < n; i += 2) {
      const std::uint64_t bits = stream.bits(draw++);
      sum += x[((bits >> 32) * width) >> 32] + x[((bits & 0xffffffff) * width) >> 32];
    }
    if (i < n) sum += x[((stream.bits(draw++) >> 32) * width) >> 32];
    mean = sum / m.n;
  }

  double below = 0;
  for (const double mean : means) below += mean < m.mean ? 1 : mean == m.mean ? 0.5 : 0;
  const auto count = static_cast<double>(resamples);
  const boost::math::normal normal;
  const double bias = boost::math::quantile(normal, std::clamp(below / count, 1 / count, 1 - 1 / count));
  // Leaving out x_i moves the mean by (mean - x_i) / (n - 1): the jackknife needs no second look at the data.
  double squares = 0, cubes = 0;
  for (const double value : x) {
    const double d = value - m.mean;
    squares += d * d;
    cubes += d * d * d;
  }
  const double acceleration = cubes / (6 * std::pow(squares, 1.5));
  const auto end = [&](double p) {
    const double z = bias + boost::math::quantile(normal, p);
    const double shrunk = 1 - acceleration * z;
    const double level = shrunk > 0 ? boost::math::cdf(normal, bias + z / shrunk) : p < 0.5 ? 0 : 1;
    const double rank = std::clamp(level * (count + 1) - 1, 0.0, count - 1);
    const auto at = static_cast<std::ptrdiff_t>(rank);
    std::nth_element(means.begin(), means.begin() + at, means.end());
    const double low = means[at];
    if (at + 1 == static_cast<std::ptrdiff_t>(resamples)) return low;
    const double high = *std::min_element(means.begin() + at + 1, means.end());
    return low + (high - low) * (rank - static_cast<double>(at));
  };
  const double low = end(0.5 - confidence / 2);
  return {low, end(0.5 + confidence / 2)};
}

Estimate relative_difference(const std::vector<double>& a, const std::vector<double>& b, double confidence) {
  const auto [x, y] = pairs(a, b);
  const Moments mx = moments(x), my = moments(y);
  Estimate out;
  out.n = x.size();
  if (out.n == 0 || my.mean == 0) return out;
  out.mean = mx.mean / my.mean - 1;
  if (out.n < 2) return out;
  double products = 0;
  for (std::size_t i = 0; i < x.size(); ++i) products += (x[i] - mx.mean) * (y[i] - my.mean);
  const double slope = my.variance > 0 ? products / (mx.n - 1) / my.variance : 0;
  double across = 0, residual = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double dx = x[i] - mx.mean, dy = y[i] - my.mean;
    across += std::pow(my.mean * dx - mx.mean * dy, 2);
    residual += std::pow(dx - slope * dy, 2);
  }
  const double t = t_quantile(mx.n - 1, confidence);
  const double scale = t * t / mx.n;
  // (mean_x - r mean_y)^2 <= t^2 (s_xx - 2 r s_xy + r^2 s_yy) / n, a quadratic in r.
  const double c2 = my.mean * my.mean - scale * my.variance;
  const double c1 = mx.mean * my.mean - scale * products / (mx.n - 1);
  if (!(c2 > 0)) return out;
  // Its discriminant, c1^2 - c2 c0, without the cancellation that would give proportional values a width.
  const double root =
      std::sqrt(std::max(0.0, scale * across / (mx.n - 1) - scale * scale * my.variance * residual / (mx.n - 1)));
  out.interval = {(c1 - root) / c2 - 1, (c1 + root) / c2 - 1};
  return out;
}

Superiority superiority(const std::vector<double>& a, const std::vector<double>& b, double confidence) {
  const std::vector<double> d = paired_differences(a, b);
  Superiority out;
  out.n = d.size();
  if (d.empty()) return out;
  double wins = 0;
  for (const double x : d) wins += x < 0 ? 1 : x == 0 ? 0.5 : 0;
  const auto n = static_cast<double>(d.size());
  out.share = wins / n;
  const boost::math::beta_distribution<double> posterior(wins + 0.5, n - wins + 0.5);
  out.interval.low = wins == 0 ? 0 : boost::math::quantile(posterior, 0.5 - confidence / 2);
  out.interval.high = wins == n ? 1 : boost::math::quantile(posterior, 0.5 + confidence / 2);
  const Moments m = moments(d);
  if (m.n < 2) return out;
  if (m.variance == 0)
    out.mean_is_lower = m.mean < 0 ? 1 : m.mean > 0 ? 0 : 0.5;
  else
    out.mean_is_lower = boost::math::cdf(boost::math::students_t(m.n - 1), -m.mean / std::sqrt(m.variance / m.n));
  return out;
}

double paired_p_value(const std::vector<double>& differences) {
  const Moments m = moments(differences);
  if (m.n < 2) return kNaN;
  if (m.variance == 0) return m.mean == 0 ? 1 : 0;
  const double t = std::abs(m.mean) / std::sqrt(m.variance / m.n);
  return std::min(1.0, 2 * boost::math::cdf(boost::math::complement(boost::math::students_t(m.n - 1), t)));
}

std::vector<double> holm(const std::vector<double>& p_values) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p_values.size(); ++i)
    if (!std::isnan(p_values[i])) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return p_values[i] < p_values[j]; });
  std::vector<double> out(p_values.size(), kNaN);
  double largest = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    largest = std::max(largest, std::min(1.0, static_cast<double>(order.size() - rank) * p_values[order[rank]]));
    out[order[rank]] = largest;
  }
  return out;
}

SeedsNeeded seeds_needed(const std::vector<double>& differences, double confidence, std::int64_t most) {
  const Moments m = moments(differences);
  SeedsNeeded out;
  if (m.n < 2 || m.mean == 0) return out;
  if (m.variance == 0) {
    out.state = SeedsNeeded::State::exact;
    return out;
  }
  const double effect = std::abs(m.mean) / std::sqrt(m.variance);
  const auto decides = [&](std::int64_t n) {
    const auto count = static_cast<double>(n);
    return t_quantile(count - 1, confidence) / std::sqrt(count) < effect;
  };
  const auto have = static_cast<std::int64_t>(m.n);
  if (decides(have)) {
    out.state = SeedsNeeded::State::decided;
    out.total = have;
    return out;
  }
  if (have >= most || !decides(most)) return out;
  std::int64_t low = have, high = most;  // the quotient falls with n
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (decides(middle) ? high : low) = middle;
  }
  out.state = SeedsNeeded::State::more;
  out.total = high;
  out.more = high - have;
  return out;
}

Sequential sequential_test(const std::vector<double>& differences, double alpha, double g) {
  Sequential out;
  double n = 0, mean = 0, squares = 0, log_e = 0, log_largest = 0;
  for (const double x : differences) {
    if (!std::isfinite(x)) continue;
    ++n;
    const double step = x - mean;
    mean += step / n;
    squares += step * (x - mean);
    if (n < 2) continue;  // one value has no scale: its e-value is 1
    const double wide = 1 + n * g;
    // ((1 + u) / (1 + u / wide))^(n/2) with u = t^2 / nu = n mean^2 / squares; u grows beyond all bounds where nothing
    // varies, and the quotient tends to `wide`.
    const double signal = n * mean * mean;
    const double quotient = signal + squares > 0 ? (squares + signal) / (squares + signal / wide) : 1;
    log_e = 0.5 * (n * std::log(quotient) - std::log(wide));
    log_largest = std::max(log_largest, log_e);
    if (!out.decided && log_e >= -std::log(alpha)) {
      out.decided = true;
      out.decided_at = static_cast<std::size_t>(n);
    }
  }
  out.n = static_cast<std::size_t>(n);
  out.e_value = std::exp(log_e);
  out.largest = std::exp(log_largest);
  out.p_value = std::exp(-log_largest);
  if (n < 1) return out;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  out.interval = {-kInfinity, kInfinity};
  if (n < 2) return out;
  // Means whose e-value stays below 1 / alpha: (1 + u) / (1 + u / wide) < a.
  const double wide = 1 + n * g;
  const double a = std::exp((0.5 * std::log(wide) - std::log(alpha)) * 2 / n);
  if (a < wide) {
    const double half = std::sqrt((a - 1) / (1 - a / wide) * squares / n);
    out.interval = {mean - half, mean + half};
  }
  return out;
}

Sequential sequential_sign_test(const std::vector<double>& differences, double alpha) {
  Sequential out;
  const double bar = -std::log(alpha);
  double below = 0, above = 0, log_e = 0, log_largest = 0;
  // B(w + 1/2, l + 1/2) / B(1/2, 1/2): each value multiplies it by its own predictive chance.
  double log_mixture = 0;
  for (const double x : differences) {
    if (!std::isfinite(x) || x == 0) continue;
    double& count = x < 0 ? below : above;
    log_mixture += std::log((count + 0.5) / (below + above + 1));
    ++count;
    log_e = log_mixture + (below + above) * std::log(2.0);
    log_largest = std::max(log_largest, log_e);
    if (!out.decided && log_e >= bar) {
      out.decided = true;
      out.decided_at = static_cast<std::size_t>(below + above);
    }
  }
  const double n = below + above;
  out.n = static_cast<std::size_t>(n);
  out.e_value = std::exp(log_e);
  out.largest = std::exp(log_largest);
  out.p_value = std::exp(-log_largest);
  if (n == 0) return out;
  const auto rejected = [&](double p) {
    const double likelihood = (below > 0 ? below * std::log(p) : 0) + (above > 0 ? above * std::log1p(-p) : 0);
    return log_mixture - likelihood >= bar;
  };
  // Log likelihood is concave in p with its peak at the share seen, which is never rejected.
  const auto end = [&](double outside) {
    double inside = below / n;
    for (int i = 0; i < 60; ++i) {
      const double middle = 0.5 * (inside + outside);
      (rejected(middle) ? outside : inside) = middle;
    }
    return outside;
  };
  out.interval = {below == 0 ? 0 : end(0), above == 0 ? 1 : end(1)};
  return out;
}

}  // namespace dynasoc
