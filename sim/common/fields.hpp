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

double checked_number(const Value& value, const Range& range);
double checked_whole(const Value& value, const Range& range, double least, double most);
[[noreturn]] void wrong_kind(const Value& value, std::string_view expected);
[[noreturn]] void unknown_member(const Value& object, const std::string& key, const std::vector<std::string>& known);
}  // namespace detail

namespace detail {
template <class Variant>
std::vector<std::string> kinds_of() {
  return []<class... T>(std::type_identity<std::variant<T...>>) {
    return std::vector<std::string>{std::string(T::kind)...};
  }(std::type_identity<Variant>{});
}
}  // namespace detail

template <class T>
T read(const Value& value, const Range& range = {});

/// Reads a described structure's members into `object`, refusing members it does not know (`also` are let pass).
template <Described T>
void read_fields(const Value& value, T& object, const std::vector<std::string>& also = {}) {
  if (!value.json().is_object()) detail::wrong_kind(value, "an object");
  std::vector<std::string> known = also;
  std::apply([&](const auto&... f) { (known.emplace_back(f.name), ...); }, T::fields());
  for (const auto& [key, unused] : value.json().items())
    if (std::find(known.begin(), known.end(), key) == known.end() && key != "$schema" && key != "comment")
      detail::unknown_member(value, key, known);
  std::apply(
      [&](const auto&... f) {
        [[maybe_unused]] const auto one = [&](const auto& field) {
          const std::string key(field.name);
          if (value.has(key))
            object.*field.member =
                read<std::remove_reference_t<decltype(object.*field.member)>>(value[key], field.range);
          else if (field.required)
            throw value.error("\"" + key + "\" is missing");
        };
        (one(f), ...);
      },
      T::fields());
  if constexpr (requires { object.where; }) object.where = value.where();
}

template <class Variant, std::size_t I = 0>
Variant read_variant(const Value& value, const std::string& kind, std::vector<std::string>& known) {
  if constexpr (I == std::variant_size_v<Variant>) {
    throw value["kind"].error("unknown kind " + in_quotes(kind) + hint(kind, known));
  } else {
    using T = std::variant_alternative_t<I, Variant>;
    if (kind == T::kind) {
      T out;
      read_fields(value, out, {"kind"});
      return out;
    }
    known.emplace_back(T::kind);
    return read_variant<Variant, I + 1>(value, kind, known);
  }
}

