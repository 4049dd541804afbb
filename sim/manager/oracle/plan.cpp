#include "manager/oracle/plan.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

namespace dynasoc::manager {

void Demand::add(Time from, Time to, double weight) {
  if (to <= from) return;
  const auto at = [this](Time t) {  // index of the step that begins at t, made if there is none
    auto it = std::upper_bound(steps.begin(), steps.end(), t, [](Time x, const Step& step) { return x < step.from; });
    const auto i = it - steps.begin();
    if (steps[static_cast<std::size_t>(i) - 1].from == t) return i - 1;
    steps.insert(it, {t, steps[static_cast<std::size_t>(i) - 1].weight});
    return i;
  };
  const auto first = at(from);
  const auto last = to == kNever ? static_cast<std::ptrdiff_t>(steps.size()) : at(to);
  for (auto i = first; i < last; ++i) steps[static_cast<std::size_t>(i)].weight += weight;
}

Time Demand::finish(Time start, double alone_ns, double weight) const {
  auto it =
      std::upper_bound(steps.begin(), steps.end(), start, [](Time x, const Step& step) { return x < step.from; }) - 1;
  auto now = static_cast<double>(start);
  double left = alone_ns;
  for (;; ++it) {
    const double rate = weight / (weight + it->weight);
    const double end =
        it + 1 == steps.end() ? std::numeric_limits<double>::infinity() : static_cast<double>((it + 1)->from);
    if (left <= (end - now) * rate) return static_cast<Time>(std::ceil(now + left / rate));
    left -= (end - now) * rate;
    now = end;
  }
}

double Demand::done_ns(Time start, Time end, double weight) const {
  auto it =
      std::upper_bound(steps.begin(), steps.end(), start, [](Time x, const Step& step) { return x < step.from; }) - 1;
  double done = 0;
  for (Time now = start; now < end; ++it) {
    const Time until = it + 1 == steps.end() ? end : std::min(end, (it + 1)->from);
    done += static_cast<double>(until - now) * weight / (weight + it->weight);
    now = until;
  }
  return done;
}

namespace {

class Planner {
 public:
  /// `per_frame` is taken off the cost of every frame served.
  Planner(const Problem& problem, double per_frame)
      : p_(problem),
        future_(*problem.future),
        app_(future_.apps[static_cast<std::size_t>(problem.app)]),
        per_frame_(per_frame),
        switch_cost_(future_.objective.energy * app_.switch_energy_j),
        longest_change_(app_.switch_time) {
    std::map<std::pair<int, int>, std::vector<int>> by_opp;
    for (std::size_t c = 0; c < p_.configurations.size(); ++c) {
      const Configuration& with = p_.configurations[c];
      clocks_.push_back(
          future_.clocks.at(static_cast<std::size_t>(future_.unit_clock.at(static_cast<std::size_t>(with.unit)))));
      longest_settle_ = std::max({longest_settle_, clocks_.back().settle, clocks_.back().stall});
      // The same sub-network on the same unit at every OPP, to follow a clock that is still on its way.
      auto& at = by_opp[{with.subnet, with.unit}];
      if (static_cast<int>(at.size()) <= with.opp) at.resize(static_cast<std::size_t>(with.opp) + 1, kNone);
      at[static_cast<std::size_t>(with.opp)] = static_cast<int>(c);
      subnets_ = std::max(subnets_, static_cast<std::size_t>(with.subnet) + 1);
    }
    longest_change_ = std::max(longest_change_, longest_settle_);
    // A clock at which every frame would be dropped as hopeless serves nothing, ever.
    Time laxest = app_.targets.empty() || app_.targets.front().from > app_.start ? kNever : 0;
    for (const Future::Target& target : app_.targets) laxest = std::max(laxest, target.deadline);
    for (const double fastest : p_.fastest_ns)
      hopeless_.push_back(app_.late == LatePolicy::drop_hopeless && fastest > static_cast<double>(laxest));
    for (const Configuration& with : p_.configurations) at_opp_.push_back(by_opp.at({with.subnet, with.unit}));
  }

