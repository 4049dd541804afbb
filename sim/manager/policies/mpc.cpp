// mpc: model-predictive control: of the ways to climb the ladder of configurations over the next frames, the cheapest
// one by a model of backlog, latency, energy and temperature; its first move is made, and at the next frame it looks
// again.
//
// Source: own definition, after standard theory.
//
// When a frame is done it plans `horizon` frames. Each is served on a rung (sim/manager/ladder.hpp) at most `moves`
// from the one before. With the measured slow-down xi of the rung's unit, the mean time tau between arrivals, the
// backlog b in frames and the age w of the frame when its service begins:
//   s  = xi x table latency, + the switch time if the sub-network changes
//   w  = age of the oldest waiting frame for the first (0 if none waits), b tau for the others
//   b' = max(0, b + s / tau - 1); at first the greater of 0, (age of the oldest / tau) and (waiting - 1)
//   T' = ambient + A (T - ambient) + B P, where P = idle + energy / latency of the rung; at first the hottest node
// With D = (1 - headroom) target, a frame costs
//   w_energy xi E / E_max + w_accuracy (a_max - a) / (a_max - a_min) + w_switch [another sub-network or unit]
//     + [w + s > D] (w_miss + w_late ((w + s) / D - 1)) + w_temperature max(0, T' - limit)
// with the greatest and least of the ladder, and what is waiting at the end costs w_miss b. Without w_late and this,
// late frames that cannot be saved would be a reason to work slowly.
//
// xi and tau are exponentially weighted means and start at the first measurement: xi at 1 before, by unit; tau from the
// arrivals counted between decisions at which some have come (unknown before: then w = 0 and s / tau = 0). The
// temperature is left out unless `temperature_limit_c` is set and the board tells temperatures. The plan is exact while
// no more than `beam` states of a frame remain after dominated ones (same rung, no cheaper, no less backlog, no cooler)
// are dropped; of more, the cheapest so far are kept. Of equal plans (to 1e-9) the one with the smaller first move,
// then the faster.
//
// A closed loop is known by a frame that arrived within a microsecond of the end of the one before, until a frame
// arrives before that end or waits: no backlog is counted then (w = 0, s / tau = 0), and the switch time not either,
// for the next frame comes when the switch is done.
//
// The ladder keeps the accuracy floor and the budgets. Without `dvfs` clocks are left to governors; with it, a clock
// that applications share runs as fast as the most demanding asks.
#include <cmath>
#include <vector>

#include "manager/ladder.hpp"
#include "manager/policy.hpp"

namespace dynasoc::manager {
namespace {

class Mpc final : public Policy {
 public:
  struct Parameters {
    int horizon = 5;
    int moves = 3;
    int beam = 64;
    double w_energy = 0.2;
    double w_accuracy = 1;
    double w_miss = 10;
    double w_late = 10;
    double w_switch = 0.1;
    double w_temperature = 1;
    double headroom = 0.1;
    double smoothing = 0.2;
    double temperature_limit_c = 0;
    double ambient_c = 25;
    double thermal_decay = 0.999;
    double thermal_gain = 0.01;
    bool dvfs = false;
    bool mapping = false;
    double cost_us = 200;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(
          field(&P::horizon, "horizon", range(1, 20), "frames looked ahead"),
          field(&P::moves, "moves", range(1, 10), "rungs from one frame to the next, at most"),
          field(&P::beam, "beam", range(1, 256), "states kept of a frame"),
          field(&P::w_energy, "w_energy", range(0, 1e6), "cost of a frame of the ladder's greatest energy"),
          field(&P::w_accuracy, "w_accuracy", range(0, 1e6), "cost of a frame of the ladder's least accuracy"),
          field(&P::w_miss, "w_miss", range(0, 1e6), "cost of a late frame, and of one left waiting at the end"),
          field(&P::w_late, "w_late", range(0, 1e6), "cost of a frame late by as much as the target, beside w_miss"),
          field(&P::w_switch, "w_switch", range(0, 1e6), "cost of another sub-network or unit"),
          field(&P::w_temperature, "w_temperature", range(0, 1e6), "cost of a frame that ends a kelvin over the limit"),
          field(&P::headroom, "headroom", range(0, 0.9), "share of the target that a plan leaves free"),
          field(&P::smoothing, "smoothing", range(0.001, 1), "weight of a new measurement in slow-down and arrivals"),
          field(&P::temperature_limit_c, "temperature_limit_c", range(0, 200), "0 = temperature plays no part"),
          field(&P::ambient_c, "ambient_c", range(-50, 100), "that the board cools down to"),
          field(&P::thermal_decay, "thermal_decay", range(0, 1), "A: share of the excess that a frame leaves"),
          field(&P::thermal_gain, "thermal_gain", range(0, 1e3), "B: kelvin that a watt adds in a frame"),
          field(&P::dvfs, "dvfs", "choose the clock of the application's unit too"),
          field(&P::mapping, "mapping", "choose the unit too"),
          field(&P::cost_us, "cost_us", non_negative(), "compute time of one decision (assumed)"));
    }
  };
  explicit Mpc(const Parameters& parameters) : p_(parameters) {}

