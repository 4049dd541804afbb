#include "board/profile_plan.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <tuple>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "common/error.hpp"
#include "common/nan.hpp"
#include "common/text.hpp"
#include "kernel/random.hpp"

namespace dynasoc::board {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kQuantile95 = 1.959963984540054;
constexpr int kAxes = 4;              // the unit's clock, memory clock, host clock, cores
constexpr double kAxisFloor = 0.2;    // log range below which an axis is not stretched: 20 % of clock are not a world
constexpr double kMacsLength = 0.7;   // of the kernel over log MACs: about a factor of two
constexpr double kLeastShare = 0.03;  // of a term that the fit set to nothing: the prior does not rule it out

double normal_tail(double z) { return 0.5 * std::erfc(z * 0.7071067811865476); }

// Two-sided 95 % quantile of Student's t (Cornish-Fisher from the normal one; 3 % too small at two degrees of freedom).
double t_quantile(double degrees) {
  const double z = kQuantile95, z2 = z * z, v = std::max(2.0, degrees);
  const double g1 = (z2 + 1) * z / 4, g2 = ((5 * z2 + 16) * z2 + 3) * z / 96,
               g3 = (((3 * z2 + 19) * z2 + 17) * z2 - 15) * z / 384;
  return z + g1 / v + g2 / (v * v) + g3 / (v * v * v);
}

// Minimises xᵀGx - 2hᵀx over x >= 0 (Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23, on the normal
// equations).
VectorXd non_negative(const MatrixXd& g, const VectorXd& h) {
  const Index n = h.size();
  VectorXd x = VectorXd::Zero(n);
  std::vector<bool> free(static_cast<std::size_t>(n), false);
  const double tiny = 1e-10 * std::max(1e-300, h.cwiseAbs().maxCoeff());
  for (Index round = 0; round < 3 * n; ++round) {
    const VectorXd gradient = h - g * x;
    Index enter = -1;
    for (Index i = 0; i < n; ++i)
      if (!free[static_cast<std::size_t>(i)] && gradient[i] > tiny && (enter < 0 || gradient[i] > gradient[enter]))
        enter = i;
    if (enter < 0) break;
    free[static_cast<std::size_t>(enter)] = true;
    while (true) {
      std::vector<Index> which;
      for (Index i = 0; i < n; ++i)
        if (free[static_cast<std::size_t>(i)]) which.push_back(i);
      const VectorXd part = MatrixXd(g(which, which)).ldlt().solve(VectorXd(h(which)));
      double step = 1;
      for (std::size_t k = 0; k < which.size(); ++k)
        if (const Index i = which[k]; part[static_cast<Index>(k)] <= 0)
          step = std::min(step, x[i] / std::max(1e-300, x[i] - part[static_cast<Index>(k)]));
      for (std::size_t k = 0; k < which.size(); ++k) x[which[k]] += step * (part[static_cast<Index>(k)] - x[which[k]]);
      if (step >= 1) break;
      for (const Index i : which)
        if (x[i] <= 1e-12 * x.maxCoeff()) x[i] = 0, free[static_cast<std::size_t>(i)] = false;
      if (x.maxCoeff() <= 0) break;
    }
  }
  return x;
}

// The cells of a unit as the models see them.
struct Features {
  std::vector<int> subnet;                       // dense, from 0
  std::vector<double> macs;                      // of the cell's sub-network over their mean; all 1 if not known
  std::vector<std::array<double, kAxes>> at;     // logarithms over the axis's range
  std::vector<std::array<double, kAxes>> ratio;  // reference over clock; one over cores
  std::array<bool, kAxes> varies{};
  MatrixXd alike;  // sub-network by sub-network: 1 on the diagonal
  int subnets = 0;
  bool macs_known = false;
  Index size() const { return static_cast<Index>(subnet.size()); }
};

Features features_of(std::span<const PlanCell> cells, std::span<const std::size_t> which) {
  Features out;
  std::map<int, int> dense;
  std::vector<double> macs;
  for (const std::size_t i : which)
    if (dense.try_emplace(cells[i].subnet, static_cast<int>(dense.size())).second) macs.push_back(cells[i].macs_m);
  out.subnets = static_cast<int>(dense.size());
  out.macs_known = out.subnets > 1 && std::all_of(macs.begin(), macs.end(), [](double x) { return x > 0; });
  const double mean = std::accumulate(macs.begin(), macs.end(), 0.0) / static_cast<double>(macs.size());
  out.alike = MatrixXd::Identity(out.subnets, out.subnets);
  if (out.macs_known)
    for (int a = 0; a < out.subnets; ++a)
      for (int b = 0; b < a; ++b) {
        const double d = std::log(macs[static_cast<std::size_t>(a)] / macs[static_cast<std::size_t>(b)]) / kMacsLength;
        out.alike(a, b) = out.alike(b, a) = 0.5 * std::exp(-0.5 * d * d);  // half of it is the sub-network's own
      }
  std::array<double, kAxes> low, high;
  low.fill(kInfinity), high.fill(-kInfinity);
  std::vector<std::array<double, kAxes>> raw;
  for (const std::size_t i : which) {
    const PlanCell& cell = cells[i];
    const auto value = [](double x) { return x > 0 ? x : 1.0; };
    raw.push_back({value(cell.f_unit_mhz), value(cell.f_emc_mhz), value(cell.f_host_mhz),
                   static_cast<double>(std::max(1, cell.cores))});
    const int s = dense[cell.subnet];
    out.subnet.push_back(s);
    out.macs.push_back(out.macs_known ? macs[static_cast<std::size_t>(s)] / mean : 1.0);
    for (std::size_t d = 0; d < kAxes; ++d)
      low[d] = std::min(low[d], raw.back()[d]), high[d] = std::max(high[d], raw.back()[d]);
  }
  for (const auto& x : raw) {
    auto& at = out.at.emplace_back();
    auto& ratio = out.ratio.emplace_back();
    for (std::size_t d = 0; d < kAxes; ++d) {
      out.varies[d] = high[d] > low[d] * 1.001;
      at[d] = out.varies[d] ? std::log(x[d] / low[d]) / std::max(kAxisFloor, std::log(high[d] / low[d])) : 0;
      ratio[d] = d == 3 ? 1 / x[d] : high[d] / x[d];
    }
  }
  return out;
}

// What is measured of one quantity on one unit: one entry a cell, in the order in which cells were first observed.
struct Sample {
  Index cell = 0;
  double log_value = 0;
  double variance = 0;  // of log_value
};

// A roofline of terms that add, but for those of computing and memory, which join by a p-norm.
struct Term {
  enum Kind : std::uint8_t { other, computing, memory } kind = other;
  double share = 1;           // of the whole, before anything is measured (relative)
  std::vector<double> value;  // of each cell, 1 at the highest clocks and one core
};

std::vector<Term> roofline_terms(const Features& f, bool power) {
  const auto n = f.subnet.size();
  std::vector<Term> out;
  const auto add = [&](Term::Kind kind, double share, auto&& value) {
    Term term{kind, share, std::vector<double>(n)};
    for (std::size_t i = 0; i < n; ++i) term.value[i] = value(f.ratio[i]);
    out.push_back(std::move(term));
  };
  using Ratio = std::array<double, kAxes>;
  if (power) {
    add(Term::other, 0.4, [](const Ratio&) { return 1.0; });
    if (f.varies[3]) add(Term::other, 0.1, [](const Ratio& r) { return 1 / r[3]; });
    if (f.varies[0]) add(Term::other, 0.2, [](const Ratio& r) { return 1 / r[0]; });
    if (f.varies[0]) add(Term::other, 0.3, [](const Ratio& r) { return 1 / (r[0] * r[0] * r[0] * r[3]); });
    if (f.varies[1]) add(Term::other, 0.1, [](const Ratio& r) { return 1 / r[1]; });
    if (f.varies[2]) add(Term::other, 0.1, [](const Ratio& r) { return 1 / r[2]; });
    return out;
  }
  add(Term::other, 0.1, [](const Ratio&) { return 1.0; });
  if (f.varies[2]) add(Term::other, 0.1, [](const Ratio& r) { return r[2]; });
  if (f.varies[0]) add(Term::computing, 0.6, [](const Ratio& r) { return r[0]; });
  if (f.varies[3]) add(Term::computing, 1.5, [](const Ratio& r) { return r[0] * r[3]; });
  if (f.varies[1]) add(Term::memory, 0.25, [](const Ratio& r) { return r[1]; });
  return out;
}

// The mean function, fitted, and what its coefficients do to each cell.
struct Roofline {
  VectorXd log_mean;  // of each cell
  MatrixXd slopes;    // cell by term: d log t / d log coefficient (last: log p, where computing and memory overlap)

