// The architecture is that of the released super-network: its widths, strides, activations and squeeze-and-excitation
// blocks are below, scaled by the configuration's width.
#include "ofa_network.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace dynasoc::agent {
namespace {

constexpr int kStages = 5, kBlocks = 4;  // blocks in a stage, at most
constexpr int kWidths[kStages] = {24, 40, 80, 112, 160};
constexpr int kStrides[kStages] = {2, 2, 2, 1, 2};
constexpr bool kSqueeze[kStages] = {false, true, false, true, true};
constexpr int kHardSwishFrom = 2;  // the first stage that has it
constexpr int kLargestKernel = 7, kLargestExpansion = 6;

// A number of channels: a multiple of 8 near x, not less than 0.9 x.
int divisible(double x) {
  const int n = std::max(8, static_cast<int>(x + 4) / 8 * 8);
  return n < 0.9 * x ? n + 8 : n;
}

[[noreturn]] void refuse(const std::string& what, const std::string& message) {
  throw Refusal("bad_request", what + ": " + message);
}

const char* const kMembers[] = {"supernetwork", "width", "resolution", "depths", "kernels", "expansions"};

std::vector<int> read_choices(const Json& config, const std::string& what, const char* name, std::size_t size,
                              std::initializer_list<int> allowed) {
  const Json& list = config.at(name);
  if (!list.is_array() || list.size() != size)
    refuse(what, std::string(name) + " must be a list of " + std::to_string(size) + " numbers");
  std::vector<int> values;
  for (const Json& item : list) {
    const auto found =
        std::find_if(allowed.begin(), allowed.end(), [&](int a) { return item.is_number() && item == a; });
    if (found == allowed.end()) {
      std::string choices;
      for (const int a : allowed) choices += (choices.empty() ? "" : ", ") + std::to_string(a);
      refuse(what, std::string(name) + "[" + std::to_string(values.size()) + "] must be one of " + choices);
    }
    values.push_back(*found);
  }
  return values;
}

// Appends layers, keeping track of what the next one gets.
class Chain {
 public:
  Chain(std::vector<Layer>& layers, int resolution) : layers_(layers), side_(resolution), channels_(3) {}

  int channels() const { return channels_; }
  int last() const { return last_; }

  // A convolution that is whole in each sub-network, with batch normalisation.
  Layer convolution(const std::string& name, int outputs, int kernel, Activation activation) const {
    Layer layer;
    layer.name = name;
    layer.inputs = layer.super_inputs = channels_;
    layer.outputs = layer.super_outputs = outputs;
    layer.kernel = layer.super_kernel = kernel;
    layer.activation = activation;
    layer.normalised = true;
    return layer;
  }

  void add(Layer layer) {
    layer.input = last_;
    layer.in_side = side_;
    layer.side = (side_ + layer.stride - 1) / layer.stride;
    channels_ = layer.outputs;
    side_ = layer.side;
    last_ = static_cast<int>(layers_.size());
    layers_.push_back(std::move(layer));
  }

  // Mean over the picture, two small layers, and each channel times what they make of it.
  void add_squeeze(const std::string& name, int super_channels) {
    const int squeezed = last_, channels = channels_, side = side_;
    add_pool(name);
    Layer reduce = convolution(name + ".fc.reduce", divisible(channels / 4), 1, Activation::relu);
    reduce.super_inputs = super_channels;
    reduce.super_outputs = divisible(super_channels / 4);
    reduce.normalised = false;
    reduce.biased = true;
    add(reduce);
    Layer expand = convolution(name + ".fc.expand", channels, 1, Activation::hard_sigmoid);
    expand.super_inputs = reduce.super_outputs;
    expand.super_outputs = super_channels;
    expand.normalised = false;
    expand.biased = true;
    add(expand);

    Layer gate;
    gate.operation = Operation::gate;
    gate.name = name + ".gate";
    gate.inputs = gate.outputs = channels;
    gate.other = last_;
    last_ = squeezed;
    side_ = side;
    add(gate);
  }

  void add_pool(const std::string& name) {
    Layer pool;
    pool.operation = Operation::pool;
    pool.name = name + ".pool";
    pool.inputs = pool.outputs = channels_;
    add(pool);
    side_ = layers_.back().side = 1;
  }

 private:
  std::vector<Layer>& layers_;
  int side_, channels_, last_ = -1;
};

}  // namespace

