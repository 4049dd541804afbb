// proteus: an integer program gives each application the sub-network, batch and unit with which all of the demand is
// served in time at the greatest accuracy; where that is too much, accuracy is scaled down until it fits.
//
// Source: our reading of Proteus (Ahmad and others: Proteus, ASPLOS 2024) and of INFaaS (Romero and others, ATC 2021)
// before it, from memory of the publications; not called faithful. That it maximises accuracy times rate such that the
// rates make up the demand and none exceeds 1 / latency, and that accuracy is what gives way under load, is theirs. A
// model is there replicated on many devices; here an application runs on one unit, so its whole demand is served there.
//
// Measured. The demand r of an application is its arrival rate, from period to period
// (sim/manager/policies/demand.hpp). Where it is not known yet it loads nothing, and counts as 1 a second in the
// objective. The slow-down xi of an application on a unit is an exponentially weighted mean of service time over table
// time of its frames there, divided by batch_factor(their batch); 1 before the first. Tables are read at the clock that
// the unit has; where a governor moves it, at the fastest that was shown (see sim/manager/clocks.hpp).
//
// Choices: sub-network i, unit (its own; with `mapping` every one that the tables cover) and, where the application may
// batch, a batch B of 1, 2, 4, ... and the most that it may. With L(i) the table time and
// L(i, B) = L(i) batch_factor(B):
//     time      xi L(i, B) + W, with W = min((B - 1) / r, xi L(i, B)): the first frame of a batch waits for the others,
//               but no longer than the inference before runs, for a unit that is free takes what there is
//     load      r L(i, B) / B of its unit. xi is not in it: it also has what applications sharing the unit take from
//     each
//               other, which is no work
//     power     r E(i) batch_factor(B) / B, E the table energy of a frame above idle; unknown = 0
// maximise sum r a_i, of equals the least power, then what an application has now, then the lower unit, sub-network and
// batch (the search's order, see sim/manager/oracle/choice.hpp), such that
//     time <= target          for each application with one; where none of its choices is that fast, only the fastest
//     a_i >= beta floor       for each application with an accuracy floor
//     load of each unit, times gamma, <= utilisation
//     power <= allowed power of the battery - idle power of the units (where known), if there is a battery
// with beta = gamma = 1. Without a solution beta is lowered by steps of `scale_step`, to 0; then gamma, to 0: more is
// asked than there is, and the rest will wait or be dropped. The battery gives way last: if there is none still,
// targets are no limit any more and the sum of time / target - 1, where positive, is minimised in place of accuracy,
// again of equals by least power; the battery's limit is never below the least power that any choices have. The least
// number of steps is searched for by halving, for a laxer program has every solution of a stricter one.
//
// It decides every `period_ms` and when targets change, so load that rises or falls is answered, by a smaller or a
// greater sub-network, at the next period. Energy and power budgets of applications are not looked at, and clocks are
// left alone. Solver: an exact search; CBC takes over what that cannot finish, or everything with `solver` cbc.
#include <array>
#include <cmath>
#include <vector>

#include "manager/clocks.hpp"
#include "manager/oracle/choice.hpp"
#include "manager/policies/demand.hpp"
#include "manager/policy.hpp"

namespace dynasoc::manager {
namespace {

enum class ProteusSolver : std::uint8_t { search, cbc };

}  // namespace
}  // namespace dynasoc::manager

template <>
struct dynasoc::EnumNames<dynasoc::manager::ProteusSolver> {
  static constexpr std::array<std::pair<std::string_view, dynasoc::manager::ProteusSolver>, 2> names{
      {{"search", dynasoc::manager::ProteusSolver::search}, {"cbc", dynasoc::manager::ProteusSolver::cbc}}};
};

namespace dynasoc::manager {
namespace {

class Proteus final : public Policy {
 public:
  struct Parameters {
    double utilisation = 0.9;
    double scale_step = 0.05;
    double period_ms = 1000;
    double smoothing = 0.5;
    double latency_smoothing = 0.2;
    bool mapping = false;
    ProteusSolver solver = ProteusSolver::search;
    int search_limit = 20000;
    double cost_us = 1000;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(
          field(&P::utilisation, "utilisation", range(0.01, 1), "share of a unit that may be planned (assumed)"),
          field(&P::scale_step, "scale_step", range(0.01, 1),
                "by which accuracy floors, then demand, are scaled down (assumed)"),
          field(&P::period_ms, "period_ms", at_least(1e-3), "between decisions (assumed)"),
          field(&P::smoothing, "smoothing", range(0.001, 1), "weight of a new measurement in the arrival rate"),
          field(&P::latency_smoothing, "latency_smoothing", range(0.001, 1),
                "weight of a new frame in the slow-down (assumed)"),
          field(&P::mapping, "mapping", "choose the unit too"),
          field(&P::solver, "solver", "search: exact, then CBC if it takes too long; cbc: CBC where there is one"),
          field(&P::search_limit, "search_limit", range(1, 1e7), "choices the search looks at before CBC"),
          field(&P::cost_us, "cost_us", non_negative(), "compute time of one decision (assumed)"));
    }
  };
  explicit Proteus(const Parameters& parameters) : p_(parameters) {}

