// dynasoc list: everything a scenario may name.

#include "cli/options.hpp"
#include "manager/governor.hpp"
#include "manager/policy.hpp"
#include "results/columns.hpp"
#include "results/metrics.hpp"

namespace dynasoc::cli {
namespace {

template <class Interface>
void list_registered(Console& console, bool json, Json& all) {
  const auto& registry = manager::Registry<Interface>::instance();
  for (const std::string& name : registry.names()) {
    const manager::Entry& entry = registry.entry(name);
    if (json) {
      all.push_back(
          {{"name", name}, {"doc", entry.doc}, {"source", entry.source}, {"parameters", entry.schema["properties"]}});
      continue;
    }
    console.out << name << ": " << entry.doc << "\n    source: " << entry.source << "\n";
    for (const auto& [key, parameter] : entry.schema["properties"].items()) {
      if (key == "comment") continue;
      console.out << "    " << key << (parameter.contains("default") ? " = " + parameter["default"].dump() : "");
      for (const char* bound : {"minimum", "exclusiveMinimum", "maximum"})
        if (parameter.contains(bound)) console.out << ", " << bound << " " << parameter[bound].dump();
      if (parameter.contains("enum")) console.out << ", one of " << parameter["enum"].dump();
      console.out << ": " << parameter.value("description", "") << "\n";
    }
  }
}

void list_names(Console& console, const std::vector<std::string>& names, bool json, Json& all) {
  for (const std::string& name : names) {
    if (json)
      all.push_back({{"name", name}});
    else
      console.out << name << "\n";
  }
}

void list_metrics(Console& console, bool json, Json& all) {
  for (const Metric& metric : metric_table()) {
    if (json) {
      all.push_back({{"name", metric.name},
                     {"unit", metric.unit},
                     {"better", name_of(metric.better)},
                     {"doc", metric.doc},
                     {"source", metric.source},
                     {"in_run", metric.in_run}});
      continue;
    }
    console.out << metric.name << ": " << metric.doc;
    if (!metric.unit.empty()) console.out << " [" << metric.unit << "]";
    if (metric.better != Better::neither) console.out << "; " << name_of(metric.better) << " is better";
    console.out << "\n";
    if (!metric.source.empty()) console.out << "    source: " << metric.source << "\n";
  }
}

void list_columns(Console& console, bool json, Json& all) {
  for (const LogTable& table : log_tables()) {
    if (!json) console.out << table.name << ".csv: " << table.doc << "\n";
    Json columns = Json::array();
    for (const Column& column : table.columns) {
      columns.push_back({{"name", column.name}, {"type", column.type}, {"unit", column.unit}, {"doc", column.doc}});
      if (json) continue;
      console.out << "    " << column.name;
      if (!column.unit.empty()) console.out << " [" << column.unit << "]";
      console.out << ": " << column.doc << "\n";
    }
    if (json) all.push_back({{"name", table.name}, {"doc", table.doc}, {"columns", columns}});
  }
}

}  // namespace

int list_command(const Arguments& arguments, Console& console) {
  static const std::vector<std::string> kKinds{"policies",  "governors", "networks", "platforms",
                                               "scenarios", "traces",    "metrics",  "columns"};
  Options options("dynasoc list policies|governors|networks|platforms|scenarios|traces|metrics|columns",
                  "Lists what a scenario may name, and what a run reports.");
  options.positional("kind", 1);
  options.add()("json", "print a JSON array");
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  if (!options.has("kind")) throw InputError("list what?" + hint("", kKinds));
  const std::string kind = options.get<std::vector<std::string>>("kind")[0];
  const bool json = options.has("json");
  Json all = Json::array();
  const DataPaths paths;
  if (kind == "policies")
    list_registered<manager::Policy>(console, json, all);
  else if (kind == "governors")
    list_registered<manager::Governor>(console, json, all);
  else if (kind == "networks")
    list_names(console, paths.networks(), json, all);
  else if (kind == "platforms")
    list_names(console, paths.platforms(), json, all);
  else if (kind == "scenarios")
    list_names(console, paths.scenarios(), json, all);
  else if (kind == "traces")
    list_names(console, paths.traces(), json, all);
  else if (kind == "metrics")
    list_metrics(console, json, all);
  else if (kind == "columns")
    list_columns(console, json, all);
  else
    throw InputError("list: unknown kind " + in_quotes(kind) + hint(kind, kKinds));
  if (json) console.out << all.dump(2) << "\n";
  return kSuccess;
}

}  // namespace dynasoc::cli