  Triggers triggers() const override { return {.completion = true, .target_change = true}; }
  double compute_cost_us() const override { return p_.cost_us; }

  void decide(const Observation& seen, Decision& decision) override {
    if (states_.size() != seen.applications.size()) {
      states_.resize(seen.applications.size());
      for (State& state : states_) state.slowdown.assign(seen.units.size(), 0);
    }
    clocks_.refresh(seen, p_.dvfs);
    votes_.reset(seen);
    const bool one =
        seen.subject >= 0 && (seen.trigger == Trigger::completion || seen.trigger == Trigger::target_change);
    for (const AppView& app : seen.applications) {
      State& state = states_[app.index];
      if (!app.active) {
        state.learnt = app.completed;
        state.ended = kNever;
        state.arrived = 0;  // a pause is no interval between arrivals
        continue;
      }
      measure(seen, app, state);
      if (state.climber.follow(seen, app, clocks_, {p_.dvfs, p_.mapping}) && state.climber.index() >= 0)
        state.why = {.reason = because("rung {} of {}, {} ms, is the nearest to what it was on", state.climber.index(),
                                       state.climber.ladder().size(), state.climber.rung().latency_ms),
                     .binding = Constraint::ladder};
      if (state.climber.index() >= 0 && (!one || app.index == seen.subject)) plan(seen, app, state);
      state.climber.write(seen, app, state.why, decision, p_.dvfs ? &votes_ : nullptr);
    }
    if (p_.dvfs) votes_.write(seen, decision);
  }

 private:
  struct State {
    Climber climber;
    std::vector<double> slowdown;  // by unit; 0: not measured
    double interval_ms = 0;        // mean between arrivals; 0: not measured
    bool closed = false;           // the next frame comes when this one is done
    Time ended = kNever;           // the last frame
    std::uint64_t learnt = 0, arrived = 0;
    Time counted = 0;
    Why why;
  };
  struct Node {
    int rung = 0;
    int first = 0;  // move
    double backlog = 0, excess_k = 0, cost = 0;

    // Costs are compared in whole billionths: the order in which a sum was made must not choose.
    std::int64_t key() const { return std::llround(std::min(cost, 9e9) * 1e9); }
    int preference() const { return 2 * std::abs(first) + (first > 0); }
    bool before(const Node& other) const {
      return key() != other.key() ? key() < other.key() : preference() < other.preference();
    }
    bool dominates(const Node& other) const {
      return rung == other.rung && backlog <= other.backlog && excess_k <= other.excess_k && !other.before(*this);
    }
  };
  // What all frames of a plan have in common.
  struct Model {
    double target_ms = 0, age_ms = 0, interval_ms = 0, switch_ms = 0;
    double energy_unit_mj = 0, accuracy_top = 0, accuracy_span = 0;
    bool thermal = false;
  };
  struct Frame {
    double latency_ms = 0, service_ms = 0, backlog = 0, excess_k = 0, cost = 0;
    double other_cost = 0;  // without misses and temperature
  };

