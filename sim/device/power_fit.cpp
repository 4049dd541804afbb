#include "device/power_fit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include <Eigen/Dense>

#include "common/nan.hpp"
#include "common/text.hpp"

namespace dynasoc {
namespace {

double milliwatts(double watts) { return std::round(watts * 1000) / 1000; }

std::string percent(double share, int digits = 2) { return rounded_text(100 * share, digits) + " %"; }

Csv load_beside(const Name& file, const std::filesystem::path& folder) {
  try {
    return Csv::load(folder / file.text);
  } catch (const InputError& error) {
    if (std::filesystem::exists(folder / file.text)) throw;
    throw file.error(std::string("cannot be opened: ") + error.what());
  }
}

// Writes JSON with everything on one line that fits there: figures stay readable in lists.
void write_json(const Json& json, std::size_t indent, std::size_t used, std::string& out) {
  constexpr std::size_t kColumns = 118;  // of lists of numbers
  constexpr std::size_t kEntry = 240;    // of one entry of a table, its source included
  const std::string flat = [&] {
    std::string text;
    if (json.is_array()) {  // like dump(), with a blank after each comma
      text = "[";
      for (std::size_t i = 0; i < json.size(); ++i) text += (i ? ", " : "") + json[i].dump();
      text += "]";
    } else if (json.is_object()) {
      text = "{";
      bool first = true;
      for (const auto& [key, value] : json.items()) {
        text += (first ? "" : ", ") + Json(key).dump() + ": " + value.dump();
        first = false;
      }
      text += "}";
    } else {
      text = json.dump();
    }
    return text;
  }();
  const bool nested = std::any_of(json.begin(), json.end(), [](const Json& part) { return part.is_structured(); });
  if (!json.is_structured() || json.empty() ||
      (!nested && indent + used + flat.size() <= (json.is_object() ? kEntry : kColumns))) {
    out += flat;
    return;
  }
  const std::string margin(indent + 2, ' ');
  if (json.is_array() && !nested && !json[0].is_string()) {  // a long list of numbers: fill the lines
    out += "[";
    std::size_t column = kColumns;
    for (std::size_t i = 0; i < json.size(); ++i) {
      const std::string number = json[i].dump() + (i + 1 < json.size() ? "," : "");
      if (column + 1 + number.size() > kColumns) {
        out += "\n" + margin + number;
        column = margin.size() + number.size();
      } else {
        out += " " + number;
        column += 1 + number.size();
      }
    }
    out += "\n" + std::string(indent, ' ') + "]";
    return;
  }
  out += json.is_array() ? "[" : "{";
  bool first = true;
  for (const auto& [key, value] : json.items()) {
    out += (first ? "\n" : ",\n") + margin;
    first = false;
    std::size_t label = 0;
    if (json.is_object()) {
      const std::string quoted = Json(key).dump() + ": ";
      out += quoted;
      label = quoted.size();
    }
    write_json(value, indent + 2, label + 1, out);
  }
  out += "\n" + std::string(indent, ' ') + (json.is_array() ? "]" : "}");
}

RelativeShape load_shape(const std::vector<ShapeRunFile>& files, double floor_mw, const std::filesystem::path& folder) {
  std::vector<RelativeShape::Run> runs;
  for (const ShapeRunFile& file : files) {
    const Csv csv = load_beside(file.file, folder);
    for (const std::string* column : {&file.clock_column, &file.power_column})
      if (!csv.has(*column))
        throw file.file.error("the file has no column \"" + *column + "\"" + hint(*column, csv.columns()));
    RelativeShape::Run run;
    for (std::size_t i = 0; i < csv.size(); ++i)
      run.mhz_and_mw.emplace_back(csv.number(i, file.clock_column, positive()),
                                  csv.number(i, file.power_column, positive()));
    runs.push_back(std::move(run));
  }
  return RelativeShape(runs, floor_mw);
}

struct Span {
  double low = std::numeric_limits<double>::infinity();
  double high = 0;
};
Span clocks_of(const std::vector<PowerRow>& rows) {
  Span span;
  for (const PowerRow& row : rows) {
    span.low = std::min(span.low, row.mhz);
    span.high = std::max(span.high, row.mhz);
  }
  return span;
}

// Where a clock lies relative to the measured ones, for the point's source.
std::string standing(double mhz, const Span& span) {
  if (mhz < span.low * 0.9995) return "below the measured clocks: extrapolated";
  if (mhz > span.high * 1.0005) return "above the measured clocks: extrapolated";
  return "within the measured clocks";
}

std::string signed_percent(double share) {
  if (!std::isfinite(share)) return "-";
  return (share < 0 ? "" : "+") + rounded_text(100 * share, 2) + " %";
}

std::string coefficients_text(const PowerCalibration::Unit& unit) {
  std::string out;
  for (const auto& [name, value] : unit.coefficients)
    out += "    " + name + " = " + rounded_text(value.value) + " +- " + rounded_text(value.standard_error, 2) + " " +
           value.unit + "\n";
  return out;
}

std::string settings_text(const std::vector<LeftOutSetting>& settings, bool single) {
  std::string out;
  for (const LeftOutSetting& one : settings) {
    out += "    " + one.setting + ", " + std::to_string(one.cores) + " cores at " + rounded_text(1000 * one.ghz, 5) +
           " MHz, " + (one.in_range ? "in range" : "out of range") + ": measured " + rounded_text(one.measured_w, 3) +
           " W; with the latency " + rounded_text(one.predicted_w, 3) + " W, " + signed_percent(one.error()) +
           "; from cores and clock " + rounded_text(one.of_cores_w, 3) + " W, " + signed_percent(one.error_of_cores()) +
           "; by k cores^a f^b " + signed_percent(one.error_of_power_law()) + "\n";
    if (!single) continue;
    for (const auto& workload : one.workloads)
      out += "      " + workload.name + ": measured " + rounded_text(workload.measured_w, 3) + " W; " +
             signed_percent(workload.error()) + "; " + signed_percent(workload.error_of_cores()) + "\n";
  }
  return out;
}

std::string left_out_text(const std::vector<LeftOutRows>& rows) {
  std::string out;
  for (const LeftOutRows& one : rows)
    out += "    " + one.what + ", " + std::to_string(one.rows) + (one.rows == 1 ? " row" : " rows") +
           (one.in_range ? "" : ", out of range") + ": measured " + rounded_text(one.measured_w, 3) + " W, predicted " +
           rounded_text(one.predicted_w, 3) + " W, " + signed_percent(one.error()) + "; worst row " +
           signed_percent(one.worst) + "\n";
  return out;
}

std::string uncertainty_text(const PowerUncertainty& uncertainty) {
  return "  uncertainty of one workload's power above idle: +- " + percent(uncertainty.level) +
         " at all clocks, tilt " + rounded_text(uncertainty.tilt, 2) + " about " + number_text(uncertainty.pivot_mhz) +
         " MHz\n";
}

double to_digits(double x, int digits) { return std::stod(rounded_text(x, digits)); }

double pivot_mhz(const std::vector<double>& clocks) {
  double sum = 0;
  for (const double mhz : clocks) sum += std::log(mhz);
  return std::round(std::exp(sum / static_cast<double>(clocks.size())));
}

// A new workload is one more draw from the residuals' population: rms * sqrt(1 + 1/n).
double new_workload(double rms, std::size_t n) { return rms * std::sqrt(1 + 1 / static_cast<double>(n)); }

PowerUncertainty activity_uncertainty(const std::vector<ActivityCell>& cells, const ActivityFit& fit) {
  std::vector<double> clocks;
  clocks.reserve(cells.size());
  for (const ActivityCell& cell : cells) clocks.push_back(1000 * cell.ghz);
  PowerUncertainty out;
  out.pivot_mhz = pivot_mhz(clocks);
  out.level = to_digits(new_workload(fit.rms_log_k, cells.size()), 3);
  // d/dln(f) of 2 ln(v + f) is 2 f / (v + f); what v's error moves it by.
  const double ghz = out.pivot_mhz / 1000;
  out.tilt = to_digits(2 * ghz / std::pow(fit.per_cycle.v_ghz + ghz, 2) * fit.per_cycle.v_standard_error, 2);
  out.source =
      "level: " + std::to_string(cells.size()) + " cells about the fitted curve, rms " + percent(fit.rms_log_k) +
      ", times sqrt(1 + 1/n) for a workload that was not measured; tilt: standard error" + " of v, " +
      rounded_text(fit.per_cycle.v_standard_error, 2) + " GHz, at the pivot, the cells' mean clock; below the" +
      " fitted clocks nothing was measured and the tilt is a guess";
  return out;
}

PowerUncertainty scale_uncertainty(const std::vector<PowerRow>& rows, const RelativeShape& shape,
                                   const std::vector<RelativeShape>& runs, const std::vector<ShapeCheck>& checks,
                                   const ScaleFit& fit, double& rms_share) {
  std::vector<double> clocks;
  double squares = 0;
  for (const PowerRow& row : rows) {
    clocks.push_back(row.mhz);
    squares += std::pow(row.above_idle_w / (fit.k * row.mhz * shape.at(row.mhz)) - 1, 2);
  }
  rms_share = std::sqrt(squares / static_cast<double>(rows.size() - 1));
  PowerUncertainty out;
  out.pivot_mhz = pivot_mhz(clocks);
  out.level = to_digits(new_workload(rms_share, rows.size()), 3);
  // Slopes of ln(one / other) over ln f: between the runs behind the shape, and between the shape and a related board.
  const double between = shape_tilt(runs);
  double sum = 0;
  for (const ShapeCheck& check : checks)
    sum += std::pow(std::log(check.measured / check.predicted) / std::log(check.high_mhz / check.low_mhz), 2);
  const double board = checks.empty() ? 0 : std::sqrt(sum / static_cast<double>(checks.size()));
  out.tilt = to_digits(std::hypot(between, board), 2);
  out.source = "level: " + std::to_string(rows.size()) + " rows about k f s(f), rms " + percent(rms_share) +
               ", times sqrt(1 + 1/n) for a workload that was not measured; tilt: " + rounded_text(between, 2) +
               " between the runs behind s(f)" +
               (checks.empty() ? std::string()
                               : ", " + rounded_text(board, 2) + " rms between s(f) and the related board's rows");
  return out;
}

class Calibrator {
 public:
  Calibrator(const Platform& platform, std::filesystem::path folder)
      : platform_(platform), folder_(std::move(folder)) {}

