#include "board/probe.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

#include "common/error.hpp"
#include "common/outside.hpp"
#include "common/text.hpp"

namespace dynasoc::board {
namespace {

std::string text_of(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

// A CPU's number as the kernel counts them.
int cpu_number(const Json& json) {
  constexpr int kMostCpus = 4096;
  const double x = json.is_number() ? json.get<double>() : -1;
  if (!(x >= 0 && x < kMostCpus && x == std::floor(x)))
    throw OutsideError("the agent does not keep to the protocol: " + one_line(in_quotes(json.dump())) + " is no CPU");
  return static_cast<int>(x);
}

std::vector<int> cpu_numbers(const Json& domain) {
  std::vector<int> out;
  for (const Json& cpu : domain.value("cpus", Json::array())) out.push_back(cpu_number(cpu));
  return out;
}

bool contains_word(const std::string& label, std::string_view word) {
  std::string upper = label;
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
  return upper.find(word) != std::string::npos;
}

Json no_power(double mhz) {
  return Json::array({{{"mhz", mhz},
                       {"idle_w", 0},
                       {"busy_w", 0},
                       {"provenance", "derived"},
                       {"source", "not measured yet, 0 stands for it: `dynasoc board profile` measures it"}}});
}

}  // namespace

std::string identity_of(const Json& board) {
  std::string out = text_of(board, "model");
  for (const char* key : {"soc", "jetpack", "l4t", "kernel", "machine"}) {
    const std::string value = text_of(board, key);
    if (value.empty()) continue;
    const std::string label = std::string_view(key) == "jetpack" ? "JetPack "
                              : std::string_view(key) == "l4t"   ? "L4T "
                                                                 : "";
    out += (out.empty() ? "" : ", ") + label + value;
  }
  return out.empty() ? "unknown board" : out;
}

std::string platform_name_of(const Json& probe) {
  std::string out;
  for (const char c : text_of(probe.value("board", Json::object()), "model")) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (plain)
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out.empty() ? "board" : out;
}

namespace {

ProbedPlatform made_of(const Json& probe, const std::string& name) {
  ProbedPlatform out;
  Json& platform = out.platform;
  const std::string identity = identity_of(probe.value("board", Json::object()));
  platform = {{"name", name},
              {"title", identity},
              {"source", "read from the board by `dynasoc board probe`; edit what it could not know"},
              {"domains", Json::object()},
              {"units", Json::object()}};
  Json board = {{"identity", identity},
                {"domains", Json::object()},
                {"units", Json::object()},
                {"rails", Json::object()},
                {"thermal", Json::object()}};

  // CPU policies that may run at the same clocks are one unit; clusters that differ are units of their own.
  std::map<std::vector<double>, std::vector<std::string>> alike;
  std::map<std::string, std::vector<int>> cpus_of;
  std::string gpu, emc;
  for (const Json& domain : probe.value("domains", Json::array())) {
    const std::string domain_name = text_of(domain, "name"), kind = text_of(domain, "kind");
    auto opps = domain.value("opps_mhz", std::vector<double>{});
    if (opps.empty()) {
      out.notes.push_back(domain_name + " lists no operating points and is left out");
      continue;
    }
    std::sort(opps.begin(), opps.end());
    Json entry = {{"kind", kind}, {"opps_mhz", opps}};
    if (kind == "cpu") {
      cpus_of[domain_name] = cpu_numbers(domain);
      entry["cores"] = cpus_of[domain_name].size();
      alike[opps].push_back(domain_name);
      board["domains"][domain_name] = {{"policy", domain_name}};
    } else if (kind == "gpu") {
      const std::string path = text_of(domain, "path");
      board["domains"][domain_name] = {{"devfreq", path.substr(path.find_last_of('/') + 1)}};
      gpu = domain_name;
    } else {
      board["domains"][domain_name] = {{"emc", true}};
      emc = domain_name;
    }
    std::string governor = text_of(domain, "governor");
    entry["governor"] = governor.empty() || kind == "memory" ? "performance" : governor;
    entry["source"] = "the board's own list; " + (governor.empty() ? std::string("it names no governor")
                                                                   : "governor in force when it was read: " + governor);
    platform["domains"][domain_name] = std::move(entry);
  }
  if (platform["domains"].empty())
    throw InputError("the board lists no clock with operating points; nothing can be set or modelled");

  int cpus = 0;
  for (const Json& cpu : probe.value("cpus", Json::array()))
    cpus = std::max(cpus, cpu_number(cpu.value("cpu", Json())) + 1);
  std::vector<int> used;
  for (const auto& [opps, domains] : alike) {
    const std::string unit = alike.size() == 1 ? "cpu" : domains[0];
    std::vector<int> own;
    for (const std::string& domain : domains) own.insert(own.end(), cpus_of[domain].begin(), cpus_of[domain].end());
    std::sort(own.begin(), own.end());
    used.insert(used.end(), own.begin(), own.end());
    platform["units"][unit] = {{"domains", domains}, {"discipline", "fair"}, {"power", no_power(opps.back())}};
    if (!emc.empty()) platform["units"][unit]["memory_domain"] = emc;
    board["units"][unit] = {{"cpus", own}, {"executor", "onednn"}, {"threads", 0}};
  }
  int sampler = -1;
  for (int cpu = 0; cpu < cpus && sampler < 0; ++cpu)
    if (std::find(used.begin(), used.end(), cpu) == used.end()) sampler = cpu;
  if (sampler < 0 && used.size() >= 3) {
    for (auto& [unit, entry] : board["units"].items()) {
      auto own = entry["cpus"].get<std::vector<int>>();
      if (own.size() < 3 || own[0] != 0) continue;
      own.erase(own.begin());
      entry["cpus"] = own;
      sampler = 0;
      out.notes.push_back("CPU 0 is kept for the agent and its power sampling: inferences of unit " + unit +
                          " run on the others (edit board.units." + unit + ".cpus)");
    }
  }
  if (sampler >= 0)
    board["sampler_cpu"] = sampler;
  else
    out.notes.push_back("no CPU is free of inferences: power sampling beside them slows them down by some percent");
  if (!gpu.empty()) {
    const auto top = platform["domains"][gpu]["opps_mhz"].back().get<double>();
    platform["units"]["gpu"] = {{"domains", {gpu}}, {"discipline", "fair"}, {"power", no_power(top)}};
    if (!alike.empty()) platform["units"]["gpu"]["host_domain"] = alike.begin()->second[0];
    if (!emc.empty()) platform["units"]["gpu"]["memory_domain"] = emc;
    const int host = used.empty() ? 0 : used.back();
    board["units"]["gpu"] = {{"cpus", {host}}, {"executor", "tensorrt"}, {"threads", 1}};
  }

  std::vector<std::string> units;
  for (const auto& [unit, unused] : platform["units"].items()) units.push_back(unit);
  Json rails = Json::object();
  for (const Json& rail : probe.value("rails", Json::array())) {
    const std::string label = text_of(rail, "label").empty() ? text_of(rail, "name") : text_of(rail, "label");
    if (label.empty() || rails.contains(label)) continue;
    std::vector<std::string> fed;
    const bool whole = contains_word(label, "VDD_IN") || contains_word(label, "POM_5V_IN");
    for (const std::string& unit : units) {
      const bool is_gpu = unit == "gpu";
      if (whole || contains_word(label, is_gpu ? "GPU" : "CPU")) fed.push_back(unit);
    }
    rails[label] = {
        {"units", fed}, {"static_power", whole}, {"note", whole ? "the whole board" : "guessed from its label"}};
    board["rails"][label] = label;
  }
  if (!rails.empty()) {
    std::vector<std::string> names;
    for (const auto& [rail, unused] : rails.items()) names.push_back(rail);
    platform["rails"] = rails;
    platform["sensors"] = {{"meters",
                            {{"rails", names},
                             {"period_ms", 100},
                             {"source", "how often a manager reads; the agent samples at board.sample_hz"}}}};
    out.notes.push_back("which units a rail feeds was guessed from its label: check \"rails\"");
  } else {
    out.notes.push_back("no power sensor was found: energies will be the model's, not measured");
  }
  for (const Json& zone : probe.value("thermal", Json::array())) {
    const std::string type = text_of(zone, "type");
    const bool cpu = contains_word(type, "CPU"), is_gpu = contains_word(type, "GPU");
    if (!cpu && !is_gpu) continue;
    double limit_c = 95;
    for (const Json& trip : zone.value("trips", Json::array()))
      if (text_of(trip, "type") == "critical") limit_c = std::max(0.0, trip.value("temperature_c", 100.0) - 5);
    board["thermal"][cpu ? "cpu" : "gpu"] = {{"type", type}, {"limit_c", std::min(limit_c, 95.0)}};
  }
  out.notes.push_back("powers are not known yet: `dynasoc board profile` measures them");
  platform["board"] = std::move(board);
  return out;
}

}  // namespace

ProbedPlatform platform_of(const Json& probe, const std::string& name) {
  try {
    return made_of(probe, name);
  } catch (const Json::exception& error) {
    throw OutsideError(std::string("the agent does not keep to the protocol: ") + error.what());
  }
}

std::string probe_text(const Json& probe, const ProbedPlatform& made) {
  std::string out = "  " + identity_of(probe.value("board", Json::object())) + "\n";
  const auto list = [](const Json& numbers) {
    if (numbers.empty()) return std::string("none listed");
    return std::to_string(numbers.size()) + " from " + rounded_text(numbers.front().get<double>(), 5) + " to " +
           rounded_text(numbers.back().get<double>(), 5) + " MHz";
  };
  out += "\n  clock   operating points                now MHz   governor        may be set\n";
  for (const Json& domain : probe.value("domains", Json::array())) {
    const auto padded = [](std::string text, std::size_t width) {
      text.resize(std::max(width, text.size()), ' ');
      return text;
    };
    out +=
        "  " + padded(text_of(domain, "name"), 7) + " " + padded(list(domain.value("opps_mhz", Json::array())), 31) +
        " " +
        padded(domain.contains("mhz") && domain["mhz"].is_number() ? rounded_text(domain["mhz"].get<double>(), 5) : "-",
               9) +
        " " + padded(text_of(domain, "governor"), 15) + " " + (domain.value("writable", false) ? "yes" : "NO") + "\n";
  }
  std::string rails, zones;
  for (const Json& rail : probe.value("rails", Json::array()))
    rails += (rails.empty() ? "" : ", ") + text_of(rail, "label") +
             (rail.contains("power_w") && rail["power_w"].is_number()
                  ? " " + rounded_text(rail["power_w"].get<double>(), 3) + " W"
                  : "");
  for (const Json& zone : probe.value("thermal", Json::array()))
    zones += (zones.empty() ? "" : ", ") + text_of(zone, "type") +
             (zone.contains("temperature_c") && zone["temperature_c"].is_number()
                  ? " " + rounded_text(zone["temperature_c"].get<double>(), 3) + " C"
                  : "");
  out += "\n  rails   " + (rails.empty() ? "none" : rails) + "\n  zones   " + (zones.empty() ? "none" : zones) + "\n";
  const Json modes = probe.value("modes", Json::object());
  if (const Json current = modes.value("current", Json()); !current.is_null())
    out += "  mode    " + (current.is_string() ? current.get<std::string>() : current.dump()) + "\n";
  for (const Json& problem : probe.value("problems", Json::array()))
    out += "\n  " + text_of(problem, "severity") + ": " + text_of(problem, "what") + "\n    " +
           text_of(problem, "remedy") + "\n";
  for (const std::string& note : made.notes) out += "\n  note: " + note;
  return out + "\n";
}

}  // namespace dynasoc::board
