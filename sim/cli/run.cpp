// dynasoc run: simulate a scenario (or re-run a manifest).
#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <optional>

#include "cli/options.hpp"
#include "cli/output_files.hpp"
#include "common/outside.hpp"
#include "common/text.hpp"
#include "results/comparison.hpp"
#include "results/output.hpp"
#include "results/summary.hpp"
#include "results/why.hpp"

namespace dynasoc::cli {
namespace po = boost::program_options;

int run_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc run SCENARIO [options]",
      "Simulates a scenario file, or a run's manifest.json again. Prints a summary; with --out, writes jobs.csv,\n"
      "decisions.csv, candidates.csv, timeline.csv, trace.json (for Perfetto), summary.json and manifest.json.");
  options.positional("scenario", 1);
  options.add()("seed", po::value<std::string>(), "seed of all random streams (default: the scenario's)")(
      "replications", po::value<std::string>(), "independent repetitions (default: the scenario's)")(
      "engine", po::value<std::string>(), "native (default) or simgrid")(
      "policy", po::value<std::string>(),
      "manager in place of the scenario's: an entry of `dynasoc compare --policies`, or a file with a policy (a "
      "trained "
      "one, say)")("set", po::value<std::vector<std::string>>()->composing(),
                   "path=value: change any field of the scenario; repeatable")("out", po::value<std::string>(),
                                                                               "directory for the results")(
      "sample-power",
      "each replication draws the board's powers from their "
      "stated uncertainty; energies get an interval")("force", "overwrite results in --out")(
      "why", po::value<std::string>()->implicit_value("40"),
      "print the manager's decisions with reasons, binding constraints, slack and candidates: the first N (default 40) "
      "of "
      "replication 0")("json", "print one JSON object and nothing else")("quiet", "print nothing but errors")(
      "sample-latency",
      "draw in each replication how far modelled latencies are off, from their prediction intervals (the same as --set "
      "sample_latency=true)")("jobs", po::value<std::string>(),
                              "replications run at once (default: the machine's cores)")(
      "records", po::value<std::string>(),
      "file for everything that the replications recorded, in a form that only this build of the program reads");
  options.add()(
      "trace-s", po::value<std::string>(),
      "how much of the run trace.json shows, in simulated seconds from its begin (default: all; 0: no trace.json)");
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  if (!options.has("scenario")) throw InputError("a scenario is missing; usage: dynasoc run SCENARIO [options]");

  RunRequest request;
  request.command_line = arguments;
  const std::filesystem::path path = scenario_path(options.get<std::vector<std::string>>("scenario")[0]);
  Overrides overrides = overrides_of(options.get_or<std::vector<std::string>>("set", {}));
  if (options.has("sample-power")) overrides.emplace_back("sample_power", "true");
  if (options.has("sample-latency")) overrides.emplace_back("sample_latency", "true");

  auto document = Document::load(path);
  const bool again = is_manifest(document->root());
  const auto load = [&] {
    return again ? load_manifest(document, path, overrides, request) : load_scenario(path, overrides);
  };
  Scenario scenario = load();
  if (options.has("policy")) {
    for (const auto& change : overrides_of(scenario, contender_of(scenario, options.get<std::string>("policy"))))
      overrides.push_back(change);
    scenario = load();
  }
  if (!again) {
    request.seed = scenario.setup->seed;
    request.replications = scenario.file.replications;
  }
  request.seed = static_cast<std::uint64_t>(
      whole_number(options, "seed", static_cast<std::int64_t>(request.seed), 0, static_cast<std::int64_t>(kMostSeed)));
  request.replications = static_cast<int>(
      whole_number(options, "replications", request.replications, 1, static_cast<std::int64_t>(kMostReplications)));
  request.engine = options.get_or<std::string>("engine", request.engine);
  const int jobs = jobs_of(options);
  if (request.engine == "simgrid") {  // the manifest says so
    Arguments all{"run"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    if (const auto status = continue_with_simgrid(all, console)) return *status;
  }
  const EngineKind engine = engine_of(request.engine);
  auto setup = std::make_shared<Setup>(*scenario.setup);
  setup->seed = request.seed;
  scenario.setup = setup;

  const bool why = options.has("why");
  const auto most_decisions = static_cast<std::size_t>(whole_number(options, "why", 40, 1, 1'000'000'000));
  if (why && options.has("json"))
    throw InputError("--why prints text and --json nothing else: with --out DIR the decisions are in decisions.csv");

  const bool write = options.has("out");
  NamedFiles outputs, inputs;
  add_files(outputs, options, {"records"});
  for (const auto& output : outputs) require_place(output.first, output.second);
  if (write) require_outside(outputs, options.get<std::string>("out"));
  add_files(inputs, options, {"policy"});  // which may be one
  inputs.emplace_back("", path);
  for (const std::filesystem::path& input : scenario.inputs) inputs.emplace_back("", input);
  require_different(outputs, inputs);
  const double trace_s = number_option(options, "trace-s", std::numeric_limits<double>::infinity(), 0, 1e9);
  if (write || options.has("records")) check_timeline(scenario, request.replications);
  if (write) request.inputs = hashes_of(scenario.inputs);
  std::optional<OutputDirectory> directory;
  if (write) directory.emplace(options.get<std::string>("out"), options.has("force"));
  Recording recording;
  if (write || options.has("records")) recording = {true, true, from_ms(scenario.file.timeline_ms)};
  recording.decisions = recording.decisions || why;

  std::vector<RunRecord> records;
  std::optional<OutputWriter> writer;
  if (write)
    writer.emplace(options.get<std::string>("out"), scenario, std::isfinite(trace_s) ? from_s(trace_s) : kNever);
  {
    ProgressBar progress(console, options.has("quiet"), {to_s(setup->duration) * request.replications, "simulated s"});
    std::mutex mutex;  // simulating and writing go on at once
    double done = 0;
    const auto tell = [&](double share) {
      const std::lock_guard lock(mutex);
      progress(done = std::max(done, share));
    };
    if (write) writer->on_flush([&] { tell(0); });
    // Replications are written as they end, and their logs forgotten.
    const auto take = [&](RunRecord record) {
      if (write) writer->add(record);
      const bool needed = options.has("records") || (why && records.empty());
      if (!needed) record.forget_logs();
      records.push_back(std::move(record));
    };
    simulate_each(*setup, recording, engine, request.replications, jobs, take, tell);
  }
  if (options.has("records")) write_records(options.get<std::string>("records"), records);
  const Json summary = summary_json(scenario, request.engine, records);
  if (write) writer->finish(request, summary);
  if (options.has("json"))
    console.out << summary.dump(2) << "\n";
  else if (!options.has("quiet"))
    console.out << summary_text(scenario, request.engine, records, console.window(), console.colour)
                << (why ? "\n" + why_text(*setup, records[0], most_decisions, console.colour) : "")
                << (write ? "  written to " + one_line(options.get<std::string>("out")) + "\n" : "");
  return kSuccess;
}

}  // namespace dynasoc::cli
