// What is fuzzed: each parser as a function of a text, one file a target. The same functions run in two programs:
// `dynasoc-fuzz` (libFuzzer, clang) looks for new texts, and the tests replay the corpus and thousands of mutants.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/json_reader.hpp"

namespace dynasoc::fuzz {

/// What a target's texts look like, which decides how they are mutated.
enum class Form { json, words, bytes };

struct Target {
  std::string_view name;
  std::string_view doc;
  Form form = Form::words;
  /// Good texts to begin with, from the project's own files.
  std::vector<std::string> (*seeds)() = nullptr;
  /// Reads a text; whether it is good. One that is bad is refused as it should be: an InputError of one line, and of
  /// the agent's parts a Refusal. Throws Finding for what must never happen, anything else that escapes is one too.
  bool (*read)(const std::string& text) = nullptr;
  /// Names and words of the format, for mutations: JSON schemas, whose every member and enumerated value counts.
  std::vector<Json> (*schemas)() = nullptr;
  int mutants = 1000;  ///< in the tests
};

/// Something that no text may bring about.
class Finding : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// By name; filled before main.
std::vector<Target>& targets();

struct Register {
  explicit Register(Target target) { targets().push_back(std::move(target)); }
};

/// The target's words: members and enumerated values of its schemas, each once.
std::vector<std::string> vocabulary(const Target& target);

/// Runs a target on a text: empty, or what was found.
std::string finding_of(const Target& target, const std::string& text, bool* good = nullptr);

/// Corpus files kept for a target (tests/fuzz/corpus/NAME), sorted.
std::vector<std::filesystem::path> corpus(const Target& target);

/// Where mutants of a text come from: half of those of JSON are made on its values, the others on its words.
std::string mutant(const Target& target, const std::string& text, const std::string& other, std::uint64_t seed);

// For targets' use.

/// `load` succeeds (true), or throws an InputError of one readable line that names a place (false). With
/// `option` the place may be an option of the command line instead of a file. Everything else is a Finding.
bool good_or_refused(const std::function<void()>& load, bool option = false);

/// Contents of the files below the project's `folder` whose names end so, without raw data and large ones; sorted.
std::vector<std::string> files(const std::string& folder, std::string_view ending, std::size_t most_bytes = 40'000);
std::filesystem::path root();                             ///< of the project
std::string read_raw(const std::filesystem::path& path);  ///< as it is, without read_file's rules

/// A folder with links to everything in one of the project's, and a file of our own: names in that lead where they led.
class Beside {
 public:
  Beside(const std::string& folder, const std::string& name);
  ~Beside();
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;
  /// Writes the file and tells its path.
  std::filesystem::path write(const std::string& text) const;

 private:
  std::filesystem::path folder_, file_;
};

}  // namespace dynasoc::fuzz
