// oracle: knows the future and plans every frame before the first one arrives. No board has one: it is the yardstick
// that regret is counted against.
//
// Source: own definition; ALERT (ATC 2020), HiLITE (CAL 2020) and Dysta (MICRO 2023) each compare with an oracle of
// their own. It minimises the scenario's objective (sim/application/objective.hpp), knowing arrivals, each frame's
// noise, targets and background load. Each frame has one sub-network, unit and clock while it runs; a manager that
// changes the clock in the middle of a frame can do what no plan here can, which is why regret may come out below zero
// by a little.
//
// `dp`: one application: dynamic programming over frames (sim/manager/oracle/plan.hpp), exact as long as it keeps every
// partial plan that could still win; the certificate says whether it did. Several applications: each is planned alone,
// with the others' plans as load on its unit, in turns until nothing improves ("greedy": a best response and no
// optimum), with a price on the time of shared units, the best of those tried. Where applications share a unit, its
// clock is one for the whole run, the best of those tried. What each application would cost if it had the board to
// itself, summed, is a bound from below.
// `milp`: several applications on a short run: a mixed-integer program whose relaxation of time sharing holds for every
// scheduler (sim/manager/oracle/milp.hpp), solved by CBC; the better of its assignment and the greedy one runs, its
// bound is the certificate's. What it assigns may ask for two clocks of one unit at a time: then the later one wins,
// and the run costs more than was planned.
//
// Clocks it does not choose (memory, the host CPU of a GPU) it pins to the highest the limits allow. It does not know
// throttling, changes of power mode, contention between units, units that do not share by weight, or what idle power
// that follows the clock is worth: in such runs its plan is one among many. A bound is given only where none of it can
// make a manager better than the plan's world; `exact` is taken back where the run did not cost what was planned.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "manager/foresight.hpp"
#include "manager/oracle/milp.hpp"
#include "manager/oracle/plan.hpp"
#include "manager/policy.hpp"

namespace dynasoc::manager {

enum class OracleMethod : std::uint8_t { automatic, dp, greedy, milp };

}  // namespace dynasoc::manager

namespace dynasoc {
template <>
struct EnumNames<manager::OracleMethod> {
  static constexpr std::array<std::pair<std::string_view, manager::OracleMethod>, 4> names{
      {{"auto", manager::OracleMethod::automatic},
       {"dp", manager::OracleMethod::dp},
       {"greedy", manager::OracleMethod::greedy},
       {"milp", manager::OracleMethod::milp}}};
};
}  // namespace dynasoc

namespace dynasoc::manager {
namespace {

class Oracle final : public Policy {
 public:
  struct Parameters {
    OracleMethod method = OracleMethod::automatic;
    int labels = 70;
    int rounds = 3;
    double guard_ms = 3;
    int milp_frames = 24;
    double milp_nodes = 2000;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(
          field(&P::method, "method",
                "auto: dp for one application; for several milp up to milp_frames frames, greedy beyond. With several "
                "applications dp means greedy"),
          field(&P::labels, "labels", range(2, 1e5),
                "partial plans kept at a frame; fewer is faster and no longer exact"),
          field(&P::rounds, "rounds", range(1, 20), "greedy: times that each application answers the others"),
          field(&P::guard_ms, "guard_ms", range(0, 1000),
                "greedy: kept free before deadlines (a twentieth at most), for the others' plans are not carried out "
                "to the microsecond"),
          field(&P::milp_frames, "milp_frames", range(1, 60), "most frames of all applications for milp"),
          field(&P::milp_nodes, "milp_nodes", range(0, 1e9),
                "milp: most nodes of the search tree (a limit of time would "
                "make results depend on the machine)"));
    }
  };
  explicit Oracle(const Parameters& parameters) : p_(parameters) {}

  Triggers triggers() const override { return {.completion = true}; }
  bool clairvoyant() const override { return true; }
  const Certificate* certificate() const override { return &certificate_; }

  void decide(const Observation& seen, Decision& decision) override {
    if (seen.foresight == nullptr)
      throw InputError("policy oracle needs to know the future: it runs in a simulation only");
    if (seen.trigger == Trigger::start) {
      if (!pinned_)
        pin(seen, decision);
      else if (apps_.empty())
        plan(seen);
      if (!apps_.empty())
        for (const AppView& app : seen.applications) follow(seen, app, decision);
      pinned_ = true;
      return;
    }
    follow(seen, seen.applications[static_cast<std::size_t>(seen.subject)], decision);
  }

