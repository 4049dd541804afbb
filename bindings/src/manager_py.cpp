// Managers in Python: what a policy is shown, what it answers, and C++ policies as the registry knows them.
//
// A policy is asked hundreds of thousands of times a second: what it is shown are thin views of the simulator's own
// structures, made once a run, and nothing is converted before it is looked at.
#include <algorithm>
#include <array>
#include <deque>
#include <limits>
#include <optional>
#include <set>
#include <span>

#include "common/text.hpp"
#include "docstrings.hpp"
#include "manager/governor.hpp"
#include "manager/policy.hpp"
#include "python.hpp"
#include "types.hpp"

namespace dynasoc::python {
namespace {

using namespace manager;

// What all views of one run look through; null once the run is over.
struct Sight {
  const Observation* seen = nullptr;
  const Observation& now() const {
    if (seen == nullptr)
      throw std::runtime_error("an observation is valid during decide() only: keep its numbers, not the object");
    return *seen;
  }
};
using SharedSight = std::shared_ptr<const Sight>;

struct AppLook {
  SharedSight sight;
  int index;
  const AppView& get() const { return sight->now().applications[static_cast<std::size_t>(index)]; }
};
struct UnitLook {
  SharedSight sight;
  int index;
  const UnitView& get() const { return sight->now().units[static_cast<std::size_t>(index)]; }
};
struct DomainLook {
  SharedSight sight;
  int index;
  const DomainView& get() const { return sight->now().domains[static_cast<std::size_t>(index)]; }
};

struct ObservationLook {
  SharedSight sight;
  Tuple<AppLook> applications;
  Tuple<UnitLook> units;
  Tuple<DomainLook> domains;
};

// Where a policy says "this application": the view that it was shown, or an index; without views, a number.
template <class... Look>
struct Place {
  int index = 0;
};

// Names, as Python's type checkers know them. Tests hold them against the enumerations.
class TriggerName : public py::str {
  using py::str::str;
};
class ConstraintName : public py::str {
  using py::str::str;
};

}  // namespace
}  // namespace dynasoc::python

namespace pybind11::detail {

template <class... Look>
struct type_caster<dynasoc::python::Place<Look...>> {
  PYBIND11_TYPE_CASTER(dynasoc::python::Place<Look...>,
                       union_concat(make_caster<Look>::name..., const_name("typing.SupportsIndex")));

  bool load(handle source, bool /*convert*/) {
    if (PyLong_Check(source.ptr()) == 0) {
      if ((load_look<Look>(source) || ...)) return true;
      if (PyIndex_Check(source.ptr()) == 0) return false;  // NumPy's integers pass
    }
    const Py_ssize_t index = PyNumber_AsSsize_t(source.ptr(), nullptr);  // beyond its range: the nearest
    if (index == -1 && PyErr_Occurred() != nullptr) throw error_already_set();
    constexpr Py_ssize_t kMost = std::numeric_limits<int>::max();
    value.index = static_cast<int>(std::clamp(index, -kMost, kMost));
    return true;
  }

 private:
  template <class One>
  bool load_look(handle source) {
    if (!isinstance<One>(source)) return false;
    value.index = source.cast<const One&>().index;
    return true;
  }
};

template <>
struct handle_type_name<dynasoc::python::TriggerName> {
  static constexpr auto name = const_name(
      "typing.Literal['start', 'period', 'arrival', 'completion', 'target_change', 'load_change', 'thermal_trip']");
};

template <>
struct handle_type_name<dynasoc::python::ConstraintName> {
  static constexpr auto name = const_name(
      "typing.Literal['none', 'latency', 'accuracy', 'energy', 'power', 'temperature', 'capacity', 'dwell', 'ladder']");
};

}  // namespace pybind11::detail

