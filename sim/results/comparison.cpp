#include "results/comparison.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <mutex>
#include <set>

#include "common/csv.hpp"
#include "common/outside.hpp"
#include "common/parallel.hpp"
#include "common/text.hpp"
#include "results/checks/finding.hpp"
#include "results/page.hpp"
#include "results/percentile_rule.hpp"

namespace dynasoc {
namespace {

using manager::Governor;
using manager::Policy;
using manager::Registry;

constexpr std::string_view kOracle = "oracle";

// Which clocks a governor is made for: cpufreq's and devfreq's are not the same.
bool governs(const std::string& governor, DomainKind kind) {
  static const std::set<std::string> cpu{"ondemand", "conservative", "interactive", "schedutil"};
  static const std::set<std::string> gpu{"nvhost_podgov", "podgov", "simple_ondemand"};
  if (cpu.contains(governor)) return kind == DomainKind::cpu;
  if (gpu.contains(governor)) return kind == DomainKind::gpu;
  return true;
}

bool is_file(const std::string& policy) { return policy.ends_with(".json"); }

template <class Interface>
manager::Choice<Interface> choice(const std::string& text, const std::string& what) {
  if (is_file(text)) return manager::Choice<Interface>::from_value(Value(Document::load(text)));
  const std::string shown = what.size() <= 200 ? what : in_quotes(what);
  const std::size_t open = text.find('(');
  const std::string name = text.substr(0, open);
  Json json;
  if (open == std::string::npos) {
    json = name;
  } else {
    if (text.back() != ')') throw InputError("--policies: " + in_quotes(what) + " has no closing parenthesis");
    json["name"] = name;
    std::string inside = text.substr(open + 1, text.size() - open - 2);
    for (std::size_t at = 0; at < inside.size();) {
      std::size_t end = inside.find(',', at);
      if (end == std::string::npos) end = inside.size();
      const std::string one = inside.substr(at, end - at);
      const std::size_t equals = one.find('=');
      if (equals == std::string::npos || equals == 0)
        throw InputError("--policies: " + in_quotes(one) + " of " + in_quotes(what) + " is not parameter=value");
      const std::string value = one.substr(equals + 1);
      if (json.contains(one.substr(0, equals)))
        throw InputError("--policies: " + in_quotes(one.substr(0, equals)) + " is there twice in " + in_quotes(what));
      json[one.substr(0, equals)] = read_json_line(value).value_or(Json(value));  // or a bare word
      at = end + 1;
    }
  }
  return manager::Choice<Interface>::from_value(Value(Document::parse(json.dump(), "--policies " + shown)));
}

bool is(const manager::Choice<Policy>& policy, std::string_view name) { return policy.name == name; }

std::string clean_name(const std::string& text) { return text.substr(0, text.find('(')); }

Setup setup_of(const Setup& base, const Contender& contender) {
  Setup out = base;
  out.policy = contender.policy;
  if (!contender.governors.empty()) out.governors = contender.governors;
  return out;
}

}  // namespace

Contender contender_of(const Scenario& scenario, const std::string& text) {
  const auto& policies = Registry<Policy>::instance();
  const auto& governors = Registry<Governor>::instance();
  if (first_invalid_utf8(text) < text.size())
    throw InputError("--policies: " + in_quotes(text) + " is not valid UTF-8");
  Contender out;
  out.label = text;
  // A plus sign outside of parentheses divides the policy from the governor.
  std::string policy = text, governor;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    if (text[i] == '+' && depth == 0) {
      policy = text.substr(0, i);
      governor = text.substr(i + 1);
      break;
    }
  }
  if (governor.empty() && !policies.has(clean_name(policy)) && governors.has(clean_name(policy))) {
    governor = policy;
    policy = "none";
  }
  if (policy.empty()) throw InputError("--policies: nothing stands before the + of " + in_quotes(text));
  if (!policies.has(clean_name(policy)) && governors.has(clean_name(policy)))
    throw InputError("--policies: " + in_quotes(clean_name(policy)) +
                     " is a governor; only a policy can stand before + (with schedutil, say: none+schedutil)");
  if (!policies.has(clean_name(policy)) && !is_file(policy)) {
    std::vector<std::string> known = policies.names();
    for (const std::string& name : governors.names()) known.push_back(name);
    throw InputError("--policies: unknown policy or governor " + in_quotes(clean_name(policy)) +
                     hint(clean_name(policy), known));
  }
  if (governor.empty() && policy != text) throw InputError("--policies: nothing follows the + of " + in_quotes(text));
  if (!governor.empty() && !governors.has(clean_name(governor)))
    throw InputError("--policies: unknown governor " + in_quotes(clean_name(governor)) +
                     hint(clean_name(governor), governors.names()));
  out.policy = choice<Policy>(policy, text);
  if (const auto& beside = scenario.setup->scheduler; beside && out.policy.make()->scheduler() != nullptr)
    throw InputError("--policies: " + in_quotes(text) + " schedules by itself, and the scenario has the scheduler " +
                     in_quotes(beside->name));
  if (governor.empty()) return out;
  const auto chosen = choice<Governor>(governor, text);
  const PlatformFile& board = scenario.setup->platform.file;
  for (std::size_t d = 0; d < board.domains.size(); ++d) {
    const DomainKind kind = board.domains[d].second.kind;
    if (governs(chosen.name, kind))
      out.governors.push_back(chosen);
    else if (kind == DomainKind::memory)
      out.governors.push_back(scenario.setup->governors[d]);
    else
      out.governors.push_back({kind == DomainKind::cpu ? "schedutil" : "nvhost_podgov", std::nullopt, {}});
  }
  return out;
}

