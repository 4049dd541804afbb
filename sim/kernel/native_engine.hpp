// The default engine: one heap of timers, and virtual-time processor sharing on each processor.
//
// A processor keeps a virtual time V [ns of service per unit of weight], which advances at speed / (sum of weights).
// An activity with work w then finishes at the fixed virtual instant V + w / (rate * weight) however many others come
// and go, so that an arrival or a departure costs a logarithm and not a pass over all that run.
//
// No globals, no locks, no allocation after warm-up. Any number of engines may live in one process, one thread each.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "common/compensated_sum.hpp"
#include "kernel/engine.hpp"
#include "kernel/indexed_heap.hpp"

namespace dynasoc {

class NativeEngine {
 public:
  Time now() const { return now_; }

  TimerId at(Time time, Priority priority, Event event) {
    std::uint32_t slot;
    if (free_timers_.empty()) {
      slot = static_cast<std::uint32_t>(slots_.size());
      slots_.push_back({});
    } else {
      slot = free_timers_.back();
      free_timers_.pop_back();
    }
    Slot& timer = slots_[slot];
    timer.event = event;
    queue_.push(slot, {time, order(static_cast<std::uint64_t>(priority), ++timers_set_)});
    return {slot, timer.generation};
  }

  void cancel(TimerId id) {
    if (id.slot >= slots_.size() || slots_[id.slot].generation != id.generation || !queue_.contains(id.slot)) return;
    queue_.remove(id.slot);
    release_timer(id.slot);
  }

  ProcessorId add_processor() {
    const auto id = static_cast<ProcessorId>(processors_.size());
    processors_.emplace_back();
    departures_.push_back(kNever);
    return id;
  }

  void set_speed(ProcessorId id, double speed) {
    Processor& processor = processors_[id];
    advance(processor);
    processor.speed = speed;
    touch(id);
  }

  ActivityId start(ProcessorId id, double work_ns, double weight, double rate, Event done) {
    std::uint32_t slot;
    if (free_activities_.empty()) {
      slot = static_cast<std::uint32_t>(activities_.size());
      activities_.emplace_back();
    } else {
      slot = free_activities_.back();
      free_activities_.pop_back();
    }
    Processor& processor = processors_[id];
    advance(processor);
    Activity& activity = activities_[slot];
    activity.processor = id;
    activity.weight = weight;
    activity.rate = rate;
    activity.work = work_ns;
    activity.sequence = ++activities_started_;
    activity.done = done;
    processor.weights.add(weight);
    if (processor.virtual_time * processor.weights.value() > kVirtualTimeSpan) rewind(processor);
    activity.mark = processor.virtual_time;
    processor.running.push(slot, {finish(activity), activity.sequence});
    touch(id);
    return {slot, activity.generation};
  }

  void set_rate(ActivityId id, double rate) {
    Activity& activity = activities_[id.slot];
    if (activity.rate == rate || activity.delivery.slot != ~0u) return;
    Processor& processor = processors_[activity.processor];
    advance(processor);
    activity.work = left(activity, processor);
    activity.mark = processor.virtual_time;
    activity.rate = rate;
    processor.running.update(id.slot, {finish(activity), activity.sequence});
    touch(activity.processor);
  }

  double remaining(ActivityId id) const {
    const Activity& activity = activities_[id.slot];
    if (activity.delivery.slot != ~0u) return 0;
    const Processor& processor = processors_[activity.processor];
    const double moved = activity.rate * activity.weight * (virtual_now(processor) - activity.mark);
    return std::max(0.0, activity.work - moved);
  }

  double cancel(ActivityId id) {
    Activity& activity = activities_[id.slot];
    if (activity.delivery.slot != ~0u) {  // finished within this nanosecond, not yet told
      cancel(activity.delivery);
      release_activity(id.slot);
      return 0;
    }
    Processor& processor = processors_[activity.processor];
    advance(processor);
    const double undone = left(activity, processor);
    leave(processor, id.slot);
    touch(activity.processor);
    release_activity(id.slot);
    return undone;
  }

  template <class Client>
  void run(Client& client, Time until) {
    for (;;) {
      refresh_touched();
      const Time timer = queue_.empty() ? kNever : queue_.top_key().time;
      const Time next = std::min(timer, soonest_);
      if (next >= until) break;
      now_ = next;
      if (soonest_ <= timer) {
        depart(soonest_processor_, client);
      } else {
        const std::uint32_t slot = queue_.top();
        const Event event = slots_[slot].event;
        const std::uint32_t told = slots_[slot].activity;
        queue_.pop();
        release_timer(slot);
        if (told != kNone) release_activity(told);
        client.on_event(event);
      }
    }
    now_ = until;
    settle();
  }

