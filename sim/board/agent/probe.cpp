#include "probe.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "meters.hpp"

namespace dynasoc::agent {
namespace {

struct Release {
  const char* l4t;
  const char* jetpack;
};

// NVIDIA's archive of JetPack releases. One that is not here is told by its major version alone.
constexpr Release kReleases[] = {
    {"32.1", "4.2"},     {"32.2", "4.2.1"},   {"32.2.1", "4.2.2"}, {"32.2.3", "4.2.3"}, {"32.3.1", "4.3"},
    {"32.4.3", "4.4"},   {"32.4.4", "4.4.1"}, {"32.5", "4.5"},     {"32.5.0", "4.5"},   {"32.5.1", "4.5.1"},
    {"32.6.1", "4.6"},   {"32.7.1", "4.6.1"}, {"32.7.2", "4.6.2"}, {"32.7.3", "4.6.3"}, {"32.7.4", "4.6.4"},
    {"35.1", "5.0.2"},   {"35.1.0", "5.0.2"}, {"35.2.1", "5.1"},   {"35.3.1", "5.1.1"}, {"35.4.1", "5.1.2"},
    {"35.5.0", "5.1.3"}, {"35.6.0", "5.1.4"},
};

/// `# R32 (release), REVISION: 7.1, GCID: …` -> `32.7.1`; empty if it is not of that form.
std::string l4t_version(const std::string& text) {
  const std::size_t major = text.find("# R"), revision = text.find("REVISION:");
  if (major == std::string::npos || revision == std::string::npos) return {};
  const int number = std::atoi(text.c_str() + major + 3);
  const std::vector<std::string> rest = words(text.substr(revision + 9, 32));
  if (number <= 0 || rest.empty()) return {};
  std::string minor = rest[0];
  if (!minor.empty() && minor.back() == ',') minor.pop_back();
  return std::to_string(number) + "." + minor;
}

std::string jetpack_version(const std::string& l4t) {
  for (const Release& release : kReleases) {
    if (l4t == release.l4t) return release.jetpack;
  }
  const int major = std::atoi(l4t.c_str());
  if (major == 32) return "4.x";
  if (major == 34 || major == 35) return "5.x";
  if (major == 36) return "6.x";
  return {};
}

/// The part after the colon of the first line of /proc/cpuinfo that begins so.
std::string cpuinfo(const Files& files, const std::string& name) {
  std::istringstream lines(files.read("/proc/cpuinfo").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(": ");
    if (starts_with(line, name) && colon != std::string::npos) return line.substr(colon + 2);
  }
  return {};
}

Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

struct PowerModes {
  Json current;
  Json known = Json::array();
};

/// nvpmodel's: `< POWER_MODEL ID=2 NAME=MODE_15W_6CORE >` and `pmode:0002`.
PowerModes power_modes(const Files& files) {
  PowerModes modes;
  const std::string status = files.read("/var/lib/nvpmodel/status").value_or("");
  const int current = starts_with(status, "pmode:") ? std::atoi(status.c_str() + 6) : -1;
  std::istringstream lines(files.read("/etc/nvpmodel.conf").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t id = line.find(" ID="), name = line.find(" NAME=");
    if (line.empty() || line[0] == '#' || line.find("POWER_MODEL") == std::string::npos) continue;
    if (id == std::string::npos || name == std::string::npos) continue;
    std::string text = line.substr(name + 6);
    text = text.substr(0, text.find_first_of(" >"));
    modes.known.push_back(text);
    if (std::atoi(line.c_str() + id + 4) == current) modes.current = text;
  }
  if (modes.current.is_null() && current >= 0) modes.current = "mode " + std::to_string(current);
  return modes;
}

class Problems {
 public:
  void missing(const std::string& what, const std::string& remedy) { add(what, "missing", remedy); }
  void warning(const std::string& what, const std::string& remedy) { add(what, "warning", remedy); }
  const Json& list() const { return list_; }