  static Roofline fit(const Features& f, std::span<const Sample> samples, bool power);
};

Roofline Roofline::fit(const Features& f, std::span<const Sample> samples, bool power) {
  const std::vector<Term> terms = roofline_terms(f, power);
  const auto kinds = static_cast<Index>(terms.size());
  const int forms = f.macs_known ? 2 : 1;  // a constant and a multiple of MACs
  const Index columns = kinds * forms, n = static_cast<Index>(samples.size()), cells = f.size();
  MatrixXd value(cells, columns);
  VectorXd prior(columns);
  for (Index k = 0; k < kinds; ++k)
    for (Index i = 0; i < cells; ++i) {
      const Term& term = terms[static_cast<std::size_t>(k)];
      const double x = term.value[static_cast<std::size_t>(i)];
      value(i, k) = x;
      prior[k] = term.share * (forms == 1 ? 1 : term.kind == Term::other ? 0.5 : 0.2);
      if (forms == 2) {
        value(i, kinds + k) = x * f.macs[static_cast<std::size_t>(i)];
        prior[kinds + k] = term.share - prior[k];
      }
    }
  const auto kind = [&](Index column) { return terms[static_cast<std::size_t>(column % kinds)].kind; };
  const bool overlaps =
      std::any_of(terms.begin(), terms.end(), [](const Term& t) { return t.kind == Term::memory; }) &&
      std::any_of(terms.begin(), terms.end(), [](const Term& t) { return t.kind == Term::computing; });

  // Time of one cell, and the weight of each column in it: with homogeneous terms, sum of weight * coefficient * value.
  const auto evaluate = [&](Index cell, const VectorXd& theta, double p, double* weight_computing,
                            double* weight_memory) {
    double sum = 0, u = 0, v = 0;
    for (Index c = 0; c < columns; ++c) {
      const double x = theta[c] * value(cell, c);
      (kind(c) == Term::computing ? u : kind(c) == Term::memory ? v : sum) += x;
    }
    *weight_computing = *weight_memory = 1;
    if (p == 1 || u <= 0 || v <= 0) return sum + u + v;
    const double large = std::max(u, v), r = large * std::pow(std::pow(u / large, p) + std::pow(v / large, p), 1 / p);
    *weight_computing = std::pow(u / r, p - 1);
    *weight_memory = std::pow(v / r, p - 1);
    return sum + r;
  };

  // Scale of the prior: the geometric mean of measured over prior.
  double w1, w2, scale = 0;
  for (const Sample& s : samples) scale += s.log_value - std::log(evaluate(s.cell, prior, 1, &w1, &w2));
  prior *= std::exp(scale / static_cast<double>(n));

  VectorXd best = prior;
  double best_loss = kInfinity, best_p = 1;
  constexpr double kPriorWeight = 0.05;  // of one observation: decides only what nothing else does
  for (const double p : {1.0, 1.5, 2.0, 3.0, 5.0, 10.0}) {
    if (p > 1 && (!overlaps || n < 6)) break;
    VectorXd theta = best_loss < kInfinity ? best : prior;
    std::vector<double> level(static_cast<std::size_t>(f.subnets), 0.0);
    for (int round = 0; round < 6; ++round) {
      // Levels of sub-networks: shrunk means of the logarithmic residuals, centred.
      std::vector<double> sum(level.size(), 0.0), count(level.size(), 0.0);
      double loss = 0;
      for (const Sample& s : samples) {
        const auto id = static_cast<std::size_t>(f.subnet[static_cast<std::size_t>(s.cell)]);
        const double residual = s.log_value - std::log(evaluate(s.cell, theta, p, &w1, &w2));
        loss += (residual - level[id]) * (residual - level[id]);
        sum[id] += residual, count[id] += 1;
      }
      for (const double x : level) loss += (f.macs_known ? 0.3 : 0.02) * x * x;
      for (Index c = 0; c < columns; ++c)
        loss += kPriorWeight * kPriorWeight * (theta[c] / prior[c] - 1) * (theta[c] / prior[c] - 1);
      if (loss < best_loss - 1e-12) best_loss = loss, best = theta, best_p = p;
      double centre = 0, seen = 0;
      for (std::size_t id = 0; id < level.size(); ++id) {
        level[id] = f.subnets > 1 ? sum[id] / (count[id] + (f.macs_known ? 0.5 : 0.05)) : 0;
        if (count[id] > 0) centre += level[id], seen += 1;
      }
      for (std::size_t id = 0; id < level.size(); ++id) level[id] = count[id] > 0 ? level[id] - centre / seen : 0;
      // Gauss-Newton: as the model is homogeneous of degree one in its coefficients, its linearisation has no constant.
      MatrixXd g = MatrixXd::Zero(columns, columns);
      VectorXd h = VectorXd::Zero(columns), row(columns);
      for (const Sample& s : samples) {
        evaluate(s.cell, theta, p, &w1, &w2);
        const double t =
            std::exp(s.log_value - level[static_cast<std::size_t>(f.subnet[static_cast<std::size_t>(s.cell)])]);
        for (Index c = 0; c < columns; ++c)
          row[c] = value(s.cell, c) / t *
                   (kind(c) == Term::computing ? w1
                    : kind(c) == Term::memory  ? w2
                                               : 1) *
                   prior[c];
        g.selfadjointView<Eigen::Lower>().rankUpdate(row);
        h += row;
      }
      g = MatrixXd(g.selfadjointView<Eigen::Lower>());
      g.diagonal().array() += kPriorWeight * kPriorWeight;
      h.array() += kPriorWeight * kPriorWeight;
      theta = non_negative(g, h).cwiseProduct(prior);
      if (theta.maxCoeff() <= 0) theta = prior;
    }
  }

  Roofline out;
  out.log_mean.resize(cells);
  out.slopes = MatrixXd::Zero(cells, kinds + (overlaps ? 1 : 0));
  const VectorXd least = best.cwiseMax(kLeastShare * prior);
  for (Index i = 0; i < cells; ++i) {
    const double t = evaluate(i, best, best_p, &w1, &w2);
    out.log_mean[i] = std::log(t);
    for (Index c = 0; c < columns; ++c)
      out.slopes(i, c % kinds) += (kind(c) == Term::computing ? w1
                                   : kind(c) == Term::memory  ? w2
                                                              : 1) *
                                  least[c] * value(i, c) / t;
    if (overlaps) {
      constexpr double kStep = 1.3;
      double a, b;
      out.slopes(i, kinds) =
          (std::log(evaluate(i, least, best_p * kStep, &a, &b)) - std::log(evaluate(i, least, best_p, &a, &b))) /
          std::log(kStep);
    }
  }
  return out;
}

// Standard deviations of the parts of the Gaussian process, and the length of the smooth one.
struct Scales {
  double level = 0.3;    // of a sub-network about the roofline
  double shape = 0.1;    // of a sub-network's coefficients
  double smooth = 0.03;  // remainder over clocks and cores
  double length = 0.5;   // of the smooth remainder, as a share of each axis's range
  double single = 0.01;  // of the single cell
  double common = 1.0;   // of the coefficients for all sub-networks: held and wide, so that only cells tell them
};

// The model of one quantity on one unit.
class Surface {
 public:
  /// Of time; of energy where the model of time is given.
  explicit Surface(const Features& features, const Surface* time = nullptr) : f_(&features), time_(time) {}

