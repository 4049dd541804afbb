// The contract of a frequency governor: one clock, the load of the cores on it, one next OPP.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "kernel/time.hpp"
#include "manager/registry.hpp"

namespace dynasoc::manager {

/// Why a governor is asked.
enum class Ask : std::uint8_t {
  start,   ///< the run begins
  limits,  ///< its limits changed, or a policy gave the clock back
  sample,  ///< a sampling period is over
  load,    ///< a core became busy or idle just now
  clock,   ///< a clock change has taken effect
  timer,   ///< the instant that `wake()` named has come
};

/// One core (a GPU counts as one). Shares and utilisations are 0 to 1.
struct CoreLoad {
  double busy = 0;       ///< share of the window in which it had work
  double busy_mhz = 0;   ///< mean over the window of clock x busy: cycles spent on work [MHz]
  double running = 0;    ///< share of its time that work takes from now on, until the next call
  bool io_wake = false;  ///< a task that waited for I/O woke up on it at this instant
  // What a recorded trace may tell of tasks and interrupts that the simulation does not have.
  double rt = 0;            ///< utilisation by real-time tasks
  double deadline = 0;      ///< utilisation by deadline tasks
  double dl_bandwidth = 0;  ///< bandwidth that deadline tasks have reserved
  double irq = 0;           ///< share of time in interrupts
};

/// What a governor sees of its domain.
struct DomainSample {
  Time now = 0;
  Time since = 0;  ///< start of the window that `busy` speaks of
  Ask ask = Ask::sample;
  std::span<const CoreLoad> cores;   ///< one entry may stand for several cores with the same load
  int cpus = 1;                      ///< cores on this clock that are online
  std::span<const double> opps_mhz;  ///< ascending
  int opp = 0;                       ///< asked of the driver; for governors that follow the load, in effect
  bool changing = false;             ///< a change has been asked for and is not in effect yet
  int lowest = 0;                    ///< limits now in force
  int highest = 0;

  /// Of the busiest core.
  double busy() const {
    double out = 0;
    for (const CoreLoad& core : cores) out = std::max(out, core.busy);
    return out;
  }
  double mhz() const { return opps_mhz[static_cast<std::size_t>(opp)]; }
};

/// In the kernel's units, whole kilohertz.
inline std::int64_t to_khz(double mhz) { return std::llround(mhz * 1e3); }
inline std::int64_t opp_khz(const DomainSample& sample, int opp) {
  return to_khz(sample.opps_mhz[static_cast<std::size_t>(opp)]);
}

/// The OPP nearest to a clock, as cpufreq's relations choose it, within the limits of a sample. In whole kilohertz: a
/// rounding error of floating point must not choose the next one.
int lowest_at_least(const DomainSample& sample, std::int64_t khz);  ///< CPUFREQ_RELATION_L
int highest_at_most(const DomainSample& sample, std::int64_t khz);  ///< CPUFREQ_RELATION_H
int closest(const DomainSample& sample, std::int64_t khz);          ///< CPUFREQ_RELATION_C; the lower of two as near

/// A share of a window in whole microseconds, as the kernel counts.
std::int64_t share_us(double share, Time window);

/// Busy share of a window in percent, in the kernel's arithmetic: whole microseconds, rounded down. 0 for no window.
int load_percent(double busy, Time window);

/// Sets one domain's clock. Asked at the start, whenever its limits change, at the end of each sampling period, and, if
/// it follows the load, whenever a core becomes busy or idle and when a clock change takes effect.
class Governor {
 public:
  static constexpr const char* what = "governor";
  virtual ~Governor() = default;

  /// Time between samples [ms]; 0 = it is not sampled. May change from sample to sample.
  virtual double period_ms() const { return 0; }

  /// How long its sampling timer may be put off while all cores are idle [ms]: it then comes with the next work, at the
  /// latest after this time. 0 = it never waits; infinite = a deferrable timer of Linux, which wakes nobody.
  virtual double deferrable_ms() const { return 0; }

  /// Whether it is asked at each change of load.
  virtual bool follows_load() const { return false; }

  /// The instant at which it wants to be asked though nothing has changed by then; kNever = not before. Looked at after
  /// each `next`.
  virtual Time wake() const { return kNever; }

  /// The OPP wanted next, within the limits. Called in order of time.
  int next(const DomainSample& sample) { return std::clamp(choose(sample), sample.lowest, sample.highest); }

 protected:
  /// The same, limits or not.
  virtual int choose(const DomainSample& sample) = 0;
};

}  // namespace dynasoc::manager
