// How the power points of a platform follow from measured rows: one fit a kind of unit, declared in a recipe, so that
// the committed figures can be computed again by one command.
#pragma once

#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/csv.hpp"
#include "device/activity_fit.hpp"
#include "device/platform.hpp"

namespace dynasoc {

/// One measured operating point: power above the idle board, as the same meter saw both.
struct PowerRow {
  std::string workload;
  double mhz = 0;
  int cores = 0;  ///< 0 = not stated
  double above_idle_w = 0;
  double idle_w = 0;     ///< NaN = not stated
  double energy_mj = 0;  ///< above idle, of one inference; NaN = not stated
  double latency_ms = std::numeric_limits<double>::quiet_NaN();
  std::string setting{};  ///< the power mode, say; empty = not stated
};

/// Which rows of a CSV file are taken, and what its columns mean.
struct PowerRows {
  Name file;
  Named<std::string> select;
  std::string clock_column;
  double clock_per_mhz = 1;
  std::string power_column;
  std::string idle_column;
  std::string cores_column;
  std::string energy_column;
  std::string workload_column = "workload";
  std::string workload_until;
  std::string latency_column;
  std::string setting_column;
  std::string cited;
  Where where;

  static constexpr auto fields() {
    using S = PowerRows;
    return describe(
        required(&S::file, "file", "CSV file beside the recipe"),
        field(&S::select, "select", "only rows in which these columns hold exactly these texts"),
        required(&S::clock_column, "clock_column", "the unit's clock"),
        field(&S::clock_per_mhz, "clock_per_mhz", positive(), "1e6 where the column is in Hz, 1e3 where it is in kHz"),
        required(&S::power_column, "power_column", "power above idle [W]"),
        field(&S::idle_column, "idle_column", "idle board on the same meter [W]"),
        field(&S::cores_column, "cores_column", "cores online"),
        field(&S::energy_column, "energy_column", "energy above idle of one inference [mJ]"),
        field(&S::workload_column, "workload_column", "what ran"),
        field(&S::workload_until, "workload_until", "only what stands before this text names the workload (a version)"),
        field(&S::latency_column, "latency_column", "latency of one inference [ms]"),
        field(&S::setting_column, "setting_column", "the setting rows are left out by: a power mode"),
        required(&S::cited, "cited", "how a sentence names these rows"));
  }
};

/// Reads the selected rows. Throws InputError (located) for a missing file or column, or if none is left.
std::vector<PowerRow> load_power_rows(const PowerRows& rows, const std::filesystem::path& folder);

/// A rail's power over clock, relative to its lowest: for a chip in CMOS, the square of the supply voltage.
class RelativeShape {
 public:
  struct Run {
    std::vector<std::pair<double, double>> mhz_and_mw;  ///< ascending clocks, rail power of a fully busy unit
  };

  /// (power - floor) / clock of each run, divided by its smallest value, averaged over the runs (which must have the
  /// same clocks). `floor_mw` is the rail's power without load. Throws InputError for runs that do not fit together.
  RelativeShape(const std::vector<Run>& runs, double floor_mw);

  /// Linear between clocks; beyond the last, the last slope goes on; below the first, constant.
  double at(double mhz) const;
  double first_mhz() const { return points_.front().first; }
  double last_mhz() const { return points_.back().first; }
  const std::vector<std::pair<double, double>>& points() const { return points_; }

 private:
  std::vector<std::pair<double, double>> points_;
};

/// How much runs differ in their slope: standard deviation of d ln s / d ln f about their mean. 0 for a single run.
double shape_tilt(const std::vector<RelativeShape>& runs);

/// P = k f s(f): power above idle with f in MHz, by least squares through the origin.
struct ScaleFit {
  double k = 0;               ///< W per MHz at s = 1
  double standard_error = 0;  ///< of k, residuals taken as independent
  double rms_w = 0;           ///< residuals, n - 1 degrees of freedom
  std::vector<double> residual_w;
  std::vector<std::pair<std::string, double>> without;  ///< k with one workload left out, by workload
};
ScaleFit fit_scale(const std::vector<PowerRow>& rows, const RelativeShape& shape);

/// P = k cores^a f^b: power above idle with f in GHz, by least squares of the logarithms.
struct CoresClockFit {
  double k = 0;  ///< W at one core and 1 GHz
  double a = 0;
  double b = 0;
  double relative_error_k = 0;  ///< standard error of ln k
  double standard_error_a = 0;
  double standard_error_b = 0;
  double rms_log = 0;  ///< residuals of ln P, n - 3 degrees of freedom
  std::vector<double> residual_log;

  double watts(double cores, double mhz) const;
  double prediction_error_log(double cores, double mhz) const;  ///< standard error of ln P of the fitted curve there

