// jetson_clocks: what the script of that name leaves behind: the highest clock that the power mode allows, held.
//
// The script writes each clock's upper limit into its lower limit as well. Here that is the governor `performance`
// under its other name: a policy may still lower limits, as a program with the rights may on a board.
//
// Source: the script's documented effect (static maximum clocks within the present nvpmodel mode).
#include "manager/governor.hpp"

namespace dynasoc::manager {
namespace {

class JetsonClocks final : public Governor {
 public:
  struct Parameters {
    static constexpr auto fields() { return std::tuple<>{}; }
  };
  explicit JetsonClocks(const Parameters&) {}
  int choose(const DomainSample& sample) override { return sample.highest; }
};

const Registration<Governor, JetsonClocks> registered{"jetson_clocks", "the highest clock of the power mode, held",
                                                      "the documented effect of NVIDIA's jetson_clocks"};

}  // namespace
}  // namespace dynasoc::manager
