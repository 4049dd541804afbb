// What suites gave, for people and for scripts.
#pragma once

#include <string>
#include <vector>

#include "results/suites/evaluate.hpp"

namespace dynasoc::suite {

/// Tables, and the largest changes explained. `columns` is the page's width.
std::string suites_text(const std::vector<Checked>& checked, int columns, bool colour);

/// What became of one finding, and what else moved in its run since the baseline was stored.
std::vector<std::string> explanation(const Result& result, const Finding& finding, bool colour);

Json suites_json(const std::vector<Checked>& checked);

/// A table a suite, for documents and summaries of pipelines.
std::string suites_markdown(const std::vector<Checked>& checked);

}  // namespace dynasoc::suite
