// powersave: the lowest clock the limits allow (Linux cpufreq and devfreq).
#include "manager/governor.hpp"

namespace dynasoc::manager {
namespace {

class Powersave final : public Governor {
 public:
  struct Parameters {
    static constexpr auto fields() { return std::tuple<>{}; }
  };
  explicit Powersave(const Parameters&) {}
  int choose(const DomainSample& sample) override { return sample.lowest; }
};

const Registration<Governor, Powersave> registered{"powersave", "the lowest clock that the limits allow",
                                                   "Linux cpufreq and devfreq: the documented rule"};

}  // namespace
}  // namespace dynasoc::manager
