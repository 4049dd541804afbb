// The console of a program started by hand or by a shell.
#pragma once

#include "cli/console.hpp"

namespace dynasoc::cli {

/// stdout and stderr. Progress is a bar with the time that remains, on stderr: only on a terminal, only after a second.
/// While work goes on, Ctrl-C and SIGTERM make `progress` throw Interrupted; pressed again, they end the program at
/// once.
class TerminalConsole final : public Console {
 public:
  TerminalConsole();
  void begin_work(bool quiet) override;
  void progress(double share, const std::string& note) override;
  void end_work() noexcept override;
  std::optional<int> continue_as(const std::filesystem::path& program, const Arguments& words) override;

 private:
  bool shown_ = false;
  bool drawn_ = false;
  double started_s_ = 0;
  double drawn_at_s_ = 0;
  void (*on_interrupt_)(int) = nullptr;  ///< what the signals did before
  void (*on_terminate_)(int) = nullptr;
};

/// The whole program but main(): runs the command line `all` (without the program's name) in a terminal. Errors become
/// a line on stderr and an exit status; `pass_on`, if given, may throw those that are not for us. Returns the status.
int run_in_terminal(const Arguments& all, void (*pass_on)() = nullptr);

}  // namespace dynasoc::cli
