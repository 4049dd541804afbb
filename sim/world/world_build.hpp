// World: the board, the applications and the managers of one run are put together. Included by world_impl.hpp alone.
#pragma once

#include "world/background.hpp"
#include "world/world.hpp"

namespace dynasoc {

template <Engine E>
World<E>::World(const Setup& setup, const Recording& recording, std::uint64_t replication,
                std::unique_ptr<manager::Policy> policy)
    : setup_(setup), recording_(recording), replication_(replication), policy_(std::move(policy)) {
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
    for (int first = 0; const int d : platform.links[u].domains) {
      domains_[d].units.push_back(static_cast<int>(u));
      domains_[d].first_core = first;
      first += platform.file.domains[d].second.cores;
    }
    if (const int host = platform.links[u].host_domain; host >= 0) domains_[host].guests.push_back(static_cast<int>(u));
    unit_views_[u].name = platform.file.units[u].first;
    unit_views_[u].index = static_cast<int>(u);
    unit_views_[u].domains = platform.links[u].domains;
    for (const int d : platform.links[u].domains) unit_views_[u].cores += platform.file.domains[d].second.cores;
    unit_views_[u].cores_online = unit.cores;
  }
  for (std::size_t d = 0; d < domain_count; ++d) {
    DomainState& domain = domains_[d];
    domain.follows = domain.governor->follows_load();
    if (!domain.follows && domain.governor->period_ms() <= 0) continue;
    for (const auto* of : {&domain.units, &domain.guests})
      for (const int u : *of) units_[u].watchers.push_back(static_cast<int>(d));
  }

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
    state.register_w.assign(state.rails.size(), std::nan(""));
    sensors_.push_back(std::move(state));
  }

  if (setup_.thermal && platform.file.thermal) {
    thermal_.emplace(*platform.file.thermal);
    node_power_.assign(thermal_->nodes(), 0);
    temperatures_.assign(thermal_->nodes(), platform.file.thermal->initial_c);
    polled_c_ = temperatures_;
    if (!platform.file.thermal->trips.empty()) record_.above_trip_s = 0;
    for (const TripFile& trip : platform.file.thermal->trips) {
      std::size_t node = 0;
      while (node < platform.file.thermal->nodes.size() && platform.file.thermal->nodes[node].first != trip.node.text)
        ++node;
      trip_nodes_.push_back(static_cast<int>(node));
      trip_targets_.resize(trip_targets_.size() + trip.domains.size(), -1);
    }
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
    app.switch_time = kReal ? 0 : from_ms(setup.switch_ms);  // sub-networks on a board are resident
    app.session = setup.file.session ? setup.file.session->factor : 1;
    if (setup_.sample_latency) app.deviation = Stream(setup_.seed, setup.name + "/latency", replication_).normal(0);
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
    for (const Subnet& subnet : setup.network->file.subnets) view.memory_mb.push_back(subnet.memory_mb);
    if (setup.file.batch && !kReal) {
      view.most_batch = setup.file.batch->most;
      view.batch_marginal = setup.file.batch->marginal;
    }
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
    loads_.emplace_back().stream = demand_stream(setup_, b, replication_);
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
  if (!policy_) policy_ = setup_.policy_factory ? setup_.policy_factory() : setup_.policy.make();
  triggers_ = policy_->triggers();
  scheduler_ = policy_->scheduler();
  // A clairvoyant's plan has the order of its frames in it.
  if (scheduler_ == nullptr && setup_.scheduler && !policy_->clairvoyant()) {
    scheduling_policy_ = setup_.scheduler->make();
    scheduler_ = scheduling_policy_->scheduler();
  }
  // Beside the one inference that a scheduler lets in, whoever comes shares.
  if (scheduler_ != nullptr)
    for (UnitState& unit : units_) unit.discipline = Discipline::fair;
  free_in_ms_.resize(units_.size());
  // A clairvoyant thinks before the run; to charge it would be to delay a plan.
  manager_cost_us_ = policy_->clairvoyant() ? 0 : setup_.manager_cost_us.value_or(policy_->compute_cost_us());
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
  if (setup_.battery) seen_.battery = {setup_.battery->capacity_j, setup_.battery->charge_j, setup_.battery->until};
  if (setup_.thermal_budget && thermal_) {
    seen_.thermal_budget = {setup_.thermal_budget->limit_c, setup_.thermal_budget->node};
    record_.above_budget_s = 0;
  }
  seen_.exact_profile = setup_.ideal.prediction;
  if (policy_->clairvoyant()) seen_.foresight = this;
  seen_.explain = recording_.decisions;
}

}  // namespace dynasoc
