// A sub-network as an ONNX model, weights included, in memory: operator set 13 (ONNX 1.8, ONNX Runtime 1.6 or later).
#pragma once

#include <string>

#include "ofa_network.hpp"
#include "weights.hpp"

namespace dynasoc::agent {

/// Input `picture` (1, 3, resolution, resolution), output `logits` (1, 1000).
std::string onnx_model(const OfaNetwork& network, const Weights& weights);

}  // namespace dynasoc::agent
