// A run's directory as a page.
#include <algorithm>
#include <array>
#include <cmath>

#include <boost/math/distributions/students_t.hpp>

#include "common/text.hpp"
#include "results/output.hpp"
#include "results/report/report.hpp"

namespace dynasoc::report {
namespace fs = std::filesystem;
namespace {

// The mean over replications with its 95 % interval (if there are several), from what a summary keeps of them; without
// that, `value`.
Json cell_with_spread(double value, const Json& spread, std::string_view better) {
  const double mean = spread.is_object() ? number_of(spread.value("mean", Json())) : std::nan("");
  const double sd = spread.is_object() ? number_of(spread.value("sd", Json())) : std::nan("");
  const double n = spread.is_object() ? number_of(spread.value("n", Json())) : 0;
  if (!std::isfinite(mean) || !std::isfinite(sd) || !(n > 1))
    return cell(std::isfinite(mean) ? mean : value, std::nan(""), std::nan(""), better);
  const double half = boost::math::quantile(boost::math::students_t(n - 1), 0.975) * sd / std::sqrt(n);
  return cell(mean, mean - half, mean + half, better);
}

// A member of nested objects; null where there is none.
Json member(const Json& json, std::initializer_list<const char*> path) {
  const Json* at = &json;
  for (const char* key : path) {
    if (!at->is_object() || !at->contains(key)) return nullptr;
    at = &(*at)[key];
  }
  return *at;
}

// Whether an application has too few frames for a percentile (MLPerf's rule, as the summary applies it).
bool lacks_frames(const Json& app, const std::string& percentile) {
  if (percentile != "p90" && percentile != "p99") return false;
  const Json supported = member(app, {"latency_percentiles_supported"});
  return supported.is_array() && std::find(supported.begin(), supported.end(), Json(percentile)) == supported.end();
}

// What jobs.csv, decisions.csv and timeline.csv must hold.
Counted counted_by(const Json& manifest, const Json& summary, int replications) {
  Counted out;
  // A simulation samples after each period, before its end.
  const Json sampled_ms = member(manifest, {"scenario", "timeline_ms"});
  const Time period = from_ms(sampled_ms.is_null() ? ScenarioFile{}.timeline_ms : number_of(sampled_ms)),
             duration = from_s(number_of(member(manifest, {"scenario", "duration_s"})));
  if (period > 0 && period < kNever && duration > 0 && duration < kNever && member(manifest, {"engine"}) != "board")
    out.samples = static_cast<std::uint64_t>((duration - 1) / period) * static_cast<std::uint64_t>(replications);
  for (const auto& [name, app] : summary["apps"].items()) {
    const double frames = number_of(member(app, {"jobs"}));
    if (!(frames >= 0 && frames < 1e15)) {
      out.frames.clear();
      return out;
    }
    out.frames[name] = static_cast<std::uint64_t>(frames);
  }
  out.known = true;
  // The board's counts are means over replications.
  if (const double writes = number_of(member(summary, {"platform", "decisions"})) * replications;
      writes >= 0 && writes < 1e15)
    out.writes = static_cast<std::uint64_t>(std::llround(writes));
  return out;
}

Json headline_of(const Json& summary) {
  struct Column {
    const char *name, *unit, *better, *doc, *spread;
    std::vector<const char*> app, board;
    bool total = false;  // of an application: the summary has the sum over replications
  };
  static const std::vector<Column> kColumns{
      {"frames", "", "", "that arrived after the warm-up, a replication", nullptr, {"jobs"}, {}, true},
      {"latency, mean", "ms", "lower", "from arrival to result", "latency_ms_mean", {"latency_ms", "mean"}, {}},
      {"p90", "ms", "lower", "of latency", nullptr, {"latency_ms", "p90"}, {}},
      {"p99", "ms", "lower", "of latency", nullptr, {"latency_ms", "p99"}, {}},
      {"max", "ms", "lower", "of latency", nullptr, {"latency_ms", "max"}, {}},
      {"miss rate",
       "",
       "lower",
       "share of the frames that had no result by their deadline",
       "miss_rate",
       {"miss_rate"},
       {}},
      {"accuracy", "", "higher", "mean over completed frames", "accuracy_mean", {"accuracy", "mean"}, {}},
      {"energy a frame", "mJ", "lower", "above idle", "energy_mj_per_job", {"energy_mj_per_job"}, {}},
      {"sub-network switches", "", "", "a replication", nullptr, {"subnet_switches"}, {}, true},
      {"energy", "J", "lower", "of the board, a replication", nullptr, {}, {"energy_j"}},
      {"power", "W", "lower", "of the board, mean", nullptr, {}, {"mean_power_w"}},
      {"hottest", "°C", "lower", "peak temperature", nullptr, {}, {"peak_temperature_c"}},
      {"knobs written", "", "", "by the manager, a replication", nullptr, {}, {"decisions"}}};
  Json columns = Json::array({{{"name", ""}, {"unit", ""}}}), rows = Json::array();
  for (const Column& column : kColumns)
    columns.push_back({{"name", column.name}, {"unit", column.unit}, {"doc", column.doc}});
  bool unsupported = false;
  const double replications = std::max(1.0, number_of(member(summary, {"replications"})));
  const auto row = [&](const std::string& name, const Json& values, bool board) {
    Json cells = Json::array({name});
    for (const Column& column : kColumns) {
      const auto& path = board ? column.board : column.app;
      Json at = path.empty() ? Json(nullptr) : values;
      for (const char* key : path) at = member(at, {key});
      if (at.is_null()) {
        cells.push_back("");
        continue;
      }
      if (!board && path.size() == 2 && lacks_frames(values, path.back())) {
        cells.push_back("-");
        unsupported = true;
        continue;
      }
      cells.push_back(cell_with_spread(number_of(at) / (column.total ? replications : 1),
                                       column.spread == nullptr ? Json() : member(values, {"spread", column.spread}),
                                       column.better));
    }
    rows.push_back({{"cells", std::move(cells)}, {"run", 0}});
  };
  for (const auto& [name, app] : summary["apps"].items()) row(name, app, false);
  row("board", member(summary, {"platform"}), true);
  return {{"columns", std::move(columns)},
          {"rows", std::move(rows)},
          {"note", (replications > 1 ? "means over " + plain_number(replications) +
                                           " replications, after ± half of the 95 % interval; but percentiles, max and "
                                           "hottest are of all replications together"
                                     : std::string("one replication: no interval can be given")) +
                       (unsupported ? "; a dash: fewer frames than the percentile needs by MLPerf's rule" : "")}};
}

// What the manifest alone tells of a run, for when its set-up cannot be made again.
RunData from_manifest(const Json& manifest) {
  RunData run;
  const Json scenario = member(manifest, {"scenario"});
  run.duration_s = number_of(member(scenario, {"duration_s"}));
  run.warmup_s = member(scenario, {"warmup_s"}).is_number() ? number_of(member(scenario, {"warmup_s"})) : 0;
  return run;
}

}  // namespace

Json run_payload(const Request& request) {
  const fs::path path = request.directory / "manifest.json";
  const auto document = Document::load(path);
  const Json& manifest = document->root();
  if (!is_manifest(manifest)) throw Value(document).error("is not the manifest of a run");
  const auto summary_document = Document::load(request.directory / "summary.json");
  const Json& summary = summary_document->root();
  if (!summary.is_object() || !member(summary, {"apps"}).is_object() || !member(summary, {"platform"}).is_object())
    throw Value(summary_document).error("is not the summary of a run");

  Json payload = empty_payload(ResultKind::run, request);
  RunData run;
  try {
    RunRequest how;
    const Scenario scenario = load_manifest(document, path, {}, how);
    run = described(*scenario.setup);
    if (request.title.empty()) payload["title"] = scenario.file.title;
  } catch (const InputError& error) {
    // The report is of what the files say; the set-up adds targets and the names of networks.
    run = from_manifest(manifest);
    payload["warnings"].push_back(std::string("targets are not shown, for the scenario cannot be read again: ") +
                                  error.what());
  }
  if (!(run.duration_s > 0)) throw(Value(document).where() / "scenario").error("tells no duration_s");
  for (const std::string& what : changed_inputs(member(manifest, {"inputs"}), request.directory))
    payload["warnings"].push_back("an input of the run, " + what + ": the figures here are those of the run");

  const Value told(document);
  const int replications = told.has("replications") ? read<int>(told["replications"], range(1, kMostReplications)) : 1;
  run.replication = request.replication.value_or(0);
  if (run.replication >= replications)
    throw InputError(
        "--replication " + std::to_string(run.replication) + ": the run has " +
        (replications == 1 ? "one replication, 0" : "replications 0 to " + std::to_string(replications - 1)));
  run.replications = replications;
  const std::string name = manifest.value("scenario_name", "");
  run.label = name + (replications > 1 ? ", replication " + std::to_string(run.replication) : "");
  const Json policy = member(summary, {"policy"});
  if (policy.is_string())
    run.policy = policy.get<std::string>();
  else if (member(policy, {"name"}).is_string())
    run.policy = member(policy, {"name"}).get<std::string>();

  const Budget budget = budget_of(1, request.shrink);
  read_run(
      request.directory, budget, run,
      [&](double share) {
        if (request.progress) request.progress(0.9 * share);
      },
      counted_by(manifest, summary, replications));

  if (payload["title"].get<std::string>().empty()) payload["title"] = name;
  const Json board = member(summary, {"platform", "name"}), mode = member(summary, {"platform", "mode"});
  payload["subtitle"] = name + "; " + (board.is_string() ? board.get<std::string>() : "") +
                        (mode.is_string() && !mode.get<std::string>().empty() ? ", " + mode.get<std::string>() : "") +
                        "; manager " + run.policy + "; " + plain_number(run.duration_s) + " s x " +
                        std::to_string(replications) + "; seed " + plain_number(number_of(member(manifest, {"seed"}))) +
                        "; engine " + manifest.value("engine", "");
  payload["rerun"] = shell_line({"dynasoc", "run", path.string(), "--out", request.directory.string() + "-again"});
  payload["manifest"] = manifest;
  payload["provenance"] = {{"latency", member(summary, {"provenance"})},
                           {"energy", member(summary, {"energy_provenance"})}};
  payload["headline"] = headline_of(summary);
  for (const Json& warning : member(summary, {"warnings"}))
    if (warning.is_string()) payload["warnings"].push_back(warning);
  if (run.jobs.size() == 0) payload["warnings"].push_back("no frame arrived in this replication");
  payload["runs"].push_back(run_json(run, budget));
  payload["sections"] = {"headline", "timeline", "gantt", "distributions", "manifest"};
  return payload;
}

}  // namespace dynasoc::report
