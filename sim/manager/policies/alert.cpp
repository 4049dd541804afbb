// alert: ALERT: before each input, the configuration that saves most energy at the accuracy asked for, or is most
// accurate within the energy allowed, where a Kalman filter's slow-down says how sure it is to be in time.
//
// Source: our reading of ALERT (Wan et al., USENIX ATC 2020) from notes on it; the constants were compared with a
// public re-implementation's, the text was not at hand, so this is not called faithful. Anytime networks are not
// modelled.
//
// Of each application it keeps one slow-down for all configurations, normal with mean mu and variance var. Each
// completion, with y = service time / table latency - mu and, in this order,
//   Q = max(Q0, a Q + (1-a) (K y)^2),  P = (1-K) var,  K = (P+Q) / (P+Q+R),  mu += K y,  var = P + Q;
// at first K .5, R .001, Q = Q0 = .1, mu 1, var .1, a .3 (the innovation y in Q is the new one, the gain the old). A
// second filter learns what share phi of its power a unit still draws when it waits: with M .01, S 1e-4, V 1e-3 at
// first,
//   W = (M+S) / (M+S+V),  M = (1-W) (M+S),  phi += W (r - phi),  r = idle / (idle + energy / latency)
// of the configuration that ran, by the tables: no rail says which unit it feeds. Where a board tells no idle power,
// only energy above idle is compared, and phi stays 0. An energy that the tables do not tell is infinite.
//
// Of a choice with table latency t, accuracy a and power p = idle + energy / latency it predicts
//   Pr = Phi((T/t - mu) / sqrt(var)),  q = Pr a + (1-Pr) a_fail,  E = p mu t + phi p max(0, T - mu t).
// T is the latency target less the time of its own decisions. With frames waiting it is
// (target - age of the oldest - own time) / waiting: they are one group with the deadline of its oldest. Without a
// target Pr = 1 and E = p mu t.
//
// A choice is feasible if a and q >= accuracy floor, E <= energy budget, p <= power budget (each if set), and Pr >=
// `sure`. Of the feasible ones: goal `energy`, the least E (then greater q, smaller t); goal `accuracy`, the greatest q
// (then less E, smaller t). If none is: latency is kept, then accuracy, then power: of those with Pr >= `sure` (0.5 if
// it is 0) the greatest q, then the least E, then t; where no choice is so sure, the greatest Pr first. Budgets are
// compared with the whole period of an input, idle power included, unlike those of other policies.
//
// It decides when an input is done, or a target has changed, for that application; the others then keep the clock they
// chose last. At other triggers it decides for all. Clocks that a governor moves are read as by dynamic-ofa; with
// `dvfs` a clock that applications share runs as fast as the most demanding asks.
#include <cmath>
#include <tuple>
#include <vector>

#include "manager/clocks.hpp"
#include "manager/policy.hpp"

namespace dynasoc::manager {
namespace {

enum class Goal : std::uint8_t { by_targets, energy, accuracy };

}  // namespace
}  // namespace dynasoc::manager

template <>
struct dynasoc::EnumNames<dynasoc::manager::Goal> {
  static constexpr std::array<std::pair<std::string_view, dynasoc::manager::Goal>, 3> names{
      {{"by_targets", dynasoc::manager::Goal::by_targets},
       {"energy", dynasoc::manager::Goal::energy},
       {"accuracy", dynasoc::manager::Goal::accuracy}}};
};

namespace dynasoc::manager {
namespace {

class Alert final : public Policy {
 public:
  struct Parameters {
    Goal goal = Goal::by_targets;
    double sure = 0;
    double failure_accuracy = 0;
    bool grouped = true;
    bool dvfs = false;
    bool mapping = false;
    double cost_us = 50;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(
          field(
              &P::goal, "goal",
              "energy: the least that keeps the accuracy floor; accuracy: the greatest within the budgets; by_targets: "
              "energy for an application with an accuracy floor and no budget, else accuracy"),
          field(&P::sure, "sure", range(0, 1),
                "least probability of being in time; 0 = it counts in the accuracy only"),
          field(&P::failure_accuracy, "failure_accuracy", non_negative(), "of a late answer, in the network's metric"),
          field(&P::grouped, "grouped", "share what time is left among the frames that wait"),
          field(&P::dvfs, "dvfs", "choose the clock of the application's unit too"),
          field(&P::mapping, "mapping", "choose the unit too"),
          field(&P::cost_us, "cost_us", non_negative(),
                "compute time of one decision (assumed); it is taken from the target"));
    }
  };
  explicit Alert(const Parameters& parameters) : p_(parameters) {}

  Triggers triggers() const override { return {.completion = true, .target_change = true}; }
  double compute_cost_us() const override { return p_.cost_us; }

