#include "results/suites/update.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "common/json_reader.hpp"
#include "common/text.hpp"

namespace dynasoc::suite {
namespace {

constexpr const char* kComment = "written by `dynasoc check --update`; not to be edited";

std::vector<double> defined(const std::vector<std::optional<double>>& values) {
  std::vector<double> out;
  for (const auto& x : values)
    if (x) out.push_back(*x);
  return out;
}

// What is stored, told by means.
void describe_metrics(const StoredRun* before, const StoredRun& now, const std::string& run,
                      std::vector<std::string>& lines) {
  for (const auto& [metric, values] : now.metrics) {
    const auto* old = before != nullptr ? find(before->metrics, metric) : nullptr;
    if (old != nullptr && *old == values) continue;
    const double own = estimate(defined(values)).mean;
    lines.push_back(
        run + ": " + metric + ": " +
        (old == nullptr ? "new: " + rounded_text(own, 6) : change_text(estimate(defined(*old)).mean, own, "")));
  }
  if (before == nullptr) return;
  for (const auto& [metric, unused] : before->metrics)
    if (find(now.metrics, metric) == nullptr) lines.push_back(run + ": " + metric + ": no longer expected, dropped");
}

void baseline_change(const Checked& checked, std::vector<Change>& out) {
  const auto path = baseline_path(checked.suite.path);
  const auto stored = load_baseline(path);
  BaselineFile next{kComment, {}};
  Change change{path, {}, {}};
  for (const Run& run : checked.suite.runs) {
    const StoredRun* before = stored ? find(stored->runs, run.name) : nullptr;
    const auto result = std::find_if(checked.results.begin(), checked.results.end(),
                                     [&](const Result& one) { return one.name == run.name; });
    if (result == checked.results.end()) {  // not asked for
      if (before != nullptr) next.runs.emplace_back(run.name, *before);
      continue;
    }
    next.runs.emplace_back(run.name, result->now);
    const std::size_t told = change.lines.size();
    describe_metrics(before, result->now, run.name, change.lines);
    if (before == nullptr && change.lines.size() == told)
      change.lines.push_back(run.name + ": a digest of the run: new");
    if (before != nullptr && change.lines.size() == told) {
      const std::size_t moved = movements(*before, result->now, "").size();
      if (moved > 0)
        change.lines.push_back(run.name + ": no expected metric; " + std::to_string(moved) + " other numbers moved");
    }
  }
  if (stored)
    for (const auto& [name, unused] : stored->runs)
      if (find(next.runs, name) == nullptr) change.lines.push_back(name + ": no longer in the suite, dropped");
  change.text = baseline_text(next);
  if (stored && change.text == read_file(path)) return;
  if (change.lines.empty()) change.lines.emplace_back("rounding, or what is told of runs and inputs");
  out.push_back(std::move(change));
}

void suite_change(const Checked& checked, std::vector<Change>& out) {
  Change change{checked.suite.path, checked.suite.file.where.document->text(), {}};
  if (read_file(checked.suite.path) != change.text)
    throw InputError({checked.suite.path.string(), 0, 0, ""}, "has changed since it was read: check it again");
  for (const Result& result : checked.results)
    for (std::size_t i = 0; i < result.findings.size(); ++i) {
      const Finding& one = result.findings[i];
      if (one.ok() || one.kind != ValueExpectation::kind || !std::isfinite(one.ours)) continue;
      const Run& run = *std::find_if(checked.suite.runs.begin(), checked.suite.runs.end(),
                                     [&](const Run& r) { return r.name == result.name; });
      const auto& expected = std::get<ValueExpectation>(run.file.expect[i]);
      const double tolerance = expected.absolute + expected.relative * std::abs(one.ours);
      change.text = with_number(change.text, one.where.pointer + "/value", accepted_value(one.ours, tolerance));
      change.lines.push_back(result.name + ": " + one.metric + ": " + change_text(expected.value, one.ours, one.unit));
    }
  if (!change.lines.empty()) out.push_back(std::move(change));
}

}  // namespace

void mark_accepted(Checked& checked) {
  for (Result& result : checked.results)
    for (Finding& one : result.findings) {
      if (one.ok()) continue;
      if (one.kind == BaselineExpectation::kind || (one.kind == ValueExpectation::kind && std::isfinite(one.ours)))
        one.state = State::accepted;
    }
}

std::vector<Change> changes_of(const Checked& checked) {
  std::vector<Change> out;
  baseline_change(checked, out);
  suite_change(checked, out);
  return out;
}

std::string accepted_value(double value, double tolerance) {
  for (int digits = 2; digits < 15 && tolerance > 0; ++digits) {
    const std::string text = plain_number(std::strtod(rounded_text(value, digits).c_str(), nullptr));
    if (std::abs(std::strtod(text.c_str(), nullptr) - value) <= tolerance / 100) return text;
  }
  return plain_number(value);
}

std::string with_number(const std::string& text, const std::string& pointer, const std::string& number) {
  const std::size_t begin = offset_in_json(text, pointer, false);
  const std::size_t end = std::min(text.find_first_not_of("0123456789+-.eE", begin), text.size());
  if (end == begin) throw InternalError("no number at " + pointer);
  return text.substr(0, begin) + number + text.substr(end);
}

}  // namespace dynasoc::suite
