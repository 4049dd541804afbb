// Accepting what suites gave: new baselines, and new values where a `value` expectation no longer holds. Everything
// else in a suite file stays as it was written, to the byte.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "results/suites/evaluate.hpp"

namespace dynasoc::suite {

/// A file that would be written, and why.
struct Change {
  std::filesystem::path path;
  std::string text;                ///< the whole new file
  std::vector<std::string> lines;  ///< what changes in it, for people: old → new
};

/// What accepting needs; nothing where nothing changed. Runs that were not evaluated keep what is stored of them, and
/// runs that the suite no longer has are dropped. Throws InputError where a file has changed under way.
std::vector<Change> changes_of(const Checked& checked);

/// Marks what `changes_of` makes hold (State::accepted): baselines, and values that are defined. A limit and a
/// comparison are decisions, and stay what they are.
void mark_accepted(Checked& checked);

/// `value` in as few digits as a tolerance needs: off by at most a hundredth of it. Exact for a tolerance of 0.
std::string accepted_value(double value, double tolerance);

/// `text` with the number at a JSON pointer replaced by `number`; the rest stays to the byte. Throws InternalError
/// where there is no number.
std::string with_number(const std::string& text, const std::string& pointer, const std::string& number);

}  // namespace dynasoc::suite
