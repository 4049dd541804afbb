#include "application/scaling_fit.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <Eigen/Dense>

#include "application/latency_model.hpp"
#include "common/text.hpp"
#include "device/platform.hpp"

namespace dynasoc {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kSameClock = 1e-3;       // relative; as in OperatingPoint::matches
constexpr double kExplainsAsWell = 1e-3;  // root mean square residual: a tenth of a percentage point
constexpr double kHalfPi = 1.5707963267948966;

enum Term : int { kFixed, kHost, kUnit, kMemory, kTerms };
constexpr std::array<const char*, kTerms> kTermNames = {"fixed_ms", "host_ms", "unit_ms", "memory_ms"};
constexpr std::array<const char*, kTerms> kTermClocks = {"", "f_cpu_mhz", "the unit's clock", "f_emc_mhz"};

using SmallMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, 0, kTerms, kTerms>;
using SmallVector = Eigen::Matrix<double, Eigen::Dynamic, 1, 0, kTerms, 1>;

// Non-negative least squares, min |Ax - b| with x >= 0, from the normal equations G = AᵀA, h = Aᵀb (Lawson and Hanson's
// active set; at most four columns, so that G is as good as A).
SmallVector non_negative(const SmallMatrix& g, const SmallVector& h) {
  const Eigen::Index n = h.size();
  SmallVector x = SmallVector::Zero(n);
  std::array<bool, kTerms> free{};
  const auto solve_free = [&] {
    std::array<Eigen::Index, kTerms> which{};
    Eigen::Index m = 0;
    for (Eigen::Index i = 0; i < n; ++i)
      if (free[static_cast<std::size_t>(i)]) which[static_cast<std::size_t>(m++)] = i;
    SmallMatrix sub(m, m);
    SmallVector rhs(m);
    for (Eigen::Index i = 0; i < m; ++i) {
      rhs(i) = h(which[static_cast<std::size_t>(i)]);
      for (Eigen::Index j = 0; j < m; ++j)
        sub(i, j) = g(which[static_cast<std::size_t>(i)], which[static_cast<std::size_t>(j)]);
    }
    const SmallVector part = sub.ldlt().solve(rhs);
    SmallVector all = SmallVector::Zero(n);
    for (Eigen::Index i = 0; i < m; ++i) all(which[static_cast<std::size_t>(i)]) = part(i);
    return all;
  };
  for (int round = 0; round < 3 * kTerms; ++round) {
    const SmallVector gradient = h - g * x;
    Eigen::Index best = -1;
    for (Eigen::Index i = 0; i < n; ++i)
      if (!free[static_cast<std::size_t>(i)] && gradient(i) > 1e-12 * (1 + std::abs(h(i))) &&
          (best < 0 || gradient(i) > gradient(best)))
        best = i;
    if (best < 0) break;
    free[static_cast<std::size_t>(best)] = true;
    for (int inner = 0; inner <= kTerms; ++inner) {
      const SmallVector wanted = solve_free();
      double step = 1;
      for (Eigen::Index i = 0; i < n; ++i)
        if (free[static_cast<std::size_t>(i)] && wanted(i) <= 0 && x(i) - wanted(i) > 0)
          step = std::min(step, x(i) / (x(i) - wanted(i)));
      if (step >= 1 && wanted.minCoeff() >= 0) {
        x = wanted;
        break;
      }
      x += step * (wanted - x);
      for (Eigen::Index i = 0; i < n; ++i)
        if (free[static_cast<std::size_t>(i)] && x(i) <= 1e-15) {
          x(i) = 0;
          free[static_cast<std::size_t>(i)] = false;
        }
    }
  }
  return x;
}

// The smallest value of `f` on [grid.front(), grid.back()]: the best point of the grid, refined by golden section
// between its neighbours. Returns where.
template <class F>
double minimise(std::span<const double> grid, F&& f) {
  std::size_t best = 0;
  double lowest = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < grid.size(); ++i)
    if (const double value = f(grid[i]); value < lowest) {
      lowest = value;
      best = i;
    }
  const double at_best = grid[best];
  double low = grid[best > 0 ? best - 1 : 0], high = grid[std::min(best + 1, grid.size() - 1)];
  constexpr double kGolden = 0.6180339887498949;
  constexpr int kRounds = 32;
  double a = high - kGolden * (high - low), b = low + kGolden * (high - low);
  double fa = f(a), fb = f(b);
  for (int round = 0; round < kRounds; ++round) {
    if (fa <= fb) {
      high = b, b = a, fb = fa;
      fa = f(a = high - kGolden * (high - low));
    } else {
      low = a, a = b, fa = fb;
      fb = f(b = low + kGolden * (high - low));
    }
  }
  const double refined = fa <= fb ? a : b;
  return std::min(fa, fb) < lowest ? refined : at_best;  // an end of the range is a legitimate answer
}

