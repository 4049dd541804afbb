// The host's own work kept off the CPUs that inferences are measured on, where both are one machine.
#pragma once

#include <sched.h>

#include "board/agent.hpp"
#include "device/platform.hpp"

namespace dynasoc::board {

/// Keeps the calling thread off the CPUs of a platform's units for as long as it lives, if the board is this machine
/// and another CPU is left. Threads started meanwhile inherit that.
class KeepAway {
 public:
  KeepAway(const Agent& agent, const PlatformFile& platform) {
    if (!agent.is_local() || !platform.board || ::sched_getaffinity(0, sizeof before_, &before_) != 0) return;
    cpu_set_t rest = before_;
    for (const auto& [name, unit] : platform.board->units)
      for (const int cpu : unit.cpus)
        if (cpu < CPU_SETSIZE) CPU_CLR(static_cast<unsigned>(cpu), &rest);
    changed_ = CPU_COUNT(&rest) > 0 && ::sched_setaffinity(0, sizeof rest, &rest) == 0;
  }
  ~KeepAway() {
    if (changed_) ::sched_setaffinity(0, sizeof before_, &before_);
  }
  KeepAway(const KeepAway&) = delete;
  KeepAway& operator=(const KeepAway&) = delete;

 private:
  cpu_set_t before_{};
  bool changed_ = false;
};

}  // namespace dynasoc::board