 private:
  struct App {
    std::vector<Configuration> configurations;
    Plan plan;
    double bound = 0;
    bool bound_exact = true;
  };

  static void pin(const Observation& seen, Decision& decision) {
    for (const DomainView& domain : seen.domains)
      decision.set(Knob::frequency, domain.index, domain.highest, because("pinned before the run"));
  }

  // ---- planning -----------------------------------------------------------------------------------------------------

  void plan(const Observation& seen) {
    future_ = seen.foresight->future();
    apps_.resize(seen.applications.size());
    certificate_ = {};
    certificate_.exact = future_.steady && pins_cost_nothing(seen) && future_.loads_exact &&
                         std::all_of(future_.fair.begin(), future_.fair.end(), [](bool fair) { return fair; });
    load_.assign(seen.units.size(), {});
    for (const Future::Load& load : future_.loads)
      load_[static_cast<std::size_t>(load.unit)].add(load.from, load.to, load.weight);
    order_.resize(apps_.size());
    std::iota(order_.begin(), order_.end(), 0);
    std::stable_sort(order_.begin(), order_.end(), [this](int a, int b) { return depth(a) < depth(b); });

    for (const int a : order_) alone(seen, a);
    if (apps_.size() == 1) {
      certificate_.method = "dp";
      certificate_.exact = certificate_.exact && apps_[0].plan.exact;
      certificate_.bound = certificate_.exact ? apps_[0].plan.cost : std::nan("");
      certificate_.planned = apps_[0].plan.cost;
    } else {
      several(seen);
    }
    // Costs so far are totals above the least that idle units draw.
    double frames = 0;
    for (std::size_t a = 0; a < apps_.size(); ++a) frames += static_cast<double>(counted_frames(a));
    double idle_w = 0;
    for (const UnitView& unit : seen.units) idle_w += least_idle_w(seen, unit.index, used(unit.index));
    const double idle = future_.objective.energy * idle_w * to_s(future_.end - future_.warmup);
    for (double* cost : {&certificate_.planned, &certificate_.bound})
      *cost = frames > 0 ? (*cost + idle) / frames : std::nan("");
    for (const App& app : apps_) certificate_.merged += app.plan.merged;
  }

  // Clocks that are pinned at the highest draw no more there while they idle.
  static bool pins_cost_nothing(const Observation& seen) {
    for (const UnitView& unit : seen.units)
      if (least_idle_w(seen, unit.index, true) != least_idle_w(seen, unit.index, false)) return false;
    return true;
  }

  int depth(int a) const {
    int out = 0;
    for (int p = future_.apps[static_cast<std::size_t>(a)].parent; p >= 0 && out < 100;
         p = future_.apps[static_cast<std::size_t>(p)].parent)
      ++out;
    return out;
  }

  std::uint64_t counted_frames(std::size_t a) const {
    const App& app = apps_[a];
    const Future::App& future = future_.apps[a];
    if (future.driver == ArrivalDriver::completion) return app.plan.served;
    const auto& arrivals = arrivals_[a];
    return static_cast<std::uint64_t>(
        std::count_if(arrivals.begin(), arrivals.end(), [this](Time at) { return at >= future_.warmup; }));
  }

  bool used(int unit) const {
    return std::any_of(apps_.begin(), apps_.end(), [unit](const App& app) {
      return std::any_of(app.configurations.begin(), app.configurations.end(),
                         [unit](const Configuration& c) { return c.unit == unit; });
    });
  }

  static double idle_w(const Observation& seen, int unit, int opp) {
    const double out = seen.profile->idle_w(unit, opp);
    return std::isfinite(out) ? out : 0;
  }
  // Of the clocks that are chosen among, or of the one that is pinned.
  static double least_idle_w(const Observation& seen, int unit, bool chosen) {
    const DomainView& domain =
        seen.domains[static_cast<std::size_t>(seen.units[static_cast<std::size_t>(unit)].domains[0])];
    double least = idle_w(seen, unit, domain.highest);
    for (int opp = domain.lowest; chosen && opp < domain.highest; ++opp)
      least = std::min(least, idle_w(seen, unit, opp));
    return least;
  }

