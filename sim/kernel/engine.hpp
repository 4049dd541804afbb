// The contract between the simulated world and the machinery that moves its clock.
//
// An engine has a clock, timers, and shared processors. Everything else (boards, networks, managers) lives above it in
// code that is compiled once for each engine, so that the two engines can be compared bit by bit and the hot path has
// no virtual call.
//
// TIME AND ORDER. Events are delivered in the total order (time, priority class, sequence number). Timers are numbered
// as they are set; a completion carries the number of its activity, counted as activities start. At one instant,
// completions come before every timer.
//
// PROCESSORS. An activity is an amount of work [ns at rate 1], a weight and a rate. While it runs, it progresses at
//     rate * speed * weight / (sum of the weights on its processor)      [ns of work per ns]
// (generalised processor sharing). `speed` belongs to the processor, `rate` to the activity; either may change while it
// runs, and may be 0. Infinite work never completes. Shares change at the exact (real-valued) instant at which an
// activity runs out of work; its completion is delivered at the next whole nanosecond: ceil(t - 0.001 ns), the slack
// absorbing rounding, so that a job of 10 ms is delivered after 10 ms and not a nanosecond later.
#pragma once

#include <concepts>
#include <cstdint>

#include "kernel/time.hpp"

namespace dynasoc {

/// What the client asked to be told: meaning and subject are the client's own.
struct Event {
  std::uint32_t kind = 0;
  std::uint32_t subject = 0;
  bool operator==(const Event&) const = default;
};

/// Priority classes of simultaneous timers, in order of delivery. Completions precede them all.
enum class Priority : std::uint8_t {
  device = 1,       ///< the board changes state (a frequency takes effect, a trip point is checked)
  application = 2,  ///< a target or a background load changes
  arrival = 3,      ///< frames arrive
  manager = 4,      ///< managers and governors look and act: they see all that happened up to now
  observer = 5,     ///< sensors, samplers and reports: they see the state after everybody has acted
};

using ProcessorId = std::uint32_t;

struct TimerId {
  std::uint32_t slot = ~0u;
  std::uint32_t generation = 0;
};

struct ActivityId {
  std::uint32_t slot = ~0u;
  std::uint32_t generation = 0;
  bool operator==(const ActivityId&) const = default;
};

inline constexpr double kCompletionSlackNs = 1e-3;

namespace detail {
struct AnyClient {
  void on_event(Event) {}
};
}  // namespace detail

// clang-format off
template <class E>
concept Engine = requires(E engine, const E& constant, Time time, double x, Event event, ProcessorId processor,
                          ActivityId activity, TimerId timer, detail::AnyClient client) {
  { constant.now() } -> std::same_as<Time>;

  /// Sets a timer at `time` >= now. Delivered once.
  { engine.at(time, Priority::device, event) } -> std::same_as<TimerId>;
  /// Forgets a timer; one that has been delivered or cancelled already is left alone.
  { engine.cancel(timer) };

  /// A new processor of speed 1.
  { engine.add_processor() } -> std::same_as<ProcessorId>;
  /// Changes the speed (>= 0) of everything on it, from now on.
  { engine.set_speed(processor, x) };

  /// start(processor, work_ns >= 0, weight > 0, rate >= 0, event at completion)
  { engine.start(processor, x, x, x, event) } -> std::same_as<ActivityId>;
  { engine.set_rate(activity, x) };
  /// Work not yet done [ns]. The activity must be running.
  { constant.remaining(activity) } -> std::same_as<double>;
  /// Ends a running activity without a completion event; returns the work not done [ns].
  { engine.cancel(activity) } -> std::same_as<double>;

  /// Delivers every event before `until` to `client.on_event(Event)`, then leaves the clock at `until`.
  { engine.run(client, time) };
};
// clang-format on

}  // namespace dynasoc