Overrides overrides_of(const Scenario& scenario, const Contender& contender) {
  Overrides out{{"policy", contender.policy.to_json().dump()}};
  const auto& domains = scenario.setup->platform.file.domains;
  for (std::size_t d = 0; d < contender.governors.size(); ++d)
    out.emplace_back("governors." + domains[d].first, contender.governors[d].to_json().dump());
  return out;
}

std::vector<Contender> contenders_of(const Scenario& scenario, const std::string& list) {
  std::vector<Contender> out;
  std::set<std::string> seen;
  int depth = 0;
  std::string entry;
  for (std::size_t i = 0; i <= list.size(); ++i) {
    if (i < list.size() && (list[i] != ',' || depth > 0)) {
      depth += list[i] == '(' ? 1 : list[i] == ')' ? -1 : 0;
      if (list[i] != ' ') entry += list[i];
      continue;
    }
    if (entry.empty()) throw InputError("--policies: an entry of " + in_quotes(list) + " is empty");
    if (!seen.insert(entry).second) throw InputError("--policies: " + in_quotes(entry) + " is there twice");
    out.push_back(contender_of(scenario, entry));
    entry.clear();
  }
  return out;
}

Comparison compare(const Scenario& scenario, const ComparisonRequest& request) {
  const Setup& base = *scenario.setup;
  Comparison out;
  out.baseline = request.baseline;
  out.decide_on = request.decide_on;
  out.seed = base.seed;
  out.engine = request.engine == EngineKind::native ? "native" : "simgrid";

  // One job for each (contender, variation) and replication. Variations: as it is; then one imperfection less.
  std::size_t oracle = request.contenders.size();
  for (std::size_t c = request.contenders.size(); c-- > 0;)
    if (is(request.contenders[c].policy, kOracle)) oracle = c;  // the first of them is the yardstick
  const bool anatomy = request.anatomy && oracle < request.contenders.size();
  static constexpr std::array<Ideal, 4> kVariations{
      {{}, {.prediction = true}, {.switching = true}, {.granularity = true}}};
  struct Task {
    std::size_t contender, variation;
  };
  std::vector<Setup> setups;
  std::vector<Task> tasks;
  for (std::size_t c = 0; c < request.contenders.size(); ++c) {
    const Setup own = setup_of(base, request.contenders[c]);
    for (std::size_t v = 0; v < (anatomy ? kVariations.size() : 1); ++v) {
      if (c == oracle && v != 0 && !kVariations[v].switching) continue;  // an oracle has no other imperfection
      tasks.push_back({c, v});
      setups.push_back(v == 0 ? own : idealised(own, kVariations[v]));
    }
    out.results.push_back({request.contenders[c], {}, {}, {}, {}});
  }

  const auto wanted = static_cast<std::size_t>(request.replications);
  std::vector<std::vector<Metrics>> metrics(tasks.size());
  std::vector<std::vector<manager::Certificate>> certificates(tasks.size());
  const Recording recording{.jobs = true, .decisions = false, .timeline_period = 0};
  std::size_t done = 0;
  std::mutex mutex;
  // Early stopping looks after every batch; the test is valid at any look.
  constexpr std::size_t kBatch = 5;
  while (done < wanted) {
    const std::size_t batch = request.decide_on.empty() ? wanted - done : std::min(kBatch, wanted - done);
    for (std::size_t t = 0; t < tasks.size(); ++t) {
      metrics[t].resize(done + batch);
      certificates[t].resize(done + batch);
    }
    std::size_t finished = 0;
    parallel_for(tasks.size() * batch, request.jobs, [&](std::size_t i) {
      // Replication by replication, so that the long runs of an oracle do not all come last.
      const std::size_t t = i % tasks.size(), r = done + i / tasks.size();
      RunRecord record = simulate(setups[t], recording, request.engine, r, [&](double) {
        const std::lock_guard lock(mutex);
        if (request.progress)
          request.progress((static_cast<double>(done * tasks.size() + finished)) /
                           static_cast<double>(wanted * tasks.size()));
      });
      metrics[t][r] = measure(setups[t], record);
      certificates[t][r] = confirmed(record.certificate, metrics[t][r]);
      const std::lock_guard lock(mutex);
      ++finished;
      if (request.progress)
        request.progress((static_cast<double>(done * tasks.size() + finished)) /
                         static_cast<double>(wanted * tasks.size()));
    });
    done += batch;
    if (request.decide_on.empty() || done >= wanted) continue;
    ContenderResult against;
    for (std::size_t t = 0; t < tasks.size(); ++t)
      if (tasks[t].contender == request.baseline && tasks[t].variation == 0) against.metrics = metrics[t];
    const std::vector<double> theirs = values_of(base, against, request.decide_on);
    bool decided = true;
    const double alpha =
        (1 - kConfidence) / static_cast<double>(std::max<std::size_t>(1, request.contenders.size() - 1));
    for (std::size_t t = 0; t < tasks.size() && decided; ++t) {
      if (tasks[t].variation != 0 || tasks[t].contender == request.baseline) continue;
      ContenderResult one;
      one.metrics = metrics[t];
      const auto differences = paired_differences(values_of(base, one, request.decide_on), theirs);
      const SeedsNeeded needed = seeds_needed(differences);
      decided = sequential_test(differences, alpha).decided || needed.state == SeedsNeeded::State::exact;
    }
    if (!decided) continue;
    out.stopped_early = true;
    break;
  }
  out.replications = static_cast<int>(done);

  std::vector<std::vector<std::vector<double>>> cost(tasks.size() ? request.contenders.size() : 0,
                                                     std::vector<std::vector<double>>(kVariations.size()));
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    const auto [c, v] = tasks[t];
    for (const Metrics& one : metrics[t]) cost[c][v].push_back(one.of_run("run.cost"));
    if (v != 0) continue;
    out.results[c].metrics = std::move(metrics[t]);
    out.results[c].certificates = std::move(certificates[t]);
  }
  if (oracle == request.contenders.size()) return out;
  const auto less = [](std::vector<double> a, const std::vector<double>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double scale = std::max(std::abs(a[i]), std::abs(b[i]));
      a[i] -= b[i];
      if (std::abs(a[i]) <= 1e-12 * scale) a[i] = 0;  // rounding of sums is no difference
    }
    return a;
  };
  for (std::size_t c = 0; c < out.results.size(); ++c) {
    ContenderResult& result = out.results[c];
    result.regret = less(cost[c][0], cost[oracle][0]);
    if (!anatomy || c == oracle) continue;
    result.anatomy.misprediction = less(result.regret, less(cost[c][1], cost[oracle][0]));
    result.anatomy.switching = less(result.regret, less(cost[c][2], cost[oracle][2]));
    result.anatomy.granularity = less(result.regret, less(cost[c][3], cost[oracle][0]));
  }
  return out;
}

