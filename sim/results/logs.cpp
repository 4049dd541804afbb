#include "results/logs.hpp"

#include <cmath>

#include "common/csv.hpp"
#include "results/columns.hpp"
#include "results/why.hpp"

namespace dynasoc {
namespace {

void append_s(std::string& out, Time t) {
  if (t != kNoTime) append_decimal(out, t, 9);
}

void append_if_finite(std::string& out, double x) {
  if (std::isfinite(x)) append_number(out, x);
}

}  // namespace

LogFiles::LogFiles(const std::filesystem::path& directory, const Setup& setup)
    : setup_(setup),
      jobs_(directory / "jobs.csv"),
      decisions_(directory / "decisions.csv"),
      candidates_(directory / "candidates.csv"),
      timeline_(directory / "timeline.csv") {
  jobs_.buffer() = header_of("jobs");
  decisions_.buffer() = header_of("decisions");
  candidates_.buffer() = header_of("candidates");
  for (const AppSetup& app : setup.apps) {
    app_cells_.push_back(csv_cell(app.name) + ',');
    std::vector<std::string>& cells = accuracy_cells_.emplace_back();
    for (const Subnet& subnet : app.network->file.subnets) cells.push_back(number_text(subnet.accuracy) + ',');
  }
  for (const auto& [name, unit] : setup.platform.file.units) unit_cells_.push_back(csv_cell(name) + ",L");
}

void LogFiles::on_flush(const std::function<void()>& poll) {
  for (FileWriter* file : {&jobs_, &decisions_, &candidates_, &timeline_}) file->on_flush(poll);
}

void LogFiles::add(const RunRecord& record) {
  add_jobs(record);
  add_decisions(record);
  add_candidates(record);
  add_timeline(record);
}

void LogFiles::commit() {
  for (FileWriter* file : {&jobs_, &decisions_, &candidates_, &timeline_}) file->commit();
}

void LogFiles::add_jobs(const RunRecord& record) {
  std::string& out = jobs_.buffer();
  const std::string replication = std::to_string(record.replication) + ',';
  for (std::size_t i = 0; i < record.jobs.size(); ++i) {
    const JobRecord& job = record.jobs[i];
    out.append(replication).append(app_cells_[job.app]);
    append_number(out, static_cast<long long>(job.job));
    for (const Time t : {job.arrival, job.start, job.end, job.deadline}) {
      out += ',';
      append_s(out, t);
    }
    out += ',';
    out.append(name_of(job.outcome)) += ',';
    out += unit_cells_[job.unit];
    append_number(out, static_cast<long long>(job.subnet + 1));
    out += ',';
    if (job.end == kNoTime) {
      out += ",,\n";
    } else {
      out += accuracy_cells_[job.app][job.subnet];
      append_number(out, to_ms(job.end - job.arrival));
      out += ',';
      append_number(out, job.energy_mj);
      out += '\n';
    }
    jobs_.flush_if_large();
  }
}

void LogFiles::add_decisions(const RunRecord& record) {
  std::string& out = decisions_.buffer();
  CandidateCounts counts(record);
  for (const DecisionRecord& decision : record.decision_log) {
    counts.next(decision);
    append_number(out, static_cast<long long>(record.replication));
    out += ',';
    append_s(out, decision.at);
    out += ',' + csv_cell(decision.by_board ? "board" : setup_.policy.name) + ',' + csv_cell(decision.target) + ',' +
           csv_cell(decision.knob) + ',' + csv_cell(decision.from) + ',' + csv_cell(decision.to) + ',' +
           csv_cell(decision.reason) + ',';
    append_number(out, decision.margin);
    out += ',';
    append_number(out, static_cast<long long>(decision.decision));
    out += ',' + decision.trigger + ',' + decision.binding + ',';
    if (!decision.binding.empty()) append_number(out, decision.slack);
    out += ',' + std::to_string(counts.candidates) + ',' + std::to_string(counts.feasible) + '\n';
    decisions_.flush_if_large();
  }
}

void LogFiles::add_candidates(const RunRecord& record) {
  std::string& out = candidates_.buffer();
  for (const CandidateRecord& candidate : record.candidates) {
    append_number(out, static_cast<long long>(record.replication));
    out += ',';
    append_number(out, static_cast<long long>(candidate.decision));
    out += ',';
    if (candidate.app >= 0) out += csv_cell(setup_.apps[static_cast<std::size_t>(candidate.app)].name);
    out += ',';
    if (candidate.subnet >= 0) out += 'L' + std::to_string(candidate.subnet + 1);
    out += ',';
    if (candidate.unit >= 0)
      out += csv_cell(setup_.platform.file.units[static_cast<std::size_t>(candidate.unit)].first);
    out += ',';
    if (candidate.unit >= 0 && candidate.opp >= 0) append_number(out, candidate_mhz(setup_, candidate));
    for (const double x : {candidate.latency_ms, candidate.accuracy, candidate.energy_mj}) {
      out += ',';
      append_if_finite(out, x);
    }
    out += candidate.feasible ? ",1" : ",0";
    out += candidate.chosen ? ",1\n" : ",0\n";
    candidates_.flush_if_large();
  }
}

void LogFiles::add_timeline(const RunRecord& record) {
  std::string& out = timeline_.buffer();
  const Timeline& timeline = record.timeline;
  if (!timeline_has_header_) {
    out += "replication,time_s";
    for (const std::string& column : timeline.columns) out += ',' + csv_cell(column);
    out += '\n';
    timeline_has_header_ = true;
  }
  for (std::size_t row = 0; row < timeline.rows(); ++row) {
    append_number(out, static_cast<long long>(record.replication));
    out += ',';
    append_s(out, timeline.at(row));
    for (std::size_t c = 0; c < timeline.columns.size(); ++c) {
      out += ',';
      append_if_finite(out, timeline.value(row, c));
    }
    out += '\n';
    timeline_.flush_if_large();
  }
}

}  // namespace dynasoc
