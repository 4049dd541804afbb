// legodnn: an integer program picks one alternative of every block with the least loss of accuracy that saves enough
// time and memory; where none does, memory is relaxed first, then time.
//
// Source: the released code of LegoDNN (Han and others: LegoDNN, MobiCom 2021), whose module `optimal_runtime` was
// read; of the paper only that. A block is there a part of one network, with copies of several sparsities. The tables
// here know no sparsity by block: a block is an application's whole network, its alternatives are the sub-networks that
// the tables cover on its unit, and the program is one for all active applications. What follows is the same program.
//
// Tables are read at the clock that the unit has; where a governor moves it, at the fastest that was shown (see
// sim/manager/clocks.hpp). The original of application b is its most accurate alternative (of equals the one with the
// higher number), of time T_b and memory M_b; an alternative s drops accuracy by a_b - a_s, memory by M_b - m_s and
// time by T_b - t_s. Times are table times multiplied by the ratio r_b of measured to table time: over the newest
// `window` frames of the application on its present unit, the mean of those ratios that are within one standard
// deviation (of all of them) of the mean of all; 1 without a frame. A frame's ratio is its service time over the
// table's (of its sub-network), divided by what a batch of its size takes over one frame. With x 0 or 1:
//     minimise  sum acc_drop x                              of equals the least sum of times
//     one alternative of each block
//     sum time_drop x >= T_b - T_max,b                      for each application with a latency target, its T_max
//     sum mem_drop x >= M - M_max                           M = sum M_b; M_max is `memory_mb`, 0 = no such row
// That accuracies, memories and times may be added up over blocks is LegoDNN's assumption. Here times are not (a block
// is a whole network, and what applications sharing a unit take from each other is in the measured ratio); accuracy
// drops of different networks are summed as points, and memories are those of the weights that their files state.
//
// Relaxing. A step of memory raises M_max by 0.1 MB, and the first one at least to the least memory that the
// alternatives can have; a step of time raises T_max by 100 ms. The least number of steps is searched for by halving,
// which is the same as taking them one by one, for a laxer program has every solution of a stricter one. There are at
// most ceil((M - M_max) / 0.1) steps of memory and 1000 of time; then the row is left out.
//   artefact   memory until there is a solution or the row means nothing, then all T_max together, memory left at that
//   corrected  an application that no alternative is fast enough for has its own T_max raised until one is, before
//              anything else and at no other's cost; then memory; and where times had to be raised together after that,
//              memory by the least that suffices for them
// The artefact takes ratios by block of one inference and keeps those strictly less than a standard deviation off,
// which of equal ratios leaves none (its answer is then not a number): here those at just one deviation stay in either
// variant. It also scales the time of the whole by the mean ratio but drops by each block's own; here both by r_b.
//
// Battery (ours). With one, sum rate_b E_s x <= allowed power - idle power of the units (where known), with E_s the
// table energy of a frame (above idle, unknown = 0, at no batch) and the arrival rate measured from period to period
// (sim/manager/policies/demand.hpp; unknown = 0). It gives way last: only if no choice at all keeps it, and then only
// to the least power that any choice has. Energy and power budgets and the accuracy floor are not looked at: the
// artefact knows none.
//
// Solver: an exact search (sim/manager/oracle/choice.hpp), so that an answer does not depend on what is installed; CBC
// takes over what it cannot finish, or everything with `solver` cbc.
#include <array>
#include <cmath>
#include <vector>

#include "manager/clocks.hpp"
#include "manager/oracle/choice.hpp"
#include "manager/policies/demand.hpp"
#include "manager/policy.hpp"

namespace dynasoc::manager {
namespace {

enum class LegoVariant : std::uint8_t { artefact, corrected };
enum class LegoSolver : std::uint8_t { search, cbc };

}  // namespace
}  // namespace dynasoc::manager

template <>
struct dynasoc::EnumNames<dynasoc::manager::LegoVariant> {
  static constexpr std::array<std::pair<std::string_view, dynasoc::manager::LegoVariant>, 2> names{
      {{"artefact", dynasoc::manager::LegoVariant::artefact}, {"corrected", dynasoc::manager::LegoVariant::corrected}}};
};

template <>
struct dynasoc::EnumNames<dynasoc::manager::LegoSolver> {
  static constexpr std::array<std::pair<std::string_view, dynasoc::manager::LegoSolver>, 2> names{
      {{"search", dynasoc::manager::LegoSolver::search}, {"cbc", dynasoc::manager::LegoSolver::cbc}}};
};

