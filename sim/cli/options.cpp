#include "cli/options.hpp"

#include <charconv>
#include <thread>

#include "common/installation.hpp"
#include "common/text.hpp"

namespace dynasoc::cli {
namespace po = boost::program_options;

void Options::positional(const std::string& name, int most) {
  hidden_.add_options()(name.c_str(), po::value<std::vector<std::string>>());
  positional_.add(name.c_str(), most);
}

void Options::parse(const Arguments& arguments, Console& console) {
  visible_.add_options()("help,h", "print this and end");
  po::options_description all;
  all.add(visible_).add(hidden_);
  try {
    po::store(po::command_line_parser(arguments)
                  .options(all)
                  .positional(positional_)
                  .style(po::command_line_style::default_style & ~po::command_line_style::allow_guessing)
                  .run(),
              values_);
    po::notify(values_);
  } catch (const po::unknown_option& error) {
    std::vector<std::string> known;
    for (const auto& option : visible_.options()) known.push_back("--" + option->long_name());
    throw InputError("unknown option " + error.get_option_name() + hint(error.get_option_name(), known));
  } catch (const po::too_many_positional_options_error&) {
    throw InputError("too many arguments; usage: " + usage_);
  } catch (const po::multiple_occurrences& error) {
    throw InputError(error.get_option_name() + " is given twice");
  } catch (const po::invalid_command_line_syntax& error) {
    const bool no_value = error.kind() == po::invalid_command_line_syntax::missing_parameter ||
                          error.kind() == po::invalid_command_line_syntax::empty_adjacent_parameter;
    throw InputError((no_value ? error.get_option_name() + " needs a value" : std::string(error.what())) +
                     "; usage: " + usage_);
  } catch (const po::error& error) {
    throw InputError(std::string(error.what()) + "; usage: " + usage_);
  }
  help_ = values_.count("help") > 0;
  if (help_) console.out << "usage: " << usage_ << "\n\n" << doc_ << "\n\n" << visible_;
}

std::int64_t whole_number(const Options& options, const std::string& name, std::int64_t otherwise, std::int64_t least,
                          std::int64_t most) {
  if (!options.has(name)) return otherwise;
  const auto text = options.get<std::string>(name);
  std::int64_t x = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), x);
  if (text.empty() || end != text.data() + text.size() || code == std::errc::invalid_argument)
    throw InputError("--" + name + " " + text + ": must be a whole number");
  if (code != std::errc{} || x < least || x > most)
    throw InputError("--" + name + " " + text + ": must be from " + std::to_string(least) + " to " +
                     std::to_string(most));
  return x;
}

double number_option(const Options& options, const std::string& name, double otherwise, double least, double most) {
  if (!options.has(name)) return otherwise;
  const auto text = options.get<std::string>(name);
  double x = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), x);
  if (text.empty() || code != std::errc{} || end != text.data() + text.size() || !(x >= least && x <= most))
    throw InputError("--" + name + " " + text + ": must be a number from " + plain_number(least) + " to " +
                     plain_number(most));
  return x;
}

int jobs_of(const Options& options) { return static_cast<int>(whole_number(options, "jobs", default_jobs(), 1, 1024)); }

Overrides overrides_of(const std::vector<std::string>& settings) {
  Overrides out;
  for (const std::string& setting : settings) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos || equals == 0)
      throw InputError("--set " + setting +
                       ": must be path=value, for instance duration_s=10 or applications.camera.weight=2");
    out.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  return out;
}

std::optional<int> continue_with_simgrid(const Arguments& all, Console& console) {
  const auto sibling = simgrid_available() ? std::nullopt : simgrid_program();
  return sibling ? console.continue_as(*sibling, all) : std::nullopt;
}

std::optional<std::filesystem::path> simgrid_program() { return installation::program("dynasoc-simgrid"); }

EngineKind engine_of(const std::string& name) {
  if (name == "board")
    throw InputError(
        "this was run on a board: --engine native simulates it, `dynasoc board run` repeats it on the board");
  std::vector<std::string> known;
  for (const auto& [text, kind] : EnumNames<EngineKind>::names) {
    if (text == name) {
      if (kind == EngineKind::simgrid && !simgrid_available())
        throw InputError(
            "--engine simgrid: there is no dynasoc-simgrid beside this program; `make build` makes it where SimGrid "
            "is installed (Debian: libsimgrid-dev)");
      return kind;
    }
    known.emplace_back(text);
  }
  throw InputError("--engine " + name + ": unknown engine" + hint(name, known));
}

int default_jobs() { return static_cast<int>(std::max(1u, std::thread::hardware_concurrency())); }

std::filesystem::path scenario_path(const std::string& given) {
  std::error_code code;
  if (std::filesystem::is_directory(given, code)) {
    const auto manifest = std::filesystem::path(given) / "manifest.json";
    throw InputError(
        {given, 0, 0, ""},
        std::string("is a directory, not a file") +
            (std::filesystem::exists(manifest, code) ? " (did you mean " + in_quotes(manifest.string()) + "?)" : ""));
  }
  if (std::filesystem::exists(given, code)) return given;
  const DataPaths paths;
  try {
    return paths.scenario({given, {}});
  } catch (const InputError&) {
    const auto known = paths.scenarios();
    const auto near = nearest(given.ends_with(".json") ? std::filesystem::path(given).stem().string() : given, known);
    throw InputError({given, 0, 0, ""}, "no such file, and no scenario of that name" +
                                            (near ? " (did you mean " + in_quotes(*near) + "?)"
                                                  : std::string("; `dynasoc list scenarios` names them")));
  }
}

}  // namespace dynasoc::cli
