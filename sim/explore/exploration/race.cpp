// The race of an exploration; what it tests is in racing.cpp.
#include <algorithm>
#include <cmath>

#include "explore/exploration/racing.hpp"

namespace dynasoc::explore {

Race::Race(Candidates& candidates)
    : candidates_(candidates),
      wishes_(wishes_of(candidates.space())),
      racing_(candidates.space().file().racing.race),
      replications_(candidates.space().file().replications) {
  if (racing_) rounds_ = rounds_of(*racing_, replications_);
}

std::vector<std::size_t> Race::alive() const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < candidates_.size(); ++i)
    if (candidates_[i].alive() && candidates_[i].replications() > 0) out.push_back(i);
  return out;
}

void Race::drop(const std::vector<std::size_t>& tested, int n, bool same) {
  const std::vector<std::size_t> ids = alive();
  std::vector<const Samples*> racers;
  std::vector<std::size_t> places;
  for (const std::size_t id : ids) racers.push_back(&candidates_[id].samples);
  for (const std::size_t id : tested)
    places.push_back(static_cast<std::size_t>(std::lower_bound(ids.begin(), ids.end(), id) - ids.begin()));
  for (const Dropped& one :
       look(wishes_, racers, places, static_cast<std::size_t>(racing_->first), static_cast<std::size_t>(n),
            racing_->error / static_cast<double>(rounds_.looks()), same)) {
    Candidate& candidate = candidates_[ids[one.which]];
    candidate.dropped_at = n;
    candidate.dropped_by = one.by < 0 ? -1 : static_cast<int>(ids[static_cast<std::size_t>(one.by)]);
  }
}

void Race::search(const std::vector<std::size_t>& fresh) {
  if (!racing_) return candidates_.ensure(fresh, replications_);
  std::vector<std::size_t> left = fresh;
  for (const int n : rounds_.search) {
    std::erase_if(left, [&](std::size_t i) { return !candidates_[i].alive(); });
    candidates_.ensure(left, n);
    if (n < replications_) drop(left, n, n == rounds_.search.back());
  }
}

// Who was dropped because of one that then broke a constraint, or that was itself dropped by one that does not cover it
// (resolutions must not add up), is in the race again; the second time to its end.
bool Race::revive() {
  const std::size_t before = revived_;
  std::vector<std::vector<double>> good;
  for (const std::size_t i : alive())
    if (violation(wishes_, estimate(i)) == 0) good.push_back(objectives_of(wishes_, estimate(i)));
  std::vector<std::size_t> back;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (candidates_[i].dropped_at == 0 || candidates_[i].dropped_by < 0) continue;
    std::size_t root = i;
    while (candidates_[root].dropped_at > 0 && candidates_[root].dropped_by >= 0)
      root = static_cast<std::size_t>(candidates_[root].dropped_by);
    const bool sound = candidates_[root].alive() && violation(wishes_, estimate(root)) == 0;
    const auto own = objectives_of(wishes_, estimate(i));
    if (sound && std::any_of(good.begin(), good.end(), [&](const auto& one) { return covers(wishes_, one, own); }))
      continue;
    back.push_back(i);
  }
  for (const std::size_t i : back) {
    candidates_[i].dropped_at = 0;
    candidates_[i].dropped_by = -1;
    ++candidates_[i].revived;
    ++revived_;
  }
  return revived_ > before;
}

void Race::finish() {
  if (!racing_) return;
  do {
    for (const int n : rounds_.end) {
      auto left = alive();
      candidates_.ensure(left, n);
      // Who has all replications stays: what is left races against a field that does not change.
      std::erase_if(left, [&](std::size_t i) {
        return candidates_[i].revived > 1 || candidates_[i].replications() == replications_;
      });
      if (n < replications_) drop(left, n, true);
    }
  } while (revive());
}

std::vector<double> Race::estimate(std::size_t candidate) const {
  const Candidate& one = candidates_[candidate];
  if (one.samples.empty()) return {};
  std::vector<double> means = means_of(one.samples, one.samples.size());
  if (one.dropped_at == 0 || one.dropped_by < 0) return means;
  const auto by = static_cast<std::size_t>(one.dropped_by);
  const std::size_t n = std::min(one.samples.size(), candidates_[by].samples.size());
  const auto own = means_of(one.samples, n), then = means_of(candidates_[by].samples, n), now = estimate(by);
  for (std::size_t m = 0; m < means.size(); ++m)
    if (const double placed = own[m] - then[m] + now[m]; std::isfinite(placed)) means[m] = placed;
  return means;
}

std::vector<double> Race::fitness(std::size_t candidate) const {
  constexpr double kBeyond = 1e30, kRefused = 1e6;
  const auto means = estimate(candidate);
  const double broken = means.empty() ? kRefused : violation(wishes_, means);
  if (broken == 0) return objectives_of(wishes_, means);
  return std::vector<double>(wishes_.signs.size(), kBeyond * (1 + std::min(broken, kRefused)));
}

}  // namespace dynasoc::explore
