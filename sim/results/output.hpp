// The output directory of a run, and its way back: `dynasoc run DIR/manifest.json`.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

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

/// Refuses (InputError) a directory that cannot be made or written, or that already holds anything, unless `force`;
/// with `force`, refuses to touch a directory that does not look like results. Creates it. Called before a run: nobody
/// should simulate for an hour to learn that the disk is read-only.
void prepare_output(const std::filesystem::path& directory, bool force);

/// The timeline is kept in memory until the run is over: refuses one that would not fit, before simulating. Throws
/// InputError.
void check_timeline(const Scenario& scenario, int replications);

/// Writes jobs.csv, decisions.csv, candidates.csv, timeline.csv, trace.json, summary.json and, last, manifest.json;
/// each appears complete or not at all. A directory without manifest.json holds an unfinished run.
void write_output(const std::filesystem::path& directory, const Scenario& scenario, const RunRequest& request,
                  const std::vector<RunRecord>& records, const Json& summary);

/// Writes one replication in Chrome's trace event format, which Perfetto opens: units as processes, applications as
/// threads, decisions as instants, power as a counter. Complete or not at all. Throws OutsideError.
void write_trace(const std::filesystem::path& path, const Setup& setup, const RunRecord& record);

/// The same for several runs of one set-up in one picture, under their labels.
void write_trace(const std::filesystem::path& path, const Setup& setup,
                 const std::vector<std::pair<std::string, const RunRecord*>>& runs);

/// Whether a document is a manifest.
bool is_manifest(const Json& json);

/// What a manifest asks for: the scenario as it was, with all overrides. Throws InputError. Inputs (platform, tables)
/// that have changed since are named in `warnings` of the scenario.
Scenario load_manifest(std::shared_ptr<Document> document, const std::filesystem::path& path,
                       const Overrides& overrides, RunRequest& request);

}  // namespace dynasoc
