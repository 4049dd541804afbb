// What a search file says. Names are resolved and contradictions found by `prepare` in search.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/fields.hpp"

namespace dynasoc::search {

enum class Objective : std::uint8_t { latency_ms, macs_m, memory_mb, accuracy };
enum class SelectBy : std::uint8_t { hypervolume, regret };

}  // namespace dynasoc::search

template <>
struct dynasoc::EnumNames<dynasoc::search::Objective> {
  using O = dynasoc::search::Objective;
  static constexpr std::array<std::pair<std::string_view, O>, 4> names{
      {{"latency_ms", O::latency_ms}, {"macs_m", O::macs_m}, {"memory_mb", O::memory_mb}, {"accuracy", O::accuracy}}};
};
template <>
struct dynasoc::EnumNames<dynasoc::search::SelectBy> {
  using S = dynasoc::search::SelectBy;
  static constexpr std::array<std::pair<std::string_view, S>, 2> names{
      {{"hypervolume", S::hypervolume}, {"regret", S::regret}}};
};

namespace dynasoc::search {

/// Options of one stage; an empty list is the space's.
struct StageSpaceFile {
  std::vector<int> kernels, expansions, depths;
  Where where;
  static constexpr auto fields() {
    using S = StageSpaceFile;
    return describe(field(&S::kernels, "kernels", "empty: the space's"),
                    field(&S::expansions, "expansions", "empty: the space's"),
                    field(&S::depths, "depths", "empty: the space's"));
  }
};

/// What may be chosen: options of a super-network, or the sub-networks of a network that exists.
struct SpaceFile {
  std::vector<int> resolutions, kernels, expansions, depths;
  std::vector<StageSpaceFile> stages;
  Name network, table;
  std::string unit;
  Where where;
  static constexpr auto fields() {
    using S = SpaceFile;
    return describe(field(&S::resolutions, "resolutions", "input sizes [px]; left out: all"),
                    field(&S::kernels, "kernels", "left out: all"),
                    field(&S::expansions, "expansions", "left out: all"), field(&S::depths, "depths", "left out: all"),
                    field(&S::stages, "stages", "five objects that narrow single stages"),
                    field(&S::network, "network", "choose among the sub-networks of this network instead"),
                    field(&S::table, "table", "its table; default: its default table"),
                    field(&S::unit, "unit", "the table's rows of this unit; needed where it has several"));
  }
};

/// How sums of blocks become latencies: a line of the block table by what it was fitted against, `none`, or a line
/// fitted here to the latencies of a network's sub-networks.
struct CalibrationFile {
  Name against;  ///< a name, `none`, or empty
  Name network, table, from;
  std::string unit;
  Where where;