  Triggers triggers() const override { return {.period_ms = p_.period_ms, .target_change = true}; }
  double compute_cost_us() const override { return p_.cost_us; }

  void decide(const Observation& seen, Decision& decision) override {
    clocks_.refresh(seen, false);
    demand_.look(seen, p_.smoothing);
    states_.resize(seen.applications.size());
    for (const AppView& app : seen.applications) learn(seen, app, states_[app.index]);
    begin(seen);
    if (count_ == 0) return;
    plan(seen);
    for (std::size_t k = 0; k < count_; ++k) write(seen, k, decision);
  }

 private:
  static constexpr double kSame = 1e-9;
  static constexpr double kUnknown = -1;

  struct State {
    std::uint64_t learnt = 0;
    std::vector<double> slowdown;  // by unit
  };
  struct Option {
    int subnet = 0;
    int unit = 0;
    int batch = 1;
    double ms = 0;
    double load = 0;
    double power_w = 0;
    double accuracy = 0;
    double overrun = 0;  // of the target, relative
    bool in_time = true;
  };
  struct Place {
    int app = 0;
    double weight = 1;
    bool hopeless = false;  // nothing is in time; its fastest counts as if it were
    std::vector<Option> options;
    int chosen = 0;
  };
  struct Scale {
    double floors = 1;  // beta
    double demand = 1;  // gamma
    bool targets = true;
  };

  void learn(const Observation& seen, const AppView& app, State& state) const {
    state.slowdown.resize(seen.units.size(), kUnknown);
    each_new_sample(app, state.learnt, [&](const Sample& sample) {
      const double ratio = clocks_.slowdown(seen, app, sample, false);
      if (!(ratio > 0) || !std::isfinite(ratio)) return;
      double& xi = state.slowdown[sample.unit];
      xi = xi == kUnknown ? ratio : xi + p_.latency_smoothing * (ratio - xi);
    });
  }

  void add(const Observation& seen, const AppView& app, Place& place, int subnet, int unit, int batch) const {
    const Profile::Entry table = seen.profile->entry(app.index, subnet, unit, clocks_.opp(unit));
    if (!(table.latency_ms > 0)) return;
    const double hz = demand_.hz(app.index), factor = app.batch_factor(batch);
    const double xi = states_[app.index].slowdown[unit];
    const double ms = (xi == kUnknown ? 1 : xi) * table.latency_ms * factor;
    Option one{.subnet = subnet, .unit = unit, .batch = batch, .ms = ms, .accuracy = app.accuracy[subnet]};
    if (batch > 1) one.ms += hz > 0 ? std::min(1e3 * (batch - 1) / hz, ms) : ms;
    one.load = hz * table.latency_ms * factor / batch * 1e-3;
    if (table.energy_mj > 0) one.power_w = hz * table.energy_mj * factor / batch * 1e-3;
    if (app.latency_target_ms > 0) one.overrun = std::max(0.0, one.ms / app.latency_target_ms - 1);
    one.in_time = one.overrun <= kSame;
    place.options.push_back(one);
  }

