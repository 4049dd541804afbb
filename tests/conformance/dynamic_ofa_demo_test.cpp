// The released Dynamic-OFA manager, step by step: every vector here is worked by hand from the rules in the policy's
// header.
#include <catch2/catch.hpp>

#include "manager/policy.hpp"

using namespace dynasoc;
using namespace dynasoc::manager;

namespace {

// One application on a ladder of six levels, fed one latency at a time.
class Ladder {
 public:
  explicit Ladder(const std::string& parameters, double target_ms = 60, double floor = 0) {
    const auto document = Document::parse(parameters, "parameters");
    const Value value(document);
    policy_ = Registry<Policy>::instance().make("dynamic-ofa-demo", &value);
    app_.subnets = 6;
    app_.accuracy = {74.202, 74.968, 76.134, 77.54, 78.346, 79.03};
    app_.subnet = 3;
    app_.active = true;
    app_.latency_target_ms = target_ms;
    app_.accuracy_floor = floor;
    seen_.applications = {&app_, 1};
    seen_.trigger = Trigger::start;
    policy_->decide(seen_, decision_);
    CHECK(decision_.writes.empty());
  }

  // The level wanted after this inference; -1 when the manager leaves things as they are. The clock moves by the
  // latency.
  int feed(double latency_ms) {
    seen_.now += from_ms(latency_ms);
    app_.samples[app_.completed % AppView::kRemembered] = {seen_.now,   latency_ms, latency_ms, latency_ms,
                                                           app_.subnet, 0,          1,          false};
    ++app_.completed;
    seen_.trigger = Trigger::completion;
    seen_.subject = 0;
    decision_.clear();
    policy_->decide(seen_, decision_);
    if (decision_.writes.empty()) return -1;
    REQUIRE(decision_.writes.size() == 1);
    const Write& write = decision_.writes[0];
    if (write.knob == Knob::admission) {
      CHECK(write.value == 0);
      return kEnded;
    }
    REQUIRE(write.knob == Knob::subnet);
    CHECK_FALSE(write.why.reason.text().empty());
    app_.subnet = write.value;
    return write.value;
  }

  // How many inferences of this latency it takes until something is decided (counting the one that decides).
  int feed_until_decision(double latency_ms, int most, int* level) {
    for (int n = 1; n <= most; ++n) {
      *level = feed(latency_ms);
      if (*level != -1) return n;
    }
    return 0;
  }

  static constexpr int kEnded = -2;
  AppView app_;

 private:
  std::unique_ptr<Policy> policy_;
  Observation seen_;
  Decision decision_;
};

constexpr const char* kArtefact = R"({"name": "dynamic-ofa-demo", "variant": "artefact"})";
constexpr const char* kCorrected = R"({"name": "dynamic-ofa-demo", "variant": "corrected", "dwell_s": 0})";

}  // namespace

TEST_CASE("artefact: images 0 to 20 are not recorded, and the first trigger near the limit is image 40") {
  Ladder ladder(kArtefact);
  int level = 0;
  // 62 ms: the sum of the last 20 exceeds 20 x 60 only once 20 are recorded (19 x 62 = 1178 < 1200), images 21 to 40.
  CHECK(ladder.feed_until_decision(62, 100, &level) == 41);
  CHECK(level == 2);
}

TEST_CASE("artefact: the mean always divides by 20, so that far above the limit fewer records suffice") {
  Ladder ladder(kArtefact);
  int level = 0;
  // 80 ms: 15 x 80 = 1200 is not over 1200, 16 x 80 = 1280 is: images 21 to 36, the 37th inference.
  CHECK(ladder.feed_until_decision(80, 100, &level) == 37);
  CHECK(level == 2);
}

TEST_CASE("artefact: a mean equal to the limit does not trigger") {
  Ladder ladder(kArtefact);
  int level = 0;
  CHECK(ladder.feed_until_decision(60, 500, &level) == 0);
}

TEST_CASE("artefact: latencies of 90 ms and more are discarded, which makes it blind to overload") {
  Ladder ladder(kArtefact);
  int level = 0;
  CHECK(ladder.feed_until_decision(90, 500, &level) == 0);
  CHECK(ladder.feed_until_decision(5000, 500, &level) == 0);
  // Just below, it sees: 14 x 89.9 = 1258.6 > 1200 and 13 x 89.9 = 1168.7 is not. Recording goes on at once.
  CHECK(ladder.feed_until_decision(89.9, 500, &level) == 14);
}

TEST_CASE("artefact: only the last 20 count") {
  Ladder ladder(kArtefact);
  for (int i = 0; i < 60; ++i) CHECK(ladder.feed(50) == -1);
  int level = 0;
  // Window of 20 with k at 75 and 20-k at 50: mean 50 + 1.25 k > 60 first at k = 9.
  CHECK(ladder.feed_until_decision(75, 40, &level) == 9);
}