  static CalibrationFile from_value(const Value& value);
  static Json schema();
  Json to_json() const;
};

struct ConstraintsFile {
  std::optional<double> most_latency_ms, least_latency_ms, least_accuracy, most_macs_m, most_memory_mb;
  Where where;
  static constexpr auto fields() {
    using S = ConstraintsFile;
    return describe(field(&S::most_latency_ms, "most_latency_ms", positive(), "in calibrated units"),
                    field(&S::least_latency_ms, "least_latency_ms", non_negative(), "in calibrated units"),
                    field(&S::least_accuracy, "least_accuracy", range(0, 100), "corrected"),
                    field(&S::most_macs_m, "most_macs_m", positive(), "multiply-accumulates, in millions"),
                    field(&S::most_memory_mb, "most_memory_mb", positive(), "weights as 32-bit floats"));
  }
};

/// Where hypervolume begins: worse than everything of interest.
struct ReferenceFile {
  std::optional<double> latency_ms, macs_m, memory_mb;
  double accuracy = 0;
  Where where;
  static constexpr auto fields() {
    using S = ReferenceFile;
    return describe(field(&S::latency_ms, "latency_ms", positive(), "where latency is an objective"),
                    field(&S::macs_m, "macs_m", positive(), "where multiply-accumulates are"),
                    field(&S::memory_mb, "memory_mb", positive(), "where memory is"),
                    required(&S::accuracy, "accuracy", range(0, 100), "lowest accuracy of interest"));
  }
};

struct ExhaustiveMethod {
  static constexpr std::string_view kind = "exhaustive";
  static constexpr std::string_view doc = "every sub-network of the space";
  static constexpr auto fields() { return describe(); }
};
struct Nsga2Method {
  static constexpr std::string_view kind = "nsga2";
  static constexpr std::string_view doc = "NSGA-II (Deb et al., IEEE Trans. Evolutionary Computation 6, 2002), pagmo's";
  std::size_t population = 200, generations = 50;
  double crossover = 0.9, eta_crossover = 10, mutation = 0, eta_mutation = 20;
  bool seeded = true;
  static constexpr auto fields() {
    using S = Nsga2Method;
    return describe(field(&S::population, "population", range(8, 100000), "rounded up to a multiple of 4"),
                    field(&S::generations, "generations", range(0, 1e6), "after the first population"),
                    field(&S::crossover, "crossover", range(0, 0.999), "probability of simulated binary crossover"),
                    field(&S::eta_crossover, "eta_crossover", range(1, 100), "its distribution index"),
                    field(&S::mutation, "mutation", range(0, 1), "probability of mutation for each gene; 0: 1/genes"),
                    field(&S::eta_mutation, "eta_mutation", range(1, 100), "distribution index of polynomial mutation"),
                    field(&S::seeded, "seeded", "half of the first population comes from the additive model's front"));
  }
};
struct AgedMethod {
  static constexpr std::string_view kind = "aged";
  static constexpr std::string_view doc =
      "evolution under latency limits as in Once-for-All (ICLR 2020), with ageing (Real et al., AAAI 2019); our "
      "reading";
  std::size_t population = 100, generations = 40, levels = 16, oldest = 10;
  double parents = 0.25, mutation_share = 0.5, mutation = 0.1;
  static constexpr auto fields() {
    using S = AgedMethod;
    return describe(
        field(&S::population, "population", range(4, 100000), "of each level"),
        field(&S::generations, "generations", range(0, 1e6), "of each level"),
        field(&S::levels, "levels", range(1, 1000), "limits on the cost, evenly spaced over what is feasible"),
        field(&S::oldest, "oldest", range(0, 1e6), "generations after which a parent dies; 0: never"),
        field(&S::parents, "parents", range(0.01, 0.9), "share of the population that breeds, the most accurate"),
        field(&S::mutation_share, "mutation_share", range(0, 1), "share of children that mutate; others are crossed"),
        field(&S::mutation, "mutation", range(0, 1), "probability that a gene of a mutating child is drawn anew"));
  }
};
struct RandomMethod {
  static constexpr std::string_view kind = "random";
  static constexpr std::string_view doc = "sub-networks drawn gene by gene";
  std::size_t samples = 60000;
  static constexpr auto fields() {
    return describe(field(&RandomMethod::samples, "samples", range(1, 1e9), "drawn in batches of 1024"));
  }
};
using Method = std::variant<ExhaustiveMethod, Nsga2Method, AgedMethod, RandomMethod>;

struct UniformTargets {
  static constexpr std::string_view kind = "uniform";
  static constexpr std::string_view doc = "latency targets evenly spread between two";
  double low_ms = 0, high_ms = 0;
  Where where;
  static constexpr auto fields() {
    using S = UniformTargets;
    return describe(required(&S::low_ms, "low_ms", positive(), "the tightest"),
                    required(&S::high_ms, "high_ms", positive(), "the laxest"));
  }
};
struct ListedTargets {
  static constexpr std::string_view kind = "list";
  static constexpr std::string_view doc = "latency targets that are equally likely";
  std::vector<double> latency_ms;
  Where where;
  static constexpr auto fields() {
    return describe(required(&ListedTargets::latency_ms, "latency_ms", positive(), "one or more"));
  }
};
struct ColumnTargets {
  static constexpr std::string_view kind = "column";
  static constexpr std::string_view doc = "latency targets of a CSV file, equally likely";
  Name file;
  std::string column;
  Where where;
  static constexpr auto fields() {
    using S = ColumnTargets;
    return describe(required(&S::file, "file", "from the search file's folder"),
                    required(&S::column, "column", "latency targets [ms]"));
  }
};
using Targets = std::variant<UniformTargets, ListedTargets, ColumnTargets>;

struct SelectFile {
  int count = 4, most = 8;
  SelectBy by = SelectBy::hypervolume;
  std::optional<Targets> targets;
  double missed_accuracy = 0;
  Where where;
  static constexpr auto fields() {
    using S = SelectFile;
    return describe(field(&S::count, "count", range(1, 256), "sub-networks to ship: shown, and exported"),
                    field(&S::most, "most", range(1, 256), "what is lost is told for 1 to this many"),
                    field(&S::by, "by", "hypervolume kept, or regret over targets"),
                    field(&S::targets, "targets", "of `regret`: the latency targets to expect"),
                    field(&S::missed_accuracy, "missed_accuracy", range(0, 100),
                          "accuracy counted where the selection misses a target that the whole front meets"));
  }
};

struct CompareWithFile {
  Name network, table;
  static constexpr auto fields() {
    using S = CompareWithFile;
    return describe(required(&S::network, "network", "whose sub-networks are placed beside the front"),
                    field(&S::table, "table", "of its recorded latencies; default: its default table"));
  }
};

struct ExportFile {
  std::string name;
  Name like, table;
  static constexpr auto fields() {
    using S = ExportFile;
    return describe(
        field(&S::name, "name", "of the exported network; default: the folder's"),
        field(&S::like, "like", "network whose switching cost, scaling and clocks are taken; default: compare_with's"),
        field(&S::table, "table", "whose clocks are taken"));
  }
};

/// A search file.
struct SearchFile {
  std::string title;
  Name supernetwork, table;
  CalibrationFile calibration;
  Name correction;
  SpaceFile space;
  ConstraintsFile constraints;
  std::vector<Objective> objectives{Objective::latency_ms, Objective::accuracy};
  std::optional<Method> method;
  double exhaustive_below = 5e6;
  std::uint64_t polish = 300000;
  std::optional<ReferenceFile> reference;
  int relaxation_samples = 4000;
  std::optional<SelectFile> select;
  std::optional<CompareWithFile> compare_with;
  std::optional<ExportFile> export_as;
  std::uint64_t seed = 1;
  Where where;

