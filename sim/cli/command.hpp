// One file a subcommand; main.cpp finds them in one list.
#pragma once

#include <string>
#include <vector>

namespace dynasoc::cli {

/// Exit status of the program (docs: "The command line").
enum Status : int { kSuccess = 0, kCheckFailed = 1, kBadInput = 2, kOutsideFailed = 3, kBug = 4 };

using Arguments = std::vector<std::string>;  ///< what follows the subcommand's name

/// Each returns an exit status; InputError, OutsideError and InternalError are turned into 2, 3 and 4 by main.
int run_command(const Arguments& arguments);
int compare_command(const Arguments& arguments);
int sweep_command(const Arguments& arguments);
int merge_command(const Arguments& arguments);
int table_command(const Arguments& arguments);
int power_command(const Arguments& arguments);        ///< `table power`
int table_merge_command(const Arguments& arguments);  ///< `table merge`
int table_lint_command(const Arguments& arguments);   ///< `table lint`
int check_command(const Arguments& arguments);
int search_command(const Arguments& arguments);
int explore_command(const Arguments& arguments);
int lint_command(const Arguments& arguments);
int list_command(const Arguments& arguments);
int schema_command(const Arguments& arguments);
int bench_command(const Arguments& arguments);

}  // namespace dynasoc::cli