// A group, each clock as reference/f.
struct Samples {
  std::vector<double> observed, host, unit, memory;
  std::vector<int> cores;
  std::vector<int> point;  // which operating point, from 0
  int points = 0;
  double f_cpu = 0, f_unit = 0, f_emc = 0;  // the references: the highest clocks of the group
  int cores_reference = 0;
  std::array<std::string, kTerms> why_not;  // empty where the term can be told
  std::string why_not_cores;
  std::size_t size() const { return observed.size(); }
};

bool same(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= kSameClock * std::max(std::abs(a), std::abs(b));
}
bool same_point(const OperatingPoint& a, const OperatingPoint& b) {
  return a.cores == b.cores && same(a.f_cpu_mhz, b.f_cpu_mhz) && same(a.f_gpu_mhz, b.f_gpu_mhz) &&
         same(a.f_emc_mhz, b.f_emc_mhz);
}

Samples prepare(std::span<const FitSample> samples, UnitClock clock) {
  Samples out;
  std::vector<OperatingPoint> points;
  for (const FitSample& sample : samples) {
    const auto it = std::find_if(points.begin(), points.end(), [&](const auto& p) { return same_point(p, sample.at); });
    out.point.push_back(static_cast<int>(it - points.begin()));
    if (it == points.end()) points.push_back(sample.at);
    out.observed.push_back(sample.latency_ms);
    out.cores.push_back(sample.at.cores);
  }
  out.points = static_cast<int>(points.size());

  // Fills `column` with reference/f and says why the term cannot be told, if it cannot.
  const auto take = [&](auto&& clock_of, Term term, std::vector<double>& column, double& reference) {
    double low = std::numeric_limits<double>::infinity(), high = 0;
    bool all = true;
    for (const FitSample& sample : samples) {
      const double f = clock_of(sample.at);
      if (!(f > 0))
        all = false;
      else
        low = std::min(low, f), high = std::max(high, f);
    }
    const auto index = static_cast<std::size_t>(term);
    const std::string name = std::string(kTermNames[index]) + ": " + kTermClocks[index];
    if (!all)
      out.why_not[index] = name + (high > 0 ? " is not stated in every cell" : " is not stated");
    else if (same(low, high))
      out.why_not[index] = name + " never varies (" + number_text(high) + " MHz)";
    reference = high;
    for (const FitSample& sample : samples) {
      const double f = clock_of(sample.at);
      column.push_back(f > 0 ? high / f : 1);
    }
  };
  take([&](const OperatingPoint& at) { return own_clock_mhz(clock, at); }, kUnit, out.unit, out.f_unit);
  take([](const OperatingPoint& at) { return at.f_emc_mhz; }, kMemory, out.memory, out.f_emc);
  take([](const OperatingPoint& at) { return at.f_cpu_mhz; }, kHost, out.host, out.f_cpu);
  if (clock == UnitClock::cpu) out.why_not[kHost] = "host_ms: the unit is the host itself";
  const auto [fewest, most] = std::minmax_element(out.cores.begin(), out.cores.end());
  out.cores_reference = *most;
  if (*fewest == 0)
    out.why_not_cores = "parallel_fraction: cores are not stated" + std::string(*most > 0 ? " in every cell" : "");
  else if (*fewest == *most)
    out.why_not_cores = "parallel_fraction: the number of cores never varies (" + std::to_string(*most) + ")";
  return out;
}

