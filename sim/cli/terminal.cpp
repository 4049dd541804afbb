#include "cli/terminal.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <new>
#include <string_view>
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

constexpr double kBeforeFirst_s = 1, kBetweenDraws_s = 0.1;
constexpr int kColumns = 80;  // of a terminal that does not say

// Whether a variable is there and says something.
bool set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

bool dumb() {
  const char* term = std::getenv("TERM");
  return term != nullptr && std::string_view(term) == "dumb";
}

int columns_of(int file, int otherwise) {
  winsize size{};
  return ::ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : otherwise;
}

std::ptrdiff_t glyphs_of(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

TerminalConsole::TerminalConsole() : Console(std::cout, std::cerr) {
  columns = columns_of(STDOUT_FILENO, columns);
  interactive = ::isatty(STDOUT_FILENO) != 0;
  const bool forced = set("CLICOLOR_FORCE") && std::string_view(std::getenv("CLICOLOR_FORCE")) != "0";
  colour = !set("NO_COLOR") && (forced || (interactive && !dumb()));
}

void TerminalConsole::begin_work(bool quiet) {
  shown_ = !quiet && ::isatty(STDERR_FILENO) != 0 && !dumb();
  drawn_.clear();
  started_s_ = seconds();
  drawn_at_s_ = 0;
  pace_ = {};
  work_ = {};
  on_interrupt_ = std::signal(SIGINT, stop);
  on_terminate_ = std::signal(SIGTERM, stop);
  on_hangup_ = std::signal(SIGHUP, stop);                   // the terminal is gone
  if (on_hangup_ == SIG_IGN) std::signal(SIGHUP, SIG_IGN);  // nohup: somebody wants us to go on
}

void TerminalConsole::count_in(const WorkUnit& work) { work_ = work; }

void TerminalConsole::progress(double share, const std::string& note) {
  if (interrupted) throw Interrupted{};
  const double now_s = seconds();
  if (!shown_ || now_s - drawn_at_s_ < kBetweenDraws_s) return;
  drawn_at_s_ = now_s;
  pace_.look(now_s, share);
  if (now_s - started_s_ < kBeforeFirst_s) return;
  const int now_columns = columns_of(STDERR_FILENO, kColumns);  // a window may have changed its size
  draw(progress_line(share, pace_, work_, note, now_columns), now_columns);
}

// The new line is written over the old one and the rest of that erased, in one write: an empty line is never seen.
void TerminalConsole::draw(const std::string& line, int now_columns) noexcept {
  if (line == drawn_) return;
  std::string bytes;
  // A window made narrower has wrapped the old line.
  const int wrapped = (std::max(1, static_cast<int>(glyphs_of(drawn_))) - 1) / std::max(1, now_columns);
  if (wrapped > 0) bytes = "\033[" + std::to_string(wrapped) + "A\r\033[J";
  bytes += "\r" + line + "\033[K";
  std::fwrite(bytes.data(), 1, bytes.size(), stderr);
  std::fflush(stderr);
  drawn_ = line;
}

void TerminalConsole::end_work() noexcept {
  draw("", columns_of(STDERR_FILENO, kColumns));
  std::signal(SIGINT, on_interrupt_);
  std::signal(SIGTERM, on_terminate_);
  std::signal(SIGHUP, on_hangup_);
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

namespace {

// Whether nobody reads what we print any more: `dynasoc … | head` has seen enough.
bool reader_is_gone() {
  pollfd out{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&out, 1, 0) > 0 && (out.revents & POLLERR) != 0;
}

}  // namespace

int run_in_terminal(const Arguments& all, void (*pass_on)()) {
  std::signal(SIGPIPE, SIG_IGN);  // it would leave scratch files and half-made results behind
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on the size of files is a reason like a full disk
  TerminalConsole console;
  try {
    try {
      const int status = run_command_line(all, console);
      std::cout.flush();
      if (!std::cout || std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
        if (reader_is_gone()) return 128 + SIGPIPE;  // as any program that is not wanted any more
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
  } catch (const std::filesystem::filesystem_error& error) {
    std::cerr << "dynasoc: " << error.path1().string() << ": " << error.code().message() << "\n";
    return kOutsideFailed;
  } catch (const std::bad_alloc&) {
    std::cerr << "dynasoc: out of memory\n";
    return kOutsideFailed;
  } catch (const std::exception& error) {
    std::cerr << "dynasoc: a bug: " << error.what() << "\n";
    return kBug;
  }
}

}  // namespace dynasoc::cli
