// The profiling planner against boards with known truth and against measured grids: how good are predictions of cells
// that were not measured, do intervals hold what they promise, is choosing better than not choosing.
// `[numbers]` prints the table; it is hidden, for it takes minutes.
#include "board/profile_plan.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <tuple>

#include <catch2/catch.hpp>

#include "common/csv.hpp"
#include "common/error.hpp"
#include "kernel/random.hpp"

using namespace dynasoc;
using namespace dynasoc::board;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// A board: its cells, what they truly take, and what a measurement of one gives.
struct Board {
  std::string name;
  std::vector<PlanCell> cells = {};
  std::vector<double> truth_ms = {};
  double noise = 0;         // relative standard deviation of a measured mean
  double stated_noise = 0;  // of which a measurement knows
  std::uint64_t seed = 1;

  Observation measure(std::size_t i, std::uint64_t again = 0) const {
    const Stream stream(seed, "measurement", again);
    const double ms = truth_ms[i] * std::exp(noise * stream.normal(i));
    return {.cell = i, .latency_ms = ms, .standard_error_ms = stated_noise * ms};
  }
};

// Soft rooflines whose coefficients follow the MACs, each of each sub-network off by 5 % for reasons of its own.
Board synthetic(std::uint64_t seed, bool macs_known = true, double noise = 0.02) {
  Board board{
      .name = macs_known ? "synthetic" : "synthetic, no MACs", .noise = noise, .stated_noise = noise, .seed = seed};
  const Stream stream(seed, "board");
  std::uint64_t draw = 0;
  const auto off = [&] { return std::exp(0.05 * stream.normal(draw++)); };
  for (int subnet = 0; subnet < 8; ++subnet) {
    const double macs = 100 + 70 * subnet;
    const double fixed = 3 * off(), host = 4 * off(), unit = 0.03 * macs * off(),
                 memory = 0.012 * macs * off() + 3 * off();
    for (int u = 0; u < 10; ++u)
      for (int e = 0; e < 4; ++e) {
        const double f_unit = 200 + 100 * u,
                     f_emc = std::array{408.0, 800.0, 1333.0, 1866.0}[static_cast<std::size_t>(e)];
        for (const double f_host : {800.0, 1900.0}) {
          const double p = 2.5, computing = unit * 1100 / f_unit, moving = memory * 1866 / f_emc;
          board.cells.push_back({subnet, 0, f_unit, f_emc, f_host, 0, macs_known ? macs : 0});
          board.truth_ms.push_back(fixed + host * 1900 / f_host +
                                   std::pow(std::pow(computing, p) + std::pow(moving, p), 1 / p));
        }
      }
    const double serial = 0.05 * macs * off(), parallel = 0.5 * macs * off(), cpu_fixed = 1 * off();
    for (int u = 0; u < 8; ++u)
      for (const int cores : {1, 2, 4, 6}) {
        const double f = 500 + 200 * u;
        board.cells.push_back({subnet, 1, f, kNaN, kNaN, cores, macs_known ? macs : 0});
        board.truth_ms.push_back(cpu_fixed + (serial + parallel / cores) * 1900 / f);
      }
  }
  return board;
}

// Rows of a table that were measured, each sub-network and unit a number; a second table's sub-networks are others.
Board from_tables(const std::string& name, const std::vector<std::string>& files,
                  const std::vector<double>& macs = {}) {
  Board board{.name = name};
  std::map<std::string, int> subnets, units;
  for (const std::string& file : files) {
    const Csv csv = Csv::load(std::string(DYNASOC_SOURCE_DIR "/models/") + file);
    for (std::size_t row = 0; row < csv.size(); ++row) {
      if (csv.text(row, "provenance") != "measured") continue;
      const std::string subnet = (files.size() > 1 ? file : "") + std::string(csv.text(row, "subnet"));
      const std::string unit(csv.text(row, "unit"));
      PlanCell cell;
      cell.subnet = subnets.try_emplace(subnet, static_cast<int>(subnets.size())).first->second;
      cell.unit = units.try_emplace(unit, static_cast<int>(units.size())).first->second;
      const bool cpu = unit == "cpu";
      cell.f_unit_mhz = csv.number_or_nan(row, cpu ? "f_cpu_mhz" : "f_gpu_mhz");
      cell.f_host_mhz = cpu ? kNaN : csv.number_or_nan(row, "f_cpu_mhz");
      cell.f_emc_mhz = csv.number_or_nan(row, "f_emc_mhz");
      const double cores = csv.number_or_nan(row, "cores");
      cell.cores = std::isnan(cores) ? 0 : static_cast<int>(cores);
      if (!macs.empty()) cell.macs_m = macs.at(static_cast<std::size_t>(cell.subnet));
      board.cells.push_back(cell);
      board.truth_ms.push_back(csv.number(row, "latency_ms_mean"));
    }
  }
  return board;
}

