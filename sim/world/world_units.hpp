// World: claims on units, who runs next, and what each is charged for. Included by world_impl.hpp alone.
#pragma once

#include "world/world.hpp"

namespace dynasoc {

template <Engine E>
bool World<E>::more_urgent(const UnitState& unit, const Task& a, const Task& b) const {
  if (unit.discipline == Discipline::priority && a.priority != b.priority) return a.priority > b.priority;
  if (unit.discipline == Discipline::edf && a.deadline != b.deadline) return a.deadline < b.deadline;
  return a.order < b.order;
}

template <Engine E>
void World<E>::submit(std::uint32_t id) {
  Task& task = tasks_[id];
  UnitState& unit = units_[task.unit];
  if (scheduler_ != nullptr && id < apps_.size()) {
    task.ran = task.order;
    task.waiting = true;
    unit.waiting.push_back(id);
    schedule_soon();
    return;
  }
  if (unit.discipline == Discipline::fair || (unit.running == 0 && !unit.choosing)) {
    begin(id);
    return;
  }
  if (unit.preemptive && !unit.choosing && unit.discipline != Discipline::fifo &&
      more_urgent(unit, task, tasks_[unit.tasks[0]]) &&
      engine_.remaining(tasks_[unit.tasks[0]].activity) > kCompletionSlackNs) {
    const std::uint32_t other = unit.tasks[0];
    interrupt(other);
    begin(id);
    return;
  }
  task.waiting = true;
  unit.waiting.push_back(id);
}

template <Engine E>
void World<E>::begin(std::uint32_t id) {
  Task& task = tasks_[id];
  UnitState& unit = units_[task.unit];
  sync(unit);
  if (id < apps_.size()) {
    AppState& app = apps_[id];
    const Forecast& now = forecast(static_cast<int>(id), task.unit, app.loaded, unit.opp);
    task.rate = task.reference_ms / now.latency_ms;
    task.power_w = std::isnan(now.above_idle_w) ? unit.above_idle_w : now.above_idle_w;
    if (app.started == kNever) app.started = now_;
    if (scheduler_ != nullptr) unit.inside = static_cast<int>(id);
  } else {
    const double factor = id == manager_task_ ? 1 : setup_.background[id - apps_.size()].file.power_factor;
    task.power_w = factor * unit.above_idle_w;
  }
  task.running = true;
  task.began = now_;
  task.share_mark = unit.share;
  task.place = static_cast<std::uint32_t>(unit.tasks.size());
  unit.tasks.push_back(id);
  unit.weights.add(task.weight);
  unit.weighted_power.add(task.weight * task.power_w);
  ++unit.running;
  // The manager's own microseconds are not counted as company.
  if (id != manager_task_ && unit.running > 1) {
    task.disturbed = true;
    if (unit.running == 2) tasks_[unit.tasks[0]].disturbed = true;
  }
  if (unit.slowdown > 1) task.disturbed = true;
  update_capacity(unit);
  if constexpr (kReal)
    begin_real(id);
  else
    task.activity = engine_.start(unit.processor, task.work_ns, task.weight, engine_rate(task), {kDone, id});
  if (unit.hurts && unit.running == 1) contention_changed(task.unit);
  if (unit.running == 1 && !unit.watchers.empty())
    load_changed(unit, id < apps_.size() && setup_.apps[id].file.io_wait && task.order == now_);
  power_changed(unit);
}

template <Engine E>
void World<E>::settle_energy(std::uint32_t id) {
  Task& task = tasks_[id];
  UnitState& unit = units_[task.unit];
  const double energy_j = task.weight * task.power_w * (unit.share - task.share_mark);
  if constexpr (kReal) task.alone_s += task.weight * (unit.share - task.share_mark);
  task.share_mark = unit.share;
  task.energy_j += energy_j;
  (id < apps_.size() ? unit.jobs_j : unit.loads_j) += energy_j;
}

template <Engine E>
void World<E>::finish(std::uint32_t id) {
  Task& task = tasks_[id];
  UnitState& unit = units_[task.unit];
  sync(unit);
  settle_energy(id);
  task.running = false;
  task.ran = now_;
  task.ran_ns += static_cast<double>(now_ - task.began);
  if (unit.inside == static_cast<int>(id)) unit.inside = -1;
  const std::uint32_t last = unit.tasks.back();
  unit.tasks[task.place] = last;
  tasks_[last].place = task.place;
  unit.tasks.pop_back();
  if (--unit.running == 0) {
    unit.weights.reset();
    unit.weighted_power.reset();
    unit.share = 0;
  } else {
    unit.weights.add(-task.weight);
    unit.weighted_power.add(-task.weight * task.power_w);
  }
  update_capacity(unit);
  if (unit.hurts && unit.running == 0) contention_changed(task.unit);
  if (unit.running == 0 && !unit.watchers.empty()) load_changed(unit, false);
  power_changed(unit);
}

template <Engine E>
void World<E>::interrupt(std::uint32_t id) {
  Task& task = tasks_[id];
  task.work_ns = engine_.cancel(task.activity);
  finish(id);
  task.waiting = true;
  units_[task.unit].waiting.push_back(id);
}

template <Engine E>
void World<E>::withdraw(std::uint32_t id) {
  Task& task = tasks_[id];
  UnitState& unit = units_[task.unit];
  if (task.running) {
    engine_.cancel(task.activity);
    finish(id);
    next_on(unit);
  } else if (task.waiting) {
    task.waiting = false;
    unit.waiting.erase(std::find(unit.waiting.begin(), unit.waiting.end(), id));
  }
}

template <Engine E>
void World<E>::next_on(UnitState& unit) {
  if (scheduler_ != nullptr || unit.waiting.empty() || unit.running > 0) return;
  std::size_t best = 0;
  for (std::size_t i = 1; i < unit.waiting.size(); ++i)
    if (more_urgent(unit, tasks_[unit.waiting[i]], tasks_[unit.waiting[best]])) best = i;
  const std::uint32_t id = unit.waiting[best];
  unit.waiting.erase(unit.waiting.begin() + static_cast<long>(best));
  tasks_[id].waiting = false;
  begin(id);
}

template <Engine E>
void World<E>::update_capacity(UnitState& unit) {
  const UnitFile& file = setup_.platform.file.units[&unit - units_.data()].second;
  if (file.slice_ms <= 0 || file.switch_us <= 0) return;
  const double factor = unit.running > 1 ? file.slice_ms / (file.slice_ms + file.switch_us * 1e-3) : 1;
  if (factor == unit.slice_factor) return;
  unit.slice_factor = factor;
  if (unit.stalls == 0) engine_.set_speed(unit.processor, factor);
}

template <Engine E>
void World<E>::contention_changed(std::size_t aggressor) {
  for (std::size_t v = 0; v < units_.size(); ++v) {
    if (setup_.platform.slow[v][aggressor] <= 1) continue;
    double slowdown = 1;
    for (std::size_t a = 0; a < units_.size(); ++a)
      if (a != v && units_[a].running > 0) slowdown *= setup_.platform.slow[v][a];
    units_[v].slowdown = slowdown;
    for (const std::uint32_t id : units_[v].tasks) {
      tasks_[id].disturbed = true;
      engine_.set_rate(tasks_[id].activity, engine_rate(tasks_[id]));
    }
  }
}

}  // namespace dynasoc
