// Every governor against vectors worked by hand: tests/conformance/vectors/<governor>.json. A vector is a governor with
// parameters, led through steps; each step says what it is shown, which clock must come out, and why. Where a step says
// nothing of it, the clock last chosen is in effect and the window began at the last sample.
#include <filesystem>
#include <set>

#include <catch2/catch.hpp>

#include "common/document.hpp"
#include "kernel/random.hpp"
#include "support/governor_desk.hpp"
#include "support/source_dir.hpp"

using namespace dynasoc;
using namespace dynasoc::manager;
namespace fs = std::filesystem;

namespace {

const fs::path kVectors = test::source_dir() / "tests/conformance/vectors";
constexpr std::size_t kLeast = 20;

void follow(const std::string& governor_name, const Json& file, const Json& vector) {
  test::GovernorDesk desk(governor_name, file, vector);
  const auto& opps = desk.opps_mhz();
  int number = 0;
  for (const Json& step : vector.at("steps")) {
    INFO(governor_name << ", " << vector.at("name").get<std::string>() << ", step " << ++number << ": "
                       << step.at("because").get<std::string>());
    const int chosen = desk.step(step);
    REQUIRE(chosen >= 0);
    REQUIRE(chosen < static_cast<int>(opps.size()));
    CHECK(opps[static_cast<std::size_t>(chosen)] == step.at("mhz_expected").get<double>());
    if (step.contains("period_ms_expected"))
      CHECK(desk.governor().period_ms() == Approx(step["period_ms_expected"].get<double>()));
    if (step.contains("wake_ms_expected")) {
      const Json& wake = step["wake_ms_expected"];
      CHECK(desk.governor().wake() == (wake.is_null() ? kNever : from_ms(wake.get<double>())));
    }
  }
}

}  // namespace

TEST_CASE("governors choose what vectors worked by hand say") {
  std::set<std::string> tested;
  for (const auto& entry : fs::directory_iterator(kVectors)) {
    if (entry.path().extension() != ".json") continue;
    const std::string name = entry.path().stem().string();
    REQUIRE(Registry<Governor>::instance().has(name));
    const auto document = Document::load(entry.path());
    const Json& file = Value(document).json();
    CHECK(file.at("vectors").size() >= kLeast);
    for (const Json& vector : file.at("vectors")) follow(name, file, vector);
    tested.insert(name);
  }
  for (const char* name : {"ondemand", "conservative", "interactive", "schedutil", "nvhost_podgov", "simple_ondemand"})
    CHECK(tested.count(name) == 1);
}

TEST_CASE("whatever governors are shown, they choose an OPP within the limits") {
  const std::vector<double> opps{115.2, 192, 268.8, 345.6, 729.6, 1190.4, 1420.8, 1907.2};
  for (const std::string& name : Registry<Governor>::instance().names())
    for (std::uint64_t run = 0; run < 60; ++run) {
      const Stream draws(7, name, run);
      std::uint64_t n = 0;
      const auto governor = test::make_by_name<Governor>(name, Json::object());
      const int cores = 1 + static_cast<int>(3 * draws.uniform(n++));
      std::vector<CoreLoad> loads(static_cast<std::size_t>(cores));
      Time now = 0, sampled = 0;
      int opp = static_cast<int>(8 * draws.uniform(n++)), lowest = 0, highest = 7;
      for (int step = 0; step < 200; ++step) {
        DomainSample sample;
        const double kind = draws.uniform(n++);
        sample.ask = step == 0    ? Ask::start
                     : kind < 0.5 ? Ask::sample
                     : kind < 0.8 ? Ask::load
                     : kind < 0.9 ? Ask::timer
                                  : Ask::limits;
        if (sample.ask == Ask::limits) {
          lowest = static_cast<int>(8 * draws.uniform(n++));
          highest = lowest + static_cast<int>((8 - lowest) * draws.uniform(n++));
          opp = std::clamp(opp, lowest, highest);
        }
        const double longest_ns = draws.uniform(n++) < 0.1 ? 2e9 : 3e7;
        now += static_cast<Time>(draws.uniform(n++) * longest_ns);
        for (CoreLoad& load : loads) {
          load.busy = draws.uniform(n++);
          load.busy_mhz = load.busy * opps[static_cast<std::size_t>(opp)];
          load.running = draws.uniform(n++) < 0.5 ? 1 : 0;
          load.io_wake = draws.uniform(n++) < 0.1;
        }
        sample.now = now;
        sample.since = sampled;
        sample.cores = loads;
        sample.cpus = cores;
        sample.opps_mhz = opps;
        sample.opp = opp;
        sample.lowest = lowest;
        sample.highest = highest;
        if (sample.ask == Ask::sample) sampled = now;
        const int chosen = governor->next(sample);
        INFO(name << ", run " << run << ", step " << step);
        REQUIRE(chosen >= lowest);
        REQUIRE(chosen <= highest);
        if (governor->wake() != kNever) REQUIRE(governor->wake() > now);
        REQUIRE(governor->period_ms() >= 0);
        opp = chosen;
      }
    }
}
