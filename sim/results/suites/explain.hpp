// What else changed between two digests of a run, in words and with the numbers: a metric that moved is a symptom.
#pragma once

#include <string>
#include <vector>

#include "results/suites/baseline.hpp"

namespace dynasoc::suite {

/// Something that moved. `magnitude` is the relative change, or the change of a share: how the largest are found.
struct Movement {
  std::string subject;  ///< an application, a unit, `board`, `inputs` or `run`
  std::string what;     ///< `a frame of L3 takes 12.4 → 12.8 ms (+3.0 %)`
  double magnitude = 0;
};

/// Everything that moved by more than 0.1 % (shares: 0.05 of a hundred), came or went; the run itself first (what the
/// suite asks for is another), then inputs, applications (of `application` alone, if it is given), units, the board.
std::vector<Movement> movements(const StoredRun& before, const StoredRun& now, const std::string& application);

/// `12.4 → 12.8 ms (+3.0 %)`; without the percentage where the first is 0.
std::string change_text(double before, double now, const std::string& unit);

/// `12.3 ms`, to 6 significant digits; `undefined`.
std::string with_unit(double x, const std::string& unit);

/// `+3.00 %`.
std::string signed_percent(double share, int digits = 3);

}  // namespace dynasoc::suite
