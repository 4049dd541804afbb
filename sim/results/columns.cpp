#include "results/columns.hpp"

#include <array>

#include "common/error.hpp"

namespace dynasoc {
namespace {

constexpr std::string_view kReplication = "from 0";

constexpr Column kJobs[] = {
    {"replication", "integer", "", kReplication},
    {"app", "text", "", "application"},
    {"job", "integer", "", "number of the frame within its application, from 0, in order of arrival"},
    {"arrival_s", "time", "s", "when the frame arrived"},
    {"start_s", "time", "s", "when it first got the unit; empty if never"},
    {"end_s", "time", "s", "when its result was there; empty if never"},
    {"deadline_s", "time", "s", "arrival plus the latency target in force at dispatch; empty without a target"},
    {"outcome", "text", "",
     "`met`; `missed`: done, but after its deadline; `dropped`: given up while waiting (see `late`); `rejected`: "
     "refused by the manager; `unfinished`: waiting or running when the run ended"},
    {"unit", "text", "", "processing unit it ran on"},
    {"subnet", "text", "", "sub-network it ran on"},
    {"accuracy", "number", "network's metric", "of that sub-network; empty unless done"},
    {"latency_ms", "number", "ms", "from arrival to result, waiting included; empty unless done"},
    {"energy_mj", "number", "mJ",
     "energy of this inference **above idle**: its power above idle times its share of the unit, over time; empty "
     "unless done. The board's idle and static energy belong to no job and are in the summary"},
};

constexpr Column kDecisions[] = {
    {"replication", "integer", "", kReplication},
    {"time_s", "time", "s", "when it was carried out; the manager's own computing time has passed by then"},
    {"policy", "text", "", "name of the manager; `board` for what is not its doing"},
    {"target", "text", "", "application, frequency domain or unit written to; `board` for a power mode"},
    {"knob", "text", "",
     "`subnet`, `mapping`, `frequency`, `lowest`, `highest`, `governor`, `cores`, `admission`; `mode` and `thermal "
     "cap` "
     "are not the policy's"},
    {"from", "text", "", "value before"},
    {"to", "text", "", "value after, clamped to what the board allows"},
    {"reason", "text", "", "the policy's, with the numbers it saw"},
    {"margin", "number", "",
     "slack left, relative to the binding target; negative: beyond it; 0 where it has no meaning"},
    {"decision", "integer", "", "number of the decision, from 0 in each replication; knobs written together share it"},
    {"trigger", "text", "",
     "why the manager was asked: `start`, `period`, `arrival`, `completion`, `target change`, `load change`, `thermal "
     "trip`; empty for the board"},
    {"binding", "text", "",
     "the constraint that a better choice would have broken: `latency`, `accuracy`, `energy`, `power`, `temperature`, "
     "`capacity`, `dwell`, or `ladder` for the end of what there is to choose from; empty where the manager names "
     "none"},
    {"slack", "number", "of the constraint",
     "room left to it: ms, points, mJ, W, K, share of a unit; empty without one"},
    {"candidates", "integer", "", "choices that the decision looked at; they are in candidates.csv"},
    {"feasible", "integer", "", "of which met every target"},
};

constexpr Column kCandidates[] = {
    {"replication", "integer", "", kReplication},
    {"decision", "integer", "", "as in decisions.csv"},
    {"application", "text", "", "it speaks of"},
    {"subnet", "text", "", "empty where it is not part of the choice, as are the next two"},
    {"unit", "text", "", "processing unit"},
    {"mhz", "number", "MHz", "clock of the unit's first frequency domain"},
    {"latency_ms", "number", "ms", "predicted, by the manager's own reckoning"},
    {"accuracy", "number", "network's metric", "of the sub-network"},
    {"energy_mj", "number", "mJ", "predicted, above idle; empty where it does not reckon with energy"},
    {"feasible", "boolean", "", "1 if it met every target that the manager looked at"},
    {"chosen", "boolean", "", "1 if it is what the writes lead to"},
};

constexpr Column kTimeline[] = {
    {"replication", "integer", "", kReplication},
    {"time_s", "time", "s", "of the sample"},
    {"power_w", "number", "W", "mean power of the board since the last sample"},
    {"UNIT_utilisation", "number", "", "share of the time since the last line in which the unit had work"},
    {"UNIT_mhz", "number", "MHz", "clock that sets its pace"},
    {"UNIT_power_w", "number", "W", "its mean power since the last sample"},
    {"NODE_temperature_c", "number", "°C", "of a thermal node, where the platform has a thermal network"},
    {"RAIL_true_w", "number", "W", "true power of what the rail feeds, mean since the last sample"},
    {"RAIL_reading_w", "number", "W",
     "last reading of its meter: sampled, averaged and rounded as the platform says; empty before the first"},
    {"APP_subnet", "integer", "", "number of the sub-network in force"},
    {"APP_waiting", "integer", "", "frames waiting, not counting the one in service"},
};

constexpr std::array<LogTable, 4> kTables{{
    {"jobs",
     "One line a frame of every application, in the order in which their fates were decided; frames of the warm-up "
     "are included here (and not in the summary).",
     kJobs},
    {"decisions", "One line a knob write of the policy, a change of power mode, or a thermal cap, in order of time.",
     kDecisions},
    {"candidates",
     "What each decision had to choose from, one line a candidate, as its manager predicted it. Only decisions that "
     "wrote something are kept.",
     kCandidates},
    {"timeline", "One line every `timeline_ms`. The columns depend on the platform and the applications.", kTimeline},
}};

}  // namespace

std::span<const LogTable> log_tables() { return kTables; }

std::string header_of(std::string_view table) {
  for (const LogTable& log : kTables)
    if (log.name == table) {
      std::string out;
      for (const Column& column : log.columns) out.append(out.empty() ? "" : ",").append(column.name);
      return out + "\n";
    }
  throw InternalError("no table " + std::string(table));
}

}  // namespace dynasoc
