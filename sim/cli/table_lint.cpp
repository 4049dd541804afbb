// `dynasoc table lint`: what is suspicious in tables.
#include "application/table_lint.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "cli/command.hpp"
#include "cli/options.hpp"
#include "common/error.hpp"
#include "common/text.hpp"
#include "scenario/data_paths.hpp"

namespace dynasoc::cli {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;
using Words = std::vector<std::string>;

std::vector<std::string> rule_names() {
  std::vector<std::string> names;
  for (const LintRule& rule : lint_rules()) names.emplace_back(rule.name);
  return names;
}

const LintRule& rule_of(const std::string& name) {
  for (const LintRule& rule : lint_rules())
    if (rule.name == name) return rule;
  throw InputError("--rule " + name + ": there is no such rule" + hint(name, rule_names()));
}

// A file or folder, or a network by its name.
fs::path path_of(const std::string& word) {
  std::error_code code;
  if (fs::exists(word, code)) return word;
  const DataPaths paths;
  const std::vector<std::string> known = paths.networks();
  if (std::find(known.begin(), known.end(), word) == known.end())
    throw InputError("there is no file, folder or network " + in_quotes(word) + hint(word, known));
  return paths.network({word, {}});
}

// The severity from which findings fail; none for `never`.
std::optional<Severity> threshold_of(const Options& options) {
  const auto text = options.get_or<std::string>("fail-on", "error");
  if (text == "never") return std::nullopt;
  std::vector<std::string> known{"never"};
  for (const auto& [name, severity] : EnumNames<Severity>::names) {
    if (name == text) return severity;
    known.emplace_back(name);
  }
  throw InputError("--fail-on " + text + ": must be error, warning, note or never" + hint(text, known));
}

std::string rules_text() {
  std::string out;
  for (const LintRule& rule : lint_rules())
    out += std::string(rule.name) + " (" + std::string(name_of(rule.severity)) + "): " + rule.what + ".\n    " +
           rule.why + "\n";
  return out;
}

Json to_json(const std::vector<LintFinding>& findings) {
  Json out = Json::array();
  for (const LintFinding& f : findings)
    out.push_back({{"rule", f.rule},
                   {"severity", std::string(name_of(f.severity))},
                   {"file", f.file},
                   {"rows", f.rows},
                   {"message", f.message},
                   {"why", rule_of(f.rule).why}});
  return out;
}

}  // namespace

int table_lint_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc table lint FILE.csv|FOLDER|NETWORK… [options]",
      "Says what is suspicious in tables of cells and block tables: rows copied from another device, units mixed up,\n"
      "outliers, warm-up, means that are not worth much. Rules that compare tables do so among all that are given (of "
      "a\n"
      "folder, every table below it). Rows are line numbers as an editor shows them. Exit status 1 if a finding "
      "fails.");
  options.add()("json", "one JSON object: {\"findings\": [{rule, severity, file, rows, message, why}]}")(
      "rule,r", po::value<Words>(), "only findings of this rule; any number of times")(
      "rules", "print the rules, with their thresholds, and end")("fail-on", po::value<std::string>(),
                                                                  "error (the default), warning, note or never")(
      "accept", po::value<std::string>(),
      "a list of findings that were looked at: {\"accepted\": [{rule, file, count, why}]}; they are not reported, but "
      "an entry whose count is not what is found is an error");
  options.positional("what", -1);
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  if (options.has("rules")) {
    console.out << rules_text();
    return kSuccess;
  }
  const auto threshold = threshold_of(options);
  std::set<std::string> wanted;
  for (const std::string& name : options.get_or<Words>("rule", {})) wanted.insert(rule_of(name).name);
  if (!options.has("what")) throw InputError("table lint: which file, folder or network?");
  std::vector<fs::path> paths;
  for (const std::string& word : options.get<Words>("what")) paths.push_back(path_of(word));

  auto [files, findings] = lint_tables(paths);
  std::vector<LintFinding> accepted;
  if (options.has("accept"))
    accepted = take_accepted(findings, AcceptedFindings::load(options.get<std::string>("accept")), files);
  if (!wanted.empty()) {
    const auto other = [&](const LintFinding& f) { return !wanted.contains(f.rule) && f.rule != "stale-acceptance"; };
    std::erase_if(findings, other);
    std::erase_if(accepted, other);
  }
  const bool fails = std::any_of(findings.begin(), findings.end(),
                                 [&](const LintFinding& f) { return threshold && f.severity >= *threshold; });
  if (options.has("json")) {
    Json out{{"findings", to_json(findings)}};
    if (options.has("accept")) out["accepted"] = to_json(accepted);
    console.out << out.dump(2) << '\n';
    return fails ? kCheckFailed : kSuccess;
  }
  std::set<std::string> explained;
  std::size_t counts[3] = {};
  for (const LintFinding& f : findings) {
    ++counts[static_cast<std::size_t>(f.severity)];
    console.out << f.file << ':' << f.rows.front() << ": " << name_of(f.severity) << ": " << f.rule << ": " << f.message
                << "\n    lines " << rows_text(f.rows) << '\n';
    if (explained.insert(f.rule).second) console.out << "    why it matters: " << rule_of(f.rule).why << '\n';
  }
  console.out << files.size() << (files.size() == 1 ? " table: " : " tables: ") << counts[2] << " errors, " << counts[1]
              << " warnings, " << counts[0] << " notes";
  if (options.has("accept")) console.out << "; " << accepted.size() << " accepted";
  console.out << '\n';
  return fails ? kCheckFailed : kSuccess;
}

}  // namespace dynasoc::cli
