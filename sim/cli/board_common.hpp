// What the subcommands of `dynasoc board` have in common.
#pragma once

#include <filesystem>
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

/// board.jsonl of a folder, what a board says: under its name from `in_place` on, and gone without. Until then one that
/// is there stays, for what it holds cannot be simulated again.
class BoardLog {
 public:
  /// An empty folder's writes nothing. Throws OutsideError.
  explicit BoardLog(const std::filesystem::path& folder);
  ~BoardLog();
  BoardLog(const BoardLog&) = delete;
  BoardLog& operator=(const BoardLog&) = delete;

  board::Recorder& recorder() { return recorder_; }
  /// The board is at work for us: an earlier command's results in the folder no longer count. Throws OutsideError.
  void in_place();
  bool is_in_place() const { return in_place_; }

 private:
  std::filesystem::path folder_;
  board::Recorder recorder_;
  bool in_place_ = false;
};

/// A number given as an option, with an optional `%`. Throws InputError.
double share_of(const Options& options, const std::string& name, double otherwise);

/// A comma-separated list of words given as an option; empty where it is not there.
std::vector<std::string> words_of(const Options& options, const std::string& name);

/// A comma-separated list of numbers given as an option; empty where it is not there. Throws InputError.
std::vector<double> numbers_of(const Options& options, const std::string& name);

}  // namespace dynasoc::cli
