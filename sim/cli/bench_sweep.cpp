#include "cli/bench_sweep.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "cli/options.hpp"
#include "common/child_process.hpp"
#include "common/temporary_folder.hpp"
#include "explore/sweep/sweep.hpp"
#include "results/bench.hpp"

namespace dynasoc::cli {
namespace {

struct Timed {
  double seconds, peak_mb, points;
};

// A sweep into a new directory, in a process of its own.
Timed timed_sweep(const std::string& seeds, int jobs) {
  const TemporaryFolder scratch;
  ChildProcess child([&] {
    const auto begin = std::chrono::steady_clock::now();
    const auto sweep =
        explore::Sweep::load(bench_root() / "scenarios" / "sweeps" / "bench.json", {{"seed", seeds}}, {});
    const auto directory = scratch.path() / "sweep";
    explore::run_sweep(*sweep, directory, {0, sweep->size()}, jobs, false, {});
    explore::write_table(*sweep, directory, {0, sweep->size()});
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return Json({took.count(), static_cast<double>(usage.ru_maxrss) / 1024, sweep->size()}).dump();
  });
  const Json answer = Json::parse(child.result());
  return {answer[0].get<double>(), answer[1].get<double>(), answer[2].get<double>()};
}

}  // namespace

Json bench_sweep(bool quick) {
  const int jobs = default_jobs();
  const int rounds = quick ? 1 : 5;
  const std::string few = quick ? R"({"from": 1, "to": 2})" : R"({"from": 1, "to": 20})";
  std::vector<double> efficiency;
  for (int round = 0; round < rounds && jobs > 1; ++round) {
    const double alone_s = timed_sweep(few, 1).seconds, together_s = timed_sweep(few, jobs).seconds;
    efficiency.push_back(alone_s / together_s / jobs);
  }
  std::sort(efficiency.begin(), efficiency.end());
  const auto [seconds, peak_mb, points] =
      timed_sweep(quick ? R"({"from": 1, "to": 10})" : R"({"from": 1, "to": 100})", jobs);
  return {{"points", points},
          {"seconds", seconds},
          {"points_per_s", points / seconds},
          {"jobs", jobs},
          {"efficiency", efficiency.empty() ? Json(nullptr) : Json(efficiency[efficiency.size() / 2])},
          {"peak_mb", peak_mb}};
}

std::string bench_sweep_text(const Json& figures) {
  char text[256];
  std::snprintf(text, sizeof text,
                "  %.0f points of a minute at 30 fps in %.1f s on %d cores (%.0f points/s, %.1f MB)\n",
                figures["points"].get<double>(), figures["seconds"].get<double>(), figures["jobs"].get<int>(),
                figures["points_per_s"].get<double>(), figures["peak_mb"].get<double>());
  std::string out = text;
  if (!figures["efficiency"].is_null()) {
    std::snprintf(text, sizeof text, "  parallel efficiency of %d workers against one: %.0f %%\n",
                  figures["jobs"].get<int>(), 100 * figures["efficiency"].get<double>());
    out += text;
  }
  return out;
}

}  // namespace dynasoc::cli
