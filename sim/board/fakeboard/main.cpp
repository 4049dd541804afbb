// dynasoc-fakeboard: a folder that looks like a small Linux board, and behaves like one, on any machine with two cores.
//
// One core of the machine plays the board's. Its clock is emulated by a SCHED_FIFO thread, the hog, that takes the rest
// of each half millisecond (core.hpp); its power comes from a declared table (board.hpp) and its own utilisation, and
// is written as a power monitor would. So knob, latency and energy are one closed loop: a program that writes
// scaling_max_freq finds its real inferences slower and their energy changed. What it measures is to be calibrated as
// on any board; `fakeboard.json` in the folder holds the truth, for judging only.
//
// Not emulated: caches and memory keep their speed whatever the clock, so a slower clock costs memory-bound work as
// much as any other; `online` files are plain files, whatever is written to them.
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "board.hpp"
#include "core.hpp"

namespace dynasoc::fakeboard {
namespace {

constexpr Ns kTick = 2'000'000;             // the power monitor's update
constexpr Ns kStatPeriod = 10'000'000;      // a jiffy of /proc/stat
constexpr Ns kThermalPeriod = 100'000'000;  // both multiples of the tick

constexpr const char* kUsage =
    "usage: dynasoc-fakeboard --root DIR [--cpu N] [--opps MHZ,MHZ,...] [--settle-ms T] [--curve FILE|defaults] "
    "[--jetpack 4|5]";

struct Options {
  std::string root;
  int cpu = -1;  // the last one
  std::vector<double> opps_mhz;
  double settle_ms = 1.2;
  std::string curve = "defaults";
  int jetpack = 5;
};

double number(const std::string& option, const std::string& text, double lowest, double highest) {
  double x = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
  if (error != std::errc() || end != text.data() + text.size() || !(x >= lowest && x <= highest)) {
    std::ostringstream what;
    what << option << ": \"" << text << "\" is not a number of " << lowest << " to " << highest;
    throw Failure(kBadUsage, what.str());
  }
  return x;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (i + 1 == argc) throw Failure(kBadUsage, name + " needs a value; " + kUsage);
    const std::string value = argv[i + 1];
    if (name == "--root") {
      options.root = value;
    } else if (name == "--cpu") {
      options.cpu = static_cast<int>(number(name, value, 0, CPU_SETSIZE - 1));
    } else if (name == "--opps") {
      std::istringstream list(value);
      for (std::string item; std::getline(list, item, ',');) options.opps_mhz.push_back(number(name, item, 1, 1e5));
    } else if (name == "--settle-ms") {
      options.settle_ms = number(name, value, 0, 1000);
    } else if (name == "--curve") {
      options.curve = value;
    } else if (name == "--jetpack") {
      options.jetpack = static_cast<int>(number(name, value, 4, 5));
    } else {
      throw Failure(kBadUsage, "no option " + name + "; " + kUsage);
    }
  }
  if (options.root.empty()) throw Failure(kBadUsage, std::string("needs --root; ") + kUsage);
  return options;
}

// What cpufreq governors do, in the usual sense. Utilisation is of the time that the clock leaves.
class Governing {
 public:
  explicit Governing(const Physics& physics) : physics_(physics) {}

  // Once a tick, with the busy share of the tick's time.
  void observe(double busy, int opp, Ns now) {
    const double share = physics_.share(opp);
    utilisation_ += (busy * share - utilisation_) * kWeight;
    load_ += busy;
    ++loads_;
    due_ = now - decided_ >= kPeriod;
    if (!due_) return;
    decided_ = now;
    mean_load_ = load_ / loads_;
    load_ = loads_ = 0;
  }