// A set of terms, and whether p and the parallel fraction are searched for.
struct Variant {
  std::array<bool, kTerms> has{};
  bool fit_p = false;
  bool fit_a = false;
  int count() const { return int{has[0]} + int{has[1]} + int{has[2]} + int{has[3]} + int{fit_p} + int{fit_a}; }
};

struct Solution {
  std::array<double, kTerms> coefficient{};
  double p = 1;
  double a = 0;
  double squares = std::numeric_limits<double>::infinity();  // sum of squared relative residuals
};

double core_share(double a, int cores, int reference) {
  if (a == 0 || cores == 0 || reference == 0) return 1;
  return ((1 - a) + a / cores) / ((1 - a) + a / reference);
}

class Solver {
 public:
  Solver(const Samples& samples, const Variant& variant, double fixed_p, int left_out)
      : s_(samples), v_(variant), p_(fixed_p), left_out_(left_out) {}

  Solution solve() {
    static constexpr std::array<double, 9> kFractions = {0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1};
    if (!v_.fit_a) return over_p(0);
    const double a = minimise(kFractions, [&](double x) { return over_p(x).squares; });
    return over_p(a);
  }

 private:
  Solution over_p(double a) {
    if (!v_.fit_p) return over_angle(a, p_);
    // log p; 64 is as good as the maximum of the two.
    static const std::vector<double> kGrid = [] {
      std::vector<double> grid;
      for (const double p : {1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0, 12.0, 20.0, 36.0, 64.0})
        grid.push_back(std::log(p));
      return grid;
    }();
    const double best = minimise(kGrid, [&](double x) { return over_angle(a, std::exp(x)).squares; });
    return over_angle(a, std::clamp(std::exp(best), 1.0, 64.0));
  }

  Solution over_angle(double a, double p) {
    if (!v_.has[kUnit] || !v_.has[kMemory] || p == 1) return linear(a, p, -1);
    static const std::vector<double> kGrid = [] {
      std::vector<double> grid;
      constexpr int kSteps = 20;
      for (int i = 0; i <= kSteps; ++i) grid.push_back(kHalfPi * i / kSteps);
      return grid;
    }();
    const double angle = minimise(kGrid, [&](double x) { return linear(a, p, x).squares; });
    return linear(a, p, angle);
  }

  // Least squares for given a and p, and for the given angle between computing and memory time (-1: p is 1 and each has
  // a column of its own).
  Solution linear(double a, double p, double angle) {
    const bool joint = angle >= 0;
    std::array<int, kTerms> column{};
    column.fill(-1);
    int columns = 0;
    for (int term = 0; term < kTerms; ++term)
      if (v_.has[static_cast<std::size_t>(term)] && !(joint && term == kMemory))
        column[static_cast<std::size_t>(term)] = columns++;
    const double c = joint ? std::cos(angle) : 1, d = joint ? std::sin(angle) : 1;
    SmallMatrix g = SmallMatrix::Zero(columns, columns);
    SmallVector h = SmallVector::Zero(columns), row(columns);
    const auto fill_row = [&](std::size_t i) {
      const double weight = 1 / s_.observed[i];
      const double unit = s_.unit[i] * core_share(a, s_.cores[i], s_.cores_reference);
      if (column[kFixed] >= 0) row(column[kFixed]) = weight;
      if (column[kHost] >= 0) row(column[kHost]) = weight * s_.host[i];
      if (column[kMemory] >= 0) row(column[kMemory]) = weight * s_.memory[i];
      if (column[kUnit] >= 0) {
        double value = unit;
        if (joint) {
          const double x = c * unit, y = d * s_.memory[i], longer = std::max(x, y);
          value = longer * std::pow(1 + std::pow(std::min(x, y) / longer, p), 1 / p);
        }
        row(column[kUnit]) = weight * value;
      }
    };
    for (std::size_t i = 0; i < s_.size(); ++i) {
      if (s_.point[i] == left_out_) continue;
      fill_row(i);
      g.noalias() += row * row.transpose();
      h += row;
    }
    // Columns scaled to unit length: clocks and milliseconds differ by orders of magnitude.
    SmallVector scale(columns);
    for (int i = 0; i < columns; ++i) scale(i) = g(i, i) > 0 ? 1 / std::sqrt(g(i, i)) : 1;
    const SmallMatrix scaled = scale.asDiagonal() * g * scale.asDiagonal();
    const SmallVector x = scale.cwiseProduct(non_negative(scaled, scale.cwiseProduct(h)));

    Solution out;
    out.p = p;
    out.a = a;
    out.squares = 0;
    for (std::size_t i = 0; i < s_.size(); ++i) {
      if (s_.point[i] == left_out_) continue;
      fill_row(i);
      const double residual = row.dot(x) - 1;
      out.squares += residual * residual;
    }
    for (int term = 0; term < kTerms; ++term)
      if (column[static_cast<std::size_t>(term)] >= 0)
        out.coefficient[static_cast<std::size_t>(term)] = x(column[static_cast<std::size_t>(term)]);
    if (joint) {
      out.coefficient[kMemory] = out.coefficient[kUnit] * d;
      out.coefficient[kUnit] *= c;
    }
    return out;
  }

