// Does the optimiser keep what its header promises, pagmo's part of it included?
#include "explore/optimiser.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <catch2/catch.hpp>

namespace dynasoc::explore {
namespace {

using Points = std::vector<std::vector<double>>;

// ZDT1 (Zitzler, Deb, Thiele, Evolutionary Computation 8, 2000): the front is f2 = 1 - sqrt(f1). Below (1.1, 1.1) it
// leaves 1.1*1.1 - 1/3 of the square: area above the curve for f1 in [0, 1], and what is right of 1.
std::vector<double> zdt1(const std::vector<double>& x) {
  double g = 0;
  for (std::size_t i = 1; i < x.size(); ++i) g += x[i];
  g = 1 + 9 * g / static_cast<double>(x.size() - 1);
  return {x[0], g * (1 - std::sqrt(x[0] / g))};
}
constexpr double kZdt1 = 1.21 - 1.0 / 3;

OptimiserRequest zdt1_request(Algorithm algorithm) {
  OptimiserRequest request;
  request.box = {std::vector<double>(6, 0.0), std::vector<double>(6, 1.0), 0};
  request.algorithm = algorithm;
  request.population = 40;
  request.generations = 150;
  request.seed = 7;
  request.evaluate = [](const Points& points) {
    Points out;
    for (const auto& x : points) out.push_back(zdt1(x));
    return out;
  };
  return request;
}

Points objectives_of(const std::vector<Individual>& population) {
  Points out;
  for (const Individual& one : population) out.push_back(one.objectives);
  return out;
}

bool same(const std::vector<Individual>& a, const std::vector<Individual>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].x != b[i].x || a[i].objectives != b[i].objectives) return false;
  return true;
}

TEST_CASE("a known front is found, and its hypervolume is neither missed nor exceeded", "[optimiser]") {
  if (!available(Algorithm::nsga2)) {
    WARN("built without pagmo");
    return;
  }
  const auto found = hypervolume(objectives_of(optimise(zdt1_request(Algorithm::nsga2))), {1.1, 1.1});
  CHECK(found < kZdt1);
  CHECK(found > 0.97 * kZdt1);
  const auto decomposed = hypervolume(objectives_of(optimise(zdt1_request(Algorithm::moead))), {1.1, 1.1});
  CHECK(decomposed < kZdt1);
  CHECK(decomposed > 0.9 * kZdt1);
  const auto drawn = hypervolume(objectives_of(optimise(zdt1_request(Algorithm::random))), {1.1, 1.1});
  CHECK(drawn < found);
}

TEST_CASE("the same request gives the same points, another seed gives others", "[optimiser]") {
  for (const Algorithm algorithm : {Algorithm::nsga2, Algorithm::moead, Algorithm::random, Algorithm::sobol}) {
    if (!available(algorithm)) continue;
    auto request = zdt1_request(algorithm);
    request.generations = 10;
    const auto once = optimise(request);
    CHECK(same(once, optimise(request)));
    request.seed = 8;
    CHECK_FALSE(same(once, optimise(request)));
  }
}

TEST_CASE("whole-numbered coordinates are whole, and the best of them is found", "[optimiser]") {
  OptimiserRequest request;
  request.box = {{-1, 0, 0, 0}, {1, 9, 9, 9}, 3};
  request.population = 42;  // becomes 44: pagmo's NSGA-II mates in fours
  request.generations = 60;
  request.evaluate = [](const Points& points) {
    Points out;
    for (const auto& x : points) {
      for (std::size_t i = 1; i < 4; ++i)
        if (x[i] != std::floor(x[i]) || x[i] < 0 || x[i] > 9) throw std::runtime_error("not a whole number");
      const double sum = x[1] + x[2] + x[3];
      out.push_back({sum + x[0] * x[0], 27 - sum + x[0] * x[0]});
    }
    return out;
  };
  for (const Algorithm algorithm : {Algorithm::nsga2, Algorithm::moead, Algorithm::random, Algorithm::sobol}) {
    if (!available(algorithm)) continue;
    request.algorithm = algorithm;
    std::size_t calls = 0, shown = 0;
    request.on_generation = [&](std::size_t generation, const std::vector<Individual>& population) {
      CHECK(generation == calls++);
      shown += population.size();
    };
    const auto population = optimise(request);
    CHECK(calls == 61);
    CHECK(shown >= 61 * 42);
    // Every sum from 0 to 27 is a point of the front, its corner at (sum, 27 - sum).
    const double all = hypervolume(objectives_of(population), {28, 28});
    CHECK(all < 28.0 * 29 / 2 + 1e-9);
    CHECK(all > (algorithm == Algorithm::nsga2 ? 0.95 : 0.5) * 28 * 29 / 2);
    if (algorithm == Algorithm::nsga2) CHECK(population.size() == 44);
  }
}

