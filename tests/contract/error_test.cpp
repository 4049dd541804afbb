// Messages: one line, whatever the input held; and hints that name what was meant.
#include "common/error.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "common/text.hpp"

namespace dynasoc {
namespace {

using Names = std::vector<std::string>;

TEST_CASE("a location leaves out what is not known") {
  CHECK(Location{"a.json", 3, 5, "/x"}.text() == "a.json:3:5: /x");
  CHECK(Location{"a.json", 3, 0, ""}.text() == "a.json:3");
  CHECK(Location{"a.json", 0, 7, "/x"}.text() == "a.json: /x");
  CHECK(Location{"", 0, 0, ""}.text() == "\"\"");
  const InputError error({"a.json", 3, 5, "/x"}, "is wrong");
  CHECK(std::string(error.what()) == "a.json:3:5: /x: is wrong");
  CHECK(error.location().line == 3);
  CHECK(InputError("--seed x: is wrong").location().file.empty());
}

TEST_CASE("a message is one line that a terminal can show") {
  const std::string text =
      InputError({"a\nb", 1, 1, "/k\x1b[31m"}, std::string("tab\t nul\0 \x7f \xff\xfe grün", 20)).what();
  CHECK(text == "a\\nb:1:1: /k\\x1b[31m: tab\\t nul\\x00 \\x7f \\xff\\xfe grün");
  CHECK(in_quotes("short") == "\"short\"");
  const std::string long_name(100'000, 'x');
  CHECK(in_quotes(long_name).size() < 100);
  CHECK(in_quotes(std::string(100'000, '\xa1')).size() < 100);  // bytes that never begin a character
  std::string wide;
  for (int i = 0; i < 5000; ++i) wide += "ü€";
  const std::string shown = in_quotes(wide);  // cut between characters
  CHECK(shown.size() < 100);
  CHECK(first_invalid_utf8(shown) == shown.size());
}

TEST_CASE("the nearest name") {
  const Names keys{"latency_ms", "accuracy_floor", "energy_mj", "from_s", "priority"};
  const auto told = [](const std::string& name, const Names& known) { return hint(name, known); };
  CHECK(told("latncy_ms", keys) == " (did you mean \"latency_ms\"?)");
  CHECK(told("latency_s", keys) == " (did you mean \"latency_ms\"?)");   // another unit
  CHECK(told("latency", keys) == " (did you mean \"latency_ms\"?)");     // none
  CHECK(told("prioriyt", keys) == " (did you mean \"priority\"?)");      // a swap
  CHECK(told("Latency_Ms", keys) == " (did you mean \"latency_ms\"?)");  // capitals
  CHECK(told("accuracy-floor", keys) == " (did you mean \"accuracy_floor\"?)");
  CHECK(told("something", keys) == " (known: latency_ms, accuracy_floor, energy_mj, from_s, priority)");
  CHECK(told("tpu", {"cpu", "gpu"}) == " (did you mean \"cpu\" or \"gpu\"?)");
  CHECK(told("GPU", {"cpu", "gpu"}) == " (did you mean \"gpu\"?)");
  // A digit is no slip where names differ in nothing else; nor is every word near to every short one.
  CHECK(told("L4", {"L1", "L2", "L3"}) == " (known: L1, L2, L3)");
  CHECK(told("to", {"cpu", "gpu"}) == " (known: cpu, gpu)");
  CHECK(told("max_tries", {"max_mhz"}) == " (known: max_mhz)");  // the same first word is not the same quantity
  CHECK(told("x", {}).empty());
  CHECK(told("", {"a", "b"}) == " (known: a, b)");
  Names many;
  for (int i = 0; i < 40; ++i) many.push_back("name" + std::to_string(i));
  CHECK(told("zzzzzzzzzzzz", many).ends_with("name11, …)"));
  // Looking for a name of any length is cheap.
  CHECK(told(std::string(1'000'000, 'a'), many).starts_with(" (known"));
  CHECK(nearest("latency_s", keys) == "latency_ms");
  CHECK(nearest("x", keys) == std::nullopt);
}

TEST_CASE("UTF-8 as RFC 3629 has it") {
  for (const char* good : {"a", "ü", "€", "😀", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf", "\xee\x80\x80"})
    CHECK(first_invalid_utf8(good) == std::string_view(good).size());
  for (const char* bad : {"\x80", "\xc0\xaf", "\xc1\x81", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\xaf",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xc3(", "\xff"})
    CHECK(first_invalid_utf8(bad) == 0);
  CHECK(first_invalid_utf8("gr\xfcn") == 2);
}

TEST_CASE("numbers as people write them") {
  for (const auto& [x, text] :
       {std::pair{1e9, "1e9"}, {1.5e-7, "1.5e-7"}, {-1e300, "-1e300"}, {250.0, "250"}, {0.1, "0.1"}, {9e15, "9e15"}})
    CHECK(plain_number(x) == text);
}

}  // namespace
}  // namespace dynasoc
