// What the program does in the processes that it starts of itself.
#pragma once

#include <cstdint>
#include <string>

namespace dynasoc::agent {

/// `dynasoc-agent executors`: writes `{"executors": [NAME…]}`. Exit code.
int list_executors();

/// `dynasoc-agent worker --executor E`: answers `load` and `infer` until `quit` or the end of input. Exit code.
int run_worker(const std::string& executor);

/// `dynasoc-agent busy`: a thread on each CPU that it is pinned to, each busy for `work_ms` of CPU time (0: until it is
/// killed). Writes `{"start_ns", "end_ns"}` at the end. Exit code.
int run_busy(double work_ms);

}  // namespace dynasoc::agent
