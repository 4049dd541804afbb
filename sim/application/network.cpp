#include "application/network.hpp"

#include <algorithm>
#include <set>

#include "common/text.hpp"

namespace dynasoc {
namespace {

constexpr std::size_t kMostSubnets = 256;  // a job's record keeps its sub-network in a byte

// A term whose clock has no reference could not be scaled; say so when the file is read, not when it is used.
void check_scaling(const std::string& unit, const SoftRoofline& scaling) {
  const auto fail = [&](const char* term, const char* reference) {
    throw scaling.where.error("the scaling of \"" + unit + "\" has " + term + " but no reference " + reference);
  };
  if (scaling.host_ms > 0 && scaling.f_cpu_mhz == 0) fail("host_ms", "f_cpu_mhz");
  if (scaling.unit_ms > 0 && scaling.f_unit_mhz == 0) fail("unit_ms", "f_unit_mhz");
  if (scaling.memory_ms > 0 && scaling.f_emc_mhz == 0) fail("memory_ms", "f_emc_mhz");
  if (scaling.parallel_fraction > 0 && scaling.cores == 0) fail("parallel_fraction", "cores");
  if (scaling.fixed_ms + scaling.host_ms + scaling.unit_ms + scaling.memory_ms <= 0)
    throw scaling.where.error("the scaling of \"" + unit + "\" has no term above 0");
  if (scaling.source.empty()) throw scaling.where.error("the scaling of \"" + unit + "\" has an empty source");
}

}  // namespace

Network Network::load(const std::filesystem::path& network_json) {
  Network network;
  const auto document = Document::load(network_json);
  const Value root{std::shared_ptr<const Document>(document)};
  network.file = read<NetworkFile>(root);
  network.folder = network_json.parent_path();
  const NetworkFile& file = network.file;
  if (file.name.empty()) throw root["name"].error("the network's name is empty");
  if (file.accuracy_metric.empty())
    throw root["accuracy_metric"].error("the metric is empty (\"not stated\" is an answer)");
  if (file.subnets.empty()) throw root["subnets"].error("the network has no sub-networks");
  if (file.subnets.size() > kMostSubnets)
    throw root["subnets"].error("at most " + std::to_string(kMostSubnets) + " sub-networks are supported, not " +
                                std::to_string(file.subnets.size()));
  if (file.tables.empty()) throw root["tables"].error("the network has no table");
  std::vector<std::string> tables;
  for (const auto& [name, reference] : file.tables) {
    tables.push_back(name);
    if (reference.file.empty()) throw reference.file.error("the table's file is not named");
    if (std::filesystem::path(reference.file.text).is_absolute() || reference.file.text.find("..") != std::string::npos)
      throw reference.file.error("a table's file stands beside network.json; \"" + reference.file.text + "\" does not");
    if (reference.platform.empty()) throw reference.platform.error("the table's platform is not named");
  }
  if (!file.default_table.empty() && std::find(tables.begin(), tables.end(), file.default_table.text) == tables.end())
    throw file.default_table.error("there is no table " + in_quotes(file.default_table.text) +
                                   hint(file.default_table.text, tables));
  for (const auto& [unit, scaling] : file.scaling) check_scaling(unit, scaling);
  if (std::filesystem::path(file.blocks.text).is_absolute() || file.blocks.text.find("..") != std::string::npos)
    throw file.blocks.error("a block table stands beside network.json; \"" + file.blocks.text + "\" does not");
  return network;
}

Table Network::table(const std::string& name) const {
  std::vector<std::string> known;
  for (const auto& [table, reference] : file.tables) {
    known.push_back(table);
    if (table != name) continue;
    const std::filesystem::path path = folder / reference.file.text;
    std::error_code code;
    if (!std::filesystem::exists(path, code)) {
      std::vector<std::string> beside;
      for (const auto& entry : std::filesystem::directory_iterator(folder.empty() ? "." : folder, code))
        if (entry.path().extension() == ".csv") beside.push_back(entry.path().filename().string());
      std::sort(beside.begin(), beside.end());
      throw reference.file.error("there is no file " + in_quotes(reference.file.text) + " beside " + file.name +
                                 "'s network.json" + hint(reference.file.text, beside));
    }
    const Csv csv = Csv::load(path);
    Table cells = Table::from_csv(csv);
    for (std::size_t row = 0; row < cells.cells.size(); ++row)
      if (subnet_index(cells.cells[row].subnet) < 0)
        throw csv.error(row, "subnet",
                        in_quotes(cells.cells[row].subnet) + " is not a sub-network of " + file.name +
                            " (it has L1 to L" + std::to_string(size()) + ")");
    return cells;
  }
  throw InputError("the network \"" + file.name + "\" has no table \"" + name + "\"" + hint(name, known));
}

std::vector<BlockRow> read_blocks(const Csv& csv) {
  csv.expect({"subnet", "unit", "block", "latency_ms", "provenance", "source"}, {});
  if (csv.size() == 0) throw csv.header_error("the block table has no rows: none follows the header");
  std::vector<BlockRow> rows;
  std::set<std::string> seen;
  for (std::size_t row = 0; row < csv.size(); ++row) {
    rows.push_back({std::string(csv.text(row, "subnet")), std::string(csv.text(row, "unit")),
                    csv.number(row, "latency_ms", positive())});
    if (csv.text(row, "block").empty()) throw csv.error(row, "block", "the block's name is empty");
    if (!seen.insert(rows.back().subnet + "\n" + rows.back().unit + "\n" + std::string(csv.text(row, "block"))).second)
      throw csv.error(row, "block",
                      in_quotes(csv.text(row, "block")) + " of " + rows.back().subnet + " is there twice");
    provenance_of(csv, row, "provenance");
    if (csv.text(row, "source").empty())
      throw csv.error(row, "source", "the source is empty; every row says where it comes from");
  }
  return rows;
}

std::vector<std::vector<double>> Network::block_ends(std::string_view unit) const {
  std::vector<std::vector<double>> ends(size());
  if (file.blocks.empty()) return ends;
  std::error_code code;
  if (!std::filesystem::exists(blocks_path(), code))
    throw file.blocks.error("there is no file " + in_quotes(file.blocks.text) + " beside " + file.name +
                            "'s network.json");
  const Csv csv = Csv::load(blocks_path());
  const std::vector<BlockRow> rows = read_blocks(csv);
  std::vector<double> total_ms(size(), 0);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const int subnet = subnet_index(rows[row].subnet);
    if (subnet < 0)
      throw csv.error(row, "subnet",
                      in_quotes(rows[row].subnet) + " is not a sub-network of " + file.name + " (it has L1 to L" +
                          std::to_string(size()) + ")");
    if (rows[row].unit != unit) continue;
    total_ms[static_cast<std::size_t>(subnet)] += rows[row].latency_ms;
    ends[static_cast<std::size_t>(subnet)].push_back(total_ms[static_cast<std::size_t>(subnet)]);
  }
  for (std::size_t s = 0; s < size(); ++s)
    for (double& end : ends[s]) end /= total_ms[s];
  return ends;
}

int Network::subnet_index(std::string_view subnet) const {
  if (subnet.size() < 2 || subnet.size() > 7 || subnet[0] != 'L' || subnet[1] == '0') return -1;
  std::size_t index = 0;
  for (const char c : subnet.substr(1)) {
    if (c < '0' || c > '9') return -1;
    index = index * 10 + static_cast<std::size_t>(c - '0');
  }
  return index <= size() ? static_cast<int>(index) - 1 : -1;
}

}  // namespace dynasoc
