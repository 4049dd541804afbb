// World: clocks, their limits and governors, power modes, and what the tables say at the present clocks. Included by
// world_impl.hpp alone.
#pragma once

#include "world/world.hpp"

namespace dynasoc {

template <Engine E>
void World<E>::refresh_unit(std::size_t u) {
  UnitState& unit = units_[u];
  sync(unit);
  const Platform& platform = setup_.platform;
  const Platform::UnitLinks& links = platform.links[u];
  // Clusters without online cores neither set the pace nor draw power above idle.
  int slowest = -1, cores = 0;
  for (const int d : links.domains) {
    if (cores_online(domains_[d]) > 0 && (slowest < 0 || domains_[d].opp < domains_[slowest].opp)) slowest = d;
    cores += platform.file.domains[d].second.cores;
  }
  if (slowest < 0) slowest = links.domains[0];
  unit.opp = domains_[slowest].opp;
  unit.mhz = domain_views_[slowest].opps_mhz[unit.opp];
  unit.idle_w = unit.above_idle_w = 0;
  for (const int d : links.domains) {
    const double mhz = domain_views_[d].opps_mhz[domains_[d].opp],
                 all = cores > 0 ? cores : static_cast<double>(links.domains.size());
    const double idle_w = platform.idle_w(u, mhz), above_w = platform.busy_w(u, mhz) - idle_w;
    unit.idle_w += (cores > 0 ? platform.file.domains[d].second.cores : 1) / all * idle_w;
    unit.above_idle_w += cores_online(domains_[d]) / all * above_w;
  }

  if (off_at_ != kNever) unit.idle_w = unit.above_idle_w = 0;

  // Summed afresh, so that rounding does not pile up.
  double weighted = 0;
  for (const std::uint32_t id : unit.tasks) {
    settle_energy(id);
    Task& task = tasks_[id];
    if (id < apps_.size()) {
      const Forecast& now = forecast(static_cast<int>(id), static_cast<int>(u), apps_[id].loaded, unit.opp);
      task.rate = task.reference_ms / now.latency_ms;
      task.power_w = std::isnan(now.above_idle_w) ? unit.above_idle_w : now.above_idle_w;
      task.disturbed = true;
      engine_.set_rate(task.activity, engine_rate(task));
    } else {
      const double factor = id == manager_task_ ? 1 : setup_.background[id - apps_.size()].file.power_factor;
      task.power_w = factor * unit.above_idle_w;
    }
    weighted += task.weight * task.power_w;
  }
  unit.weighted_power.reset(weighted);
  power_changed(unit);
}

template <Engine E>
int World<E>::clamp_opp(const DomainState& domain, int opp) const {
  const int highest = std::min({domain.highest, domain.policy_highest, domain.thermal_highest});
  const int lowest = std::min(std::max(domain.lowest, domain.policy_lowest), highest);
  return std::clamp(opp, lowest, highest);
}

template <Engine E>
void World<E>::request(int d, int opp) {
  domains_[d].requested = opp;
  retarget(d);
}

template <Engine E>
void World<E>::retarget(int d) {
  if constexpr (kReal) return write_clock(d);
  DomainState& domain = domains_[d];
  const DomainFile& file = setup_.platform.file.domains[d].second;
  const int wanted = clamp_opp(domain, domain.requested);
  if (wanted == (domain.settling ? domain.next : domain.opp)) return;
  if (domain.settling) engine_.cancel(domain.settle);
  domain.next = wanted;
  domain.settling = true;
  const bool works = cores_online(domain) > 0;
  if (!started_ || !works) {  // before the run begins, and where no core is online, a clock is simply there
    settle(d);
    return;
  }
  ++record_.dvfs_transitions;
  if (file.stall_us > 0 && !domain.units.empty()) {
    for (const int u : domain.units)
      if (units_[u].stalls++ == 0) engine_.set_speed(units_[u].processor, 0);
    engine_.at(now_ + from_us(file.stall_us), Priority::device, {kStallEnd, static_cast<std::uint32_t>(d)});
  }
  if (file.settle_ms > 0)
    domain.settle =
        engine_.at(now_ + from_ms(file.settle_ms), Priority::device, {kSettle, static_cast<std::uint32_t>(d)});
  else
    settle(d);
}

template <Engine E>
void World<E>::settle(int d) {
  DomainState& domain = domains_[d];
  domain.settling = false;
  if (domain.opp == domain.next) return;
  integrate_load(domain);
  domain.opp = domain.next;
  for (std::size_t u = 0; u < units_.size(); ++u) {
    const Platform::UnitLinks& links = setup_.platform.links[u];
    const bool other = links.host_domain == d || links.memory_domain == d;
    const bool own = std::find(links.domains.begin(), links.domains.end(), d) != links.domains.end();
    if (other) ++units_[u].epoch;
    if (own || other) refresh_unit(u);
  }
  if (domain.follows && started_) govern(d, manager::Ask::clock);
}

template <Engine E>
int World<E>::cores_online(const DomainState& domain) const {
  const int cores = setup_.platform.file.domains[&domain - domains_.data()].second.cores;
  if (cores == 0 || domain.units.empty()) return 1;
  return std::clamp(units_[domain.units[0]].cores - domain.first_core, 0, cores);
}

// A unit has become busy or idle. Governors hear of it when the instant is over: a job that follows another at once
// leaves no gap.
template <Engine E>
void World<E>::load_changed(const UnitState& unit, bool io_wake) {
  const auto u = static_cast<int>(&unit - units_.data());
  for (const int d : unit.watchers) {
    DomainState& domain = domains_[d];
    const bool works =
        cores_online(domain) > 0 && (setup_.platform.file.units[u].second.host_load > 0 ||
                                     std::find(domain.units.begin(), domain.units.end(), u) != domain.units.end());
    update_load(domain, io_wake && works);
  }
}

template <Engine E>
void World<E>::update_load(DomainState& domain, bool io_wake) {
  double load = 0;
  if (cores_online(domain) > 0) {
    for (const int u : domain.guests)
      if (units_[u].running > 0) load = std::max(load, setup_.platform.file.units[u].second.host_load);
    for (const int u : domain.units)
      if (units_[u].running > 0) load = 1;
  }
  if (load == domain.load && !io_wake) return;
  integrate_load(domain);
  domain.load = load;
  domain.io_wake = domain.io_wake || io_wake;
  if (!domain.told || !(domain.follows || domain.deferred)) return;
  domain.told = false;
  engine_.at(now_, Priority::manager, {kLoad, static_cast<std::uint32_t>(&domain - domains_.data())});
}

template <Engine E>
void World<E>::sample_governor(int d) {
  DomainState& domain = domains_[d];
  domain.deferred = false;
  if (cores_online(domain) > 0) govern(d, manager::Ask::sample);
  domain.tick = engine_.at(now_ + from_ms(domain.governor->period_ms()), Priority::manager,
                           {kGovernor, static_cast<std::uint32_t>(d)});
}

template <Engine E>
void World<E>::govern(int d, manager::Ask ask) {
  if constexpr (kReal) {  // the board's own governors do
    if (ask == manager::Ask::start || ask == manager::Ask::limits) write_clock(d);
    return;
  }
  DomainState& domain = domains_[d];
  integrate_load(domain);
  manager::CoreLoad core;
  if (const double window_s = to_s(now_ - domain.sampled); window_s > 0) {
    core.busy = std::min((domain.busy_s - domain.busy_mark_s) / window_s, 1.0);
    core.busy_mhz = (domain.busy_mhz_s - domain.busy_mhz_mark_s) / window_s;
  }
  core.running = domain.load;
  core.io_wake = domain.io_wake;
  manager::DomainSample seen;
  seen.now = now_;
  seen.since = domain.sampled;
  seen.ask = ask;
  seen.cores = {&core, 1};
  seen.cpus = std::max(cores_online(domain), 1);
  seen.opps_mhz = domain_views_[d].opps_mhz;
  // A driver reports the clock it has been told to set; only PELT looks at the one in effect.
  seen.opp = domain.settling && !domain.follows ? domain.next : domain.opp;
  seen.changing = domain.settling;
  seen.lowest = clamp_opp(domain, 0);
  seen.highest = clamp_opp(domain, static_cast<int>(seen.opps_mhz.size()) - 1);
  if (ask == manager::Ask::sample) {  // a change of limits in between must not cut the window short
    domain.sampled = now_;
    domain.busy_mark_s = domain.busy_s;
    domain.busy_mhz_mark_s = domain.busy_mhz_s;
  }
  const int wanted = domain.governor->next(seen);
  if (domain.follows) {
    if (const Time wake = domain.governor->wake(); wake != domain.wake_at) {
      engine_.cancel(domain.wake);
      domain.wake_at = wake;
      if (wake != kNever) domain.wake = engine_.at(wake, Priority::manager, {kWake, static_cast<std::uint32_t>(d)});
    }
  }
  if (domain.governed && ask != manager::Ask::clock) request(d, wanted);
}

template <Engine E>
void World<E>::set_cores(int u, int cores) {
  UnitState& unit = units_[u];
  cores = std::clamp(cores, std::min(1, unit.most_cores), unit.most_cores);
  if (cores == unit.cores) return;
  sync(unit);
  unit.cores = cores;
  if constexpr (kReal) engine_.set_cores(u, cores);
  ++unit.epoch;
  refresh_unit(u);
  for (const int d : setup_.platform.links[u].domains) update_load(domains_[d], false);
}

template <Engine E>
void World<E>::enter_mode(std::size_t m) {
  const ModeSetup& mode = setup_.modes[m];
  if (recording_.decisions)
    log_board("board", "mode", setup_.modes[m - 1].name, mode.name, "the scenario changes the power mode");
  for (std::size_t u = 0; u < units_.size(); ++u) {
    units_[u].most_cores = mode.cores_online[u];
    set_cores(static_cast<int>(u), mode.cores_online[u]);
  }
  for (std::size_t d = 0; d < domains_.size(); ++d) {
    domains_[d].lowest = mode.lowest_opp[d];
    domains_[d].highest = mode.highest_opp[d];
    domains_[d].governed ? govern(static_cast<int>(d), manager::Ask::limits) : retarget(static_cast<int>(d));
  }
}

template <Engine E>
void World<E>::compute(Forecast& out, int a, int u, int subnet, int opp) const {
  const Platform& platform = setup_.platform;
  const auto& opps = domain_views_[unit_views_[u].domains[0]].opps_mhz;
  const UnitState& unit = units_[u];
  out = Forecast{};
  out.epoch = unit.epoch;
  const auto& model = setup_.apps[a].models[u][subnet];
  if (!model) return;

  const Platform::UnitLinks& links = platform.links[u];
  const auto clock = [&](int d) { return d < 0 ? std::nan("") : domain_views_[d].opps_mhz[domains_[d].opp]; };
  const double mhz = opps[opp];
  OperatingPoint at;
  at.f_emc_mhz = clock(links.memory_domain);
  if (unit_clock(platform, static_cast<std::size_t>(u)) == UnitClock::cpu) {
    at.f_cpu_mhz = mhz;
    at.cores = unit.cores;
  } else {
    at.f_gpu_mhz = mhz;
    at.f_cpu_mhz = clock(links.host_domain);
  }
  const Prediction prediction = model->predict(mhz, at);
  out.latency_ms = prediction.latency_ms;
  out.provenance = apps_[a].session != 1 ? Provenance::derived : prediction.provenance;
  out.outside_range = prediction.outside_range;
  out.half_width = 0;
  out.systematic = 1;
  if (std::isfinite(prediction.low_ms)) {
    out.half_width = 0.5 * (prediction.high_ms - prediction.low_ms) / prediction.latency_ms;
    constexpr double kTwoSided = 1.959964;  // standard deviations that hold 95 %
    const double z = apps_[a].deviation / kTwoSided;
    out.systematic = std::pow((z > 0 ? prediction.high_ms : prediction.low_ms) / prediction.latency_ms, std::abs(z));
  }
  const double cv = prediction.std_ms / prediction.latency_ms;
  out.sigma = std::isnan(cv) ? apps_[a].default_sigma : std::sqrt(std::log1p(cv * cv));
  out.above_idle_w = std::nan("");
  if (model->has_power()) {
    const auto above = [&](double f) { return platform.busy_w(u, f) - platform.idle_w(u, f); };
    out.above_idle_w = model->above_idle_w(mhz, at, above);
    if (prediction.cell >= 0 && apps_[a].session == 1)
      out.energy_provenance = setup_.apps[a].tables[u]->cells[prediction.cell].energy_provenance;
  }
  const double cores = unit_views_[u].cores > 0 ? static_cast<double>(unit.cores) / unit_views_[u].cores : 1;
  const double above_w =
      std::isnan(out.above_idle_w) ? (platform.busy_w(u, mhz) - platform.idle_w(u, mhz)) * cores : out.above_idle_w;
  out.energy_mj = above_w * out.latency_ms;
}

// The next frame's own factor, as a manager would have it that predicts perfectly.
template <Engine E>
double World<E>::ideal_factor(int a, const Forecast& table) const {
  const AppState& app = apps_[a];
  return execution_factor(app, table, app.queue.empty() ? app.next_job : app.queue.front().job);
}

// How much longer a job takes beside the background loads now on a fair unit.
template <Engine E>
double World<E>::load_factor(int a, int u) const {
  const UnitState& unit = units_[u];
  if (unit.discipline != Discipline::fair) return 1;
  double others = 0;
  for (const std::uint32_t id : unit.tasks)
    if (id >= apps_.size() && id != manager_task_) others += tasks_[id].weight;
  return unit.slowdown * (1 + others / tasks_[a].weight);
}

template <Engine E>
manager::Profile::Entry World<E>::entry(int app, int subnet, int unit, int opp) const {
  const Forecast& out = forecast(app, unit, subnet, opp);
  const double samples = apps_[app].arrivals.samples_per_frame();
  if (!setup_.ideal.prediction) return {samples * out.latency_ms, samples * out.energy_mj};
  const double factor = ideal_factor(app, out);
  return {factor * load_factor(app, unit) * out.latency_ms, factor * out.energy_mj};
}

}  // namespace dynasoc