  int decide(const Knobs& knobs, int opp) {
    const int lowest = physics_.ceiling(knobs.min_khz), highest = std::max(lowest, physics_.floor(knobs.max_khz));
    const auto clamped = [&](int index) { return std::clamp(index, lowest, highest); };
    if (knobs.governor == "performance") return highest;
    if (knobs.governor == "powersave") return lowest;
    if (knobs.governor == "userspace") return clamped(physics_.ceiling(knobs.speed_khz));
    if (!due_) return clamped(opp);
    due_ = false;
    const double top_mhz = physics_.opps.back().mhz(), bottom_mhz = physics_.opps.front().mhz();
    if (knobs.governor == "schedutil") return clamped(physics_.ceiling(std::lround(1.25e3 * utilisation_ * top_mhz)));
    if (mean_load_ > 0.8) return highest;  // ondemand
    return clamped(physics_.nearest(bottom_mhz + mean_load_ * (top_mhz - bottom_mhz)));
  }

 private:
  static constexpr double kWeight = 0.0424;  // a tick's, for the scheduler's half-life of 32 ms
  static constexpr Ns kPeriod = 10'000'000;  // between decisions
  const Physics& physics_;
  double utilisation_ = 0, load_ = 0, mean_load_ = 0;
  int loads_ = 0;
  bool due_ = false;
  Ns decided_ = 0;
};

class FakeBoard {
 public:
  explicit FakeBoard(const Options& options)
      : physics_(read_physics(options.curve, options.opps_mhz)),
        settle_(static_cast<Ns>(options.settle_ms * 1e6)),
        core_(options.cpu, physics_.share(0)),
        files_(options.root, core_.cpu(), options.jetpack, physics_),
        governing_(physics_) {
    opp_ = wanted_ = static_cast<int>(physics_.opps.size()) - 1;
    files_.write_truth({{"cpu", core_.cpu()},
                        {"settle_ms", options.settle_ms},
                        {"switch_us", static_cast<double>(core_.switch_ns()) / 1e3},
                        {"period_us", Core::kPeriod / 1e3}});
    files_.log_change(monotonic(), physics_.opps[opp_].khz);
  }

  void run(int signals) {
    const Descriptor inotify(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));  // without it knobs are read once a tick
    files_.watch(inotify.get());
    accounted_ = monotonic();
    core_.used(hog_ns_, soaker_ns_);
    Ns tick = accounted_ + kTick;
    std::cout << "ready" << std::endl;
    for (;;) {
      const Ns wake = wanted_ == opp_ ? tick : std::min(tick, due_);
      const Ns rest = std::max<Ns>(0, wake - monotonic());
      const timespec timeout{.tv_sec = 0, .tv_nsec = rest};
      pollfd ready[] = {{signals, POLLIN, 0}, {inotify.get(), POLLIN, 0}};
      if (ppoll(ready, 2, &timeout, nullptr) < 0 && errno != EINTR) throw_system("cannot wait");
      if (ready[0].revents) return;
      if (ready[1].revents) drain(inotify.get());
      files_.read_knobs(knobs_);
      const Ns now = monotonic();
      if (now >= tick) {
        on_tick(now);
        tick = std::max(tick + kTick, now + kTick / 2);
      }
      const int decided = governing_.decide(knobs_, wanted_);
      if (decided != wanted_) {
        wanted_ = decided;
        due_ = now + settle_;
      }
      if (wanted_ != opp_ && monotonic() >= due_) change_clock();
    }
  }

 private:
  static void drain(int inotify) {
    alignas(inotify_event) char events[4096];
    while (read(inotify, events, sizeof events) > 0) {
    }
  }

  void change_clock() {
    account(monotonic());
    opp_ = wanted_;
    core_.set_share(physics_.share(opp_));
    files_.show_clock(physics_.opps[opp_].khz);
    files_.log_change(accounted_, physics_.opps[opp_].khz);
  }

  // Splits the time since the last call into the clock's (the hog's), idleness (the soaker's) and work (the rest).
  void account(Ns now) {
    Ns hog = 0, soaker = 0;
    core_.used(hog, soaker);
    const auto wall = static_cast<double>(now - accounted_), taken = static_cast<double>(hog - hog_ns_),
               idle = static_cast<double>(soaker - soaker_ns_);
    const double left = std::max(1.0, wall - taken), busy = std::clamp(left - idle, 0.0, left);
    accounted_ = now;
    hog_ns_ = hog;
    soaker_ns_ = soaker;
    const Opp& opp = physics_.opps[opp_];
    energy_ += wall * (opp.idle_w + busy / left * (opp.busy_w - opp.idle_w));
    window_ += wall;
    window_busy_ += busy;
    window_left_ += left;
    times_.busy += busy;
    times_.idle += left - busy;
    times_.taken += taken;
  }

