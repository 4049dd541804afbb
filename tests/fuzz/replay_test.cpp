// The corpus, the seeds and thousands of mutants of them, for every target: each text is either good or refused with a
// place. What libFuzzer finds ends up in the corpus and is replayed here for ever.
#include <map>
#include <set>

#include <catch2/catch.hpp>

#include "common/text.hpp"
#include "scale.hpp"
#include "target.hpp"

namespace dynasoc::fuzz {
namespace {

void replay(const Target& target) {
  const std::vector<std::string> seeds = target.seeds();
  REQUIRE(!seeds.empty());
  for (const std::string& text : seeds) {
    bool good = false;
    INFO(text.substr(0, 300));
    CHECK(finding_of(target, text, &good) == "");
    CHECK(good);
  }
  for (const auto& path : corpus(target)) {
    INFO(path);
    CHECK(finding_of(target, read_raw(path)) == "");
  }

  // At least a hundredth is accepted and refused: else nothing but the first line of the parser is tested.
  std::set<std::string> complaints;
  const int count = test::scaled(target.mutants);
  int accepted = 0;
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i) % seeds.size();
    const std::string text = mutant(target, seeds[at], seeds[(at + 1) % seeds.size()], static_cast<std::uint64_t>(i));
    bool good = false;
    const std::string wrong = finding_of(target, text, &good);
    accepted += good;
    if (!wrong.empty() && complaints.size() < 20 && complaints.insert(wrong).second) {
      UNSCOPED_INFO("mutant " << i << ": " << text.substr(0, 2000));
      CHECK(wrong == "");
    }
  }
  if (count < 100) return;
  CHECK(accepted >= count / 100);
  CHECK(accepted <= count - count / 100);
}

TEST_CASE("fuzz targets: the corpus and mutants of good texts are read or refused") {
  REQUIRE(targets().size() >= 20);
  for (const Target& target : targets()) DYNAMIC_SECTION(target.name) {
      replay(target);
    }
}

TEST_CASE("every folder of the corpus belongs to a target") {
  std::set<std::string> names;
  for (const Target& target : targets()) CHECK(names.insert(std::string(target.name)).second);
  for (const auto& entry : std::filesystem::directory_iterator(root() / "tests/fuzz/corpus"))
    if (entry.is_directory()) {
      INFO(entry.path());
      CHECK(names.contains(entry.path().filename().string()));
    }
}

}  // namespace
}  // namespace dynasoc::fuzz
