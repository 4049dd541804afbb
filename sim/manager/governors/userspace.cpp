// userspace: the last clock that was written, here a parameter (Linux cpufreq and devfreq).
#include <cmath>

#include "manager/governor.hpp"

namespace dynasoc::manager {
namespace {

class Userspace final : public Governor {
 public:
  struct Parameters {
    double mhz = 0;
    static constexpr auto fields() {
      return describe(
          field(&Parameters::mhz, "mhz", non_negative(), "clock to hold: the nearest OPP; 0 = leave it as it is"));
    }
  };
  explicit Userspace(const Parameters& parameters) : p_(parameters) {}

  int choose(const DomainSample& sample) override {
    if (p_.mhz <= 0) return sample.opp;
    int best = 0;
    for (int i = 0; i < static_cast<int>(sample.opps_mhz.size()); ++i)
      if (std::abs(sample.opps_mhz[i] - p_.mhz) < std::abs(sample.opps_mhz[best] - p_.mhz)) best = i;
    return best;
  }

 private:
  Parameters p_;
};

const Registration<Governor, Userspace> registered{"userspace", "a fixed clock",
                                                   "Linux cpufreq and devfreq: the documented rule"};

}  // namespace
}  // namespace dynasoc::manager
