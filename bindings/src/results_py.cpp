// Comparisons of managers on common random numbers.
#include <optional>

#include "docstrings.hpp"
#include "python.hpp"
#include "results/comparison.hpp"
#include "results/output.hpp"
#include "types.hpp"

namespace dynasoc::python {
namespace {

struct HeldComparison {
  std::shared_ptr<LoadedScenario> loaded;
  Comparison comparison;
};

// (label, text): as on the command line, `policy(parameter=value)`, or a JSON object with a name and parameters.
Contender contender(const Scenario& scenario, const std::string& label, const std::string& text) {
  Contender out;
  if (text.starts_with('{'))
    out.policy = manager::Choice<manager::Policy>::from_value(Value(Document::parse(text, label)));
  else
    out = contender_of(scenario, text);
  out.label = label;
  return out;
}

HeldComparison compare_policies(std::shared_ptr<LoadedScenario> loaded,
                                const std::vector<std::pair<std::string, std::string>>& policies, std::size_t baseline,
                                std::optional<std::uint64_t> seed, std::optional<int> replications, int jobs,
                                const std::string& decide_on, bool anatomy, const std::vector<std::string>& metrics,
                                const Progress& progress) {
  HeldComparison out;
  if (seed) {
    auto own = std::make_shared<LoadedScenario>(*loaded);
    auto setup = std::make_shared<Setup>(*loaded->scenario.setup);
    setup->seed = *seed;
    own->scenario.setup = std::move(setup);
    loaded = std::move(own);
  }
  const Scenario& scenario = loaded->scenario;
  ComparisonRequest request;
  for (const auto& [label, text] : policies) request.contenders.push_back(contender(scenario, label, text));
  request.baseline = baseline;
  request.replications = replications ? *replications : std::max(30, scenario.file.replications);
  request.jobs = jobs;
  request.decide_on = decide_on;
  request.anatomy = anatomy;
  for (const std::string& name : metrics) values_of(*scenario.setup, {}, name);  // refuses unknown names early
  if (!decide_on.empty()) values_of(*scenario.setup, {}, decide_on);
  interruptible(progress, jobs > 1, [&](const std::function<void(double)>& tell) {
    request.progress = tell;
    out.comparison = compare(scenario, request);
  });
  out.loaded = std::move(loaded);
  return out;
}

}  // namespace

void define_results(py::module_& module) {
  py::class_<HeldComparison>(module, "Comparison")
      .def(
          "to_json",
          [](const HeldComparison& c) { return Fields(to_python(comparison_json(c.loaded->scenario, c.comparison))); },
          doc::comparison_json)
      .def(
          "text",
          [](const HeldComparison& c, const std::vector<std::string>& metrics) {
            return comparison_text(c.loaded->scenario, c.comparison, metrics, 100, false);
          },
          py::arg("metrics"), doc::comparison_text)
      .def(
          "csv", [](const HeldComparison& c) { return comparison_csv(c.loaded->scenario, c.comparison); },
          doc::comparison_csv)
      .def(
          "values",
          [](const HeldComparison& c, std::size_t contender, const std::string& metric) {
            return values_of(*c.loaded->scenario.setup, c.comparison.results.at(contender), metric);
          },
          py::arg("contender"), py::arg("metric"), doc::values_of);
  module.def("compare", &compare_policies, py::arg("scenario"), py::arg("policies"), py::arg("baseline"),
             py::arg("seed"), py::arg("replications"), py::arg("jobs"), py::arg("decide_on"), py::arg("anatomy"),
             py::arg("metrics"), py::arg("progress"),
             "Runs every contender: policies are (label, what `--policies` takes, or a JSON object with a name).");
}

}  // namespace dynasoc::python
