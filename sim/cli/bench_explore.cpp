// The section EXPLORE of dynasoc bench: what racing saves on the shipped explorations, and what it costs in front.
#include "cli/bench_explore.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "explore/exploration/explorer.hpp"
#include "scenario/data_paths.hpp"

namespace dynasoc::cli {
namespace {

struct Explored {
  std::vector<std::vector<double>> front;  // objectives, minimised
  std::size_t samples = 0, full = 0, configurations = 0;
  double seconds = 0;
};

Explored explored(const explore::Space& space, int jobs) {
  explore::Journal journal;
  explore::Candidates candidates(space, journal, {jobs, false, false, {}}),
      design(space, journal, {jobs, false, true, {}});
  const auto begin = std::chrono::steady_clock::now();
  const explore::Exploration exploration = explore::explore(candidates, design);
  Explored out;
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  for (const explore::FrontPoint& point : exploration.front)
    out.front.push_back(explore::objectives_of(explore::wishes_of(space), exploration.placed[point.candidate]));
  out.samples = exploration.samples;
  out.full = exploration.full;
  out.configurations = candidates.size();
  return out;
}

// By how much `a` falls short of `b` at worst, in resolutions: 1 means that for each point of b, a has one that is as
// good up to the resolutions.
double short_of(const explore::Wishes& wishes, const Explored& a, const Explored& b) {
  double worst = 0;
  for (const auto& wanted : b.front) {
    double nearest = INFINITY;
    for (const auto& one : a.front) {
      double most = 0;
      for (std::size_t k = 0; k < one.size(); ++k) most = std::max(most, (one[k] - wanted[k]) / wishes.resolutions[k]);
      nearest = std::min(nearest, most);
    }
    worst = std::max(worst, nearest);
  }
  return worst;
}

}  // namespace

Json bench_explore(int jobs, const std::function<void(double)>& progress) {
  // Several seeds of the search: which configurations it meets, and so what racing saves, is a matter of luck.
  constexpr int kSeeds = 3;
  Json out = Json::object();
  double done = 0;
  for (const char* name : {"bursty-camera", "agx-detector", "bursty-camera-sobol"}) {
    const auto path = DataPaths().scenario({"explore/" + std::string(name) + ".explore", {}});
    const std::int64_t first = explore::load_exploration(path, {}).seed;
    Json rounds = Json::array();
    std::vector<double> shares;
    double seconds = 0, plain_seconds = 0, simulations = 0, plain_simulations = 0;
    for (int s = 0; s < kSeeds; ++s) {
      const auto space_with = [&](const char* racing) {
        return explore::load_exploration(
            path, {{"racing", racing}, {"seed", std::to_string(first + s)}, {"sensitivity", R"({"samples": 0})"}});
      };
      const explore::Space racing(space_with("true"), path.parent_path()),
          full(space_with("false"), path.parent_path());
      if (!explore::available(racing.file().algorithm.kind)) break;
      const Explored raced = explored(racing, jobs);
      progress(done += 1.0 / 12 / kSeeds);
      const Explored plain = explored(full, jobs);
      progress(done += 3.0 / 12 / kSeeds);
      // One box for both: the declared references, the best of either front.
      const explore::Wishes wishes = explore::wishes_of(racing);
      explore::HypervolumeBox box;
      for (std::size_t k = 0; k < wishes.signs.size(); ++k) {
        double best = INFINITY;
        for (const Explored* one : {&raced, &plain})
          for (const auto& point : one->front) best = std::min(best, point[k]);
        box.ideal.push_back(best);
        box.reference.push_back(wishes.signs[k] * racing.file().objectives[k].reference.value());
      }
      shares.push_back(static_cast<double>(raced.samples) / static_cast<double>(plain.samples));
      seconds += raced.seconds, plain_seconds += plain.seconds;
      simulations += static_cast<double>(raced.samples), plain_simulations += static_cast<double>(plain.samples);
      rounds.push_back({{"seed", first + s},
                        {"simulations", raced.samples},
                        {"simulations_without_racing", plain.samples},
                        {"share", shares.back()},
                        {"configurations", raced.configurations},
                        {"configurations_without_racing", plain.configurations},
                        {"front", raced.front.size()},
                        {"front_without_racing", plain.front.size()},
                        {"hypervolume_ratio", box.share(raced.front) / box.share(plain.front)},
                        {"short_of_full_resolutions", short_of(wishes, raced, plain)},
                        {"full_short_of_raced_resolutions", short_of(wishes, plain, raced)}});
    }
    if (rounds.empty()) continue;
    std::sort(shares.begin(), shares.end());
    out[name] = {{"share", shares[shares.size() / 2]},
                 {"share_least", shares.front()},
                 {"share_largest", shares.back()},
                 {"seconds", seconds},
                 {"seconds_without_racing", plain_seconds},
                 {"evaluations_per_s", (simulations + plain_simulations) / (seconds + plain_seconds)},
                 {"jobs", jobs},
                 {"seeds", std::move(rounds)}};
  }
  return out;
}

std::string bench_explore_text(const Json& section) {
  std::string out;
  char line[200];
  for (const auto& [name, one] : section.items()) {
    const auto get = [](const Json& at, const char* key) { return at[key].get<double>(); };
    std::snprintf(line, sizeof line,
                  "  %-20s %4.1f %% of the simulations (%.1f to %.1f), %.1f of %.1f s, %.0f a second\n", name.c_str(),
                  100 * get(one, "share"), 100 * get(one, "share_least"), 100 * get(one, "share_largest"),
                  get(one, "seconds"), get(one, "seconds_without_racing"), get(one, "evaluations_per_s"));
    out += line;
    for (const Json& round : one["seeds"]) {
      std::snprintf(
          line, sizeof line,
          "    seed %-3.0f %6.0f of %6.0f   hypervolume x %.3f   behind by %.2f resolutions at worst (full: %.2f)\n",
          get(round, "seed"), get(round, "simulations"), get(round, "simulations_without_racing"),
          get(round, "hypervolume_ratio"), get(round, "short_of_full_resolutions"),
          get(round, "full_short_of_raced_resolutions"));
      out += line;
    }
  }
  return out;
}

}  // namespace dynasoc::cli
