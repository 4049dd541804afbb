// What runs on a board, as scenarios describe it: applications with their targets, and background load.
#pragma once

#include <array>
#include <string>
#include <variant>
#include <vector>

#include "application/arrivals.hpp"
#include "common/fields.hpp"

namespace dynasoc {

/// What happens to frames that wait.
enum class LatePolicy : std::uint8_t {
  queue,          ///< every frame is served, however late
  drop_oldest,    ///< at most `queue_limit` wait; the oldest makes room
  drop_late,      ///< a frame whose deadline has passed is not started (XRBench's rule)
  drop_hopeless,  ///< a frame that would miss its deadline even on the fastest sub-network is not started
  replace,        ///< only the newest frame waits
};
template <>
struct EnumNames<LatePolicy> {
  static constexpr std::array<std::pair<std::string_view, LatePolicy>, 5> names{
      {{"queue", LatePolicy::queue},
       {"drop-oldest", LatePolicy::drop_oldest},
       {"drop-late", LatePolicy::drop_late},
       {"drop-hopeless", LatePolicy::drop_hopeless},
       {"replace", LatePolicy::replace}}};
};

/// What the application asks for, from a point in time on.
struct TargetFile {
  double from_s = 0;
  double latency_ms = 0;
  double accuracy_floor = 0;
  double energy_mj = 0;
  double power_w = 0;
  int priority = 0;

  static constexpr auto fields() {
    using S = TargetFile;
    return describe(
        field(&S::from_s, "from_s", non_negative(), "in force from here on"),
        field(&S::latency_ms, "latency_ms", non_negative(), "from arrival to result; 0 = none"),
        field(&S::accuracy_floor, "accuracy_floor", range(0, 100), "in the network's metric; 0 = none"),
        field(&S::energy_mj, "energy_mj", non_negative(), "budget of one inference above idle; 0 = none"),
        field(&S::power_w, "power_w", non_negative(), "budget above idle while an inference runs; 0 = none"),
        field(&S::priority, "priority", range(0, 1000), "larger is more urgent"));
  }
};

struct ConstantExecution {
  static constexpr std::string_view kind = "constant";
  static constexpr std::string_view doc = "every inference takes its table's mean";
  static constexpr auto fields() { return std::tuple<>{}; }
};
struct TableExecution {
  static constexpr std::string_view kind = "table";
  static constexpr std::string_view doc = "log-normal with the mean and standard deviation of the table's cell";
  double default_cv = 0;
  static constexpr auto fields() {
    return describe(field(&TableExecution::default_cv, "default_cv", range(0, 2),
                          "coefficient of variation of cells that state no standard deviation"));
  }
};
struct ReplayExecution {
  static constexpr std::string_view kind = "replay";
  static constexpr std::string_view doc = "the table's mean times the ratios of a recorded log, in order, repeated";
  Name file;
  std::string column = "ratio";
  static constexpr auto fields() {
    return describe(required(&ReplayExecution::file, "file", "CSV file, from the scenario's folder or traces/"),
                    field(&ReplayExecution::column, "column", "with ratios of latency to the typical one"));
  }
};
using ExecutionFile = std::variant<ConstantExecution, TableExecution, ReplayExecution>;

/// A measured session's deviation from its table: `true latency = factor x table`. Managers still see the table.
struct SessionFactor {
  double factor = 1;
  std::string source;
  static constexpr auto fields() {
    return describe(required(&SessionFactor::factor, "factor", range(0.01, 100), "true latency over the table's"),
                    required(&SessionFactor::source, "source", "what it was fitted on"));
  }
};

/// Frames that wait may be served together: an inference of n of them takes 1 + marginal (n - 1) times as long as one.
struct BatchFile {
  int most = 1;
  double marginal = 1;
  std::string source;
  static constexpr auto fields() {
    using S = BatchFile;
    return describe(required(&S::most, "most", range(1, 256), "frames that one inference may serve"),
                    required(&S::marginal, "marginal", range(0, 2),
                             "time of each frame after the first, over the time of one alone; 1 = nothing is won"),
                    required(&S::source, "source", "where the figure comes from"));
  }
};

struct ApplicationFile {
  Name network;
  std::vector<Name> tables;
  Name unit;
  Name subnet;
  std::vector<Name> subnets;
  ArrivalsFile arrivals;
  std::vector<TargetFile> targets;
  LatePolicy late = LatePolicy::queue;
  int queue_limit = 1;
  double weight = 1;
  bool io_wait = false;
  double start_s = 0;
  double stop_s = 0;
  ExecutionFile execution = TableExecution{};
  std::optional<SessionFactor> session;
  std::optional<double> switch_ms;
  std::optional<BatchFile> batch;
  Where where;

