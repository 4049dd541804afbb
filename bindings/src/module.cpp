// The module dynasoc._core: what Python cannot do for itself. The package's own files make it pleasant to use.
#include <optional>

#include "common/installation.hpp"
#include "python.hpp"
#include "version.hpp"

PYBIND11_MODULE(_core, module) {
  using namespace dynasoc::python;
#ifdef DYNASOC_BUILD_DIR  // in a source tree the programs and modules are where they were built
  dynasoc::installation::set_home(DYNASOC_BUILD_DIR);
#else
  dynasoc::installation::set_home(dynasoc::installation::image().parent_path());
#endif
  module.doc() = "The simulator, the board model and the managers, in C++. Use it through the package dynasoc.";
  module.attr("__version__") = DYNASOC_VERSION;
  module.attr("build") = DYNASOC_GIT_DESCRIPTION;
  module.def(
      "program",
      [](const std::string& name) -> std::optional<std::string> {
        const auto path = dynasoc::installation::program(name);
        return path ? std::optional(path->string()) : std::nullopt;
      },
      py::arg("name"), "An executable of ours that came with this package; None if there is none.");
  define_errors(module);
  define_scenario(module);
  define_manager(module);
  define_world(module);
  define_results(module);
  define_command(module);
  define_environment(module);
}
