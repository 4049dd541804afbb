// The second engine: the same contract on SimGrid S4U. Slower than the native one and written on other foundations, it
// is what the native one is checked against.
//
// SimGrid keeps its state in globals and holds one simulation per process: construct a single SimgridEngine in a
// process (a second one throws InternalError) and fork a child for each further run, before SimGrid has been touched in
// the parent. Its clock is a double: beyond an hour or two of simulated time, a completion may be told a nanosecond
// late.
#pragma once

#include <memory>

#include "kernel/engine.hpp"

namespace dynasoc {

class SimgridEngine {
 public:
  /// @throws InternalError if this process has or had another SimGrid simulation.
  SimgridEngine();
  ~SimgridEngine();
  SimgridEngine(const SimgridEngine&) = delete;
  SimgridEngine& operator=(const SimgridEngine&) = delete;

  Time now() const;

  TimerId at(Time time, Priority priority, Event event);
  void cancel(TimerId id);

  /// SimGrid's platform is sealed by the first run(): later on, at most `kLateProcessors` can be added.
  ProcessorId add_processor();
  void set_speed(ProcessorId id, double speed);

  ActivityId start(ProcessorId id, double work_ns, double weight, double rate, Event done);
  void set_rate(ActivityId id, double rate);
  double remaining(ActivityId id) const;
  double cancel(ActivityId id);

  template <class Client>
  void run(Client& client, Time until) {
    run(
        &client, [](void* to, Event event) { static_cast<Client*>(to)->on_event(event); }, until);
  }

  static constexpr int kLateProcessors = 32;

 private:
  struct Impl;
  using Deliver = void (*)(void* client, Event event);

  void run(void* client, Deliver deliver, Time until);

  std::unique_ptr<Impl> impl_;
};

static_assert(Engine<SimgridEngine>);

}  // namespace dynasoc