  static constexpr auto fields() {
    using S = SearchFile;
    return describe(
        field(&S::title, "title", "one line for people"),
        field(&S::supernetwork, "supernetwork", "a folder of models/ with a supernetwork.json"),
        field(&S::table, "table", "block table of the super-network"),
        field(&S::calibration, "calibration",
              "line from sums of blocks to latencies: its name, `none`, or {network, table} to fit one; needed"),
        field(&S::correction, "correction", "line from predicted to recorded accuracies: its name or `none`; needed"),
        field(&S::space, "space", "what may be chosen; left out: everything"),
        field(&S::constraints, "constraints", "what a sub-network must keep"),
        field(&S::objectives, "objectives", "one cost (latency_ms, macs_m or memory_mb) and accuracy"),
        field(&S::method, "method", "left out: exhaustive for small spaces, else nsga2"),
        field(&S::exhaustive_below, "exhaustive_below", range(0, 1e12), "what a small space is: sub-networks"),
        field(&S::polish, "polish", range(0, 1e12),
              "evaluations for local search around the front, after every method but exhaustive"),
        field(&S::reference, "reference", "where hypervolume begins; needed with a super-network"),
        field(&S::relaxation_samples, "relaxation_samples", range(0, 1e6),
              "sub-networks that the additive model of accuracy is fitted to; 0: no bound"),
        field(&S::select, "select", "which few of the front to ship"),
        field(&S::compare_with, "compare_with", "a network of known configurations to place beside the front"),
        field(&S::export_as, "export_as", "of --export"),
        field(&S::seed, "seed", range(0, 9007199254740992.0), "of everything drawn"));
  }
};

}  // namespace dynasoc::search
