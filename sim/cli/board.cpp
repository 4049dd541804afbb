// dynasoc board: probe, run, restore; profile, validate and fork have files of their own.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <iostream>
#include <optional>

#include "board/board_run.hpp"
#include "board/probe.hpp"
#include "cli/board_common.hpp"
#include "common/text.hpp"
#include "results/comparison.hpp"
#include "results/output.hpp"
#include "results/summary.hpp"

namespace dynasoc::cli {
namespace po = boost::program_options;
namespace fs = std::filesystem;
namespace {
constexpr const char* kBoardLogPartial = "board.jsonl.partial";
}

void add_target_options(Options& options) {
  options.add()("target", po::value<std::string>(), "the board: local (default) or ssh://[user@]host[:port]")(
      "root", po::value<std::string>(), "folder that stands for the board's / (a fixture, a fake board)")(
      "agent", po::value<std::string>(), "dynasoc-agent, where it is not beside this program (or on the board's PATH)")(
      "state", po::value<std::string>(), "the agent's folder for lock and journal (default: /var/lib/dynasoc-agent)")(
      "ssh-option", po::value<std::vector<std::string>>()->composing(),
      "passed to ssh as it is; repeatable: --ssh-option=-i --ssh-option=KEY")(
      "runner", po::value<std::vector<std::string>>()->composing(),
      "NAME=PROGRAM[,ARGUMENT…]: a program that speaks a runner's lines; repeatable")(
      "allow-weights", po::value<std::string>(), "folder on the board whose .safetensors files may be loaded");
}

board::Target target_of(const Options& options) {
  board::Target target = board::Target::parse(options.get_or<std::string>("target", "local"));
  target.root = options.get_or<std::string>("root", "");
  target.agent = options.get_or<std::string>("agent", "");
  target.state = options.get_or<std::string>("state", "");
  // A tree of files beside this program has its journal with it.
  if (!target.root.empty() && target.state.empty())
    target.state = (fs::path(target.root) / "var/lib/dynasoc-agent").string();
  target.ssh_options = options.get_or<std::vector<std::string>>("ssh-option", {});
  target.runners = options.get_or<std::vector<std::string>>("runner", {});
  target.weights_folder = options.get_or<std::string>("allow-weights", "");
  if (target.host.empty() && !target.root.empty() && !fs::is_directory(target.root))
    throw InputError("--root " + target.root + ": no such folder");
  return target;
}

void add_scenario_options(Options& options) {
  options.add()("data", po::value<std::string>(),
                "folder that `board profile --out` wrote: its platform and networks instead of the scenario's own")(
      "set", po::value<std::vector<std::string>>()->composing(),
      "path=value: change any field of the scenario; repeatable")(
      "executor", po::value<std::string>(),
      "onednn, onnxruntime, tensorrt or a runner's name (default: the platform file's)")(
      "weights", po::value<std::string>(), "a .safetensors file on the board (default: random weights)");
}

board::LoadOptions load_options_of(const Options& options) {
  board::LoadOptions out;
  out.executor = options.get_or<std::string>("executor", "");
  out.weights = options.get_or<std::string>("weights", "");
  return out;
}

Scenario board_scenario(const Options& options, const std::string& policy) {
  const fs::path path = scenario_path(options.get<std::vector<std::string>>("scenario")[0]);
  Overrides overrides = overrides_of(options.get_or<std::vector<std::string>>("set", {}));
  if (options.has("data")) {
    const fs::path data = fs::absolute(options.get<std::string>("data"));
    if (!fs::is_directory(data / "platforms") && !fs::is_directory(data / "models"))
      throw InputError("--data " + data.string() + ": has neither platforms/ nor models/");
    std::vector<fs::path> inputs;
    const auto document = scenario_document(path, overrides, inputs);
    const Json& root = document->root();
    const auto stem = [](const Json& object, const char* key) {
      const auto it = object.find(key);
      return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
    };
    if (const std::string name = stem(root, "platform"); fs::exists(data / "platforms" / (name + ".json")))
      overrides.emplace_back("platform", Json((data / "platforms" / (name + ".json")).string()).dump());
    if (const auto apps = root.find("applications"); apps != root.end() && apps->is_object())
      for (const auto& [name, app] : apps->items())
        if (const std::string network = stem(app, "network"); fs::exists(data / "models" / network / "network.json"))
          overrides.emplace_back("applications." + name + ".network",
                                 Json((data / "models" / network / "network.json").string()).dump());
  }
  Scenario scenario = load_scenario(path, overrides);
  if (policy.empty()) return scenario;
  for (const auto& change : overrides_of(scenario, contender_of(scenario, policy))) overrides.push_back(change);
  return load_scenario(path, overrides);
}

BoardLog::BoardLog(const fs::path& folder) : folder_(folder) {
  if (folder.empty()) return;
  std::error_code code;
  fs::remove(folder / kBoardLogPartial, code);
  recorder_ = board::Recorder(folder / kBoardLogPartial);
}

BoardLog::~BoardLog() {
  std::error_code code;
  if (!folder_.empty() && !in_place_) fs::remove(folder_ / kBoardLogPartial, code);
}

void BoardLog::in_place() {
  if (folder_.empty()) return;
  begin_replacing(folder_);
  std::error_code code;
  fs::rename(folder_ / kBoardLogPartial, folder_ / "board.jsonl", code);
  if (code) throw OutsideError((folder_ / "board.jsonl").string() + ": cannot be written: " + code.message());
  in_place_ = true;
}

double share_of(const Options& options, const std::string& name, double otherwise) {
  if (!options.has(name)) return otherwise;
  std::string text = options.get<std::string>(name);
  const bool percent = text.ends_with('%');
  if (percent) text.pop_back();
  double x = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || !(x > 0) || !std::isfinite(x))
    throw InputError("--" + name + " " + options.get<std::string>(name) + ": must be a positive number or percentage");
  return percent ? x / 100 : x;
}

