// hierarchical: two levels. A global one gives applications their units, sub-networks and clocks for the next period; a
// local one keeps each application within its latency target between two global decisions.
//
// Source: our reconstruction of the hierarchical manager of the Dynamic-OFA group; only the abstracts of arXiv
// 2206.02525 and 2401.08965 were read. That there are two levels, and what the knobs are, is theirs; every rule below
// is ours.
//
// Slow-down. By application and unit, an exponentially weighted mean xi of measured service time over table latency
// times contention. Contention is 1 plus the load of every other application on the unit (load = arrival rate x xi x
// table latency, at most 1): the others are there that share of the time and take an equal part. What xi is left with
// is the session's deviation from the tables and load that is no application, so that it still holds after a move. A
// frame that started less than `settle_ms` after this manager wrote the clock teaches nothing. Rates are measured:
// arrivals over time, both forgotten with the time constant `rate_window_s`, but never the last 5; before the first, an
// application loads nothing. One most of whose frames arrive as the last one ends waits for its own results: it cannot
// overload a unit, has no part in the capacity below and counts as always there for the others (so that without a
// target it is slowed down to the clock of least energy).
// Two that meet at random make latencies of two kinds, of which the mean says little: where a target is compared with a
// prediction, here and in the local level, xi may be taken `deviations` standard deviations above its mean.
//
// Global level: every `global_period_ms`, and when background load, targets, limits or the set of active applications
// change (of which it hears with the next frame's arrival or end). For each assignment of applications to units, each
// unit's clock (shared by its applications) and each application's Pareto set of (latency, energy, accuracy) there, it
// maximises
//     sum w_k a_k - lambda P,   w_k = 1 + priority (1 if negative),   P = sum rate_k E_k + idle power of the units,
// so energies are summed per second, not per inference; equals are decided by P, then by fewer moves. Subject to: xi x
// contention x table latency <= target (1 - margin), accuracy >= floor, energy and power budgets, on each unit
// sum rate_k xi_k L_k <= u_max, and P <= power_cap_w. If that leaves nothing, targets are tried without the margin. If
// nothing is feasible still: first the power cap (least power if all is over it), then the least sum of relative
// overruns of targets and of capacity (so the fastest there is), then the fewest floors and budgets broken, then the
// objective. The choice in force is kept while it meets its targets, without the margin, and the new one is no better
// than `keep_points` of the objective and the share `keep_power` of P.
// The search is exhaustive up to 6 applications (up to 729 assignments) and `search_limit` combinations a unit, clocks
// included. Beyond that, a unit's sub-networks are found by climbing at each clock: from the fastest of each
// application the one next step, down or up in accuracy, that helps most, until none does. Beyond 6 applications units
// stay, but for those whose unit the tables do not cover. At most 64 Pareto points a unit are weighed against a power
// cap.
//
// Local level: at each completion. Slack is the target less the prediction at the present xi and clock, less what the
// next frame has waited already. If negative, the clock goes one step up; if that is not enough by the prediction, or
// there is no step left, the sub-network goes down to the most accurate that is faster too, but not below the floor.
// After `restore_samples` completions in a row with a slack over `margin` of the target, one step back: the sub-network
// towards the global choice, and once it is there the clock, but only if the prediction then meets the target with the
// margin of the global choice, for every application on the clock. Applications without a target are left to the global
// level.
//
// Clocks of units that no active application uses: see `unused`. A manager is not told which clock another unit's host
// work or this manager runs on: lowering it is seen as slow-down, and answered. With a clock that is left to its
// governor (`dvfs` off) tables are read at the fastest clock that governor has shown within the limits, as dynamic-ofa
// does.
#include <algorithm>
#include <cmath>
#include <vector>

#include "manager/policy.hpp"

namespace dynasoc::manager {
namespace {

enum class Unused : std::uint8_t { lowest, governor, leave };

}  // namespace
}  // namespace dynasoc::manager

template <>
struct dynasoc::EnumNames<dynasoc::manager::Unused> {
  static constexpr std::array<std::pair<std::string_view, dynasoc::manager::Unused>, 3> names{
      {{"lowest", dynasoc::manager::Unused::lowest},
       {"governor", dynasoc::manager::Unused::governor},
       {"leave", dynasoc::manager::Unused::leave}}};
};

namespace dynasoc::manager {
namespace {

class Hierarchical final : public Policy {
 public:
  struct Parameters {
    double global_period_ms = 1000;
    double lambda_per_w = 0;
    double u_max = 0.9;
    double power_cap_w = 0;
    double margin = 0.1;
    int restore_samples = 10;
    double smoothing = 0.2;
    double rate_window_s = 10;
    double deviations = 0;
    double settle_ms = 10;
    double keep_points = 0.05;
    double keep_power = 0.05;
    int search_limit = 10000;
    bool dvfs = true;
    bool mapping = true;
    bool local = true;
    Unused unused = Unused::lowest;
    double cost_us = 50;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(
          field(&P::global_period_ms, "global_period_ms", at_least(1e-3), "between decisions of the global level"),
          field(&P::lambda_per_w, "lambda_per_w", range(0, 1e6),
                "points of accuracy that a watt is worth; 0: accuracy first, energy among equals"),
          field(&P::u_max, "u_max", range(0.01, 1), "share of a unit that may be given away"),
          field(&P::power_cap_w, "power_cap_w", non_negative(), "of all units together, idle included; 0 = none"),
          field(&P::margin, "margin", range(0, 0.9), "share of a target kept free by a choice, and before a restore"),
          field(&P::restore_samples, "restore_samples", range(1, 1e6), "completions with slack before a step back"),
          field(&P::smoothing, "smoothing", range(0.001, 1), "weight of a new measurement in the slow-down"),
          field(&P::rate_window_s, "rate_window_s", at_least(1e-3), "time constant of the measured arrival rates"),
          field(&P::deviations, "deviations", range(0, 10), "standard deviations of the slow-down added for targets"),
          field(&P::settle_ms, "settle_ms", non_negative(), "after a clock write, before frames teach the slow-down"),
          field(&P::keep_points, "keep_points", non_negative(), "gain in the objective not worth a new allocation"),
          field(&P::keep_power, "keep_power", range(0, 1), "share of the power not worth a new allocation"),
          field(&P::search_limit, "search_limit", range(1, 1e7), "combinations of a unit searched in full"),
          field(&P::dvfs, "dvfs", "choose clocks; otherwise they are left to their governors"),
          field(&P::mapping, "mapping", "choose units"), field(&P::local, "local", "whether there is a local level"),
          field(&P::unused, "unused",
                "clocks of units without an active application (with dvfs): lowest, back to the governor, or left"),
          field(&P::cost_us, "cost_us", non_negative(), "compute time of one decision (assumed; not published)"));
    }
  };
  explicit Hierarchical(const Parameters& parameters) : p_(parameters) {}

