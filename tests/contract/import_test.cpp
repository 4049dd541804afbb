// Importers, and the `dynasoc table` command: every shipped table is what its README says makes it.
#include "application/import.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

#include "application/network.hpp"
#include "application/table.hpp"
#include "common/text.hpp"
#include "support/program.hpp"
#include "support/source_dir.hpp"
#include "support/temporary_folder.hpp"

using namespace dynasoc;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

using dynasoc::test::kRoot;
const fs::path kModels = kRoot / "models";

template <class F>
std::string complaint(F&& f) {
  try {
    f();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

// The lines of a README that are commands.
std::vector<std::string> commands_of(const fs::path& readme) {
  std::vector<std::string> commands;
  std::istringstream lines(read_file(readme));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("dynasoc table import ") || line.starts_with("dynasoc table fill "))
      commands.push_back(line.substr(8));
  return commands;
}

// Runs each command with its output sent elsewhere, and compares. Returns how many files it made.
int compare_with_commands(const fs::path& readme, const fs::path& folder) {
  const test::TemporaryFolder scratch;
  int made = 0;
  for (const std::string& command : commands_of(readme)) {
    INFO(folder << ": " << command);
    const std::size_t at = command.rfind(" -o ");
    REQUIRE(at != std::string::npos);
    const std::string name = command.substr(at + 4);
    const fs::path target = scratch.path() / ("made_" + name);
    const test::Result result = test::dynasoc_in(folder, command.substr(0, at) + " -o '" + target.string() + "'");
    INFO(result.err);
    REQUIRE(result.status == 0);
    CHECK(read_file(target) == read_file(folder / name));
    ++made;
  }
  return made;
}

Csv csv(const std::string& text) { return Csv::parse(text, "in.csv"); }

}  // namespace

TEST_CASE("every shipped table is what the commands in its README make, byte for byte") {
  int folders = 0;
  for (const auto& entry : fs::directory_iterator(kModels)) {
    if (!fs::exists(entry.path() / "raw" / "README.md")) continue;  // invented, for examples
    INFO(entry.path());
    ++folders;
    int tables = 0;
    for (const auto& file : fs::directory_iterator(entry.path()))
      tables += file.path().extension() == ".csv" && file.path().filename() != "blocks.csv";
    CHECK(compare_with_commands(entry.path() / "raw" / "README.md", entry.path()) == tables);
  }
  CHECK(folders >= 27);
}

TEST_CASE("every shipped trace is what the commands in its README make, byte for byte") {
  int traces = 0;
  for (const auto& file : fs::directory_iterator(kRoot / "traces")) traces += file.path().extension() == ".csv";
  CHECK(compare_with_commands(kRoot / "traces" / "README.md", kRoot / "traces") == traces);
}

