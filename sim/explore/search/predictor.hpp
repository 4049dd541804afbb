// The published accuracy predictor: a small fully connected network, evaluated in batches.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "explore/search/kernels/predictor_kernel.hpp"
#include "explore/search/supernetwork.hpp"

namespace dynasoc::search {

/// One build of the product kernels. All give the same output but for the last digits of a float: sums are taken in
/// another order, and with one rounding instead of two.
struct KernelBuild {
  std::string_view name;  ///< baseline, avx2 or avx512
  PredictorKernel predict;
  ProductKernel product;
};
/// Those that this processor can run, the fastest last.
std::vector<KernelBuild> kernel_builds();
/// By name; the fastest where it is empty. Throws InputError for one that does not exist or cannot run here.
KernelBuild kernel_build(const std::string& name);

/// Weights and forward pass. Immutable; may be shared between threads.
class Predictor {
 public:
  /// Reads weights and manifest; throws InputError where shapes, offsets or sizes are not those of the architecture
  /// 128-400-400-400-1, or a weight is not finite.
  Predictor(const Supernetwork& supernetwork, const KernelBuild& build);
  explicit Predictor(const Supernetwork& supernetwork) : Predictor(supernetwork, kernel_builds().back()) {}

  /// Scratch of one thread.
  class Workspace {
   public:
    Workspace();
    float* scratch() { return scratch_; }
    unsigned short* samples() { return samples_.data(); }
    float* out() { return out_; }

   private:
    std::vector<float> memory_;
    std::vector<unsigned short> samples_;
    float* scratch_;
    float* out_;
  };

  /// Output of the network for each configuration: a fraction of top-1, as it was trained (held-out training images).
  void predict(std::span<const Configuration> configurations, std::span<double> out, Workspace& workspace) const;

  const KernelBuild& build() const { return build_; }
  /// The second layer's weights, to measure the raw product with.
  const float* second() const { return weights_.second; }

 private:
  std::shared_ptr<const std::vector<float>> memory_;  // that the weights point into: copies share it
  PredictorWeights weights_{};
  KernelBuild build_;
  std::vector<unsigned short> resolution_row_;
};

}  // namespace dynasoc::search
