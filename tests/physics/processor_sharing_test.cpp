// Does the sharing of processors agree with closed forms?
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include <catch2/catch.hpp>

#include "kernel/native_engine.hpp"
#include "kernel/random.hpp"
#include "scale.hpp"

namespace dynasoc::test {
namespace {

struct Ends {
  NativeEngine& engine;
  std::vector<Time> at;
  void on_event(Event event) { at.at(event.subject) = engine.now(); }
};

TEST_CASE("jobs that start together end at the instants of generalised processor sharing", "[sharing]") {
  for (std::uint64_t seed = 0; seed < static_cast<std::uint64_t>(scaled(200)); ++seed) {
    const Stream stream(seed, "sharing");
    const std::size_t count = 1 + static_cast<std::size_t>(stream.uniform(0) * 20);
    const double speed = seed % 2 == 0 ? 1 : 0.3 + stream.uniform(1);
    std::vector<double> work(count), weight(count), rate(count);
    for (std::size_t i = 0; i < count; ++i) {
      work[i] = 1e6 * stream.exponential(3 * i + 2);
      weight[i] = seed % 3 == 0 ? 1 : 0.1 + stream.uniform(3 * i + 3);
      rate[i] = seed % 5 == 0 ? 1 : 0.1 + stream.uniform(3 * i + 4);
    }

    NativeEngine engine;
    Ends ends{engine, std::vector<Time>(count)};
    const ProcessorId processor = engine.add_processor();
    engine.set_speed(processor, speed);
    for (std::size_t i = 0; i < count; ++i)
      engine.start(processor, work[i], weight[i], rate[i], {0, static_cast<std::uint32_t>(i)});
    engine.run(ends, 1000_s);

    // In the order of service needed per unit of weight; everybody left has had the same service per unit of weight.
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), 0u);
    const auto need = [&](std::size_t i) { return work[i] / (rate[i] * weight[i]); };
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return need(a) < need(b); });
    double weights = std::accumulate(weight.begin(), weight.end(), 0.0);
    double time = 0, served = 0;
    for (const std::size_t i : order) {
      time += (need(i) - served) * weights / speed;
      served = need(i);
      weights -= weight[i];
      INFO("seed " << seed << ", job " << i);
      CHECK(ends.at[i] == static_cast<Time>(std::ceil(time - kCompletionSlackNs)));
    }
  }
}

// A processor with Poisson arrivals: counts jobs and their time in the system.
struct Queue {
  NativeEngine engine;
  Stream arrivals, sizes;
  double load;
  bool exponential;
  ProcessorId processor = engine.add_processor();
  std::vector<Time> arrived{};
  double time_in_system = 0;
  long completed = 0;
  std::uint32_t jobs = 0;

  static constexpr double kMeanSize = 1e6;

  void run(Time until) {
    engine.at(1, Priority::arrival, {0, 0});
    engine.run(*this, until);
  }
  void on_event(Event event) {
    if (event.kind == 0) {
      arrived.push_back(engine.now());
      engine.start(processor, kMeanSize * (exponential ? sizes.exponential(jobs) : 1.0), 1, 1, {1, jobs});
      ++jobs;
      engine.at(engine.now() + from_ns(kMeanSize / load * arrivals.exponential(jobs)), Priority::arrival, {0, 0});
    } else {
      time_in_system += static_cast<double>(engine.now() - arrived[event.subject]);
      ++completed;
    }
  }
};

TEST_CASE("under Poisson arrivals the mean time in the system is size / (1 - load)", "[sharing]") {
  const int scale = std::max(1, scaled(400));  // [s] of simulated time: a million jobs or so in all
  for (const bool exponential : {true, false}) {
    for (const double load : {0.3, 0.6, 0.8}) {
      Queue queue{{}, Stream(1, "arrivals"), Stream(1, "sizes"), load, exponential};
      queue.run(Time{scale} * 1_s);
      const double expected = Queue::kMeanSize / (1 - load);
      INFO("load " << load << ", exponential sizes " << exponential << ", jobs " << queue.completed);
      CHECK(queue.time_in_system / static_cast<double>(queue.completed) ==
            Approx(expected).epsilon(0.05 * std::sqrt(400.0 / scale)));
    }
  }
}

TEST_CASE("no work is lost or invented: the work done is the integral of the speed", "[sharing]") {
  struct Client {
    NativeEngine& engine;
    Stream stream;
    ProcessorId processor;
    std::uint64_t draws = 0;
    double speed = 1;
    Time since = 0;
    double offered = 0;  // integral of the speed
    double done = 0;
    struct Job {
      ActivityId id;
      double work;
      bool running;
    };
    std::vector<Job> jobs{};

    double uniform() { return stream.uniform(draws++); }
    void start(double work, double weight) {
      const auto number = static_cast<std::uint32_t>(jobs.size());
      jobs.push_back({engine.start(processor, work, weight, 1, {2, number}), work, true});
    }
    void elapse() {
      offered += speed * static_cast<double>(engine.now() - since);
      since = engine.now();
    }
    void on_event(Event event) {
      if (event.kind == 0) {
        start(5e5 * uniform(), 0.1 + uniform());
        engine.at(engine.now() + 1 + from_ns(1e6 * uniform()), Priority::arrival, {0, 0});
      } else if (event.kind == 1) {
        elapse();
        speed = uniform() < 0.2 ? 0 : 2 * uniform();
        engine.set_speed(processor, speed);
        Job& job = jobs[1 + static_cast<std::size_t>(uniform() * static_cast<double>(jobs.size() - 1))];
        if (job.running) {
          done += job.work - engine.cancel(job.id);
          job.running = false;
        }
        engine.at(engine.now() + 1 + from_ns(3e6 * uniform()), Priority::device, {1, 0});
      } else {
        done += jobs[event.subject].work;
        jobs[event.subject].running = false;
      }
    }
  };
  for (std::uint64_t seed = 0; seed < static_cast<std::uint64_t>(scaled(20)); ++seed) {
    NativeEngine engine;
    Client client{engine, Stream(seed, "conservation"), engine.add_processor()};
    client.start(1e10, 0.2);  // keeps the processor busy to the end
    client.start(1e5, 1);
    engine.at(1, Priority::arrival, {0, 0});
    engine.at(2, Priority::device, {1, 0});
    engine.run(client, 1_s);
    client.elapse();
    for (const Client::Job& job : client.jobs)
      if (job.running) client.done += job.work - engine.remaining(job.id);
    INFO("seed " << seed << ", jobs " << client.jobs.size());
    CHECK(client.done == Approx(client.offered).epsilon(1e-9));
  }
}

}  // namespace
}  // namespace dynasoc::test
