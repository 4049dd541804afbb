// Rules on tables of cells: one file at a time, then between files.
#include <array>
#include <functional>
#include <map>
#include <set>
#include <tuple>

#include "application/scaling_fit.hpp"
#include "application/table_lint_rules.hpp"
#include "common/text.hpp"

namespace dynasoc::lint {
namespace {

constexpr double kSame = 0.01;            // relative: below this two latencies or energies are called equal
constexpr double kManyTimes = 3;          // standard errors
constexpr double kClearly = 0.10;         // relative: a rise that no noise explains
constexpr double kPowerTolerance = 0.02;  // relative
constexpr double kEnergyTolerance = 0.05;
constexpr double kConflict = 0.02;  // relative, between two tables

using Index = std::vector<std::size_t>;

class CellRules {
 public:
  CellRules(const Linted& file, Findings& out) : file_(file), cells_(file.table.cells), out_(out) {}

  void all() {
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      groups_[{cells_[i].subnet, cells_[i].unit}].push_back(i);
      units_[cells_[i].unit].push_back(i);
    }
    units_of_measure();
    energy();
    single_cells();
    clocks();
    counts();
    for (const auto& [unit, cells] : units_) {
      mixed(unit, cells);
      order(unit, cells);
    }
    dominated();
  }

 private:
  const Cell& cell(std::size_t i) const { return cells_[i]; }
  bool observed(std::size_t i) const { return cells_[i].provenance != Provenance::derived; }
  Index lines(const Index& cells) const {
    Index out;
    for (const std::size_t i : cells) out.push_back(file_.lines[i]);
    return out;
  }
  void add(std::string_view rule, const Index& cells, const std::string& message) {
    out_.add(rule, file_.file, lines(cells), message);
  }

  // Ratio near 1000 or 1/1000.
  static bool thousandfold(double ratio) {
    const double r = std::abs(std::log10(ratio));
    return r > std::log10(300.0) && r < std::log10(3000.0);
  }

  void units_of_measure() {
    Index odd;
    std::string example;
    for (const auto& [unit, cells] : units_) {
      if (cells.size() < 3) continue;  // with two, nobody can say which is the odd one
      std::vector<double> values;
      for (const std::size_t i : cells) values.push_back(cell(i).latency_ms_mean);
      const double middle = median(values);
      for (const std::size_t i : cells)
        if (thousandfold(cell(i).latency_ms_mean / middle)) {
          if (odd.empty())
            example = number_text(cell(i).latency_ms_mean) + " ms where the median of " + unit + " is " +
                      rounded_text(middle) + " ms";
          odd.push_back(i);
        }
    }
    add("latency-unit", odd, "latency in seconds or microseconds? " + example);
  }

  void energy() {
    Index unit, mismatch, idle;
    double worst = 0;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      const Cell& c = cell(i);
      if (c.power_w <= c.idle_power_w) idle.push_back(i);
      const double expected = c.power_w * c.latency_ms_mean;
      if (!(expected > 0) || !(c.energy_mj > 0)) continue;
      const double off = std::abs(c.energy_mj / expected - 1);
      if (thousandfold(c.energy_mj / expected)) {
        unit.push_back(i);
      } else if (off > kEnergyTolerance) {
        worst = std::max(worst, off);
        mismatch.push_back(i);
      }
    }
    add("energy-unit", unit, "energy is about a thousand times, or a thousandth of, power times latency");
    add("energy-mismatch", mismatch, "energy is not power times latency; off by up to " + percent(worst));
    add("energy-below-idle", idle, "power is not above idle power");
  }

