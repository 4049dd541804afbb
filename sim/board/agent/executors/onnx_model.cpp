// ONNX models are messages of Protocol Buffers; of their encoding this needs whole numbers, floats and what is
// length-delimited (text, bytes, messages in messages). Field numbers are those of onnx.proto.
#include "onnx_model.hpp"

#include <cstring>
#include <initializer_list>
#include <utility>
#include <vector>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensors are written as they are in memory, which must be little-endian"
#endif

namespace dynasoc::agent {
namespace {

class Message {
 public:
  Message& number(int field, std::int64_t value) {
    key(field, 0);
    varint(static_cast<std::uint64_t>(value));
    return *this;
  }
  Message& real(int field, float value) {
    key(field, 5);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Message& text(int field, const std::string& value) {
    key(field, 2);
    varint(value.size());
    bytes_ += value;
    return *this;
  }
  Message& message(int field, const Message& value) { return text(field, value.bytes_); }
  const std::string& bytes() const { return bytes_; }

 private:
  void key(int field, int wire_type) {
    varint(static_cast<std::uint64_t>(field) << 3 | static_cast<unsigned>(wire_type));
  }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }
  std::string bytes_;
};

constexpr int kIrVersion = 7, kOperatorSet = 13;
constexpr int kFloat = 1, kInt64 = 7;  // TensorProto.DataType
constexpr int kAttributeFloat = 1, kAttributeInt = 2, kAttributeInts = 7;

Message attribute(const std::string& name, float value) {
  return Message().text(1, name).real(2, value).number(20, kAttributeFloat);
}

Message attribute(const std::string& name, std::int64_t value) {
  return Message().text(1, name).number(3, value).number(20, kAttributeInt);
}

Message attribute(const std::string& name, std::initializer_list<int> values) {
  Message made;
  made.text(1, name);
  for (const int value : values) made.number(8, value);
  return made.number(20, kAttributeInts);
}

Message value_info(const std::string& name, std::initializer_list<int> shape) {
  Message dimensions;
  for (const int n : shape) dimensions.message(1, Message().number(1, n));
  return Message().text(1, name).message(2, Message().message(1, Message().number(1, kFloat).message(2, dimensions)));
}

class Graph {
 public:
  // Gives the name of the result.
  std::string node(const std::string& operation, std::initializer_list<std::string> inputs, const std::string& output,
                   std::initializer_list<Message> attributes = {}) {
    Message made;
    for (const std::string& input : inputs) made.text(1, input);
    made.text(2, output).text(3, output).text(4, operation);
    for (const Message& each : attributes) made.message(5, each);
    graph_.message(1, made);
    return output;
  }

  std::string tensor(const std::string& name, std::initializer_list<int> shape, const std::vector<float>& values) {
    Message made;
    for (const int n : shape) made.number(1, n);
    made.number(2, kFloat).text(8, name);
    made.text(9, std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)));
    graph_.message(5, made);
    return name;
  }

  std::string shape(const std::string& name, std::initializer_list<std::int64_t> values) {
    Message made;
    made.number(1, static_cast<std::int64_t>(values.size())).number(2, kInt64).text(8, name);
    made.text(9, std::string(reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(std::int64_t)));
    graph_.message(5, made);
    return name;
  }

  Message& message() { return graph_; }

 private:
  Message graph_;
};

std::string activate(Graph& graph, Activation activation, const std::string& name, const std::string& input) {
  const auto hard_sigmoid = [&](const std::string& output) {
    return graph.node("HardSigmoid", {input}, output, {attribute("alpha", 1.0f / 6), attribute("beta", 0.5f)});
  };
  switch (activation) {
    case Activation::none: break;
    case Activation::relu: return graph.node("Relu", {input}, name + ".relu");
    case Activation::hard_sigmoid: return hard_sigmoid(name + ".hard_sigmoid");
    case Activation::hard_swish:
      return graph.node("Mul", {input, hard_sigmoid(name + ".hard_sigmoid")}, name + ".hard_swish");
  }
  return input;
}

}  // namespace

std::string onnx_model(const OfaNetwork& network, const Weights& weights) {
  Graph graph;
  std::vector<std::string> tensors;
  const auto tensor = [&](int index) { return index < 0 ? std::string("picture") : tensors[index]; };
  for (const Layer& layer : network.layers()) {
    const std::string input = tensor(layer.input);
    if (layer.operation == Operation::pool) {
      tensors.push_back(graph.node("GlobalAveragePool", {input}, layer.name));
      continue;
    }
    if (layer.operation == Operation::gate) {
      tensors.push_back(graph.node("Mul", {input, tensor(layer.other)}, layer.name));
      continue;
    }
    const FoldedWeights folded = weights.fold(layer);
    const int inputs = layer.depthwise ? 1 : layer.inputs, kernel = layer.kernel, pad = kernel / 2;
    const std::string weight =
        graph.tensor(layer.name + ".weight", {layer.outputs, inputs, kernel, kernel}, folded.weights);
    const std::string bias = graph.tensor(layer.name + ".bias", {layer.outputs}, folded.bias);
    std::string output =
        graph.node("Conv", {input, weight, bias}, layer.name + ".conv",
                   {attribute("kernel_shape", {kernel, kernel}), attribute("strides", {layer.stride, layer.stride}),
                    attribute("pads", {pad, pad, pad, pad}),
                    attribute("group", std::int64_t{layer.depthwise ? layer.outputs : 1})});
    output = activate(graph, layer.activation, layer.name, output);
    if (layer.other >= 0) output = graph.node("Add", {output, tensor(layer.other)}, layer.name + ".sum");
    tensors.push_back(output);
  }
  graph.node("Reshape", {tensors.back(), graph.shape("logits.shape", {1, OfaNetwork::kClasses})}, "logits");
  graph.message()
      .text(2, "once-for-all-mbv3")
      .message(11, value_info("picture", {1, 3, network.resolution(), network.resolution()}))
      .message(12, value_info("logits", {1, OfaNetwork::kClasses}));
  return Message()
      .number(1, kIrVersion)
      .text(2, "dynasoc-agent")
      .message(7, graph.message())
      .message(8, Message().text(1, "").number(2, kOperatorSet))
      .bytes();
}

}  // namespace dynasoc::agent
