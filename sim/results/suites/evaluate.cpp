#include "results/suites/evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "common/nan.hpp"
#include "common/text.hpp"
#include "results/comparison.hpp"
#include "results/output.hpp"
#include "results/summary.hpp"

namespace dynasoc::suite {
namespace {

// Other compilers and machines round sums differently; the two engines agree to as much.
constexpr double kRounding = 1e-9;

struct Measured {
  std::vector<Metrics> metrics;
  Digest digest;
  Named<std::string> inputs;
};

// What tells two simulations apart.
std::string identity(const Scenario& scenario, const RunFile& run) {
  return scenario.folder.string() + '\n' + scenario.document->root().dump() + '\n' +
         std::to_string(scenario.setup->seed) + '\n' + std::to_string(run.replications) + '\n' +
         std::to_string(static_cast<int>(run.engine));
}

Named<std::string> inputs_of(const Scenario& scenario) {
  Named<std::string> out;
  for (const auto& [path, hash] : hashes_of(scenario.inputs))  // the folder tells tables of one name apart
    out.emplace_back((path.parent_path().filename() / path.filename()).string(), hash);
  return out;
}

Measured simulated(const Scenario& scenario, const RunFile& run, int jobs,
                   const std::function<void(double)>& progress) {
  Measured out;
  out.inputs = inputs_of(scenario);  // before the run: by its end a file may be another
  const Recording recording{.jobs = true, .decisions = false, .timeline_period = 0};
  std::vector<RunRecord> records;
  const auto take = [&](RunRecord record) {
    out.metrics.push_back(measure(*scenario.setup, record));
    record.forget_logs();
    records.push_back(std::move(record));
  };
  simulate_each(*scenario.setup, recording, run.engine, run.replications, jobs, take, progress);
  const std::string engine = dynasoc::to_json(run.engine).get<std::string>();
  out.digest = digest_of(summary_json(scenario, engine, records));
  return out;
}

std::vector<double> values(const MetricColumn& column, const Measured& of) {
  std::vector<double> out;
  for (const Metrics& one : of.metrics) out.push_back(column.value(one));
  return out;
}

// Pairs' differences, rounding taken as none.
std::vector<double> differences(const std::vector<double>& ours, const std::vector<double>& theirs) {
  std::vector<double> out;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double d = ours[i] - theirs[i];
    if (std::isfinite(d))
      out.push_back(std::abs(d) <= kRounding * std::max(std::abs(ours[i]), std::abs(theirs[i])) ? 0 : d);
  }
  return out;
}

double mean(const std::vector<double>& all) { return estimate(all).mean; }

// In how many replications `these` is undefined; only where `there` has a value, if it is given.
std::size_t undefined(const std::vector<double>& these, const std::vector<double>* there = nullptr) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < these.size(); ++i)
    count += !std::isfinite(these[i]) && (there == nullptr || std::isfinite((*there)[i]));
  return count;
}

std::string undefined_text(std::size_t count, std::size_t of) {
  return "is undefined in " + std::to_string(count) + " of " + std::to_string(of) + " replications";
}

std::string percent(double share) { return plain_number(six_digits(100 * share)) + " %"; }

// `+3.1 % [+2.9, +3.3]`, or as a difference where there is no ratio.
std::string change_with_interval(const Finding& one) {
  const auto signed_number = [](double x) { return (x < 0 ? "−" : "+") + rounded_text(std::abs(x), 3); };
  const Estimate& relative = one.relative;
  if (std::isfinite(relative.mean)) {
    std::string out = signed_percent(relative.mean);
    if (std::isfinite(relative.interval.low) && relative.interval.low != relative.interval.high)
      out +=
          " [" + signed_number(100 * relative.interval.low) + ", " + signed_number(100 * relative.interval.high) + "]";
    return out;
  }
  return std::isfinite(one.difference.mean)
             ? signed_number(one.difference.mean) + (one.unit.empty() ? "" : " " + one.unit)
             : "undefined";
}

std::string p_text(double p) { return p < 0.001 ? "p < 0.001" : "p = " + rounded_text(p, 2); }

