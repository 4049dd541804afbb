// dynasoc-agent: the part of DynaSoC that runs on a board. docs/board-protocol.md is what it speaks.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "files.hpp"
#include "hardware.hpp"
#include "lock_and_journal.hpp"
#include "members.hpp"
#include "probe.hpp"
#include "session.hpp"
#include "worker_main.hpp"

namespace {

using dynasoc::agent::AgentOptions;
using dynasoc::agent::Json;
using dynasoc::agent::Refusal;

constexpr int kUsage = 2;
constexpr int kFailed = 3;

const char kHelp[] =
    "dynasoc-agent: runs on a board what `dynasoc board` asks for, and leaves the board as it was\n"
    "\n"
    "usage: dynasoc-agent [COMMAND] [OPTION…]\n"
    "  serve      answer requests on standard input, one JSON object a line, until it ends (without a COMMAND)\n"
    "  restore    write back the knobs that an agent has left changed, say which, and end: for ExecStopPost\n"
    "  probe      print what the board is and has; changes nothing\n"
    "\n"
    "  --root DIR            where sys/ and proc/ are (/)\n"
    "  --state DIR           where the lock and the journal are (/var/lib/dynasoc-agent)\n"
    "  --dry-run             tell what would be written to knobs, and write nothing\n"
    "  --runner NAME=PROGRAM[,ARGUMENT…]\n"
    "                        a program that `load` may name as executor `command`; may be repeated\n"
    "  --allow-weights DIR   the only folder of which .safetensors files may be named\n"
    "  --version, --help\n"
    "\n"
    "exit codes: 0 done; 2 wrong usage; 3 something could not be done or restored (standard error says what)\n";

int usage(const std::string& message) {
  std::fprintf(stderr, "dynasoc-agent: %s (dynasoc-agent --help)\n", message.c_str());
  return kUsage;
}

/// `NAME=PROGRAM[,ARGUMENT…]`. Empty if it is that, else what is wrong.
std::string add_runner(const std::string& text, AgentOptions& options) {
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos) return "--runner " + text + ": must be NAME=PROGRAM[,ARGUMENT…]";
  const std::string name = text.substr(0, equals);
  std::vector<std::string> words;
  for (std::size_t begin = equals + 1; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  if (words[0].empty() || words[0][0] != '/') return "--runner " + name + ": the program must be an absolute path";
  if (::access(words[0].c_str(), X_OK) != 0) return "--runner " + name + ": " + words[0] + " is not a program";
  if (!options.runners.emplace(name, words).second) return "--runner " + name + ": given twice";
  return "";
}

int restore(const AgentOptions& options) {
  const Json answer = dynasoc::agent::restore_journal(options.hardware);
  for (const Json& knob : answer["restored"]) {
    std::printf("restored %s to %s\n", knob["path"].get_ref<const std::string&>().c_str(),
                knob["value"].get_ref<const std::string&>().c_str());
  }
  for (const Json& knob : answer["failed"]) {
    std::printf("not restored: %s\n", knob["message"].get_ref<const std::string&>().c_str());
  }
  if (answer["restored"].empty() && answer["failed"].empty()) std::printf("nothing to restore\n");
  return answer["failed"].empty() ? 0 : kFailed;
}

int probe(const AgentOptions& options) {
  // Without the lock, and without restoring: beside a running agent too.
  const dynasoc::agent::Files files(options.hardware.root);
  const dynasoc::agent::Journal journal(files, options.hardware.state);
  Json answer = dynasoc::agent::probe_json(files, journal.size());
  answer["board"] = dynasoc::agent::identity_json(files);
  std::cout << answer.dump(2, ' ', false, Json::error_handler_t::replace) << std::endl;
  return 0;
}

int run(const std::vector<std::string>& words) {
  const std::vector<std::string> commands = {"serve", "restore", "probe", "worker", "busy", "executors"};
  const std::vector<std::string> known = {"--root",          "--state",   "--dry-run", "--runner",
                                          "--allow-weights", "--version", "--help"};
  AgentOptions options;
  std::string command = "serve", executor;
  double work_ms = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].empty() || words[i][0] != '-') {
      if (i != 0 || std::find(commands.begin(), commands.end(), words[i]) == commands.end()) {
        return usage("no command \"" + words[i] + "\"" +
                     dynasoc::agent::did_you_mean(words[i], {"serve", "restore", "probe"}));
      }
      command = words[i];
      continue;
    }
    const std::size_t equals = words[i].compare(0, 2, "--") == 0 ? words[i].find('=') : std::string::npos;
    const std::string name = words[i].substr(0, equals);
    const bool internal = (command == "worker" && name == "--executor") || (command == "busy" && name == "--work-ms");
    if (!internal && std::find(known.begin(), known.end(), name) == known.end()) {
      return usage("unknown option " + name + dynasoc::agent::did_you_mean(name, known));
    }
    const bool flag = name == "--dry-run" || name == "--version" || name == "--help";
    if (flag && equals != std::string::npos) return usage(name + " has no value");
    if (name == "--help") return std::fputs(kHelp, stdout) < 0 ? kFailed : 0;
    if (name == "--version") return std::printf("dynasoc-agent %s\n", DYNASOC_AGENT_VERSION) < 0 ? kFailed : 0;
    if (name == "--dry-run") {
      options.hardware.dry_run = true;
      continue;
    }
    if (equals == std::string::npos && i + 1 == words.size()) return usage(name + " needs a value");
    const std::string value = equals == std::string::npos ? words[++i] : words[i].substr(equals + 1);
    if (value.empty()) return usage(name + " needs a value");
    if (name == "--root") options.hardware.root = value;
    if (name == "--state") options.hardware.state = value;
    if (name == "--allow-weights") options.weights_folder = value;
    if (name == "--executor") executor = value;
    if (name == "--work-ms") work_ms = std::strtod(value.c_str(), nullptr);
    if (name == "--runner") {
      const std::string problem = add_runner(value, options);
      if (!problem.empty()) return usage(problem);
    }
  }
  if (command == "worker") return dynasoc::agent::run_worker(executor);
  if (command == "busy") return dynasoc::agent::run_busy(work_ms);
  if (command == "executors") return dynasoc::agent::list_executors();
  if (command == "restore") return restore(options);
  if (command == "probe") return probe(options);
  return dynasoc::agent::serve(options, STDIN_FILENO, STDOUT_FILENO);
}

}  // namespace

int main(int count, char** arguments) {
  // A file opened later must not become standard output.
  struct stat about {};
  for (int file = 0; file <= 2; ++file) {
    if (::fstat(file, &about) != 0 && ::open("/dev/null", O_RDWR) != file) return kFailed;
  }
  try {
    return run(std::vector<std::string>(arguments + 1, arguments + count));
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "dynasoc-agent: %s\n", problem.what());
    return kFailed;
  }
}
