#include "manager/learning/mlp.hpp"

#include <algorithm>
#include <cmath>

namespace dynasoc::manager {

Mlp::Mlp(std::span<const int> sizes) : sizes_(sizes.begin(), sizes.end()) {
  std::size_t count = 0;
  for (int l = 0; l < layer_count(); ++l) count += static_cast<std::size_t>((sizes_[l] + 1) * sizes_[l + 1]);
  weights_.assign(count, 0);
  for (const int size : sizes_) values_.emplace_back(static_cast<std::size_t>(size), 0.0);
  slopes_ = values_;
}

Mlp::Mlp(std::span<const int> sizes, const Stream& draws) : Mlp(sizes) {
  std::size_t at = 0;
  std::uint64_t drawn = 0;
  for (int l = 0; l < layer_count(); ++l) {
    const double limit = std::sqrt(6.0 / sizes_[l]);
    for (int w = 0; w < sizes_[l] * sizes_[l + 1]; ++w) weights_[at++] = limit * (2 * draws.uniform(drawn++) - 1);
    at += static_cast<std::size_t>(sizes_[l + 1]);
  }
}

namespace {

std::vector<int> checked_sizes(const std::vector<DenseLayer>& layers, int inputs, int outputs) {
  std::vector<int> sizes{inputs};
  for (const DenseLayer& layer : layers) {
    if (layer.weights.empty() || layer.weights.size() != layer.bias.size())
      throw layer.where.error("has " + std::to_string(layer.weights.size()) + " rows of weights and " +
                              std::to_string(layer.bias.size()) + " biases; they must be as many, and at least one");
    for (const auto& row : layer.weights)
      if (row.size() != static_cast<std::size_t>(sizes.back()))
        throw layer.where.error("a row has " + std::to_string(row.size()) + " weights, but there are " +
                                std::to_string(sizes.back()) + " inputs");
    sizes.push_back(static_cast<int>(layer.bias.size()));
  }
  if (sizes.back() != outputs)
    throw layers.back().where.error("gives " + std::to_string(sizes.back()) + " outputs; it must give " +
                                    std::to_string(outputs));
  return sizes;
}

}  // namespace

Mlp::Mlp(const std::vector<DenseLayer>& layers, int inputs, int outputs)
    : Mlp(std::span<const int>(checked_sizes(layers, inputs, outputs))) {
  auto at = weights_.begin();
  for (const DenseLayer& layer : layers) {
    for (const auto& row : layer.weights) at = std::copy(row.begin(), row.end(), at);
    at = std::copy(layer.bias.begin(), layer.bias.end(), at);
  }
}

std::span<const double> Mlp::run(std::span<const double> inputs) {
  std::copy(inputs.begin(), inputs.end(), values_[0].begin());
  const double* row = weights_.data();
  for (int l = 0; l < layer_count(); ++l) {
    const std::vector<double>& in = values_[l];
    std::vector<double>& out = values_[l + 1];
    const double* bias = row + in.size() * out.size();
    const bool hidden = l + 1 < layer_count();
    for (std::size_t i = 0; i < out.size(); ++i, row += in.size()) {
      double sum = bias[i];
      for (std::size_t j = 0; j < in.size(); ++j) sum += row[j] * in[j];
      out[i] = hidden ? std::max(0.0, sum) : sum;
    }
    row += out.size();
  }
  return values_.back();
}

void Mlp::differentiate(std::span<const double> slope, std::span<double> gradient) {
  std::copy(slope.begin(), slope.end(), slopes_.back().begin());
  std::size_t end = weights_.size();
  for (int l = layer_count() - 1; l >= 0; --l) {
    const std::vector<double>& in = values_[l];
    const std::vector<double>& out_slope = slopes_[l + 1];
    std::vector<double>& in_slope = slopes_[l];
    const std::size_t bias = end - out_slope.size(), first = bias - in.size() * out_slope.size();
    std::fill(in_slope.begin(), in_slope.end(), 0.0);
    for (std::size_t i = 0; i < out_slope.size(); ++i) {
      gradient[bias + i] += out_slope[i];
      for (std::size_t j = 0; j < in.size(); ++j) {
        gradient[first + i * in.size() + j] += out_slope[i] * in[j];
        in_slope[j] += out_slope[i] * weights_[first + i * in.size() + j];
      }
    }
    if (l > 0)
      for (std::size_t j = 0; j < in.size(); ++j)
        if (!(in[j] > 0)) in_slope[j] = 0;
    end = first;
  }
}

std::vector<DenseLayer> Mlp::layers() const {
  std::vector<DenseLayer> out;
  auto at = weights_.begin();
  for (int l = 0; l < layer_count(); ++l) {
    DenseLayer& layer = out.emplace_back();
    for (int i = 0; i < sizes_[l + 1]; ++i, at += sizes_[l]) layer.weights.emplace_back(at, at + sizes_[l]);
    layer.bias.assign(at, at + sizes_[l + 1]);
    at += sizes_[l + 1];
  }
  return out;
}

void Adam::step(std::span<double> weights, std::span<const double> gradient) {
  first_left_ *= kFirst;
  second_left_ *= kSecond;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double g = gradient[i];
    first_[i] += (1 - kFirst) * (g - first_[i]);
    second_[i] += (1 - kSecond) * (g * g - second_[i]);
    const double first = first_[i] / (1 - first_left_), second = second_[i] / (1 - second_left_);
    weights[i] -= rate_ * first / (std::sqrt(second) + kEpsilon);
  }
}

}  // namespace dynasoc::manager
