// ucb: a bandit: each frame tries a configuration of the ladder, and those that paid are tried more often.
//
// Source: own definition; the bound is UCB1's (Auer, Cesa-Bianchi, Fischer: Finite-time analysis of the multiarmed
// bandit problem, Machine Learning 47, 2002), from memory.
//
// When a frame is done, its reward goes to the arm chosen for it in the context of that choice; a frame that ran on
// another sub-network or unit than the arm's is not counted. A choice is kept for `hold` completions.
//   reward = 1 - (w_energy e + w_miss [late] + w_accuracy (a_max - a) / (a_max - a_min)) / (sum of the weights)
//   e = min(1, table energy x service time / table latency / the ladder's greatest energy)
//   context = min(frames waiting, backlog_bins - 1), and whether the hottest node has reached 0, 1 or 2 of warm_c,
//   hot_c
// Only the last `window` rewards of an application, of all contexts together, are remembered; those of configurations
// that are no arm now do not count. Then it chooses for the next frame, with n rewards of an arm in the present
// context, their mean m and N rewards of all arms in it:
//   ucb1      an arm never tried here, the fastest first; else the greatest m + exploration sqrt(2 ln N / n)
//   thompson  the greatest draw from a normal distribution of mean (0.5 + n m) / (n + 1) and deviation
//             spread / sqrt(n + 1): one made-up reward of 0.5 is the prior
// of equals the faster. Arms are the rungs of the ladder (sim/manager/ladder.hpp), at most `arms` of them, evenly
// spaced with both ends: rung round(k (n-1) / (arms-1)). The ladder keeps the accuracy floor and the budgets. It has no
// other model: while it explores, targets are missed. Without `dvfs` clocks are left to governors, and an arm is a
// sub-network on a unit; with it, a clock that applications share runs as fast as the most demanding asks.
#include <array>
#include <cmath>
#include <vector>

#include "kernel/random.hpp"
#include "manager/ladder.hpp"
#include "manager/policy.hpp"

namespace dynasoc::manager {
namespace {

enum class Bandit : std::uint8_t { ucb1, thompson };

}  // namespace
}  // namespace dynasoc::manager

template <>
struct dynasoc::EnumNames<dynasoc::manager::Bandit> {
  static constexpr std::array<std::pair<std::string_view, dynasoc::manager::Bandit>, 2> names{
      {{"ucb1", dynasoc::manager::Bandit::ucb1}, {"thompson", dynasoc::manager::Bandit::thompson}}};
};

namespace dynasoc::manager {
namespace {

class Ucb final : public Policy {
 public:
  struct Parameters {
    Bandit variant = Bandit::ucb1;
    double exploration = 0.2;
    double spread = 0.5;
    int hold = 1;
    int window = 200;
    int arms = 12;
    int backlog_bins = 3;
    double warm_c = 60;
    double hot_c = 75;
    double w_energy = 0.2;
    double w_miss = 1;
    double w_accuracy = 0.5;
    std::int64_t seed = 1;
    bool dvfs = false;
    bool mapping = false;
    double cost_us = 20;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(
          field(&P::variant, "variant",
                "ucb1: upper confidence bounds; thompson: draws from what is believed of each arm"),
          field(&P::exploration, "exploration", range(0, 100),
                "weight of the confidence bound; 1 is the published one, which in a window never stops trying (ucb1)"),
          field(&P::spread, "spread", range(0, 100), "deviation of a belief without rewards (thompson)"),
          field(&P::hold, "hold", range(1, 100000), "frames for which a choice is kept"),
          field(&P::window, "window", range(1, 10000), "frames remembered"),
          field(&P::arms, "arms", range(2, 100), "configurations to choose from, at most"),
          field(&P::backlog_bins, "backlog_bins", range(1, 100), "backlogs told apart: 0, 1, … and more"),
          field(&P::warm_c, "warm_c", range(-50, 200), "hottest node from which on the board counts as warm"),
          field(&P::hot_c, "hot_c", range(-50, 200), "from which on it counts as hot"),
          field(&P::w_energy, "w_energy", range(0, 1e6), "weight of energy in the reward"),
          field(&P::w_miss, "w_miss", range(0, 1e6), "weight of a late frame"),
          field(&P::w_accuracy, "w_accuracy", range(0, 1e6), "weight of accuracy that is left unused"),
          field(&P::seed, "seed", range(0, 1e15), "of the draws (thompson)"),
          field(&P::dvfs, "dvfs", "choose the clock of the application's unit too"),
          field(&P::mapping, "mapping", "choose the unit too"),
          field(&P::cost_us, "cost_us", non_negative(), "compute time of one decision (assumed)"));
    }
  };
  explicit Ucb(const Parameters& parameters) : p_(parameters) {}

