// How a trip point caps a clock, one step a poll: two rules, as functions of what one poll shows.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/fields.hpp"

namespace dynasoc {

/// Who turns trip points into caps.
enum class ThermalGovernor : std::uint8_t {
  threshold,  ///< by temperature alone, with hysteresis
  step_wise,  ///< by temperature and trend: Linux
};
template <>
struct EnumNames<ThermalGovernor> {
  static constexpr std::array<std::pair<std::string_view, ThermalGovernor>, 2> names{
      {{"threshold", ThermalGovernor::threshold}, {"step_wise", ThermalGovernor::step_wise}}};
};

/// What one poll shows of one trip point and one clock.
struct TripSample {
  double temperature_c = 0;
  double previous_c = 0;  ///< at the poll before
  double trip_c = 0;
  double hysteresis_k = 0;
  int state = 0;    ///< cooling state in force: steps of the cap below the highest OPP
  int deepest = 0;  ///< the lowest OPP's
  int target = -1;  ///< what this trip point asked for last; -1 = nothing
};

/// The cooling state that one trip point asks for by Linux' rule, -1 for none; of several trips on a clock the deepest
/// holds. At or above the trip: a step deeper while the temperature rises, a step back while it falls. Below: a step
/// back while it falls, nothing once there is no step left; a trip that asks for nothing starts only when it is
/// reached. Otherwise as before. Hysteresis plays no part. Source: Linux drivers/thermal/step_wise.c, get_target_state,
/// read in an early form; that each trip keeps its own target is of later ones, from memory. The trend is that of two
/// polls, and exact.
inline int step_wise_target(const TripSample& seen) {
  const bool hot = seen.temperature_c >= seen.trip_c;
  if (!hot && seen.target < 0) return -1;
  if (seen.temperature_c > seen.previous_c) return hot ? std::min(seen.state + 1, seen.deepest) : seen.target;
  if (seen.temperature_c == seen.previous_c) return seen.target;
  if (seen.state > 0) return std::min(seen.state - 1, seen.deepest);
  return hot ? seen.target : -1;
}

/// -1: a step deeper, the temperature is at the trip or above. 0: hold, it is within the hysteresis. +1: a step back.
inline int threshold_step(const TripSample& seen) {
  if (seen.temperature_c >= seen.trip_c) return -1;
  return seen.temperature_c >= seen.trip_c - seen.hysteresis_k ? 0 : +1;
}

}  // namespace dynasoc
