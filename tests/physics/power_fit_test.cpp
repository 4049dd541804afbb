// Power points: the fits recover what is known, and the committed boards hold what their recipes compute.
#include "device/power_fit.hpp"

#include <unistd.h>

#include <cmath>
#include <filesystem>

#include <catch2/catch.hpp>

#include "common/text.hpp"
#include "support/source_dir.hpp"

namespace dynasoc {
namespace {

const std::filesystem::path kFitRaw = test::kRoot / "platforms" / "raw";
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

RelativeShape hand_shape() {
  // Two runs, floor 100 mW: (P - 100) / f = 1, 1.2, 2 and 2, 2.8, 5 -> relative 1, 1.2, 2 and 1, 1.4, 2.5.
  return RelativeShape({{{{100, 200}, {200, 340}, {400, 900}}}, {{{100, 300}, {200, 660}, {400, 2100}}}}, 100);
}

std::vector<RelativeShape::Run> tx2_runs() {
  std::vector<RelativeShape::Run> runs;
  for (const auto& [file, column] : {std::pair{"tx2_vgg19_gpu_clock_sweep.csv", "active_VDD_SYS_GPU_mw"},
                                     std::pair{"tx2_second_gpu_clock_sweep.csv", "VDD_SYS_GPU"}}) {
    const Csv csv = Csv::load(kFitRaw / file);
    RelativeShape::Run run;
    for (std::size_t i = 0; i < csv.size(); ++i)
      run.mhz_and_mw.emplace_back(csv.number(i, "gpu_mhz"), csv.number(i, column));
    runs.push_back(run);
  }
  return runs;
}

TEST_CASE("power fit: the relative shape is the mean of normalised runs") {
  const RelativeShape shape = hand_shape();
  CHECK(shape.at(100) == Approx(1));
  CHECK(shape.at(200) == Approx(1.3));
  CHECK(shape.at(400) == Approx(2.25));
  CHECK(shape.at(300) == Approx(1.775));
  CHECK(shape.at(50) == Approx(1));                                 // held below
  CHECK(shape.at(500) == Approx(2.25 + (2.25 - 1.3) / 200 * 100));  // continued above
  CHECK_THROWS_AS(RelativeShape({{{{100, 200}, {200, 340}}}, {{{100, 200}, {300, 340}}}}, 0), InputError);
  CHECK_THROWS_AS(RelativeShape({{{{100, 200}, {200, 340}}}}, 250), InputError);
}

TEST_CASE("power fit: the TX2's shape has the published relative values") {
  const RelativeShape shape(tx2_runs(), 180);
  CHECK(shape.at(114.75) == Approx(1.0).epsilon(1e-3));
  CHECK(shape.at(522.75) == Approx((1.125 + 1.128) / 2).epsilon(1e-3));
  CHECK(shape.at(854.25) == Approx((1.244 + 1.240) / 2).epsilon(1e-3));
  CHECK(shape.at(1032.75) == Approx((1.426 + 1.369) / 2).epsilon(1e-3));
  CHECK(shape.at(1300.5) == Approx((1.896 + 1.819) / 2).epsilon(1e-3));
}

TEST_CASE("power fit: k is recovered, and its error is that of a regression through the origin") {
  const RelativeShape shape = hand_shape();
  std::vector<PowerRow> rows;
  for (const double mhz : {100.0, 150.0, 250.0, 400.0})
    rows.push_back({mhz < 200 ? "a" : "b", mhz, 0, 0.004 * mhz * shape.at(mhz), kNan, kNan});
  ScaleFit fit = fit_scale(rows, shape);
  CHECK(fit.k == Approx(0.004).epsilon(1e-12));
  CHECK(fit.rms_w == Approx(0).margin(1e-12));
  REQUIRE(fit.without.size() == 2);
  CHECK(fit.without[0].second == Approx(0.004).epsilon(1e-12));
  // Two rows at the same x, one above and one below: k is their mean, its error half the difference over x.
  fit = fit_scale({{"a", 100, 0, 1.1, kNan, kNan}, {"b", 100, 0, 0.9, kNan, kNan}}, shape);
  CHECK(fit.k == Approx(0.01));
  CHECK(fit.standard_error == Approx(0.001));
  CHECK(fit.without[0].second == Approx(0.009));
  CHECK(fit.without[1].second == Approx(0.011));
}

TEST_CASE("power fit: a power law in cores and clock is recovered") {
  std::vector<PowerRow> rows;
  for (const int cores : {2, 4, 6, 8})
    for (const double mhz : {800.0, 1200.0, 2000.0})
      rows.push_back({"x", mhz, cores, 0.2 * std::pow(cores, 0.9) * std::pow(mhz / 1000, 2.7), kNan, kNan});
  const CoresClockFit fit = fit_cores_clock(rows);
  CHECK(fit.k == Approx(0.2).epsilon(1e-10));
  CHECK(fit.a == Approx(0.9).epsilon(1e-10));
  CHECK(fit.b == Approx(2.7).epsilon(1e-10));
  CHECK(fit.rms_log == Approx(0).margin(1e-10));
  CHECK(fit.watts(6, 1500) == Approx(0.2 * std::pow(6, 0.9) * std::pow(1.5, 2.7)));
  rows.resize(3);
  CHECK_THROWS_AS(fit_cores_clock(rows), InputError);
  for (PowerRow& row : rows) row.mhz = 1000;  // cores and clock cannot be told apart from one clock
  rows.push_back(rows[0]);
  CHECK_THROWS_AS(fit_cores_clock(rows), InputError);
}

TEST_CASE("power fit: the standard errors are those of ordinary least squares") {
  // y = ln P at (cores 1 or e^1 rounded) is awkward; use a balanced design whose (X'X)^-1 is known by hand.
  // cores 1 and 4, clocks 1 and 4 GHz, with noise +d -d -d +d: orthogonal to all three columns, so the fit is exact.
  const double d = 0.1;
  const auto row = [&](int cores, double ghz, double noise) {
    return PowerRow{"x", ghz * 1000, cores, 0.5 * cores * ghz * ghz * std::exp(noise), kNan, kNan};
  };
  const CoresClockFit fit = fit_cores_clock({row(1, 1, d), row(4, 1, -d), row(1, 4, -d), row(4, 4, d)});
  CHECK(fit.k == Approx(0.5));
  CHECK(fit.a == Approx(1));
  CHECK(fit.b == Approx(2));
  CHECK(fit.rms_log == Approx(2 * d));  // sqrt(4 d^2 / (4 - 3))
  // Var(a) = sigma^2 / sum (x - mean)^2, with ln 4 / 2 on either side of the mean.
  CHECK(fit.standard_error_a == Approx(2 * d / std::log(4.0)));
  CHECK(fit.standard_error_b == Approx(2 * d / std::log(4.0)));
  CHECK(fit.prediction_error_log(2, 2000) == Approx(2 * d / 2));  // at the centre: sigma / sqrt(n)
}

TEST_CASE("power fit: the related board's energy ratios are what the rows say") {
  PowerRows agx;
  agx.file.text = "mlperf_jetson_gpu_power.csv";
  agx.select = {{"device", "Jetson AGX Xavier"}, {"scenario", "SingleStream"}, {"engines", "GPU (host CPU feeds)"}};
  agx.clock_column = "gpu_freq_hz";
  agx.clock_per_mhz = 1e6;
  agx.power_column = "power_minus_idle_w";
  agx.energy_column = "energy_above_idle_mj";
  const auto checks = check_shape(load_power_rows(agx, kFitRaw), RelativeShape(tx2_runs(), 180));
  REQUIRE(checks.size() == 6);
  for (const ShapeCheck& check : checks) {
    INFO(check.workload);
    CHECK(check.low_mhz == 675.75);
    if (check.high_mhz == 828.75) {
      CHECK(check.measured == Approx(1.11).margin(0.005));
      CHECK(check.predicted == Approx(1.08).margin(0.01));
    } else {
      CHECK(check.high_mhz == 1032.75);
      CHECK(check.measured > 1.18);
      CHECK(check.measured < 1.28);
      CHECK(check.predicted == Approx(1.24).margin(0.01));
    }
  }
}

TEST_CASE("power fit: the rows are those that were meant") {
  const auto recipe = read<PowerRecipe>(Value(Document::load(kFitRaw / "jetson-xavier-nx.power.json")));
  const auto& cpu = std::get<ActivityRecipe>(recipe.units[0]);
  const auto& gpu = std::get<ScaleRecipe>(recipe.units[1]);
  const auto cpu_rows = load_power_rows(cpu.rows, kFitRaw);
  CHECK(cpu_rows.size() == 14);
  for (const PowerRow& row : cpu_rows) CHECK((row.workload == "armnn" || row.workload == "tflite"));
  CHECK(activity_cells(cpu_rows).size() == 10);
  const auto rows = load_power_rows(gpu.rows, kFitRaw);
  CHECK(rows.size() == 18);
  for (const PowerRow& row : rows) CHECK((row.mhz == 752.25 || row.mhz == 803.25 || row.mhz == 854.25));
}

TEST_CASE("power fit: committed boards hold exactly what their recipes compute") {
  int recipes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFitRaw)) {
    if (!entry.path().string().ends_with(".power.json")) continue;
    INFO(entry.path().filename().string());
    ++recipes;
    const PowerCalibration calibration = calibrate_power(entry.path());
    CHECK(with_power(Document::load(calibration.platform)->root(), calibration) == read_file(calibration.platform));
    const Platform board = Platform::load(calibration.platform);
    double idle = board.file.static_power_w;
    for (std::size_t unit = 0; unit < board.file.units.size(); ++unit) idle += board.idle_w(unit, 1000);
    // The idle board is the wall meter's, to the milliwatt each figure is rounded to.
    CHECK(idle == Approx(board.file.name == "jetson-xavier-nx" ? 4.2435 : 6.4996).margin(0.001));
  }
  CHECK(recipes == 2);
}

