// The rules of `table lint`, each on a table made for it, and all of them on the published tables.
#include "application/table_lint.hpp"

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "common/csv.hpp"
#include "common/json_reader.hpp"
#include "support/program.hpp"
#include "support/source_dir.hpp"
#include "support/temporary_folder.hpp"

using namespace dynasoc;
namespace fs = std::filesystem;

namespace {

using Rows = std::vector<std::size_t>;
using dynasoc::test::kRoot;
const std::string kCellsHead = "subnet,unit,cores,f_cpu_mhz,f_gpu_mhz,f_emc_mhz,latency_ms_mean,provenance,source\n";
const std::string kRuns = "subnet,unit,f_gpu_mhz,latency_ms_mean,latency_ms_std,n,provenance,source\n";
const std::string kPower =
    "subnet,unit,f_gpu_mhz,latency_ms_mean,energy_mj,power_w,idle_power_w,provenance,source,energy_provenance,"
    "energy_source\n";

// Rows and severity by rule and file; the findings of one rule in one file are put together.
struct Seen {
  std::map<std::pair<std::string, std::string>, Rows> rows;
  std::map<std::string, Severity> severity;

  explicit Seen(const LintReport& report) {
    for (const LintFinding& f : report.findings) {
      Rows& into = rows[{f.rule, fs::path(f.file).filename().string()}];
      into.insert(into.end(), f.rows.begin(), f.rows.end());
      severity[f.rule] = f.severity;
    }
  }
  Rows of(const std::string& rule, const std::string& file = "t.csv") const {
    const auto it = rows.find({rule, file});
    return it == rows.end() ? Rows{} : it->second;
  }
};

Seen lint(const std::map<std::string, std::string>& files) {
  const test::TemporaryFolder folder;
  for (const auto& [name, text] : files) folder.write(name, text);
  return Seen(lint_tables({folder.path()}));
}
Seen lint(const std::string& text) { return lint({{"t.csv", text}}); }

// A quiet block table: one block of each of two kernels at 9 resolutions.
std::string blocks(const std::map<std::pair<int, int>, double>& means, const std::string& n = "50") {
  std::string text = "resolution,block,input,output,expand,kernel,latency_ms_mean,latency_ms_std,n,provenance,source\n";
  for (int r = 160; r <= 192; r += 4)
    for (const int kernel : {3, 5, 7}) {
      const auto it = means.find({r, kernel});
      text += std::to_string(r) + ",conv," + std::to_string(r) + "x8," + std::to_string(r) + "x16,24," +
              std::to_string(kernel) + "," +
              std::to_string(it == means.end() ? 10.0 + kernel + r % 8 * 0.01 : it->second) + ",0.1," + n +
              ",measured,x\n";
    }
  return text;
}
// The line of a block in such a table.
std::size_t line(int resolution, int kernel) {
  return static_cast<std::size_t>(2 + (resolution - 160) / 4 * 3 + (kernel - 3) / 2);
}

}  // namespace

TEST_CASE("a sound table has no findings but what it does not state") {
  const Seen seen = lint(kCellsHead +
                         "L1,gpu,,,1000,1600,10,measured,x\nL1,gpu,,,500,1600,18,measured,x\n"
                         "L2,gpu,,,1000,1600,20,measured,x\nL2,gpu,,,500,1600,36,measured,x\n");
  CHECK(seen.rows.size() == 1);
  CHECK(seen.of("runs-not-stated") == Rows{2, 3, 4, 5});
  CHECK(lint(kRuns + "L1,gpu,1000,10,0.1,50,measured,x\nL1,gpu,500,18,0.2,50,measured,x\n").rows.empty());
}

TEST_CASE("latency that grows with a clock is found, noise and rounding are not") {
  const Seen seen = lint(kCellsHead +
                         "L1,gpu,,,250,1600,40,measured,x\nL1,gpu,,,500,1600,20,measured,x\n\n"
                         "L1,gpu,,,1000,1600,20.5,measured,x\nL1,gpu,,,1000,800,30,measured,x\n");
  CHECK(seen.of("latency-rises-with-clock") == Rows{5});
  CHECK(seen.severity.at("latency-rises-with-clock") == Severity::warning);
  // By more than a tenth; the memory's clock counts as well.
  const Seen memory =
      lint(kCellsHead +
           "L1,gpu,,,1000,800,20,measured,x\nL1,gpu,,,1000,1600,23,measured,x\nL1,gpu,,,500,1600,50,measured,x\n");
  CHECK(memory.of("latency-rises-with-clock") == Rows{3});
  CHECK(memory.severity.at("latency-rises-with-clock") == Severity::error);
  // 0.5 %, or within three standard errors.
  CHECK(lint(kCellsHead + "L1,gpu,,,500,1600,20,measured,x\nL1,gpu,,,1000,1600,20.1,measured,x\n")
            .of("latency-rises-with-clock")
            .empty());
  CHECK(lint(kRuns + "L1,gpu,500,20,2,16,measured,x\nL1,gpu,1000,21,2,16,measured,x\n")
            .of("latency-rises-with-clock")
            .empty());
  // Cells of other cores are not compared.
  CHECK(lint(kCellsHead + "L1,cpu,4,1000,,,20,measured,x\nL1,cpu,2,2000,,,30,measured,x\n")
            .of("latency-rises-with-clock")
            .empty());
}

