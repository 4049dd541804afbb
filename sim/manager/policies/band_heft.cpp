// band-heft: Band's HEFT: the frame whose earliest end is the furthest away chooses its unit first.
//
// Source: Band (Jeong et al., MobiSys 2022): its released scheduler was read. Read there: the frame whose shortest
// expected latency is the largest goes first, queues count, a frame whose best unit is busy waits for it and the unit's
// time is reserved, and estimates are means with a weight of 0.1. Ours: frames are not split into subgraphs, which a
// unit of the simulator cannot run separately. Its other scheduler (SEL, shortest expected latency) takes frames in the
// same order but puts them into a unit's queue even where the unit is busy; here units have no queues, a frame goes to
// a unit only when that is free, and so the two cannot be told apart: there is no `variant`.
//
// It roams: a frame that has not begun may be moved to another unit. At each choice, beginning with reserved(u) =
// free_in_ms(u) for all units:
//   time(c,u)   = ratio(c,u) x L(c,u) x share left, where L is the table's latency of the whole inference at the clocks
//                 that the last decision saw (of one frame, though several may be served together), and the share left
//                 is remaining_ms / isolated_ms (at most 1; 1 where it is not known)
//   finish(c,u) = reserved(u) + time(c,u), for units that claim c may run on and L is known for (above 0)
//   (1) each claim's unit is the one of its least finish (of equals the first)
//   (2) the claim whose least finish is the greatest is taken (of equals the first)
//   (3) if its unit is the one asked about, and free (its free_in_ms is 0, and nothing was reserved on it in this
//      choice), it is picked; else reserved(its unit) becomes its finish there, and it goes on at (1) with the others
// Without a claim left at (1), the first of those whose time is known nowhere that may run on the unit asked about is
// picked, if that is free as in (3); else none is (-1): those that remain wait for a better unit.
//
// The ratio of measured to table time is kept by application, sub-network and unit. It begins at 1; each finished
// inference moves it by `smoothing` of the difference to service time / (table time x batch factor). Service time is
// from start to result: time for which an inference was interrupted, or shared its unit, counts.
#include <vector>

#include "manager/clocks.hpp"
#include "manager/scheduling.hpp"

namespace dynasoc::manager {
namespace {

class BandHeft final : public SchedulingPolicy {
 public:
  struct Parameters {
    double smoothing = 0.1;
    double cost_us = 5;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(
          field(&P::smoothing, "smoothing", range(0, 1), "weight of a new measurement of an inference's time"),
          field(&P::cost_us, "cost_us", non_negative(), "compute time of one choice (assumed)"));
    }
  };
  explicit BandHeft(const Parameters& parameters) : SchedulingPolicy(parameters.cost_us), p_(parameters) {}

  // It is asked so as to see samples and clocks; what it learns of them costs next to nothing.
  Triggers triggers() const override { return {.completion = true}; }
  void decide(const Observation& seen, Decision& /*decision*/) override { learn(seen); }
  bool roams() const override { return true; }

  int pick(const Observation& seen, const Vacancy& vacancy) override {
    learn(seen);
    const std::size_t units = vacancy.free_in_ms.size();
    reserved_ms_.assign(vacancy.free_in_ms.begin(), vacancy.free_in_ms.end());
    time_ms_.resize(vacancy.claims.size() * units);
    waits_.assign(vacancy.claims.size(), true);
    for (std::size_t i = 0; i < vacancy.claims.size(); ++i)
      for (std::size_t u = 0; u < units; ++u)
        time_ms_[i * units + u] =
            vacancy.may(i, u) ? expected_ms(seen, vacancy.claims[i], static_cast<int>(u)) : HUGE_VAL;
    const std::size_t asked = static_cast<std::size_t>(vacancy.unit);
    for (;;) {
      std::size_t first = waits_.size(), its_unit = 0;
      double its_finish_ms = 0;
      for (std::size_t i = 0; i < waits_.size(); ++i) {
        if (!waits_[i]) continue;
        std::size_t unit = 0;
        double finish_ms = HUGE_VAL;
        for (std::size_t u = 0; u < units; ++u)
          if (reserved_ms_[u] + time_ms_[i * units + u] < finish_ms)
            unit = u, finish_ms = reserved_ms_[u] + time_ms_[i * units + u];
        if (finish_ms == HUGE_VAL) continue;
        if (first == waits_.size() || finish_ms > its_finish_ms) first = i, its_unit = unit, its_finish_ms = finish_ms;
      }
      if (first == waits_.size()) return unknown_claim(vacancy, asked);
      if (its_unit == asked && !(reserved_ms_[asked] > 0)) return static_cast<int>(first);
      reserved_ms_[its_unit] = its_finish_ms;
      waits_[first] = false;
    }
  }

 private:
  struct App {
    std::uint64_t learnt = 0;
    std::vector<double> ratio;  // by sub-network, then unit
  };

  void learn(const Observation& seen) {
    if (apps_.size() != seen.applications.size()) {
      apps_.assign(seen.applications.size(), {});
      for (const AppView& app : seen.applications)
        apps_[app.index].ratio.assign(static_cast<std::size_t>(app.subnets) * seen.units.size(), 1.0);
    }
    for (const AppView& app : seen.applications) {
      App& state = apps_[app.index];
      each_new_sample(app, state.learnt, [&](const Sample& sample) {
        const double measured = sample.service_ms / sample.profile_ms;
        if (!(measured > 0) || !std::isfinite(measured)) return;
        double& ratio = state.ratio[static_cast<std::size_t>(sample.subnet) * seen.units.size() + sample.unit];
        ratio += p_.smoothing * (measured - ratio);
      });
    }
  }

  // On a unit alone; infinite where the tables do not tell.
  double expected_ms(const Observation& seen, const Claim& claim, int unit) const {
    const double whole_ms = whole_on(seen, claim, unit).latency_ms;
    if (!(whole_ms > 0)) return HUGE_VAL;
    const double ratio = apps_[claim.app].ratio[static_cast<std::size_t>(claim.subnet) * seen.units.size() + unit];
    return ratio * whole_ms * share_left(claim);
  }

  // Nobody would choose it by time, and it shall not wait for ever.
  int unknown_claim(const Vacancy& vacancy, std::size_t asked) const {
    const std::size_t units = vacancy.free_in_ms.size();
    if (reserved_ms_[asked] > 0) return -1;
    for (std::size_t i = 0; i < waits_.size(); ++i)
      if (waits_[i] && vacancy.may(i, asked) &&
          std::all_of(time_ms_.begin() + i * units, time_ms_.begin() + (i + 1) * units,
                      [](double ms) { return ms == HUGE_VAL; }))
        return static_cast<int>(i);
    return -1;
  }

  Parameters p_;
  std::vector<App> apps_;
  std::vector<double> reserved_ms_;  // by unit
  std::vector<double> time_ms_;      // by claim, then unit; infinite where it may not run
  std::vector<std::uint8_t> waits_;  // by claim: it has no unit yet in this choice
};

const Registration<Policy, BandHeft> registered{
    "band-heft", "Band's HEFT: of the frames' earliest ends on any unit, the furthest away chooses first",
    "Band (Jeong et al., MobiSys 2022), its released scheduler read; without its subgraphs"};

}  // namespace
}  // namespace dynasoc::manager
