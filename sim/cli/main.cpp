// dynasoc: the subcommands, and how errors become exit statuses.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <new>

#include "cli/command.hpp"
#include "cli/options.hpp"
#include "common/error.hpp"
#include "version.hpp"

namespace {

struct Entry {
  const char* name;
  const char* arguments;
  const char* doc;
  int (*run)(const dynasoc::cli::Arguments&);
};

constexpr Entry kCommands[] = {
    {"run", "SCENARIO", "simulate; summary on the terminal, everything else under --out DIR",
     dynasoc::cli::run_command},
    {"compare", "SCENARIO --policies A,B,…",
     "paired comparison of managers on common random numbers, with intervals and regret",
     dynasoc::cli::compare_command},
    {"sweep", "SWEEP", "run every combination of a scenario's list-valued fields; resumable",
     dynasoc::cli::sweep_command},
    {"merge", "DIR… --out DIR", "collect the shards of a sweep in one directory", dynasoc::cli::merge_command},
    {"explore", "EXPLORATION", "multi-objective search over managers, sub-networks kept, operating points, modes",
     dynasoc::cli::explore_command},
    {"check", "FOLDER|FILE…", "claims: what was published, what we get, and whether that is the same",
     dynasoc::cli::check_command},
    {"search", "SEARCH", "sub-networks of a super-network: the front, its bound, and which few to ship",
     dynasoc::cli::search_command},
    {"table", "import|show|fit|fill|…", "latency/energy tables: from raw measurements to every operating point",
     dynasoc::cli::table_command},
    {"lint", "FILE…", "validate any input file", dynasoc::cli::lint_command},
    {"list", "KIND", "policies, governors, networks, platforms, scenarios, traces or metrics: what there is to name",
     dynasoc::cli::list_command},
    {"bench", "", "the standard workload on this machine, both engines", dynasoc::cli::bench_command},
    {"schema", "KIND", "JSON Schema of any kind of input file, for editors", dynasoc::cli::schema_command},
};

void print_usage(std::FILE* to) {
  std::fprintf(
      to, "dynasoc %s: simulate runtime managers of dynamic DNNs on embedded boards\n\nusage: dynasoc COMMAND …\n\n",
      DYNASOC_VERSION);
  for (const Entry& command : kCommands) {
    std::string arguments = command.arguments;
    const auto glyphs = std::count_if(arguments.begin(), arguments.end(), [](char c) { return (c & 0xC0) != 0x80; });
    arguments.append(static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, 30 - glyphs)), ' ');  // printf counts bytes
    std::fprintf(to, "  %-7s %s %s\n", command.name, arguments.c_str(), command.doc);
  }
  std::fprintf(
      to,
      "\n`dynasoc COMMAND --help` tells a command's options. Exit status: 0 success; 1 a check does not hold; 2 bad\n"
      "input or usage; 3 something outside failed; 4 a bug; 130 interrupted.\n");
}

int dispatch(const dynasoc::cli::Arguments& all) {
  if (all.empty()) {
    print_usage(stderr);
    return dynasoc::cli::kBadInput;
  }
  const std::string& name = all[0];
  if (name == "--help" || name == "-h" || name == "help") {
    print_usage(stdout);
    return dynasoc::cli::kSuccess;
  }
  if (name == "--version") {
    std::printf("dynasoc %s (%s)\n", DYNASOC_VERSION, DYNASOC_GIT_DESCRIPTION);
    return dynasoc::cli::kSuccess;
  }
  std::vector<std::string> known;
  for (const Entry& command : kCommands) {
    if (name == command.name) return command.run({all.begin() + 1, all.end()});
    known.emplace_back(command.name);
  }
  throw dynasoc::InputError("unknown command " + dynasoc::in_quotes(name) + dynasoc::hint(name, known));
}

}  // namespace

int main(int argc, char** argv) {
  using namespace dynasoc;
  cli::run_with_simgrid(argc, argv);
  try {
    const int status = dispatch({argv + 1, argv + argc});
    std::cout.flush();
    if (!std::cout || std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      std::fprintf(stderr, "dynasoc: standard output cannot be written\n");
      return cli::kOutsideFailed;
    }
    return status;
  } catch (const InputError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return cli::kBadInput;
  } catch (const OutsideError& error) {
    std::fprintf(stderr, "dynasoc: %s\n", error.what());
    return cli::kOutsideFailed;
  } catch (const cli::Interrupted& interrupted) {
    std::fprintf(stderr, "dynasoc: interrupted; %s\n", interrupted.note.c_str());
    return 130;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "dynasoc: out of memory\n");
    return cli::kOutsideFailed;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "dynasoc: a bug: %s\n", error.what());
    return cli::kBug;
  }
}
