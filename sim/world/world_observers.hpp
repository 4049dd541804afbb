// World: temperatures, throttling, meters, the timeline, and the accounts at the end. Included by world_impl.hpp alone.
#pragma once

#include "world/world.hpp"

namespace dynasoc {

template <Engine E>
void World<E>::update_temperatures() {
  if constexpr (kReal) return poll_temperatures();
  flush_heat();
  thermal_->advance(static_cast<double>(now_ - thermal_at_) * 1e-9);
  thermal_at_ = now_;
  double peak = std::isnan(record_.peak_temperature_c) ? -1e9 : record_.peak_temperature_c;
  for (std::size_t n = 0; n < temperatures_.size(); ++n) {
    temperatures_[n] = thermal_->temperature_c(n);
    peak = std::max(peak, temperatures_[n]);
  }
  record_.peak_temperature_c = peak;
}

template <Engine E>
void World<E>::account_trips() {
  const std::vector<TripFile>& trips = setup_.platform.file.thermal->trips;
  bool above = false;
  for (std::size_t i = 0; i < trips.size(); ++i)
    above = above || temperatures_[trip_nodes_[i]] >= trips[i].temperature_c;
  const double since_s = to_s(now_ - std::max(tripped_at_, setup_.warmup));
  if (above && counted(now_)) record_.above_trip_s += since_s;
  if (counted(now_) && seen_.thermal_budget.now_c(temperatures_) >= seen_.thermal_budget.limit_c)
    record_.above_budget_s += since_s;
  tripped_at_ = now_;
}

template <Engine E>
void World<E>::throttle() {
  if (kReal || off_at_ != kNever) return;  // a real board does it by itself, one without power nothing
  const ThermalFile& file = *setup_.platform.file.thermal;
  struct Asked {
    int step = 1;   // threshold: of several trips on a clock the hottest wins
    int state = 0;  // step_wise: the deepest
  };
  std::vector<Asked> asked(domains_.size());
  const auto top_of = [this](std::size_t d) { return static_cast<int>(domain_views_[d].opps_mhz.size()) - 1; };
  auto target = trip_targets_.begin();
  for (const TripFile& trip : file.trips) {
    const auto node = static_cast<std::size_t>(trip_nodes_[&trip - file.trips.data()]);
    for (const Name& name : trip.domains) {
      const auto d = static_cast<std::size_t>(setup_.platform.domain_index(name.text));
      const TripSample seen{temperatures_[node],
                            polled_c_[node],
                            trip.temperature_c,
                            trip.hysteresis_k,
                            top_of(d) - domains_[d].thermal_highest,
                            top_of(d),
                            *target};
      asked[d].step = std::min(asked[d].step, threshold_step(seen));
      *target = step_wise_target(seen);
      asked[d].state = std::max(asked[d].state, *target);
      ++target;
    }
  }
  polled_c_ = temperatures_;
  bool any = false;
  for (std::size_t d = 0; d < domains_.size(); ++d) {
    DomainState& domain = domains_[d];
    const int top = top_of(d);
    int cap = domain.thermal_highest;
    if (file.governor == ThermalGovernor::step_wise)
      cap = top - asked[d].state;
    else if (asked[d].step < 0)
      cap = std::max(0, std::min(cap, domain.opp) - 1);
    else if (asked[d].step > 0)
      cap = std::min(cap + 1, top);
    if (cap == domain.thermal_highest) continue;
    if (recording_.decisions)
      log_board(domain_views_[d].name, "thermal cap", number_text(domain_views_[d].opps_mhz[domain.thermal_highest]),
                number_text(domain_views_[d].opps_mhz[cap]),
                cap < domain.thermal_highest ? "trip point reached" : "cooler again");
    domain.thermal_highest = cap;
    any = true;
    domain.governed ? govern(static_cast<int>(d), manager::Ask::limits) : retarget(static_cast<int>(d));
  }
  if (any && triggers_.thermal_trip) trigger(manager::Trigger::thermal_trip, -1);
}

template <Engine E>
double World<E>::rail_energy_j(std::size_t rail) {
  double sum = rail_static_[rail] ? static_j() : 0;
  for (const int u : rail_units_[rail]) {
    sync(units_[u]);
    sum += units_[u].idle_j + units_[u].above_j + units_[u].switch_j;
  }
  return sum;
}

template <Engine E>
double World<E>::rail_power_w(std::size_t rail) const {
  double sum = rail_static_[rail] ? static_w() : 0;
  for (const int u : rail_units_[rail]) sum += unit_power_w(units_[u]);
  return sum;
}

// Registers that nobody reads need no conversion: the next update that matters is the last one at or before a reading.
template <Engine E>
void World<E>::await_update(int s) {
  const SensorFile& file = setup_.platform.file.sensors[s].second;
  const Time update = from_ms(file.update_ms), period = from_ms(file.period_ms);
  const Time next = now_ - now_ % update + update;             // the first update there could be
  const Time reading = (next + period - 1) / period * period;  // and the first reading that would show it
  const Time at = reading - reading % update;
  engine_.at(at, Priority::observer, {kSensorUpdate, static_cast<std::uint32_t>(s)});
  if (file.averaging_ms > 0)
    engine_.at(at - from_ms(file.averaging_ms), Priority::observer, {kSensorMark, static_cast<std::uint32_t>(s)});
}

// A conversion ends: the registers get the mean since the mark, or the instant.
template <Engine E>
void World<E>::update_sensor(int s) {
  SensorState& sensor = sensors_[s];
  const SensorFile& file = setup_.platform.file.sensors[s].second;
  for (std::size_t i = 0; i < sensor.rails.size(); ++i) {
    const auto rail = static_cast<std::size_t>(sensor.rails[i]);
    double power_w = rail_power_w(rail);
    if (file.averaging_ms > 0) {
      const double energy_j = rail_energy_j(rail);
      const double window_s = to_s(now_ - sensor.marked);
      if (window_s > 0) power_w = (energy_j - sensor.mark_j[i]) / window_s;
      if (file.averaging_ms >= file.period_ms) sensor.mark_j[i] = energy_j;
    }
    const double step_w = file.resolution_mw * 1e-3;
    sensor.register_w[i] = step_w > 0 ? std::round(power_w / step_w) * step_w : power_w;
  }
  if (file.averaging_ms >= file.period_ms) sensor.marked = now_;
}

template <Engine E>
void World<E>::read_sensor(int s) {
  SensorState& sensor = sensors_[s];
  const SensorFile& file = setup_.platform.file.sensors[s].second;
  if constexpr (kReal)
    for (std::size_t i = 0; i < sensor.rails.size(); ++i)
      sensor.register_w[i] = engine_.readings().rail_power_w[static_cast<std::size_t>(sensor.rails[i])];
  else if (!(file.update_ms > 0))
    update_sensor(s);
  for (std::size_t i = 0; i < sensor.rails.size(); ++i) {
    const auto rail = static_cast<std::size_t>(sensor.rails[i]);
    rail_views_[rail].power_w = sensor.register_w[i];
    rail_views_[rail].read_at = now_;
  }
  engine_.at(now_ + from_ms(file.period_ms), Priority::observer, {kSensorRead, static_cast<std::uint32_t>(s)});
}

template <Engine E>
void World<E>::sample() {
  if constexpr (kReal) return sample_real();
  // Looks and touches nothing: an integral that is cut in two rounds differently, and a run must not depend on being
  // watched.
  Timeline& row = record_.timeline;
  row.begin(now_);
  row.push(0);  // of the whole board, known in the end
  // Powers are means since the last sample: an instant would depend on what happens to run whenever samples are taken.
  const double window_s = to_s(recording_.timeline_period);
  double power_w = static_w();
  for (UnitState& unit : units_) {
    const double busy_s = unit.busy_s + (unit.running > 0 ? to_s(now_ - unit.synced) : 0);
    const double energy_j = energy_now_j(unit);
    const double unit_w = (energy_j - unit.sampled_j) / window_s;
    row.push((busy_s - unit.busy_sampled_s) / window_s);
    row.push(unit.mhz);
    row.push(unit_w);
    power_w += unit_w;
    unit.busy_sampled_s = busy_s;
    unit.sampled_j = energy_j;
  }
  row.put(0, power_w);
  if (thermal_) {
    ThermalModel model = *thermal_;
    if (thermal_stale_)
      for (std::size_t node = 0; node < node_power_.size(); ++node) model.set_power(node, node_power_[node]);
    model.advance(static_cast<double>(now_ - thermal_at_) * 1e-9);
    for (std::size_t n = 0; n < model.nodes(); ++n) row.push(model.temperature_c(n));
  }
  for (std::size_t r = 0; r < rail_views_.size(); ++r) {
    double energy_j = rail_static_[r] ? static_j() : 0;
    for (const int u : rail_units_[r]) energy_j += energy_now_j(units_[u]);
    row.push((energy_j - rail_sampled_j_[r]) / window_s);
    row.push(rail_views_[r].power_w);
    rail_sampled_j_[r] = energy_j;
  }
  for (std::size_t a = 0; a < apps_.size(); ++a) {
    row.push(apps_[a].loaded + 1);
    row.push(apps_[a].queue.size());
  }
}

template <Engine E>
UnitRecord World<E>::unit_account(std::size_t u) {
  UnitState& unit = units_[u];
  sync(unit);
  for (const std::uint32_t id : unit.tasks) settle_energy(id);
  UnitRecord out;
  out.name = unit_views_[u].name;
  out.busy_s = unit.busy_s;
  out.idle_energy_j = unit.idle_j;
  out.job_energy_j = unit.jobs_j + unit.switch_j;
  out.background_energy_j = unit.loads_j;
  out.mhz_s = unit.mhz_s;
  return out;
}

template <Engine E>
double World<E>::running_cost() const {
  if (!started_ || now_ < setup_.warmup) return 0;
  const Objective& objective = setup_.objective;
  double lost = 0, shortfall = 0, energy_j = 0;
  for (std::size_t a = 0; a < apps_.size(); ++a) {
    const AppRecord& record = *apps_[a].record;
    lost += static_cast<double>(record.missed + record.dropped + record.rejected + record.overdue);
    const double best = *std::max_element(record.accuracy.begin(), record.accuracy.end());
    for (std::size_t s = 0; s < record.subnets.size(); ++s)
      shortfall +=
          (best - record.accuracy[s]) * static_cast<double>(record.subnets[s].completed - record.subnets[s].missed);
  }
  for (std::size_t u = 0; u < units_.size(); ++u) {
    const UnitState& unit = units_[u];
    energy_j += unit.idle_j - baseline_.units[u].idle_energy_j;
    energy_j += unit.jobs_j + unit.switch_j - baseline_.units[u].job_energy_j;
    for (const std::uint32_t id : unit.tasks)
      if (id < apps_.size()) energy_j += tasks_[id].weight * tasks_[id].power_w * (unit.share - tasks_[id].share_mark);
  }
  return objective.miss * lost + objective.accuracy * shortfall + objective.energy * energy_j;
}

template <Engine E>
void World<E>::finish_record() {
  for (std::size_t u = 0; u < units_.size(); ++u) {
    UnitRecord account = unit_account(u);
    const UnitState& unit = units_[u];
    const double jobs_j = unit.jobs_j + unit.loads_j;
    const double error = std::abs(unit.above_j - jobs_j) / std::max({unit.above_j, jobs_j, 1e-9});
    record_.conservation_error = std::max(record_.conservation_error, error);
    const UnitRecord& base = baseline_.units[u];
    account.busy_s -= base.busy_s;
    account.idle_energy_j -= base.idle_energy_j;
    account.job_energy_j -= base.job_energy_j;
    account.background_energy_j -= base.background_energy_j;
    account.mhz_s -= base.mhz_s;
    record_.units.push_back(std::move(account));
  }
  if (!kReal && record_.conservation_error > 1e-9)
    throw InternalError("energy is not conserved: the units' and the jobs' accounts differ by a share of " +
                        number_text(record_.conservation_error));
  record_.dvfs_transitions -= baseline_.dvfs_transitions;
  record_.decisions -= baseline_.decisions;
  record_.duration_s = to_s(end_);
  record_.measured_s = to_s(end_ - baseline_.at);
  const Time powered = std::max<Time>(0, std::min(end_, off_at_) - baseline_.at);
  record_.static_energy_j = setup_.platform.file.static_power_w * to_s(powered);
  if (setup_.battery) {
    record_.battery_left_j = off_at_ == kNever ? std::max(0.0, setup_.battery->charge_j - drawn_j()) : 0;
    record_.battery_life_s = to_s(std::min(end_, off_at_));
  }
  if (thermal_) {
    update_temperatures();
    account_trips();
  }
  if (const Json learnt = policy_->learnt(); !learnt.is_null()) record_.learnt = learnt.dump();
  if (const manager::Certificate* certificate = policy_->certificate()) record_.certificate = *certificate;

  for (std::size_t a = 0; a < apps_.size(); ++a) {
    AppState& app = apps_[a];
    const auto unfinished = [&](const FrameQueue::Frame& frame, Time start, Time deadline, double isolated_ms) {
      if (counted(frame.arrival) && deadline <= end_) ++app.record->overdue;
      if (!recording_.jobs) return;
      JobRecord record;
      record.isolated_ms = static_cast<float>(isolated_ms);
      record.arrival = frame.arrival;
      record.start = logged(start);
      record.job = frame.job;
      record.app = static_cast<std::uint16_t>(a);
      record.subnet = static_cast<std::uint8_t>(app.loaded);
      record.unit = static_cast<std::uint8_t>(app_views_[a].unit);
      record.deadline = logged(deadline);
      record_.jobs.add(record);
    };
    if (app.serving) {
      unfinished(app.frame, app.started, app.deadline, app.isolated_ms);
      for (const Companion& other : app.company) unfinished(other.frame, app.started, other.deadline, app.isolated_ms);
    }
    for (; !app.queue.empty(); app.queue.pop()) {
      const Time arrival = app.queue.front().arrival;
      unfinished(app.queue.front(), kNever, app.relative_deadline == kNever ? kNever : arrival + app.relative_deadline,
                 std::nan(""));
    }
  }
}

}  // namespace dynasoc