TEST_CASE("accuracies of the shipped networks are those of the published rows") {
  const auto check = [](const std::string& name, const ImportedTable& imported) {
    INFO(name);
    const Network network = Network::load(kModels / name / "network.json");
    REQUIRE(network.size() == imported.accuracy.size());
    for (std::size_t i = 0; i < network.size(); ++i) CHECK(network.file.subnets[i].accuracy == imported.accuracy[i]);
  };
  const auto raw = [](const std::string& name, const char* file) { return Csv::load(kModels / name / "raw" / file); };
  check("dynamic-ofa-gpu",
        import_dynamic_ofa_levels(raw("dynamic-ofa-gpu", "dynamic_ofa_levels.csv"), "gpu", LatencyColumn::search));
  check("dynamic-ofa-gpu-fig3",
        import_figure_points(raw("dynamic-ofa-gpu-fig3", "fig3_points.csv"), "Optimal networks;Sub-optimal networks"));
  check("dynamic-ofa-cpu",
        import_dynamic_ofa_levels(raw("dynamic-ofa-cpu", "dynamic_ofa_levels.csv"), "cpu", LatencyColumn::figure));
  check("dynamic-ofa-gpu-nets7",
        import_dynamic_ofa_subnets(raw("dynamic-ofa-gpu-nets7", "subnets_summary.csv"), "nets_7"));
  for (const auto& [name, series] : std::map<std::string, std::string>{{"autoslim-mnasnet", "AutoSlim MnasNet"},
                                                                       {"us-slimmable-mbv1", "US-Slimmable MBv1"},
                                                                       {"us-slimmable-mbv2", "US-Slimmable MBv2"},
                                                                       {"slimmable-mbv1", "Slimmable MBv1"},
                                                                       {"mutualnet-mbv1", "MutualNet MBv1"},
                                                                       {"mutualnet-mbv2", "MutualNet MBv2"},
                                                                       {"ofa-static", "OFA"}})
    check(name, import_figure_points(raw(name, "fig4_points.csv"), series));
  for (const char* family : {"mobilenet-v1-agx-", "mobilenet-v2-agx-", "mobilenet-v3-agx-"}) {
    const std::string tflite = std::string(family) + "tflite", armnn = std::string(family) + "armnn";
    check(tflite,
          import_mlperf_power(raw(tflite, "mlperf_runs.csv"), raw(tflite, "accuracy.csv"), "tflite-v2.7.1-ruy"));
    check(armnn, import_mlperf_power(raw(armnn, "mlperf_runs.csv"), raw(armnn, "accuracy.csv"), "armnn-v21.11-neon"));
  }
  check("hat-transformer-wmt14-en-de-raspberry-pi-4",
        import_hat(raw("hat-transformer-wmt14-en-de-raspberry-pi-4", "subtransformers.csv"), "WMT14 En-De",
                   "Raspberry Pi ARM Cortex-A72 CPU"));
}

TEST_CASE("the released sub-networks keep their published numbers") {
  const Network network = Network::load(kModels / "dynamic-ofa-gpu" / "network.json");
  CHECK(network.file.default_table.text == "search");
  const Table search = network.table("search"), figure = network.table("fig4");
  const std::array<double, 6> recorded = {41.159, 45.421, 49.436, 51.079, 56.747, 61.735};
  const std::array<double, 6> drawn = {48.77, 53.00, 58.79, 62.11, 71.53, 79.56};
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(search.cells[i].latency_ms_mean == recorded[i]);
    CHECK(search.cells[i].provenance == Provenance::measured);
    CHECK_THAT(search.cells[i].source, Contains("clocks not published"));
    CHECK(search.cells[i].at.f_gpu_mhz == 1109.25);
    CHECK(figure.cells[i].latency_ms_mean == drawn[i]);
    CHECK(figure.cells[i].provenance == Provenance::digitised);
  }
  CHECK(network.file.subnets[3].config.value["resolution"] == 208);
  CHECK(network.file.switch_cost.time_ms == 550);
  CHECK(network.file.switch_cost.provenance == Provenance::digitised);
}

