#include "cli/options.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <thread>

namespace dynasoc::cli {
namespace po = boost::program_options;
namespace {

std::atomic<bool> interrupted{false};  // a signal handler can reach nothing else
static_assert(std::atomic<bool>::is_always_lock_free);

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

void Options::positional(const std::string& name, int most) {
  hidden_.add_options()(name.c_str(), po::value<std::vector<std::string>>());
  positional_.add(name.c_str(), most);
}

void Options::parse(const Arguments& arguments) {
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
  if (help_) std::cout << "usage: " << usage_ << "\n\n" << doc_ << "\n\n" << visible_;
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

void run_with_simgrid(int argc, char** argv) {
  if (simgrid_available()) return;
  const bool wanted = [&] {
    for (int i = 1; i < argc; ++i) {
      const std::string_view argument = argv[i];
      if (argument == "--engine=simgrid" ||
          (argument == "--engine" && i + 1 < argc && argv[i + 1] == std::string_view("simgrid")))
        return true;
    }
    return false;
  }();
  if (!wanted) return;
  if (const auto sibling = simgrid_program()) ::execv(sibling->c_str(), argv);
}

void continue_with_simgrid(const std::string& command, const Arguments& arguments) {
  const auto sibling = simgrid_available() ? std::nullopt : simgrid_program();
  if (!sibling) return;
  std::vector<std::string> words{sibling->string(), command};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv(sibling->c_str(), argv.data());
}

std::optional<std::filesystem::path> simgrid_program() {
  std::error_code code;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", code);
  const auto sibling = self.parent_path() / "dynasoc-simgrid";
  if (code || ::access(sibling.c_str(), X_OK) != 0) return std::nullopt;
  return sibling;
}

EngineKind engine_of(const std::string& name) {
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

ProgressBar::ProgressBar(bool quiet) : shown_(!quiet && ::isatty(STDERR_FILENO)), started_s_(seconds()) {
  const auto stop = [](int signal) {
    interrupted = true;
    std::signal(signal, SIG_DFL);  // pressed again, it ends the program at once
  };
  std::signal(SIGINT, stop);
  std::signal(SIGTERM, stop);
}

ProgressBar::~ProgressBar() {
  if (drawn_) std::fputs("\r\033[K", stderr);
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

void ProgressBar::operator()(double share, const std::string& note) {
  if (interrupted) throw Interrupted{};
  const double now_s = seconds(), elapsed_s = now_s - started_s_;
  if (!shown_ || elapsed_s < 1 || now_s - drawn_at_s_ < 0.1) return;
  drawn_at_s_ = now_s;
  drawn_ = true;
  const int width = note.empty() ? 40 : 16;  // so that the line stays below 80 columns
  const int full = static_cast<int>(share * width);
  std::string bar;
  for (int i = 0; i < width; ++i) bar += i < full ? "━" : " ";
  std::fprintf(stderr, "\r\033[K%s %3.0f %%, %.0f s left%s%s", bar.c_str(), 100 * share,
               share > 0 ? elapsed_s / share * (1 - share) : 0.0, note.empty() ? "" : ", ", note.c_str());
}

int terminal_columns() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 100;
}

bool terminal_colour() { return ::isatty(STDOUT_FILENO) && std::getenv("NO_COLOR") == nullptr; }

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
