// Do the parts of a search keep what their headers promise, compared with brute force where that is possible?
#include "explore/search/search.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <set>

#include <catch2/catch.hpp>

#include "common/text.hpp"
#include "explore/search/export.hpp"
#include "explore/search/report.hpp"
#include "support/program.hpp"
#include "support/source_dir.hpp"
#include "support/temporary_folder.hpp"

namespace dynasoc::search {
namespace {

using dynasoc::test::kRoot;
const std::filesystem::path kSearches = kRoot / "scenarios" / "search";

// A space of 2 x 2^5 x … sub-networks that brute force can look at.
const Overrides kTiny{{"method", R"({"kind": "exhaustive"})"},
                      {"space", R"({"resolutions": [160, 224], "kernels": [3, 7], "expansions": [6], "depths": [2]})"},
                      {"relaxation_samples", "600"}};

Prepared tiny(Overrides more = {}) {
  Overrides all = kTiny;
  all.insert(all.end(), more.begin(), more.end());
  return prepare(kSearches / "dynamic-ofa-gpu.json", all);
}

std::vector<Configuration> every(const Space& space) {
  std::set<Configuration> out;
  const auto box = space.box();
  std::vector<double> genes(box.low.size(), 0);
  const std::function<void(std::size_t)> set = [&](std::size_t g) {
    if (g == genes.size()) {
      out.insert(space.decode(genes));
      return;
    }
    // Slots 2 and 3 are never used at depth 2: they need not be turned.
    const std::size_t slot = g > 5 ? (g - 6) % 4 : 0;
    for (double x = 0; x <= (slot >= 2 ? 0 : box.high[g]); ++x) {
      genes[g] = x;
      set(g + 1);
    }
    genes[g] = 0;
  };
  set(0);
  return {out.begin(), out.end()};
}

TEST_CASE("spaces are counted exactly", "[search]") {
  const auto whole = prepare(kSearches / "dynamic-ofa-gpu.json");
  // 17 resolutions; a stage has 81 + 729 + 6561 = 7371.
  CHECK(count_text(whole.problem->space.count()) == "369 897 143 373 732 259 467");
  const auto small = tiny();
  CHECK(count_text(small.problem->space.count()) == "2 048");
  CHECK(every(small.problem->space).size() == 2048);
  const auto mixed = tiny({{"space", R"({"resolutions": [160], "kernels": [3], "expansions": [3, 6], "depths": [2, 3],
                             "stages": [{"depths": [4]}, {}, {"kernels": [5, 7], "depths": [2]}, {}, {}]})"}});
  CHECK(count_text(mixed.problem->space.count()) == "442 368");  // 16 * 12 * 16 * 12 * 12
}

TEST_CASE("genes and configurations translate into each other; unused slots do not count", "[search]") {
  const auto prepared = prepare(kSearches / "dynamic-ofa-gpu.json");
  const Space& space = prepared.problem->space;
  const Stream stream(3, "test");
  for (std::uint64_t n = 0; n < 200; ++n) {
    const Configuration c = space.draw(stream, n);
    CHECK(space.decode(space.encode(c)) == c);
    Configuration dirty = c;
    for (std::size_t s = 0; s < kStages; ++s)
      for (std::size_t j = c.depth[s]; j < kSlots; ++j) dirty.kernel[s * kSlots + j] = 2;
    CHECK(prepared.problem->latency_ms(dirty) == prepared.problem->latency_ms(c));
    dirty.make_canonical();
    CHECK(dirty == c);
  }
}

TEST_CASE("enumeration, extremes and the relaxed front are those of brute force", "[search]") {
  const auto prepared = tiny();
  const Problem& problem = *prepared.problem;
  const auto all = every(problem.space);
  Evaluator evaluate(problem, 1);
  std::vector<Point> points;
  evaluate(all, points);

  std::vector<std::vector<double>> objectives;
  for (const Point& point : points) objectives.push_back({point.latency_ms, -point.accuracy});
  std::vector<std::pair<double, double>> front;
  for (const std::size_t i : explore::non_dominated(objectives))
    front.emplace_back(points[i].latency_ms, points[i].accuracy);
  std::sort(front.begin(), front.end());
  for (const int jobs : {1, 3}) {
    const Result result = search(prepared, {.seed = 1, .jobs = jobs, .progress = {}, .on_generation = {}});
    CHECK(result.method == "exhaustive");
    CHECK(result.evaluations == 2048);
    REQUIRE(result.front.size() == front.size());
    for (std::size_t i = 0; i < front.size(); ++i) {
      CHECK(result.front[i].latency_ms == front[i].first);
      CHECK(result.front[i].accuracy == front[i].second);
    }
    const double area = explore::hypervolume(objectives, {problem.reference_cost, -problem.reference_accuracy});
    CHECK(result.hypervolume == Approx(area));
    CHECK(result.generations.back().hypervolume == Approx(area));
    CHECK(result.bound_hypervolume >= result.hypervolume);
  }

  const auto [least, most] = std::minmax_element(
      points.begin(), points.end(), [](const Point& a, const Point& b) { return a.memory_mb < b.memory_mb; });
  CHECK(problem.memory_mb(problem.space.extreme(problem.memory_mb)) == Approx(least->memory_mb));
  CHECK(problem.memory_mb(problem.space.extreme(problem.memory_mb, true)) == Approx(most->memory_mb));

  Evaluator again(problem, 1);
  const auto additive = fit_additive(problem, again, 600, 1);
  CHECK(additive.rmse < 0.5);
  std::vector<std::vector<double>> relaxed;
  for (const Configuration& c : all) relaxed.push_back({problem.latency_ms(c), -additive(c)});
  const auto kept = explore::non_dominated(relaxed);
  const auto exact = relaxed_front(problem, additive, 2);
  const auto area = explore::hypervolume(relaxed, {problem.reference_cost, -problem.reference_accuracy});
  CHECK(hypervolume(exact, 0, problem.reference_cost, problem.reference_accuracy) == Approx(area).epsilon(1e-9));
  // Sums in another order round otherwise: points that differ by no more are one or two.
  CHECK(std::abs(static_cast<double>(exact.size()) - static_cast<double>(kept.size())) <= 3);
  // The hull's sub-networks lie on that front.
  for (const Configuration& c : relaxed_hull(problem, additive, 20)) {
    const bool dominated = std::any_of(exact.begin(), exact.end(), [&](const RelaxedPoint& p) {
      return p.cost <= problem.latency_ms(c) - 1e-9 && p.accuracy >= additive(c) + 1e-9;
    });
    CHECK_FALSE(dominated);
  }
}

TEST_CASE("every method keeps constraints, gives a front, and the same on any number of threads", "[search]") {
  for (const char* method : {R"({"kind": "nsga2", "population": 40, "generations": 5})",
                             R"({"kind": "aged", "population": 20, "generations": 3, "levels": 4})",
                             R"({"kind": "random", "samples": 2000})"}) {
    CAPTURE(method);
    const auto prepared =
        prepare(kSearches / "dynamic-ofa-gpu.json",
                {{"method", method},
                 {"polish", "6000"},
                 {"constraints", R"({"most_memory_mb": 30, "most_macs_m": 450, "most_latency_ms": 52})"}});
    const Result one = search(prepared, {.seed = 5, .jobs = 1, .progress = {}, .on_generation = {}});
    const Result three = search(prepared, {.seed = 5, .jobs = 3, .progress = {}, .on_generation = {}});
    CHECK(search_json(prepared, one) == search_json(prepared, three));
    CHECK(front_csv(prepared, one) == front_csv(prepared, three));
    CHECK(search_json(prepared, one) !=
          search_json(prepared, search(prepared, {.seed = 6, .jobs = 1, .progress = {}, .on_generation = {}})));
    REQUIRE(one.front.size() > 10);
    for (std::size_t i = 0; i < one.front.size(); ++i) {
      CHECK(prepared.problem->violation(one.front[i]) == 0);
      CHECK(one.front[i].memory_mb <= 30);
      CHECK(one.front[i].latency_ms <= 52);
      if (i == 0) continue;
      CHECK(one.front[i].latency_ms > one.front[i - 1].latency_ms);
      CHECK(one.front[i].accuracy > one.front[i - 1].accuracy);
    }
    for (std::size_t i = 1; i < one.generations.size(); ++i)
      CHECK(one.generations[i].hypervolume >= one.generations[i - 1].hypervolume);
    CHECK(one.generations.back().evaluations == one.evaluations);
  }
}

TEST_CASE("constraints that contradict each other are named with what the others allow", "[search]") {
  const auto prepared = tiny({{"constraints", R"({"most_latency_ms": 37.8, "least_accuracy": 76})"}});
  try {
    search(prepared, {});
    FAIL("it found something");
  } catch (const InputError& error) {
    const std::string text = error.what();
    CAPTURE(text);
    CHECK(text.find("/constraints: no sub-network was found that keeps all of them") != std::string::npos);
    CHECK(text.find("without most_latency_ms (37.8) the others allow ") != std::string::npos);
    CHECK(text.find("without least_accuracy (76) the others allow ") != std::string::npos);
  }
}

TEST_CASE("a front keeps what is not dominated, in any order of arrival", "[search]") {
  const Stream stream(9, "test");
  for (std::uint64_t round = 0; round < 20; ++round) {
    Front front(Objective::latency_ms);
    std::vector<std::vector<double>> offered;
    for (std::uint64_t n = 0; n < 60; ++n) {
      Point point;
      point.latency_ms = std::floor(20 * stream.uniform(round * 1000 + 2 * n));  // many ties
      point.accuracy = std::floor(20 * stream.uniform(round * 1000 + 2 * n + 1));
      front.offer(point);
      offered.push_back({point.latency_ms, -point.accuracy});
    }
    CHECK(front.points().size() == explore::non_dominated(offered).size());
    CHECK(front.hypervolume(21, -1) == Approx(explore::hypervolume(offered, {21, 1})));
    for (double cost = -1; cost < 21; ++cost) {
      double best = 0;
      for (const auto& one : offered)
        if (one[0] <= cost) best = std::max(best, -one[1]);
      CHECK(front.accuracy_at(cost) == best);
    }
  }
}

// All selections of k of n.
void choose(std::size_t n, std::size_t k, const std::function<void(const std::vector<std::size_t>&)>& use,
            std::vector<std::size_t> so_far = {}) {
  if (so_far.size() == k) return use(so_far);
  for (std::size_t i = so_far.empty() ? 0 : so_far.back() + 1; i < n; ++i) {
    auto more = so_far;
    more.push_back(i);
    choose(n, k, use, more);
  }
}

TEST_CASE("selections are the best there are", "[search]") {
  const Stream stream(4, "test");
  for (std::uint64_t round = 0; round < 12; ++round) {
    std::vector<Candidate> front;
    double cost = 20, accuracy = 60;
    for (std::uint64_t i = 0; i < 9; ++i) {
      cost += 0.1 + 5 * stream.uniform(round * 100 + 2 * i);
      accuracy += 0.1 + 3 * stream.uniform(round * 100 + 2 * i + 1);
      front.push_back({cost, accuracy});
    }
    TargetDistribution listed;
    for (std::uint64_t i = 0; i < 25; ++i) listed.values.push_back(10 + 50 * stream.uniform(round * 100 + 50 + i));
    std::sort(listed.values.begin(), listed.values.end());
    TargetDistribution uniform{25, 55, {}};

    const auto regret_of = [&](const std::vector<std::size_t>& chosen, double target) {
      double all = -1, mine = -1;
      for (std::size_t i = 0; i < front.size(); ++i) {
        if (front[i].cost > target) continue;
        all = front[i].accuracy;
        if (std::find(chosen.begin(), chosen.end(), i) != chosen.end()) mine = front[i].accuracy;
      }
      if (all < 0) return 0.0;
      return all - (mine < 0 ? 40.0 : mine);
    };
    const auto by_listed = select_by_regret(front, 5, listed, 40);
    const auto by_uniform = select_by_regret(front, 5, uniform, 40);
    const auto by_area = select_by_hypervolume(front, 5, 50, 62);
    REQUIRE(by_listed.size() == 5);
    for (std::size_t k = 1; k <= 5; ++k) {
      double least = 1e9, most_area = 0, of_chosen = 0;
      choose(front.size(), k, [&](const auto& chosen) {
        double sum = 0;
        for (const double target : listed.values) sum += regret_of(chosen, target);
        least = std::min(least, sum / 25);
        if (chosen == by_listed[k - 1].chosen) of_chosen = sum / 25;
        std::vector<std::vector<double>> points;
        for (const std::size_t i : chosen) points.push_back({front[i].cost, -front[i].accuracy});
        most_area = std::max(most_area, explore::hypervolume(points, {50, -62}));
      });
      CHECK(by_listed[k - 1].value == Approx(least).margin(1e-9));
      CHECK(of_chosen == Approx(least).margin(1e-9));
      CHECK(by_area[k - 1].value == Approx(most_area).margin(1e-9));
      // Uniform targets: the integral, by many midpoints.
      double sum = 0;
      constexpr int kSteps = 20000;
      for (int i = 0; i < kSteps; ++i) sum += regret_of(by_uniform[k - 1].chosen, 25 + 30 * (i + 0.5) / kSteps);
      CHECK(by_uniform[k - 1].value == Approx(sum / kSteps).margin(0.02));
      if (k > 1) CHECK(by_uniform[k - 1].value <= by_uniform[k - 2].value + 1e-12);
    }
  }
}

TEST_CASE("a fitted line tells its errors", "[search]") {
  const Line line = fit_line({1, 2, 3, 4}, {3, 5, 7, 13}, "by hand", {});
  CHECK(line.slope == Approx(3.2));  // normal equations by hand
  CHECK(line.intercept == Approx(-1));
  CHECK(line.largest_error == Approx(1.6));
  CHECK(line.rmse == Approx(std::sqrt((0.64 + 0.16 + 2.56 + 1.44) / 4)));
  CHECK(line.leave_one_out == Approx(4));  // the last, by the line through the others
  CHECK_THROWS_AS(fit_line({2, 2}, {1, 3}, "", {std::make_shared<const Document>(), ""}), InputError);
}

TEST_CASE("an exported network runs at once", "[search]") {
  const test::TemporaryFolder scratch;
  const auto folder = scratch.path() / "found";
  const auto made = test::dynasoc_in(
      kRoot,
      "search scenarios/search/small.json --set select.count=4 --set select.most=4 "
      "--set 'space={\"resolutions\":[192,224],\"kernels\":[5],\"expansions\":[4,6],\"depths\":[2]}' --export '" +
          folder.string() + "' --quiet");
  INFO(made.err);
  REQUIRE(made.status == 0);
  CHECK(test::dynasoc_in(kRoot, "search scenarios/search/ship-four.json --export '" + folder.string() + "2'").status ==
        2);
  CHECK_FALSE(std::filesystem::exists(folder.string() + "2"));
  const auto linted = test::dynasoc_in(kRoot, "lint '" + (folder / "network.json").string() + "'");
  CHECK(linted.out.find("a good network") != std::string::npos);
  const Network network = Network::load(folder / "network.json");
  REQUIRE(network.size() == 4);
  CHECK(network.file.subnets[0].memory_mb > 10);
  CHECK(network.file.subnets[0].config.value["supernetwork"] == "once-for-all-mbv3");
  CHECK(network.file.switch_cost.time_ms == 550);
  for (const Cell& cell : network.table("search").cells) CHECK(cell.provenance == Provenance::derived);
  const auto run = test::dynasoc_in(
      kRoot, "run scenarios/claims/gpu-sharing.json --set applications.classifier.network='" +
                 (folder / "network.json").string() + "' --set applications.classifier.subnet=L3 --json");
  INFO(run.err);
  CHECK(run.status == 0);
  CHECK(Json::parse(run.out)["apps"]["classifier"]["completed"].get<int>() > 10);
  CHECK(Json::parse(run.out)["provenance"]["derived"].get<double>() == 1);
}

TEST_CASE("dynasoc search writes its directory, and the same again", "[search]") {
  const test::TemporaryFolder scratch;
  const std::string command = "search scenarios/search/ship-four.json --quiet --out '";
  for (const char* name : {"a", "b"})
    REQUIRE(test::dynasoc_in(kRoot, command + (scratch.path() / name).string() + "'").status == 0);
  for (const char* file : {"front.csv", "search.json"})
    CHECK(read_file(scratch.path() / "a" / file) == read_file(scratch.path() / "b" / file));
  CHECK(test::dynasoc_in(kRoot, command + (scratch.path() / "a").string() + "'").status == 2);
  CHECK(test::dynasoc_in(kRoot, command + (scratch.path() / "a").string() + "' --force").status == 0);
  const Json json = Json::parse(test::dynasoc_in(kRoot, "search scenarios/search/ship-four.json --json").out);
  CHECK(json["front"].size() == 10);
  CHECK(json["select"]["by_regret"][3]["front"] == Json({"L3", "L6", "L37", "L93"}));
}

}  // namespace
}  // namespace dynasoc::search
