#include "application/scaling_fit.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <boost/math/distributions/students_t.hpp>

#include "common/nan.hpp"
#include "common/text.hpp"
#include "device/platform.hpp"

namespace dynasoc {
namespace {

constexpr double kSameClock = 1e-3;       // relative; as in OperatingPoint::matches
constexpr double kExplainsAsWell = 1e-3;  // root mean square residual: a tenth of a percentage point

enum Term : int { kFixed, kHost, kUnit, kMemory, kTerms };
constexpr std::array<const char*, kTerms> kTermNames = {"fixed_ms", "host_ms", "unit_ms", "memory_ms"};
constexpr std::array<const char*, kTerms> kTermClocks = {"", "f_cpu_mhz", "the unit's clock", "f_emc_mhz"};

// Normal equations G x = h of at most four columns, with x >= 0.
struct NormalEquations {
  double g[kTerms][kTerms] = {};
  double h[kTerms] = {};
  int n = 0;

  void add(const double* row) {
    for (int i = 0; i < n; ++i) {
      h[i] += row[i];
      for (int j = 0; j <= i; ++j) g[i][j] = g[j][i] = g[i][j] + row[i] * row[j];
    }
  }
};

// Solves A x = b for a symmetric positive definite A of size n (Cholesky). False where A is singular: a pivot that is
// next to nothing of its diagonal.
template <int N>
bool solve_symmetric(const double (&a)[N][N], const double* b, double* x, int n, double tiny = 1e-13) {
  double l[N][N];
  for (int i = 0; i < n; ++i)
    for (int j = 0; j <= i; ++j) {
      double sum = a[i][j];
      for (int k = 0; k < j; ++k) sum -= l[i][k] * l[j][k];
      if (i != j) {
        l[i][j] = sum / l[j][j];
      } else {
        if (!(sum > tiny * a[i][i])) return false;
        l[i][i] = std::sqrt(sum);
      }
    }
  for (int i = 0; i < n; ++i) {
    x[i] = b[i];
    for (int k = 0; k < i; ++k) x[i] -= l[i][k] * x[k];
    x[i] /= l[i][i];
  }
  for (int i = n - 1; i >= 0; --i) {
    for (int k = i + 1; k < n; ++k) x[i] -= l[k][i] * x[k];
    x[i] /= l[i][i];
  }
  return true;
}

// Non-negative least squares: of all sets of columns whose own solution is not negative, the one with the smallest sum
// of squares, which is hᵀx short of the constant. At most 15 sets, and nearly always the first one, all columns, will
// do.
void solve_non_negative(const NormalEquations& e, double* x) {
  std::fill(x, x + e.n, 0.0);
  double best = 0;
  for (int out = 0; out < (1 << e.n) - 1; ++out) {  // columns left out
    int which[kTerms], m = 0;
    for (int i = 0; i < e.n; ++i)
      if (((out >> i) & 1) == 0) which[m++] = i;
    double a[kTerms][kTerms], b[kTerms], part[kTerms];
    for (int i = 0; i < m; ++i) {
      b[i] = e.h[which[i]];
      for (int j = 0; j < m; ++j) a[i][j] = e.g[which[i]][which[j]];
    }
    if (!solve_symmetric(a, b, part, m)) continue;
    double gain = 0;
    bool feasible = true;
    for (int i = 0; i < m; ++i) gain += b[i] * part[i], feasible = feasible && part[i] >= 0;
    if (!feasible || gain <= best) continue;
    best = gain;
    std::fill(x, x + e.n, 0.0);
    for (int i = 0; i < m; ++i) x[which[i]] = part[i];
    if (out == 0) return;
  }
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
  bool operator==(const Variant&) const = default;
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

// The parameters of the curved problem: the coefficients, and log p.
constexpr int kLogP = kTerms, kCurved = kTerms + 1;
constexpr double kMostLogP = 4.1588830833596715;  // log 64: as good as the longer of the two

// Relative latency predicted/observed of one sample and its derivatives by the parameters.
struct Point {
  double value;
  double by[kCurved];
};
Point at_sample(const Samples& s, std::size_t i, const Solution& x, double share) {
  const double weight = 1 / s.observed[i];
  Point out{};
  out.by[kFixed] = weight;
  out.by[kHost] = weight * s.host[i];
  const double unit = s.unit[i] * share, computing = x.coefficient[kUnit] * unit;
  const double memory = x.coefficient[kMemory] * s.memory[i];
  out.value = x.coefficient[kFixed] * out.by[kFixed] + x.coefficient[kHost] * out.by[kHost];
  if (x.p == 1 || computing == 0 || memory == 0) {
    out.by[kUnit] = weight * unit;
    out.by[kMemory] = weight * s.memory[i];
    out.value += weight * (computing + memory);
    return out;
  }
  // The longer term is taken out of the root, so that no power overflows.
  const double longer = std::max(computing, memory), ratio = std::min(computing, memory) / longer;
  const double log_ratio = std::log(ratio), power = std::exp(x.p * log_ratio), log_sum = std::log1p(power);
  const double root = std::exp(log_sum / x.p), both = longer * root;
  const double by_longer = root / (1 + power), by_shorter = by_longer * power / ratio;
  const bool unit_longer = computing >= memory;
  out.by[kUnit] = weight * unit * (unit_longer ? by_longer : by_shorter);
  out.by[kMemory] = weight * s.memory[i] * (unit_longer ? by_shorter : by_longer);
  out.by[kLogP] = weight * both * (power * log_ratio / (1 + power) - log_sum / x.p);
  out.value += weight * both;
  return out;
}

class Solver {
 public:
  Solver(const Samples& samples, const Variant& variant, double fixed_p, int left_out)
      : s_(samples), v_(variant), p_(fixed_p), left_out_(left_out), share_(samples.size(), 1.0) {}

  // `warm` is a solution of nearly the same problem, to start from.
  Solution solve(const Solution* warm) {
    static constexpr std::array<double, 9> kFractions = {0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1};
    if (!v_.fit_a) return for_fraction(0, warm);
    const double a = minimise(kFractions, [&](double x) { return for_fraction(x, warm).squares; });
    return for_fraction(a, warm);
  }

 private:
  bool curved() const { return v_.has[kUnit] && v_.has[kMemory] && (v_.fit_p || p_ != 1); }
  bool used(std::size_t i) const { return s_.point[i] != left_out_; }

  Solution for_fraction(double a, const Solution* warm) {
    if (a > 0 || v_.fit_a)
      for (std::size_t i = 0; i < s_.size(); ++i) share_[i] = core_share(a, s_.cores[i], s_.cores_reference);
    if (!curved()) return linear(a, p_, -1);
    if (warm != nullptr && warm->squares < std::numeric_limits<double>::infinity()) {
      Solution start = *warm;
      start.a = a;
      return descend(start);
    }
    // A coarse grid over p and the angle between computing and memory time; the best few are followed down.
    constexpr std::array<double, 5> kOverlaps = {1.3, 2, 3.5, 8, 24};
    constexpr std::array<double, 7> kAngles = {0.08, 0.26, 0.52, 0.785, 1.05, 1.31, 1.49};
    std::vector<Solution> starts;
    for (const double p : kOverlaps) {
      if (!v_.fit_p && p != kOverlaps.front()) break;
      for (const double angle : kAngles) starts.push_back(linear(a, v_.fit_p ? p : p_, angle));
    }
    std::stable_sort(starts.begin(), starts.end(),
                     [](const Solution& x, const Solution& y) { return x.squares < y.squares; });
    constexpr std::size_t kFollowed = 3;
    Solution best;
    for (std::size_t i = 0; i < std::min(kFollowed, starts.size()); ++i)
      if (const Solution end = descend(starts[i]); end.squares < best.squares) best = end;
    return best;
  }

  double squares_of(const Solution& x) const {
    double squares = 0;
    for (std::size_t i = 0; i < s_.size(); ++i)
      if (used(i)) {
        const double residual = at_sample(s_, i, x, share_[i]).value - 1;
        squares += residual * residual;
      }
    return squares;
  }

  // Least squares for given a and p, and for the given angle between computing and memory time (-1: p is 1 and each has
  // a column of its own).
  Solution linear(double a, double p, double angle) const {
    const bool joint = angle >= 0;
    Solution direction;  // what one column of computing and memory time together stands for
    direction.p = p;
    direction.coefficient[kUnit] = joint ? std::cos(angle) : 1;
    direction.coefficient[kMemory] = joint ? std::sin(angle) : 1;
    int term_of[kTerms];
    NormalEquations e;
    for (int term = 0; term < kTerms; ++term)
      if (v_.has[static_cast<std::size_t>(term)] && !(joint && term == kMemory)) term_of[e.n++] = term;
    for (std::size_t i = 0; i < s_.size(); ++i) {
      if (!used(i)) continue;
      const double weight = 1 / s_.observed[i];
      const double columns[kTerms] = {weight, weight * s_.host[i], weight * s_.unit[i] * share_[i],
                                      weight * s_.memory[i]};
      double row[kTerms];
      for (int c = 0; c < e.n; ++c)
        row[c] = joint && term_of[c] == kUnit ? at_sample(s_, i, direction, share_[i]).value : columns[term_of[c]];
      e.add(row);
    }
    // Columns scaled to unit length: clocks and milliseconds differ by orders of magnitude.
    double scale[kTerms], x[kTerms];
    for (int i = 0; i < e.n; ++i) scale[i] = e.g[i][i] > 0 ? 1 / std::sqrt(e.g[i][i]) : 1;
    for (int i = 0; i < e.n; ++i) {
      e.h[i] *= scale[i];
      for (int j = 0; j < e.n; ++j) e.g[i][j] *= scale[i] * scale[j];
    }
    solve_non_negative(e, x);
    Solution out;
    out.p = p;
    out.a = a;
    for (int i = 0; i < e.n; ++i) out.coefficient[static_cast<std::size_t>(term_of[i])] = x[i] * scale[i];
    if (joint) {
      out.coefficient[kMemory] = out.coefficient[kUnit] * direction.coefficient[kMemory];
      out.coefficient[kUnit] *= direction.coefficient[kUnit];
    }
    out.squares = squares_of(out);
    return out;
  }

  // Levenberg and Marquardt's descent, projected on the bounds: a parameter at its bound that would leave it stays.
  Solution descend(Solution x) const {
    x.squares = squares_of(x);
    double damping = 1e-3;
    constexpr int kRounds = 60;
    constexpr double kDone = 1e-12;
    for (int round = 0; round < kRounds; ++round) {
      double g[kCurved][kCurved] = {}, down[kCurved] = {};
      for (std::size_t i = 0; i < s_.size(); ++i) {
        if (!used(i)) continue;
        const Point at = at_sample(s_, i, x, share_[i]);
        for (int k = 0; k < kCurved; ++k) {
          down[k] -= at.by[k] * (at.value - 1);
          for (int l = 0; l <= k; ++l) g[k][l] += at.by[k] * at.by[l];
        }
      }
      int free[kCurved], m = 0;
      for (int k = 0; k < kCurved; ++k) {
        const bool fitted = k == kLogP ? v_.fit_p : v_.has[static_cast<std::size_t>(k)];
        const double log_p = std::log(x.p);
        const bool at_low = k == kLogP ? log_p <= 0 : x.coefficient[static_cast<std::size_t>(k)] <= 0;
        const bool at_high = k == kLogP && log_p >= kMostLogP;
        if (fitted && g[k][k] > 0 && !(at_low && down[k] <= 0) && !(at_high && down[k] >= 0)) free[m++] = k;
      }
      if (m == 0) break;
      bool better = false;
      double gained = 0;
      for (int attempt = 0; attempt < 12 && !better; ++attempt) {
        double a[kCurved][kCurved], b[kCurved], step[kCurved];
        for (int i = 0; i < m; ++i) {
          b[i] = down[free[i]];
          for (int j = 0; j <= i; ++j) a[i][j] = a[j][i] = g[free[i]][free[j]];
          a[i][i] *= 1 + damping;
        }
        Solution next = x;
        if (solve_symmetric(a, b, step, m, 1e-15)) {
          for (int i = 0; i < m; ++i) {
            if (free[i] == kLogP)
              next.p = std::exp(std::clamp(std::log(x.p) + std::clamp(step[i], -1.0, 1.0), 0.0, kMostLogP));
            else
              next.coefficient[static_cast<std::size_t>(free[i])] =
                  std::max(0.0, x.coefficient[static_cast<std::size_t>(free[i])] + step[i]);
          }
          next.squares = squares_of(next);
          better = next.squares < x.squares;
        }
        if (better) {
          gained = x.squares - next.squares;
          x = next;
          damping = std::max(damping * 0.1, 1e-12);
        } else {
          damping *= 10;
        }
      }
      if (!better || gained < kDone * (x.squares + 1e-12)) break;
    }
    return x;
  }

  const Samples& s_;
  const Variant& v_;
  double p_;
  int left_out_;
  std::vector<double> share_;  // of computing time that the cores of a sample leave
};

// Whether the columns of a set of terms are independent of each other, the point `left_out` not counted.
bool independent(const Samples& s, const Variant& v, int left_out) {
  NormalEquations e;
  int term_of[kTerms];
  for (int term = 0; term < kTerms; ++term)
    if (v.has[static_cast<std::size_t>(term)]) term_of[e.n++] = term;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s.point[i] == left_out) continue;
    const double columns[kTerms] = {
        1, s.host[i], s.unit[i] * core_share(v.fit_a ? 0.5 : 0, s.cores[i], s.cores_reference), s.memory[i]};
    double row[kTerms];
    for (int c = 0; c < e.n; ++c) row[c] = columns[term_of[c]];
    e.add(row);
  }
  double x[kTerms];
  return solve_symmetric(e.g, e.h, x, e.n, 1e-11);
}

struct Choice {
  Variant variant;
  Solution solution;
  double rms = std::numeric_limits<double>::infinity();
};

// The sets of terms that the cells allow, in the order of preference among equals: the fewest first; computing time,
// then what no clock changes, memory, the host.
std::vector<Variant> variants_of(const Samples& s, const FitOptions& options) {
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
        variants.push_back(v);
      }
    }
  }
  std::stable_sort(variants.begin(), variants.end(),
                   [](const Variant& a, const Variant& b) { return a.count() < b.count(); });
  return variants;
}

