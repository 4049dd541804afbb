// One run: applications, background load, a board and its managers, on an engine.
//
// This is the layer where everything meets; it is written once and compiled for each engine. The life of a frame:
// arrival -> (waits in its application's queue) -> dispatched to a unit -> (waits there, where the unit serves one at a
// time) -> runs -> done. An application serves one frame at a time, as a batch-1 inference loop does.
//
// ENERGY is accounted twice, independently: per unit, as the integral of its piecewise-constant power; per job, as its
// power times its share of the unit over time. The two must agree, and are compared at the end of every run.
//
// ON A BOARD (a RealEngine) everything above the device layer is the same code: arrivals, queues, targets, managers,
// logs. What the device layer computes in a simulation is asked of the board or read from it, in world_real.hpp; its
// own governors, sensors and temperatures take the place of the models. Until it tells, the accounts go on as the
// tables predict.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "common/compensated_sum.hpp"
#include "common/text.hpp"
#include "device/thermal.hpp"
#include "kernel/engine.hpp"
#include "kernel/real_engine.hpp"
#include "manager/foresight.hpp"
#include "world/record.hpp"
#include "world/setup.hpp"

namespace dynasoc {

/// Frames waiting, oldest first. Grows, never shrinks; no allocation once warm.
class FrameQueue {
 public:
  struct Frame {
    Time arrival;
    std::uint32_t job;
  };
  bool empty() const { return size_ == 0; }
  std::uint32_t size() const { return size_; }
  const Frame& front() const { return ring_[head_]; }
  void pop() {
    head_ = (head_ + 1) & mask();
    --size_;
  }
  void push(const Frame& frame) {
    if (size_ == ring_.size()) grow();
    ring_[(head_ + size_) & mask()] = frame;
    ++size_;
  }

 private:
  std::uint32_t mask() const { return static_cast<std::uint32_t>(ring_.size()) - 1; }
  void grow() {
    std::vector<Frame> larger(std::max<std::size_t>(4, ring_.size() * 2));
    for (std::uint32_t i = 0; i < size_; ++i) larger[i] = ring_[(head_ + i) & mask()];
    ring_.swap(larger);
    head_ = 0;
  }
  std::vector<Frame> ring_;
  std::uint32_t head_ = 0;
  std::uint32_t size_ = 0;
};

/// Told now and then how much of a run is done, 0 to 1; may throw to end it.
using Progress = std::function<void(double)>;

template <Engine E>
class World final : public manager::Profile, public manager::Foresight {
 public:
  static constexpr bool kReal = RealEngine<E>;

  /// `policy`: in place of the set-up's own.
  World(const Setup& setup, const Recording& recording, std::uint64_t replication,
        std::unique_ptr<manager::Policy> policy = nullptr);

  /// Runs from 0 to the scenario's end and returns the record. Call once. Throws InternalError if energy is not
  /// conserved.
  RunRecord run(const Progress& progress = {});

  void on_event(Event event);  ///< the engine's only entrance

  /// To be attached to a board before `run`.
  E& engine() { return engine_; }

  /// Asks the memory for what the next events will touch. A batch of worlds is larger than a cache, and the processor
  /// can fetch one while it runs another: of a batch on one core this makes a fifth of the speed.
  void prefetch() const;

  /// The cost of what happened up to now, or of the whole run once it is over, in the objective's unit and not divided
  /// by the frames. 0 until the warm-up is over. To be asked while a policy decides.
  double cost_so_far() const { return ended_ ? cost_ : running_cost(); }

  Entry entry(int app, int subnet, int unit, int opp) const override;
  manager::Future future() const override;
  double alone_ms(int app, std::uint64_t frame, int subnet, int unit, int opp) const override;
  void poll() const override {
    if (progress_ != nullptr) (*progress_)(0);
  }
  bool triggered(int app, std::uint64_t parent_frame) const override {
    return apps_[app].arrivals.triggered_by(parent_frame);
  }
  double idle_w(int unit, int opp) const override {
    const auto& opps = domain_views_[unit_views_[unit].domains[0]].opps_mhz;
    return setup_.platform.idle_w(static_cast<std::size_t>(unit), opps[opp]);
  }

 private:
  enum Kind : std::uint32_t {
    kArrival,
    kDone,
    kStallEnd,
    kSettle,
    kSwitched,
    kTarget,
    kAppStart,
    kAppStop,
    kLoadStart,
    kLoadStop,
    kLoadPhase,
    kLoadBurst,
    kMode,
    kPolicy,
    kGovernor,
    kLoad,
    kWake,
    kThermal,
    kSensorMark,
    kSensorUpdate,
    kSensorRead,
    kSample,
    kWarm,
    kReadings,
    kSchedule,
    kBattery,
  };