namespace dynasoc::manager {
namespace {

class LegoDnn final : public Policy {
 public:
  struct Parameters {
    LegoVariant variant = LegoVariant::corrected;
    double memory_mb = 0;
    int window = 10;
    double period_ms = 1000;
    double smoothing = 0.5;
    LegoSolver solver = LegoSolver::search;
    int search_limit = 20000;
    double cost_us = 1000;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(
          field(&P::variant, "variant",
                "artefact: memory is relaxed in full before time, and time for all together; corrected: an application "
                "whose target cannot be met is relaxed alone, and memory by what it needs"),
          field(&P::memory_mb, "memory_mb", non_negative(), "for the weights of all applications; 0 = unlimited"),
          field(&P::window, "window", range(1, static_cast<int>(AppView::kRemembered)),
                "newest frames whose measured times rescale the tables (assumed)"),
          field(&P::period_ms, "period_ms", at_least(1e-3), "between decisions (assumed)"),
          field(&P::smoothing, "smoothing", range(0.001, 1),
                "weight of a new measurement in the arrival rate (battery)"),
          field(&P::solver, "solver", "search: exact, then CBC if it takes too long; cbc: CBC where there is one"),
          field(&P::search_limit, "search_limit", range(1, 1e7), "alternatives the search looks at before CBC"),
          field(&P::cost_us, "cost_us", non_negative(), "compute time of one decision (assumed)"));
    }
  };
  explicit LegoDnn(const Parameters& parameters) : p_(parameters) {}

  Triggers triggers() const override { return {.period_ms = p_.period_ms, .target_change = true}; }
  double compute_cost_us() const override { return p_.cost_us; }

  void decide(const Observation& seen, Decision& decision) override {
    clocks_.refresh(seen, false);
    demand_.look(seen, p_.smoothing);
    begin(seen);
    if (blocks_.empty()) return;
    relax();
    for (std::size_t b = 0; b < blocks_.size(); ++b) write(seen, b, decision);
  }

 private:
  static constexpr double kMemoryStepMb = 0.1, kTimeStepMs = 100;
  static constexpr int kMostTimeSteps = 1000;
  static constexpr double kSame = 1e-9;

  struct Alternative {
    int subnet = 0;
    double ms = 0;  // rescaled
    double drop = 0;
    double memory_mb = 0;
    double power_w = 0;
  };
  struct Block {
    int app = 0;
    double ratio = 1;
    double most_ms = 0;  // T_max; 0 = none
    double original_mb = 0;
    std::vector<Alternative> alternatives;
    int chosen = 0;
  };

  double ratio(const Observation& seen, const AppView& app) {
    ratios_.clear();
    const std::uint64_t kept =
        std::min<std::uint64_t>({app.completed, AppView::kRemembered, static_cast<std::uint64_t>(p_.window)});
    double sum = 0;
    for (std::uint64_t n = app.completed - kept; n < app.completed; ++n) {
      const Sample& sample = app.sample(n);
      if (sample.unit != app.unit) continue;
      const double its = clocks_.slowdown(seen, app, sample, false);
      if (!(its > 0) || !std::isfinite(its)) continue;
      ratios_.push_back(its);
      sum += its;
    }
    if (ratios_.empty()) return 1;
    const double count = static_cast<double>(ratios_.size()), mean = sum / count;
    double squares = 0;
    for (const double its : ratios_) squares += (its - mean) * (its - mean);
    const double deviation = std::sqrt(squares / count) * (1 + kSame) + kSame * mean;
    double inside = 0, inside_count = 0;
    for (const double its : ratios_)
      if (std::abs(its - mean) <= deviation) inside += its, ++inside_count;
    return inside_count > 0 ? inside / inside_count : mean;
  }

