// A run's directory read back: row by row (decisions twice, the other files once), in memory only what the page is made
// of.
#include <algorithm>
#include <array>
#include <cmath>

#include "common/csv_rows.hpp"
#include "common/text.hpp"
#include "results/report/report.hpp"
#include "results/report/run_data.hpp"

namespace dynasoc::report {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kRowsPerLook = 1 << 14;  // between two calls of `progress`

// Rows of one replication; tells how far it is. `each` sees the rows of all replications.
class Rows {
 public:
  Rows(const fs::path& path, int replication, const std::function<void(double)>& progress,
       std::function<void(const CsvRows&)> each = {})
      : rows_(path),
        replication_(static_cast<std::uint64_t>(replication)),
        progress_(progress),
        each_(std::move(each)) {
    of_ = rows_.column("replication");
  }
  bool next() {
    while (rows_.next()) {
      if (progress_ && ++read_ % kRowsPerLook == 0)
        progress_(static_cast<double>(rows_.position()) /
                  static_cast<double>(std::max<std::size_t>(1, rows_.file_size())));
      if (each_) each_(rows_);
      if (rows_.whole(of_) == replication_) return true;
    }
    return false;
  }
  CsvRows* operator->() { return &rows_; }
  const CsvRows& operator*() const { return rows_; }