TEST_CASE("energy and power are checked against each other") {
  const Seen seen = lint(kPower +
                         "L1,gpu,250,40,200,5,4,measured,x,measured,m\n"       // 5 W x 40 ms
                         "L1,gpu,500,20,0.2,10,4,measured,x,measured,m\n"      // joules
                         "L1,gpu,1000,10,200,18,4,measured,x,measured,m\n"     // 11 % too much
                         "L2,gpu,1000,20,240,12,12,measured,x,measured,m\n"    // idle
                         "L2,gpu,500,30,240,8,4,measured,x,measured,rail\n");  // as much, slower; another meter
  CHECK(seen.of("energy-unit") == Rows{3});
  CHECK(seen.of("energy-mismatch") == Rows{4});
  CHECK(seen.of("energy-below-idle") == Rows{5});
  CHECK(seen.of("mixed-meters") == Rows{6});
  CHECK(seen.of("power-falls-with-clock").empty());
  CHECK(lint(kPower + "L1,gpu,500,20,240,12,4,measured,x,measured,m\nL1,gpu,1000,10,100,10,4,measured,x,measured,m\n")
            .of("power-falls-with-clock") == Rows{3});
  const Seen dominated =
      lint(kPower + "L1,gpu,250,40,300,7.5,4,measured,x,measured,m\nL1,gpu,500,20,200,10,4,measured,x,measured,m\n");
  CHECK(dominated.of("dominated-point") == Rows{2});
  // Derived energy says nothing that the model did not put there.
  CHECK(lint(kPower + "L1,gpu,250,40,300,7.5,4,measured,x,derived,m\nL1,gpu,500,20,200,10,4,measured,x,derived,m\n")
            .of("dominated-point")
            .empty());
  const Seen unsourced =
      lint("subnet,unit,latency_ms_mean,energy_mj,provenance,source\nL1,gpu,10,,measured,x\nL2,gpu,10,5,measured,x\n");
  CHECK(unsourced.of("energy-unsourced") == Rows{3});
  CHECK(unsourced.severity.at("energy-unsourced") == Severity::error);
}

TEST_CASE("units, runs, deviations and percentiles are checked row by row") {
  const Seen seen =
      lint(kRuns +
           "L1,gpu,1000,10,0.1,50,measured,x\nL2,gpu,1000,0.02,0.0001,50,measured,x\n"
           "L3,gpu,1000,30,40,50,measured,x\nL4,gpu,1000,40,5,20,measured,x\nL5,gpu,1000,50,,,derived,x\n");
  CHECK(seen.of("latency-unit") == Rows{3});
  CHECK(seen.of("std-above-mean") == Rows{4});
  CHECK(seen.of("spread") == Rows{5});
  CHECK(seen.of("few-runs") == Rows{5});
  CHECK(seen.of("count-differs") == Rows{2, 3, 4, 5});
  CHECK(seen.of("runs-not-stated").empty());
  CHECK(seen.of("subnet-order") == Rows{3});
  const std::string head =
      "subnet,unit,latency_ms_mean,latency_ms_p50,latency_ms_p90,latency_ms_p99,provenance,source\n";
  const Seen units = lint(head +
                          "L1,gpu,10,9,12,11,measured,x\nL2,gpu,0.02,,,,measured,x\nL3,gpu,30,,,,measured,x\n"
                          "L4,gpu,30000,29,31,32,measured,x\n");
  CHECK(units.of("latency-unit") == Rows{3, 5});
  CHECK(units.of("percentile-order") == Rows{2});
}