  void begin(const Observation& seen) {
    count_ = 0;
    double least_w = 0;
    for (const AppView& app : seen.applications) {
      if (!app.active) continue;
      if (count_ == places_.size()) places_.emplace_back();
      Place& place = places_[count_];
      const double hz = demand_.hz(app.index);
      place.app = app.index;
      place.weight = hz > 0 ? hz : 1;
      place.options.clear();
      place.chosen = 0;
      const int most = std::max(1, app.most_batch);
      add(seen, app, place, app.subnet, app.unit, std::clamp(app.batch, 1, most));  // what it has now comes first
      for (const UnitView& unit : seen.units)
        if (unit.index == app.unit || p_.mapping)
          for (int i = 0; i < app.subnets; ++i)
            for (int batch = 1; batch <= most; batch = batch < most ? std::min(2 * batch, most) : most + 1)
              if (i != app.subnet || unit.index != app.unit || batch != app.batch)
                add(seen, app, place, i, unit.index, batch);
      if (place.options.empty()) continue;
      Option* fastest = &place.options[0];
      double cheapest_w = HUGE_VAL;
      place.hopeless = true;
      for (Option& one : place.options) {
        place.hopeless = place.hopeless && !one.in_time;
        if (one.ms < fastest->ms) fastest = &one;
        cheapest_w = std::min(cheapest_w, one.power_w);
      }
      if (place.hopeless)
        for (Option& one : place.options) one.in_time = one.ms <= fastest->ms;
      least_w += cheapest_w;
      ++count_;
    }
    cap_w_ = HUGE_VAL;
    if (const double allowed_w = seen.battery.allowed_w(seen.now); std::isfinite(allowed_w)) {
      double idle_w = 0;
      for (const UnitView& unit : seen.units)
        if (const double its = seen.profile->idle_w(unit.index, clocks_.opp(unit.index)); its > 0) idle_w += its;
      cap_w_ = std::max(allowed_w - idle_w, least_w);
    }
  }

  const Option& option(std::size_t x) const {
    return places_[static_cast<std::size_t>(program_.group[x])].options[option_[x]];
  }

  bool solve(const Observation& seen, const Scale& scale) {
    program_.clear();
    option_.clear();
    for (std::size_t k = 0; k < count_; ++k) {
      const Place& place = places_[k];
      const double floor = scale.floors * seen.applications[place.app].accuracy_floor;
      bool any = false;
      for (std::size_t i = 0; i < place.options.size(); ++i) {
        const Option& one = place.options[i];
        if (scale.targets && (!one.in_time || one.accuracy < floor - kSame)) continue;
        program_.add(static_cast<int>(k), scale.targets ? -place.weight * one.accuracy : one.overrun, one.power_w);
        option_.push_back(static_cast<int>(i));
        any = true;
      }
      if (!any) return false;
    }
    if (scale.targets && scale.demand > 0)
      for (const UnitView& unit : seen.units) {
        ChoiceProgram::Limit& limit = program_.limit(p_.utilisation);
        bool any = false;
        for (std::size_t x = 0; x < option_.size(); ++x)
          if (option(x).unit == unit.index && option(x).load > 0) {
            limit.uses[x] = scale.demand * option(x).load;
            any = true;
          }
        if (!any) program_.limits.pop_back();
      }
    if (std::isfinite(cap_w_)) {
      ChoiceProgram::Limit& limit = program_.limit(cap_w_);
      for (std::size_t x = 0; x < option_.size(); ++x) limit.uses[x] = option(x).power_w;
    }
    if (!solver_.solve(program_, p_.solver == ProteusSolver::cbc ? ChoiceBy::cbc : ChoiceBy::search, p_.search_limit))
      return false;
    for (std::size_t k = 0; k < count_; ++k) places_[k].chosen = option_[static_cast<std::size_t>(solver_.chosen()[k])];
    return true;
  }

  double scaled(int steps) const { return std::max(0.0, 1 - p_.scale_step * steps); }

  // Lowers one scale by the least number of steps that gives a solution; false if it has none at 0.
  bool lower(const Observation& seen, double Scale::*member) {
    const int last = static_cast<int>(std::ceil(1 / p_.scale_step - kSame));
    scale_.*member = 0;
    if (!solve(seen, scale_)) return false;
    int low = 1, high = last;
    while (low < high) {
      const int middle = low + (high - low) / 2;
      scale_.*member = scaled(middle);
      if (solve(seen, scale_))
        high = middle;
      else
        low = middle + 1;
    }
    scale_.*member = high == last ? 0 : scaled(high);
    solve(seen, scale_);
    return true;
  }

  void plan(const Observation& seen) {
    scale_ = {};
    if (solve(seen, scale_) || lower(seen, &Scale::floors) || lower(seen, &Scale::demand)) return;
    scale_.targets = false;
    solve(seen, scale_);
  }

