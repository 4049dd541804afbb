// Worker processes as the supervisor sees them: one request at a time, as lines, and what they left on standard error.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lines.hpp"
#include "process.hpp"

namespace dynasoc::agent {

/// The Linux nice level whose scheduling weight is nearest to `weight` (1 = nice 0; 1.25 a level), by ratio.
int nice_of_weight(double weight);

class Worker {
 public:
  explicit Worker(const ProcessOptions& options) : process_(options) {}

  Process& process() { return process_; }
  const Process& process() const { return process_; }

  void send(const Json& request);
  /// Moves what can be moved, without waiting. Call when a poll says so, and once more after the process has ended.
  void exchange();
  /// The next line that it wrote.
  LineReader::Next next(std::string& line) { return reader_.next(line); }
  /// No more lines will come.
  bool silent() const { return process_.output() < 0; }
  bool has_output() const { return !to_send_.empty(); }
  /// The last 4 KiB of its standard error.
  const std::string& last_words() const { return last_words_; }
  /// The last line of these that is not blank, at most 200 bytes.
  std::string last_line() const;

 private:
  void listen();

  Process process_;
  LineReader reader_;
  OutputQueue to_send_;
  std::string last_words_;
};

}  // namespace dynasoc::agent
