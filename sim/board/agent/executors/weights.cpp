#include "weights.hpp"

#include <cmath>
#include <map>

#include "safetensors.hpp"

namespace dynasoc::agent {
namespace {

constexpr float kEpsilon = 1e-5f;  // of batch normalisation

// Uniform, of mean 0 and variance 1: a hash (splitmix64) of name and index, so that a value does not depend on which
// others are made.
class Noise {
 public:
  Noise(std::uint64_t seed, const std::string& name) : key_(mix(seed + 0x9e3779b97f4a7c15u)) {
    for (const char c : name) key_ = mix(key_ ^ static_cast<unsigned char>(c));
  }
  float operator()(std::uint64_t index) const {
    const auto bits = static_cast<std::int32_t>(mix(key_ + index * 0x9e3779b97f4a7c15u) >> 40);  // 24 of them: exact
    return static_cast<float>(bits - (1 << 23)) * (1.7320508f * 0x1p-23f);
  }

 private:
  static std::uint64_t mix(std::uint64_t x) {
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
  }
  std::uint64_t key_;
};

// Visits the part of the super-network's layer that `layer` uses, in order, with the index in the whole.
template <class Visit>
void each_weight(const Layer& layer, Visit visit) {
  const int inputs = layer.depthwise ? 1 : layer.inputs, super_inputs = layer.depthwise ? 1 : layer.super_inputs;
  const int start = (layer.super_kernel - layer.kernel) / 2, super_kernel = layer.super_kernel;
  for (int o = 0; o < layer.outputs; ++o)
    for (int i = 0; i < inputs; ++i)
      for (int row = start; row < start + layer.kernel; ++row)
        for (int column = start; column < start + layer.kernel; ++column)
          visit(((static_cast<std::size_t>(o) * super_inputs + i) * super_kernel + row) * super_kernel + column);
}

class RandomWeights final : public Weights {
 public:
  explicit RandomWeights(std::uint64_t seed) : seed_(seed) {}

  FoldedWeights fold(const Layer& layer) const override {
    FoldedWeights folded;
    const Noise weight(seed_, layer.name + ".weight"), bias(seed_, layer.name + ".bias");
    const int fan_in = (layer.depthwise ? 1 : layer.inputs) * layer.kernel * layer.kernel;
    const bool rectified = layer.activation == Activation::relu || layer.activation == Activation::hard_swish;
    const float scale = std::sqrt((rectified ? 2.0f : 1.0f) / static_cast<float>(fan_in));
    folded.weights.reserve(static_cast<std::size_t>(layer.weights()));
    each_weight(layer, [&](std::size_t index) { folded.weights.push_back(weight(index) * scale); });
    folded.bias.resize(static_cast<std::size_t>(layer.outputs));
    if (layer.normalised || layer.biased)
      for (std::size_t o = 0; o < folded.bias.size(); ++o) folded.bias[o] = bias(o) * 0.125f;
    return folded;
  }

 private:
  std::uint64_t seed_;
};

void replace(std::string& text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  if (at != std::string::npos) text.replace(at, from.size(), to);
}

class FileWeights final : public Weights {
 public:
  explicit FileWeights(const std::string& path) : file_(path) {
    for (const std::string& name : file_.names()) {
      std::string plain = name;
      replace(plain, ".mobile_inverted_conv.", ".conv.");
      replace(plain, ".conv.conv.weight", ".conv.weight");
      replace(plain, ".bn.bn.", ".bn.");
      replace(plain, ".linear.linear.", ".linear.");
      if (!names_.emplace(plain, name).second)
        throw Refusal("bad_request", path + ": " + name + " and " + names_[plain] + " are the same tensor");
    }
  }

