#include "device/activity_fit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "common/nan.hpp"
#include "common/text.hpp"
#include "device/power_fit.hpp"

namespace dynasoc {
namespace {

double log_volt2(double v_ghz, double ghz) { return 2 * std::log(v_ghz + ghz); }

double find(const std::vector<std::pair<std::string, double>>& values, const std::string& workload) {
  for (const auto& [name, value] : values)
    if (name == workload) return value;
  return kNaN;
}

// What a voltage is fitted to: y over the clock, each workload with a factor of its own.
class Points {
 public:
  template <class F>
  Points(const std::vector<ActivityCell>& cells, F y) {
    for (const ActivityCell& cell : cells) points_.push_back({cell.workload, cell.ghz, y(cell)});
  }

  VoltageFit fit() const {
    VoltageFit out;
    out.v_ghz = best_v();
    out.log_factor = means([&](const Point& p) { return p.y - log_volt2(out.v_ghz, p.ghz); });
    const auto freedom = static_cast<double>(points_.size() - out.log_factor.size() - 1);
    out.rms_log = std::sqrt(squares(out.v_ghz) / freedom);
    // Gauss-Newton: the slope of ln V² over v, less its mean within the workload, which the factor takes up.
    const auto slope = [&](const Point& p) { return 2 / (out.v_ghz + p.ghz); };
    const auto mean_slope = means(slope);
    double information = 0;
    for (const Point& p : points_) information += std::pow(slope(p) - find(mean_slope, p.workload), 2);
    out.v_standard_error = out.rms_log / std::sqrt(information);
    return out;
  }

 private:
  struct Point {
    std::string workload;
    double ghz;
    double y;
  };

  template <class F>
  std::vector<std::pair<std::string, double>> means(F value) const {
    std::map<std::string, std::pair<double, int>> sums;
    for (const Point& p : points_) {
      sums[p.workload].first += value(p);
      ++sums[p.workload].second;
    }
    std::vector<std::pair<std::string, double>> out;
    out.reserve(sums.size());
    for (const auto& [workload, sum] : sums) out.emplace_back(workload, sum.first / sum.second);
    return out;
  }

  // Squares left over when each workload has its best factor at this v.
  double squares(double v_ghz) const {
    const auto rest = [&](const Point& p) { return p.y - log_volt2(v_ghz, p.ghz); };
    const auto factors = means(rest);
    double sum = 0;
    for (const Point& p : points_) sum += std::pow(rest(p) - find(factors, p.workload), 2);
    return sum;
  }

  // A coarse walk over orders of magnitude, then the golden section. v = 0 is a voltage proportional to the clock,
  // v = 100 GHz one that no clock moves.
  double best_v() const {
    double best = 0, least = squares(0), low = 0, high = 0.011, before = 0;
    for (double v = 0.01; v < 101; v *= 1.1) {
      if (const double sum = squares(v); sum < least) best = v, least = sum, low = before, high = v * 1.1;
      before = v;
    }
    const double ratio = (std::sqrt(5.0) - 1) / 2;
    while (high - low > 1e-9) {
      const double a = high - ratio * (high - low), b = low + ratio * (high - low);
      (squares(a) <= squares(b) ? high : low) = squares(a) <= squares(b) ? b : a;
    }
    const double middle = (low + high) / 2;
    return squares(middle) < least ? middle : best;
  }

