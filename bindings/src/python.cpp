#include "python.hpp"

#include <chrono>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

namespace dynasoc::python {

py::object to_python(const Json& json) {
  switch (json.type()) {
    case Json::value_t::boolean: return py::bool_(json.get<bool>());
    case Json::value_t::number_integer: return py::int_(json.get<std::int64_t>());
    case Json::value_t::number_unsigned: return py::int_(json.get<std::uint64_t>());
    case Json::value_t::number_float: {
      const double x = json.get<double>();
      if (std::isnan(x)) return py::none();
      return py::float_(x);
    }
    case Json::value_t::string: return py::str(json.get_ref<const std::string&>());
    case Json::value_t::array: {
      py::list out(json.size());
      for (std::size_t i = 0; i < json.size(); ++i) out[i] = to_python(json[i]);
      return out;
    }
    case Json::value_t::object: {
      py::dict out;
      for (const auto& [key, value] : json.items()) out[py::str(key)] = to_python(value);
      return out;
    }
    default: return py::none();
  }
}

SharedObject share(py::object object) {
  return SharedObject(new py::object(std::move(object)), [](py::object* last) {
    const py::gil_scoped_acquire gil;
    delete last;
  });
}

namespace {

class Reporter {
 public:
  explicit Reporter(py::object progress) : progress_(std::move(progress)) {}

  // Holding the GIL. Throws what Python has raised.
  void look(double share) {
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (!progress_.is_none()) progress_(share);
  }

 private:
  py::object progress_;
};

}  // namespace

void interruptible(const py::object& progress, bool threads,
                   const std::function<void(const std::function<void(double)>&)>& work) {
  Reporter reporter(progress);
  if (!threads) {
    const py::gil_scoped_release release;
    work([&](double share) {
      const py::gil_scoped_acquire acquire;
      reporter.look(share);
    });
    return;
  }
  // Only the main thread sees signals, and it may be this one: it waits and looks, another works.
  std::mutex mutex;
  std::condition_variable finished;
  bool done = false, stop = false;
  double share = 0;
  std::exception_ptr failure;
  std::thread worker([&] {
    try {
      work([&](double now) {
        const std::lock_guard lock(mutex);
        share = now;
        if (stop) throw Stopped{};
      });
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
    const std::lock_guard lock(mutex);
    done = true;
    finished.notify_one();
  });
  std::exception_ptr raised;
  {
    const py::gil_scoped_release release;
    std::unique_lock lock(mutex);
    while (!finished.wait_for(lock, std::chrono::milliseconds(20), [&] { return done; })) {
      if (stop) continue;
      const double now = share;
      lock.unlock();  // the work may need the GIL while it holds the mutex's other side
      try {
        const py::gil_scoped_acquire acquire;
        reporter.look(now);
      } catch (...) {
        raised = std::current_exception();
      }
      lock.lock();
      if (raised) stop = true;
    }
    lock.unlock();
    worker.join();
  }
  if (raised) std::rethrow_exception(raised);
  if (failure) std::rethrow_exception(failure);
}

void define_errors(py::module_& module) {
  // Made in the C++ module and shown as the package's, so that messages read dynasoc.InputError.
  const auto exception = [&](const char* name, PyObject* base, const char* doc) {
    const std::string full = std::string("dynasoc.") + name;
    PyObject* type = PyErr_NewExceptionWithDoc(full.c_str(), doc, base, nullptr);
    if (type == nullptr) throw py::error_already_set();
    module.attr(name) = py::reinterpret_steal<py::object>(type);
    return type;  // the module keeps it
  };
  static PyObject *input, *outside, *internal;
  input = exception("InputError", PyExc_ValueError,
                    "Bad input: a file, an argument, or something that one of them names. The text is one line: "
                    "file:line:column: /json/pointer: what is wrong (did you mean ...?).");
  outside = exception("OutsideError", PyExc_RuntimeError,
                      "Something outside of the simulator failed: a disk, another process, a board.");
  internal = exception("InternalError", PyExc_RuntimeError, "A broken promise inside the simulator: a bug.");
  py::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const InputError& error) {
      PyErr_SetString(input, error.what());
    } catch (const OutsideError& error) {
      PyErr_SetString(outside, error.what());
    } catch (const InternalError& error) {
      PyErr_SetString(internal, error.what());
    }
  });
}

}  // namespace dynasoc::python
