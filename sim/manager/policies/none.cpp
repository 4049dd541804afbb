// none: no manager. Sub-networks stay as the scenario sets them and every clock is left to its governor.
#include "manager/policy.hpp"

namespace dynasoc::manager {
namespace {

class None final : public Policy {
 public:
  struct Parameters {
    static constexpr auto fields() { return std::tuple<>{}; }
  };
  explicit None(const Parameters&) {}
  Triggers triggers() const override { return {}; }
  void decide(const Observation&, Decision&) override {}
};

const Registration<Policy, None> registered{"none", "no manager: applications stay as they start, governors set clocks",
                                            "own definition"};

}  // namespace
}  // namespace dynasoc::manager
