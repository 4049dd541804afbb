// nestdnn: hands out shares of each unit step by step to the application whose cost, of accuracy and lateness, falls
// most, and gives each the sub-network that is cheapest at its share.
//
// Source: our reading of NestDNN (Fang, Zeng, Zhang: NestDNN, MobiCom 2018), from memory of the publication; not called
// faithful. Its cost and its two schemes are as remembered; ties, plateaus and how memory is shared are ours.
//
// The cost of sub-network m at a share u of its unit is
//     cost(m, u) = (A_min - a_m) + alpha_per_ms * max(0, L_m / u - L_max)
// with a_m its accuracy in the network's metric, A_min the accuracy floor (without one the least accuracy that it can
// have), L_m its latency in the tables (at the clock that the unit has; where a governor moves it, at the fastest that
// was shown, see sim/manager/clocks.hpp) and L_max the latency target (without one there is no second term). Only
// sub-networks that the tables cover on the application's unit count; an application without one is left alone and
// takes no share.
//
// Hand-out. A step of a unit with n applications is delta = min(share_step, 1/n) of it, and it has floor(1/delta)
// steps. Every application begins with one step and the sub-network of least memory (of equals the more accurate, then
// the smaller). A move gives an application j further steps of its unit, j >= 0, and the sub-network of least cost at
// its new share (of equals the more accurate, then the smaller); it counts if the application's cost falls by more than
// 1e-9. Moves are made until none counts:
//   min-total-cost  of the moves with the least j that has one that counts, the greatest fall
//   min-max-cost    of the applications with a move that counts, the one with the greatest cost, and its least j
// of equals the application that is first in the scenario. So with j > 1 it gets across a plateau, where one step more
// would change nothing. What is left over is not given away.
// Memory. All applications together may take `memory_mb` (weights, as the network's file states them: 0 = not stated).
// A move may take a sub-network if it fits beside those that the others have at that moment, or if it is no larger than
// the application's own. Where even the least do not fit, they are taken all the same.
//
// It decides every `period_ms` and when targets change; an application that starts or stops is noticed at the next
// period. The knob is the sub-network. Shares cannot be enforced by a knob here (units serve applications by their
// weights in the scenario): they are what the choice was reckoned with. It uses the tables as they are, does not
// learn from measured times, leaves clocks, units and batches alone, and looks at no energy or battery.
#include <array>
#include <cmath>
#include <vector>

#include "manager/clocks.hpp"
#include "manager/policy.hpp"

namespace dynasoc::manager {
namespace {

enum class NestScheme : std::uint8_t { min_total_cost, min_max_cost };

}  // namespace
}  // namespace dynasoc::manager

template <>
struct dynasoc::EnumNames<dynasoc::manager::NestScheme> {
  static constexpr std::array<std::pair<std::string_view, dynasoc::manager::NestScheme>, 2> names{
      {{"min-total-cost", dynasoc::manager::NestScheme::min_total_cost},
       {"min-max-cost", dynasoc::manager::NestScheme::min_max_cost}}};
};

namespace dynasoc::manager {
namespace {

class NestDnn final : public Policy {
 public:
  struct Parameters {
    NestScheme scheme = NestScheme::min_total_cost;
    double alpha_per_ms = 1;
    double share_step = 0.05;
    double memory_mb = 0;
    double period_ms = 1000;
    double cost_us = 100;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(
          field(&P::scheme, "scheme",
                "min-total-cost: lowers the sum of all costs; min-max-cost: lowers the greatest cost first"),
          field(&P::alpha_per_ms, "alpha_per_ms", range(0, 1e6),
                "points of accuracy that a millisecond over the target weighs (assumed)"),
          field(&P::share_step, "share_step", range(0.01, 1), "share of a unit handed out at once (assumed)"),
          field(&P::memory_mb, "memory_mb", non_negative(), "for the weights of all applications; 0 = unlimited"),
          field(&P::period_ms, "period_ms", at_least(1e-3), "between decisions (assumed)"),
          field(&P::cost_us, "cost_us", non_negative(), "compute time of one decision (assumed)"));
    }
  };
  explicit NestDnn(const Parameters& parameters) : p_(parameters) {}

