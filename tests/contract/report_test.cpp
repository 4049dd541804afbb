// What a report is made of: thinning that keeps what is seen, columns, escaping, reading results back.
#include "results/report/report.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <set>

#include <catch2/catch.hpp>

#include "common/csv_rows.hpp"
#include "results/report/page.hpp"
#include "support/temporary_folder.hpp"

namespace dynasoc::report {
namespace {

using Catch::Contains;
using test::TemporaryFolder;

template <class F>
std::string refusal(F f) {
  try {
    f();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

std::string bytes_of(const std::string& text) {
  std::string out;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    if (c == '=') break;
    const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char* at = std::strchr(digits, c);
    REQUIRE(at != nullptr);
    bits = bits << 6 | static_cast<std::uint32_t>(at - digits);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held & 255);
  }
  return out;
}

template <class T>
std::vector<T> values_in(const Json& column, const char* kind) {
  REQUIRE(column.contains(kind));
  const std::string bytes = bytes_of(column[kind].get<std::string>());
  std::vector<T> out(bytes.size() / sizeof(T));
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

TEST_CASE("base64 is RFC 4648's") {
  const std::vector<std::pair<std::string, std::string>> vectors{{"", ""},
                                                                 {"f", "Zg=="},
                                                                 {"fo", "Zm8="},
                                                                 {"foo", "Zm9v"},
                                                                 {"foob", "Zm9vYg=="},
                                                                 {"fooba", "Zm9vYmE="},
                                                                 {"foobar", "Zm9vYmFy"},
                                                                 {"\xff\xfe", "//4="}};
  for (const auto& [plain, coded] : vectors) CHECK(base64(plain) == coded);
  std::string all;
  for (int i = 0; i < 1000; ++i) all += static_cast<char>(i * 7);
  CHECK(bytes_of(base64(all)) == all);
}

TEST_CASE("columns read back as they were") {
  const std::vector<double> numbers{0, -1.5, 1e300, std::nan(""), 1.0 / 3};
  const auto doubles = values_in<double>(f64_column(numbers), "f64");
  REQUIRE(doubles.size() == numbers.size());
  CHECK(std::isnan(doubles[3]));
  CHECK(doubles[4] == numbers[4]);
  CHECK(values_in<float>(f32_column(numbers), "f32")[4] == static_cast<float>(1.0 / 3));
  CHECK(values_in<std::uint8_t>(whole_column({0, 255}), "u8") == std::vector<std::uint8_t>{0, 255});
  CHECK(values_in<std::uint16_t>(whole_column({0, 256}), "u16") == std::vector<std::uint16_t>{0, 256});
  CHECK(values_in<std::uint32_t>(whole_column({65536, 1}), "u32") == std::vector<std::uint32_t>{65536, 1});
  const Json texts = text_column({"never", "b", "a"}, {2, 1, 2});
  CHECK(texts["values"] == Json({"a", "b"}));
  CHECK(values_in<std::uint8_t>(texts["index"], "u8") == std::vector<std::uint8_t>{0, 1, 0});
}

TEST_CASE("a series keeps its extremes, its ends, and everything where there is room") {
  std::mt19937 random(1);
  std::normal_distribution<double> noise;
  const std::size_t count = 20'000, most = 400;
  std::vector<double> t, x;
  for (std::size_t i = 0; i < count; ++i) t.push_back(0.01 * static_cast<double>(i)), x.push_back(noise(random));
  x[7'777] = 50, x[15'000] = -50;
  SeriesDecimator series(0, 200, most);
  for (std::size_t i = 0; i < count; ++i) series.add(t[i], x[i]);
  const auto kept = series.finish();
  CHECK(series.total() == count);
  REQUIRE(kept.t_s.size() == kept.value.size());
  CHECK(kept.t_s.size() <= most);
  CHECK(kept.t_s.size() > most / 2);
  CHECK(kept.total == count);
  CHECK(std::is_sorted(kept.t_s.begin(), kept.t_s.end()));
  CHECK(kept.value.front() == x.front());
  CHECK(kept.value.back() == x.back());
  // Of every bucket, not only of the whole.
  const std::size_t buckets = most / 4, each = count / buckets;
  const std::set<double> values(kept.value.begin(), kept.value.end());
  for (std::size_t b = 0; b < buckets; ++b) {
    const auto begin = x.begin() + static_cast<std::ptrdiff_t>(b * each),
               end = begin + static_cast<std::ptrdiff_t>(each);
    CHECK(values.contains(*std::min_element(begin, end)));
    CHECK(values.contains(*std::max_element(begin, end)));
  }
  for (std::size_t i = 0; i < kept.t_s.size(); ++i)  // nothing is made up
    REQUIRE(x[static_cast<std::size_t>(std::lround(kept.t_s[i] * 100))] == kept.value[i]);

  SeriesDecimator small(0, 200, most);
  for (std::size_t i = 0; i < most; ++i) small.add(t[i], x[i]);
  CHECK(small.finish().value == std::vector<double>(x.begin(), x.begin() + most));
}

TEST_CASE("constant stretches keep their ends only, and what is no number is no point") {
  SeriesDecimator series(0, 10, 100);
  for (const auto& [t, x] : std::vector<std::pair<double, double>>{
           {0, 5}, {1, 5}, {2, 5}, {3, 7}, {4, std::nan("")}, {5, 7}, {6, 7}, {7, 5}, {8, 5}})
    series.add(t, x);
  const auto kept = series.finish();
  CHECK(kept.t_s == std::vector<double>{0, 2, 3, 6, 7, 8});
  CHECK(kept.value == std::vector<double>{5, 5, 7, 7, 5, 5});
  CHECK(kept.total == 6);  // what is left out of a constant stretch is not missing
  SeriesDecimator empty(0, 10, 100);
  CHECK(empty.finish().t_s.empty());
}

TEST_CASE("of frames, the slowest and the fastest of each stretch stay, and misses before others") {
  std::mt19937 random(2);
  std::exponential_distribution<float> latency(0.1f);
  const std::size_t count = 50'000, most = 1'000;
  std::vector<double> t;
  std::vector<float> x;
  std::vector<bool> lost(count), changes(count);
  for (std::size_t i = 0; i < count; ++i) t.push_back(static_cast<double>(i)), x.push_back(latency(random));
  for (std::size_t i = 0; i < count; i += 250) lost[i] = true;
  x[123] = std::numeric_limits<float>::quiet_NaN();
  const auto kept = keep_extremes(t, x, lost, changes, most);
  CHECK(kept.size() == most);
  CHECK(std::is_sorted(kept.begin(), kept.end()));
  const std::set<std::uint32_t> all(kept.begin(), kept.end());
  CHECK(all.size() == most);
  const std::size_t buckets = most / 4, each = count / buckets;
  for (std::size_t b = 1; b + 1 < buckets; ++b) {
    const auto begin = x.begin() + static_cast<std::ptrdiff_t>(b * each),
               end = begin + static_cast<std::ptrdiff_t>(each);
    CHECK(all.contains(static_cast<std::uint32_t>(std::max_element(begin + 1, end - 1) - x.begin())) +
              (*std::max_element(begin + 1, end - 1) < std::max(*begin, *(end - 1))) >
          0);
  }
  float largest = 0;
  for (const float one : x) largest = std::fmax(largest, one);
  CHECK(std::any_of(kept.begin(), kept.end(), [&](std::uint32_t i) { return x[i] == largest; }));
  for (std::uint32_t i = 0; i < count; ++i)
    if (lost[i]) CHECK(all.contains(i));  // 200 of them: they fit

  // More misses than room: extremes stay, misses are thinned evenly.
  std::fill(lost.begin(), lost.end(), true);
  const auto thinned = keep_extremes(t, x, lost, changes, most);
  CHECK(thinned.size() == most);
  CHECK(std::any_of(thinned.begin(), thinned.end(), [&](std::uint32_t i) { return x[i] == largest; }));
  CHECK(keep_extremes({1, 2}, {1, 1}, {false, false}, {false, false}, 4) == std::vector<std::uint32_t>{0, 1});
  CHECK(keep_evenly(5, 3) == std::vector<std::uint32_t>{0, 2, 4});
  CHECK(keep_evenly(5, 0).empty());
}

TEST_CASE("a sample of a table has every value of an axis that goes fast") {
  const auto kept = keep_sample(40'000, 20'000);
  CHECK(kept.size() == 20'000);
  CHECK(std::is_sorted(kept.begin(), kept.end()));
  CHECK(std::adjacent_find(kept.begin(), kept.end()) == kept.end());
  const auto odd = static_cast<double>(std::count_if(kept.begin(), kept.end(), [](auto row) { return row % 2 == 1; }));
  CHECK(odd > 9'500);  // half are 10 000, with a standard deviation of 50
  CHECK(odd < 10'500);
  CHECK(keep_sample(3, 5) == std::vector<std::uint32_t>{0, 1, 2});
  CHECK(keep_sample(3, 0).empty());
}

TEST_CASE("decisions stay whole, the board's stay first") {
  std::vector<WriteKey> writes;
  for (std::uint32_t d = 0; d < 1'000; ++d)
    for (int k = 0; k < 3; ++k) writes.push_back({static_cast<double>(d), d, 0.5f, d == 500, false});
  writes[3 * 321 + 1].margin = -1;  // the least of its stretch
  const auto kept = keep_writes(writes, 300);
  CHECK(kept.size() <= 300);
  std::map<std::uint32_t, int> of_decision;
  for (const std::uint32_t i : kept) ++of_decision[writes[i].decision];
  for (const auto& [decision, count] : of_decision) CHECK(count == 3);
  CHECK(of_decision.contains(500));
  CHECK(of_decision.contains(321));
  CHECK(keep_writes(writes, 3'000).size() == 3'000);

  // A margin of 0 is none: it is not the least.
  for (WriteKey& write : writes) write.margin = 0.5f;
  for (std::size_t i = 3 * 100; i < 3 * 140; ++i) writes[i].margin = 0;
  for (std::size_t i = 3 * 120; i < 3 * 121; ++i) writes[i].margin = 0.1f;
  const auto without = keep_writes(writes, 300);
  CHECK(std::any_of(without.begin(), without.end(), [&](std::uint32_t i) { return writes[i].decision == 120; }));
}

TEST_CASE("whatever a text holds, it ends no element and reads back the same") {
  const std::string evil = "<script>alert(1)</script>&\"'</SCRIPT><!--\u2028\u2029 {{library}}";
  const Json json = {{"title", evil}, {evil, 1}};
  const std::string text = script_json(json);
  for (const char* never : {"<", ">", "&", "\u2028", "\u2029"}) CHECK(text.find(never) == std::string::npos);
  CHECK(Json::parse(text) == json);
  CHECK(html_text(evil).find_first_of("<>\"'") == std::string::npos);

  const std::string page = fill_page("<t>{{title}}</t>{{data}}|{{library}}|{{title}}", {evil, "S", "L", "J", text});
  CHECK(page == "<t>" + html_text(evil) + "</t>" + text + "|L|" + html_text(evil));
  CHECK_THROWS_AS(fill_page("{{nothing}}", {}), InternalError);

  Json payload = empty_payload(ResultKind::run, {});
  payload["title"] = evil;
  const std::string whole = page_of(payload);
  CHECK(whole.find("alert(1)</script>") == std::string::npos);
  CHECK(whole.find("{{") == whole.find("{{library}}"));  // of the title alone
  CHECK(whole.find(html_text(evil)) != std::string::npos);
}

TEST_CASE("rows of a table of any size read like the table") {
  const TemporaryFolder folder;
  std::string text = "a,\"b\"\"c\",d\r\n";
  for (int i = 0; i < 200'000; ++i) text += std::to_string(i) + ",\"x,\n\"\"" + std::to_string(i) + "\"\"\"," + "\r\n";
  folder.write("t.csv", text);  // some 4 MB: over the buffer's edges
  CsvRows rows(folder.path() / "t.csv");
  CHECK(rows.columns() == std::vector<std::string>{"a", "b\"c", "d"});
  int count = 0;
  while (rows.next()) {
    if (rows.whole(0) != static_cast<std::uint64_t>(count) || rows.text(1) != "x,\n\"" + std::to_string(count) + "\"" ||
        !std::isnan(rows.number_or_nan(2)))
      FAIL("row " << count);
    ++count;
  }
  CHECK(count == 200'000);

  folder.write("t.csv", "a,b\n5\" panel,1\n\"5\"\" panel\",2\n");  // a quote opens a cell only at its beginning
  CsvRows inches(folder.path() / "t.csv");
  for (const std::uint64_t b : {1, 2}) {
    REQUIRE(inches.next());
    CHECK(inches.text(0) == "5\" panel");
    CHECK(inches.whole(1) == b);
  }
  CHECK_FALSE(inches.next());

  const auto refused = [&](const std::string& content) {
    folder.write("bad.csv", content);
    return refusal([&] {
      CsvRows bad(folder.path() / "bad.csv");
      while (bad.next()) bad.number(0);
    });
  };
  CHECK_THAT(refused(""), Contains("the file is empty"));
  CHECK_THAT(refused("a,a\n"), Contains("appears twice"));
  CHECK_THAT(refused("a,b\n1,2\n3\n"), Contains("bad.csv:3:1: row: the row has 1 cells, the header 2"));
  CHECK_THAT(refused("a,b\n1,\"2\n"), Contains("never closed"));
  CHECK_THAT(refused("a,b\n1,\"2\"3\n"), Contains("text follows"));
  CHECK_THAT(refused("b,a\nx,1\n"), Contains("bad.csv:2:1: b: \"x\" is not a number"));
  CHECK_THAT(refused("a\nnan\n"), Contains("is not a number"));
  CHECK(refused("a,b\n\n1,2\n") == "");
  CHECK_THAT(refused("a,b\n\n1,2"), Contains("bad.csv:3:1: row: the last line has no end: the file was cut"));
  CHECK_THAT(refusal([&] { CsvRows(folder.path() / "none.csv"); }), Contains("no such file"));
  CHECK_THAT(refusal([&] { CsvRows(folder.path()); }), Contains("is not a file"));
  CHECK_THAT(refused("a\n" + std::string(70'000, '1') + "\n"), Contains("a cell of"));
  CHECK_THAT(refused("a\xff,b\n1,2\n"), Contains("not valid UTF-8"));
  CHECK_THAT(refused(std::string(1'000, ',') + "\n"), Contains("1001 columns"));
}

TEST_CASE("what is no finished result is refused by name") {
  const TemporaryFolder folder;
  const auto kind = [&](const char* name, const char* file) {
    if (*file != 0) folder.write(std::string(name) + "/" + file, "{}");
    return refusal([&] { kind_of(folder.path() / name); });
  };
  CHECK_THAT(kind("none", ""), Contains("no such directory"));
  CHECK_THAT(kind("run", "jobs.csv"), Contains("unfinished run"));
  CHECK_THAT(kind("sweep", "sweep.json"), Contains("unfinished sweep"));
  CHECK_THAT(kind("explore", "explore.json"), Contains("unfinished exploration"));
  CHECK_THAT(kind("other", "notes.txt"), Contains("holds no results"));
  CHECK(kind("run", "manifest.json") == "");
  CHECK_THAT(kind("run", "comparison.json"), Contains("holds a run (manifest.json) and a comparison"));
  CHECK_THAT(refusal([&] { kind_of(folder.path() / "run" / "jobs.csv"); }), Contains("is a file"));
}

TEST_CASE("a front is what nothing beats in the means") {
  Json front = {{"objectives", {{{"direction", "min"}}, {{"direction", "max"}}}}, {"points", Json::array()}};
  const std::vector<std::vector<Json>> values{{1, 1}, {2, 2}, {2, 1}, {1, 1}, {0.5, nullptr}, {3, 2}};
  for (const auto& one : values) front["points"].push_back({{"values", one}});
  mark_front(front);
  std::vector<bool> on_front;
  for (const Json& point : front["points"]) on_front.push_back(point["on_front"]);
  CHECK(on_front == std::vector<bool>{true, true, false, true, false, false});
}

TEST_CASE("metrics are known by their names, whatever applications are called") {
  CHECK(traits_of("apps.a.b.latency_ms.mean").unit == "ms");
  CHECK(traits_of("apps.x.miss_rate").better == "lower");
  CHECK(traits_of("platform.energy_j").unit == "J");
  CHECK(traits_of("nothing").unit.empty());
}

TEST_CASE("commands are told as a shell takes them") {
  CHECK(shell_line({"dynasoc", "run", "a b", "it's", "--set", "x=1", "", "$(rm)"}) ==
        "dynasoc run 'a b' 'it'\\''s' --set x=1 '' '$(rm)'");
  for (const auto& out : std::vector<std::vector<std::string>>{{"--out", "d"}, {"--out=d"}}) {
    std::vector<std::string> words{"s.json", "--force"};
    words.insert(words.end(), out.begin(), out.end());
    CHECK_THAT(again_line("compare", words, "d"), Catch::StartsWith("dynasoc compare s.json --out d-again  #"));
  }
  CHECK_THAT(again_line("compare", {"s.json"}, "d"), Catch::StartsWith("dynasoc compare s.json --out d-again  #"));
}

TEST_CASE("what is simulated again may differ by rounding alone") {
  CHECK(difference("m", 1, 1 + 1e-10).empty());
  CHECK(difference("m", 0, 1e-15).empty());
  CHECK(difference("m", std::nan(""), std::nan("")).empty());
  CHECK_THAT(difference("m", 1, 1.001), Contains("where it was 1.001"));
  CHECK_THAT(difference("m", 1e-6, 2e-6), Contains("simulated again"));
  CHECK_THAT(difference("m", 1, std::nan("")), Contains("simulated again"));
}

}  // namespace
}  // namespace dynasoc::report
