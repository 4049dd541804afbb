// dynasoc lint: is a file what it should be? One line a bad file, status 2 if there is one.
#include <algorithm>
#include <optional>

#include "application/network.hpp"
#include "cli/options.hpp"
#include "common/text.hpp"
#include "device/platform.hpp"
#include "explore/exploration/space.hpp"
#include "explore/ranking/file.hpp"
#include "explore/search/search.hpp"
#include "explore/sweep/sweep.hpp"
#include "results/checks/claim.hpp"
#include "results/output.hpp"
#include "results/suites/baseline.hpp"
#include "results/suites/suite.hpp"

namespace dynasoc::cli {
namespace {

std::string kind_of_csv(const std::filesystem::path& path) {
  const Csv csv = Csv::load(path);
  if (csv.has("subnet") && csv.has("block")) {
    read_blocks(csv);
    return "block table";
  }
  if (csv.has("subnet") + csv.has("unit") + csv.has("latency_ms_mean") >= 2) {
    Table::from_csv(csv);
    return "table";
  }
  if (!csv.has("arrival_s") && !csv.has("ratio")) {
    static const std::vector<std::string> kKnown{"subnet", "unit", "latency_ms_mean", "arrival_s", "ratio"};
    for (const std::string& column : csv.columns())
      if (const auto near = nearest(column, kKnown); near && *near != column)
        throw csv.header_error("unknown column " + in_quotes(column) + " (did you mean " + in_quotes(*near) + "?)");
    throw csv.header_error("is neither a table (subnet, unit, latency_ms_mean, …) nor a trace (arrival_s or ratio)");
  }
  if (csv.size() == 0) throw csv.header_error("the trace has no rows: none follows the header");
  double last = 0;
  for (std::size_t row = 0; row < csv.size(); ++row) {
    if (csv.has("ratio") && !csv.text(row, "ratio").empty()) csv.number(row, "ratio", range(1e-6, 1e6));
    if (!csv.has("arrival_s") || csv.text(row, "arrival_s").empty()) continue;
    const double at = csv.number(row, "arrival_s", limited_by_unit("s", non_negative()));
    if (at < last)
      throw csv.error(row, "arrival_s",
                      "arrival times must ascend; " + number_text(at) + " follows " + number_text(last));
    last = at;
  }
  return "trace";
}

// How many of an object's members belong to a format.
template <class T>
std::size_t members_of(const Json& object) {
  std::size_t count = 0;
  std::apply([&](const auto&... f) { ((count += object.contains(std::string(f.name))), ...); }, T::fields());
  return count;
}

// The board a table names, if it can be found: boards need not stand in platforms/ (a scenario may name one by its
// path). One that cannot is refused only where its name looks like a slip.
std::optional<std::filesystem::path> board_of(const Network& network, const Name& platform) {
  const std::filesystem::path folder = network.folder.empty() ? "." : network.folder;
  std::error_code code;
  for (const auto& near : {folder, folder / ".."})
    if (auto path = near / (platform.text + ".json"); std::filesystem::is_regular_file(path, code)) return path;
  const DataPaths paths(folder);
  const auto known = paths.platforms();
  if (std::find(known.begin(), known.end(), platform.text) == known.end() && !nearest(platform.text, known))
    return std::nullopt;
  return paths.platform(platform);
}

void lint_network(const std::filesystem::path& path) {
  const Network network = Network::load(path);
  network.block_ends("");
  for (const auto& [name, reference] : network.file.tables) {
    const Table table = network.table(name);
    const auto board = board_of(network, reference.platform);
    if (!board) continue;
    const auto units = Platform::load(*board).unit_names();
    for (std::size_t row = 0; row < table.cells.size(); ++row)
      if (std::find(units.begin(), units.end(), table.cells[row].unit) == units.end())
        throw Csv::load(network.folder / reference.file.text)
            .error(row, "unit",
                   "platform " + reference.platform.text + " has no unit " + in_quotes(table.cells[row].unit) +
                       hint(table.cells[row].unit, units));
  }
}

// What a file is, told by what is in it; its name says nothing but whether it is CSV.
std::string kind_of_file(const std::filesystem::path& path) {
  if (path.extension() == ".csv") return kind_of_csv(path);
  const auto document = Document::load(path);
  const Json& root = document->root();
  if (!root.is_object()) detail::wrong_kind(Value(document), "an object");
  if (is_manifest(root)) {
    RunRequest request;
    load_manifest(document, path, {}, request);
    return "manifest";
  }
  if (path.filename().string().ends_with(check::kClaimEnding) || root.contains("expectation")) {
    check::load_claim(path);
    return "claim";
  }
  if (path.filename().string().ends_with(suite::kBaselineEnding)) {
    suite::load_baseline(path);
    return "baseline";
  }
  if (suite::is_suite(path)) {
    suite::load_suite(path);
    return "suite";
  }
  if (path.filename().string().ends_with(".explore.json") ||
      (root.contains("variables") && root.contains("objectives"))) {
    const auto folder = path.parent_path();
    explore::Space(explore::read_exploration(document), folder.empty() ? std::filesystem::path(".") : folder);
    return "exploration";
  }
  if (path.filename().string().ends_with(".rank.json")) {
    explore::lint_ranking(path);
    return "ranking";
  }
  const std::size_t as_network = members_of<NetworkFile>(root), as_platform = members_of<PlatformFile>(root);
  const std::size_t as_super = members_of<search::SupernetworkFile>(root),
                    as_search = members_of<search::SearchFile>(root);
  const std::size_t as_scenario = members_of<ScenarioFile>(root) + root.contains("include");
  if (as_network > as_scenario && as_network >= as_platform && as_network > std::max(as_super, as_search)) {
    lint_network(path);
    return "network";
  }
  if (as_super > std::max(as_scenario, as_platform) && as_super >= as_search) {
    search::Supernetwork::load(path);
    return "super-network";
  }
  if (as_search > std::max(as_scenario, as_platform)) {
    search::prepare(path);
    return "search";
  }
  if (as_platform > as_scenario) {
    Platform::load(path);
    return "platform";
  }
  if (root.contains("axes") || root.contains("metrics")) {
    explore::Sweep::load(path, {}, {});
    return "sweep";
  }
  try {
    load_scenario(path);
    return "scenario";
  } catch (const InputError&) {
    // A list where none belongs makes a sweep, or is a slip: then it is the scenario's message that helps.
    try {
      explore::Sweep::load(path, {}, {});
      return "sweep";
    } catch (const InputError&) {
    }
    throw;
  }
}

}  // namespace

int lint_command(const Arguments& arguments, Console& console) {
  Options options("dynasoc lint FILE…",
                  "Validates scenarios, platforms, networks, tables, traces, claims, suites and their baselines, "
                  "sweeps, searches,\n"
                  "explorations, rankings and manifests, and what they name.");
  options.positional("files", -1);
  options.add()("json", "print a JSON array of {file, kind, ok, message}")("quiet", "print nothing about good files");
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  if (!options.has("files")) throw InputError("a file is missing; usage: dynasoc lint FILE…");
  Json all = Json::array();
  bool good = true;
  for (const std::string& file : options.get<std::vector<std::string>>("files")) {
    try {
      const std::string kind = kind_of_file(file);
      if (options.has("json"))
        all.push_back({{"file", file}, {"kind", kind}, {"ok", true}});
      else if (!options.has("quiet"))
        console.out << file << ": a good " << kind << "\n";
    } catch (const InputError& error) {
      good = false;
      if (options.has("json"))
        all.push_back({{"file", file}, {"ok", false}, {"message", error.what()}});
      else
        console.err << error.what() << "\n";
    }
  }
  if (options.has("json")) console.out << all.dump(2) << "\n";
  return good ? kSuccess : kBadInput;
}

}  // namespace dynasoc::cli
