// dynasoc explore: multi-objective search over managers, what they choose from, and the board's settings.
#include <chrono>

#include "cli/options.hpp"
#include "cli/output_files.hpp"
#include "common/text.hpp"
#include "explore/exploration/directory.hpp"
#include "explore/exploration/distribution.hpp"
#include "explore/exploration/report.hpp"

namespace dynasoc::cli {
namespace po = boost::program_options;
namespace fs = std::filesystem;
namespace {

explore::Space space_of(const fs::path& path, const Options& options) {
  Overrides overrides = overrides_of(options.get_or<std::vector<std::string>>("set", {}));
  if (options.has("seed")) overrides.emplace_back("seed", options.get<std::string>("seed"));
  if (options.has("replications")) overrides.emplace_back("replications", options.get<std::string>("replications"));
  if (options.has("no-racing")) overrides.emplace_back("racing", "false");
  return explore::Space(explore::load_exploration(path, overrides),
                        path.parent_path().empty() ? fs::path(".") : path.parent_path());
}

fs::path exploration_path(const std::string& given) {
  std::error_code code;
  if (fs::is_directory(given, code)) throw InputError({given, 0, 0, ""}, "is a directory, not an exploration file");
  return scenario_path(given);
}

int pending(const Options& options, Console& console, const explore::Candidates& candidates,
            const explore::Pending& needed) {
  const auto most = static_cast<std::size_t>(whole_number(options, "batch", 1'000'000, 1, 1'000'000));
  write_file(options.get<std::string>("pending"), explore::pending_lines(candidates, needed, most));
  const std::size_t count = std::min(most, needed.needed.size());
  if (options.has("json"))
    console.out << Json{{"pending", count}}.dump() << "\n";
  else if (!options.has("quiet"))
    console.out << "pending: " << count << "\n";
  return kSuccess;
}

}  // namespace

int explore_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc explore EXPLORATION [options]",
      "Looks for the configurations of a scenario that no other dominates: over the manager and its parameters, the\n"
      "sub-networks kept in memory, operating points, unit, power mode, or any other member of the scenario. The same\n"
      "command goes on where a directory was left. Status 1: no configuration keeps the constraints.");
  options.positional("exploration", 1);
  options.add()("out", po::value<std::string>(),
                "directory for the answer (front.csv, all.csv, front.json) and for going on (evaluations.tsv)")(
      "seed", po::value<std::string>(), "seed of the search (default: the file's)")(
      "replications", po::value<std::string>(), "of each configuration on the front (default: the file's)")(
      "no-racing", "all replications of every configuration")("set", po::value<std::vector<std::string>>()->composing(),
                                                              "path=value: change any field of the file; repeatable")(
      "force", "begin anew in a directory that holds another exploration")(
      "pending", po::value<std::string>(),
      "simulate nothing: write the evaluations that --out lacks to this file, a line of JSON each, or the answer if it "
      "lacks none")("batch", po::value<std::string>(), "with --pending: at most so many lines")(
      "evaluate", po::value<std::string>(),
      "evaluate the lines of such a file and print lines for evaluations.tsv; nothing else")(
      "json", "print one JSON object and nothing else")("quiet", "print nothing but errors")(
      "jobs", po::value<std::string>(), "simulations at once (default: the machine's cores)");
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  if (!options.has("exploration"))
    throw InputError("an exploration file is missing; usage: dynasoc explore EXPLORATION [options]");
  if (options.has("pending") && !options.has("out"))
    throw InputError("--pending needs --out: what was evaluated is read from there");
  if (options.has("batch") && !options.has("pending")) throw InputError("--batch is for --pending");

  const auto path = exploration_path(options.get<std::vector<std::string>>("exploration")[0]);
  const explore::Space space = space_of(path, options);
  const int jobs = jobs_of(options);
  if (options.has("evaluate")) {
    std::string lines;
    {
      ProgressBar progress(console, options.has("quiet"));
      lines = explore::evaluate_lines(space, options.get<std::string>("evaluate"), jobs,
                                      [&](double share) { progress(share); });
    }
    console.out << lines;
    return kSuccess;
  }
  if (options.has("pending")) {
    const fs::path file = options.get<std::string>("pending");
    require_place("--pending", file);
    require_same_kind(
        "--pending", file, [](std::string_view text) { return text.starts_with("{\"key\":"); },
        "a file of pending simulations");
  }
  if (!explore::available(space.file().algorithm.kind))
    throw OutsideError("this algorithm needs pagmo, which this program was built without; random and sobol do not");

  std::unique_ptr<explore::Journal> journal = std::make_unique<explore::Journal>();
  if (options.has("out"))
    journal = explore::open_directory(options.get<std::string>("out"), space, options.has("force"), arguments);
  double share = 0.001;
  std::optional<ProgressBar> progress(std::in_place, console, options.has("quiet"));
  explore::Candidates::Request request;
  request.jobs = jobs;
  request.pending = options.has("pending");
  request.on_evaluation = [&] { (*progress)(share); };
  explore::Candidates candidates(space, *journal, request);
  request.design = true;
  explore::Candidates design(space, *journal, request);
  explore::ExploreHooks hooks;
  hooks.progress = [&](double done) { (*progress)(share = done); };

  const auto begin = std::chrono::steady_clock::now();
  explore::Exploration exploration;
  try {
    exploration = explore::explore(candidates, design, hooks);
  } catch (const explore::Pending& needed) {
    progress.reset();
    return pending(options, console, needed.of_design ? design : candidates, needed);
  } catch (const Interrupted&) {
    progress.reset();
    if (!options.has("out")) throw;
    throw Interrupted{"the same command goes on from " + options.get<std::string>("out")};
  }
  progress.reset();
  // What ran before the change and what ran after it cannot be told apart.
  if (const auto changed = space.changed_input())
    throw OutsideError(changed->string() + ": was changed while it was explored; no answer is given: begin anew" +
                       (options.has("out") ? " with --force" : ""));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();

  Json json = explore::exploration_json(candidates, exploration);
  if (options.has("out"))
    explore::write_answer(
        options.get<std::string>("out"),
        {explore::front_csv(candidates, exploration), explore::all_csv(candidates, exploration), json.dump(2) + "\n"});
  if (options.has("json")) {
    json["simulated_now"] = candidates.simulated() + design.simulated();
    json["seconds"] = seconds;
    console.out << json.dump(2) << "\n";
  } else if (!options.has("quiet")) {
    console.out << explore::exploration_text(candidates, exploration, console.colour);
  }
  if (!exploration.infeasible) return kSuccess;
  if (options.has("json") || options.has("quiet"))
    console.err << path.string() << ": " << json["infeasible"].get<std::string>() << "\n";
  return kCheckFailed;
}

}  // namespace dynasoc::cli
