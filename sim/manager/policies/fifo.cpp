// fifo: first come, first served: of the frames that want a unit, the one that arrived first.
//
// Of equals, the first application. An inference that was interrupted at the end of a block is the oldest still, so it
// goes on: frames of a unit are served one after the other, each to its end. Nothing else is looked at.
//
// Source: a textbook rule.
#include "manager/scheduling.hpp"

namespace dynasoc::manager {
namespace {

class Fifo final : public SchedulingPolicy {
 public:
  using Parameters = SchedulingCost;
  explicit Fifo(const Parameters& parameters) : SchedulingPolicy(parameters.cost_us) {}

  int pick(const Observation& /*seen*/, const Vacancy& vacancy) override {
    return least(vacancy.claims, [](const Claim& claim) { return claim.arrival; });
  }
};

const Registration<Policy, Fifo> registered{"fifo", "first come, first served, whatever the application",
                                            "a textbook rule"};

}  // namespace
}  // namespace dynasoc::manager
