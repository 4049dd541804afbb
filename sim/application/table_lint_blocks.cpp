// Rules on block tables: one file at a time, then between files.
#include <map>
#include <set>

#include "application/table_lint_rules.hpp"
#include "common/text.hpp"

namespace dynasoc::lint {
namespace {

using Rows = std::vector<std::size_t>;

constexpr double kFloor = 0.08;  // no deviation below this is called an outlier, however quiet the table
constexpr double kFence =
    2.698;  // Tukey's fence, 1.5 interquartile ranges beyond the quartiles, in standard deviations
constexpr double kMadToSigma = 1.4826;
constexpr std::size_t kNear = 6;      // resolutions around one
constexpr double kClearTrend = 0.25;  // of the scatter that remains once a trend is taken out

double spread_of(const std::vector<double>& values) {
  std::vector<double> sizes;
  for (const double x : values) sizes.push_back(std::abs(x));
  return sizes.empty() ? 0 : kMadToSigma * median(std::move(sizes));
}

// One block over the resolutions: logarithms of the means, a clear trend taken out.
struct Series {
  std::vector<const Block*> at;  // by ascending resolution
  std::vector<double> level;
};

Series series_of(std::vector<const Block*> blocks) {
  std::sort(blocks.begin(), blocks.end(), [](auto* a, auto* b) { return a->resolution < b->resolution; });
  Series s;
  std::vector<double> x, slopes;
  for (const Block* block : blocks) {
    s.level.push_back(std::log(block->mean_ms));
    x.push_back(std::log(static_cast<double>(block->resolution)));
  }
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t k = i + 1; k < x.size(); ++k) slopes.push_back((s.level[k] - s.level[i]) / (x[k] - x[i]));
  const double slope = median(slopes);  // Theil and Sen's
  const auto without = [&](double trend) {
    std::vector<double> rest;
    for (std::size_t i = 0; i < x.size(); ++i) rest.push_back(s.level[i] - trend * x[i]);
    return rest;
  };
  const auto scatter = [&](std::vector<double> rest) {
    const double middle = median(rest);
    for (double& value : rest) value -= middle;
    return spread_of(rest);
  };
  const std::vector<double> flat = without(slope);
  if (scatter(flat) < kClearTrend * scatter(without(0))) s.level = flat;
  s.at = std::move(blocks);
  return s;
}

// Median of the `most` levels whose resolutions are nearest to that of `i`, itself left out.
double around(const Series& s, std::size_t i, std::size_t most) {
  std::vector<std::pair<int, std::size_t>> order;
  for (std::size_t k = 0; k < s.at.size(); ++k)
    if (k != i) order.emplace_back(std::abs(s.at[k]->resolution - s.at[i]->resolution), k);
  std::sort(order.begin(), order.end());
  std::vector<double> values;
  for (std::size_t k = 0; k < std::min(most, order.size()); ++k) values.push_back(s.level[order[k].second]);
  return median(std::move(values));
}

struct Outlier {
  const Block* block;
  double off;  // relative
};

std::vector<Outlier> outliers_of(const Linted& file, const std::set<std::size_t>& foreign_lines) {
  std::map<std::string, std::vector<const Block*>> by_key;
  for (const Block& block : file.blocks)
    if (!foreign_lines.contains(block.line)) by_key[block.key].push_back(&block);
  struct Judged {
    const Block* block;
    double near, all;
  };
  std::vector<Judged> judged;
  std::vector<double> near, all;
  for (auto& [key, blocks] : by_key) {
    std::set<int> resolutions;
    for (const Block* block : blocks) resolutions.insert(block->resolution);
    if (resolutions.size() != blocks.size() || blocks.size() <= kNear) continue;
    const Series s = series_of(blocks);
    for (std::size_t i = 0; i < s.at.size(); ++i) {
      judged.push_back({s.at[i], s.level[i] - around(s, i, kNear), s.level[i] - around(s, i, s.at.size())});
      near.push_back(judged.back().near);
      all.push_back(judged.back().all);
    }
  }
  const double near_fence = std::max(kFloor, kFence * spread_of(near)), all_fence = kFence * spread_of(all);
  std::vector<Outlier> out;
  for (const Judged& j : judged) {
    // Runs of neighbours that are off together hide each other; a quiet table shows them against all resolutions.
    const double by_near = std::expm1(j.near), by_all = all_fence <= kFloor ? std::expm1(j.all) : 0;
    if (std::abs(by_near) > near_fence || std::abs(by_all) > kFloor)
      out.push_back({j.block, std::abs(by_all) > std::abs(by_near) ? by_all : by_near});
  }
  return out;
}

void shape(const Linted& file, const std::set<std::size_t>& foreign_lines, Findings& out) {
  std::vector<Outlier> outliers = outliers_of(file, foreign_lines);
  // Of each resolution and kernel: how many blocks, how many of them high.
  std::map<int, std::map<int, std::pair<int, int>>> high;
  for (const Block& block : file.blocks)
    if (block.kernel > 0) ++high[block.resolution][block.kernel].first;
  for (const Outlier& o : outliers)
    if (o.block->kernel > 0 && o.off > 0) ++high[o.block->resolution][o.block->kernel].second;
  for (const auto& [resolution, kernels] : high)
    for (const auto& [kernel, count] : kernels) {
      int others = 0, others_high = 0;
      for (const auto& [other, of_other] : kernels)
        if (other != kernel) others += of_other.first, others_high += of_other.second;
      if (count.second < 3 || 2 * count.second < count.first || others == 0 || 10 * others_high > others) continue;
      Rows rows;
      double least = std::numeric_limits<double>::infinity(), most = 0;
      std::erase_if(outliers, [&, r = resolution, k = kernel](const Outlier& o) {
        if (o.block->resolution != r || o.block->kernel != k || o.off < 0) return false;
        rows.push_back(o.block->line);
        least = std::min(least, o.off);
        most = std::max(most, o.off);
        return true;
      });
      out.add("warm-up", file.file, rows,
              count_of(rows.size(), "row", "rows") + " of kernel " + std::to_string(kernel) + " at " +
                  std::to_string(resolution) + " px are " + percent(least) + " to " + percent(most) +
                  " above the other resolutions; the other kernels there are not");
    }
  Rows rows;
  double least = std::numeric_limits<double>::infinity(), most = 0;
  for (const Outlier& o : outliers) {
    rows.push_back(o.block->line);
    least = std::min(least, std::abs(o.off));
    most = std::max(most, std::abs(o.off));
  }
  out.add("outlier", file.file, rows,
          count_of(rows.size(), "row is ", "rows are ") + percent(least) + " to " + percent(most) +
              " off the other resolutions of the same block");
}

// The n that most rows state, and by what share of those that state one.
std::pair<double, double> usual_count(const Linted& file) {
  std::map<double, std::size_t> counts;
  std::size_t stated = 0;
  for (const Block& block : file.blocks)
    if (block.n > 0) ++counts[block.n], ++stated;
  double usual = 0;
  std::size_t most = 0;
  for (const auto& [n, rows] : counts)
    if (rows > most) most = rows, usual = n;
  return {usual, stated > 0 ? static_cast<double>(most) / static_cast<double>(stated) : 0};
}

void single_rows(const Linted& file, Findings& out) {
  Rows above, wide, few, unstated, unit;
  double widest = 0, least = std::numeric_limits<double>::infinity(), most = 0;
  std::map<std::string, std::vector<double>> means;
  for (const Block& b : file.blocks) means[b.key].push_back(b.mean_ms);
  for (const Block& b : file.blocks) {
    if (means[b.key].size() >= 3) {
      const double decades = std::abs(std::log10(b.mean_ms / median(means[b.key])));
      if (decades > std::log10(300.0) && decades < std::log10(3000.0)) unit.push_back(b.line);
    }
    const double variation = b.std_ms / b.mean_ms;
    if (variation > 1) above.push_back(b.line);
    if (variation > kWide && variation <= 1) wide.push_back(b.line), widest = std::max(widest, variation);
    if (b.n == 0) {
      if (std::isnan(b.std_ms)) unstated.push_back(b.line);
      continue;
    }
    least = std::min(least, b.n);
    most = std::max(most, b.n);
    if (b.n < kEnoughRuns) few.push_back(b.line);
  }
  out.add("latency-unit", file.file, unit, "about a thousand times, or a thousandth of, the same block elsewhere");
  out.add("std-above-mean", file.file, above, "the standard deviation is larger than the mean");
  out.add("spread", file.file, wide, "coefficient of variation up to " + percent(widest));
  out.add("few-runs", file.file, few, "n is as low as " + number_text(least));
  if (most > 2 * least) {
    const double usual = usual_count(file).first;
    Rows others;
    for (const Block& b : file.blocks)
      if (b.n > 0 && b.n != usual) others.push_back(b.line);
    out.add("count-differs", file.file, others,
            "n from " + number_text(least) + " to " + number_text(most) + "; most often " + number_text(usual));
  }
  out.add("runs-not-stated", file.file, unstated, "neither n nor a deviation is stated");
}

// ---------------------------------------------------------------------------------------------------------------------

using Place = std::pair<std::string, int>;  // key, resolution
std::map<Place, const Block*> places_of(const Linted& file) {
  std::map<Place, const Block*> places;
  for (const Block& block : file.blocks) places.try_emplace({block.key, block.resolution}, &block);
  return places;
}

bool equal(const Block& a, const Block& b) {
  return a.mean_ms == b.mean_ms && (a.std_ms == b.std_ms || std::isnan(a.std_ms) || std::isnan(b.std_ms)) &&
         (a.n == b.n || a.n == 0 || b.n == 0);
}

// What two tables have in common.
struct Common {
  std::size_t places = 0;
  std::vector<std::pair<const Block*, const Block*>> rows;  // equal in everything that both state
  std::set<int> resolutions;                                // that both have
};
Common common_of(const std::map<Place, const Block*>& a, const std::map<Place, const Block*>& b) {
  Common c;
  for (const auto& [place, block] : a) {
    const auto it = b.find(place);
    if (it == b.end()) continue;
    ++c.places;
    c.resolutions.insert(place.second);
    if (equal(*block, *it->second)) c.rows.emplace_back(block, it->second);
  }
  return c;
}
// One table in two files, as published and as imported.
bool same_table(const Common& c) { return c.places > 0 && 10 * c.rows.size() >= 9 * c.places; }

// How sure it is that equal rows are foreign to a table: they admit it, or their n is not the one n of the table.
double foreign(const Linted& file, const std::vector<const Block*>& rows) {
  const auto admitted = std::count_if(rows.begin(), rows.end(), [](const Block* b) { return b->derived; });
  if (static_cast<std::size_t>(admitted) == rows.size()) return 2;
  const auto [usual, share] = usual_count(file);
  const auto odd =
      std::count_if(rows.begin(), rows.end(), [u = usual](const Block* b) { return b->n > 0 && b->n != u; });
  return static_cast<std::size_t>(odd) == rows.size() ? share : 0;
}

std::string names_of(const std::vector<const Block*>& blocks) {
  std::vector<std::string> names;
  std::set<int> resolutions;
  for (const Block* b : blocks) {
    resolutions.insert(b->resolution);
    if (std::find(names.begin(), names.end(), b->name) == names.end()) names.push_back(b->name);
  }
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  out += " at ";
  std::string px;
  for (const int r : resolutions) px += (px.empty() ? "" : ", ") + std::to_string(r);
  return out + px + " px";
}

Rows lines_of(const std::vector<const Block*>& blocks) {
  Rows rows;
  for (const Block* b : blocks) rows.push_back(b->line);
  return rows;
}

// Rows of `file` that are those of `other`. Their lines are added to `lines`.
void find_copies(const Linted& file, const Linted& other, std::set<std::size_t>& lines, Findings& out) {
  const auto mine = places_of(file), theirs = places_of(other);
  std::vector<const Block*> copied, originals;
  for (const auto& [a, b] : common_of(mine, theirs).rows) copied.push_back(a), originals.push_back(b);
  constexpr double kClearly = 0.5;
  if (copied.empty() || foreign(other, originals) > foreign(file, copied) + kClearly) return;

  const std::string from = short_name(other);
  const bool admitted = std::all_of(copied.begin(), copied.end(), [](const Block* b) { return b->derived; });
  out.add("copied-rows", admitted ? Severity::warning : Severity::error, file.file, lines_of(copied),
          count_of(copied.size(), "row equals", "rows equal") + " those of " + from +
              " in mean, deviation and n: " + names_of(copied) + (admitted ? "; marked derived" : ""));
  // Blocks that are copies at every common resolution, elsewhere.
  const double usual = usual_count(file).first;
  std::map<std::string, std::size_t> copies, compared;
  for (const Block* b : copied) ++copies[b->key];
  for (const auto& [place, block] : mine)
    if (theirs.contains(place)) ++compared[place.first];
  std::vector<const Block*> inferred;
  for (const auto& [place, block] : mine)
    if (!theirs.contains(place) && copies.contains(place.first) && copies[place.first] == compared[place.first] &&
        block->n > 0 && block->n != usual)
      inferred.push_back(block);
  out.add("inferred-copy", file.file, lines_of(inferred),
          count_of(inferred.size(), "row has", "rows have") + " the count pattern of " + from +
              ", which lacks these resolutions: " + names_of(inferred));
  for (const auto* rows : {&copied, &inferred})
    for (const Block* b : *rows) lines.insert(b->line);
}

// Rows of `file` with the n of `other` under another mean, here or, for such blocks, at resolutions it does not have.
void find_counts(const Linted& file, const Linted& other, const std::set<std::size_t>& foreign_lines, Findings& out) {
  const auto mine = places_of(file), theirs = places_of(other);
  const auto [usual, share] = usual_count(file);
  if (share < 0.5) return;  // a table without an n of its own has none that could be foreign to it
  const auto carried = [&](const Place& place, const Block* block) {
    const auto it = theirs.find(place);
    return it != theirs.end() && block->n == it->second->n && block->mean_ms != it->second->mean_ms;
  };
  const auto odd = [&, own = usual](const Block* b) {
    return b->n > 0 && b->n != own && !foreign_lines.contains(b->line);
  };
  std::set<std::string> keys;
  for (const auto& [place, block] : mine)
    if (odd(block) && carried(place, block)) keys.insert(place.first);
  std::vector<const Block*> counted;
  std::set<double> different;
  for (const auto& [place, block] : mine)
    if (odd(block) && keys.contains(place.first) && (carried(place, block) || !theirs.contains(place))) {
      counted.push_back(block);
      different.insert(block->n);
    }
  // Where n is the same for all, agreeing says nothing.
  if (different.size() >= 2)
    out.add("count-pattern", file.file, lines_of(counted),
            count_of(counted.size(), "row has", "rows have") + " the n of " + short_name(other) +
                " and other means: " + names_of(counted));
}

// The files each file is compared with: files that are one table belong together, and one of every other table is
// taken, the one in the same folder if there is one.
std::vector<std::vector<const Linted*>> counterparts(const std::vector<const Linted*>& tables) {
  std::vector<std::size_t> table(tables.size());
  std::vector<std::map<Place, const Block*>> places;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    table[i] = i;
    places.push_back(places_of(*tables[i]));
    for (std::size_t k = 0; k < i; ++k)
      if (same_table(common_of(places[i], places[k]))) {
        table[i] = table[k];
        break;
      }
  }
  std::vector<std::vector<const Linted*>> out(tables.size());
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const auto near = [&](const Linted* t) { return t->path.parent_path() == tables[i]->path.parent_path(); };
    std::map<std::size_t, const Linted*> others;
    for (std::size_t k = 0; k < tables.size(); ++k) {
      if (table[k] == table[i]) continue;
      const auto [it, fresh] = others.try_emplace(table[k], tables[k]);
      if (!fresh && near(tables[k]) && !near(it->second)) it->second = tables[k];
    }
    for (const auto& [other, representative] : others) out[i].push_back(representative);
  }
  return out;
}

}  // namespace

void lint_blocks(const std::vector<Linted>& files, Findings& out) {
  std::vector<const Linted*> tables;
  for (const Linted& file : files)
    if (!file.blocks.empty()) tables.push_back(&file);
  const auto others = counterparts(tables);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    std::set<std::size_t> foreign_lines;  // another device's: what they are in themselves is that device's affair
    for (const Linted* other : others[i]) find_copies(*tables[i], *other, foreign_lines, out);
    for (const Linted* other : others[i]) find_counts(*tables[i], *other, foreign_lines, out);
    single_rows(*tables[i], out);
    shape(*tables[i], foreign_lines, out);
  }
}

}  // namespace dynasoc::lint
