#include "worker_main.hpp"

#include <errno.h>
#include <sched.h>
#include <unistd.h>

#include <memory>
#include <thread>
#include <vector>

#include "clock.hpp"
#include "executor.hpp"
#include "lines.hpp"
#include "members.hpp"

namespace dynasoc::agent {
namespace {

constexpr int kMostRepeats = 1000;

double ms(std::int64_t ns) { return static_cast<double>(ns) / kNsPerMs; }

void write_all(int file, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t put = ::write(file, text.data() + done, text.size() - done);
    if (put < 0 && errno != EINTR) return;  // the supervisor has gone, and the kernel ends this process
    if (put > 0) done += static_cast<std::size_t>(put);
  }
}

class Runner {
 public:
  explicit Runner(std::string executor) : name_(std::move(executor)) {}

  Json answer(const Json& request) {
    const std::string operation = request.value("op", "");
    if (operation == "load") return load(request);
    if (operation == "infer") return infer(request);
    throw Refusal("worker", "unknown operation \"" + operation + "\"");
  }

 private:
  Json load(const Json& request) {
    const Members members(request, "load", {"op", "subnets", "threads", "seed", "weights", "latencies"});
    LoadRequest wanted;
    wanted.subnets = members.object("subnets");
    wanted.threads = static_cast<int>(members.whole("threads", 1, 1024));
    wanted.seed = static_cast<std::uint64_t>(members.whole_or("seed", 1, 0, INT64_MAX));
    if (members.has("weights")) wanted.weights = request["weights"].get<std::string>();
    if (members.has("latencies")) wanted.latencies = members.object("latencies");
    executor_ = make_executor(name_);
    return executor_->load(wanted);
  }

  Json infer(const Json& request) {
    const Members members(request, "infer", {"op", "subnet", "repeat"});
    if (!executor_) throw Refusal("worker", "nothing is loaded");
    const std::string subnet = members.text("subnet");
    const auto repeats = static_cast<int>(members.whole_or("repeat", 1, 1, kMostRepeats));
    latencies_ns_.resize(static_cast<std::size_t>(repeats));
    const std::int64_t cpu_before_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    const std::int64_t start_ns = now_ns();
    for (std::int64_t& latency_ns : latencies_ns_) {
      const std::int64_t begin_ns = now_ns();
      executor_->infer(subnet);
      latency_ns = now_ns() - begin_ns;
    }
    const std::int64_t end_ns = now_ns();
    const std::int64_t cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_before_ns;
    Json latency_ms = Json::array();
    for (const std::int64_t latency_ns : latencies_ns_) latency_ms.push_back(ms(latency_ns));
    return {{"start_ns", start_ns}, {"end_ns", end_ns}, {"latency_ms", latency_ms}, {"cpu_ms", ms(cpu_ns)}};
  }

  std::string name_;
  std::unique_ptr<Executor> executor_;
  std::vector<std::int64_t> latencies_ns_;
};

}  // namespace

int list_executors() {
  const int answers = ::dup(STDOUT_FILENO);
  if (answers < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return 1;
  write_all(answers, line_of({{"executors", executor_names()}}));
  return 0;
}

int run_worker(const std::string& executor) {
  // Libraries print where they like: only answers go to the supervisor.
  const int answers = ::dup(STDOUT_FILENO);
  if (answers < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return 1;
  Runner runner(executor);
  LineReader reader;
  std::string line;
  for (;;) {
    const LineReader::Next next = reader.next(line);
    if (next == LineReader::Next::none) {
      if (!reader.read_from(STDIN_FILENO)) return 0;
      continue;
    }
    Json answer;
    try {
      if (next == LineReader::Next::too_long) throw Refusal("bad_request", "a line that is too long");
      const Json request = parse_object(line);
      if (request.value("op", "") == "quit") return 0;
      answer = {{"ok", runner.answer(request)}};
    } catch (const std::exception& problem) {
      answer = {{"error", {{"message", problem.what()}}}};
    }
    write_all(answers, line_of(answer));
  }
}

int run_busy(double work_ms) {
  cpu_set_t allowed;
  std::vector<int> cpus;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(static_cast<unsigned>(cpu), &allowed)) cpus.push_back(cpu);
    }
  }
  const std::int64_t start_ns = now_ns();
  const auto work_ns = static_cast<std::int64_t>(work_ms * 1e6);
  std::vector<std::thread> threads;
  for (const int cpu : cpus) {
    threads.emplace_back([cpu, work_ns] {
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(static_cast<unsigned>(cpu), &one);
      ::sched_setaffinity(0, sizeof one, &one);
      volatile double sum = 1;
      while (work_ns <= 0 || clock_ns(CLOCK_THREAD_CPUTIME_ID) < work_ns) {
        for (int i = 0; i < 20000; ++i) sum = sum * 1.0000001 + 1e-9;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  write_all(STDOUT_FILENO, line_of({{"start_ns", start_ns}, {"end_ns", now_ns()}}));
  return 0;
}

}  // namespace dynasoc::agent