class Judge {
 public:
  Judge(const Run& run, const StoredRun* before, const Measured& ours,
        const std::map<std::string, std::shared_ptr<const Measured>>& others, const Where& baseline)
      : run_(run), before_(before), ours_(ours), others_(others), baseline_(baseline) {}

  Finding judge(const Expectation& expectation) const {
    return std::visit(
        [&](const auto& one) {
          const MetricColumn column(*run_.scenario.setup, one.metric.text);
          Finding out;
          out.run = run_.name;
          out.kind = out.label = one.kind;
          if constexpr (requires { one.than; }) out.label += " than " + one.than.text;
          out.metric = column.name();
          out.unit = column.metric().unit;
          for (const AppSetup& app : run_.scenario.setup->apps)
            if (out.metric.starts_with("apps." + app.name + ".")) out.application = app.name;
          out.where = one.where;
          out.note = one.note;
          const std::vector<double> own = values(column, ours_);
          out.ours = mean(own);
          out.undefined = undefined(own);
          against(one, column.metric().better, own, out);
          return out;
        },
        expectation);
  }

 private:
  static void compare(Finding& out, const std::vector<double>& own, const std::vector<double>& theirs) {
    out.reference = mean(theirs);
    out.difference = estimate(differences(own, theirs));
    out.relative = relative_difference(own, theirs);
    if (out.difference.mean == 0) out.relative.mean = 0, out.relative.interval = {0, 0};
  }

  // Of a value or a limit: how far off it is, without a test.
  static void apart(Finding& out) {
    out.difference.n = 1;
    out.difference.mean = out.ours - out.reference;
    if (out.reference != 0) out.relative.mean = out.difference.mean / std::abs(out.reference);
  }

  // A mean over those replications that have a value would say nothing of the others.
  static bool incomplete(const std::vector<double>& own, Finding& out) {
    if (out.undefined == 0) return false;
    out.ours = kNaN;
    out.difference = out.relative = {};
    out.state = State::fails;
    out.message = undefined_text(out.undefined, own.size()) + ", expected " + out.wanted;
    return true;
  }

  void against(const ValueExpectation& one, Better /*better*/, const std::vector<double>& own, Finding& out) const {
    const double tolerance = one.absolute + one.relative * std::abs(one.value);
    out.reference = one.value;
    apart(out);
    out.wanted = with_unit(one.value, out.unit);
    if (one.relative > 0) out.wanted += " ± " + percent(one.relative);
    if (one.absolute > 0) out.wanted += (one.relative > 0 ? " and " : " ± ") + with_unit(one.absolute, out.unit);
    if (incomplete(own, out)) return;
    const double rounding = kRounding * std::max(std::abs(one.value), std::abs(out.ours));
    if (std::abs(out.difference.mean) <= tolerance + rounding) return;
    out.state = State::fails;
    out.message = "is " + with_unit(out.ours, out.unit) + ", expected " + out.wanted;
  }

  void against(const LimitExpectation& one, Better /*better*/, const std::vector<double>& own, Finding& out) const {
    if (one.least) out.wanted = "at least " + with_unit(*one.least, out.unit);
    if (one.most) out.wanted += (one.least ? ", at most " : "at most ") + with_unit(*one.most, out.unit);
    const bool low = one.least && !(out.ours >= *one.least);
    out.reference = low || !one.most ? *one.least : *one.most;
    apart(out);
    if (incomplete(own, out)) return;
    if (!low && (!one.most || out.ours <= *one.most)) return;
    out.state = State::fails;
    out.message = "is " + with_unit(out.ours, out.unit) + ", expected " + out.wanted;
  }

