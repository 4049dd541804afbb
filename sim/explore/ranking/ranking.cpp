#include "explore/ranking/ranking.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <set>

#include "common/directory_lock.hpp"
#include "common/nan.hpp"
#include "common/parallel.hpp"
#include "common/text.hpp"
#include "explore/build_identity.hpp"
#include "kernel/random.hpp"
#include "results/output.hpp"
#include "world/run.hpp"

namespace dynasoc::explore {
namespace fs = std::filesystem;

const std::vector<std::string> kRankedMetrics{"run.miss_rate",         "run.accuracy", "platform.energy_j",
                                              "platform.mean_power_w", "run.antt",     "platform.decisions"};

namespace {

std::vector<std::string> with_metric(const RankingFile& file) {
  std::vector<std::string> out{file.metric};
  for (const std::string& name : kRankedMetrics)
    if (name != file.metric) out.push_back(name);
  return out;
}

// Runs, and keeps what is finished.
class Work {
 public:
  Work(const fs::path& path, const RankingRequest& request, Ranking& ranking)
      : request_(request),
        ranking_(ranking),
        folder_(path.parent_path().empty() ? fs::path(".") : path.parent_path()) {}

  void prepare() {
    RankingFile& file = ranking_.file;
    std::vector<Name> scenarios = file.scenarios;
    std::vector<std::string> known;
    for (const Name& name : file.scenarios) {
      if (std::find(known.begin(), known.end(), name.text) != known.end())
        throw name.error(in_quotes(name.text) + " is there twice");
      known.push_back(name.text);
    }
    const auto keep = [&](const std::vector<std::string>& wanted) {
      std::erase_if(scenarios, [&](const Name& name) {
        return std::find(wanted.begin(), wanted.end(), name.text) == wanted.end();
      });
    };
    std::vector<std::string> short_scenarios;
    if (file.short_form) {
      for (const Name& name : file.short_form->scenarios) {
        if (std::find(known.begin(), known.end(), name.text) == known.end())
          throw name.error(in_quotes(name.text) + " is not among the ranking's scenarios" + hint(name.text, known));
        short_scenarios.push_back(name.text);
      }
      for (const std::string& out : file.short_form->without)
        if (std::find(file.policies.begin(), file.policies.end(), out) == file.policies.end())
          throw(file.where / "short" / "without")
              .error(in_quotes(out) + " is not among the policies" + hint(out, file.policies));
    }
    std::vector<std::string> labels = request_.policies.empty() ? file.policies : request_.policies;
    ranking_.replications = file.replications;
    if (request_.short_form) {
      if (!file.short_form) throw file.where.error("says nothing of a short form (\"short\")");
      if (!short_scenarios.empty()) keep(short_scenarios);
      ranking_.replications = file.short_form->replications;
      for (const std::string& out : file.short_form->without) std::erase(labels, out);
    }
    for (const std::string& name : request_.scenarios)
      if (std::find(known.begin(), known.end(), name) == known.end())
        throw InputError("--scenarios: " + in_quotes(name) + " is not among the ranking's" + hint(name, known));
    if (!request_.scenarios.empty()) keep(request_.scenarios);
    if (scenarios.empty() && !request_.scenarios.empty())
      throw InputError("--scenarios: none of them is in the short form" + hint("", short_scenarios));
    if (request_.replications > 0) ranking_.replications = request_.replications;
    for (const std::string& label : request_.add)
      if (std::find(labels.begin(), labels.end(), label) == labels.end()) labels.push_back(label);
    if (!file.oracle.empty()) std::erase(labels, file.oracle);
    if (labels.size() < 2) {
      if (!request_.policies.empty()) throw InputError("--policies: a ranking needs two that are not its oracle");
      throw(file.where / "policies").error("a ranking needs two that are not its oracle");
    }
    if (std::set<std::string>(labels.begin(), labels.end()).size() < labels.size()) {
      if (!request_.policies.empty()) throw InputError("--policies: an entry is there twice");
      throw(file.where / "policies").error("an entry is there twice");
    }
    ranking_.labels = labels;
    if (!file.oracle.empty()) labels.push_back(file.oracle);

    for (const Name& name : scenarios) {
      const fs::path found =
          DataPaths(folder_).scenario({name.text + (name.text.ends_with(".json") ? "" : ".json"), name.where});
      Scenario scenario = load(found, name.text);
      try {
        if (MetricColumn(*scenario.setup, file.metric).metric().better != Better::lower)
          throw InputError("of " + in_quotes(file.metric) + " less is not better");
      } catch (const InputError& error) {
        throw(file.where / "metric").error(error.what());
      }
      ranking_.scenarios.push_back(name.text);
      ranking_.titles.push_back(scenario.file.title);
      for (const std::string& warning : scenario.warnings)
        if (const std::string text = name.text + ": " + warning;
            std::find(ranking_.warnings.begin(), ranking_.warnings.end(), text) == ranking_.warnings.end())
          ranking_.warnings.push_back(text);
      std::string inputs = scenario.document->root().dump();
      for (const auto& [input, hash] : hashes_of(scenario.inputs)) inputs += hash;
      std::vector<Contender> contenders;
      for (const std::string& label : labels) contenders.push_back(contender(scenario, label));
      for (const Contender& one : contenders) {
        std::string clocks;
        for (const auto& governor : one.governors) clocks += governor.to_json().dump();
        const std::string policy = one.policy.to_json().dump();
        keys_.push_back(
            content_hash(build_identity() + inputs + policy + clocks + embedded_policies(policy) + file.metric));
      }
      scenarios_.push_back(std::move(scenario));
      contenders_.push_back(std::move(contenders));
    }
    if (scenarios_.empty()) throw(file.where / "scenarios").error("is empty: there is nothing to compare on");
    ranking_.cells.assign(scenarios_.size(), std::vector<RankedCell>(labels.size()));
    metrics_ = with_metric(file);
  }

