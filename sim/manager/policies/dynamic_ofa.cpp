// dynamic-ofa: the table-driven manager of Dynamic-OFA: the most accurate sub-network that meets the latency target at
// the measured slow-down, and among equals the one of least energy; clocks and unit mapping are knobs when allowed.
//
// Source: our reading of the manager described for Dynamic-OFA (CVPRW 2021, arXiv 2105.03596); the published text was
// not at hand, so this is not called faithful. The slow-down xi is an exponentially weighted mean, by unit, of measured
// service time over table latency, which takes in both contention and the session's deviation from the table. What it
// has learnt of a unit it no longer uses stays as it was when it left.
//
// A clock that a governor moves is not predicted: tables are read at the fastest clock that governor has shown within
// the limits, and what it takes away is part of the measured slow-down, as contention is. With `dvfs` the clock is its
// own from the first decision on, and is not given back to the governor.
//
// Where targets conflict, latency comes first: of the choices that meet it but not the accuracy floor or a budget, the
// most accurate; where nothing meets it, the fastest. A rise in accuracy must leave `hysteresis` of the target free and
// waits for `dwell_ms` after a change; a step down is never delayed. It looks at service times only: a queue that has
// built up does not move it, and without a latency target (or with a loose one) it may choose a clock too slow for the
// arrivals.
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
      for (State& state : states_) state.slowdown.assign(seen.units.size(), kUnknown);
    }
    wanted_opp_.assign(seen.domains.size(), -1);
    clock_why_.resize(seen.domains.size());
    reference_opp_.resize(seen.units.size(), 0);
    for (const UnitView& unit : seen.units) {
      const DomainView& domain = seen.domains[unit.domains[0]];
      int& reference = reference_opp_[unit.index];
      reference = domain.governed && !p_.dvfs ? std::min(std::max(reference, domain.opp), domain.highest) : domain.opp;
    }
    for (const AppView& app : seen.applications) {
      learn(seen, app, states_[app.index]);
      if (app.active) choose(seen, app, decision);
    }
    // A clock shared by several applications runs as fast as the most demanding of them needs.
    for (const DomainView& domain : seen.domains)
      // A clock that is right by its governor's doing is taken over too: the governor would move it later.
      if (wanted_opp_[domain.index] >= 0 && (wanted_opp_[domain.index] != domain.requested || domain.governed))
        decision.set(Knob::frequency, domain.index, wanted_opp_[domain.index], clock_why_[domain.index]);
  }

 private:
  static constexpr double kUnknown = -1;  // of a slow-down: nothing has run there yet

  struct State {
    std::uint64_t learnt = 0;
    std::vector<double> slowdown;  // by unit
    Time changed = 0;
    bool ever_changed = false;
  };
  // How good a choice is before accuracy and energy are compared; the first two are of what was not looked at.
  enum class Rank : std::uint8_t { none, held_back, too_slow, over_budget, below_floor, good };
  struct Choice {
    int subnet = -1;
    int unit = -1;
    int opp = -1;
    double latency_ms = 0;
    double energy_mj = 0;
    double accuracy = -1;
    Rank rank = Rank::too_slow;
    double power_w = 0;
  };

  void learn(const Observation& seen, const AppView& app, State& state) const {
    std::uint64_t from =
        std::max(state.learnt, app.completed - std::min<std::uint64_t>(app.completed, AppView::kRemembered));
    for (; from < app.completed; ++from) {
      const Sample& sample = app.sample(from);
      if (!(sample.profile_ms > 0)) continue;
      double& slowdown = state.slowdown[sample.unit];
      double profile_ms = sample.profile_ms;
      if (const DomainView& domain = seen.domains[seen.units[sample.unit].domains[0]];
          domain.governed && !p_.dvfs && !seen.exact_profile)
        profile_ms = seen.profile->latency_ms(app.index, sample.subnet, sample.unit, reference_opp_[sample.unit]) *
                     app.batch_factor(sample.batch);
      const double ratio = sample.service_ms / profile_ms;
      slowdown = slowdown == kUnknown ? ratio : slowdown + p_.smoothing * (ratio - slowdown);
    }
    state.learnt = app.completed;
  }

  static bool better(const Choice& a, const Choice& b) {
    if (a.rank != b.rank) return a.rank > b.rank;
    if (a.rank == Rank::too_slow) return a.latency_ms < b.latency_ms;
    if (a.accuracy != b.accuracy) return a.accuracy > b.accuracy;
    if (a.energy_mj != b.energy_mj) return a.energy_mj < b.energy_mj;
    return a.latency_ms < b.latency_ms;
  }

  void choose(const Observation& seen, const AppView& app, Decision& decision) {
    State& state = states_[app.index];
    const double target_ms = app.latency_target_ms > 0 ? app.latency_target_ms : 1e300;
    const double careful_ms = target_ms * (1 - p_.hysteresis);
    const bool may_rise =
        !state.ever_changed || seen.trigger != Trigger::period || seen.now - state.changed >= from_ms(p_.dwell_ms);

    Choice best;
    reached_.assign(static_cast<std::size_t>(app.subnets), Rank::none);
    for (const UnitView& unit : seen.units) {
      if (unit.index != app.unit && !p_.mapping) continue;
      const double slowdown = state.slowdown[unit.index] == kUnknown ? 1 : state.slowdown[unit.index];
      int first = 0, last = 1 << 20;  // OPPs that all of the unit's domains may take
      for (const int d : unit.domains) {
        first = std::max(first, seen.domains[d].lowest);
        last = std::min(last, seen.domains[d].highest);
      }
      const int now_at = reference_opp_[unit.index];
      if (!p_.dvfs || first > last) first = last = now_at;
      for (int subnet = 0; subnet < app.subnets; ++subnet) {
        const double accuracy = app.accuracy[subnet];
        const bool current = subnet == app.subnet && unit.index == app.unit;
        const bool rise = !current && accuracy >= app.accuracy[app.subnet];
        if (rise && !may_rise) {
          reached_[subnet] = std::max(reached_[subnet], Rank::held_back);
          continue;
        }
        for (int opp = first; opp <= last; ++opp) {
          const Profile::Entry table = seen.profile->entry(app.index, subnet, unit.index, opp);
          if (!(table.latency_ms > 0)) break;
          Choice choice{subnet,          unit.index, opp,        table.latency_ms * slowdown,
                        table.energy_mj, accuracy,   Rank::good, table.energy_mj / table.latency_ms};
          const bool careful = rise || (p_.dvfs && opp < now_at);
          if (choice.latency_ms > (careful ? careful_ms : target_ms))
            choice.rank = Rank::too_slow;
          else if ((app.energy_budget_mj > 0 && choice.energy_mj > app.energy_budget_mj) ||
                   (app.power_budget_w > 0 && choice.power_w > app.power_budget_w))
            choice.rank = Rank::over_budget;
          else if (accuracy < app.accuracy_floor)
            choice.rank = Rank::below_floor;
          if (seen.explain)
            decision.candidates.push_back({app.index, subnet, unit.index, opp, choice.latency_ms, choice.accuracy,
                                           choice.energy_mj, choice.rank == Rank::good});
          reached_[subnet] = std::max(reached_[subnet], choice.rank);
          if (best.subnet < 0 || better(choice, best)) best = choice;
        }
      }
    }
    if (best.subnet < 0) return;
    const double slowdown = state.slowdown[best.unit] == kUnknown ? 1 : state.slowdown[best.unit];
    const Why why = why_subnet(app, best, slowdown, to_ms(seen.now - state.changed) - p_.dwell_ms);
    if (best.unit != app.unit) decision.set(Knob::mapping, app.index, best.unit, why);
    if (best.subnet != app.subnet) decision.set(Knob::subnet, app.index, best.subnet, why);
    if (best.unit != app.unit || best.subnet != app.subnet) {
      state.changed = seen.now;
      state.ever_changed = true;
    }
    if (p_.dvfs)
      for (const int d : seen.units[best.unit].domains) {
        if (best.opp <= wanted_opp_[d]) continue;
        wanted_opp_[d] = best.opp;
        clock_why_[d] = why_clock(seen, app, best, slowdown, d);
      }
  }

  static Reason reason(const AppView& app, const Choice& best, double slowdown) {
    const double target_ms = app.latency_target_ms;
    switch (best.rank) {
      case Rank::none:
      case Rank::held_back:
      case Rank::good: break;
      case Rank::too_slow:
        return because("nothing allowed meets {} ms; {} ms is the fastest at slow-down {}", target_ms, best.latency_ms,
                       slowdown);
      case Rank::over_budget:
        return because("predicted {} ms of {} ms; every choice that fast is over the energy or power budget",
                       best.latency_ms, target_ms);
      case Rank::below_floor:
        return because("predicted {} ms of {} ms; no accuracy of {} is that fast", best.latency_ms, target_ms,
                       app.accuracy_floor);
    }
    if (target_ms <= 0) return because("the most accurate; no latency target");
    return because("predicted {} ms at slow-down {}, target {} ms", best.latency_ms, slowdown, target_ms);
  }

  // What keeps it from the next more accurate sub-network, or the target that gave way.
  Why why_subnet(const AppView& app, const Choice& best, double slowdown, double dwell_over_ms) const {
    Why why{.reason = reason(app, best, slowdown)};
    if (app.latency_target_ms > 0) why.margin = 1 - best.latency_ms / app.latency_target_ms;
    if (best.rank == Rank::too_slow) return by_latency(why, app, best);
    if (best.rank == Rank::over_budget) return by_budget(why, app, best.energy_mj, best);
    if (best.rank == Rank::below_floor) {
      why.binding = Constraint::accuracy;
      why.slack = best.accuracy - app.accuracy_floor;
      why.margin = best.accuracy / app.accuracy_floor - 1;
      return why;
    }
    int next = -1;
    for (int i = 0; i < app.subnets; ++i)
      if (app.accuracy[i] > best.accuracy && reached_[i] != Rank::none &&
          (next < 0 || app.accuracy[i] < app.accuracy[next]))
        next = i;
    if (next < 0) return why;
    switch (reached_[next]) {
      case Rank::held_back:
        why.binding = Constraint::dwell;
        why.slack = dwell_over_ms;
        why.margin = p_.dwell_ms > 0 ? dwell_over_ms / p_.dwell_ms : 0;
        return why;
      case Rank::over_budget: return by_budget(why, app, best.energy_mj, best);
      default: return by_latency(why, app, best);
    }
  }
  static Why by_latency(Why why, const AppView& app, const Choice& best) {
    why.binding = Constraint::latency;
    why.slack = app.latency_target_ms - best.latency_ms;
    return why;
  }
  // Of two budgets, the one with relatively less left.
  static Why by_budget(Why why, const AppView& app, double energy_mj, const Choice& best) {
    constexpr double kNone = 1e300;  // no budget, or the tables say no energy
    double energy = app.energy_budget_mj > 0 ? 1 - energy_mj / app.energy_budget_mj : kNone;
    double power = app.power_budget_w > 0 ? 1 - best.power_w / app.power_budget_w : kNone;
    if (!std::isfinite(energy)) energy = kNone;
    if (!std::isfinite(power)) power = kNone;
    if (energy == kNone && power == kNone) return why;
    why.binding = energy <= power ? Constraint::energy : Constraint::power;
    why.margin = std::min(energy, power);
    why.slack = why.margin * (energy <= power ? app.energy_budget_mj : app.power_budget_w);
    return why;
  }

  static Why why_clock(const Observation& seen, const AppView& app, const Choice& best, double slowdown, int domain) {
    Why why{.reason =
                because("{} MHz is the least that its applications need", seen.domains[domain].opps_mhz[best.opp])};
    if (app.latency_target_ms > 0) why.margin = 1 - best.latency_ms / app.latency_target_ms;
    const double lower_ms =
        best.opp > 0 ? seen.profile->latency_ms(app.index, best.subnet, best.unit, best.opp - 1) * slowdown : 0;
    if (best.opp <= seen.domains[domain].lowest)
      why.binding = Constraint::ladder;
    else if (best.rank == Rank::too_slow || (app.latency_target_ms > 0 && lower_ms > app.latency_target_ms))
      return by_latency(why, app, best);
    else
      why.binding = Constraint::energy;
    return why;
  }

  Parameters p_;
  std::vector<State> states_;
  std::vector<int> wanted_opp_;
  std::vector<Why> clock_why_;
  std::vector<Rank> reached_;       // by sub-network: the best rank of any choice of it
  std::vector<int> reference_opp_;  // by unit: where tables are read
};

const Registration<Policy, DynamicOfa> registered{
    "dynamic-ofa", "the most accurate sub-network that meets the latency target at the measured slow-down",
    "our reading of the manager described for Dynamic-OFA (CVPRW 2021, arXiv 2105.03596); its text was not read"};

}  // namespace
}  // namespace dynasoc::manager