  void decide(const Observation& seen, Decision& decision) override {
    states_.resize(seen.applications.size());
    clocks_.refresh(seen, p_.dvfs);
    votes_.reset(seen);
    const bool one =
        seen.subject >= 0 && (seen.trigger == Trigger::completion || seen.trigger == Trigger::target_change);
    for (const AppView& app : seen.applications) {
      State& state = states_[app.index];
      learn(seen, app, state);
      if (!app.active) continue;
      if (!one || app.index == seen.subject || state.opp < 0) choose(seen, app, state, decision);
      if (p_.dvfs && state.opp >= 0) votes_.vote(seen.units[state.unit], state.opp, state.why);
    }
    if (p_.dvfs) votes_.write(seen, decision);
  }

 private:
  static constexpr double kR = 1e-3, kQ0 = 0.1, kAlpha = 0.3, kS = 1e-4, kV = 1e-3;

  struct State {
    std::uint64_t learnt = 0;
    double gain = 0.5, q = kQ0, mean = 1, variance = 0.1;
    double idle_variance = 0.01, idle_ratio = 0;
    int unit = -1;
    int opp = -1;  // asked for; -1 before the first decision
    Why why;
  };
  struct Choice {
    int subnet = -1;
    int unit = -1;
    int opp = -1;
    double accuracy = 0, mean_ms = 0, sure = 0, expected = 0, energy_mj = 0, power_w = 0, table_ms = 0;
    bool in_time = false;
    bool feasible = false;
  };

  void learn(const Observation& seen, const AppView& app, State& state) const {
    each_new_sample(app, state.learnt, [&](const Sample& sample) {
      const double ratio = clocks_.slowdown(seen, app, sample, p_.dvfs);
      if (!(ratio > 0)) return;
      const double y = ratio - state.mean;
      state.q = std::max(kQ0, kAlpha * state.q + (1 - kAlpha) * (state.gain * y) * (state.gain * y));
      const double before = (1 - state.gain) * state.variance;
      state.gain = (before + state.q) / (before + state.q + kR);
      state.mean = std::max(1e-6, state.mean + state.gain * y);
      state.variance = before + state.q;

      const int opp = clocks_.opp(sample.unit);
      const Profile::Entry table = seen.profile->entry(app.index, sample.subnet, sample.unit, opp);
      const double idle_w = seen.profile->idle_w(sample.unit, opp);
      const double idle_ratio = idle_w / (idle_w + table.energy_mj / table.latency_ms);
      if (!std::isfinite(idle_ratio)) return;
      const double weight = (state.idle_variance + kS) / (state.idle_variance + kS + kV);
      state.idle_variance = (1 - weight) * (state.idle_variance + kS);
      state.idle_ratio += weight * (idle_ratio - state.idle_ratio);
    });
  }

  static bool better(const Choice& a, const Choice& b, bool save) {
    if (a.feasible != b.feasible) return a.feasible;
    if (a.feasible)
      return save ? std::tuple(a.energy_mj, -a.expected, a.table_ms) < std::tuple(b.energy_mj, -b.expected, b.table_ms)
                  : std::tuple(-a.expected, a.energy_mj, a.table_ms) < std::tuple(-b.expected, b.energy_mj, b.table_ms);
    if (a.in_time != b.in_time) return a.in_time;
    if (!a.in_time && a.sure != b.sure) return a.sure > b.sure;
    return std::tuple(-a.expected, a.energy_mj, a.table_ms) < std::tuple(-b.expected, b.energy_mj, b.table_ms);
  }

  // Time for one input [ms]; infinite without a target.
  double time_for_one(const AppView& app) const {
    if (app.latency_target_ms <= 0) return HUGE_VAL;
    const double left_ms = app.latency_target_ms - p_.cost_us * 1e-3;
    if (app.waiting == 0) return left_ms;
    return (left_ms - app.oldest_wait_ms) / (p_.grouped ? app.waiting : 1);
  }

