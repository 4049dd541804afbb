#include "explore/optimiser.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numeric>
#include <string>
#include <system_error>

#include <boost/random/sobol.hpp>

#include "common/error.hpp"
#include "common/installation.hpp"
#include "explore/pagmo/pagmo_interface.hpp"
#include "kernel/random.hpp"

namespace dynasoc::explore {
namespace {

using Points = std::vector<std::vector<double>>;

// Where this was installed, or else where it was built.
const pagmo_module::Functions* find_module(std::string& why) {
  constexpr const char* kFile = "dynasoc-pagmo.so";
  std::error_code code;
  std::vector<std::filesystem::path> places = installation::modules(kFile);
#ifdef DYNASOC_PAGMO_MODULE
  places.emplace_back(DYNASOC_PAGMO_MODULE);
#endif
  why = "there is no dynasoc-pagmo.so beside this program; `make build` makes it where pagmo is installed";
  for (const auto& path : places) {
    if (!std::filesystem::exists(path, code)) continue;
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      why = std::string("dynasoc-pagmo.so cannot be loaded: ") + ::dlerror();
      continue;
    }
    const auto entry = reinterpret_cast<pagmo_module::Entry>(::dlsym(library, pagmo_module::kEntry));
    if (const auto* functions = entry == nullptr ? nullptr : entry(pagmo_module::kVersion)) return functions;
    why = path.string() + " was made for another version of this program";
  }
  return nullptr;
}

struct Module {
  std::string why;
  const pagmo_module::Functions* functions = find_module(why);
};

const Module& module() {
  static const Module module;
  return module;
}

const pagmo_module::Functions& pagmo(const char* what) {
  if (module().functions == nullptr)
    throw OutsideError(std::string(what) + " needs pagmo: " + module().why + " (Debian: libpagmo-dev)");
  return *module().functions;
}

void check(const OptimiserRequest& request) {
  const Box& box = request.box;
  if (box.low.empty() || box.low.size() != box.high.size() || box.integers > box.low.size())
    throw InternalError("optimise: the box is empty, or its bounds differ in number");
  for (std::size_t i = 0; i < box.low.size(); ++i) {
    if (!(box.low[i] <= box.high[i]) || !std::isfinite(box.high[i] - box.low[i]))
      throw InternalError("optimise: a coordinate's bounds are not an interval");
    if (i >= box.low.size() - box.integers &&
        (box.low[i] != std::floor(box.low[i]) || box.high[i] != std::floor(box.high[i])))
      throw InternalError("optimise: a whole-numbered coordinate has fractional bounds");
  }
  if (request.objectives == 0 || request.population == 0 || !request.evaluate)
    throw InternalError("optimise: no objectives, no population or nothing that evaluates");
  for (const auto& point : request.start)
    if (point.size() != box.low.size()) throw InternalError("optimise: a starting point of another dimension");
}

// The point of the box at `unit`, which is in [0, 1) everywhere. Whole numbers get equal shares.
std::vector<double> point_at(const Box& box, const std::vector<double>& unit) {
  std::vector<double> x(box.low.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool whole = i >= x.size() - box.integers;
    x[i] = whole ? std::min(box.high[i], box.low[i] + std::floor(unit[i] * (box.high[i] - box.low[i] + 1)))
                 : box.low[i] + unit[i] * (box.high[i] - box.low[i]);
  }
  return x;
}

// Points drawn one after another: independent, or a Sobol sequence moved by a random vector (modulo 1), so that seeds
// give different sequences of the same uniformity (Cranley and Patterson, SIAM J. Numer. Anal. 13, 1976).
class Draws {
 public:
  Draws(const OptimiserRequest& request)
      : box_(request.box), stream_(request.seed, "explore/draws"), sobol_(request.box.low.size()) {
    if (request.algorithm != Algorithm::sobol) return;
    for (std::size_t i = 0; i < box_.low.size(); ++i) shift_.push_back(stream_.uniform(i));
  }
  std::vector<double> next() {
    std::vector<double> unit(box_.low.size());
    for (std::size_t i = 0; i < unit.size(); ++i) {
      if (shift_.empty()) {
        unit[i] = stream_.uniform(drawn_++);
      } else {
        unit[i] = std::ldexp(static_cast<double>(sobol_() >> 11), -53) + shift_[i];
        if (unit[i] >= 1) unit[i] -= 1;
      }
    }
    return point_at(box_, unit);
  }

