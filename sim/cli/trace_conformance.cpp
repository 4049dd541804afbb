// dynasoc trace conformance: a recorded timeline against one of our governors.
#include <filesystem>
#include <optional>
#include <vector>

#include "cli/output_files.hpp"
#include "cli/table_common.hpp"
#include "cli/trace_common.hpp"
#include "common/document.hpp"
#include "common/text.hpp"
#include "manager/registry.hpp"
#include "scenario/trace/clock_check.hpp"
#include "scenario/trace/conformance.hpp"

namespace dynasoc::cli {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;
using namespace trace;
using trace::Recording;  // and not the world's
using trace::Timeline;

// `--governor NAME` with `--set parameter=value`.
manager::Choice<manager::Governor> governor_of(const Options& options) {
  const std::string name = options.get<std::string>("governor");
  const auto& registry = manager::Registry<manager::Governor>::instance();
  if (!registry.has(name))
    throw InputError("--governor " + name + ": unknown governor " + in_quotes(name) + hint(name, registry.names()));
  const auto document = Document::parse(Json{{"name", name}}.dump(), "--governor");
  if (options.has("set"))
    for (const auto& [path, value] : overrides_of(options.get<std::vector<std::string>>("set"))) {
      if (path == "name") throw InputError("--set name: --governor names it");
      document->set(path, value);
    }
  return manager::Choice<manager::Governor>::from_value(Value(document));
}

// The domain asked for, or the first of the platform that the timeline tells of: GPUs for devfreq's governors.
int domain_of_options(const Options& options, const Platform& platform, const Timeline& timeline,
                      const std::string& governor) {
  if (options.has("domain")) {
    const auto name = options.get<std::string>("domain");
    const int d = platform.domain_index(name);
    if (d < 0) throw InputError("--domain " + name + ": unknown domain" + hint(name, platform.domain_names()));
    return d;
  }
  const bool gpu = governor == "nvhost_podgov" || governor == "podgov" || governor == "simple_ondemand";
  const DomainKind wanted = gpu ? DomainKind::gpu : DomainKind::cpu;
  for (std::size_t d = 0; d < platform.file.domains.size(); ++d)
    if (platform.file.domains[d].second.kind == wanted &&
        !columns_of_domain(timeline, platform, static_cast<int>(d)).mhz.empty())
      return static_cast<int>(d);
  throw InputError({timeline.name(), 1, 0, ""}, std::string("tells of no ") + (gpu ? "GPU" : "CPU") +
                                                    " clock of the platform " + in_quotes(platform.file.name) +
                                                    "; --domain names another");
}

// The OPPs that a power mode allows.
ConformanceLimits limits_of(const Options& options, const Platform& platform, int domain) {
  const auto& [name, file] = platform.file.domains[static_cast<std::size_t>(domain)];
  ConformanceLimits out{0, static_cast<int>(file.opps_mhz.size()) - 1};
  const std::string mode_name = options.get_or<std::string>("mode", platform.file.default_mode.text);
  if (mode_name.empty() || mode_name == "none") return out;
  const ModeFile* const mode = platform.mode(mode_name);
  if (mode == nullptr)
    throw InputError("--mode " + mode_name + ": unknown power mode" + hint(mode_name, platform.mode_names()));
  const auto find = [&](const auto& list) -> std::optional<double> {
    for (const auto& [key, mhz] : list)
      if (key == name) return mhz;
    return {};
  };
  if (const auto mhz = find(mode->max_mhz))
    while (out.highest > 0 && file.opps_mhz[static_cast<std::size_t>(out.highest)] > *mhz) --out.highest;
  if (const auto mhz = find(mode->min_mhz))
    while (out.lowest < out.highest && file.opps_mhz[static_cast<std::size_t>(out.lowest)] < *mhz) ++out.lowest;
  return out;
}

}  // namespace

