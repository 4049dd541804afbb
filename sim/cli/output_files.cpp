#include "cli/output_files.hpp"

#include <fstream>

#include "common/text.hpp"

namespace dynasoc::cli {

std::filesystem::path new_file(const Options& options, const std::string& option) {
  const std::filesystem::path path = options.get<std::string>(option);
  std::error_code code;
  if (std::filesystem::exists(path, code) && !options.has("force"))
    throw InputError({path.string(), 0, 0, ""}, "exists already; --force replaces it");
  return path;
}

void require_place(const std::string& option, const std::filesystem::path& path) {
  const Location here{path.string(), 0, 0, ""};
  std::error_code code;
  if (path.empty()) throw InputError(option + ": the name of the file is empty");
  if (std::filesystem::is_directory(path, code)) throw InputError(here, "is a directory; name a file in it");
  if (const auto folder = path.parent_path(); !folder.empty() && !std::filesystem::is_directory(folder, code))
    throw InputError(here, "cannot be written: there is no folder " + in_quotes(folder.string()));
}

void add_files(NamedFiles& files, const Options& options, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (options.has(name)) files.emplace_back("--" + name, options.get<std::string>(name));
}

void require_different(const NamedFiles& outputs, const NamedFiles& inputs) {
  const auto said = [](const auto& file) {
    return (file.first.empty() ? "" : file.first + " ") + file.second.string();
  };
  const auto same = [](const std::filesystem::path& a, const std::filesystem::path& b) {
    std::error_code code;
    return std::filesystem::equivalent(a, b, code) ||
           std::filesystem::weakly_canonical(std::filesystem::absolute(a, code), code) ==
               std::filesystem::weakly_canonical(std::filesystem::absolute(b, code), code);
  };
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k)
      if (same(outputs[i].second, outputs[k].second))
        throw InputError(said(outputs[k]) + " and " + said(outputs[i]) + " are the same file");
    for (const auto& input : inputs)
      if (same(outputs[i].second, input.second))
        throw InputError(said(outputs[i]) + " would replace what is read: " + said(input));
  }
}

void require_same_kind(const std::string& option, const std::filesystem::path& path, std::string_view beginning,
                       const std::string& what) {
  std::error_code code;
  const std::string name = path.string();
  const bool written_on = name.starts_with("/dev/") || name.starts_with("/proc/");  // whatever a descriptor leads to
  if (written_on || !std::filesystem::is_regular_file(path, code)) return;
  std::string found(beginning.size(), '\0');
  std::ifstream in(path, std::ios::binary);
  in.read(found.data(), static_cast<std::streamsize>(found.size()));
  found.resize(static_cast<std::size_t>(in.gcount()));
  if (!found.empty() && found != beginning)
    throw InputError({path.string(), 0, 0, ""}, "is not " + what + ", and " + option + " would replace it");
}

}  // namespace dynasoc::cli
