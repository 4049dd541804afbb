// A dynamic DNN: its sub-networks, what switching between them costs, and the tables that say how fast they are where.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "application/table.hpp"

namespace dynasoc {

/// Free-form JSON carried along for people and for later tools (an architecture's kernels, depths, …).
struct FreeForm {
  Json value;
  static FreeForm from_value(const Value& v) { return {v.json()}; }
  static Json schema() { return Json{{"type", "object"}}; }
  Json to_json() const { return value; }
};

/// One sub-network, in the order of the file: the first is `L1`, the smallest.
struct Subnet {
  double accuracy = 0;
  double memory_mb = 0;
  double macs_m = 0;
  FreeForm config;

  static constexpr auto fields() {
    using S = Subnet;
    return describe(required(&S::accuracy, "accuracy", range(0, 100), "in the network's accuracy_metric"),
                    field(&S::memory_mb, "memory_mb", non_negative(), "weights kept in memory; 0 = not stated"),
                    field(&S::macs_m, "macs_m", non_negative(), "multiply-accumulates, in millions; 0 = not stated"),
                    field(&S::config, "config", "the architecture: kernels, expansions, depths, resolution, …"));
  }
};

/// What it costs to change the sub-network. The application serves no frame meanwhile.
struct SwitchCost {
  double time_ms = 0;
  double energy_mj = 0;
  Provenance provenance = Provenance::derived;
  std::string source;

  static constexpr auto fields() {
    using S = SwitchCost;
    return describe(required(&S::time_ms, "time_ms", non_negative(), "during which the application serves no frame"),
                    field(&S::energy_mj, "energy_mj", non_negative(), "on top of the board's idle energy"),
                    required(&S::provenance, "provenance", "measured, digitised or derived"),
                    required(&S::source, "source", "where the figures come from"));
  }
};

/// One table of a network: one platform, one source.
struct TableReference {
  Name file;
  Name platform;
  std::string note;

  static constexpr auto fields() {
    using S = TableReference;
    return describe(required(&S::file, "file", "CSV file beside network.json"),
                    required(&S::platform, "platform", "the board its cells were obtained on"),
                    field(&S::note, "note", "what a reader must know before using it"));
  }
};

/// `models/<network>/network.json`.
struct NetworkFile {
  std::string name;
  std::string title;
  std::string accuracy_metric;
  std::string source;
  std::vector<Subnet> subnets;
  SwitchCost switch_cost;
  Name default_table;
  Named<TableReference> tables;
  Named<SoftRoofline> scaling;
  Name blocks;
  Where where;

  static constexpr auto fields() {
    using S = NetworkFile;
    return describe(
        required(&S::name, "name", "as scenarios call it; the folder's name"),
        field(&S::title, "title", "one line for people"),
        required(&S::accuracy_metric, "accuracy_metric", "for instance `ImageNet top-1 [%]`, `BLEU`"),
        field(&S::source, "source", "publication or repository"),
        required(&S::subnets, "subnets", "smallest first; called L1, L2, …"),
        required(&S::switch_cost, "switch_cost", "cost of changing the sub-network"),
        field(&S::default_table, "default_table", "used when a scenario names none"),
        required(&S::tables, "tables", "by name: one platform and one published source each"),
        field(&S::scaling, "scaling",
              "by unit: how latency follows clocks where a sub-network has too few cells of its own to tell; "
              "only its shape is used, the level comes from the cells"),
        field(
            &S::blocks, "blocks",
            "CSV file beside network.json: latencies of the blocks of each sub-network, between which an inference may "
            "be interrupted; only their proportions are used"));
  }
};

/// A row of a block table; rows of a sub-network on a unit stand in the order in which the blocks run.
struct BlockRow {
  std::string subnet;
  std::string unit;
  double latency_ms = 0;
};

/// Columns subnet, unit, block, latency_ms, provenance, source. Throws InputError.
std::vector<BlockRow> read_blocks(const Csv& csv);

/// A loaded network: the file and its folder. Tables are loaded on demand.
class Network {
 public:
  /// Throws InputError for anything wrong in the file (empty list of sub-networks, dangling default table, …).
  static Network load(const std::filesystem::path& network_json);

  /// The cells of a table, all its sub-networks known. Throws InputError for an unknown name (with the nearest one).
  Table table(const std::string& name) const;

  /// Where inferences on a unit may be interrupted, by sub-network: the share of the inference that is done after each
  /// block, ascending, the last 1; empty for those that the block table does not cover. Throws InputError.
  std::vector<std::vector<double>> block_ends(std::string_view unit) const;

  /// The block table's path; empty if there is none.
  std::filesystem::path blocks_path() const {
    return file.blocks.empty() ? std::filesystem::path() : folder / file.blocks.text;
  }

  /// Index of `L3` -> 2; -1 if there is none.
  int subnet_index(std::string_view subnet) const;
  std::size_t size() const { return file.subnets.size(); }

  NetworkFile file;
  std::filesystem::path folder;
};

}  // namespace dynasoc
