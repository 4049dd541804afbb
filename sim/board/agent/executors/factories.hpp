// One function an executor, for the registry.
#pragma once

#include <memory>

#include "../executor.hpp"

namespace dynasoc::agent {

std::unique_ptr<Executor> make_onednn();
std::unique_ptr<Executor> make_onnxruntime();
std::unique_ptr<Executor> make_tensorrt();
std::unique_ptr<Executor> make_replay();

/// Whether ONNX Runtime's library is on this machine: ONNXRUNTIME_LIBRARY names it, or the system's loader finds it.
bool has_onnxruntime();

}  // namespace dynasoc::agent
