#include "explore/exploration/file.hpp"

#include <cmath>
#include <set>

#include "common/text.hpp"

namespace dynasoc::explore {
namespace {

// Every value once, compared as JSON.
void refuse_repetitions(const std::vector<AnyJson>& values) {
  std::set<std::string> seen;
  for (const AnyJson& one : values)
    if (!seen.insert(one.value.dump()).second)
      throw one.where.error("the value " +
                            in_quotes(one.value.is_string() ? one.value.get<std::string>() : one.value.dump()) +
                            " is there twice");
}

template <class T>
void check_paths(const std::string& name, const T& variable) {
  if (!variable.path.empty() && !variable.paths.empty())
    throw variable.path.error("variable " + in_quotes(name) + " has both path and paths");
  if constexpr (!std::is_same_v<T, ChoiceVariable>)
    if (variable.path.empty() && variable.paths.empty())
      throw variable.where.error("variable " + in_quotes(name) + " has no path: which member of the scenario varies?");
}

void check(const std::string& name, const ChoiceVariable& variable) {
  check_paths(name, variable);
  if (variable.values.empty())
    throw(variable.where / "values").error("the space is empty: variable " + in_quotes(name) + " has no value");
  refuse_repetitions(variable.values);
  if (!variable.labels.empty() && variable.labels.size() != variable.values.size())
    throw(variable.where / "labels")
        .error("each value needs a label, if any has one: values has " + std::to_string(variable.values.size()) +
               ", labels " + std::to_string(variable.labels.size()));
  for (std::size_t i = 0; i < variable.labels.size(); ++i)
    if (variable.labels[i].empty()) throw(variable.where / "labels" / i).error("the label is empty");
  for (std::size_t i = 0; i < variable.labels.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (variable.labels[i] == variable.labels[j])
        throw(variable.where / "labels" / i).error("the label " + in_quotes(variable.labels[i]) + " is there twice");
  if (variable.path.empty() && variable.paths.empty())
    for (const AnyJson& value : variable.values)
      if (!value.value.is_object() || value.value.empty())
        throw value.where.error("variable " + in_quotes(name) +
                                " has no path: each value must be an object of path and value");
}

void check(const std::string& name, const RealVariable& variable) {
  check_paths(name, variable);
  if (!(variable.low <= variable.high))
    throw(variable.where / "high")
        .error("the space is empty: " + in_quotes(name) + " ends at " + plain_number(variable.high) +
               " and begins at " + plain_number(variable.low));
  if (variable.scale == Scale::log && !(variable.low > 0))
    throw(variable.where / "low").error("must be above 0 on a logarithmic scale");
}

void check(const std::string& name, const IntegerVariable& variable) {
  check_paths(name, variable);
  if (variable.low > variable.high)
    throw(variable.where / "high")
        .error("the space is empty: " + in_quotes(name) + " ends at " + std::to_string(variable.high) +
               " and begins at " + std::to_string(variable.low));
}

void check(const std::string& name, const SubsetVariable& variable) {
  check_paths(name, variable);
  if (variable.of.empty())
    throw(variable.where / "of").error("the space is empty: variable " + in_quotes(name) + " has nothing to choose");
  refuse_repetitions(variable.of);
  const auto size = static_cast<std::int64_t>(variable.of.size());
  if (size > 64) throw(variable.where / "of").error("at most 64 values");
  const std::int64_t most = variable.most == 0 ? size : variable.most;
  if (variable.least > size)
    throw(variable.where / "least")
        .error("the space is empty: there are " + std::to_string(size) + " values to choose " +
               std::to_string(variable.least) + " from");
  if (variable.least > most)
    throw(variable.where / "most")
        .error("the space is empty: at least " + std::to_string(variable.least) + " and at most " +
               std::to_string(most));
}

// `when` names a variable before this one, and values that it can have.
void check_when(const ExplorationFile& file, std::size_t index, const When& when) {
  std::vector<std::string> before;
  const Variable* parent = nullptr;
  for (std::size_t v = 0; v < index; ++v) {
    before.push_back(file.variables[v].first);
    if (file.variables[v].first == when.variable.text) parent = &file.variables[v].second;
  }
  if (parent == nullptr)
    throw when.variable.error("no variable " + in_quotes(when.variable.text) + " stands before this one" +
                              (before.empty() ? "" : hint(when.variable.text, before)));
  if (when.is.empty()) throw(when.where / "is").error("the variable is never used: there are no values");
  for (const AnyJson& wanted : when.is) {
    if (const auto* choice = std::get_if<ChoiceVariable>(parent)) {
      std::vector<std::string> known;
      bool there = false;
      for (std::size_t i = 0; i < choice->values.size(); ++i) {
        known.push_back(label_of(*choice, i));
        there = there || choice->values[i].value == wanted.value || wanted.value == Json(known.back());
      }
      const std::string told = wanted.value.is_string() ? wanted.value.get<std::string>() : wanted.value.dump();
      if (!there)
        throw wanted.where.error("variable " + in_quotes(when.variable.text) + " has no value " + in_quotes(told) +
                                 hint(told, known));
    } else if (const auto* whole = std::get_if<IntegerVariable>(parent)) {
      if (!wanted.value.is_number_integer() || wanted.value.get<std::int64_t>() < whole->low ||
          wanted.value.get<std::int64_t>() > whole->high)
        throw wanted.where.error("variable " + in_quotes(when.variable.text) + " goes from " +
                                 std::to_string(whole->low) + " to " + std::to_string(whole->high));
    } else {
      throw when.variable.error("variable " + in_quotes(when.variable.text) + " is neither a choice nor an integer");
    }
  }
}

void check_wishes(const ExplorationFile& file) {
  if (file.objectives.empty()) throw(file.where / "objectives").error("there is no objective");
  for (std::size_t i = 0; i < file.objectives.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (file.objectives[i].metric.text == file.objectives[j].metric.text)
        throw file.objectives[i].metric.error("the objective " + in_quotes(file.objectives[i].metric.text) +
                                              " is there twice");
  for (const ConstraintFile& one : file.constraints)
    if (!one.most && !one.least) throw one.where.error("neither \"most\" nor \"least\": this constraint asks nothing");
  for (std::size_t i = 0; i < file.constraints.size(); ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      const ConstraintFile &a = file.constraints[i], &b = file.constraints[j];
      if (a.metric.text != b.metric.text) continue;
      const double least = std::max(a.least.value_or(-INFINITY), b.least.value_or(-INFINITY));
      const double most = std::min(a.most.value_or(INFINITY), b.most.value_or(INFINITY));
      if (least > most)
        throw a.where.error("contradictory constraints: " + a.metric.text + " must be at least " + plain_number(least) +
                            " and at most " + plain_number(most));
    }
}

}  // namespace

std::string label_of(const ChoiceVariable& choice, std::size_t value) {
  if (value < choice.labels.size()) return choice.labels[value];  // what was not checked may have too few
  const Json& json = choice.values[value].value;
  if (json.is_string()) return json.get<std::string>();
  if (json.is_object() && json.contains("name") && json["name"].is_string()) return json["name"].get<std::string>();
  return json.dump();
}

std::string told(const Variable& variable, const Json& value) {
  if (const auto* choice = std::get_if<ChoiceVariable>(&variable)) {
    std::string label;
    std::size_t called_so = 0;
    for (std::size_t i = 0; i < choice->values.size(); ++i)
      if (choice->values[i].value == value) label = label_of(*choice, i);
    for (std::size_t i = 0; i < choice->values.size(); ++i) called_so += label_of(*choice, i) == label;
    if (called_so == 1) return label;
    if (called_so > 1) return value.dump();
  }
  const auto plain = [](const Json& one) {
    if (one.is_string()) return one.get<std::string>();
    return one.is_number_float() ? number_text(one.get<double>()) : one.dump();
  };
  if (!value.is_array()) return plain(value);
  std::string out;
  for (const Json& one : value) out += (out.empty() ? "" : " ") + plain(one);
  return out;
}

ExplorationFile read_exploration(std::shared_ptr<Document> document,
                                 const std::vector<std::pair<std::string, std::string>>& overrides) {
  for (const auto& [path, value] : overrides) document->set(path, value);
  const Value root(document);
  if (!root.json().is_object()) detail::wrong_kind(root, "an object");
  auto file = read<ExplorationFile>(root);
  if (file.name.empty()) {
    std::filesystem::path name = std::filesystem::path(document->name()).stem();
    if (name.extension() == ".explore") name = name.stem();
    file.name = name.string();
  }
  if (file.variables.empty()) throw(file.where / "variables").error("the space is empty: nothing varies");
  for (std::size_t v = 0; v < file.variables.size(); ++v) {
    const auto& [name, variable] = file.variables[v];
    std::visit(
        [&](const auto& one) {
          check(name, one);
          if (one.when) check_when(file, v, *one.when);
        },
        variable);
  }
  check_wishes(file);
  if (file.racing.race && file.racing.race->search < file.racing.race->first)
    throw(file.where / "racing" / "search").error("must not be less than `first`");
  return file;
}

ExplorationFile load_exploration(const std::filesystem::path& path,
                                 const std::vector<std::pair<std::string, std::string>>& overrides) {
  return read_exploration(Document::load(path), overrides);
}

}  // namespace dynasoc::explore
