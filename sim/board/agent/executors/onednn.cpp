// onednn: oneDNN's primitives, called directly, in 32-bit floating point.
//
// A network is built in one memory layout as a whole, the first of `kLayouts` in which none of its layers falls back to
// one of oneDNN's reference implementations, which are correct and 5 to 800 times slower. Blocks of 16 channels are for
// AVX-512, where they are a tenth faster than NHWC; blocks of 8 for older processors.
//
// What would be layers of their own is done by convolutions: batch normalisation is in the weights, activations and
// residuals (as a sum into the buffer that holds the block's input; a binary post-operation has no fast implementation
// everywhere) are post-operations. Weights are in the layout that the convolution chose, so that a sub-network's cannot
// be a view of the super-network's; but layers that are equal in several sub-networks (name, channels, kernel) and have
// the same layout, usually all the large ones at the end, have theirs once. Activations of all sub-networks are in the
// same buffers.
//
// With several threads, those that have finished their part of a layer wait for the others spinning. Sleeping
// instead takes 1.4 to 2.8 times as long on CPUs of one's own, but spinning is many times slower where something else
// takes one of them away: GOMP_SPINCOUNT=0 in the agent's environment makes them sleep.
#ifdef DYNASOC_AGENT_ONEDNN

#include <omp.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>
#include <tuple>

#include <dnnl.hpp>

#include "../clock.hpp"
#include "factories.hpp"
#include "prepare.hpp"

#if DNNL_VERSION_MAJOR != 2
#error "written for oneDNN 2 (Debian 12: libdnnl-dev 2.6)"
#endif
#if DNNL_CPU_THREADING_RUNTIME != DNNL_RUNTIME_OMP
#error "oneDNN must be built with OpenMP: the number of threads is set through it"
#endif

namespace dynasoc::agent {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;
constexpr auto kFloat = memory::data_type::f32;
constexpr std::size_t kAlignment = 64;

struct Layout {
  Tag picture, tensor;
};
const Layout kLayouts[] = {{Tag::nchw, Tag::nChw16c}, {Tag::nchw, Tag::nChw8c}, {Tag::nhwc, Tag::nhwc}};

class Buffer {
 public:
  explicit Buffer(std::size_t bytes) : data_(std::aligned_alloc(kAlignment, rounded(bytes))) {
    if (!data_) throw std::bad_alloc();
    std::fill_n(static_cast<char*>(data_.get()), rounded(bytes), '\0');
  }
  void* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(void* data) const { std::free(data); }
  };
  static std::size_t rounded(std::size_t bytes) {
    return std::max(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  }
  std::unique_ptr<void, Free> data_;
};

memory::desc tensor_desc(int channels, int side, Tag tag) { return {{1, channels, side, side}, kFloat, tag}; }

class OneDnn final : public Executor {
 public:
  Json load(const LoadRequest& request) override {
    const double before_mb = resident_mb();
    const Prepared prepared = prepare(request);
    threads_ = request.threads;
    omp_set_num_threads(threads_);
    Json subnets = Json::object();
    try {
      for (const auto& entry : prepared.networks) {
        const std::int64_t begin_ns = now_ns();
        build(entry.second, *prepared.weights, request.seed, subnets_[entry.first]);
        subnets[entry.first] = built(entry.second, static_cast<double>(now_ns() - begin_ns) / 1e6);
      }
      bind();
    } catch (const dnnl::error& error) {
      throw Refusal("worker", std::string("oneDNN: ") + error.what());
    }
    return {{"subnets", subnets}, {"memory_mb", resident_mb() - before_mb}, {"shared_weights", shared_weights_}};
  }

  void infer(const std::string& name) override {
    const auto found = subnets_.find(name);
    if (found == subnets_.end()) throw Refusal("not_found", "no sub-network \"" + name + "\" is loaded");
    omp_set_num_threads(threads_);  // of the calling thread
    for (const Step& step : found->second.steps)
      if (dnnl_primitive_execute(step.primitive.get(), stream_.get(), static_cast<int>(step.arguments.size()),
                                 step.arguments.data()) != dnnl_success)
        throw Refusal("worker", "oneDNN: layer " + step.layer + " failed");
    stream_.wait();
    last_ = &found->second;
  }

  std::vector<float> output() const override {
    if (!last_) return {};
    const auto* logits = static_cast<const float*>(slots_[last_->output].data());
    return {logits, logits + OfaNetwork::kClasses};  // one pixel: channels are in order in each layout
  }

 private:
  static constexpr int kPicture = -1, kScratchpad = -2;

  // An argument of a primitive: memory of its own, or one of the buffers that all share.
  struct Argument {
    int id;
    memory::desc desc;
    int slot;
  };

  struct Step {
    std::string layer;
    dnnl::primitive primitive;
    std::vector<Argument> shared;
    std::vector<memory> memories;  // that `arguments` refers to
    std::vector<dnnl_exec_arg_t> arguments;
  };

  struct Subnet {
    std::vector<Step> steps;
    std::unique_ptr<Buffer> picture;
    int output = 0;
  };