 private:
  const Box& box_;
  Stream stream_;
  boost::random::sobol sobol_;
  std::vector<double> shift_;
  std::uint64_t drawn_ = 0;
};

Points evaluated(const OptimiserRequest& request, const Points& points) {
  Points out = request.evaluate(points);
  if (out.size() != points.size()) throw InternalError("optimise: not as many objectives as points");
  for (const auto& one : out) {
    if (one.size() != request.objectives) throw InternalError("optimise: another number of objectives");
    if (!std::all_of(one.begin(), one.end(), [](double f) { return std::isfinite(f); }))
      throw InternalError("optimise: an objective is not finite");
  }
  return out;
}

std::vector<Individual> individuals(const Points& x, const Points& objectives) {
  std::vector<Individual> out;
  out.reserve(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) out.push_back({x[i], objectives[i]});
  return out;
}

std::vector<Individual> draw(const OptimiserRequest& request, Draws& draws) {
  std::vector<Individual> best;
  for (std::size_t generation = 0; generation <= request.generations; ++generation) {
    Points x;
    if (generation == 0) x.assign(request.start.begin(), request.start.end());
    while (x.size() < request.population) x.push_back(draws.next());
    x.resize(request.population);
    auto drawn = individuals(x, evaluated(request, x));
    if (request.on_generation) request.on_generation(generation, drawn);
    best.insert(best.end(), std::make_move_iterator(drawn.begin()), std::make_move_iterator(drawn.end()));
    Points objectives;
    for (const Individual& one : best) objectives.push_back(one.objectives);
    std::vector<Individual> kept;
    for (const std::size_t i : non_dominated(objectives)) kept.push_back(std::move(best[i]));
    best = std::move(kept);
  }
  return best;
}

double hypervolume_2d(Points points, const std::vector<double>& reference) {
  std::sort(points.begin(), points.end());
  double sum = 0, lowest = reference[1];
  for (const auto& point : points) {
    if (point[1] >= lowest) continue;
    sum += (reference[0] - point[0]) * (lowest - point[1]);
    lowest = point[1];
  }
  return sum;
}

}  // namespace

namespace {

// pagmo refuses what leaves nothing to choose: a coordinate with one value, a single objective. The first is left out
// and put back; the second is asked for twice, which makes domination the plain order.
std::vector<Individual> without_fixed(const OptimiserRequest& request) {
  const std::vector<double> fixed = request.box.low;
  std::vector<std::size_t> free;
  OptimiserRequest inner = request;
  inner.box = {};
  for (std::size_t i = 0; i < fixed.size(); ++i) {
    if (request.box.low[i] == request.box.high[i]) continue;
    free.push_back(i);
    inner.box.low.push_back(request.box.low[i]);
    inner.box.high.push_back(request.box.high[i]);
    inner.box.integers += i >= fixed.size() - request.box.integers;
  }
  const bool single = request.objectives == 1;
  if (single) inner.objectives = 2;
  const auto whole = [&](const std::vector<double>& x) {
    std::vector<double> out = fixed;
    for (std::size_t i = 0; i < free.size(); ++i) out[free[i]] = x[i];
    return out;
  };
  const auto outer = [&](const std::vector<Individual>& population) {
    std::vector<Individual> out;
    for (const Individual& one : population)
      out.push_back({whole(one.x), single ? std::vector<double>{one.objectives[0]} : one.objectives});
    return out;
  };
  if (free.empty()) {  // one point is all there is
    std::vector<Individual> out{{fixed, request.evaluate({fixed})[0]}};
    if (request.on_generation) request.on_generation(0, out);
    return out;
  }
  inner.start.clear();
  for (const auto& point : request.start) {
    inner.start.emplace_back();
    for (const std::size_t i : free) inner.start.back().push_back(point[i]);
  }
  inner.evaluate = [&](const Points& points) {
    Points complete;
    for (const auto& point : points) complete.push_back(whole(point));
    Points out = request.evaluate(complete);
    for (auto& objectives : out)
      if (single && objectives.size() == 1) objectives.push_back(objectives[0]);
    return out;
  };
  if (request.on_generation)
    inner.on_generation = [&](std::size_t generation, const std::vector<Individual>& population) {
      request.on_generation(generation, outer(population));
    };
  return outer(optimise(inner));
}

}  // namespace

