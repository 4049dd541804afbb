// A tree of plain files that stands for a board, to be changed as a test goes on.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "fixture_tree.hpp"
#include "support/temporary_folder.hpp"

namespace dynasoc::test {

/// Gone with the object. Its files end in a newline, as the kernel's do.
class BoardTree {
 public:
  BoardTree() { std::filesystem::create_directories(at("sys")); }
  /// Of lines `path<TAB>content` as in a manifest, and of links.
  explicit BoardTree(const std::string& lines) : BoardTree() { add(lines); }

  /// Puts what a manifest of tests/board/fixtures holds into it.
  void add_fixture(const std::string& name) const {
    std::filesystem::remove(at("sys"));
    build_tree(std::string(DYNASOC_SOURCE_DIR "/tests/board/fixtures/") + name, at(""));
  }

  std::string root() const { return std::filesystem::canonical(at("")).string(); }
  std::string state() const { return (folder_.path() / "state").string(); }
  std::filesystem::path at(const std::string& path) const { return folder_.path() / "root" / path; }

  void add(const std::string& text) const {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t tab = line.find('\t'), arrow = line.find(" -> ");
      if (tab != std::string::npos) {
        write(line.substr(0, tab), fixture::content(line.substr(tab + 1)));
      } else if (arrow != std::string::npos) {
        link(line.substr(0, arrow), line.substr(arrow + 4));
      } else {
        throw std::runtime_error("neither a file nor a link: " + line);
      }
    }
  }

  void link(const std::string& path, const std::string& target) const {
    std::filesystem::create_directories(at(path).parent_path());
    std::filesystem::create_symlink(target, at(path));
  }

  void write(const std::string& path, const std::string& line) const {
    std::filesystem::create_directories(at(path).parent_path());
    std::ofstream(at(path), std::ios::binary) << line << '\n';
  }

  /// The first line.
  std::string read(const std::string& path) const {
    std::ifstream in(at(path), std::ios::binary);
    std::string line;
    std::getline(in, line);
    return line;
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace dynasoc::test
