// A sum that things may be added to and taken from for ever.
#pragma once

namespace dynasoc {

/// Keeps what rounding takes from a plain sum (Knuth's two-sum), so that a heavy term that has come and gone leaves no
/// trace behind a light one.
class CompensatedSum {
 public:
  void add(double x) {
    const double sum = high_ + x;
    const double added = sum - high_;
    low_ += (high_ - (sum - added)) + (x - added);
    high_ = sum;
    value_ = high_ + low_;
  }
  void reset(double x = 0) {
    value_ = high_ = x;
    low_ = 0;
  }
  double value() const { return value_; }

 private:
  double value_ = 0;
  double high_ = 0;
  double low_ = 0;
};

}  // namespace dynasoc
