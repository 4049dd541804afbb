// What a run leaves behind: summaries always, jobs, decisions and timelines on request. Plain data.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "application/table.hpp"
#include "kernel/time.hpp"
#include "manager/policy.hpp"

namespace dynasoc {

/// Latencies in log-linear bins: 512 to an octave, so that any quantile is within 0.2 % (interpolated inside a bin). 4
/// kB an octave that occurs; memory does not grow with the number of samples.
class Histogram {
 public:
  void add(Time ns) {
    const std::size_t bin = bin_of(ns);
    if (bin >= counts_.size()) counts_.resize((bin / kPerOctave + 1) * kPerOctave, 0);
    ++counts_[bin];
    ++total_;
    least_ = std::min(least_, ns);
    most_ = std::max(most_, ns);
  }
  std::uint64_t total() const { return total_; }

  /// The q-quantile [ms], 0 <= q <= 1: the value at rank q (n - 1), linear inside a bin. NaN when empty.
  double quantile_ms(double q) const;

  void merge(const Histogram& other);

  template <class V>
  void visit(V& v) {
    v(counts_), v(total_), v(least_), v(most_);
  }

 private:
  static constexpr std::size_t kPerOctave = 512;
  static std::size_t bin_of(Time ns) {
    const auto x = static_cast<std::uint64_t>(ns < 0 ? 0 : ns);
    if (x < kPerOctave) return static_cast<std::size_t>(x);
    const int shift = static_cast<int>(std::bit_width(x)) - 10;  // 10 = bits of 2 * kPerOctave - 1
    return (static_cast<std::size_t>(shift) << 9) + static_cast<std::size_t>(x >> shift);
  }
  static double low_of(std::size_t bin) {
    if (bin < 2 * kPerOctave) return static_cast<double>(bin);
    const std::size_t shift = (bin >> 9) - 1;
    return static_cast<double>(bin - (shift << 9)) * std::exp2(static_cast<double>(shift));
  }

  std::vector<std::uint64_t> counts_;
  std::uint64_t total_ = 0;
  Time least_ = kNever;  // a quantile never leaves the range of the samples
  Time most_ = 0;
};

enum class Outcome : std::uint8_t { met, missed, dropped, rejected, unfinished };
std::string_view name_of(Outcome outcome);

/// A time that does not apply, in a log: what NumPy calls not-a-time, so that Python reads the log as it stands.
inline constexpr Time kNoTime = std::numeric_limits<Time>::min();

/// A time as a log holds it.
constexpr Time logged(Time t) { return t == kNever ? kNoTime : t; }

/// One inference. Times are `kNoTime` where they do not apply.
struct JobRecord {
  Time arrival = 0;
  Time start = kNoTime;
  Time end = kNoTime;
  Time deadline = kNoTime;
  std::uint32_t job = 0;
  float energy_mj = 0;
  /// What it would have taken alone from its dispatch on: the tables' latency at the clocks of that instant, times this
  /// frame's own noise. NaN for frames that were never dispatched.
  float isolated_ms = std::numeric_limits<float>::quiet_NaN();
  std::uint16_t app = 0;
  std::uint8_t subnet = 0;
  std::uint8_t unit = 0;
  Outcome outcome = Outcome::unfinished;
  std::array<std::uint8_t, 7> waited{};  ///< of a frame that was given up: see `given_up_at`

  /// When a frame that was dropped or rejected was given up; what else has no result was not given up. The wait is kept
  /// in seven bytes, enough for two years.
  void give_up(Time at) {
    for (std::size_t i = 0; i < waited.size(); ++i)
      waited[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(at - arrival) >> (8 * i));
  }
  Time given_up_at() const {
    Time wait = 0;
    for (std::size_t i = waited.size(); i-- > 0;) wait = wait << 8 | waited[i];
    return arrival + wait;
  }
};
static_assert(sizeof(JobRecord) < 64);

/// One piece of memory, so that others can look at it as an array. It grows by realloc, which moves pages and not bytes
/// once there are many (glibc: mremap), and pages beyond `size` are never touched: no second copy at any time.
class JobLog {
 public:
  JobLog() = default;
  JobLog(JobLog&& other) noexcept { swap(other); }
  JobLog& operator=(JobLog&& other) noexcept {
    JobLog old(std::move(other));
    swap(old);
    return *this;
  }
  ~JobLog() { std::free(records_); }

