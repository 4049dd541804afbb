#include "common/installation.hpp"

#include <link.h>
#include <unistd.h>

#include <system_error>

namespace dynasoc::installation {
namespace fs = std::filesystem;
namespace {

// What a process knows of its own place cannot be passed down to whoever resolves a name: the one setting of its kind.
fs::path& home() {
  static fs::path folder;
  return folder;
}

struct Wanted {
  std::uintptr_t address;
  std::string file;
};

// Finds the loaded file that holds an address. The program itself has no name here.
int look(dl_phdr_info* object, std::size_t /*size*/, void* data) {
  auto& wanted = *static_cast<Wanted*>(data);
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& segment = object->dlpi_phdr[i];
    const std::uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
    if (segment.p_type != PT_LOAD || wanted.address < begin || wanted.address >= begin + segment.p_memsz) continue;
    wanted.file = object->dlpi_name;
    return 1;
  }
  return 0;
}

}  // namespace

fs::path image() {
  Wanted wanted{reinterpret_cast<std::uintptr_t>(&image), {}};
  ::dl_iterate_phdr(&look, &wanted);
  std::error_code code;
  if (wanted.file.empty()) return fs::read_symlink("/proc/self/exe", code);
  return fs::absolute(wanted.file, code);
}

void set_home(const fs::path& folder) { home() = folder; }

std::vector<fs::path> data_roots() {
  std::vector<fs::path> out;
  if (!home().empty()) out.push_back(home() / "share" / "dynasoc");
  if (const fs::path self = image(); !self.empty())
    out.push_back(self.parent_path().parent_path() / "share" / "dynasoc");
  return out;
}

std::optional<fs::path> program(const std::string& name) {
  std::vector<fs::path> places;
  if (!home().empty()) places = {home() / name, home() / "bin" / name};
  if (const fs::path self = image(); !self.empty()) places.push_back(self.parent_path() / name);
  for (const fs::path& path : places)
    if (::access(path.c_str(), X_OK) == 0) return path;
  return std::nullopt;
}

std::vector<fs::path> modules(const std::string& name) {
  std::vector<fs::path> out;
  if (!home().empty()) out = {home() / name, home() / "lib" / "dynasoc" / name};
  if (const fs::path self = image(); !self.empty()) {
    out.push_back(self.parent_path() / name);
    out.push_back(self.parent_path().parent_path() / "lib" / "dynasoc" / name);
  }
  return out;
}

}  // namespace dynasoc::installation