  void on_tick(Ns now) {
    account(now);
    const double power_w = energy_ / window_, busy = window_busy_ / window_left_;
    temperature_.add(power_w, window_);
    energy_ = window_ = window_busy_ = window_left_ = 0;
    governing_.observe(busy, opp_, now);
    files_.show_power(power_w);
    if (now >= stat_due_) {
      stat_due_ = now + kStatPeriod - kTick / 2;
      files_.show_times(times_);
    }
    if (now >= thermal_due_) {
      thermal_due_ = now + kThermalPeriod - kTick / 2;
      files_.show_temperature(temperature_.celsius());
    }
  }

  Physics physics_;
  Ns settle_;
  Core core_;
  BoardFiles files_;
  Governing governing_;
  Knobs knobs_;
  Temperature temperature_;
  int opp_ = 0, wanted_ = 0;  // in force; decided, and in force at `due_`
  Ns due_ = 0, stat_due_ = 0, thermal_due_ = 0;
  Ns accounted_ = 0, hog_ns_ = 0, soaker_ns_ = 0;
  double energy_ = 0, window_ = 0, window_busy_ = 0, window_left_ = 0;  // since the last tick; W ns, ns
  Times times_;
};

int run(int argc, char** argv) {
  const Options options = parse(argc, argv);
  const pid_t parent = getppid();
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) return 0;

  sigset_t ends;
  sigemptyset(&ends);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&ends, signal);
  sigprocmask(SIG_BLOCK, &ends, nullptr);  // before the first thread, so that all inherit it
  std::signal(SIGPIPE, SIG_IGN);
  const Descriptor signals(signalfd(-1, &ends, SFD_CLOEXEC));

  std::filesystem::create_directories(options.root);
  const Descriptor folder(open(options.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) throw_system("cannot open " + options.root);
  if (flock(folder.get(), LOCK_EX | LOCK_NB) != 0)
    throw Failure(kFailed, options.root + " belongs to another fake board that runs");
  mlockall(MCL_CURRENT | MCL_FUTURE);  // a page fault of the hog would be a slower clock; where refused, so be it
  FakeBoard board(options);
  board.run(signals.get());
  return 0;
}

}  // namespace
}  // namespace dynasoc::fakeboard

namespace {

// With the kernel's autogroups each session has an equal share of a core, whatever the policies inside: the soaker,
// which is to have only what nobody wants, would take half of it from inferences of another session. So this program is
// a session of its own, of the least weight there is (15 of 1024). A leader of a process group cannot leave its
// session: a child does, and is waited for.
void leave_session() {
  if (setsid() < 0) {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&signals, signal);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    const pid_t parent = getpid(), child = fork();
    if (child < 0) return;
    if (child > 0) {
      for (int signal = 0, status = 0;;) {
        sigwait(&signals, &signal);
        if (signal != SIGCHLD)
          kill(child, signal);
        else if (waitpid(child, &status, WNOHANG) == child)
          _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
      }
    }
    sigprocmask(SIG_UNBLOCK, &signals, nullptr);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1);
    setsid();
  }
  // Not there on kernels without autogroups, where there is nothing to do.
  const dynasoc::fakeboard::Descriptor file(open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC));
  if (file.get() >= 0 && write(file.get(), "19", 2) != 2 && geteuid() == 0)
    std::cerr << "dynasoc-fakeboard: its autogroup keeps its weight; inferences of other sessions will be slow\n";
}

}  // namespace

int main(int argc, char** argv) {
  try {
    leave_session();
    return dynasoc::fakeboard::run(argc, argv);
  } catch (const dynasoc::fakeboard::Failure& failure) {
    std::cerr << "dynasoc-fakeboard: " << failure.what() << "\n";
    return failure.status;
  } catch (const std::exception& error) {
    std::cerr << "dynasoc-fakeboard: " << error.what() << "\n";
    return dynasoc::fakeboard::kFailed;
  }
}
