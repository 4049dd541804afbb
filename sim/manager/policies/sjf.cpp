// sjf: shortest job first: of the frames that want a unit, the one of which least is left.
//
// The least R wins, R being what is left of the inference by the tables, at the present clocks and alone on the unit
// [ms]. An R that is not known is last. Of equals, the frame that arrived first, then the first application. Deadlines
// are not looked at, and a long inference may wait for ever.
//
// Source: a textbook rule (shortest remaining time).
#include "manager/scheduling.hpp"

namespace dynasoc::manager {
namespace {

class ShortestJob final : public SchedulingPolicy {
 public:
  using Parameters = SchedulingCost;
  explicit ShortestJob(const Parameters& parameters) : SchedulingPolicy(parameters.cost_us) {}

  int pick(const Observation& /*seen*/, const Vacancy& vacancy) override {
    return least(vacancy.claims, [](const Claim& claim) { return or_infinite(claim.remaining_ms); });
  }
};

const Registration<Policy, ShortestJob> registered{"sjf", "shortest job first, by what is left of it",
                                                   "a textbook rule (shortest remaining time)"};

}  // namespace
}  // namespace dynasoc::manager
