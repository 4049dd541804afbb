// What a terminal shows of work under way, and tables on pages of limited width.
#include "cli/progress_line.hpp"

#include <algorithm>
#include <cmath>

#include <catch2/catch.hpp>

#include "results/page.hpp"

namespace dynasoc {
namespace {

using namespace cli;
using Catch::Contains;

std::ptrdiff_t glyphs(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

Pace steady(double share_per_s, double until_s) {
  Pace pace;
  for (double t = 0; t <= until_s; t += 0.1) pace.look(100 + t, share_per_s * t);
  return pace;
}

TEST_CASE("steady work goes at its pace") {
  const Pace pace = steady(0.01, 40);
  CHECK(pace.share_per_s() == Approx(0.01));
  CHECK(pace.remaining_s() == Approx(60).epsilon(0.01));
}

TEST_CASE("before anything is known there is no pace") {
  Pace pace;
  CHECK(std::isnan(pace.remaining_s()));
  pace.look(5, 0.3);
  CHECK(pace.share_per_s() == 0);
  pace.look(5, 0.4);  // no time has passed
  CHECK(std::isnan(pace.remaining_s()));
}

TEST_CASE("work gone on with begins where it was left") {
  Pace pace;
  for (int i = 0; i <= 100; ++i) pace.look(i * 0.1, 0.9 + 0.0001 * i);
  CHECK(pace.share_per_s() == Approx(0.001));
}

TEST_CASE("a change of pace is believed after a while and not at once") {
  Pace pace = steady(0.01, 30);
  pace.look(130.1, 0.301 + 0.02);  // a hiccup: twenty times as much in a tenth of a second
  CHECK(pace.share_per_s() < 0.025);
  for (double t = 0.1; t <= 20; t += 0.1) pace.look(130.1 + t, 0.321 + 0.002 * t);
  CHECK(pace.share_per_s() == Approx(0.002).epsilon(0.25));
}

TEST_CASE("durations and rates as people say them") {
  CHECK(duration_text(0.4) == "0 s");
  CHECK(duration_text(59.4) == "59 s");
  CHECK(duration_text(59.6) == "1 min 00 s");
  CHECK(duration_text(200) == "3 min 20 s");
  CHECK(duration_text(7500) == "2 h 05 min");
  CHECK(prefixed_text(0.42) == "0.42 ");
  CHECK(prefixed_text(950) == "950 ");
  CHECK(prefixed_text(999.7) == "1.00 k");
  CHECK(prefixed_text(1234567) == "1.2 M");
}

TEST_CASE("the line fits every terminal and loses the least important first") {
  const Pace pace = steady(0.01, 40);
  const WorkUnit work{12000, "simulated s"};
  const std::string wide = progress_line(0.4, pace, work, "note", 100);
  CHECK_THAT(wide, Contains("━─") && Contains(" 40 %, 1 min 00 s left, note, 120 simulated s/s"));
  CHECK_THAT(progress_line(0.4, pace, work, "note", 50), Contains("left, note") && !Contains("simulated"));
  CHECK_THAT(progress_line(0.4, pace, work, "note", 35), Contains("left") && !Contains("note"));
  CHECK(progress_line(0.4, pace, work, "note", 10) == " 40 %");
  for (int columns = 1; columns < 200; ++columns) {
    INFO(columns);
    CHECK(glyphs(progress_line(0.4, pace, work, "note", columns)) < columns);
  }
  CHECK_THAT(progress_line(0.999, pace, {}, "", 80), Contains(" 99 %"));
  CHECK_THAT(progress_line(2, pace, {}, "", 80), Contains("100 %") && !Contains("/s"));
}

TEST_CASE("tables go on in blocks where the page ends") {
  const std::vector<std::vector<std::string>> rows{
      {"of", "first", "second", "third"}, {"a", "1", "2", "3"}, {"b", "4"}};
  CHECK(Page(0, false).blocks(rows) == Page(0, false).table(rows));
  CHECK(Page(100, false).blocks(rows) == Page(0, false).table(rows));
  CHECK(Page(20, false).blocks(rows) ==
        "  of  first  second\n"
        "  a       1       2\n"
        "  b       4\n"
        "\n"
        "  of  third\n"
        "  a       3\n"
        "  b\n");
  CHECK(Page(1, false).blocks({{"of", "first"}, {"a", "1"}}) == "  of  first\n  a       1\n");
  CHECK(Page(1, false).blocks({{"alone"}, {"a"}}) == "  alone\n  a\n");
  CHECK(Page(10, false).blocks({}).empty());
}

}  // namespace
}  // namespace dynasoc