TEST_CASE("points of two figures become one sub-network where their accuracies agree") {
  const std::string head = "figure,series,x,y,unit_x,unit_y,uncertainty_x,uncertainty_y,note\n";
  const ImportedTable t =
      import_figure_points(csv(head + "Fig4_a.png,Net [1] (dynamic),100,71.304,ms,%,0.014,0.005,\n"
                                      "Fig4_a.png,Net [1] (dynamic),90,71.296,ms,%,0.014,0.005,\n"
                                      "Fig4_a.png,Net [1] (dynamic),50,60.503,ms,%,0.014,0.005,partly hidden\n"
                                      "Fig4_b.png,Net [1] (dynamic),1.25,71.298,s,%,0.0002,0.004,\n"
                                      "Fig4_b.png,Net [1] (dynamic),0.5,60.6,s,%,0.0002,0.004,\n"
                                      "Fig4_b.png,Other [2] (static),0.5,60.5,s,%,0.0002,0.004,\n"),
                           "Net");
  CHECK(t.accuracy == std::vector<double>{60.5, 60.6, 71.3, 71.3});
  REQUIRE(t.table.cells.size() == 5);
  CHECK(t.table.cells[0].latency_ms_mean == 50);
  CHECK_THAT(t.table.cells[0].source, Contains("partly hidden"));
  CHECK(t.table.cells[1].unit == "cpu");
  CHECK(t.table.cells[1].latency_ms_mean == 500);
  CHECK((t.table.cells[2].subnet == "L3" && t.table.cells[2].latency_ms_mean == 90));
  CHECK(
      (t.table.cells[3].subnet == "L3" && t.table.cells[3].unit == "cpu" && t.table.cells[3].latency_ms_mean == 1250));
  CHECK((t.table.cells[4].subnet == "L4" && t.table.cells[4].latency_ms_mean == 100));
  CHECK_THAT(complaint([&] { import_figure_points(csv(head + "Fig4_a.png,Net [1],1,2,ms,%,,,\n"), "Nett"); }),
             Contains("did you mean \"Net\""));
  CHECK_THAT(complaint([&] { import_figure_points(csv(head + "Fig4_a.png,Net [1],1,2,h,%,,,\n"), "Net"); }),
             Contains("ms or s"));
}

TEST_CASE("a phone's rows in a board's block table are not called measured") {
  const Csv raw = Csv::load(kModels / "once-for-all-mbv3" / "raw" / "lut_xavier_nx_gpu.csv");
  const Csv blocks = Csv::load(kModels / "once-for-all-mbv3" / "jetson-xavier-nx.gpu.blocks.csv");
  REQUIRE(blocks.size() == raw.size());
  int phone = 0;
  for (std::size_t row = 0; row < raw.size(); ++row) {
    const bool note10 = raw.text(row, "flag").starts_with("note10");
    phone += note10;
    CHECK(blocks.text(row, "provenance") == (note10 ? "derived" : "measured"));
    CHECK(blocks.text(row, "flags") == raw.text(row, "flag"));
    CHECK(blocks.text(row, "latency_ms_mean") == raw.text(row, "mean_ms"));
  }
  CHECK(phone == 102);
}

TEST_CASE("a recorded trace keeps every sample and says what each is worth") {
  const Csv log =
      csv("session,segment,level_0based,index,t_start,t_offset_est_s,latency_ms,is_first_inference\n"
          "s,0,4,0,1,0,5000,1\ns,0,4,1,1,5,60,0\ns,0,4,2,1,5,80,0\ns,0,4,3,1,5,70,0\nother,0,1,0,1,0,1,1\ns,1,3,0,9,0,"
          "6000,1\ns,1,3,1,9,6,50,0\n");
  CHECK(import_latency_log(log, "s", true) ==
        "subnet,latency_ms,ratio,first,source\n"
        "L5,5000,71.428571,1,UoS-EEC/DynamicOFA@349461f s segment 0\nL5,60,0.857143,0,UoS-EEC/DynamicOFA@349461f s "
        "segment 0\n"
        "L5,80,1.142857,0,UoS-EEC/DynamicOFA@349461f s segment 0\nL5,70,1,0,UoS-EEC/DynamicOFA@349461f s segment 0\n"
        "L4,6000,120,1,UoS-EEC/DynamicOFA@349461f s segment 1\nL4,50,1,0,UoS-EEC/DynamicOFA@349461f s segment 1\n");
  CHECK(Csv::parse(import_latency_log(log, "s", false), "t").size() == 4);
  CHECK_THAT(complaint([&] { import_latency_log(log, "othr", true); }), Contains("did you mean \"other\""));
  CHECK_THAT(complaint([&] { import_latency_log(log, "other", true); }), Contains("no inference but the first"));
}

