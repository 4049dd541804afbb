// Recordings that other programs made: what is taken of them ascends in time, and every report can be printed.
#include <cmath>

#include "common/csv.hpp"
#include "common/text.hpp"
#include "scenario/trace/csv_import.hpp"
#include "scenario/trace/ftrace.hpp"
#include "scenario/trace/loadgen.hpp"
#include "scenario/trace/perfetto.hpp"
#include "scenario/trace/tegrastats.hpp"
#include "target.hpp"

namespace dynasoc::fuzz {
namespace {

// A recording, and its first line with something in it: of which fewer mutants are understood.
std::vector<std::string> recordings(std::initializer_list<const char*> names) {
  std::vector<std::string> out;
  for (const char* name : names) {
    std::string text = read_raw(root() / "tests/traces" / name);
    text.resize(std::min(text.rfind('\n', 4000) + 1, text.size()));
    out.push_back(text);
  }
  return out;
}

const std::filesystem::path& recording(const std::string& text) {
  static const Beside beside("tests/traces", "fuzzed");
  static const std::filesystem::path path = beside.write("");
  beside.write(text);
  return path;
}

void can_be_printed(const trace::ImportReport& report) {
  report.to_json().dump();
  report.text();
}

void loads(const std::string& csv) {
  if (!good_or_refused([&] { Csv::parse(csv, "written.csv"); }))
    throw Finding("is refused after being written: " + csv);
}

// Rows as they are told.
struct Rows final : trace::TimelineSink {
  void row(Time t, const std::vector<double>& values) override {
    if (count++ > 0 && t < last) throw Finding("a row is before the one that was told before it");
    if (values.size() > columns.size()) throw Finding("a row has more values than there are columns");
    last = t;
  }
  trace::TimelineColumns columns;
  Time last = 0;
  std::uint64_t count = 0;
};

bool read_tegrastats(const std::string& text) {
  return good_or_refused([&] {
    Rows rows;
    can_be_printed(trace::import_tegrastats({recording(text)}, {}, rows.columns, rows));
  });
}

template <auto import>
bool read_events(const std::string& text) {
  return good_or_refused([&] {
    Rows rows;
    trace::ImportReport report;
    trace::KernelEvents events({100, ""}, report, rows.columns, rows);
    import(recording(text), report, events);
    loads(events.jobs_csv());
    can_be_printed(report);
  });
}

bool read_loadgen(const std::string& text) {
  return good_or_refused([&] {
    const trace::LoadgenLog log = trace::import_loadgen(recording(text));
    if (!log.samples.empty()) loads(log.arrivals_csv());
    log.to_json().dump();
    can_be_printed(log.report);
  });
}

bool read_csv(const std::string& text) {
  return good_or_refused([&] {
    const auto imported =
        trace::import_csv(recording(text), trace::column_mappings("arrival_s=ts:ns,latency_ms=lat_us"), false);
    loads(imported.csv);
    can_be_printed(imported.report);
  });
}

const Register tegrastats{{.name = "tegrastats",
                           .doc = "logs of tegrastats",
                           .form = Form::bytes,
                           .seeds =
                               [] {
                                 auto out = recordings({"jetpack4.log", "jetpack5.log", "jetpack6.log"});
                                 out.emplace_back("RAM 2019/7771MB (lfb 7x4MB) CPU [12%@1190,off]\n");
                                 return out;
                               },
                           .read = read_tegrastats,
                           .mutants = 800}};
const Register ftrace{{.name = "ftrace",
                       .doc = "texts of the kernel's tracer",
                       .form = Form::bytes,
                       .seeds =
                           [] {
                             auto out = recordings({"ftrace.txt", "trace-cmd.txt"});
                             out.emplace_back(
                                 "<idle>-0 [000] d..2. 100.000000: cpu_frequency: state=1190400 cpu_id=0\n");
                             return out;
                           },
                       .read = read_events<trace::import_ftrace>,
                       .mutants = 800}};
const Register perfetto{{.name = "perfetto",
                         .doc = "binary traces of Perfetto",
                         .form = Form::bytes,
                         .seeds = [] { return std::vector{read_raw(root() / "tests/traces/kernel.pftrace")}; },
                         .read = read_events<trace::import_perfetto>,
                         .mutants = 1500}};
const Register loadgen{{.name = "loadgen",
                        .doc = "logs of MLPerf LoadGen",
                        .form = Form::bytes,
                        .seeds =
                            [] {
                              auto out = recordings({"loadgen-server/mlperf_log_detail.txt",
                                                     "loadgen-server/mlperf_log_summary.txt",
                                                     "loadgen-server/mlperf_log_trace.json"});
                              out.emplace_back(":::MLLOG {\"key\": \"effective_target_qps\", \"value\": 10}\n");
                              return out;
                            },
                        .read = read_loadgen,
                        .mutants = 800}};
const Register csv{{.name = "csv-import",
                    .doc = "CSV files of other programs (`trace import csv`)",
                    .seeds =
                        [] {
                          return std::vector<std::string>{"ts,lat_us,who\n1000,20,a\n3000,\"30\",b\n2000,25,c\n",
                                                          "who;ts;lat_us\r\na;1;2\r\nb;2;3\r\n",
                                                          "lat_us\tts\n1e3\t5.5\n2\t6\n"};
                        },
                    .read = read_csv,
                    .mutants = 1500}};

}  // namespace
}  // namespace dynasoc::fuzz
