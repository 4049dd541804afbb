// The output directory of a run, and its way back: `dynasoc run DIR/manifest.json`.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/directory_lock.hpp"
#include "results/logs.hpp"
#include "scenario/scenario.hpp"
#include "world/record.hpp"

namespace dynasoc {

/// How a run was asked for; a manifest keeps it.
struct RunRequest {
  std::string engine = "native";
  int replications = 1;
  std::uint64_t seed = 1;
  std::vector<std::string> command_line;
  std::vector<std::pair<std::filesystem::path, std::string>> inputs;  ///< files that were read, and their hashes
};

/// Absolute paths and content hashes, each file once. Called before a run: by its end a file may be another.
std::vector<std::pair<std::filesystem::path, std::string>> hashes_of(const std::vector<std::filesystem::path>& inputs);

/// Whether a file of this name is a result, so that `--force` may overwrite it; or, of `board validate`, a folder.
bool is_result(const std::string& name);

/// An earlier command's results in `directory` no longer count as complete: removes those files of theirs that are
/// written last, and what was made of them (report.html, Parquet files). Called before the first new file appears.
void begin_replacing(const std::filesystem::path& directory);

/// A directory into which results are being written, by nobody else meanwhile. It holds a file `lock` until they are
/// complete, or gone: where that is left behind, a command was stopped in the middle, and whoever comes next may go on.
/// Made before a run: nobody should simulate for an hour to learn that the disk is read-only.
class OutputDirectory {
 public:
  /// Creates the directory. Refuses (InputError) one that cannot be made or written, that another process writes to, or
  /// that holds anything, unless it was left in the middle of a simulation or `force` is given; and even then one that
  /// holds what `ours` does not know. What a board said is never taken for nothing. Throws OutsideError where the disk
  /// refuses.
  explicit OutputDirectory(const std::filesystem::path& directory, bool force,
                           bool (*ours)(const std::string& name) = is_result);
  ~OutputDirectory();
  OutputDirectory(const OutputDirectory&) = delete;
  OutputDirectory& operator=(const OutputDirectory&) = delete;

 private:
  std::filesystem::path directory_;
  std::optional<DirectoryLock> lock_;
};

/// Refuses a timeline of more than 2 million rows, before simulating. Throws InputError.
void check_timeline(const Scenario& scenario, int replications);

/// The files of a run, written while replications end: jobs.csv, decisions.csv, candidates.csv, timeline.csv,
/// trace.json, summary.json, of a policy that learns learnt.json (itself, as `--policy FILE` takes it, with what its
/// last replication knew in the end) and, last, manifest.json; each appears complete or not at all. A directory without
/// manifest.json holds an unfinished run. Every member throws OutsideError where the disk refuses.
class OutputWriter {
 public:
  /// `scenario` must outlive it. trace.json shows what happens before `trace_until`; 0: there is none.
  OutputWriter(std::filesystem::path directory, const Scenario& scenario, Time trace_until = kNever);

  /// Called now and then while files grow; may throw to end the work.
  void on_flush(const std::function<void()>& poll);

  /// The next replication, in their order. Its logs are not needed afterwards.
  void add(const RunRecord& record);

  /// Puts everything in its place. Until then an earlier run's files stay as they were.
  void finish(const RunRequest& request, const Json& summary);

 private:
  std::filesystem::path directory_;
  const Scenario& scenario_;
  LogFiles logs_;
  Time trace_until_;
  std::optional<FileWriter> trace_;
  bool traced_ = false;
  std::string learnt_;  // of the last replication
};

/// Writes the files of a run whose records are all there. Throws OutsideError.
void write_output(const std::filesystem::path& directory, const Scenario& scenario, const RunRequest& request,
                  const std::vector<RunRecord>& records, const Json& summary);

/// What a manifest in `directory` holds: all that makes the run again. Its paths lead from there.
Json manifest_json(const std::filesystem::path& directory, const Scenario& scenario, const RunRequest& request);
/// The inputs in it, [{"file", "fnv1a64"}], and where names of a scenario are resolved.
Json inputs_json(const std::filesystem::path& directory,
                 const std::vector<std::pair<std::filesystem::path, std::string>>& inputs);
std::string relative_folder(const std::filesystem::path& directory, const std::filesystem::path& folder);

/// Whether a document is a manifest.
bool is_manifest(const Json& json);

/// What a manifest asks for: the scenario as it was, with all overrides. Throws InputError. Inputs (platform, tables)
/// that have changed since are named in `warnings` of the scenario.
Scenario load_manifest(std::shared_ptr<Document> document, const std::filesystem::path& path,
                       const Overrides& overrides, RunRequest& request);

}  // namespace dynasoc
