#include "cli/console.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

#include "common/error.hpp"

extern char** environ;

namespace dynasoc::cli {
namespace {

// A started program and the ends of its output that we read. Killed if it was not waited for.
class Child {
 public:
  explicit Child(const std::vector<std::string>& words) {
    int out[2] = {-1, -1}, err[2] = {-1, -1};
    if (::pipe2(out, O_CLOEXEC) != 0) throw OutsideError(std::string("cannot create a pipe: ") + std::strerror(errno));
    if (::pipe2(err, O_CLOEXEC) != 0) {
      ::close(out[0]), ::close(out[1]);
      throw OutsideError(std::string("cannot create a pipe: ") + std::strerror(errno));
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    if (::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    ::close(out[1]), ::close(err[1]);
    ends_[0] = out[0], ends_[1] = err[0];
  }
  ~Child() {
    for (const int end : ends_)
      if (end >= 0) ::close(end);
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  bool started() const { return pid_ > 0; }

  // Reads until both ends are closed.
  void read(Console& console, std::string& errors) {
    while (ends_[0] >= 0 || ends_[1] >= 0) {
      pollfd waiting[2] = {{ends_[0], POLLIN, 0}, {ends_[1], POLLIN, 0}};
      if (::poll(waiting, 2, 20) < 0 && errno != EINTR)
        throw OutsideError(std::string("cannot read from a program: ") + std::strerror(errno));
      console.progress(0, {});
      for (int i = 0; i < 2; ++i) {
        if (ends_[i] < 0 || waiting[i].revents == 0) continue;
        char buffer[4096];
        const ssize_t n = ::read(ends_[i], buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n > 0 && i == 0) console.out.write(buffer, n);
        if (n > 0 && i == 1) errors.append(buffer, static_cast<std::size_t>(n));
        if (n <= 0) ::close(ends_[i]), ends_[i] = -1;
      }
    }
  }

  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
  int ends_[2] = {-1, -1};
};

}  // namespace

std::optional<int> CapturingConsole::continue_as(const std::filesystem::path& program, const Arguments& words) {
  std::vector<std::string> all{program.string()};
  all.insert(all.end(), words.begin(), words.end());
  Child child(all);
  if (!child.started()) return std::nullopt;
  std::string errors;
  child.read(*this, errors);
  const int status = child.wait();
  std::string line = errors.substr(0, errors.find_last_not_of('\n') + 1);
  const auto without = [&line](const std::string& start) {
    return line.starts_with(start) ? line.substr(start.size()) : line;
  };
  switch (status) {
    case kSuccess:
    case kCheckFailed: err << errors; return status;
    case kBadInput: throw InputError(line);
    case kOutsideFailed: throw OutsideError(without("dynasoc: "));
    case kBug: throw InternalError(without("dynasoc: a bug: "));
    case 130: throw Interrupted{};
    default:
      throw OutsideError(program.filename().string() + " ended with status " + std::to_string(status) +
                         (line.empty() ? "" : ": " + line));
  }
}

}  // namespace dynasoc::cli
