// Configurations met so far, and their samples: simulated where needed, taken from the journal where they are known.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "explore/exploration/journal.hpp"
#include "explore/exploration/space.hpp"

namespace dynasoc::explore {

struct Candidate {
  Configuration configuration;
  Json assignments;
  std::string key;
  std::string refused;                       ///< why the scenario does not accept it; empty: it does
  std::vector<std::vector<double>> samples;  ///< [replication][metric of Space::metrics()], unsigned
  int dropped_at = 0;                        ///< replications that were enough to drop it; 0: was not
  int dropped_by = -1;                       ///< the candidate that dominates it; -1: a constraint does not hold

  int revived = 0;  ///< how often it was dropped and taken back into the race

  bool alive() const { return refused.empty() && dropped_at == 0; }
  int replications() const { return static_cast<int>(samples.size()); }
};

/// An evaluation that the journal lacks.
struct Needed {
  std::size_t candidate;
  int replication;
};

/// Thrown by `Candidates::ensure` in place of simulating, where only the list is asked for.
struct Pending {
  std::vector<Needed> needed;
  bool of_design = false;  ///< whether they are candidates of the sensitivity table
};

class Candidates {
 public:
  struct Request {
    int jobs = 1;
    bool pending = false;                 ///< throw Pending instead of simulating
    bool design = false;                  ///< for Pending::of_design
    std::function<void()> on_evaluation;  ///< after each, one at a time; may throw to end everything
  };
  Candidates(const Space& space, Journal& journal, Request request)
      : space_(space), journal_(journal), request_(std::move(request)) {}

  /// Indices of these configurations; new ones are loaded, on several threads, and their order is that of the first
  /// meeting.
  std::vector<std::size_t> find(const std::vector<Configuration>& configurations);

  /// At least `replications` samples of each. Throws Pending, what `on_evaluation` throws, and what `simulate` does.
  void ensure(const std::vector<std::size_t>& which, int replications);

  /// What must be told of these to have `replications` samples of each.
  std::vector<Needed> missing(const std::vector<std::size_t>& which, int replications) const;

  const Space& space() const { return space_; }
  std::size_t size() const { return all_.size(); }
  Candidate& operator[](std::size_t i) { return all_[i]; }
  const Candidate& operator[](std::size_t i) const { return all_[i]; }

  /// Samples in use: what the exploration rests on, made now or before.
  std::size_t samples() const;
  /// Simulated by this process.
  std::size_t simulated() const { return simulated_; }

 private:
  const Space& space_;
  Journal& journal_;
  Request request_;
  std::vector<Candidate> all_;
  std::unordered_map<std::string, std::size_t> index_;                    // by assignments
  std::unordered_map<std::size_t, std::shared_ptr<const Setup>> setups_;  // of the latest
  std::size_t simulated_ = 0;
};

}  // namespace dynasoc::explore
