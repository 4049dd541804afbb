// `dynasoc-agent serve`: one session with a host, from hello to the restored board.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "hardware.hpp"

namespace dynasoc::agent {

constexpr int kProtocol = 1;

struct AgentOptions {
  HardwareOptions hardware;
  std::map<std::string, std::vector<std::string>> runners;  ///< name to program and arguments
  std::string weights_folder;                               ///< where weights may be read; empty: nowhere
};

/// Answers the requests of a file until it ends, `bye`, a signal or the lease; then restores. The exit code: 0, or 3 if
/// something could not be restored.
int serve(const AgentOptions& options, int input, int output);

}  // namespace dynasoc::agent
