// neuos: after each inference, the clock that makes up for time lost or gives back time won, and a lighter sub-network
// the further behind all applications are: NeuOS' two laws, an inference taken for a layer.
//
// Source: NeuOS (Bateni, Liu, USENIX ATC 2020), our reading of the rules of its released code,
// which was not at hand; what is our own is marked (ours). A layer of the code is an inference here, for a manager is
// asked when inferences end, and a DNN instance with its period is a job of N = `job_inferences` inferences of one
// application. What is taken over: the account s, the speed-up needed, the history of speed-ups, the steps of the clock
// with uncertainty and priority, the priority of the cohort, and the formula of the approximation. What could not be:
// decisions between layers, the low-rank form of a layer (a lighter sub-network stands for it), how the code classes a
// layer's uncertainty, and its table of settings (the ladder of the unit's clock stands for it, in per cent).
//
// For an application with the latency target T, let e be the table latency of its sub-network at the highest clock that
// limits allow. A job begins with s = N T - N e and k = 0. Each inference that has ended and took m = service time /
// batch factor changes, in this order,
//   corrected  s += e - m: s is the time to spare
//   artefact   s += m - e: the code begins with time to spare and goes on as if it were lateness, so that a slow
//              inference slows down
//   k += 1; at k = N a new job begins.
// When e changes, before that, s += (N - k) (e before - e): s stays what is not expected to be used (ours). A job
// begins anew with another target, and an application all anew on another unit or when it starts. With d = (N - k) e,
//   speed-up needed = d / (d + s), 7 where d + s <= 0 or it would be more,
// of the speed at the highest clock (ours): corrected, expected time left over time left.
//   history: an inference that ran at speed-up (its table latency at the highest clock) / m leaves the OPP in effect in
//   bin floor(10 speed-up), at most 70; newer ones replace older (bins ours). If bin ceil(10 needed) has one, that is
//   asked for, within the limits;
//   else x moves, the application's place between the lowest (0) and the highest clock (100) that limits allow, which
//   is kept as a number and not rounded to an OPP, so that small steps add up. It begins with the OPP in effect, and
//   after one taken from the history with that (0 where limits leave a single one):
//     s < 0              x + 100 / U
//     s >= 0 and U > 3   p x - 10 / U
//     s >= 0 and U <= 3  p x + 100 / U
//   at least 0, at most 100; the nearest OPP is asked for, of equals the faster.
// Bins are taken with 1e-9 in favour of a whole number, A* and U below too.
//   U   floor(1 / deviation), 1 to 10, 1 before anything is measured: the larger, the better known (ours); deviation is
//       the mean of |service time - table latency at its clocks| / that table latency, the first as it is, then with
//       weight `smoothing`
//   p   1 + LAG / `lag_scale_ms`, at least 0. The LAG of an application is the latency of its last inference - T,
//       positive when late (ours: the code's sign is not the same everywhere, and its jobs end with a period); LAG is
//       the greatest, least or mean of the active applications with a target that have ended an inference (`lag`)
//   A*  ceil(p min + (1 - p) max), min being the first sub-network that meets the accuracy floor (the first of all if
//       none does) and max the last; within them. It is the sub-network written, or the nearest lighter one down to min
//       that the tables cover, or none: on time or late the lightest, `lag_scale_ms` early the heaviest. The code uses
//       low-rank layers while A* < what is left of max, which is the same choice spread over an instance's layers
//
// It decides for an application when an inference of it has ended on its unit; all that has ended is booked before
// anything is decided. Clocks shared by applications run as fast as the most demanding asked last. At the start nothing
// is written. An application without a target, or that the tables do not cover, is left as it is.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "manager/clocks.hpp"
#include "manager/policy.hpp"

namespace dynasoc::manager {
namespace {

enum class Variant : std::uint8_t { artefact, corrected };
enum class Lag : std::uint8_t { max, min, mean };

}  // namespace
}  // namespace dynasoc::manager

template <>
struct dynasoc::EnumNames<dynasoc::manager::Variant> {
  static constexpr std::array<std::pair<std::string_view, dynasoc::manager::Variant>, 2> names{
      {{"artefact", dynasoc::manager::Variant::artefact}, {"corrected", dynasoc::manager::Variant::corrected}}};
};
template <>
struct dynasoc::EnumNames<dynasoc::manager::Lag> {
  static constexpr std::array<std::pair<std::string_view, dynasoc::manager::Lag>, 3> names{
      {{"max", dynasoc::manager::Lag::max},
       {"min", dynasoc::manager::Lag::min},
       {"mean", dynasoc::manager::Lag::mean}}};
};

