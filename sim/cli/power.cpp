// `dynasoc table power RECIPE`: computes a platform's power points from measured rows.
#include <algorithm>
#include <iostream>

#include "cli/command.hpp"
#include "common/document.hpp"
#include "common/text.hpp"
#include "device/power_fit.hpp"

namespace dynasoc::cli {

int power_command(const Arguments& arguments) {
  static constexpr const char* kUsage =
      "usage: dynasoc table power RECIPE.json [--write] [--json]\n"
      "  Fits idle and busy power to the measured rows that the recipe names (platforms/raw/*.power.json) and prints "
      "the\n"
      "  fits, their residuals and the power points. --write puts them into the recipe's platform file.\n"
      "  Without --write the exit status is 1 if the platform file holds other figures.\n";
  std::string recipe;
  bool write = false, json = false;
  for (const std::string& argument : arguments) {
    if (argument == "--write") {
      write = true;
    } else if (argument == "--json") {
      json = true;
    } else if (argument == "--help" || argument == "-h") {
      std::cout << kUsage;
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
  if (recipe.empty()) throw InputError("table power: a recipe is missing\n" + std::string(kUsage));

  const PowerCalibration calibration = calibrate_power(recipe);
  const auto platform = Document::load(calibration.platform);
  const std::string text = with_power(platform->root(), calibration);
  // Compared as JSON: the layout of a file is not what the recipe is about.
  const bool same = Json::parse(text) == platform->root();
  if (json) {
    Json units = Json::object();
    for (const auto& unit : calibration.units)
      units[unit.name] = {{"source", unit.source}, {"power", to_json(unit.points)}};
    std::cout << Json{{"platform", calibration.platform.string()},
                      {"units", std::move(units)},
                      {"static_power_w", calibration.static_power_w},
                      {"static_power_source", calibration.static_power_source},
                      {"up_to_date", same || write}}
                     .dump(2)
              << "\n";
  } else {
    std::cout << calibration.report;
    for (const auto& unit : calibration.units) {
      std::cout << unit.name << ": MHz, idle W, busy W\n";
      for (const PowerPoint& point : unit.points)
        std::cout << "  " << number_text(point.mhz) << "  " << number_text(point.idle_w) << "  "
                  << number_text(point.busy_w) << "\n";
    }
  }
  if (write) {
    write_file(calibration.platform, text);
    if (!json) std::cout << "written to " << calibration.platform.string() << "\n";
    return kSuccess;
  }
  if (!json)
    std::cout << calibration.platform.string()
              << (same ? " holds these figures\n" : " holds other figures (--write to replace them)\n");
  return same ? kSuccess : kCheckFailed;
}

}  // namespace dynasoc::cli
