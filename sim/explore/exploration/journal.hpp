// What was simulated, on disk: one line an evaluation, appended as it is made, so that nothing finished is ever lost.
//
// A line has five cells divided by tabs: key of the configuration (Space::key), replication, assignments (JSON), values
// by Space::metrics() divided by commas (`nan` where undefined), and content_hash of all that stands before the last
// tab. The order of lines means nothing. A line that a kill cut short stands at the end and is dropped.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/document.hpp"

namespace dynasoc::explore {

struct Evaluation {
  std::string key;
  int replication = 0;
  Json assignments;
  std::vector<double> values;
};

/// With its newline.
std::string journal_line(const Evaluation& evaluation);
/// Nothing for a line that is not whole.
std::optional<Evaluation> read_journal_line(std::string_view line);

class Journal {
 public:
  /// In memory only.
  Journal() = default;
  /// Opens DIR/evaluations.tsv for this process alone and reads it. Throws InputError where another process has it, and
  /// for a line that is not whole but followed by others, or says otherwise than an earlier line of the same evaluation
  /// (the file was damaged); OutsideError where the disk refuses.
  explicit Journal(const std::filesystem::path& directory);
  ~Journal();
  /// Throws InputError where another process has DIR/evaluations.tsv.
  static void refuse_if_in_use(const std::filesystem::path& directory);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// Null where this evaluation was not made yet. Valid until the journal is destroyed.
  const std::vector<double>* find(const std::string& key, int replication) const;

  /// Remembers an evaluation, on disk with one write. Thread-safe; not while others call `find`.
  void add(Evaluation evaluation);

  std::size_t size() const { return known_.size(); }
  std::size_t read() const { return read_; }  ///< lines that were there already

 private:
  std::map<std::pair<std::string, int>, std::vector<double>> known_;
  std::size_t read_ = 0;
  std::mutex mutex_;
  std::filesystem::path path_;
  int file_ = -1;
};

}  // namespace dynasoc::explore