  // Overrides are tried on every scenario: which refuses one must be told.
  Scenario load(const fs::path& found, const std::string& name) const {
    try {
      return load_scenario(found, request_.overrides);
    } catch (const InputError& error) {
      const std::string text = error.what();
      if (!text.starts_with("--set")) throw;
      throw InputError(text + ", in the scenario " + in_quotes(name));
    }
  }

  void run() {
    // The dearest first: an oracle's cells take longest, and the last of them would be waited for.
    std::vector<std::pair<std::size_t, std::size_t>> cells;
    double seconds = 0;
    for (std::size_t p = contenders_[0].size(); p-- > 0;)
      for (std::size_t s = 0; s < scenarios_.size(); ++s)
        if (!take_found(s, p)) cells.emplace_back(s, p), seconds += to_s(scenarios_[s].setup->duration);
    double done = 0;
    std::mutex mutex;
    const auto tell = [&](const std::string& what) {
      if (request_.progress) request_.progress(seconds > 0 ? done / seconds : 1, what);
    };
    tell("");
    parallel_for(cells.size(), request_.jobs, [&](std::size_t i) {
      const auto [s, p] = cells[i];
      RankedCell& cell = ranking_.cells[s][p];
      const std::string name = ranking_.scenarios[s] + ", " + contenders_[s][p].label;
      simulate_cell(s, p, cell, [&] {
        const std::lock_guard lock(mutex);
        tell(name);
      });
      keep(s, p, cell);
      const std::lock_guard lock(mutex);
      done += to_s(scenarios_[s].setup->duration);
      tell(name);
    });
  }

 private:
  // Told where it was asked for: in the file, or on the command line.
  Contender contender(const Scenario& scenario, const std::string& label) const {
    try {
      return contender_of(scenario, label);
    } catch (const InputError& error) {
      std::string text = error.what();
      if (constexpr std::string_view kOption = "--policies: "; text.starts_with(kOption)) text.erase(0, kOption.size());
      const auto asked = [&](const std::vector<std::string>& list) {
        return std::find(list.begin(), list.end(), label) != list.end();
      };
      if (asked(request_.add)) throw InputError("--add: " + text);
      if (asked(request_.policies)) throw InputError("--policies: " + text);
      throw(ranking_.file.where / (label == ranking_.file.oracle ? "oracle" : "policies")).error(text);
    }
  }

  fs::path place(std::size_t s, std::size_t p) const { return request_.directory / "cells" / (key(s, p) + ".json"); }
  const std::string& key(std::size_t s, std::size_t p) const { return keys_[s * contenders_[0].size() + p]; }

