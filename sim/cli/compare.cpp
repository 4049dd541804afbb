// dynasoc compare: competing managers on common random numbers.
#include <algorithm>
#include <optional>

#include "cli/options.hpp"
#include "common/csv.hpp"
#include "common/text.hpp"
#include "results/comparison.hpp"
#include "results/output.hpp"

namespace dynasoc::cli {
namespace po = boost::program_options;

int compare_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc compare SCENARIO --policies A,B,… [options]",
      "Runs a scenario under each policy on the same arrivals and the same noise, and tells how they differ from the\n"
      "baseline, how sure that is, and (with the policy oracle among them) how far each is from what was possible.\n"
      "An entry is a policy, `policy(parameter=value,…)`, a governor (no manager: CPU governors with nvhost_podgov on\n"
      "the GPU, GPU governors with schedutil on the CPUs), or `policy+governor`.");
  options.positional("scenario", 1);
  options.add()("policies", po::value<std::string>(), "what takes part, separated by commas")(
      "baseline", po::value<std::string>(), "entry that the others are compared with (default: the first)")(
      "metrics", po::value<std::string>(),
      "columns of the text, separated by commas (default: platform.energy_j, run.miss_rate, apps.APP.latency_ms.mean, "
      "run.accuracy, run.cost); APP stands for the mean over applications")(
      "replications", po::value<std::string>(), "most repetitions (default: 30, or the scenario's if that is more)")(
      "until-decided", po::value<std::string>()->implicit_value("run.cost"),
      "stop as soon as every difference to the baseline in this metric (default run.cost) is decided, by a test that "
      "may be looked at any time")("no-anatomy", "do not split regret: fewer runs")(
      "seed", po::value<std::string>(), "seed of all random streams (default: the scenario's)")(
      "engine", po::value<std::string>(), "native (default) or simgrid")(
      "set", po::value<std::vector<std::string>>()->composing(),
      "path=value: change any field of the scenario; repeatable")("out", po::value<std::string>(),
                                                                  "directory for comparison.json and values.csv")(
      "force", "overwrite results in --out")("json", "print one JSON object and nothing else")(
      "quiet", "print nothing but errors")("jobs", po::value<std::string>(),
                                           "runs at once (default: the machine's cores)");
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  if (!options.has("scenario"))
    throw InputError("a scenario is missing; usage: dynasoc compare SCENARIO --policies A,B,… [options]");
  if (!options.has("policies"))
    throw InputError("--policies is missing: which managers take part? (`dynasoc list policies` names them)");

  const auto path = scenario_path(options.get<std::vector<std::string>>("scenario")[0]);
  Scenario scenario = load_scenario(path, overrides_of(options.get_or<std::vector<std::string>>("set", {})));
  auto setup = std::make_shared<Setup>(*scenario.setup);
  setup->seed = static_cast<std::uint64_t>(
      whole_number(options, "seed", static_cast<std::int64_t>(setup->seed), 0, static_cast<std::int64_t>(kMostSeed)));
  scenario.setup = setup;

  ComparisonRequest request;
  request.contenders = contenders_of(scenario, options.get<std::string>("policies"));
  if (options.has("baseline")) {
    const auto wanted = options.get<std::string>("baseline");
    std::vector<std::string> labels;
    for (const Contender& one : request.contenders) labels.push_back(one.label);
    const auto it = std::find(labels.begin(), labels.end(), wanted);
    if (it == labels.end())
      throw InputError("--baseline " + in_quotes(wanted) + " is not among --policies" + hint(wanted, labels));
    request.baseline = static_cast<std::size_t>(it - labels.begin());
  }
  constexpr int kReplications = 30;
  request.replications =
      static_cast<int>(whole_number(options, "replications", std::max(kReplications, scenario.file.replications), 1,
                                    static_cast<std::int64_t>(kMostReplications)));
  request.decide_on = options.get_or<std::string>("until-decided", "");
  request.anatomy = !options.has("no-anatomy");
  request.jobs = jobs_of(options);
  request.engine = engine_of(options.get_or<std::string>("engine", "native"));
  if (request.engine == EngineKind::simgrid) {
    // SimGrid runs one simulation a process.
    request.jobs = 1;
    if (request.contenders.size() * static_cast<std::size_t>(request.replications) > 1)
      throw InputError(
          "compare: SimGrid runs one simulation a process; `dynasoc run --engine simgrid` checks one policy");
  }

  const auto metrics =
      split_names(options.get_or<std::string>(
                      "metrics", "platform.energy_j,run.miss_rate,apps.APP.latency_ms.mean,run.accuracy,run.cost"),
                  "--metrics");
  for (const std::string& name : metrics) values_of(*setup, {}, name);  // refuses unknown names before an hour is spent
  if (!request.decide_on.empty()) values_of(*setup, {}, request.decide_on);

  const bool write = options.has("out");
  RunRequest asked{options.get_or<std::string>("engine", "native"), 1, setup->seed, arguments, {}};
  if (write) asked.inputs = hashes_of(scenario.inputs);  // as they are now: by the end a file may be another
  std::optional<OutputDirectory> directory;
  if (write) directory.emplace(options.get<std::string>("out"), options.has("force"));
  Comparison comparison;
  {
    // With an oracle there are more runs than contenders have: those that split regret.
    const bool more = request.anatomy && std::any_of(request.contenders.begin(), request.contenders.end(),
                                                     [](const Contender& one) { return one.policy.name == "oracle"; });
    const double runs = more ? 0 : static_cast<double>(request.contenders.size()) * request.replications;
    ProgressBar progress(console, options.has("quiet"), {runs * to_s(setup->duration), "simulated s"});
    request.progress = [&](double share) { progress(share); };
    comparison = compare(scenario, request);
  }
  Json json;
  if (write || options.has("json")) json = comparison_json(scenario, comparison);
  if (write) {
    const std::filesystem::path out = options.get<std::string>("out");
    json["command_line"] = arguments;
    asked.replications = comparison.replications;
    json["manifest"] = manifest_json(out, scenario, asked);
    begin_replacing(out);
    write_file(out / "values.csv", comparison_csv(scenario, comparison));
    write_file(out / "comparison.json", json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  }
  if (options.has("json"))
    console.out << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  else if (!options.has("quiet"))
    console.out << comparison_text(scenario, comparison, metrics, console.columns, console.colour);
  return kSuccess;
}

}  // namespace dynasoc::cli