int trace_conformance_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc trace conformance TIMELINE.csv --governor G --platform P [options]",
      "Replays the recorded load of a clock through our governor G and compares its clocks with the recorded ones.\n"
      "TIMELINE.csv comes from `dynasoc trace import`, or is a run's timeline.csv. The replay is open loop: the "
      "governor\n"
      "sees the load that was measured at the recorded clock, and that clock as the present one.");
  options.add()("governor,g", po::value<std::string>(), "schedutil, ondemand, conservative, nvhost_podgov, …")(
      "platform,p", po::value<std::string>(), "platform file or name: operating points, modes")(
      "domain,d", po::value<std::string>(), "which clock (the first that the timeline tells of)")(
      "set,s", po::value<std::vector<std::string>>()->composing(), "a parameter of the governor: up_threshold=90")(
      "mode,m", po::value<std::string>(), "power mode whose limits held, or none (the platform's default)")(
      "settle-ms", po::value<std::string>(), "from a decision until its clock is in effect (the platform's)")(
      "utilisation", po::value<std::string>(), "column with the load, instead of the domain's")(
      "mhz", po::value<std::string>(), "column with the clock, instead of the domain's")(
      "out,o", po::value<std::string>(), "both clocks over time, a CSV file")("force,f", "replace it if it exists")(
      "min-agreement", po::value<std::string>(), "share of rows with the same OPP, below which the exit status is 1")(
      "json", "one JSON object");
  options.positional("what", 1);
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  if (!options.has("what")) throw InputError("trace conformance: which timeline?");
  for (const char* needed : {"governor", "platform"})
    if (!options.has(needed))
      throw InputError(std::string("trace conformance: which ") + needed + "? (--" + needed + ")");
  const auto choice = governor_of(options);
  const Platform platform = find_platform(options.get<std::string>("platform"));
  const double least = number_option(options, "min-agreement", 0, 0, 1);
  NamedFiles outputs, inputs{{"", options.get<std::vector<std::string>>("what").front()}};
  add_files(outputs, options, {"out"});
  add_files(inputs, options, {"platform"});
  require_different(outputs, inputs);
  const fs::path output = options.has("out") ? new_file(options, "out") : fs::path();
  const Timeline timeline = Timeline::load(options.get<std::vector<std::string>>("what").front());
  const int domain = domain_of_options(options, platform, timeline, choice.name);
  const auto& [domain_name, file] = platform.file.domains[static_cast<std::size_t>(domain)];

  RecordingColumns columns = columns_of_domain(timeline, platform, domain);
  if (options.has("utilisation")) columns.utilisation = {options.get<std::string>("utilisation")};
  if (options.has("mhz")) columns.mhz = {options.get<std::string>("mhz")};
  if (columns.utilisation.empty() || columns.mhz.empty())
    throw InputError({timeline.name(), 1, 0, ""}, "has no utilisation and clock of the domain " +
                                                      in_quotes(domain_name) +
                                                      "; --utilisation and --mhz name columns");
  const Recording recording(timeline, columns, file.opps_mhz);
  const ConformanceLimits limits = limits_of(options, platform, domain);
  const double settle_ms = number_option(options, "settle-ms", file.settle_ms, 0, 1e6);
  const auto governor = choice.make();
  const double span_ms = to_ms(recording.time(recording.rows() - 1) - recording.begin());
  constexpr double kMostSamples = 1e8;
  if (governor->period_ms() > 0 && span_ms / governor->period_ms() > kMostSamples)
    throw InputError({timeline.name(), 1, 0, ""},
                     "spans " + rounded_text(span_ms / 1e3) + " s, more than 100 million samples of " + choice.name);
  const Conformance result =
      replay(recording, *governor, file.opps_mhz, limits, std::max(file.cores, 1), from_ms(settle_ms));
  if (!output.empty()) write_file(output, result.csv(file.opps_mhz));

  std::vector<std::string> notes;
  const auto opp = [&](int index) { return number_text(file.opps_mhz[static_cast<std::size_t>(index)]); };
  if (const double gap_ms = 1e3 * recording.typical_gap_s();
      governor->period_ms() > 0 && gap_ms > governor->period_ms())
    notes.push_back("rows are " + rounded_text(gap_ms, 3) + " ms apart and the governor samples every " +
                    rounded_text(governor->period_ms(), 3) + " ms: what the load did within a row is not known");
  if (result.gaps > 0)
    notes.push_back(std::to_string(result.gaps) + " rows come more than three usual distances after the row before: " +
                    "their load is taken for all of that time, which is not known");
  if (recording.held_loads() > 0)
    notes.push_back(std::to_string(recording.held_loads()) + " rows have no load; the last one before is taken");
  if (recording.off_opps() > 0)
    notes.push_back(std::to_string(recording.off_opps()) + " rows have a clock that is no OPP of " + domain_name +
                    "; the nearest is taken");
  if (result.outside_limits > 0)
    notes.push_back(std::to_string(result.outside_limits) + " rows have a clock outside " + opp(limits.lowest) +
                    " to " + opp(limits.highest) + " MHz, which this mode allows: another --mode?");
  if (options.has("json")) {
    Json out{{"timeline", printable(timeline.name(), 4096)},
             {"governor", choice.to_json()},
             {"platform", platform.file.name},
             {"domain", domain_name},
             {"columns", {{"utilisation", columns.utilisation}, {"mhz", columns.mhz}}}};
    out.update(result.to_json(file.opps_mhz));
    out["notes"] = notes;
    console.out << out.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  } else {
    console.out << choice.name << " on " << domain_name << " of " << platform.file.name << ", " << opp(limits.lowest)
                << " to " << opp(limits.highest) << " MHz\n"
                << result.text();
    for (const std::string& note : notes) console.out << "  note: " << note << '\n';
  }
  return result.same < least ? kCheckFailed : kSuccess;
}

}  // namespace dynasoc::cli
