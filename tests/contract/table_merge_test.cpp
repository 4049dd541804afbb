// Pooling measurements of the same cells, against figures worked by hand.
#include "application/table_merge.hpp"

#include <cmath>
#include <map>

#include <catch2/catch.hpp>

#include "common/json_reader.hpp"
#include "support/program.hpp"
#include "support/temporary_folder.hpp"

using namespace dynasoc;

namespace {

const std::string kMergeHead =
    "subnet,unit,f_gpu_mhz,latency_ms_mean,latency_ms_std,n,latency_ms_p50,provenance,source\n";

NamedTable table(const std::string& name, const std::string& rows) {
  return {name, Table::from_csv(Csv::parse(kMergeHead + rows, name))};
}
std::string refused(const std::vector<NamedTable>& tables) {
  try {
    merge_tables(tables);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("cells of two tables are pooled by their runs") {
  // As if the samples 9, 11 (mean 10, variance 2) and 13, 13, 16 (mean 14, variance 3) had been measured together:
  // mean 62/5, variance (9² + 11² + 13² + 13² + 16² - 62²/5)/4 = 27.2/4.
  const MergedTable merged = merge_tables({table("a",
                                                 "L1,gpu,1000,10,1.4142135623730951,2,10,measured,first\n"
                                                 "L2,gpu,1000,20,1,50,,measured,first\n"),
                                           table("b",
                                                 "L3,gpu,1000,30,1,50,,measured,second\n"
                                                 "L1,gpu,1000,14,1.7320508075688772,3,13,digitised,second\n")});
  REQUIRE(merged.table.cells.size() == 3);
  const Cell& cell = merged.table.cells[0];
  CHECK(cell.latency_ms_mean == Approx(12.4));
  CHECK(cell.latency_ms_std == Approx(std::sqrt(27.2 / 4)));
  CHECK(cell.n == 5);
  CHECK(std::isnan(cell.latency_ms_p50));
  CHECK(cell.provenance == Provenance::digitised);  // the weakest
  CHECK(cell.source == "first; second");
  CHECK(merged.table.cells[1].subnet == "L2");
  CHECK(merged.table.cells[2].subnet == "L3");
  REQUIRE(merged.pooled.size() == 1);
  CHECK(merged.pooled[0].tables == std::vector<std::string>{"a", "b"});
  CHECK(merged.pooled[0].difference == Approx(4 / 12.4));
  CHECK(merged.pooled[0].standard_errors == Approx(4 / std::sqrt(2.0 / 2 + 3.0 / 3)));
  CHECK(merged.notes.size() == 1);  // the percentiles
  CHECK(Table::from_csv(Csv::parse(merged.table.to_csv(), "again")).to_csv() == merged.table.to_csv());
}

TEST_CASE("where no n is stated, means count alike and no deviation is claimed") {
  const MergedTable merged =
      merge_tables({table("a", "L1,gpu,1000,10,1,50,,measured,x\n"), table("b", "L1,gpu,1000,14,,,,measured,x\n")});
  const Cell& cell = merged.table.cells[0];
  CHECK(cell.latency_ms_mean == Approx(12));
  CHECK(cell.n == 0);
  CHECK(std::isnan(cell.latency_ms_std));
  CHECK(cell.source == "x");
  CHECK(std::isnan(merged.pooled[0].standard_errors));
}

TEST_CASE("what must not be pooled is not") {
  const std::string row = "L1,gpu,1000,10,1,50,,measured,x\n";
  CHECK(merge_tables({table("a", row), table("b", "L1,gpu,500,14,1,50,,measured,x\n")}).pooled.empty());  // other clock
  CHECK(merge_tables({table("a", row), table("b", "L1,gpu,,14,1,50,,measured,x\n")}).pooled.empty());  // or not stated
  CHECK_THAT(refused({table("a", row), table("b", "L1,gpu,1000,14,1,50,,derived,x\n")}),
             Catch::Contains("L1 on gpu") && Catch::Contains("--allow-mixed"));
  CHECK(merge_tables({table("a", row), table("b", "L1,gpu,1000,14,1,50,,derived,x\n")}, {.allow_mixed = true})
            .table.cells[0]
            .provenance == Provenance::derived);
  CHECK_THAT(refused({table("a", row), table("b", "L1,cpu,,14,1,50,,measured,x\n")}),
             Catch::Contains("other units (cpu) than a (gpu)"));
  CHECK_THAT(refused({table("a", row)}), Catch::Contains("two tables"));
}

TEST_CASE("the command line of table merge") {
  const test::TemporaryFolder folder;
  folder.write("a.csv", kMergeHead + "L1,gpu,1000,10,0.1,50,,measured,x\n");
  folder.write("near.csv", kMergeHead + "L1,gpu,1000,10.2,0.1,50,,measured,y\n");
  folder.write("far.csv", kMergeHead + "L1,gpu,1000,11,0.1,50,,measured,y\n");
  folder.write("cpu.csv", kMergeHead + "L1,cpu,,11,0.1,50,,measured,y\n");
  const auto run = [&](const std::string& words) { return test::dynasoc_in(folder.path(), "table merge " + words); };
  const test::Result near = run("a.csv near.csv");
  CHECK(near.status == 0);
  CHECK(near.out.starts_with("subnet,unit,"));
  CHECK_THAT(near.err, Catch::Contains("10.00 standard errors"));  // 0.2 over 0.1·√(2/50)
  CHECK(run("a.csv far.csv").status == 1);
  CHECK(run("a.csv far.csv --tolerance 0.2").status == 0);
  const test::Result json = run("a.csv far.csv -o out.csv --json");
  CHECK(json.status == 1);
  const Json report = Json::parse(json.out);
  CHECK(report["exceeds_tolerance"] == true);
  REQUIRE(report["pooled"].size() == 1);
  CHECK(report["pooled"][0]["tables"] == Json::array({"a.csv", "far.csv"}));
  CHECK(report["pooled"][0]["n"] == 100);
  CHECK(test::dynasoc_in(folder.path(), "table show out.csv").status == 0);
  for (const auto& [words, complaint] :
       std::map<std::string, std::string>{{"a.csv", "Two or more"},
                                          {"a.csv no.csv", "no.csv"},
                                          {"a.csv cpu.csv", "other units"},
                                          {"a.csv near.csv -o out.csv", "--force"},
                                          {"a.csv near.csv --json", "--output"},
                                          {"a.csv near.csv --tolerance -1", "tolerance"},
                                          {"a.csv near.csv --tolerence 1", "--tolerance"}}) {
    INFO(words);
    const test::Result bad = run(words);
    CHECK(bad.status == 2);
    CHECK_THAT(bad.err, Catch::Contains(complaint));
  }
}
