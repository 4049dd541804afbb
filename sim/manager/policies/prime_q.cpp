// prime-q: Q-learning of clocks from the work predicted of a frame and the slack of the last: a table learnt in the
// loop, as in the runtime managers built on the PRiME framework.
//
// Source: our reading of the Q-learning managers of PRiME; of the code only its skeleton was read, the law is from
// memory, so this is not called faithful. State (work, slack), action (operating point) and the size of the table,
// about 10 by 25, are the skeleton's; what the bins mean, the reward's shape and all numbers are ours.
//
// Each application has a table Q(s, a) of `cycle_bins` x `slack_bins` states and the OPPs of its unit's first domain,
// of zeros or from `table`. When an inference of it is done, with the latency target T and f the clock of its unit now:
//   work    cycles of one frame, w = service time / frames of its batch x f; mean w += smoothing (w - mean), the first
//           as it is
//   slack   x = 1 - latency / T, at least -1
//   state   row slack_bins i + j, i = floor(mean / (T f_max) cycle_bins): the share of T that the frame takes at the
//           highest clock of the ladder; j = floor((x + 1) / 2 slack_bins); both at most the last bin
//   reward  -1 if x < 0, else 1 - x: just in time is best
//   update  Q(s, a) += learning_rate (r + gamma max Q(s', .) - Q(s, a)), where s is the state after the inference
//           before, s' the state now and a the clock in effect now, whoever asked for it; not after the first. The
//           maximum is over the clocks that limits allow now.
// Then it asks for a clock: with probability epsilon any that limits allow, else the one of the greatest Q(s', .), of
// equals the fastest; then epsilon = max(epsilon_least, epsilon_decay epsilon), each application for itself.
// Inferences that ended since the last decision are learnt from one by one, then one choice is made. Without `learn`
// the table stays and epsilon is 0.
//
// Until an inference of it has ended, an application asks for the highest clock; without a latency target always, and
// what ends then is passed over, so that the next with a target counts as the first (the mean stays). So is what ended
// on another unit than the application's. An application that is moved to a unit with another ladder begins with zeros.
// What another application does to a clock during a frame falsifies w and the reward; a clock shared by several runs as
// fast as the most demanding asks. Sub-networks and units stay.
//
// Draws: Stream(seed, application), in order; each choice takes one for u < epsilon and, if so, one for
// first + floor(u n) of n clocks.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernel/random.hpp"
#include "manager/clocks.hpp"
#include "manager/policy.hpp"

namespace dynasoc::manager {
namespace {

class PrimeQ final : public Policy {
 public:
  struct Parameters {
    int cycle_bins = 2;
    int slack_bins = 5;
    double smoothing = 0.2;
    double learning_rate = 0.25;
    double gamma = 0.5;
    double epsilon = 1;
    double epsilon_decay = 0.98;
    double epsilon_least = 0.01;
    bool learn = true;
    Named<std::vector<std::vector<double>>> table;
    std::int64_t seed = 1;
    double cost_us = 10;
    Where where;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(
          field(&P::cycle_bins, "cycle_bins", range(1, 100), "amounts of work told apart"),
          field(&P::slack_bins, "slack_bins", range(1, 100),
                "slacks told apart, from one target too late to none used"),
          field(&P::smoothing, "smoothing", range(0.001, 1), "weight of a new measurement in the predicted work"),
          field(&P::learning_rate, "learning_rate", range(0, 1), "share of an error that is learnt at once"),
          field(&P::gamma, "gamma", range(0, 1), "discount of rewards to come"),
          field(&P::epsilon, "epsilon", range(0, 1), "probability of a clock at random, at first"),
          field(&P::epsilon_decay, "epsilon_decay", range(0, 1), "factor on it at each decision"),
          field(&P::epsilon_least, "epsilon_least", range(0, 1), "where its decay ends"),
          field(&P::learn, "learn", "learn in the loop; off, the table is used as it is and nothing is tried out"),
          field(&P::table, "table",
                "values to begin with, by application: a row for each state (all slacks of the least work first), in "
                "it a number for each operating point, slowest first"),
          field(&P::seed, "seed", range(0, 1e15), "of the draws"),
          field(&P::cost_us, "cost_us", non_negative(), "compute time of one decision (assumed)"));
    }
  };
  explicit PrimeQ(const Parameters& parameters) : p_(parameters) {}