namespace {

Json number(double x) { return std::isfinite(x) ? Json(x) : Json(nullptr); }
Json ends(const Interval& interval) { return {number(interval.low), number(interval.high)}; }

const char* name_of(SeedsNeeded::State state) {
  switch (state) {
    case SeedsNeeded::State::decided: return "decided";
    case SeedsNeeded::State::more: return "more";
    case SeedsNeeded::State::undecidable: return "undecidable";
    case SeedsNeeded::State::exact: return "exact";
  }
  return "?";
}

// Everything that is said of one metric of one contender against the baseline.
Json delta_json(const Metric& metric, const std::vector<double>& own, const std::vector<double>& theirs) {
  const std::vector<double> differences = paired_differences(own, theirs);
  const Estimate mean = estimate(differences);
  const Estimate relative = relative_difference(own, theirs);
  const bool higher = metric.better == Better::higher;
  const Superiority wins = higher ? superiority(theirs, own) : superiority(own, theirs);
  const SeedsNeeded seeds = seeds_needed(differences);
  Json out = {{"mean", number(mean.mean)},
              {"ci95", ends(mean.interval)},
              {"ci95_bootstrap", ends(differences.size() > 1 ? bootstrap_mean(differences) : Interval{})},
              {"relative", {{"mean", number(relative.mean)}, {"ci95", ends(relative.interval)}}},
              {"p_value", number(paired_p_value(differences))},
              {"seeds", {{"state", name_of(seeds.state)}, {"total", seeds.total}, {"more", seeds.more}}}};
  if (metric.better != Better::neither)
    out["better"] = {
        {"share", number(wins.share)}, {"ci95", ends(wins.interval)}, {"probability", number(wins.mean_is_lower)}};
  return out;
}

Json estimate_json(const std::vector<double>& values) {
  const Estimate mean = estimate(values);
  return {{"mean", number(mean.mean)}, {"sd", number(mean.sd)}, {"ci95", ends(mean.interval)}, {"n", mean.n}};
}

Json certificate_json(const std::vector<manager::Certificate>& all) {
  std::vector<double> planned, bound, gap;
  bool exact = true;
  std::set<std::string> methods;
  double merged = 0;
  for (const manager::Certificate& one : all) {
    planned.push_back(one.planned);
    bound.push_back(one.bound);
    gap.push_back(one.milp_gap);
    exact = exact && one.exact;
    merged += static_cast<double>(one.merged);
    methods.insert(one.method);
  }
  Json out = {{"method", std::vector<std::string>(methods.begin(), methods.end())},
              {"exact", exact},
              {"merged", merged},
              {"planned_cost", estimate_json(planned)},
              {"bound", estimate_json(bound)}};
  if (std::isfinite(estimate(gap).mean)) out["solver_gap"] = estimate_json(gap);
  return out;
}

std::vector<TradeOff> points_of(const Setup& setup, const Comparison& comparison) {
  std::vector<TradeOff> out;
  for (const ContenderResult& result : comparison.results) {
    TradeOff mean{};
    for (const Metrics& one : result.metrics) {
      const TradeOff point = trade_off(setup, one);
      for (std::size_t k = 0; k < mean.size(); ++k) mean[k] += point[k] / static_cast<double>(result.metrics.size());
    }
    out.push_back(mean);
  }
  return out;
}

// Percentiles among `metrics` that rest on fewer frames than MLPerf's rule asks for: one sentence an application.
std::vector<std::string> percentile_notes(const Setup& setup, const Comparison& comparison,
                                          const std::vector<std::string>& metrics) {
  std::vector<std::string> out;
  for (const AppSetup& app : setup.apps) {
    const std::string prefix = "apps." + app.name + ".";
    double fewest = std::numeric_limits<double>::infinity();
    for (const ContenderResult& result : comparison.results)
      for (const double completed : values_of(setup, result, prefix + "completed"))
        fewest = std::min(fewest, completed);
    std::string asked;
    for (const auto& [name, p] : {std::pair{"p50", 0.5}, std::pair{"p90", 0.9}, std::pair{"p99", 0.99}}) {
      const std::int64_t needed = fewest_samples({.percentile = p});
      const auto asked_for = [&](const std::string& metric) {
        return std::find(metrics.begin(), metrics.end(), metric + "latency_ms." + name) != metrics.end();
      };
      const bool shown = asked_for(prefix) || asked_for("apps.APP.");  // the mean over applications
      if (shown && fewest < static_cast<double>(needed))
        asked += (asked.empty() ? "" : ", ") + std::string(name) + " " + std::to_string(needed);
    }
    if (!asked.empty())
      out.push_back("percentiles of " + app.name + ": as few as " + plain_number(fewest) +
                    " frames were completed in a replication; MLPerf's rule asks for more (" + asked + ")");
  }
  return out;
}

}  // namespace