  PowerCalibration::Unit operator()(const ScaleRecipe& recipe) {
    const std::size_t unit = index(recipe.unit);
    const auto rows = load_power_rows(recipe.rows, folder_);
    const RelativeShape shape = load_shape(recipe.shape, recipe.floor_mw, folder_);
    const ScaleFit fit = fit_scale(rows, shape);
    const Span span = clocks_of(rows);
    double low = fit.k, high = fit.k;
    for (const auto& [workload, k] : fit.without) {
      low = std::min(low, k);
      high = std::max(high, k);
    }

    PowerCalibration::Unit out;
    out.name = recipe.unit.text;
    out.rows = rows.size();
    out.coefficients = {{"k", {fit.k * 1e3, fit.standard_error * 1e3, "mW/MHz"}}};
    out.clocks = leave_one_clock_out(rows, shape);
    out.workloads = leave_one_workload_out(rows, shape);
    if (recipe.check) {
      if (recipe.check->energy_column.empty()) throw recipe.check->where.error("a check needs an \"energy_column\"");
      out.checks = check_shape(load_power_rows(*recipe.check, folder_), shape);
    }
    std::vector<RelativeShape> runs;
    for (const ShapeRunFile& file : recipe.shape) runs.push_back(load_shape({file}, recipe.floor_mw, folder_));
    out.uncertainty = scale_uncertainty(rows, shape, runs, out.checks, fit, out.rms_share);
    out.source = "derived: busy = idle + k f s(f), k = " + rounded_text(fit.k * 1e3) + " +- " +
                 rounded_text(fit.standard_error * 1e3, 2) + " mW/MHz (standard error), least squares on " +
                 std::to_string(rows.size()) + " rows of " + recipe.rows.cited + " at " + number_text(span.low) + "-" +
                 number_text(span.high) + " MHz; residual rms " + rounded_text(fit.rms_w, 3) +
                 " W; k without one workload: " + rounded_text(low * 1e3) + "-" + rounded_text(high * 1e3) +
                 " mW/MHz; s(f): " + recipe.shape_cited + "; idle: " + recipe.idle_source;
    for (const double mhz : opps(unit)) {
      std::string source = "k f s(f) of the unit's source; " + standing(mhz, span);
      if (mhz > shape.last_mhz()) source += "; s(f) itself continued beyond " + number_text(shape.last_mhz()) + " MHz";
      out.points.push_back({mhz, recipe.idle_w, milliwatts(recipe.idle_w + fit.k * mhz * shape.at(mhz)),
                            Provenance::derived, std::move(source)});
    }

    report_ += recipe.unit.text + ": P - idle = k f s(f), " + std::to_string(rows.size()) + " rows of " +
               recipe.rows.cited + "\n  k = " + rounded_text(fit.k * 1e3) + " +- " +
               rounded_text(fit.standard_error * 1e3, 2) + " mW/MHz, residual rms " + rounded_text(fit.rms_w, 3) +
               " W\n";
    for (std::size_t i = 0; i < rows.size(); ++i)
      report_ += "    " + rows[i].workload + " at " + number_text(rows[i].mhz) +
                 " MHz: " + rounded_text(rows[i].above_idle_w) + " W, residual " + rounded_text(fit.residual_w[i], 3) +
                 " W\n";
    for (const auto& [workload, k] : fit.without)
      report_ +=
          "    k without " + workload + ": " + rounded_text(k * 1e3) + " mW/MHz (" + percent(k / fit.k - 1) + ")\n";
    report_ += "  each clock predicted from the same workloads at the others (mean power above idle):\n" +
               left_out_text(out.clocks) + "  each workload predicted from the others:\n" +
               left_out_text(out.workloads);
    if (recipe.check) {
      report_ += "  energy above idle of one inference between two clocks, " + recipe.check->cited + ":\n";
      for (const ShapeCheck& check : out.checks)
        report_ += "    " + check.workload + " " + number_text(check.low_mhz) + " -> " + number_text(check.high_mhz) +
                   " MHz: measured " + rounded_text(check.measured, 3) + ", s(f) says " +
                   rounded_text(check.predicted, 3) + "\n";
    }
    report_ += uncertainty_text(out.uncertainty);
    return out;
  }