 private:
  static constexpr std::uint32_t kNone = ~0u;
  static constexpr std::uint64_t kCompletion = 1ull << 55;  // class 0: before any timer
  static constexpr double kVirtualTimeSpan = 1e9;           // [ns] of service: keeps finish() exact to 1e-7 ns

  struct Key {
    Time time;
    std::uint64_t order;  // priority class in the top byte, sequence number below
    bool operator<(const Key& other) const { return time != other.time ? time < other.time : order < other.order; }
  };
  struct FinishKey {
    double virtual_time;
    std::uint64_t sequence;
    bool operator<(const FinishKey& other) const {
      return virtual_time != other.virtual_time ? virtual_time < other.virtual_time : sequence < other.sequence;
    }
  };

  // A heap entry: a timer, or the delivery of a completion.
  struct Slot {
    Event event;
    std::uint32_t generation = 0;
    std::uint32_t activity = ~0u;
  };

  struct Activity {
    double work = 0;  // left at `mark`
    double mark = 0;  // virtual time
    double weight = 1;
    double rate = 1;
    std::uint64_t sequence = 0;
    Event done;
    ProcessorId processor = 0;
    std::uint32_t generation = 0;
    TimerId delivery;  // set once the work has run out but the client has not been told
  };

  struct Processor {
    double speed = 1;
    CompensatedSum weights;  // of all that run
    double virtual_time = 0;
    Time synced = 0;    // virtual_time is that of the real-valued instant synced + offset
    double offset = 0;  // [ns], in (-1, 0]: a departure happens before the nanosecond it is told at
    bool touched = false;
    IndexedHeap<FinishKey> running;
  };

  static std::uint64_t order(std::uint64_t priority, std::uint64_t sequence) { return (priority << 56) | sequence; }

  static double finish(const Activity& a) {
    if (a.work <= 0) return a.mark;
    return a.rate > 0 ? a.mark + a.work / (a.rate * a.weight) : std::numeric_limits<double>::infinity();
  }

  static double left(const Activity& a, const Processor& p) {
    return std::max(0.0, a.work - a.rate * a.weight * (p.virtual_time - a.mark));
  }

  double virtual_now(const Processor& p) const {
    if (p.weights.value() <= 0) return p.virtual_time;
    return p.virtual_time + (static_cast<double>(now_ - p.synced) - p.offset) * p.speed / p.weights.value();
  }

  void advance(Processor& p) {
    if (p.synced == now_ && p.offset == 0) return;
    p.virtual_time = virtual_now(p);
    p.synced = now_;
    p.offset = 0;
  }

  void touch(ProcessorId id) {
    if (processors_[id].touched) return;
    processors_[id].touched = true;
    touched_.push_back(id);
  }

  // Real-valued time of the next departure, relative to `synced`; infinity if there is none.
  double next_departure(Processor& p) {
    if (p.running.empty()) return std::numeric_limits<double>::infinity();
    const double ahead = p.running.top_key().virtual_time - p.virtual_time;
    if (ahead <= 0) return p.offset;
    return p.speed > 0 ? p.offset + ahead * p.weights.value() / p.speed : std::numeric_limits<double>::infinity();
  }

  // The nanosecond at which a departure is told; kNever for infinity.
  Time tick_of(const Processor& p, double relative) const {
    const double late = relative - kCompletionSlackNs;
    if (!(late < 9.0e18 - static_cast<double>(p.synced))) return kNever;
    auto whole = static_cast<Time>(late);  // ceil() is a call where the processor has no instruction for it
    whole += static_cast<double>(whole) < late;
    return std::max(now_, p.synced + whole);
  }

  // Departures are looked through one by one: a board has a handful of processors, and a heap of theirs would be kept
  // in order several times an event.
  void refresh_touched() {
    if (touched_.empty()) return;
    for (const ProcessorId id : touched_) {
      Processor& p = processors_[id];
      p.touched = false;
      departures_[id] = tick_of(p, next_departure(p));
    }
    touched_.clear();
    soonest_ = kNever;
    for (std::size_t id = 0; id < departures_.size(); ++id)
      if (departures_[id] < soonest_) {
        soonest_ = departures_[id];
        soonest_processor_ = static_cast<ProcessorId>(id);
      }
  }

