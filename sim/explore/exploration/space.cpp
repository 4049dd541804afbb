#include "explore/exploration/space.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "common/text.hpp"
#include "kernel/random.hpp"
#include "world/run.hpp"

namespace dynasoc::explore {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
// clang before 17 deduces no arguments of an aggregate without it.
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

double four_digits(double x, double low, double high) {
  if (x == 0) return x;
  const double unit = std::pow(10.0, 3 - std::floor(std::log10(std::abs(x))));
  const double rounded = std::round(x * unit) / unit;
  return std::clamp(std::isfinite(rounded) ? rounded : x, low, high);
}

// Whether a choice's or an integer's value is among those that `when` names.
bool among(const Variable& variable, const Json& value, const std::vector<AnyJson>& wanted) {
  return std::any_of(wanted.begin(), wanted.end(), [&](const AnyJson& one) {
    if (one.value == value) return true;
    const auto* choice = std::get_if<ChoiceVariable>(&variable);
    if (choice == nullptr) return false;
    for (std::size_t i = 0; i < choice->values.size(); ++i)
      if (choice->values[i].value == value) return one.value == Json(label_of(*choice, i));
    return false;
  });
}

const std::optional<When>& when_of(const Variable& variable) {
  return std::visit([](const auto& one) -> const std::optional<When>& { return one.when; }, variable);
}

std::vector<std::string> paths_of(const Variable& variable) {
  return std::visit(
      [](const auto& one) {
        std::vector<std::string> out;
        if (!one.path.empty()) out.push_back(one.path.text);
        for (const Name& path : one.paths) out.push_back(path.text);
        return out;
      },
      variable);
}

// The members that a value sets: those that the variable names, or that the value itself names.
Json members_of(const Variable& variable, const Json& value) {
  const auto paths = paths_of(variable);
  if (paths.empty()) return value;
  Json out = Json::object();
  for (const std::string& path : paths) out[path] = value;
  return out;
}

}  // namespace

Space::Space(ExplorationFile file, const std::filesystem::path& folder) : file_(std::move(file)) {
  Overrides fixed;
  for (const auto& [path, value] : file_.set) fixed.emplace_back(path, value.value.dump());
  const auto path = DataPaths(folder).scenario(file_.scenario);
  try {
    base_ = load_scenario(path, fixed);
  } catch (const InputError& error) {
    if (fixed.empty()) throw;
    load_scenario(path);  // if this fails too, the fault is the scenario's own
    throw(file_.where / "set").error(error.what());
  }

  // Where both count, the later one would win, and the earlier one would seem not to matter.
  for (std::size_t v = 0; v < variables(); ++v)
    for (std::size_t earlier = 0; earlier < v; ++earlier) {
      const auto &one = file_.variables[v].second, &other = file_.variables[earlier].second;
      if (when_of(one) || when_of(other)) continue;  // they may exclude each other
      const auto theirs = paths_of(other);
      for (const std::string& member : paths_of(one))
        if (std::find(theirs.begin(), theirs.end(), member) != theirs.end())
          throw std::visit([](const auto& variable) { return variable.where; }, one)
              .error("sets " + in_quotes(member) + ", as does the variable " + in_quotes(name(earlier)));
    }

  // Continuous coordinates first: the optimiser wants it so.
  coordinates_.resize(variables());
  for (std::size_t v = 0; v < variables(); ++v)
    if (const auto* real = std::get_if<RealVariable>(&file_.variables[v].second)) {
      coordinates_[v] = {box_.low.size()};
      const bool log = real->scale == Scale::log;
      box_.low.push_back(log ? std::log(real->low) : real->low);
      box_.high.push_back(log ? std::log(real->high) : real->high);
    }
  for (std::size_t v = 0; v < variables(); ++v) {
    const auto add = [&](double low, double high) {
      coordinates_[v].push_back(box_.low.size());
      box_.low.push_back(low);
      box_.high.push_back(high);
      ++box_.integers;
    };
    std::visit(Overloaded{[&](const ChoiceVariable& one) { add(0, static_cast<double>(one.values.size()) - 1); },
                          [&](const IntegerVariable& one) {
                            add(static_cast<double>(one.low), static_cast<double>(one.high));
                          },
                          [&](const SubsetVariable& one) {
                            for (std::size_t i = 0; i < one.of.size(); ++i) add(0, 1);
                          },
                          [](const RealVariable&) {}},
               file_.variables[v].second);
  }
  look_up_metrics();
  check_values();
}

