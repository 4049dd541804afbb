// The beginning of a run: what a parser let through must not upset the simulator.
#pragma once

#include "world/run.hpp"

namespace dynasoc::fuzz {

/// Simulates 2 s at most, and stops after a few hundred thousand events.
void run_a_little(const Setup& setup);

}  // namespace dynasoc::fuzz
