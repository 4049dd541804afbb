// One declaration of a configuration structure's members: `{name, type, unit, default, range, doc}`.
//
// A structure lists its members once, in `static constexpr auto fields()`; strict reading with located errors, writing,
// the JSON schema, the generated documentation and the command line's `list` all follow from it:
//
//   struct Pid {
//     double headroom = 0.1;
//     static constexpr auto fields() {
//       return describe(field(&Pid::headroom, "headroom", range(0, 0.9), "share of the target kept free"));
//     }
//   };
//
// A member's unit is the suffix of its name (`latency_ms`, `power_w`); its default is its initialiser.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "common/document.hpp"

namespace dynasoc {

/// The numbers a field accepts: low <= x <= high, or low < x where `open_low`. `least` and `most` are what anything of
/// its unit may be (`limited_by_unit`).
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool open_low = false;
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();

  bool holds(double x) const { return (open_low ? x > low : x >= low) && x <= high && x >= least && x <= most; }
  std::string text(double x) const;  ///< what x fails to be: `above 0`
};
constexpr Range range(double low, double high) { return {.low = low, .high = high}; }
constexpr Range positive() { return {.low = 0, .open_low = true}; }
constexpr Range non_negative() { return {.low = 0}; }
constexpr Range at_least(double low) { return {.low = low}; }
constexpr Range any() { return {}; }

/// The unit in a name's suffix: `latency_ms` -> `ms`. Empty where there is none.
constexpr std::string_view unit_of(std::string_view name) {
  constexpr std::string_view kUnits[] = {"ms", "us", "ns", "s",   "mhz",     "w",   "mw",  "mj",      "j",       "c",
                                         "mb", "k",  "hz", "qps", "percent", "pct", "fps", "j_per_k", "w_per_k", "mv"};
  std::string_view best;
  for (const std::string_view unit : kUnits)
    if (name.size() > unit.size() + 1 && name.ends_with(unit) && name[name.size() - unit.size() - 1] == '_' &&
        unit.size() > best.size())
      best = unit;
  return best;
}

/// A range narrowed to what a simulation can count with and no real board exceeds: the clock holds 292 years in
/// nanoseconds, and sums of powers and times must neither overflow nor vanish in rounding.
constexpr Range limited_by_unit(std::string_view unit, Range range) {
  struct Limits {
    std::string_view unit;
    double least_positive, most;
  };
  constexpr Limits kLimits[] = {{"s", 1e-9, 1e9},       {"ms", 1e-6, 1e12},    {"us", 1e-3, 1e15}, {"mhz", 1e-3, 1e6},
                                {"hz", 1e-9, 1e6},      {"qps", 1e-9, 1e6},    {"w", 1e-9, 1e6},   {"mw", 1e-6, 1e9},
                                {"mj", 1e-9, 1e12},     {"j", 1e-9, 1e9},      {"mb", 1e-9, 1e9},  {"k", 1e-9, 1e4},
                                {"j_per_k", 1e-6, 1e9}, {"w_per_k", 1e-9, 1e6}};
  for (const Limits& limits : kLimits) {
    if (limits.unit != unit) continue;
    range.most = limits.most;
    if (range.open_low && range.low == 0) range.least = limits.least_positive;
  }
  return range;
}

template <class Owner, class Member>
struct Field {
  Member Owner::*member;
  std::string_view name;
  Range range;
  std::string_view doc;
  bool required;
};

/// A member that may be left out; its initialiser is the default.
template <class Owner, class Member>
constexpr auto field(Member Owner::*member, std::string_view name, Range range, std::string_view doc) {
  return Field<Owner, Member>{member, name, limited_by_unit(unit_of(name), range), doc, false};
}
template <class Owner, class Member>
constexpr auto field(Member Owner::*member, std::string_view name, std::string_view doc) {
  return Field<Owner, Member>{member, name, limited_by_unit(unit_of(name), any()), doc, false};
}

