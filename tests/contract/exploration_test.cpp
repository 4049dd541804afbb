// Explorations: variables, racing, journal, resuming, and simulations made elsewhere.
#include <cmath>
#include <set>

#include <catch2/catch.hpp>

#include "common/text.hpp"
#include "explore/exploration/directory.hpp"
#include "explore/exploration/distribution.hpp"
#include "explore/exploration/report.hpp"
#include "kernel/random.hpp"
#include "support/lab.hpp"

namespace dynasoc::explore {
namespace {

using test::Lab;

// A camera on the made-up board, whose frames come at random, and an exploration of it.
class Bench {
 public:
  Bench() {
    for (int i = 0; i < 3; ++i) lab.network["subnets"][i]["memory_mb"] = 4 << i;
    const Json scenario = test::parse_json(R"({"platform": "board.json", "duration_s": 3, "applications": {"app": {
      "network": "net/network.json", "unit": "gpu", "arrivals": {"kind": "poisson", "rate_hz": 20},
      "targets": [{"latency_ms": 60}], "late": "drop-hopeless",
      "execution": {"kind": "table", "default_cv": 0.1}}}, "policy": "dynamic-ofa"})");
    lab.load(scenario);
    lab.write("scenario.json", scenario.dump(1));
    file = test::parse_json(R"({
      "scenario": "scenario.json",
      "variables": {
        "policy": {"kind": "choice", "path": "policy", "values": ["none", {"name": "dynamic-ofa", "dvfs": true}]},
        "period_ms": {"kind": "choice", "path": "policy.period_ms", "values": [20, 100],
                      "when": {"variable": "policy", "is": ["dynamic-ofa"]}},
        "subnets": {"kind": "subset", "path": "applications.app.subnets", "of": ["L1", "L2", "L3"], "least": 1, "most": 2},
        "gpu_mhz": {"kind": "subset", "path": "opps_mhz.gpu", "of": [250, 500, 1000], "most": 2}
      },
      "objectives": [{"metric": "platform.energy_j", "resolution": 0.2}, {"metric": "run.miss_rate", "resolution": 0.02}],
      "algorithm": {"kind": "random", "population": 12, "generations": 2},
      "replications": 12, "sensitivity": {"samples": 8, "replications": 2}
    })");
  }
  Space space() const {
    lab.write("it.explore.json", file.dump(1));
    return Space(load_exploration(lab.folder() / "it.explore.json"), lab.folder());
  }
  std::string refusal() const {
    try {
      space();
    } catch (const InputError& error) {
      std::string text = error.what();
      return text.substr(text.find("it.explore.json"));
    }
    return "accepted";
  }
  /// The answer's files, one after the other.
  std::string run(Journal& journal, int jobs = 1, const std::function<void()>& on_evaluation = {}) const {
    const Space here = space();
    Candidates candidates(here, journal, {jobs, false, false, on_evaluation});
    Candidates design(here, journal, {jobs, false, true, on_evaluation});
    const Exploration exploration = explore(candidates, design);
    return front_csv(candidates, exploration) + all_csv(candidates, exploration) +
           exploration_json(candidates, exploration).dump(1);
  }
  std::filesystem::path path(const std::string& name) const { return lab.folder() / name; }

  Lab lab;
  Json file;
};

std::vector<double> point(const Space& space, double value) {
  std::vector<double> x = space.box().low;
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::min(space.box().high[i], std::max(x[i], value));
  return x;
}

