#include "explore/ranking/ranking_report.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "common/csv_rows.hpp"
#include "common/text.hpp"

namespace dynasoc::explore {
namespace {

using report::cell_of;
using report::number_of;

// policy -> by replication: the mean over scenarios of a metric.
std::map<std::string, std::vector<double>> means_of(const std::filesystem::path& path, const std::string& wanted,
                                                    std::size_t scenarios, std::size_t replications) {
  CsvRows rows(path);
  const std::size_t policy = rows.column("policy"), replication = rows.column("replication"),
                    metric = rows.column("metric"), value = rows.column("value");
  std::map<std::string, std::vector<double>> out;
  std::uint64_t seen = 0;
  while (rows.next()) {
    const std::uint64_t r = rows.whole(replication);
    if (r >= replications) throw rows.error(replication, "ranking.json tells of " + std::to_string(replications));
    seen = std::max(seen, r + 1);
    if (rows.text(metric) != wanted) continue;
    auto& values = out[std::string(rows.text(policy))];
    values.resize(std::max<std::size_t>(values.size(), r + 1), 0);
    values[r] += rows.number(value) / static_cast<double>(scenarios);
  }
  if (seen < replications) throw report::lacks_rows(path, seen, "replications", replications, "ranking.json");
  for (auto& [label, values] : out) values.resize(replications, 0);
  return out;
}

Json standings_of(const Json& all) {
  Json columns = Json::array();
  const auto column = [&](const char* name, const char* unit, const char* doc) {
    columns.push_back({{"name", name}, {"unit", unit}, {"doc", doc}});
  };
  column("manager", "", "");
  column("rank", "", "by regret; 1 is the best");
  column("rank, 95 %", "", "of the ranks in replications drawn anew");
  column("regret", "cost a frame", "less the oracle's, mean over scenarios");
  column("behind the first", "cost a frame", "paired difference");
  column("mean rank", "", "over scenarios");
  column("best in", "scenarios", "");
  column("run.miss_rate", "", "mean over scenarios");
  column("run.accuracy", "", "mean over scenarios");
  column("platform.mean_power_w", "W", "mean over scenarios");
  Json rows = Json::array();
  for (const Json& one : all.at("policies")) {
    const bool ranked = one.at("rank").is_number();
    const Json& ends = one.at("rank_ci95");
    Json cells = Json::array(
        {one.at("policy").get<std::string>() + (one.value("among_best", false) ? " *" : ""),
         ranked ? report::cell(number_of(one["rank"]), std::nan(""), std::nan("")) : Json("-"),
         ranked ? Json(std::to_string(ends.at(0).get<int>()) + " to " + std::to_string(ends.at(1).get<int>()))
                : Json("-"),
         cell_of(one.at("regret"), "lower"), cell_of(one.at("behind"), "lower"),
         report::cell(number_of(one.at("mean_rank")), std::nan(""), std::nan("")),
         report::cell(number_of(one.at("best_in")), std::nan(""), std::nan(""))});
    for (const char* metric : {"run.miss_rate", "run.accuracy", "platform.mean_power_w"})
      cells.push_back(cell_of(one.at("means").at(metric), report::traits_of(metric).better));
    rows.push_back({{"cells", std::move(cells)}, {"run", nullptr}});
  }
  return {
      {"columns", std::move(columns)},
      {"rows", std::move(rows)},
      {"note", all.at("sentence").get<std::string>() + " (* cannot be told from the first at 95 %, paired, Holm.)"}};
}

Json matrix_of(const Json& all) {
  Json columns = Json::array({{{"name", "manager"}, {"unit", ""}}}), rows = Json::array();
  Json costs = Json::array({all.at("oracle").is_string() ? "cost of the " + all["oracle"].get<std::string>()
                                                         : std::string("cost of the best")});
  for (const Json& scenario : all.at("scenarios")) {
    columns.push_back({{"name", scenario}, {"unit", ""}});
    costs.push_back(cell_of(all.at("oracle_cost").at(scenario.get<std::string>())));
  }
  rows.push_back({{"cells", std::move(costs)}});
  for (const Json& one : all.at("policies")) {
    Json cells = Json::array({one.at("policy")});
    for (const Json& scenario : all["scenarios"])
      cells.push_back(cell_of(one.at("scenarios").at(scenario.get<std::string>()), "lower"));
    rows.push_back({{"cells", std::move(cells)}});
  }
  return {{"columns", std::move(columns)}, {"rows", std::move(rows)}, {"note", "regret a frame in each scenario"}};
}

Json front_of(const Json& all) {
  Json objectives = Json::array(), points = Json::array();
  const std::vector<std::string> metrics{"platform.mean_power_w", "run.miss_rate", "run.accuracy"};
  for (const std::string& name : metrics) {
    const report::MetricTraits traits = report::traits_of(name);
    objectives.push_back(
        {{"name", name}, {"unit", traits.unit}, {"direction", traits.better == "higher" ? "max" : "min"}});
  }
  for (const Json& one : all.at("policies")) {
    const std::string label = one.at("policy");
    Json point = {{"name", label},        {"values", Json::array()},
                  {"low", Json::array()}, {"high", Json::array()},
                  {"on_front", false},    {"configuration", Json::array({Json::array({"manager", label})})},
                  {"run", nullptr}};
    for (const std::string& name : metrics) {
      const Json value = cell_of(one.at("means").at(name));
      if (!value.is_object()) continue;
      point["values"].push_back(value["value"]);
      point["low"].push_back(value["low"]);
      point["high"].push_back(value["high"]);
    }
    if (point["values"].size() == metrics.size()) points.push_back(std::move(point));
  }
  Json front = {{"objectives", std::move(objectives)},
                {"points", std::move(points)},
                {"bound", nullptr},
                {"hypervolume", nullptr}};
  report::mark_front(front);
  return front;
}

}  // namespace

Json ranking_payload(const report::Request& request) {
  const auto document = Document::load(request.directory / "ranking.json");
  const Value root(document);
  const Json& all = root.json();
  const auto scenarios = read<std::vector<std::string>>(root["scenarios"]);
  const auto replications = read<int>(root["replications"], range(1, kMostReplications));
  if (scenarios.empty()) throw root.error("is no ranking's result");
  Json payload = report::empty_payload(report::ResultKind::ranking, request);
  const auto name = read<std::string>(root["ranking"]), title = read<std::string>(root["title"]);
  if (request.title.empty()) payload["title"] = title.empty() ? name : title;
  payload["subtitle"] = name + "; " + std::to_string(all.at("policies").size()) + " managers in " +
                        std::to_string(scenarios.size()) + " scenarios; " + std::to_string(replications) +
                        " replications; by " + read<std::string>(root["metric"]);
  std::vector<std::string> words;
  for (const Json& word : all.value("command_line", Json::array()))
    if (word.is_string()) words.push_back(word.get<std::string>());
  payload["rerun"] = report::again_line("rank", words, request.directory);
  Json manifest = all;
  for (const char* figures : {"policies", "oracle_cost", "warnings", "sentence"}) manifest.erase(figures);
  payload["manifest"] = std::move(manifest);
  for (const Json& warning : all.value("warnings", Json::array()))
    if (warning.is_string()) payload["warnings"].push_back(warning);
  payload["headline"] = standings_of(all);
  payload["matrix"] = matrix_of(all);
  payload["front"] = front_of(all);

  const auto values = means_of(request.directory / "ranking.csv", read<std::string>(root["metric"]), scenarios.size(),
                               static_cast<std::size_t>(replications));
  const std::string first = all.at("policies").empty() ? "" : all["policies"][0].at("policy").get<std::string>();
  Json rows = Json::array();
  for (const Json& one : all["policies"]) {
    const std::string label = one.at("policy");
    if (label == first || !one.at("rank").is_number()) continue;
    std::vector<double> differences;
    if (const auto own = values.find(label), theirs = values.find(first); own != values.end() && theirs != values.end())
      for (std::size_t r = 0; r < own->second.size(); ++r) differences.push_back(own->second[r] - theirs->second[r]);
    rows.push_back({{"policy", label},
                    {"delta", cell_of(one.at("behind"), "lower")},
                    {"p_holm", one.at("p_holm")},
                    {"values", report::f64_column(differences)}});
  }
  if (!rows.empty())
    payload["paired"] = {
        {"baseline", first},
        {"metrics",
         Json::array(
             {{{"name", "regret"}, {"unit", "cost a frame"}, {"better", "lower"}, {"rows", std::move(rows)}}})}};
  Json sections = Json::array({"headline", "matrix", "front"});
  if (!payload["paired"].is_null()) sections.push_back("paired");
  sections.push_back("manifest");
  payload["sections"] = std::move(sections);
  return payload;
}

}  // namespace dynasoc::explore
