// A search's result: for people, for programs, for spreadsheets.
#pragma once

#include <string>

#include "explore/search/search.hpp"

namespace dynasoc::search {

/// One page. `columns`: the terminal's width.
std::string search_text(const Prepared& prepared, const Result& result, int columns, bool colour);

/// `{"front": [{"latency_ms", "accuracy", "config", …}], "hypervolume", "evaluations", …}`; no times.
Json search_json(const Prepared& prepared, const Result& result);

/// `front.csv`: point,latency_ms,accuracy,macs_m,memory_mb,derived_share,resolution,depths,kernels,expansions
std::string front_csv(const Prepared& prepared, const Result& result);
/// `generations.csv`: generation,evaluations,front,hypervolume
std::string generations_csv(const Result& result);

/// What stands behind latencies and accuracies, one line each, for pages and for the source of exported tables.
std::string latency_basis(const Prepared& prepared);
std::string accuracy_basis(const Prepared& prepared);

}  // namespace dynasoc::search
