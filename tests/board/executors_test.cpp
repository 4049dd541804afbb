// The executors of real networks: that they count, refuse, read and compute what they should.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "board/agent/executor.hpp"
#include "board/agent/executors/ofa_network.hpp"
#include "board/agent/executors/onnx_model.hpp"
#include "board/agent/executors/safetensors.hpp"
#include "board/agent/executors/weights.hpp"

namespace dynasoc::agent {
namespace {

using Catch::Contains;

Json config(double width, int resolution, int depth, int kernel, int expansion) {
  return {{"supernetwork", "once-for-all-mbv3"},
          {"width", width},
          {"resolution", resolution},
          {"depths", std::vector<int>(5, depth)},
          {"kernels", std::vector<int>(20, kernel)},
          {"expansions", std::vector<int>(20, expansion)}};
}

// Differs from block to block, so that no kernel, expansion or depth can stand for another.
Json mixed_config(double width, int resolution) {
  Json made = config(width, resolution, 2, 3, 3);
  made["depths"] = {2, 4, 3, 2, 3};
  const int kernels[] = {3, 5, 7}, expansions[] = {6, 3, 4, 4};
  for (int i = 0; i < 20; ++i) {
    made["kernels"][i] = kernels[i * 7 % 3];
    made["expansions"][i] = expansions[i * 3 % 4];
  }
  return made;
}

OfaNetwork network(const Json& json) { return OfaNetwork(read_ofa_config(json, "it")); }

std::string refusal_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Refusal& refusal) {
    CHECK(std::string(refusal.what()).find('\n') == std::string::npos);
    return refusal.code() + ": " + refusal.what();
  }
  return "nothing was refused";
}

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content) {
    const int file = mkstemp(path_.data());
    REQUIRE(file >= 0);
    close(file);
    std::ofstream(path(), std::ios::binary) << content;
  }
  ~TemporaryFile() { unlink(path_.data()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  std::string path() const { return path_.data(); }

 private:
  std::array<char, 32> path_{"/tmp/dynasoc-weights-XXXXXX"};
};

std::string safetensors(const std::string& header, const std::string& data, std::uint64_t length) {
  std::string file;
  for (int i = 0; i < 8; ++i) file += static_cast<char>(length >> 8 * i & 255);
  return file + header + data;
}

std::string safetensors(const Json& header, const std::string& data) {
  return safetensors(header.dump(), data, header.dump().size());
}

std::string bytes_of(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

Json tensor(const char* type, const std::vector<int>& shape, std::size_t begin, std::size_t end) {
  return {{"dtype", type}, {"shape", shape}, {"data_offsets", {begin, end}}};
}

// A file of a whole super-network, and what it holds.
class SuperNetworkFile {
 public:
  void add(const std::string& name, const std::vector<int>& shape, std::vector<float> values) {
    std::size_t size = 1;
    for (const int n : shape) size *= static_cast<std::size_t>(n);
    REQUIRE(values.size() == size);
    header_[name] = tensor("F32", shape, data_.size(), data_.size() + 4 * size);
    data_ += bytes_of(values);
    values_[name] = std::move(values);
  }
  const std::vector<float>& operator[](const std::string& name) const { return values_.at(name); }
  std::string text() const { return safetensors(header_, data_); }

 private:
  Json header_ = Json::object();
  std::string data_;
  std::map<std::string, std::vector<float>> values_;
};

std::vector<float> ramp(std::size_t size, float from, float step) {
  std::vector<float> values(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = from + step * static_cast<float>(i % 97);
  return values;
}

// A network run as its definition reads, in double precision: tensors by channel, row, column.
std::vector<float> naive(const OfaNetwork& net, const Weights& weights, const std::vector<float>& picture) {
  using Tensor = std::vector<double>;
  const Tensor input(picture.begin(), picture.end());
  std::vector<Tensor> tensors;
  for (const Layer& layer : net.layers()) {
    const Tensor& from = layer.input < 0 ? input : tensors[static_cast<std::size_t>(layer.input)];
    const int side = layer.side, in_side = layer.in_side;
    REQUIRE(from.size() == static_cast<std::size_t>(layer.inputs * in_side * in_side));
    Tensor result(static_cast<std::size_t>(layer.outputs * side * side), 0.0);
    if (layer.operation == Operation::pool) {
      for (int i = 0; i < layer.inputs * in_side * in_side; ++i)
        result[i / (in_side * in_side)] += from[i] / (in_side * in_side);
    } else if (layer.operation == Operation::gate) {
      for (int i = 0; i < layer.outputs * side * side; ++i)
        result[i] = from[i] * tensors[static_cast<std::size_t>(layer.other)][i / (side * side)];
    } else {
      const FoldedWeights folded = weights.fold(layer);
      const int k = layer.kernel, inputs = layer.depthwise ? 1 : layer.inputs;
      for (int o = 0; o < layer.outputs; ++o)
        for (int y = 0; y < side; ++y)
          for (int x = 0; x < side; ++x) {
            double sum = folded.bias[o];
            for (int i = 0; i < inputs; ++i)
              for (int dy = 0; dy < k; ++dy)
                for (int dx = 0; dx < k; ++dx) {
                  const int row = y * layer.stride + dy - k / 2, column = x * layer.stride + dx - k / 2;
                  if (row < 0 || column < 0 || row >= in_side || column >= in_side) continue;
                  const int channel = layer.depthwise ? o : i;
                  sum += double{folded.weights[((o * inputs + i) * k + dy) * k + dx]} *
                         from[(channel * in_side + row) * in_side + column];
                }
            const double gate = std::min(std::max(sum + 3, 0.0), 6.0) / 6;
            if (layer.activation == Activation::relu) sum = std::max(sum, 0.0);
            if (layer.activation == Activation::hard_sigmoid) sum = gate;
            if (layer.activation == Activation::hard_swish) sum *= gate;
            const int at = (o * side + y) * side + x;
            if (layer.other >= 0) sum += tensors[static_cast<std::size_t>(layer.other)][at];
            result[at] = sum;
          }
    }
    tensors.push_back(std::move(result));
  }
  return {tensors.back().begin(), tensors.back().end()};
}

// Largest difference, relative to the largest value.
double difference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size() || a.empty()) return std::numeric_limits<double>::infinity();
  double largest = 0, apart = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, std::abs(double{a[i]}));
    apart = std::max(apart, std::abs(double{a[i]} - b[i]));
  }
  return apart / largest;
}

