// The module dynasoc._core: what Python cannot do for itself. The package's own files make it pleasant to use.
#include "python.hpp"
#include "version.hpp"

PYBIND11_MODULE(_core, module) {
  using namespace dynasoc::python;
  module.doc() = "The simulator, the board model and the managers, in C++. Use it through the package dynasoc.";
  module.attr("__version__") = DYNASOC_VERSION;
  module.attr("build") = DYNASOC_GIT_DESCRIPTION;
  define_errors(module);
  define_scenario(module);
  define_manager(module);
  define_world(module);
  define_results(module);
}