std::vector<double> values_of(const Setup& setup, const ContenderResult& result, const std::string& metric) {
  const MetricColumn column(setup, metric);
  std::vector<double> out;
  for (const Metrics& one : result.metrics) out.push_back(column.value(one));
  return out;
}

Json comparison_json(const Scenario& scenario, const Comparison& comparison) {
  const Setup& setup = *scenario.setup;
  const ContenderResult& baseline = comparison.results[comparison.baseline];
  Json policies = Json::object();
  // p-values that are looked at together are adjusted together: those of one metric over all contenders.
  for (const ContenderResult& result : comparison.results) policies[result.contender.label] = Json::object();
  for (const std::string& name : metric_names(setup)) {
    const MetricColumn column(setup, name);
    const std::vector<double> theirs = values_of(setup, baseline, name);
    std::vector<double> p_values;
    std::vector<std::string> labels;
    for (const ContenderResult& result : comparison.results) {
      const std::vector<double> own = values_of(setup, result, name);
      Json entry = estimate_json(own);
      if (entry["mean"].is_null()) continue;
      if (&result != &baseline) {
        entry["delta_vs_baseline"] = delta_json(column.metric(), own, theirs);
        if (name == comparison.decide_on) {
          const Sequential test = sequential_test(paired_differences(own, theirs));
          entry["delta_vs_baseline"]["sequential"] = {
              {"e_value", number(test.largest)}, {"p_value", number(test.p_value)}, {"ci95", ends(test.interval)}};
        }
        // Looks at the data decided when to stop: a p-value for a fixed number of replications no longer holds.
        if (comparison.stopped_early) entry["delta_vs_baseline"]["p_value"] = nullptr;
        const Json& p = entry["delta_vs_baseline"]["p_value"];
        p_values.push_back(p.is_number() ? p.get<double>() : std::nan(""));
        labels.push_back(result.contender.label);
      }
      policies[result.contender.label][name] = std::move(entry);
    }
    const std::vector<double> adjusted = holm(p_values);
    for (std::size_t i = 0; i < labels.size(); ++i)
      policies[labels[i]][name]["delta_vs_baseline"]["p_holm"] = number(adjusted[i]);
  }
  for (const ContenderResult& result : comparison.results) {
    Json& entry = policies[result.contender.label];
    if (!result.regret.empty()) {
      entry["regret"] = estimate_json(result.regret);
      if (!result.anatomy.switching.empty())
        entry["regret"]["parts"] = {{"misprediction", estimate_json(result.anatomy.misprediction)},
                                    {"switching", estimate_json(result.anatomy.switching)},
                                    {"granularity", estimate_json(result.anatomy.granularity)}};
    }
    if (!result.certificates.empty() && !result.certificates[0].method.empty())
      entry["regret"]["certificate"] = certificate_json(result.certificates);
  }
  const std::vector<TradeOff> points = points_of(setup, comparison);
  const std::vector<double> shares = exclusive_contributions(points);
  Json volume = {{"reference", {1, 1, 1}},
                 {"axes", {"mean power over the board's most", "miss rate", "1 - accuracy"}},
                 {"all", number(hypervolume(points))},
                 {"policies", Json::object()}};
  for (std::size_t c = 0; c < points.size(); ++c)
    volume["policies"][comparison.results[c].contender.label] = {
        {"point", {number(points[c][0]), number(points[c][1]), number(points[c][2])}},
        {"alone", number(hypervolume(std::span(&points[c], 1)))},
        {"exclusive", number(shares[c])}};
  Json warnings = scenario.warnings;
  if (comparison.stopped_early)
    warnings.push_back(
        "stopped early: intervals and probabilities are those of a fixed number of replications and a "
        "little too sure; what decided is the \"sequential\" test of " +
        comparison.decide_on);
  if (comparison.replications < 2)
    warnings.push_back("one replication: no interval can be given (--replications 10 or more)");
  for (std::string& note : percentile_notes(setup, comparison, metric_names(setup)))
    warnings.push_back(std::move(note));
  return {{"scenario", scenario.file.name},
          {"engine", comparison.engine},
          {"seed", comparison.seed},
          {"replications", comparison.replications},
          {"stopped_early", comparison.stopped_early},
          {"baseline", baseline.contender.label},
          {"policies", std::move(policies)},
          {"hypervolume", std::move(volume)},
          {"warnings", std::move(warnings)}};
}

