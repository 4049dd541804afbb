// dynasoc-agent-bench: how fast the executors of real networks are on this machine, side by side.
//
//   dynasoc-agent-bench [REPETITIONS]        the table, default 200
//   dynasoc-agent-bench --onnx CONFIG FILE   writes the sub-network of a JSON file's `config` object as an ONNX model
//
// Per executor, sub-network (the smallest and the largest of width 1.2), resolution and number of threads: the median
// of the inferences, their 10th percentile (`quiet_ms`, which a busy neighbour changes less), the median of the first
// ones after a switch from the other sub-network, and the time that building took. Executors take turns, so that
// foreign load meets them alike.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "clock.hpp"
#include "executor.hpp"
#include "executors/ofa_network.hpp"
#include "executors/onnx_model.hpp"
#include "executors/weights.hpp"

namespace {

using namespace dynasoc::agent;

constexpr int kWarmUp = 10, kSettle = 3, kBurst = 10;
const char* const kSubnets[] = {"min", "max"};

Json config(const std::string& name, int resolution) {
  const bool smallest = name == "min";
  return {{"supernetwork", "once-for-all-mbv3"},
          {"width", 1.2},
          {"resolution", resolution},
          {"depths", std::vector<int>(5, smallest ? 2 : 4)},
          {"kernels", std::vector<int>(20, smallest ? 3 : 7)},
          {"expansions", std::vector<int>(20, smallest ? 3 : 6)}};
}

double timed_ms(Executor& executor, const std::string& subnet) {
  const std::int64_t begin_ns = now_ns();
  executor.infer(subnet);
  return static_cast<double>(now_ns() - begin_ns) / 1e6;
}

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values.at(static_cast<std::size_t>(share * static_cast<double>(values.size() - 1)));
}

double median(const std::vector<double>& values) { return quantile(values, 0.5); }
double undisturbed(const std::vector<double>& values) { return quantile(values, 0.1); }

struct Candidate {
  std::string name;
  std::unique_ptr<Executor> executor;
  Json loaded;
  std::map<std::string, std::vector<double>> latencies_ms, switches_ms;
};

void measure(int resolution, int threads, int repetitions) {
  std::vector<Candidate> candidates;
  for (const std::string& name : executor_names()) {
    if (name == "replay") continue;
    LoadRequest request;
    for (const char* subnet : kSubnets) request.subnets[subnet] = config(subnet, resolution);
    request.threads = threads;
    Candidate candidate{name, make_executor(name), {}, {}, {}};
    candidate.loaded = candidate.executor->load(request);
    for (const char* subnet : kSubnets)
      for (int i = 0; i < kWarmUp; ++i) candidate.executor->infer(subnet);
    candidates.push_back(std::move(candidate));
  }
  for (int done = 0; done < repetitions; done += kBurst)
    for (Candidate& candidate : candidates)
      for (int i = 0; i < 2; ++i) {
        const char *subnet = kSubnets[i], *before = kSubnets[1 - i];
        // The threads of the executor that ran last wait for work, spinning, for a while.
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        for (int n = 0; n < kSettle; ++n) candidate.executor->infer(before);
        candidate.switches_ms[subnet].push_back(timed_ms(*candidate.executor, subnet));
        candidate.executor->infer(subnet);
        for (int n = 0; n < kBurst; ++n)
          candidate.latencies_ms[subnet].push_back(timed_ms(*candidate.executor, subnet));
      }
  const Candidate* reference = nullptr;
  for (const Candidate& candidate : candidates)
    if (candidate.name == "onnxruntime") reference = &candidate;
  for (const char* subnet : kSubnets)
    for (const Candidate& candidate : candidates) {
      const std::vector<double>& latencies_ms = candidate.latencies_ms.at(subnet);
      std::printf("%-12s %-4s %10d %7d %9.2f %8.2f %11.2f %9.1f %10.1f", candidate.name.c_str(), subnet, resolution,
                  threads, median(latencies_ms), undisturbed(latencies_ms), median(candidate.switches_ms.at(subnet)),
                  candidate.loaded["subnets"][subnet]["build_ms"].get<double>(),
                  candidate.loaded["memory_mb"].get<double>());
      if (reference && reference != &candidate) {
        const std::vector<double>& reference_ms = reference->latencies_ms.at(subnet);
        std::printf("  %.2f, %.2f x onnxruntime", median(latencies_ms) / median(reference_ms),
                    undisturbed(latencies_ms) / undisturbed(reference_ms));
      }
      std::printf("\n");
    }
  std::fflush(stdout);
}

int write_onnx(const std::string& config_file, const std::string& model_file) {
  std::ifstream input(config_file);
  const Json json = Json::parse(input, nullptr, false);
  const OfaNetwork network(read_ofa_config(json, config_file));
  std::ofstream output(model_file, std::ios::binary);
  output << onnx_model(network, *random_weights(1));
  output.close();
  if (output) return 0;
  std::cerr << "dynasoc-agent-bench: " << model_file << " cannot be written\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 4 && std::string(argv[1]) == "--onnx") return write_onnx(argv[2], argv[3]);
    const int repetitions = argc > 1 ? std::atoi(argv[1]) : 200;
    if (argc > 2 || repetitions < 1) {
      std::cerr << "usage: dynasoc-agent-bench [REPETITIONS | --onnx CONFIG FILE]\n";
      return 2;
    }
    std::printf("executor     net  resolution threads median_ms quiet_ms switched_ms  build_ms  memory_mb\n");
    for (const int resolution : {160, 192, 224})
      for (const int threads : {1, 2}) measure(resolution, threads, repetitions);
    return 0;
  } catch (const Refusal& refusal) {
    std::cerr << "dynasoc-agent-bench: " << refusal.what() << "\n";
    return 1;
  }
}
