// dynasoc board profile: measure tables on a board.
#include <cmath>
#include <ctime>

#include "board/profile.hpp"
#include "cli/board_common.hpp"
#include "common/text.hpp"
#include "scenario/data_paths.hpp"

namespace dynasoc::cli {
namespace po = boost::program_options;
namespace fs = std::filesystem;
namespace {

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

}  // namespace

int board_profile_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc board profile --platform FILE --network NAME --out DIR [options]",
      "Measures latency and energy of sub-networks at a board's operating points, the most telling cells\n"
      "first, until the others are known well enough. Interrupted, the same command goes on. Writes tables,\n"
      "a network and a platform with measured powers under DIR: `--data DIR` of other commands.");
  options.positional("nothing", 0);
  add_target_options(options);
  options.add()("platform", po::value<std::string>(), "platform with a `board` section (of `board probe`)")(
      "network", po::value<std::string>(), "network whose sub-networks are measured")(
      "name", po::value<std::string>(), "of the network that is written (default: the network's)")(
      "out", po::value<std::string>(), "directory for the journal and the results")(
      "force", "start again in a directory that holds another campaign")(
      "units", po::value<std::string>(), "units, separated by commas (default: all of the board section)")(
      "subnets", po::value<std::string>(), "L1,L3,… (default: all)")(
      "opps-mhz", po::value<std::string>(), "clocks of the units (default: all operating points)")(
      "memory-mhz", po::value<std::string>(), "memory clocks (default: it is left alone)")(
      "cores", po::value<std::string>(), "numbers of cores online (default: as they are)")(
      "budget", po::value<std::string>(), "share of the cells that may be measured: 20% (default: all)")(
      "budget-s", po::value<std::string>(), "seconds that measuring may take (default: any)")(
      "accuracy", po::value<std::string>(), "half width of the 95 % interval that is good enough (default: 5%)")(
      "n", po::value<std::string>(), "inferences kept of a cell (default: 30)")(
      "cool-down-ms", po::value<std::string>(), "between cells (default: 100)")(
      "gap-ms", po::value<std::string>(),
      "pause before each inference, as between a camera's frames (default: none, back to back)")(
      "contention", "also measure pairs of units that work at once")("seed", po::value<std::string>(),
                                                                     "of the order and of random weights (default: 1)")(
      "executor", po::value<std::string>(), "instead of the platform file's")(
      "weights", po::value<std::string>(), "a .safetensors file on the board (default: random weights)")(
      "json", "print one JSON object and nothing else")("quiet", "print nothing but errors");
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  for (const char* needed : {"platform", "network", "out"})
    if (!options.has(needed))
      throw InputError(std::string("--") + needed +
                       " is missing; usage: dynasoc board profile --platform FILE --network NAME --out DIR [options]");
  const board::Target target = target_of(options);
  const DataPaths paths(".");
  board::ProfileSubject subject;
  subject.platform = Platform::load(paths.platform({options.get<std::string>("platform"), {}}));
  subject.network = std::make_shared<Network>(Network::load(paths.network({options.get<std::string>("network"), {}})));

  board::ProfileOptions profile;
  profile.units = words_of(options, "units");
  for (const std::string& name : words_of(options, "subnets")) {
    const int subnet = subject.network->subnet_index(name);
    std::vector<std::string> known;
    for (std::size_t s = 0; s < subject.network->size(); ++s) known.push_back(level_name(s));
    if (subnet < 0) throw InputError("--subnets: the network has no " + in_quotes(name) + hint(name, known));
    profile.subnets.push_back(subnet);
  }
  profile.opps_mhz = numbers_of(options, "opps-mhz");
  profile.memory_mhz = numbers_of(options, "memory-mhz");
  for (const double cores : numbers_of(options, "cores")) profile.cores.push_back(static_cast<int>(cores));
  profile.plan.budget_share = share_of(options, "budget", 1);
  if (profile.plan.budget_share > 1)
    throw InputError("--budget " + options.get<std::string>("budget") + ": must be at most 100%");
  profile.plan.budget_s = share_of(options, "budget-s", profile.plan.budget_s);
  profile.plan.target_relative_error = share_of(options, "accuracy", profile.plan.target_relative_error);
  profile.n = static_cast<int>(whole_number(options, "n", 30, 1, 100'000));
  profile.plan.repeats = profile.n;
  if (options.has("cool-down-ms"))
    profile.cool_down_ms = static_cast<double>(whole_number(options, "cool-down-ms", 100, 0, 3'600'000));
  profile.gap_ms = static_cast<double>(whole_number(options, "gap-ms", 0, 0, 60'000));
  profile.plan.seed = profile.load.seed =
      static_cast<std::uint64_t>(whole_number(options, "seed", 1, 0, static_cast<std::int64_t>(kMostSeed)));
  profile.contention = options.has("contention");
  profile.load.executor = options.get_or<std::string>("executor", "");
  profile.load.weights = options.get_or<std::string>("weights", "");

  const auto name = options.get_or<std::string>("name", subject.network->file.name);
  if (name.empty() || name.find('/') != std::string::npos || name.front() == '.')
    throw InputError("--name " + name + ": must be the name of a folder");
  const fs::path out = options.get<std::string>("out"), journal = out / "profile.jsonl";
  fs::create_directories(out);
  if (options.has("force")) fs::remove(journal);
  board::Profile measured;
  {
    ProgressBar progress(console, options.has("quiet"));
    constexpr int kLeaseMs = 30'000;  // planning the next cell of a large campaign takes its time
    board::Agent agent(target, kLeaseMs);
    try {
      measured = board::run_profile(agent, subject, profile, journal,
                                    [&](double share, const std::string& note) { progress(share, note); });
      agent.end();
    } catch (const Interrupted&) {
      throw Interrupted{"what was measured is in " + journal.string() + "; the same command goes on with it"};
    }
  }
  board::write_profile(out, name, subject, profile, measured, today());
  const Json json = board::profile_json(subject, measured);
  write_file(out / "profile.json", json.dump(2) + "\n");
  if (options.has("json"))
    console.out << json.dump(2) << "\n";
  else if (!options.has("quiet"))
    console.out << board::profile_text(subject, measured) << "  written to " << out.string() << "\n";
  return kSuccess;
}

}  // namespace dynasoc::cli