TEST_CASE("a finding names its line, whatever stands between rows") {
  const auto row = [](int subnet, bool bad, const std::string& source) {
    return "L" + std::to_string(subnet) + ",gpu,100,10," + (bad ? "20" : "1") + ",50,measured," + source + "\n";
  };
  const std::string text = kRuns + row(1, true, "x") + "# a comment\n\n" + row(2, false, "x") + row(3, false, "x") +
                           row(4, true, "x") + row(5, false, "\"two\nlines\"") + row(6, true, "x");
  CHECK(lint(text).of("std-above-mean") == Rows{2, 7, 10});
}

TEST_CASE("tables that mix sources or clocks are found") {
  const Seen seen = lint(kCellsHead +
                         "L1,gpu,,,1000,1600,10,measured,a/b@1 log\nL2,gpu,,,1000,,20,measured,a/b@1 log\n"
                         "L3,gpu,,,1000,1600,30,digitised,a/b@1 fig.png to 0.1 ms\n");
  CHECK(seen.of("mixed-sources") == Rows{4});
  CHECK(seen.of("mixed-clocks") == Rows{3});
  // Rows of one published file are one source.
  CHECK(lint(kCellsHead + "L1,gpu,,,1000,,10,measured,a/b@1:runs/1\nL2,gpu,,,1000,,20,measured,a/b@1:runs/2\n")
            .of("mixed-sources")
            .empty());
  CHECK(lint(kCellsHead +
             "L1,gpu,,,1000,,10,measured,board; JetPack 4.6\nL2,gpu,,,1000,,20,measured,board; JetPack 5.1\n")
            .of("mixed-sources")
            .size() == 1);
  CHECK(lint(kCellsHead + "L1,gpu,,,1000,,10,measured,x\nL2,gpu,,,500,,20,measured,x\n").of("mixed-clocks") ==
        Rows{2, 3});
}

TEST_CASE("copies between tables of cells, and latencies that contradict each other") {
  const std::string a = kCellsHead +
                        "L1,gpu,,,1000,,10.1234,measured,a\nL2,gpu,,,1000,,20.2345,measured,a\n"
                        "L3,gpu,,,1000,,30.3456,measured,a\nL4,gpu,,,1000,,40,measured,a\n";
  std::string b = a;
  for (std::size_t at = 0; (at = b.find("measured,a", at)) != std::string::npos; ++at) b[at + 9] = 'b';
  const Seen copied = lint({{"a.csv", a}, {"b.csv", b}});
  CHECK(copied.of("copied-rows", "a.csv") == Rows{2, 3, 4});
  CHECK(copied.of("copied-rows", "b.csv") == Rows{2, 3, 4});
  CHECK(lint({{"a.csv", a}, {"b.csv", a}}).of("copied-rows", "b.csv").empty());  // the same publication

  const std::string c = kCellsHead + "L1,gpu,,,1000,,11,measured,c\nL2,gpu,,,1000,,20.25,measured,c\n";
  const Seen conflict = lint({{"a.csv", a}, {"c.csv", c}});
  CHECK(conflict.of("conflicting-latency", "a.csv") == Rows{2});
  CHECK(conflict.of("conflicting-latency", "c.csv") == Rows{2});
  CHECK(lint({{"one/a.csv", a}, {"two/c.csv", c}}).of("conflicting-latency", "a.csv").empty());  // nothing relates them
}

TEST_CASE("blocks that are off their neighbouring resolutions, and blocks measured cold") {
  CHECK(lint(blocks({})).rows.empty());
  const Seen one = lint(blocks({{{172, 5}, 17.0}}));
  CHECK(one.of("outlier") == Rows{line(172, 5)});
  CHECK(lint(blocks({{{172, 5}, 15.9}})).of("outlier").empty());  // 6 %
  CHECK(lint(blocks({{{160, 3}, 18.0}})).of("warm-up").empty());  // one block of the kernel is no pattern

  std::string many = blocks({});
  for (const char* name : {"a", "b"})
    for (std::string rest = blocks({}), text = rest.substr(rest.find('\n') + 1); !text.empty(); text.clear()) {
      std::size_t at = 0;
      while ((at = text.find(",conv,", at)) != std::string::npos) text.replace(at, 6, std::string(",") + name + ",");
      many += text;
    }
  std::size_t at = 0;
  while ((at = many.find("\n160,", at)) != std::string::npos) {
    at += 5;
    const std::size_t mean = many.find("24,3,", at);
    if (mean < many.find('\n', at)) many.replace(mean + 5, 2, "18");
  }
  const Seen cold = lint(many);
  CHECK(cold.of("warm-up") == Rows{2, 29, 56});
  CHECK(cold.of("outlier").empty());
}

