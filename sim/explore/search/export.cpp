#include "explore/search/export.hpp"

#include <algorithm>
#include <numeric>

#include "common/text.hpp"
#include "explore/search/report.hpp"

namespace dynasoc::search {
namespace {

constexpr std::size_t kMostExported = 32;

std::vector<std::size_t> chosen(const Prepared& prepared, const Result& result) {
  if (const auto& select = prepared.file.select) {
    const auto& by = select->by == SelectBy::regret ? result.by_regret : result.by_hypervolume;
    if (!by.empty()) return by[std::min(static_cast<std::size_t>(select->count), by.size()) - 1].chosen;
  }
  if (result.front.size() > kMostExported)
    return select_by_hypervolume(result.candidates, kMostExported, prepared.problem->reference_cost,
                                 prepared.problem->reference_accuracy)
        .back()
        .chosen;
  std::vector<std::size_t> all(result.front.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

}  // namespace

void check_exportable(const Prepared& prepared) {
  if (!prepared.problem)
    throw prepared.file.space.where.error(
        "--export wants sub-networks of a super-network; these are those of a network already");
  if (!prepared.like && !prepared.compared)
    throw InputError(
        "--export needs a network whose cost of switching holds for this one too: \"export_as\": {\"like\": …} (or "
        "\"compare_with\") in the search file");
}

ExportedNetwork export_network(const Prepared& prepared, const Result& result, const std::string& name) {
  const SearchFile& file = prepared.file;
  check_exportable(prepared);
  const std::optional<RecordedNetwork>& like = prepared.like ? prepared.like : prepared.compared;
  const Problem& problem = *prepared.problem;
  ExportedNetwork out;
  out.name = file.export_as && !file.export_as->name.empty() ? file.export_as->name : name;
  out.points = chosen(prepared, result);

  const std::string latency = latency_basis(prepared), accuracy = accuracy_basis(prepared);
  NetworkFile network;
  network.name = out.name;
  network.title = file.title.empty() ? "Found by dynasoc search" : file.title;
  network.accuracy_metric = problem.supernetwork.file.accuracy_metric;
  network.source = "dynasoc search in " + problem.supernetwork.file.name + "; latency: " + latency +
                   "; accuracy: " + accuracy + "; memory and multiply-accumulates from the configurations";
  network.switch_cost = like->file.switch_cost;
  network.switch_cost.provenance = Provenance::derived;
  network.switch_cost.source = "taken from " + like->file.name + ": " + network.switch_cost.source;
  network.default_table = {"search", {}};
  out.table_file = prepared.platform + ".search.csv";
  const bool same_board = like->platform == prepared.platform && like->unit == prepared.unit;
  network.tables.emplace_back(
      "search", TableReference{{out.table_file, {}},
                               {prepared.platform, {}},
                               "derived: " + latency + (same_board ? "; clocks are those of " + like->file.name : "")});
  for (const auto& [unit, scaling] : like->file.scaling)
    if (same_board && unit == prepared.unit) network.scaling.emplace_back(unit, scaling);

  Table table;
  for (const std::size_t i : out.points) {
    const Point& point = result.front[i];
    network.subnets.push_back(
        {point.accuracy, point.memory_mb, point.macs_m, {problem.supernetwork.to_json(point.configuration)}});
    Cell cell;
    cell.subnet = level_name(network.subnets.size() - 1);
    cell.unit = prepared.unit;
    if (same_board) cell.at = like->at;
    cell.latency_ms_mean = point.latency_ms;
    cell.provenance = Provenance::derived;
    cell.source = "dynasoc search: " + latency +
                  (same_board ? "; clocks as in table " + like->table + " of " + like->file.name : "");
    table.cells.push_back(std::move(cell));
  }
  out.network_json = dynasoc::to_json(network).dump(2) + "\n";
  out.table_csv = table.to_csv();
  out.readme = "# " + out.name + "\n\nMade by `dynasoc search " + prepared.path.filename().string() +
               " --export`: " + std::to_string(out.points.size()) + " of the " + std::to_string(result.front.size()) +
               " sub-networks of the front that was found. Every number is derived.\n\n- Latency: " + latency +
               ".\n- Accuracy: " + accuracy + ".\n- Switching: as " + like->file.name +
               ".\n- Memory and multiply-accumulates: from the configurations.\n";
  return out;
}

}  // namespace dynasoc::search