  void write(const Observation& seen, std::size_t k, Decision& decision) const {
    const Place& place = places_[k];
    const AppView& app = seen.applications[place.app];
    const Option& chosen = place.options[place.chosen];
    if (seen.explain)
      for (const Option& one : place.options)
        decision.candidates.push_back({app.index, one.subnet, one.unit, clocks_.opp(one.unit), one.ms, one.accuracy,
                                       seen.profile->energy_mj(app.index, one.subnet, one.unit, clocks_.opp(one.unit)),
                                       one.overrun <= kSame && one.accuracy >= app.accuracy_floor});
    const bool moves = chosen.unit != app.unit, changes = chosen.subnet != app.subnet,
               batches = chosen.batch != app.batch;
    if (!moves && !changes && !batches) return;
    const Why why = reason(seen, place, app, chosen);
    if (moves) decision.set(Knob::mapping, app.index, chosen.unit, why);
    if (changes) decision.set(Knob::subnet, app.index, chosen.subnet, why);
    if (batches) decision.set(Knob::batch, app.index, chosen.batch, why);
  }

  Why reason(const Observation& seen, const Place& place, const AppView& app, const Option& chosen) const {
    const double target_ms = app.latency_target_ms, hz = demand_.hz(app.index);
    Why why;
    if (target_ms > 0) why.margin = 1 - chosen.ms / target_ms;
    if (!scale_.targets)
      why.reason = because("{} W are left for inferences: targets give way, {} ms", cap_w_, chosen.ms);
    else if (place.hopeless && target_ms > 0)
      why.reason = because("nothing takes {} ms; {} ms is the fastest", target_ms, chosen.ms);
    else if (scale_.demand < 1)
      why.reason = because("too much demand, planned for {} of it: {} ms at {} frames/s", scale_.demand, chosen.ms, hz);
    else if (scale_.floors < 1)
      why.reason = because("accuracy floors scaled by {}: accuracy {}, {} ms at {} frames/s", scale_.floors,
                           chosen.accuracy, chosen.ms, hz);
    else if (target_ms > 0)
      why.reason = because("accuracy {} at {} frames/s: {} ms of {} ms", chosen.accuracy, hz, chosen.ms, target_ms);
    else
      why.reason = because("accuracy {} at {} frames/s: {} ms; no latency target", chosen.accuracy, hz, chosen.ms);
    bind(seen, place, app, chosen, why);
    return why;
  }

  // What keeps it from the next more accurate sub-network, the others as they are.
  void bind(const Observation& seen, const Place& place, const AppView& app, const Option& chosen, Why& why) const {
    double next = HUGE_VAL;
    for (const Option& one : place.options)
      if (one.accuracy > chosen.accuracy) next = std::min(next, one.accuracy);
    const bool late = chosen.overrun > kSame;
    if (!late && !std::isfinite(next)) return;
    loads_.assign(seen.units.size(), 0);
    double used_w = 0;
    for (std::size_t k = 0; k < count_; ++k) {
      const Option& its = places_[k].options[places_[k].chosen];
      loads_[its.unit] += its.load;
      used_w += its.power_w;
    }
    const double load = loads_[chosen.unit];
    loads_[chosen.unit] -= chosen.load;
    bool in_time = false, fits = false;
    for (const Option& one : place.options) {
      if (one.accuracy != next || !one.in_time) continue;
      in_time = true;
      fits = fits || scale_.demand * (loads_[one.unit] + one.load) <= p_.utilisation + kSame;
    }
    if (late || (!in_time && app.latency_target_ms > 0)) {
      why.binding = Constraint::latency;
      why.slack = app.latency_target_ms - chosen.ms;
    } else if (!fits) {
      why.binding = Constraint::capacity;
      why.slack = p_.utilisation - load;
      why.margin = why.slack / p_.utilisation;
    } else if (std::isfinite(cap_w_)) {
      why.binding = Constraint::power;
      why.slack = cap_w_ - used_w;
      why.margin = cap_w_ > 0 ? why.slack / cap_w_ : 0;
    }
  }

  Parameters p_;
  ReferenceClocks clocks_;
  DemandMeter demand_;
  std::vector<State> states_;
  std::vector<Place> places_;  // the first `count_` are in use
  std::size_t count_ = 0;
  double cap_w_ = 0;
  Scale scale_;
  ChoiceProgram program_;
  ChoiceSolver solver_;
  std::vector<int> option_;  // by alternative of the program: its place in its application's options
  mutable std::vector<double> loads_;
};

const Registration<Policy, Proteus> registered{
    "proteus", "an integer program: the greatest accuracy with which all of the demand is served in time",
    "our reading of Proteus (ASPLOS 2024) and INFaaS (ATC 2021), from memory of the publications"};

}  // namespace
}  // namespace dynasoc::manager
