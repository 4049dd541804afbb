#include "explore/exploration/exploration_report.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "common/csv_rows.hpp"
#include "common/text.hpp"
#include "explore/exploration/file.hpp"
#include "explore/exploration/journal.hpp"
#include "results/metric_column.hpp"
#include "results/metrics.hpp"

namespace dynasoc::explore {
namespace fs = std::filesystem;
namespace {

using report::cell_of;
using report::keep_evenly;
using report::keep_sample;
using report::MetricTraits;
using report::number_of;
using report::traits_of;

constexpr std::size_t kMostOthers = 3000;  // points of the plot that are not on the front
constexpr std::size_t kMostOfFront = 500;  // rows of the table and points of the plot

struct Objective {
  std::string name, unit;
  bool higher = false;
};

std::vector<Objective> objectives_of(const Value& root) {
  std::vector<Objective> out;
  const Value list = root["objectives"];
  if (!list.json().is_array()) throw list.error("an array of objectives is expected");
  for (std::size_t k = 0; k < list.json().size(); ++k)
    out.push_back({read<std::string>(list[k]["metric"]), read<std::string>(list[k]["unit"]),
                   read<std::string>(list[k]["better"]) == "higher"});
  return out;
}

Json point_of(const std::string& name) {
  return {{"name", name},     {"values", Json::array()},        {"low", Json::array()}, {"high", Json::array()},
          {"on_front", true}, {"configuration", Json::array()}, {"run", nullptr}};
}

// Configurations that are not on the front: where their means are, or (of those that were dropped before all of their
// replications were made) would be. Gives how many there are.
std::size_t add_others(const fs::path& path, const std::vector<Objective>& objectives, const Named<Variable>& variables,
                       std::size_t most, Json& points) {
  CsvRows rows(path);
  const std::size_t configuration = rows.column("configuration"), standing = rows.column("standing"),
                    replications = rows.column("replications");
  std::vector<std::size_t> placed, of_variable;
  for (const Objective& one : objectives) placed.push_back(rows.column(one.name + ".placed"));
  for (const auto& [variable, what] : variables) of_variable.push_back(rows.column(variable));
  std::vector<Json> others;
  while (rows.next()) {
    if (rows.text(standing) != "dominated" && rows.text(standing) != "dropped") continue;
    Json point = point_of("#" + std::string(rows.text(configuration)));
    point["on_front"] = false;
    point["estimated"] = rows.text(standing) == "dropped";
    point["low"] = point["high"] = nullptr;
    point["configuration"].push_back({"standing", rows.text(standing)});
    point["configuration"].push_back({"replications", rows.text(replications)});
    for (std::size_t v = 0; v < variables.size(); ++v)
      if (!rows.text(of_variable[v]).empty())
        point["configuration"].push_back({variables[v].first, rows.text(of_variable[v])});
    bool defined = true;
    for (const std::size_t column : placed) {
      const double x = rows.number_or_nan(column);
      defined = defined && std::isfinite(x);
      point["values"].push_back(std::isfinite(x) ? Json(x) : Json(nullptr));
    }
    if (defined) others.push_back(std::move(point));
  }
  for (const std::uint32_t i : keep_sample(others.size(), most)) points.push_back(std::move(others[i]));
  return others.size();
}

// What the journal says of a configuration's first replication, by Space::metrics(); nothing where it says nothing.
// Keys are not compared: `explore` has set aside what another program or another base had simulated.
class FirstReplications {
 public:
  explicit FirstReplications(const fs::path& path) {
    std::error_code code;
    if (!fs::is_regular_file(path, code)) return;
    const std::string text = read_file(path);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      if (auto one = read_journal_line(std::string_view(text).substr(at, end - at)); one && one->replication == 0)
        known_[one->assignments.dump()] = std::move(one->values);
      at = end + 1;
    }
  }
  const std::vector<double>* find(const Json& assignments) const {
    const auto it = known_.find(assignments.dump());
    return it == known_.end() ? nullptr : &it->second;
  }