  static constexpr auto fields() {
    using S = ApplicationFile;
    return describe(
        required(&S::network, "network", "folder in models/, or a path to a network.json"),
        field(&S::tables, "tables",
              "tables of the network to use, at most one a unit; default: the network's own choice"),
        field(&S::unit, "unit", "processing unit it starts on; default: the first its tables cover"),
        field(&S::subnet, "subnet",
              "sub-network it starts with; default: the largest that meets the latency target alone"),
        field(&S::subnets, "subnets", "sub-networks kept in memory, from which managers choose; default: all"),
        required(&S::arrivals, "arrivals", "when frames arrive"),
        field(&S::targets, "targets", "what it asks for; later entries replace earlier ones"),
        field(
            &S::late, "late",
            "what happens to frames that wait: all are served; beyond queue_limit the oldest goes; one whose deadline "
            "has passed, or that would miss it even on the fastest sub-network, is not started; only the newest "
            "waits"),
        field(&S::queue_limit, "queue_limit", range(1, 1e6), "drop-oldest: frames that may wait"),
        field(&S::weight, "weight", range(1e-6, 1e6), "share of a fair unit"),
        field(&S::io_wait, "io_wait",
              "whether it waits for frames in the kernel's I/O (a file, some cameras): schedutil boosts such wake-ups"),
        field(&S::start_s, "start_s", non_negative(), "when it begins"),
        field(&S::stop_s, "stop_s", non_negative(), "when its arrivals end; 0 = with the run"),
        field(&S::execution, "execution", "how execution times vary"),
        field(&S::session, "session", "how this session's latencies differ from the table's"),
        field(&S::switch_ms, "switch_ms", non_negative(), "time of a sub-network switch, instead of the network's own"),
        field(&S::batch, "batch", "managers may have waiting frames served together"));
  }
};

struct ContinuousDemand {
  static constexpr std::string_view kind = "continuous";
  static constexpr std::string_view doc = "always wants the unit (a training job); shares a fair unit by weight";
  static constexpr auto fields() { return std::tuple<>{}; }
};
struct OnOffDemand {
  static constexpr std::string_view kind = "on-off";
  static constexpr std::string_view doc = "wants the unit for a while, then rests";
  double on_ms = 0;
  double off_ms = 0;
  bool exponential = false;
  static constexpr auto fields() {
    using S = OnOffDemand;
    return describe(required(&S::on_ms, "on_ms", at_least(1e-3), "length of a busy phase"),
                    required(&S::off_ms, "off_ms", at_least(1e-3), "length of a pause"),
                    field(&S::exponential, "exponential", "draw both from exponential distributions of these means"));
  }
};
struct PeriodicDemand {
  static constexpr std::string_view kind = "periodic";
  static constexpr std::string_view doc = "a burst of work every period";
  double period_ms = 0;
  double work_ms = 0;
  static constexpr auto fields() {
    return describe(required(&PeriodicDemand::period_ms, "period_ms", at_least(1e-3), "between bursts"),
                    required(&PeriodicDemand::work_ms, "work_ms", positive(),
                             "unit time of a burst when alone, whatever the clock"));
  }
};
using DemandFile = std::variant<ContinuousDemand, OnOffDemand, PeriodicDemand>;

/// Load that is nobody's inference: it arrives, takes its share, and leaves.
struct BackgroundFile {
  Name unit;
  double weight = 1;
  double from_s = 0;
  double to_s = 0;
  DemandFile demand = ContinuousDemand{};
  double power_factor = 1;
  std::string source;
  Where where;

  static constexpr auto fields() {
    using S = BackgroundFile;
    return describe(
        required(&S::unit, "unit", "it occupies"),
        field(&S::weight, "weight", range(1e-6, 1e6), "share of a fair unit, an application's default being 1"),
        field(&S::from_s, "from_s", non_negative(), "when it arrives"),
        field(&S::to_s, "to_s", non_negative(), "when it leaves; 0 = with the run"),
        field(&S::demand, "demand", "how it wants the unit over time"),
        field(&S::power_factor, "power_factor", range(0, 10),
              "its power above idle over the unit's busy power above idle"),
        field(&S::source, "source", "what its weight was fitted on"));
  }
};

}  // namespace dynasoc
