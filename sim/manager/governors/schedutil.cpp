// schedutil: a clock in proportion to the scheduler's own measure of utilisation, PELT; the default of Jetson CPUs.
//
// Utilisation of a core decays by half in `pelt_half_life_ms` and grows while work runs, towards f / f_max (frequency
// invariant) or 1: after a time d at one clock, u <- u 2^(-d/h) + running x f / f_max x (1 - 2^(-d/h)). JetPack 4 keeps
// a second one with a half-life of 3 ms and takes the larger: it climbs in milliseconds and falls in tens of them. To
// that come utilisations that a trace may know of. JetPack 4 adds that of real-time tasks; JetPack 5 takes the most if
// irq saturates or clamp(cfs + rt) + dl does, else irq + (max - irq) / max x clamp(cfs + rt) + dl_bandwidth.
//
// The clock is the lowest OPP of at least (1 + capacity_margin / 1024) f_ref util / 1024, f_ref being f_max, or the
// present clock if utilisation is not frequency invariant; util is that of the busiest core of the cluster, in whole
// 1/1024.
//
// When: at scheduler events (a core gets or loses work, and every `tick_ms` while it runs), at least a rate limit apart
// since the last change: JetPack 5 `rate_limit_us`; JetPack 4 `up_rate_limit_us` and `down_rate_limit_us`, and not
// while a change is under way. The start, changed limits, and on JetPack 5 more bandwidth for deadline tasks of a core
// with an event than at the last decision lift the limit once. JetPack 4 then forgets its last choice, until one
// stands: each counts as a fall (for the rate limit) and as a change, be it the same as before. An idle core asks for
// nothing: the clock stays until the next work, which finds a decayed utilisation; raised limits alone do not raise it.
//
// A cluster of one core does not slow down as long as that core has not been idle since the last decision; on JetPack 5
// what lifts the rate limit lifts this too.
//
// Waking from I/O: JetPack 5 boosts to 1/8, doubled by a further such wake-up (once between two decisions), halved at
// each decision without one, forgotten after an idle tick. JetPack 4 boosts to the top at once and halves after each
// decision.
//
// A change is a choice other than the last one, even where the limits hide it. JetPack 4 counts each core with its
// utilisation at its own last event, and leaves out those whose last event was more than a tick before the last change.
//
// Ticks at which nothing would change are not simulated: the next one that matters follows from the curve of PELT.
//
// Source: kernel/sched/cpufreq_schedutil.c of OE4T/linux-tegra-4.9 and -5.10, kernel/sched/fair.c of 4.9 (the fast
// average), read. PELT is continuous here, in segments of 1024 us there (a half-life of 32 segments). On JetPack 5 an
// idle core's utilisation decays by itself here, by updates of its neighbours there. Left out: JetPack 4's jump to the
// top for deadline tasks, JetPack 5's for runnable real-time tasks without uclamp. rate_limit_us is min(1000 x
// transition latency, 10 ms) with the 300 us of the Tegra194 driver. A simulated cluster passes one core, its busiest.
#include <array>
#include <vector>

#include "manager/governor.hpp"

namespace dynasoc::manager {
namespace {

enum class Variant : std::uint8_t { jetpack5, jetpack4 };

}  // namespace
}  // namespace dynasoc::manager

template <>
struct dynasoc::EnumNames<dynasoc::manager::Variant> {
  static constexpr std::array<std::pair<std::string_view, dynasoc::manager::Variant>, 2> names{
      {{"jetpack-5", dynasoc::manager::Variant::jetpack5}, {"jetpack-4", dynasoc::manager::Variant::jetpack4}}};
};

