// edgeserving: runs next what scores highest by a Lyapunov argument: the longer an application's queue and the more of
// its frames were late before, the sooner its turn, with the batch and the early exit that pay most.
//
// Source: the released code of EdgeServing was read (its scheduler `ours_normalized`); the paper was not. The score
// below is the one that its code computes in one of its states: it changed often (other states raise the time to a
// power, or put the sum of waits in place of the batch), and its docstring describes another one, in which the whole
// score is divided by the square root of the time and accuracy is a penalty. An exit is here a sub-network.
//
// Virtual queue of application m, at every decision: Z_m <- clamp(Z_m + late - forgiven served, 0, most_debt), with the
// frames completed since the last decision and how many of them missed their deadline. Frames that were given up are
// neither, as in the artefact. It starts at 0.
//
// Score of application m with Q_m frames waiting, batch B of 1 ... min(Q_m, the most that it may) and exit e:
//     S(m, B, e) = Q_m B acc(e) / L(e, B) - Z_m viol(B, e) + forgiven Z_m B
// acc(e) is the accuracy over that of the application's most accurate exit; L(e, B) = table latency [ms] on its unit,
// times batch_factor(B), at the clock that the unit has (where a governor moves it, at the fastest that was shown, see
// sim/manager/clocks.hpp). viol(B, e) counts how many of its B oldest frames would be late, w + L(e, B) > target; 0
// without a target. The artefact knows when each arrived. What is known here is the number that wait and the age w_0 of
// the oldest: they are taken to have come evenly, frame i of Q (0 is the oldest) having waited w_0 (Q - i) / Q. When
// the decision is about a frame of another application, w_0 is what it was when last told, and the time since then.
//
// As a policy it decides at each arrival and completion: for each application with frames waiting and none in service
// (arrived <= completed + dropped + waiting) it writes the exit and batch of its highest score; of equals the first by
// exit, the smaller, and then by batch, as the artefact's loops go. Exits that the tables do not cover are left out.
// As a scheduler it picks, when a unit is free, the application whose score is highest as it would run: its exit in
// force, B = the frames that ask together, Q = those and the ones that wait behind them, and w_0 of the oldest of
// them; of equals the first in the scenario. If a queue is
// longer than `longest_queue`, only those of the greatest length are looked at. An inference that has begun is finished
// first, for the artefact never interrupts one; one whose time is not known comes last.
//
// The search is charged where the artefact has it, between two inferences: the unit stands still for `cost_us` before
// each. Switching exits is free in the artefact; here it costs what the network's file says. It knows no accuracy
// floor, no budget and no battery, and does not learn from measured times.
#include <cmath>
#include <vector>

#include "manager/clocks.hpp"
#include "manager/policy.hpp"

namespace dynasoc::manager {
namespace {

class EdgeServing final : public Policy, public Scheduler {
 public:
  struct Parameters {
    double forgiven = 0.05;
    double most_debt = 1000;
    int longest_queue = 10;
    double cost_us = 100;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(field(&P::forgiven, "forgiven", range(0, 1), "share of the frames served that may be late"),
                      field(&P::most_debt, "most_debt", range(0, 1e6), "where a virtual queue ends [late frames]"),
                      field(&P::longest_queue, "longest_queue", range(0, 1e6),
                            "frames waiting beyond which only the longest queue is looked at"),
                      field(&P::cost_us, "cost_us", non_negative(),
                            "compute time of one choice, during which the unit waits (assumed)"));
    }
  };
  explicit EdgeServing(const Parameters& parameters) : p_(parameters) {}

  Triggers triggers() const override { return {.arrival = true, .completion = true}; }
  Scheduler* scheduler() override { return this; }
  double pick_cost_us() const override { return p_.cost_us; }

  void decide(const Observation& seen, Decision& decision) override {
    states_.resize(seen.applications.size());
    clocks_.refresh(seen, false);
    const bool frame = seen.trigger == Trigger::arrival || seen.trigger == Trigger::completion;
    for (const AppView& app : seen.applications) {
      State& state = states_[app.index];
      count(app, state);
      if (!frame || app.index == seen.subject) state.oldest = seen.now - from_ms(app.oldest_wait_ms);
      const bool in_service = app.arrived > app.completed + app.dropped + app.waiting;
      if (app.active && app.waiting > 0 && !in_service) choose(seen, app, state, decision);
    }
  }

