// edf: earliest deadline first: of the frames that want a unit, the one whose deadline comes first.
//
// A deadline that has passed is the earlier for it. Frames without a deadline come last. Of equals, the frame that
// arrived first, then the first application. It neither admits nor gives up: what is late is the application's `late`.
//
// Source: a textbook rule (Liu and Layland, JACM 1973, from memory).
#include "manager/scheduling.hpp"

namespace dynasoc::manager {
namespace {

class Edf final : public SchedulingPolicy {
 public:
  using Parameters = SchedulingCost;
  explicit Edf(const Parameters& parameters) : SchedulingPolicy(parameters.cost_us) {}

  int pick(const Observation& /*seen*/, const Vacancy& vacancy) override {
    return least(vacancy.claims, [](const Claim& claim) { return claim.deadline; });  // none = kNever, the greatest
  }
};

const Registration<Policy, Edf> registered{"edf", "earliest deadline first",
                                           "a textbook rule; Liu and Layland, JACM 1973, from memory"};

}  // namespace
}  // namespace dynasoc::manager