TEST_CASE("a population begins with the points it was given", "[optimiser]") {
  if (!available(Algorithm::nsga2)) {
    WARN("built without pagmo");
    return;
  }
  auto request = zdt1_request(Algorithm::nsga2);
  request.generations = 0;
  request.start = {{0.25, 0, 0, 0, 0, 0}};
  const auto population = optimise(request);
  REQUIRE(population.size() == 40);
  CHECK(population[0].x == request.start[0]);
  CHECK(population[0].objectives == std::vector<double>{0.25, 0.5});
}

TEST_CASE("coordinates with one value and single objectives are no hindrance", "[optimiser]") {
  for (const Algorithm algorithm : {Algorithm::nsga2, Algorithm::moead}) {
    if (!available(algorithm)) continue;
    OptimiserRequest request;
    request.box = {{2, 0, 5, 0}, {2, 1, 5, 9}, 2};  // the first and the third are fixed; the last two are whole
    request.objectives = 1;
    request.algorithm = algorithm;
    request.population = 24;
    request.generations = 60;
    request.start = {{2, 0.5, 5, 1}};
    std::size_t shown = 0;
    request.evaluate = [](const Points& points) {
      Points out;
      for (const auto& x : points) {
        CHECK((x.size() == 4 && x[0] == 2 && x[2] == 5 && x[3] == std::round(x[3])));
        out.push_back({std::abs(x[1] - 0.25) + std::abs(x[3] - 7)});
      }
      return out;
    };
    request.on_generation = [&](std::size_t, const std::vector<Individual>& population) {
      for (const Individual& one : population) CHECK((one.x.size() == 4 && one.objectives.size() == 1));
      ++shown;
    };
    const auto population = optimise(request);
    REQUIRE(!population.empty());
    double best = 1e9;
    for (const Individual& one : population) best = std::min(best, one.objectives.at(0));
    CHECK(best < 0.01);
    CHECK(shown > 0);

    request.box = {{2, 5}, {2, 5}, 0};
    request.start.clear();
    request.evaluate = [](const Points& points) { return Points(points.size(), {3}); };
    request.on_generation = nullptr;
    const auto only = optimise(request);
    REQUIRE(only.size() == 1);
    CHECK(only[0].x == std::vector<double>{2, 5});
    CHECK(only[0].objectives == std::vector<double>{3});
  }
}

struct Stop {
  int reason;
};

TEST_CASE("what an evaluation throws comes out as it was", "[optimiser]") {
  for (const Algorithm algorithm : {Algorithm::nsga2, Algorithm::moead, Algorithm::random}) {
    if (!available(algorithm)) continue;
    auto request = zdt1_request(algorithm);
    std::size_t evaluated = 0;
    const auto inner = request.evaluate;
    request.evaluate = [&](const Points& points) {
      evaluated += points.size();
      if (evaluated > 100) throw Stop{42};
      return inner(points);
    };
    try {
      optimise(request);
      FAIL("it did not stop");
    } catch (const Stop& stop) {
      CHECK(stop.reason == 42);
    }
  }
}

TEST_CASE("requests that make no sense are refused", "[optimiser]") {
  auto request = zdt1_request(Algorithm::random);
  request.box.high.pop_back();
  CHECK_THROWS_AS(optimise(request), InternalError);
  request = zdt1_request(Algorithm::random);
  request.box.integers = 1;
  request.box.high.back() = 0.5;
  CHECK_THROWS_AS(optimise(request), InternalError);
  request = zdt1_request(Algorithm::random);
  request.evaluate = [](const Points& points) { return Points(points.size(), {0, NAN}); };
  CHECK_THROWS_AS(optimise(request), InternalError);
}

TEST_CASE("what is not dominated, by hand and against all pairs", "[optimiser]") {
  CHECK(non_dominated({{1, 3}, {2, 2}, {2, 3}, {3, 1}, {2, 2}, {1, 4}}) == std::vector<std::size_t>{0, 1, 3});
  CHECK(non_dominated({}).empty());
  // Three objectives, the last constant: the same answer by the other way.
  CHECK(non_dominated({{1, 3, 5}, {2, 2, 5}, {2, 3, 5}, {3, 1, 5}, {2, 2, 5}}) == std::vector<std::size_t>{0, 1, 3});
}

TEST_CASE("hypervolumes by hand", "[optimiser]") {
  CHECK(hypervolume({{1, 3}, {2, 2}, {3, 1}, {5, 0}, {2, 2}}, {4, 4}) == Approx(6));
  CHECK(hypervolume({{4, 0}}, {4, 4}) == 0);
  CHECK(hypervolume({{1}, {3}}, {4}) == Approx(3));
  if (!available(Algorithm::nsga2)) {
    WARN("built without pagmo");
    return;
  }
  // Two boxes of 1x2x3 and 2x1x3 below (2, 2, 3) that share 1x1x3.
  CHECK(hypervolume({{1, 0, 0}, {0, 1, 0}, {1, 1, 1}}, {2, 2, 3}) == Approx(9));
}

}  // namespace
}  // namespace dynasoc::explore
