// What signatures say to Python beyond what pybind11 knows: the stubs (_core.pyi) are made of them.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/typing.h>

namespace dynasoc::python {

namespace py = pybind11;

/// Anything at all: who gets it need not check what it is.
class Any : public py::object {
  using py::object::object;
};

/// Something by name: a JSON object, or a table's columns.
using Fields = py::typing::Dict<py::str, Any>;

/// A tuple of any length.
template <class T>
using Tuple = py::typing::Tuple<T, py::ellipsis>;

/// Rows of named fields.
class Rows : public py::array {
  using py::array::array;
};

/// What is told the share done, or None.
using Progress = py::typing::Optional<py::typing::Callable<Any(double)>>;

}  // namespace dynasoc::python

namespace pybind11::detail {

template <>
struct handle_type_name<dynasoc::python::Any> {
  static constexpr auto name = const_name("typing.Any");
};

template <>
struct handle_type_name<dynasoc::python::Rows> {
  static constexpr auto name = const_name("numpy.typing.NDArray[numpy.void]");
};

}  // namespace pybind11::detail
