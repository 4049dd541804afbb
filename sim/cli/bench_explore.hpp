// The section EXPLORE of dynasoc bench.
#pragma once

#include <functional>
#include <string>

#include "common/document.hpp"

namespace dynasoc::cli {

/// Each shipped exploration with racing and with full replication, for three seeds of the search: simulations, time
/// [s], and the two fronts compared: ratio of hypervolumes, and by how many resolutions one falls short of the other at
/// worst. About two minutes.
Json bench_explore(int jobs, const std::function<void(double)>& progress);
/// Its lines for a terminal.
std::string bench_explore_text(const Json& section);

}  // namespace dynasoc::cli