  bool take_found(std::size_t s, std::size_t p) {
    if (request_.directory.empty()) return false;
    std::error_code code;
    if (!fs::exists(place(s, p), code)) return false;
    RankedCell& cell = ranking_.cells[s][p];
    try {
      const auto document = Document::load(place(s, p));
      const Value root(document);
      for (const std::string& metric : metrics_) {
        std::vector<double>& values = cell.values[metric];
        for (const Json& x : root["values"][metric].json()) values.push_back(x.is_number() ? x.get<double>() : kNaN);
        if (values.size() < static_cast<std::size_t>(ranking_.replications)) return cell = {}, false;
        values.resize(static_cast<std::size_t>(ranking_.replications));
      }
    } catch (const InputError&) {  // not a cell of ours, or damaged: it is made again
      cell = {};
      return false;
    }
    cell.found = true;
    ++ranking_.found;
    return true;
  }

  void simulate_cell(std::size_t s, std::size_t p, RankedCell& cell, const std::function<void()>& poll) const {
    const Setup& base = *scenarios_[s].setup;
    Setup setup = base;
    setup.policy = contenders_[s][p].policy;
    if (!contenders_[s][p].governors.empty()) setup.governors = contenders_[s][p].governors;
    std::vector<MetricColumn> columns;
    for (const std::string& metric : metrics_) columns.emplace_back(setup, metric);
    for (const std::string& metric : metrics_)
      cell.values[metric].assign(static_cast<std::size_t>(ranking_.replications), kNaN);
    const Recording recording{.jobs = true, .decisions = false, .timeline_period = 0};
    try {
      for (int r = 0; r < ranking_.replications; ++r) {
        poll();
        const Metrics metrics = measure(setup, simulate(setup, recording, EngineKind::native,
                                                        static_cast<std::uint64_t>(r), [&](double) { poll(); }));
        for (std::size_t m = 0; m < columns.size(); ++m)
          cell.values[metrics_[m]][static_cast<std::size_t>(r)] = columns[m].value(metrics);
      }
    } catch (const InputError& error) {
      cell.values.clear();
      cell.failure = error.what();
    }
  }

  void keep(std::size_t s, std::size_t p, const RankedCell& cell) const {
    if (request_.directory.empty() || !cell.failure.empty()) return;  // what failed is tried again
    Json values = Json::object();
    for (const auto& [metric, list] : cell.values) {
      Json& to = values[metric] = Json::array();
      for (const double x : list) to.push_back(std::isfinite(x) ? Json(x) : Json(nullptr));
    }
    const Json json = {
        {"scenario", ranking_.scenarios[s]}, {"policy", contenders_[s][p].label}, {"values", std::move(values)}};
    write_file(place(s, p), json.dump() + "\n");
  }

