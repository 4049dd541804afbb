// How the contract maps to SimGrid:
//
// - One SimGrid "second" is a nanosecond, so that whole nanoseconds are exact in its clock (a double) and its absolute
//   tolerances, meant for seconds, are far below anything visible here.
// - A processor is a host of constant speed 1; an activity is an execution with its work as flops and its weight as
//   priority. speed * rate is the execution's factor: a change migrates the execution to the host it is on, which keeps
//   what remains and reads the factor again. The max-min solver of SimGrid does the sharing.
// - Timers and completions to be told wait in a queue of our own, in the order of the contract. SimGrid only moves the
//   clock: up to the next entry of the queue, or to the next completion if that is sooner. The client is called while
//   SimGrid is not on the stack; it may therefore call anything, and its exceptions pass through run() unharmed.
#include "kernel/simgrid_engine.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <csignal>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <simgrid/kernel/resource/Model.hpp>
#include <simgrid/s4u.hpp>

#include "common/error.hpp"

namespace dynasoc {
namespace {

namespace s4u = simgrid::s4u;

constexpr std::uint32_t kNone = ~0u;

// Absolute, in nanoseconds here: SimGrid lets what ends within this of its clock end together.
constexpr double kTimeTolerance = 1e-9;
// Relative to a host's speed; weights far apart must still be told from zero.
constexpr const char* kShareTolerance = "--cfg=maxmin/precision:1e-12";
// SimGrid's clock is on a whole nanosecond if it is this near to it: the rest is rounding. (run_until() may stop up to
// 1e-5 too early; called again, it does what it missed.)
constexpr double kOnTheTick = 1e-6;
// Stands for a factor of 0, which the solver refuses: even in a simulated century it takes nothing off any work.
constexpr double kStandstill = 1e-300;

// What SimGrid installs for itself at start-up (Ctrl-C ends the process from inside the handler) is not ours to change.
class SignalHandlersKept {
 public:
  SignalHandlersKept() {
    for (std::size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], nullptr, &actions_[i]);
    sigaltstack(nullptr, &stack_);
  }
  ~SignalHandlersKept() {
    for (std::size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &actions_[i], nullptr);
    sigaltstack(&stack_, nullptr);
  }
  SignalHandlersKept(const SignalHandlersKept&) = delete;
  SignalHandlersKept& operator=(const SignalHandlersKept&) = delete;

 private:
  static constexpr int kSignals[] = {SIGINT, SIGSEGV, SIGBUS};
  struct sigaction actions_[std::size(kSignals)];
  stack_t stack_;
};

std::unique_ptr<s4u::Engine> start_simgrid() {
  // SimGrid's own globals cannot be reset, so that neither can this.
  static std::atomic<bool> used{false};
  if (used.exchange(true) || s4u::Engine::is_initialized())
    throw InternalError("SimGrid holds one simulation per process: fork a child for each run on the simgrid engine");
  const SignalHandlersKept kept;
  std::string arguments[] = {"dynasoc", "--log=root.thresh:error", "--cfg=debug/clean-atexit:no", kShareTolerance};
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  int argc = static_cast<int>(argv.size());
  argv.push_back(nullptr);
  return std::make_unique<s4u::Engine>(&argc, argv.data());
}

}  // namespace

struct SimgridEngine::Impl {
  struct Key {
    Time time;
    int priority;  // 0 for completions
    std::uint64_t sequence;
    bool operator<(const Key& other) const {
      return std::tie(time, priority, sequence) < std::tie(other.time, other.priority, other.sequence);
    }
  };
  using Queue = std::map<Key, std::uint32_t>;  // to slots

  // A timer, or the delivery of a completion.
  struct Slot {
    Event event;
    std::uint32_t generation = 0;
    std::uint32_t activity = kNone;
    bool waiting = false;
    Queue::iterator entry;
  };

  struct Activity {
    s4u::ExecPtr exec;
    double rate = 1;
    std::uint64_t sequence = 0;
    Event done;
    ProcessorId processor = 0;
    std::uint32_t place = 0;         // in Processor::running
    std::uint32_t delivery = kNone;  // slot, once the work has run out but the client has not been told
    std::uint32_t generation = 0;
    std::uint32_t slot = kNone;  // its own
  };

  struct Processor {
    s4u::Host* host = nullptr;
    double speed = 1;
    std::vector<std::uint32_t> running;
  };

  Impl() : simgrid(start_simgrid()), zone(s4u::create_empty_zone("boards")) {
    simgrid->set_config("surf/precision", kTimeTolerance);
    for (auto* model : simgrid->get_all_models())
      if (model->get_name().starts_with("Cpu_")) cpu = model;
    if (cpu == nullptr) throw InternalError("this SimGrid has no CPU model of the expected name");
    simgrid->track_vetoed_activities(&stop);
    // The activity is of this engine if it carries our data; what was cancelled has lost it.
    s4u::Activity::on_completion_cb([this](const s4u::Activity& activity) {
      if (auto* ended = activity.get_data<Activity>()) finished(*ended);
    });
  }

