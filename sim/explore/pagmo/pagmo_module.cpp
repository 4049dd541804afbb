// dynasoc-pagmo.so: the only file that includes pagmo.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include <pagmo/algorithm.hpp>
#include <pagmo/algorithms/moead.hpp>
#include <pagmo/algorithms/nsga2.hpp>
#include <pagmo/batch_evaluators/member_bfe.hpp>
#include <pagmo/bfe.hpp>
#include <pagmo/population.hpp>
#include <pagmo/problem.hpp>
#include <pagmo/types.hpp>
#include <pagmo/utils/hypervolume.hpp>

#include "explore/pagmo/pagmo_interface.hpp"

namespace {

using dynasoc::explore::pagmo_module::Evolution;
using dynasoc::explore::pagmo_module::Functions;
using dynasoc::explore::pagmo_module::Points;

// pagmo copies problems as it likes: this one is a pointer to what is the caller's. Whole numbers are pagmo's own in
// NSGA-II; differential evolution has none, and sees each as an interval that is rounded.
struct Problem {
  const Evolution* evolution = nullptr;
  std::size_t objectives = 1;

  bool rounds() const { return evolution->decomposition; }
  std::size_t first_integer() const { return evolution->low.size() - evolution->integers; }

  std::pair<pagmo::vector_double, pagmo::vector_double> get_bounds() const {
    auto bounds = std::pair(evolution->low, evolution->high);
    if (rounds())
      for (std::size_t i = first_integer(); i < bounds.first.size(); ++i) {
        bounds.first[i] -= 0.5;
        bounds.second[i] += 0.5;
      }
    return bounds;
  }
  pagmo::vector_double::size_type get_nobj() const { return objectives; }
  pagmo::vector_double::size_type get_nix() const { return rounds() ? 0 : evolution->integers; }
  pagmo::thread_safety get_thread_safety() const { return pagmo::thread_safety::none; }

  std::vector<double> as_meant(std::vector<double> x) const {
    if (rounds())
      for (std::size_t i = first_integer(); i < x.size(); ++i)
        x[i] = std::clamp(std::round(x[i]), evolution->low[i], evolution->high[i]);
    return x;
  }
  pagmo::vector_double fitness(const pagmo::vector_double& x) const { return evolution->evaluate({as_meant(x)})[0]; }
  pagmo::vector_double batch_fitness(const pagmo::vector_double& all) const {
    const std::size_t size = evolution->low.size();
    Points points;
    points.reserve(all.size() / size);
    for (auto at = all.begin(); at != all.end(); at += static_cast<std::ptrdiff_t>(size))
      points.push_back(as_meant({at, at + static_cast<std::ptrdiff_t>(size)}));
    pagmo::vector_double out;
    out.reserve(points.size() * objectives);
    for (const auto& one : evolution->evaluate(points)) out.insert(out.end(), one.begin(), one.end());
    return out;
  }
};

void evolve(Evolution& evolution) {
  const Problem mine{&evolution, evolution.objectives.at(0).size()};
  const pagmo::problem problem{mine};
  pagmo::population population(problem, 0u, evolution.seed);
  for (std::size_t i = 0; i < evolution.x.size(); ++i) population.push_back(evolution.x[i], evolution.objectives[i]);

  // One generation a call, so that the caller sees each; the algorithm's random engine goes on between calls.
  const pagmo::algorithm algorithm = [&] {
    if (evolution.decomposition) {
      // Weights of a low-discrepancy sequence: a regular grid exists for some sizes of a population only.
      const auto neighbours = std::min<std::size_t>(20, population.size() - 1);
      return pagmo::algorithm{pagmo::moead(1, "low discrepancy", "tchebycheff", neighbours, evolution.crossover, 0.5,
                                           evolution.eta_mutation, 0.9, 2, true, evolution.seed)};
    }
    pagmo::nsga2 nsga2(1, evolution.crossover, evolution.eta_crossover, evolution.mutation, evolution.eta_mutation,
                       evolution.seed);
    nsga2.set_bfe(pagmo::bfe{pagmo::member_bfe{}});
    return pagmo::algorithm{std::move(nsga2)};
  }();

  const auto take = [&] {
    evolution.objectives = population.get_f();
    evolution.x.clear();
    for (const auto& x : population.get_x()) evolution.x.push_back(mine.as_meant(x));
  };
  for (std::size_t generation = 1; generation <= evolution.generations; ++generation) {
    population = algorithm.evolve(population);
    if (!evolution.on_generation) continue;
    take();
    evolution.on_generation(generation, evolution.x, evolution.objectives);
  }
  take();
}

double hypervolume(const Points& points, const std::vector<double>& reference) {
  return pagmo::hypervolume(points, false).compute(reference);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const Functions* dynasoc_pagmo_functions(int version) {
  static constexpr Functions functions{evolve, hypervolume};
  return version == dynasoc::explore::pagmo_module::kVersion ? &functions : nullptr;
}
