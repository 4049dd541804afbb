// A comparison's directory as a page.
#include <algorithm>
#include <cmath>
#include <map>

#include "common/csv_rows.hpp"
#include "common/text.hpp"
#include "results/comparison.hpp"
#include "results/output.hpp"
#include "results/report/report.hpp"

namespace dynasoc::report {
namespace fs = std::filesystem;
namespace {

// policy -> metric -> by replication, of `replications` each; NaN where it is undefined.
using Values = std::map<std::string, std::map<std::string, std::vector<double>>>;

Values read_values(const fs::path& path, std::size_t replications) {
  CsvRows rows(path);
  const std::size_t policy = rows.column("policy"), replication = rows.column("replication"),
                    metric = rows.column("metric"), value = rows.column("value");
  Values out;
  std::uint64_t seen = 0;
  while (rows.next()) {
    const std::uint64_t r = rows.whole(replication);
    if (r >= replications) throw rows.error(replication, "comparison.json tells of " + std::to_string(replications));
    auto& values = out[std::string(rows.text(policy))][std::string(rows.text(metric))];
    values.resize(std::max<std::size_t>(values.size(), r + 1), std::nan(""));
    values[r] = rows.number(value);
    seen = std::max(seen, r + 1);
  }
  if (seen < replications) throw lacks_rows(path, seen, "replications", replications, "comparison.json");
  for (auto& [label, metrics] : out)
    for (auto& [name, values] : metrics) values.resize(replications, std::nan(""));
  return out;
}

void check_counts(const fs::path& path, const Json& policies, const Values& values) {
  for (const auto& [label, entry] : policies.items()) {
    const auto own = values.find(label);
    for (const auto& [metric, estimate] : entry.items()) {
      if (metric == "regret" || !estimate.is_object() || !estimate.contains("n")) continue;  // made of others
      std::size_t found = 0;
      if (own != values.end())
        if (const auto column = own->second.find(metric); column != own->second.end())
          found = static_cast<std::size_t>(
              std::count_if(column->second.begin(), column->second.end(), [](double x) { return std::isfinite(x); }));
      const Json& n = estimate["n"];
      if (!n.is_number_integer() || n.get<std::int64_t>() < 0)
        throw InputError(
            {(path.parent_path() / "comparison.json").string(), 0, 0, "/policies/" + label + "/" + metric + "/n"},
            "is no count");
      if (const auto told = n.get<std::uint64_t>(); found != told)
        throw lacks_rows(path, found, "values of " + metric + " of " + label, told, "comparison.json");
    }
  }
}

// The metrics of the table, as far as they are there: of the whole, then what an application's users feel.
std::vector<std::string> usual_metrics(const Json& policies) {
  std::vector<std::string> out{"platform.energy_j", "run.miss_rate", "run.accuracy", "run.cost"};
  for (const char* ending : {".latency_ms.mean", ".latency_ms.p99", ".miss_rate"})
    for (const auto& [name, entry] : policies.front().items())
      if (name.starts_with("apps.") && name.ends_with(ending)) out.push_back(name);
  std::erase_if(out, [&](const std::string& one) {
    return std::none_of(policies.begin(), policies.end(), [&](const Json& entry) { return entry.contains(one); });
  });
  return out;
}

// `usual`: of how many metrics `metrics` are the first.
Json headline_of(const Json& policies, const std::vector<std::string>& metrics, std::size_t usual, int replications) {
  Json columns = Json::array({{{"name", "manager"}, {"unit", ""}}}), rows = Json::array();
  for (const std::string& name : metrics) {
    const MetricTraits traits = traits_of(name);
    const Metric* metric = find_metric(name);
    columns.push_back(
        {{"name", name}, {"unit", traits.unit}, {"doc", metric == nullptr ? "" : std::string(metric->doc)}});
  }
  for (const auto& [label, entry] : policies.items()) {
    Json cells = Json::array({label});
    for (const std::string& name : metrics) cells.push_back(cell_of(entry.value(name, Json()), traits_of(name).better));
    rows.push_back({{"cells", std::move(cells)}, {"run", nullptr}});
  }
  return {{"columns", std::move(columns)},
          {"rows", std::move(rows)},
          {"note",
           (replications > 1 ? "mean ± half of the 95 % interval over " + std::to_string(replications) + " replications"
                             : std::string("of one replication: no interval can be given")) +
               (metrics.size() < usual ? "; " + std::to_string(metrics.size()) + " of " + std::to_string(usual) +
                                             " metrics of the board and of applications' frames are in this "
                                             "page, comparison.json has all"
                                       : "")}};
}

Json front_of(const Json& policies, const Json& volume) {
  Json objectives = Json::array(), points = Json::array();
  std::vector<std::string> names;
  for (const char* name : {"platform.energy_j", "run.miss_rate", "run.accuracy"}) {
    bool defined = true;
    for (const auto& [label, entry] : policies.items()) defined = defined && entry.contains(name);
    if (!defined) continue;
    const MetricTraits traits = traits_of(name);
    names.emplace_back(name);
    objectives.push_back(
        {{"name", name}, {"unit", traits.unit}, {"direction", traits.better == "higher" ? "max" : "min"}});
  }
  if (names.size() < 2) return nullptr;
  for (const auto& [label, entry] : policies.items()) {
    Json point = {{"name", label},        {"values", Json::array()},
                  {"low", Json::array()}, {"high", Json::array()},
                  {"on_front", false},    {"configuration", Json::array({Json::array({"manager", label})})},
                  {"run", nullptr}};
    for (const std::string& name : names) {
      const Json one = cell_of(entry[name]);
      point["values"].push_back(one["value"]);
      point["low"].push_back(one["low"]);
      point["high"].push_back(one["high"]);
    }
    points.push_back(std::move(point));
  }
  Json front = {{"objectives", std::move(objectives)},
                {"points", std::move(points)},
                {"bound", nullptr},
                {"hypervolume", nullptr}};
  if (const double all = number_of(volume.value("all", Json())); std::isfinite(all))
    front["hypervolume"] = rounded_text(all) + " of the box of power, misses and 1 - accuracy";
  mark_front(front);
  return front;
}

Json regret_of(const Json& policies) {
  const std::vector<std::string> parts{"misprediction", "switching", "granularity"};
  Json rows = Json::array();
  bool split = false;
  for (const auto& [label, entry] : policies.items()) {
    if (!entry.contains("regret") || !entry["regret"].contains("mean")) continue;
    const Json& regret = entry["regret"];
    Json row = {{"policy", label}, {"total", cell_of(regret, "lower")}, {"parts", Json::array()}};
    const bool has = regret.contains("parts");
    for (const std::string& part : parts)
      row["parts"].push_back(has ? cell_of(regret["parts"].value(part, Json())) : Json("-"));
    split = split || has;
    rows.push_back(std::move(row));
  }
  if (rows.empty()) return nullptr;
  return {
      {"parts", split ? Json(parts) : Json::array()},
      {"rows", std::move(rows)},
      {"unit", "cost a frame"},
      {"note",
       "regret is a manager's cost less the oracle's on the same arrivals and noise; a part is what of it goes when "
       "that imperfection is taken away. The rest is the rule itself; imperfections interact, so parts need not add "
       "up."}};
}

Json paired_of(const Json& policies, const std::string& baseline, const std::vector<std::string>& names,
               const Values& values) {
  Json metrics = Json::array();
  for (const std::string& name : names) {
    const MetricTraits traits = traits_of(name);
    Json rows = Json::array();
    for (const auto& [label, entry] : policies.items()) {
      if (label == baseline || !entry.contains(name) || !entry[name].contains("delta_vs_baseline")) continue;
      std::vector<double> differences;
      const auto own = values.find(label), theirs = values.find(baseline);
      if (own != values.end() && theirs != values.end() && own->second.contains(name) &&
          theirs->second.contains(name)) {
        differences = own->second.at(name);
        for (std::size_t r = 0; r < differences.size(); ++r) differences[r] -= theirs->second.at(name)[r];
      }
      rows.push_back({{"policy", label},
                      {"delta", cell_of(entry[name]["delta_vs_baseline"], traits.better)},
                      {"p_holm", entry[name]["delta_vs_baseline"].value("p_holm", Json())},
                      {"values", f64_column(differences)}});
    }
    if (!rows.empty())
      metrics.push_back({{"name", name}, {"unit", traits.unit}, {"better", traits.better}, {"rows", std::move(rows)}});
  }
  if (metrics.empty()) return nullptr;
  return {{"baseline", baseline}, {"metrics", std::move(metrics)}};
}

// Why the run of a policy is not the one that was compared; empty if it is.
std::string what_differs(const Setup& setup, const RunRecord& record, const std::string& label, const Values& values) {
  const auto known = values.find(label);
  if (known == values.end()) return "";
  const Metrics metrics = measure(setup, record);
  for (const auto& [name, by_replication] : known->second)
    if (!by_replication.empty() && std::isfinite(by_replication[0]))
      if (const auto why = difference(name, MetricColumn(setup, name).value(metrics), by_replication[0]); !why.empty())
        return why;
  return "";
}

}  // namespace

Json comparison_payload(const Request& request) {
  const fs::path path = request.directory / "comparison.json";
  const auto document = Document::load(path);
  const Value root(document);
  const auto policies = root["policies"].json();
  const auto baseline = read<std::string>(root["baseline"]);
  const auto replications = read<int>(root["replications"], range(1, kMostReplications));
  if (!policies.is_object() || policies.empty()) throw root["policies"].error("an object of policies is expected");
  for (const auto& [label, entry] : policies.items())
    if (!entry.is_object()) throw(root["policies"].where() / label).error("an object of metrics is expected");
  const fs::path table = request.directory / "values.csv";
  const Values values = read_values(table, static_cast<std::size_t>(replications));
  check_counts(table, policies, values);

  Json payload = empty_payload(ResultKind::comparison, request);
  const Json& all = root.json();
  const auto name = all.value("scenario", std::string());
  if (request.title.empty()) payload["title"] = name + ": managers compared";
  payload["subtitle"] =
      std::to_string(policies.size()) + " managers on the same arrivals and noise; " +
      (replications == 1 ? std::string("one replication") : std::to_string(replications) + " replications") +
      (all.value("stopped_early", false) ? " (stopped early)" : "") + "; seed " +
      plain_number(number_of(all.value("seed", Json()))) + "; engine " + all.value("engine", "") + "; baseline " +
      baseline;
  if (all.contains("command_line") && all["command_line"].is_array()) {
    std::vector<std::string> words;
    for (const Json& word : all["command_line"])
      if (word.is_string()) words.push_back(word.get<std::string>());
    payload["rerun"] = again_line("compare", words, request.directory);
  }
  Json manifest = all;
  for (const char* figures : {"policies", "hypervolume", "warnings"}) manifest.erase(figures);
  payload["manifest"] = std::move(manifest);
  for (const Json& warning : all.value("warnings", Json::array()))
    if (warning.is_string()) payload["warnings"].push_back(warning);

  std::vector<std::string> metrics = usual_metrics(policies);
  const std::size_t usual = metrics.size();
  constexpr std::size_t kMostMetrics = 12;
  metrics.resize(std::min(usual, kMostMetrics));
  payload["headline"] = headline_of(policies, metrics, usual, replications);
  payload["front"] = front_of(policies, all.value("hypervolume", Json::object()));
  payload["regret"] = regret_of(policies);
  payload["paired"] = paired_of(policies, baseline, metrics, values);

  std::vector<std::string> labels;
  for (const auto& [label, entry] : policies.items())
    if (labels.size() < request.runs) labels.push_back(label);
  if (request.runs == 0) {
    labels.clear();
  } else if (!root.has("manifest")) {
    payload["warnings"].push_back(
        "no runs can be opened: the comparison was made by a version that kept no manifest in "
        "comparison.json; make it again");
    labels.clear();
  } else if (const auto changed = changed_inputs(all["manifest"].value("inputs", Json()), request.directory);
             !changed.empty()) {
    for (const std::string& what : changed)
      payload["warnings"].push_back("no runs can be opened: an input of the comparison, " + what);
    labels.clear();
  }
  if (!labels.empty()) {
    std::vector<Rerun> reruns;
    for (const std::string& label : labels)
      reruns.push_back({label,
                        [&, label] {
                          RunRequest how;
                          const auto part = [&] { return Document::part(document, "/manifest"); };
                          Scenario scenario = load_manifest(part(), path, {}, how);
                          const Overrides changes = overrides_of(scenario, contender_of(scenario, label));
                          scenario = load_manifest(part(), path, changes, how);
                          auto setup = std::make_shared<Setup>(*scenario.setup);
                          setup->seed = how.seed;
                          scenario.setup = std::move(setup);
                          return scenario;
                        },
                        replications,
                        [&, label](const Setup& setup, const RunRecord& record) {
                          return what_differs(setup, record, label, values);
                        }});
    const auto places = simulate_again(reruns, request, payload);
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (!places[i]) continue;
      payload["headline"]["rows"][i]["run"] = *places[i];
      if (!payload["front"].is_null()) payload["front"]["points"][i]["run"] = *places[i];
    }
    if (labels.size() < policies.size())
      payload["warnings"].push_back("runs of " + std::to_string(labels.size()) + " of " +
                                    std::to_string(policies.size()) + " managers are in this page (--runs)");
  }
  Json sections = Json::array({"headline"});
  for (const char* section : {"front", "paired", "regret"})
    if (!payload[section].is_null()) sections.push_back(section);
  if (!payload["runs"].empty())
    for (const char* section : {"timeline", "gantt", "distributions"}) sections.push_back(section);
  sections.push_back("manifest");
  payload["sections"] = std::move(sections);
  return payload;
}

}  // namespace dynasoc::report