TEST_CASE("points of the box are configurations: subsets keep their bounds, what does not matter is not there",
          "[exploration]") {
  const Bench bench;
  const Space space = bench.space();
  CHECK(space.box().low.size() == 8);
  CHECK(space.box().integers == 8);
  CHECK(space.size() == (2 + 1) * 6 * 6);  // the second variable matters for one of two policies
  CHECK(space.assignments(space.at(point(space, 0))).dump() == R"({"policy":"none","subnets":["L1"],"gpu_mhz":[250]})");
  CHECK(space.assignments(space.at(point(space, 1))).dump() ==
        R"({"policy":{"name":"dynamic-ofa","dvfs":true},"period_ms":100,"subnets":["L1","L2"],"gpu_mhz":[250,500]})");
  // Two points that differ in the period alone are one configuration where the policy has none.
  Journal journal;
  Candidates candidates(space, journal, {});
  auto other = point(space, 0);
  other[space.coordinates(1)[0]] = 1;
  CHECK(candidates.find({space.at(point(space, 0)), space.at(other)}) == std::vector<std::size_t>{0, 0});
  // The way back, and what the scenario makes of it.
  const Json assignments = space.assignments(space.at(point(space, 1)));
  const Value value(Document::parse(assignments.dump(), "line"));
  CHECK(space.assignments(space.from_assignments(value)) == assignments);
  const Scenario scenario = space.scenario(space.from_assignments(value));
  CHECK(scenario.file.policy.name == "dynamic-ofa");
  CHECK(scenario.file.applications[0].second.subnets.size() == 2);
  CHECK(space.key(scenario) != space.base_key());
  CHECK(space.key(scenario) == space.key(space.scenario(space.at(point(space, 1)))));
}

TEST_CASE("numbers keep within their bounds, on either scale", "[exploration]") {
  Bench bench;
  bench.file["variables"] = test::parse_json(R"({
    "rate": {"kind": "real", "path": "applications.app.arrivals.rate_hz", "low": 0.1234567, "high": 100, "scale": "log"},
    "queue": {"kind": "integer", "path": "applications.app.queue_limit", "low": 1, "high": 4}})");
  const Space space = bench.space();
  const auto rate = [&](double share) {
    const Box& box = space.box();
    return space.at({box.low[0] + share * (box.high[0] - box.low[0]), 2}).values[0]->get<double>();
  };
  CHECK(rate(0) == 0.1235);
  CHECK(rate(1) == 100);
  CHECK(rate(0.5) == Approx(std::sqrt(12.34567)).epsilon(1e-3));
  CHECK(number_text(rate(0.3)).size() <= 6);  // four digits
  CHECK(*space.at(space.box().high).values[1] == Json(4));
}

