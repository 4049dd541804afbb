#include "manager/learning/space.hpp"

#include <algorithm>
#include <cmath>

#include "common/text.hpp"
#include "manager/clocks.hpp"

namespace dynasoc::manager {
namespace {

constexpr double kMost = 4;             // features end here: four targets late is as bad as it gets
constexpr std::uint64_t kAveraged = 8;  // newest frames in a mean and in the share of misses
constexpr std::uint32_t kWaiting = 8;   // frames that count as a full queue
constexpr double kAccuracyPoints = 10;  // that count as 1

double bounded(double x) { return std::isnan(x) ? 0 : std::clamp(x, -kMost, kMost); }
double late(double x) { return std::isnan(x) ? kMost : std::clamp(x, 0.0, kMost); }  // what cannot run never ends

// What latencies are compared with: the target, or where there is none what the largest sub-network takes at best.
double scale_ms(const Observation& seen, const AppView& app) {
  if (app.latency_target_ms > 0) return app.latency_target_ms;
  const int fastest = static_cast<int>(seen.domains[seen.units[app.unit].domains[0]].opps_mhz.size()) - 1;
  const double ms = seen.profile->latency_ms(app.index, app.subnets - 1, app.unit, fastest);
  return ms > 0 ? ms : 1;
}

}  // namespace

Triggers triggers_of(const LearningFile& file) {
  Triggers out;
  out.completion = file.asked == Asked::completion;
  out.arrival = file.asked == Asked::arrival;
  if (file.asked == Asked::period) out.period_ms = file.period_ms;
  return out;
}

std::vector<int> LearningSpace::clocks_of(const Observation& seen, const UnitView& unit) const {
  const OppRange range = opp_range(seen, unit);
  const int steps = range.last - range.first, count = std::min(file_.clocks, steps + 1);
  std::vector<int> out;
  for (int i = 0; i < count; ++i)
    out.push_back(count == 1
                      ? range.last
                      : range.first + static_cast<int>(std::lround(static_cast<double>(i * steps) / (count - 1))));
  return out;
}

LearningSpace::LearningSpace(const LearningFile& file, const Observation& seen) : file_(file) {
  std::vector<bool> used(seen.units.size(), file.units);
  for (const AppView& app : seen.applications) {
    used[app.unit] = true;
    if (file.subnets && app.subnets > 1) {
      Head head{Knob::subnet, app.index, app.name + ".subnet", {}};
      for (int i = 0; i < app.subnets; ++i) head.values.push_back(i);
      heads_.push_back(std::move(head));
    }
    if (file.units) {
      Head head{Knob::mapping, app.index, app.name + ".unit", {}};
      for (const UnitView& unit : seen.units)
        for (int subnet = 0; subnet < app.subnets; ++subnet)
          if (seen.profile->latency_ms(app.index, subnet, unit.index, seen.domains[unit.domains[0]].opp) > 0) {
            head.values.push_back(unit.index);
            break;
          }
      if (head.values.size() > 1) heads_.push_back(std::move(head));
    }
  }
  if (!file.clock_units.empty()) {
    used.assign(seen.units.size(), false);
    std::vector<std::string> known;
    for (const UnitView& unit : seen.units) known.push_back(unit.name);
    for (const Name& name : file.clock_units) {
      const auto at = std::find(known.begin(), known.end(), name.text);
      if (at == known.end())
        throw name.where.error("unknown processing unit " + in_quotes(name.text) + hint(name.text, known));
      used[static_cast<std::size_t>(at - known.begin())] = true;
    }
  }
  for (const UnitView& unit : seen.units) {
    if (!used[unit.index]) continue;
    Head head{Knob::frequency, unit.index, unit.name + ".clock", clocks_of(seen, unit)};
    if (head.values.size() > 1) heads_.push_back(std::move(head));
  }
  if (heads_.empty())
    throw InputError("a learner has nothing to decide here: no sub-networks, units or clocks to choose from");

  for (const UnitView& unit : seen.units) clocks_.push_back(clocks_of(seen, unit));

  // The names say what `observe` writes, in its order.
  std::size_t clocks = 0;
  for (const auto& of_unit : clocks_) clocks = std::max(clocks, of_unit.size());
  for (const AppView& app : seen.applications) {
    for (const char* what : {"subnet", "switching", "latency", "latency_mean", "slowdown", "missed", "waiting",
                             "oldest_wait", "above_floor", "active"})
      features_.push_back(app.name + "." + what);
    for (int i = 0; i < app.subnets; ++i) features_.push_back(app.name + ".L" + std::to_string(i + 1) + ".latency");
    for (std::size_t c = 0; c < clocks; ++c)
      for (const char* what : {".latency", ".energy"})
        features_.push_back(app.name + ".clock" + std::to_string(c + 1) + what);
    if (seen.applications.size() > 1) features_.push_back(app.name + ".asked");
  }
  for (const UnitView& unit : seen.units) features_.push_back(unit.name + ".utilisation");
  for (const DomainView& domain : seen.domains)
    for (const char* what : {"opp", "highest", "governed"}) features_.push_back(domain.name + "." + what);
  features_.push_back("temperature");
}

void LearningSpace::observe(const Observation& seen, float* out) const {
  const auto put = [&out](double x) { *out++ = static_cast<float>(x); };
  std::size_t clocks = 0;
  for (const auto& of_unit : clocks_) clocks = std::max(clocks, of_unit.size());
  for (const AppView& app : seen.applications) {
    const double target_ms = scale_ms(seen, app);
    const std::uint64_t averaged = std::min(app.completed, kAveraged);
    double latency_ms = 0, slowdown = 0, missed = 0;
    for (std::uint64_t n = app.completed - averaged; n < app.completed; ++n) {
      const Sample& sample = app.sample(n);
      latency_ms += sample.latency_ms;
      slowdown += sample.profile_ms > 0 ? sample.service_ms / sample.profile_ms : 1;
      missed += sample.missed;
    }
    if (averaged > 0) {
      latency_ms /= static_cast<double>(averaged);
      slowdown /= static_cast<double>(averaged);
      missed /= static_cast<double>(averaged);
    } else {
      slowdown = 1;
    }
    const Sample* last = app.completed > 0 ? &app.sample(app.completed - 1) : nullptr;

    put(app.subnets > 1 ? static_cast<double>(app.subnet) / (app.subnets - 1) : 0);
    put(last != nullptr && last->subnet != app.subnet);
    put(last != nullptr ? late(last->latency_ms / target_ms) : 0);
    put(late(latency_ms / target_ms));
    put(bounded(slowdown - 1));
    put(missed);
    put(static_cast<double>(std::min(app.waiting, kWaiting)) / kWaiting);
    put(late(app.oldest_wait_ms / target_ms));
    put(app.accuracy_floor > 0 ? bounded((app.accuracy[app.subnet] - app.accuracy_floor) / kAccuracyPoints) : 0);
    put(app.active);

    // What the tables expect of other choices, slowed down as the newest frames were.
    const UnitView& unit = seen.units[app.unit];
    const int opp = seen.domains[unit.domains[0]].opp;
    for (int i = 0; i < app.subnets; ++i)
      put(late(seen.profile->latency_ms(app.index, i, app.unit, opp) * slowdown / target_ms));
    const auto& choices = clocks_[app.unit];
    const double most_mj =
        choices.empty() ? 0 : seen.profile->energy_mj(app.index, app.subnet, app.unit, choices.back());
    for (std::size_t c = 0; c < clocks; ++c) {
      if (c >= choices.size()) {
        put(0), put(0);
        continue;
      }
      const Profile::Entry entry = seen.profile->entry(app.index, app.subnet, app.unit, choices[c]);
      put(late(entry.latency_ms * slowdown / target_ms));
      put(most_mj > 0 ? bounded(entry.energy_mj / most_mj) : 0);
    }
    if (seen.applications.size() > 1)
      put((seen.trigger == Trigger::arrival || seen.trigger == Trigger::completion) && seen.subject == app.index);
  }
  for (const UnitView& unit : seen.units) put(bounded(unit.utilisation));
  for (const DomainView& domain : seen.domains) {
    const double opps = std::max(1.0, static_cast<double>(domain.opps_mhz.size()) - 1);
    put(domain.opp / opps);
    put(domain.highest / opps);
    put(domain.governed);
  }
  double hottest_c = 0;
  for (const double c : seen.temperatures_c)
    if (c > hottest_c) hottest_c = c;
  put(bounded(hottest_c / 100));
}

void LearningSpace::write(const Observation& seen, std::span<const std::int64_t> choices, std::span<const Why> why,
                          Decision& out) const {
  for (std::size_t h = 0; h < heads_.size(); ++h) {
    const Head& head = heads_[h];
    const std::int64_t choice = choices[h];
    if (choice < 0 || choice >= static_cast<std::int64_t>(head.values.size()))
      throw InputError(head.name + ": there is no choice " + std::to_string(choice) + ", but 0 to " +
                       std::to_string(head.values.size() - 1));
    const int value = head.values[static_cast<std::size_t>(choice)];
    switch (head.knob) {
      case Knob::subnet:
        if (seen.applications[head.target].subnet != value) out.set(head.knob, head.target, value, why[h]);
        break;
      case Knob::mapping:
        if (seen.applications[head.target].unit != value) out.set(head.knob, head.target, value, why[h]);
        break;
      default:
        for (const int d : seen.units[head.target].domains)
          if (seen.domains[d].governed || seen.domains[d].requested != value) out.set(head.knob, d, value, why[h]);
        break;
    }
  }
}

}  // namespace dynasoc::manager
