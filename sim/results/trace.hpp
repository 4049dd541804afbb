// A run as a picture: Chrome's trace event format, which Perfetto opens.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "common/text.hpp"
#include "world/record.hpp"
#include "world/setup.hpp"

namespace dynasoc {

/// Frames of an application that may wait side by side and have an arrow to their inference. Those beyond are drawn
/// too, without the arrow.
inline constexpr std::size_t kWaitingRows = 32;

/// Writes one replication in Chrome's trace event format, which Perfetto opens: a process for each unit and each
/// application, with inferences, waiting, outcomes and background loads; the manager's decisions; counters. Needs the
/// record's jobs, decisions and timeline. Complete or not at all. Throws OutsideError.
void write_trace(const std::filesystem::path& path, const Setup& setup, const RunRecord& record);

/// The same for several runs of one set-up in one picture, under their labels.
void write_trace(const std::filesystem::path& path, const Setup& setup,
                 const std::vector<std::pair<std::string, const RunRecord*>>& runs);

/// The same into a file that the caller commits, of what arrives, is decided and is counted before `until` alone: a
/// frame takes about 1.1 kB. Memory does not grow with the length of a run.
void append_trace(FileWriter& file, const Setup& setup,
                  const std::vector<std::pair<std::string, const RunRecord*>>& runs, Time until = kNever);

}  // namespace dynasoc
