// What the subcommands' command lines have in common.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <boost/program_options.hpp>

#include "cli/command.hpp"
#include "scenario/scenario.hpp"
#include "world/run.hpp"

namespace dynasoc::cli {

/// Parses `arguments`; unknown options get the nearest known one. `--help` prints `usage` and the options and makes
/// `asked_for_help` true. Throws InputError.
class Options {
 public:
  Options(std::string usage, std::string doc) : usage_(std::move(usage)), doc_(std::move(doc)) {}

  boost::program_options::options_description_easy_init add() { return visible_.add_options(); }
  void positional(const std::string& name, int most);

  void parse(const Arguments& arguments);
  bool asked_for_help() const { return help_; }
  bool has(const std::string& name) const { return values_.count(name) > 0; }
  template <class T>
  T get(const std::string& name) const {
    return values_[name].as<T>();
  }
  template <class T>
  T get_or(const std::string& name, T otherwise) const {
    return has(name) ? values_[name].as<T>() : otherwise;
  }

 private:
  std::string usage_, doc_;
  boost::program_options::options_description visible_{"Options"};
  boost::program_options::options_description hidden_;
  boost::program_options::positional_options_description positional_;
  boost::program_options::variables_map values_;
  bool help_ = false;
};

/// A whole number given as an option, within bounds; `otherwise` where the option is not there. Throws InputError.
std::int64_t whole_number(const Options& options, const std::string& name, std::int64_t otherwise, std::int64_t least,
                          std::int64_t most);

/// `--set path=value` as given, any number of times.
Overrides overrides_of(const std::vector<std::string>& settings);

/// The file meant by a scenario argument: a path, or the name of one that `list` knows. Throws InputError.
std::filesystem::path scenario_path(const std::string& given);

/// Continues as `dynasoc-simgrid` when the command line asks for that engine and this program lacks it.
void run_with_simgrid(int argc, char** argv);

/// The same for a command that learns only from a file (a manifest) that the engine is wanted. Nothing may have been
/// printed.
void continue_with_simgrid(const std::string& command, const Arguments& arguments);

/// `dynasoc-simgrid` beside this program, if it was built.
std::optional<std::filesystem::path> simgrid_program();

/// Native unless asked otherwise; refuses unknown engines and one that was not built in.
EngineKind engine_of(const std::string& name);

/// Cores of this machine, at least 1.
int default_jobs();

/// As many replications at once as `--jobs` says; default: this machine's cores.
int jobs_of(const Options& options);

/// A progress bar with the time that remains on stderr: only on a terminal, only after a second. Throws Interrupted
/// once Ctrl-C (or SIGTERM) was pressed.
class ProgressBar {
 public:
  explicit ProgressBar(bool quiet);
  ~ProgressBar();
  /// `note` stands behind the time that remains.
  void operator()(double share, const std::string& note = {});

 private:
  bool shown_;
  bool drawn_ = false;
  double started_s_;
  double drawn_at_s_ = 0;
};

/// The user pressed Ctrl-C. The program ends with status 130 and says `note`; whatever is on disk is complete or
/// resumable.
struct Interrupted {
  std::string note = "nothing was written";
};

/// Width of the terminal behind stdout; 100 where there is none. Colours only on a terminal and without NO_COLOR.
int terminal_columns();
bool terminal_colour();

}  // namespace dynasoc::cli
