// Latency/energy tables: what was measured (or read off a figure, or derived) for each sub-network at each operating
// point of a board.
//
// A table is a CSV file, one row a cell:
//   subnet,unit,cores,f_cpu_mhz,f_gpu_mhz,f_emc_mhz,latency_ms_mean,latency_ms_std,n,latency_ms_p50,latency_ms_p90,
//   latency_ms_p99,energy_mj,power_w,idle_power_w,provenance,source,energy_provenance,energy_source
// and, in tables that were filled, latency_ms_low,latency_ms_high,energy_mj_low,energy_mj_high.
// An empty cell means "not stated". `provenance` speaks of the latency, `energy_provenance` of energy and power.
#pragma once

#include <array>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "common/csv.hpp"
#include "common/fields.hpp"
#include "common/provenance.hpp"

namespace dynasoc {

/// The clocks and cores a job runs under. NaN (or 0 cores) where it is not stated or does not matter.
struct OperatingPoint {
  double f_cpu_mhz = std::numeric_limits<double>::quiet_NaN();
  double f_gpu_mhz = std::numeric_limits<double>::quiet_NaN();
  double f_emc_mhz = std::numeric_limits<double>::quiet_NaN();
  int cores = 0;

  /// Equal where both state a value: clocks within 0.1 %, cores exactly.
  bool matches(const OperatingPoint& other) const;
  std::string text() const;  ///< `1109.25 MHz GPU, 1600 MHz EMC`
};

/// One row. Latencies [ms], energy [mJ] and power [W] of one inference on the meter named in `energy_source`, the idle
/// board included; `idle_power_w` is what the same meter reads when the board is idle.
struct Cell {
  std::string subnet;  ///< `L1`, `L2`, …
  std::string unit;    ///< a processing unit of the platform: `cpu`, `gpu`
  OperatingPoint at;
  double latency_ms_mean = 0;
  double latency_ms_std = std::numeric_limits<double>::quiet_NaN();
  double n = 0;  ///< runs averaged; 0 = not stated
  double latency_ms_p50 = std::numeric_limits<double>::quiet_NaN();
  double latency_ms_p90 = std::numeric_limits<double>::quiet_NaN();
  double latency_ms_p99 = std::numeric_limits<double>::quiet_NaN();
  double energy_mj = std::numeric_limits<double>::quiet_NaN();
  double power_w = std::numeric_limits<double>::quiet_NaN();
  double idle_power_w = std::numeric_limits<double>::quiet_NaN();
  Provenance provenance = Provenance::measured;
  std::string source;
  Provenance energy_provenance = Provenance::derived;
  std::string energy_source;
  double energy_mj_low = std::numeric_limits<double>::quiet_NaN();    ///< 95 % of boards lie between the two, as far as
  double energy_mj_high = std::numeric_limits<double>::quiet_NaN();   ///< the power is concerned (not the latency)
  double latency_ms_low = std::numeric_limits<double>::quiet_NaN();   ///< 95 % prediction interval of the mean;
  double latency_ms_high = std::numeric_limits<double>::quiet_NaN();  ///< NaN where the cell was observed
};

/// A cell that is `measured`, `digitised` or `derived`. Throws InputError for anything else, with the nearest of them.
Provenance provenance_of(const Csv& csv, std::size_t row, const char* column);

/// What a row of any file with these columns speaks of: subnet, unit and, where there are such columns, cores and
/// clocks; everything else is as in a new cell. Throws InputError for a name that is missing, a clock or count that
/// cannot be.
Cell cell_at(const Csv& csv, std::size_t row);

/// A whole file. Cells keep the file's order.
class Table {
 public:
  /// Throws InputError (file:line:column) for unknown or missing columns, an empty table, non-finite or negative
  /// numbers, an unknown provenance, an empty source, a cell given twice.
  static Table load(const std::filesystem::path& path);
  static Table from_csv(const Csv& csv);

  std::string to_csv() const;

  std::vector<Cell> cells;
};

/// Latency as a function of clocks and cores: the soft roofline
///   t = fixed + host·(ref/f_cpu) + ((unit·c·ref/f_unit)^p + (memory·ref/f_emc)^p)^(1/p)            [ms]
/// with non-negative coefficients and p >= 1, stated at a reference operating point. f_unit is the unit's own clock and
/// c = ((1-a) + a/cores) / ((1-a) + a/cores_ref) is Amdahl's law for the parallel fraction a. `p = 1` adds computing
/// and memory time, a large p takes the larger of the two.
struct SoftRoofline {
  double fixed_ms = 0;
  double host_ms = 0;
  double unit_ms = 0;
  double memory_ms = 0;
  double p = 1;
  double parallel_fraction = 0;
  double f_cpu_mhz = 0;  ///< the reference; 0 where the term is 0
  double f_unit_mhz = 0;
  double f_emc_mhz = 0;
  int cores = 0;
  Provenance provenance = Provenance::derived;
  std::string source;
  Where where;

  static constexpr auto fields() {
    using S = SoftRoofline;
    return describe(
        field(&S::fixed_ms, "fixed_ms", non_negative(), "time that no clock changes (launch, driver)"),
        field(&S::host_ms, "host_ms", non_negative(), "time that follows the host CPU's clock"),
        field(&S::unit_ms, "unit_ms", non_negative(), "computing time, which follows the unit's clock"),
        field(&S::memory_ms, "memory_ms", non_negative(), "memory time, which follows the memory clock"),
        field(&S::p, "p", range(1, 64),
              "how computing and memory time overlap: 1 they add, large the longer one counts"),
        field(&S::parallel_fraction, "parallel_fraction", range(0, 1),
              "share of computing time that divides by the cores"),
        field(&S::f_cpu_mhz, "f_cpu_mhz", non_negative(), "reference host clock"),
        field(&S::f_unit_mhz, "f_unit_mhz", non_negative(), "reference clock of the unit"),
        field(&S::f_emc_mhz, "f_emc_mhz", non_negative(), "reference memory clock"),
        field(&S::cores, "cores", range(0, 1024), "reference number of cores"),
        required(&S::provenance, "provenance", "always derived, unless every cell behind it is of another kind"),
        required(&S::source, "source", "the rows and the fit behind the coefficients"));
  }

  /// Predicted latency [ms]. `f_unit_mhz` is the clock of the unit the job runs on. NaN clocks count as the reference.
  double latency_ms(double f_unit_mhz, const OperatingPoint& at) const;
};

/// A computed value as tables hold it: to six decimals.
double tidy(double x);

}  // namespace dynasoc
