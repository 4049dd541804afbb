#include "core.hpp"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

namespace dynasoc::fakeboard {
namespace {

constexpr int kHogPriority = 50, kProbePriority = 40, kMainPriority = 20;

Ns read_clock(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return Ns{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

void sleep_until(Ns time) {
  const timespec t{.tv_sec = time / 1'000'000'000, .tv_nsec = time % 1'000'000'000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr) == EINTR) {
  }
}

// Leaves the core's other thread, if it has two, what it can.
void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

void spin_until(Ns time) {
  while (monotonic() < time) relax();
}

int set_policy(pthread_t thread, int policy, int priority) {
  const sched_param parameters{.sched_priority = priority};
  return pthread_setschedparam(thread, policy, &parameters);
}

// The hog must stay below what the kernel lets real-time threads take, or it is stopped for the rest of a second.
double highest_hog_share() {
  double runtime = -1, period = 1e6;
  std::ifstream("/proc/sys/kernel/sched_rt_runtime_us") >> runtime;
  std::ifstream("/proc/sys/kernel/sched_rt_period_us") >> period;
  return runtime < 0 ? 0.9 : std::min(0.9, runtime / period - 0.05);
}

}  // namespace

Ns monotonic() { return read_clock(CLOCK_MONOTONIC); }

void throw_system(const std::string& what) { throw Failure(kFailed, what + ": " + std::strerror(errno)); }

Core::Core(int cpu, double lowest_share) : cpu_(cpu) {
  cpu_set_t allowed, mine, others;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) throw_system("cannot read the CPU affinity");
  for (int i = 0; cpu < 0 && i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &allowed)) cpu_ = i;
  if (CPU_COUNT(&allowed) < 2) throw Failure(kCannotRun, "cannot run here: needs two CPUs");
  if (!CPU_ISSET(cpu_, &allowed))
    throw Failure(kCannotRun, "cannot run here: there is no CPU " + std::to_string(cpu_) + " for it");
  const double most = highest_hog_share();
  if (1 - lowest_share > most + 1e-9)
    throw Failure(kCannotRun, "cannot run here: the lowest clock is " + std::to_string(lowest_share) +
                                  " of the highest; less than " + std::to_string(1 - most) +
                                  " cannot be emulated (limit of real-time threads)");
  CPU_ZERO(&mine);
  CPU_SET(cpu_, &mine);
  others = allowed;
  CPU_CLR(cpu_, &others);

  // The threads inherit core and policy, so that neither ever runs elsewhere or otherwise.
  sched_setaffinity(0, sizeof mine, &mine);
  if (const int error = set_policy(pthread_self(), SCHED_FIFO, kHogPriority))
    throw Failure(kCannotRun,
                  std::string("cannot run here: no right to SCHED_FIFO (needs CAP_SYS_NICE): ") + std::strerror(error));
  // Out of the way before the hog exists: at share 1 it sleeps at once.
  hog_ = std::thread([this] { hog(); });
  sched_setaffinity(0, sizeof others, &others);
  set_policy(pthread_self(), SCHED_FIFO, kMainPriority);
  try {
    switch_ns_ = measure_switch();
  } catch (...) {
    stop_ = true;
    set_share(1);
    hog_.join();
    throw;
  }

  soaker_ = std::thread([this, mine] {
    sched_setaffinity(0, sizeof mine, &mine);
    set_policy(pthread_self(), SCHED_IDLE, 0);
    soak();
  });
  pthread_getcpuclockid(hog_.native_handle(), &hog_clock_);
  pthread_getcpuclockid(soaker_.native_handle(), &soaker_clock_);
}

Core::~Core() {
  stop_ = true;
  set_share(1);
  hog_.join();
  if (soaker_.joinable()) soaker_.join();
}

void Core::set_share(double share) {
  share_ = share;
  ++changes_;
  changes_.notify_one();
}

void Core::used(Ns& hog_ns, Ns& soaker_ns) const {
  hog_ns = read_clock(hog_clock_);
  soaker_ns = read_clock(soaker_clock_);
}

void Core::hog() {
  while (!stop_) {
    const std::uint32_t changes = changes_;
    const double share = share_;
    if (share >= 1) {
      changes_.wait(changes);
      continue;
    }
    Ns released = monotonic(), owed = 0;
    while (changes_ == changes) {
      sleep_until(released + static_cast<Ns>(share * kPeriod));
      const Ns woken = monotonic();
      const auto left = static_cast<double>(std::max<Ns>(0, woken - released - switch_ns_));
      const Ns until = released + static_cast<Ns>(left / share) - owed;
      spin_until(until);
      released = monotonic();
      // What was taken too much (the machine ran something else, or the sleep was short) is given back later.
      owed = std::min<Ns>(std::max<Ns>(0, released - until), 20 * kPeriod);
    }
  }
}

void Core::soak() {
  while (!stop_) {
    for (int i = 0; i < 64; ++i) relax();
  }
}

// A thread below the hog watches the clock: the holes that it sees are the hog's spinning and the two switches.
Ns Core::measure_switch() {
  constexpr double kShare = 0.5;
  constexpr std::size_t kHoles = 200;
  std::vector<Ns> costs;
  std::thread probe([&] {
    cpu_set_t mine;
    CPU_ZERO(&mine);
    CPU_SET(cpu_, &mine);
    set_policy(pthread_self(), SCHED_FIFO, kProbePriority);
    sched_setaffinity(0, sizeof mine, &mine);
    const Ns give_up = monotonic() + 1'000'000'000;
    Ns last = monotonic(), back = last;
    while (costs.size() < kHoles && last < give_up) {
      const Ns now = monotonic();
      if (now - last > kPeriod / 8) {
        // Of a cycle, the hog takes (1 - share) exactly as long as it sleeps (1 : 1 here), the switches come on top.
        const Ns seen = last - back, hole = now - last;
        if (seen > kPeriod / 8) costs.push_back(hole - seen);
        back = now;
      }
      last = now;
    }
  });
  set_share(kShare);
  probe.join();
  set_share(1);
  if (costs.size() < kHoles / 4) throw Failure(kFailed, "the core is too disturbed: no clean cycles of the clock");
  std::nth_element(costs.begin(), costs.begin() + costs.size() / 2, costs.end());
  // Hole = spinning + c, seen = sleep - c, and spinning = sleep at share 1/2: the difference is 2 c.
  return std::clamp<Ns>(costs[costs.size() / 2] / 2, 0, kPeriod / 8);
}

}  // namespace dynasoc::fakeboard
