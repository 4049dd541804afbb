#include "explore/search/methods.hpp"

#include <algorithm>
#include <cmath>

namespace dynasoc::search {
namespace {

// All of one stage's choices: depth, kernels, expansions of its slots.
struct StageChoice {
  std::uint8_t depth;
  std::array<std::uint8_t, kSlots> kernel, expansion;
};

std::vector<StageChoice> stage_choices(const Space::Stage& stage) {
  std::vector<StageChoice> out;
  for (const std::uint8_t depth : stage.depths) {
    std::vector<StageChoice> partial{{depth, {}, {}}};
    for (std::size_t j = 0; j < depth; ++j) {
      std::vector<StageChoice> longer;
      for (const StageChoice& choice : partial)
        for (const auto k : stage.kernels)
          for (const auto e : stage.expansions) {
            longer.push_back(choice);
            longer.back().kernel[j] = k;
            longer.back().expansion[j] = e;
          }
      partial = std::move(longer);
    }
    out.insert(out.end(), partial.begin(), partial.end());
  }
  return out;
}

}  // namespace

const std::vector<Point>& Run::see(const std::vector<Configuration>& configurations) {
  evaluate_(configurations, points_);
  offer(points_);
  return points_;
}

void Run::offer(const std::vector<Point>& points) {
  for (const Point& point : points) {
    const double violation = problem.violation(point);
    if (violation == 0)
      front.offer(point);
    else if (violation < nearest.violation)
      nearest = {violation, point};
  }
}

void Run::note(std::size_t of) {
  generations.push_back({generations.size(), evaluate_.evaluations(), front.points().size(),
                         front.hypervolume(problem.reference_cost, problem.reference_accuracy)});
  if (on_generation) on_generation(generations.back());
  if (progress)
    progress(of == 0 ? 0.99 : std::min(0.99, static_cast<double>(generations.size()) / static_cast<double>(of)));
}

void exhaustive(Run& run) {
  const Space& space = run.problem.space;
  std::vector<std::vector<StageChoice>> stages;
  for (std::size_t s = 0; s < kStages; ++s) stages.push_back(stage_choices(space.stage(s)));
  const auto at = [&](std::uint64_t index) {
    Configuration c;
    c.resolution = space.resolutions()[index % space.resolutions().size()];
    index /= space.resolutions().size();
    for (std::size_t s = 0; s < kStages; ++s) {
      const StageChoice& choice = stages[s][index % stages[s].size()];
      index /= stages[s].size();
      c.depth[s] = choice.depth;
      std::copy(choice.kernel.begin(), choice.kernel.end(), c.kernel.begin() + static_cast<std::ptrdiff_t>(s * kSlots));
      std::copy(choice.expansion.begin(), choice.expansion.end(),
                c.expansion.begin() + static_cast<std::ptrdiff_t>(s * kSlots));
    }
    return c;
  };
  const auto total = static_cast<std::uint64_t>(space.count());
  constexpr std::uint64_t kChunk = 8192;  // the same on any number of threads, as generations are told by it
  // What breaks a constraint on a cost needs no prediction.
  std::vector<Configuration> batch;
  std::uint64_t noted = 0;
  for (std::uint64_t begin = 0; begin < total;) {
    batch.clear();
    for (; begin < total && batch.size() < kChunk; ++begin) {
      const Configuration c = at(begin);
      if (run.problem.cost_violation(c) == 0) batch.push_back(c);
    }
    run.see(batch);
    if (run.progress) run.progress(static_cast<double>(begin) / static_cast<double>(total));
    for (; noted < 16 && begin * 16 >= total * (noted + 1); ++noted) run.note(16);
  }
}

void nsga2(Run& run, const Nsga2Method& method, const std::vector<Configuration>& start) {
  const Problem& problem = run.problem;
  explore::OptimiserRequest request;
  request.box = problem.space.box();
  request.algorithm = explore::Algorithm::nsga2;
  request.population = method.population;
  request.generations = method.generations;
  request.seed = run.seed;
  request.crossover = method.crossover;
  request.eta_crossover = method.eta_crossover;
  request.mutation = method.mutation;
  request.eta_mutation = method.eta_mutation;
  for (const Configuration& c : start) request.start.push_back(problem.space.encode(c));
  // What breaks a constraint is worse than all that does not, the more the worse.
  const AdditiveCost& cost = problem.costs();
  const double worst = cost(problem.space.extreme(cost, true));
  std::vector<Configuration> configurations;
  request.evaluate = [&](const std::vector<std::vector<double>>& genes) {
    configurations.clear();
    for (const auto& one : genes) configurations.push_back(problem.space.decode(one));
    std::vector<std::vector<double>> out;
    for (const Point& point : run.see(configurations)) {
      const double violation = problem.violation(point);
      out.push_back(violation == 0 ? std::vector<double>{point.cost(problem.cost), -point.accuracy}
                                   : std::vector<double>{worst * (1 + violation), 100 * violation});
    }
    return out;
  };
  request.on_generation = [&](std::size_t, const auto&) { run.note(method.generations + 1); };
  explore::optimise(request);
}

void random_search(Run& run, const RandomMethod& method) {
  constexpr std::size_t kDrawn = 1024;
  const Stream stream(run.seed, "search/random");
  const std::size_t generations = (method.samples + kDrawn - 1) / kDrawn;
  std::vector<Configuration> batch;
  for (std::size_t n = 0; n < method.samples;) {
    batch.clear();
    for (; n < method.samples && batch.size() < kDrawn; ++n) batch.push_back(run.problem.space.draw(stream, n));
    run.see(batch);
    run.note(generations);
  }
}

namespace {

// One level of the evolution: sub-networks of at most `limit`.
class Level {
 public:
  struct Member {
    Point point;
    std::size_t born = 0;
  };

