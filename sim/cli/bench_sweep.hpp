// What `dynasoc bench` measures of sweeps: the figures as JSON and the same as text.
#pragma once

#include <string>

#include "common/json_reader.hpp"

namespace dynasoc::cli {

/// scenarios/sweeps/bench.json in processes of its own: {"points", "seconds", "points_per_s", "jobs", "efficiency" of
/// that many workers against one (null on one core; median of rounds), "peak_mb"}. `quick`: a tenth of the points.
Json bench_sweep(bool quick);
std::string bench_sweep_text(const Json& figures);

}  // namespace dynasoc::cli
