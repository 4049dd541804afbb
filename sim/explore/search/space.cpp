#include "explore/search/space.hpp"

#include <algorithm>
#include <cmath>

#include "common/error.hpp"

namespace dynasoc::search {
namespace {

constexpr std::size_t kGenes = 1 + kStages + 2 * kStages * kSlots;

// Indices of `wanted` in `known`, ascending; all where nothing is wanted.
std::vector<std::uint8_t> indices(const std::vector<int>& wanted, const std::vector<int>& known, const Where& where,
                                  const char* what, const std::string& supernetwork) {
  std::vector<std::uint8_t> out;
  for (std::size_t i = 0; i < known.size(); ++i)
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), known[i]) != wanted.end())
      out.push_back(static_cast<std::uint8_t>(i));
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (std::find(known.begin(), known.end(), wanted[i]) != known.end()) continue;
    std::string list;
    for (const int k : known) list += (list.empty() ? "" : ", ") + std::to_string(k);
    throw(where / what / i)
        .error(std::to_string(wanted[i]) + " is not among the " + what + " of " + supernetwork + " (known: " + list +
               ")");
  }
  return out;
}

// An empty list that was written down allows nothing; one that was left out allows everything.
void refuse_empty(const Where& where, const char* what) {
  const Json* json = &where.document->root();
  try {
    json = &json->at(Json::json_pointer(where.pointer));
  } catch (const Json::exception&) {
    return;
  }
  if (json->is_object() && json->contains(what) && (*json)[what].empty())
    throw(where / what).error(std::string("the space is empty: there is nothing in ") + what);
}

}  // namespace

std::string count_text(Count count) {
  std::string digits;
  do {
    if (digits.size() % 4 == 3) digits += ' ';
    digits += static_cast<char>('0' + static_cast<int>(count % 10));
    count /= 10;
  } while (count > 0);
  std::reverse(digits.begin(), digits.end());
  return digits;
}

Space::Space(const Supernetwork& supernetwork, const SpaceFile& file) {
  const SupernetworkFile& all = supernetwork.file;
  const Where& where = file.where;
  if (where.document)
    for (const char* what : {"resolutions", "kernels", "expansions", "depths"}) refuse_empty(where, what);
  resolutions_ = indices(file.resolutions, all.resolutions, where, "resolutions", all.name);
  if (!file.stages.empty() && file.stages.size() != kStages)
    throw(where / "stages").error("must hold 5 objects, one a stage ({} narrows nothing)");
  for (std::size_t s = 0; s < kStages; ++s) {
    const StageSpaceFile own = file.stages.empty() ? StageSpaceFile{} : file.stages[s];
    if (own.where.document)
      for (const char* what : {"kernels", "expansions", "depths"}) refuse_empty(own.where, what);
    const auto pick = [&](const std::vector<int>& mine, const std::vector<int>& shared, const std::vector<int>& known,
                          const char* what) {
      return mine.empty() ? indices(shared, known, where, what, all.name)
                          : indices(mine, known, own.where, what, all.name);
    };
    Stage stage{pick(own.kernels, file.kernels, all.kernels, "kernels"),
                pick(own.expansions, file.expansions, all.expansions, "expansions"),
                pick(own.depths, file.depths, all.depths, "depths")};
    for (auto& d : stage.depths) d = static_cast<std::uint8_t>(all.depths[d]);
    stages_.push_back(std::move(stage));
  }
}

std::uint64_t Space::stage_count(std::size_t s) const {
  const std::uint64_t slot = stages_[s].kernels.size() * stages_[s].expansions.size();
  std::uint64_t sum = 0;
  for (const auto depth : stages_[s].depths) {
    std::uint64_t product = 1;
    for (std::size_t j = 0; j < depth; ++j) product *= slot;
    sum += product;
  }
  return sum;
}

Count Space::count() const {
  Count product = resolutions_.size();
  for (std::size_t s = 0; s < kStages; ++s) product *= stage_count(s);
  return product;
}