namespace {

std::string signed_text(double x, int digits) {
  if (!std::isfinite(x)) return "-";
  if (std::abs(x) < 1e-7) x = 0;  // rounding of sums
  return (x < 0 ? "−" : "+") + rounded_text(std::abs(x), digits);
}

// Digits after the point at which `x` has `digits` significant ones.
int decimals_of(double x, int digits) {
  if (x == 0) return 0;
  return std::clamp(digits - 1 - static_cast<int>(std::floor(std::log10(std::abs(x)))), 0, 9);
}

// A mean to 4 significant digits, or as many as its interval (to 2) leaves it; both with the same decimals.
std::string with_interval(const Estimate& estimate) {
  if (!std::isfinite(estimate.mean)) return "-";
  double half = (estimate.interval.high - estimate.interval.low) / 2;
  if (half < 1e-9 * std::abs(estimate.mean)) half = 0;  // rounding of sums
  if (std::abs(estimate.mean) < 1e-12 && half < 1e-12) return "0 ±0";
  int decimals = decimals_of(estimate.mean, 4);
  if (half > 0) decimals = estimate.mean == 0 ? decimals_of(half, 2) : std::min(decimals, decimals_of(half, 2));
  const std::string mean = check::fixed_text(estimate.mean, decimals);
  if (!std::isfinite(half)) return mean;
  if (half == 0) return mean + " ±0";
  // What would be rounded to nothing is not nothing.
  const double least = std::pow(10.0, -decimals);
  return mean + " ±" +
         (half < least / 2 ? "<" + check::fixed_text(least, decimals) : check::fixed_text(half, decimals));
}

// No difference in any replication, up to the rounding of sums.
bool nothing(const Estimate& difference) {
  const auto zero = [](double x) { return std::abs(x) < 1e-9; };
  return zero(difference.mean) &&
         (difference.n < 2 || (zero(difference.interval.low) && zero(difference.interval.high)));
}

std::string percent_range(const Estimate& relative) {
  if (!std::isfinite(relative.mean)) return "-";
  if (nothing(relative)) return "0 %";
  return signed_text(100 * relative.mean, 3) + " % [" + signed_text(100 * relative.interval.low, 3) + ", " +
         signed_text(100 * relative.interval.high, 3) + "]";
}

std::string absolute_range(const Estimate& difference) {
  if (!std::isfinite(difference.mean)) return "-";
  if (nothing(difference)) return "0";
  return signed_text(difference.mean, 3) + " [" + signed_text(difference.interval.low, 3) + ", " +
         signed_text(difference.interval.high, 3) + "]";
}

std::string probability_text(double p) {
  if (!std::isfinite(p)) return "-";
  return p > 0.999 ? "> 0.999" : p < 0.001 ? "< 0.001" : rounded_text(p, 3);
}

std::string seeds_text(const SeedsNeeded& seeds) {
  switch (seeds.state) {
    case SeedsNeeded::State::decided: return "yes";
    case SeedsNeeded::State::exact: return "yes (always the same)";
    case SeedsNeeded::State::more: return std::to_string(seeds.more) + " more seeds";
    case SeedsNeeded::State::undecidable: return "no";
  }
  return "?";
}

// Whether a difference to the baseline is decided, and in whose favour.
enum class Mark : std::uint8_t { none, better, worse, other };

// Of each contender but the baseline, in order. Looks at the data that ended a comparison leave nothing to test.
std::vector<Mark> marks_of(const Setup& setup, const Comparison& comparison, const std::string& name) {
  const ContenderResult& baseline = comparison.results[comparison.baseline];
  const Better better = MetricColumn(setup, name).metric().better;
  std::vector<double> p_values, means;
  for (const ContenderResult& result : comparison.results) {
    if (&result == &baseline) continue;
    const auto differences = paired_differences(values_of(setup, result, name), values_of(setup, baseline, name));
    const Estimate difference = estimate(differences);
    p_values.push_back(nothing(difference) ? 1 : paired_p_value(differences));
    means.push_back(difference.mean);
  }
  const std::vector<double> adjusted = holm(p_values);
  std::vector<Mark> out;
  for (std::size_t i = 0; i < means.size(); ++i) {
    if (comparison.stopped_early || !(adjusted[i] < 1 - kConfidence))
      out.push_back(Mark::none);
    else if (better == Better::neither)
      out.push_back(Mark::other);
    else
      out.push_back((means[i] < 0) == (better == Better::lower) ? Mark::better : Mark::worse);
  }
  return out;
}

std::string painted(const Page& page, Mark mark, const std::string& text) {
  switch (mark) {
    case Mark::better: return page.paint("32", text + " *");
    case Mark::worse: return page.paint("31", text + " !");
    case Mark::other: return text + " ~";
    case Mark::none: return text + "  ";
  }
  return text;
}

}  // namespace