  void against(const BaselineExpectation& one, Better better, const std::vector<double>& own, Finding& out) const {
    const std::string direction = better == Better::neither ? "as it was" : "no worse than";
    const auto* stored = before_ != nullptr ? find(before_->metrics, out.metric) : nullptr;
    if (stored == nullptr) {
      out.wanted = better == Better::neither ? "as the baseline" : "no worse than the baseline";
      out.state = State::no_baseline;
      out.message = "no baseline is stored; `dynasoc check --update` stores one";
      return;
    }
    std::vector<double> theirs;
    for (const auto& x : *stored) theirs.push_back(x.value_or(kNaN));
    if (theirs.size() != own.size())
      throw(baseline_ / "runs" / run_.name / "metrics" / out.metric)
          .error("has " + std::to_string(theirs.size()) + " values for " + std::to_string(own.size()) +
                 " replications");
    compare(out, own, theirs);
    out.wanted = direction + (better == Better::neither ? ", " : " ") + with_unit(out.reference, out.unit);
    if (one.allowed > 0) out.wanted += " + " + percent(one.allowed);
    if (one.allowed_absolute > 0) out.wanted += " + " + with_unit(one.allowed_absolute, out.unit);

    if (const std::size_t lost = undefined(own, &theirs); lost > 0) {
      out.state = State::fails;
      out.message = undefined_text(lost, own.size()) + " where the baseline has a value";
      return;
    }
    const std::vector<double> larger = differences(own, theirs);
    const bool same = std::all_of(larger.begin(), larger.end(), [](double d) { return d == 0; });
    if (same && undefined(theirs, &own) == 0) {  // replication by replication, undefined ones too
      out.p = out.p_gain = 1;
      return;
    }
    if (larger.size() < 2) {
      out.state = State::fails;
      out.message = "has " + std::to_string(larger.size()) + " of " + std::to_string(own.size()) +
                    " replications that can be paired with the baseline: too few for a test";
      return;
    }
    const double up = p_larger(own, theirs, one.allowed, one.allowed_absolute);
    const double down = p_smaller(own, theirs, one.allowed, one.allowed_absolute);
    out.p = better == Better::lower ? up : better == Better::higher ? down : std::min(1.0, 2 * std::min(up, down));
    if (better != Better::neither)
      out.p_gain = better == Better::lower ? p_smaller(own, theirs, 0, 0) : p_larger(own, theirs, 0, 0);
    out.state = State::moved;
  }

  void against(const BetterExpectation& one, Better better, const std::vector<double>& own, Finding& out) const {
    const std::vector<double> theirs =
        values(MetricColumn(*run_.scenario.setup, out.metric), *others_.at(one.than.text));
    compare(out, own, theirs);
    out.wanted = (one.by < 0 ? "no more than " + percent(-one.by) + " worse than " : "better than ") + one.than.text +
                 ": " + with_unit(out.reference, out.unit) + (one.by > 0 ? ", by " + percent(one.by) : "");
    if (const std::size_t lost = undefined(own, &theirs); lost > 0) {
      out.state = State::fails;
      out.message = undefined_text(lost, own.size()) + " where " + one.than.text + " has a value";
      return;
    }
    const double p = better == Better::higher ? p_larger(own, theirs, one.by, 0) : p_smaller(own, theirs, one.by, 0);
    out.p = std::isfinite(p) ? p : 1;  // undefined is not better
  }

  const Run& run_;
  const StoredRun* before_;
  const Measured& ours_;
  const std::map<std::string, std::shared_ptr<const Measured>>& others_;
  Where baseline_;
};

// What the tests say, once all p-values of the suite are known.
void decide(std::vector<Finding*> family, double significance, bool rejecting_is_bad) {
  std::vector<double> p;
  for (const Finding* one : family) p.push_back(one->p);
  const std::vector<double> adjusted = holm(p);
  for (std::size_t i = 0; i < family.size(); ++i) {
    Finding& one = *family[i];
    if (std::isnan(one.p)) continue;  // decided without a test
    one.p_holm = adjusted[i];
    const bool rejected = adjusted[i] < significance;
    if (rejected != rejecting_is_bad) continue;
    one.state = State::fails;
    if (!one.message.empty()) continue;
    one.message = rejecting_is_bad ? "is " + with_unit(one.ours, one.unit) + " (" + change_with_interval(one) + "), " +
                                         one.wanted + " is expected (" + p_text(one.p_holm) + ")"
                                   : "is " + with_unit(one.ours, one.unit) + " (" + change_with_interval(one) +
                                         "): not shown to be " + one.wanted + " (" + p_text(one.p_holm) + ")";
  }
}

