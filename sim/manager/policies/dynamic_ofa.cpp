// dynamic-ofa: the table-driven manager of Dynamic-OFA: the most accurate sub-network that meets the latency target at the
// measured slow-down, and among equals the one of least energy; clocks and unit mapping are knobs when allowed.
//
// Source: our reading of the manager described for Dynamic-OFA (CVPRW 2021, arXiv 2105.03596); the published text was not
// at hand, so this is not called faithful. The slow-down xi is an exponentially weighted mean of measured service time over
// table latency, which takes in both contention and the session's deviation from the table. A better choice is taken only if
// it still meets the target with `hysteresis` to spare, and not before `dwell_ms`; a violation is answered at once.
#include <cmath>
#include <vector>

#include "manager/policy.hpp"

namespace dynasoc::manager {
namespace {

class DynamicOfa final : public Policy {
 public:
  struct Parameters {
    double period_ms = 50;
    double smoothing = 0.2;
    double hysteresis = 0.07;
    double dwell_ms = 500;
    bool dvfs = false;
    bool mapping = false;
    double cost_us = 50;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(
          field(&P::period_ms, "period_ms", at_least(1e-3), "between decisions"),
          field(&P::smoothing, "smoothing", range(0.001, 1), "weight of a new measurement in the slow-down estimate"),
          field(&P::hysteresis, "hysteresis", range(0, 0.9), "share of the target kept free before a step up"),
          field(&P::dwell_ms, "dwell_ms", non_negative(), "least time between a change and the next step up"),
          field(&P::dvfs, "dvfs", "choose the clock of the application's unit too"),
          field(&P::mapping, "mapping", "choose the unit too"),
          field(&P::cost_us, "cost_us", non_negative(), "compute time of one decision (assumed; not published)"));
    }
  };
  explicit DynamicOfa(const Parameters& parameters) : p_(parameters) {}

  Triggers triggers() const override { return {.period_ms = p_.period_ms, .target_change = true}; }
  double compute_cost_us() const override { return p_.cost_us; }

  void decide(const Observation& seen, Decision& decision) override {
    if (states_.size() != seen.applications.size()) {
      states_.resize(seen.applications.size());
      for (State& state : states_) state.slowdown.assign(seen.units.size(), 1.0);
    }
    wanted_opp_.assign(seen.domains.size(), -1);
    for (const AppView& app : seen.applications) {
      learn(app, states_[app.index]);
      if (app.active) choose(seen, app, decision);
    }
    // A clock shared by several applications runs as fast as the most demanding of them needs.
    for (const DomainView& domain : seen.domains)
      if (wanted_opp_[domain.index] >= 0 && wanted_opp_[domain.index] != domain.requested)
        decision.set(Knob::frequency, domain.index, wanted_opp_[domain.index],
                     because("{} MHz is the least that its applications need", domain.opps_mhz[wanted_opp_[domain.index]]));
  }

 private:
  struct State {
    std::uint64_t learnt = 0;
    std::vector<double> slowdown;  // by unit
    Time changed = -kNever;
  };
  struct Choice {
    int subnet = -1;
    int unit = -1;
    int opp = -1;
    double latency_ms = 0;
    double energy_mj = 0;
    double accuracy = -1;
    bool feasible = false;
  };

  void learn(const AppView& app, State& state) const {
    std::uint64_t from = std::max(state.learnt, app.completed - std::min<std::uint64_t>(app.completed, AppView::kRemembered));
    double& slowdown = state.slowdown[app.unit];
    for (; from < app.completed; ++from) {
      const Sample& sample = app.sample(from);
      if (!(sample.profile_ms > 0)) continue;
      const double ratio = sample.service_ms / sample.profile_ms;
      slowdown = from == 0 ? ratio : slowdown + p_.smoothing * (ratio - slowdown);
    }
    state.learnt = app.completed;
  }

