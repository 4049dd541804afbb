#include "scenario/trace/conformance.hpp"

#include <algorithm>
#include <cmath>
#include <compare>

namespace dynasoc::trace {
namespace {

using manager::Ask;

// A governor led through a recording.
class Replay {
 public:
  Replay(const Recording& recording, manager::Governor& governor, const std::vector<double>& opps_mhz,
         const ConformanceLimits& limits, int cpus, Time settle)
      : recording_(recording),
        governor_(governor),
        opps_(opps_mhz),
        limits_(limits),
        cpus_(cpus),
        settle_(settle),
        cores_(recording.cores()) {}

  // Our OPP in effect at the end of each row.
  std::vector<int> run() {
    sampled_ = recording_.begin();
    ours_ = next_ = recording_.opp(0);
    follows_ = governor_.follows_load();
    decide(recording_.begin(), Ask::start);
    settle();  // before a run begins a clock is simply there
    plan_sample(recording_.begin());
    std::vector<int> out;
    for (std::size_t k = 0; k < recording_.rows(); ++k) {
      const Time end = recording_.time(k);
      walk(recording_.window_begin(k), end, k);
      settle_until(end);
      out.push_back(ours_);
    }
    return out;
  }

 private:
  // What happens from the beginning of row k's window to its end, in the simulator's order within an instant: clocks
  // first, then timers, then changes of load.
  void walk(Time begin, Time end, std::size_t k) {
    if (follows_) {
      if (k > 1 && recording_.opp(k - 1) != recording_.opp(k - 2)) decide(begin, Ask::clock);
      while (wake() <= begin) timer(wake());
      if (set_running(k)) decide(begin, Ask::load);
    }
    while (std::min(sample_at_, wake()) <= end) {
      if (wake() >= sample_at_) {
        sample(sample_at_);
      } else if (wake() < end) {
        timer(wake());
      } else {
        break;  // at the end of the row clocks come first: in the next window
      }
    }
  }
  // A governor's own times count from the beginning of the recording.
  Time wake() const { return governor_.wake() == kNever ? kNever : governor_.wake() + recording_.begin(); }
  // A governor that asks for the same instant again would never end.
  void timer(Time at) {
    const Time wanted = std::max(at, last_timer_);
    stuck_ = wanted == last_timer_ ? stuck_ + 1 : 0;
    if (stuck_ > kMostAtOnce) throw InternalError("a governor asks for the same instant again and again");
    last_timer_ = wanted;
    decide(wanted, Ask::timer);
  }

  // A deferrable timer of an idle cluster comes with the next work.
  void sample(Time t) {
    const double wait_ms = governor_.deferrable_ms();
    if (wait_ms > 0 && !waited_) {
      std::size_t k = recording_.row_after(t);
      while (k < recording_.rows() && recording_.load(k) <= 0) ++k;
      Time work = k < recording_.rows() ? std::max(t, recording_.window_begin(k)) : kNever;
      if (std::isfinite(wait_ms)) work = std::min(work, t + from_ms(wait_ms));
      if (work > t) {
        waited_ = true;
        sample_at_ = work;
        return;
      }
    }
    waited_ = false;
    decide(t, Ask::sample);
    plan_sample(t);
  }
  void plan_sample(Time t) {
    const double period_ms = governor_.period_ms();
    sample_at_ = period_ms > 0 ? t + std::max<Time>(from_ms(period_ms), 1) : kNever;
  }

  bool set_running(std::size_t k) {
    bool changed = false;
    for (std::size_t core = 0; core < cores_.size(); ++core) {
      changed = changed || cores_[core].running != recording_.load(core, k);
      cores_[core].running = recording_.load(core, k);
    }
    return changed;
  }

  void decide(Time t, Ask ask) {
    settle_until(t);
    for (std::size_t core = 0; core < cores_.size(); ++core) {
      const Recording::Busy busy = recording_.busy(core, sampled_, t);
      cores_[core].busy = busy.share;
      cores_[core].busy_mhz = busy.mhz;
      if (!follows_)
        cores_[core].running = recording_.load(core, std::min(recording_.row_after(t), recording_.rows() - 1));
    }
    manager::DomainSample sample;
    sample.now = t - recording_.begin();
    sample.since = sampled_ - recording_.begin();
    sample.ask = ask;
    sample.cores = cores_;
    sample.cpus = cpus_;
    sample.opps_mhz = opps_;
    sample.opp = recording_.opp_at(t);
    sample.changing = settle_at_ != kNever && next_ != sample.opp;
    sample.lowest = limits_.lowest;
    sample.highest = limits_.highest;
    if (ask == Ask::sample) sampled_ = t;
    const int wanted = governor_.next(sample);
    if (ask == Ask::clock || wanted == next_) return;
    next_ = wanted;
    settle_at_ = t + settle_;
    settle_until(t);
  }
  void settle_until(Time t) {
    if (settle_at_ <= t) settle();
  }
  void settle() {
    ours_ = next_;
    settle_at_ = kNever;
  }

