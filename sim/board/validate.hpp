// A run on a board held against its simulation: metrics, cells, decisions, order of policies.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "board/board_run.hpp"
#include "results/statistics.hpp"
#include "scenario/scenario.hpp"

namespace dynasoc::board {

/// One metric of both. Intervals are of means at 95 %: over replications, or, of a single run, over ten stretches of
/// it.
struct MetricPair {
  std::string name;
  Estimate predicted, measured;
  double error() const { return predicted.mean / measured.mean - 1; }
};

/// A sub-network at one operating point of its unit, over inferences that were alone, clean and not the first after a
/// switch.
struct CellPair {
  int app = 0, unit = 0, subnet = 0, opp = 0;
  int n = 0;
  double predicted_ms = 0, measured_ms = 0, measured_std_ms = 0;
  double error() const { return predicted_ms / measured_ms - 1; }
};

/// Where the decisions of both first part, on one knob of one target.
struct Parting {
  std::string target, knob;
  double predicted_s = 0, measured_s = 0;  ///< when; NaN where one has no further write
  std::string predicted_to, measured_to;   ///< empty likewise
  int common = 0;                          ///< writes before that agree
  /// Evidence from the second before: relative sizes of what differed.
  std::vector<std::pair<std::string, double>> evidence;
  std::string cause;  ///< the largest of them: `table cell`, `contention`, `governor`, `arrival jitter`, `temperature`,
                      ///< or `chance` where none is above 2 %
};

/// One policy on both.
struct ValidatedPolicy {
  std::string label;
  std::vector<MetricPair> metrics;
  std::vector<CellPair> cells;
  std::vector<Parting> partings;
  std::vector<RunRecord> predicted;  ///< by replication
  std::vector<BoardRun> measured;    ///< by replication
};

/// Whether two policies come out in the same order.
struct OrderPair {
  std::string metric, a, b;
  double predicted = 0, measured = 0;  ///< a over b, less 1
  enum class State : std::uint8_t { agree, differ, undecided } state = State::undecided;
};

struct Validation {
  std::vector<ValidatedPolicy> policies;
  std::vector<OrderPair> order;
  double tolerance = 0.1;                                             ///< of cells and metrics, relative
  bool judge_cells = true, judge_metrics = true, judge_order = true;  ///< what `within` speaks of
  bool cells_within = true;    ///< every cell of five inferences or more within the tolerance
  bool metrics_within = true;  ///< every metric within it, or with overlapping intervals
  bool order_agrees = true;    ///< no pair of policies that both tell apart comes out the other way round
  bool within = true;
};

/// Compares what both runs of one policy left. `setup` is what was simulated.
ValidatedPolicy compare_runs(const Setup& setup, const std::string& label, std::vector<RunRecord> predicted,
                             std::vector<BoardRun> measured);

/// Fills in order and verdict.
void judge(Validation& validation);

/// The cells of board runs by the set-up's own tables.
std::vector<CellPair> cells_of(const Setup& setup, const std::vector<BoardRun>& runs);

/// The table of an application's unit with the cells that have at least `least` inferences replaced by what was
/// measured. `changed` gets their number.
Table corrected_table(const Setup& setup, std::size_t app, const std::vector<CellPair>& cells, int least,
                      const std::string& source, int& changed);

/// Mean absolute relative error of cells, each weighted the same.
double mean_error(const std::vector<CellPair>& cells);

Json validation_json(const Setup& setup, const Validation& validation);
std::string validation_text(const Setup& setup, const Validation& validation, bool colour);

}  // namespace dynasoc::board