  // What the tables say of a job at one OPP of a unit, the other clocks as they are.
  struct Forecast {
    std::uint32_t epoch = 0;  // of the unit's other clocks; 0 = not computed
    Provenance provenance = Provenance::derived;
    Provenance energy_provenance = Provenance::derived;
    bool outside_range = false;
    double half_width = 0;  // of the latency's prediction interval, relative; 0 = observed
    double systematic = 1;  // what this replication's board takes, over what the model says
    double latency_ms = std::numeric_limits<double>::quiet_NaN();
    double sigma = 0;                                             // of the log-normal noise
    double above_idle_w = 0;                                      // NaN: the unit's own curve
    double energy_mj = std::numeric_limits<double>::quiet_NaN();  // of one inference alone
  };

  struct DomainState {
    int opp = 0;                  // in effect
    int requested = 0;            // last asked for, before limits
    int next = 0;                 // being settled to
    int lowest = 0, highest = 0;  // power mode
    int policy_lowest = 0, policy_highest = 0;
    int thermal_highest = 0;
    bool settling = false;
    int unanswered = 0;                 // writes to a real board that it has not answered
    std::optional<ClockWrite> written;  // to a real board, last
    TimerId settle;
    std::unique_ptr<manager::Governor> governor;
    bool governed = true;
    bool follows = false;   // its governor is told of each change of load
    bool deferred = false;  // its sampling timer waits for work
    bool told = true;       // of the present load, or about to be
    double told_load = 0;
    Time sampled = 0;
    TimerId tick, wake;
    Time wake_at = kNever;
    std::vector<int> units;   // it clocks
    std::vector<int> guests;  // units whose jobs one of its cores launches and waits for
    int first_core = 0;       // of its unit
    // Of its busiest core: all work of a unit that it clocks runs on every core, a guest's keeps one core waiting.
    bool io_wake = false;
    double load = 0;
    Time load_at = 0;  // the integrals are exact up to here
    double busy_s = 0, busy_mark_s = 0;
    double busy_mhz_s = 0, busy_mhz_mark_s = 0;
  };

  // A claim on a unit: an application's current frame, a background load, the manager's computing.
  struct Task {
    ActivityId activity;
    bool running = false;
    bool waiting = false;
    bool disturbed = false;  // shared its unit, was slowed down by another, or saw a clock change
    std::uint8_t unit = 0;
    std::uint32_t place = 0;  // in its unit's list
    double weight = 1;
    double work_ns = 0;       // given to the engine, or left when interrupted
    double total_ns = 0;      // of an inference, when it was dispatched
    double useful_ns = 0;     // of what the engine was given last, without the time of the choice before it
    double rest_ns = 0;       // of it, after the block that the engine has been given
    double ran_ns = 0;        // time on its unit, alone or shared
    Time began = 0;           // on its unit, last
    Time ran = 0;             // when it left its unit last; its arrival before
    double reference_ms = 0;  // table latency when `work_ns` was computed; 0 = work does not follow clocks
    double rate = 1;          // of progress, before contention
    double power_w = 0;       // above idle when it has the unit for itself
    double share_mark = 0;
    double energy_j = 0;
    double alone_s = 0;  // on a real board: time it would have had the unit for itself
    bool measured_power = false;
    int priority = 0;
    Time order = 0;  // arrival
    Time deadline = kNever;
  };

  struct UnitState {
    ProcessorId processor = 0;
    Discipline discipline = Discipline::fair;
    bool preemptive = false;
    bool choosing = false;  // a job has just left: who comes at this instant waits until the most urgent is chosen
    bool hurts = false;     // somebody slows down while this unit works
    int running = 0;
    int inside = -1;  // application whose inference has it, under a scheduler
    int cores = 0;
    std::size_t opps = 0;     // of each of its domains
    int most_cores = 0;       // of the power mode
    int opp = 0;              // index of the slowest of its domains
    std::uint32_t epoch = 1;  // of the clocks other than `opp`: forecasts of older epochs are stale
    double mhz = 0;
    double idle_w = 0;
    double above_idle_w = 0;             // busy minus idle at the present clocks
    double slowdown = 1;                 // by the other units now working
    double slice_factor = 1;             // capacity left by time slicing
    int stalls = 0;                      // clock changes that hold it
    std::vector<std::uint32_t> tasks;    // running
    std::vector<std::uint32_t> waiting;  // of one-at-a-time disciplines
    std::vector<int> watchers;           // domains whose governors look at its load
    // Accounts, exact up to `synced`.
    Time synced = 0;
    CompensatedSum weights;
    CompensatedSum weighted_power;  // sum of weight * power
    double share = 0;               // integral of dt / weights [s]
    double busy_s = 0;
    double idle_j = 0;
    double above_j = 0;
    double mhz_s = 0;
    double switch_j = 0;
    double jobs_j = 0, loads_j = 0;  // by the jobs' own account
    int node = -1;
    double busy_seen_s = 0;     // at the policy's last look
    double busy_sampled_s = 0;  // at the last timeline sample
    double sampled_j = 0;
    double last_power_w = 0;  // that the thermal model was told
  };

