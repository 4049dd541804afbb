// ztt: a deep Q-network that learns on the board, once a second, which CPU and GPU clocks give the frames asked for,
// the least power and a board that stays cool.
//
// Source: zTT (Kim et al., MobiSys 2021), our reading of the rules of its released code (the agent for a Jetson
// TX2), which was not at hand; what is our own is marked (ours). It has two units. `cpu_unit` and `gpu_unit` name them;
// by default they are the first whose name holds "cpu" and "gpu" in any case, else the first unit that is not the
// other. A board with one unit gives it the CPU's part: what the state says of the GPU is then 0, and its part of an
// action has no effect.
//
// Every `period_ms` (the call at the start only begins the count, other calls do nothing, nor do two at one instant):
//   state   OPP index of the CPU's clock in effect, that of the GPU's, P_cpu, P_gpu [100 mW], T_cpu, T_gpu [C], fps;
//           as they are, not scaled. What is not known is 0
//   fps     completions of all applications together since the last tick, a second
//   P       the reading of the first rail whose name holds the unit's and not the other unit's, in any case; without
//           one, or before its first reading, idle power at the clock in effect + utilisation x mean over the active
//           applications mapped to the unit of table energy / table latency there; what is not known counts as 0
//   T       thermal node `cpu_node`, `gpu_node`; -1 is for the CPU the node of the scenario's thermal budget and else
//           the hottest, for the GPU the hottest
//   action  3 c + g, with c and g a level 0 to 2 of the CPU's and the GPU's clock. The level k of a ladder of n OPPs is
//           the top of its k-th third, index ceil((k + 1) n / 3) - 1: 3, 7 and 11 of 12, as in the code. The ladder is
//           what limits allow at the start, and a level is written within the limits of now. A clock's level is the
//           lowest that is no slower; above all levels, 2.
//   reward  of the last tick's action, from what is seen now:
//             min(1, fps / target) + v + beta / P
//           with v = 0.2 tanh(T_target - T_cpu) below T_target, else -2 (0 where T_cpu is not known), and P = P_cpu +
//           P_gpu in 100 mW, at least 1, the term 0 where P is 0 (units and bound ours). The first term is 1 if the
//           target is 0. The target is `target_fps`; 0 = what arrived in the tick, of all applications, a second (ours;
//           the code has 30). T_target is `target_c`; 0 = the limit of the scenario's thermal budget, 50 C (as in the
//           code) without one
// With `learn`, the last tick's (state, action, reward) and this state go to a memory of the last `replay`, in which a
// new entry takes the place of the oldest; three times where the reward is below 0 or above 1. Once `train_after` (at
// most `replay`) are stored, each tick is one step of Adam on a batch of `batch` different entries (all, if there are
// fewer), then epsilon *= `epsilon_decay`. The loss is the mean over the batch and the nine outputs of (Q - y)^2, in
// which only the action's output has a y of its own:
//   corrected  y = r + gamma max Q(next state): what is to come counts
//   artefact   y = r: the code marks every sample as the last of an episode, so that it is a contextual bandit
// The target network is copied after each step, so that it is the network before the step. The network has 7 inputs,
// two hidden layers of 6 (ReLU) and 9 linear outputs, drawn as sim/manager/learning/mlp.hpp says (ours), or `weights`
// of any hidden sizes. The code's changes of its learning rate have no effect; there are none.
//
// Then it chooses, the first of these that applies:
//   T_cpu >= T_target: each clock to a level drawn from those below its own (0 stays 0)
//   T_target - T_cpu >= 5 and fps < target, with probability `boost`: each to a level drawn from those above (2 stays)
//   with probability epsilon an action drawn from the nine
//   the action of the greatest Q; of equals the first
// and remembers the action written, whichever rule chose it. Without `learn` epsilon is 0, nothing is stored, and the
// first two stay. A domain that both units have runs as fast as the faster asks.
//
// Draws: weights from Stream(seed, "ztt/weights"), batches from "ztt/batches" (Fisher-Yates from the front of the
// memory's places: k and k + floor(u (n - k)) are swapped), all else from "ztt/actions", in order, one for each uniform
// choice floor(u n) and each probability u < p; the CPU's before the GPU's, none where there is one level to choose.
// Not carried over: the client on the board and the network between them; the decision's time is `cost_us`.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "manager/clocks.hpp"
#include "manager/learning/mlp.hpp"
#include "manager/policy.hpp"