  const Samples& s_;
  const Variant& v_;
  double p_;
  int left_out_;
};

// Whether the columns of a set of terms are independent of each other, the point `left_out` not counted.
bool independent(const Samples& s, const Variant& v, int left_out) {
  std::vector<int> terms;
  for (int term = 0; term < kTerms; ++term)
    if (v.has[static_cast<std::size_t>(term)]) terms.push_back(term);
  Eigen::MatrixXd a(static_cast<Eigen::Index>(s.size()), static_cast<Eigen::Index>(terms.size()));
  a.setZero();
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s.point[i] == left_out) continue;
    const std::array<double, kTerms> row = {
        1, s.host[i], s.unit[i] * core_share(v.fit_a ? 0.5 : 0, s.cores[i], s.cores_reference), s.memory[i]};
    for (std::size_t j = 0; j < terms.size(); ++j)
      a(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = row[static_cast<std::size_t>(terms[j])];
  }
  Eigen::ColPivHouseholderQR<Eigen::MatrixXd> qr(a);
  qr.setThreshold(1e-6);
  return qr.rank() == static_cast<Eigen::Index>(terms.size());
}

struct Choice {
  Variant variant;
  Solution solution;
  double rms = std::numeric_limits<double>::infinity();
};

// The smallest set of terms that explains the cells, operating point `left_out` (-1: none) left aside.
Choice choose(const Samples& s, const FitOptions& options, int left_out) {
  const int points = s.points - (left_out >= 0 ? 1 : 0);
  const double fixed_p = options.p.value_or(1);
  double used = 0;
  for (const int point : s.point) used += point != left_out;

  // In the order of preference among equals: computing time first, then what no clock changes, memory, the host.
  std::vector<Variant> variants;
  for (int bits = 1; bits < 16; ++bits) {
    Variant base;
    base.has[kUnit] = (bits & 1) != 0;
    base.has[kFixed] = (bits & 2) != 0;
    base.has[kMemory] = (bits & 4) != 0;
    base.has[kHost] = (bits & 8) != 0;
    bool possible = true;
    for (std::size_t term = 0; term < kTerms; ++term)
      possible = possible && !(base.has[term] && !s.why_not[term].empty());
    if (!possible) {
      // Cores alone may vary under one clock: computing time is then told by the cores.
      if (!(base.has[kUnit] && s.why_not_cores.empty() && s.f_unit > 0)) continue;
      bool others = true;
      for (const Term term : {kFixed, kHost, kMemory}) others = others && !(base.has[term] && !s.why_not[term].empty());
      if (!others) continue;
    }
    for (const bool fit_a : {false, true}) {
      if (fit_a && !(base.has[kUnit] && s.why_not_cores.empty())) continue;
      if (!possible && !fit_a) continue;
      for (const bool fit_p : {false, true}) {
        if (fit_p && (options.p || !base.has[kUnit] || !base.has[kMemory])) continue;
        Variant v = base;
        v.fit_a = fit_a;
        v.fit_p = fit_p;
        if (v.count() <= points && independent(s, v, left_out)) variants.push_back(v);
      }
    }
  }
  std::stable_sort(variants.begin(), variants.end(),
                   [](const Variant& a, const Variant& b) { return a.count() < b.count(); });

  std::vector<Choice> solved;
  double lowest = std::numeric_limits<double>::infinity();
  for (const Variant& v : variants) {
    Choice choice{v, Solver(s, v, fixed_p, left_out).solve(), 0};
    choice.rms = std::sqrt(choice.solution.squares / used);
    lowest = std::min(lowest, choice.rms);
    solved.push_back(choice);
  }
  Choice best;
  int count = -1;
  constexpr double kTie = 1e-6;
  for (const Choice& choice : solved) {
    if (choice.rms > lowest + kExplainsAsWell) continue;
    if (count < 0) count = choice.variant.count();
    if (choice.variant.count() > count) break;
    if (choice.rms < best.rms - kTie) best = choice;
  }
  return best;
}

