#include "explore/build_identity.hpp"

#include "common/installation.hpp"
#include "common/text.hpp"
#include "version.hpp"

namespace dynasoc::explore {

std::string build_identity() {
  const std::string commit = DYNASOC_GIT_DESCRIPTION;
  std::string out = std::string(DYNASOC_VERSION) + " " + commit;
  if (commit.empty() || commit == "unknown" || commit.ends_with("-dirty"))
    out += " " + content_hash(read_file(installation::image()));
  return out;
}

}  // namespace dynasoc::explore
