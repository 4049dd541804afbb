// What race-to-idle, pace and critical-speed have in common: a clock chosen for each frame.
//
// A frame is due when it arrives at an application that is doing nothing, or waits when the application's last one
// ends. Then its application asks for a clock, and keeps to it until the frame ends. A clock shared by several
// applications runs as fast as the one that asks for most; one that nobody asks for is parked or left. Sub-networks and
// units stay.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "manager/policy.hpp"

namespace dynasoc::manager {

class FrameClock : public Policy {
 public:
  Triggers triggers() const final { return {.arrival = true, .completion = true}; }

  void decide(const Observation& seen, Decision& decision) final {
    if (apps_.size() != seen.applications.size() || wanted_.size() != seen.domains.size()) {
      apps_.assign(seen.applications.size(), {});
      wanted_.assign(seen.domains.size(), {});
    }
    if (seen.trigger == Trigger::start) {
      for (const AppView& app : seen.applications)
        if (level_ > 0)
          if (const int subnet = std::min(level_, app.subnets) - 1; subnet != app.subnet && covered(seen, app, subnet))
            decision.set(Knob::subnet, app.index, subnet,
                         Why{.reason = because("fixed level {}", subnet + 1), .binding = Constraint::none});
    } else if (seen.trigger == Trigger::arrival || seen.trigger == Trigger::completion) {
      const AppView& app = seen.applications[seen.subject];
      App& state = apps_[app.index];
      const bool in_service = app.arrived > app.completed + app.dropped + app.waiting;
      if (seen.trigger == Trigger::completion) learn(seen, app, state);
      if (app.waiting == 0 && !in_service)
        state.ask = {};
      else if (!in_service)
        begin(seen, app, state, decision);
    }
    write(seen, decision);
  }

 protected:
  FrameClock(int level, double settle_ms, double smoothing, bool park)
      : level_(level), settle_ms_(settle_ms), smoothing_(smoothing), park_(park) {}

  struct Ask {
    int opp = -1;  // nobody asks
    Why why;
  };

  /// The clock for a frame that has `left_ms` to its deadline (infinite without one), of first..last.
  virtual Ask choose(const Observation& seen, const AppView& app, double left_ms, int first, int last) const = 0;

  /// Table latency times the measured slow-down [ms], the clock changing from what it is now; NaN if not covered.
  double predicted_ms(const Observation& seen, const AppView& app, int opp) const {
    const double ms = steady_ms(seen, app, opp);
    const int now_at = seen.domains[seen.units[app.unit].domains[0]].opp;
    if (opp == now_at || settle_ms_ <= 0 || !(ms > 0)) return ms;
    const double before_ms = steady_ms(seen, app, now_at);
    if (!(before_ms > 0)) return settle_ms_ + ms;
    if (before_ms <= settle_ms_) return before_ms;
    return settle_ms_ + (1 - settle_ms_ / before_ms) * ms;
  }
  double steady_ms(const Observation& seen, const AppView& app, int opp) const {
    return seen.profile->latency_ms(app.index, app.subnet, app.unit, opp) * apps_[app.index].slowdown;
  }
  static double mhz(const Observation& seen, const AppView& app, int opp) {
    return seen.domains[seen.units[app.unit].domains[0]].opps_mhz[opp];
  }
  static Why by_latency(const AppView& app, const Reason& reason, double slack_ms) {
    if (!std::isfinite(slack_ms)) return {.reason = reason};  // the tables do not cover the clock that was taken
    return {.reason = reason,
            .binding = Constraint::latency,
            .slack = slack_ms,
            .margin = app.latency_target_ms > 0 ? slack_ms / app.latency_target_ms : 0};
  }

  /// The lowest clock of first..last that ends the frame in `left_ms` less `reserve_ms`, else the highest.
  int lowest_in_time(const Observation& seen, const AppView& app, double left_ms, double reserve_ms, int first,
                     int last) const {
    for (int opp = first; opp <= last; ++opp)
      if (predicted_ms(seen, app, opp) <= left_ms - reserve_ms) return opp;
    return last;
  }

  bool parks() const { return park_; }

 private:
  struct App {
    Ask ask;
    double slowdown = 1;
    double expected_ms = 0;  // of the frame in service by the table, its clock change included; 0 = not to be learnt
    bool measured = false;
  };