 private:
  std::map<std::string, std::vector<double>> known_;
};

Json sensitivity_of(const Json& sensitivity, const std::vector<Objective>& objectives) {
  if (!sensitivity.is_object() || !sensitivity.contains("variables")) return nullptr;
  Json all = Json::array();
  for (const Objective& objective : objectives) {
    Json rows = Json::array();
    for (const auto& [variable, by_objective] : sensitivity["variables"].items()) {
      const Json& index = by_objective.value(objective.name, Json::object());
      const auto one = [&](const char* what, const char* interval) {
        const Json ends = index.value(interval, Json());
        return cell_of({{"mean", index.value(what, Json())}, {"ci95", ends}});
      };
      rows.push_back(
          {{"name", variable}, {"first", one("first", "first_ci95")}, {"total", one("total", "total_ci95")}});
    }
    all.push_back({{"objective", objective.name}, {"rows", std::move(rows)}});
  }
  if (all.empty()) return nullptr;
  Json out = all[0];
  out["others"] = Json::array();
  for (std::size_t k = 1; k < all.size(); ++k) out["others"].push_back(all[k]);
  return out;
}

// Why a run is not the one that was explored, by the first replication that the journal has of it.
std::string what_differs(const Setup& setup, const RunRecord& record, const std::vector<std::string>& metrics,
                         const std::vector<double>* then) {
  if (then == nullptr || then->size() != metrics.size()) return "";
  const Metrics now = measure(setup, record);
  for (std::size_t m = 0; m < metrics.size(); ++m)
    if (auto why = report::difference(metrics[m], MetricColumn(setup, metrics[m]).value(now), (*then)[m]); !why.empty())
      return why;
  return "";
}

}  // namespace

