// dynasoc table import|show|fit|fill|merge|lint|power: from measurements to tables, and what a table can tell.
#include "application/table.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "application/import.hpp"
#include "application/latency_model.hpp"
#include "application/network.hpp"
#include "application/scaling_fit.hpp"
#include "application/table_fill.hpp"
#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/output_files.hpp"
#include "cli/table_common.hpp"
#include "common/text.hpp"
#include "device/platform.hpp"
#include "scenario/data_paths.hpp"

namespace dynasoc::cli {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

constexpr const char* kUsage =
    "dynasoc table: latency/energy tables\n"
    "\n"
    "  dynasoc table import FORM INPUT… -o OUT.csv   published numbers or your own samples into a table\n"
    "  dynasoc table show   FILE.csv|NETWORK         the cells, where they come from, a summary\n"
    "  dynasoc table fit    FILE.csv                 how latency follows clocks and cores, and how well that is known\n"
    "  dynasoc table fill   NETWORK --table T --platform P -o OUT.csv   the cells that a fit can tell, marked derived\n"
    "  dynasoc table merge  A.csv B.csv… -o OUT.csv  several measurements of the same cells pooled; where they "
    "disagree\n"
    "  dynasoc table lint   FILE.csv|FOLDER|NETWORK… what is suspicious in tables: copied rows, outliers, mixed units\n"
    "  dynasoc table power  RECIPE.json              a platform's power points from measured rows\n"
    "\n"
    "`dynasoc table SUBCOMMAND --help` says more.\n";

using Words = std::vector<std::string>;

// The one positional argument.
std::string only_word(const Options& options, const std::string& missing) {
  if (!options.has("what")) throw InputError(missing);
  return options.get<Words>("what").front();
}

bool knows(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// A network by its file, its folder, or its name among the models.
Network find_network(const std::string& name) {
  std::error_code code;
  const fs::path path(name);
  if (fs::is_regular_file(path, code)) return Network::load(path);
  if (fs::is_regular_file(path / "network.json", code)) return Network::load(path / "network.json");
  const DataPaths paths;
  const std::vector<std::string> known = paths.networks();
  if (!knows(known, name)) throw InputError("there is no file or network \"" + name + "\"" + hint(name, known));
  return Network::load(paths.network({name, {}}));
}

std::string table_of(const Network& network, const Options& options) {
  if (options.has("table")) return options.get<std::string>("table");
  if (!network.file.default_table.empty()) return network.file.default_table.text;
  if (network.file.tables.size() == 1) return network.file.tables.front().first;
  std::string known;
  for (const auto& [name, unused] : network.file.tables) known += (known.empty() ? "" : ", ") + name;
  throw InputError("the network \"" + network.file.name +
                   "\" has several tables and no default: choose one with --table (" + known + ")");
}

// Rows of text in columns: the first two left-aligned, the others to the right.
std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> width;
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (width.size() <= i) width.push_back(0);
      width[i] = std::max(width[i], row[i].size());
    }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string pad(width[i] - row[i].size(), ' ');
      line += (i ? "  " : "") + (i < 2 ? row[i] + pad : pad + row[i]);
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    out += line + '\n';
  }
  return out;
}

char mark(Provenance provenance) {
  return name_of(provenance)[0] == 'm' ? 'm' : provenance == Provenance::digitised ? 'd' : '*';
}

// ---------------------------------------------------------------------------------------------------------------------

std::string import_doc() {
  std::string out = "Makes published numbers, or your own samples, into a table. Forms:\n";
  for (const ImportForm& form : import_forms()) {
    out += "  " + form.name;
    for (const std::string& input : form.inputs) out += " <" + input + ">";
    out += "\n      " + form.doc + "\n";
    for (const ImportOption& option : form.options)
      out += "      --" + option.name + (option.required ? " (needed): " : ": ") + option.doc + "\n";
  }
  return out +
         "\nA table for your own board: log one row an inference, then for instance\n"
         "  dynasoc table import samples my_board.csv --skip 10 -o my_board.table.csv \\\n"
         "      --source \"Jetson Xavier NX, JetPack 5.1, jetson_clocks, 2024-05-01\" --meter \"VDD_IN, INA3221, 100 "
         "ms\"";
}