  Triggers triggers() const override {
    return {.period_ms = p_.global_period_ms,
            .arrival = true,
            .completion = true,
            .target_change = true,
            .load_change = true,
            .thermal_trip = true};
  }
  double compute_cost_us() const override { return p_.cost_us; }

  void decide(const Observation& seen, Decision& decision) override {
    prepare(seen);
    measure(seen);
    const bool changed = setting_changed(seen);
    const bool frame = seen.trigger == Trigger::arrival || seen.trigger == Trigger::completion;
    if (!frame || changed)
      plan(seen, decision);
    else if (p_.local && seen.trigger == Trigger::completion)
      adjust(seen, seen.applications[seen.subject], decision);
  }

 private:
  static constexpr double kUnknown = -1;
  static constexpr double kSame = 1e-9;     // scores closer than this are equal
  static constexpr double kLeastCount = 5;  // arrivals that are never forgotten
  static constexpr int kSearchedApps = 6;
  static constexpr std::size_t kMostPoints = 64;
  static constexpr std::size_t kMostMaps = 729;

  struct State {
    std::uint64_t learnt = 0;
    std::uint64_t arrived = 0;  // counted into the rate
    double count = 0, window_s = 0;
    bool active = false;
    double follows_own = 0;                  // mean of: this frame arrived as the last one ended
    std::vector<double> slowdown, variance;  // by unit
    int unit = -1, subnet = -1;              // the global choice
    int easy = 0;                            // completions in a row with slack
  };
  // Sums over applications, of a unit or of all.
  struct Score {
    double overrun = 0;
    int broken = 0;
    double objective = 0;
    double power_w = 0;
  };
  struct Point {
    Score score;
    int opp = -1;
    std::vector<int> subnets;  // of the unit's applications, in order
  };
  struct Front {
    bool ready = false;
    std::size_t count = 0;
    std::vector<Point> points;
  };
  struct Option {  // of one application at one unit and clock
    int subnet = 0;
    double ms = 0;  // with xi, alone
    double mj = 0;
    double accuracy = 0;
    bool broken = false;  // a floor or a budget
  };

  // --- what is measured

  void prepare(const Observation& seen) {
    if (states_.size() == seen.applications.size() && reference_opp_.size() == seen.units.size()) return;
    states_.resize(seen.applications.size());
    for (State& state : states_) {
      state.slowdown.assign(seen.units.size(), kUnknown);
      state.variance.assign(seen.units.size(), 0);
    }
    reference_opp_.assign(seen.units.size(), 0);
    unit_opp_.assign(seen.units.size(), -1);
    written_at_.assign(seen.domains.size(), -kNever);
    wanted_opp_.resize(seen.domains.size());
    looked_ = seen.now;
  }

  bool left_to_governor(const Observation& seen, int unit) const {
    return !p_.dvfs && seen.domains[seen.units[unit].domains[0]].governed;
  }

  void measure(const Observation& seen) {
    for (const UnitView& unit : seen.units) {
      const DomainView& domain = seen.domains[unit.domains[0]];
      int& reference = reference_opp_[unit.index];
      if (left_to_governor(seen, unit.index))
        reference = std::min(std::max(reference, domain.opp), domain.highest);
      else
        reference = std::clamp(domain.requested, std::min(domain.lowest, domain.highest), domain.highest);
    }
    const double dt_s = to_s(seen.now - looked_);
    const double forgets = std::exp(-dt_s / p_.rate_window_s);
    for (const AppView& app : seen.applications) {
      State& state = states_[app.index];
      if (app.active && !state.active && seen.now > 0) state.count = state.window_s = 0;
      const double kept = state.count > kLeastCount ? std::max(forgets, kLeastCount / state.count) : 1;
      state.count = state.count * kept + static_cast<double>(app.arrived - state.arrived);
      state.window_s = state.window_s * kept + (app.active ? dt_s : 0);
      state.arrived = app.arrived;
      state.active = app.active;
    }
    looked_ = seen.now;
    for (const AppView& app : seen.applications) learn(seen, app);
  }

  double rate_hz(int app) const {
    const State& state = states_[app];
    return state.window_s > 0 && state.count > 0 ? state.count / state.window_s : 0;
  }
  bool own_pace(int app) const { return states_[app].follows_own > 0.5; }
  double slowdown(int app, int unit) const {
    const double xi = states_[app].slowdown[unit];
    return xi == kUnknown ? 1 : xi;
  }
  // What latencies are multiplied by besides xi where targets are concerned.
  double caution(int app, int unit) const {
    return 1 + p_.deviations * std::sqrt(states_[app].variance[unit]) / slowdown(app, unit);
  }
  double load(int app, double ms) const { return own_pace(app) ? 1 : std::min(1.0, rate_hz(app) * ms * 1e-3); }

