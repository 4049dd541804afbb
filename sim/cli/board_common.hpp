// What the subcommands of `dynasoc board` have in common.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "board/session.hpp"
#include "board/target.hpp"
#include "cli/options.hpp"

namespace dynasoc::cli {

/// Adds --target and what goes with it.
void add_target_options(Options& options);
board::Target target_of(const Options& options);

/// Adds --executor, --weights, --data, --set.
void add_scenario_options(Options& options);

/// The scenario of a command on a board: --set, --policy and --data obeyed. --data DIR takes platform and networks that
/// DIR has (of `board profile --out DIR`) from there. Throws InputError.
Scenario board_scenario(const Options& options, const std::string& policy);

board::LoadOptions load_options_of(const Options& options);

/// A number given as an option, with an optional `%`. Throws InputError.
double share_of(const Options& options, const std::string& name, double otherwise);

/// A comma-separated list of words given as an option; empty where it is not there.
std::vector<std::string> words_of(const Options& options, const std::string& name);

/// A comma-separated list of numbers given as an option; empty where it is not there. Throws InputError.
std::vector<double> numbers_of(const Options& options, const std::string& name);

}  // namespace dynasoc::cli
