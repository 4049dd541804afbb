// A scenario's applications, clocks and meters on a real board: names and indices of a set-up, said in the protocol's
// words.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "board/agent.hpp"
#include "kernel/real_engine.hpp"
#include "world/setup.hpp"

namespace dynasoc::board {

/// An agent may build its engines on the board.
inline constexpr double kLoadTimeoutMs = 600'000;

/// How sub-networks are loaded.
struct LoadOptions {
  std::string executor;    ///< in place of the platform file's
  std::string weights;     ///< a .safetensors file on the board; empty: random
  std::uint64_t seed = 1;  ///< of random weights
  Json latencies;          ///< for the executor `replay`: by sub-network, ms in turn; null: the tables'
};

/// A line for every message worth keeping, written at once: what a killed host leaves behind.
class Recorder {
 public:
  Recorder() = default;
  /// Throws OutsideError when the file cannot be written.
  explicit Recorder(const std::filesystem::path& file);
  void write(const Json& line);

 private:
  std::filesystem::path path_;
  std::ofstream file_;
};

/// One configured board. Outlives the runs on it.
class Session {
 public:
  /// Configures clocks, meters and governors, and loads the sub-networks that the set-up's tables cover. Throws
  /// InputError for a platform without a `board` section and for governors or clocks that the board does not have,
  /// OutsideError for what the board refuses.
  Session(Agent& agent, std::shared_ptr<const Setup> setup, const LoadOptions& options, Recorder* recorder);

  /// Before each run: clocks as they were found, governors as the scenario has them. Throws InputError for a governor
  /// that the board does not have, AgentError, AgentLost.
  void begin_run();

  /// The board's clocks and governors as they were found; applications stay loaded.
  void release_clocks();

  Agent& agent() { return agent_; }
  const Setup& setup() const { return *setup_; }
  Recorder* recorder() { return recorder_; }
  bool has_domain(int domain) const { return domain_on_board_[static_cast<std::size_t>(domain)]; }
  /// Name of the unit's own rail (that feeds nothing else), if the board has it; else empty.
  const std::string& unit_rail(int unit) const { return unit_rail_[static_cast<std::size_t>(unit)]; }
  /// A `state` in the set-up's order; what the board does not tell is NaN.
  BoardReadings readings_of(const Json& state) const;
  const std::vector<std::string>& warnings() const { return warnings_; }
  /// Answers to `load`, by application.
  const Json& loaded() const { return loaded_; }

 private:
  void configure();
  void set_governors();
  void load(const LoadOptions& options);
  Json table_latencies(const AppSetup& app) const;

  Agent& agent_;
  std::shared_ptr<const Setup> setup_;
  Recorder* recorder_;
  std::vector<bool> domain_on_board_;
  std::vector<std::string> unit_rail_;
  std::vector<std::string> warnings_;
  Json loaded_ = Json::object();
};

/// The message `configure` for a platform's `board` section.
Json configuration_of(const PlatformFile& platform);

/// The message `load` for the sub-networks `kept` of a network. Throws InputError for one whose architecture the
/// network file does not tell, unless the executor is `replay`.
Json load_request(const std::string& app, const Network& network, const std::vector<bool>& kept,
                  const std::string& unit, const BoardUnitFile& where, const LoadOptions& options);

}  // namespace dynasoc::board
