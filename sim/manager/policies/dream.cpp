// dream: DREAM: of all pairs of a frame and a free unit the one with the best score, whose weights are tuned while it
// runs; frames that are lost anyway are dropped, and under overload sub-networks get smaller.
//
// Source: our reading of DREAM (Kim et al., ASPLOS 2023), its abstract read and the rest from memory: not called
// faithful. The energy of changing between networks on a unit is left out of the score: here such a change costs none.
//
// It roams: a frame that has not begun may be moved to another unit. Tables are read at the clocks that the last
// decision saw. With L(c,u) and E(c,u) the table's latency and energy of claim c's whole inference on unit u (of one
// frame, though several may be served together), sums and means over the units that the table covers (L > 0; E > 0),
// and the share left s = remaining_ms / isolated_ms, at most 1, and 1 where it is not known:
//   score(c,u) = Urgency LatPref + alpha Starv + beta Energy
//   Urgency    = min(urgency_limit, s mean L / slack); urgency_limit where slack <= 0; 0 without a deadline
//   LatPref    = (sum of L) / L(c,u)
//   Starv      = (now - ran) / (block_share mean L); a block_share that is not above 0 counts as 1
//   Energy     = (sum of E) / E(c,u)
// where a quotient whose divisor is not above 0 or not known is 0. The greatest score over all claims and all free
// units that they may run on (the one asked about, and others with free_in_ms = 0) is a pair; of equals the first
// claim, then the first unit. If its unit is the one asked about, its claim is picked; else claim and unit are set
// aside, and the next pair is looked for. No pair: -1.
//
// Smart drop. A frame will be late if its deadline comes before the earliest of now + free_in_ms(u) + s L(c,u) over
// units that it may run on (free_in_ms of the unit asked about counts as 0). If at least `at_risk` of the claims will
// be late, the one that will be by most (of equals the first) is given up, one at each choice, of those that have not
// begun, have no children, and whose application keeps its budget: lost + 1 <= drop_budget (frame + 1).
//
// Every period it looks at what has happened since the window began; with at least `window` frames done or lost, of
// applications that are active, the window ends. With n frames of an application, b of them late or lost, and
// e = the mean over its samples of table energy where they ran / its greatest table energy (any sub-network and unit;
// present clocks; at most 64 samples a period; without those of which it is not known or 0; 1 where none is left):
//   UXCost = (sum of b / n, or 1 / (2 n) where b = 0) x (sum of e), over the applications with n > 0
// Then the first of these that applies:
// - Supernet switching. If (sum of b) / (sum of n) > overload, of the applications with b > 0 and a lighter sub-network
//   the one with most b (of equals the first) takes it. Lighter: the nearest smaller one that the table covers on its
//   unit, no less accurate than the floor and faster. If the share was at most `relief` in `calm` windows in a row, the
//   application that is the most sub-networks below its first one (of equals the first) takes the nearest larger that
//   the table covers, not beyond the first; without one the windows go on counting. After a switch alpha and beta are
//   those of the base, which is measured anew.
// - Tuning by local search: the window was run with a trial point (alpha, beta). The first is the base. Then, in turn,
//   alpha + step, alpha - step, beta + step, beta - step are tried from the base, within 0..2. A lower UXCost than the
//   base's makes the trial the base, and the same direction is tried again. One that changes nothing is skipped, as if
//   it had been tried in vain. After four in vain in a row step is halved (not below an eighth of the first), and the
//   base is measured anew, from which the first direction is tried first again.
#include <vector>

#include "manager/clocks.hpp"
#include "manager/scheduling.hpp"