namespace dynasoc::python {
namespace {

template <class T>
Tuple<T> tuple_of(std::span<const T> values) {
  Tuple<T> out(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) out[i] = py::cast(values[i]);
  return out;
}

// Names of triggers, made once: a policy compares them in every decision.
TriggerName name_object(Trigger value) {
  static auto* names = new std::array<py::object, 16>;  // never freed: Python may be gone first
  py::object& name = (*names)[static_cast<std::size_t>(value)];
  if (!name) {
    const std::string_view text = name_of(value);
    name = py::reinterpret_steal<py::object>(PyUnicode_InternFromString(std::string(text).c_str()));
  }
  return py::reinterpret_borrow<TriggerName>(name);
}

constexpr std::array kConstraints{Constraint::none,     Constraint::latency, Constraint::accuracy,
                                  Constraint::energy,   Constraint::power,   Constraint::temperature,
                                  Constraint::capacity, Constraint::dwell,   Constraint::ladder};

Constraint constraint_of(const std::string& name) {
  for (const Constraint constraint : kConstraints)
    if (name_of(constraint) == name) return constraint;
  std::vector<std::string> known;
  for (const Constraint constraint : kConstraints) known.emplace_back(name_of(constraint));
  throw InputError("unknown constraint " + in_quotes(name) + hint(name, known));
}

// Knob writes as Python builds them. Reasons are kept as text: a pattern must outlive the decision.
struct DecisionBuilder {
  struct Entry {
    Knob knob;
    int target;
    int value;
    Why why;
    std::string pattern;
    py::args numbers;
  };
  std::vector<Entry> writes;
  std::vector<Candidate> candidates;

  void set(Knob knob, int target, int value, std::string reason, const py::args& numbers, double margin, double slack,
           Constraint binding) {
    const Why why{.reason = {}, .binding = binding, .slack = slack, .margin = margin};
    writes.push_back({knob, target, value, why, std::move(reason), numbers});
  }
};

// A reason's text: each {} is the next number, whole ones as they are, others with four digits.
std::string reason_text(const std::string& pattern, const py::args& numbers) {
  std::string out;
  std::size_t next = 0;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    if (pattern.compare(at, 2, "{}") != 0) {
      out += pattern[at];
      continue;
    }
    if (next < numbers.size()) {
      const py::object number = numbers[next];
      out += py::isinstance<py::float_>(number) ? rounded_text(number.cast<double>()) : std::string(py::str(number));
    }
    ++next;
    ++at;
  }
  return out;
}

void check_numbers(const std::string& pattern, std::size_t numbers) {
  std::size_t places = 0;
  for (std::size_t at = pattern.find("{}"); at != std::string::npos; at = pattern.find("{}", at + 2)) ++places;
  if (places != numbers)
    throw InputError("the reason " + in_quotes(pattern) + " has " + std::to_string(places) + " {} for " +
                     std::to_string(numbers) + " numbers");
}

// What Python's decide() must do and must not, held against what it returned.
void append(const DecisionBuilder& built, const Observation& seen, std::deque<std::string>& texts, Decision& out) {
  const auto check = [](const char* what, int index, std::size_t size) {
    if (index < 0 || static_cast<std::size_t>(index) >= size)
      throw InputError(std::string("decide() wrote to ") + what + " " + std::to_string(index) + ", but there are " +
                       std::to_string(size));
  };
  for (const DecisionBuilder::Entry& entry : built.writes) {
    switch (entry.knob) {
      case Knob::subnet:
      case Knob::mapping:
      case Knob::admission:
      case Knob::batch: check("application", entry.target, seen.applications.size()); break;
      case Knob::cores: check("unit", entry.target, seen.units.size()); break;
      default: check("domain", entry.target, seen.domains.size()); break;
    }
    Why why = entry.why;
    check_numbers(entry.pattern, entry.numbers.size());
    if (seen.explain && !entry.pattern.empty()) {  // nobody else reads it
      texts.push_back(reason_text(entry.pattern, entry.numbers));
      why.reason = Reason(texts.back().c_str());
    }
    out.set(entry.knob, entry.target, entry.value, why);
  }
  for (const Candidate& candidate : built.candidates) {
    const auto look = [&](const char* what, int index, std::size_t size) {
      if (index != -1) check(what, index, size);  // -1: it does not say
    };
    look("application", candidate.app, seen.applications.size());
    look("unit", candidate.unit, seen.units.size());
    if (candidate.app >= 0)
      look("sub-network", candidate.subnet, static_cast<std::size_t>(seen.applications[candidate.app].subnets));
    const int unit = candidate.unit >= 0  ? candidate.unit
                     : candidate.app >= 0 ? seen.applications[candidate.app].unit
                                          : -1;
    if (unit >= 0) look("operating point", candidate.opp, seen.domains[seen.units[unit].domains[0]].opps_mhz.size());
    out.candidates.push_back(candidate);
  }
}

Triggers triggers_of(const py::object& policy) {
  const py::object triggers = policy.attr("triggers");
  return py::isinstance<Triggers>(triggers) ? triggers.cast<Triggers>()
                                            : py::object(triggers()).cast<Triggers>();  // a method
}

/// A policy whose rule is Python's. One object serves one run, in one thread at a time.
class PythonPolicy final : public Policy {
 public:
  explicit PythonPolicy(py::object self) : self_(share(std::move(self))) {
    const py::gil_scoped_acquire gil;
    if (!py::hasattr(*self_, "decide"))
      throw py::type_error("a policy has a method decide(seen); " + std::string(py::str(py::repr(*self_))) +
                           " has none");
    decide_ = share(self_->attr("decide"));
    triggers_ = triggers_of(*self_);
    compute_cost_us_ = PyFloat_AsDouble(self_->attr("compute_cost_us").ptr());
    if (PyErr_Occurred() != nullptr) throw py::error_already_set();
    if (!(compute_cost_us_ >= 0 && compute_cost_us_ <= 1e15))
      throw InputError("compute_cost_us must be from 0 to 1e15 us");
  }
  Triggers triggers() const override { return triggers_; }
  double compute_cost_us() const override { return compute_cost_us_; }

