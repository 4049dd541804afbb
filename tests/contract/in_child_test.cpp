// Does the tests' own helper bring back what happened in the child, whatever it was?
#include "support/in_child.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>

#include <catch2/catch.hpp>

namespace dynasoc::test {
namespace {

TEST_CASE("a child's bytes come back as they are, in any number", "[support]") {
  const std::string bytes("a\0b\n", 4);
  CHECK(in_child([&] { return bytes; }).bytes == bytes);
  const ChildOutcome large = in_child([] { return std::string(3'000'000, 'x'); });
  CHECK(large.bytes.size() == 3'000'000);
  CHECK(large.failure == "");
  const ChildOutcome nothing = in_child([] { return std::string(); });
  CHECK(nothing.bytes == "");
  CHECK(nothing.failure == "");
}

TEST_CASE("a child's exception comes back as its text", "[support]") {
  const ChildOutcome outcome = in_child([]() -> std::string { throw std::runtime_error("what it was"); });
  CHECK(outcome.failure == "what it was");
  CHECK(outcome.bytes == "");
}

TEST_CASE("a child's crash, exit or silence is a failure and not the end of the tests", "[support]") {
  CHECK_THAT(in_child([]() -> std::string {
               signal(SIGABRT, SIG_DFL);
               std::abort();
             }).failure,
             Catch::StartsWith("killed by signal 6"));
  CHECK(in_child([]() -> std::string { _exit(7); }).failure == "ended with status 7");
  CHECK(in_child([]() -> std::string { _exit(0); }).failure == "ended with status 0");
  CHECK_THAT(in_child(
                 []() -> std::string {
                   for (;;) pause();
                 },
                 1)
                 .failure,
             Catch::StartsWith("killed by signal 14"));
}

}  // namespace
}  // namespace dynasoc::test
