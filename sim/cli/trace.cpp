// dynasoc trace import|conformance: recordings of real boards, in.
#include <utility>
#include <vector>

#include "cli/command.hpp"
#include "cli/console.hpp"
#include "cli/trace_common.hpp"
#include "common/error.hpp"
#include "common/text.hpp"

namespace dynasoc::cli {
namespace {

constexpr const char* kTraceUsage =
    "dynasoc trace: recordings of real boards\n"
    "\n"
    "  dynasoc trace import KIND FILE… -o OUT.csv   tegrastats, ftrace, perfetto, loadgen or csv into a timeline of "
    "the\n"
    "                                               board or a list of arrivals\n"
    "  dynasoc trace conformance TIMELINE.csv --governor G --platform P   does our governor decide as the board's "
    "did?\n"
    "\n"
    "`dynasoc trace SUBCOMMAND --help` says more.\n";

}  // namespace

int trace_command(const Arguments& arguments, Console& console) {
  static const std::vector<std::pair<std::string, int (*)(const Arguments&, Console&)>> subcommands = {
      {"import", trace_import_command}, {"conformance", trace_conformance_command}};
  if (arguments.empty()) throw InputError("trace: which subcommand? (import, conformance)");
  if (arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") {
    console.out << kTraceUsage;
    return kSuccess;
  }
  std::vector<std::string> known;
  for (const auto& [name, run] : subcommands) {
    if (name == arguments[0]) return run({arguments.begin() + 1, arguments.end()}, console);
    known.push_back(name);
  }
  throw InputError("trace: unknown subcommand " + in_quotes(arguments[0]) + hint(arguments[0], known));
}

}  // namespace dynasoc::cli
