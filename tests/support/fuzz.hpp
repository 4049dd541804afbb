// Mutants of good files, the same for the same seed: what a slip of the editor, a bad disk or a careless script makes
// of them.
#pragma once

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <exception>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.hpp"
#include "common/outside.hpp"

namespace dynasoc::test {

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  /// One to four changes to `text`.
  std::string operator()(std::string text) {
    for (std::size_t changes = 1 + pick(4) * pick(2); changes > 0; --changes) change(text);
    return text;
  }

  std::size_t pick(std::size_t count) { return count == 0 ? 0 : static_cast<std::size_t>(random_() % count); }

 private:
  static constexpr std::array<std::string_view, 24> kNumbers{"0",          "-0",
                                                             "-1",         "1",
                                                             "0.5",        "1e-320",
                                                             "1e-9",       "1e9",
                                                             "1e18",       "1e300",
                                                             "1e308",      "1e999",
                                                             "-1e9",       "1e-30",
                                                             "NaN",        "-inf",
                                                             "007",        "1.",
                                                             ".5",         "0x10",
                                                             "2147483648", "9007199254740993",
                                                             "1e15",       "36893488147419103232"};
  static constexpr std::array<std::string_view, 26> kTokens{
      "{",  "}",       "[",       "]",  ",",    ":",  "\"", "\\", "null", "true", "\"\"",         "{}",
      "[]", "\\u0000", "\\ud800", "\n", "\r\n", "\t", "#",  "//", ";",    "\xff", "\xef\xbb\xbf", "\xf0\x9f\x98\x80",
      "..", "/"};

  // The words of a file: numbers, and what stands in quotes or between commas.
  template <class Is>
  std::pair<std::size_t, std::size_t> word(const std::string& text, Is is) {
    const std::size_t from = pick(text.size());
    for (std::size_t step = 0; step < text.size(); ++step) {
      const std::size_t begin = (from + step) % text.size();
      if (!is(text[begin]) || (begin > 0 && is(text[begin - 1]))) continue;
      std::size_t end = begin;
      while (end < text.size() && is(text[end])) ++end;
      return {begin, end - begin};
    }
    return {0, 0};
  }
  static bool of_number(char c) {
    return std::isdigit(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '+';
  }
  static bool of_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.';
  }

  void change(std::string& text) {
    if (text.empty()) {
      text = kTokens[pick(kTokens.size())];
      return;
    }
    const std::size_t at = pick(text.size());
    const std::size_t length = 1 + pick(pick(2) == 0 ? 4 : text.size() - at);
    switch (pick(12)) {
      case 0: text[at] = static_cast<char>(text[at] ^ (1 << pick(8))); break;
      case 1: text[at] = static_cast<char>(pick(256)); break;
      case 2: text.erase(at, length); break;
      case 3: text.insert(pick(text.size()), text.substr(at, std::min<std::size_t>(length, 400))); break;
      case 4: text.resize(at); break;
      case 5: text.insert(at, kTokens[pick(kTokens.size())]); break;
      case 6:
      case 7: {
        const auto [begin, size] = word(text, of_number);
        text.replace(begin, size, kNumbers[pick(kNumbers.size())]);
        break;
      }
      case 8:
      case 9: {  // one word of the file in another's place: all are known, few fit
        const auto [from, from_size] = word(text, of_word);
        const std::string other = text.substr(from, from_size);
        const auto [begin, size] = word(text, of_word);
        text.replace(begin, size, other);
        break;
      }
      case 10: {  // a line less
        const std::size_t begin = text.rfind('\n', at) == std::string::npos ? 0 : text.rfind('\n', at);
        text.erase(begin, std::min(text.find('\n', begin + 1), text.size()) - begin);
        break;
      }
      default: {  // a misspelt word
        const auto [begin, size] = word(text, of_word);
        if (size > 1) std::swap(text[begin], text[begin + size - 1]);
        break;
      }
    }
  }

  std::mt19937_64 random_;
};

/// What is wrong with how `load` ended; empty if it either succeeded or refused its input as it should: with an
/// InputError that names a file (and a line, unless the file could not be read at all) in one line of readable length.
/// `option`: an option of the command line may stand in the file's place.
template <class Load>
std::string misbehaviour(Load&& load, bool option = false) {
  try {
    load();
    return "";
  } catch (const InputError& error) {
    const std::string_view text = error.what();
    option = option && (error.location().file.empty() || text.starts_with("--"));
    if (option && !text.starts_with("--")) return "no option: " + std::string(text);
    if (!option && error.location().file.empty()) return "no place: " + std::string(text);
    if (!option && error.location().line == 0 && text.find("no such file") == std::string_view::npos)
      return "no line: " + std::string(text);
    for (const char c : text)
      if (static_cast<unsigned char>(c) < 0x20) return "control characters in: " + std::string(text);
    if (text.size() > one_line(error.location().text()).size() + 600) return "too long: " + std::string(text);
    return "";
  } catch (const std::exception& error) {
    return std::string("another exception: ") + error.what();
  } catch (...) {
    return "an exception that is none";
  }
}

}  // namespace dynasoc::test
