#include "target.hpp"

#include <algorithm>
#include <fstream>
#include <set>

#include "common/temporary_folder.hpp"
#include "common/text.hpp"
#include "support/fuzz.hpp"
#include "support/json_mutator.hpp"

namespace dynasoc::fuzz {

namespace fs = std::filesystem;

std::vector<Target>& targets() {
  static std::vector<Target> all;
  return all;
}

fs::path root() { return DYNASOC_SOURCE_DIR; }

namespace {

void collect(const Json& schema, std::set<std::string>& words) {
  if (schema.is_array())
    for (const Json& inner : schema) collect(inner, words);
  if (!schema.is_object()) return;
  for (const auto& [key, inner] : schema.items()) {
    if (key == "properties" && inner.is_object())
      for (const auto& [name, unused] : inner.items()) words.insert(name);
    if (key == "const" && inner.is_string()) words.insert(inner.get<std::string>());
    if (key == "enum")
      for (const Json& value : inner)
        if (value.is_string()) words.insert(value.get<std::string>());
    collect(inner, words);
  }
}

}  // namespace

std::vector<std::string> vocabulary(const Target& target) {
  std::set<std::string> words;
  if (target.schemas != nullptr)
    for (const Json& schema : target.schemas()) collect(schema, words);
  return {words.begin(), words.end()};
}

std::string finding_of(const Target& target, const std::string& text, bool* good) {
  try {
    const bool read = target.read(text);
    if (good != nullptr) *good = read;
    return "";
  } catch (const Finding& finding) {
    return finding.what();
  } catch (const std::exception& error) {
    return std::string("an exception that is no refusal: ") + error.what();
  } catch (...) {
    return "an exception that is none of the standard's";
  }
}

bool good_or_refused(const std::function<void()>& load, bool option) {
  bool good = false;
  const std::string wrong = test::misbehaviour(
      [&] {
        load();
        good = true;
      },
      option);
  if (!wrong.empty()) throw Finding(wrong);
  return good;
}

std::vector<fs::path> corpus(const Target& target) {
  std::vector<fs::path> out;
  const fs::path folder = root() / "tests/fuzz/corpus" / target.name;
  if (fs::is_directory(folder))
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.is_regular_file()) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

std::string mutant(const Target& target, const std::string& text, const std::string& other, std::uint64_t seed) {
  if (target.form == Form::json && seed % 2 == 0) {
    static const Target* known = nullptr;
    static std::vector<std::string> words;
    if (known != &target) words = vocabulary(target), known = &target;
    return test::JsonMutator(seed, words)(text, other);
  }
  return test::Mutator(seed)(text);
}

std::vector<std::string> files(const std::string& folder, std::string_view ending, std::size_t most_bytes) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(root() / folder)) {
    const std::string path = entry.path().string();
    if (entry.is_regular_file() && path.ends_with(ending) && path.find("/raw/") == std::string::npos &&
        entry.file_size() <= most_bytes)
      paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> out;
  for (const fs::path& path : paths) out.push_back(read_file(path));
  return out;
}

std::string read_raw(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Beside::Beside(const std::string& folder, const std::string& name) {
  std::string pattern = (fs::temp_directory_path() / "dynasoc-fuzz-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw OutsideError("no temporary folder can be made: " + pattern);
  folder_ = pattern;
  file_ = folder_ / name;
  for (const auto& entry : fs::directory_iterator(root() / folder))
    if (entry.path().filename() != name)  // or the project's own file would be written
      fs::create_symlink(fs::absolute(entry.path()), folder_ / entry.path().filename());
}

Beside::~Beside() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

fs::path Beside::write(const std::string& text) const {
  std::ofstream(file_, std::ios::binary | std::ios::trunc) << text;
  return file_;
}

}  // namespace dynasoc::fuzz
