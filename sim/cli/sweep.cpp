// dynasoc sweep and dynasoc merge: every combination of a scenario's list-valued fields, resumable and in parts.
#include "explore/sweep/sweep.hpp"

#include <charconv>
#include <chrono>
#include <cmath>

#include "cli/options.hpp"
#include "common/csv.hpp"
#include "common/outside.hpp"
#include "common/temporary_folder.hpp"
#include "common/text.hpp"
#include "results/page.hpp"

namespace dynasoc::cli {
namespace po = boost::program_options;
namespace fs = std::filesystem;
namespace {

using explore::PointRange;
using explore::Sweep;
using explore::SweepProgress;
using explore::SweepTable;

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// `A/B` or `A:B`.
std::pair<std::uint64_t, std::uint64_t> two_numbers(const std::string& option, const std::string& text, char between) {
  std::uint64_t a = 0, b = 0;
  const std::size_t at = text.find(between);
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, a);
  if (at == std::string::npos || first.ec != std::errc{} || first.ptr != text.data() + at ||
      std::from_chars(first.ptr + 1, end, b).ec != std::errc{} ||
      text.find_first_not_of("0123456789", at + 1) != std::string::npos)
    throw InputError("--" + option + " " + text + ": must be two whole numbers, as in " +
                     (between == '/' ? "1/4 (the first of four parts)" : "0:1000 (from 0, before 1000)"));
  return {a, b};
}

std::string count_text(std::uint64_t n) {
  const std::string digits = std::to_string(n);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

std::string rate_text(double rate) { return rounded_text(rate, rate < 100 ? 2 : 3) + " points/s"; }

// The scenario's name or a file.
fs::path sweep_path(const std::string& given) {
  std::error_code code;
  if (fs::is_directory(given, code) && fs::exists(fs::path(given) / "sweep.json", code))
    return fs::path(given) / "sweep.json";
  return scenario_path(given);
}

Json marginals_json(const Sweep& sweep, const SweepTable& table) {
  Json out = Json::object();
  for (std::size_t a = 0; a < sweep.axes().size(); ++a) {
    if (table.marginals[a].empty()) continue;
    Json axis = Json::object();
    for (const auto& marginal : table.marginals[a]) {
      Json means = Json::object();
      for (std::size_t m = 0; m < sweep.metrics().size(); ++m)
        means[sweep.metrics()[m]] = std::isfinite(marginal.mean[m]) ? Json(marginal.mean[m]) : Json(nullptr);
      axis[marginal.value] = std::move(means);
    }
    out[sweep.axes()[a].name] = std::move(axis);
  }
  return out;
}

std::string axes_text(const Sweep& sweep) {
  std::string out;
  for (const auto& axis : sweep.axes()) {
    out += "  " + axis.name + ": " + count_text(axis.values.size()) + (axis.values.size() == 1 ? " value" : " values");
    constexpr std::uint64_t kShown = 6;
    for (std::uint64_t i = 0; i < std::min(axis.values.size(), kShown); ++i)
      out += (i == 0 ? ": " : ", ") + axis.text(i);
    out += axis.values.size() > kShown ? ", … " + axis.text(axis.values.size() - 1) + "\n" : "\n";
  }
  return out;
}

// Means over everything else, by value of each axis: the first look at what mattered.
std::string marginals_text(const Sweep& sweep, const SweepTable& table, const Page& page) {
  constexpr std::size_t kColumns = 6, kRows = 12;
  std::string out;
  for (std::size_t a = 0; a < sweep.axes().size(); ++a) {
    const auto& marginals = table.marginals[a];
    if (marginals.size() < 2 || marginals.size() > kRows || sweep.axes()[a].name == "seed") continue;
    std::vector<std::vector<std::string>> rows{{"mean by " + sweep.axes()[a].name}};
    const std::size_t columns = std::min(sweep.metrics().size(), kColumns);
    for (std::size_t m = 0; m < columns; ++m) rows[0].push_back(sweep.metrics()[m]);
    for (const auto& marginal : marginals) {
      constexpr std::size_t kWidest = 40;
      const bool cut = marginal.value.size() > kWidest;
      rows.push_back({cut ? marginal.value.substr(0, kWidest) + "…" : marginal.value});
      for (std::size_t m = 0; m < columns; ++m)
        rows.back().push_back(std::isfinite(marginal.mean[m]) ? rounded_text(marginal.mean[m]) : "-");
    }
    out += page.table(rows) + "\n";
  }
  return out;
}

// The table as arrays, for who asked for JSON and for no directory.
Json rows_json(const fs::path& csv_path) {
  const Csv csv = Csv::load(csv_path);
  Json rows = Json::array();
  for (std::size_t r = 0; r < csv.size(); ++r) {
    Json row = Json::array();
    for (const std::string& column : csv.columns()) {
      const std::string text(csv.text(r, column));
      row.push_back(text.empty() ? Json(nullptr) : read_json_line(text).value_or(Json(text)));
    }
    rows.push_back(std::move(row));
  }
  return {{"columns", csv.columns()}, {"rows", std::move(rows)}};
}

std::string missing_text(const SweepTable& table) {
  return count_text(table.missing_points) + " points are missing, the first of them " +
         count_text(table.missing.begin) + " to " + count_text(table.missing.end - 1);
}

}  // namespace

int sweep_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc sweep SWEEP [options]",
      "Runs every combination of a scenario's list-valued fields (or ranges) and writes one tidy table, a row for "
      "each\n"
      "point and replication. With --out DIR, finished points are kept as they come: killed or interrupted, the same\n"
      "command goes on where it was, and a changed sweep runs only what changed. Without it, the table is printed.");
  options.positional("sweep", 1);
  options.add()("out", po::value<std::string>(), "directory of the sweep: made, resumed or brought up to date")(
      "set", po::value<std::vector<std::string>>()->composing(),
      "path=value: change any field; a list makes it an axis; repeatable")(
      "metrics", po::value<std::string>(), "columns of the table, separated by commas, or `all` (default: the file's)")(
      "jobs", po::value<std::string>(), "points at once (default: the machine's cores)")(
      "shard", po::value<std::string>(), "i/n: only the i-th of n parts, for an array job; `dynasoc merge` joins them")(
      "points", po::value<std::string>(),
      "A:B: run points A to B-1 and print their records, for a distributed engine; with no --out")(
      "expect", po::value<std::string>(),
      "refuse to run if this program or its files make another sweep than the one with this fingerprint")(
      "pending", "make --out ready and print what is missing, [[A,B],…], for a distributed engine")(
      "dry-run", "print the axes and the number of points, run nothing")("force", "start anew in --out")(
      "json", "print one JSON object and nothing else")("quiet", "print nothing but errors");
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  if (!options.has("sweep")) throw InputError("a sweep is missing; usage: dynasoc sweep SWEEP [options]");
  std::vector<std::string> metrics;
  if (options.has("metrics")) metrics = split_names(options.get<std::string>("metrics"), "--metrics");
  const auto sweep = Sweep::load(sweep_path(options.get<std::vector<std::string>>("sweep")[0]),
                                 overrides_of(options.get_or<std::vector<std::string>>("set", {})), metrics);
  const int jobs = jobs_of(options);
  const bool json = options.has("json"), quiet = options.has("quiet") || options.has("points");

  PointRange range{0, sweep->size()};
  if (options.has("shard")) {
    const auto [i, n] = two_numbers("shard", options.get<std::string>("shard"), '/');
    if (i < 1 || i > n) throw InputError("--shard " + options.get<std::string>("shard") + ": parts count from 1 to n");
    range = explore::shard(sweep->size(), i, n);
  }
  if (options.has("points")) {
    const auto [from, to] = two_numbers("points", options.get<std::string>("points"), ':');
    if (from > to || to > sweep->size())
      throw InputError("--points " + options.get<std::string>("points") + ": the sweep has points 0 to " +
                       std::to_string(sweep->size() - 1));
    if (options.has("out") || options.has("shard") || json)
      throw InputError("--points prints records: it has no use for --out, --shard or --json");
    range = {from, to};
  }

  if (options.has("expect") && options.get<std::string>("expect") != sweep->fingerprint())
    throw InputError("--expect " + options.get<std::string>("expect") + ": this is " + sweep->fingerprint() +
                     ": the files, the options or the build of the program differ from where the sweep was begun");
  if (options.has("pending")) {
    if (!options.has("out")) throw InputError("--pending needs --out, the directory of the sweep");
    constexpr std::size_t kMostRanges = 100'000;
    ProgressBar bar(console, true);
    const auto gaps = explore::prepare_sweep(*sweep, options.get<std::string>("out"), range, options.has("force"),
                                             kMostRanges, [&](const SweepProgress&) { bar(0); });
    Json pending = Json::array();
    for (const PointRange& gap : gaps.ranges) pending.push_back({gap.begin, gap.end});
    console.out << Json({{"sweep", sweep->name()},
                         {"points", sweep->size()},
                         {"fingerprint", sweep->fingerprint()},
                         {"missing", gaps.missing},
                         {"pending", pending}})
                       .dump()
                << "\n";
    return kSuccess;
  }

  const Page page(console.columns, console.colour);
  Json out = {{"sweep", sweep->name()}, {"points", sweep->size()}};
  for (const auto& axis : sweep->axes()) out["axes"][axis.name] = axis.values.size();
  out["metrics"] = sweep->metrics();
  if (options.has("dry-run")) {
    if (json)
      console.out << out.dump(2) << "\n";
    else
      console.out << page.bold(sweep->name()) << ": " << count_text(sweep->size()) << " points\n" << axes_text(*sweep);
    return kSuccess;
  }

  std::optional<TemporaryFolder> scratch;
  fs::path directory;
  if (options.has("out")) {
    directory = options.get<std::string>("out");
  } else {
    scratch.emplace();
    directory = scratch->path() / "sweep";
  }
  const double begin_s = seconds();
  SweepProgress state;
  try {
    ProgressBar bar(console, quiet);
    state = explore::run_sweep(*sweep, directory, range, jobs, options.has("force"), [&](const SweepProgress& now) {
      state = now;
      const auto wanted = static_cast<double>(now.total - now.found), made = static_cast<double>(now.done - now.found);
      bar(wanted > 0 ? made / wanted : 1, count_text(now.done) + " of " + count_text(now.total) + " points, " +
                                              rate_text(made / std::max(1e-9, seconds() - begin_s)));
    });
  } catch (Interrupted& interrupted) {
    if (!scratch)
      interrupted.note = count_text(state.done) + " of " + count_text(state.total) +
                         " points are finished and kept; the same command goes on";
    throw;
  }
  const double took_s = seconds() - begin_s;
  if (options.has("points")) {
    explore::PointReader reader({directory / "points"});
    for (const auto& [path, hash] : sweep->inputs_met())
      console.out << "input\t" << hash << "\t" << path.string() << "\n";
    for (explore::PointRecord record; reader.next(record);) console.out << explore::point_line(record);
    return kSuccess;
  }
  const SweepTable table = explore::write_table(*sweep, directory, range);
  if (table.missing_points > 0) throw InternalError("finished, but " + missing_text(table));

  const std::uint64_t simulated = state.done - state.found - state.reused;
  out["shard"] = {range.begin, range.end};
  out["found"] = state.found;
  out["reused"] = state.reused;
  out["simulated"] = simulated;
  out["seconds"] = took_s;
  out["points_per_s"] = took_s > 0 ? static_cast<double>(state.done - state.found) / took_s : 0;
  out["rows"] = table.rows;
  out["results"] = scratch ? Json(nullptr) : Json((directory / "results.csv").string());
  out["marginals"] = marginals_json(*sweep, table);
  out["warnings"] = sweep->warnings();
  if (json) {
    if (scratch) out["table"] = rows_json(directory / "results.csv");
    console.out << out.dump(2) << "\n";
  } else if (scratch) {
    console.out << read_file(directory / "results.csv");
  } else if (!quiet) {
    console.out << page.bold(sweep->name()) << (sweep->title().empty() ? "" : " - " + sweep->title()) << "\n"
                << axes_text(*sweep) << "\n"
                << marginals_text(*sweep, table, page) << "  " << count_text(state.total)
                << " points: " << count_text(simulated) << " simulated";
    if (state.reused > 0) console.out << ", " << count_text(state.reused) << " taken from before the sweep was changed";
    if (state.found > 0) console.out << ", " << count_text(state.found) << " were there";
    // How long it took is for who sits there; what is kept of it should be the same every time.
    if (console.interactive) {
      console.out << "; " << rounded_text(took_s, 3) << " s";
      if (simulated > 0 && took_s > 0) console.out << ", " << rate_text(static_cast<double>(simulated) / took_s);
    }
    console.out << "\n  " << count_text(table.rows) << " rows in " << (directory / "results.csv").string() << "\n";
    for (const std::string& warning : sweep->warnings())
      console.out << page.paint("33", "  note      ") << warning << "\n";
  }
  return kSuccess;
}

