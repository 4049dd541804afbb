#include "results/trace.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>
#include <variant>

#include "common/text.hpp"
#include "results/trace_file.hpp"
#include "results/why.hpp"
#include "world/background.hpp"

namespace dynasoc {
namespace {

std::string json_text(std::string_view text) {
  std::string out;
  append_json(out, text);
  return out;
}

// Rows for slices that may overlap: on each of them one after another.
class Rows {
 public:
  /// Index of the row where [begin, end] has place, the first there is; -1 if they are all taken.
  int place(Time begin, Time end) {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      Row& row = rows_[i];
      if (row.end > begin || row.begin == begin) continue;  // two of no length at one instant would lie in each other
      row = {begin, end};
      return static_cast<int>(i);
    }
    return -1;
  }

 private:
  struct Row {
    Time begin = std::numeric_limits<Time>::min();
    Time end = std::numeric_limits<Time>::min();
  };
  std::array<Row, kWaitingRows> rows_{};
};

// One run: its processes and threads are numbered from `first` on, so that several runs stand one above the other.
class RunTrace {
 public:
  RunTrace(TraceFile& to, const Setup& setup, const RunRecord& record, const std::string& label, long long run,
           long long& ids, Time until)
      : to_(to), setup_(setup), record_(record), ids_(ids), end_(from_s(record.duration_s)), until_(until) {
    const std::string prefix = label.empty() ? "" : label + ": ";
    units_ = setup.platform.file.units.size();
    processes_ = static_cast<long long>(2 + units_ + setup.apps.size());
    threads_ = static_cast<long long>(std::max(kWaitingRows + 1, setup.apps.size() + setup.background.size()));
    first_ = 1 + run * processes_;
    name_everything(prefix);
  }

  void write() {
    write_jobs();
    write_loads();
    write_decisions();
    write_counters();
  }

 private:
  // The rows of a process are numbered as no process is: viewers take the thread of that number for its main thread.
  Track row(long long process, std::size_t thread) const {
    constexpr long long kBeyondProcesses = 1'000'000;
    return {process, kBeyondProcesses + process * threads_ + static_cast<long long>(thread)};
  }
  long long board() const { return first_; }
  long long manager() const { return first_ + 1; }
  long long unit(std::size_t u) const { return first_ + 2 + static_cast<long long>(u); }
  long long application(std::size_t a) const { return unit(units_ + a); }
  Track running(const JobRecord& job) const { return row(unit(job.unit), job.app); }
  Track outcomes(std::size_t a) const { return row(application(a), 0); }
  Track waiting(std::size_t a, int place) const { return row(application(a), 1 + static_cast<std::size_t>(place)); }
  Track load(std::size_t b) const {
    return row(unit(static_cast<std::size_t>(setup_.background[b].unit)), setup_.apps.size() + b);
  }

  void name_everything(const std::string& prefix) {
    to_.process_name(board(), json_text(prefix + "board"));
    to_.process_name(manager(), json_text(prefix + "manager " + setup_.policy.name));
    to_.thread_name(row(manager(), 0), "\"decisions\"");
    to_.thread_name(row(manager(), 1), "\"the board's own\"");
    for (std::size_t u = 0; u < units_; ++u) {
      to_.process_name(unit(u), json_text(prefix + "unit " + setup_.platform.file.units[u].first));
      for (std::size_t a = 0; a < setup_.apps.size(); ++a)
        to_.thread_name(row(unit(u), a), json_text(setup_.apps[a].name));
    }
    for (std::size_t b = 0; b < setup_.background.size(); ++b)
      to_.thread_name(load(b), json_text("load " + setup_.background[b].name));
    for (std::size_t a = 0; a < setup_.apps.size(); ++a) {
      to_.process_name(application(a), json_text(prefix + "application " + setup_.apps[a].name));
      to_.thread_name(outcomes(a), "\"outcomes\"");
    }
  }

