#include "common/text.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <unistd.h>

#include "common/error.hpp"

namespace dynasoc {

void append_number(std::string& out, double x) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, x).ptr;
  out.append(buffer, end);
}

void append_number(std::string& out, long long x) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, x).ptr;
  out.append(buffer, end);
}

std::string number_text(double x) {
  std::string out;
  append_number(out, x);
  return out;
}

std::string rounded_text(double x, int digits) {
  if (!std::isfinite(x)) return "-";
  if (x == 0) return "0";
  const int magnitude = static_cast<int>(std::floor(std::log10(std::abs(x))));
  const int decimals = std::clamp(digits - 1 - magnitude, 0, 9);
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*f", decimals, x);
  return buffer;
}

FileWriter::FileWriter(std::filesystem::path path) : path_(std::move(path)) {
  file_ = ::open((path_.string() + ".partial").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file_ < 0) throw OutsideError(path_.string() + ": cannot be written: " + std::strerror(errno));
}

FileWriter::~FileWriter() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink((path_.string() + ".partial").c_str());
}

void FileWriter::flush() {
  for (std::size_t done = 0; done < buffer_.size();) {
    const ssize_t n = ::write(file_, buffer_.data() + done, buffer_.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw OutsideError(path_.string() + ": cannot be written: " + std::strerror(errno));
    done += static_cast<std::size_t>(n);
  }
  buffer_.clear();
}

void FileWriter::commit() {
  flush();
  const int result = ::close(file_);
  file_ = -1;
  const std::string partial = path_.string() + ".partial";
  if (result != 0 || ::rename(partial.c_str(), path_.c_str()) != 0) {
    const std::string why = std::strerror(errno);
    ::unlink(partial.c_str());
    throw OutsideError(path_.string() + ": cannot be written: " + why);
  }
}

void write_file(const std::filesystem::path& path, std::string_view content) {
  FileWriter writer(path);
  writer.buffer() = content;
  writer.commit();
}

std::string read_file(const std::filesystem::path& path) {
  std::error_code code;
  if (!std::filesystem::exists(path, code)) throw InputError({path.string(), 0, 0, ""}, "no such file");
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  if (!in || in.bad()) throw InputError({path.string(), 0, 0, ""}, "cannot be read");
  return out.str();
}

std::string content_hash(std::string_view content) {
  std::uint64_t hash = 1469598103934665603ull;
  for (const unsigned char c : content) hash = (hash ^ c) * 1099511628211ull;
  char buffer[17];
  std::snprintf(buffer, sizeof buffer, "%016llx", static_cast<unsigned long long>(hash));
  return buffer;
}

}  // namespace dynasoc