  void observe(Index cell, double value, double standard_error, double noise);

  bool empty() const { return samples_.empty(); }
  bool has(Index cell) const { return place_.contains(cell); }
  double mean(Index cell) const { return mean_[cell]; }
  double variance(Index cell) const { return inflation_ * std::max(variance_[cell], 1e-12); }
  double quantile() const { return quantile_; }
  double inflation() const { return inflation_; }
  double noise_variance() const { return inflation_ * typical_noise_; }

  /// Posterior covariance of cells `a` by cells `b`.
  MatrixXd covariance(const std::vector<Index>& a, const std::vector<Index>& b) const;
  double covariance(Index a, Index b) const;

 private:
  struct Blocks {  // parts of the kernel matrix that do not depend on the scales
    MatrixXd alike, common, shape, distance2;
  };
  Blocks blocks(const std::vector<Index>& a, const std::vector<Index>& b) const;
  static MatrixXd kernel(const Blocks& parts, const Scales& scales);
  double kernel(Index a, Index b) const;
  double evidence(const Blocks& parts, const VectorXd& residual, const VectorXd& noise, const Scales& scales) const;
  void fit();
  void choose_scales();
  void factor();
  void append(const Sample& sample);
  void widen(const Eigen::LLT<MatrixXd>& cholesky, const VectorXd& residual);

