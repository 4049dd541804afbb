// Suites, and the baselines beside them: one that is accepted is the same after being written.
#include "common/text.hpp"
#include "results/suites/baseline.hpp"
#include "results/suites/suite.hpp"
#include "target.hpp"

namespace dynasoc::fuzz {
namespace {

bool read_suite(const std::string& text) {
  static const Beside beside("scenarios/regression", "fuzzed.suite.json");
  return good_or_refused([&] { suite::load_suite(beside.write(text)); });
}

bool read_baseline(const std::string& text) {
  static const Beside beside("scenarios/regression", "fuzzed.baseline.json");
  std::string written;
  if (!good_or_refused([&] { written = suite::baseline_text(*suite::load_baseline(beside.write(text))); }))
    return false;
  std::string again;
  if (!good_or_refused([&] { again = suite::baseline_text(*suite::load_baseline(beside.write(written))); }))
    throw Finding("is refused after being written: " + written);
  if (again != written) throw Finding("is something else after being written: " + again);
  return true;
}

const Register suites{
    {.name = "suite",
     .doc = "suites of expectations (`dynasoc check`)",
     .form = Form::json,
     .seeds =
         [] {
           return std::vector<std::string>{
               R"({"title": "One", "runs": {"a": {"scenario": "minimal", "replications": 2, "expect": [
                                     {"kind": "limit", "metric": "run.miss_rate", "most": 0.5}]}}})"};
         },
     .read = read_suite,
     .schemas = [] { return std::vector<Json>{schema_of<suite::SuiteFile>()}; },
     .mutants = 600}};
const Register baselines{{.name = "baseline",
                          .doc = "what a suite's runs gave (NAME.baseline.json)",
                          .form = Form::json,
                          .seeds =
                              [] {
                                return std::vector<std::string>{
                                    R"({"comment": "", "runs": {"a": {"seed": 1, "replications": 2,
                                        "inputs": {"x.json": "0123456789abcdef"}, "metrics": {"run.miss_rate": [0.5, null]},
                                        "digest": {"apps": {"camera": {"completed": 3, "share": {"L1": 1}}},
                                                   "units": {"gpu": {"utilisation": 0.5}}, "board_j": 3.25}}}})"};
                              },
                          .read = read_baseline,
                          .schemas = [] { return std::vector<Json>{schema_of<suite::BaselineFile>()}; },
                          .mutants = 1500}};

}  // namespace
}  // namespace dynasoc::fuzz
