// A sweep's directory as a page.
#pragma once

#include "results/report/report.hpp"

namespace dynasoc::explore {

/// See results/report/report.hpp. Front and best points are by the first two or three metrics that have a direction.
Json sweep_payload(const report::Request& request);

}  // namespace dynasoc::explore