namespace dynasoc::manager {
namespace {

enum class Variant : std::uint8_t { artefact, corrected };

}  // namespace
}  // namespace dynasoc::manager

template <>
struct dynasoc::EnumNames<dynasoc::manager::Variant> {
  static constexpr std::array<std::pair<std::string_view, dynasoc::manager::Variant>, 2> names{
      {{"artefact", dynasoc::manager::Variant::artefact}, {"corrected", dynasoc::manager::Variant::corrected}}};
};

namespace dynasoc::manager {
namespace {

bool holds(std::string_view name, std::string_view part) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::search(name.begin(), name.end(), part.begin(), part.end(),
                     [&](char a, char b) { return lower(a) == lower(b); }) != name.end();
}

class Ztt final : public Policy {
 public:
  struct Parameters {
    Variant variant = Variant::corrected;
    double period_ms = 1000;
    double target_fps = 0;
    double target_c = 0;
    double beta = 2;
    double boost = 0.3;
    bool learn = true;
    double epsilon = 1;
    double epsilon_decay = 0.95;
    double gamma = 0.99;
    double learning_rate = 1e-3;
    int batch = 64;
    int replay = 500;
    int train_after = 200;
    std::vector<DenseLayer> weights;
    Name cpu_unit;
    Name gpu_unit;
    int cpu_node = -1;
    int gpu_node = -1;
    std::int64_t seed = 1;
    double cost_us = 500;

    static constexpr auto fields() {
      using P = Parameters;
      return describe(
          field(&P::variant, "variant",
                "artefact: rewards to come do not count, as in the released code; corrected: they do"),
          field(&P::period_ms, "period_ms", at_least(1e-3), "between decisions"),
          field(&P::target_fps, "target_fps", range(0, 1e6),
                "completions a second, of all applications, that are enough; 0 = as many as arrive (the code: 30)"),
          field(&P::target_c, "target_c", range(0, 200),
                "temperature not to be reached; 0 = that of the scenario's thermal budget, 50 C without one"),
          field(&P::beta, "beta", range(0, 1e6), "weight of 1 / power in the reward, power in 100 mW"),
          field(&P::boost, "boost", range(0, 1), "probability of faster clocks when it is cool and frames lack"),
          field(&P::learn, "learn", "learn in the loop; off, the network is used as it is and nothing is tried out"),
          field(&P::epsilon, "epsilon", range(0, 1), "probability of an action at random, at first"),
          field(&P::epsilon_decay, "epsilon_decay", range(0, 1), "factor on it at each training step"),
          field(&P::gamma, "gamma", range(0, 1), "discount of rewards to come (corrected)"),
          field(&P::learning_rate, "learning_rate", range(0, 1), "of Adam (assumed)"),
          field(&P::batch, "batch", range(1, 10000), "remembered decisions in a training step"),
          field(&P::replay, "replay", range(1, 100000), "decisions remembered"),
          field(&P::train_after, "train_after", range(1, 100000), "decisions remembered before training begins"),
          field(&P::weights, "weights",
                "layers of the network to begin with, 7 inputs to 9 outputs, rectified but for the last; default: "
                "drawn"),
          field(&P::cpu_unit, "cpu_unit", "name of the CPU; default: the first unit with cpu in its name"),
          field(&P::gpu_unit, "gpu_unit", "name of the GPU; default: the first unit with gpu in its name"),
          field(&P::cpu_node, "cpu_node", range(-1, 1000),
                "index of the thermal node of the CPU; -1 = that of the thermal budget, else the hottest"),
          field(&P::gpu_node, "gpu_node", range(-1, 1000), "the same of the GPU; -1 = the hottest"),
          field(&P::seed, "seed", range(0, 1e15), "of the draws"),
          field(&P::cost_us, "cost_us", non_negative(), "compute time of one decision with its training (assumed)"));
    }
  };
  explicit Ztt(const Parameters& parameters) : p_(parameters), epsilon_(p_.learn ? p_.epsilon : 0) {
    const auto seed = static_cast<std::uint64_t>(p_.seed);
    actions_ = Stream(seed, "ztt/actions");
    batches_ = Stream(seed, "ztt/batches");
    constexpr int kSizes[] = {kInputs, 6, 6, kActions};
    network_ = p_.weights.empty() ? Mlp(kSizes, Stream(seed, "ztt/weights")) : Mlp(p_.weights, kInputs, kActions);
    if (!p_.learn) return;
    gradient_.resize(network_.weights().size());
    adam_ = Adam(gradient_.size(), p_.learning_rate);
    memory_.reserve(static_cast<std::size_t>(p_.replay));
    places_.resize(static_cast<std::size_t>(p_.replay));
  }

