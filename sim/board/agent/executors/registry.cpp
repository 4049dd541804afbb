#include "../executor.hpp"
#include "factories.hpp"

namespace dynasoc::agent {
namespace {

bool always() { return true; }

struct Entry {
  const char* name;
  bool (*usable)();
  std::unique_ptr<Executor> (*make)();
};

const Entry kEntries[] = {
#ifdef DYNASOC_AGENT_ONEDNN
    {"onednn", always, make_onednn},
#endif
    {"onnxruntime", has_onnxruntime, make_onnxruntime},
#ifdef DYNASOC_AGENT_TENSORRT
    {"tensorrt", always, make_tensorrt},
#endif
    {"replay", always, make_replay},
};

}  // namespace

std::vector<std::string> executor_names() {
  std::vector<std::string> names;
  for (const Entry& entry : kEntries)
    if (entry.usable()) names.push_back(entry.name);
  return names;
}

std::unique_ptr<Executor> make_executor(const std::string& name) {
  std::string known;
  for (const Entry& entry : kEntries) {
    if (!entry.usable()) continue;
    if (name == entry.name) return entry.make();
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  }
  throw Refusal("not_found", "no executor \"" + name + "\" here: there are " + known);
}

}  // namespace dynasoc::agent
