#include "results/output.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "common/csv.hpp"
#include "common/text.hpp"
#include "results/why.hpp"
#include "version.hpp"
#include "world/run.hpp"

namespace dynasoc {
namespace fs = std::filesystem;
namespace {

void append_time(std::string& out, Time t) {
  if (t == kNoTime) return;
  // Nanoseconds as seconds, exactly: no rounding through a double.
  char digits[32];
  std::snprintf(digits, sizeof digits, "%lld.%09lld", static_cast<long long>(t / 1'000'000'000),
                static_cast<long long>(t % 1'000'000'000));
  out += digits;
}

void write_jobs(const fs::path& path, const Setup& setup, const std::vector<RunRecord>& records) {
  FileWriter file(path);
  std::string& out = file.buffer();
  out = "replication,app,job,arrival_s,start_s,end_s,deadline_s,outcome,unit,subnet,accuracy,latency_ms,energy_mj\n";
  for (const RunRecord& record : records)
    for (std::size_t i = 0; i < record.jobs.size(); ++i) {
      const JobRecord& job = record.jobs[i];
      const AppSetup& app = setup.apps[job.app];
      append_number(out, static_cast<long long>(record.replication));
      out += ',' + csv_cell(app.name) + ',';
      append_number(out, static_cast<long long>(job.job));
      for (const Time t : {job.arrival, job.start, job.end, job.deadline}) {
        out += ',';
        append_time(out, t);
      }
      out += ',';
      out += name_of(job.outcome);
      out += ',' + csv_cell(setup.platform.file.units[job.unit].first) + ",L";
      append_number(out, static_cast<long long>(job.subnet + 1));
      out += ',';
      const bool done = job.end != kNoTime;
      if (done) append_number(out, app.network->file.subnets[job.subnet].accuracy);
      out += ',';
      if (done) append_number(out, to_ms(job.end - job.arrival));
      out += ',';
      if (done) append_number(out, static_cast<double>(job.energy_mj));
      out += '\n';
      file.flush_if_large();
    }
  file.commit();
}

void write_decisions(const fs::path& path, const Setup& setup, const std::vector<RunRecord>& records) {
  FileWriter file(path);
  std::string& out = file.buffer();
  out =
      "replication,time_s,policy,target,knob,from,to,reason,margin,decision,trigger,binding,slack,candidates,"
      "feasible\n";
  for (const RunRecord& record : records) {
    auto candidate = record.candidates.begin();  // both lists are in the order of decisions
    int candidates = 0, feasible = 0;
    for (std::size_t i = 0; i < record.decision_log.size(); ++i) {
      const DecisionRecord& decision = record.decision_log[i];
      if (i == 0 || decision.decision != record.decision_log[i - 1].decision) {
        candidates = feasible = 0;
        for (; candidate != record.candidates.end() && candidate->decision == decision.decision; ++candidate) {
          ++candidates;
          feasible += candidate->feasible;
        }
      }
      append_number(out, static_cast<long long>(record.replication));
      out += ',';
      append_time(out, decision.at);
      out += ',' + csv_cell(decision.by_board ? "board" : setup.policy.name) + ',' + csv_cell(decision.target) + ',' +
             csv_cell(decision.knob) + ',' + csv_cell(decision.from) + ',' + csv_cell(decision.to) + ',' +
             csv_cell(decision.reason) + ',';
      append_number(out, decision.margin);
      out += ',';
      append_number(out, static_cast<long long>(decision.decision));
      out += ',' + decision.trigger + ',' + decision.binding + ',';
      if (!decision.binding.empty()) append_number(out, decision.slack);
      out += ',' + std::to_string(candidates) + ',' + std::to_string(feasible) + '\n';
      file.flush_if_large();
    }
  }
  file.commit();
}

void write_candidates(const fs::path& path, const Setup& setup, const std::vector<RunRecord>& records) {
  FileWriter file(path);
  std::string& out = file.buffer();
  out = "replication,decision,application,subnet,unit,mhz,latency_ms,accuracy,energy_mj,feasible,chosen\n";
  for (const RunRecord& record : records)
    for (const CandidateRecord& candidate : record.candidates) {
      append_number(out, static_cast<long long>(record.replication));
      out += ',' + std::to_string(candidate.decision) + ',';
      if (candidate.app >= 0) out += csv_cell(setup.apps[candidate.app].name);
      out += ',';
      if (candidate.subnet >= 0) out += 'L' + std::to_string(candidate.subnet + 1);
      out += ',';
      if (candidate.unit >= 0) out += csv_cell(setup.platform.file.units[candidate.unit].first);
      out += ',';
      if (candidate.unit >= 0 && candidate.opp >= 0) append_number(out, candidate_mhz(setup, candidate));
      for (const double x : {candidate.latency_ms, candidate.accuracy, candidate.energy_mj}) {
        out += ',';
        if (std::isfinite(x)) append_number(out, x);
      }
      out += candidate.feasible ? ",1" : ",0";
      out += candidate.chosen ? ",1\n" : ",0\n";
      file.flush_if_large();
    }
  file.commit();
}

void write_timeline(const fs::path& path, const std::vector<RunRecord>& records) {
  FileWriter file(path);
  std::string& out = file.buffer();
  out = "replication,time_s";
  for (const std::string& column : records[0].timeline.columns) out += ',' + csv_cell(column);
  out += '\n';
  for (const RunRecord& record : records)
    for (std::size_t row = 0; row < record.timeline.rows(); ++row) {
      append_number(out, static_cast<long long>(record.replication));
      out += ',';
      append_time(out, record.timeline.at(row));
      for (std::size_t c = 0; c < record.timeline.columns.size(); ++c) {
        const double x = record.timeline.value(row, c);
        out += ',';
        if (std::isfinite(x)) append_number(out, x);
      }
      out += '\n';
      file.flush_if_large();
    }
  file.commit();
}

}  // namespace

void write_trace(const fs::path& path, const Setup& setup, const RunRecord& record) {
  write_trace(path, setup, {{"", &record}});
}

void write_trace(const fs::path& path, const Setup& setup,
                 const std::vector<std::pair<std::string, const RunRecord*>>& runs) {
  FileWriter file(path);
  std::string& out = file.buffer();
  out = "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[";
  bool first = true;
  const auto event = [&](const Json& json) {
    out += first ? "\n" : ",\n";
    first = false;
    out += json.dump();
    file.flush_if_large();
  };
  const auto us = [](Time t) { return static_cast<double>(t) * 1e-3; };
  const std::size_t units = setup.platform.file.units.size();
  for (std::size_t run = 0; run < runs.size(); ++run) {
    const auto& [label, record_of] = runs[run];
    const RunRecord& record = *record_of;
    const std::string prefix = label.empty() ? "" : label + ": ";
    const std::size_t base = run * units;  // of the process numbers, one a unit
    for (std::size_t u = 0; u < units; ++u) {
      event({{"ph", "M"},
             {"name", "process_name"},
             {"pid", base + u},
             {"args", {{"name", prefix + setup.platform.file.units[u].first}}}});
      for (std::size_t a = 0; a < setup.apps.size(); ++a)
        event({{"ph", "M"},
               {"name", "thread_name"},
               {"pid", base + u},
               {"tid", a},
               {"args", {{"name", setup.apps[a].name}}}});
    }
    for (std::size_t i = 0; i < record.jobs.size(); ++i) {
      const JobRecord& job = record.jobs[i];
      if (job.start == kNoTime || job.end == kNoTime) continue;
      event(
          {{"ph", "X"},
           {"name", "L" + std::to_string(job.subnet + 1)},
           {"pid", base + job.unit},
           {"tid", job.app},
           {"ts", us(job.start)},
           {"dur", us(job.end - job.start)},
           {"cname", job.outcome == Outcome::missed ? "terrible" : "good"},
           {"args", {{"job", job.job}, {"outcome", std::string(name_of(job.outcome))}, {"energy_mj", job.energy_mj}}}});
    }
    for (const DecisionRecord& decision : record.decision_log)
      event({{"ph", "i"},
             {"s", "g"},
             {"name", prefix + decision.target + " " + decision.knob + " " + decision.from + " -> " + decision.to},
             {"pid", base},
             {"tid", 0},
             {"ts", us(decision.at)},
             {"args", {{"reason", decision.reason}}}});
    for (std::size_t row = 0; row < record.timeline.rows(); ++row)
      event({{"ph", "C"},
             {"name", prefix + "power"},
             {"pid", base},
             {"ts", us(record.timeline.at(row))},
             {"args", {{"W", record.timeline.value(row, 0)}}}});
  }
  out += "\n]}\n";
  file.commit();
}

void prepare_output(const fs::path& directory, bool force) {
  const Location here{directory.string(), 0, 0, ""};
  std::error_code code;
  if (fs::exists(directory, code) && !fs::is_directory(directory, code))
    throw InputError(here, "is a file, not a directory");
  if (fs::is_directory(directory, code) && !fs::is_empty(directory, code)) {
    if (!force) throw InputError(here, "already holds files; choose another directory, or say --force");
    static const std::set<std::string> ours{"summary.json",   "manifest.json",   "jobs.csv",        "decisions.csv",
                                            "candidates.csv", "timeline.csv",    "trace.json",      "comparison.json",
                                            "values.csv",     "front.csv",       "generations.csv", "search.json",
                                            "board.jsonl",    "validation.json", "both.json"};
    for (const auto& entry : fs::directory_iterator(directory, code)) {
      std::string name = entry.path().filename().string();
      if (name.ends_with(".partial")) name.resize(name.size() - 8);
      const bool of_policy = name.starts_with("policy-") && entry.is_directory(code);  // of `board validate`
      if (!ours.contains(name) && !of_policy)
        throw InputError(here,
                         "holds \"" + name + "\", which is not a result of a run; --force overwrites results only");
    }
  }
  fs::create_directories(directory, code);
  if (code) throw InputError(here, "cannot be created: " + code.message());
  if (::access(directory.c_str(), W_OK | X_OK) != 0) throw InputError(here, "cannot be written to");
}

std::vector<std::pair<fs::path, std::string>> hashes_of(const std::vector<fs::path>& inputs) {
  std::vector<std::pair<fs::path, std::string>> out;
  std::set<fs::path> seen;
  for (const fs::path& path : inputs) {
    std::error_code code;
    const fs::path absolute = fs::weakly_canonical(path, code);
    if (seen.insert(absolute).second) out.emplace_back(absolute, content_hash(read_file(path)));
  }
  return out;
}

void check_timeline(const Scenario& scenario, int replications) {
  constexpr double kMostRows = 2e6;
  const double rows = scenario.file.duration_s * 1e3 / scenario.file.timeline_ms * replications;
  if (rows <= kMostRows) return;
  const double enough_ms = std::ceil(scenario.file.duration_s * 1e3 * replications / kMostRows);
  throw(scenario.file.where / "timeline_ms")
      .error("timeline.csv would have " + rounded_text(rows, 2) + " rows, 2 million is the most: sample every " +
             number_text(enough_ms) + " ms or less often (--set timeline_ms=" + number_text(enough_ms) + ")");
}

void write_output(const fs::path& directory, const Scenario& scenario, const RunRequest& request,
                  const std::vector<RunRecord>& records, const Json& summary) {
  const Setup& setup = *scenario.setup;
  std::error_code code;
  fs::remove(directory / "manifest.json", code);  // an older run is no longer complete from here on
  write_jobs(directory / "jobs.csv", setup, records);
  write_decisions(directory / "decisions.csv", setup, records);
  write_candidates(directory / "candidates.csv", setup, records);
  write_timeline(directory / "timeline.csv", records);
  write_trace(directory / "trace.json", setup, records[0]);  // one replication is what a person looks at
  write_file(directory / "summary.json", summary.dump(2) + "\n");

  Json inputs = Json::array();
  for (const auto& [path, hash] : request.inputs)
    inputs.push_back(
        {{"file", fs::relative(path, fs::weakly_canonical(directory, code), code).string()}, {"fnv1a64", hash}});
  const Json manifest = {
      {"manifest_version", 1},
      {"dynasoc", DYNASOC_VERSION},
      {"build", DYNASOC_GIT_DESCRIPTION},
      {"command_line", request.command_line},
      {"engine", request.engine},
      {"seed", request.seed},
      {"replications", request.replications},
      {"folder",
       fs::relative(fs::weakly_canonical(scenario.folder, code), fs::weakly_canonical(directory, code), code).string()},
      {"inputs", inputs},
      {"scenario_name", scenario.file.name},
      {"scenario", scenario.document->root()}};
  write_file(directory / "manifest.json", manifest.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

namespace {

struct InputFile {
  std::string file;
  std::string fnv1a64;
  static constexpr auto fields() {
    return describe(required(&InputFile::file, "file", "from the manifest's folder"),
                    required(&InputFile::fnv1a64, "fnv1a64", "of its content"));
  }
};

struct ManifestFile {
  int manifest_version = 1;
  std::string dynasoc;
  std::string build;
  std::vector<std::string> command_line;
  Name engine;
  std::int64_t seed = 1;
  int replications = 1;
  std::string folder;
  std::vector<InputFile> inputs;
  std::string scenario_name;
  FreeForm scenario;
  static constexpr auto fields() {
    using S = ManifestFile;
    return describe(required(&S::manifest_version, "manifest_version", range(1, 1), "of this format"),
                    field(&S::dynasoc, "dynasoc", "version of the program"),
                    field(&S::build, "build", "of the program"), field(&S::command_line, "command_line", "as given"),
                    required(&S::engine, "engine", "native or simgrid"),
                    required(&S::seed, "seed", range(0, kMostSeed), "of all random streams"),
                    required(&S::replications, "replications", range(1, kMostReplications), "independent repetitions"),
                    required(&S::folder, "folder", "from which names in the scenario are resolved"),
                    required(&S::inputs, "inputs", "files that were read"),
                    required(&S::scenario_name, "scenario_name", "of the scenario"),
                    required(&S::scenario, "scenario", "with all that was included and overridden"));
  }
};

}  // namespace

bool is_manifest(const Json& json) { return json.is_object() && json.contains("manifest_version"); }

Scenario load_manifest(std::shared_ptr<Document> document, const fs::path& path, const Overrides& overrides,
                       RunRequest& request) {
  const auto manifest = read<ManifestFile>(Value(document));
  std::vector<std::string> engines;
  for (const auto& [name, kind] : EnumNames<EngineKind>::names) engines.emplace_back(name);
  engines.emplace_back("board");  // what `board run` leaves
  if (std::find(engines.begin(), engines.end(), manifest.engine.text) == engines.end())
    throw manifest.engine.error("unknown engine " + in_quotes(manifest.engine.text) +
                                hint(manifest.engine.text, engines));
  request.engine = manifest.engine.text;
  request.replications = manifest.replications;
  request.seed = static_cast<std::uint64_t>(manifest.seed);
  const fs::path directory = path.parent_path().empty() ? fs::path(".") : path.parent_path();
  Scenario scenario = load_scenario(Document::part(document, "/scenario"), directory / manifest.folder, overrides);
  scenario.file.name = manifest.scenario_name;
  auto setup = std::make_shared<Setup>(*scenario.setup);
  setup->name = scenario.file.name;
  scenario.setup = std::move(setup);
  for (const InputFile& input : manifest.inputs) {
    const fs::path file = directory / input.file;
    std::error_code code;
    if (!fs::is_regular_file(file, code))
      scenario.warnings.push_back("input " + file.string() + " of the original run is no longer there");
    else if (content_hash(read_file(file)) != input.fnv1a64)
      scenario.warnings.push_back("input " + file.string() + " has changed since the original run");
  }
  return scenario;
}

}  // namespace dynasoc
