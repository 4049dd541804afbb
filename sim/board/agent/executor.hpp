// What runs inferences, in a worker process.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "refusal.hpp"

namespace dynasoc::agent {

/// What an executor is given to load: `subnets` maps names to architectures as in a network.json's `config`.
struct LoadRequest {
  Json subnets;
  int threads = 1;
  std::uint64_t seed = 1;  ///< of random weights
  std::string weights;     ///< a .safetensors file of the super-network; empty: random
  Json latencies;          ///< executor `replay`: by sub-network, ms in turn
};

/// All sub-networks of one application, resident. Single-threaded use.
class Executor {
 public:
  virtual ~Executor() = default;

  /// `{"subnets": {NAME: {"build_ms", "macs_m", "parameters"}}, "memory_mb", "shared_weights"}`. Called once, first.
  /// Throws Refusal (code `worker`) for what it cannot build.
  virtual Json load(const LoadRequest& request) = 0;

  /// One inference of a loaded sub-network on an input of its own; returns when its result is there. No allocation, no
  /// timing: the caller takes the time around it. Throws Refusal.
  virtual void infer(const std::string& subnet) = 0;

  /// The last result (logits), for comparing executors; empty where there is none.
  virtual std::vector<float> output() const { return {}; }
};

/// The executors this program has: `onednn`, `onnxruntime`, `tensorrt`, `replay`. Those whose library is missing on
/// this machine are not listed.
std::vector<std::string> executor_names();

/// Throws Refusal `not_found`, with the list.
std::unique_ptr<Executor> make_executor(const std::string& name);

}  // namespace dynasoc::agent