  // On its present unit, as things are.
  double contention(const Observation& seen, const AppView& app, int opp) const {
    double sum = 1;
    for (const AppView& other : seen.applications) {
      if (other.index == app.index || !other.active || other.unit != app.unit) continue;
      const double ms = seen.profile->latency_ms(other.index, other.subnet, other.unit, opp);
      if (ms > 0) sum += load(other.index, ms * slowdown(other.index, other.unit));
    }
    return sum;
  }
  double predicted_ms(const Observation& seen, const AppView& app, int subnet, int opp) const {
    return seen.profile->latency_ms(app.index, subnet, app.unit, opp) * slowdown(app.index, app.unit) *
           caution(app.index, app.unit) * contention(seen, app, opp);
  }

  void learn(const Observation& seen, const AppView& app) {
    State& state = states_[app.index];
    const std::uint64_t oldest = app.completed - std::min<std::uint64_t>(app.completed, AppView::kRemembered);
    for (std::uint64_t n = std::max(state.learnt, oldest); n < app.completed; ++n) {
      const Sample& sample = app.sample(n);
      if (n > oldest) {
        const double gap_ms = to_ms(sample.at - app.sample(n - 1).at) - sample.latency_ms;
        const double own = std::abs(gap_ms) <= 0.01 * sample.service_ms ? 1 : 0;
        state.follows_own += p_.smoothing * (own - state.follows_own);
      }
      const int d = seen.units[sample.unit].domains[0];
      const bool settled =
          written_at_[d] == -kNever || sample.at - from_ms(sample.service_ms) >= written_at_[d] + from_ms(p_.settle_ms);
      double table_ms = sample.profile_ms;
      if (left_to_governor(seen, sample.unit) && !seen.exact_profile)
        table_ms = seen.profile->latency_ms(app.index, sample.subnet, sample.unit, reference_opp_[sample.unit]);
      if (!settled || !(table_ms > 0) || !(sample.service_ms > 0)) continue;
      double& xi = state.slowdown[sample.unit];
      const double others = sample.unit == app.unit ? contention(seen, app, reference_opp_[app.unit]) : 1;
      const double ratio = sample.service_ms / (table_ms * others);
      if (xi == kUnknown) {
        xi = ratio;
      } else {
        const double off = ratio - xi;
        double& variance = state.variance[sample.unit];
        variance = (1 - p_.smoothing) * (variance + p_.smoothing * off * off);
        xi += p_.smoothing * off;
      }
    }
    state.learnt = app.completed;
  }

  // Whether targets, limits or the set of active applications differ from the last look.
  bool setting_changed(const Observation& seen) {
    std::size_t at = 0;
    bool changed = false;
    const auto note = [&](double x) {
      if (at == setting_.size()) setting_.push_back(std::nan(""));
      if (setting_[at] != x) changed = true, setting_[at] = x;
      ++at;
    };
    for (const AppView& app : seen.applications) {
      note(app.active);
      note(app.latency_target_ms);
      note(app.accuracy_floor);
      note(app.energy_budget_mj);
      note(app.power_budget_w);
      note(app.priority);
    }
    for (const DomainView& domain : seen.domains) note(domain.lowest), note(domain.highest);
    return changed;
  }

  // --- the global level

  double objective_of(double points, double power_w) const { return points - p_.lambda_per_w * power_w; }

  // Whether `a` is better than `b`, power aside; 0 if they are equal.
  static int compare(const Score& a, const Score& b) {
    if (std::abs(a.overrun - b.overrun) > kSame) return a.overrun < b.overrun ? 1 : -1;
    if (a.broken != b.broken) return a.broken < b.broken ? 1 : -1;
    if (std::abs(a.objective - b.objective) > kSame) return a.objective > b.objective ? 1 : -1;
    return 0;
  }
  bool better(const Score& a, const Score& b) const {
    if (p_.power_cap_w > 0) {
      const bool a_over = a.power_w > p_.power_cap_w + kSame, b_over = b.power_w > p_.power_cap_w + kSame;
      if (a_over != b_over) return b_over;
      if (a_over) return a.power_w < b.power_w - kSame;
    }
    if (const int order = compare(a, b); order != 0) return order > 0;
    return a.power_w < b.power_w - kSame;
  }
  static void add(Score& sum, const Score& part) {
    sum.overrun += part.overrun;
    sum.broken += part.broken;
    sum.objective += part.objective;
    sum.power_w += part.power_w;
  }

  // The clocks that all domains of a unit may take.
  std::pair<int, int> clocks(const Observation& seen, int unit) const {
    const int now_at = reference_opp_[unit];
    if (!p_.dvfs) return {now_at, now_at};
    int first = 0, last = 1 << 20;
    for (const int d : seen.units[unit].domains) {
      first = std::max(first, seen.domains[d].lowest);
      last = std::min(last, seen.domains[d].highest);
    }
    return first <= last ? std::pair{first, last} : std::pair{now_at, now_at};
  }
  static double idle_w(const Observation& seen, int unit, int opp) {
    const double w = seen.profile->idle_w(unit, opp);
    return w > 0 ? w : 0;  // not known: 0
  }
  bool covered(const Observation& seen, int app, int unit) const {
    const int opp = clocks(seen, unit).second;
    for (int subnet = 0; subnet < seen.applications[app].subnets; ++subnet)
      if (seen.profile->latency_ms(app, subnet, unit, opp) > 0) return true;
    return false;
  }

  Option option(const Observation& seen, const AppView& app, int subnet, int unit, int opp) const {
    const Profile::Entry table = seen.profile->entry(app.index, subnet, unit, opp);
    Option out{subnet, table.latency_ms * slowdown(app.index, unit), std::max(0.0, table.energy_mj),
               app.accuracy[subnet], false};
    if (std::isnan(table.energy_mj)) out.mj = 0;
    out.broken = out.accuracy < app.accuracy_floor || (app.energy_budget_mj > 0 && out.mj > app.energy_budget_mj) ||
                 (app.power_budget_w > 0 && out.mj / table.latency_ms > app.power_budget_w);
    return out;
  }

