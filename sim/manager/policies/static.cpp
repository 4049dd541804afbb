// static: one sub-network and one clock for the whole run, as a static DNN ships.
// Source: the static baseline of the Dynamic-OFA evaluation; without a `level`, the choice made offline there: the most
// accurate sub-network whose table latency meets the target.
#include "manager/policy.hpp"

namespace dynasoc::manager {
namespace {

class Static final : public Policy {
 public:
  struct Parameters {
    int level = 0;
    static constexpr auto fields() {
      return describe(
          field(&Parameters::level, "level", range(0, 1000),
                "sub-network of every application (3 is L3); 0 = the most accurate that meets the latency target "
                "by the tables, else the smallest"));
    }
  };
  explicit Static(const Parameters& parameters) : p_(parameters) {}

  Triggers triggers() const override { return {}; }

  void decide(const Observation& seen, Decision& decision) override {
    for (const AppView& app : seen.applications) {
      if (p_.level > 0) {
        const int subnet = std::min(p_.level, app.subnets) - 1;
        decision.set(Knob::subnet, app.index, subnet,
                     Why{.reason = because("fixed level {}", subnet + 1), .binding = Constraint::none});
        continue;
      }
      const int opp = seen.domains[seen.units[app.unit].domains[0]].opp;
      int best = -1;
      double best_ms = 0;
      bool best_meets = false, better_misses = false;
      for (int i = 0; i < app.subnets; ++i) {
        const double ms = seen.profile->latency_ms(app.index, i, app.unit, opp);
        const bool meets = app.latency_target_ms <= 0 || ms <= app.latency_target_ms;
        if (!(ms > 0)) continue;
        if (seen.explain)
          decision.candidates.push_back({app.index, i, app.unit, opp, ms, app.accuracy[i],
                                         seen.profile->energy_mj(app.index, i, app.unit, opp), meets});
        if (best < 0 || (meets && (!best_meets || app.accuracy[i] > app.accuracy[best]))) {
          best = i;
          best_ms = ms;
          best_meets = meets;
        }
      }
      if (best < 0) continue;
      for (int i = 0; i < app.subnets; ++i)
        better_misses = better_misses || (app.accuracy[i] > app.accuracy[best] &&
                                          seen.profile->latency_ms(app.index, i, app.unit, opp) > 0);
      Why why{.reason = because("table latency {} ms, target {} ms", best_ms, app.latency_target_ms)};
      if (app.latency_target_ms > 0) why.margin = 1 - best_ms / app.latency_target_ms;
      if (!best_meets || better_misses) {
        why.binding = Constraint::latency;
        why.slack = app.latency_target_ms - best_ms;
      }
      decision.set(Knob::subnet, app.index, best, why);
    }
  }

 private:
  Parameters p_;
};

const Registration<Policy, Static> registered{"static", "one sub-network for the whole run, chosen offline",
                                              "the static baseline of the Dynamic-OFA evaluation (CVPRW 2021)"};

}  // namespace
}  // namespace dynasoc::manager
