// Fills a table with the cells that a fit can tell.
#pragma once

#include "application/network.hpp"
#include "application/table.hpp"

namespace dynasoc {

struct Platform;

/// Adds the cells that a table lacks: every sub-network on every unit of the table, at every operating performance
/// point of the unit's first frequency domain. The latency is that of `LatencyModel`; energy and power come from the
/// platform's power points (power_w = idle_power_w + busy_w - idle_w of the unit at that clock; idle_power_w = static
/// power + idle_w of all units; energy_mj = power_w·latency_ms). Where cells of the group have measured power, their
/// above-idle part is scaled by (busy_w - idle_w) at the new clock over that at the cell's clock. Cells without energy
/// get it the same way; what a cell already states is left alone. All that is added is marked `derived` and says from
/// what; added latencies have the interval of `LatencyModel`. Throws InputError for a unit that the platform does not
/// have, or a group whose cells state no clock.
Table fill_table(const Table& table, const Network& network, const Platform& platform);

}  // namespace dynasoc