namespace dynasoc::manager {
namespace {

class Dream final : public SchedulingPolicy {
 public:
  struct Parameters {
    double alpha = 1;
    double beta = 1;
    bool tune = true;
    double step = 0.5;
    double period_ms = 500;
    int window = 20;
    double urgency_limit = 10;
    double drop_budget = 0.2;
    int at_risk = 2;
    bool switching = true;
    double overload = 0.1;
    double relief = 0.01;
    int calm = 3;
    double cost_us = 5;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(
          field(&P::alpha, "alpha", range(0, 2), "weight of starvation to begin with"),
          field(&P::beta, "beta", range(0, 2), "weight of energy to begin with"),
          field(&P::tune, "tune", "search for better weights while it runs"),
          field(&P::step, "step", range(0.001, 2), "of the search, to begin with (assumed)"),
          field(&P::period_ms, "period_ms", at_least(1e-3), "between looks at what has happened (assumed)"),
          field(&P::window, "window", range(1, 1e6), "frames of all applications that judge a choice (assumed)"),
          field(&P::urgency_limit, "urgency_limit", range(0, 1e6), "greatest urgency, that of a late frame (assumed)"),
          field(&P::drop_budget, "drop_budget", range(0, 1),
                "share of an application's frames that may be given up; 0 = none (assumed)"),
          field(&P::at_risk, "at_risk", range(1, 1000), "frames that will be late before one is given up (assumed)"),
          field(&P::switching, "switching", "smaller sub-networks under overload"),
          field(&P::overload, "overload", range(0, 1), "share of late and lost frames above which one switches down"),
          field(&P::relief, "relief", range(0, 1), "share of late and lost frames up to which a window is calm"),
          field(&P::calm, "calm", range(1, 1e6), "calm windows in a row before one switches up (assumed)"),
          field(&P::cost_us, "cost_us", non_negative(), "compute time of one choice, and of one look (assumed)"));
    }
  };
  explicit Dream(const Parameters& parameters)
      : SchedulingPolicy(parameters.cost_us), p_(parameters), now_{p_.alpha, p_.beta}, base_(now_), step_(p_.step) {}

  Triggers triggers() const override { return {.period_ms = p_.period_ms}; }
  double compute_cost_us() const override { return p_.cost_us; }
  bool roams() const override { return true; }

  int pick(const Observation& seen, const Vacancy& vacancy) override {
    const std::size_t units = vacancy.free_in_ms.size();
    scores_.assign(vacancy.claims.size() * units, {});
    for (std::size_t i = 0; i < vacancy.claims.size(); ++i) score(seen, vacancy, i);
    for (;;) {
      std::size_t best = scores_.size();
      for (std::size_t k = 0; k < scores_.size(); ++k)
        if (scores_[k].open && (best == scores_.size() || scores_[k].value > scores_[best].value)) best = k;
      if (best == scores_.size()) return -1;
      const std::size_t claim = best / units, unit = best % units;
      if (static_cast<int>(unit) == vacancy.unit) return static_cast<int>(claim);
      for (std::size_t u = 0; u < units; ++u) scores_[claim * units + u].open = false;
      for (std::size_t i = 0; i < vacancy.claims.size(); ++i) scores_[i * units + unit].open = false;
    }
  }

  void give_up(const Observation& seen, const Vacancy& vacancy, std::vector<int>& claims) override {
    int late = 0, latest = -1;
    double latest_ms = 0;
    for (std::size_t i = 0; i < vacancy.claims.size(); ++i) {
      const Claim& claim = vacancy.claims[i];
      const double late_ms = earliest_ms(seen, vacancy, i) - claim.slack_ms(seen.now);
      if (!std::isfinite(late_ms) || late_ms <= 0) continue;
      ++late;
      if (claim.started || claim.children > 0 || claim.lost + 1.0 > p_.drop_budget * (claim.frame + 1.0)) continue;
      if (latest < 0 || late_ms > latest_ms) latest = static_cast<int>(i), latest_ms = late_ms;
    }
    if (late >= p_.at_risk && latest >= 0) claims.push_back(latest);
  }

  void decide(const Observation& seen, Decision& decision) override {
    if (apps_.size() != seen.applications.size()) {
      apps_.assign(seen.applications.size(), {});
      for (const AppView& app : seen.applications) {
        apps_[app.index].first_subnet = app.subnet;
        begin(app);
      }
    }
    if (seen.trigger != Trigger::period) return;
    double frames = 0, bad = 0;
    for (const AppView& app : seen.applications) {
      if (!app.active) {
        begin(app);
        continue;
      }
      learn(seen, app);
      frames += apps_[app.index].frames;
      bad += apps_[app.index].bad;
    }
    if (frames < p_.window) return;
    const bool switched = p_.switching && switch_subnet(seen, frames, bad, decision);
    if (switched)
      now_ = base_, trial_ = kBase;
    else if (p_.tune)
      search(ux_cost());
    for (const AppView& app : seen.applications) begin(app);
  }

