#include "files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <memory>
#include <sstream>

namespace dynasoc::agent {
namespace {

constexpr std::size_t kLargest = 1 << 20;  // bytes; what is read here has some hundred
constexpr int kMostCpus = 4096;

bool has_parent_step(const std::string& path) {
  return ("/" + path + "/").find("/../") != std::string::npos || path.find('\0') != std::string::npos;
}

std::string real_path(const std::string& path) {
  char resolved[PATH_MAX];
  return ::realpath(path.c_str(), resolved) == nullptr ? std::string() : std::string(resolved);
}

bool digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// Numbers within names are compared as numbers.
bool people_order(const std::string& a, const std::string& b) {
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (digit(a[i]) && digit(b[j])) {
      const std::size_t from_a = i, from_b = j;
      while (i < a.size() && digit(a[i])) ++i;
      while (j < b.size() && digit(b[j])) ++j;
      const std::size_t length_a = i - from_a, length_b = j - from_b;
      if (length_a != length_b) return length_a < length_b;
      const int order = a.compare(from_a, length_a, b, from_b, length_b);
      if (order != 0) return order < 0;
    } else {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i;
      ++j;
    }
  }
  return a.size() - i < b.size() - j;
}

Refusal io_error(const std::string& path, const std::string& doing) {
  const std::string reason = std::strerror(errno);
  return Refusal("io", path + ": " + doing + ": " + reason, {{"path", path}});
}

}  // namespace

FileHandle& FileHandle::operator=(FileHandle&& other) noexcept {
  if (this != &other) {
    close();
    file_ = other.release();
  }
  return *this;
}

int FileHandle::release() {
  const int file = file_;
  file_ = -1;
  return file;
}

void FileHandle::close() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

Files::Files(const std::string& root) {
  root_ = real_path(root);
  struct stat about {};
  if (root_.empty() || ::stat(root_.c_str(), &about) != 0) throw io_error(root, "the board's root");
  if (!S_ISDIR(about.st_mode)) {
    errno = ENOTDIR;
    throw io_error(root, "the board's root");
  }
  if (root_ == "/") root_.clear();
}

std::string Files::real(const std::string& path) const {
  if (has_parent_step(path)) return {};
  const std::string resolved = real_path(full(path));
  if (!root_.empty() && resolved != root_ && !starts_with(resolved, root_ + "/")) return {};
  return resolved;
}

FileHandle Files::open(const std::string& path) const {
  const std::string resolved = real(path);
  if (resolved.empty()) {
    errno = ENOENT;
    return FileHandle();
  }
  // Non-blocking, so that a pipe among the files cannot hold the agent up.
  return FileHandle(::open(resolved.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
}

std::optional<std::string> Files::read(const std::string& path) const {
  const FileHandle file = open(path);
  if (!file.open()) return std::nullopt;
  std::string text;
  char buffer[4096];
  while (text.size() < kLargest) {
    const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    if (n == 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  while (!text.empty() && (text.back() == '\0' || std::isspace(static_cast<unsigned char>(text.back())) != 0)) {
    text.pop_back();
  }
  return text;
}

std::optional<std::int64_t> Files::read_whole(const std::string& path) const {
  const auto text = read(path);
  if (!text || text->empty()) return std::nullopt;
  char* end = nullptr;
  errno = 0;
  const long long x = std::strtoll(text->c_str(), &end, 10);
  if (errno != 0 || end == text->c_str() || *end != '\0') return std::nullopt;
  return x;
}

std::vector<std::string> Files::list(const std::string& folder) const {
  std::vector<std::string> names;
  const std::string resolved = real(folder);
  if (resolved.empty()) return names;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(resolved.c_str()), ::closedir);
  if (!stream) return names;
  while (const dirent* entry = ::readdir(stream.get())) {
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) names.push_back(entry->d_name);
  }
  std::sort(names.begin(), names.end(), people_order);
  return names;
}

bool Files::writable(const std::string& path) const {
  const std::string resolved = real(path);
  struct stat about {};
  if (resolved.empty() || ::stat(resolved.c_str(), &about) != 0) return false;
  // Root may open any file, but a file of the kernel's that has no write bit has nothing that takes the write.
  return (about.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) != 0 && ::access(resolved.c_str(), W_OK) == 0;
}

void Files::write(const std::string& path, const std::string& value) const {
  const std::string shown = full(path), resolved = real(path);
  if (resolved.empty()) {
    if (has_parent_step(path) || !real_path(shown).empty()) {
      throw Refusal("not_allowed", shown + ": is outside of the board's root", {{"path", shown}});
    }
    errno = ENOENT;
    throw io_error(shown, "cannot be written");
  }
  const FileHandle file(::open(resolved.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.open()) throw io_error(shown, "cannot be written");
  const std::string line = value + "\n";
  ssize_t n;
  do n = ::write(file.get(), line.data(), line.size());
  while (n < 0 && errno == EINTR);
  if (n < 0) throw io_error(shown, "does not take " + value);
  if (static_cast<std::size_t>(n) != line.size()) {
    errno = EIO;
    throw io_error(shown, "took only a part of " + value);
  }
  // An ordinary file is cut after the write, not before: whoever reads it meanwhile never finds it empty. The kernel's
  // own files pay no heed.
  struct stat about {};
  if (::fstat(file.get(), &about) == 0 && S_ISREG(about.st_mode) && about.st_size > n) {
    if (::ftruncate(file.get(), n) != 0 && errno == EIO) throw io_error(shown, "cannot be written");
  }
}

std::vector<int> cpu_list(const std::string& text) {
  std::vector<int> cpus;
  std::string spaced = text;
  std::replace(spaced.begin(), spaced.end(), ',', ' ');
  for (const std::string& word : words(spaced)) {
    char* end = nullptr;
    const long first = std::strtol(word.c_str(), &end, 10);
    if (end == word.c_str()) continue;
    const long last = *end == '-' ? std::strtol(end + 1, nullptr, 10) : first;
    for (long cpu = std::max(0L, first); cpu <= last && cpu < kMostCpus; ++cpu) cpus.push_back(static_cast<int>(cpu));
  }
  std::sort(cpus.begin(), cpus.end());
  cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
  return cpus;
}

std::string cpu_list_text(const std::vector<int>& cpus) {
  std::string text;
  for (std::size_t i = 0; i < cpus.size();) {
    std::size_t last = i;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += std::to_string(cpus[i]);
    if (last > i) text += (last == i + 1 ? "," : "-") + std::to_string(cpus[last]);
    i = last + 1;
  }
  return text;
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> found;
  for (std::string word; stream >> word;) found.push_back(word);
  return found;
}

std::vector<std::int64_t> numbers(const std::string& text) {
  std::vector<std::int64_t> found;
  for (const std::string& word : words(text)) {
    char* end = nullptr;
    errno = 0;
    const long long x = std::strtoll(word.c_str(), &end, 10);
    if (errno == 0 && end != word.c_str() && *end == '\0') found.push_back(x);
  }
  return found;
}

bool starts_with(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace dynasoc::agent
