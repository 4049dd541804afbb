// lst: least slack time first: of the frames that want a unit, the one that can wait least.
//
// The least (deadline - now) - R wins, R being what is left of the inference by the tables, at the present clocks and
// alone on the unit [ms]. It is negative for a frame that cannot be in time any more: the later, the sooner it runs. A
// frame without a deadline, and one whose R is not known, can wait for ever: infinite, after all others. Of equals, the
// frame that arrived first, then the first application.
//
// Source: a textbook rule (least laxity first), from memory.
#include "manager/scheduling.hpp"

namespace dynasoc::manager {
namespace {

class LeastSlack final : public SchedulingPolicy {
 public:
  using Parameters = SchedulingCost;
  explicit LeastSlack(const Parameters& parameters) : SchedulingPolicy(parameters.cost_us) {}

  int pick(const Observation& seen, const Vacancy& vacancy) override {
    return least(vacancy.claims,
                 [&](const Claim& claim) { return or_infinite(claim.slack_ms(seen.now) - claim.remaining_ms); });
  }
};

const Registration<Policy, LeastSlack> registered{
    "lst", "least slack first: time to the deadline less what is left of the inference",
    "a textbook rule (least laxity first), from memory"};

}  // namespace
}  // namespace dynasoc::manager