  Triggers triggers() const override { return {.completion = true}; }
  double compute_cost_us() const override { return p_.cost_us; }

  void decide(const Observation& seen, Decision& decision) override {
    if (states_.size() != seen.applications.size()) begin(seen);
    votes_.reset(seen);
    for (const AppView& app : seen.applications) {
      State& state = states_[app.index];
      if (!app.active) {
        state.learnt = app.completed;
        continue;
      }
      const UnitView& unit = seen.units[app.unit];
      const OppRange range = opp_range(seen, unit);
      fit(seen, unit, state);
      if (!(app.latency_target_ms > 0)) {
        state.learnt = app.completed;
        state.row = -1;  // what was measured without a target says nothing of what is done with one
        state.opp = range.last;
        state.why = {.reason = because("no latency target: the highest clock, {} MHz", mhz(seen, unit, range.last))};
      } else if (learn(seen, app, unit, range, state)) {
        choose(app, range, state);
      } else if (state.row < 0) {
        state.opp = range.last;
        state.why = {.reason =
                         because("nothing is measured yet: the highest clock, {} MHz", mhz(seen, unit, range.last))};
      }
      votes_.vote(unit, std::clamp(state.opp, range.first, range.last), state.why);
    }
    votes_.write(seen, decision);
    if (seen.explain) explain(seen, decision);
  }

  /// What it has learnt, as its parameters take it.
  Json learnt() const override {
    Json tables = Json::object();
    for (const State& state : states_) {
      Json& rows = tables[state.name] = Json::array();
      for (std::size_t at = 0; at < state.values.size(); at += static_cast<std::size_t>(state.opps))
        rows.push_back(std::vector<double>(state.values.begin() + static_cast<std::ptrdiff_t>(at),
                                           state.values.begin() + static_cast<std::ptrdiff_t>(at) + state.opps));
    }
    return {{"table", std::move(tables)}};
  }

 private:
  struct State {
    std::string name;
    int opps = 0;                // columns
    std::vector<double> values;  // by state, then by OPP
    double work = 0;             // predicted of a frame [ms MHz]; 0 = nothing is measured
    int row = -1;                // state after the last inference; -1 before the first
    double slack = 0;            // share of the target
    double slack_ms = 0;
    double reward = 0;
    int opp = 0;  // asked for
    double epsilon = 0;
    std::uint64_t learnt = 0, draws = 0;
    Stream stream;
    Why why;
  };

  int rows() const { return p_.cycle_bins * p_.slack_bins; }
  static double mhz(const Observation& seen, const UnitView& unit, int opp) {
    return seen.domains[unit.domains[0]].opps_mhz[opp];
  }

  void begin(const Observation& seen) {
    states_.assign(seen.applications.size(), {});
    std::vector<std::string> names;
    for (const AppView& app : seen.applications) {
      State& state = states_[app.index];
      names.push_back(app.name);
      state.name = app.name;
      state.epsilon = p_.learn ? p_.epsilon : 0;
      state.stream = Stream(static_cast<std::uint64_t>(p_.seed), app.name);
      fit(seen, seen.units[app.unit], state);
    }
    for (const auto& [name, table] : p_.table) {
      const auto at = std::find(names.begin(), names.end(), name);
      if (at == names.end())
        throw(p_.where / "table").error("no application is called " + in_quotes(name) + hint(name, names));
      State& state = states_[static_cast<std::size_t>(at - names.begin())];
      if (table.size() != static_cast<std::size_t>(rows()))
        throw(p_.where / "table" / name)
            .error("has " + std::to_string(table.size()) + " rows, but there are " + std::to_string(rows()) +
                   " states");
      auto to = state.values.begin();
      for (std::size_t row = 0; row < table.size(); ++row) {
        if (table[row].size() != static_cast<std::size_t>(state.opps))
          throw(p_.where / "table" / name / row)
              .error("has " + std::to_string(table[row].size()) + " numbers, but its unit has " +
                     std::to_string(state.opps) + " operating points");
        to = std::copy(table[row].begin(), table[row].end(), to);
      }
    }
  }

