#include "world/episode.hpp"

#include <exception>
#include <optional>

#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>

#include "kernel/native_engine.hpp"
#include "world/power_draw.hpp"
#include "world/stack_switches.hpp"
#include "world/world.hpp"

namespace dynasoc {

extern template class World<NativeEngine>;

namespace context = boost::context;

struct Episode::State {
  const Setup& setup;
  manager::Triggers triggers;
  double cost_us;
  Recording recording;

  std::uint64_t replication = 0;
  const World<NativeEngine>* world = nullptr;
  const manager::Observation* seen = nullptr;
  manager::Decision* decision = nullptr;
  double cost = 0;
  bool over = true;
  RunRecord record{};
  std::exception_ptr failure{};
  StackSwitches switches{};
  context::fiber run{};      // suspended, unless it is running
  context::fiber outside{};  // where the run goes back to, while it is running

  ~State() { end(); }

  void ask(const manager::Observation& now, manager::Decision& to) {
    seen = &now;
    decision = &to;
    cost = world->cost_so_far();
    wait();
  }
  // On the run's stack: hands over to whoever drives it, until it is resumed or ended.
  void wait() {
    switches.leave(false);
    try {
      outside = std::move(outside).resume();
    } catch (const context::detail::forced_unwind&) {
      switches.entered();
      throw;
    }
    switches.entered();
  }
  // Outside: ends a run that waits, by unwinding its stack.
  void end() {
    if (!run) return;
    switches.enter();
    run = {};
    switches.left();
  }
  void body();
};

namespace {

// Asks whoever drives the episode.
template <class Ask>
class Outside final : public manager::Policy {
 public:
  Outside(const manager::Triggers& triggers, double cost_us, Ask ask)
      : triggers_(triggers), cost_us_(cost_us), ask_(std::move(ask)) {}
  manager::Triggers triggers() const override { return triggers_; }
  double compute_cost_us() const override { return cost_us_; }
  void decide(const manager::Observation& seen, manager::Decision& decision) override { ask_(seen, decision); }

 private:
  manager::Triggers triggers_;
  double cost_us_;
  Ask ask_;
};

}  // namespace

void Episode::State::body() {
  std::optional<Setup> drawn;
  if (setup.sample_power) {
    drawn = with_drawn_power(setup, replication);
    drawn->sample_power = false;
  }
  const auto to_us = [this](const manager::Observation& now, manager::Decision& to) { ask(now, to); };
  World<NativeEngine> simulated(drawn ? *drawn : setup, recording, replication,
                                std::make_unique<Outside<decltype(to_us)>>(triggers, cost_us, to_us));
  world = &simulated;
  record = simulated.run();
  cost = simulated.cost_so_far();
  over = true;
  wait();  // what it showed last can be looked at until the next run begins
}

Episode::Episode(const Setup& setup, const manager::Triggers& triggers, double cost_us, const Recording& recording)
    : state_(new State{.setup = setup, .triggers = triggers, .cost_us = cost_us, .recording = recording}) {}
Episode::~Episode() = default;  // a suspended fiber unwinds its stack

void Episode::begin(std::uint64_t replication) {
  State& state = *state_;
  if (!state.over) state.end();  // what is under way
  state.replication = replication;
  state.cost = 0;
  state.over = false;
  state.seen = nullptr;
  state.failure = nullptr;
  if (state.run) {  // it waits at the end of the run before, on a stack that is there already
    resume();
    return;
  }
  constexpr std::size_t kStack =
      StackSwitches::kRoom * 256 * 1024;  // committed as it is used; formatting an error takes most of it
  context::protected_fixedsize_stack allocator(kStack);
  const context::stack_context stack = allocator.allocate();
  state.switches.is_at(static_cast<const char*>(stack.sp) - stack.size, stack.size);
  state.run = context::fiber(std::allocator_arg, context::preallocated(stack.sp, stack.size, stack), allocator,
                             [&state](context::fiber&& outside) {
                               state.switches.entered();
                               state.outside = std::move(outside);
                               try {
                                 for (;;) state.body();
                               } catch (const context::detail::forced_unwind&) {
                                 state.switches.leave(true);
                                 throw;
                               } catch (...) {
                                 state.failure = std::current_exception();
                                 state.seen = nullptr;  // the world is gone
                               }
                               state.over = true;
                               state.switches.leave(true);
                               return std::move(state.outside);
                             });
  resume();
}

bool Episode::resume() {
  State& state = *state_;
  if (state.over) throw InternalError("an episode that is over was asked to go on");
  state.switches.enter();
  state.run = std::move(state.run).resume();
  state.switches.left();
  if (state.failure) std::rethrow_exception(state.failure);
  return !state.over;
}

void Episode::prefetch(bool far) const {
  if (state_->over) return;
  if (!far) {
    state_->world->prefetch();
    return;
  }
  const auto* world = reinterpret_cast<const char*>(state_->world);
  for (std::size_t at = 0; at < sizeof(World<NativeEngine>); at += 64) __builtin_prefetch(world + at);
}

bool Episode::running() const { return !state_->over; }
const manager::Observation& Episode::seen() const {
  if (state_->seen == nullptr) throw InternalError("an episode that has shown nothing was looked at");
  return *state_->seen;
}
manager::Decision& Episode::decision() {
  if (state_->over) throw InternalError("an episode that is over was given a decision");
  return *state_->decision;
}
double Episode::cost() const { return state_->cost; }
const RunRecord& Episode::record() const { return state_->record; }

}  // namespace dynasoc