  void choose(const Observation& seen, const AppView& app, State& state, Decision& decision) {
    const bool save = p_.goal == Goal::energy || (p_.goal == Goal::by_targets && app.accuracy_floor > 0 &&
                                                  app.energy_budget_mj <= 0 && app.power_budget_w <= 0);
    const double time_ms = time_for_one(app);
    const double sigma = std::sqrt(state.variance);
    Choice best;
    Choice free;  // the best if no target forbade anything
    double greatest_accuracy = 0;
    for (const UnitView& unit : seen.units) {
      if (unit.index != app.unit && !p_.mapping) continue;
      OppRange range{clocks_.opp(unit.index), clocks_.opp(unit.index)};
      if (p_.dvfs) range = opp_range(seen, unit);
      for (int subnet = 0; subnet < app.subnets; ++subnet)
        for (int opp = range.first; opp <= range.last; ++opp) {
          const Profile::Entry table = seen.profile->entry(app.index, subnet, unit.index, opp);
          if (!(table.latency_ms > 0)) continue;
          Choice choice{.subnet = subnet, .unit = unit.index, .opp = opp, .accuracy = app.accuracy[subnet]};
          const double idle_w = seen.profile->idle_w(unit.index, opp);
          const double above_w = std::isnan(table.energy_mj) ? HUGE_VAL : table.energy_mj / table.latency_ms;
          choice.table_ms = table.latency_ms;
          choice.mean_ms = state.mean * table.latency_ms;
          choice.power_w = above_w + (std::isnan(idle_w) ? 0 : idle_w);
          choice.energy_mj = choice.power_w * choice.mean_ms;
          choice.sure = 1;
          if (time_ms < HUGE_VAL) {
            choice.sure = 0.5 * std::erfc(-(time_ms / table.latency_ms - state.mean) / sigma / std::sqrt(2.0));
            const double idle_ms = state.idle_ratio * std::max(0.0, time_ms - choice.mean_ms);
            if (idle_ms > 0) choice.energy_mj += choice.power_w * idle_ms;
          }
          choice.expected = choice.sure * choice.accuracy + (1 - choice.sure) * p_.failure_accuracy;
          choice.in_time = choice.sure >= (p_.sure > 0 ? p_.sure : 0.5);
          choice.feasible = broken(app, choice) == Constraint::none;
          if (seen.explain)
            decision.candidates.push_back({app.index, subnet, unit.index, opp, choice.mean_ms, choice.expected,
                                           choice.energy_mj, choice.feasible});
          if (best.subnet < 0 || better(choice, best, save)) best = choice;
          greatest_accuracy = std::max(greatest_accuracy, choice.accuracy);
          choice.feasible = true;
          if (free.subnet < 0 || better(choice, free, save)) free = choice;
        }
    }
    if (best.subnet < 0) return;  // the tables know nothing of it here
    state.unit = best.unit;
    state.opp = best.opp;
    state.why = why(app, state, best, free, !save && best.accuracy < greatest_accuracy, time_ms);
    if (best.unit != app.unit) decision.set(Knob::mapping, app.index, best.unit, state.why);
    if (best.subnet != app.subnet) decision.set(Knob::subnet, app.index, best.subnet, state.why);
  }

  // The first of its constraints that a choice breaks.
  Constraint broken(const AppView& app, const Choice& choice) const {
    if (choice.sure < p_.sure) return Constraint::latency;
    if (choice.accuracy < app.accuracy_floor) return Constraint::accuracy;
    if (choice.expected < app.accuracy_floor) return Constraint::latency;  // accurate enough, but not in time
    if (app.energy_budget_mj > 0 && choice.energy_mj > app.energy_budget_mj) return Constraint::energy;
    if (app.power_budget_w > 0 && choice.power_w > app.power_budget_w) return Constraint::power;
    return Constraint::none;
  }

  // `unsure`: another would be more accurate, if only it were likelier in time.
  Why why(const AppView& app, const State& state, const Choice& best, const Choice& free, bool unsure,
          double time_ms) const {
    Why out;
    out.binding = broken(app, best.feasible ? free : best);
    if (out.binding == Constraint::none && unsure) out.binding = Constraint::latency;
    double whole = 0;
    switch (out.binding) {
      case Constraint::latency:
        if (time_ms == HUGE_VAL) {  // without a target: of two equals
          out.binding = Constraint::none;
          break;
        }
        whole = app.latency_target_ms, out.slack = time_ms - best.mean_ms;
        break;
      case Constraint::accuracy: whole = app.accuracy_floor, out.slack = best.expected - whole; break;
      case Constraint::energy: whole = app.energy_budget_mj, out.slack = whole - best.energy_mj; break;
      case Constraint::power: whole = app.power_budget_w, out.slack = whole - best.power_w; break;
      default: break;
    }
    if (!std::isfinite(out.slack)) out.slack = 0;  // nobody knows what it needs
    if (whole > 0) out.margin = out.slack / whole;
    if (time_ms == HUGE_VAL)
      out.reason = best.feasible
                       ? because("accuracy {}, {} mJ at slow-down {}; no latency target", best.expected, best.energy_mj,
                                 state.mean)
                       : because("the targets exclude each other: accuracy {}, {} mJ", best.expected, best.energy_mj);
    else if (best.feasible)
      out.reason = because("in time with probability {} of {} ms; expected accuracy {}, {} mJ", best.sure, time_ms,
                           best.expected, best.energy_mj);
    else if (best.in_time)
      out.reason = because("the targets exclude each other; latency first: probability {} of {} ms, accuracy {}, {} mJ",
                           best.sure, time_ms, best.expected, best.energy_mj);
    else
      out.reason = because("nothing allowed is likely to take {} ms; {} ms is the surest at slow-down {}", time_ms,
                           best.mean_ms, state.mean);
    return out;
  }

  Parameters p_;
  std::vector<State> states_;
  ReferenceClocks clocks_;
  ClockVotes votes_;
};

const Registration<Policy, Alert> registered{
    "alert",
    "least energy at an accuracy, or most accuracy in an energy, by a Kalman filter's probability to be in time",
    "our reading of ALERT (USENIX ATC 2020) from notes; its text was not read"};

}  // namespace
}  // namespace dynasoc::manager
