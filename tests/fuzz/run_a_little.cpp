#include "run_a_little.hpp"

#include <algorithm>

namespace dynasoc::fuzz {

void run_a_little(const Setup& given) {
  struct Enough {};
  Setup setup = given;
  setup.duration = std::min(setup.duration, from_s(2));
  setup.warmup = std::min(setup.warmup, setup.duration / 2);
  int calls = 0;
  try {
    simulate(setup, {true, true, setup.duration / 50 + 1}, EngineKind::native, 0, [&](double) {
      if (++calls > 3) throw Enough{};
    });
  } catch (const Enough&) {
  }
}

}  // namespace dynasoc::fuzz
