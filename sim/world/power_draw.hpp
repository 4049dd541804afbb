// One board out of those that the calibration allows: a platform's powers drawn from their declared uncertainty.
//
// What is drawn, once a replication: for each unit with `power_uncertainty`, one factor on its busy power above idle
// (the same at all clocks, but for the tilt), and the board's static power (`static_power_std_w`). Power that a table
// derived from the platform's points moves with them; power that somebody measured, or read off a figure, stays as it
// is. Idle power of units and energies of switches are not drawn: nobody stated how uncertain they are.
// Draws depend on (seed, the unit's name, replication): two policies run on the same board, unit by unit.
#pragma once

#include <cstdint>

#include "world/setup.hpp"

namespace dynasoc {

/// A copy of the set-up with one draw of its powers. Managers' profiles are of the drawn board.
Setup with_drawn_power(const Setup& setup, std::uint64_t replication);

/// Whether anything of this platform would be drawn.
bool has_power_uncertainty(const Platform& platform);

}  // namespace dynasoc
