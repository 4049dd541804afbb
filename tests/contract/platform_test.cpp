// Platform files: the committed ones hold together, and everything that does not is refused at its place.
#include "device/platform.hpp"

#include <unistd.h>

#include <filesystem>
#include <string>

#include <catch2/catch.hpp>

#include "common/csv.hpp"
#include "common/text.hpp"
#include "device/thermal.hpp"

namespace dynasoc {
namespace {

const std::filesystem::path kPlatforms = std::filesystem::path(DYNASOC_SOURCE_DIR) / "platforms";

Platform from_text(const std::string& text) {
  return Platform::from(
      read<PlatformFile>(Value(std::shared_ptr<const Document>(Document::parse(text, "board.json")))));
}

// The example board with one part of its text exchanged.
std::string changed(const std::string& part, const std::string& replacement) {
  std::string text = read_file(kPlatforms / "minimal.json");
  const std::size_t at = text.find(part);
  if (at == std::string::npos) throw InternalError("the example board has no " + part);
  return text.replace(at, part.size(), replacement);
}

std::string refusal(const std::string& text) {
  try {
    from_text(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "(accepted)";
}

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

TEST_CASE("platform: every committed board loads, and says where its figures come from") {
  int boards = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kPlatforms)) {
    if (entry.path().extension() != ".json") continue;
    INFO(entry.path().filename().string());
    const Platform board = Platform::load(entry.path());
    ++boards;
    CHECK_FALSE(board.file.title.empty());
    CHECK_FALSE(board.file.source.empty());
    CHECK_FALSE(board.file.static_power_source.empty());
    CHECK(board.links.size() == board.file.units.size());
    for (const auto& [name, domain] : board.file.domains) CHECK_FALSE(domain.source.empty());
    for (const auto& [name, mode] : board.file.modes) CHECK_FALSE(mode.source.empty());
    for (std::size_t unit = 0; unit < board.file.units.size(); ++unit) {
      const UnitFile& file = board.file.units[unit].second;
      const auto domain = static_cast<std::size_t>(board.links[unit].domains.front());
      for (const double mhz : board.file.domains[domain].second.opps_mhz)
        CHECK(board.busy_w(unit, mhz) >= board.idle_w(unit, mhz));
      for (std::size_t i = 0; i < file.power.size(); ++i) {
        // No real board here was measured unit by unit.
        CHECK((file.power[i].provenance == Provenance::derived || board.file.name == "fake-board"));
        if (i > 0) CHECK(file.power[i].busy_w >= file.power[i - 1].busy_w);
      }
      if (board.file.thermal) CHECK(board.links[unit].thermal_node >= 0);
    }
    if (board.file.thermal) CHECK_FALSE(board.file.thermal->static_node.empty());
  }
  CHECK(boards >= 6);
}

TEST_CASE("platform: the Xavier NX is the board its sources describe") {
  const Platform nx = Platform::load(kPlatforms / "jetson-xavier-nx.json");
  CHECK(nx.domain_names() == std::vector<std::string>{"cpu0", "cpu2", "cpu4", "gpu", "emc"});
  CHECK(nx.unit_names() == std::vector<std::string>{"cpu", "gpu"});
  for (const char* cluster : {"cpu0", "cpu2", "cpu4"}) {
    const DomainFile& domain = nx.file.domains[static_cast<std::size_t>(nx.domain_index(cluster))].second;
    CHECK(domain.opps_mhz.size() == 25);
    CHECK(domain.cores == 2);
    CHECK(domain.opps_mhz.front() == 115.2);
    CHECK(domain.opps_mhz.back() == 1907.2);
  }
  CHECK(nx.file.domains[static_cast<std::size_t>(nx.domain_index("gpu"))].second.opps_mhz.size() == 15);
  CHECK(nx.links[1].host_domain == nx.domain_index("cpu0"));
  CHECK(nx.links[1].memory_domain == nx.domain_index("emc"));
  CHECK(nx.file.modes.size() == 10);
  CHECK(nx.file.default_mode.text == "MODE_15W_6CORE");
  const ModeFile* desktop = nx.mode("MODE_10W_DESKTOP");
  REQUIRE(desktop);
  CHECK(desktop->id == 5);
  CHECK(desktop->cores_online == 4);
  CHECK(nx.mode("MAXN") == nullptr);
  CHECK(nx.file.thermal->trips[0].temperature_c == 90.5);
  ThermalModel model(*nx.file.thermal);  // as its source claims, 15 W stays far below throttling, wherever it goes in
  for (const std::size_t node : {0u, 1u}) {
    model.set_power(node, 15);
    CHECK(model.steady_state_c(node) < 70);
    model.set_power(node, 0);
  }
  CHECK(model.time_constant_s(0) == Approx(120).epsilon(0.1));
}

TEST_CASE("platform: the Xavier NX has every mode of the vendor's file") {
  const Platform nx = Platform::load(kPlatforms / "jetson-xavier-nx.json");
  const Csv csv = Csv::load(kPlatforms / "raw" / "xavier_nx_nvpmodel.csv");
  CHECK(csv.size() == nx.file.modes.size());
  const auto value = [](const Named<double>& members, const std::string& name) {
    for (const auto& [key, x] : members)
      if (key == name) return x;
    return 0.0;
  };
  for (std::size_t i = 0; i < csv.size(); ++i) {
    INFO(csv.text(i, "name"));
    const ModeFile* mode = nx.mode(csv.text(i, "name"));
    REQUIRE(mode);
    CHECK(mode->id == csv.number(i, "id"));
    CHECK(mode->cores_online == csv.number(i, "cores_online"));
    for (const char* cluster : {"cpu0", "cpu2", "cpu4"}) {
      CHECK(value(mode->max_mhz, cluster) == Approx(csv.number(i, "cpu_max_khz") / 1e3));
      CHECK(value(mode->min_mhz, cluster) == Approx(csv.number(i, "cpu_min_khz") / 1e3));
    }
    CHECK(value(mode->max_mhz, "gpu") == Approx(csv.number(i, "gpu_max_hz") / 1e6));
    CHECK(value(mode->min_mhz, "gpu") == Approx(csv.number(i, "gpu_min_hz") / 1e6));
    CHECK(value(mode->max_mhz, "emc") == Approx(csv.number(i, "emc_max_hz") / 1e6));
  }
}

TEST_CASE("platform: power is interpolated between points and constant beyond them") {
  const Platform board = Platform::load(kPlatforms / "minimal.json");
  const auto cpu = static_cast<std::size_t>(board.unit_index("cpu"));
  CHECK(board.busy_w(cpu, 500) == 0.5);
  CHECK(board.busy_w(cpu, 750) == Approx(1.0));
  CHECK(board.busy_w(cpu, 1500) == Approx(3.75));
  CHECK(board.busy_w(cpu, 2000) == 6);
  CHECK(board.busy_w(cpu, 100) == 0.5);
  CHECK(board.busy_w(cpu, 9000) == 6);
  CHECK(board.idle_w(cpu, 1234) == Approx(0.1));
  CHECK(board.slow[0][1] == 1);
  CHECK(board.unit_index("npu") == -1);
  CHECK(board.domain_index("npu") == -1);
}

TEST_CASE("platform: contention pairs land in the matrix") {
  const std::string pair = R"("contention": [{"victim": "gpu", "aggressor": "cpu", "slowdown": 1.3,)"
                           R"( "provenance": "derived", "source": "example"}], "static_power_w": 1,)";
  const Platform board = from_text(changed("\"static_power_w\": 1,", pair));
  CHECK(board.slow[1][0] == 1.3);
  CHECK(board.slow[0][1] == 1);
}

TEST_CASE("platform: what does not hold together is refused where it stands") {
  const struct {
    const char *part, *replacement, *pointer, *complaint;
  } cases[] = {
      {"[500, 1000, 2000]", "[500, 2000, 1000]", "/domains/cpu/opps_mhz/2", "ascend"},
      {"[500, 1000, 2000]", "[500, 500, 1000]", "/domains/cpu/opps_mhz/1", "ascend"},
      {"[500, 1000, 2000]", "[]", "/domains/cpu/opps_mhz", "at least one clock"},
      {"[500, 1000, 2000]", "[-5]", "/domains/cpu/opps_mhz/0", "must be"},
      {"\"domains\": [\"cpu\"],", "\"domains\": [],", "/units/cpu/domains", "at least one frequency domain"},
      {"\"domains\": [\"cpu\"],", "\"domains\": [\"cpi\"],", "/units/cpu/domains/0", "did you mean \"cpu\""},
      {"\"domains\": [\"cpu\"],", "\"domains\": [\"cpu\", \"cpu\"],", "/units/cpu/domains/1", "twice"},
      {"\"host_domain\": \"cpu\"", "\"host_domain\": \"gpu\"", "/units/gpu/host_domain", "kind \"cpu\""},
      {"\"host_domain\": \"cpu\"", "\"memory_domain\": \"gpu\"", "/units/gpu/memory_domain", "kind \"memory\""},
      {"\"busy_w\": 1.5", "\"busy_w\": 0.05", "/units/cpu/power/1/busy_w", "less than an idle one"},
      {"{\"mhz\": 1000, \"idle_w\": 0.1", "{\"mhz\": 400, \"idle_w\": 0.1", "/units/cpu/power/1/mhz", "ascend"},
      {"\"discipline\": \"fair\"", "\"discipline\": \"fare\"", "/units/cpu/discipline", "did you mean \"fair\""},
      {"\"discipline\": \"fair\"", "\"discipline\": \"fifo\", \"slice_ms\": 1", "/units/cpu/slice_ms", "time slices"},
      {"\"discipline\": \"fair\"", "\"switch_us\": 5", "/units/cpu/switch_us", "slice length"},
      {"\"discipline\": \"fair\"", "\"preemptive\": true", "/units/cpu/preemptive", "priority and edf"},
      {"\"thermal_node\": \"board\"", "\"thermal_node\": \"boards\"", "/units/cpu/thermal_node",
       "did you mean \"board\""},
      {"\"to_ambient_w_per_k\": 0.5", "\"to_ambient_w_per_k\": 0", "/thermal/nodes/board",
       "no way to the surroundings"},
      {"\"node\": \"board\"", "\"node\": \"die\"", "/thermal/trips/0/node", "no such thermal node"},
      {"[\"cpu\", \"gpu\"]\n      }\n    ],", "[\"cpu\", \"npu\"]}],", "/thermal/trips/0/domains/1",
       "no such frequency domain"},
      {"\"static_node\": \"board\"", "\"static_node\": \"baord\"", "/thermal/static_node", "did you mean \"board\""},
      {"\"rails\": [\"VDD_IN\"]", "\"rails\": [\"VDD_ON\"]", "/sensors/meter/rails/0", "did you mean \"VDD_IN\""},
      {"\"averaging_ms\": 100", "\"averaging_ms\": 101", "/sensors/meter/averaging_ms", "longer than the period"},
      {"\"cores_online\": 2", "\"cores_online\": 5", "/modes/half/cores_online", "has 4 CPU cores"},
      {"{\"cpu\": 1000, \"gpu\": 500}", "{\"cpu\": 400}", "/modes/half/max_mhz/cpu", "lowest clock"},
      {"{\"cpu\": 1000, \"gpu\": 500}", "{\"cpv\": 400}", "/modes/half/max_mhz/cpv", "did you mean \"cpu\""},
      {"\"max_mhz\": {\"cpu\": 1000,", "\"min_mhz\": {\"cpu\": 1500}, \"max_mhz\": {\"cpu\": 1000,",
       "/modes/half/min_mhz/cpu", "no clock"},
      {"\"default_mode\": \"full\"", "\"default_mode\": \"fulll\"", "/default_mode", "did you mean \"full\""},
      {"\"static_power_w\": 1", "\"static_power_w\": -1", "/static_power_w", "must be"},
      {"\"static_power_w\"", "\"static_powr_w\"", "/static_powr_w", "did you mean \"static_power_w\""},
  };
  for (const auto& one : cases) {
    INFO(one.part << " -> " << one.replacement);
    const std::string message = refusal(changed(one.part, one.replacement));
    CHECK_THAT(message, StartsWith("board.json:"));
    CHECK_THAT(message, Contains(std::string(": ") + one.pointer + ": "));
    CHECK_THAT(message, Contains(one.complaint));
  }
}

TEST_CASE("platform: thermal islands and over-large networks are refused") {
  const std::string island =
      changed("\"to_ambient_w_per_k\": 0.5}", "\"to_ambient_w_per_k\": 0.5}, \"die\": {\"capacity_j_per_k\": 1}");
  CHECK_THAT(refusal(island), Contains("/thermal/nodes/die: no way"));
  std::string linked = island;
  linked.replace(linked.find("\"trips\""), 7,
                 "\"links\": [{\"a\": \"die\", \"b\": \"board\", \"conductance_w_per_k\": 1}], \"trips\"");
  CHECK(refusal(linked) == "(accepted)");
  std::string self = island;
  self.replace(self.find("\"trips\""), 7,
               "\"links\": [{\"a\": \"die\", \"b\": \"die\", \"conductance_w_per_k\": 1}], \"trips\"");
  CHECK_THAT(refusal(self), Contains("/thermal/links/0/b"));
  std::string many;
  for (int i = 0; i < 8; ++i)
    many += ", \"n" + std::to_string(i) + "\": {\"capacity_j_per_k\": 1, \"to_ambient_w_per_k\": 1}";
  CHECK_THAT(refusal(changed("\"to_ambient_w_per_k\": 0.5}", "\"to_ambient_w_per_k\": 0.5}" + many)),
             Contains("at most 8 thermal nodes"));
}

TEST_CASE("platform: a unit of its own cannot contend with itself, nor a pair stand twice") {
  const auto with = [&](const std::string& pairs) {
    return refusal(changed("\"static_power_w\": 1,", "\"contention\": [" + pairs + "], \"static_power_w\": 1,"));
  };
  const std::string tail = "\", \"slowdown\": 1.2, \"provenance\": \"derived\", \"source\": \"x\"}";
  const std::string pair = "{\"victim\": \"cpu\", \"aggressor\": \"gpu" + tail;
  CHECK_THAT(with("{\"victim\": \"cpu\", \"aggressor\": \"cpu" + tail), Contains("/contention/0/aggressor"));
  CHECK_THAT(with("{\"victim\": \"cpu\", \"aggressor\": \"gpv" + tail), Contains("did you mean \"gpu\""));
  CHECK_THAT(with(pair + ", " + pair), Contains("/contention/1/victim"));
}

TEST_CASE("platform: the file's name is the platform's name") {
  const auto path =
      std::filesystem::temp_directory_path() / ("dynasoc-not-minimal-" + std::to_string(::getpid()) + ".json");
  write_file(path, read_file(kPlatforms / "minimal.json"));
  CHECK_THROWS_WITH(Platform::load(path), Contains("/name: ") && Contains("dynasoc-not-minimal"));
  std::filesystem::remove(path);
  CHECK_THROWS_AS(Platform::load(path), InputError);
}

}  // namespace
}  // namespace dynasoc
