#include "explore/learning/environment.hpp"

#include <algorithm>
#include <cmath>

#include "common/text.hpp"

namespace dynasoc::explore {

using manager::LearningSpace;

namespace {

Environment::Outcome outcome_of(const RunRecord& record) {
  Environment::Outcome out;
  double completed = 0, accuracy = 0;
  for (const AppRecord& app : record.apps) {
    out.frames += app.jobs;
    out.lost += app.missed + app.dropped + app.rejected + app.overdue;
    completed += static_cast<double>(app.completed);
    accuracy += app.accuracy_sum;
  }
  out.accuracy = completed > 0 ? accuracy / completed : std::nan("");
  out.energy_j = record.energy_j();
  return out;
}

}  // namespace

Environment::Environment(std::vector<std::shared_ptr<const Setup>> setups, const manager::LearningFile& file,
                         std::size_t boards)
    : file_(file), setups_(std::move(setups)), boards_(boards), outcomes_(boards) {
  if (boards == 0) throw InputError("an environment needs at least one board");
  if (setups_.empty()) throw InputError("an environment needs a scenario");
  for (auto& setup : setups_) {
    auto own = std::make_shared<Setup>(*setup);
    own->platform.file.sensors.clear();  // no feature shows what power meters read
    setup = std::move(own);
  }
  for (std::size_t i = 0; i < setups_.size(); ++i) {
    Episode probe(*setups_[i], triggers_of(file_), file_.cost_us);
    probe.begin(0);
    LearningSpace space(file_, probe.seen());
    bool same = i == 0 || space.features() == space_.features();
    for (std::size_t h = 0; i > 0 && same && h < space.heads().size(); ++h)
      same = space.heads().size() == space_.heads().size() && space.heads()[h].name == space_.heads()[h].name &&
             space.heads()[h].values == space_.heads()[h].values;
    if (!same)
      throw InputError("the scenarios " + in_quotes(setups_[0]->name) + " and " + in_quotes(setups_[i]->name) +
                       " show a learner different features or choices: they cannot be in one environment");
    if (i == 0) space_ = std::move(space);
  }
  why_.assign(space_.heads().size(), manager::Why{.reason = manager::because("chosen by a learner")});
  make_episodes();
}

void Environment::make_episodes() {
  for (std::size_t b = 0; b < boards_.size(); ++b) {
    boards_[b] = {};
    boards_[b].episode = std::make_unique<Episode>(*setups_[b % setups_.size()], triggers_of(file_), file_.cost_us);
  }
}

void Environment::begin(std::size_t b) {
  Board& board = boards_[b];
  board.episode->begin(board.begun++ * boards_.size() + b);
  board.steps = 0;
  board.cost = 0;
}

void Environment::reset(std::optional<std::uint64_t> seed, float* observations) {
  if (seed) {
    for (Board& board : boards_) board.episode.reset();  // they look at the set-ups
    for (auto& setup : setups_) {
      auto own = std::make_shared<Setup>(*setup);
      own->seed = *seed;
      setup = std::move(own);
    }
  }
  make_episodes();
  for (std::size_t b = 0; b < boards_.size(); ++b) {
    begin(b);
    space_.observe(boards_[b].episode->seen(), observations + b * space_.features().size());
  }
}

void Environment::step(const std::int64_t* choices, float* observations, double* rewards, std::uint8_t* ended,
                       float* final_observations) {
  const std::size_t heads = space_.heads().size(), features = space_.features().size();
  for (std::size_t b = 0; b < boards_.size(); ++b)
    for (std::size_t h = 0; h < heads; ++h) {
      const std::int64_t choice = choices[b * heads + h];
      const auto& head = space_.heads()[h];
      if (choice < 0 || choice >= static_cast<std::int64_t>(head.values.size()))
        throw InputError("board " + std::to_string(b) + ", " + head.name + ": there is no choice " +
                         std::to_string(choice) + ", but 0 to " + std::to_string(head.values.size() - 1));
    }
  for (std::size_t b = 0; b < boards_.size(); ++b) {
    Board& board = boards_[b];
    Episode& episode = *board.episode;
    if (!episode.running())
      throw InputError("the environment was never reset, or a run of it has failed: call reset()");
    if (b + 2 < boards_.size()) boards_[b + 2].episode->prefetch(true);
    if (b + 1 < boards_.size()) boards_[b + 1].episode->prefetch(false);
    space_.write(episode.seen(), {choices + b * heads, heads}, why_, episode.decision());
    const bool goes_on = episode.resume();
    ++board.steps;
    const double cost = episode.cost();
    rewards[b] = board.cost - cost;
    board.cost = cost;
    ended[b] = goes_on ? 0 : 1;
    float* shown = observations + b * features;
    if (!goes_on) {
      outcomes_[b] = outcome_of(episode.record());
      outcomes_[b].steps = board.steps;
      outcomes_[b].cost = cost;
      space_.observe(episode.seen(), final_observations + b * features);
      begin(b);
    }
    space_.observe(episode.seen(), shown);
  }
}

}  // namespace dynasoc::explore
