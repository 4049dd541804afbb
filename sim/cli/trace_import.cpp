// dynasoc trace import KIND: one function a kind of recording.
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "cli/output_files.hpp"
#include "cli/table_common.hpp"
#include "cli/trace_common.hpp"
#include "common/temporary_folder.hpp"
#include "common/text.hpp"
#include "scenario/data_paths.hpp"
#include "scenario/trace/background.hpp"
#include "scenario/trace/clock_check.hpp"
#include "scenario/trace/csv_import.hpp"
#include "scenario/trace/ftrace.hpp"
#include "scenario/trace/line_reader.hpp"
#include "scenario/trace/loadgen.hpp"
#include "scenario/trace/perfetto.hpp"
#include "scenario/trace/tegrastats.hpp"

namespace dynasoc::cli {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;
using namespace trace;

constexpr const char* kKinds =
    "dynasoc trace import: recordings into timelines and arrivals\n"
    "\n"
    "  dynasoc trace import tegrastats FILE… -o OUT.csv   NVIDIA's logs, of JetPack 4, 5 and 6\n"
    "  dynasoc trace import ftrace FILE -o OUT.csv        text of the kernel's tracer (trace-cmd report)\n"
    "  dynasoc trace import perfetto FILE -o OUT.csv      a binary Perfetto trace\n"
    "  dynasoc trace import loadgen FOLDER -o OUT.csv     logs of MLPerf LoadGen\n"
    "  dynasoc trace import csv FILE --columns arrival_s=COLUMN:UNIT,… -o OUT.csv\n"
    "\n"
    "Each says what it took and what it dropped, and why. Without -o nothing is written but that report.\n"
    "`dynasoc trace import KIND --help` says more.\n";

void add_common_options(Options& options) {
  options.add()("output,o", po::value<std::string>(), "CSV file to write")("force,f", "replace files that exist")(
      "json", "the report as one JSON object");
}
void add_board_options(Options& options) {
  options.add()("check,c", po::value<std::string>(),
                "platform file or name: which clocks are none of its operating points, which rails it does not know")(
      "background", po::value<std::string>(), "also write the load as a scenario's background, to be included")(
      "background-window", po::value<std::string>(), "seconds that a load is averaged over (1)");
}

std::vector<fs::path> files_of(const Options& options, const std::string& kind) {
  if (!options.has("what")) throw InputError("trace import " + kind + ": which file?");
  std::vector<fs::path> out;
  for (const std::string& word : options.get<std::vector<std::string>>("what")) out.emplace_back(word);
  return out;
}

// What a program prints, for the user who may have put anything into names.
std::string dumped(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n'; }

// Recordings that may be read twice: what is no regular file (`<(ssh board cat log)`) is copied first.
class Sources {
 public:
  Sources(const std::vector<fs::path>& files, Console& console) {
    for (const fs::path& file : files) {
      std::error_code code;
      const fs::file_status status = fs::status(file, code);
      const bool is_stream = fs::is_fifo(status) || fs::is_character_file(status) || fs::is_socket(status);
      sources_.push_back(is_stream ? Source(copy(file, console), file.string()) : Source(file));
    }
  }
  const std::vector<Source>& all() const { return sources_; }

 private:
  fs::path copy(const fs::path& file, Console& console) {
    if (!folder_) folder_.emplace();
    const fs::path path = folder_->path() / std::to_string(sources_.size());
    ProgressBar progress(console, true);
    FileWriter writer(path);
    writer.on_flush([&] { progress(0); });
    read_stream(file, [&](std::string_view block) {
      writer.buffer() += block;
      writer.flush_if_large();
      progress(0);
    });
    writer.commit();
    return path;
  }

  std::optional<TemporaryFolder> folder_;
  std::vector<Source> sources_;
};

// Hands rows to several, and asks now and then whether the user still wants them.
class Tee final : public TimelineSink {
 public:
  explicit Tee(ProgressBar& progress) : progress_(progress) {}
  void add(TimelineSink* sink) { sinks_.push_back(sink); }
  void row(Time t, const std::vector<double>& values) override {
    constexpr std::uint64_t kBetween = 4096;
    if (++rows_ % kBetween == 0) progress_(0);
    for (TimelineSink* sink : sinks_) sink->row(t, values);
  }

 private:
  ProgressBar& progress_;
  std::uint64_t rows_ = 0;
  std::vector<TimelineSink*> sinks_;
};

using Read = std::function<ImportReport(TimelineColumns&, TimelineSink&)>;

// Reads a recording of a board into what the options ask for. The CSV's header needs all columns: where one appears
// only after the first row, the recording is read a second time.
int import_board(const Options& options, Console& console, const Read& read,
                 const std::function<void(ImportReport&)>& before_commit = {}) {
  std::optional<Platform> platform;
  if (options.has("check")) platform = find_platform(options.get<std::string>("check"));
  NamedFiles outputs, inputs;
  add_files(outputs, options, {"output", "background", "arrivals-out"});
  for (const std::string& word : options.get<std::vector<std::string>>("what")) inputs.emplace_back("", word);
  add_files(inputs, options, {"check"});
  require_different(outputs, inputs);
  const fs::path output = options.has("output") ? new_file(options, "output") : fs::path();
  const fs::path load_path = options.has("background") ? new_file(options, "background") : fs::path();
  BackgroundOptions load_options;
  load_options.window_s = number_option(options, "background-window", load_options.window_s, 1e-3, 1e6);

  ProgressBar progress(console, true);  // how much there is to read is not known: only Ctrl-C is looked for
  TimelineColumns columns;
  for (;;) {
    Tee tee(progress);
    std::optional<TimelineWriter> writer;
    std::optional<BackgroundLoad> load;
    std::optional<ClockCheck> check;
    if (!output.empty()) tee.add(&writer.emplace(output, columns));
    if (!load_path.empty()) tee.add(&load.emplace(columns, load_options, platform ? &*platform : nullptr));
    if (platform) tee.add(&check.emplace(columns, *platform));
    ImportReport report = read(columns, tee);
    if (report.rows == 0 && (writer || load))
      throw InputError({report.files.front(), 1, 0, ""},
                       columns.size() > 0 ? "is shorter than one row: choose a smaller --window-ms"
                                          : "tells of no clock and no load: there is no timeline in it");
    if (writer && !writer->complete()) continue;
    if (before_commit) before_commit(report);
    if (load) {
      load->finish();
      const std::string source = fs::path(report.files.front()).filename().string();
      write_file(load_path, load->scenario("recorded: " + printable(source)).dump(2) + '\n');
      report.note(std::to_string(load->loads()) + " background loads over " + rounded_text(load->duration_s(), 6) +
                  " s in " + printable(load_path.string(), 4096));
      for (std::string& note : load->notes()) report.note(std::move(note));
    }
    if (writer) writer->commit();
    if (options.has("json")) {
      Json out = report.to_json();
      if (check) out["check"] = check->to_json();
      console.out << dumped(out);
    } else {
      console.out << report.text();
      if (check) console.out << check->text();
    }
    return kSuccess;
  }
}

int import_tegrastats_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc trace import tegrastats FILE… [-o OUT.csv]",
      "Makes logs of NVIDIA's tegrastats a timeline: utilisation and clock of each CPU, the GPU, the memory\n"
      "and the engines, temperatures, rails. The forms of JetPack 4, 5 and 6, with and without dates; several\n"
      "files are read one after the other.");
  add_common_options(options);
  add_board_options(options);
  options.add()("interval-ms", po::value<std::string>(),
                "time between lines; without it from the dates, or 1000 where there are none");
  options.positional("what", -1);
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  const Sources files(files_of(options, "tegrastats"), console);
  TegrastatsOptions how;
  how.interval_ms = number_option(options, "interval-ms", 0, 1, 1e7);
  return import_board(options, console, [&](TimelineColumns& columns, TimelineSink& sink) {
    return import_tegrastats(files.all(), how, columns, sink);
  });
}

