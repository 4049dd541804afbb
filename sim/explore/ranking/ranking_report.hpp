// A ranking's directory as a page.
#pragma once

#include "results/report/report.hpp"

namespace dynasoc::explore {

/// See results/report/report.hpp. The page simulates nothing again: it shows no single runs.
Json ranking_payload(const report::Request& request);

}  // namespace dynasoc::explore
