// Definitions of World's members, one file a section; included only where World is instantiated for an engine.
// This file holds the run itself and the engine's events.
#pragma once

#include <cstddef>

#include "world/world_applications.hpp"
#include "world/world_background.hpp"
#include "world/world_battery.hpp"
#include "world/world_build.hpp"
#include "world/world_clocks.hpp"
#include "world/world_foresight.hpp"
#include "world/world_managers.hpp"
#include "world/world_observers.hpp"
#include "world/world_real.hpp"
#include "world/world_schedule.hpp"
#include "world/world_units.hpp"

namespace dynasoc {

template <Engine E>
RunRecord World<E>::run(const Progress& progress) {
  progress_ = progress ? &progress : nullptr;
  steps_per_ns_ = static_cast<double>(AppRecord::kSteps) / static_cast<double>(setup_.duration);
  for (std::size_t d = 0; d < domains_.size(); ++d) {
    govern(static_cast<int>(d), manager::Ask::start);
    if (kReal) continue;
    if (const double period_ms = domains_[d].governor->period_ms(); period_ms > 0)
      domains_[d].tick = engine_.at(from_ms(period_ms), Priority::manager, {kGovernor, static_cast<std::uint32_t>(d)});
  }
  if constexpr (kReal) take_readings();
  trigger(manager::Trigger::start, -1);
  if (policy_->clairvoyant()) trigger(manager::Trigger::start, -1);
  if (triggers_.period_ms > 0) engine_.at(from_ms(triggers_.period_ms), Priority::manager, {kPolicy, 0});
  if (thermal_) engine_.at(from_ms(setup_.platform.file.thermal->poll_ms), Priority::device, {kThermal, 0});
  for (std::size_t s = 0; s < sensors_.size(); ++s) {
    const SensorFile& file = setup_.platform.file.sensors[s].second;
    if (!kReal && file.update_ms > 0) await_update(static_cast<int>(s));
    engine_.at(from_ms(file.period_ms), Priority::observer, {kSensorRead, static_cast<std::uint32_t>(s)});
    if (kReal || file.update_ms > 0) continue;
    if (file.averaging_ms > 0 && file.averaging_ms < file.period_ms)
      engine_.at(from_ms(file.period_ms - file.averaging_ms), Priority::observer,
                 {kSensorMark, static_cast<std::uint32_t>(s)});
  }
  if (recording_.timeline_period > 0) {
    std::vector<std::string>& columns = record_.timeline.columns;
    columns.push_back("power_w");
    for (const auto& unit : unit_views_)
      for (const char* what : {"_utilisation", "_mhz", "_power_w"}) columns.push_back(unit.name + what);
    if (thermal_)
      for (const auto& [name, node] : setup_.platform.file.thermal->nodes) columns.push_back(name + "_temperature_c");
    for (const auto& rail : rail_views_)
      columns.push_back(rail.name + "_true_w"), columns.push_back(rail.name + "_reading_w");
    for (const auto& app : app_views_)
      columns.push_back(app.name + "_subnet"), columns.push_back(app.name + "_waiting");
    engine_.at(recording_.timeline_period, Priority::observer, {kSample, 0});
  }
  for (std::size_t m = 1; m < setup_.modes.size(); ++m)
    engine_.at(setup_.modes[m].from, Priority::device, {kMode, static_cast<std::uint32_t>(m)});
  if (setup_.battery && !kReal) engine_.at(0, Priority::device, {kBattery, 0});
  if (setup_.warmup > 0) engine_.at(setup_.warmup, Priority::device, {kWarm, 0});
  for (std::size_t u = 0; u < units_.size(); ++u) baseline_.units.push_back(unit_account(u));
  started_ = true;
  if constexpr (kReal) engine_.tell_readings({kReadings, 0});

  engine_.run(*this, setup_.duration);
  now_ = end_ = kReal ? engine_.now() : setup_.duration;
  finish_record();
  if constexpr (kReal) measured_accounts();
  cost_ = running_cost();
  ended_ = true;
  return std::move(record_);
}

template <Engine E>
void World<E>::prefetch() const {
  constexpr std::size_t kLine = 64;
  const auto fetch = [](const void* begin, std::size_t size) {
    for (std::size_t at = 0; at < size; at += kLine) __builtin_prefetch(static_cast<const char*>(begin) + at);
  };
  fetch(units_.data(), units_.size() * sizeof(UnitState));
  fetch(tasks_.data(), tasks_.size() * sizeof(Task));
  fetch(apps_.data(), apps_.size() * sizeof(AppState));
  fetch(domain_views_.data(), domain_views_.size() * sizeof(manager::DomainView));
  fetch(domains_.data(), domains_.size() * sizeof(DomainState));
  for (const manager::AppView& view : app_views_) {
    fetch(&view, offsetof(manager::AppView, samples));
    fetch(&view.samples[view.completed % manager::AppView::kRemembered], sizeof(manager::Sample));
  }
  for (const AppRecord& record : record_.apps) fetch(&record, sizeof(AppRecord) - sizeof record.strip);
}

template <Engine E>
void World<E>::on_event(Event event) {
  now_ = engine_.now();
  // Counted in events and not in simulated time, of which a second may hold a hundred of them or a million.
  if ((++events_ & 0xFFFF) == 0 && progress_ != nullptr)
    (*progress_)(static_cast<double>(now_) / static_cast<double>(setup_.duration));
  const int subject = static_cast<int>(event.subject);
  if (off_at_ != kNever && !happens_without_power(static_cast<Kind>(event.kind))) return;
  switch (static_cast<Kind>(event.kind)) {
    case kArrival: arrive(subject); break;
    case kDone: done(event.subject); break;
    case kStallEnd:
      for (const int u : domains_[subject].units)
        if (--units_[u].stalls == 0) engine_.set_speed(units_[u].processor, units_[u].slice_factor);
      break;
    case kSettle:
      if constexpr (kReal)
        clock_written(subject);
      else
        settle(subject);
      break;
    case kSchedule: schedule(); break;
    case kBattery: look_at_battery(); break;
    case kReadings:
      if constexpr (kReal) take_readings();
      break;
    case kSwitched: {
      AppState& app = apps_[subject];
      app.switching = false;
      app.loaded = app.switching_to;
      if (app_views_[subject].subnet != app.loaded) {
        begin_switch(subject);
      } else {
        if (app.arrival_due) {
          app.arrival_due = false;
          schedule_arrival(subject);
        }
        dispatch(subject);
      }
      break;
    }
    case kTarget:
      apply_target(subject);
      if (triggers_.target_change) trigger(manager::Trigger::target_change, subject);
      break;
    case kAppStart:
      app_views_[subject].active = true;
      if (apps_[subject].arrivals.driver() != ArrivalDriver::parent) schedule_arrival(subject);
      break;
    case kAppStop: app_views_[subject].active = false; break;
    case kLoadStart: load_arrives(subject); break;
    case kLoadStop: load_leaves(subject); break;
    case kLoadPhase: load_phase(subject); break;
    case kLoadBurst: load_burst(subject); break;
    case kMode: enter_mode(event.subject); break;
    case kPolicy:
      trigger(manager::Trigger::period, -1);
      engine_.at(now_ + from_ms(triggers_.period_ms), Priority::manager, {kPolicy, 0});
      break;
    case kGovernor: {
      DomainState& domain = domains_[subject];
      const double wait_ms = domain.load > 0 || domain.deferred ? 0 : domain.governor->deferrable_ms();
      if (wait_ms > 0) {
        domain.deferred = true;
        if (std::isfinite(wait_ms)) domain.tick = engine_.at(now_ + from_ms(wait_ms), Priority::manager, event);
      } else {
        sample_governor(subject);
      }
      break;
    }
    case kLoad: {
      DomainState& domain = domains_[subject];
      domain.told = true;
      if (domain.deferred && domain.load > 0) {
        engine_.cancel(domain.tick);
        sample_governor(subject);
      }
      if (domain.follows && (domain.load != domain.told_load || domain.io_wake)) govern(subject, manager::Ask::load);
      domain.told_load = domain.load;
      domain.io_wake = false;
      break;
    }
    case kWake:
      domains_[subject].wake_at = kNever;
      govern(subject, manager::Ask::timer);
      break;
    case kThermal:
      update_temperatures();
      account_trips();
      throttle();
      engine_.at(now_ + from_ms(setup_.platform.file.thermal->poll_ms), Priority::device, {kThermal, 0});
      break;
    case kSensorMark: {
      SensorState& sensor = sensors_[subject];
      for (std::size_t i = 0; i < sensor.rails.size(); ++i) sensor.mark_j[i] = rail_energy_j(sensor.rails[i]);
      sensor.marked = now_;
      if (setup_.platform.file.sensors[subject].second.update_ms > 0) break;
      engine_.at(now_ + from_ms(setup_.platform.file.sensors[subject].second.period_ms), Priority::observer, event);
      break;
    }
    case kSensorUpdate:
      update_sensor(subject);
      await_update(subject);
      break;
    case kSensorRead: read_sensor(subject); break;
    case kSample:
      sample();
      engine_.at(now_ + recording_.timeline_period, Priority::observer, {kSample, 0});
      break;
    case kWarm:
      baseline_.at = now_;
      baseline_.dvfs_transitions = record_.dvfs_transitions;
      baseline_.decisions = record_.decisions;
      if constexpr (kReal) rail_warm_j_ = engine_.readings().rail_energy_j;
      record_.peak_temperature_c = std::nan("");
      for (std::size_t u = 0; u < units_.size(); ++u) baseline_.units[u] = unit_account(u);
      break;
  }
}

}  // namespace dynasoc