TEST_CASE("a user's samples become cells with means, deviations and percentiles") {
  std::string text = "subnet,unit,f_gpu_mhz,latency_ms,power_w,idle_power_w\n";
  text += "L1,gpu,1109.25,900,10,4\n";  // cold
  for (int i = 1; i <= 5; ++i) text += "L1,gpu,1109.25," + std::to_string(10 * i) + ",10,4\n";
  text += "L1,gpu,803.25,70,8,4\nL1,gpu,803.25,60,8,4\n";
  std::vector<std::string> warnings;
  const Table table = import_samples(csv(text), 1, "my board", "VDD_IN", &warnings);
  REQUIRE(table.cells.size() == 2);
  const Cell& a = table.cells[0];
  CHECK(a.latency_ms_mean == 30);
  CHECK(a.latency_ms_std == Approx(std::sqrt(250.0)));
  CHECK(a.n == 5);
  CHECK(a.latency_ms_p50 == 30);
  CHECK(a.latency_ms_p90 == Approx(46));
  CHECK(a.latency_ms_p99 == Approx(49.6));
  CHECK(a.energy_mj == 300);
  CHECK(a.power_w == 10);
  CHECK(a.idle_power_w == 4);
  CHECK(a.provenance == Provenance::measured);
  CHECK(a.source == "my board");
  CHECK_THAT(a.energy_source, Contains("VDD_IN") && Contains("power x latency"));
  CHECK(std::isnan(table.cells[1].latency_ms_std));  // one sample has no deviation
  CHECK_THAT(warnings,
             Catch::VectorContains(std::string("L1 on gpu (803.25 MHz GPU): samples: 1; 30 or more are advisable")));
  // What the importer writes, a table reads.
  CHECK(Table::from_csv(Csv::parse(table.to_csv(), "t")).to_csv() == table.to_csv());

  warnings.clear();
  import_samples(csv(text), 0, "my board", "VDD_IN", &warnings);
  REQUIRE_FALSE(warnings.empty());
  CHECK_THAT(warnings[0], Contains("first inference") && Contains("--skip"));
}

TEST_CASE("samples that make no table are refused") {
  const std::string head = "subnet,unit,latency_ms\n";
  CHECK_THAT(complaint([&] { import_samples(csv(head + "L1,gpu,1\nL1,gpu,2\n"), 2, "b", ""); }),
             Contains("2 rows") && Contains("in.csv:2"));
  CHECK_THAT(complaint([&] { import_samples(csv(head + "L1,gpu,1\n"), 0, "", ""); }), Contains("--source"));
  CHECK_THAT(complaint([&] { import_samples(csv(head + "L1,gpu,-1\n"), 0, "b", ""); }),
             Contains("in.csv:2:8: latency_ms"));
  CHECK_THAT(complaint([&] { import_samples(csv(head), 0, "b", ""); }), Contains("no samples"));
  CHECK_THAT(complaint([&] { import_samples(csv("subnet,unit,latency\nL1,gpu,1\n"), 0, "b", ""); }),
             Contains("did you mean \"latency_ms\""));
  CHECK_THAT(complaint([&] { import_samples(csv("subnet,unit,latency_ms,energy_mj\nL1,gpu,1,5\n"), 0, "b", ""); }),
             Contains("--meter"));
  CHECK_THAT(
      complaint([&] { import_samples(csv("subnet,unit,latency_ms,energy_mj\nL1,gpu,1,5\nL1,gpu,1,\n"), 0, "b", "m"); }),
      Contains("in.csv:3:10: energy_mj"));
}

