// World: background loads come, go and burst. Included by world_impl.hpp alone.
#pragma once

#include "world/background.hpp"
#include "world/world.hpp"

namespace dynasoc {

template <Engine E>
void World<E>::load_arrives(int b) {
  LoadState& load = loads_[b];
  const auto id = static_cast<std::uint32_t>(apps_.size()) + static_cast<std::uint32_t>(b);
  const DemandFile& demand = setup_.background[b].file.demand;
  if (std::holds_alternative<ContinuousDemand>(demand)) {
    tasks_[id].work_ns = std::numeric_limits<double>::infinity();
    tasks_[id].order = now_;
    submit(id);
  } else if (std::holds_alternative<OnOffDemand>(demand)) {
    load.on = false;
    load_phase(b);
  } else {
    load_burst(b);
  }
  if (triggers_.load_change) trigger(manager::Trigger::load_change, setup_.background[b].unit);
}

template <Engine E>
void World<E>::load_leaves(int b) {
  LoadState& load = loads_[b];
  load.owed_ns = 0;
  engine_.cancel(load.timer);
  withdraw(static_cast<std::uint32_t>(apps_.size()) + static_cast<std::uint32_t>(b));
  if (triggers_.load_change) trigger(manager::Trigger::load_change, setup_.background[b].unit);
}

template <Engine E>
void World<E>::load_phase(int b) {
  LoadState& load = loads_[b];
  const auto& demand = std::get<OnOffDemand>(setup_.background[b].file.demand);
  const auto id = static_cast<std::uint32_t>(apps_.size()) + static_cast<std::uint32_t>(b);
  load.on = !load.on;
  if (load.on) {
    tasks_[id].work_ns = std::numeric_limits<double>::infinity();
    tasks_[id].order = now_;
    submit(id);
  } else {
    withdraw(id);
  }
  load.timer = engine_.at(now_ + phase_length(demand, load.stream, load.phases++), Priority::application,
                          {kLoadPhase, static_cast<std::uint32_t>(b)});
}

template <Engine E>
void World<E>::load_burst(int b) {
  LoadState& load = loads_[b];
  const auto& demand = std::get<PeriodicDemand>(setup_.background[b].file.demand);
  const auto id = static_cast<std::uint32_t>(apps_.size()) + static_cast<std::uint32_t>(b);
  if (tasks_[id].running || tasks_[id].waiting) {
    load.owed_ns += demand.work_ms * 1e6;
  } else {
    tasks_[id].work_ns = demand.work_ms * 1e6;
    tasks_[id].order = now_;
    submit(id);
  }
  load.timer =
      engine_.at(now_ + from_ms(demand.period_ms), Priority::application, {kLoadBurst, static_cast<std::uint32_t>(b)});
}

}  // namespace dynasoc
