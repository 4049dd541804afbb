#include "results/checks/replay.hpp"

#include <cmath>

#include "results/summary.hpp"
#include "scenario/scenario.hpp"
#include "world/run.hpp"

namespace dynasoc::check {
namespace {

// A number of `run --json`; NaN where there is none (a sub-network that did not run in a replication).
double look_up(const Json& summary, const std::string& path) {
  if (const std::size_t minus = path.find(" - "); minus != std::string::npos)
    return look_up(summary, path.substr(0, minus)) - look_up(summary, path.substr(minus + 3));
  const Json* at = &summary;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    const std::string key = path.substr(begin, end - begin);
    if (!at->is_object() || !at->contains(key)) return std::numeric_limits<double>::quiet_NaN();
    at = &(*at)[key];
    begin = end + 1;
  }
  return at->is_number() ? at->get<double>() : std::numeric_limits<double>::quiet_NaN();
}

Scenario scenario_of(const Replay& replay, const Context& context) {
  return load_scenario(DataPaths(context.folder).scenario(replay.scenario));
}

}  // namespace

void Replay::validate(const Context& context) const { scenario_of(*this, context); }

std::vector<Finding> Replay::evaluate(const Context& context) const {
  const Scenario loaded = scenario_of(*this, context);
  auto records = simulate_all(*loaded.setup, {}, EngineKind::native, replications, context.jobs, context.progress);
  std::vector<Json> summaries;
  for (RunRecord& record : records) {
    std::vector<RunRecord> one;
    one.push_back(std::move(record));
    summaries.push_back(summary_json(loaded, "native", one));
  }
  std::vector<Finding> out;
  for (const ExpectedNumber& number : numbers) {
    std::vector<double> values;
    for (const Json& summary : summaries) values.push_back(look_up(summary, number.path));
    const Estimate estimated = estimate(values);
    if (estimated.n == 0) throw(number.where / "path").error("no replication of the run has " + in_quotes(number.path));
    Finding one;
    one.quantity = number.quantity;
    one.unit = number.unit;
    one.digits = number.digits;
    one.published = number.published;
    one.ours = estimated.mean;
    one.interval = estimated.interval;
    one.standing = number.standing;
    one.reason = number.note;
    if (number.published)
      one.verdict = agrees(one.ours, one.interval, *number.published, number.tolerance) ? Verdict::reproduced
                                                                                        : Verdict::not_reproduced;
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace dynasoc::check
