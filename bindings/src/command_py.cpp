// The command line in this process: what every command does, with its output kept instead of printed.
#include <sstream>

#include "cli/command_line.hpp"
#include "python.hpp"
#include "types.hpp"

namespace dynasoc::python {
namespace {

// Passes progress on, and an end that Python wants as the Interrupted that commands know how to end with.
class EmbeddedConsole final : public cli::CapturingConsole {
 public:
  EmbeddedConsole(std::ostream& output, std::ostream& errors, const std::function<void(double)>& tell)
      : CapturingConsole(output, errors), tell_(tell) {}

  void progress(double share, const std::string& /*note*/) override {
    try {
      tell_(share);
    } catch (const Stopped&) {
      throw cli::Interrupted{};
    }
  }

 private:
  const std::function<void(double)>& tell_;
};

py::typing::Tuple<int, py::str, py::str> command(const cli::Arguments& words, const Progress& progress) {
  std::ostringstream output, errors;
  int status = 0;
  interruptible(progress, true, [&](const std::function<void(double)>& tell) {
    EmbeddedConsole console(output, errors, tell);
    status = cli::run_command_line(words, console);
  });
  return py::make_tuple(status, py::str(output.str()), py::str(errors.str()));
}

}  // namespace

void define_command(py::module_& module) {
  module.def(
      "command", &command, py::arg("words"), py::arg("progress") = py::none(),
      "Runs a command line, as `dynasoc WORDS...` would, in this process. Returns (exit status, what it printed, "
      "what it warned of). Errors are raised; Ctrl-C, or an exception of `progress`, ends it with everything on "
      "disk complete or resumable.");
}

}  // namespace dynasoc::python
