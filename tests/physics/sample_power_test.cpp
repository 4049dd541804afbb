// Runs on boards drawn from a platform's stated power uncertainty: mean, spread, who shares a draw and who does not.
#include <cmath>

#include <catch2/catch.hpp>

#include "results/summary.hpp"
#include "support/lab.hpp"
#include "world/power_draw.hpp"

namespace dynasoc::test {
namespace {

// One L2 (20 ms at 12 - 2 = 10 W above idle: 200 mJ) on a gpu whose power is uncertain by a quarter.
class UncertainLab : public Lab {
 public:
  explicit UncertainLab(double level = 0.25, double tilt = 0) {
    board["units"]["gpu"]["power_uncertainty"] = {
        {"level", level}, {"tilt", tilt}, {"pivot_mhz", 500}, {"source", "made up"}};
    board["static_power_std_w"] = 0.6;
  }
};
Json one_job(const char* subnet = "L2") {
  Json scenario = parse_json(R"({"duration_s": 0.1, "sample_power": true, "applications": {
      "app": {"unit": "gpu", "arrivals": {"kind": "offline", "samples": 1}}}})");
  scenario["applications"]["app"]["subnet"] = subnet;
  return scenario;
}
std::vector<RunRecord> run_all(const Lab& lab, const Json& scenario, int count,
                               EngineKind engine = EngineKind::native) {
  return simulate_all(*lab.load(scenario).setup, {}, engine, count, 2);
}

struct Moments {
  double mean = 0, sd = 0;
};
template <class F>
Moments moments(const std::vector<RunRecord>& records, F value) {
  Moments out;
  for (const RunRecord& record : records) out.mean += value(record) / static_cast<double>(records.size());
  for (const RunRecord& record : records)
    out.sd += std::pow(value(record) - out.mean, 2) / static_cast<double>(records.size() - 1);
  out.sd = std::sqrt(out.sd);
  return out;
}

TEST_CASE("sampled power: over many boards the energy has the stated mean and standard deviation", "[sample-power]") {
  constexpr int kBoards = 4000;
  const auto records = run_all(UncertainLab(), one_job(), kBoards);
  // Of the mean: sd / sqrt(n) = 0.4 % of it, of the sd about 1.5 %: five of each.
  const Moments job = moments(records, [](const RunRecord& r) { return r.apps[0].energy_mj; });
  CHECK(job.mean == Approx(200).epsilon(0.02));
  CHECK(job.sd == Approx(50).epsilon(0.08));
  const Moments rest = moments(records, [](const RunRecord& r) { return r.static_energy_j; });
  CHECK(rest.mean == Approx(0.3).epsilon(0.02));
  CHECK(rest.sd == Approx(0.06).epsilon(0.08));
  double product = 0;  // independent
  for (const RunRecord& record : records) {
    product += (record.apps[0].energy_mj - job.mean) * (record.static_energy_j - rest.mean) / kBoards;
    CHECK(record.units[0].idle_energy_j == Approx(0.2).epsilon(1e-12));  // idle power is not drawn
    CHECK(record.units[1].energy_j() == Approx(0.1).epsilon(1e-12));     // nor a unit that states no uncertainty
    CHECK(record.apps[0].latency_sum_ms == Approx(20).epsilon(1e-12));   // nor time
    CHECK(record.conservation_error <= 1e-12);
  }
  CHECK(std::abs(product / (job.sd * rest.sd)) < 0.1);
}

