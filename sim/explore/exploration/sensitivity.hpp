// What mattered: the share of an objective's variance over the space that a variable accounts for.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "explore/exploration/candidates.hpp"
#include "results/statistics.hpp"

namespace dynasoc::explore {

struct Index {
  double first = 0;  ///< share that the variable explains on its own
  double total = 0;  ///< share that goes when all but this variable are known: its own and its part in interactions
  Interval first_interval, total_interval;  ///< 95 %, bootstrap over rows
};

struct Sensitivity {
  std::size_t rows = 0;            ///< of the design that were asked for
  std::size_t configurations = 0;  ///< different ones that it came to
  std::size_t samples = 0;         ///< simulations it rests on
  int replications = 0;
  std::vector<std::size_t> used;            ///< [objective] rows in which it was defined
  std::vector<std::vector<Index>> indices;  ///< [variable][objective]; NaN where fewer than 8 rows were defined
};

/// Sobol' indices of blocks of coordinates for a function on a box, by Saltelli's design: rows A and B of a Sobol
/// sequence, and for each block A with B's coordinates in it, (blocks + 2) points a row. First-order indices by
/// the estimator of Saltelli et al. (Variance based sensitivity analysis of model output, Comput. Phys. Commun. 181,
/// 2010), total ones by Jansen's (Analysis of variance designs for model output, Comput. Phys. Commun. 117, 1999).
/// Blocks that cannot matter get exactly 0.
struct SaltelliDesign {
  std::size_t rows = 0, blocks = 0;
  std::vector<std::vector<double>> points;  ///< A0, B0, AB0[0] …, A1, B1, …
};
SaltelliDesign saltelli_design(const Box& box, const std::vector<std::vector<std::size_t>>& blocks, std::size_t rows,
                               std::uint64_t seed);

/// Indices by block, from the function's values at the design's points (rows with one that is not finite are left
/// out). Empty where fewer than 8 rows are left or nothing varies.
std::vector<Index> saltelli_indices(const SaltelliDesign& design, const std::vector<double>& values,
                                    std::size_t& used_rows);

/// Of an exploration: means over a few replications, the same for all configurations, infeasible ones included.
/// Configurations that the scenario refuses take their rows with them. Throws as Candidates::ensure.
Sensitivity sensitivity_of(Candidates& candidates);

}  // namespace dynasoc::explore
