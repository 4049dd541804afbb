// replay: no inference at all. Every call lasts as long as the next recorded latency of the sub-network, in turn.
#include <errno.h>
#include <time.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "../clock.hpp"
#include "../executor.hpp"

namespace dynasoc::agent {
namespace {

// A sleeping thread is woken late by some tens of microseconds: the rest is spun away.
constexpr std::int64_t kSpinNs = 100000;
constexpr double kLongestMs = 60000;

class Replay final : public Executor {
 public:
  Json load(const LoadRequest& request) override {
    if (!request.latencies.is_object()) throw Refusal("worker", "replay needs \"latencies\"");
    Json subnets = Json::object();
    for (auto subnet = request.subnets.begin(); subnet != request.subnets.end(); ++subnet) {
      const std::int64_t begin_ns = now_ns();
      const auto found = request.latencies.find(subnet.key());
      if (found == request.latencies.end() || !found->is_array() || found->empty()) {
        throw Refusal("worker", "replay: no latencies of \"" + subnet.key() + "\"");
      }
      Recording& recording = recordings_[subnet.key()];
      for (const Json& latency : *found) {
        if (!latency.is_number() || !(latency.get<double>() > 0 && latency.get<double>() <= kLongestMs)) {
          throw Refusal("worker", "replay: a latency of \"" + subnet.key() + "\" is not a number of (0, 60000] ms");
        }
        recording.latencies_ns.push_back(static_cast<std::int64_t>(latency.get<double>() * 1e6));
      }
      subnets[subnet.key()] = {{"build_ms", static_cast<double>(now_ns() - begin_ns) / kNsPerMs},
                               {"macs_m", nullptr},
                               {"parameters", nullptr}};
    }
    for (auto known = request.latencies.begin(); known != request.latencies.end(); ++known) {
      if (recordings_.count(known.key()) == 0) {
        throw Refusal("worker", "replay: latencies of \"" + known.key() + "\", which is not a sub-network");
      }
    }
    return {{"subnets", subnets}, {"memory_mb", 0}, {"shared_weights", false}};
  }

  void infer(const std::string& subnet) override {
    const auto found = recordings_.find(subnet);
    if (found == recordings_.end()) throw Refusal("not_found", "no sub-network \"" + subnet + "\" is loaded");
    Recording& recording = found->second;
    const std::int64_t until_ns = now_ns() + recording.latencies_ns[recording.next];
    recording.next = (recording.next + 1) % recording.latencies_ns.size();
    const std::int64_t wake_ns = until_ns - kSpinNs;
    const timespec wake = {static_cast<time_t>(wake_ns / 1000000000), static_cast<long>(wake_ns % 1000000000)};
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, nullptr) == EINTR) {
    }
    while (now_ns() < until_ns) {
    }
  }

 private:
  struct Recording {
    std::vector<std::int64_t> latencies_ns;
    std::size_t next = 0;
  };
  std::map<std::string, Recording> recordings_;
};

}  // namespace

std::unique_ptr<Executor> make_replay() { return std::make_unique<Replay>(); }

}  // namespace dynasoc::agent
