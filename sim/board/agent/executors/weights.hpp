// The super-network's weights, of which each sub-network uses a part: of a layer the first channels, and of a depthwise
// kernel the centre.
//
// A file has the tensors of once-for-all's own `OFAMobileNetV3.state_dict()`, saved with safetensors.torch.save_file:
//
//   first_conv, final_expand_layer       NAME.conv.weight, NAME.bn.{weight,bias,running_mean,running_var}
//   feature_mix_layer                    NAME.conv.weight
//   classifier                           NAME.linear.{weight,bias}
//   blocks.N.conv.LAYER                  the same, with LAYER inverted_bottleneck, depth_conv, point_linear; N 0 to 20
//   blocks.N.conv.depth_conv.se.fc.PART  PART.{weight,bias}, with PART reduce, expand
//   blocks.N.conv.depth_conv.conv        NAME.7to5_matrix, NAME.5to3_matrix: the optional kernel transform
//
// The doubled names of its dynamic layers (`conv.conv.weight`, `bn.bn.weight`, `linear.linear.weight`) and the older
// `mobile_inverted_conv` for a block's `conv` are read too. Other tensors are let be. Batch normalisation's statistics
// are those of the file; once-for-all estimates them again for each sub-network, which the accuracy needs, but neither
// latency nor power.
//
// Random weights have the variance (He et al., 2015) that leaves the activations' own about as it is, for the part of
// the layer that the sub-network uses, as if batch normalisation had just been estimated for it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ofa_network.hpp"

namespace dynasoc::agent {

/// A convolution's, with batch normalisation folded in.
struct FoldedWeights {
  std::vector<float> weights;  ///< by output, input (one if depthwise), row, column
  std::vector<float> bias;     ///< by output
};

class Weights {
 public:
  virtual ~Weights() = default;
  /// The same for equal layers (name, channels, kernel). Throws Refusal.
  virtual FoldedWeights fold(const Layer& layer) const = 0;
};

/// Made when asked for, not kept; the same on any machine.
std::unique_ptr<Weights> random_weights(std::uint64_t seed);

/// Throws Refusal `io`, `bad_request`.
std::unique_ptr<Weights> file_weights(const std::string& path);

/// A picture for a sub-network, by channel, row, column; between -1.8 and 1.8, as normalised photographs roughly are.
std::vector<float> random_picture(std::uint64_t seed, int resolution);

}  // namespace dynasoc::agent
