// dynasoc check: claims, and whether they still come out as they did; suites, and whether anything got worse.
#include <algorithm>
#include <cstdlib>
#include <optional>

#include "cli/options.hpp"
#include "cli/output_files.hpp"
#include "common/text.hpp"
#include "results/checks/claim.hpp"
#include "results/suites/pipeline.hpp"
#include "results/suites/report.hpp"
#include "results/suites/update.hpp"

namespace dynasoc::cli {
namespace po = boost::program_options;
namespace fs = std::filesystem;
namespace {

// What is to be evaluated.
struct Work {
  std::vector<check::Claim> claims;
  std::vector<suite::Wanted> suites;
};

std::vector<fs::path> files_in(const fs::path& path) {
  std::error_code code;
  if (!fs::is_directory(path, code)) {
    if (!fs::exists(path, code)) throw InputError({path.string(), 0, 0, ""}, "no such file or folder");
    return {path};
  }
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(path, code)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(check::kClaimEnding) || name.ends_with(suite::kSuiteEnding)) out.push_back(entry.path());
  }
  if (out.empty())
    throw InputError({path.string(), 0, 0, ""}, "has no claim files (*" + std::string(check::kClaimEnding) +
                                                    ") and no suites (*" + std::string(suite::kSuiteEnding) + ")");
  std::sort(out.begin(), out.end());
  return out;
}

std::string claim_name(const fs::path& path) {
  std::string name = path.filename().string();
  if (name.ends_with(check::kClaimEnding)) name.resize(name.size() - check::kClaimEnding.size());
  return name;
}

Work load(const std::vector<std::string>& files, const std::vector<std::string>& only) {
  Work out;
  std::vector<std::string> known;
  const auto asked = [&](const std::string& name) {
    known.push_back(name);
    return std::find(only.begin(), only.end(), name) != only.end();
  };
  for (const std::string& file : files)
    for (const fs::path& path : files_in(file)) {
      if (!suite::is_suite(path)) {
        if (asked(claim_name(path)) || only.empty()) out.claims.push_back(check::load_claim(path));
        continue;
      }
      suite::Wanted wanted{suite::load_suite(path), {}};
      const bool whole = asked(wanted.suite.name) || only.empty();
      for (const suite::Run& run : wanted.suite.runs)
        if (asked(wanted.suite.name + "/" + run.name)) wanted.runs.push_back(run.name);
      if (!whole && wanted.runs.empty()) continue;
      if (whole) wanted.runs.clear();
      out.suites.push_back(std::move(wanted));
    }
  for (const std::string& name : only)
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw InputError("--only: no claim, suite or SUITE/RUN " + in_quotes(name) + hint(name, known));
  return out;
}

bool needs_simgrid(const Work& work) {
  for (const suite::Wanted& wanted : work.suites)
    for (const suite::Run& run : wanted.suite.runs)
      if (wanted.has(run) && run.file.engine == EngineKind::simgrid) return true;
  return false;
}

// What accepting would change; with `write`, changes it and marks what holds from now on.
std::vector<suite::Change> accept(std::vector<suite::Checked>& suites, bool write) {
  std::vector<suite::Change> changes;
  for (const suite::Checked& one : suites)
    for (suite::Change& change : suite::changes_of(one)) changes.push_back(std::move(change));
  if (!write) return changes;
  for (const suite::Change& change : changes) write_file(change.path, change.text);
  for (suite::Checked& one : suites) suite::mark_accepted(one);
  return changes;
}

std::string changes_text(const std::vector<suite::Change>& changes, bool written, bool markdown) {
  std::string out;
  for (const suite::Change& change : changes) {
    const std::string path = change.path.string();
    out += (written ? "updated " : "would update ") + (markdown ? "`" + path + "`\n" : path) + "\n";
    for (const std::string& line : change.lines) out += (markdown ? "- " : "  ") + line + "\n";
  }
  return out;
}

// One line for each thing that does not hold. Returns whether there is none.
bool complain(const std::vector<check::Checked>& claims, const std::vector<suite::Checked>& suites, Console& console) {
  bool all = true;
  for (const check::Checked& one : claims) {
    if (one.as_stored()) continue;
    all = false;
    console.err << one.claim.path.string() << ": the verdict was `" << check::name_of(one.claim.file.verdict)
                << "` and is `" << check::name_of(one.verdict) << "` now\n";
  }
  for (const suite::Checked& checked : suites)
    for (const suite::Result& result : checked.results)
      for (const suite::Finding& one : result.findings) {
        if (one.ok()) continue;
        all = false;
        console.err << one.where.location().text() << ": " << one.metric << " " << one.message << "\n";
      }
  return all;
}

