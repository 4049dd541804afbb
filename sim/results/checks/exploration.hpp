// Expectation: what managers change against baselines, over many set-ups of a scenario. For published numbers whose
// set-up was not published: how the outcome depends on what had to be chosen.
#pragma once

#include "results/checks/finding.hpp"

namespace dynasoc::check {

/// Any JSON, put into a scenario as it is.
struct AnyJson {
  Json value;
  static AnyJson from_value(const Value& v) { return {v.json()}; }
  static Json schema() { return Json::object(); }
  Json to_json() const { return value; }
};

struct Axis {
  std::vector<std::string> paths;
  std::vector<AnyJson> values;
  Where where;
  static constexpr auto fields() {
    using S = Axis;
    return describe(required(&S::paths, "paths", "members of the scenario that change together, as in --set"),
                    required(&S::values, "values", "what they are set to, one after the other"));
  }
};

struct Grid {
  Named<AnyJson> set;
  Named<Axis> axes;
  Where where;
  static constexpr auto fields() {
    using S = Grid;
    return describe(field(&S::set, "set", "changes of the scenario for all of these set-ups, by path"),
                    field(&S::axes, "axes", "by name; every combination of their values is a set-up"));
  }
};

struct Condition {
  std::string metric;
  bool relative = false;
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  std::optional<double> baseline_most;
  Where where;
  static constexpr auto fields() {
    using S = Condition;
    return describe(required(&S::metric, "metric", "of `list metrics`; APP stands for the mean over applications"),
                    field(&S::relative, "relative", "whether the bounds are shares of the baseline's value"),
                    field(&S::least, "least", any(), "least difference to the baseline"),
                    field(&S::most, "most", any(), "largest difference to the baseline"),
                    field(&S::baseline_most, "baseline_most", any(), "largest value of the baseline itself"));
  }
};

struct Saving {
  std::string quantity;
  std::string metric;
  std::optional<double> published_percent;
  bool up_to = false;
  std::vector<Condition> where_also;
  Where where;
  static constexpr auto fields() {
    using S = Saving;
    return describe(
        required(&S::quantity, "quantity", "what it is, for people"),
        required(&S::metric, "metric", "of which less is better; APP stands for the mean over applications"),
        field(&S::published_percent, "published_percent", "how much less, of the baseline's value"),
        field(&S::up_to, "up_to", "whether the published number is the most that was seen"),
        field(&S::where_also, "where_also", "only set-ups count in which these hold"));
  }
};

struct Exploration {
  static constexpr std::string_view kind = "exploration";
  static constexpr std::string_view doc =
      "how much less of something managers need than baselines, in every set-up of one or more grids: the distribution "
      "of outcomes. An outcome is one manager against one baseline in one set-up (mean over replications, on common "
      "random numbers). For a plain number, **reproduced**: it lies between the quartiles of the outcomes; **partly**: "
      "between their extremes; ours is the median (the lower of two in the middle). For a number that is the most seen "
      "(`up_to`), **reproduced**: at "
      "least one outcome reaches it; **partly**: one does, but only without the conditions `where_also`; ours is the "
      "largest. Else **not reproduced**";
  Name scenario;
  std::vector<std::string> managers;
  std::vector<std::string> baselines;
  int replications = 5;
  Named<Grid> grids;
  std::vector<Saving> savings;
  std::vector<std::string> beside;
  Where where;

  static constexpr auto fields() {
    using S = Exploration;
    return describe(required(&S::scenario, "scenario", "its name, or a path from this file"),
                    required(&S::managers, "managers", "entries as of `compare --policies`"),
                    required(&S::baselines, "baselines", "entries as of `compare --policies`"),
                    field(&S::replications, "replications", range(2, 1e5), "of each set-up"),
                    required(&S::grids, "grids", "set-ups, by name; at most 10,000 in all"),
                    required(&S::savings, "savings", "what is expected"),
                    field(&S::beside, "beside", "metrics whose differences are told for the outcome shown"));
  }

  void validate(const Context& context) const;
  std::vector<Finding> evaluate(const Context& context) const;
};

}  // namespace dynasoc::check
