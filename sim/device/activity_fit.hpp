// The CPU's power law: what is computed follows the square of the supply voltage, and the voltage follows the clock.
//
//   P - idle = activity · (v + f)²,   f in GHz; v + f is proportional to the voltage
//
// The activity of a run whose latency is known is e / latency: the energy of an inference is e (v + f)², and e belongs
// to the workload (network and runtime). Where the latency is not known the activity is taken as k · cores · f, every
// core busy at its clock. The first says more: what slows an inference down at a setting (memory, waiting threads, a
// clock that was not reached) makes it draw less, and the latency has seen it.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace dynasoc {

struct PowerRow;

/// The rows of one workload at one setting (a power mode), averaged: logarithms of its power and energy.
struct ActivityCell {
  std::string workload;
  std::string setting;
  double ghz = 0;
  int cores = 0;
  int rows = 0;
  double log_power = 0;    ///< ln W above idle
  double log_energy = 0;   ///< ln mJ above idle, of one inference
  double latency_ms = 0;   ///< energy over power
  double power_w() const;  ///< geometric mean of the rows
};

/// Groups rows. Throws InputError for a row without latency, cores or setting.
std::vector<ActivityCell> activity_cells(const std::vector<PowerRow>& rows);

/// y = ln factor(workload) + 2 ln(v + f), by least squares; v >= 0.
struct VoltageFit {
  double v_ghz = 0;
  double v_standard_error = 0;
  std::vector<std::pair<std::string, double>> log_factor;  ///< by workload
  double rms_log = 0;                                      ///< residuals; n - workloads - 1 degrees of freedom

  /// factor · (v + f)²; NaN for a workload that was not fitted.
  double at(const std::string& workload, double ghz) const;
};

struct ActivityFit {
  VoltageFit energy;      ///< of an inference [mJ]: the factors are e [mJ/GHz²]
  VoltageFit per_cycle;   ///< power over cores · f [W/GHz]: the factors are k [W/(core GHz³)]
  double mean_log_k = 0;  ///< over all cells
  double rms_log_k = 0;   ///< of cells about one curve for all workloads; n - 2 degrees of freedom
  int cells = 0;

  /// Power above idle [W] of a workload whose latency is known.
  double watts(const std::string& workload, double ghz, double latency_ms) const;
  /// The same from cores and clock alone; an empty workload stands for the mean of all.
  double watts_of_cores(const std::string& workload, double cores, double ghz) const;
};

/// What these cells lack for `fit_activity`; empty if nothing.
std::string why_not_fitted(const std::vector<ActivityCell>& cells);

/// Each cell counts once. Throws InputError for too few cells, one clock only, or a workload that was run at one
/// setting only. The two voltages differ where latency does not follow cores · clock: the second takes up what the
/// activity does.
ActivityFit fit_activity(const std::vector<ActivityCell>& cells);

/// One setting predicted by a fit to all others.
struct LeftOutSetting {
  struct Workload {
    std::string name;
    double measured_w = 0;
    double predicted_w = 0;  ///< from cores, clock and latency
    double of_cores_w = 0;   ///< from cores and clock alone
    double error() const;    ///< predicted over measured, less 1
    double error_of_cores() const;
  };
  std::string setting;
  double ghz = 0;
  int cores = 0;
  bool in_range = false;  ///< clock and cores lie within those of the other settings
  std::vector<Workload> workloads;
  double measured_w = 0;  ///< geometric mean over the workloads, as the other two
  double predicted_w = 0;
  double of_cores_w = 0;
  double power_law_w = 0;  ///< by k cores^a f^b fitted to the settings' means, for comparison
  double error() const { return predicted_w / measured_w - 1; }
  double error_of_cores() const { return of_cores_w / measured_w - 1; }
  double error_of_power_law() const { return power_law_w / measured_w - 1; }
};

/// Every setting in turn, in ascending order of clock, then cores. Only workloads that other settings have too count.
std::vector<LeftOutSetting> leave_one_setting_out(const std::vector<ActivityCell>& cells);

}  // namespace dynasoc