  Level(Run& run, const AgedMethod& method, std::size_t index, double limit)
      : run_(run), method_(method), stream_(Stream(run.seed, "search/aged").substream(index)), limit_(limit) {}

  void first() {
    std::vector<Configuration> drawn;
    while (drawn.size() < method_.population) drawn.push_back(shrunk(genes_of(fresh())));
    adopt(drawn, 0);
  }

  void next(std::size_t generation) {
    std::stable_sort(members_.begin(), members_.end(),
                     [](const Member& a, const Member& b) { return a.point.accuracy > b.point.accuracy; });
    const auto wanted = static_cast<std::size_t>(method_.parents * static_cast<double>(method_.population));
    std::vector<Member> parents;
    for (const Member& member : members_) {
      if (parents.size() == std::max<std::size_t>(1, wanted)) break;
      const bool alive = method_.oldest == 0 || generation - member.born <= method_.oldest;
      const bool twin = std::any_of(parents.begin(), parents.end(), [&](const Member& other) {
        return other.point.configuration == member.point.configuration;
      });
      if (alive && !twin) parents.push_back(member);
    }
    if (parents.empty()) parents.push_back(members_.front());  // all of an age: the best stays
    std::vector<std::vector<double>> genes;
    genes.reserve(parents.size());
    for (const Member& parent : parents) genes.push_back(genes_of(parent.point.configuration));
    members_ = parents;
    std::vector<Configuration> children;
    const std::size_t room = method_.population - std::min(method_.population, members_.size());
    while (children.size() < room) {
      const auto& one = genes[pick(genes.size())];
      const auto& other = genes[pick(genes.size())];
      const bool mutates = stream_.uniform(draws_++) < method_.mutation_share;
      // Children that break a limit are drawn again; after a while, made smaller.
      std::vector<double> child;
      for (int attempt = 0; attempt < 20; ++attempt) {
        child = one;
        for (std::size_t g = 0; g < child.size(); ++g) {
          if (mutates && stream_.uniform(draws_++) < method_.mutation)
            child[g] = std::floor(stream_.uniform(draws_++) * (box_.high[g] + 1));
          if (!mutates && stream_.uniform(draws_++) < 0.5) child[g] = other[g];
        }
        if (keeps(run_.problem.space.decode(child))) break;
      }
      children.push_back(shrunk(std::move(child)));
    }
    adopt(children, generation);
  }

 private:
  std::size_t pick(std::size_t of) {
    return static_cast<std::size_t>(stream_.uniform(draws_++) * static_cast<double>(of));
  }
  Configuration fresh() { return run_.problem.space.draw(stream_.substream(1), drawn_++); }
  std::vector<double> genes_of(const Configuration& c) const { return run_.problem.space.encode(c); }
  bool keeps(const Configuration& c) const {
    return run_.problem.costs()(c) <= limit_ && run_.problem.cost_violation(c) == 0;
  }
  // Genes become those of the cheapest sub-network, one drawn after another, until the limits are kept.
  Configuration shrunk(std::vector<double> genes) {
    Configuration c = run_.problem.space.decode(genes);
    if (cheapest_.empty()) cheapest_ = genes_of(run_.problem.space.extreme(run_.problem.costs()));
    for (std::size_t n = 0; n < 400 && !keeps(c); ++n) {
      const std::size_t g = pick(genes.size());
      genes[g] = cheapest_[g];
      c = run_.problem.space.decode(genes);
    }
    return c;
  }
  void adopt(const std::vector<Configuration>& configurations, std::size_t generation) {
    for (const Point& point : run_.see(configurations)) members_.push_back({point, generation});
  }

  Run& run_;
  const AgedMethod& method_;
  Stream stream_;
  double limit_;
  explore::Box box_ = run_.problem.space.box();
  std::vector<double> cheapest_;
  std::vector<Member> members_;
  std::uint64_t draws_ = 0, drawn_ = 0;
};

}  // namespace

void aged(Run& run, const AgedMethod& method) {
  const Problem& problem = run.problem;
  const AdditiveCost& cost = problem.costs();
  const double low = cost(problem.space.extreme(cost));
  double high = std::min(problem.reference_cost, cost(problem.space.extreme(cost, true)));
  if (problem.cost == Objective::latency_ms && problem.constraints.most_latency_ms)
    high = std::min(high, *problem.constraints.most_latency_ms);
  std::vector<Level> levels;
  for (std::size_t i = 1; i <= method.levels; ++i)
    levels.emplace_back(run, method, i,
                        low + (high - low) * static_cast<double>(i) / static_cast<double>(method.levels));
  for (std::size_t generation = 0; generation <= method.generations; ++generation) {
    for (Level& level : levels) generation == 0 ? level.first() : level.next(generation);
    run.note(method.generations + 1);
  }
}

}  // namespace dynasoc::search
