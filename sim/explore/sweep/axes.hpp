// Axes: the fields of a scenario that take several values in turn, and the points that their combinations are.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "application/network.hpp"
#include "common/fields.hpp"
#include "explore/scale.hpp"

namespace dynasoc::explore {

/// `{"from": 10, "to": 50, "step": 10}`, or `"count"` values in equal steps (equal ratios with `"scale": "log"`).
struct RangeFile {
  double from = 0;
  double to = 0;
  std::optional<double> step;
  std::optional<std::int64_t> count;
  Scale scale = Scale::linear;
  Where where;

  static constexpr auto fields() {
    using S = RangeFile;
    return describe(required(&S::from, "from", any(), "first value"),
                    required(&S::to, "to", any(), "last value; with `step` the largest not beyond it"),
                    field(&S::step, "step", positive(), "between two values; default: 1"),
                    field(&S::count, "count", range(1, 1e9), "of values, instead of a step"),
                    field(&S::scale, "scale", "`linear`: equal steps; `log`: equal ratios, with `count`"));
  }
};

/// The values of an axis: listed, or a range that needs no memory however long it is.
class AxisValues {
 public:
  explicit AxisValues(std::vector<Json> listed) : listed_(std::move(listed)), size_(listed_.size()) {}
  /// Throws InputError for a range without values, a step with a count, a logarithmic range that holds 0.
  explicit AxisValues(const RangeFile& range);

  std::uint64_t size() const { return size_; }
  bool is_range() const { return listed_.empty(); }
  /// Whole numbers are integers; others are rounded to 12 digits, so that 0.1 x 3 is 0.3.
  Json operator[](std::uint64_t index) const;

 private:
  std::vector<Json> listed_;
  RangeFile range_;
  std::uint64_t size_ = 0;
};

/// One axis: a field, or several that change together.
struct Axis {
  std::string name;                 ///< the field's dotted path, `policy.headroom`, or the name given to it
  std::string pointer;              ///< of the field; empty where several change together
  AxisValues values;                ///< of the field; else objects from dotted paths to values
  std::vector<std::string> labels;  ///< of values that were given one
  Where where;
  Location place;  ///< the same, looked up

  /// As it stands in a table: a string without quotes, anything else as JSON.
  std::string text(std::uint64_t index) const;
  /// Puts a value in its place.
  void apply(Document& document, std::uint64_t index) const;
};

/// Takes the axes out of a scenario document, which is left with the first value of each, and drops the member `axes`.
///
/// An axis is a list where the scenario's format wants no list (a list of lists where it wants a list), `{"each": […]}`
/// anywhere, or a range. `"axes": {NAME: [{"label": …, "set": {PATH: VALUE, …}}, …]}` names settings that change
/// together. Their order is that of the document, `axes` first. Throws InputError for an empty list, a field that two
/// axes set, more than 2^63 points.
std::vector<Axis> take_axes(const std::shared_ptr<Document>& document);

/// Dotted path of a pointer, `/policy/headroom` -> `policy.headroom`, and back.
std::string dotted(const std::string& pointer);
std::string pointer_of(const std::string& dotted_path);

/// The combinations of axes, numbered with the first axis slowest.
class Grid {
 public:
  Grid() = default;
  explicit Grid(const std::vector<Axis>& axes);
  std::uint64_t size() const { return size_; }
  /// Index of each axis' value at a point.
  void at(std::uint64_t point, std::vector<std::uint64_t>& indices) const;

 private:
  std::vector<std::uint64_t> sizes_;
  std::uint64_t size_ = 1;
};

/// JSON Schema of sweep files: a scenario's, any field of which may be an axis.
Json sweep_schema();

}  // namespace dynasoc::explore
