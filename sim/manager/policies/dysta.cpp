// dysta: Dysta: the least of what is left of an inference, a little of its spare time and a little of its wait.
//
// Source: Dysta (Fan et al., MICRO 2023), its released code read. There gamma corrects the table's time by the sparsity
// measured in the last layer over the average one. Dense networks have none: here gamma is what the inference took so
// far over what the tables say of that part (its stretch), so it corrects for everything that makes it slower.
//
//   score = gamma R + beta (max(0, slack - gamma R) + (idle / isolated) / n)
// The least score wins; of equals, the frame that arrived first, then the first application. R is what is left of the
// inference by the tables, slack = deadline - now, idle = now - ran the time since it last had a unit or since its
// arrival, isolated the table's time of the whole inference, all in ms; n is the number of claims. The wait counts
// against a frame, as released. gamma is 1 before its first block, and where the stretch is not above 0 or not known;
// idle / isolated is 0 where isolated is not above 0 or not known. A late frame (slack <= 0) has no spare time, and
// needs no special case. A frame without a deadline has an infinite score: it comes after all that have one, and among
// those the least gamma R wins. One whose R is not known comes after these.
#include "manager/scheduling.hpp"

namespace dynasoc::manager {
namespace {

class Dysta final : public SchedulingPolicy {
 public:
  struct Parameters {
    double beta = 0.01;
    double cost_us = 5;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(field(&P::beta, "beta", range(0, 1e6), "weight of spare time and of the wait"),
                      field(&P::cost_us, "cost_us", non_negative(), "compute time of one choice (assumed)"));
    }
  };
  explicit Dysta(const Parameters& parameters) : SchedulingPolicy(parameters.cost_us), p_(parameters) {}

  int pick(const Observation& seen, const Vacancy& vacancy) override {
    const double claims = static_cast<double>(vacancy.claims.size());
    return least(vacancy.claims, [&](const Claim& claim) {
      enum Class { in_time, no_deadline, unknown };
      const double left_ms = (claim.stretch > 0 ? claim.stretch : 1) * claim.remaining_ms;
      if (std::isnan(left_ms)) return std::pair(unknown, 0.0);
      if (claim.deadline == kNever) return std::pair(no_deadline, left_ms);
      const double spare_ms = std::max(0.0, claim.slack_ms(seen.now) - left_ms);
      const double wait = quotient(claim.idle_ms(seen.now), claim.isolated_ms) / claims;
      return std::pair(in_time, or_infinite(left_ms + p_.beta * (spare_ms + wait)));
    });
  }

 private:
  Parameters p_;
};

const Registration<Policy, Dysta> registered{
    "dysta", "Dysta: the least of what is left, corrected by what was measured, plus a little spare time and wait",
    "Dysta (Fan et al., MICRO 2023), its released code read; sparsity replaced by measured over table time"};

}  // namespace
}  // namespace dynasoc::manager
