// ondemand: the highest clock above a load threshold, otherwise a clock in proportion to the load.
//
// Every `sampling_rate` the load is the share of busy time of the busiest core, in percent. Above `up_threshold` the
// clock goes to the limit, and the next sample comes after `sampling_down_factor` periods. Otherwise, variant
// `current`: f_min + load (f_max - f_min) / 100 of the whole table, the closest OPP (the lower of two as near). Variant
// `legacy`, of kernels up to 3.x: if load x f < (up_threshold - down_differential) f, the lowest OPP of at least load f
// / (up_threshold - down_differential); else it stays. `powersave_bias` takes off so many thousandths.
//
// The sampling timer is deferrable: an idle cluster is not sampled. A core that has idled for more than two periods
// counts with its previous load once, for its window shows the idleness and not the work (`current`). A clock that is
// at the limit already does not lengthen the period.
//
// Source: Linux drivers/cpufreq/cpufreq_governor.c, read as of about 4.4 (the load, deferrable timers); of
// cpufreq_ondemand.c the function that decides, in excerpts of later kernels; the legacy rule as described by others.
// `sampling_rate`: newer kernels take min(1000 x transition latency, 10 ms), which is 10 ms on Tegra194 (300 us); older
// ones 1000 x latency. Not modelled: the alternation between two OPPs within a period that powersave_bias causes, nice
// and I/O time.
#include <limits>

#include "manager/sampled_load.hpp"

namespace dynasoc::manager {
namespace {

enum class Variant : std::uint8_t { current, legacy };

}  // namespace
}  // namespace dynasoc::manager

template <>
struct dynasoc::EnumNames<dynasoc::manager::Variant> {
  static constexpr std::array<std::pair<std::string_view, dynasoc::manager::Variant>, 2> names{
      {{"current", dynasoc::manager::Variant::current}, {"legacy", dynasoc::manager::Variant::legacy}}};
};

namespace dynasoc::manager {
namespace {

class Ondemand final : public Governor {
 public:
  struct Parameters {
    Variant variant = Variant::current;
    double sampling_rate = 10000;
    int up_threshold = 95;
    int down_differential = 10;
    int sampling_down_factor = 1;
    int powersave_bias = 0;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(
          field(&P::variant, "variant", "current: in proportion to the load; legacy: as kernels up to 3.x"),
          field(&P::sampling_rate, "sampling_rate", range(1, 1e12), "time between samples [us]"),
          field(&P::up_threshold, "up_threshold", range(11, 100), "load above which the clock is highest [%]"),
          field(&P::down_differential, "down_differential", range(0, 99), "legacy: below the threshold [%]"),
          field(&P::sampling_down_factor, "sampling_down_factor", range(1, 100000),
                "periods for which the highest clock is kept"),
          field(&P::powersave_bias, "powersave_bias", range(0, 1000), "taken off the clock [1/1000]"));
    }
  };
  explicit Ondemand(const Parameters& parameters) : p_(parameters), load_(p_.variant == Variant::current) {}

  double period_ms() const override { return p_.sampling_rate * 1e-3 * rate_mult_; }
  double deferrable_ms() const override { return std::numeric_limits<double>::infinity(); }

  int choose(const DomainSample& sample) override {
    if (sample.ask != Ask::sample) return sample.opp;
    const int load = load_.percent(sample, from_ms(period_ms()));
    const std::int64_t f = to_khz(sample.mhz());
    const bool legacy = p_.variant == Variant::legacy;
    if (load > p_.up_threshold) {
      if (sample.opp < sample.highest) rate_mult_ = p_.sampling_down_factor;
      return p_.powersave_bias > 0 ? lowest_at_least(sample, biased(opp_khz(sample, sample.highest))) : sample.highest;
    }
    rate_mult_ = 1;
    if (legacy) {
      const int aim = p_.up_threshold - p_.down_differential;
      if (load >= aim) return sample.opp;
      return lowest_at_least(sample, biased(load * f / std::max(aim, 1)));
    }
    const std::int64_t lowest = to_khz(sample.opps_mhz.front()), highest = to_khz(sample.opps_mhz.back());
    return closest(sample, biased(lowest + load * (highest - lowest) / 100));
  }

 private:
  std::int64_t biased(std::int64_t khz) const { return khz - khz * p_.powersave_bias / 1000; }

  Parameters p_;
  int rate_mult_ = 1;
  SampledLoad load_;
};

const Registration<Governor, Ondemand> registered{
    "ondemand", "highest above a load threshold, else by load (Linux)",
    "Linux cpufreq_governor.c of about 4.4, read; cpufreq_ondemand.c from excerpts"};

}  // namespace
}  // namespace dynasoc::manager
