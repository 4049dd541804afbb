// onnxruntime: ONNX Runtime's C interface on the CPU, from its shared library, which is loaded at run time: many boards
// have it without its headers. ONNXRUNTIME_LIBRARY names the library; else the system's loader looks for
// libonnxruntime.so or .so.1.
//
// The interface is a table of functions that only ever grows at its end; what is used here was in its first version.
// Each sub-network is a session of its own, with its own weights in the layouts that ONNX Runtime packs them into.
#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>
#include <map>

#include "../clock.hpp"
#include "factories.hpp"
#include "onnx_model.hpp"
#include "prepare.hpp"

namespace dynasoc::agent {
namespace {

// Of onnxruntime_c_api.h, the part that is used. Objects are only ever pointed to.
struct OrtStatus;
struct OrtEnv;
struct OrtSession;
struct OrtSessionOptions;
struct OrtRunOptions;
struct OrtMemoryInfo;
struct OrtValue;

struct OrtApiBase {
  const void* (*get_api)(std::uint32_t version);
  const char* (*get_version)();
};

constexpr std::uint32_t kApiVersion = 1;
constexpr int kLogErrors = 3;
constexpr int kOptimiseAll = 99;
constexpr int kDeviceAllocator = 0, kDefaultMemory = 0, kFloat = 1;

// Places in the table OrtApi.
namespace entry {
constexpr int kGetErrorMessage = 2, kCreateEnv = 3, kCreateSessionFromArray = 8, kRun = 9, kCreateSessionOptions = 10,
              kSetSessionGraphOptimizationLevel = 23, kSetIntraOpNumThreads = 24, kCreateTensorWithDataAsOrtValue = 49,
              kCreateCpuMemoryInfo = 69, kReleaseEnv = 92, kReleaseStatus = 93, kReleaseMemoryInfo = 94,
              kReleaseSession = 95, kReleaseValue = 96, kReleaseSessionOptions = 100;
}

struct Close {
  void operator()(void* library) const { dlclose(library); }
};
using Library = std::unique_ptr<void, Close>;

Library open_library(std::string& problem) {
  const char* named = std::getenv("ONNXRUNTIME_LIBRARY");
  std::vector<std::string> names{"libonnxruntime.so", "libonnxruntime.so.1"};
  if (named && *named) names = {named};
  for (const std::string& name : names) {
    Library library(dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL));
    if (library && dlsym(library.get(), "OrtGetApiBase")) return library;
    const char* error = library ? nullptr : dlerror();
    if (problem.empty()) problem = error ? error : name + " has no OrtGetApiBase";
  }
  return nullptr;
}

class Api {
 public:
  explicit Api(void* library) {
    const auto get_base = reinterpret_cast<const OrtApiBase* (*)()>(dlsym(library, "OrtGetApiBase"));
    table_ = static_cast<void* const*>(get_base()->get_api(kApiVersion));
    if (!table_) throw Refusal("worker", "ONNX Runtime does not offer version 1 of its interface");
  }

  // Calls a function that answers with a status; null is success.
  template <class... Parameters, class... Arguments>
  void call(int place, const char* name, OrtStatus* (*)(Parameters...), Arguments... arguments) const {
    OrtStatus* status = function<OrtStatus* (*)(Parameters...)>(place)(arguments...);
    if (!status) return;
    std::string message = function<const char* (*)(const OrtStatus*)>(entry::kGetErrorMessage)(status);
    release(entry::kReleaseStatus, status);
    for (char& c : message)
      if (c == '\n' || c == '\r') c = ' ';
    throw Refusal("worker", std::string("ONNX Runtime: ") + name + ": " + message);
  }

  template <class Object>
  void release(int place, Object* object) const {
    function<void (*)(Object*)>(place)(object);
  }

 private:
  template <class Function>
  Function function(int place) const {
    return reinterpret_cast<Function>(table_[place]);
  }
  void* const* table_ = nullptr;
};

// Types of the functions that are called.
using CreateEnv = OrtStatus* (*)(int, const char*, OrtEnv**);
using CreateSessionOptions = OrtStatus* (*)(OrtSessionOptions**);
using SetOption = OrtStatus* (*)(OrtSessionOptions*, int);
using CreateSessionFromArray = OrtStatus* (*)(const OrtEnv*, const void*, std::size_t, const OrtSessionOptions*,
                                              OrtSession**);
using CreateCpuMemoryInfo = OrtStatus* (*)(int, int, OrtMemoryInfo**);
using CreateTensor = OrtStatus* (*)(const OrtMemoryInfo*, void*, std::size_t, const std::int64_t*, std::size_t, int,
                                    OrtValue**);
using Run = OrtStatus* (*)(OrtSession*, const OrtRunOptions*, const char* const*, const OrtValue* const*, std::size_t,
                           const char* const*, std::size_t, OrtValue**);

// An object of the library's, released with the function at a place of the table.
template <class Object>
class Held {
 public:
  Held() = default;
  Held(const Api& api, int place, Object* object) : api_(&api), place_(place), object_(object) {}
  ~Held() {
    if (object_) api_->release(place_, object_);
  }
  Held(Held&& other) noexcept
      : api_(other.api_), place_(other.place_), object_(std::exchange(other.object_, nullptr)) {}
  Held& operator=(Held&& other) noexcept {
    std::swap(api_, other.api_);
    std::swap(place_, other.place_);
    std::swap(object_, other.object_);
    return *this;
  }
  Object* get() const { return object_; }

