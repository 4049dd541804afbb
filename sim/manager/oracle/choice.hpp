// One alternative of each group, of least cost, within limits: the program of managers that choose for several
// applications at once (a multiple-choice knapsack of several dimensions).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "manager/oracle/milp.hpp"

namespace dynasoc::manager {

/// Minimise cost . x, of equals second . x, such that of each group one alternative is taken and every limit is kept.
struct ChoiceProgram {
  struct Limit {
    std::vector<double> uses;  ///< by alternative
    double at_most = 0;
  };
  std::vector<int> group;            ///< by alternative: its group; ascending from 0, none left out
  std::vector<double> cost, second;  ///< by alternative
  std::vector<Limit> limits;

  void clear() { group.clear(), cost.clear(), second.clear(), limits.clear(); }
  /// Returns the alternative's number.
  int add(int of_group, double its_cost, double its_second) {
    group.push_back(of_group), cost.push_back(its_cost), second.push_back(its_second);
    return static_cast<int>(group.size()) - 1;
  }
  /// Call it once all alternatives are there; it uses nothing yet. The reference holds until the next call.
  Limit& limit(double at_most) {
    limits.push_back({std::vector<double>(group.size(), 0), at_most});
    return limits.back();
  }
};

/// Who solves it.
enum class ChoiceBy : std::uint8_t {
  search,  ///< an exact search; what it cannot finish within its limit goes to CBC, where there is one
  cbc,     ///< CBC, where there is one
};

/// An exact answer: depth-first search with bounds, or CBC. Of equals in cost and second cost (to one part in 10^9) the
/// search takes the one that costs the first group least, then the second, and so on, then the alternative with the
/// lower number; CBC takes any. Both answer alike where there are no such equals.
class ChoiceSolver {
 public:
  /// False where nothing keeps the limits. `nodes` bounds the search; without CBC fifty times as many are visited, and
  /// if that does not suffice, the best until then stands.
  bool solve(const ChoiceProgram& program, ChoiceBy by, int nodes);

  /// By group: the alternative taken.
  const std::vector<int>& chosen() const { return best_; }

 private:
  static constexpr std::int64_t kMoreWithoutCbc = 50;
  static constexpr int kCbcNodes = 1'000'000;
  static double tolerance(double x) { return 1e-9 * (1 + std::abs(x)); }

  bool search(const ChoiceProgram& program, std::int64_t nodes);
  bool ask_cbc(const ChoiceProgram& program);
  void descend(const ChoiceProgram& program, std::size_t g, double cost, double second);
  bool improves(double cost, double second) const;

