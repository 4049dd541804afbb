// Running scenarios, and their logs as NumPy arrays.
#include <array>
#include <chrono>
#include <map>
#include <optional>

#include <pybind11/gil_safe_call_once.h>
#include <pybind11/numpy.h>

#include "common/text.hpp"
#include "docstrings.hpp"
#include "python.hpp"
#include "results/comparison.hpp"
#include "results/metric_column.hpp"
#include "results/metrics.hpp"
#include "results/output.hpp"
#include "results/summary.hpp"
#include "results/trace.hpp"
#include "results/why.hpp"
#include "types.hpp"
#include "world/run.hpp"

namespace dynasoc::python {
namespace {

using SharedRecords = std::shared_ptr<const std::vector<RunRecord>>;

// What `run` gives back. The records are never changed again, so that arrays may look into them.
struct Run {
  std::shared_ptr<const LoadedScenario> loaded;  // as it is reported and saved
  std::shared_ptr<const LoadedScenario> asked;   // the same, but that a policy in Python is not in it
  SharedRecords records;
  std::string engine;
  Recording recording;
  std::vector<Metrics> metrics;  // by replication, computed when first asked for
  // Python policies that ran, by replication; None where C++ ones did.
  py::typing::Optional<py::typing::List<Any>> policies;

  const RunRecord& at(std::size_t replication) const {
    if (replication >= records->size()) throw py::index_error("the run has no such replication");
    return (*records)[replication];
  }
  const Setup& setup() const { return *loaded->scenario.setup; }
};

// An array on memory that the records own.
Rows view(const py::dtype& type, std::size_t size, const void* data, const SharedRecords& owner) {
  auto* keep = new SharedRecords(owner);
  const py::capsule base(keep, [](void* pointer) { delete static_cast<SharedRecords*>(pointer); });
  Rows out(type, {static_cast<py::ssize_t>(size)}, {type.itemsize()}, data, base);
  out.attr("flags").attr("writeable") = false;
  return out;
}

const py::dtype& job_type() {
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::dtype> type;
  return type
      .call_once_and_store_result([] {
        struct Field {
          const char* name;
          const char* format;
          std::size_t offset;
        };
        constexpr std::array<Field, 11> fields{{{"arrival", "<m8[ns]", offsetof(JobRecord, arrival)},
                                                {"start", "<m8[ns]", offsetof(JobRecord, start)},
                                                {"end", "<m8[ns]", offsetof(JobRecord, end)},
                                                {"deadline", "<m8[ns]", offsetof(JobRecord, deadline)},
                                                {"job", "<u4", offsetof(JobRecord, job)},
                                                {"energy_mj", "<f4", offsetof(JobRecord, energy_mj)},
                                                {"isolated_ms", "<f4", offsetof(JobRecord, isolated_ms)},
                                                {"app", "<u2", offsetof(JobRecord, app)},
                                                {"subnet", "u1", offsetof(JobRecord, subnet)},
                                                {"unit", "u1", offsetof(JobRecord, unit)},
                                                {"outcome", "u1", offsetof(JobRecord, outcome)}}};
        py::list names, formats, offsets;
        for (const Field& field : fields) {
          names.append(field.name);
          formats.append(py::dtype(field.format));
          offsets.append(field.offset);
        }
        return py::dtype(std::move(names), std::move(formats), std::move(offsets), sizeof(JobRecord));
      })
      .get_stored();
}

Rows jobs(const Run& run, std::size_t replication) {
  const JobLog& log = run.at(replication).jobs;
  static const JobRecord nothing;
  return view(job_type(), log.size(), log.size() > 0 ? log.data() : &nothing, run.records);
}

Rows timeline(const Run& run, std::size_t replication) {
  const Timeline& log = run.at(replication).timeline;
  py::list names, formats, offsets;
  names.append("time");
  formats.append(py::dtype("<m8[ns]"));
  offsets.append(0);
  std::size_t offset = sizeof(Time);
  for (const std::string& column : log.columns) {
    names.append(column);
    formats.append(py::dtype("<f8"));
    offsets.append(offset);
    offset += sizeof(double);
  }
  static const Time nothing = 0;
  return view(py::dtype(std::move(names), std::move(formats), std::move(offsets), static_cast<py::ssize_t>(offset)),
              log.rows(), log.rows() > 0 ? log.data() : &nothing, run.records);
}

// Texts repeat: each is made into a Python string once.
class Texts {
 public:
  const py::object& operator()(const std::string& text) {
    py::object& out = known_[text];
    if (!out) out = py::str(text);
    return out;
  }

