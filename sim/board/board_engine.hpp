// The engine whose processors are a board's: the same world that is simulated runs on it in real time.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "board/session.hpp"
#include "kernel/real_engine.hpp"

namespace dynasoc::board {

/// What was measured of one inference, kept for comparing it with a prediction. Times [ns] of the run's clock.
struct MeasuredJob {
  int app = 0;
  int unit = 0;
  int subnet = 0;
  std::uint32_t job = 0;
  Time start = 0;
  Time end = 0;
  double latency_ms = 0;  ///< of the inference alone, as its worker timed it
  double energy_mj = 0;   ///< of the unit's own rail, idle power included; NaN where none tells
  double foreign_share = 0;
  bool clean = false;              ///< no foreign load and steady clocks
  bool alone = true;               ///< no other work of the scenario on its unit
  bool switched = false;           ///< the first after a change of the sub-network
  std::vector<double> domain_mhz;  ///< in effect, by domain
  std::string failure;             ///< empty where there is a result
};

/// Everything but its event loop waits for nothing.
class BoardEngine {
 public:
  /// To be called before the run; the session must outlive it. `progress` is told every 50 ms and may throw.
  void attach(Session& session, std::function<void(double)> progress);

  // -- Engine
  // -----------------------------------------------------------------------------------------------------------
  Time now() const { return now_; }
  TimerId at(Time time, Priority priority, Event event);
  void cancel(TimerId timer);
  ProcessorId add_processor() { return processors_++; }
  void set_speed(ProcessorId, double) {}
  ActivityId start(ProcessorId, double, double, double, Event);
  void set_rate(ActivityId, double) {}
  double remaining(ActivityId) const { return 0; }
  double cancel(ActivityId activity);

  // -- RealEngine
  // -------------------------------------------------------------------------------------------------------
  ActivityId infer(int app, int unit, int subnet, std::uint32_t job, Event done);
  const MeasuredInference& measured(ActivityId) const { return measured_; }
  ActivityId occupy(int load, int unit, double weight, double work_ns, Event done);
  void write_clock(int domain, const ClockWrite& write, Event done);
  void set_cores(int unit, int cores);
  const BoardReadings& readings() const { return readings_; }
  void tell_readings(Event event) { readings_event_ = event; }
  double computed_s() {
    const std::int64_t since_ns = std::exchange(dispatched_ns_, Agent::now_ns());
    return static_cast<double>(dispatched_ns_ - since_ns) * 1e-9;
  }

  template <class Client>
  void run(Client& client, Time until) {
    run([&client](Event event) { client.on_event(event); }, until);
  }

  // -- afterwards
  // -------------------------------------------------------------------------------------------------------
  const std::vector<MeasuredJob>& jobs() const { return jobs_; }
  /// Why the run ended before its time; empty if it did not.
  const std::string& lost() const { return lost_; }
  const std::vector<std::string>& warnings() const { return warnings_; }
  /// How late timers were delivered: the quantile q [ms].
  double lateness_ms(double q) const;

 private:
  struct Pending {
    enum class Kind : std::uint8_t { inference, load, clock, other };
    Kind kind = Kind::other;
    Event done;
    std::size_t job = 0;  // in jobs_
    int index = 0;        // load or domain
    ActivityId activity;
    std::string what;
  };
  using Dispatch = std::function<void(Event)>;
  using Key = std::tuple<Time, std::uint8_t, std::uint64_t>;

  void run(const Dispatch& dispatch, Time until);
  void take(const Json& message, const Dispatch& dispatch);
  void answered(const Pending& pending, const Json& message, const Dispatch& dispatch);
  void take_state(const Json& state);
  void deliver(const Dispatch& dispatch, Event event);
  void send(Json request, Pending pending);
  bool disturb(int unit);
  void warn(const std::string& text);
  Time clock() const { return Agent::now_ns() - begin_ns_; }
  Time run_time(std::int64_t board_ns) const { return session_->agent().here_ns(board_ns) - begin_ns_; }

  Session* session_ = nullptr;
  std::function<void(double)> progress_;
  Time now_ = 0;
  std::int64_t begin_ns_ = 0;
  std::int64_t dispatched_ns_ = 0;
  bool running_ = false;

  std::map<Key, Event> timers_;
  std::unordered_map<std::uint64_t, Key> timer_keys_;
  std::uint64_t timers_set_ = 0;
  ProcessorId processors_ = 0;
  std::uint32_t activities_ = 0;

  std::unordered_map<std::uint64_t, Pending> pending_;  // by request
  struct Load {
    int load = 0;
    int unit = 0;
    bool endless = false;
  };
  std::unordered_map<std::uint32_t, Load> loads_;  // under way, by activity
  MeasuredInference measured_;
  BoardReadings readings_;
  std::vector<double> rail_begin_j_;
  Event readings_event_;
  std::vector<MeasuredJob> jobs_;
  std::vector<double> lateness_ms_;
  std::string lost_;
  std::vector<std::string> warnings_;
};

static_assert(RealEngine<BoardEngine>);

}  // namespace dynasoc::board
