#include "results/suites/suite.hpp"

#include <algorithm>

#include "results/checks/claim.hpp"
#include "results/comparison.hpp"

namespace dynasoc::suite {
namespace fs = std::filesystem;
namespace {

// The scenario with the run's changes; a message about one of them names the place in the suite.
Scenario changed(const RunFile& run, const fs::path& path, const Overrides& overrides) {
  try {
    return load_scenario(path, overrides);
  } catch (const InputError& error) {
    for (const auto& [field, unused] : run.set)
      if (std::string_view(error.what()).starts_with("--set " + field + "="))
        throw(run.where / "set" / field).error(error.what());
    throw;
  }
}

Scenario scenario_of(const RunFile& run, const fs::path& folder) {
  const fs::path path = DataPaths(folder).scenario(run.scenario);
  Overrides overrides;
  for (const auto& [field, value] : run.set) overrides.emplace_back(field, value.value.dump());
  Scenario out = changed(run, path, overrides);
  if (run.policy.empty()) return out;
  Overrides under = overrides;
  try {
    for (const auto& change : overrides_of(out, contender_of(out, run.policy.text))) under.push_back(change);
    return load_scenario(path, under);
  } catch (const InputError& error) {
    throw run.policy.error(error.what());
  }
}

void seed(Scenario& scenario, const RunFile& run) {
  auto setup = std::make_shared<Setup>(*scenario.setup);
  if (run.seed) setup->seed = static_cast<std::uint64_t>(*run.seed);
  scenario.setup = setup;
}

void refuse_what_cannot_hold(const Expectation& expectation, const Run& run) {
  std::visit(
      [&](const auto& one) {
        using T = std::remove_cvref_t<decltype(one)>;
        try {
          MetricColumn(*run.scenario.setup, one.metric.text);
        } catch (const InputError& error) {
          throw one.metric.error(error.what());
        }
        const Better better = MetricColumn(*run.scenario.setup, one.metric.text).metric().better;
        if constexpr (std::same_as<T, LimitExpectation>) {
          if (!one.least && !one.most) throw one.where.error("a limit is missing: \"least\", \"most\" or both");
          if (one.least && one.most && *one.least > *one.most)
            throw(one.where / "least").error("is above \"most\": no value can be both");
        }
        if constexpr (std::same_as<T, BetterExpectation>) {
          if (better == Better::neither)
            throw one.metric.error(in_quotes(one.metric.text) + " calls neither direction better: nobody can be");
        }
        if constexpr (std::same_as<T, BaselineExpectation> || std::same_as<T, BetterExpectation>) {
          if (run.file.replications < 2)
            throw(run.file.where / "replications").error("a paired test needs 2 or more, 10 to be worth much");
        }
      },
      expectation);
}

}  // namespace

Suite load_suite(const fs::path& path) {
  Suite out;
  out.path = path;
  out.name = path.filename().string();
  if (out.name.ends_with(kSuiteEnding)) out.name.resize(out.name.size() - kSuiteEnding.size());
  out.file = read<SuiteFile>(Value(Document::load(path)));
  if (out.file.runs.empty()) throw(out.file.where / "runs").error("is empty: there is nothing to check");
  for (const auto& [name, file] : out.file.runs) {
    if (file.expect.empty()) throw(file.where / "expect").error("is empty: nothing is expected of this run");
    Run run{name, file, scenario_of(file, path.parent_path()), {}};
    for (const Expectation& expectation : file.expect) {
      const auto* better = std::get_if<BetterExpectation>(&expectation);
      if (better == nullptr) continue;
      const std::string& label = better->than.text;
      if (std::any_of(run.than.begin(), run.than.end(), [&](const auto& one) { return one.first == label; })) continue;
      RunFile other = file;
      other.policy = better->than;
      run.than.emplace_back(label, scenario_of(other, path.parent_path()));
      seed(run.than.back().second, file);
    }
    seed(run.scenario, file);
    for (const Expectation& expectation : file.expect) refuse_what_cannot_hold(expectation, run);
    out.runs.push_back(std::move(run));
  }
  return out;
}

bool is_suite(const fs::path& path) {
  const std::string name = path.filename().string();
  if (name.ends_with(kSuiteEnding)) return true;
  if (name.ends_with(check::kClaimEnding) || path.extension() != ".json") return false;
  const auto document = Document::load(path);
  return document->root().is_object() && document->root().contains("runs") && !document->root().contains("expectation");
}

}  // namespace dynasoc::suite