  // A frame served together with the one in service.
  struct Companion {
    FrameQueue::Frame frame;
    Time deadline;
  };

  struct AppState {
    AppState(Arrivals process, Stream draws) : arrivals(std::move(process)), noise(draws) {}
    Arrivals arrivals;
    Stream noise;
    FrameQueue queue;
    FrameQueue::Frame frame{};       // in service
    std::vector<Companion> company;  // served together with it
    std::uint32_t lost = 0;          // frames given up
    bool serving = false;
    std::string failure;  // of the frame in service, on a board: why it has no result
    Time dispatched = 0;  // likewise: when the board was asked
    bool switching = false;
    bool arrival_due = false;  // closed loop: the next frame comes when the switch is done
    int loaded = 0;            // sub-network that is in force
    Time started = kNever;
    int switching_to = 0;
    double profile_ms = 0;
    double isolated_ms = 0;
    Provenance provenance = Provenance::derived;
    Provenance energy_provenance = Provenance::derived;
    bool outside_range = false;
    double half_width = 0;
    double deviation = 0;  // of this replication from the model, in standard deviations; 0 unless latencies are sampled
    Time deadline = kNever;
    Time relative_deadline = kNever;
    Time switch_time = 0;
    double session = 1;
    double default_sigma = 0;  // of cells that state no standard deviation
    bool varies = false;
    bool closed = false;  // driven by its own completions
    std::uint32_t next_job = 0;
    std::size_t next_target = 0;
    Time stop = kNever;
    const std::vector<double>* ratios = nullptr;
    std::vector<int> children;
    AppRecord* record = nullptr;
  };

  struct LoadState {
    Stream stream;
    std::uint64_t phases = 0;
    bool on = false;
    TimerId timer;
    double owed_ns = 0;  // bursts that came while an earlier one was still running
  };

  struct SensorState {
    std::vector<int> rails;
    std::vector<double> mark_j;
    std::vector<double> register_w;  // what the chip holds, by rail; NaN before the first update
    Time marked = 0;
  };

  const Setup& setup_;
  Recording recording_;
  E engine_;
  std::uint64_t replication_;
  Time now_ = 0;

  std::vector<UnitState> units_;
  std::vector<DomainState> domains_;
  std::vector<Task> tasks_;  // applications, then background loads, then the manager
  std::vector<AppState> apps_;
  std::vector<LoadState> loads_;
  std::uint32_t manager_task_ = 0;
  int manager_unit_ = -1;
  mutable std::vector<std::vector<std::vector<Forecast>>> forecasts_;  // [app][unit][subnet * opps + opp]

  std::unique_ptr<manager::Policy> policy_;
  std::unique_ptr<manager::Policy> scheduling_policy_;  // beside one that schedules nothing
  manager::Scheduler* scheduler_ = nullptr;
  bool schedule_due_ = false;
  std::vector<std::uint32_t> claimants_;  // by claim: its application
  std::vector<manager::Claim> claims_;
  std::vector<std::uint8_t> may_run_;
  std::vector<double> free_in_ms_;
  std::vector<int> given_up_;
  static constexpr double kBlockSlack = 1e-9;  // share of an inference: done is done, whatever the rounding
  Time off_at_ = kNever;                       // its battery was empty
  manager::Triggers triggers_;
  double manager_cost_us_ = 0;
  bool started_ = false;
  bool ended_ = false;
  Time end_ = 0;  // of the run; a board may be lost before the scenario's
  double cost_ = 0;
  bool deciding_ = false;
  std::uint32_t decisions_logged_ = 0;
  manager::Decision decision_;
  manager::Observation seen_;
  std::vector<manager::AppView> app_views_;
  std::vector<manager::UnitView> unit_views_;
  std::vector<manager::DomainView> domain_views_;
  std::vector<manager::RailView> rail_views_;
  std::vector<double> temperatures_;
  std::vector<double> polled_c_;   // at the last check of trip points
  std::vector<int> trip_targets_;  // by trip and clock: the state it asked for last; -1 = none
  std::vector<int> trip_nodes_;    // by trip
  Time tripped_at_ = 0;            // up to here `above_trip_s` is accounted
  Time looked_ = 0;

