// What a command has of the world that started it: where its words go, how wide and colourful they may be, who is told
// of its progress and may end it. A terminal is one (terminal.hpp); a caller in the same process brings its own.
#pragma once

#include <filesystem>
#include <optional>
#include <ostream>
#include <string>

#include "cli/command.hpp"
#include "cli/progress_line.hpp"

namespace dynasoc::cli {

/// The user wants the work to end. The program ends with status 130 and says `note`; whatever is on disk is complete or
/// resumable.
struct Interrupted {
  std::string note = "nothing was written";
};

class Console {
 public:
  Console(std::ostream& output, std::ostream& errors) : out(output), err(errors) {}
  virtual ~Console() = default;
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  std::ostream& out;         ///< the answer
  std::ostream& err;         ///< one line for each thing that is wrong or worth a warning
  int columns = 100;         ///< width of the page behind `out`
  bool colour = false;       ///< whether `out` shows ANSI colours
  bool interactive = false;  ///< whether somebody reads `out` as it is written; then it may tell how long things took

  /// `columns` where a window limits what is seen; 0, no limit, for what goes to a file or another program.
  int window() const { return interactive ? columns : 0; }

  /// Work of some length begins: until `end_work` there are calls of `progress`. `quiet`: the user wants to see nothing
  /// of it. Called once at a time; use ProgressBar.
  virtual void begin_work(bool quiet) = 0;
  /// `share` of the work is done (0 to 1); `note` says more. May be called by any thread, one at a time, and may throw
  /// Interrupted, which ends the work.
  virtual void progress(double share, const std::string& note) = 0;
  virtual void end_work() noexcept = 0;

  /// Lets another program of ours answer the command line `words` in this one's place: its exit status, or nothing if
  /// it cannot be started. A terminal's console becomes that program and returns only then.
  virtual std::optional<int> continue_as(const std::filesystem::path& program, const Arguments& words) = 0;

  /// What the work is counted in, for its rate. Told after `begin_work`, where it is known.
  virtual void count_in(const WorkUnit& /*work*/) {}
};

/// Tells a console of progress while it exists.
class ProgressBar {
 public:
  ProgressBar(Console& console, bool quiet) : console_(console) { console.begin_work(quiet); }
  ProgressBar(Console& console, bool quiet, const WorkUnit& work) : ProgressBar(console, quiet) {
    console.count_in(work);
  }
  ~ProgressBar() { console_.end_work(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// Throws Interrupted where the user wants an end.
  void operator()(double share, const std::string& note = {}) { console_.progress(share, note); }

 private:
  Console& console_;
};

/// The console of a caller that wants what a command prints: keeps it, shows nothing, and runs other programs as
/// children. `progress` is the caller's.
class CapturingConsole : public Console {
 public:
  /// The streams must outlive the console.
  CapturingConsole(std::ostream& output, std::ostream& errors) : Console(output, errors) {}

  void begin_work(bool /*quiet*/) override {}
  void end_work() noexcept override {}
  /// Runs the program as a child and copies what it prints; calls `progress` every 20 ms, and ends the child if that
  /// throws. What it refuses is thrown as this program would have: InputError, OutsideError, InternalError.
  std::optional<int> continue_as(const std::filesystem::path& program, const Arguments& words) override;
};

}  // namespace dynasoc::cli