TEST_CASE("an exploration that cannot be is refused at its place, before anything runs", "[exploration]") {
  const auto refused = [](const std::string& path, const std::string& value) {
    Bench bench;
    bench.lab.write("it.explore.json", bench.file.dump(1));
    auto document = Document::load(bench.path("it.explore.json"));
    try {
      Space(read_exploration(document, {{path, value}}), bench.lab.folder());
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  using Catch::Contains;
  CHECK_THAT(refused("variables.policy.values", "[]"), Contains("the space is empty"));
  CHECK_THAT(refused("variables.subnets.least", "4"), Contains("the space is empty"));
  CHECK_THAT(refused("variables.gpu_mhz.most", "0.5"), Contains("/variables/gpu_mhz/most"));
  CHECK_THAT(refused("variables.policy.values", R"(["none", {"name": "dynamic-ofa"}, "pdi"])"),
             Contains("/variables/policy/values/2") && Contains("variable \"policy\", value \"pdi\"") &&
                 Contains("did you mean \"pid\"?"));
  CHECK_THAT(refused("variables.subnets.of", R"(["L1", "L9"])"), Contains("has no sub-network \"L9\""));
  CHECK_THAT(refused("variables.subnets.path", "applications.ap.subnets"), Contains("did you mean \"app\"?"));
  CHECK_THAT(refused("variables.period_ms.when.variable", "polcy"), Contains("did you mean \"policy\"?"));
  CHECK_THAT(refused("variables.period_ms.when.is", R"(["pid"])"), Contains("has no value \"pid\""));
  CHECK_THAT(refused("objectives", R"([{"metric": "run.mis_rate"}])"), Contains("did you mean \"run.miss_rate\"?"));
  CHECK_THAT(refused("objectives", R"([{"metric": "apps.app.jobs"}])"), Contains("say \"better\""));
  CHECK_THAT(refused("objectives", "[]"), Contains("there is no objective"));
  CHECK_THAT(refused("constraints",
                     R"([{"metric": "run.miss_rate", "most": 0.1}, {"metric": "run.miss_rate", "least": 0.2}])"),
             Contains("contradictory constraints: run.miss_rate must be at least 0.2 and at most 0.1"));
  CHECK_THAT(refused("set", R"({"duration": 5})"), Contains("/set") && Contains("did you mean \"duration_s\"?"));
  CHECK_THAT(refused("algorithm.kind", "nsga"), Contains("did you mean \"nsga2\"?"));
  CHECK(refused("seed", "4") == "accepted");
}

TEST_CASE("a value that only some combinations accept is not refused, and those it is refused with are told",
          "[exploration]") {
  Bench bench;
  bench.file["variables"] = test::parse_json(R"({
    "subnet": {"kind": "choice", "path": "applications.app.subnet", "values": ["L1", "L2", "L3"]},
    "subnets": {"kind": "subset", "path": "applications.app.subnets", "of": ["L1", "L2", "L3"], "most": 1}})");
  const Space space = bench.space();  // L1 and [L3] do not go together; L3 and [L3] do
  Journal journal;
  Candidates candidates(space, journal, {});
  const auto ids = candidates.find({space.at({0, 0, 0, 1}), space.at({2, 0, 0, 1})});
  CHECK(!candidates[ids[0]].refused.empty());
  CHECK(candidates[ids[1]].refused.empty());
  candidates.ensure(ids, 2);
  CHECK(candidates[ids[0]].samples.empty());
  CHECK(candidates[ids[1]].samples.size() == 2);
}

// -- Racing on made-up samples ----------------------------------------------------------------------------------------

// `count` configurations of two objectives: true means, common noise that pairs cancel, and noise of their own.
std::vector<Samples> made_up(const std::vector<std::vector<double>>& means, std::size_t n, double own_sd,
                             std::uint64_t seed) {
  std::vector<Samples> out;
  for (std::size_t i = 0; i < means.size(); ++i) {
    Samples samples;
    for (std::size_t r = 0; r < n; ++r) {
      samples.emplace_back();
      for (std::size_t k = 0; k < 2; ++k)
        samples.back().push_back(means[i][k] + 5 * Stream(seed, "common", r).normal(k) +
                                 own_sd * Stream(seed, "own" + std::to_string(i), r).normal(k));
    }
    out.push_back(std::move(samples));
  }
  return out;
}

std::vector<const Samples*> pointers(const std::vector<Samples>& samples) {
  std::vector<const Samples*> out;
  for (const Samples& one : samples) out.push_back(&one);
  return out;
}

TEST_CASE("a race seldom drops what belongs to the front, and soon what does not", "[exploration]") {
  const Wishes wishes{{1, 1}, {0, 0}, {}};
  // Eight on a line that trades one objective for the other; the ninth lies on it too and is tested; the tenth is
  // worse.
  std::vector<std::vector<double>> means;
  for (int i = 0; i < 8; ++i) means.push_back({1.0 * i, 7.0 - i});
  means.push_back({3.5, 3.5});
  means.push_back({5.5, 5.5});
  const Rounds rounds = rounds_of({}, 30);
  constexpr double kError = 0.2;
  constexpr int kRaces = 400;
  int wrong = 0, right = 0;
  std::size_t needed = 0;
  for (std::uint64_t seed = 0; seed < kRaces; ++seed) {
    const auto samples = made_up(means, 30, 1, seed);
    const auto racers = pointers(samples);
    std::set<std::size_t> dropped;
    std::size_t at = 30;
    std::vector<int> looks = rounds.search;
    looks.insert(looks.end(), rounds.end.begin(), rounds.end.end() - 1);
    for (const int n : looks)
      for (const Dropped& one : look(wishes, racers, {8, 9}, 3, static_cast<std::size_t>(n),
                                     kError / static_cast<double>(rounds.looks()), true))
        if (dropped.insert(one.which).second && one.which == 9) at = static_cast<std::size_t>(n);
    wrong += static_cast<int>(dropped.count(8));
    right += static_cast<int>(dropped.count(9));
    needed += at;
  }
  CHECK(wrong <= kError * kRaces);  // the bound is loose: most divisions of the error are
  CHECK(right > 0.9 * kRaces);
  CHECK(static_cast<double>(needed) / kRaces < 20);
}

TEST_CASE("at the very border of being dominated the error is the one that was asked for", "[exploration]") {
  // One rival that is exactly equal in both objectives: each one-sided test is at its level, both at once are rarer.
  const Wishes wishes{{1, 1}, {0, 0}, {}};
  constexpr int kRaces = 4000;
  int at_10 = 0, in_one = 0;
  for (std::uint64_t seed = 0; seed < kRaces; ++seed) {
    const auto samples = made_up({{0, 0}, {0, 0}, {0, -9}}, 6, 1, seed);
    at_10 += domination_p_value(wishes, samples[0], samples[1], 0, 6) <= 0.1;
    in_one += domination_p_value(wishes, samples[0], samples[2], 0, 6) <= 0.1;  // the second is decided
  }
  CHECK(at_10 < 0.03 * kRaces);
  CHECK(in_one == Approx(0.1 * kRaces).epsilon(0.2));
}

TEST_CASE("differences without noise count as tosses of a coin; equal ones and undefined ones decide nothing",
          "[exploration]") {
  const Wishes wishes{{1, -1}, {0, 0}, {}};  // the second is better if greater
  const Samples a(3, {1, 1}), b(3, {2, 1}), c(3, {2, 2}), undefined(3, {std::nan(""), 1});
  CHECK(domination_p_value(wishes, b, a, 0, 3) == 0.125);  // what is rare may only not have been seen
  CHECK(domination_p_value(wishes, a, b, 0, 3) == 1);
  CHECK(domination_p_value(wishes, a, a, 0, 3) == 1);
  CHECK(domination_p_value(wishes, c, a, 0, 3) == 1);
  CHECK(domination_p_value(wishes, undefined, a, 0, 3) == 1);
  // With resolutions, what is not worse by more than them is enough.
  const Wishes coarse{{1, -1}, {0, 1.5}, {}};
  CHECK(domination_p_value(coarse, c, a, 0, 3) == 0.125);
  CHECK(front_of(wishes, {{1, -1}, {2, -2}, {2, -1}}) == std::vector<std::size_t>{0, 1});
  CHECK(front_of(coarse, {{1, -1}, {2, -2}, {2, -1}}) == std::vector<std::size_t>{0});
}

TEST_CASE("constraints are tested too, and order what breaks them", "[exploration]") {
  Wishes wishes{{1}, {0}, {{1, 10, -INFINITY, true}}};  // known for sure
  const Samples good(4, {5, 10}), bad(4, {1, 12}), worse(4, {1, 20}), undefined(4, {1, std::nan("")});
  CHECK(violation(wishes, {5, 10}) == 0);
  CHECK(violation(wishes, {5, 12}) == Approx(0.2));
  const auto dropped = look(wishes, {&good, &bad, &worse, &undefined}, {0, 1, 2, 3}, 3, 4, 0.05, true);
  std::set<std::size_t> which;
  for (const Dropped& one : dropped) {
    which.insert(one.which);
    CHECK(one.by == -1);
  }
  CHECK(which == std::set<std::size_t>{1, 2});
  // Of a metric that varies, four replications that agree (or in which it is undefined) prove nothing yet.
  wishes.limits[0].certain = false;
  CHECK(look(wishes, {&good, &bad, &worse, &undefined}, {0, 1, 2, 3}, 3, 4, 0.05, true).empty());
}

TEST_CASE("two variables do not set the same member", "[exploration]") {
  Bench bench;
  bench.file["variables"]["again"] = {{"kind", "choice"}, {"path", "policy"}, {"values", {"none", "static"}}};
  CHECK_THROWS_WITH(bench.space(),
                    Catch::Contains("/variables/again: sets \"policy\", as does the variable \"policy\""));
}

// -- Fronts -----------------------------------------------------------------------------------------------------------

TEST_CASE("the knee bulges farthest beyond the line through the extremes", "[exploration]") {
  CHECK(knee_of({{0, 10}, {1, 4}, {5, 2}, {10, 0}}) == 1);  // sums of shares: 1, 0.5, 0.7, 1
  CHECK(knee_of({{0, 1000}, {1, 400}, {5, 100}}) == 1);     // units do not matter: 1, 0.53, 1
  CHECK(knee_of({{0, 3}, {1, 3}}) == 0);                    // an objective in which all are equal does not count
  CHECK(knee_of({{7, 7}}) == 0);
}

TEST_CASE("a hypervolume's error bar holds the true one, and has no width without noise", "[exploration]") {
  const Wishes wishes{{1, 1}, {0, 0}, {}};
  const HypervolumeBox box{{10, 10}, {0, 0}};
  CHECK(box.share({{2, 5}, {5, 2}}) == Approx(0.55));  // 8 x 5 + 5 x 3 of 100
  const Samples exact(10, {2, 5});
  const Hypervolume without = hypervolume_of(box, wishes, {&exact});
  CHECK(without.value == Approx(0.4));
  CHECK(without.interval.high - without.interval.low < 1e-12);
  int held = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Samples noisy;
    const Stream stream(seed, "noise");
    for (std::uint64_t r = 0; r < 30; ++r) noisy.push_back({2 + stream.normal(2 * r), 5 + stream.normal(2 * r + 1)});
    held += !hypervolume_of(box, wishes, {&noisy}, 200).interval.excludes(0.4);
  }
  CHECK(held >= 86);
  CHECK(held < 100);
}