int import_command(const Arguments& arguments, Console& console) {
  Options options("dynasoc table import FORM INPUT… [-o OUT] [options of the form]", import_doc());
  options.add()("output,o", po::value<std::string>(), "file to write; without it the table goes to the terminal")(
      "force,f", "replace the file if it exists");
  std::vector<std::string> form_options;
  for (const ImportForm& form : import_forms())
    for (const ImportOption& option : form.options)
      if (!knows(form_options, option.name)) {
        form_options.push_back(option.name);
        options.add()(option.name.c_str(), po::value<std::string>(), "see the forms");
      }
  options.positional("what", -1);
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  if (!options.has("what")) throw InputError("table import: which form? (`dynasoc table import --help` lists them)");
  const Words words = options.get<Words>("what");
  std::map<std::string, std::string> given;
  for (const std::string& name : form_options)
    if (options.has(name)) given[name] = options.get<std::string>(name);
  std::vector<std::string> warnings;
  const Words inputs(words.begin() + 1, words.end());
  const std::string content = import_files(words[0], {inputs.begin(), inputs.end()}, given, &warnings);
  for (const std::string& warning : warnings) console.err << "warning: " << warning << '\n';
  deliver(content, options, console, inputs);
  return kSuccess;
}

int show_command(const Arguments& arguments, Console& console) {
  Options options("dynasoc table show FILE.csv|NETWORK [options]",
                  "The cells of a table, where they come from, a summary.");
  options.add()("table,t", po::value<std::string>(), "which table of the network (its default)")(
      "unit,u", po::value<std::string>(), "only the cells of this unit")("json", "one JSON object")(
      "plot", po::value<std::string>(),
      "draw latency over the unit's clock into this file (.png or .svg; by gnuplot, or python3 with matplotlib): bars "
      "are "
      "prediction intervals or deviations, markers tell measured, digitised and derived");
  options.positional("what", 1);
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  const std::string what = only_word(options, "table show: which file or network?");

  std::optional<Network> network;
  Table table;
  std::string title = what;
  if (fs::path(what).extension() == ".csv") {
    if (options.has("table")) throw InputError("--table chooses among a network's tables; " + what + " is one table");
    table = Table::load(what);
  } else {
    network = find_network(what);
    const std::string name = table_of(*network, options);
    table = network->table(name);
    for (const auto& [key, reference] : network->file.tables)
      if (key == name) title = network->file.name + ", table " + name + " (" + reference.platform.text + ")";
  }
  if (options.has("unit")) {
    const std::string unit = options.get<std::string>("unit");
    std::vector<std::string> units;
    for (const Cell& cell : table.cells)
      if (std::find(units.begin(), units.end(), cell.unit) == units.end()) units.push_back(cell.unit);
    if (std::find(units.begin(), units.end(), unit) == units.end())
      throw InputError("no cell is on the unit \"" + unit + "\"" + hint(unit, units));
    std::erase_if(table.cells, [&](const Cell& cell) { return cell.unit != unit; });
  }

  if (options.has("plot")) plot_table(table, title, options.get<std::string>("plot"));

  std::map<Provenance, int> latency_kinds, energy_kinds;
  double fastest = std::numeric_limits<double>::infinity(), slowest = 0;
  int with_energy = 0;
  std::vector<std::string> subnets;
  for (const Cell& cell : table.cells) {
    ++latency_kinds[cell.provenance];
    if (std::isfinite(cell.energy_mj)) ++with_energy, ++energy_kinds[cell.energy_provenance];
    fastest = std::min(fastest, cell.latency_ms_mean);
    slowest = std::max(slowest, cell.latency_ms_mean);
    if (std::find(subnets.begin(), subnets.end(), cell.subnet) == subnets.end()) subnets.push_back(cell.subnet);
  }
  const auto accuracy = [&](const Cell& cell) {
    const int index = network ? network->subnet_index(cell.subnet) : -1;
    return index < 0 ? std::nan("") : network->file.subnets[static_cast<std::size_t>(index)].accuracy;
  };

  if (options.has("json")) {
    Json cells = Json::array();
    for (const Cell& cell : table.cells) {
      Json entry = {{"subnet", cell.subnet}, {"unit", cell.unit}};
      if (network) entry["accuracy"] = accuracy(cell);
      if (cell.at.cores > 0) entry["cores"] = cell.at.cores;
      const auto add = [&](const char* name, double x) {
        if (std::isfinite(x)) entry[name] = x;
      };
      add("f_cpu_mhz", cell.at.f_cpu_mhz);
      add("f_gpu_mhz", cell.at.f_gpu_mhz);
      add("f_emc_mhz", cell.at.f_emc_mhz);
      add("latency_ms_mean", cell.latency_ms_mean);
      add("latency_ms_std", cell.latency_ms_std);
      if (cell.n > 0) entry["n"] = cell.n;
      add("latency_ms_low", cell.latency_ms_low);
      add("latency_ms_high", cell.latency_ms_high);
      add("latency_ms_p50", cell.latency_ms_p50);
      add("latency_ms_p90", cell.latency_ms_p90);
      add("latency_ms_p99", cell.latency_ms_p99);
      add("energy_mj", cell.energy_mj);
      add("energy_mj_low", cell.energy_mj_low);
      add("energy_mj_high", cell.energy_mj_high);
      add("power_w", cell.power_w);
      add("idle_power_w", cell.idle_power_w);
      entry["provenance"] = std::string(name_of(cell.provenance));
      entry["source"] = cell.source;
      if (!cell.energy_source.empty()) {
        entry["energy_provenance"] = std::string(name_of(cell.energy_provenance));
        entry["energy_source"] = cell.energy_source;
      }
      cells.push_back(std::move(entry));
    }
    Json summary = {{"cells", table.cells.size()}, {"subnets", subnets.size()}, {"with_energy", with_energy}};
    for (const auto& [name, kind] : EnumNames<Provenance>::names)
      summary["provenance"][std::string(name)] = latency_kinds[kind];
    console.out << Json{{"table", title}, {"cells", std::move(cells)}, {"summary", std::move(summary)}}.dump(2) << '\n';
    return kSuccess;
  }

  std::vector<std::vector<std::string>> rows{{"subnet", "unit", "cores", "cpu MHz", "gpu MHz", "emc MHz", "latency ms",
                                              "std", "n", "energy mJ", "power W", "idle W"}};
  if (network) rows[0].insert(rows[0].begin() + 2, "accuracy");
  const auto plain = [](double x) { return std::isfinite(x) ? number_text(x) : std::string("-"); };
  for (const Cell& cell : table.cells) {
    const auto energy = [&](double x) {
      return std::isfinite(x) ? rounded_text(x) + " " + mark(cell.energy_provenance) : std::string("-  ");
    };
    rows.push_back({cell.subnet, cell.unit, cell.at.cores > 0 ? std::to_string(cell.at.cores) : "-",
                    plain(cell.at.f_cpu_mhz), plain(cell.at.f_gpu_mhz), plain(cell.at.f_emc_mhz),
                    rounded_text(cell.latency_ms_mean) + " " + mark(cell.provenance),
                    rounded_text(cell.latency_ms_std, 3), cell.n > 0 ? plain(cell.n) : "-", energy(cell.energy_mj),
                    energy(cell.power_w), energy(cell.idle_power_w)});
    if (network) rows.back().insert(rows.back().begin() + 2, rounded_text(accuracy(cell)));
  }
  console.out << title << '\n' << aligned(rows);
  const auto count = [](std::map<Provenance, int>& kinds) {
    return std::to_string(kinds[Provenance::measured]) + " measured (m), " +
           std::to_string(kinds[Provenance::digitised]) + " digitised (d), " +
           std::to_string(kinds[Provenance::derived]) + " derived (*)";
  };
  console.out << table.cells.size() << " cells of " << subnets.size() << " sub-network"
              << (subnets.size() == 1 ? "" : "s") << ", " << rounded_text(fastest) << " to " << rounded_text(slowest)
              << " ms: " << count(latency_kinds) << "; energy: ";
  if (with_energy == 0)
    console.out << "none\n";
  else
    console.out << count(energy_kinds) << '\n';
  return kSuccess;
}

