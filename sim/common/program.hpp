// Other programs, started word by word: no shell is in between, so that no text can be more than an argument.
#pragma once

#include <string>
#include <vector>

namespace dynasoc {

struct Finished {
  int status = 0;  ///< as a shell would say it: 128 and the signal for a program that one has ended
  std::string out, err;
};

/// Starts the program `words[0]` (looked for on the PATH) and waits for it. Its output is kept, or only its errors are
/// passed on to ours. Throws OutsideError if it cannot be started; Ctrl-C ends it with this process's group.
Finished run_program(const std::vector<std::string>& words, bool keep_output);

/// Whether a program can be started and says that all is well; its output is nobody's.
bool succeeds(const std::vector<std::string>& words);

}  // namespace dynasoc