TEST_CASE("what was accepted is not reported, and what is accepted in vain is") {
  const test::TemporaryFolder folder;
  folder.write("t.csv", kRuns + "L1,gpu,1000,10,20,50,measured,x\nL2,gpu,1000,20,30,50,measured,x\n");
  const auto list = [&](const std::string& count, const std::string& rule = "std-above-mean") {
    folder.write("accepted.json",
                 R"({"accepted":[{"rule":")" + rule + R"(","file":"t.csv","count":)" + count + R"(,"why":"y"}]})");
    return AcceptedFindings::load(folder.path() / "accepted.json");
  };
  LintReport report = lint_tables({folder.path()});
  REQUIRE(report.findings.size() == 1);
  CHECK(take_accepted(report.findings, list("2"), report.files).size() == 1);
  CHECK(report.findings.empty());
  report = lint_tables({folder.path()});
  CHECK(take_accepted(report.findings, list("3"), report.files).empty());
  REQUIRE(report.findings.size() == 2);
  CHECK(report.findings[1].rule == "stale-acceptance");
  CHECK(report.findings[1].severity == Severity::error);
  CHECK_THROWS_WITH(list("2", "std-above-men"), Catch::Contains("did you mean \"std-above-mean\""));
}

TEST_CASE("the traps of the published block tables are found without their flags") {
  const fs::path raw = kRoot / "models" / "once-for-all-mbv3" / "raw";
  const Seen seen(lint_tables({raw}));
  // What is known about them, row by row, stands in the flags; lint does not read that column.
  const auto flagged = [&](const char* file, const std::string& flag) {
    const Csv csv = Csv::load(raw / file);
    std::set<std::size_t> lines;
    for (std::size_t row = 0; row < csv.size(); ++row)
      if (csv.text(row, "flag").find(flag) != std::string_view::npos) lines.insert(csv.location(row, "block").line);
    return lines;
  };
  const auto found = [&](const char* file, const char* rule) {
    const Rows rows = seen.of(rule, file);
    return std::set<std::size_t>(rows.begin(), rows.end());
  };
  const auto hits = [](const std::set<std::size_t>& a, const std::set<std::size_t>& b) {
    return std::count_if(a.begin(), a.end(), [&](std::size_t x) { return b.contains(x); });
  };
  const char *gpu = "lut_xavier_nx_gpu.csv", *cpu = "lut_xavier_nx_cpu.csv", *phone = "lut_note10_ofa.csv";

  // Copies: the phone's rows in both tables, and the 17 that the two share.
  std::set<std::size_t> verified = flagged(gpu, "note10_verified");
  CHECK(verified.size() == 30);
  CHECK(hits(verified, found(gpu, "copied-rows")) == 30);
  CHECK(found(gpu, "copied-rows").size() == 42);  // 12 more are shared with the CPU at the other resolutions
  CHECK(seen.of("copied-rows", gpu).size() == 30 + 17);
  CHECK(flagged(cpu, "note10_verified").size() == 5);
  CHECK(hits(flagged(cpu, "note10_verified"), found(cpu, "copied-rows")) == 5);
  CHECK(seen.of("copied-rows", cpu).size() == 5 + 17);
  CHECK(found(phone, "copied-rows").empty());  // the original
  CHECK(seen.severity.at("copied-rows") == Severity::error);
  CHECK(found(gpu, "inferred-copy") == flagged(gpu, "note10_inferred"));
  CHECK(found(gpu, "inferred-copy").size() == 72);
  CHECK(found(cpu, "inferred-copy") == flagged(cpu, "note10_inferred"));
  CHECK(found(cpu, "inferred-copy").size() == 12);
  CHECK(found(cpu, "count-pattern") == flagged(cpu, "count_is_note10"));
  CHECK(found(cpu, "count-pattern").size() == 85);
  CHECK(found(gpu, "count-pattern").empty());
  CHECK(found(phone, "count-pattern").empty());

  CHECK(found(cpu, "std-above-mean") == flagged(cpu, "std_gt_mean"));
  CHECK(found(cpu, "std-above-mean").size() == 32);
  CHECK(found(gpu, "warm-up") == flagged(gpu, "k3_warmup_160"));
  CHECK(found(gpu, "warm-up").size() == 23);
  CHECK(found(gpu, "outlier") == flagged(gpu, "outlier"));
  CHECK(found(gpu, "outlier").size() == 24);
  // On the noisy CPU table the limit follows from the table's own scatter, not from a figure given to it.
  CHECK(flagged(cpu, "outlier").size() == 43);
  CHECK(hits(flagged(cpu, "outlier"), found(cpu, "outlier")) == 42);
  CHECK(found(cpu, "outlier").size() == 69);
}

