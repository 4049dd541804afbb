// A board as its file describes it: processing units, frequency domains, power modes, power, thermal network, rails,
// sensors. Names resolve to indices once, when it is loaded.
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/fields.hpp"
#include "common/provenance.hpp"
#include "device/step_wise.hpp"

namespace dynasoc {

enum class DomainKind : std::uint8_t { cpu, gpu, memory, other };
template <>
struct EnumNames<DomainKind> {
  static constexpr std::array<std::pair<std::string_view, DomainKind>, 4> names{{{"cpu", DomainKind::cpu},
                                                                                 {"gpu", DomainKind::gpu},
                                                                                 {"memory", DomainKind::memory},
                                                                                 {"other", DomainKind::other}}};
};

/// Who runs next when several jobs want a unit.
enum class Discipline : std::uint8_t {
  fifo,      ///< one at a time, in order of arrival
  fair,      ///< all at once, sharing by weight; with a slice length and a switch cost, time-sliced
  priority,  ///< one at a time, the highest priority, then the earliest arrival
  edf,       ///< one at a time, the earliest deadline
};
template <>
struct EnumNames<Discipline> {
  static constexpr std::array<std::pair<std::string_view, Discipline>, 4> names{{{"fifo", Discipline::fifo},
                                                                                 {"fair", Discipline::fair},
                                                                                 {"priority", Discipline::priority},
                                                                                 {"edf", Discipline::edf}}};
};

/// A clock with its operating performance points.
struct DomainFile {
  DomainKind kind = DomainKind::other;
  std::vector<double> opps_mhz;
  int cores = 0;
  double stall_us = 0;
  double settle_ms = 0;
  Name governor{"performance", {}};
  std::string source;
  Where where;

  static constexpr auto fields() {
    using S = DomainFile;
    return describe(
        required(&S::kind, "kind", "which column of a table its clock is"),
        required(&S::opps_mhz, "opps_mhz", positive(), "operating performance points, ascending"),
        field(&S::cores, "cores", range(0, 1024), "cores it clocks; a policy may take all but one of them offline"),
        field(&S::stall_us, "stall_us", non_negative(), "for which its units stand still when its clock changes"),
        field(&S::settle_ms, "settle_ms", non_negative(), "from the request until the new clock is in effect"),
        field(&S::governor, "governor", "who sets it while no policy does"),
        field(&S::source, "source", "where the figures come from"));
  }
};

/// Power of a unit at one clock of its first domain, all cores online. Between points it is interpolated linearly.
struct PowerPoint {
  double mhz = 0;
  double idle_w = 0;
  double busy_w = 0;
  Provenance provenance = Provenance::derived;
  std::string source;

  static constexpr auto fields() {
    using S = PowerPoint;
    return describe(required(&S::mhz, "mhz", positive(), "clock"),
                    required(&S::idle_w, "idle_w", non_negative(), "drawn when no job runs"),
                    required(&S::busy_w, "busy_w", non_negative(), "drawn when jobs keep it busy all the time"),
                    required(&S::provenance, "provenance", "measured, digitised or derived"),
                    required(&S::source, "source", "from which rows"));
  }
};

/// How wrong the power points of a unit may be, all in the same direction: busy power above idle is theirs times a
/// factor that has mean 1 and, at clock f, the log-normal spread
///   sd(ln factor)² = ln(1 + level²) + (tilt · ln(f / pivot))²
/// `level` is the same for all clocks, `tilt` grows with the distance from the clocks that were measured.
struct PowerUncertainty {
  double level = 0;
  double tilt = 0;
  double pivot_mhz = 1000;
  std::string source;

  static constexpr auto fields() {
    using S = PowerUncertainty;
    return describe(
        required(&S::level, "level", range(0, 2), "standard deviation of busy power above idle, as a share of it"),
        field(&S::tilt, "tilt", range(0, 2),
              "standard deviation of its logarithm's slope over the logarithm of the clock"),
        required(&S::pivot_mhz, "pivot_mhz", positive(), "clock at which the tilt changes nothing"),
        required(&S::source, "source", "from which residuals"));
  }

  /// The factor at a clock for two standard normal draws.
  double factor(double mhz, double level_draw, double tilt_draw) const;
  /// Standard deviation of ln factor at a clock.
  double log_sd(double mhz) const;
};

/// A processing unit: what a job runs on.
struct UnitFile {
  std::vector<Name> domains;
  Name host_domain;
  double host_load = 1;
  Name memory_domain;
  Discipline discipline = Discipline::fair;
  bool preemptive = false;
  double slice_ms = 0;
  double switch_us = 0;
  double parallel_fraction = 1;
  std::vector<PowerPoint> power;
  std::optional<PowerUncertainty> power_uncertainty;
  Name thermal_node;
  std::string source;
  Where where;