struct Score {
  double median = 0, p90 = 0, worst = 0;  // relative error of cells not measured
  double coverage = 0;                    // share of them within their interval
  double misranked = 0;                   // share of pairs of cells, of those that differ by more than 2 %
  double half_width = 0;                  // median, relative
  std::size_t unmeasured = 0;
};

Score score(const ProfilePlan& plan, const Board& board) {
  Score out;
  std::vector<double> errors, widths;
  std::vector<double> predicted;
  double within = 0;
  for (std::size_t i = 0; i < board.cells.size(); ++i) {
    const CellPrediction p = plan.latency(i);
    predicted.push_back(p.mean);
    if (p.measured) continue;
    errors.push_back(std::isnan(p.mean) ? std::numeric_limits<double>::infinity()
                                        : std::abs(p.mean / board.truth_ms[i] - 1));
    widths.push_back(std::isnan(p.mean) ? std::numeric_limits<double>::infinity() : p.relative_half_width());
    within += p.low <= board.truth_ms[i] && board.truth_ms[i] <= p.high;
  }
  std::sort(errors.begin(), errors.end());
  std::sort(widths.begin(), widths.end());
  out.unmeasured = errors.size();
  const auto quantile = [](const std::vector<double>& x, double q) {
    return x.empty() ? 0 : x[static_cast<std::size_t>(q * static_cast<double>(x.size() - 1) + 0.5)];
  };
  out.median = quantile(errors, 0.5), out.p90 = quantile(errors, 0.9), out.worst = quantile(errors, 1);
  out.half_width = quantile(widths, 0.5);
  out.coverage = within / static_cast<double>(std::max<std::size_t>(1, errors.size()));
  double wrong = 0, pairs = 0;
  for (std::size_t a = 0; a < predicted.size(); ++a)
    for (std::size_t b = 0; b < a; ++b) {
      const double d = std::log(board.truth_ms[a] / board.truth_ms[b]);
      if (std::abs(d) < 0.02) continue;
      pairs += 1;
      wrong += !((predicted[a] > predicted[b]) == (d > 0));
    }
  out.misranked = pairs > 0 ? wrong / pairs : 0;
  return out;
}

PlanOptions budget(double share, std::uint64_t seed) {
  PlanOptions out;
  out.budget_share = share;
  out.target_relative_error = 1e-6;  // never reached: the budget decides
  out.seed = seed;
  return out;
}

Score active(const Board& board, double share, std::uint64_t seed) {
  ProfilePlan plan(board.cells, budget(share, seed));
  while (const auto cell = plan.next()) plan.observe(board.measure(*cell));
  return score(plan, board);
}

Score chosen(const Board& board, double share, const std::vector<std::size_t>& cells) {
  ProfilePlan plan(board.cells, budget(share, 1));
  for (const std::size_t i : cells) plan.observe(board.measure(i));
  return score(plan, board);
}

std::size_t count_of(const Board& board, double share) {
  return std::max<std::size_t>(1, static_cast<std::size_t>(share * static_cast<double>(board.cells.size()) + 1e-9));
}

std::vector<std::size_t> random_cells(const Board& board, double share, std::uint64_t seed) {
  std::vector<std::size_t> out(board.cells.size());
  std::iota(out.begin(), out.end(), std::size_t{0});
  const Stream stream(seed, "random choice");
  std::sort(out.begin(), out.end(), [&](std::size_t a, std::size_t b) { return stream.bits(a) < stream.bits(b); });
  out.resize(count_of(board, share));
  return out;
}

