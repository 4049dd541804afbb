// conservative: one step up above a load, one step down below another.
//
// Every `sampling_rate` the load is that of the busiest core, in percent. Above `up_threshold` the requested clock
// rises by `freq_step` percent of the limit (5 kHz if that is nothing) and the highest OPP not above it is taken. In
// every `sampling_down_factor`-th other sample, if the load is below `down_threshold`, it falls by a step; variant
// `current` then takes the lowest OPP not below the request, `original` (2005) the highest not above it. The request is
// kept between samples, finer than OPPs. `current` also takes off one step for each whole period spent idle, and starts
// from the present clock when the limits have left the request outside.
//
// The sampling timer is deferrable: an idle cluster is not sampled; after more than two idle periods the previous load
// counts once (see ondemand).
//
// Source: Linux drivers/cpufreq/cpufreq_conservative.c, the commit of 2005 read (`original`); `current` from memory
// of 5.x.
#include <limits>

#include "manager/sampled_load.hpp"

namespace dynasoc::manager {
namespace {

enum class Variant : std::uint8_t { current, original };

}  // namespace
}  // namespace dynasoc::manager

template <>
struct dynasoc::EnumNames<dynasoc::manager::Variant> {
  static constexpr std::array<std::pair<std::string_view, dynasoc::manager::Variant>, 2> names{
      {{"current", dynasoc::manager::Variant::current}, {"original", dynasoc::manager::Variant::original}}};
};

namespace dynasoc::manager {
namespace {

class Conservative final : public Governor {
 public:
  struct Parameters {
    Variant variant = Variant::current;
    double sampling_rate = 10000;
    int up_threshold = 80;
    int down_threshold = 20;
    int freq_step = 5;
    int sampling_down_factor = 0;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(field(&P::variant, "variant", "current: kernels of today; original: as first published"),
                      field(&P::sampling_rate, "sampling_rate", range(1, 1e12), "time between samples [us]"),
                      field(&P::up_threshold, "up_threshold", range(1, 100), "load above which the clock rises [%]"),
                      field(&P::down_threshold, "down_threshold", range(0, 99), "load below which it falls [%]"),
                      field(&P::freq_step, "freq_step", range(0, 100), "step, of the highest clock; 0 = none [%]"),
                      field(&P::sampling_down_factor, "sampling_down_factor", range(0, 10),
                            "samples between steps down; 0 = the variant's own: 1, originally 5"));
    }
  };
  explicit Conservative(const Parameters& parameters) : p_(parameters), load_(p_.variant == Variant::current) {
    if (p_.sampling_down_factor == 0) p_.sampling_down_factor = current() ? 1 : 5;
  }

  double period_ms() const override { return p_.sampling_rate * 1e-3; }
  double deferrable_ms() const override { return std::numeric_limits<double>::infinity(); }

  int choose(const DomainSample& sample) override {
    const std::int64_t lowest = opp_khz(sample, sample.lowest);
    const std::int64_t highest = opp_khz(sample, sample.highest);
    if (requested_khz_ == 0 || (current() && (requested_khz_ > highest || requested_khz_ < lowest)))
      requested_khz_ = to_khz(sample.mhz());
    if (sample.ask != Ask::sample || p_.freq_step == 0) return sample.opp;

    const int load = load_.percent(sample, from_ms(period_ms()));
    const std::int64_t share = p_.freq_step * highest / 100, step = share > 0 ? share : 5;
    std::int64_t requested = requested_khz_;  // kept only if it moves the clock
    if (current()) requested = std::max(lowest, requested - load_.idle_periods() * step);

    if (load > p_.up_threshold) {
      down_skip_ = 0;
      if (requested == highest) return sample.opp;
      requested_khz_ = std::min(requested + step, highest);
      return highest_at_most(sample, requested_khz_);
    }
    if (++down_skip_ < p_.sampling_down_factor) return sample.opp;
    down_skip_ = 0;
    if (load >= p_.down_threshold || requested == lowest) return sample.opp;
    requested_khz_ = std::max(requested - step, lowest);
    return current() ? lowest_at_least(sample, requested_khz_) : highest_at_most(sample, requested_khz_);
  }

 private:
  bool current() const { return p_.variant == Variant::current; }

  Parameters p_;
  std::int64_t requested_khz_ = 0;
  int down_skip_ = 0;
  SampledLoad load_;
};

const Registration<Governor, Conservative> registered{
    "conservative", "steps up and down between two loads (Linux)",
    "Linux cpufreq_conservative.c: the commit of 2005 read (original), today's from memory (current)"};

}  // namespace
}  // namespace dynasoc::manager
