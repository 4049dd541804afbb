// World: the future, for clairvoyant policies. Included by world_impl.hpp alone.
#pragma once

#include "world/background.hpp"
#include "world/world.hpp"

namespace dynasoc {

template <Engine E>
double World<E>::alone_ms(int a, std::uint64_t frame, int subnet, int unit, int opp) const {
  const Forecast& table = forecast(a, unit, subnet, opp);
  return table.latency_ms * execution_factor(apps_[a], table, frame);
}

template <Engine E>
manager::Future World<E>::future() const {
  manager::Future out;
  out.end = setup_.duration;
  out.steady = setup_.modes.size() == 1 && !setup_.battery;  // of its end a plan knows nothing
  out.warmup = setup_.warmup;
  out.objective = setup_.objective;
  for (std::size_t a = 0; a < apps_.size(); ++a) {
    const AppSetup& setup = setup_.apps[a];
    const AppState& app = apps_[a];
    manager::Future::App& to = out.apps.emplace_back();
    to.driver = app.arrivals.driver();
    to.start = from_s(setup.file.start_s);
    to.stop = app.stop;
    to.think = app.arrivals.think();
    to.parent = setup.parent;
    for (const TargetFile& target : setup.file.targets)
      to.targets.push_back({from_s(target.from_s), target.latency_ms > 0 ? from_ms(target.latency_ms) : kNever});
    to.late = setup.file.late;
    to.queue_limit = static_cast<std::uint32_t>(setup.file.queue_limit);
    to.weight = setup.file.weight;
    to.switch_time = app.switch_time;
    to.switch_energy_j = setup.switch_energy_mj * 1e-3;
    for (const double accuracy : app.record->accuracy) to.best_accuracy = std::max(to.best_accuracy, accuracy);
    if (to.driver != ArrivalDriver::clock) continue;
    Arrivals again(setup.file.arrivals, Stream(setup_.seed, setup.name + "/arrivals", replication_), to.start,
                   setup.trace_s);
    for (Time at = again.next(); at < std::min(app.stop, setup_.duration); at = again.next()) to.arrivals.push_back(at);
  }
  for (std::size_t b = 0; b < setup_.background.size(); ++b) {
    const BackgroundSetup& setup = setup_.background[b];
    const auto [from, to] = presence(setup_, b, setup_.duration);
    const auto add = [&, to = to](Time begin, Time end) {
      if (begin < std::min(end, to)) out.loads.push_back({setup.unit, begin, std::min(end, to), setup.file.weight});
    };
    if (std::holds_alternative<ContinuousDemand>(setup.file.demand)) {
      add(from, to);
    } else if (std::holds_alternative<OnOffDemand>(setup.file.demand)) {
      each_busy_phase(setup_, b, replication_, setup_.duration, add);
    } else {
      // How long a burst lasts depends on who else is there; one application beside it is assumed.
      const auto& bursts = std::get<PeriodicDemand>(setup.file.demand);
      const Time length = from_ms(bursts.work_ms * (1 + 1 / setup.file.weight));
      for (Time at = from; at < to; at += from_ms(bursts.period_ms))
        add(at, std::min(at + length, at + from_ms(bursts.period_ms)));
      out.loads_exact = false;
    }
  }
  for (const auto& [name, domain] : setup_.platform.file.domains)
    out.clocks.push_back({from_us(domain.stall_us), from_ms(domain.settle_ms)});
  for (const UnitState& unit : units_) out.fair.push_back(unit.discipline == Discipline::fair && scheduler_ == nullptr);
  for (const manager::UnitView& unit : unit_views_) out.unit_clock.push_back(unit.domains[0]);
  return out;
}

}  // namespace dynasoc
