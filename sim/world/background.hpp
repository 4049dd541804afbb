// How the demand of background loads passes in time: said once, for the world and for those who show what it did.
#pragma once

#include <algorithm>
#include <utility>

#include "kernel/random.hpp"
#include "world/setup.hpp"

namespace dynasoc {

/// What background load `b` draws from.
inline Stream demand_stream(const Setup& setup, std::size_t b, std::uint64_t replication) {
  return Stream(setup.seed, setup.background[b].name + "/demand", replication);
}

/// Length of phase `n` of an on-off load, counted from its arrival: even ones are busy, odd ones are pauses.
inline Time phase_length(const OnOffDemand& demand, const Stream& stream, std::uint64_t n) {
  const double mean_ms = n % 2 == 0 ? demand.on_ms : demand.off_ms;
  const double length_ms = demand.exponential ? mean_ms * stream.exponential(n) : mean_ms;
  return std::max<Time>(1, from_ms(length_ms));
}

/// When load `b` is there: from its arrival to its end, or to `end` of the run.
inline std::pair<Time, Time> presence(const Setup& setup, std::size_t b, Time end) {
  const BackgroundFile& file = setup.background[b].file;
  return {from_s(file.from_s), file.to_s > 0 ? std::min(from_s(file.to_s), end) : end};
}

/// Calls `busy(begin, end)` for each busy phase of load `b`, which must be on-off, as the run has them.
template <class Busy>
void each_busy_phase(const Setup& setup, std::size_t b, std::uint64_t replication, Time end, Busy busy) {
  const auto& demand = std::get<OnOffDemand>(setup.background[b].file.demand);
  const Stream stream = demand_stream(setup, b, replication);
  const auto [from, to] = presence(setup, b, end);
  std::uint64_t n = 0;
  for (Time at = from; at < to; ++n) {
    const Time next = at + phase_length(demand, stream, n);
    if (n % 2 == 0) busy(at, std::min(next, to));
    at = next;
  }
}

}  // namespace dynasoc