  PowerCalibration::Unit operator()(const ActivityRecipe& recipe) {
    const std::size_t unit = index(recipe.unit);
    const PowerRows& from = recipe.rows;
    for (const auto& [column, name] : {std::pair{&from.cores_column, "cores_column"},
                                       {&from.latency_column, "latency_column"},
                                       {&from.setting_column, "setting_column"}})
      if (column->empty()) throw from.where.error("this fit needs a \"" + std::string(name) + "\"");
    const auto rows = load_power_rows(from, folder_);
    const auto cells = activity_cells(rows);
    if (const std::string why = why_not_fitted(cells); !why.empty()) throw recipe.rows.where.error(why);
    const ActivityFit fit = fit_activity(cells);
    const Span span = clocks_of(rows);
    int cores = 0;
    for (const int domain : platform_.links[unit].domains)
      cores += platform_.file.domains[static_cast<std::size_t>(domain)].second.cores;
    if (cores == 0) throw recipe.unit.error("the unit's domains state no cores");

    const double k = std::exp(fit.mean_log_k);
    const double k_error = fit.rms_log_k / std::sqrt(fit.cells);
    const std::string law = "v = " + rounded_text(fit.per_cycle.v_ghz, 3) + " +- " +
                            rounded_text(fit.per_cycle.v_standard_error, 2) + " GHz, k = " + rounded_text(k * 1e3, 3) +
                            " mW/(core GHz^3) +- " + percent(k_error);
    PowerCalibration::Unit out;
    out.name = recipe.unit.text;
    out.rows = rows.size();
    out.rms_share = fit.rms_log_k;
    out.coefficients = {{"v of energies", {fit.energy.v_ghz, fit.energy.v_standard_error, "GHz"}}};
    for (const auto& [workload, log_e] : fit.energy.log_factor) {
      const double e = std::exp(log_e);
      const auto count = static_cast<double>(std::count_if(
          cells.begin(), cells.end(), [&, name = workload](const auto& c) { return c.workload == name; }));
      out.coefficients.push_back({"e of " + workload, {e, e * fit.energy.rms_log / std::sqrt(count), "mJ/GHz^2"}});
    }
    out.coefficients.push_back({"v of powers", {fit.per_cycle.v_ghz, fit.per_cycle.v_standard_error, "GHz"}});
    out.coefficients.push_back({"k", {k * 1e3, k * 1e3 * k_error, "mW/(core GHz^3)"}});
    out.settings = leave_one_setting_out(cells);
    for (const VariantRecipe& variant : recipe.variants) {
      PowerRows other = from;
      other.select = variant.select;
      out.variants.emplace_back(variant.name, leave_one_setting_out(activity_cells(load_power_rows(other, folder_))));
    }
    out.uncertainty = activity_uncertainty(cells, fit);

    out.source = "derived: busy = idle + k cores f (v + f)^2 with f in GHz, " + law +
                 ", least squares of logarithms on " + std::to_string(rows.size()) + " rows of " + from.cited + "; " +
                 std::to_string(fit.cells) + " cells about the curve: rms " + percent(fit.rms_log_k) + "; below " +
                 number_text(span.low) +
                 " MHz, the lowest of these clocks, power is taken as proportional to the clock: supply voltages have a"
                 " floor, and nobody published where; evaluated for " +
                 std::to_string(cores) + " cores; idle: " + recipe.idle_source;
    for (const double mhz : opps(unit)) {
      // The TX2's rail shows the floor: energy per cycle within 16 % from 115 to 727 MHz.
      const bool below = mhz < span.low;
      const double watts = below ? fit.watts_of_cores("", cores, span.low / 1000) * mhz / span.low
                                 : fit.watts_of_cores("", cores, mhz / 1000);
      out.points.push_back({mhz, recipe.idle_w, milliwatts(recipe.idle_w + watts), Provenance::derived,
                            std::string(below ? "proportional to the clock below the fitted curve"
                                              : "k cores f (v + f)^2 of the unit's source") +
                                "; " + standing(mhz, span)});
    }

    report_ += out.name + ": P - idle = activity (v + f/GHz)^2, " + std::to_string(rows.size()) + " rows of " +
               from.cited + "\n  activity = e / latency where the latency is known; residual rms " +
               percent(fit.energy.rms_log) + "\n  activity = k cores f where it is not; residual rms " +
               percent(fit.rms_log_k) + "\n" + coefficients_text(out) +
               "  each power mode predicted from the others, in range if others span its clock and cores:\n" +
               settings_text(out.settings, true);
    for (const auto& [name, settings] : out.variants)
      report_ += "  the same with " + name + ":\n" + settings_text(settings, false);
    report_ += uncertainty_text(out.uncertainty);
    return out;
  }

