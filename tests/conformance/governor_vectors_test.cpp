// Every governor against vectors worked by hand: tests/conformance/vectors/<governor>.json. A vector is a governor with
// parameters, led through steps; each step says what it is shown, which clock must come out, and why. Where a step says
// nothing of it, the clock last expected is in effect and the window began at the last sample.
#include <filesystem>
#include <set>

#include <catch2/catch.hpp>

#include "common/document.hpp"
#include "kernel/random.hpp"
#include "manager/governor.hpp"

using namespace dynasoc;
using namespace dynasoc::manager;
namespace fs = std::filesystem;

namespace {

const fs::path kVectors = fs::path(DYNASOC_SOURCE_DIR) / "tests/conformance/vectors";
constexpr std::size_t kLeast = 20;

Ask ask_of(const std::string& name) {
  static const std::map<std::string, Ask> asks{{"start", Ask::start}, {"limits", Ask::limits}, {"sample", Ask::sample},
                                               {"load", Ask::load},   {"clock", Ask::clock},   {"timer", Ask::timer}};
  return asks.at(name);
}

int index_of(const std::vector<double>& opps, double mhz) {
  for (std::size_t i = 0; i < opps.size(); ++i)
    if (std::abs(opps[i] - mhz) < 1e-6) return static_cast<int>(i);
  FAIL("no OPP of " << mhz << " MHz");
  return -1;
}

std::unique_ptr<Governor> make(const std::string& name, const Json& parameters) {
  const auto document = Document::parse(parameters.dump(), "parameters");
  const Value value(document);
  return Registry<Governor>::instance().make(name, &value);
}

void follow(const std::string& governor_name, const Json& file, const Json& vector) {
  const auto governor = make(governor_name, vector.value("parameters", Json::object()));
  const auto opps = file.at("opps_mhz").get<std::vector<double>>();
  int opp = index_of(opps, vector.at("start_mhz").get<double>());
  int lowest = 0, highest = static_cast<int>(opps.size()) - 1;
  if (vector.contains("lowest_mhz")) lowest = index_of(opps, vector["lowest_mhz"].get<double>());
  if (vector.contains("highest_mhz")) highest = index_of(opps, vector["highest_mhz"].get<double>());
  std::vector<CoreLoad> cores;
  Time sampled = 0;
  int number = 0;
  for (const Json& step : vector.at("steps")) {
    INFO(governor_name << ", " << vector.at("name").get<std::string>() << ", step " << ++number << ": "
                       << step.at("because").get<std::string>());
    if (step.contains("lowest_mhz")) lowest = index_of(opps, step["lowest_mhz"].get<double>());
    if (step.contains("highest_mhz")) highest = index_of(opps, step["highest_mhz"].get<double>());
    if (step.contains("mhz")) opp = index_of(opps, step["mhz"].get<double>());
    DomainSample sample;
    sample.now = from_ms(step.at("at_ms").get<double>());
    sample.ask = ask_of(step.value("ask", "sample"));
    sample.since = step.contains("since_ms") ? from_ms(step["since_ms"].get<double>()) : sampled;
    sample.opps_mhz = opps;
    sample.opp = opp;
    sample.lowest = lowest;
    sample.highest = highest;
    sample.changing = step.value("changing", false);
    for (CoreLoad& core : cores) core = CoreLoad{.running = core.running};
    const auto take = [&](const char* key, auto CoreLoad::*member) {
      if (!step.contains(key)) return;
      if (cores.size() < step[key].size()) cores.resize(step[key].size());
      for (std::size_t i = 0; i < step[key].size(); ++i) step[key][i].get_to(cores[i].*member);
    };
    take("busy", &CoreLoad::busy);
    take("running", &CoreLoad::running);
    take("io_wake", &CoreLoad::io_wake);
    take("rt", &CoreLoad::rt);
    take("deadline", &CoreLoad::deadline);
    take("dl_bandwidth", &CoreLoad::dl_bandwidth);
    take("irq", &CoreLoad::irq);
    if (cores.empty()) cores.resize(1);
    for (CoreLoad& core : cores) core.busy_mhz = core.busy * sample.mhz();
    take("busy_mhz", &CoreLoad::busy_mhz);
    sample.cores = cores;
    sample.cpus = step.value("cpus", vector.value("cpus", static_cast<int>(cores.size())));
    if (sample.ask == Ask::sample) sampled = sample.now;

    const int chosen = governor->next(sample);
    REQUIRE(chosen >= 0);
    REQUIRE(chosen < static_cast<int>(opps.size()));
    CHECK(opps[static_cast<std::size_t>(chosen)] == step.at("mhz_expected").get<double>());
    if (step.contains("period_ms_expected"))
      CHECK(governor->period_ms() == Approx(step["period_ms_expected"].get<double>()));
    if (step.contains("wake_ms_expected")) {
      const Json& wake = step["wake_ms_expected"];
      CHECK(governor->wake() == (wake.is_null() ? kNever : from_ms(wake.get<double>())));
    }
    opp = chosen;
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
      const auto governor = make(name, Json::object());
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
