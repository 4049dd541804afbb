// Events of the Linux kernel's tracer, made into a timeline and into the jobs of a task. Readers of text and of
// Perfetto traces feed it; it knows no file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "scenario/trace/report.hpp"
#include "scenario/trace/timeline.hpp"

namespace dynasoc::trace {

struct KernelOptions {
  double window_ms = 100;  ///< length of a row
  std::string arrivals;    ///< task (name or pid) or marker whose jobs are wanted; `task:NAME`, `marker:NAME` say which
};

/// One activation: of a task from its wake-up until it sleeps again, of a marker from its begin to its end.
struct KernelJob {
  Time arrival = 0;
  Time start = 0;     ///< first time it runs
  Time end = kNever;  ///< kNever: not known
  Time run = 0;       ///< time on a CPU; of markers 0
  std::int64_t pid = 0;
};

class KernelEvents {
 public:
  static constexpr int kMostCpus = 1024;
  static constexpr std::int64_t kNotKnown = -1;  ///< as `prev_pid`

  KernelEvents(const KernelOptions& options, ImportReport& report, TimelineColumns& columns, TimelineSink& sink);

  // Each event at its time [ns], in order; an earlier one counts as at the latest time so far, and is told. `where` and
  // `line` are for messages.
  void at(Time t, const Location& where, std::string_view line);
  void cpu_frequency(int cpu, double mhz);
  void cpu_idle(int cpu, bool idle);
  void sched_switch(int cpu, std::int64_t prev_pid, std::string_view prev_name, bool prev_sleeps, std::int64_t next_pid,
                    std::string_view next_name);
  void wakeup(std::int64_t pid, std::string_view name);
  /// Share of the time since the device's last event in which it was busy; NaN if not known.
  void devfreq(std::string_view device, double mhz, double utilisation);
  void clock_rate(std::string_view clock, double mhz);
  /// The text of a trace marker: `B|pid|name`, `E|pid`, `S|pid|name|cookie`, `F|pid|name|cookie`, or anything.
  void marker(std::int64_t pid, std::string_view text);
  void finish();

  std::uint64_t rows() const { return rows_; }
  /// By arrival.
  const std::vector<KernelJob>& jobs() const { return jobs_; }
  /// `arrival_s,start_s,end_s,latency_ms,run_ms,pid`
  std::string jobs_csv() const;
  /// Throws InputError if jobs were asked for and no task or marker has that name (with the nearest).
  void require_jobs(const std::string& file) const;

 private:
  struct Cpu {
    std::size_t utilisation = 0, mhz = 0;  // columns
    bool has_load = false, has_mhz = false;
    bool by_switches = false;  // sched_switch tells more than cpu_idle
    bool busy = false;
    Time since = 0;  // of `busy`
    Time busy_time = 0;
    Time unknown_time = 0;  // of the row, before the first event
  };
  struct Device {
    std::size_t utilisation = 0, mhz = 0;
    bool has_load = false;
    double load_sum = 0;
    int load_count = 0;
  };
  struct Task {
    Time woken = -1, started = -1, running_since = -1;
    Time run = 0;
  };
  Cpu* cpu(int number);
  void set_busy(Cpu& cpu, bool busy, std::optional<bool> was_busy);
  void close_windows(Time until);
  bool wanted_task(std::int64_t pid, std::string_view name);
  void remember_name(std::string_view name);
  Device& device(std::string_view name);
  std::size_t device_column(std::string_view name, const char* ending);
  std::size_t column(const std::string& name);

  ImportReport& report_;
  TimelineColumns& columns_;
  TimelineSink& sink_;
  Time window_;
  bool want_tasks_ = false, want_markers_ = false;
  std::string wanted_;
  std::optional<std::int64_t> wanted_pid_;

  bool started_ = false;
  Time origin_ = 0, now_ = 0, row_end_ = 0;
  std::vector<double> row_;
  std::uint64_t rows_ = 0;
  std::vector<Cpu> cpus_;
  std::map<std::string, Device, std::less<>> devices_;
  std::map<std::string, std::string> owners_;  // of devices' columns: the name that came first
  std::unordered_map<std::int64_t, Task> tasks_;
  std::vector<std::string> names_;  // seen, for hints
  struct OpenMarker {
    std::string name;
    Time begin;
  };
  std::map<std::int64_t, std::vector<OpenMarker>> open_markers_;
  std::map<std::string, Time> open_async_;
  std::vector<KernelJob> jobs_, marker_jobs_;
};

}  // namespace dynasoc::trace