// A table, or a published grid of latencies over clocks.
Table load_table_or_grid(const fs::path& path) {
  const Csv csv = Csv::load(path);
  return csv.has("workload") && csv.has("gpu_mhz") ? import_frequency_grid(csv, "") : Table::from_csv(csv);
}

// Whether a fit says what its latencies are bound by: cells that vary, and a model that meets them.
bool can_be_read(const ScalingFit& fit) {
  constexpr double kMostMissed = 0.1;
  return fit.has_shape() && fit.mape <= kMostMissed;
}

int fit_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc table fit FILE.csv [options]",
      "Fits the soft roofline to the cells of each sub-network on each unit: how latency follows clocks and\n"
      "cores, what the cells cannot tell, and how well each point is predicted from the others. FILE is a table, or a\n"
      "grid as published (device,workload,cpu_mhz,gpu_mhz,…); groups are sub-networks or workloads by unit.\n"
      "Intervals are 95 %: residual variance times the inverse of JᵀJ at the optimum, over the coefficients that are "
      "not\n"
      "at a bound, with Student's t.");
  options.add()(
      "json",
      "one JSON object, {\"groups\": {NAME: {coefficients, intervals, mape, cv_mape, n, reading, …}}}; errors "
      "and shares there are fractions (0.01 is one percent)")("residuals", "also print each cell's residual")(
      "p", po::value<double>(), "hold the overlap p at this value (1 to 64) instead of fitting it");
  options.positional("what", 1);
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  const std::string what = only_word(options, "table fit: which file?");
  FitOptions fit_options;
  if (options.has("p")) {
    fit_options.p = options.get<double>("p");
    if (!(*fit_options.p >= 1 && *fit_options.p <= 64)) throw InputError("--p must be from 1 to 64");
  }
  const Table table = load_table_or_grid(what);
  const auto fits = fit_table(table, fit_options);

  if (options.has("json")) {
    Json groups = Json::object();
    for (const auto& [group, fit] : fits) {
      const auto coefficients = [](const SoftRoofline& m) {
        return Json{{"fixed_ms", m.fixed_ms},
                    {"host_ms", m.host_ms},
                    {"unit_ms", m.unit_ms},
                    {"memory_ms", m.memory_ms},
                    {"p", m.p},
                    {"parallel_fraction", m.parallel_fraction},
                    {"f_cpu_mhz", m.f_cpu_mhz},
                    {"f_unit_mhz", m.f_unit_mhz},
                    {"f_emc_mhz", m.f_emc_mhz},
                    {"cores", m.cores}};
      };
      Json intervals = Json::object();
      for (const CoefficientInterval& interval : fit.intervals)
        intervals[interval.term] = {{"low", number_or_null(interval.low)},
                                    {"high", number_or_null(interval.high)},
                                    {"at_bound", interval.at_bound}};
      Json points = Json::array();
      for (std::size_t i = 0; i < group.cells.size(); ++i) {
        const Cell& cell = table.cells[static_cast<std::size_t>(group.cells[i])];
        points.push_back({{"at", cell.at.text()},
                          {"latency_ms", cell.latency_ms_mean},
                          {"predicted_ms", cell.latency_ms_mean * (1 + fit.residuals[i])},
                          {"residual", fit.residuals[i]}});
      }
      const RooflineReading reading = reading_of(fit.model);
      // Cells at one operating point say nothing of what follows which clock.
      const Json kind = can_be_read(fit) ? Json(reading.kind) : Json(nullptr);
      groups[group.name()] = {{"coefficients", coefficients(fit.model)},
                              {"intervals", std::move(intervals)},
                              {"mape", fit.mape},
                              {"cv_mape", number_or_null(fit.cv_mape)},
                              {"n", fit.n},
                              {"operating_points", fit.operating_points},
                              {"degrees_of_freedom", fit.degrees_of_freedom},
                              {"residual_std", number_or_null(fit.residual_std)},
                              {"terms", fit.terms},
                              {"not_identifiable", fit.not_identifiable},
                              {"reading",
                               {{"kind", kind},
                                {"fixed", reading.fixed},
                                {"host", reading.host},
                                {"unit", reading.unit},
                                {"memory", reading.memory}}},
                              {"residuals", fit.residuals},
                              {"points", std::move(points)},
                              {"shape", coefficients(normalised(fit.model))}};
    }
    console.out << Json{{"groups", std::move(groups)}}.dump(2) << '\n';
    return kSuccess;
  }
  for (const auto& [group, fit] : fits) {
    const auto percent = [](double x) { return std::isfinite(x) ? rounded_text(100 * x, 3) + " %" : std::string("-"); };
    const SoftRoofline& m = fit.model;
    const auto counted = [](int n, const char* thing) { return std::to_string(n) + " " + thing + (n == 1 ? "" : "s"); };
    console.out << group.name() << ": " << counted(fit.n, "cell") << " at "
                << counted(fit.operating_points, "operating point") << "\n  ";
    const char* separator = "";
    const auto term = [&](const char* name, double value, double reference, const char* unit) {
      if (value == 0) return;
      console.out << separator << name << " " << rounded_text(value) << " ms";
      if (reference > 0) console.out << " at " << number_text(reference) << unit;
      separator = ", ";
    };
    term("fixed", m.fixed_ms, 0, "");
    term("host", m.host_ms, m.f_cpu_mhz, " MHz");
    term("unit", m.unit_ms, m.f_unit_mhz, " MHz");
    term("memory", m.memory_ms, m.f_emc_mhz, " MHz");
    if (m.unit_ms > 0 && m.memory_ms > 0) console.out << ", p " << rounded_text(m.p, 3);
    if (m.parallel_fraction > 0)
      console.out << ", parallel fraction " << rounded_text(m.parallel_fraction, 3) << " (of " << m.cores << " cores)";
    console.out << "\n  mean error " << percent(fit.mape) << ", each point predicted without itself "
                << percent(fit.cv_mape) << '\n';
    const RooflineReading reading = reading_of(m);
    if (!fit.has_shape())
      console.out << "  no reading: these cells do not tell what follows which clock\n";
    else if (!can_be_read(fit))
      console.out << "  no reading: the model misses these cells by " << percent(fit.mape) << " on average\n";
    else
      console.out << "  " << reading.kind << " at the reference: " << percent(reading.unit) << " computing, "
                  << percent(reading.memory) << " memory, " << percent(reading.fixed + reading.host) << " launching"
                  << (fit.not_identifiable.empty() ? "\n" : "; as far as these cells can tell\n");
    for (const CoefficientInterval& interval : fit.intervals) {
      console.out << "  " << interval.term << " " << rounded_text(interval.value);
      if (interval.at_bound)
        console.out << ": at its bound\n";
      else if (std::isfinite(interval.low))
        console.out << ", 95 % interval " << rounded_text(interval.low) << " to " << rounded_text(interval.high)
                    << '\n';
      else
        console.out << ": no interval, as many coefficients as cells\n";
    }
    for (const std::string& sentence : fit.not_identifiable) console.out << "  cannot tell " << sentence << '\n';
    if (!options.has("residuals")) continue;
    for (std::size_t i = 0; i < group.cells.size(); ++i) {
      const Cell& cell = table.cells[static_cast<std::size_t>(group.cells[i])];
      console.out << "    " << cell.at.text() << ": " << rounded_text(cell.latency_ms_mean) << " ms, predicted "
                  << rounded_text(cell.latency_ms_mean * (1 + fit.residuals[i])) << " ms, off "
                  << percent(fit.residuals[i]) << '\n';
    }
  }
  return kSuccess;
}

