// What policies that only schedule (sim/manager/scheduler.hpp) have in common: they write no knobs, and choose the
// claim with the least or greatest of some key, of equals the first in the claims' order (by arrival, then by
// application).
//
// What they call by letters: R = remaining_ms, slack = deadline - now [ms], infinite without a deadline, idle = now -
// ran [ms], next = next_ms, isolated = isolated_ms. A quotient whose divisor is not above 0, or not known (NaN), is 0.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "common/fields.hpp"
#include "manager/policy.hpp"

namespace dynasoc {

namespace manager {
/// Of a rule whose released code does what cannot be meant.
enum class SchedulingVariant : std::uint8_t {
  artefact,   ///< as released
  corrected,  ///< as it must be meant
};
}  // namespace manager

template <>
struct EnumNames<manager::SchedulingVariant> {
  static constexpr std::array<std::pair<std::string_view, manager::SchedulingVariant>, 2> names{
      {{"artefact", manager::SchedulingVariant::artefact}, {"corrected", manager::SchedulingVariant::corrected}}};
};

namespace manager {

/// The parameters of a scheduler that has no others.
struct SchedulingCost {
  double cost_us = 5;
  static constexpr auto fields() {
    using P = SchedulingCost;
    return describe(field(&P::cost_us, "cost_us", non_negative(), "compute time of one choice (assumed)"));
  }
};

/// A policy that only says which inference has a unit next.
class SchedulingPolicy : public Policy, public Scheduler {
 public:
  Triggers triggers() const override { return {}; }
  void decide(const Observation& /*seen*/, Decision& /*decision*/) override {}
  Scheduler* scheduler() final { return this; }
  double pick_cost_us() const final { return cost_us_; }

 protected:
  explicit SchedulingPolicy(double cost_us) : cost_us_(cost_us) {}

  /// The index of the claim with the least key, of equals the first; -1 if there is none. No key may be NaN.
  template <class Key>
  static int least(std::span<const Claim> claims, Key&& key) {
    int best = -1;
    decltype(key(claims[0])) least_key{};
    for (std::size_t i = 0; i < claims.size(); ++i) {
      const auto here = key(claims[i]);
      if (best < 0 || here < least_key) best = static_cast<int>(i), least_key = here;
    }
    return best;
  }

  /// The same with the greatest.
  template <class Key>
  static int greatest(std::span<const Claim> claims, Key&& key) {
    int best = -1;
    decltype(key(claims[0])) greatest_key{};
    for (std::size_t i = 0; i < claims.size(); ++i) {
      const auto here = key(claims[i]);
      if (best < 0 || greatest_key < here) best = static_cast<int>(i), greatest_key = here;
    }
    return best;
  }

  /// What is not known takes for ever.
  static double or_infinite(double ms) { return std::isnan(ms) ? HUGE_VAL : ms; }

  static double quotient(double a, double b) { return b > 0 ? a / b : 0; }

  /// PREMA's: 1, 3, 9 for an application's priority of 0 (or less), 1, 2 (or more).
  static double priority_weight(int priority) { return priority >= 2 ? 9 : priority == 1 ? 3 : 1; }

  /// What the tables say of the whole inference on a unit, at the clock that the last decision saw. One reckoning for
  /// all units, whichever is asked about: with the newest clock of that one alone, each of two free units could be left
  /// free for the other.
  static Profile::Entry whole_on(const Observation& seen, const Claim& claim, int unit) {
    const UnitView& view = seen.units[static_cast<std::size_t>(unit)];
    const DomainView& domain = seen.domains[static_cast<std::size_t>(view.domains[0])];
    return seen.profile->entry(claim.app, claim.subnet, unit, domain.opp);
  }

  /// Share of the inference that is left; 1 where it is not known.
  static double share_left(const Claim& claim) {
    return claim.isolated_ms > 0 && claim.remaining_ms >= 0 ? std::min(1.0, claim.remaining_ms / claim.isolated_ms) : 1;
  }

 private:
  double cost_us_;
};

}  // namespace manager
}  // namespace dynasoc