int import_kernel(const std::string& kind, const std::string& doc,
                  void (*read)(const Source&, ImportReport&, KernelEvents&), const Arguments& arguments,
                  Console& console) {
  Options options("dynasoc trace import " + kind + " FILE [-o OUT.csv]", doc);
  add_common_options(options);
  add_board_options(options);
  options.add()("window-ms", po::value<std::string>(), "length of a row (100)")(
      "arrivals", po::value<std::string>(),
      "a task's name or pid, or a trace marker's: when it was woken, ran and slept; task:NAME and marker:NAME say "
      "which")("arrivals-out", po::value<std::string>(), "CSV file for them");
  options.positional("what", 1);
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  if (!options.has("what")) throw InputError("trace import " + kind + ": which file?");
  if (options.has("arrivals") != options.has("arrivals-out"))
    throw InputError("--arrivals NAME and --arrivals-out FILE belong together");
  KernelOptions how;
  how.window_ms = number_option(options, "window-ms", how.window_ms, 1e-3, 1e7);
  how.arrivals = options.get_or<std::string>("arrivals", "");
  const fs::path jobs_path = options.has("arrivals-out") ? new_file(options, "arrivals-out") : fs::path();
  const Sources files(files_of(options, kind), console);
  const Source& file = files.all().front();
  std::string jobs;
  std::size_t count = 0;
  return import_board(
      options, console,
      [&](TimelineColumns& columns, TimelineSink& sink) {
        ImportReport report;
        KernelEvents events(how, report, columns, sink);
        read(file, report, events);
        events.require_jobs(file.name);
        jobs = events.jobs_csv();
        count = events.jobs().size();
        report.columns = columns.names();
        return report;
      },
      [&](ImportReport& report) {
        if (jobs_path.empty()) return;
        write_file(jobs_path, jobs);
        report.note(std::to_string(count) + (count == 1 ? " activation of " : " activations of ") +
                    printable(how.arrivals) + " in " + printable(jobs_path.string(), 4096));
      });
}

