// Structures that list their members once: strict reading, limits, schemas, writing.
#include "common/fields.hpp"

#include <string>

#include <catch2/catch.hpp>

namespace dynasoc {
namespace {

using Catch::Contains;

enum class Colour : std::uint8_t { red, dark_blue };

struct Circle {
  static constexpr std::string_view kind = "circle";
  static constexpr std::string_view doc = "round";
  double radius_m = 0;
  static constexpr auto fields() {
    return describe(required(&Circle::radius_m, "radius_m", positive(), "half of its width"));
  }
};
struct Point {
  static constexpr std::string_view kind = "point";
  static constexpr std::string_view doc = "nothing";
  static constexpr auto fields() { return std::tuple<>{}; }
};

}  // namespace

template <>
struct EnumNames<Colour> {
  static constexpr std::array<std::pair<std::string_view, Colour>, 2> names{
      {{"red", Colour::red}, {"dark-blue", Colour::dark_blue}}};
};

namespace {

struct Example {
  std::string name;
  double period_ms = 40;
  int count = 3;
  std::uint8_t small = 0;
  std::int64_t large = 0;
  bool on = false;
  Colour colour = Colour::red;
  std::variant<Circle, Point> shape = Point{};
  std::vector<double> shares;
  Named<int> levels;
  std::optional<double> limit_w;
  Where where;

