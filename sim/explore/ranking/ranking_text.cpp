// A ranking as text, tables and JSON.
#include <algorithm>
#include <cmath>

#include "common/csv.hpp"
#include "common/text.hpp"
#include "explore/ranking/ranking.hpp"
#include "results/page.hpp"

namespace dynasoc::explore {
namespace {

Json finite(double x) { return std::isfinite(x) ? Json(x) : Json(nullptr); }
Json estimate_json(const Estimate& one) {
  return {{"mean", finite(one.mean)}, {"ci95", {finite(one.interval.low), finite(one.interval.high)}}};
}

std::string with_half(const Estimate& one) {
  if (!std::isfinite(one.mean)) return "-";
  const double half = (one.interval.high - one.interval.low) / 2;
  return rounded_text(one.mean, 3) + (std::isfinite(half) ? " ±" + (half < 1e-12 ? "0" : rounded_text(half, 2)) : "");
}

std::string rank_text(const RankedPolicy& policy) {
  if (policy.rank == 0) return "-";
  std::string out = std::to_string(policy.rank);
  if (policy.rank_low != policy.rank_high)
    out += " (" + std::to_string(policy.rank_low) + "-" + std::to_string(policy.rank_high) + ")";
  return out;
}

std::string mean_text(const RankedPolicy& policy, const char* metric, double scale, int digits) {
  const double x = policy.means.at(metric).mean * scale;
  return std::isfinite(x) ? rounded_text(x, digits) : "-";
}

// Rows of the standings, the first a head.
std::vector<std::vector<std::string>> standings(const Ranking& ranking) {
  std::vector<std::vector<std::string>> rows{{"policy", "rank (95 %)", "regret a frame", "behind the first",
                                              "mean rank", "best in", "miss %", "accuracy", "power W"}};
  for (const RankedPolicy& one : ranking.policies)
    rows.push_back({one.label + (one.among_best ? " *" : ""), rank_text(one), with_half(one.score),
                    one.rank == 1 || one.rank == 0 ? "-" : with_half(one.behind),
                    std::isfinite(one.mean_rank) ? rounded_text(one.mean_rank, 3) : "-", std::to_string(one.best_in),
                    mean_text(one, "run.miss_rate", 100, 3), mean_text(one, "run.accuracy", 1, 4),
                    mean_text(one, "platform.mean_power_w", 1, 3)});
  return rows;
}

std::vector<std::vector<std::string>> by_scenario(const Ranking& ranking) {
  std::vector<std::vector<std::string>> rows{{"regret a frame"}};
  for (const std::string& scenario : ranking.scenarios) rows[0].push_back(scenario);
  rows.push_back({ranking.file.oracle.empty() ? "cost of the best" : "cost of the " + ranking.file.oracle});
  for (const Estimate& cost : ranking.oracle_cost)
    rows.back().push_back(std::isfinite(cost.mean) ? rounded_text(cost.mean, 3) : "-");
  for (const RankedPolicy& one : ranking.policies) {
    rows.push_back({one.label});
    for (const Estimate& regret : one.regret)
      rows.back().push_back(std::isfinite(regret.mean) ? rounded_text(regret.mean, 3) : "-");
  }
  return rows;
}

constexpr const char* kStar = "* cannot be told from the first at 95 % (paired, Holm)";

std::string markdown(const std::vector<std::vector<std::string>>& rows) {
  std::string out;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    out += "|";
    for (const std::string& cell : rows[r]) out += " " + markdown_cell(cell) + " |";
    out += "\n";
    if (r > 0) continue;
    out += "|";
    for (std::size_t c = 0; c < rows[r].size(); ++c) out += c == 0 ? " --- |" : " ---: |";
    out += "\n";
  }
  return out;
}

}  // namespace

Json ranking_json(const Ranking& ranking) {
  Json policies = Json::array();
  for (const RankedPolicy& one : ranking.policies) {
    Json scenarios = Json::object();
    for (std::size_t s = 0; s < ranking.scenarios.size(); ++s) {
      scenarios[ranking.scenarios[s]] = estimate_json(one.regret[s]);
      scenarios[ranking.scenarios[s]]["rank"] = one.rank_in[s] == 0 ? Json(nullptr) : Json(one.rank_in[s]);
    }
    Json means = Json::object();
    for (const auto& [metric, mean] : one.means) means[metric] = estimate_json(mean);
    policies.push_back({{"policy", one.label},
                        {"rank", one.rank == 0 ? Json(nullptr) : Json(one.rank)},
                        {"rank_ci95", {one.rank_low, one.rank_high}},
                        {"regret", estimate_json(one.score)},
                        {"behind", estimate_json(one.behind)},
                        {"p_holm", finite(one.p_holm)},
                        {"among_best", one.among_best},
                        {"mean_rank", finite(one.mean_rank)},
                        {"best_in", one.best_in},
                        {"scenarios", std::move(scenarios)},
                        {"means", std::move(means)}});
  }
  Json costs = Json::object();
  for (std::size_t s = 0; s < ranking.scenarios.size(); ++s)
    costs[ranking.scenarios[s]] = estimate_json(ranking.oracle_cost[s]);
  return {{"ranking", ranking.file.name},
          {"title", ranking.file.title},
          {"metric", ranking.file.metric},
          {"oracle", ranking.file.oracle.empty() ? Json(nullptr) : Json(ranking.file.oracle)},
          {"scenarios", ranking.scenarios},
          {"replications", ranking.replications},
          {"policies", std::move(policies)},
          {"oracle_cost", std::move(costs)},
          {"sentence", ranking.sentence},
          {"warnings", ranking.warnings}};
}

std::string ranking_csv(const Ranking& ranking) {
  std::string out = "scenario,policy,replication,metric,value\n";
  for (std::size_t s = 0; s < ranking.scenarios.size(); ++s)
    for (std::size_t p = 0; p < ranking.cells[s].size(); ++p)
      for (const auto& [metric, values] : ranking.cells[s][p].values)
        for (std::size_t r = 0; r < values.size(); ++r)
          if (std::isfinite(values[r]))
            out += csv_cell(ranking.scenarios[s]) + "," +
                   csv_cell(p < ranking.labels.size() ? ranking.labels[p] : ranking.file.oracle) + "," +
                   std::to_string(r) + "," + metric + "," + number_text(values[r]) + "\n";
  return out;
}

std::string ranking_text(const Ranking& ranking, int columns, bool colour) {
  const Page page(columns, colour);
  std::string out = page.heading(ranking.file.name, ranking.file.title);
  out += page.dim("  " + std::to_string(ranking.scenarios.size()) + " scenarios, " +
                  std::to_string(ranking.replications) + " replications; regret: " + ranking.file.metric + " less " +
                  (ranking.file.oracle.empty() ? "that of the best" : "the " + ranking.file.oracle + "'s")) +
         "\n\n";
  out += page.blocks(standings(ranking)) + "  " + page.dim(kStar) + "\n\n" + page.blocks(by_scenario(ranking)) + "\n";
  out += "  " + ranking.sentence + "\n";
  for (const std::string& warning : ranking.warnings) out += page.paint("33", "  note      ") + warning + "\n";
  return out;
}

std::string ranking_markdown(const Ranking& ranking) {
  return ranking.sentence + "\n\n" + markdown(standings(ranking)) + "\n" + kStar + "\n\n" +
         markdown(by_scenario(ranking));
}

}  // namespace dynasoc::explore
