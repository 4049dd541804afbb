// `dynasoc table lint`: what is suspicious in latency/energy tables, told from the tables alone.
//
// Two kinds of file are judged: tables of cells (`table.hpp`) and block tables (one row a block at one resolution, as
// published or as imported). Rules that compare tables do so among all files that are judged together.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/fields.hpp"

namespace dynasoc {

enum class Severity : std::uint8_t {
  note,     ///< worth knowing, often harmless
  warning,  ///< do not rely on these rows without looking
  error,    ///< these rows are not what they say they are
};
template <>
struct EnumNames<Severity> {
  static constexpr std::array<std::pair<std::string_view, Severity>, 3> names{
      {{"note", Severity::note}, {"warning", Severity::warning}, {"error", Severity::error}}};
};
std::string_view name_of(Severity severity);

/// One kind of suspicion. A finding may be milder than its rule says, where the rows admit what is wrong with them.
struct LintRule {
  const char* name;
  Severity severity;
  const char* what;  ///< when it applies, thresholds included
  const char* why;   ///< why it matters
};
const std::vector<LintRule>& lint_rules();

/// Many rows of one file, one rule.
struct LintFinding {
  std::string rule;
  Severity severity = Severity::warning;
  std::string file;
  std::vector<std::size_t> rows;  ///< line numbers as an editor shows them, the header counted; ascending
  std::string message;
};

struct LintReport {
  std::vector<std::filesystem::path> files;  ///< that were judged
  std::vector<LintFinding> findings;
};

/// Judges all files together: a CSV file, a folder (every table below it; other CSV files there are passed over) or a
/// network.json. Files in order of their names, findings in the order of the rules. Throws InputError for a file that
/// cannot be read, is no table, or does not exist.
LintReport lint_tables(const std::vector<std::filesystem::path>& paths);

/// A finding that somebody has looked at: `models/lint-accepted.json`.
struct AcceptedFinding {
  Name rule;
  Name file;  ///< from the folder of the list
  int count = 0;
  std::string why;

  static constexpr auto fields() {
    using A = AcceptedFinding;
    return describe(required(&A::rule, "rule", "name of the rule"),
                    required(&A::file, "file", "the table, from the folder of this list"),
                    required(&A::count, "count", range(1, 1e9), "rows of all findings of the rule in the file"),
                    required(&A::why, "why", "why the rows stay as they are"));
  }
};
struct AcceptedFindings {
  std::vector<AcceptedFinding> accepted;
  std::filesystem::path folder;

  static constexpr auto fields() {
    return describe(required(&AcceptedFindings::accepted, "accepted", "findings that were looked at"));
  }
  /// Throws InputError for anything wrong in the file: an unknown rule, an empty reason, an entry given twice.
  static AcceptedFindings load(const std::filesystem::path& path);
};

/// Takes from `findings` those of (rule, file) whose rows together are as many as the list says, and returns them. What
/// the list has and `judged` files do not show any more, or show in another number, is added to `findings` as an error
/// of the rule `stale-acceptance`: a list that is longer than it need be hides the next copy.
std::vector<LintFinding> take_accepted(std::vector<LintFinding>& findings, const AcceptedFindings& list,
                                       const std::vector<std::filesystem::path>& judged);

/// `2-4, 7, 9-30`.
std::string rows_text(const std::vector<std::size_t>& rows);

}  // namespace dynasoc
