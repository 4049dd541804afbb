// What a power monitor shows, beside the truth: averaging, steps, and the age of a reading. The gpu idles at 2 W and
// draws 12 when busy; the cpu idles at 1 W; everything else draws 3.
#include <cmath>

#include <catch2/catch.hpp>

#include "support/hooked_policy.hpp"
#include "support/lab.hpp"

namespace dynasoc::test {
namespace {

struct Reading {
  Time seen_at;
  double gpu_w, in_w;
  Time read_at;
};

// L1 (10 ms) every 25 ms on the gpu, looked at every 10 ms.
std::vector<Reading> readings(const char* meter, const char* arrivals = R"({"kind": "periodic", "period_ms": 25})") {
  Lab lab;
  lab.board["rails"] =
      parse_json(R"({"GPU": {"units": ["gpu"]}, "IN": {"units": ["gpu", "cpu"], "static_power": true}})");
  lab.board["sensors"]["meter"] = parse_json(meter);
  std::vector<Reading> out;
  const HookPolicy hook([&](const manager::Observation& seen, manager::Decision&) {
    REQUIRE(seen.rails.size() == 2);
    CHECK(seen.rails[0].name == "GPU");
    CHECK(seen.rails[0].read_at == seen.rails[1].read_at);
    out.push_back({seen.now, seen.rails[0].power_w, seen.rails[1].power_w, seen.rails[0].read_at});
  });
  lab.run(R"({"duration_s": 0.405, "applications": {"app": {"unit": "gpu", "subnet": "L1", "arrivals": )" +
          std::string(arrivals) + R"(}}, "policy": {"name": "test-hook", "period_ms": 10}})");
  REQUIRE(out.size() == 41);
  return out;
}

TEST_CASE("a meter that averages over its whole period shows the mean of the period", "[sensor]") {
  const auto seen = readings(R"({"rails": ["GPU", "IN"], "period_ms": 100, "averaging_ms": 100})");
  for (const Reading& one : seen) {
    INFO("at " << one.seen_at);
    if (one.seen_at <= 100_ms) {  // a manager that looks at the instant of a reading has not got it yet
      CHECK(std::isnan(one.gpu_w));
      CHECK(one.read_at == 0);
    } else {
      CHECK(one.gpu_w == Approx(2 + 10 * 0.4).epsilon(1e-12));
      CHECK(one.in_w == Approx(2 + 10 * 0.4 + 1 + 3).epsilon(1e-12));
      CHECK(one.read_at == (one.seen_at - 1) / 100_ms * 100_ms);  // its age is up to a period
    }
  }
}

TEST_CASE("a short averaging window sees only the end of each period", "[sensor]") {
  // The window 80-100 ms holds 5 ms of the frame that came at 75; 180-200 5 ms of the one at 175; and so on.
  for (const Reading& one : readings(R"({"rails": ["GPU", "IN"], "period_ms": 100, "averaging_ms": 20})")) {
    if (one.seen_at <= 100_ms) continue;
    CHECK(one.gpu_w == Approx(2 + 10 * 5.0 / 20).epsilon(1e-12));
  }
  // 40 ms: 60-100 holds 0-10 of 75-85 in full.
  for (const Reading& one : readings(R"({"rails": ["GPU", "IN"], "period_ms": 100, "averaging_ms": 40})"))
    if (one.seen_at > 100_ms) CHECK(one.gpu_w == Approx(2 + 10 * 10.0 / 40).epsilon(1e-12));
}

TEST_CASE("without averaging the meter shows the instant, and misses what lies between", "[sensor]") {
  for (const Reading& one : readings(R"({"rails": ["GPU", "IN"], "period_ms": 30})")) {
    if (one.seen_at <= 30_ms) continue;
    INFO("read at " << one.read_at);
    // An observer comes last at an instant: a frame that comes with it is already running.
    const bool busy = one.read_at % 25_ms < 10_ms;
    CHECK(one.gpu_w == (busy ? 12 : 2));
    CHECK(one.in_w == (busy ? 16 : 6));
  }
}

TEST_CASE("readings come in whole steps, nearest to the truth", "[sensor]") {
  for (const double step_mw : {10.0, 300.0, 5000.0}) {
    const std::string meter = R"({"rails": ["GPU", "IN"], "period_ms": 30, "averaging_ms": 30, "resolution_mw": )" +
                              std::to_string(step_mw) + "}";
    const auto exact = readings(R"({"rails": ["GPU", "IN"], "period_ms": 30, "averaging_ms": 30})");
    const auto stepped = readings(meter.c_str());
    double worst = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
      if (std::isnan(exact[i].gpu_w)) {
        CHECK(std::isnan(stepped[i].gpu_w));
        continue;
      }
      const double steps = stepped[i].gpu_w / (step_mw * 1e-3);
      CHECK(steps == Approx(std::round(steps)).epsilon(1e-12));
      worst = std::max(worst, std::abs(stepped[i].gpu_w - exact[i].gpu_w));
    }
    CHECK(worst <= step_mw * 0.5e-3 + 1e-12);
    CHECK(worst > step_mw * 0.05e-3);  // the truth is not on the steps
  }
}

TEST_CASE("the mean of consecutive windows is the energy, whatever happens inside", "[sensor]") {
  const auto seen = readings(R"({"rails": ["GPU", "IN"], "period_ms": 10, "averaging_ms": 10})",
                             R"({"kind": "poisson", "rate_hz": 60})");
  double sum_j = 0;
  for (const Reading& one : seen)
    if (one.read_at > 0) sum_j += one.gpu_w * 0.010;
  // The last reading seen, at 410 - 10 ms, is that of 400.
  Lab lab;
  const RunRecord record = lab.run(R"({"duration_s": 0.390, "applications": {"app": {"unit": "gpu", "subnet": "L1",
      "arrivals": {"kind": "poisson", "rate_hz": 60}}}})");
  CHECK(sum_j == Approx(record.units[0].energy_j()).epsilon(1e-9));
}

