// A child process with pipes, that cannot outlive this one: it and what it starts are one process group, it is killed
// by the kernel when this process dies, and by the destructor. No shell is ever between.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace dynasoc::agent {

struct ProcessOptions {
  std::string program;                 ///< a path
  std::vector<std::string> arguments;  ///< after argv[0]
  std::string name;                    ///< argv[0]; empty: the program
  std::vector<int> cpus;               ///< to be pinned to
  int nice = 0;
};

/// Those of `cpus` that a process can be pinned to on this machine, online or not.
std::vector<int> existing_cpus(const std::vector<int>& cpus);

class Process {
 public:
  /// Returns when the program runs. Throws Refusal `worker` if it cannot be started, `not_applied` if it may not have
  /// the nice level.
  explicit Process(const ProcessOptions& options);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  /// Our ends of its pipes, non-blocking; -1 once closed.
  int input() const { return input_; }
  int output() const { return output_; }
  int errors() const { return errors_; }
  void close_input() { close_end(input_); }
  void close_output() { close_end(output_); }
  void close_errors() { close_end(errors_); }

  /// Pins it and all its threads again, as the set of CPUs that are online has changed. What was wrong, or nothing.
  std::string pin();
  const std::string& pin_problem() const { return pin_problem_; }  ///< at the start
  const std::vector<int>& cpus() const { return cpus_; }

  void kill();  ///< the whole group
  bool reap();  ///< whether it has ended; does not wait
  bool ended() const { return ended_; }
  int signal() const { return signal_; }  ///< that it ended by, or 0
  int exit_code() const { return exit_code_; }
  std::string ending() const;   ///< `ended by signal 6 (Aborted)`
  std::int64_t cpu_ns() const;  ///< CPU time so far, of all its threads

 private:
  static void close_end(int& file);

  pid_t pid_ = -1;
  int input_ = -1, output_ = -1, errors_ = -1;
  std::vector<int> cpus_;
  std::string pin_problem_;
  bool ended_ = false;
  int signal_ = 0, exit_code_ = 0;
  std::int64_t cpu_at_end_ns_ = 0;
};

}  // namespace dynasoc::agent
