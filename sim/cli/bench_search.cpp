#include "cli/bench_search.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <vector>

#include "common/median.hpp"
#include "explore/search/search.hpp"
#include "scenario/data_paths.hpp"

namespace dynasoc::cli {
namespace {

// Hypervolume of the best front that is known of scenarios/search/dynamic-ofa-gpu.json: the largest of three runs,
//   dynasoc search scenarios/search/dynamic-ofa-gpu.json --set polish=8000000, with --seed 11 and
//   --set method.generations=300, with --seed 12 and --set 'method={"kind":"aged"}', with --seed 13 and
//   --set 'method={"kind":"random"}'.
constexpr double kBestKnown = 171.328;

double thread_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

template <class Work>
double seconds_of(const Work& work) {
  const double began = thread_seconds();
  work();
  return thread_seconds() - began;
}

}  // namespace

Json bench_search(int rounds, std::size_t evaluations, int seeds) {
  const auto path = DataPaths().scenario({"scenarios/search/dynamic-ofa-gpu.json", {}});
  const search::Prepared prepared = search::prepare(path);
  const search::Problem& problem = *prepared.problem;
  const Stream stream(1, "bench/search");
  std::vector<search::Configuration> drawn;
  for (std::size_t i = 0; i < evaluations; ++i) drawn.push_back(problem.space.draw(stream, i));

  constexpr std::size_t kCells = static_cast<std::size_t>(search::kHidden) * search::kBatch;
  std::vector<float> memory(2 * kCells + 16, 0.5f);
  float* in = memory.data();
  while (reinterpret_cast<std::uintptr_t>(in) % 64 != 0) ++in;
  const double product_flop = 2.0 * search::kHidden * search::kHidden * search::kBatch;
  const int products = static_cast<int>(evaluations / search::kBatch) * 2;  // as many as the evaluations need

  std::vector<double> per_s, gflops, shares;
  for (int round = 0; round < rounds; ++round) {
    search::Evaluator evaluate(problem, 1);
    search::Run run(problem, evaluate, 1);
    const double evaluation_s = seconds_of([&] {
      for (std::size_t at = 0; at < drawn.size(); at += 1024) {
        const std::vector<search::Configuration> batch(
            drawn.begin() + static_cast<std::ptrdiff_t>(at),
            drawn.begin() + static_cast<std::ptrdiff_t>(std::min(drawn.size(), at + 1024)));
        run.see(batch);
      }
    });
    const double product_s = seconds_of([&] {
      for (int i = 0; i < products; ++i) problem.predictor.build().product(problem.predictor.second(), in, in + kCells);
    });
    per_s.push_back(static_cast<double>(evaluations) / evaluation_s);
    gflops.push_back(1e-9 * product_flop * products / product_s);
    shares.push_back(product_s / evaluation_s);
  }

  std::vector<double> times;
  double reached = 0;
  for (std::uint64_t seed = 1; seed <= static_cast<std::uint64_t>(seeds); ++seed) {
    const double began = thread_seconds();
    double time = -1;
    search::RunOptions options{.seed = seed, .jobs = 1, .progress = {}, .on_generation = {}};
    options.on_generation = [&](const search::Generation& generation) {
      if (time < 0 && generation.hypervolume >= 0.99 * kBestKnown) time = thread_seconds() - began;
    };
    reached = std::max(reached, search::search(prepared, options).hypervolume);
    if (time >= 0) times.push_back(time);
  }
  Json out = {{"kernel", problem.predictor.build().name},
              {"evaluations_per_s", *std::max_element(per_s.begin(), per_s.end())},
              {"evaluations_per_s_median", median(per_s)},
              {"product_gflops", *std::max_element(gflops.begin(), gflops.end())},
              {"share_of_product",
               {{"median", median(shares)},
                {"least", *std::min_element(shares.begin(), shares.end())},
                {"largest", *std::max_element(shares.begin(), shares.end())}}},
              {"best_known_hypervolume", kBestKnown},
              {"hypervolume", reached},
              {"time_to_99_percent_s", nullptr}};
  if (times.size() == static_cast<std::size_t>(seeds))
    out["time_to_99_percent_s"] = *std::max_element(times.begin(), times.end());
  return out;
}

std::string bench_search_text(const Json& m, bool colour) {
  char text[600];
  const auto get = [&](const char* key) { return m.at(key).get<double>(); };
  const Json& share = m["share_of_product"];
  const Json& time = m["time_to_99_percent_s"];
  std::snprintf(text, sizeof text,
                "\n%sSEARCH%s  sub-networks of a super-network, one core, kernel %s\n"
                "  latency and accuracy of %.0f k sub-networks/s (median; best %.0f k)\n"
                "  %.0f %% of the throughput of Eigen's product alone, %.0f GFLOP/s  (rounds: %.0f to %.0f)\n",
                colour ? "\033[1m" : "", colour ? "\033[0m" : "", m["kernel"].get<std::string>().c_str(),
                get("evaluations_per_s_median") * 1e-3, get("evaluations_per_s") * 1e-3,
                100 * share["median"].get<double>(), get("product_gflops"), 100 * share["least"].get<double>(),
                100 * share["largest"].get<double>());
  std::string out = text;
  if (time.is_null())
    out += "  not every seed reached 99 % of the best known hypervolume\n";
  else {
    std::snprintf(text, sizeof text, "  99 %% of the best known hypervolume after %.2f s (slowest seed)\n",
                  time.get<double>());
    out += text;
  }
  return out;
}

}  // namespace dynasoc::cli
