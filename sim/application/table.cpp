#include "application/table.hpp"

#include <algorithm>
#include <map>

#include "common/text.hpp"

namespace dynasoc {
namespace {

const std::vector<std::string> kNeeded = {"subnet", "unit", "latency_ms_mean", "provenance", "source"};
const std::vector<std::string> kOptional = {
    "cores",   "f_cpu_mhz",      "f_gpu_mhz",         "f_emc_mhz",      "latency_ms_std",
    "n",       "latency_ms_p50", "latency_ms_p90",    "latency_ms_p99", "energy_mj",
    "power_w", "idle_power_w",   "energy_provenance", "energy_source"};
constexpr std::string_view kHeader =
    "subnet,unit,cores,f_cpu_mhz,f_gpu_mhz,f_emc_mhz,latency_ms_mean,latency_ms_std,n,latency_ms_p50,latency_ms_p90,"
    "latency_ms_p99,energy_mj,power_w,idle_power_w,provenance,source,energy_provenance,energy_source\n";

Provenance provenance_of(const Csv& csv, std::size_t row, const char* column) {
  const std::string_view text = csv.text(row, column);
  std::vector<std::string> known;
  for (const auto& [name, value] : EnumNames<Provenance>::names) {
    if (name == text) return value;
    known.emplace_back(name);
  }
  throw csv.error(row, column, "\"" + std::string(text) + "\" is not a provenance" + hint(text, known));
}

bool same_clock(double a, double b) { return std::abs(a - b) <= 1e-3 * std::max(std::abs(a), std::abs(b)); }
bool same_or_unstated(double a, double b) { return std::isnan(a) || std::isnan(b) || same_clock(a, b); }
bool same_statement(double a, double b) { return std::isnan(a) == std::isnan(b) && same_or_unstated(a, b); }

bool states_energy(const Cell& cell) {
  return std::isfinite(cell.energy_mj) || std::isfinite(cell.power_w) || std::isfinite(cell.idle_power_w);
}

}  // namespace

std::string_view name_of(Provenance provenance) {
  for (const auto& [name, value] : EnumNames<Provenance>::names)
    if (value == provenance) return name;
  throw InternalError("a provenance without a name");
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

Table Table::load(const std::filesystem::path& path) { return from_csv(Csv::load(path)); }

Table Table::from_csv(const Csv& csv) {
  csv.expect(kNeeded, kOptional);
  if (csv.size() == 0) throw InputError({csv.name(), 1, 0, ""}, "the table has no cells");
  Table table;
  table.cells.reserve(csv.size());
  std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> seen;  // by sub-network and unit
  for (std::size_t row = 0; row < csv.size(); ++row) {
    Cell cell;
    cell.subnet = csv.text(row, "subnet");
    cell.unit = csv.text(row, "unit");
    if (cell.subnet.empty()) throw csv.error(row, "subnet", "the sub-network is not named");
    if (cell.unit.empty()) throw csv.error(row, "unit", "the processing unit is not named");
    if (!csv.text(row, "cores").empty()) {
      const double cores = csv.number(row, "cores", range(0, 1024));
      if (cores != std::floor(cores))
        throw csv.error(row, "cores", "must be a whole number, not " + number_text(cores));
      cell.at.cores = static_cast<int>(cores);
    }
    cell.at.f_cpu_mhz = csv.number_or_nan(row, "f_cpu_mhz", positive());
    cell.at.f_gpu_mhz = csv.number_or_nan(row, "f_gpu_mhz", positive());
    cell.at.f_emc_mhz = csv.number_or_nan(row, "f_emc_mhz", positive());
    cell.latency_ms_mean = csv.number(row, "latency_ms_mean", positive());
    cell.latency_ms_std = csv.number_or_nan(row, "latency_ms_std", non_negative());
    if (!csv.text(row, "n").empty()) cell.n = csv.number(row, "n", non_negative());
    cell.latency_ms_p50 = csv.number_or_nan(row, "latency_ms_p50", positive());
    cell.latency_ms_p90 = csv.number_or_nan(row, "latency_ms_p90", positive());
    cell.latency_ms_p99 = csv.number_or_nan(row, "latency_ms_p99", positive());
    cell.energy_mj = csv.number_or_nan(row, "energy_mj", non_negative());
    cell.power_w = csv.number_or_nan(row, "power_w", non_negative());
    cell.idle_power_w = csv.number_or_nan(row, "idle_power_w", non_negative());
    cell.provenance = provenance_of(csv, row, "provenance");
    cell.source = csv.text(row, "source");
    if (cell.source.empty()) throw csv.error(row, "source", "the source is empty; every cell says where it comes from");
    cell.energy_source = csv.text(row, "energy_source");
    if (states_energy(cell) || !csv.text(row, "energy_provenance").empty())
      cell.energy_provenance = provenance_of(csv, row, "energy_provenance");
    if (states_energy(cell) && cell.energy_source.empty())
      throw csv.error(row, "energy_source", "energy or power is given, but not where it comes from (name the meter)");

    auto& earlier = seen[{cell.subnet, cell.unit}];
    for (const std::size_t other : earlier) {
      const OperatingPoint& at = table.cells[other].at;
      if (at.cores == cell.at.cores && same_statement(at.f_cpu_mhz, cell.at.f_cpu_mhz) &&
          same_statement(at.f_gpu_mhz, cell.at.f_gpu_mhz) && same_statement(at.f_emc_mhz, cell.at.f_emc_mhz))
        throw csv.error(row, "subnet",
                        cell.subnet + " on " + cell.unit + " (" + cell.at.text() + ") is given twice, first in line " +
                            std::to_string(csv.location(other, "subnet").line));
    }
    earlier.push_back(row);
    table.cells.push_back(std::move(cell));
  }
  return table;
}

std::string Table::to_csv() const {
  std::string out(kHeader);
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

}  // namespace dynasoc
