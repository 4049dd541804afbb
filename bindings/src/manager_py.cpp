// Managers in Python: what a policy is shown, what it answers, and C++ policies as the registry knows them.
//
// A policy is asked hundreds of thousands of times a second: what it is shown are thin views of the simulator's own
// structures, made once a run, and nothing is converted before it is looked at.
#include <array>
#include <deque>
#include <set>

#include "manager/governor.hpp"
#include "manager/policy.hpp"
#include "common/text.hpp"
#include "python.hpp"

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
  py::tuple applications, units, domains;
};

template <class T>
py::tuple tuple_of(const std::vector<T>& values) {
  py::tuple out(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) out[i] = py::cast(values[i]);
  return out;
}

// Names of triggers and the like, made once: a policy compares them in every decision.
template <class E>
const py::object& name_object(E value) {
  static std::array<py::object, 16>* names = new std::array<py::object, 16>;  // never freed: Python may be gone first
  py::object& name = (*names)[static_cast<std::size_t>(value)];
  if (!name) {
    const std::string_view text = name_of(value);
    name = py::reinterpret_steal<py::object>(PyUnicode_InternFromString(std::string(text).c_str()));
  }
  return name;
}

constexpr std::array kConstraints{Constraint::none,  Constraint::latency,     Constraint::accuracy, Constraint::energy,
                                  Constraint::power, Constraint::temperature, Constraint::capacity, Constraint::dwell,
                                  Constraint::ladder};

Constraint constraint_of(const std::string& name) {
  std::vector<std::string> known;
  for (const Constraint constraint : kConstraints) {
    if (name_of(constraint) == name) return constraint;
    known.emplace_back(name_of(constraint));
  }
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
           const std::string& binding) {
    Entry entry{knob, target, value, {}, std::move(reason), numbers};
    entry.why.margin = margin;
    entry.why.slack = slack;
    if (!binding.empty()) entry.why.binding = constraint_of(binding);
    writes.push_back(std::move(entry));
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
  if (next != numbers.size())
    throw InputError("the reason " + in_quotes(pattern) + " has " + std::to_string(next) + " {} for " +
                     std::to_string(numbers.size()) + " numbers");
  return out;
}

// Where a Python policy says "this application": a view, or an index.
int index_of(const py::handle& what) {
  if (PyLong_Check(what.ptr())) return what.cast<int>();
  if (py::isinstance<AppLook>(what)) return what.cast<const AppLook&>().index;
  if (py::isinstance<UnitLook>(what)) return what.cast<const UnitLook&>().index;
  if (py::isinstance<DomainLook>(what)) return what.cast<const DomainLook&>().index;
  return what.cast<int>();  // NumPy's integers; others are a TypeError
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
      case Knob::admission: check("application", entry.target, seen.applications.size()); break;
      case Knob::cores: check("unit", entry.target, seen.units.size()); break;
      default: check("domain", entry.target, seen.domains.size()); break;
    }
    Why why = entry.why;
    if (seen.explain && !entry.pattern.empty()) {  // nobody else reads it
      texts.push_back(reason_text(entry.pattern, entry.numbers));
      why.reason = Reason(texts.back().c_str());
    }
    out.set(entry.knob, entry.target, entry.value, why);
  }
  out.candidates.insert(out.candidates.end(), built.candidates.begin(), built.candidates.end());
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
    decide_ = share(self_->attr("decide"));
    triggers_ = triggers_of(*self_);
    compute_cost_us_ = py::cast<double>(self_->attr("compute_cost_us"));
  }
  ~PythonPolicy() override { sight_->seen = nullptr; }

  Triggers triggers() const override { return triggers_; }
  double compute_cost_us() const override { return compute_cost_us_; }

  void decide(const Observation& seen, Decision& decision) override {
    const py::gil_scoped_acquire gil;
    sight_->seen = &seen;
    if (!look_) look_ = share(py::cast(make_look(seen)));
    // The reasons of the last decision have been read by now.
    texts_.clear();
    const py::object answer =
        py::reinterpret_steal<py::object>(PyObject_CallOneArg(decide_->ptr(), look_->ptr()));
    if (!answer) throw py::error_already_set();
    if (answer.is_none()) return;
    if (!py::isinstance<DecisionBuilder>(answer))
      throw py::type_error("decide() must return a dynasoc.Decision or None, not " +
                           std::string(Py_TYPE(answer.ptr())->tp_name));
    append(answer.cast<const DecisionBuilder&>(), seen, texts_, decision);
  }

 private:
  ObservationLook make_look(const Observation& seen) const {
    ObservationLook look{sight_, py::tuple(seen.applications.size()), py::tuple(seen.units.size()),
                         py::tuple(seen.domains.size())};
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

py::dict entry_dict(const Entry& entry) {
  py::dict out;
  out["name"] = entry.name;
  out["doc"] = entry.doc;
  out["source"] = entry.source;
  out["schema"] = to_python(entry.schema);
  return out;
}

template <class Interface>
py::list entries() {
  py::list out;
  const auto& registry = Registry<Interface>::instance();
  for (const std::string& name : registry.names()) out.append(entry_dict(registry.entry(name)));
  return out;
}

// Names that were registered from Python. Under the GIL.
std::set<std::string>& python_names() {
  static std::set<std::string> names;
  return names;
}

// A Python class (or any callable) as an implementation that files can name. Its parameters are keyword arguments.
void register_policy(const std::string& name, const std::string& doc, const py::object& make, const std::string& schema) {
  auto& registry = Registry<Policy>::instance();
  if (registry.has(name) && !python_names().contains(name))
    throw InputError("a policy called " + in_quotes(name) + " is part of DynaSoC; choose another name");
  python_names().insert(name);
  const SharedObject shared = share(make);
  Json described = Json::parse(schema);
  std::vector<std::string> known;
  for (const auto& [key, unused] : described["properties"].items()) known.push_back(key);
  registry.put({name, doc, "Python", described}, [shared, known](const Value* value) -> std::unique_ptr<Policy> {
    const py::gil_scoped_acquire gil;
    py::dict arguments;
    if (value != nullptr)
      for (const auto& [key, member] : value->json().items()) {
        if (key == "name") continue;
        if (std::find(known.begin(), known.end(), key) == known.end())
          throw(value->where() / key).key_error("unknown key " + in_quotes(key) + hint(key, known));
        arguments[py::str(key)] = to_python(member);
      }
    return std::make_unique<PythonPolicy>((*shared)(**arguments));
  });
}

}  // namespace

