// Everything a run needs, with all names resolved. Immutable once made: any number of runs share one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "application/application.hpp"
#include "application/latency_model.hpp"
#include "application/network.hpp"
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
  int unit = 0;
  int subnet = -1;  ///< -1: the most accurate that meets the first target alone
  int parent = -1;  ///< application whose completions trigger it
  double switch_ms = 0;
  double switch_energy_mj = 0;
};

/// What a run is to be good at, in one number (a metric, `cost`; less is better). Cost of a run, averaged over its
/// decided frames F (completed, dropped and rejected, of all applications):
///   cost = (miss x (frames late, dropped or rejected)
///           + accuracy x (sum over frames in time of: the network's best accuracy - the accuracy delivered, in points)
///           + energy x (energy of the board, in J)) / F.
/// Regret is a difference of costs of two runs on the same random numbers. The weights are exchange rates, a choice of
/// whoever asks: one missed frame costs as much as `miss / accuracy` points lost in one frame, or `miss / energy` joules.
struct Objective {
  double miss = 1;
  double accuracy = 0.01;  ///< per point of accuracy
  double energy = 0.1;     ///< per joule
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

struct Setup {
  std::string name;
  Platform platform;
  std::vector<ModeSetup> modes;  ///< the first holds from the start, the others from their time on
  std::vector<manager::Choice<manager::Governor>> governors;  ///< by domain
  std::vector<AppSetup> apps;
  std::vector<BackgroundSetup> background;
  manager::Choice<manager::Policy> policy;
  std::optional<double> manager_cost_us;  ///< overrides the policy's own
  Objective objective;
  Time duration = 0;
  Time warmup = 0;
  std::vector<WindowSetup> windows;
  bool thermal = true;
  bool sample_power = false;    ///< each replication draws the board's powers (power_draw.hpp)
  bool sample_latency = false;  ///< each replication draws how far each application's predicted latencies are off
  std::uint64_t seed = 1;
};

/// What a run keeps beyond its summary.
struct Recording {
  bool jobs = false;
  bool decisions = false;
  Time timeline_period = 0;  ///< 0 = no timeline
};

}  // namespace dynasoc
