// Active profiling: which cells of a board (sub-network x unit x clocks x cores) to measure next, what the others will
// be, and how far to trust that.
//
// Each processing unit has a model of its own:
//   log latency = log of a soft roofline + Gaussian process + deviation of the single cell
// The roofline's coefficients are the non-negative least squares solution of the relative residuals of what was
// measured (each term a constant plus a multiple of the sub-network's MACs, where these are known). The Gaussian
// process has, as kernels that add up: the level of a sub-network; how far each coefficient of the roofline is off, for
// all and for each sub-network; and a smooth remainder (Matern 5/2) over the logarithms of clocks and cores.
// Sub-networks are alike by their MACs, and otherwise by identity. Its scales maximise the marginal likelihood, with
// weak priors, on a small grid. Leave-one-out residuals of the measured cells widen the intervals if these have been
// too narrow. Energy is predicted time times power; power has the same model, with terms linear and cubic in the clock.
//
// No I/O, no clock, no randomness but the seed's: the same observations in the same order give the same next cell, so
// that a campaign resumes by replaying its log.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace dynasoc::board {

/// One candidate. A clock that is not stated, or that does not matter to the unit, is NaN (or 0); so are cores that do
/// not matter (0) and MACs that are not known (0). Within a unit a clock is stated by all cells or by none.
struct PlanCell {
  int subnet = 0;
  int unit = 0;
  double f_unit_mhz = std::numeric_limits<double>::quiet_NaN();
  double f_emc_mhz = std::numeric_limits<double>::quiet_NaN();
  double f_host_mhz = std::numeric_limits<double>::quiet_NaN();
  int cores = 0;
  double macs_m = 0;
};

/// What measuring a cell gave. NaN standard errors are not stated: then only `PlanOptions::noise` counts.
struct Observation {
  std::size_t cell = 0;
  double latency_ms = 0;         ///< mean
  double standard_error_ms = 0;  ///< of the mean
  double energy_mj = std::numeric_limits<double>::quiet_NaN();
  double energy_standard_error_mj = std::numeric_limits<double>::quiet_NaN();
};

struct PlanOptions {
  double target_relative_error = 0.05;  ///< half width of the 95 % interval that is good enough …
  double target_share = 0.95;           ///< … for this share of all cells
  double ranking_tolerance = 0.02;      ///< two cells nearer than this need not be told apart
  double ranking_target = 0.002;        ///< share of wrongly ordered pairs at which rankings count as settled
  double budget_share = 1;              ///< of the cells; at least one cell
  double budget_s = std::numeric_limits<double>::infinity();  ///< the last measurement may pass it
  double repeats = 30;    ///< inferences in one measurement: what a cell costs is its latency times this …
  double settle_s = 0.5;  ///< … and the time to set clocks, warm up and cool down
  double noise = 0.002;   ///< relative; added to each stated standard error (what a repeated run does not show)
  std::uint64_t seed = 1;
};

/// A predicted mean, and the interval it lies in, 95 % of times. A unit of which nothing was measured has a NaN mean
/// and an interval from 0 to infinity.
struct CellPrediction {
  double mean = std::numeric_limits<double>::quiet_NaN();  ///< [ms] or [mJ]; the median of the distribution
  double low = 0;
  double high = std::numeric_limits<double>::infinity();
  bool measured = false;

  double relative_half_width() const { return high / mean - 1; }  ///< NaN where nothing is known
};

class ProfilePlan {
 public:
  /// Throws InputError for no cells, a cell given twice, negative or infinite numbers, a clock that only some cells of
  /// a unit state, MACs that differ within a sub-network, options out of range.
  ProfilePlan(std::vector<PlanCell> cells, const PlanOptions& options = {});
  ~ProfilePlan();
  ProfilePlan(ProfilePlan&&) noexcept;
  ProfilePlan& operator=(ProfilePlan&&) noexcept;

  /// Where to begin: cells spread over the clocks of each unit and over the sub-networks, in a random order by the
  /// seed. No more than half the budget, but one of each unit if the budget reaches.
  const std::vector<std::size_t>& initial() const;

  /// A second observation of a cell is combined with the first by inverse variance. Throws InputError for a cell that
  /// is not there and for a latency or energy that is not positive.
  void observe(const Observation& observation);

  /// Leaves out a cell that cannot be measured (a clock that does not stick, a worker that crashes). It is still
  /// predicted.
  void skip(std::size_t cell);

  /// What to measure next: the rest of `initial()`, then the cell that most reduces the expected share of wrongly
  /// ordered pairs, then, when rankings are settled, the one that most reduces intervals wider than the target; each
  /// per second of cost where the budget is in seconds. Nothing when `done()`.
  std::optional<std::size_t> next() const;

  CellPrediction latency(std::size_t cell) const;
  CellPrediction energy(std::size_t cell) const;

  /// 90th percentile of the relative half width of cells not measured: infinite where a unit has no observation, 0 if
  /// all are measured.
  double expected_error() const;
  /// Share of all cells whose interval is within the target.
  double share_within_target() const;
  /// Expected share of pairs of cells that are ordered wrongly and differ by more than the tolerance. Estimated from
  /// pairs at distances 1, 2, 4, … in the order predicted. 1 where a unit has no observation (and there are two cells).
  double ranking_uncertainty() const;

  bool target_reached() const;  ///< rankings settled and enough cells within the target
  bool done() const;            ///< target reached, budget spent, or nothing left to measure

  std::size_t size() const;
  std::size_t measured() const;  ///< different cells observed
  double spent_s() const;        ///< of all observations, by their latency
  double cost_s(std::size_t cell) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dynasoc::board
