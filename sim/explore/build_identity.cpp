#include "explore/build_identity.hpp"

#include "common/installation.hpp"
#include "common/text.hpp"
#include "manager/policy.hpp"
#include "version.hpp"

namespace dynasoc::explore {

const std::string& build_identity() {
  // Once: the program is tens of megabytes, and rankings ask for every cell.
  static const std::string identity = [] {
    const std::string commit = DYNASOC_GIT_DESCRIPTION;
    std::string out = std::string(DYNASOC_VERSION) + " " + commit;
    if (commit.empty() || commit == "unknown" || commit.ends_with("-dirty"))
      out += " " + content_hash(read_file(installation::image()));
    return out;
  }();
  return identity;
}

std::string embedded_policies(const std::string& json) {
  const auto& registry = manager::Registry<manager::Policy>::instance();
  std::string out;
  for (const std::string& name : registry.names()) {
    const std::string version = registry.entry(name).version;
    if (!version.empty() && json.find(in_quotes(name)) != std::string::npos) out += "\n" + name + " " + version;
  }
  return out;
}

}  // namespace dynasoc::explore
