#include "application/table_merge.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "common/error.hpp"
#include "common/nan.hpp"
#include "common/text.hpp"

namespace dynasoc {
namespace {

struct Member {
  const Cell* cell;
  const std::string* table;
};

bool same_cell(const Cell& a, const Cell& b) {
  const auto stated = [](double x, double y) { return std::isnan(x) == std::isnan(y); };
  return a.subnet == b.subnet && a.unit == b.unit && a.at.cores == b.at.cores && a.at.matches(b.at) &&
         stated(a.at.f_cpu_mhz, b.at.f_cpu_mhz) && stated(a.at.f_gpu_mhz, b.at.f_gpu_mhz) &&
         stated(a.at.f_emc_mhz, b.at.f_emc_mhz);
}

std::string place_of(const Cell& cell) { return cell.subnet + " on " + cell.unit + " (" + cell.at.text() + ")"; }

std::string joined(const std::vector<Member>& members, std::string Cell::*text) {
  std::string out;
  std::set<std::string> seen;
  for (const Member& m : members)
    if (const std::string& part = m.cell->*text; !part.empty() && seen.insert(part).second)
      out += (out.empty() ? "" : "; ") + part;
  return out;
}

// Mean of what the members state, weighted; NaN where none does.
double mean_of(const std::vector<Member>& members, double Cell::*value, bool weighted) {
  double sum = 0, weights = 0;
  for (const Member& m : members) {
    if (!std::isfinite(m.cell->*value)) continue;
    const double weight = weighted ? m.cell->n : 1;
    sum += weight * m.cell->*value;
    weights += weight;
  }
  return weights > 0 ? sum / weights : kNaN;
}

Cell pooled(const std::vector<Member>& members, std::set<std::string>& notes) {
  Cell out = *members.front().cell;
  const bool counted = std::all_of(members.begin(), members.end(), [](const Member& m) { return m.cell->n > 0; });
  if (!counted)
    notes.insert("n is not stated in every table: such means count alike, and n and deviation are left open");
  out.latency_ms_mean = mean_of(members, &Cell::latency_ms_mean, counted);
  out.n = 0;
  out.latency_ms_std = kNaN;
  if (counted) {
    double squares = 0;
    for (const Member& m : members) {
      const double off = m.cell->latency_ms_mean - out.latency_ms_mean;
      const double own = m.cell->n > 1 ? (m.cell->n - 1) * m.cell->latency_ms_std * m.cell->latency_ms_std : 0;
      squares += own + m.cell->n * off * off;
      out.n += m.cell->n;
    }
    out.latency_ms_std = std::sqrt(squares / (out.n - 1));  // NaN where a deviation is not stated
  }
  for (double Cell::*percentile : {&Cell::latency_ms_p50, &Cell::latency_ms_p90, &Cell::latency_ms_p99}) {
    for (const Member& m : members)
      if (std::isfinite(m.cell->*percentile)) notes.insert("percentiles cannot be pooled and were dropped");
    out.*percentile = kNaN;
  }
  out.latency_ms_low = out.latency_ms_high = kNaN;
  for (double Cell::*value : {&Cell::energy_mj, &Cell::power_w, &Cell::idle_power_w})
    out.*value = mean_of(members, value, counted);
  out.energy_provenance = Provenance::measured;
  bool energy = false;
  for (const Member& m : members) {
    out.provenance = std::max(out.provenance, m.cell->provenance);  // in the order measured, digitised, derived
    if (m.cell->energy_source.empty()) continue;
    energy = true;
    out.energy_provenance = std::max(out.energy_provenance, m.cell->energy_provenance);
  }
  if (!energy) out.energy_provenance = Provenance::derived;
  out.source = joined(members, &Cell::source);
  out.energy_source = joined(members, &Cell::energy_source);
  return out;
}

PooledCell compare(const std::vector<Member>& members, const Cell& cell, std::size_t index) {
  PooledCell out;
  out.cell = index;
  for (const Member& m : members) out.tables.push_back(*m.table);
  const auto by_mean = [](const Member& a, const Member& b) {
    return a.cell->latency_ms_mean < b.cell->latency_ms_mean;
  };
  const auto [low, high] = std::minmax_element(members.begin(), members.end(), by_mean);
  const double apart = high->cell->latency_ms_mean - low->cell->latency_ms_mean;
  out.difference = apart / cell.latency_ms_mean;
  const auto squared_error = [](const Cell& c) { return c.n > 0 ? c.latency_ms_std * c.latency_ms_std / c.n : kNaN; };
  const double error = std::sqrt(squared_error(*low->cell) + squared_error(*high->cell));
  if (error > 0) out.standard_errors = apart / error;
  return out;
}

void check_units(const std::vector<NamedTable>& tables) {
  const auto units_of = [](const Table& table) {
    std::set<std::string> units;
    for (const Cell& cell : table.cells) units.insert(cell.unit);
    return units;
  };
  const auto text = [](const std::set<std::string>& units) {
    std::string out;
    for (const std::string& unit : units) out += (out.empty() ? "" : ", ") + unit;
    return out;
  };
  const std::set<std::string> first = units_of(tables.front().table);
  for (const NamedTable& other : tables) {
    const std::set<std::string> units = units_of(other.table);
    if (std::none_of(units.begin(), units.end(), [&](const std::string& unit) { return first.contains(unit); }))
      throw InputError({other.name, 0, 0, "unit"}, "has cells of other units (" + text(units) + ") than " +
                                                       tables.front().name + " (" + text(first) +
                                                       "): there is nothing to merge");
  }
}

}  // namespace

MergedTable merge_tables(const std::vector<NamedTable>& tables, const MergeOptions& options) {
  if (tables.size() < 2) throw InputError("merging takes two tables or more");
  check_units(tables);
  std::vector<std::vector<Member>> groups;
  std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> filed;  // by sub-network and unit
  for (const NamedTable& named : tables)
    for (const Cell& cell : named.table.cells) {
      std::vector<std::size_t>& near = filed[{cell.subnet, cell.unit}];
      const auto it = std::find_if(near.begin(), near.end(),
                                   [&](std::size_t g) { return same_cell(*groups[g].front().cell, cell); });
      if (it != near.end()) {
        groups[*it].push_back({&cell, &named.name});
      } else {
        near.push_back(groups.size());
        groups.push_back({{&cell, &named.name}});
      }
    }
  MergedTable out;
  std::set<std::string> notes;
  for (const std::vector<Member>& members : groups) {
    const auto derived = [](const Member& m) { return m.cell->provenance == Provenance::derived; };
    const auto mixed = std::count_if(members.begin(), members.end(), derived);
    if (!options.allow_mixed && mixed > 0 && static_cast<std::size_t>(mixed) < members.size()) {
      const auto model = std::find_if(members.begin(), members.end(), derived);
      throw InputError({*model->table, 0, 0, "provenance"},
                       place_of(*model->cell) +
                           " is derived here and observed in another table; --allow-mixed pools "
                           "them, as derived");
    }
    out.table.cells.push_back(members.size() == 1 ? *members.front().cell : pooled(members, notes));
    if (members.size() > 1) out.pooled.push_back(compare(members, out.table.cells.back(), out.table.cells.size() - 1));
  }
  out.notes.assign(notes.begin(), notes.end());
  return out;
}

}  // namespace dynasoc