  std::string report_;

 private:
  std::size_t index(const Name& unit) const {
    const int found = platform_.unit_index(unit.text);
    if (found < 0) throw unit.error("no such unit \"" + unit.text + "\"" + hint(unit.text, platform_.unit_names()));
    return static_cast<std::size_t>(found);
  }
  const std::vector<double>& opps(std::size_t unit) const {
    return platform_.file.domains[static_cast<std::size_t>(platform_.links[unit].domains.front())].second.opps_mhz;
  }

  const Platform& platform_;
  std::filesystem::path folder_;
};

}  // namespace

std::vector<PowerRow> load_power_rows(const PowerRows& rows, const std::filesystem::path& folder) {
  const Csv csv = load_beside(rows.file, folder);
  const auto need = [&](const std::string& column) {
    if (!column.empty() && !csv.has(column))
      throw rows.where.error("the file " + rows.file.text + " has no column \"" + column + "\"" +
                             hint(column, csv.columns()));
  };
  for (const auto& [column, unused] : rows.select) need(column);
  for (const std::string* column :
       {&rows.clock_column, &rows.power_column, &rows.idle_column, &rows.cores_column, &rows.energy_column,
        &rows.workload_column, &rows.latency_column, &rows.setting_column})
    need(*column);

  std::vector<PowerRow> out;
  for (std::size_t i = 0; i < csv.size(); ++i) {
    if (std::any_of(rows.select.begin(), rows.select.end(),
                    [&](const auto& wanted) { return csv.text(i, wanted.first) != wanted.second; }))
      continue;
    PowerRow row;
    row.workload = csv.text(i, rows.workload_column);
    if (!rows.workload_until.empty()) row.workload = row.workload.substr(0, row.workload.find(rows.workload_until));
    if (!rows.latency_column.empty()) row.latency_ms = csv.number(i, rows.latency_column, positive());
    if (!rows.setting_column.empty()) row.setting = csv.text(i, rows.setting_column);
    row.mhz = csv.number(i, rows.clock_column, positive()) / rows.clock_per_mhz;
    row.above_idle_w = csv.number(i, rows.power_column, positive());
    row.idle_w = csv.number_or_nan(i, rows.idle_column, positive());
    row.energy_mj = csv.number_or_nan(i, rows.energy_column, positive());
    if (!rows.cores_column.empty()) row.cores = static_cast<int>(csv.number(i, rows.cores_column, range(1, 1024)));
    out.push_back(std::move(row));
  }
  if (out.empty()) throw rows.where.error("no row of " + rows.file.text + " is selected");
  return out;
}

RelativeShape::RelativeShape(const std::vector<Run>& runs, double floor_mw) {
  if (runs.empty()) throw InputError("a relative shape needs at least one run");
  for (const Run& run : runs) {
    if (run.mhz_and_mw.size() != runs[0].mhz_and_mw.size() || run.mhz_and_mw.size() < 2)
      throw InputError("the runs of a relative shape must have the same clocks, two at least");
    std::vector<double> relative;
    for (std::size_t i = 0; i < run.mhz_and_mw.size(); ++i) {
      const auto [mhz, mw] = run.mhz_and_mw[i];
      if (mhz != runs[0].mhz_and_mw[i].first || (i > 0 && mhz <= run.mhz_and_mw[i - 1].first))
        throw InputError("the runs of a relative shape must have the same ascending clocks; " + number_text(mhz) +
                         " MHz does not fit");
      if (mw <= floor_mw) throw InputError("a rail power of " + number_text(mw) + " mW is not above the floor");
      relative.push_back((mw - floor_mw) / mhz);
    }
    const double smallest = *std::min_element(relative.begin(), relative.end());
    if (points_.empty())
      for (const auto& [mhz, unused] : run.mhz_and_mw) points_.emplace_back(mhz, 0.0);
    for (std::size_t i = 0; i < relative.size(); ++i)
      points_[i].second += relative[i] / smallest / static_cast<double>(runs.size());
  }
}

double RelativeShape::at(double mhz) const {
  if (mhz <= points_.front().first) return points_.front().second;
  std::size_t i = 1;
  while (i + 1 < points_.size() && mhz > points_[i].first) ++i;
  const auto& [f0, s0] = points_[i - 1];
  const auto& [f1, s1] = points_[i];
  return s0 + (s1 - s0) * (mhz - f0) / (f1 - f0);
}

double shape_tilt(const std::vector<RelativeShape>& runs) {
  if (runs.size() < 2) return 0;
  double sum = 0;
  for (const RelativeShape& run : runs) {
    double x = 0, y = 0, xx = 0, xy = 0, n = 0;
    for (const auto& [mhz, relative] : run.points()) {
      double mean = 0;
      for (const RelativeShape& other : runs) mean += std::log(other.at(mhz)) / static_cast<double>(runs.size());
      const double log_f = std::log(mhz), ratio = std::log(relative) - mean;
      x += log_f, y += ratio, xx += log_f * log_f, xy += log_f * ratio, n += 1;
    }
    sum += std::pow((n * xy - x * y) / (n * xx - x * x), 2);
  }
  return std::sqrt(sum / static_cast<double>(runs.size() - 1));
}

namespace {
// Each group of rows predicted from those of the others that `speaks` lets speak for a row.
template <class Key, class Speaks>
std::vector<LeftOutRows> leave_out(const std::vector<PowerRow>& rows, const RelativeShape& shape, Key key,
                                   Speaks speaks) {
  const auto x = [&](const PowerRow& row) { return row.mhz * shape.at(row.mhz); };
  std::map<std::string, LeftOutRows> groups;
  std::map<std::string, int> count;
  for (const PowerRow& row : rows) {
    double xy = 0, xx = 0, low = std::numeric_limits<double>::infinity(), high = 0;
    for (const PowerRow& other : rows) {
      if (key(other) == key(row) || !speaks(row, other)) continue;
      xy += x(other) * other.above_idle_w, xx += x(other) * x(other);
      low = std::min(low, other.mhz), high = std::max(high, other.mhz);
    }
    if (xx == 0) continue;
    const double predicted = xy / xx * x(row), error = predicted / row.above_idle_w - 1;
    LeftOutRows& one = groups[key(row)];
    one.what = key(row);
    one.mhz = row.mhz;
    one.measured_w += row.above_idle_w;
    one.predicted_w += predicted;
    one.in_range = one.in_range && low <= row.mhz && row.mhz <= high;
    if (std::abs(error) > std::abs(one.worst)) one.worst = error;
    ++one.rows;
  }
  std::vector<LeftOutRows> out;
  for (auto& [name, one] : groups) {
    one.measured_w /= one.rows;
    one.predicted_w /= one.rows;
    out.push_back(std::move(one));
  }
  return out;
}
}  // namespace

std::vector<LeftOutRows> leave_one_clock_out(const std::vector<PowerRow>& rows, const RelativeShape& shape) {
  auto out = leave_out(
      rows, shape, [](const PowerRow& row) { return number_text(row.mhz) + " MHz"; },
      [](const PowerRow& row, const PowerRow& other) { return row.workload == other.workload; });
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.mhz < b.mhz; });
  return out;
}
std::vector<LeftOutRows> leave_one_workload_out(const std::vector<PowerRow>& rows, const RelativeShape& shape) {
  return leave_out(
      rows, shape, [](const PowerRow& row) { return row.workload; }, [](const auto&, const auto&) { return true; });
}

