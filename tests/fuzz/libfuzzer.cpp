// dynasoc-fuzz TARGET [libFuzzer's arguments]: clang's libFuzzer on one target. Also `--list`, and TARGET with
// `--seeds DIR` (writes the seeds and the corpus) or `--dictionary` (prints the words of the format).
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>

#include "agent_program.hpp"
#include "common/text.hpp"
#include "target.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace {

using dynasoc::fuzz::Target;

const Target* chosen = nullptr;
std::vector<std::string> seeds;  // parts of them go into mutants

const Target& find(const std::string& name) {
  for (const Target& target : dynasoc::fuzz::targets())
    if (target.name == name) return target;
  std::fprintf(stderr, "dynasoc-fuzz: no target %s (dynasoc-fuzz --list)\n", name.c_str());
  std::exit(2);
}

void write_seeds(const Target& target, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (const std::string& text : target.seeds())
    std::ofstream(folder / dynasoc::content_hash(text), std::ios::binary) << text;
  for (const auto& path : dynasoc::fuzz::corpus(target))
    std::filesystem::copy_file(path, folder / path.filename(), std::filesystem::copy_options::overwrite_existing);
}

void print_dictionary(const Target& target) {
  for (const std::string& word : dynasoc::fuzz::vocabulary(target))
    if (word.find_first_of("\"\\") == std::string::npos) std::cout << '"' << word << "\"\n";
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  const auto word = [&](int i) { return i < *count ? std::string((*arguments)[i]) : std::string(); };
  if (const auto status = dynasoc::fuzz::agent_program(*count, *arguments)) std::exit(*status);
  if (word(1) == "--list") {
    for (const Target& target : dynasoc::fuzz::targets())
      std::printf("%-16s %s\n", std::string(target.name).c_str(), std::string(target.doc).c_str());
    std::exit(0);
  }
  // libFuzzer starts the program again for some of what it does, with the arguments that it knows of.
  const char* inherited = std::getenv("DYNASOC_FUZZ_TARGET");
  if (inherited == nullptr) {
    chosen = &find(word(1));
    if (word(2) == "--dictionary") print_dictionary(*chosen), std::exit(0);
    if (word(2) == "--seeds") write_seeds(*chosen, word(3)), std::exit(0);
    ::setenv("DYNASOC_FUZZ_TARGET", word(1).c_str(), 1);
    (*arguments)[1] = (*arguments)[0];
    ++*arguments;
    --*count;
  } else {
    chosen = &find(inherited);
  }
  seeds = chosen->seeds();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string wrong = dynasoc::fuzz::finding_of(*chosen, std::string(reinterpret_cast<const char*>(data), size));
  if (!wrong.empty()) {
    std::fprintf(stderr, "FINDING: %s\n", wrong.c_str());
    std::abort();
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  if (chosen->form == dynasoc::fuzz::Form::bytes || seed % 4 == 0) return LLVMFuzzerMutate(data, size, most);
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string made =
      dynasoc::fuzz::mutant(*chosen, text, seeds.empty() ? text : seeds[seed / 4 % seeds.size()], seed / 2);
  if (made.size() > most) return LLVMFuzzerMutate(data, size, most);
  std::memcpy(data, made.data(), made.size());
  return made.size();
}