void Space::look_up_metrics() {
  const auto column = [&](const Name& metric) {
    try {
      return MetricColumn(*base_.setup, metric.text);
    } catch (const InputError& error) {
      throw metric.error(error.what());
    }
  };
  for (const ObjectiveFile& one : file_.objectives) {
    Wish wish{column(one.metric), 1};
    const Better better = one.better.value_or(wish.column.metric().better);
    if (better == Better::neither)
      throw one.metric.error(
          "more of this metric is neither better nor worse: say \"better\": \"lower\" or "
          "\"higher\"");
    if (better == Better::higher) wish.sign = -1;
    metrics_.push_back(wish);
  }
  for (const ConstraintFile& one : file_.constraints) metrics_.push_back({column(one.metric), 1});
  for (const Name& one : file_.metrics) metrics_.push_back({column(one), 1});
}

std::vector<Json> Space::raw_at(const std::vector<double>& x) const {
  std::vector<Json> raw;
  for (std::size_t v = 0; v < variables(); ++v) {
    const auto& own = coordinates_[v];
    raw.push_back(std::visit(
        Overloaded{[&](const ChoiceVariable& one) { return one.values[static_cast<std::size_t>(x[own[0]])].value; },
                   [&](const RealVariable& one) {
                     const double value = one.scale == Scale::log ? std::exp(x[own[0]]) : x[own[0]];
                     return Json(four_digits(value, one.low, one.high));
                   },
                   [&](const IntegerVariable&) { return Json(static_cast<std::int64_t>(x[own[0]])); },
                   [&](const SubsetVariable& one) {
                     std::vector<bool> in;
                     for (const std::size_t c : own) in.push_back(x[c] > 0.5);
                     auto count = std::count(in.begin(), in.end(), true);
                     const auto most = one.most == 0 ? static_cast<std::int64_t>(in.size()) : one.most;
                     for (std::size_t i = 0; i < in.size() && count < one.least; ++i)
                       if (!in[i]) in[i] = true, ++count;
                     for (std::size_t i = in.size(); i-- > 0 && count > most;)
                       if (in[i]) in[i] = false, --count;
                     Json list = Json::array();
                     for (std::size_t i = 0; i < in.size(); ++i)
                       if (in[i]) list.push_back(one.of[i].value);
                     return list;
                   }},
        file_.variables[v].second));
  }
  return raw;
}

Configuration Space::activated(const std::vector<Json>& raw) const {
  Configuration out;
  for (std::size_t v = 0; v < variables(); ++v) {
    bool used = true;
    if (const auto& when = when_of(file_.variables[v].second))
      for (std::size_t p = 0; p < v; ++p)
        if (name(p) == when->variable.text)
          used = out.values[p].has_value() && among(file_.variables[p].second, *out.values[p], when->is);
    out.values.push_back(used ? std::optional<Json>(raw[v]) : std::nullopt);
  }
  return out;
}

Configuration Space::at(const std::vector<double>& x) const { return activated(raw_at(x)); }

Json Space::assignments(const Configuration& configuration) const {
  Json out = Json::object();
  for (std::size_t v = 0; v < variables(); ++v)
    if (configuration.values[v]) out[name(v)] = *configuration.values[v];
  return out;
}

Configuration Space::from_assignments(const Value& assignments) const {
  if (!assignments.json().is_object()) detail::wrong_kind(assignments, "an object");
  std::vector<std::string> known;
  for (std::size_t v = 0; v < variables(); ++v) known.push_back(name(v));
  for (const auto& [key, unused] : assignments.json().items())
    if (std::find(known.begin(), known.end(), key) == known.end())
      throw(assignments.where() / key).key_error("unknown variable " + in_quotes(key) + hint(key, known));
  Configuration out;
  for (const std::string& variable : known)
    out.values.push_back(assignments.has(variable) ? std::optional<Json>(assignments.json()[variable]) : std::nullopt);
  return out;
}

std::vector<std::pair<std::string, Json>> Space::settings(const Configuration& configuration) const {
  std::vector<std::pair<std::string, Json>> out;
  for (std::size_t v = 0; v < variables(); ++v) {
    if (!configuration.values[v]) continue;
    const Json members = members_of(file_.variables[v].second, *configuration.values[v]);
    for (const auto& [path, value] : members.items()) out.emplace_back(path, value);
  }
  return out;
}

