#include "cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <new>
#include <vector>

#include "cli/command_line.hpp"
#include "common/error.hpp"

namespace dynasoc::cli {
namespace {

std::atomic<bool> interrupted{false};  // a signal handler can reach nothing else
static_assert(std::atomic<bool>::is_always_lock_free);

void stop(int signal) {
  interrupted = true;
  std::signal(signal, SIG_DFL);
}

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

TerminalConsole::TerminalConsole() : Console(std::cout, std::cerr) {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) columns = size.ws_col;
  interactive = ::isatty(STDOUT_FILENO) != 0;
  colour = interactive && std::getenv("NO_COLOR") == nullptr;
}

void TerminalConsole::begin_work(bool quiet) {
  shown_ = !quiet && ::isatty(STDERR_FILENO) != 0;
  drawn_ = false;
  started_s_ = seconds();
  drawn_at_s_ = 0;
  on_interrupt_ = std::signal(SIGINT, stop);
  on_terminate_ = std::signal(SIGTERM, stop);
}

void TerminalConsole::progress(double share, const std::string& note) {
  if (interrupted) throw Interrupted{};
  const double now_s = seconds(), elapsed_s = now_s - started_s_;
  if (!shown_ || elapsed_s < 1 || now_s - drawn_at_s_ < 0.1) return;
  drawn_at_s_ = now_s;
  drawn_ = true;
  const int width = note.empty() ? 40 : 16;  // so that the line stays below 80 columns
  const int full = static_cast<int>(share * width);
  std::string bar;
  for (int i = 0; i < width; ++i) bar += i < full ? "━" : " ";
  std::fprintf(stderr, "\r\033[K%s %3.0f %%, %.0f s left%s%s", bar.c_str(), 100 * share,
               share > 0 ? elapsed_s / share * (1 - share) : 0.0, note.empty() ? "" : ", ", note.c_str());
}

void TerminalConsole::end_work() noexcept {
  if (drawn_) std::fputs("\r\033[K", stderr);
  std::signal(SIGINT, on_interrupt_);
  std::signal(SIGTERM, on_terminate_);
}

std::optional<int> TerminalConsole::continue_as(const std::filesystem::path& program, const Arguments& words) {
  std::vector<std::string> all{program.string()};
  all.insert(all.end(), words.begin(), words.end());
  std::vector<char*> argv;
  for (std::string& word : all) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  return std::nullopt;
}

int run_in_terminal(const Arguments& all, void (*pass_on)()) {
  TerminalConsole console;
  try {
    try {
      const int status = run_command_line(all, console);
      std::cout.flush();
      if (!std::cout || std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
        std::cerr << "dynasoc: standard output cannot be written\n";
        return kOutsideFailed;
      }
      return status;
    } catch (...) {
      std::cout.flush();
      if (pass_on != nullptr) pass_on();
      throw;
    }
  } catch (const InputError& error) {
    std::cerr << error.what() << "\n";
    return kBadInput;
  } catch (const OutsideError& error) {
    std::cerr << "dynasoc: " << error.what() << "\n";
    return kOutsideFailed;
  } catch (const Interrupted& end) {
    std::cerr << "dynasoc: interrupted; " << end.note << "\n";
    return 130;
  } catch (const std::bad_alloc&) {
    std::cerr << "dynasoc: out of memory\n";
    return kOutsideFailed;
  } catch (const std::exception& error) {
    std::cerr << "dynasoc: a bug: " << error.what() << "\n";
    return kBug;
  }
}

}  // namespace dynasoc::cli
