// What commands that write have in common: other programs, locks, files that are there whole.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include "common/directory_lock.hpp"
#include "common/program.hpp"
#include "common/text.hpp"
#include "results/output.hpp"
#include "support/temporary_folder.hpp"

namespace dynasoc {
namespace {

namespace fs = std::filesystem;
using Catch::Contains;

void touch(const fs::path& path) { std::ofstream(path) << "x"; }

TEST_CASE("a program may say more than a pipe holds, to both of its outputs") {
  const Finished done =
      run_program({"sh", "-c", "head -c 300000 /dev/zero >&2; head -c 200000 /dev/zero; exit 7"}, true);
  CHECK(done.status == 7);
  CHECK(done.out.size() == 200'000);
  CHECK(done.err.size() == 300'000);
  CHECK_THROWS_WITH(run_program({"dynasoc-no-such-program"}, true), Contains("cannot start"));
}

TEST_CASE("a program ends by the signals that this one ignores") {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  const int status = run_program({"sh", "-c", "kill -PIPE $$; exit 0"}, true).status;
  ::signal(SIGPIPE, before);
  CHECK(status == 128 + SIGPIPE);
}

TEST_CASE("two writers of one file: the second is refused, and what a dead one left is taken over") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "table.csv";
  std::ofstream(path.string() + ".partial") << "of a process that was killed, and longer than what follows";
  FileWriter first(path);
  CHECK_THROWS_WITH(FileWriter(path), Contains("another process is writing it"));
  first.buffer() = "whole";
  first.commit();
  CHECK(read_file(path) == "whole");
  write_file(path, "again");
  CHECK(read_file(path) == "again");
  CHECK(!fs::exists(path.string() + ".partial"));
}

TEST_CASE("a link stays a link, also one that leads to nothing yet; one that leads to itself is an error") {
  const test::TemporaryFolder folder;
  const auto at = [&](const char* name) { return folder.path() / name; };
  fs::create_directory(at("sub"));
  fs::create_symlink("sub/new.csv", at("dangling"));
  fs::create_symlink("dangling", at("to-dangling"));
  write_file(at("to-dangling"), "text");
  CHECK(fs::is_symlink(at("to-dangling")));
  CHECK(fs::is_symlink(at("dangling")));
  CHECK(read_file(at("sub") / "new.csv") == "text");
  fs::create_symlink("loop", at("loop"));
  CHECK_THROWS_WITH(write_file(at("loop"), "text"), Contains((at("loop")).string() + ": cannot be written: "));
}

TEST_CASE("a descriptor of this process is written on and not replaced") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "log";
  touch(path);
  const int file = ::open(path.c_str(), O_WRONLY | O_APPEND);
  REQUIRE(file >= 0);
  for (const char* directory : {"/dev/fd/", "/proc/self/fd/"}) write_file(directory + std::to_string(file), "yz");
  CHECK(::write(file, "!", 1) == 1);
  ::close(file);
  CHECK(read_file(path) == "xyzyz!");
}

TEST_CASE("a directory with what a board said is not empty, and is not overwritten unasked") {
  const test::TemporaryFolder folder;
  const fs::path out = folder.path() / "out";
  fs::create_directories(out / "policy-1");
  touch(out / "lock");
  touch(out / "jobs.csv.partial");
  { const OutputDirectory left(out, false); }  // a simulation's: may be made again
  touch(out / "policy-1" / "board.jsonl");
  CHECK_THROWS_WITH(OutputDirectory(out, false), Contains("say --force"));
  fs::rename(out / "policy-1" / "board.jsonl", out / "board.jsonl");
  CHECK_THROWS_WITH(OutputDirectory(out, false), Contains("say --force"));
  { const OutputDirectory forced(out, true); }
  CHECK(!fs::exists(out / "lock"));
}

TEST_CASE("only what a command writes may be overwritten") {
  const test::TemporaryFolder folder;
  for (const char* name : {"policy-1", "policy-notes.md", "policy-", "thesis.tex"}) {
    touch(folder.path() / name);
    INFO(name);
    CHECK_THROWS_WITH(OutputDirectory(folder.path(), true), Contains(name));
    fs::remove(folder.path() / name);
  }
  for (const char* name : {"comparison.json", "manifest.json", "report.html", "jobs.parquet", "values.csv"})
    touch(folder.path() / name);
  const OutputDirectory forced(folder.path(), true);
  begin_replacing(folder.path());  // nothing says any more that it is complete
  CHECK(fs::exists(folder.path() / "values.csv"));
  for (const char* name : {"comparison.json", "manifest.json", "report.html", "jobs.parquet"})
    CHECK(!fs::exists(folder.path() / name));
}

}  // namespace
}  // namespace dynasoc
