#include "common/child_process.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "common/error.hpp"

namespace dynasoc {
namespace {

void write_all(int file, const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::write(file, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // the parent is gone
    done += static_cast<std::size_t>(n);
  }
}

}  // namespace

ChildProcess::ChildProcess(const std::function<std::string()>& work) {
  int ends[2];
  if (::pipe(ends) != 0) throw OutsideError(std::string("cannot create a pipe: ") + std::strerror(errno));
  pid_ = ::fork();
  if (pid_ < 0) throw OutsideError(std::string("cannot start a process: ") + std::strerror(errno));
  if (pid_ == 0) {
    ::close(ends[0]);
    ::signal(SIGINT, SIG_IGN);  // a terminal tells us too; the parent decides, and ends its children
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::string answer;
    try {
      answer = "+" + work();
    } catch (const InputError& error) {
      answer = std::string("i") + error.what();
    } catch (const std::exception& error) {
      answer = std::string("e") + error.what();
    } catch (...) {
      answer = "ean exception of an unknown kind";
    }
    write_all(ends[1], answer);
    ::_exit(0);
  }
  ::close(ends[1]);
  pipe_ = ends[0];
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pipe_(std::exchange(other.pipe_, -1)) {}

ChildProcess::~ChildProcess() {
  if (pipe_ >= 0) ::close(pipe_);
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

bool ChildProcess::ready(int milliseconds) const {
  pollfd pipe{pipe_, POLLIN, 0};
  return ::poll(&pipe, 1, milliseconds) > 0;
}

std::string ChildProcess::result() {
  std::string bytes;
  char buffer[65536];
  for (;;) {
    const ssize_t n = ::read(pipe_, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    bytes.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(std::exchange(pipe_, -1));
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (WIFSIGNALED(status))
    throw OutsideError(std::string("a child process was ended by ") + strsignal(WTERMSIG(status)));
  if (bytes.empty())
    throw OutsideError("a child process ended without an answer (status " + std::to_string(WEXITSTATUS(status)) + ")");
  if (bytes[0] == 'i') throw InputError(bytes.substr(1));
  if (bytes[0] != '+') throw InternalError(bytes.substr(1));
  return bytes.substr(1);
}

}  // namespace dynasoc