std::vector<std::string> words_of(const Options& options, const std::string& name) {
  std::vector<std::string> out;
  const auto text = options.get_or<std::string>(name, "");
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

std::vector<double> numbers_of(const Options& options, const std::string& name) {
  std::vector<double> out;
  if (!options.has(name)) return out;
  const auto text = options.get<std::string>(name);
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    double x = 0;
    const auto [stop, error] = std::from_chars(text.data() + begin, text.data() + end, x);
    if (error != std::errc() || stop != text.data() + end || !(x > 0))
      throw InputError("--" + name + " " + text + ": must be positive numbers, separated by commas");
    out.push_back(x);
    begin = end + 1;
  }
  return out;
}

namespace {

int probe_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc board probe [TARGET] [options]",
      "What a board is: clocks, operating points, governors, rails, thermal zones, permissions, and what is\n"
      "missing. With --out, writes a platform file that is ready to edit.");
  options.positional("board", 1);
  add_target_options(options);
  options.add()("name", po::value<std::string>(), "of the platform (default: from the board's model)")(
      "out", po::value<std::string>(), "platform file to write; a folder gets NAME.json")("force", "overwrite it")(
      "json", "print one JSON object: the board's answer and the platform")("quiet", "print nothing but errors");
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  board::Target target = target_of(options);
  if (options.has("board")) {
    if (options.has("target")) throw InputError("the target is given twice");
    const board::Target way = board::Target::parse(options.get<std::vector<std::string>>("board")[0]);
    target.name = way.name, target.host = way.host, target.port = way.port;
  }
  fs::path out = options.get_or<std::string>("out", "");
  board::Agent agent(target);
  Json probe;
  try {
    probe = agent.call({{"op", "probe"}});
    agent.end();
  } catch (const Json::exception& error) {
    throw OutsideError(std::string("the agent does not keep to the protocol: ") + error.what());
  }
  const std::string name = options.get_or<std::string>("name", board::platform_name_of(probe));
  const board::ProbedPlatform made = board::platform_of(probe, name);
  Platform::from(
      read<PlatformFile>(Value(Document::parse(made.platform.dump(2), name + ".json"))));  // it loads as it is
  if (!out.empty()) {
    if (fs::is_directory(out) || !out.has_extension()) out /= name + ".json";
    if (out.stem() != name)
      throw InputError("--out " + out.string() + ": the file must be called " + name +
                       ".json, as the platform in it (see --name)");
    if (fs::exists(out) && !options.has("force"))
      throw InputError(out.string() + " is there already; say --force to replace it");
    if (out.has_parent_path()) fs::create_directories(out.parent_path());
    write_file(out, made.platform.dump(2) + "\n");
  }
  if (options.has("json"))
    console.out << Json{{"probe", probe}, {"platform", made.platform}, {"notes", made.notes}}.dump(2) << "\n";
  else if (!options.has("quiet"))
    console.out << board::probe_text(probe, made)
                << (out.empty() ? "  --out FILE writes a platform file\n" : "  written to " + out.string() + "\n");
  return kSuccess;
}