Json json_of(const std::vector<check::Checked>& claims, const std::vector<suite::Checked>& suites,
             const std::vector<suite::Change>& changes, bool update, bool written) {
  Json out = check::check_json(claims);
  out["suites"] = suite::suites_json(suites);
  out["holds"] = out["as_stored"].get<bool>() &&
                 std::all_of(suites.begin(), suites.end(), [](const suite::Checked& one) { return one.ok(); });
  if (!update) return out;
  Json& all = out[written ? "updated" : "would_update"] = Json::array();
  for (const suite::Change& change : changes) all.push_back({{"path", change.path.string()}, {"lines", change.lines}});
  return out;
}

fs::path environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

int check_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc check FOLDER|FILE… [options]",
      "Evaluates claim files (*.claim.json): what was published, what we get, and whether that is the same; and "
      "suites\n"
      "(*.suite.json): what is expected of runs of scenarios, against values, limits, stored baselines and other\n"
      "managers. Status 0 if all verdicts are those stored and all expectations hold, 1 if one does not.");
  options.positional("files", -1);
  options.add()("only", po::value<std::vector<std::string>>()->composing(),
                "NAME: this claim, suite or SUITE/RUN alone; repeatable")(
      "update", "store what suites gave as what is expected from now on: baselines, and values that do not hold")(
      "dry-run", "with --update: show what would change, write nothing")(
      "json", "print one JSON object and nothing else")("markdown", "print tables for a document")(
      "junit", po::value<std::string>(), "file for the results in JUnit's XML")(
      "github", "print annotations for GitHub as well (default where GITHUB_ACTIONS is true)")(
      "quiet", "print only what does not hold, and what --update changes")(
      "jobs", po::value<std::string>(), "runs at once (default: the machine's cores)");
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  if (!options.has("files")) throw InputError("a folder or a file is missing; usage: dynasoc check FOLDER|FILE…");
  const bool update = options.has("update"), dry = options.has("dry-run");
  if (dry && !update) throw InputError("--dry-run shows what --update would change: give both");
  const int jobs = jobs_of(options);

  const Work work =
      load(options.get<std::vector<std::string>>("files"), options.get_or<std::vector<std::string>>("only", {}));
  if (update && work.suites.empty())
    throw InputError("--update: there is no suite among the files; a claim's verdict is edited by hand");
  if (needs_simgrid(work)) {
    Arguments all{"check"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    if (const auto status = continue_with_simgrid(all, console)) return *status;
    engine_of("simgrid");  // says what is missing
  }

  std::optional<FileWriter> junit;  // whether it can be written is known before the work
  if (options.has("junit")) {
    const fs::path path = options.get<std::string>("junit");
    require_place("--junit", path);
    require_same_kind(
        "--junit", path, [](std::string_view text) { return text.find("<testsuite") != text.npos; }, "a JUnit report");
    junit.emplace(path);
  }
  std::vector<check::Checked> claims;
  std::vector<suite::Checked> suites;
  {
    ProgressBar progress(console, options.has("quiet"));
    const auto parts = static_cast<double>(work.claims.size() + work.suites.size());
    for (std::size_t i = 0; i < work.claims.size(); ++i)
      claims.push_back(check::evaluate(work.claims[i], jobs,
                                       [&](double share) { progress((static_cast<double>(i) + share) / parts); }));
    suites = suite::evaluate(work.suites, jobs, update, [&](double share) {
      progress((static_cast<double>(work.claims.size()) + share * static_cast<double>(work.suites.size())) / parts);
    });
  }
  const bool written = update && !dry;
  const auto changes = update ? accept(suites, written) : std::vector<suite::Change>{};
  const auto cases = suite::cases_of(claims, suites);
  if (junit) {
    junit->buffer() += suite::junit_xml(cases);
    junit->commit();
  }

  const bool text = !options.has("json") && !options.has("markdown");
  if (options.has("json")) {
    // A path may be no UTF-8.
    console.out << json_of(claims, suites, changes, update, written).dump(2, ' ', false, Json::error_handler_t::replace)
                << "\n";
  } else if (options.has("markdown")) {
    console.out << (claims.empty() ? "" : check::check_markdown(claims)) << suite::suites_markdown(suites);
  } else if (!options.has("quiet")) {
    if (!claims.empty()) console.out << check::check_text(claims, console.colour);
    if (!claims.empty() && !suites.empty()) console.out << "\n";
    console.out << suite::suites_text(suites, console.window(), console.colour);
  }
  if (!options.has("json")) console.out << changes_text(changes, written, options.has("markdown"));
  if (update && changes.empty() && text && !options.has("quiet")) console.out << "nothing to update\n";
  const bool all = complain(claims, suites, console);
  if (options.has("github") || environment("GITHUB_ACTIONS") == "true")
    (text ? console.out : console.err) << suite::github_annotations(cases, environment("GITHUB_WORKSPACE"));
  return all ? kSuccess : kCheckFailed;
}

}  // namespace dynasoc::cli