  // An application's Pareto set at a unit and clock, by rising accuracy.
  void options_of(const Observation& seen, const AppView& app, int unit, int opp, std::vector<Option>& out) const {
    out.clear();
    for (int subnet = 0; subnet < app.subnets; ++subnet)
      if (seen.profile->latency_ms(app.index, subnet, unit, opp) > 0)
        out.push_back(option(seen, app, subnet, unit, opp));
    std::size_t kept = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      bool dominated = false;
      for (std::size_t j = 0; j < out.size() && !dominated; ++j) {
        const Option &a = out[i], &b = out[j];
        const bool no_worse = b.ms <= a.ms && b.mj <= a.mj && b.accuracy >= a.accuracy;
        const bool same = b.ms == a.ms && b.mj == a.mj && b.accuracy == a.accuracy;
        dominated = no_worse && (!same || j < i) && i != j;
      }
      flags_.resize(std::max(flags_.size(), out.size()));
      flags_[i] = !dominated;
    }
    for (std::size_t i = 0; i < out.size(); ++i)
      if (flags_[i]) out[kept++] = out[i];
    out.resize(kept);
    std::sort(out.begin(), out.end(), [](const Option& a, const Option& b) {
      return a.accuracy != b.accuracy ? a.accuracy < b.accuracy : a.subnet < b.subnet;
    });
  }

  // What it comes to if applications `who` run with options `how` on a unit at a clock; targets are scaled.
  Score score(const Observation& seen, int unit, int opp, const std::vector<int>& who, const std::vector<Option>& how,
              double scale) const {
    Score out;
    out.power_w = idle_w(seen, unit, opp);
    double paced = 0, all = 0, points = 0;
    for (std::size_t i = 0; i < who.size(); ++i) {
      all += load(who[i], how[i].ms);
      if (!own_pace(who[i])) paced += rate_hz(who[i]) * how[i].ms * 1e-3;
    }
    for (std::size_t i = 0; i < who.size(); ++i) {
      const AppView& app = seen.applications[who[i]];
      const double ms = how[i].ms * caution(who[i], unit) * (1 + all - load(who[i], how[i].ms));
      if (app.latency_target_ms > 0) out.overrun += std::max(0.0, ms / (scale * app.latency_target_ms) - 1);
      out.broken += how[i].broken;
      points += (1 + std::max(0, app.priority)) * how[i].accuracy;
      const double rate = rate_hz(who[i]);
      out.power_w += (rate > 0 ? rate : 1) * how[i].mj * 1e-3;  // not known yet: one a second, to have an order
    }
    out.overrun += std::max(0.0, paced / p_.u_max - 1);
    out.objective = objective_of(points, out.power_w);
    return out;
  }