// What a person would do: the same number of points for each sub-network, evenly along the list of its operating
// points with both ends, staggered from one sub-network to the next.
std::vector<std::size_t> grid_cells(const Board& board, double share) {
  std::map<std::pair<int, int>, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < board.cells.size(); ++i)
    groups[{board.cells[i].unit, board.cells[i].subnet}].push_back(i);
  const std::size_t budget = count_of(board, share);
  std::set<std::size_t> out;
  double owed = 0;
  int turn = 0;
  for (auto& [name, cells] : groups) {
    std::sort(cells.begin(), cells.end(), [&](std::size_t a, std::size_t b) {
      const PlanCell &x = board.cells[a], &y = board.cells[b];
      return std::tuple(x.f_unit_mhz, x.f_emc_mhz > 0 ? x.f_emc_mhz : 0, x.f_host_mhz > 0 ? x.f_host_mhz : 0, x.cores,
                        a) < std::tuple(y.f_unit_mhz, y.f_emc_mhz > 0 ? y.f_emc_mhz : 0,
                                        y.f_host_mhz > 0 ? y.f_host_mhz : 0, y.cores, b);
    });
    owed += static_cast<double>(budget) * static_cast<double>(cells.size()) / static_cast<double>(board.cells.size());
    const auto n = static_cast<std::size_t>(owed + 1e-9);
    owed -= static_cast<double>(n);
    for (std::size_t k = 0; k < n; ++k) {
      const double at = n == 1 ? 0.5 : static_cast<double>(k) / static_cast<double>(n - 1);
      std::size_t i = static_cast<std::size_t>(at * static_cast<double>(cells.size() - 1) + 0.5);
      if (k > 0 && k + 1 < n) i = std::min(cells.size() - 1, i + static_cast<std::size_t>(turn % 3));
      out.insert(cells[i]);
    }
    ++turn;
  }
  for (std::size_t i = 0; out.size() < budget; ++i) out.insert((i * 7919) % board.cells.size());
  return {out.begin(), out.end()};
}

double median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return x.size() % 2 == 1 ? x[x.size() / 2] : 0.5 * (x[x.size() / 2 - 1] + x[x.size() / 2]);
}

double median_of(const std::vector<Score>& scores, double Score::*member) {
  std::vector<double> x;
  for (const Score& s : scores) x.push_back(s.*member);
  return median(x);
}
double mean_of(const std::vector<Score>& scores, double Score::*member) {
  double sum = 0;
  for (const Score& s : scores) sum += s.*member;
  return sum / static_cast<double>(scores.size());
}

void print(const std::string& board, const char* how, const std::vector<Score>& s) {
  std::printf("%-34s %-7s %7.2f %7.2f %7.2f %9.1f %9.2f %9.2f\n", board.c_str(), how,
              100 * median_of(s, &Score::median), 100 * median_of(s, &Score::p90), 100 * median_of(s, &Score::worst),
              100 * mean_of(s, &Score::coverage), 100 * median_of(s, &Score::half_width),
              100 * median_of(s, &Score::misranked));
}

std::vector<Board> measured_boards() {
  return {from_tables("TX2 GPU x EMC", {"frequency-grids/jetson-tx2.grid.csv"}),
          from_tables("TX2 GPU sweep", {"frequency-grids/jetson-tx2.gpu-sweep.csv"}),
          from_tables("Orin Nano GPU x EMC", {"frequency-grids/jetson-orin-nano.grid.csv"}),
          from_tables("AGX ResNet50, power modes", {"resnet50-agx/jetson-agx-xavier.armnn-21.05.csv",
                                                    "resnet50-agx/jetson-agx-xavier.tflite-2.5.0.csv"}),
          from_tables("AGX MobileNetV2, one clock", {"mobilenet-v2-agx-tflite/jetson-agx-xavier.tflite-2.5.0.csv"}),
          from_tables("Dynamic-OFA GPU, one clock", {"dynamic-ofa-gpu/jetson-xavier-nx.search.csv"},
                      {235.4672, 254.004, 288.7589, 375.5412, 522.1038, 731.1238})};
}

}  // namespace

