#include "results/report/run_data.hpp"

#include <algorithm>
#include <cmath>

#include "common/text.hpp"
#include "results/why.hpp"

namespace dynasoc::report {
namespace {

// The double that is nearest, as a reader of the run's files gets it: a product with 1e-9 is not always.
double seconds(Time t) { return static_cast<double>(t) / 1e9; }
double seconds_or_nan(Time t) { return t == kNoTime ? std::nan("") : seconds(t); }

}  // namespace

Budget budget_of(std::size_t runs, std::size_t shrink) {
  const Budget all;
  runs = std::max<std::size_t>(runs, 1) * shrink;
  return {all.jobs / runs, all.spans / runs, all.points / runs, all.decisions / runs, all.candidates / runs};
}

RunData described(const Setup& setup) {
  RunData run;
  run.policy = setup.policy.name;
  run.duration_s = seconds(setup.duration);
  run.warmup_s = seconds(setup.warmup);
  for (const AppSetup& app : setup.apps) {
    run.apps.push_back({app.name, app.file.network.text, {}});
    for (const TargetFile& target : app.file.targets)
      run.apps.back().targets.push_back({target.from_s, target.latency_ms});
  }
  for (const auto& [name, unit] : setup.platform.file.units) run.units.number(name);
  return run;
}

std::vector<std::uint32_t> keep_writes(const std::vector<WriteKey>& writes, std::size_t most) {
  if (writes.size() <= most) return keep_evenly(writes.size(), most);
  std::vector<std::uint32_t> begins;  // of decisions
  std::vector<double> at_s;
  std::vector<float> margin;
  std::vector<bool> board, changes;
  const auto known = [](float x) { return x == 0 ? std::numeric_limits<float>::quiet_NaN() : x; };
  for (std::uint32_t i = 0; i < writes.size(); ++i) {
    const WriteKey& write = writes[i];
    if (i == 0 || write.decision != writes[i - 1].decision) {
      begins.push_back(i);
      at_s.push_back(write.at_s);
      margin.push_back(known(write.margin));
      board.push_back(write.by_board);
      changes.push_back(write.changes);
      continue;
    }
    margin.back() = std::fmin(margin.back(), known(write.margin));
    changes.back() = changes.back() || write.changes;
  }
  const auto decisions = most * begins.size() / writes.size();
  begins.push_back(static_cast<std::uint32_t>(writes.size()));
  std::vector<std::uint32_t> out;
  for (const std::uint32_t d : keep_extremes(at_s, margin, board, changes, decisions))
    for (std::uint32_t i = begins[d]; i < begins[d + 1]; ++i) out.push_back(i);
  return out;
}

RunData run_data(const Setup& setup, const RunRecord& record, const Budget& budget) {
  RunData run = described(setup);
  run.replication = static_cast<int>(record.replication);
  JobColumns& jobs = run.jobs;
  for (std::size_t i = 0; i < record.jobs.size(); ++i) {
    const JobRecord& job = record.jobs[i];
    const AppSetup& app = setup.apps[job.app];
    const bool done = job.end != kNoTime;
    jobs.app.push_back(job.app);
    jobs.subnet.push_back(static_cast<std::uint16_t>(run.subnets.number(level_name(job.subnet))));
    jobs.unit.push_back(job.unit);
    jobs.outcome.push_back(job.outcome);
    jobs.arrival_s.push_back(seconds_or_nan(job.arrival));
    jobs.start_s.push_back(seconds_or_nan(job.start));
    jobs.end_s.push_back(seconds_or_nan(job.end));
    const float none = std::numeric_limits<float>::quiet_NaN();
    jobs.latency_ms.push_back(done ? static_cast<float>(to_ms(job.end - job.arrival)) : none);
    jobs.accuracy.push_back(done ? static_cast<float>(app.network->file.subnets[job.subnet].accuracy) : none);
    jobs.energy_mj.push_back(done ? job.energy_mj : none);
  }

  std::vector<WriteKey> keys;
  for (const DecisionRecord& one : record.decision_log)
    keys.push_back({seconds(one.at), one.decision, static_cast<float>(one.margin), one.by_board, one.from != one.to});
  run.writes_total = keys.size();
  for (const std::uint32_t i : keep_writes(keys, budget.decisions)) {
    const DecisionRecord& one = record.decision_log[i];
    run.writes.push_back({seconds(one.at), one.decision, one.by_board ? "board" : setup.policy.name, one.trigger,
                          one.target, one.knob, one.from, one.to, one.reason, one.binding, one.margin,
                          one.binding.empty() ? std::nan("") : one.slack});
  }

  run.options_total = record.candidates.size();
  std::size_t of_kept = 0;
  const auto each_of_kept = [&](auto visit) {
    auto write = run.writes.begin();
    for (const CandidateRecord& one : record.candidates) {
      while (write != run.writes.end() && write->decision < one.decision) ++write;
      if (write != run.writes.end() && write->decision == one.decision) visit(one);
    }
  };
  each_of_kept([&](const CandidateRecord&) { ++of_kept; });
  OptionFilter filter(of_kept, budget.candidates);
  each_of_kept([&](const CandidateRecord& one) {
    if (!filter.keeps(one.decision)) return;
    const bool placed = one.unit >= 0;
    run.options.push_back({one.decision, one.app < 0 ? "" : setup.apps[one.app].name,
                           one.subnet < 0 ? "" : level_name(one.subnet),
                           placed ? setup.platform.file.units[one.unit].first : "",
                           placed && one.opp >= 0 ? candidate_mhz(setup, one) : std::nan(""), one.latency_ms,
                           one.accuracy, one.energy_mj, one.feasible, one.chosen});
  });

  const std::size_t columns = record.timeline.columns.size();
  for (std::size_t c = 0; c < columns; ++c) {
    SeriesDecimator series(0, run.duration_s, budget.points / columns);
    for (std::size_t row = 0; row < record.timeline.rows(); ++row)
      series.add(seconds(record.timeline.at(row)), record.timeline.value(row, c));
    run.series.push_back({record.timeline.columns[c], series.finish()});
  }
  return run;
}

}  // namespace dynasoc::report