  struct LayerWeights {
    memory bias;
    std::vector<memory> weights;  // in as many layouts as were asked for
  };

  // Which buffer each tensor is in: one that nobody reads any more.
  static std::vector<int> slots_of(const std::vector<Layer>& layers) {
    const auto count = static_cast<int>(layers.size());
    std::vector<int> last_use(layers.size(), count), slots(layers.size());
    for (int i = 0; i < count; ++i)
      for (const int read : {layers[i].input, layers[i].other})
        if (read >= 0) last_use[read] = i;
    std::vector<bool> taken;
    for (int i = 0; i < count; ++i) {
      const Layer& layer = layers[i];
      const int reused = layer.operation == Operation::gate ? layer.input : layer.other;
      if (reused >= 0) {
        slots[i] = slots[reused];
      } else {
        const auto free = std::find(taken.begin(), taken.end(), false);
        slots[i] = static_cast<int>(free - taken.begin());
        if (free == taken.end()) taken.push_back(true);
        taken[slots[i]] = true;
      }
      for (const int read : {layer.input, layer.other})
        if (read >= 0 && last_use[read] == i && slots[read] != slots[i]) taken[slots[read]] = false;
    }
    return slots;
  }

  void build(const OfaNetwork& network, const Weights& weights, std::uint64_t seed, Subnet& subnet) {
    std::string slow;
    for (const Layout& layout : kLayouts) {
      slow.clear();
      std::vector<dnnl::primitive_desc_base> made;
      for (const Layer& layer : network.layers()) {
        std::string implementation = "none";
        try {
          made.push_back(describe(layer, layout));
          implementation = made.back().impl_info_str();
        } catch (const dnnl::error& error) {
          if (error.status != dnnl_unimplemented) throw;
        }
        if (implementation == "none" || implementation.find("ref") != std::string::npos) {
          slow = layer.name + " (" + implementation + ")";
          break;
        }
      }
      if (!slow.empty()) continue;
      assemble(network, weights, layout, made, subnet);
      place_picture(random_picture(seed, network.resolution()), network.resolution(), layout, subnet);
      return;
    }
    throw Refusal("worker", "oneDNN has no fast implementation on this processor of layer " + slow);
  }

  dnnl::primitive_desc_base describe(const Layer& layer, const Layout& layout) const {
    const memory::desc source =
        tensor_desc(layer.inputs, layer.in_side, layer.input < 0 ? layout.picture : layout.tensor);
    const memory::desc result = tensor_desc(layer.outputs, layer.side, layout.tensor);
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const auto forward = dnnl::prop_kind::forward_inference;

    if (layer.operation == Operation::pool) {
      const memory::dims whole{layer.in_side, layer.in_side}, one{1, 1}, none{0, 0};
      return dnnl::pooling_forward::primitive_desc(
          {forward, dnnl::algorithm::pooling_avg_exclude_padding, source, result, one, whole, none, none}, attributes,
          engine_);
    }
    if (layer.operation == Operation::gate)
      return dnnl::binary::primitive_desc(
          {dnnl::algorithm::binary_mul, source, tensor_desc(layer.outputs, 1, layout.tensor), result}, attributes,
          engine_);

    dnnl::post_ops after;
    switch (layer.activation) {
      case Activation::none: break;
      case Activation::relu: after.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0); break;
      case Activation::hard_swish: after.append_eltwise(1, dnnl::algorithm::eltwise_hardswish, 0, 0); break;
      case Activation::hard_sigmoid:
        after.append_eltwise(1, dnnl::algorithm::eltwise_linear, 1.0f / 6, 0.5f);
        after.append_eltwise(1, dnnl::algorithm::eltwise_clip, 0, 1);
        break;
    }
    if (layer.other >= 0) after.append_sum(1);
    attributes.set_post_ops(after);
    const int padding = layer.kernel / 2;
    const memory::dims strides{layer.stride, layer.stride}, pad{padding, padding};
    return dnnl::convolution_forward::primitive_desc({forward,
                                                      dnnl::algorithm::convolution_direct,
                                                      source,
                                                      {weight_dims(layer), kFloat, Tag::any},
                                                      {{layer.outputs}, kFloat, Tag::a},
                                                      result,
                                                      strides,
                                                      pad,
                                                      pad},
                                                     attributes, engine_);
  }

  static memory::dims weight_dims(const Layer& layer) {
    if (layer.depthwise) return {layer.outputs, 1, 1, layer.kernel, layer.kernel};
    return {layer.outputs, layer.inputs, layer.kernel, layer.kernel};
  }