/// A member that must be given.
template <class Owner, class Member>
constexpr auto required(Member Owner::*member, std::string_view name, Range range, std::string_view doc) {
  return Field<Owner, Member>{member, name, limited_by_unit(unit_of(name), range), doc, true};
}
template <class Owner, class Member>
constexpr auto required(Member Owner::*member, std::string_view name, std::string_view doc) {
  return Field<Owner, Member>{member, name, limited_by_unit(unit_of(name), any()), doc, true};
}

template <class... Fields>
constexpr auto describe(Fields... fields) {
  return std::tuple{fields...};
}

/// A string that remembers where it was written, for names that are resolved later.
struct Name {
  std::string text;
  Where where;
  InputError error(const std::string& message) const { return where.error(message); }
  bool empty() const { return text.empty(); }
};

/// Members in file order, each with a name of its own: `{"camera": {…}, "radar": {…}}`.
template <class T>
using Named = std::vector<std::pair<std::string, T>>;

/// Specialise with `static constexpr std::array<std::pair<std::string_view, E>, N> names` to read an enumeration.
template <class E>
struct EnumNames;

template <class T>
concept Described = requires {
  T::fields();
};
template <class T>
concept SelfReading = requires(const Value& v) {
  { T::from_value(v) } -> std::same_as<T>;
};

namespace detail {
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_named = false;
template <class T>
inline constexpr bool is_named<std::vector<std::pair<std::string, T>>> = true;
template <class T>
inline constexpr bool is_variant = false;
template <class... T>
inline constexpr bool is_variant<std::variant<T...>> = true;
template <class T>
concept Enumerated = std::is_enum_v<T> && requires {
  EnumNames<T>::names;
};

// What does not depend on the type that is read is compiled once: every policy and every file format instantiates the
// templates below.
bool checked_bool(const Value& value);
std::string checked_string(const Value& value);
double checked_number(const Value& value, const Range& range);
double checked_whole(const Value& value, const Range& range, double least, double most);
/// Which of the names a string is.
std::size_t checked_name(const Value& value, const std::vector<std::string_view>& names);
[[noreturn]] void wrong_kind(const Value& value, std::string_view expected);
/// Refuses what is no object, and members that are not known.
void check_members(const Value& object, const std::vector<std::string_view>& known,
                   const std::vector<std::string>& also);
/// Refuses a name that is empty, or that a terminal would obey.
void check_name(const Value& named, const std::string& name);
/// The member of that name; none where it may be left out and is.
std::optional<Value> member(const Value& object, std::string_view name, bool required);
/// The `kind` of an object that is one of several kinds; refuses any but those known.
std::string checked_kind(const Value& value, const std::vector<std::string_view>& known);

template <class... Fields>
std::vector<std::string_view> names_of(const std::tuple<Fields...>& fields) {
  return std::apply([](const auto&... f) { return std::vector<std::string_view>{f.name...}; }, fields);
}
template <Enumerated E>
std::vector<std::string_view> names_of() {
  std::vector<std::string_view> names;
  for (const auto& [text, e] : EnumNames<E>::names) names.push_back(text);
  return names;
}
}  // namespace detail

namespace detail {
template <class Variant>
std::vector<std::string_view> kinds_of() {
  return []<class... T>(std::type_identity<std::variant<T...>>) {
    return std::vector<std::string_view>{T::kind...};
  }(std::type_identity<Variant>{});
}
}  // namespace detail

template <class T>
T read(const Value& value, const Range& range = {});

/// Reads a described structure's members into `object`, refusing members it does not know (`also` are let pass).
template <Described T>
void read_fields(const Value& value, T& object, const std::vector<std::string>& also = {}) {
  static constexpr auto fields = T::fields();
  detail::check_members(value, detail::names_of(fields), also);
  std::apply(
      [&](const auto&... f) {
        [[maybe_unused]] const auto one = [&](const auto& field) {
          if (const auto given = detail::member(value, field.name, field.required))
            object.*field.member = read<std::remove_reference_t<decltype(object.*field.member)>>(*given, field.range);
        };
        (one(f), ...);
      },
      fields);
  if constexpr (requires { object.where; }) object.where = value.where();
}

