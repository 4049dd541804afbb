#include "scenario/trace/loadgen.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <unordered_map>

#include "common/outside.hpp"
#include "scenario/trace/decimal.hpp"
#include "scenario/trace/line_reader.hpp"

namespace dynasoc::trace {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDetailMark = ":::MLLOG";

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::optional<double> number_of(const Json& value) {
  if (!value.is_number()) return {};
  const double x = value.get<double>();
  if (!std::isfinite(x)) return {};
  return x;
}
using trace::number_of;  // of text

// `99.00` -> `p99`, `99.90` -> `p99.9`.
std::string percentile_name(std::string_view text) {
  const auto x = number_of(text);
  return x && *x > 0 && *x < 100 ? "p" + number_text(*x) : std::string();
}

// What LoadGen's summary is arranged by.
bool is_heading(std::string_view line) {
  return line.starts_with("==") || line == "MLPerf Results Summary" || line == "Additional Stats" ||
         line == "Test Parameters Used" || line == "No warnings encountered during test." ||
         line == "No errors encountered during test.";
}

class Importer {
 public:
  LoadgenLog run(const fs::path& path) {
    out_.report.kind = "loadgen";
    std::error_code code;
    if (fs::is_directory(path, code)) {
      bool any = false;
      for (const char* name : {"mlperf_log_detail.txt", "mlperf_log_summary.txt", "mlperf_log_trace.json"})
        if (fs::exists(path / name, code)) {
          any = true;
          read_file(path / name);
        } else {
          out_.report.note(std::string(name) + " is not there");
        }
      if (!any)
        throw InputError({path.string(), 0, 0, ""},
                         "holds none of mlperf_log_detail.txt, mlperf_log_summary.txt, mlperf_log_trace.json");
    } else {
      read_file(path);
    }
    if (out_.report.taken == 0) nothing_understood(path, out_.report);
    take_samples();
    compare();
    out_.report.rows = out_.samples.size();
    if (!out_.samples.empty())
      out_.report.columns = {"query", "sample", "arrival_s", "issue_s", "end_s", "latency_ms"};
    else
      out_.report.note(
          "no issue times: they are in mlperf_log_trace.json alone, which LoadGen writes with enable_trace");
    return std::move(out_);
  }

 private:
  void read_file(const fs::path& path) {
    LineReader reader(path);
    out_.report.files.push_back(path.string());
    for (std::string_view line; reader.next(line);) {
      const std::string_view text = trimmed(line);
      if (is_heading(text)) continue;
      ++out_.report.read;
      here_ = reader.here();
      line_ = line;
      if (text.starts_with(kDetailMark))
        read_detail(text.substr(kDetailMark.size()), reader.cut());
      else if (text.starts_with("{") || text.starts_with("["))
        read_event(text, reader.cut());
      else if (text.starts_with("]") || text == "}")
        drop("a bracket");
      else
        read_summary(text);
    }
    out_.report.bytes += reader.bytes();
  }

  void drop(std::string_view reason) { out_.report.drop(reason, here_, line_); }

  void read_detail(std::string_view text, bool cut) {
    const Json event = read_json_line(text).value_or(Json());
    if (!event.is_object() || !event.contains("key") || !event["key"].is_string())
      return drop(cut ? "the last line is cut" : "the line behind :::MLLOG is no event");
    const std::string key = event["key"].get<std::string>();
    const Json value = event.value("value", Json());
    if (event.contains("metadata") && event["metadata"].is_object() &&
        event["metadata"].value("is_error", Json()) == true)
      out_.report.remark("LoadGen logged an error", here_, line_);
    if (!use(key, value)) return drop("a key that says nothing of arrivals or latencies");
    ++out_.report.taken;
  }

