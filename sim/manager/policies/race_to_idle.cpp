// race-to-idle: the highest clock while there is work, the lowest when there is none.
//
// Source: standard practice, own definition. When a frame is due its unit's clock goes to the highest that the limits
// allow, and stays there until no application on that clock has a frame in service or waiting; then, with `park`, to
// the lowest, which stands for the deepest idle state: the simulator knows no other. A clock that takes time to settle
// makes the start of the first frame after a pause slow; `park` off avoids that and pays the idle power of the highest
// clock.
#include "manager/policies/frame_clock.hpp"

namespace dynasoc::manager {
namespace {

class RaceToIdle final : public FrameClock {
 public:
  struct Parameters {
    int level = 0;
    bool park = true;
    double cost_us = 0;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(field(&P::level, "level", range(0, 1000),
                            "sub-network of every application (3 is L3), written once; 0 = left as it is"),
                      field(&P::park, "park", "to the lowest clock when no frame is there"),
                      field(&P::cost_us, "cost_us", non_negative(), "compute time of one decision (assumed)"));
    }
  };
  explicit RaceToIdle(const Parameters& p) : FrameClock(p.level, 0, 0, p.park), cost_us_(p.cost_us) {}

  double compute_cost_us() const override { return cost_us_; }

 private:
  Ask choose(const Observation& seen, const AppView& app, double left_ms, int, int last) const override {
    if (app.latency_target_ms <= 0)
      return {last,
              {.reason = because("a frame is due: {} MHz is the highest", mhz(seen, app, last)),
               .binding = Constraint::ladder}};
    const double ms = predicted_ms(seen, app, last);
    const double slack_ms = ms > 0 ? left_ms - ms : 0;
    const double margin = slack_ms / app.latency_target_ms;
    return {
        last,
        {.reason = because("a frame is due: {} MHz is the highest and leaves {} ms", mhz(seen, app, last), slack_ms),
         .binding = Constraint::ladder,
         .slack = slack_ms,
         .margin = margin}};
  }

  double cost_us_;
};

const Registration<Policy, RaceToIdle> registered{
    "race-to-idle", "the highest clock while there is work, the lowest when there is none",
    "own definition of standard practice"};

}  // namespace
}  // namespace dynasoc::manager