namespace dynasoc::manager {
namespace {

class NeuOs final : public Policy {
 public:
  struct Parameters {
    Variant variant = Variant::corrected;
    Lag lag = Lag::mean;
    int job_inferences = 8;
    double lag_scale_ms = 30;
    double smoothing = 0.2;
    bool approximate = true;
    double cost_us = 10;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(
          field(&P::variant, "variant",
                "artefact: time to spare is counted as lateness, as in the released code; corrected: it is not"),
          field(&P::lag, "lag",
                "of the applications, which lag makes the priority: max, min or mean (the code's modes: max accuracy, "
                "min energy, balanced)"),
          field(&P::job_inferences, "job_inferences", range(1, 10000), "inferences over which time is made up"),
          field(&P::lag_scale_ms, "lag_scale_ms", positive(), "lag that adds 1 to the priority"),
          field(&P::smoothing, "smoothing", range(0.001, 1), "weight of a new measurement in the deviation"),
          field(&P::approximate, "approximate", "choose the sub-network too"),
          field(&P::cost_us, "cost_us", non_negative(), "compute time of one decision (assumed)"));
    }
  };
  explicit NeuOs(const Parameters& parameters) : p_(parameters) {}

  Triggers triggers() const override { return {.completion = true}; }
  double compute_cost_us() const override { return p_.cost_us; }

  void decide(const Observation& seen, Decision& decision) override {
    states_.resize(seen.applications.size());
    votes_.reset(seen);
    for (const AppView& app : seen.applications) follow(seen, app, states_[app.index]);
    const double lag_ms = cohort_lag_ms();
    const double priority = std::max(0.0, 1 + lag_ms / p_.lag_scale_ms);
    for (const AppView& app : seen.applications) {
      State& state = states_[app.index];
      if (state.ended) {
        set_clock(seen, app, priority, state);
        if (p_.approximate) approximate(seen, app, lag_ms, priority, state, decision);
      }
      if (state.opp >= 0) votes_.vote(seen.units[app.unit], state.opp, state.why);
    }
    votes_.write(seen, decision);
  }

 private:
  static constexpr double kMostSpeedUp = 7, kBinsPerUnit = 10, kTolerance = 1e-9;
  static constexpr std::size_t kBins = 71;

  struct State {
    int unit = -1;           // that the rest speaks of; -1: nothing is known
    double expected_ms = 0;  // of an inference, at the highest clock
    double target_ms = 0;
    double spare_ms = 0;
    int done = 0;                      // inferences of the job
    double deviation = -1;             // below 0: nothing is measured
    double latency_ms = -1;            // of the last inference; below 0: there is none
    std::array<int, kBins> history{};  // by speed-up: operating point + 1
    std::uint64_t learnt = 0;
    bool ended = false;         // an inference has, since the last decision
    double place_percent = -1;  // between the lowest and the highest clock; below 0: not begun
    int opp = -1;               // asked for
    Why why = {};
  };

  void begin_job(State& state) const {
    state.done = 0;
    state.spare_ms = p_.job_inferences * (state.target_ms - state.expected_ms);
  }

  // Books what ended since the last decision.
  void follow(const Observation& seen, const AppView& app, State& state) const {
    state.ended = false;
    const OppRange range = opp_range(seen, seen.units[app.unit]);
    const double expected_ms = seen.profile->latency_ms(app.index, app.subnet, app.unit, range.last);
    if (!app.active || !(app.latency_target_ms > 0) || !(expected_ms > 0)) {
      state = State{.learnt = app.completed};
      return;
    }
    if (state.unit != app.unit) state = State{.unit = app.unit, .learnt = state.learnt};
    const int left = p_.job_inferences - state.done;
    state.spare_ms += left * (state.expected_ms - expected_ms);
    state.expected_ms = expected_ms;
    if (state.target_ms != app.latency_target_ms) {
      state.target_ms = app.latency_target_ms;
      begin_job(state);
    }
    const int opp = seen.domains[seen.units[app.unit].domains[0]].opp;
    each_new_sample(app, state.learnt, [&](const Sample& sample) {
      if (sample.unit != app.unit || !std::isfinite(sample.latency_ms) || !std::isfinite(sample.service_ms)) return;
      state.ended = true;
      state.latency_ms = sample.latency_ms;
      const double measured_ms = sample.service_ms / app.batch_factor(sample.batch);
      if (!std::isfinite(measured_ms)) return;  // batches that cost nothing
      const double late_ms = measured_ms - expected_ms;
      state.spare_ms += p_.variant == Variant::artefact ? late_ms : -late_ms;
      if (++state.done >= p_.job_inferences) begin_job(state);

      const double gave = seen.profile->latency_ms(app.index, sample.subnet, app.unit, range.last) / measured_ms;
      if (gave >= 0) state.history[bin(std::floor(std::min(gave, kMostSpeedUp) * kBinsPerUnit + kTolerance))] = opp + 1;
      const double deviation = std::abs(sample.service_ms - sample.profile_ms) / sample.profile_ms;
      if (!(sample.profile_ms > 0) || !std::isfinite(deviation)) return;
      state.deviation =
          state.deviation < 0 ? deviation : state.deviation + p_.smoothing * (deviation - state.deviation);
    });
  }

  static std::size_t bin(double number) { return static_cast<std::size_t>(std::clamp(number, 0.0, kBins - 1.0)); }