TEST_CASE("Sobol' indices of a function that has closed ones", "[exploration]") {
  // Ishigami's function (Ishigami, Homma 1990) with a = 7, b = 0.1: first 0.3139, 0.4424, 0; total 0.5576, 0.4424,
  // 0.2437.
  constexpr double kPi = 3.14159265358979323846;
  const Box box{{-kPi, -kPi, -kPi, 0}, {kPi, kPi, kPi, 1}, 0};
  const SaltelliDesign design = saltelli_design(box, {{0}, {1}, {2}, {3}}, 1024, 1);
  std::vector<double> values;
  for (const auto& x : design.points)
    values.push_back(std::sin(x[0]) + 7 * std::pow(std::sin(x[1]), 2) + 0.1 * std::pow(x[2], 4) * std::sin(x[0]));
  std::size_t used = 0;
  const auto indices = saltelli_indices(design, values, used);
  CHECK(used == 1024);
  CHECK(indices[0].first == Approx(0.3139).margin(0.05));
  CHECK(indices[1].first == Approx(0.4424).margin(0.05));
  CHECK(indices[2].first == Approx(0).margin(0.05));
  CHECK(indices[0].total == Approx(0.5576).margin(0.05));
  CHECK(indices[1].total == Approx(0.4424).margin(0.05));
  CHECK(indices[2].total == Approx(0.2437).margin(0.05));
  CHECK(indices[3].total == 0);
  CHECK(indices[3].first == 0);
  CHECK(!indices[0].total_interval.excludes(0.5576));
}