std::string comparison_text(const Scenario& scenario, const Comparison& comparison,
                            const std::vector<std::string>& metrics, int columns, bool colour) {
  const Page page(columns, colour);
  const Setup& setup = *scenario.setup;
  const ContenderResult& baseline = comparison.results[comparison.baseline];
  std::string out =
      page.heading(setup.name, scenario.file.title) +
      page.dim("  " + setup.platform.file.name + (setup.modes[0].name.empty() ? "" : ", " + setup.modes[0].name) +
               "; " + rounded_text(to_s(setup.duration)) + " s x " + std::to_string(comparison.replications) +
               (comparison.stopped_early ? " (stopped early)" : "") + "; seed " + std::to_string(comparison.seed) +
               "; engine " + comparison.engine) +
      "\n\n";

  std::vector<std::vector<std::string>> rows{{"mean ± 95 %"}};
  for (const std::string& name : metrics) {
    const Metric& metric = MetricColumn(setup, name).metric();
    rows[0].push_back(name + (metric.unit.empty() ? "" : " " + std::string(metric.unit)));
  }
  for (const ContenderResult& result : comparison.results) {
    rows.push_back({result.contender.label});
    for (const std::string& name : metrics)
      rows.back().push_back(with_interval(estimate(values_of(setup, result, name))));
  }
  out += page.blocks(rows) + "\n";

  // Shares and scores differ by points, quantities by percent.
  rows = {{"against " + baseline.contender.label}};
  for (const ContenderResult& result : comparison.results)
    if (&result != &baseline) rows.push_back({result.contender.label});
  bool marked = false;
  for (const std::string& name : metrics) {
    rows[0].push_back(name + "  ");  // as wide as the marks
    const Metric& metric = MetricColumn(setup, name).metric();
    const std::vector<Mark> marks = marks_of(setup, comparison, name);
    std::size_t row = 1;
    for (const ContenderResult& result : comparison.results) {
      if (&result == &baseline) continue;
      const std::vector<double> own = values_of(setup, result, name), theirs = values_of(setup, baseline, name);
      const Estimate relative = relative_difference(own, theirs);
      const bool quantity = !metric.unit.empty() && (std::isfinite(relative.interval.low) || relative.n < 2);
      const std::string text =
          quantity ? percent_range(relative) : absolute_range(estimate(paired_differences(own, theirs)));
      const Mark mark = marks[row - 1];
      marked = marked || mark != Mark::none;
      rows[row++].push_back(painted(page, mark, text));
    }
  }
  if (rows.size() > 1) out += page.blocks(rows);
  if (marked) out += page.dim("  decided at 95 % (Holm over the managers): * better, ! worse, ~ other") + "\n";
  if (rows.size() > 1) out += "\n";

  // Of the objective, or of the last column where it is not shown: a table of everything would be read by nobody.
  const auto objective = std::find(metrics.begin(), metrics.end(), "run.cost");
  const std::string& judged = objective != metrics.end() ? *objective : metrics.back();
  if (const Metric& metric = MetricColumn(setup, judged).metric(); metric.better != Better::neither) {
    rows = {{"better by " + judged + "?", "in replications", "probability", "decided at 95 %"}};
    for (const ContenderResult& result : comparison.results) {
      if (&result == &baseline) continue;
      const std::vector<double> own = values_of(setup, result, judged), theirs = values_of(setup, baseline, judged);
      const Superiority wins = metric.better == Better::higher ? superiority(theirs, own) : superiority(own, theirs);
      if (wins.n == 0) continue;
      rows.push_back({result.contender.label,
                      rounded_text(100 * wins.share, 3) + " % [" + rounded_text(100 * wins.interval.low, 3) + ", " +
                          rounded_text(100 * wins.interval.high, 3) + "]",
                      probability_text(wins.mean_is_lower), seeds_text(seeds_needed(paired_differences(own, theirs)))});
    }
    if (rows.size() > 1) out += page.blocks(rows) + "\n";
  }

  const bool regret = std::any_of(comparison.results.begin(), comparison.results.end(),
                                  [](const ContenderResult& result) { return !result.regret.empty(); });
  if (regret) {
    const bool parts = std::any_of(comparison.results.begin(), comparison.results.end(),
                                   [](const ContenderResult& result) { return !result.anatomy.switching.empty(); });
    const auto yardstick = std::find_if(comparison.results.begin(), comparison.results.end(),
                                        [](const ContenderResult& one) { return is(one.contender.policy, kOracle); });
    rows = {{"regret to " + yardstick->contender.label + " (cost a frame)", "mean ± 95 %"}};
    if (parts) rows[0].insert(rows[0].end(), {"misprediction", "switching", "granularity"});
    for (const ContenderResult& result : comparison.results) {
      if (&result == &*yardstick) continue;
      rows.push_back({result.contender.label, with_interval(estimate(result.regret))});
      if (result.anatomy.switching.empty()) continue;
      for (const auto* part : {&result.anatomy.misprediction, &result.anatomy.switching, &result.anatomy.granularity})
        rows.back().push_back(with_interval(estimate(*part)));
    }
    out += page.blocks(rows);
    for (const ContenderResult& result : comparison.results) {
      if (result.certificates.empty() || result.certificates[0].method.empty()) continue;
      const Json json = certificate_json(result.certificates);
      out += page.dim("  " + result.contender.label + ": by " + json["method"][0].get<std::string>() +
                      (json["exact"].get<bool>() ? ", exact" : ", not proved the best") + "; planned cost " +
                      (json["planned_cost"]["mean"].is_null() ? "-" : rounded_text(json["planned_cost"]["mean"])) +
                      ", bound from below " +
                      (json["bound"]["mean"].is_null() ? "none" : rounded_text(json["bound"]["mean"]))) +
             "\n";
    }
    out += "\n";
  }
  const std::vector<TradeOff> points = points_of(setup, comparison);
  const std::vector<double> own = exclusive_contributions(points);
  if (const double all = hypervolume(points); std::isfinite(all) && all > 0) {
    out += "  hypervolume of (energy, misses, 1 - accuracy): " + rounded_text(all) + "; of it only by";
    bool first = true;
    for (std::size_t c = 0; c < points.size(); ++c)
      if (own[c] > 1e-9) {
        out += (first ? " " : ", ") + comparison.results[c].contender.label + " " + rounded_text(own[c], 3);
        first = false;
      }
    out += first ? " nobody\n" : "\n";
  }
  if (comparison.stopped_early)
    out += page.paint("33", "  note      ") +
           "stopped early: the intervals above are those of a fixed number of replications and a little too sure\n";
  if (comparison.replications < 2)
    out += page.paint("33", "  note      ") + "one replication: no interval can be given\n";
  for (const std::string& note : percentile_notes(setup, comparison, metrics))
    out += page.paint("33", "  note      ") + note + "\n";
  for (const std::string& warning : scenario.warnings) out += page.paint("33", "  note      ") + warning + "\n";
  return out;
}

std::string comparison_csv(const Scenario& scenario, const Comparison& comparison) {
  std::string out = "policy,replication,metric,value\n";
  const Setup& setup = *scenario.setup;
  for (const ContenderResult& result : comparison.results)
    for (const std::string& name : metric_names(setup)) {
      const std::vector<double> values = values_of(setup, result, name);
      for (std::size_t r = 0; r < values.size(); ++r) {
        if (!std::isfinite(values[r])) continue;
        out += csv_cell(result.contender.label) + ',' + std::to_string(r) + ',' + csv_cell(name) + ',';
        append_number(out, values[r]);
        out += '\n';
      }
    }
  return out;
}

}  // namespace dynasoc