  void begin(const Observation& seen) {
    std::size_t count = 0;
    original_mb_ = least_mb_ = 0;
    double least_w = 0;
    for (const AppView& app : seen.applications) {
      if (!app.active) continue;
      if (count == blocks_.size()) blocks_.emplace_back();
      Block& block = blocks_[count];
      block.app = app.index;
      block.ratio = ratio(seen, app);
      block.most_ms = std::max(0.0, app.latency_target_ms);
      block.chosen = 0;
      block.alternatives.clear();
      double best = -HUGE_VAL, least = HUGE_VAL, cheapest_w = HUGE_VAL, fastest_ms = HUGE_VAL;
      for (int s = 0; s < app.subnets; ++s) {
        const Profile::Entry table = seen.profile->entry(app.index, s, app.unit, clocks_.opp(app.unit));
        if (!(table.latency_ms > 0)) continue;
        Alternative one{.subnet = s, .ms = table.latency_ms * block.ratio};
        if (static_cast<std::size_t>(s) < app.memory_mb.size()) one.memory_mb = app.memory_mb[s];
        if (table.energy_mj > 0) one.power_w = demand_.hz(app.index) * table.energy_mj * 1e-3;
        if (app.accuracy[s] >= best) best = app.accuracy[s], block.original_mb = one.memory_mb;
        least = std::min(least, one.memory_mb);
        cheapest_w = std::min(cheapest_w, one.power_w);
        fastest_ms = std::min(fastest_ms, one.ms);
        block.alternatives.push_back(one);
      }
      if (block.alternatives.empty()) continue;
      for (Alternative& one : block.alternatives) one.drop = best - app.accuracy[one.subnet];
      if (p_.variant == LegoVariant::corrected && block.most_ms > 0 && fastest_ms > block.most_ms)
        block.most_ms += kTimeStepMs * std::ceil((fastest_ms - block.most_ms) / kTimeStepMs - kSame);
      original_mb_ += block.original_mb;
      least_mb_ += least;
      least_w += cheapest_w;
      ++count;
    }
    blocks_.resize(count);
    cap_w_ = HUGE_VAL;
    if (const double allowed_w = seen.battery.allowed_w(seen.now); std::isfinite(allowed_w)) {
      double idle_w = 0;
      for (const UnitView& unit : seen.units)
        if (const double its = seen.profile->idle_w(unit.index, clocks_.opp(unit.index)); its > 0) idle_w += its;
      cap_w_ = std::max(allowed_w - idle_w, least_w);
    }
  }

  // M_max after so many steps.
  double most_mb(int steps) const {
    if (steps == 0) return p_.memory_mb;
    return std::max(p_.memory_mb + kMemoryStepMb, least_mb_) + kMemoryStepMb * (steps - 1);
  }
  int most_memory_steps() const {
    if (p_.memory_mb <= 0 || original_mb_ <= p_.memory_mb) return 0;
    return static_cast<int>(std::min(1e9, std::ceil((original_mb_ - p_.memory_mb) / kMemoryStepMb - kSame)));
  }

  // At the last step of either a row means nothing and is left out.
  bool solve(int memory_steps, int time_steps) {
    program_.clear();
    alternative_.clear();
    const bool timed = time_steps <= kMostTimeSteps;
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      const Block& block = blocks_[b];
      const double most_ms = block.most_ms > 0 && timed ? block.most_ms + kTimeStepMs * time_steps : HUGE_VAL;
      bool any = false;
      for (std::size_t i = 0; i < block.alternatives.size(); ++i) {
        const Alternative& one = block.alternatives[i];
        if (one.ms > most_ms * (1 + kSame)) continue;  // the row of a block of its own bounds its alternatives
        program_.add(static_cast<int>(b), one.drop, one.ms);
        alternative_.push_back(static_cast<int>(i));
        any = true;
      }
      if (!any) return false;
    }
    const bool remembered = p_.memory_mb > 0 && (memory_steps == 0 || memory_steps < most_memory_steps());
    if (remembered) {
      ChoiceProgram::Limit& limit = program_.limit(most_mb(memory_steps));
      for (std::size_t x = 0; x < alternative_.size(); ++x)
        limit.uses[x] = blocks_[program_.group[x]].alternatives[alternative_[x]].memory_mb;
    }
    if (std::isfinite(cap_w_)) {
      ChoiceProgram::Limit& limit = program_.limit(cap_w_);
      for (std::size_t x = 0; x < alternative_.size(); ++x)
        limit.uses[x] = blocks_[program_.group[x]].alternatives[alternative_[x]].power_w;
    }
    if (!solver_.solve(program_, p_.solver == LegoSolver::cbc ? ChoiceBy::cbc : ChoiceBy::search, p_.search_limit))
      return false;
    for (std::size_t b = 0; b < blocks_.size(); ++b)
      blocks_[b].chosen = alternative_[static_cast<std::size_t>(solver_.chosen()[b])];
    return true;
  }

  // The least of first..last with a solution, whose answer is then in the blocks; last is known to have one.
  template <class Solve>
  static int least_steps(int first, int last, Solve&& solves) {
    while (first < last) {
      const int middle = first + (last - first) / 2;
      if (solves(middle))
        last = middle;
      else
        first = middle + 1;
    }
    solves(last);
    return last;
  }

