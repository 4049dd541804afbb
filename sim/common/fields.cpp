#include "common/fields.hpp"

#include "common/text.hpp"

namespace dynasoc {

std::string Range::text() const {
  const bool bounded_low = std::isfinite(low), bounded_high = std::isfinite(high);
  if (bounded_low && bounded_high) return "from " + number_text(low) + " to " + number_text(high);
  if (bounded_low) return (open_low ? "above " : "at least ") + number_text(low);
  if (bounded_high) return "at most " + number_text(high);
  return "any number";
}

std::string_view unit_of(std::string_view name) {
  static constexpr std::string_view kUnits[] = {"ms", "us", "ns",  "s",    "mhz", "w",  "mw",         "mj",     "j",   "c",
                                                "mb", "k", "hz", "percent", "pct", "fps", "j_per_k", "w_per_k", "mv"};
  std::string_view best;
  for (const std::string_view unit : kUnits)
    if (name.size() > unit.size() + 1 && name.ends_with(unit) && name[name.size() - unit.size() - 1] == '_' &&
        unit.size() > best.size())
      best = unit;
  return best;
}

namespace detail {

double checked_number(const Value& value, const Range& range) {
  if (!value.json().is_number()) wrong_kind(value, "a number");
  const double x = value.json().get<double>();
  if (!std::isfinite(x)) throw value.error("must be a finite number");
  if (!range.holds(x)) throw value.error("must be " + range.text() + ", not " + number_text(x));
  return x;
}

void wrong_kind(const Value& value, std::string_view expected) {
  throw value.error("must be " + std::string(expected) + ", not " + kind_of(value.json()));
}

void unknown_member(const Value& object, const std::string& key, const std::vector<std::string>& known) {
  throw object[key].error("unknown key \"" + key + "\"" + hint(key, known));
}

Json number_schema(std::string_view type, const Range& range) {
  Json out = {{"type", std::string(type)}};
  if (std::isfinite(range.low)) out[range.open_low ? "exclusiveMinimum" : "minimum"] = range.low;
  if (std::isfinite(range.high)) out["maximum"] = range.high;
  return out;
}

}  // namespace detail
}  // namespace dynasoc