  static bool covered(const Observation& seen, const AppView& app, int subnet) {
    const int opp = seen.domains[seen.units[app.unit].domains[0]].opp;
    return seen.profile->latency_ms(app.index, subnet, app.unit, opp) > 0;
  }

  void begin(const Observation& seen, const AppView& app, App& state, Decision& decision) const {
    int first = 0, last = 1 << 20;  // clocks that all of the unit's domains may take
    for (const int d : seen.units[app.unit].domains) {
      first = std::max(first, seen.domains[d].lowest);
      last = std::min(last, seen.domains[d].highest);
    }
    if (first > last) first = last;
    const double left_ms = app.latency_target_ms > 0 ? app.latency_target_ms - app.oldest_wait_ms : kForEver;
    state.ask = choose(seen, app, left_ms, first, last);
    const double ms = predicted_ms(seen, app, state.ask.opp);
    state.expected_ms = ms > 0 ? ms / state.slowdown : 0;
    if (!seen.explain) return;
    for (int opp = first; opp <= last; ++opp) {
      const Profile::Entry table = seen.profile->entry(app.index, app.subnet, app.unit, opp);
      const double there_ms = predicted_ms(seen, app, opp);
      if (there_ms > 0)
        decision.candidates.push_back({app.index, app.subnet, app.unit, opp, there_ms, app.accuracy[app.subnet],
                                       table.energy_mj, there_ms <= left_ms});
    }
  }

  // What a frame took over what was expected of it, unless the clock was changed under it.
  void learn(const Observation&, const AppView& app, App& state) const {
    if (app.completed == 0 || state.expected_ms <= 0) return;
    const Sample& sample = app.sample(app.completed - 1);
    if (sample.service_ms > 0 && sample.unit == app.unit && sample.subnet == app.subnet) {
      const double ratio = sample.service_ms / state.expected_ms;
      state.slowdown = state.measured ? state.slowdown + smoothing_ * (ratio - state.slowdown)
                                      : 1 + (smoothing_ > 0 ? 1 : 0) * (ratio - 1);
      state.measured = true;
    }
    state.expected_ms = 0;
  }

  void write(const Observation& seen, Decision& decision) {
    std::fill(wanted_.begin(), wanted_.end(), nullptr);
    for (const AppView& app : seen.applications) {
      const Ask& ask = apps_[app.index].ask;
      if (ask.opp < 0) continue;
      for (const int d : seen.units[app.unit].domains)
        if (wanted_[d] == nullptr || ask.opp > wanted_[d]->opp) wanted_[d] = &ask;
    }
    for (const UnitView& unit : seen.units) {
      if (!has_application(seen, unit.index)) continue;  // its clock is no business of ours
      for (const int d : unit.domains) {
        const DomainView& domain = seen.domains[d];
        if (wanted_[d] != nullptr)
          set(seen, unit, domain, wanted_[d]->opp, wanted_[d]->why, decision);
        else if (park_)
          set(seen, unit, domain, domain.lowest,
              Why{.reason = because("no frame is there: parked"), .binding = Constraint::ladder}, decision);
      }
    }
  }

  void set(const Observation& seen, const UnitView& unit, const DomainView& domain, int opp, const Why& why,
           Decision& decision) {
    if (domain.requested == opp && !domain.governed) return;
    for (const Write& write : decision.writes)
      if (write.knob == Knob::frequency && write.target == domain.index) return;  // a clock that two units share
    decision.set(Knob::frequency, domain.index, opp, why);
    if (domain.requested == opp) return;
    for (const AppView& app : seen.applications)  // frames in service that had reckoned with another clock
      if (app.unit == unit.index && apps_[app.index].ask.opp != opp) apps_[app.index].expected_ms = 0;
    if (seen.subject < 0) return;
    for (const AppView& app : seen.applications)
      if (app.unit == unit.index && app.index != seen.subject) apps_[app.index].expected_ms = 0;
  }

  static bool has_application(const Observation& seen, int unit) {
    return std::any_of(seen.applications.begin(), seen.applications.end(),
                       [&](const AppView& app) { return app.unit == unit; });
  }

  static constexpr double kForEver = 1e300;
  int level_;
  double settle_ms_, smoothing_;
  bool park_;
  std::vector<App> apps_;
  std::vector<const Ask*> wanted_;  // by domain
};

}  // namespace dynasoc::manager