  Plan plan() {
    Plan out;
    // What drops frames by what waits can be made to drop less by being slower: earlier is not always better then.
    out.exact = app_.late != LatePolicy::drop_oldest && app_.late != LatePolicy::replace &&
                app_.driver == ArrivalDriver::clock &&
                // Idle power that follows the clock makes it dear to be done early.
                std::all_of(p_.configurations.begin(), p_.configurations.end(),
                            [](const Configuration& c) { return c.idle_w == 0; }) &&
                // What another unit's clock is worth later is not compared.
                std::all_of(p_.configurations.begin(), p_.configurations.end(),
                            [this](const Configuration& c) { return c.unit == p_.configurations.front().unit; });
    Label root{app_.start, 0, kNone, kNone, kNone, 0, {}};
    root.opp.fill(kNone);
    fronts_.push_back({root});
    for (std::uint64_t next = 0; next < fronts_.size(); ++next) {
      if (p_.poll && next % 64 == 0) p_.poll();
      const std::size_t first = labels_.size();
      prune(next, out);
      for (std::size_t i = first; i < labels_.size(); ++i) expand(static_cast<int>(i), next);
    }
    choose(out);
    // A clock that had not settled when its frame was done is planned as if it had.
    out.exact = out.exact && !unsettled_;
    return out;
  }

 private:
  static constexpr int kNone = -1;
  static constexpr std::size_t kMostUnits = 8;
  struct Label {
    Time finish;
    double cost;
    int parent;
    int configuration;
    int frame;                                // the last one served
    double priced;                            // part of the cost that is only the price of time on units
    std::array<std::int8_t, kMostUnits> opp;  // asked for last, by unit; -1 = as it likes, before the run
  };
  struct Outcome {
    Time finish;
    double energy_j;
    double alone_ns;
  };

  bool closed() const { return app_.driver == ArrivalDriver::completion; }
  const Configuration& configuration(int c) const { return p_.configurations[static_cast<std::size_t>(c)]; }

  // Times alone of a frame, by configuration [ns].
  const std::vector<double>& row(std::uint64_t frame) {
    if (frame == row_frame_ && !row_.empty()) return row_;
    row_frame_ = frame;
    row_.clear();
    for (std::size_t c = 0; c < p_.configurations.size(); ++c) row_.push_back(p_.alone_ns(frame, c));
    return row_;
  }
  Time arrival(std::uint64_t frame, Time before) const {
    if (!closed()) return frame < p_.arrivals.size() ? p_.arrivals[frame] : kNever;
    const Time at = frame == 0 ? app_.start : before + app_.think;
    return at < std::min(app_.stop, future_.end) ? at : kNever;
  }
  Time relative_deadline(Time dispatched) const {
    Time out = kNever;
    for (const Future::Target& target : app_.targets)
      if (target.from <= dispatched) out = target.deadline;
    return out;
  }
  bool counted(Time arrival) const { return arrival >= future_.warmup && arrival < future_.end; }
  double lost(Time arrival) const { return counted(arrival) ? future_.objective.miss : 0; }
  double counted_s(Time from, Time to) const {
    return to_s(std::max<Time>(0, std::min(to, future_.end) - std::max(from, future_.warmup)));
  }

  int old_configuration(int c, int opp) const {
    const std::vector<int>& at = at_opp_[static_cast<std::size_t>(c)];
    return opp < static_cast<int>(at.size()) ? at[static_cast<std::size_t>(opp)] : kNone;
  }

  // The configuration with the clock that its unit has, where that is not the one asked for; else -1.
  int changed_from(const Label& before, int c) const {
    const Configuration& with = configuration(c);
    const int opp = before.opp[static_cast<std::size_t>(with.unit)];
    return opp < 0 || opp == with.opp ? kNone : old_configuration(c, opp);
  }

  // Shortest time that the tables know for any sub-network at the clock in effect at `dispatched`.
  double fastest_ns(const Label& before, int c, Time dispatched) const {
    const int old = changed_from(before, c);
    const bool settling = old >= 0 && dispatched < before.finish + clocks_[static_cast<std::size_t>(c)].settle;
    return p_.fastest_ns[static_cast<std::size_t>(settling ? old : c)];
  }

