// Ranking files (`NAME.rank.json`): which managers are compared on which scenarios, and by what.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/fields.hpp"

namespace dynasoc::explore {

/// A smaller ranking of the same, for every day.
struct ShortRanking {
  std::vector<Name> scenarios;
  int replications = 5;
  std::vector<std::string> without;
  static constexpr auto fields() {
    using S = ShortRanking;
    return describe(field(&S::scenarios, "scenarios", "of those of the whole; default: all"),
                    field(&S::replications, "replications", range(2, 1e5), "of each"),
                    field(&S::without, "without", "policies that are left out"));
  }
};

struct RankingFile {
  std::string name;
  std::string title;
  std::string source;
  std::vector<Name> scenarios;
  std::vector<std::string> policies;
  std::string oracle;
  std::string metric = "run.cost";
  int replications = 30;
  std::optional<ShortRanking> short_form;
  Where where;

  static constexpr auto fields() {
    using S = RankingFile;
    return describe(
        field(&S::name, "name", "default: the file's name"), field(&S::title, "title", "one line for people"),
        field(&S::source, "source", "where scenarios and figures come from"),
        required(&S::scenarios, "scenarios", "by name or path, from the file's folder"),
        required(&S::policies, "policies", "what is ranked: entries as of `compare --policies`"),
        field(&S::oracle, "oracle",
              "the entry that regret is counted against, which is not ranked; default: the best of each scenario"),
        field(&S::metric, "metric", "of a replication, less being better: what the ranking is by"),
        field(&S::replications, "replications", range(2, 1e5), "of each policy in each scenario"),
        field(&S::short_form, "short", "what --short runs"));
  }
};

/// Reads one. Throws InputError.
RankingFile load_ranking_file(const std::filesystem::path& path);

/// The same, and what it names. Throws InputError.
void lint_ranking(const std::filesystem::path& path);

/// JSON Schema of ranking files.
Json ranking_schema();

}  // namespace dynasoc::explore
