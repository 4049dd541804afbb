// One file a subcommand; command_line.cpp finds them in one list.
#pragma once

#include <string>
#include <vector>

namespace dynasoc::cli {

/// Exit status of the program (docs: "The command line").
enum Status : int { kSuccess = 0, kCheckFailed = 1, kBadInput = 2, kOutsideFailed = 3, kBug = 4 };

class Console;

using Arguments = std::vector<std::string>;  ///< what follows the subcommand's name

/// Each returns an exit status; InputError, OutsideError and InternalError pass through.
int run_command(const Arguments& arguments, Console& console);
int compare_command(const Arguments& arguments, Console& console);
int sweep_command(const Arguments& arguments, Console& console);
int merge_command(const Arguments& arguments, Console& console);
int table_command(const Arguments& arguments, Console& console);
int power_command(const Arguments& arguments, Console& console);        ///< `table power`
int table_merge_command(const Arguments& arguments, Console& console);  ///< `table merge`
int table_lint_command(const Arguments& arguments, Console& console);   ///< `table lint`
int trace_command(const Arguments& arguments, Console& console);
int check_command(const Arguments& arguments, Console& console);
int report_command(const Arguments& arguments, Console& console);
int search_command(const Arguments& arguments, Console& console);
int explore_command(const Arguments& arguments, Console& console);
int rank_command(const Arguments& arguments, Console& console);
int lint_command(const Arguments& arguments, Console& console);
int list_command(const Arguments& arguments, Console& console);
int schema_command(const Arguments& arguments, Console& console);
int bench_command(const Arguments& arguments, Console& console);
int board_command(const Arguments& arguments, Console& console);
int board_profile_command(const Arguments& arguments, Console& console);   ///< `board profile`
int board_validate_command(const Arguments& arguments, Console& console);  ///< `board validate`
int board_fork_command(const Arguments& arguments, Console& console);      ///< `board fork`

}  // namespace dynasoc::cli
