// Multi-objective optimisation over a box, for whatever is being explored: problem in, population out.
//
// NSGA-II, MOEA/D and the hypervolume of three and more objectives are pagmo's (https://esa.github.io/pagmo2). pagmo's
// library takes longer to load than the program takes to start, so that it stands behind a module, dynasoc-pagmo.so,
// which is opened when one of them is first needed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "common/fields.hpp"

namespace dynasoc::explore {

/// A box: continuous coordinates first, then `integers` whole-numbered ones. Both bounds are included.
struct Box {
  std::vector<double> low, high;
  std::size_t integers = 0;
};

/// A point and its objectives, which are minimised. Infeasible points carry penalties made by the caller.
struct Individual {
  std::vector<double> x, objectives;
};

enum class Algorithm : std::uint8_t { nsga2, moead, random, sobol };

/// Objectives of many points at once, in their order: one vector of `objectives` finite numbers a point.
using Evaluate = std::function<std::vector<std::vector<double>>(const std::vector<std::vector<double>>&)>;

/// What to minimise, and how. `population` points are evaluated `generations` + 1 times, whatever the algorithm.
struct OptimiserRequest {
  Box box;
  std::size_t objectives = 2;
  Algorithm algorithm = Algorithm::nsga2;
  std::size_t population = 100;  ///< nsga2 wants a multiple of 4, at least 8, and rounds up
  std::size_t generations = 100;
  std::uint64_t seed = 0;
  double crossover = 0.95;                 ///< probability, below 1 (nsga2); rate of differential evolution (moead)
  double eta_crossover = 10;               ///< distribution index of simulated binary crossover (nsga2), 1 to 100
  double mutation = 0;                     ///< probability for each coordinate (nsga2); 0 means 1/(coordinates)
  double eta_mutation = 50;                ///< distribution index of polynomial mutation, 1 to 100
  std::vector<std::vector<double>> start;  ///< points that the first population holds; the rest of it is random

  /// Called with a whole generation by all algorithms but moead, which asks for one point at a time. What it throws
  /// ends the optimisation and comes out of `optimise` unchanged.
  Evaluate evaluate;
  /// After each generation, the first population being generation 0; random and sobol show the points they drew.
  std::function<void(std::size_t generation, const std::vector<Individual>& population)> on_generation;
};

/// The final population (nsga2, moead), or what is not dominated of all points drawn (random, sobol; of equal points
/// the first). The same request gives the same points in the same order. Throws InternalError for a request that makes
/// no sense (an empty box, a whole-numbered coordinate with fractional bounds, objectives that are not finite) and
/// OutsideError where the module is needed and missing.
std::vector<Individual> optimise(const OptimiserRequest& request);

/// Whether `optimise` can do `algorithm` here: without pagmo, only random and sobol.
bool available(Algorithm algorithm);

/// Indices of the points that no other dominates (less or equal everywhere, less somewhere), ascending; of equal points
/// the first. Two objectives are sorted, O(n log n); more are compared pairwise.
std::vector<std::size_t> non_dominated(const std::vector<std::vector<double>>& objectives);

/// The measure of what the points dominate and `reference` bounds; points that do not beat the reference in every
/// objective add nothing. Exact. One and two objectives are computed here, more by pagmo (OutsideError without it).
double hypervolume(const std::vector<std::vector<double>>& points, const std::vector<double>& reference);

}  // namespace dynasoc::explore

template <>
struct dynasoc::EnumNames<dynasoc::explore::Algorithm> {
  using A = dynasoc::explore::Algorithm;
  static constexpr std::array<std::pair<std::string_view, A>, 4> names{
      {{"nsga2", A::nsga2}, {"moead", A::moead}, {"random", A::random}, {"sobol", A::sobol}}};
};