  const Features* f_;
  const Surface* time_;
  std::vector<Sample> samples_;
  std::map<Index, std::size_t> place_;
  Roofline roofline_;
  Scales scales_;
  std::size_t refit_at_ = 1;
  // Cells by capacity: kernel of all cells with the measured ones, times the inverse Cholesky factor.
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> whitened_;
  VectorXd mean_, variance_;
  double quantile_ = kQuantile95;
  double inflation_ = 1;
  double typical_noise_ = 1e-5;
};

void Surface::observe(Index cell, double value, double standard_error, double noise) {
  const double relative = std::isfinite(standard_error) ? standard_error / value : 0;
  Sample sample{cell, std::log(value), relative * relative + noise * noise};
  if (const auto it = place_.find(cell); it != place_.end()) {
    Sample& known = samples_[it->second];
    const double weight = known.variance / (known.variance + sample.variance);
    known.log_value += weight * (sample.log_value - known.log_value);
    known.variance = weight * sample.variance;
    fit();
    return;
  }
  place_[cell] = samples_.size();
  samples_.push_back(sample);
  if (samples_.size() < refit_at_) return append(sample);
  fit();
  refit_at_ = samples_.size() + std::max<std::size_t>(1, samples_.size() / 12);
}

void Surface::fit() {
  if (time_ == nullptr) {
    roofline_ = Roofline::fit(*f_, samples_, false);
  } else {  // energy is predicted time times power, and what is not known of time is not known of it
    std::vector<Sample> power = samples_;
    for (Sample& s : power) s.log_value -= time_->mean_[s.cell];
    roofline_ = Roofline::fit(*f_, power, true);
    roofline_.log_mean += time_->mean_;
    const MatrixXd own = roofline_.slopes, &others = time_->roofline_.slopes;
    roofline_.slopes.resize(own.rows(), own.cols() + others.cols());
    roofline_.slopes << own, others;
  }
  choose_scales();
  factor();
}

Surface::Blocks Surface::blocks(const std::vector<Index>& a, const std::vector<Index>& b) const {
  const auto n = static_cast<Index>(a.size()), m = static_cast<Index>(b.size());
  Blocks out{MatrixXd(n, m), MatrixXd(n, m), MatrixXd(n, m), MatrixXd(n, m)};
  const MatrixXd slopes_a = roofline_.slopes(a, Eigen::all), slopes_b = roofline_.slopes(b, Eigen::all);
  out.common = slopes_a * slopes_b.transpose();
  for (Index j = 0; j < m; ++j) {
    const auto y = static_cast<std::size_t>(b[static_cast<std::size_t>(j)]);
    for (Index i = 0; i < n; ++i) {
      const auto x = static_cast<std::size_t>(a[static_cast<std::size_t>(i)]);
      out.alike(i, j) = f_->alike(f_->subnet[x], f_->subnet[y]);
      double d2 = 0;
      for (std::size_t d = 0; d < kAxes; ++d) d2 += (f_->at[x][d] - f_->at[y][d]) * (f_->at[x][d] - f_->at[y][d]);
      out.distance2(i, j) = d2;
    }
  }
  out.shape = out.common.cwiseProduct(out.alike);
  return out;
}

// All but the single cell's part, which is on the diagonal of equal cells.
MatrixXd Surface::kernel(const Blocks& parts, const Scales& s) {
  const double c2 = s.common * s.common, h2 = s.shape * s.shape, l2 = s.level * s.level, r2 = s.smooth * s.smooth;
  const Eigen::ArrayXXd r = parts.distance2.array().sqrt() * (std::sqrt(5.0) / s.length);
  return (c2 * parts.common + h2 * parts.shape + l2 * parts.alike).array() +
         r2 * (1 + r + r.square() / 3) * (-r).exp() * 0.5 * (1 + parts.alike.array());
}

double Surface::evidence(const Blocks& parts, const VectorXd& residual, const VectorXd& noise, const Scales& s) const {
  MatrixXd k = kernel(parts, s);
  k.diagonal() += noise;
  k.diagonal().array() += s.single * s.single;
  const Eigen::LLT<MatrixXd> cholesky(k);
  if (cholesky.info() != Eigen::Success) return -kInfinity;
  const VectorXd white = cholesky.matrixL().solve(residual);
  double out = -0.5 * white.squaredNorm() - cholesky.matrixLLT().diagonal().array().log().sum();
  // Weak priors: a factor of three or so about what boards show. They decide while there is little else.
  const auto prior = [&](double x, double typical, double spread) {
    const double z = std::log(x / typical) / spread;
    out -= 0.5 * z * z;
  };
  prior(s.level, f_->macs_known ? 0.15 : 0.5, 1.2);
  prior(s.shape, 0.2, 1.2);
  prior(s.smooth, 0.03, 1.2);
  prior(s.length, 0.5, 0.7);
  prior(s.single, 0.01, 1.0);
  return out;
}

void Surface::choose_scales() {
  constexpr std::size_t kMost = 160;  // more cells say nothing new about scales
  std::vector<Index> cells;
  std::vector<std::size_t> from;
  const std::size_t step = (samples_.size() + kMost - 1) / kMost;
  for (std::size_t i = 0; i < samples_.size(); i += step) from.push_back(i), cells.push_back(samples_[i].cell);
  VectorXd residual(static_cast<Index>(cells.size())), noise(residual.size());
  for (Index i = 0; i < residual.size(); ++i) {
    const Sample& s = samples_[from[static_cast<std::size_t>(i)]];
    residual[i] = s.log_value - roofline_.log_mean[s.cell];
    noise[i] = s.variance;
  }
  const Blocks parts = blocks(cells, cells);
  static constexpr std::array kLevels = {0.01, 0.03, 0.1, 0.3, 0.6, 1.2}, kShapes = {0.01, 0.03, 0.06, 0.12, 0.25, 0.5},
                              kSmooths = {0.003, 0.01, 0.02, 0.04, 0.08, 0.16},
                              kSingles = {0.001, 0.003, 0.006, 0.012, 0.025, 0.05};
  static constexpr std::array kLengths = {0.2, 0.35, 0.6, 1.0};
  scales_ = {};
  if (f_->macs_known) scales_.level = 0.1;
  double best = evidence(parts, residual, noise, scales_);
  const auto improve = [&](double Scales::*member, std::span<const double> grid) {
    Scales trial = scales_;
    bool moved = false;
    for (const double x : grid) {
      trial.*member = x;
      if (trial.*member == scales_.*member) continue;
      if (const double value = evidence(parts, residual, noise, trial); value > best + 1e-9)
        best = value, scales_.*member = x, moved = true;
    }
    return moved;
  };
  for (int sweep = 0; sweep < 3; ++sweep) {
    bool moved = false;
    if (f_->subnets > 1) moved |= improve(&Scales::level, kLevels), moved |= improve(&Scales::shape, kShapes);
    moved |= improve(&Scales::single, kSingles);
    moved |= improve(&Scales::smooth, kSmooths);
    moved |= improve(&Scales::length, kLengths);
    if (!moved) break;
  }
}

void Surface::factor() {
  const Index cells = f_->size(), n = static_cast<Index>(samples_.size());
  std::vector<Index> measured, all(static_cast<std::size_t>(cells));
  std::iota(all.begin(), all.end(), Index{0});
  VectorXd residual(n), noise(n);
  for (Index i = 0; i < n; ++i) {
    const Sample& s = samples_[static_cast<std::size_t>(i)];
    measured.push_back(s.cell);
    residual[i] = s.log_value - roofline_.log_mean[s.cell];
    noise[i] = s.variance;
  }
  typical_noise_ = noise.sum() / static_cast<double>(n);
  MatrixXd cross = kernel(blocks(all, measured), scales_);
  const double single2 = scales_.single * scales_.single;
  for (Index i = 0; i < n; ++i) cross(measured[static_cast<std::size_t>(i)], i) += single2;
  MatrixXd own = cross(measured, Eigen::all);
  own.diagonal() += noise;
  const Eigen::LLT<MatrixXd> cholesky(own);
  if (cholesky.info() != Eigen::Success)
    throw InternalError("profile plan: the kernel matrix is not positive definite");
  cholesky.matrixU().solveInPlace<Eigen::OnTheRight>(cross);
  mean_ = roofline_.log_mean + cross * cholesky.matrixL().solve(residual);
  variance_.resize(cells);
  for (Index i = 0; i < cells; ++i) variance_[i] = kernel(i, i);
  variance_ -= cross.rowwise().squaredNorm();
  whitened_.resize(cells, std::max<Index>(n + 16, n + n / 8));
  whitened_.leftCols(n) = cross;
  widen(cholesky, residual);
}

// Intervals that the measured cells themselves, each predicted from the others, would have left too often are widened.
void Surface::widen(const Eigen::LLT<MatrixXd>& cholesky, const VectorXd& residual) {
  const Index n = residual.size();
  // Scales are estimated too: few cells, heavier tails.
  quantile_ = t_quantile(static_cast<double>(n) - 2);
  inflation_ = 1;
  if (n < 4) return;
  const MatrixXd inverse = cholesky.solve(MatrixXd::Identity(n, n));
  const VectorXd weighted = inverse * residual;
  double sum = 0;
  for (Index i = 0; i < n; ++i) sum += weighted[i] * weighted[i] / inverse(i, i);
  inflation_ = std::clamp(sum / static_cast<double>(n), 1.0, 16.0);
}

// One more column of the factor costs one pass over it: with few cells added, scales stay.
void Surface::append(const Sample& sample) {
  const Index cells = f_->size(), n = static_cast<Index>(samples_.size()) - 1;
  if (n == whitened_.cols()) whitened_.conservativeResize(cells, n + std::max<Index>(16, n / 4));
  VectorXd column(cells);
  for (Index i = 0; i < cells; ++i) column[i] = kernel(i, sample.cell);
  column.noalias() -= whitened_.leftCols(n) * whitened_.row(sample.cell).head(n).transpose();
  column /= std::sqrt(std::max(column[sample.cell], 0.0) + sample.variance);
  const double innovation =
      (sample.log_value - mean_[sample.cell]) / std::sqrt(std::max(variance_[sample.cell], 0.0) + sample.variance);
  mean_ += innovation * column;
  variance_ -= column.cwiseAbs2();
  whitened_.col(n) = column;
}

double Surface::kernel(Index a, Index b) const {
  const auto x = static_cast<std::size_t>(a), y = static_cast<std::size_t>(b);
  const double alike = f_->alike(f_->subnet[x], f_->subnet[y]);
  double d2 = 0;
  for (std::size_t d = 0; d < kAxes; ++d) d2 += (f_->at[x][d] - f_->at[y][d]) * (f_->at[x][d] - f_->at[y][d]);
  const Scales& s = scales_;
  const double r = std::sqrt(5 * d2) / s.length;
  return (s.common * s.common + s.shape * s.shape * alike) * roofline_.slopes.row(a).dot(roofline_.slopes.row(b)) +
         s.level * s.level * alike + s.smooth * s.smooth * 0.5 * (1 + alike) * (1 + r + r * r / 3) * std::exp(-r) +
         (a == b ? s.single * s.single : 0);
}

MatrixXd Surface::covariance(const std::vector<Index>& a, const std::vector<Index>& b) const {
  const auto n = static_cast<Index>(samples_.size());
  MatrixXd out = kernel(blocks(a, b), scales_);
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < b.size(); ++j)
      if (a[i] == b[j]) out(static_cast<Index>(i), static_cast<Index>(j)) += scales_.single * scales_.single;
  const MatrixXd left = whitened_(a, Eigen::seqN(0, n)), right = whitened_(b, Eigen::seqN(0, n));
  out.noalias() -= left * right.transpose();
  return inflation_ * out;
}

