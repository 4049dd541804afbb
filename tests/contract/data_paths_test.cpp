// Where names lead: beside the file that names, up its folders, then what came along.
#include "scenario/data_paths.hpp"

#include <algorithm>

#include <catch2/catch.hpp>

#include "scenario/scenario.hpp"
#include "support/lab.hpp"

namespace dynasoc::test {
namespace {

using Catch::Contains;
namespace fs = std::filesystem;

bool among(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

TEST_CASE("names, paths, and whose come first") {
  const TemporaryFolder folder;
  folder.write("platforms/own.json", "{}");
  folder.write("platforms/minimal.json", "{}");
  folder.write("models/net/network.json", "{}");
  folder.write("scenarios/deep/one.json", "{}");
  folder.write("scenarios/deep/traces/t.csv", "");
  folder.write("board.json", "{}");
  const DataPaths paths(folder.path() / "scenarios/deep");
  const fs::path root = fs::canonical(folder.path());
  CHECK(paths.platform({"own", {}}) == root / "platforms/own.json");
  CHECK(paths.platform({"minimal", {}}) == root / "platforms/minimal.json");  // the nearest of that name
  CHECK(fs::equivalent(paths.platform({"jetson-xavier-nx", {}}),
                       fs::path(DYNASOC_SOURCE_DIR) / "platforms/jetson-xavier-nx.json"));
  CHECK(fs::equivalent(paths.platform({"../../board.json", {}}), root / "board.json"));
  CHECK(paths.platform({(root / "board.json").string(), {}}) == root / "board.json");
  CHECK(paths.network({"net", {}}) == root / "models/net/network.json");
  CHECK(fs::equivalent(paths.network({"../../models/net", {}}), root / "models/net/network.json"));
  CHECK(paths.scenario({"deep/one", {}}) == root / "scenarios/deep/one.json");
  CHECK(fs::equivalent(paths.scenario({"one.json", {}}), root / "scenarios/deep/one.json"));
  CHECK(fs::equivalent(paths.trace({"traces/t.csv", {}}), root / "scenarios/deep/traces/t.csv"));
  CHECK(among(paths.platforms(), "own"));
  CHECK(among(paths.platforms(), "jetson-xavier-nx"));
  CHECK(among(paths.scenarios(), "deep/one"));
  CHECK(among(paths.networks(), "net"));
  const auto platforms = paths.platforms();
  CHECK(std::count(platforms.begin(), platforms.end(), "minimal") == 1);
}

TEST_CASE("names that lead nowhere") {
  const TemporaryFolder folder;
  folder.write("folder.json/x", "");
  const DataPaths paths(folder.path());
  const auto where = Where{Document::parse("{\"platform\":\n \"x\"}", "f"), "/platform"};
  CHECK_THROWS_WITH(paths.platform({"minimall", where}),
                    "f:2:2: /platform: unknown platform \"minimall\" (did you mean \"minimal\"?)");
  CHECK_THROWS_WITH(paths.platform({"zzzzzz", where}),
                    Contains("unknown platform \"zzzzzz\" (known: ") && Contains("minimal"));
  CHECK_THROWS_WITH(paths.platform({"minimol.json", where}),
                    Contains("no such file: \"minimol.json\" (did you mean \"minimal\"?)"));
  CHECK_THROWS_WITH(paths.platform({"", where}), Contains("the name of a platform is empty"));
  CHECK_THROWS_WITH(paths.platform({"folder.json", where}), Contains("folder.json is a directory, not a file"));
  CHECK_THROWS_WITH(paths.trace({"/nowhere/t.csv", where}), Contains("no such file: \"/nowhere/t.csv\""));
  CHECK_THROWS_WITH(paths.network({std::string(5000, 'n'), where}), Contains("unknown network \"nnn"));
}

TEST_CASE("includes end, however they are laid") {
  const TemporaryFolder folder;
  folder.write("one.json", R"({"include": "two.json"})");
  folder.write("two.json", R"({"include": ["three.json"]})");
  folder.write("three.json", R"({"seed": 1, "include": ["one.json"]})");
  CHECK_THROWS_WITH(load_scenario(folder.path() / "one.json"),
                    Contains("three.json:1:25: /include/0: includes itself: "));
  // Each file includes the next one twice: 2^20 files, if nothing counted.
  for (int i = 0; i < 20; ++i) {
    const std::string next = "\"d" + std::to_string(i + 1) + ".json\"";
    folder.write("d" + std::to_string(i) + ".json", R"({"include": [)" + next + ", " + next + "]}");
  }
  folder.write("d20.json", "{}");
  CHECK_THROWS_WITH(load_scenario(folder.path() / "d0.json"), Contains("more than 1000 files are included"));
}

}  // namespace
}  // namespace dynasoc::test
