// nvhost_podgov: the default governor of Jetson GPUs, in the integer arithmetic of its source.
//
// Every `polling_interval`, with f the clock and busy / total the last interval in whole microseconds:
//   cycles_norm = f busy / total                                            [Hz]
//   cycles_avg  = (cycles_avg smooth + cycles_norm) / (smooth + 1)
// Within `block_window` of the start or of the last change the clock stays. Then, with F the clock last asked for in
// whole MHz and f_max the upper limit:
//   busyness = 1000 cycles_avg / f,  rt_load = 1000 cycles_norm / f
//   rt_load > load_max:  boost = (f_max / 3) in MHz, damp = 10
//   else:                boost = bias F (busyness - load_target) / (100 load_target), at most f_max / 3
//   res = F + boost;  freq_avg = (freq_avg smooth + res) / (smooth + 1);  res = (damp res + (10 - damp) freq_avg) / 10
// within the limits, and the lowest OPP not below. All divisions round towards zero. freq_avg begins at 0. A result
// that rounds to the present clock does not start a new block window.
//
// A GPU that has been idle for `railgate_delay` is powered down: the clock is then the lowest, and the averages begin
// again at 0 with the next work, which no block window holds up. Where limits, or a policy, have moved the clock
// between two samples, that is the clock last asked for.
//
// Source: OE4T/linux-tegra-5.10, drivers/devfreq/governor_pod_scaling.c, read in full (the load-only form; older L4T
// also took throughput hints); the interval of 25 ms from nvgpu's scale.c. Powering down is nvgpu's; 500 ms is from
// memory.
#include "manager/governor.hpp"

namespace dynasoc::manager {
namespace {

class Podgov final : public Governor {
 public:
  struct Parameters {
    double polling_interval = 25;
    double block_window = 50000;
    int load_max = 900;
    int load_target = 700;
    int bias = 80;
    int smooth = 10;
    int damp = 7;
    double railgate_delay = 500;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(field(&P::polling_interval, "polling_interval", range(1e-3, 1e6), "time between samples [ms]"),
                      field(&P::block_window, "block_window", range(0, 1e12), "least time between changes [us]"),
                      field(&P::load_max, "load_max", range(0, 1000), "load above which the clock jumps up [1/1000]"),
                      field(&P::load_target, "load_target", range(1, 1000), "average load aimed at [1/1000]"),
                      field(&P::bias, "bias", range(0, 100), "weight of the distance from that load [%]"),
                      field(&P::smooth, "smooth", range(0, 1000), "averages weigh the new value 1 / (smooth + 1)"),
                      field(&P::damp, "damp", range(0, 10), "weight of the new request against the average one [1/10]"),
                      field(&P::railgate_delay, "railgate_delay", range(0, 1e9),
                            "idle time after which it is powered down; 0 = never [ms]"));
    }
  };
  explicit Podgov(const Parameters& parameters) : p_(parameters) {}

  double period_ms() const override { return p_.polling_interval; }

  int choose(const DomainSample& sample) override {
    if (asked_ < 0) asked_ = sample.opp;
    if (sample.ask == Ask::start) last_scale_ = sample.now;
    if (sample.ask != Ask::sample) return asked_ = std::clamp(sample.opp, sample.lowest, sample.highest);
    const std::int64_t total_us = (sample.now - sample.since) / 1000;
    if (total_us == 0) return sample.opp;
    const double busy = sample.busy();
    if (busy > 0) idle_since_ = sample.now;
    if (p_.railgate_delay > 0 && sample.now - idle_since_ >= from_ms(p_.railgate_delay)) {
      cycles_avg_ = freq_avg_ = 0;
      last_scale_ = sample.now - from_us(p_.block_window);
      return asked_ = sample.lowest;
    }

    const std::int64_t hz = to_khz(sample.mhz()) * 1000;
    const std::int64_t cycles_norm = hz * share_us(busy, sample.now - sample.since) / total_us;
    cycles_avg_ = (cycles_avg_ * p_.smooth + cycles_norm) / (p_.smooth + 1);
    if (sample.now - last_scale_ < from_us(p_.block_window)) return asked_ = sample.opp;

    const std::int64_t highest_hz = opp_khz(sample, sample.highest) * 1000;
    const std::int64_t most_boost = highest_hz / 3 / 1'000'000;
    const std::int64_t freq = opp_khz(sample, asked_) / 1000;
    const std::int64_t busyness = 1000 * cycles_avg_ / hz, rt_load = 1000 * cycles_norm / hz;
    std::int64_t damp = p_.damp, boost = most_boost;
    if (rt_load > p_.load_max)
      damp = 10;
    else
      boost = std::min(most_boost, (busyness - p_.load_target) * (p_.bias * freq) / (100 * p_.load_target));
    std::int64_t result = freq + boost;
    freq_avg_ = (freq_avg_ * p_.smooth + result) / (p_.smooth + 1);
    result = (damp * result + (10 - damp) * freq_avg_) / 10;

    asked_ = lowest_at_least(sample, result * 1000);
    if (asked_ != sample.opp) last_scale_ = sample.now;
    return asked_;
  }

 private:
  Parameters p_;
  int asked_ = -1;  // OPP that was last asked for
  Time last_scale_ = 0;
  Time idle_since_ = 0;
  std::int64_t cycles_avg_ = 0;  // [Hz]
  std::int64_t freq_avg_ = 0;    // [MHz]
};

const Registration<Governor, Podgov> registered{"nvhost_podgov", "power on demand: the default of Jetson GPUs",
                                                "linux-tegra-5.10 governor_pod_scaling.c, read in full"};
const Registration<Governor, Podgov> short_name{"podgov", "nvhost_podgov by its short name",
                                                "linux-tegra-5.10 governor_pod_scaling.c, read in full"};

}  // namespace
}  // namespace dynasoc::manager
