// Sub-networks of Once-for-All's MobileNet v3 (Cai et al., Once-for-All, ICLR 2020) as a list of layers, which is all
// that an executor needs to build one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../refusal.hpp"

namespace dynasoc::agent {

/// What of the super-network a sub-network takes.
struct OfaConfig {
  double width = 1;             ///< of all channels
  int resolution = 224;         ///< of the input, square
  std::vector<int> depths;      ///< of the 5 stages: 2, 3 or 4 blocks
  std::vector<int> kernels;     ///< of the 20 blocks, 4 a stage, those that are left out included: 3, 5 or 7
  std::vector<int> expansions;  ///< of the 20 blocks: 3, 4 or 6 times the channels of the block's input
};

/// From an object as in a network.json's `config`. `what` names it in messages. Throws Refusal `bad_request`.
OfaConfig read_ofa_config(const Json& config, const std::string& what);

enum class Operation {
  convolution,  ///< with its bias (batch normalisation is folded into both), then `activation`, then the sum with
                ///< `other`
  pool,         ///< mean over the picture
  gate          ///< each channel times that of `other`, which has a picture of one pixel
};

enum class Activation { none, relu, hard_swish, hard_sigmoid };  ///< the hard ones with relu6(x + 3) / 6

/// Its output is the tensor of its own index; tensor -1 is the input picture.
struct Layer {
  Operation operation = Operation::convolution;
  std::string name;  ///< that of its weights, see weights.hpp
  int input = -1;
  int other = kNone;
  Activation activation = Activation::none;
  int inputs = 0, outputs = 0;  ///< channels
  int kernel = 1, stride = 1;   ///< padding is kernel / 2
  bool depthwise = false;       ///< each output channel has but the input channel of its own index
  bool normalised = false;      ///< has batch normalisation
  bool biased = false;          ///< has a bias of its own
  int in_side = 1, side = 1;    ///< of the square pictures that go in and come out
  /// Of the super-network's layer, of which this one is a part: the first channels, and the kernel's centre.
  int super_inputs = 0, super_outputs = 0, super_kernel = 1;

  static constexpr int kNone = -2;
  std::int64_t weights() const { return std::int64_t{1} * outputs * (depthwise ? 1 : inputs) * kernel * kernel; }
};

class OfaNetwork {
 public:
  explicit OfaNetwork(const OfaConfig& config);

  const std::vector<Layer>& layers() const { return layers_; }
  int resolution() const { return resolution_; }
  std::int64_t parameters()
      const;                  ///< learned ones: batch normalisation's scale and shift included, its statistics not
  std::int64_t macs() const;  ///< multiply-accumulates of convolutions and of the classifier

  static constexpr int kClasses = 1000;

 private:
  int resolution_;
  std::vector<Layer> layers_;
};

}  // namespace dynasoc::agent
