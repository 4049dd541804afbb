// What checking one expected number gives: what was published, what we get, how sure that is, and what follows.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/fields.hpp"
#include "results/statistics.hpp"

namespace dynasoc::check {

enum class Verdict : std::uint8_t { reproduced, partly, not_reproduced, own_result };
std::string_view name_of(Verdict verdict);

/// What part a published number had in the model.
enum class Standing : std::uint8_t { input, fitted, predicted };

/// Outcomes of many set-ups, none of them more likely than another.
struct Distribution {
  std::vector<double> values;  ///< ascending
  std::optional<double> mark;  ///< the published number

  /// By linear interpolation between order statistics, as R does by default; NaN without values.
  double quantile(double share) const;
  /// Share of the values that are at least `x`.
  double share_from(double x) const;
  /// Counts in `bins` equal parts of the range from the least to the most, the mark included.
  std::vector<std::size_t> histogram(std::size_t bins) const;
  std::pair<double, double> range() const;
  Json to_json() const;
};

struct Finding {
  std::string quantity;
  std::string unit;
  int digits = 2;
  std::optional<double> published;
  bool up_to = false;
  double ours = std::numeric_limits<double>::quiet_NaN();
  Interval interval;  ///< NaN where nothing is random
  std::optional<Standing> standing;
  Verdict verdict = Verdict::own_result;
  std::string reason;              ///< why; of what set-up `ours` is
  std::optional<Distribution> of;  ///< of explored set-ups
  std::vector<std::string> notes;  ///< lines below it
  Json details = nullptr;          ///< everything behind it, for --json

  Json to_json() const;
};

/// Verdict on a whole claim: that of its findings where they agree; partly reproduced where they do not. What was not
/// published has no say unless nothing was.
Verdict overall(const std::vector<Finding>& findings);

/// `value` is a mean with its interval: reproduced if the interval holds `published` or the two differ by at most the
/// share `tolerance` of the published number.
bool agrees(double value, const Interval& interval, double published, double tolerance);

/// `x` with so many digits after the point and a proper minus; `-` where it is undefined.
std::string fixed_text(double x, int digits);

/// What an evaluation may use.
struct Context {
  std::filesystem::path folder;  ///< of the file: names are resolved from here
  int jobs = 1;
  std::function<void(double)> progress;  ///< share done; may throw to end everything
};

}  // namespace dynasoc::check

template <>
struct dynasoc::EnumNames<dynasoc::check::Verdict> {
  static constexpr std::array<std::pair<std::string_view, dynasoc::check::Verdict>, 4> names{
      {{"reproduced", dynasoc::check::Verdict::reproduced},
       {"partly reproduced", dynasoc::check::Verdict::partly},
       {"not reproduced", dynasoc::check::Verdict::not_reproduced},
       {"own result", dynasoc::check::Verdict::own_result}}};
};

template <>
struct dynasoc::EnumNames<dynasoc::check::Standing> {
  static constexpr std::array<std::pair<std::string_view, dynasoc::check::Standing>, 3> names{
      {{"input", dynasoc::check::Standing::input},
       {"fitted", dynasoc::check::Standing::fitted},
       {"predicted", dynasoc::check::Standing::predicted}}};
};