ScaleFit fit_scale(const std::vector<PowerRow>& rows, const RelativeShape& shape) {
  if (rows.size() < 2) throw InputError("a fit of k needs two rows at least");
  const auto solve = [&](const std::string* left_out) {
    double xy = 0, xx = 0;
    for (const PowerRow& row : rows) {
      if (left_out && row.workload == *left_out) continue;
      const double x = row.mhz * shape.at(row.mhz);
      xy += x * row.above_idle_w;
      xx += x * x;
    }
    return std::pair{xx > 0 ? xy / xx : kNaN, xx};
  };
  ScaleFit fit;
  const auto [k, xx] = solve(nullptr);
  fit.k = k;
  double squares = 0;
  std::set<std::string> workloads;
  for (const PowerRow& row : rows) {
    fit.residual_w.push_back(row.above_idle_w - k * row.mhz * shape.at(row.mhz));
    squares += fit.residual_w.back() * fit.residual_w.back();
    workloads.insert(row.workload);
  }
  fit.rms_w = std::sqrt(squares / static_cast<double>(rows.size() - 1));
  fit.standard_error = fit.rms_w / std::sqrt(xx);
  if (workloads.size() > 1)
    for (const std::string& workload : workloads) fit.without.emplace_back(workload, solve(&workload).first);
  return fit;
}

