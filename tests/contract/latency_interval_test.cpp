// What runs make of the prediction intervals of latencies.
#include <cmath>
#include <set>

#include <catch2/catch.hpp>

#include "support/lab.hpp"

using namespace dynasoc;
using test::Lab;

namespace {

// One cell at the highest clock; the job runs at half of it, where the model says 20 ms and bounds say 10 to 20.
struct OneCell : Lab {
  OneCell() {
    clear_table();
    for (const char* subnet : {"L1", "L2", "L3"}) {
      cell({subnet, "gpu", 1000, 10});
      cell({subnet, "cpu", 2000, 30});
    }
  }
};
Json scenario(bool sample, const std::string& governor) {
  Json out = test::parse_json(R"({"duration_s": 1, "applications": {"camera": {"unit": "gpu", "subnet": "L1",
    "arrivals": {"kind": "periodic", "period_ms": 100}}}})");
  out["governors"]["gpu"] = governor;
  out["sample_latency"] = sample;
  return out;
}
double mean_ms(const RunRecord& record) {
  return record.apps[0].latency_sum_ms / static_cast<double>(record.apps[0].completed);
}

}  // namespace

TEST_CASE("a run records how well its latencies are known") {
  const RunRecord observed = OneCell().run(scenario(false, "performance"));
  CHECK(observed.apps[0].half_width_sum == 0);
  const RunRecord modelled = OneCell().run(scenario(false, "powersave"));  // 250 MHz: 40 ms, from 10 to 40
  REQUIRE(modelled.apps[0].completed > 0);
  CHECK(mean_ms(modelled) == Approx(40));
  CHECK(modelled.apps[0].half_width_sum / static_cast<double>(modelled.apps[0].completed) == Approx(15.0 / 40));
}

TEST_CASE(
    "sampled latencies are off by one factor a replication, within the interval mostly, and never where observed") {
  std::set<double> seen;
  int inside = 0;
  constexpr int kReplications = 60;
  for (std::uint64_t replication = 0; replication < kReplications; ++replication) {
    const RunRecord record = OneCell().run(scenario(true, "powersave"), Lab::everything(), replication);
    const double mean = mean_ms(record);
    seen.insert(mean);
    inside += mean > 10 - 1e-6 && mean < 40 + 1e-6;
    for (const JobRecord& job : test::jobs_of(record)) CHECK(to_ms(job.end - job.start) == Approx(mean));
    CHECK(mean_ms(OneCell().run(scenario(true, "performance"), Lab::everything(), replication)) == Approx(10));
  }
  CHECK(seen.size() > kReplications / 3);  // upwards there is no room: half of them are at the model's value
  CHECK(inside >= kReplications * 9 / 10);
  CHECK(mean_ms(OneCell().run(scenario(true, "powersave"), Lab::everything(), 3)) ==
        mean_ms(OneCell().run(scenario(true, "powersave"), Lab::everything(), 3)));
}
