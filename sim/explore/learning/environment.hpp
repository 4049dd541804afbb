// A batch of boards for a learner: observations and rewards out, choices in, all as plain arrays.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "manager/learning/space.hpp"
#include "world/episode.hpp"

namespace dynasoc::explore {

/// Boards that run side by side, each an episode of a scenario; one that is over begins its next episode at once.
///
/// REWARD of a step: minus the cost, by the scenario's objective, of what happened since the last one. Over an episode
/// the rewards add up to minus `run.cost` times the frames (but that energy of frames that never ended counts too), so
/// that what is learnt is what comparisons judge by.
class Environment {
 public:
  /// What an episode came to.
  struct Outcome {
    double cost = 0;           ///< by the objective, not divided by the frames: minus the sum of the rewards
    double energy_j = 0;       ///< of the whole board
    std::uint64_t frames = 0;  ///< that arrived
    std::uint64_t lost = 0;    ///< of them late, dropped, rejected or overdue
    double accuracy = 0;       ///< mean of those completed; NaN without any
    std::uint64_t steps = 0;   ///< decisions
  };

  /// Board b runs `setups[b % setups.size()]`. All must show a learner the same features and choices. Throws InputError
  /// where they do not, and as LearningSpace and runs do.
  Environment(std::vector<std::shared_ptr<const Setup>> setups, const manager::LearningFile& file, std::size_t boards);

  std::size_t boards() const { return boards_.size(); }
  const manager::LearningSpace& space() const { return space_; }

  /// Begins every board anew, with this seed of all random streams (default: the one before). The k-th episode of board
  /// b since then is replication k * boards + b. Writes [boards][features].
  void reset(std::optional<std::uint64_t> seed, float* observations);

  /// One decision on every board. `choices`: [boards][heads]. Writes [boards][features] of `observations`, [boards] of
  /// `rewards` and of `ended` (1: the episode is over and the observation is the next one's first); where `ended`, the
  /// row of `final_observations` is what the episode showed last, and `outcomes()` has what it came to. Throws
  /// InputError for a choice that is not there, before anything moves.
  void step(const std::int64_t* choices, float* observations, double* rewards, std::uint8_t* ended,
            float* final_observations);

  /// By board: of its last episode that ended.
  const std::vector<Outcome>& outcomes() const { return outcomes_; }

  /// Where board `b` has stopped.
  const manager::Observation& seen(std::size_t b) const { return boards_[b].episode->seen(); }

 private:
  struct Board {
    std::unique_ptr<Episode> episode;
    std::uint64_t begun = 0;  // episodes since the reset
    std::uint64_t steps = 0;
    double cost = 0;
  };
  void begin(std::size_t b);
  void make_episodes();

  manager::LearningFile file_;
  std::vector<std::shared_ptr<const Setup>> setups_;
  std::vector<Board> boards_;
  manager::LearningSpace space_;
  std::vector<manager::Why> why_;
  std::vector<Outcome> outcomes_;
};

}  // namespace dynasoc::explore