namespace dynasoc::manager {
namespace {

constexpr int kMax = 1024;  // SCHED_CAPACITY_SCALE
constexpr int kLeastBoost = kMax / 8;

class Schedutil final : public Governor {
 public:
  struct Parameters {
    Variant variant = Variant::jetpack5;
    double rate_limit_us = 10000;
    double up_rate_limit_us = 500;
    double down_rate_limit_us = 2000;
    int capacity_margin = 256;
    int uclamp_min = 0;
    int uclamp_max = 1024;
    bool frequency_invariant = true;
    double pelt_half_life_ms = 32;
    double fast_half_life_ms = 3;
    double tick_ms = 4;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(
          field(&P::variant, "variant", "whose kernel: jetpack-5 (5.10) or jetpack-4 (4.9)"),
          field(&P::rate_limit_us, "rate_limit_us", non_negative(), "jetpack-5: least time between changes"),
          field(&P::up_rate_limit_us, "up_rate_limit_us", non_negative(), "jetpack-4: least time before a rise"),
          field(&P::down_rate_limit_us, "down_rate_limit_us", non_negative(), "jetpack-4: least time before a fall"),
          field(&P::capacity_margin, "capacity_margin", range(0, 1024), "headroom [1/1024]: 256 is the factor 1.25"),
          field(&P::uclamp_min, "uclamp_min", range(0, 1024), "jetpack-5: least utilisation while work runs [1/1024]"),
          field(&P::uclamp_max, "uclamp_max", range(0, 1024),
                "jetpack-5: largest utilisation while work runs [1/1024]"),
          field(&P::frequency_invariant, "frequency_invariant", "whether time at a low clock counts for less"),
          field(&P::pelt_half_life_ms, "pelt_half_life_ms", at_least(1e-3), "of the utilisation"),
          field(&P::fast_half_life_ms, "fast_half_life_ms", at_least(1e-3), "jetpack-4: of the second one"),
          field(&P::tick_ms, "tick_ms", at_least(1e-3), "scheduler tick (CONFIG_HZ = 250)"));
    }
  };
  explicit Schedutil(const Parameters& parameters)
      : p_(parameters),
        old_(p_.variant == Variant::jetpack4),
        tick_(from_ms(p_.tick_ms)),
        up_limit_(from_us(old_ ? p_.up_rate_limit_us : p_.rate_limit_us)),
        down_limit_(from_us(old_ ? p_.down_rate_limit_us : p_.rate_limit_us)) {}

  bool follows_load() const override { return true; }
  Time wake() const override { return wake_; }

  int choose(const DomainSample& sample) override {
    if (cores_.size() != sample.cores.size()) {
      cores_.assign(sample.cores.size(), Core{});
      mhz_ = sample.mhz();
      at_ = sample.now;
    }
    integrate(sample);
    if (sample.ask == Ask::start || sample.ask == Ask::limits) limits_changed_ = true;
    if (next_ < 0) next_ = clock_ = sample.opp;
    clock_ = std::clamp(clock_, sample.lowest, sample.highest);
    bool updates = false;
    for (std::size_t i = 0; i < cores_.size(); ++i) updates = look(cores_[i], sample.cores[i], sample) || updates;
    if (updates && may_update(sample)) decide(sample);
    plan(sample);
    return clock_;
  }

 private:
  struct Core {
    double slow = 0, fast = 0;  // utilisation of the capacity at the highest clock
    double running = 0;
    int dl_bandwidth = 0;  // at the last decision [1/1024]
    bool idled = true;     // since the last decision
    int boost = 0;         // [1/1024]
    bool boost_pending = false;
    int stored = 0;  // jetpack-4: utilisation at its last update
    Time last_update = 0;
  };

  void integrate(const DomainSample& sample) {
    const Time step = sample.now - at_;
    if (step > 0) {
      const double d = static_cast<double>(step) * 1e-6;
      const double slow = std::exp2(-d / p_.pelt_half_life_ms), fast = old_ ? std::exp2(-d / p_.fast_half_life_ms) : 0;
      for (Core& core : cores_) {
        core.idled = core.idled || core.running <= 0;
        const double aim = core.running * scale(sample);
        core.slow = aim + (core.slow - aim) * slow;
        core.fast = aim + (core.fast - aim) * fast;
        if (core.running > 0) core.last_update = std::max(core.last_update, (sample.now - 1) / tick_ * tick_);
      }
    }
    at_ = sample.now;
    mhz_ = sample.mhz();
  }
  double scale(const DomainSample& sample) const { return p_.frequency_invariant ? mhz_ / sample.opps_mhz.back() : 1; }