  void decide(const Observation& seen, Decision& decision) override {
    const py::gil_scoped_acquire gil;
    // What Python keeps of it says so when it is looked at later, by another thread too.
    const struct Shown {
      Sight& sight;
      ~Shown() { sight.seen = nullptr; }
    } shown{*sight_};
    sight_->seen = &seen;
    if (!look_) look_ = share(py::cast(make_look(seen)));
    // The reasons of the last decision have been read by now.
    texts_.clear();
    const py::object answer = py::reinterpret_steal<py::object>(PyObject_CallOneArg(decide_->ptr(), look_->ptr()));
    if (!answer) throw py::error_already_set();
    if (answer.is_none()) return;
    if (!py::isinstance<DecisionBuilder>(answer))
      throw py::type_error("decide() must return a dynasoc.Decision or None, not " +
                           std::string(Py_TYPE(answer.ptr())->tp_name));
    append(answer.cast<const DecisionBuilder&>(), seen, texts_, decision);
  }

 private:
  ObservationLook make_look(const Observation& seen) const {
    ObservationLook look{sight_, Tuple<AppLook>(seen.applications.size()), Tuple<UnitLook>(seen.units.size()),
                         Tuple<DomainLook>(seen.domains.size())};
    for (std::size_t i = 0; i < seen.applications.size(); ++i)
      look.applications[i] = py::cast(AppLook{sight_, static_cast<int>(i)});
    for (std::size_t i = 0; i < seen.units.size(); ++i) look.units[i] = py::cast(UnitLook{sight_, static_cast<int>(i)});
    for (std::size_t i = 0; i < seen.domains.size(); ++i)
      look.domains[i] = py::cast(DomainLook{sight_, static_cast<int>(i)});
    return look;
  }