  static constexpr auto fields() {
    using S = UnitFile;
    return describe(
        required(&S::domains, "domains", "clocks it runs on; with several, the slowest sets the pace"),
        field(&S::host_domain, "host_domain", "CPU clock that launches its work (a GPU's driver)"),
        field(&S::host_load, "host_load", range(0, 1),
              "share of one core of the host domain that launching and awaiting its jobs takes, as that domain's "
              "governor sees it; 1 = it spins"),
        field(&S::memory_domain, "memory_domain", "memory clock its jobs depend on"),
        field(&S::discipline, "discipline", "who runs next"),
        field(&S::preemptive, "preemptive", "priority and edf: a more urgent arrival interrupts the running job"),
        field(&S::slice_ms, "slice_ms", non_negative(), "fair: length of a time slice; 0 = ideal sharing"),
        field(&S::switch_us, "switch_us", non_negative(),
              "fair: time lost at each change of slice while several jobs share"),
        field(&S::parallel_fraction, "parallel_fraction", range(0, 1), "Amdahl's law when cores are taken offline"),
        required(&S::power, "power", "by clock, ascending"),
        field(&S::power_uncertainty, "power_uncertainty", "how wrong the power points may be; drawn by sample_power"),
        field(&S::thermal_node, "thermal_node", "node its heat goes into"),
        field(&S::source, "source", "where the figures come from"));
  }
};

/// How much a job slows down while another unit works, through shared memory.
struct ContentionFile {
  Name victim;
  Name aggressor;
  double slowdown = 1;
  Provenance provenance = Provenance::derived;
  std::string source;

  static constexpr auto fields() {
    using S = ContentionFile;
    return describe(required(&S::victim, "victim", "unit whose jobs get slower"),
                    required(&S::aggressor, "aggressor", "while this unit is busy"),
                    required(&S::slowdown, "slowdown", range(1, 100), "factor on the victim's latency"),
                    required(&S::provenance, "provenance", "measured, digitised or derived"),
                    required(&S::source, "source", "where the figure comes from"));
  }
};

struct ThermalNodeFile {
  double capacity_j_per_k = 1;
  double to_ambient_w_per_k = 0;

  static constexpr auto fields() {
    using S = ThermalNodeFile;
    return describe(
        required(&S::capacity_j_per_k, "capacity_j_per_k", positive(), "heat capacity"),
        field(&S::to_ambient_w_per_k, "to_ambient_w_per_k", non_negative(), "conductance to the surroundings"));
  }
};

struct ThermalLinkFile {
  Name a;
  Name b;
  double conductance_w_per_k = 0;

  static constexpr auto fields() {
    using S = ThermalLinkFile;
    return describe(required(&S::a, "a", "node"), required(&S::b, "b", "node"),
                    required(&S::conductance_w_per_k, "conductance_w_per_k", positive(), "between the two"));
  }
};

/// A temperature at which clocks are capped, as `ThermalFile::governor` says (step_wise.hpp).
struct TripFile {
  Name node;
  double temperature_c = 0;
  double hysteresis_k = 0;
  std::vector<Name> domains;

  static constexpr auto fields() {
    using S = TripFile;
    return describe(
        required(&S::node, "node", "whose temperature is watched"),
        required(&S::temperature_c, "temperature_c", range(-50, 200), "trip point"),
        field(&S::hysteresis_k, "hysteresis_k", non_negative(), "threshold: how far below it caps are lifted again"),
        required(&S::domains, "domains", "whose clocks are capped"));
  }
};

struct ThermalFile {
  double ambient_c = 25;
  double initial_c = 25;
  double poll_ms = 100;
  ThermalGovernor governor = ThermalGovernor::threshold;
  Named<ThermalNodeFile> nodes;
  std::vector<ThermalLinkFile> links;
  std::vector<TripFile> trips;
  Name static_node;
  Provenance provenance = Provenance::derived;
  std::string source;

