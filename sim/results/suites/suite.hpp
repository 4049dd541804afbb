// Suite files (`*.suite.json`): runs of scenarios and what is expected of them, written by people and held against
// every change by `dynasoc check`. What a program wrote down (earlier values) is not in them but beside them:
// baseline.hpp.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "results/checks/exploration.hpp"
#include "scenario/scenario.hpp"
#include "world/run.hpp"

namespace dynasoc::suite {

using check::AnyJson;

struct ValueExpectation {
  static constexpr std::string_view kind = "value";
  static constexpr std::string_view doc =
      "the mean over replications is `value`, give or take `absolute` + `relative` x |value|";
  Name metric;
  double value = 0;
  double absolute = 0;
  double relative = 0;
  std::string note;
  Where where;
  static constexpr auto fields() {
    using S = ValueExpectation;
    return describe(
        required(&S::metric, "metric", "of `dynasoc list metrics`; APP stands for the mean over applications"),
        required(&S::value, "value", "in the metric's unit; `--update` changes it where it does not hold"),
        field(&S::absolute, "absolute", non_negative(), "tolerance, in the metric's unit"),
        field(&S::relative, "relative", non_negative(), "tolerance, as a share of the value"),
        field(&S::note, "note", "why, for people; printed where it does not hold"));
  }
};

struct LimitExpectation {
  static constexpr std::string_view kind = "limit";
  static constexpr std::string_view doc =
      "the mean over replications is `least` or more and `most` or less; a limit is a decision: `--update` leaves it";
  Name metric;
  std::optional<double> least, most;
  std::string note;
  Where where;
  static constexpr auto fields() {
    using S = LimitExpectation;
    return describe(required(&S::metric, "metric", "as for `value`"), field(&S::least, "least", "in its unit"),
                    field(&S::most, "most", "in its unit"),
                    field(&S::note, "note", "why, for people; printed where it does not hold"));
  }
};

struct BaselineExpectation {
  static constexpr std::string_view kind = "baseline";
  static constexpr std::string_view doc =
      "not worse than the stored baseline. Replication by replication (the same seeds, so the same arrivals and "
      "noise), "
      "the difference to the stored value is tested by Student's paired t test, one-sided in the direction that the "
      "metric calls worse: a regression is a mean worsening of more than the allowed one that is beyond chance. "
      "p-values "
      "of a suite's baseline expectations are adjusted together (Holm). A metric that calls neither direction better "
      "may "
      "move in neither (two-sided)";
  Name metric;
  double allowed = 0;
  double allowed_absolute = 0;
  std::string note;
  Where where;
  static constexpr auto fields() {
    using S = BaselineExpectation;
    return describe(
        required(&S::metric, "metric", "as for `value`"),
        field(&S::allowed, "allowed", non_negative(), "worsening let pass, as a share of the baseline's mean"),
        field(&S::allowed_absolute, "allowed_absolute", non_negative(),
              "worsening let pass beside that, in the metric's unit: for what may be 0"),
        field(&S::note, "note", "why, for people; printed where it does not hold"));
  }
};

struct BetterExpectation {
  static constexpr std::string_view kind = "better";
  static constexpr std::string_view doc =
      "the run's manager is better than another in the same scenario, on the same seeds, by at least the share `by` of "
      "the other's mean: Student's paired t test, one-sided, p-values of a suite's `better` expectations adjusted "
      "together (Holm). It holds where the data prove it";
  Name metric;
  Name than;
  double by = 0;
  std::string note;
  Where where;
  static constexpr auto fields() {
    using S = BetterExpectation;
    return describe(
        required(&S::metric, "metric", "as for `value`; one that calls a direction better"),
        required(&S::than, "than", "the other: an entry as of `compare --policies`"),
        field(&S::by, "by", range(-1, 1e6), "share of the other's mean; below 0: it may be that much worse"),
        field(&S::note, "note", "why, for people; printed where it does not hold"));
  }
};

using Expectation = std::variant<BaselineExpectation, ValueExpectation, LimitExpectation, BetterExpectation>;

struct RunFile {
  Name scenario;
  Named<AnyJson> set;
  Name policy;
  std::optional<std::int64_t> seed;
  int replications = 10;
  EngineKind engine = EngineKind::native;
  std::vector<Expectation> expect;
  Where where;

  static constexpr auto fields() {
    using S = RunFile;
    return describe(required(&S::scenario, "scenario", "its name, or a path from this file"),
                    field(&S::set, "set", "changes of the scenario, by path as in --set"),
                    field(&S::policy, "policy", "an entry as of `compare --policies`; default: the scenario's"),
                    field(&S::seed, "seed", range(0, kMostSeed), "default: the scenario's"),
                    field(&S::replications, "replications", range(1, kMostReplications), "independent repetitions"),
                    field(&S::engine, "engine", "what simulates it"),
                    required(&S::expect, "expect", "what is expected of it"));
  }
};

struct SuiteFile {
  std::string title;
  double significance = 0.05;
  Named<RunFile> runs;
  Where where;

  static constexpr auto fields() {
    using S = SuiteFile;
    return describe(required(&S::title, "title", "one line for people"),
                    field(&S::significance, "significance", range(1e-6, 0.5),
                          "chance of any false alarm in the whole suite, and of any `better` that holds by luck"),
                    required(&S::runs, "runs", "what is run, by name"));
  }
};

/// A run as loaded: the scenario with everything applied.
struct Run {
  std::string name;
  RunFile file;
  Scenario scenario;                                   ///< its set-up has the run's seed
  std::vector<std::pair<std::string, Scenario>> than;  ///< the same under the managers it is compared with
};

struct Suite {
  std::string name;  ///< of the file, without `.suite.json`
  std::filesystem::path path;
  SuiteFile file;
  std::vector<Run> runs;
};

inline constexpr std::string_view kSuiteEnding = ".suite.json";

/// Reads a suite and everything it names, and refuses what could never be evaluated. Throws InputError.
Suite load_suite(const std::filesystem::path& path);

/// Whether a file is a suite: by its name, or else by what is in it. Throws InputError where it cannot be read.
bool is_suite(const std::filesystem::path& path);

}  // namespace dynasoc::suite