SoftRoofline model_of(const Samples& s, const Choice& choice) {
  SoftRoofline model;
  const auto& c = choice.solution.coefficient;
  model.fixed_ms = c[kFixed];
  model.host_ms = c[kHost];
  model.unit_ms = c[kUnit];
  model.memory_ms = c[kMemory];
  model.p = choice.solution.p;
  model.parallel_fraction = choice.solution.a;
  if (model.host_ms > 0) model.f_cpu_mhz = s.f_cpu;
  if (model.unit_ms > 0) model.f_unit_mhz = s.f_unit;
  if (model.memory_ms > 0) model.f_emc_mhz = s.f_emc;
  if (model.parallel_fraction > 0) model.cores = s.cores_reference;
  model.provenance = Provenance::derived;
  return model;
}

}  // namespace

UnitClock unit_clock(std::string_view unit) {
  for (const std::string_view prefix : {"cpu", "big", "little", "denver", "a57"})
    if (unit.starts_with(prefix)) return UnitClock::cpu;
  return UnitClock::accelerator;
}

UnitClock unit_clock(const Platform& platform, std::size_t unit) {
  const auto& domains = platform.links.at(unit).domains;
  const bool cpu = !domains.empty() &&
                   platform.file.domains.at(static_cast<std::size_t>(domains.front())).second.kind == DomainKind::cpu;
  return cpu ? UnitClock::cpu : UnitClock::accelerator;
}

double own_clock_mhz(UnitClock clock, const OperatingPoint& at) {
  return clock == UnitClock::cpu ? at.f_cpu_mhz : at.f_gpu_mhz;
}

ScalingFit fit_scaling(std::span<const FitSample> samples, UnitClock clock, const FitOptions& options) {
  if (samples.empty()) throw InputError("there is no cell to fit");
  const Samples s = prepare(samples, clock);
  const Choice choice = choose(s, options, -1);

  ScalingFit fit;
  fit.n = static_cast<int>(samples.size());
  fit.operating_points = s.points;
  fit.model = model_of(s, choice);
  for (std::size_t term = 0; term < kTerms; ++term)
    if (choice.variant.has[term]) fit.terms.emplace_back(kTermNames[term]);
  if (choice.variant.fit_p) fit.terms.emplace_back("p");
  if (choice.variant.fit_a) fit.terms.emplace_back("parallel_fraction");

  for (std::size_t term = 0; term < kTerms; ++term)
    if (!s.why_not[term].empty() && !choice.variant.has[term]) fit.not_identifiable.push_back(s.why_not[term]);
  if (!s.why_not_cores.empty()) fit.not_identifiable.push_back(s.why_not_cores);
  if (choice.variant.count() == s.points)
    fit.not_identifiable.push_back("nothing beyond these terms: " + std::to_string(s.points) + " operating point" +
                                   (s.points == 1 ? "" : "s") +
                                   " carry no more coefficients, and leave no residual to judge by");
  for (std::size_t i = 0; i < s.size(); ++i) {
    const double predicted = fit.model.latency_ms(own_clock_mhz(clock, samples[i].at), samples[i].at);
    fit.residuals.push_back(predicted / samples[i].latency_ms - 1);
    fit.mape += std::abs(fit.residuals.back()) / fit.n;
  }

  // With two points the one that is left tells no shape.
  if (options.cross_validate && s.points >= 3) {
    double sum = 0;
    for (int point = 0; point < s.points; ++point) {
      const SoftRoofline without = model_of(s, choose(s, options, point));
      for (std::size_t i = 0; i < s.size(); ++i)
        if (s.point[i] == point)
          sum += std::abs(
              without.latency_ms(own_clock_mhz(clock, samples[i].at), samples[i].at) / samples[i].latency_ms - 1);
    }
    fit.cv_mape = sum / fit.n;
  }
  return fit;
}

