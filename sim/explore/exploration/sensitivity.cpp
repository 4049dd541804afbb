#include "explore/exploration/sensitivity.hpp"

#include <algorithm>
#include <cmath>

#include <boost/random/sobol.hpp>

#include "explore/exploration/racing.hpp"
#include "kernel/random.hpp"

namespace dynasoc::explore {
namespace {

constexpr std::size_t kLeastRows = 8;
constexpr std::size_t kResamples = 400;

struct Estimates {
  double first = 0, total = 0;
};

// Of the rows listed; `at(row, i)` is the value at the row's i-th point.
template <class At>
Estimates estimates(const std::vector<std::size_t>& rows, std::size_t block, At at) {
  double mean = 0, square = 0, first = 0, total = 0;
  const auto n = static_cast<double>(rows.size());
  for (const std::size_t r : rows) mean += (at(r, 0) + at(r, 1)) / (2 * n);
  for (const std::size_t r : rows) {
    const double a = at(r, 0), b = at(r, 1), ab = at(r, 2 + block);
    square += ((a - mean) * (a - mean) + (b - mean) * (b - mean)) / (2 * n);
    first += (b - mean) * (ab - a) / n;
    total += (a - ab) * (a - ab) / (2 * n);
  }
  if (!(square > 0)) return {};
  return {first / square, total / square};
}

}  // namespace

SaltelliDesign saltelli_design(const Box& box, const std::vector<std::vector<std::size_t>>& blocks, std::size_t rows,
                               std::uint64_t seed) {
  const std::size_t d = box.low.size();
  boost::random::sobol sequence(2 * d);
  const Stream stream(seed, "explore/sensitivity");
  SaltelliDesign out;
  out.rows = rows;
  out.blocks = blocks.size();
  for (std::size_t row = 0; row < rows; ++row) {
    std::vector<double> both;
    for (std::size_t i = 0; i < 2 * d; ++i) {  // moved by a random vector, modulo 1: seeds give different designs
      double u = std::ldexp(static_cast<double>(sequence() >> 11), -53) + stream.uniform(i);
      if (u >= 1) u -= 1;
      const std::size_t c = i % d;
      const double width = box.high[c] - box.low[c];
      const bool whole = c >= d - box.integers;
      both.push_back(whole ? std::min(box.high[c], box.low[c] + std::floor(u * (width + 1))) : box.low[c] + u * width);
    }
    const auto half = both.begin() + static_cast<std::ptrdiff_t>(d);
    const std::vector<double> a(both.begin(), half), b(half, both.end());
    out.points.push_back(a);
    out.points.push_back(b);
    for (const auto& block : blocks) {
      out.points.push_back(a);
      for (const std::size_t c : block) out.points.back()[c] = b[c];
    }
  }
  return out;
}

std::vector<Index> saltelli_indices(const SaltelliDesign& design, const std::vector<double>& values,
                                    std::size_t& used_rows) {
  const std::size_t width = design.blocks + 2;
  const auto at = [&](std::size_t row, std::size_t i) { return values[row * width + i]; };
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < design.rows; ++row) {
    bool defined = true;
    for (std::size_t i = 0; i < width; ++i) defined = defined && std::isfinite(at(row, i));
    if (defined) rows.push_back(row);
  }
  used_rows = rows.size();
  if (rows.size() < kLeastRows) return {};
  const double some = at(rows[0], 0);
  bool varies = false;
  for (const std::size_t r : rows)
    for (std::size_t i = 0; i < width; ++i) varies = varies || at(r, i) != some;
  if (!varies) return {};

  std::vector<Index> out(design.blocks);
  const Stream stream(0, "explore/sensitivity/bootstrap");
  for (std::size_t block = 0; block < design.blocks; ++block) {
    const Estimates estimate = estimates(rows, block, at);
    out[block].first = estimate.first;
    out[block].total = estimate.total;
    std::vector<double> firsts, totals;
    std::vector<std::size_t> drawn(rows.size());
    for (std::size_t b = 0; b < kResamples; ++b) {
      for (std::size_t i = 0; i < drawn.size(); ++i) {
        const double u = stream.uniform(b * drawn.size() + i) * static_cast<double>(rows.size());
        drawn[i] = rows[std::min(rows.size() - 1, static_cast<std::size_t>(u))];
      }
      const Estimates one = estimates(drawn, block, at);
      firsts.push_back(one.first);
      totals.push_back(one.total);
    }
    const auto interval = [](std::vector<double>& all) {
      std::sort(all.begin(), all.end());
      const auto place = [&](double p) {
        return all[static_cast<std::size_t>(std::lround(p * static_cast<double>(all.size() - 1)))];
      };
      return Interval{place((1 - kConfidence) / 2), place((1 + kConfidence) / 2)};
    };
    out[block].first_interval = interval(firsts);
    out[block].total_interval = interval(totals);
  }
  return out;
}

Sensitivity sensitivity_of(Candidates& candidates) {
  const Space& space = candidates.space();
  const SensitivityFile& wanted = space.file().sensitivity;
  Sensitivity out;
  out.rows = static_cast<std::size_t>(wanted.samples);
  out.replications = std::min(wanted.replications, space.file().replications);
  if (out.rows == 0) return out;

  std::vector<std::vector<std::size_t>> blocks;
  for (std::size_t v = 0; v < space.variables(); ++v) blocks.push_back(space.coordinates(v));
  const SaltelliDesign design =
      saltelli_design(space.box(), blocks, out.rows, static_cast<std::uint64_t>(space.file().seed));
  std::vector<Configuration> configurations;
  for (const auto& point : design.points) configurations.push_back(space.at(point));
  const auto ids = candidates.find(configurations);
  std::vector<std::size_t> different = ids;
  std::sort(different.begin(), different.end());
  different.erase(std::unique(different.begin(), different.end()), different.end());
  candidates.ensure(different, out.replications);
  out.configurations = different.size();
  out.samples = candidates.samples();

  const Wishes wishes = wishes_of(space);
  out.indices.assign(space.variables(), {});
  for (std::size_t k = 0; k < space.objectives(); ++k) {
    std::vector<double> values;
    for (const std::size_t id : ids) {
      const Samples& samples = candidates[id].samples;
      values.push_back(samples.empty() ? std::nan("")
                                       : means_of(samples, static_cast<std::size_t>(out.replications))[k]);
    }
    std::size_t used = 0;
    const auto indices = saltelli_indices(design, values, used);
    out.used.push_back(used);
    for (std::size_t v = 0; v < space.variables(); ++v)
      out.indices[v].push_back(indices.empty() ? Index{std::nan(""), std::nan(""), {}, {}} : indices[v]);
  }
  return out;
}

}  // namespace dynasoc::explore