bool has_executor(const std::string& name) {
  const std::vector<std::string> names = executor_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Says why a test of an executor has nothing to do here.
bool missing(const std::string& name) {
  if (has_executor(name)) return false;
  std::printf("skipped: no executor %s here%s\n", name.c_str(),
              name == "onnxruntime" ? " (ONNXRUNTIME_LIBRARY names its library)" : " (built without its library)");
  return true;
}

LoadRequest request(const Json& subnets, int threads = 1) {
  LoadRequest made;
  made.subnets = subnets;
  made.threads = threads;
  return made;
}

std::vector<float> run(const std::string& executor, const Json& subnet, int threads = 1) {
  const std::unique_ptr<Executor> made = make_executor(executor);
  made->load(request({{"it", subnet}}, threads));
  made->infer("it");
  return made->output();
}

TEST_CASE("OFA networks have the parameters and operations that are known of them") {
  const std::int64_t smallest[] = {100, 143, 193}, largest[] = {434, 621, 843};
  const int resolutions[] = {160, 192, 224};
  for (int i = 0; i < 3; ++i) {
    const OfaNetwork least = network(config(1.2, resolutions[i], 2, 3, 3));
    const OfaNetwork most = network(config(1.2, resolutions[i], 4, 7, 6));
    CHECK(least.parameters() == 4595184);
    CHECK(most.parameters() == 10676216);
    CHECK(std::llround(static_cast<double>(least.macs()) / 1e6) == smallest[i]);
    CHECK(std::llround(static_cast<double>(most.macs()) / 1e6) == largest[i]);
  }
}

TEST_CASE("OFA networks agree with the operations and weights of the models") {
  int subnets = 0;
  for (const char* model : {"dynamic-ofa-gpu", "dynamic-ofa-gpu-nets7"}) {
    std::ifstream file(std::string(DYNASOC_SOURCE_DIR "/models/") + model + "/network.json");
    const Json whole = Json::parse(file);
    for (const Json& subnet : whole.at("subnets")) {
      const OfaNetwork net = network(subnet.at("config"));
      CHECK(static_cast<double>(net.macs()) / 1e6 == Approx(subnet.at("macs_m").get<double>()).margin(6e-5).epsilon(0));
      std::int64_t learned = net.parameters();
      for (const Layer& layer : net.layers()) learned += layer.normalised ? layer.outputs : 0;
      CHECK(4e-6 * static_cast<double>(learned) ==
            Approx(subnet.at("memory_mb").get<double>()).margin(6e-4).epsilon(0));
      ++subnets;
    }
  }
  CHECK(subnets == 13);
}

TEST_CASE("OFA networks have the activations, strides and residuals of the super-network") {
  const OfaNetwork net = network(config(1.2, 224, 3, 5, 4));
  const std::vector<Layer>& layers = net.layers();
  // By block: relu up to the second stage; a picture of half the side where a stage begins, but for the fourth; the
  // block's input added where it has the shape of the output.
  int blocks = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string& name = layers[i].name;
    if (name.compare(0, 7, "blocks.") != 0) continue;
    const int block = std::stoi(name.substr(7));
    const bool first = block == 0, begins = block % 4 == 1;
    INFO(name);
    if (name.find(".depth_conv") == name.size() - 11) {
      CHECK(layers[i].activation == (block <= 8 ? Activation::relu : Activation::hard_swish));
      CHECK(layers[i].stride == (begins && block != 13 ? 2 : 1));
    }
    if (name.find(".inverted_bottleneck") != std::string::npos)
      CHECK(layers[i].activation == (block <= 8 ? Activation::relu : Activation::hard_swish));
    if (name.find(".point_linear") != std::string::npos) {
      CHECK(layers[i].activation == Activation::none);
      CHECK((layers[i].other >= 0) == !begins);
      if (!begins)
        CHECK(layers[static_cast<std::size_t>(layers[i].other)].name ==
              (first ? "first_conv" : "blocks." + std::to_string(block - 1) + ".point_linear"));
      ++blocks;
    }
  }
  CHECK(blocks == 16);
  CHECK(layers.front().activation == Activation::hard_swish);
  CHECK(layers.back().activation == Activation::none);
}

