// staircase: one operating point up when the busiest core had too much to do, one down when it had too little.
// Source: an example; nobody published it.
#include "manager/governor.hpp"

namespace dynasoc::manager {
namespace {

class Staircase final : public Governor {
 public:
  struct Parameters {
    double period = 20;
    int up = 80;
    int down = 40;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(field(&P::period, "period", range(1e-3, 1e6), "time between samples [ms]"),
                      field(&P::up, "up", range(1, 100), "load above which the clock goes up [%]"),
                      field(&P::down, "down", range(0, 99), "load below which it goes down [%]"));
    }
  };
  explicit Staircase(const Parameters& parameters) : p_(parameters) {}

  double period_ms() const override { return p_.period; }

  int choose(const DomainSample& sample) override {
    if (sample.ask != Ask::sample) return sample.opp;  // the run begins, or limits have changed
    const int load = load_percent(sample.busy(), sample.now - sample.since);
    if (load > p_.up) return sample.opp + 1;  // whoever asks clamps it to the limits
    if (load < p_.down) return sample.opp - 1;
    return sample.opp;
  }

 private:
  Parameters p_;
};

const Registration<Governor, Staircase> registered{"staircase", "one operating point at a time", "an example"};

}  // namespace
}  // namespace dynasoc::manager
