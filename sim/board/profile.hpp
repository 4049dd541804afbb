// Measuring tables on a board: which cells, how often, under which conditions, and what they say of the others.
//
// THE PROTOCOL. Cells come in the planner's order, which is random at first and chosen afterwards. For each cell the
// clocks are pinned and read back, the board settles, some inferences warm up and are thrown away, and n are kept, in
// calls of several that last long enough for the power meter. A call beside foreign load, or during which a clock
// moved, is thrown away and made again, up to three times n. Model load is outside of all this: sub-networks are
// resident. Between cells the board cools down. Every cell is written to a journal as soon as it is measured, so that a
// campaign that is killed goes on where it was.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "board/profile_plan.hpp"
#include "board/session.hpp"

namespace dynasoc::board {

struct ProfileOptions {
  std::vector<std::string> units;  ///< empty: all that the platform's `board` section has
  std::vector<int> subnets;        ///< indices; empty: all
  std::vector<double> opps_mhz;    ///< of the units' own clocks; empty: all
  std::vector<double> memory_mhz;  ///< of the memory clock; empty: it is left alone
  std::vector<int> cores;          ///< numbers of cores online; empty: as they are
  int n = 30;                      ///< inferences kept of a cell
  int warm_up = 3;                 ///< inferences thrown away first
  double settle_ms = 200;          ///< after a change of clocks
  double cool_down_ms = 100;       ///< between cells
  double gap_ms = 0;               ///< before each call, which then is one inference: caches as cold as between frames
  double window_ms = 40;           ///< least length of a call
  double idle_s = 0.6;             ///< for idle power at each clock
  PlanOptions plan;                ///< accuracy and budget
  bool contention = false;         ///< also pairs of units working at once
  LoadOptions load;
};

/// A measured cell.
struct ProfiledCell {
  std::size_t cell = 0;  ///< in `Profile::cells`
  int n = 0;
  double mean_ms = 0, std_ms = 0, p50_ms = 0, p90_ms = 0, p99_ms = 0;
  double energy_mj = 0;      ///< of one inference on the unit's rail, idle included; NaN where none tells
  double energy_std_mj = 0;  ///< between calls
  double power_w = 0;        ///< mean of the unit's rail while it ran; NaN likewise
  int discarded = 0;         ///< inferences beside foreign load or under moving clocks
  double memory_mhz = 0;     ///< in effect; NaN where the board has no such clock
  std::string failure;       ///< why it could not be measured; empty if it was
};

struct IdlePower {
  int unit = 0;
  int opp = 0;
  double unit_w = 0;  ///< of the unit's own rail; NaN where none tells
  double rest_w = 0;  ///< of the whole board's rail, less all units'
};

struct CoRun {
  int victim = 0, aggressor = 0;  ///< units
  double alone_ms = 0, beside_ms = 0;
};

struct Profile {
  std::vector<PlanCell> cells;
  std::vector<int> opps;  ///< by cell: index of its unit's operating point
  std::vector<ProfiledCell> measured;
  std::vector<IdlePower> idle;
  std::vector<CoRun> co_runs;
  std::vector<CellPrediction> latency, energy;  ///< by cell
  double switch_ms = 0;  ///< first inference after a switch over later ones, mean over pairs; NaN if not measured
  int switches = 0;
  double expected_error = 0;  ///< 90th percentile of the relative half width of cells not measured
  double ranking_uncertainty = 0;
  double elapsed_s = 0;    ///< of this invocation
  double inferring_s = 0;  ///< of it, in inferences that were kept
  bool target_reached = false;
  std::string identity;
  std::vector<std::string> warnings;
};

/// What to profile: a network on a platform, no scenario needed.
struct ProfileSubject {
  std::shared_ptr<const Network> network;
  Platform platform;
};

/// Runs (or goes on with) a campaign; `journal` holds the cells measured so far. `progress` is told (share, note) and
/// may throw, which leaves a journal to go on with. Throws InputError for a journal of another campaign, OutsideError.
Profile run_profile(Agent& agent, const ProfileSubject& subject, const ProfileOptions& options,
                    const std::filesystem::path& journal,
                    const std::function<void(double, const std::string&)>& progress);

/// Writes models/NAME/ (network.json, PLATFORM.profile.csv with the measured cells, PLATFORM.profile.filled.csv with
/// all) and platforms/PLATFORM.json with the measured powers under `out`: a folder that scenarios can take their data
/// from.
void write_profile(const std::filesystem::path& out, const std::string& network_name, const ProfileSubject& subject,
                   const ProfileOptions& options, const Profile& profile, const std::string& date);

Json profile_json(const ProfileSubject& subject, const Profile& profile);
std::string profile_text(const ProfileSubject& subject, const Profile& profile);

}  // namespace dynasoc::board