 private:
  const Api* api_ = nullptr;
  int place_ = 0;
  Object* object_ = nullptr;
};

class OnnxRuntime final : public Executor {
 public:
  Json load(const LoadRequest& request) override {
    const double before_mb = resident_mb();
    const Prepared prepared = prepare(request);
    std::string problem;
    library_ = open_library(problem);
    if (!library_) throw Refusal("worker", "ONNX Runtime cannot be loaded: " + problem);
    api_ = std::make_unique<Api>(library_.get());
    env_ = make<OrtEnv>(entry::kReleaseEnv, entry::kCreateEnv, "CreateEnv", CreateEnv{}, kLogErrors, "dynasoc-agent");
    options_ = make<OrtSessionOptions>(entry::kReleaseSessionOptions, entry::kCreateSessionOptions,
                                       "CreateSessionOptions", CreateSessionOptions{});
    api_->call(entry::kSetSessionGraphOptimizationLevel, "SetSessionGraphOptimizationLevel", SetOption{},
               options_.get(), kOptimiseAll);
    api_->call(entry::kSetIntraOpNumThreads, "SetIntraOpNumThreads", SetOption{}, options_.get(), request.threads);
    memory_ = make<OrtMemoryInfo>(entry::kReleaseMemoryInfo, entry::kCreateCpuMemoryInfo, "CreateCpuMemoryInfo",
                                  CreateCpuMemoryInfo{}, kDeviceAllocator, kDefaultMemory);
    Json subnets = Json::object();
    for (const auto& item : prepared.networks) {
      const std::int64_t begin_ns = now_ns();
      build(item.second, *prepared.weights, request.seed, subnets_[item.first]);
      subnets[item.first] = built(item.second, static_cast<double>(now_ns() - begin_ns) / 1e6);
    }
    return {{"subnets", subnets}, {"memory_mb", resident_mb() - before_mb}, {"shared_weights", false}};
  }

  void infer(const std::string& name) override {
    const auto found = subnets_.find(name);
    if (found == subnets_.end()) throw Refusal("not_found", "no sub-network \"" + name + "\" is loaded");
    const Subnet& subnet = found->second;
    const char *input_name = "picture", *output_name = "logits";
    const OrtValue* input = subnet.input.get();
    OrtValue* output = subnet.output.get();
    api_->call(entry::kRun, "Run", Run{}, subnet.session.get(), static_cast<const OrtRunOptions*>(nullptr), &input_name,
               &input, std::size_t{1}, &output_name, std::size_t{1}, &output);
    last_ = &subnet;
  }

  std::vector<float> output() const override { return last_ ? last_->logits : std::vector<float>(); }

 private:
  struct Subnet {
    std::vector<float> picture, logits;  // outlive the values made of them
    Held<OrtSession> session;
    Held<OrtValue> input, output;
  };

  template <class Object, class Function, class... Arguments>
  Held<Object> make(int release, int create, const char* name, Function function, Arguments... arguments) const {
    Object* object = nullptr;
    api_->call(create, name, function, arguments..., &object);
    return {*api_, release, object};
  }

  Held<OrtValue> tensor(std::vector<float>& values, const std::vector<std::int64_t>& shape) const {
    return make<OrtValue>(entry::kReleaseValue, entry::kCreateTensorWithDataAsOrtValue,
                          "CreateTensorWithDataAsOrtValue", CreateTensor{}, memory_.get(),
                          static_cast<void*>(values.data()), values.size() * sizeof(float), shape.data(), shape.size(),
                          kFloat);
  }

  void build(const OfaNetwork& network, const Weights& weights, std::uint64_t seed, Subnet& subnet) const {
    const std::string model = onnx_model(network, weights);
    subnet.session = make<OrtSession>(entry::kReleaseSession, entry::kCreateSessionFromArray, "CreateSessionFromArray",
                                      CreateSessionFromArray{}, env_.get(), static_cast<const void*>(model.data()),
                                      model.size(), options_.get());
    subnet.picture = random_picture(seed, network.resolution());
    subnet.logits.resize(OfaNetwork::kClasses);
    subnet.input = tensor(subnet.picture, {1, 3, network.resolution(), network.resolution()});
    subnet.output = tensor(subnet.logits, {1, OfaNetwork::kClasses});
  }

  // In the order in which they need each other.
  Library library_;
  std::unique_ptr<Api> api_;
  Held<OrtEnv> env_;
  Held<OrtSessionOptions> options_;
  Held<OrtMemoryInfo> memory_;
  std::map<std::string, Subnet> subnets_;
  const Subnet* last_ = nullptr;
};

}  // namespace

bool has_onnxruntime() {
  std::string problem;
  return open_library(problem) != nullptr;
}

std::unique_ptr<Executor> make_onnxruntime() { return std::make_unique<OnnxRuntime>(); }

}  // namespace dynasoc::agent
