// sdrm3: SDRM3's score: urgency, at most 1, and starvation.
//
// Source: SDRM3 (Kim et al., arXiv 2212.03414) as the released code of Dysta (Fan et al., MICRO 2023) has it, which was
// read: its score for one unit, without preferences between units and without energy (see dream for those).
//
//   score = min(1, R / slack) + alpha x idle / next
// The greatest score wins; of equals, the frame that arrived first, then the first application. R is what is left of
// the inference by the tables, slack = deadline - now, idle = now - ran the time since it last had a unit or since its
// arrival, next the time up to the next place where it may be interrupted, all in ms. The first term is 0 without a
// deadline; an R that is not known counts as 0. The second is 0 where next is not above 0 or not known. By `variant`,
// with a deadline:
//   artefact   as written: the first term of a late frame (slack < 0) is negative, the more so the less it is late; it
//              is 1 at slack 0, whatever R
//   corrected  the first term is 1 where slack <= 0, whatever R
#include "manager/scheduling.hpp"

namespace dynasoc::manager {
namespace {

class Sdrm3 final : public SchedulingPolicy {
 public:
  struct Parameters {
    SchedulingVariant variant = SchedulingVariant::corrected;
    double alpha = 1;
    double cost_us = 5;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(
          field(&P::variant, "variant", "artefact: the urgency of a late frame is negative, as released; corrected: 1"),
          field(&P::alpha, "alpha", range(0, 1e6), "weight of starvation"),
          field(&P::cost_us, "cost_us", non_negative(), "compute time of one choice (assumed)"));
    }
  };
  explicit Sdrm3(const Parameters& parameters) : SchedulingPolicy(parameters.cost_us), p_(parameters) {}

  int pick(const Observation& seen, const Vacancy& vacancy) override {
    return greatest(vacancy.claims, [&](const Claim& claim) {
      return urgency(claim, claim.slack_ms(seen.now)) + p_.alpha * quotient(claim.idle_ms(seen.now), claim.next_ms);
    });
  }

 private:
  double urgency(const Claim& claim, double slack_ms) const {
    if (claim.deadline == kNever) return 0;
    if (slack_ms == 0 || (slack_ms < 0 && p_.variant == SchedulingVariant::corrected)) return 1;
    const double remaining_ms = std::isnan(claim.remaining_ms) ? 0 : claim.remaining_ms;
    return std::min(1.0, remaining_ms / slack_ms);
  }

  Parameters p_;
};

const Registration<Policy, Sdrm3> registered{
    "sdrm3", "SDRM3's score: urgency and starvation",
    "SDRM3 (Kim et al., arXiv 2212.03414) as in the released code of Dysta (Fan et al., MICRO 2023), read"};

}  // namespace
}  // namespace dynasoc::manager
