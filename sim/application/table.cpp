#include "application/table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include "common/text.hpp"

namespace dynasoc {
namespace {

const std::vector<std::string> kNeeded = {"subnet", "unit", "latency_ms_mean", "provenance", "source"};
const std::vector<std::string> kOptional = {"cores",
                                            "f_cpu_mhz",
                                            "f_gpu_mhz",
                                            "f_emc_mhz",
                                            "latency_ms_std",
                                            "n",
                                            "latency_ms_p50",
                                            "latency_ms_p90",
                                            "latency_ms_p99",
                                            "energy_mj",
                                            "power_w",
                                            "idle_power_w",
                                            "energy_provenance",
                                            "energy_source",
                                            "latency_ms_low",
                                            "latency_ms_high",
                                            "energy_mj_low",
                                            "energy_mj_high"};
constexpr std::string_view kHeader =
    "subnet,unit,cores,f_cpu_mhz,f_gpu_mhz,f_emc_mhz,latency_ms_mean,latency_ms_std,n,latency_ms_p50,latency_ms_p90,"
    "latency_ms_p99,energy_mj,power_w,idle_power_w,provenance,source,energy_provenance,energy_source";
constexpr std::string_view kIntervalHeader = ",latency_ms_low,latency_ms_high,energy_mj_low,energy_mj_high";

bool same_clock(double a, double b) { return std::abs(a - b) <= 1e-3 * std::max(std::abs(a), std::abs(b)); }
bool same_or_unstated(double a, double b) { return std::isnan(a) || std::isnan(b) || same_clock(a, b); }
bool same_statement(double a, double b) { return std::isnan(a) == std::isnan(b) && same_or_unstated(a, b); }

constexpr Range kClock = limited_by_unit("mhz", positive());
constexpr Range kTime{
    .low = 0, .open_low = true, .least = 1e-3, .most = 1e12};  // no inference takes less than a microsecond
constexpr Range kTimeOrNone = limited_by_unit("ms", non_negative());
constexpr Range kEnergy = limited_by_unit("mj", non_negative());
constexpr Range kPower = limited_by_unit("w", non_negative());

bool states_energy(const Cell& cell) {
  return std::isfinite(cell.energy_mj) || std::isfinite(cell.power_w) || std::isfinite(cell.idle_power_w);
}

// Finds cells given twice. Clocks are the same within 0.1 %, so that each is filed under its logarithm in such steps,
// and looked for under the neighbours too: a large table is not compared row by row.
class Repeats {
 public:
  Repeats(const Csv& csv, const Table& table) : csv_(csv), table_(table) {}

  void check(std::size_t row) {
    const Cell& cell = table_.cells[row];
    const std::array<long, 3> at{step(cell.at.f_cpu_mhz), step(cell.at.f_gpu_mhz), step(cell.at.f_emc_mhz)};
    const auto reach = [](long step) { return step == kUnstated ? 0 : 1; };
    for (long cpu = -reach(at[0]); cpu <= reach(at[0]); ++cpu)
      for (long gpu = -reach(at[1]); gpu <= reach(at[1]); ++gpu)
        for (long emc = -reach(at[2]); emc <= reach(at[2]); ++emc) {
          const auto filed = seen_.find({cell.subnet, cell.unit, cell.at.cores, at[0] + cpu, at[1] + gpu, at[2] + emc});
          if (filed == seen_.end()) continue;
          for (const std::size_t other : filed->second) refuse_if_same(row, other);
        }
    seen_[{cell.subnet, cell.unit, cell.at.cores, at[0], at[1], at[2]}].push_back(row);
  }

 private:
  static constexpr long kUnstated = std::numeric_limits<long>::min();
  static long step(double mhz) { return std::isnan(mhz) ? kUnstated : std::lround(std::log(mhz) * 900); }

  void refuse_if_same(std::size_t row, std::size_t other) const {
    const Cell& cell = table_.cells[row];
    const OperatingPoint& at = table_.cells[other].at;
    if (same_statement(at.f_cpu_mhz, cell.at.f_cpu_mhz) && same_statement(at.f_gpu_mhz, cell.at.f_gpu_mhz) &&
        same_statement(at.f_emc_mhz, cell.at.f_emc_mhz))
      throw csv_.error(row, "subnet",
                       cell.subnet + " on " + cell.unit + " (" + cell.at.text() + ") is given twice, first in line " +
                           std::to_string(csv_.location(other, "subnet").line));
  }