  std::optional<ThermalModel> thermal_;
  Time thermal_at_ = 0;
  bool thermal_stale_ = false;
  std::vector<double> node_power_;

  std::vector<std::vector<int>> rail_units_;
  std::vector<bool> rail_static_;
  std::vector<SensorState> sensors_;
  std::vector<double> rail_sampled_j_;  // by rail, at the last timeline sample
  std::vector<double> rail_warm_j_;     // by rail, at the end of the warm-up, on a real board

  static constexpr std::uint32_t kMostWaiting = 16'000'000;  // of one application: 256 MB
  const Progress* progress_ = nullptr;
  std::uint64_t events_ = 0;
  RunRecord record_;
  double steps_per_ns_ = 0;
  struct Baseline {
    Time at = 0;
    std::vector<UnitRecord> units;
    std::uint64_t dvfs_transitions = 0;
    std::uint64_t decisions = 0;
  } baseline_;

  // -- set-up ---------------------------------------------------------------------------------------------------------
  void build_board();
  void build_apps();
  void build_loads();
  void build_managers();
  int initial_subnet(std::size_t app) const;

  // -- board ----------------------------------------------------------------------------------------------------------
  void sync(UnitState& unit) {
    if (unit.synced == now_) return;
    const double dt = static_cast<double>(now_ - unit.synced) * 1e-9;
    unit.synced = now_;
    unit.idle_j += unit.idle_w * dt;
    unit.mhz_s += unit.mhz * dt;
    if (unit.running == 0) return;
    unit.busy_s += dt;
    unit.share += dt / unit.weights.value();
    unit.above_j += unit.weighted_power.value() / unit.weights.value() * dt;
    if (unit.share > kRebaseShare) rebase(unit);
  }
  // Differences of `share` lose digits as it grows; a busy unit starts over once in a while.
  static constexpr double kRebaseShare = 64;
  void rebase(UnitState& unit) {
    for (const std::uint32_t task : unit.tasks) tasks_[task].share_mark -= unit.share;
    unit.share = 0;
  }

  double unit_power_w(const UnitState& unit) const {
    return unit.idle_w + (unit.running > 0 ? unit.weighted_power.value() / unit.weights.value() : 0);
  }

  // Energy drawn up to now [J], without touching the accounts.
  double energy_now_j(const UnitState& unit) const {
    return unit.idle_j + unit.above_j + unit.switch_j + unit_power_w(unit) * to_s(now_ - unit.synced);
  }

  void power_changed(UnitState& unit) {
    if (kReal || !thermal_ || unit.node < 0) return;
    if (now_ != thermal_at_) {
      flush_heat();
      thermal_->advance(static_cast<double>(now_ - thermal_at_) * 1e-9);
      thermal_at_ = now_;
    }
    const double power_w = unit_power_w(unit);
    node_power_[unit.node] += power_w - unit.last_power_w;
    unit.last_power_w = power_w;
    thermal_stale_ = true;
  }
  void flush_heat() {
    if (!thermal_stale_) return;
    for (std::size_t node = 0; node < node_power_.size(); ++node) thermal_->set_power(node, node_power_[node]);
    thermal_stale_ = false;
  }

  void submit(std::uint32_t task);
  void begin(std::uint32_t task);
  void finish(std::uint32_t task);
  void interrupt(std::uint32_t task);
  void withdraw(std::uint32_t task);
  void next_on(UnitState& unit);
  bool more_urgent(const UnitState& unit, const Task& a, const Task& b) const;
  void settle_energy(std::uint32_t task);
  void schedule_soon();
  void schedule();
  void fill(std::size_t unit);
  void gather(std::size_t unit);
  double claim_ms(int app, std::size_t unit) const;
  void start(std::uint32_t task, std::size_t unit);
  void cut(std::uint32_t task);
  void pause(std::uint32_t task);
  void give_up(std::uint32_t task);
  void lose_frames(int app);
  void update_capacity(UnitState& unit);
  void contention_changed(std::size_t aggressor);
  double engine_rate(const Task& task) const { return task.rate / units_[task.unit].slowdown; }

