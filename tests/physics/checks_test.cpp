// The arithmetic behind verdicts, on numbers worked by hand.
#include <catch2/catch.hpp>

#include "results/checks/claim.hpp"

namespace dynasoc::check {
namespace {

// Four of the six points of Dynamic-OFA on the GPU, as digitised from Fig 4a.
const std::vector<CurvePoint> kCurve{
    {"L2", 74.968, 53.00}, {"L3", 76.134, 58.79}, {"L5", 78.346, 71.53}, {"L6", 79.03, 79.56}};

Finding finding(Verdict verdict) {
  Finding out;
  out.verdict = verdict;
  return out;
}

TEST_CASE("interpolation is linear between neighbours and ends with the points") {
  const std::vector<std::pair<double, double>> line{{1, 10}, {3, 20}, {4, 0}};
  CHECK(*interpolate(line, 1) == 10);
  CHECK(*interpolate(line, 2) == 15);
  CHECK(*interpolate(line, 3) == 20);
  CHECK(*interpolate(line, 3.25) == 15);
  CHECK(*interpolate(line, 4) == 0);
  CHECK_FALSE(interpolate(line, 0.999));
  CHECK_FALSE(interpolate(line, 4.001));
  CHECK_FALSE(interpolate({}, 1));
}

TEST_CASE("a pair's speed-up: latency of the other over that of the curve at its accuracy") {
  // 75.4 % lies (75.4 - 74.968) / (76.134 - 74.968) = 0.370497 of the way: 53 + 0.370497 x 5.79 = 55.14518 ms.
  const Pair pair = pair_of(kCurve, "autoslim", {"L3", 75.4, 132.439}, CurveMeasure::speedup);
  CHECK(*pair.interpolated == Approx(132.439 / 55.14518).epsilon(1e-6));
  CHECK(*pair.below == Approx(132.439 / 53.00));
  CHECK(*pair.above == Approx(132.439 / 58.79));
  CHECK(pair.subnet_below == "L2");
  CHECK(pair.subnet_above == "L3");
}

TEST_CASE("a pair's gain: accuracy of the curve at the other's latency less the other's") {
  // 72.631 ms lies 1.101 / 8.03 = 0.137111 of the way from L5 to L6: 78.346 + 0.137111 x 0.684 = 78.439784 %.
  const Pair pair = pair_of(kCurve, "autoslim", {"L1", 73.2, 72.631}, CurveMeasure::gain);
  CHECK(*pair.interpolated == Approx(5.239784).epsilon(1e-6));
  CHECK(*pair.below == Approx(5.146));
  CHECK(*pair.above == Approx(5.83));
}

TEST_CASE("beyond the curve's ends nothing is interpolated") {
  const Pair slow = pair_of(kCurve, "x", {"L1", 70, 100}, CurveMeasure::gain);
  CHECK_FALSE(slow.interpolated);
  CHECK(*slow.below == Approx(9.03));
  CHECK_FALSE(slow.above);
  const Pair accurate = pair_of(kCurve, "x", {"L1", 80, 100}, CurveMeasure::speedup);
  CHECK_FALSE(accurate.interpolated);
  CHECK_FALSE(accurate.above);
}

TEST_CASE("a point of the curve is its own neighbour on both sides") {
  const Pair pair = pair_of(kCurve, "x", {"L1", 76.134, 117.58}, CurveMeasure::speedup);
  CHECK(*pair.interpolated == Approx(2));
  CHECK(*pair.below == Approx(2));
  CHECK(*pair.above == Approx(2));
}

TEST_CASE("a number agrees by its interval or by its tolerance") {
  CHECK(agrees(10, {9, 12}, 11.9, 0));
  CHECK_FALSE(agrees(10, {9, 12}, 12.1, 0));
  CHECK(agrees(10, {}, 10.4, 0.05));
  CHECK_FALSE(agrees(10, {}, 10.6, 0.05));
}

TEST_CASE("a claim's verdict is that of its published numbers") {
  using enum Verdict;
  CHECK(overall({}) == own_result);
  CHECK(overall({finding(own_result)}) == own_result);
  CHECK(overall({finding(reproduced), finding(own_result)}) == reproduced);
  CHECK(overall({finding(not_reproduced), finding(not_reproduced)}) == not_reproduced);
  CHECK(overall({finding(reproduced), finding(not_reproduced)}) == partly);
  CHECK(overall({finding(partly), finding(reproduced)}) == partly);
}

TEST_CASE("quartiles and shares of outcomes") {
  const Distribution of{{0, 10, 20, 40}, 10.0};
  CHECK(of.quantile(0) == 0);
  CHECK(of.quantile(0.25) == 7.5);
  CHECK(of.quantile(0.5) == 15);
  CHECK(of.quantile(0.75) == 25);
  CHECK(of.quantile(1) == 40);
  CHECK(of.share_from(10) == 0.75);
  CHECK(of.share_from(10.1) == 0.5);
  CHECK(of.histogram(4) == std::vector<std::size_t>{1, 1, 1, 1});
  const Distribution beyond{{1, 2}, 5.0};  // the mark widens the range
  CHECK(beyond.histogram(4) == std::vector<std::size_t>{1, 1, 0, 0});
  const Distribution empty;
  CHECK(std::isnan(empty.quantile(0.5)));
  CHECK(std::isnan(empty.share_from(0)));
}

TEST_CASE("a period's energy is the frame's and the idle board's") {
  CHECK(energy_of_period(1334.652, 60.0728, 6.688, 100) == Approx(1334.652 + 6.688 * 39.9272));
  CHECK(energy_of_period(50, 20, 6, 20) == 50);
}

TEST_CASE("numbers are written with a minus, and never as minus nothing") {
  CHECK(fixed_text(-1.25, 1) == "−1.2");
  CHECK(fixed_text(-0.04, 1) == "0.0");
  CHECK(fixed_text(std::nan(""), 1) == "-");
}

}  // namespace
}  // namespace dynasoc::check