int import_ftrace_command(const Arguments& arguments, Console& console) {
  return import_kernel(
      "ftrace",
      "Makes the text of the kernel's tracer (`trace-cmd report`, /sys/kernel/tracing/trace) a timeline:\n"
      "cpu_frequency, sched_switch (or cpu_idle), devfreq_monitor, devfreq_frequency, clock_set_rate.",
      import_ftrace, arguments, console);
}

int import_perfetto_command(const Arguments& arguments, Console& console) {
  return import_kernel("perfetto",
                       "Makes a binary Perfetto trace a timeline, from the kernel's events in it: cpu_frequency,\n"
                       "sched_switch (or cpu_idle), devfreq events, clock_set_rate.",
                       import_perfetto, arguments, console);
}

// A name of the command line, whose option is named where there is none such.
fs::path named_by(const std::string& option, const DataPaths& paths, const std::string& text,
                  fs::path (DataPaths::*find)(const Name&) const) {
  try {
    return (paths.*find)({text, {}});
  } catch (const InputError& error) {
    std::string message = error.what();
    if (const std::string place = Where{}.error("").what(); message.starts_with(place)) message.erase(0, place.size());
    throw InputError("--" + option + " " + text + ": " + message);
  }
}

// What a scenario in `folder` must say to mean the network or platform that the command line means: a name, or a path
// from there. Throws InputError where there is none.
std::string named_from(const fs::path& folder, const std::string& option, const std::string& text,
                       const std::string& within, fs::path (DataPaths::*find)(const Name&) const) {
  std::error_code code;
  const bool is_path =
      text.find('/') != std::string::npos || text.ends_with(".json") || fs::is_regular_file(text + within, code);
  if (!is_path) {
    named_by(option, DataPaths(folder), text, find);
    return text;
  }
  const std::string file = fs::is_regular_file(text + within, code) ? text + within : text;
  return fs::proximate(fs::absolute(named_by(option, DataPaths(), file, find)), folder).string();
}

