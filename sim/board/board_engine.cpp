#include "board/board_engine.hpp"

#include <algorithm>
#include <cmath>

#include "common/error.hpp"
#include "common/text.hpp"

namespace dynasoc::board {
namespace {

constexpr double kMonitorMs = 10;

}  // namespace

void BoardEngine::attach(Session& session, std::function<void(double)> progress) {
  session_ = &session;
  progress_ = std::move(progress);
  // What comes before the clock starts: the board's state, so that the first decision sees it.
  take_state(session.agent().call({{"op", "state"}}));
  dispatched_ns_ = Agent::now_ns();
}

TimerId BoardEngine::at(Time time, Priority priority, Event event) {
  const Key key{time, static_cast<std::uint8_t>(priority), ++timers_set_};
  timers_.emplace(key, event);
  timer_keys_.emplace(timers_set_, key);
  return {static_cast<std::uint32_t>(timers_set_), static_cast<std::uint32_t>(timers_set_ >> 32)};
}

void BoardEngine::cancel(TimerId timer) {
  const auto it = timer_keys_.find(timer.slot | static_cast<std::uint64_t>(timer.generation) << 32);
  if (it == timer_keys_.end()) return;
  timers_.erase(it->second);
  timer_keys_.erase(it);
}

ActivityId BoardEngine::start(ProcessorId, double, double, double, Event) {
  throw InternalError("a board was asked for work that is no inference and no load");
}

double BoardEngine::cancel(ActivityId activity) {
  if (const auto it = loads_.find(activity.slot); it != loads_.end()) {
    const std::string& name = session_->setup().background[static_cast<std::size_t>(it->second.load)].name;
    send({{"op", "vacate"}, {"load", name}}, {Pending::Kind::other, {}, 0, it->second.load, {}, "vacate " + name});
    loads_.erase(it);
  }
  return 0;
}

void BoardEngine::send(Json request, Pending pending) {
  if (!lost_.empty()) return;
  try {
    pending_.emplace(session_->agent().send(std::move(request)), std::move(pending));
  } catch (const AgentLost& error) {
    lost_ = error.what();
  }
}

// Work begins on a unit: the inferences there are not alone any more. Whether there is other work there.
bool BoardEngine::disturb(int unit) {
  bool others = std::any_of(loads_.begin(), loads_.end(), [&](const auto& load) { return load.second.unit == unit; });
  for (const auto& [id, pending] : pending_) {
    if (pending.kind != Pending::Kind::inference || jobs_[pending.job].unit != unit) continue;
    jobs_[pending.job].alone = false;
    others = true;
  }
  return others;
}

ActivityId BoardEngine::infer(int app, int unit, int subnet, std::uint32_t job, Event done) {
  const bool others = disturb(unit);
  MeasuredJob& record = jobs_.emplace_back();
  record.alone = !others;
  record.app = app;
  record.unit = unit;
  record.subnet = subnet;
  record.job = job;
  const std::string& name = session_->setup().apps[static_cast<std::size_t>(app)].name;
  const ActivityId activity{++activities_, 0};
  send({{"op", "infer"}, {"app", name}, {"subnet", level_name(subnet)}},
       {Pending::Kind::inference, done, jobs_.size() - 1, app, activity, "infer " + name});
  return activity;
}

ActivityId BoardEngine::occupy(int load, int unit, double weight, double work_ns, Event done) {
  const std::string& name = session_->setup().background[static_cast<std::size_t>(load)].name;
  const ActivityId activity{++activities_, 0};
  Json request = {{"op", "occupy"},
                  {"load", name},
                  {"unit", session_->setup().platform.file.units[static_cast<std::size_t>(unit)].first},
                  {"weight", weight}};
  const bool endless = !std::isfinite(work_ns);
  if (!endless) request["work_ms"] = work_ns * 1e-6;
  disturb(unit);
  loads_[activity.slot] = {load, unit, endless};
  send(std::move(request),
       {endless ? Pending::Kind::other : Pending::Kind::load, done, 0, load, activity, "occupy " + name});
  return activity;
}

void BoardEngine::write_clock(int domain, const ClockWrite& write, Event done) {
  const auto d = static_cast<std::size_t>(domain);
  if (!session_->has_domain(domain)) {  // it stands still: nobody can set it
    at(now_, Priority::device, done);
    return;
  }
  const auto& [name, file] = session_->setup().platform.file.domains[d];
  Json request = {{"op", "set"}, {"domain", name}};
  if (write.kind == ClockWrite::Kind::pin) {
    request["knob"] = "frequency";
    request["mhz"] = file.opps_mhz[static_cast<std::size_t>(write.lowest)];
  } else {
    request["knob"] = "limits";
    request["min_mhz"] = file.opps_mhz[static_cast<std::size_t>(write.lowest)];
    request["max_mhz"] = file.opps_mhz[static_cast<std::size_t>(write.highest)];
  }
  send(std::move(request), {Pending::Kind::clock, done, 0, domain, {}, "set the clock of " + name});
}

void BoardEngine::set_cores(int unit, int cores) {
  const std::string& name = session_->setup().platform.file.units[static_cast<std::size_t>(unit)].first;
  send({{"op", "set"}, {"knob", "cores"}, {"unit", name}, {"online", cores}},
       {Pending::Kind::other, {}, 0, unit, {}, "set the cores of " + name});
}

void BoardEngine::warn(const std::string& text) {
  if (std::find(warnings_.begin(), warnings_.end(), text) == warnings_.end()) warnings_.push_back(text);
}

void BoardEngine::deliver(const Dispatch& dispatch, Event event) {
  dispatched_ns_ = Agent::now_ns();
  dispatch(event);
}

void BoardEngine::take_state(const Json& state) {
  BoardReadings fresh = session_->readings_of(state);
  // A rail's integral began when the board was configured; this run's energies begin with its clock.
  if (!running_) rail_begin_j_ = fresh.rail_energy_j;
  for (std::size_t r = 0; r < fresh.rail_energy_j.size(); ++r) fresh.rail_energy_j[r] -= rail_begin_j_[r];
  if (running_) fresh.at = run_time(state.at("clock_ns").get<std::int64_t>());
  readings_ = std::move(fresh);
}

void BoardEngine::answered(const Pending& pending, const Json& message, const Dispatch& dispatch) {
  const auto error = message.find("error");
  const std::string why = error == message.end() ? "" : error->value("message", "refused");
  const Json* ok = error == message.end() ? &message.at("ok") : nullptr;
  switch (pending.kind) {
    case Pending::Kind::inference: {
      MeasuredJob& job = jobs_[pending.job];
      job.domain_mhz.assign(session_->setup().platform.file.domains.size(), std::nan(""));
      measured_ = {};
      if (ok == nullptr) {
        job.failure = measured_.failure = why.empty() ? "refused" : why;
        job.start = job.end = measured_.start = measured_.end = clock();
      } else {
        job.start = measured_.start = run_time(ok->at("start_ns").get<std::int64_t>());
        job.end = measured_.end = run_time(ok->at("end_ns").get<std::int64_t>());
        job.latency_ms = ok->at("latency_ms").at(0).get<double>();
        job.clean = measured_.clean = ok->value("clean", false);
        job.switched = ok->value("switched", false);
        job.foreign_share = ok->at("foreign").is_number() ? ok->at("foreign").get<double>() : std::nan("");
        const auto& domains = session_->setup().platform.file.domains;
        for (std::size_t d = 0; d < domains.size(); ++d)
          if (const auto it = ok->at("mhz").find(domains[d].first); it != ok->at("mhz").end() && it->is_number())
            job.domain_mhz[d] = it->get<double>();
        job.energy_mj = std::nan("");
        if (const std::string& rail = session_->unit_rail(job.unit); !rail.empty())
          if (const auto it = ok->at("energy_mj").find(rail); it != ok->at("energy_mj").end() && it->is_number())
            job.energy_mj = it->get<double>();
        const double span_s = to_s(job.end - job.start);
        if (std::isfinite(job.energy_mj) && span_s > 0) measured_.power_w = job.energy_mj * 1e-3 / span_s;
      }
      now_ = std::max(now_, std::min(measured_.end, clock()));
      if (session_->recorder() != nullptr)
        session_->recorder()->write({{"job", job.job},
                                     {"app", session_->setup().apps[static_cast<std::size_t>(job.app)].name},
                                     {"subnet", level_name(job.subnet)},
                                     {"start_s", to_s(job.start)},
                                     {"end_s", to_s(job.end)},
                                     {"alone", job.alone},
                                     {"answer", message}});
      deliver(dispatch, pending.done);
      break;
    }
    case Pending::Kind::load:
      if (ok == nullptr) warn(pending.what + ": " + why);
      if (loads_.erase(pending.activity.slot) == 0) break;  // it was ended meanwhile
      now_ = std::max(now_, clock());
      deliver(dispatch, pending.done);
      break;
    case Pending::Kind::clock:
      if (ok == nullptr) warn(pending.what + ": " + why);
      if (const Json* source = ok != nullptr ? ok : &*error;
          source->contains("actual") && source->at("actual").is_number())
        readings_.domain_mhz[static_cast<std::size_t>(pending.index)] = source->at("actual").get<double>();
      if (session_->recorder() != nullptr)
        session_->recorder()->write({{"clock", pending.what}, {"at_s", to_s(clock())}, {"answer", message}});
      now_ = std::max(now_, clock());
      deliver(dispatch, pending.done);
      break;
    case Pending::Kind::other:
      if (ok == nullptr) warn(pending.what + ": " + why);
      if (ok == nullptr) loads_.erase(pending.activity.slot);
      break;
  }
}

void BoardEngine::take(const Json& message, const Dispatch& dispatch) {
  if (const auto id = message.find("id"); id != message.end()) {
    if (!id->is_number_integer()) return warn("the agent could not read a request: " + message.dump());
    const auto it = pending_.find(id->get<std::uint64_t>());
    if (it == pending_.end()) return;
    const Pending pending = std::move(it->second);
    pending_.erase(it);
    return answered(pending, message, dispatch);
  }
  const std::string kind = message.value("event", "");
  if (kind == "state") {
    const std::vector<double> before = readings_.domain_mhz;
    take_state(message);
    const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
    if (std::equal(before.begin(), before.end(), readings_.domain_mhz.begin(), readings_.domain_mhz.end(), same))
      return;
    now_ = std::max(now_, std::min(readings_.at, clock()));
    deliver(dispatch, readings_event_);
    return;
  }
  if (session_->recorder() != nullptr) session_->recorder()->write(message);
  if (kind == "lost")
    warn("the " + message.value("what", "sensor") + " sensor " + message.value("name", "") + " has gone");
  if (kind == "worker") warn("worker of " + message.value("app", "") + ": " + message.value("message", ""));
  if (kind == "thermal")
    warn(message.value("name", "") + " is at " + plain_number(message.value("temperature_c", 0.0)) +
         " C, past its limit of " + plain_number(message.value("limit_c", 0.0)) + " C: inferences are refused");
  if (kind == "ending") lost_ = "the agent ends: " + message.value("reason", "");
}

void BoardEngine::run(const Dispatch& dispatch, Time until) {
  Agent& agent = session_->agent();
  agent.poll = [this, until] {
    if (progress_) progress_(std::min(1.0, static_cast<double>(clock()) / static_cast<double>(until)));
  };
  try {
    take_state(agent.call({{"op", "state"}}));
    agent.call({{"op", "monitor"}, {"period_ms", kMonitorMs}});
    begin_ns_ = Agent::now_ns() - now_;
    running_ = true;
    while (lost_.empty()) {
      const Time next = timers_.empty() ? until : std::min(until, std::get<0>(timers_.begin()->first));
      const Time clock_now = clock();
      // What the board has said comes before what is due now: it happened earlier.
      if (auto message = agent.next(begin_ns_ + (next > clock_now ? next : clock_now))) {
        take(*message, dispatch);
        continue;
      }
      if (next >= until) break;
      const auto first = timers_.begin();
      const auto [time, priority, number] = first->first;
      const Event event = first->second;
      timers_.erase(first);
      timer_keys_.erase(number);
      lateness_ms_.push_back(to_ms(std::max<Time>(0, clock() - time)));
      now_ = std::max(now_, time);
      deliver(dispatch, event);
    }
  } catch (const AgentLost& error) {
    lost_ = error.what();
  } catch (...) {
    agent.poll = nullptr;
    throw;
  }
  agent.poll = nullptr;
  if (!lost_.empty()) {
    if (running_) now_ = std::clamp<Time>(clock(), now_, until);
    return;
  }
  now_ = until;
  try {
    agent.call({{"op", "monitor"}, {"period_ms", 0}});
    take_state(agent.call({{"op", "state"}}));
    for (const auto& [activity, load] : loads_) {
      const std::string& name = session_->setup().background[static_cast<std::size_t>(load.load)].name;
      try {
        agent.call({{"op", "vacate"}, {"load", name}});
      } catch (const AgentError& error) {  // it has ended by itself
        if (load.endless) warn("load " + name + ": " + error.what());
      }
    }
    loads_.clear();
    // The inferences under way are unfinished, as in a simulation; the board is let finish them.
    const std::int64_t patience_ns = Agent::now_ns() + 10'000'000'000;
    const auto open = [this] {
      return std::any_of(pending_.begin(), pending_.end(),
                         [](const auto& p) { return p.second.kind == Pending::Kind::inference; });
    };
    while (open() && Agent::now_ns() < patience_ns)
      if (const auto message = agent.next(patience_ns))
        if (const auto id = message->find("id"); id != message->end() && id->is_number_integer())
          pending_.erase(id->get<std::uint64_t>());
  } catch (const AgentLost& error) {
    lost_ = error.what();
  }
  running_ = false;
}

double BoardEngine::lateness_ms(double q) const {
  if (lateness_ms_.empty()) return 0;
  std::vector<double> sorted = lateness_ms_;
  const auto rank = static_cast<std::ptrdiff_t>(q * static_cast<double>(sorted.size() - 1));
  std::nth_element(sorted.begin(), sorted.begin() + rank, sorted.end());
  return sorted[static_cast<std::size_t>(rank)];
}

}  // namespace dynasoc::board
