// Rankings of figures that can be worked by hand.
#include "explore/ranking/ranking.hpp"

#include <catch2/catch.hpp>

using namespace dynasoc;
using namespace dynasoc::explore;

namespace {

// Costs by scenario, policy (the oracle last) and replication.
Ranking ranking_of(const std::vector<std::string>& labels, const std::vector<std::vector<std::vector<double>>>& costs,
                   bool oracle = true) {
  Ranking out;
  out.file.oracle = oracle ? "oracle" : "";
  out.labels = labels;
  out.replications = static_cast<int>(costs.at(0).at(0).size());
  for (std::size_t s = 0; s < costs.size(); ++s) {
    out.scenarios.push_back("s" + std::to_string(s));
    out.titles.emplace_back();
    out.cells.emplace_back();
    for (const auto& values : costs[s]) {
      RankedCell cell;
      cell.values["run.cost"] = values;
      for (const std::string& name : kRankedMetrics) cell.values[name] = values;
      out.cells.back().push_back(cell);
    }
  }
  evaluate(out);
  return out;
}

}  // namespace

TEST_CASE("regret is against the oracle, and the score its mean over scenarios", "[ranking]") {
  // a: regrets 2 and 4; b: 1 and 1, in every replication.
  const Ranking ranking = ranking_of({"a", "b"}, {{{3, 5}, {2, 4}, {1, 3}}, {{14, 14}, {11, 11}, {10, 10}}});
  REQUIRE(ranking.policies.size() == 2);
  CHECK(ranking.policies[0].label == "b");
  CHECK(ranking.policies[0].rank == 1);
  CHECK(ranking.policies[0].score.mean == Approx(1));
  CHECK(ranking.policies[1].score.mean == Approx(3));
  CHECK(ranking.policies[1].behind.mean == Approx(2));
  CHECK(ranking.policies[0].best_in == 2);
  CHECK_FALSE(ranking.policies[1].among_best);  // the difference is the same in every replication
  CHECK(ranking.oracle_cost[0].mean == Approx(2));
  CHECK(ranking.policies[0].rank_low == 1);
  CHECK(ranking.policies[0].rank_high == 1);
  CHECK(ranking.sentence.find("b has the least regret of 2 policies") != std::string::npos);
}

TEST_CASE("what noise decides is not called decided", "[ranking]") {
  // Differences -1, 1, -1, 1, 0.2: mean 0.04, sd 1.
  const Ranking ranking = ranking_of({"a", "b"}, {{{2, 2, 2, 2, 2}, {1, 3, 1, 3, 2.2}, {0, 0, 0, 0, 0}}});
  CHECK(ranking.policies[0].label == "a");
  CHECK(ranking.policies[1].among_best);
  CHECK(ranking.policies[1].rank_low == 1);
  CHECK(ranking.policies[1].rank_high == 2);
  CHECK(ranking.sentence.find("b cannot be told from it") != std::string::npos);
}

TEST_CASE("without an oracle regret is against the best of each scenario", "[ranking]") {
  const Ranking ranking = ranking_of({"a", "b"}, {{{1, 1}, {2, 2}}, {{5, 5}, {4, 4}}}, false);
  CHECK(ranking.policies[0].score.mean == Approx(0.5));
  CHECK(ranking.policies[1].score.mean == Approx(0.5));
  CHECK(ranking.policies[0].rank == 1);
  CHECK(ranking.policies[1].rank == 1);  // a tie
  CHECK(ranking.policies[1].among_best);
}

TEST_CASE("equal ones share the best place, in the table and in its interval", "[ranking]") {
  const Ranking ranking = ranking_of({"a", "b", "c"}, {{{2, 3}, {2, 3}, {4, 4}, {0, 0}}});
  CHECK(ranking.policies[0].rank == 1);
  CHECK(ranking.policies[1].rank == 1);
  CHECK(ranking.policies[2].rank == 3);
  for (const std::size_t p : {0, 1}) {
    CHECK(ranking.policies[p].rank_low == 1);
    CHECK(ranking.policies[p].rank_high == 1);
    CHECK(ranking.policies[p].best_in == 1);
    CHECK(ranking.policies[p].mean_rank == Approx(1.5));
  }
}

TEST_CASE("a policy that could not run everywhere is listed and not ranked", "[ranking]") {
  Ranking ranking = ranking_of({"a", "b", "c"}, {{{1, 1}, {2, 2}, {3, 3}, {0, 0}}});
  ranking.cells[0][0].values.clear();
  ranking.cells[0][0].failure = "it needs what is not there";
  evaluate(ranking);
  REQUIRE(ranking.policies.size() == 3);
  CHECK(ranking.policies[0].label == "b");
  CHECK(ranking.policies[2].label == "a");
  CHECK(ranking.policies[2].rank == 0);
  REQUIRE(ranking.warnings.size() == 1);
  CHECK(ranking.warnings[0].find("it needs what is not there") != std::string::npos);
  CHECK(ranking_json(ranking)["policies"][2]["rank"].is_null());
  CHECK(ranking_text(ranking, 80, false).find("could not run") != std::string::npos);
}

TEST_CASE("the same results give the same ranking", "[ranking]") {
  const std::vector<std::vector<std::vector<double>>> costs{{{1, 4, 2, 6}, {2, 3, 3, 3}, {5, 1, 2, 2}, {0, 0, 1, 1}}};
  CHECK(ranking_json(ranking_of({"a", "b", "c"}, costs)).dump() ==
        ranking_json(ranking_of({"a", "b", "c"}, costs)).dump());
}