// -- Journals, resuming, distribution ---------------------------------------------------------------------------------

TEST_CASE("a line of the journal comes back as it was, and a damaged one does not come back", "[exploration]") {
  const Evaluation evaluation{"0123456789abcdef", 7, Json{{"a", "b,\t\n"}}, {1.5, -1e-300, std::nan(""), 3}};
  const std::string line = journal_line(evaluation);
  CHECK(line.back() == '\n');
  const std::string whole = line.substr(0, line.size() - 1);
  CHECK(std::count(line.begin(), line.end(), '\n') == 1);
  const auto back = read_journal_line(whole);
  REQUIRE(back);
  CHECK(journal_line(*back) == line);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CHECK(!read_journal_line(whole.substr(0, i)));
    std::string other = whole;
    other[i] ^= 1;
    CHECK(!read_journal_line(other));
  }
}

TEST_CASE("an exploration gives the same files on any number of threads, and after being cut off anywhere",
          "[exploration]") {
  const Bench bench;
  Journal memory;
  const std::string expected = bench.run(memory);
  Journal again;
  CHECK(bench.run(again, 3) == expected);

  const auto directory = bench.path("out");
  const auto journal_path = directory / "evaluations.tsv";
  {
    const auto journal = open_directory(directory, bench.space(), false);
    CHECK(bench.run(*journal) == expected);
  }
  const std::string journal_text = read_file(journal_path);
  // Cut within the last line at every byte, and at places all over the file.
  const std::size_t last = journal_text.rfind('\n', journal_text.size() - 2) + 1;
  std::vector<std::size_t> cuts{0, 1};
  for (std::size_t cut = last; cut < journal_text.size(); cut += 7) cuts.push_back(cut);
  for (std::size_t i = 1; i < 6; ++i) cuts.push_back(journal_text.size() * i / 6);
  for (const std::size_t cut : cuts) {
    write_file(journal_path, journal_text.substr(0, cut));
    const auto whole = static_cast<std::size_t>(std::count(journal_text.begin(), journal_text.begin() + cut, '\n'));
    const auto journal = open_directory(directory, bench.space(), false);
    CHECK(journal->read() == whole);
    std::size_t simulated = 0;
    if (bench.run(*journal, 1, [&] { ++simulated; }) != expected) FAIL("cut at " << cut);
    CHECK(simulated == memory.size() - whole);  // nothing twice
  }

  // What stands in the middle and is not whole was not left by a kill.
  std::string damaged = journal_text;
  damaged[10] ^= 1;
  write_file(journal_path, damaged);
  CHECK_THROWS_WITH(open_directory(directory, bench.space(), false),
                    Catch::Contains("evaluations.tsv:1:1") && Catch::Contains("damaged"));
}

