#include "board/target.hpp"

#include <algorithm>
#include <charconv>

#include "common/error.hpp"
#include "common/installation.hpp"
#include "common/shell.hpp"

namespace dynasoc::board {
Target Target::parse(const std::string& text) {
  Target target;
  target.name = text;
  if (text == "local") return target;
  constexpr std::string_view kSsh = "ssh://";
  const std::vector<std::string> known{"local", "ssh://user@host"};
  if (!text.starts_with(kSsh)) throw InputError("unknown target " + in_quotes(text) + hint(text, known));
  target.host = text.substr(kSsh.size());
  if (const auto colon = target.host.rfind(':'); colon != std::string::npos) {
    const std::string port = target.host.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), target.port);
    if (error != std::errc() || end != port.data() + port.size() || target.port < 1 || target.port > 65535)
      throw InputError("target " + in_quotes(text) + ": the port must be a number from 1 to 65535");
    target.host.resize(colon);
  }
  // A host that begins with a dash would be an option of ssh.
  if (target.host.empty() || target.host.front() == '-' || target.host.find_first_of(" \t/'\"") != std::string::npos)
    throw InputError("target " + in_quotes(text) + ": a host is missing, or has characters that no host has");
  return target;
}

std::vector<std::string> Target::command(const std::string& agent_command) const {
  std::vector<std::string> words;
  const bool local = host.empty();
  if (!agent.empty()) {
    words.push_back(agent);
  } else if (local) {
    const auto beside = installation::program("dynasoc-agent");
    if (!beside)
      throw OutsideError("dynasoc-agent is not beside this program; build it, or name it with --agent PROGRAM");
    words.push_back(beside->string());
  } else {
    words.emplace_back("dynasoc-agent");
  }
  words.push_back(agent_command);
  const auto option = [&](const char* option_name, const std::string& value) {
    if (value.empty()) return;
    words.emplace_back(option_name);
    words.push_back(value);
  };
  option("--root", root);
  option("--state", state);
  for (const std::string& runner : runners) option("--runner", runner);
  option("--allow-weights", weights_folder);
  if (dry_run) words.emplace_back("--dry-run");
  if (local) return words;

  std::vector<std::string> ssh{"ssh", "-T", "-o", "BatchMode=yes", "-o", "ServerAliveInterval=2"};
  if (port > 0) ssh.insert(ssh.end(), {"-p", std::to_string(port)});
  ssh.insert(ssh.end(), ssh_options.begin(), ssh_options.end());
  ssh.push_back(host);
  std::string remote;
  for (const std::string& word : words) remote += (remote.empty() ? "" : " ") + shell_word(word);
  ssh.push_back(remote);
  return ssh;
}

}  // namespace dynasoc::board
