#include "explore/search/predictor.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "common/document.hpp"
#include "common/text.hpp"

namespace dynasoc::search {
namespace {

constexpr std::size_t kInputs = 128;
constexpr std::size_t kSlotInputs = kStages * kSlots * kChoices;  // kernels; as many again for expansions
constexpr std::size_t kResolutionInput = 2 * kSlotInputs;
constexpr std::size_t kResolutionInputs = kInputs - kResolutionInput;
constexpr std::size_t kHiddenUnits = static_cast<std::size_t>(kHidden);
// Rows of the table that the first layer sums: a slot's kernel and expansion together, resolutions, zeros.
constexpr std::size_t kPairRows = kStages * kSlots * kChoices * kChoices;
constexpr std::size_t kZeroRow = kPairRows + kResolutionInputs;

// The first address of `memory` on a 64-byte boundary; there are 16 floats to spare.
float* aligned(std::vector<float>& memory) {
  void* at = memory.data();
  std::size_t room = memory.size() * sizeof(float);
  return static_cast<float*>(std::align(64, 64, at, room));
}

struct Tensor {
  const char* name;
  std::vector<int> shape;
};

}  // namespace

std::vector<KernelBuild> kernel_builds() {
  std::vector<KernelBuild> out{{"baseline", predict_baseline, product_baseline}};
#ifdef DYNASOC_X86_KERNELS
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    out.push_back({"avx2", predict_avx2, product_avx2});
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw"))
    out.push_back({"avx512", predict_avx512, product_avx512});
#endif
  return out;
}

KernelBuild kernel_build(const std::string& name) {
  const auto builds = kernel_builds();
  std::vector<std::string> known;
  for (const KernelBuild& build : builds) {
    if (build.name == name) return build;
    known.emplace_back(build.name);
  }
  if (name.empty()) return builds.back();
  throw InputError("no kernel " + in_quotes(name) + " runs on this processor" + hint(name, known));
}

Predictor::Workspace::Workspace() {
  constexpr std::size_t kScratch = 2 * kHiddenUnits * static_cast<std::size_t>(kBatch);
  memory_.resize(kScratch + static_cast<std::size_t>(kBatch) + 16);
  samples_.resize(static_cast<std::size_t>(kBatch) * static_cast<std::size_t>(kRows),
                  static_cast<unsigned short>(kZeroRow));
  scratch_ = aligned(memory_);
  out_ = scratch_ + kScratch;
}

Predictor::Predictor(const Supernetwork& supernetwork, const KernelBuild& build) : build_(build) {
  const auto& files = supernetwork.file.accuracy_predictor;
  const auto manifest_path = supernetwork.folder / files.manifest;
  const Value manifest{std::shared_ptr<const Document>(Document::load(manifest_path))};
  const auto weights_path = supernetwork.folder / files.weights;
  const std::string bytes = read_file(weights_path);
  const Location weights_file{weights_path.string(), 0, 0, ""};

  const int h = kHidden;
  const std::vector<Tensor> wanted{{"0.weight", {h, static_cast<int>(kInputs)}},
                                   {"0.bias", {h}},
                                   {"2.weight", {h, h}},
                                   {"2.bias", {h}},
                                   {"4.weight", {h, h}},
                                   {"4.bias", {h}},
                                   {"6.weight", {1, h}},
                                   {"6.bias", {1}}};
  const Value tensors = manifest["tensors"];
  if (!tensors.json().is_array() || tensors.json().size() != wanted.size())
    throw tensors.error("must list the " + std::to_string(wanted.size()) + " tensors of 128-400-400-400-1");
  std::vector<std::vector<float>> values;
  for (std::size_t t = 0; t < wanted.size(); ++t) {
    const Value tensor = tensors[t];
    if (read<std::string>(tensor["name"]) != wanted[t].name)
      throw tensor["name"].error(std::string("must be ") + wanted[t].name);
    if (read<std::vector<int>>(tensor["shape"]) != wanted[t].shape)
      throw tensor["shape"].error("is not the shape that 128-400-400-400-1 has there");
    if (read<std::string>(tensor["dtype"]) != "float32-le") throw tensor["dtype"].error("must be float32-le");
    std::size_t count = 1;
    for (const int n : wanted[t].shape) count *= static_cast<std::size_t>(n);
    const auto offset = read<std::size_t>(tensor["offset_bytes"]);
    if (offset > bytes.size() || bytes.size() - offset < 4 * count)
      throw InputError(weights_file, "ends before tensor " + std::string(wanted[t].name) +
                                         " does, which the manifest " + "places at byte " + std::to_string(offset));
    std::vector<float> x(count);
    static_assert(std::endian::native == std::endian::little);
    std::memcpy(x.data(), bytes.data() + offset, 4 * count);
    if (!std::all_of(x.begin(), x.end(), [](float f) { return std::isfinite(f); }))
      throw InputError(weights_file, std::string("tensor ") + wanted[t].name + " holds a number that is not finite");
    values.push_back(std::move(x));
  }
  if (const auto total = read<std::size_t>(manifest["total_bytes"]); total != bytes.size())
    throw InputError(weights_file,
                     "has " + std::to_string(bytes.size()) + " bytes; the manifest says " + std::to_string(total));

  constexpr std::size_t kUnit = (kHiddenUnits + 15) / 16 * 16, kSquare = kHiddenUnits * kHiddenUnits;
  const auto memory =
      std::make_shared<std::vector<float>>((kZeroRow + 1) * kHiddenUnits + 2 * kSquare + 3 * kUnit + 16);
  memory_ = memory;
  float* at = aligned(*memory);
  const auto place = [&at](std::size_t count) {
    float* begin = at;
    at += (count + 15) / 16 * 16;
    return begin;
  };
  float* rows = place((kZeroRow + 1) * kHiddenUnits);
  const auto& first = values[0];
  const auto input = [&](std::size_t unit, std::size_t i) { return first[unit * kInputs + i]; };
  for (std::size_t u = 0; u < kHiddenUnits; ++u) {
    for (std::size_t slot = 0; slot < kStages * kSlots; ++slot)
      for (std::size_t k = 0; k < kChoices; ++k)
        for (std::size_t e = 0; e < kChoices; ++e)
          rows[((slot * kChoices + k) * kChoices + e) * kHiddenUnits + u] =
              input(u, slot * kChoices + k) + input(u, kSlotInputs + slot * kChoices + e);
    for (std::size_t r = 0; r < kResolutionInputs; ++r)
      rows[(kPairRows + r) * kHiddenUnits + u] = input(u, kResolutionInput + r) + values[1][u];
    rows[kZeroRow * kHiddenUnits + u] = 0;
  }
  const auto copy = [&](const std::vector<float>& from) {
    float* to = place(from.size());
    std::copy(from.begin(), from.end(), to);
    return to;
  };
  weights_.rows = rows;
  weights_.second = copy(values[2]);
  weights_.second_bias = copy(values[3]);
  weights_.third = copy(values[4]);
  weights_.third_bias = copy(values[5]);
  weights_.last = copy(values[6]);
  weights_.last_bias = values[7][0];

  for (const int resolution : supernetwork.file.resolutions) {
    const int bucket = (resolution - 112) / 16;
    if (resolution < 112 || bucket >= static_cast<int>(kResolutionInputs))
      throw supernetwork.file.where.error("resolution " + std::to_string(resolution) +
                                          " is outside 112 to 239, which the predictor knows");
    resolution_row_.push_back(static_cast<unsigned short>(kPairRows + static_cast<std::size_t>(bucket)));
  }
}

void Predictor::predict(std::span<const Configuration> configurations, std::span<double> out,
                        Workspace& workspace) const {
  constexpr std::size_t kSize = static_cast<std::size_t>(kBatch), kOn = static_cast<std::size_t>(kRows);
  for (std::size_t begin = 0; begin < configurations.size(); begin += kSize) {
    const std::size_t size = std::min(kSize, configurations.size() - begin);
    for (std::size_t i = 0; i < size; ++i) {
      const Configuration& c = configurations[begin + i];
      unsigned short* on = workspace.samples() + i * kOn;
      *on++ = resolution_row_[c.resolution];
      for (std::size_t s = 0; s < kStages; ++s)
        for (std::size_t j = 0; j < kSlots; ++j) {
          const std::size_t slot = s * kSlots + j;
          *on++ = static_cast<unsigned short>(
              j < c.depth[s] ? (slot * kChoices + c.kernel[slot]) * kChoices + c.expansion[slot] : kZeroRow);
        }
    }
    build_.predict(weights_, workspace.samples(), workspace.scratch(), workspace.out());
    for (std::size_t i = 0; i < size; ++i) out[begin + i] = static_cast<double>(workspace.out()[i]);
  }
}

}  // namespace dynasoc::search
