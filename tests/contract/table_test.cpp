// Tables, networks, the latency model and `fill`: what they accept, refuse, and promise.
#include "application/table.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include <catch2/catch.hpp>

#include "application/latency_model.hpp"
#include "application/network.hpp"
#include "application/scaling_fit.hpp"
#include "application/table_fill.hpp"
#include "common/text.hpp"
#include "device/platform.hpp"
#include "support/source_dir.hpp"
#include "support/temporary_folder.hpp"

using namespace dynasoc;
namespace fs = std::filesystem;

namespace {

using dynasoc::test::kRoot;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Table parse(const std::string& text) { return Table::from_csv(Csv::parse(text, "t.csv")); }

// The message of the InputError that `f` throws; empty if it throws none.
template <class F>
std::string complaint(F&& f) {
  try {
    f();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}
std::string refused(const std::string& text) {
  return complaint([&] { parse(text); });
}
using Catch::Contains;

const std::string kHead = "subnet,unit,latency_ms_mean,provenance,source\n";

Cell gpu_cell(const std::string& subnet, double f_gpu, double latency, Provenance provenance = Provenance::measured) {
  Cell cell;
  cell.subnet = subnet;
  cell.unit = "gpu";
  cell.at.f_gpu_mhz = f_gpu;
  cell.at.f_emc_mhz = 1600;
  cell.latency_ms_mean = latency;
  cell.provenance = provenance;
  cell.source = "test";
  return cell;
}
OperatingPoint at_gpu(double f_gpu) { return {kNaN, f_gpu, 1600, 0}; }

SoftRoofline half_fixed() {
  SoftRoofline s;
  s.fixed_ms = 0.5, s.unit_ms = 0.5, s.f_unit_mhz = 1000;
  s.source = "test";
  return s;
}

}  // namespace

TEST_CASE("a table survives being written and read again") {
  const std::string text =
      "subnet,unit,cores,f_cpu_mhz,f_gpu_mhz,f_emc_mhz,latency_ms_mean,latency_ms_std,n,latency_ms_p50,latency_ms_p90,"
      "latency_ms_p99,energy_mj,power_w,idle_power_w,provenance,source,energy_provenance,energy_source\n"
      "L1,gpu,,1420.8,1109.25,1600,41.159,,,,,,,,,measured,\"a, \"\"quoted\"\" source\",,\n"
      "L1,cpu,6,1420.8,,1600,502.1,3.25,100,501,510.5,530,1200.5,9.5,4,digitised,figure,measured,wall meter\n";
  const Table table = parse(text);
  CHECK(table.to_csv() == text);
  CHECK(table.cells[0].source == "a, \"quoted\" source");
  CHECK(table.cells[0].at.cores == 0);
  CHECK(std::isnan(table.cells[0].latency_ms_std));
  CHECK(table.cells[1].n == 100);
  CHECK(table.cells[1].provenance == Provenance::digitised);
  CHECK(table.cells[1].energy_provenance == Provenance::measured);
  CHECK(parse(table.to_csv()).to_csv() == text);
}

TEST_CASE("a table's errors say where and what") {
  CHECK_THAT(refused("subnet,unit,latency_ms,provenance,source\n"),
             Contains("latency_ms\"") && Contains("did you mean \"latency_ms_mean\""));
  CHECK_THAT(refused("subnet,unit,latency_ms_mean,provenance\nL1,gpu,1,measured\n"), Contains("\"source\" is missing"));
  CHECK_THAT(refused(kHead), Contains("no cells"));
  CHECK_THAT(refused(kHead + "L1,gpu,0,measured,x\n"), Contains("t.csv:2:8: latency_ms_mean") && Contains("above 0"));
  CHECK_THAT(refused(kHead + "L1,gpu,-4,measured,x\n"), Contains("t.csv:2:8"));
  CHECK_THAT(refused(kHead + "L1,gpu,inf,measured,x\n"), Contains("finite"));
  CHECK_THAT(refused(kHead + "L1,gpu,nan,measured,x\n"), Contains("finite"));
  CHECK_THAT(refused(kHead + "L1,gpu,12ms,measured,x\n"), Contains("not a number"));
  CHECK_THAT(refused(kHead + "L1,gpu,1,mesured,x\n"), Contains("did you mean \"measured\""));
  CHECK_THAT(refused(kHead + "L1,gpu,1,measured,\n"), Contains("source is empty"));
  CHECK_THAT(refused(kHead + ",gpu,1,measured,x\n"), Contains("not named"));
  CHECK_THAT(refused(kHead + "L1,gpu,1,measured,x\n\nL1,gpu,2,measured,x\n"),
             Contains("t.csv:4") && Contains("twice") && Contains("line 2"));
  CHECK_THAT(refused("subnet,unit,cores,latency_ms_mean,provenance,source\nL1,cpu,2.5,1,measured,x\n"),
             Contains("whole number"));
  CHECK_THAT(refused("subnet,unit,latency_ms_mean,provenance,source,energy_mj\nL1,cpu,1,measured,x,5\n"),
             Contains("energy_provenance"));
  CHECK_THAT(
      refused(
          "subnet,unit,latency_ms_mean,provenance,source,power_w,energy_provenance\nL1,cpu,1,measured,x,5,measured\n"),
      Contains("energy_source") && Contains("meter"));
  CHECK_THAT(complaint([] { Table::load("/nowhere/t.csv"); }), Contains("no such file"));
  // The same sub-network at another clock, or with another number of cores, is another cell.
  CHECK(refused("subnet,unit,cores,f_cpu_mhz,latency_ms_mean,provenance,source\nL1,cpu,4,1000,1,measured,x\n"
                "L1,cpu,6,1000,1,measured,x\nL1,cpu,6,1200,1,measured,x\nL1,cpu,6,,1,measured,x\n")
            .empty());
}

TEST_CASE("operating points match where both state a value") {
  const OperatingPoint a{1420.8, 1109.25, 1600, 6};
  CHECK(a.matches({kNaN, 1109.25, kNaN, 0}));
  CHECK(a.matches({1420.9, 1109.25, 1600, 6}));  // within a thousandth
  CHECK_FALSE(a.matches({1425, 1109.25, 1600, 6}));
  CHECK_FALSE(a.matches({1420.8, 1109.25, 1600, 4}));
  CHECK(a.text() == "6 cores, 1420.8 MHz CPU, 1109.25 MHz GPU, 1600 MHz EMC");
  CHECK(OperatingPoint{}.text() == "clocks not stated");
}

TEST_CASE("a network's file is refused where it does not hold together") {
  const test::TemporaryFolder scratch;
  const auto load = [&](const std::string& json) {
    std::ofstream(scratch.path() / "network.json") << json;
    return complaint([&] { Network::load(scratch.path() / "network.json"); });
  };
  const auto network = [](const std::string& subnets, const std::string& rest) {
    return R"({"name":"n","accuracy_metric":"m","subnets":)" + subnets +
           R"(,"switch_cost":{"time_ms":0,"provenance":"derived","source":"x"},"tables":{"t":{"file":"t.csv","platform":"p"}})" +
           rest + "}";
  };
  CHECK(load(network(R"([{"accuracy":70}])", "")).empty());
  CHECK_THAT(load(network("[]", "")), Contains("/subnets") && Contains("no sub-networks"));
  CHECK_THAT(load(network(R"([{"accuracy":170}])", "")), Contains("/subnets/0/accuracy"));
  CHECK_THAT(load(network(R"([{"acuracy":70}])", "")), Contains("did you mean \"accuracy\""));
  CHECK_THAT(load(network(R"([{"accuracy":70}])", R"(,"default_table":"tt")")),
             Contains("/default_table") && Contains("did you mean \"t\""));
  CHECK_THAT(
      load(network(R"([{"accuracy":70}])", R"(,"scaling":{"gpu":{"unit_ms":1,"provenance":"derived","source":"x"}})")),
      Contains("/scaling/gpu") && Contains("f_unit_mhz"));
  CHECK_THAT(load(network(R"([{"accuracy":70}])", R"(,"scaling":{"gpu":{"provenance":"derived","source":"x"}})")),
             Contains("no term"));
  CHECK_THAT(load(R"({"name":"n"})"), Contains("accuracy_metric"));

  load(network(R"([{"accuracy":70},{"accuracy":71}])", ""));
  const Network two = Network::load(scratch.path() / "network.json");
  CHECK(two.subnet_index("L1") == 0);
  CHECK(two.subnet_index("L2") == 1);
  for (const char* none : {"L0", "L3", "L", "L01", "1", "l1", "L1x", "L99999999999999999999", ""})
    CHECK(two.subnet_index(none) == -1);
  CHECK_THAT(complaint([&] { two.table("t"); }), Contains("no file \"t.csv\""));
  CHECK_THAT(complaint([&] { two.table("s"); }), Contains("no table \"s\""));
  std::ofstream(scratch.path() / "t.csv") << kHead + "L3,gpu,1,measured,x\n";
  CHECK_THAT(complaint([&] { two.table("t"); }), Contains("t.csv:2:1") && Contains("L1 to L2"));
}

TEST_CASE("every shipped network loads, with all its tables") {
  int networks = 0;
  for (const auto& entry : fs::directory_iterator(kRoot / "models")) {
    if (!entry.is_directory()) continue;
    INFO(entry.path().filename());
    if (!fs::exists(entry.path() / "network.json")) continue;
    const Network network = Network::load(entry.path() / "network.json");
    ++networks;
    const bool published = fs::exists(entry.path() / "raw");  // else invented, for examples
    CHECK(network.file.name == entry.path().filename().string());
    CHECK_FALSE(network.file.default_table.empty());
    double before = 0;
    for (const Subnet& subnet : network.file.subnets) {
      CHECK(subnet.accuracy >= before);  // the smallest first
      before = subnet.accuracy;
    }
    for (const auto& [name, reference] : network.file.tables) {
      INFO(name);
      const Table table = network.table(name);
      CHECK(fs::exists(kRoot / "platforms" / (reference.platform.text + ".json")));
      const Platform platform = Platform::load(kRoot / "platforms" / (reference.platform.text + ".json"));
      std::set<std::string> seen;
      for (const Cell& cell : table.cells) {
        seen.insert(cell.subnet);
        CHECK(platform.unit_index(cell.unit) >= 0);
        if (published && !name.ends_with("-filled"))
          CHECK(cell.provenance != Provenance::derived);  // it was observed; `fill` derives
      }
      CHECK(seen.size() == network.size());
    }
  }
  CHECK(networks >= 25);
}

TEST_CASE("the latency model gives a cell back exactly, with its provenance") {
  Table table;
  table.cells = {gpu_cell("L1", 1109.25, 43), gpu_cell("L1", 803.25, 49.5, Provenance::digitised),
                 gpu_cell("L2", 803.25, 77)};
  table.cells[0].latency_ms_std = 2;
  const LatencyModel model(table, nullptr, "gpu", "L1", UnitClock::accelerator);
  const Prediction a = model.predict(1109.25, at_gpu(kNaN)), b = model.predict(803.25, at_gpu(1109.25));
  CHECK(a.latency_ms == 43);
  CHECK(a.std_ms == 2);
  CHECK(a.cell == 0);
  CHECK(a.provenance == Provenance::measured);
  CHECK(b.latency_ms == 49.5);  // the unit's clock goes before that of the point
  CHECK(std::isnan(b.std_ms));
  CHECK(b.cell == 1);
  CHECK(b.provenance == Provenance::digitised);
  CHECK_FALSE(a.outside_range);

  const Prediction between = model.predict(956.25, at_gpu(956.25));
  const double slope = 6.5 / (1109.25 / 803.25 - 1);
  CHECK(between.latency_ms == Approx(43 - slope + slope * 1109.25 / 956.25));
  CHECK(between.std_ms == Approx(between.latency_ms * 2 / 43));
  CHECK(between.provenance == Provenance::derived);
  CHECK(between.cell == -1);
  CHECK_FALSE(between.outside_range);
  CHECK(model.predict(510, at_gpu(510)).outside_range);
  CHECK(model.predict(956.25, {kNaN, kNaN, 204, 0}).outside_range);
  CHECK_THAT(complaint([&] { LatencyModel(table, nullptr, "gpu", "L3", UnitClock::accelerator); }), Contains("L3"));
}

TEST_CASE("a single cell takes the level from itself and the shape from the network") {
  Table table;
  table.cells = {gpu_cell("L1", 800, 40)};
  const SoftRoofline scaling = half_fixed();
  const LatencyModel model(table, &scaling, "gpu", "L1", UnitClock::accelerator);
  const auto shape = [](double f) { return 0.5 + 0.5 * 1000 / f; };
  for (const double f : {100.0, 400.0, 1600.0})
    CHECK(model.predict(f, at_gpu(f)).latency_ms == Approx(40 * shape(f) / shape(800)));
  CHECK_THAT(model.shape_source(), Contains("the network's scaling"));

  const LatencyModel bare(table, nullptr, "gpu", "L1", UnitClock::accelerator);
  CHECK(bare.predict(400, at_gpu(400)).latency_ms == Approx(80));
  CHECK_THAT(bare.shape_source(), Contains("inversely proportional"));
}

TEST_CASE("the latency model passes through every cell without a jump") {
  // Cells that no shape explains: the residuals are interpolated.
  Table table;
  table.cells = {gpu_cell("L1", 1100, 40), gpu_cell("L1", 900, 52), gpu_cell("L1", 700, 55), gpu_cell("L1", 500, 90),
                 gpu_cell("L1", 300, 110)};
  const LatencyModel model(table, nullptr, "gpu", "L1", UnitClock::accelerator);
  for (const Cell& cell : table.cells)
    for (const double off : {1 - 1.01e-3, 1 + 1.01e-3}) {  // just where the cell itself ends
      const Prediction near = model.predict(cell.at.f_gpu_mhz * off, at_gpu(kNaN));
      CHECK(near.cell == -1);
      CHECK(near.latency_ms == Approx(cell.latency_ms_mean).epsilon(3e-3));
    }
  double before = model.predict(250, at_gpu(kNaN)).latency_ms;
  for (double f = 250; f < 1200; f *= 1.0005) {
    const double now = model.predict(f, at_gpu(kNaN)).latency_ms;
    CHECK(std::abs(now / before - 1) < 0.01);
    before = now;
  }
}

TEST_CASE("cells that state no clock answer at any, and say so") {
  Table table;
  table.cells = {gpu_cell("L1", kNaN, 57)};
  table.cells[0].at.f_emc_mhz = kNaN;
  const SoftRoofline scaling = half_fixed();
  const LatencyModel model(table, &scaling, "gpu", "L1", UnitClock::accelerator);
  const Prediction p = model.predict(400, at_gpu(400));
  CHECK(p.latency_ms == 57);
  CHECK(p.clock_unstated);
  CHECK_FALSE(p.outside_range);
}

TEST_CASE("derived cells answer for themselves and anchor nothing") {
  Table table;
  table.cells = {gpu_cell("L1", 1000, 50), gpu_cell("L1", 500, 999, Provenance::derived)};
  const SoftRoofline scaling = half_fixed();
  const LatencyModel model(table, &scaling, "gpu", "L1", UnitClock::accelerator);
  CHECK(model.predict(500, at_gpu(500)).latency_ms == 999);
  CHECK(model.predict(500, at_gpu(500)).provenance == Provenance::derived);
  CHECK(model.predict(500, at_gpu(500)).outside_range);
  CHECK(model.predict(750, at_gpu(750)).latency_ms == Approx(50 * (0.5 + 0.5 * 1000 / 750)));
}

TEST_CASE("what the cells do not vary follows the declared scaling") {
  Table table;
  for (const double f : {1400.0, 700.0}) {
    Cell cell = gpu_cell("L1", kNaN, f == 1400 ? 100 : 200);
    cell.unit = "cpu";
    cell.at = {f, kNaN, kNaN, 4};
    table.cells.push_back(cell);
  }
  SoftRoofline scaling;
  scaling.unit_ms = 1, scaling.f_unit_mhz = 1400, scaling.parallel_fraction = 0.8, scaling.cores = 6;
  const double share = (0.2 + 0.8 / 2) / (0.2 + 0.8 / 4);
  const LatencyModel declared(table, &scaling, "cpu", "L1", UnitClock::cpu);
  CHECK(declared.predict(1000, {1000, kNaN, kNaN, 2}).latency_ms == Approx(140 * share));
  CHECK(declared.predict(1000, {1000, kNaN, kNaN, 4}).latency_ms == Approx(140));
  CHECK(declared.predict(1000, {1000, kNaN, kNaN, 2}).outside_range);
  // Without a declaration, the platform's parallel fraction.
  const LatencyModel platform(table, nullptr, "cpu", "L1", UnitClock::cpu, 0.5);
  CHECK(platform.predict(1000, {1000, kNaN, kNaN, 2}).latency_ms == Approx(140 * 0.75 / 0.625));
}

TEST_CASE("power above idle follows the unit's curve from the cell that states it") {
  Table table;
  table.cells = {gpu_cell("L1", 1000, 50)};
  const auto curve = [](double mhz) { return mhz / 100; };
  CHECK(std::isnan(
      LatencyModel(table, nullptr, "gpu", "L1", UnitClock::accelerator).above_idle_w(500, at_gpu(500), curve)));
  table.cells[0].power_w = 16;
  table.cells[0].idle_power_w = 4;
  const LatencyModel model(table, nullptr, "gpu", "L1", UnitClock::accelerator);
  CHECK(model.has_power());
  CHECK(model.above_idle_w(1000, at_gpu(1000), curve) == 12);
  CHECK(model.above_idle_w(500, at_gpu(500), curve) == Approx(6));

  for (Cell& cell : table.cells) cell.at.cores = 8;  // and the cores that are online
  const LatencyModel cores(table, nullptr, "gpu", "L1", UnitClock::accelerator);
  CHECK(cores.above_idle_w(500, {kNaN, 500, 1600, 4}, curve) == Approx(3));
}

TEST_CASE("fill adds what the table lacks, marked derived, and leaves the rest alone") {
  const Platform platform = Platform::load(kRoot / "platforms" / "jetson-xavier-nx.json");
  const Network network = Network::load(kRoot / "models" / "dynamic-ofa-gpu" / "network.json");
  const Table table = network.table("search");
  const Table filled = fill_table(table, network, platform);
  const auto unit = static_cast<std::size_t>(platform.unit_index("gpu"));
  const auto& domain = platform.file.domains[static_cast<std::size_t>(platform.links[unit].domains[0])].second;
  CHECK(filled.cells.size() == network.size() * domain.opps_mhz.size());
  CHECK(parse(filled.to_csv()).to_csv() == filled.to_csv());
  for (std::size_t i = 0; i < filled.cells.size(); ++i) {
    const Cell& cell = filled.cells[i];
    INFO(cell.subnet << " " << cell.at.text());
    const double mhz = cell.at.f_gpu_mhz;
    if (i < table.cells.size()) {
      CHECK(cell.latency_ms_mean == table.cells[i].latency_ms_mean);
      CHECK(cell.provenance == Provenance::measured);
      CHECK(cell.source == table.cells[i].source);
    } else {
      CHECK(cell.provenance == Provenance::derived);
      CHECK_THAT(cell.source, Contains(cell.subnet + " gpu") && Contains("1109.25 MHz GPU") && Contains("scaling"));
    }
    CHECK(cell.energy_provenance == Provenance::derived);
    CHECK(cell.power_w - cell.idle_power_w ==
          Approx(platform.busy_w(unit, mhz) - platform.idle_w(unit, mhz)).margin(2e-6));
    CHECK(cell.energy_mj == Approx(cell.power_w * cell.latency_ms_mean));
    CHECK(cell.idle_power_w >= platform.file.static_power_w);
    // The interval: log-normal, as wide as the unit's power and the board's together.
    const double above_w = cell.power_w - cell.idle_power_w;
    const double log_sd = platform.file.units[unit].second.power_uncertainty->log_sd(mhz);
    const double share =
        std::hypot(above_w * std::sqrt(std::exp(log_sd * log_sd) - 1), platform.file.static_power_std_w) / cell.power_w;
    CHECK(std::log(cell.energy_mj_high / cell.energy_mj_low) ==
          Approx(2 * 1.96 * std::sqrt(std::log(1 + share * share))).epsilon(1e-6));
    CHECK(cell.energy_mj_low * cell.energy_mj_high ==
          Approx(cell.energy_mj * cell.energy_mj / (1 + share * share)).epsilon(1e-6));
  }
  // Filling again changes nothing.
  CHECK(fill_table(filled, network, platform).to_csv() == filled.to_csv());
  // Latency falls as the clock rises.
  for (const Cell& a : filled.cells)
    for (const Cell& b : filled.cells)
      if (a.subnet == b.subnet && a.at.f_gpu_mhz < b.at.f_gpu_mhz) CHECK(a.latency_ms_mean > b.latency_ms_mean);
}

TEST_CASE("fill scales measured power by the unit's curve") {
  const Platform platform = Platform::load(kRoot / "platforms" / "jetson-agx-xavier.json");
  const Network network = Network::load(kRoot / "models" / "mobilenet-v3-agx-tflite" / "network.json");
  const Table table = network.table("tflite-2.7.1");
  const auto unit = static_cast<std::size_t>(platform.unit_index("cpu"));
  const auto curve = [&](double mhz) { return platform.busy_w(unit, mhz) - platform.idle_w(unit, mhz); };
  int derived = 0;
  for (const Cell& cell : fill_table(table, network, platform).cells) {
    if (cell.provenance != Provenance::derived) {
      CHECK(cell.energy_provenance == Provenance::measured);
      CHECK(std::isnan(cell.energy_mj_low));
      CHECK(std::isnan(cell.energy_mj_high));
      continue;
    }
    ++derived;
    const Cell& origin = table.cells[static_cast<std::size_t>(network.subnet_index(cell.subnet))];
    CHECK(cell.power_w - cell.idle_power_w ==
          Approx((origin.power_w - origin.idle_power_w) * curve(cell.at.f_cpu_mhz) / curve(origin.at.f_cpu_mhz))
              .margin(2e-6));
    CHECK(cell.energy_provenance == Provenance::derived);
    // Scaled from a measured cell: only the tilt between the clocks is uncertain, and the board's static power.
    const PowerUncertainty& stated = *platform.file.units[unit].second.power_uncertainty;
    const double log_sd = stated.tilt * std::log(origin.at.f_cpu_mhz / cell.at.f_cpu_mhz);
    const double share = std::hypot((cell.power_w - cell.idle_power_w) * std::sqrt(std::expm1(log_sd * log_sd)),
                                    platform.file.static_power_std_w) /
                         cell.power_w;
    CHECK(std::log(cell.energy_mj_high / cell.energy_mj_low) ==
          Approx(2 * 1.96 * std::sqrt(std::log(1 + share * share))).epsilon(1e-5));
  }
  CHECK(derived > 100);
}

TEST_CASE("fill refuses what it cannot tell") {
  const Platform nx = Platform::load(kRoot / "platforms" / "jetson-xavier-nx.json");
  const Network hat = Network::load(kRoot / "models" / "hat-transformer-wmt14-en-de-titan-xp" / "network.json");
  CHECK_THAT(complaint([&] { fill_table(hat.table("hat"), hat, nx); }), Contains("no clock"));
  Table table;
  table.cells = {gpu_cell("L1", 1000, 50)};
  table.cells[0].unit = "gpuu";
  CHECK_THAT(complaint([&] { fill_table(table, hat, nx); }), Contains("did you mean \"gpu\""));
}

TEST_CASE("a prediction interval is read, written and checked") {
  const std::string head = "subnet,unit,latency_ms_mean,provenance,source,latency_ms_low,latency_ms_high\n";
  const Table table = parse(head + "L1,gpu,10,derived,x,9,12\nL2,gpu,20,measured,x,,\n");
  CHECK(table.cells[0].latency_ms_low == 9);
  CHECK(table.cells[0].latency_ms_high == 12);
  CHECK(std::isnan(table.cells[1].latency_ms_low));
  CHECK(parse(table.to_csv()).to_csv() == table.to_csv());
  CHECK(parse(kHead + "L1,gpu,10,measured,x\n").to_csv().find("latency_ms_low") == std::string::npos);
  CHECK_THAT(refused(head + "L1,gpu,10,derived,x,9,\n"), Contains("latency_ms_high") && Contains("missing"));
  CHECK_THAT(refused(head + "L1,gpu,10,derived,x,11,12\n"), Contains("latency_ms_low") && Contains("10 ms"));
  CHECK_THAT(refused(head + "L1,gpu,10,derived,x,8,9\n"), Contains("latency_ms_high"));
}

TEST_CASE("a predicted latency has an interval, an observed one has none") {
  Table table;
  table.cells = {gpu_cell("L1", 1000, 40)};
  const LatencyModel single(table, nullptr, "gpu", "L1", UnitClock::accelerator);
  CHECK(std::isnan(single.predict(1000, at_gpu(1000)).low_ms));
  // One cell: from a latency that no clock changes to one that follows it.
  CHECK(single.predict(500, at_gpu(500)).low_ms == Approx(40));
  CHECK(single.predict(500, at_gpu(500)).high_ms == Approx(80));
  CHECK(single.predict(2000, at_gpu(2000)).low_ms == Approx(20));
  CHECK(single.predict(2000, at_gpu(2000)).high_ms == Approx(40));
  // Two: both bounds hold.
  table.cells.push_back(gpu_cell("L1", 500, 60));
  const Prediction between =
      LatencyModel(table, nullptr, "gpu", "L1", UnitClock::accelerator).predict(800, at_gpu(800));
  CHECK(between.low_ms == Approx(40));
  CHECK(between.high_ms == Approx(50));  // 40·1000/800; 60 from the other
  // Many: the fit's own, and a noisier table has a wider one.
  const auto width = [](double noise) {
    Table many;
    int i = 0;
    for (const double f : {1100.0, 900.0, 800.0, 700.0, 600.0, 500.0, 400.0, 300.0})
      many.cells.push_back(gpu_cell("L1", f, (10 + 30 * 1000 / f) * (1 + noise * (i++ % 2 ? 1 : -1))));
    const Prediction p = LatencyModel(many, nullptr, "gpu", "L1", UnitClock::accelerator).predict(650, at_gpu(650));
    CHECK(p.low_ms < p.latency_ms);
    CHECK(p.high_ms > p.latency_ms);
    return std::log(p.high_ms / p.low_ms);
  };
  CHECK(width(0.02) > 3 * width(0.005));
}