CoresClockFit fit_cores_clock(const std::vector<PowerRow>& rows) {
  if (rows.size() < 4) throw InputError("a fit of k, a and b needs four rows at least");
  const auto n = static_cast<Eigen::Index>(rows.size());
  Eigen::MatrixXd x(n, 3);
  Eigen::VectorXd y(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const PowerRow& row = rows[static_cast<std::size_t>(i)];
    if (row.cores < 1 || !(row.above_idle_w > 0) || !(row.mhz > 0))
      throw InputError("a fit of k, a and b needs cores, clock and power above idle in every row");
    x.row(i) << 1.0, std::log(static_cast<double>(row.cores)), std::log(row.mhz / 1000);
    y(i) = std::log(row.above_idle_w);
  }
  const Eigen::ColPivHouseholderQR<Eigen::MatrixXd> solver(x);
  if (solver.rank() < 3) throw InputError("the rows do not tell cores from clock: vary both");
  const Eigen::Vector3d solution = solver.solve(y);
  const Eigen::VectorXd residual = y - x * solution;
  const double variance = residual.squaredNorm() / static_cast<double>(n - 3);
  const Eigen::Matrix3d covariance = variance * (x.transpose() * x).inverse();

  CoresClockFit fit;
  fit.k = std::exp(solution(0));
  fit.a = solution(1);
  fit.b = solution(2);
  fit.relative_error_k = std::sqrt(covariance(0, 0));
  fit.standard_error_a = std::sqrt(covariance(1, 1));
  fit.standard_error_b = std::sqrt(covariance(2, 2));
  fit.rms_log = std::sqrt(variance);
  fit.residual_log.assign(residual.data(), residual.data() + n);
  for (Eigen::Index i = 0; i < 9; ++i) fit.covariance[static_cast<std::size_t>(i)] = covariance(i / 3, i % 3);
  return fit;
}