  std::vector<Configuration> configurations_of(const Observation& seen, const AppView& app) const {
    std::vector<Configuration> out;
    for (const UnitView& unit : seen.units) {
      int lowest = 0, highest = 1 << 20;  // OPPs that all of the unit's domains may take
      for (const int d : unit.domains) {
        lowest = std::max(lowest, seen.domains[static_cast<std::size_t>(d)].lowest);
        highest = std::min(highest, seen.domains[static_cast<std::size_t>(d)].highest);
      }
      const double least_w = least_idle_w(seen, unit.index, true);
      for (int subnet = 0; subnet < app.subnets; ++subnet)
        for (int opp = lowest; opp <= highest; ++opp) {
          const Profile::Entry entry = seen.profile->entry(app.index, subnet, unit.index, opp);
          if (!(entry.latency_ms > 0)) continue;
          out.push_back({subnet, unit.index, opp, app.accuracy[static_cast<std::size_t>(subnet)],
                         std::isfinite(entry.energy_mj) ? entry.energy_mj / entry.latency_ms : 0,
                         idle_w(seen, unit.index, opp) - least_w, true});
        }
    }
    return out;
  }

  Problem problem_of(const Observation& seen, int a) const {
    Problem out;
    out.future = &future_;
    out.app = a;
    out.arrivals = arrivals_[static_cast<std::size_t>(a)];
    out.configurations = apps_[static_cast<std::size_t>(a)].configurations;
    out.demand = load_;
    if (!fixed_.empty()) out.fixed = fixed_[static_cast<std::size_t>(a)];
    out.most_labels = static_cast<std::size_t>(p_.labels);
    out.poll = [&seen] { seen.foresight->poll(); };
    const auto& configurations = apps_[static_cast<std::size_t>(a)].configurations;
    for (const Configuration& c : configurations) {
      double fastest_ms = std::numeric_limits<double>::infinity();
      for (const Configuration& other : configurations)
        if (other.unit == c.unit && other.opp == c.opp)
          fastest_ms = std::min(fastest_ms, seen.profile->latency_ms(a, other.subnet, c.unit, c.opp));
      out.fastest_ns.push_back(fastest_ms * 1e6);
    }
    out.alone_ns = [&seen, a, &configurations](std::uint64_t frame, std::size_t c) {
      const Configuration& with = configurations[c];
      return seen.foresight->alone_ms(a, frame, with.subnet, with.unit, with.opp) * 1e6;
    };
    return out;
  }

  // A cascade's frames come when its parent's plan says that they are triggered.
  void arrivals_of(const Observation& seen, int a) {
    const Future::App& future = future_.apps[static_cast<std::size_t>(a)];
    std::vector<Time>& out = arrivals_[static_cast<std::size_t>(a)];
    if (future.driver != ArrivalDriver::parent) {
      out = future.arrivals;
      return;
    }
    out.clear();
    const Plan& parent = apps_[static_cast<std::size_t>(future.parent)].plan;
    for (std::uint64_t n = 0; n < parent.frames.size(); ++n) {
      const Time at = parent.frames[n].finish;
      if (at != kNever && at < future_.end && at >= future.start && at < future.stop && seen.foresight->triggered(a, n))
        out.push_back(at);
    }
  }

  void alone(const Observation& seen, int a) {
    arrivals_.resize(apps_.size());
    App& app = apps_[static_cast<std::size_t>(a)];
    app.configurations = configurations_of(seen, seen.applications[static_cast<std::size_t>(a)]);
    arrivals_of(seen, a);
    const Problem problem = problem_of(seen, a);
    app.plan = plan_alone(problem);
    // Where partial plans were given up, one configuration for the whole run may still be better.
    for (std::size_t c = 0; c < app.configurations.size() && app.plan.merged > 0; ++c) {
      Problem one = problem;
      one.configurations = {app.configurations[c]};
      one.fastest_ns = {problem.fastest_ns[c]};
      one.alone_ns = [&problem, c](std::uint64_t frame, std::size_t) { return problem.alone_ns(frame, c); };
      Plan steady = plan_alone(one);
      if (steady.cost >= app.plan.cost || steady.served == 0) continue;
      for (PlannedFrame& frame : steady.frames)
        if (frame.configuration >= 0) frame.configuration = static_cast<int>(c);
      steady.exact = false;
      steady.merged = app.plan.merged;
      app.plan = std::move(steady);
    }
    // How many frames a cascade has, and when, is the parent's choice: nothing is certain to be lost by it.
    const bool free = future_.apps[static_cast<std::size_t>(a)].driver == ArrivalDriver::clock;
    app.bound = free ? app.plan.cost : 0;
    app.bound_exact = !free || app.plan.exact;
  }

