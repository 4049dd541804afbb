// Running setups: one replication, or many on several threads or processes.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "world/record.hpp"
#include "world/setup.hpp"

namespace dynasoc {

enum class EngineKind : std::uint8_t { native, simgrid };
template <>
struct EnumNames<EngineKind> {
  static constexpr std::array<std::pair<std::string_view, EngineKind>, 2> names{
      {{"native", EngineKind::native}, {"simgrid", EngineKind::simgrid}}};
};

/// How an engine runs one replication.
using SimulateFunction = RunRecord (*)(const Setup&, const Recording&, std::uint64_t replication,
                                       const std::function<void(double)>&);

/// SimGrid's half registers itself where it is linked in: `dynasoc` does without (its libraries take longer to load
/// than a small scenario takes to run), `dynasoc-simgrid` and the tests have it.
struct SimgridRegistration {
  explicit SimgridRegistration(SimulateFunction function);
};

/// Whether this program has SimGrid in it.
bool simgrid_available();

/// One replication, in this process and thread. SimGrid runs one simulation a process: use `simulate_all`.
RunRecord simulate(const Setup& setup, const Recording& recording, EngineKind engine, std::uint64_t replication,
                   const std::function<void(double)>& progress = {});

/// Replications 0 … count-1, `jobs` at a time; the result does not depend on `jobs`. The native engine uses threads,
/// SimGrid a child process a replication. `progress` gets the share done and may throw to end everything; it is called
/// from one thread at a time.
std::vector<RunRecord> simulate_all(const Setup& setup, const Recording& recording, EngineKind engine, int count,
                                    int jobs, const std::function<void(double)>& progress = {});

/// The same, one after another: `take` gets the records in their order, from one thread at a time, and what it keeps of
/// them is its own affair. No more than `jobs` records exist beside those that it keeps. It may throw to end
/// everything.
void simulate_each(const Setup& setup, const Recording& recording, EngineKind engine, int count, int jobs,
                   const std::function<void(RunRecord)>& take, const std::function<void(double)>& progress = {});

/// A record as bytes, for the way from a child process to its parent.
std::string pack(const RunRecord& record);
RunRecord unpack(const std::string& bytes);

/// The same for all replications, through a file that a program of the same build writes and another reads (run
/// --records). Throws OutsideError, and InputError for a file of another kind or build.
void write_records(const std::filesystem::path& path, const std::vector<RunRecord>& records);
std::vector<RunRecord> read_records(const std::filesystem::path& path);

}  // namespace dynasoc
