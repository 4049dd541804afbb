#include "scenario/trace/kernel_events.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/nan.hpp"
#include "scenario/trace/decimal.hpp"

namespace dynasoc::trace {
namespace {

constexpr std::size_t kMostNames = 2000;  // that hints are taken from

// A device or clock as a column: the name's letters and digits.
std::string plain_prefix(std::string_view name) {
  std::string plain;
  for (const char c : name)
    plain += (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c
             : c >= 'A' && c <= 'Z'                           ? static_cast<char>(c + 32)
                                                              : '_';
  return plain.empty() ? "clock" : plain;
}

// `gpu` and `emc` for those that are known to be.
std::string column_prefix(std::string_view name) {
  std::string plain = plain_prefix(name);
  for (const char* gpu : {"gpu", "gv11b", "ga10b", "gp10b", "gm20b", "gk20a", "gp106", "mali", "gpcclk", "gpc0clk"})
    if (plain.find(gpu) != std::string::npos) return "gpu";
  if (plain.find("emc") != std::string::npos) return "emc";
  return plain;
}

}  // namespace

KernelEvents::KernelEvents(const KernelOptions& options, ImportReport& report, TimelineColumns& columns,
                           TimelineSink& sink)
    : report_(report), columns_(columns), sink_(sink), window_(from_ms(options.window_ms)), wanted_(options.arrivals) {
  if (wanted_.empty()) return;
  want_tasks_ = !wanted_.starts_with("marker:");
  want_markers_ = !wanted_.starts_with("task:");
  if (!(want_tasks_ && want_markers_)) wanted_ = wanted_.substr(wanted_.find(':') + 1);
  wanted_pid_ = whole(wanted_);
}

void KernelEvents::at(Time t, const Location& where, std::string_view line) {
  if (!started_) {
    started_ = true;
    origin_ = now_ = t;
    row_end_ = t + window_;
    return;
  }
  if (t < now_) {
    report_.remark("time goes backwards: the event counts as at the latest time so far", where, line);
    return;
  }
  constexpr Time kMostWindows = 10'000'000;
  if ((t - row_end_) / window_ > kMostWindows) {
    report_.remark("a leap in time of more than 10 million rows: the event counts as at the latest time so far", where,
                   line);
    return;
  }
  close_windows(t);
  now_ = t;
}

std::size_t KernelEvents::column(const std::string& name) {
  const std::size_t index = columns_.index(name);
  if (row_.size() < columns_.size()) row_.resize(columns_.size(), kNaN);
  return index;
}

KernelEvents::Cpu* KernelEvents::cpu(int number) {
  if (number < 0 || number >= kMostCpus) return nullptr;
  if (cpus_.size() <= static_cast<std::size_t>(number)) cpus_.resize(static_cast<std::size_t>(number) + 1);
  return &cpus_[static_cast<std::size_t>(number)];
}

void KernelEvents::cpu_frequency(int number, double mhz) {
  Cpu* const one = cpu(number);
  if (one == nullptr) return;
  if (!one->has_mhz) one->mhz = column("cpu" + std::to_string(number) + "_mhz");
  one->has_mhz = true;
  row_[one->mhz] = mhz;
}

// `was_busy` says what the CPU did until now, for the first event of it; nothing if that is not known.
void KernelEvents::set_busy(Cpu& one, bool busy, std::optional<bool> was_busy) {
  if (!one.has_load) {
    one.utilisation = column("cpu" + std::to_string(&one - cpus_.data()) + "_utilisation");
    one.has_load = true;
    one.busy = was_busy.value_or(false);
    one.since = row_end_ - window_;
    if (!was_busy) one.unknown_time = now_ - one.since;
  }
  if (one.busy) one.busy_time += now_ - one.since;
  one.busy = busy;
  one.since = now_;
}

void KernelEvents::cpu_idle(int number, bool idle) {
  Cpu* const one = cpu(number);
  if (one != nullptr && !one->by_switches) set_busy(*one, !idle, idle);
}

void KernelEvents::sched_switch(int number, std::int64_t prev_pid, std::string_view prev_name, bool prev_sleeps,
                                std::int64_t next_pid, std::string_view next_name) {
  if (Cpu* const one = cpu(number)) {
    one->by_switches = true;
    set_busy(*one, next_pid != 0, prev_pid == kNotKnown ? std::nullopt : std::optional(prev_pid != 0));
  }
  if (!want_tasks_) return;
  if (prev_pid != 0 && prev_pid != kNotKnown && wanted_task(prev_pid, prev_name)) {
    Task& task = tasks_[prev_pid];
    if (task.running_since >= 0) task.run += now_ - task.running_since;
    task.running_since = -1;
    if (prev_sleeps) {
      if (task.started >= 0)  // else it ran before the trace began
        jobs_.push_back({task.woken >= 0 ? task.woken : task.started, task.started, now_, task.run, prev_pid});
      task = {};
    }
  }
  if (next_pid != 0 && wanted_task(next_pid, next_name)) {
    Task& task = tasks_[next_pid];
    if (task.started < 0) task.started = now_;
    task.running_since = now_;
  }
}

void KernelEvents::wakeup(std::int64_t pid, std::string_view name) {
  if (!want_tasks_ || !wanted_task(pid, name)) return;
  Task& task = tasks_[pid];
  // The first of sched_waking and sched_wakeup; a wake-up of a task that runs is none.
  if (task.started < 0 && task.woken < 0) task.woken = now_;
}

bool KernelEvents::wanted_task(std::int64_t pid, std::string_view name) {
  remember_name(name);
  return name == wanted_ || (wanted_pid_ && pid == *wanted_pid_);
}

void KernelEvents::remember_name(std::string_view name) {
  if (names_.size() < kMostNames && std::find(names_.begin(), names_.end(), name) == names_.end())
    names_.push_back(printable(name));
}

// A column belongs to the first device that reports for it: `gpcclk` and the power domain `gpu_pwr` are both of the GPU
// and have different clocks. Others get one by their own name.
std::size_t KernelEvents::device_column(std::string_view name, const char* ending) {
  const std::string wanted = column_prefix(name) + ending;
  std::string taken = wanted;
  for (int again = 1; !owners_.emplace(taken, name).second; ++again)
    taken = plain_prefix(name) + (again == 1 ? "" : "_" + std::to_string(again)) + ending;
  if (taken != wanted)
    report_.note(printable(name) + " has a column of its own, " + taken + ": " + wanted + " is that of " +
                 printable(owners_.at(wanted)));
  return column(taken);
}

KernelEvents::Device& KernelEvents::device(std::string_view name) {
  const auto known = devices_.find(name);
  if (known != devices_.end()) return known->second;
  Device one;
  one.mhz = device_column(name, "_mhz");
  report_.note("the clock of " + printable(name) + " is in " + columns_.names()[one.mhz]);
  return devices_.emplace(std::string(name), one).first->second;
}

void KernelEvents::devfreq(std::string_view name, double mhz, double utilisation) {
  Device& one = device(name);
  row_[one.mhz] = mhz;
  if (std::isnan(utilisation)) return;
  if (!one.has_load) one.utilisation = device_column(name, "_utilisation");
  one.has_load = true;
  one.load_sum += std::clamp(utilisation, 0.0, 1.0);
  ++one.load_count;
}

void KernelEvents::clock_rate(std::string_view name, double mhz) { row_[device(name).mhz] = mhz; }

void KernelEvents::marker(std::int64_t pid, std::string_view text) {
  if (!want_markers_) return;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  const auto part = [&text](std::size_t n) {
    std::string_view rest = text;
    for (; n > 0; --n) {
      const auto bar = rest.find('|');
      if (bar == std::string_view::npos) return std::string_view();
      rest.remove_prefix(bar + 1);
    }
    return rest.substr(0, rest.find('|'));
  };
  const char kind = text.size() > 1 && text[1] == '|' ? text[0] : text == "E" ? 'E' : '\0';
  constexpr std::size_t kMostOpen = 100'000;
  if (kind == 'B') {
    const std::string_view name = part(2);
    remember_name(name);
    auto& open = open_markers_[pid];
    if (open.size() < kMostOpen) open.push_back({std::string(name), now_});
  } else if (kind == 'E') {
    auto& open = open_markers_[pid];
    if (open.empty()) return;
    if (open.back().name == wanted_) marker_jobs_.push_back({open.back().begin, open.back().begin, now_, 0, pid});
    open.pop_back();
  } else if (kind == 'S' || kind == 'F') {
    remember_name(part(2));
    if (part(2) != wanted_) return;
    const std::string key(part(3));
    if (kind == 'S') {
      if (open_async_.size() < kMostOpen) open_async_.emplace(key, now_);
    } else if (const auto open = open_async_.find(key); open != open_async_.end()) {
      marker_jobs_.push_back({open->second, open->second, now_, 0, pid});
      open_async_.erase(open);
    }
  } else if (kind == '\0') {
    remember_name(text);
    if (text == wanted_) marker_jobs_.push_back({now_, now_, kNever, 0, pid});
  }
}

// Rows are of what was known at their end.
void KernelEvents::close_windows(Time until) {
  while (row_end_ <= until) {
    for (Cpu& one : cpus_) {
      if (!one.has_load) continue;
      if (one.busy) one.busy_time += row_end_ - one.since;
      one.since = row_end_;
      const Time known = window_ - one.unknown_time;
      row_[one.utilisation] =
          known > 0 ? std::clamp(static_cast<double>(one.busy_time) / static_cast<double>(known), 0.0, 1.0) : kNaN;
      one.busy_time = one.unknown_time = 0;
    }
    for (auto& [name, one] : devices_) {
      if (!one.has_load) continue;
      // No report within the window: not known, which is not the same as idle.
      row_[one.utilisation] = one.load_count > 0 ? one.load_sum / one.load_count : kNaN;
      one.load_sum = one.load_count = 0;
    }
    if (!row_.empty()) {
      sink_.row(row_end_ - origin_, row_);
      ++rows_;
    }
    row_end_ += window_;
  }
}

void KernelEvents::finish() {
  if (now_ > row_end_ - window_ && started_ && rows_ > 0)
    report_.note("the last " + rounded_text(to_ms(now_ - (row_end_ - window_)), 3) +
                 " ms fill no row and are left out");
  if (started_ && rows_ == 0 && !row_.empty())
    report_.note("the trace is shorter than one row: choose a smaller --window-ms");
  if (jobs_.empty())
    jobs_ = std::move(marker_jobs_);
  else if (!marker_jobs_.empty())
    report_.note(in_quotes(printable(wanted_)) + " is a task and a marker: the task's activations are taken; " +
                 "marker:" + printable(wanted_) + " takes the marker's " + std::to_string(marker_jobs_.size()));
  std::stable_sort(jobs_.begin(), jobs_.end(),
                   [](const KernelJob& a, const KernelJob& b) { return a.arrival < b.arrival; });
  for (const auto& [pid, task] : tasks_)
    if (task.started >= 0)
      report_.note("the last activation of pid " + std::to_string(pid) + " had not ended: left out");
}

std::string KernelEvents::jobs_csv() const {
  std::string out = "arrival_s,start_s,end_s,latency_ms,run_ms,pid\n";
  for (const KernelJob& job : jobs_) {
    append_seconds(out, job.arrival - origin_);
    out += ',';
    append_seconds(out, job.start - origin_);
    out += ',';
    if (job.end != kNever) append_seconds(out, job.end - origin_);
    out += ',';
    if (job.end != kNever) append_number(out, to_ms(job.end - job.arrival));
    out += ',';
    if (job.run > 0) append_number(out, to_ms(job.run));
    out += ',';
    append_number(out, static_cast<long long>(job.pid));
    out += '\n';
  }
  return out;
}

void KernelEvents::require_jobs(const std::string& file) const {
  if (wanted_.empty() || !jobs_.empty()) return;
  const char* what = want_tasks_ && want_markers_ ? "no task or marker " : want_tasks_ ? "no task " : "no marker ";
  throw InputError({file, 1, 0, ""},
                   std::string(what) + in_quotes(wanted_) + " has a whole activation in it" + hint(wanted_, names_));
}

}  // namespace dynasoc::trace
