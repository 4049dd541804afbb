// `dynasoc table power RECIPE`: computes a platform's power points from measured rows.
#include <algorithm>

#include "cli/console.hpp"
#include "common/document.hpp"
#include "common/text.hpp"
#include "device/power_fit.hpp"

namespace dynasoc::cli {

namespace {

// How well the fit predicts what it has not seen: each setting, clock and workload from the others.
Json left_out_json(const std::vector<LeftOutSetting>& settings) {
  Json out = Json::array();
  for (const LeftOutSetting& one : settings) {
    Json workloads = Json::array();
    for (const auto& workload : one.workloads)
      workloads.push_back({{"workload", workload.name},
                           {"measured_w", workload.measured_w},
                           {"predicted_w", workload.predicted_w},
                           {"error", workload.error()},
                           {"from_cores_and_clock_w", workload.of_cores_w},
                           {"error_from_cores_and_clock", workload.error_of_cores()}});
    out.push_back({{"mode", one.setting},
                   {"cores", one.cores},
                   {"mhz", one.ghz * 1000},
                   {"in_range", one.in_range},
                   {"measured_w", one.measured_w},
                   {"predicted_w", one.predicted_w},
                   {"error", one.error()},
                   {"from_cores_and_clock_w", one.of_cores_w},
                   {"error_from_cores_and_clock", one.error_of_cores()},
                   {"error_of_power_law", one.error_of_power_law()},
                   {"workloads", std::move(workloads)}});
  }
  return out;
}
Json left_out_json(const std::vector<LeftOutRows>& rows) {
  Json out = Json::array();
  for (const LeftOutRows& one : rows)
    out.push_back({{"left_out", one.what},
                   {"rows", one.rows},
                   {"in_range", one.in_range},
                   {"measured_w", one.measured_w},
                   {"predicted_w", one.predicted_w},
                   {"error", one.error()},
                   {"worst_row_error", one.worst}});
  return out;
}

Json unit_json(const PowerCalibration::Unit& unit) {
  Json out = {{"source", unit.source},
              {"rows", unit.rows},
              {"residual_rms", unit.rms_share},
              {"power", to_json(unit.points)},
              {"power_uncertainty", to_json(unit.uncertainty)}};
  for (const auto& [name, value] : unit.coefficients)
    out["coefficients"][name] = {
        {"value", value.value}, {"standard_error", value.standard_error}, {"unit", value.unit}};
  Json& tests = out["leave_one_out"];
  if (!unit.settings.empty()) tests["modes"] = left_out_json(unit.settings);
  for (const auto& [name, settings] : unit.variants) tests["variants"][name] = left_out_json(settings);
  if (!unit.clocks.empty()) tests["clocks"] = left_out_json(unit.clocks);
  if (!unit.workloads.empty()) tests["workloads"] = left_out_json(unit.workloads);
  for (const ShapeCheck& check : unit.checks)
    out["related_board"].push_back({{"workload", check.workload},
                                    {"low_mhz", check.low_mhz},
                                    {"high_mhz", check.high_mhz},
                                    {"measured_energy_ratio", check.measured},
                                    {"predicted_energy_ratio", check.predicted}});
  return out;
}

}  // namespace

int power_command(const Arguments& arguments, Console& console) {
  static constexpr const char* kUsage =
      "usage: dynasoc table power RECIPE.json [--write] [--json]\n"
      "  Fits idle and busy power to the measured rows that the recipe names (platforms/raw/*.power.json) and prints "
      "the\n"
      "  fits, their residuals, how well each power mode, clock and workload is predicted from the others, and the "
      "power\n"
      "  points. --write puts them into the recipe's platform file.\n"
      "  Without --write the exit status is 1 if the platform file holds other figures.\n";
  std::string recipe;
  bool write = false, json = false;
  for (const std::string& argument : arguments) {
    if (argument == "--write") {
      write = true;
    } else if (argument == "--json") {
      json = true;
    } else if (argument == "--help" || argument == "-h") {
      console.out << kUsage;
      return kSuccess;
    } else if (argument.starts_with("-")) {
      const std::vector<std::string> known{"--write", "--json", "--help"};
      throw InputError("table power: unknown option \"" + argument + "\"" + hint(argument, known));
    } else if (recipe.empty()) {
      recipe = argument;
    } else {
      throw InputError("table power: one recipe at a time");
    }
  }
  if (recipe.empty())
    throw InputError("table power: a recipe is missing (dynasoc table power RECIPE.json; --help says more)");

  const PowerCalibration calibration = calibrate_power(recipe);
  const auto platform = Document::load(calibration.platform);
  const std::string text = with_power(platform->root(), calibration);
  // Compared as JSON: the layout of a file is not what the recipe is about.
  const bool same = Json::parse(text) == platform->root();
  if (json) {
    Json units = Json::object();
    for (const auto& unit : calibration.units) units[unit.name] = unit_json(unit);
    console.out << Json{{"platform", calibration.platform.string()},
                        {"units", std::move(units)},
                        {"static_power_w", calibration.static_power_w},
                        {"static_power_source", calibration.static_power_source},
                        {"static_power_std_w", calibration.static_power_std_w},
                        {"up_to_date", same || write}}
                       .dump(2)
                << "\n";
  } else {
    console.out << calibration.report;
    for (const auto& unit : calibration.units) {
      console.out << unit.name << ": MHz, idle W, busy W\n";
      for (const PowerPoint& point : unit.points)
        console.out << "  " << number_text(point.mhz) << "  " << number_text(point.idle_w) << "  "
                    << number_text(point.busy_w) << "\n";
    }
  }
  if (write) {
    write_file(calibration.platform, text);
    if (!json) console.out << "written to " << calibration.platform.string() << "\n";
    return kSuccess;
  }
  if (!json)
    console.out << calibration.platform.string()
                << (same ? " holds these figures\n" : " holds other figures (--write to replace them)\n");
  return same ? kSuccess : kCheckFailed;
}

}  // namespace dynasoc::cli