  // A frame: it waits at its application, runs on a unit, and has an outcome. An arrow leads through all of them.
  void write_jobs() {
    rows_.resize(setup_.apps.size());
    rows_named_.resize(setup_.apps.size());
    for (std::size_t i = 0; i < record_.jobs.size(); ++i) {
      const JobRecord& job = record_.jobs[i];
      if (job.arrival >= until_) continue;
      const bool started = job.start != kNoTime, done = job.end != kNoTime;
      const bool lost = job.outcome == Outcome::dropped || job.outcome == Outcome::rejected;
      const long long id = ++ids_;
      bool arrow = false;
      if (job.outcome != Outcome::rejected)
        arrow = write_waiting(job, started ? job.start : lost ? job.given_up_at() : std::max(end_, job.arrival), id);
      if (started) {
        const Time until = done ? job.end : std::max(end_, job.start);
        write_slice(job, until);
        to_.arrow(arrow ? 't' : 's', running(job), id, job.start);
        arrow = true;
      }
      if (done || lost) write_outcome(job, done ? job.end : job.given_up_at(), arrow ? id : 0);
    }
  }

  bool write_waiting(const JobRecord& job, Time until, long long id) {
    const int place = rows_[job.app].place(job.arrival, until);
    if (place < 0) {
      const Track track = outcomes(job.app);
      to_.begin_overlapping(track, "\"waiting\"", "waiting", id, job.arrival);
      to_.argument("job", static_cast<long long>(job.job));
      to_.end_overlapping(track, "\"waiting\"", "waiting", id, until);
      return false;
    }
    const Track track = waiting(job.app, place);
    if (int& named = rows_named_[job.app]; place >= named) {
      to_.thread_name(track, place == 0 ? "\"waiting\"" : "\"waiting, row " + std::to_string(place + 1) + "\"");
      named = place + 1;
    }
    to_.slice(track, "\"waiting\"", "waiting", job.arrival, until);
    to_.argument("job", static_cast<long long>(job.job));
    to_.arrow('s', track, id, job.arrival);
    return true;
  }

  void write_slice(const JobRecord& job, Time until) {
    to_.slice(running(job), subnet_name(job.subnet), "job", job.start, until);
    to_.argument("job", static_cast<long long>(job.job));
    to_.argument("outcome", name_of(job.outcome));
    if (job.end == kNoTime) return;
    to_.argument("energy_mj", job.energy_mj);
    to_.argument_ms("latency_ms", job.end - job.arrival);
    if (job.deadline != kNoTime) to_.argument_ms("lateness_ms", job.end - job.deadline);
  }

  void write_outcome(const JobRecord& job, Time at, long long arrow) {
    const std::string name = '"' + std::string(name_of(job.outcome)) + '"';
    to_.instant(outcomes(job.app), name, "outcome", at);
    to_.argument("job", static_cast<long long>(job.job));
    if (job.deadline != kNoTime) to_.argument_ms("lateness_ms", at - job.deadline);
    if (arrow > 0) to_.arrow('f', outcomes(job.app), arrow, at);
  }

  // When a load is there, and where that is known, when it wants its unit: of bursts, when they come.
  void write_loads() {
    for (std::size_t b = 0; b < setup_.background.size(); ++b) {
      const BackgroundSetup& load = setup_.background[b];
      const Time shown = std::min(end_, until_);
      const auto [from, to] = presence(setup_, b, shown);
      if (from >= to) continue;
      to_.slice(this->load(b), json_text(load.name), "load", from, to);
      to_.argument("weight", load.file.weight);
      to_.argument("power_factor", load.file.power_factor);
      if (std::holds_alternative<OnOffDemand>(load.file.demand)) {
        each_busy_phase(setup_, b, record_.replication, shown,
                        [&](Time begin, Time end) { to_.slice(this->load(b), "\"busy\"", "load", begin, end); });
      } else if (const auto* bursts = std::get_if<PeriodicDemand>(&load.file.demand)) {
        for (Time at = from; at < to; at += from_ms(bursts->period_ms)) {
          to_.instant(this->load(b), "\"burst\"", "load", at);
          to_.argument("work_ms", bursts->work_ms);
        }
      }
    }
  }

