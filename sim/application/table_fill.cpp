#include "application/table_fill.hpp"

#include <cmath>
#include <limits>

#include "application/latency_model.hpp"
#include "application/scaling_fit.hpp"
#include "common/nan.hpp"
#include "device/platform.hpp"

namespace dynasoc {
namespace {

// Digits beyond a nanosecond or a microwatt are noise of the arithmetic.
// 95 % of boards, log-normal about the cell's power: the unit's power above idle and the board's static power are as
// uncertain as the platform says. Power scaled from a measured cell (`measured_mhz`, NaN for none) shares that cell's
// level, so that only the tilt between the two clocks is left.
void add_energy_interval(Cell& cell, const Platform& platform, std::size_t unit, double mhz, double measured_mhz) {
  const auto& stated = platform.file.units[unit].second.power_uncertainty;
  if (!stated && !(platform.file.static_power_std_w > 0)) return;
  double log_sd = 0;
  if (stated)
    log_sd = std::isnan(measured_mhz) ? stated->log_sd(mhz) : stated->tilt * std::abs(std::log(mhz / measured_mhz));
  const double above_sd_w = (cell.power_w - cell.idle_power_w) * std::sqrt(std::expm1(log_sd * log_sd));
  const double share = std::hypot(above_sd_w, platform.file.static_power_std_w) / cell.power_w;
  const double sd = std::sqrt(std::log1p(share * share));
  cell.energy_mj_low = tidy(cell.energy_mj * std::exp(-sd * sd / 2 - 1.96 * sd));
  cell.energy_mj_high = tidy(cell.energy_mj * std::exp(-sd * sd / 2 + 1.96 * sd));
}
}  // namespace

Table fill_table(const Table& table, const Network& network, const Platform& platform) {
  Table out = table;
  const double static_w = platform.file.static_power_w;
  for (const TableGroup& group : groups_of(table)) {
    const int unit_index = platform.unit_index(group.unit);
    if (unit_index < 0)
      throw InputError("the platform " + platform.file.name + " has no unit \"" + group.unit + "\"" +
                       hint(group.unit, platform.unit_names()));
    const auto unit = static_cast<std::size_t>(unit_index);
    const UnitClock clock = unit_clock(platform, unit);
    const SoftRoofline* scaling = nullptr;
    for (const auto& [name, declared] : network.file.scaling)
      if (name == group.unit) scaling = &declared;
    const LatencyModel model(table, scaling, group.unit, group.subnet, clock,
                             platform.file.units[unit].second.parallel_fraction);
    const OperatingPoint& reference = table.cells[static_cast<std::size_t>(group.cells.front())].at;
    if (std::isnan(own_clock_mhz(clock, reference)))
      throw InputError(group.name() + ": its cells state no clock of the unit, so there is nothing to fill from");
    const auto curve = [&](double mhz) { return platform.busy_w(unit, mhz) - platform.idle_w(unit, mhz); };

    // The whole board idle: each unit at the clock the cell states for its kind, else at its highest.
    const auto idle_w = [&](const OperatingPoint& at) {
      double sum = static_w;
      for (std::size_t u = 0; u < platform.links.size(); ++u) {
        const auto& domain = platform.file.domains[static_cast<std::size_t>(platform.links[u].domains.front())].second;
        double mhz = own_clock_mhz(unit_clock(platform, u), at);
        if (std::isnan(mhz) || (domain.kind != DomainKind::cpu && domain.kind != DomainKind::gpu && u != unit))
          mhz = domain.opps_mhz.back();
        sum += platform.idle_w(u, mhz);
      }
      return sum;
    };
    std::string rows;
    for (const int i : model.cells())
      if (table.cells[static_cast<std::size_t>(i)].provenance != Provenance::derived || model.cells().size() == 1)
        rows += (rows.empty() ? "" : "; ") + table.cells[static_cast<std::size_t>(i)].at.text();
    const auto add_energy = [&](Cell& cell) {
      const double mhz = own_clock_mhz(clock, cell.at);
      const double scaled = model.has_power() ? model.above_idle_w(mhz, cell.at, curve) : kNaN;
      cell.idle_power_w = idle_w(cell.at);
      cell.power_w = cell.idle_power_w + (std::isfinite(scaled) ? scaled : curve(mhz));
      cell.energy_mj = cell.power_w * cell.latency_ms_mean;
      for (double* value : {&cell.idle_power_w, &cell.power_w, &cell.energy_mj}) *value = tidy(*value);
      add_energy_interval(cell, platform, unit, mhz, std::isfinite(scaled) ? own_clock_mhz(clock, reference) : kNaN);
      cell.energy_provenance = Provenance::derived;
      cell.energy_source =
          std::isfinite(scaled)
              ? "power above idle of the group's cells, scaled by busy - idle of " + group.unit + " on " +
                    platform.file.name + "; idle power of the platform file; times the latency"
              : "power points of " + platform.file.name + ": static + idle of all units + (busy - idle) of " +
                    group.unit + ", the other units idle; times the latency";
    };

    const auto& domain = platform.file.domains[static_cast<std::size_t>(platform.links[unit].domains.front())].second;
    for (const double mhz : domain.opps_mhz) {
      OperatingPoint at = reference;
      (clock == UnitClock::cpu ? at.f_cpu_mhz : at.f_gpu_mhz) = mhz;
      const Prediction predicted = model.predict(mhz, at);
      if (predicted.cell >= 0) continue;
      Cell cell;
      cell.subnet = group.subnet;
      cell.unit = group.unit;
      cell.at = at;
      cell.latency_ms_mean = tidy(predicted.latency_ms);
      cell.latency_ms_std = tidy(predicted.std_ms);
      // Rounded outwards, so that the interval holds the rounded mean.
      cell.latency_ms_low = std::min(tidy(predicted.low_ms), cell.latency_ms_mean);
      cell.latency_ms_high = std::max(tidy(predicted.high_ms), cell.latency_ms_mean);
      cell.provenance = Provenance::derived;
      cell.source = "from " + group.name() + " at " + rows + " by " + model.shape_source() +
                    (predicted.outside_range ? "; outside the range of those cells" : "");
      add_energy(cell);
      out.cells.push_back(std::move(cell));
    }
    for (const int i : group.cells) {
      Cell& cell = out.cells[static_cast<std::size_t>(i)];
      if (std::isnan(cell.energy_mj) && std::isnan(cell.power_w) && std::isnan(cell.idle_power_w) &&
          std::isfinite(own_clock_mhz(clock, cell.at)))
        add_energy(cell);
    }
  }
  return out;
}

}  // namespace dynasoc