  double cohort_lag_ms() const {
    double most = -HUGE_VAL, least = HUGE_VAL, sum = 0;
    int count = 0;
    for (const State& state : states_) {
      if (state.latency_ms < 0) continue;
      const double lag_ms = state.latency_ms - state.target_ms;
      most = std::max(most, lag_ms);
      least = std::min(least, lag_ms);
      sum += lag_ms;
      ++count;
    }
    if (count == 0) return 0;
    return p_.lag == Lag::max ? most : p_.lag == Lag::min ? least : sum / count;
  }

  static double certainty(const State& state) {
    if (state.deviation < 0) return 1;
    return std::clamp(std::floor(1 / state.deviation + kTolerance), 1.0, 10.0);  // 10 where it is 0
  }

  static Why by_latency(const State& state, const Reason& reason) {
    const double slack_ms = state.target_ms - state.latency_ms;
    return {.reason = reason, .binding = Constraint::latency, .slack = slack_ms, .margin = slack_ms / state.target_ms};
  }

  void set_clock(const Observation& seen, const AppView& app, double priority, State& state) const {
    const UnitView& unit = seen.units[app.unit];
    const OppRange range = opp_range(seen, unit);
    const double expected_ms = (p_.job_inferences - state.done) * state.expected_ms;
    const double left_ms = expected_ms + state.spare_ms;
    const double needed = left_ms > 0 ? std::min(kMostSpeedUp, expected_ms / left_ms) : kMostSpeedUp;
    const int span = range.last - range.first;
    const auto place = [&](int opp) { return span > 0 ? 100.0 * (opp - range.first) / span : 0; };
    const int known = state.history[bin(std::ceil(needed * kBinsPerUnit - kTolerance))] - 1;
    if (known >= 0) {
      state.opp = std::clamp(known, range.first, range.last);
      state.place_percent = place(state.opp);
      state.why = by_latency(
          state, because("{} of the highest clock's speed is needed: operating point {} has given it", needed, known));
      return;
    }
    if (state.place_percent < 0)
      state.place_percent = place(std::clamp(seen.domains[unit.domains[0]].opp, range.first, range.last));
    const double x = state.place_percent;
    const double u = certainty(state);
    double to = 0;
    if (state.spare_ms < 0) {
      to = x + 100 / u;
      state.why = by_latency(state, because("{} of the highest clock's speed is needed, {} ms to spare: {} % up",
                                            needed, state.spare_ms, 100 / u));
    } else if (u > 3) {
      to = priority * x - 10 / u;
      state.why =
          by_latency(state, because("{} of the highest clock's speed is needed, {} ms to spare: {} times {} % down",
                                    needed, state.spare_ms, priority, 10 / u));
    } else {
      to = priority * x + 100 / u;
      state.why =
          by_latency(state, because("{} of the highest clock's speed is needed, not known well: {} times, {} % up",
                                    needed, priority, 100 / u));
    }
    state.place_percent = std::clamp(to, 0.0, 100.0);
    state.opp = range.first + static_cast<int>(std::floor(state.place_percent * span / 100 + 0.5));
  }

  void approximate(const Observation& seen, const AppView& app, double lag_ms, double priority, const State& state,
                   Decision& decision) const {
    const int last = app.subnets - 1;
    int first = 0;
    while (first <= last && app.accuracy[first] < app.accuracy_floor) ++first;
    if (first > last) first = 0;
    const double wanted = std::ceil(priority * first + (1 - priority) * last - kTolerance);
    int subnet = static_cast<int>(std::clamp(wanted, static_cast<double>(first), static_cast<double>(last)));
    const OppRange range = opp_range(seen, seen.units[app.unit]);
    const auto covered = [&](int level) {
      return seen.profile->latency_ms(app.index, level, app.unit, range.last) > 0;
    };
    if (seen.explain)
      for (int level = first; level <= last; ++level)
        if (const Profile::Entry table = seen.profile->entry(app.index, level, app.unit, range.last);
            table.latency_ms > 0)
          decision.candidates.push_back({app.index, level, app.unit, range.last, table.latency_ms, app.accuracy[level],
                                         table.energy_mj, table.latency_ms <= app.latency_target_ms});
    while (subnet >= first && !covered(subnet)) --subnet;
    if (subnet < first || subnet == app.subnet) return;
    decision.set(Knob::subnet, app.index, subnet,
                 by_latency(state, because("lag {} ms, priority {}: sub-network {} of {}", lag_ms, priority, subnet + 1,
                                           app.subnets)));
  }

  Parameters p_;
  std::vector<State> states_;
  ClockVotes votes_;
};

const Registration<Policy, NeuOs> registered{
    "neuos", "time made up by the clock after each inference, and lighter sub-networks when applications lag",
    "Bateni and Liu, USENIX ATC 2020: our reading of the released code, which was not at hand; inferences in place of "
    "layers"};

}  // namespace
}  // namespace dynasoc::manager
