#include "explore/search/selection.hpp"

#include <algorithm>
#include <functional>
#include <limits>

namespace dynasoc::search {
namespace {

// Least sum of `gap(previous, next)` over selections of exactly k of n on a line, for each k up to `most`; previous is
// n before the first, next is n after the last.
std::vector<Selection> best_chains(std::size_t n, std::size_t most,
                                   const std::function<double(std::size_t, std::size_t)>& gap) {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  most = std::min(most, n);
  // least[k][i]: of k + 1 chosen, the last being i, without what follows i.
  std::vector<std::vector<double>> least(most, std::vector<double>(n, kNever));
  std::vector<std::vector<std::size_t>> before(most, std::vector<std::size_t>(n, n));
  for (std::size_t i = 0; i < n; ++i) least[0][i] = gap(n, i);
  for (std::size_t k = 1; k < most; ++k)
    for (std::size_t j = 0; j + 1 < n; ++j) {
      if (least[k - 1][j] == kNever) continue;
      for (std::size_t i = j + 1; i < n; ++i)
        if (const double sum = least[k - 1][j] + gap(j, i); sum < least[k][i]) least[k][i] = sum, before[k][i] = j;
    }
  std::vector<Selection> out;
  for (std::size_t k = 0; k < most; ++k) {
    Selection best;
    best.value = kNever;
    std::size_t last = n;
    for (std::size_t i = 0; i < n; ++i)
      if (const double sum = least[k][i] + gap(i, n); sum < best.value) best.value = sum, last = i;
    if (last == n) break;
    for (std::size_t i = last, step = k;; --step) {
      best.chosen.insert(best.chosen.begin(), i);
      if (step == 0) break;
      i = before[step][i];
    }
    out.push_back(std::move(best));
  }
  return out;
}

}  // namespace

double TargetDistribution::share(double from, double to) const {
  if (values.empty()) return std::max(0.0, std::min(to, high) - std::max(from, low)) / (high - low);
  const auto first = std::lower_bound(values.begin(), values.end(), from);
  const auto last = std::lower_bound(first, values.end(), to);
  return static_cast<double>(last - first) / static_cast<double>(values.size());
}

std::vector<Selection> select_by_hypervolume(const std::vector<Candidate>& front, std::size_t most,
                                             double reference_cost, double reference_accuracy) {
  const std::size_t n = front.size();
  const auto width = [&](std::size_t i) { return std::max(0.0, reference_cost - front[i].cost); };
  const auto height = [&](std::size_t i) { return std::max(0.0, front[i].accuracy - reference_accuracy); };
  // Point i adds what it has above the one before it, as wide as it is itself.
  auto out = best_chains(n, most, [&](std::size_t before, std::size_t i) {
    if (i == n) return 0.0;
    return -width(i) * (height(i) - (before == n ? 0 : height(before)));
  });
  double all = 0;
  for (std::size_t i = 0; i < n; ++i) all += width(i) * (height(i) - (i == 0 ? 0 : height(i - 1)));
  for (Selection& selection : out) {
    selection.value = -selection.value;
    selection.share_of_all = all > 0 ? selection.value / all : 0;
  }
  return out;
}

std::vector<Selection> select_by_regret(const std::vector<Candidate>& front, std::size_t most,
                                        const TargetDistribution& targets, double missed_accuracy) {
  const std::size_t n = front.size();
  // shares[i]: of targets whose best of all is i; its sums and those of share times accuracy from the left.
  std::vector<double> shares(n + 1, 0), accuracies(n + 1, 0);
  for (std::size_t i = 0; i < n; ++i) {
    const double until = i + 1 < n ? front[i + 1].cost : std::numeric_limits<double>::infinity();
    const double share = targets.share(front[i].cost, until);
    shares[i + 1] = shares[i] + share;
    accuracies[i + 1] = accuracies[i] + share * front[i].accuracy;
  }
  auto out = best_chains(n, most, [&](std::size_t from, std::size_t to) {
    const std::size_t begin = from == n ? 0 : from;
    const double served = from == n ? missed_accuracy : front[from].accuracy;
    return accuracies[to] - accuracies[begin] - served * (shares[to] - shares[begin]);
  });
  for (Selection& selection : out) selection.missed = shares[selection.chosen.front()];
  return out;
}

}  // namespace dynasoc::search
