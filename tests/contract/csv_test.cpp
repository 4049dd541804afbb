// Tables of text: RFC 4180 with places.
#include "common/csv.hpp"

#include <cmath>
#include <string>

#include <catch2/catch.hpp>

#include "application/table.hpp"

namespace dynasoc {
namespace {

using Catch::Contains;

Csv parse(const std::string& text) { return Csv::parse(text, "f"); }
template <class F>
std::string refusal(F f) {
  try {
    f();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}
std::string refused(const std::string& text) {
  return refusal([&] { parse(text); });
}

TEST_CASE("cells, quotes, comments, line ends") {
  const Csv csv = parse("# a comment\n\na,b c,\"d,e\"\r\n1,\"say \"\"hi\"\"\nthere\",\n#2,3,4\r\n\"\", x ,ü\n");
  CHECK(csv.columns() == std::vector<std::string>{"a", "b c", "d,e"});
  REQUIRE(csv.size() == 2);
  CHECK(csv.text(0, "a") == "1");
  CHECK(csv.text(0, "b c") == "say \"hi\"\nthere");
  CHECK(csv.text(0, "d,e").empty());
  CHECK(csv.text(1, "a").empty());
  CHECK(csv.text(1, "b c") == " x ");
  CHECK(csv.text(1, "none").empty());
  CHECK(csv.location(0, "b c").text() == "f:4:3: b c");
  CHECK(csv.location(0, "d,e").text() == "f:5:8: d,e");
  CHECK(csv.location(1, "d,e").text() == "f:7:8: d,e");
  CHECK(csv.location(1, "").text() == "f:7:1: row");
  CHECK(csv.error(1, "a", "no").what() == std::string("f:7:1: a: no"));
  CHECK(parse("a,b").size() == 0);
  CHECK(parse("a\n1").size() == 1);
  CHECK(parse("\xef\xbb\xbf"
              "a\n1\n")
            .columns() == std::vector<std::string>{"a"});
  for (const char* text : {"plain", "with, comma", "with \"quotes\"", "two\nlines", "", "\"", "\"\"", ",", "ü"}) {
    const Csv again = parse("a,b\n" + csv_cell(text) + ",x\n");
    REQUIRE(again.size() == 1);
    CHECK(again.text(0, "a") == text);
  }
}

TEST_CASE("what is no table is refused where it goes wrong") {
  CHECK_THAT(refused(""), Contains("f:1:1: header: the file is empty"));
  CHECK_THAT(refused("# only a comment\n"), Contains("the file is empty"));
  CHECK_THAT(refused("a,b\n1,2\n3\n"), Contains("f:3:2: b: the row ends here, after 1 of 2 cells"));
  CHECK_THAT(refused("a,b\n1,2,\n"), Contains("f:2:5: row: the row has 3 cells, the header only 2"));
  CHECK_THAT(refused("a,b\n1,2,3,4,\"5,6\"\n"), Contains("the row has 5 cells"));
  CHECK_THAT(refused("a,b\n1,\"2\n3,4\n"), Contains("f:2:3: row: the quote that begins this cell is never closed"));
  CHECK_THAT(refused("a,b\n1,\"2\"3\n"), Contains("f:2:6: row: text follows a closing quote"));
  CHECK_THAT(refused("x\n\na,b,a\n") + refused("\n\na,b,a\n1,2,3\n"),
             Contains("f:3:5: header: the column \"a\" appears twice"));
  CHECK_THAT(refused("a,b\n1,\xff\n"), Contains("f:2:3: row: not valid UTF-8"));
  CHECK_THAT(refused(std::string("a,b\n1,\0\n", 8)), Contains("f:2:3: row: not valid UTF-8"));
  CHECK_THAT(refused("a;b\n1;2\n"), Contains("f:1:2: header: cells are separated by semicolons here"));
  CHECK_THAT(refused("a\tb\n1\t2\n"), Contains("separated by tabs"));
}

TEST_CASE("numbers and columns") {
  const Csv csv = parse("x,y\n1.5, -2e3 \n,abc\n1e999,nan\n0x10,1 2\n");
  CHECK(csv.number(0, "x") == 1.5);
  CHECK(csv.number(0, "y") == -2000);
  CHECK(std::isnan(csv.number_or_nan(1, "x")));
  CHECK(std::isnan(csv.number_or_nan(1, "z")));
  const auto told = [&](std::size_t row, const char* column, Range range = {}) {
    return refusal([&] { csv.number(row, column, range); });
  };
  CHECK(told(0, "y", positive()) == "f:2:5: y: must be above 0, not -2000");
  CHECK(told(1, "x") == "f:3:1: x: a number is expected, the cell is empty");
  CHECK(told(1, "y") == "f:3:2: y: \"abc\" is not a number");
  CHECK(told(2, "x") == "f:4:1: x: \"1e999\" is too large or too small for a number");
  CHECK(told(2, "y") == "f:4:7: y: must be a finite number, not nan");
  CHECK_THAT(told(3, "x"), Contains("is not a number"));
  CHECK_THAT(told(3, "y"), Contains("\"1 2\" is not a number"));
  CHECK_THAT(told(0, "none"), Contains("none: a number is expected"));
  CHECK_THAT(refusal([&] { csv.expect({"x"}, {"yy"}); }),
             Contains("f:1:3: header: unknown column \"y\" (did you mean \"x\" or \"yy\"?)"));
  CHECK_THAT(refusal([&] { csv.expect({"x", "y", "z"}, {}); }), Contains("f:1:1: header: the column \"z\" is missing"));
}

TEST_CASE("a million rows: eight bytes a cell and no search through the rows") {
  // The clocks are all different, of one sub-network and unit: every row could repeat every other.
  std::string text = "subnet,unit,f_gpu_mhz,f_emc_mhz,latency_ms_mean,provenance,source\n";
  const int rows = 1'000'000;
  for (int i = 0; i < rows; ++i) {
    char line[96];
    std::snprintf(line, sizeof line, "L1,gpu,%.7g,%.7g,5,measured,s\n", 10 * std::pow(1.0025, i % 1000),
                  10 * std::pow(1.0025, i / 1000));
    text += line;
  }
  const Table table = Table::from_csv(Csv::parse(text, "f"));
  CHECK(table.cells.size() == static_cast<std::size_t>(rows));
  text += "L1,gpu,10.005,10.005,6,measured,s\n";
  CHECK_THAT(
      refusal([&] { Table::from_csv(Csv::parse(std::move(text), "f")); }),
      Contains("f:1000002:1: subnet: L1 on gpu (10.005 MHz GPU, 10.005 MHz EMC) is given twice, first in line 2"));
}

}  // namespace
}  // namespace dynasoc