  const RankingRequest& request_;
  Ranking& ranking_;
  fs::path folder_;
  std::vector<Scenario> scenarios_;
  std::vector<std::vector<Contender>> contenders_;  // [scenario][policy]
  std::vector<std::string> keys_;                   // [scenario * policies + policy]
  std::vector<std::string> metrics_;
};

// Ranks of numbers, 1 for the least; equal ones share the mean of theirs. NaN has no rank.
std::vector<double> ranks_of(const std::vector<double>& values) {
  std::vector<double> out(values.size(), kNaN);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    double below = 0, equal = 0;
    for (const double other : values) {
      const double scale = 1e-12 * std::max(std::abs(other), std::abs(values[i]));  // rounding is no difference
      if (other < values[i] - scale)
        ++below;
      else if (other <= values[i] + scale)
        ++equal;
    }
    out[i] = below + (equal + 1) / 2;
  }
  return out;
}

// Places: 1 and how many are below, so that equal ones share the best of theirs. 0 for NaN.
std::vector<int> places_of(const std::vector<double>& values) {
  std::vector<int> out(values.size(), 0);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (std::isfinite(values[i]))
      out[i] = 1 + static_cast<int>(std::count_if(values.begin(), values.end(), [&](double other) {
                 return other < values[i] - 1e-12 * std::max(std::abs(other), std::abs(values[i]));
               }));
  return out;
}

double mean_of(const std::vector<double>& values) {
  return values.empty() ? kNaN
                        : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// For each policy the interval that holds 95 % of its ranks, replications being drawn anew.
void rank_intervals(const std::vector<std::vector<double>>& scores, std::vector<RankedPolicy>& policies) {
  constexpr std::size_t kRankDraws = 2000;
  const std::size_t n = scores.empty() ? 0 : scores[0].size();
  if (n < 2) return;
  const Stream stream(1, "ranking", 0);
  std::uint64_t draws = 0;
  std::vector<std::vector<int>> ranks(scores.size());
  std::vector<double> sums(scores.size());
  for (std::size_t b = 0; b < kRankDraws; ++b) {
    std::fill(sums.begin(), sums.end(), 0);
    for (std::size_t i = 0; i < n; ++i) {
      const auto r = std::min(n - 1, static_cast<std::size_t>(stream.uniform(draws++) * static_cast<double>(n)));
      for (std::size_t p = 0; p < scores.size(); ++p) sums[p] += scores[p][r];
    }
    const std::vector<int> drawn = places_of(sums);
    for (std::size_t p = 0; p < scores.size(); ++p) ranks[p].push_back(drawn[p]);
  }
  for (std::size_t p = 0; p < scores.size(); ++p) {
    std::sort(ranks[p].begin(), ranks[p].end());
    policies[p].rank_low = ranks[p][kRankDraws / 40];
    policies[p].rank_high = ranks[p][kRankDraws - 1 - kRankDraws / 40];
  }
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i)
    out += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return out;
}

std::string sentence_of(const Ranking& ranking) {
  if (ranking.policies.empty() || ranking.policies[0].rank == 0) return "No policy could run in all scenarios.";
  const RankedPolicy& first = ranking.policies[0];
  std::vector<std::string> level;
  std::size_t ranked = 0;
  for (const RankedPolicy& one : ranking.policies) {
    ranked += one.rank > 0;
    if (one.rank > 0 && &one != &first && one.among_best) level.push_back(one.label);
  }
  const auto range = [](const Estimate& e) {
    return rounded_text(e.mean, 3) + " (95 %: " + rounded_text(e.interval.low, 3) + " to " +
           rounded_text(e.interval.high, 3) + ")";
  };
  std::string out = "Over " + std::to_string(ranking.scenarios.size()) + " scenarios and " +
                    std::to_string(ranking.replications) + " replications, " + first.label +
                    " has the least regret of " + std::to_string(ranked) + " policies, " + range(first.score) +
                    " a frame; ";
  if (!level.empty())
    out += listed(level) + " cannot be told from it at 95 %";
  else
    out += "every other one is behind it at 95 %";
  const RankedPolicy* next = nullptr;
  for (const RankedPolicy& one : ranking.policies)
    if (next == nullptr && one.rank > 0 && !one.among_best) next = &one;
  if (next != nullptr) out += ", the next, " + next->label + ", by " + range(next->behind);
  out += ". It is the best in " + std::to_string(first.best_in) + " of them";
  int worst = 0;
  std::size_t where = 0;
  for (std::size_t s = 0; s < first.rank_in.size(); ++s)
    if (first.rank_in[s] > worst) worst = first.rank_in[s], where = s;
  out += worst > 1 ? ", and rank " + number_text(worst) + " in its worst, " + ranking.scenarios[where] + "." : ".";
  return out;
}

}  // namespace

RankingFile load_ranking_file(const fs::path& path) {
  const auto document = Document::load(path);
  RankingFile file = read<RankingFile>(Value(std::shared_ptr<const Document>(document)));
  if (file.name.empty()) file.name = path.stem().stem().string();
  return file;
}

void lint_ranking(const fs::path& path) {
  Ranking ranking;
  ranking.file = load_ranking_file(path);
  const RankingRequest request;
  Work(path, request, ranking).prepare();
}

Json ranking_schema() {
  Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", "DynaSoC ranking"}};
  schema.update(object_schema<RankingFile>());
  schema["properties"]["$schema"] = {{"type", "string"}};
  return schema;
}

bool is_ranking_result(const std::string& name) {
  return name == "ranking.json" || name == "ranking.csv" || name == "cells" || name == "report.html" ||
         name == DirectoryLock::kName;
}

Ranking rank_policies(const fs::path& path, const RankingRequest& request) {
  Ranking ranking;
  ranking.file = load_ranking_file(path);
  Work work(path, request, ranking);
  work.prepare();
  work.run();
  evaluate(ranking);
  return ranking;
}

