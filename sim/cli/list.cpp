// dynasoc list: everything a scenario may name.
#include <iostream>

#include "cli/options.hpp"
#include "manager/governor.hpp"
#include "manager/policy.hpp"

namespace dynasoc::cli {
namespace {

template <class Interface>
void list_registered(bool json, Json& all) {
  const auto& registry = manager::Registry<Interface>::instance();
  for (const std::string& name : registry.names()) {
    const manager::Entry& entry = registry.entry(name);
    if (json) {
      all.push_back(
          {{"name", name}, {"doc", entry.doc}, {"source", entry.source}, {"parameters", entry.schema["properties"]}});
      continue;
    }
    std::cout << name << ": " << entry.doc << "\n    source: " << entry.source << "\n";
    for (const auto& [key, parameter] : entry.schema["properties"].items()) {
      if (key == "comment") continue;
      std::cout << "    " << key << (parameter.contains("default") ? " = " + parameter["default"].dump() : "");
      for (const char* bound : {"minimum", "exclusiveMinimum", "maximum"})
        if (parameter.contains(bound)) std::cout << ", " << bound << " " << parameter[bound].dump();
      if (parameter.contains("enum")) std::cout << ", one of " << parameter["enum"].dump();
      std::cout << ": " << parameter.value("description", "") << "\n";
    }
  }
}

void list_names(const std::vector<std::string>& names, bool json, Json& all) {
  for (const std::string& name : names) {
    if (json)
      all.push_back({{"name", name}});
    else
      std::cout << name << "\n";
  }
}

struct Metric {
  const char* name;  // where it stands in `run --json`; APP, UNIT and LEVEL stand for names
  const char* unit;
  const char* doc;
};

constexpr Metric kMetrics[] = {
    {"apps.APP.jobs", "", "frames that arrived after the warm-up"},
    {"apps.APP.completed", "", "frames whose result came"},
    {"apps.APP.dropped", "", "frames given up while they waited"},
    {"apps.APP.rejected", "", "frames that a manager did not admit"},
    {"apps.APP.missed", "", "completed after their deadline"},
    {"apps.APP.miss_rate", "", "missed, dropped and rejected frames over those and the completed ones"},
    {"apps.APP.latency_ms.mean", "ms", "from arrival to result"},
    {"apps.APP.latency_ms.p50", "ms", "its median"},
    {"apps.APP.latency_ms.p90", "ms", "its 90th percentile"},
    {"apps.APP.latency_ms.p99", "ms", "its 99th percentile"},
    {"apps.APP.latency_ms.max", "ms", "the longest"},
    {"apps.APP.accuracy.mean", "the network's metric", "over completed frames, each by the sub-network that served it"},
    {"apps.APP.energy_mj_per_job", "mJ", "above the idle board, switches of sub-network included"},
    {"apps.APP.subnet_switches", "", "changes of sub-network"},
    {"apps.APP.subnet_share.LEVEL", "", "share of completed frames that a sub-network served"},
    {"platform.energy_j", "J", "of the board, mean over replications"},
    {"platform.static_energy_j", "J", "of what is not a unit"},
    {"platform.mean_power_w", "W", "of the board"},
    {"platform.units.UNIT.utilisation", "", "share of the time in which anything ran"},
    {"platform.units.UNIT.energy_j", "J", "of the unit"},
    {"platform.units.UNIT.mean_mhz", "MHz", "its clock, over time"},
    {"platform.peak_temperature_c", "°C", "of the hottest node; null without a thermal network"},
    {"platform.dvfs_transitions", "", "changes of clock"},
    {"platform.decisions", "", "knobs that the manager wrote"},
    {"provenance.measured", "", "share of completed frames whose latency was measured"},
    {"provenance.digitised", "", "share whose latency was read off a figure"},
    {"provenance.derived", "", "share whose latency was computed by a declared model"},
};

void list_metrics(bool json, Json& all) {
  for (const Metric& metric : kMetrics) {
    if (json)
      all.push_back({{"name", metric.name}, {"unit", metric.unit}, {"doc", metric.doc}});
    else
      std::cout << metric.name << ": " << metric.doc << (*metric.unit ? std::string(" [") + metric.unit + "]" : "")
                << "\n";
  }
}

}  // namespace

int list_command(const Arguments& arguments) {
  static const std::vector<std::string> kKinds{"policies",  "governors", "networks", "platforms",
                                               "scenarios", "traces",    "metrics"};
  Options options("dynasoc list policies|governors|networks|platforms|scenarios|traces|metrics",
                  "Lists what a scenario may name, and what a run reports.");
  options.positional("kind", 1);
  options.add()("json", "print a JSON array");
  options.parse(arguments);
  if (options.asked_for_help()) return kSuccess;
  if (!options.has("kind")) throw InputError("list what?" + hint("", kKinds));
  const std::string kind = options.get<std::vector<std::string>>("kind")[0];
  const bool json = options.has("json");
  Json all = Json::array();
  const DataPaths paths;
  if (kind == "policies")
    list_registered<manager::Policy>(json, all);
  else if (kind == "governors")
    list_registered<manager::Governor>(json, all);
  else if (kind == "networks")
    list_names(paths.networks(), json, all);
  else if (kind == "platforms")
    list_names(paths.platforms(), json, all);
  else if (kind == "scenarios")
    list_names(paths.scenarios(), json, all);
  else if (kind == "traces")
    list_names(paths.traces(), json, all);
  else if (kind == "metrics")
    list_metrics(json, all);
  else
    throw InputError("list: unknown kind " + in_quotes(kind) + hint(kind, kKinds));
  if (json) std::cout << all.dump(2) << "\n";
  return kSuccess;
}

}  // namespace dynasoc::cli