  // Takes over what a core does now; whether that is a scheduler event.
  bool look(Core& core, const CoreLoad& seen, const DomainSample& sample) {
    const bool event = sample.ask == Ask::load ? seen.running != core.running || seen.io_wake
                                               : sample.ask == Ask::timer && seen.running > 0;
    core.running = seen.running;
    if (!event) return false;
    if (!old_ && whole(seen.dl_bandwidth) > core.dl_bandwidth) limits_changed_ = true;
    set_boost(core, sample.now, seen.io_wake && sample.ask == Ask::load);
    core.last_update = sample.now;
    core.stored = utilisation(core, seen);
    return true;
  }

  void set_boost(Core& core, Time now, bool io_wake) const {
    const bool stale = now - core.last_update > tick_;
    if (old_) {
      if (io_wake)
        core.boost = kMax;
      else if (stale)
        core.boost = 0;
      return;
    }
    if (core.boost > 0 && stale) {
      core.boost = io_wake ? kLeastBoost : 0;
      core.boost_pending = io_wake;
      return;
    }
    if (!io_wake || core.boost_pending) return;
    core.boost_pending = true;
    core.boost = core.boost > 0 ? std::min(2 * core.boost, kMax) : kLeastBoost;
  }

  int boosted(Core& core, int util, Time now) const {
    if (core.boost == 0) return util;
    if (old_) {
      const int out = std::max(util, core.boost);
      core.boost /= 2;
      return out;
    }
    if (now - core.last_update > tick_) {
      core.boost = 0;
      core.boost_pending = false;
      return util;
    }
    if (!core.boost_pending) {
      core.boost /= 2;
      if (core.boost < kLeastBoost) {
        core.boost = 0;
        return util;
      }
    }
    core.boost_pending = false;
    return std::max(util, core.boost);
  }

  static int whole(double share) { return static_cast<int>(share * kMax); }

  int utilisation(const Core& core, const CoreLoad& seen) const {
    const int cfs = whole(old_ ? std::max(core.slow, core.fast) : core.slow), rt = whole(seen.rt);
    if (old_) return std::min(cfs + rt, kMax);
    const int irq = whole(seen.irq);
    if (irq >= kMax) return kMax;
    int util = cfs + rt;
    if (seen.running > 0) util = std::clamp(util, p_.uclamp_min, std::max(p_.uclamp_min, p_.uclamp_max));
    if (util + whole(seen.deadline) >= kMax) return kMax;
    util = irq + util * (kMax - irq) / kMax + whole(seen.dl_bandwidth);
    return std::min(util, kMax);
  }

  bool may_update(const DomainSample& sample) {
    if (old_ && sample.changing) return false;
    if (limits_changed_) {
      limits_changed_ = false;
      forced_ = true;
      return true;
    }
    return sample.now - last_change_ >= std::min(up_limit_, down_limit_);
  }

  // (1 + margin) f_ref [kHz]
  std::int64_t full_khz(const DomainSample& sample) const {
    const std::int64_t reference = to_khz(p_.frequency_invariant ? sample.opps_mhz.back() : sample.mhz());
    return (reference * p_.capacity_margin >> 10) + reference;
  }

  void decide(const DomainSample& sample) {
    const bool hold = sample.cpus == 1 && !cores_.empty() && !cores_[0].idled && (old_ || !forced_);
    int util = 0;
    for (std::size_t i = 0; i < cores_.size(); ++i) {
      Core& core = cores_[i];
      if (old_ && cores_.size() > 1 && last_change_ - core.last_update > tick_) {
        core.boost = 0;
        continue;
      }
      util = std::max(util, boosted(core, old_ ? core.stored : utilisation(core, sample.cores[i]), sample.now));
      core.idled = false;
      core.dl_bandwidth = whole(sample.cores[i].dl_bandwidth);
    }
    const int choice = lowest_at_least(sample, full_khz(sample) * util / kMax);
    // JetPack 4 forgets its last choice when limits change, as if it had been above everything.
    const bool forgotten = old_ && forced_, lower = forgotten || choice < next_;
    blocked_ = false;
    if (hold && lower) return;
    if (old_ && (lower || choice > next_) && sample.now - last_change_ < (lower ? down_limit_ : up_limit_)) {
      blocked_ = true;
      return;
    }
    forced_ = false;
    clock_ = choice;
    if (choice == next_ && !forgotten) return;
    next_ = choice;
    last_change_ = sample.now;
  }

