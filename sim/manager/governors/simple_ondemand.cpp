// simple_ondemand: the devfreq governor, for GPUs and memory.
//
// Every `polling_interval`, from the busy and total time of the last one in whole microseconds: more than `upthreshold`
// percent busy, the highest clock; more than `upthreshold - downdifferential`, as it is; else
// busy x f / total x 100 / (upthreshold - downdifferential / 2), all divisions rounding down, in hertz, and the lowest
// OPP not below that. No time passed: the highest clock.
//
// Source: drivers/devfreq/governor_simpleondemand.c, read in an early tree (ARM-software/linux@448817b); the interval
// of 25 ms is nvgpu's.
#include "manager/governor.hpp"

namespace dynasoc::manager {
namespace {

class SimpleOndemand final : public Governor {
 public:
  struct Parameters {
    double polling_interval = 25;
    int upthreshold = 90;
    int downdifferential = 5;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(field(&P::polling_interval, "polling_interval", range(1e-3, 1e6), "time between samples [ms]"),
                      field(&P::upthreshold, "upthreshold", range(1, 100), "load above which the clock is highest [%]"),
                      field(&P::downdifferential, "downdifferential", range(0, 100),
                            "below upthreshold: down to there the clock stays [%]"));
    }
  };
  explicit SimpleOndemand(const Parameters& parameters) : p_(parameters) {
    p_.downdifferential = std::min(p_.downdifferential, p_.upthreshold);  // the kernel refuses more
  }

  double period_ms() const override { return p_.polling_interval; }

  int choose(const DomainSample& sample) override {
    if (sample.ask != Ask::sample) return sample.opp;
    std::int64_t total_us = (sample.now - sample.since) / 1000;
    if (total_us == 0) return sample.highest;
    std::int64_t busy_us = share_us(sample.busy(), sample.now - sample.since);
    if (busy_us >= (1 << 24) || total_us >= (1 << 24)) busy_us >>= 7, total_us >>= 7;
    if (busy_us * 100 > total_us * p_.upthreshold) return sample.highest;
    if (busy_us * 100 > total_us * (p_.upthreshold - p_.downdifferential)) return sample.opp;
    const std::int64_t hz = to_khz(sample.mhz()) * 1000;
    const std::int64_t wanted_hz = busy_us * hz / total_us * 100 / (p_.upthreshold - p_.downdifferential / 2);
    return lowest_at_least(sample, (wanted_hz + 999) / 1000);
  }

 private:
  Parameters p_;
};

const Registration<Governor, SimpleOndemand> registered{"simple_ondemand",
                                                        "clock in proportion to load (Linux devfreq)",
                                                        "Linux governor_simpleondemand.c, an early tree, read"};

}  // namespace
}  // namespace dynasoc::manager