Scenario Space::scenario(const Configuration& configuration) const {
  auto document = std::make_shared<Document>(*base_.document);
  for (const auto& [path, value] : settings(configuration)) document->set(path, value.dump());
  return load_scenario(document, base_.folder, {}, &library_);
}

std::string Space::hash_of(const std::filesystem::path& path) const {
  const std::lock_guard lock(mutex_);
  auto& hash = hashes_[path];
  if (hash.empty()) hash = content_hash(read_file(path));
  return hash;
}

std::optional<std::filesystem::path> Space::changed_input() const {
  const std::lock_guard lock(mutex_);
  for (const auto& [path, hash] : hashes_) {
    std::error_code code;
    if (!std::filesystem::is_regular_file(path, code) || content_hash(read_file(path)) != hash) return path;
  }
  return std::nullopt;
}

std::string Space::key(const Scenario& scenario) const {
  Json root = scenario.document->root();
  for (const char* for_people : {"name", "title", "source", "comment", "$schema", "replications", "timeline_ms"})
    root.erase(for_people);
  std::string all = root.dump();
  all += embedded_policies(all);
  for (const auto& path : scenario.inputs)
    if (path != base_.inputs.front()) all += "\n" + hash_of(path);
  for (const Wish& wish : metrics_) all += "\n" + wish.column.name();
  all += "\nnative\n" + build_;
  return content_hash(all);
}

std::vector<double> Space::evaluate(const Setup& setup, std::uint64_t replication) const {
  const Metrics all = measure(setup, simulate(setup, {.jobs = true}, EngineKind::native, replication));
  std::vector<double> out;
  for (const Wish& wish : metrics_) out.push_back(wish.column.value(all));
  return out;
}

namespace {

double values_of(const Variable& variable) {
  return std::visit(Overloaded{[](const ChoiceVariable& one) { return static_cast<double>(one.values.size()); },
                               [](const IntegerVariable& one) { return static_cast<double>(one.high - one.low + 1); },
                               [](const RealVariable& one) {
                                 return one.low < one.high ? std::numeric_limits<double>::infinity() : 1.0;
                               },
                               [](const SubsetVariable& one) {
                                 const auto n = static_cast<std::int64_t>(one.of.size());
                                 double sum = 0, ways = 1;  // n over k
                                 for (std::int64_t k = 0; k <= (one.most == 0 ? n : std::min(n, one.most)); ++k) {
                                   if (k > 0) ways *= static_cast<double>(n - k + 1) / static_cast<double>(k);
                                   if (k >= one.least) sum += ways;
                                 }
                                 return sum;
                               }},
                    variable);
}

}  // namespace

double Space::size() const { return size_from(0, std::vector<std::optional<Json>>(file_.variables.size())); }

// Of the variables from `v` on, those before it having these values (as far as a `when` asks for them).
double Space::size_from(std::size_t v, std::vector<std::optional<Json>> chosen) const {
  if (v == file_.variables.size()) return 1;
  const Variable& variable = file_.variables[v].second;
  if (const auto& when = when_of(variable))
    for (std::size_t p = 0; p < v; ++p)
      if (name(p) == when->variable.text &&
          !(chosen[p].has_value() && among(file_.variables[p].second, *chosen[p], when->is)))
        return size_from(v + 1, chosen);
  const bool asked_for = std::any_of(file_.variables.begin(), file_.variables.end(), [&](const auto& other) {
    const auto& when = when_of(other.second);
    return when && when->variable.text == name(v);
  });
  if (!asked_for) return values_of(variable) * size_from(v + 1, chosen);
  double sum = 0;
  const auto add = [&](const Json& value) {
    chosen[v] = value;
    sum += size_from(v + 1, chosen);
  };
  if (const auto* choice = std::get_if<ChoiceVariable>(&variable))
    for (const AnyJson& value : choice->values) add(value.value);
  if (const auto* whole = std::get_if<IntegerVariable>(&variable))
    for (std::int64_t value = whole->low; value <= whole->high; ++value) add(value);
  return sum;
}

std::string Space::told(std::size_t variable, const std::optional<Json>& value) const {
  return value ? explore::told(file_.variables[variable].second, *value) : "";
}

