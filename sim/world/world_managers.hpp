// World: what a policy sees, and its knob writes carried out. Included by world_impl.hpp alone.
#pragma once

#include "common/text.hpp"
#include "world/world.hpp"

namespace dynasoc {

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

  if (setup_.battery) seen_.battery.charge_j = std::max(0.0, setup_.battery->charge_j - drawn_j());
  decision_.clear();
  policy_->decide(seen_, decision_);
  if (counted(now_)) ++record_.decisions_asked;
  if constexpr (kReal)
    if (counted(now_)) record_.manager_s += engine_.computed_s();
  if (kReal || why == manager::Trigger::start || manager_cost_us_ <= 0) {
    apply(decision_);
    return;
  }
  deciding_ = true;
  if (counted(now_)) record_.manager_s += manager_cost_us_ * 1e-6;
  tasks_[manager_task_].work_ns = manager_cost_us_ * 1e3;
  tasks_[manager_task_].order = now_;
  submit(manager_task_);
}

template <Engine E>
void World<E>::log_board(const std::string& target, std::string knob, std::string from, std::string to,
                         const std::string& reason) {
  DecisionRecord record;
  record.at = now_;
  record.by_board = true;
  record.decision = decisions_logged_++;
  record.target = target;
  record.knob = std::move(knob);
  record.from = std::move(from);
  record.to = std::move(to);
  record.reason = reason;
  record_.decision_log.push_back(std::move(record));
}

template <Engine E>
void World<E>::log_write(const manager::Write& write, const std::string& target, std::string from, std::string to) {
  DecisionRecord record;
  record.at = now_;
  record.decision = decisions_logged_;
  record.trigger = manager::name_of(seen_.trigger);
  record.target = target;
  record.knob = manager::name_of(write.knob);
  record.from = std::move(from);
  record.to = std::move(to);
  record.reason = write.why.reason.text();
  if (write.why.binding != manager::Constraint::none) record.binding = manager::name_of(write.why.binding);
  record.slack = write.why.slack;
  record.margin = write.why.margin;
  record_.decision_log.push_back(std::move(record));
}

// After the writes: which candidates they chose is then known.
template <Engine E>
void World<E>::log_candidates(const manager::Decision& decision) {
  for (const manager::Candidate& candidate : decision.candidates) {
    CandidateRecord record{
        decisions_logged_,    candidate.app,      candidate.subnet,    candidate.unit,     candidate.opp,
        candidate.latency_ms, candidate.accuracy, candidate.energy_mj, candidate.feasible, false};
    if (candidate.app >= 0) {
      const manager::AppView& view = app_views_[candidate.app];
      record.chosen = (candidate.subnet < 0 || candidate.subnet == view.subnet) &&
                      (candidate.unit < 0 || candidate.unit == view.unit);
      if (record.chosen && candidate.opp >= 0)
        record.chosen = clamp_opp(domains_[unit_views_[view.unit].domains[0]],
                                  domains_[unit_views_[view.unit].domains[0]].requested) == candidate.opp;
    }
    record_.candidates.push_back(record);
  }
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
          if (told) target = view.name, from = level_name(view.subnet), to = level_name(subnet);
          want_subnet(write.target, subnet);
          break;
        }
        case Knob::mapping: {
          manager::AppView& view = app_views_[write.target];
          int unit = std::clamp(write.value, 0, static_cast<int>(units_.size()) - 1);
          const int subnet = covered_subnet(write.target, unit, view.subnet, view.subnet);
          // The tables know nothing of it, or (on a board) its sub-networks are loaded elsewhere: stay.
          if (subnet < 0 || kReal) unit = view.unit;
          if (told) target = view.name, from = unit_views_[view.unit].name, to = unit_views_[unit].name;
          if (unit != view.unit && counted(now_)) ++apps_[write.target].record->mapping_changes;
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
          domain.governed ? govern(write.target, manager::Ask::limits) : retarget(write.target);
          break;
        }
        case Knob::governor: {
          DomainState& domain = domains_[write.target];
          if (told)
            target = domain_views_[write.target].name,
            from = domain.governed ? setup_.governors[write.target].name : "policy",
            to = setup_.governors[write.target].name;
          domain.governed = true;
          govern(write.target, manager::Ask::limits);
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
        case Knob::batch: {
          manager::AppView& view = app_views_[write.target];
          const int batch = std::clamp(write.value, 1, view.most_batch);
          if (told) target = view.name, from = std::to_string(view.batch), to = std::to_string(batch);
          view.batch = batch;
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
      if (told) log_write(write, target, std::move(from), std::move(to));
    }
  if (!recording_.decisions || decision.writes.empty()) return;
  log_candidates(decision);
  ++decisions_logged_;
}

}  // namespace dynasoc