TEST_CASE("OFA configurations that cannot be are refused with one line that says why") {
  const auto refused = [](const char* member, const Json& value) {
    Json json = config(1.2, 192, 2, 3, 3);
    json[member] = value;
    return refusal_of([&] { network(json); });
  };
  const std::vector<int> short_list(19, 3), bad_kernel(20, 4), bad_expansion(20, 5);
  CHECK_THAT(refused("supernetwork", "resnet50"), Contains("bad_request: it: supernetwork must be"));
  CHECK_THAT(refused("width", 0), Contains("width must be a number from 0.25 to 4"));
  CHECK_THAT(refused("width", "1.2"), Contains("width must be"));
  CHECK_THAT(refused("resolution", 31), Contains("resolution must be a whole number from 32 to 512"));
  CHECK_THAT(refused("resolution", 513), Contains("resolution must be"));
  CHECK_THAT(refused("resolution", 100.5), Contains("resolution must be"));
  CHECK_THAT(refused("resolution", 1e300), Contains("resolution must be"));
  CHECK_THAT(refused("depths", {2, 2, 2, 2}), Contains("depths must be a list of 5 numbers"));
  CHECK_THAT(refused("depths", {2, 2, 2, 2, 5}), Contains("depths[4] must be one of 2, 3, 4"));
  CHECK_THAT(refused("depths", 3), Contains("depths must be a list"));
  CHECK_THAT(refused("kernels", short_list), Contains("kernels must be a list of 20"));
  CHECK_THAT(refused("kernels", bad_kernel), Contains("kernels[0] must be one of 3, 5, 7"));
  CHECK_THAT(refused("expansions", bad_expansion), Contains("expansions[0] must be one of 3, 4, 6"));
  CHECK_THAT(refused("kernel\n", 3), Contains("unknown member \"kernel\\n\""));
  CHECK_THAT(refusal_of([] { network(3); }), Contains("must be an object"));
  const Json whole = config(1.2, 192, 2, 3, 3);
  for (const auto& item : whole.items()) {
    Json json = whole;
    json.erase(item.key());
    CHECK_THAT(refusal_of([&] { network(json); }), Contains(item.key() + " is missing"));
  }
  CHECK_NOTHROW(network(config(0.25, 32, 4, 7, 6)));
  CHECK_NOTHROW(network(config(4, 512, 2, 3, 3)));
}

