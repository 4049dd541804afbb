// prema: PREMA: waiting earns an application tokens, by its priority; of the frames with enough, the shortest runs.
//
// Source: PREMA (Choi and Rhu, HPCA 2020) as the released code of Dysta's comparison (Fan et al., MICRO 2023) has it,
// which was read. Ours: the wait before a frame is first shown counts, and its token may set the threshold at once (in
// that code both begin with the second choice).
//
// The weight of a frame is 1, 3 or 9 for its application's priority of 0 (or less), 1 or 2 (or more). A frame's token
// is its weight when it is first shown. Then, at every choice and also at that first one, for each claim shown:
//   token += weight x idle / isolated
// where idle = now - ran is the time since it last had a unit, or since its arrival [ms], and isolated is the table's
// time of the whole inference on the unit, at the present clock [ms]; nothing is added where isolated is not above 0 or
// not known. Idle time is counted anew at each choice at which it is shown, as published. The threshold is the largest
// of 9, 3 and 1 that is not above the greatest token of the claims shown. Of the claims whose token has reached it, the
// least R wins, R being what is left of the inference by the tables [ms]; an R that is not known is last of these. Of
// equals, the frame that arrived first, then the first application.
//
// A token is kept by application and frame: an application shows one frame at a time, and when it shows another the
// token begins anew. Having the unit takes none away.
#include <vector>

#include "manager/scheduling.hpp"

namespace dynasoc::manager {
namespace {

class Prema final : public SchedulingPolicy {
 public:
  using Parameters = SchedulingCost;
  explicit Prema(const Parameters& parameters) : SchedulingPolicy(parameters.cost_us) {}

  int pick(const Observation& seen, const Vacancy& vacancy) override {
    if (tokens_.size() < seen.applications.size()) tokens_.resize(seen.applications.size());
    double most = 0;
    for (const Claim& claim : vacancy.claims) {
      Token& token = tokens_[claim.app];
      const double weight = priority_weight(claim.priority);
      if (!token.known || token.frame != claim.frame) token = {true, claim.frame, weight};
      token.value += weight * quotient(claim.idle_ms(seen.now), claim.isolated_ms);
      most = std::max(most, token.value);
    }
    const double threshold = most >= 9 ? 9 : most >= 3 ? 3 : 1;
    return least(vacancy.claims, [&](const Claim& claim) {
      return std::pair(tokens_[claim.app].value < threshold, or_infinite(claim.remaining_ms));
    });
  }

 private:
  struct Token {
    bool known = false;
    std::uint32_t frame = 0;
    double value = 0;
  };
  std::vector<Token> tokens_;  // by application
};

const Registration<Policy, Prema> registered{
    "prema", "PREMA: tokens earned by waiting, by priority; the shortest of those with enough runs",
    "PREMA (Choi and Rhu, HPCA 2020) as in the released code of Dysta (Fan et al., MICRO 2023), read"};

}  // namespace
}  // namespace dynasoc::manager