  std::array<double, 9> covariance{};  ///< of (ln k, a, b), row by row
};
CoresClockFit fit_cores_clock(const std::vector<PowerRow>& rows);

/// Rows predicted from others: mean measured and mean predicted power above idle.
struct LeftOutRows {
  std::string what;  ///< `754 MHz`, `ssd-mobilenet`
  double mhz = 0;    ///< of its last row
  int rows = 0;
  bool in_range = true;  ///< the others' clocks lie on both sides
  double measured_w = 0;
  double predicted_w = 0;
  double worst = 0;  ///< of the single rows, signed
  double error() const { return predicted_w / measured_w - 1; }
};
/// A clock from the same workloads' rows at other clocks: a test of s(f). A workload from all other workloads: a test
/// of using one k for all of them.
std::vector<LeftOutRows> leave_one_clock_out(const std::vector<PowerRow>& rows, const RelativeShape& shape);
std::vector<LeftOutRows> leave_one_workload_out(const std::vector<PowerRow>& rows, const RelativeShape& shape);

/// Energy above idle of one inference at two clocks of one workload: measured ratio, and what s(f) says.
struct ShapeCheck {
  std::string workload;
  double low_mhz = 0;
  double high_mhz = 0;
  double measured = 0;
  double predicted = 0;
};
std::vector<ShapeCheck> check_shape(const std::vector<PowerRow>& rows, const RelativeShape& shape);

// ---------------------------------------------------------------------------------------------------------------------
// Recipes: `platforms/raw/<platform>.power.json`.

struct ShapeRunFile {
  Name file;
  std::string clock_column;
  std::string power_column;

  static constexpr auto fields() {
    using S = ShapeRunFile;
    return describe(required(&S::file, "file", "CSV file beside the recipe"),
                    required(&S::clock_column, "clock_column", "clock [MHz]"),
                    required(&S::power_column, "power_column", "power of the unit's rail when fully busy [mW]"));
  }
};

struct ScaleRecipe {
  static constexpr std::string_view kind = "scaled-shape";
  static constexpr std::string_view doc = "P = idle + k f s(f), s from another chip's rail";
  Name unit;
  PowerRows rows;
  std::vector<ShapeRunFile> shape;
  double floor_mw = 0;
  std::string shape_cited;
  double idle_w = 0;
  std::string idle_source;
  std::optional<PowerRows> check;

  static constexpr auto fields() {
    using S = ScaleRecipe;
    return describe(required(&S::unit, "unit", "of the platform"), required(&S::rows, "rows", "to which k is fitted"),
                    required(&S::shape, "shape", "runs whose relative power over clock is averaged"),
                    field(&S::floor_mw, "floor_mw", non_negative(), "of that rail, without load"),
                    required(&S::shape_cited, "shape_cited", "how a sentence names these runs"),
                    required(&S::idle_w, "idle_w", non_negative(), "of the unit, at every clock"),
                    required(&S::idle_source, "idle_source", "where that comes from"),
                    field(&S::check, "check", "rows of a related board against which s(f) is held"));
  }
};

/// Another selection of the rows, whose leave-one-out errors are reported beside the fit's own.
struct VariantRecipe {
  std::string name;
  Named<std::string> select;

  static constexpr auto fields() {
    using S = VariantRecipe;
    return describe(required(&S::name, "name", "how a sentence names it"),
                    required(&S::select, "select", "in place of the rows' own"));
  }
};

struct ActivityRecipe {
  static constexpr std::string_view kind = "activity-voltage";
  static constexpr std::string_view doc = "P = idle + activity (v + f)^2; see activity_fit.hpp";
  Name unit;
  PowerRows rows;
  std::vector<VariantRecipe> variants;
  double idle_w = 0;
  std::string idle_source;

  static constexpr auto fields() {
    using S = ActivityRecipe;
    return describe(required(&S::unit, "unit", "of the platform"),
                    required(&S::rows, "rows", "to which v, e and k are fitted"),
                    field(&S::variants, "variants", "selections to compare with"),
                    required(&S::idle_w, "idle_w", non_negative(), "of the unit, at every clock"),
                    required(&S::idle_source, "idle_source", "where that comes from"));
  }
};

struct PowerRecipe {
  Name platform;
  std::vector<std::variant<ScaleRecipe, ActivityRecipe>> units;
  PowerRows board_idle;
  Where where;

  static constexpr auto fields() {
    using S = PowerRecipe;
    return describe(required(&S::platform, "platform", "platform file, relative to the recipe"),
                    required(&S::units, "units", "one fit a unit"),
                    required(&S::board_idle, "board_idle", "rows whose idle power, averaged, is the idle board's"));
  }
};

struct PowerCalibration {
  /// A fitted value with its standard error, in its unit.
  struct Interval {
    double value = 0;
    double standard_error = 0;
    std::string unit;
  };
  struct Unit {
    std::string name;
    std::string source;
    std::vector<PowerPoint> points;  ///< at every clock of the unit's first domain, all cores online
    PowerUncertainty uncertainty;
    std::vector<std::pair<std::string, Interval>> coefficients;
    std::vector<LeftOutSetting> settings;  ///< each predicted from the others; with the variants' below
    std::vector<std::pair<std::string, std::vector<LeftOutSetting>>> variants;
    std::vector<LeftOutRows> clocks;     ///< each predicted from the others
    std::vector<LeftOutRows> workloads;  ///< the same
    std::vector<ShapeCheck> checks;      ///< rows of a related board, which no fit has seen
    double rms_share = 0;                ///< residuals of the fit, as a share of the power
    std::size_t rows = 0;
  };
  std::filesystem::path platform;  ///< the file that the figures belong into
  std::vector<Unit> units;
  double static_power_w = 0;      ///< idle board less the idle units
  double static_power_std_w = 0;  ///< of the idle board over the rows
  std::string static_power_source;
  std::string report;  ///< fits, residuals, spreads and cross-checks, for people
};

/// Computes what a recipe describes. Powers are rounded to the milliwatt. Throws InputError for anything wrong in the
/// recipe or the files it names.
PowerCalibration calibrate_power(const std::filesystem::path& recipe);

/// A platform's JSON text with the calibrated figures put in their places; everything else stays.
std::string with_power(const Json& platform, const PowerCalibration& calibration);

}  // namespace dynasoc
