// What a host sends to the agent: every request is answered, and the board is left as it was found.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <thread>

#include "../board/fixture_tree.hpp"
#include "board/agent/session.hpp"
#include "common/temporary_folder.hpp"
#include "target.hpp"

namespace dynasoc::fuzz {
namespace agent_requests_target {

namespace fs = std::filesystem;

const char* const kConfigure =
    R"("op": "configure", "domains": {"cpu": {"policy": "cpu0"}}, "units": {"cpu": {"cpus": [0]}}, "rails": {}, "thermal": {}, "sample_hz": 100)";

std::vector<std::string> seeds() {
  const std::string hello = R"({"id": 1, "op": "hello", "protocol": 1, "lease_ms": 2000})"
                            "\n";
  const std::string configure = std::string(R"({"id": 2, )") + kConfigure + "}\n";
  return {
      hello + R"({"id": 2, "op": "ping"})"
              "\n"
              R"({"id": 3, "op": "probe"})"
              "\n"
              R"({"id": 4, "op": "bye"})"
              "\n",
      hello + configure +
          R"({"id": 3, "op": "set", "knob": "frequency", "domain": "cpu", "value": 1190.4})"
          "\n"
          R"({"id": 4, "op": "set", "knob": "governor", "domain": "cpu", "value": "performance"})"
          "\n"
          R"({"id": 5, "op": "set", "knob": "release", "domain": "cpu"})"
          "\n"
          R"({"id": 6, "op": "state"})"
          "\n"
          R"({"id": 7, "op": "monitor", "period_ms": 20})"
          "\n"
          R"({"id": 8, "op": "restore"})"
          "\n",
      hello + configure +
          R"({"id": 3, "op": "load", "app": "a", "unit": "cpu", "executor": "replay", "threads": 1, "subnets": {"L1": {}}, "latencies": {"L1": [1]}})"
          "\n"
          R"({"id": 4, "op": "infer", "app": "a", "subnet": "L1"})"
          "\n"
          R"({"id": 5, "op": "occupy", "load": "b", "unit": "cpu", "share": 0.5})"
          "\n"
          R"({"id": 6, "op": "vacate", "load": "b"})"
          "\n"
          R"({"id": 7, "op": "unload", "app": "a"})"
          "\n"};
}

std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (!entry.is_symlink() && entry.is_regular_file()) {
      std::ifstream in(entry.path(), std::ios::binary);
      out[entry.path().string()] = {std::istreambuf_iterator<char>(in), {}};
    }
  return out;
}

// The agent blocks signals and changes what a broken pipe does.
class SignalsAsTheyWere {
 public:
  SignalsAsTheyWere() {
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_);
    ::sigaction(SIGPIPE, nullptr, &pipe_);
  }
  ~SignalsAsTheyWere() {
    ::sigaction(SIGPIPE, &pipe_, nullptr);
    ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
  }

 private:
  sigset_t mask_;
  struct sigaction pipe_;
};

// What the agent answers to all of `text`, which ends the conversation.
std::string conversation(const agent::AgentOptions& options, const std::string& text) {
  const SignalsAsTheyWere signals;
  int in[2], out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  std::string answers;
  std::thread host([&] {
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t n = ::write(in[1], text.data() + done, text.size() - done);
      if (n <= 0) break;
      done += static_cast<std::size_t>(n);
    }
    ::close(in[1]);
  });
  std::thread reader([&] {
    char buffer[65536];
    for (ssize_t n = 0; (n = ::read(out[0], buffer, sizeof buffer)) > 0;)
      answers.append(buffer, static_cast<std::size_t>(n));
  });
  std::string wrong;
  int status = 0;
  try {
    status = agent::serve(options, in[0], out[1]);
  } catch (const std::exception& error) {
    wrong = error.what();
  }
  ::close(in[0]), ::close(out[1]);
  host.join();
  reader.join();
  ::close(out[0]);
  if (!wrong.empty()) throw Finding("the agent ends with: " + wrong);
  if (status != 0) throw Finding("the agent could not restore the board");
  return answers;
}

bool read(const std::string& text) {
  static const TemporaryFolder folder;
  static const fs::path tree = folder.path() / "root";
  static const auto found = [] {
    test::build_tree(root() / "tests/board/fixtures/jetpack5.tree", tree);
    return contents(tree);
  }();
  agent::AgentOptions options;
  options.hardware.root = tree.string();
  options.hardware.state = (folder.path() / "state").string();
  const std::string answers = conversation(options, text);
  if (contents(tree) != found) throw Finding("the board is not as it was found");
  if (fs::exists(folder.path() / "state/journal")) throw Finding("a journal is left");
  bool good = false;
  for (std::size_t begin = 0; begin < answers.size();) {
    const std::size_t end = answers.find('\n', begin);
    if (end == std::string::npos) throw Finding("the last answer is not a line");
    const Json answer = Json::parse(answers.substr(begin, end - begin), nullptr, false);
    begin = end + 1;
    if (!answer.is_object() || !(answer.contains("ok") || answer.contains("error") || answer.contains("event")))
      throw Finding("no answer of the protocol: " + answer.dump());
    good |= answer.contains("ok");
    if (answer.contains("error") && answer["error"]["message"].get<std::string>().find('\n') != std::string::npos)
      throw Finding("a message of more than one line: " + answer.dump());
  }
  return good;
}

const Register registered{{.name = "agent-requests",
                           .doc = "what a host sends to dynasoc-agent",
                           .seeds = seeds,
                           .read = read,
                           .mutants = 80}};

}  // namespace agent_requests_target
}  // namespace dynasoc::fuzz