int import_loadgen_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc trace import loadgen FOLDER|FILE [-o OUT.csv]",
      "Reads MLPerf LoadGen's mlperf_log_detail.txt, mlperf_log_summary.txt and mlperf_log_trace.json: when\n"
      "samples were issued and how long they took, the scenario and its bound; percentiles are computed again\n"
      "and compared with the log's. OUT.csv serves as `\"arrivals\": {\"kind\": \"trace\", \"file\": \"OUT.csv\"}`.");
  add_common_options(options);
  options.add()("scenario", po::value<std::string>(), "also write a scenario with LoadGen's own arrival process")(
      "replay", "in that scenario: replay OUT.csv instead")("network,n", po::value<std::string>(),
                                                            "its network: file, folder or name")(
      "platform,p", po::value<std::string>(), "its platform (jetson-xavier-nx)");
  options.positional("what", 1);
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  const fs::path input = files_of(options, "loadgen").front();
  const fs::path output = options.has("output") ? new_file(options, "output") : fs::path();
  const fs::path scenario_path = options.has("scenario") ? new_file(options, "scenario") : fs::path();
  if (scenario_path.empty() && (options.has("replay") || options.has("network") || options.has("platform")))
    throw InputError("--replay, --network and --platform are about the scenario of --scenario FILE");
  if (!scenario_path.empty() && !options.has("network"))
    throw InputError("--scenario needs a network that serves the queries (--network)");
  if (options.has("replay") && output.empty()) throw InputError("--replay needs the arrivals in a file (-o)");

  NamedFiles outputs, inputs{{"", input}};
  add_files(outputs, options, {"output", "scenario"});
  add_files(inputs, options, {"network", "platform"});
  for (const char* name : {"mlperf_log_detail.txt", "mlperf_log_summary.txt", "mlperf_log_trace.json"})
    inputs.emplace_back("", input / name);  // of a folder
  require_different(outputs, inputs);
  if (options.has("replay") && output.extension() != ".csv")
    throw InputError("--replay needs the arrivals in a file whose name ends in .csv: a scenario finds no other");
  const fs::path folder = scenario_path.empty() ? fs::path() : fs::absolute(scenario_path).parent_path();
  std::string network, platform;
  if (!scenario_path.empty()) {
    network = named_from(folder, "network", options.get<std::string>("network"), "/network.json", &DataPaths::network);
    platform = named_from(folder, "platform", options.get_or<std::string>("platform", "jetson-xavier-nx"), "",
                          &DataPaths::platform);
  }

  const LoadgenLog log = import_loadgen(input);
  if (!output.empty() && log.samples.empty())
    throw InputError(
        {input.string(), 0, 0, ""},
        "has no issue times: they are in mlperf_log_trace.json alone, which LoadGen writes with enable_trace");
  if (!scenario_path.empty()) {
    const std::string trace_file = options.has("replay") ? fs::proximate(fs::absolute(output), folder).string() : "";
    const Json scenario = loadgen_scenario(log, network, platform, trace_file);
    write_file(scenario_path, scenario.dump(2) + '\n');
  }
  if (!output.empty()) write_file(output, log.arrivals_csv());
  console.out << (options.has("json") ? dumped(log.to_json()) : log.text());
  return kSuccess;
}

int import_csv_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc trace import csv FILE --columns TO=FROM[:UNIT],… [-o OUT.csv]",
      "Makes any CSV file a list of arrivals or a timeline. TO is a column of the result, whose name ends in its\n"
      "unit (arrival_s, latency_ms, gpu_mhz, gpu_utilisation); FROM is a column of the file, UNIT what it is\n"
      "measured in: ns us ms s min h, hz khz mhz ghz, uw mw w, uj mj j, share percent, mc c.");
  add_common_options(options);
  options.add()("columns", po::value<std::string>(), "for instance arrival_s=ts:ns,latency_ms=lat:us")(
      "keep-times", "do not let the first time be 0");
  options.positional("what", 1);
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  const fs::path file = files_of(options, "csv").front();
  if (!options.has("columns")) throw InputError("trace import csv: which columns? (--columns arrival_s=COLUMN:UNIT,…)");
  const auto columns = column_mappings(options.get<std::string>("columns"));
  const fs::path output = options.has("output") ? new_file(options, "output") : fs::path();
  NamedFiles outputs;
  add_files(outputs, options, {"output"});
  require_different(outputs, {{"", file}});
  const CsvImport result = import_csv(file, columns, options.has("keep-times"));
  if (!output.empty()) write_file(output, result.csv);
  console.out << (options.has("json") ? dumped(result.report.to_json()) : result.report.text());
  return kSuccess;
}

}  // namespace

int trace_import_command(const Arguments& arguments, Console& console) {
  static const std::vector<std::pair<std::string, int (*)(const Arguments&, Console&)>> kinds = {
      {"tegrastats", import_tegrastats_command},
      {"ftrace", import_ftrace_command},
      {"perfetto", import_perfetto_command},
      {"loadgen", import_loadgen_command},
      {"csv", import_csv_command}};
  if (arguments.empty()) throw InputError("trace import: which kind? (tegrastats, ftrace, perfetto, loadgen, csv)");
  if (arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") {
    console.out << kKinds;
    return kSuccess;
  }
  std::vector<std::string> known;
  for (const auto& [name, run] : kinds) {
    if (name == arguments[0]) return run({arguments.begin() + 1, arguments.end()}, console);
    known.push_back(name);
  }
  throw InputError("trace import: unknown kind " + in_quotes(arguments[0]) + hint(arguments[0], known));
}

}  // namespace dynasoc::cli