TEST_CASE("three latencies of the same sub-networks are found across tables and networks") {
  const Seen seen(lint_tables({kRoot / "models" / "dynamic-ofa-gpu", kRoot / "models" / "dynamic-ofa-gpu-nets7"}));
  CHECK(seen.of("conflicting-latency", "jetson-xavier-nx.fig4.csv").size() == 6);
  CHECK(seen.of("conflicting-latency", "jetson-xavier-nx.search.csv").size() == 6 + 3);
  CHECK(seen.of("conflicting-latency", "jetson-xavier-nx.fig4.filled.csv").empty());  // speaks through its origin
}

TEST_CASE("the command line of table lint") {
  const test::TemporaryFolder folder;
  folder.write("good.csv", kRuns + "L1,gpu,1000,10,0.1,50,measured,x\n");
  folder.write("odd.csv", kRuns + "L1,gpu,1000,10,20,50,measured,x\n");
  folder.write("bad.csv", kPower + "L1,gpu,250,40,2000,5,4,measured,x,measured,m\n");
  folder.write("notes.csv", "a,b\n1,2\n");
  const auto run = [&](const std::string& words) { return test::dynasoc_in(folder.path(), "table lint " + words); };
  CHECK(run("good.csv").status == 0);
  CHECK(run("odd.csv").status == 0);  // a warning
  CHECK(run("odd.csv --fail-on warning").status == 1);
  CHECK(run("bad.csv").status == 1);
  CHECK(run("bad.csv --fail-on never").status == 0);
  CHECK(run("bad.csv --rule std-above-mean").status == 0);
  CHECK(run(". --rule std-above-mean --rule energy-mismatch").status == 1);  // notes.csv is passed over in a folder
  CHECK(run("--rules").out.find("copied-rows (error)") != std::string::npos);

  const Json report = Json::parse(run("bad.csv odd.csv --json").out);
  REQUIRE(report["findings"].size() == 3);  // and a note: runs-not-stated
  CHECK(report.size() == 1);
  const Json& finding = report["findings"][0];
  CHECK(finding["rule"] == "energy-mismatch");
  CHECK(finding["severity"] == "error");
  CHECK(finding["file"] == "bad.csv");
  CHECK(finding["rows"] == Json::array({2}));
  CHECK(finding["message"].is_string());
  CHECK(finding["why"].is_string());

  for (const auto& [words, complaint] :
       std::map<std::string, std::string>{{"", "which file"},
                                          {"no.csv", "no.csv"},
                                          {"notes.csv", "neither a table of cells"},
                                          {"good.csv --rule outlir", "did you mean \"outlier\""},
                                          {"good.csv --fail-on eror", "did you mean \"error\""},
                                          {"good.csv --accept no.json", "no.json"},
                                          {"good.csv --jsn", "--json"}}) {
    INFO(words);
    const test::Result bad = run(words);
    CHECK(bad.status == 2);
    CHECK(bad.out.empty());
    CHECK_THAT(bad.err, Catch::Contains(complaint));
  }
}

TEST_CASE("the shipped tables hold no finding that was not looked at") {
  const test::Result result =
      test::dynasoc_in(kRoot, "table lint models --accept models/lint-accepted.json --fail-on warning");
  INFO(result.out);
  CHECK(result.status == 0);
}

TEST_CASE("a folder's other CSV files are passed over, whatever they hold; a folder without tables is refused") {
  const test::TemporaryFolder folder;
  folder.write("notes.csv", "");
  folder.write("ragged.csv", "a,b\n1\n");
  CHECK_THROWS_WITH(lint_tables({folder.path()}), Catch::Contains("no tables"));
  folder.write("table.csv", kCellsHead + "L1,gpu,,,1000,,10,measured,made up\n");
  CHECK(lint_tables({folder.path()}).files.size() == 1);
}

TEST_CASE("cells at one operating point have no reading") {
  const test::Result result =
      test::dynasoc_in(kRoot, "table fit models/dynamic-ofa-cpu/jetson-xavier-nx.fig4.csv --json");
  REQUIRE(result.status == 0);
  const Json fit = Json::parse(result.out);
  for (const auto& [name, group] : fit["groups"].items()) CHECK(group["reading"]["kind"].is_null());
}
