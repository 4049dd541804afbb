// dynasoc trace import|conformance: recordings of real boards, in.
#include <utility>
#include <vector>

#include "cli/command.hpp"
#include "cli/trace_common.hpp"
#include "common/text.hpp"

namespace dynasoc::cli {
namespace {

constexpr const char* kUsage =
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

std::filesystem::path new_file(const Options& options, const std::string& option) {
  const std::filesystem::path path = options.get<std::string>(option);
  std::error_code code;
  if (std::filesystem::exists(path, code) && !options.has("force"))
    throw InputError({path.string(), 0, 0, ""}, "exists already; --force replaces it");
  return path;
}

void add_files(NamedFiles& files, const Options& options, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (options.has(name)) files.emplace_back("--" + name, options.get<std::string>(name));
}

void require_different(const NamedFiles& outputs, const NamedFiles& inputs) {
  const auto said = [](const auto& file) {
    return (file.first.empty() ? "" : file.first + " ") + file.second.string();
  };
  const auto same = [](const std::filesystem::path& a, const std::filesystem::path& b) {
    std::error_code code;
    return std::filesystem::equivalent(a, b, code) ||
           std::filesystem::weakly_canonical(std::filesystem::absolute(a, code), code) ==
               std::filesystem::weakly_canonical(std::filesystem::absolute(b, code), code);
  };
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k)
      if (same(outputs[i].second, outputs[k].second))
        throw InputError(said(outputs[k]) + " and " + said(outputs[i]) + " are the same file");
    for (const auto& input : inputs)
      if (same(outputs[i].second, input.second))
        throw InputError(said(outputs[i]) + " would replace what is read: " + said(input));
  }
}

int trace_command(const Arguments& arguments, Console& console) {
  static const std::vector<std::pair<std::string, int (*)(const Arguments&, Console&)>> subcommands = {
      {"import", trace_import_command}, {"conformance", trace_conformance_command}};
  if (arguments.empty()) throw InputError("trace: which subcommand? (import, conformance)");
  if (arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") {
    console.out << kUsage;
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