  Triggers triggers() const override { return {.period_ms = p_.period_ms}; }
  double compute_cost_us() const override { return p_.cost_us; }

  void decide(const Observation& seen, Decision& decision) override {
    if (!prepared_) {
      prepare(seen);
      return;
    }
    if (seen.trigger != Trigger::period || seen.now <= looked_at_) return;
    const Look now = look(seen);
    if (p_.learn && acted_) {
      remember({last_.state, now.state, action_, reward(now)});
      train();
    }
    choose(seen, now, decision);
    last_ = now;
    acted_ = true;
  }

  /// What it has learnt, as its parameters take it.
  Json learnt() const override { return {{"weights", dynasoc::to_json(network_.layers())}}; }

 private:
  static constexpr int kInputs = 7, kLevels = 3, kActions = kLevels * kLevels;
  static constexpr double kDefaultTargetC = 50, kCoolK = 5;
  enum Role { kCpu, kGpu };

  using State = std::array<double, kInputs>;
  struct Look {
    State state{};
    double fps = 0, target_fps = 0;
    double power = 0;  // of both units [100 mW]; 0 = not known
    double cpu_c = 0;  // NaN = not known
    double target_c = 0;
  };
  struct Experience {
    State state{}, next{};
    int action = 0;
    double reward = 0;
  };
  // A unit that it has the clock of.
  struct Part {
    int unit = -1;  // -1: there is none
    int rail = -1;
    std::array<int, kLevels> opps{};
  };

  static int named(const Observation& seen, const Name& name, std::string_view kind) {
    for (const UnitView& unit : seen.units)
      if (name.empty() ? holds(unit.name, kind) : unit.name == name.text) return unit.index;
    if (name.empty()) return -1;
    std::vector<std::string> names;
    for (const UnitView& unit : seen.units) names.push_back(unit.name);
    throw name.error("no unit is called " + in_quotes(name.text) + hint(name.text, names));
  }
  static int other(const Observation& seen, int than) {
    for (const UnitView& unit : seen.units)
      if (unit.index != than) return unit.index;
    return -1;
  }

  void prepare(const Observation& seen) {
    int cpu = named(seen, p_.cpu_unit, "cpu"), gpu = named(seen, p_.gpu_unit, "gpu");
    if (cpu < 0) cpu = other(seen, gpu);
    if (cpu < 0) cpu = gpu;  // the only unit
    if (gpu < 0) gpu = other(seen, cpu);
    if (gpu == cpu) gpu = -1;
    parts_[kCpu].unit = cpu;
    parts_[kGpu].unit = gpu;
    for (const Role role : {kCpu, kGpu}) {
      Part& part = parts_[role];
      if (part.unit < 0) continue;
      const UnitView& unit = seen.units[part.unit];
      const int against = parts_[1 - role].unit;
      for (std::size_t r = 0; r < seen.rails.size() && part.rail < 0; ++r)
        if (holds(seen.rails[r].name, unit.name) &&
            (against < 0 || !holds(seen.rails[r].name, seen.units[against].name)))
          part.rail = static_cast<int>(r);
      const OppRange range = opp_range(seen, unit);
      const int count = range.last - range.first + 1;
      for (int k = 0; k < kLevels; ++k) part.opps[k] = range.first + ((k + 1) * count + kLevels - 1) / kLevels - 1;
    }
    prepared_ = true;
    count(seen);
  }