TEST_CASE("power fit: the CPU's energy per cycle does not fall below the lowest measured clock's") {
  const Platform nx = Platform::load(kFitRaw.parent_path() / "jetson-xavier-nx.json");
  const double at_lowest = (nx.busy_w(0, 1190.4) - nx.idle_w(0, 1190.4)) / 1190.4;
  for (const double mhz : {115.2, 499.2, 1113.6})
    CHECK((nx.busy_w(0, mhz) - nx.idle_w(0, mhz)) / mhz == Approx(at_lowest).epsilon(0.01));
}

TEST_CASE("power fit: a recipe that does not hold together is refused where it stands") {
  using Catch::Matchers::Contains;
  const auto path = kFitRaw / "jetson-xavier-nx.power.json";
  const std::string text = read_file(path);
  const auto folder =
      std::filesystem::temp_directory_path() / ("dynasoc-power-fit-test-" + std::to_string(::getpid())) / "raw";
  std::filesystem::remove_all(folder.parent_path());
  std::filesystem::create_directories(folder);
  for (const auto& entry : std::filesystem::directory_iterator(kFitRaw))
    std::filesystem::copy(entry.path(), folder / entry.path().filename());
  std::filesystem::copy(kFitRaw.parent_path() / "jetson-xavier-nx.json",
                        folder.parent_path() / "jetson-xavier-nx.json");
  const struct {
    const char *part, *replacement, *message;
  } cases[] = {
      {"\"unit\": \"gpu\"", "\"unit\": \"gpv\"", "/units/1/unit: no such unit \"gpv\" (did you mean \"gpu\"?)"},
      {"\"gpu_freq_hz\"", "\"gpu_freq_hx\"", "has no column \"gpu_freq_hx\" (did you mean \"gpu_freq_hz\"?)"},
      {"\"division\": \"closed\"", "\"division\": \"v9\"", "/units/0/rows: no row"},
      {"\"latency_column\"", "\"comment\"", "/units/0/rows: this fit needs a \"latency_column\""},
      {"\"power_mode\"", "\"power_mod\"", "has no column \"power_mod\" (did you mean \"power_mode\"?)"},
      {"\"mlperf_agx_xavier_cpu_power.csv\"", "\"mlperf.csv\"", "/units/0/rows/file: cannot be opened"},
      {"\"../jetson-xavier-nx.json\"", "\"../nx.json\"", "/platform: no such file"},
      {"\"kind\": \"scaled-shape\"", "\"kind\": \"scaled\"", "/units/1/kind: unknown kind"},
      {"\"VDD_SYS_GPU\"", "\"VDD_SYS_GPV\"", "has no column \"VDD_SYS_GPV\" (did you mean \"VDD_SYS_GPU\"?)"},
      {"\"idle_w\": 0.197", "\"idle_w\": 7", "more than the idle board"},
  };
  for (const auto& one : cases) {
    INFO(one.replacement);
    std::string bad = text;
    bad.replace(bad.find(one.part), std::string(one.part).size(), one.replacement);
    write_file(folder / "bad.json", bad);
    CHECK_THROWS_WITH(calibrate_power(folder / "bad.json"), Contains(one.message));
  }
  std::filesystem::remove_all(folder.parent_path());
}

}  // namespace
}  // namespace dynasoc
