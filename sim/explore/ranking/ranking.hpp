// Managers ranked over scenarios, with what is known of their ranks.
//
// REGRET of a policy in a scenario and a replication is its cost less the oracle's on the same random numbers (without
// an oracle: less that of the policy whose mean is least there). The SCORE is the mean of regret over scenarios, which
// are therefore to have costs of one unit; its interval is Student's over replications, each of which is a mean over
// scenarios. The RANK is by the score. Its interval holds 95 % of the ranks in replications drawn anew (bootstrap,
// seeded: the same results give the same interval); it says what other random numbers would change, not what other
// scenarios would: for that there are the ranks by scenario. A policy is AMONG THE BEST if its paired difference to the
// first is not decided at 95 % after Holm's correction.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "explore/ranking/file.hpp"
#include "results/comparison.hpp"
#include "results/statistics.hpp"
#include "scenario/scenario.hpp"

namespace dynasoc::explore {

/// What is kept of every run beside the metric of the ranking.
extern const std::vector<std::string> kRankedMetrics;

/// One policy in one scenario.
struct RankedCell {
  std::map<std::string, std::vector<double>> values;  ///< metric -> by replication
  std::string failure;                                ///< why it could not run; then there are no values
  bool found = false;                                 ///< it was there from an earlier command
};

struct RankedPolicy {
  std::string label;
  Estimate score;                   ///< mean regret over scenarios
  std::vector<Estimate> regret;     ///< by scenario
  std::vector<int> rank_in;         ///< by scenario; equal ones share the best; 0 where it could not run
  double mean_rank = 0;             ///< over scenarios; equal ones share the mean of theirs
  int rank = 0;                     ///< 1 is the best; 0 where it could not run everywhere
  int rank_low = 0, rank_high = 0;  ///< 95 % interval
  Estimate behind;                  ///< score less the first's, paired
  double p_holm = 1;
  bool among_best = false;
  int best_in = 0;                        ///< scenarios in which it has rank 1
  std::map<std::string, Estimate> means;  ///< of the other metrics: over replications, of the mean over scenarios
};

struct Ranking {
  RankingFile file;
  std::vector<std::string> scenarios, titles;
  std::vector<std::string> labels;
  int replications = 0;
  std::vector<std::vector<RankedCell>> cells;  ///< [scenario][policy, the oracle last]
  std::vector<RankedPolicy> policies;          ///< by rank; those that could not run everywhere last
  std::vector<Estimate> oracle_cost;           ///< by scenario
  std::vector<std::string> warnings;
  std::size_t found = 0;  ///< cells that an earlier command had made
  std::string sentence;   ///< what may be concluded
};

struct RankingRequest {
  std::filesystem::path directory;     ///< for finished cells and results; empty: nothing is kept
  std::vector<std::string> policies;   ///< instead of the file's; empty: those
  std::vector<std::string> add;        ///< beside them
  std::vector<std::string> scenarios;  ///< of the file's; empty: all
  int replications = 0;                ///< 0: the file's
  bool short_form = false;
  int jobs = 1;
  Overrides overrides;                                       ///< of every scenario
  std::function<void(double, const std::string&)> progress;  ///< share done; what runs
};

/// Runs what is not there already, and ranks. A finished cell is kept in `directory`/cells as soon as it is there, and
/// taken again by whoever asks for the same with the same program. Throws InputError.
Ranking rank_policies(const std::filesystem::path& path, const RankingRequest& request);

/// Of cells that are all there: fills `policies`, `oracle_cost` and `sentence`.
void evaluate(Ranking& ranking);

Json ranking_json(const Ranking& ranking);
/// scenario,policy,replication,metric,value
std::string ranking_csv(const Ranking& ranking);
std::string ranking_text(const Ranking& ranking, int columns, bool colour);
/// The table for a document, in Markdown.
std::string ranking_markdown(const Ranking& ranking);

/// Whether a file of this name is a ranking's result.
bool is_ranking_result(const std::string& name);

}  // namespace dynasoc::explore