  double static_w() const { return off_at_ == kNever ? setup_.platform.file.static_power_w : 0; }
  double static_j() const { return setup_.platform.file.static_power_w * to_s(std::min(now_, off_at_)); }
  double drawn_j() const;
  void look_at_battery();
  void switch_off();
  static bool happens_without_power(Kind kind);
  void refresh_unit(std::size_t unit);
  void request(int domain, int opp);
  void retarget(int domain);
  void settle(int domain);
  void govern(int domain, manager::Ask ask);
  void sample_governor(int domain);
  void load_changed(const UnitState& unit, bool io_wake);
  void update_load(DomainState& domain, bool io_wake);
  void integrate_load(DomainState& domain) {
    const double dt = to_s(now_ - domain.load_at) * domain.load;
    domain.load_at = now_;
    domain.busy_s += dt;
    domain.busy_mhz_s += dt * domain_views_[&domain - domains_.data()].opps_mhz[domain.opp];
  }
  int cores_online(const DomainState& domain) const;
  int clamp_opp(const DomainState& domain, int opp) const;
  void set_cores(int unit, int cores);
  void enter_mode(std::size_t mode);
  const Forecast& forecast(int app, int unit, int subnet, int opp) const {
    Forecast& out =
        forecasts_[app][unit][static_cast<std::size_t>(subnet) * units_[unit].opps + static_cast<std::size_t>(opp)];
    if (out.epoch != units_[unit].epoch) compute(out, app, unit, subnet, opp);
    return out;
  }
  double ideal_factor(int app, const Forecast& table) const;
  double load_factor(int app, int unit) const;
  void compute(Forecast& out, int app, int unit, int subnet, int opp) const;

  // -- applications ---------------------------------------------------------------------------------------------------
  void arrive(int app);
  void accept(int app);
  void schedule_arrival(int app);
  void dispatch(int app);
  void prepare(int app, int unit);
  bool too_late(int app, Time deadline) const;
  // On a board sub-networks are loaded where their application is mapped to.
  bool roams() const { return !kReal && scheduler_ != nullptr && scheduler_->roams(); }
  void frame_done(int app, const FrameQueue::Frame& frame, Time deadline, double energy_j);
  void done(std::uint32_t task);
  void job_done(int app);
  double execution_factor(const AppState& app, const Forecast& now, std::uint64_t job) const;
  void frame_lost(int app, const FrameQueue::Frame& frame, Outcome outcome);
  void want_subnet(int app, int subnet);
  void begin_switch(int app);
  void apply_target(int app);
  bool counted(Time arrival) const { return arrival >= setup_.warmup; }

  // -- background -----------------------------------------------------------------------------------------------------
  void load_arrives(int load);
  void load_leaves(int load);
  void load_phase(int load);
  void load_burst(int load);

  // -- managers -------------------------------------------------------------------------------------------------------
  void trigger(manager::Trigger why, int subject);
  void apply(const manager::Decision& decision);
  void log_board(const std::string& target, std::string knob, std::string from, std::string to,
                 const std::string& reason);
  void log_write(const manager::Write& write, const std::string& target, std::string from, std::string to);
  void log_candidates(const manager::Decision& decision);
  int covered_subnet(int app, int unit, int subnet, int from) const;

  // -- observers ------------------------------------------------------------------------------------------------------
  // -- a real board ---------------------------------------------------------------------------------------------------
  void begin_real(std::uint32_t task) requires RealEngine<E>;
  void take_measurement(std::uint32_t task) requires RealEngine<E>;
  void write_clock(int domain) requires RealEngine<E>;
  void clock_written(int domain) requires RealEngine<E>;
  void take_readings() requires RealEngine<E>;
  void inference_failed(int app) requires RealEngine<E>;
  void poll_temperatures() requires RealEngine<E>;
  void sample_real() requires RealEngine<E>;
  void measured_accounts() requires RealEngine<E>;
  int nearest_opp(int domain, double mhz) const;
  int own_rail(std::size_t unit) const;
  int whole_rail() const;

  void update_temperatures();
  void account_trips();
  void throttle();
  double rail_energy_j(std::size_t rail);
  double rail_power_w(std::size_t rail) const;
  void update_sensor(int sensor);
  void await_update(int sensor);
  void read_sensor(int sensor);
  void sample();
  UnitRecord unit_account(std::size_t unit);
  double running_cost() const;
  void finish_record();
};

}  // namespace dynasoc
