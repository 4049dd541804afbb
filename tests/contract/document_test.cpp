// JSON documents: what is read, what is refused, and where everything stands.
#include "common/document.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "common/fields.hpp"
#include "support/lab.hpp"

namespace dynasoc::test {
namespace {

using Catch::Contains;

std::string refusal(const std::string& text) {
  try {
    Document::parse(text, "f");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

std::string place(const Document& document, const std::string& pointer, bool key = false) {
  return document.locate(pointer, key).text();
}

TEST_CASE("values are read as JSON means them") {
  const Json json =
      read_json(R"({"s": "a\"b\\\/\b\f\n\r\tü\u00fc\u20ac\ud83d\ude00", "i": -5, "u": 18446744073709551615, "d": 1.5e3,
    "z": -0, "tiny": 1e-400, "t": true, "f": false, "n": null, "a": [], "o": {}, "": 1})",
                "f");
  CHECK(json["s"] == "a\"b\\/\b\f\n\r\tüü€😀");
  CHECK(json["i"] == -5);
  CHECK(json["i"].is_number_integer());
  CHECK(json["u"] == 18446744073709551615ull);
  CHECK(json["d"].is_number_float());
  CHECK(json["d"] == 1500);
  CHECK(json["tiny"] == 0);
  CHECK(json[""] == 1);
  CHECK(json["n"].is_null());
  CHECK(read_json("  7 ", "f") == 7);
  CHECK(read_json("1e308", "f") == 1e308);
  CHECK(read_json("123456789012345678901234567890", "f") == 123456789012345678901234567890.0);
  // The order of the file.
  const Json object = read_json(R"({"b": 1, "a": 2, "c": 3})", "f");
  CHECK(object.begin().key() == "b");
  CHECK(object.dump() == R"({"b":1,"a":2,"c":3})");
}

TEST_CASE("what is no JSON is refused at the character that is wrong") {
  const std::pair<const char*, const char*> cases[] = {
      {"", "f:1:1: /: the file is empty"},
      {"\n \n", "f:3:1: /: the file is empty"},
      {"{\"a\" 1}", "f:1:6: /a: a colon is missing"},
      {"{\"a\": 1\n \"b\": 2}", "f:2:2: /: a comma is missing before this"},
      {"{\"a\": 1,}", "f:1:8: /: nothing follows this comma but }"},
      {"{,\"a\": 1}", "f:1:2: /: there is one comma too many"},
      {"[1,,2]", "f:1:4: /: there is one comma too many"},
      {"[1 2]", "f:1:4: /: a comma is missing before this"},
      {"{\"a\": [1, 2}", "f:1:12: /a: expected ], which closes the array opened in line 1, not }"},
      {"{\"a\": ]}", "f:1:7: /a: a value is expected here, not ]"},
      {"{\"a\":", "f:1:6: /a: the file ends here, where a value is expected"},
      {"{\"a\": {\"b\": 1", "f:1:14: /a: the file ends here, inside the object"},
      {"{a: 1}", "f:1:2: /: a key in double quotes"},
      {"{'a': 1}", "f:1:2: /: a key in double quotes"},
      {"['a']", "f:1:2: /0: strings stand in double quotes"},
      {"{\"a\": 1} // end", "f:1:10: /: JSON has no comments"},
      {"{\"a\": 1 # end\n}", "f:1:9: /: JSON has no comments"},
      {"{} {}", "f:1:4: /: the value ended before this"},
      {"{}}", "f:1:3: /: there is one } too many"},
      {"[1, 01]", "f:1:5: /1: \"01\" is not a number"},
      {"[+1]", "f:1:2: /0: \"+1\" is not a number"},
      {"[1.]", "f:1:2: /0: \"1.\" is not a number"},
      {"[1e]", "f:1:2: /0: \"1e\" is not a number"},
      {"[-]", "f:1:2: /0: \"-\" is not a number"},
      {"[1_000]", "f:1:2: /0: \"1_000\" is not a number"},
      {"[nan]", "f:1:2: /0: \"nan\" is no number in JSON"},
      {"[1, -Infinity]", "f:1:5: /1: \"-Infinity\" is no number in JSON"},
      {"[True]", "(did you mean true?)"},
      {"[None]", "(did you mean null?)"},
      {"[truex]", "f:1:2: /0: \"truex\" is no value"},
      {"[1e999]", "f:1:2: /0: \"1e999\" is too large"},
      {"[\"a\nb\"]", "f:1:2: /0: this string is not closed in its line"},
      {"[\"a", "f:1:2: /0: this string is not closed"},
      {"[\"\x01\"]", "f:1:3: /0: a control character"},
      {"[\"\\x\"]", "f:1:3: /0: an unknown escape"},
      {"[\"\\u12g4\"]", "f:1:3: /0: \\u needs four"},
      {"[\"\\ud800\"]", "half a surrogate"},
      {"[\"\\udc00\"]", "half a surrogate"},
      {"[\"\\ud800\\u0041\"]", "half a surrogate"},
      {"[\"\xff\"]", "f:1:3: /0: not valid UTF-8"},
      {"{\"ü€😀\": 1, 2}", "f:1:12: /: a key in double quotes"},  // columns are characters
      {"\xc2\xa0{}", "f:1:1: /: an unexpected character"},
      {"{\"a\": 1,\n \"b\": 2,\n \"a\": 3}", "f:3:2: /a: the key \"a\" appears twice in one object, first in line 1"},
      {"{\"x\": {\"a\": 1}, \"y\": {\"\\u0061\": 1, \"a\": 2}}", "f:1:36: /y/a: the key \"a\" appears twice"},
  };
  for (const auto& [text, expected] : cases) {
    INFO(text);
    CHECK_THAT(refusal(text), Contains(expected));
  }
}

TEST_CASE("nesting ends at 64 levels, not at the end of the stack") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(refusal(nested(64)).empty());
  CHECK_THAT(refusal(nested(65)), Contains("f:1:65: ") && Contains("more than 64 levels"));
  CHECK_THAT(refusal(nested(1'000'000)), Contains("f:1:65: "));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  CHECK_THAT(refusal(objects), Contains("more than 64 levels"));
}

TEST_CASE("large documents are read in time that grows with their size alone") {
  std::string keys = "{", numbers = "[";
  for (int i = 0; i < 200'000; ++i) {
    if (i < 9'999) keys += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":" + std::to_string(i);
    numbers += (i ? "," : "") + std::to_string(i);
  }
  const auto object = Document::parse(keys + "}", "f");
  CHECK(object->root().size() == 9'999);
  CHECK(read<Named<double>>(Value(object)).back().second == 9'998);
  CHECK_THAT(refusal(keys + ",\"one\":0,\"two\":0}"), Contains("has more than 10000 members"));
  const auto array = Document::parse(numbers + "]", "f");
  CHECK(read<std::vector<double>>(Value(array)).size() == 200'000);
  CHECK_THAT(refusal(keys + ",\"k7\":1}"), Contains("/k7: the key \"k7\" appears twice"));
}

TEST_CASE("places of values and of keys") {
  const auto document = Document::parse("{\n  \"ä\": {\"b/c\": [10,\n   {\"d~\": null}]},\n  \"e\": 1}\n", "f");
  CHECK(place(*document, "") == "f:1:1");
  CHECK(place(*document, "/ä") == "f:2:8: /ä");
  CHECK(place(*document, "/ä", true) == "f:2:3: /ä");
  CHECK(place(*document, "/ä/b~1c/0") == "f:2:17: /ä/b~1c/0");
  CHECK(place(*document, "/ä/b~1c/1/d~0") == "f:3:11: /ä/b~1c/1/d~0");
  CHECK(place(*document, "/ä/b~1c/1/d~0", true) == "f:3:5: /ä/b~1c/1/d~0");
  CHECK(place(*document, "/e/x/y") == "f:4:8: /e/x/y");  // what is not there: its nearest ancestor
  CHECK(place(*document, "/zz") == "f:1:1: /zz");
  CHECK(Where{document, ""}.location().text() == "f:1:1: /");
  CHECK((Where{document, ""} / "ä" / "b/c" / 1).location().text() == "f:3:4: /ä/b~1c/1");
  CHECK(Where{}.location().text() == "(built in)");
  CHECK_THROWS_WITH(Value(document)["x"], Contains("f:1:1: /: \"x\" is missing"));
  CHECK_THROWS_WITH(Value(document)["ä"]["b/c"][7], Contains("element 7 is missing"));
  CHECK_THROWS_WITH(Value(document)["e"][0], Contains("f:4:8: /e: element 0 is missing"));
}

TEST_CASE("overrides name the option") {
  const auto document = Document::parse(R"({"a": {"b": [1, 2]}, "s": "x"})", "f");
  document->set("a.b.1", "7");
  document->set("a.new", "word");
  document->set("s", "{\"t\": [true]}");
  document->set("version", "2.4.1");
  document->set("n", "1e3");
  CHECK(document->root().dump() == R"({"a":{"b":[1,7],"new":"word"},"s":{"t":[true]},"version":"2.4.1","n":1000.0})");
  CHECK(place(*document, "/a/b/1") == "--set a.b.1=7: /a/b/1");
  CHECK(place(*document, "/s/t/0") == "--set s={\"t\": [true]}: /s/t/0");
  CHECK(place(*document, "/a/b/0") == "f:1:14: /a/b/0");
  CHECK_THROWS_WITH(document->set("", "1"), Contains("--set =1: the path is empty"));
  CHECK_THROWS_WITH(document->set("a..b", "1"), Contains("/a/: a name in the path is empty"));
  document->set("x.y", "1");  // a field that the file leaves out
  CHECK(document->root()["x"]["y"] == 1);
  CHECK_THROWS_WITH(document->set("x.z.y", "1"), Contains("--set x.z.y=1: /x/z: no such member"));
  CHECK_THROWS_WITH(document->set("a.b.2", "1"), Contains("no such element; the array has 2"));
  CHECK_THROWS_WITH(document->set("a.b.-1", "1"), Contains("no such element"));
  CHECK_THROWS_WITH(document->set("n.y", "1"), Contains("its parent is the number 1000, which has no members"));
  CHECK_THROWS_WITH(document->set("n", "[1"),
                    Contains("--set n=[1") && Contains("the file ends here, inside the array"));
  CHECK_THROWS_WITH(document->set("n", "\xff"), Contains("not valid UTF-8"));
  CHECK(document->root()["n"] == 1000);
}

TEST_CASE("included members keep their own place") {
  const auto base = Document::parse("{\"b\": {\"x\": 1,\n \"y\": 2}, \"c\": 3}", "base");
  const auto top = Document::parse("{\"b\": {\"x\": 9}}", "top");
  top->include(base);
  CHECK(top->root().dump() == R"({"b":{"x":9,"y":2},"c":3})");
  CHECK(place(*top, "/b/x") == "top:1:13: /b/x");
  CHECK(place(*top, "/b/y") == "base:2:7: /b/y");
  CHECK(place(*top, "/b/y", true) == "base:2:2: /b/y");
  CHECK(place(*top, "/c") == "base:2:16: /c");
  CHECK(place(*top, "/none") == "top:1:1: /none");
  top->set("b.y", "5");
  CHECK(place(*top, "/b/y") == "--set b.y=5: /b/y");
}

TEST_CASE("a part of a document speaks of the whole") {
  const auto whole = Document::parse("{\"scenario\": {\"a\": 1,\n \"b\": [2]}}", "manifest");
  const auto part = Document::part(whole, "/scenario");
  CHECK(part->root().dump() == R"({"a":1,"b":[2]})");
  CHECK(place(*part, "/b/0") == "manifest:2:8: /scenario/b/0");
  CHECK(place(*part, "") == "manifest:1:14: /scenario");
  part->set("a", "2");
  CHECK(place(*part, "/a") == "--set a=2: /a");
}

TEST_CASE("of a long value given as an option, a message shows the beginning") {
  const auto document = Document::parse("{\"a\": 1}", "f");
  std::string long_text = "\"" + std::string(198, 'x');
  for (int i = 0; i < 1000; ++i) long_text += "ä";
  document->set("a", long_text + "\"");
  CHECK(place(*document, "/a") == "--set a=\"" + std::string(198, 'x') + "…: /a");
}

TEST_CASE("files that cannot be read") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(Document::load(folder.path() / "absent.json"), Contains("absent.json: no such file"));
  CHECK_THROWS_WITH(Document::load(folder.path()), Contains(": is a directory, not a file"));
  CHECK_THROWS_WITH(Document::load("/dev/zero"), Contains("/dev/zero: is a device, not a file"));
  CHECK_THROWS_WITH(Document::load("/proc/self/mem"), Contains("cannot be read"));
  CHECK_THROWS_WITH(Document::load(std::string(10'000, 'x')), Contains("cannot be read") || Contains("no such file"));
  folder.write("bom.json", "\xef\xbb\xbf{\"a\": 1}");
  CHECK(place(*Document::load(folder.path() / "bom.json"), "/a") == (folder.path() / "bom.json").string() + ":1:7: /a");
  folder.write("utf16.json", std::string("\xff\xfe{\0}\0", 6));
  CHECK_THROWS_WITH(Document::load(folder.path() / "utf16.json"), Contains("is UTF-16; save it as UTF-8"));
}

}  // namespace
}  // namespace dynasoc::test
