// Scenario files: what to simulate. Loading resolves every name and returns a Setup, or one precise error.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "scenario/data_paths.hpp"
#include "world/setup.hpp"

namespace dynasoc {

inline constexpr double kMostSeed = 9e15;         ///< beyond, JSON readers round
inline constexpr double kMostReplications = 1e5;  ///< each keeps a record of some kilobytes until the end

struct WindowFile {
  double from_s = 0;
  double to_s = 0;
  static constexpr auto fields() {
    using S = WindowFile;
    return describe(required(&S::from_s, "from_s", non_negative(), "begin"),
                    field(&S::to_s, "to_s", non_negative(), "end; 0 = of the run"));
  }
};

struct ModeChangeFile {
  double at_s = 0;
  Name mode;
  static constexpr auto fields() {
    using S = ModeChangeFile;
    return describe(required(&S::at_s, "at_s", positive(), "when"),
                    required(&S::mode, "mode", "power mode of the platform"));
  }
};

/// What the board lives on. When it is empty everything stops; frames that still come are rejected.
struct BatteryFile {
  double capacity_j = 0;
  double charge = 1;
  double until_s = 0;
  std::string source;
  static constexpr auto fields() {
    using S = BatteryFile;
    return describe(required(&S::capacity_j, "capacity_j", positive(), "when full"),
                    field(&S::charge, "charge", range(0, 1), "share of it that is there at the start"),
                    field(&S::until_s, "until_s", non_negative(),
                          "managers are asked to make it last up to here; 0 = to the end of the run"),
                    field(&S::source, "source", "where the figures come from"));
  }
};

/// A temperature that managers are asked not to pass; nothing enforces it but the platform's own trip points.
struct ThermalBudgetFile {
  double limit_c = 0;
  Name node;
  std::string source;
  static constexpr auto fields() {
    using S = ThermalBudgetFile;
    return describe(required(&S::limit_c, "limit_c", range(-50, 200), "not to be passed"),
                    field(&S::node, "node", "thermal node that it speaks of; default: whichever is hottest"),
                    field(&S::source, "source", "where the figure comes from"));
  }
};

struct ScenarioFile {
  std::string name;
  std::string title;
  std::string source;
  Name platform;
  Name mode;
  std::vector<ModeChangeFile> mode_changes;
  Named<std::vector<double>> opps_mhz;
  double duration_s = 0;
  double warmup_s = 0;
  std::int64_t seed = 1;
  int replications = 1;
  Named<ApplicationFile> applications;
  Named<BackgroundFile> background;
  manager::Choice<manager::Policy> policy{"none", std::nullopt, {}};
  std::optional<manager::Choice<manager::Policy>> scheduler;
  std::optional<double> manager_cost_us;
  std::optional<BatteryFile> battery;
  std::optional<ThermalBudgetFile> thermal_budget;
  Objective objective;
  Named<manager::Choice<manager::Governor>> governors;
  Named<WindowFile> windows;
  bool thermal = true;
  bool sample_latency = false;
  std::optional<double> ambient_c;
  double timeline_ms = 50;
  bool sample_power = false;
  Where where;

