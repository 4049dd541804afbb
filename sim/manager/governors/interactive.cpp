// interactive: jumps to a high clock on full load, otherwise the lowest clock that keeps the load below a target;
// Android's.
//
// Every `sampling_rate`, for each core: loadadjfreq = 100 x mean of (clock while busy), its load = loadadjfreq / f. The
// choice is the lowest OPP of at least loadadjfreq / `target_loads`. With a load of `go_hispeed_load` or more it is at
// least `hispeed_freq`, and exactly that from below it; with less, the way up stops once at `hispeed_freq`. At or above
// `hispeed_freq` the clock rises only when `above_hispeed_delay` has passed since it was chosen. It does not fall below
// the floor (the last choice) until `min_sample_time` has passed since that was last confirmed. The cluster takes the
// highest choice of its cores.
//
// An idle core is sampled `timer_slack` after the sample was due, so that its clock can fall, unless it is at the
// lowest.
//
// Source: OE4T/linux-tegra-4.9, drivers/cpufreq/cpufreq_interactive.c, read (its min_sample_time is 30 ms where others
// have 80); JetPack 5 has no such governor. Here target_loads and above_hispeed_delay are one number, not a table by
// clock; boost and boostpulse, which programs write, are left out.
#include <limits>
#include <vector>

#include "manager/governor.hpp"

namespace dynasoc::manager {
namespace {

class Interactive final : public Governor {
 public:
  struct Parameters {
    double sampling_rate = 20000;
    int go_hispeed_load = 99;
    double hispeed_freq = 0;
    int target_loads = 90;
    double min_sample_time = 30000;
    double above_hispeed_delay = 20000;
    double timer_slack = 80000;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(
          field(&P::sampling_rate, "sampling_rate", range(1, 1e12), "time between samples [us]"),
          field(&P::go_hispeed_load, "go_hispeed_load", range(1, 100), "load from which the clock jumps [%]"),
          field(&P::hispeed_freq, "hispeed_freq", range(0, 1e12), "where it jumps to; 0 = the highest [kHz]"),
          field(&P::target_loads, "target_loads", range(1, 100), "load aimed at [%]"),
          field(&P::min_sample_time, "min_sample_time", range(0, 1e12), "least time before the clock falls [us]"),
          field(&P::above_hispeed_delay, "above_hispeed_delay", range(0, 1e12),
                "least time at hispeed_freq or above before it rises further [us]"),
          field(&P::timer_slack, "timer_slack", range(0, 1e12), "how long sampling may wait while idle; 0 = not [us]"));
    }
  };
  explicit Interactive(const Parameters& parameters) : p_(parameters) {}

  double period_ms() const override { return p_.sampling_rate * 1e-3; }
  double deferrable_ms() const override {
    return at_lowest_ ? std::numeric_limits<double>::infinity() : p_.timer_slack * 1e-3;
  }

  int choose(const DomainSample& sample) override {
    if (cores_.size() != sample.cores.size() || sample.ask == Ask::start) {
      cores_.assign(sample.cores.size(), Core{sample.opp, sample.opp, sample.now, sample.now});
      policy_floor_time_ = policy_hispeed_time_ = sample.now;
      if (hispeed_khz_ == 0)
        hispeed_khz_ = p_.hispeed_freq > 0 ? std::llround(p_.hispeed_freq) : opp_khz(sample, sample.highest);
    }
    if (sample.ask == Ask::limits)
      for (Core& core : cores_) core.target = std::clamp(core.target, sample.lowest, sample.highest);
    bool changed = false;
    if (sample.ask == Ask::sample)
      for (std::size_t i = 0; i < cores_.size(); ++i) changed = evaluate(cores_[i], sample.cores[i], sample) || changed;
    return adjusted(sample, changed);
  }

 private:
  struct Core {
    int target;
    int floor;
    Time floor_time;    // when the floor was last confirmed
    Time hispeed_time;  // when it was last free to rise
  };

  // Whether the core wants another clock.
  bool evaluate(Core& core, const CoreLoad& seen, const DomainSample& sample) const {
    const std::int64_t cur = opp_khz(sample, sample.opp);
    const std::int64_t load_adjusted = to_khz(seen.busy_mhz) * 100;
    std::int64_t wanted = opp_khz(sample, lowest_at_least(sample, load_adjusted / p_.target_loads));
    if (load_adjusted / cur >= p_.go_hispeed_load)
      wanted = cur < hispeed_khz_ ? hispeed_khz_ : std::max(wanted, hispeed_khz_);
    else if (wanted > hispeed_khz_ && cur < hispeed_khz_)
      wanted = hispeed_khz_;
    if (cur >= hispeed_khz_ && wanted > cur && sample.now - policy_hispeed_time_ < from_us(p_.above_hispeed_delay))
      return false;
    core.hispeed_time = sample.now;

    const int choice = lowest_at_least(sample, wanted);
    if (choice < core.floor && core.target >= sample.opp &&
        sample.now - std::max(policy_floor_time_, core.floor_time) < from_us(p_.min_sample_time))
      return false;
    core.floor = choice;
    if (core.target >= sample.opp || choice >= sample.opp) core.floor_time = sample.now;
    if (core.target == choice && core.target <= sample.opp) return false;
    core.target = choice;
    return true;
  }

  // The cluster's clock: the highest target. Its times are those of the cores that asked for it.
  int adjusted(const DomainSample& sample, bool changed) {
    int most = sample.lowest;
    Time hispeed = kNever, floor = 0;
    for (const Core& core : cores_) {
      floor = std::max(floor, core.floor_time);
      if (core.target > most) most = core.target, hispeed = core.hispeed_time;
      if (core.target == most) hispeed = std::min(hispeed, core.hispeed_time);
    }
    if (changed) {
      policy_floor_time_ = floor;
      if (most != sample.opp) policy_hispeed_time_ = hispeed;
    }
    at_lowest_ = most <= sample.lowest;
    return most;
  }

  Parameters p_;
  std::vector<Core> cores_;
  std::int64_t hispeed_khz_ = 0;
  Time policy_floor_time_ = 0;
  Time policy_hispeed_time_ = 0;
  bool at_lowest_ = false;
};

const Registration<Governor, Interactive> registered{"interactive",
                                                     "jumps up on full load, holds before it falls (Android)",
                                                     "linux-tegra-4.9 cpufreq_interactive.c, read"};

}  // namespace
}  // namespace dynasoc::manager