  std::vector<Point> points_;
};

double geometric_mean(const std::vector<LeftOutSetting::Workload>& workloads, double LeftOutSetting::Workload::*what) {
  double sum = 0;
  for (const auto& workload : workloads) sum += std::log(workload.*what);
  return std::exp(sum / static_cast<double>(workloads.size()));
}

// k cores^a f^b through the settings' mean powers; NaN where they are too few to tell.
double power_law_w(const std::vector<ActivityCell>& others, int cores, double ghz) {
  std::map<std::string, std::vector<const ActivityCell*>> settings;
  for (const ActivityCell& cell : others) settings[cell.setting].push_back(&cell);
  std::vector<PowerRow> rows;
  for (const auto& [name, cells] : settings) {
    double sum = 0;
    for (const ActivityCell* cell : cells) sum += cell->log_power;
    PowerRow row;
    row.mhz = cells[0]->ghz * 1000;
    row.cores = cells[0]->cores;
    row.above_idle_w = std::exp(sum / static_cast<double>(cells.size()));
    rows.push_back(row);
  }
  try {
    return fit_cores_clock(rows).watts(cores, ghz * 1000);
  } catch (const InputError&) {
    return kNaN;
  }
}

}  // namespace

double ActivityCell::power_w() const { return std::exp(log_power); }
double LeftOutSetting::Workload::error() const { return predicted_w / measured_w - 1; }
double LeftOutSetting::Workload::error_of_cores() const { return of_cores_w / measured_w - 1; }

std::vector<ActivityCell> activity_cells(const std::vector<PowerRow>& rows) {
  std::vector<ActivityCell> cells;
  for (const PowerRow& row : rows) {
    if (row.cores < 1 || !(row.latency_ms > 0) || row.setting.empty())
      throw InputError("this fit needs cores, latency and the setting (power mode) of every row");
    auto cell = std::find_if(cells.begin(), cells.end(), [&](const ActivityCell& one) {
      return one.workload == row.workload && one.setting == row.setting;
    });
    if (cell == cells.end()) {
      cell = cells.insert(cells.end(), ActivityCell{});
      cell->workload = row.workload;
      cell->setting = row.setting;
      cell->ghz = row.mhz / 1000;
      cell->cores = row.cores;
    }
    if (std::abs(cell->ghz * 1000 - row.mhz) > 0.05 || cell->cores != row.cores)
      throw InputError("the setting " + row.setting + " has rows with different clocks or cores");
    ++cell->rows;
    cell->log_power += std::log(row.above_idle_w);
    cell->log_energy += std::log(row.above_idle_w * row.latency_ms);
  }
  for (ActivityCell& cell : cells) {
    cell.log_power /= cell.rows;
    cell.log_energy /= cell.rows;
    cell.latency_ms = std::exp(cell.log_energy - cell.log_power);
  }
  return cells;
}

std::string why_not_fitted(const std::vector<ActivityCell>& cells) {
  std::map<std::string, int> settings;
  std::set<double> clocks;
  for (const ActivityCell& cell : cells) {
    ++settings[cell.workload];
    clocks.insert(cell.ghz);
  }
  if (cells.size() < settings.size() + 2 || clocks.size() < 2)
    return "a fit of voltage over clock needs rows of a workload at two clocks, and one more setting";
  for (const auto& [workload, count] : settings)
    if (count < 2) return "the workload " + workload + " was run at one setting only: it tells no voltage";
  return "";
}

ActivityFit fit_activity(const std::vector<ActivityCell>& cells) {
  if (const std::string why = why_not_fitted(cells); !why.empty()) throw InputError(why);

  const auto log_per_cycle = [](const ActivityCell& cell) { return cell.log_power - std::log(cell.cores * cell.ghz); };
  ActivityFit fit;
  fit.cells = static_cast<int>(cells.size());
  fit.energy = Points(cells, [](const ActivityCell& cell) { return cell.log_energy; }).fit();
  fit.per_cycle = Points(cells, log_per_cycle).fit();
  const auto log_k = [&](const ActivityCell& cell) {
    return log_per_cycle(cell) - log_volt2(fit.per_cycle.v_ghz, cell.ghz);
  };
  double sum = 0, squares = 0;
  for (const ActivityCell& cell : cells) sum += log_k(cell);
  fit.mean_log_k = sum / static_cast<double>(cells.size());
  for (const ActivityCell& cell : cells) squares += std::pow(log_k(cell) - fit.mean_log_k, 2);
  fit.rms_log_k = std::sqrt(squares / static_cast<double>(cells.size() - 2));
  return fit;
}

double VoltageFit::at(const std::string& workload, double ghz) const {
  return std::exp(find(log_factor, workload) + log_volt2(v_ghz, ghz));
}

double ActivityFit::watts(const std::string& workload, double ghz, double latency_ms) const {
  return energy.at(workload, ghz) / latency_ms;
}

double ActivityFit::watts_of_cores(const std::string& workload, double cores, double ghz) const {
  if (!workload.empty()) return per_cycle.at(workload, ghz) * cores * ghz;
  return std::exp(mean_log_k + log_volt2(per_cycle.v_ghz, ghz)) * cores * ghz;
}

std::vector<LeftOutSetting> leave_one_setting_out(const std::vector<ActivityCell>& all) {
  // A workload with one setting has nothing to be predicted from and nothing to say about voltage.
  std::map<std::string, int> count;
  for (const ActivityCell& cell : all) ++count[cell.workload];
  std::vector<ActivityCell> cells;
  for (const ActivityCell& cell : all)
    if (count[cell.workload] > 2) cells.push_back(cell);

  std::map<std::tuple<double, int, std::string>, std::vector<ActivityCell>> settings;
  for (const ActivityCell& cell : cells) settings[{cell.ghz, cell.cores, cell.setting}].push_back(cell);
  std::vector<LeftOutSetting> out;
  for (const auto& [key, held] : settings) {
    LeftOutSetting one;
    std::tie(one.ghz, one.cores, one.setting) = key;
    std::vector<ActivityCell> others;
    double low = 1e9, high = 0;
    int fewest = 1 << 20, most = 0;
    for (const ActivityCell& cell : cells) {
      if (cell.setting == one.setting) continue;
      others.push_back(cell);
      low = std::min(low, cell.ghz), high = std::max(high, cell.ghz);
      fewest = std::min(fewest, cell.cores), most = std::max(most, cell.cores);
    }
    one.in_range = low <= one.ghz && one.ghz <= high && fewest <= one.cores && one.cores <= most;
    if (!why_not_fitted(others).empty()) continue;  // too few are left
    const ActivityFit fit = fit_activity(others);
    for (const ActivityCell& cell : held)
      one.workloads.push_back({cell.workload, cell.power_w(), fit.watts(cell.workload, cell.ghz, cell.latency_ms),
                               fit.watts_of_cores(cell.workload, cell.cores, cell.ghz)});
    one.measured_w = geometric_mean(one.workloads, &LeftOutSetting::Workload::measured_w);
    one.predicted_w = geometric_mean(one.workloads, &LeftOutSetting::Workload::predicted_w);
    one.of_cores_w = geometric_mean(one.workloads, &LeftOutSetting::Workload::of_cores_w);
    one.power_law_w = power_law_w(others, one.cores, one.ghz);
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace dynasoc
