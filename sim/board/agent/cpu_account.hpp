// Who has had the CPUs' time, from /proc/stat.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "files.hpp"

namespace dynasoc::agent {

/// Snapshots of the last minute. What a hypervisor (or a tree's emulation of clocks) took is the column `steal`:
/// neither busy nor anybody's load.
class CpuAccount {
 public:
  explicit CpuAccount(const Files& files) : files_(files) {}

  /// Takes a snapshot; from any thread.
  void sample();
  /// Of the CPUs' time that was not stolen, the busy share over the last 200 ms or more; -1 if nothing is known.
  double utilisation(const std::vector<int>& cpus);
  /// As Hardware::foreign_share; `unit` names who remembers `own_ns`.
  double foreign_share(const std::string& unit, const std::vector<int>& cpus, std::int64_t start_ns,
                       std::int64_t end_ns, std::int64_t own_ns);
  /// Own time between two instants, where it is not to be asked of foreign_share.
  void note_own(const std::string& unit, std::int64_t start_ns, std::int64_t end_ns, std::int64_t own_ns);

 private:
  struct Times {
    std::int64_t busy = 0, all = 0, stolen = 0;  // ticks
  };
  struct Snapshot {
    std::int64_t t_ns = 0;
    std::map<int, Times> cpus;
  };
  struct Own {
    std::int64_t start_ns, end_ns;
    double taken_ns;
  };

  bool take(Snapshot& snapshot) const;
  void keep(Snapshot snapshot);
  /// The newest snapshot not after an instant, else the oldest; null if there is none.
  const Snapshot* before(std::int64_t t_ns) const;
  static Times between(const Snapshot& first, const Snapshot& last, const std::vector<int>& cpus);

  const Files& files_;
  std::mutex mutex_;  // of both
  std::deque<Snapshot> snapshots_;
  std::map<std::string, std::deque<Own>> own_;
};

}  // namespace dynasoc::agent