  static constexpr auto fields() {
    using S = ScenarioFile;
    return describe(
        field(&S::name, "name", "default: the file's name"), field(&S::title, "title", "one line for people"),
        field(&S::source, "source", "what it reproduces, and where figures in it come from"),
        required(&S::platform, "platform", "file in platforms/, or a path"),
        field(&S::mode, "mode", "power mode; default: the platform's"),
        field(&S::mode_changes, "mode_changes", "power modes set during the run (nvpmodel)"),
        field(
            &S::opps_mhz, "opps_mhz", positive(),
            "by frequency domain, or by unit for all clocks it runs on: the operating points that may be used, of the "
            "platform's; default: all"),
        required(&S::duration_s, "duration_s", positive(), "simulated time"),
        field(&S::warmup_s, "warmup_s", non_negative(), "frames and energy before it are not counted"),
        field(&S::seed, "seed", range(0, kMostSeed), "of all random streams"),
        field(&S::replications, "replications", range(1, kMostReplications), "independent repetitions"),
        required(&S::applications, "applications", "by name"), field(&S::background, "background", "load, by name"),
        field(&S::policy, "policy", "runtime manager: a name, or an object with a name and its parameters"),
        field(&S::scheduler, "scheduler",
              "a policy whose scheduler chooses which inference has a unit next, beside a policy that has none (it is "
              "not asked for anything else): a name, "
              "or an object with a name and its parameters"),
        field(&S::manager_cost_us, "manager_cost_us", non_negative(),
              "compute time of a decision, instead of the policy's own"),
        field(&S::battery, "battery", "what the board lives on; default: the mains"),
        field(&S::thermal_budget, "thermal_budget", "a temperature that managers are asked not to pass"),
        field(&S::objective, "objective", "what a frame's faults cost, for the metric `cost` and regret"),
        field(&S::governors, "governors",
              "by frequency domain, or by unit for all clocks it runs on: a name, or an object with a name and its "
              "parameters"),
        field(&S::windows, "windows", "stretches of the run reported on their own, by name"),
        field(&S::sample_latency, "sample_latency",
              "each replication draws, for each application, how far the latencies of its table's model are off, from "
              "their prediction intervals; observed latencies stay, and managers go on believing the model"),
        field(&S::thermal, "thermal", "simulate temperatures and throttling, where the platform describes them"),
        field(&S::ambient_c, "ambient_c", range(-50, 100),
              "temperature of the surroundings, instead of the platform's (the board still starts at the platform's "
              "initial_c)"),
        field(&S::timeline_ms, "timeline_ms", at_least(1e-3), "sampling period of timeline.csv"),
        field(&S::sample_power, "sample_power",
              "each replication draws the board's powers from the platform's stated uncertainty (run --sample-power)"));
  }
};

/// A scenario as loaded: the file, and what it resolves to.
struct Scenario {
  ScenarioFile file;                          ///< every field, defaults filled in
  std::shared_ptr<const Setup> setup;         ///< what it resolves to
  std::shared_ptr<const Document> document;   ///< the file with includes and overrides applied, without defaults
  std::filesystem::path folder;               ///< names are resolved from here
  std::vector<std::filesystem::path> inputs;  ///< every file that was read
  std::vector<std::string> warnings;          ///< what is not wrong, and worth knowing
};

using Overrides = std::vector<std::pair<std::string, std::string>>;  ///< `--set path=value`

/// Platforms, networks, tables and block tables that were read, kept for other scenarios that name them (even if a file
/// changes). Any number of threads may use one. Throws InputError as the files' readers do, each time. Where none is
/// given to load_scenario, what several applications name is still shared.
class Library {
 public:
  using BlockEnds = std::vector<std::vector<double>>;

  std::shared_ptr<const Platform> platform(const std::filesystem::path& path);
  std::shared_ptr<const Network> network(const std::filesystem::path& path);
  std::shared_ptr<const Table> table(const Network& network, const std::string& name);
  std::shared_ptr<const BlockEnds> block_ends(const Network& network, const std::string& unit);

 private:
  template <class T>
  using Shelf = std::map<std::string, std::shared_ptr<const T>>;
  template <class T, class Read>
  std::shared_ptr<const T> once(Shelf<T>& shelf, const std::string& name, const Read& read);

  std::mutex mutex_;
  Shelf<Platform> platforms_;
  Shelf<Network> networks_;
  Shelf<Table> tables_;
  Shelf<BlockEnds> block_ends_;
};

/// Loads a scenario file (or a run's manifest.json), applies overrides, resolves names. Throws InputError.
/// `"include": "other.json"` (or a list) lays other files under this one; cycles are refused.
Scenario load_scenario(const std::filesystem::path& path, const Overrides& overrides = {}, Library* library = nullptr);

/// The same for a document already in memory.
Scenario load_scenario(std::shared_ptr<Document> document, const std::filesystem::path& folder,
                       const Overrides& overrides = {}, Library* library = nullptr);

/// A scenario file with its includes and overrides applied, not yet read: what a sweep takes apart. `inputs` gets the
/// files. Throws InputError.
std::shared_ptr<Document> scenario_document(const std::filesystem::path& path, const Overrides& overrides,
                                            std::vector<std::filesystem::path>& inputs);

/// JSON schema of scenario files.
Json scenario_schema();

}  // namespace dynasoc