  void write_decisions() {
    CandidateCounts counts(record_);
    for (const DecisionRecord& write : record_.decision_log) {
      if (write.at >= until_) break;
      counts.next(write);
      to_.instant(row(manager(), write.by_board ? 1 : 0), json_text(write.target + " " + write.knob + " " + write.to),
                  "decision", write.at);
      for (const auto& [key, text] :
           std::initializer_list<std::pair<std::string_view, const std::string&>>{{"target", write.target},
                                                                                  {"knob", write.knob},
                                                                                  {"from", write.from},
                                                                                  {"to", write.to},
                                                                                  {"reason", write.reason},
                                                                                  {"trigger", write.trigger},
                                                                                  {"binding", write.binding}})
        if (!text.empty()) to_.argument(key, std::string_view(text));
      if (!write.binding.empty()) to_.argument("slack", write.slack);
      to_.argument("margin", write.margin);
      to_.argument("decision", static_cast<long long>(write.decision));
      to_.argument("candidates", counts.candidates);
      to_.argument("feasible", counts.feasible);
    }
  }

  struct Counter {
    long long process = 0;
    std::string name;
    std::string_view unit;
    bool mean = false;  // since the last sample: it held from there on
    double last = std::numeric_limits<double>::quiet_NaN();
  };

  // In the order of the timeline's columns, which World::run makes.
  std::vector<Counter> counters() const {
    std::vector<Counter> out{{board(), json_text("power"), "W", true}};
    for (std::size_t u = 0; u < units_; ++u) {
      out.push_back({unit(u), json_text("utilisation"), "share", true});
      out.push_back({unit(u), json_text("clock"), "MHz"});
      out.push_back({unit(u), json_text("power"), "W", true});
    }
    const auto& columns = record_.timeline.columns;
    for (std::size_t c = out.size(); c + 2 * setup_.apps.size() < columns.size(); ++c) {
      constexpr std::string_view kTemperature = "_temperature_c", kReading = "_reading_w", kTrue = "_true_w";
      const std::string& column = columns[c];
      const auto without = [&](std::string_view end) { return column.substr(0, column.size() - end.size()); };
      if (column.ends_with(kTemperature))
        out.push_back({board(), json_text("temperature " + without(kTemperature)), "degC"});
      else if (column.ends_with(kReading))
        out.push_back({board(), json_text("meter " + without(kReading)), "W"});
      else
        out.push_back({board(), json_text("rail " + without(kTrue)), "W", true});
    }
    for (std::size_t a = 0; a < setup_.apps.size(); ++a) {
      out.push_back({application(a), json_text("sub-network"), "level"});
      out.push_back({application(a), json_text("queue"), "frames"});
    }
    return out;
  }

  void write_counters() {
    const Timeline& timeline = record_.timeline;
    if (timeline.rows() == 0) return;
    std::vector<Counter> all = counters();
    Time before = 0;
    for (std::size_t row = 0; row < timeline.rows(); ++row) {
      const Time at = timeline.at(row);
      if (at >= until_) break;
      for (std::size_t c = 0; c < all.size(); ++c) {
        Counter& counter = all[c];
        const double value = timeline.value(row, c);
        if (!std::isfinite(value) || value == counter.last) continue;
        counter.last = value;
        to_.counter(counter.process, counter.name, counter.unit, counter.mean ? before : at, value);
      }
      before = at;
    }
  }

  std::string_view subnet_name(std::size_t subnet) {
    while (subnet_names_.size() <= subnet) subnet_names_.push_back(json_text(level_name(subnet_names_.size())));
    return subnet_names_[subnet];
  }

  TraceFile& to_;
  const Setup& setup_;
  const RunRecord& record_;
  long long& ids_;
  Time end_, until_;
  std::size_t units_ = 0;
  long long processes_ = 0, threads_ = 0, first_ = 0;
  std::vector<Rows> rows_;       // by application
  std::vector<int> rows_named_;  // by application: how many rows have been used
  std::vector<std::string> subnet_names_;
};

}  // namespace

void append_trace(FileWriter& file, const Setup& setup,
                  const std::vector<std::pair<std::string, const RunRecord*>>& runs, Time until) {
  TraceFile to(file);
  long long ids = 0;
  for (std::size_t run = 0; run < runs.size(); ++run)
    RunTrace(to, setup, *runs[run].second, runs[run].first, static_cast<long long>(run), ids, until).write();
  to.end();
}

void write_trace(const std::filesystem::path& path, const Setup& setup,
                 const std::vector<std::pair<std::string, const RunRecord*>>& runs) {
  FileWriter file(path);
  append_trace(file, setup, runs);
  file.commit();
}

void write_trace(const std::filesystem::path& path, const Setup& setup, const RunRecord& record) {
  write_trace(path, setup, {{"", &record}});
}

}  // namespace dynasoc
