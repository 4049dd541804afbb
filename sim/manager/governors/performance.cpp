// performance: the highest clock the limits allow (Linux cpufreq and devfreq).
#include "manager/governor.hpp"

namespace dynasoc::manager {
namespace {

class Performance final : public Governor {
 public:
  struct Parameters {
    static constexpr auto fields() { return std::tuple<>{}; }
  };
  explicit Performance(const Parameters&) {}
  int choose(const DomainSample& sample) override { return sample.highest; }
};

const Registration<Governor, Performance> registered{"performance", "the highest clock that the limits allow",
                                                     "Linux cpufreq and devfreq: the documented rule"};

}  // namespace
}  // namespace dynasoc::manager
