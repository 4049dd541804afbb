// What the program and its pagmo module know of each other. Nothing of pagmo's and nothing of the program's libraries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace dynasoc::explore::pagmo_module {

using Points = std::vector<std::vector<double>>;

struct Evolution {
  Points x, objectives;  ///< first population; replaced by the last
  std::vector<double> low, high;
  std::size_t integers;  ///< of the last coordinates
  std::size_t generations;
  unsigned seed;
  bool decomposition;  ///< MOEA/D-DE, else NSGA-II
  double crossover, eta_crossover, mutation, eta_mutation;
  std::function<Points(const Points&)> evaluate;
  std::function<void(std::size_t generation, const Points& x, const Points& objectives)> on_generation;
};

struct Functions {
  void (*evolve)(Evolution& evolution);
  double (*hypervolume)(const Points& points, const std::vector<double>& reference);
};

/// To be raised with every change of this file: a module of another version is not used.
constexpr int kVersion = 1;

/// The module's one exported name; null for another version.
using Entry = const Functions* (*)(int version);
constexpr const char* kEntry = "dynasoc_pagmo_functions";

}  // namespace dynasoc::explore::pagmo_module