  ~Impl() {
    // SimGrid complains of executions left over.
    for (Processor& processor : processors)
      for (const std::uint32_t slot : processor.running) abandon(activities[slot]);
    simgrid->run_until(s4u::Engine::get_clock());
    abandoned.clear();
  }

  s4u::Host* new_host() {
    s4u::Host* host = zone->create_host("processor-" + std::to_string(hosts_created++), 1.0);
    host->set_factor_cb([this](double) { return factor; });
    host->seal();
    return host;
  }

  ProcessorId add_processor() {
    Processor& processor = processors.emplace_back();
    if (!sealed) {
      processor.host = new_host();
    } else if (spare_hosts.empty()) {
      processors.pop_back();
      throw InternalError("the simgrid engine takes no more than " + std::to_string(kLateProcessors) +
                          " processors after its first run()");
    } else {
      processor.host = spare_hosts.back();
      spare_hosts.pop_back();
    }
    return static_cast<ProcessorId>(processors.size() - 1);
  }

  std::uint32_t enqueue(const Key& key, Event event) {
    std::uint32_t slot;
    if (free_slots.empty()) {
      slot = static_cast<std::uint32_t>(slots.size());
      slots.emplace_back();
    } else {
      slot = free_slots.back();
      free_slots.pop_back();
    }
    slots[slot].event = event;
    slots[slot].activity = kNone;
    slots[slot].waiting = true;
    if (spare_entry.empty()) {
      slots[slot].entry = queue.emplace(key, slot).first;
    } else {
      spare_entry.key() = key;
      spare_entry.mapped() = slot;
      slots[slot].entry = queue.insert(std::move(spare_entry)).position;
    }
    return slot;
  }

  void dequeue(std::uint32_t slot) {
    spare_entry = queue.extract(slots[slot].entry);
    slots[slot].waiting = false;
    ++slots[slot].generation;
    free_slots.push_back(slot);
  }

  // What SimGrid's callback reads when an execution starts or migrates.
  void set_factor(double speed, double rate) { factor = std::max(speed * rate, kStandstill); }

  void change_factor(Activity& activity) {
    Processor& processor = processors[activity.processor];
    set_factor(processor.speed, activity.rate);
    activity.exec->set_host(processor.host);
    unsettled = true;
  }

  void leave_processor(std::uint32_t slot) {
    const Activity& activity = activities[slot];
    std::vector<std::uint32_t>& running = processors[activity.processor].running;
    running[activity.place] = running.back();
    activities[running.back()].place = activity.place;
    running.pop_back();
  }

  void release(std::uint32_t slot) {
    Activity& activity = activities[slot];
    activity.delivery = kNone;
    ++activity.generation;
    free_activities.push_back(slot);
  }

  // Cancelling alone would leave its share with it until SimGrid next looks at what has failed.
  void abandon(Activity& activity) {
    activity.exec->set_data(nullptr);
    activity.exec->suspend();
    activity.exec->cancel();
    abandoned.push_back(std::move(activity.exec));
  }

  // Called by SimGrid at the instant at which the work runs out.
  void finished(Activity& activity) {
    leave_processor(activity.slot);
    abandoned.push_back(std::move(activity.exec));  // SimGrid still uses it
    const auto tick = static_cast<Time>(std::ceil(s4u::Engine::get_clock() - kCompletionSlackNs));
    activity.delivery = enqueue({std::max(now, tick), 0, activity.sequence}, activity.done);
    slots[activity.delivery].activity = activity.slot;
    stop.insert(nullptr);
  }

  // Moves SimGrid's clock to `limit`, or to the next completion if that is sooner.
  void advance(Time limit) {
    unsettled = false;
    const double clock = s4u::Engine::get_clock();
    const auto target = std::max(static_cast<double>(limit), clock);
    const double ahead = cpu->next_occurring_event(clock);  // -1 if there is none
    if (ahead > -0.5) {
      const double next = clock + ahead;
      const double tick = std::max(clock, std::ceil(next - kCompletionSlackNs));
      if (next > tick && tick <= target && next - tick <= kOnTheTick) return run_simgrid(next);
      // `ahead` < 0: rounding has left SimGrid's clock a hair after the end of an execution, which it then never finds.
      if ((next > tick && tick <= target) || ahead < 0) {
        if (tick > clock) run_simgrid(tick);
        return finish_all_within(1.02 * std::max(kCompletionSlackNs, next - tick));
      }
      if (clock >= target - kOnTheTick && next > target) return;  // nothing more in this nanosecond
    } else if (clock >= target) {
      return;
    }
    run_simgrid(target);
  }

  // A non-empty `stop` ends run_until().
  void run_simgrid(double until) {
    stop.clear();
    simgrid->run_until(until);
    abandoned.clear();
    unsettled = !stop.empty();  // who is left has a larger share now
  }

  void finish_all_within(double slack) {
    s4u::Engine::set_config("surf/precision", slack);
    run_simgrid(s4u::Engine::get_clock());
    s4u::Engine::set_config("surf/precision", kTimeTolerance);
  }