/// Reads any supported type: bool, numbers, strings, enumerations, optionals, vectors, Named, described structures,
/// variants of them (by their `kind`), and types with a `from_value` of their own. `range` bounds every number inside.
template <class T>
T read(const Value& value, const Range& range) {
  const Json& json = value.json();
  if constexpr (SelfReading<T>) {
    return T::from_value(value);
  } else if constexpr (std::same_as<T, bool>) {
    if (!json.is_boolean()) detail::wrong_kind(value, "true or false");
    return json.get<bool>();
  } else if constexpr (std::integral<T>) {
    return static_cast<T>(detail::checked_whole(value, range, static_cast<double>(std::numeric_limits<T>::lowest()),
                                                static_cast<double>(std::numeric_limits<T>::max())));
  } else if constexpr (std::floating_point<T>) {
    return detail::checked_number(value, range);
  } else if constexpr (std::same_as<T, std::string>) {
    if (!json.is_string()) detail::wrong_kind(value, "a string");
    return json.get<std::string>();
  } else if constexpr (std::same_as<T, Name>) {
    return Name{read<std::string>(value), value.where()};
  } else if constexpr (detail::Enumerated<T>) {
    const auto name = read<std::string>(value);
    std::vector<std::string> known;
    for (const auto& [text, e] : EnumNames<T>::names) {
      if (text == name) return e;
      known.emplace_back(text);
    }
    throw value.error("unknown value " + in_quotes(name) + hint(name, known));
  } else if constexpr (detail::is_optional<T>) {
    if (json.is_null()) return std::nullopt;
    return read<typename T::value_type>(value, range);
  } else if constexpr (detail::is_named<T>) {
    if (!json.is_object()) detail::wrong_kind(value, "an object");
    T out;
    for (const auto& [key, member] : json.get_ref<const Json::object_t&>()) {  // no search by key: there may be many
      const Value at(value.document(), &member, value.pointer() + "/" + pointer_token(key));
      if (key.empty()) throw at.where().key_error("a name is empty");
      out.emplace_back(key, read<typename T::value_type::second_type>(at, range));
    }
    return out;
  } else if constexpr (detail::is_vector<T>) {
    if (!json.is_array()) detail::wrong_kind(value, "an array");
    T out;
    for (std::size_t i = 0; i < json.size(); ++i) out.push_back(read<typename T::value_type>(value[i], range));
    return out;
  } else if constexpr (detail::is_variant<T>) {
    if (!json.is_object()) detail::wrong_kind(value, "an object with a \"kind\"");
    std::vector<std::string> known;
    if (!value.has("kind")) throw value.error("\"kind\" is missing" + hint("", detail::kinds_of<T>()));
    return read_variant<T>(value, read<std::string>(value["kind"]), known);
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

template <Described T>
Json object_schema(const T& defaults = {}) {
  Json properties = Json::object(), needed = Json::array();
  std::apply(
      [&](const auto&... f) {
        [[maybe_unused]] const auto one = [&](const auto& field) {
          using Member = std::remove_cvref_t<decltype(defaults.*field.member)>;
          Json entry = schema_of<Member>(field.range);
          std::string doc(field.doc);
          if (const auto unit = unit_of(field.name); !unit.empty()) doc += " [" + std::string(unit) + "]";
          entry["description"] = doc;
          if constexpr (std::is_arithmetic_v<Member>) {
            if constexpr (std::is_floating_point_v<Member>) {
              if (!field.required && std::isfinite(defaults.*field.member)) entry["default"] = defaults.*field.member;
            } else if (!field.required) {
              entry["default"] = defaults.*field.member;
            }
          } else if constexpr (std::same_as<Member, std::string>) {
            if (!field.required && !(defaults.*field.member).empty()) entry["default"] = defaults.*field.member;
          } else if constexpr (detail::Enumerated<Member>) {
            for (const auto& [text, e] : EnumNames<Member>::names)
              if (!field.required && e == defaults.*field.member) entry["default"] = std::string(text);
          }
          properties[std::string(field.name)] = std::move(entry);
          if (field.required) needed.push_back(std::string(field.name));
        };
        (one(f), ...);
      },
      T::fields());
  Json out = {{"type", "object"}};
  if (!needed.empty()) out["required"] = std::move(needed);
  properties["comment"] = {{"description", "free text, ignored"}};
  out["properties"] = std::move(properties);
  out["additionalProperties"] = false;
  return out;
}

namespace detail {
template <class Variant, std::size_t... I>
Json variant_schema(std::index_sequence<I...>) {
  Json options = Json::array();
  const auto one = [&]<class T>(std::type_identity<T>) {
    Json option = object_schema<T>();
    Json properties = {{"kind", {{"const", std::string(T::kind)}, {"description", std::string(T::doc)}}}};
    for (const auto& [key, entry] : option["properties"].items()) properties[key] = entry;
    option["properties"] = std::move(properties);
    Json needed = {"kind"};
    if (option.contains("required"))
      for (const auto& name : option["required"]) needed.push_back(name);
    option["required"] = std::move(needed);
    options.push_back(std::move(option));
  };
  (one(std::type_identity<std::variant_alternative_t<I, Variant>>{}), ...);
  return {{"oneOf", std::move(options)}};
}
Json number_schema(std::string_view type, const Range& range);
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
    Json values = Json::array();
    for (const auto& [text, e] : EnumNames<T>::names) values.push_back(std::string(text));
    return {{"enum", std::move(values)}};
  } else if constexpr (detail::is_optional<T>) {
    return schema_of<typename T::value_type>(range);
  } else if constexpr (detail::is_named<T>) {
    return {{"type", "object"}, {"additionalProperties", schema_of<typename T::value_type::second_type>(range)}};
  } else if constexpr (detail::is_vector<T>) {
    return {{"type", "array"}, {"items", schema_of<typename T::value_type>(range)}};
  } else if constexpr (detail::is_variant<T>) {
    return detail::variant_schema<T>(std::make_index_sequence<std::variant_size_v<T>>{});
  } else {
    return object_schema<T>();
  }
}

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
    Json out = Json::object();
    std::apply(
        [&](const auto&... f) {
          [[maybe_unused]] const auto one = [&](const auto& field) {
            Json member = dynasoc::to_json(value.*field.member);
            if (!member.is_null()) out[std::string(field.name)] = std::move(member);
          };
          (one(f), ...);
        },
        T::fields());
    return out;
  }
}

}  // namespace dynasoc