  // A table as wide as the unit's ladder.
  void fit(const Observation& seen, const UnitView& unit, State& state) const {
    const auto opps = static_cast<int>(seen.domains[unit.domains[0]].opps_mhz.size());
    if (opps == state.opps) return;
    state.opps = opps;
    state.values.assign(static_cast<std::size_t>(rows() * opps), 0);
    state.row = -1;
    state.work = 0;
  }

  static int bin(double share, int bins) {
    return static_cast<int>(std::clamp(std::floor(share * bins), 0.0, bins - 1.0));
  }

  // The best of a row, of equals the fastest.
  static int best(const State& state, int row, const OppRange& range) {
    const double* values = state.values.data() + row * state.opps;
    int out = range.last;
    for (int opp = range.last - 1; opp >= range.first; --opp)
      if (values[opp] > values[out]) out = opp;
    return out;
  }

  // From what ended since the last look; tells whether anything did.
  bool learn(const Observation& seen, const AppView& app, const UnitView& unit, const OppRange& range,
             State& state) const {
    bool any = false;
    const DomainView& domain = seen.domains[unit.domains[0]];
    const int used = std::clamp(domain.opp, range.first, range.last);
    each_new_sample(app, state.learnt, [&](const Sample& sample) {
      if (sample.unit != app.unit || !std::isfinite(sample.latency_ms) || !std::isfinite(sample.service_ms)) return;
      any = true;
      const double work = sample.service_ms / std::max(1, sample.batch) * domain.opps_mhz[domain.opp];
      state.work = state.work > 0 ? state.work + p_.smoothing * (work - state.work) : work;
      state.slack_ms = app.latency_target_ms - sample.latency_ms;
      state.slack = std::max(-1.0, state.slack_ms / app.latency_target_ms);
      state.reward = state.slack < 0 ? -1 : 1 - state.slack;
      const double share = state.work / (app.latency_target_ms * domain.opps_mhz.back());
      const int row = p_.slack_bins * bin(share, p_.cycle_bins) + bin((state.slack + 1) / 2, p_.slack_bins);
      if (p_.learn && state.row >= 0) {
        double& value = state.values[state.row * state.opps + used];
        const double next = state.values[row * state.opps + best(state, row, range)];
        value += p_.learning_rate * (state.reward + p_.gamma * next - value);
      }
      state.row = row;
    });
    return any;
  }

  void choose(const AppView& app, const OppRange& range, State& state) const {
    const bool tried = state.stream.uniform(state.draws++) < state.epsilon;
    if (tried)
      state.opp = range.first + static_cast<int>(state.stream.uniform(state.draws++) * (range.last - range.first + 1));
    else
      state.opp = best(state, state.row, range);
    state.why = {.reason = tried
                               ? because("slack {} ms, state {}: operating point {} is tried out, epsilon is {}",
                                         state.slack_ms, state.row, state.opp, state.epsilon)
                               : because("slack {} ms, state {}: operating point {} is worth most, {}", state.slack_ms,
                                         state.row, state.opp, state.values[state.row * state.opps + state.opp]),
                 .binding = Constraint::latency,
                 .slack = state.slack_ms,
                 .margin = state.slack_ms / app.latency_target_ms};
    if (p_.learn) state.epsilon = std::max(p_.epsilon_least, state.epsilon * p_.epsilon_decay);
  }

  void explain(const Observation& seen, Decision& decision) const {
    for (const AppView& app : seen.applications) {
      if (!app.active) continue;
      const OppRange range = opp_range(seen, seen.units[app.unit]);
      for (int opp = range.first; opp <= range.last; ++opp) {
        const Profile::Entry table = seen.profile->entry(app.index, app.subnet, app.unit, opp);
        if (table.latency_ms > 0)
          decision.candidates.push_back({app.index, app.subnet, app.unit, opp, table.latency_ms,
                                         app.accuracy[app.subnet], table.energy_mj,
                                         app.latency_target_ms <= 0 || table.latency_ms <= app.latency_target_ms});
      }
    }
  }

  Parameters p_;
  std::vector<State> states_;
  ClockVotes votes_;
};

const Registration<Policy, PrimeQ> registered{
    "prime-q", "Q-learning of clocks from predicted work and slack, a table for each application",
    "our reading of the Q-learning managers of PRiME; skeleton read, law from memory"};

}  // namespace
}  // namespace dynasoc::manager