double Surface::covariance(Index a, Index b) const {
  const auto n = static_cast<Index>(samples_.size());
  return inflation_ * (kernel(a, b) - whitened_.row(a).head(n).dot(whitened_.row(b).head(n)));
}

std::string cell_text(std::size_t index) { return "cell " + std::to_string(index); }

void check(const std::vector<PlanCell>& cells, const PlanOptions& o) {
  if (cells.empty()) throw InputError("a profiling plan needs at least one cell");
  const auto positive = [](double x, const char* name) {
    if (!(x > 0)) throw InputError(std::string(name) + " must be positive, not " + plain_number(x));
  };
  positive(o.target_relative_error, "target_relative_error");
  positive(o.ranking_target, "ranking_target");
  positive(o.budget_share, "budget_share");
  positive(o.budget_s, "budget_s");
  positive(o.repeats, "repeats");
  if (!(o.target_share > 0 && o.target_share <= 1)) throw InputError("target_share must be in (0, 1]");
  if (!(o.ranking_tolerance >= 0 && std::isfinite(o.ranking_tolerance)))
    throw InputError("ranking_tolerance must not be negative");
  if (!(o.settle_s >= 0 && std::isfinite(o.settle_s))) throw InputError("settle_s must not be negative");
  if (!(o.noise > 0 && o.noise < 1)) throw InputError("noise must be between 0 and 1");

  using Key = std::tuple<int, int, double, double, double, int>;
  std::map<Key, std::size_t> seen;
  std::map<int, std::array<bool, 4>> stated;
  std::map<int, double> macs;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const PlanCell& c = cells[i];
    const auto refuse = [&](const std::string& why) { throw InputError(cell_text(i) + ": " + why); };
    const std::array clocks = {c.f_unit_mhz, c.f_emc_mhz, c.f_host_mhz};
    for (const double x : clocks)
      if (x < 0 || std::isinf(x)) refuse("a clock must be positive and finite, not " + plain_number(x));
    if (c.cores < 0) refuse("the number of cores must not be negative");
    if (!(c.macs_m >= 0 && std::isfinite(c.macs_m))) refuse("macs_m must not be negative; 0 is not known");
    const std::array<bool, 4> states = {clocks[0] > 0, clocks[1] > 0, clocks[2] > 0, c.cores > 0};
    if (const auto [it, fresh] = stated.try_emplace(c.unit, states); !fresh && it->second != states)
      refuse("states other clocks (or cores) than the cells of its unit before it");
    if (const auto [it, fresh] = macs.try_emplace(c.subnet, c.macs_m); !fresh && it->second != c.macs_m)
      refuse("macs_m is " + plain_number(c.macs_m) + ", but " + plain_number(it->second) +
             " in a cell of the same sub-network before it");
    const Key key{c.unit, c.subnet, states[0] ? clocks[0] : 0, states[1] ? clocks[1] : 0, states[2] ? clocks[2] : 0,
                  c.cores};
    if (const auto [it, fresh] = seen.try_emplace(key, i); !fresh) refuse("is the same as " + cell_text(it->second));
  }
}

}  // namespace

