// critical-speed: paces frames, but never below the clock at which a frame takes the least energy.
//
// Source: standard theory of dynamic voltage scaling (the critical speed, below which running longer costs more than
// running slower saves), own definition. The critical clock is
//     f* = argmin (P(f) - P_idle) L(f),
// lowest clock among equals. (P(f) - P_idle(f)) L(f) is the tables' energy of an inference, to which
// (P_idle(f) - P_idle) L(f) is added, P_idle being what the unit draws at rest: at its lowest clock with `park`, else
// at the clock itself, so that nothing is added. Powers that are not known count as 0. When a frame is due the clock is
// max(f_deadline, f*), f_deadline being what `pace` would choose, with `idle_exit_ms` of the time gone before a parked
// unit begins. L(f) in energies is the table's latency times the slow-down.
//
// The reason reports whether racing would have won over the clock chosen: with D the time to the deadline and A(f) the
// frame's energy above idle plus P_idle(f) L(f), racing takes
//     A(f_max) + P_idle(f_max) idle_exit_ms + P_idle (D - L(f_max) - idle_exit_ms) + 2 change_cost_mj,
// P_idle at the lowest clock whatever `park` says, and the two changes there and back; the clock chosen takes
//     A(f) + P_idle(f) (D - L(f)),
// with negative times as 0. It is a report: the choice does not change.
#include "manager/policies/frame_clock.hpp"

namespace dynasoc::manager {
namespace {

class CriticalSpeed final : public FrameClock {
 public:
  struct Parameters {
    int level = 0;
    double margin = 0.1;
    double settle_ms = 0;
    double smoothing = 0.2;
    bool park = false;
    double idle_exit_ms = 0;
    double change_cost_mj = 0;
    double cost_us = 0;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(field(&P::level, "level", range(0, 1000),
                            "sub-network of every application (3 is L3), written once; 0 = left as it is"),
                      field(&P::margin, "margin", range(0, 0.9), "share of the target kept free"),
                      field(&P::settle_ms, "settle_ms", non_negative(), "taken for a clock change to have effect"),
                      field(&P::smoothing, "smoothing", range(0, 1),
                            "weight of a new measurement in the slow-down; 0 = tables only"),
                      field(&P::park, "park", "to the lowest clock when no frame is there"),
                      field(&P::idle_exit_ms, "idle_exit_ms", non_negative(), "before a unit that was parked begins"),
                      field(&P::change_cost_mj, "change_cost_mj", non_negative(), "energy of one clock change"),
                      field(&P::cost_us, "cost_us", non_negative(), "compute time of one decision (assumed)"));
    }
  };
  explicit CriticalSpeed(const Parameters& p) : FrameClock(p.level, p.settle_ms, p.smoothing, p.park), p_(p) {}

  double compute_cost_us() const override { return p_.cost_us; }

 private:
  static double idle_w(const Observation& seen, const AppView& app, int opp) {
    const double w = seen.profile->idle_w(app.unit, opp);
    return w > 0 ? w : 0;
  }
  // Of one frame at a clock, above idle at that clock [mJ].
  double above_idle_mj(const Observation& seen, const AppView& app, int opp) const {
    const Profile::Entry table = seen.profile->entry(app.index, app.subnet, app.unit, opp);
    return table.energy_mj > 0 ? table.energy_mj / table.latency_ms * steady_ms(seen, app, opp) : 0;
  }

  int critical(const Observation& seen, const AppView& app, int first, int last) const {
    int best = -1;
    double least_mj = 0;
    for (int opp = first; opp <= last; ++opp) {
      const double ms = steady_ms(seen, app, opp);
      if (!(ms > 0)) continue;
      const double rest_w = idle_w(seen, app, parks() ? first : opp);
      const double mj = above_idle_mj(seen, app, opp) + (idle_w(seen, app, opp) - rest_w) * ms;
      if (best < 0 || mj < least_mj) best = opp, least_mj = mj;
    }
    return best;
  }

  Ask choose(const Observation& seen, const AppView& app, double left_ms, int first, int last) const override {
    const double target_ms = app.latency_target_ms;
    const int f_star = critical(seen, app, first, last);
    if (f_star < 0)
      return {last,
              {.reason = because("the tables do not cover it: {} MHz is the highest", mhz(seen, app, last)),
               .binding = Constraint::none}};
    if (target_ms <= 0)
      return {f_star,
              {.reason = because("{} MHz takes the least energy; no latency target", mhz(seen, app, f_star)),
               .binding = Constraint::energy}};
    const double exit_ms = parks() ? p_.idle_exit_ms : 0;
    const double reserve_ms = p_.margin * target_ms + exit_ms;
    const int f_deadline = lowest_in_time(seen, app, left_ms, reserve_ms, first, last);
    const int opp = std::max(f_deadline, f_star);
    const double slack_ms = left_ms - exit_ms - predicted_ms(seen, app, opp);

    const double fastest_ms = steady_ms(seen, app, last), ms = steady_ms(seen, app, opp);
    const double race_mj = above_idle_mj(seen, app, last) + idle_w(seen, app, last) * (fastest_ms + p_.idle_exit_ms) +
                           idle_w(seen, app, first) * std::max(0.0, left_ms - fastest_ms - p_.idle_exit_ms) +
                           2 * p_.change_cost_mj;
    const double mj = above_idle_mj(seen, app, opp) + idle_w(seen, app, opp) * (ms + std::max(0.0, left_ms - ms));
    const double at = mhz(seen, app, opp), critical_mhz = mhz(seen, app, f_star);
    Why why = by_latency(
        app,
        race_mj < mj
            ? because("{} MHz, critical {} MHz; racing would win: {} of {} mJ", at, critical_mhz, race_mj, mj)
            : because("{} MHz, critical {} MHz; racing would not win: {} to {} mJ", at, critical_mhz, race_mj, mj),
        slack_ms);
    if (f_star >= f_deadline && slack_ms >= p_.margin * target_ms) why.binding = Constraint::energy;
    return {opp, why};
  }

  Parameters p_;
};

const Registration<Policy, CriticalSpeed> registered{
    "critical-speed", "paces frames, but not below the clock of least energy a frame",
    "own definition of standard theory (critical speed of dynamic voltage scaling)"};

}  // namespace
}  // namespace dynasoc::manager
