#include "explore/search/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/text.hpp"

namespace dynasoc::search {
namespace {

struct Fit {
  double slope, intercept;
};

Fit least_squares(const std::vector<double>& x, const std::vector<double>& y, std::size_t without) {
  double n = 0, mx = 0, my = 0, sxx = 0, sxy = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (i != without) n += 1, mx += x[i], my += y[i];
  mx /= n;
  my /= n;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (i != without) sxx += (x[i] - mx) * (x[i] - mx), sxy += (x[i] - mx) * (y[i] - my);
  const double slope = sxy / sxx;
  return {slope, my - slope * mx};
}

}  // namespace

Line fit_line(const std::vector<double>& x, const std::vector<double>& y, const std::string& against,
              const Where& where) {
  const auto [least, most] = std::minmax_element(x.begin(), x.end());
  if (x.size() < 2 || *most - *least <= 1e-9 * std::abs(*most))
    throw where.error("a line needs two sub-networks of different sums; there are not");
  const Fit fit = least_squares(x, y, x.size());
  Line out{against, fit.slope, fit.intercept, 0, 0, 0, x.size()};
  if (fit.slope <= 0) throw where.error("the fitted line falls: latencies do not follow the sums of blocks");
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double error = std::abs(fit.slope * x[i] + fit.intercept - y[i]);
    out.largest_error = std::max(out.largest_error, error);
    out.rmse += error * error;
    const Fit other = least_squares(x, y, i);
    const double left_out = std::abs(other.slope * x[i] + other.intercept - y[i]);
    // Two points left: a line through any two says nothing of a third if they coincide.
    out.leave_one_out = x.size() < 3 || !std::isfinite(left_out) ? std::numeric_limits<double>::infinity()
                                                                 : std::max(out.leave_one_out, left_out);
  }
  out.rmse = std::sqrt(out.rmse / static_cast<double>(x.size()));
  return out;
}

RecordedNetwork recorded_network(const std::filesystem::path& network_json, const Name& table, const std::string& unit,
                                 const Where& where) {
  const Network network = Network::load(network_json);
  RecordedNetwork out;
  out.file = network.file;
  const NetworkFile& file = network.file;
  if (!table.empty()) {
    std::vector<std::string> known;
    for (const auto& [name, reference] : file.tables) known.push_back(name);
    if (std::find(known.begin(), known.end(), table.text) == known.end())
      throw table.error("the network " + file.name + " has no table " + in_quotes(table.text) +
                        hint(table.text, known));
    out.table = table.text;
  } else {
    out.table = file.default_table.empty() ? file.tables.front().first : file.default_table.text;
  }
  for (const auto& [name, reference] : file.tables)
    if (name == out.table) {
      out.platform = reference.platform.text;
      out.inputs = {network_json, network.folder / reference.file.text};
    }
  const Table cells = network.table(out.table);
  std::vector<std::string> units;
  for (const Cell& cell : cells.cells)
    if (std::find(units.begin(), units.end(), cell.unit) == units.end()) units.push_back(cell.unit);
  out.unit = unit.empty() ? units.front() : unit;
  if (unit.empty() && units.size() > 1)
    throw where.error("the table " + out.table + " of " + file.name + " has several units; say which: \"unit\"" +
                      hint("", units));
  if (std::find(units.begin(), units.end(), out.unit) == units.end())
    throw where.error("the table " + out.table + " of " + file.name + " has no unit " + in_quotes(unit) +
                      hint(unit, units));
  for (std::size_t i = 0; i < network.size(); ++i) {
    const std::string name = level_name(i);
    const auto cell = std::find_if(cells.cells.begin(), cells.cells.end(),
                                   [&](const Cell& c) { return c.subnet == name && c.unit == out.unit; });
    if (cell == cells.cells.end())
      throw where.error("the table " + out.table + " of " + file.name + " has no row of " + name + " on " + out.unit);
    if (i == 0) out.at = cell->at;
    const Subnet& subnet = file.subnets[i];
    out.subnets.push_back({name, cell->latency_ms_mean, subnet.accuracy, subnet.memory_mb, subnet.macs_m,
                           cell->provenance, cell->source, subnet.config.value, file.where / "subnets" / i / "config"});
  }
  return out;
}

}  // namespace dynasoc::search