void evaluate(Ranking& ranking) {
  const std::size_t scenarios = ranking.scenarios.size(), count = ranking.labels.size();
  const auto n = static_cast<std::size_t>(ranking.replications);
  const bool oracle = !ranking.file.oracle.empty();
  const std::string& metric = ranking.file.metric;
  ranking.policies.assign(count, {});
  ranking.oracle_cost.clear();
  const auto values = [&](std::size_t s, std::size_t p) -> const std::vector<double>& {
    static const std::vector<double> kNone;
    const auto& all = ranking.cells[s][p].values;
    const auto found = all.find(metric);
    return found == all.end() ? kNone : found->second;
  };
  std::vector<std::vector<double>> scores(count, std::vector<double>(n, 0));
  for (std::size_t s = 0; s < scenarios; ++s) {
    std::vector<double> means;
    for (std::size_t p = 0; p < count; ++p) means.push_back(mean_of(values(s, p)));
    std::size_t yardstick = count;
    if (!oracle || values(s, count).empty()) {
      yardstick = 0;
      for (std::size_t p = 1; p < count; ++p)
        if (std::isfinite(means[p]) && !(means[p] >= means[yardstick])) yardstick = p;
    }
    if (oracle && yardstick != count)
      ranking.warnings.push_back(ranking.scenarios[s] + ": the oracle could not run (" +
                                 ranking.cells[s][count].failure + "); regret is against " + ranking.labels[yardstick]);
    const std::vector<double> best = values(s, yardstick);
    ranking.oracle_cost.push_back(estimate(best));
    const std::vector<double> ranks = ranks_of(means);
    const std::vector<int> places = places_of(means);
    for (std::size_t p = 0; p < count; ++p) {
      RankedPolicy& policy = ranking.policies[p];
      policy.label = ranking.labels[p];
      const std::vector<double>& own = values(s, p);
      std::vector<double> regret(n, kNaN);
      for (std::size_t r = 0; r < n && r < own.size() && r < best.size(); ++r) regret[r] = own[r] - best[r];
      policy.regret.push_back(estimate(regret));
      policy.rank_in.push_back(places[p]);
      policy.mean_rank += ranks[p] / static_cast<double>(scenarios);
      policy.best_in += places[p] == 1;
      for (std::size_t r = 0; r < n; ++r) scores[p][r] += regret[r] / static_cast<double>(scenarios);
      if (!ranking.cells[s][p].failure.empty())
        ranking.warnings.push_back(ranking.labels[p] + " could not run in " + ranking.scenarios[s] + ": " +
                                   ranking.cells[s][p].failure);
    }
  }
  std::vector<std::size_t> complete;
  for (std::size_t p = 0; p < count; ++p) {
    RankedPolicy& policy = ranking.policies[p];
    policy.score = estimate(scores[p]);
    for (const std::string& name : kRankedMetrics) {
      std::vector<double> means(n, 0);
      for (std::size_t s = 0; s < scenarios; ++s) {
        const auto found = ranking.cells[s][p].values.find(name);
        for (std::size_t r = 0; r < n; ++r)
          means[r] +=
              (found == ranking.cells[s][p].values.end() || r >= found->second.size() ? kNaN : found->second[r]) /
              static_cast<double>(scenarios);
      }
      policy.means[name] = estimate(means);
    }
    // A replication without a value (no frame was decided) makes no comparison.
    if (policy.score.n == n && n > 0) complete.push_back(p);
  }
  std::vector<std::vector<double>> kept;
  std::vector<RankedPolicy> ranked;
  for (const std::size_t p : complete) kept.push_back(scores[p]), ranked.push_back(ranking.policies[p]);
  std::vector<double> means;
  for (const auto& one : kept) means.push_back(mean_of(one));
  rank_intervals(kept, ranked);
  std::vector<std::size_t> order(ranked.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return means[a] < means[b]; });
  std::vector<double> p_values;
  for (const std::size_t p : order) {
    const auto differences = paired_differences(kept[p], kept[order[0]]);
    ranked[p].behind = estimate(differences);
    p_values.push_back(p == order[0] ? kNaN : paired_p_value(differences));
  }
  const std::vector<double> adjusted = holm(p_values);
  const std::vector<int> places = places_of(means);
  std::vector<RankedPolicy> sorted;
  for (std::size_t i = 0; i < order.size(); ++i) {
    RankedPolicy& policy = ranked[order[i]];
    policy.rank = places[order[i]];
    policy.p_holm = i == 0 ? 1 : adjusted[i];
    policy.among_best = i == 0 || !(adjusted[i] < 1 - kConfidence);
    sorted.push_back(policy);
  }
  for (std::size_t p = 0; p < count; ++p)
    if (std::find(complete.begin(), complete.end(), p) == complete.end()) sorted.push_back(ranking.policies[p]);
  ranking.policies = std::move(sorted);
  ranking.sentence = sentence_of(ranking);
}

}  // namespace dynasoc::explore
