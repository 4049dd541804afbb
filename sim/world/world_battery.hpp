// World: what the board lives on, and what happens when it is empty. Included by world_impl.hpp alone.
#pragma once

#include "world/world.hpp"

namespace dynasoc {

// Drawn since the beginning, whatever the warm-up.
template <Engine E>
double World<E>::drawn_j() const {
  double sum_j = static_j();
  for (const UnitState& unit : units_) sum_j += energy_now_j(unit);
  return sum_j;
}

// The next look is due when the battery would be empty if everything were busy from now on: the looks come closer
// together as its end does. It is missed by a little only by jobs that draw more than their unit's busy power.
template <Engine E>
void World<E>::look_at_battery() {
  constexpr double kPeriodS = 0.1, kShortestS = 1e-7;
  const double left_j = setup_.battery->charge_j - drawn_j();
  double most_w = static_w();
  for (std::size_t u = 0; u < units_.size(); ++u) {
    double busy_w = unit_power_w(units_[u]);
    for (const PowerPoint& point : setup_.platform.file.units[u].second.power) busy_w = std::max(busy_w, point.busy_w);
    most_w += busy_w;
  }
  if (left_j <= most_w * kShortestS) return switch_off();
  const double next_s = most_w > 0 ? std::clamp(left_j / most_w, kShortestS, kPeriodS) : kPeriodS;
  engine_.at(now_ + from_s(next_s), Priority::device, {kBattery, 0});
}

// No power: nothing runs, nothing is drawn, and frames that still come are rejected.
template <Engine E>
void World<E>::switch_off() {
  off_at_ = now_;
  if (recording_.decisions) log_board("board", "power", "on", "off", "the battery is empty");
  deciding_ = true;  // nobody is asked any more
  for (std::uint32_t id = 0; id < tasks_.size(); ++id)
    if (tasks_[id].running || tasks_[id].waiting) withdraw(id);
  for (std::size_t a = 0; a < apps_.size(); ++a) {
    AppState& app = apps_[a];
    if (std::exchange(app.serving, false)) lose_frames(static_cast<int>(a));
    for (; !app.queue.empty(); app.queue.pop()) frame_lost(static_cast<int>(a), app.queue.front(), Outcome::dropped);
    app_views_[a].waiting = 0;
  }
  for (UnitState& unit : units_) {
    sync(unit);
    unit.idle_w = 0;
    power_changed(unit);
  }
  if (thermal_) {
    flush_heat();
    thermal_->advance(static_cast<double>(now_ - thermal_at_) * 1e-9);
    thermal_at_ = now_;
    const ThermalFile& file = *setup_.platform.file.thermal;
    for (std::size_t n = 0; n < file.nodes.size(); ++n)
      if (file.nodes[n].first == file.static_node.text) node_power_[n] -= setup_.platform.file.static_power_w;
    thermal_stale_ = true;
  }
}

// What still happens to a board without power: frames come, time is told, and it cools.
template <Engine E>
bool World<E>::happens_without_power(Kind kind) {
  switch (kind) {
    case kArrival:
    case kTarget:
    case kAppStart:
    case kAppStop:
    case kThermal:
    case kSensorMark:
    case kSensorUpdate:
    case kSensorRead:
    case kSample:
    case kWarm: return true;
    default: return false;
  }
}

}  // namespace dynasoc