int fill_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc table fill NETWORK --platform P [options]",
      "Adds the cells that a table lacks, at every operating performance point of its units, and energy from the\n"
      "platform's power points; all that is added is marked derived. Added latencies have a 95 % prediction interval\n"
      "(latency_ms_low, latency_ms_high): that of the group's fit, or bounds where the cells are too few for one.\n"
      "NETWORK is a network.json, its folder or name.");
  options.add()("table,t", po::value<std::string>(), "which table of the network (its default)")(
      "platform,p", po::value<std::string>(), "platform file or name: operating points and power")(
      "output,o", po::value<std::string>(), "file to write; without it the table goes to the terminal")(
      "force,f", "replace the file if it exists");
  options.positional("what", 1);
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  const std::string what = only_word(options, "table fill: which network?");
  if (!options.has("platform")) throw InputError("table fill: which platform? (--platform)");
  const Network network = find_network(what);
  const std::string name = table_of(network, options);
  const Table table = network.table(name);
  const Platform platform = find_platform(options.get<std::string>("platform"));
  Words inputs;
  for (const auto& [key, reference] : network.file.tables) {
    inputs.push_back((network.folder / reference.file.text).string());
    if (key == name && reference.platform.text != platform.file.name)
      throw InputError("the table \"" + name + "\" is of " + reference.platform.text + ", not of " +
                       platform.file.name);
  }
  deliver(fill_table(table, network, platform).to_csv(), options, console, inputs);
  return kSuccess;
}

}  // namespace