  // What was effective goes before what was requested.
  bool use(const std::string& key, const Json& value) {
    const bool effective = key.starts_with("effective_");
    if ((effective || key.starts_with("requested_")) && key.ends_with("_scenario") && value.is_string()) {
      set_scenario(value.get<std::string>());
      return true;
    }
    const auto x = number_of(value);
    const auto set = [&](std::optional<double>& to, double scale) {
      if (x && *x > 0 && (effective || !to)) to = *x * scale;
      return x.has_value();
    };
    if (key == "effective_target_qps" || key == "requested_server_target_qps") return set(out_.target_qps, 1);
    if (key == "effective_target_latency_ns" || key == "requested_server_target_latency_ns")
      return set(out_.target_latency_ms, 1e-6);
    if (key == "effective_samples_per_query") return set(out_.samples_per_query, 1);
    if (key == "result_validity" && value.is_string()) {
      out_.validity = printable(value.get<std::string>());
      return true;
    }
    constexpr std::string_view kResult = "result_";
    if (!key.starts_with(kResult) || !x) return false;
    std::string_view what = std::string_view(key).substr(kResult.size());
    if (!what.ends_with("latency_ns")) return false;
    const bool of_query = what.find("query") != std::string_view::npos;
    for (const auto& [word, name] : {std::pair{"min_", "min"}, {"max_", "max"}, {"mean_", "mean"}})
      if (what == std::string(word) + "latency_ns" || what == std::string(word) + "query_latency_ns")
        return figure(name, *x * 1e-6, of_query), true;
    const auto percentile = what.find("_percentile_");
    if (percentile == std::string_view::npos || what.find("token") != std::string_view::npos) return false;
    const std::string name = percentile_name(what.substr(0, percentile));
    if (name.empty()) return false;
    return figure(name, *x * 1e-6, of_query), true;
  }

  void set_scenario(const std::string& name) {
    if (name != "SingleStream" && name != "MultiStream" && name != "Server" && name != "Offline")
      return out_.report.remark("a scenario that is not known", here_, line_);
    if (!out_.scenario.empty() && out_.scenario != name)
      throw InputError({here_.file, here_.line, 0, ""}, "says the scenario is " + name + ", but another line said " +
                                                            out_.scenario + ": files of different runs?");
    out_.scenario = name;
  }

  // The summary and the detail log state the same figures.
  void figure(const std::string& name, double ms, bool of_query) {
    if (of_query) per_query_ = true;
    for (const LoadgenFigure& known : out_.figures)
      if (known.name == name) {
        if (std::abs(known.logged_ms - ms) > 1e-6 + 1e-9 * ms)
          out_.report.remark("the files state different figures: of different runs?", here_, line_);
        return;
      }
    out_.figures.push_back({name, ms});
  }

  // `99.00 percentile latency (ns)   : 27129671`
  void read_summary(std::string_view line) {
    const auto colon = line.find(':');
    const std::string_view name = trimmed(line.substr(0, colon));
    const std::string_view value = colon == std::string_view::npos ? "" : trimmed(line.substr(colon + 1));
    if (value.empty()) {
      if (line.empty()) return drop("an empty line");
      return drop("no line of a log of LoadGen");
    }
    const auto x = number_of(value);
    const auto set = [&](std::optional<double>& to, double scale) {
      if (x && *x > 0 && !to) to = *x * scale;
    };
    if (name == "Scenario")
      set_scenario(std::string(value));
    else if (name == "Result is")
      out_.validity = printable(value);
    else if (name == "target_qps")
      set(out_.target_qps, 1);
    else if (name == "target_latency (ns)")
      set(out_.target_latency_ms, 1e-6);
    else if (name == "samples_per_query")
      set(out_.samples_per_query, 1);
    else if (x && (name == "Min latency (ns)" || name == "Max latency (ns)" || name == "Mean latency (ns)"))
      figure(name[1] == 'e' ? "mean" : name[1] == 'i' ? "min" : "max", *x * 1e-6, false);
    else if (const auto at = name.find(" percentile latency (ns)");
             x && at != std::string_view::npos && at > 0 && !percentile_name(name.substr(0, at)).empty())
      figure(percentile_name(name.substr(0, at)), *x * 1e-6, false);
    else
      return drop("a line that says nothing of arrivals or latencies");
    ++out_.report.taken;
  }

