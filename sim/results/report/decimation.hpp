// Fewer points for a page, so that what is seen stays: every bucket of time keeps its extremes.
//
// A million points on a screen of two thousand columns are, in each column, a line from the least to the largest value.
// So a stretch of time keeps the first, the least, the largest and the last of its values, and the picture is the same
// (M4: Jugel, Jerzak, Hackenbroich, Markl: M4: A visualization-oriented time series data aggregation, PVLDB 7, 2014).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dynasoc::report {

/// A series that comes point by point, in order of time, and of which at most about `most` points are kept.
class SeriesDecimator {
 public:
  /// Times are expected from `begin` to `end` [s]; others count as at the nearest of the two.
  SeriesDecimator(double begin_s, double end_s, std::size_t most);

  /// The next point. NaN is no value: it is not kept.
  void add(double t_s, double value);

  struct Points {
    std::vector<double> t_s, value;
    std::size_t total = 0;  ///< points that the line has; more than are here if it was thinned
  };
  /// Points between two that are equal to them are left out (nothing is lost: the line is the same). Of what is still
  /// more than `most`, each bucket keeps first, least, largest and last. Call once.
  Points finish();
  std::size_t total() const { return total_; }  ///< values that were added

 private:
  struct Point {
    double t_s, value;
  };
  struct Bucket {
    Point first, least, largest, last;
    bool any = false;
  };
  void keep(const Point& point);
  void into_bucket(const Point& point);

  double begin_s_, end_s_;
  std::size_t most_, total_ = 0, corners_ = 0;
  std::vector<Point> all_;       // while there are few
  std::vector<Bucket> buckets_;  // once there were many
  Point last_{}, pending_{};
  bool any_ = false, has_pending_ = false;
};

/// Which of `values`, at ascending times `t_s`, to keep: at most `most` (at least 4), as ascending indices. By
/// priority: the least and the largest of each bucket of time; those with `must` (misses); those with `should`
/// (changes); others. Where one kind has more than what is left, it is thinned evenly. NaN values are neither least nor
/// largest.
std::vector<std::uint32_t> keep_extremes(const std::vector<double>& t_s, const std::vector<float>& values,
                                         const std::vector<bool>& must, const std::vector<bool>& should,
                                         std::size_t most);

/// At most `most` of `count` things, as ascending indices, that are as good as drawn at random (the same every time):
/// of a table whose columns repeat, every n-th row may have one value of a column only.
std::vector<std::uint32_t> keep_sample(std::size_t count, std::size_t most);

/// At most `most` of `count` things, evenly, the first and the last among them.
std::vector<std::uint32_t> keep_evenly(std::size_t count, std::size_t most);

}  // namespace dynasoc::report
