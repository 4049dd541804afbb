#include "explore/exploration/front.hpp"

#include <algorithm>
#include <cmath>

#include "kernel/random.hpp"

namespace dynasoc::explore {

std::size_t knee_of(const std::vector<std::vector<double>>& front) {
  std::vector<double> sums(front.size(), 0);
  for (std::size_t k = 0; k < front[0].size(); ++k) {
    double low = front[0][k], high = front[0][k];
    for (const auto& point : front) low = std::min(low, point[k]), high = std::max(high, point[k]);
    if (low == high) continue;
    for (std::size_t i = 0; i < front.size(); ++i) sums[i] += (front[i][k] - low) / (high - low);
  }
  return static_cast<std::size_t>(std::min_element(sums.begin(), sums.end()) - sums.begin());
}

double HypervolumeBox::share(const std::vector<std::vector<double>>& points) const {
  double whole = 1;
  for (std::size_t k = 0; k < reference.size(); ++k) whole *= std::max(0.0, reference[k] - ideal[k]);
  if (!(whole > 0)) return 0;
  // In units of the box from the start: objectives of very different size would lose digits.
  std::vector<std::vector<double>> scaled;
  for (const auto& point : points) {
    scaled.emplace_back();
    for (std::size_t k = 0; k < point.size(); ++k)
      scaled.back().push_back((point[k] - ideal[k]) / (reference[k] - ideal[k]));
  }
  return hypervolume(scaled, std::vector<double>(reference.size(), 1.0));
}

Hypervolume hypervolume_of(const HypervolumeBox& box, const Wishes& wishes, const std::vector<const Samples*>& front,
                           std::size_t resamples) {
  Hypervolume out;
  if (front.empty()) return out;
  const std::size_t n = front[0]->size();
  const auto share = [&](const std::vector<std::size_t>& replications) {
    std::vector<std::vector<double>> points;
    for (const Samples* samples : front) {
      Samples drawn;
      for (const std::size_t r : replications) drawn.push_back((*samples)[r]);
      points.push_back(objectives_of(wishes, means_of(drawn, drawn.size())));
    }
    std::erase_if(points, [](const auto& point) {
      return std::any_of(point.begin(), point.end(), [](double x) { return !std::isfinite(x); });
    });
    return box.share(points);
  };
  std::vector<std::size_t> replications(n);
  for (std::size_t r = 0; r < n; ++r) replications[r] = r;
  out.value = share(replications);
  if (n < 2) return out;
  const Stream stream(0, "explore/bootstrap");
  std::vector<double> values;
  for (std::size_t b = 0; b < resamples; ++b) {
    for (std::size_t r = 0; r < n; ++r)
      replications[r] = std::min(n - 1, static_cast<std::size_t>(stream.uniform(b * n + r) * static_cast<double>(n)));
    values.push_back(share(replications));
  }
  std::sort(values.begin(), values.end());
  const auto quantile = [&](double p) {
    return values[static_cast<std::size_t>(std::lround(p * static_cast<double>(values.size() - 1)))];
  };
  out.interval = {quantile((1 - kConfidence) / 2), quantile((1 + kConfidence) / 2)};
  return out;
}

}  // namespace dynasoc::explore
