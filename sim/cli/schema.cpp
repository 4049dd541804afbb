// dynasoc schema: JSON Schemas, from the same declarations that read the files.

#include "application/network.hpp"
#include "cli/options.hpp"
#include "device/platform.hpp"
#include "explore/exploration/file.hpp"
#include "explore/ranking/file.hpp"
#include "explore/search/search_file.hpp"
#include "explore/sweep/axes.hpp"
#include "results/checks/claim.hpp"
#include "results/suites/suite.hpp"

namespace dynasoc::cli {
namespace {

template <class T>
Json schema(const char* title) {
  Json out = {{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", title}};
  out.update(object_schema<T>());
  out["properties"]["$schema"] = {{"type", "string"}};
  return out;
}

}  // namespace

int schema_command(const Arguments& arguments, Console& console) {
  static const std::vector<std::string> kKinds{"scenario", "platform", "network",     "claim",  "suite",
                                               "sweep",    "search",   "exploration", "ranking"};
  Options options("dynasoc schema scenario|platform|network|claim|suite|sweep|search|exploration|ranking",
                  "Prints the JSON Schema of a file format. Point an editor at it with a \"$schema\" member.");
  options.positional("kind", 1);
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  if (!options.has("kind")) throw InputError("schema of what?" + hint("", kKinds));
  const std::string kind = options.get<std::vector<std::string>>("kind")[0];
  Json out;
  if (kind == "scenario")
    out = scenario_schema();
  else if (kind == "platform")
    out = schema<PlatformFile>("DynaSoC platform");
  else if (kind == "network")
    out = schema<NetworkFile>("DynaSoC network");
  else if (kind == "claim")
    out = schema<check::ClaimFile>("DynaSoC claim");
  else if (kind == "suite")
    out = schema<suite::SuiteFile>("DynaSoC suite");
  else if (kind == "sweep")
    out = explore::sweep_schema();
  else if (kind == "search")
    out = schema<search::SearchFile>("DynaSoC search");
  else if (kind == "exploration")
    out = schema<explore::ExplorationFile>("DynaSoC exploration");
  else if (kind == "ranking")
    out = explore::ranking_schema();
  else
    throw InputError("schema: unknown kind " + in_quotes(kind) + hint(kind, kKinds));
  console.out << out.dump(2) << "\n";
  return kSuccess;
}

}  // namespace dynasoc::cli
