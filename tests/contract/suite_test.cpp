// Suites: what a test says of differences, what is stored and how it is written, what pipelines are told.
#include <algorithm>
#include <cmath>

#include <catch2/catch.hpp>

#include "common/text.hpp"
#include "results/suites/evaluate.hpp"
#include "results/suites/pipeline.hpp"
#include "results/suites/report.hpp"
#include "results/suites/update.hpp"
#include "support/temporary_folder.hpp"

namespace dynasoc {
namespace {

using Catch::Contains;
using suite::p_above;

TEST_CASE("a worsening beyond a margin, one-sided") {
  const std::vector<double> worse{1.0, 1.2, 0.9, 1.1, 1.3};
  CHECK(p_above(worse, 0) == Approx(paired_p_value(worse) / 2));
  CHECK(p_above(worse, 0) < 1e-3);
  CHECK(p_above(worse, 1.1) == Approx(0.5));
  CHECK(p_above(worse, 2) > 0.999);
  CHECK(p_above({-1.0, -1.2, -0.9}, 0) > 0.99);
  // t = 1.1/sqrt(0.025/5) of five values, 4 degrees of freedom: beyond the 99.99 % quantile of tables, 13.03.
  CHECK(p_above(worse, 0) < 1e-4);
}

TEST_CASE("differences that are all equal are exact") {
  CHECK(p_above({0.5, 0.5}, 0) == 0);
  CHECK(p_above({0.5, 0.5}, 0.5) == 1);
  CHECK(p_above({0, 0, 0}, 0) == 1);
  CHECK(std::isnan(p_above({1}, 0)));
  CHECK(std::isnan(p_above({}, 0)));
}

TEST_CASE("a share is taken pair by pair") {
  const std::vector<double> before{1, 9, 1, 9, 5};
  std::vector<double> now;
  for (const double x : before) now.push_back(1.03 * x);
  // 3 % worse in each. Against a constant margin of 1 % of the mean, the spread of `before` would be noise: p = 0.068.
  CHECK(suite::p_larger(now, before, 0.01, 0) < 0.03);
  CHECK(suite::p_larger(now, before, 0.03, 0) == 1);
  CHECK(suite::p_larger(now, before, 0.05, 0) > 0.95);
  CHECK(suite::p_larger(now, before, 0.01, 0.2) > 0.5);
  CHECK(suite::p_smaller(before, now, 0.02, 0) < 0.03);
  CHECK(suite::p_smaller(now, before, 0, 0) > 0.95);
  std::vector<double> below, further;  // a share of the mean's size, whatever its sign
  for (const double x : before) below.push_back(-x), further.push_back(-1.03 * x);
  CHECK(suite::p_smaller(further, below, 0.01, 0) < 0.03);
  CHECK(suite::p_smaller(further, below, 0.03, 0) == 1);
}

TEST_CASE("an accepted value has the digits that its tolerance needs") {
  CHECK(suite::accepted_value(12.3456789, 1) == "12.35");
  CHECK(suite::accepted_value(12.3456789, 0.01) == "12.3457");
  CHECK(suite::accepted_value(12.3456789, 0) == "12.3456789");
  CHECK(suite::accepted_value(0, 0.1) == "0");
  CHECK(suite::accepted_value(123456.7, 1e4) == "123457");
  CHECK(suite::accepted_value(-0.5, 0.1) == "-0.5");
}

TEST_CASE("a number is replaced and nothing else") {
  const std::string text = "{ \"a\" :[1,  {\"value\" : -1.5e-3 ,\n\"b\":2} ]}";
  CHECK(suite::with_number(text, "/a/1/value", "7") == "{ \"a\" :[1,  {\"value\" : 7 ,\n\"b\":2} ]}");
  CHECK(suite::with_number(text, "/a/0", "12") == "{ \"a\" :[12,  {\"value\" : -1.5e-3 ,\n\"b\":2} ]}");
  CHECK_THROWS_AS(suite::with_number(text, "/a", "7"), InternalError);
}

TEST_CASE("a baseline is read as it was written, a line a number or metric") {
  suite::BaselineFile file{"x", {}};
  suite::StoredRun run;
  run.run = "minimal, none";
  run.seed = 7;
  run.replications = 2;
  run.inputs = {{"a/b.csv", "00ff"}};
  run.metrics = {{"run.cost", {0.1, std::nullopt}}};
  suite::AppDigest app;
  app.latency_ms = 12.5;
  app.share = {{"L1", 0.25}, {"L2", 0.75}};
  run.digest.apps = {{"camera, far", app}};
  file.runs = {{"one", run}};
  const std::string text = suite::baseline_text(file);
  CHECK_THAT(text, Contains("\n        \"run.cost\": [0.1, null]\n"));
  CHECK_THAT(text, Contains("\n              \"L1\": 0.25,\n"));

  const test::TemporaryFolder folder;
  const auto path = folder.path() / "x.baseline.json";
  write_file(path, text);
  const auto again = suite::load_baseline(path);
  REQUIRE(again);
  CHECK(suite::baseline_text(*again) == text);
  CHECK_FALSE(suite::load_baseline(folder.path() / "none.baseline.json"));
  CHECK(suite::baseline_path("a/b.suite.json") == "a/b.baseline.json");
  CHECK(suite::baseline_path("a/b.json") == "a/b.baseline.json");
}

suite::StoredRun stored() {
  suite::StoredRun run;
  suite::AppDigest app;
  app.miss_rate = 0.04;
  app.waiting_ms = 2;
  app.share = {{"L3", 1}};
  app.service_ms = {{"L3", 40}};
  run.digest.apps = {{"camera", app}, {"radar", app}};
  run.digest.units = {{"gpu", {0.5, 1000, 20}}};
  run.inputs = {{"here/table.csv", "aa"}, {"board.json", "bb"}};
  return run;
}

std::vector<std::string> lines_of(const std::vector<suite::Movement>& all) {
  std::vector<std::string> out;
  for (const auto& one : all) out.push_back(one.subject + ": " + one.what);
  return out;
}

TEST_CASE("what else moved is told with its numbers") {
  const suite::StoredRun before = stored();
  CHECK(suite::movements(before, before, "").empty());
  suite::StoredRun now = before;
  now.inputs = {{"elsewhere/table.csv", "cc"}, {"renamed.json", "bb"}};
  auto& camera = now.digest.apps[0].second;
  camera.service_ms = {{"L3", 41.2}, {"L2", 30}};
  camera.share = {{"L3", 0.6}, {"L2", 0.4}};
  camera.miss_rate = 0.1;
  now.digest.apps[1].second.waiting_ms = std::nullopt;
  now.digest.units[0].second.mean_mhz = 900;
  CHECK(lines_of(suite::movements(before, now, "camera")) ==
        std::vector<std::string>{"inputs: elsewhere/table.csv is new", "inputs: here/table.csv is no longer read",
                                 "camera: serving a frame takes L3 40.00 → 41.20 ms (+3.00 %)",
                                 "camera: frames by sub-network: L3 100 → 60.0 %, L2 0 → 40.0 %",
                                 "camera: no result in time: 4.00 → 10.0 %",
                                 "gpu: clock 1000 → 900.0 MHz on average (−10.0 %)"});
  CHECK_THAT(lines_of(suite::movements(before, now, "")),
             Catch::VectorContains(std::string("radar: waiting 2.000 → undefined ms a frame")));
}

TEST_CASE("what came, what went and another run are told") {
  suite::StoredRun before = stored();
  before.run = "minimal, none";
  suite::StoredRun now = before;
  now.run = "minimal, alert";
  now.digest.apps.erase(now.digest.apps.begin() + 1);
  now.digest.units.emplace_back("dla", suite::UnitDigest{});
  CHECK(lines_of(suite::movements(before, now, "camera")) ==
        std::vector<std::string>{"run: the suite asks for another: minimal, none → minimal, alert",
                                 "radar: an application that is no longer there", "dla: a unit that is new"});
  before.run.clear();  // of an older file
  CHECK(suite::movements(before, now, "").size() == 2);
}

TEST_CASE("the largest movements are those explained") {
  suite::Result result;
  result.name = "one";
  result.before = result.now = stored();
  for (int i = 0; i < 8; ++i) result.now.inputs.emplace_back("new" + std::to_string(i), "n" + std::to_string(i));
  result.now.digest.apps[0].second.waiting_ms = 6;  // three times as much
  suite::Finding finding;
  finding.metric = "run.cost";
  finding.kind = "baseline";
  finding.application = "camera";
  finding.reference = 2;
  finding.ours = 3;
  finding.difference.mean = 1;
  finding.relative.mean = 0.5;
  auto lines = suite::explanation(result, finding, false);
  CHECK(lines.at(0) == "one: run.cost: 2 → 3, +50.0 %");
  CHECK_THAT(lines, Catch::VectorContains(std::string("  camera: waiting 2.000 → 6.000 ms a frame (+200 %)")));
  CHECK(lines.back() == "  … and 3 more in --json");
  finding.kind = "limit";  // no earlier value
  finding.wanted = "at most 2";
  CHECK(suite::explanation(result, finding, false).at(0) == "one: run.cost is 3, wanted: at most 2");
}

TEST_CASE("as many digits as it takes to see a change") {
  CHECK_THAT(suite::change_text(1.00001, 1.00002, "ms"), Catch::StartsWith("1.00001 → 1.00002 ms (+0.001"));
  CHECK(suite::change_text(0, 2, "") == "0 → 2.000");
}

TEST_CASE("pipelines get what they can read, whatever a name holds") {
  const std::vector<suite::Case> cases{
      {"one", "run", "good <&>", {"a.suite.json", 3, 5, ""}, "", ""},
      {"one", "run", "bad: 5 %, \"x\"", {"a,b.suite.json", 4, 5, ""}, "is 5 % worse\n<really>", "why\r\x01"},
  };
  const std::string xml = suite::junit_xml(cases);
  CHECK_THAT(xml, Contains("<testsuite name=\"one\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\">"));
  CHECK_THAT(xml, Contains("name=\"good &lt;&amp;&gt;\"/>"));
  CHECK_THAT(xml, Contains("message=\"is 5 % worse&#10;&lt;really&gt;\""));
  CHECK_THAT(xml, !Contains("\x01"));
  CHECK(suite::github_annotations(cases, "") ==
        "::error file=a%2Cb.suite.json,line=4,title=one.run%3A bad%3A 5 %25%2C \"x\"::is 5 %25 worse%0A<really>%0A"
        "why%0D\x01\n");
  CHECK_THAT(suite::github_annotations({{"s", "", "n", {"/w/x/a.json", 1, 1, ""}, "m", ""}}, "/w"),
             Contains("file=x/a.json,"));
  CHECK_THAT(suite::github_annotations({{"s", "", "n", {"/v/a.json", 1, 1, ""}, "m", ""}}, "/w"),
             Contains("file=/v/a.json,"));
}

TEST_CASE("suites of one name are not mixed") {
  const std::vector<suite::Case> cases{{"x", "r", "a", {}, "wrong", "", 1}, {"x", "r", "b", {}, "", "", 2}};
  const std::string xml = suite::junit_xml(cases);
  CHECK_THAT(xml, Contains("<testsuite name=\"x\" tests=\"1\" failures=\"1\"") &&
                      Contains("<testsuite name=\"x\" tests=\"1\" failures=\"0\""));
  CHECK_THAT(suite::junit_xml({{"x", "", "\xff\u00e9\xc3", {}, "", ""}}), Contains("name=\"?\u00e9?\""));
}

// A suite on the smallest scenario, changed and judged.
class Desk {
 public:
  explicit Desk(const std::string& expect, int replications = 4, const std::string& set = "") {
    write_file(path(),
               "{\"title\": \"t\", \"runs\": {\"one\": {\"scenario\": \"two-applications\", \"set\": "
               "{\"duration_s\": 10, \"windows\": {}" +
                   set + "}, \"replications\": " + std::to_string(replications) + ", \"expect\": [" + expect + "]}}}");
  }
  std::filesystem::path path() const { return folder_.path() / "x.suite.json"; }
  suite::Checked check(int jobs = 1) const {
    return suite::evaluate({{suite::load_suite(path()), {}}}, jobs, false).at(0);
  }
  void accept() const {
    for (const auto& change : suite::changes_of(check())) write_file(change.path, change.text);
  }
  // Every stored value of a metric, times a factor.
  void scale(const std::string& metric, double factor) const {
    auto file = *suite::load_baseline(suite::baseline_path(path()));
    for (auto& [name, values] : file.runs[0].second.metrics)
      for (auto& x : values)
        if (name == metric && x) *x *= factor;
    write_file(suite::baseline_path(path()), suite::baseline_text(file));
  }

