// Expectation: figures of a run of a scenario, by their paths in `run --json`.
#pragma once

#include "results/checks/finding.hpp"

namespace dynasoc::check {

struct ExpectedNumber {
  std::string quantity;
  std::string path;
  std::optional<double> published;
  std::string unit;
  int digits = 2;
  double tolerance = 0.05;
  Standing standing = Standing::predicted;
  std::string note;
  Where where;

  static constexpr auto fields() {
    using S = ExpectedNumber;
    return describe(
        required(&S::quantity, "quantity", "what it is, for people"),
        required(&S::path, "path", "where it is in the output of `run --json`; `A - B` is a difference"),
        field(&S::published, "published", "the published number; left out: ours is a prediction to be checked"),
        field(&S::unit, "unit", "that it is written in"),
        field(&S::digits, "digits", range(0, 9), "written after the decimal point"),
        field(&S::tolerance, "tolerance", non_negative(), "share of the published number that ours may differ by"),
        required(&S::standing, "standing",
                 "`input`: the published number went in; `fitted`: a parameter was set so that it comes out; "
                 "`predicted`: it had no part in setting anything"),
        field(&S::note, "note", "what went in, or was fitted"));
  }
};

struct Replay {
  static constexpr std::string_view kind = "run";
  static constexpr std::string_view doc =
      "figures of a scenario's run, as means over replications. **Reproduced**: the published number lies in the 95 % "
      "interval of ours, or within `tolerance` of it";
  Name scenario;
  int replications = 20;
  std::vector<ExpectedNumber> numbers;

  static constexpr auto fields() {
    using S = Replay;
    return describe(required(&S::scenario, "scenario", "its name, or a path from this file"),
                    field(&S::replications, "replications", range(1, 1e5), "of the run"),
                    required(&S::numbers, "numbers", "what is expected of it"));
  }

  void validate(const Context& context) const;
  std::vector<Finding> evaluate(const Context& context) const;
};

}  // namespace dynasoc::check
