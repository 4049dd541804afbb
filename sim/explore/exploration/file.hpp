// Exploration files: which scenario, what may vary in it, what is wanted of it, and how it is looked for.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/fields.hpp"
#include "explore/optimiser.hpp"
#include "explore/scale.hpp"
#include "results/metrics.hpp"

template <>
struct dynasoc::EnumNames<dynasoc::Better> {
  static constexpr std::array<std::pair<std::string_view, dynasoc::Better>, 2> names{
      {{"lower", dynasoc::Better::lower}, {"higher", dynasoc::Better::higher}}};
};

namespace dynasoc::explore {

/// Any JSON, put into a scenario as it is.
struct AnyJson {
  Json value;
  Where where;
  static AnyJson from_value(const Value& v) { return {v.json(), v.where()}; }
  static Json schema() { return Json::object(); }
  Json to_json() const { return value; }
};

/// When a variable matters: only where another, which stands before it, has one of these values.
struct When {
  Name variable;
  std::vector<AnyJson> is;
  Where where;
  static constexpr auto fields() {
    using S = When;
    return describe(required(&S::variable, "variable", "a choice or an integer that stands before this variable"),
                    required(&S::is, "is", "its values, labels, or names of policies and governors among them"));
  }
};

struct ChoiceVariable {
  static constexpr std::string_view kind = "choice";
  static constexpr std::string_view doc = "one of several values";
  Name path;
  std::vector<Name> paths;
  std::vector<AnyJson> values;
  std::vector<std::string> labels;
  std::optional<When> when;
  Where where;
  static constexpr auto fields() {
    using S = ChoiceVariable;
    return describe(
        field(&S::path, "path", "member of the scenario, as in --set"),
        field(&S::paths, "paths", "several members that are set to the same value"),
        required(&S::values, "values", "what it may be: any JSON; without path and paths, objects of path and value"),
        field(&S::labels, "labels", "a short name for each value, for people"),
        field(&S::when, "when", "matters only if"));
  }
};

struct RealVariable {
  static constexpr std::string_view kind = "real";
  static constexpr std::string_view doc = "a number of an interval, to four significant digits";
  Name path;
  std::vector<Name> paths;
  double low = 0, high = 0;
  Scale scale = Scale::linear;
  std::optional<When> when;
  Where where;
  static constexpr auto fields() {
    using S = RealVariable;
    return describe(field(&S::path, "path", "member of the scenario, as in --set"),
                    field(&S::paths, "paths", "several members that are set to the same value"),
                    required(&S::low, "low", any(), "lower bound, included"),
                    required(&S::high, "high", any(), "upper bound, included"),
                    field(&S::scale, "scale", "whether equal steps or equal ratios are equally likely"),
                    field(&S::when, "when", "matters only if"));
  }
};

struct IntegerVariable {
  static constexpr std::string_view kind = "integer";
  static constexpr std::string_view doc = "a whole number of an interval";
  Name path;
  std::vector<Name> paths;
  std::int64_t low = 0, high = 0;
  std::optional<When> when;
  Where where;
  static constexpr auto fields() {
    using S = IntegerVariable;
    return describe(field(&S::path, "path", "member of the scenario, as in --set"),
                    field(&S::paths, "paths", "several members that are set to the same value"),
                    required(&S::low, "low", range(-1e9, 1e9), "lower bound, included"),
                    required(&S::high, "high", range(-1e9, 1e9), "upper bound, included"),
                    field(&S::when, "when", "matters only if"));
  }
};

struct SubsetVariable {
  static constexpr std::string_view kind = "subset";
  static constexpr std::string_view doc =
      "some of several values, as a list. A search that takes too few gets the first of the others added, one that "
      "takes "
      "too many loses its last";
  Name path;
  std::vector<Name> paths;
  std::vector<AnyJson> of;
  std::int64_t least = 1;
  std::int64_t most = 0;
  std::optional<When> when;
  Where where;
  static constexpr auto fields() {
    using S = SubsetVariable;
    return describe(
        field(&S::path, "path", "member of the scenario, as in --set"),
        field(&S::paths, "paths", "several members that are set to the same value"),
        required(&S::of, "of", "what may be in it"), field(&S::least, "least", range(0, 64), "how many at least"),
        field(&S::most, "most", range(0, 64), "how many at most; 0 = all"), field(&S::when, "when", "matters only if"));
  }
};

using Variable = std::variant<ChoiceVariable, RealVariable, IntegerVariable, SubsetVariable>;

struct ObjectiveFile {
  Name metric;
  std::optional<Better> better;
  std::optional<double> reference;
  double resolution = 0;
  Where where;
  static constexpr auto fields() {
    using S = ObjectiveFile;
    return describe(required(&S::metric, "metric", "of `list metrics`; APP stands for the mean over applications"),
                    field(&S::better, "better", "lower or higher; default: the metric's"),
                    field(&S::resolution, "resolution", non_negative(),
                          "largest difference that does not matter: the front keeps one of several configurations "
                          "that are as good as each other up to the resolutions of all objectives"),
                    field(&S::reference, "reference", any(),
                          "what the hypervolume is measured from; default: the worst of the feasible configurations"));
  }
};

struct ConstraintFile {
  Name metric;
  std::optional<double> most, least;
  Where where;
  static constexpr auto fields() {
    using S = ConstraintFile;
    return describe(required(&S::metric, "metric", "of `list metrics`; APP stands for the mean over applications"),
                    field(&S::most, "most", any(), "its mean over replications must not be more"),
                    field(&S::least, "least", any(), "nor less"));
  }
};

struct AlgorithmFile {
  Algorithm kind = Algorithm::nsga2;
  int population = 40;
  int generations = 20;
  double crossover = 0.95;
  double mutation = 0;
  static constexpr auto fields() {
    using S = AlgorithmFile;
    return describe(field(&S::kind, "kind", "nsga2, moead (pagmo2's), or a baseline: random or sobol points"),
                    field(&S::population, "population", range(8, 1e5),
                          "configurations of a generation; random and sobol draw as many in all"),
                    field(&S::generations, "generations", range(0, 1e5), "after the first"),
                    field(&S::crossover, "crossover", range(0, 0.999),
                          "probability of crossover (nsga2), rate of differential evolution (moead)"),
                    field(&S::mutation, "mutation", range(0, 1),
                          "probability of a mutation for each coordinate (nsga2); 0 = 1/(coordinates)"));
  }
};

struct RacingFile {
  double error = 0.05;
  int first = 3;
  int search = 6;
  static constexpr auto fields() {
    using S = RacingFile;
    return describe(
        field(&S::error, "error", range(1e-9, 0.5),
              "most chance, for a configuration that belongs to the front, of being dropped"),
        field(&S::first, "first", range(2, 1e4), "replications before anything is dropped"),
        field(&S::search, "search", range(2, 1e4), "replications during the search; those left at its end get all"));
  }
};

/// `true` (the defaults), `false` (full replication of every configuration), or an object.
struct RacingChoice {
  std::optional<RacingFile> race = RacingFile{};
  static RacingChoice from_value(const Value& value) {
    if (value.json().is_boolean())
      return {value.json().get<bool>() ? std::optional<RacingFile>(RacingFile{}) : std::nullopt};
    return {read<RacingFile>(value)};
  }
  static Json schema() { return {{"anyOf", {{{"type", "boolean"}}, object_schema<RacingFile>()}}}; }
  Json to_json() const { return race ? dynasoc::to_json(*race) : Json(false); }
};

struct SensitivityFile {
  int samples = 64;
  int replications = 3;
  static constexpr auto fields() {
    using S = SensitivityFile;
    return describe(field(&S::samples, "samples", range(0, 1e5),
                          "rows of the Sobol design that tells what mattered; each costs (variables + 2) "
                          "configurations; 0 = do not ask"),
                    field(&S::replications, "replications", range(1, 1e4), "of each of these configurations"));
  }
};

struct ExplorationFile {
  std::string name;
  std::string title;
  std::string source;
  Name scenario;
  Named<AnyJson> set;
  Named<Variable> variables;
  std::vector<ObjectiveFile> objectives;
  std::vector<ConstraintFile> constraints;
  std::vector<Name> metrics;
  AlgorithmFile algorithm;
  int replications = 30;
  RacingChoice racing;
  SensitivityFile sensitivity;
  std::int64_t seed = 1;
  Where where;