  void assemble(const OfaNetwork& network, const Weights& weights, const Layout& layout,
                const std::vector<dnnl::primitive_desc_base>& made, Subnet& subnet) {
    const std::vector<Layer>& layers = network.layers();
    const std::vector<int> slots = slots_of(layers);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const Layer& layer = layers[i];
      const dnnl::primitive_desc_base& how = made[i];
      Step step;
      step.layer = layer.name;
      step.primitive = dnnl::primitive(how.get());
      const bool gate = layer.operation == Operation::gate;
      share(step, gate ? DNNL_ARG_SRC_0 : DNNL_ARG_SRC,
            tensor_desc(layer.inputs, layer.in_side, layer.input < 0 ? layout.picture : layout.tensor),
            layer.input < 0 ? kPicture : slots[layer.input]);
      if (gate) share(step, DNNL_ARG_SRC_1, tensor_desc(layer.outputs, 1, layout.tensor), slots[layer.other]);
      share(step, DNNL_ARG_DST, tensor_desc(layer.outputs, layer.side, layout.tensor), slots[i]);
      const memory::desc scratchpad = how.query_md(dnnl::query::scratchpad_md);
      if (scratchpad.get_size() > 0) share(step, DNNL_ARG_SCRATCHPAD, scratchpad, kScratchpad);
      if (layer.operation == Operation::convolution) {
        const LayerWeights& own = weights_of(layer, weights, how.query_md(dnnl::query::weights_md, 0), step);
        add_argument(step, DNNL_ARG_BIAS, own.bias);
      }
      subnet.steps.push_back(std::move(step));
    }
    subnet.output = slots.back();
  }

  void share(Step& step, int id, const memory::desc& desc, int slot) {
    step.shared.push_back({id, desc, slot});
    if (slot == kPicture) return;
    if (slot != kScratchpad && slot_sizes_.size() <= static_cast<std::size_t>(slot)) slot_sizes_.resize(slot + 1);
    std::size_t& size = slot == kScratchpad ? scratchpad_size_ : slot_sizes_[slot];
    size = std::max(size, desc.get_size());
  }

  static void add_argument(Step& step, int id, const memory& what) {
    step.memories.push_back(what);
    step.arguments.push_back({id, what.get()});
  }

  const LayerWeights& weights_of(const Layer& layer, const Weights& weights, const memory::desc& wanted, Step& step) {
    const auto key = std::make_tuple(layer.name, layer.inputs, layer.outputs, layer.kernel);
    LayerWeights& own = weights_[key];
    const auto found = std::find_if(own.weights.begin(), own.weights.end(),
                                    [&](const memory& there) { return there.get_desc() == wanted; });
    if (found != own.weights.end()) {
      shared_weights_ = true;
      add_argument(step, DNNL_ARG_WEIGHTS, *found);
      return own;
    }
    FoldedWeights folded = weights.fold(layer);
    const memory plain({weight_dims(layer), kFloat, layer.depthwise ? Tag::goihw : Tag::oihw}, engine_,
                       folded.weights.data());
    memory placed(wanted, engine_);
    dnnl::reorder(plain, placed).execute(stream_, const_cast<memory&>(plain), placed);
    stream_.wait();
    if (own.weights.empty()) {
      own.bias = memory({{layer.outputs}, kFloat, Tag::a}, engine_);
      std::copy(folded.bias.begin(), folded.bias.end(), static_cast<float*>(own.bias.get_data_handle()));
    }
    own.weights.push_back(placed);
    add_argument(step, DNNL_ARG_WEIGHTS, placed);
    return own;
  }

  void place_picture(const std::vector<float>& picture, int side, const Layout& layout, Subnet& subnet) const {
    subnet.picture = std::make_unique<Buffer>(picture.size() * sizeof(float));
    auto* placed = static_cast<float*>(subnet.picture->data());
    const std::size_t pixels = std::size_t{1} * side * side;
    for (std::size_t channel = 0; channel < 3; ++channel)
      for (std::size_t pixel = 0; pixel < pixels; ++pixel)
        placed[layout.picture == Tag::nhwc ? pixel * 3 + channel : channel * pixels + pixel] =
            picture[channel * pixels + pixel];
  }

  // Makes the buffers, now that their sizes are known, and arguments of them.
  void bind() {
    for (const std::size_t size : slot_sizes_) slots_.emplace_back(size);
    scratchpad_ = std::make_unique<Buffer>(scratchpad_size_);
    for (auto& entry : subnets_)
      for (Step& step : entry.second.steps)
        for (const Argument& argument : step.shared) {
          const Buffer& buffer = argument.slot == kPicture      ? *entry.second.picture
                                 : argument.slot == kScratchpad ? *scratchpad_
                                                                : slots_[argument.slot];
          add_argument(step, argument.id, memory(argument.desc, engine_, buffer.data()));
        }
  }

  int threads_ = 1;
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  std::map<std::tuple<std::string, int, int, int>, LayerWeights> weights_;
  bool shared_weights_ = false;
  std::vector<std::size_t> slot_sizes_;
  std::size_t scratchpad_size_ = 0;
  std::vector<Buffer> slots_;
  std::unique_ptr<Buffer> scratchpad_;
  std::map<std::string, Subnet> subnets_;
  const Subnet* last_ = nullptr;
};

}  // namespace

std::unique_ptr<Executor> make_onednn() { return std::make_unique<OneDnn>(); }

}  // namespace dynasoc::agent

#endif
