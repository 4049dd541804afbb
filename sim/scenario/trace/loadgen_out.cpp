// What is made of LoadGen's logs: arrivals, figures, a scenario.
#include <algorithm>
#include <cmath>

#include "scenario/trace/loadgen.hpp"

namespace dynasoc::trace {
namespace {

constexpr double kSameMs = 1e-6;  // LoadGen's figures are whole nanoseconds

bool agrees(const LoadgenFigure& figure) {
  return std::abs(*figure.recomputed_ms - figure.logged_ms) <= kSameMs + 1e-9 * figure.logged_ms;
}

double needed(const std::optional<double>& value, const LoadgenLog& log, const char* what) {
  if (value) return *value;
  throw InputError({log.report.files.front(), 0, 0, ""},
                   std::string("does not say ") + what + ", which the scenario needs (mlperf_log_detail.txt does)");
}

}  // namespace

std::string LoadgenLog::arrivals_csv() const {
  std::string out = "query,sample,arrival_s,issue_s,end_s,latency_ms\n";
  for (const LoadgenSample& sample : samples) {
    append_number(out, static_cast<long long>(sample.query));
    out += ',';
    append_number(out, static_cast<long long>(sample.sample));
    for (const Time t : {sample.arrival, sample.issue, sample.arrival + sample.latency}) {
      out += ',';
      append_seconds(out, t);
    }
    out += ',';
    append_number(out, to_ms(sample.latency));
    out += '\n';
  }
  return out;
}

Json LoadgenLog::to_json() const {
  const auto or_null = [](const std::optional<double>& x) { return x ? Json(*x) : Json(nullptr); };
  Json compared = Json::object();
  for (const LoadgenFigure& figure : figures) {
    compared[figure.name] = {{"logged_ms", figure.logged_ms}, {"recomputed_ms", or_null(figure.recomputed_ms)}};
    compared[figure.name]["agrees"] = figure.recomputed_ms ? Json(agrees(figure)) : Json(nullptr);
  }
  Json out = report.to_json();
  out["scenario"] = scenario.empty() ? Json(nullptr) : Json(scenario);
  out["validity"] = validity.empty() ? Json(nullptr) : Json(validity);
  out["target_qps"] = or_null(target_qps);
  out["target_latency_ms"] = or_null(target_latency_ms);
  out["samples_per_query"] = or_null(samples_per_query);
  out["samples"] = samples.size();
  out["latency"] = std::move(compared);
  return out;
}

std::string LoadgenLog::text() const {
  std::string out = report.text();
  out += "  scenario " + (scenario.empty() ? std::string("not stated") : scenario);
  if (target_qps) out += ", target " + rounded_text(*target_qps, 6) + " queries/s";
  if (target_latency_ms) out += ", latency bound " + rounded_text(*target_latency_ms, 6) + " ms";
  if (!validity.empty()) out += ", " + validity;
  out += '\n';
  for (const LoadgenFigure& figure : figures) {
    out += "  latency " + figure.name + ": " + rounded_text(figure.logged_ms, 6) + " ms as logged";
    if (figure.recomputed_ms)
      out += agrees(figure) ? ", the same from the samples"
                            : ", but " + rounded_text(*figure.recomputed_ms, 6) + " ms from the samples";
    out += '\n';
  }
  return out;
}

Json loadgen_scenario(const LoadgenLog& log, const std::string& network, const std::string& platform,
                      const std::string& trace_file) {
  Json arrivals;
  double duration_s = 0;
  for (const LoadgenSample& sample : log.samples)
    duration_s = std::max(duration_s, to_s(sample.arrival + sample.latency));
  constexpr double kNoTimes = 60;  // seconds, where the log does not say how long the run was
  duration_s = duration_s > 0 ? std::ceil(duration_s + 1) : kNoTimes;
  if (!trace_file.empty()) {
    if (log.samples.empty())
      throw InputError({log.report.files.front(), 0, 0, ""},
                       "has no issue times to replay: mlperf_log_trace.json does");
    arrivals = {{"kind", "trace"}, {"file", trace_file}};
  } else if (log.scenario == "SingleStream") {
    arrivals = {{"kind", "single-stream"}};
  } else if (log.scenario == "MultiStream") {
    arrivals = {{"kind", "multi-stream"},
                {"samples", static_cast<std::int64_t>(
                                std::min(1e9, needed(log.samples_per_query, log, "how many samples a query has")))}};
  } else if (log.scenario == "Server") {
    arrivals = {{"kind", "server"}, {"target_qps", needed(log.target_qps, log, "the target rate")}};
  } else if (log.scenario == "Offline") {
    const double samples = log.samples.empty() ? needed(log.samples_per_query, log, "how many samples there were")
                                               : static_cast<double>(log.samples.size());
    arrivals = {{"kind", "offline"}, {"samples", static_cast<std::int64_t>(samples)}};
  } else {
    throw InputError({log.report.files.front(), 0, 0, ""}, "does not say which scenario was run");
  }
  Json application{{"network", network}, {"arrivals", std::move(arrivals)}};
  if (log.target_latency_ms) application["targets"] = Json::array({{{"latency_ms", *log.target_latency_ms}}});
  std::string title = "MLPerf LoadGen";
  if (!log.scenario.empty()) title += " " + log.scenario;
  return {{"title", title + (trace_file.empty() ? "" : ", arrivals as recorded")},
          {"source", "dynasoc trace import loadgen"},
          {"platform", platform},
          {"duration_s", duration_s},
          {"applications", {{"loadgen", std::move(application)}}}};
}

}  // namespace dynasoc::trace