  void single_cells() {
    Index above, wide, percentiles;
    double widest = 0;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      const Cell& c = cell(i);
      if (c.latency_ms_p50 > c.latency_ms_p90 || c.latency_ms_p90 > c.latency_ms_p99 ||
          c.latency_ms_p50 > c.latency_ms_p99)
        percentiles.push_back(i);
      if (!observed(i)) continue;
      const double variation = c.latency_ms_std / c.latency_ms_mean;
      if (variation > 1) above.push_back(i);
      if (variation > kWide && variation <= 1) wide.push_back(i), widest = std::max(widest, variation);
    }
    add("percentile-order", percentiles, "percentiles do not ascend");
    add("std-above-mean", above, "the standard deviation is larger than the mean");
    add("spread", wide, "coefficient of variation up to " + percent(widest));
  }

  // Cells of a group that differ in nothing but the clock `own`, by ascending clock.
  std::vector<Index> sweeps(const Index& group, double OperatingPoint::*own) const {
    std::map<std::tuple<double, double, double, int>, Index> by_rest;
    const auto key = [&](double OperatingPoint::*f, const OperatingPoint& at) {
      return f == own || std::isnan(at.*f) ? -1 : at.*f;
    };
    for (const std::size_t i : group) {
      const OperatingPoint& at = cell(i).at;
      if (!std::isfinite(at.*own)) continue;
      by_rest[{key(&OperatingPoint::f_cpu_mhz, at), key(&OperatingPoint::f_gpu_mhz, at),
               key(&OperatingPoint::f_emc_mhz, at), at.cores}]
          .push_back(i);
    }
    std::vector<Index> out;
    for (auto& [rest, cells] : by_rest) {
      std::sort(cells.begin(), cells.end(),
                [&](std::size_t a, std::size_t b) { return cell(a).at.*own < cell(b).at.*own; });
      if (cells.size() >= 2) out.push_back(std::move(cells));
    }
    return out;
  }

  double standard_error(std::size_t i) const {
    const Cell& c = cell(i);
    return c.n > 0 && std::isfinite(c.latency_ms_std) ? c.latency_ms_std / std::sqrt(c.n) : 0;
  }

  void clocks() {
    Index rises, falls;
    double steepest = 0, deepest = 0;
    for (const auto& [name, group] : groups_) {
      const auto own =
          unit_clock(name.second) == UnitClock::cpu ? &OperatingPoint::f_cpu_mhz : &OperatingPoint::f_gpu_mhz;
      for (const auto clock : {&OperatingPoint::f_cpu_mhz, &OperatingPoint::f_gpu_mhz, &OperatingPoint::f_emc_mhz})
        for (const Index& sweep : sweeps(group, clock)) {
          std::size_t fastest = sweep.front(), most = sweep.front();
          for (const std::size_t i : sweep) {
            const double rise = cell(i).latency_ms_mean / cell(fastest).latency_ms_mean - 1;
            const double noise = kManyTimes * std::hypot(standard_error(i), standard_error(fastest));
            if (rise > kSame && cell(i).latency_ms_mean - cell(fastest).latency_ms_mean > noise) {
              rises.push_back(i);
              steepest = std::max(steepest, rise);
            } else if (rise < 0) {
              fastest = i;
            }
            if (clock != own) continue;
            if (cell(i).power_w < (1 - kPowerTolerance) * cell(most).power_w) {
              falls.push_back(i);
              deepest = std::max(deepest, 1 - cell(i).power_w / cell(most).power_w);
            } else if (!(cell(i).power_w < cell(most).power_w)) {
              most = i;
            }
          }
        }
    }
    out_.add("latency-rises-with-clock", steepest > kClearly ? Severity::error : Severity::warning, file_.file,
             lines(rises), "slower than at a lower clock, by up to " + percent(steepest));
    add("power-falls-with-clock", falls, "less power than at a lower clock, by up to " + percent(deepest));
  }

  void counts() {
    Index few, unstated, stated;
    double least = std::numeric_limits<double>::infinity(), most = 0;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      if (!observed(i)) continue;
      if (cell(i).n == 0) {
        if (std::isnan(cell(i).latency_ms_std)) unstated.push_back(i);
        continue;
      }
      stated.push_back(i);
      least = std::min(least, cell(i).n);
      most = std::max(most, cell(i).n);
      if (cell(i).n < kEnoughRuns) few.push_back(i);
    }
    add("few-runs", few, "n is as low as " + number_text(least));
    if (most > 2 * least) add("count-differs", stated, "n from " + number_text(least) + " to " + number_text(most));
    add("runs-not-stated", unstated, "neither n nor a deviation is stated");
  }

  // What a source is, single rows aside: repository and file of published figures, else the whole text.
  static std::string origin(const std::string& source) {
    const std::size_t word = source.find(' ');
    if (source.substr(0, word).find('/') == std::string::npos) return source;
    return source.substr(0, std::min(source.find(':'), source.find(' ', word + 1)));
  }

  void mixed(const std::string& unit, const Index& cells) {
    std::map<std::string, Index> origins, meters;
    std::set<std::string> subnets;
    std::array<Index, 4> with, without;
    std::map<std::string, std::vector<OperatingPoint>> points;
    for (const std::size_t i : cells) {
      const Cell& c = cell(i);
      subnets.insert(c.subnet);
      points[c.subnet].push_back(c.at);
      if (observed(i)) origins[std::string(name_of(c.provenance)) + ", " + origin(c.source)].push_back(i);
      if (std::isfinite(c.power_w) && c.energy_provenance != Provenance::derived)
        meters[origin(c.energy_source)].push_back(i);
      const std::array<double, 4> clocks{c.at.f_cpu_mhz, c.at.f_gpu_mhz, c.at.f_emc_mhz,
                                         c.at.cores > 0 ? c.at.cores : std::nan("")};
      for (std::size_t k = 0; k < 4; ++k) (std::isfinite(clocks[k]) ? with : without)[k].push_back(i);
    }
    const auto report = [&](const char* rule, const std::map<std::string, Index>& kinds, const char* what) {
      if (kinds.size() < 2) return;
      // The rows of all but the most frequent kind.
      std::size_t most = 0;
      for (const auto& [kind, rows] : kinds) most = std::max(most, rows.size());
      Index rows;
      bool skipped = false;
      for (const auto& [kind, of_kind] : kinds)
        if (skipped || of_kind.size() < most)
          rows.insert(rows.end(), of_kind.begin(), of_kind.end());
        else
          skipped = true;
      add(rule, rows, std::to_string(kinds.size()) + " " + what + " on " + unit);
    };
    report("mixed-sources", origins, "sources of latency");
    report("mixed-meters", meters, "meters");
    constexpr std::array<const char*, 4> kNames = {"f_cpu_mhz", "f_gpu_mhz", "f_emc_mhz", "cores"};
    for (std::size_t k = 0; k < 4; ++k)
      if (!with[k].empty() && !without[k].empty())
        add("mixed-clocks", with[k].size() < without[k].size() ? with[k] : without[k],
            std::string(kNames[k]) + " is stated for some cells of " + unit + " and not for others");
    if (subnets.size() < 2) return;
    const auto& first = points.begin()->second;
    const bool shared = std::any_of(first.begin(), first.end(), [&](const OperatingPoint& at) {
      return std::all_of(points.begin(), points.end(), [&](const auto& subnet) {
        return std::any_of(subnet.second.begin(), subnet.second.end(),
                           [&](const OperatingPoint& other) { return other.matches(at); });
      });
    });
    if (!shared) add("mixed-clocks", cells, "no operating point is common to the sub-networks on " + unit);
  }

  static int level(const std::string& subnet) {
    if (subnet.size() < 2 || subnet.size() > 6 || subnet[0] != 'L') return 0;
    if (!std::all_of(subnet.begin() + 1, subnet.end(), [](char c) { return c >= '0' && c <= '9'; })) return 0;
    return std::stoi(subnet.substr(1));
  }

  void order(const std::string& unit, const Index& cells) {
    std::map<int, Index> levels;
    for (const std::size_t i : cells)
      if (const int l = level(cell(i).subnet); l > 0 && observed(i)) levels[l].push_back(i);
    Index faster;
    for (auto it = levels.begin(); it != levels.end() && std::next(it) != levels.end(); ++it)
      for (const std::size_t small : it->second)
        for (const std::size_t large : std::next(it)->second)
          if (cell(small).at.matches(cell(large).at) &&
              cell(large).latency_ms_mean < (1 - kSame) * cell(small).latency_ms_mean)
            faster.push_back(large);
    add("subnet-order", faster, "faster than the smaller sub-network before it, on " + unit);
  }

  void dominated() {
    Index rows;
    for (const auto& [name, group] : groups_)
      for (const std::size_t i : group) {
        const auto counts = [&](std::size_t k) {
          return std::isfinite(cell(k).energy_mj) && cell(k).energy_provenance != Provenance::derived && observed(k);
        };
        if (counts(i) && std::any_of(group.begin(), group.end(), [&](std::size_t k) {
              return counts(k) && cell(k).latency_ms_mean < (1 - kSame) * cell(i).latency_ms_mean &&
                     cell(k).energy_mj < (1 - kSame) * cell(i).energy_mj;
            }))
          rows.push_back(i);
      }
    add("dominated-point", rows, "another operating point of the same sub-network is faster and cheaper");
  }

  const Linted& file_;
  const std::vector<Cell>& cells_;
  Findings& out_;
  std::map<std::pair<std::string, std::string>, Index> groups_;  // by sub-network and unit
  std::map<std::string, Index> units_;
};

