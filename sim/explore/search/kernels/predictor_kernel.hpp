// The inner loop of the accuracy predictor, compiled once for each instruction set. Plain pointers only: files compiled
// for other processors than the rest of the program may share no inline function with it.
#pragma once

namespace dynasoc::search {

constexpr int kHidden = 400;  ///< width of the three hidden layers
constexpr int kBatch = 128;   ///< samples a call: always the same shape, so that a sample's output does not depend
                              ///< on which others are evaluated with it
constexpr int kRows = 21;     ///< rows of the first layer a sample sums: 20 slots and the resolution

/// Weights as the kernels want them. `rows`: sums of first-layer columns, kHidden floats each, one for each slot,
/// kernel and expansion, one for each resolution (with the bias), and one of zeros. `second` and `third`: kHidden x
/// kHidden, stored by output. All 64-byte aligned.
struct PredictorWeights {
  const float* rows;
  const float* second;
  const float* second_bias;
  const float* third;
  const float* third_bias;
  const float* last;
  float last_bias;
};

/// out[i] = output of the network for sample i < kBatch, whose kRows row numbers stand at `samples + i * kRows`.
/// `scratch`: 2 * kHidden * kBatch floats, 64-byte aligned.
using PredictorKernel = void (*)(const PredictorWeights& weights, const unsigned short* samples, float* scratch,
                                 float* out);
/// out = weights * in for kHidden x kHidden by kHidden x kBatch: Eigen's product alone, to compare speed with.
using ProductKernel = void (*)(const float* weights, const float* in, float* out);

void predict_baseline(const PredictorWeights& weights, const unsigned short* samples, float* scratch, float* out);
void product_baseline(const float* weights, const float* in, float* out);
#ifdef DYNASOC_X86_KERNELS
void predict_avx2(const PredictorWeights& weights, const unsigned short* samples, float* scratch, float* out);
void product_avx2(const float* weights, const float* in, float* out);
void predict_avx512(const PredictorWeights& weights, const unsigned short* samples, float* scratch, float* out);
void product_avx512(const float* weights, const float* in, float* out);
#endif

}  // namespace dynasoc::search
