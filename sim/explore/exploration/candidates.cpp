#include "explore/exploration/candidates.hpp"

#include <mutex>
#include <set>

#include "common/parallel.hpp"

namespace dynasoc::explore {

std::vector<std::size_t> Candidates::find(const std::vector<Configuration>& configurations) {
  std::vector<std::size_t> out;
  const std::size_t known = all_.size();
  for (const Configuration& configuration : configurations) {
    Json assignments = space_.assignments(configuration);
    const auto [it, fresh] = index_.emplace(assignments.dump(), all_.size());
    if (fresh) {
      Candidate candidate;
      candidate.configuration = configuration;
      candidate.assignments = std::move(assignments);
      all_.push_back(std::move(candidate));
    }
    out.push_back(it->second);
  }
  // Setups are large and made again where they are needed later: only those of the last call are kept.
  setups_.clear();
  std::vector<std::shared_ptr<const Setup>> made(all_.size() - known);
  parallel_for(made.size(), request_.jobs, [&](std::size_t i) {
    Candidate& candidate = all_[known + i];
    try {
      const Scenario scenario = space_.scenario(candidate.configuration);
      candidate.key = space_.key(scenario);
      made[i] = scenario.setup;
    } catch (const InputError& error) {
      candidate.refused = error.what();
    }
  });
  for (std::size_t i = 0; i < made.size(); ++i)
    if (made[i]) setups_.emplace(known + i, std::move(made[i]));
  return out;
}

std::vector<Needed> Candidates::missing(const std::vector<std::size_t>& which, int replications) const {
  std::vector<Needed> out;
  std::set<std::pair<std::string, int>> listed;  // different assignments may come to the same scenario
  for (const std::size_t i : which) {
    if (!all_[i].refused.empty()) continue;
    for (int r = all_[i].replications(); r < replications; ++r)
      if (journal_.find(all_[i].key, r) == nullptr && listed.emplace(all_[i].key, r).second) out.push_back({i, r});
  }
  return out;
}

void Candidates::ensure(const std::vector<std::size_t>& which, int replications) {
  const std::vector<Needed> needed = missing(which, replications);
  if (!needed.empty() && request_.pending) throw Pending{needed, request_.design};
  std::vector<std::size_t> to_load;
  for (const Needed& one : needed)
    if (!setups_.contains(one.candidate) && (to_load.empty() || to_load.back() != one.candidate))
      to_load.push_back(one.candidate);
  std::vector<std::shared_ptr<const Setup>> made(to_load.size());
  parallel_for(made.size(), request_.jobs,
               [&](std::size_t i) { made[i] = space_.scenario(all_[to_load[i]].configuration).setup; });
  for (std::size_t i = 0; i < made.size(); ++i) setups_[to_load[i]] = std::move(made[i]);

  std::mutex mutex;
  parallel_for(needed.size(), request_.jobs, [&](std::size_t i) {
    const Candidate& candidate = all_[needed[i].candidate];
    const int replication = needed[i].replication;
    Evaluation evaluation{candidate.key, replication, candidate.assignments,
                          space_.evaluate(*setups_.at(needed[i].candidate), static_cast<std::uint64_t>(replication))};
    journal_.add(std::move(evaluation));
    if (!request_.on_evaluation) return;
    const std::lock_guard lock(mutex);
    request_.on_evaluation();
  });
  simulated_ += needed.size();
  for (const std::size_t i : which) {
    Candidate& candidate = all_[i];
    if (!candidate.refused.empty()) continue;
    for (int r = candidate.replications(); r < replications; ++r)
      candidate.samples.push_back(*journal_.find(candidate.key, r));
  }
}

std::size_t Candidates::samples() const {
  std::size_t sum = 0;
  for (const Candidate& one : all_) sum += one.samples.size();
  return sum;
}

}  // namespace dynasoc::explore
