#include "explore/search/supernetwork.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>

#include "common/csv.hpp"
#include "common/text.hpp"

namespace dynasoc::search {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

std::string shape(int size, int channels) {
  const std::string n = std::to_string(size);
  return n + "x" + n + "x" + std::to_string(channels);
}

// The channels of HxWxC.
int channels_of(const std::string& shape) {
  const auto at = shape.rfind('x');
  return std::stoi(at == std::string::npos ? shape : shape.substr(at + 1));
}
int size_of(const std::string& shape) { return std::stoi(shape); }

// Squeezed channels of squeeze-excite: a quarter, rounded to a multiple of 8 and not below 90 % of it.
int squeezed(int channels) {
  const int wanted = channels / 4;
  const int rounded = std::max(8, (wanted + 4) / 8 * 8);
  return rounded < 0.9 * wanted ? rounded + 8 : rounded;
}

void ascending(const Value& root, const char* name, const std::vector<int>& values, std::size_t most) {
  if (values.empty() || values.size() > most)
    throw root[name].error("must list 1 to " + std::to_string(most) + " values");
  for (std::size_t i = 1; i < values.size(); ++i)
    if (values[i] <= values[i - 1]) throw root[name][i].error("values must ascend");
}

}  // namespace

void Configuration::make_canonical() {
  for (std::size_t s = 0; s < kStages; ++s)
    for (std::size_t j = depth[s]; j < kSlots; ++j) kernel[s * kSlots + j] = expansion[s * kSlots + j] = 0;
}

double AdditiveCost::operator()(const Configuration& c) const {
  double sum = base[c.resolution];
  for (std::size_t s = 0; s < kStages; ++s) {
    const Stage& stage = stages[c.resolution][s];
    const std::size_t slot = s * kSlots;
    sum += stage.first[c.kernel[slot] * kChoices + c.expansion[slot]];
    for (std::size_t j = 1; j < c.depth[s]; ++j)
      sum += stage.later[c.kernel[slot + j] * kChoices + c.expansion[slot + j]];
  }
  return sum;
}

AdditiveCost AdditiveCost::on_line(double slope, double intercept) const {
  AdditiveCost out = *this;
  for (double& x : out.base) x = x * slope + intercept;
  for (auto& resolution : out.stages)
    for (Stage& stage : resolution) {
      for (double& x : stage.first) x *= slope;
      for (double& x : stage.later) x *= slope;
    }
  return out;
}

std::string Block::key() const {
  std::string out = std::to_string(resolution) + " px " + block + " " + input + " to " + output;
  if (expand > 0)
    out += " expand " + std::to_string(expand) + " kernel " + std::to_string(kernel) + " stride " +
           std::to_string(stride) + " idskip " + std::to_string(idskip) + " se " + std::to_string(se) + " hs " +
           std::to_string(hs);
  return out;
}

Supernetwork Supernetwork::load(const std::filesystem::path& supernetwork_json) {
  Supernetwork out;
  const Value root{std::shared_ptr<const Document>(Document::load(supernetwork_json))};
  out.file = read<SupernetworkFile>(root);
  out.folder = supernetwork_json.parent_path();
  const SupernetworkFile& file = out.file;
  ascending(root, "resolutions", file.resolutions, kMostResolutions);
  ascending(root, "kernels", file.kernels, kChoices);
  ascending(root, "expansions", file.expansions, kChoices);
  ascending(root, "depths", file.depths, kSlots);
  if (file.kernels.size() != kChoices) throw root["kernels"].error("the predictor's input wants three kernels");
  if (file.expansions.size() != kChoices)
    throw root["expansions"].error("the predictor's input wants three expansions");
  if (file.stages.size() != kStages) throw root["stages"].error("the predictor's input wants five stages");
  if (file.head.size() != 4)
    throw root["head"].error("wants four parts: last expansion, pooling, feature mixing, classifier");
  if (file.block_tables.empty()) throw root["block_tables"].error("there is no block table");
  return out;
}

// Sizes of the feature maps [px]: after the stem, then after each stage.
std::vector<int> Supernetwork::sizes(int resolution) const {
  std::vector<int> out{(resolution - 1) / file.stem.stride + 1};
  for (const StageFile& stage : file.stages) out.push_back((out.back() - 1) / stage.stride + 1);
  return out;
}

Block Supernetwork::stage_block(int resolution, std::size_t s, bool first, int kernel, int expansion) const {
  const auto size = sizes(resolution);
  const StageFile& stage = file.stages[s];
  const int in = first ? (s == 0 ? file.first_block.channels : file.stages[s - 1].channels) : stage.channels;
  return {resolution,
          file.first_block.block,
          shape(first ? size[s] : size[s + 1], in),
          shape(size[s + 1], stage.channels),
          in * expansion,
          kernel,
          first ? stage.stride : 1,
          first ? 0 : 1,
          stage.se,
          stage.hs};
}

