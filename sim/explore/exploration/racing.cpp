#include "explore/exploration/racing.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "results/statistics.hpp"

namespace dynasoc::explore {
namespace {

constexpr double kUndefined = 1000;
constexpr double kForLimits = 0.2;  // share of the error that is spent on constraints, where there are any

// One-sided p-value against a mean of at most 0. Differences that are all the same have no variance to test with, and
// yet are not sure: what is rare may only not have been seen. Their signs are then as many tosses of a coin.
double above_zero(const std::vector<double>& differences) {
  double sum = 0;
  for (const double d : differences) sum += d;
  if (!(sum > 0)) return 1;
  const double p = paired_p_value(differences);
  if (p == 0) return std::ldexp(1.0, -static_cast<int>(differences.size()));
  return std::isnan(p) ? 1 : p / 2;
}

std::vector<double> column(const Samples& samples, std::size_t metric, std::size_t n) {
  std::vector<double> out;
  for (std::size_t r = 0; r < n; ++r)
    if (std::isfinite(samples[r][metric])) out.push_back(samples[r][metric]);
  return out;
}

bool equal_objectives(const Wishes& wishes, const Samples& a, const Samples& b, std::size_t n) {
  for (std::size_t r = 0; r < n; ++r)
    for (std::size_t k = 0; k < wishes.signs.size(); ++k)
      if (!(a[r][k] == b[r][k])) return false;
  return true;
}

// The chance, at most, that limits hold although the samples look like this.
double breaks_limits_p_value(const Wishes& wishes, const Samples& samples, std::size_t n) {
  double least = 1, tests = 0;
  for (const Limit& limit : wishes.limits) {
    const std::vector<double> values = column(samples, limit.metric, n);
    if (values.empty()) {  // undefined so far, which may be chance as well
      ++tests;
      least = std::min(least, std::ldexp(1.0, -static_cast<int>(n)));
      continue;
    }
    for (const double sign : {1.0, -1.0}) {
      const double bound = sign > 0 ? limit.most : limit.least;
      if (!std::isfinite(bound)) continue;
      ++tests;
      std::vector<double> beyond;
      for (const double x : values) beyond.push_back(sign * (x - bound));
      if (limit.certain && beyond[0] > 0) return 0;
      least = std::min(least, above_zero(beyond));
    }
  }
  return least * tests;
}

}  // namespace

Wishes wishes_of(const Space& space) {
  Wishes out;
  for (std::size_t k = 0; k < space.objectives(); ++k) {
    out.signs.push_back(space.metrics()[k].sign);
    out.resolutions.push_back(space.file().objectives[k].resolution);
  }
  for (std::size_t c = 0; c < space.file().constraints.size(); ++c) {
    const ConstraintFile& one = space.file().constraints[c];
    Limit limit;
    limit.metric = space.objectives() + c;
    limit.certain = one.metric.text == "run.memory_mb";
    if (one.most) limit.most = *one.most;
    if (one.least) limit.least = *one.least;
    out.limits.push_back(limit);
  }
  return out;
}

std::vector<double> means_of(const Samples& samples, std::size_t n) {
  std::vector<double> out;
  for (std::size_t m = 0; n > 0 && m < samples[0].size(); ++m) {
    const std::vector<double> values = column(samples, m, n);
    double sum = 0;
    for (const double x : values) sum += x;
    out.push_back(values.empty() ? std::nan("") : sum / static_cast<double>(values.size()));
  }
  return out;
}

std::vector<double> objectives_of(const Wishes& wishes, const std::vector<double>& means) {
  std::vector<double> out;
  for (std::size_t k = 0; k < wishes.signs.size(); ++k) out.push_back(wishes.signs[k] * means[k]);
  return out;
}

bool covers(const Wishes& wishes, const std::vector<double>& a, const std::vector<double>& b) {
  for (std::size_t k = 0; k < wishes.signs.size(); ++k)
    if (!(a[k] <= b[k] + wishes.resolutions[k])) return false;
  return true;
}

namespace {

// Sums of objectives, each scaled to the extent of all points.
std::vector<double> scaled_sums(const std::vector<std::vector<double>>& points) {
  std::vector<double> sums(points.size(), 0);
  for (std::size_t k = 0; !points.empty() && k < points[0].size(); ++k) {
    double low = points[0][k], high = low;
    for (const auto& point : points) low = std::min(low, point[k]), high = std::max(high, point[k]);
    for (std::size_t i = 0; i < points.size(); ++i)
      if (high > low) sums[i] += (points[i][k] - low) / (high - low);
  }
  return sums;
}

std::vector<std::size_t> ascending(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // What is undefined comes last.
  const auto key = [&](std::size_t i) { return std::isnan(values[i]) ? INFINITY : values[i]; };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  return order;
}

}  // namespace

std::vector<std::size_t> front_of(const Wishes& wishes, const std::vector<std::vector<double>>& objectives) {
  const auto best = non_dominated(objectives);
  if (std::all_of(wishes.resolutions.begin(), wishes.resolutions.end(), [](double r) { return r == 0; })) return best;
  std::vector<std::vector<double>> points;
  for (const std::size_t i : best) points.push_back(objectives[i]);
  std::vector<std::size_t> kept;
  for (const std::size_t i : ascending(scaled_sums(points)))
    if (std::none_of(kept.begin(), kept.end(), [&](std::size_t j) { return covers(wishes, objectives[j], points[i]); }))
      kept.push_back(best[i]);
  std::sort(kept.begin(), kept.end());
  return kept;
}

double violation(const Wishes& wishes, const std::vector<double>& means) {
  double sum = 0;
  for (std::size_t k = 0; k < wishes.signs.size(); ++k)
    if (!std::isfinite(means[k])) sum += kUndefined;
  const auto relative = [](double beyond, double bound) { return beyond / (bound == 0 ? 1 : std::abs(bound)); };
  for (const Limit& limit : wishes.limits) {
    const double mean = means[limit.metric];
    if (!std::isfinite(mean))
      sum += kUndefined;
    else if (mean > limit.most)
      sum += relative(mean - limit.most, limit.most);
    else if (mean < limit.least)
      sum += relative(limit.least - mean, limit.least);
  }
  return sum;
}

double domination_p_value(const Wishes& wishes, const Samples& worse, const Samples& better, std::size_t from,
                          std::size_t n) {
  double largest = 0;
  bool strict = false;
  for (std::size_t k = 0; k < wishes.signs.size(); ++k) {
    std::vector<double> differences;
    bool equal = true;
    for (std::size_t r = from; r < n; ++r) {
      const double d = wishes.signs[k] * (worse[r][k] - better[r][k]) + wishes.resolutions[k];
      if (!std::isfinite(d)) continue;
      differences.push_back(d);
      equal = equal && d == 0;
    }
    if (differences.size() < 2) return 1;
    if (equal) continue;
    strict = true;
    largest = std::max(largest, above_zero(differences));
    if (largest == 1) return 1;
  }
  return strict ? largest : 1;
}

namespace {

// The few that, by the first replications, are most likely to dominate `c`: by the least margin over objectives, in
// standard errors.
std::vector<std::size_t> rivals_of(const Wishes& wishes, const std::vector<const Samples*>& racers, std::size_t c,
                                   const std::vector<std::size_t>& among, const std::vector<bool>& gone,
                                   std::size_t first) {
  constexpr std::size_t kRivals = 4;
  std::vector<std::pair<double, std::size_t>> found;
  for (const std::size_t d : among) {
    if (d == c || gone[d]) continue;
    double margin = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < wishes.signs.size(); ++k) {
      double sum = 0, square = 0;
      const auto n = static_cast<double>(first);
      for (std::size_t r = 0; r < first; ++r) {
        const double x = wishes.signs[k] * ((*racers[c])[r][k] - (*racers[d])[r][k]) + wishes.resolutions[k];
        sum += x;
        square += x * x;
      }
      const double sd = std::sqrt(std::max(0.0, square / n - (sum / n) * (sum / n)));
      const double one = sum / n / (sd + 0.1 * wishes.resolutions[k] + 1e-300);
      margin = std::isfinite(one) ? std::min(margin, one) : -std::numeric_limits<double>::infinity();
    }
    if (margin > 0) found.emplace_back(-margin, d);
  }
  const auto some = static_cast<std::ptrdiff_t>(std::min(kRivals, found.size()));
  std::partial_sort(found.begin(), found.begin() + some, found.end());
  std::vector<std::size_t> out;
  for (std::ptrdiff_t i = 0; i < some; ++i) out.push_back(found[static_cast<std::size_t>(i)].second);
  return out;
}

}  // namespace

