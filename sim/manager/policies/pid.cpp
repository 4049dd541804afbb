// pid: a PID controller that holds the latency at a share of its target by walking the ladder of configurations.
// Source: own definition, after standard theory.
//
// At each decision that follows completions of an application (one, unless several came while it could not be asked),
// with L the exponentially weighted mean of its latency (arrival to result, started at the first sample, each taken in)
// and ref = `reference` x target:
//   e = (ref - L) / ref                  positive: room for a slower rung
//   |e| <= `dead_band`: the rung is kept and the integral with it
//   I = clamp(I + ki e, 0, 1),  u = clamp(kp e + I + kd (e - e'), 0, 1)      e' is the last e, 0 at first
//   rung = round(u (n-1)), at most `step_limit` from the present one; halves are rounded up
// u is a share of the ladder (sim/manager/ladder.hpp: the fastest rung is 0, the slowest of n is n-1), so that gains
// mean the same on ladders of any length. The clamp is the anti-windup. A frame that ran on another sub-network or unit
// than is in force now was begun before the last change and is not counted.
//
// The transfer is bump-less: at the start, when the ladder changes, and when the application is found elsewhere than on
// its rung, it takes the rung nearest to the configuration it was on. At the start and when found elsewhere I = rung /
// (n-1); when only the ladder changes, I moves as far as the rung's share of it (clamped). On a ladder of one rung that
// share is 0, and e and I go on; without a latency target all but L stays. Completions of an application that is not
// active are not counted. The ladder keeps the accuracy floor and the budgets: here they come before latency, for a
// controller of one number cannot weigh them. Without `dvfs` clocks are left to governors; with it, a clock that
// applications share runs as fast as the most demanding asks.
#include <algorithm>
#include <cmath>
#include <vector>

#include "manager/ladder.hpp"
#include "manager/policy.hpp"

namespace dynasoc::manager {
namespace {

class Pid final : public Policy {
 public:
  struct Parameters {
    double kp = 0.5;
    double ki = 0.1;
    double kd = 0;
    double reference = 0.9;
    double smoothing = 0.2;
    double dead_band = 0.05;
    int step_limit = 2;
    bool dvfs = false;
    bool mapping = false;
    double cost_us = 10;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(field(&P::kp, "kp", range(0, 1e3), "proportional gain: share of the ladder by relative error"),
                      field(&P::ki, "ki", range(0, 1e3), "integral gain, a completion"),
                      field(&P::kd, "kd", range(0, 1e3), "derivative gain, a completion"),
                      field(&P::reference, "reference", range(0.01, 1), "share of the latency target that is held"),
                      field(&P::smoothing, "smoothing", range(0.001, 1), "weight of a new latency in the mean"),
                      field(&P::dead_band, "dead_band", range(0, 1), "relative error that is let be"),
                      field(&P::step_limit, "step_limit", range(1, 1000), "rungs a completion, at most"),
                      field(&P::dvfs, "dvfs", "choose the clock of the application's unit too"),
                      field(&P::mapping, "mapping", "choose the unit too"),
                      field(&P::cost_us, "cost_us", non_negative(), "compute time of one decision (assumed)"));
    }
  };
  explicit Pid(const Parameters& parameters) : p_(parameters) {}

  Triggers triggers() const override { return {.completion = true, .target_change = true}; }
  double compute_cost_us() const override { return p_.cost_us; }

  void decide(const Observation& seen, Decision& decision) override {
    states_.resize(seen.applications.size());
    clocks_.refresh(seen, p_.dvfs);
    votes_.reset(seen);
    for (const AppView& app : seen.applications) {
      State& state = states_[app.index];
      if (!app.active) {
        state.learnt = app.completed;
        continue;
      }
      follow(seen, app, state);
      control(app, state);
      state.climber.write(seen, app, state.why, decision, p_.dvfs ? &votes_ : nullptr);
    }
    if (p_.dvfs) votes_.write(seen, decision);
  }

 private:
  static constexpr double kMostError = 1e12;

  struct State {
    Climber climber;
    double integral = 0, error = 0, latency_ms = 0;
    std::uint64_t learnt = 0;
    Why why;
  };

  void follow(const Observation& seen, const AppView& app, State& state) const {
    Climber& climber = state.climber;
    const bool seated = climber.index() >= 0 && climber.rung().subnet == app.subnet && climber.rung().unit == app.unit;
    const double share = climber.share();
    if (!climber.follow(seen, app, clocks_, {p_.dvfs, p_.mapping}) || climber.index() < 0) return;
    state.integral = seated ? std::clamp(state.integral + climber.share() - share, 0.0, 1.0) : climber.share();
    state.why = {.reason = because("rung {} of {}, {} ms, is the nearest to what it was on", climber.index(),
                                   climber.ladder().size(), climber.rung().latency_ms),
                 .binding = Constraint::ladder};
  }

  void control(const AppView& app, State& state) const {
    bool fresh = false;
    each_new_sample(app, state.learnt, [&](const Sample& sample) {
      if (sample.subnet != app.subnet || sample.unit != app.unit) return;
      state.latency_ms = state.latency_ms > 0 ? state.latency_ms + p_.smoothing * (sample.latency_ms - state.latency_ms)
                                              : sample.latency_ms;
      fresh = true;
    });
    if (!fresh || state.climber.index() < 0 || app.latency_target_ms <= 0) return;
    const double reference_ms = p_.reference * app.latency_target_ms;
    // Bounded: a target near zero would make it infinite, and the difference of two such is no number.
    const double error = std::max((reference_ms - state.latency_ms) / reference_ms, -kMostError);
    const double change = error - state.error;
    state.error = error;
    if (std::abs(error) <= p_.dead_band) return;

    state.integral = std::clamp(state.integral + p_.ki * error, 0.0, 1.0);
    const double share = std::clamp(p_.kp * error + state.integral + p_.kd * change, 0.0, 1.0);
    const int last = state.climber.ladder().size() - 1, from = state.climber.index();
    const int wanted = static_cast<int>(std::floor(share * last + 0.5));
    const int index = std::clamp(wanted, std::max(0, from - p_.step_limit), std::min(last, from + p_.step_limit));
    if (index == from) return;
    state.climber.put(index);
    // A step up stops at latency, or at the end of the ladder; a step down is because of latency.
    const double slack_ms = app.latency_target_ms - state.latency_ms;
    state.why = {.reason = because("mean latency {} ms, reference {} ms: u {}, rung {}", state.latency_ms, reference_ms,
                                   share, index),
                 .binding = Constraint::latency,
                 .slack = slack_ms,
                 .margin = slack_ms / app.latency_target_ms};
  }

  Parameters p_;
  std::vector<State> states_;
  ReferenceClocks clocks_;
  ClockVotes votes_;
};

const Registration<Policy, Pid> registered{"pid", "PID control of the latency along the ladder of configurations",
                                           "own definition, after standard theory"};

}  // namespace
}  // namespace dynasoc::manager
