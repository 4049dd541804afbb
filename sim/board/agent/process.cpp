#include "process.hpp"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <utility>

#include "clock.hpp"
#include "refusal.hpp"

namespace dynasoc::agent {
namespace {

constexpr int kStartMs = 1000;
constexpr int kPauseUs = 200, kPatience = 1000;  // in which a killed process ends
constexpr int kFilesOfAChild = 1024;             // above which a supervisor has none that a child could inherit

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      throw Refusal("worker", std::string("no pipe for a worker: ") + ::strerror(errno));
    }
    read = ends[0];
    write = ends[1];
  }
  ~Pipe() {
    close(read);
    close(write);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  static void close(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
  static int take(int& end) { return std::exchange(end, -1); }
};

cpu_set_t set_of(const std::vector<int>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) CPU_SET(static_cast<unsigned>(cpu), &set);
  return set;
}

/// From fork to exec: only calls that are safe when other threads held locks at the fork.
[[noreturn]] void become(const char* program, char* const* arguments, int in, int out, int err, int go, int failed,
                         pid_t parent) {
  const auto fail = [failed] {
    const int problem = errno;
    if (::write(failed, &problem, sizeof problem) < 0) ::_exit(127);
    ::_exit(127);
  };
  ::setpgid(0, 0);
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail();
  if (::getppid() != parent) ::_exit(127);  // it died before the line above
  char byte;
  if (::read(go, &byte, 1) != 1) fail();  // until pinned
  struct rlimit no_core = {0, 0};         // a dump would delay the news of a crash by its size
  ::setrlimit(RLIMIT_CORE, &no_core);
  if (::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(err, 2) < 0) fail();
  for (int file = 3; file < kFilesOfAChild; ++file) {
    if (file != failed) ::close(file);  // whatever was not marked: above all not the lock
  }
  for (const int signal : {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGCHLD}) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execv(program, arguments);
  fail();
  ::_exit(127);
}

void unblock_reads(int file) { ::fcntl(file, F_SETFL, ::fcntl(file, F_GETFL) | O_NONBLOCK); }

}  // namespace

std::vector<int> existing_cpus(const std::vector<int>& cpus) {
  const long there = ::sysconf(_SC_NPROCESSORS_CONF);
  std::vector<int> existing;
  for (const int cpu : cpus) {
    if (cpu >= 0 && cpu < there && cpu < CPU_SETSIZE) existing.push_back(cpu);
  }
  return existing;
}

Process::Process(const ProcessOptions& options) : cpus_(existing_cpus(options.cpus)) {
  Pipe in, out, err, go, failed;
  std::vector<std::string> words = {options.name.empty() ? options.program : options.name};
  words.insert(words.end(), options.arguments.begin(), options.arguments.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(&word[0]);
  arguments.push_back(nullptr);

  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw Refusal("worker", std::string("no process for a worker: ") + ::strerror(errno));
  if (pid_ == 0) {
    become(options.program.c_str(), arguments.data(), in.read, out.write, err.write, go.read, failed.write, parent);
  }
  ::setpgid(pid_, pid_);  // here too: a kill of the group may come before the child has run
  Pipe::close(failed.write);

  const auto give_up = [&](const char* code, const std::string& message, Json details = Json::object()) {
    kill();
    for (int i = 0; i < kPatience && !reap(); ++i) ::usleep(kPauseUs);
    throw Refusal(code, message, std::move(details));
  };
  pin_problem_ = pin();
  if (options.nice != 0 && ::setpriority(PRIO_PROCESS, static_cast<id_t>(pid_), options.nice) != 0) {
    give_up("not_applied", "nice level " + std::to_string(options.nice) + ": " + ::strerror(errno),
            {{"requested", options.nice}, {"actual", 0}});
  }
  const char byte = 0;
  while (::write(go.write, &byte, 1) < 0 && errno == EINTR) {
  }
  pollfd started = {failed.read, POLLIN, 0};
  while (::poll(&started, 1, kStartMs) < 0 && errno == EINTR) {
  }
  // A program on a disk that does not answer must not hold the supervisor up.
  if (started.revents == 0) give_up("worker", options.program + " did not start within a second");
  int problem = 0;
  ssize_t got;
  do {
    got = ::read(failed.read, &problem, sizeof problem);
  } while (got < 0 && errno == EINTR);
  if (got > 0) give_up("worker", "cannot start " + options.program + ": " + ::strerror(problem));

  input_ = Pipe::take(in.write);
  output_ = Pipe::take(out.read);
  errors_ = Pipe::take(err.read);
  for (const int file : {input_, output_, errors_}) unblock_reads(file);
}

Process::~Process() {
  close_end(input_);
  close_end(output_);
  close_end(errors_);
  if (ended_ || pid_ < 0) return;
  kill();
  // A killed process is gone in a moment, unless a driver holds it; then it is left to the kernel.
  for (int i = 0; i < kPatience && !reap(); ++i) ::usleep(kPauseUs);
}

std::string Process::pin() {
  if (cpus_.empty()) return "";
  const cpu_set_t set = set_of(cpus_);
  std::string problem;
  const auto pin_one = [&](pid_t thread) {
    if (::sched_setaffinity(thread, sizeof set, &set) != 0 && errno != ESRCH) problem = ::strerror(errno);
  };
  pin_one(pid_);
  const std::string folder = "/proc/" + std::to_string(pid_) + "/task";
  if (DIR* threads = ::opendir(folder.c_str())) {
    while (const dirent* entry = ::readdir(threads)) {
      const pid_t thread = ::atoi(entry->d_name);
      if (thread > 0 && thread != pid_) pin_one(thread);
    }
    ::closedir(threads);
  }
  return problem;
}

void Process::kill() {
  if (ended_ || pid_ <= 0) return;
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);
}

bool Process::reap() {
  if (ended_) return true;
  siginfo_t state{};
  if (::waitid(P_PID, static_cast<id_t>(pid_), &state, WEXITED | WNOHANG | WNOWAIT) == 0 && state.si_pid == 0) {
    return false;
  }
  ::kill(-pid_, SIGKILL);  // what it started and left behind, while its number is still its own
  int status = 0;
  struct rusage usage {};
  ended_ = true;
  if (::wait4(pid_, &status, 0, &usage) != pid_) return true;
  if (WIFSIGNALED(status)) signal_ = WTERMSIG(status);
  if (WIFEXITED(status)) exit_code_ = WEXITSTATUS(status);
  const auto ns = [](const timeval& t) { return static_cast<std::int64_t>(t.tv_sec) * 1000000000 + t.tv_usec * 1000; };
  cpu_at_end_ns_ = ns(usage.ru_utime) + ns(usage.ru_stime);
  return true;
}

std::string Process::ending() const {
  if (!ended_) return "has not ended";
  if (signal_ != 0) return "ended by signal " + std::to_string(signal_) + " (" + ::strsignal(signal_) + ")";
  return "ended with exit code " + std::to_string(exit_code_);
}

std::int64_t Process::cpu_ns() const {
  if (ended_) return cpu_at_end_ns_;
  clockid_t clock;
  return ::clock_getcpuclockid(pid_, &clock) == 0 ? clock_ns(clock) : 0;
}

void Process::close_end(int& file) {
  if (file >= 0) ::close(file);
  file = -1;
}

}  // namespace dynasoc::agent