// Gives the variables that `variable` depends on values for which it matters.
void Space::make_used(std::vector<Json>& raw, std::size_t variable) const {
  const auto& when = when_of(file_.variables[variable].second);
  if (!when) return;
  for (std::size_t p = 0; p < variable; ++p) {
    if (name(p) != when->variable.text) continue;
    const Variable& parent = file_.variables[p].second;
    if (!among(parent, raw[p], when->is)) {
      raw[p] = when->is[0].value;
      if (const auto* choice = std::get_if<ChoiceVariable>(&parent))
        for (const AnyJson& value : choice->values)
          if (among(parent, value.value, {when->is[0]})) raw[p] = value.value;
    }
    make_used(raw, p);
  }
}

// With the others at their first values; if that is refused, the fault may be the combination's: then at others. If
// that fails too although the value is accepted alone, another variable may be to blame, and says so itself.
std::optional<InputError> Space::check_value(std::size_t variable, const Json& value, const Where& where,
                                             const std::vector<double>& first) const {
  constexpr int kTries = 64;
  const auto told = [&](const std::string& why) {
    return where.error("variable " + in_quotes(name(variable)) + ", value " +
                       in_quotes(value.is_string() ? value.get<std::string>() : value.dump()) + ": " + why);
  };
  const Stream stream(0, "explore/check");
  std::uint64_t drawn = 0;
  std::optional<InputError> refused;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    std::vector<double> x = first;
    for (std::size_t i = 0; attempt > 0 && i < x.size(); ++i) {
      const bool whole = i >= x.size() - box_.integers;
      const double u = stream.uniform(drawn++), width = box_.high[i] - box_.low[i];
      x[i] = whole ? box_.low[i] + std::floor(u * (width + 1)) : box_.low[i] + u * width;
    }
    std::vector<Json> raw = raw_at(x);
    raw[variable] = value;
    make_used(raw, variable);
    try {
      scenario(activated(raw));
      return std::nullopt;
    } catch (const InputError& error) {
      if (!refused) refused = error;
    }
  }
  std::vector<Json> raw = raw_at(first);
  raw[variable] = value;
  make_used(raw, variable);
  Configuration alone = activated(raw);
  std::set<std::string> needed{name(variable)};
  for (std::size_t v = variables(); v-- > 0;) {
    if (!needed.contains(name(v)))
      alone.values[v] = std::nullopt;
    else if (const auto& when = when_of(file_.variables[v].second))
      needed.insert(when->variable.text);
  }
  try {
    scenario(alone);
  } catch (const InputError& error) {
    throw told(error.what());
  }
  return told(refused->what());
}

void Space::check_values() {
  std::optional<InputError> open;  // that nobody is to blame for alone
  const auto try_value = [&](std::size_t v, const Json& value, const Where& where, const std::vector<double>& first) {
    if (auto error = check_value(v, value, where, first); error && !open) open = std::move(error);
  };
  std::vector<double> first = box_.low;
  for (std::size_t v = 0; v < variables(); ++v)
    if (std::holds_alternative<SubsetVariable>(file_.variables[v].second))
      for (const std::size_t c : coordinates_[v]) first[c] = 1;  // as many as are allowed
  for (std::size_t v = 0; v < variables(); ++v)
    std::visit(Overloaded{[&](const ChoiceVariable& one) {
                            for (const AnyJson& value : one.values) try_value(v, value.value, value.where, first);
                          },
                          [&](const RealVariable& one) {
                            try_value(v, one.low, one.where / "low", first);
                            try_value(v, one.high, one.where / "high", first);
                          },
                          [&](const IntegerVariable& one) {
                            try_value(v, one.low, one.where / "low", first);
                            try_value(v, one.high, one.where / "high", first);
                          },
                          [&](const SubsetVariable& one) {  // each value, with as many of its neighbours as it takes
                            const std::size_t n = one.of.size();
                            const auto least = static_cast<std::size_t>(std::max<std::int64_t>(one.least, 1));
                            for (std::size_t i = 0; i < n; ++i) {
                              std::vector<bool> in(n);
                              for (std::size_t k = 0; k < least; ++k) in[(i + k) % n] = true;
                              Json list = Json::array();
                              for (std::size_t j = 0; j < n; ++j)
                                if (in[j]) list.push_back(one.of[j].value);
                              try_value(v, list, one.of[i].where, first);
                            }
                          }},
               file_.variables[v].second);
  if (open) throw *open;
}

}  // namespace dynasoc::explore
