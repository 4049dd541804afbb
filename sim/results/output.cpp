#include "results/output.hpp"

#include <cmath>
#include <set>

#include <unistd.h>

#include "common/csv.hpp"
#include "common/text.hpp"
#include "version.hpp"

namespace dynasoc {
namespace fs = std::filesystem;
namespace {

void append_time(std::string& out, Time t) {
  if (t == kNever) return;
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
      const bool done = job.end != kNever;
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
  out = "replication,time_s,policy,target,knob,from,to,reason,margin\n";
  for (const RunRecord& record : records)
    for (const DecisionRecord& decision : record.decision_log) {
      append_number(out, static_cast<long long>(record.replication));
      out += ',';
      append_time(out, decision.at);
      out += ',' + csv_cell(setup.policy.name) + ',' + csv_cell(decision.target) + ',' + csv_cell(decision.knob) + ',' +
             csv_cell(decision.from) + ',' + csv_cell(decision.to) + ',' + csv_cell(decision.reason) + ',';
      append_number(out, decision.margin);
      out += '\n';
      file.flush_if_large();
    }
  file.commit();
}

void write_timeline(const fs::path& path, const std::vector<RunRecord>& records) {
  FileWriter file(path);
  std::string& out = file.buffer();
  out = "replication,time_s";
  for (const std::string& column : records[0].timeline_columns) out += ',' + csv_cell(column);
  out += '\n';
  for (const RunRecord& record : records)
    for (const TimelineRow& row : record.timeline) {
      append_number(out, static_cast<long long>(record.replication));
      out += ',';
      append_time(out, row.at);
      for (const double x : row.values) {
        out += ',';
        if (std::isfinite(x)) append_number(out, x);
      }
      out += '\n';
      file.flush_if_large();
    }
  file.commit();
}

// Chrome's trace event format, which Perfetto opens: units as processes, applications as threads; counters for power.
void write_trace(const fs::path& path, const Setup& setup, const std::vector<RunRecord>& records) {
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
  const RunRecord& record = records[0];  // one replication is what a person looks at
  for (std::size_t u = 0; u < setup.platform.file.units.size(); ++u) {
    event({{"ph", "M"}, {"name", "process_name"}, {"pid", u}, {"args", {{"name", setup.platform.file.units[u].first}}}});
    for (std::size_t a = 0; a < setup.apps.size(); ++a)
      event({{"ph", "M"}, {"name", "thread_name"}, {"pid", u}, {"tid", a}, {"args", {{"name", setup.apps[a].name}}}});
  }
  const auto us = [](Time t) { return static_cast<double>(t) * 1e-3; };
  for (std::size_t i = 0; i < record.jobs.size(); ++i) {
    const JobRecord& job = record.jobs[i];
    if (job.start == kNever || job.end == kNever) continue;
    event({{"ph", "X"}, {"name", "L" + std::to_string(job.subnet + 1)}, {"pid", job.unit}, {"tid", job.app}, {"ts", us(job.start)},
           {"dur", us(job.end - job.start)}, {"cname", job.outcome == Outcome::missed ? "terrible" : "good"},
           {"args", {{"job", job.job}, {"outcome", std::string(name_of(job.outcome))}, {"energy_mj", job.energy_mj}}}});
  }
  for (const DecisionRecord& decision : record.decision_log)
    event({{"ph", "i"}, {"s", "g"}, {"name", decision.target + " " + decision.knob + " " + decision.from + " -> " + decision.to},
           {"pid", 0}, {"tid", 0}, {"ts", us(decision.at)}, {"args", {{"reason", decision.reason}}}});
  for (const TimelineRow& row : record.timeline)
    event({{"ph", "C"}, {"name", "power"}, {"pid", 0}, {"ts", us(row.at)}, {"args", {{"W", row.values[0]}}}});
  out += "\n]}\n";
  file.commit();
}

}  // namespace

void prepare_output(const fs::path& directory, bool force) {
  const Location here{directory.string(), 0, 0, ""};
  std::error_code code;
  if (fs::exists(directory, code) && !fs::is_directory(directory, code)) throw InputError(here, "is a file, not a directory");
  if (fs::is_directory(directory, code) && !fs::is_empty(directory, code)) {
    if (!force) throw InputError(here, "already holds files; choose another directory, or say --force");
    static const std::set<std::string> ours{"summary.json", "manifest.json", "jobs.csv", "decisions.csv", "timeline.csv", "trace.json"};
    for (const auto& entry : fs::directory_iterator(directory, code)) {
      std::string name = entry.path().filename().string();
      if (name.ends_with(".partial")) name.resize(name.size() - 8);
      if (!ours.contains(name))
        throw InputError(here, "holds \"" + name + "\", which is not a result of a run; --force overwrites results only");
    }
    fs::remove(directory / "manifest.json", code);  // the old run is no longer complete from here on
  }
  fs::create_directories(directory, code);
  if (code) throw InputError(here, "cannot be created: " + code.message());
  if (::access(directory.c_str(), W_OK | X_OK) != 0) throw InputError(here, "cannot be written to");
}

void write_output(const fs::path& directory, const Scenario& scenario, const RunRequest& request,
                  const std::vector<RunRecord>& records, const Json& summary) {
  const Setup& setup = *scenario.setup;
  write_jobs(directory / "jobs.csv", setup, records);
  write_decisions(directory / "decisions.csv", setup, records);
  write_timeline(directory / "timeline.csv", records);
  write_trace(directory / "trace.json", setup, records);
  write_file(directory / "summary.json", summary.dump(2) + "\n");

  Json inputs = Json::array();
  std::set<std::string> seen;
  for (const fs::path& path : scenario.inputs) {
    std::error_code code;
    const fs::path absolute = fs::weakly_canonical(path, code);
    if (seen.insert(absolute.string()).second)
      inputs.push_back({{"file", fs::relative(absolute, fs::weakly_canonical(directory, code), code).string()}, {"fnv1a64", content_hash(read_file(path))}});
  }
  std::error_code code;
  const Json manifest = {{"manifest_version", 1},
                         {"dynasoc", DYNASOC_VERSION},
                         {"build", DYNASOC_GIT_DESCRIPTION},
                         {"command_line", request.command_line},
                         {"engine", request.engine},
                         {"seed", request.seed},
                         {"replications", request.replications},
                         {"folder", fs::relative(fs::weakly_canonical(scenario.folder, code), fs::weakly_canonical(directory, code), code).string()},
                         {"inputs", inputs},
                         {"scenario_name", scenario.file.name},
                         {"scenario", scenario.document->root()}};
  write_file(directory / "manifest.json", manifest.dump(2) + "\n");
}

bool is_manifest(const Json& json) { return json.is_object() && json.contains("manifest_version"); }

Scenario load_manifest(std::shared_ptr<Document> document, const fs::path& path, const Overrides& overrides, RunRequest& request) {
  const Value root(document);
  if (read<int>(root["manifest_version"]) != 1) throw root["manifest_version"].error("only version 1 is known");
  request.engine = read<std::string>(root["engine"]);
  request.replications = read<int>(root["replications"], range(1, 1e6));
  request.seed = static_cast<std::uint64_t>(read<std::int64_t>(root["seed"], range(0, 9e15)));
  const fs::path directory = path.parent_path().empty() ? fs::path(".") : path.parent_path();
  auto inner = Document::parse(root["scenario"].json().dump(2), path.string() + "#scenario");
  Scenario scenario = load_scenario(inner, directory / read<std::string>(root["folder"]), overrides);
  scenario.file.name = read<std::string>(root["scenario_name"]);
  auto setup = std::make_shared<Setup>(*scenario.setup);
  setup->name = scenario.file.name;
  scenario.setup = std::move(setup);
  for (std::size_t i = 0; i < root["inputs"].json().size(); ++i) {
    const Value input = root["inputs"][i];
    const fs::path file = directory / read<std::string>(input["file"]);
    std::error_code code;
    if (!fs::exists(file, code))
      scenario.warnings.push_back("input " + file.string() + " of the original run is no longer there");
    else if (content_hash(read_file(file)) != read<std::string>(input["fnv1a64"]))
      scenario.warnings.push_back("input " + file.string() + " has changed since the original run");
  }
  scenario.inputs.insert(scenario.inputs.begin(), path);
  return scenario;
}

}  // namespace dynasoc
