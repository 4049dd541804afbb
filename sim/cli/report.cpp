// dynasoc report: results as one page that opens anywhere.
#include "results/report/report.hpp"

#include <algorithm>

#include "cli/options.hpp"
#include "cli/output_files.hpp"
#include "common/text.hpp"
#include "explore/exploration/exploration_report.hpp"
#include "explore/ranking/ranking_report.hpp"
#include "explore/sweep/sweep_report.hpp"
#include "results/report/page.hpp"

namespace dynasoc::cli {
namespace po = boost::program_options;
namespace fs = std::filesystem;
namespace {

fs::path output_path(const Options& options, const fs::path& directory) {
  const fs::path path =
      options.has("output") ? fs::path(options.get<std::string>("output")) : directory / "report.html";
  require_place("--output", path);
  require_new(options, path);
  require_same_kind(
      "--output", path, [](std::string_view text) { return text.starts_with("<!DOCTYPE html>"); },
      "a page of this program");
  return path;
}

Json payload_of(report::ResultKind kind, const report::Request& request) {
  switch (kind) {
    case report::ResultKind::run: return report::run_payload(request);
    case report::ResultKind::comparison: return report::comparison_payload(request);
    case report::ResultKind::sweep: return explore::sweep_payload(request);
    case report::ResultKind::exploration: return explore::exploration_payload(request);
    case report::ResultKind::ranking: return explore::ranking_payload(request);
  }
  throw InternalError("no such kind of results");
}

// What the page has of the frames and decisions that there are.
Json kept_json(const Json& payload) {
  std::uint64_t jobs = 0, jobs_kept = 0, decisions = 0, decisions_kept = 0;
  for (const Json& run : payload["runs"]) {
    for (const Json& app : run["apps"]) {
      jobs += app["jobs"]["total"].get<std::uint64_t>();
      jobs_kept += app["jobs"]["kept"].get<std::uint64_t>();
    }
    decisions += run["decisions"]["total"].get<std::uint64_t>();
    decisions_kept += run["decisions"]["kept"].get<std::uint64_t>();
  }
  return {{"frames", jobs}, {"frames_kept", jobs_kept}, {"writes", decisions}, {"writes_kept", decisions_kept}};
}

// The page's remarks, in order.
std::vector<std::string> shown_once(const Json& warnings) {
  std::vector<std::string> out;
  for (const Json& warning : warnings)
    if (std::find(out.begin(), out.end(), warning) == out.end()) out.push_back(warning.get<std::string>());
  return out;
}

}  // namespace

int report_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc report DIR [-o FILE.html] [options]",
      "Makes one page of the results in a directory: of a run, a comparison, a sweep, an exploration or a ranking.\n"
      "The page has everything in it and opens in any browser, without a network. Single runs of a comparison, a sweep "
      "or an\n"
      "exploration are simulated again for it.");
  options.positional("directory", 1);
  options.add()("output,o", po::value<std::string>(), "file to write (default: report.html in DIR)")(
      "force,f", "replace the file if it exists")("title", po::value<std::string>(),
                                                  "of the page (default: that of the results)")(
      "replication", po::value<std::string>(), "of a run: which is shown in detail, from 0 (default: 0)")(
      "runs", po::value<std::string>(),
      "of a comparison, sweep or exploration: most runs that can be opened in the page (default: 8; 0: none)")(
      "json", "print one JSON object and nothing else")("quiet", "print nothing but errors")(
      "jobs", po::value<std::string>(), "simulations at once (default: the machine's cores)");
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  if (!options.has("directory"))
    throw InputError("a directory is missing; usage: dynasoc report DIR [-o FILE.html] [options]");

  report::Request request;
  request.directory = options.get<std::vector<std::string>>("directory")[0];
  if (!request.directory.has_filename() && request.directory.has_parent_path())  // `results/` is `results`
    request.directory = request.directory.parent_path();
  request.title = options.get_or<std::string>("title", "");
  if (first_invalid_utf8(request.title) < request.title.size()) throw InputError("--title: is not valid UTF-8");
  constexpr std::int64_t kRuns = 8, kMostRuns = 50;
  request.runs = static_cast<std::size_t>(whole_number(options, "runs", kRuns, 0, kMostRuns));
  request.jobs = jobs_of(options);
  const report::ResultKind kind = report::kind_of(request.directory);
  if (options.has("replication")) {
    if (kind != report::ResultKind::run)
      throw InputError("--replication is for runs; DIR holds a " + std::string(name_of(kind)));
    request.replication =
        static_cast<int>(whole_number(options, "replication", 0, 0, static_cast<std::int64_t>(kMostReplications)));
  }
  if (options.has("runs") && (kind == report::ResultKind::run || kind == report::ResultKind::ranking))
    throw InputError("--runs is for comparisons, sweeps and explorations; DIR holds a " + std::string(name_of(kind)));
  const fs::path path = output_path(options, request.directory);
  std::vector<std::string> words{"dynasoc", "report"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  // The page is there by then, so that the command has to replace it; behind `--` are no options.
  if (!options.has("force")) words.insert(std::find(words.begin(), words.end(), "--"), "--force");
  request.command = report::shell_line(words);

  Json payload;
  std::string page;
  {
    ProgressBar progress(console, options.has("quiet"));
    request.progress = [&](double share) { progress(share); };
    constexpr std::size_t kMostBytes = 10'000'000, kMostShrinking = 64;
    for (;; request.shrink *= 2) {
      try {
        payload = payload_of(kind, request);
      } catch (const Json::exception& error) {  // a member is not of the kind that it is in files of ours
        throw InputError({request.directory.string(), 0, 0, ""}, std::string("is damaged: ") + error.what());
      }
      if (request.shrink > 1)
        payload["warnings"].push_back("the page holds 1/" + std::to_string(request.shrink) +
                                      " of the points that it may, for with more it would be larger than 10 MB");
      page = report::page_of(payload);
      if (page.size() <= kMostBytes || request.shrink >= kMostShrinking) break;
    }
  }
  write_file(path, page);

  Json out = {{"file", path.string()},          {"bytes", page.size()},           {"kind", name_of(kind)},
              {"title", payload["title"]},      {"runs", payload["runs"].size()}, {"kept", kept_json(payload)},
              {"warnings", payload["warnings"]}};
  if (!options.has("json") && !options.has("quiet"))
    for (const std::string& warning : shown_once(payload["warnings"])) console.err << "warning: " << warning << '\n';
  if (options.has("json"))
    console.out << out.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  else if (!options.has("quiet"))
    console.out << path.string() << ": " << name_of(kind) << ", "
                << rounded_text(static_cast<double>(page.size()) / 1e6, 2) << " MB"
                << (payload["runs"].empty() ? ""
                                            : ", " + std::to_string(payload["runs"].size()) +
                                                  (payload["runs"].size() == 1 ? " run" : " runs"))
                << "\n";
  return kSuccess;
}

}  // namespace dynasoc::cli