  void relax() {
    const auto memory = [this](int steps) { return solve(steps, time_steps_); };
    const auto time = [this](int steps) { return solve(memory_steps_, steps); };
    memory_steps_ = time_steps_ = 0;
    if (solve(0, 0)) return;
    const int all = most_memory_steps();
    if (all > 0 && solve(all, 0)) {
      memory_steps_ = least_steps(1, all, memory);
      return;
    }
    memory_steps_ = all;
    time_steps_ = least_steps(1, kMostTimeSteps + 1, time);
    if (p_.variant == LegoVariant::corrected && all > 0) memory_steps_ = least_steps(0, all, memory);
  }

  void write(const Observation& seen, std::size_t b, Decision& decision) const {
    const Block& block = blocks_[b];
    const AppView& app = seen.applications[block.app];
    const Alternative& chosen = block.alternatives[block.chosen];
    const double target_ms = app.latency_target_ms;
    const double most_ms =
        block.most_ms > 0 && time_steps_ <= kMostTimeSteps ? block.most_ms + kTimeStepMs * time_steps_ : HUGE_VAL;
    if (seen.explain)
      for (const Alternative& one : block.alternatives)
        decision.candidates.push_back({app.index, one.subnet, app.unit, clocks_.opp(app.unit), one.ms,
                                       app.accuracy[one.subnet],
                                       seen.profile->energy_mj(app.index, one.subnet, app.unit, clocks_.opp(app.unit)),
                                       target_ms <= 0 || one.ms <= target_ms});
    if (chosen.subnet == app.subnet) return;
    Why why;
    if (target_ms > 0 && chosen.ms > target_ms * (1 + kSame) && std::isfinite(most_ms))
      why.reason = because("nothing that may be chosen takes {} ms: relaxed to {} ms; {} ms at {} times the table",
                           target_ms, most_ms, chosen.ms, block.ratio);
    else if (memory_steps_ > 0)
      why.reason = because("memory relaxed from {} MB in {} steps; accuracy drop {}, {} ms", p_.memory_mb,
                           memory_steps_, chosen.drop, chosen.ms);
    else if (target_ms > 0)
      why.reason = because("accuracy drop {}: {} ms of {} ms at {} times the table", chosen.drop, chosen.ms, target_ms,
                           block.ratio);
    else
      why.reason = because("accuracy drop {}: {} ms at {} times the table; no latency target", chosen.drop, chosen.ms,
                           block.ratio);
    if (target_ms > 0) why.margin = 1 - chosen.ms / target_ms;
    bind(block, chosen, target_ms, most_ms, why);
    decision.set(Knob::subnet, app.index, chosen.subnet, why);
  }

  // What keeps it from the next smaller drop: time, or, where there is a battery and memory for it, power.
  void bind(const Block& block, const Alternative& chosen, double target_ms, double most_ms, Why& why) const {
    const Alternative* next = nullptr;
    double used_mb = 0, used_w = 0;
    for (const Block& other : blocks_) {
      used_mb += other.alternatives[other.chosen].memory_mb;
      used_w += other.alternatives[other.chosen].power_w;
    }
    for (const Alternative& one : block.alternatives)
      if (one.drop < chosen.drop && (next == nullptr || one.drop > next->drop)) next = &one;
    const bool late = target_ms > 0 && chosen.ms > target_ms * (1 + kSame);
    if (late || (next != nullptr && target_ms > 0 && next->ms > most_ms * (1 + kSame))) {
      why.binding = Constraint::latency;
      why.slack = target_ms - chosen.ms;
    } else if (next != nullptr && std::isfinite(cap_w_) && used_w - chosen.power_w + next->power_w > cap_w_ &&
               (p_.memory_mb <= 0 || used_mb - chosen.memory_mb + next->memory_mb <= most_mb(memory_steps_))) {
      why.binding = Constraint::power;
      why.slack = cap_w_ - used_w;
      why.margin = cap_w_ > 0 ? why.slack / cap_w_ : 0;
    }
  }

  Parameters p_;
  ReferenceClocks clocks_;
  DemandMeter demand_;
  std::vector<Block> blocks_;
  double original_mb_ = 0, least_mb_ = 0, cap_w_ = 0;
  int memory_steps_ = 0, time_steps_ = 0;
  ChoiceProgram program_;
  ChoiceSolver solver_;
  std::vector<int> alternative_;  // by alternative of the program: its place in its block
  std::vector<double> ratios_;
};

const Registration<Policy, LegoDnn> registered{
    "legodnn", "an integer program: the least loss of accuracy that saves enough time and memory",
    "LegoDNN (MobiCom 2021): the released code of its optimal runtime was read; blocks are whole networks here"};

}  // namespace
}  // namespace dynasoc::manager