Json exploration_payload(const report::Request& request) {
  const auto answer = Document::load(request.directory / "front.json");
  const auto manifest = Document::load(request.directory / "explore.json");
  const Value root(answer), asked(manifest);
  const std::vector<Objective> objectives = objectives_of(root);
  const Json& all = root.json();

  Json payload = report::empty_payload(report::ResultKind::exploration, request);
  const auto name = read<std::string>(root["exploration"]);
  const auto title = all.value("title", "");
  if (request.title.empty()) payload["title"] = title.empty() ? name : title;
  const Json counts = all.value("configurations", Json::object());
  payload["subtitle"] = name + "; scenario " + all.value("scenario", "") + "; " +
                        plain_number(number_of(counts.value("configurations", Json()))) + " configurations, " +
                        plain_number(number_of(counts.value("front", Json()))) + " on the front; seed " +
                        plain_number(number_of(all.value("seed", Json())));
  std::vector<std::string> words;
  if (asked.has("command_line") && asked.json()["command_line"].is_array()) {
    for (const Json& word : asked.json()["command_line"])
      if (word.is_string()) words.push_back(word.get<std::string>());
    payload["rerun"] = report::again_line("explore", words, request.directory);
  }
  payload["manifest"] = asked.json();
  payload["sensitivity"] = sensitivity_of(all.value("sensitivity", Json()), objectives);
  payload["headline"]["columns"].push_back({{"name", "configuration"}, {"unit", ""}});
  if (root.has("infeasible")) {
    payload["warnings"].push_back(read<std::string>(root["infeasible"]));
    payload["sections"] = {"headline", "manifest"};
    return payload;
  }

  const Value front = root["front"];
  if (!front.json().is_array() || front.json().empty()) throw front.error("an array of configurations is expected");
  const auto variables = read<Named<Variable>>(asked["exploration"]["variables"]);
  std::vector<std::string> metrics;
  for (const auto& [metric, value] : front[0]["metrics"].json().items()) metrics.push_back(metric);

  const auto knee = read<int>(root["knee"]);
  Json& columns = payload["headline"]["columns"];
  for (const std::string& metric : metrics) {
    const MetricTraits traits = traits_of(metric);
    columns.push_back({{"name", metric}, {"unit", traits.unit}});
  }
  for (const auto& [variable, what] : variables) columns.push_back({{"name", variable}, {"unit", ""}});
  Json shown = Json::array(), points = Json::array();
  for (const Objective& one : objectives)
    shown.push_back({{"name", one.name}, {"unit", one.unit}, {"direction", one.higher ? "max" : "min"}});
  std::size_t knee_at = 0;  // of those that are listed
  const std::size_t front_total = front.json().size();
  std::vector<std::size_t> listed;
  for (const std::uint32_t i : keep_evenly(front_total, kMostOfFront / request.shrink)) listed.push_back(i);
  for (std::size_t i = 0; i < front_total; ++i)
    if (read<int>(front[i]["configuration"]) == knee && std::find(listed.begin(), listed.end(), i) == listed.end())
      listed.insert(std::upper_bound(listed.begin(), listed.end(), i), i);
  for (std::size_t k = 0; k < listed.size(); ++k) {
    const Value one = front[listed[k]];
    const auto configuration = read<int>(one["configuration"]);
    if (configuration == knee) knee_at = k;
    const std::string label = "#" + std::to_string(configuration) + (configuration == knee ? " (knee)" : "");
    const Json& assignments = one["assignments"].json();
    Json cells = Json::array({label}), point = point_of(label);
    for (const std::string& metric : metrics)
      cells.push_back(cell_of(one["metrics"][metric].json(), traits_of(metric).better));
    for (const auto& [variable, what] : variables) {
      const bool matters = assignments.contains(variable);
      cells.push_back(matters ? told(what, assignments[variable]) : "");
      if (matters) point["configuration"].push_back({variable, cells.back()});
    }
    for (const Objective& objective : objectives) {
      const Json value = cell_of(one["metrics"][objective.name].json());
      if (!value.is_object()) throw one["metrics"].error(objective.name + " has no mean");
      point["values"].push_back(value["value"]);
      point["low"].push_back(value["low"]);
      point["high"].push_back(value["high"]);
    }
    payload["headline"]["rows"].push_back({{"cells", std::move(cells)}, {"run", nullptr}});
    points.push_back(std::move(point));
  }
  const std::size_t on_front = points.size();
  const std::size_t others =
      add_others(request.directory / "all.csv", objectives, variables, kMostOthers / request.shrink, points);
  payload["headline"]["note"] =
      "the front" +
      (on_front < front_total ? " (" + std::to_string(on_front) + " of " + std::to_string(front_total) + ")" : "") +
      std::string(": mean ± half of the 95 % interval over replications");
  Json volume = nullptr;
  if (all.contains("hypervolume") && all["hypervolume"].is_object())
    volume = rounded_text(number_of(all["hypervolume"].value("share", Json()))) +
             " of the box from the best seen to the reference";
  payload["front"] = {{"objectives", std::move(shown)},       {"points", std::move(points)}, {"bound", nullptr},
                      {"points_total", front_total + others}, {"front_total", front_total},  {"hypervolume", volume}};

  std::vector<std::size_t> picked;
  for (const std::uint32_t i : keep_evenly(on_front, request.runs)) picked.push_back(i);
  if (!picked.empty() && std::find(picked.begin(), picked.end(), knee_at) == picked.end()) {
    picked[picked.size() / 2] = knee_at;  // the point one looks at first
    std::sort(picked.begin(), picked.end());
  }
  if (request.runs == 0) {
    picked.clear();
  } else if (!asked.has("folder") || !asked.has("inputs")) {
    payload["warnings"].push_back(
        "no runs can be opened: the exploration was made by a version that kept no inputs in "
        "explore.json; make it again");
    picked.clear();
  } else if (const auto changed = report::changed_inputs(asked.json()["inputs"], request.directory); !changed.empty()) {
    for (const std::string& what : changed)
      payload["warnings"].push_back("no runs can be opened: an input of the exploration, " + what);
    picked.clear();
  }
  if (!picked.empty()) {
    const fs::path folder = request.directory / read<std::string>(asked["folder"]);
    const int replications = all.value("replications", 1);
    const FirstReplications journal(request.directory / "evaluations.tsv");
    std::vector<report::Rerun> reruns;
    for (const std::size_t k : picked) {
      const std::size_t i = listed[k];
      reruns.push_back({payload["front"]["points"][k]["name"].get<std::string>(),
                        [&, i] {
                          Overrides changes;
                          if (front[i].has("set"))
                            for (const auto& [member, value] : front[i]["set"].json().items())
                              changes.emplace_back(member, value.dump());
                          return load_scenario(Document::part(manifest, "/scenario"), folder, changes);
                        },
                        replications,
                        [&, i](const Setup& setup, const RunRecord& record) {
                          return what_differs(setup, record, metrics, journal.find(front[i]["assignments"].json()));
                        }});
    }
    const auto places = report::simulate_again(reruns, request, payload);
    for (std::size_t k = 0; k < places.size(); ++k) {
      if (!places[k]) continue;
      payload["headline"]["rows"][picked[k]]["run"] = *places[k];
      payload["front"]["points"][picked[k]]["run"] = *places[k];
    }
    if (picked.size() < front_total)
      payload["warnings"].push_back("runs of " + std::to_string(picked.size()) + " of " + std::to_string(front_total) +
                                    " configurations of the front are in this page (--runs)");
  }
  Json sections = Json::array({"headline", "front"});
  if (!payload["sensitivity"].is_null()) sections.push_back("sensitivity");
  if (!payload["runs"].empty())
    for (const char* section : {"timeline", "gantt", "distributions"}) sections.push_back(section);
  sections.push_back("manifest");
  payload["sections"] = std::move(sections);
  return payload;
}

}  // namespace dynasoc::explore
