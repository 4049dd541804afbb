// The answer of an exploration, as files and as a page.
#pragma once

#include <string>

#include "explore/exploration/explorer.hpp"

namespace dynasoc::explore {

/// The front, one configuration a row: variables, then each metric with its 95 % interval, then each objective's paired
/// difference to the knee.
std::string front_csv(const Candidates& candidates, const Exploration& exploration);

/// Every configuration that was met, in order: what became of it, variables, means of the replications that it has, and
/// for objectives where it would stand with all (Exploration::placed).
std::string all_csv(const Candidates& candidates, const Exploration& exploration);

/// front.json, and what `explore --json` prints. Says nothing that depends on how often the exploration was resumed.
Json exploration_json(const Candidates& candidates, const Exploration& exploration);

/// For a terminal.
std::string exploration_text(const Candidates& candidates, const Exploration& exploration, bool colour);

/// One line that says why no configuration is feasible and what comes nearest.
std::string infeasible_text(const Candidates& candidates, const Infeasible& infeasible);

}  // namespace dynasoc::explore
