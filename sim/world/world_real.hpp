// World: what is asked of a real board instead of being computed, and what is read from it. Included by world_impl.hpp
// alone.
#pragma once

#include "common/text.hpp"
#include "world/world.hpp"

namespace dynasoc {

template <Engine E>
void World<E>::begin_real(std::uint32_t id) requires RealEngine<E> {
  Task& task = tasks_[id];
  const Event done{kDone, id};
  if (id < apps_.size()) apps_[id].dispatched = now_;
  if (id < apps_.size())
    task.activity = engine_.infer(static_cast<int>(id), task.unit, apps_[id].loaded, apps_[id].frame.job, done);
  else
    task.activity = engine_.occupy(static_cast<int>(id - apps_.size()), task.unit, task.weight, task.work_ns, done);
}

// After the job has left its unit, whose accounts are exact up to now.
template <Engine E>
void World<E>::take_measurement(std::uint32_t id) requires RealEngine<E> {
  if (id >= apps_.size()) return;
  AppState& app = apps_[id];
  Task& task = tasks_[id];
  UnitState& unit = units_[task.unit];
  const MeasuredInference& measured = engine_.measured(task.activity);
  app.failure = measured.failure;
  app.started = std::max(app.frame.arrival, measured.start);
  task.disturbed = task.disturbed || !measured.clean;
  task.measured_power = std::isfinite(measured.power_w);
  if (!task.measured_power) return;
  // Beside others it is charged its share of what the rail drew while it ran, which is less than it was dispatched.
  const double dispatched_s = to_s(now_ - app.dispatched), ran_s = to_s(measured.end - measured.start);
  const double share = dispatched_s > 0 ? std::min(1.0, task.alone_s / dispatched_s) : 1;
  const double energy_j = std::max(0.0, measured.power_w - unit.idle_w) * share * ran_s;
  if (share < 1) task.disturbed = true;
  unit.jobs_j += energy_j - task.energy_j;
  task.energy_j = energy_j;
}

template <Engine E>
void World<E>::inference_failed(int a) requires RealEngine<E> {
  AppState& app = apps_[a];
  app.serving = false;
  if (recording_.decisions) log_board(app_views_[a].name, "worker", level_name(app.loaded), "lost", app.failure);
  app.failure.clear();
  frame_lost(a, app.frame, Outcome::dropped);
  if (app_views_[a].subnet != app.loaded) begin_switch(a);
  // A board that refuses would be asked again at once, as fast as it can refuse.
  constexpr Time kPatience = 50'000'000;
  if (app.closed && now_ + kPatience < app.stop)
    engine_.at(now_ + kPatience, Priority::arrival, {kArrival, static_cast<std::uint32_t>(a)});
  else if (!app.closed)
    dispatch(a);
}

template <Engine E>
int World<E>::nearest_opp(int d, double mhz) const {
  const auto& opps = domain_views_[d].opps_mhz;
  int best = 0;
  for (int i = 1; i < static_cast<int>(opps.size()); ++i)
    if (std::abs(opps[i] - mhz) < std::abs(opps[best] - mhz)) best = i;
  return best;
}

// Tells the board how the clock is to be now, unless it has been told already.
template <Engine E>
void World<E>::write_clock(int d) requires RealEngine<E> {
  DomainState& domain = domains_[d];
  ClockWrite write;
  if (domain.governed) {
    write.kind = ClockWrite::Kind::limits;
    write.lowest = clamp_opp(domain, 0);
    write.highest = clamp_opp(domain, static_cast<int>(domain_views_[d].opps_mhz.size()) - 1);
  } else {
    write.kind = ClockWrite::Kind::pin;
    write.lowest = write.highest = clamp_opp(domain, domain.requested);
  }
  if (domain.written == write) return;
  if (started_ && write.kind == ClockWrite::Kind::pin) ++record_.dvfs_transitions;
  domain.written = write;
  ++domain.unanswered;
  domain.settling = true;
  domain.next = write.highest;
  engine_.write_clock(d, write, {kSettle, static_cast<std::uint32_t>(d)});
}

template <Engine E>
void World<E>::clock_written(int d) requires RealEngine<E> {
  DomainState& domain = domains_[d];
  if (--domain.unanswered > 0) return;  // a later write is on its way
  const double mhz = engine_.readings().domain_mhz[d];
  const int actual = std::isfinite(mhz) ? nearest_opp(d, mhz) : domain.next;
  if (!domain.governed && actual != domain.written->lowest && recording_.decisions)
    log_board(domain_views_[d].name, "frequency", number_text(domain_views_[d].opps_mhz[domain.written->lowest]),
              number_text(domain_views_[d].opps_mhz[actual]), "the board did not apply what was written");
  domain.next = actual;
  settle(d);
}

template <Engine E>
void World<E>::take_readings() requires RealEngine<E> {
  const BoardReadings& readings = engine_.readings();
  for (std::size_t d = 0; d < domains_.size(); ++d) {
    DomainState& domain = domains_[d];
    if ((started_ && domain.unanswered > 0) || !std::isfinite(readings.domain_mhz[d])) continue;
    const int opp = nearest_opp(static_cast<int>(d), readings.domain_mhz[d]);
    if (opp == domain.opp) continue;
    if (started_) ++record_.dvfs_transitions;
    if (domain.governed) domain.requested = opp;
    domain.next = opp;
    settle(static_cast<int>(d));
  }
}

template <Engine E>
void World<E>::poll_temperatures() requires RealEngine<E> {
  const BoardReadings& readings = engine_.readings();
  bool tripped = false;
  for (std::size_t n = 0; n < temperatures_.size(); ++n) {
    if (!std::isfinite(readings.node_c[n])) continue;
    temperatures_[n] = readings.node_c[n];
    if (!(temperatures_[n] <= record_.peak_temperature_c)) record_.peak_temperature_c = temperatures_[n];
  }
  for (std::size_t i = 0; i < trip_nodes_.size(); ++i) {
    const double trip_c = setup_.platform.file.thermal->trips[i].temperature_c;
    const auto node = static_cast<std::size_t>(trip_nodes_[i]);
    tripped = tripped || ((temperatures_[node] >= trip_c) != (polled_c_[node] >= trip_c));
  }
  polled_c_ = temperatures_;
  if (tripped && triggers_.thermal_trip && end_ == 0) trigger(manager::Trigger::thermal_trip, -1);
}

/// The rail that carries this unit and nothing else; -1 if there is none.
template <Engine E>
int World<E>::own_rail(std::size_t u) const {
  for (std::size_t r = 0; r < rail_units_.size(); ++r)
    if (!rail_static_[r] && rail_units_[r].size() == 1 && rail_units_[r][0] == static_cast<int>(u))
      return static_cast<int>(r);
  return -1;
}

/// The rail that carries the whole board; -1 if there is none.
template <Engine E>
int World<E>::whole_rail() const {
  for (std::size_t r = 0; r < rail_units_.size(); ++r)
    if (rail_static_[r] && rail_units_[r].size() == units_.size()) return static_cast<int>(r);
  return -1;
}

// The timeline's columns are a simulation's; a rail's true power is what no board tells.
template <Engine E>
void World<E>::sample_real() requires RealEngine<E> {
  const BoardReadings& readings = engine_.readings();
  const double window_s = to_s(recording_.timeline_period);
  const auto rail_w = [&](int rail) {
    if (rail < 0) return std::nan("");
    const auto r = static_cast<std::size_t>(rail);
    return (readings.rail_energy_j[r] - rail_sampled_j_[r]) / window_s;
  };
  Timeline& row = record_.timeline;
  row.begin(now_);
  double power_w = setup_.platform.file.static_power_w;
  row.push(0);
  for (std::size_t u = 0; u < units_.size(); ++u) {
    UnitState& unit = units_[u];
    sync(unit);
    const double energy_j = energy_now_j(unit), measured_w = rail_w(own_rail(u));
    const double unit_w = std::isfinite(measured_w) ? measured_w : (energy_j - unit.sampled_j) / window_s;
    row.push((unit.busy_s - unit.busy_sampled_s) / window_s);
    row.push(unit.mhz);
    row.push(unit_w);
    power_w += unit_w;
    unit.busy_sampled_s = unit.busy_s;
    unit.sampled_j = energy_j;
  }
  const double whole_w = rail_w(whole_rail());
  row.put(0, std::isfinite(whole_w) ? whole_w : power_w);
  if (thermal_)
    for (std::size_t n = 0; n < temperatures_.size(); ++n) row.push(readings.node_c[n]);
  for (std::size_t r = 0; r < rail_views_.size(); ++r) {
    row.push(std::nan(""));
    row.push(readings.rail_power_w[r]);
    rail_sampled_j_[r] = readings.rail_energy_j[r];
  }
  for (const AppState& app : apps_) {
    row.push(app.loaded + 1);
    row.push(app.queue.size());
  }
}

// Energies of the platform as the meters have them. What jobs took is measured job by job; idle power is the platform
// file's, and the rest of a unit's rail is background load.
template <Engine E>
void World<E>::measured_accounts() requires RealEngine<E> {
  const BoardReadings& readings = engine_.readings();
  const auto rail_j = [&](int rail) {
    if (rail < 0) return std::nan("");
    const auto r = static_cast<std::size_t>(rail);
    return readings.rail_energy_j[r] - (rail_warm_j_.empty() ? 0 : rail_warm_j_[r]);
  };
  double units_j = 0;
  for (std::size_t u = 0; u < units_.size(); ++u) {
    UnitRecord& account = record_.units[u];
    const double energy_j = rail_j(own_rail(u));
    if (std::isfinite(energy_j)) {
      const double rest_j = std::max(0.0, energy_j - account.job_energy_j);
      account.job_energy_j = energy_j - rest_j;
      const bool loaded = account.background_energy_j > 0;
      account.idle_energy_j = loaded ? std::min(account.idle_energy_j, rest_j) : rest_j;
      account.background_energy_j = rest_j - account.idle_energy_j;
    }
    units_j += account.energy_j();
  }
  if (const double whole_j = rail_j(whole_rail()); std::isfinite(whole_j))
    record_.static_energy_j = std::max(0.0, whole_j - units_j);
  record_.conservation_error = 0;
}

}  // namespace dynasoc