TEST_CASE("sampled power: the level is one factor for all clocks, the tilt turns it about its pivot",
          "[sample-power]") {
  const auto busy = [](const Setup& drawn, double mhz) {
    return (drawn.platform.busy_w(0, mhz) - drawn.platform.idle_w(0, mhz));
  };
  const Scenario level = UncertainLab(0.25, 0).load(one_job());
  const Scenario tilt = UncertainLab(0, 0.3).load(one_job());
  double squares = 0;
  for (std::uint64_t r = 0; r < 500; ++r) {
    const Setup a = with_drawn_power(*level.setup, r);
    const double factor = busy(a, 1000) / 10;
    CHECK(busy(a, 500) / 5 == Approx(factor).epsilon(1e-12));
    CHECK(busy(a, 250) / 2 == Approx(factor).epsilon(1e-12));
    CHECK(busy(a, 750) / 7.5 == Approx(factor).epsilon(1e-12));
    const Setup b = with_drawn_power(*tilt.setup, r);
    CHECK(busy(b, 500) / 5 == Approx(1).epsilon(1e-12));
    const double up = std::log(busy(b, 1000) / 10), down = std::log(busy(b, 250) / 2);
    const double half = std::pow(0.3 * std::log(2.0), 2) / 2;  // what keeps the mean
    CHECK(up + half == Approx(-(down + half)).epsilon(1e-9).margin(1e-12));
    squares += std::pow(up + half, 2);
  }
  CHECK(std::sqrt(squares / 500) == Approx(0.3 * std::log(2.0)).epsilon(0.15));
  const PowerUncertainty both{0.25, 0.3, 500, ""};
  CHECK(both.log_sd(500) == Approx(std::sqrt(std::log(1.0625))));
  CHECK(both.log_sd(1000) == Approx(std::hypot(std::sqrt(std::log(1.0625)), 0.3 * std::log(2.0))));
  CHECK(both.factor(500, 0, 0) == Approx(1 / std::sqrt(1.0625)));  // the median lies below the mean
}

TEST_CASE("sampled power: two policies run on the same boards, and other boards belong to other seeds",
          "[sample-power]") {
  const UncertainLab lab;
  Json scenario = one_job();
  const auto plain = run_all(lab, scenario, 5);
  scenario["policy"] = {{"name", "static"}, {"level", 1}};
  scenario["applications"]["late"] = scenario["applications"]["app"];
  scenario["applications"]["late"]["start_s"] = 0.05;
  const auto managed = run_all(lab, scenario, 5);
  scenario["seed"] = 2;
  const auto other = run_all(lab, scenario, 5);
  for (std::size_t r = 0; r < 5; ++r) {
    CHECK(managed[r].static_energy_j == plain[r].static_energy_j);
    // `late` runs the same inference alone, on the same gpu.
    CHECK(managed[r].apps[1].energy_mj / managed[r].apps[1].latency_sum_ms ==
          Approx(plain[r].apps[0].energy_mj / plain[r].apps[0].latency_sum_ms).epsilon(1e-12));
    CHECK(other[r].static_energy_j != plain[r].static_energy_j);
    if (r > 0) CHECK(plain[r].static_energy_j != plain[r - 1].static_energy_j);
  }
}

TEST_CASE("sampled power: both engines draw the same boards", "[sample-power][simgrid]") {
  if (!simgrid_available()) return;
  const UncertainLab lab(0.25, 0.2);
  const auto native = run_all(lab, one_job(), 3), simgrid = run_all(lab, one_job(), 3, EngineKind::simgrid);
  for (std::size_t r = 0; r < 3; ++r) {
    CHECK(simgrid[r].energy_j() == Approx(native[r].energy_j()).epsilon(1e-9));
    CHECK(simgrid[r].apps[0].energy_mj == Approx(native[r].apps[0].energy_mj).epsilon(1e-9));
  }
}

