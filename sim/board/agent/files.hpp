// Small files below a root: the board's, or those of a tree that stands for one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "refusal.hpp"

namespace dynasoc::agent {

/// An open file; closed with the object.
class FileHandle {
 public:
  explicit FileHandle(int file = -1) : file_(file) {}
  ~FileHandle() { close(); }
  FileHandle(FileHandle&& other) noexcept : file_(other.release()) {}
  FileHandle& operator=(FileHandle&& other) noexcept;
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;

  int get() const { return file_; }
  bool open() const { return file_ >= 0; }
  int release();
  void close();

 private:
  int file_;
};

/// Paths are the board's, from `/`; one with `..`, or that links lead out of the root, is as if it were not there (and
/// refused when it is to be written).
class Files {
 public:
  /// Throws Refusal `io` when the root is no folder.
  explicit Files(const std::string& root);

  const std::string& root() const { return root_; }  ///< absolute, links resolved, without a slash at its end
  /// The path to type: with the root before it.
  std::string full(const std::string& path) const { return root_ + path; }

  /// Without the white space at its end; nothing if it cannot be read.
  std::optional<std::string> read(const std::string& path) const;
  std::optional<std::int64_t> read_whole(const std::string& path) const;
  /// Names in a folder, in the order of people (cpu2 before cpu10); empty if there is none.
  std::vector<std::string> list(const std::string& folder) const;
  bool exists(const std::string& path) const { return !real(path).empty(); }
  /// Whether its mode and this user's rights allow it; a kernel may still say no.
  bool writable(const std::string& path) const;
  /// Throws Refusal `io`, or `not_allowed` for a path out of the root.
  void write(const std::string& path, const std::string& value) const;
  /// For reading; -1 with errno if it cannot be.
  FileHandle open(const std::string& path) const;
  /// With links resolved, as the operating system sees it; empty if it is not there or out of the root.
  std::string real(const std::string& path) const;

 private:
  std::string root_;
};

/// `0-2,5` of the kernel's lists; what cannot be read is left out.
std::vector<int> cpu_list(const std::string& text);
/// The other way round.
std::string cpu_list_text(const std::vector<int>& cpus);
/// The words of a line.
std::vector<std::string> words(const std::string& text);
/// The whole numbers among them.
std::vector<std::int64_t> numbers(const std::string& text);
bool starts_with(const std::string& text, const std::string& start);
bool ends_with(const std::string& text, const std::string& end);

}  // namespace dynasoc::agent
