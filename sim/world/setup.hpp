// Everything a run needs, with all names resolved. Immutable once made: any number of runs share one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "application/application.hpp"
#include "application/latency_model.hpp"
#include "application/network.hpp"
#include "application/objective.hpp"
#include "device/platform.hpp"
#include "manager/governor.hpp"
#include "manager/policy.hpp"

namespace dynasoc {

/// A stretch of the run that is reported on its own.
struct WindowSetup {
  std::string name;
  Time from = 0;
  Time to = kNever;
};

struct AppSetup {
  std::string name;
  ApplicationFile file;
  std::shared_ptr<const Network> network;
  std::vector<std::vector<std::optional<LatencyModel>>> models;  ///< [unit][subnet]
  std::vector<std::shared_ptr<const Table>> tables;              ///< by unit; null where none covers it
  std::vector<double> trace_s;                                   ///< arrival times, for trace arrivals
  std::vector<double> replay_ratios;                             ///< for replayed execution times
  /// [unit][subnet]: shares of an inference at whose ends it may be interrupted; empty where it may not.
  std::vector<std::vector<std::vector<double>>> block_ends;
  int unit = 0;
  int subnet = -1;  ///< -1: the most accurate that meets the first target alone
  int parent = -1;  ///< application whose completions trigger it
  double switch_ms = 0;
  double switch_energy_mj = 0;
};

struct BackgroundSetup {
  std::string name;
  BackgroundFile file;
  int unit = 0;
};

/// A power mode, resolved.
struct ModeSetup {
  Time from = 0;
  std::string name;
  std::vector<int> cores_online;  ///< by unit
  std::vector<int> lowest_opp;    ///< by domain
  std::vector<int> highest_opp;   ///< by domain
};

/// What the board lives on; without it on the mains.
struct BatterySetup {
  double capacity_j = 0;
  double charge_j = 0;  ///< at the start
  Time until = 0;       ///< it is to last up to here
};

/// A temperature that managers are asked not to pass.
struct ThermalBudgetSetup {
  double limit_c = 0;
  int node = -1;  ///< -1 = whichever is hottest
};

/// Imperfections of managers taken away, one at a time, to see what each of them costs.
struct Ideal {
  bool prediction = false;   ///< tables are right about the next frame: its noise, the session, the load on its unit
  bool switching = false;    ///< sub-networks and clocks change at once and for nothing
  bool granularity = false;  ///< a periodic manager is asked at every completion too, and all decide in no time
};

struct Setup {
  std::string name;
  Platform platform;
  std::vector<ModeSetup> modes;  ///< the first holds from the start, the others from their time on
  std::vector<manager::Choice<manager::Governor>> governors;  ///< by domain
  std::vector<AppSetup> apps;
  std::vector<BackgroundSetup> background;
  manager::Choice<manager::Policy> policy;
  std::optional<manager::Choice<manager::Policy>> scheduler;  ///< whose scheduler is used beside `policy`
  /// Makes the policy of a run in place of `policy`, from any thread: for policies that no file can name.
  std::function<std::unique_ptr<manager::Policy>()> policy_factory;
  std::optional<double> manager_cost_us;  ///< overrides the policy's own
  Objective objective;
  Time duration = 0;
  Time warmup = 0;
  std::vector<WindowSetup> windows;
  std::optional<BatterySetup> battery;
  std::optional<ThermalBudgetSetup> thermal_budget;
  bool thermal = true;
  bool sample_power = false;    ///< each replication draws the board's powers (power_draw.hpp)
  bool sample_latency = false;  ///< each replication draws how far each application's predicted latencies are off
  Ideal ideal;
  std::uint64_t seed = 1;
};

/// A copy for which sub-networks and clocks change at once and for nothing, if `ideal` says so.
Setup idealised(const Setup& setup, const Ideal& ideal);

/// What a run keeps beyond its summary.
struct Recording {
  bool jobs = false;
  bool decisions = false;
  Time timeline_period = 0;  ///< 0 = no timeline
};

}  // namespace dynasoc