  int pick(const Observation& seen, const Vacancy& vacancy) override {
    states_.resize(seen.applications.size());
    clocks_.refresh(seen, false);
    int longest = 0;
    for (std::size_t i = 0; i < vacancy.claims.size(); ++i) {
      if (!vacancy.may(i, vacancy.unit)) continue;
      if (vacancy.claims[i].started) return static_cast<int>(i);
      longest = std::max(longest, queue(seen.applications[vacancy.claims[i].app], vacancy.claims[i]));
    }
    int best = -1;
    double best_score = 0;
    for (std::size_t i = 0; i < vacancy.claims.size(); ++i) {
      const Claim& claim = vacancy.claims[i];
      const AppView& app = seen.applications[claim.app];
      const int waiting = queue(app, claim);
      if (!vacancy.may(i, vacancy.unit) || (longest > p_.longest_queue && waiting < longest)) continue;
      const int batch = claim.frames;
      const double alone_ms =
          seen.profile->latency_ms(app.index, claim.subnet, vacancy.unit, clocks_.opp(vacancy.unit));
      Score its =
          score(app, states_[app.index], claim.subnet, batch, waiting, to_ms(seen.now - claim.arrival), alone_ms);
      if (!std::isfinite(its.value)) its.value = -HUGE_VAL;
      if (best < 0 || its.value > best_score || (its.value == best_score && claim.app < vacancy.claims[best].app)) {
        best = static_cast<int>(i);
        best_score = its.value;
      }
    }
    return best;
  }

 private:
  struct State {
    double debt = 0;  // Z
    std::uint64_t completed = 0, missed = 0;
    Time oldest = 0;  // arrival of its oldest waiting frame
  };
  struct Score {
    double value = -HUGE_VAL;
    double ms = 0;
    int late = 0;
  };

  void count(const AppView& app, State& state) const {
    const double served = static_cast<double>(app.completed - std::min(state.completed, app.completed));
    const double late = static_cast<double>(app.missed - std::min(state.missed, app.missed));
    state.debt = std::clamp(state.debt + late - p_.forgiven * served, 0.0, p_.most_debt);
    state.completed = app.completed;
    state.missed = app.missed;
  }

  static int queue(const AppView& app) {
    constexpr std::uint32_t kMost = 1'000'000'000;
    return static_cast<int>(std::clamp<std::uint32_t>(app.waiting, 1, kMost));
  }

  // With the frames that ask, which wait no longer in their application's queue.
  static int queue(const AppView& app, const Claim& claim) {
    constexpr std::uint32_t kMost = 1'000'000'000;
    return static_cast<int>(std::min(app.waiting, kMost)) + claim.frames;
  }

  static double relative_accuracy(const AppView& app, int subnet) {
    const double most = *std::max_element(app.accuracy.begin(), app.accuracy.end());
    return most > 0 ? app.accuracy[subnet] / most : 1;
  }

  Score score(const AppView& app, const State& state, int subnet, int batch, int waiting, double oldest_ms,
              double alone_ms) const {
    Score out{.ms = alone_ms * app.batch_factor(batch)};
    if (!(out.ms > 0)) return out;
    // Waits fall from the oldest to the newest: those that would be late are the first ones.
    if (app.latency_target_ms > 0)
      while (out.late < batch && oldest_ms * (waiting - out.late) / waiting + out.ms > app.latency_target_ms)
        ++out.late;
    out.value = 1.0 * waiting * batch * relative_accuracy(app, subnet) / out.ms - state.debt * out.late +
                p_.forgiven * state.debt * batch;
    return out;
  }

  void choose(const Observation& seen, const AppView& app, const State& state, Decision& decision) const {
    const int waiting = queue(app), most = std::min(waiting, std::max(1, app.most_batch));
    const int opp = clocks_.opp(app.unit);
    const double oldest_ms = std::max(0.0, to_ms(seen.now - state.oldest));
    Score best;
    int subnet = -1, batch = 1;
    for (int e = 0; e < app.subnets; ++e) {
      const Profile::Entry table = seen.profile->entry(app.index, e, app.unit, opp);
      if (!(table.latency_ms > 0)) continue;
      for (int b = 1; b <= most; ++b) {
        const Score its = score(app, state, e, b, waiting, oldest_ms, table.latency_ms);
        if (!std::isfinite(its.value)) continue;
        if (seen.explain)
          decision.candidates.push_back({app.index, e, app.unit, opp, its.ms, app.accuracy[e],
                                         table.energy_mj * app.batch_factor(b) / b, its.late == 0});
        if (subnet < 0 || its.value > best.value) best = its, subnet = e, batch = b;
      }
    }
    if (subnet < 0 || (subnet == app.subnet && batch == app.batch)) return;
    Why why{.reason = because("score {} with {} waiting and a debt of {}; {} of the batch would be late", best.value,
                              waiting, state.debt, best.late)};
    if (app.latency_target_ms > 0) {
      why.binding = Constraint::latency;
      why.slack = app.latency_target_ms - oldest_ms - best.ms;
      why.margin = why.slack / app.latency_target_ms;
    }
    if (subnet != app.subnet) decision.set(Knob::subnet, app.index, subnet, why);
    if (batch != app.batch) decision.set(Knob::batch, app.index, batch, why);
  }

  Parameters p_;
  ReferenceClocks clocks_;
  std::vector<State> states_;  // by application
};

const Registration<Policy, EdgeServing> registered{
    "edgeserving", "a Lyapunov scheduler: application, batch and early exit of the highest score run next",
    "EdgeServing: the released code was read, the paper was not"};

}  // namespace
}  // namespace dynasoc::manager