TEST_CASE("a .safetensors file gives its tensors, of both types, at any alignment") {
  const std::string half("\x00\x3c\x00\xc0\x01\x00\x00\x7c\xff\x7b\x00\x80",
                         12);  // 1, -2, least, infinity, largest, -0
  const TemporaryFile file(safetensors({{"__metadata__", {{"format", "pt"}}},
                                        {"odd", tensor("U8", {1}, 0, 1)},
                                        {"full", tensor("F32", {2, 1}, 1, 9)},
                                        {"half", tensor("F16", {6}, 9, 21)},
                                        {"none", tensor("F32", {0}, 21, 21)}},
                                       "x" + bytes_of({1.5f, -3e-5f}) + half));
  const SafeTensors tensors(file.path());
  CHECK(tensors.names() == std::vector<std::string>{"full", "half", "none", "odd"});
  CHECK(tensors.read("full", {2, 1}) == std::vector<float>{1.5f, -3e-5f});
  const std::vector<float> values = tensors.read("half", {6});
  CHECK(values == std::vector<float>{1, -2, std::ldexp(1.0f, -24), std::numeric_limits<float>::infinity(), 65504, 0});
  CHECK(std::signbit(values[5]));
  CHECK(tensors.read("none", {0}).empty());
  CHECK_THAT(refusal_of([&] { tensors.read("full", {2}); }), Contains("has shape [2,1], not [2]"));
  CHECK_THAT(refusal_of([&] { tensors.read("odd", {1}); }), Contains("has dtype U8, not F32 or F16"));
  CHECK_THAT(refusal_of([&] { tensors.read("gone", {1}); }), Contains("tensor gone is missing"));
}

TEST_CASE("a .safetensors file that is not one is refused") {
  const auto refused = [](const std::string& content) {
    const TemporaryFile file(content);
    return refusal_of([&] { SafeTensors(file.path()); });
  };
  const auto header = [&](const Json& entry) { return refused(safetensors({{"a", entry}}, "12345678")); };
  CHECK(header(tensor("F32", {2}, 0, 8)) == "nothing was refused");
  CHECK_THAT(refused(""), Contains("shorter than 8 bytes"));
  CHECK_THAT(refused("1234567"), Contains("shorter than 8 bytes"));
  CHECK_THAT(refused(safetensors("{}", "", 3)), Contains("ends within its header"));
  CHECK_THAT(refused(safetensors("{}", "", (16 << 20) + 1)), Contains("more than 16 MB"));
  CHECK_THAT(refused(safetensors("{}", "", ~std::uint64_t{0})), Contains("more than 16 MB"));
  CHECK_THAT(refused(safetensors("{\"a\":", "", 5)), Contains("not a JSON object"));
  CHECK_THAT(refused(safetensors("[]", "", 2)), Contains("not a JSON object"));
  CHECK_THAT(refused(std::string("\x80\x02}q\x00.12345678", 14)), Contains("more than 16 MB"));  // a pickle
  CHECK_THAT(header(tensor("F32", {3}, 0, 12)), Contains("beyond the end"));
  CHECK_THAT(header(tensor("F32", {2}, 8, 0)), Contains("beyond the end"));
  CHECK_THAT(header(tensor("F32", {1}, 0, 8)), Contains("different sizes"));
  CHECK_THAT(header(tensor("F32", {1 << 30, 1 << 30, 16}, 0, 8)), Contains("larger than the file"));
  CHECK_THAT(header(tensor("F8_E4M3", {8}, 0, 8)), Contains("unknown dtype"));
  CHECK_THAT(header(tensor("F32", {-2}, 0, 8)), Contains("list of whole numbers"));
  CHECK_THAT(header({{"dtype", "F32"}, {"shape", {2}}}), Contains("must have dtype, shape and data_offsets"));
  CHECK_THAT(refused(safetensors({{"a", tensor("F32", {1}, 0, 4)}, {"b", tensor("F32", {1}, 2, 6)}}, "12345678")),
             Contains("overlap"));
  const std::string entry = tensor("F32", {1}, 0, 4).dump(), twice = "{\"a\":" + entry + ",\"a\":" + entry + "}";
  CHECK_THAT(refused(safetensors(twice, "1234", twice.size())), Contains("there twice"));
  CHECK_THAT(refusal_of([] { SafeTensors("/nonexistent/weights.safetensors"); }), Contains("io: "));
  CHECK_THAT(refusal_of([] { SafeTensors("/tmp"); }), Contains("io: /tmp: not a file"));
}