TEST_CASE("a workload without an accuracy, or without a run, is refused") {
  const Csv runs = Csv::load(kModels / "resnet50-agx" / "raw" / "mlperf_runs.csv");
  CHECK_THAT(complaint([&] {
               import_mlperf_power(runs, csv("workload,accuracy,source\nresnet5,76,x\n"), "tflite-v2.5.0-ruy");
             }),
             Contains("did you mean \"resnet5\""));
  CHECK_THAT(complaint([&] {
               import_mlperf_power(runs, csv("workload,accuracy,source\nresnet50,76,x\nmobilenet,70,x\n"),
                                   "tflite-v2.5.0-ruy");
             }),
             Contains("\"mobilenet\"") && Contains("no row"));
  CHECK_THAT(complaint([&] {
               import_mlperf_power(runs, csv("workload,accuracy,source\nresnet50,76,x\n"), "tflite-v2.5.1-ruy");
             }),
             Contains("did you mean \"tflite-v2.5.0-ruy\""));
  const ImportedTable t =
      import_mlperf_power(runs, csv("workload,accuracy,source\nresnet50,76,x\n"), "tflite-v2.5.0-ruy");
  REQUIRE(t.table.cells.size() == 5);
  for (const Cell& cell : t.table.cells) {
    CHECK(cell.energy_provenance == Provenance::measured);
    CHECK(cell.energy_mj == Approx(cell.power_w * cell.latency_ms_mean).epsilon(0.01));  // measured together
    CHECK(cell.idle_power_w < cell.power_w);
  }
}

TEST_CASE("dynasoc table: usage, errors and their status") {
  const test::TemporaryFolder scratch;
  const fs::path folder = kModels / "dynamic-ofa-gpu";
  for (const char* help :
       {"table --help", "table import --help", "table show --help", "table fit --help", "table fill --help"}) {
    const test::Result result = test::dynasoc_in(folder, help);
    INFO(help);
    CHECK(result.status == 0);
    CHECK_THAT(result.out, Contains("dynasoc table"));
    CHECK(result.err.empty());
  }
  const auto refused = [&](const std::string& arguments, const std::string& what) {
    const test::Result result = test::dynasoc_in(folder, arguments);
    INFO(arguments);
    CHECK(result.status == 2);
    CHECK(result.out.empty());
    CHECK_THAT(result.err, Contains(what));
  };
  refused("table", "which subcommand");
  refused("table shwo", "did you mean \"show\"");
  refused("table import", "which form");
  refused("table import sampels x.csv", "did you mean \"samples\"");
  refused("table import samples nowhere.csv --source x", "no such file");
  refused("table import samples raw/dynamic_ofa_levels.csv", "needs --source");
  refused("table import motivation raw/dynamic_ofa_levels.csv --skip 3", "no option --skip");
  refused("table import motivation a.csv b.csv", "1 file");
  refused("table show", "which file");
  refused("table show dynamic-ofa-gp", "did you mean \"dynamic-ofa-gpu\"");
  refused("table show dynamic-ofa-gpu --table serch", "did you mean \"search\"");
  refused("table show dynamic-ofa-gpu --unit gpuu", "did you mean \"gpu\"");
  refused("table show dynamic-ofa-gpu --jsn", "did you mean \"--json\"");
  refused("table fit nowhere.csv", "no such file");
  refused("table fit jetson-xavier-nx.fig4.csv --p 0.5", "from 1 to 64");
  refused("table fill dynamic-ofa-gpu", "--platform");
  refused("table fill dynamic-ofa-gpu --platform jetson-xavier-n", "did you mean \"jetson-xavier-nx\"");
  refused("table fill dynamic-ofa-gpu --platform jetson-agx-xavier", "is of jetson-xavier-nx");
}

