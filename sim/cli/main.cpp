// dynasoc: see command_line.cpp for its subcommands.
#include "cli/terminal.hpp"

int main(int argc, char** argv) { return dynasoc::cli::run_in_terminal({argv + 1, argv + argc}); }
