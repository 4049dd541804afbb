// Runs the program itself.
#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "common/text.hpp"
#include "support/temporary_folder.hpp"

namespace dynasoc::test {

struct Result {
  int status;
  std::string out, err;
};

/// Runs `dynasoc ARGUMENTS` (a shell's words) in a folder.
inline Result dynasoc_in(const std::filesystem::path& folder, const std::string& arguments) {
  const TemporaryFolder scratch;
  const auto out = scratch.path() / "stdout", err = scratch.path() / "stderr";
  const std::string command = "cd '" + folder.string() + "' && '" + DYNASOC_BINARY + "' " + arguments + " >'" +
                              out.string() + "' 2>'" + err.string() + "'";
  const int code = std::system(command.c_str());
  return {WIFEXITED(code) ? WEXITSTATUS(code) : -1, read_file(out), read_file(err)};
}

}  // namespace dynasoc::test
