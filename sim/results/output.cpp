#include "results/output.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "common/text.hpp"
#include "results/trace.hpp"
#include "version.hpp"
#include "world/run.hpp"

namespace dynasoc {
namespace fs = std::filesystem;
namespace {

// Each is written last, and says that all the others are there.
constexpr const char* kLast[] = {"manifest.json", "comparison.json", "search.json", "validation.json", "network.json"};

// Of `board validate`, one a policy.
bool is_policy_folder(const std::string& name) {
  constexpr std::string_view kBegin = "policy-";
  return name.starts_with(kBegin) && name.size() > kBegin.size() &&
         name.find_first_not_of("0123456789", kBegin.size()) == std::string::npos;
}

// Whether a directory holds something that was finished, or that a board said: that cannot be simulated again.
bool holds_results(const fs::path& directory) {
  std::error_code code;
  for (const char* last : kLast)
    if (fs::exists(directory / last, code)) return true;
  if (fs::exists(directory / "board.jsonl", code)) return true;
  for (const auto& entry : fs::directory_iterator(directory, code))
    if (is_policy_folder(entry.path().filename().string()) && holds_results(entry.path())) return true;
  return false;
}

bool holds_anything(const fs::path& directory) {
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(directory, code))
    if (entry.path().filename() != DirectoryLock::kName) return true;
  return false;
}

// Throws InputError for a directory that results must not be written to. `left`: by a command that was stopped.
void check_content(const fs::path& directory, bool left, bool force, bool (*ours)(const std::string&)) {
  const Location here{directory.string(), 0, 0, ""};
  if (!holds_anything(directory)) return;
  if (!force && (!left || holds_results(directory)))
    throw InputError(here, "already holds files; choose another directory, or say --force");
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(directory, code)) {
    std::string name = entry.path().filename().string();
    if (name.ends_with(".partial")) name.resize(name.size() - 8);
    if (name == DirectoryLock::kName) continue;
    if (!ours(name) || entry.is_directory(code) != is_policy_folder(name))
      throw InputError(
          here, "holds " + in_quotes(name) + ", which is not a result of a run; --force overwrites results only");
  }
}

}  // namespace

bool is_result(const std::string& name) {
  static const std::set<std::string> results{
      "summary.json",      "manifest.json",      "jobs.csv",        "decisions.csv", "candidates.csv",  "timeline.csv",
      "trace.json",        "comparison.json",    "values.csv",      "front.csv",     "generations.csv", "search.json",
      "board.jsonl",       "validation.json",    "both.json",       "learnt.json",   "report.html",     "jobs.parquet",
      "decisions.parquet", "candidates.parquet", "timeline.parquet"};
  return results.contains(name) || is_policy_folder(name);
}

void begin_replacing(const fs::path& directory) {
  std::error_code code;
  for (const char* last : kLast) fs::remove(directory / last, code);
  for (const char* made : {"trace.json", "report.html", "learnt.json", "jobs.parquet", "decisions.parquet",
                           "candidates.parquet", "timeline.parquet"})
    fs::remove(directory / made, code);
}

OutputDirectory::OutputDirectory(const fs::path& directory, bool force, bool (*ours)(const std::string&))
    : directory_(directory) {
  const Location here{directory.string(), 0, 0, ""};
  std::error_code code;
  if (fs::exists(directory, code) && !fs::is_directory(directory, code))
    throw InputError(here, "is a file, not a directory");
  // Before anything is touched, and again when nobody else can change it.
  check_content(directory, fs::exists(directory / DirectoryLock::kName, code), force, ours);
  make_directories(directory);
  lock_.emplace(directory);
  try {
    check_content(directory, lock_->left(), force, ours);
  } catch (...) {
    if (!lock_->found()) lock_->remove();
    throw;
  }
}

OutputDirectory::~OutputDirectory() {
  if (holds_results(directory_) || !holds_anything(directory_)) lock_->remove();
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

Json inputs_json(const fs::path& directory, const std::vector<std::pair<fs::path, std::string>>& inputs) {
  std::error_code code;
  const fs::path here = fs::weakly_canonical(directory, code);
  Json out = Json::array();
  for (const auto& [path, hash] : inputs)
    out.push_back({{"file", fs::relative(path, here, code).string()}, {"fnv1a64", hash}});
  return out;
}

std::string relative_folder(const fs::path& directory, const fs::path& folder) {
  std::error_code code;
  return fs::relative(fs::weakly_canonical(folder, code), fs::weakly_canonical(directory, code), code).string();
}

Json manifest_json(const fs::path& directory, const Scenario& scenario, const RunRequest& request) {
  return {{"manifest_version", 1},
          {"dynasoc", DYNASOC_VERSION},
          {"build", DYNASOC_GIT_DESCRIPTION},
          {"command_line", request.command_line},
          {"engine", request.engine},
          {"seed", request.seed},
          {"replications", request.replications},
          {"folder", relative_folder(directory, scenario.folder)},
          {"inputs", inputs_json(directory, request.inputs)},
          {"scenario_name", scenario.file.name},
          {"scenario", scenario.document->root()}};
}

OutputWriter::OutputWriter(fs::path directory, const Scenario& scenario, Time trace_until)
    : directory_(std::move(directory)),
      scenario_(scenario),
      logs_(directory_, *scenario.setup),
      trace_until_(trace_until) {
  if (trace_until_ > 0) trace_.emplace(directory_ / "trace.json");
}

void OutputWriter::on_flush(const std::function<void()>& poll) {
  logs_.on_flush(poll);
  if (trace_) trace_->on_flush(poll);
}

void OutputWriter::add(const RunRecord& record) {
  logs_.add(record);
  if (trace_ && !traced_) append_trace(*trace_, *scenario_.setup, {{"", &record}}, trace_until_);
  traced_ = true;  // one is what a person looks at
  if (!record.learnt.empty()) learnt_ = record.learnt;
}

void OutputWriter::finish(const RunRequest& request, const Json& summary) {
  begin_replacing(directory_);
  logs_.commit();
  if (trace_) trace_->commit();
  write_file(directory_ / "summary.json", summary.dump(2) + "\n");
  if (!learnt_.empty()) {
    Json policy = scenario_.setup->policy.to_json();
    if (!policy.is_object()) policy = {{"name", policy}};
    policy.update(Json::parse(learnt_));
    write_file(directory_ / "learnt.json", policy.dump() + "\n");
  }

  const Json manifest = manifest_json(directory_, scenario_, request);
  write_file(directory_ / "manifest.json", manifest.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

void write_output(const fs::path& directory, const Scenario& scenario, const RunRequest& request,
                  const std::vector<RunRecord>& records, const Json& summary) {
  OutputWriter writer(directory, scenario);
  for (const RunRecord& record : records) writer.add(record);
  writer.finish(request, summary);
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
