// Definitions of World's members; included only where World is instantiated for an engine.
#pragma once

#include "world/world.hpp"

namespace dynasoc {

// ---------------------------------------------------------------------------------------------------------------------
// Set-up

template <Engine E>
World<E>::World(const Setup& setup, const Recording& recording, std::uint64_t replication)
    : setup_(setup), recording_(recording), replication_(replication) {
  record_.seed = setup.seed;
  record_.replication = replication;
  build_board();
  build_apps();
  build_loads();
  build_managers();
}

template <Engine E>
void World<E>::build_board() {
  const Platform& platform = setup_.platform;
  const std::size_t unit_count = platform.file.units.size(), domain_count = platform.file.domains.size();

  domains_.resize(domain_count);
  domain_views_.resize(domain_count);
  for (std::size_t d = 0; d < domain_count; ++d) {
    DomainState& domain = domains_[d];
    domain.lowest = setup_.modes[0].lowest_opp[d];
    domain.highest = setup_.modes[0].highest_opp[d];
    const int top = static_cast<int>(platform.file.domains[d].second.opps_mhz.size()) - 1;
    domain.policy_highest = domain.thermal_highest = top;
    domain.governor = setup_.governors[d].make();
    domain.opp = domain.next = domain.requested = domain.highest;
    domain_views_[d].name = platform.file.domains[d].first;
    domain_views_[d].index = static_cast<int>(d);
    domain_views_[d].opps_mhz = platform.file.domains[d].second.opps_mhz;
  }

  units_.resize(unit_count);
  unit_views_.resize(unit_count);
  for (std::size_t u = 0; u < unit_count; ++u) {
    const UnitFile& file = platform.file.units[u].second;
    UnitState& unit = units_[u];
    unit.processor = engine_.add_processor();
    unit.discipline = file.discipline;
    unit.preemptive = file.preemptive;
    unit.node = platform.links[u].thermal_node;
    unit.opps = platform.file.domains[platform.links[u].domains[0]].second.opps_mhz.size();
    unit.cores = unit.most_cores = setup_.modes[0].cores_online[u];
    for (std::size_t v = 0; v < unit_count; ++v) unit.hurts = unit.hurts || platform.slow[v][u] > 1;
    for (const int d : platform.links[u].domains) domains_[d].units.push_back(static_cast<int>(u));
    unit_views_[u].name = platform.file.units[u].first;
    unit_views_[u].index = static_cast<int>(u);
    unit_views_[u].domains = platform.links[u].domains;
    for (const int d : platform.links[u].domains) unit_views_[u].cores += platform.file.domains[d].second.cores;
    unit_views_[u].cores_online = unit.cores;
  }
  for (DomainState& domain : domains_) domain.busy_mark_s.assign(domain.units.size(), 0);

  for (const auto& [name, rail] : platform.file.rails) {
    std::vector<int> fed;
    for (const Name& unit : rail.units) fed.push_back(platform.unit_index(unit.text));
    rail_units_.push_back(std::move(fed));
    rail_static_.push_back(rail.static_power);
    rail_views_.push_back({name, std::nan(""), 0});
    rail_sampled_j_.push_back(0);
  }
  for (const auto& [name, sensor] : platform.file.sensors) {
    SensorState state;
    for (const Name& rail : sensor.rails)
      for (std::size_t r = 0; r < platform.file.rails.size(); ++r)
        if (platform.file.rails[r].first == rail.text) state.rails.push_back(static_cast<int>(r));
    state.mark_j.assign(state.rails.size(), 0);
    sensors_.push_back(std::move(state));
  }

  if (setup_.thermal && platform.file.thermal) {
    thermal_.emplace(*platform.file.thermal);
    node_power_.assign(thermal_->nodes(), 0);
    temperatures_.assign(thermal_->nodes(), platform.file.thermal->initial_c);
    for (std::size_t n = 0; n < platform.file.thermal->nodes.size(); ++n)
      if (platform.file.thermal->nodes[n].first == platform.file.thermal->static_node.text)
        node_power_[n] = platform.file.static_power_w;
    thermal_stale_ = true;
  }
  for (std::size_t u = 0; u < unit_count; ++u) refresh_unit(u);
}

template <Engine E>
void World<E>::build_apps() {
  const std::size_t count = setup_.apps.size();
  tasks_.resize(count + setup_.background.size() + 1);
  manager_task_ = static_cast<std::uint32_t>(tasks_.size() - 1);
  apps_.reserve(count);
  app_views_.resize(count);
  record_.apps.resize(count);
  forecasts_.resize(count);

  for (std::size_t a = 0; a < count; ++a) {
    const AppSetup& setup = setup_.apps[a];
    AppState& app =
        apps_.emplace_back(Arrivals(setup.file.arrivals, Stream(setup_.seed, setup.name + "/arrivals", replication_),
                                    from_s(setup.file.start_s), setup.trace_s),
                           Stream(setup_.seed, setup.name + "/execution", replication_));
    app.closed = app.arrivals.driver() == ArrivalDriver::completion;
    app.switch_time = from_ms(setup.switch_ms);
    app.session = setup.file.session ? setup.file.session->factor : 1;
    if (setup.file.stop_s > 0) app.stop = from_s(setup.file.stop_s);
    if (const auto* table = std::get_if<TableExecution>(&setup.file.execution)) {
      app.varies = true;
      app.default_sigma = std::sqrt(std::log1p(table->default_cv * table->default_cv));
    }
    if (!setup.replay_ratios.empty()) app.ratios = &setup.replay_ratios;

    const std::size_t subnets = setup.network->size();
    forecasts_[a].resize(units_.size());
    for (std::size_t u = 0; u < units_.size(); ++u)
      forecasts_[a][u].resize(subnets * domain_views_[unit_views_[u].domains[0]].opps_mhz.size());

    AppRecord& record = record_.apps[a];
    record.name = setup.name;
    record.subnets.resize(subnets);
    record.windows.assign(setup_.windows.size(), std::vector<SubnetRecord>(subnets));
    for (const Subnet& subnet : setup.network->file.subnets) record.accuracy.push_back(subnet.accuracy);
    app.record = &record;

    manager::AppView& view = app_views_[a];
    view.name = setup.name;
    view.index = static_cast<int>(a);
    view.subnets = static_cast<int>(subnets);
    view.accuracy = record.accuracy;
    view.unit = setup.unit;
    view.switch_ms = setup.switch_ms;
    view.switch_energy_mj = setup.switch_energy_mj;
    tasks_[a].weight = setup.file.weight;
  }
  for (std::size_t a = 0; a < count; ++a) {
    if (setup_.apps[a].parent >= 0) apps_[setup_.apps[a].parent].children.push_back(static_cast<int>(a));
    apply_target(static_cast<int>(a));
    app_views_[a].subnet = apps_[a].loaded = initial_subnet(a);
    engine_.at(from_s(setup_.apps[a].file.start_s), Priority::application, {kAppStart, static_cast<std::uint32_t>(a)});
    if (apps_[a].stop != kNever)
      engine_.at(apps_[a].stop, Priority::application, {kAppStop, static_cast<std::uint32_t>(a)});
  }
}

template <Engine E>
int World<E>::initial_subnet(std::size_t a) const {
  const AppSetup& setup = setup_.apps[a];
  if (setup.subnet >= 0) return setup.subnet;
  const int app = static_cast<int>(a), opp = units_[setup.unit].opp;
  int best = -1;
  bool best_meets = false;
  for (int subnet = 0; subnet < app_views_[a].subnets; ++subnet) {
    const double ms = entry(app, subnet, setup.unit, opp).latency_ms;
    if (!(ms > 0)) continue;
    const bool meets = app_views_[a].latency_target_ms <= 0 || ms <= app_views_[a].latency_target_ms;
    if (best < 0 || (meets && (!best_meets || app_views_[a].accuracy[subnet] >= app_views_[a].accuracy[best]))) {
      best = subnet;
      best_meets = meets;
    }
  }
  return std::max(best, 0);
}

template <Engine E>
void World<E>::build_loads() {
  for (std::size_t b = 0; b < setup_.background.size(); ++b) {
    const BackgroundSetup& setup = setup_.background[b];
    loads_.emplace_back().stream = Stream(setup_.seed, setup.name + "/demand", replication_);
    Task& task = tasks_[apps_.size() + b];
    task.weight = setup.file.weight;
    task.unit = static_cast<std::uint8_t>(setup.unit);
    const auto subject = static_cast<std::uint32_t>(b);
    engine_.at(from_s(setup.file.from_s), Priority::application, {kLoadStart, subject});
    if (setup.file.to_s > 0) engine_.at(from_s(setup.file.to_s), Priority::application, {kLoadStop, subject});
  }
}

template <Engine E>
void World<E>::build_managers() {
  policy_ = setup_.policy.make();
  triggers_ = policy_->triggers();
  manager_cost_us_ = setup_.manager_cost_us.value_or(policy_->compute_cost_us());
  for (std::size_t u = 0; u < units_.size() && manager_unit_ < 0; ++u)
    if (setup_.platform.file.domains[unit_views_[u].domains[0]].second.kind == DomainKind::cpu)
      manager_unit_ = static_cast<int>(u);
  if (manager_unit_ < 0) manager_unit_ = 0;
  tasks_[manager_task_].unit = static_cast<std::uint8_t>(manager_unit_);

  seen_.applications = app_views_;
  seen_.units = unit_views_;
  seen_.domains = domain_views_;
  seen_.rails = rail_views_;
  seen_.temperatures_c = temperatures_;
  seen_.profile = this;
  seen_.explain = recording_.decisions;
}

// ---------------------------------------------------------------------------------------------------------------------
// The run

template <Engine E>
RunRecord World<E>::run(const Progress& progress) {
  steps_per_ns_ = static_cast<double>(AppRecord::kSteps) / static_cast<double>(setup_.duration);
  for (std::size_t d = 0; d < domains_.size(); ++d) {
    govern(static_cast<int>(d));
    if (const double period_ms = domains_[d].governor->period_ms(); period_ms > 0)
      domains_[d].tick = engine_.at(from_ms(period_ms), Priority::manager, {kGovernor, static_cast<std::uint32_t>(d)});
  }
  trigger(manager::Trigger::start, -1);
  if (triggers_.period_ms > 0) engine_.at(from_ms(triggers_.period_ms), Priority::manager, {kPolicy, 0});
  if (thermal_) engine_.at(from_ms(setup_.platform.file.thermal->poll_ms), Priority::device, {kThermal, 0});
  for (std::size_t s = 0; s < sensors_.size(); ++s) {
    const SensorFile& file = setup_.platform.file.sensors[s].second;
    engine_.at(from_ms(file.period_ms), Priority::observer, {kSensorRead, static_cast<std::uint32_t>(s)});
    if (file.averaging_ms > 0 && file.averaging_ms < file.period_ms)
      engine_.at(from_ms(file.period_ms - file.averaging_ms), Priority::observer,
                 {kSensorMark, static_cast<std::uint32_t>(s)});
  }
  if (recording_.timeline_period > 0) {
    std::vector<std::string>& columns = record_.timeline_columns;
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
  if (setup_.warmup > 0) engine_.at(setup_.warmup, Priority::device, {kWarm, 0});
  for (std::size_t u = 0; u < units_.size(); ++u) baseline_.units.push_back(unit_account(u));
  started_ = true;

  progress_ = progress ? &progress : nullptr;
  engine_.run(*this, setup_.duration);
  now_ = setup_.duration;
  finish_record();
  return std::move(record_);
}

template <Engine E>
void World<E>::on_event(Event event) {
  now_ = engine_.now();
  // Counted in events and not in simulated time, of which a second may hold a hundred of them or a million.
  if ((++events_ & 0xFFFF) == 0 && progress_ != nullptr)
    (*progress_)(static_cast<double>(now_) / static_cast<double>(setup_.duration));
  const int subject = static_cast<int>(event.subject);
  switch (static_cast<Kind>(event.kind)) {
    case kArrival: arrive(subject); break;
    case kDone: done(event.subject); break;
    case kStallEnd:
      for (const int u : domains_[subject].units)
        if (--units_[u].stalls == 0) engine_.set_speed(units_[u].processor, units_[u].slice_factor);
      break;
    case kSettle: settle(subject); break;
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
    case kGovernor:
      govern(subject, true);
      domains_[subject].tick = engine_.at(now_ + from_ms(domains_[subject].governor->period_ms()), Priority::manager,
                                          {kGovernor, event.subject});
      break;
    case kThermal:
      update_temperatures();
      throttle();
      engine_.at(now_ + from_ms(setup_.platform.file.thermal->poll_ms), Priority::device, {kThermal, 0});
      break;
    case kSensorMark: {
      SensorState& sensor = sensors_[subject];
      for (std::size_t i = 0; i < sensor.rails.size(); ++i) sensor.mark_j[i] = rail_energy_j(sensor.rails[i]);
      sensor.marked = now_;
      engine_.at(now_ + from_ms(setup_.platform.file.sensors[subject].second.period_ms), Priority::observer, event);
      break;
    }
    case kSensorRead: read_sensor(subject); break;
    case kSample:
      sample();
      engine_.at(now_ + recording_.timeline_period, Priority::observer, {kSample, 0});
      break;
    case kWarm:
      baseline_.at = now_;
      baseline_.dvfs_transitions = record_.dvfs_transitions;
      baseline_.decisions = record_.decisions;
      record_.peak_temperature_c = std::nan("");
      for (std::size_t u = 0; u < units_.size(); ++u) baseline_.units[u] = unit_account(u);
      break;
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Units

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
  } else {
    const double factor = id == manager_task_ ? 1 : setup_.background[id - apps_.size()].file.power_factor;
    task.power_w = factor * unit.above_idle_w;
  }
  task.running = true;
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
  task.activity = engine_.start(unit.processor, task.work_ns, task.weight, engine_rate(task), {kDone, id});
  if (unit.hurts && unit.running == 1) contention_changed(task.unit);
  power_changed(unit);
}

template <Engine E>
void World<E>::settle_energy(std::uint32_t id) {
  Task& task = tasks_[id];
  UnitState& unit = units_[task.unit];
  const double energy_j = task.weight * task.power_w * (unit.share - task.share_mark);
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
  if (unit.waiting.empty() || unit.running > 0) return;
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

// ---------------------------------------------------------------------------------------------------------------------
// Clocks

template <Engine E>
void World<E>::refresh_unit(std::size_t u) {
  UnitState& unit = units_[u];
  sync(unit);
  const Platform& platform = setup_.platform;
  const Platform::UnitLinks& links = platform.links[u];
  int slowest = links.domains[0], cores = 0;
  for (const int d : links.domains) {
    if (domains_[d].opp < domains_[slowest].opp) slowest = d;
    cores += platform.file.domains[d].second.cores;
  }
  unit.opp = domains_[slowest].opp;
  unit.mhz = domain_views_[slowest].opps_mhz[unit.opp];
  double idle_w = 0, busy_w = 0;
  for (const int d : links.domains) {
    const double share = cores > 0 ? static_cast<double>(platform.file.domains[d].second.cores) / cores
                                   : 1.0 / static_cast<double>(links.domains.size());
    const double mhz = domain_views_[d].opps_mhz[domains_[d].opp];
    idle_w += share * platform.idle_w(u, mhz);
    busy_w += share * platform.busy_w(u, mhz);
  }
  unit.idle_w = idle_w;
  unit.above_idle_w = (busy_w - idle_w) * (cores > 0 ? static_cast<double>(unit.cores) / cores : 1);

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
  DomainState& domain = domains_[d];
  const DomainFile& file = setup_.platform.file.domains[d].second;
  const int wanted = clamp_opp(domain, domain.requested);
  if (wanted == (domain.settling ? domain.next : domain.opp)) return;
  if (domain.settling) engine_.cancel(domain.settle);
  domain.next = wanted;
  domain.settling = true;
  if (!started_) {  // before the run begins a clock is simply there
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
  domain.opp = domain.next;
  for (std::size_t u = 0; u < units_.size(); ++u) {
    const Platform::UnitLinks& links = setup_.platform.links[u];
    const bool other = links.host_domain == d || links.memory_domain == d;
    const bool own = std::find(links.domains.begin(), links.domains.end(), d) != links.domains.end();
    if (other) ++units_[u].epoch;
    if (own || other) refresh_unit(u);
  }
}

template <Engine E>
void World<E>::govern(int d, bool tick) {
  DomainState& domain = domains_[d];
  double busy = 0;
  const double window_s = to_s(now_ - domain.sampled);
  for (std::size_t i = 0; i < domain.units.size(); ++i) {
    UnitState& unit = units_[domain.units[i]];
    sync(unit);
    if (window_s > 0) busy = std::max(busy, (unit.busy_s - domain.busy_mark_s[i]) / window_s);
    if (tick) domain.busy_mark_s[i] = unit.busy_s;
  }
  manager::DomainSample seen;
  seen.now = now_;
  seen.since = domain.sampled;
  seen.busy = std::min(busy, 1.0);
  seen.opps_mhz = domain_views_[d].opps_mhz;
  seen.opp = domain.opp;
  seen.lowest = clamp_opp(domain, 0);
  seen.highest = clamp_opp(domain, static_cast<int>(seen.opps_mhz.size()) - 1);
  if (tick) domain.sampled = now_;  // a change of limits in between must not cut the window short
  if (domain.governed) request(d, domain.governor->next(seen));
}

template <Engine E>
void World<E>::set_cores(int u, int cores) {
  UnitState& unit = units_[u];
  cores = std::clamp(cores, std::min(1, unit.most_cores), unit.most_cores);
  if (cores == unit.cores) return;
  sync(unit);
  unit.cores = cores;
  ++unit.epoch;
  refresh_unit(u);
}

template <Engine E>
void World<E>::enter_mode(std::size_t m) {
  const ModeSetup& mode = setup_.modes[m];
  if (recording_.decisions)
    log(true, "board", "mode", setup_.modes[m - 1].name, mode.name, "the scenario changes the power mode", 0);
  for (std::size_t u = 0; u < units_.size(); ++u) {
    units_[u].most_cores = mode.cores_online[u];
    set_cores(static_cast<int>(u), mode.cores_online[u]);
  }
  for (std::size_t d = 0; d < domains_.size(); ++d) {
    domains_[d].lowest = mode.lowest_opp[d];
    domains_[d].highest = mode.highest_opp[d];
    domains_[d].governed ? govern(static_cast<int>(d)) : retarget(static_cast<int>(d));
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

template <Engine E>
manager::Profile::Entry World<E>::entry(int app, int subnet, int unit, int opp) const {
  const Forecast& out = forecast(app, unit, subnet, opp);
  const double samples = apps_[app].arrivals.samples_per_frame();
  return {samples * out.latency_ms, samples * out.energy_mj};
}

// ---------------------------------------------------------------------------------------------------------------------
// Applications

template <Engine E>
void World<E>::schedule_arrival(int a) {
  AppState& app = apps_[a];
  if (app.closed) {
    const Time at = app.next_job == 0 ? now_ : now_ + app.arrivals.think();
    if (at < app.stop) engine_.at(at, Priority::arrival, {kArrival, static_cast<std::uint32_t>(a)});
    return;
  }
  const Time at = app.arrivals.next();
  if (at < app.stop && at < setup_.duration)
    engine_.at(at, Priority::arrival, {kArrival, static_cast<std::uint32_t>(a)});
}

template <Engine E>
void World<E>::arrive(int a) {
  if (!apps_[a].closed) schedule_arrival(a);
  accept(a);
}

template <Engine E>
void World<E>::accept(int a) {
  AppState& app = apps_[a];
  manager::AppView& view = app_views_[a];
  const FrameQueue::Frame frame{now_, app.next_job++};
  ++view.arrived;
  if (counted(now_)) ++app.record->jobs;
  if (!view.admitted) {
    frame_lost(a, frame, Outcome::rejected);
    app.arrival_due = app.closed;
    return;
  }
  if (app.serving || app.switching) {
    const ApplicationFile& file = setup_.apps[a].file;
    const bool full =
        (file.late == LatePolicy::replace && !app.queue.empty()) ||
        (file.late == LatePolicy::drop_oldest && app.queue.size() >= static_cast<std::uint32_t>(file.queue_limit));
    if (full) {
      frame_lost(a, app.queue.front(), Outcome::dropped);
      app.queue.pop();
    }
  }
  if (app.queue.size() >= kMostWaiting)
    throw(setup_.apps[a].file.where / "arrivals")
        .error("application " + view.name + " is so overloaded that " + std::to_string(kMostWaiting / 1'000'000) +
               " million frames wait at " + number_text(to_s(now_)) +
               " s: drop late frames (\"late\"), or let fewer arrive");
  app.queue.push(frame);
  view.waiting = app.queue.size();
  if (triggers_.arrival) trigger(manager::Trigger::arrival, a);
  dispatch(a);
}

template <Engine E>
void World<E>::frame_lost(int a, const FrameQueue::Frame& frame, Outcome outcome) {
  AppState& app = apps_[a];
  if (outcome == Outcome::dropped) ++app_views_[a].dropped;
  if (counted(frame.arrival)) {
    if (outcome == Outcome::dropped) ++app.record->dropped;
    if (outcome == Outcome::rejected) ++app.record->rejected;
  }
  if (!recording_.jobs) return;
  JobRecord record;
  record.arrival = frame.arrival;
  record.job = frame.job;
  record.app = static_cast<std::uint16_t>(a);
  record.subnet = static_cast<std::uint8_t>(app.loaded);
  record.unit = static_cast<std::uint8_t>(app_views_[a].unit);
  record.outcome = outcome;
  if (app.relative_deadline != kNever) record.deadline = frame.arrival + app.relative_deadline;
  record_.jobs.add(record);
}

template <Engine E>
void World<E>::dispatch(int a) {
  AppState& app = apps_[a];
  manager::AppView& view = app_views_[a];
  if (app.serving || app.switching) return;
  const UnitState& unit = units_[view.unit];
  while (!app.queue.empty()) {
    const FrameQueue::Frame frame = app.queue.front();
    app.queue.pop();
    view.waiting = app.queue.size();
    app.deadline = app.relative_deadline == kNever ? kNever : frame.arrival + app.relative_deadline;
    if (setup_.apps[a].file.late == LatePolicy::drop_hopeless && app.deadline != kNever) {
      double fastest_ms = std::numeric_limits<double>::infinity();
      for (int subnet = 0; subnet < view.subnets; ++subnet)
        fastest_ms = std::fmin(fastest_ms, entry(a, subnet, view.unit, unit.opp).latency_ms);
      if (now_ + from_ms(fastest_ms) > app.deadline) {
        frame_lost(a, frame, Outcome::dropped);
        continue;
      }
    }
    const Forecast& now = forecast(a, view.unit, app.loaded, unit.opp);
    double factor = app.session * app.arrivals.samples_per_frame();
    if (app.ratios != nullptr) {
      factor *= (*app.ratios)[frame.job % app.ratios->size()];
    } else if (app.varies && now.sigma > 0) {
      factor *= std::exp(now.sigma * app.noise.normal(frame.job) - 0.5 * now.sigma * now.sigma);
    }
    app.frame = frame;
    app.serving = true;
    app.started = kNever;
    app.profile_ms = now.latency_ms * app.arrivals.samples_per_frame();
    app.provenance = now.provenance;
    app.energy_provenance = now.energy_provenance;
    app.outside_range = now.outside_range;
    Task& task = tasks_[a];
    task.unit = static_cast<std::uint8_t>(view.unit);
    task.work_ns =
        std::max(1.0, now.latency_ms * factor * 1e6);  // what takes no time could be repeated for ever at one instant
    task.reference_ms = now.latency_ms;
    task.energy_j = 0;
    task.disturbed = false;
    task.priority = view.priority;
    task.order = frame.arrival;
    task.deadline = app.deadline;
    submit(static_cast<std::uint32_t>(a));
    return;
  }
}

template <Engine E>
void World<E>::done(std::uint32_t id) {
  finish(id);
  UnitState& unit = units_[tasks_[id].unit];
  // The application's own next frame competes with those that wait already: it came in its turn, not after them.
  unit.choosing = unit.discipline != Discipline::fair;
  if (id < apps_.size()) {
    job_done(static_cast<int>(id));
  } else if (id == manager_task_) {
    deciding_ = false;
    apply(decision_);
  } else {
    LoadState& load = loads_[id - apps_.size()];
    if (load.owed_ns > 0) {
      tasks_[id].work_ns = load.owed_ns;
      tasks_[id].order = now_;
      load.owed_ns = 0;
      submit(id);
    }
  }
  if (!unit.choosing) return;
  unit.choosing = false;
  next_on(unit);
}

template <Engine E>
void World<E>::job_done(int a) {
  AppState& app = apps_[a];
  manager::AppView& view = app_views_[a];
  const Task& task = tasks_[a];
  app.serving = false;
  const Time latency = now_ - app.frame.arrival;
  const double latency_ms = to_ms(latency), service_ms = to_ms(now_ - app.started);
  const bool missed = now_ > app.deadline;
  const int subnet = app.loaded;

  if (counted(app.frame.arrival)) {
    AppRecord& record = *app.record;
    ++record.completed;
    record.missed += missed;
    record.latency_sum_ms += latency_ms;
    record.latency_max_ms = std::max(record.latency_max_ms, latency_ms);
    record.accuracy_sum += record.accuracy[subnet];
    record.energy_mj += task.energy_j * 1e3;
    record.latency.add(latency);
    // A table speaks of a job alone at steady clocks; anything else is this simulator's doing.
    const Provenance latency_by = task.disturbed ? Provenance::derived : app.provenance;
    const Provenance energy_by = task.disturbed ? Provenance::derived : app.energy_provenance;
    ++record.provenance[static_cast<std::size_t>(latency_by)];
    ++record.energy_provenance[static_cast<std::size_t>(energy_by)];
    record.outside_range += app.outside_range;
    AppRecord::Step& step = record.strip[std::min(AppRecord::kSteps - 1,
                                                  static_cast<std::size_t>(static_cast<double>(now_) * steps_per_ns_))];
    ++step.completed;
    step.latency_sum_ms += static_cast<float>(latency_ms);
    step.subnet_sum += static_cast<float>(subnet);
    const auto count = [&](SubnetRecord& to) {
      ++to.completed;
      to.missed += missed;
      to.latency_sum_ms += latency_ms;
      to.service_sum_ms += service_ms;
    };
    count(record.subnets[subnet]);
    for (std::size_t w = 0; w < setup_.windows.size(); ++w)
      if (now_ >= setup_.windows[w].from && now_ < setup_.windows[w].to) count(record.windows[w][subnet]);
  }
  if (recording_.jobs) {
    JobRecord record;
    record.arrival = app.frame.arrival;
    record.start = app.started;
    record.end = now_;
    record.deadline = app.deadline;
    record.job = app.frame.job;
    record.energy_mj = static_cast<float>(task.energy_j * 1e3);
    record.app = static_cast<std::uint16_t>(a);
    record.subnet = static_cast<std::uint8_t>(subnet);
    record.unit = task.unit;
    record.outcome = missed ? Outcome::missed : Outcome::met;
    record_.jobs.add(record);
  }
  view.samples[view.completed % manager::AppView::kRemembered] = {now_,   latency_ms, service_ms, app.profile_ms,
                                                                  subnet, task.unit,  missed};
  ++view.completed;
  view.missed += missed;

  for (const int child : app.children)
    if (app_views_[child].active && apps_[child].arrivals.triggered_by(app.frame.job)) accept(child);
  if (triggers_.completion) trigger(manager::Trigger::completion, a);

  if (view.subnet != app.loaded && !app.switching) begin_switch(a);
  if (app.closed) {
    if (app.switching)
      app.arrival_due = true;
    else
      schedule_arrival(a);
  } else {
    dispatch(a);
  }
}

template <Engine E>
void World<E>::want_subnet(int a, int subnet) {
  AppState& app = apps_[a];
  app_views_[a].subnet = subnet;
  if (!started_)
    app.loaded = subnet;  // what a run starts with is loaded before it starts
  else if (!app.serving && !app.switching && app.loaded != subnet)
    begin_switch(a);
}

template <Engine E>
void World<E>::begin_switch(int a) {
  AppState& app = apps_[a];
  app.switching_to = app_views_[a].subnet;
  if (counted(now_)) ++app.record->subnet_switches;
  const double energy_mj = setup_.apps[a].switch_energy_mj;
  units_[app_views_[a].unit].switch_j += energy_mj * 1e-3;
  if (counted(now_)) app.record->energy_mj += energy_mj;
  if (app.switch_time == 0) {
    app.loaded = app.switching_to;
    return;
  }
  app.switching = true;
  engine_.at(now_ + app.switch_time, Priority::application, {kSwitched, static_cast<std::uint32_t>(a)});
}

template <Engine E>
void World<E>::apply_target(int a) {
  AppState& app = apps_[a];
  manager::AppView& view = app_views_[a];
  const auto& targets = setup_.apps[a].file.targets;
  while (app.next_target < targets.size() && from_s(targets[app.next_target].from_s) <= now_) {
    const TargetFile& target = targets[app.next_target++];
    view.latency_target_ms = target.latency_ms;
    view.accuracy_floor = target.accuracy_floor;
    view.energy_budget_mj = target.energy_mj;
    view.power_budget_w = target.power_w;
    view.priority = target.priority;
    app.relative_deadline = target.latency_ms > 0 ? from_ms(target.latency_ms) : kNever;
  }
  if (app.next_target < targets.size())
    engine_.at(from_s(targets[app.next_target].from_s), Priority::application,
               {kTarget, static_cast<std::uint32_t>(a)});
}

// ---------------------------------------------------------------------------------------------------------------------
// Background load

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
  const double mean_ms = load.on ? demand.on_ms : demand.off_ms;
  const double length_ms = demand.exponential ? mean_ms * load.stream.exponential(load.draws++) : mean_ms;
  load.timer = engine_.at(now_ + std::max<Time>(1, from_ms(length_ms)), Priority::application,
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

// ---------------------------------------------------------------------------------------------------------------------
// Managers

template <Engine E>
void World<E>::trigger(manager::Trigger why, int subject) {
  if (deciding_) return;  // it is still computing: what happens meanwhile it sees next time
  seen_.now = now_;
  seen_.trigger = why;
  seen_.subject = subject;
  const double window_s = to_s(now_ - looked_);
  for (std::size_t u = 0; u < units_.size(); ++u) {
    UnitState& unit = units_[u];
    sync(unit);
    if (window_s > 0) unit_views_[u].utilisation = (unit.busy_s - unit.busy_seen_s) / window_s;
    unit.busy_seen_s = unit.busy_s;
    unit_views_[u].cores_online = unit.cores;
  }
  looked_ = now_;
  for (std::size_t d = 0; d < domains_.size(); ++d) {
    manager::DomainView& view = domain_views_[d];
    view.opp = domains_[d].opp;
    view.requested = domains_[d].requested;
    view.lowest = clamp_opp(domains_[d], 0);
    view.highest = clamp_opp(domains_[d], static_cast<int>(view.opps_mhz.size()) - 1);
    view.governed = domains_[d].governed;
  }
  const auto age = [this](std::size_t a) {
    app_views_[a].oldest_wait_ms = apps_[a].queue.empty() ? 0 : to_ms(now_ - apps_[a].queue.front().arrival);
  };
  if (why == manager::Trigger::arrival || why == manager::Trigger::completion)
    age(static_cast<std::size_t>(
        subject));  // one event concerns one application: the others are looked at periodically
  else
    for (std::size_t a = 0; a < apps_.size(); ++a) age(a);

  decision_.clear();
  policy_->decide(seen_, decision_);
  if (why == manager::Trigger::start || manager_cost_us_ <= 0) {
    apply(decision_);
    return;
  }
  deciding_ = true;
  tasks_[manager_task_].work_ns = manager_cost_us_ * 1e3;
  tasks_[manager_task_].order = now_;
  submit(manager_task_);
}

template <Engine E>
void World<E>::log(bool by_board, const std::string& target, std::string knob, std::string from, std::string to,
                   const std::string& reason, double margin) {
  record_.decision_log.push_back(
      {now_, by_board, target, std::move(knob), std::move(from), std::move(to), reason, margin});
}

// The sub-network nearest to the one asked for that the tables cover on a unit, looking first in the direction of the
// change; -1 if there is none.
template <Engine E>
int World<E>::covered_subnet(int app, int unit, int subnet, int from) const {
  const auto& models = setup_.apps[app].models[unit];
  const int count = static_cast<int>(models.size());
  subnet = std::clamp(subnet, 0, count - 1);
  const int direction = subnet < from ? -1 : 1;
  for (int i = subnet; i >= 0 && i < count; i += direction)
    if (models[i]) return i;
  for (int i = subnet; i >= 0 && i < count; i -= direction)
    if (models[i]) return i;
  return -1;
}

template <Engine E>
void World<E>::apply(const manager::Decision& decision) {
  using manager::Knob;
  const auto level = [](int subnet) { return "L" + std::to_string(subnet + 1); };
  // Mappings first: which sub-networks there are depends on the unit.
  for (const bool mappings : {true, false})
    for (const manager::Write& write : decision.writes) {
      if ((write.knob == Knob::mapping) != mappings) continue;
      ++record_.decisions;
      std::string target, from, to;
      const bool told = recording_.decisions;
      switch (write.knob) {
        case Knob::subnet: {
          manager::AppView& view = app_views_[write.target];
          const int subnet = covered_subnet(write.target, view.unit, write.value, view.subnet);
          if (told) target = view.name, from = level(view.subnet), to = level(subnet);
          want_subnet(write.target, subnet);
          break;
        }
        case Knob::mapping: {
          manager::AppView& view = app_views_[write.target];
          int unit = std::clamp(write.value, 0, static_cast<int>(units_.size()) - 1);
          const int subnet = covered_subnet(write.target, unit, view.subnet, view.subnet);
          if (subnet < 0) unit = view.unit;  // the tables know nothing of it: stay
          if (told) target = view.name, from = unit_views_[view.unit].name, to = unit_views_[unit].name;
          view.unit = unit;  // from the next frame on
          if (subnet >= 0) want_subnet(write.target, subnet);
          break;
        }
        case Knob::frequency: {
          DomainState& domain = domains_[write.target];
          const auto& opps = domain_views_[write.target].opps_mhz;
          const int opp = std::clamp(write.value, 0, static_cast<int>(opps.size()) - 1);
          if (told)
            target = domain_views_[write.target].name, from = number_text(opps[domain.opp]),
            to = number_text(opps[clamp_opp(domain, opp)]);
          domain.governed = false;
          request(write.target, opp);  // kept as asked: it takes full effect when a limit is lifted
          break;
        }
        case Knob::lowest:
        case Knob::highest: {
          DomainState& domain = domains_[write.target];
          const auto& opps = domain_views_[write.target].opps_mhz;
          int& limit = write.knob == Knob::lowest ? domain.policy_lowest : domain.policy_highest;
          const int opp = std::clamp(write.value, 0, static_cast<int>(opps.size()) - 1);
          if (told)
            target = domain_views_[write.target].name, from = number_text(opps[limit]), to = number_text(opps[opp]);
          limit = opp;
          domain.governed ? govern(write.target) : retarget(write.target);
          break;
        }
        case Knob::governor: {
          DomainState& domain = domains_[write.target];
          if (told)
            target = domain_views_[write.target].name,
            from = domain.governed ? setup_.governors[write.target].name : "policy",
            to = setup_.governors[write.target].name;
          domain.governed = true;
          govern(write.target);
          break;
        }
        case Knob::cores: {
          const int before = units_[write.target].cores;
          set_cores(write.target, write.value);
          if (told)
            target = unit_views_[write.target].name, from = std::to_string(before),
            to = std::to_string(units_[write.target].cores);
          break;
        }
        case Knob::admission: {
          manager::AppView& view = app_views_[write.target];
          if (told) target = view.name, from = view.admitted ? "open" : "closed", to = write.value ? "open" : "closed";
          view.admitted = write.value != 0;
          AppState& app = apps_[write.target];
          if (view.admitted && app.closed && app.arrival_due && !app.switching) {
            app.arrival_due = false;
            schedule_arrival(write.target);
          }
          break;
        }
      }
      if (told)
        log(false, target, std::string(manager::name_of(write.knob)), from, to, write.reason.text(), write.margin);
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// Observers

template <Engine E>
void World<E>::update_temperatures() {
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
void World<E>::throttle() {
  const ThermalFile& file = *setup_.platform.file.thermal;
  std::vector<int> change(domains_.size(), 0);  // hot wins over cool where two trips share a domain
  bool any = false;
  for (const TripFile& trip : file.trips) {
    std::size_t node = 0;
    while (node < file.nodes.size() && file.nodes[node].first != trip.node.text) ++node;
    for (const Name& name : trip.domains) {
      const int d = setup_.platform.domain_index(name.text);
      if (temperatures_[node] >= trip.temperature_c)
        change[d] = -1;
      else if (temperatures_[node] >= trip.temperature_c - trip.hysteresis_k)
        change[d] = std::min(change[d], 0) == 0 ? 2 : change[d];
    }
  }
  for (std::size_t d = 0; d < domains_.size(); ++d) {
    DomainState& domain = domains_[d];
    const int top = static_cast<int>(domain_views_[d].opps_mhz.size()) - 1;
    int cap = domain.thermal_highest;
    if (change[d] == -1)
      cap = std::max(0, std::min(cap, domain.opp) - 1);
    else if (change[d] == 0 && cap < top)
      ++cap;
    if (cap == domain.thermal_highest) continue;
    if (recording_.decisions)
      log(true, domain_views_[d].name, "thermal cap", number_text(domain_views_[d].opps_mhz[domain.thermal_highest]),
          number_text(domain_views_[d].opps_mhz[cap]),
          change[d] == -1 ? "trip point reached" : "below the trip point again", 0);
    domain.thermal_highest = cap;
    any = true;
    domain.governed ? govern(static_cast<int>(d)) : retarget(static_cast<int>(d));
  }
  if (any && triggers_.thermal_trip) trigger(manager::Trigger::thermal_trip, -1);
}

template <Engine E>
double World<E>::rail_energy_j(std::size_t rail) {
  double sum = rail_static_[rail] ? setup_.platform.file.static_power_w * to_s(now_) : 0;
  for (const int u : rail_units_[rail]) {
    sync(units_[u]);
    sum += units_[u].idle_j + units_[u].above_j + units_[u].switch_j;
  }
  return sum;
}

template <Engine E>
double World<E>::rail_power_w(std::size_t rail) const {
  double sum = rail_static_[rail] ? setup_.platform.file.static_power_w : 0;
  for (const int u : rail_units_[rail]) sum += unit_power_w(units_[u]);
  return sum;
}

template <Engine E>
void World<E>::read_sensor(int s) {
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
    rail_views_[rail].power_w = step_w > 0 ? std::round(power_w / step_w) * step_w : power_w;
    rail_views_[rail].read_at = now_;
  }
  if (file.averaging_ms >= file.period_ms) sensor.marked = now_;
  engine_.at(now_ + from_ms(file.period_ms), Priority::observer, {kSensorRead, static_cast<std::uint32_t>(s)});
}

template <Engine E>
void World<E>::sample() {
  // Looks and touches nothing: an integral that is cut in two rounds differently, and a run must not depend on being
  // watched.
  TimelineRow row;
  row.at = now_;
  row.values.reserve(record_.timeline_columns.size());
  row.values.push_back(0);
  // Powers are means since the last sample: an instant would depend on what happens to run whenever samples are taken.
  const double window_s = to_s(recording_.timeline_period);
  double power_w = setup_.platform.file.static_power_w;
  for (UnitState& unit : units_) {
    const double busy_s = unit.busy_s + (unit.running > 0 ? to_s(now_ - unit.synced) : 0);
    const double energy_j = energy_now_j(unit);
    row.values.push_back((busy_s - unit.busy_sampled_s) / window_s);
    row.values.push_back(unit.mhz);
    row.values.push_back((energy_j - unit.sampled_j) / window_s);
    power_w += row.values.back();
    unit.busy_sampled_s = busy_s;
    unit.sampled_j = energy_j;
  }
  row.values[0] = power_w;
  if (thermal_) {
    ThermalModel model = *thermal_;
    if (thermal_stale_)
      for (std::size_t node = 0; node < node_power_.size(); ++node) model.set_power(node, node_power_[node]);
    model.advance(static_cast<double>(now_ - thermal_at_) * 1e-9);
    for (std::size_t n = 0; n < model.nodes(); ++n) row.values.push_back(model.temperature_c(n));
  }
  for (std::size_t r = 0; r < rail_views_.size(); ++r) {
    double energy_j = rail_static_[r] ? setup_.platform.file.static_power_w * to_s(now_) : 0;
    for (const int u : rail_units_[r]) energy_j += energy_now_j(units_[u]);
    row.values.push_back((energy_j - rail_sampled_j_[r]) / window_s);
    row.values.push_back(rail_views_[r].power_w);
    rail_sampled_j_[r] = energy_j;
  }
  for (std::size_t a = 0; a < apps_.size(); ++a) {
    row.values.push_back(apps_[a].loaded + 1);
    row.values.push_back(apps_[a].queue.size());
  }
  record_.timeline.push_back(std::move(row));
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
  if (record_.conservation_error > 1e-9)
    throw InternalError("energy is not conserved: the units' and the jobs' accounts differ by a share of " +
                        number_text(record_.conservation_error));
  record_.dvfs_transitions -= baseline_.dvfs_transitions;
  record_.decisions -= baseline_.decisions;
  record_.duration_s = to_s(setup_.duration);
  record_.measured_s = to_s(setup_.duration - baseline_.at);
  record_.static_energy_j = setup_.platform.file.static_power_w * record_.measured_s;
  if (thermal_) update_temperatures();

  if (recording_.jobs)
    for (std::size_t a = 0; a < apps_.size(); ++a) {
      AppState& app = apps_[a];
      const auto unfinished = [&](const FrameQueue::Frame& frame, Time start, Time deadline) {
        JobRecord record;
        record.arrival = frame.arrival;
        record.start = start;
        record.job = frame.job;
        record.app = static_cast<std::uint16_t>(a);
        record.subnet = static_cast<std::uint8_t>(app.loaded);
        record.unit = static_cast<std::uint8_t>(app_views_[a].unit);
        record.deadline = deadline;
        record_.jobs.add(record);
      };
      if (app.serving) unfinished(app.frame, app.started, app.deadline);
      for (; !app.queue.empty(); app.queue.pop()) {
        const Time arrival = app.queue.front().arrival;
        unfinished(app.queue.front(), kNever,
                   app.relative_deadline == kNever ? kNever : arrival + app.relative_deadline);
      }
    }
}

}  // namespace dynasoc