// What is better beyond chance, of what holds: adjusted together like the rest, or some of many would be by luck.
void praise(const std::vector<Finding*>& family, double significance) {
  std::vector<double> p;
  for (const Finding* one : family) p.push_back(one->p_gain);
  const std::vector<double> adjusted = holm(p);
  for (std::size_t i = 0; i < family.size(); ++i)
    if (family[i]->state == State::moved && adjusted[i] < significance) family[i]->state = State::improved;
}

// What is stored for a run, where it can be paired with this one.
std::optional<StoredRun> stored(const std::optional<BaselineFile>& file, const Run& run, bool updating) {
  const StoredRun* found = file ? find(file->runs, run.name) : nullptr;
  if (found == nullptr) return std::nullopt;
  const auto own = static_cast<std::int64_t>(run.scenario.setup->seed);
  if (found->seed == own && found->replications == run.file.replications) return *found;
  if (updating) return std::nullopt;
  throw run.file.where.error("the baseline has " + std::to_string(found->replications) + " replications of seed " +
                             std::to_string(found->seed) + " and this run " + std::to_string(run.file.replications) +
                             " of seed " + std::to_string(own) +
                             ": they cannot be paired; `dynasoc check --update` stores new ones");
}

std::string heading_of(const Run& run) {
  return run.file.scenario.text + (run.file.policy.empty() ? "" : ", " + run.file.policy.text) + ", seed " +
         std::to_string(run.scenario.setup->seed) + " x " + std::to_string(run.file.replications) +
         (run.file.engine == EngineKind::simgrid ? ", simgrid" : "");
}

std::string asked_of(const Run& run) {
  std::string out = heading_of(run);
  for (const auto& [field, value] : run.file.set) out += ", " + field + "=" + value.value.dump();
  return out;
}

// What `own` exceeds the other by, beyond a share of it and an amount, pair by pair; rounding taken as none.
std::vector<double> beyond(const std::vector<double>& own, const std::vector<double>& theirs, double share,
                           double absolute, double sign) {
  std::vector<double> out, other;
  for (std::size_t i = 0; i < own.size(); ++i)
    if (std::isfinite(own[i] - theirs[i])) other.push_back(theirs[i]);
  if (mean(other) < 0) share = -share;  // of the mean's size, whatever its sign
  for (std::size_t i = 0; i < own.size(); ++i) {
    const double d = sign * (own[i] - theirs[i]) - share * theirs[i] - absolute;
    if (std::isfinite(d))
      out.push_back(std::abs(d) <= kRounding * std::max(std::abs(own[i]), std::abs(theirs[i])) ? 0 : d);
  }
  return out;
}

}  // namespace

bool Wanted::has(const Run& run) const {
  return runs.empty() || std::find(runs.begin(), runs.end(), run.name) != runs.end();
}

double p_larger(const std::vector<double>& own, const std::vector<double>& theirs, double share, double absolute) {
  return p_above(beyond(own, theirs, share, absolute, 1), 0);
}

double p_smaller(const std::vector<double>& own, const std::vector<double>& theirs, double share, double absolute) {
  return p_above(beyond(own, theirs, share, absolute, -1), 0);
}

double p_above(const std::vector<double>& all, double margin) {
  std::vector<double> beyond;
  for (const double d : all) beyond.push_back(d - margin);
  const double two_sided = paired_p_value(beyond);
  if (std::isnan(two_sided)) return two_sided;
  const auto [least, most] = std::minmax_element(beyond.begin(), beyond.end());
  if (*least == *most) return *least > 0 ? 0 : 1;
  return mean(beyond) > 0 ? two_sided / 2 : 1 - two_sided / 2;
}

double Finding::magnitude() const {
  if (std::isfinite(relative.mean)) return std::abs(relative.mean);
  if (difference.mean == 0 || std::isnan(difference.mean)) return 0;
  return std::numeric_limits<double>::infinity();
}

