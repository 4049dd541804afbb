// Body of the predictor's kernels. The including file defines DYNASOC_KERNEL(name) and has renamed Eigen's namespace,
// so that its templates, compiled for one instruction set, are never taken for those of another.
//
// Blocks of products are sized for caches of common sizes and not for those that are found: the order of a sum, and
// with it the last digits, then depends on the instruction set alone.
#define EIGEN_NO_CPUID
#include <Eigen/Core>

#include "explore/search/kernels/predictor_kernel.hpp"

namespace dynasoc::search {

namespace {

using Weights = Eigen::Map<const Eigen::Matrix<float, kHidden, kHidden, Eigen::RowMajor>, Eigen::Aligned64>;
using Bias = Eigen::Map<const Eigen::Matrix<float, kHidden, 1>, Eigen::Aligned64>;
using Batch = Eigen::Map<Eigen::Matrix<float, kHidden, kBatch>, Eigen::Aligned64>;
using Input = Eigen::Map<const Eigen::Matrix<float, kHidden, kBatch>, Eigen::Aligned64>;

}  // namespace

void DYNASOC_KERNEL(predict)(const PredictorWeights& weights, const unsigned short* samples, float* scratch,
                             float* out) {
  Batch a(scratch), b(scratch + kHidden * kBatch);
  // The first layer's input is 0 or 1: its product is a sum of the columns that are on.
  for (int i = 0; i < kBatch; ++i) {
    const unsigned short* on = samples + i * kRows;
    float* sum = scratch + i * kHidden;
    constexpr int kBlock = 80;  // stays in registers
    for (int from = 0; from < kHidden; from += kBlock) {
      using Block = Eigen::Map<const Eigen::Array<float, kBlock, 1>, Eigen::Aligned64>;
      Eigen::Array<float, kBlock, 1> block = Block(weights.rows + on[0] * kHidden + from);
      for (int row = 1; row < kRows; ++row) block += Block(weights.rows + on[row] * kHidden + from);
      Eigen::Map<Eigen::Array<float, kBlock, 1>, Eigen::Aligned64>(sum + from) = block.max(0.0f);
    }
  }
  b.noalias() = Weights(weights.second) * a;
  b = (b.colwise() + Bias(weights.second_bias)).cwiseMax(0.0f);
  a.noalias() = Weights(weights.third) * b;
  a = (a.colwise() + Bias(weights.third_bias)).cwiseMax(0.0f);
  for (int i = 0; i < kBatch; ++i) out[i] = a.col(i).dot(Bias(weights.last)) + weights.last_bias;
}

void DYNASOC_KERNEL(product)(const float* weights, const float* in, float* out) {
  Batch(out).noalias() = Weights(weights) * Input(in);
}

}  // namespace dynasoc::search
