// The subcommands, in one list.
#include "cli/command_line.hpp"

#include <algorithm>
#include <cstddef>

#include "cli/options.hpp"
#include "common/error.hpp"
#include "version.hpp"

namespace dynasoc::cli {
namespace {

struct Entry {
  const char* name;
  const char* arguments;
  const char* doc;
  int (*run)(const Arguments&, Console&);
};

constexpr Entry kCommands[] = {
    {"run", "SCENARIO", "simulate; summary on the terminal, everything else under --out DIR", run_command},
    {"compare", "SCENARIO --policies A,B,…",
     "paired comparison of managers on common random numbers, with intervals and regret", compare_command},
    {"sweep", "SWEEP", "run every combination of a scenario's list-valued fields; resumable", sweep_command},
    {"merge", "DIR… --out DIR", "collect the shards of a sweep in one directory", merge_command},
    {"explore", "EXPLORATION", "multi-objective search over managers, sub-networks kept, operating points, modes",
     explore_command},
    {"rank", "RANKING", "managers over many scenarios: regret to the oracle, ranks with intervals; resumable",
     rank_command},
    {"report", "DIR -o FILE.html", "one page of a run, comparison, sweep, exploration or ranking, for any browser",
     report_command},
    {"check", "FOLDER|FILE…", "claims and suites: is what was published, or expected, still what we get",
     check_command},
    {"search", "SEARCH", "sub-networks of a super-network: the front, its bound, and which few to ship",
     search_command},
    {"table", "import|show|fit|fill|…", "latency/energy tables: from raw measurements to every operating point",
     table_command},
    {"trace", "import|conformance", "recordings of real boards: timelines, arrivals, and are our governors theirs?",
     trace_command},
    {"board", "probe|profile|run|validate|…",
     "the same managers on a real board: measure it, run on it, check against it", board_command},
    {"lint", "FILE…", "validate any input file", lint_command},
    {"list", "KIND",
     "policies, governors, networks, platforms, scenarios, traces, metrics or columns: what there is to name",
     list_command},
    {"bench", "", "the standard workload on this machine, both engines", bench_command},
    {"schema", "KIND", "JSON Schema of any kind of input file, for editors", schema_command},
};

void print_usage(std::ostream& to) {
  to << "dynasoc " << DYNASOC_VERSION
     << ": simulate runtime managers of dynamic DNNs on embedded boards\n\nusage: dynasoc COMMAND …\n\n";
  const auto padded = [](std::string text, std::ptrdiff_t width) {
    const auto glyphs = std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
    return text.append(static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, width - glyphs)), ' ');
  };
  for (const Entry& command : kCommands)
    to << "  " << padded(command.name, 7) << " " << padded(command.arguments, 30) << " " << command.doc << "\n";
  to << "\n`dynasoc COMMAND --help` tells a command's options. Exit status: 0 success; 1 a check does not hold; 2 bad\n"
        "input or usage; 3 something outside failed; 4 a bug; 130 interrupted.\n";
}

// The engine that is a program of its own, and the command line says so.
bool asks_for_simgrid(const Arguments& all) {
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i] == "--engine=simgrid" || (all[i] == "--engine" && i + 1 < all.size() && all[i + 1] == "simgrid"))
      return true;
  return false;
}

}  // namespace

int run_command_line(const Arguments& all, Console& console) {
  if (asks_for_simgrid(all))
    if (const auto status = continue_with_simgrid(all, console)) return *status;
  if (all.empty()) {
    print_usage(console.err);
    return kBadInput;
  }
  const std::string& name = all[0];
  if (name == "--help" || name == "-h" || name == "help") {
    print_usage(console.out);
    return kSuccess;
  }
  if (name == "--version") {
    console.out << "dynasoc " << DYNASOC_VERSION << " (" << DYNASOC_GIT_DESCRIPTION << ")\n";
    return kSuccess;
  }
  std::vector<std::string> known;
  for (const Entry& command : kCommands) {
    if (name == command.name) return command.run({all.begin() + 1, all.end()}, console);
    known.emplace_back(command.name);
  }
  throw InputError("unknown command " + in_quotes(name) + hint(name, known));
}

}  // namespace dynasoc::cli
