// Does an engine keep the contract of kernel/engine.hpp? Each clause on cases small enough to be worked by hand, on
// every engine there is. A transcript is a list of `time:name`; other entries are numbers the script asked for.
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>

#include <catch2/catch.hpp>

#include "kernel/native_engine.hpp"
#include "support/in_child.hpp"
#ifdef DYNASOC_WITH_SIMGRID
#include "kernel/simgrid_engine.hpp"
#endif

namespace dynasoc::test {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

/// An engine with a client that writes down what it is told, and may react.
template <class E>
struct World {
  E engine;
  std::string transcript;
  std::function<void(char)> react;

  TimerId timer(Time time, char name, Priority priority = Priority::application) {
    return engine.at(time, priority, {0, static_cast<std::uint32_t>(name)});
  }
  ActivityId start(ProcessorId processor, double work, char name, double weight = 1, double rate = 1) {
    return engine.start(processor, work, weight, rate, {1, static_cast<std::uint32_t>(name)});
  }
  void run(Time until) { engine.run(*this, until); }

  void on_event(Event event) {
    const char name = static_cast<char>(event.subject);
    note(std::to_string(engine.now()) + ':' + name);
    if (react) react(name);
  }
  void note(const std::string& entry) { transcript += (transcript.empty() ? "" : " ") + entry; }
  void note(double number) {
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", number);
    note(std::string(text));
  }
};

/// Plays `script(world)` on each engine.
template <class Script>
void check(Script script, const std::string& expected) {
  {
    INFO("native engine");
    World<NativeEngine> world;
    script(world);
    CHECK(world.transcript == expected);
  }
#ifdef DYNASOC_WITH_SIMGRID
  INFO("simgrid engine");
  const ChildOutcome child = in_child([&] {
    World<SimgridEngine> world;
    script(world);
    return world.transcript;
  });
  CHECK(child.failure == "");
  CHECK(child.bytes == expected);
#endif
}

TEST_CASE("timers are delivered by time, then priority class, then in the order in which they were set", "[engine]") {
  check(
      [](auto& world) {
        world.timer(20, 'z');
        world.timer(10, 'e', Priority::observer);
        world.timer(10, 'd', Priority::manager);
        world.timer(10, 'c', Priority::arrival);
        world.timer(10, 'b', Priority::application);
        world.timer(10, 'a', Priority::device);
        world.timer(10, 'B', Priority::application);
        world.timer(10, 'A', Priority::device);
        world.timer(5, 'x', Priority::observer);
        world.run(100);
      },
      "5:x 10:a 10:A 10:b 10:B 10:c 10:d 10:e 20:z");
}

TEST_CASE("a timer set for this very instant is still delivered in its class", "[engine]") {
  check(
      [](auto& world) {
        world.timer(10, 'a', Priority::arrival);
        world.timer(10, 'b', Priority::manager);
        world.react = [&](char name) {
          if (name != 'a') return;
          world.timer(10, 'c', Priority::observer);
          world.timer(10, 'd', Priority::device);
        };
        world.run(11);
      },
      "10:a 10:d 10:b 10:c");
}

TEST_CASE("at one instant completions come before every timer, in the order of their starts", "[engine]") {
  check(
      [](auto& world) {
        const auto p = world.engine.add_processor(), q = world.engine.add_processor();
        world.timer(10, 't', Priority::device);
        world.start(q, 10, 'a');
        world.start(p, 5, 'b');
        world.start(p, 5, 'c');
        world.run(11);
      },
      "10:a 10:b 10:c 10:t");
}

TEST_CASE("completions of one nanosecond are told in the order of starts even if the exact order differs", "[engine]") {
  check(
      [](auto& world) {
        const auto p = world.engine.add_processor(), q = world.engine.add_processor();
        world.start(p, 9.9, 'a');
        world.start(q, 9.2, 'b');
        world.start(world.engine.add_processor(), 9.5, 'c');
        world.run(11);
      },
      "10:a 10:b 10:c");
}

TEST_CASE("work of nothing is told at once, before the timers still due at this instant", "[engine]") {
  check(
      [](auto& world) {
        const auto p = world.engine.add_processor();
        world.timer(10, 'a', Priority::device);
        world.timer(10, 'b', Priority::device);
        world.react = [&](char name) {
          if (name == 'a') world.start(p, 0, 'c');
        };
        world.run(11);
      },
      "10:a 10:c 10:b");
}

TEST_CASE("an activity alone takes its work at speed 1", "[engine]") {
  check(
      [](auto& world) {
        world.start(world.engine.add_processor(), 10e6, 'a');
        world.run(1_s);
      },
      "10000000:a");
}

TEST_CASE("activities share a processor by weight", "[engine]") {
  check(
      [](auto& world) {
        const auto p = world.engine.add_processor();
        world.start(p, 10, 'a', 1);  // 1/4 until 20, when 5 are done; then alone
        world.start(p, 15, 'b', 3);
        world.run(100);
      },
      "20:b 25:a");
}

TEST_CASE("processors do not share with each other", "[engine]") {
  check(
      [](auto& world) {
        world.start(world.engine.add_processor(), 10, 'a', 1);
        world.start(world.engine.add_processor(), 10, 'b', 7);
        world.run(100);
      },
      "10:a 10:b");
}

TEST_CASE("a rate changes the progress of its activity and the share of none", "[engine]") {
  check(
      [](auto& world) {
        const auto p = world.engine.add_processor();
        world.start(p, 20, 'a', 1, 2);    // 1 per ns: 20
        world.start(p, 10, 'b', 1, 0.5);  // 1/4 per ns until 20, then 1/2: 5 left, 30
        world.run(100);
      },
      "20:a 30:b");
}

TEST_CASE("a rate may change while the activity runs", "[engine]") {
  check(
      [](auto& world) {
        const auto p = world.engine.add_processor();
        const auto a = world.start(p, 30, 'a');
        world.timer(10, 'x');
        world.react = [&](char name) {
          if (name == 'x') world.engine.set_rate(a, 4);
        };
        world.run(100);
      },
      "10:x 15:a");
}

TEST_CASE("an activity of rate 0 stands still and keeps its share", "[engine]") {
  check(
      [](auto& world) {
        const auto p = world.engine.add_processor();
        const auto a = world.start(p, 10, 'a', 1, 0);
        world.start(p, 10, 'b');
        world.timer(50, 'x');
        world.react = [&](char name) {
          if (name != 'x') return;
          world.note(world.engine.remaining(a));
          world.engine.set_rate(a, 1);
        };
        world.run(100);
      },
      "20:b 50:x 10 60:a");
}

TEST_CASE("speed scales all that runs on a processor, from the moment it changes", "[engine]") {
  check(
      [](auto& world) {
        const auto p = world.engine.add_processor();
        world.engine.set_speed(p, 0.5);
        world.start(p, 10, 'a');  // 5 done at 20
        world.start(p, 20, 'b');  // 5 done at 20, 10 when a ends
        world.start(world.engine.add_processor(), 7, 'c');
        world.timer(20, 'x');
        world.react = [&](char name) {
          if (name == 'x') world.engine.set_speed(p, 2);
        };
        world.run(100);
      },
      "7:c 20:x 25:a 30:b");
}

TEST_CASE("a processor of speed 0 stands still and loses nothing", "[engine]") {
  check(
      [](auto& world) {
        const auto p = world.engine.add_processor();
        const auto a = world.start(p, 10, 'a');
        world.timer(4, 'x');
        world.timer(1000, 'y');
        world.react = [&](char name) {
          if (name == 'a') return;
          if (name == 'x') world.start(p, 0, 'n');
          world.engine.set_speed(p, name == 'y' ? 1 : 0);
          world.note(world.engine.remaining(a));
        };
        world.run(10'000);
      },
      "4:x 6 4:n 6 1000:y 6 1006:a");
}

TEST_CASE("a share changes at the exact instant at which the work of another runs out", "[engine]") {
  // a ends at 10.2, told at 11. b then has 2.75 left: 12.95. Were it to wait for its share until 11, it would be 13.35.
  check(
      [](auto& world) {
        const auto p = world.engine.add_processor();
        world.start(p, 5.1, 'a');
        world.start(p, 7.85, 'b');
        world.run(100);
      },
      "11:a 13:b");
}

TEST_CASE("a completion is told at the next whole nanosecond, but for a picosecond of slack", "[engine]") {
  check(
      [](auto& world) {
        world.start(world.engine.add_processor(), 10.0005, 'a');
        world.start(world.engine.add_processor(), 10.002, 'b');
        world.start(world.engine.add_processor(), 9.0015, 'c');
        world.run(100);
      },
      "10:a 10:c 11:b");
}

TEST_CASE("thirds and tenths that add up to whole nanoseconds are told at them", "[engine]") {
  check(
      [](auto& world) {
        const auto p = world.engine.add_processor();
        for (const char name : {'a', 'b', 'c'}) world.start(p, 10.0 / 3, name, 0.1);
        world.start(world.engine.add_processor(), 0.1 + 0.2 + 0.7, 'd', 1, 0.1);
        world.run(100);
      },
      "10:a 10:b 10:c 10:d");
}

TEST_CASE("what is let off within the slack is not given to the others", "[engine]") {
  // a ends at 10 instead of 10.0008. b has had half of 10 ns.
  check(
      [](auto& world) {
        const auto p = world.engine.add_processor();
        world.start(p, 5.0004, 'a');
        const auto b = world.start(p, 20, 'b');
        world.react = [&](char name) {
          if (name == 'a') world.note(world.engine.remaining(b));
        };
        world.run(100);
      },
      "10:a 15 25:b");
}

TEST_CASE("remaining work is known at any instant", "[engine]") {
  check(
      [](auto& world) {
        const auto p = world.engine.add_processor();
        const auto a = world.start(p, 40, 'a', 1, 2);
        const auto b = world.start(p, 100, 'b', 3);
        world.timer(16, 'x');
        world.react = [&](char) {
          world.note(world.engine.remaining(a));
          world.note(world.engine.remaining(b));
        };
        world.run(17);
      },
      "16:x 32 88");
}

TEST_CASE("cancelling an activity returns the work not done, tells nobody, and frees its share", "[engine]") {
  check(
      [](auto& world) {
        const auto p = world.engine.add_processor();
        const auto a = world.start(p, 30, 'a');
        world.start(p, 30, 'b');
        world.timer(20, 'x');
        world.react = [&](char name) {
          if (name == 'x') world.note(world.engine.cancel(a));
        };
        world.run(100);
      },
      "20:x 20 40:b");
}

TEST_CASE("of two activities that end in one nanosecond, the first told may cancel the other", "[engine]") {
  check(
      [](auto& world) {
        const auto p = world.engine.add_processor();
        const auto q = world.engine.add_processor();
        world.start(p, 5, 'a');
        const auto b = world.start(p, 5, 'b');
        const auto c = world.start(q, 9.5, 'c');
        world.start(q, 10, 'd');
        world.react = [&](char name) {
          if (name != 'a') return;
          world.note(world.engine.remaining(b));
          world.engine.set_rate(b, 0);  // too late to matter
          world.note(world.engine.cancel(b));
          world.start(p, 3, 'e');
        };
        world.timer(10, 'x', Priority::device);
        world.timer(12, 'y');
        world.run(13);
        world.note(world.engine.remaining(c));
        world.run(21);
      },
      "10:a 0 0 10:x 12:y 3 13:e 19:c 20:d");
}

TEST_CASE("infinite work takes its share and never completes", "[engine]") {
  check(
      [](auto& world) {
        const auto p = world.engine.add_processor();
        const auto background = world.start(p, kInfinite, 'i', 3);
        world.start(p, 10, 'a');
        world.timer(1000, 'x');
        world.react = [&](char name) {
          if (name == 'a') world.engine.set_rate(background, 0);
          if (name == 'x') {
            world.engine.set_speed(p, 5);
            world.note(world.engine.remaining(background));
            world.note(world.engine.cancel(background));
            world.start(p, 10, 'b');
          }
        };
        world.run(100_s);
      },
      "40:a 1000:x inf inf 1002:b");
}

TEST_CASE("run() stops before events of its end, and goes on from there", "[engine]") {
  check(
      [](auto& world) {
        const auto p = world.engine.add_processor();
        world.start(p, 10, 'a');
        world.start(p, 5.3, 'b');
        world.timer(10, 'x');
        for (const Time until : {0, 10, 10, 11, 15, 16, 30}) {
          world.run(until);
          world.note("|" + std::to_string(world.engine.now()));
        }
      },
      "|0 |10 |10 10:x |11 11:b |15 |16 16:a |30");
}

TEST_CASE("run() in slices tells the same as run() in one go", "[engine]") {
  const auto story = [](Time slice) {
    World<NativeEngine> world;
    const auto p = world.engine.add_processor(), q = world.engine.add_processor();
    world.start(p, kInfinite, 'i', 0.3);
    world.timer(0, 't');
    world.timer(3, 'u', Priority::manager);
    int started = 0;
    world.react = [&](char name) {
      const Time now = world.engine.now();
      if (name == 't') world.timer(now + 4, 't');
      if (name == 'u') world.timer(now + 6, 'u', Priority::manager);
      if (name == 'u') world.engine.set_speed(q, now % 4 == 1 ? 0.7 : 1.3);
      if (started < 300) world.start(started % 3 == 0 ? q : p, (started * 37 % 11) * 0.7, 'c', 1 + started % 3);
      ++started;
    };
    while (world.engine.now() < 2000) world.run(std::min<Time>(2000, world.engine.now() + slice));
    return world.transcript;
  };
  const std::string whole = story(2000);
  CHECK(whole.size() > 3000);
  for (const Time slice : {1, 2, 3, 7, 100}) CHECK(story(slice) == whole);
}

TEST_CASE("work that runs out before the end of a run() gives up its share then, not at the next call", "[engine]") {
  // a ends at 9.2 and is told at 10. From 9.2 on b runs alone, although c comes before a is told: 20 - 4.6 - 0.8 at 10.
  check(
      [](auto& world) {
        const auto p = world.engine.add_processor();
        const auto a = world.start(p, 4.6, 'a');
        const auto b = world.start(p, 20, 'b');
        world.run(10);
        world.note(world.engine.remaining(a));
        world.note(world.engine.remaining(b));
        const auto c = world.start(p, kInfinite, 'c');
        world.note(world.engine.remaining(b));
        world.run(11);
        world.note(world.engine.cancel(b));
        world.note(world.engine.cancel(c));
      },
      "0 14.6 14.6 10:a 14.1 inf");
}

TEST_CASE("what has run out by the end of a run() can be cancelled before it is told", "[engine]") {
  check(
      [](auto& world) {
        const auto p = world.engine.add_processor();
        const auto a = world.start(p, 9.5, 'a');
        world.start(p, 9.5, 'b');
        world.run(19);
        world.note(world.engine.cancel(a));
        world.run(100);
      },
      "0 19:b");
}

TEST_CASE("a cancelled timer is not delivered; cancelling one that is gone harms nobody", "[engine]") {
  check(
      [](auto& world) {
        const auto a = world.timer(10, 'a');
        const auto b = world.timer(20, 'b');
        world.react = [&](char name) {
          if (name != 'a') return;
          world.engine.cancel(b);
          world.engine.cancel(b);
          world.engine.cancel(a);
          world.engine.cancel(TimerId{});
          // These take over whatever the engine kept of a and b.
          world.timer(30, 'c');
          world.timer(40, 'd');
          world.engine.cancel(a);
          world.engine.cancel(b);
        };
        world.run(100);
      },
      "10:a 30:c 40:d");
}

TEST_CASE("a client may cancel a timer of the same instant", "[engine]") {
  check(
      [](auto& world) {
        world.timer(10, 'a', Priority::device);
        const auto b = world.timer(10, 'b', Priority::manager);
        world.timer(10, 'c', Priority::observer);
        world.react = [&](char name) {
          if (name == 'a') world.engine.cancel(b);
        };
        world.run(11);
      },
      "10:a 10:c");
}

TEST_CASE("processors may be added while the simulation runs", "[engine]") {
  check(
      [](auto& world) {
        world.start(world.engine.add_processor(), 30, 'a');
        world.timer(10, 'x');
        world.react = [&](char name) {
          if (name != 'x') return;
          const auto late = world.engine.add_processor();
          world.engine.set_speed(late, 2);
          world.start(late, 10, 'b');
        };
        world.run(100);
      },
      "10:x 15:b 30:a");
}

TEST_CASE("an exception of the client leaves run(), and the next run() goes on after the event", "[engine]") {
  check(
      [](auto& world) {
        world.start(world.engine.add_processor(), 10, 'a');
        world.timer(10, 'x');
        world.react = [&](char name) {
          if (name == 'a') throw std::runtime_error("enough");
        };
        try {
          world.run(100);
        } catch (const std::runtime_error& error) {
          world.note(error.what());
        }
        world.note(static_cast<double>(world.engine.now()));
        world.run(100);
      },
      "10:a enough 10 10:x");
}

TEST_CASE("a job is told to the nanosecond after 20 minutes of light background load", "[engine]") {
  // A weight of thousands multiplies every rounding error of the shares' clock. The job has 4000/4001 of the processor.
  check(
      [](auto& world) {
        const auto p = world.engine.add_processor();
        world.start(p, kInfinite, 'i', 1);
        world.timer(1200_s + 7, 'x');
        world.react = [&](char name) {
          if (name == 'x') world.start(p, 10e6 * 4000 / 4001, 'a', 4000);
        };
        world.run(1201_s);
      },
      "1200000000007:x 1200010000007:a");
}

TEST_CASE("a heavy weight that has come and gone leaves no trace in the shares", "[engine]") {
  check(
      [](auto& world) {
        const auto p = world.engine.add_processor();
        world.start(p, kInfinite, 'i', 1e-3);
        const auto light = world.start(p, 1e12, 'l', 1e-3);
        int heavy = 0;
        world.timer(0, 'x');
        world.react = [&](char name) {
          if (name == 'x') {
            world.engine.cancel(world.start(p, 1e9, 'h', 1e6 + 0.1 * heavy));
            if (++heavy < 1000) world.timer(0, 'x');
            world.transcript.clear();
          }
        };
        world.run(2_s);
        world.note(1e12 - world.engine.remaining(light));
      },
      "1e+09");
}

}  // namespace
}  // namespace dynasoc::test
