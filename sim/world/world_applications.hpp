// World: the life of a frame. Included by world_impl.hpp alone.
#pragma once

#include "world/world.hpp"

namespace dynasoc {

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
  if (!view.admitted || off_at_ != kNever) {
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
  if (outcome == Outcome::dropped) ++app_views_[a].dropped, ++app.lost;
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
  record.give_up(now_);
  record_.jobs.add(record);
}

// What a frame takes alone over what the tables say of one sample: the session, this replication's board, the samples
// of a frame, and the noise of this one.
template <Engine E>
double World<E>::execution_factor(const AppState& app, const Forecast& now, std::uint64_t job) const {
  const double factor = app.session * now.systematic * app.arrivals.samples_per_frame();
  if (app.ratios != nullptr) return factor * (*app.ratios)[job % app.ratios->size()];
  if (app.varies && now.sigma > 0)
    return factor * std::exp(now.sigma * app.noise.normal(job) - 0.5 * now.sigma * now.sigma);
  return factor;
}

// Whether the application's rule says that a frame is not to be started any more.
template <Engine E>
bool World<E>::too_late(int a, Time deadline) const {
  const LatePolicy late = setup_.apps[a].file.late;
  if (deadline == kNever) return false;
  if (late == LatePolicy::drop_late) return now_ > deadline;
  if (late != LatePolicy::drop_hopeless) return false;
  const manager::AppView& view = app_views_[a];
  double fastest_ms = std::numeric_limits<double>::infinity();
  for (int unit = 0; unit < static_cast<int>(units_.size()); ++unit)
    if (unit == view.unit || roams())
      for (int subnet = 0; subnet < view.subnets; ++subnet)
        fastest_ms = std::fmin(fastest_ms, forecast(a, unit, subnet, units_[unit].opp).latency_ms);
  return now_ + from_ms(fastest_ms * apps_[a].arrivals.samples_per_frame()) > deadline;
}

template <Engine E>
void World<E>::dispatch(int a) {
  AppState& app = apps_[a];
  manager::AppView& view = app_views_[a];
  if (app.serving || app.switching) return;
  app.company.clear();
  while (!app.queue.empty() && (!app.serving || static_cast<int>(app.company.size()) + 1 < view.batch)) {
    const FrameQueue::Frame frame = app.queue.front();
    app.queue.pop();
    view.waiting = app.queue.size();
    const Time deadline = app.relative_deadline == kNever ? kNever : frame.arrival + app.relative_deadline;
    if (too_late(a, deadline)) {
      frame_lost(a, frame, Outcome::dropped);
    } else if (app.serving) {
      app.company.push_back({frame, deadline});
    } else {
      app.frame = frame;
      app.deadline = deadline;
      app.serving = true;
    }
  }
  if (!app.serving) return;
  prepare(a, view.unit);
  submit(static_cast<std::uint32_t>(a));
}

// What the frames that are about to be served will take on a unit.
template <Engine E>
void World<E>::prepare(int a, int u) {
  AppState& app = apps_[a];
  const manager::AppView& view = app_views_[a];
  const Forecast& now = forecast(a, u, app.loaded, units_[u].opp);
  const double batch = view.batch_factor(1 + static_cast<int>(app.company.size()));
  const double factor = execution_factor(app, now, app.frame.job) * batch;
  app.started = kNever;
  app.profile_ms = now.latency_ms *
                   (setup_.ideal.prediction ? factor * load_factor(a, u) : app.arrivals.samples_per_frame() * batch);
  app.provenance = app.company.empty() ? now.provenance : Provenance::derived;
  app.energy_provenance = app.company.empty() ? now.energy_provenance : Provenance::derived;
  app.outside_range = now.outside_range;
  app.half_width = now.half_width;
  if (!std::isfinite(now.latency_ms))
    throw InternalError("application " + view.name + " was dispatched to a unit that its tables do not cover");
  Task& task = tasks_[a];
  task.unit = static_cast<std::uint8_t>(u);
  // What takes no time could be repeated for ever at one instant.
  task.work_ns = std::max(1.0, now.latency_ms * factor * 1e6);
  task.total_ns = task.work_ns;
  task.rest_ns = 0;
  task.ran_ns = 0;
  app.isolated_ms = task.work_ns * 1e-6;
  task.reference_ms = now.latency_ms;
  task.energy_j = 0;
  task.alone_s = 0;
  task.disturbed = false;
  task.priority = view.priority;
  task.order = app.frame.arrival;
  task.deadline = app.deadline;
}

template <Engine E>
void World<E>::done(std::uint32_t id) {
  if (tasks_[id].rest_ns > 0) return pause(id);
  finish(id);
  if constexpr (kReal) take_measurement(id);
  UnitState& unit = units_[tasks_[id].unit];
  // The application's own next frame competes with those that wait already: it came in its turn, not after them.
  unit.choosing = unit.discipline != Discipline::fair;
  if (id < apps_.size() && kReal && !apps_[id].failure.empty()) {
    if constexpr (kReal) inference_failed(static_cast<int>(id));
  } else if (id < apps_.size()) {
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
  if (scheduler_ != nullptr) schedule_soon();
  if (!unit.choosing) return;
  unit.choosing = false;
  next_on(unit);
}

// One frame of an inference that is done.
template <Engine E>
void World<E>::frame_done(int a, const FrameQueue::Frame& frame, Time deadline, double energy_j) {
  AppState& app = apps_[a];
  manager::AppView& view = app_views_[a];
  const Task& task = tasks_[a];
  const Time latency = now_ - frame.arrival;
  const double latency_ms = to_ms(latency), service_ms = to_ms(now_ - app.started);
  const bool missed = now_ > deadline;
  const int subnet = app.loaded;

  if (counted(frame.arrival)) {
    AppRecord& record = *app.record;
    ++record.completed;
    record.missed += missed;
    record.latency_sum_ms += latency_ms;
    record.latency_max_ms = std::max(record.latency_max_ms, latency_ms);
    record.accuracy_sum += record.accuracy[subnet];
    record.energy_mj += energy_j * 1e3;
    record.latency.add(latency);
    // A table speaks of a job alone at steady clocks; anything else is this simulator's doing. A board was measured.
    Provenance latency_by = task.disturbed ? Provenance::derived : app.provenance;
    Provenance energy_by = task.disturbed ? Provenance::derived : app.energy_provenance;
    if constexpr (kReal) {
      latency_by = Provenance::measured;
      energy_by = task.measured_power && !task.disturbed ? Provenance::measured : Provenance::derived;
    }
    ++record.provenance[static_cast<std::size_t>(latency_by)];
    ++record.energy_provenance[static_cast<std::size_t>(energy_by)];
    if (!kReal) record.outside_range += app.outside_range;
    if (!kReal) record.half_width_sum += app.half_width;
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
    record.arrival = frame.arrival;
    record.start = app.started;
    record.end = now_;
    record.deadline = logged(deadline);
    record.job = frame.job;
    record.energy_mj = static_cast<float>(energy_j * 1e3);
    record.isolated_ms =
        static_cast<float>(app.isolated_ms / view.batch_factor(1 + static_cast<int>(app.company.size())));
    record.app = static_cast<std::uint16_t>(a);
    record.subnet = static_cast<std::uint8_t>(subnet);
    record.unit = task.unit;
    record.outcome = missed ? Outcome::missed : Outcome::met;
    record_.jobs.add(record);
  }
  view.samples[view.completed % manager::AppView::kRemembered] = {
      now_,  latency_ms, service_ms, app.profile_ms, subnet, task.unit, 1 + static_cast<int>(app.company.size()),
      missed};
  ++view.completed;
  view.missed += missed;
}

template <Engine E>
void World<E>::job_done(int a) {
  AppState& app = apps_[a];
  app.serving = false;
  const double energy_j = tasks_[a].energy_j / static_cast<double>(1 + app.company.size());
  frame_done(a, app.frame, app.deadline, energy_j);
  for (const Companion& other : app.company) frame_done(a, other.frame, other.deadline, energy_j);

  for (const int child : app.children) {
    const auto follow = [&](std::uint32_t job) {
      if (app_views_[child].active && apps_[child].arrivals.triggered_by(job)) accept(child);
    };
    follow(app.frame.job);
    for (const Companion& other : app.company) follow(other.frame.job);
  }
  if (triggers_.completion)
    trigger(manager::Trigger::completion, a);
  else if (setup_.ideal.granularity && triggers_.period_ms > 0)
    trigger(manager::Trigger::period, -1);  // its tick comes when it is needed

  if (app_views_[a].subnet != app.loaded && !app.switching) begin_switch(a);
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
  const double energy_mj = kReal ? 0 : setup_.apps[a].switch_energy_mj;  // on a board it is in what is measured
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

}  // namespace dynasoc
