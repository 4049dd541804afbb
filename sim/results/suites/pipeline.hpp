// What was checked, in the forms that pipelines read: JUnit's XML, GitHub's annotations.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "results/checks/claim.hpp"
#include "results/suites/evaluate.hpp"

namespace dynasoc::suite {

/// One thing that was checked: an expectation, or a claim.
struct Case {
  std::string suite;  ///< `claims`, or a suite's name
  std::string group;  ///< run of a suite; empty for claims
  std::string name;
  Location place;        ///< where it is written
  std::string message;   ///< what is wrong, in one line; empty: it holds
  std::string details;   ///< lines below it
  std::size_t part = 0;  ///< cases of one suite have the same, and stand together; names may come twice
};

/// Claims first, suites as they were given.
std::vector<Case> cases_of(const std::vector<check::Checked>& claims, const std::vector<Checked>& suites);

/// One `testsuite` for each suite and one for all claims. No times: the same results give the same bytes.
std::string junit_xml(const std::vector<Case>& cases);

/// A line for each case that does not hold (workflow command `error`). Paths inside `workspace` are told from there, as
/// GitHub wants them; empty: as they are.
std::string github_annotations(const std::vector<Case>& cases, const std::filesystem::path& workspace);

}  // namespace dynasoc::suite
