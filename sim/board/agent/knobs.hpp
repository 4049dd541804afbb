// The knobs of a board: clocks of its domains and the CPUs that are online. What is not on a list that the board itself
// gives cannot be written.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "files.hpp"
#include "lock_and_journal.hpp"

namespace dynasoc::agent {

struct Cpu {
  int id = 0;
  bool online = true;
  bool hotplug = false;  ///< can be taken offline
  std::string policy;    ///< empty where its clock is not to be had
};

/// What has a clock of its own. Paths are empty where there is no such file; clocks are in the files' own unit.
struct Domain {
  std::string name;  ///< `cpu0`, `gpu`, `emc`
  std::string kind;  ///< `cpu`, `gpu`, `memory`
  std::string path;  ///< folder (or, of the memory, the file of its cap)
  std::string low_path, high_path, clock_path, governor_path;
  std::string rate_path, lock_path;  ///< of a memory that is pinned by a wanted rate and a switch that holds it
  std::int64_t per_mhz = 1000;
  std::vector<std::int64_t> opps;  ///< ascending
  bool has_list = true;            ///< false: the board gives no list, and `opps` are the lowest and the highest alone
  std::vector<std::string> governors;
  std::vector<int> cpus;

  double mhz(std::int64_t clock) const { return static_cast<double>(clock) / static_cast<double>(per_mhz); }
};

std::vector<int> present_cpus(const Files& files);
bool cpu_online(const Files& files, int cpu);
std::vector<Cpu> find_cpus(const Files& files, const std::vector<Domain>& domains);
/// CPU policies, the GPU, the memory.
std::vector<Domain> find_domains(const Files& files);
/// Any entry of the board's devfreq folders, by its exact name. Throws Refusal `not_found` with the names that are
/// there.
Domain devfreq_domain(const Files& files, const std::string& name);

/// Limits in force; -1 where they cannot be read.
struct Limits {
  std::int64_t low = -1, high = -1;
};
Limits read_limits(const Files& files, const Domain& domain);
/// -1 where it cannot be read.
std::int64_t read_clock(const Files& files, const Domain& domain);
bool writable(const Files& files, const Domain& domain);
/// `mhz`, `min_mhz`, `max_mhz`, `governor`, each null where it cannot be read.
Json clock_json(const Files& files, const Domain& domain);
/// A DOMAIN of the protocol.
Json domain_json(const Files& files, const Domain& domain);

/// Writes knobs. Answers are those of `set`; all throw Refusal `not_allowed`, `not_applied`, `io`.
class Knobs {
 public:
  Knobs(const Files& files, Journal& journal, bool dry_run) : files_(files), journal_(journal), dry_run_(dry_run) {}

  Json frequency(const Domain& domain, double mhz);
  Json limits(const Domain& domain, double low_mhz, double high_mhz);
  Json governor(const Domain& domain, const std::string& value);
  /// Back to what the session found.
  Json release(const Domain& domain);
  /// The first `count` of `cpus`; `domains` are the configured ones, whose clocks a CPU that comes online must keep to.
  Json cores(const std::vector<int>& cpus, int count, const std::vector<Domain>& domains);

  /// Whether a clock was written between the two instants.
  bool clock_written(std::int64_t start_ns, std::int64_t end_ns) const;
  /// Nothing is asked of any domain any more.
  void forget() { wanted_.clear(); }

 private:
  struct Wanted {
    Limits limits;
    std::string governor;
  };
  using Step = std::function<void()>;

  void write(const std::string& path, const std::string& value, bool reads_back = true);
  void write_limits(const Domain& domain, const Limits& limits);
  void await_limits(const Domain& domain, const Limits& limits, const Json& requested);
  void await_text(const std::string& path, const std::string& value);
  void while_online(const Domain& domain, const Step& step);
  std::int64_t on_list(const Domain& domain, double mhz) const;
  std::string found(const std::string& path) const;
  Json answer(const Json& requested, const Json& actual);
  void begin();
  void note_clock_write();

  const Files& files_;
  Journal& journal_;
  bool dry_run_;
  Json writes_ = Json::array();
  double settle_ms_ = 0;
  std::map<std::string, Wanted> wanted_;
  std::vector<std::int64_t> clock_writes_ns_;
};

}  // namespace dynasoc::agent