 private:
  test::TemporaryFolder folder_;
};

TEST_CASE("against a baseline: none, the same, allowed, worse, better") {
  const std::string latency = "apps.camera.latency_ms.mean", throughput = "run.throughput_correct_hz";
  const Desk desk("{\"kind\": \"baseline\", \"metric\": \"" + latency +
                  "\", \"allowed\": 0.02}, {\"kind\": \"baseline\", \"metric\": \"" + throughput + "\"}");
  const auto states = [&] {
    std::vector<suite::State> out;
    const suite::Checked checked = desk.check();  // in the loop's head it would be gone before its findings are read
    for (const auto& one : checked.results[0].findings) out.push_back(one.state);
    return out;
  };
  using suite::State;
  CHECK(states() == std::vector{State::no_baseline, State::no_baseline});
  CHECK_FALSE(desk.check().ok());
  desk.accept();
  CHECK(states() == std::vector{State::holds, State::holds});
  CHECK(suite::changes_of(desk.check()).empty());
  desk.scale(latency, 1 / 1.01);  // one percent slower now
  CHECK(states() == std::vector{State::moved, State::holds});
  desk.scale(latency, 1 / 1.02);  // three
  CHECK(states() == std::vector{State::fails, State::holds});
  CHECK_THAT(desk.check().results[0].findings[0].message, Contains("(+3.02 %") && Contains("no worse than"));
  desk.scale(latency, 1.1);  // and now quicker
  CHECK(states() == std::vector{State::improved, State::holds});
  desk.scale(throughput, 1.01);  // of which more is better: one percent less now
  CHECK(states() == std::vector{State::improved, State::fails});
  desk.accept();
  CHECK(states() == std::vector{State::holds, State::holds});
}

TEST_CASE("p-values of a suite are adjusted together") {
  const Desk desk(R"({"kind": "baseline", "metric": "apps.camera.latency_ms.mean"},
                     {"kind": "baseline", "metric": "apps.camera.miss_rate"},
                     {"kind": "better", "metric": "apps.camera.miss_rate", "than": "none"})");
  desk.accept();
  desk.scale("apps.camera.latency_ms.mean", 0.9);
  const auto findings = desk.check().results[0].findings;
  CHECK(findings[0].p_holm == Approx(std::min(1.0, 2 * findings[0].p)));  // `better` is a family of its own
  CHECK(findings[2].p_holm == Approx(findings[2].p));
}

TEST_CASE("values and limits") {
  const Desk desk(R"x({"kind": "value", "metric": "apps.camera.jobs", "value": 90, "relative": 0.1},
                     {"kind": "value", "metric": "apps.camera.jobs", "value": 99, "absolute": 0.5},
                     {"kind": "limit", "metric": "apps.camera.jobs", "least": 101},
                     {"kind": "limit", "metric": "apps.camera.jobs", "least": 1, "most": 100},
                     {"kind": "better", "metric": "apps.camera.miss_rate", "than": "dynamic-ofa(dvfs=true,hysteresis=0.1)"})x");
  const auto findings = desk.check().results[0].findings;
  CHECK(findings[0].ours == Approx(100).margin(1));
  CHECK(findings[3].ok());
  CHECK_FALSE(findings[0].ok());
  CHECK_FALSE(findings[1].ok());
  CHECK_FALSE(findings[2].ok());
  CHECK_FALSE(findings[4].ok());  // nobody is better than himself
  CHECK(findings[4].difference.mean == 0);
}

TEST_CASE("what is undefined in a replication does not hold by the others") {
  const std::string metric = "apps.camera.latency_ms.mean";
  const auto expectation = [&](const std::string& kind, const std::string& more) {
    return R"({"kind": ")" + kind + R"(", "metric": ")" + metric + "\"" + more + "}";
  };
  // In ten seconds, some replications see no frame.
  const std::string rare = R"(, "applications.camera.arrivals": {"kind": "poisson", "rate_hz": 0.1})";
  const Desk desk(expectation("baseline", "") + ", " + expectation("value", R"(, "value": 60, "absolute": 1e9)") +
                      ", " + expectation("limit", R"(, "most": 1e9)") + ", " +
                      expectation("better", R"(, "than": "none", "by": -0.99)"),
                  10, rare);
  desk.accept();
  auto findings = desk.check().results[0].findings;
  REQUIRE(findings[0].undefined > 0);
  REQUIRE(findings[0].undefined < 9);
  CHECK(findings[0].state == suite::State::holds);  // undefined as it was
  for (const std::size_t i : {1, 2}) {
    CHECK(findings[i].state == suite::State::fails);
    CHECK_THAT(findings[i].message, Contains("is undefined in " + std::to_string(findings[0].undefined) + " of 10"));
  }
  CHECK(findings[3].ok());  // of the pairs that there are
  suite::Checked accepted = desk.check();
  suite::mark_accepted(accepted);
  CHECK(accepted.results[0].findings[1].state == suite::State::fails);  // there is no value to accept

