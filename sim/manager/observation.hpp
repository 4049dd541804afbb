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
  Time at = 0;            ///< when it was done
  double latency_ms = 0;  ///< arrival to result
  double service_ms = 0;  ///< start to result
  /// What the table says for the sub-network and clocks in force when it was dispatched, of all frames served together.
  double profile_ms = 0;
  int subnet = 0;       ///< index, 0 is L1, the smallest
  int unit = 0;         ///< index of the unit it ran on
  int batch = 1;        ///< frames that its inference served together
  bool missed = false;  ///< it came after its deadline
};

/// An application as its manager sees it.
struct AppView {
  std::string name;               ///< as the scenario calls it
  int index = 0;                  ///< its place among the observation's applications
  int subnets = 0;                ///< number of sub-networks
  std::vector<double> accuracy;   ///< by sub-network, in the network's metric
  std::vector<double> memory_mb;  ///< by sub-network: of its weights; 0 = not stated

  int subnet = 0;                ///< index in force (or being switched to), 0 is L1, the smallest
  int unit = 0;                  ///< index of the unit it runs on
  bool active = false;           ///< between its start and its stop
  bool admitted = true;          ///< its frames are accepted
  double latency_target_ms = 0;  ///< 0 = none
  double accuracy_floor = 0;     ///< in the network's metric; 0 = none
  double energy_budget_mj = 0;   ///< of one inference; 0 = none
  double power_budget_w = 0;     ///< 0 = none
  int priority = 0;              ///< larger is more important

  std::uint64_t arrived = 0;    ///< frames so far
  std::uint64_t completed = 0;  ///< frames so far
  std::uint64_t missed = 0;     ///< frames completed after their deadline
  std::uint64_t dropped = 0;    ///< frames given up
  std::uint32_t waiting = 0;    ///< frames queued, not counting the one in service
  double oldest_wait_ms = 0;    ///< age of the oldest waiting frame
  double switch_ms = 0;         ///< cost of a sub-network switch
  double switch_energy_mj = 0;  ///< cost of a sub-network switch
  int batch = 1;                ///< most frames that an inference takes together
  int most_batch = 1;           ///< limit of that knob
  double batch_marginal = 1;    ///< time of each frame of a batch after the first, over the time of one alone

  /// Time of an inference of so many frames over that of one.
  double batch_factor(int frames) const { return 1 + batch_marginal * (frames - 1); }

  static constexpr std::size_t kRemembered = 64;
  std::array<Sample, kRemembered> samples;  ///< the newest finished inferences; read with `sample`

  /// The sample of the n-th completion (0 is the first), which must be among the last `kRemembered`.
  const Sample& sample(std::uint64_t n) const { return samples[n % kRemembered]; }
};

/// A frequency domain as a manager sees it.
struct DomainView {
  std::string name;              ///< as the platform calls it
  int index = 0;                 ///< its place among the observation's domains
  std::vector<double> opps_mhz;  ///< its operating points, slowest first
  int opp = 0;                   ///< index in effect
  int requested = 0;             ///< index last asked for
  int lowest = 0;                ///< index: limit of the power mode
  int highest = 0;               ///< index: limit of the power mode and of throttling
  bool governed = true;          ///< a governor sets it; false once a policy has written it
};

/// A processing unit as a manager sees it.
struct UnitView {
  std::string name;          ///< as the platform calls it
  int index = 0;             ///< its place among the observation's units
  std::vector<int> domains;  ///< indices of the frequency domains that clock it, its own first
  double utilisation = 0;    ///< share of the time since the last look in which it had work
  int cores_online = 0;      ///< now
  int cores = 0;             ///< that it has
};

/// A power sensor as a manager sees it.
struct RailView {
  std::string name;    ///< as the platform calls it
  double power_w = 0;  ///< last reading; NaN before the first
  Time read_at = 0;    ///< of that reading
};

/// What is left of a battery, as a fuel gauge tells it.
struct BatteryView {
  double capacity_j = 0;  ///< full; 0 = the board has no battery
  double charge_j = 0;    ///< now
  Time until = 0;         ///< it is to last up to here

  /// Power that empties it just when it may be empty [W]; infinite without a battery.
  double allowed_w(Time now) const { return capacity_j > 0 && until > now ? charge_j / to_s(until - now) : HUGE_VAL; }
};

/// A temperature that is not to be passed, below the trip points that throttle.
struct ThermalBudgetView {
  double limit_c = HUGE_VAL;  ///< infinite = none
  int node = -1;              ///< index of the thermal node; -1 = whichever is hottest

  /// The temperature that it speaks of; NaN where it was not measured.
  double now_c(std::span<const double> temperatures_c) const {
    if (node >= 0 && static_cast<std::size_t>(node) < temperatures_c.size())
      return temperatures_c[static_cast<std::size_t>(node)];
    double hottest = std::nan("");
    for (const double c : temperatures_c) hottest = std::fmax(hottest, c);
    return hottest;
  }
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

  /// What a unit draws without a job, at an OPP of its domains [W]; NaN where it is not known.
  virtual double idle_w(int /*unit*/, int /*opp*/) const { return std::nan(""); }

  /// What the tables say of a job running alone: at an operating point (index) of the unit's first domain, the other
  /// clocks as they are now. NaN where they do not cover the unit.
  double latency_ms(int app, int subnet, int unit, int opp) const { return entry(app, subnet, unit, opp).latency_ms; }

  /// The same for the energy of one inference, above idle.
  double energy_mj(int app, int subnet, int unit, int opp) const { return entry(app, subnet, unit, opp).energy_mj; }
};

class Foresight;

/// What a manager is shown: the monitors of a real board.
struct Observation {
  Time now = 0;                      ///< time since the beginning
  Trigger trigger = Trigger::start;  ///< why it is asked
  /// Index of the application (arrival, completion, target_change) or unit (load_change) that it is about; -1 where
  /// there is none.
  int subject = -1;
  bool explain = false;  ///< somebody will read the reasons: worth adding candidates

  std::span<const AppView> applications;   ///< in the scenario's order
  std::span<const UnitView> units;         ///< in the platform's order
  std::span<const DomainView> domains;     ///< in the platform's order
  std::span<const RailView> rails;         ///< the sensors' last readings
  std::span<const double> temperatures_c;  ///< by thermal node, as of the last poll
  BatteryView battery;                     ///< what is left
  ThermalBudgetView thermal_budget;        ///< what is not to be passed
  const Profile* profile = nullptr;        ///< the tables
  /// An experiment: the tables are right about the next frame. Those of a finished one are in its sample alone.
  bool exact_profile = false;
  const Foresight* foresight = nullptr;  ///< of a simulation, for policies that say they are clairvoyant; else null
};

}  // namespace dynasoc::manager
