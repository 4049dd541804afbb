#include "cli/output_files.hpp"

#include <fstream>

#include "common/output_place.hpp"
#include "common/text.hpp"

namespace dynasoc::cli {
namespace {

std::string said(const NamedFiles::value_type& file) {
  return (file.first.empty() ? "" : file.first + " ") + file.second.string();
}

bool same(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code code;
  return std::filesystem::equivalent(a, b, code) ||
         std::filesystem::weakly_canonical(std::filesystem::absolute(a, code), code) ==
             std::filesystem::weakly_canonical(std::filesystem::absolute(b, code), code);
}

}  // namespace

void require_new(const Options& options, const std::filesystem::path& path) {
  std::error_code code;
  if (std::filesystem::exists(path, code) && !options.has("force"))
    throw InputError({path.string(), 0, 0, ""}, "exists already; --force replaces it");
}

std::filesystem::path new_file(const Options& options, const std::string& option) {
  std::filesystem::path path = options.get<std::string>(option);
  require_new(options, path);
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
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k)
      if (same(outputs[i].second, outputs[k].second))
        throw InputError(said(outputs[k]) + " and " + said(outputs[i]) + " are the same file");
    for (const auto& input : inputs)
      if (same(outputs[i].second, input.second))
        throw InputError(said(outputs[i]) + " would replace what is read: " + said(input));
  }
}

void require_outside(const NamedFiles& outputs, const std::filesystem::path& directory) {
  for (const auto& output : outputs)
    if (same(std::filesystem::absolute(output.second).parent_path(), directory))
      throw InputError(said(output) + " stands in the directory of --out, which holds results alone");
}

void require_same_kind(const std::string& option, const std::filesystem::path& path,
                       bool (*is_one)(std::string_view beginning), const std::string& what) {
  constexpr std::size_t kBeginning = 1024;
  std::error_code code;
  const std::filesystem::path place = behind_links(path);
  if (descriptor_of(place.string()) || !std::filesystem::is_regular_file(place, code)) return;
  std::string found(kBeginning, '\0');
  std::ifstream in(place, std::ios::binary);
  in.read(found.data(), static_cast<std::streamsize>(found.size()));
  found.resize(static_cast<std::size_t>(in.gcount()));
  if (!found.empty() && !is_one(found))
    throw InputError({path.string(), 0, 0, ""}, "is not " + what + ", and " + option + " would replace it");
}

}  // namespace dynasoc::cli
