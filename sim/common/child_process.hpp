// Work done in a forked child whose answer comes back as bytes: for libraries that allow one use a process.
#pragma once

#include <functional>
#include <string>

namespace dynasoc {

/// A running child. Fork before starting threads.
class ChildProcess {
 public:
  /// Forks; the child runs `work` and ends without running destructors or exit handlers of the parent's state.
  explicit ChildProcess(const std::function<std::string()>& work);
  ~ChildProcess();  ///< kills it if it was not waited for
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ChildProcess& operator=(ChildProcess&&) = delete;

  /// Whether there is something to read: `result` will not wait long. Waits for it that long, or until a signal comes.
  bool ready(int milliseconds) const;

  /// Waits and returns what `work` returned. An exception in the child is thrown here as InternalError with its text
  /// (as InputError if it was one); a crash as OutsideError naming the signal.
  std::string result();

 private:
  int pid_ = -1;
  int pipe_ = -1;
};

}  // namespace dynasoc
