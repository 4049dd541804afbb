// Logs of NVIDIA's tegrastats (`tegrastats --logfile`, or its output redirected), of JetPack 4, 5 and 6.
//
// A line is taken if it has a memory (`RAM 1234/7771MB`) and CPUs (`CPU [12%@1190,off,…]`). Of the rest, in any order:
// clocks of engines (`GR3D_FREQ 45%@1109`, `45%@[1109]`, `VIC 36%@115`, `APE 150`, `off`), temperatures (`AO@33.5C`),
// rails (`VDD_IN 5067/5067`, `5067mW/5067mW`: the first number; the second is tegrastats' own average). The date before
// a line (`11-29-2026 22:09:18`) has whole seconds only: lines of one second are spread evenly over it. Without dates,
// lines are one interval apart.
#pragma once

#include <vector>

#include "scenario/trace/report.hpp"
#include "scenario/trace/source.hpp"
#include "scenario/trace/timeline.hpp"

namespace dynasoc::trace {

struct TegrastatsOptions {
  double interval_ms = 0;  ///< between lines; 0 = from the dates, or 1000 (tegrastats' default) where there are none
};

/// Reads the files one after the other into `sink`; new columns are appended to `columns`. The report says what was
/// taken; nothing understood throws InputError. Streams: memory does not grow with the files.
ImportReport import_tegrastats(const std::vector<Source>& files, const TegrastatsOptions& options,
                               TimelineColumns& columns, TimelineSink& sink);

}  // namespace dynasoc::trace
