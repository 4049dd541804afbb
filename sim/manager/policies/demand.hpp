// How many frames a second applications want, as policies that plan for a while ahead measure it.
#pragma once

#include <cstdint>
#include <vector>

#include "manager/policy.hpp"

namespace dynasoc::manager {

/// The arrival rate of each application: an exponentially weighted mean of what arrived between two looks over the time
/// between them. A look is a decision at the start or of the period. The first look at an application that is active
/// measures nothing, the second sets the mean; one that was found inactive begins anew.
class DemandMeter {
 public:
  void look(const Observation& seen, double smoothing) {
    states_.resize(seen.applications.size());
    if (seen.trigger != Trigger::start && seen.trigger != Trigger::period) return;
    const double dt_s = to_s(seen.now - looked_);
    if (dt_s <= 0 && seen.trigger == Trigger::period) return;
    for (const AppView& app : seen.applications) {
      State& state = states_[static_cast<std::size_t>(app.index)];
      if (!app.active) {
        state = {};
        continue;
      }
      if (state.followed && dt_s > 0 && app.arrived >= state.arrived) {
        const double hz = static_cast<double>(app.arrived - state.arrived) / dt_s;
        state.hz = state.known ? state.hz + smoothing * (hz - state.hz) : hz;
        state.known = true;
      }
      state.followed = true;
      state.arrived = app.arrived;
    }
    looked_ = seen.now;
  }

  /// 0 where it is not known yet.
  double hz(int app) const { return states_[static_cast<std::size_t>(app)].hz; }

 private:
  struct State {
    bool followed = false, known = false;
    std::uint64_t arrived = 0;
    double hz = 0;
  };
  std::vector<State> states_;  // by application
  Time looked_ = 0;
};

}  // namespace dynasoc::manager