  // Serves a frame from `start` on; its clock and sub-network were asked for when the one before it was done.
  Outcome serve(std::uint64_t frame, Time start, const Label& before, int c) {
    const Configuration& with = configuration(c);
    const Demand& demand = p_.demand[static_cast<std::size_t>(with.unit)];
    const std::vector<double>& alone = row(frame);
    const double alone_ns = alone[static_cast<std::size_t>(c)];
    if (const int old = changed_from(before, c); old >= 0) {
      const Future::Clock& clock = clocks_[static_cast<std::size_t>(c)];
      start = std::max(start, before.finish + clock.stall);
      const Time effective = before.finish + clock.settle;
      if (start < effective) {  // the first part runs at the clock before
        const double old_ns = alone[static_cast<std::size_t>(old)];
        const double done_ns = demand.done_ns(start, effective, app_.weight);
        if (done_ns >= old_ns) unsettled_ = true;
        if (done_ns >= old_ns)
          return {demand.finish(start, old_ns, app_.weight), configuration(old).power_w * old_ns * 1e-9, old_ns};
        const double left_ns = (1 - done_ns / old_ns) * alone_ns;
        return {demand.finish(effective, left_ns, app_.weight),
                (configuration(old).power_w * done_ns + with.power_w * left_ns) * 1e-9, done_ns + left_ns};
      }
    }
    return {demand.finish(start, alone_ns, app_.weight), with.power_w * alone_ns * 1e-9, alone_ns};
  }

  void expand(int index, std::uint64_t next) {
    const Label before = labels_[static_cast<std::size_t>(index)];
    const Objective& objective = future_.objective;
    for (int c = 0; c < static_cast<int>(p_.configurations.size()); ++c) {
      const Configuration& with = configuration(c);
      if (!with.allowed && p_.fixed.empty()) continue;
      if (hopeless_[static_cast<std::size_t>(c)]) continue;
      const bool switches = before.configuration >= 0 && configuration(before.configuration).subnet != with.subnet;
      const Time ready = before.finish + (switches ? app_.switch_time : 0);
      double cost = before.cost + (switches && before.finish >= future_.warmup ? switch_cost_ : 0);
      std::uint64_t frame = next;
      Time at = arrival(frame, ready);
      if (app_.late == LatePolicy::replace || app_.late == LatePolicy::drop_oldest) {
        const std::uint64_t room = app_.late == LatePolicy::replace ? 1 : app_.queue_limit;
        const auto come = static_cast<std::uint64_t>(std::lower_bound(p_.arrivals.begin(), p_.arrivals.end(), ready) -
                                                     p_.arrivals.begin());
        for (; frame + room < come; ++frame) cost += lost(p_.arrivals[frame]);
        at = arrival(frame, ready);
      }
      const bool hopeless = app_.late == LatePolicy::drop_hopeless;
      while (at != kNever && (hopeless || app_.late == LatePolicy::drop_late)) {
        const Time begin = std::max(at, ready), deadline = relative_deadline(begin);
        const double least_ns = hopeless ? fastest_ns(before, c, begin) : 0;
        if (deadline == kNever || static_cast<double>(begin) + least_ns <= static_cast<double>(at + deadline)) break;
        cost += lost(at);
        at = arrival(++frame, ready);
      }
      if (at != kNever && frame < p_.fixed.size() && p_.fixed[frame] != c) continue;
      const Time start = std::max(at, ready);
      if (at == kNever || start >= future_.end) {
        finish(index, frame, cost, ready);
        continue;
      }
      const Outcome served = serve(frame, start, before, c);
      const Time deadline = relative_deadline(start);
      const bool late = deadline != kNever && served.finish + std::min(p_.guard, deadline / 20) > at + deadline;
      if (served.finish > future_.end) {  // never done: lost if its deadline comes before the end does
        if (late && at + deadline <= future_.end) cost += lost(at);
      } else if (counted(at)) {
        cost += late ? objective.miss : objective.accuracy * (app_.best_accuracy - with.accuracy);
        cost += objective.energy * served.energy_j - per_frame_;
      }
      cost += objective.energy * with.idle_w * counted_s(before.finish, served.finish);
      if (frame + 1 >= fronts_.size()) fronts_.resize(frame + 2);
      const double price = p_.price_per_s * served.alone_ns * 1e-9;
      Label after{served.finish, cost + price, index, c, static_cast<int>(frame), before.priced + price, before.opp};
      after.opp[static_cast<std::size_t>(with.unit)] = static_cast<std::int8_t>(with.opp);
      fronts_[frame + 1].push_back(after);
    }
  }