TEST_CASE("a directory is one exploration's, and one process's", "[exploration]") {
  Bench bench;
  const auto directory = bench.path("out");
  const auto refusal = [&](bool force = false) {
    try {
      open_directory(directory, bench.space(), force);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  {
    const auto journal = open_directory(directory, bench.space(), false);
    CHECK_THAT(refusal(), Catch::Contains("another process is exploring"));
    CHECK_THAT(refusal(true), Catch::Contains("another process is exploring"));
    bench.run(*journal);
  }
  // Another algorithm reuses what is there; another objective or scenario is foreign.
  const Json original = bench.file;
  bench.file["algorithm"]["kind"] = "sobol";
  {
    const auto journal = open_directory(directory, bench.space(), false);
    CHECK(journal->read() > 0);
  }
  bench.file["objectives"][0]["metric"] = "run.cost";
  CHECK_THAT(refusal(), Catch::Contains("holds another exploration"));
  bench.file = original;
  bench.file["set"] = test::parse_json(R"({"duration_s": 4})");
  CHECK_THAT(refusal(), Catch::Contains("holds another exploration"));
  CHECK(refusal(true) == "accepted");
  bench.file = original;
  CHECK_THAT(refusal(), Catch::Contains("holds another exploration"));
  write_file(directory / "explore.json", "{\"base\": 1}");
  CHECK_THAT(refusal(), Catch::Contains("explore.json:1:1"));
  write_file(directory / "thesis.tex", "");
  CHECK_THAT(refusal(true), Catch::Contains("thesis.tex"));
}

TEST_CASE("simulations made elsewhere come to the same files", "[exploration]") {
  const Bench bench;
  Journal memory;
  const std::string expected = bench.run(memory);
  const Space space = bench.space();
  const auto directory = bench.path("out");
  std::size_t evaluated = 0, rounds = 0;
  for (;; ++rounds) {
    REQUIRE(rounds < 1000);
    const auto journal = open_directory(directory, space, false);
    Candidates candidates(space, *journal, {1, true, false, {}}), design(space, *journal, {1, true, true, {}});
    std::string lines;
    try {
      const Exploration exploration = explore(candidates, design);
      CHECK(front_csv(candidates, exploration) + all_csv(candidates, exploration) +
                exploration_json(candidates, exploration).dump(1) ==
            expected);
      break;
    } catch (const Pending& pending) {
      lines = pending_lines(pending.of_design ? design : candidates, pending, 25);
    }
    bench.lab.write("pending", lines);
    const std::string done = evaluate_lines(space, bench.path("pending"), 2, {});
    evaluated += static_cast<std::size_t>(std::count(done.begin(), done.end(), '\n'));
    std::ofstream(directory / "evaluations.tsv", std::ios::app) << done;
  }
  CHECK(evaluated == memory.size());
  CHECK(rounds > 3);

  bench.lab.write("pending", "\n{\"key\": \"0\", \"replication\": 0, \"assignments\": {\"policy\": \"none\"}}\n");
  CHECK_THROWS_WITH(evaluate_lines(space, bench.path("pending"), 1, {}),
                    Catch::Contains("pending:2:9") && Catch::Contains("not the key"));
  bench.lab.write("pending", "{\"key\": \"0\", \"replication\": 0, \"assignments\": {\"polcy\": \"none\"}}\n");
  CHECK_THROWS_WITH(evaluate_lines(space, bench.path("pending"), 1, {}), Catch::Contains("did you mean \"policy\"?"));
}

TEST_CASE("racing saves simulations and comes to the same front", "[exploration]") {
  Bench bench;
  bench.file["algorithm"]["population"] = 40;
  bench.file["sensitivity"] = test::parse_json(R"({"samples": 0})");
  const auto explored = [](const Bench& of) {
    const Space space = of.space();
    Journal journal;
    Candidates candidates(space, journal, {}), design(space, journal, {});
    Exploration out = explore(candidates, design);
    std::set<std::string> front;
    for (const FrontPoint& point : out.front) front.insert(candidates[point.candidate].assignments.dump());
    return std::pair{out, front};
  };
  const auto [raced, raced_front] = explored(bench);
  bench.file["racing"] = false;
  const auto [full, full_front] = explored(bench);  // random points: the same in both
  CHECK(full.samples == full.full);
  CHECK(raced.full == full.full);
  CHECK(raced.samples < full.samples);
  CHECK(raced.count(Standing::dropped) > 0);
  for (const FrontPoint& point : raced.front) CHECK(point.metrics[0].n == 12);
  CHECK(raced_front == full_front);
}

TEST_CASE("where nothing is feasible it is said which constraints do not go together, and what comes nearest",
          "[exploration]") {
  Bench bench;
  const auto told = [&] {
    const Space space = bench.space();
    Journal journal;
    Candidates candidates(space, journal, {}), design(space, journal, {});
    const Exploration exploration = explore(candidates, design);
    REQUIRE(exploration.infeasible);
    CHECK(exploration.front.empty());
    return infeasible_text(candidates, *exploration.infeasible);
  };
  bench.file["constraints"] =
      test::parse_json(R"([{"metric": "run.miss_rate", "most": 2}, {"metric": "run.memory_mb", "most": 3}])");
  CHECK_THAT(told(), Catch::Contains("all break run.memory_mb at most 3 (the nearest: 4.000)") &&
                         Catch::Contains("nearest: {") && !Catch::Contains("all break run.miss_rate"));
  bench.file["constraints"] =
      test::parse_json(R"([{"metric": "run.memory_mb", "most": 5}, {"metric": "run.accuracy", "least": 74}])");
  CHECK_THAT(told(), Catch::Contains("none keeps both run.memory_mb at most 5 and run.accuracy at least 74"));
}

}  // namespace
}  // namespace dynasoc::explore
