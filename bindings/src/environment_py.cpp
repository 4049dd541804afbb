// Boards for learners: a batch of episodes, NumPy arrays in and out.
#include <algorithm>
#include <optional>
#include <stdexcept>

#include <pybind11/numpy.h>

#include "explore/learning/environment.hpp"
#include "python.hpp"
#include "types.hpp"

namespace dynasoc::python {
namespace {

using explore::Environment;
using Choices = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>;
using Features = py::array_t<float>;

struct HeldEnvironment {
  std::unique_ptr<Environment> environment;
  py::ssize_t boards, heads, features;
  bool busy = false;  // under the GIL, which a step releases

  Features room() const { return Features({boards, features}); }
};

// One thread at a time: a second one is refused while the first works without the GIL.
class Busy {
 public:
  explicit Busy(HeldEnvironment& held) : held_(held) {
    if (held.busy) throw std::runtime_error("the environment is being stepped by another thread");
    held.busy = true;
  }
  ~Busy() { held_.busy = false; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  HeldEnvironment& held_;
};

HeldEnvironment make(const std::vector<std::shared_ptr<LoadedScenario>>& scenarios, const std::string& knobs,
                     std::size_t boards) {
  manager::LearningFile file;
  read_fields(Value(Document::parse(knobs, "knobs")), file);
  std::vector<std::shared_ptr<const Setup>> setups;
  for (const auto& loaded : scenarios) setups.push_back(loaded->scenario.setup);
  HeldEnvironment out;
  {
    const py::gil_scoped_release release;
    out.environment = std::make_unique<Environment>(std::move(setups), file, boards);
  }
  out.boards = static_cast<py::ssize_t>(boards);
  out.heads = static_cast<py::ssize_t>(out.environment->space().heads().size());
  out.features = static_cast<py::ssize_t>(out.environment->space().features().size());
  return out;
}

Features reset(HeldEnvironment& held, std::optional<std::uint64_t> seed) {
  const Busy busy(held);
  Features out = held.room();
  float* observations = out.mutable_data();
  const py::gil_scoped_release release;
  held.environment->reset(seed, observations);
  return out;
}

py::typing::Tuple<Features, py::array_t<double>, py::array_t<bool>, py::typing::Optional<Features>> step(
    HeldEnvironment& held, const Choices& choices) {
  if (choices.ndim() != 2 || choices.shape(0) != held.boards || choices.shape(1) != held.heads)
    throw py::value_error("actions must have the shape (" + std::to_string(held.boards) + ", " +
                          std::to_string(held.heads) + ")");
  const Busy busy(held);
  Features observations = held.room(), last = held.room();
  std::fill_n(last.mutable_data(), last.size(), 0.0F);  // rows of boards that go on
  py::array_t<double> rewards(held.boards);
  py::array_t<bool> ended(held.boards);
  const std::int64_t* chosen = choices.data();
  float *shown = observations.mutable_data(), *final_shown = last.mutable_data();
  double* rewarded = rewards.mutable_data();
  auto* over = reinterpret_cast<std::uint8_t*>(ended.mutable_data());
  bool any = false;
  {
    const py::gil_scoped_release release;
    held.environment->step(chosen, shown, rewarded, over, final_shown);
    any = std::find(over, over + held.boards, 1) != over + held.boards;
  }
  return py::make_tuple(observations, rewards, ended, any ? py::object(last) : py::none());
}

Fields outcomes(HeldEnvironment& held) {
  const Busy busy(held);
  py::array_t<double> cost(held.boards), energy_j(held.boards), accuracy(held.boards);
  py::array_t<std::int64_t> frames(held.boards), lost(held.boards), steps(held.boards);
  for (py::ssize_t b = 0; b < held.boards; ++b) {
    const Environment::Outcome& of = held.environment->outcomes()[static_cast<std::size_t>(b)];
    cost.mutable_at(b) = of.cost;
    energy_j.mutable_at(b) = of.energy_j;
    accuracy.mutable_at(b) = of.accuracy;
    frames.mutable_at(b) = static_cast<std::int64_t>(of.frames);
    lost.mutable_at(b) = static_cast<std::int64_t>(of.lost);
    steps.mutable_at(b) = static_cast<std::int64_t>(of.steps);
  }
  Fields out;
  out["cost"] = cost;
  out["energy_j"] = energy_j;
  out["accuracy"] = accuracy;
  out["frames"] = frames;
  out["lost"] = lost;
  out["steps"] = steps;
  return out;
}

double now_s(HeldEnvironment& held, py::ssize_t board) {
  const Busy busy(held);
  if (board < 0 || board >= held.boards) throw py::index_error("there is no such board");
  return to_s(held.environment->seen(static_cast<std::size_t>(board)).now);
}

}  // namespace

void define_environment(py::module_& module) {
  py::class_<HeldEnvironment>(module, "Environment",
                              "A batch of boards for a learner. dynasoc.gym makes it a Gymnasium environment.")
      .def(py::init(&make), py::arg("scenarios"), py::arg("knobs"), py::arg("boards"),
           "scenarios: board b runs scenarios[b % len]; knobs: JSON, as the member `knobs` of the policy learned.")
      .def_property_readonly("boards", [](const HeldEnvironment& h) { return h.boards; })
      .def_property_readonly(
          "features", [](const HeldEnvironment& h) { return h.environment->space().features(); },
          "Names of what is observed, in order.")
      .def_property_readonly(
          "heads",
          [](const HeldEnvironment& h) {
            std::vector<std::pair<std::string, std::vector<int>>> out;
            for (const auto& head : h.environment->space().heads()) out.emplace_back(head.name, head.values);
            return out;
          },
          "Of each knob: its name, and what its choices write (sub-network, unit or operating point, as an index).")
      .def("reset", &reset, py::arg("seed") = py::none(), "Begins every board anew: observations, (boards, features).")
      .def("step", &step, py::arg("choices"),
           "One decision on every board, (boards, heads): observations, rewards, which episodes ended, and, where any "
           "did, the last observations of those (else None).")
      .def("outcomes", &outcomes,
           "By board, of its last episode that ended: cost, energy_j, accuracy, frames, lost, steps.")
      .def("now_s", &now_s, py::arg("board"), "Simulated time where a board has stopped.");
}

}  // namespace dynasoc::python