class ProfilePlan::Impl {
 public:
  Impl(std::vector<PlanCell> given, const PlanOptions& given_options)
      : cells(std::move(given)), options(given_options), skipped(cells.size(), false), local(cells.size()) {
    check(cells, options);
    std::map<int, std::size_t> dense;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto [it, fresh] = dense.try_emplace(cells[i].unit, units.size());
      if (fresh) units.push_back(std::make_unique<Unit>());
      local[i] = {it->second, static_cast<Index>(units[it->second]->cells.size())};
      units[it->second]->cells.push_back(i);
    }
    for (const auto& unit : units) {
      unit->features = features_of(cells, unit->cells);
      unit->latency.emplace(unit->features);
      unit->energy.emplace(unit->features, &*unit->latency);
    }
    order = spread();
  }

  struct Unit {
    std::vector<std::size_t> cells;
    Features features;
    std::optional<Surface> latency, energy;
  };
  struct Local {
    std::size_t unit = 0;
    Index cell = 0;
  };

  std::size_t cell_budget() const {
    const double share = std::min(1.0, options.budget_share) * static_cast<double>(cells.size());
    return std::max<std::size_t>(1, static_cast<std::size_t>(share + 1e-9));
  }

  const Surface& surface(std::size_t cell) const { return *units[local[cell].unit]->latency; }
  bool measured(std::size_t cell) const { return surface(cell).has(local[cell].cell); }
  void check_cell(std::size_t cell) const {
    if (cell >= cells.size())
      throw InputError(cell_text(cell) + " is not one of the plan's " + std::to_string(cells.size()));
  }

  CellPrediction predict(const Surface& surface, Index cell) const {
    CellPrediction out;
    if (surface.empty()) return out;
    out.measured = surface.has(cell);
    const double half = surface.quantile() * std::sqrt(surface.variance(cell));
    out.mean = std::exp(surface.mean(cell));
    out.low = std::exp(surface.mean(cell) - half);
    out.high = std::exp(surface.mean(cell) + half);
    return out;
  }
  CellPrediction latency(std::size_t cell) const { return predict(surface(cell), local[cell].cell); }
  double half_width(const Surface& s, Index cell) const {
    return std::expm1(s.quantile() * std::sqrt(s.variance(cell)));
  }

  double cost_s(std::size_t cell) const {
    const Surface& s = surface(cell);
    const double ms = s.empty() ? 0 : std::exp(s.mean(local[cell].cell));
    return options.settle_s + options.repeats * ms / 1000;
  }

  std::vector<std::size_t> spread() const;
  std::optional<std::size_t> next() const;
  std::size_t best_cell() const;
  double ranking_uncertainty() const;
  double share_within() const;
  double expected_error() const;
  bool done() const {
    return observed >= cell_budget() || spent_s >= options.budget_s || open() == 0 ||
           (begun() && share_within() >= options.target_share && ranking_uncertainty() <= options.ranking_target);
  }
  std::size_t open() const {
    std::size_t out = 0;
    for (std::size_t i = 0; i < cells.size(); ++i) out += !skipped[i] && !measured(i);
    return out;
  }
  // A target cannot be judged before the start was measured: scales would be the prior's.
  bool begun() const {
    return std::all_of(order.begin(), order.end(), [&](std::size_t i) { return skipped[i] || measured(i); });
  }
  bool all_units_known() const {
    return std::none_of(units.begin(), units.end(), [](const auto& u) { return u->latency->empty(); });
  }
  // Cells by predicted latency, ties by index.
  std::vector<std::size_t> ladder() const {
    std::vector<std::size_t> out(cells.size());
    std::iota(out.begin(), out.end(), std::size_t{0});
    std::vector<double> mean(cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) mean[i] = surface(i).mean(local[i].cell);
    std::sort(out.begin(), out.end(),
              [&](std::size_t a, std::size_t b) { return std::pair(mean[a], a) < std::pair(mean[b], b); });
    return out;
  }
  // Groups `which` by unit and gives each its place in the group's covariance matrix.
  struct Group {
    std::vector<Index> cells;
    std::vector<std::size_t> from;  // index in `which`
  };
  std::vector<Group> by_unit(const std::vector<std::size_t>& which) const {
    std::vector<Group> out(units.size());
    for (std::size_t k = 0; k < which.size(); ++k) {
      Group& group = out[local[which[k]].unit];
      group.cells.push_back(local[which[k]].cell);
      group.from.push_back(k);
    }
    return out;
  }

  std::vector<PlanCell> cells;
  PlanOptions options;
  std::vector<bool> skipped;
  std::vector<Local> local;
  std::vector<std::unique_ptr<Unit>> units;
  std::vector<std::size_t> order;
  std::size_t observed = 0;
  double spent_s = 0;
};

// Farthest point first, by unit in turn. Distances are over the axes of the features and between sub-networks.
std::vector<std::size_t> ProfilePlan::Impl::spread() const {
  const std::size_t budget = cell_budget();
  std::size_t most = std::max<std::size_t>(1, budget / 2);
  if (budget >= units.size()) most = std::max(most, units.size());
  std::vector<std::vector<std::size_t>> chosen(units.size());
  const Stream stream(options.seed, "profile plan");
  std::size_t total = 0;
  std::vector<std::vector<double>> nearest(units.size());
  std::vector<std::size_t> wanted;
  for (const auto& unit : units) {
    const Features& f = unit->features;
    const auto axes = static_cast<std::size_t>(std::count(f.varies.begin(), f.varies.end(), true));
    const auto subnets = static_cast<std::size_t>(f.subnets);
    wanted.push_back(std::min({unit->cells.size(), std::max(subnets + axes, 2 * axes + 2), std::size_t{40}}));
    nearest[wanted.size() - 1].assign(unit->cells.size(), kInfinity);
  }
  std::vector<std::size_t> out;
  for (bool added = true; added;) {
    added = false;
    for (std::size_t u = 0; u < units.size() && total < most; ++u) {
      if (chosen[u].size() >= wanted[u]) continue;
      const Features& f = units[u]->features;
      std::vector<double> times(static_cast<std::size_t>(f.subnets), 0.0);
      for (const std::size_t k : chosen[u]) times[static_cast<std::size_t>(f.subnet[k])] += 1;
      std::size_t best = 0;
      double farthest = -1;
      for (std::size_t k = 0; k < units[u]->cells.size(); ++k) {
        const double jitter = stream.uniform(units[u]->cells[k]);
        const double taken = times[static_cast<std::size_t>(f.subnet[k])];
        // The first is anywhere; then sub-networks take turns, and of those whose turn it is the farthest point wins.
        double d = chosen[u].empty() ? jitter : nearest[u][k] * (0.9 + 0.1 * jitter) + 1e-9 * jitter;
        d += 100 - std::min(taken, 90.0);
        if (nearest[u][k] > 0 && d > farthest) farthest = d, best = k;
      }
      if (farthest < 0) continue;
      for (std::size_t k = 0; k < units[u]->cells.size(); ++k) {
        double d2 = k == best ? 0 : 0.1 * (1 - f.alike(f.subnet[k], f.subnet[best]));
        for (std::size_t d = 0; d < kAxes; ++d) d2 += (f.at[k][d] - f.at[best][d]) * (f.at[k][d] - f.at[best][d]);
        nearest[u][k] = std::min(nearest[u][k], k == best ? 0 : std::sqrt(d2) + 1e-6);
      }
      chosen[u].push_back(best);
      out.push_back(units[u]->cells[best]);
      ++total;
      added = true;
    }
  }
  return out;
}

