// dynasoc run: simulate a scenario (or re-run a manifest).
#include <cstdio>
#include <iostream>

#include "cli/options.hpp"
#include "common/text.hpp"
#include "results/output.hpp"
#include "results/summary.hpp"

namespace dynasoc::cli {
namespace po = boost::program_options;

int run_command(const Arguments& arguments) {
  Options options("dynasoc run SCENARIO [options]",
                  "Simulates a scenario file, or a run's manifest.json again. Prints a summary; with --out, writes jobs.csv,\n"
                  "decisions.csv, timeline.csv, trace.json (for Perfetto), summary.json and manifest.json.");
  options.positional("scenario", 1);
  options.add()("seed", po::value<std::uint64_t>(), "seed of all random streams (default: the scenario's)")(
      "replications", po::value<int>(), "independent repetitions (default: the scenario's)")(
      "engine", po::value<std::string>(), "native (default) or simgrid")(
      "set", po::value<std::vector<std::string>>()->composing(), "path=value: change any field of the scenario; repeatable")(
      "out", po::value<std::string>(), "directory for the results")("force", "overwrite results in --out")(
      "json", "print one JSON object and nothing else")("quiet", "print nothing but errors")(
      "jobs", po::value<int>(), "replications run at once (default: the machine's cores)");
  options.parse(arguments);
  if (options.asked_for_help()) return kSuccess;
  if (!options.has("scenario")) throw InputError("a scenario is missing; usage: dynasoc run SCENARIO [options]");

  RunRequest request;
  request.command_line = arguments;
  const std::string given = options.get<std::vector<std::string>>("scenario")[0];
  std::filesystem::path path = given;
  std::error_code code;
  if (!std::filesystem::exists(path, code)) path = DataPaths().scenario({given, {Document::parse("{}", given), ""}});
  Overrides overrides = overrides_of(options.get_or<std::vector<std::string>>("set", {}));

  auto document = Document::load(path);
  const bool again = is_manifest(document->root());
  Scenario scenario = again ? load_manifest(document, path, overrides, request) : load_scenario(path, overrides);
  if (!again) {
    request.seed = scenario.setup->seed;
    request.replications = scenario.file.replications;
  }
  request.seed = options.get_or<std::uint64_t>("seed", request.seed);
  request.replications = options.get_or<int>("replications", request.replications);
  request.engine = options.get_or<std::string>("engine", request.engine);
  if (request.replications < 1) throw InputError("--replications must be at least 1");
  const int jobs = options.get_or<int>("jobs", default_jobs());
  if (jobs < 1) throw InputError("--jobs must be at least 1");
  const EngineKind engine = engine_of(request.engine);
  auto setup = std::make_shared<Setup>(*scenario.setup);
  setup->seed = request.seed;
  scenario.setup = setup;

  const bool write = options.has("out");
  if (write) prepare_output(options.get<std::string>("out"), options.has("force"));
  Recording recording;
  if (write) recording = {true, true, from_ms(scenario.file.timeline_ms)};

  std::vector<RunRecord> records;
  {
    ProgressBar progress(options.has("quiet"));
    records = simulate_all(*setup, recording, engine, request.replications, jobs, [&](double share) { progress(share); });
  }
  const Json summary = summary_json(scenario, request.engine, records);
  if (write) write_output(options.get<std::string>("out"), scenario, request, records, summary);
  if (options.has("json"))
    std::cout << summary.dump(2) << "\n";
  else if (!options.has("quiet"))
    std::cout << summary_text(scenario, request.engine, records, terminal_columns(), terminal_colour())
              << (write ? "  written to " + options.get<std::string>("out") + "\n" : "");
  return kSuccess;
}

}  // namespace dynasoc::cli
