// Builds a board's files from a manifest; fixtures/make_tree.py does the same, and says what a manifest is.
#pragma once

#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace dynasoc::test {

namespace fixture {

inline std::string content(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    const char escape = ++i < text.size() ? text[i] : ' ';
    if (escape != 'n' && escape != '0' && escape != '\\') throw std::runtime_error("unknown escape");
    out += escape == 'n' ? '\n' : escape == '0' ? '\0' : '\\';
  }
  return out;
}

inline bool inside(const std::filesystem::path& path) {
  return !path.empty() && path.is_relative() && path.lexically_normal() == path && *path.begin() != "..";
}

}  // namespace fixture

/// Builds the tree in a directory that is empty or not there. Throws std::runtime_error.
inline void build_tree(const std::filesystem::path& manifest, const std::filesystem::path& directory) {
  namespace fs = std::filesystem;
  std::ifstream file(manifest);
  if (!file) throw std::runtime_error("cannot read " + manifest.string());
  fs::create_directories(directory);
  if (!fs::is_empty(directory)) throw std::runtime_error(directory.string() + " is not empty");
  std::set<std::string> seen;
  std::vector<fs::path> links;
  int number = 0;
  try {
    for (std::string line; std::getline(file, line);) {
      ++number;
      if (line.empty() || line[0] == '#') continue;
      const std::size_t tab = line.find('\t'), arrow = line.find(" -> ");
      if (tab == std::string::npos && arrow == std::string::npos)
        throw std::runtime_error("neither `path<TAB>content` nor `path -> target`");
      const std::string path = line.substr(0, tab != std::string::npos ? tab : arrow);
      if (!fixture::inside(path)) throw std::runtime_error(path + ": not a plain path within the tree");
      if (!seen.insert(path).second) throw std::runtime_error(path + ": twice");
      const fs::path whole = directory / path;
      fs::create_directories(whole.parent_path());
      if (tab != std::string::npos) {
        std::ofstream out(whole, std::ios::binary);
        if (!(out << fixture::content(line.substr(tab + 1)) << std::flush))
          throw std::runtime_error("cannot write " + whole.string());
      } else {
        const fs::path target = line.substr(arrow + 4);
        if (target.is_absolute() || !fixture::inside((fs::path(path).parent_path() / target).lexically_normal()))
          throw std::runtime_error(path + ": links out of the tree");
        fs::create_symlink(target, whole);
        links.push_back(whole);
      }
    }
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(manifest.string() + ": line " + std::to_string(number) + ": " + error.what());
  }
  for (const fs::path& link : links)
    if (!fs::exists(link)) throw std::runtime_error(manifest.string() + ": " + link.string() + " links to nothing");
}

}  // namespace dynasoc::test