  // Nothing more is served: what waits beyond its deadline is lost.
  void finish(int index, std::uint64_t next, double cost, Time from) {
    for (std::uint64_t frame = next; frame < p_.arrivals.size(); ++frame) {
      const Time deadline = relative_deadline(from);
      if (deadline != kNever && p_.arrivals[frame] + deadline <= future_.end) cost += lost(p_.arrivals[frame]);
    }
    if (best_ >= 0 && cost >= best_cost_) return;
    best_ = index;
    best_cost_ = cost;
  }

  // Moves the labels of a front that may still lead to the best plan to `labels_`. A label is needless if a cheaper one
  // can stand where it stands by the time it does: at once at the same configuration, after the clock has settled at
  // the same sub-network, after a switch (and its cost) at another.
  void prune(std::uint64_t next, Plan& out) {
    std::vector<Label> front = std::move(fronts_[next]);
    std::sort(front.begin(), front.end(), [](const Label& a, const Label& b) {
      return std::tie(a.cost, a.finish, a.configuration, a.parent) <
             std::tie(b.cost, b.finish, b.configuration, b.parent);
    });
    const Time at = closed() ? kNever : arrival(next, 0);
    const Time come = at == kNever ? std::numeric_limits<Time>::min() : at;
    kept_.clear();
    first_.assign(p_.configurations.size(), kNever);  // of the kept ones, when the first of them is done
    first_of_subnet_.assign(subnets_, kNever);
    Time first = kNever;      // of those that cost less even after a switch
    std::size_t cheaper = 0;  // their number
    for (const Label& candidate : front) {
      if (candidate.configuration >= 0) {
        for (; cheaper < kept_.size() && kept_[cheaper].cost + switch_cost_ <= candidate.cost; ++cheaper)
          first = std::min(first, kept_[cheaper].finish);
        const auto by = [when = std::max(candidate.finish, come)](Time done, Time delay) {
          return done != kNever && done + delay <= when;
        };
        const auto c = static_cast<std::size_t>(candidate.configuration);
        const auto subnet = static_cast<std::size_t>(p_.configurations[c].subnet);
        if (by(first_[c], 0) || by(first_of_subnet_[subnet], longest_settle_) || by(first, longest_change_)) {
          // Who ends later runs the next frame's first part at the clock before, which may cost less: to be imitated is
          // then no proof.
          if (candidate.finish + longest_settle_ > come && longest_settle_ > 0) out.exact = false;
          continue;
        }
        first_[c] = std::min(first_[c], candidate.finish);
        first_of_subnet_[subnet] = std::min(first_of_subnet_[subnet], candidate.finish);
      }
      kept_.push_back(candidate);
    }
    if (kept_.size() > p_.most_labels) thin_out(out);
    labels_.insert(labels_.end(), kept_.begin(), kept_.end());
  }

