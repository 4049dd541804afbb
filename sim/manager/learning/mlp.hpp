// A small multi-layer perceptron that learns while it runs, of a size that a manager can afford between two decisions.
//
// All weights lie in one block: layer by layer, of each first its rows (a row for each output, a number for each of its
// inputs), then its biases. Gradients lie alike. Hidden layers are rectified (ReLU), the last is linear. Nothing is
// allocated after construction.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "common/fields.hpp"
#include "kernel/random.hpp"

namespace dynasoc::manager {

/// A layer as files have it.
struct DenseLayer {
  std::vector<std::vector<double>> weights;
  std::vector<double> bias;
  Where where;

  static constexpr auto fields() {
    using L = DenseLayer;
    return describe(required(&L::weights, "weights", "a row for each output: its weight of each input"),
                    required(&L::bias, "bias", "of each output"));
  }
};

class Mlp {
 public:
  Mlp() = default;

  /// Drawn: `sizes` are inputs, outputs of each layer, at least one layer. The k-th weight of the block, biases not
  /// counted, is uniform within +-sqrt(6 / inputs of its layer), from the k-th draw (He et al., ICCV 2015); biases are
  /// 0.
  Mlp(std::span<const int> sizes, const Stream& draws);

  /// As a file has it. Throws InputError, naming the layer, where it does not take so many inputs or give so many
  /// outputs; there must be at least one layer.
  Mlp(const std::vector<DenseLayer>& layers, int inputs, int outputs);

  /// Outputs for so many inputs; they are valid until the next call.
  std::span<const double> run(std::span<const double> inputs);

  /// Adds to `gradient` what the last `run`'s outputs' share in a loss makes of each weight: `slope` is the derivative
  /// of the loss by each output. At 0 a rectifier counts as shut.
  void differentiate(std::span<const double> slope, std::span<double> gradient);

  std::span<double> weights() { return weights_; }
  std::vector<DenseLayer> layers() const;

 private:
  explicit Mlp(std::span<const int> sizes);
  int layer_count() const { return static_cast<int>(sizes_.size()) - 1; }

  std::vector<int> sizes_;
  std::vector<double> weights_;
  std::vector<std::vector<double>> values_, slopes_;  // by layer, inputs first
};

/// Adam (Kingma and Ba, ICLR 2015) with its published constants: decay .9 and .999, epsilon 1e-8 beside the root of the
/// bias-corrected second moment.
class Adam {
 public:
  Adam() = default;
  Adam(std::size_t weights, double rate) : rate_(rate), first_(weights, 0), second_(weights, 0) {}

  void step(std::span<double> weights, std::span<const double> gradient);

 private:
  static constexpr double kFirst = 0.9, kSecond = 0.999, kEpsilon = 1e-8;
  double rate_ = 0;
  double first_left_ = 1, second_left_ = 1;  // what is left of the zeros that both moments began with
  std::vector<double> first_, second_;
};

}  // namespace dynasoc::manager
