#include "manager/ladder.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace dynasoc::manager {
namespace {

Rung rung_at(const Observation& seen, const AppView& app, int subnet, int unit, int opp) {
  const Profile::Entry table = seen.profile->entry(app.index, subnet, unit, opp);
  const double energy_mj = std::isnan(table.energy_mj) ? std::numeric_limits<double>::infinity() : table.energy_mj;
  return {subnet, unit, opp, table.latency_ms, energy_mj, app.accuracy[static_cast<std::size_t>(subnet)]};
}

bool same(const std::vector<Rung>& a, const std::vector<Rung>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Rung& x, const Rung& y) {
    return x.same_place(y) && x.latency_ms == y.latency_ms && x.energy_mj == y.energy_mj && x.accuracy == y.accuracy;
  });
}

}  // namespace

bool Ladder::refresh(const Observation& seen, const AppView& app, const ReferenceClocks& clocks,
                     const Options& options) {
  all_.clear();
  for (const UnitView& unit : seen.units) {
    if (unit.index != app.unit && !options.mapping) continue;
    OppRange range{clocks.opp(unit.index), clocks.opp(unit.index)};
    if (options.dvfs) range = opp_range(seen, unit);
    for (int subnet = 0; subnet < app.subnets; ++subnet)
      for (int opp = range.first; opp <= range.last; ++opp)
        if (const Rung rung = rung_at(seen, app, subnet, unit.index, opp); rung.latency_ms > 0) all_.push_back(rung);
  }
  auto bounds = std::tie(floor_, energy_mj_, power_w_);
  const auto bounds_now = std::tie(app.accuracy_floor, app.energy_budget_mj, app.power_budget_w);
  if (bounds == bounds_now && same(all_, previous_)) return false;
  bounds = bounds_now;
  previous_ = all_;

  const auto below_floor = [&](const Rung& rung) { return rung.accuracy < floor_; };
  const auto over_budget = [&](const Rung& rung) {
    return (energy_mj_ > 0 && rung.energy_mj > energy_mj_) ||
           (power_w_ > 0 && rung.energy_mj > power_w_ * rung.latency_ms);
  };
  // Erased only if something remains: first those below the floor, of the rest those over a budget.
  if (!std::all_of(all_.begin(), all_.end(), below_floor)) std::erase_if(all_, below_floor);
  if (!std::all_of(all_.begin(), all_.end(), over_budget)) std::erase_if(all_, over_budget);

  std::sort(all_.begin(), all_.end(), [](const Rung& a, const Rung& b) {
    return std::tuple(a.latency_ms, a.energy_mj, -a.accuracy, a.unit, a.opp, a.subnet) <
           std::tuple(b.latency_ms, b.energy_mj, -b.accuracy, b.unit, b.opp, b.subnet);
  });
  // In this order nothing is dominated by what comes after it.
  rungs_.clear();
  for (const Rung& rung : all_)
    if (std::none_of(rungs_.begin(), rungs_.end(), [&](const Rung& better) {
          return better.energy_mj <= rung.energy_mj && better.accuracy >= rung.accuracy;
        }))
      rungs_.push_back(rung);
  return true;
}

int Ladder::nearest(const Rung& like) const {
  int best = -1;
  double best_distance = 0;
  for (int i = 0; i < size(); ++i) {
    const Rung& rung = (*this)[i];
    if (rung.same_place(like)) return i;
    const double distance = like.latency_ms > 0 ? std::abs(std::log(rung.latency_ms / like.latency_ms)) : i;
    const bool preferred =
        best >= 0 && distance == best_distance && rung.subnet == like.subnet && (*this)[best].subnet != like.subnet;
    if (best < 0 || distance < best_distance || preferred) best = i, best_distance = distance;
  }
  return best;
}

double Ladder::greatest_accuracy() const {
  double out = rungs_.empty() ? 0 : rungs_[0].accuracy;
  for (const Rung& rung : rungs_) out = std::max(out, rung.accuracy);
  return out;
}

double Ladder::least_accuracy() const {
  double out = rungs_.empty() ? 0 : rungs_[0].accuracy;
  for (const Rung& rung : rungs_) out = std::min(out, rung.accuracy);
  return out;
}

double Ladder::greatest_energy_mj() const {
  double out = 0;
  for (const Rung& rung : rungs_)
    if (std::isfinite(rung.energy_mj)) out = std::max(out, rung.energy_mj);
  return out;
}

bool Climber::follow(const Observation& seen, const AppView& app, const ReferenceClocks& clocks,
                     const Ladder::Options& options) {
  const bool rebuilt = ladder_.refresh(seen, app, clocks, options);
  const bool elsewhere = index_ < 0 || rung_.subnet != app.subnet || rung_.unit != app.unit;
  if (!rebuilt && !elsewhere) return false;
  // Its own clock by its own account: what is in force may be a faster one that another application asked for. Without
  // `dvfs` the clock is not its own, and a rung is a sub-network on a unit.
  const int opp = options.dvfs && !elsewhere ? rung_.opp : clocks.opp(app.unit);
  const int index = ladder_.nearest(rung_at(seen, app, app.subnet, app.unit, opp));
  if (index < 0)
    index_ = -1;
  else
    put(index);
  return true;
}

void Climber::write(const Observation& seen, const AppView& app, const Why& why, Decision& decision,
                    ClockVotes* votes) const {
  if (index_ < 0) return;
  if (seen.explain)
    for (const Rung& r : ladder_.rungs())
      decision.candidates.push_back({app.index, r.subnet, r.unit, r.opp, r.latency_ms, r.accuracy, r.energy_mj, true});
  if (rung_.unit != app.unit) decision.set(Knob::mapping, app.index, rung_.unit, why);
  if (rung_.subnet != app.subnet) decision.set(Knob::subnet, app.index, rung_.subnet, why);
  if (votes != nullptr) votes->vote(seen.units[rung_.unit], rung_.opp, why);
}

}  // namespace dynasoc::manager