namespace detail {
template <class... T>
std::variant<T...> read_variant(const Value& value, std::type_identity<std::variant<T...>>) {
  const std::string kind = checked_kind(value, {T::kind...});
  std::optional<std::variant<T...>> out;
  const auto one = [&]<class Alternative>(std::type_identity<Alternative>) {
    if (out || kind != Alternative::kind) return;
    Alternative object;
    read_fields(value, object, {"kind"});
    out = std::move(object);
  };
  (one(std::type_identity<T>{}), ...);
  return *std::move(out);
}
}  // namespace detail

/// Reads any supported type: bool, numbers, strings, enumerations, optionals, vectors, Named, described structures,
/// variants of them (by their `kind`), and types with a `from_value` of their own. `range` bounds every number inside.
template <class T>
T read(const Value& value, const Range& range) {
  [[maybe_unused]] const Json& json = value.json();
  if constexpr (SelfReading<T>) {
    return T::from_value(value);
  } else if constexpr (std::same_as<T, bool>) {
    return detail::checked_bool(value);
  } else if constexpr (std::integral<T>) {
    return static_cast<T>(detail::checked_whole(value, range, static_cast<double>(std::numeric_limits<T>::lowest()),
                                                static_cast<double>(std::numeric_limits<T>::max())));
  } else if constexpr (std::floating_point<T>) {
    return detail::checked_number(value, range);
  } else if constexpr (std::same_as<T, std::string>) {
    return detail::checked_string(value);
  } else if constexpr (std::same_as<T, Name>) {
    return Name{detail::checked_string(value), value.where()};
  } else if constexpr (detail::Enumerated<T>) {
    return EnumNames<T>::names[detail::checked_name(value, detail::names_of<T>())].second;
  } else if constexpr (detail::is_optional<T>) {
    if (json.is_null()) return std::nullopt;
    return read<typename T::value_type>(value, range);
  } else if constexpr (detail::is_named<T>) {
    if (!json.is_object()) detail::wrong_kind(value, "an object");
    T out;
    for (const auto& [key, member] : json.get_ref<const Json::object_t&>()) {  // no search by key: there may be many
      const Value at(value.document(), &member, value.pointer() + "/" + pointer_token(key));
      detail::check_name(at, key);
      out.emplace_back(key, read<typename T::value_type::second_type>(at, range));
    }
    return out;
  } else if constexpr (detail::is_vector<T>) {
    if (!json.is_array()) detail::wrong_kind(value, "an array");
    T out;
    for (std::size_t i = 0; i < json.size(); ++i) out.push_back(read<typename T::value_type>(value[i], range));
    return out;
  } else if constexpr (detail::is_variant<T>) {
    return detail::read_variant(value, std::type_identity<T>{});
  } else {
    T out;
    read_fields(value, out);
    return out;
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// JSON schema and plain listings, from the same declarations.

/// JSON Schema (draft 7) of a type.
template <class T>
Json schema_of(const Range& range = {});

namespace detail {
/// Collects the schema of an object.
class ObjectSchema {
 public:
  /// A `standard` of null: no default is told.
  void add(std::string_view name, std::string_view doc, bool required, Json schema, const Json& standard);
  Json finish() &&;

 private:
  Json properties_ = Json::object(), required_ = Json::array();
};

/// What a schema tells as the default of a member of the value: null, if nothing.
template <class T>
Json standard_of(const T& value) {
  if constexpr (std::is_floating_point_v<T>)
    return std::isfinite(value) ? Json(value) : Json();
  else if constexpr (std::is_arithmetic_v<T>)
    return value;
  else if constexpr (std::same_as<T, std::string>)
    return value.empty() ? Json() : Json(value);
  else if constexpr (Enumerated<T>)
    for (const auto& [text, e] : EnumNames<T>::names)
      if (e == value) return std::string(text);
  return {};
}

/// One of several kinds of objects: `schema` with a member `key` first, of that value alone.
Json alternative_schema(std::string_view key, std::string_view value, std::string_view doc, Json schema);
Json number_schema(std::string_view type, const Range& range);
Json names_schema(const std::vector<std::string_view>& names);
}  // namespace detail

template <Described T>
Json object_schema(const T& defaults = {}) {
  static constexpr auto fields = T::fields();
  detail::ObjectSchema schema;
  std::apply(
      [&](const auto&... f) {
        [[maybe_unused]] const auto one = [&](const auto& field) {
          using Member = std::remove_cvref_t<decltype(defaults.*field.member)>;
          schema.add(field.name, field.doc, field.required, schema_of<Member>(field.range),
                     detail::standard_of(defaults.*field.member));
        };
        (one(f), ...);
      },
      fields);
  return std::move(schema).finish();
}

namespace detail {
template <class... T>
Json variant_schema(std::type_identity<std::variant<T...>>) {
  Json options = Json::array();
  (options.push_back(alternative_schema("kind", T::kind, T::doc, object_schema<T>())), ...);
  return {{"oneOf", std::move(options)}};
}
}  // namespace detail

template <class T>
Json schema_of(const Range& range) {
  if constexpr (requires { T::schema(); }) {
    return T::schema();
  } else if constexpr (std::same_as<T, bool>) {
    return {{"type", "boolean"}};
  } else if constexpr (std::integral<T>) {
    return detail::number_schema("integer", range);
  } else if constexpr (std::floating_point<T>) {
    return detail::number_schema("number", range);
  } else if constexpr (std::same_as<T, std::string> || std::same_as<T, Name>) {
    return {{"type", "string"}};
  } else if constexpr (detail::Enumerated<T>) {
    return detail::names_schema(detail::names_of<T>());
  } else if constexpr (detail::is_optional<T>) {
    return schema_of<typename T::value_type>(range);
  } else if constexpr (detail::is_named<T>) {
    return {{"type", "object"}, {"additionalProperties", schema_of<typename T::value_type::second_type>(range)}};
  } else if constexpr (detail::is_vector<T>) {
    return {{"type", "array"}, {"items", schema_of<typename T::value_type>(range)}};
  } else if constexpr (detail::is_variant<T>) {
    return detail::variant_schema(std::type_identity<T>{});
  } else {
    return object_schema<T>();
  }
}

namespace detail {
/// Sets a member, unless the value is null.
void put(Json& object, std::string_view name, Json value);
}  // namespace detail

/// Writes a value the way `read` would take it back.
template <class T>
Json to_json(const T& value) {
  if constexpr (requires { value.to_json(); }) {
    return value.to_json();
  } else if constexpr (std::is_arithmetic_v<T> || std::same_as<T, std::string>) {
    return value;
  } else if constexpr (std::same_as<T, Name>) {
    return value.text;
  } else if constexpr (detail::Enumerated<T>) {
    for (const auto& [text, e] : EnumNames<T>::names)
      if (e == value) return std::string(text);
    throw InternalError("an enumerator without a name");
  } else if constexpr (detail::is_optional<T>) {
    return value ? dynasoc::to_json(*value) : Json(nullptr);
  } else if constexpr (detail::is_named<T>) {
    Json out = Json::object();
    for (const auto& [name, member] : value) out[name] = dynasoc::to_json(member);
    return out;
  } else if constexpr (detail::is_vector<T>) {
    Json out = Json::array();
    for (const auto& member : value) out.push_back(dynasoc::to_json(member));
    return out;
  } else if constexpr (detail::is_variant<T>) {
    return std::visit(
        [](const auto& alternative) {
          Json out = {{"kind", std::string(std::remove_cvref_t<decltype(alternative)>::kind)}};
          out.update(dynasoc::to_json(alternative));
          return out;
        },
        value);
  } else {
    static constexpr auto fields = T::fields();
    Json out = Json::object();
    std::apply(
        [&](const auto&... f) {
          [[maybe_unused]] const auto one = [&](const auto& field) {
            detail::put(out, field.name, dynasoc::to_json(value.*field.member));
          };
          (one(f), ...);
        },
        fields);
    return out;
  }
}

}  // namespace dynasoc