void deliver(const std::string& content, const Options& options, Console& console, const Words& inputs) {
  if (!options.has("output")) {
    console.out << content;
    return;
  }
  const fs::path path = new_file(options, "output");
  NamedFiles read;
  for (const std::string& input : inputs) read.emplace_back("", input);
  require_different({{"--output", path}}, read);
  write_file(path, content);
}

Platform find_platform(const std::string& name) {
  std::error_code code;
  if (fs::is_regular_file(name, code)) return Platform::load(name);
  const DataPaths paths;
  const std::vector<std::string> known = paths.platforms();
  if (!knows(known, name)) throw InputError("there is no file or platform \"" + name + "\"" + hint(name, known));
  return Platform::load(paths.platform({name, {}}));
}

Json number_or_null(double x) { return std::isfinite(x) ? Json(x) : Json(nullptr); }

int table_command(const Arguments& arguments, Console& console) {
  static const std::vector<std::pair<std::string, int (*)(const Arguments&, Console&)>> subcommands = {
      {"import", import_command},     {"show", show_command},       {"fit", fit_command},    {"fill", fill_command},
      {"merge", table_merge_command}, {"lint", table_lint_command}, {"power", power_command}};
  if (arguments.empty()) throw InputError("table: which subcommand? (import, show, fit, fill, merge, lint, power)");
  if (arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") {
    console.out << kUsage;
    return kSuccess;
  }
  std::vector<std::string> known;
  for (const auto& [name, run] : subcommands) {
    if (name == arguments[0]) return run({arguments.begin() + 1, arguments.end()}, console);
    known.push_back(name);
  }
  throw InputError("table: unknown subcommand \"" + arguments[0] + "\"" + hint(arguments[0], known));
}

}  // namespace dynasoc::cli