  static constexpr auto fields() {
    using S = ExplorationFile;
    return describe(
        field(&S::name, "name", "default: the file's name"), field(&S::title, "title", "one line for people"),
        field(&S::source, "source", "where its figures come from"),
        required(&S::scenario, "scenario", "its name, or a path from this file"),
        field(&S::set, "set", "changes of the scenario for all configurations, by path as in --set"),
        required(&S::variables, "variables", "what may vary, by name"),
        required(&S::objectives, "objectives", "what is wanted: one or more metrics"),
        field(&S::constraints, "constraints", "what must hold"),
        field(&S::metrics, "metrics", "further metrics to tell of every configuration"),
        field(&S::algorithm, "algorithm", "how configurations are looked for"),
        field(&S::replications, "replications", range(2, 1e4), "of each configuration on the front"),
        field(&S::racing, "racing",
              "drop configurations early by paired tests on common random numbers; false = full replication of all"),
        field(&S::sensitivity, "sensitivity", "the table of what mattered"),
        field(&S::seed, "seed", range(0, 9e15),
              "of the search; that of arrivals and noise is the scenario's, the same for all configurations"));
  }
};

/// Reads an exploration file with `--set` overrides of its own members, and what can be checked without a scenario:
/// names, bounds, lists without repetitions, constraints that contradict each other. Throws InputError.
ExplorationFile load_exploration(const std::filesystem::path& path,
                                 const std::vector<std::pair<std::string, std::string>>& overrides = {});
ExplorationFile read_exploration(std::shared_ptr<Document> document,
                                 const std::vector<std::pair<std::string, std::string>>& overrides = {});

/// What a value of a choice is called: its label, the name in it, or itself.
std::string label_of(const ChoiceVariable& choice, std::size_t value);

/// A variable's value as people write it: a choice's label (if no other of its values is called the same), a subset's
/// list, a number.
std::string told(const Variable& variable, const Json& value);

}  // namespace dynasoc::explore