std::vector<TableGroup> groups_of(const Table& table) {
  std::vector<TableGroup> groups;
  std::map<std::pair<std::string, std::string>, std::size_t> index;
  for (std::size_t i = 0; i < table.cells.size(); ++i) {
    const Cell& cell = table.cells[i];
    const auto [it, fresh] = index.try_emplace({cell.subnet, cell.unit}, groups.size());
    if (fresh) groups.push_back({cell.subnet, cell.unit, {}});
    groups[it->second].cells.push_back(static_cast<int>(i));
  }
  return groups;
}

std::vector<std::pair<TableGroup, ScalingFit>> fit_table(const Table& table, const FitOptions& options) {
  std::vector<std::pair<TableGroup, ScalingFit>> out;
  for (TableGroup& group : groups_of(table)) {
    std::vector<FitSample> samples;
    for (const int i : group.cells) {
      const Cell& cell = table.cells[static_cast<std::size_t>(i)];
      samples.push_back({cell.at, cell.latency_ms_mean});
    }
    ScalingFit fit = fit_scaling(samples, unit_clock(group.unit), options);
    fit.model.source = "soft roofline fitted to " + std::to_string(fit.n) + " cells of " + group.name();
    out.emplace_back(std::move(group), std::move(fit));
  }
  return out;
}

SoftRoofline normalised(SoftRoofline model) {
  const double at_reference = model.latency_ms(kNaN, {});
  for (double* coefficient : {&model.fixed_ms, &model.host_ms, &model.unit_ms, &model.memory_ms})
    *coefficient /= at_reference;
  return model;
}

namespace {
// Digits beyond a nanosecond or a microwatt are noise of the arithmetic.
double tidy(double x) { return std::round(x * 1e6) / 1e6; }

// 95 % of boards, log-normal about the cell's power: the unit's power above idle and the board's static power are as
// uncertain as the platform says. Power scaled from a measured cell (`measured_mhz`, NaN for none) shares that cell's
// level, so that only the tilt between the two clocks is left.
void add_energy_interval(Cell& cell, const Platform& platform, std::size_t unit, double mhz, double measured_mhz) {
  const auto& stated = platform.file.units[unit].second.power_uncertainty;
  if (!stated && !(platform.file.static_power_std_w > 0)) return;
  double log_sd = 0;
  if (stated)
    log_sd = std::isnan(measured_mhz) ? stated->log_sd(mhz) : stated->tilt * std::abs(std::log(mhz / measured_mhz));
  const double above_sd_w = (cell.power_w - cell.idle_power_w) * std::sqrt(std::expm1(log_sd * log_sd));
  const double share = std::hypot(above_sd_w, platform.file.static_power_std_w) / cell.power_w;
  const double sd = std::sqrt(std::log1p(share * share));
  cell.energy_mj_low = tidy(cell.energy_mj * std::exp(-sd * sd / 2 - 1.96 * sd));
  cell.energy_mj_high = tidy(cell.energy_mj * std::exp(-sd * sd / 2 + 1.96 * sd));
}
}  // namespace

