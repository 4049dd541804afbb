// An exploration's directory as a page.
#pragma once

#include "results/report/report.hpp"

namespace dynasoc::explore {

/// What `dynasoc report` shows of an exploration: see `report::run_payload`.
Json exploration_payload(const report::Request& request);

}  // namespace dynasoc::explore
