#include "device/power_fit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <Eigen/Dense>

#include "common/text.hpp"

namespace dynasoc {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

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

RelativeShape load_shape(const ScaleRecipe& recipe, const std::filesystem::path& folder) {
  std::vector<RelativeShape::Run> runs;
  for (const ShapeRunFile& file : recipe.shape) {
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
  return RelativeShape(runs, recipe.floor_mw);
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

class Calibrator {
 public:
  Calibrator(const Platform& platform, std::filesystem::path folder)
      : platform_(platform), folder_(std::move(folder)) {}

  PowerCalibration::Unit operator()(const ScaleRecipe& recipe) {
    const std::size_t unit = index(recipe.unit);
    const auto rows = load_power_rows(recipe.rows, folder_);
    const RelativeShape shape = load_shape(recipe, folder_);
    const ScaleFit fit = fit_scale(rows, shape);
    const Span span = clocks_of(rows);
    double low = fit.k, high = fit.k;
    for (const auto& [workload, k] : fit.without) {
      low = std::min(low, k);
      high = std::max(high, k);
    }

    PowerCalibration::Unit out;
    out.name = recipe.unit.text;
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
    if (recipe.check) {
      if (recipe.check->energy_column.empty()) throw recipe.check->where.error("a check needs an \"energy_column\"");
      report_ += "  energy above idle of one inference between two clocks, " + recipe.check->cited + ":\n";
      for (const ShapeCheck& check : check_shape(load_power_rows(*recipe.check, folder_), shape))
        report_ += "    " + check.workload + " " + number_text(check.low_mhz) + " -> " + number_text(check.high_mhz) +
                   " MHz: measured " + rounded_text(check.measured, 3) + ", s(f) says " +
                   rounded_text(check.predicted, 3) + "\n";
    }
    return out;
  }

  PowerCalibration::Unit operator()(const CoresClockRecipe& recipe) {
    const std::size_t unit = index(recipe.unit);
    if (recipe.rows.cores_column.empty()) throw recipe.rows.where.error("this fit needs a \"cores_column\"");
    const auto rows = load_power_rows(recipe.rows, folder_);
    const CoresClockFit fit = fit_cores_clock(rows);
    const Span span = clocks_of(rows);
    int cores = 0;
    for (const int domain : platform_.links[unit].domains)
      cores += platform_.file.domains[static_cast<std::size_t>(domain)].second.cores;
    if (cores == 0) throw recipe.unit.error("the unit's domains state no cores");

    const std::string law = "k = " + rounded_text(fit.k, 3) + " W (standard error " + percent(fit.relative_error_k) +
                            "), a = " + rounded_text(fit.a, 3) + " +- " + rounded_text(fit.standard_error_a, 2) +
                            ", b = " + rounded_text(fit.b, 3) + " +- " + rounded_text(fit.standard_error_b, 2);
    PowerCalibration::Unit out;
    out.name = recipe.unit.text;
    out.source =
        "derived: busy = idle + k cores^a f^b with f in GHz, " + law + ", log-linear least squares on " +
        std::to_string(rows.size()) + " rows of " + recipe.rows.cited + "; residual rms " + percent(fit.rms_log) +
        "; below " + number_text(span.low) +
        " MHz, the lowest of these clocks, power is taken as proportional to the clock (a power law would promise"
        " energies per cycle that no supply voltage reaches); evaluated for " +
        std::to_string(cores) + " cores; idle: " + recipe.idle_source;
    for (const double mhz : opps(unit)) {
      // Supply voltages have a floor; the TX2's rail shows it (energy per cycle within 16 % from 115 to 727 MHz).
      const bool below = mhz < span.low;
      const double watts = below ? fit.watts(cores, span.low) * mhz / span.low : fit.watts(cores, mhz);
      out.points.push_back({mhz, recipe.idle_w, milliwatts(recipe.idle_w + watts), Provenance::derived,
                            (below ? std::string("proportional to the clock below the fitted curve")
                                   : "k cores^a f^b of the unit's source, fitted curve +- " +
                                         percent(fit.prediction_error_log(cores, mhz))) +
                                "; " + standing(mhz, span)});
    }

    report_ += recipe.unit.text + ": P - idle = k cores^a (f/GHz)^b, " + std::to_string(rows.size()) + " rows of " +
               recipe.rows.cited + "\n  " + law + ", residual rms " + percent(fit.rms_log) + "\n";
    for (std::size_t i = 0; i < rows.size(); ++i)
      report_ += "    " + std::to_string(rows[i].cores) + " cores at " + number_text(rows[i].mhz) +
                 " MHz: " + rounded_text(rows[i].above_idle_w) + " W, the curve says " +
                 rounded_text(fit.watts(rows[i].cores, rows[i].mhz)) + " W\n";
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
  for (const std::string* column : {&rows.clock_column, &rows.power_column, &rows.idle_column, &rows.cores_column,
                                    &rows.energy_column, &rows.workload_column})
    need(*column);

  std::vector<PowerRow> out;
  for (std::size_t i = 0; i < csv.size(); ++i) {
    if (std::any_of(rows.select.begin(), rows.select.end(),
                    [&](const auto& wanted) { return csv.text(i, wanted.first) != wanted.second; }))
      continue;
    PowerRow row;
    row.workload = csv.text(i, rows.workload_column);
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
    return std::pair{xx > 0 ? xy / xx : kNan, xx};
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
  double sum = 0, low = std::numeric_limits<double>::infinity(), high = 0;
  for (const PowerRow& row : rows) {
    if (std::isnan(row.idle_w)) throw recipe.board_idle.where.error("a selected row states no idle power");
    sum += row.idle_w;
    low = std::min(low, row.idle_w);
    high = std::max(high, row.idle_w);
  }
  const double idle = sum / static_cast<double>(rows.size());
  if (idle < idle_units) throw recipe.where.error("the idle units draw more than the idle board");
  out.static_power_w = milliwatts(idle - idle_units);
  out.static_power_source = "derived: idle board " + rounded_text(idle) + " W (mean of " + std::to_string(rows.size()) +
                            " rows, " + rounded_text(low) + "-" + rounded_text(high) + " W, of " +
                            recipe.board_idle.cited + ") less the units' idle power, " + rounded_text(idle_units) +
                            " W; memory is part of it";
  out.report = calibrate.report_ + "board: " + out.static_power_source + "\n";
  return out;
}

std::string with_power(const Json& platform, const PowerCalibration& calibration) {
  Json out = platform;
  for (const PowerCalibration::Unit& unit : calibration.units) {
    Json& target = out.at("units").at(unit.name);
    target["power"] = to_json(unit.points);
    target["source"] = unit.source;
  }
  out["static_power_w"] = calibration.static_power_w;
  out["static_power_provenance"] = "derived";
  out["static_power_source"] = calibration.static_power_source;
  std::string text;
  write_json(out, 0, 0, text);
  return text + "\n";
}

}  // namespace dynasoc