 private:
  std::map<std::string, py::object> known_;
};

// Columns of the decision log: numbers as arrays, texts as lists.
Fields decisions(const Run& run, std::size_t replication) {
  const auto& log = run.at(replication).decision_log;
  const auto size = static_cast<py::ssize_t>(log.size());
  py::array_t<std::int64_t> time(size);
  py::array_t<std::uint32_t> decision(size);
  py::array_t<double> margin(size), slack(size);
  std::array<py::list, 8> columns;
  for (py::list& column : columns) column = py::list(log.size());
  Texts text;
  for (std::size_t i = 0; i < log.size(); ++i) {
    const DecisionRecord& record = log[i];
    const auto at = static_cast<py::ssize_t>(i);
    time.mutable_at(at) = record.at;
    decision.mutable_at(at) = record.decision;
    margin.mutable_at(at) = record.margin;
    slack.mutable_at(at) = record.binding.empty() ? std::nan("") : record.slack;
    columns[0][i] = text(record.by_board ? "board" : run.setup().policy.name);
    columns[1][i] = text(record.target);
    columns[2][i] = text(record.knob);
    columns[3][i] = text(record.from);
    columns[4][i] = text(record.to);
    columns[5][i] = text(record.reason);
    columns[6][i] = text(record.trigger);
    columns[7][i] = text(record.binding);
  }
  Fields out;
  out["time"] = time.attr("view")("m8[ns]");
  out["policy"] = columns[0];
  out["target"] = columns[1];
  out["knob"] = columns[2];
  out["from"] = columns[3];
  out["to"] = columns[4];
  out["reason"] = columns[5];
  out["margin"] = margin;
  out["decision"] = decision;
  out["trigger"] = columns[6];
  out["binding"] = columns[7];
  out["slack"] = slack;
  return out;
}

Fields candidates(const Run& run, std::size_t replication) {
  const Setup& setup = run.setup();
  const auto& log = run.at(replication).candidates;
  const auto size = static_cast<py::ssize_t>(log.size());
  py::array_t<std::uint32_t> decision(size);
  py::array_t<double> mhz(size), latency(size), accuracy(size), energy(size);
  py::array_t<bool> feasible(size), chosen(size);
  py::list application(log.size()), subnet(log.size()), unit(log.size());
  Texts text;
  for (std::size_t i = 0; i < log.size(); ++i) {
    const CandidateRecord& record = log[i];
    const auto at = static_cast<py::ssize_t>(i);
    decision.mutable_at(at) = record.decision;
    mhz.mutable_at(at) = record.unit >= 0 && record.opp >= 0 ? candidate_mhz(setup, record) : std::nan("");
    latency.mutable_at(at) = record.latency_ms;
    accuracy.mutable_at(at) = record.accuracy;
    energy.mutable_at(at) = record.energy_mj;
    feasible.mutable_at(at) = record.feasible;
    chosen.mutable_at(at) = record.chosen;
    application[i] = text(record.app < 0 ? "" : setup.apps[record.app].name);
    subnet[i] = text(record.subnet < 0 ? "" : level_name(record.subnet));
    unit[i] = text(record.unit < 0 ? "" : setup.platform.file.units[record.unit].first);
  }
  Fields out;
  out["decision"] = decision;
  out["application"] = application;
  out["subnet"] = subnet;
  out["unit"] = unit;
  out["mhz"] = mhz;
  out["latency_ms"] = latency;
  out["accuracy"] = accuracy;
  out["energy_mj"] = energy;
  out["feasible"] = feasible;
  out["chosen"] = chosen;
  return out;
}

const std::vector<Metrics>& metrics_of(Run& run) {
  if (run.metrics.empty()) run.metrics = measure(run.setup(), *run.records);
  return run.metrics;
}

py::typing::Dict<py::str, double> metrics(Run& run, std::size_t replication) {
  run.at(replication);
  const Metrics& of = metrics_of(run)[replication];
  py::typing::Dict<py::str, double> out;
  for (const std::string& name : metric_names(run.setup()))
    out[py::str(name)] = MetricColumn(run.setup(), name).value(of);
  return out;
}

// A policy given as text: a file, or a name or an object with parameters, read as a scenario's `policy` is.
manager::Choice<manager::Policy> policy_of_text(const std::string& text) {
  const auto document = text.ends_with(".json") ? Document::load(text) : Document::parse(text, "policy");
  return manager::Choice<manager::Policy>::from_value(Value(document));
}

// A scenario of its own, whose document and set-up will say the same.
std::shared_ptr<LoadedScenario> changed(const LoadedScenario& from,
                                        const std::function<void(Setup&, Document&)>& change) {
  auto own = std::make_shared<LoadedScenario>(from);
  auto setup = std::make_shared<Setup>(*from.scenario.setup);
  auto document = std::make_shared<Document>(*from.scenario.document);
  change(*setup, *document);
  own->scenario.file.seed = static_cast<std::int64_t>(setup->seed);
  own->scenario.file.policy = setup->policy;
  own->scenario.setup = std::move(setup);
  own->scenario.document = std::move(document);
  return own;
}

Run run(std::shared_ptr<LoadedScenario> loaded, const std::optional<std::string>& policy,
        const py::object& python_policy, std::optional<std::uint64_t> seed, int replications, int jobs,
        bool record_jobs, bool record_decisions, bool record_timeline, const Progress& progress) {
  Run out;
  out.engine = "native";
  out.policies = py::none();
  if (policy || seed)
    loaded = changed(*loaded, [&](Setup& setup, Document& document) {
      if (seed) {
        setup.seed = *seed;
        document.set("seed", std::to_string(*seed));
      }
      if (!policy) return;
      if (policy->starts_with('"')) {  // as on the command line
        const Contender contender = contender_of(loaded->scenario, Json::parse(*policy).get<std::string>());
        setup.policy = contender.policy;
        if (!contender.governors.empty()) setup.governors = contender.governors;
        for (const auto& [path, value] : overrides_of(loaded->scenario, contender)) document.set(path, value);
      } else {
        setup.policy = policy_of_text(*policy);
        document.set("policy", setup.policy.to_json().dump());
      }
    });
  out.asked = loaded;
  std::shared_ptr<const Setup> simulated = loaded->scenario.setup;
  if (!python_policy.is_none()) {
    // What is reported and saved names the policy; only what is simulated holds it.
    const bool class_or_function = py::hasattr(python_policy, "__name__");
    const py::object named = class_or_function ? python_policy : py::type::of(python_policy);
    const std::string name = py::str(named.attr("__name__"));
    loaded = changed(*loaded, [&](Setup& setup, Document& document) {
      setup.policy = {name, std::nullopt, {}};
      document.set("policy", Json(name).dump());
    });
    out.policies = py::list();
    auto with = std::make_shared<Setup>(*loaded->scenario.setup);
    with->policy_factory = policy_factory(python_policy, out.policies);
    simulated = std::move(with);
  }
  const Scenario& scenario = loaded->scenario;
  if (record_timeline) check_timeline(scenario, replications);
  out.recording = {record_jobs, record_decisions, record_timeline ? from_ms(scenario.file.timeline_ms) : 0};
  if (simulated->policy_factory || runs_python(simulated->policy.name)) jobs = 1;
  auto records = std::make_shared<std::vector<RunRecord>>();
  interruptible(progress, jobs > 1 && replications > 1, [&](const std::function<void(double)>& tell) {
    *records = simulate_all(*simulated, out.recording, EngineKind::native, replications, jobs, tell);
  });
  out.loaded = std::move(loaded);
  out.records = std::move(records);
  return out;
}

// Records that another program has written (run --records).
Run run_of_records(std::shared_ptr<LoadedScenario> loaded, const std::string& path, std::string engine, bool jobs,
                   bool decisions, bool timeline) {
  Run out;
  out.records = std::make_shared<const std::vector<RunRecord>>(read_records(path));
  out.loaded = out.asked = std::move(loaded);
  out.engine = std::move(engine);
  out.policies = py::none();
  out.recording = {jobs, decisions, timeline ? 1 : 0};
  return out;
}

// Seconds that a run without logs takes in C++ alone, the mean of some: what Python adds is judged by it.
double seconds_of_run(const LoadedScenario& loaded, int runs) {
  const py::gil_scoped_release release;
  const auto began = std::chrono::steady_clock::now();
  for (int r = 0; r < runs; ++r) simulate(*loaded.scenario.setup, {}, EngineKind::native, 0);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count() / runs;
}

void save(const Run& run, const std::string& directory, bool force, const std::vector<std::string>& command_line) {
  const Scenario& scenario = run.loaded->scenario;
  RunRequest request;
  request.engine = run.engine;
  request.replications = static_cast<int>(run.records->size());
  request.seed = run.setup().seed;
  request.command_line = command_line;
  request.inputs = hashes_of(scenario.inputs);
  const OutputDirectory mine(directory, force);
  write_output(directory, scenario, request, *run.records, summary_json(scenario, run.engine, *run.records));
}

}  // namespace

void define_world(py::module_& module) {
  py::class_<Run>(module, "Run")
      .def("__len__", [](const Run& r) { return r.records->size(); })
      .def_property_readonly("scenario", [](const Run& r) { return std::const_pointer_cast<LoadedScenario>(r.asked); })
      .def_readonly("engine", &Run::engine)
      .def_readonly("policies", &Run::policies)
      .def_property_readonly("seed", [](const Run& r) { return r.setup().seed; })
      .def_property_readonly("policy", [](const Run& r) { return r.setup().policy.name; })
      .def_property_readonly("has_jobs", [](const Run& r) { return r.recording.jobs; })
      .def_property_readonly("has_decisions", [](const Run& r) { return r.recording.decisions; })
      .def_property_readonly("has_timeline", [](const Run& r) { return r.recording.timeline_period > 0; })
      .def(
          "summary",
          [](const Run& r) { return Fields(to_python(summary_json(r.loaded->scenario, r.engine, *r.records))); },
          doc::summary_json)
      .def(
          "text",
          [](const Run& r, int columns) {
            return summary_text(r.loaded->scenario, r.engine, *r.records, columns, false);
          },
          py::arg("columns"), doc::summary_text)
      .def(
          "why",
          [](const Run& r, std::size_t replication, std::size_t most) {
            return why_text(r.setup(), r.at(replication), most, false);
          },
          py::arg("replication"), py::arg("most"), doc::why_text)
      .def("jobs", &jobs, py::arg("replication"), "A row an inference: the simulator's memory, read-only.")
      .def("timeline", &timeline, py::arg("replication"), "A row a sample: the simulator's memory, read-only.")
      .def("decisions", &decisions, py::arg("replication"), "Columns, a row a knob written.")
      .def("candidates", &candidates, py::arg("replication"), "Columns, a row a choice that a decision looked at.")
      .def("metrics", &metrics, py::arg("replication"), doc::metric_names)
      .def(
          "energy_j", [](const Run& r, std::size_t replication) { return r.at(replication).energy_j(); },
          py::arg("replication"), "Of the whole board, after the warm-up [J].")
      .def("save", &save, py::arg("directory"), py::arg("force"), py::arg("command_line"), doc::write_output)
      .def(
          "write_trace",
          [](const Run& r, const std::string& path, std::size_t replication) {
            write_trace(path, r.setup(), r.at(replication));
          },
          py::arg("path"), py::arg("replication"), doc::write_trace);
  module.def("run", &run, py::arg("scenario"), py::arg("policy"), py::arg("python_policy"), py::arg("seed"),
             py::arg("replications"), py::arg("jobs"), py::arg("record_jobs"), py::arg("record_decisions"),
             py::arg("record_timeline"), py::arg("progress"));
  module.def("seconds_of_run", &seconds_of_run, py::arg("scenario"), py::arg("runs"),
             "What a run without logs takes in C++ alone [s]: the mean of `runs`.");
  module.def("run_of_records", &run_of_records, py::arg("scenario"), py::arg("path"), py::arg("engine"),
             py::arg("jobs"), py::arg("decisions"), py::arg("timeline"));
  module.def(
      "outcomes",
      [] {
        Tuple<py::str> names(5);
        for (std::size_t i = 0; i < 5; ++i) names[i] = py::str(std::string(name_of(static_cast<Outcome>(i))));
        return names;
      },
      "Names of the codes of outcomes, in order.");
}

}  // namespace dynasoc::python