  // One event of the trace. The first line opens the list, the last closes it.
  void read_event(std::string_view text, bool cut) {
    for (const std::string_view opening : {"{\"traceEvents\":", "{\"traceEvents\" :", "["})
      if (text.starts_with(opening)) text = trimmed(text.substr(opening.size()));
    if (text.starts_with("[")) text = trimmed(text.substr(1));
    if (text.empty()) return drop("a bracket");
    if (text.ends_with(",")) text.remove_suffix(1);
    const Json event = read_json_line(text).value_or(Json());
    if (!event.is_object()) return drop(cut ? "the last line is cut" : "no event of a trace");
    const auto text_of = [&](const char* key) {
      const auto found = event.find(key);
      return found != event.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    if (text_of("name") != "Sample") return drop("an event that is no sample");
    const auto id = number_of(event.value("id", Json())), at = number_of(event.value("ts", Json()));
    const std::string phase = text_of("ph");
    if (!id || !at || std::abs(*id) > 1e15 || (phase != "b" && phase != "e")) return drop("a sample that is broken");
    Event& sample = events_[static_cast<std::int64_t>(*id)];
    auto& slot = phase == "b" ? sample.begin : sample.end;
    if (slot) return drop("a sample that was there before");
    slot = *at;
    if (phase == "b") {
      const Json args = event.value("args", Json::object());
      const auto arg = [&](const char* key) {
        return args.is_object() ? number_of(args.value(key, Json())) : std::optional<double>();
      };
      sample.query = arg("query_seq").value_or(*id);
      sample.issue_ns = arg("issue_start_ns").value_or(0);
      sample.complete_ns = arg("complete_ns");
      sample.where = here_;
    }
    ++out_.report.taken;
  }

  void take_samples() {
    std::size_t as_ns = 0, as_us = 0, open = 0;
    for (const auto& [id, event] : events_)
      if (event.begin && event.end && event.complete_ns) {
        const double length = *event.end - *event.begin;
        ++(std::abs(length - *event.complete_ns) <= std::abs(1000 * length - *event.complete_ns) ? as_ns : as_us);
      }
    if (as_ns > 0 && as_us > as_ns / 100 && as_ns > as_us / 100)
      out_.report.note("times of the trace disagree with its own complete_ns");
    const double scale = as_ns > as_us ? 1 : 1000;
    if (!events_.empty())
      out_.report.note(scale == 1 ? "times of the trace are nanoseconds" : "times of the trace are microseconds");
    for (const auto& [id, event] : events_) {
      if (!event.begin || !(event.end || event.complete_ns)) {
        ++open;
        continue;
      }
      constexpr double kMostNs = 9e18;
      const double at = *event.begin * scale;
      const double latency = event.complete_ns ? *event.complete_ns : (*event.end - *event.begin) * scale;
      if (!(std::abs(at) < kMostNs / 4 && latency >= 0 && latency < kMostNs / 4 &&
            std::abs(event.issue_ns) < kMostNs / 4 && std::abs(event.query) < 1e15)) {
        out_.report.remark("a sample with impossible times, left out", event.where, "");
        continue;
      }
      out_.samples.push_back(
          {static_cast<std::int64_t>(event.query), id, from_ns(at), from_ns(at + event.issue_ns), from_ns(latency)});
    }
    if (open > 0)
      out_.report.note(std::to_string(open) +
                       " samples have a beginning or an end only and are left out: the trace is cut");
    std::sort(out_.samples.begin(), out_.samples.end(), [](const LoadgenSample& a, const LoadgenSample& b) {
      return std::pair(a.arrival, a.sample) < std::pair(b.arrival, b.sample);
    });
    if (out_.samples.empty()) return;
    const Time first = out_.samples.front().arrival;
    for (LoadgenSample& sample : out_.samples) sample.arrival -= first, sample.issue -= first;
  }

  // LoadGen takes the sample at floor(n p) of the sorted latencies, of queries their last sample.
  void compare() {
    if (out_.samples.empty()) return;
    std::vector<Time> latencies;
    if (per_query_) {
      std::map<std::int64_t, Time> queries;
      for (const LoadgenSample& sample : out_.samples)
        queries[sample.query] = std::max(queries[sample.query], sample.latency);
      for (const auto& [query, latency] : queries) latencies.push_back(latency);
    } else {
      for (const LoadgenSample& sample : out_.samples) latencies.push_back(sample.latency);
    }
    std::sort(latencies.begin(), latencies.end());
    double sum = 0;
    for (const Time latency : latencies) sum += static_cast<double>(latency);
    for (LoadgenFigure& figure : out_.figures) {
      const auto n = static_cast<double>(latencies.size());
      if (figure.name == "mean")
        figure.recomputed_ms = sum / n * 1e-6;
      else if (figure.name == "min")
        figure.recomputed_ms = to_ms(latencies.front());
      else if (figure.name == "max")
        figure.recomputed_ms = to_ms(latencies.back());
      else if (const auto percentile = number_of(std::string_view(figure.name).substr(1)))
        figure.recomputed_ms = to_ms(latencies[static_cast<std::size_t>(std::min(n * *percentile / 100, n - 1))]);
    }
  }

  struct Event {
    std::optional<double> begin, end, complete_ns;
    double query = 0, issue_ns = 0;
    Location where;
  };
  LoadgenLog out_;
  Location here_;
  std::string_view line_;
  std::map<std::int64_t, Event> events_;
  bool per_query_ = false;
};

}  // namespace

LoadgenLog import_loadgen(const fs::path& path) { return Importer().run(path); }

}  // namespace dynasoc::trace