TEST_CASE("numbers of the profiling planner", "[.numbers]") {
  constexpr std::uint64_t kSeeds = 10;
  std::printf("%-34s %-7s %7s %7s %7s %9s %9s %9s\n", "board, share measured", "choice", "median", "90 %", "max",
              "coverage", "width", "misranked");
  const auto compare = [&](const std::function<Board(std::uint64_t)>& make, double share) {
    std::vector<Score> a, r, g;
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      const Board board = make(seed);
      a.push_back(active(board, share, seed));
      r.push_back(chosen(board, share, random_cells(board, share, seed)));
      g.push_back(chosen(board, share, grid_cells(board, share)));
    }
    const Board board = make(1);
    char name[100];
    std::snprintf(name, sizeof name, "%s, %zu of %zu", board.name.c_str(), count_of(board, share), board.cells.size());
    print(name, "active", a), print(name, "random", r), print(name, "grid", g);
    std::printf("%-34s ratios to random:", "");
    for (const auto& [what, member] : {std::pair{"median", &Score::median}, std::pair{"90 %", &Score::p90},
                                       std::pair{"max", &Score::worst}, std::pair{"misranked", &Score::misranked}})
      if (const double other = median_of(r, member); other > 0)
        std::printf(" %s %.2f", what, median_of(a, member) / other);
    std::printf("\n");
    std::fflush(stdout);
  };
  for (const double share : {0.05, 0.1, 0.2}) {
    compare([](std::uint64_t seed) { return synthetic(seed); }, share);
    compare([](std::uint64_t seed) { return synthetic(seed, false); }, share);
  }
  for (const Board& board : measured_boards())
    for (const double share : {0.2, 0.4})
      compare([&](std::uint64_t) { return board; }, board.cells.size() < 30 && share < 0.3 ? 0.25 : share);
}

TEST_CASE("speed of the profiling planner", "[.numbers]") {
  Board board{.name = "large", .noise = 0.02, .stated_noise = 0.02};
  for (int subnet = 0; subnet < 20; ++subnet)
    for (int u = 0; u < 10; ++u)
      for (int e = 0; e < 5; ++e)
        for (int h = 0; h < 2; ++h) {
          board.cells.push_back({subnet, 0, 200. + 100 * u, 400. + 300 * e, 800. + 1000 * h, 0, 100. + 20 * subnet});
          board.truth_ms.push_back(3 + 4000. / (800 + 1000 * h) +
                                   (5 + subnet) * (2000. / (200 + 100 * u) + 1000. / (400 + 300 * e)));
        }
  ProfilePlan plan(board.cells, budget(0.175, 1));
  double next_ms = 0, next_worst_ms = 0, observe_ms = 0, observe_worst_ms = 0, calls = 0;
  using Clock = std::chrono::steady_clock;
  const auto ms = [](auto d) { return std::chrono::duration<double, std::milli>(d).count(); };
  while (true) {
    const auto start = Clock::now();
    const auto cell = plan.next();
    const auto chosen_at = Clock::now();
    if (!cell) break;
    plan.observe(board.measure(*cell));
    if (plan.measured() <= 300) continue;
    const double a = ms(chosen_at - start), b = ms(Clock::now() - chosen_at);
    next_ms += a, observe_ms += b, calls += 1;
    next_worst_ms = std::max(next_worst_ms, a), observe_worst_ms = std::max(observe_worst_ms, b);
  }
  std::printf("%zu cells, 300 to %zu observed: next() %.1f ms (worst %.1f), observe() %.1f ms (worst %.1f)\n",
              board.cells.size(), plan.measured(), next_ms / calls, next_worst_ms, observe_ms / calls,
              observe_worst_ms);
}

TEST_CASE("intervals of cells not measured hold the truth about as often as they say") {
  const auto coverage = [](auto&& make, double share, std::uint64_t seeds) {
    std::vector<Score> scores;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) scores.push_back(active(make(seed), share, seed));
    return mean_of(scores, &Score::coverage);
  };
  for (const bool macs_known : {true, false}) {
    const double share = coverage([&](std::uint64_t seed) { return synthetic(seed, macs_known); }, 0.1, 3);
    CAPTURE(macs_known);
    CHECK(share >= 0.85);
  }
  const std::vector<Board> boards = measured_boards();
  for (std::size_t k : {0u, 2u}) {
    CAPTURE(boards[k].name);
    CHECK(coverage([&](std::uint64_t) { return boards[k]; }, 0.25, 10) >= 0.85);
  }
}