  void enter(Front& front, const Score& score, int opp) {
    const bool capped = p_.power_cap_w > 0;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < front.count; ++i) {
      const Score& other = front.points[i].score;
      const int order = compare(other, score);
      const bool cheaper = other.power_w <= score.power_w + kSame;
      if (capped ? order >= 0 && cheaper : order > 0 || (order == 0 && cheaper)) return;
    }
    for (std::size_t i = 0; i < front.count; ++i) {  // what the new one beats goes
      const Score& other = front.points[i].score;
      if (capped && !(compare(score, other) >= 0 && score.power_w <= other.power_w)) {
        if (kept != i) std::swap(front.points[kept], front.points[i]);
        ++kept;
      }
    }
    front.count = kept;
    if (front.count == kMostPoints) {  // the worst gives way, but not the one that draws least: a low cap may need it
      std::size_t least = 0, worst = 0;
      for (std::size_t i = 1; i < front.count; ++i)
        if (front.points[i].score.power_w < front.points[least].score.power_w) least = i;
      if (least == 0) worst = 1;
      for (std::size_t i = 0; i < front.count; ++i)
        if (i != least && compare(front.points[worst].score, front.points[i].score) > 0) worst = i;
      if (compare(score, front.points[worst].score) <= 0) return;
      std::swap(front.points[worst], front.points[--front.count]);
    }
    if (front.points.size() == front.count) front.points.emplace_back();
    Point& point = front.points[front.count++];
    point.score = score;
    point.opp = opp;
    point.subnets.clear();
    for (const Option& option : how_) point.subnets.push_back(option.subnet);
  }

  // The best that a unit can do for applications `who`: one point, or with a power cap the front of score over power.
  void plan_unit(const Observation& seen, int unit, const std::vector<int>& who, double scale, Front& front) {
    front.ready = true;
    front.count = 0;
    how_.resize(who.size());
    sets_.resize(std::max(sets_.size(), who.size()));
    at_.assign(who.size(), 0);
    const auto [first, last] = clocks(seen, unit);
    if (who.empty()) {
      const int opp = p_.dvfs && p_.unused == Unused::lowest ? first : reference_opp_[unit];
      enter(front, score(seen, unit, opp, who, how_, scale), opp);
      return;
    }
    for (int opp = first; opp <= last; ++opp) {
      double combinations = last - first + 1;
      bool possible = true;
      for (std::size_t i = 0; i < who.size(); ++i) {
        options_of(seen, seen.applications[who[i]], unit, opp, sets_[i]);
        combinations *= static_cast<double>(sets_[i].size());
        possible = possible && !sets_[i].empty();
        at_[i] = 0;
      }
      if (!possible) continue;
      if (combinations <= p_.search_limit)
        search(seen, unit, opp, who, scale, front);
      else
        climb(seen, unit, opp, who, scale, front);
    }
  }

  void search(const Observation& seen, int unit, int opp, const std::vector<int>& who, double scale, Front& front) {
    for (;;) {
      for (std::size_t i = 0; i < who.size(); ++i) how_[i] = sets_[i][at_[i]];
      enter(front, score(seen, unit, opp, who, how_, scale), opp);
      std::size_t i = 0;
      while (i < who.size() && ++at_[i] == sets_[i].size()) at_[i++] = 0;
      if (i == who.size()) return;
    }
  }

  void climb(const Observation& seen, int unit, int opp, const std::vector<int>& who, double scale, Front& front) {
    for (std::size_t i = 0; i < who.size(); ++i) {
      for (std::size_t j = 1; j < sets_[i].size(); ++j)
        if (sets_[i][j].ms < sets_[i][at_[i]].ms) at_[i] = j;
      how_[i] = sets_[i][at_[i]];
    }
    Score best = score(seen, unit, opp, who, how_, scale);
    for (;;) {  // ends: the score rises strictly
      enter(front, best, opp);
      std::size_t mover = who.size(), to = 0;
      for (std::size_t i = 0; i < who.size(); ++i)
        for (const int by : {-1, 1}) {
          const std::size_t next = at_[i] + static_cast<std::size_t>(by);  // below 0 wraps far beyond the end
          if (next >= sets_[i].size()) continue;
          how_[i] = sets_[i][next];
          if (const Score there = score(seen, unit, opp, who, how_, scale); better(there, best))
            best = there, mover = i, to = next;
          how_[i] = sets_[i][at_[i]];
        }
      if (mover == who.size()) return;
      at_[mover] = to;
      how_[mover] = sets_[mover][to];
    }
  }

  // The best allocation with scaled targets, into chosen_unit_, chosen_subnet_ and chosen_opp_.
  bool allocate(const Observation& seen, double scale, Score& out) {
    const std::size_t apps = active_.size(), units = seen.units.size();
    // Where each may go.
    places_.resize(std::max(places_.size(), apps));
    std::size_t maps = 1;
    for (std::size_t i = 0; i < apps; ++i) {
      const AppView& app = seen.applications[active_[i]];
      places_[i].clear();
      if (covered(seen, app.index, app.unit)) places_[i].push_back(app.unit);
      if (places_[i].empty() || (p_.mapping && apps <= static_cast<std::size_t>(kSearchedApps)))
        for (const UnitView& unit : seen.units)
          if (unit.index != app.unit && covered(seen, app.index, unit.index)) places_[i].push_back(unit.index);
      if (places_[i].empty()) return false;
      if (maps * places_[i].size() > kMostMaps || apps > static_cast<std::size_t>(kSearchedApps)) places_[i].resize(1);
      maps *= places_[i].size();
    }
    const bool memo = apps <= static_cast<std::size_t>(kSearchedApps);
    const std::size_t masks = memo ? std::size_t{1} << apps : 1;
    fronts_.resize(std::max(fronts_.size(), masks * units));
    for (Front& front : fronts_) front.ready = false;
    used_.resize(units);
    picks_.resize(units);
    place_at_.assign(apps, 0);
    bool found = false;
    int found_moves = 0;
    for (;;) {
      int moves = 0;
      for (std::size_t i = 0; i < apps; ++i) moves += place_at_[i] != 0;
      bool possible = true;
      for (std::size_t u = 0; u < units && possible; ++u) {
        who_.clear();
        std::size_t mask = 0;
        for (std::size_t i = 0; i < apps; ++i)
          if (places_[i][place_at_[i]] == static_cast<int>(u))
            who_.push_back(active_[i]), mask |= std::size_t{1} << (i % 32);
        Front& front = fronts_[memo ? mask * units + u : u];
        if (!front.ready) plan_unit(seen, static_cast<int>(u), who_, scale, front);
        used_[u] = &front;
        possible = front.count > 0;
      }
      if (possible) combine(units, moves, found, found_moves, out);
      std::size_t i = 0;
      while (i < apps && ++place_at_[i] == places_[i].size()) place_at_[i++] = 0;
      if (i == apps) return found;
    }
  }

  // One point of each unit's front: the best sum.
  void combine(std::size_t units, int moves, bool& found, int& found_moves, Score& best) {
    std::fill(picks_.begin(), picks_.end(), 0);
    for (;;) {
      Score sum;
      for (std::size_t u = 0; u < units; ++u) add(sum, used_[u]->points[picks_[u]].score);
      if (!found || better(sum, best) || (!better(best, sum) && moves < found_moves)) {
        found = true;
        found_moves = moves;
        best = sum;
        chosen_opp_.resize(units);
        chosen_unit_.resize(active_.size());
        chosen_subnet_.resize(active_.size());
        for (std::size_t u = 0; u < units; ++u) {
          const Point& point = used_[u]->points[picks_[u]];
          chosen_opp_[u] = point.opp;
          std::size_t n = 0;
          for (std::size_t i = 0; i < active_.size(); ++i) {
            if (places_[i][place_at_[i]] != static_cast<int>(u)) continue;
            chosen_unit_[i] = static_cast<int>(u);
            chosen_subnet_[i] = point.subnets[n++];
          }
        }
      }
      std::size_t u = 0;
      while (u < units && ++picks_[u] == used_[u]->count) picks_[u++] = 0;
      if (u == units) return;
    }
  }

  // The score of the choice in force at full targets; false if it cannot be kept as it is.
  bool present(const Observation& seen, Score& out) {
    out = {};
    for (const UnitView& unit : seen.units) {
      who_.clear();
      how_.clear();
      const auto [first, last] = clocks(seen, unit.index);
      int opp = p_.dvfs ? unit_opp_[unit.index] : reference_opp_[unit.index];
      for (const int a : active_) {
        const State& state = states_[a];
        if (state.unit < 0 || state.unit != seen.applications[a].unit) return false;
        if (state.unit != unit.index) continue;
        if (opp < first || opp > last) return false;
        if (!(seen.profile->latency_ms(a, state.subnet, unit.index, opp) > 0)) return false;
        who_.push_back(a);
        how_.push_back(option(seen, seen.applications[a], state.subnet, unit.index, opp));
      }
      if (who_.empty()) opp = p_.dvfs && p_.unused == Unused::lowest ? first : reference_opp_[unit.index];
      add(out, score(seen, unit.index, opp, who_, how_, 1));
    }
    return true;
  }

  void plan(const Observation& seen, Decision& decision) {
    active_.clear();
    for (const AppView& app : seen.applications)
      if (app.active) active_.push_back(app.index);
    std::erase_if(active_, [&](int a) {  // the tables know nothing of it anywhere: left alone
      for (const UnitView& unit : seen.units)
        if (covered(seen, a, unit.index)) return false;
      return true;
    });
    began_ = began_ || !active_.empty();
    if (!began_) return;  // nothing has started yet: clocks are as the board starts
    if (seen.explain) list_candidates(seen, decision);

    Score best;
    plan_scale_ = 1 - p_.margin;
    bool found = allocate(seen, plan_scale_, best);
    const bool over = p_.power_cap_w > 0 && best.power_w > p_.power_cap_w + kSame;
    if (found && !over && p_.margin > 0 && (best.overrun > kSame || best.broken > 0)) {
      plan_scale_ = 1;
      found = allocate(seen, 1, best);
    }
    if (!found) return;
    if (Score now; present(seen, now) && now.overrun <= kSame && now.broken <= best.broken &&
                   (p_.power_cap_w <= 0 || now.power_w <= p_.power_cap_w + kSame) &&
                   best.objective - now.objective <= p_.keep_points &&
                   best.power_w >= now.power_w * (1 - p_.keep_power)) {
      give_back(seen, decision);
      return;
    }
    bool same = true;
    for (std::size_t i = 0; i < active_.size(); ++i) {
      const State& state = states_[active_[i]];
      same = same && state.unit == chosen_unit_[i] && state.subnet == chosen_subnet_[i];
    }
    for (std::size_t i = 0; i < active_.size() && p_.dvfs; ++i)
      same = same && unit_opp_[chosen_unit_[i]] == chosen_opp_[chosen_unit_[i]];
    if (!same) carry_out(seen, decision);
    give_back(seen, decision);
  }

  void carry_out(const Observation& seen, Decision& decision) {
    std::fill(unit_opp_.begin(), unit_opp_.end(), -1);
    for (const int u : chosen_unit_) unit_opp_[u] = chosen_opp_[u];
    for (std::size_t i = 0; i < active_.size(); ++i) {
      const AppView& app = seen.applications[active_[i]];
      State& state = states_[app.index];
      state.unit = chosen_unit_[i];
      state.subnet = chosen_subnet_[i];
      state.easy = 0;
      if (state.unit == app.unit && state.subnet == app.subnet) continue;
      const Why why = why_subnet(seen, app, state);
      if (state.unit != app.unit) decision.set(Knob::mapping, app.index, state.unit, why);
      // After a move the board may have put another sub-network in its place.
      decision.set(Knob::subnet, app.index, state.subnet, why);
    }
    if (!p_.dvfs) return;
    std::fill(wanted_opp_.begin(), wanted_opp_.end(), -1);
    for (const UnitView& unit : seen.units)
      if (unit_opp_[unit.index] >= 0)
        for (const int d : unit.domains) wanted_opp_[d] = std::max(wanted_opp_[d], unit_opp_[unit.index]);
    for (const UnitView& unit : seen.units) {
      if (unit_opp_[unit.index] < 0) continue;
      for (const int d : unit.domains) {
        if (wanted_opp_[d] != unit_opp_[unit.index]) continue;  // another unit on this clock needs more
        set_clock(seen, d, wanted_opp_[d], why_clock(seen, unit.index), decision);
        wanted_opp_[d] = -1;
      }
    }
  }

  void set_clock(const Observation& seen, int d, int opp, const Why& why, Decision& decision) {
    const DomainView& domain = seen.domains[d];
    if (domain.requested == opp && !domain.governed) return;
    if (domain.requested != opp) written_at_[d] = seen.now;
    decision.set(Knob::frequency, d, opp, why);
  }

  // Clocks that no active application's unit has.
  void give_back(const Observation& seen, Decision& decision) {
    if (!p_.dvfs || p_.unused == Unused::leave) return;
    std::fill(wanted_opp_.begin(), wanted_opp_.end(), 0);  // here: whether it is used
    for (const AppView& app : seen.applications) {
      if (!app.active) continue;
      const int unit = states_[app.index].unit >= 0 ? states_[app.index].unit : app.unit;
      for (const int d : seen.units[unit].domains) wanted_opp_[d] = 1;
      for (const int d : seen.units[app.unit].domains) wanted_opp_[d] = 1;  // a frame may still run there
    }
    for (const UnitView& unit : seen.units)
      for (const int d : unit.domains) {
        const DomainView& domain = seen.domains[d];
        if (wanted_opp_[d] != 0) continue;
        wanted_opp_[d] = 1;
        if (p_.unused == Unused::lowest)
          set_clock(seen, d, domain.lowest,
                    {.reason = because("no application uses it"), .binding = Constraint::ladder}, decision);
        else if (!domain.governed)
          decision.set(Knob::governor, d, 0, Why{.reason = because("no application uses it")});
      }
  }

  // --- reasons

  // Of the choice that is being carried out, on a unit at a clock.
  Score rated(const Observation& seen, int unit, int opp) {
    who_.clear();
    how_.clear();
    for (const int a : active_)
      if (states_[a].unit == unit && seen.profile->latency_ms(a, states_[a].subnet, unit, opp) > 0) {
        who_.push_back(a);
        how_.push_back(option(seen, seen.applications[a], states_[a].subnet, unit, opp));
      }
    return score(seen, unit, opp, who_, how_, plan_scale_);
  }
  double load_of(const std::vector<int>& who, const std::vector<Option>& how) const {
    double sum = 0;
    for (std::size_t i = 0; i < who.size(); ++i)
      if (!own_pace(who[i])) sum += rate_hz(who[i]) * how[i].ms * 1e-3;
    return sum;
  }
  double with_others(std::size_t i) const {
    const double ms = how_[i].ms * caution(who_[i], states_[who_[i]].unit);
    double others = 1;
    for (std::size_t j = 0; j < who_.size(); ++j)
      if (j != i) others += load(who_[j], how_[j].ms);
    return ms * others;
  }

  Why why_clock(const Observation& seen, int unit) {
    const int opp = unit_opp_[unit];
    rated(seen, unit, opp);
    const double mhz = seen.domains[seen.units[unit].domains[0]].opps_mhz[opp];
    const double spare = p_.u_max - load_of(who_, how_);
    double slack_ms = 1e300, target_ms = 0;
    for (std::size_t i = 0; i < who_.size(); ++i) {
      const AppView& app = seen.applications[who_[i]];
      if (app.latency_target_ms <= 0) continue;
      const double slack = app.latency_target_ms - with_others(i);
      if (target_ms == 0 || slack / app.latency_target_ms < slack_ms / target_ms)
        slack_ms = slack, target_ms = app.latency_target_ms;
    }
    const Why by_latency{.reason = because("global: {} MHz leaves {} ms of {} ms", mhz, slack_ms, target_ms),
                         .binding = Constraint::latency,
                         .slack = slack_ms,
                         .margin = target_ms > 0 ? slack_ms / target_ms : 0};
    const Why by_capacity{
        .reason = because("global: {} MHz loads the unit by {} of {}", mhz, p_.u_max - spare, p_.u_max),
        .binding = Constraint::capacity,
        .slack = spare,
        .margin = spare / p_.u_max};
    if (spare < 0) return by_capacity;
    if (target_ms > 0 && slack_ms < 0) return by_latency;
    if (opp <= clocks(seen, unit).first)
      return {.reason = because("global: {} MHz, the lowest, is enough", mhz), .binding = Constraint::ladder};
    if (rated(seen, unit, opp - 1).overrun > kSame) return load_of(who_, how_) > p_.u_max ? by_capacity : by_latency;
    return {.reason = because("global: {} MHz takes the least energy", mhz), .binding = Constraint::energy};
  }

  // What keeps the application from the next better sub-network: looked for at the highest clock.
  Why why_subnet(const Observation& seen, const AppView& app, const State& state) {
    const int opp = chosen_opp_[state.unit];
    rated(seen, state.unit, opp);
    double ms = 0, slack_ms = 0;
    for (std::size_t i = 0; i < who_.size(); ++i)
      if (who_[i] == app.index) ms = with_others(i);
    const double target_ms = app.latency_target_ms, accuracy = app.accuracy[state.subnet];
    if (target_ms > 0) slack_ms = target_ms - ms;
    const double xi = slowdown(app.index, state.unit);
    Why why{.reason = target_ms > 0 ? because("global: predicted {} ms of {} ms at slow-down {}", ms, target_ms, xi)
                                    : because("global: predicted {} ms at slow-down {}; no latency target", ms, xi),
            .binding = Constraint::latency,
            .slack = slack_ms,
            .margin = target_ms > 0 ? slack_ms / target_ms : 0};
    if (target_ms > 0 && slack_ms < 0) {
      why.reason = because("global: nothing allowed meets {} ms; {} ms at slow-down {}", target_ms, ms, xi);
      return why;
    }
    if (accuracy < app.accuracy_floor) {
      why.reason =
          because("global: predicted {} ms of {} ms; no accuracy of {} fits", ms, target_ms, app.accuracy_floor);
      return why;
    }
    int next = -1;
    const int highest = clocks(seen, state.unit).second;
    for (int i = 0; i < app.subnets; ++i)
      if (app.accuracy[i] > accuracy && seen.profile->latency_ms(app.index, i, state.unit, highest) > 0 &&
          (next < 0 || app.accuracy[i] < app.accuracy[next]))
        next = i;
    if (next < 0) {
      why.binding = Constraint::none;
      why.slack = why.margin = 0;
      return why;
    }
    double before = 0;
    for (std::size_t i = 0; i < who_.size(); ++i) {
      how_[i] =
          option(seen, seen.applications[who_[i]], who_[i] == app.index ? next : how_[i].subnet, state.unit, highest);
      if (who_[i] == app.index) before = with_others(i);
    }
    if (target_ms > 0 && before > plan_scale_ * target_ms) return why;
    rated(seen, state.unit, opp);
    const double used = load_of(who_, how_);
    for (std::size_t i = 0; i < who_.size(); ++i)
      how_[i] =
          option(seen, seen.applications[who_[i]], who_[i] == app.index ? next : how_[i].subnet, state.unit, highest);
    if (load_of(who_, how_) > p_.u_max) {
      why.binding = Constraint::capacity;
      why.slack = p_.u_max - used;
      why.margin = why.slack / p_.u_max;
      return why;
    }
    // It would fit: what it would take in energy, or from others, is what it is not worth.
    why.binding = p_.power_cap_w > 0 ? Constraint::power : Constraint::energy;
    why.slack = why.margin = 0;
    return why;
  }

  void list_candidates(const Observation& seen, Decision& decision) {
    sets_.resize(std::max<std::size_t>(sets_.size(), 1));
    for (const int a : active_) {
      const AppView& app = seen.applications[a];
      for (const UnitView& unit : seen.units) {
        if (unit.index != app.unit && !p_.mapping) continue;
        const auto [first, last] = clocks(seen, unit.index);
        for (int opp = first; opp <= last; ++opp) {
          options_of(seen, app, unit.index, opp, sets_[0]);
          for (const Option& o : sets_[0])
            decision.candidates.push_back(
                {a, o.subnet, unit.index, opp, o.ms, o.accuracy, o.mj,
                 !o.broken && (app.latency_target_ms <= 0 || o.ms <= (1 - p_.margin) * app.latency_target_ms)});
        }
      }
    }
  }

  // --- the local level

  void adjust(const Observation& seen, const AppView& app, Decision& decision) {
    State& state = states_[app.index];
    const double target_ms = app.latency_target_ms;
    if (!app.active || state.unit != app.unit || target_ms <= 0 || app.completed == 0) return;
    if (const Sample& last = app.sample(app.completed - 1); last.subnet != app.subnet || last.unit != app.unit)
      return;  // finished before a switch took effect
    const int opp = reference_opp_[app.unit];
    const double waited_ms = app.waiting > 0 ? app.oldest_wait_ms : 0;
    const double slack_ms = target_ms - waited_ms - predicted_ms(seen, app, app.subnet, opp);
    if (std::isnan(slack_ms)) return;
    if (slack_ms < 0) {
      state.easy = 0;
      hurry(seen, app, target_ms - waited_ms, slack_ms, decision);
    } else if (slack_ms <= p_.margin * target_ms) {
      state.easy = 0;
    } else if (++state.easy >= p_.restore_samples) {
      restore(seen, app, slack_ms, decision);
    }
  }

  void hurry(const Observation& seen, const AppView& app, double left_ms, double slack_ms, Decision& decision) {
    int opp = reference_opp_[app.unit];
    const double target_ms = app.latency_target_ms;
    const Why why{.reason = because("local: slack {} ms of {} ms at slow-down {}", slack_ms, target_ms,
                                    slowdown(app.index, app.unit)),
                  .binding = Constraint::latency,
                  .slack = slack_ms,
                  .margin = slack_ms / target_ms};
    if (p_.dvfs && opp < clocks(seen, app.unit).second) {
      ++opp;
      for (const int d : seen.units[app.unit].domains) set_clock(seen, d, opp, why, decision);
      if (predicted_ms(seen, app, app.subnet, opp) <= left_ms) return;
    }
    const double present_ms = seen.profile->latency_ms(app.index, app.subnet, app.unit, opp);
    int next = -1;
    for (int i = 0; i < app.subnets; ++i) {
      if (app.accuracy[i] >= app.accuracy[app.subnet] || app.accuracy[i] < app.accuracy_floor) continue;
      const double ms = seen.profile->latency_ms(app.index, i, app.unit, opp);
      if (ms > 0 && ms < present_ms && (next < 0 || app.accuracy[i] > app.accuracy[next])) next = i;
    }
    if (next >= 0) decision.set(Knob::subnet, app.index, next, why);
  }

  void restore(const Observation& seen, const AppView& app, double slack_ms, Decision& decision) {
    State& state = states_[app.index];
    const double target_ms = app.latency_target_ms;
    const int opp = reference_opp_[app.unit];
    const Why why{.reason = because("local: {} frames with room, {} ms of {} ms", state.easy, slack_ms, target_ms),
                  .binding = Constraint::latency,
                  .slack = slack_ms,
                  .margin = slack_ms / target_ms};
    if (app.accuracy[app.subnet] < app.accuracy[state.subnet]) {
      int next = -1;
      for (int i = 0; i < app.subnets; ++i)
        if (app.accuracy[i] > app.accuracy[app.subnet] && app.accuracy[i] <= app.accuracy[state.subnet] &&
            seen.profile->latency_ms(app.index, i, app.unit, opp) > 0 &&
            (next < 0 || app.accuracy[i] < app.accuracy[next]))
          next = i;
      if (next < 0 || predicted_ms(seen, app, next, opp) > plan_scale_ * target_ms) return;
      decision.set(Knob::subnet, app.index, next, why);
      state.easy = 0;
      return;
    }
    const int lower = opp - 1;
    if (!p_.dvfs || lower < unit_opp_[app.unit] || lower < clocks(seen, app.unit).first) return;
    double paced = 0;
    for (const AppView& other : seen.applications) {
      if (!other.active || other.unit != app.unit) continue;
      if (other.latency_target_ms > 0 &&
          predicted_ms(seen, other, other.subnet, lower) > plan_scale_ * other.latency_target_ms)
        return;
      const double ms = seen.profile->latency_ms(other.index, other.subnet, other.unit, lower);
      if (!own_pace(other.index) && ms > 0) paced += rate_hz(other.index) * ms * slowdown(other.index, app.unit) * 1e-3;
    }
    if (paced > p_.u_max) return;
    for (const int d : seen.units[app.unit].domains) set_clock(seen, d, lower, why, decision);
    for (const AppView& other : seen.applications)
      if (other.unit == app.unit) states_[other.index].easy = 0;
  }

  Parameters p_;
  std::vector<State> states_;       // by application
  std::vector<int> reference_opp_;  // by unit: where tables are read
  std::vector<int> unit_opp_;       // by unit: the global choice; -1 where no application runs
  std::vector<Time> written_at_;    // by domain
  std::vector<double> setting_;
  double plan_scale_ = 1;
  bool began_ = false;
  Time looked_ = 0;

  // Scratch, kept so that deciding allocates nothing once warm.
  std::vector<int> wanted_opp_, active_, who_;
  std::vector<Option> how_;
  std::vector<std::vector<Option>> sets_;
  std::vector<std::size_t> at_, place_at_, picks_;
  std::vector<std::vector<int>> places_;
  std::vector<Front> fronts_;
  std::vector<Front*> used_;
  std::vector<int> chosen_opp_, chosen_unit_, chosen_subnet_;
  mutable std::vector<char> flags_;
};

const Registration<Policy, Hierarchical> registered{
    "hierarchical", "a global level allocates units, clocks and sub-networks; a local level keeps latencies in between",
    "our reconstruction from two abstracts (arXiv 2206.02525, 2401.08965); their text was not read"};

}  // namespace
}  // namespace dynasoc::manager