double ProfilePlan::Impl::share_within() const {
  std::size_t within = 0;
  for (std::size_t i = 0; i < cells.size(); ++i)
    if (const Surface& s = surface(i); !s.empty())
      within += half_width(s, local[i].cell) <= options.target_relative_error;
  return static_cast<double>(within) / static_cast<double>(cells.size());
}

double ProfilePlan::Impl::expected_error() const {
  std::vector<double> widths;
  for (std::size_t i = 0; i < cells.size(); ++i)
    if (!measured(i)) widths.push_back(surface(i).empty() ? kInfinity : half_width(surface(i), local[i].cell));
  if (widths.empty()) return 0;
  const auto at = widths.begin() + static_cast<std::ptrdiff_t>(0.9 * static_cast<double>(widths.size() - 1) + 0.5);
  std::nth_element(widths.begin(), at, widths.end());
  return *at;
}

// Probability that the cell predicted slower by `difference` (log) is in truth faster by more than the tolerance.
double wrong_order(double difference, double variance, double tolerance) {
  return normal_tail((difference + tolerance) / std::sqrt(std::max(variance, 1e-14)));
}

double ProfilePlan::Impl::ranking_uncertainty() const {
  if (cells.size() < 2) return 0;
  if (!all_units_known()) return 1;
  const std::vector<std::size_t> sorted = ladder();
  double sum = 0, weights = 0;
  for (std::size_t stride = 1; stride < sorted.size(); stride *= 2) {
    const double last = static_cast<double>(std::min(2 * stride, sorted.size()) - stride);
    double part = 0;
    std::size_t pairs = 0;
    const std::size_t step = std::max<std::size_t>(1, (sorted.size() - stride) / 256);
    for (std::size_t i = 0; i + stride < sorted.size(); i += step, ++pairs) {
      const std::size_t a = sorted[i], b = sorted[i + stride];
      const Surface &sa = surface(a), &sb = surface(b);
      double variance = sa.variance(local[a].cell) + sb.variance(local[b].cell);
      if (&sa == &sb) variance -= 2 * sa.covariance(local[a].cell, local[b].cell);
      part += wrong_order(sb.mean(local[b].cell) - sa.mean(local[a].cell), variance, options.ranking_tolerance);
    }
    sum += last * part / static_cast<double>(pairs) * static_cast<double>(sorted.size() - stride);
    weights += last * static_cast<double>(sorted.size() - stride);
  }
  return sum / weights;
}

std::optional<std::size_t> ProfilePlan::Impl::next() const {
  if (observed >= cell_budget() || spent_s >= options.budget_s) return std::nullopt;
  for (const std::size_t i : order)
    if (!skipped[i] && !measured(i)) return i;
  for (const auto& unit : units)  // all of its start was skipped
    if (unit->latency->empty())
      for (const std::size_t i : unit->cells)
        if (!skipped[i]) return i;
  if (done()) return std::nullopt;
  return best_cell();
}