 private:
  void add(const std::string& what, const char* severity, const std::string& remedy) {
    list_.push_back({{"what", what}, {"severity", severity}, {"remedy", remedy}});
  }
  Json list_ = Json::array();
};

void look_at_domains(const Files& files, const std::vector<Domain>& domains, Problems& problems) {
  const auto of_kind = [&](const char* kind) {
    return std::any_of(domains.begin(), domains.end(), [&](const Domain& domain) { return domain.kind == kind; });
  };
  const bool tegra = files.exists("/etc/nv_tegra_release");
  if (!of_kind("cpu")) {
    problems.missing("no cpufreq: the CPUs' clocks can be neither read nor set",
                     "on a virtual machine there is none; else load the kernel's cpufreq driver of this processor");
  }
  if (tegra && !of_kind("gpu")) {
    problems.missing("no devfreq of a GPU", "check that nvgpu is loaded (lsmod) and look into /sys/class/devfreq");
  }
  if (tegra && !files.exists("/sys/kernel/debug/bpmp")) {
    problems.warning("debugfs is not mounted or not readable: the memory's clock can be neither read nor pinned",
                     "run as root, and: sudo mount -t debugfs none /sys/kernel/debug");
  }
  for (const Domain& domain : domains) {
    if (domain.opps.empty()) {
      problems.warning(domain.name + ": the board lists no frequencies: its clock cannot be set",
                       "look into " + files.full(domain.path));
    } else if (!domain.has_list) {
      problems.warning(domain.name +
                           ": the board lists no frequencies: only the lowest, the highest and those of its "
                           "power modes can be set",
                       domain.kind == "cpu" ? "take a cpufreq driver with a list (intel_pstate=passive on x86)"
                                            : "mount debugfs and run as root");
    }
    if (!writable(files, domain)) {
      problems.warning(domain.name + ": its clock cannot be set by this user", "run the agent as root (sudo)");
    }
  }
}

}  // namespace

Json identity_json(const Files& files) {
  std::string model = files.read("/proc/device-tree/model").value_or("");
  if (model.empty()) model = files.read("/sys/class/dmi/id/product_name").value_or("");
  if (model.empty()) model = cpuinfo(files, "model name");

  // A list of names with NULs between, the most general one last: `nvidia,tegra194`.
  std::string soc = files.read("/proc/device-tree/compatible").value_or("");
  soc = soc.substr(soc.rfind('\0') + 1);
  soc = soc.substr(soc.rfind(',') + 1);
  if (soc.empty()) soc = cpuinfo(files, "model name");

  std::string kernel = files.read("/proc/sys/kernel/osrelease").value_or("");
  if (kernel.empty()) {
    const std::vector<std::string> parts = words(files.read("/proc/version").value_or(""));
    if (parts.size() > 2) kernel = parts[2];  // Linux version 4.9.253-tegra …
  }
  utsname system{};
  const bool known = ::uname(&system) == 0;
  const std::string l4t = l4t_version(files.read("/etc/nv_tegra_release").value_or(""));
  return {{"model", or_null(model)}, {"soc", or_null(soc)},       {"jetpack", or_null(jetpack_version(l4t))},
          {"l4t", or_null(l4t)},     {"kernel", or_null(kernel)}, {"machine", known ? Json(system.machine) : Json()}};
}

bool all_pinned(const Files& files, const std::vector<Domain>& domains) {
  bool any = false;
  for (const Domain& domain : domains) {
    if (domain.opps.size() < 2) continue;
    const Limits limits = read_limits(files, domain);
    if (limits.low < 0 || limits.low != limits.high) return false;
    any = true;
  }
  return any;
}

std::string unpin_remedy() {
  return "undo it with `sudo jetson_clocks --restore` (if --store was used before), or by a restart of the board";
}

Json probe_json(const Files& files, std::size_t unrestored) {
  const std::vector<Domain> domains = find_domains(files);
  const std::vector<RailSource> rails = find_rails(files);
  const std::vector<ThermalZone> zones = find_zones(files);
  const PowerModes modes = power_modes(files);
  Problems problems;
  Json answer{
      {"cpus", Json::array()}, {"domains", Json::array()}, {"rails", Json::array()}, {"thermal", Json::array()}};

  std::vector<int> offline;
  for (const Cpu& cpu : find_cpus(files, domains)) {
    if (!cpu.online) offline.push_back(cpu.id);
    answer["cpus"].push_back(
        {{"cpu", cpu.id}, {"online", cpu.online}, {"hotplug", cpu.hotplug}, {"policy", or_null(cpu.policy)}});
  }
  for (const Domain& domain : domains) answer["domains"].push_back(domain_json(files, domain));
  for (const RailSource& rail : rails) {
    const auto power_w = read_power_w(files, rail);
    answer["rails"].push_back({{"name", rail.label},
                               {"kind", rail.kind},
                               {"label", rail.label},
                               {"path", files.full(rail.path)},
                               {"power_w", power_w ? Json(*power_w) : Json()}});
    if (!power_w && !files.read(rail.path)) {
      problems.warning("rail " + rail.label + ": cannot be read by this user", "run the agent as root (sudo)");
    }
  }
  for (const ThermalZone& zone : zones) {
    const auto temperature_c = read_temperature_c(files, zone);
    answer["thermal"].push_back({{"zone", zone.zone},
                                 {"type", zone.type},
                                 {"temperature_c", temperature_c ? Json(*temperature_c) : Json()},
                                 {"trips", trips_json(files, zone)}});
  }
  answer["modes"] = {{"current", modes.current}, {"known", modes.known}};

  look_at_domains(files, domains, problems);
  if (rails.empty()) {
    problems.missing(
        "no power rails: neither ina3221x nor hwmon nor powercap",
        "on a Jetson check that the INA3221 driver is loaded; else measure with a meter outside the board");
  }
  if (zones.empty()) {
    problems.missing("no thermal zones: temperatures are not watched", "watch the board's temperature by other means");
  }
  if (!offline.empty()) {
    problems.warning("CPUs " + cpu_list_text(offline) +
                         " are offline; their clock policies are not listed if all of "
                         "their CPUs are",
                     modes.known.empty() ? "echo 1 | sudo tee /sys/devices/system/cpu/cpuN/online"
                                         : "take a power mode with more CPUs (sudo nvpmodel -m ID)");
  }
  if (all_pinned(files, domains)) {
    problems.warning("all clocks are pinned, as by jetson_clocks: `set` will be refused", unpin_remedy());
  }
  if (unrestored > 0) {
    problems.warning(std::to_string(unrestored) + " knobs of an earlier session could not be restored",
                     "dynasoc-agent restore tells which, and the command to type");
  }
  answer["problems"] = problems.list();
  return answer;
}

}  // namespace dynasoc::agent