std::vector<Individual> optimise(const OptimiserRequest& request) {
  check(request);
  const bool evolves = request.algorithm == Algorithm::nsga2 || request.algorithm == Algorithm::moead;
  bool fixed = request.objectives == 1;
  for (std::size_t i = 0; i < request.box.low.size(); ++i) fixed = fixed || request.box.low[i] == request.box.high[i];
  if (evolves && fixed) return without_fixed(request);
  Draws draws(request);
  if (request.algorithm == Algorithm::random || request.algorithm == Algorithm::sobol) return draw(request, draws);

  const bool decomposition = request.algorithm == Algorithm::moead;
  const auto& functions = pagmo(decomposition ? "MOEA/D" : "NSGA-II");
  // pagmo's NSGA-II mates in fours; MOEA/D-DE takes three others for each.
  const std::size_t size = decomposition ? std::max<std::size_t>(request.population, 8)
                                         : (std::max<std::size_t>(request.population, 8) + 3) / 4 * 4;
  pagmo_module::Evolution evolution{
      .x = {},
      .objectives = {},
      .low = request.box.low,
      .high = request.box.high,
      .integers = request.box.integers,
      .generations = request.generations,
      .seed = static_cast<unsigned>(Stream(request.seed, "explore/pagmo").bits(0)),
      .decomposition = decomposition,
      .crossover = request.crossover,
      .eta_crossover = request.eta_crossover,
      .mutation = request.mutation > 0 ? request.mutation : 1 / static_cast<double>(request.box.low.size()),
      .eta_mutation = request.eta_mutation,
      .evaluate = [&request](const Points& points) { return evaluated(request, points); },
      .on_generation = {}};
  if (request.on_generation)
    evolution.on_generation = [&request](std::size_t generation, const Points& x, const Points& objectives) {
      request.on_generation(generation, individuals(x, objectives));
    };
  evolution.x.assign(request.start.begin(), request.start.end());
  while (evolution.x.size() < size) evolution.x.push_back(draws.next());
  evolution.x.resize(size);
  evolution.objectives = evaluated(request, evolution.x);
  if (request.on_generation) request.on_generation(0, individuals(evolution.x, evolution.objectives));
  functions.evolve(evolution);
  return individuals(evolution.x, evolution.objectives);
}

bool available(Algorithm algorithm) {
  return algorithm == Algorithm::random || algorithm == Algorithm::sobol || module().functions != nullptr;
}

std::vector<std::size_t> non_dominated(const Points& objectives) {
  std::vector<std::size_t> order(objectives.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // In lexicographic order nothing is dominated by what follows it.
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (objectives[a] != objectives[b]) return objectives[a] < objectives[b];
    return a < b;
  });
  std::vector<std::size_t> kept;
  double lowest = std::numeric_limits<double>::infinity();
  for (const std::size_t i : order) {
    const auto& one = objectives[i];
    if (one.size() == 2) {
      if (!(one[1] < lowest)) continue;
      lowest = one[1];
    } else {
      const bool dominated = std::any_of(kept.begin(), kept.end(), [&](std::size_t j) {
        const auto& other = objectives[j];
        for (std::size_t k = 0; k < one.size(); ++k)
          if (other[k] > one[k]) return false;
        return true;
      });
      if (dominated) continue;
    }
    kept.push_back(i);
  }
  std::sort(kept.begin(), kept.end());
  return kept;
}

double hypervolume(const Points& points, const std::vector<double>& reference) {
  Points inside;
  for (const auto& point : points) {
    if (point.size() != reference.size()) throw InternalError("hypervolume: a point of another dimension");
    bool beats = true;
    for (std::size_t k = 0; k < point.size(); ++k) beats = beats && point[k] < reference[k];
    if (beats) inside.push_back(point);
  }
  if (inside.empty()) return 0;
  if (reference.size() == 1) return reference[0] - (*std::min_element(inside.begin(), inside.end()))[0];
  if (reference.size() == 2) return hypervolume_2d(std::move(inside), reference);
  Points front;
  for (const std::size_t i : non_dominated(inside)) front.push_back(inside[i]);
  return pagmo("the hypervolume of more than two objectives").hypervolume(front, reference);
}

}  // namespace dynasoc::explore