Table fill_table(const Table& table, const Network& network, const Platform& platform) {
  Table out = table;
  const double static_w = platform.file.static_power_w;
  for (const TableGroup& group : groups_of(table)) {
    const int unit_index = platform.unit_index(group.unit);
    if (unit_index < 0)
      throw InputError("the platform " + platform.file.name + " has no unit \"" + group.unit + "\"" +
                       hint(group.unit, platform.unit_names()));
    const auto unit = static_cast<std::size_t>(unit_index);
    const UnitClock clock = unit_clock(platform, unit);
    const SoftRoofline* scaling = nullptr;
    for (const auto& [name, declared] : network.file.scaling)
      if (name == group.unit) scaling = &declared;
    const LatencyModel model(table, scaling, group.unit, group.subnet, clock,
                             platform.file.units[unit].second.parallel_fraction);
    const OperatingPoint& reference = table.cells[static_cast<std::size_t>(group.cells.front())].at;
    if (std::isnan(own_clock_mhz(clock, reference)))
      throw InputError(group.name() + ": its cells state no clock of the unit, so there is nothing to fill from");
    const auto curve = [&](double mhz) { return platform.busy_w(unit, mhz) - platform.idle_w(unit, mhz); };

    // The whole board idle: each unit at the clock the cell states for its kind, else at its highest.
    const auto idle_w = [&](const OperatingPoint& at) {
      double sum = static_w;
      for (std::size_t u = 0; u < platform.links.size(); ++u) {
        const auto& domain = platform.file.domains[static_cast<std::size_t>(platform.links[u].domains.front())].second;
        double mhz = own_clock_mhz(unit_clock(platform, u), at);
        if (std::isnan(mhz) || (domain.kind != DomainKind::cpu && domain.kind != DomainKind::gpu && u != unit))
          mhz = domain.opps_mhz.back();
        sum += platform.idle_w(u, mhz);
      }
      return sum;
    };
    std::string rows;
    for (const int i : model.cells())
      if (table.cells[static_cast<std::size_t>(i)].provenance != Provenance::derived || model.cells().size() == 1)
        rows += (rows.empty() ? "" : "; ") + table.cells[static_cast<std::size_t>(i)].at.text();
    const auto add_energy = [&](Cell& cell) {
      const double mhz = own_clock_mhz(clock, cell.at);
      const double scaled = model.has_power() ? model.above_idle_w(mhz, cell.at, curve) : kNaN;
      cell.idle_power_w = idle_w(cell.at);
      cell.power_w = cell.idle_power_w + (std::isfinite(scaled) ? scaled : curve(mhz));
      cell.energy_mj = cell.power_w * cell.latency_ms_mean;
      for (double* value : {&cell.idle_power_w, &cell.power_w, &cell.energy_mj}) *value = tidy(*value);
      add_energy_interval(cell, platform, unit, mhz, std::isfinite(scaled) ? own_clock_mhz(clock, reference) : kNaN);
      cell.energy_provenance = Provenance::derived;
      cell.energy_source =
          std::isfinite(scaled)
              ? "power above idle of the group's cells, scaled by busy - idle of " + group.unit + " on " +
                    platform.file.name + "; idle power of the platform file; times the latency"
              : "power points of " + platform.file.name + ": static + idle of all units + (busy - idle) of " +
                    group.unit + ", the other units idle; times the latency";
    };

    const auto& domain = platform.file.domains[static_cast<std::size_t>(platform.links[unit].domains.front())].second;
    for (const double mhz : domain.opps_mhz) {
      OperatingPoint at = reference;
      (clock == UnitClock::cpu ? at.f_cpu_mhz : at.f_gpu_mhz) = mhz;
      const Prediction predicted = model.predict(mhz, at);
      if (predicted.cell >= 0) continue;
      Cell cell;
      cell.subnet = group.subnet;
      cell.unit = group.unit;
      cell.at = at;
      cell.latency_ms_mean = tidy(predicted.latency_ms);
      cell.latency_ms_std = tidy(predicted.std_ms);
      cell.provenance = Provenance::derived;
      cell.source = "from " + group.name() + " at " + rows + " by " + model.shape_source() +
                    (predicted.outside_range ? "; outside the range of those cells" : "");
      add_energy(cell);
      out.cells.push_back(std::move(cell));
    }
    for (const int i : group.cells) {
      Cell& cell = out.cells[static_cast<std::size_t>(i)];
      if (std::isnan(cell.energy_mj) && std::isnan(cell.power_w) && std::isnan(cell.idle_power_w) &&
          std::isfinite(own_clock_mhz(clock, cell.at)))
        add_energy(cell);
    }
  }
  return out;
}

}  // namespace dynasoc