  // Scratch, kept so that solving allocates little once warm.
  std::vector<int> order_;                       // alternatives by group, the cheapest first
  std::vector<std::size_t> first_;               // by group: where it begins in `order_`; one more at the end
  std::vector<double> rest_cost_, rest_second_;  // by group: least of it and those after it
  std::vector<double> rest_uses_, used_;         // [group][limit]
  std::vector<int> taken_, best_;
  double best_cost_ = 0, best_second_ = 0;
  std::int64_t left_ = 0;
  bool found_ = false;
};

inline bool ChoiceSolver::solve(const ChoiceProgram& program, ChoiceBy by, int nodes) {
  if (by == ChoiceBy::cbc && milp_available()) return ask_cbc(program);
  const bool found = search(program, nodes);
  if (left_ >= 0) return found;
  // Only now is it asked whether there is a CBC, for that loads it.
  if (!milp_available()) return search(program, nodes * kMoreWithoutCbc);
  const std::vector<int> so_far = found ? best_ : std::vector<int>();
  if (ask_cbc(program)) return true;
  best_ = so_far;  // CBC too found nothing in its bounds: what the search had is better than nothing
  return found;
}

// Whether it would be better than the best so far.
inline bool ChoiceSolver::improves(double cost, double second) const {
  if (!found_) return true;
  const double same = tolerance(best_cost_);
  if (cost > best_cost_ + same) return false;
  return cost < best_cost_ - same || second < best_second_ - tolerance(best_second_);
}

inline bool ChoiceSolver::search(const ChoiceProgram& program, std::int64_t nodes) {
  const std::size_t alternatives = program.group.size(), limits = program.limits.size();
  const std::size_t groups = alternatives == 0 ? 0 : static_cast<std::size_t>(program.group.back()) + 1;
  order_.resize(alternatives);
  first_.assign(groups + 1, alternatives);
  for (std::size_t i = alternatives; i-- > 0;) {
    order_[i] = static_cast<int>(i);
    first_[static_cast<std::size_t>(program.group[i])] = i;
  }
  rest_cost_.assign(groups + 1, 0);
  rest_second_.assign(groups + 1, 0);
  rest_uses_.assign((groups + 1) * limits, 0);
  used_.assign((groups + 1) * limits, 0);
  for (std::size_t g = groups; g-- > 0;) {
    const auto begin = order_.begin() + static_cast<std::ptrdiff_t>(first_[g]);
    const auto end = order_.begin() + static_cast<std::ptrdiff_t>(first_[g + 1]);
    std::sort(begin, end, [&](int a, int b) {
      if (program.cost[a] != program.cost[b]) return program.cost[a] < program.cost[b];
      return program.second[a] != program.second[b] ? program.second[a] < program.second[b] : a < b;
    });
    double second = HUGE_VAL;
    for (auto i = begin; i != end; ++i) second = std::min(second, program.second[*i]);
    rest_cost_[g] = rest_cost_[g + 1] + program.cost[*begin];
    rest_second_[g] = rest_second_[g + 1] + second;
    for (std::size_t l = 0; l < limits; ++l) {
      double least = HUGE_VAL;
      for (auto i = begin; i != end; ++i) least = std::min(least, program.limits[l].uses[*i]);
      rest_uses_[g * limits + l] = rest_uses_[(g + 1) * limits + l] + least;
    }
  }
  found_ = false;
  left_ = nodes;
  taken_.assign(groups, -1);
  descend(program, 0, 0, 0);
  return found_;
}

inline void ChoiceSolver::descend(const ChoiceProgram& program, std::size_t g, double cost, double second) {
  const std::size_t groups = taken_.size(), limits = program.limits.size();
  if (g == groups) {
    best_ = taken_, best_cost_ = cost, best_second_ = second, found_ = true;
    return;
  }
  for (std::size_t i = first_[g]; i < first_[g + 1]; ++i) {
    if (--left_ < 0) return;
    const int x = order_[i];
    const double next_cost = cost + program.cost[x], next_second = second + program.second[x];
    const double at_least = next_cost + rest_cost_[g + 1];
    if (found_ && at_least > best_cost_ + tolerance(best_cost_)) return;  // those after it cost no less
    if (!improves(at_least, next_second + rest_second_[g + 1])) continue;
    bool fits = true;
    for (std::size_t l = 0; fits && l < limits; ++l) {
      const ChoiceProgram::Limit& limit = program.limits[l];
      const double used = used_[g * limits + l] + limit.uses[x];
      used_[(g + 1) * limits + l] = used;
      fits = used + rest_uses_[(g + 1) * limits + l] <= limit.at_most + tolerance(limit.at_most);
    }
    if (!fits) continue;
    taken_[g] = x;
    descend(program, g + 1, next_cost, next_second);
  }
}

// First the least cost, then, at no more of it, the least second cost.
inline bool ChoiceSolver::ask_cbc(const ChoiceProgram& program) {
  left_ = 0;
  best_.clear();
  if (program.group.empty()) return true;
  BinaryProgram binary;
  binary.cost = program.cost;
  const std::size_t groups = static_cast<std::size_t>(program.group.back()) + 1;
  binary.rows.resize(groups);
  for (BinaryProgram::Row& row : binary.rows) row.sense = 'E', row.right = 1;
  for (std::size_t x = 0; x < program.group.size(); ++x) {
    BinaryProgram::Row& row = binary.rows[static_cast<std::size_t>(program.group[x])];
    row.columns.push_back(static_cast<int>(x));
    row.factors.push_back(1);
  }
  for (const ChoiceProgram::Limit& limit : program.limits) {
    BinaryProgram::Row row{.sense = 'L', .right = limit.at_most + tolerance(limit.at_most)};
    for (std::size_t x = 0; x < limit.uses.size(); ++x)
      if (limit.uses[x] != 0) row.columns.push_back(static_cast<int>(x)), row.factors.push_back(limit.uses[x]);
    if (!row.columns.empty())
      binary.rows.push_back(std::move(row));
    else if (row.right < 0)
      return false;
  }
  std::vector<char> taken;
  if (!solve_binary(binary, kCbcNodes, taken)) return false;
  double least = 0;
  BinaryProgram::Row dearer{.sense = 'L'};
  for (std::size_t x = 0; x < taken.size(); ++x) {
    if (taken[x]) least += program.cost[x];
    if (program.cost[x] != 0) dearer.columns.push_back(static_cast<int>(x)), dearer.factors.push_back(program.cost[x]);
  }
  const auto keep = [&] {
    best_.assign(groups, -1);
    for (std::size_t x = 0; x < taken.size(); ++x)
      if (taken[x]) best_[static_cast<std::size_t>(program.group[x])] = static_cast<int>(x);
  };
  keep();
  if (!dearer.columns.empty()) {
    dearer.right = least + 1e-6 * (1 + std::abs(least));  // the solver's own tolerance
    binary.rows.push_back(std::move(dearer));
  }
  binary.cost = program.second;
  if (solve_binary(binary, kCbcNodes, taken)) keep();
  return true;
}

}  // namespace dynasoc::manager