  // The next tick at which a decision could come out differently.
  void plan(const DomainSample& sample) {
    wake_ = kNever;
    bool runs = false, simple = cores_.size() == 1 && p_.uclamp_min == 0 && p_.uclamp_max == kMax;
    for (std::size_t i = 0; i < cores_.size(); ++i) {
      const CoreLoad& seen = sample.cores[i];
      runs = runs || cores_[i].running > 0;
      simple = simple && cores_[i].boost == 0 && seen.rt == 0 && seen.irq == 0 && seen.deadline == 0 &&
               seen.dl_bandwidth == 0;
    }
    if (!runs) return;
    const Time next_tick = (sample.now / tick_ + 1) * tick_;
    if (!simple || limits_changed_ || blocked_ || (old_ && sample.changing)) {
      wake_ = next_tick;
      return;
    }
    const Time first = std::max(next_tick, last_change_ + std::min(up_limit_, down_limit_));
    const Time from = std::max(first, crossing(sample));
    if (from < kNever) wake_ = (from + tick_ - 1) / tick_ * tick_;
  }

  // When the only core's utilisation leaves the range of the present choice.
  Time crossing(const DomainSample& sample) const {
    const Core& core = cores_[0];
    const std::int64_t full = full_khz(sample);
    const double aim = core.running * scale(sample);
    const auto asks_above = [&](int opp) {  // the least utilisation that asks for more than an OPP
      return static_cast<double>(((opp_khz(sample, opp) + 1) * kMax + full - 1) / full) / kMax;
    };
    const int now = lowest_at_least(sample, full * utilisation(core, sample.cores[0]) / kMax);
    if (now != next_ && !(now < next_ && sample.cpus == 1 && !core.idled)) return sample.now;

    const double more = next_ < sample.highest ? asks_above(next_) : 2;
    const double enough = next_ > sample.lowest ? asks_above(next_ - 1) : -1;
    double wait_ms = std::numeric_limits<double>::infinity(), fall_ms = -1;
    const auto follow = [&](double util, double half_life_ms) {
      if (util >= more)
        wait_ms = 0;
      else if (aim > more)
        wait_ms = std::min(wait_ms, half_life_ms * std::log2((aim - util) / (aim - more)));
      if (util < enough)
        fall_ms = std::max(fall_ms, 0.0);
      else
        fall_ms = aim < enough ? std::max(fall_ms, half_life_ms * std::log2((util - aim) / (enough - aim)))
                               : std::numeric_limits<double>::infinity();
    };
    follow(core.slow, p_.pelt_half_life_ms);
    if (old_) follow(core.fast, p_.fast_half_life_ms);
    if (sample.cpus == 1 && !core.idled) fall_ms = std::numeric_limits<double>::infinity();
    const double earliest_ms = std::min(wait_ms, fall_ms);
    return std::isinf(earliest_ms) ? kNever : sample.now + from_ms(earliest_ms);
  }

  Parameters p_;
  bool old_;
  Time tick_, up_limit_, down_limit_;
  std::vector<Core> cores_;
  double mhz_ = 0;  // in effect since `at_`
  Time at_ = 0;
  int next_ = -1;   // last choice
  int clock_ = -1;  // the same, within the limits since
  Time last_change_ = -3'600'000'000'000;
  bool limits_changed_ = false;
  bool forced_ = false;
  bool blocked_ = false;  // by the rate limit of its direction
  Time wake_ = kNever;
};

const Registration<Governor, Schedutil> registered{"schedutil",
                                                   "by the scheduler's utilisation: the default of Jetson CPUs",
                                                   "linux-tegra-4.9 and -5.10 cpufreq_schedutil.c, read"};

}  // namespace
}  // namespace dynasoc::manager