std::vector<Dropped> look(const Wishes& wishes, const std::vector<const Samples*>& racers,
                          const std::vector<std::size_t>& tested, std::size_t first, std::size_t n, double error,
                          bool same) {
  std::vector<std::size_t> feasible, front;
  std::vector<std::vector<double>> objectives;
  for (std::size_t i = 0; i < racers.size(); ++i) {
    // Who turned out to break a constraint, after more replications, dominates nobody.
    if (violation(wishes, means_of(*racers[i], racers[i]->size())) > 0) continue;
    feasible.push_back(i);
    objectives.push_back(objectives_of(wishes, means_of(*racers[i], n)));
  }
  for (const std::size_t i : front_of(wishes, objectives)) front.push_back(feasible[i]);

  // The worst first: of two that cover each other the better one stays.
  std::vector<std::vector<double>> of_tested;
  for (const std::size_t c : tested) of_tested.push_back(objectives_of(wishes, means_of(*racers[c], n)));
  std::vector<std::size_t> order = ascending(scaled_sums(of_tested));
  std::reverse(order.begin(), order.end());
  const double for_limits = wishes.limits.empty() ? 0 : kForLimits * error;
  error -= for_limits;
  std::vector<Dropped> out;
  std::vector<bool> gone(racers.size(), false);
  for (const std::size_t t : order) {
    const std::size_t c = tested[t];
    if (!wishes.limits.empty() && breaks_limits_p_value(wishes, *racers[c], n) <= for_limits) {
      out.push_back({c, -1});
      gone[c] = true;
      continue;
    }
    double least = 1, members = 0;
    int by = -1;
    const bool split = n >= 3 * first;
    const auto rivals = split ? rivals_of(wishes, racers, c, feasible, gone, first) : front;
    for (const std::size_t d : rivals) {
      if (d == c || gone[d]) continue;
      ++members;
      const bool twin = same && d < c && equal_objectives(wishes, *racers[c], *racers[d], n);
      const double p = twin ? 0 : domination_p_value(wishes, *racers[c], *racers[d], split ? first : 0, n);
      if (p < least) least = p, by = static_cast<int>(d);
    }
    if (by < 0 || least * members > error) continue;
    out.push_back({c, by});
    gone[c] = true;
  }
  return out;
}

Rounds rounds_of(const RacingFile& racing, int replications) {
  Rounds out;
  out.search.push_back(std::min(racing.first, replications));
  if (racing.search > out.search[0] && out.search[0] < replications)
    out.search.push_back(std::min(racing.search, replications));
  for (int n = out.search.back(); n < replications; n += (n + 1) / 2) out.end.push_back(n);
  out.end.push_back(replications);
  return out;
}

}  // namespace dynasoc::explore
