#include "results/checks/choice.hpp"

#include <algorithm>
#include <cmath>

#include "application/network.hpp"
#include "common/text.hpp"
#include "device/platform.hpp"
#include "scenario/data_paths.hpp"

namespace dynasoc::check {
namespace {

struct Cells {
  struct One {
    double accuracy;
    std::string subnet;
    int mode;
    Cell cell;
  };
  std::vector<One> cells;
  std::vector<std::string> modes;
  std::size_t measured = 0;
};

// The cells that state an energy and belong to a power mode (its cores, its highest clock).
Cells cells_of(const Choice& choice, const Context& context) {
  const DataPaths paths(context.folder);
  const Network network = Network::load(paths.network(choice.network));
  std::vector<std::string> known;
  const TableReference* reference = nullptr;
  for (const auto& [name, one] : network.file.tables) {
    known.push_back(name);
    if (name == choice.table.text) reference = &one;
  }
  if (reference == nullptr)
    throw choice.table.error("network " + network.file.name + " has no table " + in_quotes(choice.table.text) +
                             hint(choice.table.text, known));
  const Platform platform = Platform::load(paths.platform(reference->platform));
  const int u = platform.unit_index(choice.unit);
  if (u < 0)
    throw(choice.where / "unit")
        .error("platform " + platform.file.name + " has no unit " + in_quotes(choice.unit) +
               hint(choice.unit, platform.unit_names()));
  const std::string& domain = platform.file.domains[static_cast<std::size_t>(platform.links[u].domains[0])].first;
  Cells out;
  out.modes = platform.mode_names();
  for (const Cell& cell : network.table(choice.table.text).cells) {
    if (cell.unit != choice.unit || !std::isfinite(cell.energy_mj) || !std::isfinite(cell.idle_power_w)) continue;
    for (std::size_t m = 0; m < out.modes.size(); ++m) {
      const ModeFile& mode = *platform.mode(out.modes[m]);
      for (const auto& [capped, mhz] : mode.max_mhz)
        if (capped == domain && std::abs(mhz / cell.at.f_cpu_mhz - 1) < 1e-3 && mode.cores_online == cell.at.cores)
          out.cells.push_back(
              {network.file.subnets[static_cast<std::size_t>(network.subnet_index(cell.subnet))].accuracy, cell.subnet,
               static_cast<int>(m), cell});
    }
  }
  for (const auto& one : out.cells)
    out.measured += one.cell.provenance == Provenance::measured && one.cell.energy_provenance == Provenance::measured;
  if (out.cells.empty())
    throw choice.table.error("no cell of unit " + in_quotes(choice.unit) +
                             " states energy and idle power in a power mode");
  return out;
}

}  // namespace

double energy_of_period(double energy_mj, double latency_ms, double idle_power_w, double period_ms) {
  return energy_mj + idle_power_w * (period_ms - latency_ms);
}

void Choice::validate(const Context& context) const { cells_of(*this, context); }

std::vector<Finding> Choice::evaluate(const Context& context) const {
  const Cells all = cells_of(*this, context);
  std::vector<double> floors;
  double fastest = std::numeric_limits<double>::infinity(), slowest = 0;
  for (const auto& one : all.cells) {
    floors.push_back(one.accuracy);
    fastest = std::min(fastest, one.cell.latency_ms_mean);
    slowest = std::max(slowest, one.cell.latency_ms_mean);
  }
  std::sort(floors.begin(), floors.end());
  floors.erase(std::unique(floors.begin(), floors.end()), floors.end());

  std::vector<Finding> out;
  for (std::size_t m = 0; m < all.modes.size(); ++m) {
    Finding one;
    one.quantity = "saved against staying in " + all.modes[m];
    one.unit = "%";
    one.digits = 1;
    Distribution of;
    std::size_t impossible = 0, cases = 0;
    for (const double floor : floors)
      for (int t = 0; t < targets; ++t) {
        const double target =
            fastest * std::pow(slowest / fastest, static_cast<double>(t) / (targets - 1)) * (1 + 1e-12);
        double best = std::numeric_limits<double>::infinity(), stay = best;
        for (const auto& cell : all.cells) {
          if (cell.accuracy < floor || cell.cell.latency_ms_mean > target) continue;
          const double energy =
              energy_of_period(cell.cell.energy_mj, cell.cell.latency_ms_mean, cell.cell.idle_power_w, target);
          best = std::min(best, energy);
          if (cell.mode == static_cast<int>(m)) stay = std::min(stay, energy);
        }
        if (!std::isfinite(best)) continue;
        ++cases;
        if (std::isfinite(stay))
          of.values.push_back(100 * (1 - best / stay));
        else
          ++impossible;
      }
    std::sort(of.values.begin(), of.values.end());
    if (of.values.empty()) continue;  // no cell in that mode
    one.ours = of.quantile(0.5);
    one.reason = "median over accuracies and targets; " + std::to_string(impossible) + " of " + std::to_string(cases) +
                 " cases this mode cannot meet; latency and energy of " + std::to_string(all.measured) + " of " +
                 std::to_string(all.cells.size()) + " cells are measured";
    one.of = std::move(of);
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace dynasoc::check
