#include "scenario/data_paths.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "common/installation.hpp"

namespace dynasoc {
namespace fs = std::filesystem;

DataPaths::DataPaths(const fs::path& beside) : beside_(beside.empty() ? fs::path(".") : beside) {
  std::error_code code;
  const auto add = [this, &code](const fs::path& root) {
    if (!fs::is_directory(root / "models", code) && !fs::is_directory(root / "platforms", code)) return;
    const fs::path canonical = fs::weakly_canonical(root, code);
    if (std::find(roots_.begin(), roots_.end(), canonical) == roots_.end()) roots_.push_back(canonical);
  };
  for (fs::path at = fs::weakly_canonical(fs::absolute(beside_, code), code);; at = at.parent_path()) {
    add(at);
    if (at == at.root_path()) break;
  }
  if (const char* data = std::getenv("DYNASOC_DATA")) add(data);
  for (const fs::path& root : installation::data_roots()) add(root);
#ifdef DYNASOC_DATA_DIR
  add(DYNASOC_DATA_DIR);
#endif
}

std::vector<std::string> DataPaths::list(const std::string& folder, const std::string& ending, bool deep) const {
  static const std::set<std::string> kOthers{".claim", ".explore", ".suite", ".rank",
                                             ".baseline"};  // beside what they are about
  std::set<std::string> names;
  std::error_code code;
  for (const fs::path& root : roots_) {
    const fs::path base = root / folder;
    if (!fs::is_directory(base, code)) continue;
    const auto consider = [&](const fs::path& path) {
      if (ending.starts_with('/')) {
        if (fs::exists(path / ending.substr(1), code)) names.insert(path.filename().string());
      } else if (path.extension() == ending && !kOthers.contains(path.stem().extension().string())) {
        names.insert(fs::relative(path, base, code).replace_extension().string());
      }
    };
    if (deep)
      for (const auto& entry : fs::recursive_directory_iterator(base, code)) consider(entry.path());
    else
      for (const auto& entry : fs::directory_iterator(base, code)) consider(entry.path());
  }
  return {names.begin(), names.end()};
}

std::vector<std::string> DataPaths::networks() const { return list("models", "/network.json", false); }
std::vector<std::string> DataPaths::supernetworks() const { return list("models", "/supernetwork.json", false); }
std::vector<std::string> DataPaths::platforms() const { return list("platforms", ".json", false); }
std::vector<std::string> DataPaths::scenarios() const {
  auto out = list("scenarios", ".json", true);
  std::erase_if(out,
                [](const std::string& name) { return name.starts_with("search/") || name.starts_with("sweeps/"); });
  return out;
}
std::vector<std::string> DataPaths::traces() const { return list("traces", ".csv", true); }

fs::path DataPaths::find(const Name& name, const char* what, const std::string& folder, const std::string& ending,
                         std::vector<std::string> (DataPaths::*known)() const) const {
  std::error_code code;
  const std::string& text = name.text;
  if (text.empty()) throw name.error(std::string("the name of a ") + what + " is empty");
  std::vector<fs::path> places;
  const bool is_path = text.ends_with(".json") || text.ends_with(".csv");
  if (is_path || text.find('/') != std::string::npos) places.push_back(beside_ / (is_path ? text : text + ending));
  for (const fs::path& root : roots_) {
    places.push_back(root / folder / (is_path ? text : text + ending));
    if (is_path) places.push_back(root / text);
  }
  for (const fs::path& path : places) {
    if (!fs::exists(path, code)) continue;
    fs::path plain = path.lexically_normal();  // not `a/../b`, unless `a` leads elsewhere
    if (!fs::equivalent(plain, path, code)) plain = path;
    if (fs::is_directory(plain, code)) throw name.error(plain.string() + " is a directory, not a file");
    return plain;
  }
  if (!is_path) throw name.error(std::string("unknown ") + what + " " + in_quotes(text) + hint(text, (this->*known)()));
  const auto near = nearest(fs::path(text).stem().string(), (this->*known)());
  throw name.error("no such file: " + in_quotes(text) + (near ? " (did you mean " + in_quotes(*near) + "?)" : ""));
}

fs::path DataPaths::network(const Name& name) const {
  return find(name, "network", "models", "/network.json", &DataPaths::networks);
}
fs::path DataPaths::supernetwork(const Name& name) const {
  return find(name, "super-network", "models", "/supernetwork.json", &DataPaths::supernetworks);
}
fs::path DataPaths::platform(const Name& name) const {
  return find(name, "platform", "platforms", ".json", &DataPaths::platforms);
}
fs::path DataPaths::trace(const Name& name) const { return find(name, "trace", "traces", ".csv", &DataPaths::traces); }
fs::path DataPaths::scenario(const Name& name) const {
  return find(name, "scenario", "scenarios", ".json", &DataPaths::scenarios);
}

}  // namespace dynasoc
