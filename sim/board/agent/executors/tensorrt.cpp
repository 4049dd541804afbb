// tensorrt: TensorRT 8 on a Jetson's GPU, in 16-bit floating point where the GPU is quicker with it.
//
// NEVER COMPILED OR RUN BY ITS AUTHORS, who had neither a Jetson nor TensorRT: written against the public documentation
// of TensorRT 8 (JetPack 4.6 to 5.1), and left out of the build unless DYNASOC_AGENT_TENSORRT is set. Whoever runs it
// first should compare output() with that of executor `onnxruntime`.
//
// Engines are built when they are loaded (minutes, for large ones: the library times its kernels) and stay resident,
// each with its own weights. `threads` means nothing here: one thread launches the work.
#ifdef DYNASOC_AGENT_TENSORRT

#include <NvInfer.h>
#include <cuda_runtime_api.h>

#include <iostream>
#include <map>

#include "../clock.hpp"
#include "factories.hpp"
#include "prepare.hpp"

#if NV_TENSORRT_MAJOR != 8
#error "written for TensorRT 8"
#endif

namespace dynasoc::agent {
namespace {

namespace trt = nvinfer1;

class Logger final : public trt::ILogger {
 public:
  void log(Severity severity, const char* message) noexcept override {
    if (severity <= Severity::kERROR) std::cerr << "TensorRT: " << message << "\n";
  }
};

void check(cudaError_t status, const char* what) {
  if (status != cudaSuccess) throw Refusal("worker", std::string("CUDA: ") + what + ": " + cudaGetErrorString(status));
}

template <class Pointer>
Pointer made(Pointer&& pointer, const std::string& what) {
  if (!pointer) throw Refusal("worker", "TensorRT: " + what + " failed");
  return std::forward<Pointer>(pointer);
}

class DeviceBuffer {
 public:
  explicit DeviceBuffer(std::size_t floats) { check(cudaMalloc(&data_, floats * sizeof(float)), "cudaMalloc"); }
  ~DeviceBuffer() { cudaFree(data_); }
  DeviceBuffer(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(const DeviceBuffer&) = delete;
  void* data() const { return data_; }

 private:
  void* data_ = nullptr;
};

class Stream {
 public:
  Stream() { check(cudaStreamCreate(&stream_), "cudaStreamCreate"); }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  cudaStream_t get() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

trt::Weights view(const std::vector<float>& values) {
  return {trt::DataType::kFLOAT, values.data(), static_cast<std::int64_t>(values.size())};
}

class TensorRt final : public Executor {
 public:
  Json load(const LoadRequest& request) override {
    const double before_mb = used_mb();
    const Prepared prepared = prepare(request);
    runtime_.reset(made(trt::createInferRuntime(logger_), "createInferRuntime"));
    stream_ = std::make_unique<Stream>();
    Json subnets = Json::object();
    for (const auto& item : prepared.networks) {
      const std::int64_t begin_ns = now_ns();
      build(item.second, *prepared.weights, request.seed, subnets_[item.first]);
      subnets[item.first] = built(item.second, static_cast<double>(now_ns() - begin_ns) / 1e6);
    }
    return {{"subnets", subnets}, {"memory_mb", used_mb() - before_mb}, {"shared_weights", false}};
  }

  void infer(const std::string& name) override {
    const auto found = subnets_.find(name);
    if (found == subnets_.end()) throw Refusal("not_found", "no sub-network \"" + name + "\" is loaded");
    Subnet& subnet = found->second;
    if (!subnet.context->enqueueV2(subnet.bindings, stream_->get(), nullptr))
      throw Refusal("worker", "TensorRT: enqueueV2 failed");
    check(cudaMemcpyAsync(subnet.logits.data(), subnet.output->data(), subnet.logits.size() * sizeof(float),
                          cudaMemcpyDeviceToHost, stream_->get()),
          "cudaMemcpyAsync");
    check(cudaStreamSynchronize(stream_->get()), "cudaStreamSynchronize");
    last_ = &subnet;
  }

  std::vector<float> output() const override { return last_ ? last_->logits : std::vector<float>(); }

 private:
  struct Subnet {
    std::unique_ptr<trt::ICudaEngine> engine;
    std::unique_ptr<trt::IExecutionContext> context;
    std::unique_ptr<DeviceBuffer> picture, output;
    std::vector<float> logits;
    void* bindings[2] = {};
  };

  // Of the GPU, which on a Jetson has the board's memory: what other programs take meanwhile is counted too.
  static double used_mb() {
    std::size_t free = 0, total = 0;
    check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
    return static_cast<double>(total - free) / 1e6;
  }

  static trt::ITensor* activate(trt::INetworkDefinition& network, Activation activation, trt::ITensor* input) {
    if (activation == Activation::none) return input;
    const bool relu = activation == Activation::relu;
    trt::IActivationLayer* layer =
        made(network.addActivation(*input, relu ? trt::ActivationType::kRELU : trt::ActivationType::kHARD_SIGMOID),
             "addActivation");
    if (relu) return layer->getOutput(0);
    layer->setAlpha(1.0f / 6);
    layer->setBeta(0.5f);
    if (activation == Activation::hard_sigmoid) return layer->getOutput(0);
    return combine(network, trt::ElementWiseOperation::kPROD, input, layer->getOutput(0));
  }