TEST_CASE("intervals tell precise knowledge from vague") {
  // Wide intervals would pass the test above; these have to be narrow, and narrower the more was measured.
  const Board board = synthetic(3);
  const Score few = active(board, 0.05, 3), many = active(board, 0.2, 3);
  CHECK(many.half_width < few.half_width);
  CHECK(many.half_width < 0.04);  // each measurement has 2 % noise, so 4 % of it alone
  CHECK(many.median < 0.015);
  CHECK(many.worst < 0.08);
}

TEST_CASE("chosen cells tell more than as many random ones") {
  std::vector<Score> a, r;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Board board = synthetic(seed);
    a.push_back(active(board, 0.06, seed));
    r.push_back(chosen(board, 0.06, random_cells(board, 0.06, seed)));
  }
  CHECK(median_of(a, &Score::median) <= median_of(r, &Score::median));
  CHECK(median_of(a, &Score::p90) <= median_of(r, &Score::p90));
  CHECK(median_of(a, &Score::misranked) <= median_of(r, &Score::misranked));
}

TEST_CASE("a fifth of the TX2's measured grid tells the rest within two percent") {
  const Board board = measured_boards()[0];
  std::vector<Score> a, r;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    a.push_back(active(board, 0.2, seed));
    r.push_back(chosen(board, 0.2, random_cells(board, 0.2, seed)));
  }
  CHECK(a[0].unmeasured == 84);
  CHECK(median_of(a, &Score::median) < 0.01);
  CHECK(median_of(a, &Score::p90) < 0.02);
  CHECK(median_of(a, &Score::p90) <= median_of(r, &Score::p90));
}

TEST_CASE("the same observations give the same next cell") {
  const Board board = synthetic(5);
  ProfilePlan plan(board.cells, budget(1, 7));
  std::vector<Observation> log;
  for (int k = 0; k < 50; ++k) {
    log.push_back(board.measure(plan.next().value()));
    plan.observe(log.back());
  }
  log.push_back(board.measure(log[20].cell, 1));  // one again
  plan.observe(log.back());
  ProfilePlan resumed(board.cells, budget(1, 7));
  for (const Observation& o : log) resumed.observe(o);
  for (int k = 0; k < 5; ++k) {
    const std::size_t cell = plan.next().value();
    CHECK(plan.next() == cell);  // asking changes nothing
    REQUIRE(resumed.next() == cell);
    CHECK(resumed.latency(cell).high == plan.latency(cell).high);
    plan.observe(board.measure(cell)), resumed.observe(board.measure(cell));
  }
  CHECK(plan.measured() == 55);
}

TEST_CASE("each observation counts at once") {
  // Between two fits of the scales the model is updated by a column: the cell itself has to show it each time.
  const Board board = synthetic(6);
  ProfilePlan plan(board.cells, budget(1, 1));
  for (int k = 0; k < 80; ++k) {
    const std::size_t cell = plan.next().value();
    const CellPrediction before = plan.latency(cell);
    const Observation o = board.measure(cell);
    plan.observe(o);
    if (k < 50) continue;  // by then scales change little
    const CellPrediction after = plan.latency(cell);
    CAPTURE(k, before.mean, before.high, o.latency_ms, after.mean, after.high);
    CHECK(after.relative_half_width() < before.relative_half_width());
    CHECK(after.relative_half_width() < 0.05);  // twice the noise of 2 %, and a little
    CHECK(std::abs(after.mean - o.latency_ms) < std::abs(before.mean - o.latency_ms) + 0.005 * o.latency_ms);
  }
}

