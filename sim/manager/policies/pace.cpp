// pace: the lowest clock at which each frame ends just in time.
//
// Source: standard practice, own definition. When a frame is due, the lowest clock with
//     predicted latency <= target - time waited - `margin` of the target,
// or the highest if none is fast enough. Predicted is table latency times a slow-down, which is an exponentially
// weighted mean of measured over expected service time, starting at 1 and replaced by the first measurement. A clock
// that has to change takes `settle_ms`, in which the frame runs at the present clock: of a frame of L' at the present
// clock and L at the new one, settle_ms + (1 - settle_ms / L') L remain. Frames during which another application
// changed the clock teach nothing.
//
// The deadline is that of the oldest waiting frame alone. Where frames arrive faster than their targets are long, a
// queue builds up until waiting has used up the time, and latencies stay near the target. An application without a
// target has nothing to be paced by and gets the highest clock. `park` sends the clock to the lowest when no frame is
// there; off, it stays, and the next frame needs no change if it is like the last.
#include "manager/policies/frame_clock.hpp"

namespace dynasoc::manager {
namespace {

class Pace final : public FrameClock {
 public:
  struct Parameters {
    int level = 0;
    double margin = 0.1;
    double settle_ms = 0;
    double smoothing = 0.2;
    bool park = false;
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
                      field(&P::cost_us, "cost_us", non_negative(), "compute time of one decision (assumed)"));
    }
  };
  explicit Pace(const Parameters& p) : FrameClock(p.level, p.settle_ms, p.smoothing, p.park), p_(p) {}

  double compute_cost_us() const override { return p_.cost_us; }

 private:
  Ask choose(const Observation& seen, const AppView& app, double left_ms, int first, int last) const override {
    const double target_ms = app.latency_target_ms;
    if (target_ms <= 0)
      return {last,
              {.reason = because("no latency target: {} MHz is the highest", mhz(seen, app, last)),
               .binding = Constraint::none}};
    const double reserve_ms = p_.margin * target_ms;
    const int opp = lowest_in_time(seen, app, left_ms, reserve_ms, first, last);
    const double ms = predicted_ms(seen, app, opp);
    if (!(ms > 0))
      return {last,
              {.reason = because("the tables do not cover it: {} MHz is the highest", mhz(seen, app, last)),
               .binding = Constraint::none}};
    const double slack_ms = left_ms - ms;
    if (ms > left_ms - reserve_ms)
      return {opp,
              by_latency(app, because("{} MHz is the highest: {} ms, {} ms are left", mhz(seen, app, opp), ms, left_ms),
                         slack_ms)};
    Why why =
        by_latency(app, because("{} MHz is enough: {} ms, {} ms are left", mhz(seen, app, opp), ms, left_ms), slack_ms);
    if (opp == first) why.binding = Constraint::ladder;
    return {opp, why};
  }

  Parameters p_;
};

const Registration<Policy, Pace> registered{"pace", "for each frame the lowest clock that ends it just in time",
                                            "own definition of standard practice (just in time)"};

}  // namespace
}  // namespace dynasoc::manager
