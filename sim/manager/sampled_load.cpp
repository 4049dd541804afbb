#include "manager/sampled_load.hpp"

namespace dynasoc::manager {

int SampledLoad::percent(const DomainSample& sample, Time period) {
  const Time window = sample.now - sample.since;
  previous_.resize(sample.cores.size(), 0);
  idle_periods_ = 0;
  int most = 0;
  for (std::size_t i = 0; i < sample.cores.size(); ++i) {
    const Time idle_us = window / 1000 - share_us(sample.cores[i].busy, window);
    const bool long_idle = idle_us * 1000 > 2 * period;
    int load = load_percent(sample.cores[i].busy, window);
    if (remember_ && (window == 0 || (long_idle && previous_[i] > 0))) {
      load = previous_[i];
      if (window > 0) previous_[i] = 0;  // once: the next window shows what the work needs
    } else {
      previous_[i] = load;
    }
    if (long_idle) {
      const std::int64_t periods = idle_us * 1000 / period;
      idle_periods_ = idle_periods_ == 0 ? periods : std::min(idle_periods_, periods);
    }
    most = std::max(most, load);
  }
  return most;
}

}  // namespace dynasoc::manager
