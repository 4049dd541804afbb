// A generated client of an engine: arrivals, weights, rates, changes of speed in mid-job, standstills, cancellations,
// events of the same nanosecond, work that never ends. Every choice is drawn in the order in which events are
// delivered, so that two engines that differ once differ from there on.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "kernel/engine.hpp"
#include "kernel/random.hpp"

namespace dynasoc::test {

/// Something the client saw. Plain data, so that a log travels through a pipe as it is.
struct Seen {
  std::uint32_t what;  // the event's kind, or kRemaining
  std::uint32_t subject;
  Time time;
  double value;  // work not done, where the engine was asked for it

  static std::string pack(const std::vector<Seen>& log) {
    return {reinterpret_cast<const char*>(log.data()), log.size() * sizeof(Seen)};
  }
  static std::vector<Seen> unpack(const std::string& bytes) {
    std::vector<Seen> log(bytes.size() / sizeof(Seen));
    if (!log.empty()) std::memcpy(log.data(), bytes.data(), log.size() * sizeof(Seen));
    return log;
  }
};

template <class E>
class RandomKernelClient {
 public:
  RandomKernelClient(E& engine, std::uint64_t seed) : engine_(engine), stream_(seed, "kernel-client") {
    work_style_ = pick(4);
    weight_style_ = pick(4);
    scale_ = work_style_ == kTinyIntegers ? 12 : std::pow(10.0, 2 + 3 * uniform());
    standstills_ = chance(0.5);
    sliced_ = chance(0.5);
    const int processors = 1 + pick(4);
    for (int i = 0; i < processors; ++i) processors_.push_back(engine_.add_processor());
    for (const ProcessorId processor : processors_) {
      if (chance(0.4)) begin(processor, std::numeric_limits<double>::infinity());
    }
    // Some runs are far from the origin of time, where doubles are coarser.
    const Time origin = chance(0.2) ? static_cast<Time>(1e9 * uniform()) : 0;
    const int sources = 1 + pick(5);
    for (int i = 0; i < sources; ++i) set_timer(origin + gap(), kArrival);
    set_timer(origin + 5 * gap(), kDisturbance);
  }

  /// The log of some hundreds of events.
  std::vector<Seen> run() {
    while (log_.size() < kLength) {
      engine_.run(*this, engine_.now() + 1 + static_cast<Time>((sliced_ ? 20 : 2000) * scale_ * uniform()));
      log_.push_back({kPause, 0, engine_.now(), 0});
      // Calls from outside, between two events.
      if (sliced_ && chance(0.3)) disturb();
    }
    return log_;
  }

  void on_event(Event event) {
    log_.push_back({event.kind, event.subject, engine_.now(), 0});
    if (log_.size() >= kLimit) return;  // a burst that feeds itself, at an instant
    switch (event.kind) {
      case kArrival:
        for (int i = chance(0.2) ? 4 : 1; i > 0; --i) begin(any_processor(), work());
        set_timer(engine_.now() + gap(), kArrival);
        break;
      case kDisturbance:
        disturb();
        set_timer(engine_.now() + gap() * (chance(0.2) ? 0 : 2), kDisturbance);
        break;
      case kCompletion:
        running_.erase(std::find_if(running_.begin(), running_.end(),
                                    [&](const Running& one) { return one.number == event.subject; }));
        if (chance(0.2)) begin(any_processor(), work());
        if (chance(0.1)) disturb();
        break;
      default: break;
    }
  }

 private:
  enum Kind : std::uint32_t { kArrival, kDisturbance, kCompletion, kMarker, kPause, kRemaining };
  enum WorkStyle { kTinyIntegers, kIntegers, kReals, kMixed };
  enum WeightStyle { kEqual, kPowersOfTwo, kUniform, kFarApart };
  static constexpr std::size_t kLength = 400;
  static constexpr std::size_t kLimit = 3000;

  struct Running {
    std::uint32_t number;
    ActivityId id;
    double work;
  };

  double uniform() { return stream_.uniform(draws_++); }
  bool chance(double p) { return uniform() < p; }
  int pick(std::size_t n) { return static_cast<int>(uniform() * static_cast<double>(n)); }
  ProcessorId any_processor() { return processors_[static_cast<std::size_t>(pick(processors_.size()))]; }

  Time gap() {
    return work_style_ == kReals ? static_cast<Time>(scale_ * 2 * uniform())
                                 : static_cast<Time>(scale_ / 4) * pick(9);  // a lattice: many at one instant
  }

  double work() {
    if (chance(0.03)) return 0;
    const int style = work_style_ == kMixed ? pick(3) : work_style_;
    if (style == kTinyIntegers) return pick(13);
    if (style == kIntegers) return static_cast<double>(static_cast<Time>(scale_ / 4)) * pick(7);
    return scale_ * -std::log(uniform());
  }

  double weight() {
    switch (weight_style_) {
      case kEqual: return 1;
      case kPowersOfTwo: return std::ldexp(1.0, pick(7) - 3);
      case kUniform: return 0.1 + 3 * uniform();
      default: return std::pow(10.0, 6 * uniform() - 3);
    }
  }

  double factor() {
    if (chance(0.4)) return 1;
    if (standstills_ && chance(0.15)) return 0;
    return chance(0.3) ? std::ldexp(1.0, pick(5) - 2) : 0.2 + 2 * uniform();
  }

  void begin(ProcessorId processor, double work_ns) {
    const std::uint32_t number = ++started_;
    running_.push_back({number, engine_.start(processor, work_ns, weight(), factor(), {kCompletion, number}), work_ns});
  }

  void set_timer(Time time, Kind kind) {
    const auto priority = static_cast<Priority>(1 + pick(5));
    const TimerId timer = engine_.at(time, priority, {kind, ++timers_set_});
    if (kind == kMarker) markers_.push_back(timer);
  }

  void disturb() {
    switch (pick(8)) {
      case 0:
      case 1: engine_.set_speed(any_processor(), factor()); break;
      case 2:
      case 3:
        if (!running_.empty()) engine_.set_rate(any_running().id, factor());
        break;
      case 4:
        if (!running_.empty()) {
          const auto at = running_.begin() + pick(running_.size());
          if (at->work < 1e300 || chance(0.2)) {
            log_.push_back({kRemaining, at->number, engine_.now(), engine_.cancel(at->id)});
            running_.erase(at);
          }
        }
        break;
      case 5:
        for (const Running& one : running_)
          log_.push_back({kRemaining, one.number, engine_.now(), engine_.remaining(one.id)});
        break;
      case 6:
        for (int i = pick(6); i > 0; --i) set_timer(engine_.now() + (chance(0.5) ? 0 : gap()), kMarker);
        break;
      default:
        if (!markers_.empty()) engine_.cancel(markers_[static_cast<std::size_t>(pick(markers_.size()))]);
        if (processors_.size() < 8 && chance(0.1)) processors_.push_back(engine_.add_processor());
        break;
    }
  }

  Running& any_running() { return running_[static_cast<std::size_t>(pick(running_.size()))]; }

  E& engine_;
  Stream stream_;
  std::uint64_t draws_ = 0;
  int work_style_;
  int weight_style_;
  double scale_;
  bool standstills_;
  bool sliced_;
  std::uint32_t started_ = 0;
  std::uint32_t timers_set_ = 0;
  std::vector<ProcessorId> processors_;
  std::vector<Running> running_;
  std::vector<TimerId> markers_;
  std::vector<Seen> log_;
};

}  // namespace dynasoc::test