int run_on_board_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc board run SCENARIO [--target TARGET] [options]",
      "Runs a scenario's applications in real time on a board, under its policy: the same policy object as in\n"
      "a simulation, its decisions applied to the board's clocks, governors the board's own. The results have\n"
      "the form of a simulated run, and board.jsonl beside them has what the board said.");
  options.positional("scenario", 1);
  add_target_options(options);
  add_scenario_options(options);
  options.add()("policy", po::value<std::string>(),
                "manager in place of the scenario's: an entry of `dynasoc compare --policies`")(
      "seed", po::value<std::string>(), "seed of arrivals and loads (default: the scenario's)")(
      "replications", po::value<std::string>(), "runs one after another (default: 1)")(
      "out", po::value<std::string>(), "directory for the results")("force", "overwrite results in --out")(
      "json", "print one JSON object and nothing else")("quiet", "print nothing but errors")(
      "dry-run", "write no knob; what the policy would have written is in board.jsonl");
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  if (!options.has("scenario"))
    throw InputError("a scenario is missing; usage: dynasoc board run SCENARIO [--target TARGET] [options]");
  board::Target target = target_of(options);
  target.dry_run = options.has("dry-run");
  Scenario scenario = board_scenario(options, options.get_or<std::string>("policy", ""));
  auto setup = std::make_shared<Setup>(*scenario.setup);
  setup->seed = static_cast<std::uint64_t>(
      whole_number(options, "seed", static_cast<std::int64_t>(setup->seed), 0, static_cast<std::int64_t>(kMostSeed)));
  scenario.setup = setup;
  board::refuse_what_is_simulated(*setup);
  RunRequest request;
  request.engine = "board";
  request.command_line = arguments;
  request.seed = setup->seed;
  request.replications = static_cast<int>(whole_number(options, "replications", 1, 1, 1000));
  check_timeline(scenario, request.replications);
  request.inputs = hashes_of(scenario.inputs);
  const bool write = options.has("out");
  std::optional<OutputDirectory> directory;
  if (write) directory.emplace(options.get<std::string>("out"), options.has("force"));

  BoardLog log(options.get_or<std::string>("out", ""));
  board::Recorder& recorder = log.recorder();
  std::vector<RunRecord> records;
  std::string lost;
  try {
    ProgressBar progress(console, options.has("quiet"));
    board::Agent agent(target);
    recorder.write({{"board", agent.hello()}, {"scenario", scenario.file.name}, {"seed", request.seed}});
    board::Session session(agent, setup, load_options_of(options), &recorder);
    log.in_place();
    for (const std::string& warning : session.warnings()) scenario.warnings.push_back(warning);
    for (int r = 0; r < request.replications && lost.empty(); ++r) {
      recorder.write({{"replication", r}});
      board::BoardRun run = board::run_on_board(session, *setup, {true, true, from_ms(scenario.file.timeline_ms)},
                                                static_cast<std::uint64_t>(r),
                                                [&](double share) { progress((r + share) / request.replications); });
      for (const std::string& warning : run.warnings)
        if (std::find(scenario.warnings.begin(), scenario.warnings.end(), warning) == scenario.warnings.end())
          scenario.warnings.push_back(warning);
      if (run.lateness_p99_ms > 1)
        scenario.warnings.push_back("this host was late by " + rounded_text(run.lateness_p99_ms, 2) +
                                    " ms or more in 1 % of its events: latencies include that");
      lost = run.lost;
      records.push_back(std::move(run.record));
    }
    if (lost.empty()) {
      try {
        agent.end();
      } catch (const OutsideError& error) {
        lost = error.what();
      }
    }
    if (!lost.empty())
      scenario.warnings.push_back("the run ended early, at " + rounded_text(records.back().duration_s, 4) +
                                  " s: " + lost);
  } catch (const Interrupted&) {
    throw Interrupted{log.is_in_place()
                          ? "what the board said up to then is in " + options.get<std::string>("out") + "/board.jsonl"
                          : "nothing was written"};
  }
  const Json summary = summary_json(scenario, "board", records);
  if (write) write_output(options.get<std::string>("out"), scenario, request, records, summary);
  if (options.has("json"))
    console.out << summary.dump(2) << "\n";
  else if (!options.has("quiet"))
    console.out << summary_text(scenario, "board", records, console.window(), console.colour)
                << (write ? "  written to " + options.get<std::string>("out") + "\n" : "");
  if (!lost.empty())
    throw OutsideError(lost + (write ? "; what was measured up to then is in " + options.get<std::string>("out") : ""));
  return kSuccess;
}

