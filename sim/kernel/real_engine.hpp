// The contract of an engine whose clock is the real one and whose processors are a board's.
//
// It keeps the contract of every engine, but time passes by itself: an event is delivered at or (a little) after its
// time, and a time that has passed is not refused. What a simulated board computes, a real one is asked to do: the
// world starts inferences instead of work, and is told what was measured. Rates, speeds and remaining work mean
// nothing.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "kernel/engine.hpp"

namespace dynasoc {

/// What a board measured of one inference.
struct MeasuredInference {
  Time start = 0;                                             ///< on the run's clock
  Time end = 0;                                               ///< likewise
  double power_w = std::numeric_limits<double>::quiet_NaN();  ///< mean of the unit's rail; NaN where none tells
  bool clean = true;                                          ///< no foreign load beside it, steady clocks
  std::string failure;                                        ///< why there is no result; empty where there is one
};

/// The newest readings of a board; NaN where there is none.
struct BoardReadings {
  Time at = 0;                        ///< on the run's clock
  std::vector<double> domain_mhz;     ///< by frequency domain
  std::vector<double> rail_power_w;   ///< by rail
  std::vector<double> rail_energy_j;  ///< by rail, since the run began
  std::vector<double> node_c;         ///< by thermal node
};

/// How a clock is to be set.
struct ClockWrite {
  enum class Kind : std::uint8_t {
    pin,     ///< to `lowest`
    limits,  ///< its governor moves between `lowest` and `highest`
  };
  Kind kind = Kind::pin;
  int lowest = 0;   ///< index of an operating point
  int highest = 0;  ///< likewise
  bool operator==(const ClockWrite&) const = default;
};

// clang-format off
template <class E>
concept RealEngine = Engine<E> && requires(E engine, const E& constant, int index, double x, Event event,
                                           ActivityId activity, ClockWrite write, std::uint32_t job) {
  /// infer(application, unit, sub-network, job, event at completion)
  { engine.infer(index, index, index, job, event) } -> std::same_as<ActivityId>;
  /// Of an inference whose completion is being delivered.
  { engine.measured(activity) } -> std::same_as<const MeasuredInference&>;

  /// occupy(load, unit, weight, work_ns (may be infinite), event at completion); ended by `cancel`.
  { engine.occupy(index, index, x, x, event) } -> std::same_as<ActivityId>;

  /// write_clock(domain, how, event once it is in effect or refused); `readings` then hold the clock that it has.
  { engine.write_clock(index, write, event) };
  /// set_cores(unit, cores online)
  { engine.set_cores(index, index) };

  { constant.readings() } -> std::same_as<const BoardReadings&>;
  /// An event for each change of the readings.
  { engine.tell_readings(event) };
  /// Seconds that the host has been computing since the event began to be delivered, or since the last call in it: what
  /// a decision took.
  { engine.computed_s() } -> std::same_as<double>;
};
// clang-format on

}  // namespace dynasoc