// ---------------------------------------------------------------------------------------------------------------------

int significant_digits(double x) {
  int digits = 0;
  for (const char c : number_text(x)) {
    if (c == 'e') break;
    if (c >= '0' && c <= '9' && (digits > 0 || c != '0')) ++digits;
  }
  return digits;
}

// Whether `b` is `a` with cells added: its observed cells are those of `a`.
bool same_observations(const Linted& a, const Linted& b) {
  std::set<std::tuple<std::string, std::string, double, std::string>> of_a, of_b;
  for (const auto& [file, into] : {std::pair{&a, &of_a}, std::pair{&b, &of_b}})
    for (const Cell& c : file->table.cells)
      if (c.provenance != Provenance::derived) into->insert({c.subnet, c.unit, c.latency_ms_mean, c.source});
  return !of_a.empty() && of_a == of_b;
}

// Latencies with this many digits do not agree by chance, and a few of them in two tables even less.
constexpr int kManyDigits = 5;
constexpr std::size_t kManyRows = 3;

void copies(const Linted& file, const std::vector<Linted>& files, Findings& out) {
  std::map<double, std::vector<std::size_t>> own;
  for (std::size_t i = 0; i < file.table.cells.size(); ++i)
    if (significant_digits(file.table.cells[i].latency_ms_mean) >= kManyDigits)
      own[file.table.cells[i].latency_ms_mean].push_back(i);
  for (const Linted& other : files) {
    if (&other == &file || other.table.cells.empty() || same_observations(file, other)) continue;
    std::vector<std::size_t> rows;
    bool derived = true;
    for (const Cell& c : other.table.cells) {
      const auto it = own.find(c.latency_ms_mean);
      if (it == own.end()) continue;
      for (const std::size_t i : it->second) {
        const Cell& mine = file.table.cells[i];
        if (mine.source == c.source) continue;  // the same row of the same publication
        const auto agree = [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); };
        if (!agree(mine.latency_ms_std, c.latency_ms_std)) continue;
        rows.push_back(file.lines[i]);
        derived = derived && mine.provenance == Provenance::derived;
      }
    }
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    if (rows.size() >= kManyRows)
      out.add("copied-rows", derived ? Severity::warning : Severity::error, file.file, rows,
              count_of(rows.size(), "row equals", "rows equal") + " rows of " + other.file +
                  " to the last digit, under another source");
  }
}

