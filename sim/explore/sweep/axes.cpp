#include "explore/sweep/axes.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "common/text.hpp"
#include "scenario/scenario.hpp"

namespace dynasoc::explore {
namespace {

// A number as a person would have written it.
Json tidy_number(double x) {
  constexpr double kWhole = 9e15;
  if (x == std::floor(x) && std::abs(x) < kWhole) return static_cast<std::int64_t>(x);
  char text[32];
  std::snprintf(text, sizeof text, "%.12g", x);
  return std::strtod(text, nullptr);
}

struct SettingFile {
  std::string label;
  FreeForm set;
  Where where;
  static constexpr auto fields() {
    using S = SettingFile;
    return describe(field(&S::label, "label", "as it stands in the table; default: the values"),
                    required(&S::set, "set", "members of the scenario by dotted path, as in --set, and their values"));
  }
};

// -- What the format says of a field ----------------------------------------------------------------------------------

// Alternatives of a schema, itself included where it is one.
void alternatives(const Json& schema, std::vector<const Json*>& out) {
  for (const char* key : {"anyOf", "oneOf"})
    if (schema.contains(key))
      for (const Json& option : schema[key]) alternatives(option, out);
  if (schema.is_object()) out.push_back(&schema);
}

const Json* items_of(const Json& schema) {
  std::vector<const Json*> options;
  alternatives(schema, options);
  for (const Json* option : options)
    if (option->value("type", "") == "array") return option->contains("items") ? &option->at("items") : option;
  return nullptr;
}

// The schema of a member: of the alternative whose constants (`kind`, `name`) the object has, else of any that knows
// it.
const Json* member_of(const Json& schema, const Json& object, const std::string& key) {
  std::vector<const Json*> options;
  alternatives(schema, options);
  const Json* found = nullptr;
  for (const Json* option : options) {
    if (option->contains("properties")) {
      const Json& properties = (*option)["properties"];
      if (!properties.contains(key)) continue;
      const bool matches = std::all_of(properties.items().begin(), properties.items().end(), [&](const auto& property) {
        return !property.value().contains("const") ||
               (object.contains(property.key()) && object[property.key()] == property.value()["const"]);
      });
      if (matches) return &properties[key];
      if (found == nullptr) found = &properties[key];
    } else if (option->contains("additionalProperties") && (*option)["additionalProperties"].is_object()) {
      found = &(*option)["additionalProperties"];
    }
  }
  return found;
}

bool is_range(const Json& json) {
  return json.is_object() && json.contains("from") && json.contains("to") &&
         std::all_of(json.items().begin(), json.items().end(), [](const auto& member) {
           static const std::vector<std::string> kKnown{"from", "to", "step", "count", "scale"};
           return std::find(kKnown.begin(), kKnown.end(), member.key()) != kKnown.end();
         });
}

void find(const Value& value, const Json& schema, std::vector<Axis>& out) {
  static const Json kUnknown = Json::object();
  const Json& json = value.json();
  const auto listed = [&](const Value& list) {
    if (list.json().empty()) throw list.error("is empty: an axis needs a value");
    std::set<std::string> seen;
    for (std::size_t i = 0; i < list.json().size(); ++i) {
      const Json& one = list.json()[i];
      const bool zero = one.is_number() && one.get<double>() == 0;  // whatever its sign
      if (!seen.insert(zero ? "0" : one.is_number() ? number_text(one.get<double>()) : one.dump()).second)
        throw list[i].error("is there twice");
    }
    out.push_back({dotted(value.pointer()),
                   value.pointer(),
                   AxisValues(std::vector<Json>(list.json().begin(), list.json().end())),
                   {},
                   value.where(),
                   value.where().location()});
  };
  if (is_range(json)) {
    out.push_back({dotted(value.pointer()),
                   value.pointer(),
                   AxisValues(read<RangeFile>(value)),
                   {},
                   value.where(),
                   value.where().location()});
  } else if (json.is_object() && json.size() == 1 && json.contains("each")) {
    if (!value["each"].json().is_array()) detail::wrong_kind(value["each"], "an array");
    listed(value["each"]);
  } else if (json.is_array()) {
    const Json* items = items_of(schema);
    const bool of_lists = items != nullptr && items_of(*items) == nullptr && !json.empty() &&
                          std::all_of(json.begin(), json.end(), [](const Json& one) { return one.is_array(); });
    if (items == nullptr || of_lists) return listed(value);
    for (std::size_t i = 0; i < json.size(); ++i) find(value[i], *items, out);
  } else if (json.is_object()) {
    for (const auto& [key, unused] : json.items()) {
      if (key == "comment" || key == "$schema") continue;
      const Json* member = member_of(schema, json, key);
      find(value[key], member != nullptr ? *member : kUnknown, out);
    }
  }
}

}  // namespace

std::string dotted(const std::string& pointer) {
  std::string out;
  Json::json_pointer path(pointer);
  for (; !path.empty(); path.pop_back()) out = path.back() + (out.empty() ? "" : "." + out);
  return out;
}

std::string pointer_of(const std::string& dotted_path) {
  std::string out;
  for (std::size_t begin = 0; begin <= dotted_path.size();) {
    const std::size_t end = std::min(dotted_path.find('.', begin), dotted_path.size());
    out += "/" + pointer_token(dotted_path.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

AxisValues::AxisValues(const RangeFile& range) : range_(range) {
  if (range.to < range.from) throw(range.where / "to").error("must not be below \"from\", " + plain_number(range.from));
  if (range.step && range.count) throw(range.where / "count").error("a range has a step or a count, not both");
  if (range.scale == Scale::log && !range.count) throw range.where.error("a logarithmic range needs a \"count\"");
  if (range.scale == Scale::log && range.from <= 0)
    throw(range.where / "from").error("must be above 0 on a logarithmic scale");
  if (range.count) {
    size_ = static_cast<std::uint64_t>(*range.count);
    if (size_ == 1 && range.to != range.from)
      throw(range.where / "count").error("one value cannot be both \"from\" and \"to\"");
  } else {
    const double steps = std::floor((range.to - range.from) / range.step.value_or(1) + 1e-9);
    if (!(steps < 9e18)) throw range.where.error("has more than 9e18 values");
    size_ = static_cast<std::uint64_t>(steps) + 1;
  }
}

Json AxisValues::operator[](std::uint64_t index) const {
  if (!listed_.empty()) return listed_[index];
  const auto i = static_cast<double>(index), last = static_cast<double>(size_ - 1);
  if (!range_.count) return tidy_number(range_.from + i * range_.step.value_or(1));
  if (index + 1 == size_) return tidy_number(range_.to);
  if (range_.scale == Scale::log) return tidy_number(range_.from * std::pow(range_.to / range_.from, i / last));
  return tidy_number(range_.from + (range_.to - range_.from) * i / last);
}

std::string Axis::text(std::uint64_t index) const {
  if (!labels.empty() && !labels[index].empty()) return labels[index];
  const Json value = values[index];
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return number_text(value.get<double>());
  return value.dump();
}

void Axis::apply(Document& document, std::uint64_t index) const {
  if (!pointer.empty()) return document.put(pointer, values[index]);
  const Json settings = values[index];
  for (const auto& [path, value] : settings.items()) document.put(pointer_of(path), value, place);
}

std::vector<Axis> take_axes(const std::shared_ptr<Document>& document) {
  std::vector<Axis> axes;
  if (document->root().contains("axes")) {
    const auto file = read<Named<std::vector<SettingFile>>>(Value(document)["axes"]);
    for (const auto& [name, settings] : file) {
      const Where where = Where{document, "/axes"} / name;
      if (settings.empty()) throw where.error("is empty: an axis needs a value");
      std::vector<Json> values;
      std::vector<std::string> labels;
      for (const SettingFile& setting : settings) {
        if (!setting.set.value.is_object() || setting.set.value.empty())
          throw(setting.where / "set").error("must name at least one member");
        for (const auto& [path, value] : setting.set.value.items())
          if (!settings[0].set.value.contains(path))
            throw(setting.where / "set" / path)
                .error("is not set by the first value of this axis; all of them must set the same members");
        if (setting.set.value.size() != settings[0].set.value.size())
          throw(setting.where / "set").error("all values of an axis must set the same members");
        values.push_back(setting.set.value);
        labels.push_back(setting.label);
      }
      axes.push_back({name, "", AxisValues(std::move(values)), std::move(labels), where, where.location()});
    }
    document->drop("axes");
  }
  static const Json kSchema = scenario_schema();
  find(Value(document), kSchema, axes);

  // A field that two axes set would have the value of the last and be reported with both.
  std::vector<std::pair<std::string, const Axis*>> fields;
  for (const Axis& axis : axes) {
    if (!axis.pointer.empty()) fields.emplace_back(axis.pointer, &axis);
    if (!axis.pointer.empty()) continue;
    const Json settings = axis.values[0];
    for (const auto& [path, unused] : settings.items()) fields.emplace_back(pointer_of(path), &axis);
  }
  for (const auto& [a, first] : fields)
    for (const auto& [b, second] : fields)
      if (first != second && (a == b || b.starts_with(a + "/")))
        throw second->where.error("sets " + in_quotes(dotted(b)) + ", as does the axis " + in_quotes(first->name));
  for (const Axis& axis : axes) axis.apply(*document, 0);
  return axes;
}

Grid::Grid(const std::vector<Axis>& axes) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 63;
  for (const Axis& axis : axes) {
    sizes_.push_back(axis.values.size());
    if (axis.values.size() > kMost / size_)
      throw axis.where.error("more than 9e18 combinations of values cannot be numbered");
    size_ *= axis.values.size();
  }
}

void Grid::at(std::uint64_t point, std::vector<std::uint64_t>& indices) const {
  indices.resize(sizes_.size());
  for (std::size_t a = sizes_.size(); a-- > 0; point /= sizes_[a]) indices[a] = point % sizes_[a];
}

Json sweep_schema() {
  Json schema = scenario_schema();
  schema["title"] = "DynaSoC sweep";
  schema["description"] =
      "a scenario in which any field may have a list of values, {\"each\": [...]} or a range {\"from\", \"to\", "
      "\"step\" "
      "or \"count\", \"scale\"}: every combination is a point";
  // Fields stay described, but any of them may be an axis: only names are checked here, values by the program.
  for (auto& [name, property] : schema["properties"].items()) {
    Json loose = Json::object();
    if (property.contains("description")) loose["description"] = property["description"];
    property = std::move(loose);
  }
  schema["properties"]["axes"] = schema_of<Named<std::vector<SettingFile>>>();
  schema["properties"]["axes"]["description"] = "settings that change together, by the axis' name";
  schema["properties"]["metrics"] = {{"type", "array"},
                                     {"items", {{"type", "string"}}},
                                     {"description", "columns of the table, of `dynasoc list metrics`"}};
  return schema;
}

}  // namespace dynasoc::explore