namespace {

// Stem, first block and head, which nothing can change but the resolution.
std::vector<Block> fixed_blocks(const SupernetworkFile& file, int resolution, const std::vector<int>& sizes) {
  const FirstBlockFile& first = file.first_block;
  const std::string after_stem = shape(sizes[0], file.stem.channels);
  std::vector<Block> out;
  out.push_back({resolution, file.stem.block, shape(resolution, 3), after_stem});
  out.push_back({resolution, first.block, after_stem, shape(sizes[0], first.channels), first.expand, first.kernel,
                 first.stride, first.idskip, first.se, first.hs});
  const int last = sizes.back();
  const auto& head = file.head;
  out.push_back({resolution, head[0].block, shape(last, file.stages.back().channels), shape(last, head[0].channels)});
  out.push_back({resolution, head[1].block, shape(last, head[0].channels), shape(1, head[1].channels)});
  out.push_back({resolution, head[2].block, shape(1, head[1].channels), shape(1, head[2].channels)});
  out.push_back({resolution, head[3].block, shape(1, head[2].channels), std::to_string(head[3].channels)});
  return out;
}

}  // namespace

std::vector<Block> Supernetwork::blocks(const Configuration& c) const {
  const int resolution = file.resolutions[c.resolution];
  auto out = fixed_blocks(file, resolution, sizes(resolution));
  std::vector<Block> inner;
  for (std::size_t s = 0; s < kStages; ++s)
    for (std::size_t j = 0; j < c.depth[s]; ++j)
      inner.push_back(stage_block(resolution, s, j == 0, file.kernels[c.kernel[s * kSlots + j]],
                                  file.expansions[c.expansion[s * kSlots + j]]));
  out.insert(out.begin() + 2, inner.begin(), inner.end());
  return out;
}

// `cost(block)`, summed over the blocks that share a place.
template <class Cost>
AdditiveCost Supernetwork::add_up(const Cost& cost) const {
  AdditiveCost out;
  for (std::size_t r = 0; r < file.resolutions.size(); ++r) {
    const int resolution = file.resolutions[r];
    for (const Block& block : fixed_blocks(file, resolution, sizes(resolution))) out.base[r] += cost(block);
    for (std::size_t s = 0; s < kStages; ++s)
      for (std::size_t k = 0; k < kChoices; ++k)
        for (std::size_t e = 0; e < kChoices; ++e)
          for (const bool first : {true, false})
            (first ? out.stages[r][s].first : out.stages[r][s].later)[k * kChoices + e] =
                cost(stage_block(resolution, s, first, file.kernels[k], file.expansions[e]));
  }
  return out;
}

BlockLatency Supernetwork::read_blocks(const std::filesystem::path& path) const {
  const Csv csv = Csv::load(path);
  csv.expect({"resolution", "block", "input", "output", "expand", "kernel", "stride", "idskip", "se", "hs",
              "latency_ms_mean", "provenance", "source"},
             {"latency_ms_std", "n", "flags"});
  struct Row {
    double ms;
    bool derived;
  };
  std::map<std::string, Row> rows;
  for (std::size_t row = 0; row < csv.size(); ++row) {
    const auto whole = [&](const char* column) {
      if (csv.text(row, column).empty()) return 0;
      const double x = csv.number(row, column, range(0, 65536));
      if (x != std::floor(x)) throw csv.error(row, column, "must be a whole number");
      return static_cast<int>(x);
    };
    const Block block{whole("resolution"),
                      std::string(csv.text(row, "block")),
                      std::string(csv.text(row, "input")),
                      std::string(csv.text(row, "output")),
                      whole("expand"),
                      whole("kernel"),
                      whole("stride"),
                      whole("idskip"),
                      whole("se"),
                      whole("hs")};
    std::optional<Provenance> provenance;
    for (const auto& [name, value] : EnumNames<Provenance>::names)
      if (csv.text(row, "provenance") == name) provenance = value;
    if (!provenance) {
      const std::vector<std::string> known{"measured", "digitised", "derived"};
      const std::string given(csv.text(row, "provenance"));
      throw csv.error(row, "provenance", "unknown provenance " + in_quotes(given) + hint(given, known));
    }
    const double ms = csv.number(row, "latency_ms_mean", limited_by_unit("ms", positive()));
    if (!rows.emplace(block.key(), Row{ms, *provenance == Provenance::derived}).second)
      throw csv.error(row, "block", "a second row for " + block.key());
  }
  BlockLatency out;
  std::vector<int> incomplete;
  out.sum_ms = add_up([&](const Block& block) {
    const auto it = rows.find(block.key());
    if (it != rows.end()) return it->second.ms;
    out.missing.push_back(block.key());
    if (incomplete.empty() || incomplete.back() != block.resolution) incomplete.push_back(block.resolution);
    return kNone;
  });
  out.derived_ms = add_up([&](const Block& block) {
    const auto it = rows.find(block.key());
    return it != rows.end() && it->second.derived ? it->second.ms : 0.0;
  });
  for (const int resolution : file.resolutions)
    if (std::find(incomplete.begin(), incomplete.end(), resolution) == incomplete.end())
      out.complete.push_back(resolution);
  return out;
}