  SharedObject self_, decide_, look_;
  std::shared_ptr<Sight> sight_ = std::make_shared<Sight>();
  std::deque<std::string> texts_;
  Triggers triggers_;
  double compute_cost_us_ = 0;
};

Fields entry_fields(const Entry& entry) {
  Fields out;
  out["name"] = entry.name;
  out["doc"] = entry.doc;
  out["source"] = entry.source;
  out["schema"] = to_python(entry.schema);
  return out;
}

template <class Interface>
py::typing::List<Fields> entries() {
  py::typing::List<Fields> out;
  const auto& registry = Registry<Interface>::instance();
  for (const std::string& name : registry.names()) out.append(entry_fields(registry.entry(name)));
  return out;
}

// Names that were registered from Python. Under the GIL.
std::set<std::string>& python_names() {
  static std::set<std::string> names;
  return names;
}

std::string kind_in_schema(const Json& value) {
  return value.is_boolean()          ? "boolean"
         : value.is_number_integer() ? "integer"
         : value.is_number()         ? "number"
         : value.is_string()         ? "string"
                                     : "other";
}

// A Python class (or any callable) as an implementation that files can name. Its parameters are keyword arguments.
void register_policy(const std::string& name, const std::string& doc,
                     const py::typing::Callable<Any(py::ellipsis)>& make, const std::string& schema,
                     const std::string& version) {
  auto& registry = Registry<Policy>::instance();
  if (registry.has(name) && !python_names().contains(name))
    throw InputError("a policy called " + in_quotes(name) + " is part of DynaSoC; choose another name");
  python_names().insert(name);
  const SharedObject shared(new py::object(make), [](py::object* last) {
    if (Py_IsInitialized() == 0) return;  // the registry outlives the interpreter, which has taken all with it
    const py::gil_scoped_acquire gil;
    delete last;
  });
  Json described = Json::parse(schema);
  std::vector<std::string> known;
  for (const auto& [key, unused] : described["properties"].items()) known.push_back(key);
  registry.put({name, doc, "Python", described, version},
               [shared, known, described](const Value* value) -> std::unique_ptr<Policy> {
                 const py::gil_scoped_acquire gil;
                 py::dict arguments;
                 if (value != nullptr)
                   for (const auto& [key, member] : value->json().items()) {
                     if (key == "name") continue;
                     if (std::find(known.begin(), known.end(), key) == known.end())
                       throw(value->where() / key).key_error("unknown key " + in_quotes(key) + hint(key, known));
                     const Json& property = described["properties"][key];
                     if (property.contains("type") && property["type"] != kind_in_schema(member) &&
                         !(property["type"] == "number" && member.is_number()))
                       throw(value->where() / key).error("must be of type " + property["type"].get<std::string>());
                     arguments[py::str(key)] = to_python(member);
                   }
                 return std::make_unique<PythonPolicy>((*shared)(**arguments));
               });
}

}  // namespace

bool runs_python(const std::string& policy) { return python_names().contains(policy); }

namespace {
void forget_policy(const std::string& name) {
  if (python_names().erase(name) > 0) Registry<Policy>::instance().remove(name);
}
}  // namespace

std::function<std::unique_ptr<Policy>()> policy_factory(const py::object& source, const py::object& ran) {
  const SharedObject shared = share(source), list = share(ran);
  return [shared, list]() -> std::unique_ptr<Policy> {
    const py::gil_scoped_acquire gil;
    const bool made = py::isinstance<py::type>(*shared) || !py::hasattr(*shared, "decide");
    const py::object policy = made ? (*shared)() : py::module_::import("copy").attr("deepcopy")(*shared);
    if (!list->is_none()) py::list(*list).append(policy);
    return std::make_unique<PythonPolicy>(policy);
  };
}