 private:
  struct Score {
    bool open = false;
    double value = 0;
  };
  // An application since the window began.
  struct App {
    int first_subnet = 0;
    std::uint64_t completed = 0, missed = 0, dropped = 0;  // when it began
    std::uint64_t learnt = 0;                              // samples, as each_new_sample counts
    double frames = 0, bad = 0;
    double energy_share = 0, energies = 0;  // sum over samples, and of how many
    double latency_ms = 0, latencies = 0;
  };
  struct Weights {
    double alpha, beta;
    bool operator==(const Weights&) const = default;
  };
  static constexpr int kBase = -1, kDirections = 4;  // of what a window is run with
  static constexpr double kGreatestWeight = 2;

  void score(const Observation& seen, const Vacancy& vacancy, std::size_t index) {
    const Claim& claim = vacancy.claims[index];
    const std::size_t units = vacancy.free_in_ms.size();
    double latencies_ms = 0, energies_mj = 0, covered = 0;
    for (std::size_t u = 0; u < units; ++u) {
      const Profile::Entry table = whole_on(seen, claim, static_cast<int>(u));
      if (table.latency_ms > 0) latencies_ms += table.latency_ms, ++covered;
      if (table.energy_mj > 0) energies_mj += table.energy_mj;
    }
    const double mean_ms = quotient(latencies_ms, covered);
    const double slack_ms = claim.slack_ms(seen.now);
    double urgency = p_.urgency_limit;
    if (claim.deadline == kNever)
      urgency = 0;
    else if (slack_ms > 0)
      urgency = std::min(urgency, share_left(claim) * mean_ms / slack_ms);
    const double next_share = claim.block_share > 0 ? claim.block_share : 1;
    const double starvation = quotient(claim.idle_ms(seen.now), next_share * mean_ms);
    for (std::size_t u = 0; u < units; ++u) {
      const bool asked = static_cast<int>(u) == vacancy.unit;
      if (!vacancy.may(index, u) || (!asked && vacancy.free_in_ms[u] > 0)) continue;
      const Profile::Entry table = whole_on(seen, claim, static_cast<int>(u));
      const double value = urgency * quotient(latencies_ms, table.latency_ms) + now_.alpha * starvation +
                           now_.beta * quotient(energies_mj, table.energy_mj);
      scores_[index * units + u] = {true, std::isnan(value) ? 0 : value};
    }
  }

  // Until it could be done, if it had the best of its units next [ms]; infinite where nothing is known.
  static double earliest_ms(const Observation& seen, const Vacancy& vacancy, std::size_t index) {
    const Claim& claim = vacancy.claims[index];
    double earliest_ms = HUGE_VAL;
    for (std::size_t u = 0; u < vacancy.free_in_ms.size(); ++u) {
      if (!vacancy.may(index, u)) continue;
      const double whole_ms = whole_on(seen, claim, static_cast<int>(u)).latency_ms;
      const double free_in_ms = static_cast<int>(u) == vacancy.unit ? 0 : vacancy.free_in_ms[u];
      if (whole_ms > 0) earliest_ms = std::min(earliest_ms, free_in_ms + share_left(claim) * whole_ms);
    }
    return earliest_ms;
  }

  void begin(const AppView& app) {
    App& state = apps_[app.index];
    state = {.first_subnet = state.first_subnet,
             .completed = app.completed,
             .missed = app.missed,
             .dropped = app.dropped,
             .learnt = app.completed};
  }

  void learn(const Observation& seen, const AppView& app) {
    App& state = apps_[app.index];
    const double lost = static_cast<double>(app.dropped - state.dropped);
    state.frames = static_cast<double>(app.completed - state.completed) + lost;
    state.bad = static_cast<double>(app.missed - state.missed) + lost;
    double greatest_mj = 0;
    for (const UnitView& unit : seen.units)
      for (int subnet = 0; subnet < app.subnets; ++subnet)
        greatest_mj = std::fmax(greatest_mj, energy_mj(seen, app, subnet, unit.index));
    each_new_sample(app, state.learnt, [&](const Sample& sample) {
      state.latency_ms += sample.latency_ms, ++state.latencies;
      const double share = quotient(energy_mj(seen, app, sample.subnet, sample.unit), greatest_mj);
      if (share > 0) state.energy_share += share, ++state.energies;
    });
  }

  static double energy_mj(const Observation& seen, const AppView& app, int subnet, int unit) {
    return seen.profile->energy_mj(app.index, subnet, unit, seen.domains[seen.units[unit].domains[0]].opp);
  }
  static double latency_ms(const Observation& seen, const AppView& app, int subnet) {
    return seen.profile->latency_ms(app.index, subnet, app.unit, seen.domains[seen.units[app.unit].domains[0]].opp);
  }