// Stem and last expansion are convolutions with batch norm, feature mixing one without either bias or batch norm, the
// classifier a fully connected layer with biases. An inverted residual block is expansion (not where it expands
// nothing), depthwise convolution, squeeze-excite (two layers with biases) and projection.
AdditiveCost Supernetwork::macs_m() const {
  return add_up([this](const Block& block) {
    const double in = channels_of(block.input), out = channels_of(block.output);
    double macs = 0;
    if (block.expand > 0) {
      const double f = size_of(block.input), g = size_of(block.output), middle = block.expand;
      if (block.expand != channels_of(block.input)) macs += f * f * in * middle;
      macs += g * g * middle * (block.kernel * block.kernel + out);
      if (block.se) macs += 2 * middle * squeezed(block.expand);
    } else if (block.block == file.stem.block) {
      macs = std::pow(size_of(block.output), 2) * 9 * in * out;
    } else if (block.block != file.head[1].block) {  // pooling multiplies nothing
      macs = std::pow(size_of(block.input), 2) * in * out;
    }
    return macs * 1e-6;
  });
}

AdditiveCost Supernetwork::memory_mb() const {
  return add_up([this](const Block& block) {
    const double in = channels_of(block.input), out = channels_of(block.output);
    double parameters = 0;
    if (block.expand > 0) {
      const double middle = block.expand, squeeze = squeezed(block.expand);
      if (block.expand != channels_of(block.input)) parameters += in * middle + 2 * middle;
      parameters += middle * block.kernel * block.kernel + 2 * middle + middle * out + 2 * out;
      if (block.se) parameters += 2 * middle * squeeze + squeeze + middle;
    } else if (block.block == file.stem.block) {
      parameters = 9 * in * out + 2 * out;
    } else if (block.block == file.head[0].block) {
      parameters = in * out + 2 * out;
    } else if (block.block == file.head[2].block) {
      parameters = in * out;
    } else if (block.block == file.head[3].block) {
      parameters = in * out + out;
    }
    return parameters * 4e-6;
  });
}

Configuration Supernetwork::from_json(const Value& config) const {
  Configuration out;
  const auto list = [&](const char* name, std::size_t size, const std::vector<int>& known, auto put) {
    const auto values = read<std::vector<int>>(config[name]);
    if (values.size() != size) throw config[name].error("must hold " + std::to_string(size) + " values");
    for (std::size_t i = 0; i < size; ++i) {
      const auto it = std::find(known.begin(), known.end(), values[i]);
      if (it == known.end())
        throw config[name][i].error(std::to_string(values[i]) + " is not among the " + name + " of " + file.name);
      put(i, static_cast<std::size_t>(it - known.begin()));
    }
  };
  list("kernels", kStages * kSlots, file.kernels,
       [&](std::size_t i, std::size_t k) { out.kernel[i] = static_cast<std::uint8_t>(k); });
  list("expansions", kStages * kSlots, file.expansions,
       [&](std::size_t i, std::size_t e) { out.expansion[i] = static_cast<std::uint8_t>(e); });
  list("depths", kStages, file.depths,
       [&](std::size_t i, std::size_t d) { out.depth[i] = static_cast<std::uint8_t>(file.depths[d]); });
  const int resolution = read<int>(config["resolution"]);
  const auto it = std::find(file.resolutions.begin(), file.resolutions.end(), resolution);
  if (it == file.resolutions.end())
    throw config["resolution"].error(std::to_string(resolution) + " is not among the resolutions of " + file.name);
  out.resolution = static_cast<std::uint8_t>(it - file.resolutions.begin());
  out.make_canonical();
  return out;
}

Json Supernetwork::to_json(const Configuration& c) const {
  Json kernels = Json::array(), expansions = Json::array(), depths = Json::array();
  for (const auto k : c.kernel) kernels.push_back(file.kernels[k]);
  for (const auto e : c.expansion) expansions.push_back(file.expansions[e]);
  for (const auto d : c.depth) depths.push_back(static_cast<int>(d));
  return {{"supernetwork", file.name}, {"width", file.width}, {"resolution", file.resolutions[c.resolution]},
          {"depths", depths},          {"kernels", kernels},  {"expansions", expansions}};
}

}  // namespace dynasoc::search
