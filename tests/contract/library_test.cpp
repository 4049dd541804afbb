// What scenarios share that are loaded with one library.
#include <algorithm>
#include <array>
#include <filesystem>

#include <catch2/catch.hpp>

#include "scenario/scenario.hpp"
#include "support/temporary_folder.hpp"

namespace dynasoc::test {
namespace {

TEST_CASE("scenarios that name the same files share what was read", "[library]") {
  const std::filesystem::path path = std::filesystem::path(DYNASOC_SOURCE_DIR) / "scenarios" / "two-applications.json";
  Library library;
  const Scenario one = load_scenario(path, {}, &library), other = load_scenario(path, {{"seed", "7"}}, &library);
  const Scenario alone = load_scenario(path);
  REQUIRE(one.setup->apps.size() == alone.setup->apps.size());
  for (std::size_t a = 0; a < one.setup->apps.size(); ++a) {
    CHECK(one.setup->apps[a].network == other.setup->apps[a].network);
    CHECK(one.setup->apps[a].network != alone.setup->apps[a].network);
    CHECK(one.setup->apps[a].tables == other.setup->apps[a].tables);
    CHECK(one.setup->apps[a].block_ends == alone.setup->apps[a].block_ends);
  }
  CHECK(one.inputs == alone.inputs);
  CHECK(one.inputs == other.inputs);
}

// Sub-networks L1 to L`subnets`, each `latency_ms` on the GPU; the folder's block table if it has `blocks`.
void write_network(const TemporaryFolder& folder, const std::string& name, std::size_t subnets, double latency_ms,
                   bool blocks) {
  Json network = {{"name", name},
                  {"accuracy_metric", "example [%]"},
                  {"subnets", Json::array()},
                  {"switch_cost", {{"time_ms", 1}, {"energy_mj", 1}, {"provenance", "derived"}, {"source", "example"}}},
                  {"tables", {{"t", {{"file", name + ".csv"}, {"platform", "minimal"}}}}}};
  if (blocks) network["blocks"] = "blocks.csv";
  std::string cells = "subnet,unit,f_gpu_mhz,latency_ms_mean,provenance,source\n";
  for (std::size_t s = 0; s < subnets; ++s) {
    network["subnets"].push_back({{"accuracy", 70.0 + static_cast<double>(s)}});
    cells += "L" + std::to_string(s + 1) + ",gpu,1000," + std::to_string(latency_ms) + ",derived,example\n";
  }
  folder.write(name + ".json", network.dump());
  folder.write(name + ".csv", cells);
}

TEST_CASE("networks that have a folder, files or the lack of them in common are kept apart", "[library]") {
  const TemporaryFolder folder;
  folder.write(
      "blocks.csv",
      "subnet,unit,block,latency_ms,provenance,source\nL1,gpu,a,1,derived,example\nL1,gpu,b,3,derived,example\n");
  write_network(folder, "two", 2, 10, true);
  write_network(folder, "three", 3, 20, true);
  write_network(folder, "two-whole", 2, 30, false);
  write_network(folder, "three-whole", 3, 40, false);
  std::array<std::string, 4> names{"two", "three", "two-whole", "three-whole"};
  for (int order = 0; order < 2; ++order) {
    Library library;
    for (const std::string& name : names) {
      INFO(name << ", order " << order);
      const Network alone = Network::load(folder.path() / (name + ".json"));
      const auto network = library.network(folder.path() / (name + ".json"));
      CHECK(library.network(folder.path() / (name + ".json")) == network);
      CHECK(*library.block_ends(*network, "gpu") == alone.block_ends("gpu"));
      CHECK(*library.block_ends(*network, "cpu") == alone.block_ends("cpu"));
      const Table shared = *library.table(*network, "t"), own = alone.table("t");
      REQUIRE(shared.cells.size() == alone.size());
      CHECK(shared.cells.front().latency_ms_mean == own.cells.front().latency_ms_mean);
    }
    std::reverse(names.begin(), names.end());
  }
}

}  // namespace
}  // namespace dynasoc::test
