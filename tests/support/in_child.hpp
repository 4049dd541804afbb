// Runs a function in a forked child and brings back the bytes it returns: for code that can run only once in a process,
// may crash, or must not disturb the tests' own process.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace dynasoc::test {

struct ChildOutcome {
  std::string bytes;    ///< what the function returned; empty if it did not
  std::string failure;  ///< empty, or the text of its exception, or what ended the child
};

namespace detail {

inline void write_all(int fd, const std::string& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t n = ::write(fd, bytes.data() + sent, bytes.size() - sent);
    if (n < 0 && errno != EINTR) _exit(3);
    if (n > 0) sent += static_cast<std::size_t>(n);
  }
}

inline std::string read_all(int fd) {
  std::string bytes;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n == 0 || (n < 0 && errno != EINTR)) return bytes;
    if (n > 0) bytes.append(buffer, static_cast<std::size_t>(n));
  }
}

}  // namespace detail

/// `function` returns a std::string. The child dies after `seconds`; it leaves without destructors or exit handlers of
/// the parent's being run a second time.
template <class Function>
ChildOutcome in_child(Function&& function, unsigned seconds = 120) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error(std::string("pipe: ") + std::strerror(errno));
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) {
    const std::string reason = std::strerror(errno);
    close(ends[0]);
    close(ends[1]);
    throw std::runtime_error("fork: " + reason);
  }
  if (child == 0) {
    close(ends[0]);
    // The test framework's handlers would report the crash as if it were the parent's.
    for (const int fatal : {SIGSEGV, SIGABRT, SIGFPE, SIGILL, SIGBUS, SIGTERM, SIGINT}) signal(fatal, SIG_DFL);
    alarm(seconds);
    std::string message;
    try {
      message = "=" + std::forward<Function>(function)();
    } catch (const std::exception& error) {
      message = std::string("!") + error.what();
    } catch (...) {
      message = "!an exception that is no std::exception";
    }
    detail::write_all(ends[1], message);
    std::fflush(nullptr);
    _exit(0);
  }
  close(ends[1]);
  const std::string message = detail::read_all(ends[0]);
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;

  ChildOutcome outcome;
  if (WIFSIGNALED(status)) {
    outcome.failure =
        std::string("killed by signal ") + std::to_string(WTERMSIG(status)) + " (" + strsignal(WTERMSIG(status)) + ")";
  } else if (WEXITSTATUS(status) != 0 || message.empty()) {
    outcome.failure = "ended with status " + std::to_string(WEXITSTATUS(status));
  } else if (message[0] == '!') {
    outcome.failure = message.size() > 1 ? message.substr(1) : "an exception without text";
  } else {
    outcome.bytes = message.substr(1);
  }
  return outcome;
}

}  // namespace dynasoc::test