  const Csv& csv_;
  const Table& table_;
  std::map<std::tuple<std::string, std::string, int, long, long, long>, std::vector<std::size_t>> seen_;
};

}  // namespace

Provenance provenance_of(const Csv& csv, std::size_t row, const char* column) {
  const std::string_view text = csv.text(row, column);
  std::vector<std::string> known;
  for (const auto& [name, value] : EnumNames<Provenance>::names) {
    if (name == text) return value;
    known.emplace_back(name);
  }
  if (text.empty()) throw csv.error(row, column, "the provenance is empty" + hint("", known));
  throw csv.error(row, column, in_quotes(text) + " is not a provenance" + hint(text, known));
}

bool OperatingPoint::matches(const OperatingPoint& other) const {
  return same_or_unstated(f_cpu_mhz, other.f_cpu_mhz) && same_or_unstated(f_gpu_mhz, other.f_gpu_mhz) &&
         same_or_unstated(f_emc_mhz, other.f_emc_mhz) && (cores == 0 || other.cores == 0 || cores == other.cores);
}

std::string OperatingPoint::text() const {
  std::string out;
  const auto add = [&](const std::string& part) { out += (out.empty() ? "" : ", ") + part; };
  if (cores > 0) add(std::to_string(cores) + (cores == 1 ? " core" : " cores"));
  if (std::isfinite(f_cpu_mhz)) add(number_text(f_cpu_mhz) + " MHz CPU");
  if (std::isfinite(f_gpu_mhz)) add(number_text(f_gpu_mhz) + " MHz GPU");
  if (std::isfinite(f_emc_mhz)) add(number_text(f_emc_mhz) + " MHz EMC");
  return out.empty() ? "clocks not stated" : out;
}

Cell cell_at(const Csv& csv, std::size_t row) {
  Cell cell;
  cell.subnet = csv.text(row, "subnet");
  cell.unit = csv.text(row, "unit");
  if (cell.subnet.empty()) throw csv.error(row, "subnet", "the sub-network is not named");
  if (cell.unit.empty()) throw csv.error(row, "unit", "the processing unit is not named");
  if (!csv.text(row, "cores").empty()) {
    const double cores = csv.number(row, "cores", range(0, 1024));
    if (cores != std::floor(cores)) throw csv.error(row, "cores", "must be a whole number, not " + number_text(cores));
    cell.at.cores = static_cast<int>(cores);
  }
  cell.at.f_cpu_mhz = csv.number_or_nan(row, "f_cpu_mhz", kClock);
  cell.at.f_gpu_mhz = csv.number_or_nan(row, "f_gpu_mhz", kClock);
  cell.at.f_emc_mhz = csv.number_or_nan(row, "f_emc_mhz", kClock);
  return cell;
}

Table Table::load(const std::filesystem::path& path) { return from_csv(Csv::load(path)); }

Table Table::from_csv(const Csv& csv) {
  csv.expect(kNeeded, kOptional);
  if (csv.size() == 0) throw csv.header_error("the table has no cells: no row follows the header");
  Table table;
  table.cells.reserve(csv.size());
  Repeats repeats(csv, table);
  for (std::size_t row = 0; row < csv.size(); ++row) {
    Cell cell = cell_at(csv, row);
    cell.latency_ms_mean = csv.number(row, "latency_ms_mean", kTime);
    cell.latency_ms_std = csv.number_or_nan(row, "latency_ms_std", kTimeOrNone);
    if (!csv.text(row, "n").empty()) cell.n = csv.number(row, "n", non_negative());
    cell.latency_ms_p50 = csv.number_or_nan(row, "latency_ms_p50", kTime);
    cell.latency_ms_p90 = csv.number_or_nan(row, "latency_ms_p90", kTime);
    cell.latency_ms_p99 = csv.number_or_nan(row, "latency_ms_p99", kTime);
    cell.latency_ms_low = csv.number_or_nan(row, "latency_ms_low", kTime);
    cell.latency_ms_high = csv.number_or_nan(row, "latency_ms_high", kTime);
    if (std::isnan(cell.latency_ms_low) != std::isnan(cell.latency_ms_high))
      throw csv.error(row, std::isnan(cell.latency_ms_low) ? "latency_ms_low" : "latency_ms_high",
                      "an interval has both ends; one is missing");
    if (cell.latency_ms_low > cell.latency_ms_mean || cell.latency_ms_high < cell.latency_ms_mean)
      throw csv.error(row, cell.latency_ms_low > cell.latency_ms_mean ? "latency_ms_low" : "latency_ms_high",
                      "the interval does not hold the mean, " + number_text(cell.latency_ms_mean) + " ms");
    cell.energy_mj = csv.number_or_nan(row, "energy_mj", kEnergy);
    cell.power_w = csv.number_or_nan(row, "power_w", kPower);
    cell.idle_power_w = csv.number_or_nan(row, "idle_power_w", kPower);
    cell.provenance = provenance_of(csv, row, "provenance");
    cell.source = csv.text(row, "source");
    if (cell.source.empty()) throw csv.error(row, "source", "the source is empty; every cell says where it comes from");
    cell.energy_source = csv.text(row, "energy_source");
    if (states_energy(cell) || !csv.text(row, "energy_provenance").empty())
      cell.energy_provenance = provenance_of(csv, row, "energy_provenance");
    cell.energy_mj_low = csv.number_or_nan(row, "energy_mj_low", kEnergy);
    cell.energy_mj_high = csv.number_or_nan(row, "energy_mj_high", kEnergy);
    if (cell.energy_mj_low > cell.energy_mj)
      throw csv.error(row, "energy_mj_low", "the interval begins above energy_mj, " + number_text(cell.energy_mj));
    if (cell.energy_mj_high < cell.energy_mj)
      throw csv.error(row, "energy_mj_high", "the interval ends below energy_mj, " + number_text(cell.energy_mj));
    if (std::isnan(cell.energy_mj) && (std::isfinite(cell.energy_mj_low) || std::isfinite(cell.energy_mj_high)))
      throw csv.error(row, "energy_mj", "an interval is given, but not the energy it belongs to");
    if (states_energy(cell) && cell.energy_source.empty())
      throw csv.error(row, "energy_source", "energy or power is given, but not where it comes from (name the meter)");

    table.cells.push_back(std::move(cell));
    repeats.check(row);
  }
  return table;
}

std::string Table::to_csv() const {
  // The intervals' columns only where somebody states one: most tables do not.
  const bool intervals = std::any_of(cells.begin(), cells.end(), [](const Cell& cell) {
    return std::isfinite(cell.latency_ms_low) || std::isfinite(cell.energy_mj_low);
  });
  std::string out(kHeader);
  out += intervals ? std::string(kIntervalHeader) + '\n' : "\n";
  const auto number = [&](double x) {
    if (std::isfinite(x)) append_number(out, x);
    out += ',';
  };
  const auto count = [&](double x) { number(x > 0 ? x : std::nan("")); };
  for (const Cell& cell : cells) {
    out += csv_cell(cell.subnet) + ',' + csv_cell(cell.unit) + ',';
    count(cell.at.cores);
    for (const double x :
         {cell.at.f_cpu_mhz, cell.at.f_gpu_mhz, cell.at.f_emc_mhz, cell.latency_ms_mean, cell.latency_ms_std})
      number(x);
    count(cell.n);
    for (const double x : {cell.latency_ms_p50, cell.latency_ms_p90, cell.latency_ms_p99, cell.energy_mj, cell.power_w,
                           cell.idle_power_w})
      number(x);
    out += std::string(name_of(cell.provenance)) + ',' + csv_cell(cell.source) + ',';
    if (states_energy(cell))
      out += std::string(name_of(cell.energy_provenance)) + ',' + csv_cell(cell.energy_source);
    else
      out += ',';
    if (intervals) {
      out += ',';
      number(cell.latency_ms_low);
      number(cell.latency_ms_high);
      number(cell.energy_mj_low);
      number(cell.energy_mj_high);
      out.pop_back();
    }
    out += '\n';
  }
  return out;
}

double SoftRoofline::latency_ms(double f_unit, const OperatingPoint& at) const {
  const auto slower = [](double reference, double f) { return reference > 0 && f > 0 ? reference / f : 1.0; };
  double share = 1;
  if (parallel_fraction > 0 && cores > 0 && at.cores > 0 && at.cores != cores) {
    const auto amdahl = [&](int n) { return (1 - parallel_fraction) + parallel_fraction / n; };
    share = amdahl(at.cores) / amdahl(cores);
  }
  const double computing = unit_ms * share * slower(f_unit_mhz, f_unit);
  const double memory = memory_ms * slower(f_emc_mhz, at.f_emc_mhz);
  // The larger term is taken out of the root, so that no power overflows.
  const double longer = std::max(computing, memory), shorter = std::min(computing, memory);
  const double both = longer > 0 ? longer * std::pow(1 + std::pow(shorter / longer, p), 1 / p) : 0;
  return fixed_ms + host_ms * slower(f_cpu_mhz, at.f_cpu_mhz) + both;
}

double tidy(double x) { return std::round(x * 1e6) / 1e6; }

}  // namespace dynasoc
