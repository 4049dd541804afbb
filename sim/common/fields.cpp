#include "common/fields.hpp"

#include <algorithm>

#include "common/outside.hpp"
#include "common/text.hpp"

namespace dynasoc {

std::string Range::text(double x) const {
  const bool declared = (open_low ? x > low : x >= low) && x <= high;
  if (declared) return x < least ? "at least " + plain_number(least) : "at most " + plain_number(most);
  const bool bounded_low = std::isfinite(low), bounded_high = std::isfinite(high);
  if (low == high) return plain_number(low);
  if (bounded_low && bounded_high) return "from " + plain_number(low) + " to " + plain_number(high);
  if (bounded_low) return (open_low ? "above " : "at least ") + plain_number(low);
  return "at most " + plain_number(high);
}

namespace detail {
namespace {
std::string number_of(const Value& value) { return plain_number(value.json().get<double>()); }

std::vector<std::string> strings(const std::vector<std::string_view>& views) { return {views.begin(), views.end()}; }
}  // namespace

double checked_number(const Value& value, const Range& range) {
  if (!value.json().is_number()) wrong_kind(value, "a number");
  const double x = value.json().get<double>();
  if (!range.holds(x)) throw value.error("must be " + range.text(x) + ", not " + number_of(value));
  return x;
}

double checked_whole(const Value& value, const Range& range, double least, double most) {
  const double x = checked_number(value, range);
  constexpr double kExact = 9.0e15;  // beyond, a double skips whole numbers
  if (x < std::max(least, -kExact))
    throw value.error("must be at least " + plain_number(std::max(least, -kExact)) + ", not " + number_of(value));
  if (x > std::min(most, kExact))
    throw value.error("must be at most " + plain_number(std::min(most, kExact)) + ", not " + number_of(value));
  if (x != std::floor(x)) throw value.error("must be a whole number, not " + number_of(value));
  return x;
}

void wrong_kind(const Value& value, std::string_view expected) {
  throw value.error("must be " + std::string(expected) + ", not " + kind_of(value.json()));
}

bool checked_bool(const Value& value) {
  if (!value.json().is_boolean()) wrong_kind(value, "true or false");
  return value.json().get<bool>();
}

std::string checked_string(const Value& value) {
  if (!value.json().is_string()) wrong_kind(value, "a string");
  return value.json().get<std::string>();
}

std::size_t checked_name(const Value& value, const std::vector<std::string_view>& names) {
  const std::string name = checked_string(value);
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) throw value.error("unknown value " + in_quotes(name) + hint(name, strings(names)));
  return static_cast<std::size_t>(found - names.begin());
}

void check_members(const Value& object, const std::vector<std::string_view>& known,
                   const std::vector<std::string>& also) {
  if (!object.json().is_object()) wrong_kind(object, "an object");
  for (const auto& [key, unused] : object.json().items()) {
    if (key == "$schema" || key == "comment" || std::find(known.begin(), known.end(), key) != known.end() ||
        std::find(also.begin(), also.end(), key) != also.end())
      continue;
    std::vector<std::string> all = also;
    all.insert(all.end(), known.begin(), known.end());
    throw object[key].where().key_error("unknown key " + in_quotes(key) + hint(key, all));
  }
}

void check_name(const Value& named, const std::string& name) {
  if (name.empty()) throw named.where().key_error("a name is empty");
  if (one_line(name) != name) throw named.where().key_error("a name holds a control character");
}

std::optional<Value> member(const Value& object, std::string_view name, bool required) {
  const std::string key(name);
  if (object.has(key)) return object[key];
  if (required) throw object.error("\"" + key + "\" is missing");
  return std::nullopt;
}

std::string checked_kind(const Value& value, const std::vector<std::string_view>& known) {
  if (!value.json().is_object()) wrong_kind(value, "an object with a \"kind\"");
  if (!value.has("kind")) throw value.error("\"kind\" is missing" + hint("", strings(known)));
  const Value given = value["kind"];
  std::string kind = checked_string(given);
  if (std::find(known.begin(), known.end(), kind) == known.end())
    throw given.error("unknown kind " + in_quotes(kind) + hint(kind, strings(known)));
  return kind;
}

void ObjectSchema::add(std::string_view name, std::string_view doc, bool required, Json schema, const Json& standard) {
  std::string description(doc);
  if (const auto unit = unit_of(name); !unit.empty()) description += " [" + std::string(unit) + "]";
  schema["description"] = description;
  if (!required && !standard.is_null()) schema["default"] = standard;
  properties_[std::string(name)] = std::move(schema);
  if (required) required_.push_back(std::string(name));
}

Json ObjectSchema::finish() && {
  Json out = {{"type", "object"}};
  if (!required_.empty()) out["required"] = std::move(required_);
  properties_["comment"] = {{"description", "free text, ignored"}};
  out["properties"] = std::move(properties_);
  out["additionalProperties"] = false;
  return out;
}

Json alternative_schema(std::string_view key, std::string_view value, std::string_view doc, Json schema) {
  Json properties = {{std::string(key), {{"const", std::string(value)}, {"description", std::string(doc)}}}};
  for (const auto& [name, entry] : schema["properties"].items()) properties[name] = entry;
  schema["properties"] = std::move(properties);
  Json needed = Json::array({std::string(key)});
  if (schema.contains("required"))
    for (const auto& name : schema["required"]) needed.push_back(name);
  schema["required"] = std::move(needed);
  return schema;
}

Json names_schema(const std::vector<std::string_view>& names) { return {{"enum", strings(names)}}; }

void put(Json& object, std::string_view name, Json value) {
  if (!value.is_null()) object[std::string(name)] = std::move(value);
}

Json number_schema(std::string_view type, const Range& range) {
  Json out = {{"type", std::string(type)}};
  // The limits of a unit are left out: they say nothing of the field.
  if (std::isfinite(range.low)) out[range.open_low ? "exclusiveMinimum" : "minimum"] = range.low;
  if (std::isfinite(range.high)) out["maximum"] = range.high;
  return out;
}

}  // namespace detail
}  // namespace dynasoc