// Mean power of the gpu over a window, one frame of 10 ms every 25.
double mean_w(Time from, Time to) {
  Time busy = 0;
  for (Time frame = 0; frame < to; frame += 25_ms)
    busy += std::max<Time>(0, std::min(to, frame + 10_ms) - std::max(from, frame));
  return 2 + 10 * static_cast<double>(busy) / static_cast<double>(to - from);
}

TEST_CASE("a reader sees the registers' last update, not what happened since", "[sensor]") {
  struct Meter {
    int period_ms, update_ms, averaging_ms;
  };
  for (const Meter& meter : {Meter{25, 40, 40}, {30, 7, 3}, {10, 100, 60}, {50, 10, 10}, {30, 9, 0}, {20, 20, 20}}) {
    INFO("period " << meter.period_ms << ", update " << meter.update_ms << ", averaging " << meter.averaging_ms);
    const std::string text = R"({"rails": ["GPU", "IN"], "period_ms": )" + std::to_string(meter.period_ms) +
                             R"(, "update_ms": )" + std::to_string(meter.update_ms) + R"(, "averaging_ms": )" +
                             std::to_string(meter.averaging_ms) + "}";
    const Time period = meter.period_ms * 1_ms, update = meter.update_ms * 1_ms;
    for (const Reading& one : readings(text.c_str())) {
      INFO("seen at " << one.seen_at);
      const Time read = (one.seen_at - 1) / period * period;  // a manager comes before the reader at an instant
      const Time updated = read / update * update;
      CHECK(one.read_at == (one.seen_at > 0 ? read : 0));
      if (one.seen_at == 0 || updated == 0) {
        CHECK(std::isnan(one.gpu_w));
        continue;
      }
      const double expected = meter.averaging_ms > 0    ? mean_w(updated - meter.averaging_ms * 1_ms, updated)
                              : updated % 25_ms < 10_ms ? 12
                                                        : 2;
      CHECK(one.gpu_w == Approx(expected).epsilon(1e-12));
      CHECK(one.in_w == Approx(expected + 4).epsilon(1e-12));
    }
  }
}

TEST_CASE("both engines read the same registers", "[sensor][simgrid]") {
  if (!simgrid_available()) return;
  Lab lab;
  lab.board["rails"] = parse_json(R"({"GPU": {"units": ["gpu"]}})");
  lab.board["sensors"]["meter"] =
      parse_json(R"({"rails": ["GPU"], "period_ms": 20, "update_ms": 13, "averaging_ms": 7, "resolution_mw": 40})");
  const Scenario scenario = lab.load(R"({"duration_s": 1, "applications": {"app": {"unit": "gpu", "subnet": "L1",
      "arrivals": {"kind": "poisson", "rate_hz": 40}}}})");
  Recording recording;
  recording.timeline_period = 20_ms;
  const auto native = simulate_all(*scenario.setup, recording, EngineKind::native, 2, 1);
  const auto simgrid = simulate_all(*scenario.setup, recording, EngineKind::simgrid, 2, 1);
  for (std::size_t r = 0; r < 2; ++r) {
    REQUIRE(native[r].timeline.rows() == simgrid[r].timeline.rows());
    for (std::size_t i = 0; i < native[r].timeline.rows(); ++i)
      for (std::size_t c = 0; c < native[r].timeline.columns.size(); ++c)
        if (native[r].timeline.columns[c] == "GPU_reading_w" && i > 0)
          CHECK(simgrid[r].timeline.value(i, c) == Approx(native[r].timeline.value(i, c)).margin(0.0401));
  }
}

TEST_CASE("the true power stands beside the reading in a timeline", "[sensor]") {
  Lab lab;
  lab.board["rails"] = parse_json(R"({"GPU": {"units": ["gpu"]}})");
  lab.board["sensors"]["meter"] = parse_json(R"({"rails": ["GPU"], "period_ms": 50, "averaging_ms": 50})");
  Recording recording;
  recording.timeline_period = 5_ms;
  const RunRecord record = lab.run(R"({"duration_s": 0.2, "applications": {"app": {"unit": "gpu", "subnet": "L1",
      "arrivals": {"kind": "periodic", "period_ms": 50}}}})",
                                   recording);
  std::size_t truth = 0, reading = 0;
  for (std::size_t i = 0; i < record.timeline.columns.size(); ++i) {
    if (record.timeline.columns[i] == "GPU_true_w") truth = i;
    if (record.timeline.columns[i] == "GPU_reading_w") reading = i;
  }
  REQUIRE(truth + reading > 0);
  for (std::size_t row = 0; row < record.timeline.rows(); ++row) {
    const Time at = record.timeline.at(row);
    INFO("at " << at);
    CHECK(record.timeline.value(row, truth) ==
          Approx((at - 5_ms) % 50_ms < 10_ms ? 12 : 2).epsilon(1e-12));  // mean since the last sample
    if (at < 50_ms)
      CHECK(std::isnan(record.timeline.value(row, reading)));
    else
      CHECK(record.timeline.value(row, reading) == Approx(2 + 10 * 0.2).epsilon(1e-12));
  }
}

}  // namespace
}  // namespace dynasoc::test
