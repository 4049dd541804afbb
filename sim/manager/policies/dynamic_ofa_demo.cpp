// dynamic-ofa-demo: the manager released with Dynamic-OFA (runtime_demo of UoS-EEC/DynamicOFA), a ladder of levels
// climbed down on a latency violation and up on an accuracy violation. No prediction, no DVFS, no mapping.
//
// Source: the rules of the released code, in words. At each level an image counter i starts at 0.
//   - From i = 21 on, latencies are recorded; if the mean of the last 20 recorded exceeds the latency limit, one level
//   down.
//   - From i = 51 on, latencies are counted; once more than 20 are counted and the level's accuracy is below the
//   accuracy
//     limit, one level up. A whole data set without either also ends in one level up.
//   - Leaving the ladder ends the program: the application then refuses its frames.
// variant `artefact` keeps what the code does: latencies of 90 ms and more are never recorded (blind to overload), and
// the sum of the last 20 is divided by 20 even when fewer are recorded. The same data would show launch times, for the
// GPU is not synchronised; a simulator has no such mistake to make. variant `corrected`: every latency is recorded, the
// mean is over what is recorded, a level is held for a dwell time, the ladder's ends are floors rather than exits, an
// upward move that failed is not tried again before `retry_s`, and only an accuracy below its limit leads upwards (the
// end of a data set does not). Not implemented, in either: the released code does not climb while "limit is not 1000"
// does not hold, and which limit that is could not be told.
#include <vector>

#include "manager/policy.hpp"

namespace dynasoc::manager {
namespace {

enum class Variant : std::uint8_t { artefact, corrected };

}  // namespace
}  // namespace dynasoc::manager

template <>
struct dynasoc::EnumNames<dynasoc::manager::Variant> {
  static constexpr std::array<std::pair<std::string_view, dynasoc::manager::Variant>, 2> names{
      {{"artefact", dynasoc::manager::Variant::artefact}, {"corrected", dynasoc::manager::Variant::corrected}}};
};

namespace dynasoc::manager {
namespace {

class DynamicOfaDemo final : public Policy {
 public:
  struct Parameters {
    Variant variant = Variant::corrected;
    std::int64_t dataset_images = 50000;
    double dwell_s = 1;
    double retry_s = 30;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(
          field(&P::variant, "variant", "artefact: as released; corrected: without its mistakes"),
          field(&P::dataset_images, "dataset_images", range(51, 1e9),
                "images after which a run without violation ends (artefact)"),
          field(&P::dwell_s, "dwell_s", non_negative(), "least time at a level (corrected)"),
          field(&P::retry_s, "retry_s", non_negative(), "before a level that was too slow is tried again (corrected)"));
    }
  };
  explicit DynamicOfaDemo(const Parameters& parameters) : p_(parameters) {}

  Triggers triggers() const override { return {.completion = true}; }