  void measure(const Observation& seen, const AppView& app, State& state) const {
    each_new_sample(app, state.learnt, [&](const Sample& sample) {
      const double ratio = clocks_.slowdown(seen, app, sample, p_.dvfs);
      double& slowdown = state.slowdown[sample.unit];
      if (ratio > 0) slowdown = slowdown > 0 ? slowdown + p_.smoothing * (ratio - slowdown) : ratio;
      const Time arrival = sample.at - from_ms(sample.latency_ms);
      if (state.ended != kNever && std::abs(arrival - state.ended) <= 1_us)
        state.closed = true;
      else if (state.ended != kNever && arrival < state.ended)
        state.closed = false;
      state.ended = sample.at;
    });
    if (app.waiting > 0) state.closed = false;
    if (app.arrived == state.arrived) return;
    const double passed_ms = to_ms(seen.now - state.counted);
    if (state.arrived > 0) {
      if (passed_ms <= 0) return;
      const double interval_ms = passed_ms / static_cast<double>(app.arrived - state.arrived);
      state.interval_ms =
          state.interval_ms > 0 ? state.interval_ms + p_.smoothing * (interval_ms - state.interval_ms) : interval_ms;
    }
    state.arrived = app.arrived;
    state.counted = seen.now;
  }

  // A frame served on `to` after one on `from`.
  Frame frame(const Observation& seen, const State& state, const Model& model, const Node& before, const Rung& from,
              const Rung& to, bool first) const {
    Frame out;
    const double slowdown = state.slowdown[to.unit] > 0 ? state.slowdown[to.unit] : 1;
    out.service_ms = slowdown * to.latency_ms + (to.subnet != from.subnet ? model.switch_ms : 0);
    out.latency_ms = out.service_ms + (first ? model.age_ms : before.backlog * model.interval_ms);
    const double arrivals = model.interval_ms > 0 ? out.service_ms / model.interval_ms : 0;
    out.backlog = std::max(0.0, before.backlog + arrivals - 1);
    if (model.energy_unit_mj > 0 && std::isfinite(to.energy_mj))
      out.other_cost += p_.w_energy * slowdown * to.energy_mj / model.energy_unit_mj;
    if (model.accuracy_span > 0)
      out.other_cost += p_.w_accuracy * (model.accuracy_top - to.accuracy) / model.accuracy_span;
    if (to.subnet != from.subnet || to.unit != from.unit) out.other_cost += p_.w_switch;
    out.cost = out.other_cost;
    if (model.target_ms > 0 && out.latency_ms > model.target_ms)
      out.cost += p_.w_miss + p_.w_late * (out.latency_ms / model.target_ms - 1);
    if (model.thermal) {
      const double idle_w = seen.profile->idle_w(to.unit, to.opp);
      const double above_w = std::isfinite(to.energy_mj) ? to.energy_mj / to.latency_ms : 0;
      out.excess_k =
          p_.thermal_decay * before.excess_k + p_.thermal_gain * (above_w + (std::isfinite(idle_w) ? idle_w : 0));
      out.cost += p_.w_temperature * std::max(0.0, p_.ambient_c + out.excess_k - p_.temperature_limit_c);
    }
    return out;
  }

