// streak: one sub-network down after some misses in a row, one up after many frames in a row that left room to spare.
// Source: an example; nobody published it.
#include <algorithm>
#include <vector>

#include "manager/policy.hpp"

namespace dynasoc::manager {
namespace {

class Streak final : public Policy {
 public:
  struct Parameters {
    int down = 2;
    int up = 30;
    double headroom = 0.15;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(
          field(&P::down, "down", range(1, 1000), "misses in a row before a step down"),
          field(&P::up, "up", range(1, 1e6), "frames in a row with room to spare before a step up"),
          field(&P::headroom, "headroom", range(0, 0.9), "share of the target that counts as room to spare"));
    }
  };
  explicit Streak(const Parameters& parameters) : p_(parameters) {}

  Triggers triggers() const override { return {.completion = true}; }

  void decide(const Observation& seen, Decision& decision) override {
    counts_.resize(seen.applications.size());
    if (seen.trigger != Trigger::completion) return;  // the call at the start: nothing is known yet
    const AppView& app = seen.applications[seen.subject];
    const Sample& last = app.sample(app.completed - 1);
    if (last.subnet != app.subnet || app.latency_target_ms <= 0) return;

    Count& count = counts_[app.index];
    const double room = 1 - last.latency_ms / app.latency_target_ms;
    count.missed = last.missed ? count.missed + 1 : 0;
    count.easy = room >= p_.headroom ? count.easy + 1 : 0;
    int step = 0;
    if (count.missed >= p_.down && app.subnet > 0) step = -1;
    if (count.easy >= p_.up && app.subnet + 1 < app.subnets) step = +1;
    if (step == 0) return;
    decision.set(Knob::subnet, app.index, app.subnet + step,
                 because("{} misses and {} easy frames in a row", count.missed, count.easy), room);
    count = {};
  }

 private:
  struct Count {
    int missed = 0;
    int easy = 0;
  };
  Parameters p_;
  std::vector<Count> counts_;  // by application
};

const Registration<Policy, Streak> registered{"streak", "steps on misses in a row", "an example"};

}  // namespace
}  // namespace dynasoc::manager
