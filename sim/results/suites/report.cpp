#include "results/suites/report.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/text.hpp"
#include "results/page.hpp"

namespace dynasoc::suite {
namespace {

constexpr std::size_t kExplained = 3;  // changes
constexpr std::size_t kReasons = 6;    // for each

const char* word(State state) {
  switch (state) {
    case State::holds: return "holds";
    case State::improved: return "better";
    case State::moved: return "moved";
    case State::fails: return "FAILS";
    case State::no_baseline: return "NO BASELINE";
    case State::accepted: return "accepted";
  }
  return "?";
}

std::string painted(const Page& page, State state) {
  switch (state) {
    case State::holds: return page.paint("32", word(state));
    case State::improved: return page.paint("1;32", word(state));
    case State::moved:
    case State::accepted: return page.paint("33", word(state));
    default: return page.paint("1;31", word(state));
  }
}

std::string change(const Finding& one) {
  if (one.difference.mean == 0 || std::abs(one.relative.mean) < 1e-9) return "0";  // rounding, as evaluate.cpp has it
  if (std::isfinite(one.relative.mean)) return signed_percent(one.relative.mean);
  if (!std::isfinite(one.difference.mean)) return "-";
  return (one.difference.mean < 0 ? "−" : "+") + rounded_text(std::abs(one.difference.mean), 3);
}

std::string count_text(const Checked& checked) {
  std::size_t all = 0, good = 0;
  for (const Result& result : checked.results)
    for (const Finding& one : result.findings) ++all, good += one.ok();
  return std::to_string(good) + " of " + std::to_string(all) + (all == 1 ? " expectation holds" : " expectations hold");
}

Json number(double x) { return std::isfinite(x) ? Json(x) : Json(nullptr); }

std::vector<Movement> movements_of(const Result& result, const std::string& application) {
  return result.before ? movements(*result.before, result.now, application) : std::vector<Movement>{};
}

// The largest of them, in the order in which they were found.
std::vector<Movement> largest(const std::vector<Movement>& all, std::size_t most) {
  std::vector<std::size_t> by_size(all.size());
  std::iota(by_size.begin(), by_size.end(), std::size_t{0});
  std::stable_sort(by_size.begin(), by_size.end(),
                   [&](std::size_t a, std::size_t b) { return all[a].magnitude > all[b].magnitude; });
  by_size.resize(std::min(most, by_size.size()));
  std::sort(by_size.begin(), by_size.end());
  std::vector<Movement> out;
  for (const std::size_t i : by_size) out.push_back(all[i]);
  return out;
}

// A limit and another manager are no earlier value of the metric: how far off they are is no change.
bool is_change(const Finding& one) {
  return one.kind == BaselineExpectation::kind && std::isfinite(one.reference) && std::isfinite(one.ours);
}

std::string headline(const Page& page, const Result& result, const Finding& one) {
  const std::string subject = page.bold(result.name + ": " + one.metric);
  if (is_change(one))
    return subject + ": " + with_unit(one.reference, one.unit) + " → " + with_unit(one.ours, one.unit) + ", " +
           change(one);
  return subject + " is " + with_unit(one.ours, one.unit) + ", wanted: " + one.wanted;
}

std::vector<std::string> reasons(const Result& result, const std::string& application) {
  std::vector<std::string> out;
  if (!result.before) return {"nothing is stored of this run to compare with"};
  const auto all = movements_of(result, application);
  for (const Movement& one : largest(all, kReasons)) out.push_back(one.subject + ": " + one.what);
  if (all.size() > kReasons) out.push_back("… and " + std::to_string(all.size() - kReasons) + " more in --json");
  if (all.empty()) out.emplace_back("nothing else that is stored of this run has moved by more than 0.1 %");
  return out;
}

struct Explained {
  const Result* result;
  const Finding* finding;
};

// The changes that the text explains: what fails first, then what moved most.
std::vector<std::string> explanations(const Checked& checked, std::size_t most, bool colour) {
  const Page page(0, colour);
  std::vector<Explained> changes;
  for (const Result& result : checked.results)
    for (const Finding& one : result.findings)
      if (one.state != State::holds && one.state != State::no_baseline) changes.push_back({&result, &one});
  std::stable_sort(changes.begin(), changes.end(), [](const Explained& a, const Explained& b) {
    if (a.finding->ok() != b.finding->ok()) return !a.finding->ok();
    if (is_change(*a.finding) != is_change(*b.finding)) return is_change(*a.finding);
    return a.finding->magnitude() > b.finding->magnitude();
  });
  if (changes.size() > most) changes.resize(most);
  std::vector<std::string> out;
  std::vector<std::pair<const Result*, std::string>> told;
  for (const auto& [result, finding] : changes) {
    out.push_back(headline(page, *result, *finding));
    if (!finding->note.empty()) out.push_back("  " + finding->note);
    const std::pair<const Result*, std::string> subject{result, finding->application};
    if (std::find(told.begin(), told.end(), subject) != told.end()) {
      out.emplace_back("  with what is said above of the same run");
      continue;
    }
    told.push_back(subject);
    for (const std::string& line : reasons(*result, finding->application)) out.push_back("  " + line);
  }
  return out;
}

}  // namespace

std::vector<std::string> explanation(const Result& result, const Finding& finding, bool colour) {
  std::vector<std::string> out{headline(Page(0, colour), result, finding)};
  for (const std::string& line : reasons(result, finding.application)) out.push_back("  " + line);
  return out;
}

std::string suites_text(const std::vector<Checked>& checked, int columns, bool colour) {
  const Page page(columns, colour);
  std::string out;
  for (const Checked& suite : checked) {
    out += page.bold(suite.suite.name) + ": " +
           (suite.ok() ? count_text(suite) : page.paint("1;31", count_text(suite))) + "\n  " + suite.suite.file.title +
           "\n";
    for (const Result& result : suite.results) {
      out += "\n  " + page.bold(result.name) + page.dim(": " + result.heading) + "\n";
      std::vector<std::vector<std::string>> rows{{"metric", "expected", "now", "change", ""}};
      for (const Finding& one : result.findings)
        rows.push_back({one.metric, one.wanted, with_unit(one.ours, one.unit), change(one), painted(page, one.state)});
      out += page.blocks(rows, 4);
    }
    if (const auto lines = explanations(suite, kExplained, colour); !lines.empty()) {
      out += "\n  the largest changes\n";
      for (const std::string& line : lines) out += "    " + line + "\n";
    }
    out += "\n";
  }
  return out;
}

Json suites_json(const std::vector<Checked>& checked) {
  Json out = Json::array();
  for (const Checked& suite : checked) {
    Json runs = Json::array();
    for (const Result& result : suite.results) {
      Json findings = Json::array();
      for (const Finding& one : result.findings) {
        const Location place = one.where.location();
        findings.push_back(
            {{"kind", one.kind},
             {"metric", one.metric},
             {"unit", one.unit},
             {"line", place.line},
             {"expected", one.wanted},
             {"reference", number(one.reference)},
             {"now", number(one.ours)},
             {"difference",
              {{"mean", number(one.difference.mean)},
               {"ci95", {number(one.difference.interval.low), number(one.difference.interval.high)}},
               {"relative", number(one.relative.mean)},
               {"relative_ci95", {number(one.relative.interval.low), number(one.relative.interval.high)}}}},
             {"p_value", number(one.p)},
             {"p_holm", number(one.p_holm)},
             {"state", word(one.state)},
             {"holds", one.ok()},
             {"message", one.message}});
      }
      Json moved = Json::array();
      for (const Movement& one : movements_of(result, ""))
        moved.push_back({{"subject", one.subject}, {"what", one.what}, {"magnitude", number(one.magnitude)}});
      runs.push_back({{"name", result.name},
                      {"run", result.heading},
                      {"findings", std::move(findings)},
                      {"moved", std::move(moved)}});
    }
    out.push_back({{"name", suite.suite.name},
                   {"title", suite.suite.file.title},
                   {"file", suite.suite.path.string()},
                   {"significance", suite.suite.file.significance},
                   {"holds", suite.ok()},
                   {"runs", std::move(runs)}});
  }
  return out;
}

std::string suites_markdown(const std::vector<Checked>& checked) {
  std::string out;
  for (const Checked& suite : checked) {
    out += "**" + suite.suite.name + ": " + count_text(suite) + ".** " + suite.suite.file.title +
           "\n\n| run | metric | expected | now | change | |\n| --- | --- | --- | --- | --- | --- |\n";
    for (const Result& result : suite.results)
      for (const Finding& one : result.findings)
        out += "| " + markdown_cell(result.name) + " | `" + one.metric + "` | " + one.wanted + " | " +
               with_unit(one.ours, one.unit) + " | " + change(one) + " | " +
               (one.ok() ? word(one.state) : "**" + std::string(word(one.state)) + "**") + " |\n";
    const auto lines = explanations(suite, kExplained, false);
    for (const std::string& line : lines)
      out += (line.starts_with("  ") ? "  -" + line.substr(1) : "\n- " + line) + "\n";
    out += "\n";
  }
  return out;
}

}  // namespace dynasoc::suite
