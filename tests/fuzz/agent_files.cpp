// A board's own files, as the agent reads them: lines `path TAB content` and `path -> target` of a tree.
#include <algorithm>

#include "../board/fixture_tree.hpp"
#include "board/agent/hardware.hpp"
#include "board/agent/probe.hpp"
#include "board/probe.hpp"
#include "common/temporary_folder.hpp"
#include "common/text.hpp"
#include "device/platform.hpp"
#include "target.hpp"

namespace dynasoc::fuzz {
namespace agent_files_target {

namespace fs = std::filesystem;

// The parts that hold texts to be understood; the rest of a fixture is hundreds of files like them.
std::vector<std::string> seeds() {
  std::vector<std::string> out;
  for (const std::string& tree : files("tests/board/fixtures", ".tree")) {
    std::string kept;
    for (std::size_t begin = 0; begin < tree.size();) {
      const std::size_t end = std::min(tree.find('\n', begin), tree.size() - 1) + 1;
      const std::string line = tree.substr(begin, end - begin);
      begin = end;
      const auto has = [&](const char* part) { return line.find(part) != std::string::npos; };
      if (!has("#") && (has("cpu0/") || has("cpu/present") || has("devfreq") || has("hwmon") || has("ina3221") ||
                        has("thermal_zone0") || has("nvpmodel") || has("proc/") || has("etc/")))
        kept += line;
    }
    out.push_back(std::move(kept));
  }
  return out;
}

bool read(const std::string& text) {
  const TemporaryFolder folder;
  const fs::path tree = folder.path() / "root", manifest = folder.path() / "manifest";
  write_file(manifest, text);
  fs::create_directories(tree);
  try {
    test::build_tree(manifest, tree);
  } catch (const std::exception&) {  // what the manifest held up to here is a tree too
  }
  fs::create_directories(tree / "sys");
  try {
    const agent::Files board(tree.string());
    agent::Json probe = agent::probe_json(board, 0);
    probe["board"] = agent::identity_json(board);
    const std::string said = probe.dump(-1, ' ', false, agent::Json::error_handler_t::replace);
    // What a host makes of it loads as a platform file, or is refused.
    const Json heard = Json::parse(said);
    board::ProbedPlatform platform;
    try {
      platform = board::platform_of(heard, "fuzzed");
    } catch (const InputError&) {  // no clock
      return false;
    }
    board::probe_text(heard, platform);
    return good_or_refused([&] {
      Platform::from(dynasoc::read<PlatformFile>(Value(Document::parse(platform.platform.dump(), "platform.json"))));
    });
  } catch (const agent::Refusal&) {
    return false;
  }
}

const Register registered{{.name = "agent-files",
                           .doc = "sysfs and procfs texts, from the agent to a platform file",
                           .seeds = seeds,
                           .read = read,
                           .mutants = 150}};

}  // namespace agent_files_target
}  // namespace dynasoc::fuzz
