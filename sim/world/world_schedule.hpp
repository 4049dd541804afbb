// World: a policy's scheduler chooses whose inference has a unit next. Included by world_impl.hpp alone.
#pragma once

#include <utility>

#include "world/world.hpp"

namespace dynasoc {

// The scheduler is asked when the instant is over, once all frames of this instant have come.
template <Engine E>
void World<E>::schedule_soon() {
  if (schedule_due_) return;
  schedule_due_ = true;
  engine_.at(now_, Priority::arrival, {kSchedule, 0});
}

template <Engine E>
void World<E>::schedule() {
  schedule_due_ = false;
  seen_.now = now_;
  for (std::size_t d = 0; d < domains_.size(); ++d) domain_views_[d].opp = domains_[d].opp;
  for (std::size_t u = 0; u < units_.size(); ++u) {
    if (units_[u].inside < 0)
      fill(u);
    else if (!units_[u].waiting.empty())
      cut(static_cast<std::uint32_t>(units_[u].inside));
  }
}

template <Engine E>
double World<E>::claim_ms(int a, std::size_t u) const {
  const AppState& app = apps_[a];
  return forecast(a, static_cast<int>(u), app.loaded, units_[u].opp).latency_ms * app.arrivals.samples_per_frame() *
         app_views_[a].batch_factor(1 + static_cast<int>(app.company.size()));
}

// What waits for a unit, in the order that schedulers are promised.
template <Engine E>
void World<E>::gather(std::size_t u) {
  claimants_.clear();
  for (std::size_t v = 0; v < units_.size(); ++v) {
    if (v != u && !roams()) continue;
    for (const std::uint32_t id : units_[v].waiting) {
      const bool here = v == u, movable = apps_[id].started == kNever;
      if (here || (movable && setup_.apps[id].models[u][static_cast<std::size_t>(apps_[id].loaded)]))
        claimants_.push_back(id);
    }
  }
  std::sort(claimants_.begin(), claimants_.end(), [this](std::uint32_t a, std::uint32_t b) {
    return std::pair(tasks_[a].order, a) < std::pair(tasks_[b].order, b);
  });
  claims_.clear();
  may_run_.clear();
  for (const std::uint32_t id : claimants_) {
    const AppState& app = apps_[id];
    const Task& task = tasks_[id];
    const double done = app.started == kNever ? 0 : 1 - task.work_ns / task.total_ns;
    const std::vector<double>& ends = setup_.apps[id].block_ends[u][static_cast<std::size_t>(app.loaded)];
    const auto next = std::upper_bound(ends.begin(), ends.end(), done + kBlockSlack);
    const double next_share = (kReal || next == ends.end() ? 1 : *next) - done;  // nothing interrupts a real one
    manager::Claim& claim = claims_.emplace_back();
    claim.app = static_cast<int>(id);
    claim.frame = app.frame.job;
    claim.subnet = app.loaded;
    claim.unit = task.unit;
    claim.arrival = app.frame.arrival;
    claim.deadline = app.deadline;
    claim.priority = task.priority;
    claim.isolated_ms = claim_ms(static_cast<int>(id), u);
    claim.remaining_ms = claim.isolated_ms * (1 - done);
    claim.next_ms = claim.isolated_ms * next_share;
    claim.block_share = next_share;
    claim.ran = task.ran;
    claim.started = app.started != kNever;
    if (done > 0) claim.stretch = task.ran_ns * 1e-6 / (claim.isolated_ms * done);
    claim.lost = app.lost;
    claim.frames = 1 + static_cast<int>(app.company.size());
    claim.children = static_cast<std::uint32_t>(app.children.size());
    for (std::size_t v = 0; v < units_.size(); ++v)
      may_run_.push_back(v == task.unit || (!claim.started && roams() &&
                                            setup_.apps[id].models[v][static_cast<std::size_t>(app.loaded)]));
  }
  for (std::size_t v = 0; v < units_.size(); ++v) {
    free_in_ms_[v] = 0;
    if (const int inside = units_[v].inside; inside >= 0) {
      // By the tables: how long this frame will really take nobody knows.
      const Task& task = tasks_[inside];
      const double ran_ms = task.ran_ns * 1e-6 + to_ms(now_ - task.began);
      free_in_ms_[v] = std::max(0.0, claim_ms(inside, v) - ran_ms);
    }
  }
}

template <Engine E>
void World<E>::fill(std::size_t u) {
  UnitState& unit = units_[u];
  // An application's own rule comes first: a frame that it would not have started is not there to choose.
  for (std::size_t v = 0; v < units_.size(); ++v) {
    if (v != u && !roams()) continue;
    for (std::size_t i = units_[v].waiting.size(); i-- > 0;)
      if (const std::uint32_t id = units_[v].waiting[i];
          apps_[id].started == kNever && too_late(static_cast<int>(id), apps_[id].deadline))
        give_up(id);
  }
  gather(u);
  if (claims_.empty()) return;
  manager::Vacancy vacancy{static_cast<int>(u), unit.opp, claims_, free_in_ms_, may_run_};
  given_up_.clear();
  scheduler_->give_up(seen_, vacancy, given_up_);
  if (!given_up_.empty()) {
    const std::vector<std::uint32_t> ids = claimants_;
    std::sort(given_up_.begin(), given_up_.end());
    given_up_.erase(std::unique(given_up_.begin(), given_up_.end()), given_up_.end());
    // A closed loop would answer with its next frame at once, for ever.
    for (const int i : given_up_)
      if (const std::uint32_t id = ids.at(static_cast<std::size_t>(i));
          apps_[id].started == kNever && !apps_[id].closed)
        give_up(id);
    gather(u);
    if (claims_.empty()) return;
    vacancy.claims = claims_;
    vacancy.may_run = may_run_;
  }
  const int pick = scheduler_->pick(seen_, vacancy);
  if (pick < 0) return;
  start(claimants_.at(static_cast<std::size_t>(pick)), u);
}

template <Engine E>
void World<E>::start(std::uint32_t id, std::size_t u) {
  Task& task = tasks_[id];
  UnitState& from = units_[task.unit];
  AppState& app = apps_[id];
  from.waiting.erase(std::find(from.waiting.begin(), from.waiting.end(), id));
  task.waiting = false;
  if (task.unit != u) {
    manager::AppView& view = app_views_[id];
    view.unit = static_cast<int>(u);
    view.subnet = covered_subnet(static_cast<int>(id), view.unit, view.subnet, app.loaded);
    if (counted(now_)) ++app.record->mapping_changes;
    prepare(static_cast<int>(id), static_cast<int>(u));
  }
  const bool others = std::any_of(units_[u].waiting.begin(), units_[u].waiting.end(),
                                  [this](std::uint32_t other) { return apps_[other].started != kNever; });
  if (others && counted(now_)) ++record_.preemptions;  // one that has begun waits for it
  // The time of the choice comes first, and is no part of the inference.
  task.useful_ns = task.work_ns;
  if (const double cost_us = setup_.ideal.granularity || kReal ? 0 : scheduler_->pick_cost_us(); cost_us > 0) {
    task.work_ns += cost_us * 1e3;
    if (counted(now_)) record_.manager_s += cost_us * 1e-6;
  }
  begin(id);
  if (!units_[u].waiting.empty()) cut(id);
}

// Others wait: it gives its unit back at the end of its present block, if it has blocks.
template <Engine E>
void World<E>::cut(std::uint32_t id) {
  if (kReal) return;
  Task& task = tasks_[id];
  const std::vector<double>& ends = setup_.apps[id].block_ends[task.unit][static_cast<std::size_t>(apps_[id].loaded)];
  if (ends.empty() || task.rest_ns > 0) return;
  const double left_ns = engine_.remaining(task.activity);
  const double done = 1 - std::min(left_ns, task.useful_ns) / task.total_ns;
  const auto end = std::upper_bound(ends.begin(), ends.end(), done + kBlockSlack);
  if (end == ends.end()) return;
  const double rest_ns = (1 - *end) * task.total_ns;
  if (rest_ns < kCompletionSlackNs || left_ns - rest_ns < kCompletionSlackNs) return;
  UnitState& unit = units_[task.unit];
  engine_.cancel(task.activity);
  task.rest_ns = rest_ns;
  task.activity = engine_.start(unit.processor, left_ns - rest_ns, task.weight, engine_rate(task), {kDone, id});
}

// The end of a block: it waits like the others, with what is left of it.
template <Engine E>
void World<E>::pause(std::uint32_t id) {
  Task& task = tasks_[id];
  finish(id);
  task.work_ns = task.rest_ns;
  task.rest_ns = 0;
  task.waiting = true;
  units_[task.unit].waiting.push_back(id);
  schedule_soon();
}

// A frame that has not begun is dropped, and its application goes on with its next.
template <Engine E>
void World<E>::give_up(std::uint32_t id) {
  AppState& app = apps_[id];
  withdraw(id);
  app.serving = false;
  lose_frames(static_cast<int>(id));
  if (app_views_[id].subnet != app.loaded && !app.switching) begin_switch(static_cast<int>(id));
  dispatch(static_cast<int>(id));
}

// Of the frames in service, none has a result.
template <Engine E>
void World<E>::lose_frames(int a) {
  AppState& app = apps_[a];
  frame_lost(a, app.frame, Outcome::dropped);
  for (const Companion& other : app.company) frame_lost(a, other.frame, Outcome::dropped);
  app.company.clear();
}

}  // namespace dynasoc
