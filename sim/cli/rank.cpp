// dynasoc rank: managers over many scenarios, and one table of who is how far from what was possible.
#include <algorithm>
#include <optional>

#include "cli/options.hpp"
#include "cli/output_files.hpp"
#include "common/directory_lock.hpp"
#include "common/text.hpp"
#include "explore/ranking/ranking.hpp"
#include "results/output.hpp"
#include "version.hpp"

namespace dynasoc::cli {
namespace po = boost::program_options;
namespace fs = std::filesystem;
namespace {

// A file, or the name of a folder of scenarios with one: `rtm-bench`.
fs::path ranking_path(const std::string& given) {
  std::error_code code;
  if (fs::is_regular_file(given, code)) return given;
  try {
    return DataPaths().scenario({given + "/" + given + ".rank.json", {}});
  } catch (const InputError&) {
    throw InputError({given, 0, 0, ""}, "no such file, and no ranking of that name (did you mean \"rtm-bench\"?)");
  }
}

// What may stand in a directory that a ranking goes on in.
void check_directory(const fs::path& directory) {
  std::error_code code;
  if (!fs::exists(directory, code)) return;
  if (!fs::is_directory(directory, code))
    throw InputError({directory.string(), 0, 0, ""}, "is a file, not a directory");
  for (const auto& entry : fs::directory_iterator(directory, code))
    if (!explore::is_ranking_result(entry.path().filename().string()))
      throw InputError({directory.string(), 0, 0, ""},
                       "holds " + in_quotes(entry.path().filename().string()) +
                           ", which is no ranking's; results go into a directory of their own");
}

std::vector<std::string> entries(const Options& options, const char* name) {
  std::vector<std::string> out;
  if (!options.has(name)) return out;
  std::string entry;
  int depth = 0;
  for (const char c : options.get<std::string>(name) + ",") {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c != ',' || depth > 0) {
      if (c != ' ') entry += c;
      continue;
    }
    if (entry.empty()) throw InputError(std::string("--") + name + ": an entry is empty");
    out.push_back(std::exchange(entry, {}));
  }
  if (!entry.empty())
    throw InputError(std::string("--") + name + ": " + in_quotes(entry.substr(0, entry.size() - 1)) +
                     " has no closing parenthesis");
  return out;
}

}  // namespace

int rank_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc rank RANKING [options]",
      "Runs every policy of a ranking in each of its scenarios on the same random numbers, and ranks them by regret "
      "to\n"
      "the oracle, with intervals. RANKING is a file or a name (rtm-bench). With --out DIR finished policies are kept "
      "as\n"
      "they come: killed or interrupted, the same command goes on where it was, and one more policy runs alone.");
  options.positional("ranking", 1);
  options.add()("short", "the short form: fewer scenarios or replications")(
      "add", po::value<std::string>(), "policies to rank beside the file's, separated by commas, as of compare")(
      "policies", po::value<std::string>(), "policies to rank instead of the file's")(
      "scenarios", po::value<std::string>(), "of the file's, separated by commas (default: all)")(
      "replications", po::value<std::string>(), "of each policy in each scenario (default: the file's)")(
      "set", po::value<std::vector<std::string>>()->composing(),
      "path=value: change any field of all scenarios; repeatable")(
      "out", po::value<std::string>(), "directory for finished cells, ranking.json and ranking.csv")(
      "markdown", po::value<std::string>(), "file to write the tables to, for a document")(
      "json", "print one JSON object and nothing else")("quiet", "print nothing but errors")(
      "jobs", po::value<std::string>(), "runs at once (default: the machine's cores)");
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  if (!options.has("ranking")) throw InputError("a ranking is missing; usage: dynasoc rank RANKING [options]");
  const fs::path path = ranking_path(options.get<std::vector<std::string>>("ranking")[0]);

  explore::RankingRequest request;
  request.short_form = options.has("short");
  request.policies = entries(options, "policies");
  request.add = entries(options, "add");
  request.scenarios = entries(options, "scenarios");
  request.replications =
      static_cast<int>(whole_number(options, "replications", 0, 0, static_cast<std::int64_t>(kMostReplications)));
  if (options.has("replications") && request.replications < 2)
    throw InputError("--replications: two are the least; of one no interval can be given");
  request.overrides = overrides_of(options.get_or<std::vector<std::string>>("set", {}));
  request.jobs = jobs_of(options);
  std::optional<DirectoryLock> lock;
  if (options.has("markdown")) {
    const fs::path file = options.get<std::string>("markdown");
    require_place("--markdown", file);
    require_same_kind(
        "--markdown", file, [](std::string_view text) { return !text.starts_with("{"); }, "a document but JSON");
    if (options.has("out")) require_outside({{"--markdown", file}}, options.get<std::string>("out"));
  }
  if (options.has("out")) {
    if (options.get<std::string>("out").empty()) throw InputError("--out: the name of the directory is empty");
    request.directory = options.get<std::string>("out");
    check_directory(request.directory);
    make_directories(request.directory / "cells");
    lock.emplace(request.directory);
  }
  explore::Ranking ranking;
  try {
    ProgressBar progress(console, options.has("quiet"));
    request.progress = [&](double share, const std::string& what) { progress(share, what); };
    ranking = explore::rank_policies(path, request);
  } catch (Interrupted& interrupted) {
    if (!request.directory.empty())
      interrupted.note =
          "finished cells are kept in " + (request.directory / "cells").string() + "; the same command goes on";
    throw;
  }
  Json json = explore::ranking_json(ranking);
  if (!request.directory.empty()) {
    begin_replacing(request.directory);
    write_file(request.directory / "ranking.csv", explore::ranking_csv(ranking));
    Json kept = json;
    kept["command_line"] = arguments;
    kept["version"] = DYNASOC_VERSION;
    write_file(request.directory / "ranking.json", kept.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    lock->remove();
  }
  if (options.has("markdown")) write_file(options.get<std::string>("markdown"), explore::ranking_markdown(ranking));
  if (options.has("json"))
    console.out << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  else if (!options.has("quiet"))
    console.out << explore::ranking_text(ranking, console.columns, console.colour);
  return kSuccess;
}

}  // namespace dynasoc::cli
