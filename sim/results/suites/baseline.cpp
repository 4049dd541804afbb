#include "results/suites/baseline.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "common/text.hpp"
#include "results/suites/suite.hpp"

namespace dynasoc::suite {
namespace fs = std::filesystem;
namespace {

std::optional<double> number(const Json& json) {
  return json.is_number() ? std::optional(six_digits(json.get<double>())) : std::nullopt;
}

Named<double> numbers(const Json& json) {
  Named<double> out;
  for (const auto& [name, value] : json.items())
    if (value.is_number()) out.emplace_back(name, six_digits(value.get<double>()));
  return out;
}

AppDigest app_digest(const Json& app) {
  AppDigest out;
  out.completed = number(app["completed"]);
  out.lost = six_digits(app["dropped"].get<double>() + app["rejected"].get<double>());
  out.miss_rate = number(app["miss_rate"]);
  out.latency_ms = number(app["latency_ms"]["mean"]);
  out.p99_ms = number(app["latency_ms"]["p99"]);
  out.accuracy = number(app["accuracy"]["mean"]);
  out.energy_mj_per_job = number(app["energy_mj_per_job"]);
  out.switches = number(app["subnet_switches"]);
  out.share = numbers(app["subnet_share"]);
  out.provenance = numbers(app["provenance"]);
  double waited_ms = 0, frames = 0;
  for (const auto& [level, subnet] : app["subnets"].items()) {
    const double n = subnet["completed"], service_ms = subnet["service_ms_mean"];
    out.service_ms.emplace_back(level, six_digits(service_ms));
    waited_ms += n * (subnet["latency_ms_mean"].get<double>() - service_ms);
    frames += n;
  }
  if (frames > 0) out.waiting_ms = six_digits(waited_ms / frames);
  return out;
}

void print(std::string& out, const Json& json, std::size_t indent) {
  if (!json.is_object() || json.empty()) {
    if (!json.is_array()) {
      out += json.dump();
      return;
    }
    out += "[";
    for (std::size_t i = 0; i < json.size(); ++i) out += (i > 0 ? ", " : "") + json[i].dump();
    out += "]";
    return;
  }
  out += "{";
  bool first = true;
  for (const auto& [key, value] : json.items()) {
    out += (first ? "\n" : ",\n") + std::string(indent + 2, ' ') + Json(key).dump() + ": ";
    print(out, value, indent + 2);
    first = false;
  }
  out += "\n" + std::string(indent, ' ') + "}";
}

}  // namespace

double six_digits(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", x);
  return std::strtod(text, nullptr);
}

Digest digest_of(const Json& summary) {
  Digest out;
  for (const auto& [name, app] : summary["apps"].items()) out.apps.emplace_back(name, app_digest(app));
  const Json& board = summary["platform"];
  for (const auto& [name, unit] : board["units"].items())
    out.units.emplace_back(name,
                           UnitDigest{number(unit["utilisation"]), number(unit["mean_mhz"]), number(unit["energy_j"])});
  out.board_j = number(board["energy_j"]);
  out.peak_temperature = number(board["peak_temperature_c"]);
  out.clock_changes = number(board["dvfs_transitions"]);
  out.decisions = number(board["decisions"]);
  return out;
}

fs::path baseline_path(const fs::path& suite) {
  std::string name = suite.filename().string();
  if (name.ends_with(kSuiteEnding))
    name.resize(name.size() - kSuiteEnding.size());
  else
    name = suite.stem().string();
  return suite.parent_path() / (name + std::string(kBaselineEnding));
}

std::optional<BaselineFile> load_baseline(const fs::path& path) {
  std::error_code code;
  if (!fs::exists(path, code)) return std::nullopt;
  return read<BaselineFile>(Value(Document::load(path)));
}

std::string baseline_text(const BaselineFile& baseline) {
  std::string out;
  print(out, dynasoc::to_json(baseline), 0);
  return out + "\n";
}

}  // namespace dynasoc::suite
