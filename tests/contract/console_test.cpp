// Commands as functions: their words go to the console they are given, and its progress can end them.
#include "cli/console.hpp"

#include <chrono>
#include <filesystem>
#include <sstream>
#include <thread>

#include <catch2/catch.hpp>

#include "cli/command_line.hpp"
#include "common/error.hpp"
#include "common/installation.hpp"
#include "common/json_reader.hpp"
#include "common/text.hpp"
#include "support/temporary_folder.hpp"

namespace dynasoc {
namespace {

namespace fs = std::filesystem;

class Kept : public cli::CapturingConsole {
 public:
  Kept() : CapturingConsole(output, errors) {}
  void progress(double share, const std::string& /*note*/) override {
    last = share;
    if (share >= end_at) throw cli::Interrupted{};
  }
  std::ostringstream output, errors;
  double last = 0, end_at = 2;
};

TEST_CASE("a command's words go to its console") {
  Kept console;
  CHECK(cli::run_command_line({"run", "scenarios/minimal.json", "--json"}, console) == 0);
  CHECK(Json::parse(console.output.str()).at("scenario") == "minimal");
  CHECK(console.errors.str().empty());
  CHECK(console.last == 1);

  Kept help;
  CHECK(cli::run_command_line({"table", "show", "--help"}, help) == 0);
  CHECK(help.output.str().starts_with("usage: dynasoc table show"));

  Kept nothing;
  CHECK(cli::run_command_line({}, nothing) == 2);
  CHECK(nothing.output.str().empty());
  CHECK_FALSE(nothing.errors.str().empty());
}

TEST_CASE("errors pass through a command") {
  Kept console;
  CHECK_THROWS_WITH(cli::run_command_line({"runn"}, console), Catch::Contains("did you mean \"run\""));
  CHECK_THROWS_AS(cli::run_command_line({"run", "scenarios/minimal.json", "--seed", "x"}, console), InputError);
  CHECK(console.output.str().empty());
}

TEST_CASE("two consoles do not mix") {
  Kept one, other;
  {
    std::jthread thread([&] {
      for (int i = 0; i < 20; ++i) cli::run_command_line({"list", "policies", "--json"}, one);
    });
    for (int i = 0; i < 20; ++i) cli::run_command_line({"list", "metrics"}, other);
  }
  Kept policies, metrics;
  cli::run_command_line({"list", "policies", "--json"}, policies);
  cli::run_command_line({"list", "metrics"}, metrics);
  CHECK(one.output.str().size() == 20 * policies.output.str().size());
  CHECK(other.output.str().size() == 20 * metrics.output.str().size());
}

TEST_CASE("many short runs can be ended") {
  Kept ended;
  ended.end_at = 0.3;
  CHECK_THROWS_AS(
      cli::run_command_line({"run", "scenarios/minimal.json", "--replications", "100", "--jobs", "2"}, ended),
      cli::Interrupted);
  CHECK(ended.last < 0.4);
  CHECK(ended.output.str().empty());
}

TEST_CASE("progress ends a command, and what is on disk can be resumed") {
  const test::TemporaryFolder folder;
  const std::string out = (folder.path() / "sweep").string();
  const cli::Arguments words{
      "sweep", "scenarios/minimal.json", "--set", R"(seed={"from":1,"to":400})", "--jobs", "2", "--out", out, "--json"};
  Kept ended;
  ended.end_at = 0.2;
  std::string note;
  try {
    cli::run_command_line(words, ended);
  } catch (const cli::Interrupted& end) {
    note = end.note;
  }
  CHECK_THAT(note, Catch::Contains("the same command goes on"));
  Kept again;
  REQUIRE(cli::run_command_line(words, again) == 0);
  const Json answer = Json::parse(again.output.str());
  CHECK(answer["found"].get<int>() > 0);
  CHECK(answer["found"].get<int>() + answer["simulated"].get<int>() == 400);
}

fs::path script(const test::TemporaryFolder& folder, const std::string& text) {
  const fs::path path = folder.path() / "program";
  write_file(path, "#!/bin/sh\n" + text + "\n");
  fs::permissions(path, fs::perms::owner_all);
  return path;
}

TEST_CASE("another program answers in this one's place") {
  const test::TemporaryFolder folder;
  Kept console;
  CHECK(console.continue_as(script(folder, "echo \"$2\"; echo warning >&2; exit 1"), {"run", "it's"}) == 1);
  CHECK(console.output.str() == "it's\n");
  CHECK(console.errors.str() == "warning\n");
  CHECK_THROWS_WITH(console.continue_as(script(folder, "echo a:1: wrong >&2; exit 2"), {}), "a:1: wrong");
  CHECK_THROWS_AS(console.continue_as(script(folder, "exit 2"), {}), InputError);
  CHECK_THROWS_WITH(console.continue_as(script(folder, "echo dynasoc: full >&2; exit 3"), {}), "full");
  CHECK_THROWS_AS(console.continue_as(script(folder, "exit 4"), {}), InternalError);
  CHECK_THROWS_AS(console.continue_as(script(folder, "kill -9 $$"), {}), OutsideError);
  CHECK_FALSE(console.continue_as(folder.path() / "nothing", {}).has_value());

  // Both outputs are read as they come: neither fills its pipe and stops the child.
  Kept much;
  CHECK(much.continue_as(script(folder, "head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero"), {}) == 0);
  CHECK(much.output.str().size() == 300000);
  CHECK(much.errors.str().size() == 300000);

  Kept ended;
  ended.end_at = 0;
  const auto begin = std::chrono::steady_clock::now();
  CHECK_THROWS_AS(ended.continue_as(script(folder, "exec sleep 30"), {}), cli::Interrupted);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
}

TEST_CASE("our files are found beside the program, or where an embedding program says") {
  const test::TemporaryFolder folder;
  CHECK(fs::equivalent(installation::image(), "/proc/self/exe"));
  CHECK_FALSE(installation::program("program").has_value());
  script(folder, "exit 0");
  installation::set_home(folder.path());
  const auto program = installation::program("program");
  const auto modules = installation::modules("some.so"), roots = installation::data_roots();
  installation::set_home({});
  CHECK(program == folder.path() / "program");
  CHECK(modules.front() == folder.path() / "some.so");
  CHECK(roots.front() == folder.path() / "share" / "dynasoc");
  CHECK_FALSE(installation::program("program").has_value());
}

}  // namespace
}  // namespace dynasoc
