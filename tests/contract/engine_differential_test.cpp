// Do the two engines tell the same story? Generated clients run on both, and the logs are compared event by event.
#include <cmath>

#include <catch2/catch.hpp>

#include "contract/random_kernel_client.hpp"
#include "kernel/native_engine.hpp"
#include "scale.hpp"
#include "support/in_child.hpp"
#ifdef DYNASOC_WITH_SIMGRID
#include "common/error.hpp"
#include "kernel/simgrid_engine.hpp"
#endif

namespace dynasoc::test {
namespace {

#ifdef DYNASOC_WITH_SIMGRID

constexpr double kRelative = 1e-9;

std::string describe(const Seen& seen) {
  return "kind " + std::to_string(seen.what) + ", subject " + std::to_string(seen.subject) + ", at " +
         std::to_string(seen.time) + " ns, value " + std::to_string(seen.value);
}

bool close(double a, double b, double scale) { return a == b || std::abs(a - b) <= kRelative * scale; }

// Empty, or the first difference.
std::string difference(const std::vector<Seen>& native, const std::vector<Seen>& simgrid) {
  for (std::size_t i = 0; i < std::min(native.size(), simgrid.size()); ++i) {
    const Seen& a = native[i];
    const Seen& b = simgrid[i];
    const auto time = static_cast<double>(std::max(a.time, b.time));
    // What remains is the difference between the work and what was done since: as exact as the clock, not more.
    const bool same = a.what == b.what && a.subject == b.subject &&
                      close(static_cast<double>(a.time), static_cast<double>(b.time), time) &&
                      close(a.value, b.value, std::max(time, 1e3));
    if (!same) return "entry " + std::to_string(i) + ": native " + describe(a) + "; simgrid " + describe(b);
  }
  if (native.size() != simgrid.size())
    return std::to_string(native.size()) + " entries on native, " + std::to_string(simgrid.size()) + " on simgrid";
  return {};
}

template <class E>
std::vector<Seen> run_client(std::uint64_t seed) {
  E engine;
  return RandomKernelClient<E>(engine, seed).run();
}

TEST_CASE("native and simgrid deliver the same events at the same times to generated clients", "[engine]") {
  const int seeds = scaled(600);
  int events = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    const auto native = run_client<NativeEngine>(static_cast<std::uint64_t>(seed));
    const ChildOutcome child =
        in_child([&] { return Seen::pack(run_client<SimgridEngine>(static_cast<std::uint64_t>(seed))); });
    INFO("seed " << seed);
    REQUIRE(child.failure == "");
    REQUIRE(difference(native, Seen::unpack(child.bytes)) == "");
    events += static_cast<int>(native.size());
  }
  CHECK(events > 300 * seeds);
}

TEST_CASE("a second SimGrid simulation in one process is refused", "[engine]") {
  const ChildOutcome child = in_child([]() -> std::string {
    const SimgridEngine first;
    try {
      const SimgridEngine second;
    } catch (const InternalError& error) {
      return error.what();
    }
    return "accepted";
  });
  CHECK(child.failure == "");
  CHECK_THAT(child.bytes, Catch::Contains("one simulation per process"));
}

TEST_CASE("the simgrid engine leaves the process's handling of Ctrl-C and crashes alone", "[engine]") {
  const ChildOutcome child = in_child([]() -> std::string {
    signal(SIGINT, SIG_IGN);
    const SimgridEngine engine;
    struct sigaction interrupt, crash;
    sigaction(SIGINT, nullptr, &interrupt);
    sigaction(SIGSEGV, nullptr, &crash);
    return interrupt.sa_handler == SIG_IGN && crash.sa_handler == SIG_DFL ? "alone" : "changed";
  });
  CHECK(child.failure == "");
  CHECK(child.bytes == "alone");
}

#else

TEST_CASE("skipped: native and simgrid deliver the same events (built without SimGrid)", "[engine]") {
  WARN("skipped: built without SimGrid (libsimgrid-dev), there is no second engine to compare with");
}

#endif

}  // namespace
}  // namespace dynasoc::test