// The name of the same sub-network (by architecture) of another network; empty if there is none.
std::string counterpart(const Linted& a, const std::string& subnet, const Linted& b) {
  if (!a.network && !b.network) return a.path.parent_path() == b.path.parent_path() ? subnet : "";
  if (!a.network || !b.network) return "";
  if (a.network->file.name == b.network->file.name) return subnet;
  const int index = a.network->subnet_index(subnet);
  if (index < 0) return "";
  const Json& config = a.network->file.subnets[static_cast<std::size_t>(index)].config.value;
  if (!config.is_object() || config.empty()) return "";
  for (std::size_t i = 0; i < b.network->size(); ++i)
    if (b.network->file.subnets[i].config.value == config) return level_name(i);
  return "";
}

// The tables of other sources, or other networks, in which the same sub-network has another latency.
void conflicts(const Linted& a, const std::vector<const Linted*>& others, Findings& out) {
  std::vector<std::size_t> rows;
  std::string found;
  std::size_t tables = 0;
  for (const Linted* b : others) {
    if (b == &a || (b->platform != a.platform && !a.platform.empty() && !b->platform.empty())) continue;
    double low = std::numeric_limits<double>::infinity(), high = 0;
    for (std::size_t i = 0; i < a.table.cells.size(); ++i) {
      const Cell& x = a.table.cells[i];
      if (x.provenance == Provenance::derived) continue;
      const std::string subnet = counterpart(a, x.subnet, *b);
      for (const Cell& y : b->table.cells) {
        if (y.subnet != subnet || y.unit != x.unit || y.provenance == Provenance::derived || !x.at.matches(y.at))
          continue;
        const double ratio = y.latency_ms_mean / x.latency_ms_mean;
        if (std::abs(ratio - 1) <= kConflict) continue;
        rows.push_back(a.lines[i]);
        low = std::min(low, ratio);
        high = std::max(high, ratio);
      }
    }
    if (high == 0) continue;
    ++tables;
    found += (found.empty() ? "" : "; ") + b->file + " " + rounded_text(low, 3) + " to " + rounded_text(high, 3);
  }
  out.add("conflicting-latency", a.file, rows,
          count_of(tables, "other table has", "other tables have") +
              " the same sub-networks at the same clocks with another latency, by the factors: " + found);
}

}  // namespace

void lint_cells(const std::vector<Linted>& files, Findings& out) {
  for (const Linted& file : files)
    if (!file.table.cells.empty()) CellRules(file, out).all();
  // A filled table repeats the observations of the table it was filled from: each set of observations speaks once.
  std::vector<const Linted*> speakers;
  for (const Linted& file : files) {
    if (file.table.cells.empty()) continue;
    const auto same = [&](const Linted* other) {
      return file.path.parent_path() == other->path.parent_path() && same_observations(file, *other);
    };
    if (std::none_of(speakers.begin(), speakers.end(), same)) speakers.push_back(&file);
  }
  for (const Linted& file : files)
    if (!file.table.cells.empty()) copies(file, files, out);
  for (const Linted* speaker : speakers) conflicts(*speaker, speakers, out);
}

}  // namespace dynasoc::lint