  void decide(const Observation& seen, Decision& decision) override {
    if (runs_.empty()) runs_.resize(seen.applications.size());
    if (seen.trigger != Trigger::completion) return;
    const AppView& app = seen.applications[seen.subject];
    Run& run = runs_[seen.subject];
    const Sample& last = app.sample(app.completed - 1);
    if (run.ended) return;
    if (last.subnet != app.subnet) return;  // finished just before a switch took effect
    if (run.level != app.subnet) run = Run{.level = app.subnet, .since = seen.now, .too_slow = run.too_slow};

    const std::int64_t image = run.images++;
    const bool artefact = p_.variant == Variant::artefact;
    if (image >= kFirstRecorded && !(artefact && last.latency_ms >= kDiscardedMs)) {
      run.sum_ms += last.latency_ms - run.window[run.recorded % kWindow];
      run.window[run.recorded++ % kWindow] = last.latency_ms;
    }
    if (image >= kFirstCounted && image <= kLastCounted) ++run.counted;

    if (app.latency_target_ms > 0 && run.recorded > 0) {
      const auto divisor = static_cast<double>(artefact ? kWindow : std::min<std::int64_t>(run.recorded, kWindow));
      const double mean_ms = run.sum_ms / divisor;
      const bool settled = artefact || (run.recorded >= kWindow && seen.now - run.since >= from_s(p_.dwell_s));
      if (settled && mean_ms > app.latency_target_ms) {
        note_too_slow(run, app, seen.now);
        step(run, app, -1,
             {.reason = because("mean of the last 20 latencies {} ms is over {} ms", mean_ms, app.latency_target_ms),
              .binding = Constraint::latency,
              .slack = app.latency_target_ms - mean_ms,
              .margin = 1 - mean_ms / app.latency_target_ms},
             seen.explain, decision);
        return;
      }
    }
    const double accuracy = app.accuracy[app.subnet];
    if (run.counted > kWindow && accuracy < app.accuracy_floor && may_climb(run, app, seen.now)) {
      step(run, app, +1,
           {.reason = because("accuracy {} is below {}", accuracy, app.accuracy_floor),
            .binding = Constraint::accuracy,
            .slack = accuracy - app.accuracy_floor,
            .margin = accuracy / app.accuracy_floor - 1},
           seen.explain, decision);
      return;
    }
    if (artefact && run.images >= p_.dataset_images)
      step(run, app, +1, {.reason = because("the data set of {} images ended without a violation", p_.dataset_images)},
           seen.explain, decision);
  }

 private:
  static constexpr std::int64_t kFirstRecorded = 21;
  static constexpr std::int64_t kFirstCounted = 51;
  static constexpr std::int64_t kLastCounted = 1000;  // as released; counting on would change nothing
  static constexpr std::int64_t kWindow = 20;
  static constexpr double kDiscardedMs = 90;

  struct Run {
    int level = -1;
    Time since = 0;
    std::int64_t images = 0;
    std::int64_t recorded = 0;
    std::int64_t counted = 0;
    double sum_ms = 0;
    std::array<double, kWindow> window{};
    bool ended = false;
    std::vector<Time> too_slow;  // by level: when it was last left for being too slow
  };

  void note_too_slow(Run& run, const AppView& app, Time now) const {
    run.too_slow.resize(static_cast<std::size_t>(app.subnets), -kNever);
    run.too_slow[app.subnet] = now;
  }

  bool may_climb(const Run& run, const AppView& app, Time now) const {
    if (p_.variant == Variant::artefact) return true;
    if (app.subnet + 1 >= app.subnets || now - run.since < from_s(p_.dwell_s)) return false;
    if (run.too_slow.empty() || run.too_slow[app.subnet + 1] == -kNever) return true;
    return now - run.too_slow[app.subnet + 1] >= from_s(p_.retry_s);
  }

  // The candidates are the level it leaves and, if the ladder has it, the one it steps to; it predicts nothing.
  void step(Run& run, const AppView& app, int by, const Why& why, bool explain, Decision& decision) const {
    const int level = app.subnet + by;
    const bool there = level >= 0 && level < app.subnets;
    if (explain && (there || p_.variant == Variant::artefact))
      for (const int subnet : {app.subnet, level})
        if (subnet >= 0 && subnet < app.subnets)
          decision.candidates.push_back({.app = app.index,
                                         .subnet = subnet,
                                         .unit = app.unit,
                                         .accuracy = app.accuracy[subnet],
                                         .feasible = subnet == level});
    if (there) {
      decision.set(Knob::subnet, app.index, level, why);
    } else if (p_.variant == Variant::artefact) {
      run.ended = true;
      decision.set(Knob::admission, app.index, 0,
                   Why{.reason = because("the released loop ends when it leaves the ladder"),
                       .binding = Constraint::ladder,
                       .margin = why.margin});
    }
  }

  Parameters p_;
  std::vector<Run> runs_;
};

const Registration<Policy, DynamicOfaDemo> registered{
    "dynamic-ofa-demo", "the manager released with Dynamic-OFA: a ladder of levels, stepped on violations",
    "the released code, UoS-EEC/DynamicOFA@349461f, read"};

}  // namespace
}  // namespace dynasoc::manager