  Triggers triggers() const override { return {.completion = true}; }
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
      learn(seen, app, state);
      const bool moved = state.climber.follow(seen, app, clocks_, {p_.dvfs, p_.mapping});
      if (state.climber.index() < 0) continue;
      const bool own = seen.trigger != Trigger::completion || app.index == seen.subject;
      if (!state.chosen || (own && ++state.held >= p_.hold))
        choose(seen, app, state);
      else if (moved)  // between its own frames it only keeps to what there is
        state.why.reason = because("rung {} of {}, {} ms, is the nearest to what it was on", state.climber.index(),
                                   state.climber.ladder().size(), state.climber.rung().latency_ms);
      state.climber.write(seen, app, state.why, decision, p_.dvfs ? &votes_ : nullptr);
    }
    if (p_.dvfs) votes_.write(seen, decision);
  }

 private:
  // A configuration in a context; `opp` is -1 where the clock is not chosen.
  struct Pull {
    int context = 0;
    int subnet = -1;
    int unit = -1;
    int opp = -1;
    double reward = 0;
  };
  struct State {
    Climber climber;
    std::vector<Pull> window;  // a ring
    std::size_t oldest = 0;
    Pull last;
    bool chosen = false;  // `last` means something
    int held = 0;         // completions since
    std::uint64_t learnt = 0, draws = 0;
    Stream stream;
    Why why;
  };

  void learn(const Observation& seen, const AppView& app, State& state) const {
    each_new_sample(app, state.learnt, [&](const Sample& sample) {
      if (!state.chosen || sample.subnet != state.last.subnet || sample.unit != state.last.unit) return;
      const Ladder& ladder = state.climber.ladder();
      const double weights = p_.w_energy + p_.w_miss + p_.w_accuracy;
      double cost = sample.missed ? p_.w_miss : 0;
      const double span = ladder.greatest_accuracy() - ladder.least_accuracy();
      if (span > 0) cost += p_.w_accuracy * (ladder.greatest_accuracy() - app.accuracy[sample.subnet]) / span;
      const int opp = state.last.opp >= 0 ? state.last.opp : clocks_.opp(sample.unit);
      const double energy_mj = seen.profile->energy_mj(app.index, sample.subnet, sample.unit, opp);
      const double ratio = clocks_.slowdown(seen, app, sample, p_.dvfs);
      const double share = energy_mj * (ratio > 0 ? ratio : 1) / ladder.greatest_energy_mj();
      if (std::isfinite(share)) cost += p_.w_energy * std::clamp(share, 0.0, 1.0);
      Pull pull = state.last;
      pull.reward = weights > 0 ? std::clamp(1 - cost / weights, 0.0, 1.0) : 1;
      if (state.window.size() < static_cast<std::size_t>(p_.window)) {
        if (state.window.capacity() < static_cast<std::size_t>(p_.window)) state.window.reserve(p_.window);
        state.window.push_back(pull);
      } else {
        state.window[state.oldest] = pull;
        state.oldest = (state.oldest + 1) % state.window.size();
      }
    });
  }

  int context(const Observation& seen, const AppView& app) const {
    double hottest_c = -HUGE_VAL;
    for (const double c : seen.temperatures_c)
      if (c > hottest_c) hottest_c = c;
    const int warmth = (hottest_c >= p_.warm_c) + (hottest_c >= p_.hot_c);
    const int backlog = static_cast<int>(std::min<std::uint32_t>(app.waiting, p_.backlog_bins - 1));
    return warmth * p_.backlog_bins + backlog;
  }

  void choose(const Observation& seen, const AppView& app, State& state) {
    if (!state.chosen) state.stream = Stream(static_cast<std::uint64_t>(p_.seed), app.name);
    const Ladder& ladder = state.climber.ladder();
    const int here = context(seen, app);
    const int count = std::min(p_.arms, ladder.size());
    arms_.assign(static_cast<std::size_t>(count), {});
    double all = 0;
    for (int k = 0; k < count; ++k) {
      Arm& arm = arms_[k];
      arm.rung = count > 1 ? static_cast<int>(std::floor(k * (ladder.size() - 1.0) / (count - 1) + 0.5)) : 0;
      const Rung& rung = ladder[arm.rung];
      for (const Pull& pull : state.window)
        if (pull.context == here && pull.subnet == rung.subnet && pull.unit == rung.unit &&
            pull.opp == (p_.dvfs ? rung.opp : -1))
          ++arm.count, arm.sum += pull.reward;
      all += arm.count;
    }
    const Arm* best = nullptr;
    double best_score = 0;
    for (const Arm& arm : arms_) {
      double score;
      if (p_.variant == Bandit::thompson)
        score = (0.5 + arm.sum) / (arm.count + 1) +
                p_.spread / std::sqrt(arm.count + 1) * state.stream.normal(state.draws++);
      else
        score =
            arm.count > 0 ? arm.sum / arm.count + p_.exploration * std::sqrt(2 * std::log(all) / arm.count) : HUGE_VAL;
      if (best == nullptr || score > best_score) best = &arm, best_score = score;
    }
    state.climber.put(best->rung);
    const Rung& rung = state.climber.rung();
    state.last = {here, rung.subnet, rung.unit, p_.dvfs ? rung.opp : -1, 0};
    state.chosen = true;
    state.held = 0;
    if (best->count > 0 || p_.variant == Bandit::thompson)
      state.why.reason = because("score {} of {} arms: mean reward {} of {} frames", best_score, count,
                                 best->count > 0 ? best->sum / best->count : 0.5, best->count);
    else
      state.why.reason = because("rung {} of {} was never tried in this context", best->rung, ladder.size());
  }

  struct Arm {
    int rung = 0;
    double count = 0, sum = 0;
  };

  Parameters p_;
  std::vector<State> states_;
  std::vector<Arm> arms_;
  ReferenceClocks clocks_;
  ClockVotes votes_;
};

const Registration<Policy, Ucb> registered{
    "ucb", "a bandit over the ladder of configurations, rewarded for energy, punctuality and accuracy",
    "own definition; UCB1 from memory of Auer et al., Machine Learning 2002"};

}  // namespace
}  // namespace dynasoc::manager
