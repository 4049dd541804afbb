// A policy whose decisions a test writes as a lambda. It is registered in the test's own program only, as `test-hook`.
#pragma once

#include <functional>
#include <utility>

#include "manager/policy.hpp"

namespace dynasoc::test {

using PolicyHook = std::function<void(const manager::Observation&, manager::Decision&)>;

/// What `test-hook` does when asked; set it with `HookPolicy`.
inline PolicyHook& policy_hook() {
  static PolicyHook hook;
  return hook;
}

/// In force while it lives. One run at a time: not for several threads.
class HookPolicy {
 public:
  explicit HookPolicy(PolicyHook hook) { policy_hook() = std::move(hook); }
  ~HookPolicy() { policy_hook() = nullptr; }
  HookPolicy(const HookPolicy&) = delete;
  HookPolicy& operator=(const HookPolicy&) = delete;
};

class HookedPolicy final : public manager::Policy {
 public:
  struct Parameters {
    double period_ms = 0;
    bool arrival = false;
    bool completion = false;
    bool target_change = false;
    bool load_change = false;
    bool thermal_trip = false;
    double cost_us = 0;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(
          field(&P::period_ms, "period_ms", non_negative(), "trigger"), field(&P::arrival, "arrival", "trigger"),
          field(&P::completion, "completion", "trigger"), field(&P::target_change, "target_change", "trigger"),
          field(&P::load_change, "load_change", "trigger"), field(&P::thermal_trip, "thermal_trip", "trigger"),
          field(&P::cost_us, "cost_us", non_negative(), "compute time"));
    }
  };
  explicit HookedPolicy(const Parameters& parameters) : p_(parameters) {}

  manager::Triggers triggers() const override {
    return {.period_ms = p_.period_ms,
            .arrival = p_.arrival,
            .completion = p_.completion,
            .target_change = p_.target_change,
            .load_change = p_.load_change,
            .thermal_trip = p_.thermal_trip};
  }
  double compute_cost_us() const override { return p_.cost_us; }
  void decide(const manager::Observation& seen, manager::Decision& decision) override {
    if (policy_hook()) policy_hook()(seen, decision);
  }

 private:
  Parameters p_;
};

inline const manager::Registration<manager::Policy, HookedPolicy> hooked_policy_registered{
    "test-hook", "does what a test tells it to", "a test"};

}  // namespace dynasoc::test