  FoldedWeights fold(const Layer& layer) const override {
    // blocks.3.depth_conv of a layer is blocks.3.conv.depth_conv of the file.
    std::string name = layer.name;
    const bool block = name.compare(0, 7, "blocks.") == 0, linear = name == "classifier";
    if (block) name.insert(name.find('.', 7), ".conv");
    const bool part = name.find(".se.fc.") != std::string::npos;
    const std::string own = part ? name : name + (linear ? ".linear" : ".conv");

    const std::int64_t super_outputs = layer.super_outputs, super_inputs = layer.depthwise ? 1 : layer.super_inputs;
    std::vector<std::int64_t> shape{super_outputs, super_inputs};
    if (!linear) shape.insert(shape.end(), 2, layer.super_kernel);
    const std::vector<float> whole = read(own + ".weight", shape);

    FoldedWeights folded;
    if (layer.kernel < layer.super_kernel && names_.count(own + ".7to5_matrix"))
      folded.weights = transformed(layer, own, whole);
    else
      each_weight(layer, [&](std::size_t index) { folded.weights.push_back(whole[index]); });

    folded.bias.resize(static_cast<std::size_t>(layer.outputs));
    if (layer.biased) {
      const std::vector<float> bias = read(own + ".bias", {super_outputs});
      std::copy_n(bias.begin(), layer.outputs, folded.bias.begin());
    }
    if (layer.normalised) normalise(folded, layer, name + ".bn.");
    for (const std::vector<float>* values : {&folded.weights, &folded.bias})
      for (const float value : *values)
        if (!std::isfinite(value))
          throw Refusal("bad_request", "layer " + layer.name + " has weights that are not finite");
    return folded;
  }

 private:
  std::vector<float> read(const std::string& plain, const std::vector<std::int64_t>& shape) const {
    const auto found = names_.find(plain);
    return file_.read(found == names_.end() ? plain : found->second, shape);
  }

  // Once-for-all's kernel transform: each smaller kernel is the centre of the next larger, as a vector, times a learned
  // matrix that all channels of the layer share.
  std::vector<float> transformed(const Layer& layer, const std::string& own, const std::vector<float>& whole) const {
    std::vector<float> kernels(
        whole.begin(), whole.begin() + std::ptrdiff_t{1} * layer.outputs * layer.super_kernel * layer.super_kernel);
    for (int from = layer.super_kernel; from > layer.kernel; from -= 2) {
      const int to = from - 2, size = to * to;
      const std::vector<float> matrix =
          read(own + "." + std::to_string(from) + "to" + std::to_string(to) + "_matrix", {size, size});
      std::vector<float> smaller(static_cast<std::size_t>(layer.outputs) * size);
      for (int o = 0; o < layer.outputs; ++o)
        for (int row = 0; row < size; ++row) {
          float sum = 0;
          for (int column = 0; column < size; ++column)
            sum += matrix[row * size + column] *
                   kernels[(static_cast<std::size_t>(o) * from + 1 + column / to) * from + 1 + column % to];
          smaller[static_cast<std::size_t>(o) * size + row] = sum;
        }
      kernels = std::move(smaller);
    }
    return kernels;
  }

  void normalise(FoldedWeights& folded, const Layer& layer, const std::string& name) const {
    const std::vector<std::int64_t> shape{layer.super_outputs};
    const std::vector<float> scale = read(name + "weight", shape), shift = read(name + "bias", shape),
                             mean = read(name + "running_mean", shape), variance = read(name + "running_var", shape);
    const std::size_t each = folded.weights.size() / folded.bias.size();
    for (std::size_t o = 0; o < folded.bias.size(); ++o) {
      const float factor = scale[o] / std::sqrt(variance[o] + kEpsilon);
      for (std::size_t i = 0; i < each; ++i) folded.weights[o * each + i] *= factor;
      folded.bias[o] = shift[o] - mean[o] * factor;
    }
  }

  SafeTensors file_;
  std::map<std::string, std::string> names_;  // as in the file, by plain name
};

}  // namespace

std::unique_ptr<Weights> random_weights(std::uint64_t seed) { return std::make_unique<RandomWeights>(seed); }

std::unique_ptr<Weights> file_weights(const std::string& path) { return std::make_unique<FileWeights>(path); }

std::vector<float> random_picture(std::uint64_t seed, int resolution) {
  const Noise noise(seed, "picture");
  std::vector<float> picture(std::size_t{3} * resolution * resolution);
  for (std::size_t i = 0; i < picture.size(); ++i) picture[i] = noise(i);
  return picture;
}

}  // namespace dynasoc::agent