OfaConfig read_ofa_config(const Json& config, const std::string& what) {
  if (!config.is_object()) refuse(what, "a sub-network must be an object");
  for (const auto& item : config.items())
    if (std::find(std::begin(kMembers), std::end(kMembers), item.key()) == std::end(kMembers))
      refuse(what, "unknown member " + Json(item.key()).dump(-1, ' ', false, Json::error_handler_t::replace));
  for (const char* name : kMembers)
    if (!config.contains(name)) refuse(what, std::string(name) + " is missing");
  if (config["supernetwork"] != "once-for-all-mbv3")
    refuse(what, "supernetwork must be \"once-for-all-mbv3\", the one that the executors know");

  OfaConfig read;
  const Json &width = config["width"], &resolution = config["resolution"];
  if (!width.is_number() || !(width.get<double>() >= 0.25 && width.get<double>() <= 4))
    refuse(what, "width must be a number from 0.25 to 4");
  if (!resolution.is_number() || !(resolution.get<double>() >= 32 && resolution.get<double>() <= 512) ||
      resolution.get<double>() != std::floor(resolution.get<double>()))
    refuse(what, "resolution must be a whole number from 32 to 512");
  read.width = width.get<double>();
  read.resolution = resolution.get<int>();
  read.depths = read_choices(config, what, "depths", kStages, {2, 3, 4});
  read.kernels = read_choices(config, what, "kernels", kStages * kBlocks, {3, 5, 7});
  read.expansions = read_choices(config, what, "expansions", kStages * kBlocks, {3, 4, 6});
  return read;
}

OfaNetwork::OfaNetwork(const OfaConfig& config) : resolution_(config.resolution) {
  Chain chain(layers_, config.resolution);
  const auto wide = [&](int channels) { return divisible(channels * config.width); };

  Layer first = chain.convolution("first_conv", wide(16), 3, Activation::hard_swish);
  first.stride = 2;
  chain.add(first);
  const int stem = chain.last();
  Layer depthwise = chain.convolution("blocks.0.depth_conv", wide(16), 3, Activation::relu);
  depthwise.depthwise = true;
  chain.add(depthwise);
  Layer project = chain.convolution("blocks.0.point_linear", wide(16), 1, Activation::none);
  project.other = stem;
  chain.add(project);

  for (int stage = 0; stage < kStages; ++stage) {
    const Activation activation = stage < kHardSwishFrom ? Activation::relu : Activation::hard_swish;
    for (int block = 0; block < config.depths[stage]; ++block) {
      const int at = kBlocks * stage + block;
      const std::string name = "blocks." + std::to_string(1 + at);
      const int input = chain.last(), channels = chain.channels();
      const int middle = divisible(channels * config.expansions[at]);
      const int super_middle = divisible(channels * kLargestExpansion);

      Layer expand = chain.convolution(name + ".inverted_bottleneck", middle, 1, activation);
      expand.super_outputs = super_middle;
      chain.add(expand);

      depthwise = chain.convolution(name + ".depth_conv", middle, config.kernels[at], activation);
      depthwise.stride = block == 0 ? kStrides[stage] : 1;
      depthwise.depthwise = true;
      depthwise.super_inputs = depthwise.super_outputs = super_middle;
      depthwise.super_kernel = kLargestKernel;
      chain.add(depthwise);

      if (kSqueeze[stage]) chain.add_squeeze(name + ".depth_conv.se", super_middle);

      project = chain.convolution(name + ".point_linear", wide(kWidths[stage]), 1, Activation::none);
      project.super_inputs = super_middle;
      if (depthwise.stride == 1 && channels == project.outputs) project.other = input;
      chain.add(project);
    }
  }

  chain.add(chain.convolution("final_expand_layer", wide(960), 1, Activation::hard_swish));
  chain.add_pool("final");
  Layer mix = chain.convolution("feature_mix_layer", wide(1280), 1, Activation::hard_swish);
  mix.normalised = false;
  chain.add(mix);
  Layer classifier = chain.convolution("classifier", kClasses, 1, Activation::none);
  classifier.normalised = false;
  classifier.biased = true;
  chain.add(classifier);
}

std::int64_t OfaNetwork::parameters() const {
  std::int64_t sum = 0;
  for (const Layer& layer : layers_)
    if (layer.operation == Operation::convolution)
      sum += layer.weights() + (layer.normalised || layer.biased ? layer.outputs : 0);
  return sum;
}

std::int64_t OfaNetwork::macs() const {
  std::int64_t sum = 0;
  for (const Layer& layer : layers_)
    if (layer.operation == Operation::convolution) sum += layer.weights() * layer.side * layer.side;
  return sum;
}

}  // namespace dynasoc::agent