TEST_CASE("random weights depend on seed, layer and place alone, and smaller layers are parts of larger ones") {
  const OfaNetwork small = network(config(1, 64, 2, 3, 3)), large = network(config(1, 64, 2, 7, 6));
  REQUIRE(small.layers()[4].name == "blocks.1.depth_conv");
  const Layer &part = small.layers()[4], &whole = large.layers()[4];
  const FoldedWeights a = random_weights(7)->fold(part), b = random_weights(7)->fold(whole);
  CHECK(random_weights(7)->fold(part).weights == a.weights);
  CHECK(random_weights(8)->fold(part).weights != a.weights);
  // A kernel of 3 has been scaled as its 9 inputs ask for, one of 7 as its 49 do.
  for (int channel = 0; channel < part.outputs; ++channel)
    for (int row = 0; row < 3; ++row)
      for (int column = 0; column < 3; ++column)
        REQUIRE(a.weights[(channel * 3 + row) * 3 + column] * 3 ==
                Approx(b.weights[(channel * 7 + row + 2) * 7 + column + 2] * 7).epsilon(1e-6));
  CHECK(std::equal(a.bias.begin(), a.bias.end(), b.bias.begin()));
  // The generator itself: the same numbers on any machine.
  const std::vector<float> picture = random_picture(1, 32);
  CHECK(picture[0] == -0x1.3819ep-3f);
  CHECK(picture[3071] == 0x1.a02fcep+0f);
}

