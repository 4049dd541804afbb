// What executors of real networks have in common.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "../executor.hpp"
#include "ofa_network.hpp"
#include "weights.hpp"

namespace dynasoc::agent {

/// A load request, read and checked as a whole before anything is built.
struct Prepared {
  std::map<std::string, OfaNetwork> networks;  ///< by the sub-network's name
  std::unique_ptr<Weights> weights;
};

/// Throws Refusal.
Prepared prepare(const LoadRequest& request);

/// Of one sub-network, as `load` answers.
Json built(const OfaNetwork& network, double build_ms);

/// Memory of this process that is in RAM, MB; `memory_mb` is what loading added to it, libraries and buffers included.
/// Memory that was given back to the allocator but not to the system is given back first.
double resident_mb();

}  // namespace dynasoc::agent