  static bool serves(const App& app, int unit) {
    return std::any_of(app.configurations.begin(), app.configurations.end(),
                       [unit](const Configuration& c) { return c.unit == unit; });
  }

  // Each answers the others in turns, with the clocks of shared units fixed; returns the total cost.
  double respond(const Observation& seen, const std::vector<int>& fixed_opp, double price_per_s = 0) {
    for (App& app : apps_)
      for (Configuration& c : app.configurations)
        c.allowed =
            fixed_opp[static_cast<std::size_t>(c.unit)] < 0 || fixed_opp[static_cast<std::size_t>(c.unit)] == c.opp;
    double total = 0;
    std::vector<std::vector<PlannedFrame>> before(apps_.size());
    for (int round = 0; round < p_.rounds; ++round) {
      double sum = 0;
      for (const int a : order_) {
        arrivals_of(seen, a);
        Problem problem = problem_of(seen, a);
        problem.price_per_s = price_per_s;
        problem.guard = from_ms(p_.guard_ms);
        for (std::size_t b = 0; b < apps_.size(); ++b) {
          if (static_cast<int>(b) == a || (round == 0 && before[b].empty())) continue;
          for (const PlannedFrame& frame : before[b])
            if (frame.configuration >= 0)
              problem
                  .demand[static_cast<std::size_t>(
                      apps_[b].configurations[static_cast<std::size_t>(frame.configuration)].unit)]
                  .add(frame.start, std::min(frame.finish, future_.end), future_.apps[b].weight);
        }
        App& app = apps_[static_cast<std::size_t>(a)];
        app.plan = plan_alone(problem);
        before[static_cast<std::size_t>(a)] = app.plan.frames;
        sum += app.plan.cost;
      }
      const bool settled = round > 0 && std::abs(sum - total) <= 1e-6 * std::abs(total);
      total = sum;
      if (settled) break;
    }
    return total;
  }

  void several(const Observation& seen) {
    certificate_.method = "greedy";
    double bound = 0;
    const bool sound = certificate_.exact;
    bool bound_exact = sound;
    for (const App& app : apps_) bound += app.bound, bound_exact = bound_exact && app.bound_exact;
    certificate_.exact = false;

    std::vector<int> fixed(seen.units.size(), -1);
    std::vector<int> shared;
    for (const UnitView& unit : seen.units)
      if (std::count_if(apps_.begin(), apps_.end(), [&](const App& app) { return serves(app, unit.index); }) > 1)
        shared.push_back(unit.index);
    for (const int unit : shared) fixed[static_cast<std::size_t>(unit)] = highest_opp(seen, unit);
    double best = respond(seen, fixed);
    for (const int unit : shared) {
      // The cost over the clock has one valley or nearly so: coarse steps, then fine ones around the best.
      int& opp = fixed[static_cast<std::size_t>(unit)];
      const int highest = highest_opp(seen, unit), lowest = lowest_opp(seen, unit);
      for (const int step : {4, 2, 1}) {
        const int centre = opp;
        for (int to = step == 4 ? lowest : centre - step; to <= (step == 4 ? highest : centre + step); to += step) {
          if (to < lowest || to > highest || to == opp) continue;
          std::vector<int> trial = fixed;
          trial[static_cast<std::size_t>(unit)] = to;
          if (const double cost = respond(seen, trial); cost < best) {
            best = cost;
            opp = to;
          }
        }
      }
    }
    // An answer that looks at its own cost alone crowds the others out; a price on the unit's time makes it share.
    double price = 0;
    if (!shared.empty())
      for (const double trial : {0.3, 1.0, 3.0, 10.0, 30.0})
        if (const double cost = respond(seen, fixed, trial * future_.objective.miss); cost < best) {
          best = cost;
          price = trial * future_.objective.miss;
        }
    certificate_.planned = respond(seen, fixed, price);
    certificate_.bound = bound_exact ? bound : std::nan("");

    std::size_t frames = 0;
    bool by_clock = true;
    for (std::size_t a = 0; a < apps_.size(); ++a) {
      frames += arrivals_[a].size();
      by_clock = by_clock && future_.apps[a].driver == ArrivalDriver::clock;
    }
    const bool small = frames <= static_cast<std::size_t>(p_.milp_frames);
    if (p_.method == OracleMethod::milp && !by_clock)
      throw InputError(
          "policy oracle: method milp needs arrivals that are known beforehand, not closed loops or cascades");
    if (p_.method == OracleMethod::milp && !milp_available())
      throw InputError(
          "policy oracle: method milp needs the solver CBC (Debian: coinor-libcbc-dev), which was not found");
    if (p_.method == OracleMethod::milp ||
        (p_.method == OracleMethod::automatic && small && by_clock && milp_available()))
      by_program(seen, frames, sound);
  }

