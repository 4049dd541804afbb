// The standard workload, in any length and with any number of applications, and what it costs to simulate.
#pragma once

#include <memory>

#include "scenario/scenario.hpp"
#include "world/run.hpp"

namespace dynasoc {

/// Who sets the clocks of the standard workload.
enum class BenchClocks : std::uint8_t {
  manager,   ///< the manager, as in the standard
  fixed,     ///< nobody: the highest, all along
  governors  ///< schedutil the CPU's, nvhost_podgov the GPU's
};

/// How the standard workload is varied.
struct BenchWorkload {
  double inferences = 1e6;  ///< about as many frames arrive
  int applications = 0;     ///< a multiple of the standard's; 0 = as it is
  bool manager_as_often =
      false;  ///< with more applications: decisions as often as in the standard, each on all of them
  BenchClocks clocks = BenchClocks::manager;
  bool background = true;  ///< without it units are idle at times, and governors have something to follow
};

/// scenarios/bench/standard.json, varied. n times its applications means: n replicas of each, with an n-th of the frame
/// rate, their phases spread evenly, so that units see the same stream of frames. The manager's period grows n-fold
/// too, so that it looks at as many applications per inference as before, unless `manager_as_often`.
Scenario bench_scenario(const BenchWorkload& workload);

/// Folder that holds the scenarios/ where the standard workload was found.
std::filesystem::path bench_root();

/// One simulation as this process saw it.
struct BenchRun {
  double inferences = 0;
  double cpu_s = 0;  ///< of the simulation, without loading the scenario
  double wall_s = 0;
  double peak_mb = 0;  ///< peak resident memory of the process, program included
  double ns_per_inference() const { return cpu_s * 1e9 / inferences; }
  double inferences_per_s() const { return inferences / cpu_s; }
};

/// Simulates once, here. Peak memory is that of the whole process so far: fork a child for each measurement.
BenchRun bench_here(const Setup& setup, bool record_jobs, EngineKind engine);

/// `times` simulations in a child of its own, one after the other (native engine).
std::vector<BenchRun> bench_in_child(const BenchWorkload& workload, bool record_jobs, int times);

/// CPU time of one call of a governor with its default parameters [ns]: mean of `calls`, in which its cluster becomes
/// busy or idle every few milliseconds and is sampled in between.
double governor_ns(const std::string& name, int calls);

/// Time of one decision of a policy with its default parameters [ns], mean over a run of scenarios/bench's four
/// applications on the Xavier NX; the clock's own reading is taken off. NaN if it was never asked after the start.
double policy_ns(const std::string& name);

/// Wall time [s] of the comparison of twelve managers on that scenario, 30 replications each, and of how many runs.
struct TimedWork {
  double seconds = 0;
  double count = 0;
};
TimedWork timed_comparison(int replications, int jobs);

/// CPU time [s] that the oracle takes for one application at 30 frames a second, and of how many frames.
TimedWork timed_oracle(double duration_s);

Json to_json(const BenchRun& run);
BenchRun bench_run_of(const Json& json);

}  // namespace dynasoc