namespace {

void define_triggers(py::module_& module) {
  namespace text = doc::manager::Triggers;
  using State = py::typing::Tuple<double, bool, bool, bool, bool, bool>;
  py::class_<Triggers>(module, "Triggers", text::self)
      .def(py::init([](double period_ms, bool arrival, bool completion, bool target_change, bool load_change,
                       bool thermal_trip) {
             if (!(period_ms == 0 || (period_ms >= 1e-6 && period_ms <= 1e12)))
               throw InputError("period_ms must be 0 (not periodic) or from 1e-6 to 1e12 ms");
             return Triggers{period_ms, arrival, completion, target_change, load_change, thermal_trip};
           }),
           py::kw_only(), py::arg("period_ms") = 0.0, py::arg("arrival") = false, py::arg("completion") = false,
           py::arg("target_change") = false, py::arg("load_change") = false, py::arg("thermal_trip") = false)
      .def_readonly("period_ms", &Triggers::period_ms, text::period_ms)
      .def_readonly("arrival", &Triggers::arrival, text::arrival)
      .def_readonly("completion", &Triggers::completion, text::completion)
      .def_readonly("target_change", &Triggers::target_change, text::target_change)
      .def_readonly("load_change", &Triggers::load_change, text::load_change)
      .def_readonly("thermal_trip", &Triggers::thermal_trip, text::thermal_trip)
      .def(py::pickle(
          [](const Triggers& t) -> State {
            return py::make_tuple(t.period_ms, t.arrival, t.completion, t.target_change, t.load_change, t.thermal_trip);
          },
          [](const State& t) {
            return Triggers{t[0].cast<double>(), t[1].cast<bool>(), t[2].cast<bool>(),
                            t[3].cast<bool>(),   t[4].cast<bool>(), t[5].cast<bool>()};
          }));
}

void define_sample(py::module_& module) {
  namespace text = doc::manager::Sample;
  py::class_<Sample>(module, "Sample", text::self)
      .def_property_readonly(
          "at_s", [](const Sample& s) { return to_s(s.at); }, text::at)
      .def_readonly("latency_ms", &Sample::latency_ms, text::latency_ms)
      .def_readonly("service_ms", &Sample::service_ms, text::service_ms)
      .def_readonly("profile_ms", &Sample::profile_ms, text::profile_ms)
      .def_readonly("subnet", &Sample::subnet, text::subnet)
      .def_readonly("unit", &Sample::unit, text::unit)
      .def_readonly("batch", &Sample::batch, text::batch)
      .def_readonly("missed", &Sample::missed, text::missed);
}

// A view's member as a property, read where the simulator keeps it.
template <class Class, class Member>
void field(Class& of, const char* name, Member member, const char* doc) {
  of.def_property_readonly(
      name, [member](const typename Class::type& look) { return look.get().*member; }, doc);
}

void define_application(py::class_<AppLook>& app) {
  namespace text = doc::manager::AppView;
  field(app, "name", &AppView::name, text::name);
  app.def_readonly("index", &AppLook::index, text::index);
  field(app, "subnets", &AppView::subnets, text::subnets);
  app.def_property_readonly(
      "accuracy", [](const AppLook& look) { return tuple_of<double>(look.get().accuracy); }, text::accuracy);
  field(app, "subnet", &AppView::subnet, text::subnet);
  field(app, "unit", &AppView::unit, text::unit);
  field(app, "active", &AppView::active, text::active);
  field(app, "admitted", &AppView::admitted, text::admitted);
  field(app, "latency_target_ms", &AppView::latency_target_ms, text::latency_target_ms);
  field(app, "accuracy_floor", &AppView::accuracy_floor, text::accuracy_floor);
  field(app, "energy_budget_mj", &AppView::energy_budget_mj, text::energy_budget_mj);
  field(app, "power_budget_w", &AppView::power_budget_w, text::power_budget_w);
  field(app, "priority", &AppView::priority, text::priority);
  field(app, "arrived", &AppView::arrived, text::arrived);
  field(app, "completed", &AppView::completed, text::completed);
  field(app, "missed", &AppView::missed, text::missed);
  field(app, "dropped", &AppView::dropped, text::dropped);
  field(app, "waiting", &AppView::waiting, text::waiting);
  field(app, "oldest_wait_ms", &AppView::oldest_wait_ms, text::oldest_wait_ms);
  field(app, "switch_ms", &AppView::switch_ms, text::switch_ms);
  field(app, "switch_energy_mj", &AppView::switch_energy_mj, text::switch_energy_mj);
  field(app, "batch", &AppView::batch, text::batch);
  field(app, "most_batch", &AppView::most_batch, text::most_batch);
  field(app, "batch_marginal", &AppView::batch_marginal, text::batch_marginal);
  app.def_property_readonly(
      "memory_mb", [](const AppLook& look) { return tuple_of<double>(look.get().memory_mb); }, text::memory_mb);
  app.def_property_readonly(
      "last",
      [](const AppLook& look) {
        const AppView& view = look.get();
        return view.completed > 0 ? std::optional(view.sample(view.completed - 1)) : std::nullopt;
      },
      "the newest finished inference; None before the first");
  app.def(
      "recent",
      [](const AppLook& look, Place<> most) {
        const AppView& view = look.get();
        const std::uint64_t held = std::min<std::uint64_t>(
            {view.completed, AppView::kRemembered, static_cast<std::uint64_t>(std::max(most.index, 0))});
        std::vector<Sample> out;
        for (std::uint64_t n = view.completed - held; n < view.completed; ++n) out.push_back(view.sample(n));
        return out;
      },
      py::arg("most") = AppView::kRemembered, "the newest finished inferences, oldest first; at most 64");
  app.def("__repr__", [](const AppLook& look) { return "<Application " + look.get().name + ">"; });
}

void define_unit(py::class_<UnitLook>& unit) {
  namespace text = doc::manager::UnitView;
  field(unit, "name", &UnitView::name, text::name);
  unit.def_readonly("index", &UnitLook::index, text::index);
  unit.def_property_readonly(
      "domains", [](const UnitLook& look) { return tuple_of<int>(look.get().domains); }, text::domains);
  field(unit, "utilisation", &UnitView::utilisation, text::utilisation);
  field(unit, "cores_online", &UnitView::cores_online, text::cores_online);
  field(unit, "cores", &UnitView::cores, text::cores);
  unit.def("__repr__", [](const UnitLook& look) { return "<Unit " + look.get().name + ">"; });
}

void define_domain(py::class_<DomainLook>& domain) {
  namespace text = doc::manager::DomainView;
  field(domain, "name", &DomainView::name, text::name);
  domain.def_readonly("index", &DomainLook::index, text::index);
  domain.def_property_readonly(
      "opps_mhz", [](const DomainLook& look) { return tuple_of<double>(look.get().opps_mhz); }, text::opps_mhz);
  field(domain, "opp", &DomainView::opp, text::opp);
  field(domain, "requested", &DomainView::requested, text::requested);
  field(domain, "lowest", &DomainView::lowest, text::lowest);
  field(domain, "highest", &DomainView::highest, text::highest);
  field(domain, "governed", &DomainView::governed, text::governed);
  domain.def("__repr__", [](const DomainLook& look) { return "<Domain " + look.get().name + ">"; });
}

using AnApp = Place<AppLook>;
using AUnit = Place<UnitLook>;
using ADomain = Place<DomainLook>;

// What the tables say: checked indices, the defaults filled in.
Profile::Entry profile_entry(const ObservationLook& look, AnApp application, Place<> subnet,
                             const std::optional<AUnit>& unit, const std::optional<Place<>>& opp) {
  const Observation& now = look.sight->now();
  const int a = application.index;
  if (a < 0 || static_cast<std::size_t>(a) >= now.applications.size()) throw py::index_error("no such application");
  const AppView& view = now.applications[static_cast<std::size_t>(a)];
  const int u = unit ? unit->index : view.unit;
  if (u < 0 || static_cast<std::size_t>(u) >= now.units.size()) throw py::index_error("no such unit");
  if (subnet.index < 0 || subnet.index >= view.subnets) throw py::index_error("no such sub-network");
  const DomainView& clock = now.domains[static_cast<std::size_t>(now.units[static_cast<std::size_t>(u)].domains[0])];
  const int point = opp ? opp->index : clock.opp;
  if (point < 0 || static_cast<std::size_t>(point) >= clock.opps_mhz.size())
    throw py::index_error("no such operating point");
  return now.profile->entry(a, subnet.index, u, point);
}

double idle_w(const ObservationLook& look, AUnit unit, Place<> opp) {
  const Observation& now = look.sight->now();
  const int u = unit.index;
  if (u < 0 || static_cast<std::size_t>(u) >= now.units.size()) throw py::index_error("no such unit");
  const auto d = static_cast<std::size_t>(now.units[static_cast<std::size_t>(u)].domains[0]);
  if (opp.index < 0 || static_cast<std::size_t>(opp.index) >= now.domains[d].opps_mhz.size())
    throw py::index_error("no such operating point");
  return now.profile->idle_w(u, opp.index);
}

void define_observation(py::class_<ObservationLook>& seen) {
  namespace text = doc::manager::Observation;
  seen.def_property_readonly(
      "now_s", [](const ObservationLook& o) { return to_s(o.sight->now().now); }, text::now);
  seen.def_property_readonly(
      "trigger", [](const ObservationLook& o) { return name_object(o.sight->now().trigger); }, text::trigger);
  seen.def_property_readonly(
      "subject", [](const ObservationLook& o) { return o.sight->now().subject; }, text::subject);
  seen.def_property_readonly(
      "explain", [](const ObservationLook& o) { return o.sight->now().explain; }, text::explain);
  seen.def_readonly("applications", &ObservationLook::applications, text::applications);
  seen.def_readonly("units", &ObservationLook::units, text::units);
  seen.def_readonly("domains", &ObservationLook::domains, text::domains);
  seen.def_property_readonly(
      "rails_w",
      [](const ObservationLook& o) {
        py::typing::Dict<py::str, double> out;
        for (const RailView& rail : o.sight->now().rails) out[py::str(rail.name)] = rail.power_w;
        return out;
      },
      (std::string("by sensor: ") + doc::manager::RailView::power_w).c_str());
  seen.def_property_readonly(
      "temperatures_c", [](const ObservationLook& o) { return tuple_of<double>(o.sight->now().temperatures_c); },
      text::temperatures_c);
  namespace battery = doc::manager::BatteryView;
  namespace budget = doc::manager::ThermalBudgetView;
  seen.def_property_readonly(
      "battery_capacity_j", [](const ObservationLook& o) { return o.sight->now().battery.capacity_j; },
      battery::capacity_j);
  seen.def_property_readonly(
      "battery_charge_j", [](const ObservationLook& o) { return o.sight->now().battery.charge_j; }, battery::charge_j);
  seen.def_property_readonly(
      "battery_until_s", [](const ObservationLook& o) { return to_s(o.sight->now().battery.until); }, battery::until);
  seen.def_property_readonly(
      "thermal_limit_c", [](const ObservationLook& o) { return o.sight->now().thermal_budget.limit_c; },
      budget::limit_c);
  const std::string defaults = " Default: the application's unit, the clock in effect.";
  seen.def(
      "latency_ms",
      [](const ObservationLook& o, AnApp application, Place<> subnet, const std::optional<AUnit>& unit,
         const std::optional<Place<>>& opp) { return profile_entry(o, application, subnet, unit, opp).latency_ms; },
      py::arg("application"), py::arg("subnet"), py::arg("unit") = py::none(), py::arg("opp") = py::none(),
      (doc::manager::Profile::latency_ms + defaults).c_str());
  seen.def(
      "energy_mj",
      [](const ObservationLook& o, AnApp application, Place<> subnet, const std::optional<AUnit>& unit,
         const std::optional<Place<>>& opp) { return profile_entry(o, application, subnet, unit, opp).energy_mj; },
      py::arg("application"), py::arg("subnet"), py::arg("unit") = py::none(), py::arg("opp") = py::none(),
      (doc::manager::Profile::energy_mj + defaults).c_str());
  seen.def("idle_w", &idle_w, py::arg("unit"), py::arg("opp"), doc::manager::Profile::idle_w);
}

std::string decision_doc() {
  std::string out = doc::manager::Decision::self;
  out += "\n\nEach takes a reason, a text in which {} stands for the numbers that follow it. `margin`: ";
  out += doc::manager::Why::margin;
  out += ". `slack`: ";
  out += doc::manager::Why::slack;
  out += ". `binding` names that constraint:\n";
  const auto line = [&out](Constraint constraint, const char* doc) {
    out += "\n    " + std::string(name_of(constraint)) + ": " + doc;
  };
  namespace text = doc::manager::Constraint;
  line(Constraint::none, text::none);
  line(Constraint::latency, text::latency);
  line(Constraint::accuracy, text::accuracy);
  line(Constraint::energy, text::energy);
  line(Constraint::power, text::power);
  line(Constraint::temperature, text::temperature);
  line(Constraint::capacity, text::capacity);
  line(Constraint::dwell, text::dwell);
  line(Constraint::ladder, text::ladder);
  return out + "\n\nApplications, units and domains are given as they were shown, or by index.";
}

// One knob's method. `On` and `To`: what it is written to and what is written, for the signature.
template <class On, class To>
void write(py::class_<DecisionBuilder>& decision, const char* name, Knob knob, const char* doc) {
  decision.def(
      name,
      [knob](DecisionBuilder& self, On on, To to, std::string reason, const py::Args<py::object>& numbers,
             double margin, double slack, const ConstraintName& binding) -> DecisionBuilder& {
        self.set(knob, on.index, to.index, std::move(reason), numbers, margin, slack, constraint_of(binding));
        return self;
      },
      py::return_value_policy::reference, py::arg("target"), py::arg("value"), py::arg("reason") = "",
      py::arg("margin") = 0.0, py::arg("slack") = 0.0, py::arg("binding") = "none", doc);
}

void define_decision(py::module_& module) {
  py::class_<DecisionBuilder> decision(module, "Decision", decision_doc().c_str());
  decision.def(py::init<>());
  namespace text = doc::manager::Knob;
  write<AnApp, Place<>>(decision, "subnet", Knob::subnet, text::subnet);
  write<AnApp, AUnit>(decision, "mapping", Knob::mapping, text::mapping);
  write<ADomain, Place<>>(decision, "frequency", Knob::frequency, text::frequency);
  write<ADomain, Place<>>(decision, "lowest", Knob::lowest, text::lowest);
  write<ADomain, Place<>>(decision, "highest", Knob::highest, text::highest);
  write<AUnit, Place<>>(decision, "cores", Knob::cores, text::cores);
  write<AnApp, Place<>>(decision, "admission", Knob::admission, text::admission);
  write<AnApp, Place<>>(decision, "batch", Knob::batch, text::batch);
  decision.def(
      "governor",
      [](DecisionBuilder& self, ADomain on, std::string reason,
         const py::Args<py::object>& numbers) -> DecisionBuilder& {
        self.set(Knob::governor, on.index, 0, std::move(reason), numbers, 0, 0, Constraint::none);
        return self;
      },
      py::return_value_policy::reference, py::arg("target"), py::arg("reason") = "", text::governor);
  namespace candidate = doc::manager::Candidate;
  decision.def(
      "candidate",
      [](DecisionBuilder& self, const std::optional<AnApp>& application, Place<> subnet,
         const std::optional<AUnit>& unit, Place<> opp, double latency_ms, double accuracy, double energy_mj,
         bool feasible) -> DecisionBuilder& {
        self.candidates.push_back({application ? application->index : -1, subnet.index, unit ? unit->index : -1,
                                   opp.index, latency_ms, accuracy, energy_mj, feasible});
        return self;
      },
      py::return_value_policy::reference, py::arg("application") = py::none(), py::arg("subnet") = -1,
      py::arg("unit") = py::none(), py::arg("opp") = -1, py::arg("latency_ms") = 0.0, py::arg("accuracy") = 0.0,
      py::arg("energy_mj") = 0.0, py::arg("feasible") = false,
      (std::string(candidate::self) + " Worth adding only if the observation says `explain`. `latency_ms`: " +
       candidate::latency_ms + ". `accuracy`: " + candidate::accuracy + ". `energy_mj`: " + candidate::energy_mj +
       ". `feasible`: " + candidate::feasible + ".")
          .c_str());
  decision.def("__len__", [](const DecisionBuilder& self) { return self.writes.size(); });
}

}  // namespace

