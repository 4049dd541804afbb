// Racing: configurations that are dominated for sure are dropped before they have all replications.
//
// WHAT IS TESTED. A configuration is dropped when another one, of those that look best so far, dominates it, or when it
// breaks a constraint. Replication r has the same arrivals and noise for all (common random numbers), so that the test
// is the paired t test of their differences, one-sided, in each objective; all objectives must reject (an
// intersection-union test: no correction among them). Differences that are all 0 count as equal; n that are
// all the same but not 0 have no variance and are judged by their signs, p = 2^-n: rare events may not have been seen.
// Where objectives have a resolution, a configuration is dropped by one that is worse in none by more than that
// (non-inferiority; epsilon-dominance: Laumanns, Thiele, Deb, Zitzler, Combining convergence and diversity in
// evolutionary multiobjective optimization, Evol. Comput. 10, 2002).
//
// WHOM IT IS TESTED AGAINST. In the first looks, every member of the front so far, with all replications. From three
// times `first` replications on, the four configurations that look most likely to dominate it by the first replications
// alone, with the others: who was chosen on data that are not tested needs no correction for having been chosen.
//
// WHAT ERROR IS AIMED AT. For each configuration that nothing dominates (covers) and that keeps the constraints, the
// chance of being dropped is to be at most `error`: divided among the looks (Bonferroni); where there are constraints a
// fifth goes to them, divided by their number; the rest is divided by the number of configurations it is tested against
// (the first step of Holm's procedure). The t test takes differences to be normal; strongly skewed ones err more often.
// Not covered: the members of the front that the first looks test against are chosen on the very replications that are
// tested, so that among hundreds of configurations that are nearly as good these looks err more often than their share
// of `error` (8 % instead of 1.7 % with 400 near ties, by simulation); a configuration that gave the very same
// objectives as an earlier one in all replications of a search is taken for the same; and of those that were dropped
// because of one that is itself no longer there, only those are taken back into the race that nothing left covers by
// their estimates.
//
// (After Maron, Moore: Hoeffding races, NIPS 1993; Birattari, Stuetzle, Paquete, Varrentrapp: A racing algorithm for
// configuring metaheuristics, GECCO 2002, who race for one objective with Friedman's test.)
#pragma once

#include <cstddef>
#include <limits>
#include <vector>

#include "explore/exploration/candidates.hpp"

namespace dynasoc::explore {

using Samples = std::vector<std::vector<double>>;  ///< [replication][metric]

/// A bound on a metric's mean.
struct Limit {
  std::size_t metric = 0;
  double most = std::numeric_limits<double>::infinity();
  double least = -std::numeric_limits<double>::infinity();
  bool certain = false;  ///< the metric follows from the configuration alone: one replication tells it
};

/// What is wanted of samples: objectives are metrics 0 … signs.size()-1, less of sign x value being better.
struct Wishes {
  std::vector<double> signs;
  std::vector<double> resolutions;  ///< [objective]
  std::vector<Limit> limits;
};
Wishes wishes_of(const Space& space);

/// Means of the first `n` samples by metric, those that are undefined left out; NaN where all are.
std::vector<double> means_of(const Samples& samples, std::size_t n);

/// Objectives, to be minimised.
std::vector<double> objectives_of(const Wishes& wishes, const std::vector<double>& means);

/// Whether `a` is worse than `b` in no objective by more than its resolution. Both minimised.
bool covers(const Wishes& wishes, const std::vector<double>& a, const std::vector<double>& b);

/// Indices of the front, ascending: what nothing dominates and, where there are resolutions, of what covers each other
/// those with the better sum of objectives (scaled to the front's extent).
std::vector<std::size_t> front_of(const Wishes& wishes, const std::vector<std::vector<double>>& objectives);

/// By how much limits are exceeded, relative to each (absolute where it is 0), summed; 0 where all hold. An undefined
/// objective or limited metric counts 1000.
double violation(const Wishes& wishes, const std::vector<double>& means);

/// The largest one-sided p-value over objectives, of replications `from` to `n` - 1, against `better` not dominating
/// (with resolutions: covering) `worse`; 1 where it does not even in the mean.
double domination_p_value(const Wishes& wishes, const Samples& worse, const Samples& better, std::size_t from,
                          std::size_t n);

struct Dropped {
  std::size_t which;  ///< index into `racers`
  int by;             ///< index into `racers`; -1: a constraint does not hold
};

/// One look after `n` replications at racers, all of which have at least as many samples: which of `tested` (indices
/// into `racers`) are to be dropped, the worst first; who is dropped drops nobody. `first` replications choose the
/// rivals of a later look; `error` is that of this look. `same` drops what equals an earlier racer in every objective.
std::vector<Dropped> look(const Wishes& wishes, const std::vector<const Samples*>& racers,
                          const std::vector<std::size_t>& tested, std::size_t first, std::size_t n, double error,
                          bool same);

/// Replications after which a race looks: during the search, and at its end (the last of which is not looked at).
struct Rounds {
  std::vector<int> search, end;
  std::size_t looks() const { return search.size() + end.size() - 1; }
};
Rounds rounds_of(const RacingFile& racing, int replications);

/// The race of an exploration.
class Race {
 public:
  explicit Race(Candidates& candidates);

  /// New candidates (each once): simulated, and dropped where that can be told already.
  void search(const std::vector<std::size_t>& fresh);

  /// All that is left gets all replications, or is dropped on the way.
  void finish();

  /// What the search is steered by: the means of a candidate's samples. One that was dropped has fewer samples than
  /// the others, of an easier or a harder time; it is placed by its difference to what dominates it.
  std::vector<double> estimate(std::size_t candidate) const;

  /// For the optimiser: objectives, or, for what breaks constraints, values beyond every feasible one, ordered by
  /// violation.
  std::vector<double> fitness(std::size_t candidate) const;

  const Wishes& wishes() const { return wishes_; }
  std::vector<std::size_t> alive() const;
  std::size_t revived() const { return revived_; }

 private:
  void drop(const std::vector<std::size_t>& tested, int n, bool same);
  bool revive();

  Candidates& candidates_;
  Wishes wishes_;
  std::optional<RacingFile> racing_;
  int replications_;
  Rounds rounds_;
  std::size_t revived_ = 0;
};

}  // namespace dynasoc::explore
