// Are latencies, sizes and accuracies of sub-networks those that were published or worked out term by term?
#include <cmath>
#include <map>

#include <catch2/catch.hpp>

#include "application/network.hpp"
#include "common/csv.hpp"
#include "explore/search/predictor.hpp"
#include "explore/search/supernetwork.hpp"

namespace dynasoc::search {
namespace {

const std::filesystem::path kModels = std::filesystem::path(DYNASOC_SOURCE_DIR) / "models";
const std::filesystem::path kFolder = kModels / "once-for-all-mbv3";

std::vector<std::pair<Configuration, Subnet>> published(const Supernetwork& super, const char* network) {
  std::vector<std::pair<Configuration, Subnet>> out;
  const Value root{std::shared_ptr<const Document>(Document::load(kModels / network / "network.json"))};
  const auto file = read<NetworkFile>(root);
  for (std::size_t i = 0; i < file.subnets.size(); ++i)
    out.emplace_back(super.from_json(root["subnets"][i]["config"]), file.subnets[i]);
  return out;
}

TEST_CASE("sums of blocks are those worked out term by term", "[search]") {
  const auto super = Supernetwork::load(kFolder / "supernetwork.json");
  const auto nets = published(super, "dynamic-ofa-gpu");
  const Csv example = Csv::load(kFolder / "raw" / "lut_worked_example.csv");
  std::map<std::pair<std::string, std::size_t>, std::vector<std::size_t>> groups;
  for (std::size_t row = 0; row < example.size(); ++row)
    groups[{std::string(example.text(row, "device")), static_cast<std::size_t>(example.number(row, "index0"))}]
        .push_back(row);
  REQUIRE(groups.size() == 4);
  for (const auto& [which, rows] : groups) {
    CAPTURE(which.first, which.second);
    const auto table = super.read_blocks(kFolder / ("jetson-xavier-nx." + which.first + ".blocks.csv"));
    CHECK(table.missing.empty());
    const auto blocks = super.blocks(nets[which.second].first);
    REQUIRE(blocks.size() == rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Block& b = blocks[i];
      std::string key = b.block + "-input:" + b.input + "-output:" + b.output;
      if (b.expand > 0)
        key += "-expand:" + std::to_string(b.expand) + "-kernel:" + std::to_string(b.kernel) +
               "-stride:" + std::to_string(b.stride) + "-idskip:" + std::to_string(b.idskip) +
               "-se:" + std::to_string(b.se) + "-hs:" + std::to_string(b.hs);
      CHECK(key == example.text(rows[i], "table_key"));
    }
    CHECK(table.sum_ms(nets[which.second].first) == Approx(example.number(rows.back(), "running_sum_ms")).margin(1e-6));
  }
}

TEST_CASE("the thirteen published sub-networks have their published multiply-accumulates", "[search]") {
  const auto super = Supernetwork::load(kFolder / "supernetwork.json");
  const auto macs = super.macs_m();
  const auto memory = super.memory_mb();
  for (const char* network : {"dynamic-ofa-gpu", "dynamic-ofa-gpu-nets7"})
    for (const auto& [configuration, subnet] : published(super, network)) {
      CHECK(macs(configuration) == Approx(subnet.macs_m).epsilon(1e-3));
      CHECK(memory(configuration) == Approx(subnet.memory_mb).margin(5e-5));
    }
  // By hand for nets_6[0]: 5 338 552 parameters.
  CHECK(memory(published(super, "dynamic-ofa-gpu")[0].first) == Approx(4 * 5.338552));
}

TEST_CASE("the predictor's thirteen test vectors come out, with every kernel this processor runs", "[search]") {
  const auto super = Supernetwork::load(kFolder / "supernetwork.json");
  const Value manifest{std::shared_ptr<const Document>(Document::load(kFolder / "acc_predictor.manifest.json"))};
  const Value vectors = manifest["test_vectors"];
  REQUIRE(vectors.json().size() == 13);
  std::map<std::string, std::vector<std::pair<Configuration, Subnet>>> nets{
      {"nets_6", published(super, "dynamic-ofa-gpu")}, {"nets_7", published(super, "dynamic-ofa-gpu-nets7")}};
  std::vector<Configuration> configurations;
  for (std::size_t i = 0; i < 13; ++i)
    configurations.push_back(
        nets.at(read<std::string>(vectors[i]["set"])).at(read<std::size_t>(vectors[i]["index0"])).first);
  REQUIRE_FALSE(kernel_builds().empty());
  for (const KernelBuild& build : kernel_builds()) {
    CAPTURE(build.name);
    const Predictor predictor(super, build);
    Predictor::Workspace workspace;
    std::vector<double> out(13);
    predictor.predict(configurations, out, workspace);
    for (std::size_t i = 0; i < 13; ++i)
      CHECK(out[i] == Approx(vectors[i]["output"].json().get<double>()).margin(1e-5));
  }
}

TEST_CASE("a prediction does not depend on what is predicted beside it", "[search]") {
  const auto super = Supernetwork::load(kFolder / "supernetwork.json");
  const auto nets = published(super, "dynamic-ofa-gpu");
  for (const KernelBuild& build : kernel_builds()) {
    const Predictor predictor(super, build);
    Predictor::Workspace workspace;
    std::vector<Configuration> many;
    for (std::size_t i = 0; i < 300; ++i) many.push_back(nets[i * i % 6].first);
    std::vector<double> together(many.size()), alone(1);
    predictor.predict(many, together, workspace);
    for (std::size_t i = 0; i < many.size(); i += 7) {
      Predictor::Workspace fresh;
      predictor.predict(std::span(many).subspan(i, 1), alone, fresh);
      CHECK(alone[0] == together[i]);
    }
  }
}

}  // namespace
}  // namespace dynasoc::search