  static constexpr auto fields() {
    using S = Example;
    return describe(required(&S::name, "name", "what it is called"),
                    field(&S::period_ms, "period_ms", at_least(0.001), "between two"),
                    field(&S::count, "count", range(1, 10), "how many"), field(&S::small, "small", "a byte"),
                    field(&S::large, "large", "many bytes"), field(&S::on, "on", "whether"),
                    field(&S::colour, "colour", "of it"), field(&S::shape, "shape", "of it"),
                    field(&S::shares, "shares", range(0, 1), "of each"),
                    field(&S::levels, "levels", range(0, 5), "by name"),
                    field(&S::limit_w, "limit_w", non_negative(), "none if absent"));
  }
};

Example parse(const std::string& text) { return read<Example>(Value(Document::parse(text, "f"))); }
std::string refusal(const std::string& members) {
  try {
    parse("{\"name\": \"x\", " + members + "}");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("a structure is read, written and read again") {
  const Example all =
      parse(R"({"name": "x", "period_ms": 5, "count": 10, "small": 255, "large": -9000000000000000, "on": true,
    "colour": "dark-blue", "shape": {"kind": "circle", "radius_m": 2}, "shares": [0, 0.5, 1], "levels": {"b": 1, "a": 2}, "limit_w": null,
    "comment": ["free"], "$schema": "s"})");
  CHECK(all.small == 255);
  CHECK(all.large == -9000000000000000);
  CHECK(all.colour == Colour::dark_blue);
  CHECK(std::get<Circle>(all.shape).radius_m == 2);
  CHECK(all.levels == Named<int>{{"b", 1}, {"a", 2}});
  CHECK(!all.limit_w);
  CHECK(all.where.pointer.empty());
  const Json written = dynasoc::to_json(all);
  CHECK(dynasoc::to_json(parse(written.dump())) == written);
  const Example defaults = parse(R"({"name": "x"})");
  CHECK(defaults.period_ms == 40);
  CHECK(std::holds_alternative<Point>(defaults.shape));
}

TEST_CASE("what does not fit is refused at its place") {
  const std::pair<const char*, const char*> cases[] = {
      {R"("period_s": 1)", R"(f:1:15: /period_s: unknown key "period_s" (did you mean "period_ms"?))"},
      {R"("zebra": 1)", R"(unknown key "zebra" (known: name, period_ms, count)"},
      {R"("period_ms": 0)", "f:1:28: /period_ms: must be at least 0.001, not 0"},
      {R"("period_ms": 1e13)", "/period_ms: must be at most 1e12, not 1e13"},
      {R"("period_ms": "40")", R"(/period_ms: must be a number, not the string "40")"},
      {R"("count": 11)", "/count: must be from 1 to 10, not 11"},
      {R"("count": 1.5)", "/count: must be a whole number, not 1.5"},
      {R"("small": 256)", "/small: must be at most 255, not 256"},
      {R"("small": -1)", "/small: must be at least 0, not -1"},
      {R"("large": 1e17)", "/large: must be at most 9e15, not 1e17"},
      {R"("on": 1)", "/on: must be true or false, not the number 1"},
      {R"("on": "true")", R"(not the string "true")"},
      {R"("colour": "blue")", R"(/colour: unknown value "blue" (known: red, dark-blue))"},
      {R"("colour": "dark_blue")", R"((did you mean "dark-blue"?))"},
      {R"("colour": 0)", "/colour: must be a string, not the number 0"},
      {R"("shape": "circle")", R"(/shape: must be an object with a "kind", not the string "circle")"},
      {R"("shape": {"radius_m": 1})", R"(/shape: "kind" is missing (known: circle, point))"},
      {R"("shape": {"kind": "cirle", "radius_m": 1})", R"(/shape/kind: unknown kind "cirle" (did you mean "circle"?))"},
      {R"("shape": {"kind": "circle"})", R"(/shape: "radius_m" is missing)"},
      {R"("shape": {"kind": "point", "radius_m": 1})", R"(/shape/radius_m: unknown key "radius_m")"},
      {R"("shares": [0.5, 1.5])", "/shares/1: must be from 0 to 1, not 1.5"},
      {R"("shares": {"a": 1})", "/shares: must be an array, not an object"},
      {R"("levels": {"a": 6})", "/levels/a: must be from 0 to 5, not 6"},
      {R"("levels": {"": 1})", "a name is empty"},
      {R"("levels": [1])", "/levels: must be an object, not an array"},
      {R"("limit_w": -1)", "/limit_w: must be at least 0, not -1"},
      {R"("limit_w": 1e7)", "/limit_w: must be at most 1e6, not 1e7"},
      {R"("count": null)", "/count: must be a number, not null"},
  };
  for (const auto& [members, expected] : cases) {
    INFO(members);
    CHECK_THAT(refusal(members), Contains(expected));
  }
  CHECK_THROWS_WITH(parse("{}"), Contains("f:1:1: /: \"name\" is missing"));
  CHECK_THROWS_WITH(parse("[]"), Contains("f:1:1: /: must be an object, not an array"));
}

TEST_CASE("units and their limits") {
  for (const auto& [name, unit] : {std::pair{"latency_ms", "ms"},
                                   {"from_s", "s"},
                                   {"capacity_j_per_k", "j_per_k"},
                                   {"ambient_c", "c"},
                                   {"target_qps", "qps"},
                                   {"ms", ""},
                                   {"items", ""},
                                   {"weight", ""}})
    CHECK(unit_of(name) == unit);
  const Range time = limited_by_unit("s", positive());
  CHECK(time.holds(1e9));
  CHECK(!time.holds(1.1e9));
  CHECK(!time.holds(0));
  CHECK(!time.holds(1e-10));
  CHECK(time.text(0) == "above 0");
  CHECK(time.text(1e-10) == "at least 1e-9");
  CHECK(time.text(1e10) == "at most 1e9");
  CHECK(limited_by_unit("s", non_negative()).holds(0));
  CHECK(limited_by_unit("", any()).holds(1e300));
  CHECK(range(3, 3).text(4) == "3");
}

TEST_CASE("the schema tells what reading asks") {
  const Json schema = object_schema<Example>();
  CHECK(schema["required"] == Json::array({"name"}));
  CHECK(schema["additionalProperties"] == false);
  CHECK(schema["properties"]["count"] ==
        Json({{"type", "integer"}, {"minimum", 1.0}, {"maximum", 10.0}, {"description", "how many"}, {"default", 3}}));
  CHECK(schema["properties"]["period_ms"]["description"] == "between two [ms]");
  CHECK(schema["properties"]["colour"]["enum"] == Json::array({"red", "dark-blue"}));
  CHECK(schema["properties"]["shape"]["oneOf"].size() == 2);
  CHECK(schema["properties"]["shape"]["oneOf"][0]["required"] == Json::array({"kind", "radius_m"}));
  CHECK(schema["properties"]["levels"]["additionalProperties"]["maximum"] == 5.0);
}

}  // namespace
}  // namespace dynasoc
