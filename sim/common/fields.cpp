#include "common/fields.hpp"

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

void unknown_member(const Value& object, const std::string& key, const std::vector<std::string>& known) {
  throw object[key].where().key_error("unknown key " + in_quotes(key) + hint(key, known));
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