TEST_CASE("the start is spread over sub-networks, units and clocks, and drawn by the seed") {
  const Board board = synthetic(1);
  const ProfilePlan one(board.cells, budget(0.2, 1)), same(board.cells, budget(0.2, 1)),
      other(board.cells, budget(0.2, 2));
  CHECK(one.initial() == same.initial());
  CHECK(one.initial() != other.initial());
  std::set<std::pair<int, int>> seen;
  double lowest = 1e9, highest = 0;
  for (const std::size_t i : one.initial()) {
    seen.insert({board.cells[i].unit, board.cells[i].subnet});
    if (board.cells[i].unit != 0) continue;
    lowest = std::min(lowest, board.cells[i].f_unit_mhz), highest = std::max(highest, board.cells[i].f_unit_mhz);
  }
  CHECK(seen.size() == 16);
  CHECK(lowest <= 300);
  CHECK(highest >= 1000);
  CHECK(std::set<std::size_t>(one.initial().begin(), one.initial().end()).size() == one.initial().size());
}

TEST_CASE("budgets and targets end a plan") {
  const Board board = synthetic(2);
  PlanOptions options;
  options.target_relative_error = 0.1;
  options.ranking_target = 0.01;
  ProfilePlan plan(board.cells, options);
  CHECK(plan.ranking_uncertainty() == 1);
  CHECK(std::isinf(plan.expected_error()));
  while (const auto cell = plan.next()) plan.observe(board.measure(*cell));
  CHECK(plan.target_reached());
  CHECK(plan.done());
  CHECK(plan.measured() < plan.size() / 4);
  CHECK(plan.share_within_target() >= 0.95);
  // The plan's word for it is worth something: so many are within the target in truth.
  std::size_t within = 0;
  for (std::size_t i = 0; i < plan.size(); ++i)
    within += std::abs(plan.latency(i).mean / board.truth_ms[i] - 1) <= options.target_relative_error;
  CHECK(static_cast<double>(within) >= 0.95 * static_cast<double>(plan.size()));

  PlanOptions seconds = budget(1, 1);
  seconds.budget_s = 60;
  ProfilePlan timed(board.cells, seconds);
  double last = 0;
  while (const auto cell = timed.next()) {
    const double before = timed.spent_s();
    CHECK(before < 60);
    timed.observe(board.measure(*cell));
    last = timed.spent_s() - before;
  }
  CHECK(timed.spent_s() >= 60);
  CHECK(timed.spent_s() - last < 60);
}

TEST_CASE("a cell observed again is combined by inverse variance") {
  PlanOptions options;
  options.noise = 1e-6;
  ProfilePlan twice({{.f_unit_mhz = 1000}}, options), once({{.f_unit_mhz = 1000}}, options);
  twice.observe({.cell = 0, .latency_ms = 10, .standard_error_ms = 0.1});
  twice.observe({.cell = 0, .latency_ms = 10.3, .standard_error_ms = 0.206});  // relative: 1 % and 2 %
  once.observe({.cell = 0,
                .latency_ms = 10 * std::pow(1.03, 0.2),
                .standard_error_ms = 10 * std::pow(1.03, 0.2) * std::sqrt(1e-4 * 4e-4 / 5e-4)});
  CHECK(twice.latency(0).mean == Approx(once.latency(0).mean).epsilon(1e-6));
  CHECK(twice.latency(0).high == Approx(once.latency(0).high).epsilon(1e-6));
  CHECK(twice.measured() == 1);
}

TEST_CASE("energy is predicted like latency") {
  Board board = synthetic(4);
  PlanOptions options = budget(0.15, 1);
  ProfilePlan plan(board.cells, options);
  const auto truth_mj = [&](std::size_t i) {
    const double ghz = board.cells[i].f_unit_mhz / 1000;
    return board.truth_ms[i] * (3 + 5 * ghz * (0.7 + ghz) * (0.7 + ghz));
  };
  CHECK(std::isnan(plan.energy(0).mean));
  while (const auto cell = plan.next()) {
    Observation o = board.measure(*cell);
    o.energy_mj = truth_mj(*cell) * o.latency_ms / board.truth_ms[*cell];
    o.energy_standard_error_mj = 0.02 * o.energy_mj;
    plan.observe(o);
  }
  std::vector<double> errors;
  double within = 0;
  for (std::size_t i = 0; i < plan.size(); ++i) {
    const CellPrediction p = plan.energy(i);
    if (p.measured) continue;
    errors.push_back(std::abs(p.mean / truth_mj(i) - 1));
    within += p.low <= truth_mj(i) && truth_mj(i) <= p.high;
  }
  CHECK(median(errors) < 0.02);
  CHECK(within >= 0.85 * static_cast<double>(errors.size()));
}

