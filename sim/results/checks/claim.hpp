// Claim files: a published result, how it is checked, and what the check said when it was last looked at. `dynasoc
// check` evaluates them; nothing in them is ever tuned until a claim comes out.
#pragma once

#include <filesystem>
#include <variant>

#include "results/checks/choice.hpp"
#include "results/checks/curves.hpp"
#include "results/checks/exploration.hpp"
#include "results/checks/replay.hpp"

namespace dynasoc::check {

/// Kinds of expectations, one file each; each has `validate` (everything it names is there) and `evaluate`.
using Expectation = std::variant<Replay, Curves, Exploration, Choice>;

struct ClaimFile {
  std::string title;
  std::string source;
  std::string set_up;
  std::string because;
  Expectation expectation;
  Verdict verdict = Verdict::own_result;
  Where where;

  static constexpr auto fields() {
    using S = ClaimFile;
    return describe(
        required(&S::title, "title", "the claim in one line"),
        required(&S::source, "source", "who published it where, and what of it was read"),
        field(&S::set_up, "set_up", "what had to be chosen because it was not published"),
        field(&S::because, "because", "why the verdict is what it is, where numbers alone do not tell"),
        required(&S::expectation, "expectation", "how it is checked"),
        required(&S::verdict, "verdict",
                 "what the check says today: `dynasoc check` ends with status 1 if it says something else. A claim "
                 "with several numbers is `reproduced` (or not) if all are, else `partly reproduced`; `own result` if "
                 "nothing was published"));
  }
};

struct Claim {
  std::string name;  ///< of the file, without `.claim.json`
  std::filesystem::path path;
  ClaimFile file;
};

inline constexpr std::string_view kClaimEnding = ".claim.json";

/// Reads a claim file and everything it names. Throws InputError.
Claim load_claim(const std::filesystem::path& path);

struct Checked {
  Claim claim;
  std::vector<Finding> findings;
  Verdict verdict = Verdict::own_result;
  bool as_stored() const { return verdict == claim.file.verdict; }
};

Checked evaluate(const Claim& claim, int jobs, const std::function<void(double)>& progress = {});

Json check_json(const std::vector<Checked>& checked);
std::string check_text(const std::vector<Checked>& checked, bool colour);
/// A heading, a table and the distributions for each; for documents.
std::string check_markdown(const std::vector<Checked>& checked);

}  // namespace dynasoc::check