  void add(const JobRecord& record) {
    if (size_ == room_) grow();
    records_[size_++] = record;
  }
  std::size_t size() const { return size_; }
  const JobRecord& operator[](std::size_t i) const { return records_[i]; }
  const JobRecord* data() const { return records_; }

 private:
  void swap(JobLog& other) {
    std::swap(records_, other.records_);
    std::swap(size_, other.size_);
    std::swap(room_, other.room_);
  }
  void grow() {
    const std::size_t room = std::max<std::size_t>(64, 2 * room_);
    void* larger = std::realloc(static_cast<void*>(records_), room * sizeof(JobRecord));
    if (larger == nullptr) throw std::bad_alloc();
    records_ = static_cast<JobRecord*>(larger);
    room_ = room;
  }
  static_assert(std::is_trivially_copyable_v<JobRecord>);  // realloc moves them

  JobRecord* records_ = nullptr;
  std::size_t size_ = 0;
  std::size_t room_ = 0;
};

/// One knob written. A policy's writes of one moment share the number of their decision.
struct DecisionRecord {
  Time at = 0;
  bool by_board = false;  ///< throttling and power modes, not the policy
  std::uint32_t decision = 0;
  std::string trigger;  ///< why the policy was asked; empty for the board
  std::string target;
  std::string knob;
  std::string from;
  std::string to;
  std::string reason;
  std::string binding;  ///< the constraint that a better choice would have broken; empty where none is known
  double slack = 0;     ///< room left to it, in its unit
  double margin = 0;    ///< the same, relative

  template <class V>
  void visit(V& v) {
    v(at), v(by_board), v(decision), v(trigger), v(target), v(knob), v(from), v(to), v(reason), v(binding), v(slack),
        v(margin);
  }
};

/// A choice that a decision looked at. Indices are those of the set-up; -1 where it does not speak of one.
struct CandidateRecord {
  std::uint32_t decision = 0;
  int app = -1;
  int subnet = -1;
  int unit = -1;
  int opp = -1;  ///< of the unit's first domain
  double latency_ms = 0;
  double accuracy = 0;
  double energy_mj = 0;
  bool feasible = false;
  bool chosen = false;  ///< it is what the decision's writes lead to
};

/// Samples of everything that is worth a plot, in one piece of memory: a row is its time [ns] as a 64-bit integer and
/// then a double for each column.
class Timeline {
 public:
  std::vector<std::string> columns;  ///< names, with units

  std::size_t rows() const { return cells_.size() / (columns.size() + 1); }
  Time at(std::size_t row) const { return std::bit_cast<Time>(cells_[row * (columns.size() + 1)]); }
  double value(std::size_t row, std::size_t column) const { return cells_[row * (columns.size() + 1) + 1 + column]; }
  const void* data() const { return cells_.data(); }

  /// Begins a row; as many `push` as there are columns must follow.
  void begin(Time at) { cells_.push_back(std::bit_cast<double>(at)); }
  void push(double value) { cells_.push_back(value); }
  /// The cell of the row that was begun last.
  void put(std::size_t column, double value) { cells_[open_row() + 1 + column] = value; }

  template <class V>
  void visit(V& v) {
    v(columns), v(cells_);
  }

 private:
  std::size_t open_row() const { return (cells_.size() - 1) / (columns.size() + 1) * (columns.size() + 1); }
  std::vector<double> cells_;
};

/// Counts and sums of one application's inferences at one sub-network, in the whole run or in a window.
struct SubnetRecord {
  std::uint64_t completed = 0;
  std::uint64_t missed = 0;
  double latency_sum_ms = 0;
  double service_sum_ms = 0;
};

struct AppRecord {
  /// The run in coarse steps, for a picture on a terminal.
  struct Step {
    std::uint32_t completed = 0;
    float latency_sum_ms = 0;
    float subnet_sum = 0;
  };
  static constexpr std::size_t kSteps = 72;

  std::string name;
  std::uint64_t jobs = 0;  ///< frames that arrived after the warm-up
  std::uint64_t completed = 0;
  std::uint64_t missed = 0;  ///< completed after their deadline
  std::uint64_t dropped = 0;
  std::uint64_t rejected = 0;
  std::uint64_t overdue = 0;  ///< unfinished at the end, their deadline having passed
  std::uint64_t subnet_switches = 0;
  std::uint64_t mapping_changes = 0;  ///< knob writes that moved it to another unit
  double latency_sum_ms = 0;
  double latency_max_ms = 0;
  double accuracy_sum = 0;
  double energy_mj = 0;
  Histogram latency;
  std::vector<double> accuracy;                    ///< by sub-network
  std::vector<SubnetRecord> subnets;               ///< by sub-network
  std::vector<std::vector<SubnetRecord>> windows;  ///< [window][sub-network], by time of completion
  std::array<std::uint64_t, 3> provenance{};       ///< completed jobs by provenance of their latency
  std::array<std::uint64_t, 3> energy_provenance{};
  std::array<Step, kSteps> strip{};
  double half_width_sum = 0;        ///< of completed jobs: their latency's prediction interval, relative half width
  std::uint64_t outside_range = 0;  ///< completed jobs whose latency lies beyond every measured clock