TEST_CASE("sampled power: what was measured stays, what was derived from the board's points moves", "[sample-power]") {
  UncertainLab lab(0.25, 0.2);
  lab.clear_table();
  const std::string clocks = ",gpu,,,";
  lab.table += "L1" + clocks + "1000,,20,,8,2,derived,made up,measured,a meter\n";  // 6 W above idle
  lab.table += "L2" + clocks + "1000,,20,,8,2,derived,made up,derived,made up\n";
  lab.table += "L3" + clocks + "1000,,20,,8,2,derived,made up,measured,a meter\n";
  lab.table += "L3" + clocks + "500,,40,,5,2,derived,made up,derived,scaled from 1000 MHz\n";  // 3 W
  for (std::uint64_t r = 0; r < 5; ++r) {
    const auto energy = [&](const char* subnet, const char* mhz) {
      Json scenario = one_job(subnet);
      scenario["governors"]["gpu"] = parse_json(std::string(R"({"name": "userspace", "mhz": )") + mhz + "}");
      return lab.run(scenario, {}, r).apps[0].energy_mj;
    };
    const Setup drawn = with_drawn_power(*lab.load(one_job("L1")).setup, r);
    const auto factor = [&](double mhz) { return (drawn.platform.busy_w(0, mhz) - 2) / (mhz == 1000 ? 10 : 5); };
    CHECK(energy("L1", "1000") == Approx(6 * 20).epsilon(1e-6));
    CHECK(energy("L2", "1000") == Approx(6 * 20 * factor(1000)).epsilon(1e-6));
    CHECK(energy("L3", "500") == Approx(3 * 40 * factor(500) / factor(1000)).epsilon(1e-6));
    // No cell at 500 MHz: the measured power, scaled by the drawn curve.
    CHECK(energy("L1", "500") == Approx(6 * 0.5 * factor(500) / factor(1000) * 40).epsilon(1e-6));
  }
}

TEST_CASE("sampled power: the summary has intervals, and only then", "[sample-power]") {
  const UncertainLab lab;
  Json plain = one_job();
  plain.erase("sample_power");
  const auto summary = [&](const Json& scenario, int count) {
    const Scenario loaded = lab.load(scenario);
    return summary_json(loaded, "native", simulate_all(*loaded.setup, {}, EngineKind::native, count, 2));
  };
  const Json without = summary(plain, 3);
  CHECK_FALSE(without.contains("sample_power"));
  CHECK_FALSE(without["platform"].contains("interval"));
  CHECK_FALSE(without["apps"]["app"].contains("interval"));

  const Json once = summary(one_job(), 1);
  CHECK_FALSE(once["platform"].contains("interval"));
  REQUIRE(once["warnings"].size() == 1);
  CHECK(once["warnings"][0].get<std::string>().find("drawn once") != std::string::npos);

  const Json many = summary(one_job(), 400);
  CHECK(many["warnings"].empty());
  CHECK(many["sample_power"] == true);
  // 200 mJ, log-normal with a standard deviation of a quarter: 95 % lie within exp(-+ 1.96 * 0.246) of the median.
  const Json& job = many["apps"]["app"]["interval"]["energy_mj_per_job"];
  const double median = 200 / std::sqrt(1.0625), log_sd = std::sqrt(std::log(1.0625));
  CHECK(job["low"].get<double>() == Approx(median * std::exp(-1.96 * log_sd)).epsilon(0.06));
  CHECK(job["high"].get<double>() == Approx(median * std::exp(1.96 * log_sd)).epsilon(0.06));
  CHECK(job["n"] == 400);
  const Json& board = many["platform"]["interval"];
  CHECK(board["energy_j"]["low"] < board["energy_j"]["mean"]);
  CHECK(board["energy_j"]["mean"] < board["energy_j"]["high"]);
  CHECK(board["units"]["cpu"]["energy_j"]["sd"].get<double>() == Approx(0).margin(1e-9));
  CHECK(board["mean_power_w"]["mean"].get<double>() ==
        Approx(board["energy_j"]["mean"].get<double>() / 0.1).epsilon(1e-12));
  CHECK(board["static_energy_j"]["sd"].get<double>() == Approx(0.06).epsilon(0.2));
}

TEST_CASE("sampled power: a board without stated uncertainty is refused", "[sample-power]") {
  CHECK_THROWS_WITH(Lab().load(one_job()), Catch::Matchers::Contains("/sample_power") &&
                                               Catch::Matchers::Contains("states no uncertainty of its power"));
}

}  // namespace
}  // namespace dynasoc::test
