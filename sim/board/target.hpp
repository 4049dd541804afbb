// Which board, and how it is reached.
#pragma once

#include <string>
#include <vector>

namespace dynasoc::board {

/// A board and the way to its agent.
struct Target {
  std::string name = "local";  ///< as given: `local`, `ssh://[user@]host[:port]`
  std::string host;            ///< `user@host`; empty for this machine
  int port = 0;                ///< of ssh; 0 = its own default

  std::string agent;  ///< the program; empty: the one beside this, or `dynasoc-agent` of the board's PATH
  std::string root;   ///< folder that stands for the board's `/`; empty: `/`
  std::string state;  ///< folder of the agent's lock and journal; empty: its default
  std::vector<std::string> ssh_options;  ///< passed to ssh as they are, before the host
  std::vector<std::string> runners;      ///< NAME=PROGRAM[,ARGUMENT…]
  std::string weights_folder;            ///< on the board, whose files may be loaded
  bool dry_run = false;                  ///< writes are told, not done

  /// Throws InputError for anything but the two forms.
  static Target parse(const std::string& text);

  /// Program and arguments that start the agent's `command` (`serve`, `restore`).
  std::vector<std::string> command(const std::string& agent_command) const;
};

}  // namespace dynasoc::board
