// An exploration from its first population to its answer.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "explore/exploration/front.hpp"
#include "explore/exploration/racing.hpp"
#include "explore/exploration/sensitivity.hpp"

namespace dynasoc::explore {

enum class Standing : std::uint8_t {
  front,       ///< feasible, with all replications, and nothing dominates (covers) its means
  dominated,   ///< with all replications
  dropped,     ///< by the race: dominated for sure
  infeasible,  ///< breaks a constraint (dropped for it, or in the mean of all replications), or an objective is
               ///< undefined
  refused,     ///< the scenario does not accept this combination
};
std::string_view name_of(Standing standing);

struct FrontPoint {
  std::size_t candidate = 0;
  std::vector<Estimate> metrics;  ///< by Space::metrics()
  std::vector<Estimate> to_knee;  ///< by objective: mean paired difference to the knee; n = 0 for the knee itself
};

/// What was known after a generation.
struct Step {
  std::size_t generation = 0, configurations = 0, samples = 0;
  std::vector<std::vector<double>> front;  ///< estimates, minimised
  double hypervolume = 0;
};

/// Why nothing is feasible.
struct Infeasible {
  std::vector<std::size_t> broken_by;  ///< [constraint] configurations that break it
  std::vector<double> best;            ///< [constraint] its metric where it comes nearest to holding
  std::vector<std::size_t> undefined;  ///< [metric] configurations in which it is undefined
  std::vector<std::pair<std::size_t, std::size_t>> contradicting;  ///< no configuration keeps both
  std::optional<std::size_t> nearest;                              ///< the candidate with the least violation
};

struct Exploration {
  std::vector<Standing> standings;  ///< by candidate
  /// [candidate][metric] means; of dropped ones, which have fewer replications, placed by their difference to what
  /// covers them (Race::estimate). Empty for refused ones.
  std::vector<std::vector<double>> placed;
  std::vector<FrontPoint> front;  ///< by the first objective, best first
  std::size_t knee = 0;           ///< index into `front`
  HypervolumeBox box;
  Hypervolume hypervolume;
  std::vector<Step> steps;
  std::optional<Infeasible> infeasible;  ///< where the front is empty
  std::size_t samples = 0;               ///< simulations that the search rests on
  std::size_t full = 0;                  ///< what full replication of the same configurations would have taken
  std::size_t revived = 0;               ///< dropped and taken back into the race (Race::finish)
  /// How much better a feasible configuration is (dropped ones by their estimates) than the nearest point of the front,
  /// in the objective where it is most, in resolutions; the largest. NaN where an objective has no resolution.
  double beyond = std::numeric_limits<double>::quiet_NaN();
  Sensitivity sensitivity;

  std::size_t count(Standing standing) const;
};

/// Explores. `candidates` are the search's, `design` the sensitivity table's; both must be empty and may share a
/// journal. Throws Pending (candidates of both kinds may), what evaluations throw, OutsideError where the algorithm is
/// not available.
struct ExploreHooks {
  std::function<void(double)> progress;  ///< share done, at each generation
};
Exploration explore(Candidates& candidates, Candidates& design, const ExploreHooks& hooks = {});

}  // namespace dynasoc::explore
