#include "cli/command.hpp"
namespace dynasoc::cli { int bench_command(const Arguments&) { return 0; } }
