// What payloads of all kinds have in common.
#include <algorithm>
#include <cmath>
#include <mutex>

#include "common/parallel.hpp"
#include "common/shell.hpp"
#include "common/text.hpp"
#include "results/metrics.hpp"
#include "results/output.hpp"
#include "results/report/report.hpp"
#include "version.hpp"
#include "world/run.hpp"

namespace dynasoc::report {
namespace fs = std::filesystem;
namespace {

constexpr const char* kProvenances[] = {"measured", "digitised", "derived"};

Json shares_json(const std::array<double, 3>& counts) {
  const double all = counts[0] + counts[1] + counts[2];
  Json out = Json::object();
  for (std::size_t p = 0; p < counts.size(); ++p)
    out[kProvenances[p]] = number(all > 0 ? counts[p] / all : std::nan(""));
  return out;
}

}  // namespace

std::string_view name_of(ResultKind kind) {
  switch (kind) {
    case ResultKind::run: return "run";
    case ResultKind::comparison: return "comparison";
    case ResultKind::sweep: return "sweep";
    case ResultKind::exploration: return "exploration";
    case ResultKind::ranking: return "ranking";
  }
  throw InternalError("no such kind of results");
}

ResultKind kind_of(const fs::path& directory) {
  const Location here{directory.string(), 0, 0, ""};
  std::error_code code;
  if (!fs::exists(directory, code)) throw InputError(here, "no such directory");
  if (!fs::is_directory(directory, code))
    throw InputError(here, "is a file; the directory of a run, comparison, sweep, exploration or ranking is expected");
  const auto has = [&](const char* name) { return fs::exists(directory / name, code); };
  if (has("manifest.json") && has("comparison.json"))
    throw InputError(
        here,
        "holds a run (manifest.json) and a comparison (comparison.json); remove the one that is not meant, "
        "or make the results again in another directory");
  if (has("manifest.json")) return ResultKind::run;
  if (has("comparison.json")) return ResultKind::comparison;
  if (has("sweep.json")) {
    if (!has("results.csv"))
      throw InputError(here, "holds an unfinished sweep: there is no results.csv in it; `dynasoc sweep " +
                                 shell_line({directory.string(), "--out", directory.string()}) + "` goes on");
    return ResultKind::sweep;
  }
  if (has("explore.json")) {
    if (!has("front.json"))
      throw InputError(here,
                       "holds an unfinished exploration: there is no front.json in it; the command that began it "
                       "goes on");
    return ResultKind::exploration;
  }
  if (has("ranking.json")) return ResultKind::ranking;
  if (has("cells"))
    throw InputError(here,
                     "holds an unfinished ranking: there is no ranking.json in it; the command that began it goes on");
  if (has("jobs.csv") || has("summary.json"))
    throw InputError(here, "holds an unfinished run: there is no manifest.json in it, which is written last");
  throw InputError(here,
                   "holds no results: none of manifest.json (a run), comparison.json, sweep.json, explore.json and "
                   "ranking.json is in it; --out of those commands writes them");
}

Json empty_payload(ResultKind kind, const Request& request) {
  return {{"version", 1},
          {"kind", name_of(kind)},
          {"title", request.title},
          {"subtitle", ""},
          {"generator", std::string("dynasoc ") + DYNASOC_VERSION},
          {"rerun", ""},
          {"report_command", request.command},
          {"manifest", nullptr},
          {"warnings", Json::array()},
          {"provenance", nullptr},
          {"headline", {{"columns", Json::array()}, {"rows", Json::array()}, {"note", ""}}},
          {"front", nullptr},
          {"regret", nullptr},
          {"paired", nullptr},
          {"sweep", nullptr},
          {"sensitivity", nullptr},
          {"matrix", nullptr},
          {"runs", Json::array()},
          {"sections", Json::array()}};
}

Json cell(double value, double low, double high, std::string_view better) {
  std::string text = "-";
  if (std::isfinite(value)) {
    const bool whole = std::trunc(value) == value && std::abs(value) < 1e15;  // a count has no decimals
    text = whole ? std::to_string(static_cast<long long>(value)) : std::abs(value) < 1e-12 ? "0" : rounded_text(value);
    // Half a width that is nothing but rounding of sums is none.
    if (const double half = (high - low) / 2; std::isfinite(half))
      text += " ±" + (half < 1e-9 * std::abs(value) || half < 1e-12 ? "0" : rounded_text(half, 2));
  }
  return {{"text", text},
          {"value", number(value)},
          {"low", number(low)},
          {"high", number(high)},
          {"better", better.empty() ? Json(nullptr) : Json(better)}};
}

double number_of(const Json& json) { return json.is_number() ? json.get<double>() : std::nan(""); }

InputError lacks_rows(const fs::path& path, std::uint64_t found, const std::string& what, std::uint64_t told,
                      const std::string& teller) {
  return InputError({path.string(), 0, 0, ""}, "holds " + std::to_string(found) + " " + what + ", by " + teller +
                                                   " it has " + std::to_string(told) + ": cut, or of other results");
}

Json cell_of(const Json& estimate, std::string_view better) {
  if (!estimate.is_object() || !estimate.contains("mean")) return "-";
  const Json ends = estimate.value("ci95", Json::array());
  const auto end = [&](std::size_t i) {
    return ends.is_array() && ends.size() == 2 ? number_of(ends[i]) : std::nan("");
  };
  return cell(number_of(estimate["mean"]), end(0), end(1), better);
}

MetricTraits traits_of(const std::string& metric) {
  const Metric* found = find_metric(metric);
  if (found == nullptr && metric.starts_with("apps."))
    for (const Metric& one : metric_table()) {
      constexpr std::string_view kAny = "apps.APP";
      if (!one.name.starts_with(kAny)) continue;
      const std::string_view ending = one.name.substr(kAny.size());  // ".latency_ms.mean"
      if (metric.size() > 5 + ending.size() && metric.ends_with(ending)) found = &one;
    }
  if (found == nullptr) return {};
  const auto direction = found->better == Better::neither ? std::string_view{} : dynasoc::name_of(found->better);
  return {std::string(found->unit), std::string(direction)};
}

void mark_front(Json& front) {
  std::vector<double> sign;
  for (const Json& objective : front["objectives"]) sign.push_back(objective["direction"] == "max" ? -1 : 1);
  std::vector<std::vector<double>> values;
  for (const Json& point : front["points"]) {
    values.emplace_back();
    for (std::size_t k = 0; k < sign.size(); ++k) values.back().push_back(sign[k] * number_of(point["values"][k]));
  }
  // In the order of the objectives, a point is dominated by one before it or by none.
  std::vector<std::size_t> order, on_front;
  for (std::size_t i = 0; i < values.size(); ++i) {
    front["points"][i]["on_front"] = false;
    if (std::all_of(values[i].begin(), values[i].end(), [](double x) { return std::isfinite(x); })) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  for (const std::size_t i : order) {
    const bool dominated = std::any_of(on_front.begin(), on_front.end(), [&](std::size_t f) {
      bool better = false;
      for (std::size_t k = 0; k < sign.size(); ++k) {
        if (values[f][k] > values[i][k]) return false;
        better = better || values[f][k] < values[i][k];
      }
      return better;
    });
    if (dominated) continue;
    on_front.push_back(i);
    front["points"][i]["on_front"] = true;
  }
}

std::string shell_line(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + shell_word(word);
  return out;
}

std::string again_line(const std::string& command, const std::vector<std::string>& words, const fs::path& directory) {
  const std::string again = directory.string() + "-again";
  std::vector<std::string> out{"dynasoc", command};
  bool named = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--force" || words[i] == "-f") continue;
    const bool apart = words[i] == "--out" && i + 1 < words.size();
    if (!apart && !words[i].starts_with("--out=")) {
      out.push_back(words[i]);
      continue;
    }
    i += apart;
    named = true;
    out.insert(out.end(), {"--out", again});
  }
  if (!named) out.insert(out.end(), {"--out", again});
  return shell_line(out) + "  # names are as seen from where it was given first, which the results do not tell";
}

std::string difference(const std::string& metric, double now, double then) {
  if (std::isnan(now) && std::isnan(then)) return "";
  if (std::abs(now - then) <= 1e-9 * std::max(std::abs(now), std::abs(then)) + 1e-12) return "";
  return "simulated again, its " + metric + " is " + number_text(now) + " where it was " + number_text(then) +
         ": the program or an input is not what it was";
}

std::vector<std::string> changed_inputs(const Json& inputs, const fs::path& directory) {
  std::vector<std::string> out;
  if (!inputs.is_array()) return out;
  for (const Json& input : inputs) {
    if (!input.is_object()) continue;
    const std::string name = input.value("file", "");
    const fs::path path = directory / name;
    std::error_code code;
    if (!fs::is_regular_file(path, code))
      out.push_back(name + " is no longer there");
    else if (content_hash(read_file(path)) != input.value("fnv1a64", ""))
      out.push_back(name + " has changed since");
  }
  return out;
}

std::vector<std::optional<std::size_t>> simulate_again(const std::vector<Rerun>& reruns, const Request& request,
                                                       Json& payload) {
  const Budget budget = budget_of(reruns.size(), request.shrink);
  struct Made {
    Json run;
    std::string refused;
  };
  std::vector<Made> made(reruns.size());
  std::array<double, 3> latency{}, energy{};
  std::vector<double> share(reruns.size());
  std::mutex mutex;
  parallel_for(reruns.size(), request.jobs, [&](std::size_t i) {
    const auto progress = [&](double done) {
      const std::lock_guard lock(mutex);
      share[i] = done;
      double sum = 0;
      for (const double one : share) sum += one;
      if (request.progress) request.progress(sum / static_cast<double>(reruns.size()));
    };
    try {
      const Scenario scenario = [&] {
        try {
          return reruns[i].scenario();
        } catch (const Json::exception& error) {
          throw InputError(std::string("what the directory says of it is damaged: ") + error.what());
        }
      }();
      const Setup& setup = *scenario.setup;
      check_timeline(scenario, 1);
      const RunRecord record =
          simulate(setup, {.jobs = true, .decisions = true, .timeline_period = from_ms(scenario.file.timeline_ms)},
                   EngineKind::native, 0, progress);
      if (reruns[i].differs) made[i].refused = reruns[i].differs(setup, record);
      if (!made[i].refused.empty()) return;
      RunData run = run_data(setup, record, budget);
      run.label = reruns[i].label;
      run.replications = reruns[i].replications;
      made[i].run = run_json(run, budget);
      const std::lock_guard lock(mutex);
      for (const AppRecord& app : record.apps)
        for (std::size_t p = 0; p < latency.size(); ++p) {
          latency[p] += static_cast<double>(app.provenance[p]);
          energy[p] += static_cast<double>(app.energy_provenance[p]);
        }
    } catch (const InputError& error) {
      made[i].refused = error.what();
    } catch (const OutsideError& error) {
      made[i].refused = error.what();
    } catch (const Json::exception& error) {  // nothing is read here any more
      throw InternalError(error.what());
    }
  });
  std::vector<std::optional<std::size_t>> places(reruns.size());
  for (std::size_t i = 0; i < reruns.size(); ++i) {
    if (!made[i].refused.empty()) {
      payload["warnings"].push_back("the run of " + reruns[i].label + " is left out: " + made[i].refused);
      continue;
    }
    places[i] = payload["runs"].size();
    payload["runs"].push_back(std::move(made[i].run));
  }
  if (latency[0] + latency[1] + latency[2] > 0)
    payload["provenance"] = {{"latency", shares_json(latency)},
                             {"energy", shares_json(energy)},
                             {"of", payload["runs"].size() == 1
                                        ? std::string("of the run in this page")
                                        : "of the " + std::to_string(payload["runs"].size()) + " runs in this page"}};
  return places;
}

}  // namespace dynasoc::report
