// What a run recorded, as comma-separated tables: a writer a table, fed with one replication after another.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "common/text.hpp"
#include "world/record.hpp"
#include "world/setup.hpp"

namespace dynasoc {

/// Four files in a directory, each written bit by bit beside its place. columns.hpp says what their columns mean.
class LogFiles {
 public:
  /// Throws OutsideError, as every other member does where the disk refuses.
  LogFiles(const std::filesystem::path& directory, const Setup& setup);

  /// Called now and then while files grow; may throw to end the work.
  void on_flush(const std::function<void()>& poll);

  /// Appends a replication. Its record is not needed afterwards.
  void add(const RunRecord& record);

  /// Puts all files in their places.
  void commit();

 private:
  void add_jobs(const RunRecord& record);
  void add_decisions(const RunRecord& record);
  void add_candidates(const RunRecord& record);
  void add_timeline(const RunRecord& record);

  const Setup& setup_;
  FileWriter jobs_, decisions_, candidates_, timeline_;
  bool timeline_has_header_ = false;
  // Cells that come again and again, with the comma after them.
  std::vector<std::string> app_cells_, unit_cells_;
  std::vector<std::vector<std::string>> accuracy_cells_;  // by application and sub-network
};

}  // namespace dynasoc
