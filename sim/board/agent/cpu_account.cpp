#include "cpu_account.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "clock.hpp"

namespace dynasoc::agent {
namespace {

constexpr std::int64_t kShortestNs = 200 * kNsPerMs;  // of a window: ticks are of 10 ms
constexpr std::int64_t kRememberedNs = 60000 * kNsPerMs;

}  // namespace

bool CpuAccount::take(Snapshot& snapshot) const {
  const auto text = files_.read("/proc/stat");
  snapshot.t_ns = now_ns();
  if (!text) return false;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line) && starts_with(line, "cpu");) {
    const std::vector<std::string> parts = words(line);
    if (parts.empty() || parts[0].size() < 4) continue;  // the sum of all
    // user nice system idle iowait irq softirq steal; guests are in user already
    Times times;
    for (std::size_t i = 1; i < parts.size() && i <= 8; ++i) {
      const std::int64_t ticks = std::atoll(parts[i].c_str());
      times.all += ticks;
      if (i == 8) times.stolen = ticks;
      if (i != 4 && i != 5 && i != 8) times.busy += ticks;
    }
    snapshot.cpus[std::atoi(parts[0].c_str() + 3)] = times;
  }
  return !snapshot.cpus.empty();
}

void CpuAccount::keep(Snapshot snapshot) {
  while (!snapshots_.empty() && snapshots_.front().t_ns < snapshot.t_ns - kRememberedNs) snapshots_.pop_front();
  snapshots_.push_back(std::move(snapshot));
}

void CpuAccount::sample() {
  Snapshot snapshot;
  if (!take(snapshot)) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (snapshots_.empty() || snapshots_.back().t_ns < snapshot.t_ns) keep(std::move(snapshot));
}

const CpuAccount::Snapshot* CpuAccount::before(std::int64_t t_ns) const {
  const auto after = std::upper_bound(snapshots_.begin(), snapshots_.end(), t_ns,
                                      [](std::int64_t t, const Snapshot& snapshot) { return t < snapshot.t_ns; });
  if (after != snapshots_.begin()) return &*std::prev(after);
  return snapshots_.empty() ? nullptr : &snapshots_.front();
}

CpuAccount::Times CpuAccount::between(const Snapshot& first, const Snapshot& last, const std::vector<int>& cpus) {
  Times sum;
  for (const int cpu : cpus) {
    const auto a = first.cpus.find(cpu), b = last.cpus.find(cpu);
    if (a == first.cpus.end() || b == last.cpus.end()) continue;  // was offline
    // The kernel's idle time may step back a little.
    sum.busy += std::max<std::int64_t>(0, b->second.busy - a->second.busy);
    sum.all += std::max<std::int64_t>(0, b->second.all - a->second.all);
    sum.stolen += std::max<std::int64_t>(0, b->second.stolen - a->second.stolen);
  }
  return sum;
}

double CpuAccount::utilisation(const std::vector<int>& cpus) {
  sample();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (snapshots_.empty()) return -1;
  const Snapshot& last = snapshots_.back();
  const Times times = between(*before(last.t_ns - kShortestNs), last, cpus);
  const std::int64_t had = times.all - times.stolen;
  return had > 0 ? static_cast<double>(times.busy) / static_cast<double>(had) : -1;
}

void CpuAccount::note_own(const std::string& unit, std::int64_t start_ns, std::int64_t end_ns, std::int64_t own_ns) {
  if (end_ns <= start_ns) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  std::deque<Own> kept;
  // Where two tell of the same time, the later one is believed: calls run side by side, and each tells of all of them.
  for (const Own& own : own_[unit]) {
    if (own.end_ns < end_ns - kRememberedNs) continue;
    const double rate = own.taken_ns / static_cast<double>(own.end_ns - own.start_ns);
    const auto part = [&](std::int64_t from, std::int64_t to) {
      if (to > from) kept.push_back({from, to, rate * static_cast<double>(to - from)});
    };
    part(own.start_ns, std::min(own.end_ns, start_ns));
    part(std::max(own.start_ns, end_ns), own.end_ns);
  }
  kept.push_back({start_ns, end_ns, static_cast<double>(own_ns)});
  own_[unit] = std::move(kept);
}

double CpuAccount::foreign_share(const std::string& unit, const std::vector<int>& cpus, std::int64_t start_ns,
                                 std::int64_t end_ns, std::int64_t own_ns) {
  note_own(unit, start_ns, end_ns, own_ns);
  Snapshot now;
  if (!take(now)) return 0;
  const std::lock_guard<std::mutex> lock(mutex_);
  const Snapshot* first = before(std::min(start_ns, now.t_ns - kShortestNs));
  double share = 0;
  if (first != nullptr) {
    const double tick_ns = 1e9 / static_cast<double>(::sysconf(_SC_CLK_TCK));
    const Times times = between(*first, now, cpus);
    double own = 0;
    for (const Own& one : own_[unit]) {
      const std::int64_t from = std::max(one.start_ns, first->t_ns), to = std::min(one.end_ns, now.t_ns);
      if (to > from)
        own += one.taken_ns * static_cast<double>(to - from) / static_cast<double>(one.end_ns - one.start_ns);
    }
    const double busy = static_cast<double>(times.busy) * tick_ns;
    if (times.all > 0) share = std::max(0.0, busy - own) / (static_cast<double>(times.all) * tick_ns);
  }
  if (snapshots_.empty() || snapshots_.back().t_ns < now.t_ns) keep(std::move(now));
  return share;
}

}  // namespace dynasoc::agent
