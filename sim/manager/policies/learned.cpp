// learned: a small neural network trained in the gym (docs/learning.md), asked for a choice at each of its knobs.
// It decides by the largest output of each knob's group; there is no chance in it, so that a run can be repeated.
// Source: own definition: a multi-layer perceptron over the features of sim/manager/learning/space.hpp.
#include <algorithm>
#include <cmath>

#include "common/text.hpp"
#include "manager/learning/space.hpp"

namespace dynasoc::manager {
namespace {

enum class Activation : std::uint8_t { none, tanh, relu };

}  // namespace
}  // namespace dynasoc::manager

template <>
struct dynasoc::EnumNames<dynasoc::manager::Activation> {
  using Activation = dynasoc::manager::Activation;
  static constexpr std::array<std::pair<std::string_view, Activation>, 3> names{
      {{"none", Activation::none}, {"tanh", Activation::tanh}, {"relu", Activation::relu}}};
};

namespace dynasoc::manager {
namespace {

struct Layer {
  std::vector<std::vector<double>> weights;
  std::vector<double> bias;
  Activation activation = Activation::none;
  Where where;

  static constexpr auto fields() {
    using L = Layer;
    return describe(required(&L::weights, "weights", "a row for each output: its weight of each input"),
                    required(&L::bias, "bias", "of each output"),
                    field(&L::activation, "activation", "what becomes of each output: none, tanh or relu"));
  }
};

class Learned final : public Policy {
 public:
  struct Parameters {
    LearningFile knobs;
    std::vector<Name> inputs;
    std::vector<Name> outputs;
    std::vector<Layer> layers;
    std::string trained;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(field(&P::knobs, "knobs", "when it is asked and what it may write"),
                      field(&P::inputs, "inputs",
                            "names of the features it was trained on; where given, a scenario must have the same"),
                      field(&P::outputs, "outputs", "names of the knobs it was trained for; where given, likewise"),
                      required(&P::layers, "layers", "of the network, at least one, the first one first"),
                      field(&P::trained, "trained", "on what, by what, for how long; for people"));
    }
  };

  explicit Learned(const Parameters& parameters) : p_(parameters) {
    std::size_t inputs = p_.inputs.size();
    for (const Layer& layer : p_.layers) {
      if (layer.weights.empty() || layer.weights.size() != layer.bias.size())
        throw layer.where.error("has " + std::to_string(layer.weights.size()) + " rows of weights and " +
                                std::to_string(layer.bias.size()) + " biases; they must be as many, and at least one");
      for (const auto& row : layer.weights) {
        if (inputs == 0) inputs = row.size();
        if (row.size() != inputs)
          throw layer.where.error("a row has " + std::to_string(row.size()) + " weights, but there are " +
                                  std::to_string(inputs) + " inputs");
      }
      inputs = layer.weights.size();
    }
  }

  Triggers triggers() const override { return triggers_of(p_.knobs); }
  double compute_cost_us() const override { return p_.knobs.cost_us; }

  void decide(const Observation& seen, Decision& decision) override {
    if (space_.heads().empty()) prepare(seen);
    space_.observe(seen, features_.data());
    now_.assign(features_.begin(), features_.end());
    for (const Layer& layer : p_.layers) {
      next_.resize(layer.bias.size());
      for (std::size_t i = 0; i < layer.bias.size(); ++i) {
        double sum = layer.bias[i];
        for (std::size_t j = 0; j < now_.size(); ++j) sum += layer.weights[i][j] * now_[j];
        next_[i] = layer.activation == Activation::tanh   ? std::tanh(sum)
                   : layer.activation == Activation::relu ? std::max(0.0, sum)
                                                          : sum;
      }
      now_.swap(next_);
    }
    std::size_t at = 0;
    for (std::size_t h = 0; h < space_.heads().size(); ++h) {
      const std::size_t count = space_.heads()[h].values.size();
      const auto first = now_.begin() + static_cast<std::ptrdiff_t>(at);
      const auto best = std::max_element(first, first + static_cast<std::ptrdiff_t>(count));
      choices_[h] = best - first;
      double second = -std::numeric_limits<double>::infinity();
      for (auto i = first; i != first + static_cast<std::ptrdiff_t>(count); ++i)
        if (i != best) second = std::max(second, *i);
      why_[h] = Why{.reason = because("the network's largest output, by {}", *best - second)};
      at += count;
    }
    space_.write(seen, choices_, why_, decision);
  }

 private:
  void prepare(const Observation& seen) {
    if (p_.layers.empty()) throw InputError("policy learned: /layers: is empty, so that it knows nothing");
    space_ = LearningSpace(p_.knobs, seen);
    std::vector<std::string> heads;
    std::size_t outputs = 0;
    for (const auto& head : space_.heads()) {
      heads.push_back(head.name);
      outputs += head.values.size();
    }
    same(p_.inputs, space_.features(), "input");
    same(p_.outputs, heads, "output");
    if (p_.layers.front().weights.front().size() != space_.features().size())
      throw p_.layers.front().where.error("takes " + std::to_string(p_.layers.front().weights.front().size()) +
                                          " inputs, but the scenario has " + std::to_string(space_.features().size()) +
                                          " features: it was trained for another one");
    if (p_.layers.back().bias.size() != outputs)
      throw p_.layers.back().where.error("gives " + std::to_string(p_.layers.back().bias.size()) +
                                         " outputs, but the scenario's knobs have " + std::to_string(outputs) +
                                         " choices: it was trained for another one");
    features_.resize(space_.features().size());
    choices_.resize(heads.size());
    why_.resize(heads.size());
  }

  // What it was trained on, held against what is here.
  static void same(const std::vector<Name>& trained, const std::vector<std::string>& here, const char* what) {
    if (trained.empty()) return;
    for (std::size_t i = 0; i < trained.size(); ++i)
      if (i >= here.size() || trained[i].text != here[i])
        throw trained[i].where.error(std::string("was trained with ") + what + " " + in_quotes(trained[i].text) +
                                     ", but the scenario has " + (i < here.size() ? in_quotes(here[i]) : "no more") +
                                     " in its place");
    if (here.size() > trained.size())
      throw trained.back().where.error("was trained without " + std::string(what) + " " +
                                       in_quotes(here[trained.size()]) + ", which the scenario has");
  }

  Parameters p_;
  LearningSpace space_;
  std::vector<float> features_;
  std::vector<double> now_, next_;
  std::vector<std::int64_t> choices_;
  std::vector<Why> why_;
};

const Registration<Policy, Learned> registered{"learned", "a small neural network trained in the gym",
                                               "own definition (docs/learning.md)"};

}  // namespace
}  // namespace dynasoc::manager