explore::Box Space::box() const {
  std::vector<double> high{static_cast<double>(resolutions_.size() - 1)};
  for (const Stage& stage : stages_) high.push_back(static_cast<double>(stage.depths.size() - 1));
  for (const Stage& stage : stages_) high.insert(high.end(), kSlots, static_cast<double>(stage.kernels.size() - 1));
  for (const Stage& stage : stages_) high.insert(high.end(), kSlots, static_cast<double>(stage.expansions.size() - 1));
  return {std::vector<double>(kGenes, 0.0), high, kGenes};
}

Configuration Space::decode(const std::vector<double>& genes) const {
  const auto at = [&](std::size_t i) { return static_cast<std::size_t>(genes[i]); };
  Configuration c;
  c.resolution = resolutions_[at(0)];
  for (std::size_t s = 0; s < kStages; ++s) {
    const Stage& stage = stages_[s];
    c.depth[s] = stage.depths[at(1 + s)];
    for (std::size_t j = 0; j < c.depth[s]; ++j) {  // canonical: nothing where nothing is used
      const std::size_t slot = s * kSlots + j;
      c.kernel[slot] = stage.kernels[at(1 + kStages + slot)];
      c.expansion[slot] = stage.expansions[at(1 + kStages + kStages * kSlots + slot)];
    }
  }
  return c;
}

std::vector<double> Space::encode(const Configuration& c) const {
  const auto index = [](const std::vector<std::uint8_t>& options, std::uint8_t value) {
    const auto it = std::find(options.begin(), options.end(), value);
    return it == options.end() ? 0.0 : static_cast<double>(it - options.begin());  // unused slots hold anything
  };
  std::vector<double> genes{index(resolutions_, c.resolution)};
  for (std::size_t s = 0; s < kStages; ++s) genes.push_back(index(stages_[s].depths, c.depth[s]));
  for (std::size_t i = 0; i < c.kernel.size(); ++i) genes.push_back(index(stages_[i / kSlots].kernels, c.kernel[i]));
  for (std::size_t i = 0; i < c.expansion.size(); ++i)
    genes.push_back(index(stages_[i / kSlots].expansions, c.expansion[i]));
  return genes;
}

Configuration Space::draw(const Stream& stream, std::uint64_t n) const {
  const auto limits = box();
  std::vector<double> genes(kGenes);
  for (std::size_t g = 0; g < kGenes; ++g) genes[g] = std::floor(stream.uniform(n * kGenes + g) * (limits.high[g] + 1));
  return decode(genes);
}

Configuration Space::extreme(const AdditiveCost& cost, bool most) const {
  const double sign = most ? -1 : 1;
  Configuration best;
  double least = 0;
  bool any = false;
  for (const std::uint8_t r : resolutions_) {
    Configuration c;
    c.resolution = r;
    double sum = sign * cost.base[r];
    for (std::size_t s = 0; s < kStages; ++s) {
      const Stage& stage = stages_[s];
      const auto cheapest = [&](const AdditiveCost::Choice& choice) {
        std::pair<double, std::pair<std::uint8_t, std::uint8_t>> out{0, {0, 0}};
        bool first = true;
        for (const auto k : stage.kernels)
          for (const auto e : stage.expansions)
            if (const double x = sign * choice[k * kChoices + e]; first || x < out.first)
              out = {x, {k, e}}, first = false;
        return out;
      };
      const auto first = cheapest(cost.stages[r][s].first), later = cheapest(cost.stages[r][s].later);
      // Costs of blocks may be negative only on a line of negative slope, which no file can state.
      c.depth[s] = most ? stage.depths.back() : stage.depths.front();
      sum += first.first + (c.depth[s] - 1) * later.first;
      for (std::size_t j = 0; j < c.depth[s]; ++j) {
        const auto& [k, e] = (j == 0 ? first : later).second;
        c.kernel[s * kSlots + j] = k;
        c.expansion[s * kSlots + j] = e;
      }
    }
    if (!any || sum < least) best = c, least = sum, any = true;
  }
  return best;
}

}  // namespace dynasoc::search