  // Too many labels. They lie between the cheapest and those that are done first; of each sub-network, as many as its
  // share of the labels allows stay, spread evenly by rank in time, both ends among them.
  void thin_out(Plan& out) {
    by_time_.clear();
    for (std::size_t i = 0; i < kept_.size(); ++i) by_time_.push_back(static_cast<int>(i));
    const auto label = [this](int i) -> const Label& { return kept_[static_cast<std::size_t>(i)]; };
    const auto subnet = [&](int i) { return configuration(std::max(label(i).configuration, 0)).subnet; };
    std::sort(by_time_.begin(), by_time_.end(), [&](int x, int y) {
      return std::tuple(subnet(x), label(x).finish, label(x).cost, x) <
             std::tuple(subnet(y), label(y).finish, label(y).cost, y);
    });
    taken_.assign(kept_.size(), false);
    for (std::size_t from = 0; from < by_time_.size();) {
      std::size_t to = from;
      while (to < by_time_.size() && subnet(by_time_[to]) == subnet(by_time_[from])) ++to;
      const std::size_t count = to - from;
      const std::size_t share = std::max<std::size_t>(2, p_.most_labels * count / kept_.size());
      for (std::size_t k = 0; k < std::min(share, count); ++k)
        taken_[static_cast<std::size_t>(by_time_[from + (share >= count ? k : k * (count - 1) / (share - 1))])] = true;
      from = to;
    }
    taken_[0] = true;  // the cheapest of all
    std::size_t left = 0;
    for (std::size_t i = 0; i < kept_.size(); ++i)
      if (taken_[i]) kept_[left++] = kept_[i];
    out.merged += kept_.size() - left;
    out.exact = out.exact && kept_.size() == left;
    kept_.resize(left);
  }

  void choose(Plan& out) {
    out.frames.resize(p_.arrivals.size());
    out.cost = best_ < 0 ? 0 : best_cost_ - labels_[static_cast<std::size_t>(best_)].priced;
    for (int i = best_; i >= 0; i = labels_[static_cast<std::size_t>(i)].parent) {
      const Label& label = labels_[static_cast<std::size_t>(i)];
      if (label.frame < 0) break;
      const auto frame = static_cast<std::size_t>(label.frame);
      if (frame >= out.frames.size()) out.frames.resize(frame + 1);
      Time start = labels_[static_cast<std::size_t>(label.parent)].finish;
      if (!closed()) start = std::max(start, p_.arrivals[frame]);
      out.frames[frame] = {label.configuration, start, label.finish};
      out.served += counted(closed() ? start : p_.arrivals[frame]);
    }
    out.cost += per_frame_ * static_cast<double>(out.served);
  }

  const Problem& p_;
  const Future& future_;
  const Future::App& app_;
  double per_frame_;
  double switch_cost_;
  Time longest_settle_ = 0;
  Time longest_change_;
  std::vector<Future::Clock> clocks_;     // by configuration
  std::vector<std::vector<int>> at_opp_;  // [configuration][OPP]: the same but for the clock; -1 = none
  std::size_t subnets_ = 1;
  std::vector<bool> hopeless_;  // by configuration
  std::uint64_t row_frame_ = 0;
  std::vector<double> row_;  // of that frame
  std::vector<Label> labels_;
  std::vector<std::vector<Label>> fronts_;  // by the next frame to serve
  std::vector<Label> kept_;
  std::vector<Time> first_, first_of_subnet_;
  std::vector<int> by_time_;
  std::vector<bool> taken_;
  bool unsettled_ = false;
  int best_ = kNone;
  double best_cost_ = 0;
};

}  // namespace

Plan plan_alone(const Problem& problem) {
  Plan plan = Planner(problem, 0).plan();
  if (problem.future->apps[static_cast<std::size_t>(problem.app)].driver != ArrivalDriver::completion) return plan;
  // A closed loop serves as many frames as it is fast enough for: the least cost is that of a mean frame, which is
  // found by taking the last mean off every frame (Dinkelbach, Management Science 13, 1967).
  constexpr int kRounds = 6;
  for (int round = 0; round < kRounds && plan.served > 0; ++round) {
    const double mean = plan.cost / static_cast<double>(plan.served);
    Plan next = Planner(problem, mean).plan();
    if (next.served == 0 || next.cost / static_cast<double>(next.served) >= mean * (1 - 1e-9)) break;
    plan = std::move(next);
  }
  return plan;
}

}  // namespace dynasoc::manager
