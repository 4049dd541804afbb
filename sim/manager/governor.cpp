#include "manager/governor.hpp"

namespace dynasoc::manager {

int lowest_at_least(const DomainSample& sample, std::int64_t khz) {
  for (int i = sample.lowest; i <= sample.highest; ++i)
    if (opp_khz(sample, i) >= khz) return i;
  return sample.highest;
}

int highest_at_most(const DomainSample& sample, std::int64_t khz) {
  for (int i = sample.highest; i >= sample.lowest; --i)
    if (opp_khz(sample, i) <= khz) return i;
  return sample.lowest;
}

int closest(const DomainSample& sample, std::int64_t khz) {
  const int above = lowest_at_least(sample, khz), below = highest_at_most(sample, khz);
  return std::abs(opp_khz(sample, above) - khz) < std::abs(opp_khz(sample, below) - khz) ? above : below;
}

std::int64_t share_us(double share, Time window) {
  return std::min<std::int64_t>(std::llround(share * static_cast<double>(window) / 1000), window / 1000);
}

int load_percent(double busy, Time window) {
  const std::int64_t wall_us = window / 1000;
  return wall_us > 0 ? static_cast<int>(100 * share_us(busy, window) / wall_us) : 0;
}

}  // namespace dynasoc::manager