int merge_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc merge DIR… [--out DIR] [options]",
      "Collects the points of a sweep's parts (--shard, or a distributed engine's batches) in one directory\n"
      "and writes the table that an undisturbed run would have written. With one DIR and no --out, that\n"
      "directory's table is written. Status 1, and no table, where points are missing.");
  options.positional("directories", -1);
  options.add()("out", po::value<std::string>(),
                "directory of the whole; may be new, or hold points of the same sweep")(
      "force", "overwrite another sweep in --out")("json", "print one JSON object and nothing else")(
      "quiet", "print nothing but errors");
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  if (!options.has("directories")) throw InputError("a directory is missing; usage: dynasoc merge DIR… --out DIR");
  std::vector<fs::path> directories;
  for (const std::string& one : options.get<std::vector<std::string>>("directories")) directories.emplace_back(one);
  if (!options.has("out") && directories.size() > 1)
    throw InputError("--out is missing: where should the parts be collected?");
  const fs::path into = options.get_or<std::string>("out", directories[0].string());
  const SweepTable table = explore::merge_sweeps(directories, into, options.has("force"));
  const bool whole = table.missing_points == 0;
  if (options.has("json"))
    console.out << Json({{"points", table.points},
                         {"rows", table.rows},
                         {"missing", table.missing_points},
                         {"results", whole ? Json((into / "results.csv").string()) : Json(nullptr)}})
                       .dump(2)
                << "\n";
  else if (!whole)
    console.err << "dynasoc: " << missing_text(table) << "; `dynasoc sweep " << into.string() << " --out "
                << into.string() << "` runs them\n";
  else if (!options.has("quiet"))
    console.out << count_text(table.points) << " points, " << count_text(table.rows) << " rows in "
                << (into / "results.csv").string() << "\n";
  return whole ? kSuccess : kCheckFailed;
}

}  // namespace dynasoc::cli