TEST_CASE("artefact: a new level starts a new count") {
  Ladder ladder(kArtefact);
  int level = 0;
  CHECK(ladder.feed_until_decision(62, 100, &level) == 41);
  CHECK(ladder.feed_until_decision(62, 100, &level) == 41);
  CHECK(level == 1);
}

TEST_CASE("artefact: too low an accuracy sends it up at image 71") {
  Ladder ladder(kArtefact, 60, 78);  // 77.54 is below 78
  int level = 0;
  // Counted from image 51 on; more than 20 counted first at image 71, the 72nd inference.
  CHECK(ladder.feed_until_decision(50, 200, &level) == 72);
  CHECK(level == 4);
  CHECK(ladder.feed_until_decision(50, 200, &level) == 0);  // 78.346 is enough
}

TEST_CASE("artefact: conflicting targets oscillate for ever") {
  Ladder ladder(kArtefact, 60, 76);
  const auto latency_ms = [&] { return ladder.app_.subnet >= 2 ? 65.0 : 55.0; };
  std::vector<int> levels;
  for (int i = 0; i < 600 && levels.size() < 6; ++i)
    if (const int level = ladder.feed(latency_ms()); level != -1) levels.push_back(level);
  CHECK(levels == std::vector<int>{2, 1, 2, 1, 2, 1});
}

TEST_CASE("artefact: latency has priority over accuracy") {
  Ladder ladder(kArtefact, 60, 79);
  int level = 0;
  CHECK(ladder.feed_until_decision(62, 100, &level) == 41);
  CHECK(level == 2);  // although its accuracy is below 79
}

TEST_CASE("artefact: a data set that ends without a violation sends it up too") {
  Ladder ladder(R"({"name": "dynamic-ofa-demo", "variant": "artefact", "dataset_images": 100})");
  int level = 0;
  CHECK(ladder.feed_until_decision(50, 200, &level) == 100);
  CHECK(level == 4);
}

TEST_CASE("artefact: leaving the ladder ends the program, at either end") {
  SECTION("below") {
    Ladder ladder(kArtefact);
    ladder.app_.subnet = 0;
    int level = 0;
    CHECK(ladder.feed_until_decision(70, 100, &level) > 0);
    CHECK(level == Ladder::kEnded);
    CHECK(ladder.feed_until_decision(70, 500, &level) == 0);
  }
  SECTION("above") {
    Ladder ladder(kArtefact, 60, 79.5);
    ladder.app_.subnet = 5;
    int level = 0;
    CHECK(ladder.feed_until_decision(50, 100, &level) == 72);
    CHECK(level == Ladder::kEnded);
  }
}

TEST_CASE("corrected: sees overload") {
  Ladder ladder(kCorrected);
  int level = 0;
  CHECK(ladder.feed_until_decision(5000, 100, &level) == 41);  // 20 recorded, as the rule says
  CHECK(level == 2);
}

TEST_CASE("corrected: a mean is a mean, and needs 20 records") {
  Ladder ladder(kCorrected);
  int level = 0;
  CHECK(ladder.feed_until_decision(80, 100, &level) == 41);
}

TEST_CASE("corrected: the ends of the ladder are floors, not exits") {
  Ladder ladder(kCorrected);
  ladder.app_.subnet = 0;
  int level = 0;
  CHECK(ladder.feed_until_decision(70, 300, &level) == 0);
}

TEST_CASE("corrected: the dwell time holds on the way up as well") {
  Ladder ladder(R"({"name": "dynamic-ofa-demo", "variant": "corrected", "dwell_s": 1})", 60, 79);
  int level = 0;
  // The 72nd would climb after 0.72 s; the clock starts with the first, and a second later is the 101st.
  CHECK(ladder.feed_until_decision(10, 200, &level) == 101);
  CHECK(level == 4);
}

TEST_CASE("corrected: a level is held for its dwell time") {
  Ladder ladder(R"({"name": "dynamic-ofa-demo", "variant": "corrected", "dwell_s": 10})");
  int level = 0;
  // 62 ms a frame; the first sample starts the clock at 0.062 s, 10 s later is the 163rd inference (162 x 62 ms
  // = 10.044 s).
  CHECK(ladder.feed_until_decision(62, 500, &level) == 163);
}

TEST_CASE(
    "corrected: conflicting targets do not oscillate: a level that was too slow is not tried again before retry_s") {
  Ladder ladder(R"({"name": "dynamic-ofa-demo", "variant": "corrected", "dwell_s": 0, "retry_s": 1000})", 60, 76);
  const auto latency_ms = [&] { return ladder.app_.subnet >= 2 ? 65.0 : 55.0; };
  std::vector<int> levels;
  for (int i = 0; i < 3000; ++i)
    if (const int level = ladder.feed(latency_ms()); level != -1) levels.push_back(level);
  CHECK(levels == std::vector<int>{2, 1});
}

TEST_CASE("without a latency target it never steps down") {
  Ladder ladder(kArtefact, 0);
  int level = 0;
  CHECK(ladder.feed_until_decision(85, 500, &level) == 0);
}