  Triggers triggers() const override { return {.period_ms = p_.period_ms, .target_change = true}; }
  double compute_cost_us() const override { return p_.cost_us; }

  void decide(const Observation& seen, Decision& decision) override {
    clocks_.refresh(seen, false);
    begin(seen);
    for (;;) {
      const Move move = p_.scheme == NestScheme::min_total_cost ? least_total(seen) : least_max(seen);
      if (move.place < 0) break;
      Place& place = places_[move.place];
      free_[place.unit] -= move.steps;
      memory_mb_ += memory(seen, place, move.subnet) - memory(seen, place, place.subnet);
      place.steps += move.steps;
      place.subnet = move.subnet;
    }
    for (const Place& place : places_) write(seen, place, decision);
  }

 private:
  static constexpr double kSame = 1e-9;

  struct Place {
    int app = 0;
    int unit = 0;
    int subnet = 0;
    int steps = 1;
    double floor = 0;
  };
  struct Move {
    int place = -1;
    int steps = 0;
    int subnet = -1;
    double fall = 0;
  };

  double latency_ms(const Observation& seen, const Place& place, int subnet) const {
    return seen.profile->latency_ms(place.app, subnet, place.unit, clocks_.opp(place.unit));
  }
  static double memory(const Observation& seen, const Place& place, int subnet) {
    const std::vector<double>& all = seen.applications[place.app].memory_mb;
    return static_cast<std::size_t>(subnet) < all.size() ? all[subnet] : 0;
  }
  double cost(const Observation& seen, const Place& place, int subnet, int steps) const {
    const AppView& app = seen.applications[place.app];
    double out = place.floor - app.accuracy[subnet];
    if (app.latency_target_ms > 0)
      out += p_.alpha_per_ms *
             std::max(0.0, latency_ms(seen, place, subnet) / (steps * step_[place.unit]) - app.latency_target_ms);
    return out;
  }

  void begin(const Observation& seen) {
    places_.clear();
    step_.assign(seen.units.size(), 0);
    free_.assign(seen.units.size(), 0);
    for (const AppView& app : seen.applications) {
      if (!app.active) continue;
      Place place{.app = app.index, .unit = app.unit, .subnet = -1};
      double least = HUGE_VAL;
      for (int m = 0; m < app.subnets; ++m) {
        if (!(latency_ms(seen, place, m) > 0)) continue;
        least = std::min(least, app.accuracy[m]);
        if (place.subnet < 0 || memory(seen, place, m) < memory(seen, place, place.subnet) ||
            (memory(seen, place, m) == memory(seen, place, place.subnet) &&
             app.accuracy[m] > app.accuracy[place.subnet]))
          place.subnet = m;
      }
      if (place.subnet < 0) continue;
      place.floor = app.accuracy_floor > 0 ? app.accuracy_floor : least;
      places_.push_back(place);
      ++free_[app.unit];  // for now: how many there are
    }
    memory_mb_ = 0;
    for (const Place& place : places_) memory_mb_ += memory(seen, place, place.subnet);
    for (std::size_t u = 0; u < free_.size(); ++u) {
      const int there = free_[u];
      if (there == 0) continue;
      step_[u] = std::min(p_.share_step, 1.0 / there);
      free_[u] = std::max(0, static_cast<int>(std::floor(1 / step_[u] + kSame)) - there);
    }
  }

  bool fits(const Observation& seen, const Place& place, int subnet) const {
    const double now_mb = memory(seen, place, place.subnet), then_mb = memory(seen, place, subnet);
    return p_.memory_mb <= 0 || then_mb <= now_mb || memory_mb_ - now_mb + then_mb <= p_.memory_mb + kSame;
  }

