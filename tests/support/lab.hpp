// A board, a network and scenarios made up for a test, in round figures that can be worked by hand.
//
// The board has a `gpu` (250, 500, 1000 MHz) and a `cpu` of four cores (500, 1000, 2000 MHz). Nothing on it takes time
// that a test does not ask for: no stall, no settling, no thermal network, no contention. The network's latencies
// follow the clocks exactly and do not vary:
//            L1 (70 %)   L2 (75 %)   L3 (80 %)
//   gpu       10 ms       20 ms       40 ms      at 1000 MHz, twice that at 500, four times at 250
//   cpu       30 ms       60 ms      120 ms      at 2000 MHz, twice that at 1000, four times at 500; 4 cores
// Power [W], idle and busy: gpu 2 and 12, 7, 4 (from the highest clock down); cpu 1 and 5, 3, 2; everything else 3.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/document.hpp"
#include "scenario/scenario.hpp"
#include "support/temporary_folder.hpp"
#include "world/run.hpp"

namespace dynasoc::test {

inline Json parse_json(const std::string& text) { return Json::parse(text); }

class Lab {
 public:
  Lab() {
    board = parse_json(R"({
      "name": "board",
      "domains": {
        "gpu": {"kind": "gpu", "opps_mhz": [250, 500, 1000]},
        "cpu": {"kind": "cpu", "opps_mhz": [500, 1000, 2000], "cores": 4}
      },
      "units": {
        "gpu": {"domains": ["gpu"], "power": [
          {"mhz": 250, "idle_w": 2, "busy_w": 4, "provenance": "derived", "source": "made up"},
          {"mhz": 500, "idle_w": 2, "busy_w": 7, "provenance": "derived", "source": "made up"},
          {"mhz": 1000, "idle_w": 2, "busy_w": 12, "provenance": "derived", "source": "made up"}]},
        "cpu": {"domains": ["cpu"], "power": [
          {"mhz": 500, "idle_w": 1, "busy_w": 2, "provenance": "derived", "source": "made up"},
          {"mhz": 1000, "idle_w": 1, "busy_w": 3, "provenance": "derived", "source": "made up"},
          {"mhz": 2000, "idle_w": 1, "busy_w": 5, "provenance": "derived", "source": "made up"}]}
      },
      "static_power_w": 3
    })");
    network = parse_json(R"({
      "name": "net",
      "accuracy_metric": "made-up accuracy [%]",
      "subnets": [{"accuracy": 70}, {"accuracy": 75}, {"accuracy": 80}],
      "switch_cost": {"time_ms": 0, "energy_mj": 0, "provenance": "derived", "source": "made up"},
      "tables": {"table": {"file": "table.csv", "platform": "board"}}
    })");
    const double gpu_ms[] = {10, 20, 40}, cpu_ms[] = {30, 60, 120};
    for (int subnet = 0; subnet < 3; ++subnet)
      for (int halvings = 0; halvings < 3; ++halvings) {
        cell({"L" + std::to_string(subnet + 1), "gpu", 1000.0 / (1 << halvings), gpu_ms[subnet] * (1 << halvings)});
        cell({"L" + std::to_string(subnet + 1), "cpu", 2000.0 / (1 << halvings), cpu_ms[subnet] * (1 << halvings)});
      }
  }

  struct CellText {
    std::string subnet, unit;
    double mhz = 0;
    double latency_ms = 0;
    std::string latency_ms_std = {};
    std::string power_w = {}, idle_power_w = {};
  };
  void cell(const CellText& c) {
    const std::string mhz = std::to_string(c.mhz);
    table += c.subnet + "," + c.unit + "," + (c.unit == "cpu" ? "4," + mhz + ",," : ",," + mhz + ",") + "," +
             std::to_string(c.latency_ms) + "," + c.latency_ms_std + "," + c.power_w + "," + c.idle_power_w +
             ",derived,made up," + (c.power_w.empty() ? ",\n" : "derived,made up\n");
  }
  void clear_table() {
    table =
        "subnet,unit,cores,f_cpu_mhz,f_gpu_mhz,f_emc_mhz,latency_ms_mean,latency_ms_std,power_w,idle_power_w,"
        "provenance,source,energy_provenance,energy_source\n";
  }

  /// Loads a scenario on this board with this network; `platform` and each application's `network` are filled in.
  Scenario load(Json scenario) const {
    folder_.write("board.json", board.dump());
    folder_.write("net/network.json", network.dump());
    folder_.write("net/table.csv", table);
    if (!scenario.contains("platform")) scenario["platform"] = "board.json";
    for (auto& [name, app] : scenario["applications"].items())
      if (!app.contains("network")) app["network"] = "net/network.json";
    return load_scenario(Document::parse(scenario.dump(1), "scenario.json"), folder_.path());
  }
  Scenario load(const std::string& scenario) const { return load(parse_json(scenario)); }
  Scenario load(const char* scenario) const { return load(parse_json(scenario)); }

  static Recording everything() { return {.jobs = true, .decisions = true, .timeline_period = 0}; }

  template <class Text>
  RunRecord run(const Text& scenario, const Recording& recording = everything(), std::uint64_t replication = 0) const {
    const Scenario loaded = load(scenario);
    return simulate(*loaded.setup, recording, EngineKind::native, replication);
  }

  /// A file beside the scenario (a trace, a log of ratios).
  void write(const std::string& name, const std::string& text) const { folder_.write(name, text); }

  /// Arrival times as a trace file, for applications with `{"kind": "trace", "file": NAME}`.
  void write_trace(const std::string& name, const std::vector<double>& arrivals_ms) const {
    std::string text = "arrival_s\n";
    for (const double ms : arrivals_ms) text += number(ms * 1e-3) + "\n";
    folder_.write(name, text);
  }
  void write_ratios(const std::string& name, const std::vector<double>& ratios) const {
    std::string text = "ratio\n";
    for (const double ratio : ratios) text += number(ratio) + "\n";
    folder_.write(name, text);
  }

  const std::filesystem::path& folder() const { return folder_.path(); }

  Json board;
  Json network;
  std::string table =
      "subnet,unit,cores,f_cpu_mhz,f_gpu_mhz,f_emc_mhz,latency_ms_mean,latency_ms_std,power_w,idle_power_w,"
      "provenance,source,energy_provenance,energy_source\n";

 private:
  static std::string number(double x) {
    char text[40];
    std::snprintf(text, sizeof text, "%.17g", x);
    return text;
  }
  TemporaryFolder folder_;
};

/// One application's jobs, in the order of their numbers.
inline std::vector<JobRecord> jobs_of(const RunRecord& record, std::size_t app = 0) {
  std::map<std::uint32_t, JobRecord> sorted;
  for (std::size_t i = 0; i < record.jobs.size(); ++i)
    if (record.jobs[i].app == app) sorted.emplace(record.jobs[i].job, record.jobs[i]);
  std::vector<JobRecord> out;
  for (const auto& [number, job] : sorted) out.push_back(job);
  return out;
}

/// `arrival>start-end outcome` of each job, in ms: short enough to write down in a test what should happen.
inline std::string story_of(const RunRecord& record, std::size_t app = 0) {
  const auto ms = [](Time t) {
    if (t == kNoTime) return std::string("?");
    char text[40];
    std::snprintf(text, sizeof text, "%.6g", to_ms(t));
    return std::string(text);
  };
  std::string out;
  for (const JobRecord& job : jobs_of(record, app)) {
    if (!out.empty()) out += ", ";
    out += ms(job.arrival) + ">";
    if (job.start != kNoTime) out += ms(job.start) + "-" + ms(job.end) + " ";
    out += name_of(job.outcome);
  }
  return out;
}

}  // namespace dynasoc::test