double CoresClockFit::watts(double cores, double mhz) const { return k * std::pow(cores, a) * std::pow(mhz / 1000, b); }

double CoresClockFit::prediction_error_log(double cores, double mhz) const {
  const std::array<double, 3> x{1.0, std::log(cores), std::log(mhz / 1000)};
  double sum = 0;
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) sum += x[i] * covariance[3 * i + j] * x[j];
  return std::sqrt(std::max(sum, 0.0));
}

std::vector<ShapeCheck> check_shape(const std::vector<PowerRow>& rows, const RelativeShape& shape) {
  std::vector<ShapeCheck> out;
  for (const PowerRow& low : rows)
    for (const PowerRow& high : rows)
      if (low.workload == high.workload && low.mhz < high.mhz)
        out.push_back(
            {low.workload, low.mhz, high.mhz, high.energy_mj / low.energy_mj, shape.at(high.mhz) / shape.at(low.mhz)});
  return out;
}

PowerCalibration calibrate_power(const std::filesystem::path& path) {
  const auto recipe = read<PowerRecipe>(Value(Document::load(path)));
  const std::filesystem::path folder = path.parent_path();
  PowerCalibration out;
  out.platform = (folder / recipe.platform.text).lexically_normal();
  if (!std::filesystem::exists(out.platform)) throw recipe.platform.error("no such file");
  const Platform platform = Platform::load(out.platform);
  Calibrator calibrate(platform, folder);
  double idle_units = 0;
  for (const auto& unit : recipe.units) {
    out.units.push_back(std::visit(calibrate, unit));
    idle_units += std::visit([](const auto& one) { return one.idle_w; }, unit);
  }
  if (out.units.size() != platform.file.units.size())
    throw recipe.where.error("the recipe has " + std::to_string(out.units.size()) + " units, the platform " +
                             std::to_string(platform.file.units.size()));

  if (recipe.board_idle.idle_column.empty()) throw recipe.board_idle.where.error("\"idle_column\" is missing");
  const auto rows = load_power_rows(recipe.board_idle, folder);
  double sum = 0, squares = 0, low = std::numeric_limits<double>::infinity(), high = 0;
  for (const PowerRow& row : rows) {
    if (std::isnan(row.idle_w)) throw recipe.board_idle.where.error("a selected row states no idle power");
    sum += row.idle_w;
    low = std::min(low, row.idle_w);
    high = std::max(high, row.idle_w);
    squares += row.idle_w * row.idle_w;
  }
  const double idle = sum / static_cast<double>(rows.size());
  if (idle < idle_units) throw recipe.where.error("the idle units draw more than the idle board");
  out.static_power_w = milliwatts(idle - idle_units);
  const auto n = static_cast<double>(rows.size());
  if (rows.size() > 1) out.static_power_std_w = milliwatts(std::sqrt(std::max(0.0, (squares - sum * idle) / (n - 1))));
  out.static_power_source = "derived: idle board " + rounded_text(idle) + " W (mean of " + std::to_string(rows.size()) +
                            " rows, " + rounded_text(low) + "-" + rounded_text(high) + " W, of " +
                            recipe.board_idle.cited + ") less the units' idle power, " + rounded_text(idle_units) +
                            " W; memory is part of it; standard deviation " + rounded_text(out.static_power_std_w, 3) +
                            " W: that of one board's idle power over these rows";
  out.report = calibrate.report_ + "board: " + out.static_power_source + "\n";
  return out;
}

std::string with_power(const Json& platform, const PowerCalibration& calibration) {
  Json out = platform;
  for (const PowerCalibration::Unit& unit : calibration.units) {
    Json& target = out.at("units").at(unit.name);
    target["power"] = to_json(unit.points);
    target["source"] = unit.source;
    target["power_uncertainty"] = to_json(unit.uncertainty);
  }
  out["static_power_w"] = calibration.static_power_w;
  out["static_power_provenance"] = "derived";
  out["static_power_source"] = calibration.static_power_source;
  out["static_power_std_w"] = calibration.static_power_std_w;
  std::string text;
  write_json(out, 0, 0, text);
  return text + "\n";
}

}  // namespace dynasoc