std::size_t ProfilePlan::Impl::best_cell() const {
  constexpr std::size_t kTargets = 400, kCandidates = 24;  // of each of three kinds
  std::vector<std::size_t> sorted;
  for (const std::size_t i : ladder())
    if (!surface(i).empty()) sorted.push_back(i);

  // Targets: an even choice along the ladder, shifted from one call to the next so that all cells come to count.
  const std::size_t step = (sorted.size() + kTargets - 1) / kTargets;
  std::vector<std::size_t> targets;
  for (std::size_t i = observed % step; i < sorted.size(); i += step) targets.push_back(sorted[i]);

  // Candidates: the least certain, the most in doubt about their place, and some at random.
  std::vector<std::size_t> open;
  std::vector<double> doubt(cells.size(), 0.0);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const std::size_t a = sorted[i];
    if (skipped[a] || measured(a)) continue;
    open.push_back(a);
    const Surface& s = surface(a);
    for (std::size_t stride = 1; stride < sorted.size(); stride *= 2)
      for (const bool up : {false, true}) {
        if (up ? i + stride >= sorted.size() : i < stride) continue;
        const std::size_t b = up ? sorted[i + stride] : sorted[i - stride];
        doubt[a] +=
            static_cast<double>(stride) * wrong_order(std::abs(surface(b).mean(local[b].cell) - s.mean(local[a].cell)),
                                                      s.variance(local[a].cell), options.ranking_tolerance);
      }
  }
  const bool by_cost = std::isfinite(options.budget_s);
  std::set<std::size_t> chosen;
  const auto take = [&](auto&& key) {
    std::vector<std::pair<double, std::size_t>> keyed;
    for (const std::size_t i : open) keyed.emplace_back(-key(i), i);
    const std::size_t n = std::min(kCandidates, keyed.size());
    std::partial_sort(keyed.begin(), keyed.begin() + static_cast<std::ptrdiff_t>(n), keyed.end());
    for (std::size_t k = 0; k < n; ++k) chosen.insert(keyed[k].second);
  };
  const Stream stream = Stream(options.seed, "candidates").substream(observed);
  take([&](std::size_t i) { return surface(i).variance(local[i].cell); });
  take([&](std::size_t i) { return doubt[i]; });
  take([&](std::size_t i) { return stream.uniform(i); });
  const std::vector<std::size_t> candidates(chosen.begin(), chosen.end());

  const std::vector<Group> target_groups = by_unit(targets), candidate_groups = by_unit(candidates);
  std::vector<double> by_ranking(candidates.size(), 0.0), by_width(candidates.size(), 0.0);

  // Pairs of targets with their present variance. Pairs of two units only gain by one side.
  struct Pair {
    std::size_t a, b;
    double difference, variance, now, weight;
  };
  std::vector<Pair> pairs;
  for (std::size_t stride = 1; stride < targets.size(); stride *= 2)
    for (std::size_t i = 0; i + stride < targets.size(); ++i) {
      const std::size_t a = targets[i], b = targets[i + stride];
      const Surface &sa = surface(a), &sb = surface(b);
      Pair pair{i,
                i + stride,
                sb.mean(local[b].cell) - sa.mean(local[a].cell),
                sa.variance(local[a].cell) + sb.variance(local[b].cell),
                0,
                static_cast<double>(stride)};
      if (wrong_order(pair.difference, 2 * pair.variance, options.ranking_tolerance) < 1e-5) continue;
      if (&sa == &sb) pair.variance -= 2 * sa.covariance(local[a].cell, local[b].cell);
      pair.now = wrong_order(pair.difference, pair.variance, options.ranking_tolerance);
      if (pair.now > 1e-5) pairs.push_back(pair);
    }

  for (std::size_t u = 0; u < units.size(); ++u) {
    const Group &cg = candidate_groups[u], &tg = target_groups[u];
    if (cg.cells.empty()) continue;
    const Surface& s = *units[u]->latency;
    const MatrixXd covariance = tg.cells.empty() ? MatrixXd() : s.covariance(tg.cells, cg.cells);
    for (std::size_t c = 0; c < cg.cells.size(); ++c) {
      const double total = s.variance(cg.cells[c]) + s.noise_variance();
      std::vector<double> moved(targets.size(), 0.0);  // covariance over the root of the total
      for (std::size_t t = 0; t < tg.cells.size(); ++t)
        moved[tg.from[t]] = covariance(static_cast<Index>(t), static_cast<Index>(c)) / std::sqrt(total);
      double gain = 0, narrower = 0;
      for (const Pair& pair : pairs) {
        const double d = moved[pair.a] - moved[pair.b];
        if (d * d < 1e-3 * pair.variance) continue;
        gain +=
            pair.weight * (pair.now - wrong_order(pair.difference, pair.variance - d * d, options.ranking_tolerance));
      }
      for (std::size_t t = 0; t < tg.cells.size(); ++t) {
        const double v = s.variance(tg.cells[t]), m = moved[tg.from[t]];
        const auto excess = [&](double variance) {
          return std::max(
              0.0, std::expm1(s.quantile() * std::sqrt(std::max(variance, 0.0))) - options.target_relative_error);
        };
        narrower += excess(v) - excess(v - m * m);
      }
      const double cost = by_cost ? cost_s(candidates[cg.from[c]]) : 1;
      by_ranking[cg.from[c]] = gain / cost;
      by_width[cg.from[c]] = narrower / cost;
    }
  }
  const bool settled = ranking_uncertainty() <= options.ranking_target;
  const auto best = [&](const std::vector<double>& score) {
    return static_cast<std::size_t>(std::max_element(score.begin(), score.end()) - score.begin());
  };
  for (const auto* score : {settled ? &by_width : &by_ranking, settled ? &by_ranking : &by_width})
    if (const std::size_t k = best(*score); (*score)[k] > 0) return candidates[k];
  std::size_t widest = open.front();
  for (const std::size_t i : open)
    if (surface(i).variance(local[i].cell) > surface(widest).variance(local[widest].cell)) widest = i;
  return widest;
}

ProfilePlan::ProfilePlan(std::vector<PlanCell> cells, const PlanOptions& options)
    : impl_(std::make_unique<Impl>(std::move(cells), options)) {}
ProfilePlan::~ProfilePlan() = default;
ProfilePlan::ProfilePlan(ProfilePlan&&) noexcept = default;
ProfilePlan& ProfilePlan::operator=(ProfilePlan&&) noexcept = default;

const std::vector<std::size_t>& ProfilePlan::initial() const { return impl_->order; }

void ProfilePlan::observe(const Observation& o) {
  impl_->check_cell(o.cell);
  const auto positive = [&](double x, const char* what) {
    if (!(x > 0 && std::isfinite(x)))
      throw InputError(cell_text(o.cell) + ": " + what + " must be positive and finite, not " + plain_number(x));
  };
  const auto error = [&](double x, const char* what) {
    if (x < 0 || std::isinf(x))
      throw InputError(cell_text(o.cell) + ": " + what + " must be finite and not negative, not " + plain_number(x));
  };
  positive(o.latency_ms, "latency_ms");
  error(o.standard_error_ms, "standard_error_ms");
  if (!std::isnan(o.energy_mj)) positive(o.energy_mj, "energy_mj");
  error(o.energy_standard_error_mj, "energy_standard_error_mj");
  const auto [unit, cell] = impl_->local[o.cell];
  impl_->observed += !impl_->measured(o.cell);
  impl_->spent_s += impl_->options.settle_s + impl_->options.repeats * o.latency_ms / 1000;
  impl_->units[unit]->latency->observe(cell, o.latency_ms, o.standard_error_ms, impl_->options.noise);
  if (!std::isnan(o.energy_mj))
    impl_->units[unit]->energy->observe(cell, o.energy_mj, o.energy_standard_error_mj, impl_->options.noise);
}

void ProfilePlan::skip(std::size_t cell) {
  impl_->check_cell(cell);
  impl_->skipped[cell] = true;
}

std::optional<std::size_t> ProfilePlan::next() const { return impl_->next(); }

CellPrediction ProfilePlan::latency(std::size_t cell) const {
  impl_->check_cell(cell);
  return impl_->latency(cell);
}
CellPrediction ProfilePlan::energy(std::size_t cell) const {
  impl_->check_cell(cell);
  return impl_->predict(*impl_->units[impl_->local[cell].unit]->energy, impl_->local[cell].cell);
}

double ProfilePlan::expected_error() const { return impl_->expected_error(); }
double ProfilePlan::share_within_target() const { return impl_->share_within(); }
double ProfilePlan::ranking_uncertainty() const { return impl_->ranking_uncertainty(); }
bool ProfilePlan::target_reached() const {
  return impl_->begun() && impl_->all_units_known() && share_within_target() >= impl_->options.target_share &&
         ranking_uncertainty() <= impl_->options.ranking_target;
}
bool ProfilePlan::done() const { return impl_->done(); }
std::size_t ProfilePlan::size() const { return impl_->cells.size(); }
std::size_t ProfilePlan::measured() const { return impl_->observed; }
double ProfilePlan::spent_s() const { return impl_->spent_s; }
double ProfilePlan::cost_s(std::size_t cell) const {
  impl_->check_cell(cell);
  return impl_->cost_s(cell);
}

}  // namespace dynasoc::board
