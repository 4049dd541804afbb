// Throttling at trip points, rule by rule, on hand-made polls.
#include "device/step_wise.hpp"

#include <catch2/catch.hpp>

using namespace dynasoc;

TEST_CASE("step_wise: deeper while it is hot and gets hotter, back while it cools, else as it is") {
  struct Vector {
    double now_c, before_c, trip_c;
    int state, deepest, expected;
    const char* because;
  };
  const Vector vectors[] = {
      {80, 79, 90, 0, 14, 0, "below the trip and rising: nothing to do"},
      {80, 81, 90, 0, 14, 0, "below, falling, nothing in force"},
      {80, 80, 90, 0, 14, 0, "below, steady"},
      {90, 89, 90, 0, 14, 1, "at the trip counts as hot"},
      {89.999, 89, 90, 0, 14, 0, "just below does not"},
      {91, 90, 90, 0, 14, 1, "hot and rising: one step"},
      {91, 90, 90, 1, 14, 2, "the next poll: one more"},
      {95, 80, 90, 1, 14, 2, "one step however steep the rise"},
      {95, 94, 90, 13, 14, 14, "down to the deepest state"},
      {95, 94, 90, 14, 14, 14, "and no deeper"},
      {91, 91, 90, 3, 14, 3, "hot and steady: held"},
      {90, 90, 90, 3, 14, 3, "at the trip and steady: held"},
      {91, 92, 90, 3, 14, 2, "hot, but falling: a step back already"},
      {90, 90.001, 90, 3, 14, 2, "by however little it falls"},
      {91, 92, 90, 0, 14, 0, "falling with nothing in force"},
      {91, 92, 90, 1, 14, 0, "back to the highest clock"},
      {85, 86, 90, 5, 14, 4, "below and falling: a step back"},
      {85, 86, 90, 1, 14, 0, "the last step back"},
      {85, 84, 90, 5, 14, 5, "below but rising: held"},
      {85, 85, 90, 5, 14, 5, "below and steady: held"},
      {20, 90, 90, 5, 14, 4, "one step however steep the fall"},
      {91, 90, 90, 0, 0, 0, "a clock with one OPP has no deeper state"},
      {-5, -6, -10, 2, 4, 3, "temperatures below zero are temperatures"},
  };
  REQUIRE(std::size(vectors) >= 20);
  for (const Vector& v : vectors) {
    INFO(v.because);
    const int target = v.state > 0 ? v.state : -1;  // the only trip: it asked for what is in force
    CHECK(std::max(step_wise_target({v.now_c, v.before_c, v.trip_c, 7.0, v.state, v.deepest, target}), 0) ==
          v.expected);
  }
}

TEST_CASE("step_wise: a trip asks for nothing before it is reached, and after its last step back") {
  CHECK(step_wise_target({80, 79, 90, 0, 3, 14, -1}) == -1);  // another trip's cap is not its own
  CHECK(step_wise_target({80, 81, 90, 0, 3, 14, -1}) == -1);
  CHECK(step_wise_target({90, 89, 90, 0, 3, 14, -1}) == 4);  // reached: one deeper than what is in force
  CHECK(step_wise_target({80, 81, 90, 0, 1, 14, 1}) == 0);
  CHECK(step_wise_target({79, 80, 90, 0, 0, 14, 0}) == -1);
  CHECK(step_wise_target({91, 92, 90, 0, 0, 14, 0}) == 0);
  CHECK(step_wise_target({85, 84, 90, 0, 5, 14, 2}) == 2);  // below and rising: what it asked for, not what is in force
}

TEST_CASE("threshold: deeper at the trip, back below it less the hysteresis, held between") {
  struct Vector {
    double now_c, trip_c, hysteresis_k;
    int expected;
  };
  const Vector vectors[] = {{90, 90, 2, -1},  {89.999, 90, 2, 0}, {88, 90, 2, 0},   {87.999, 90, 2, 1},
                            {120, 90, 2, -1}, {20, 90, 2, 1},     {90, 90, 0, -1},  {89.999, 90, 0, 1},
                            {89, 90, 100, 0}, {-11, 90, 100, 1},  {-10, 90, 100, 0}};
  for (const Vector& v : vectors) {
    INFO(v.now_c << " of " << v.trip_c << ", hysteresis " << v.hysteresis_k);
    CHECK(threshold_step({v.now_c, 0, v.trip_c, v.hysteresis_k, 3, 14}) == v.expected);
  }
}