  void count(const Observation& seen) {
    looked_at_ = seen.now;
    arrived_ = completed_ = 0;
    for (const AppView& app : seen.applications) arrived_ += app.arrived, completed_ += app.completed;
  }

  static double or_zero(double x) { return std::isfinite(x) ? x : 0; }

  double power_w(const Observation& seen, const Part& part) const {
    if (part.rail >= 0 && std::isfinite(seen.rails[part.rail].power_w)) return seen.rails[part.rail].power_w;
    const UnitView& unit = seen.units[part.unit];
    const int opp = seen.domains[unit.domains[0]].opp;
    double sum_w = 0;
    int apps = 0;
    for (const AppView& app : seen.applications) {
      if (!app.active || app.unit != unit.index) continue;
      const Profile::Entry table = seen.profile->entry(app.index, app.subnet, unit.index, opp);
      sum_w += or_zero(table.energy_mj / table.latency_ms);
      ++apps;
    }
    return or_zero(seen.profile->idle_w(unit.index, opp)) + (apps > 0 ? unit.utilisation * sum_w / apps : 0);
  }

  static double node_c(const Observation& seen, int node, const ThermalBudgetView& fallback) {
    if (node < 0) return fallback.now_c(seen.temperatures_c);
    const auto n = static_cast<std::size_t>(node);
    return n < seen.temperatures_c.size() ? seen.temperatures_c[n] : std::nan("");
  }

  Look look(const Observation& seen) {
    const double elapsed_s = to_s(seen.now - looked_at_);
    const std::uint64_t arrived = arrived_, completed = completed_;
    count(seen);
    Look now;
    now.fps = static_cast<double>(completed_ - completed) / elapsed_s;
    now.target_fps = p_.target_fps > 0 ? p_.target_fps : static_cast<double>(arrived_ - arrived) / elapsed_s;
    now.target_c = p_.target_c > 0                              ? p_.target_c
                   : std::isfinite(seen.thermal_budget.limit_c) ? seen.thermal_budget.limit_c
                                                                : kDefaultTargetC;
    now.cpu_c = node_c(seen, p_.cpu_node, seen.thermal_budget);
    for (const Role role : {kCpu, kGpu}) {
      const Part& part = parts_[role];
      if (part.unit < 0) continue;
      now.state[role] = seen.domains[seen.units[part.unit].domains[0]].opp;
      now.state[2 + role] = 10 * power_w(seen, part);
      now.state[4 + role] = or_zero(role == kCpu ? now.cpu_c : node_c(seen, p_.gpu_node, {}));
    }
    now.state[6] = now.fps;
    now.power = now.state[2] + now.state[3];
    return now;
  }

  double reward(const Look& now) const {
    const double frames = now.target_fps > 0 ? std::min(1.0, now.fps / now.target_fps) : 1;
    double cool = 0;
    if (std::isfinite(now.cpu_c)) cool = now.cpu_c < now.target_c ? 0.2 * std::tanh(now.target_c - now.cpu_c) : -2;
    return frames + cool + (now.power > 0 ? p_.beta / std::max(1.0, now.power) : 0);
  }

  void remember(const Experience& one) {
    const int copies = one.reward < 0 || one.reward > 1 ? 3 : 1;
    for (int i = 0; i < copies; ++i) {
      if (memory_.size() < static_cast<std::size_t>(p_.replay)) {
        memory_.push_back(one);
      } else {
        memory_[oldest_] = one;
        oldest_ = (oldest_ + 1) % memory_.size();
      }
    }
  }