  void run(void* client, Deliver deliver, Time until) {
    if (!sealed) {
      for (int i = 0; i < kLateProcessors; ++i) spare_hosts.push_back(new_host());
      sealed = true;
    }
    for (;;) {
      const Time next = queue.empty() ? until : std::min(until, queue.begin()->first.time);
      if (unsettled || s4u::Engine::get_clock() < static_cast<double>(next) - kOnTheTick) {
        advance(next);
        continue;
      }
      if (next >= until) break;
      now = next;
      const std::uint32_t slot = queue.begin()->second;
      const Event event = slots[slot].event;
      if (slots[slot].activity != kNone) release(slots[slot].activity);
      dequeue(slot);
      deliver(client, event);
    }
    now = until;
  }

  Time now = 0;
  bool sealed = false;
  bool unsettled = false;  // something may finish at once
  double factor = 1;
  std::uint64_t timers_set = 0;
  std::uint64_t activities_started = 0;
  int hosts_created = 0;

  Queue queue;
  Queue::node_type spare_entry;
  std::vector<Slot> slots;
  std::vector<std::uint32_t> free_slots;
  std::deque<Activity> activities;  // SimGrid keeps pointers to them
  std::vector<std::uint32_t> free_activities;
  std::vector<Processor> processors;
  std::vector<s4u::Host*> spare_hosts;
  std::vector<s4u::ExecPtr> abandoned;  // SimGrid has yet to see that they have ended
  std::set<s4u::Activity*> stop;
  std::unique_ptr<s4u::Engine> simgrid;
  s4u::NetZone* zone;
  simgrid::kernel::resource::Model* cpu = nullptr;
};

SimgridEngine::SimgridEngine() : impl_(std::make_unique<Impl>()) {}
SimgridEngine::~SimgridEngine() = default;

Time SimgridEngine::now() const { return impl_->now; }

TimerId SimgridEngine::at(Time time, Priority priority, Event event) {
  const std::uint32_t slot = impl_->enqueue({time, static_cast<int>(priority), ++impl_->timers_set}, event);
  return {slot, impl_->slots[slot].generation};
}

void SimgridEngine::cancel(TimerId id) {
  if (id.slot >= impl_->slots.size()) return;
  const Impl::Slot& slot = impl_->slots[id.slot];
  if (slot.waiting && slot.generation == id.generation) impl_->dequeue(id.slot);
}

ProcessorId SimgridEngine::add_processor() { return impl_->add_processor(); }

void SimgridEngine::set_speed(ProcessorId id, double speed) {
  Impl::Processor& processor = impl_->processors[id];
  if (processor.speed == speed) return;
  processor.speed = speed;
  for (const std::uint32_t slot : processor.running) impl_->change_factor(impl_->activities[slot]);
}

ActivityId SimgridEngine::start(ProcessorId id, double work_ns, double weight, double rate, Event done) {
  std::uint32_t slot;
  if (impl_->free_activities.empty()) {
    slot = static_cast<std::uint32_t>(impl_->activities.size());
    impl_->activities.emplace_back();
  } else {
    slot = impl_->free_activities.back();
    impl_->free_activities.pop_back();
  }
  Impl::Activity& activity = impl_->activities[slot];
  Impl::Processor& processor = impl_->processors[id];
  activity.slot = slot;
  activity.rate = rate;
  activity.sequence = ++impl_->activities_started;
  activity.done = done;
  activity.processor = id;
  activity.place = static_cast<std::uint32_t>(processor.running.size());
  processor.running.push_back(slot);

  impl_->set_factor(processor.speed, rate);
  activity.exec = s4u::Exec::init();
  activity.exec->set_flops_amount(work_ns)->set_host(processor.host)->set_priority(weight);
  activity.exec->set_data(&activity);
  activity.exec->start();
  // Anything longer cannot finish within this nanosecond; and the others only become slower.
  if (work_ns <= impl_->factor) impl_->unsettled = true;
  return {slot, activity.generation};
}

void SimgridEngine::set_rate(ActivityId id, double rate) {
  Impl::Activity& activity = impl_->activities[id.slot];
  if (activity.rate == rate || activity.delivery != kNone) return;
  activity.rate = rate;
  impl_->change_factor(activity);
}

double SimgridEngine::remaining(ActivityId id) const {
  const Impl::Activity& activity = impl_->activities[id.slot];
  return activity.delivery != kNone ? 0.0 : std::max(0.0, activity.exec->get_remaining());
}

double SimgridEngine::cancel(ActivityId id) {
  Impl::Activity& activity = impl_->activities[id.slot];
  double undone = 0;
  if (activity.delivery != kNone) {  // finished within this nanosecond, not yet told
    impl_->dequeue(activity.delivery);
  } else {
    undone = remaining(id);
    impl_->leave_processor(id.slot);
    impl_->abandon(activity);
    impl_->unsettled = true;
  }
  impl_->release(id.slot);
  return undone;
}

void SimgridEngine::run(void* client, Deliver deliver, Time until) { impl_->run(client, deliver, until); }

}  // namespace dynasoc
