// The agent starts its own program again for each worker; where it runs inside another program, that has to be one too.
#pragma once

#include <cstdlib>
#include <optional>
#include <string_view>

#include "board/agent/worker_main.hpp"

namespace dynasoc::fuzz {

/// The exit status of the agent's part that the arguments ask for; nothing if they ask for none.
inline std::optional<int> agent_program(int count, char** arguments) {
  const auto word = [&](int i) { return i < count ? std::string_view(arguments[i]) : std::string_view(); };
  if (word(1) == "executors") return agent::list_executors();
  if (word(1) == "worker") return agent::run_worker(std::string(word(3)));
  if (word(1) == "busy") return agent::run_busy(count > 3 ? std::atof(arguments[3]) : 0);
  return std::nullopt;
}

}  // namespace dynasoc::fuzz