TEST_CASE("dynasoc table replaces no file unasked, and writes nothing on error") {
  const test::TemporaryFolder scratch;
  const std::string out = (scratch.path() / "t.csv").string();
  const fs::path folder = kModels / "motivation-dnn";
  const std::string import = "table import motivation raw/motivation_bars.csv -o '" + out + "'";
  CHECK(test::dynasoc_in(folder, import).status == 0);
  const std::string content = read_file(out);
  std::ofstream(out) << "mine\n";
  const test::Result again = test::dynasoc_in(folder, import);
  CHECK(again.status == 2);
  CHECK_THAT(again.err, Contains("--force"));
  CHECK(read_file(out) == "mine\n");
  CHECK(test::dynasoc_in(folder, import + " --force").status == 0);
  CHECK(read_file(out) == content);
  CHECK(test::dynasoc_in(folder, "table import motivation raw/README.md -o '" + out + ".2'").status == 2);
  CHECK_FALSE(fs::exists(out + ".2"));
  CHECK(test::dynasoc_in(folder, "table import motivation raw/motivation_bars.csv").out ==
        content);  // without -o: to the terminal
}

TEST_CASE("dynasoc table show and fit say the same to people and to programs") {
  const fs::path folder = kModels / "dynamic-ofa-gpu";
  const test::Result text = test::dynasoc_in(folder, "table show dynamic-ofa-gpu"),
                     json = test::dynasoc_in(folder, "table show . --json");
  CHECK_THAT(text.out, Contains("41.16 m") && Contains("6 cells of 6 sub-networks") && Contains("6 measured"));
  const Json shown = Json::parse(json.out);
  CHECK(shown["cells"].size() == 6);
  CHECK(shown["cells"][0]["accuracy"] == 74.202);
  CHECK(shown["summary"]["provenance"]["measured"] == 6);

  const test::Result fit = test::dynasoc_in(kModels / "frequency-grids", "table fit jetson-orin-nano.grid.csv --json");
  REQUIRE(fit.status == 0);
  const Json group = Json::parse(fit.out)["groups"]["MobileNetV2-12 ONNXRuntime-CUDA gpu"];
  CHECK(group["n"] == 24);
  CHECK(group["mape"].get<double>() < group["cv_mape"].get<double>());
  CHECK(group["cv_mape"].get<double>() < 0.03);
  CHECK(group["coefficients"]["p"].get<double>() > 1);
  CHECK_THAT(test::dynasoc_in(kModels / "frequency-grids", "table fit jetson-orin-nano.grid.csv").out,
             Contains("cannot tell host_ms"));
  // Two points leave nothing to validate with: null, not a number.
  const Json two =
      Json::parse(test::dynasoc_in(kModels / "motivation-dnn", "table fit jetson-xavier-nx.motivation.csv --json").out);
  CHECK(two["groups"]["L1 gpu"]["cv_mape"].is_null());
}

TEST_CASE("dynasoc table fill writes a table that show can read") {
  const test::TemporaryFolder scratch;
  const std::string out = (scratch.path() / "filled.csv").string();
  CHECK(test::dynasoc_in(kRoot,
                         "table fill models/dynamic-ofa-cpu/network.json --table fig4 --platform "
                         "platforms/jetson-xavier-nx.json -o '" +
                             out + "'")
            .status == 0);
  const test::Result shown = test::dynasoc_in(kRoot, "table show '" + out + "'");
  CHECK_THAT(shown.out, Contains("7 digitised (d), 168 derived (*)"));
}

TEST_CASE("a table is drawn, or it is said why not") {
  const test::TemporaryFolder scratch;
  const auto run = [&](const std::string& file) {
    return test::dynasoc_in(kRoot,
                            "table show models/example/minimal.csv --plot '" + (scratch.path() / file).string() + "'");
  };
  const test::Result drawn = run("a.png");
  if (drawn.status == 3) {
    CHECK_THAT(drawn.err, Contains("needs gnuplot"));  // nothing here can draw
  } else {
    CHECK(drawn.status == 0);
    CHECK(read_file(scratch.path() / "a.png").substr(1, 3) == "PNG");
    CHECK(run("a.svg").status == 0);
    CHECK_THAT(read_file(scratch.path() / "a.svg"), Contains("<svg") && Contains("derived"));
  }
  CHECK(run("a.jpg").status == 2);
  CHECK_THAT(run("a.jpg").err, Contains(".png or .svg"));
}
