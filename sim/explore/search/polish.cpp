// Local search around a front.
#include <algorithm>
#include <array>
#include <queue>
#include <unordered_set>
#include <vector>

#include "explore/search/methods.hpp"

namespace dynasoc::search {
namespace {

// 64 bits of a configuration's 100: two of a billion seldom share them, and then one is not looked at.
std::uint64_t hash_of(const Configuration& c) {
  std::uint64_t hash = c.resolution;
  const auto mix = [&hash](std::uint8_t x) { hash = (hash ^ x) * 0x9e3779b97f4a7c15ull, hash ^= hash >> 29; };
  for (const auto k : c.kernel) mix(k);
  for (const auto e : c.expansion) mix(e);
  for (const auto d : c.depth) mix(d);
  return hash;
}

template <class Add>
void neighbours(const Space& space, const Configuration& c, const Add& add) {
  for (const auto r : space.resolutions()) {
    Configuration other = c;
    other.resolution = r;
    add(other);
  }
  for (std::size_t s = 0; s < kStages; ++s) {
    const Space::Stage& stage = space.stage(s);
    const auto every_pair = [&](Configuration other, std::size_t slot) {
      for (const auto k : stage.kernels)
        for (const auto e : stage.expansions) {
          other.kernel[slot] = k;
          other.expansion[slot] = e;
          add(other);
        }
    };
    for (std::size_t j = 0; j < c.depth[s]; ++j) every_pair(c, s * kSlots + j);
    for (const auto depth : stage.depths) {
      Configuration other = c;
      other.depth[s] = depth;
      other.make_canonical();
      if (depth + 1 == c.depth[s]) add(other);
      if (depth == c.depth[s] + 1) every_pair(other, s * kSlots + c.depth[s]);
    }
  }
}

// Points that were evaluated and are not on the front, the one that lacks least accuracy first, in equal ranges of
// cost.
class NearFront {
 public:
  explicit NearFront(const Run& run) : run_(run) {
    const AdditiveCost& cost = run.problem.costs();
    low_ = cost(run.problem.space.extreme(cost));
    width_ = (std::min(run.problem.reference_cost, cost(run.problem.space.extreme(cost, true))) - low_) / kRanges;
    if (!(width_ > 0)) width_ = 1;  // all cost the same
  }
  void add(const Point& point) {
    const double lacks = this->lacks(point);
    if (lacks <= 0 || lacks > kMostLacking) return;
    ranges_[range_of(point)].push(
        {lacks, added_++, point.configuration, point.accuracy, point.cost(run_.problem.cost)});
  }
  // The nearest of each range; `take` says whether it was wanted.
  template <class Take>
  void next(const Take& take) {
    for (auto& range : ranges_)
      while (!range.empty()) {
        Entry entry = range.top();
        range.pop();
        // The front has moved on since: what it lacks may be more.
        const double lacks = run_.front.accuracy_at(entry.cost) - entry.accuracy;
        if (lacks > entry.lacks) {
          entry.lacks = lacks;
          if (lacks <= kMostLacking) range.push(entry);
          continue;
        }
        if (take(entry.configuration)) break;
      }
  }

 private:
  static constexpr std::size_t kRanges = 16;
  static constexpr double kMostLacking = 0.3;  // percentage points
  struct Entry {
    double lacks;
    std::uint64_t order;
    Configuration configuration;
    double accuracy, cost;
    bool operator<(const Entry& other) const {  // the least comes out first
      return lacks != other.lacks ? lacks > other.lacks : order > other.order;
    }
  };
  double lacks(const Point& point) const {
    return run_.front.accuracy_at(point.cost(run_.problem.cost)) - point.accuracy;
  }
  std::size_t range_of(const Point& point) const {
    const double at = (point.cost(run_.problem.cost) - low_) / width_;
    return static_cast<std::size_t>(std::clamp(at, 0.0, kRanges - 1.0));
  }
  const Run& run_;
  double low_ = 0, width_ = 1;
  std::array<std::priority_queue<Entry>, kRanges> ranges_;
  std::uint64_t added_ = 0;
};

}  // namespace

void polish(Run& run, std::uint64_t most) {
  constexpr std::size_t kAtOnce = 16;
  std::unordered_set<std::uint64_t> explored, seen;
  NearFront near(run);
  const std::uint64_t before = run.evaluations();
  std::vector<Configuration> from, batch;
  while (run.evaluations() - before < most) {
    // Points of the front whose neighbours were not looked at, a few at once and from all over it; else near the front.
    from.clear();
    for (const Point& point : run.front.points())
      if (!explored.contains(hash_of(point.configuration))) from.push_back(point.configuration);
    if (from.size() > kAtOnce) {
      for (std::size_t i = 0; i < kAtOnce; ++i) from[i] = from[i * from.size() / kAtOnce];
      from.resize(kAtOnce);
    }
    if (from.empty())
      near.next([&](const Configuration& c) {
        if (explored.contains(hash_of(c))) return false;
        from.push_back(c);
        return true;
      });
    if (from.empty()) break;
    batch.clear();
    for (const Configuration& c : from) {
      explored.insert(hash_of(c));
      neighbours(run.problem.space, c, [&](const Configuration& other) {
        if (seen.insert(hash_of(other)).second && run.problem.cost_violation(other) == 0) batch.push_back(other);
      });
    }
    if (const std::uint64_t room = most - (run.evaluations() - before); batch.size() > room) batch.resize(room);
    for (const Point& point : run.see(batch))
      if (run.problem.violation(point) == 0) near.add(point);
    run.note(0);
  }
}

}  // namespace dynasoc::search