  // The sub-network of least cost with so many further steps, and by how much the cost falls.
  Move best(const Observation& seen, int index, int steps) const {
    const Place& place = places_[index];
    const AppView& app = seen.applications[place.app];
    Move out{.place = index, .steps = steps};
    double least = HUGE_VAL;
    for (int m = 0; m < app.subnets; ++m) {
      if (!(latency_ms(seen, place, m) > 0) || !fits(seen, place, m)) continue;
      const double its = cost(seen, place, m, place.steps + steps);
      const bool same = std::abs(its - least) <= kSame;
      if (out.subnet < 0 || (same ? app.accuracy[m] > app.accuracy[out.subnet] : its < least))
        out.subnet = m, least = its;
    }
    out.fall = cost(seen, place, place.subnet, place.steps) - least;
    return out;
  }

  Move least_total(const Observation& seen) const {
    int most = 0;
    for (const Place& place : places_) most = std::max(most, free_[place.unit]);
    for (int j = 0; j <= most; ++j) {
      Move found;
      for (int i = 0; i < static_cast<int>(places_.size()); ++i) {
        if (j > free_[places_[i].unit]) continue;
        const Move move = best(seen, i, j);
        if (move.fall > kSame && (found.place < 0 || move.fall > found.fall + kSame)) found = move;
      }
      if (found.place >= 0) return found;
    }
    return {};
  }

  Move least_max(const Observation& seen) const {
    Move found;
    double greatest = 0;
    for (int i = 0; i < static_cast<int>(places_.size()); ++i) {
      const double its = cost(seen, places_[i], places_[i].subnet, places_[i].steps);
      if (found.place >= 0 && its <= greatest + kSame) continue;
      for (int j = 0; j <= free_[places_[i].unit]; ++j)
        if (const Move move = best(seen, i, j); move.fall > kSame) {
          found = move;
          greatest = its;
          break;
        }
    }
    return found;
  }

  void write(const Observation& seen, const Place& place, Decision& decision) const {
    const AppView& app = seen.applications[place.app];
    const double share = place.steps * step_[place.unit], target_ms = app.latency_target_ms;
    const double its = cost(seen, place, place.subnet, place.steps);
    const double ms = latency_ms(seen, place, place.subnet) / share;
    if (seen.explain)
      for (int m = 0; m < app.subnets; ++m)
        if (const double there_ms = latency_ms(seen, place, m) / share; there_ms > 0)
          decision.candidates.push_back({app.index, m, place.unit, clocks_.opp(place.unit), there_ms, app.accuracy[m],
                                         seen.profile->energy_mj(app.index, m, place.unit, clocks_.opp(place.unit)),
                                         (target_ms <= 0 || there_ms <= target_ms) &&
                                             app.accuracy[m] >= app.accuracy_floor && fits(seen, place, m)});
    if (place.subnet == app.subnet) return;
    Why why;
    bool no_room = false, better = false;
    for (int m = 0; m < app.subnets; ++m) {
      if (!(latency_ms(seen, place, m) > 0)) continue;
      better = better || app.accuracy[m] > app.accuracy[place.subnet];
      no_room = no_room || (!fits(seen, place, m) && cost(seen, place, m, place.steps) < its - kSame);
    }
    if (no_room)
      why.reason = because("cost {} at a share of {}; what would cost less does not fit beside the {} MB in use", its,
                           share, memory_mb_);
    else if (target_ms > 0)
      why.reason = because("cost {} at a share of {}: {} ms of {} ms", its, share, ms, target_ms);
    else
      why.reason = because("cost {}; no latency target, so a share of {} is enough", its, share);
    if (target_ms > 0) why.margin = 1 - ms / target_ms;
    if (target_ms > 0 && !no_room && (better || ms > target_ms)) {
      why.binding = Constraint::latency;
      why.slack = target_ms - ms;
    }
    decision.set(Knob::subnet, app.index, place.subnet, why);
  }

  Parameters p_;
  ReferenceClocks clocks_;
  std::vector<Place> places_;
  std::vector<double> step_;  // by unit
  std::vector<int> free_;     // by unit: steps not handed out
  double memory_mb_ = 0;      // of the sub-networks chosen
};

const Registration<Policy, NestDnn> registered{
    "nestdnn", "hands out shares of units to the applications whose cost of accuracy and lateness falls most",
    "our reading of NestDNN (MobiCom 2018), from memory of the publication"};

}  // namespace
}  // namespace dynasoc::manager