  static constexpr int kMostAtOnce = 1000;
  const Recording& recording_;
  manager::Governor& governor_;
  const std::vector<double>& opps_;
  ConformanceLimits limits_;
  int cpus_;
  Time settle_;
  std::vector<manager::CoreLoad> cores_;
  bool follows_ = false;
  Time sampled_ = 0;  // when the window of `busy` began
  Time sample_at_ = kNever;
  bool waited_ = false;
  int ours_ = 0, next_ = 0;  // in effect, wanted
  Time settle_at_ = kNever;
  Time last_timer_ = std::numeric_limits<Time>::min();
  int stuck_ = 0;
};

int sign(int x) { return (x > 0) - (x < 0); }

// Pairs of changes in a direction, theirs and ours, at most `kReach` rows apart: the nearest first, of two as near our
// later one. Each change answers one.
Conformance::Reaction reaction(const std::vector<Conformance::Row>& rows, int direction) {
  constexpr std::size_t kReach = 10;
  const auto moves = [&](auto member) {
    std::vector<std::size_t> out;
    for (std::size_t k = 1; k < rows.size(); ++k)
      if (sign(rows[k].*member - rows[k - 1].*member) == direction) out.push_back(k);
    return out;
  };
  const std::vector<std::size_t> theirs = moves(&Conformance::Row::recorded), ours = moves(&Conformance::Row::ours);
  struct Pair {
    std::size_t away;
    bool earlier;
    std::size_t theirs, ours;  // numbers of the changes
    auto operator<=>(const Pair&) const = default;
  };
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    const std::size_t k = theirs[i];
    for (auto j = std::lower_bound(ours.begin(), ours.end(), k - std::min(k, kReach));
         j != ours.end() && *j <= k + kReach; ++j)
      pairs.push_back({*j < k ? k - *j : *j - k, *j < k, i, static_cast<std::size_t>(j - ours.begin())});
  }
  std::sort(pairs.begin(), pairs.end());
  Conformance::Reaction out;
  double sum = 0;
  std::vector<bool> answered(theirs.size()), used(ours.size());
  for (const Pair& pair : pairs) {
    if (answered[pair.theirs] || used[pair.ours]) continue;
    answered[pair.theirs] = used[pair.ours] = true;
    sum += to_s(rows[ours[pair.ours]].t - rows[theirs[pair.theirs]].t);
    ++out.matched;
  }
  out.unmatched = theirs.size() - out.matched;
  out.ours_alone = ours.size() - out.matched;
  if (out.matched > 0) out.mean_s = sum / static_cast<double>(out.matched);
  return out;
}

std::vector<Conformance::Interval> disagreements(const std::vector<Conformance::Row>& rows,
                                                 const std::vector<double>& opps_mhz) {
  std::vector<Conformance::Interval> out;
  for (std::size_t k = 1; k < rows.size(); ++k) {
    const Conformance::Row& row = rows[k];
    if (row.ours == row.recorded || row.after_gap) continue;
    const bool joins = k > 1 && rows[k - 1].ours != rows[k - 1].recorded && !rows[k - 1].after_gap && !out.empty();
    if (!joins) out.push_back({rows[k - 1].t, row.t});
    Conformance::Interval& one = out.back();
    const double seconds = to_s(row.t - rows[k - 1].t);
    one.to = row.t;
    one.recorded_mhz += seconds * opps_mhz[static_cast<std::size_t>(row.recorded)];
    one.ours_mhz += seconds * opps_mhz[static_cast<std::size_t>(row.ours)];
    one.load += seconds * row.load;
    one.weight += seconds * std::abs(row.ours - row.recorded);
  }
  for (Conformance::Interval& one : out) {
    const double seconds = to_s(one.to - one.from);
    one.recorded_mhz /= seconds;
    one.ours_mhz /= seconds;
    one.load /= seconds;
  }
  constexpr std::size_t kTold = 5;
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.weight > b.weight; });
  if (out.size() > kTold) out.resize(kTold);
  return out;
}

}  // namespace

Conformance replay(const Recording& recording, manager::Governor& governor, const std::vector<double>& opps_mhz,
                   const ConformanceLimits& limits, int cpus, Time settle) {
  const std::vector<int> ours = Replay(recording, governor, opps_mhz, limits, cpus, settle).run();
  Conformance out;
  for (std::size_t k = 0; k < recording.rows(); ++k) {
    out.rows.push_back({recording.time(k), recording.load(k), recording.opp(k), ours[k], recording.after_gap(k)});
    out.gaps += recording.after_gap(k);
    out.outside_limits += recording.opp(k) < limits.lowest || recording.opp(k) > limits.highest;
  }
  const auto n = static_cast<double>(out.rows.size());
  std::uint64_t same = 0, within_one = 0, opps_apart = 0;
  for (const Conformance::Row& row : out.rows) {
    const int away = std::abs(row.ours - row.recorded);
    same += away == 0;
    within_one += away <= 1;
    opps_apart += static_cast<std::uint64_t>(away);
    out.mean_mhz +=
        std::abs(opps_mhz[static_cast<std::size_t>(row.ours)] - opps_mhz[static_cast<std::size_t>(row.recorded)]) / n;
  }
  out.same = static_cast<double>(same) / n;
  out.within_one = static_cast<double>(within_one) / n;
  out.mean_opps = static_cast<double>(opps_apart) / n;
  for (std::size_t k = 1; k < out.rows.size(); ++k) {
    const int theirs = sign(out.rows[k].recorded - out.rows[k - 1].recorded);
    const int mine = sign(out.rows[k].ours - out.rows[k - 1].ours);
    ++out.direction[static_cast<std::size_t>(theirs + 1)][static_cast<std::size_t>(mine + 1)];
  }
  out.up = reaction(out.rows, 1);
  out.down = reaction(out.rows, -1);
  out.worst = disagreements(out.rows, opps_mhz);
  return out;
}

}  // namespace dynasoc::trace
