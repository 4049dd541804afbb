// The console of a program started by hand or by a shell.
#pragma once

#include "cli/console.hpp"

namespace dynasoc::cli {

/// stdout and stderr. Colours only on a terminal, and not where TERM is `dumb`; CLICOLOR_FORCE (other than 0) asks for
/// them anywhere, and NO_COLOR forbids them everywhere. Progress is one line on stderr, with rate and remaining time:
/// only on a terminal that can move its cursor, only after a second, redrawn where something changed, as wide as the
/// terminal is then, and gone at the end. While work goes on, Ctrl-C, SIGTERM and the end of the terminal (SIGHUP,
/// unless ignored) make `progress` throw Interrupted; pressed again, they end the program at once.
class TerminalConsole final : public Console {
 public:
  TerminalConsole();
  void begin_work(bool quiet) override;
  void count_in(const WorkUnit& work) override;
  void progress(double share, const std::string& note) override;
  void end_work() noexcept override;
  std::optional<int> continue_as(const std::filesystem::path& program, const Arguments& words) override;

 private:
  void draw(const std::string& line, int columns_now) noexcept;

  bool shown_ = false;
  std::string drawn_;  ///< the line that stands there now
  double started_s_ = 0;
  double drawn_at_s_ = 0;
  Pace pace_;
  WorkUnit work_;
  void (*on_interrupt_)(int) = nullptr;  ///< what the signals did before
  void (*on_terminate_)(int) = nullptr;
  void (*on_hangup_)(int) = nullptr;
};

/// The whole program but main(): runs the command line `all` (without the program's name) in a terminal. Errors become
/// a line on stderr and an exit status; `pass_on`, if given, may throw those that are not for us. Returns the status.
int run_in_terminal(const Arguments& all, void (*pass_on)() = nullptr);

}  // namespace dynasoc::cli