  // Larger accuracy first; then less energy; then the shorter latency. Where nothing meets the target, the fastest.
  static bool better(const Choice& a, const Choice& b) {
    if (a.feasible != b.feasible) return a.feasible;
    if (!a.feasible) return a.latency_ms < b.latency_ms;
    if (a.accuracy != b.accuracy) return a.accuracy > b.accuracy;
    if (a.energy_mj != b.energy_mj) return a.energy_mj < b.energy_mj;
    return a.latency_ms < b.latency_ms;
  }

  void choose(const Observation& seen, const AppView& app, Decision& decision) {
    State& state = states_[app.index];
    const double target_ms = app.latency_target_ms > 0 ? app.latency_target_ms : 1e300;
    const double careful_ms = target_ms * (1 - p_.hysteresis);
    const bool violated = app.completed > 0 && app.sample(app.completed - 1).latency_ms > target_ms;
    const bool may_rise = seen.now - state.changed >= from_ms(p_.dwell_ms) || state.changed == -kNever;

    Choice best;
    for (const UnitView& unit : seen.units) {
      if (unit.index != app.unit && !p_.mapping) continue;
      const DomainView& domain = seen.domains[unit.domains[0]];
      const int first = p_.dvfs ? domain.lowest : domain.opp, last = p_.dvfs ? domain.highest : domain.opp;
      const double slowdown = state.slowdown[unit.index];
      for (int subnet = 0; subnet < app.subnets; ++subnet) {
        const double accuracy = app.accuracy[subnet];
        const bool current = subnet == app.subnet && unit.index == app.unit;
        // Any change but a step down must leave the hysteresis free, or it would soon be taken back.
        const bool rise = !current && accuracy >= app.accuracy[app.subnet];
        const bool allowed = accuracy >= app.accuracy_floor && (!rise || may_rise || violated || seen.trigger != Trigger::period);
        for (int opp = first; opp <= last; ++opp) {
          const Profile::Entry table = seen.profile->entry(app.index, subnet, unit.index, opp);
          if (!(table.latency_ms > 0)) break;
          const bool careful = rise || (p_.dvfs && opp < domain.opp);
          Choice choice{subnet, unit.index, opp, table.latency_ms * slowdown, table.energy_mj, accuracy, false};
          choice.feasible = allowed && choice.latency_ms <= (careful ? careful_ms : target_ms) &&
                            (app.energy_budget_mj <= 0 || choice.energy_mj <= app.energy_budget_mj);
          if (seen.explain)
            decision.candidates.push_back({app.index, subnet, unit.index, opp, choice.latency_ms, choice.accuracy,
                                           choice.energy_mj, choice.feasible});
          if (best.subnet < 0 || better(choice, best)) best = choice;
        }
      }
    }
    if (best.subnet < 0) return;
    const double margin = app.latency_target_ms > 0 ? 1 - best.latency_ms / target_ms : 0;
    const double xi = state.slowdown[best.unit];
    const Reason reason =
        best.feasible ? because("predicted {} ms at slow-down {}, target {} ms", best.latency_ms, xi, app.latency_target_ms)
                      : because("nothing meets {} ms; {} ms is the fastest at slow-down {}", app.latency_target_ms,
                                best.latency_ms, xi);
    if (best.unit != app.unit) decision.set(Knob::mapping, app.index, best.unit, reason, margin);
    if (best.subnet != app.subnet) decision.set(Knob::subnet, app.index, best.subnet, reason, margin);
    if (best.unit != app.unit || best.subnet != app.subnet) state.changed = seen.now;
    if (p_.dvfs) {
      int& wanted = wanted_opp_[seen.units[best.unit].domains[0]];
      wanted = std::max(wanted, best.opp);
    }
  }

  Parameters p_;
  std::vector<State> states_;
  std::vector<int> wanted_opp_;
};

const Registration<Policy, DynamicOfa> registered{
    "dynamic-ofa", "the most accurate sub-network that meets the latency target at the measured slow-down"};

}  // namespace
}  // namespace dynasoc::manager
