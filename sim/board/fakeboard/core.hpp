// The emulated core: one real core of the machine, on which the hog leaves a share of the time to everybody else.
#pragma once

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace dynasoc::fakeboard {

using Ns = std::int64_t;

Ns monotonic();

// Exit statuses.
inline constexpr int kFailed = 1, kBadUsage = 2, kCannotRun = 3;

struct Failure : std::runtime_error {
  Failure(int exit_status, const std::string& what) : std::runtime_error(what), status(exit_status) {}
  int status;
};

/// Throws a Failure with the text of errno.
[[noreturn]] void throw_system(const std::string& what);

/// Two threads pinned to the core:
/// - the HOG (SCHED_FIFO) sleeps for its share of a period, looks how long that sleep really was, and then spins for as
///   long as makes the sleep `share` of the whole. So lateness of a wake-up is made good at once, and the long-run
///   share is right. A switch to the hog and back takes time from whoever runs there: it is measured at the start and
///   counted as the hog's. At share 1 it sleeps.
/// - the SOAKER (SCHED_IDLE) runs when nobody else wants to: its CPU time is the core's idleness, to the nanosecond
///   (the kernel's own count is kept in ticks of 10 ms). It has 3/1024 of the weight of an ordinary process.
class Core {
 public:
  static constexpr Ns kPeriod = 500'000;

  /// `cpu` -1: the machine's last. The calling thread is moved to the other cores. Throws a Failure (kCannotRun) where
  /// there are no two cores or no right to SCHED_FIFO, or where `lowest_share` leaves the hog more than it may take.
  Core(int cpu, double lowest_share);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  int cpu() const { return cpu_; }
  Ns switch_ns() const { return switch_ns_; }
  void set_share(double share);
  void used(Ns& hog_ns, Ns& soaker_ns) const;  ///< CPU time that the two have taken

 private:
  void hog();
  void soak();
  Ns measure_switch();

  int cpu_;
  std::atomic<Ns> switch_ns_{0};
  // A futex: the hog waits on it at share 1.
  std::atomic<double> share_{1};
  std::atomic<std::uint32_t> changes_{0};
  std::atomic<bool> stop_{false};
  std::thread hog_, soaker_;
  clockid_t hog_clock_{}, soaker_clock_{};
};

}  // namespace dynasoc::fakeboard