bool runs_python(const std::string& policy) { return python_names().contains(policy); }

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

void define_manager(py::module_& module) {
  py::class_<Triggers>(module, "Triggers", "When a policy wants to be asked. It is always asked once at the start.")
      .def(py::init([](double period_ms, bool arrival, bool completion, bool target_change, bool load_change,
                       bool thermal_trip) {
             return Triggers{period_ms, arrival, completion, target_change, load_change, thermal_trip};
           }),
           py::kw_only(), py::arg("period_ms") = 0.0, py::arg("arrival") = false, py::arg("completion") = false,
           py::arg("target_change") = false, py::arg("load_change") = false, py::arg("thermal_trip") = false)
      .def_readonly("period_ms", &Triggers::period_ms, "0 = not periodic")
      .def_readonly("arrival", &Triggers::arrival, "when a frame arrives")
      .def_readonly("completion", &Triggers::completion, "when a frame is done")
      .def_readonly("target_change", &Triggers::target_change, "when an application's targets change")
      .def_readonly("load_change", &Triggers::load_change,
                    "when background load arrives or leaves; a real board sees it only as a change of utilisation")
      .def_readonly("thermal_trip", &Triggers::thermal_trip, "when throttling begins, changes or ends")
      .def(py::pickle(
          [](const Triggers& t) {
            return py::make_tuple(t.period_ms, t.arrival, t.completion, t.target_change, t.load_change, t.thermal_trip);
          },
          [](const py::tuple& t) {
            return Triggers{t[0].cast<double>(), t[1].cast<bool>(), t[2].cast<bool>(),
                            t[3].cast<bool>(),   t[4].cast<bool>(), t[5].cast<bool>()};
          }));

  py::class_<Sample>(module, "Sample", "One finished inference, as the application itself could log it.")
      .def_property_readonly("at_s", [](const Sample& s) { return to_s(s.at); }, "when it was done")
      .def_readonly("latency_ms", &Sample::latency_ms, "arrival to result")
      .def_readonly("service_ms", &Sample::service_ms, "start to result")
      .def_readonly("profile_ms", &Sample::profile_ms,
                    "what the table says for the sub-network and clocks in force when it was dispatched")
      .def_readonly("subnet", &Sample::subnet, "index, 0 is L1")
      .def_readonly("unit", &Sample::unit, "index of the unit it ran on")
      .def_readonly("missed", &Sample::missed, "it came after its deadline");

  py::class_<AppLook> app(module, "Application", "An application as its manager sees it. Valid during decide() only.");
  const auto app_field = [&app](const char* name, auto member, const char* doc) {
    app.def_property_readonly(name, [member](const AppLook& look) { return look.get().*member; }, doc);
  };
  app_field("name", &AppView::name, "as the scenario calls it");
  app.def_readonly("index", &AppLook::index, "its place in Observation.applications");
  app_field("subnets", &AppView::subnets, "number of sub-networks");
  app.def_property_readonly("accuracy", [](const AppLook& look) { return tuple_of(look.get().accuracy); },
                            "by sub-network, in the network's metric");
  app_field("subnet", &AppView::subnet, "index in force (or being switched to); 0 is L1, the smallest");
  app_field("unit", &AppView::unit, "index of the unit it runs on");
  app_field("active", &AppView::active, "between its start and its stop");
  app_field("admitted", &AppView::admitted, "its frames are accepted");
  app_field("latency_target_ms", &AppView::latency_target_ms, "0 = none");
  app_field("accuracy_floor", &AppView::accuracy_floor, "0 = none");
  app_field("energy_budget_mj", &AppView::energy_budget_mj, "of one inference; 0 = none");
  app_field("power_budget_w", &AppView::power_budget_w, "0 = none");
  app_field("priority", &AppView::priority, "larger is more important");
  app_field("arrived", &AppView::arrived, "frames so far");
  app_field("completed", &AppView::completed, "frames so far");
  app_field("missed", &AppView::missed, "frames completed after their deadline");
  app_field("dropped", &AppView::dropped, "frames given up");
  app_field("waiting", &AppView::waiting, "frames queued, not counting the one in service");
  app_field("oldest_wait_ms", &AppView::oldest_wait_ms, "age of the oldest waiting frame");
  app_field("switch_ms", &AppView::switch_ms, "cost of a sub-network switch");
  app_field("switch_energy_mj", &AppView::switch_energy_mj, "cost of a sub-network switch");
  app.def_property_readonly(
      "last",
      [](const AppLook& look) -> py::object {
        const AppView& view = look.get();
        if (view.completed == 0) return py::none();
        return py::cast(view.sample(view.completed - 1));
      },
      "the newest finished inference; None before the first");
  app.def(
      "recent",
      [](const AppLook& look, int most) {
        const AppView& view = look.get();
        const std::uint64_t held = std::min<std::uint64_t>({view.completed, AppView::kRemembered,
                                                            static_cast<std::uint64_t>(std::max(most, 0))});
        py::list out;
        for (std::uint64_t n = view.completed - held; n < view.completed; ++n) out.append(py::cast(view.sample(n)));
        return out;
      },
      py::arg("most") = static_cast<int>(AppView::kRemembered), "the newest finished inferences, oldest first; at most 64");
  app.def("__repr__", [](const AppLook& look) { return "<Application " + look.get().name + ">"; });

  py::class_<UnitLook> unit(module, "Unit", "A processing unit as a manager sees it. Valid during decide() only.");
  const auto unit_field = [&unit](const char* name, auto member, const char* doc) {
    unit.def_property_readonly(name, [member](const UnitLook& look) { return look.get().*member; }, doc);
  };
  unit_field("name", &UnitView::name, "as the platform calls it");
  unit.def_readonly("index", &UnitLook::index, "its place in Observation.units");
  unit.def_property_readonly("domains", [](const UnitLook& look) { return tuple_of(look.get().domains); },
                             "indices of the frequency domains that clock it, its own first");
  unit_field("utilisation", &UnitView::utilisation, "share of the time since the last look in which it had work");
  unit_field("cores_online", &UnitView::cores_online, "now");
  unit_field("cores", &UnitView::cores, "that it has");
  unit.def("__repr__", [](const UnitLook& look) { return "<Unit " + look.get().name + ">"; });

  py::class_<DomainLook> domain(module, "Domain", "A frequency domain as a manager sees it. Valid during decide() only.");
  const auto domain_field = [&domain](const char* name, auto member, const char* doc) {
    domain.def_property_readonly(name, [member](const DomainLook& look) { return look.get().*member; }, doc);
  };
  domain_field("name", &DomainView::name, "as the platform calls it");
  domain.def_readonly("index", &DomainLook::index, "its place in Observation.domains");
  domain.def_property_readonly("opps_mhz", [](const DomainLook& look) { return tuple_of(look.get().opps_mhz); },
                               "its operating points, slowest first");
  domain_field("opp", &DomainView::opp, "index in effect");
  domain_field("requested", &DomainView::requested, "index last asked for");
  domain_field("lowest", &DomainView::lowest, "index: limit of the power mode");
  domain_field("highest", &DomainView::highest, "index: limit of the power mode and of throttling");
  domain_field("governed", &DomainView::governed, "a governor sets it; False once a policy has written it");
  domain.def("__repr__", [](const DomainLook& look) { return "<Domain " + look.get().name + ">"; });

  py::class_<ObservationLook> seen(module, "Observation",
                                   "What a manager is shown: the monitors of a real board. Valid during decide() only.");
  seen.def_property_readonly("now_s", [](const ObservationLook& o) { return to_s(o.sight->now().now); }, "time");
  seen.def_property_readonly(
      "trigger", [](const ObservationLook& o) { return name_object(o.sight->now().trigger); },
      "why it is asked: start, period, arrival, completion, target_change, load_change or thermal_trip");
  seen.def_property_readonly("subject", [](const ObservationLook& o) { return o.sight->now().subject; },
                             "index of the application (arrival, completion, target_change) or unit (load_change) that "
                             "it is about; -1 where there is none");
  seen.def_property_readonly("explain", [](const ObservationLook& o) { return o.sight->now().explain; },
                             "somebody will read the reasons: worth adding candidates");
  seen.def_readonly("applications", &ObservationLook::applications, "in the scenario's order");
  seen.def_readonly("units", &ObservationLook::units, "in the platform's order");
  seen.def_readonly("domains", &ObservationLook::domains, "in the platform's order");
  seen.def_property_readonly(
      "rails_w",
      [](const ObservationLook& o) {
        py::dict out;
        for (const RailView& rail : o.sight->now().rails) out[py::str(rail.name)] = rail.power_w;
        return out;
      },
      "the sensors' last readings [W] by rail; nan before the first");
  seen.def_property_readonly(
      "temperatures_c",
      [](const ObservationLook& o) {
        py::tuple out(o.sight->now().temperatures_c.size());
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = o.sight->now().temperatures_c[i];
        return out;
      },
      "by thermal node, as of the last poll");
  const auto profile = [](const ObservationLook& o, const py::handle& application, int subnet, const py::object& unit_given,
                          const py::object& opp) {
    const Observation& now = o.sight->now();
    const int a = index_of(application);
    if (a < 0 || static_cast<std::size_t>(a) >= now.applications.size()) throw py::index_error("no such application");
    const AppView& view = now.applications[static_cast<std::size_t>(a)];
    const int u = unit_given.is_none() ? view.unit : index_of(unit_given);
    if (u < 0 || static_cast<std::size_t>(u) >= now.units.size()) throw py::index_error("no such unit");
    if (subnet < 0 || subnet >= view.subnets) throw py::index_error("no such sub-network");
    const DomainView& clock = now.domains[static_cast<std::size_t>(now.units[static_cast<std::size_t>(u)].domains[0])];
    const int point = opp.is_none() ? clock.opp : opp.cast<int>();
    if (point < 0 || static_cast<std::size_t>(point) >= clock.opps_mhz.size())
      throw py::index_error("no such operating point");
    return now.profile->entry(a, subnet, u, point);
  };
  seen.def(
      "latency_ms",
      [profile](const ObservationLook& o, const py::object& application, int subnet, const py::object& unit_given,
                const py::object& opp) { return profile(o, application, subnet, unit_given, opp).latency_ms; },
      py::arg("application"), py::arg("subnet"), py::arg("unit") = py::none(), py::arg("opp") = py::none(),
      "What the tables say of a job running alone: at an operating point (index) of the unit's first domain, the other "
      "clocks as they are. Default: the application's unit, the clock in effect. nan where the tables do not cover it.");
  seen.def(
      "energy_mj",
      [profile](const ObservationLook& o, const py::object& application, int subnet, const py::object& unit_given,
                const py::object& opp) { return profile(o, application, subnet, unit_given, opp).energy_mj; },
      py::arg("application"), py::arg("subnet"), py::arg("unit") = py::none(), py::arg("opp") = py::none(),
      "The same for the energy of one inference, above idle.");
  seen.def(
      "idle_w",
      [](const ObservationLook& o, const py::object& unit_given, int opp) {
        const Observation& now = o.sight->now();
        const int u = index_of(unit_given);
        if (u < 0 || static_cast<std::size_t>(u) >= now.units.size()) throw py::index_error("no such unit");
        const auto d = static_cast<std::size_t>(now.units[static_cast<std::size_t>(u)].domains[0]);
        if (opp < 0 || static_cast<std::size_t>(opp) >= now.domains[d].opps_mhz.size())
          throw py::index_error("no such operating point");
        return now.profile->idle_w(u, opp);
      },
      py::arg("unit"), py::arg("opp"), "What a unit draws without a job [W]; nan where it is not known.");

  py::class_<DecisionBuilder> decision(
      module, "Decision",
      "Knob writes, in order. Each takes a reason, a text in which {} stands for the numbers that follow it; `margin` is "
      "the room to the target, relative; `binding` names the constraint that a better choice would have broken (latency, "
      "accuracy, energy, power, temperature, capacity, dwell or ladder) and `slack` the room left to it, in its unit. "
      "Applications, units and domains are given as they were shown, or by index.");
  decision.def(py::init<>());
  const auto write = [&decision](const char* name, Knob which, const char* doc) {
    decision.def(
        name,
        [which](const py::object& self, const py::object& on, const py::object& to, std::string reason,
                const py::args& numbers, const py::kwargs& more) {
          double margin = 0, slack = 0;
          std::string binding;
          for (const auto& [key, value] : more) {
            const auto word = key.cast<std::string>();
            if (word == "margin")
              margin = value.cast<double>();
            else if (word == "slack")
              slack = value.cast<double>();
            else if (word == "binding")
              binding = value.cast<std::string>();
            else
              throw py::type_error("unexpected keyword " + word +
                                   hint(word, std::vector<std::string>{"margin", "slack", "binding"}));
          }
          self.cast<DecisionBuilder&>().set(which, index_of(on), index_of(to), std::move(reason), numbers, margin,
                                            slack, binding);
          return self;
        },
        py::arg("target"), py::arg("value"), py::arg("reason") = "", doc);
  };
  write("subnet", Knob::subnet, "Sub-network of an application: index, 0 is L1.");
  write("mapping", Knob::mapping, "Unit of an application.");
  write("frequency", Knob::frequency,
        "Operating point of a domain: index in its opps_mhz. Takes it from its governor.");
  write("lowest", Knob::lowest, "Operating point that a domain's governor may not go below.");
  write("highest", Knob::highest, "Operating point that a domain's governor may not go above.");
  write("cores", Knob::cores, "Cores online of a unit.");
  write("admission", Knob::admission, "0 refuses an application's frames, 1 accepts them.");
  decision.def(
      "governor",
      [](const py::object& self, const py::object& on, std::string reason) {
        self.cast<DecisionBuilder&>().set(Knob::governor, index_of(on), 0, std::move(reason), {}, 0, 0, "");
        return self;
      },
      py::arg("target"), py::arg("reason") = "", "Gives a domain back to its governor.");
  decision.def(
      "candidate",
      [](const py::object& self, const py::object& application, int subnet, const py::object& unit_given, int opp,
         double latency_ms, double accuracy, double energy_mj, bool feasible) {
        self.cast<DecisionBuilder&>().candidates.push_back(
            {application.is_none() ? -1 : index_of(application), subnet, unit_given.is_none() ? -1 : index_of(unit_given),
             opp, latency_ms, accuracy, energy_mj, feasible});
        return self;
      },
      py::arg("application") = py::none(), py::arg("subnet") = -1, py::arg("unit") = py::none(), py::arg("opp") = -1,
      py::arg("latency_ms") = 0.0, py::arg("accuracy") = 0.0, py::arg("energy_mj") = 0.0, py::arg("feasible") = false,
      "A choice that was looked at, for candidates.csv. Worth adding only if the observation says `explain`.");
  decision.def("__len__", [](const DecisionBuilder& self) { return self.writes.size(); });

  module.def("policy_entries", &entries<Policy>, "Every registered policy: name, doc, source, schema of parameters.");
  module.def("governor_entries", &entries<Governor>, "Every registered governor: name, doc, source, schema.");
  module.def("runs_python", &runs_python, py::arg("policy"), "Whether a policy of that name was registered from Python.");
  module.def("register_policy", &register_policy, py::arg("name"), py::arg("doc"), py::arg("make"), py::arg("schema"),
             "Makes what `make` returns (given the parameters as keyword arguments) known to files as a policy.");
}

}  // namespace dynasoc::python
