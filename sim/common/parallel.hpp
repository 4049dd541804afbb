// The same work for many indices, on several threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace dynasoc {

/// Calls `work(i)` for every i below `count`, on up to `jobs` threads of which this one is one, in no particular order.
/// The first exception ends it (no new index is begun) and is thrown here.
template <class Work>
void parallel_for(std::size_t count, int jobs, Work work) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto loop = [&] {
    for (std::size_t i = next++; i < count && !stop; i = next++) {
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!stop.exchange(true)) failure = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t j = 1; j < std::min(static_cast<std::size_t>(std::max(jobs, 1)), count); ++j)
      threads.emplace_back(loop);
    loop();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace dynasoc
