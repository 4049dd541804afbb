// The journal of knobs that an agent left: restored, or told what is wrong with it.
#include <fstream>

#include "../board/fixture_tree.hpp"
#include "board/agent/hardware.hpp"
#include "common/temporary_folder.hpp"
#include "target.hpp"

namespace dynasoc::fuzz {
namespace agent_journal_target {

constexpr const char* kTree = "sys/a\t1\nsys/b/c\tperformance\nsys/d\t115200\n";

std::vector<std::string> seeds() {
  return {R"({"path": "/sys/a", "value": "2"})"
          "\n"
          R"({"path": "/sys/b/c", "value": "powersave", "reads_back": false})"
          "\n",
          R"({"path": "/sys/d", "value": "1"})"
          "\n"
          R"({"path": "/sys/)"};
}

bool read(const std::string& text) {
  static const TemporaryFolder folder;
  static const bool made = [] {
    std::ofstream(folder.path() / "manifest") << kTree;
    test::build_tree(folder.path() / "manifest", folder.path() / "root");
    std::filesystem::create_directories(folder.path() / "state");
    return true;
  }();
  static_cast<void>(made);
  std::ofstream(folder.path() / "state/journal", std::ios::binary | std::ios::trunc) << text;
  try {
    const agent::Json answer =
        agent::restore_journal({(folder.path() / "root").string(), (folder.path() / "state").string(), false});
    return answer.at("failed").empty();
  } catch (const agent::Refusal&) {
    return false;
  }
}

const Register registered{
    {.name = "agent-journal", .doc = "the agent's journal of knobs", .seeds = seeds, .read = read, .mutants = 150}};

}  // namespace agent_journal_target
}  // namespace dynasoc::fuzz
