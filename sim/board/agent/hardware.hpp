// The board's files: what it is, its knobs, its meters. Everything below `--root`, so that a tree of plain files is a
// board like any other.
//
// Knobs are the files of an allow-list made by `configure`, and nothing else; before the first write of each its value
// goes to the journal, and `restore` writes them back in reverse order. One object a board: it holds the lock.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "refusal.hpp"

namespace dynasoc::agent {

struct HardwareOptions {
  std::string root = "/";                        ///< below which sys/ and proc/ are looked for
  std::string state = "/var/lib/dynasoc-agent";  ///< folder of lock and journal; made if missing
  bool dry_run = false;                          ///< writes are told, not done
};

/// A board in use. All methods but those said otherwise are for one thread; none but `restore` waits longer than the 50
/// ms in which a knob must settle. Throws Refusal.
class Hardware {
 public:
  /// Takes the lock (`busy`, with the holder's pid, if another has it) and restores what a journal still holds.
  explicit Hardware(const HardwareOptions& options);
  ~Hardware();  ///< restores, stops sampling, lets the lock go

  const Json& restored_at_start() const;  ///< knobs, as the protocol lists them
  Json identity() const;                  ///< `board` of hello
  Json probe() const;                     ///< answer to `probe`; reads only
  int cpus() const;                       ///< that the board has

  Json configure(const Json& request);  ///< answer to `configure`; starts the sampler
  Json set(const Json& request);        ///< answer to `set`
  Json state();                         ///< answer to `state`

  /// CPUs of a configured unit, in order. Throws Refusal `not_found`.
  const std::vector<int>& unit_cpus(const std::string& unit) const;
  /// Where everything that is not an inference should run; -1 where nothing was said.
  int sampler_cpu() const;

  /// What the meters say of a window [ns, CLOCK_MONOTONIC] that has just ended: `mhz`, `energy_mj`, `samples` of an
  /// answer to `infer`, and `steady`: no configured clock changed. Waits for the sampler's next sample if need be, at
  /// most two of its periods.
  Json window(std::int64_t start_ns, std::int64_t end_ns);

  /// Share of the unit's CPU time between two instants (the second is now) that was neither idle nor stolen by a
  /// hypervisor nor `own_ns` (of the session's processes on these CPUs). Ticks of /proc/stat are coarse: the window is
  /// made at least 200 ms long, over which `own_ns` of earlier calls is remembered.
  double foreign_share(const std::string& unit, std::int64_t start_ns, std::int64_t end_ns, std::int64_t own_ns);

  /// Busy share of the CPUs that no configured unit has, over the last 200 ms or more; 0 if there are none. What they
  /// do shares caches, memory, and often the core itself with the inferences.
  double neighbour_share();

  /// CPU time of the session's processes on a unit between two instants that no call of foreign_share tells of (a load,
  /// a network being built): the lengthened window takes it into account.
  void note_own(const std::string& unit, std::int64_t start_ns, std::int64_t end_ns, std::int64_t own_ns);

  /// The limit that is passed now, as an event `thermal`; null if none is.
  Json thermal_alarm();
  /// Sensors that have gone since the last call, as events `lost`.
  std::vector<Json> take_lost();

  /// Writes back all knobs of the journal, newest first: `{"restored": […], "failed": […]}`. What failed stays in the
  /// journal.
  Json restore();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// `dynasoc-agent restore`: what the journal holds, with nothing else started. Same answer as Hardware::restore.
Json restore_journal(const HardwareOptions& options);

}  // namespace dynasoc::agent
