#include "explore/exploration/directory.hpp"

#include <algorithm>
#include <set>

#include "common/directory_lock.hpp"
#include "common/text.hpp"
#include "results/output.hpp"

namespace dynasoc::explore {
namespace fs = std::filesystem;
namespace {

constexpr const char* kManifest = "explore.json";

void refuse_foreign_files(const fs::path& directory) {
  static const std::set<std::string> ours{kManifest,    "evaluations.tsv", "front.csv",  "all.csv",
                                          "front.json", "front.svg",       "report.html"};
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(directory, code)) {
    std::string name = entry.path().filename().string();
    if (name.ends_with(".partial")) name.resize(name.size() - 8);
    if (name != DirectoryLock::kName && !ours.contains(name))
      throw InputError({directory.string(), 0, 0, ""},
                       "holds " + in_quotes(name) + ", which is not of an exploration; choose another directory");
  }
}

// Whose directory it is: nothing to say if it is ours.
void check_manifest(const fs::path& directory, const Space& space) {
  const fs::path path = directory / kManifest;
  std::error_code code;
  if (!fs::exists(path, code)) {
    // What is there before explore.json is: left where that could not be written.
    const auto is_nothing = [](const fs::directory_entry& entry) {
      std::error_code ignored;
      const std::string name = entry.path().filename().string();
      return name == DirectoryLock::kName || name.ends_with(".partial") ||
             (name == "evaluations.tsv" && entry.file_size(ignored) == 0);
    };
    if (std::all_of(fs::directory_iterator(directory, code), fs::directory_iterator(), is_nothing)) return;
    throw InputError({directory.string(), 0, 0, ""},
                     "holds files, but no explore.json: it is not an exploration's; choose another directory");
  }
  const Value root(Document::load(path));
  if (!root.has("base") || !root.json()["base"].is_string() || !root.has("dynasoc"))
    throw root.error("this is not the explore.json of an exploration; choose another directory, or say --force");
  if (root.json()["base"] == Json(space.base_key())) return;
  const Json* exploration = root.has("exploration") ? &root.json()["exploration"] : nullptr;
  std::string why = "its scenario, the files it reads, or its metrics are others";
  if (root.json()["dynasoc"] != Json(space.build()))
    why = "it was made by another build of this program";
  else if (exploration != nullptr && exploration->contains("scenario") &&
           (*exploration)["scenario"] != Json(space.file().scenario.text))
    why = "its scenario is " + (*exploration)["scenario"].dump();
  throw root.error("the directory holds another exploration (" + why +
                   "); choose another directory, or say --force to begin anew");
}

// In a directory that nobody else can open meanwhile.
std::unique_ptr<Journal> open_locked(const fs::path& directory, const Space& space, bool force,
                                     const std::vector<std::string>& command_line) {
  refuse_foreign_files(directory);
  if (force) {
    Journal::refuse_if_in_use(directory);
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(directory))
      if (entry.path().filename() != DirectoryLock::kName) fs::remove(entry.path(), code);
  }
  check_manifest(directory, space);
  auto journal = std::make_unique<Journal>(directory);
  const Json manifest = {{"dynasoc", space.build()},
                         {"base", space.base_key()},
                         {"exploration", space.file().where.document->root()},
                         {"scenario", space.base().document->root()},
                         {"folder", relative_folder(directory, space.base().folder)},
                         {"inputs", inputs_json(directory, hashes_of(space.base().inputs))},
                         {"command_line", command_line}};
  write_file(directory / kManifest, manifest.dump(2) + "\n");
  return journal;
}

}  // namespace

std::unique_ptr<Journal> open_directory(const fs::path& directory, const Space& space, bool force,
                                        const std::vector<std::string>& command_line) {
  const Location here{directory.string(), 0, 0, ""};
  std::error_code code;
  if (fs::exists(directory, code) && !fs::is_directory(directory, code))
    throw InputError(here, "is a file, not a directory");
  make_directories(directory);
  // Until the journal is open, which nobody else can open then.
  DirectoryLock lock(directory);
  try {
    auto journal = open_locked(directory, space, force, command_line);
    lock.remove();
    return journal;
  } catch (...) {
    lock.remove();
    throw;
  }
}

void write_answer(const fs::path& directory, const Answer& answer) {
  std::error_code code;
  if (fs::exists(directory / "front.json", code) && read_file(directory / "front.json") != answer.front_json)
    fs::remove(directory / "report.html", code);  // of another answer
  write_file(directory / "front.csv", answer.front_csv);
  write_file(directory / "all.csv", answer.all_csv);
  write_file(directory / "front.json", answer.front_json);
}

}  // namespace dynasoc::explore