  void plan(const Observation& seen, const AppView& app, State& state) {
    const Ladder& ladder = state.climber.ladder();
    Model model;
    model.target_ms = (1 - p_.headroom) * app.latency_target_ms;
    model.age_ms = app.waiting > 0 ? app.oldest_wait_ms : 0;
    model.interval_ms = state.closed ? 0 : state.interval_ms;
    model.switch_ms = state.closed ? 0 : app.switch_ms;
    model.energy_unit_mj = ladder.greatest_energy_mj();
    model.accuracy_top = ladder.greatest_accuracy();
    model.accuracy_span = model.accuracy_top - ladder.least_accuracy();
    double hottest_c = std::nan("");
    for (const double c : seen.temperatures_c) hottest_c = std::fmax(hottest_c, c);
    model.thermal = p_.temperature_limit_c > 0 && std::isfinite(hottest_c);

    const int start = state.climber.index();
    // Of the sub-network in force: one that is not on the ladder must be left, and that costs a switch as well.
    Rung present = ladder[start];
    present.subnet = app.subnet;
    present.unit = app.unit;
    Node root;
    root.rung = start;
    root.backlog = std::max(0.0, static_cast<double>(app.waiting) - 1);
    if (app.waiting > 0 && model.interval_ms > 0)
      root.backlog = std::max(root.backlog, app.oldest_wait_ms / model.interval_ms);
    root.excess_k = model.thermal ? hottest_c - p_.ambient_c : 0;
    nodes_.assign(1, root);
    for (int k = 0; k < p_.horizon; ++k) {
      next_.clear();
      for (const Node& node : nodes_) {
        const int from = std::max(0, node.rung - p_.moves), to = std::min(ladder.size() - 1, node.rung + p_.moves);
        for (int rung = from; rung <= to; ++rung) {
          const Frame f = frame(seen, state, model, node, k == 0 ? present : ladder[node.rung], ladder[rung], k == 0);
          insert({rung, k == 0 ? rung - start : node.first, f.backlog, f.excess_k, node.cost + f.cost});
        }
      }
      if (next_.size() > static_cast<std::size_t>(p_.beam)) {
        std::sort(next_.begin(), next_.end(), [](const Node& a, const Node& b) {
          if (a.key() != b.key() || a.preference() != b.preference()) return a.before(b);
          return a.rung != b.rung ? a.rung < b.rung : a.backlog < b.backlog;
        });
        next_.resize(static_cast<std::size_t>(p_.beam));
      }
      nodes_.swap(next_);
    }
    for (Node& node : nodes_) node.cost += p_.w_miss * node.backlog;
    const Node* best = &nodes_[0];
    for (const Node& node : nodes_)
      if (node.before(*best)) best = &node;
    const int chosen = start + best->first;
    if (chosen != start || ladder[chosen].subnet != app.subnet || ladder[chosen].unit != app.unit)
      state.why = why(seen, app, state, model, root, present, chosen, best->cost);
    state.climber.put(chosen);
  }

  void insert(const Node& node) {
    for (const Node& other : next_)
      if (other.dominates(node)) return;
    std::erase_if(next_, [&](const Node& other) { return node.dominates(other); });
    next_.push_back(node);
  }

  // What kept it from the rung that energy, accuracy and switching alone would choose for the next frame.
  Why why(const Observation& seen, const AppView& app, const State& state, const Model& model, const Node& root,
          const Rung& present, int chosen, double cost) const {
    const Ladder& ladder = state.climber.ladder();
    int ideal = chosen;
    Frame ideal_frame = frame(seen, state, model, root, present, ladder[chosen], true);
    const Frame taken = ideal_frame;
    for (int rung = 0; rung < ladder.size(); ++rung)
      if (const Frame f = frame(seen, state, model, root, present, ladder[rung], true);
          f.other_cost < ideal_frame.other_cost)
        ideal = rung, ideal_frame = f;
    Why out;
    const double load = model.interval_ms > 0 ? ideal_frame.service_ms / model.interval_ms : 0;
    if (ideal == chosen) {
      out.binding = Constraint::none;
    } else if (model.target_ms > 0 && ideal_frame.latency_ms > model.target_ms) {
      out.binding = Constraint::latency;
      out.slack = app.latency_target_ms - taken.latency_ms;
      out.margin = out.slack / app.latency_target_ms;
    } else if (load > 1) {
      out.binding = Constraint::capacity;
      out.slack = out.margin = 1 - taken.service_ms / model.interval_ms;
    } else if (model.thermal && p_.ambient_c + ideal_frame.excess_k > p_.temperature_limit_c) {
      out.binding = Constraint::temperature;
      out.slack = p_.temperature_limit_c - p_.ambient_c - taken.excess_k;
      out.margin = out.slack / p_.temperature_limit_c;
    } else {
      out.binding = Constraint::ladder;  // out of reach in one move, or not worth a switch for now
    }
    out.reason = because("plan of {} frames costs {}: the next takes {} ms with {} frames behind it", p_.horizon, cost,
                         taken.latency_ms, taken.backlog);
    return out;
  }

  Parameters p_;
  std::vector<State> states_;
  std::vector<Node> nodes_, next_;
  ReferenceClocks clocks_;
  ClockVotes votes_;
};

const Registration<Policy, Mpc> registered{"mpc", "the cheapest way along the ladder over the next frames, by a model",
                                           "own definition, after standard theory"};

}  // namespace
}  // namespace dynasoc::manager