TEST_CASE("weights of a file are cut, transformed and normalised as once-for-all does") {
  const OfaNetwork net = network(config(1, 64, 2, 3, 3));
  const Layer &expand = net.layers()[3], &depthwise = net.layers()[4];
  REQUIRE(expand.name == "blocks.1.inverted_bottleneck");
  const auto full = static_cast<std::size_t>(depthwise.super_outputs);
  const int channels = depthwise.super_outputs;
  const bool transform = GENERATE(false, true), dynamic_names = GENERATE(false, true);
  const std::string block = dynamic_names ? "blocks.1.mobile_inverted_conv." : "blocks.1.conv.";
  const std::string conv = dynamic_names ? ".conv.conv.weight" : ".conv.weight",
                    bn = dynamic_names ? ".bn.bn." : ".bn.";

  SuperNetworkFile file;
  file.add(block + "depth_conv" + conv, {channels, 1, 7, 7}, ramp(full * 49, -1, 0.03f));
  file.add(block + "depth_conv" + bn + "weight", {channels}, ramp(full, 0.5f, 0.01f));
  file.add(block + "depth_conv" + bn + "bias", {channels}, ramp(full, -0.2f, 0.02f));
  file.add(block + "depth_conv" + bn + "running_mean", {channels}, ramp(full, 0.1f, 0.005f));
  file.add(block + "depth_conv" + bn + "running_var", {channels}, ramp(full, 1, 0.1f));
  if (transform) {
    file.add(block + "depth_conv.conv.7to5_matrix", {25, 25}, ramp(625, -0.3f, 0.01f));
    file.add(block + "depth_conv.conv.5to3_matrix", {9, 9}, ramp(81, 0.4f, -0.02f));
  }
  const TemporaryFile written(file.text());
  const FoldedWeights folded = file_weights(written.path())->fold(depthwise);
  REQUIRE(folded.weights.size() == static_cast<std::size_t>(depthwise.outputs) * 9);

  for (const int channel : {0, 13, depthwise.outputs - 1}) {
    double kernel[7][7], next[7][7];
    for (int i = 0; i < 49; ++i) kernel[i / 7][i % 7] = file[block + "depth_conv" + conv][channel * 49 + i];
    for (int from = 7; from > 3; from -= 2) {
      const int to = from - 2;
      for (int i = 0; i < to * to; ++i) {
        next[i / to][i % to] = transform ? 0 : kernel[1 + i / to][1 + i % to];
        for (int j = 0; transform && j < to * to; ++j)
          next[i / to][i % to] += double{file[block + "depth_conv.conv." + std::to_string(from) + "to" +
                                              std::to_string(to) + "_matrix"][i * to * to + j]} *
                                  kernel[1 + j / to][1 + j % to];
      }
      std::memcpy(kernel, next, sizeof kernel);
    }
    const auto of = [&](const char* what) { return double{file[block + "depth_conv" + bn + what][channel]}; };
    const double factor = of("weight") / std::sqrt(of("running_var") + 1e-5);
    for (int i = 0; i < 9; ++i)
      CHECK(folded.weights[channel * 9 + i] == Approx(kernel[i / 3][i % 3] * factor).epsilon(1e-4).margin(1e-5));
    CHECK(folded.bias[channel] == Approx(of("bias") - of("running_mean") * factor).epsilon(1e-5));
  }
  CHECK_THAT(refusal_of([&] { file_weights(written.path())->fold(expand); }),
             Contains("tensor blocks.1.conv.inverted_bottleneck.conv.weight is missing"));
}

TEST_CASE("weights of a file that are not finite are refused") {
  SuperNetworkFile file;
  const OfaNetwork net = network(config(1, 64, 2, 3, 3));
  const Layer& mix = *std::find_if(net.layers().begin(), net.layers().end(),
                                   [](const Layer& layer) { return layer.name == "feature_mix_layer"; });
  std::vector<float> values(static_cast<std::size_t>(mix.weights()), 0.01f);
  values[5] = std::numeric_limits<float>::quiet_NaN();
  file.add("feature_mix_layer.conv.weight", {mix.outputs, mix.inputs, 1, 1}, values);
  const TemporaryFile written(file.text());
  CHECK_THAT(refusal_of([&] { file_weights(written.path())->fold(mix); }), Contains("not finite"));
}

TEST_CASE("executors compute what the network's definition says") {
  for (const char* executor : {"onednn", "onnxruntime"}) {
    if (missing(executor)) continue;
    // Narrow, with channels that are not a multiple of any block, and an odd resolution; and wide as the models are.
    for (const Json& subnet : {mixed_config(0.35, 45), mixed_config(1.2, 32), config(0.5, 32, 2, 3, 3)}) {
      const OfaNetwork net = network(subnet);
      const std::vector<float> expected = naive(net, *random_weights(1), random_picture(1, net.resolution()));
      INFO(executor << " " << subnet.dump());
      CHECK(difference(expected, run(executor, subnet, 1)) < 1e-4);
      CHECK(difference(expected, run(executor, subnet, 2)) < 1e-4);
    }
  }
}