TEST_CASE("plans of one cell, of one operating point, of units without observations") {
  ProfilePlan one({{}}, {});
  CHECK(one.next() == 0u);
  CHECK(one.ranking_uncertainty() == 0);
  one.observe({.cell = 0, .latency_ms = 5, .standard_error_ms = kNaN});
  CHECK(one.done());
  CHECK_FALSE(one.next());
  CHECK(one.latency(0).mean == Approx(5).epsilon(1e-3));
  CHECK(one.expected_error() == 0);

  // Sub-networks of one operating point: by their MACs, where these are known.
  std::vector<PlanCell> cells;
  for (int s = 0; s < 12; ++s) cells.push_back({.subnet = s, .f_unit_mhz = 1000, .macs_m = 100. + 50 * s});
  ProfilePlan point(cells, budget(0.5, 1));
  while (const auto cell = point.next())
    point.observe({.cell = *cell, .latency_ms = 2 + 0.05 * cells[*cell].macs_m, .standard_error_ms = 0.01});
  CHECK(point.measured() == 6);
  for (std::size_t i = 0; i < cells.size(); ++i)
    CHECK(point.latency(i).mean == Approx(2 + 0.05 * cells[i].macs_m).epsilon(0.05));

  ProfilePlan two({{.unit = 0, .f_unit_mhz = 1000}, {.unit = 0, .f_unit_mhz = 500}, {.unit = 1, .f_unit_mhz = 1000}},
                  {});
  two.observe({.cell = 0, .latency_ms = 5});
  two.observe({.cell = 1, .latency_ms = 9});
  CHECK(std::isnan(two.latency(2).mean));
  CHECK(two.latency(2).low == 0);
  CHECK(std::isinf(two.latency(2).high));
  CHECK(two.next() == 2u);
  CHECK_FALSE(two.target_reached());
  two.skip(2);
  CHECK_FALSE(two.next());
  CHECK(two.done());
  CHECK_FALSE(two.target_reached());
}

TEST_CASE("what cannot be is refused in one line") {
  const PlanCell cell{.f_unit_mhz = 1000};
  const auto cells = [](PlanCell second) { return std::vector<PlanCell>{{.f_unit_mhz = 1000}, second}; };
  CHECK_THROWS_AS(ProfilePlan({}, {}), InputError);
  CHECK_THROWS_AS(ProfilePlan(cells({.f_unit_mhz = 1000}), {}), InputError);  // twice the same
  CHECK_THROWS_AS(ProfilePlan(cells({.f_unit_mhz = -1}), {}), InputError);
  CHECK_THROWS_AS(ProfilePlan(cells({.f_unit_mhz = kNaN}), {}), InputError);  // stated by the first only
  CHECK_THROWS_AS(ProfilePlan(cells({.f_unit_mhz = 500, .macs_m = 3}), {}),
                  InputError);  // differs within a sub-network
  CHECK_THROWS_AS(ProfilePlan(cells({.f_unit_mhz = 500, .macs_m = kNaN}), {}), InputError);
  PlanOptions none;
  none.budget_share = 0;
  CHECK_THROWS_AS(ProfilePlan({cell}, none), InputError);

  ProfilePlan plan({cell}, {});
  for (const double ms : {0.0, -1.0, kNaN, std::numeric_limits<double>::infinity()})
    CHECK_THROWS_AS(plan.observe({.cell = 0, .latency_ms = ms}), InputError);
  CHECK_THROWS_AS(plan.observe({.cell = 1, .latency_ms = 1}), InputError);
  CHECK_THROWS_AS(plan.observe({.cell = 0, .latency_ms = 1, .standard_error_ms = -1}), InputError);
  CHECK_THROWS_AS(plan.observe({.cell = 0, .latency_ms = 1, .energy_mj = 0}), InputError);
  CHECK_THROWS_AS(plan.latency(1), InputError);
  CHECK_THROWS_AS(plan.skip(1), InputError);
  CHECK(plan.measured() == 0);  // what was refused left nothing behind
  CHECK_THROWS_WITH(plan.observe({.cell = 0, .latency_ms = -2}),
                    "cell 0: latency_ms must be positive and finite, not -2");
}
