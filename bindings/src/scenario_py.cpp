// Scenarios, platforms and networks: files with all defaults filled in, and what they resolve to.
#include "application/network.hpp"
#include "common/text.hpp"
#include "device/platform.hpp"
#include "docstrings.hpp"
#include "python.hpp"
#include "results/metric_column.hpp"
#include "results/output.hpp"
#include "scenario/scenario.hpp"
#include "types.hpp"

namespace dynasoc::python {
namespace {

namespace fs = std::filesystem;

using SharedScenario = std::shared_ptr<const LoadedScenario>;

SharedScenario hold(Scenario scenario) {
  auto out = std::make_shared<LoadedScenario>();
  out->scenario = std::move(scenario);
  return out;
}

SharedScenario scenario_from_file(const std::string& path, const Overrides& overrides) {
  auto document = Document::load(path);
  if (!is_manifest(document->root())) return hold(load_scenario(fs::path(path), overrides));
  RunRequest request;
  Scenario scenario = load_manifest(document, path, overrides, request);
  auto setup = std::make_shared<Setup>(*scenario.setup);
  setup->seed = request.seed;
  scenario.setup = std::move(setup);
  scenario.file.seed = static_cast<std::int64_t>(request.seed);
  scenario.file.replications = request.replications;
  scenario.inputs.insert(scenario.inputs.begin(), path);
  return hold(std::move(scenario));
}

SharedScenario scenario_from_text(const std::string& text, const std::string& folder, const std::string& name,
                                  const Overrides& overrides) {
  return hold(load_scenario(Document::parse(text, name), folder, overrides));
}

// Names of everything that Python shows by name.
Fields names_of(const LoadedScenario& loaded) {
  const Setup& setup = *loaded.scenario.setup;
  py::list applications, units, domains;
  for (const AppSetup& app : setup.apps) {
    py::dict one;
    one["name"] = app.name;
    one["subnets"] = app.network->size();
    py::list accuracy;
    for (const Subnet& subnet : app.network->file.subnets) accuracy.append(subnet.accuracy);
    one["accuracy"] = accuracy;
    one["accuracy_metric"] = app.network->file.accuracy_metric;
    py::list targets;
    for (const TargetFile& target : app.file.targets) targets.append(py::make_tuple(target.from_s, target.latency_ms));
    one["targets"] = targets;
    applications.append(one);
  }
  for (const auto& [name, unused] : setup.platform.file.units) units.append(name);
  for (const auto& [name, file] : setup.platform.file.domains) {
    py::dict one;
    one["name"] = name;
    one["opps_mhz"] = py::cast(file.opps_mhz);
    domains.append(one);
  }
  Fields out;
  out["applications"] = applications;
  out["units"] = units;
  out["domains"] = domains;
  out["duration_s"] = to_s(setup.duration);
  out["warmup_s"] = to_s(setup.warmup);
  return out;
}

std::vector<std::string> texts(const std::vector<fs::path>& paths) {
  std::vector<std::string> out;
  for (const fs::path& path : paths) out.push_back(path.string());
  return out;
}

Fields platform(const std::string& path) {
  const Platform loaded = Platform::load(path);
  return to_python(to_json(loaded.file));
}

Fields network(const std::string& path) {
  const Network loaded = Network::load(path);
  return to_python(to_json(loaded.file));
}

// A table of a network, or a table's file (then `name` is empty): a list for each column.
py::typing::Dict<py::str, py::typing::List<py::str>> table(const std::string& path, const std::string& name) {
  const Table cells = name.empty() ? Table::load(path) : Network::load(path).table(name);
  const Csv csv = Csv::parse(cells.to_csv(), path);
  py::typing::Dict<py::str, py::typing::List<py::str>> out;
  for (const std::string& column : csv.columns()) {
    py::list values(csv.size());
    for (std::size_t row = 0; row < csv.size(); ++row) values[row] = py::str(std::string(csv.text(row, column)));
    out[py::str(column)] = values;
  }
  return out;
}

}  // namespace

void define_scenario(py::module_& module) {
  namespace text = doc::Scenario;
  py::class_<LoadedScenario, std::shared_ptr<LoadedScenario>>(module, "Scenario", text::self)
      .def_property_readonly("name", [](const LoadedScenario& s) { return s.scenario.file.name; })
      .def_property_readonly(
          "folder", [](const LoadedScenario& s) { return s.scenario.folder.string(); }, text::folder)
      .def_property_readonly(
          "inputs", [](const LoadedScenario& s) { return texts(s.scenario.inputs); }, text::inputs)
      .def_property_readonly(
          "warnings", [](const LoadedScenario& s) { return s.scenario.warnings; }, text::warnings)
      .def_property_readonly("names", &names_of, "Applications, units and domains by name, and times.")
      .def(
          "document", [](const LoadedScenario& s) { return Fields(to_python(s.scenario.document->root())); },
          text::document)
      .def(
          "fields", [](const LoadedScenario& s) { return Fields(to_python(to_json(s.scenario.file))); }, text::file)
      .def_property_readonly(
          "metrics", [](const LoadedScenario& s) { return metric_names(*s.scenario.setup); }, doc::metric_names);
  const auto non_const = [](SharedScenario loaded) { return std::const_pointer_cast<LoadedScenario>(loaded); };
  module.def(
      "scenario_from_file",
      [non_const](const std::string& path, const Overrides& overrides) {
        return non_const(scenario_from_file(path, overrides));
      },
      py::arg("path"), py::arg("overrides"), doc::load_scenario);
  module.def(
      "scenario_from_text",
      [non_const](const std::string& text, const std::string& folder, const std::string& name,
                  const Overrides& overrides) { return non_const(scenario_from_text(text, folder, name, overrides)); },
      py::arg("text"), py::arg("folder"), py::arg("name"), py::arg("overrides"), "The same for JSON in memory.");

  // Where names lead. Each takes a path or a name that `dynasoc list` knows.
  const auto find = [](const std::string& what, const std::string& given) {
    std::error_code code;
    if (fs::is_regular_file(given, code)) return given;
    const DataPaths paths;
    if (what == "network" && fs::is_regular_file(fs::path(given) / "network.json", code))
      return (fs::path(given) / "network.json").string();
    if (given.find('/') == std::string::npos || what == "scenario") {
      if (what == "scenario") return paths.scenario({given, {}}).string();
      if (what == "platform") return paths.platform({given, {}}).string();
      if (what == "network") return paths.network({given, {}}).string();
      if (what == "supernetwork") return paths.supernetwork({given, {}}).string();
      return paths.trace({given, {}}).string();
    }
    throw InputError({given, 0, 0, ""}, "no such file, and no " + what + " of that name");
  };
  module.def("find", find, py::arg("what"), py::arg("given"),
             "The file of a scenario, platform, network, supernetwork or trace.");
  module.def("platform", &platform, py::arg("path"), "A platform file, checked, defaults filled in.");
  module.def("network", &network, py::arg("path"), "A network file, checked, defaults filled in.");
  module.def("table", &table, py::arg("path"), py::arg("name"),
             "Columns of a network's table called `name`; or of a table's own file, then `name` is empty.");
}

}  // namespace dynasoc::python
