// What all files of the bindings share: JSON across the border, long calls that Ctrl-C can end.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "common/json_reader.hpp"
#include "manager/policy.hpp"
#include "scenario/scenario.hpp"
#include "world/record.hpp"

namespace dynasoc::python {

namespace py = pybind11;

/// Dictionaries, lists, numbers and strings of a JSON value. NaN and null are None.
py::object to_python(const Json& json);

/// A Python object whose last reference may be dropped by a thread without the GIL.
using SharedObject = std::shared_ptr<py::object>;
SharedObject share(py::object object);

/// Calls `work` without the GIL. `work` gets a function to be told the share done, from any thread; Ctrl-C, or an
/// exception of `progress` (None, or a Python callable of one number), ends the work from inside it, and the exception
/// is thrown here. `threads`: whether `work` will report from threads of its own, which see no signals.
void interruptible(const py::object& progress, bool threads,
                   const std::function<void(const std::function<void(double)>&)>& work);

/// What the function that `work` was given throws, in a thread of its own, once Python wants the work to end.
struct Stopped {};

/// A scenario as Python holds it.
struct LoadedScenario {
  Scenario scenario;
};

/// Makes the policy of each run from a Python object: an instance of dynasoc.Policy (a prototype, of which each run
/// gets a deep copy) or something that returns one when called. What ran is appended to `ran`, a list, unless it is
/// None.
std::function<std::unique_ptr<manager::Policy>()> policy_factory(const py::object& source, const py::object& ran);

/// Whether a policy of that name was registered from Python: threads would only wait for each other. Under the GIL.
bool runs_python(const std::string& policy);

void define_errors(py::module_& module);
void define_scenario(py::module_& module);
void define_manager(py::module_& module);
void define_world(py::module_& module);
void define_results(py::module_& module);
void define_command(py::module_& module);
void define_environment(py::module_& module);

}  // namespace dynasoc::python