  void train() {
    const std::size_t stored = memory_.size();
    if (stored < static_cast<std::size_t>(std::min(p_.train_after, p_.replay))) return;
    const std::size_t batch = std::min(static_cast<std::size_t>(p_.batch), stored);
    std::iota(places_.begin(), places_.begin() + static_cast<std::ptrdiff_t>(stored), 0u);
    std::fill(gradient_.begin(), gradient_.end(), 0.0);
    for (std::size_t k = 0; k < batch; ++k) {
      const double left = static_cast<double>(stored - k);
      std::swap(places_[k], places_[k + static_cast<std::size_t>(batches_.uniform(batch_draws_++) * left)]);
      const Experience& one = memory_[places_[k]];
      double y = one.reward;
      if (p_.variant == Variant::corrected) {
        const auto next = network_.run(one.next);
        y += p_.gamma * *std::max_element(next.begin(), next.end());
      }
      const double error = network_.run(one.state)[one.action] - y;
      std::array<double, kActions> slope{};
      slope[one.action] = 2 * error / (kActions * static_cast<double>(batch));
      if (std::isfinite(error)) network_.differentiate(slope, gradient_);
    }
    adam_.step(network_.weights(), gradient_);
    epsilon_ *= p_.epsilon_decay;
  }

  double draw() { return actions_.uniform(action_draws_++); }
  int draw_below(int count) { return count > 1 ? static_cast<int>(draw() * count) : 0; }

  int level(const Observation& seen, const Part& part) const {
    if (part.unit < 0) return 0;
    const int opp = seen.domains[seen.units[part.unit].domains[0]].opp;
    for (int k = 0; k < kLevels; ++k)
      if (part.opps[k] >= opp) return k;
    return kLevels - 1;
  }

  void choose(const Observation& seen, const Look& now, Decision& decision) {
    std::array<int, 2> levels{level(seen, parts_[kCpu]), level(seen, parts_[kGpu])};
    const double room_k = now.target_c - now.cpu_c;  // NaN: no rule about temperature applies
    Why why;
    if (room_k <= 0) {
      for (int& k : levels) k = draw_below(k);
      why = {.reason = because("{} C of {} C: slower clocks, at random", now.cpu_c, now.target_c),
             .binding = Constraint::temperature,
             .slack = room_k};
    } else if (room_k >= kCoolK && now.fps < now.target_fps && draw() < p_.boost) {
      for (int& k : levels)
        if (k < kLevels - 1) k += 1 + draw_below(kLevels - 1 - k);
      why = {.reason = because("{} of {} frames a second, and {} K of room: faster clocks, at random", now.fps,
                               now.target_fps, room_k),
             .margin = now.fps / now.target_fps - 1};
    } else {
      const auto q = network_.run(now.state);
      int action = static_cast<int>(std::max_element(q.begin(), q.end()) - q.begin());
      if (draw() < epsilon_) {
        action = draw_below(kActions);
        why.reason = because("action {} of 9, tried out: epsilon is {}", action, epsilon_);
      } else if (std::isfinite(q[action])) {
        why.reason = because("action {} of 9 is worth most, {}", action, q[action]);
      } else {
        why.reason = because("action {} of 9: the network knows no number for it", action);
      }
      levels = {action / kLevels, action % kLevels};
    }
    action_ = kLevels * levels[kCpu] + levels[kGpu];
    votes_.reset(seen);
    for (const Role role : {kCpu, kGpu}) {
      const Part& part = parts_[role];
      if (part.unit < 0) continue;
      const UnitView& unit = seen.units[part.unit];
      const OppRange range = opp_range(seen, unit);
      votes_.vote(unit, std::clamp(part.opps[levels[role]], range.first, range.last), why);
    }
    votes_.write(seen, decision);
  }

  Parameters p_;
  Mlp network_;
  Adam adam_;
  std::vector<double> gradient_;
  std::vector<Experience> memory_;  // a ring
  std::size_t oldest_ = 0;
  std::vector<std::uint32_t> places_;
  double epsilon_;
  Stream actions_, batches_;
  std::uint64_t action_draws_ = 0, batch_draws_ = 0;

  bool prepared_ = false;
  std::array<Part, 2> parts_;
  Time looked_at_ = 0;
  std::uint64_t arrived_ = 0, completed_ = 0;

  bool acted_ = false;
  Look last_;  // with `action_`, what the next reward is for
  int action_ = 0;
  ClockVotes votes_;
};

const Registration<Policy, Ztt> registered{
    "ztt",
    "a deep Q-network that learns CPU and GPU clocks in the loop, rewarded for frames, low power and a cool board",
    "Kim et al., MobiSys 2021: our reading of the released code, which was not at hand"};

}  // namespace
}  // namespace dynasoc::manager
