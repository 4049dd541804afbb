#include "common/program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "common/error.hpp"

extern char** environ;

namespace dynasoc {
namespace {

struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() {
    if (::pipe2(ends, O_CLOEXEC) != 0) throw OutsideError(std::string("cannot create a pipe: ") + std::strerror(errno));
  }
  ~Pipe() { close(0), close(1); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close(int end) {
    if (ends[end] >= 0) ::close(std::exchange(ends[end], -1));
  }
};

// Both at once: a program that fills the one that nobody reads would wait for ever.
void drain(Pipe& out, std::string& out_text, Pipe& err, std::string& err_text) {
  while (out.ends[0] >= 0 || err.ends[0] >= 0) {
    pollfd both[2] = {{out.ends[0], POLLIN, 0}, {err.ends[0], POLLIN, 0}};  // poll passes over descriptors below 0
    if (::poll(both, 2, -1) < 0 && errno != EINTR) return;
    for (int i = 0; i < 2; ++i) {
      Pipe& pipe = i == 0 ? out : err;
      if (both[i].revents == 0 || pipe.ends[0] < 0) continue;
      char buffer[4096];
      const ssize_t n = ::read(pipe.ends[0], buffer, sizeof buffer);
      if (n > 0) (i == 0 ? out_text : err_text).append(buffer, static_cast<std::size_t>(n));
      if (n == 0 || (n < 0 && errno != EINTR)) pipe.close(0);
    }
  }
}

}  // namespace

Finished run_program(const std::vector<std::string>& words, bool keep_output) {
  std::optional<Pipe> out, err;
  if (keep_output) out.emplace(), err.emplace();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (keep_output) {
    posix_spawn_file_actions_adddup2(&actions, out->ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err->ends[1], STDERR_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  }
  // What this process does not want to be ended by, another is to be.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t to_default;
  sigemptyset(&to_default);
  for (const int signal : {SIGPIPE, SIGXFSZ}) sigaddset(&to_default, signal);
  posix_spawnattr_setsigdefault(&attributes, &to_default);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);

  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_t pid = 0;
  const int failed = ::posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) throw OutsideError("cannot start " + words[0] + ": " + std::strerror(failed));
  Finished done;
  if (keep_output) {
    out->close(1), err->close(1);
    drain(*out, done.out, *err, done.err);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  done.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return done;
}

bool succeeds(const std::vector<std::string>& words) {
  try {
    return run_program(words, true).status == 0;
  } catch (const OutsideError&) {
    return false;  // it is not there
  }
}

}  // namespace dynasoc