 private:
  CsvRows rows_;
  std::size_t of_ = 0;
  std::uint64_t replication_;
  const std::function<void(double)>& progress_;
  std::function<void(const CsvRows&)> each_;
  std::size_t read_ = 0;
};

Outcome outcome_of(const CsvRows& rows, std::size_t column) {
  const std::string_view text = rows.text(column);
  for (const Outcome one : {Outcome::met, Outcome::missed, Outcome::dropped, Outcome::rejected, Outcome::unfinished})
    if (name_of(one) == text) return one;
  throw rows.error(column, in_quotes(text) + " is no outcome of a frame");
}

// A name that is short and well-formed: what the page shows must be text.
std::string_view name_in(const CsvRows& rows, std::size_t column) {
  const std::string_view text = rows.text(column);
  if (first_invalid_utf8(text) < text.size()) throw rows.error(column, "not valid UTF-8");
  return text;
}

void read_jobs(const fs::path& path, RunData& run, const std::function<void(double)>& progress,
               const Counted& counted) {
  std::map<std::string, std::uint64_t, std::less<>> found;
  for (const auto& [name, told] : counted.frames) found[name] = 0;
  std::size_t of_app = 0, of_arrival = 0;
  const std::function<void(const CsvRows&)> count = [&](const CsvRows& row) {
    if (row.number(of_arrival) < run.warmup_s) return;
    const auto it = found.find(row.text(of_app));
    if (it == found.end()) throw row.error(of_app, "summary.json has no such application: the file is of another run");
    ++it->second;
  };
  Rows rows(path, run.replication, progress, counted.known ? count : std::function<void(const CsvRows&)>());
  of_app = rows->column("app");
  of_arrival = rows->column("arrival_s");
  const std::size_t app = rows->column("app"), arrival = rows->column("arrival_s"), start = rows->column("start_s"),
                    end = rows->column("end_s"), outcome = rows->column("outcome"), unit = rows->column("unit"),
                    subnet = rows->column("subnet"), accuracy = rows->column("accuracy"),
                    latency = rows->column("latency_ms"), energy = rows->column("energy_mj");
  Names apps;
  for (const AppData& one : run.apps) apps.number(one.name);
  JobColumns& jobs = run.jobs;
  while (rows.next()) {
    const auto number = [&](Names& names, std::size_t column, std::size_t most) {
      const std::uint32_t i = names.number(rows->text(column));
      if (i >= most) throw rows->error(column, "more different names than a run can have");
      return i;
    };
    const std::size_t known = apps.size() + run.units.size() + run.subnets.size();
    jobs.app.push_back(static_cast<std::uint16_t>(number(apps, app, 1u << 16)));
    jobs.unit.push_back(static_cast<std::uint8_t>(number(run.units, unit, 1u << 8)));
    jobs.subnet.push_back(static_cast<std::uint16_t>(number(run.subnets, subnet, 1u << 16)));
    if (apps.size() + run.units.size() + run.subnets.size() > known)
      for (const std::size_t column : {app, unit, subnet}) name_in(*rows, column);
    jobs.outcome.push_back(outcome_of(*rows, outcome));
    jobs.arrival_s.push_back(rows->number(arrival));
    jobs.start_s.push_back(rows->number_or_nan(start));
    jobs.end_s.push_back(rows->number_or_nan(end));
    jobs.latency_ms.push_back(static_cast<float>(rows->number_or_nan(latency)));
    jobs.accuracy.push_back(static_cast<float>(rows->number_or_nan(accuracy)));
    jobs.energy_mj.push_back(static_cast<float>(rows->number_or_nan(energy)));
  }
  for (const auto& [name, told] : counted.frames)
    if (found[name] != told)
      throw lacks_rows(path, found[name], "frames of " + name + (run.warmup_s > 0 ? " after the warm-up" : ""), told,
                       "summary.json");
  for (std::size_t a = run.apps.size(); a < apps.size(); ++a) run.apps.push_back({apps.all()[a], "", {}});
}

// Twice: first what decides which are kept, then those.
void read_writes(const fs::path& path, const Budget& budget, RunData& run, std::size_t& options_of_kept,
                 const std::function<void(double)>& progress, const Counted& counted) {
  std::vector<WriteKey> keys;
  std::vector<std::uint32_t> options;  // that the decision looked at
  // Of the manager, in all replications. Of those at the very end of the warm-up a part may count.
  std::uint64_t from_warmup = 0, after_warmup = 0;
  {
    std::size_t of_time = 0, of_policy = 0;
    const std::function<void(const CsvRows&)> count = [&](const CsvRows& row) {
      if (row.text(of_policy) == "board") return;
      const double time = row.number(of_time);
      from_warmup += time >= run.warmup_s;
      after_warmup += time > run.warmup_s;
    };
    Rows rows(path, run.replication, progress, counted.writes ? count : std::function<void(const CsvRows&)>());
    of_time = rows->column("time_s");
    of_policy = rows->column("policy");
    const std::size_t time = rows->column("time_s"), policy = rows->column("policy"), from = rows->column("from"),
                      to = rows->column("to"), margin = rows->column("margin"), decision = rows->column("decision"),
                      candidates = rows->column("candidates");
    while (rows.next()) {
      const std::uint64_t number = rows->whole(decision);
      if (!keys.empty() && number < keys.back().decision)
        throw rows->error(decision, "decisions are not in order: the file was changed");
      if (number > 0xFFFFFFFFu) throw rows->error(decision, "is too large");
      const auto looked_at = static_cast<std::uint32_t>(rows->whole(candidates));
      if (keys.empty() || keys.back().decision != number) run.options_total += looked_at;
      keys.push_back({rows->number(time), static_cast<std::uint32_t>(number),
                      static_cast<float>(rows->number_or_nan(margin)), rows->text(policy) == "board",
                      rows->text(from) != rows->text(to)});
      options.push_back(looked_at);
    }
  }
  if (run.warmup_s <= 0) after_warmup = from_warmup;  // without one, nothing is left out
  if (counted.writes && (*counted.writes < after_warmup || *counted.writes > from_warmup))
    throw lacks_rows(path, from_warmup,
                     std::string("knobs written by the manager") + (run.warmup_s > 0 ? " after the warm-up" : ""),
                     *counted.writes, "summary.json");
  run.writes_total = keys.size();
  const std::vector<std::uint32_t> kept = keep_writes(keys, budget.decisions);
  if (kept.empty()) return;
  for (std::size_t k = 0; k < kept.size(); ++k)
    if (k == 0 || keys[kept[k]].decision != keys[kept[k - 1]].decision) options_of_kept += options[kept[k]];

  Rows rows(path, run.replication, progress);
  std::array<std::size_t, 8> texts{};
  static constexpr std::array<const char*, 8> kTexts{"policy", "trigger", "target", "knob",
                                                     "from",   "to",      "reason", "binding"};
  for (std::size_t i = 0; i < kTexts.size(); ++i) texts[i] = rows->column(kTexts[i]);
  const std::size_t slack = rows->column("slack");
  std::uint32_t row = 0;
  for (auto next = kept.begin(); next != kept.end() && rows.next(); ++row) {
    if (row != *next) continue;
    ++next;
    const auto text = [&](std::size_t i) { return std::string(name_in(*rows, texts[i])); };
    run.writes.push_back({keys[row].at_s, keys[row].decision, text(0), text(1), text(2), text(3), text(4), text(5),
                          text(6), text(7), static_cast<double>(keys[row].margin), rows->number_or_nan(slack)});
  }
}

void read_options(const fs::path& path, const Budget& budget, RunData& run, std::size_t of_kept,
                  const std::function<void(double)>& progress) {
  if (of_kept == 0) return;
  Rows rows(path, run.replication, progress);
  const std::size_t decision = rows->column("decision"), app = rows->column("application"),
                    subnet = rows->column("subnet"), unit = rows->column("unit"), mhz = rows->column("mhz"),
                    latency = rows->column("latency_ms"), accuracy = rows->column("accuracy"),
                    energy = rows->column("energy_mj"), feasible = rows->column("feasible"),
                    chosen = rows->column("chosen");
  OptionFilter filter(of_kept, budget.candidates);
  std::size_t found = 0;
  auto write = run.writes.begin();
  while (write != run.writes.end() && rows.next()) {
    const std::uint64_t number = rows->whole(decision);
    while (write != run.writes.end() && write->decision < number) ++write;
    if (write == run.writes.end() || write->decision != number) continue;
    ++found;
    if (!filter.keeps(write->decision)) continue;
    const auto text = [&](std::size_t column) { return std::string(name_in(*rows, column)); };
    run.options.push_back({write->decision, text(app), text(subnet), text(unit), rows->number_or_nan(mhz),
                           rows->number_or_nan(latency), rows->number_or_nan(accuracy), rows->number_or_nan(energy),
                           rows->whole(feasible) != 0, rows->whole(chosen) != 0});
  }
  if (found != of_kept) throw lacks_rows(path, found, "choices of the decisions shown", of_kept, "decisions.csv");
}

void read_timeline(const fs::path& path, const Budget& budget, RunData& run,
                   const std::function<void(double)>& progress, const Counted& counted) {
  std::uint64_t found = 0;
  Rows rows(path, run.replication, progress, [&](const CsvRows&) { ++found; });
  const std::size_t time = rows->column("time_s");
  std::vector<std::size_t> columns;
  for (std::size_t c = 0; c < rows->columns().size(); ++c)
    if (rows->columns()[c] != "replication" && c != time) columns.push_back(c);
  std::vector<SeriesDecimator> series(
      columns.size(), SeriesDecimator(0, run.duration_s, budget.points / std::max<std::size_t>(1, columns.size())));
  while (rows.next()) {
    const double t_s = rows->number(time);
    for (std::size_t i = 0; i < columns.size(); ++i) series[i].add(t_s, rows->number_or_nan(columns[i]));
  }
  if (counted.samples && found != *counted.samples)
    throw lacks_rows(path, found, "samples", *counted.samples, "duration and period in manifest.json");
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string& name = rows->columns()[columns[i]];
    if (first_invalid_utf8(name) < name.size()) throw InputError({path.string(), 1, 1, "header"}, "not valid UTF-8");
    run.series.push_back({name, series[i].finish()});
  }
}

}  // namespace

void read_run(const fs::path& directory, const Budget& budget, RunData& run,
              const std::function<void(double)>& progress, const Counted& counted) {
  // Shares of the time, by the bytes there are to read.
  const auto bytes = [&](const char* name) {
    std::error_code code;
    const auto size = fs::file_size(directory / name, code);
    return code ? 0.0 : static_cast<double>(size);
  };
  const double jobs = bytes("jobs.csv"), writes = bytes("decisions.csv"), options = bytes("candidates.csv"),
               timeline = bytes("timeline.csv");
  const double all = std::max(1.0, jobs + 2 * writes + options + timeline);
  double before = 0;
  const auto part = [&](double size) {
    const double begin = before;
    before += size;
    return [&progress, begin, size, all](double share) {
      if (progress) progress((begin + share * size) / all);
    };
  };
  read_jobs(directory / "jobs.csv", run, part(jobs), counted);
  std::size_t of_kept = 0;
  read_writes(directory / "decisions.csv", budget, run, of_kept, part(2 * writes), counted);
  read_options(directory / "candidates.csv", budget, run, of_kept, part(options));
  read_timeline(directory / "timeline.csv", budget, run, part(timeline), counted);
}

}  // namespace dynasoc::report
