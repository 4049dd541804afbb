// Importers of recordings: what they take, what they drop and say of it, and that nothing breaks them.
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>

#include <catch2/catch.hpp>

#include "common/text.hpp"
#include "scenario/trace/background.hpp"
#include "scenario/trace/clock_check.hpp"
#include "scenario/trace/conformance.hpp"
#include "scenario/trace/csv_import.hpp"
#include "scenario/trace/ftrace.hpp"
#include "scenario/trace/loadgen.hpp"
#include "scenario/trace/perfetto.hpp"
#include "scenario/trace/tegrastats.hpp"
#include "support/fuzz.hpp"
#include "support/source_dir.hpp"
#include "support/temporary_folder.hpp"

namespace dynasoc::trace {
namespace {

using Catch::Contains;
using Catch::EndsWith;
namespace fs = std::filesystem;
using dynasoc::test::kRoot;
const fs::path kTraces = kRoot / "tests" / "traces";

// Keeps all rows.
struct Rows final : TimelineSink {
  struct Row {
    Time t;
    std::vector<double> values;
  };
  explicit Rows(TimelineColumns& all) : columns(all) {}
  void row(Time t, const std::vector<double>& values) override { rows.push_back({t, values}); }
  double at(std::size_t row, const std::string& column) {
    const std::size_t c = columns.index(column);
    return c < rows.at(row).values.size() ? rows[row].values[c] : std::numeric_limits<double>::quiet_NaN();
  }
  TimelineColumns& columns;
  std::vector<Row> rows;
};

struct Imported {
  TimelineColumns columns;
  Rows rows{columns};
  ImportReport report;
};

void tegrastats(Imported& out, const std::vector<Source>& files, double interval_ms = 0) {
  out.report = import_tegrastats(files, {interval_ms}, out.columns, out.rows);
}

std::uint64_t count(const std::vector<Occurrence>& list, const std::string& part) {
  for (const Occurrence& one : list)
    if (one.reason.find(part) != std::string::npos) return one.count;
  return 0;
}

fs::path file_with(const test::TemporaryFolder& folder, const std::string& text, const std::string& name = "input") {
  const fs::path path = folder.path() / name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

std::string complaint(const std::function<void()>& f) {
  try {
    f();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("tegrastats of JetPack 4: no dates, rails without a unit, cores that are off") {
  Imported got;
  tegrastats(got, {kTraces / "jetpack4.log"});
  REQUIRE(got.rows.rows.size() == 3);
  CHECK(got.rows.rows[2].t == 2_s);  // tegrastats' default interval
  CHECK(got.rows.at(0, "cpu0_utilisation") == 0.12);
  CHECK(got.rows.at(0, "cpu5_mhz") == 1420);
  CHECK(std::isnan(got.rows.at(0, "cpu2_utilisation")));
  CHECK(std::isnan(got.rows.at(0, "cpu2_mhz")));
  CHECK(got.rows.at(1, "gpu_utilisation") == 0.61);
  CHECK(got.rows.at(1, "gpu_mhz") == 1109);
  CHECK(got.rows.at(0, "emc_utilisation") == 0.02);
  CHECK(got.rows.at(0, "vic_mhz") == 115);
  CHECK(got.rows.at(0, "ape_mhz") == 150);
  CHECK(got.rows.at(0, "ao_temperature_c") == 33.5);
  CHECK(got.rows.at(2, "VDD_IN_mw") == 3003);  // the momentary value, not the average
  CHECK(got.rows.at(1, "ram_used_mb") == 2024);
  CHECK(got.report.taken == 3);
  CHECK(got.report.dropped.empty());
  CHECK(got.report.remarks.empty());
  CHECK_THAT(got.report.text(), Contains("as of JetPack 4") && Contains("1000 ms apart"));
}

TEST_CASE("tegrastats of JetPack 5: dates, whose seconds the lines share") {
  Imported got;
  tegrastats(got, {kTraces / "jetpack5.log"});
  REQUIRE(got.rows.rows.size() == 4);
  // 22:09:18 has one line where :19 has two: it is placed half a second before :19.
  CHECK(got.rows.rows[1].t == 500_ms);
  CHECK(got.rows.rows[2].t == 1_s);
  CHECK(got.rows.rows[3].t == 1500_ms);
  CHECK(got.rows.at(3, "gpu_mhz") == 114);
  CHECK(got.rows.at(0, "VDD_CPU_GPU_CV_mw") == 1650);
  CHECK(got.rows.at(3, "emc_mhz") == 204);
  CHECK(got.report.remarks.empty());

  Imported spaced;
  tegrastats(spaced, {kTraces / "jetpack5.log"}, 700);
  CHECK(spaced.rows.rows[3].t == 2100_ms);
}

TEST_CASE("tegrastats of JetPack 6: engines that are off, parts of a GPU, sensors without power") {
  Imported got;
  tegrastats(got, {kTraces / "jetpack6.log"});
  REQUIRE(got.rows.rows.size() == 2);
  CHECK(got.rows.at(0, "gpu_mhz") == 1300);
  CHECK(count(got.report.remarks, "parts of the GPU") == 1);
  CHECK(count(got.report.remarks, "-256") == 1);
  CHECK(std::isnan(got.rows.at(0, "gpu_temperature_c")));
  CHECK(got.rows.at(1, "gpu_temperature_c") == 47.25);
  CHECK(got.rows.at(0, "nvenc_mhz") == 166);
  CHECK(std::isnan(got.rows.at(1, "nvenc_mhz")));
  CHECK(got.rows.at(1, "nvdec_utilisation") == 0.12);
  CHECK(std::isnan(got.rows.at(0, "cpu3_mhz")));
  CHECK(got.rows.at(1, "cpu3_mhz") == 2035);
  for (const std::string& name : got.columns.names()) CHECK(name != "NC_mw");
}

TEST_CASE("tegrastats: what is broken is counted and named, the rest is taken") {
  const std::string good = "RAM 1/2MB (lfb 1x4MB) CPU [10%@100,20%@200] GR3D_FREQ 5%@100 VDD_IN 10/10\n";
  const std::string dated = "01-02-2026 00:00:";
  const test::TemporaryFolder folder;
  const auto read = [&](const std::string& text) {
    Imported got;
    tegrastats(got, {file_with(folder, text)});
    return std::pair(got.report, got.rows.rows);
  };
  SECTION("a killed logger") {
    const auto [report, rows] = read(good + good.substr(0, good.size() - 4));
    CHECK(report.taken == 1);
    CHECK(count(report.dropped, "without a line break") == 1);
    CHECK(report.dropped[0].first.line == 2);
  }
  SECTION("lost power") { CHECK(count(read(good + std::string(30, '\0') + "\n").first.dropped, "NUL") == 1); }
  SECTION("lines of something else, two lines run into each other, lists that end nowhere") {
    const auto report = read("starting tegrastats\n" + good + good.substr(0, 44) + good + "RAM 1/2MB CPU [1%@2,\n" +
                             "RAM 1/2MB CPU [101%@2]\n" + good)
                            .first;
    CHECK(report.taken == 2);
    CHECK(count(report.dropped, "no RAM") == 1);
    CHECK(count(report.dropped, "two lists of CPUs") == 1);
    CHECK(count(report.dropped, "list of CPUs is broken") == 2);
    CHECK(report.read == 6);
  }
  SECTION("values that are none do not take the line with them") {
    const auto [report, rows] = read("RAM 1/2MB CPU [10%@100] GR3D_FREQ x%@100 EMC_FREQ 120%@3 FOO VDD_IN 7/7\n");
    CHECK(report.taken == 1);
    CHECK(count(report.remarks, "not understood") >= 1);
    CHECK(count(report.remarks, "above 100") == 1);
  }
  SECTION("time that goes backwards, gaps, lines without a date, mixed forms") {
    const auto [report, rows] = read(dated + "10 " + good + dated + "11 " + good + dated + "05 " + good + dated +
                                     "06 " + good + good + dated + "59 " + good);
    CHECK(count(report.remarks, "backwards") == 1);
    CHECK(count(report.remarks, "no date, in a log that has dates") == 1);
    CHECK(count(report.remarks, "without a line") == 1);
    for (std::size_t k = 1; k < rows.size(); ++k) CHECK(rows[k].t > rows[k - 1].t);
    CHECK(rows[2].t == 2_s);
    const auto mixed = read(good + "RAM 1/2MB CPU [10%@100] VDD_IN 10mW/10mW\n").first;
    CHECK_THAT(mixed.text(), Contains("mixes both forms"));
  }
}

TEST_CASE("tegrastats: a line is counted once, and its file is told where there are several") {
  const std::string good = "RAM 1/2MB (lfb 1x4MB) CPU [10%@100] GR3D_FREQ 5%@100\n";
  const test::TemporaryFolder folder;
  const fs::path one = file_with(folder, good, "one.log");
  const fs::path two = file_with(folder, "some words of garbage\n" + good, "two.log");
  Imported got;
  tegrastats(got, {one, two});
  CHECK(got.report.taken == 2);
  CHECK(count(got.report.dropped, "no RAM") == 1);
  CHECK(got.report.remarks.empty());
  CHECK_THAT(got.report.text(), Contains("(line 1 of two.log: some words"));
  Imported alone;
  tegrastats(alone, {two});
  CHECK_THAT(alone.report.text(), Contains("(line 1: some words"));
}

TEST_CASE("a recording of another kind is named") {
  Imported got;
  CHECK_THAT(complaint([&] { tegrastats(got, {kTraces / "ftrace.txt"}); }),
             Contains("this looks like an ftrace log: use `dynasoc trace import ftrace`"));
  CHECK_THAT(complaint([&] { import_loadgen(kTraces / "jetpack4.log"); }), Contains("trace import tegrastats"));
  CHECK_THAT(complaint([&] { tegrastats(got, {kTraces / "kernel.pftrace"}); }), Contains("trace import perfetto"));
  const test::TemporaryFolder folder;
  CHECK_THAT(complaint([&] { tegrastats(got, {file_with(folder, "")}); }), Contains("is empty"));
  const auto perfetto = [](const fs::path& path) {
    return complaint([&] {
      Imported into;
      KernelEvents events({100, ""}, into.report, into.columns, into.rows);
      import_perfetto(path, into.report, events);
    });
  };
  CHECK_THAT(perfetto(kTraces / "ftrace.txt"),
             Contains("is no Perfetto trace; this looks like an ftrace log: use `dynasoc trace import ftrace`"));
  CHECK_THAT(perfetto(file_with(folder, std::string("\xFF\x01\0\x93", 4))), EndsWith("is no Perfetto trace"));
  CHECK_THAT(perfetto(file_with(folder, "")), EndsWith("is empty"));
  CHECK_THAT(complaint([&] { tegrastats(got, {folder.path() / "none"}); }), Contains("no such file"));
}

TEST_CASE("clocks and rails are held against a platform file") {
  const Platform platform = Platform::load(kRoot / "platforms" / "jetson-xavier-nx.json");
  TimelineColumns columns;
  ClockCheck check(columns, platform);
  import_tegrastats({kTraces / "jetpack4.log"}, {}, columns, check);
  Json told = check.to_json();
  CHECK(told["clocks"].empty());  // 1109 is 1109.25 as tegrastats prints it
  CHECK(told["unknown_rails"].empty());
  CHECK(told["without_domain"] == Json({"vic_mhz", "ape_mhz"}));

  TimelineColumns orin;
  ClockCheck other(orin, platform);
  import_tegrastats({kTraces / "jetpack6.log"}, {}, orin, other);
  told = other.to_json();
  CHECK(told["clocks"][0] ==
        Json({{"column", "cpu0_mhz"}, {"domain", "cpu0"}, {"mhz", 2188.0}, {"rows", 2}, {"nearest_mhz", 1907.2}}));
  CHECK(told["unknown_rails"] == Json({"VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"}));
  CHECK(told["rails_not_recorded"].size() == 3);
}

TEST_CASE("a recorded load becomes a background of the same share") {
  TimelineColumns columns;
  const std::size_t gpu = columns.index("gpu_utilisation"), cpu = columns.index("cpu0_utilisation");
  BackgroundLoad load(columns, {.window_s = 1, .tolerance = 0.05, .period_ms = 20}, nullptr);
  std::vector<double> row(2);
  for (int k = 0; k <= 100; ++k) {  // rows of 0.1 s: 5 s at 40 or 42 %, then idle, the CPU always busy
    row[gpu] = k <= 50 ? (k % 2 == 0 ? 0.4 : 0.42) : 0;
    row[cpu] = 1;
    load.row(k * 100_ms, row);
  }
  load.finish();
  const Json loads = load.scenario("test")["background"];
  REQUIRE(loads.size() == 2);
  for (const auto& [name, one] : loads.items()) {
    if (one["unit"] == "cpu") {
      CHECK(one["demand"]["kind"] == "continuous");
      CHECK(one["to_s"] == 10.0);
    } else {
      CHECK(one["from_s"] == 0.0);
      CHECK(one["to_s"] == 5.0);
      CHECK(one["demand"]["work_ms"].get<double>() == Approx(0.41 * 20));
    }
  }
}

namespace {

void check_kernel(const KernelEvents& events, Imported& got) {
  REQUIRE(got.rows.rows.size() == 3);
  CHECK(got.rows.at(0, "cpu0_mhz") == 1190.4);
  CHECK(got.rows.at(1, "cpu0_mhz") == 1344);
  CHECK(got.rows.at(2, "cpu1_mhz") == 1420.8);
  CHECK(got.rows.at(0, "cpu1_utilisation") == Approx(0.30));  // 12 to 42 ms of 100
  CHECK(got.rows.at(1, "cpu1_utilisation") == Approx(0.30));
  CHECK(got.rows.at(2, "cpu1_utilisation") == 0);
  CHECK(got.rows.at(2, "cpu0_utilisation") == Approx(0.5));  // idle from 200 to 250 ms
  CHECK(got.rows.at(0, "gpu_utilisation") == Approx(0.30));  // mean of two reports
  CHECK(got.rows.at(0, "gpu_mhz") == 854.25);
  CHECK(std::isnan(got.rows.at(1, "gpu_utilisation")));  // none was reported
  CHECK(got.rows.at(1, "emc_mhz") == 1600);
  REQUIRE(events.jobs().size() == 2);
  CHECK(events.jobs_csv() ==
        "arrival_s,start_s,end_s,latency_ms,run_ms,pid\n0.01,0.012,0.042,32,28,4242\n0.16,0.16,0.19,30,30,4242\n");
}

}  // namespace

TEST_CASE("ftrace: clocks, loads, the jobs of a task") {
  Imported got;
  KernelEvents events({100, "dnn worker"}, got.report, got.columns, got.rows);
  import_ftrace(kTraces / "ftrace.txt", got.report, events);
  check_kernel(events, got);
  CHECK(count(got.report.remarks, "lost events") == 1);
  CHECK(count(got.report.dropped, "another kind") == 1);
  CHECK_THAT(got.report.text(), Contains("the first 53190 of 53210 events were overwritten"));
}

TEST_CASE("ftrace: markers, and names that nothing has") {
  Imported got;
  KernelEvents events({100, "infer"}, got.report, got.columns, got.rows);
  import_ftrace(kTraces / "ftrace.txt", got.report, events);
  REQUIRE(events.jobs().size() == 1);
  CHECK(to_ms(events.jobs()[0].end - events.jobs()[0].arrival) == Approx(28));

  Imported other;
  KernelEvents none({100, "dnn_worker"}, other.report, other.columns, other.rows);
  import_ftrace(kTraces / "ftrace.txt", other.report, none);
  CHECK_THAT(complaint([&] { none.require_jobs("f"); }), Contains("did you mean \"dnn worker\""));
}

TEST_CASE("ftrace as trace-cmd prints it") {
  Imported got;
  KernelEvents events({100, "4242"}, got.report, got.columns, got.rows);
  import_ftrace(kTraces / "trace-cmd.txt", got.report, events);
  REQUIRE(got.rows.rows.size() == 1);
  CHECK(got.rows.at(0, "cpu1_utilisation") == Approx(0.30));
  CHECK(got.rows.at(0, "gpu_utilisation") == Approx(0.25));
  REQUIRE(events.jobs().size() == 1);
  CHECK(to_ms(events.jobs()[0].end - events.jobs()[0].arrival) == Approx(32));
}

TEST_CASE("Perfetto's own writer and its text say the same") {
  Imported got;
  KernelEvents events({100, "dnn worker"}, got.report, got.columns, got.rows);
  import_perfetto(kTraces / "kernel.pftrace", got.report, events);
  check_kernel(events, got);
  CHECK(count(got.report.dropped, "another kind") > 0);
}

TEST_CASE("LoadGen: the trace's samples give the figures that the logs state") {
  const LoadgenLog log = import_loadgen(kTraces / "loadgen-server");
  CHECK(log.scenario == "Server");
  CHECK(log.validity == "VALID");
  CHECK(log.target_qps == 50.0);
  CHECK(log.target_latency_ms == 30.0);
  REQUIRE(log.samples.size() == 200);
  CHECK(log.samples.front().arrival == 0);
  CHECK(log.samples.front().issue > 0);
  const Json json = log.to_json();
  for (const char* name : {"p50", "p90", "p99", "p99.9", "min", "max"}) {
    INFO(name << json["latency"][name].dump());
    CHECK(json["latency"][name]["agrees"] == true);
  }
  CHECK(count(log.report.remarks, "different figures") == 0);
  CHECK(count(log.report.dropped, "no line of a log of LoadGen") == 0);  // its own headings
  CHECK(count(log.report.dropped, "empty line") == 2);

  const Json scenario = loadgen_scenario(log, "net", "board", "");
  CHECK(scenario["applications"]["loadgen"]["arrivals"] == Json({{"kind", "server"}, {"target_qps", 50.0}}));
  CHECK(scenario["applications"]["loadgen"]["targets"][0]["latency_ms"] == 30.0);
}

TEST_CASE("LoadGen: a cut trace, nanoseconds, contradictions") {
  const test::TemporaryFolder folder;
  const std::string trace =
      "{\"traceEvents\":[\n"
      "{\"name\": \"Sample\", \"ph\": \"b\", \"id\": 0, \"ts\": 1000000, \"args\": {\"complete_ns\": 5000000 }},\n"
      "{ \"name\": \"Sample\", \"ph\": \"e\", \"id\": 0, \"ts\": 6000000 },\n"
      "{\"name\": \"Sample\", \"ph\": \"b\", \"id\": 1, \"ts\": 3000000, \"args\": {\"complete_ns\": 7000000 }},\n"
      "{ \"name\": \"Sample\", \"ph\": \"e\", \"id\": 7, \"ts\": 99 },\n"
      "{ \"name\": \"Sam";
  const LoadgenLog log = import_loadgen(file_with(folder, trace, "mlperf_log_trace.json"));
  REQUIRE(log.samples.size() == 2);
  CHECK(log.samples[1].arrival == 2_ms);
  CHECK(log.samples[1].latency == 7_ms);
  CHECK(count(log.report.dropped, "cut") == 1);
  CHECK_THAT(log.report.text(), Contains("nanoseconds") && Contains("1 samples have a beginning or an end only"));
  CHECK_THAT(complaint([&] { loadgen_scenario(log, "net", "board", ""); }), Contains("which scenario"));

  file_with(folder, "Scenario : Offline\n", "mlperf_log_summary.txt");
  file_with(folder, ":::MLLOG {\"key\": \"effective_scenario\", \"value\": \"Server\"}\n", "mlperf_log_detail.txt");
  CHECK_THAT(complaint([&] { import_loadgen(folder.path()); }), Contains("files of different runs?"));
}

TEST_CASE("any CSV: units, exact times, broken rows") {
  const test::TemporaryFolder folder;
  const fs::path path = file_with(folder,
                                  "ts;lat_us;\"name; of it\"\n1732918158123456789;1500;a\n1732918158123456999;x;b\n"
                                  "1732918158123457789;2500;c\n1732918158123456790;12;d\n1;2\n");
  const CsvImport got = import_csv(path, column_mappings("arrival_s=ts:ns,latency_ms=lat_us"), false);
  CHECK(got.csv == "arrival_s,latency_ms\n0,1.5\n0.000000001,0.012\n0.000001,2.5\n");
  CHECK(count(got.report.dropped, "no number") == 1);
  CHECK(count(got.report.dropped, "another number of cells") == 1);
  CHECK(count(got.report.remarks, "backwards") == 1);
  CHECK_THAT(complaint([] { column_mappings("arrival_s=ts:nsec"); }), Contains("unknown unit"));
  CHECK_THAT(complaint([] { column_mappings("latency_ms=ts"); }), Contains("which column is the time"));
  CHECK_THAT(complaint([] { column_mappings("arrival_s=ts:mhz"); }), Contains("not measured in mhz"));
  CHECK_THAT(complaint([&] { import_csv(path, column_mappings("arrival_s=tz:ns"), false); }),
             Contains("did you mean \"ts\""));
}

TEST_CASE("any CSV: what cannot be is left out and told") {
  const test::TemporaryFolder folder;
  const fs::path path = file_with(folder, "a,l,u\n1,-7,40000\n2,5,-3\n1e9,3,0\n");
  const CsvImport latencies = import_csv(path, column_mappings("arrival_s=a,latency_ms=l"), false);
  CHECK(latencies.csv == "arrival_s,latency_ms\n0,\n1,5\n999999999,3\n");
  CHECK(latencies.report.taken == 3);
  CHECK(latencies.report.read == 3);  // the header is no line of the recording
  REQUIRE(latencies.report.remarks.size() == 1);
  CHECK(latencies.report.remarks[0].count == 1);
  CHECK(latencies.report.remarks[0].first.line == 2);
  CHECK_THAT(latencies.report.text(), Contains("\"l\" has what latency_ms cannot be, left out") && Contains("3 of 3"));

  const CsvImport shares = import_csv(path, column_mappings("t_s=a:s,gpu_utilisation=u:%"), false);
  CHECK(shares.csv == "t_s,gpu_utilisation\n0,\n1,\n999999999,0\n");
  CHECK(count(shares.report.remarks, "from 0 to 1") == 2);
  const auto others =
      import_csv(file_with(folder, "t,c,d,e,w\n0,0,-274,-1,-1\n1,1,-273,0,0\n2,-5,-300000,-1,-1\n"),
                 column_mappings("t_s=t,cpu0_mhz=c:ghz,cpu_temperature_c=d,VDD_IN_mw=w:w,frame_mj=e"), false);
  CHECK(others.csv == "t_s,cpu0_mhz,cpu_temperature_c,VDD_IN_mw,frame_mj\n0,,,,\n1,1000,-273,0,0\n2,,,,\n");
  CHECK(others.report.remarks.size() == 4);
}

TEST_CASE("any CSV: binary files, empty ones, a header alone") {
  const test::TemporaryFolder folder;
  const auto refused = [&](const std::string& text) {
    return complaint([&] { import_csv(file_with(folder, text), column_mappings("t_s=t"), false); });
  };
  CHECK_THAT(refused(std::string("PK\x03\x04\0\0,\x80\x99\n", 10)),
             EndsWith("is binary, no text: this is no CSV file"));
  CHECK_THAT(refused("gr\xC3\xB6\xC3\x9F"
                     "e,b\n1,2\n"),
             Contains("there is no column \"t\""));
  CHECK_THAT(refused(""), EndsWith("is empty"));
  CHECK_THAT(refused("t,x\n"), Contains("has no line behind its header"));
}

TEST_CASE("any CSV: points in time move with the clock, lengths of time do not") {
  const test::TemporaryFolder folder;
  const fs::path path = file_with(folder, "at,begun,took,wait_s\n5000,5010,250,1.5\n6000,6020,500,0.25\n");
  const CsvImport got =
      import_csv(path, column_mappings("arrival_s=at:ms,start_s=begun:ms,duration_s=took:ms,wait_s=wait_s"), false);
  CHECK(got.csv == "arrival_s,start_s,duration_s,wait_s\n0,0.01,0.25,1.5\n1,1.02,0.5,0.25\n");
  CHECK(got.report.remarks.empty());
}

TEST_CASE("any CSV: a last number that may be cut, names that are no text") {
  const test::TemporaryFolder folder;
  const auto cut = import_csv(file_with(folder, "t,x\n0,100\n1,10"), column_mappings("t_s=t,x_ms=x"), false);
  CHECK(cut.report.taken == 2);
  CHECK(count(cut.report.remarks, "may be cut") == 1);

  const std::string odd = "\xFF\x1B[31m\xC2\x9B";
  const auto got =
      import_csv(file_with(folder, "t," + odd + "\n0,1\n1,x\n"), column_mappings("t_s=t,x_ms=" + odd), false);
  CHECK(count(got.report.dropped, "no number in \"??[31m?\"") == 1);
  CHECK_NOTHROW(got.report.to_json().dump());
  CHECK_THAT(complaint([&] { column_mappings("t_s=t," + odd + "_ms=x"); }), Contains("printable UTF-8"));
}

TEST_CASE("devices share no column") {
  Imported got;
  KernelEvents events({100, ""}, got.report, got.columns, got.rows);
  events.at(0, {}, "");
  events.clock_rate("gpcclk", 1000);
  events.clock_rate("gpu_pwr", 200);
  events.devfreq("17000000.gv11b", 500, 0.5);
  events.devfreq("17000000.ga10b", 600, 0.25);
  events.at(100_ms, {}, "");
  events.devfreq("17000000.gv11b", 500, 0.75);  // the other one reports nothing
  events.at(200_ms, {}, "");
  events.finish();
  REQUIRE(got.rows.rows.size() == 2);
  CHECK(got.rows.at(1, "gpu_mhz") == 1000);
  CHECK(got.rows.at(1, "gpu_pwr_mhz") == 200);
  CHECK(got.rows.at(1, "17000000_gv11b_mhz") == 500);
  CHECK(got.rows.at(0, "gpu_utilisation") == 0.5);
  CHECK(got.rows.at(1, "gpu_utilisation") == 0.75);
  CHECK(got.rows.at(0, "17000000_ga10b_utilisation") == 0.25);
  CHECK(std::isnan(got.rows.at(1, "17000000_ga10b_utilisation")));
  CHECK_THAT(got.report.text(), Contains("gpu_pwr has a column of its own, gpu_pwr_mhz: gpu_mhz is that of gpcclk"));
}

TEST_CASE("what ran before the first compact switch of a CPU is not known") {
  Imported got;
  KernelEvents events({100, ""}, got.report, got.columns, got.rows);
  events.at(0, {}, "");
  events.cpu_frequency(0, 1000);
  events.at(50_ms, {}, "");
  events.sched_switch(0, KernelEvents::kNotKnown, "", false, 7, "a");
  events.at(75_ms, {}, "");
  events.sched_switch(0, 7, "a", true, 0, "idle");
  events.at(100_ms, {}, "");
  events.sched_switch(1, KernelEvents::kNotKnown, "", false, 7, "a");  // at the end of a row: of the next
  events.at(200_ms, {}, "");
  CHECK(got.rows.at(0, "cpu0_utilisation") == Approx(0.5));  // 25 of the 50 ms that are known
  CHECK(got.rows.at(1, "cpu0_utilisation") == 0);
  CHECK(std::isnan(got.rows.at(0, "cpu1_utilisation")));
  CHECK(got.rows.at(1, "cpu1_utilisation") == 1);
}

TEST_CASE("a task and a marker of one name: the task's jobs, and a word on the marker's") {
  const auto jobs = [](const std::string& wanted, ImportReport& report) {
    TimelineColumns columns;
    Rows rows(columns);
    KernelEvents events({100, wanted}, report, columns, rows);
    events.at(0, {}, "");
    events.wakeup(7, "infer");
    events.sched_switch(0, 0, "idle", false, 7, "infer");
    events.marker(7, "B|7|infer");
    events.at(5_ms, {}, "");
    events.marker(7, "E|7");
    events.at(10_ms, {}, "");
    events.sched_switch(0, 7, "infer", true, 0, "idle");
    events.finish();
    REQUIRE(events.jobs().size() == 1);
    return events.jobs()[0].end;
  };
  ImportReport both, marker;
  CHECK(jobs("infer", both) == 10_ms);
  CHECK_THAT(both.text(), Contains("is a task and a marker") && Contains("marker:infer takes the marker's 1"));
  CHECK(jobs("marker:infer", marker) == 5_ms);
}

TEST_CASE("a background has no load where none is known") {
  TimelineColumns columns;
  const std::size_t gpu = columns.index("gpu_utilisation"), cpu = columns.index("cpu0_utilisation");
  BackgroundLoad load(columns, {.window_s = 1, .tolerance = 0.05, .period_ms = 20}, nullptr);
  std::vector<double> row(2);
  for (int k = 0; k <= 40; ++k) {  // the GPU reports every other row; from 2 to 3 s not at all
    row[gpu] = k % 2 == 0 && !(k > 20 && k <= 30) ? 0.5 : std::nan("");
    row[cpu] = 0.25;
    load.row(k * 100_ms, row);
  }
  row[gpu] = row[cpu] = 1;
  load.row(3600_s, row);  // the logger was off: the row tells of 0.1 s
  load.row(3600_s + 100_ms, row);
  load.finish();
  const Json loads = load.scenario("test")["background"];
  double gpu_s = 0, cpu_s = 0;
  for (const auto& [name, one] : loads.items()) {
    const double seconds = one["to_s"].get<double>() - one["from_s"].get<double>();
    (one["unit"] == "gpu" ? gpu_s : cpu_s) += seconds;
    const double share = one["demand"].contains("work_ms") ? one["demand"]["work_ms"].get<double>() / 20 : 1;
    CHECK(share == Approx(one["from_s"] >= 3599.0 ? 1 : one["unit"] == "gpu" ? 0.5 : 0.25));
  }
  CHECK(gpu_s == Approx(3.2));
  CHECK(cpu_s == Approx(4.2));
  REQUIRE(load.notes().size() == 2);
  CHECK_THAT(load.notes()[0], Contains("the load of cpu is not known in 99.9 %"));
}

TEST_CASE("no mutant of a recording is more than refused") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "mutant";
  struct Case {
    const char* file;
    void (*read)(const fs::path&);
  };
  const std::vector<Case> cases = {
      {"jetpack4.log",
       [](const fs::path& p) {
         Imported got;
         tegrastats(got, {p});
       }},
      {"jetpack5.log",
       [](const fs::path& p) {
         Imported got;
         tegrastats(got, {p});
         got.report.to_json().dump();
       }},
      {"jetpack6.log",
       [](const fs::path& p) {
         Imported got;
         tegrastats(got, {p}, 10);
         got.report.text();
       }},
      {"ftrace.txt",
       [](const fs::path& p) {
         Imported got;
         KernelEvents events({100, "dnn worker"}, got.report, got.columns, got.rows);
         import_ftrace(p, got.report, events);
         events.jobs_csv();
         got.report.to_json().dump();
       }},
      {"kernel.pftrace",
       [](const fs::path& p) {
         Imported got;
         KernelEvents events({100, "infer"}, got.report, got.columns, got.rows);
         import_perfetto(p, got.report, events);
         events.jobs_csv();
         got.report.to_json().dump();
       }},
      {"loadgen-server/mlperf_log_detail.txt", [](const fs::path& p) { import_loadgen(p).to_json().dump(); }},
      {"loadgen-server/mlperf_log_summary.txt", [](const fs::path& p) { import_loadgen(p).text(); }},
      {"loadgen-server/mlperf_log_trace.json", [](const fs::path& p) { import_loadgen(p).arrivals_csv(); }},
      {"requests.csv",
       [](const fs::path& p) {
         const auto columns = column_mappings("arrival_s=stamp_ns,latency_ms=took_us,duration_s=took_us");
         import_csv(p, columns, false).report.to_json().dump();
       }},
  };
  for (const Case& one : cases) {
    std::string text = read_file(kTraces / one.file);
    if (text.size() > 8000) text.resize(8000);
    int accepted = 0;
    const int mutants = 150;
    for (int i = 0; i < mutants; ++i) {
      test::Mutator mutate(static_cast<std::uint64_t>(i));
      std::ofstream(path, std::ios::binary) << mutate(text);
      INFO("mutant " << i << " of " << one.file);
      bool good = false;
      CHECK(test::misbehaviour([&] {
              one.read(path);
              good = true;
            }) == "");
      accepted += good;
    }
    CHECK(accepted > mutants / 4);
  }
}

TEST_CASE("a replay of simple_ondemand, worked by hand") {
  const test::TemporaryFolder folder;
  const fs::path path = file_with(folder,
                                  "t_s,gpu_utilisation,gpu_mhz\n0.025,0.5,1000\n0.05,0.2,1000\n0.075,0.95,250\n"
                                  "0.1,0.3,500\n0.125,0.1,250\n");
  const Timeline timeline = Timeline::load(path);
  const std::vector<double> opps{250, 500, 1000};
  const Recording recording(timeline, {{"gpu_utilisation"}, {"gpu_mhz"}}, opps);
  const auto governor = manager::Registry<manager::Governor>::instance().make("simple_ondemand", nullptr);
  // 50 % of 1000 MHz ask for 568: 1000. 20 % ask for 227: 250. 95 % is more than 90 %: 1000, and the board chose 500.
  // 30 % of 500 ask for 170: 250. Each decision shows one row later, for clocks take 5 ms to settle.
  const Conformance got = replay(recording, *governor, opps, {0, 2}, 1, 5_ms);
  REQUIRE(got.rows.size() == 5);
  const int ours[] = {2, 2, 0, 2, 0};
  for (std::size_t k = 0; k < 5; ++k) CHECK(got.rows[k].ours == ours[k]);
  CHECK(got.same == Approx(0.8));
  CHECK(got.within_one == Approx(1));
  CHECK(got.mean_opps == Approx(0.2));
  CHECK(got.mean_mhz == Approx(100));
  CHECK(got.direction[2][2] == 1);
  CHECK(got.direction[0][0] == 2);
  CHECK(got.direction[1][1] == 1);
  CHECK(got.up.matched == 1);
  CHECK(got.down.matched == 2);
  CHECK(got.down.mean_s == 0);
  CHECK(got.up.ours_alone == 0);
  CHECK(got.down.ours_alone == 0);
  REQUIRE(got.worst.size() == 1);
  CHECK(got.worst[0].recorded_mhz == Approx(500));
  CHECK(got.worst[0].ours_mhz == Approx(1000));
}

TEST_CASE("a load in percent is refused where it stands") {
  const test::TemporaryFolder folder;
  const auto refused = [&](const std::string& load) {
    const fs::path path = file_with(folder, "t_s,vic_utilisation,gpu_utilisation,gpu_mhz\n0.1,0,,100\n0.2,77," + load +
                                                ",100\n0.3,0,0.5,100\n0.4,0,0.5,100\n");
    return complaint([&] { Recording(Timeline::load(path), {{"gpu_utilisation"}, {"gpu_mhz"}}, {100, 200}); });
  };
  CHECK_THAT(refused("40"), Contains("input:3:8: ") && EndsWith("must be from 0 to 1, not 40 (a share, not percent)"));
  CHECK_THAT(refused("-0.5"), EndsWith("must be from 0 to 1, not -0.5"));
  CHECK(refused("1.000000001") == "");  // sums of floating point
}

namespace {

// A governor that knows its decisions beforehand, one a sample.
class Scripted final : public manager::Governor {
 public:
  explicit Scripted(std::vector<int> opps) : opps_(std::move(opps)) {}
  int choose(const manager::DomainSample& sample) override {
    return sample.ask == manager::Ask::sample && at_ < opps_.size() ? (last_ = opps_[at_++]) : last_;
  }
  double period_ms() const override { return 100; }

 private:
  std::vector<int> opps_;
  std::size_t at_ = 0;
  int last_ = 0;
};

}  // namespace

TEST_CASE("one step of ours answers one of theirs") {
  const test::TemporaryFolder folder;
  const fs::path path = file_with(folder,
                                  "t_s,gpu_utilisation,gpu_mhz\n0.1,0.5,100\n0.2,,200\n0.3,0.5,300\n0.4,0.5,300\n"
                                  "0.5,0.5,300\n0.6,0.5,300\n9,0.5,300\n");
  const std::vector<double> opps{100, 200, 300};
  const Recording recording(Timeline::load(path), {{"gpu_utilisation"}, {"gpu_mhz"}}, opps);
  CHECK(recording.held_loads() == 1);  // no report is no idle GPU
  CHECK(recording.load(1) == 0.5);
  CHECK_FALSE(recording.after_gap(5));
  CHECK(recording.after_gap(6));
  // They step up in the rows 1 and 2. Ours steps up once, in row 3, and down in row 4.
  Scripted governor({0, 0, 0, 2, 0, 0});
  const Conformance got = replay(recording, governor, opps, {0, 2}, 1, 0);
  CHECK(got.up.matched == 1);
  CHECK(got.up.unmatched == 1);
  CHECK(got.up.mean_s == Approx(0.1));
  CHECK(got.up.ours_alone == 0);
  CHECK(got.down.matched == 0);
  CHECK(got.down.ours_alone == 1);
  CHECK(got.gaps == 1);
  REQUIRE_FALSE(got.worst.empty());
  for (const auto& one : got.worst) CHECK(to_s(one.to) < 1);  // what happened in the gap is not known
}

TEST_CASE("a recording that was not imported is no timeline") {
  CHECK_THAT(complaint([] { Timeline::load(kTraces / "jetpack5.log"); }),
             Contains("is a tegrastats log; `dynasoc trace import tegrastats` makes a timeline of it"));
  CHECK_THAT(complaint([] { Timeline::load(kTraces / "kernel.pftrace"); }), Contains("trace import perfetto"));
  CHECK_THAT(complaint([] { Timeline::load(kTraces / "requests.csv"); }), Contains("no column t_s"));
}

}  // namespace dynasoc::trace