  template <class V>
  void visit(V& v) {
    v(name), v(jobs), v(completed), v(missed), v(dropped), v(rejected), v(overdue), v(subnet_switches),
        v(mapping_changes);
    v(latency_sum_ms), v(latency_max_ms), v(accuracy_sum), v(energy_mj), v(latency), v(accuracy), v(subnets),
        v(windows);
    v(provenance), v(energy_provenance), v(strip), v(outside_range), v(half_width_sum);
  }
};

struct UnitRecord {
  std::string name;
  double busy_s = 0;
  double idle_energy_j = 0;
  double job_energy_j = 0;         ///< of inferences and switches
  double background_energy_j = 0;  ///< of background load and managers
  double mhz_s = 0;                ///< integral of the pace-setting clock
  double energy_j() const { return idle_energy_j + job_energy_j + background_energy_j; }

  template <class V>
  void visit(V& v) {
    v(name), v(busy_s), v(idle_energy_j), v(job_energy_j), v(background_energy_j), v(mhz_s);
  }
};

struct RunRecord {
  std::uint64_t seed = 0;
  std::uint64_t replication = 0;
  double duration_s = 0;
  double measured_s = 0;  ///< after the warm-up: what the platform's figures speak of
  std::vector<AppRecord> apps;
  std::vector<UnitRecord> units;
  double static_energy_j = 0;
  double peak_temperature_c = std::nan("");
  std::uint64_t dvfs_transitions = 0;
  std::uint64_t decisions = 0;        ///< knobs written
  std::uint64_t decisions_asked = 0;  ///< times the policy was asked
  double manager_s = 0;               ///< compute time that decisions were charged, at full share of their unit
  /// Time during which any trip point was reached, as far as the thermal governor's polls can tell: the stretch between
  /// two polls counts if it ends at or above a trip. NaN without a thermal network or trips.
  double above_trip_s = std::numeric_limits<double>::quiet_NaN();
  /// Likewise, that the scenario's thermal budget was passed; NaN without one.
  double above_budget_s = std::numeric_limits<double>::quiet_NaN();
  std::uint64_t preemptions = 0;  ///< times that an inference was let in while one that had begun was waiting
  double battery_left_j = std::numeric_limits<double>::quiet_NaN();  ///< at the end; NaN without a battery
  double battery_life_s = std::numeric_limits<double>::quiet_NaN();  ///< until it was empty, or the run over
  double conservation_error = 0;  ///< largest relative disagreement of two independent energy accounts

  std::string learnt;  ///< what the policy has learnt, as a JSON object (Policy::learnt); empty for most

  manager::Certificate certificate;  ///< of a clairvoyant policy; its method is empty for others

  JobLog jobs;
  std::vector<DecisionRecord> decision_log;
  std::vector<CandidateRecord> candidates;  ///< of the decisions in the log, in their order
  Timeline timeline;

  /// Keeps what a summary needs, and gives back the memory of the rest (which `= {}` would not for a vector).
  void forget_logs() {
    jobs = JobLog();
    decision_log = std::vector<DecisionRecord>();
    candidates = std::vector<CandidateRecord>();
    timeline = Timeline();
  }

  double energy_j() const {
    double sum = static_energy_j;
    for (const UnitRecord& unit : units) sum += unit.energy_j();
    return sum;
  }

  template <class V>
  void visit(V& v) {
    v(seed), v(replication), v(duration_s), v(measured_s), v(apps), v(units), v(static_energy_j), v(peak_temperature_c);
    v(dvfs_transitions), v(decisions), v(decisions_asked), v(manager_s), v(above_trip_s), v(above_budget_s),
        v(preemptions), v(battery_left_j), v(battery_life_s), v(conservation_error), v(learnt), v(certificate),
        v(decision_log), v(candidates), v(timeline);
  }
};

}  // namespace dynasoc