// The solution of every set of terms, operating point `left_out` (-1: none) left aside. `whole` are the solutions with
// all points, to start from.
std::vector<Choice> solutions_of(const Samples& s, const std::vector<Variant>& variants, double fixed_p, int left_out,
                                 const std::vector<Choice>* whole) {
  const int points = s.points - (left_out >= 0 ? 1 : 0);
  int used = 0;
  for (const int point : s.point) used += point != left_out;
  std::vector<Choice> solved;
  for (const Variant& v : variants) {
    if (v.count() > points || !independent(s, v, left_out)) continue;
    const Solution* warm = nullptr;
    if (whole != nullptr)
      for (const Choice& choice : *whole)
        if (choice.variant == v) warm = &choice.solution;
    Choice choice{v, Solver(s, v, fixed_p, left_out).solve(warm), 0};
    choice.rms = std::sqrt(choice.solution.squares / used);
    solved.push_back(choice);
  }
  return solved;
}

// The smallest set of terms that explains the cells.
Choice best_of(const std::vector<Choice>& solved) {
  double lowest = std::numeric_limits<double>::infinity();
  for (const Choice& choice : solved) lowest = std::min(lowest, choice.rms);
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

constexpr std::size_t kP = 4, kFraction = 5;

// The parameters that intervals are about, and a model with one of them moved.
constexpr std::size_t kParameters = ScalingFit::kParameters;
constexpr std::array<const char*, kParameters> kParameterNames = {"fixed_ms",  "host_ms", "unit_ms",
                                                                  "memory_ms", "p",       "parallel_fraction"};
double* parameter(SoftRoofline& m, std::size_t k) {
  const std::array<double*, kParameters> all{&m.fixed_ms,  &m.host_ms, &m.unit_ms,
                                             &m.memory_ms, &m.p,       &m.parallel_fraction};
  return all[k];
}

// How the logarithm of the latency follows each parameter (p: its logarithm), by central differences.
std::array<double, kParameters> gradient_of(const SoftRoofline& model, const std::array<bool, kParameters>& moving,
                                            double f_unit, const OperatingPoint& at) {
  std::array<double, kParameters> out{};
  const double latency = model.latency_ms(f_unit, at);
  for (std::size_t k = 0; k < kParameters; ++k) {
    if (!moving[k]) continue;
    SoftRoofline up = model, down = model;
    const double value = *parameter(up, k), step = 1e-5 * value;
    *parameter(up, k) += step;
    *parameter(down, k) -= step;
    out[k] = (up.latency_ms(f_unit, at) - down.latency_ms(f_unit, at)) / (2 * step * latency);
    if (k == kP) out[k] *= value;
  }
  return out;
}

// Intervals of the coefficients by the linear approximation at the optimum: residual variance times the inverse of
// JᵀJ over the parameters that are not at a bound.
void add_intervals(ScalingFit& fit, std::span<const FitSample> samples, UnitClock clock) {
  std::vector<std::size_t> moving;
  std::array<bool, kParameters> moves{};
  for (std::size_t k = 0; k < kParameters; ++k) {
    if (std::find(fit.terms.begin(), fit.terms.end(), kParameterNames[k]) == fit.terms.end()) continue;
    const double value = *parameter(fit.model, k);
    const double low = k == kP ? 1 : 0;
    const double high = k == kP ? 64 : k == kFraction ? 1 : std::numeric_limits<double>::infinity();
    constexpr double kNear = 1e-6;
    const bool at_bound = value <= low + kNear * (k == kP) || value >= high * (1 - kNear);
    fit.intervals.push_back({kParameterNames[k], value, kNaN, kNaN, at_bound});
    if (!at_bound) moving.push_back(k), moves[k] = true;
  }
  fit.degrees_of_freedom = fit.n - static_cast<int>(moving.size());
  if (fit.degrees_of_freedom <= 0 || moving.empty()) return;
  double squares = 0;
  double information[kParameters][kParameters] = {};
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto g = gradient_of(fit.model, moves, own_clock_mhz(clock, samples[i].at), samples[i].at);
    const double ratio = 1 + fit.residuals[i];
    squares += fit.residuals[i] * fit.residuals[i];
    for (std::size_t k = 0; k < moving.size(); ++k)
      for (std::size_t l = 0; l < moving.size(); ++l) information[k][l] += ratio * ratio * g[moving[k]] * g[moving[l]];
  }
  fit.residual_std = std::sqrt(squares / fit.degrees_of_freedom);
  fit.t_quantile = boost::math::quantile(boost::math::students_t(fit.degrees_of_freedom), 0.975);
  // Parameters differ by orders of magnitude: scaled to a unit diagonal before the inverse is taken.
  double scale[kParameters] = {};
  for (std::size_t k = 0; k < moving.size(); ++k)
    scale[k] = information[k][k] > 0 ? 1 / std::sqrt(information[k][k]) : 0;
  for (std::size_t k = 0; k < moving.size(); ++k)
    for (std::size_t l = 0; l < moving.size(); ++l) information[k][l] *= scale[k] * scale[l];
  for (std::size_t column = 0; column < moving.size(); ++column) {
    double one[kParameters] = {}, inverse[kParameters];
    one[column] = 1;
    if (!solve_symmetric(information, one, inverse, static_cast<int>(moving.size()))) {
      fit.residual_std = kNaN;
      return;
    }
    for (std::size_t row = 0; row < moving.size(); ++row)
      fit.covariance[moving[row]][moving[column]] =
          fit.residual_std * fit.residual_std * inverse[row] * scale[row] * scale[column];
  }
  for (CoefficientInterval& interval : fit.intervals) {
    if (interval.at_bound) continue;
    const auto k = static_cast<std::size_t>(std::find(kParameterNames.begin(), kParameterNames.end(), interval.term) -
                                            kParameterNames.begin());
    const double half = fit.t_quantile * std::sqrt(fit.covariance[k][k]);
    if (k == kP) {
      interval.low = std::clamp(interval.value * std::exp(-half), 1.0, 64.0);
      interval.high = std::clamp(interval.value * std::exp(half), 1.0, 64.0);
    } else {
      interval.low = std::max(0.0, interval.value - half);
      interval.high = k == kFraction ? std::min(1.0, interval.value + half) : interval.value + half;
    }
  }
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
  const double fixed_p = options.p.value_or(1);
  std::vector<Variant> variants = variants_of(s, options);
  const std::vector<Choice> solved = solutions_of(s, variants, fixed_p, -1, nullptr);
  const Choice choice = best_of(solved);

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

  add_intervals(fit, samples, clock);

  // With two points the one that is left tells no shape.
  if (options.cross_validate && s.points >= 3) {
    // Terms that are hopeless with all points are not tried again without one; with few points nothing is hopeless.
    constexpr int kMany = 8;
    constexpr double kHopeless = 3;
    if (s.points >= kMany)
      std::erase_if(variants, [&](const Variant& v) {
        return std::any_of(solved.begin(), solved.end(), [&](const Choice& c) {
          return c.variant == v && c.rms > kHopeless * (choice.rms + kExplainsAsWell);
        });
      });
    double sum = 0;
    for (int point = 0; point < s.points; ++point) {
      const SoftRoofline without = model_of(s, best_of(solutions_of(s, variants, fixed_p, point, &solved)));
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

double ScalingFit::relative_half_width(double f_unit, const OperatingPoint& at) const {
  if (std::isnan(residual_std)) return kNaN;
  std::array<bool, kParameters> moves{};
  for (std::size_t k = 0; k < kParameters; ++k) moves[k] = covariance[k][k] > 0;
  const auto g = gradient_of(model, moves, f_unit, at);
  double variance = residual_std * residual_std;  // of one more cell, on top of what the coefficients leave open
  for (std::size_t k = 0; k < kParameters; ++k)
    for (std::size_t l = 0; l < kParameters; ++l) variance += g[k] * covariance[k][l] * g[l];
  return t_quantile * std::sqrt(std::max(variance, 0.0));
}

RooflineReading reading_of(const SoftRoofline& model) {
  RooflineReading out;
  const double total = model.latency_ms(kNaN, {}), both = total - model.fixed_ms - model.host_ms;
  out.fixed = model.fixed_ms / total;
  out.host = model.host_ms / total;
  // Of the two that overlap, each counts by its share of the sum under the root.
  const double longer = std::max(model.unit_ms, model.memory_ms);
  const double unit = longer > 0 ? std::pow(model.unit_ms / longer, model.p) : 0;
  const double memory = longer > 0 ? std::pow(model.memory_ms / longer, model.p) : 0;
  if (longer > 0) {
    out.unit = both / total * unit / (unit + memory);
    out.memory = both / total * memory / (unit + memory);
  }
  const double launch = out.fixed + out.host;
  out.kind = launch >= 0.5       ? "launch-bound"
             : out.unit >= 0.5   ? "compute-bound"
             : out.memory >= 0.5 ? "memory-bound"
                                 : "balanced";
  return out;
}

SoftRoofline normalised(SoftRoofline model) {
  const double at_reference = model.latency_ms(kNaN, {});
  for (double* coefficient : {&model.fixed_ms, &model.host_ms, &model.unit_ms, &model.memory_ms})
    *coefficient /= at_reference;
  return model;
}

}  // namespace dynasoc