void define_manager(py::module_& module) {
  define_triggers(module);
  define_sample(module);
  const auto seen_only = [](const char* doc) { return doc + std::string(" Valid during decide() only."); };
  // All of them before any signature speaks of one.
  py::class_<AppLook> app(module, "Application", seen_only(doc::manager::AppView::self).c_str());
  py::class_<UnitLook> unit(module, "Unit", seen_only(doc::manager::UnitView::self).c_str());
  py::class_<DomainLook> domain(module, "Domain", seen_only(doc::manager::DomainView::self).c_str());
  py::class_<ObservationLook> seen(module, "Observation", seen_only(doc::manager::Observation::self).c_str());
  define_application(app);
  define_unit(unit);
  define_domain(domain);
  define_observation(seen);
  define_decision(module);

  const std::string members =
      std::string(": name, doc, source (") + doc::manager::Entry::source + "), schema (JSON schema of its parameters).";
  module.def("policy_entries", &entries<Policy>, ("Every registered policy" + members).c_str());
  module.def("governor_entries", &entries<Governor>, ("Every registered governor" + members).c_str());
  module.def("runs_python", &runs_python, py::arg("policy"),
             "Whether a policy of that name was registered from Python.");
  module.def("forget_policy", &forget_policy, py::arg("name"), "Undoes register_policy.");
  module.def("register_policy", &register_policy, py::arg("name"), py::arg("doc"), py::arg("make"), py::arg("schema"),
             py::arg("version"),
             "Makes what `make` returns (given the parameters as keyword arguments) known to files as a policy.");
}

}  // namespace dynasoc::python
