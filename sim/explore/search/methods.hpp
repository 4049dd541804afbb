// Ways through the space. Each offers what it evaluates to a front; what is dominated or breaks a constraint is
// dropped.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "explore/search/evaluate.hpp"

namespace dynasoc::search {

/// The state of a search after a generation.
struct Generation {
  std::size_t generation = 0;
  std::uint64_t evaluations = 0;
  std::size_t front = 0;  ///< points
  double hypervolume = 0;
};

/// What no point met together, as near as was seen: filled while nothing feasible is known.
struct Nearest {
  double violation = 1e300;
  Point point;
};

/// What methods share: they evaluate, and the front grows.
class Run {
 public:
  Run(const Problem& the_problem, Evaluator& evaluate, std::uint64_t the_seed)
      : problem(the_problem), seed(the_seed), front(the_problem.cost), evaluate_(evaluate) {}

  /// Evaluates, offers what is feasible to the front. The result is valid until the next call.
  const std::vector<Point>& see(const std::vector<Configuration>& configurations);
  /// Offers points evaluated elsewhere.
  void offer(const std::vector<Point>& points);
  /// After a generation, of `of` in all.
  void note(std::size_t of);
  std::uint64_t evaluations() const { return evaluate_.evaluations(); }

  const Problem& problem;
  const std::uint64_t seed;
  Front front;
  Nearest nearest;
  std::vector<Generation> generations;
  std::function<void(double share)> progress;  ///< may throw, which ends the search
  std::function<void(const Generation& generation)> on_generation;

 private:
  Evaluator& evaluate_;
  std::vector<Point> points_;
};

/// Every sub-network, in constant memory. A generation is a sixteenth of the space.
void exhaustive(Run& run);
/// NSGA-II; `start` enters the first population.
void nsga2(Run& run, const Nsga2Method& method, const std::vector<Configuration>& start);
/// For each of several limits on the cost a population of its own: the most accurate quarter breeds, half of the
/// children are mutations, half crosses, children that break a constraint are drawn again, parents die of age.
void aged(Run& run, const AgedMethod& method);
void random_search(Run& run, const RandomMethod& method);
/// Pareto local search (Paquete, Chiarandini, Stützle, 2004), iterated, until `most` evaluations are spent: neighbours
/// of the front's points are evaluated, and where no point is left whose neighbours were not, those of the points that
/// lack least accuracy to be on it. A neighbour differs in the resolution, in one slot's kernel and expansion, or in
/// one stage's depth by one.
void polish(Run& run, std::uint64_t most);

}  // namespace dynasoc::search