  static trt::ITensor* combine(trt::INetworkDefinition& network, trt::ElementWiseOperation operation,
                               trt::ITensor* left, trt::ITensor* right) {
    return made(network.addElementWise(*left, *right, operation), "addElementWise")->getOutput(0);
  }

  // `kept`: the builder reads weights as late as when it builds.
  static trt::ITensor* add(trt::INetworkDefinition& network, const Layer& layer, trt::ITensor* input,
                           trt::ITensor* other, const Weights& weights, std::vector<FoldedWeights>& kept) {
    if (layer.operation == Operation::pool) {
      constexpr std::uint32_t kRowsAndColumns = 1u << 2 | 1u << 3;
      return made(network.addReduce(*input, trt::ReduceOperation::kAVG, kRowsAndColumns, true), layer.name)
          ->getOutput(0);
    }
    if (layer.operation == Operation::gate) return combine(network, trt::ElementWiseOperation::kPROD, input, other);
    kept.push_back(weights.fold(layer));
    trt::IConvolutionLayer* convolution =
        made(network.addConvolutionNd(*input, layer.outputs, trt::DimsHW{layer.kernel, layer.kernel},
                                      view(kept.back().weights), view(kept.back().bias)),
             layer.name);
    convolution->setName(layer.name.c_str());
    convolution->setStrideNd(trt::DimsHW{layer.stride, layer.stride});
    convolution->setPaddingNd(trt::DimsHW{layer.kernel / 2, layer.kernel / 2});
    if (layer.depthwise) convolution->setNbGroups(layer.outputs);
    trt::ITensor* result = activate(network, layer.activation, convolution->getOutput(0));
    return other ? combine(network, trt::ElementWiseOperation::kSUM, result, other) : result;
  }

  void build(const OfaNetwork& architecture, const Weights& weights, std::uint64_t seed, Subnet& subnet) {
    const std::unique_ptr<trt::IBuilder> builder(made(trt::createInferBuilder(logger_), "createInferBuilder"));
    constexpr auto kExplicitBatch = 1u << static_cast<unsigned>(trt::NetworkDefinitionCreationFlag::kEXPLICIT_BATCH);
    const std::unique_ptr<trt::INetworkDefinition> network(
        made(builder->createNetworkV2(kExplicitBatch), "createNetworkV2"));
    const int side = architecture.resolution();
    trt::ITensor* picture =
        made(network->addInput("picture", trt::DataType::kFLOAT, trt::Dims4{1, 3, side, side}), "addInput");
    std::vector<trt::ITensor*> tensors;
    std::vector<FoldedWeights> kept;
    for (const Layer& layer : architecture.layers())
      tensors.push_back(add(*network, layer, layer.input < 0 ? picture : tensors[layer.input],
                            layer.other < 0 ? nullptr : tensors[layer.other], weights, kept));
    tensors.back()->setName("logits");
    network->markOutput(*tensors.back());

    const std::unique_ptr<trt::IBuilderConfig> config(made(builder->createBuilderConfig(), "createBuilderConfig"));
    if (builder->platformHasFastFp16()) config->setFlag(trt::BuilderFlag::kFP16);
    const std::unique_ptr<trt::IHostMemory> plan(
        made(builder->buildSerializedNetwork(*network, *config), "buildSerializedNetwork"));
    subnet.engine.reset(made(runtime_->deserializeCudaEngine(plan->data(), plan->size()), "deserializeCudaEngine"));
    subnet.context.reset(made(subnet.engine->createExecutionContext(), "createExecutionContext"));

    const std::vector<float> values = random_picture(seed, side);
    subnet.picture = std::make_unique<DeviceBuffer>(values.size());
    subnet.output = std::make_unique<DeviceBuffer>(OfaNetwork::kClasses);
    subnet.logits.resize(OfaNetwork::kClasses);
    check(cudaMemcpy(subnet.picture->data(), values.data(), values.size() * sizeof(float), cudaMemcpyHostToDevice),
          "cudaMemcpy");
    const int input = subnet.engine->getBindingIndex("picture"), output = subnet.engine->getBindingIndex("logits");
    if (input < 0 || input > 1 || output != 1 - input) throw Refusal("worker", "TensorRT: unexpected bindings");
    subnet.bindings[input] = subnet.picture->data();
    subnet.bindings[output] = subnet.output->data();
  }

  Logger logger_;
  std::unique_ptr<trt::IRuntime> runtime_;
  std::unique_ptr<Stream> stream_;
  std::map<std::string, Subnet> subnets_;
  const Subnet* last_ = nullptr;
};

}  // namespace

std::unique_ptr<Executor> make_tensorrt() { return std::make_unique<TensorRt>(); }

}  // namespace dynasoc::agent

#endif