  void by_program(const Observation& seen, std::size_t frames, bool sound) {
    constexpr std::size_t kMost = 60;
    if (frames > kMost)
      throw InputError("policy oracle: method milp is for short runs, of at most " + std::to_string(kMost) +
                       " frames; this one has " + std::to_string(frames));
    std::vector<Problem> problems;
    for (std::size_t a = 0; a < apps_.size(); ++a) {
      for (Configuration& c : apps_[a].configurations) c.allowed = true;
      problems.push_back(problem_of(seen, static_cast<int>(a)));
    }
    const MilpSolution solution = solve_milp(problems, static_cast<int>(p_.milp_nodes));
    certificate_.method = "milp";
    // What the program takes for granted of loads and units must be so.
    if (sound && (std::isnan(certificate_.bound) || solution.bound > certificate_.bound))
      certificate_.bound = solution.bound;
    certificate_.milp_gap = solution.gap;
    // The program knows nothing of who shares when: its assignment is followed only if it is reckoned better than the
    // greedy one.
    std::vector<Plan> greedy;
    for (const App& app : apps_) greedy.push_back(app.plan);
    fixed_ = solution.configuration;
    const double cost = respond(seen, std::vector<int>(seen.units.size(), -1));
    fixed_.clear();
    if (cost < certificate_.planned) {
      certificate_.planned = cost;
    } else {
      for (std::size_t a = 0; a < apps_.size(); ++a) apps_[a].plan = greedy[a];
    }
  }

  static int highest_opp(const Observation& seen, int unit) {
    return seen.domains[static_cast<std::size_t>(seen.units[static_cast<std::size_t>(unit)].domains[0])].highest;
  }
  static int lowest_opp(const Observation& seen, int unit) {
    return seen.domains[static_cast<std::size_t>(seen.units[static_cast<std::size_t>(unit)].domains[0])].lowest;
  }

  // ---- carrying it out ----------------------------------------------------------------------------------------------

  void follow(const Observation& seen, const AppView& app, Decision& decision) const {
    const App& own = apps_[static_cast<std::size_t>(app.index)];
    auto next = static_cast<std::size_t>(app.arrived - app.waiting);  // what waits is what came last
    while (next < own.plan.frames.size() && own.plan.frames[next].configuration < 0) ++next;
    if (next >= own.plan.frames.size()) {
      park(seen, app, decision);
      return;
    }
    const Configuration& with = own.configurations[static_cast<std::size_t>(own.plan.frames[next].configuration)];
    const Why why{.reason = because("planned for frame {}", next)};
    if (with.unit != app.unit) decision.set(Knob::mapping, app.index, with.unit, why);
    if (with.subnet != app.subnet) decision.set(Knob::subnet, app.index, with.subnet, why);
    for (const int d : seen.units[static_cast<std::size_t>(with.unit)].domains)
      if (seen.domains[static_cast<std::size_t>(d)].requested != with.opp)
        decision.set(Knob::frequency, d, with.opp, why);
  }

  // Nothing follows: where idle power depends on the clock, the lowest is as good as any.
  void park(const Observation& seen, const AppView& app, Decision& decision) const {
    if (apps_.size() > 1) return;
    for (const int d : seen.units[static_cast<std::size_t>(app.unit)].domains)
      if (const DomainView& domain = seen.domains[static_cast<std::size_t>(d)]; domain.requested != domain.lowest)
        decision.set(Knob::frequency, d, domain.lowest, because("no frame follows"));
  }

  Parameters p_;
  Future future_;
  Certificate certificate_;
  bool pinned_ = false;
  std::vector<App> apps_;
  std::vector<std::vector<Time>> arrivals_;
  std::vector<Demand> load_;
  std::vector<int> order_;
  std::vector<std::vector<int>> fixed_;  // [application][frame] while an assignment is replayed
};

const Registration<Policy, Oracle> registered{
    "oracle", "knows the future and plans every frame: what was possible, for comparison only",
    "own definition: dynamic programming, a mixed-integer program on CBC, a clairvoyant best response"};

}  // namespace
}  // namespace dynasoc::manager
