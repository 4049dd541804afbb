// A run's records as numbers to read: JSON for scripts, text for people.
#pragma once

#include <string>
#include <vector>

#include "scenario/scenario.hpp"
#include "world/record.hpp"

namespace dynasoc {

/// The JSON of `run --json`. Several replications are pooled (their frames count as one sample); `spread` then holds
/// mean and standard deviation of the replications' own values. Units are in the names; energies of jobs are above
/// idle.
///
/// miss_rate = (missed + dropped + rejected) / (completed + dropped + rejected): the share of the frames that were
/// decided and had no result by their deadline. Frames unfinished at the end are in `jobs` only.
Json summary_json(const Scenario& scenario, const std::string& engine, const std::vector<RunRecord>& records);

/// The same for a terminal: tables, a picture of latency over time, warnings. `columns` is the page's width, 0
/// for one without an end; `colour` allows ANSI colours.
std::string summary_text(const Scenario& scenario, const std::string& engine, const std::vector<RunRecord>& records,
                         int columns, bool colour);

}  // namespace dynasoc
