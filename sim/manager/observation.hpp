// What a manager may know: the monitors of a real board, at the age they would have.
//
// Nothing here tells the future or the simulator's inner state. The same structures are filled by the simulator, by a
// board and by a recorded trace.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/time.hpp"

namespace dynasoc::manager {

/// Why a policy is being asked.
enum class Trigger : std::uint8_t { start, period, arrival, completion, target_change, load_change, thermal_trip };
std::string_view name_of(Trigger trigger);

/// One finished inference, as the application itself could log it.
struct Sample {
  Time at = 0;
  double latency_ms = 0;  ///< arrival to result
  double service_ms = 0;  ///< start to result
  double profile_ms = 0;  ///< what the table says for the sub-network and clocks in force when it was dispatched
  int subnet = 0;
  int unit = 0;  ///< it ran on
  bool missed = false;
};

/// An application as its manager sees it.
struct AppView {
  std::string name;
  int index = 0;
  int subnets = 0;
  std::vector<double> accuracy;  ///< by sub-network, in the network's metric

  int subnet = 0;  ///< in force (or being switched to)
  int unit = 0;
  bool active = false;           ///< between its start and its stop
  bool admitted = true;          ///< frames are accepted
  double latency_target_ms = 0;  ///< 0 = none
  double accuracy_floor = 0;
  double energy_budget_mj = 0;
  double power_budget_w = 0;
  int priority = 0;

  std::uint64_t arrived = 0;
  std::uint64_t completed = 0;
  std::uint64_t missed = 0;
  std::uint64_t dropped = 0;
  std::uint32_t waiting = 0;  ///< frames queued, not counting the one in service
  double oldest_wait_ms = 0;  ///< age of the oldest waiting frame
  double switch_ms = 0;       ///< cost of a sub-network switch
  double switch_energy_mj = 0;

  static constexpr std::size_t kRemembered = 64;
  std::array<Sample, kRemembered> samples;

  /// The sample of the n-th completion (0 is the first), which must be among the last `kRemembered`.
  const Sample& sample(std::uint64_t n) const { return samples[n % kRemembered]; }
};

struct DomainView {
  std::string name;
  int index = 0;
  std::vector<double> opps_mhz;
  int opp = 0;        ///< in effect
  int requested = 0;  ///< last asked for
  int lowest = 0;     ///< limits of the power mode and of throttling
  int highest = 0;
  bool governed = true;  ///< a governor sets it; false once a policy has written it
};

struct UnitView {
  std::string name;
  int index = 0;
  std::vector<int> domains;
  double utilisation = 0;  ///< share of the time since the last look in which it had work
  int cores_online = 0;
  int cores = 0;
};

struct RailView {
  std::string name;
  double power_w = 0;  ///< last reading; NaN before the first
  Time read_at = 0;
};

/// Tables as a manager knows them: predictions for a job running alone, at a given OPP of the unit's first domain, the
/// other clocks as they are now. The session's deviation from the tables is not in them: finding it is the manager's
/// job.
class Profile {
 public:
  struct Entry {
    double latency_ms;  ///< NaN where the tables do not cover the unit
    double energy_mj;   ///< above idle, of one inference
  };
  virtual ~Profile() = default;
  virtual Entry entry(int app, int subnet, int unit, int opp) const = 0;

  /// What the unit draws without a job, at an OPP of its domains [W]; NaN where it is not known.
  virtual double idle_w(int /*unit*/, int /*opp*/) const { return std::nan(""); }

  double latency_ms(int app, int subnet, int unit, int opp) const { return entry(app, subnet, unit, opp).latency_ms; }
  double energy_mj(int app, int subnet, int unit, int opp) const { return entry(app, subnet, unit, opp).energy_mj; }
};

class Foresight;

struct Observation {
  Time now = 0;
  Trigger trigger = Trigger::start;
  int subject = -1;      ///< application (arrival, completion, target change) or unit (load change) that it is about
  bool explain = false;  ///< somebody will read the reasons: worth formatting candidates

  std::span<const AppView> applications;
  std::span<const UnitView> units;
  std::span<const DomainView> domains;
  std::span<const RailView> rails;
  std::span<const double> temperatures_c;  ///< by thermal node, as of the last poll
  const Profile* profile = nullptr;
  /// An experiment: the tables are right about the next frame. Those of a finished one are in its sample alone.
  bool exact_profile = false;
  const Foresight* foresight = nullptr;  ///< of a simulation, for policies that say they are clairvoyant; else null
};

}  // namespace dynasoc::manager
