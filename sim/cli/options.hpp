// What the subcommands' command lines have in common.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <boost/program_options.hpp>

#include "cli/console.hpp"
#include "scenario/scenario.hpp"
#include "world/run.hpp"

namespace dynasoc::cli {

/// Parses `arguments`; unknown options get the nearest known one. `--help` prints `usage` and the options to the
/// console and makes `asked_for_help` true. Throws InputError.
class Options {
 public:
  Options(std::string usage, std::string doc) : usage_(std::move(usage)), doc_(std::move(doc)) {}

  boost::program_options::options_description_easy_init add() { return visible_.add_options(); }
  void positional(const std::string& name, int most);

  void parse(const Arguments& arguments, Console& console);
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
/// An option that is a number within a range, written as a text; `otherwise` where it is not there. Throws InputError.
double number_option(const Options& options, const std::string& name, double otherwise, double least, double most);

/// `--set path=value` as given, any number of times.
Overrides overrides_of(const std::vector<std::string>& settings);

/// The file meant by a scenario argument: a path, or the name of one that `list` knows. Throws InputError.
std::filesystem::path scenario_path(const std::string& given);

/// Lets `dynasoc-simgrid` answer the command line `all` if this program lacks that engine and the other one was built:
/// its exit status, else nothing. Nothing may have been printed.
std::optional<int> continue_with_simgrid(const Arguments& all, Console& console);

/// `dynasoc-simgrid`, if it was built: see common/installation.hpp.
std::optional<std::filesystem::path> simgrid_program();

/// Native unless asked otherwise; refuses unknown engines and one that was not built in.
EngineKind engine_of(const std::string& name);

/// Cores of this machine, at least 1.
int default_jobs();

/// As many replications at once as `--jobs` says; default: this machine's cores.
int jobs_of(const Options& options);

}  // namespace dynasoc::cli
