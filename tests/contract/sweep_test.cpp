// Axes and finished points: what a sweep's table rests on.
#include "explore/sweep/sweep.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <random>

#include <catch2/catch.hpp>

#include "explore/sweep/axes.hpp"
#include "explore/sweep/points.hpp"
#include "scale.hpp"
#include "support/temporary_folder.hpp"

namespace dynasoc::test {
namespace {

using namespace explore;

std::vector<std::string> texts(const std::string& range) {
  const AxisValues values(read<RangeFile>(Value(Document::parse(range, "range"))));
  std::vector<std::string> out;
  for (std::uint64_t i = 0; i < values.size(); ++i) out.push_back(values[i].dump());
  return out;
}

TEST_CASE("ranges hold what a person would write down", "[sweep]") {
  using Texts = std::vector<std::string>;
  CHECK(texts(R"({"from": 1, "to": 3})") == Texts{"1", "2", "3"});
  CHECK(texts(R"({"from": 0, "to": 0.5, "step": 0.1})") == Texts{"0", "0.1", "0.2", "0.3", "0.4", "0.5"});
  CHECK(texts(R"({"from": 0, "to": 0.55, "step": 0.1})").back() == "0.5");
  CHECK(texts(R"({"from": 10, "to": 20, "count": 3})") == Texts{"10", "15", "20"});
  CHECK(texts(R"({"from": 0.01, "to": 100, "count": 5, "scale": "log"})") == Texts{"0.01", "0.1", "1", "10", "100"});
  CHECK(texts(R"({"from": 7, "to": 7})") == Texts{"7"});
  CHECK(texts(R"({"from": 7, "to": 7, "count": 1})") == Texts{"7"});
  // No memory for the values, however many.
  RangeFile many;
  many.from = 1;
  many.to = 9e15;
  const AxisValues seeds(many);
  CHECK(seeds.size() == 9'000'000'000'000'000u);
  CHECK(seeds[seeds.size() - 1] == 9'000'000'000'000'000);
}

TEST_CASE("lists are axes where the format wants none, and only there", "[sweep]") {
  const auto axes_of = [](const std::string& text) {
    const auto document = Document::parse(text, "sweep");
    std::string out;
    for (const Axis& axis : take_axes(document)) out += axis.name + ":" + std::to_string(axis.values.size()) + " ";
    return out + "-> " + document->root().dump();
  };
  CHECK(axes_of(R"({"policy": [{"name": "pid"}, "none"], "mode_changes": [{"at_s": 1, "mode": ["A", "B"]}]})") ==
        R"(policy:2 mode_changes.0.mode:2 -> {"policy":{"name":"pid"},"mode_changes":[{"at_s":1,"mode":"A"}]})");
  CHECK(axes_of(R"({"policy": {"name": "pid", "headroom": [0.1, 0.2]}, "opps_mhz": {"gpu": [300, 400]}})") ==
        R"(policy.headroom:2 -> {"policy":{"name":"pid","headroom":0.1},"opps_mhz":{"gpu":[300,400]}})");
  CHECK(axes_of(R"({"opps_mhz": {"gpu": [[300], [300, 400]]}, "comment": [1, 2]})") ==
        R"(opps_mhz.gpu:2 -> {"opps_mhz":{"gpu":[300]},"comment":[1,2]})");
  CHECK(axes_of(R"({"applications": {"a": {"arrivals": {"kind": "poisson", "rate_hz": {"from": 1, "to": 4}}}}})") ==
        R"(applications.a.arrivals.rate_hz:4 -> {"applications":{"a":{"arrivals":{"kind":"poisson","rate_hz":1}}}})");
  CHECK(axes_of(R"({"windows": {"w": {"from_s": 1, "to_s": 2}}})") == R"(-> {"windows":{"w":{"from_s":1,"to_s":2}}})");
  CHECK(axes_of(R"({"axes": {"x": [{"set": {"seed": 1}}, {"set": {"seed": 2}}]}})") == R"(x:2 -> {"seed":1})");
}

TEST_CASE("points are numbered with the first axis slowest, and shards cover them once", "[sweep]") {
  const auto document = Document::parse(R"({"seed": [1, 2, 3], "duration_s": [10, 20]})", "sweep");
  const Grid grid(take_axes(document));
  REQUIRE(grid.size() == 6);
  std::vector<std::uint64_t> at;
  grid.at(3, at);
  CHECK(at == std::vector<std::uint64_t>{1, 1});
  for (const std::uint64_t points : {1ull, 6ull, 100ull, 9'000'000'000'000'000'001ull})
    for (const std::uint64_t n : {1ull, 2ull, 7ull, 1000ull}) {
      std::uint64_t expected = 0;
      for (std::uint64_t i = 1; i <= n; ++i) {
        const PointRange range = shard(points, i, n);
        CHECK(range.begin == expected);
        CHECK(range.end - range.begin <= points / n + 1);
        expected = range.end;
      }
      CHECK(expected == points);
    }
}

TEST_CASE("files of finished points merge in order, whoever wrote them and wherever they were cut", "[sweep]") {
  std::mt19937 dice(7);
  for (int trial = 0; trial < scaled(40); ++trial) {
    const TemporaryFolder folder;
    std::map<std::uint64_t, std::string> expected;
    const int files = 1 + static_cast<int>(dice() % 40);
    std::uint64_t session = 0;
    for (int f = 0; f < files; ++f) {
      // Sessions one behind another, workers of one session interleaved, and now and then the same point twice.
      const auto path = folder.path() / (std::to_string(f) + ".points");
      PointWriter writer(path);
      if (dice() % 3 == 0) session += 50;
      std::uint64_t index = session + dice() % 20;
      const int count = 1 + static_cast<int>(dice() % 30);
      std::uint64_t last = 0;
      std::uintmax_t before = 0;
      for (int i = 0; i < count; ++i, index += 1 + dice() % 4) {
        before = i == 0 ? 0 : std::filesystem::file_size(path);
        writer.append({index, "key", "0," + std::to_string(index) + ";1,"});
        last = index;
        if (i + 1 < count) expected[index] = "0," + std::to_string(index) + ";1,";
      }
      if (dice() % 2 == 0) {
        expected[last] = "0," + std::to_string(last) + ";1,";
      } else {  // killed while it wrote the last one
        const std::uintmax_t size = std::filesystem::file_size(path);
        std::filesystem::resize_file(path, before + dice() % (size - before));
      }
    }
    PointReader reader({folder.path()});
    std::map<std::uint64_t, std::string> found;
    std::uint64_t before = 0;
    for (PointRecord record; reader.next(record);) {
      if (!found.empty()) CHECK(record.index > before);
      before = record.index;
      found[record.index] = record.values;
    }
    CHECK(found == expected);
  }
}

TEST_CASE("thousands of files are merged with few of them open", "[sweep]") {
  const TemporaryFolder folder;
  constexpr int kFiles = 3000;  // more than a process may open
  for (int f = 0; f < kFiles; ++f)
    std::ofstream(folder.path() / (std::to_string(f) + ".points"))
        << point_line({static_cast<std::uint64_t>(2 * f), "k", "0,1"})
        << point_line({static_cast<std::uint64_t>(2 * f + 1), "k", "0,1"});
  PointReader reader({folder.path()});
  std::uint64_t count = 0;
  for (PointRecord record; reader.next(record);) CHECK(record.index == count++);
  CHECK(count == 2 * kFiles);
}

TEST_CASE("a damaged file is named, with its line", "[sweep]") {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "a.points") << point_line({1, "k", "0,1"}) << "2\tk\t0,1\t0000\n"
                                            << point_line({3, "k", "0,1"});
  PointReader reader({folder.path()});
  PointRecord record;
  CHECK_THROWS_WITH(reader.next(record), Catch::Contains("a.points:2: is not a record of a finished point"));
}

}  // namespace
}  // namespace dynasoc::test