  static constexpr auto fields() {
    using S = ThermalFile;
    return describe(
        required(&S::ambient_c, "ambient_c", range(-50, 100), "temperature of the surroundings"),
        field(&S::initial_c, "initial_c", range(-50, 150), "of every node at the start"),
        field(&S::poll_ms, "poll_ms", at_least(1e-3), "how often trip points are checked and temperatures recorded"),
        field(&S::governor, "governor",
              "how trips cap clocks, a step a poll; threshold: down at the trip, up below it less the hysteresis; "
              "step_wise (Linux): at the trip down while temperature rises, up while it falls"),
        required(&S::nodes, "nodes", "by name"), field(&S::links, "links", "between nodes"),
        field(&S::trips, "trips", "throttling"),
        field(&S::static_node, "static_node", "node that the board's static power heats"),
        required(&S::provenance, "provenance", "measured, digitised or derived"),
        required(&S::source, "source", "where the figures come from"));
  }
};

/// A supply rail with a meter: the sum of what it feeds.
struct RailFile {
  std::vector<Name> units;
  bool static_power = false;
  std::string note;

  static constexpr auto fields() {
    using S = RailFile;
    return describe(required(&S::units, "units", "units it feeds"),
                    field(&S::static_power, "static_power", "whether it also carries the board's static power"),
                    field(&S::note, "note", "what it is"));
  }
};

/// A power monitor (INA3221) and who reads it. The chip converts on its own: every `update_ms` its registers get, for
/// each rail, the mean over the `averaging_ms` before, in whole steps. Every `period_ms` a reader (tegrastats) takes
/// what the registers hold at that instant, not a mean over its interval. Without `update_ms` a conversion ends with
/// each reading.
struct SensorFile {
  std::vector<Name> rails;
  double period_ms = 100;
  double update_ms = 0;
  double averaging_ms = 0;
  double resolution_mw = 0;
  std::string source;

  static constexpr auto fields() {
    using S = SensorFile;
    return describe(required(&S::rails, "rails", "it reads"),
                    required(&S::period_ms, "period_ms", at_least(1e-3), "between readings"),
                    field(&S::update_ms, "update_ms", non_negative(),
                          "between updates of the registers that readings come from; 0 = one ends with each reading"),
                    field(&S::averaging_ms, "averaging_ms", non_negative(),
                          "window averaged; 0 = the instant; at most update_ms, or the period without it"),
                    field(&S::resolution_mw, "resolution_mw", non_negative(), "step of a reading; 0 = none"),
                    field(&S::source, "source", "where the figures come from"));
  }
};

/// A power mode (nvpmodel): caps on every clock and the cores online.
struct ModeFile {
  int id = 0;
  int cores_online = 0;
  Named<double> max_mhz;
  Named<double> min_mhz;
  std::string source;
  Where where;

  static constexpr auto fields() {
    using S = ModeFile;
    return describe(field(&S::id, "id", range(0, 1000), "nvpmodel's number"),
                    field(&S::cores_online, "cores_online", range(0, 1024), "CPU cores, from the first; 0 = all"),
                    field(&S::max_mhz, "max_mhz", positive(), "cap by domain; the highest OPP at or below it"),
                    field(&S::min_mhz, "min_mhz", non_negative(), "floor by domain"),
                    field(&S::source, "source", "where the figures come from"));
  }
};

/// Where a clock of the platform is found on the board itself: one of the three.
struct BoardDomainFile {
  std::string policy;
  std::string devfreq;
  bool emc = false;

  static constexpr auto fields() {
    using S = BoardDomainFile;
    return describe(field(&S::policy, "policy", "a CPU's cpufreq policy: cpu0"),
                    field(&S::devfreq, "devfreq", "a devfreq device: 17000000.gv11b"),
                    field(&S::emc, "emc", "the memory controller's cap (nvpmodel's)"));
  }
};

/// Where and how a unit's inferences run on the board itself.
struct BoardUnitFile {
  std::vector<int> cpus;
  std::string executor = "onednn";
  int threads = 0;

  static constexpr auto fields() {
    using S = BoardUnitFile;
    return describe(required(&S::cpus, "cpus", range(0, 1023),
                             "CPUs that inferences are pinned to; on a GPU, those of the thread that launches them"),
                    field(&S::executor, "executor",
                          "what runs inferences: onednn, onnxruntime, tensorrt, replay, or a runner's name"),
                    field(&S::threads, "threads", range(0, 1024), "threads of an inference; 0 = as many as CPUs"));
  }
};

/// A sensor of a thermal node.
struct BoardZoneFile {
  std::string type;
  double limit_c = 95;

