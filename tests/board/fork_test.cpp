// Are the decisions of a recorded run read as what they were, whatever knob they turned?
#include "board/fork.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "common/error.hpp"
#include "support/temporary_folder.hpp"

namespace dynasoc::test {
namespace {

using manager::Knob;

constexpr const char* kHeader = "replication,time_s,policy,target,knob,from,to,reason\n";

TEST_CASE("recorded writes of every knob", "[fork]") {
  const TemporaryFolder folder;
  const Scenario scenario = load_scenario(std::string(DYNASOC_SOURCE_DIR) + "/scenarios/two-applications.json");
  const Setup& setup = *scenario.setup;
  const auto read = [&](const std::string& rows) {
    folder.write("decisions.csv", kHeader + rows);
    return board::recorded_writes(folder.path() / "decisions.csv", setup).writes;
  };
  const int camera = setup.apps[0].name == "camera" ? 0 : 1, gpu = setup.platform.domain_index("gpu");
  const struct {
    const char* row;
    Knob knob;
    int target, value;
  } cases[] = {
      {"camera,subnet,L1,L3", Knob::subnet, camera, 2},
      {"camera,mapping,gpu,cpu", Knob::mapping, camera, setup.platform.unit_index("cpu")},
      {"gpu,frequency,1109.25,204", Knob::frequency, gpu, 1},
      {"gpu,lowest,114.75,300", Knob::lowest, gpu, 2},  // the nearest OPP
      {"gpu,highest,1109.25,1109.25", Knob::highest, gpu, 14},
      {"gpu,governor,x,schedutil", Knob::governor, gpu, 0},
      {"cpu,cores,6,4", Knob::cores, setup.platform.unit_index("cpu"), 4},
      {"camera,admission,open,closed", Knob::admission, camera, 0},
      {"camera,admission,closed,open", Knob::admission, camera, 1},
      {"camera,batch,1,8", Knob::batch, camera, 8},
  };
  std::string all;
  for (const auto& one : cases) all += "0,0.25,p," + std::string(one.row) + ",r\n";
  const auto writes = read(all);
  REQUIRE(writes.size() == std::size(cases));
  for (std::size_t i = 0; i < writes.size(); ++i) {
    CAPTURE(cases[i].row);
    CHECK(writes[i].at == from_s(0.25));
    CHECK(writes[i].knob == cases[i].knob);
    CHECK(writes[i].target == cases[i].target);
    CHECK(writes[i].value == cases[i].value);
  }
  // Other replications, and what the board did by itself, are not the policy's.
  CHECK(read("1,0,p,camera,subnet,L1,L3,r\n0,0,board,gpu,frequency,204,306,r\n").empty());

  for (const auto& [row, says] : {std::pair{"door,subnet,L1,L2", "no application \"door\""},
                                  {"camera,subnet,L1,L99", "is no sub-network"},
                                  {"camera,mapping,gpu,npu", "is no unit"},
                                  {"npu,frequency,1,2", "no frequency domain \"npu\""},
                                  {"gpu,frequency,204,fast", "is not a number"},
                                  {"camera,batch,1,1.5", "is no whole number"},
                                  {"camera,batch,1,1e300", "is no whole number"},
                                  {"camera,volume,1,2", "is no knob"}}) {
    CAPTURE(row);
    CHECK_THROWS_WITH(read("0,0,p," + std::string(row) + ",r\n"),
                      Catch::Contains("decisions.csv:2:") && Catch::Contains(says));
  }
}

}  // namespace
}  // namespace dynasoc::test
