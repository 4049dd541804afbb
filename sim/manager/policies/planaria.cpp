// planaria: Planaria's score: priority over the time that is left to the deadline.
//
// Source: Planaria (Ghodrati et al., MICRO 2020) as the released code of Dysta (Fan et al., MICRO 2023) has it, which
// was read.
//
//   score = weight / (slack x resources)
// The greatest score wins; of equals, the frame that arrived first, then the first application. The weight is 1, 3 or 9
// for the application's priority of 0 (or less), 1 or 2 (or more); slack = deadline - now [ms]; resources is the share
// of the accelerator that the frame would have, 1 where a unit runs one inference at a time, as here. A frame without a
// deadline has score 0. How long the inference takes is not looked at. By `variant`:
//   artefact   as written: the score of a late frame (slack < 0) is negative, so it starves behind all others; at
//              slack 0 it is infinite
//   corrected  a late frame (slack <= 0) has an infinite score; among several of those the greatest weight wins, then
//              the least slack
#include <tuple>

#include "manager/scheduling.hpp"

namespace dynasoc::manager {
namespace {

class Planaria final : public SchedulingPolicy {
 public:
  struct Parameters {
    SchedulingVariant variant = SchedulingVariant::corrected;
    double cost_us = 5;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(field(&P::variant, "variant",
                            "artefact: the score of a late frame is negative, as released; corrected: infinite"),
                      field(&P::cost_us, "cost_us", non_negative(), "compute time of one choice (assumed)"));
    }
  };
  explicit Planaria(const Parameters& parameters) : SchedulingPolicy(parameters.cost_us), p_(parameters) {}

  int pick(const Observation& seen, const Vacancy& vacancy) override {
    return greatest(vacancy.claims, [&](const Claim& claim) {
      const double weight = priority_weight(claim.priority), slack_ms = claim.slack_ms(seen.now);
      using Key = std::tuple<double, double, double>;  // the score, and what decides between infinite ones
      if (claim.deadline == kNever) return Key{0, 0, 0};
      if (slack_ms > 0) return Key{weight / slack_ms, 0, 0};
      if (p_.variant == SchedulingVariant::corrected) return Key{HUGE_VAL, weight, -slack_ms};
      return Key{slack_ms < 0 ? weight / slack_ms : HUGE_VAL, 0, 0};
    });
  }

 private:
  Parameters p_;
};

const Registration<Policy, Planaria> registered{
    "planaria", "Planaria's score: priority over the time left to the deadline",
    "Planaria (Ghodrati et al., MICRO 2020) as in the released code of Dysta (Fan et al., MICRO 2023), read"};

}  // namespace
}  // namespace dynasoc::manager