  // A value where there is none now, and none where there is one now: as many as before, and not the same.
  auto file = *suite::load_baseline(suite::baseline_path(desk.path()));
  auto& values = file.runs[0].second.metrics[0].second;
  const auto none = std::find(values.begin(), values.end(), std::nullopt);
  const auto some = std::find_if(values.begin(), values.end(), [](const auto& x) { return x.has_value(); });
  REQUIRE((none != values.end() && some != values.end()));
  std::iter_swap(none, some);
  write_file(suite::baseline_path(desk.path()), suite::baseline_text(file));
  findings = desk.check().results[0].findings;
  CHECK(findings[0].state == suite::State::fails);
  CHECK_THAT(findings[0].message, Contains("undefined in 1 of 10 replications where the baseline has a value"));

  // Nothing to pair with is no reason to hold.
  for (auto& x : values) x = std::nullopt;
  write_file(suite::baseline_path(desk.path()), suite::baseline_text(file));
  findings = desk.check().results[0].findings;
  CHECK(findings[0].state == suite::State::fails);
  CHECK_THAT(findings[0].message, Contains("too few for a test"));
}

TEST_CASE("the same on any number of threads, each run once") {
  const Desk desk(R"({"kind": "baseline", "metric": "run.cost"}, {"kind": "limit", "metric": "run.cost", "most": 9},
                     {"kind": "better", "metric": "run.cost", "than": "none"})");
  const auto text = [&](int jobs) { return suite::suites_json({desk.check(jobs)}).dump(); };
  CHECK(text(1) == text(3));

  // Two suites of the same runs take as many steps as one: what is done is told as a share.
  const suite::Suite loaded = suite::load_suite(desk.path());
  const auto steps = [&](std::size_t copies) {
    std::size_t count = 0;
    suite::evaluate(std::vector<suite::Wanted>(copies, {loaded, {}}), 1, false, [&](double) { ++count; });
    return count;
  };
  CHECK(steps(2) == steps(1));
}

}  // namespace
}  // namespace dynasoc
