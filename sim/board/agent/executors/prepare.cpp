#include "prepare.hpp"

#include <malloc.h>
#include <unistd.h>

#include <fstream>

namespace dynasoc::agent {

namespace {
constexpr int kMostThreads = 256;
}

Prepared prepare(const LoadRequest& request) {
  if (request.threads < 1 || request.threads > kMostThreads)
    throw Refusal("bad_request", "threads must be from 1 to " + std::to_string(kMostThreads));
  if (!request.subnets.is_object() || request.subnets.empty())
    throw Refusal("bad_request", "subnets must be an object with a member for each sub-network");
  Prepared prepared;
  for (const auto& item : request.subnets.items())
    prepared.networks.emplace(item.key(), OfaNetwork(read_ofa_config(item.value(), "sub-network " + item.key())));
  prepared.weights = request.weights.empty() ? random_weights(request.seed) : file_weights(request.weights);
  return prepared;
}

Json built(const OfaNetwork& network, double build_ms) {
  return {{"build_ms", build_ms},
          {"macs_m", static_cast<double>(network.macs()) / 1e6},
          {"parameters", network.parameters()}};
}

double resident_mb() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  std::ifstream statm("/proc/self/statm");
  double total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

}  // namespace dynasoc::agent