bool Checked::ok() const {
  return std::all_of(results.begin(), results.end(), [](const Result& one) {
    return std::all_of(one.findings.begin(), one.findings.end(), [](const Finding& f) { return f.ok(); });
  });
}

std::vector<Checked> evaluate(const std::vector<Wanted>& suites, int jobs, bool updating,
                              const std::function<void(double)>& progress) {
  // Which simulations it takes, each once, in the order of the files.
  std::vector<std::pair<const Scenario*, const RunFile*>> tasks;
  std::map<std::string, std::size_t> task_of;
  double total = 0;
  const auto weight = [](const Scenario& scenario, const RunFile& run) {
    return to_s(scenario.setup->duration) * run.replications;
  };
  for (const Wanted& wanted : suites)
    for (const Run& run : wanted.suite.runs) {
      if (!wanted.has(run)) continue;
      std::vector<const Scenario*> all{&run.scenario};
      for (const auto& [label, other] : run.than) all.push_back(&other);
      for (const Scenario* one : all)
        if (task_of.emplace(identity(*one, run.file), tasks.size()).second) {
          tasks.emplace_back(one, &run.file);
          total += weight(*one, run.file);
        }
    }
  // Stored runs that do not fit are refused before an hour is spent.
  std::vector<std::optional<BaselineFile>> baselines;
  for (const Wanted& wanted : suites) {
    baselines.push_back(load_baseline(baseline_path(wanted.suite.path)));
    for (const Run& run : wanted.suite.runs)
      if (wanted.has(run)) stored(baselines.back(), run, updating);
  }
  std::vector<std::shared_ptr<const Measured>> measured;
  double done = 0;
  for (const auto& [scenario, run] : tasks) {
    const double own = weight(*scenario, *run);
    measured.push_back(std::make_shared<const Measured>(simulated(*scenario, *run, jobs, [&](double share) {
      if (progress) progress((done + share * own) / total);
    })));
    done += own;
  }

  std::vector<Checked> out;
  for (std::size_t s = 0; s < suites.size(); ++s) {
    Checked checked{suites[s].suite, {}};
    const std::filesystem::path path = baseline_path(checked.suite.path);
    const Where place{baselines[s] ? Document::load(path) : nullptr, ""};
    for (const Run& run : suites[s].suite.runs) {
      if (!suites[s].has(run)) continue;
      const Measured& ours = *measured[task_of.at(identity(run.scenario, run.file))];
      std::map<std::string, std::shared_ptr<const Measured>> others;
      for (const auto& [label, other] : run.than) others[label] = measured[task_of.at(identity(other, run.file))];
      Result result;
      result.name = run.name;
      result.heading = heading_of(run);
      result.before = stored(baselines[s], run, updating);
      result.now.run = asked_of(run);
      result.now.seed = static_cast<std::int64_t>(run.scenario.setup->seed);
      result.now.replications = run.file.replications;
      result.now.inputs = ours.inputs;
      result.now.digest = ours.digest;
      const Judge judge(run, result.before ? &*result.before : nullptr, ours, others, place);
      for (const Expectation& expectation : run.file.expect) {
        result.findings.push_back(judge.judge(expectation));
        const std::string& metric = result.findings.back().metric;
        if (!std::holds_alternative<BaselineExpectation>(expectation) || find(result.now.metrics, metric) != nullptr)
          continue;
        std::vector<std::optional<double>> own;
        for (const double x : values(MetricColumn(*run.scenario.setup, metric), ours))
          own.push_back(std::isfinite(x) ? std::optional(x) : std::nullopt);
        result.now.metrics.emplace_back(metric, std::move(own));
      }
      checked.results.push_back(std::move(result));
    }
    for (const bool baseline : {true, false}) {
      std::vector<Finding*> family;
      for (Result& result : checked.results)
        for (Finding& one : result.findings)
          if (one.kind == (baseline ? BaselineExpectation::kind : BetterExpectation::kind)) family.push_back(&one);
      decide(family, checked.suite.file.significance, baseline);
      if (baseline) praise(family, checked.suite.file.significance);
    }
    out.push_back(std::move(checked));
  }
  return out;
}

}  // namespace dynasoc::suite
