// dynasoc board validate and fork: a run on a board against its simulation, and gone on with in the simulation.
#include <cmath>
#include <optional>

#include "board/fork.hpp"
#include "board/validate.hpp"
#include "cli/board_common.hpp"
#include "common/text.hpp"
#include "results/comparison.hpp"
#include "results/output.hpp"
#include "results/summary.hpp"
#include "results/trace.hpp"

namespace dynasoc::cli {
namespace po = boost::program_options;
namespace fs = std::filesystem;
namespace {

// Labels of `--policies`, split as `compare` does.
std::vector<std::string> labels_of(const Options& options) {
  if (!options.has("policies")) return {""};
  std::vector<std::string> out;
  for (const Contender& contender : contenders_of(board_scenario(options, ""), options.get<std::string>("policies")))
    out.push_back(contender.label);
  return out;
}

}  // namespace

int board_validate_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc board validate SCENARIO [--target TARGET] [options]",
      "Runs a scenario on a board and in the simulator, under one policy or several, and compares: metrics\n"
      "with intervals, sub-networks by clock, where decisions first part and why, the order of the policies.\n"
      "Exit status 1 if anything is beyond the tolerance. --correct writes a table with what was measured, and\n"
      "shows on a fresh run how wrong the old and the new one are.");
  options.positional("scenario", 1);
  add_target_options(options);
  add_scenario_options(options);
  options.add()("policies", po::value<std::string>(),
                "managers, as of `dynasoc compare --policies` (default: the scenario's)")(
      "replications", po::value<std::string>(), "runs on the board of each policy (default: 1)")(
      "predictions", po::value<std::string>(), "simulated runs of each policy (default: 30)")(
      "tolerance", po::value<std::string>(), "of metrics and cells, relative (default: 10%)")(
      "judge", po::value<std::string>(), "what the exit status speaks of: cells, metrics, order (default: all)")(
      "correct", po::value<std::string>(), "table to write (one application)")(
      "seed", po::value<std::string>(), "seed of both (default: the scenario's)")(
      "out", po::value<std::string>(),
      "directory for validation.json, trace.json (both runs in one picture) and the runs")(
      "force", "overwrite results in --out, and the table of --correct")(
      "json", "print one JSON object and nothing else")("quiet", "print nothing but errors");
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  if (!options.has("scenario"))
    throw InputError("a scenario is missing; usage: dynasoc board validate SCENARIO [--target TARGET] [options]");
  const board::Target target = target_of(options);
  const auto labels = labels_of(options);
  const int replications = static_cast<int>(whole_number(options, "replications", 1, 1, 1000));
  const int predictions = static_cast<int>(whole_number(options, "predictions", 30, 1, 100'000));
  board::Validation validation;
  validation.tolerance = share_of(options, "tolerance", 0.1);
  if (options.has("judge")) {
    validation.judge_cells = validation.judge_metrics = validation.judge_order = false;
    const std::vector<std::string> known{"cells", "metrics", "order"};
    for (const std::string& word : words_of(options, "judge")) {
      if (word == "cells")
        validation.judge_cells = true;
      else if (word == "metrics")
        validation.judge_metrics = true;
      else if (word == "order")
        validation.judge_order = true;
      else
        throw InputError("--judge: unknown " + in_quotes(word) + hint(word, known));
    }
  }
  std::vector<Scenario> scenarios;
  for (const std::string& label : labels) {
    Scenario& scenario = scenarios.emplace_back(board_scenario(options, label));
    auto setup = std::make_shared<Setup>(*scenario.setup);
    setup->seed = static_cast<std::uint64_t>(
        whole_number(options, "seed", static_cast<std::int64_t>(setup->seed), 0, static_cast<std::int64_t>(kMostSeed)));
    scenario.setup = setup;
    board::refuse_what_is_simulated(*setup);
  }
  if (options.has("correct") && scenarios[0].setup->apps.size() != 1)
    throw InputError("--correct writes one application's table, and the scenario has " +
                     std::to_string(scenarios[0].setup->apps.size()));
  if (options.has("correct") && !options.has("force") && fs::exists(options.get<std::string>("correct")))
    throw InputError("--correct " + options.get<std::string>("correct") +
                     ": is there already; say --force to replace it");
  const bool write = options.has("out");
  const fs::path out = options.get_or<std::string>("out", "");
  std::optional<OutputDirectory> directory;
  if (write) directory.emplace(out, options.has("force"));

  const Recording recording{true, true, from_ms(scenarios[0].file.timeline_ms)};
  // Before the board is taken: nobody renews its lease meanwhile.
  std::vector<std::vector<RunRecord>> predictions_of;
  for (const Scenario& scenario : scenarios)
    predictions_of.push_back(simulate_all(*scenario.setup, recording, EngineKind::native, predictions, default_jobs()));
  Json correction;
  {
    ProgressBar progress(console, options.has("quiet"));
    const double steps = static_cast<double>(labels.size()) * replications + (options.has("correct") ? 1 : 0);
    double done = 0;
    constexpr int kLeaseMs = 30'000;  // results are written between runs
    board::Agent agent(target, kLeaseMs);
    // A run on the board, with what it said in a file of its own.
    const auto measure = [&](std::size_t p, int replication, board::Session& session) {
      const Setup& setup = *scenarios[p].setup;
      board::BoardRun run = board::run_on_board(session, setup, recording, static_cast<std::uint64_t>(replication),
                                                [&](double share) { progress((done + share) / steps, labels[p]); });
      done += 1;
      if (!run.lost.empty()) throw OutsideError(run.lost);
      return run;
    };
    for (std::size_t p = 0; p < labels.size(); ++p) {
      const Scenario& scenario = scenarios[p];
      const std::string label = labels[p].empty() ? scenario.setup->policy.name : labels[p];
      const fs::path folder = write ? out / ("policy-" + std::to_string(p + 1)) : fs::path();
      if (write) fs::create_directories(folder);
      BoardLog log(folder);
      board::Recorder& recorder = log.recorder();
      std::vector<board::BoardRun> measured;
      board::Session session(agent, scenario.setup, load_options_of(options), &recorder);
      if (write && p == 0) {  // an earlier validation's policies may have been others, and more
        begin_replacing(out);
        for (const auto& entry : fs::directory_iterator(out))
          if (entry.is_directory()) begin_replacing(entry.path());
      }
      log.in_place();
      for (int r = 0; r < replications; ++r) {
        recorder.write({{"replication", r}});
        measured.push_back(measure(p, r, session));
      }
      std::vector<RunRecord> predicted = std::move(predictions_of[p]);
      if (write) {
        RunRequest request;
        request.engine = "board";
        request.command_line = arguments;
        request.seed = scenario.setup->seed;
        request.replications = replications;
        request.inputs = hashes_of(scenario.inputs);
        std::vector<RunRecord> records;
        for (board::BoardRun& run : measured) records.push_back(std::move(run.record));
        write_output(folder, scenario, request, records, summary_json(scenario, "board", records));
        for (std::size_t r = 0; r < measured.size(); ++r) measured[r].record = std::move(records[r]);
        write_trace(folder / "both.json", *scenario.setup,
                    {{"predicted", &predicted[0]}, {"measured", &measured[0].record}});
      }
      validation.policies.push_back(
          board::compare_runs(*scenario.setup, label, std::move(predicted), std::move(measured)));
      for (const AppSetup& app : scenario.setup->apps) agent.call({{"op", "unload"}, {"app", app.name}});
    }
    board::judge(validation);

    if (options.has("correct")) {
      const fs::path file = options.get<std::string>("correct");
      const Setup& setup = *scenarios[0].setup;
      std::vector<board::CellPair> cells;
      for (const board::ValidatedPolicy& policy : validation.policies)
        for (const board::CellPair& cell : policy.cells) {
          const auto same = std::find_if(cells.begin(), cells.end(), [&](const board::CellPair& c) {
            return c.unit == cell.unit && c.subnet == cell.subnet && c.opp == cell.opp;
          });
          if (same == cells.end())
            cells.push_back(cell);
          else if (cell.n > same->n)
            *same = cell;
        }
      int changed = 0;
      const Table corrected =
          board::corrected_table(setup, 0, cells, 5,
                                 "dynasoc board validate: clean inferences of a run on " +
                                     agent.hello().value("board", Json::object()).value("model", "a board"),
                                 changed);
      write_file(file, corrected.to_csv());
      // A fresh run tells what either table is worth: another seed's arrivals, and no inference that the correction
      // saw.
      board::Recorder nobody;
      board::Session session(agent, scenarios[0].setup, load_options_of(options), &nobody);
      std::vector<board::BoardRun> fresh;
      fresh.push_back(measure(0, replications, session));
      const auto before_cells = board::cells_of(setup, fresh);
      auto after_cells = before_cells;
      for (board::CellPair& cell : after_cells)
        for (const board::CellPair& seen : cells)
          if (seen.unit == cell.unit && seen.subnet == cell.subnet && seen.opp == cell.opp && seen.n >= 5)
            cell.predicted_ms = seen.measured_ms;
      correction = {{"table", file.string()},
                    {"cells_changed", changed},
                    {"fresh_run",
                     {{"cells", before_cells.size()},
                      {"mean_error_before", board::mean_error(before_cells)},
                      {"mean_error_after", board::mean_error(after_cells)}}}};
    }
    agent.end();
  }
  const Setup& setup = *scenarios[0].setup;
  Json json = board::validation_json(setup, validation);
  if (!correction.is_null()) json["correction"] = correction;
  if (write) write_file(out / "validation.json", json.dump(2) + "\n");
  if (options.has("json"))
    console.out << json.dump(2) << "\n";
  else if (!options.has("quiet")) {
    console.out << board::validation_text(setup, validation, console.colour);
    if (!correction.is_null())
      console.out << "  corrected table: " << correction["table"].get<std::string>() << ", "
                  << correction["cells_changed"].get<int>()
                  << " cells changed; on a fresh run the mean error of cells was "
                  << rounded_text(100 * correction["fresh_run"]["mean_error_before"].get<double>(), 3)
                  << " % with the old and "
                  << rounded_text(100 * correction["fresh_run"]["mean_error_after"].get<double>(), 3)
                  << " % with the new table\n";
    if (write) console.out << "  written to " << out.string() << "\n";
  }
  return validation.within ? kSuccess : kCheckFailed;
}

int board_fork_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc board fork DIR --at SECONDS --policy POLICY [options]",
      "Goes on with a run recorded by `board run --out DIR` in the simulator, under another policy from an\n"
      "instant on: the same arrivals, the same execution times, the same decisions up to then.");
  options.positional("run", 1);
  options.add()("at", po::value<std::string>(), "when the other policy takes over [s] (0: from the start)")(
      "policy", po::value<std::string>(), "manager, as of `dynasoc compare --policies`")(
      "out", po::value<std::string>(), "directory for the results")("force", "overwrite results in --out")(
      "json", "print one JSON object and nothing else")("quiet", "print nothing but errors");
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  if (!options.has("run") || !options.has("policy") || !options.has("at"))
    throw InputError(
        "a run, --at and --policy are needed; usage: dynasoc board fork DIR --at SECONDS --policy POLICY [options]");
  fs::path directory = options.get<std::vector<std::string>>("run")[0];
  if (directory.filename() == "manifest.json") directory = directory.parent_path();
  const fs::path manifest = directory / "manifest.json";
  if (!fs::exists(manifest)) throw InputError(directory.string() + " holds no finished run (no manifest.json)");
  if (!fs::exists(directory / "board.jsonl"))
    throw InputError(directory.string() + " is not a run on a board (no board.jsonl)");
  RunRequest request;
  Scenario scenario = load_manifest(Document::load(manifest), manifest, {}, request);
  const Contender contender = contender_of(scenario, options.get<std::string>("policy"));
  double at_s = 0;
  {
    const auto text = options.get<std::string>("at");
    if (text != "0") at_s = share_of(options, "at", 0);
    if (text.ends_with('%') || at_s > to_s(scenario.setup->duration))
      throw InputError("--at " + text + ": must be within the run's " + plain_number(to_s(scenario.setup->duration)) +
                       " s");
  }
  std::vector<std::string> notes;
  auto setup = board::fork_of(scenario, directory, from_s(at_s), contender.policy, notes);
  setup->policy = contender.policy;
  setup->policy.name = "recorded, then " + contender.policy.name;
  scenario.setup = setup;
  for (const std::string& note : notes) scenario.warnings.push_back(note);
  scenario.warnings.push_back(
      "up to " + plain_number(at_s) +
      " s the decisions are the recorded run's; arrivals and execution times are its own throughout");
  const bool write = options.has("out");
  std::optional<OutputDirectory> results;
  if (write) results.emplace(options.get<std::string>("out"), options.has("force"));
  const std::vector<RunRecord> records =
      simulate_all(*setup, {true, true, from_ms(scenario.file.timeline_ms)}, EngineKind::native, 1, 1);
  const Json summary = summary_json(scenario, "native", records);
  request.engine = "native";
  request.replications = 1;
  request.command_line = arguments;
  if (write) {
    request.inputs = hashes_of({directory / "board.jsonl", directory / "jobs.csv", directory / "decisions.csv"});
    write_output(options.get<std::string>("out"), scenario, request, records, summary);
  }
  if (options.has("json"))
    console.out << summary.dump(2) << "\n";
  else if (!options.has("quiet"))
    console.out << summary_text(scenario, "native", records, console.window(), console.colour)
                << (write ? "  written to " + options.get<std::string>("out") + "\n" : "");
  return kSuccess;
}

}  // namespace dynasoc::cli
