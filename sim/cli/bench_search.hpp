// The part of `dynasoc bench` that measures the search.
#pragma once

#include <string>

#include "common/json_reader.hpp"

namespace dynasoc::cli {

/// `{"evaluations_per_s", "product_gflops", "share_of_product", "time_to_99_percent_s", …}`, by the CPU time of one
/// thread, products and evaluations in turn for `rounds` rounds of `evaluations` sub-networks; the time for each of
/// `seeds` seeds, of which the slowest counts.
Json bench_search(int rounds, std::size_t evaluations, int seeds);

/// For the page.
std::string bench_search_text(const Json& measured, bool colour);

}  // namespace dynasoc::cli