  static constexpr auto fields() {
    using S = BoardZoneFile;
    return describe(required(&S::type, "type", "the thermal zone's type: CPU-therm"),
                    field(&S::limit_c, "limit_c", range(0, 150), "past it the agent refuses inferences"));
  }
};

/// How the platform's names are found on a real board (`dynasoc board`); simulations do not read it.
struct BoardFile {
  std::string identity;
  Named<BoardDomainFile> domains;
  Named<BoardUnitFile> units;
  Named<std::string> rails;
  Named<BoardZoneFile> thermal;
  int sampler_cpu = -1;
  double sample_hz = 500;
  double foreign_share = 0.05;
  double neighbour_share = 0.5;
  Where where;

  static constexpr auto fields() {
    using S = BoardFile;
    return describe(
        field(&S::identity, "identity", "model, software and kernel of the board that it was written for"),
        field(&S::domains, "domains", "by frequency domain; others are left alone and taken to stand still"),
        required(&S::units, "units", "by unit"), field(&S::rails, "rails", "by rail: the label of its sensor"),
        field(&S::thermal, "thermal", "by thermal node (or any name): the zone that measures it"),
        field(&S::sampler_cpu, "sampler_cpu", range(-1, 1023),
              "CPU of everything that is not an inference; -1 = the system's choice"),
        field(&S::sample_hz, "sample_hz", range(1, 10000), "readings of the power sensors"),
        field(&S::foreign_share, "foreign_share", range(0, 1),
              "share of a unit's CPU time that others may take before an inference counts as disturbed"),
        field(&S::neighbour_share, "neighbour_share", range(0, 1),
              "the same of the CPUs that no unit has: what they do shares caches and memory"));
  }
};

/// `platforms/<name>.json`.
struct PlatformFile {
  std::string name;
  std::string title;
  std::string source;
  Named<DomainFile> domains;
  Named<UnitFile> units;
  double static_power_w = 0;
  Provenance static_power_provenance = Provenance::derived;
  std::string static_power_source;
  double static_power_std_w = 0;
  std::vector<ContentionFile> contention;
  std::optional<ThermalFile> thermal;
  Named<RailFile> rails;
  Named<SensorFile> sensors;
  Named<ModeFile> modes;
  Name default_mode;
  std::optional<BoardFile> board;
  Where where;

  static constexpr auto fields() {
    using S = PlatformFile;
    return describe(
        required(&S::name, "name", "as scenarios call it; the file's name without .json"),
        field(&S::title, "title", "one line for people"), field(&S::source, "source", "publication or repository"),
        required(&S::domains, "domains", "frequency domains, by name"),
        required(&S::units, "units", "processing units, by name"),
        field(&S::static_power_w, "static_power_w", non_negative(), "drawn by everything that is not a unit"),
        field(&S::static_power_provenance, "static_power_provenance", "measured, digitised or derived"),
        field(&S::static_power_source, "static_power_source", "from which rows"),
        field(&S::static_power_std_w, "static_power_std_w", non_negative(),
              "standard deviation of the static power; drawn by sample_power"),
        field(&S::contention, "contention", "who hurts whom through memory"),
        field(&S::thermal, "thermal", "RC network and trip points"), field(&S::rails, "rails", "supply rails, by name"),
        field(&S::sensors, "sensors", "power monitors, by name"), field(&S::modes, "modes", "power modes, by name"),
        field(&S::default_mode, "default_mode", "mode in force unless a scenario says otherwise"),
        field(&S::board, "board", "how these names are found on the board itself (`dynasoc board`)"));
  }
};

/// A board with names resolved to indices. Immutable; shared by all simulations of a run.
struct Platform {
  /// Throws InputError for anything that does not hold together: unsorted OPPs, a unit without a domain, a name that
  /// nothing has, power points out of order or with busy below idle, a thermal node with no way to the surroundings.
  static Platform load(const std::filesystem::path& path);
  static Platform from(PlatformFile file);

  int unit_index(std::string_view name) const;    ///< -1 if there is none
  int domain_index(std::string_view name) const;  ///< -1 if there is none
  const ModeFile* mode(std::string_view name) const;
  std::vector<std::string> unit_names() const;
  std::vector<std::string> domain_names() const;
  std::vector<std::string> mode_names() const;

  /// Linear interpolation of a unit's power points [W]; constant beyond the first and the last.
  double idle_w(std::size_t unit, double mhz) const;
  double busy_w(std::size_t unit, double mhz) const;

  struct UnitLinks {
    std::vector<int> domains;
    int host_domain = -1;
    int memory_domain = -1;
    int thermal_node = -1;
  };
  PlatformFile file;
  std::vector<UnitLinks> links;           ///< by unit
  std::vector<std::vector<double>> slow;  ///< [victim][aggressor], 1 where nothing is declared
};

}  // namespace dynasoc