  double ux_cost() const {
    double violations = 0, energy = 0;
    for (const App& app : apps_) {
      if (app.frames <= 0) continue;
      violations += (app.bad > 0 ? app.bad : 0.5) / app.frames;
      energy += app.energies > 0 ? app.energy_share / app.energies : 1;
    }
    return violations * energy;
  }

  void search(double cost) {
    if (trial_ == kBase) {
      base_cost_ = cost;
      trial_ = failed_ = 0;
    } else if (cost < base_cost_) {
      base_ = now_;
      base_cost_ = cost;
      failed_ = 0;
    } else {
      ++failed_;
      trial_ = (trial_ + 1) % kDirections;
    }
    for (; failed_ < kDirections; ++failed_, trial_ = (trial_ + 1) % kDirections) {
      now_ = base_;
      double& weight = trial_ < 2 ? now_.alpha : now_.beta;
      weight = std::clamp(weight + (trial_ % 2 == 0 ? step_ : -step_), 0.0, kGreatestWeight);
      if (now_ != base_) return;
    }
    step_ = std::max(step_ / 2, p_.step / 8);
    now_ = base_;
    trial_ = kBase;
  }

  bool switch_subnet(const Observation& seen, double frames, double bad, Decision& decision) {
    const AppView* chosen = nullptr;
    if (bad > p_.overload * frames) {
      calm_ = 0;
      for (const AppView& app : seen.applications)
        if (app.active && apps_[app.index].bad > 0 && lighter(seen, app) >= 0 &&
            (chosen == nullptr || apps_[app.index].bad > apps_[chosen->index].bad))
          chosen = &app;
      if (chosen == nullptr) return false;
      decision.set(Knob::subnet, chosen->index, lighter(seen, *chosen),
                   why(*chosen, because("overload: {} of {} frames were late or lost, {} of them its own", bad, frames,
                                        apps_[chosen->index].bad)));
      return true;
    }
    calm_ = bad <= p_.relief * frames ? calm_ + 1 : 0;
    if (calm_ < p_.calm) return false;
    for (const AppView& app : seen.applications)
      if (app.active && heavier(seen, app) >= 0 && (chosen == nullptr || below_first(app) > below_first(*chosen)))
        chosen = &app;
    if (chosen == nullptr) return false;
    decision.set(Knob::subnet, chosen->index, heavier(seen, *chosen),
                 why(*chosen, because("{} calm windows in a row: {} of the last {} frames were late or lost", calm_,
                                      bad, frames)));
    calm_ = 0;
    return true;
  }

  int below_first(const AppView& app) const { return apps_[app.index].first_subnet - app.subnet; }

  static int lighter(const Observation& seen, const AppView& app) {
    const double here_ms = latency_ms(seen, app, app.subnet);
    for (int subnet = app.subnet - 1; subnet >= 0; --subnet) {
      const double ms = latency_ms(seen, app, subnet);
      if (ms > 0 && !(ms >= here_ms) && app.accuracy[subnet] >= app.accuracy_floor) return subnet;
    }
    return -1;
  }
  int heavier(const Observation& seen, const AppView& app) const {
    for (int subnet = app.subnet + 1; subnet <= apps_[app.index].first_subnet; ++subnet)
      if (latency_ms(seen, app, subnet) > 0) return subnet;
    return -1;
  }

  // Bound by the latency target, as far as its frames of the window tell.
  Why why(const AppView& app, const Reason& reason) const {
    const App& state = apps_[app.index];
    if (app.latency_target_ms <= 0 || state.latencies <= 0) return {.reason = reason};
    const double slack_ms = app.latency_target_ms - state.latency_ms / state.latencies;
    return {.reason = reason,
            .binding = Constraint::latency,
            .slack = slack_ms,
            .margin = slack_ms / app.latency_target_ms};
  }

  Parameters p_;
  Weights now_, base_;
  double step_, base_cost_ = 0;
  int trial_ = kBase;  // the direction that is being tried
  int failed_ = 0;     // directions in a row
  int calm_ = 0;       // windows in a row
  std::vector<App> apps_;
  std::vector<Score> scores_;  // by claim, then unit
};

const Registration<Policy, Dream> registered{
    "dream",
    "DREAM: scores of frames on units, with tuned weights, smart drops and lighter sub-networks under overload",
    "our reading of DREAM (Kim et al., ASPLOS 2023), from its abstract and memory"};

}  // namespace
}  // namespace dynasoc::manager
