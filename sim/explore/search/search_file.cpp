#include "explore/search/search_file.hpp"

namespace dynasoc::search {
namespace {

struct FittedLine {
  Name network, table, from;
  std::string unit;
  static constexpr auto fields() {
    using S = FittedLine;
    return describe(required(&S::network, "network", "with configurations of this super-network"),
                    field(&S::table, "table", "of its latencies; default: its default table"),
                    field(&S::from, "from",
                          "with `space.network`: table of that network whose latencies the candidates' stand for"),
                    field(&S::unit, "unit", "the table's rows of this unit; needed where it has several"));
  }
};

}  // namespace

CalibrationFile CalibrationFile::from_value(const Value& value) {
  CalibrationFile out;
  out.where = value.where();
  if (value.json().is_string()) {
    out.against = read<Name>(value);
    return out;
  }
  if (!value.json().is_object()) detail::wrong_kind(value, "a line's name, \"none\" or an object {network, table}");
  const auto fitted = read<FittedLine>(value);
  out.network = fitted.network;
  out.table = fitted.table;
  out.from = fitted.from;
  out.unit = fitted.unit;
  return out;
}

Json CalibrationFile::schema() {
  return {{"anyOf", Json::array({Json{{"type", "string"}}, object_schema<FittedLine>()})}};
}

Json CalibrationFile::to_json() const {
  if (network.empty()) return against.text;
  return dynasoc::to_json(FittedLine{network, table, from, unit});
}

}  // namespace dynasoc::search
