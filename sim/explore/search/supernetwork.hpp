// The super-network: what can be chosen, what a choice costs. Latency (from block tables), multiply-accumulates and
// parameters are sums of what the chosen blocks cost, so that each is a few additions and can be optimised exactly.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/fields.hpp"
#include "common/provenance.hpp"

namespace dynasoc::search {

constexpr std::size_t kStages = 5, kSlots = 4, kChoices = 3;  // what the predictor's input is made for
constexpr std::size_t kMostResolutions = 32;

/// A sub-network, as indices of the super-network's options. Slots beyond a stage's depth hold 0 in canonical form, so
/// that equal sub-networks are equal configurations.
struct Configuration {
  std::array<std::uint8_t, kStages * kSlots> kernel{}, expansion{};  ///< indices of kernels and expansions
  std::array<std::uint8_t, kStages> depth{};                         ///< slots in use
  std::uint8_t resolution = 0;                                       ///< index of resolutions

  auto operator<=>(const Configuration&) const = default;  // NOLINT(modernize-use-nullptr): a false alarm of clang 14
  void make_canonical();
};

/// A cost that is a sum over blocks, in a unit of its own. NaN where a block's cost is not known.
struct AdditiveCost {
  using Choice = std::array<double, kChoices * kChoices>;  ///< by kernel * kChoices + expansion
  struct Stage {
    Choice first, later;
  };
  std::array<double, kMostResolutions> base{};  ///< stem, first block and head
  std::array<std::array<Stage, kStages>, kMostResolutions> stages{};

  double operator()(const Configuration& c) const;
  /// slope * cost + intercept, which is additive again.
  AdditiveCost on_line(double slope, double intercept) const;
};

struct StageFile {
  int channels = 0, stride = 1;
  int se = 0, hs = 0;
  static constexpr auto fields() {
    using S = StageFile;
    return describe(required(&S::channels, "channels", range(1, 4096), "output channels"),
                    required(&S::stride, "stride", range(1, 2), "of the first slot"),
                    required(&S::se, "se", range(0, 1), "1: squeeze-excite"),
                    required(&S::hs, "hs", range(0, 1), "1: hard swish, else ReLU"));
  }
};
struct StemFile {
  std::string block;
  int channels = 0, stride = 2;
  static constexpr auto fields() {
    using S = StemFile;
    return describe(required(&S::block, "block", "its name in block tables"),
                    required(&S::channels, "channels", range(1, 4096), "output channels"),
                    required(&S::stride, "stride", range(2, 2), "of the convolution"));
  }
};
struct FirstBlockFile {
  std::string block;
  int channels = 0, expand = 0, kernel = 3, stride = 1, idskip = 1, se = 0, hs = 0;
  static constexpr auto fields() {
    using S = FirstBlockFile;
    return describe(required(&S::block, "block", "name of all inverted residual blocks in block tables"),
                    required(&S::channels, "channels", range(1, 4096), "output channels"),
                    required(&S::expand, "expand", range(1, 4096), "expanded channels"),
                    required(&S::kernel, "kernel", range(1, 15), "of the depthwise convolution"),
                    required(&S::stride, "stride", range(1, 1), "of the depthwise convolution"),
                    required(&S::idskip, "idskip", range(0, 1), "1: has a shortcut"),
                    required(&S::se, "se", range(0, 0), "1: squeeze-excite"),
                    required(&S::hs, "hs", range(0, 1), "1: hard swish, else ReLU"));
  }
};
struct HeadFile {
  std::string block;
  int channels = 0;
  static constexpr auto fields() {
    using S = HeadFile;
    return describe(required(&S::block, "block", "its name in block tables"),
                    required(&S::channels, "channels", range(1, 65536), "output channels"));
  }
};
/// A line from sums of blocks to end-to-end latencies, or from predicted to recorded accuracies.
struct LatencyLine {
  std::string against;
  double slope = 1, intercept_ms = 0, largest_error_ms = 0;
  Provenance provenance = Provenance::derived;
  static constexpr auto fields() {
    using S = LatencyLine;
    return describe(required(&S::against, "against", "what it was fitted to; its name in search files"),
                    required(&S::slope, "slope", positive(), "end-to-end latency over sum of blocks"),
                    required(&S::intercept_ms, "intercept_ms", "added to it"),
                    required(&S::largest_error_ms, "largest_error_ms", non_negative(), "over what it was fitted to"),
                    required(&S::provenance, "provenance", "always derived"));
  }
};
struct AccuracyLine {
  std::string against;
  double slope = 1, intercept_pp = 0, largest_error_pp = 0;
  Provenance provenance = Provenance::derived;
  static constexpr auto fields() {
    using S = AccuracyLine;
    return describe(required(&S::against, "against", "what it was fitted to; its name in search files"),
                    required(&S::slope, "slope", positive(), "recorded over predicted accuracy"),
                    required(&S::intercept_pp, "intercept_pp", "percentage points added to it"),
                    required(&S::largest_error_pp, "largest_error_pp", non_negative(), "over what it was fitted to"),
                    required(&S::provenance, "provenance", "always derived"));
  }
};
struct BlockTableFile {
  std::string file, platform, unit, note;
  std::vector<LatencyLine> calibration;
  static constexpr auto fields() {
    using S = BlockTableFile;
    return describe(required(&S::file, "file", "block table beside this file"),
                    required(&S::platform, "platform", "the board its rows were measured on"),
                    required(&S::unit, "unit", "and the processing unit"),
                    field(&S::note, "note", "what a reader must know before using it"),
                    field(&S::calibration, "calibration", "lines from sums of blocks to end-to-end latencies"));
  }
};
struct PredictorFile {
  std::string weights, manifest, note;
  std::vector<AccuracyLine> correction;
  static constexpr auto fields() {
    using S = PredictorFile;
    return describe(required(&S::weights, "weights", "little-endian floats, beside this file"),
                    required(&S::manifest, "manifest", "their shapes and offsets"),
                    field(&S::note, "note", "what a reader must know before using it"),
                    field(&S::correction, "correction", "lines from predicted to recorded accuracies"));
  }
};

/// `models/<name>/supernetwork.json`.
struct SupernetworkFile {
  std::string name, title, source, accuracy_metric;
  double width = 1;
  std::vector<int> resolutions, kernels, expansions, depths;
  int slots_per_stage = 0;
  StemFile stem;
  FirstBlockFile first_block;
  std::vector<StageFile> stages;
  std::vector<HeadFile> head;
  Named<BlockTableFile> block_tables;
  PredictorFile accuracy_predictor;
  Where where;