TEST_CASE("executors agree with each other on the largest and the smallest network") {
  if (missing("onednn") || missing("onnxruntime")) return;
  for (const Json& subnet : {config(1.2, 160, 2, 3, 3), config(1.2, 224, 4, 7, 6), mixed_config(1.2, 208)}) {
    const std::vector<float> a = run("onednn", subnet), b = run("onnxruntime", subnet);
    CHECK(difference(a, b) < 1e-5);
    const auto spread = std::minmax_element(a.begin(), a.end());
    CHECK(*spread.second - *spread.first > 0.1);  // neither has all but vanished on its way through the layers
  }
}

TEST_CASE("executors switch between sub-networks without a trace") {
  for (const char* name : {"onednn", "onnxruntime"}) {
    if (missing(name)) continue;
    const Json a = mixed_config(1.2, 160), b = config(1.2, 192, 4, 7, 6);
    const std::unique_ptr<Executor> executor = make_executor(name);
    CHECK(executor->output().empty());
    const Json loaded = executor->load(request({{"A", a}, {"B", b}}));
    CHECK(loaded["shared_weights"] == (std::string(name) == "onednn"));
    CHECK(loaded["memory_mb"].get<double>() > 4e-6 * static_cast<double>(network(b).parameters()));
    CHECK(loaded["subnets"]["A"]["parameters"] == network(a).parameters());
    CHECK(loaded["subnets"]["B"]["macs_m"] == static_cast<double>(network(b).macs()) / 1e6);
    CHECK(loaded["subnets"]["B"]["build_ms"].get<double>() > 0);
    executor->infer("A");
    const std::vector<float> first = executor->output();
    executor->infer("B");
    CHECK(executor->output() == run(name, b));
    executor->infer("A");
    CHECK(executor->output() == first);
    CHECK(executor->output() == run(name, a));
    CHECK_THAT(refusal_of([&] { executor->infer("C"); }), Contains("not_found: no sub-network \"C\""));
    CHECK(executor->output() == first);
  }
}

TEST_CASE("executors take the weights of a file, and refuse what they cannot load") {
  for (const char* name : {"onednn", "onnxruntime"}) {
    if (missing(name)) continue;
    LoadRequest wanted = request({{"A", config(1.2, 64, 2, 3, 3)}});
    const TemporaryFile file(safetensors({{"first_conv.conv.weight", tensor("F32", {1}, 0, 4)}}, "1234"));
    wanted.weights = file.path();
    CHECK_THAT(refusal_of([&] { make_executor(name)->load(wanted); }),
               Contains("first_conv.conv.weight has shape [1], not [24,3,3,3]"));
    wanted.weights = "/nonexistent";
    CHECK_THAT(refusal_of([&] { make_executor(name)->load(wanted); }), Contains("io: /nonexistent"));
    CHECK_THAT(refusal_of([&] { make_executor(name)->load(request(Json::object())); }), Contains("subnets must be"));
    CHECK_THAT(refusal_of([&] { make_executor(name)->load(request({{"A", 1}})); }), Contains("sub-network A: "));
    CHECK_THAT(refusal_of([&] {
                 make_executor(name)->load(request({{"A", mixed_config(1, 64)}}, 0));
               }),
               Contains("threads must be"));
  }
}

TEST_CASE("an executor that is not there is refused, with those that are") {
  CHECK_THAT(refusal_of([] { make_executor("abacus"); }),
             Contains("not_found: no executor \"abacus\" here: there are "));
  CHECK(has_executor("replay"));
}

TEST_CASE("ONNX models pass the checker of Python's onnx") {
  if (std::system("python3 -c 'import onnx' 2> /dev/null") != 0) {
    std::printf("skipped: python3 has no module onnx\n");
    return;
  }
  const TemporaryFile model(onnx_model(network(mixed_config(0.35, 45)), *random_weights(1)));
  const std::string check = "python3 -c \"import onnx, sys; m = onnx.load('" + model.path() +
                            "'); onnx.checker.check_model(m, full_check=True); "
                            "sys.exit(0 if len(m.graph.initializer) > 50 else 3)\"";
  CHECK(std::system(check.c_str()) == 0);
}

}  // namespace
}  // namespace dynasoc::agent
