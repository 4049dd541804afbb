#include "device/thermal.hpp"

#include <Eigen/Dense>

namespace dynasoc {
namespace {

std::size_t node_index(const ThermalFile& file, const Name& name) {
  for (std::size_t i = 0; i < file.nodes.size(); ++i)
    if (file.nodes[i].first == name.text) return i;
  throw InternalError("thermal network: \"" + name.text + "\" is not a node");
}

}  // namespace

ThermalModel::ThermalModel(const ThermalFile& file) : count_(file.nodes.size()), ambient_c_(file.ambient_c) {
  if (count_ == 0 || count_ > kMaxNodes) throw InternalError("thermal network: unsupported number of nodes");
  const auto n = static_cast<Eigen::Index>(count_);
  Eigen::MatrixXd conductance = Eigen::MatrixXd::Zero(n, n);
  Eigen::VectorXd inverse_root(n);  // C^-1/2
  for (std::size_t i = 0; i < count_; ++i) {
    const auto at = static_cast<Eigen::Index>(i);
    capacity_[i] = file.nodes[i].second.capacity_j_per_k;
    to_ambient_[i] = file.nodes[i].second.to_ambient_w_per_k;
    if (!(capacity_[i] > 0)) throw InternalError("thermal network: a node without a heat capacity");
    inverse_root(at) = 1 / std::sqrt(capacity_[i]);
    conductance(at, at) = to_ambient_[i];
  }
  for (const ThermalLinkFile& link : file.links) {
    const auto a = static_cast<Eigen::Index>(node_index(file, link.a));
    const auto b = static_cast<Eigen::Index>(node_index(file, link.b));
    conductance(a, a) += link.conductance_w_per_k;
    conductance(b, b) += link.conductance_w_per_k;
    conductance(a, b) -= link.conductance_w_per_k;
    conductance(b, a) -= link.conductance_w_per_k;
  }
  const Eigen::MatrixXd symmetric = inverse_root.asDiagonal() * conductance * inverse_root.asDiagonal();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(symmetric);
  if (solver.info() != Eigen::Success || !(solver.eigenvalues()(0) > 0))
    throw InternalError("thermal network: a node has no way to the surroundings");

  for (std::size_t k = 0; k < count_; ++k) {
    const auto mode = static_cast<Eigen::Index>(k);
    rate_[k] = solver.eigenvalues()(mode);
    for (std::size_t i = 0; i < count_; ++i) {
      const auto at = static_cast<Eigen::Index>(i);
      shape_[i][k] = inverse_root(at) * solver.eigenvectors()(at, mode);
      gain_[i][k] = shape_[i][k] / rate_[k];
    }
  }
  fastest_ = rate_[count_ - 1];
  reset(file.initial_c);
}

void ThermalModel::reset(double temperature_c) {
  // z = V^T C^1/2 (T - T_ambient); C^1/2 v = C (C^-1/2 v)
  for (std::size_t k = 0; k < count_; ++k) {
    z_[k] = 0;
    for (std::size_t i = 0; i < count_; ++i) z_[k] += capacity_[i] * shape_[i][k] * (temperature_c - ambient_c_);
  }
}

double ThermalModel::stored_j() const {
  double sum = 0;
  for (std::size_t i = 0; i < count_; ++i) sum += capacity_[i] * (temperature_c(i) - ambient_c_);
  return sum;
}

double ThermalModel::to_ambient_w() const {
  double sum = 0;
  for (std::size_t i = 0; i < count_; ++i) sum += to_ambient_[i] * (temperature_c(i) - ambient_c_);
  return sum;
}

}  // namespace dynasoc