  // Sets the virtual clock back to 0. A processor with background load is never empty, and after a long time of light
  // load the steps of its virtual clock would be too coarse for a job of much larger weight.
  void rewind(Processor& p) {
    rewound_.clear();
    p.running.for_each([&](std::uint32_t slot) { rewound_.push_back(slot); });
    p.running.clear();
    for (const std::uint32_t slot : rewound_) {
      Activity& activity = activities_[slot];
      activity.work = left(activity, p);
      activity.mark = 0;
      p.running.push(slot, {finish(activity), activity.sequence});
    }
    p.virtual_time = 0;
  }

  void leave(Processor& p, std::uint32_t slot) {
    p.running.remove(slot);
    if (p.running.empty()) {  // nobody refers to the virtual clock: rewind it, so that it never loses precision
      p.weights.reset();
      p.virtual_time = 0;
      p.synced = now_;
      p.offset = 0;
    } else {
      p.weights.add(-activities_[slot].weight);
    }
  }

  // Takes the next finished activity off the processor, at the exact instant at which its work ran out; one that would
  // run out a hair later than this nanosecond is let off now.
  std::uint32_t take_finished(Processor& p, double relative) {
    const std::uint32_t slot = p.running.top();
    const double offset = relative - static_cast<double>(now_ - p.synced);
    if (offset > 0) {
      advance(p);
    } else {
      p.virtual_time = std::max(p.virtual_time, p.running.top_key().virtual_time);
      p.offset = offset;
      p.synced = now_;
    }
    leave(p, slot);
    return slot;
  }

  template <class Client>
  void depart(ProcessorId id, Client& client) {
    Processor& p = processors_[id];
    touch(id);
    double relative = next_departure(p);
    if (tick_of(p, relative) > now_) return;
    std::uint32_t slot = take_finished(p, relative);
    relative = next_departure(p);
    const bool alone = tick_of(p, relative) > now_;
    // Usually nothing else happens in this nanosecond and the client is told directly.
    if (alone) {
      departures_[id] = kNever;
      const bool first = std::all_of(departures_.begin(), departures_.end(), [this](Time t) { return t > now_; });
      const Key told{now_, order(0, activities_[slot].sequence) | kCompletion};
      if (first && (queue_.empty() || told < queue_.top_key())) {
        const Event done = activities_[slot].done;
        release_activity(slot);
        client.on_event(done);
        return;
      }
    }
    for (;;) {
      deliver_in_order(slot);
      if (tick_of(p, relative) > now_) break;
      slot = take_finished(p, relative);
      relative = next_departure(p);
    }
  }

  // Work that has run out by the end of a run() gives up its share before anybody can look or act from outside; it is
  // told by the next run().
  void settle() {
    if (now_ == kNever) return;
    for (refresh_touched(); soonest_ == now_; refresh_touched()) {
      const ProcessorId id = soonest_processor_;
      Processor& p = processors_[id];
      touch(id);
      for (double at = next_departure(p); tick_of(p, at) <= now_; at = next_departure(p))
        deliver_in_order(take_finished(p, at));
    }
  }

  void deliver_in_order(std::uint32_t slot) {
    Activity& activity = activities_[slot];
    activity.delivery = at(now_, Priority::device, activity.done);
    slots_[activity.delivery.slot].activity = slot;
    queue_.update(activity.delivery.slot, {now_, order(0, activity.sequence) | kCompletion});
  }

  void release_timer(std::uint32_t slot) {
    ++slots_[slot].generation;
    slots_[slot].activity = kNone;
    free_timers_.push_back(slot);
  }

  void release_activity(std::uint32_t slot) {
    ++activities_[slot].generation;
    activities_[slot].delivery = {};
    free_activities_.push_back(slot);
  }

  Time now_ = 0;
  std::uint64_t timers_set_ = 0;
  std::uint64_t activities_started_ = 0;
  IndexedHeap<Key> queue_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_timers_;
  std::vector<Activity> activities_;
  std::vector<std::uint32_t> free_activities_;
  std::vector<Processor> processors_;
  std::vector<Time> departures_;  // by processor: when the next activity runs out of work
  Time soonest_ = kNever;         // of them
  ProcessorId soonest_processor_ = 0;
  std::vector<ProcessorId> touched_;
  std::vector<std::uint32_t> rewound_;
};

static_assert(Engine<NativeEngine>);

}  // namespace dynasoc