// The agent does it: this only says where.
int restore_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc board restore [--target TARGET] [options]",
      "Writes back what an agent that was killed has left changed on the board. (Any start of an agent does.)");
  add_target_options(options);
  options.add()("json", "print one JSON object and nothing else");
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  board::Agent agent(target_of(options));
  const Json restored = agent.hello().value("restored", Json::array());
  agent.end();
  if (options.has("json")) {
    console.out << Json{{"restored", restored}}.dump(2) << "\n";
    return kSuccess;
  }
  if (restored.empty()) console.out << "nothing was left changed\n";
  for (const Json& knob : restored)
    console.out << "restored " << knob.value("path", "") << " = " << knob.value("value", "") << "\n";
  return kSuccess;
}

struct Entry {
  const char* name;
  const char* arguments;
  const char* doc;
  int (*run)(const Arguments&, Console&);
};
constexpr Entry kCommands[] = {
    {"probe", "[TARGET]", "what a board is, as a platform file ready to edit", probe_command},
    {"profile", "--platform FILE --network NAME", "measure tables and powers, the most telling cells first",
     board_profile_command},
    {"run", "SCENARIO", "run a scenario's applications in real time under its policy", run_on_board_command},
    {"validate", "SCENARIO", "run and simulate, compare, and correct the table", board_validate_command},
    {"fork", "DIR --at S --policy P", "go on with a recorded run in the simulator under another policy",
     board_fork_command},
    {"restore", "", "write back what a killed agent has left changed", restore_command},
};

}  // namespace

int board_command(const Arguments& arguments, Console& console) {
  const auto usage = [](std::ostream& to) {
    to << "usage: dynasoc board COMMAND …\n\nThe same managers on a real board, through dynasoc-agent "
          "(docs/board.md).\n\n";
    for (const Entry& entry : kCommands) {
      std::string name = std::string(entry.name) + " " + entry.arguments;
      name.resize(std::max<std::size_t>(name.size() + 1, 40), ' ');
      to << "  " << name << entry.doc << "\n";
    }
    to << "\n`dynasoc board COMMAND --help` tells a command's options.\n";
  };
  if (arguments.empty()) {
    usage(console.err);
    return kBadInput;
  }
  if (arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") {
    usage(console.out);
    return kSuccess;
  }
  std::vector<std::string> known;
  for (const Entry& entry : kCommands) {
    if (arguments[0] == entry.name) try {
        return entry.run({arguments.begin() + 1, arguments.end()}, console);
      } catch (const fs::filesystem_error& error) {
        throw OutsideError(error.path1().string() + ": " + error.code().message());
      }
    known.emplace_back(entry.name);
  }
  throw InputError("unknown command board " + in_quotes(arguments[0]) + hint(arguments[0], known));
}

}  // namespace dynasoc::cli