  static constexpr auto fields() {
    using S = SupernetworkFile;
    return describe(required(&S::name, "name", "as search files call it; the folder's name"),
                    field(&S::title, "title", "one line for people"),
                    required(&S::source, "source", "publication or repository"),
                    required(&S::accuracy_metric, "accuracy_metric", "what the predictor predicts"),
                    required(&S::width, "width", positive(), "width multiplier"),
                    required(&S::resolutions, "resolutions", range(32, 1024), "input sizes [px], ascending"),
                    required(&S::kernels, "kernels", range(1, 15), "three, ascending"),
                    required(&S::expansions, "expansions", range(1, 16), "three, ascending"),
                    required(&S::depths, "depths", range(1, 4), "slots that a stage may use, ascending"),
                    required(&S::slots_per_stage, "slots_per_stage", range(4, 4), "at most in use"),
                    required(&S::stem, "stem", "the first convolution"),
                    required(&S::first_block, "first_block", "the block before the stages, which nothing can change"),
                    required(&S::stages, "stages", "five"),
                    required(&S::head, "head", "last expansion, pooling, feature mixing, classifier"),
                    required(&S::block_tables, "block_tables", "by name"),
                    required(&S::accuracy_predictor, "accuracy_predictor", "a network that predicts accuracy"));
  }
};

/// A block at an input resolution, as block tables write it.
struct Block {
  int resolution = 0;
  std::string block, input, output;
  int expand = 0, kernel = 0, stride = 0, idskip = 0, se = 0, hs = 0;  ///< 0 and unused for stem and head
  std::string key() const;
};

/// A block table made dense, and what became of it.
struct BlockLatency {
  AdditiveCost sum_ms;
  std::vector<std::string> missing;  ///< keys of blocks the space needs that the table lacks, in order
  std::vector<int> complete;         ///< resolutions [px] for which no block is missing
  AdditiveCost derived_ms;           ///< the part of `sum_ms` that rests on `derived` rows: another device's
};

class Supernetwork {
 public:
  /// Throws InputError for anything wrong, a shape this program has no predictor input for included.
  static Supernetwork load(const std::filesystem::path& supernetwork_json);

  /// The blocks a configuration needs, in the order of the data: stem, first block, stages, head.
  std::vector<Block> blocks(const Configuration& c) const;

  /// Latency [ms] as sum of blocks of a table; `csv` has the columns of block tables. Throws InputError for a table
  /// with two rows for a block or with impossible numbers; what is missing is listed, not thrown.
  BlockLatency read_blocks(const std::filesystem::path& csv) const;

  /// Multiply-accumulates [millions] of convolutions and fully connected layers, squeeze-excite included.
  AdditiveCost macs_m() const;
  /// Weights, biases, batch-norm scale and shift as 32-bit floats [MB, 1e6 bytes].
  AdditiveCost memory_mb() const;

  /// From and to what network.json carries: depths, kernels (20), expansions (20), resolution. Throws InputError for
  /// a configuration that is not of this super-network.
  Configuration from_json(const Value& config) const;
  Json to_json(const Configuration& c) const;

  SupernetworkFile file;
  std::filesystem::path folder;

 private:
  template <class Cost>
  AdditiveCost add_up(const Cost& cost) const;
  Block stage_block(int resolution, std::size_t stage, bool first, int kernel, int expansion) const;
  std::vector<int> sizes(int resolution) const;
};

}  // namespace dynasoc::search
